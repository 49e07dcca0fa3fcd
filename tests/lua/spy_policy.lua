--- A policy that samples uniformly, answers score by a script, and writes down what it is to learn: for the
--- coefficients that agents make of rewards.
local nas = require "luanas"

local SpyPolicy = {}
SpyPolicy.__index = SpyPolicy

function SpyPolicy:sample(space, count)
  return self.random:sample(space, count)
end

-- `script` may have functions of an architecture and of the number of steps so far: log_probs and values, each a list
-- with one number for each decision, or false where a connection of an anchor has no value.
function SpyPolicy:score(arch, options)
  local steps, decisions, sum = #self.learned, {}, 0.0
  local log_probs = self.script.log_probs and self.script.log_probs(arch, steps)
  local values = options and options.values and self.script.values and self.script.values(arch, steps)
  for t, decision in ipairs(arch.decisions) do
    decisions[t] = { log_prob = log_probs and log_probs[t] or decision.log_prob, value = not values and 0.0 or nil }
    if values then decisions[t].value = values[t] or nil end
    sum = sum + decisions[t].log_prob
  end
  return { log_prob = sum, decisions = decisions }
end

function SpyPolicy:learn(episodes)
  self.learned[#self.learned + 1] = episodes
  return { loss = 0.0, entropy = 0.0, kl = 0.0 }
end

--- What the policy was to learn is in its list `learned`, step by step.
return function(script)
  return setmetatable({ script = script or {}, learned = {}, random = nas.random { seed = 5 } }, SpyPolicy)
end
