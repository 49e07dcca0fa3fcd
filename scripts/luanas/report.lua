--- What a study says at its end: the best architectures, what was done, whether the policy moved.
local check = require "luanas.check"
local fingerprint = require "luanas.fingerprint"
local text_table = require "luanas.text_table"

local report = {}

local COLUMNS = {
  { title = "rank", right = true }, { title = "accuracy", right = true }, { title = "parameters", right = true },
  { title = "MACs", right = true }, { title = "seconds", right = true }, { title = "trial", right = true },
  { title = "architecture" },
}

local function best_table(trials)
  local rows = {}
  for rank, trial in ipairs(trials) do
    rows[rank] = {
      tostring(rank), ("%.4f"):format(trial.accuracy), text_table.grouped(trial.params),
      text_table.grouped(trial.macs), ("%.2f"):format(trial.seconds), tostring(trial.number), tostring(trial.arch),
    }
  end
  return text_table.format(COLUMNS, rows)
end

-- Counts over all trials, and the reasons of those that failed.
local function summary(trials, trained)
  local seen, networks, recalled, failed, seconds, reasons = {}, 0, 0, 0, 0.0, {}
  for _, trial in ipairs(trials) do
    if trial.network and not seen[trial.network] then seen[trial.network], networks = true, networks + 1 end
    if trial.recalled then recalled = recalled + 1 end
    seconds = seconds + (trained[trial.number] or 0)
    if trial.status == "failed" then
      failed = failed + 1
      reasons[trial.reason] = (reasons[trial.reason] or 0) + 1
    end
  end
  local lines = { ("%d trials of %d different networks; %d recalled, %d failed; %.1f s of training\n"):format(
    #trials, networks, recalled, failed, seconds) }
  for _, reason in ipairs(check.sorted_keys(reasons)) do
    lines[#lines + 1] = ("failed %d times: %s\n"):format(reasons[reason], reason)
  end
  return table.concat(lines)
end

-- "entropy 7.1670 -> 6.9120": of the first and the last trial that logged it.
local function first_to_last(trials, name)
  local first, last
  for _, trial in ipairs(trials) do
    local value = trial.logged[name]
    if type(value) == "number" then first, last = first or value, value end
  end
  return first and ("%s %.4f -> %.4f"):format(name, first, last)
end

local function policy_line(trials)
  local parts = {}
  for _, name in ipairs { "entropy", "kl" } do parts[#parts + 1] = first_to_last(trials, name) end
  return #parts > 0 and ("policy, first to last trial, in nats: %s\n"):format(table.concat(parts, ", ")) or ""
end

-- "run 2 of fashion.db", or "this run" where nothing is kept.
local function run_name(study)
  local path, id = study.store:path(), study.walk and study.walk:run_id()
  return path and id and ("run %d of %s"):format(id, path) or "this run"
end

--- Of an iterator over trials those with the highest values of a metric, one for each network, failed ones left out;
--- `count` of them, nil: all.
function report.best(each, count, metric)
  local ranked, seen = {}, {}
  for trial in each do
    local counts = trial.status == "ok" and type(trial.metrics[metric]) == "number"
    if counts and not seen[trial.network] then
      seen[trial.network] = true
      ranked[#ranked + 1] = trial
    end
  end
  table.sort(ranked, function(a, b)
    local of_a, of_b = a.metrics[metric], b.metrics[metric]
    if of_a ~= of_b then return of_a > of_b end
    return a.number < b.number
  end)
  return table.move(ranked, 1, math.min(count or #ranked, #ranked), 1, {})
end

local function each_of(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

--- The whole text for a study and its `count` best architectures.
function report.text(study, count)
  local trials = study:trials()
  if #trials == 0 then return "no trials yet\n" end
  local best = report.best(each_of(trials), count, "accuracy")
  return (#best > 0 and best_table(best) or "") .. summary(trials, study.trained) .. policy_line(trials)
    .. ("fingerprint of %s: %s\n"):format(run_name(study), fingerprint.of(each_of(trials)))
end

return report
