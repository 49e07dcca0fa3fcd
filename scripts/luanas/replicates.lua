--- Several evaluations of a network with seeds of their own, as one: means, and how far they are spread.
local core = require "luanas.core"

local replicates = {}

local function mean(values)
  local sum = 0.0
  for _, value in ipairs(values) do sum = sum + value end
  return sum / #values
end

-- The sample standard deviation: what another seed would give differs by about so much.
local function spread(values)
  local middle, sum = mean(values), 0.0
  for _, value in ipairs(values) do sum = sum + (value - middle) * (value - middle) end
  return core.math.pow(sum / (#values - 1), 0.5)
end

-- The values of a key in all maps; nil unless all are numbers.
local function numbers_of(maps, key)
  local values = {}
  for i, map in ipairs(maps) do
    if type(map[key]) ~= "number" then return nil end
    values[i] = map[key]
  end
  return values
end

-- The mean of each entry; lists and numbers alike.
local function mean_of(maps)
  local result = {}
  for key, first in pairs(maps[1]) do
    local values = numbers_of(maps, key)
    if values then
      result[key] = math.type(first) == "integer" and first or mean(values)
    elseif type(first) == "table" then
      local inner = {}
      for i, map in ipairs(maps) do inner[i] = map[key] end
      result[key] = mean_of(inner)
    else
      result[key] = first
    end
  end
  return result
end

local function fields(outcomes, name)
  local list = {}
  for i, outcome in ipairs(outcomes) do list[i] = outcome[name] end
  return list
end

--- Of lists of epochs: means as far as all have them.
function replicates.mean_epochs(lists)
  local shortest, epochs = math.huge, {}
  for _, list in ipairs(lists) do shortest = math.min(shortest, #list) end
  for i = 1, shortest do
    local same = {}
    for k, list in ipairs(lists) do same[k] = list[i] end
    epochs[i] = mean_of(same)
  end
  return epochs
end

--- Of outcomes of evaluate.lua that are all "ok". Metrics are means, beside each its spread (accuracy_spread), and what
--- was measured is the sum; epochs are means as far as all have them.
function replicates.combined(outcomes)
  local maps = fields(outcomes, "metrics")
  local metrics, recalled = mean_of(maps), true
  for key in pairs(maps[1]) do
    local values = numbers_of(maps, key)
    if values and outcomes[1].measured[key] then
      metrics[key] = mean(values) * #values
    elseif values and math.type(values[1]) == "float" then -- integers are costs, the same in all
      metrics[key .. "_spread"] = spread(values)
    end
  end
  for _, outcome in ipairs(outcomes) do recalled = recalled and outcome.recalled end
  return {
    status = "ok", recalled = recalled, epochs = replicates.mean_epochs(fields(outcomes, "epochs")), metrics = metrics,
    measured = outcomes[1].measured, evaluation = outcomes[1].evaluation,
  }
end

--- Study k of those that evaluate the replicates: as the study, but for the seed.
function replicates.view(study, k)
  return setmetatable({ evaluation_seed = study.evaluation_seed + k - 1 }, { __index = study })
end

return replicates
