--- Several objectives: numbers that are read of trials, rewards that weigh one against a cost, and the trials that no
--- other one dominates.
local core = require "luanas.core"
local check = require "luanas.check"

local objectives = {}

-- ---- Numbers of trials -----------------------------------------------------------------------------

local function number_names(trial)
  local names = {}
  for _, name in ipairs(check.sorted_keys(type(trial.metrics) == "table" and trial.metrics or trial)) do
    if type(name) == "string" and type(trial[name]) == "number" then names[#names + 1] = name end
  end
  return table.concat(names, ", ")
end

local function field(owner, trial, name)
  if type(trial) ~= "table" then check.fail("%s: trial is %s; expected a trial", owner, check.show(trial)) end
  if type(trial[name]) == "number" then return trial[name] end
  local hint = trial.status == "failed"
    and (". It failed; the study says what a failed trial counts as: failed = { %s = ... }"):format(name) or ""
  check.fail("%s: trial %s has no number %s; it has %s%s", owner, tostring(trial.number), check.show(name),
    number_names(trial), hint)
end

--- Checks the argument `name`: the name of a field of trials, or a function of a trial. Returns a function that gives
--- the number of a trial, and what messages call it.
local function reader(owner, name, what)
  if type(what) == "string" then
    return function(trial) return field(owner, trial, what) end, what
  end
  if not check.is_callable(what) then
    check.fail("%s: %s is %s; expected the name of a field, such as \"params\", or a function of a trial", owner, name,
      check.show(what))
  end
  return function(trial) return check.number(owner, "what " .. name .. " returns", check.run(what, trial)) end, name
end

-- ---- Rewards ---------------------------------------------------------------------------------------

local Reward = { __name = "luanas.Reward" }

function Reward:__call(trial)
  return self.of(trial)
end

function Reward:__tostring()
  return "luanas.Reward: " .. self.formula
end

-- What both rewards have among their options: functions of a trial that give metric and cost, their names, the target.
local function terms(owner, options)
  local metric, metric_name = reader(owner, "metric", options.metric == nil and "accuracy" or options.metric)
  local cost, cost_name = reader(owner, "cost", options.cost)
  if check.number(owner, "target", options.target) <= 0 then
    check.fail("%s: target is %s; expected a number above 0", owner, check.show(options.target))
  end
  return metric, cost, options.target, metric_name, cost_name
end

-- MnasNet (Tan et al. 2019), equations 2 and 3.
function objectives.mnas(options)
  local owner = "mnas"
  options = check.options(owner, options, { "alpha", "beta", "cost", "metric", "target" })
  local metric, cost, target, metric_name, cost_name = terms(owner, options)
  local alpha = check.number(owner, "alpha", options.alpha or -0.07)
  local beta = check.number(owner, "beta", options.beta or -0.07, nil, 0)
  local text = core.number_text
  return setmetatable({
    of = function(trial)
      local value, spent = metric(trial), cost(trial)
      if spent <= 0 then
        check.fail("%s: %s of trial %s is %s; expected a number above 0", owner, cost_name, tostring(trial.number),
          check.show(spent))
      end
      return value * core.math.pow(spent / target, spent <= target and alpha or beta)
    end,
    formula = ("%s * (%s / %s) ^ %s"):format(metric_name, cost_name, text(target), alpha == beta and text(beta)
      or ("(%s up to the target, %s above)"):format(text(alpha), text(beta))),
  }, Reward)
end

-- TuNAS (Bender et al. 2020), its absolute reward.
function objectives.absolute(options)
  local owner = "absolute"
  options = check.options(owner, options, { "beta", "cost", "metric", "target" })
  local metric, cost, target, metric_name, cost_name = terms(owner, options)
  local beta = check.number(owner, "beta", options.beta or -0.10, nil, 0)
  return setmetatable({
    of = function(trial) return metric(trial) + beta * math.abs(cost(trial) / target - 1) end,
    formula = ("%s - %s * |%s / %s - 1|"):format(metric_name, core.number_text(math.abs(beta)), cost_name,
      core.number_text(target)),
  }, Reward)
end

-- ---- The front -------------------------------------------------------------------------------------

-- Functions of a trial that give its objectives, the higher the better.
local function readers(owner, options)
  options = check.options(owner, options, { "maximize", "minimize" })
  local list = {}
  for _, side in ipairs { "maximize", "minimize" } do
    local names = options[side] == nil and {} or options[side]
    if type(names) ~= "table" then
      check.fail('%s: %s is %s; expected a list of objectives such as { "params" }', owner, side, check.show(names))
    end
    for i = 1, #names do
      local read = reader(owner, ("%s[%d]"):format(side, i), names[i])
      list[#list + 1] = side == "maximize" and read or function(trial) return -read(trial) end
    end
  end
  if #list == 0 then
    check.fail('%s: there is no objective; expected such as { maximize = { "accuracy" }, minimize = { "params" } }',
      owner)
  end
  return list
end

-- Whether a is as good as b in all objectives, and better in one.
local function dominates(a, b)
  local is_better = false
  for i = 1, #a do
    if a[i] < b[i] then return false end
    is_better = is_better or a[i] > b[i]
  end
  return is_better
end

-- The entries of a front with another one, { trial =, order =, objectives... }. The front is copied only where it loses
-- some: most are long where few are dominated.
local function joined(front, entry)
  local loses = false
  for _, other in ipairs(front) do
    if dominates(other, entry) then return front end
    loses = loses or dominates(entry, other)
  end
  if not loses then
    front[#front + 1] = entry
    return front
  end
  local kept = { entry }
  for _, other in ipairs(front) do
    if not dominates(entry, other) then kept[#kept + 1] = other end
  end
  return kept
end

--- Of an iterator over trials those that no other one dominates, one for each network and recipe, failed ones left out;
--- the best by the first objective first, and of equal ones the earlier one.
function objectives.front(owner, each, options)
  local list, front, seen, order = readers(owner, options), {}, {}, 0
  for trial in each do
    local key = trial.status == "ok" and ("%d %d"):format(trial.evaluation, trial.epoch_count)
    if key and not seen[key] then
      seen[key], order = true, order + 1
      local entry = { trial = trial, order = order }
      for i, read in ipairs(list) do entry[i] = read(trial) end
      front = joined(front, entry)
    end
  end
  table.sort(front, function(a, b)
    if a[1] ~= b[1] then return a[1] > b[1] end
    return a.order < b.order
  end)
  for i, entry in ipairs(front) do front[i] = entry.trial end
  return front
end

return objectives
