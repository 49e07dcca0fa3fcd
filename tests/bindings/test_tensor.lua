local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

local function matrix()
  return core.tensor_from { { 1, 2, 3 }, { 4, 5, 6 } }
end

-- ---- Making ----------------------------------------------------------------------------------------

function tests.test_zeros()
  local t = core.tensor({ 2, 3 }, "uint8")
  lu.assertEquals(t:shape(), { 2, 3 })
  lu.assertEquals(t:dtype(), "uint8")
  lu.assertEquals(t:size(), 6)
  lu.assertEquals(#t, 2)
  lu.assertEquals(t:sum(), 0)
  lu.assertEquals(core.tensor({ 1 }):dtype(), "float32")
end

function tests.test_bad_shapes()
  raises("a shape of 0 dimensions; expected 1 to 8", core.tensor, {})
  raises("a shape of 9 dimensions", core.tensor, { 1, 1, 1, 1, 1, 1, 1, 1, 1 })
  raises("dimension 2 is 0; expected an integer of at least 1", core.tensor, { 3, 0 })
  raises('dimension 1 is "a"', core.tensor, { "a" })
  raises("dimension 1 is 1.5", core.tensor, { 1.5 })
  raises("invalid option 'float64'", core.tensor, { 1 }, "float64")
  raises("more elements than memory can hold", core.tensor, { math.maxinteger, 8 })
  raises("bad argument #1", core.tensor, 3)
end

function tests.test_from_tables()
  lu.assertEquals(matrix():totable(), { { 1.0, 2.0, 3.0 }, { 4.0, 5.0, 6.0 } })
  lu.assertEquals(core.tensor_from({ 1, 2 }, "int32"):totable(), { 1, 2 })
  lu.assertEquals(math.type(core.tensor_from({ 1 }, "int32"):get(1)), "integer")
  lu.assertEquals(core.tensor_from({ { { 7 } } }):shape(), { 1, 1, 1 })
end

function tests.test_bad_tables()
  raises("values[2] has length 1; expected 2", core.tensor_from, { { 1, 2 }, { 3 } })
  raises("values[2] is 3; expected a table", core.tensor_from, { { 1, 2 }, 3 })
  raises('values[1][2] is "x"; expected a number', core.tensor_from, { { 1, "x" } })
  raises("values[2] is a table; expected a number", core.tensor_from, { 1, { 2 } })
  raises("an empty table has no shape", core.tensor_from, { {} })
  raises("values[2]: ", core.tensor_from, { 1, 256 }, "uint8")
  raises("values[1]: ", core.tensor_from, { 0.5 }, "int32")
  local deep = 1
  for _ = 1, 9 do deep = { deep } end
  raises("nested more than 8 deep", core.tensor_from, deep)
  raises("bad argument #1", core.tensor_from, 5)
end

-- ---- Elements --------------------------------------------------------------------------------------

function tests.test_get_and_set()
  local t = matrix()
  lu.assertEquals(t:get(2, 3), 6.0)
  lu.assertEquals(t:get(-1, -1), 6.0)
  lu.assertEquals(t:get(-2, 1), 1.0)
  lu.assertTrue(t:set(1, -1, 9) == t)
  lu.assertEquals(t:get(1, 3), 9.0)
end

function tests.test_bad_indices()
  local t = matrix()
  raises("index is 3; expected 1 to 2, or -1 to -2 from the end", t.get, t, 3, 1)
  raises("index is 0", t.get, t, 1, 0)
  raises("1 indices for a tensor of 2 dimensions", t.get, t, 1)
  raises("3 indices for a tensor of 2 dimensions", t.set, t, 1, 1, 1, 5)
  raises("number has no integer representation", t.get, t, 1.5, 1)
  raises("bad argument #2", t.get, t, {}, 1)
  raises("uint8 holds whole numbers from 0 to 255", function() core.tensor({ 2 }, "uint8"):set(1, 256) end)
end

function tests.test_brackets()
  local t = matrix()
  lu.assertEquals(t[2][3], 6.0)
  lu.assertEquals(t[-1]:totable(), { 4.0, 5.0, 6.0 })
  t[1][2] = 20
  lu.assertEquals(t:get(1, 2), 20.0)
  t[1] = 0
  t[2] = core.tensor_from { 7, 8, 9 }
  lu.assertEquals(t:totable(), { { 0.0, 0.0, 0.0 }, { 7.0, 8.0, 9.0 } })
  raises("index is 3", function() return t[3] end)
  raises("shapes", function() t[1] = core.tensor { 2 } end)
  raises("a tensor has no field", function() t.x = 1 end)
  lu.assertNil(t.nothing)
end

function tests.test_fill_and_copy()
  local t = matrix():fill(2)
  lu.assertEquals(t:sum(), 12.0)
  t:copy(core.tensor_from({ { 1, 2, 3 }, { 4, 5, 6 } }, "uint8"))
  lu.assertEquals(t:sum(), 21.0)
  raises("shapes", t.copy, t, core.tensor { 3, 2 })
  raises("bad argument", t.fill, t, "x")
end

-- ---- Views -----------------------------------------------------------------------------------------

function tests.test_narrow()
  local t = matrix()
  local view = t:narrow(2, 2, 2)
  lu.assertEquals(view:totable(), { { 2.0, 3.0 }, { 5.0, 6.0 } })
  view:set(1, 1, 50)
  lu.assertEquals(t:get(1, 2), 50.0)
  lu.assertTrue(t:shares(view))
  raises("dimension is 3; expected 1 to 2", t.narrow, t, 3, 1, 1)
  raises("start is 4", t.narrow, t, 2, 4, 1)
  raises("count is 3; expected 1 to 2", t.narrow, t, 2, 2, 3)
end

function tests.test_select_and_transpose()
  local t = matrix()
  lu.assertEquals(t:select(2, -1):totable(), { 3.0, 6.0 })
  lu.assertEquals(t:transpose():totable(), { { 1.0, 4.0 }, { 2.0, 5.0 }, { 3.0, 6.0 } })
  lu.assertEquals(t:transpose(1, -1):shape(), { 3, 2 })
  raises("only one", t:select(1, 1).select, t:select(1, 1), 1, 1)
  raises("dimension is 2", core.tensor({ 3 }).transpose, core.tensor { 3 })
end

function tests.test_reshape()
  local t = matrix()
  lu.assertTrue(t:reshape({ 6 }):shares(t))
  lu.assertFalse(t:transpose():reshape({ 6 }):shares(t))
  lu.assertEquals(t:transpose():reshape({ 6 }):totable(), { 1.0, 4.0, 2.0, 5.0, 3.0, 6.0 })
  raises("cannot become", t.reshape, t, { 4 })
end

function tests.test_views_keep_the_storage()
  local t = matrix()
  local view = t:select(1, 2)
  t:close()
  collectgarbage()
  lu.assertEquals(view:totable(), { 4.0, 5.0, 6.0 })
end

function tests.test_clone_and_to()
  local t = matrix()
  local copy = t:clone()
  lu.assertFalse(copy:shares(t))
  lu.assertTrue(copy == t)
  lu.assertEquals(t:to("uint8"):dtype(), "uint8")
  raises("holds whole numbers", function() (t * 100):to "uint8" end)
  raises("invalid option 'f32'", t.to, t, "f32")
  raises("bad argument", t.to, t)
end

-- ---- Arithmetic ------------------------------------------------------------------------------------

function tests.test_operators()
  local t = core.tensor_from { 1, 2 }
  lu.assertEquals((t + t):totable(), { 2.0, 4.0 })
  lu.assertEquals((t - t):totable(), { 0.0, 0.0 })
  lu.assertEquals((t * t):totable(), { 1.0, 4.0 })
  lu.assertEquals((t + 1):totable(), { 2.0, 3.0 })
  lu.assertEquals((1 + t):totable(), { 2.0, 3.0 })
  lu.assertEquals((t - 1):totable(), { 0.0, 1.0 })
  lu.assertEquals((10 - t):totable(), { 9.0, 8.0 })
  lu.assertEquals((3 * t):totable(), { 3.0, 6.0 })
  lu.assertEquals((-t):totable(), { -1.0, -2.0 })
  lu.assertEquals((200 - core.tensor_from({ 150 }, "uint8")):totable(), { 50 })
end

function tests.test_operators_check()
  local t = core.tensor_from { 1, 2 }
  raises("shapes", function() return t + core.tensor { 3 } end)
  raises("types", function() return t + core.tensor({ 2 }, "int32") end)
  raises("luanas.Tensor expected, got string", function() return t + "1" end)
  raises("luanas.Tensor expected, got nil", function() return nil - t end)
end

function tests.test_equality()
  lu.assertTrue(matrix() == matrix())
  lu.assertFalse(matrix() == matrix():to "int32")
  lu.assertFalse(matrix() == matrix():transpose())
  local nan = core.tensor { 1 }
  nan[1] = 0 / 0
  lu.assertFalse(nan == nan:clone())
  lu.assertFalse(matrix() == core.stream(1, "a"))
end

function tests.test_reductions()
  local t = matrix()
  lu.assertEquals({ t:sum(), t:mean(), t:min(), t:max() }, { 21.0, 3.5, 1.0, 6.0 })
  lu.assertEquals(math.type(t:to("int32"):sum()), "integer")
  lu.assertEquals(core.tensor_from({ 1, 5, 5 }):argmax(), 2)
  lu.assertEquals(core.tensor_from({ { 1, 9 }, { 3, 2 } }):argmax():totable(), { 2, 1 })
end

function tests.test_matmul()
  local product = matrix():matmul(matrix():transpose())
  lu.assertEquals(product:totable(), { { 14.0, 32.0 }, { 32.0, 77.0 } })
  lu.assertErrorMsgContains("matmul", matrix().matmul, matrix(), matrix())
end

-- ---- Text and closing ------------------------------------------------------------------------------

function tests.test_tostring_is_short()
  lu.assertEquals(tostring(matrix()), "luanas.Tensor float32 [2, 3]: 1.0 2.0 3.0 4.0 5.0 6.0")
  lu.assertEquals(tostring(core.tensor({ 1000, 1000 }, "uint8")),
    "luanas.Tensor uint8 [1000, 1000]: 0 0 0 0 0 0 0 0 ...")
end

function tests.test_closed()
  local t = matrix()
  do
    local view <close> = t
    lu.assertTrue(view == t)
  end
  raises("this luanas.Tensor is closed", t.sum, t)
  raises("this luanas.Tensor is closed", function() return t[1] end)
  raises("this luanas.Tensor is closed", function() return #t end)
  lu.assertEquals(tostring(t), "luanas.Tensor (closed)")
  lu.assertFalse(t == matrix())
end

return tests
