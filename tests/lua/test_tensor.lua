-- nas.tensor, and tensors against NumPy: cases that are stored, and new ones where NumPy is installed.
local lu = require "luaunit"
local nas = require "luanas"

local T = {}

local tensor = nas.tensor
local FOLDER = os.getenv "LUANAS_SOURCE" .. "/tests/lua/"

local function fails(part, f, ...)
  lu.assertErrorMsgContains(part, f, ...)
end

-- ---- Against NumPy ---------------------------------------------------------------------------------

local function stored(array)
  local bytes = array.bytes:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end)
  return tensor.from_bytes(bytes, array.shape, array.dtype)
end

-- The operand of a case: a view of what is stored.
local function view(operand)
  local whole = stored(operand)
  return whole[operand.region]:permute(operand.order)
end

local operators = {
  add = function(a, b) return a + b end, sub = function(a, b) return a - b end,
  mul = function(a, b) return a * b end, div = function(a, b) return a / b end,
  where = function(a, b) return tensor.where(a, a, b) end,
  pow = function(a, b) return a ^ b end, neg = function(a) return -a end,
  masked = function(a, b) return a[b:gt(0)] end,
  concat = function(a, b, dimension) return tensor.concat({ a, b }, dimension) end,
  singular_values = function(a) return (select(2, a:svd())) end,
}

function operators.mask_assign(a, b)
  a[b:gt(0)] = 7
  return a
end

function operators.assign(a, b)
  a[{ {} }] = b
  return a
end

function operators.svd_product(a)
  local left, values, right = a:svd()
  return (left * values):matmul(right:transpose())
end

-- The matrix again, if the columns are orthonormal: a times the projection onto them, or the projection times a.
function operators.svd_left(a)
  local left = a:svd()
  lu.assertTrue((left:transpose():matmul(left) - tensor.eye(left:shape()[2])):abs():max() < 1e-5)
  return left:matmul(left:transpose()):matmul(a)
end

function operators.svd_right(a)
  local _, _, right = a:svd()
  lu.assertTrue((right:transpose():matmul(right) - tensor.eye(right:shape()[2])):abs():max() < 1e-5)
  return a:matmul(right):matmul(right:transpose())
end

for _, name in ipairs { "sum", "mean", "min", "max", "variance", "std", "norm", "argmin", "argmax" } do
  operators["total_" .. name] = function(a)
    if name:find "^arg" then return tensor({ a[name](a) }, "int32") end
    return a[name](a)
  end
end

-- NumPy's error and ours in units of the result, and in units of the largest terms of a sum.
local function assert_equal(found, case, number)
  local expected = stored(case.result)
  local name = ("case %d, %s"):format(number, case.operation)
  if type(found) == "number" then found = tensor { found } end
  lu.assertEquals({ found:dtype(), found:shape() }, { expected:dtype(), expected:shape() }, name)
  local same = found:eq(expected) | (found:is_nan() & expected:is_nan())
  if same:all() then return end
  local allowed = expected:abs() * (case.error + 0.0) + (case.scale or 0) * 2.0 ^ -22
  same = same | (found - expected):abs():le(allowed)
  lu.assertTrue(same:all(), ("%s: %s, not %s"):format(name, found, expected))
end

-- What the cases must have between them.
local OPERATIONS = [[add sub mul div pow maximum minimum lt le gt ge eq ne where neg abs sign floor ceil round exp
  log sqrt tanh sigmoid is_nan is_finite sum mean min max variance std norm any all argmin argmax total_sum
  total_mean total_min total_max total_variance total_std total_norm total_argmin total_argmax clamp take masked
  mask_assign assign concat matmul solve singular_values svd_product svd_left svd_right]]

