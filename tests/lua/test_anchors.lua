-- Anchor points, and the space of the paper that is made of them.
local lu = require "luaunit"
local build = require "luanas.build"
local chooser = require "luanas.chooser"
local core = require "luanas.core"
local nas = require "luanas"
local search = require "luanas.search"
local nn = nas.nn

local T = {}

local function take_first() return 1 end

-- A space around a body, which gets the chooser.
local function around(body)
  return function(c)
    body(c)
    return nn.dense(nn.input { 4, 4, 1 }, { units = 10 })
  end
end

local function ask(body)
  return build.run(around(body), chooser.new(take_first))
end

-- 64 architectures: three layers, each of which may take earlier ones, one with a choice.
local function small(c)
  local points = {}
  for layer = 1, 3 do
    if layer < 3 then c:choose("filters", { 2, layer + 2 }) end
    points[layer] = c:anchor("skip", points)
  end
  c:choose("last", { 1, 2 })
  return nn.dense(nn.input { 4, 4, 1 }, { units = 10 })
end

-- ---- Asking ----------------------------------------------------------------------------------------

function T.test_an_anchor_and_its_connections_are_decisions()
  local seen, answers = {}, { 1, 1, 2, 1, 1, 2 } -- of a, b, b.1, c, c.1, c.2
  local built = build.run(around(function(c)
    local one = c:anchor("skip", {})
    local two, of_two = c:anchor("skip", { one })
    local _, of_three = c:anchor("out", { one, two })
    seen = { of_two, of_three, tostring(two) }
  end), chooser.new(function(_, position) return answers[position] end))
  lu.assertEquals(seen, { { true }, { false, true }, "luanas.Anchor: number 2, skip" })
  local names = {}
  for i, decision in ipairs(built.arch.decisions) do names[i] = decision.name end
  lu.assertEquals(names, { "skip", "skip", "skip.1", "out", "out.1", "out.2" })
  lu.assertEquals(tostring(built.arch), "skip=none | skip=1 out=2")
  lu.assertTrue(nas.arch(built.arch:line()) == built.arch)
  lu.assertEquals(tostring(nas.arch(built.arch:line())), "skip=none | skip=1 out=2")
end

-- A record could not tell it from a connection.
function T.test_a_decision_is_not_called_like_a_connection()
  local function named(body)
    return pcall(ask, function(c)
      c:anchor("skip", { (c:anchor("skip")) })
      body(c)
    end)
  end
  local ok, message = named(function(c) c:choose("skip.2", { false, true }) end)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "decision 4, skip.2: false or true, straight after the anchor skip, has the name of "
    .. "one of its connections; expected another name")
  lu.assertTrue(named(function(c) c:choose("skip.2", { true, false }) end))
  lu.assertTrue(named(function(c) c:choose("skip", { false, true }) end))
  lu.assertTrue(named(function(c)
    c:choose("kernel", { 1, 3 })
    c:choose("skip.2", { false, true })
  end))
end

function T.test_records_with_connections_to_anchors_that_are_not_there()
  local record = nas.arch [[skip=@"anchor"{@"anchor"} skip=@"anchor"{@"anchor"} skip.9=true{false,true}]]
  local policy = nas.policy { seed = 1 }
  lu.assertErrorMsgContains("decision 3, skip.9: there is no anchor 9 before it", policy.score, policy, record)
  lu.assertErrorMsgContains("there is no anchor 9 before it", policy.learn, policy, { { record, advantage = 1 } })
end

function T.test_no_candidates_are_legal()
  local got
  ask(function(c) got = { select(2, c:anchor("skip")), select(2, c:anchor("skip", {})) } end)
  lu.assertEquals(got, { {}, {} })
end

