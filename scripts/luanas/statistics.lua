--- What a comparison of searches needs: summaries, intervals, a rank test, corrected p values, rank correlation, and
--- the hypervolume of a front. All sums are in the order of the list, or in the one that is stated.
local core = require "luanas.core"
local check = require "luanas.check"

local statistics = {}

-- ---- Arguments -------------------------------------------------------------------------------------

-- The length of a list of at least `least` finite numbers.
local function check_list(owner, name, list, least)
  if type(list) ~= "table" then
    check.fail("%s: %s is %s; expected a list of numbers", owner, name, check.show(list))
  end
  for i = 1, #list do
    local value = list[i]
    if type(value) ~= "number" or value - value ~= 0 then -- no name before it is needed: lists are long
      check.number(owner, ("%s[%d]"):format(name, i), value)
    end
  end
  if #list < least then
    check.fail("%s: %s has length %d; expected at least %d", owner, name, #list, least)
  end
  return #list
end

-- Adding 0.0 makes 0.0 of -0.0: the two are equal, and which comes first is not the same every time.
local function sorted_copy(list)
  local sorted = {}
  for i = 1, #list do sorted[i] = list[i] + 0.0 end
  table.sort(sorted)
  return sorted
end

-- ---- Summaries -------------------------------------------------------------------------------------

local function mean(list)
  local sum = 0.0
  for i = 1, #list do sum = sum + list[i] end
  return sum / #list
end

function statistics.mean(list)
  check_list("statistics.mean", "list", list, 1)
  return mean(list)
end

function statistics.sd(list)
  local count = check_list("statistics.sd", "list", list, 2)
  local center, squares = mean(list), 0.0
  for i = 1, count do
    local difference = list[i] - center
    squares = squares + difference * difference
  end
  return math.sqrt(squares / (count - 1))
end

-- Hyndman & Fan 1996, definition 7.
local function quantile_of_sorted(sorted, q)
  local position = (#sorted - 1) * q
  local below = math.floor(position)
  local low, high = sorted[below + 1], sorted[math.min(below + 2, #sorted)]
  return low + (position - below) * (high - low)
end

function statistics.quantile(list, q)
  check_list("statistics.quantile", "list", list, 1)
  check.number("statistics.quantile", "q", q, 0, 1)
  return quantile_of_sorted(sorted_copy(list), q)
end

function statistics.median(list)
  check_list("statistics.median", "list", list, 1)
  return quantile_of_sorted(sorted_copy(list), 0.5)
end

-- ---- Bootstrap -------------------------------------------------------------------------------------

function statistics.bootstrap(list, options)
  local owner = "statistics.bootstrap"
  local count = check_list(owner, "list", list, 2)
  options = check.options(owner, options, { "level", "samples", "seed", "statistic" })
  local statistic = options.statistic or mean
  if type(statistic) ~= "function" then
    check.fail("%s: statistic is %s; expected a function of a list", owner, check.show(statistic))
  end
  local level = check.number(owner, "level", options.level or 0.95, 0, 1)
  local samples = check.integer(owner, "samples", options.samples or 10000, 1)
  local stream = core.stream(check.seed(owner, "seed", options.seed or 1), "bootstrap")
  local values = {}
  for k = 1, samples do
    local drawn = {}
    for i = 1, count do drawn[i] = list[stream:integer(count)] end
    values[k] = check.number(owner, "what statistic returns", check.run(statistic, drawn))
  end
  values = sorted_copy(values)
  local tail = (1 - level) / 2
  return quantile_of_sorted(values, tail), quantile_of_sorted(values, 1 - tail)
end

-- ---- The normal distribution -----------------------------------------------------------------------

local ROOT_OF_TAU = 2.5066282746310002 -- sqrt(2 pi)
local SERIES_LIMIT = 2 -- from there on the fraction has converged, and below it 1/2 - sum has not cancelled
local FRACTIONS = 100

--- P(Z <= z): in the middle the series 1/2 + density * (z + z^3/3 + z^5/(3*5) + ...) (Marsaglia 2004), in the tails
--- density / (x + 1/(x + 2/(x + 3/(x + ...)))) with x = |z| (Laplace).
function statistics.normal_cdf(z)
  check.number("statistics.normal_cdf", "z", z)
  local density, x = core.math.exp(-0.5 * z * z) / ROOT_OF_TAU, math.abs(z)
  if x < SERIES_LIMIT then
    local sum, term, odd = 0.0, z, 1
    while sum + term ~= sum do
      sum, odd = sum + term, odd + 2
      term = term * z * z / odd
    end
    return 0.5 + density * sum
  end
  local fraction = x
  for k = FRACTIONS, 1, -1 do fraction = x + k / fraction end
  local tail = density / fraction
  return z < 0 and tail or 1 - tail
end

-- ---- Ranks -----------------------------------------------------------------------------------------

-- Of the numbers of some lists taken together: twice the rank of each number, which is the mean of their places where
-- several are equal; the same of all in ascending order; and the sum of t^3 - t over groups of t equal ones.
local function doubled_ranks(a, b)
  local sorted = sorted_copy(table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})))
  local rank_of, ranks, ties, first = {}, {}, 0, 1
  while first <= #sorted do
    local last = first
    while sorted[last + 1] == sorted[first] do last = last + 1 end
    local size = last - first + 1
    rank_of[sorted[first]], ties = first + last, ties + (size * size * size - size)
    for i = first, last do ranks[i] = first + last end
    first = last + 1
  end
  return rank_of, ranks, ties
end

local function rank_sum(list, rank_of)
  local sum = 0
  for i = 1, #list do sum = sum + rank_of[list[i] + 0.0] end -- as sorted_copy has it
  return sum
end

-- Of all choices of `count` of the ascending ranks, the shares with a sum of at most, and of at least, `sum`.
local function exact_tails(ranks, count, sum)
  local highest = 0
  for i = #ranks - count + 1, #ranks do highest = highest + ranks[i] end
  local ways = {} -- ways[k][s]: choices of k of the ranks so far that add up to s
  for k = 0, count do
    ways[k] = {}
    for s = 0, highest do ways[k][s] = 0 end
  end
  ways[0][0] = 1
  for i, rank in ipairs(ranks) do
    for k = math.min(i, count), 1, -1 do -- downwards: ways[k - 1] is still without this rank
      local with, without = ways[k], ways[k - 1]
      for s = rank, highest do with[s] = with[s] + without[s - rank] end
    end
  end
  local at_most, at_least = 0, 0
  for s = 0, highest do
    if s <= sum then at_most = at_most + ways[count][s] end
    if s >= sum then at_least = at_least + ways[count][s] end
  end
  local all = at_most + at_least - ways[count][sum]
  return at_most / all, at_least / all
end

-- P(U <= u) and P(U >= u) by the normal distribution, with corrections for ties and for continuity.
local function normal_tails(u, n, m, ties)
  local all = n + m
  local deviation = math.sqrt(n * m / 12 * (all + 1 - ties / (all * (all - 1))))
  if deviation == 0 then return 1.0, 1.0 end -- all are equal
  local distance = u - n * m / 2
  return statistics.normal_cdf((distance + 0.5) / deviation), statistics.normal_cdf((0.5 - distance) / deviation)
end

-- Up to so many pairs all splits are counted: at most 1.4e11, in a hundredth of a second.
local EXACT_PAIRS = 400
local ALTERNATIVES = { ["two-sided"] = true, greater = true, less = true }

function statistics.rank_test(a, b, options)
  local owner = "statistics.rank_test"
  local n, m = check_list(owner, "a", a, 1), check_list(owner, "b", b, 1)
  options = check.options(owner, options, { "alternative" })
  local alternative = options.alternative or "two-sided"
  if not ALTERNATIVES[alternative] then
    check.fail('%s: alternative is %s; expected "two-sided", "greater" or "less"', owner, check.show(alternative))
  end
  local rank_of, ranks, ties = doubled_ranks(a, b)
  local u, is_exact = (rank_sum(a, rank_of) - n * (n + 1)) / 2, n * m <= EXACT_PAIRS
  local at_most, at_least
  if not is_exact then
    at_most, at_least = normal_tails(u, n, m, ties)
  elseif n <= m then
    at_most, at_least = exact_tails(ranks, n, rank_sum(a, rank_of))
  else -- fewer choices, and where b has more, a has less
    at_least, at_most = exact_tails(ranks, m, rank_sum(b, rank_of))
  end
  local p = alternative == "greater" and at_least or alternative == "less" and at_most
    or math.min(1.0, 2 * math.min(at_most, at_least))
  return { u = u, p = p, effect = u / (n * m), exact = is_exact }
end

function statistics.rank_correlation(a, b)
  local owner = "statistics.rank_correlation"
  local count = check_list(owner, "a", a, 2)
  if check_list(owner, "b", b, 2) ~= count then
    check.fail("%s: a has length %d and b has %d; expected the same", owner, count, #b)
  end
  local agreement, of_a, of_b = 0, 0, 0 -- pairs that agree less those that don't; pairs that differ in a, in b
  for i = 2, count do
    for j = 1, i - 1 do
      local sign_a = a[i] > a[j] and 1 or a[i] < a[j] and -1 or 0
      local sign_b = b[i] > b[j] and 1 or b[i] < b[j] and -1 or 0
      agreement, of_a, of_b = agreement + sign_a * sign_b, of_a + sign_a * sign_a, of_b + sign_b * sign_b
    end
  end
  if of_a == 0 or of_b == 0 then return nil end
  return agreement / math.sqrt(of_a * of_b)
end

-- ---- Several tests ---------------------------------------------------------------------------------

function statistics.holm(p_values)
  local owner = "statistics.holm"
  local count, order = check_list(owner, "p_values", p_values, 1), {}
  for i = 1, count do
    check.number(owner, ("p_values[%d]"):format(i), p_values[i], 0, 1)
    order[i] = i
  end
  table.sort(order, function(i, j) return p_values[i] < p_values[j] end) -- equal ones get the same value
  local adjusted, largest = {}, 0.0
  for place, i in ipairs(order) do
    largest = math.max(largest, math.min(1.0, (count - place + 1) * p_values[i]))
    adjusted[i] = largest
  end
  return adjusted
end

-- ---- Hypervolume -----------------------------------------------------------------------------------

-- Of the first `dimensions` coordinates. Slices along the last of them, from the highest point down to the reference;
-- a slice is as large as what the points above it dominate in the other coordinates.
local function volume(points, reference, dimensions)
  local sorted = table.move(points, 1, #points, 1, {})
  table.sort(sorted, function(a, b) return a[dimensions] > b[dimensions] end)
  if dimensions == 1 then return sorted[1][1] - reference[1] end
  local sum, area, above = 0.0, 0.0, {}
  for i, point in ipairs(sorted) do
    above[i] = point
    local height = point[dimensions] - (sorted[i + 1] or reference)[dimensions]
    if dimensions == 2 then area = math.max(area, point[1] - reference[1]) end -- no need to sort again
    if height > 0 then
      if dimensions > 2 then area = volume(above, reference, dimensions - 1) end
      sum = sum + height * area
    end
  end
  return sum
end

function statistics.hypervolume(points, reference)
  local owner = "statistics.hypervolume"
  if type(points) ~= "table" then
    check.fail("%s: points is %s; expected a list of lists of numbers", owner, check.show(points))
  end
  local dimensions, counting = check_list(owner, "reference", reference, 1), {}
  for i = 1, #points do
    local point, name = points[i], ("points[%d]"):format(i)
    if check_list(owner, name, point, 1) ~= dimensions then
      check.fail("%s: %s has length %d; expected %d, as reference has", owner, name, #point, dimensions)
    end
    local is_above = true
    for d = 1, dimensions do is_above = is_above and point[d] > reference[d] end
    if is_above then counting[#counting + 1] = point end
  end
  return #counting > 0 and volume(counting, reference, dimensions) or 0.0
end

return statistics
