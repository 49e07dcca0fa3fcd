local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

local function first(...)
  return core.stream(...):number()
end

function tests.test_address()
  lu.assertEquals(first(1, "a", 2), first(1, "a", 2))
  lu.assertNotEquals(first(1, "a", 2), first(2, "a", 2))
  lu.assertNotEquals(first(1, "a", 2), first(1, "b", 2))
  lu.assertNotEquals(first(1, "a", 2), first(1, "a", 3))
  lu.assertNotEquals(first(1, "a", 2), first(1, "a"))
  lu.assertEquals(first(-1, "a", math.mininteger), first(-1, "a", math.mininteger))
end

function tests.test_number()
  local stream, sum = core.stream(1, "test"), 0
  for _ = 1, 1000 do
    local x = stream:number()
    lu.assertTrue(x >= 0 and x < 1)
    sum = sum + x
  end
  lu.assertAlmostEquals(sum / 1000, 0.5, 0.05)
end

function tests.test_integer()
  local stream, seen = core.stream(1, "test"), {}
  for _ = 1, 200 do seen[stream:integer(3)] = true end
  lu.assertEquals(seen, { true, true, true })
  lu.assertEquals(stream:integer(1), 1)
  lu.assertEquals(math.type(stream:integer(4294967295)), "integer")
  raises("n is 0; expected 1 to 4294967295", stream.integer, stream, 0)
  raises("n is 4294967296", stream.integer, stream, 1 << 32)
  raises("is 1.5; expected 1 to", stream.integer, stream, 1.5)
end

function tests.test_permutation()
  local stream = core.stream(1, "test")
  local order, sorted = stream:permutation(50), {}
  for i = 1, 50 do sorted[i] = i end
  lu.assertNotEquals(order, sorted)
  table.sort(order)
  lu.assertEquals(order, sorted)
  lu.assertEquals(stream:permutation(0), {})
  raises("n is -1", stream.permutation, stream, -1)
end

function tests.test_misuse()
  raises("bad argument #1", core.stream, "one", "test")
  raises("purpose contains a zero byte", core.stream, 1, "a\0b")
  raises("too many indices", core.stream, 1, "a", table.unpack({}, 1, 16 + 1))
  raises("bad argument #4", core.stream, 1, "a", 1, {})
  raises("luanas.Stream expected, got no value", core.stream(1, "a").number)
  lu.assertEquals(tostring(core.stream(1, "a")), "luanas.Stream")
end

return tests
