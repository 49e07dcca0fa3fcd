--- Pictures of how networks were trained.
local check = require "luanas.check"
local report = require "luanas.report"
local searches = require "luanas.plots.searches"

local training = {}

local BEST = 5
local TOLD = 12 -- that have room in the key

local function points_of(trial, metric)
  local points = {}
  for _, epoch in ipairs(trial.epochs) do
    if type(epoch[metric]) == "number" then points[#points + 1] = { epoch.epoch, epoch[metric] } end
  end
  return points
end

--- A validation metric by epochs: of the best trials of a study, or of those of a list.
function training.picture(owner, list, options)
  local metric = check.optional(check.string, owner, "metric", options.metric) or searches.metric(list)
  local best = check.optional(check.integer, owner, "best", options.best, 1)
  searches.check_value(owner, list, "metrics", metric)
  local layers, words = {}, searches.words(metric)
  for k, search in ipairs(list) do
    local trials = search.trials
    if best or not search.is_given then trials = report.best(report.each_of(trials), best or BEST, metric) end
    local is_told = false
    for i, trial in ipairs(trials) do
      local points = points_of(trial, metric)
      if #points > 0 then
        local result, title = trial.status ~= "failed" and trial.metrics[metric], nil
        if not search.title and #trials <= TOLD then
          title = ("trial %d: %s"):format(trial.number, result and ("%.4f"):format(result) or trial.status)
        elseif not is_told then
          title = search.title
        end
        layers[#layers + 1] = { style = "line", colour = search.title and k or i, points = points, title = title }
        is_told = true
      end
    end
  end
  if #layers == 0 then check.fail("%s: no trial has epochs with %s", owner, words) end
  return {
    title = options.title or ("Validation %s by epochs"):format(words),
    panels = { { x = options.x or "epoch", y = options.y or "validation " .. words, layers = layers } },
  }
end

return training
