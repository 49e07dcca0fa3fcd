--- Training of several architectures ahead of their trials. A study's field `ahead` then has the seconds that each
--- took, or "by workers", by keys that stand for architecture and epochs.
---
--- `each` is an iterator over what can be trained: position, key, what the space built, recipe.
local evaluate = require "luanas.evaluate"
local replicates = require "luanas.replicates"
local worker = require "luanas.worker"

local ahead = {}

--- Has `count` workers train what is new. What they can't do is left to the study.
function ahead.by_workers(study, each, versions, count)
  local jobs <close> = worker.jobs(study.store)
  local all = 0
  for _, key, built, own_recipe in each do
    for k = 1, study.replicates do
      local id, job = worker.ask(replicates.view(study, k), built, own_recipe, versions)
      if id and not jobs[id] then
        jobs[id], all = job, all + 1
        study.ahead[key] = "by workers"
      end
    end
  end
  if all == 0 then return end
  study.walk:flush()
  worker.wait(study, jobs, math.min(count, all), function(left)
    study.progress:batch(all - left, all, "networks trained by workers")
  end)
  study.progress:clear()
end

--- Trains what no other process is at, so that the rest is waited for last.
function ahead.here(study, each, versions)
  for i, key, built, own_recipe in each do
    local spent
    local has_trained = evaluate.try(study, built, own_recipe, versions, function(epoch, replicate)
      if not spent then
        study.progress:begin(study.number + i, study.expected, own_recipe.epochs, study.best_accuracy, study.replicates)
      end
      spent = (spent or 0.0) + epoch.seconds
      study.progress:step(epoch.epoch, epoch.accuracy, replicate)
    end)
    if has_trained then study.ahead[key] = spent or 0.0 end
  end
end

return ahead
