-- What nas.audit says of agents that are known to be right, or wrong in a known way.
local lu = require "luaunit"
local nas = require "luanas"
local searches = require "searches"
local spaces = require "spaces"

local T = {}

local branching = spaces.branching

local function audited(agent, options)
  return nas.audit(agent, branching, (searches.rewards(0.5, 0.3)), options or { updates = 300, warmup = 30 })
end

-- The truth lies within three standard deviations, of which an interval has 1.96.
local function contains(interval, value, audit)
  local reach = 3 / 1.96 * (interval.high - interval.value)
  lu.assertTrue(math.abs(value - interval.value) < reach,
    ("%g +- %g, not %g\n%s"):format(interval.value, reach, value, audit))
end

-- ---- Agents that are right -------------------------------------------------------------------------

function T.test_the_variance_of_reinforce_is_the_exact_one()
  local by_line = searches.rewards(0.5, 0.3)
  for _, case in ipairs {
    { { baseline = "none" }, "none" }, { { baseline = 0.4, batch = 2 }, 0.4 },
    { { baseline = "leave_one_out", batch = 2 }, "leave_one_out" },
    { { baseline = "leave_one_out", batch = 3 }, "leave_one_out" },
    { { baseline = 0.45, clip = 0.1 }, 0.45 },
    { { baseline = "leave_one_out", batch = 2, clip = 0.1 }, "leave_one_out" },
  } do
    local options = case[1]
    options.policy = { units = 4 }
    local agent = nas.agents.reinforce(options)
    local exact = nas.exact(searches.teach(agent.policy), branching, by_line)
    local expected = exact:variance { baseline = case[2], batch = options.batch, clip = options.clip }
    local audit = audited(agent)
    contains(audit.variance, expected.variance, audit)
    contains(audit.cosine, expected.cosine, audit)
    lu.assertEquals(audit.batch, options.batch or 1)
    lu.assertEquals(audit.trials, 330 * audit.batch)
    local least = exact:variance({ baseline = "optimal", batch = options.batch }).variance
    lu.assertAlmostEquals(audit.relative_variance.value, audit.variance.value / least, 1e-9)
  end
end

-- The second architecture's advantage, times 0.7, adds 0.49 Var R E |G|^2 and nothing else. Where |G|^2 is the same
-- for all architectures, that is 0.49 of E (R - J)^2 |G|^2.
function T.test_lookahead_has_half_again_the_variance_of_reinforce()
  local function space(c)
    for _ = 1, 2 do c:choose("filters", { 1, 2, 3 }) end
    return nas.nn.input { 1, 1, 1 }
  end
  local function f(arch) return 0.5 + 0.1 * arch:value "filters" - 0.07 * arch:value("filters", 2) end
  local logits = nas.agents.independent({}).policy
  local exact = nas.exact(logits, space, f)
  local reward_variance, squares, own = 0.0, 0.0, 0.0
  for _, item in ipairs(exact.items) do
    lu.assertAlmostEquals(item.gradient_square, 4 / 3, 1e-12)
    local off = item.reward - exact.objective
    reward_variance, squares = reward_variance + item.probability * off * off, squares + item.probability * 4 / 3
    own = own + item.probability * off * off * item.gradient_square
  end
  lu.assertAlmostEquals((own + 0.49 * reward_variance * squares) / own, 1.49, 1e-12)
  -- That second moment of an agent whose average has come to rest, less |grad J|^2.
  local norm = exact.gradient_norm * exact.gradient_norm
  local expected = 1.49 * own - norm
  local agent = nas.agents.lookahead { clip = false, decay = 0.995, policy = { units = 2 } }
  agent.policy = logits
  local looking = nas.audit(agent, space, f, { updates = 600, warmup = 700 })
  contains(looking.variance, expected, looking)
  contains(looking.slope, 1, looking)
  contains(looking.square_bias, 0, looking)
  local reinforce = nas.agents.reinforce { decay = 0.995, policy = { units = 2 } }
  reinforce.policy = logits
  local plain = nas.audit(reinforce, space, f, { updates = 600, warmup = 1400 })
  contains(plain.variance, own - norm, plain)
  lu.assertTrue(plain.variance.high < looking.variance.low)
end

function T.test_lookahead_of_an_lstm_has_the_predicted_variance()
  local by_line = searches.rewards(0.5, 0.3)
  local agent = nas.agents.lookahead { clip = false, decay = 0.995, policy = { units = 4 } }
  local exact = nas.exact(searches.teach(agent.policy), branching, by_line)
  local reward_variance, squares = 0.0, 0.0
  for _, item in ipairs(exact.items) do
    local off = item.reward - exact.objective
    reward_variance = reward_variance + item.probability * off * off
    squares = squares + item.probability * item.gradient_square
  end
  local one = exact:variance({ baseline = exact.objective }).variance
  local audit = audited(agent, { updates = 500, warmup = 700 })
  contains(audit.variance, one + 0.49 * reward_variance * squares, audit)
  contains(audit.slope, 1, audit)
