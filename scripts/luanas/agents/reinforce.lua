--- REINFORCE (Williams 1992) as Zoph & Le 2017, sec. 3.2, use it: the policy moves along the estimate
---
---   (1/m) sum over k of  sum over t of  grad log pi(a_t | a_1 ... a_{t-1}) (R_k - b)
---
--- of the gradient of the expected reward, m being the batch. Architectures are sampled from the policy, with no
--- other exploration, and there is no discount: an architecture gets its reward as a whole.
---
--- The baseline b leaves the expectation as it is as long as it does not depend on the architecture at hand:
---   "moving_average"   of the rewards before this batch; the paper says so, and gives neither decay nor start. The
---                      first batch has nothing before it: its advantages are 0, unless there is a `start`
---   "leave_one_out"    the mean of the others in the batch
---   "none"             0
---   a number           a constant; nas.exact tells the best one, where the space can be enumerated
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local Reinforce = { __name = "luanas.agents.reinforce", name = "reinforce", learns = true }
Reinforce.__index = Reinforce

local PRESETS = {
  paper = { batch = 8, policy = { preset = "paper" } },
  -- The student project that re-created the paper on Fashion-MNIST: baseline, clip, size of the controller and weight
  -- of the regulariser are its own. Its optimiser (RMSProp, rate 0.1) and its exploration (random with probability
  -- 0.9) are not: with these the policy does not learn.
  student = { clip = 0.1, policy = { preset = "small", units = 32, l2 = 0.01 } },
}

local OF_AVERAGE = { "bias_correction", "decay", "start", "update_first" }

local BASELINES = {
  none = function() return function(rewards) return rewards end end,
  moving_average = function(options, owner)
    local average = nas.reward.moving_average(options.decay, {
      bias_correction = options.bias_correction, start = options.start or nil, update_first = options.update_first,
    }, owner)
    return function(rewards) return average:advantages(rewards) end
  end,
  leave_one_out = function(options, owner)
    if options.batch < 2 then
      check.fail("%s: batch is %d; leave_one_out takes the mean of the others, so at least 2", owner, options.batch)
    end
    return function(rewards)
      local sum, advantages = 0.0, {}
      for _, reward in ipairs(rewards) do sum = sum + reward end
      for k, reward in ipairs(rewards) do
        advantages[k] = #rewards > 1 and reward - (sum - reward) / (#rewards - 1) or 0.0 -- the others have failed
      end
      return advantages
    end
  end,
}

-- A function from the rewards of a batch to its advantages.
local function baseline_of(owner, options)
  local name = options.baseline
  if type(name) == "number" then
    check.number(owner, "baseline", name)
    return function(rewards)
      local advantages = {}
      for k, reward in ipairs(rewards) do advantages[k] = reward - name end
      return advantages
    end
  end
  if not BASELINES[name] then
    check.fail("%s: baseline is %s; expected a number or one of %s", owner, check.show(name),
      table.concat(check.sorted_keys(BASELINES), ", "))
  end
  return BASELINES[name](options, owner)
end

function Reinforce:propose(space)
  return self.policy:sample(space, self.options.batch)
end

function Reinforce:reward_changed()
  self.advantages_of = baseline_of(self.owner, self.options)
end

function Reinforce:learn(trials)
  local rewarded, rewards = agents.rewarded(trials)
  local episodes, logged = {}, {}
  local advantages, has_prior = self.advantages_of(rewards), self.options.skip_weight > 0
  for k, trial in ipairs(rewarded) do
    local advantage = self.clip(advantages[k])
    logged[trial] = { advantage = advantage }
    episodes[k] = {
      trial.arch, advantage = advantage / #rewarded, entropy = self.options.entropy / #rewarded,
      skip_weight = has_prior and self.options.skip_weight / #rewarded or nil,
      skip_prior = has_prior and self.options.skip_prior or nil,
    }
  end
  return agents.learned(self.policy, episodes, trials, logged)
end

--- nas.agents.reinforce { ... }; `owner` is who an agent that is made of this one is, for messages.
return function(given, owner)
  owner = owner or "reinforce"
  local options = agents.options(owner, given, {
    seed = 1,
    batch = 1,               -- m: architectures for each step of the policy
    baseline = "moving_average",
    decay = 0.8,             -- of the moving average: the student project's; NASNet's is 0.95
    bias_correction = false, -- begin the average at 0 and divide by 1 - decay^k
    start = false,           -- a number: where the average begins
    update_first = false,    -- take the average after this batch: the rate times decay, in truth
    clip = false,            -- a number: advantages are cut off at plus and minus so much
    entropy = 0.0,           -- weight of the bonus: the sum over decisions of their entropies, in nats
    skip_weight = 0.0,       -- of the distance of connections from a prior (Pham et al. 2018, "ENAS": 0.8)
    skip_prior = 0.4,        -- which is this probability
    policy = {},             -- options of nas.policy: preset, rate, l2, temperature, tanh_constant, ...
  }, PRESETS, { baseline = "number" })
  for _, name in ipairs { "entropy", "skip_weight" } do check.number(owner, name, options[name], 0) end
  check.number(owner, "skip_prior", options.skip_prior, 1e-6, 1 - 1e-6)
  check.optional(check.number, owner, "start", options.start or nil)
  for _, name in ipairs { "bias_correction", "update_first" } do check.boolean(owner, name, options[name]) end
  if options.baseline ~= "moving_average" then check.unused(owner, given, OF_AVERAGE, "there is no moving average") end
  if not (given or {}).skip_weight then check.unused(owner, given, { "skip_prior" }, "there is no skip_weight") end
  return setmetatable({
    owner = owner,
    options = options,
    policy = agents.policy(owner, options),
    advantages_of = baseline_of(owner, options),
    clip = nas.reward.clip(options.clip),
    own_advantage = options.update_first, -- which makes it another rate
  }, Reinforce)
end
