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
  raises("(dtype is \"float64\"; expected one of float32, uint8, int32)", core.tensor, { 1 }, "float64")
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
  raises("index is 1.5; expected 1 to", t.get, t, 1.5, 1)
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
  raises("[2] can't be expanded to [3]", function() t[1] = core.tensor { 2 } end)
  raises("a tensor has no field", function() t.x = 1 end)
  lu.assertNil(t.nothing)
end

local function cube()
  return core.tensor_ramp(24, 1, 1, "int32"):reshape { 2, 3, 4 }
end

function tests.test_regions()
  local t = cube()
  lu.assertEquals(t[{ 2, 3, -1 }], 24)
  lu.assertEquals(t[{ 2, 3 }]:totable(), { 21, 22, 23, 24 })
  lu.assertEquals(t[{ {}, 1, { 2, 3 } }]:totable(), { { 2, 3 }, { 14, 15 } })
  lu.assertEquals(t[{ 1, {}, { 4, 1, -2 } }]:totable(), { { 4, 2 }, { 8, 6 }, { 12, 10 } })
  lu.assertEquals(t[{ 1, 1, { 1, -1, 3 } }]:totable(), { 1, 4 })
  lu.assertEquals(t[{ { -1, 1, -1 }, 1, 1 }]:totable(), { 13, 1 })
  lu.assertEquals(t[{}]:shape(), { 2, 3, 4 })
  lu.assertTrue(t[{ 1, 2 }]:shares(t))
end

function tests.test_regions_are_assigned()
  local t = cube()
  t[{ {}, {}, { 1, 4, 3 } }] = 0
  lu.assertEquals(t[{ 2, 1 }]:totable(), { 0, 14, 15, 0 })
  t[{ 1 }] = core.tensor_from({ { 7 }, { 8 }, { 9 } }, "int32")
  lu.assertEquals(t[1]:totable(), { { 7, 7, 7, 7 }, { 8, 8, 8, 8 }, { 9, 9, 9, 9 } })
  t[{ 2, 2, 2 }] = -5
  lu.assertEquals(t:get(2, 2, 2), -5)
  t[{ 1, 1 }] = t[{ 2, 2, { 4, 1, -1 } }] -- overlaps nothing, but may
  lu.assertEquals(t[{ 1, 1 }]:totable(), { 0, 19, -5, 0 })
  t[1][1] = t[{ 1, 1, { 4, 1, -1 } }]
  lu.assertEquals(t[{ 1, 1 }]:totable(), { 0, -5, 19, 0 })
end

function tests.test_bad_regions()
  local t = cube()
  local function at(...)
    local region = { ... }
    return function() return t[region] end
  end
  raises("index of dimension 2 is 4; expected 1 to 3, or -1 to -3 from the end", at(1, 4))
  raises("index of dimension 1 is 0", at(0))
  raises("index of dimension 3 is 1.5", at(1, 1, 1.5))
  raises("first of dimension 3 is 5; expected 1 to 4, or -1 to -4 from the end", at({}, {}, { 5, 6 }))
  raises("last of dimension 3 is -5", at({}, {}, { 1, -5 }))
  raises('last of dimension 1 is "x"', at { 1, "x" })
  raises("step of dimension 1 is 0; expected an integer that is not 0", at { 1, 2, 0 })
  raises("the range of dimension 2 leads from 3 to 1, and the step is 1; it is empty", at({}, { 3, 1 }))
  raises("leads from 1 to 3, and the step is -1", at({}, { 1, 3, -1 }))
  raises("the range of dimension 1 has 1 numbers; expected {}, { first, last } or { first, last, step }", at { 1 })
  raises("4 dimensions in brackets; the tensor has 3", at(1, 1, 1, 1))
  raises("dimension 1 in brackets is true; expected an integer or a range in braces", at(true))
  raises('a[i] = b: value is "x"; expected a number', function() t[{ 1, 1, 1 }] = "x" end)
  raises("a[i] = b: expected a tensor or a number, got \"x\"", function() t[{ 1, 1 }] = "x" end)
  raises("a[i]: expected a tensor, got a luanas.Stream", function() return t[core.stream(1, "a")] end)
end

