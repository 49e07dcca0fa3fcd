--- Spaces and data that several tests use.
local nas = require "luanas"
local nn = nas.nn

local spaces = {}

--- The student project's space: 1,296 architectures.
function spaces.student(c)
  local x = nn.input { 28, 28, 1 }
  for layer = 1, 4 do
    local kernel = c:choose("kernel", { 1, 3 })
    local filters = c:choose("filters", { 32, 48, 64 })
    local stride = layer % 2 == 1 and 2 or 1
    x = nn.conv2d(x, { filters = filters, kernel = kernel, stride = stride, activation = "relu" })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

--- Four small networks on 8x8 images of 10 classes.
function spaces.tiny(c)
  local x = nn.input { 8, 8, 1 }
  x = nn.conv2d(x, { kernel = c:choose("kernel", { 1, 3 }), filters = c:choose("filters", { 2, 4 }), stride = 2,
    activation = "relu" })
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

--- Branches and variable depth: 2 + (1 + 1 + 2) = 6 architectures; "pool" exists in one branch only.
function spaces.branching(c)
  local x = nn.input { 8, 8, 1 }
  if c:choose("kind", { "dense", "conv" }) == "dense" then
    return nn.dense(x, { units = c:choose("units", { 10, 20 }) })
  end
  local depth = c:choose("depth", { 1, 2, 3 })
  for _ = 1, depth do x = nn.conv2d(x, { kernel = 3, filters = 4 }) end
  if depth == 3 and c:choose("pool", { true, false }) then x = nn.max_pool(x) end
  return nn.dense(x, { units = 10 })
end

--- Half of its architectures can't be built: a kernel of 5 on an unpadded image of 4x4.
function spaces.fragile(c)
  local x = nn.max_pool(nn.input { 8, 8, 1 })
  x = nn.conv2d(x, { kernel = c:choose("kernel", { 5, 3 }), filters = 2, padding = "valid" })
  local shape = x:shape()
  assert(#shape == 3)
  x = nn.conv2d(x, { kernel = 1, filters = c:choose("filters", { 2, 3 }), activation = "relu" })
  return nn.dense(x, { units = 10 })
end

--- A list of all architectures of a space.
function spaces.all(space)
  local list = {}
  for arch in nas.space.enumerate(space) do list[#list + 1] = arch end
  return list
end

function spaces.data(options)
  options = options or {}
  options.images = options.images or 60
  return nas.data.synthetic(options)
end

--- A quiet study of the tiny space; `options` are added or replace.
function spaces.study(options)
  local own = {
    space = spaces.tiny, data = spaces.data(), quiet = true,
    train = { epochs = 2, batch = 16, optimizer = nas.adam { rate = 0.01 } },
  }
  for name, value in pairs(options or {}) do own[name] = value end
  return nas.study(own)
end

return spaces
