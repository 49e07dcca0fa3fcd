--- What layers take and return: nodes of the core, and what stands for a layer that can't be applied; and the
--- arithmetic of both.
---
--- While a space function runs, a layer such as a kernel larger than its unpadded input does not stop
--- it: the function goes on to its end, so that the record of decisions is whole, and the architecture
--- becomes a failed trial. Layers that follow pass the stand-in on. It has the shape of the input that
--- the layer could not be applied to.
local core = require "luanas.core"
local check = require "luanas.check"

local node = {}

local Unbuildable = { __name = "luanas.Unbuildable" }
Unbuildable.__index = Unbuildable

function Unbuildable:shape()
  return { table.unpack(self.dims) }
end

function node.unbuildable(reason, shape)
  return setmetatable({ reason = reason, dims = shape }, Unbuildable)
end

function node.is_unbuildable(value)
  return getmetatable(value) == Unbuildable
end

local sample = core.node("input", {}, { size = { 1, 1 }, channels = 1 })
local Node, Network = debug.getmetatable(sample), debug.getmetatable(core.network(sample)) -- of the core

--- Whether it is a node or a stand-in for one.
function node.is(value)
  return node.is_unbuildable(value) or debug.getmetatable(value) == Node
end

--- Raises an error unless `value` can be the shape of an input.
function node.check_shape(owner, name, value)
  if type(value) ~= "table" or (#value ~= 3 and #value ~= 1) then
    check.fail("%s: %s is %s; expected { height, width, channels } or { features }", owner, name,
      type(value) == "table" and ("a list of %d"):format(#value) or check.show(value))
  end
  for i = 1, #value do check.integer(owner, ("%s[%d]"):format(name, i), value[i], 1) end
  return value
end

function node.is_network(value)
  return debug.getmetatable(value) == Network
end

local running = 0 -- space functions that run now
local leave = setmetatable({}, { __close = function() running = running - 1 end })

--- To be held in a <close> variable while a space function runs.
function node.enter_space()
  running = running + 1
  return leave
end

--- Whether a space function runs. Elsewhere a layer that can't be applied is an error at once.
function node.in_space()
  return running > 0
end

--- A layer of the kind upon nodes, or what stands for it: the first stand-in among the inputs, or, where the
--- layer can't be applied while a space function runs, a new one.
function node.apply(kind, inputs, options)
  for _, input in ipairs(inputs) do
    if node.is_unbuildable(input) then return input end
  end
  local made, misfit = check.core(core.node, kind, inputs, options)
  if made then return made end
  if node.in_space() then return node.unbuildable(misfit, inputs[1]:shape()) end
  check.fail("%s", misfit)
end

-- ---- Arithmetic ------------------------------------------------------------------------------------

local function scaled(x, factor, offset)
  return node.apply("scale", { x }, { factor = factor, offset = offset })
end

-- Whether the operand is a number; if it is neither that nor a node, an error.
local function is_number(operator, value)
  if node.is(value) then return false end
  if math.type(value) then return true end
  check.fail("layer %s: the other operand is %s; expected a layer or a number", operator, check.show(value))
end

local operators = {}

function operators.__add(a, b)
  if is_number("+", a) then return scaled(b, 1, a) end
  if is_number("+", b) then return scaled(a, 1, b) end
  return node.apply("add", { a, b }, {})
end

function operators.__sub(a, b)
  if is_number("-", a) then return scaled(b, -1, a) end
  if is_number("-", b) then return scaled(a, 1, -b) end
  return node.apply("add", { a, scaled(b, -1, 0) }, {})
end

-- A gate, one unit for each channel of a map, may stand on either side.
function operators.__mul(a, b)
  if is_number("*", a) then return scaled(b, a, 0) end
  if is_number("*", b) then return scaled(a, b, 0) end
  if #a:shape() < #b:shape() then a, b = b, a end
  return node.apply("multiply", { a, b }, {})
end

function operators.__div(a, b)
  if not is_number("/", b) or b == 0 then
    check.fail("layer /: the divisor is %s; expected a number other than 0", node.is(b) and "a layer" or check.show(b))
  end
  return scaled(a, 1 / b, 0)
end

function operators.__unm(a)
  return scaled(a, -1, 0)
end

function operators.__pow(a, b)
  if b ~= 2 then
    check.fail("layer ^: the exponent is %s; expected 2", node.is(b) and "a layer" or check.show(b))
  end
  return node.apply("square", { a }, {})
end

for name, operator in pairs(operators) do
  Node[name], Unbuildable[name] = operator, operator
end

-- ---- Plans -----------------------------------------------------------------------------------------

-- A method of nodes and of networks, loaded when it is first used.
local function plan(self, options)
  return require "luanas.profile".plan(self, options)
end

Node.__index.plan, Network.__index.plan = plan, plan

return node
