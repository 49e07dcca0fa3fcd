--- Layers. Each function describes one layer applied to earlier ones; nothing is allocated or computed
--- but shapes. Options are checked by the core's tables (core/nn/), which the messages name.
local core = require "luanas.core"
local check = require "luanas.check"
local node = require "luanas.node"

local nn = {}

local function layer(kind, input, options)
  if not node.is(input) then
    check.fail("%s: input is %s; expected a layer (what nn.input, nn.conv2d, ... return)", kind, check.show(input))
  end
  if node.is_unbuildable(input) then return input end
  local made, misfit = check.core(core.node, kind, { input }, options)
  if made then return made end
  if node.in_space() then return node.unbuildable(misfit, input:shape()) end
  check.fail("%s", misfit)
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
