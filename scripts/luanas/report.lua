--- What a study says at its end: the best architectures, what was done, whether the policy moved.
local check = require "luanas.check"
local fingerprint = require "luanas.fingerprint"
local stored = require "luanas.stored"
local text_table = require "luanas.text_table"

local report = { ROWS = 10 } -- unless somebody says otherwise

-- Metrics of which the lowest value is the best.
local LOWEST = {
  loss = true, train_loss = true, mean_absolute_error = true, params = true, macs = true, memory = true, seconds = true,
  train_seconds = true,
}

--- Whether the lowest value of a metric is the best.
function report.is_lowest_best(metric)
  return LOWEST[metric] or false
end

--- What a study's networks are ranked by unless somebody says otherwise.
function report.metric(study)
  if study.trained then return study.walk and study.data:info().task == "values" and "loss" or "accuracy" end
  for trial in study:each() do -- of one that was opened without its script
    if trial.status == "ok" then return trial.accuracy and "accuracy" or "loss" end
  end
  return "accuracy"
end

local function right(title) return { title = title, right = true } end

-- With a column of rewards where that is asked for.
local function best_table(trials, metric, has_rewards)
  local columns, rows = {
    right "rank", right(metric), right "parameters", right "MACs", right "seconds", right "trial",
    { title = "architecture" },
  }, {}
  for rank, trial in ipairs(trials) do
    rows[rank] = {
      tostring(rank), ("%.4f"):format(trial.metrics[metric]), text_table.grouped(trial.params),
      text_table.grouped(trial.macs), ("%.2f"):format(trial.seconds), tostring(trial.number), tostring(trial.arch),
    }
    local reward = trial.logged.reward
    if has_rewards then table.insert(rows[rank], 2, type(reward) == "number" and ("%.6g"):format(reward) or "") end
  end
  if has_rewards then table.insert(columns, 2, right "reward") end
  return text_table.format(columns, rows)
end

-- Counts over the trials that come by, the reasons of those that failed, and what the first and the last logged.
local Totals = {}
Totals.__index = Totals

local LEARNED = { "entropy", "kl" }

-- `trained`: the seconds that were spent on the trials, by their numbers; nil: nobody has noted that.
local function new_totals(trained)
  return setmetatable({
    trained = trained, trials = 0, networks = 0, recalled = 0, failed = 0, seconds = 0.0, seen = {}, reasons = {},
    first = {}, last = {}, longest = {},
  }, Totals)
end

-- Seconds that were spent on training a trial: without notes what its evaluation took, once.
local function seconds_of(self, trial)
  if self.trained then return self.trained[trial.number] or 0.0 end
  local key, seconds = trial.evaluation, trial.seconds
  if not key or not seconds then return 0.0 end
  local before = self.longest[key] or 0.0
  self.longest[key] = math.max(before, seconds)
  return self.longest[key] - before
end

function Totals:add(trial)
  self.trials = self.trials + 1
  if trial.network and not self.seen[trial.network] then
    self.seen[trial.network], self.networks = true, self.networks + 1
  end
  if trial.recalled then self.recalled = self.recalled + 1 end
  self.seconds = self.seconds + seconds_of(self, trial)
  if trial.status == "failed" then
    self.failed = self.failed + 1
    self.reasons[trial.reason] = (self.reasons[trial.reason] or 0) + 1
  end
  for _, name in ipairs(LEARNED) do
    local value = trial.logged[name]
    if type(value) == "number" then self.first[name], self.last[name] = self.first[name] or value, value end
  end
end

