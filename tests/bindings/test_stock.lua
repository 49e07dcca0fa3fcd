-- The module and the package in stock Lua, which knows them by LUA_CPATH and LUA_PATH.
local core = require "luanas.core"
local nas = require "luanas"
assert(nas.version == core.version)
assert(not package.preload["luanas.core"])
local expected = os.getenv "LUANAS_EXPECT_ISA" -- see tests/expect_isa.c
assert(not expected or core.machine().isa == expected, core.machine().isa)

local images, labels = core.tensor({ 24, 8, 8, 1 }, "uint8"), core.tensor({ 24 }, "int32")
for i = 1, 24 do
  labels[i] = i % 2 + 1
  images[i] = 100 * labels[i]
end
local data = core.dataset("test", { inputs = images, targets = labels, classes = 2 }):split { validation = 8 }
local x = core.node("input", {}, { size = 8, channels = 1 })
x = core.node("conv2d", { x }, { kernel = 3, filters = 4 })
x = core.node("dense", { core.node("global_avg_pool", { x }) }, { units = 2 })
local trainer <close> = core.trainer(x, data, core.recipe { batch = 8 }, 0)
assert(trainer:epoch().epoch == 1)
assert(not pcall(core.node, "conv2d", {}, {}))
