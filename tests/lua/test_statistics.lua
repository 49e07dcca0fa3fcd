local files = require "files"
local lu = require "luaunit"
local nas = require "luanas"

local T = {}

local statistics = nas.statistics

local function near(actual, expected, relative)
  lu.assertAlmostEquals(actual, expected, math.abs(expected) * (relative or 1e-14))
end

-- `count` normal numbers: of 12 uniform ones the sum less 6 has mean 0, deviation 1 and nearly that shape.
local function normal(stream, count)
  local list = {}
  for i = 1, count do
    list[i] = -6.0
    for _ = 1, 12 do list[i] = list[i] + stream:number() end
  end
  return list
end

-- ---- Summaries -------------------------------------------------------------------------------------

function T.test_summaries()
  local list = { 2, 4, 4, 4, 5, 5, 7, 9 }
  lu.assertEquals(statistics.mean(list), 5)
  near(statistics.sd(list), 2.138089935299395) -- R: sd(c(2, 4, 4, 4, 5, 5, 7, 9))
  lu.assertEquals(statistics.median(list), 4.5)
  lu.assertEquals(statistics.median { 3, 1, 2 }, 2)
  lu.assertEquals(statistics.median { 7 }, 7)
  lu.assertEquals(list, { 2, 4, 4, 4, 5, 5, 7, 9 })
end

-- Names of elements are for messages: to make them takes 50 times as long as the sum.
function T.test_lists_are_checked_without_names()
  local list = {}
  for i = 1, 200 do list[i] = i end
  lu.assertEquals(files.calls(string, "format", function() statistics.mean(list) end), 0)
  for _, wrong in ipairs { 0 / 0, math.huge, -math.huge, "3" } do
    list[200] = wrong
    lu.assertErrorMsgContains("statistics.mean: list[200] is ", statistics.mean, list)
  end
end

function T.test_quantiles_are_those_of_r()
  local list = { 7, 1, 10, 3, 5, 9, 2, 4, 8, 6 } -- R: quantile(1:10, q)
  for q, expected in pairs { [0] = 1, [0.25] = 3.25, [0.5] = 5.5, [0.75] = 7.75, [0.9] = 9.1, [1] = 10 } do
    near(statistics.quantile(list, q), expected)
  end
  lu.assertEquals(statistics.quantile({ 3 }, 0.3), 3)
  lu.assertEquals(tostring(statistics.quantile({ -0.0, -0.0 }, 0)), "0.0")
end

-- ---- Bootstrap -------------------------------------------------------------------------------------

function T.test_bootstrap_against_all_samples()
  local list, means = { 1, 2, 4, 8 }, {}
  for i = 0, 255 do
    local sum = 0
    for place = 0, 3 do sum = sum + list[(i >> 2 * place) % 4 + 1] end
    means[i + 1] = sum / 4
  end
  local low, high = statistics.bootstrap(list, { level = 0.8 })
  lu.assertEquals({ low, high }, { statistics.quantile(means, 0.1), statistics.quantile(means, 0.9) })
end

function T.test_bootstrap_options()
  local list = { 3, 1, 4, 1, 5, 9, 2, 6 }
  local function interval(options) return { statistics.bootstrap(list, options) } end
  lu.assertEquals(interval(), interval { statistic = statistics.mean, level = 0.95, samples = 10000, seed = 1 })
  lu.assertNotEquals(interval(), interval { seed = 2 })
  lu.assertEquals(interval { level = 1, statistic = function(drawn) return math.max(table.unpack(drawn)) end,
    samples = 2000 }[2], 9)
  local median = interval { statistic = statistics.median, level = 0 } -- the median of medians
  lu.assertEquals(median[1], median[2])
  lu.assertEquals({ statistics.bootstrap { 2, 2, 2 } }, { 2, 2 })
end

-- 95 % in name; what the stub says of short lists: of 10 numbers P(|t| < 1.960 * sqrt(9 / 10)) = 0.904, of 30 0.940.
function T.test_bootstrap_covers_as_often_as_it_should()
  for count, expected in pairs { [10] = 0.904, [30] = 0.940 } do
    local stream, covered, rounds = nas.stream(7, "test", count), 0, 1000
    for round = 1, rounds do
      local low, high = statistics.bootstrap(normal(stream, count), { samples = 300, seed = round })
      if low <= 0 and 0 <= high then covered = covered + 1 end
    end
    lu.assertAlmostEquals(covered / rounds, expected, 0.03) -- 3 standard deviations, and few samples
  end
