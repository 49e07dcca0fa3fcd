--- What layers take and return: nodes of the core, and what stands for a layer that can't be applied.
---
--- While a space function runs, a layer such as a kernel larger than its unpadded input does not stop
--- it: the function goes on to its end, so that the record of decisions is whole, and the architecture
--- becomes a failed trial. Layers that follow pass the stand-in on. It has the shape of the input that
--- the layer could not be applied to.
local core = require "luanas.core"

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

local core_metatable -- of the core's nodes

--- Whether it is a node or a stand-in for one.
function node.is(value)
  core_metatable = core_metatable
    or debug.getmetatable(core.node("input", {}, { size = { 1, 1 }, channels = 1 }))
  return node.is_unbuildable(value) or debug.getmetatable(value) == core_metatable
end

--- Gives nodes and stand-ins the metamethods of arithmetic.
function node.arithmetic(metamethods)
  node.is(nil) -- finds the metatable
  for name, metamethod in pairs(metamethods) do
    core_metatable[name], Unbuildable[name] = metamethod, metamethod
  end
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

return node
