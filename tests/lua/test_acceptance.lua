-- What a search by policy gradients must satisfy to be one, a to l: each of these was broken in a program that seemed
-- to learn.
local lu = require "luaunit"
local nas = require "luanas"
local searches = require "searches"
local spaces = require "spaces"
local spy_policy = require "spy_policy"

local T = {}

local nn = nas.nn
local branching, run = spaces.branching, searches.run

-- A space of one decision.
local function one_of(options)
  return function(c)
    c:choose("filters", options)
    return nn.input { 1, 1, 1 }
  end
end

local function mean_and_error(list)
  return nas.statistics.mean(list), nas.statistics.sd(list) / math.sqrt(#list)
end

-- Whether a value is within three standard deviations of an estimate; its interval has 1.96.
local function is_near(interval, value)
  return math.abs(value - interval.value) < 3 / 1.96 * (interval.high - interval.value)
end

local function copied(blocks)
  return searches.difference(blocks, setmetatable({}, { __index = function()
    return setmetatable({}, { __index = function() return 0.0 end })
  end }))
end

-- ---- a ---------------------------------------------------------------------------------------------

function T.test_a_equal_rewards_have_no_expected_update()
  for _, name in ipairs { "reinforce", "independent" } do
    local agent = nas.agents[name] { seed = 3 }
    searches.teach(agent.policy)
    local exact = nas.exact(agent.policy, branching, function() return 0.7 end)
    local square = 0.0
    for _, item in ipairs(exact.items) do square = square + item.probability * item.gradient_square * 0.49 end
    lu.assertTrue(square > 0.01)
    lu.assertTrue(exact.gradient_norm < 1e-5 * math.sqrt(square), name .. " drifts by " .. exact.gradient_norm)
  end
end

function T.test_a_a_baseline_that_equals_the_reward_moves_nothing()
  for _, options in ipairs {
    { baseline = 0.7 }, { baseline = "leave_one_out", batch = 4 }, { baseline = "moving_average", batch = 2 },
    { baseline = "moving_average", start = 0.7 },
  } do
    local agent = nas.agents.reinforce(options)
    for _, arch in ipairs(searches.all(branching)) do agent.policy:score(arch) end
    local before = agent.policy.core:blocks()
    for _, trial in ipairs(run(agent, branching, function() return 0.7 end, 12)) do
      lu.assertTrue(math.abs(trial.logged.advantage) < 1e-15)
    end
    lu.assertEquals(agent.policy:steps(), 12 // (options.batch or 1))
    if options.baseline ~= "moving_average" then lu.assertEquals(agent.policy.core:blocks(), before) end
  end
  -- A moving average of equal powers of two is exact, too.
  local agent = nas.agents.reinforce { decay = 0.5 }
  for _, arch in ipairs(searches.all(branching)) do agent.policy:score(arch) end
  local before = agent.policy.core:blocks()
  run(agent, branching, function() return 0.5 end, 12)
  lu.assertEquals(agent.policy.core:blocks(), before)
end

function T.test_a_without_a_baseline_equal_rewards_walk_without_drift()
  local space, by_option = one_of { 32, 48, 64 }, { {}, {}, {} }
  local moved = 0.0
  for seed = 1, 150 do
    local agent = nas.agents.reinforce { seed = seed, baseline = "none", policy = { units = 4 } }
    local arch = run(agent, space, function() return 0.5 end, 20)[1].arch
    for k, p in ipairs(agent.policy:score(arch).decisions[1].probabilities) do
      by_option[k][seed] = p
      moved = math.max(moved, math.abs(p - 1 / 3))
    end
  end
  lu.assertTrue(moved > 0.1) -- it does walk
  for k, list in ipairs(by_option) do
    local mean, spread = mean_and_error(list)
    lu.assertTrue(math.abs(mean - 1 / 3) < 4 * spread, ("option %d has probability %g on average"):format(k, mean))
  end
end

-- ---- b ---------------------------------------------------------------------------------------------

function T.test_b_the_enumerated_gradient_is_that_of_plain_loops()
  local policy = searches.teach(nas.policy { seed = 2, units = 6 })
  local by_line, rewards = searches.rewards(0.5, 0.3)
  local exact, sums, objective = nas.exact(policy, branching, by_line), {}, 0.0
  for i, arch in ipairs(searches.all(branching)) do
    local p = searches.probability(policy, arch)
    objective = objective + p * rewards[i]
    for key, block in pairs(policy:gradient({ { arch, advantage = 1 } }):blocks()) do
      sums[key] = sums[key] or {}
      for k, value in ipairs(block) do sums[key][k] = (sums[key][k] or 0.0) + p * rewards[i] * value end
    end
  end
  lu.assertAlmostEquals(exact.objective, objective, 1e-12)
  lu.assertAlmostEquals(exact.mass, 1, 1e-12)
  local off = searches.difference(exact.gradient:blocks(), sums)
  lu.assertTrue(searches.product(off, off) < 1e-10 * searches.product(sums, sums))
end

-- Along what a step of learning has changed, the objective changes as its gradient says.
function T.test_b_the_gradient_is_that_of_differences_of_the_objective()
  local by_line = searches.rewards(0.5, 0.3)
  local archs = searches.all(branching)
  local function taught() return searches.teach(nas.policy { seed = 2, units = 6, rate = 2e-3 }) end
  local exact = nas.exact(taught(), branching, by_line)
  local gradient = copied(exact.gradient:blocks())
  local directions = {
    { { archs[1], advantage = 1 } }, { { archs[4], advantage = -1 }, { archs[5], advantage = 0.5 } }, {},
  }
  for i, item in ipairs(exact.items) do
    directions[3][i] = { item.arch, advantage = item.probability * item.reward }
  end
  for i, episodes in ipairs(directions) do
    local ahead, back = taught(), taught()
    ahead:learn(episodes)
    for _, episode in ipairs(episodes) do episode.advantage = -episode.advantage end
    back:learn(episodes)
    local moved = searches.difference(ahead.core:blocks(), back.core:blocks())
    local expected = searches.product(moved, gradient)
    local found = nas.exact(ahead, branching, by_line).objective - nas.exact(back, branching, by_line).objective
    lu.assertTrue(math.abs(expected) > 1e-4)
    lu.assertTrue(math.abs(found - expected) < 0.02 * math.abs(expected),
      ("direction %d: %g, but %g by the gradient"):format(i, found, expected))
    if i == 3 then lu.assertTrue(found > 0) end -- learning goes uphill
  end
end

function T.test_b_sampled_gradients_approach_the_enumerated_one()
  local by_line = searches.rewards(0.5, 0.3)
  for _, name in ipairs { "reinforce", "independent" } do
    local policy = searches.teach(nas.agents[name] { seed = 4 }.policy)
    local exact, slopes = nas.exact(policy, branching, by_line), {}
    local norm = exact.gradient_norm * exact.gradient_norm
    local sum = {}
    for i, arch in ipairs(policy:sample(branching, 3000)) do
      local episode = { arch, advantage = by_line[arch:line()] - exact.objective }
      sum[i] = { arch, advantage = episode.advantage / 3000 }
      slopes[i] = policy:gradient({ episode }):dot(exact.gradient) / norm
    end
    local mean, spread = mean_and_error(slopes)
    lu.assertTrue(spread < 0.05)
    lu.assertTrue(math.abs(mean - 1) < 4 * spread, ("%s: slope %g +- %g"):format(name, mean, spread))
    local all = policy:gradient(sum)
    lu.assertTrue(all:dot(exact.gradient) > 0.97 * math.sqrt(all:dot(all)) * exact.gradient_norm)
  end
end

function T.test_b_audits_find_no_bias()
  local by_line = searches.rewards(0.5, 0.3)
  for _, agent in ipairs {
    nas.agents.reinforce { batch = 4, policy = { units = 4 } },
    nas.agents.reinforce { baseline = "leave_one_out", batch = 3, policy = { units = 4 } },
    nas.agents.actor_critic { batch = 4, policy = { units = 4 } },
    nas.agents.ppo { batch = 4, policy = { units = 4 } },
    nas.agents.independent { batch = 4 },
  } do
    local audit = nas.audit(agent, branching, by_line, { updates = 200, warmup = 20 })
    lu.assertTrue(audit.slope.high - audit.slope.low < 0.7, tostring(audit))
    lu.assertTrue(is_near(audit.slope, 1) and is_near(audit.square_bias, 0) and is_near(audit.cosine, 1),
      tostring(audit))
  end
end

-- ---- c ---------------------------------------------------------------------------------------------

function T.test_c_log_probabilities_recomputed_are_those_recorded()
  for _, name in ipairs(searches.WITH_POLICY) do
    local agent = nas.agents[name] { seed = 6 }
    local learn, count = agent.learn, 0
    function agent.learn(self, trials)
      for _, trial in ipairs(trials) do -- the policy is still the one that sampled them
        local score = self.policy:score(trial.arch)
        lu.assertTrue(score.log_prob == trial.arch.log_prob, name)
        for t, decision in ipairs(trial.arch.decisions) do
          lu.assertTrue(score.decisions[t].log_prob == decision.log_prob, name)
          lu.assertAlmostEquals(nas.math.log(score.decisions[t].probabilities[decision.chosen]), decision.log_prob,
            1e-12)
        end
        lu.assertTrue(self.policy:score(nas.arch(trial.arch:line())).log_prob == trial.arch.log_prob, name)
        count = count + 1
      end
      return learn(self, trials)
    end
    run(agent, branching, (searches.rewards(0.5, 0.3)), 40)
    lu.assertEquals(count, 40)
  end
end

-- ---- d ---------------------------------------------------------------------------------------------

-- The normal deviate of a chi-square (Wilson & Hilferty 1931).
local function deviate(chi_square, freedom)
  local share = 2 / (9 * freedom)
  return ((chi_square / freedom) ^ (1 / 3) - (1 - share)) / math.sqrt(share)
end

function T.test_d_tokens_come_as_often_as_the_softmax_says()
  for _, name in ipairs(searches.WITH_POLICY) do
    local policy = searches.teach(nas.agents[name] { seed = 7 }.policy)
    local prefixes = {}
    for _, arch in ipairs(policy:sample(branching, 3000)) do
      local prefix = ""
      for t, decision in ipairs(arch.decisions) do
        if not prefixes[prefix] then
          prefixes[prefix] = { p = policy:score(arch).decisions[t].probabilities, counts = {}, all = 0 }
        end
        local of = prefixes[prefix]
        of.counts[decision.chosen], of.all = (of.counts[decision.chosen] or 0) + 1, of.all + 1
        prefix = ("%s %s=%d"):format(prefix, decision.name, decision.chosen)
      end
    end
    local chi_square, freedom = 0.0, 0
    for _, of in pairs(prefixes) do
      for k, p in ipairs(of.p) do
        local off = (of.counts[k] or 0) - of.all * p
        chi_square = chi_square + off * off / (of.all * p)
      end
      freedom = freedom + #of.p - 1
    end
    lu.assertEquals(freedom, 5)
    lu.assertTrue(deviate(chi_square, freedom) < 3.7, ("%s: chi-square %g"):format(name, chi_square)) -- p = 1e-4
  end
end

-- ---- e ---------------------------------------------------------------------------------------------

-- With beta1 = beta2 = 0 and epsilon = 1, a step along g is rate g / (|g| + 1): so g is known from the step.
function T.test_e_the_gradient_of_the_regulariser_does_not_depend_on_the_reward()
  local l2, rate = 0.25, 0.5
  for _, reward in ipairs { 0.0, 0.8, 1.0, -1.5 } do
    local agent = nas.agents.reinforce { baseline = "none", policy = {
      l2 = l2, rate = rate, value_rate = rate, beta1 = 0, beta2 = 0, epsilon = 1, units = 5,
    } }
    local before, of_reward
    local trials = run(agent, branching, function(arch)
      before = copied(agent.policy.core:blocks())
      of_reward = copied(agent.policy:gradient({ { arch, advantage = reward } }):blocks())
      return reward
    end, 1)
    lu.assertEquals(#trials, 1)
    for key, moved in pairs(searches.difference(agent.policy.core:blocks(), before)) do
      for k, step in ipairs(moved) do
        local g = step / (rate - math.abs(step))
        lu.assertAlmostEquals(g - of_reward[key][k], -2 * l2 * before[key][k], 2e-5)
      end
    end
  end
end

-- ---- f ---------------------------------------------------------------------------------------------

-- The coefficient of the first decision's log-probability, step by step.
local function coefficients(agent, rewards)
  local trial, list = 0, {}
  agent.policy = spy_policy()
  run(agent, branching, function()
    trial = trial + 1
    return rewards[trial]
  end, #rewards)
  for k, episodes in ipairs(agent.policy.learned) do
    list[k] = episodes[1].advantage or episodes[1].advantages[1]
  end
  return list
end

function T.test_f_the_baseline_knows_earlier_rewards_only()
  local rewards, changed = { 0.7, 0.9, 0.4, 0.8, 0.6 }, { 0.7, 0.9, 1.4, 0.8, 0.6 }
  local average = rewards[1]
  local expected = {}
  for k, reward in ipairs(rewards) do
    expected[k] = reward - average
    average = 0.8 * average + 0.2 * reward
  end
  for _, name in ipairs { "actor_critic", "ppo", "reinforce" } do
    local options = { batch = 1, decay = 0.8, steps = name == "ppo" and 1 or nil }
    local found = coefficients(nas.agents[name](options), rewards)
    lu.assertEquals(found[1], 0, name)
    lu.assertEquals(#found, #rewards)
    for k = 1, #rewards do lu.assertAlmostEquals(found[k], expected[k], 1e-12, name) end
    local other = coefficients(nas.agents[name](options), changed)
    lu.assertEquals({ other[1], other[2] }, { found[1], found[2] })
    lu.assertAlmostEquals(other[3] - found[3], 1, 1e-12, name)
    lu.assertAlmostEquals(other[4] - found[4], -0.2, 1e-12, name)
  end
  -- Two trials at once: both have the average from before.
  local found = coefficients(nas.agents.lookahead { clip = false }, { 0.7, 0.9, 0.4, 0.8 })
  average = 0.8 * 0.7 + 0.2 * 0.9
  lu.assertEquals(found[1], 0)
  lu.assertAlmostEquals(found[2], 0.4 - average + 0.7 * (0.8 - average), 1e-12)
end

-- ---- g ---------------------------------------------------------------------------------------------

function T.test_g_searches_cannot_read_the_test_split()
  for _, name in ipairs(nas.agents.names()) do
    local study <close> = spaces.study {}
    local opened, data = 0, study.data
    study.data = setmetatable({ read_test = function()
      opened = opened + 1
      return data.read_test()
    end }, { __index = data })
    study:run(nas.agents[name](name == "hyperband" and { epochs = 3 } or {}), { trials = 4 })
    for trial in study:each() do
      for metric in pairs(trial.metrics) do lu.assertNotStrContains(metric, "test") end
    end
    lu.assertEquals(opened, 0, name)
    lu.assertErrorMsgContains("test", data.targets, data, "test")
    study:final(study:trials()[1], { intent = "the spy sees an opening" })
    lu.assertEquals(opened, 1)
  end
end

function T.test_g_a_study_opens_the_test_split_for_one_network()
  local study <close> = spaces.study {}
  study:run(nas.agents.enumerate {}, { trials = 3 })
  local trials = study:trials()
  local metrics = study:final(trials[1], { intent = "first" })
  lu.assertEquals(study:final(trials[1], { intent = "again" }), metrics)
  lu.assertErrorMsgContains("opened for another network", study.final, study, trials[2], { intent = "another" })
  lu.assertEquals(study:final(trials[1], { intent = "after the error" }), metrics)
end

-- ---- h ---------------------------------------------------------------------------------------------

function T.test_h_the_seed_decides_and_threads_do_not()
  local function search(name, seed, threads)
    local study <close> = spaces.study { threads = threads }
    local agent = nas.agents[name] { seed = seed }
    study:run(agent, { trials = 12 })
    local logged = {}
    for trial in study:each() do logged[#logged + 1] = trial.logged end
    return study:fingerprint(), name == "independent" and agent.policy.entries or agent.policy:bytes(), logged
  end
  for _, name in ipairs(searches.WITH_POLICY) do
    local trace, policy, logged = search(name, 1, 1)
    for threads = 1, 3 do
      local again, same, also = search(name, 1, threads)
      lu.assertEquals(again, trace, name)
      lu.assertEquals(same, policy, name)
      lu.assertEquals(also, logged)
    end
    lu.assertNotEquals(search(name, 2, 1), trace)
  end
end

-- ---- i ---------------------------------------------------------------------------------------------

function T.test_i_a_clip_that_is_off_clips_nothing()
  local rewards = { 0.0, 1000.0, -1000.0, 0.2 }
  local off = coefficients(nas.agents.reinforce { baseline = "none", clip = false }, rewards)
  lu.assertEquals(off, rewards)
  lu.assertEquals(coefficients(nas.agents.reinforce { baseline = "none" }, rewards), off)
  lu.assertEquals(coefficients(nas.agents.reinforce { baseline = "none", clip = 1e9 }, rewards), off)
  local clipped = coefficients(nas.agents.reinforce { baseline = "none", clip = 0.1 }, rewards)
  lu.assertEquals(clipped, { 0.0, 0.1, -0.1, 0.1 })
  local agent = nas.agents.actor_critic { clip = false }
  coefficients(agent, rewards)
  lu.assertEquals(agent.clip.clipped, 0)
  lu.assertTrue(agent.clip.count > 0)
  -- A limit of 0 is neither off nor another limit.
  for _, name in ipairs { "actor_critic", "independent", "lookahead", "reinforce" } do
    lu.assertErrorMsgContains("clip is 0", nas.agents[name], { clip = 0.0 })
  end
end

-- ---- j ---------------------------------------------------------------------------------------------

function T.test_j_a_search_that_was_interrupted_ends_as_one_that_was_not()
  local options = {
    asha = { epochs = 4, eta = 2 }, evolution = { population = 4, tournament = 2 }, hyperband = { epochs = 4, eta = 2 },
    ppo = { batch = 3 }, reinforce = { batch = 2, baseline = "leave_one_out" },
    successive_halving = { architectures = 8, epochs = 4, eta = 2 },
  }
  for _, name in ipairs(nas.agents.names()) do
    local path = os.tmpname()
    os.remove(path)
    local function search(of, trials)
      local study <close> = spaces.study { path = of }
      local result = study:run(nas.agents[name](options[name] or {}), { trials = trials })
      return study:fingerprint(), result.trials
    end
    local expected, count = search(nil, 11)
    search(path, 4)
    search(path, 7)
    local found, same = search(path, 11)
    for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
    lu.assertEquals(found, expected, name)
    lu.assertEquals(same, count, name)
  end
end

-- ---- k ---------------------------------------------------------------------------------------------

function T.test_k_a_baseline_lowers_the_variance_of_the_gradient()
  local by_line = searches.rewards(0.8, 0.05)
  local policy = searches.teach(nas.policy { seed = 8, units = 4 })
  local exact = nas.exact(policy, branching, by_line)
  local none = exact:variance { baseline = "none" }.variance
  local mean = exact:variance { baseline = exact.objective }.variance
  local least = exact:variance { baseline = "optimal" }.variance
  lu.assertTrue(least <= mean and mean < 0.05 * none)
  for _, step in ipairs { -0.01, 0.01 } do
    lu.assertTrue(least < exact:variance { baseline = exact.baseline + step }.variance)
  end
  local function audited(options)
    local agent = nas.agents.reinforce(options)
    agent.policy = policy
    return nas.audit(agent, branching, by_line, { updates = 300, warmup = 30 })
  end
  local function agrees(audit, expected)
    lu.assertTrue(is_near(audit.variance, expected), tostring(audit))
  end
  local without = audited { baseline = "none" }
  agrees(without, none)
  agrees(audited { baseline = exact.objective }, mean)
  agrees(audited { baseline = exact.baseline }, least)
  local with = audited { baseline = "moving_average" }
  lu.assertTrue(with.variance.high < 0.1 * without.variance.low)
  lu.assertTrue(with.relative_variance.low < 1.2 and with.relative_variance.high < 2)
end

-- ---- l ---------------------------------------------------------------------------------------------

local function best_of(space, agent, options)
  local score = agent.policy:score(agent.policy:sample(space))
  for k, filters in ipairs(options) do
    if filters == 48 then return score.decisions[1].probabilities[k] end
  end
end

function T.test_l_the_order_of_options_changes_nothing_in_distribution()
  local orders, found = { { 32, 48, 64 }, { 48, 64, 32 }, { 64, 32, 48 } }, {}
  for i, options in ipairs(orders) do
    local space, list = one_of(options), {}
    for seed = 1, 80 do
      local agent = nas.agents.reinforce { seed = seed, policy = { units = 4 } }
      run(agent, space, function(arch) return arch:value "filters" == 48 and 1 or 0 end, 25)
      list[seed] = best_of(space, agent, options)
    end
    local mean, spread = mean_and_error(list)
    found[i] = { mean = mean, error = spread }
    lu.assertTrue(mean > 0.4, "the rewarded option has probability " .. mean)
  end
  for i = 2, #found do
    local off, a, b = found[i].mean - found[1].mean, found[i].error, found[1].error
    lu.assertTrue(off * off < 14 * (a * a + b * b), found[i].mean .. " against " .. found[1].mean)
  end
end

-- Logits that begin at 0 know no order: of expected updates, the one is the other.
function T.test_l_expected_updates_of_logits_follow_the_order_of_options()
  local function learned(options)
    local space = one_of(options)
    local agent = nas.agents.independent { rate = 0.1 }
    for _ = 1, 10 do
      local exact, episodes = nas.exact(agent.policy, space, function(arch) return arch:value "filters" / 64 end), {}
      for i, item in ipairs(exact.items) do
        episodes[i] = { item.arch, advantage = item.probability * (item.reward - 0.75) }
      end
      agent.policy:learn(episodes)
    end
    return best_of(space, agent, options)
  end
  local expected = learned { 32, 48, 64 }
  lu.assertAlmostEquals(learned { 48, 64, 32 }, expected, 1e-12)
  lu.assertAlmostEquals(learned { 64, 48, 32 }, expected, 1e-12)
end

return T