function tests.test_masks()
  local t = matrix()
  lu.assertEquals(t[t:gt(4)]:totable(), { 5.0, 6.0 })
  lu.assertNil(t[t:gt(6)])
  t[t:le(2) | t:eq(6)] = -1
  lu.assertEquals(t:totable(), { { -1.0, -1.0, 3.0 }, { 4.0, 5.0, -1.0 } })
  t[~t:lt(0)] = t * 10
  lu.assertEquals(t:totable(), { { -1.0, -1.0, 30.0 }, { 40.0, 50.0, -1.0 } })
  lu.assertEquals((t:gt(0) & t:lt(45)):nonzero():totable(), { { 1, 3 }, { 2, 1 } })
  lu.assertNil(t:gt(99):nonzero())
  lu.assertEquals(core.tensor_where(t:gt(0), t, 0):totable(), { { 0.0, 0.0, 30.0 }, { 40.0, 50.0, 0.0 } })
  raises("the shapes [2, 3] and [3] differ", function() return t[core.tensor { 3 }] end)
end

function tests.test_masks_leave_the_others_alone()
  local t = core.tensor_from({ 16777217, 5, 33554433 }, "int32")
  t[t:eq(5)] = 7.0
  lu.assertEquals(t:totable(), { 16777217, 7, 33554433 })
  t[t:eq(7)] = 2.5
  lu.assertEquals(t:totable(), { 16777217, 2, 33554433 })
  raises("element 1 (in index order) would be 1.00000002e+20; int32 holds", function() t[t:eq(2)] = 1e20 end)
  raises("the shapes [3] and [2, 3] differ", function() t[core.tensor { 2, 3 }] = 1 end)
end

function tests.test_take()
  local t = matrix()
  lu.assertEquals(t:take(2, { 3, 1, 3 }):totable(), { { 3.0, 1.0, 3.0 }, { 6.0, 4.0, 6.0 } })
  lu.assertEquals(t:take(1, core.tensor_from({ -1 }, "int32")):totable(), { { 4.0, 5.0, 6.0 } })
  raises("a position of dimension 2 is 4; expected 1 to 3, or -1 to -3 from the end", t.take, t, 2, { 4 })
  raises("an empty list of positions", t.take, t, 1, {})
  raises("positions of 2 dimensions; expected 1", t.take, t, 1, t)
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

function tests.test_reshape_fills_in_one_dimension()
  local t = cube()
  lu.assertEquals(t:reshape({ -1 }):shape(), { 24 })
  lu.assertEquals(t:reshape({ 6, -1 }):shape(), { 6, 4 })
  raises("dimension 2 is -1; expected an integer of at least 1", t.reshape, t, { 7, -1 })
  raises("dimension 1 is -1", t.reshape, t, { -1, -1 })
end

function tests.test_permute_squeeze_unsqueeze_expand()
  local t = cube()
  lu.assertEquals(t:permute({ 3, 1, -2 }):shape(), { 4, 2, 3 })
  lu.assertEquals(t:permute({ 3, 1, 2 }):get(4, 1, 2), t:get(1, 2, 4))
  raises("2 dimensions for a tensor of 3", t.permute, t, { 1, 2 })
  raises("dimension 3 is there twice; expected each once", t.permute, t, { 3, 1, -1 })
  raises("dimension is 4; expected 1 to 3, or -1 to -3 from the end", t.permute, t, { 3, 1, 4 })
  lu.assertEquals(t:unsqueeze(1):shape(), { 1, 2, 3, 4 })
  lu.assertEquals(t:unsqueeze(-1):shape(), { 2, 3, 4, 1 })
  raises("dimension is 5; expected 1 to 4", t.unsqueeze, t, 5)
  local single = core.tensor { 1, 3, 1 }
  lu.assertEquals(single:squeeze():shape(), { 3 })
  lu.assertEquals(single:squeeze(1):shape(), { 3, 1 })
  lu.assertEquals(core.tensor({ 1, 1 }):squeeze():shape(), { 1 })
  raises("dimension 2 has 3 entries; expected 1", single.squeeze, single, 2)
  local wide = core.tensor_from({ { 1 }, { 2 } }):expand { 2, 3 }
  lu.assertEquals(wide:totable(), { { 1.0, 1.0, 1.0 }, { 2.0, 2.0, 2.0 } })
  raises("an expanded tensor can't be written to; its clone can", wide.fill, wide, 1)
  raises("can't be expanded to [3, 3]", wide.expand, wide, { 3, 3 })
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
  raises("dtype is \"f32\"; expected one of float32, uint8, int32", t.to, t, "f32")
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