end

-- 60 audits of an agent that is right: about 3 of each figure's intervals may miss the truth.
function T.test_intervals_hold_what_they_say()
  local missed = { slope = 0, square_bias = 0, cosine = 0, variance = 0 }
  local by_line = searches.rewards(0.5, 0.3)
  for seed = 1, 60 do
    local agent = nas.agents.reinforce { seed = seed, baseline = 0.45, policy = { units = 2 } }
    local exact = nas.exact(agent.policy, branching, by_line)
    local truth = { slope = 1, square_bias = 0, cosine = 1, variance = exact:variance({ baseline = 0.45 }).variance }
    local audit = nas.audit(agent, branching, by_line, { updates = 60, warmup = 0 })
    for name, value in pairs(truth) do
      if value < audit[name].low or value > audit[name].high then missed[name] = missed[name] + 1 end
    end
  end
  for name, count in pairs(missed) do lu.assertTrue(count <= 8, ("%s: %d of 60 missed"):format(name, count)) end
end

-- ---- Agents that are wrong -------------------------------------------------------------------------

-- reward - average, the reward being in it, is decay times what it should be.
function T.test_an_average_with_the_current_reward_is_another_rate()
  local audit = audited(nas.agents.reinforce { decay = 0.3, update_first = true, policy = { units = 4 } })
  contains(audit.slope, 0.3, audit)
  contains(audit.cosine, 1, audit)
  contains(audit.square_bias, 0.49, audit)
  lu.assertTrue(audit.slope.high < 1 and audit.square_bias.low > 0)
end

local function own_agent(learn)
  local agent = { policy = nas.policy { seed = 3, units = 4 }, learn = learn }
  function agent:propose(space) return { self.policy:sample(space) } end
  return agent
end

function T.test_a_wrong_sign_and_labels_of_other_architectures()
  local wrong = audited(own_agent(function(self, trials)
    self.policy:learn { { trials[1].arch, advantage = 0.5 - trials[1].reward } }
  end))
  contains(wrong.slope, -1, wrong)
  contains(wrong.cosine, -1, wrong)
  local late = audited(own_agent(function(self, trials) -- the one before has earned it
    local arch = self.before or trials[1].arch
    self.policy:learn { { arch, advantage = trials[1].reward - 0.5 } }
    self.before = trials[1].arch
  end))
  contains(late.slope, 0, late)
end

-- ---- Whom it catches -------------------------------------------------------------------------------

function T.test_steps_by_gradient_and_apply_are_caught_and_policies_stay()
  local agent = own_agent(function(self, trials)
    self.policy:apply(self.policy:gradient { { trials[1].arch, advantage = trials[1].reward - 0.5 } })
  end)
  searches.teach(agent.policy)
  local before = agent.policy:bytes()
  local audit = audited(agent)
  contains(audit.slope, 1, audit)
  lu.assertEquals(agent.policy:bytes(), before)
  lu.assertNil(rawget(agent.policy, "learn"))
  lu.assertNil(rawget(agent.policy, "apply"))
end

function T.test_bonuses_and_regularisers_are_left_out()
  local plain = audited(nas.agents.reinforce { policy = { units = 4 } })
  local more = audited(nas.agents.reinforce { entropy = 3.0, policy = { units = 4, l2 = 0.5 } })
  lu.assertEquals(more.slope, plain.slope)
  lu.assertEquals(more.variance, plain.variance)
  lu.assertStrContains(tostring(plain), "reinforce: 300 updates of 330 trials in all")
end

function T.test_bad_input()
  local by_line = searches.rewards(0.5, 0.3)
  local function refused(text, agent, f, options)
    lu.assertErrorMsgContains(text, nas.audit, agent, branching, f or by_line, options)
  end
  refused("no policy to look into", nas.agents.random_search {})
  refused("no policy to look into", nil)
  refused("the agent has no learn; expected functions propose(self, space) and learn(self, trials)",
    { policy = nas.policy(), propose = function() end })
  refused("the exact gradient is zero", nas.agents.independent {}, function() return 0 end)
  refused("took 0 steps with its policy after the first 1, and then none; 3 were", own_agent(function() end), nil,
    { updates = 3, warmup = 1 })
  refused("updates is 2; expected", nas.agents.reinforce {}, nil, { updates = 2 })
end

return T
