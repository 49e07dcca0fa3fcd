local core = require "luanas.core"
local lu = require "luaunit"
local nas = require "luanas"
local nn = nas.nn

local T = {}

local image = nn.input { 8, 9, 4 }
local map = nn.conv2d(image, { filters = 4, kernel = 3 })
local gate = nn.dense(image, { units = 4 })
local vector = nn.dense(image, { units = 6 })
local number = nn.mean(image)

local function equal(a, b) lu.assertEquals(a:hash(), b:hash()) end
local function refused(text, layer, ...) lu.assertErrorMsgContains(text, layer, ...) end
local function apply(kind, inputs, options) return assert(core.node(kind, inputs, options)) end

-- ---- Every kind ------------------------------------------------------------------------------------

function T.test_every_kind_has_a_function()
  local given_otherwise = { target = true }
  for kind in pairs(core.options().layers) do
    lu.assertTrue(given_otherwise[kind] or type(nn[kind]) == "function", kind)
  end
end

function T.test_layers_of_one_input_and_no_options()
  for _, kind in ipairs { "relu", "tanh", "sigmoid", "exp", "log", "square", "abs", "identity" } do
    for _, input in ipairs { image, vector, number } do
      equal(nn[kind](input), apply(kind, { input }))
      lu.assertEquals(nn[kind](input):shape(), input:shape())
    end
    refused(kind .. ": input is nil; expected a layer", nn[kind])
    refused(kind .. ": input is a table; expected a layer", nn[kind], { image })
  end
  lu.assertEquals(nn.flatten(image):shape(), { 288 })
  lu.assertEquals(nn.mean(image):shape(), {})
  lu.assertEquals(nn.sum(image):shape(), {})
end

function T.test_options()
  equal(nn.leaky_relu(image, { slope = 0.2 }), apply("leaky_relu", { image }, { slope = 0.2 }))
  equal(nn.leaky_relu(image), apply("leaky_relu", { image }, { slope = 0.01 }))
  equal(nn.scale(image, { factor = 2, offset = -1 }), apply("scale", { image }, { factor = 2, offset = -1 }))
  equal(nn.dropout(image), apply("dropout", { image }, { rate = 0.5 }))
  lu.assertEquals(nn.zero_pad(image, { top = 1, left = 2, bottom = 3, right = 4 }):shape(), { 12, 15, 4 })
  lu.assertEquals(nn.one_hot(number, { classes = 3 }):shape(), { 3 })
  refused('leaky_relu: unknown option "alpha"; known options: slope', nn.leaky_relu, image, { alpha = 0.2 })
  refused("dropout: rate is 1; expected a number from 0.0 to 0.99", nn.dropout, image, { rate = 1 })
  refused("dropout: options are 0.5; expected a table with rate", nn.dropout, image, 0.5)
  refused("one_hot: classes is missing", nn.one_hot, number)
  refused("one_hot: input has shape 6; expected one class", nn.one_hot, vector, { classes = 6 })
end

function T.test_the_stride_of_a_pool_is_its_window()
  lu.assertEquals(nn.avg_pool(image):shape(), { 4, 4, 4 })
  lu.assertEquals(nn.avg_pool(image, { pool = { 4, 3 } }):shape(), { 2, 3, 4 })
  lu.assertEquals(nn.avg_pool(image, { pool = 4, stride = 2, padding = "same" }):shape(), { 4, 5, 4 })
end

-- ---- Convolutions and activations ------------------------------------------------------------------

function T.test_activations_are_layers()
  for _, activation in ipairs { "relu", "tanh", "sigmoid", "leaky_relu" } do
    equal(nn.conv2d(image, { filters = 3, kernel = 1, activation = activation }),
      nn[activation](nn.conv2d(image, { filters = 3, kernel = 1 })))
    equal(nn.depthwise_conv2d(image, { kernel = 3, activation = activation }),
      nn[activation](nn.depthwise_conv2d(image, { kernel = 3 })))
    equal(nn.dense(image, { units = 3, activation = activation }), nn[activation](nn.dense(image, { units = 3 })))
  end
  equal(nn.dense(image, { units = 3, activation = "none" }), nn.dense(image, { units = 3 }))
  refused('dense: activation is "swish"; expected one of leaky_relu, none, relu, sigmoid, tanh', nn.dense, image,
    { units = 3, activation = "swish" })
end

function T.test_separable_convolution()
  local options = { kernel = { 3, 2 }, filters = 7, stride = 2, padding = "valid", activation = "relu",
    init = "he_uniform" }
  local windows = nn.depthwise_conv2d(image, { kernel = { 3, 2 }, stride = 2, padding = "valid", bias = false,
    init = "he_uniform" })
  equal(nn.separable_conv2d(image, options), nn.relu(nn.conv2d(windows, { kernel = 1, filters = 7,
    init = "he_uniform" })))
  lu.assertEquals(options.activation, "relu") -- untouched
  refused("separable_conv2d: kernel is missing", nn.separable_conv2d, image, { filters = 3 })
  refused("separable_conv2d: filters is missing", nn.separable_conv2d, image, { kernel = 3 })
  refused('separable_conv2d: unknown option "depth"; known options: activation, bias', nn.separable_conv2d, image,
    { depth = 3 })
  refused("separable_conv2d: input is 3; expected a layer", nn.separable_conv2d, 3, { kernel = 1, filters = 1 })
  refused("separable_conv2d: activation is 7", nn.separable_conv2d, image, { activation = 7 })
