local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

function tests.test_values()
  lu.assertAlmostEquals(core.math.exp(1), math.exp(1), 1e-15)
  lu.assertAlmostEquals(core.math.log(10), math.log(10), 1e-15)
  lu.assertEquals(core.math.tanh(0), 0.0)
  lu.assertEquals(core.math.sigmoid(0), 0.5)
  lu.assertEquals(core.math.pow(2, 10), 1024.0)
  lu.assertEquals(core.math.log(0), -math.huge)
  lu.assertIsNaN(core.math.log(-1))
end

function tests.test_power_is_written_out()
  local a = 0.7382
  lu.assertEquals(core.math.pow(a, 3), a * (a * a))
end

function tests.test_misuse()
  raises("bad argument #1", core.math.exp, {})
  raises("bad argument #2", core.math.pow, 2)
end

return tests
