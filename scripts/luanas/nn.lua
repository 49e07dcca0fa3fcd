--- Layers. Each function describes one layer applied to earlier ones; nothing is allocated or computed
--- but shapes. Options are checked by the core's tables (core/nn/), which the messages name.
local core = require "luanas.core"
local check = require "luanas.check"
local node = require "luanas.node"

local nn = {}

local function check_node(kind, name, value)
  if not node.is(value) then
    check.fail("%s: %s is %s; expected a layer (what nn.input, nn.conv2d, ... return)", kind, name, check.show(value))
  end
end

local function check_input(kind, input, options)
  if node.is(options) and not node.is(input) then
    check.fail("%s: input is %s and options are a layer; expected the layer first, as in nn.%s(x, { ... })", kind,
      check.show(input), kind)
  end
  check_node(kind, "input", input)
end

local function layer(kind, input, options)
  check_node(kind, "input", input)
  return node.apply(kind, { input }, options)
end

local tables -- option tables of the core, read once

local function table_of(kind)
  tables = tables or core.options().layers
  return tables[kind]
end

-- A copy of `options` for the core. Unknown names are errors here, so that the message also lists those that
-- only this file knows (`more`). `owner` begins messages if it is not the kind.
local function own_options(kind, options, more, owner)
  local known = { more }
  for _, option in ipairs(table_of(kind)) do known[#known + 1] = option.name end
  local own = {}
  for name, value in pairs(check.options(owner or kind, options, known)) do own[name] = value end
  return own
end

-- ---- Activations -----------------------------------------------------------------------------------

local ACTIVATIONS = { "leaky_relu", "none", "relu", "sigmoid", "tanh" }

-- Takes the activation out of a layer's options.
local function take_activation(owner, own)
  local activation = own.activation
  own.activation = nil
  if activation == nil then return "none" end
  for _, name in ipairs(ACTIVATIONS) do
    if activation == name then return activation end
  end
  check.fail("%s: activation is %s; expected one of %s", owner, check.show(activation),
    table.concat(ACTIVATIONS, ", "))
end

local function activated(activation, output)
  return activation == "none" and output or layer(activation, output, {})
end

local function activated_layer(kind, input, options)
  check_input(kind, input, options)
  local own = own_options(kind, options, "activation")
  local activation = take_activation(kind, own)
  return activated(activation, layer(kind, input, own))
end

-- ---- Layers with weights ---------------------------------------------------------------------------

function nn.input(shape)
  node.check_shape("input", "shape", shape)
  local size = #shape == 3 and { shape[1], shape[2] } or { 0, 0 }
  return check.core(core.node, "input", {}, { size = size, channels = shape[#shape] })
end

function nn.conv2d(input, options)
  return activated_layer("conv2d", input, options)
end

function nn.depthwise_conv2d(input, options)
  return activated_layer("depthwise_conv2d", input, options)
end

--- The window slides over each channel by itself; a convolution of one pixel then mixes them.
function nn.separable_conv2d(input, options)
  check_input("separable_conv2d", input, options)
  local own = own_options("conv2d", options, "activation", "separable_conv2d")
  local activation = take_activation("separable_conv2d", own)
  for _, name in ipairs { "kernel", "filters" } do
    if own[name] == nil then check.fail("separable_conv2d: %s is missing", name) end
  end
  local windows = layer("depthwise_conv2d", input, { kernel = own.kernel, stride = own.stride,
    padding = own.padding, bias = false, init = own.init, init_range = own.init_range })
  local mixed = layer("conv2d", windows, { kernel = 1, filters = own.filters, bias = own.bias, init = own.init,
    init_range = own.init_range })
  return activated(activation, mixed)
end

function nn.batch_norm(input, options)
  return activated_layer("batch_norm", input, options)
end

function nn.dense(input, options)
  return activated_layer("dense", input, options)
end

-- ---- One input -------------------------------------------------------------------------------------

for _, kind in ipairs { "relu", "tanh", "sigmoid", "exp", "log", "square", "abs", "identity", "flatten",
  "global_avg_pool", "mean", "sum" } do
  nn[kind] = function(input)
    return layer(kind, input, {})
  end
end

for _, kind in ipairs { "leaky_relu", "scale", "zero_pad", "dropout", "one_hot" } do
  nn[kind] = function(input, options)
    check_input(kind, input, options)
    return layer(kind, input, own_options(kind, options))
  end
end

for _, kind in ipairs { "max_pool", "avg_pool" } do
  nn[kind] = function(input, options)
    check_input(kind, input, options)
    local own = own_options(kind, options)
    if own.stride == nil then own.stride = own.pool end
    return layer(kind, input, own)
  end
end

-- ---- Several inputs --------------------------------------------------------------------------------

-- The layers of a plain list, of at least so many.
local function check_inputs(kind, inputs, least)
  if type(inputs) ~= "table" or node.is(inputs) then
    check.fail("%s: inputs are %s; expected a list of layers", kind,
      node.is(inputs) and "one layer" or check.show(inputs))
  end
  local stray = check.stray_key(inputs)
  if stray ~= nil then
    check.fail("%s: the list of inputs has the key %s; expected a plain list of layers%s", kind, check.show(stray),
      #table_of(kind) > 0 and ", and options in a second table" or "")
  end
  for i = 1, #inputs do check_node(kind, "input " .. i, inputs[i]) end
  if #inputs < least then check.fail("%s: %d inputs; expected at least %d", kind, #inputs, least) end
  return table.move(inputs, 1, #inputs, 1, {})
end

for _, kind in ipairs { "add", "multiply" } do
  nn[kind] = function(inputs)
    return node.apply(kind, check_inputs(kind, inputs, 2), {})
  end
end

function nn.concat(inputs, options)
  local own = check_inputs("concat", inputs, 1)
  return node.apply("concat", own, own_options("concat", options))
end

-- ---- Losses ----------------------------------------------------------------------------------------

for _, kind in ipairs { "softmax_cross_entropy", "mean_squared_error", "huber", "binary_cross_entropy" } do
  nn[kind] = function(output, target, options)
    check_node(kind, "output", output)
    check_node(kind, "target", target)
    return node.apply(kind, { output, target }, own_options(kind, options))
  end
end

return check.dots("nn", nn)
