-- What several tests of the bindings use.
local core = require "luanas.core"
local lu = require "luaunit"
local runner = require "runner"

local support = {}

-- f(...) must raise a message that contains `part` (plain text).
function support.raises(part, f, ...)
  local ok, message = pcall(f, ...)
  lu.assertFalse(ok, "no error was raised; expected: " .. part)
  lu.assertIsString(message)
  lu.assertStrContains(message, part)
end

function support.input(height, width, channels)
  return core.node("input", {}, { size = { height or 8, width or 8 }, channels = channels or 1 })
end

-- A network for support.dataset().
function support.network()
  local x = core.node("conv2d", { support.input() }, { kernel = 3, filters = 4, stride = 2 })
  x = core.node("global_avg_pool", { core.node("relu", { x }) })
  return core.node("dense", { x }, { units = 3 })
end

-- Images of 8x8x1 in 3 classes, which differ in brightness.
function support.tensors(count)
  local stream = core.stream(7, "test images")
  local images = core.tensor({ count, 8, 8, 1 }, "uint8")
  local labels = core.tensor({ count }, "int32")
  for i = 1, count do
    labels[i] = (i - 1) % 3 + 1
    for y = 1, 8 do
      for x = 1, 8 do images:set(i, y, x, 1, 60 * labels[i] + stream:integer(60)) end
    end
  end
  return images, labels
end

function support.dataset(count, validation)
  local images, labels = support.tensors(count or 48)
  local dataset = core.dataset("test", { inputs = images, targets = labels, classes = 3 })
  return dataset:split { validation = validation or 12 }
end

-- Whether f succeeded with so many allocations allowed.
local function attempt(f, lua, nas)
  collectgarbage "stop" -- a finalizer that lacks memory itself is lost, which is Lua's matter
  local ok, message = runner.limited(lua, nas, f)
  collectgarbage "restart"
  if not ok then lu.assertStrContains(tostring(message), "memory") end
  return ok
end

local function collected()
  collectgarbage()
  collectgarbage()
  return (runner.used())
end

-- f runs with 0, 1, 2, ... allocations allowed until it succeeds: first those of Lua are limited, then those of
-- libnas. Each time nothing may be left.
function support.with_little_memory(f)
  for kind = 1, 2 do
    local before, allowed, done = collected(), 0, false
    while not done do
      done = attempt(f, kind == 1 and allowed or -1, kind == 2 and allowed or -1)
      lu.assertEquals(collected(), before, ("blocks after %d allocations"):format(allowed))
      allowed = allowed + 1
    end
  end
end

return support
