--- Advantage actor-critic for a sequence of decisions with one reward at its end. The critic is a linear head on the
--- LSTM's state before each decision; both learn from what it missed, the head at a rate of its own. It predicts
--- y = R - b, the reward minus a moving average of the earlier ones, so that V = 0 at the start is right on average,
--- and what it learns is which prefixes are better than others.
---
--- With gamma = 1 (the reward comes at the end, and the position of a decision has nothing to do with time):
---   delta_t = V_{t+1} - V_t,  delta_T = y - V_T
---   A_t = sum over k of lambda^k delta_{t+k}     (generalised advantage estimation, Schulman et al. 2016)
--- lambda = 1 gives A_t = y - V_t (Monte-Carlo). Of each decision the policy follows A_t grad log pi, and the critic
--- descends value_weight (target - V_t)^2, target being A_t + V_t, held constant.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local ActorCritic = { __name = "luanas.agents.actor_critic", name = "actor_critic", learns = true }
ActorCritic.__index = ActorCritic

function ActorCritic:propose(space)
  return self.policy:sample(space, self.options.batch)
end

-- A_t of each step, from the values V_t and what the episode earned.
local function advantages_of(values, earned, lambda)
  local advantages, sum, next_value = {}, 0.0, earned
  for t = #values, 1, -1 do
    sum = next_value - values[t] + lambda * sum
    advantages[t], next_value = sum, values[t]
  end
  return advantages
end

-- The episode of an architecture that earned y, in a batch of m; and the mean square of what the critic missed. An
-- anchor is one step: its connections have no value of their own, and no coefficients.
function ActorCritic:episode(arch, y, m)
  local positions, values, missed = {}, {}, 0.0
  local coefficients, of_values = {}, {}
  for i, decision in ipairs(self.policy:score(arch, { values = true }).decisions) do
    coefficients[i], of_values[i] = 0.0, 0.0
    if decision.value then positions[#positions + 1], values[#values + 1] = i, decision.value end
  end
  for t, advantage in ipairs(advantages_of(values, y, self.options.lambda)) do -- target - V_t is A_t
    coefficients[positions[t]] = self.clip(advantage) / m
    of_values[positions[t]] = 2 * self.options.value_weight * advantage / m
    missed = missed + advantage * advantage / #values
  end
  return { arch, advantages = coefficients, values = of_values, entropy = self.options.entropy / m }, missed
end

function ActorCritic:reward_changed()
  self.baseline = nas.reward.moving_average(self.options.decay)
end

function ActorCritic:learn(trials)
  local rewarded, rewards = agents.rewarded(trials)
  local episodes, logged = {}, {}
  local earned = self.baseline:advantages(rewards)
  for k, trial in ipairs(rewarded) do
    local missed
    episodes[k], missed = self:episode(trial.arch, earned[k], #rewarded)
    logged[trial] = { advantage = earned[k], value_error = missed }
  end
  return agents.learned(self.policy, episodes, trials, logged)
end

--- nas.agents.actor_critic { ... }
return function(given)
  local owner = "actor_critic"
  local options = agents.options(owner, given, {
    seed = 1,
    batch = 1,          -- architectures for each step
    decay = 0.8,        -- of the moving average
    lambda = 1.0,       -- 1: Monte-Carlo; 0: one step ahead
    value_weight = 0.5, -- of the critic's square error; the head's rate is the policy's value_rate
    clip = false,       -- a number: advantages are cut off at plus and minus so much
    entropy = 0.0,      -- weight of the bonus, in nats
    policy = {},        -- options of nas.policy
  })
  check.number(owner, "lambda", options.lambda, 0, 1)
  check.number(owner, "value_weight", options.value_weight, 0)
  check.number(owner, "entropy", options.entropy, 0)
  return setmetatable({
    options = options,
    policy = agents.policy(owner, options),
    baseline = nas.reward.moving_average(options.decay),
    clip = nas.reward.clip(options.clip),
    own_advantage = options.lambda < 1, -- earlier decisions see the reward through the critic
  }, ActorCritic)
end
