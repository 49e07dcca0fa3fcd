--- The laboratory: on a space that can be enumerated, all that a policy-gradient method estimates is known exactly.
---
--- With P(a) the policy's probability of an architecture, R(a) its reward, G(a) = grad log P(a):
---   J  = sum P R                              the objective
---   grad J = sum P R G                        what every estimator estimates
---   b* = sum P |G|^2 R / sum P |G|^2          the constant baseline of least variance (Greensmith et al. 2004)
--- Probabilities and sums are in double, in the order of enumeration; gradients are the policy's, in float.
local check = require "luanas.check"
local copy = require "luanas.copy"
local known_rewards = require "luanas.known_rewards"
local nas = require "luanas"

local Exact = { __name = "luanas.Exact" }
Exact.__index = Exact

local SIZE_LIMIT = 100000
local PAIRS_LIMIT = 4000 -- architectures whose gradients are all kept at once
local ROUNDING = 1e-12 -- a square that is a smaller part of its terms' squares has no direction: gradients are floats

-- ---- Making ----------------------------------------------------------------------------------------

local function check_policy(owner, policy)
  if type(policy) ~= "table" or type(policy.score) ~= "function" or type(policy.gradient) ~= "function" then
    check.fail("%s: the policy is %s; expected what nas.policy {...} returns, or a table with its methods score and "
      .. "gradient", owner, check.show(policy))
  end
end

-- A policy's gradient of sum over architectures of weight(item) * log P(a).
local function weighted(self, policy, weight)
  local episodes = {}
  for i, item in ipairs(self.items) do episodes[i] = { item.arch, advantage = weight(item) } end
  return policy:gradient(episodes)
end

local function gradient_of(self, policy)
  return weighted(self, policy, function(item) return item.probability * item.reward end)
end

-- `gradient` once more, of the policy that does not learn.
local function still_gradient(self)
  self.of_still = self.of_still or gradient_of(self, self.still)
  return self.of_still
end

local function measure(self)
  local sum, squares, rewarded = 0.0, 0.0, 0.0
  self.mass, self.objective, self.entropy = 0.0, 0.0, 0.0
  for _, item in ipairs(self.items) do
    item.log_prob = self.policy:score(item.arch).log_prob
    item.probability = nas.math.exp(item.log_prob)
    local own = self.policy:gradient { { item.arch, advantage = 1 } }
    item.gradient_square = own:dot(own)
    self.mass = self.mass + item.probability
    self.objective = self.objective + item.probability * item.reward
    self.entropy = self.entropy - item.probability * item.log_prob
    squares = squares + item.probability * item.gradient_square
    rewarded = rewarded + item.probability * item.gradient_square * item.reward
    sum = sum + item.reward
    if not self.best or item.reward > self.best.reward then self.best = item end
  end
  self.uniform = sum / #self.items
  self.regret = self.best.reward - self.objective
  self.baseline = squares > 0 and rewarded / squares or self.objective -- a space of one architecture has no gradient
  self.gradient = gradient_of(self, self.policy)
  self.gradient_norm = math.sqrt(self.gradient:dot(self.gradient))
end

-- nas.exact(policy, space, f, options)
local function new(policy, space, f, options)
  local owner = "exact"
  check_policy(owner, policy)
  options = check.options(owner, options, { "limit" })
  local limit = check.integer(owner, "limit", options.limit or SIZE_LIMIT, 1)
  local self = setmetatable({ policy = policy, items = known_rewards.of_all(owner, space, f, limit) }, Exact)
  self.size = #self.items
  self.still = copy.policy(policy) -- for variance: the script's may learn, and `gradient` is to go with that
  measure(self)
  return self
end

-- ---- Variance --------------------------------------------------------------------------------------

local function clipped(value, limit)
  return limit and math.max(-limit, math.min(limit, value)) or value
end

-- Of a batch of m with independent, equal terms: expectation `mean` (a gradient), second moment of each `second`.
local function of_independent(mean, second, m)
  return mean, (second - mean:dot(mean)) / m
end

-- Terms c(R - b) G.
local function with_constant(self, b, clip, m)
  local second = 0.0
  local function coefficient(item) return clipped(item.reward - b, clip) end
  for _, item in ipairs(self.items) do
    local c = coefficient(item)
    second = second + item.probability * c * c * item.gradient_square
  end
  return of_independent(weighted(self, self.still, function(item)
    return item.probability * coefficient(item)
  end), second, m)
end

