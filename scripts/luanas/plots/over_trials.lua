--- Pictures of numbers over the trials, in the order in which they were made.
local check = require "luanas.check"
local report = require "luanas.report"
local searches = require "luanas.plots.searches"
local series = require "luanas.plots.series"

local over_trials = {}

local DECAY = 0.9

local function is_failed(trial)
  return trial.status == "failed"
end

-- One panel; options may name title and axes otherwise.
local function picture(layers, options, title, y)
  return {
    title = options.title or searches.sentence(title),
    panels = { { x = options.x or "trial", y = options.y or y, layers = layers } },
  }
end

-- Points and a line for each search. One search has its title at both, several have theirs at the lines.
local function add(layers, list, k, points, points_title, line, line_title)
  local search = list[k]
  if points then
    layers[#layers + 1] = { style = "faint", colour = k, points = points, title = #list == 1 and points_title or nil }
  end
  layers[#layers + 1] = { style = "line", colour = k, points = line, title = search.title or line_title }
end

local function metric_of(list, options, owner)
  local metric = check.optional(check.string, owner, "metric", options.metric) or searches.metric(list)
  searches.check_value(owner, list, "metrics", metric)
  return metric, function(trial) return trial.metrics[metric] end
end

--- A metric of each trial and its running mean. Failed trials are marked, at what they count as or at the bottom.
function over_trials.accuracy(owner, list, options)
  local metric, value = metric_of(list, options, owner)
  local window = searches.window(owner, list, options.window)
  local layers, marks = {}, {}
  for k, search in ipairs(list) do
    local failed = {}
    for _, trial in ipairs(search.trials) do
      if is_failed(trial) then failed[#failed + 1] = { trial.number, value(trial) } end
    end
    local all = series.points(search.trials, value)
    local ended_well = series.points(search.trials, function(trial) return not is_failed(trial) and value(trial) end)
    add(layers, list, k, window > 1 and #ended_well > 0 and ended_well or nil, "trials", series.mean(all, window),
      window > 1 and ("mean of %d trials"):format(window) or "trials")
    if #failed > 0 then
      marks[#marks + 1] = { style = "failed", colour = k, points = failed, title = #marks == 0 and "failed" or nil }
    end
  end
  table.move(marks, 1, #marks, #layers + 1, layers)
  local words = searches.words(metric)
  return picture(layers, options,
    window > 1 and ("%s of each trial, and mean of %d"):format(words, window) or words .. " of each trial", words)
end

--- A logged value of each trial: a line, or with a window points and their running mean.
function over_trials.logged(owner, list, options)
  local name = check.string(owner, "name", options.name)
  local window = searches.window(owner, list, options.window or 1)
  searches.check_value(owner, list, "logged", name)
  local layers = {}
  for k, search in ipairs(list) do
    local points = series.points(search.trials, function(trial) return trial.logged[name] end)
    add(layers, list, k, window > 1 and points or nil, "trials", series.mean(points, window),
      window > 1 and ("mean of %d trials"):format(window) or name)
  end
  local words = searches.words(name)
  return picture(layers, options, words .. (window > 1 and (" of each trial, and mean of %d"):format(window)
    or " of each trial"), words)
end

--- The loss of the policy's steps, which is noise around its mean.
function over_trials.loss(owner, list, options)
  options.name, options.title = "loss", options.title or "Loss of the policy's steps"
  options.window = searches.window(owner, list, options.window)
  return over_trials.logged(owner, list, options)
end

function over_trials.entropy(owner, list, options)
  options.name, options.title = "entropy", options.title or "Entropy of the policy"
  options.y = options.y or "entropy in nats"
  return over_trials.logged(owner, list, options)
end

--- The reward of each trial and its average: the baseline that was logged, or an exponential one.
function over_trials.reward(owner, list, options)
  local decay = check.number(owner, "decay", options.decay or DECAY, 0, 1)
  searches.check_value(owner, list, "logged", "reward")
  local layers, average = {}, ("average of decay %.6g"):format(decay)
  for k, search in ipairs(list) do
    local points = series.points(search.trials, function(trial) return trial.logged.reward end)
    local line = options.decay and {} or series.points(search.trials, function(trial) return trial.logged.baseline end)
    local title = #line > 0 and "baseline" or average
    add(layers, list, k, points, "trials", #line > 0 and line or series.decayed(points, decay), title)
  end
  return picture(layers, options, "reward of each trial, and its average", "reward")
end

--- The best metric so far; failed trials do not count.
function over_trials.incumbent(owner, list, options)
  local metric, value = metric_of(list, options, owner)
  local layers, words = {}, searches.words(metric)
  for k, search in ipairs(list) do
    local points = series.points(search.trials, function(trial) return not is_failed(trial) and value(trial) end)
    if #points > 0 then
      layers[#layers + 1] = {
        style = "steps", colour = k, title = search.title or "best so far",
        points = series.best(points, report.is_lowest_best(metric), search.trials[#search.trials].number),
      }
    end
  end
  if #layers == 0 then check.fail("%s: all trials failed", owner) end
  return picture(layers, options, ("best %s so far"):format(words), words)
end

return over_trials
