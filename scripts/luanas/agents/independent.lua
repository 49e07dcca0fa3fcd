--- REINFORCE without an LSTM: each decision has logits of its own, whatever was chosen before it (NATS-Bench, Dong et
--- al. 2021; TuNAS, Bender et al. 2020, whose logits begin at 0 as these do). The control for the LSTM: what a space
--- gains from a policy that sees the earlier choices is the difference between the two.
---
--- Rate and decay are NATS-Bench's, whose average also has the reward at hand in it; here it has not, as in
--- nas.agents.reinforce. The rate is made for thousands of samples. On the planted reward of
--- examples/planted_reward.lua this agent stays close to random sampling for 100 samples; with rate = 0.1 it does
--- not.
local agents = require "luanas.agents"
local check = require "luanas.check"
local reinforce = require "luanas.agents.reinforce"
local softmax_policy = require "luanas.softmax_policy"

--- nas.agents.independent { ... }
return function(given)
  local owner = "independent"
  local options = agents.options(owner, given, {
    seed = 1,
    batch = 1,
    baseline = "moving_average", -- as of nas.agents.reinforce
    decay = 0.9,
    clip = false,
    entropy = 0.0,
    rate = 0.01,                 -- of Adam
  }, nil, { baseline = "number" })
  local rate = check.number(owner, "rate", options.rate, 0)
  options.rate = nil
  options.policy = softmax_policy(options.seed, rate)
  if options.baseline ~= "moving_average" then options.decay = given.decay end -- not the default, which has no effect
  local agent = reinforce(options, owner)
  agent.name = "independent"
  return agent
end
