local lu = require "luaunit"
local nas = require "luanas"
local nn = nas.nn
local spaces = require "spaces"

local T = {}

local image = nn.input { 8, 8, 3 }

-- ---- Layers ----------------------------------------------------------------------------------------

function T.test_shapes()
  lu.assertEquals(image:shape(), { 8, 8, 3 })
  lu.assertEquals(nn.conv2d(image, { filters = 5, kernel = 3 }):shape(), { 8, 8, 5 })
  lu.assertEquals(nn.conv2d(image, { filters = 5, kernel = { 1, 3 }, stride = { 2, 1 } }):shape(), { 4, 8, 5 })
  lu.assertEquals(nn.conv2d(image, { filters = 5, kernel = 3, padding = "valid" }):shape(), { 6, 6, 5 })
  lu.assertEquals(nn.dense(image, { units = 7 }):shape(), { 7 })
  lu.assertEquals(nn.relu(image):shape(), { 8, 8, 3 })
  lu.assertEquals(nn.global_avg_pool(image):shape(), { 3 })
end

function T.test_the_stride_of_a_pool_is_its_window()
  lu.assertEquals(nn.max_pool(image):shape(), { 4, 4, 3 })
  lu.assertEquals(nn.max_pool(image, { pool = 4 }):shape(), { 2, 2, 3 })
  lu.assertEquals(nn.max_pool(image, { pool = 4, stride = 2 }):shape(), { 3, 3, 3 })
end

function T.test_activation_is_a_relu_layer()
  local options = { filters = 5, kernel = 3 }
  local with = { filters = 5, kernel = 3, activation = "relu" }
  local without = { filters = 5, kernel = 3, activation = "none" }
  lu.assertEquals(nn.conv2d(image, with):hash(), nn.relu(nn.conv2d(image, options)):hash())
  lu.assertEquals(nn.conv2d(image, without):hash(), nn.conv2d(image, options):hash())
  lu.assertEquals(with, { filters = 5, kernel = 3, activation = "relu" }) -- untouched
end

function T.test_bad_layers()
  local function refused(text, layer, ...) lu.assertErrorMsgContains(text, layer, ...) end
  refused("input: shape is 28; expected { height, width, channels }", nn.input, 28)
  refused("input: shape is a list of 2", nn.input, { 28, 28 })
  refused("input: shape[3] is 0; expected an integer of at least 1", nn.input, { 28, 28, 0 })
  refused("conv2d: input is nil; expected a layer", nn.conv2d, nil, {})
  refused("conv2d: input is a luanas.Stream; expected a layer", nn.conv2d, nas.stream(1, "x"), {})
  refused("conv2d: options are 3", nn.conv2d, image, 3)
  refused('conv2d: unknown option "filter"; known options: activation, bias, filters', nn.conv2d, image, { filter = 3 })
  refused("conv2d: unknown option 1;", nn.conv2d, image, { 3 })
  refused("conv2d: filters is missing", nn.conv2d, image, { kernel = 3 })
  refused("conv2d: filters is 0; expected an integer from 1 to 65536", nn.conv2d, image, { filters = 0, kernel = 3 })
  refused("conv2d: filters is -1", nn.conv2d, image, { filters = -1, kernel = 3 })
  refused("conv2d: filters is 1e+300", nn.conv2d, image, { filters = 1e300, kernel = 3 })
  refused("conv2d: filters is 1.5", nn.conv2d, image, { filters = 1.5, kernel = 3 })
  refused("conv2d: kernel is a table", nn.conv2d, image, { filters = 3, kernel = { 1, 2, 3 } })
  refused('conv2d: padding is "full"; expected one of same, valid', nn.conv2d, image,
    { filters = 3, kernel = 3, padding = "full" })
  refused('conv2d: activation is "swish"; expected one of leaky_relu, none, relu, sigmoid, tanh', nn.conv2d, image,
    { filters = 3, kernel = 3, activation = "swish" })
  refused("kernel 9x9 is larger than the input 8x8x3", nn.conv2d, image, { filters = 3, kernel = 9, padding = "valid" })
  refused("dense: units is missing", nn.dense, image)
end

-- ---- Networks that can't be built ------------------------------------------------------------------