end

-- ---- Several inputs --------------------------------------------------------------------------------

function T.test_joins()
  equal(nn.add { image, map, image }, apply("add", { image, map, image }))
  equal(nn.multiply { image, gate, map }, apply("multiply", { image, gate, map }))
  equal(nn.concat { image, map }, apply("concat", { image, map }, { align = "center" }))
  equal(nn.concat({ image, map }, { align = "top_left" }), apply("concat", { image, map }, { align = "top_left" }))
  lu.assertEquals(nn.concat({ image, nn.max_pool(map) }):shape(), { 8, 9, 8 })
  lu.assertEquals(nn.concat({ gate, vector, gate }):shape(), { 14 })
end

function T.test_bad_joins()
  refused("add: inputs are one layer; expected a list of layers", nn.add, image, map)
  refused("add: inputs are nil; expected a list of layers", nn.add)
  refused("add: 1 inputs; expected at least 2", nn.add, { image })
  refused("concat: 0 inputs; expected at least 1", nn.concat, {})
  refused("multiply: input 2 is 3; expected a layer", nn.multiply, { image, 3 })
  refused('concat: the list of inputs has the key "align"; expected a plain list of layers, and options in a second '
    .. 'table', nn.concat, { image, map, align = "top_left" })
  refused('add: the list of inputs has the key "x"; expected a plain list of layers', nn.add, { image, map, x = 1 })
  refused('concat: unknown option "axis"; known options: align', nn.concat, { image }, { axis = 3 })
  refused("add: input 1 has shape 8x9x4, but input 2 has 6; all must be equal", nn.add, { image, vector })
  local many = {}
  for i = 1, 65 do many[i] = image end
  refused("add: 65 inputs; expected at most 64", nn.add, many)
end

function T.test_a_missing_input_is_an_error()
  for _, kind in ipairs { "add", "multiply", "concat" } do
    refused(kind .. ": input 2 is nil; expected a layer", nn[kind], { image, nil, map })
    refused(kind .. ": input 1 is nil; expected a layer", nn[kind], { nil, image })
    refused(kind .. ": input 2 is false; expected a layer", nn[kind], { image, false, map })
  end
  refused("input: shape[2] is nil; expected an integer of at least 1", nn.input, { 8, nil, 1 })
end

function T.test_the_input_comes_first()
  for _, kind in ipairs {
    "conv2d", "depthwise_conv2d", "separable_conv2d", "batch_norm", "dense", "leaky_relu", "scale", "zero_pad",
    "dropout", "one_hot", "max_pool", "avg_pool",
  } do
    refused(kind .. ": input is a table and options are a layer; expected the layer first", nn[kind], {}, image)
    refused(kind .. ": input is nil; expected a layer", nn[kind], nil, { no_option = true })
  end
  refused("concat: inputs are one layer; expected a list of layers", nn.concat, image, map)
end

function T.test_layers_are_called_with_a_dot()
  for _, kind in ipairs { "input", "conv2d", "separable_conv2d", "relu", "max_pool", "concat", "add", "huber" } do
    refused(("nn:%s is called with a colon; expected a dot, as in nn.%s(...)"):format(kind, kind), nn[kind], nn, image,
      { filters = 3, kernel = 1 })
  end
end

function T.test_a_list_may_change_afterwards()
  local list = { image, map }
  local sum = nn.add(list)
  list[1] = vector
  equal(sum, nn.add { image, map })
end

-- ---- Losses ----------------------------------------------------------------------------------------

local class, values = core.node("target", {}), core.node("target", {}, { values = 6 })

function T.test_losses()
  equal(nn.softmax_cross_entropy(vector, class, { label_smoothing = 0.1 }),
    apply("softmax_cross_entropy", { vector, class }, { label_smoothing = 0.1 }))
  equal(nn.mean_squared_error(vector, values), apply("mean_squared_error", { vector, values }))
  equal(nn.huber(vector, values, { delta = 2 }), apply("huber", { vector, values }, { delta = 2 }))
  equal(nn.binary_cross_entropy(vector, values), apply("binary_cross_entropy", { vector, values }))
  lu.assertEquals(nn.huber(image, map):shape(), {})
  refused("huber: target is nil; expected a layer", nn.huber, vector)
  refused("huber: output is 3; expected a layer", nn.huber, 3, values)
  refused('mean_squared_error: unknown option "delta"', nn.mean_squared_error, vector, values, { delta = 1 })
  refused("mean_squared_error: the target is one class, but the output has shape 6; use softmax_cross_entropy",
    nn.mean_squared_error, vector, class)
  refused("target has shape 6; expected a class", nn.softmax_cross_entropy, vector, values)
