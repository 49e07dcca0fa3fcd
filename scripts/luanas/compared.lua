--- What a comparison found (compare.lua): summaries, tests, tables, pictures.
local check = require "luanas.check"
local csv = require "luanas.csv"
local nas = require "luanas"
local statistics = require "luanas.statistics"
local text_table = require "luanas.text_table"

local compared = {}

local Compared = { __name = "luanas.Compared" }
Compared.__index = Compared

local TOPS = { 1, 5, 15 } -- Zoph & Le 2017, sec. 4: how many of the best networks are averaged

-- ---- Of one cell -----------------------------------------------------------------------------------

-- The best reward after each trial; false before the first that has one.
local function incumbents(cell)
  local list, best = {}, false
  for i, reward in ipairs(cell.rewards) do
    if reward and (not best or reward > best) then best = reward end
    list[i] = best
  end
  return list
end

-- The mean of those among trials n - count + 1 ... n that have a reward; nil where none has.
local function mean_of_last(cell, n, count)
  local sum, rewarded = 0.0, 0
  for i = math.max(1, n - count + 1), n do
    local reward = cell.rewards[i]
    if reward then sum, rewarded = sum + reward, rewarded + 1 end
  end
  return rewarded > 0 and sum / rewarded or nil
end

-- The mean of the best k networks, each with its highest reward: one that is trained further comes again.
local function mean_of_best(cell, k)
  local rewards, place = {}, {}
  for i, reward in ipairs(cell.rewards) do
    local network = cell.networks[i]
    if reward then
      place[network] = place[network] or #rewards + 1
      rewards[place[network]] = math.max(reward, rewards[place[network]] or reward)
    end
  end
  if #rewards < k then return nil end
  table.sort(rewards, function(a, b) return a > b end)
  return statistics.mean(table.move(rewards, 1, k, 1, {}))
end

-- The last entropy that was logged: none was of trials that failed or were not learned from.
local function last_entropy(cell)
  for i = #cell.entropies, 1, -1 do
    if cell.entropies[i] then return cell.entropies[i] end
  end
  return nil
end

