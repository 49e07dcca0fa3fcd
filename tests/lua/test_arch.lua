local lu = require "luaunit"
local nas = require "luanas"
local option_list = require "luanas.option_list"
local spaces = require "spaces"

local T = {}

local function key(options)
  return option_list.new("test", options).key
end

function T.test_key_text()
  lu.assertEquals(key { 1, 3 }, "1,3")
  lu.assertEquals(key { 0.5, -2, 1e-5, 1e300 }, "0.5,-2,1e-05,1e+300")
  lu.assertEquals(key { true, false }, "true,false")
  lu.assertEquals(key { "same", "valid" }, '"same","valid"')
  lu.assertEquals(key { { label = "big", value = { 5, 5 } }, "big" }, '@"big","big"')
  lu.assertEquals(key { 'a"b', "a,b", "a\\b", "a\nb", "" }, '"a\\"b","a,b","a\\\\b","a\\x0Ab",""')
end

function T.test_numbers_are_one_option_whatever_their_type()
  lu.assertEquals(key { 1, 3 }, key { 1.0, 3.0 })
  lu.assertEquals(key { 0 }, key { -0.0 })
  lu.assertEquals(key { 9007199254740993 }, "9007199254740993")
  lu.assertNotEquals(key { 1 }, key { "1" })
  lu.assertNotEquals(key { true }, key { "true" })
  lu.assertNotEquals(key { "a", "b" }, key { "a,b" })
end

function T.test_equal_lists_are_one_object()
  lu.assertIs(option_list.new("test", { 1, "a" }), option_list.new("test", { 1.0, "a" }))
end

function T.test_short_form()
  local arch = nas.arch 'kernel=3{1,3} filters=64{32,64} kernel=1{1,3} act="re lu"{"re lu"} size=@"big"{@"big"}'
  lu.assertEquals(tostring(arch), 'kernel=3 filters=64 | kernel=1 act="re lu" size=big')
  lu.assertEquals(#arch, 5)
  lu.assertEquals(tostring(nas.arch ""), "(no decisions)")
end

function T.test_values()
  local arch = nas.arch 'kernel=3{1,3} kernel=1{1,3} size=@"big"{@"big"} flag=false{true,false}'
  lu.assertEquals(arch:value("kernel"), 3)
  lu.assertEquals(arch:value("kernel", 2), 1)
  lu.assertEquals(arch:value("size"), "big")
  lu.assertEquals(arch:value("flag"), false)
  lu.assertNil(arch:value("kernel", 3))
end

function T.test_lines_read_back()
  local line = '"odd name\\x09"="x\\\\\\"y"{"x\\\\\\"y",-0.125,true,@"z z"} k=1{1} k=2{1,2} a.b-c=@"z"{@"z",1e+100}'
  local arch = nas.arch(line)
  lu.assertEquals(arch:line(), line)
  lu.assertEquals(arch:value("odd name\t"), 'x\\"y')
  lu.assertTrue(arch == nas.arch(line))
  lu.assertFalse(arch == nas.arch "k=1{1}")
  for sampled in nas.space.enumerate(spaces.branching) do
    lu.assertTrue(nas.arch(sampled:line()) == sampled)
  end
end

function T.test_lines_that_are_wrong()
  for _, wrong in ipairs {
    "kernel", "kernel=3", "kernel=3{1,3", "kernel=2{1,3}", "kernel=3{1,3}  kernel=3{1,3}", "kernel=3{1,3}x", "k=3{}",
    "=3{3}", 'k="a{"a"}', "k=+3{3}", "k=3.0{3}", "k=1e5{1e5}", 'k=@a{@a}', 'k="\\y"{"\\y"}', "k=nan{nan}",
  } do
    lu.assertErrorMsgContains("no decision at byte", nas.arch, wrong)
  end
  lu.assertErrorMsgContains("decision at byte 15", nas.arch, "kernel=3{1,3} oops")
  lu.assertErrorMsgContains("line is 3; expected a string", nas.arch, 3)
end

function T.test_damaged_lines_never_crash()
  local line = 'kernel=3{1,3} act="re lu"{"re lu","b"} size=@"big"{@"big",0.5}'
  local stream = nas.stream(1, "damage")
  for _ = 1, 2000 do
    local at = stream:integer(#line)
    local damaged = line:sub(1, at - 1) .. string.char(stream:integer(255)) .. line:sub(at + stream:integer(3) - 1)
    local ok, result = pcall(nas.arch, damaged)
    if ok then lu.assertEquals(result:line(), damaged) else lu.assertStrContains(result, "no decision at byte") end
  end
end

function T.test_a_dot_for_a_colon()
  local arch = nas.arch "kernel=3{1,3}"
  lu.assertErrorMsgContains("arch:value is called with a dot; expected a colon, as in arch:value(...)", arch.value,
    "kernel")
  lu.assertErrorMsgContains("arch:line is called with a dot", arch.line)
end

return T
