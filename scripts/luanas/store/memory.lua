--- A store in memory, and the interface that every store has.
---
---   store:find(key)                 the evaluation of that key text, or nil
---   store:put(key, evaluation)      records it, in place of a shorter one
---   store:begin_run(description)    a new run; returns its handle
---   store:append(run, trial)        the run's next trial (fields of trial.lua)
---   store:log(run, number, values)  what trial:log recorded: a map from names to values
---
--- An evaluation is what training one network gave, whoever asks for it:
---   epochs     one entry for each finished epoch (Trainer:epoch of the core)
---   diverged   why the epoch after those has no result, or nil
--- Its key text says all that the result depends on, except the number of epochs: an evaluation can be
--- extended, and ten epochs contain three.
local Memory = { __name = "luanas.store.Memory" }
Memory.__index = Memory

function Memory:find(key)
  return self.evaluations[key]
end

function Memory:put(key, evaluation)
  self.evaluations[key] = evaluation
end

function Memory:begin_run(description)
  local run = { description = description, trials = {} }
  self.runs[#self.runs + 1] = run
  return run
end

function Memory:append(run, trial) -- luacheck: no unused args
  run.trials[#run.trials + 1] = { trial = trial, logged = {} }
end

function Memory:log(run, number, values) -- luacheck: no unused args
  for name, value in pairs(values) do run.trials[number].logged[name] = value end
end

return {
  new = function() return setmetatable({ evaluations = {}, runs = {} }, Memory) end,
}