-- Terms X_k = (R_k - b_k) G_k, b_k the mean of the other m - 1 rewards. With mu, v the mean and variance of R:
--   E |X|^2    = E R^2 |G|^2 - 2 mu E R |G|^2 + (mu^2 + v / (m - 1)) E |G|^2
--   E X_k X_l  = |grad J|^2 (1 + 1 / (m - 1)^2),  since E G = 0
local function with_others(self, m)
  local square, squares, rewarded, rewarded_twice = 0.0, 0.0, 0.0, 0.0
  for _, item in ipairs(self.items) do
    local weight = item.probability * item.gradient_square
    square = square + item.probability * (item.reward - self.objective) * (item.reward - self.objective)
    squares, rewarded = squares + weight, rewarded + weight * item.reward
    rewarded_twice = rewarded_twice + weight * item.reward * item.reward
  end
  local mu, norm = self.objective, self.gradient_norm * self.gradient_norm
  local second = rewarded_twice - 2 * mu * rewarded + (mu * mu + square / (m - 1)) * squares
  local cross = norm * (1 + 1 / ((m - 1) * (m - 1)))
  return still_gradient(self), second / m + (m - 1) / m * cross - norm
end

-- The same for pairs, clipped: X_1 = c(R_1 - R_2) G_1 and X_2 = c(R_2 - R_1) G_2. Without clipping E X_1 X_2 is
-- 2 |grad J|^2, so only pairs that are clipped are looked at.
local function with_other(self, clip)
  local items, second, cross = self.items, 0.0, 2 * self.gradient_norm * self.gradient_norm
  if #items > PAIRS_LIMIT then
    check.fail("exact:variance: clipped leave_one_out takes all pairs of architectures; at most %d architectures",
      PAIRS_LIMIT)
  end
  local gradients = setmetatable({}, { __index = function(made, i)
    made[i] = self.still:gradient { { items[i].arch, advantage = 1 } }
    return made[i]
  end })
  for i, one in ipairs(items) do
    one.mean_coefficient = 0.0
    for j, other in ipairs(items) do
      local difference, both = one.reward - other.reward, one.probability * other.probability
      local c = clipped(difference, clip)
      one.mean_coefficient = one.mean_coefficient + other.probability * c
      second = second + both * c * c * one.gradient_square
      if i < j and c ~= difference then
        cross = cross + 2 * both * (difference * difference - c * c) * gradients[i]:dot(gradients[j])
      end
    end
  end
  local mean = weighted(self, self.still, function(item) return item.probability * item.mean_coefficient end)
  return mean, second / 2 + cross / 2 - mean:dot(mean)
end

--- Expectation and variance (the trace of the covariance) of REINFORCE's estimator at this policy.
function Exact:variance(options)
  local owner = "exact:variance"
  options = check.options(owner, options, { "baseline", "batch", "clip" })
  local baseline, clip = options.baseline or "none", options.clip or false
  local m = check.integer(owner, "batch", options.batch or (baseline == "leave_one_out" and 2 or 1), 1)
  if clip then check.number(owner, "clip", clip, 0) end
  local mean, variance
  if baseline == "leave_one_out" then
    if m < 2 then check.fail("%s: batch is %d; leave_one_out takes at least 2", owner, m) end
    if clip and m > 2 then
      check.fail("%s: clipped leave_one_out is known for a batch of 2 only; nas.audit estimates it for others", owner)
    end
    if clip then mean, variance = with_other(self, clip) else mean, variance = with_others(self, m) end
  elseif baseline == "none" or baseline == "optimal" or type(baseline) == "number" then
    local b = baseline == "none" and 0 or baseline == "optimal" and self.baseline or baseline
    mean, variance = with_constant(self, check.number(owner, "baseline", b), clip, m)
  else
    check.fail("%s: baseline is %s; expected a number, \"none\", \"optimal\" or \"leave_one_out\"", owner,
      check.show(baseline))
  end
  local square, along, norm = mean:dot(mean), mean:dot(still_gradient(self)), self.gradient_norm
  local has_direction = square > ROUNDING * (m * variance + square) and norm > 0
  return {
    variance = variance,
    bias = math.sqrt(math.max(0, square - 2 * along + norm * norm)),
    cosine = has_direction and along / (math.sqrt(square) * norm) or 0.0,
  }
end

function Exact:__tostring()
  return ("luanas.Exact: %d architectures, J %.6g, best %.6g, entropy %.4g nats, |grad J| %.4g, b* %.6g"):format(
    self.size, self.objective, self.best.reward, self.entropy, self.gradient_norm, self.baseline)
end

check.colons("exact", Exact)

return new