function tests.test_numbers_as_operands()
  local t, bytes = core.tensor_from { 1, 2 }, core.tensor_from({ 1, 200 }, "uint8")
  lu.assertEquals((t / 2):totable(), { 0.5, 1.0 })
  lu.assertEquals((2 / t):totable(), { 2.0, 1.0 })
  lu.assertEquals((t ^ 2):totable(), { 1.0, 4.0 })
  lu.assertEquals((2 ^ t):totable(), { 2.0, 4.0 })
  lu.assertEquals((bytes - 300):totable(), { -299, -100 })
  lu.assertEquals({ (bytes + 1):dtype(), (bytes + 1.0):dtype() }, { "int32", "float32" })
  lu.assertEquals((bytes / 1):dtype(), "float32")
  lu.assertEquals(core.tensor_from({ 0.1 }):eq(0.1):totable(), { 1 }) -- as float32, both
  raises("number is 4294967296; expected -2147483648 to 2147483647", function() return bytes + (1 << 32) end)
  lu.assertEquals((t + (1 << 32)):totable(), { 4294967296.0, 4294967296.0 })
end

function tests.test_operators_check()
  local t = core.tensor_from { 1, 2 }
  raises("shapes", function() return t + core.tensor { 3 } end)
  raises("a + b: expected a tensor or a number, got \"1\"", function() return t + "1" end)
  raises("a - b: expected a tensor or a number, got nil", function() return nil - t end)
  raises("would be 4000000000; int32 holds", function() return core.tensor_from({ 2000000000 }, "int32") * 2 end)
end

function tests.test_broadcasting()
  local row, column = core.tensor_from { 1, 2, 3 }, core.tensor_from { { 10 }, { 20 } }
  lu.assertEquals((row + column):totable(), { { 11.0, 12.0, 13.0 }, { 21.0, 22.0, 23.0 } })
  lu.assertEquals((column:to "int32" - row:to "uint8"):totable(), { { 9, 8, 7 }, { 19, 18, 17 } })
end

function tests.test_elementwise()
  local t = core.tensor_from { -1.5, 0, 2 }
  lu.assertEquals(t:abs():totable(), { 1.5, 0.0, 2.0 })
  lu.assertEquals(t:floor():totable(), { -2.0, 0.0, 2.0 })
  lu.assertEquals(t:clamp(-1, 1):totable(), { -1.0, 0.0, 1.0 })
  lu.assertEquals(t:clamp(-1):totable(), { -1.0, 0.0, 2.0 })
  lu.assertEquals(t:clamp(nil, t:abs() / 2):totable(), { -1.5, 0.0, 1.0 })
  lu.assertEquals(t:maximum(0):totable(), { 0.0, 0.0, 2.0 })
  lu.assertEquals(t:minimum(core.tensor { 3 }):totable(), { -1.5, 0.0, 0.0 })
  lu.assertEquals(t:exp():get(3), core.tensor_from({ core.math.exp(2) }):get(1))
  lu.assertEquals((t / 0):is_finite():totable(), { 0, 0, 0 })
  raises("clamp without a lowest and a highest number", t.clamp, t)
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
  lu.assertEquals({ t:variance(), t:norm(), t:any(), t:all() }, { 35 / 12, 91 ^ 0.5, true, true })
  lu.assertEquals({ t:argmax() }, { 2, 3 })
  lu.assertEquals({ cube():argmin() }, { 1, 1, 1 })
  lu.assertEquals(core.tensor_from({ 1, 5, 5 }):argmax(), 2)
end

function tests.test_reductions_along_a_dimension()
  local t = matrix()
  lu.assertEquals(t:sum(1):totable(), { 5.0, 7.0, 9.0 })
  lu.assertEquals(t:mean(-1, true):totable(), { { 2.0 }, { 5.0 } })
  lu.assertEquals((t - t:mean(2, true)):totable(), { { -1.0, 0.0, 1.0 }, { -1.0, 0.0, 1.0 } })
  lu.assertEquals(core.tensor_from({ { 1, 9 }, { 3, 2 } }):argmax(2):totable(), { 2, 1 })
  lu.assertEquals(t:gt(1):all(2):totable(), { 0, 1 })
  lu.assertEquals({ t[1]:sum(1), t[1]:gt(1):any(1), t[1]:argmax(1) }, { 6.0, true, 3 })
  lu.assertEquals(t[1]:sum(1, true):totable(), { 6.0 })
  raises("dimension is 3; expected 1 to 2, or -1 to -2 from the end", t.sum, t, 3)