end

function T.test_a_composed_loss()
  local loss = nn.mean((vector - values) ^ 2)
  lu.assertEquals(loss:shape(), {})
  equal(loss, nn.mean(nn.square(nn.add { vector, nn.scale(values, { factor = -1 }) })))
  lu.assertEquals(nn.mean((vector - nn.one_hot(class, { classes = 6 })) ^ 2):shape(), {})
end

-- ---- Arithmetic ------------------------------------------------------------------------------------

local function scale(x, factor, offset) return nn.scale(x, { factor = factor, offset = offset }) end

function T.test_arithmetic()
  equal(image + map, nn.add { image, map })
  equal(image - map, nn.add { image, scale(map, -1) })
  equal(image * map, nn.multiply { image, map })
  equal(-image, scale(image, -1))
  equal(image * 2, scale(image, 2))
  equal(2 * image, scale(image, 2))
  equal(image + 1, scale(image, 1, 1))
  equal(1 + image, scale(image, 1, 1))
  equal(image - 0.5, scale(image, 1, -0.5))
  equal(1 - image, scale(image, -1, 1))
  equal(image / 2, scale(image, 0.5))
  equal(image ^ 2, nn.square(image))
  equal(number * 3 + number, nn.add { scale(number, 3), number })
end

function T.test_a_gate_may_stand_on_either_side()
  equal(image * gate, nn.multiply { image, gate })
  equal(gate * image, nn.multiply { image, gate })
  equal(gate * gate, nn.multiply { gate, gate })
end

function T.test_bad_arithmetic()
  refused("layer +: the other operand is \"1\"; expected a layer or a number", function() return image + "1" end)
  refused("layer -: the other operand is \"1\"; expected a layer or a number", function() return "1" - image end)
  refused("layer *: the other operand is a table; expected a layer or a number", function() return image * {} end)
  refused("layer +: the other operand is nil; expected a layer or a number", function() return image + nil end)
  refused("layer /: the divisor is a layer; expected a number", function() return image / map end)
  refused("layer /: the divisor is a layer; expected a number", function() return 1 / map end)
  refused("layer /: the divisor is 0; expected a number other than 0", function() return image / 0 end)
  refused("layer ^: the exponent is 3; expected 2", function() return image ^ 3 end)
  refused("layer ^: the exponent is a layer; expected 2", function() return 2 ^ image end)
  refused("nan; expected a number from -1e+30 to 1e+30", function() return image + 0 / 0 end)
  refused("scale: factor is 1e+31; expected a number from -1e+30 to 1e+30", function() return image * 1e31 end)
  refused("add: input 1 has shape 8x9x4, but input 2 has 6; all must be equal", function() return image + vector end)
end

function T.test_errors_point_at_the_line()
  local line = debug.getinfo(1, "l").currentline + 1
  local _, message = pcall(function() return (image + {}) end)
  lu.assertStrMatches(message, "^.*test_nn.lua:" .. line .. ": layer.*$")
end

-- ---- Layers that can't be applied ------------------------------------------------------------------

-- A space that goes on with a layer that can't be applied; its reason.
local function reason_of(continue)
  local record = nas.random():sample(function()
    local x = nn.conv2d(nn.input { 8, 9, 4 }, { filters = 4, kernel = 99, padding = "valid" })
    return continue(x, nn.input { 8, 9, 4 })
  end)
  return record.unbuildable
end

function T.test_stand_ins_are_passed_on()
  local ways = {
    function(x) return nn.tanh(x) end,
    function(x, y) return nn.add { y, x } end,
    function(x, y) return nn.multiply { x, y, x } end,
    function(x, y) return nn.concat({ y, x }, { align = "top_left" }) end,
    function(x) return nn.separable_conv2d(x, { kernel = 3, filters = 2, activation = "tanh" }) end,
    function(x, y) return nn.huber(x, y) end,
    function(x, y) return y + x end,
    function(x, y) return x - y end,
    function(x, y) return y * x end,
    function(x) return 1 - x end,
    function(x) return -x / 2 end,
    function(x) return x ^ 2 end,
  }
  for i, continue in ipairs(ways) do
    lu.assertStrContains(tostring(reason_of(continue)), "conv2d: kernel 99x99 is larger", false, "way " .. i)
  end
end

function T.test_joins_of_other_shapes_are_failed_trials()
  lu.assertStrContains(reason_of(function(_, y) return nn.add { y, nn.max_pool(y) } end),
    "add: input 1 has shape 8x9x4, but input 2 has 4x4x4")
  lu.assertStrContains(reason_of(function(_, y) return y + nn.max_pool(y) end), "add: input 1 has shape 8x9x4")
  lu.assertErrorMsgContains("layer +: the other operand is true", reason_of, function(x) return x + true end)
end

return T