function Totals:text()
  local lines = { ("%s of %s; %s%d failed; %.1f s of training\n"):format(text_table.counted(self.trials, "trial"),
    text_table.counted(self.networks, "different network"), self.trained and self.recalled .. " recalled, " or "",
    self.failed, self.seconds) }
  for _, reason in ipairs(check.sorted_keys(self.reasons)) do
    lines[#lines + 1] = ("%d failed: %s\n"):format(self.reasons[reason], reason)
  end
  local parts = {}
  for _, name in ipairs(LEARNED) do
    local first = self.first[name]
    parts[#parts + 1] = first and ("%s %.4f -> %.4f"):format(name, first, self.last[name])
  end
  if #parts > 0 then
    lines[#lines + 1] = ("policy, first to last trial, in nats: %s\n"):format(table.concat(parts, ", "))
  end
  return table.concat(lines)
end

-- The run that is reported: that of the script, or the last one of a study that was opened without it.
local function run_of(study)
  if study.trained then return study.walk and study.walk:run_id() end
  local runs = study:runs()
  return runs[#runs] and runs[#runs].id
end

-- "run 2 of fashion.db", or "this run" where nothing is kept.
local function run_name(study, run)
  local path = study.store:path()
  return path and run and ("run %d of %s"):format(run, path) or "this run"
end

-- What trials have in common that are of the same network and recipe.
local function key_of(trial)
  return ("%d %d"):format(trial.evaluation, trial.epoch_count)
end

-- Those of the trials that come by with the best values of a metric or, by_reward, the highest logged rewards; one for
-- each network and recipe, failed ones left out; `count` of them, nil: all.
local Ranking = {}
Ranking.__index = Ranking

local function new_ranking(count, metric, by_reward)
  return setmetatable({ count = count, metric = metric, by_reward = by_reward, ranked = {}, seen = {} }, Ranking)
end

local function value_of(self, trial)
  if self.by_reward then return trial.logged.reward end
  return trial.metrics[self.metric]
end

function Ranking:add(trial)
  local counts = trial.status == "ok" and type(value_of(self, trial)) == "number"
  local key = counts and key_of(trial)
  if not counts or self.seen[key] then return end
  self.seen[key] = true
  self.ranked[#self.ranked + 1] = trial
  if self.count and #self.ranked > 2 * self.count then self:list() end
end

-- The first `count`; the others are dropped.
function Ranking:list()
  local ranked, is_lowest_best = self.ranked, not self.by_reward and report.is_lowest_best(self.metric)
  table.sort(ranked, function(a, b)
    local of_a, of_b = value_of(self, a), value_of(self, b)
    if of_a ~= of_b then return is_lowest_best == (of_a < of_b) end
    return a.number < b.number
  end)
  for i = #ranked, (self.count or #ranked) + 1, -1 do ranked[i] = nil end
  return ranked
end

--- An iterator over a list of trials.
function report.each_of(trials)
  local i = 0
  return function()
    i = i + 1
    return trials[i]
  end
end

--- Of an iterator over trials the best `count`, nil: all.
function report.best(each, count, metric)
  local ranking, is_there, names = new_ranking(count, metric), false, {}
  for trial in each do
    ranking:add(trial)
    local metrics = trial.status == "ok" and trial.metrics or {}
    is_there = is_there or metrics[metric] ~= nil
    for name, value in pairs(is_there and {} or metrics) do names[name] = type(value) == "number" or nil end
  end
  if not is_there and next(names) then
    check.fail("study:best: no trial has the metric %s; there are %s", check.show(metric),
      table.concat(check.sorted_keys(names), ", "))
  end
  return ranking:list()
end

-- The iterator, and `observe` sees what it gives.
local function observed(each, observe)
  return function()
    local trial = each()
    if trial then observe(trial) end
    return trial
  end
end

-- Whether the rewards of the trials that come by are more than the metric, and rank them: all that ended well have one,
-- and each network has the same one wherever it comes again.
local Rewards = {}
Rewards.__index = Rewards

local function new_rewards(metric)
  return setmetatable({ metric = metric, differ = false, rank = true, seen = {} }, Rewards)
end

function Rewards:add(trial)
  if trial.status ~= "ok" then return end
  local reward, key = trial.logged.reward, key_of(trial)
  if type(reward) ~= "number" then
    self.rank = false
    return
  end
  if reward ~= trial.metrics[self.metric] then self.differ = true end
  if self.seen[key] and self.seen[key] ~= reward then self.rank = false end
  self.seen[key] = reward
end

-- Of a study that has no trials: those of other processes, or of earlier ones, are in its file.
local function nothing(study)
  local path = study.store:path()
  local count = path and study.store:row("SELECT count(*) AS count FROM trial").count or 0
  if count == 0 or not study.trained then return "no trials yet\n" end
  return ("no trials of this study yet; %s has %s, which nas.open(%q):study() shows\n"):format(path,
    text_table.counted(count, "trial"), path)
end

--- The whole text for a study, or the last run of one that was opened without its script, and its `count` best
--- architectures: by their rewards where those are more than the metric and of one reward, else by the metric. Trials
--- are read once, and none but the best are kept.
function report.text(study, count)
  local metric, run = report.metric(study), run_of(study)
  local by_metric, by_reward = new_ranking(count, metric), new_ranking(count, metric, true)
  local rewards, totals = new_rewards(metric), new_totals(study.trained)
  local hash = fingerprint.of(observed(study:each(), function(trial)
    for _, each in ipairs { by_metric, by_reward, rewards, totals } do each:add(trial) end
  end))
  if totals.trials == 0 then return nothing(study) end
  local is_by_reward = rewards.differ and rewards.rank and not stored.has_changed_reward(study.store, run)
  local best = (is_by_reward and by_reward or by_metric):list()
  local note = rewards.differ and not is_by_reward
    and ("ranked by %s, as the trials have no reward in common\n"):format(metric) or ""
  return (#best > 0 and best_table(best, metric, rewards.differ) or "") .. note .. totals:text()
    .. ("fingerprint of %s: %s\n"):format(run_name(study, run), hash)
end

return report