function T.test_the_record_is_whole_where_the_network_cant_be_built()
  local good, bad = 0, 0
  for arch in nas.space.enumerate(spaces.fragile) do
    lu.assertEquals(#arch, 2)
    if arch.unbuildable then
      bad = bad + 1
      lu.assertStrContains(arch.unbuildable, "conv2d: kernel 5x5 is larger than the input 4x4x1")
      lu.assertNil(arch.network)
      local output, reason = nas.space.build(spaces.fragile, arch)
      lu.assertNil(output)
      lu.assertEquals(reason, arch.unbuildable)
    else
      good = good + 1
      lu.assertNotNil(arch.network)
    end
  end
  lu.assertEquals({ good, bad }, { 2, 2 })
end

function T.test_mistakes_in_a_space_are_errors_not_failed_trials()
  local function sample(space) return nas.random():sample(space) end
  lu.assertErrorMsgContains('unknown option "filter"', sample, function()
    return nn.conv2d(nn.input { 2, 2, 1 }, { filter = 3, kernel = 5, padding = "valid" })
  end)
  lu.assertErrorMsgContains("the space returned nil; expected a network", sample, function() end)
  lu.assertErrorMsgContains("the space returned a table; expected a network", sample, function() return {} end)
  lu.assertErrorMsgContains("space is a table; expected a function(c)", sample, {})
  lu.assertErrorMsgContains('unknown option "recipe"; known options: train', sample, function()
    return image, { recipe = {} }
  end)
  lu.assertErrorMsgContains('space: train: unknown option "epoch"', sample, function()
    return image, { train = { epoch = 3 } }
  end)
  lu.assertErrorMsgContains("kernel 9x9 is larger", nn.conv2d, image, { filters = 3, kernel = 9, padding = "valid" })
end

function T.test_an_error_in_a_tail_call_points_at_the_space_function()
  local line = debug.getinfo(1, "l").currentline + 1
  local function space()
    return nn.dense(image, { unit = 10 })
  end
  local place = "^.*test_space.lua:%d: "
  local ok, message = pcall(nas.random().sample, nas.random(), space)
  lu.assertFalse(ok)
  lu.assertStrMatches(message, place:format(line)
    .. 'in what the function that begins here returns: dense: unknown option "unit".*$')
  line = debug.getinfo(1, "l").currentline + 1
  local function short() return nn.dense(image, { unit = 10 }) end
  message = select(2, pcall(nas.random().sample, nas.random(), short))
  lu.assertStrMatches(message, place:format(line) .. 'dense: unknown option "unit".*$')
end

function T.test_errors_of_the_user_keep_their_traceback()
  local function deep() error("mine") end
  local function space() deep() end
  local _, traceback = xpcall(function() nas.random():sample(space) end, debug.traceback)
  lu.assertStrContains(traceback, "mine")
  lu.assertStrContains(traceback, "in upvalue 'deep'")
end

-- ---- Chains ----------------------------------------------------------------------------------------

local function chain(options)
  local own = {
    input = { 28, 28, 1 }, classes = 10,
    layers = 4, kernel = { 1, 3 }, filters = { 32, 48, 64 }, stride = { 2, 1, 2, 1 },
  }
  for name, value in pairs(options or {}) do own[name] = value end
  return nas.space.chain(own)
end

function T.test_the_students_space_as_a_chain()
  local space = chain()
  local following = nas.space.enumerate(space)
  for arch in nas.space.enumerate(spaces.student) do
    local other = following()
    lu.assertTrue(arch == other)
    lu.assertEquals(arch.network, other.network)
  end
  lu.assertNil(following())
end

function T.test_fixed_settings_are_no_decisions()
  lu.assertEquals({ nas.space.size(chain { kernel = 3, filters = 8 }) }, { 1, true })
  local deep = chain { layers = { 1, 2 }, stride = 2, kernel = 3, filters = { 4, 8 } }
  lu.assertEquals({ nas.space.size(deep) }, { 6, true })
  lu.assertEquals(tostring(nas.space.enumerate(chain { layers = { 1, 2 }, stride = { 1, 2 } })()),
    "layers=1 kernel=1 filters=32")
end

function T.test_bad_chains()
  lu.assertErrorMsgContains('unknown option "filter"; known options: activation', nas.space.chain, { filter = 3 })
  lu.assertErrorMsgContains("space.chain: layers is missing", nas.space.chain, { filters = 3 })
  lu.assertErrorMsgContains("space.chain: layers is missing", nas.space.chain)
  lu.assertErrorMsgContains("space.chain: layers is 0", chain, { layers = 0 })
  lu.assertErrorMsgContains("space.chain: stride has 3 entries; expected one number, or one for each of 4 layers",
    chain, { stride = { 1, 2, 1 } })
  lu.assertErrorMsgContains("space.chain: stride[2] is nil; expected an integer of at least 1", chain,
    { stride = { 2, nil, 2, 1 } })
  lu.assertErrorMsgContains("space.chain: layers is nil; expected an integer", chain, { layers = { 1, nil, 4 } })
  lu.assertErrorMsgContains("space.chain: kernel is an empty list", chain, { kernel = {} })
  lu.assertErrorMsgContains("conv2d: kernel is 0", chain, { kernel = { 0, 1 } })
  lu.assertErrorMsgContains("space.chain: classes is nil", nas.space.chain, { layers = 1, filters = 1 })
  local function paper(text, name, options)
    lu.assertErrorMsgContains(("space.%s: %s"):format(name, text), nas.space[name], options)
  end
  for _, name in ipairs { "paper_cnn", "paper_cnn_small" } do
    paper("classes is nil; expected an integer of at least 1", name)
    paper("input is nil; expected { height, width, channels } or { features }", name, { classes = 10 })
    paper("input is a list of 2", name, { classes = 10, input = { 28, 28 } })
  end
  lu.assertErrorMsgContains("space.chain: input is nil", nas.space.chain, { layers = 1, filters = 1, classes = 2 })
end

-- ---- Choosing --------------------------------------------------------------------------------------

function T.test_choose()
  local seen = {}
  local arch = nas.space.choose(spaces.branching, function(decision, position)
    seen[position] = ("%s %d of %d"):format(decision.name, decision.occurrence, decision.options.count)
    return decision.options.count
  end)
  lu.assertEquals(seen, { "kind 1 of 2", "depth 1 of 3", "pool 1 of 2" })
  lu.assertEquals(tostring(arch), "kind=conv depth=3 pool=false")
  lu.assertEquals(arch.network, select(2, nas.space.build(spaces.branching, arch)):hash())
  lu.assertNil(arch.log_prob)
  lu.assertNil(arch.sample)
end

local function linked(c)
  local x, points = c:choose("kernel", { 1, 3, { label = "wide", value = 7 } }), {}
  for i = 1, 3 do points[i] = c:anchor("skip", { table.unpack(points) }) end
  return nn.dense(nn.conv2d(image, { filters = c:choose("filters", { 2, 4 }), kernel = x }), { units = 2 })
end

function T.test_by_hand()
  local function line(space, values, sample) return tostring(nas.space.by_hand(space, values, sample)) end
  lu.assertEquals(line(spaces.tiny, { kernel = 3, filters = 2 }), "kernel=3 filters=2")
  lu.assertEquals(line(linked, { kernel = "wide", skip = { {}, { 1 }, { 2 } }, filters = { 4 } }),
    "kernel=wide skip=none | skip=1 | skip=2 filters=4")
  lu.assertEquals(line(linked, { kernel = { { label = "wide" } }, skip = { {}, {}, { 2, 1 } }, filters = 2 }),
    "kernel=wide skip=none | skip=none | skip=1+2 filters=2")
  local function scheduled(c)
    local x = image
    for _ = 1, c:scheduled("depth", function(sample) return sample end) do
      x = nn.conv2d(x, { filters = c:choose("filters", { 2, 4 }), kernel = 1 })
    end
    return nn.dense(x, { units = 2 })
  end
  lu.assertEquals(line(scheduled, { filters = { 2, 4, 2 } }, 3), "depth=3 filters=2 | filters=4 | filters=2")
end

function T.test_by_hand_refuses()
  local function refused(text, values, space)
    lu.assertErrorMsgContains("space.by_hand: " .. text, nas.space.by_hand, space or linked, values)
  end
  local skip = { {}, { 1 }, { 2 } }
  refused("values are nil; expected a table such as", nil)
  refused("name of a decision is 1; expected a non-empty string", { 3 })
  refused("decision 1, kernel: it has no value; there are values for: filters, skip", { filters = 2, skip = skip })
  refused("decision 1, kernel: the value is 5; expected one of its options: 1, 3, wide", { kernel = 5 })
  refused("decision 4, skip.1: it has no value", { kernel = 1, filters = 2 })
  refused("decision 2, skip: the value is 3; expected a list", { kernel = 1, filters = 2, skip = { 3 } })
  refused("decision 5, skip: the list of its values has 2, and the space asks for more",
    { kernel = 1, skip = { {}, {} } })
  refused("decision 3, skip: connection 1 is 0; expected an integer of at least 1",
    { kernel = 1, skip = { {}, { 0 } } })
  refused("decision 3, skip: it is connected to skip.2, which is none of its candidates",
    { kernel = 1, skip = { {}, { 1, 2 }, {} } })
  refused("decision 5, skip: it is connected to skip.3", { kernel = 1, skip = { {}, {}, { 3 } }, filters = 2 })
  refused('values has "kernels", which the space does not ask for; it asks for: kernel, skip, filters',
    { kernel = 1, filters = 2, skip = skip, kernels = 3 })
  refused("kernel has 2 values; the space asks for it 1 times", { kernel = { 1, 3 }, filters = 2, skip = skip })
end

function T.test_choose_sums_log_probabilities_where_all_have_one()
  local function choose(answer) return nas.space.choose(spaces.tiny, answer).log_prob end
  lu.assertEquals(choose(function() return 1, -0.5 end), -1.0)
  lu.assertNil(choose(function(_, position) return 1, position == 1 and -0.5 or nil end))
  lu.assertNil(choose(function(_, position) return 1, position == 2 and -0.5 or nil end))
  lu.assertEquals(nas.space.choose(function() return image end, error).log_prob, 0.0)
end

function T.test_bad_choices()
  local function refused(text, answer, space)
    lu.assertErrorMsgContains(text, nas.space.choose, space or spaces.tiny, answer)
  end
  refused("space.choose: answer is nil; expected a function of a decision", nil)
  refused("space.choose: answer is a table", {})
  refused("space is 3; expected a function(c)", function() return 1 end, 3)
  refused("space.choose: decision 1, kernel: the answer is nil; expected an integer from 1 to 2", function() end)
  refused("space.choose: decision 1, kernel: the answer is 3; expected an integer from 1 to 2", function() return 3 end)
  refused("space.choose: decision 2, filters: the answer is 0;", function(_, position) return 2 - position end)
  refused('space.choose: decision 1, kernel: the answer is "1"', function() return "1" end)
  refused("space.choose: decision 1, kernel: the answer's log-probability is NaN; expected a finite number",
    function() return 1, 0 / 0 end)
  refused("my own", function() error "my own" end)
end

-- ---- Sizes -----------------------------------------------------------------------------------------

function T.test_estimates_are_exact_where_all_are_asked_the_same()
  lu.assertEquals(nas.space.estimate(spaces.student), 1296.0)
  lu.assertEquals(nas.space.estimate(spaces.tiny, 1), 4.0)
  lu.assertEquals(nas.space.estimate(function() return image end), 1.0)
  lu.assertEquals(nas.space.estimate(spaces.fragile), 4.0) -- what can't be built is counted, as it is enumerated
  local large = nas.space.chain { input = { 8, 8, 1 }, classes = 10, layers = 40, filters = { 1, 2, 3, 4 } }
  lu.assertEquals(nas.space.estimate(large, 2), 2.0 ^ 80)
end

-- The branching space: the product is 4 (twice two), 6 (2 * 3), 6 or 12; the mean over random ones is the size, 6.
function T.test_estimates_of_branching_spaces_are_near()
  lu.assertAlmostEquals(nas.space.estimate(spaces.branching), 6, 0.3) -- the standard error is 0.09
  lu.assertAlmostEquals(nas.space.estimate(spaces.branching, 20000), 6, 0.07)
  lu.assertEquals(nas.space.estimate(spaces.branching), nas.space.estimate(spaces.branching))
end

function T.test_bad_estimates()
  lu.assertErrorMsgContains("space.estimate: samples is 0; expected an integer of at least 1", nas.space.estimate,
    spaces.tiny, 0)
  lu.assertErrorMsgContains('samples is "x"', nas.space.estimate, spaces.tiny, "x")
  lu.assertErrorMsgContains("space is nil; expected a function(c)", nas.space.estimate)
  lu.assertErrorMsgContains("search: limit is 0; expected an integer of at least 1", nas.space.check_size, "search",
    spaces.tiny, 0)
  lu.assertErrorMsgContains("search: limit is nil", nas.space.check_size, "search", spaces.tiny)
end

function T.test_build()
  local arch = nas.arch "kernel=3{1,3} filters=2{2,4}"
  local output, network, train = nas.space.build(spaces.tiny, arch)
  lu.assertEquals(output:shape(), { 10 })
  lu.assertEquals(network:params(), 3 * 3 * 2 + 2 + 2 * 10 + 10)
  lu.assertNil(train)
  lu.assertErrorMsgContains("architecture is nil", nas.space.build, spaces.tiny, nil)
end

return T
