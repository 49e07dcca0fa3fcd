local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"
local raises = support.raises

local tests = {}

function tests.test_shapes()
  local x = support.input(28, 20, 3)
  lu.assertEquals(x:shape(), { 28, 20, 3 })
  lu.assertEquals(x:kind(), "input")
  local y = core.node("conv2d", { x }, { kernel = { 3, 5 }, filters = 32, stride = 2 })
  lu.assertEquals(y:shape(), { 14, 10, 32 })
  lu.assertEquals(core.node("global_avg_pool", { y }):shape(), { 32 })
end

function tests.test_tostring()
  lu.assertEquals(tostring(support.input(28, 28, 1)), "luanas.Node: input 28x28x1")
end

function tests.test_hash_follows_from_what_is_described()
  local a, b, c = support.input(), support.input(), support.input(9)
  lu.assertEquals(a:hash(), b:hash())
  lu.assertNotEquals(a:hash(), c:hash())
  lu.assertEquals(#a:hash(), 32)
end

function tests.test_inputs_outlive_their_handles()
  local x <close> = support.input()
  local y = core.node("relu", { x })
  x:close()
  collectgarbage()
  lu.assertEquals(core.node("relu", { y }):shape(), { 8, 8, 1 })
end

function tests.test_unknown_kind()
  raises("conv2d", core.node, "conv3d", {})
  raises("bad argument #1", core.node, nil, {})
end

function tests.test_inputs_are_checked()
  raises("bad argument #2", core.node, "relu", nil)
  raises("relu: input 1 is 3; expected a luanas.Node", core.node, "relu", { 3 })
  raises("relu: input 1 is a luanas.Tensor; expected a luanas.Node", core.node, "relu", { core.tensor { 2 } })
  local closed = support.input()
  closed:close()
  raises("expected a luanas.Node", core.node, "relu", { closed })
  local many = {}
  for i = 1, 65 do many[i] = support.input() end
  raises("65 inputs; expected at most 64", core.node, "relu", many)
end

local function conv(options)
  return core.node("conv2d", { support.input() }, options)
end

function tests.test_options_are_checked()
  raises("conv2d: filters is missing; expected an integer from 1 to 65536", conv, { kernel = 3 })
  raises("conv2d: filters is 0; expected an integer from 1 to 65536", conv, { kernel = 3, filters = 0 })
  raises("conv2d: filters is 2.5; expected an integer", conv, { kernel = 3, filters = 2.5 })
  raises('conv2d: filters is "8"; expected an integer', conv, { kernel = 3, filters = "8" })
  raises("conv2d: filters is true; expected an integer", conv, { kernel = 3, filters = true })
  raises("conv2d: kernel is a table; expected an integer or {height, width}, each from 1 to 255", conv,
    { kernel = { 3 }, filters = 8 })
  raises("conv2d: kernel is a table", conv, { kernel = { 3, 0 }, filters = 8 })
  raises("conv2d: bias is 1; expected true or false", conv, { kernel = 3, filters = 8, bias = 1 })
  raises('conv2d: padding is "big"; expected one of', conv, { kernel = 3, filters = 8, padding = "big" })
  raises("conv2d: padding is 3; expected one of", conv, { kernel = 3, filters = 8, padding = 3 })
  raises("conv2d: init_range is nan; expected a number from 0 to 1000", conv,
    { kernel = 3, filters = 8, init_range = math.abs(0 / 0) })
  raises("conv2d: options are 3; expected a table", conv, 3)
end

function tests.test_unknown_options_are_reported_in_order()
  raises('conv2d: unknown option "filter"; known options: kernel, filters', conv, { kernel = 3, filter = 8, zoom = 1 })
  raises('unknown option "a"', conv, { z = 1, a = 1, y = 1, b = 1 })
  raises("conv2d: options are named", conv, { 3, kernel = 3, filters = 8 })
  raises('unknown option "kernel"', conv, { ["kernel\0"] = 3 })
end

function tests.test_equal_options_are_equal_nodes()
  lu.assertEquals(conv({ kernel = 3, filters = 8 }):hash(),
    conv({ kernel = { 3, 3 }, filters = 8.0, stride = 1, bias = true }):hash())
end

function tests.test_shapes_that_do_not_fit()
  raises("dense", core.node, "dense", { support.input(), support.input() }, { units = 3 })
end

function tests.test_methods_check_self()
  raises("luanas.Node expected, got table", support.input().shape, {})
  raises("luanas.Node expected, got luanas.Tensor", support.input().shape, core.tensor { 1 })
end

function tests.test_closed()
  local x = support.input()
  x:close()
  x:close()
  raises("this luanas.Node is closed", x.shape, x)
  lu.assertEquals(tostring(x), "luanas.Node (closed)")
end

return tests
