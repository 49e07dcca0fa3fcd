--- A policy without LSTM, with the methods of nas.policy that agents take: a softmax for each name, occurrence and list
--- of options, whatever was chosen before. Its logits begin at 0, and Adam moves them.
local arch = require "luanas.arch"
local check = require "luanas.check"
local nas = require "luanas"
local sampler = require "luanas.sampler"

local exp, log = nas.math.exp, nas.math.log

local Policy = { __name = "luanas.SoftmaxPolicy" }
Policy.__index = Policy

local function list_of(count, value)
  local list = {}
  for k = 1, count do list[k] = value end
  return list
end

function Policy:entry(decision)
  local key = arch.question(decision)
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

function Policy:score(record, options)
  check.options("policy without LSTM: score", options, {}) -- it has no values, and no KL
  local score = { log_prob = 0.0, entropy = 0.0, decisions = {} }
  for t, decision in ipairs(record.decisions) do
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

-- The coefficients of log pi and of H of decision t.
local function coefficients(episode, t)
  return (episode.advantage or 0) + (episode.advantages and episode.advantages[t] or 0), episode.entropy or 0
end

local COEFFICIENTS = { 1, "advantage", "advantages", "entropy" }

-- Of the sum over episodes of advantage * log pi + entropy * H.
function Policy:gradient(episodes)
  local sums = {}
  for i, episode in ipairs(episodes) do
    check.options(("policy without LSTM, episode %d"):format(i), episode, COEFFICIENTS)
    for t, decision in ipairs(episode[1].decisions) do
      local entry, key = self:entry(decision)
      local p, log_p = softmax(entry.logits)
      local entropy, sum = entropy_of(p, log_p), sums[key] or list_of(#p, 0.0)
      local of_log, of_entropy = coefficients(episode, t)
      for k = 1, #p do
        sum[k] = sum[k] + of_log * ((k == decision.chosen and 1 or 0) - p[k])
          - of_entropy * p[k] * (log_p[k] + entropy)
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
    for t, decision in ipairs(score.decisions) do
      local of_log, of_entropy = coefficients(episode, t)
      loss = loss - of_log * decision.log_prob - of_entropy * decision.entropy
    end
    entropy = entropy + score.entropy / #episodes
  end
  self:apply(self:gradient(episodes))
  return { loss = loss, entropy = entropy }
end

--- A new one.
return function(seed, rate)
  return setmetatable({ seed = seed, rate = rate, samples = 0, steps = 0, entries = {} }, Policy)
end
