--- What the student project that re-created Zoph & Le on Fashion-MNIST calls its actor-critic, kept under the name of
--- what it does: it has no critic. Two architectures are sampled and trained; the first one is reinforced by its own
--- advantage plus `weight` (0.7) times that of the second. Both are over the moving average of what came before them.
---
--- The second one is independent of the first, so its part of the update has expectation zero: it adds nothing but
--- variance, 1 + 0.7^2 = 1.49 times that of REINFORCE without clipping, and every update costs two trainings. So it
--- ends as far above random sampling as REINFORCE does with half as many trials, or less.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local Lookahead = { __name = "luanas.agents.lookahead", name = "lookahead", learns = true }
Lookahead.__index = Lookahead

function Lookahead:propose(space)
  return self.policy:sample(space, 2)
end

function Lookahead:reward_changed()
  self.baseline = nas.reward.moving_average(self.options.decay)
end

function Lookahead:learn(trials)
  local _, rewards = agents.rewarded(trials)
  local episodes, logged, advantages = {}, {}, self.baseline:advantages(rewards)
  if trials[1].reward then
    local advantage = self.clip(advantages[1])
    if trials[2].reward then advantage = advantage + self.options.weight * self.clip(advantages[2]) end
    logged[trials[1]] = { advantage = advantage }
    episodes[1] = { trials[1].arch, advantage = advantage }
  end
  return agents.learned(self.policy, episodes, trials, logged)
end

--- nas.agents.lookahead { ... }
return function(given)
  local owner = "lookahead"
  local options = agents.options(owner, given, {
    seed = 1,
    weight = 0.7, -- of the second architecture's advantage
    decay = 0.8,  -- of the moving average
    clip = 0.1,   -- each of the two is cut off at plus and minus so much; false: not
    policy = {},  -- options of nas.policy
  }, nil, { clip = "boolean" })
  check.number(owner, "weight", options.weight)
  return setmetatable({
    options = options,
    policy = agents.policy(owner, options),
    baseline = nas.reward.moving_average(options.decay),
    clip = nas.reward.clip(options.clip),
  }, Lookahead)
end
