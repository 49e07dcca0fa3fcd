---@meta luanas.statistics
-- luacheck: ignore

--- To compare searches: give each agent the same budget and at least ten seeds, take one number of each run (its best
--- accuracy, say), and compare the lists. Numbers are finite, and results have the same bits on every machine. Errors
--- name what is no number, or too short.
---@class luanas.statistics
local statistics = {}

--- The sum in the order of the list, divided by its length.
---@param list number[] At least 1.
---@return number
function statistics.mean(list) end

--- The sample standard deviation: the root of the sum of squared differences from the mean over length - 1.
---@param list number[] At least 2.
---@return number
function statistics.sd(list) end

--- The middle number, or the mean of the two in the middle.
---@param list number[] At least 1.
---@return number
function statistics.median(list) end

--- The number below which a share of the list lies, linear between its numbers: definition 7 of Hyndman & Fan 1996, the
--- default of R and NumPy.
---@param list number[] At least 1.
---@param q number 0 (the lowest) to 1 (the highest).
---@return number
function statistics.quantile(list, q) end

--- A confidence interval of a statistic: quantiles of what it is for lists of the same length that are drawn from the
--- list with replacement (the percentile interval of Efron & Tibshirani 1993, sec. 13.3).
---
--- It is too narrow for short lists. With the mean of normal numbers, 95 % are in truth about 85 % for 5 numbers, 90 %
--- for 10, 93 % for 20. For the median and other quantiles of less than some 20 numbers it takes few different values.
---
--- Example:
---
---   local low, high = nas.statistics.bootstrap { 0.81, 0.83, 0.82, 0.84 }
---@param list number[] At least 2.
---@param options? { statistic?: (fun(list: number[]): number), level?: number, samples?: integer, seed?: integer } The mean; 0 to 1, default 0.95; how many lists are drawn, at least 1, default 10000; at least 0, default 1.
---@return number low
---@return number high
function statistics.bootstrap(list, options) end

--- The probability that a standard normal number is at most z. The relative error is below 1e-12 for z of at least -37,
--- and the absolute error below 1e-15.
---@param z number
---@return number
function statistics.normal_cdf(z) end

--- The rank test of Mann & Whitney 1947 (Wilcoxon's rank-sum test) of two lists of independent numbers, one of each
--- run: how likely as large a difference is between lists that are samples of the same.
---
--- u: the pairs in which the number of a is higher, those in which both are equal counted by half. effect: u over the
--- number of pairs, the probability that a number of a exceeds one of b; 0.5 where there is no difference. p: exact for
--- up to 400 pairs, by counting all splits of the numbers, equal ones or not; else by the normal distribution, with
--- corrections for equal numbers and for continuity. Of two sides it is twice the lower one, at most 1. So do R and
--- SciPy, except that they approximate where numbers are equal, also those of short lists.
---
--- The least that p can be is 1 over the number of splits: 0.1 for two lists of 3 and two sides, 0.008 for two of 5.
---
--- Example:
---
---   print(nas.statistics.rank_test({ 0.84, 0.85, 0.83 }, { 0.81, 0.82, 0.80 }).p) -- 0.1
---@param a number[] At least 1.
---@param b number[] At least 1.
---@param options? { alternative?: "two-sided"|"greater"|"less" } What is tested: "greater", that a is higher. Default: "two-sided".
---@return { u: number, p: number, effect: number, exact: boolean }
function statistics.rank_test(a, b, options) end

--- p values of several tests, corrected so that the probability of any false rejection is at most the level to which
--- they are compared, however the tests depend on each other (Holm 1979).
---@param p_values number[] 0 to 1; at least 1.
---@return number[] # In the same order: the k-th lowest of n times n - k + 1, at least the one before it, at most 1.
function statistics.holm(p_values) end

--- Kendall's tau-b: pairs of places in which both lists have the same order, less those with opposite orders, over the
--- root of (pairs that differ in a) * (pairs that differ in b). Such as between accuracies after one epoch and after
--- ten. nil where all numbers of a list are equal: it has no order. Takes time with the square of the length.
---@param a number[] At least 2.
---@param b number[] As many.
---@return number? # -1 (opposite orders) to 1 (the same).
function statistics.rank_correlation(a, b) end

--- How good a set of points is in several objectives: the volume of what lies below at least one of them and above the
--- reference, in each coordinate (Zitzler & Thiele 1999). Higher is better in all coordinates: negate costs. Points
--- that are not above the reference in every coordinate count nothing. Exact but for rounding, by slicing along the
--- last coordinate: takes the time to sort n points for two coordinates, and n times more for each further one.
---@param points number[][] Each as long as reference; may be empty.
---@param reference number[] A point that is worse in all coordinates than what shall count; at least 1 number.
---@return number
function statistics.hypervolume(points, reference) end

return statistics
