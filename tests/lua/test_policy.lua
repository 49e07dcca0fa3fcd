local lu = require "luaunit"
local nas = require "luanas"
local nn = nas.nn
local spaces = require "spaces"

local T = {}

-- A space of one decision.
local function one_of(options)
  return function(c)
    c:choose("filters", options)
    return nn.input { 1, 1, 1 }
  end
end

local function all(space)
  local archs = {}
  for arch in nas.space.enumerate(space) do archs[#archs + 1] = arch end
  return archs
end

local function probability(policy, arch)
  return nas.math.exp(policy:score(arch).log_prob)
end

-- A policy that is no longer uniform.
local function trained_policy(space)
  local policy = nas.policy { seed = 5, rate = 0.01 }
  for _ = 1, 8 do
    local arch = policy:sample(space)
    policy:learn { { arch, advantage = arch:line():find("true", 1, true) and 1 or -0.5 } }
  end
  return policy
end

local function largest(blocks)
  local most = 0
  for _, block in pairs(blocks) do
    for i = 1, #block do most = math.max(most, math.abs(block[i])) end
  end
  return most
end

-- ---- Sampling and scoring --------------------------------------------------------------------------

-- Acceptance test c: the log-probability under teacher forcing is the one that was recorded, bit for bit.
function T.test_score_repeats_the_recorded_log_probability()
  for _, space in ipairs { spaces.student, spaces.branching } do
    local policy = trained_policy(space)
    local archs = policy:sample(space, 50)
    local scores = policy:score(archs)
    for i, arch in ipairs(archs) do
      lu.assertTrue(arch.log_prob == scores[i].log_prob)
      lu.assertEquals(#scores[i].decisions, #arch)
      for k, decision in ipairs(arch.decisions) do
        lu.assertTrue(decision.log_prob == scores[i].decisions[k].log_prob)
        local p = scores[i].decisions[k].probabilities
        lu.assertEquals(#p, decision.options.count)
        lu.assertAlmostEquals(nas.math.log(p[decision.chosen]), decision.log_prob, 1e-12)
      end
      -- Read back from text, without its space, it scores the same.
      lu.assertTrue(policy:score(nas.arch(arch:line())).log_prob == arch.log_prob)
    end
  end
end

function T.test_probabilities_of_a_space_sum_to_one()
  local policy = trained_policy(spaces.branching)
  local sum = 0
  for _, arch in ipairs(all(spaces.branching)) do sum = sum + probability(policy, arch) end
  lu.assertAlmostEquals(sum, 1, 1e-9)
end

-- Acceptance test d: frequencies of samples match the softmax.
function T.test_samples_have_the_policys_distribution()
  local policy = trained_policy(spaces.branching)
  local draws, counts = 4000, {}
  for _, arch in ipairs(policy:sample(spaces.branching, draws)) do
    counts[arch:line()] = (counts[arch:line()] or 0) + 1
  end
  local chi_squared = 0
  for _, arch in ipairs(all(spaces.branching)) do
    local expected = draws * probability(policy, arch)
    local difference = (counts[arch:line()] or 0) - expected
    chi_squared = chi_squared + difference * difference / expected
  end
  lu.assertTrue(chi_squared < 20.5, "chi squared is " .. chi_squared) -- 5 degrees of freedom, p = 0.001
end

function T.test_every_sample_has_a_stream_of_its_own()
  local a, b = nas.policy { seed = 2 }, nas.policy { seed = 2 }
  local expected = a:sample(spaces.student, 3)
  lu.assertEquals(expected[3].sample, 3)
  b:sample(spaces.tiny, 2) -- uses less randomness
  lu.assertTrue(b:sample(spaces.student) == expected[3])
  lu.assertEquals(b.samples, 3)
end

function T.test_seeds()
  local function lines(seed)
    local text = {}
    for i, arch in ipairs(nas.policy { seed = seed }:sample(spaces.student, 5)) do text[i] = arch:line() end
    return table.concat(text, "\n")
  end
  lu.assertEquals(lines(1), lines(1))
  lu.assertNotEquals(lines(1), lines(2))
  lu.assertEquals(nas.policy { seed = 7 }:bytes(), nas.policy { seed = 7 }:bytes())
  lu.assertNotEquals(nas.policy { seed = 7 }:bytes(), nas.policy { seed = 8 }:bytes())
end

function T.test_a_space_without_decisions()
  local arch = nas.policy():sample(function() return nn.input { 1, 1, 1 } end)
  lu.assertEquals(#arch, 0)
  lu.assertEquals(arch.log_prob, 0)
end

function T.test_entropy_and_kl()
  local policy = nas.policy { seed = 1 }
  local arch = policy:sample(spaces.student)
  local score = policy:score(arch, { kl = true })
  lu.assertEquals(score.kl, 0)
  lu.assertTrue(score.entropy > 0 and score.entropy < nas.math.log(1296))
  for _ = 1, 10 do policy:learn { { arch, advantage = 1 } } end
  local later = policy:score(arch, { kl = true })
  lu.assertTrue(later.kl > 0)
  lu.assertTrue(later.entropy < score.entropy)
  lu.assertTrue(later.log_prob > score.log_prob)
  lu.assertNil(policy:score(arch).kl)
end

-- ---- Learning --------------------------------------------------------------------------------------

-- Acceptance test a: equal rewards move nothing in expectation.
function T.test_equal_rewards_have_no_expected_update()
  local policy = trained_policy(spaces.branching)
  local equal, unequal = {}, {}
  for i, arch in ipairs(all(spaces.branching)) do
    local p = probability(policy, arch)
    equal[i] = { arch, advantage = p * 0.7 }
    unequal[i] = { arch, advantage = p * 0.1 * i }
  end
  lu.assertTrue(largest(policy:gradient(equal):blocks()) < 1e-6)
  lu.assertTrue(largest(policy:gradient(unequal):blocks()) > 1e-3)
end

function T.test_a_baseline_that_equals_the_reward_moves_nothing_at_all()
  local policy = nas.policy { seed = 3 }
  local archs = policy:sample(spaces.branching, 6)
  local before = policy.core:blocks()
  for _, arch in ipairs(archs) do
    local learned = policy:learn { { arch, advantage = 0.7 - 0.7 } }
    lu.assertEquals(learned.gradient_norm, 0)
    lu.assertEquals(learned.loss, 0)
  end
  lu.assertEquals(policy.core:blocks(), before)
  lu.assertEquals(policy:steps(), 6)
end

-- Without a baseline, equal rewards give a random walk; no option may gain by its place in the list.
function T.test_equal_rewards_without_a_baseline_walk_without_drift()
  local space = one_of { 32, 48, 64 }
  local runs, sums, squares = 200, { 0, 0, 0 }, { 0, 0, 0 }
  for seed = 1, runs do
    local policy = nas.policy { seed = seed }
    for _ = 1, 20 do policy:learn { { policy:sample(space), advantage = 0.5 } } end
    local p = policy:score(policy:sample(space)).decisions[1].probabilities
    for k = 1, 3 do sums[k], squares[k] = sums[k] + p[k], squares[k] + p[k] * p[k] end
  end
  for k = 1, 3 do
    local mean = sums[k] / runs
    local error_squared = (squares[k] / runs - mean * mean) / runs
    local distance = mean - 1 / 3
    lu.assertTrue(distance * distance < 16 * error_squared, ("option %d has probability %g on average"):format(k, mean))
  end
end

-- Acceptance test l: the order of options changes nothing in distribution.
function T.test_the_order_of_options_does_not_matter()
  local runs = 100
  local function mean_and_error(options)
    local sum, squares = 0, 0
    for seed = 1, runs do
      local policy, space = nas.policy { seed = seed }, one_of(options)
      local baseline = nas.reward.moving_average(0.8)
      local best
      for _ = 1, 30 do
        local arch = policy:sample(space)
        local reward = arch:value("filters") == 48 and 1 or 0
        policy:learn { { arch, advantage = baseline:advantage(reward) } }
      end
      for k, filters in ipairs(options) do
        if filters == 48 then best = policy:score(policy:sample(space)).decisions[1].probabilities[k] end
      end
      sum, squares = sum + best, squares + best * best
    end
    local mean = sum / runs
    return mean, (squares / runs - mean * mean) / runs
  end
  local mean_a, error_a = mean_and_error { 32, 48, 64 }
  local mean_b, error_b = mean_and_error { 48, 64, 32 }
  local mean_c, error_c = mean_and_error { 64, 32, 48 }
  local function near(x, y, variance) lu.assertTrue((x - y) * (x - y) < 12 * variance, x .. " against " .. y) end
  near(mean_a, mean_b, error_a + error_b)
  near(mean_b, mean_c, error_b + error_c)
  lu.assertTrue(mean_a > 0.4, "the rewarded option is learned; its probability is " .. mean_a)
end

-- Acceptance test b, in small: the mean of sampled gradients approaches the enumerated one.
function T.test_sampled_gradients_approach_the_enumerated_one()
  local policy = trained_policy(spaces.branching)
  local rewards, exact, sampled = {}, {}, {}
  for i, arch in ipairs(all(spaces.branching)) do
    rewards[arch:line()] = i
    exact[i] = { arch, advantage = probability(policy, arch) * i }
  end
  local draws = 3000
  for i, arch in ipairs(policy:sample(spaces.branching, draws)) do
    sampled[i] = { arch, advantage = rewards[arch:line()] / draws }
  end
  local expected, estimate = policy:gradient(exact):blocks(), policy:gradient(sampled):blocks()
  local dot, square_a, square_b = 0, 0, 0
  for _, key in ipairs(require "luanas.check".sorted_keys(expected)) do
    for i = 1, #expected[key] do
      local a, b = expected[key][i], (estimate[key] or {})[i] or 0
      dot, square_a, square_b = dot + a * b, square_a + a * a, square_b + b * b
    end
  end
  lu.assertTrue(dot > 0)
  lu.assertTrue(dot * dot > 0.98 * square_a * square_b, "the cosine is below 0.99")
  lu.assertAlmostEquals(dot / square_a, 1, 0.1)
end

function T.test_what_learn_returns()
  local policy = nas.policy { seed = 1 }
  local archs = policy:sample(spaces.branching, 2)
  local learned = policy:learn { { archs[1], advantage = 0.5 }, { archs[2], advantage = -0.25, entropy = 0.1 } }
  local expected = -(0.5 * archs[1].log_prob - 0.25 * archs[2].log_prob)
  lu.assertAlmostEquals(learned.policy_loss, expected, 1e-12)
  lu.assertTrue(learned.entropy > 0)
  lu.assertTrue(learned.entropy_loss < 0)
  lu.assertEquals(learned.kl, 0)
  lu.assertTrue(learned.gradient_norm > 0)
  lu.assertEquals(learned.loss, learned.policy_loss + learned.entropy_loss + learned.l2)
end

function T.test_coefficients_per_decision_and_per_option_add_up()
  local policy = nas.policy { seed = 1 }
  local arch = nas.arch "kind=\"conv\"{\"dense\",\"conv\"} depth=2{1,2,3}"
  local whole = policy:gradient { { arch, advantage = 2 } }:blocks()
  lu.assertEquals(policy:gradient { { arch, advantages = { 2, 2 } } }:blocks(), whole)
  lu.assertEquals(policy:gradient { { arch, options = { { 0, 2 }, { 0, 2, 0 } } } }:blocks(), whole)
  lu.assertEquals(policy:gradient { { arch, advantage = 0.5, advantages = { 1.5, 1.5 } } }:blocks(), whole)
  lu.assertEquals(policy:gradient { { arch, entropies = { 1, 1 } } }:blocks(),
    policy:gradient { { arch, entropy = 1 } }:blocks())
end

-- ---- Values ----------------------------------------------------------------------------------------

-- One step towards a target: 2 (target - V) is the gradient of -(target - V)^2.
local function towards(policy, arch, target)
  local values = {}
  for k, decision in ipairs(policy:score(arch, { values = true }).decisions) do
    values[k] = 2 * (target - decision.value)
  end
  return { arch, values = values }
end

function T.test_values_approach_targets()
  local policy = nas.policy { seed = 1, value_rate = 0.02 }
  local archs = policy:sample(spaces.branching, 8)
  for _, score in ipairs(policy:score(archs, { values = true })) do
    for _, decision in ipairs(score.decisions) do lu.assertEquals(decision.value, 0) end
  end
  for _ = 1, 60 do
    local episodes = {}
    for i, arch in ipairs(archs) do episodes[i] = towards(policy, arch, 0.75) end
    policy:learn(episodes)
  end
  for _, score in ipairs(policy:score(archs, { values = true })) do
    for _, decision in ipairs(score.decisions) do lu.assertAlmostEquals(decision.value, 0.75, 0.05) end
  end
  lu.assertNil(policy:score(archs[1]).decisions[1].value)
end

function T.test_the_first_value_does_not_depend_on_choices()
  local policy = nas.policy { seed = 1 }
  local archs = all(spaces.branching)
  for i, arch in ipairs(archs) do policy:learn { towards(policy, arch, i) } end
  local scores = policy:score(archs, { values = true })
  lu.assertNotEquals(scores[1].decisions[1].value, 0)
  for _, score in ipairs(scores) do lu.assertTrue(score.decisions[1].value == scores[1].decisions[1].value) end
end

function T.test_the_value_head_has_a_rate_of_its_own()
  local policy = nas.policy { seed = 1, rate = 0, value_rate = 0.1 }
  lu.assertEquals(policy.options.value_rate, 0.1)
  local arch = nas.arch 'kind="conv"{"dense","conv"} depth=2{1,2,3}'
  policy:score(arch, { values = true })
  local before = policy.core:blocks()
  policy:learn { { arch, advantage = 1, values = { 1, 1 } } }
  for key, block in pairs(policy.core:blocks()) do
    if key:find "^value/" then
      lu.assertNotEquals(block, before[key])
    else
      lu.assertEquals(block, before[key])
    end
  end
end

function T.test_what_learn_returns_of_values()
  local policy = nas.policy { seed = 1 }
  local arch = nas.arch 'kind="conv"{"dense","conv"} depth=2{1,2,3}'
  lu.assertEquals(policy:learn({ { arch, values = { 0.5, -1 } } }).value_loss, 0)
  local steps = policy:score(arch, { values = true }).decisions
  local learned = policy:learn { { arch, values = { 0.5, -1 }, advantage = 0.1 } }
  lu.assertAlmostEquals(learned.value_loss, -(0.5 * steps[1].value - steps[2].value), 1e-12)
  lu.assertNotEquals(learned.value_loss, 0)
  lu.assertAlmostEquals(learned.loss, learned.policy_loss + learned.value_loss, 1e-12)
end

function T.test_dot()
  local policy = nas.policy { seed = 1 }
  local arch = nas.arch 'kind="conv"{"dense","conv"} depth=2{1,2,3}'
  local a, b = policy:gradient { { arch, advantage = 1 } }, policy:gradient { { arch, values = { 1, 2 } } }
  lu.assertTrue(a:dot(a) > 0)
  lu.assertEquals(a:dot(b), b:dot(a))
  local twice = policy:gradient { { arch, advantage = 2 } }
  lu.assertAlmostEquals(a:dot(twice), 2 * a:dot(a), 1e-6 * a:dot(a))
end

function T.test_gradient_and_apply_are_learn()
  local a, b = nas.policy { seed = 1 }, nas.policy { seed = 1 }
  local arch = a:sample(spaces.student)
  local learned = a:learn { { arch, advantage = 0.3, entropy = 0.01 } }
  local applied = b:apply(b:gradient { { arch, advantage = 0.3, entropy = 0.01 } })
  lu.assertEquals(applied.gradient_norm, learned.gradient_norm)
  lu.assertEquals(a:bytes(), b:bytes())
end

-- ---- Files -----------------------------------------------------------------------------------------

function T.test_a_loaded_policy_goes_on_as_the_saved_one()
  local path = os.tmpname()
  local policy = trained_policy(spaces.student)
  policy:save(path)
  local loaded = nas.policy.load(path, { samples = policy.samples })
  lu.assertEquals(loaded:bytes(), policy:bytes())
  lu.assertEquals(loaded:steps(), policy:steps())
  for _ = 1, 3 do
    local expected, got = policy:sample(spaces.student), loaded:sample(spaces.student)
    lu.assertTrue(got == expected)
    lu.assertTrue(got.log_prob == expected.log_prob)
    policy:learn { { expected, advantage = 0.1 } }
    loaded:learn { { got, advantage = 0.1 } }
  end
  lu.assertEquals(loaded:bytes(), policy:bytes())
  os.remove(path)
end

function T.test_files_that_cant_be_used()
  lu.assertErrorMsgContains("/nonexistent/policy", nas.policy.load, "/nonexistent/policy")
  local policy = nas.policy()
  lu.assertErrorMsgContains("/nonexistent/policy", policy.save, policy, "/nonexistent/policy")
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(policy:bytes():sub(1, -2))
  file:close()
  lu.assertErrorMsgContains(path, nas.policy.load, path)
  os.remove(path)
  lu.assertErrorMsgContains("path is nil", nas.policy.load)
end

-- ---- Bad input -------------------------------------------------------------------------------------

function T.test_bad_settings()
  lu.assertErrorMsgContains('policy: unknown option "rat"; known options: beta1,', nas.policy, { rat = 1 })
  lu.assertErrorMsgContains('policy: preset is "big"; expected paper or small', nas.policy, { preset = "big" })
  lu.assertErrorMsgContains("policy: units is 0; expected an integer from 1 to 1024", nas.policy, { units = 0 })
  lu.assertErrorMsgContains("policy: rate is NaN", function()
    local ok, message = pcall(nas.policy, { rate = 0 / 0 })
    lu.assertFalse(ok)
    error((message:gsub("-?nan", "NaN")), 0)
  end)
  lu.assertErrorMsgContains("policy: seed is -1; expected an integer of at least 0", nas.policy, { seed = -1 })
  lu.assertErrorMsgContains("policy: options are 3", nas.policy, 3)
  lu.assertEquals(nas.policy({ rate = 0.125 }).options.rate, 0.125)
end

function T.test_an_episode_without_a_coefficient_is_an_error()
  local policy = nas.policy()
  local arch = policy:sample(spaces.branching)
  for _, name in ipairs { "learn", "gradient" } do
    for _, nothing in ipairs { { arch, advantage = nil }, { arch, skip_prior = 0.4 } } do
      lu.assertErrorMsgContains(("policy:%s, episode 2: there is no coefficient (nil is none); expected at least one "
        .. "of advantage, advantages, entropies, entropy, options, skip_weight, values"):format(name),
        policy[name], policy, { { arch, advantage = 1 }, nothing })
    end
  end
  lu.assertEquals(policy:steps(), 0)
  for _, given in ipairs { { arch, advantage = 0 }, { arch, entropy = 0 }, { arch, skip_weight = 0 } } do
    policy:learn { given }
  end
  lu.assertEquals(policy:steps(), 3)
end

function T.test_bad_episodes()
  local policy = nas.policy()
  local arch = policy:sample(spaces.branching)
  local function refused(text, episodes) lu.assertErrorMsgContains(text, policy.learn, policy, episodes) end
  refused("policy:learn: episodes is one episode; expected a list of episodes, as in", { arch, advantage = 1 })
  refused("policy:learn: episodes is an empty list", {})
  refused("policy:learn: episodes is nil", nil)
  refused("policy:learn, episode 1: the first element is nil; expected an architecture", { { advantage = 1 } })
  refused('policy:learn, episode 2: unknown option "advantag"; known options: advantage, advantages',
    { { arch, advantage = 1 }, { arch, advantag = 1 } })
  refused("policy:learn, episode 1: advantage is NaN; expected a finite number", { { arch, advantage = 0 / 0 } })
  refused("policy:learn, episode 1: advantages is a list of 1; expected a list of " .. #arch,
    { { arch, advantages = { 1 } } })
  refused("options is a list of 0; expected a list of", { { arch, options = {} } })
  lu.assertEquals(policy:steps(), 0)
  lu.assertErrorMsgContains("archs[1] is 3; expected an architecture", policy.score, policy, { 3 })
  lu.assertErrorMsgContains("archs[2] is nil; expected an architecture", policy.score, policy, { arch, nil, arch })
  local episode = { arch, advantage = 1 }
  refused("policy:learn, episode 2: it is nil; expected a table such as { arch, advantage = 0.1 }",
    { episode, nil, episode })
  refused("policy:learn, episode 1: it is nil", { nil, episode })
  refused("policy:learn, episode 1: it is 3", { 3 })
  refused("policy:learn, episode 1: values is 1; expected a list of " .. #arch .. " numbers", { { arch, values = 1 } })
  refused("policy:learn, episode 1: values is a list of 0; expected a list of " .. #arch, { { arch, values = {} } })
  local one_bad = {}
  for k = 1, #arch do one_bad[k] = k == #arch and "0.5" or 0 end
  refused(('episode 1: values[%d] is "0.5"; expected a finite number'):format(#arch), { { arch, values = one_bad } })
  refused('known options: advantage, advantages, entropies, entropy, options, skip_prior', { { arch, value = 1 } })
  lu.assertErrorMsgContains("policy:gradient, episode 1: values is", policy.gradient, policy, { { arch, values = 1 } })
  lu.assertErrorMsgContains("policy:score: values is 1; expected true or false", policy.score, policy, arch,
    { values = 1 })
  lu.assertErrorMsgContains("policy: value_rate is -1; expected", nas.policy, { value_rate = -1 })
  lu.assertErrorMsgContains('unknown option "KL"; known options: kl, values', policy.score, policy, arch, { KL = true })
  lu.assertErrorMsgContains("count is -1", policy.sample, policy, spaces.tiny, -1)
end

return T