local function best_of(cell)
  local list = incumbents(cell)
  return list[#list]
end

-- ---- Of all cells of an agent ----------------------------------------------------------------------

-- f of each cell, as far as there is something.
local function each_of(agent, f)
  local list = {}
  for _, cell in ipairs(agent.cells) do
    local value = f(cell)
    if value then list[#list + 1] = value end
  end
  return list
end

-- Intervals take their time, and most of them are never looked at: they are computed once they are.
local Summary = {}

local function add_interval(own)
  own.low, own.high = own.mean, own.mean
  if #own.values > 1 then own.low, own.high = statistics.bootstrap(own.values) end
end

function Summary.__index(own, key)
  if key ~= "low" and key ~= "high" then return nil end
  add_interval(own)
  return own[key]
end

function Summary.__pairs(own)
  if not rawget(own, "low") then add_interval(own) end
  return next, own
end

-- { mean =, sd =, median =, low =, high =, values = } of a list; nil of an empty one.
local function summary_of(values)
  if #values == 0 then return nil end
  return setmetatable({
    values = values, mean = statistics.mean(values), median = statistics.median(values),
    sd = #values > 1 and statistics.sd(values) or 0.0,
  }, Summary)
end

-- The same of f of each cell; nil where one has nothing: it would be that of the lucky ones.
local function summary_of_all(agent, f)
  local values = each_of(agent, f)
  return #values == #agent.cells and summary_of(values) or nil
end

local function summarise(agent, options)
  local own = { name = agent.name, runs = #agent.cells, top = {} }
  own.best = summary_of_all(agent, best_of)
  own.last = summary_of_all(agent, function(cell) return mean_of_last(cell, #cell.rewards, options.last) end)
  own.trainings = summary_of(each_of(agent, function(cell) return cell.trainings[#cell.trainings] end))
  own.epochs = summary_of(each_of(agent, function(cell) return cell.epochs[#cell.epochs] end))
  own.seconds = summary_of(each_of(agent, function(cell) return cell.seconds[#cell.seconds] end))
  own.unique = summary_of(each_of(agent, function(cell)
    local count = 0
    for i, network in ipairs(cell.networks) do count = count + (network == i and 1 or 0) end
    return #cell.rewards > 0 and count / #cell.rewards
  end))
  own.entropy = summary_of(each_of(agent, last_entropy))
  own.test = summary_of_all(agent, function(cell) return cell.test and cell.test.accuracy end)
  own.failed = summary_of(each_of(agent, function(cell)
    local count = 0
    for _, reward in ipairs(cell.rewards) do count = count + (reward and 0 or 1) end
    return count
  end))
  for _, k in ipairs(TOPS) do
    own.top[k] = summary_of_all(agent, function(cell) return mean_of_best(cell, k) end)
  end
  return own
end

local LOWEST = -0x1.fffffffffffffp1023 -- of all numbers

-- The best reward of each run, for their ranks: one without is below all others.
local function ranked(agent)
  local list = {}
  for i, cell in ipairs(agent.cells) do list[i] = best_of(cell) or LOWEST end
  return list
end

-- Rank tests of the incumbents at the end against those of the reference, corrected for how many there are; not of one
-- run without chance.
local function test_ranks(agents, summaries, reference)
  local own, list, p_values = nil, {}, {}
  for i, agent in ipairs(agents) do
    if agent.name == reference then
      own = not agent.seedless and ranked(agent)
    elseif not agent.seedless then
      list[#list + 1] = { summary = summaries[i], values = ranked(agent) }
    end
  end
  if not own or #list == 0 then return end
  for i, each in ipairs(list) do
    each.summary.test_of_ranks = statistics.rank_test(each.values, own)
    p_values[i] = each.summary.test_of_ranks.p
  end
  for i, p in ipairs(statistics.holm(p_values)) do list[i].summary.test_of_ranks.holm = p end
end

-- Whether all trainings have the same number of epochs.
local function has_equal_epochs(agents)
  local each
  for _, agent in ipairs(agents) do
    for _, cell in ipairs(agent.cells) do
      local trainings, epochs = cell.trainings[#cell.trainings] or 0, cell.epochs[#cell.epochs] or 0
      if trainings > 0 then
        each = each or epochs / trainings
        if epochs / trainings ~= each then return false end
      end
    end
  end
  return true
end

-- ---- Curves ----------------------------------------------------------------------------------------

local KINDS = {
  incumbent = { "best reward so far", incumbents },
  samples = { "mean reward of the samples", function(cell, options)
    local list = {}
    for i = 1, #cell.rewards do list[i] = mean_of_last(cell, i, options.last) or false end
    return list
  end },
  entropy = { "entropy of the policy (nats)", function(cell) return cell.entropies end },
  unique = { "trainings per trial", function(cell)
    local list = {}
    for i, trainings in ipairs(cell.trainings) do list[i] = trainings / i end
    return list
  end },
}
local AXES = { epochs = true, seconds = true, trainings = true, trials = true }

-- The value of a curve once so much is spent: that of the last trial within.
local function at(spent, curve, budget)
  local low, high = 0, #spent
  while low < high do
    local middle = (low + high + 1) // 2
    if spent[middle] <= budget then low = middle else high = middle - 1 end
  end
  return low > 0 and curve[low] or nil
end

local POINTS_MAX = 500 -- of a curve

--- Medians and quartiles over the seeds: { title =, x =, low =, middle =, high = } for each agent that has them.
function Compared:curves(kind, axis)
  local owner = "compared:curves"
  kind, axis = kind or "incumbent", axis or "trials"
  if not KINDS[kind] then
    check.fail("%s: kind is %s; expected one of %s", owner, check.show(kind),
      table.concat(check.sorted_keys(KINDS), ", "))
  end
  if not AXES[axis] then
    check.fail("%s: axis is %s; expected one of %s", owner, check.show(axis),
      table.concat(check.sorted_keys(AXES), ", "))
  end
  local bands = {}
  for _, agent in ipairs(self.agents) do
    local curves, most = {}, 0
    for i, cell in ipairs(agent.cells) do
      local spent = cell[axis]
      if axis == "trials" then
        spent = {}
        for k = 1, #cell.rewards do spent[k] = k end
      end
      curves[i] = { spent = spent, values = KINDS[kind][2](cell, self.options) }
      most = math.max(most, spent[#spent] or 0)
    end
    local band = { title = agent.name, x = {}, low = {}, middle = {}, high = {} }
    local step = math.max(1, most // POINTS_MAX)
    for k = 1, -(-most // step) do -- rounded up: the last one is the end
      local budget = math.min(k * step, most)
      local values = {}
      for _, curve in ipairs(curves) do
        local value = at(curve.spent, curve.values, budget)
        if value then values[#values + 1] = value end
      end
      if #values == #curves then -- else it would be the curve of the lucky ones
        local n = #band.x + 1
        band.x[n], band.middle[n] = budget, statistics.median(values)
        band.low[n], band.high[n] = statistics.quantile(values, 0.25), statistics.quantile(values, 0.75)
      end
    end
    if #band.x > 0 then bands[#bands + 1] = band end
  end
  return bands
end

-- How many runs there are of each agent but those that leave nothing to chance.
local function count_seeds(self)
  local count = 0
  for _, agent in ipairs(self.agents) do count = math.max(count, #agent.cells) end
  return count
end

--- Draws curves(kind, axis) into a file, or (path nil) into the terminal.
function Compared:plot(path, kind, axis)
  local owner, bands = "compared:plot", self:curves(kind, axis)
  if #bands == 0 and #self:curves(kind, "trials") > 0 then
    check.fail('%s: axis is %s, but no search took any; expected another one, such as "trials"', owner,
      check.show(axis))
  end
  if #bands == 0 then check.fail("%s: no agent has a curve of %s", owner, check.show(kind or "incumbent")) end
  nas.plot.bands(path, {
    bands = bands, x = axis or "trials", y = KINDS[kind or "incumbent"][1],
    title = ("median and quartiles of %d seeds"):format(count_seeds(self)),
  })
end

-- When each agent is where the reference ends: how many trials less, or more, the same result takes (Li & Talwalkar
-- 2019 ask for it as a multiple of random search).
local function find_even(self)
  local goal
  local bands = self:curves("incumbent", self.even_axis)
  for _, band in ipairs(bands) do
    if band.title == self.options.reference then goal = band.middle[#band.middle] end
  end
  for i, own in ipairs(self.summaries) do
    for _, band in ipairs(goal and own.name ~= self.options.reference and bands or {}) do
      for k = 1, band.title == self.agents[i].name and #band.x or 0 do
        if not own.even_at and band.middle[k] >= goal then own.even_at = band.x[k] end
      end
    end
  end
end

-- ---- Tables ----------------------------------------------------------------------------------------

local function number(value, format) return value and (format or "%.4f"):format(value) or "-" end

-- One run has no spread.
local function has_spread(summary) return summary and #summary.values > 1 end

local function interval(summary)
  return has_spread(summary) and ("%.4f to %.4f"):format(summary.low, summary.high) or "-"
end

local function mean(key, format)
  return function(own) return number(own[key] and own[key].mean, format) end
end

-- Title, value of a summary, and of which columns, nil: of all tables.
local COLUMNS = {
  { "agent", function(own) return own.name end },
  { "best", mean "best" },
  { "sd", function(own) return number(has_spread(own.best) and own.best.sd) end },
  { "95 % of the mean", function(own) return interval(own.best) end },
  { "top 5", function(own) return number(own.top[5] and own.top[5].mean) end },
  { "top 15", function(own) return number(own.top[15] and own.top[15].mean) end },
  { "last", mean "last" },
  { "95 % of the last", function(own) return interval(own.last) end },
  { "trainings", mean("trainings", "%.1f") },
  { "epochs", mean("epochs", "%.1f"), function(all) return all.epochs.mean ~= all.trainings.mean end },
  { "seconds", mean("seconds", "%.1f"), function(all) return all.seconds and all.seconds.mean > 0 end },
  { "unique", mean("unique", "%.2f") },
  { "failed", mean("failed", "%.1f"), function(all) return all.failed.mean > 0 end },
  { "entropy", mean("entropy", "%.2f") },
  { "regret", function(own) return number(own.regret) end, function(all) return all.regret end },
  { "test", mean "test", function(all) return all.test end },
  { "effect", function(own) return number(own.test_of_ranks and own.test_of_ranks.effect, "%.2f") end,
    function(all) return all.test_of_ranks end },
  { "p (Holm)", function(own) return number(own.test_of_ranks and own.test_of_ranks.holm, "%.2g") end,
    function(all) return all.test_of_ranks end },
  { "even at", function(own) return number(own.even_at, "%.0f") end,
    function(all) return all.even_at end },
}

-- Whether a column has something to tell of some agent.
local function is_used(self, column)
  for _, own in ipairs(self.summaries) do
    if not column[3] or own.trainings and column[3](own) then return true end
  end
  return false
end

-- How many seeds the agents had.
local function seeds_text(self)
  local count, once = count_seeds(self), {}
  for _, agent in ipairs(self.agents) do
    if agent.seedless and count > 1 then once[#once + 1] = agent.name end
  end
  local text = text_table.counted(count, "seed") .. " each"
  if #once == 0 then return text end
  return ("%s, but 1 of %s, which %s nothing to chance"):format(text, table.concat(once, " and "),
    #once > 1 and "leave" or "leaves")
end

function Compared:__tostring()
  local columns, used, rows, titles = {}, {}, {}, {}
  for _, column in ipairs(COLUMNS) do
    if is_used(self, column) then
      used[#used + 1], titles[column[1]] = column, true
      columns[#columns + 1] = { title = column[1], right = column[1] ~= "agent" }
    end
  end
  for i, own in ipairs(self.summaries) do
    rows[i] = {}
    for k, column in ipairs(used) do rows[i][k] = column[2](own) end
  end
  local most, reference = 0, self.options.reference
  for _, agent in ipairs(self.agents) do
    for _, cell in ipairs(agent.cells) do most = math.max(most, #cell.rewards) end
  end
  local notes = ("%s; last: mean reward of the last %s"):format(seeds_text(self),
    text_table.counted(math.min(self.options.last, most), "sample"))
  if titles.effect then
    notes = ("%s; effect: probability that the best of a run exceeds that of %s"):format(notes, reference)
  end
  if titles["even at"] then
    notes = ("%s;\neven at: after how many %s the median of the best is what %s has in the end"):format(notes,
      self.even_axis, reference)
  end
  return text_table.format(columns, rows) .. notes .. "\n"
end

--- Writes a row for each trial: agent, seed, trial, reward, trainings, epochs, seconds, entropy.
function Compared:csv(path)
  local owner = "compared:csv"
  check.string(owner, "path", path)
  local lines = { "agent,seed,trial,reward,trainings,epochs,seconds,entropy" }
  for _, agent in ipairs(self.agents) do
    for _, cell in ipairs(agent.cells) do
      for i, reward in ipairs(cell.rewards) do
        lines[#lines + 1] = ("%s,%d,%d,%s,%d,%d,%.2f,%s"):format(csv.field(agent.name), cell.seed, i,
          csv.field(reward or nil), cell.trainings[i], cell.epochs[i], cell.seconds[i],
          csv.field(cell.entropies[i] or nil))
      end
    end
  end
  local ok, message = csv.replace(path, function(file) return file:write(table.concat(lines, "\n"), "\n") end)
  if not ok then check.fail("%s: %s", owner, message) end
end

--- Of agents { name =, seedless =, cells = }; options: last, reference, oracle, timed (the budget was one of seconds).
function compared.new(agents, options)
  local self = setmetatable({ agents = agents, options = options, summaries = {} }, Compared)
  for i, agent in ipairs(agents) do
    local own = summarise(agent, options)
    own.regret = options.oracle and own.best and options.oracle - own.best.mean
    self.summaries[i] = own
  end
  test_ranks(agents, self.summaries, options.reference)
  self.even_axis = options.timed and "seconds" or has_equal_epochs(agents) and "trials" or "epochs"
  find_even(self)
  return self
end

check.colons("compared", Compared)

return compared
