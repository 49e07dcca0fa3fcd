--- Pictures of what accuracy costs.
local check = require "luanas.check"
local report = require "luanas.report"
local searches = require "luanas.plots.searches"
local series = require "luanas.plots.series"

local pareto = {}

local UNITS = {
  params = "parameters", macs = "multiply-accumulates of an image", memory = "bytes of memory in training",
  seconds = "seconds",
}

-- A step goes on to the most expensive trial: so good is what may cost as much.
local function steps_of(front, points)
  local steps, last = table.move(front, 1, #front, 1, {}), front[#front]
  local most = last[1]
  for _, point in ipairs(points) do most = math.max(most, point[1]) end
  if most > last[1] then steps[#steps + 1] = { most, last[2] } end
  return steps
end

--- Trials that did not fail by a cost and a metric, and the best that each cost can buy.
function pareto.picture(owner, list, options)
  local metric = check.optional(check.string, owner, "metric", options.metric) or searches.metric(list)
  local cost = check.optional(check.string, owner, "cost", options.cost) or "params"
  local is_log = check.optional(check.boolean, owner, "log", options.log)
  searches.check_value(owner, list, "metrics", metric)
  searches.check_value(owner, list, "metrics", cost)
  local layers, fronts, is_positive = {}, {}, true
  for k, search in ipairs(list) do
    local points = series.points(search.trials,
      function(trial) return trial.status ~= "failed" and trial.metrics[metric] end,
      function(trial) return trial.metrics[cost] end)
    if #points > 0 then
      local front = series.front(points, report.is_lowest_best(metric))
      layers[#layers + 1] = { style = "faint", colour = k, points = points, title = #list == 1 and "trials" or nil }
      fronts[#fronts + 1] = {
        style = "steps", colour = k, points = steps_of(front, points), title = search.title or "Pareto front",
      }
      fronts[#fronts + 1] = { style = "points", colour = k, points = front }
      is_positive = is_positive and front[1][1] > 0
    end
  end
  if #layers == 0 then check.fail("%s: all trials failed", owner) end
  if is_log and not is_positive then check.fail("%s: %s of a trial is 0, which has no logarithm", owner, cost) end
  table.move(fronts, 1, #fronts, #layers + 1, layers)
  local of_metric, of_cost = searches.words(metric), UNITS[cost] or searches.words(cost)
  return {
    title = options.title or searches.sentence(("%s by %s"):format(of_metric, of_cost)),
    panels = { { x = options.x or of_cost, y = options.y or of_metric, is_log = is_log, layers = layers } },
  }
end

return pareto