end

-- ---- The normal distribution -----------------------------------------------------------------------

function T.test_normal_cdf()
  local known = { -- by the series in 500 digits
    [-37] = 5.72557122252457710490e-300, [-30] = 4.90671392714818717732e-198, [-20] = 2.75362411860623373713e-89,
    [-10] = 7.61985302416052545054e-24, [-8] = 6.22096057427178387436e-16, [-6] = 9.86587645037698090519e-10,
    [-5] = 2.86651571879193911854e-07, [-4] = 3.16712418331199243270e-05, [-3] = 1.34989803163009457719e-03,
    [-2.75] = 2.97976323505455683791e-03, [-2.5] = 6.20966532577613486432e-03, [-2.25] = 1.22244726550447026237e-02,
    [-2] = 2.27501319481792085853e-02, [-1] = 1.58655253931457046468e-01, [-0.5] = 3.08537538725986881794e-01,
    [-0.125] = 4.50261775169887079606e-01, [0] = 0.5, [0.125] = 5.49738224830112920394e-01,
    [0.5] = 6.91462461274013118206e-01, [1] = 8.41344746068542925777e-01, [2] = 9.77249868051820791415e-01,
    [2.5] = 9.93790334674223840850e-01, [3] = 9.98650101968369896532e-01, [5] = 9.99999713348428076465e-01,
    [8] = 9.99999999999999333866e-01, [1.959963984540054] = 0.975,
  }
  for z, expected in pairs(known) do
    near(statistics.normal_cdf(z), expected, 1e-12)
    lu.assertAlmostEquals(statistics.normal_cdf(z), expected, 1e-15)
  end
  lu.assertEquals(statistics.normal_cdf(-100), 0)
  lu.assertEquals(statistics.normal_cdf(100), 1)
end

-- No step where the series hands over to the fraction.
function T.test_normal_cdf_rises()
  local before = 0
  for i = -8000, 8000 do
    local p = statistics.normal_cdf(i / 1000)
    lu.assertTrue(p >= before)
    lu.assertAlmostEquals(p + statistics.normal_cdf(-i / 1000), 1, 1e-15)
    before = p
  end
end

-- ---- Rank test -------------------------------------------------------------------------------------

-- Pairs in which the number of a is higher, equal ones by half.
local function pairs_of(a, b)
  local u = 0
  for _, x in ipairs(a) do
    for _, y in ipairs(b) do u = u + (x > y and 1 or x == y and 0.5 or 0) end
  end
  return u
end

