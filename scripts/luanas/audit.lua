--- Judging an estimator of the policy gradient instead of believing it: an agent, also a user's, is run on a space
--- that can be enumerated, with its policy held still, and what it would have learned from is compared with the exact
--- gradient.
---
--- The agent proposes and learns as ever, but the steps of its policy are caught: the gradient of the first step of
--- each agent:learn is one estimate. Bonuses for entropy, regularisers and values are no estimates of grad J and are
--- left out. Intervals are the jackknife's, at 95 %, and no narrower than pairs of estimates make them; estimates of
--- different updates share the agent's baseline, and count as independent.
local check = require "luanas.check"
local nas = require "luanas"
local search = require "luanas.search"
local text_table = require "luanas.text_table"

local Audit = { __name = "luanas.Audit" }
Audit.__index = Audit

local IDLE_MAX = 1000 -- calls of agent:learn in a row without a step of the policy: then there will be none
local REWARD_PARTS = { 1, "advantage", "advantages", "options" } -- of an episode

-- ---- Catching steps --------------------------------------------------------------------------------

-- Puts functions in the place of an object's methods until the returned value is closed.
local function replace(object, methods)
  local before = {}
  for name, method in pairs(methods) do before[name], object[name] = rawget(object, name), method end
  return setmetatable({}, { __close = function()
    for name in pairs(methods) do object[name] = before[name] end
  end })
end

