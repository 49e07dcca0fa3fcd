--- REINFORCE without an LSTM: each decision has logits of its own, whatever was chosen before it (NATS-Bench, Dong et
--- al. 2021; TuNAS, Bender et al. 2020, whose logits begin at 0 as these do). The control for the LSTM: what a space
--- gains from a policy that sees the earlier choices is the difference between the two.
---
--- The rate is NATS-Bench's; it is made for thousands of samples. On the planted reward of
--- examples/planted_reward.lua this agent stays close to random sampling for 100 samples; with rate = 0.1 it does
--- not.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"
local reinforce = require "luanas.agents.reinforce"
local sampler = require "luanas.sampler"

local exp, log = nas.math.exp, nas.math.log

-- ---- The policy: a softmax for each name, occurrence and list of options -----------------------------

local Policy = { __name = "luanas.agents.independent.Policy" }
Policy.__index = Policy

local function list_of(count, value)
  local list = {}
  for k = 1, count do list[k] = value end
  return list
end

function Policy:entry(decision)
  local key = ("%s %d %s"):format(decision.name, decision.occurrence, decision.options.key)
  local entry = self.entries[key]
  if not entry then
    local count = decision.options.count
    entry = { logits = list_of(count, 0.0), mean = list_of(count, 0.0), square = list_of(count, 0.0) }
    self.entries[key] = entry
  end
  return entry, key
end

-- Probabilities and their logarithms.
local function softmax(logits)
  local sum, log_p, p = 0.0, {}, {}
  local top = math.max(table.unpack(logits))
  for _, logit in ipairs(logits) do sum = sum + exp(logit - top) end
  for k, logit in ipairs(logits) do
    log_p[k] = logit - top - log(sum)
    p[k] = exp(log_p[k])
  end
  return p, log_p
end

local function entropy_of(p, log_p)
  local sum = 0.0
  for k = 1, #p do sum = sum - p[k] * log_p[k] end
  return sum
end

function Policy:sample(space, count)
  return sampler.sample("policy:sample", self, space, count, function(number)
    local stream = nas.stream(self.seed, "independent sample", number)
    return function(decision)
      local p, log_p = softmax(self:entry(decision).logits)
      local rest, chosen = stream:number(), 1
      while chosen < #p and rest >= p[chosen] do rest, chosen = rest - p[chosen], chosen + 1 end
      return chosen, log_p[chosen]
    end
  end)
end

function Policy:score(arch)
  local score = { log_prob = 0.0, entropy = 0.0, decisions = {} }
  for t, decision in ipairs(arch.decisions) do
    local p, log_p = softmax(self:entry(decision).logits)
    local entropy = entropy_of(p, log_p)
    score.decisions[t] = { log_prob = log_p[decision.chosen], entropy = entropy, probabilities = p }
    score.log_prob, score.entropy = score.log_prob + log_p[decision.chosen], score.entropy + entropy
  end
  return score
end

local Gradient = {}
Gradient.__index = Gradient

function Gradient:dot(other)
  local sum = 0.0
  for _, key in ipairs(check.sorted_keys(self.sums)) do
    for k, value in ipairs(other.sums[key] and self.sums[key] or {}) do sum = sum + value * other.sums[key][k] end
  end
  return sum
end

-- Of the sum over episodes of advantage * log pi + entropy * H.
function Policy:gradient(episodes)
  local sums = {}
  for _, episode in ipairs(episodes) do
    for _, decision in ipairs(episode[1].decisions) do
      local entry, key = self:entry(decision)
      local p, log_p = softmax(entry.logits)
      local entropy, sum = entropy_of(p, log_p), sums[key] or list_of(#p, 0.0)
      for k = 1, #p do
        sum[k] = sum[k] + (episode.advantage or 0) * ((k == decision.chosen and 1 or 0) - p[k])
          - (episode.entropy or 0) * p[k] * (log_p[k] + entropy)
      end
      sums[key] = sum
    end
  end
  return setmetatable({ sums = sums }, Gradient)
end

-- One step of Adam (Kingma & Ba 2015), uphill.
function Policy:apply(gradient)
  self.steps = self.steps + 1
  local scale1, scale2 = 1 - nas.math.pow(0.9, self.steps), 1 - nas.math.pow(0.999, self.steps)
  for key, entry in pairs(self.entries) do -- each by itself: the order changes nothing
    for k = 1, #entry.logits do
      local g = gradient.sums[key] and gradient.sums[key][k] or 0.0
      entry.mean[k] = 0.9 * entry.mean[k] + 0.1 * g
      entry.square[k] = 0.999 * entry.square[k] + 0.001 * g * g
      entry.logits[k] = entry.logits[k]
        + self.rate * (entry.mean[k] / scale1) / (math.sqrt(entry.square[k] / scale2) + 1e-8)
    end
  end
end

function Policy:learn(episodes)
  local loss, entropy = 0.0, 0.0
  for _, episode in ipairs(episodes) do
    local score = self:score(episode[1])
    loss = loss - (episode.advantage or 0) * score.log_prob - (episode.entropy or 0) * score.entropy
    entropy = entropy + score.entropy / #episodes
  end
  self:apply(self:gradient(episodes))
  return { loss = loss, entropy = entropy }
end

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
  options.policy = setmetatable({ seed = options.seed, rate = rate, samples = 0, steps = 0, entries = {} }, Policy)
  local agent = reinforce(options, owner)
  agent.name = "independent"
  return agent
end