local function check(cases)
  local seen = {}
  for number, case in ipairs(cases) do
    seen[case.operation] = true
    local operands = {}
    for i, operand in ipairs(case.operands) do operands[i] = view(operand) end
    local operation = operators[case.operation] or operands[1][case.operation]
    table.move(case.arguments or {}, 1, 2, #operands + 1, operands)
    assert_equal(operation(table.unpack(operands)), case, number)
  end
  for name in OPERATIONS:gmatch "%S+" do lu.assertTrue(seen[name], name) end
end

function T.test_stored_cases()
  check(assert(loadfile(FOLDER .. "tensor_cases.txt"))())
end

function T.test_new_cases()
  local seed = os.time() // 86400 -- others each day
  local python = os.getenv "LUANAS_PYTHON" or "python3"
  local pipe = assert(io.popen(("'%s' '%stensor_cases.py' %d 2000"):format(python, FOLDER, seed)))
  local text = pipe:read "a"
  local _, _, status = pipe:close()
  lu.skipIf(status == 77, "NumPy is not installed")
  lu.assertEquals(status, 0, "seed " .. seed)
  check(assert(load(text, "=cases of seed " .. seed))())
end

-- ---- Making ----------------------------------------------------------------------------------------

function T.test_known_numbers()
  lu.assertEquals(tensor({ { 1, 2 }, { 3, 4 } }, "int32"):totable(), { { 1, 2 }, { 3, 4 } })
  lu.assertEquals(tensor.zeros({ 2 }, "uint8"):totable(), { 0, 0 })
  lu.assertEquals(tensor.ones({ 1, 2 }):totable(), { { 1.0, 1.0 } })
  lu.assertEquals(tensor.full({ 2 }, -3, "int32"):totable(), { -3, -3 })
  lu.assertEquals(tensor.eye(2):totable(), { { 1.0, 0.0 }, { 0.0, 1.0 } })
  lu.assertEquals(tensor.eye(1):totable(), { { 1.0 } })
  lu.assertEquals(tensor.range(2, 4):totable(), { 2, 3, 4 })
  lu.assertEquals(tensor.range(5, 0, -2):totable(), { 5, 3, 1 })
  lu.assertEquals(tensor.range(0, 1, 0.25):totable(), { 0.0, 0.25, 0.5, 0.75, 1.0 })
  lu.assertEquals(tensor.linspace(0, 1, 3):totable(), { 0.0, 0.5, 1.0 })
  lu.assertEquals(tensor.linspace(3, 0.1, 7):eq(0.1):sum(), 1)
end

function T.test_mistakes_are_told_at_the_line_of_the_script()
  local here = debug.getinfo(1, "S").short_src .. ":%d: %s"
  local line = debug.getinfo(1, "l").currentline
  local function backwards() tensor.range(1, 3, -1) end
  fails(here:format(line + 1, "tensor.range: from 1 to 3 by steps of -1 there is nothing"), backwards)
  fails("tensor.linspace: count is 1; expected an integer of at least 2", tensor.linspace, 0, 1, 1)
  fails("tensor.eye: size is 0; expected an integer of at least 1", tensor.eye, 0)
  fails("tensor.full: value is NaN", tensor.full, { 1 }, 0 / 0)
  local function too_large() tensor.full({ 2 }, 300, "uint8") end
  fails(here:format(line + 6, "tensor: every element would be 300; uint8 holds whole numbers from 0 to 255"),
    too_large)
  fails("tensor.range: from 0 to 1e+300 by steps of 1 there are more numbers than memory can hold", tensor.range, 0,
    1e300)
  fails("values[2] has length 1; expected 2", tensor, { { 1, 2 }, { 3 } })
  fails("dimension 1 is 0", tensor.zeros, { 0 })
  fails("tensor.uniform: seed is -1; expected an integer of at least 0", tensor.uniform, { 1 }, -1)
  fails("tensor.uniform: seed is nil", tensor.uniform, { 1 })
  fails("tensor.normal: std is -1", tensor.normal, { 1 }, 1, 0, -1)
  fails("tensor.stack: tensors[2] is 3; expected a tensor", tensor.stack, { tensor { 1 }, 3 })
  fails("tensor.stack: tensors[2] is nil; expected a tensor", tensor.stack, { tensor { 1 }, nil, tensor { 1 } })
  fails("tensor.stack: tensors are nil; expected a list", tensor.stack)
  fails("tensor.save: values are 3; expected a tensor", tensor.save, 3, "x")
end

-- What the script wrote is named, not the function of the core behind it.
function T.test_mistakes_name_what_was_called()
  local a = tensor { { 1, 2 }, { 3, 4 } }
  fails(': nas.tensor: values[1] is "a"; expected a number', tensor, { "a" })
  fails(': nas.tensor: dtype is "float"; expected one of float32, uint8, int32', tensor, { 1 }, "float")
  fails(": tensor.zeros: shape is 3; expected a list of sizes such as { 3, 3 }", tensor.zeros, 3, 3)
  fails(": tensor.normal: seed is a luanas.Tensor; expected an integer", tensor.normal, { 1 }, a)
  fails(": tensor.concat: dimension is 4; expected 1 to 2", tensor.concat, { a, a }, 4)
  fails(": tensor.stack: dimension is 7; expected 1 to 3", tensor.stack, { a, a }, 7)
  fails(": tensor.where: expected a tensor or a number, got nil", tensor.where, a, 1)
  fails(": tensor.from_bytes: shape is nil", tensor.from_bytes, "abcd")
  fails(': tensor:to: dtype is "float"; expected one of float32, uint8, int32', function() a:to "float" end)
  fails(": tensor:sum: dimension is 3; expected 1 to 2, or -1 to -2 from the end", function() a:sum(3) end)
  fails(": a[i]: index is 3; expected 1 to 2", function() return a[3] end)
  fails(": a[i] = b: index is 0; expected 1 to 2", function() a[0] = 1 end)
  fails(": a + b: expected a tensor or a number, got a table; nas.tensor makes a tensor of a table",
    function() return a + { 10, 20 } end)
  fails(": a * b: expected a tensor or a number, got nil", function() return nil * a end)
  fails(": tensor:clamp: expected a tensor or a number", function() return a:clamp "x" end)
end

function T.test_comparisons_name_the_methods()
  local a = tensor { 1, 2 }
  fails(": tensors are compared element by element, by methods: a:gt(2)", function() return a > 2 end)
  fails("a:gt(2)", function() return 2 < a end)
  fails("a:lt(2.5)", function() return a < 2.5 end)
  fails("a:ge(2)", function() return a >= 2 end)
  fails("a:le(b), a:ge(b)", function() return a <= a end)
end

function T.test_random_numbers()
  local a, b = tensor.uniform({ 100 }, 3, -1, 1), tensor.uniform({ 100 }, 3, -1, 1)
  lu.assertTrue(a == b and a:min() >= -1 and a:max() < 1 and a:min() < -0.8 and a:max() > 0.8)
  local stream = nas.stream(1, "numbers")
  local first, second = tensor.normal({ 1000 }, stream, 5, 2), tensor.normal({ 1000 }, stream)
  lu.assertAlmostEquals(first:mean(), 5, 0.3)
  lu.assertAlmostEquals(first:std(), 2, 0.2)
  lu.assertAlmostEquals(second:mean(), 0, 0.15)
  lu.assertFalse((first - 5) / 2 == second)
end

function T.test_joining()
  local a, b = tensor { 1, 2 }, tensor { 3, 4 }
  lu.assertEquals(tensor.stack({ a, b }):totable(), { { 1.0, 2.0 }, { 3.0, 4.0 } })
  lu.assertEquals(tensor.stack({ a, b }, 2):totable(), { { 1.0, 3.0 }, { 2.0, 4.0 } })
  lu.assertEquals(tensor.concat({ a, b }):totable(), { 1.0, 2.0, 3.0, 4.0 })
  fails("an empty list of tensors", tensor.stack, {})
end

function T.test_files()
  local path = os.tmpname()
  for _, dtype in ipairs { "float32", "uint8", "int32" } do
    local t = tensor.range(1, 6):reshape({ 2, 3 }):to(dtype):transpose()
    tensor.save(t, path)
    lu.assertTrue(tensor.load(path) == t)
  end
  os.remove(path)
  fails(path, tensor.load, path)
  fails("/no/such/folder", tensor.save, tensor { 1 }, "/no/such/folder/x.npy")
end

return T
