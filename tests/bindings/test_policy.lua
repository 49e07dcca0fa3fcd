local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

local function policy(seed, options)
  return core.policy(options or { preset = "small" }, seed or 1)
end

-- Three decisions, by the policy.
local function sample(p, number)
  local stream, decisions, sum = core.stream(1, "sample", number), {}, 0
  p:begin()
  for i, name in ipairs { "kernel", "filters", "kernel" } do
    local options, count = name == "kernel" and "1,3" or "32,48,64", name == "kernel" and 2 or 3
    local chosen, log_prob = p:choose(name, options, count, stream)
    decisions[i] = { name = name, options = options, count = count, chosen = chosen }
    sum = sum + log_prob
  end
  return decisions, sum
end

-- ---- Sampling and scoring --------------------------------------------------------------------------

function tests.test_sampling_follows_seed_and_stream()
  for number = 1, 5 do lu.assertEquals(sample(policy(), number), (sample(policy(), number))) end
  local seen = {}
  for number = 1, 200 do seen[sample(policy(), number)[2].chosen] = true end
  lu.assertEquals(seen, { true, true, true })
end

function tests.test_score_agrees_with_sampling()
  local p = policy()
  local decisions, log_prob = sample(p, 1)
  local score = p:score(decisions, true)
  lu.assertEquals(score.log_prob, log_prob)
  lu.assertEquals(score.kl, 0.0)
  lu.assertNil(p:score(decisions).kl)
  lu.assertEquals(#score.decisions, 3)
  for i, step in ipairs(score.decisions) do
    local sum = 0
    for _, probability in ipairs(step.probabilities) do sum = sum + probability end
    lu.assertAlmostEquals(sum, 1, 1e-12)
    lu.assertEquals(#step.probabilities, decisions[i].count)
    lu.assertAlmostEquals(step.log_prob, math.log(step.probabilities[decisions[i].chosen]), 1e-12)
  end
end

function tests.test_force_agrees_with_score()
  local p = policy()
  local decisions = sample(p, 3)
  p:begin()
  local sum = 0
  for _, d in ipairs(decisions) do sum = sum + p:force(d.name, d.options, d.count, d.chosen) end
  lu.assertEquals(sum, p:score(decisions).log_prob)
end

function tests.test_score_does_not_end_an_episode()
  local p = policy()
  local decisions = sample(p, 1)
  p:begin()
  p:force("kernel", "1,3", 2, 1)
  p:score(decisions)
  lu.assertIsNumber(p:force("filters", "32,48,64", 3, 1))
end

function tests.test_choose_needs_an_episode()
  local p = policy()
  lu.assertErrorMsgContains("episode", p.choose, p, "kernel", "1,3", 2, core.stream(1, "a"))
end

function tests.test_choose_checks()
  local p = policy()
  p:begin()
  raises("count is 0; expected 1 to 4096", p.choose, p, "kernel", "1,3", 0, core.stream(1, "a"))
  raises("luanas.Stream expected", p.choose, p, "kernel", "1,3", 2)
  raises("chosen is 3; expected 1 to 2", p.force, p, "kernel", "1,3", 2, 3)
  raises("name contains a zero byte", p.force, p, "k\0", "1,3", 2, 1)
end

function tests.test_decisions_are_checked()
  local p = policy()
  local good = { name = "kernel", options = "1,3", count = 2, chosen = 1 }
  local function with(field, value)
    local bad = { name = good.name, options = good.options, count = good.count, chosen = good.chosen }
    bad[field] = value
    return { good, bad }
  end
  raises("decisions[2].chosen is 3; expected an integer from 1 to 2", p.score, p, with("chosen", 3))
  raises("decisions[2].count is 1.5; expected an integer from 1 to 4096", p.score, p, with("count", 1.5))
  raises("decisions[2].name is nil; expected a string", p.score, p, with("name"))
  raises("decisions[2].options is 13; expected a string", p.score, p, with("options", 13))
  raises("decisions[2].name is", p.score, p, with("name", "a\0"))
  raises("decisions[1] is 5; expected a table", p.score, p, { 5 })
  raises("bad argument", p.score, p, nil)
  lu.assertEquals(p:score({}).log_prob, 0.0)
end

-- ---- Anchors ---------------------------------------------------------------------------------------

-- Three layers of a kernel and an anchor, by the policy; anchors are the decisions 2, 4 and 6.
local function sample_anchors(p, number)
  local stream, decisions, anchors, sum = core.stream(1, "sample", number), {}, {}, 0
  p:begin()
  for _ = 1, 3 do
    local chosen, log_prob = p:choose("kernel", "1,3", 2, stream)
    decisions[#decisions + 1] = { kind = "choice", name = "kernel", options = "1,3", count = 2, chosen = chosen }
    local candidates = table.move(anchors, 1, #anchors, 1, {})
    local set, set_log_prob = p:anchor("skip", candidates, stream)
    decisions[#decisions + 1] = { kind = "anchor", name = "skip", candidates = candidates, chosen = set }
    anchors[#anchors + 1] = #decisions
    sum = sum + log_prob + set_log_prob
  end
  return decisions, sum
end

function tests.test_anchors_follow_seed_and_stream()
  local seen = {}
  for number = 1, 100 do
    local decisions = sample_anchors(policy(), number)
    lu.assertEquals(sample_anchors(policy(), number), decisions)
    lu.assertEquals(decisions[2].chosen, {})
    lu.assertEquals(#decisions[6].chosen, 2)
    for j = 1, 2 do
      lu.assertIsBoolean(decisions[6].chosen[j])
      seen[j .. tostring(decisions[6].chosen[j])] = true
    end
  end
  lu.assertEquals(seen, { ["1true"] = true, ["1false"] = true, ["2true"] = true, ["2false"] = true })
end

function tests.test_anchors_are_scored_as_sampled_and_forced()
  local p = policy()
  local decisions, log_prob = sample_anchors(p, 1)
  local score = p:score(decisions, true, true)
  lu.assertEquals(score.log_prob, log_prob)
  lu.assertEquals(score.kl, 0.0)
  lu.assertEquals(score.decisions[2].probabilities, {})
  lu.assertEquals(score.decisions[2].log_prob, 0.0)
  for _, i in ipairs { 4, 6 } do
    local sum = 0
    for j, probability in ipairs(score.decisions[i].probabilities) do
      sum = sum + math.log(decisions[i].chosen[j] and probability or 1 - probability)
    end
    lu.assertEquals(#score.decisions[i].probabilities, #decisions[i].candidates)
    lu.assertAlmostEquals(score.decisions[i].log_prob, sum, 1e-12)
  end
  p:begin()
  local forced = 0
  for _, d in ipairs(decisions) do
    forced = forced + (d.kind == "anchor" and p:force_anchor(d.name, d.candidates, d.chosen)
      or p:force(d.name, d.options, d.count, d.chosen))
  end
  lu.assertEquals(forced, log_prob)
end

-- Over all networks: probabilities add up to 1, the expected gradient of log pi is 0, that with rewards is not.
function tests.test_anchors_exactly()
  local p = policy(3, { layers = 1, units = 4, init = 0.8 })
  local networks, total = {}, 0
  for set = 0, 15 do
    local a, b = set % 2 == 1, set // 2 % 2 == 1
    networks[#networks + 1] = { decisions = {
      { kind = "anchor", name = "skip", candidates = {}, chosen = {} },
      { kind = "anchor", name = "skip", candidates = { 1 }, chosen = { a } },
      { name = "kernel", options = "1,3", count = 2, chosen = set // 4 % 2 + 1 },
      { kind = "anchor", name = "jump", candidates = { 2 }, chosen = { b } },
      { name = "kernel", options = "1,3", count = 2, chosen = set // 8 + 1 },
    }, reward = (a and 0.3 or 0) - (a == b and 0.2 or 0) + 0.1 * (set // 4) }
  end
  local episodes, rewarded = {}, {}
  for i, network in ipairs(networks) do
    local probability = math.exp(p:score(network.decisions).log_prob)
    total = total + probability
    episodes[i] = { decisions = network.decisions, advantage = probability }
    rewarded[i] = { decisions = network.decisions, advantage = probability * network.reward }
  end
  lu.assertAlmostEquals(total, 1, 1e-12)
  for _, block in pairs(p:gradient(episodes):blocks()) do
    for _, value in ipairs(block) do lu.assertAlmostEquals(value, 0, 1e-6) end
  end
  local some = 0
  for _, value in ipairs(p:gradient(rewarded):blocks()["anchor/skip/vector"]) do some = some + math.abs(value) end
  lu.assertTrue(some > 1e-3)
end

function tests.test_skip_prior()
  local p = policy()
  local decisions = sample_anchors(p, 1)
  local function divergence()
    local sum = 0
    for _, step in ipairs { p:score(decisions).decisions[4], p:score(decisions).decisions[6] } do
      for _, q in ipairs(step.probabilities) do
        sum = sum + q * math.log(q / 0.1) + (1 - q) * math.log((1 - q) / 0.9)
      end
    end
    return sum
  end
  local before = divergence()
  local learned = p:learn { { decisions = decisions, skip_weight = 0.8, skip_prior = 0.1 } }
  lu.assertAlmostEquals(learned.skip_loss, 0.8 * before, 1e-9)
  lu.assertEquals(learned.loss, learned.skip_loss)
  lu.assertTrue(divergence() < before)
  lu.assertEquals(p:learn({ { decisions = decisions, advantage = 1 } }).skip_loss, 0.0)
end

function tests.test_anchor_outcomes_have_coefficients()
  local a, b = policy(), policy()
  local decisions = sample_anchors(policy(), 1)
  local rows = {}
  for i, d in ipairs(decisions) do
    rows[i] = d.kind == "anchor" and {} or d.chosen == 1 and { 0.5, 0 } or { 0, 0.5 }
    for j = 1, d.kind == "anchor" and #d.candidates or 0 do
      rows[i][2 * j - 1], rows[i][2 * j] = d.chosen[j] and 0 or 0.5, d.chosen[j] and 0.5 or 0
    end
  end
  a:learn { { decisions = decisions, advantage = 0.5 } }
  b:learn { { decisions = decisions, options = rows } }
  lu.assertAlmostEquals(a:score(decisions).log_prob, b:score(decisions).log_prob, 1e-6)
  rows[4][3] = 1
  raises("episodes[1].options[4] has 3 entries; expected 2", b.learn, b, { { decisions = decisions, options = rows } })
end

function tests.test_anchors_are_checked()
  local p = policy()
  local stream = core.stream(1, "a")
  p:begin()
  p:anchor("skip", {}, stream)
  p:force("kernel", "1,3", 2, 1)
  raises("luanas.Stream expected", p.anchor, p, "skip", {})
  raises("table expected", p.anchor, p, "skip", 1, stream)
  raises("table expected", p.force_anchor, p, "skip", { 1 }, true)
  raises("candidates[1] is 0; expected an integer from 1 to 65536", p.anchor, p, "skip", { 0 }, stream)
  raises('candidates[1] is "1"; expected an integer', p.anchor, p, "skip", { "1" }, stream)
  raises('anchor "skip": candidate 1 is decision 3; expected an earlier one, 1 to 2', p.anchor, p, "skip", { 3 },
    stream)
  raises('candidate 2 is decision 2, the choice "kernel"; expected an anchor', p.anchor, p, "skip", { 1, 2 }, stream)
  raises("candidate 1 is decision 1, and candidate 2 is decision 1; expected increasing positions", p.force_anchor, p,
    "skip", { 1, 1 }, { true, true })
  raises("chosen has 0 entries; expected 1", p.force_anchor, p, "skip", { 1 }, {})
  raises("chosen[1] is 1; expected true or false", p.force_anchor, p, "skip", { 1 }, { 1 })
  local function with(field, value)
    local bad = { kind = "anchor", name = "skip", candidates = { 1 }, chosen = { true } }
    bad[field] = value
    return { { kind = "anchor", name = "skip", candidates = {}, chosen = {} }, bad }
  end
  raises('decisions[2].kind is "anker"; expected "choice" or "anchor"', p.score, p, with("kind", "anker"))
  raises("decisions[2].kind is 1; expected", p.score, p, with("kind", 1))
  raises("decisions[2].candidates is nil; expected an array", p.score, p, with("candidates"))
  raises("decisions[2].candidates[1] is 1.5; expected an integer", p.score, p, with("candidates", { 1.5 }))
  raises("decisions[2].chosen is true; expected an array", p.score, p, with("chosen", true))
  raises("decisions[2].chosen has 2 entries; expected 1", p.score, p, with("chosen", { true, true }))
  raises("decision 2: anchor \"skip\": candidate 1 is decision 2; expected an earlier one, 1 to 1", p.score, p,
    with("candidates", { 2 }))
  local decisions = with("kind", "anchor")
  raises("episode 1: the skip prior is 0; expected a number between 0 and 1", p.learn, p,
    { { decisions = decisions, skip_weight = 1 } })
  raises("episode 1: the weight of the skip prior is -1; expected", p.learn, p,
    { { decisions = decisions, skip_weight = -1, skip_prior = 0.4 } })
  raises("episodes[1].skip_prior is true; expected a number", p.learn, p,
    { { decisions = decisions, skip_prior = true } })
end

function tests.test_anchors_in_files()
  local p = policy()
  local decisions = sample_anchors(p, 1)
  p:learn { { decisions = decisions, advantage = 1 } }
  local copy = core.policy_decode(p:bytes())
  lu.assertEquals(copy:bytes(), p:bytes())
  lu.assertEquals(copy:score(decisions, true, true), p:score(decisions, true, true))
  local units = p:info().options.units
  for part, width in pairs { previous = units, current = units, vector = 1 } do
    local block = p:blocks()["anchor/skip/" .. part]
    lu.assertEquals({ block.rows, block.width }, { units, width })
  end
end

-- ---- Learning --------------------------------------------------------------------------------------

function tests.test_learning_moves_probabilities()
  local p = policy()
  local decisions = sample(p, 1)
  local before = p:score(decisions).log_prob
  local learned
  for _ = 1, 5 do learned = p:learn { { decisions = decisions, advantage = 1 } } end
  lu.assertTrue(p:score(decisions).log_prob > before)
  lu.assertTrue(p:score(decisions, true).kl > 0)
  lu.assertAlmostEquals(learned.loss, learned.policy_loss + learned.entropy_loss + learned.l2, 1e-12)
  lu.assertTrue(learned.gradient_norm > 0)
  lu.assertEquals(p:info().steps, 5)
end

function tests.test_coefficients_add_up()
  local a, b, c = policy(), policy(), policy()
  local decisions = sample(policy(), 1)
  a:learn { { decisions = decisions, advantage = 0.5 } }
  b:learn { { decisions = decisions, advantages = { 0.5, 0.5, 0.5 }, entropies = { 0, 0, 0 } } }
  local rows = {}
  for i, d in ipairs(decisions) do
    rows[i] = {}
    for k = 1, d.count do rows[i][k] = k == d.chosen and 0.5 or 0 end
  end
  c:learn { { decisions = decisions, options = rows } }
  lu.assertEquals(a:bytes(), b:bytes())
  lu.assertAlmostEquals(a:score(decisions).log_prob, c:score(decisions).log_prob, 1e-6)
end

function tests.test_values()
  local p = policy()
  local decisions = sample(p, 1)
  local before = p:info().params
  lu.assertNil(p:score(decisions).decisions[1].value)
  lu.assertEquals(p:info().params, before)
  for _, step in ipairs(p:score(decisions, false, true).decisions) do lu.assertEquals(step.value, 0.0) end
  lu.assertEquals(p:info().params, before + p:info().options.units + 1)
  local learned = p:learn { { decisions = decisions, values = { 1, 1, 1 } } }
  lu.assertEquals(learned.value_loss, 0.0)
  local score, sum = p:score(decisions, true, true), 0
  lu.assertTrue(score.kl == 0 and score.entropy > 0)
  for _, step in ipairs(score.decisions) do
    lu.assertTrue(step.value > 0)
    sum = sum + step.value
  end
  learned = p:learn { { decisions = decisions, values = { -1, -1, -1 }, entropy = 0.1 } }
  lu.assertAlmostEquals(learned.value_loss, sum, 1e-12)
  lu.assertAlmostEquals(learned.loss, learned.value_loss + learned.entropy_loss, 1e-12)
  lu.assertEquals(p:score({}, false, true).decisions, {})
end

function tests.test_gradient_and_apply_are_learn()
  local a, b = policy(), policy()
  local episodes = {
    { decisions = sample(policy(), 1), advantage = 0.3, entropy = 0.01 },
    { decisions = sample(policy(), 2), advantage = -0.2, values = { 0.1, 0.2, -0.3 } },
  }
  local learned = a:learn(episodes)
  local gradient = b:gradient(episodes)
  local applied = b:apply(gradient)
  lu.assertEquals(applied.gradient_norm, learned.gradient_norm)
  lu.assertEquals(a:bytes(), b:bytes())
end

function tests.test_gradient_blocks()
  local p = policy()
  local gradient = p:gradient { { decisions = sample(p, 1), advantage = 1 } }
  local blocks, params = gradient:blocks(), p:blocks()
  lu.assertEquals(tostring(gradient), "luanas.CoreGradient")
  local count = 0
  for key, block in pairs(params) do
    lu.assertEquals({ blocks[key].rows, blocks[key].width }, { block.rows, block.width })
    lu.assertEquals(#block, block.rows * block.width)
    count = count + #block
  end
  lu.assertEquals(count, p:info().params)
  local some = false
  for _, block in pairs(blocks) do
    for _, value in ipairs(block) do some = some or value ~= 0 end
  end
  lu.assertTrue(some)
end

function tests.test_gradient_dot()
  local p = policy()
  local a = p:gradient { { decisions = sample(p, 1), advantage = 1 } }
  local b = p:gradient { { decisions = sample(p, 2), advantage = -0.5, entropy = 0.1 } }
  local x, y, keys, expected = a:blocks(), b:blocks(), {}, 0
  for key in pairs(x) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    for i = 1, #x[key] do expected = expected + x[key][i] * y[key][i] end
  end
  lu.assertEquals(a:dot(b), expected)
  lu.assertEquals(b:dot(a), expected)
  lu.assertTrue(a:dot(a) > 0)
  local q = policy()
  local other = q:gradient { { decisions = sample(q, 1), advantage = 1 } }
  raises("the gradient belongs to another policy", a.dot, a, other)
  raises("luanas.CoreGradient expected", a.dot, a, p)
  raises("luanas.CoreGradient expected", a.dot, a)
  other:close()
  raises("this luanas.CoreGradient is closed", a.dot, a, other)
  p:close()
  raises("this luanas.CorePolicy is closed", a.dot, a, b)
end

function tests.test_gradient_keeps_its_policy()
  local gradient = (function()
    local p = policy()
    return p:gradient { { decisions = sample(p, 1), advantage = 1 } }
  end)()
  collectgarbage()
  lu.assertNotNil(next(gradient:blocks()))
end

function tests.test_gradient_of_another_policy()
  local p, q = policy(), policy()
  local gradient = p:gradient { { decisions = sample(p, 1), advantage = 1 } }
  raises("another policy", q.apply, q, gradient)
  p:close()
  raises("this luanas.CorePolicy is closed", gradient.blocks, gradient)
  gradient:close()
  raises("this luanas.CoreGradient is closed", q.apply, q, gradient)
end

function tests.test_episodes_are_checked()
  local p = policy()
  local decisions = sample(p, 1)
  local function learn(episode) return p:learn { { decisions = decisions }, episode } end
  raises("episodes has 0 entries; expected 1 to", p.learn, p, {})
  raises('episodes[2]: unknown field "advantge"; known fields: decisions, advantage, entropy, advantages, '
    .. "entropies, options, values, skip_weight, skip_prior", learn,
    { decisions = decisions, advantge = 1, zeal = 1 })
  raises("episodes[2].decisions is nil; expected an array", learn, {})
  raises("episodes[2].decisions[1] is 1; expected a table", learn, { decisions = { 1 } })
  raises('episodes[2].advantage is "1"; expected a number', learn, { decisions = decisions, advantage = "1" })
  raises("episodes[2].advantages has 2 entries; expected 3", learn,
    { decisions = decisions, advantages = { 1, 1 } })
  raises("episodes[2].entropies[3] is true; expected a number", learn,
    { decisions = decisions, entropies = { 1, 1, true } })
  raises("episodes[2].options[2] has 2 entries; expected 3", learn,
    { decisions = decisions, options = { { 0, 0 }, { 0, 0 }, { 0, 0 } } })
  raises("episodes[2].values is 1; expected an array", learn, { decisions = decisions, values = 1 })
  raises("episodes[2].values has 4 entries; expected 3", learn, { decisions = decisions, values = { 1, 1, 1, 1 } })
  raises('episodes[2].values[1] is "a"; expected a number', learn, { decisions = decisions, values = { "a", 1, 1 } })
  raises("episode 2: a coefficient of decision 3 is not finite", learn,
    { decisions = decisions, values = { 1, 1, 0 / 0 } })
  raises("episodes[2] is 4; expected a table", learn, 4)
  raises("finite", learn, { decisions = decisions, advantage = math.huge })
  lu.assertEquals(p:info().steps, 0)
  p:learn { { decisions = decisions, options = { false, { 1, 0, 0 }, false } } }
end

-- ---- Files and options -----------------------------------------------------------------------------

function tests.test_files()
  local p = policy(-5)
  p:learn { { decisions = sample(p, 1), advantage = 1 } }
  local path = os.tmpname()
  lu.assertTrue(p:save(path))
  local loaded = core.policy_load(path)
  lu.assertEquals(loaded:bytes(), p:bytes())
  lu.assertEquals(core.policy_decode(p:bytes()):bytes(), p:bytes())
  lu.assertEquals(loaded:info(), p:info())
  lu.assertEquals(loaded:info().seed, -5)
  os.remove(path)
end

function tests.test_bad_files()
  local none, message, code = core.policy_load "/nowhere/policy"
  lu.assertNil(none)
  lu.assertStrContains(message, "/nowhere/policy")
  lu.assertEquals(code, "NAS_IO")
  none, message, code = core.policy_decode "not a policy"
  lu.assertNil(none)
  lu.assertIsString(message)
  lu.assertEquals(code, "NAS_FORMAT")
  none, message, code = policy():save "/nowhere/policy"
  lu.assertNil(none)
  lu.assertStrContains(message, "/nowhere")
  lu.assertEquals(code, "NAS_IO")
end

function tests.test_options()
  lu.assertEquals(core.policy(nil, 1):info().options.units, 35)
  lu.assertEquals(core.policy({ units = 8 }, 1):info().options.units, 8)
  lu.assertEquals(core.policy({ preset = "small", rate = 0.5 }, 1):info().options.rate, 0.5)
  raises("policy: units is 0; expected an integer from 1 to 1024", core.policy, { units = 0 }, 1)
  raises('policy: unknown option "unit"; known options: preset, layers', core.policy, { unit = 0 }, 1)
  raises('preset is "big"', core.policy, { preset = "big" }, 1)
  raises("policy: preset is 3; expected a string", core.policy, { preset = 3 }, 1)
  raises("bad argument #2", core.policy, {})
end

function tests.test_closed()
  local p = policy()
  lu.assertStrContains(tostring(p), "luanas.CorePolicy: ")
  p:close()
  raises("this luanas.CorePolicy is closed", p.begin, p)
  lu.assertEquals(tostring(p), "luanas.CorePolicy (closed)")
end

return tests
