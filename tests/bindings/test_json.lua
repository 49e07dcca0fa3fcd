local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"

local raises = support.raises

local tests = {}

function tests.test_texts()
  local cases = {
    [1] = "1", [-7] = "-7", [math.mininteger] = "-9223372036854775808", [0.1] = "0.1", [1e300] = "1e+300",
    [2.5] = "2.5", ["a"] = '"a"', [true] = "true", [false] = "false",
  }
  for value, text in pairs(cases) do lu.assertEquals(core.json_encode(value), text) end
  lu.assertEquals(core.json_encode(1.0), "1.0")
  lu.assertEquals(core.json_encode(-0.0), "0.0")
  lu.assertEquals(core.json_encode 'a"\\\n\0é', '"a\\"\\\\\\u000a\\u0000é"')
  lu.assertEquals(core.json_encode {}, "{}")
  lu.assertEquals(core.json_encode { 1, { 2 }, "x" }, '[1,[2],"x"]')
  lu.assertEquals(core.json_encode { b = 1, a = { d = true, c = 0.5 } }, '{"a":{"c":0.5,"d":true},"b":1}')
end

function tests.test_values_come_back()
  local stream = core.stream(1, "json")
  for _ = 1, 1000 do
    local number = (stream:number() - 0.5) * 10.0 ^ (stream:integer(600) - 300)
    local back = core.json_decode(core.json_encode(number))
    lu.assertTrue(back == number and math.type(back) == "float", core.json_encode(number))
  end
  for _, value in ipairs { 0, -1, math.maxinteger, math.mininteger, 3.0, true, false, "", 'x"\n\0é' } do
    local back = core.json_decode(core.json_encode(value))
    lu.assertTrue(back == value and math.type(back) == math.type(value))
  end
  local deep = { list = { 1, 2, { a = "b" } }, object = { x = 1.5 } }
  lu.assertEquals(core.json_decode(core.json_encode(deep)), deep)
end

function tests.test_what_has_no_text()
  raises("json: NaN", core.json_encode, { a = 0 / 0 })
  raises("json: an infinite number", core.json_encode, math.huge)
  raises("expected strings in UTF-8", core.json_encode, "\xff")
  raises("the key -1; expected strings", core.json_encode, { a = 1, [-1] = 2 })
  raises("expected a number, a string, a boolean or a table", core.json_encode, { print })
  local endless = {}
  endless.a = endless
  raises("nested deeper", core.json_encode, endless)
  raises("value expected", core.json_encode)
end

function tests.test_what_is_no_json()
  for _, text in ipairs { "", "{", "[1,]", "{a:1}", '{"a":1,"a":2}', "1 2", "nan" } do
    local value, message = core.json_decode(text)
    lu.assertNil(value)
    lu.assertStrContains(message, "json: byte")
  end
  raises("nested deeper", core.json_decode, ("["):rep(30) .. ("]"):rep(30))
  lu.assertNil(core.json_decode "null")
end

function tests.test_without_memory()
  support.with_little_memory(function() return core.json_encode { a = { 1, "two" }, b = 0.5 } end)
end

return tests