end

function tests.test_matmul()
  local product = matrix():matmul(matrix():transpose())
  lu.assertEquals(product:totable(), { { 14.0, 32.0 }, { 32.0, 77.0 } })
  lu.assertErrorMsgContains("matmul", matrix().matmul, matrix(), matrix())
end

function tests.test_vectors_and_batches()
  local t = matrix()
  lu.assertEquals(t:matmul(t[1]):totable(), { 14.0, 32.0 })
  lu.assertEquals(t[1]:matmul(t[2]), 32.0)
  lu.assertEquals(core.tensor({ 5, 4, 2 }):matmul(t):shape(), { 5, 4, 3 })
end

function tests.test_solve_and_svd()
  local a = core.tensor_from { { 4, 3 }, { 6, 3 } }
  lu.assertEquals(a:solve(core.tensor_from { 10, 12 }):totable(), { 1.0, 2.0 })
  raises("singular", a.solve, core.tensor { 2, 2 }, core.tensor { 2 })
  local left, values, right = core.tensor_from({ { 3, 0, 0 }, { 0, -5, 0 } }):svd()
  lu.assertEquals({ left:shape(), values:totable(), right:shape() }, { { 2, 2 }, { 5.0, 3.0 }, { 3, 2 } })
end

-- ---- Joining and bytes -----------------------------------------------------------------------------

function tests.test_concat()
  local t = matrix()
  lu.assertEquals(core.tensor_concat({ t, t }):shape(), { 4, 3 })
  lu.assertEquals(core.tensor_concat({ t, t[{ {}, { 1, 1 } }] }, -1):totable(),
    { { 1.0, 2.0, 3.0, 1.0 }, { 4.0, 5.0, 6.0, 4.0 } })
  raises("an empty list of tensors", core.tensor_concat, {})
  raises("number 2 is 3; expected an open tensor", core.tensor_concat, { t, 3 })
  raises("[3] can't be joined to [2, 3]; only the dimension that grows may differ", core.tensor_concat, { t, t[1] })
end

function tests.test_bytes()
  local t = core.tensor_from({ { 1, 2 }, { -1, 258 } }, "int32")
  local bytes = t:transpose():bytes()
  lu.assertEquals(bytes, string.pack("<i4i4i4i4", 1, -1, 2, 258))
  lu.assertTrue(core.tensor_from_bytes(bytes, { 2, 2 }, "int32"):transpose() == t)
  raises("3 bytes given for [2] of uint8, which has 2", core.tensor_from_bytes, "abc", { 2 }, "uint8")
end

-- ---- Text and closing ------------------------------------------------------------------------------

function tests.test_tostring_is_short()
  lu.assertEquals(tostring(matrix()), "luanas.Tensor float32 [2, 3]: 1.0 2.0 3.0 4.0 5.0 6.0")
  lu.assertEquals(tostring(core.tensor_from { 1 / 3, -1e-9, 1e20, 1 / 0, 123456789 }),
    "luanas.Tensor float32 [5]: 0.333333 -1e-09 1e+20 inf 1.23457e+08")
  lu.assertEquals(tostring(core.tensor({ 1000, 1000 }, "uint8")),
    "luanas.Tensor uint8 [1000, 1000]: 0 0 0 0 0 0 0 0 ...")
end

function tests.test_a_dot_for_a_colon()
  local function called(code)
    return load("local t = ...\nlocal _ = " .. code, "@own.lua"), matrix()
  end
  for name, arguments in pairs {
    mean = "", reshape = "{ 3, 2 }", to = '"uint8"', get = "1, 1", maximum = "3", clamp = "0, 1", take = "{ 1 }",
  } do
    raises(("own.lua:2: tensor:%s is called with a dot; expected a colon, as in tensor:%s(...)"):format(name, name),
      called(("t.%s(%s)"):format(name, arguments)))
  end
  raises("own.lua:2: tensor:matmul: expected a tensor, got 3", called "t:matmul(3)")
  raises("got 3", called "t.matmul(t, 3)")
  raises("a + b: expected a tensor or a number, got nil", called "nil + t")
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
