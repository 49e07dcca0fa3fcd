-- Names that there are not: errors that tell similar ones.
local lu = require "luaunit"
local nas = require "luanas"
local names = require "luanas.names"

local T = {}

local function fails(message, f, ...)
  lu.assertErrorMsgContains(message, f, ...)
end

function T.test_misspelled_names_are_errors_at_the_line_of_the_script()
  local line = debug.getinfo(1, "l").currentline + 1
  local function misspelled() return nas.stduy {} end
  fails(("test_names.lua:%d: nas: there is no \"stduy\"; similar: study"):format(line), misspelled)
  fails('nas: there is no "conv2d"; there is nas.nn.conv2d', function() return nas.conv2d end)
  fails('nas: there is no "asha"; there is nas.agents.asha', function() return nas.asha end)
  fails('nas: there is no "fashion_mnist"; there is nas.data.fashion_mnist', function() return nas.fashion_mnist() end)
  fails('nas.nn: there is no "conv3d"; similar: conv2d', function() return nas.nn.conv3d(1) end)
  fails('nas.space: there is no "chains"; similar: chain', function() return nas.space.chains end)
  fails('nas.data: there is no "fashion"; similar: fashion_mnist', function() return nas.data.fashion end)
  fails('nas.plot: there is no "rewards"; similar: reward', function() return nas.plot.rewards end)
  fails('nas.tensor: there is no "zero"; similar: zeros', function() return nas.tensor.zero end)
  fails('nas.space: there is no "zzzzz"; there are build, by_hand, chain, ', function() return nas.space.zzzzz end)
end

function T.test_long_names_are_cut_between_characters()
  local name = ("é"):rep(40)
  fails(('"%s..."'):format(("é"):rep(28)), function() return nas.adam { [name] = 1 } end)
end

function T.test_methods_of_tensors_and_choosers()
  local a = nas.tensor { { 1, 2 }, { 3, 4 } }
  fails('tensor: there is no "T"; similar: take, tanh, to, totable, transpose', function() return a:T() end)
  fails('test_names.lua', function() return a.T end)
  fails('tensor: there is no "trnspose"; similar: transpose', function() return a:trnspose() end)
  lu.assertNil(a._anything)
  lu.assertNil(a[true])
  fails("plot.network: the network is a luanas.Tensor", nas.plot.network, a)
  local function space(c) return c:chose("kernel", { 1, 3 }) end
  fails('c: there is no "chose"; similar: choose', nas.space.size, space)
  fails('c: there is no "chose"; similar: choose', function() nas.policy():sample(space) end)
end

function T.test_what_is_not_in_the_way()
  lu.assertNil(rawget(nas, "stduy"))
  lu.assertNil(rawget(nas.nn, "conv3d"))
  lu.assertNil(nas[1])
  lu.assertNil(nas.nn._something)
  nas.own, nas.nn.own = 3, 4
  lu.assertEquals({ nas.own, nas.nn.own }, { 3, 4 })
  nas.own, nas.nn.own = nil, nil
  local found = {}
  for name in pairs(nas.nn) do found[name] = true end
  lu.assertTrue(found.conv2d and not found.own)
end

function T.test_what_is_similar()
  lu.assertEquals(names.distance("kitten", "sitting"), 3)
  lu.assertEquals(names.similar("skip", { "stop", "skin", "skipped", "ship" }), { "skipped", "ship", "skin" })
  lu.assertEquals(names.similar("x", { "a", "xyz" }), { "xyz" })
end

return T
