--- Layers. Each function describes one layer applied to earlier ones; nothing is allocated or computed but shapes.
--- Options are checked by the core's tables (core/nn/), which the messages name. Layers can be combined by + - * / ^ 2
--- with each other and with numbers.
local core = require "luanas.core"
local check = require "luanas.check"
local node = require "luanas.node"

local nn = {}

-- ---- Making a layer --------------------------------------------------------------------------------

local function check_input(kind, input)
  if not node.is(input) then
    check.fail("%s: input is %s; expected a layer (what nn.input, nn.conv2d, ... return)", kind, check.show(input))
  end
end

-- A layer of one or more inputs; a stand-in among them, or for a layer that can't be applied, is passed on.
local function join(kind, inputs, options)
  for _, input in ipairs(inputs) do
    check_input(kind, input)
    if node.is_unbuildable(input) then return input end
  end
  local made, misfit = check.core(core.node, kind, inputs, options)
  if made then return made end
  if node.in_space() then return node.unbuildable(misfit, inputs[1]:shape()) end
  check.fail("%s", misfit)
end

local function layer(kind, input, options)
  check_input(kind, input)
  return join(kind, { input }, options)
end

local tables -- option tables of the core, read once

-- A copy of `options` for the core. Unknown names are errors here, so that the message also lists those that
-- only this file knows (`more`).
local function own_options(kind, options, more)
  tables = tables or core.options().layers
  local known = { more }
  for _, option in ipairs(tables[kind]) do known[#known + 1] = option.name end
  local own = {}
  for name, value in pairs(check.options(kind, options, known)) do own[name] = value end
  return own
end

-- ---- Layers with weights, and what may follow them -------------------------------------------------

local ACTIVATIONS = { leaky_relu = true, none = true, relu = true, sigmoid = true, tanh = true }

local function activated(kind, output, activation)
  if activation == nil or activation == "none" then return output end
  if not ACTIVATIONS[activation] then
    check.fail("%s: activation is %s; expected one of %s", kind, check.show(activation),
      table.concat(check.sorted_keys(ACTIVATIONS), ", "))
  end
  return layer(activation, output, {})
end

local function activated_layer(kind, input, options)
  local own = own_options(kind, options, "activation")
  local activation = own.activation
  own.activation = nil
  return activated(kind, layer(kind, input, own), activation)
end

function nn.input(shape)
  if type(shape) ~= "table" or (#shape ~= 3 and #shape ~= 1) then
    check.fail("input: shape is %s; expected { height, width, channels } or { features }",
      type(shape) == "table" and ("a list of %d"):format(#shape) or check.show(shape))
  end
  local size = #shape == 3 and { shape[1], shape[2] } or { 0, 0 }
  for _, extent in ipairs(#shape == 3 and size or {}) do check.integer("input", "size", extent, 1) end
  return check.core(core.node, "input", {}, { size = size, channels = shape[#shape] })
end

function nn.conv2d(input, options)
  return activated_layer("conv2d", input, options)
end

function nn.depthwise_conv2d(input, options)
  return activated_layer("depthwise_conv2d", input, options)
end

local DEPTHWISE = { "kernel", "padding", "stride" } -- options of the first half

function nn.separable_conv2d(input, options)
  options = check.options("separable_conv2d", options,
    { "activation", "bias", "filters", "init", "init_range", "kernel", "padding", "stride" })
  local first = { bias = false, init = options.init, init_range = options.init_range }
  for _, name in ipairs(DEPTHWISE) do first[name] = options[name] end
  local second = {
    kernel = 1, filters = options.filters, bias = options.bias, init = options.init, init_range = options.init_range,
  }
  local output = layer("conv2d", layer("depthwise_conv2d", input, first), second)
  return activated("separable_conv2d", output, options.activation)
end

function nn.dense(input, options)
  return activated_layer("dense", input, options)
end

function nn.batch_norm(input, options)
  return activated_layer("batch_norm", input, options)
end

-- ---- Layers of one input ---------------------------------------------------------------------------

for _, kind in ipairs { "relu", "tanh", "sigmoid", "identity", "exp", "log", "square", "abs", "flatten",
  "global_avg_pool", "mean", "sum" } do
  nn[kind] = function(input) return layer(kind, input, {}) end
end

for _, kind in ipairs { "leaky_relu", "scale", "dropout", "zero_pad", "one_hot" } do
  nn[kind] = function(input, options) return layer(kind, input, own_options(kind, options)) end
end

for _, kind in ipairs { "max_pool", "avg_pool" } do
  nn[kind] = function(input, options)
    local own = own_options(kind, options)
    if own.stride == nil then own.stride = own.pool end
    return layer(kind, input, own)
  end
end

-- ---- Layers of several inputs ----------------------------------------------------------------------

local function check_inputs(kind, inputs, least)
  if type(inputs) ~= "table" or node.is(inputs) or #inputs < least then
    check.fail("%s: inputs are %s; expected a list of at least %d layers", kind,
      type(inputs) == "table" and not node.is(inputs) and ("a list of %d"):format(#inputs) or check.show(inputs), least)
  end
  return table.move(inputs, 1, #inputs, 1, {})
end

function nn.add(inputs)
  return join("add", check_inputs("add", inputs, 2), {})
end

function nn.multiply(inputs)
  return join("multiply", check_inputs("multiply", inputs, 2), {})
end

function nn.concat(inputs, options)
  return join("concat", check_inputs("concat", inputs, 1), own_options("concat", options))
end

-- ---- Losses ----------------------------------------------------------------------------------------

for _, kind in ipairs { "softmax_cross_entropy", "mean_squared_error", "huber", "binary_cross_entropy" } do
  nn[kind] = function(output, target, options)
    check_input(kind, output)
    check_input(kind, target)
    return join(kind, { output, target }, own_options(kind, options))
  end
end

-- ---- Arithmetic ------------------------------------------------------------------------------------

local function scaled(input, factor, offset)
  return layer("scale", input, { factor = factor, offset = offset })
end

-- a + sign * b, either of which may be a number.
local function sum_of(a, b, sign)
  if type(b) == "number" then return scaled(a, 1, sign * b) end
  if type(a) == "number" then return scaled(b, sign, a) end
  return join("add", { a, sign == 1 and b or scaled(b, -1, 0) }, {})
end

node.arithmetic {
  __add = function(a, b) return sum_of(a, b, 1) end,
  __sub = function(a, b) return sum_of(a, b, -1) end,
  __unm = function(a) return scaled(a, -1, 0) end,
  __mul = function(a, b)
    if type(b) == "number" then return scaled(a, b, 0) end
    if type(a) == "number" then return scaled(b, a, 0) end
    return join("multiply", { a, b }, {})
  end,
  __div = function(a, b)
    if type(b) ~= "number" then check.fail("a layer can be divided by a number only, not by %s", check.show(b)) end
    return scaled(a, 1 / b, 0)
  end,
  __pow = function(a, exponent)
    if exponent ~= 2 then
      check.fail("a layer can be raised to the power 2 only, not to %s", check.show(exponent))
    end
    return layer("square", a, {})
  end,
}

return nn