function T.test_bad_anchors()
  local function refused(text, body) lu.assertErrorMsgContains(text, ask, body) end
  refused("decision 1: name is nil; expected a non-empty string", function(c) c:anchor() end)
  refused("anchor: call it as c:anchor(name, ...), with a colon", function(c) c.anchor("skip", {}) end)
  refused("decision 1, skip: candidates are 3; expected a list of earlier anchors", function(c) c:anchor("skip", 3) end)
  refused("decision 1, skip: candidate 1 is 3; expected an earlier anchor", function(c) c:anchor("skip", { 3 }) end)
  refused("decision 2, skip: candidate 2 is anchor 1, after anchor 1; expected each once, in their order", function(c)
    local one = c:anchor("skip")
    c:anchor("skip", { one, one })
  end)
  refused('the one option has the label "anchor", which is for c:anchor', function(c)
    c:choose("skip", { { label = "anchor", value = 1 } })
  end)
  refused("decision 2, skip: candidates are an anchor; expected a list of anchors, as in { point }", function(c)
    c:anchor("skip", (c:anchor("skip")))
  end)
  refused("decision 2, skip: candidate 1 is nil; expected an earlier anchor", function(c)
    c:anchor("skip", { nil, (c:anchor("skip")) })
  end)
  for key, text in pairs { [3] = "3", [1.5] = "1.5", one = '"one"' } do
    refused("decision 2, skip: the list of candidates has the key " .. text .. "; expected a plain list of earlier "
      .. "anchors", function(c) c:anchor("skip", { [key] = c:anchor("skip") }) end)
  end
  refused("decision 1, skip: candidates are false; expected a list", function(c) c:anchor("skip", false) end)
  local other
  ask(function(c) other = c:anchor("skip") end)
  refused("candidate 1 is a luanas.Anchor; expected an earlier anchor of this architecture", function(c)
    c:anchor("skip")
    c:anchor("skip", { other })
  end)
end

-- ---- Choosers and the policy -------------------------------------------------------------------------

function T.test_all_connections_are_enumerated()
  lu.assertEquals({ nas.space.size(small) }, { 64, true })
  lu.assertEquals(nas.space.estimate(small), 64)
end

function T.test_probabilities_of_all_subsets_sum_to_one()
  local policy, sum = nas.policy { seed = 3 }, 0.0
  for arch in nas.space.enumerate(small) do sum = sum + nas.math.exp(policy:score(arch).log_prob) end
  lu.assertAlmostEquals(sum, 1, 1e-12)
end

function T.test_what_was_sampled_is_scored_to_the_same_bits()
  local policy = nas.policy { seed = 3 }
  for step = 1, 20 do
    local arch = policy:sample(small)
    lu.assertEquals(policy:score(arch).log_prob, arch.log_prob)
    lu.assertEquals(policy:score(nas.arch(arch:line())).log_prob, arch.log_prob)
    policy:learn { { arch, advantage = 0.1 * (step % 3 - 1) } }
  end
end

-- How often each connection is sampled, against its probability summed over all that was sampled.
function T.test_connections_come_as_often_as_the_sigmoid_says()
  local policy, expected, count, variance = nas.policy { seed = 3, init = 1.5 }, 0.0, 0, 0.0
  for _ = 1, 400 do
    local arch = policy:sample(small)
    for i, decision in ipairs(policy:score(arch).decisions) do
      if arch.decisions[i].name:find "^skip%.%d" then
        local p = decision.probabilities[2]
        expected, variance = expected + p, variance + p * (1 - p)
        if arch.decisions[i].chosen == 2 then count = count + 1 end
      end
    end
  end
  lu.assertTrue(math.abs(expected - 0.5 * 400 * 3) > 100, expected) -- else the opposite would do as well
  lu.assertTrue(math.abs(count - expected) < 4 * variance ^ 0.5, ("%d, expected %g"):format(count, expected))
end

