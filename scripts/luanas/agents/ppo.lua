--- Proximal policy optimisation (Schulman et al. 2017), as NASNet (Zoph et al. 2018) uses it for architectures: a
--- batch is sampled, and the policy takes several steps on it, each along the gradient of
---
---   (1/m) sum over k of  sum over t of  min(rho_t A_k, clip(rho_t, 1 - eps, 1 + eps) A_k)  +  c_H H
---   rho_t = pi(a_t | a_1 ... a_{t-1}) / pi_old(a_t | a_1 ... a_{t-1}),  pi_old being the policy that sampled
---
--- with A_k = R_k - b, b a moving average of the rewards before the batch. Where the clipped term is the smaller one
--- it is a constant, so the coefficient on grad log pi_t is rho_t A_k, or 0 beyond the limits. NASNet's paper gives
--- neither eps nor the number of steps; 0.2 and 5 to 10 are what public implementations take.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local Ppo = { __name = "luanas.agents.ppo", name = "ppo", learns = true }
Ppo.__index = Ppo

local PRESETS = {
  nasnet = {
    batch = 20, steps = 10, decay = 0.95,
    policy = { preset = "paper", layers = 1, units = 100, init = 0.1, rate = 3.5e-4 },
  },
}

function Ppo:propose(space)
  return self.policy:sample(space, self.options.batch)
end

-- The coefficients of one architecture's decisions. What sampled it is recorded with each decision.
function Ppo:coefficients(arch, advantage)
  local coefficients, low, high = {}, 1 - self.options.epsilon, 1 + self.options.epsilon
  for t, now in ipairs(self.policy:score(arch).decisions) do
    local ratio = nas.math.exp(now.log_prob - arch.decisions[t].log_prob)
    local is_beyond = advantage > 0 and ratio > high or advantage < 0 and ratio < low
    coefficients[t] = is_beyond and 0.0 or ratio * advantage
  end
  return coefficients
end

function Ppo:reward_changed()
  self.baseline = nas.reward.moving_average(self.options.decay)
end

function Ppo:learn(trials)
  local rewarded, rewards = agents.rewarded(trials)
  local logged, list = {}, nil
  local advantages = self.baseline:advantages(rewards)
  for k, trial in ipairs(rewarded) do logged[trial] = { advantage = advantages[k] } end
  for _ = 1, self.options.steps do
    local episodes = {}
    for k, trial in ipairs(rewarded) do
      episodes[k] = {
        trial.arch, advantages = self:coefficients(trial.arch, advantages[k] / #rewarded),
        entropy = self.options.entropy / #rewarded,
      }
    end
    local learned = agents.learned(self.policy, episodes, trials, logged)
    list = list or learned -- what is logged are loss and entropy before the first step
    logged = {}
  end
  return list
end

--- nas.agents.ppo { ... }
return function(given)
  local owner = "ppo"
  local options = agents.options(owner, given, {
    seed = 1,
    batch = 10,     -- architectures that are sampled before the policy learns
    steps = 5,      -- of the policy, for each batch
    epsilon = 0.2,  -- how far a probability may move, relatively, before a decision counts no more
    decay = 0.8,    -- of the moving average
    entropy = 1e-5, -- weight of the bonus, in nats
    policy = {},    -- options of nas.policy
  }, PRESETS)
  check.integer(owner, "steps", options.steps, 1)
  check.number(owner, "epsilon", options.epsilon, 0)
  check.number(owner, "entropy", options.entropy, 0)
  return setmetatable({
    options = options,
    policy = agents.policy(owner, options),
    baseline = nas.reward.moving_average(options.decay),
  }, Ppo)
end