-- Methods for the place of a policy's, and a function that gives the first gradient since it was called before, with
-- its number of episodes; nil where there was no step.
local function step_catcher()
  local gradient, count
  local function caught(found, episodes)
    if not gradient then gradient, count = found, episodes end
  end
  local methods = {}
  function methods.learn(self, episodes)
    local own = {}
    for i, episode in ipairs(episodes) do
      own[i] = {}
      for _, name in ipairs(REWARD_PARTS) do own[i][name] = episode[name] end
    end
    caught(self:gradient(own), #episodes)
    return { loss = 0.0, entropy = 0.0, kl = 0.0 }
  end
  function methods.apply(_, found)
    caught(found)
    return { gradient_norm = 0.0, l2 = 0.0 }
  end
  return methods, function()
    local first, episodes = gradient, count
    gradient, count = nil, nil
    return first, episodes
  end
end

-- Runs the agent until there are so many estimates, the first `warmup` of them left out.
local function estimates_of(agent, space, reward_of, updates, warmup)
  local estimates, episodes, seen, idle = {}, nil, 0, 0
  local methods, next_step = step_catcher()
  local propose, learn = agent.propose, agent.learn
  local function watched_learn(self, trials)
    local logged = learn(self, trials)
    local gradient, count = next_step()
    idle = idle + 1
    if gradient then
      seen, idle = seen + 1, 0
      if seen > warmup then estimates[#estimates + 1] = gradient end
      episodes = count or #trials
    end
    return logged
  end
  local function watched_propose(self, of)
    return #estimates < updates and idle < IDLE_MAX and propose(self, of) or nil
  end
  local _ <close> = replace(agent.policy, methods)
  local _ <close> = replace(agent, { propose = watched_propose, learn = watched_learn })
  local by = search.by_function(space, reward_of)
  local trials = search.run("audit", agent, { trials = math.maxinteger, reward = "reward" }, by).trials
  return estimates, episodes, trials -- which is known by now
end

-- ---- Statistics ------------------------------------------------------------------------------------

-- From sums over n estimates g: of |g|^2, of g . grad J, and |sum g|^2.
local function figures(n, squares, along, of_sum, norm)
  local mean_square = (of_sum - squares) / (n * (n - 1)) -- |E g|^2, without bias
  local slope = along / (n * norm * norm)
  local bias = mean_square - 2 * slope * norm * norm + norm * norm
  return {
    slope = slope,
    square_bias = bias / (norm * norm),
    cosine = mean_square > 0 and slope * norm / math.sqrt(mean_square) or 0.0,
    variance = squares / n - mean_square,
  }, mean_square
end

-- The standard deviation of mean_square, from sum over pairs of (g . g')^2, as far as it comes from pairs: near an
-- estimator without bias nothing else is left of bias and cosine, and the jackknife does not see it.
local function spread_of_pairs(n, pairs_square, all, mean_square, norm)
  local spread = 2 * math.sqrt(pairs_square) / (n * (n - 1))
  return {
    slope = 0.0,
    square_bias = spread / (norm * norm),
    cosine = mean_square > 0 and math.abs(all.cosine) * spread / (2 * mean_square) or 1.0,
    variance = spread,
  }
end

-- { value =, low =, high = } of each figure, by leaving out one estimate after the other.
local function jackknife(estimates, exact)
  local n, norm = #estimates, exact.gradient_norm
  local squares, alongs, with_sum, all_squares, all_along, of_sum, pairs_square = {}, {}, {}, 0.0, 0.0, 0.0, 0.0
  for i, g in ipairs(estimates) do
    squares[i], alongs[i], with_sum[i] = g:dot(g), g:dot(exact.gradient), 0.0
    all_squares, all_along = all_squares + squares[i], all_along + alongs[i]
  end
  for i = 1, n do
    with_sum[i] = with_sum[i] + squares[i]
    for j = 1, i - 1 do
      local product = estimates[i]:dot(estimates[j])
      with_sum[i], with_sum[j] = with_sum[i] + product, with_sum[j] + product
      pairs_square = pairs_square + product * product
    end
  end
  for i = 1, n do of_sum = of_sum + with_sum[i] end
  local all, mean_square = figures(n, all_squares, all_along, of_sum, norm)
  local least, without, result = spread_of_pairs(n, pairs_square, all, mean_square, norm), {}, {}
  for i = 1, n do
    without[i] = figures(n - 1, all_squares - squares[i], all_along - alongs[i], of_sum - 2 * with_sum[i] + squares[i],
      norm)
  end
  for name, value in pairs(all) do
    local mean, spread = 0.0, 0.0
    for i = 1, n do mean = mean + without[i][name] / n end
    for i = 1, n do spread = spread + (without[i][name] - mean) * (without[i][name] - mean) end
    local half = 1.96 * math.max(least[name], math.sqrt(spread * (n - 1) / n))
    result[name] = { value = value, low = value - half, high = value + half }
  end
  return result
end

-- ---- Making ----------------------------------------------------------------------------------------

local FIGURES = {
  { "slope", "E g . grad J / |grad J|^2", "1 without bias" },
  { "square_bias", "|E g - grad J|^2 / |grad J|^2", "0 without bias" },
  { "cosine", "of E g and grad J", "1 without bias" },
  { "relative_variance", "variance over that with b*", "1 at best, for a constant baseline" },
}

function Audit:__tostring()
  local rows = {}
  for i, figure in ipairs(FIGURES) do
    local found = self[figure[1]]
    rows[i] = {
      figure[1], ("%.4g"):format(found.value), ("%.4g"):format(found.low), ("%.4g"):format(found.high), figure[2],
      figure[3],
    }
  end
  return ("%s: %s of %s in all\n"):format(self.name, text_table.counted(self.updates, "update"),
    text_table.counted(self.trials, "trial"))
    .. text_table.format({
      { title = "figure" }, { title = "estimate", right = true }, { title = "from", right = true },
      { title = "to", right = true }, { title = "of the estimator g" }, { title = "should be" },
    }, rows)
end

local function check_agent(owner, agent)
  local policy = type(agent) == "table" and agent.policy
  if type(policy) ~= "table" or type(policy.gradient) ~= "function" then
    check.fail("%s: the agent has no policy to look into; expected a field `policy` with the methods of nas.policy: "
      .. "sample, score, gradient, learn", owner)
  end
  if type(agent.propose) ~= "function" or type(agent.learn) ~= "function" then
    check.fail("%s: the agent has no %s; expected functions propose(self, space) and learn(self, trials)", owner,
      type(agent.propose) ~= "function" and "propose" or "learn")
  end
end

-- Whether grad J is no more than the rounding of its terms, as with rewards that are all the same.
local function is_rounding(exact)
  local square = 0.0
  for _, item in ipairs(exact.items) do
    square = square + item.probability * item.reward * item.reward * item.gradient_square
  end
  return exact.gradient_norm <= 1e-6 * math.sqrt(square)
end

--- nas.audit(agent, space, f, options)
return function(agent, space, f, options)
  local owner = "audit"
  check_agent(owner, agent)
  options = check.options(owner, options, { "limit", "updates", "warmup" })
  local updates = check.integer(owner, "updates", options.updates or 400, 3)
  local warmup = check.integer(owner, "warmup", options.warmup or 50, 0)
  local exact = nas.exact(agent.policy, space, f, { limit = options.limit })
  if is_rounding(exact) then
    check.fail("%s: the exact gradient is zero: the rewards tell nothing about the decisions", owner)
  end
  local rewards = {}
  for _, item in ipairs(exact.items) do rewards[item.arch:line()] = item.reward end
  local estimates, batch, trials = estimates_of(agent, space, function(arch) return rewards[arch:line()] end, updates,
    warmup)
  if #estimates < updates then
    check.fail("%s: the agent took %d steps with its policy after the first %d, and then none; %d were to be looked "
      .. "at (options updates and warmup)", owner, #estimates, warmup, updates)
  end
  local self = jackknife(estimates, exact)
  local least = exact:variance { baseline = "optimal", batch = batch }.variance
  self.relative_variance = {
    value = self.variance.value / least, low = self.variance.low / least, high = self.variance.high / least,
  }
  self.updates, self.batch, self.trials, self.name = updates, batch, trials, agent.name or "agent"
  return setmetatable(self, Audit)
end