function T.test_scores_have_each_decision()
  local policy = nas.policy { seed = 3 }
  local arch = policy:sample(small)
  local score, sum = policy:score(arch, { values = true }), 0.0
  lu.assertEquals(#score.decisions, #arch.decisions)
  for i, decision in ipairs(score.decisions) do
    sum = sum + decision.log_prob
    lu.assertEquals(#decision.probabilities, arch.decisions[i].options.count)
    local is_connection = arch.decisions[i].name:find "^skip%.%d" ~= nil
    lu.assertEquals(decision.value, not is_connection and 0 or nil) -- an anchor's is at its first decision
  end
  lu.assertAlmostEquals(sum, score.log_prob, 1e-12)
end

-- The gradient of log pi is that of the options that were chosen, each with its own share.
function T.test_options_of_anchors_are_those_of_their_connections()
  local policy = nas.policy { seed = 3, init = 0.5 }
  local arch = policy:sample(small)
  local options, advantages = {}, {}
  for i, decision in ipairs(arch.decisions) do
    options[i], advantages[i] = {}, decision.name:find "^skip%.%d" and 1e9 or 0.7 -- which of connections is left out
    for k = 1, decision.options.count do options[i][k] = k == decision.chosen and 0.7 or 0.0 end
  end
  local by_options = policy:gradient { { arch, options = options } }
  for _, other in ipairs { { arch, advantage = 0.7 }, { arch, advantages = advantages } } do
    local gradient = policy:gradient { other }
    local product = gradient:dot(by_options)
    lu.assertTrue(product > 0)
    lu.assertAlmostEquals(gradient:dot(gradient) / product, 1, 1e-5)
    lu.assertAlmostEquals(by_options:dot(by_options) / product, 1, 1e-5)
  end
end

-- Rewards of connections only.
local function linked(arch)
  local sum = 0.5
  for _, decision in ipairs(arch.decisions) do
    if decision.name:find "^skip%.%d" and decision.chosen == 2 then sum = sum + 0.1 end
  end
  return sum
end

function T.test_exact_gradient()
  local policy = nas.policy { seed = 5 }
  local exact = nas.exact(policy, small, linked)
  local episodes, squares = {}, 0.0
  for i, item in ipairs(exact.items) do
    episodes[i] = { item.arch, advantage = item.probability }
    squares = squares + item.probability * item.gradient_square
  end
  local mean = policy:gradient(episodes)
  lu.assertTrue(mean:dot(mean) < 1e-10 * squares)
  -- A step along the exact gradient, so small that only the first order counts: Adam with a huge epsilon.
  local own = nas.policy { seed = 5, rate = 1e-2, epsilon = 1, beta1 = 0, beta2 = 0 }
  local gradient = nas.exact(own, small, linked).gradient
  local before = own.core:blocks()
  local predicted, of_gradient = 0.0, gradient:blocks()
  own:apply(gradient)
  for key, block in pairs(own.core:blocks()) do
    for k, value in ipairs(block) do
      predicted = predicted + (value - before[key][k]) * of_gradient[key][k]
    end
  end
  local difference = nas.exact(own, small, linked).objective - exact.objective
  lu.assertTrue(predicted > 0)
  lu.assertAlmostEquals(difference / predicted, 1, 2e-2)
end

function T.test_audits_find_no_bias()
  local agent = nas.agents.reinforce { batch = 4, policy = { units = 4 } }
  local audit = nas.audit(agent, small, linked, { updates = 200, warmup = 20 })
  lu.assertTrue(audit.slope.low <= 1 and audit.slope.high >= 1 and audit.slope.high - audit.slope.low < 0.7,
    tostring(audit))
  lu.assertTrue(audit.square_bias.low <= 0 and audit.cosine.high >= 1, tostring(audit))
end

function T.test_agents_learn_connections()
  local result = nas.compare {
    space = small, rewards = linked, trials = 120, seeds = 4, oracle = true, quiet = true,
    agents = { "random_search", "reinforce", "actor_critic", "ppo", "independent", "evolution" },
  }
  for _, own in ipairs(result.summaries) do
    lu.assertEquals(own.regret, 0, own.name)
    if own.name == "reinforce" or own.name == "actor_critic" or own.name == "ppo" then
      lu.assertTrue(own.last.mean > 0.75, tostring(result))
    end
  end
end

-- With a heavy prior, connections have its probability, whatever is rewarded.
function T.test_a_skip_prior_holds_connections_back()
  local agent = nas.agents.reinforce { skip_weight = 1, skip_prior = 0.1 }
  local by = search.by_function(small, linked)
  search.run("test", agent, { trials = 300, reward = "reward" }, by)
  local sum, count = 0.0, 0
  for arch in nas.space.enumerate(small, 8) do
    for i, decision in ipairs(agent.policy:score(arch).decisions) do
      if arch.decisions[i].name:find "^skip%.%d" then
        sum, count = sum + decision.probabilities[2], count + 1
      end
    end
  end
  lu.assertTrue(sum / count > 0.07 and sum / count < 0.2, sum / count)
end

-- ---- Schedules -------------------------------------------------------------------------------------

local function growing(c)
  local x = nn.input { 8, 8, 1 }
  for _ = 1, c:scheduled("depth", function(sample) return 1 + sample // 3 end) do
    x = nn.conv2d(x, { kernel = c:choose("kernel", { 1, 3 }), filters = 2 })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

function T.test_what_is_asked_grows_with_the_samples()
  local policy, depths = nas.policy { seed = 1 }, {}
  for i = 1, 7 do depths[i] = policy:sample(growing):value "depth" end
  lu.assertEquals(depths, { 1, 1, 2, 2, 2, 3, 3 })
  -- A record says how many: it is built again at any time.
  local arch = nas.arch "depth=3{3} kernel=1{1,3} kernel=3{1,3} kernel=1{1,3}"
  lu.assertNotNil(nas.space.build(growing, arch))
  local study = nas.study {
    space = growing, data = nas.data.synthetic { images = 30 }, train = { epochs = 1, batch = 10 }, quiet = true,
  }
  study:run(nas.agents.evolution { population = 2, tournament = 2 }, { trials = 7 })
  lu.assertEquals(study:trials()[7].arch:value "depth", 3)
end

function T.test_schedules_of_booleans_and_tables()
  local function scheduled(schedule)
    return function(c)
      c:scheduled("flag", schedule)
      c:choose("kernel", { 1, 3 })
      return nn.dense(nn.input { 4, 4, 1 }, { units = 10 })
    end
  end
  local early, random = scheduled(function(sample) return sample <= 2 end), nas.random { seed = 1 }
  for sample = 1, 4 do
    local arch = random:sample(early)
    lu.assertEquals(arch:value "flag", sample <= 2)
    nas.space.build(early, nas.arch(arch:line()))
  end
  lu.assertErrorMsgContains("decision 1, flag: the schedule returned a table; expected a number, a string or a boolean",
    random.sample, random, scheduled(function() return { label = "a", value = 1 } end))
end

-- ---- The space of the paper ------------------------------------------------------------------------

-- Four layers with every repair: the first has no input but the image; the third takes layers of two sizes; the second
-- and the fourth are taken by nobody.
local RECORD = table.concat({
  "height=3{1,3} width=1{1,3} stride_height=2{1,2} stride_width=2{1,2} filters=4{4,6}", [[skip=@"anchor"{@"anchor"}]],
  "height=1{1,3} width=3{1,3} stride_height=1{1,2} stride_width=1{1,2} filters=6{4,6}", [[skip=@"anchor"{@"anchor"}]],
  "skip.1=false{false,true}",
  "height=3{1,3} width=3{1,3} stride_height=1{1,2} stride_width=2{1,2} filters=4{4,6}", [[skip=@"anchor"{@"anchor"}]],
  "skip.1=true{false,true} skip.2=false{false,true}",
  "height=1{1,3} width=1{1,3} stride_height=1{1,2} stride_width=1{1,2} filters=6{4,6}", [[skip=@"anchor"{@"anchor"}]],
  "skip.1=true{false,true} skip.2=false{false,true} skip.3=true{false,true}",
}, " ")

local LIKE_THE_PAPERS = { align = "center", batch_norm = true, pool_after = {} }

-- The network of RECORD, written by hand.
local function twin(own)
  local function layer(number, inputs, options)
    local x = #inputs == 1 and inputs[1] or nn.concat(inputs, { align = own.align })
    options.bias = not own.batch_norm
    x = nn.conv2d(x, options)
    x = nn.relu(own.batch_norm and nn.batch_norm(x) or x)
    return own.pool_after[1] == number and nn.max_pool(x, { pool = 2, padding = "same" }) or x
  end
  local image = nn.input { 8, 8, 1 }
  local one = layer(1, { image }, { kernel = { 3, 1 }, stride = { 2, 2 }, filters = 4 })
  local two = layer(2, { image }, { kernel = { 1, 3 }, stride = { 1, 1 }, filters = 6 })
  local three = layer(3, { one }, { kernel = { 3, 3 }, stride = { 1, 2 }, filters = 4 })
  local four = layer(4, { one, three }, { kernel = { 1, 1 }, stride = { 1, 1 }, filters = 6 })
  local joined = nn.concat({ two, four }, { align = own.align })
  return nn.dense(nn.global_avg_pool(joined), { units = 10 })
end

-- All that can be seen of a network that was trained, bit for bit: its hash, what it puts out, weights and gradients.
local function seen(output, data)
  local recipe = { epochs = 2, batch = 8, optimizer = nas.adam { rate = 0.01 }, quiet = true }
  local model = nas.train(output, data, recipe)
  local images = nas.tensor.uniform({ 5, 8, 8, 1 }, 3)
  local gradients, loss, of_images = model:gradients(images, nas.tensor({ 1, 2, 3, 4, 5 }, "int32"))
  local texts = { core.network(output):hash(), model:outputs(images):bytes(), loss, of_images:bytes() }
  for _, list in ipairs { model:params(), gradients } do
    lu.assertTrue(#list > 5)
    for _, each in ipairs(list) do
      texts[#texts + 1] = ("%d %s %s"):format(each.layer, each.role, each.values:bytes())
    end
  end
  return texts
end

function T.test_every_repair_is_that_of_the_hand_written_twin()
  local data, hashes = nas.data.synthetic { images = 40 }, {}
  for _, change in ipairs { {}, { align = "top_left" }, { batch_norm = false }, { pool_after = { 2 } } } do
    local own = { input = { 8, 8, 1 }, classes = 10, depth = 4, heights = { 1, 3 }, widths = { 1, 3 },
      strides = { 1, 2 }, filters = { 4, 6 } }
    for name, value in pairs(change) do own[name] = value end
    local space = nas.space.paper_cnn(own)
    for name, value in pairs(LIKE_THE_PAPERS) do
      if own[name] == nil then own[name] = value end
    end
    local of_space = seen(nas.space.build(space, nas.arch(RECORD)), data)
    lu.assertEquals(of_space, seen(twin(own), data))
    lu.assertNil(hashes[of_space[1]])
    hashes[of_space[1]] = true
  end
end

-- As in the paper, but faster: two layers more after each 3 samples.
function T.test_children_of_the_papers_space_grow()
  local space = nas.space.paper_cnn {
    input = { 8, 8, 1 }, classes = 2, heights = { 1, 3 }, widths = { 1 }, filters = { 2 },
    depth = function(sample) return 1 + 2 * ((sample - 1) // 3) end,
  }
  local policy, depths = nas.policy { seed = 1 }, {}
  for sample = 1, 9 do
    local arch = policy:sample(space)
    depths[sample] = select(2, tostring(arch):gsub("skip=", ""))
    lu.assertEquals(arch:value "depth", depths[sample])
    lu.assertTrue(nas.arch(arch:line()) == arch)
    nas.space.build(space, nas.arch(arch:line())) -- whatever the sample is now
  end
  lu.assertEquals(depths, { 1, 1, 1, 3, 3, 3, 5, 5, 5 })
end

function T.test_bad_options_of_the_papers_space()
  local function refused(text, options)
    for name, value in pairs { input = { 8, 8, 1 }, classes = 10 } do
      if options and options[name] == nil then options[name] = value end
    end
    lu.assertErrorMsgContains(text, nas.space.paper_cnn, options)
  end
  refused("space.paper_cnn: classes is nil; expected an integer of at least 1", nil)
  refused("space.paper_cnn: input is a list of 1; expected { height, width, channels }", { input = { 784 } })
  refused("space.paper_cnn: heights[2] is 100000; expected an integer from 1 to 255", { heights = { 1, 100000 } })
  refused("space.paper_cnn: heights has the key \"x\"; expected a plain list", { heights = { 1, x = 3 } })
  refused("space.paper_cnn: widths has the key 3; expected a plain list", { widths = { 1, [3] = 3 } })
  refused("space.paper_cnn: strides is false; expected a list", { strides = false })
  refused("space.paper_cnn: filters[2] is 10000000; expected an integer from 1 to 65536", { filters = { 4, 10000000 } })
  refused("space.paper_cnn: pool_after[1] is 7; expected an integer from 1 to 6", { pool_after = { 7 }, depth = 6 })
  refused("space.paper_cnn: stem's kernel is 256; expected an integer from 1 to 255",
    { stem = { filters = 1, kernel = 256 } })
  refused("space.paper_cnn: depth is 65; expected an integer from 1 to 64", { depth = 65 })
  refused("space.paper_cnn: depth, by its schedule, is 65; expected an integer from 1 to 64",
    { depth = function() return 65 end })
  nas.space.paper_cnn { input = { 8, 8, 1 }, classes = 2, depth = 64, filters = { 2 } }
  refused('space.paper_cnn: unknown option "height"; known options: align, ', { height = 3 })
  refused("space.paper_cnn: heights is 3; expected a list", { heights = 3 })
  refused("space.paper_cnn: heights is an empty list; expected options", { heights = {} })
  refused("space.paper_cnn: pool_after is 3; expected a list of numbers of layers", { pool_after = 3 })
  nas.space.paper_cnn { input = { 8, 8, 1 }, classes = 2, pool_after = {} }
  refused("space.paper_cnn: depth is 0; expected an integer from 1 to 64", { depth = 0 })
  refused('space.paper_cnn: depth, by its schedule, is "x"; expected an integer', { depth = function() return "x" end })
  local falling = nas.space.paper_cnn {
    input = { 8, 8, 1 }, classes = 2, depth = function(sample) return sample < 3 and 2 or 1 end,
  }
  local policy = nas.policy { seed = 1 }
  lu.assertEquals({ policy:sample(falling):value "depth", policy:sample(falling):value "depth" }, { 2, 2 })
  lu.assertErrorMsgContains("space.paper_cnn: depth, by its schedule, falls from 2 at sample 2 to 1 at sample 3; "
    .. "expected a schedule that never falls", policy.sample, policy, falling)
  refused("space.paper_cnn: batch_norm is 3; expected true or false", { batch_norm = 3 })
  for _, align in ipairs { "left", false, 3 } do
    refused('expected "center" or "top_left"', { align = align, depth = 1 })
  end
  refused("space.paper_cnn: stem: unknown option", { stem = { filter = 3 } })
end

function T.test_children_of_the_small_space_are_cheap()
  local space = nas.space.paper_cnn_small { input = { 28, 28, 1 }, classes = 10 }
  local largest = nas.space.choose(space, function(decision) return decision.options.count end)
  lu.assertTrue(core.network(nas.space.build(space, largest)):macs() < 30e6)
  lu.assertEquals(#largest.decisions, 6 * 4 + 5 * 6 // 2)
end

-- 250 decisions each, of which hardly any two architectures share more than the first ones.
function T.test_long_searches_in_deep_spaces_take_little_memory()
  local space = nas.space.paper_cnn { input = { 8, 8, 1 }, classes = 2, depth = 20 }
  local random = nas.random { seed = 1 }
  for _ = 1, 300 do random:sample(space) end
  collectgarbage()
  collectgarbage()
  local kilobytes = collectgarbage "count"
  lu.assertTrue(kilobytes < 40 * 1024, kilobytes)
end

return T