-- P(U <= u) and P(U >= u) by going through all splits of the numbers.
local function enumerated(a, b)
  local all, u = table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})), pairs_of(a, b)
  local splits, at_most, at_least = 0, 0, 0
  for subset = 0, (1 << #all) - 1 do
    local first, second = {}, {}
    for i, x in ipairs(all) do table.insert(subset >> (i - 1) & 1 == 1 and first or second, x) end
    if #first == #a then
      local other = pairs_of(first, second)
      splits = splits + 1
      at_most = at_most + (other <= u and 1 or 0)
      at_least = at_least + (other >= u and 1 or 0)
    end
  end
  return at_most / splits, at_least / splits
end

local function p_of(a, b, alternative)
  return statistics.rank_test(a, b, { alternative = alternative }).p
end

function T.test_exact_p_is_that_of_all_splits()
  local stream = nas.stream(1, "test")
  for _, sizes in ipairs { { 1, 1 }, { 1, 5 }, { 5, 1 }, { 3, 3 }, { 5, 5 }, { 6, 4 }, { 2, 8 } } do
    for _, different in ipairs { 1, 3, 6, 1000000 } do -- with many equal numbers, or none
      local a, b = {}, {}
      for i = 1, sizes[1] do a[i] = stream:integer(different) / 8 end
      for i = 1, sizes[2] do b[i] = stream:integer(different) / 8 end
      local test, at_most, at_least = statistics.rank_test(a, b), enumerated(a, b)
      lu.assertEquals(test.u, pairs_of(a, b))
      lu.assertEquals(test.effect, pairs_of(a, b) / (#a * #b))
      lu.assertTrue(test.exact)
      lu.assertEquals(test.p, math.min(1, 2 * math.min(at_most, at_least)))
      lu.assertEquals(p_of(a, b, "less"), at_most)
      lu.assertEquals(p_of(a, b, "greater"), at_least)
      lu.assertEquals(p_of(b, a, "greater"), at_most)
    end
  end
end

function T.test_rank_test_of_textbooks()
  -- SciPy's documentation of mannwhitneyu.
  local males, females = { 19, 22, 16, 29, 24 }, { 20, 11, 17, 12 }
  lu.assertEquals(statistics.rank_test(males, females), { u = 17, p = 14 / 126, effect = 0.85, exact = true })
  -- R's example(wilcox.test): W = 35, p = 0.1272.
  local at_term = { 0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46 }
  local earlier = { 1.15, 0.88, 0.90, 0.74, 1.21 }
  local test = statistics.rank_test(at_term, earlier, { alternative = "greater" })
  lu.assertEquals(test.u, 35)
  lu.assertAlmostEquals(test.p, 0.1272, 5e-5)
  -- R: wilcox.test(Ozone ~ Month, data = airquality, subset = Month %in% c(5, 8)): W = 127.5, p = 0.0001208.
  local may = { 41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37 }
  local august = { 39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84,
    85 }
  test = statistics.rank_test(may, august)
  lu.assertFalse(test.exact)
  lu.assertEquals(test.u, 127.5)
  lu.assertAlmostEquals(test.p, 0.0001208, 5e-8)
end

local OPPOSITE = { greater = "less", less = "greater" }

-- 21 x 20 pairs are approximated, 20 x 20 are counted: what one number in the middle changes is little.
function T.test_approximation_is_near_the_counted_p()
  for _, shift in ipairs { -9.5, -3.5, 0.5, 6.5 } do
    local a, b = {}, {}
    for i = 1, 20 do a[i], b[i] = 2 * i + shift, 2 * i end
    for _, alternative in ipairs { "two-sided", "greater", "less" } do
      local counted = p_of(a, b, alternative)
      a[21] = statistics.median(a)
      lu.assertFalse(statistics.rank_test(a, b).exact)
      lu.assertAlmostEquals(p_of(a, b, alternative), counted, 0.03)
      lu.assertEquals(p_of(b, a, OPPOSITE[alternative]), p_of(a, b, alternative))
      a[21] = nil
    end
  end
  local same = {}
  for i = 1, 30 do same[i] = 0.5 end
  for _, alternative in ipairs { "two-sided", "greater", "less" } do
    lu.assertEquals(p_of(same, same, alternative), 1)
  end
end

-- p is below a level about as often as the level says where there is no difference.
function T.test_p_values_are_uniform_without_a_difference()
  local stream, below, rounds = nas.stream(2, "test"), 0, 1000
  for _ = 1, rounds do
    if p_of(normal(stream, 12), normal(stream, 10)) <= 0.1 then below = below + 1 end
  end
  lu.assertAlmostEquals(below / rounds, 0.1, 0.03)
end

-- ---- Several tests, rank correlation ---------------------------------------------------------------

function T.test_holm()
  local function check(given, expected)
    local adjusted = statistics.holm(given)
    lu.assertEquals(#adjusted, #expected)
    for i, p in ipairs(expected) do near(adjusted[i], p) end
  end
  check({ 0.01, 0.02, 0.03, 0.04 }, { 0.04, 0.06, 0.06, 0.06 }) -- R: p.adjust(1:4 / 100, "holm")
  check({ 0.04, 0.01, 0.03, 0.02 }, { 0.06, 0.04, 0.06, 0.06 })
  check({ 0.5, 0.001, 0.5 }, { 1, 0.003, 1 })
  check({ 0.3 }, { 0.3 })
end

function T.test_rank_correlation()
  -- SciPy's documentation of kendalltau.
  near(statistics.rank_correlation({ 12, 2, 1, 12, 2 }, { 1, 4, 7, 1, 0 }), -0.47140452079103173)
  lu.assertEquals(statistics.rank_correlation({ 1, 2, 3, 4 }, { 10, 20, 30, 40 }), 1)
  lu.assertEquals(statistics.rank_correlation({ 1, 2, 3, 4 }, { 4, 3, 2, 1 }), -1)
  near(statistics.rank_correlation({ 1, 2, 3, 4 }, { 1, 3, 2, 4 }), 4 / 6)
  lu.assertNil(statistics.rank_correlation({ 1, 1 }, { 1, 2 }))
end

-- ---- Hypervolume -----------------------------------------------------------------------------------

-- Cells of a grid of integers that some point covers.
local function counted_cells(points, reference, high)
  local cells, cell = 0, {}
  local function go(d)
    if d > #reference then
      for _, point in ipairs(points) do
        local covers = true
        for i = 1, #reference do covers = covers and point[i] > cell[i] end
        if covers then
          cells = cells + 1
          return
        end
      end
      return
    end
    for at = reference[d], high - 1 do
      cell[d] = at
      go(d + 1)
    end
  end
  go(1)
  return cells
end

function T.test_hypervolume_is_the_number_of_cells()
  local stream = nas.stream(3, "test")
  for dimensions = 1, 4 do
    for count = 0, 12 do
      local points, reference = {}, {}
      for d = 1, dimensions do reference[d] = stream:integer(3) - 2 end
      for i = 1, count do
        points[i] = {}
        for d = 1, dimensions do points[i][d] = stream:integer(8) - 1 end
      end
      lu.assertEquals(statistics.hypervolume(points, reference), counted_cells(points, reference, 7))
    end
  end
end

function T.test_hypervolume_of_fractions()
  near(statistics.hypervolume({ { 0.9, -5e4 }, { 0.8, -1e4 }, { 0.7, -2e4 } }, { 0.1, -1e5 }),
    0.8 * 5e4 + 0.7 * 4e4)
  lu.assertEquals(statistics.hypervolume({ { 0.9, -2e5 } }, { 0.1, -1e5 }), 0)
end

-- ---- Errors ----------------------------------------------------------------------------------------

function T.test_errors()
  local function fails(message, name, ...)
    lu.assertErrorMsgContains("statistics." .. name .. ": " .. message, statistics[name], ...)
  end
  fails("list is 3; expected a list of numbers", "mean", 3)
  fails("list[2] is NaN; expected a finite number", "mean", { 1, 0 / 0 })
  fails("list has length 0; expected at least 1", "median", {})
  fails("list has length 1; expected at least 2", "sd", { 1 })
  fails("q is 1.5; expected a finite number from 0 to 1", "quantile", { 1 }, 1.5)
  fails("list has length 1; expected at least 2", "bootstrap", { 1 })
  fails('unknown option "sample"; known options: level, samples, seed, statistic', "bootstrap", { 1, 2 },
    { sample = 1 })
  fails("level is 95; expected a finite number from 0 to 1", "bootstrap", { 1, 2 }, { level = 95 })
  fails('statistic is "mean"; expected a function of a list', "bootstrap", { 1, 2 }, { statistic = "mean" })
  fails("what statistic returns is nil", "bootstrap", { 1, 2 }, { statistic = function() end })
  fails("z is nil", "normal_cdf", nil)
  fails("b[1] is inf", "rank_test", { 1 }, { math.huge })
  fails('alternative is "more"; expected "two-sided", "greater" or "less"', "rank_test", { 1 }, { 2 },
    { alternative = "more" })
  fails("p_values[2] is 1.5; expected a finite number from 0 to 1", "holm", { 0.1, 1.5 })
  fails("a has length 2 and b has 3; expected the same", "rank_correlation", { 1, 2 }, { 1, 2, 3 })
  fails("points is nil; expected a list of lists of numbers", "hypervolume", nil, { 0 })
  fails("points[1] is 3; expected a list of numbers", "hypervolume", { 3 }, { 0 })
  fails("points[2] is nil; expected a list of numbers", "hypervolume", { { 1, 1 }, nil, { 2, 2 } }, { 0, 0 })
  fails("points[2] has length 1; expected 2, as reference has", "hypervolume", { { 1, 1 }, { 1 } }, { 0, 0 })
end

return T
