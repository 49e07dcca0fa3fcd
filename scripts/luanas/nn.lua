--- Layers. Each function describes one layer applied to earlier ones; nothing is allocated or computed
--- but shapes. Options are checked by the core's tables (core/nn/), which the messages name.
local core = require "luanas.core"
local check = require "luanas.check"
local node = require "luanas.node"

local nn = {}

-- An image that every layer with legal options fits: what fails on it too is a mistake in the script,
-- what fails on the true input only is a network that can't be built.
local function legal_options(kind, options)
  local image = core.node("input", {}, { size = { 512, 512 }, channels = 1 })
  return (pcall(core.node, kind, { image }, options))
end

local function layer(kind, input, options)
  if not node.is(input) then
    check.fail("%s: input is %s; expected a layer (what nn.input, nn.conv2d, ... return)", kind, check.show(input))
  end
  if node.is_unbuildable(input) then return input end
  local ok, result = pcall(core.node, kind, { input }, options)
  if ok then return result end
  if type(result) ~= "string" then error(result, 0) end
  result = check.message(result)
  if node.in_space() and legal_options(kind, options) then
    return node.unbuildable(result, input:shape())
  end
  check.fail("%s", result)
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

local function activated_layer(kind, input, options)
  local own = own_options(kind, options, "activation")
  local activation = own.activation
  own.activation = nil
  if activation ~= nil and activation ~= "relu" and activation ~= "none" then
    check.fail("%s: activation is %s; expected \"relu\" or \"none\"", kind, check.show(activation))
  end
  local output = layer(kind, input, own)
  return activation == "relu" and layer("relu", output, {}) or output
end

function nn.input(shape)
  if type(shape) ~= "table" or #shape ~= 3 then
    check.fail("input: shape is %s; expected { height, width, channels }",
      type(shape) == "table" and ("a list of %d"):format(#shape) or check.show(shape))
  end
  return check.core(core.node, "input", {}, { size = { shape[1], shape[2] }, channels = shape[3] })
end

function nn.conv2d(input, options)
  return activated_layer("conv2d", input, options)
end

function nn.dense(input, options)
  return activated_layer("dense", input, options)
end

function nn.relu(input)
  return layer("relu", input, {})
end

function nn.max_pool(input, options)
  local own = own_options("max_pool", options)
  if own.stride == nil then own.stride = own.pool end
  return layer("max_pool", input, own)
end

function nn.global_avg_pool(input)
  return layer("global_avg_pool", input, {})
end

return nn
