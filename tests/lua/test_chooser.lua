local lu = require "luaunit"
local nas = require "luanas"
local build = require "luanas.build"
local chooser = require "luanas.chooser"
local nn = nas.nn
local replay = require "luanas.choosers.replay"
local spaces = require "spaces"

local T = {}

-- A chooser that takes the first option, and a space around one call of c:choose.
local function ask(name, options)
  return build.run(function(c)
    c:choose("first", { 1 })
    c:choose(name, options)
    return nn.input { 1, 1, 1 }
  end, chooser.new(function() return 1 end))
end

function T.test_what_is_refused()
  local function refused(text, name, options) lu.assertErrorMsgContains(text, ask, name, options) end
  refused("decision 2: name is nil; expected a non-empty string", nil, { 1 })
  refused("decision 2: name is 3", 3, { 1 })
  refused('decision 2: name is ""', "", { 1 })
  refused("control characters", "a\nb", { 1 })
  refused("not UTF-8", "a\xff", { 1 })
  refused("256 bytes; at most 255", ("x"):rep(256), { 1 })
  refused("decision 2, kernel: options are nil", "kernel", nil)
  refused("decision 2, kernel: options are 3; expected a list", "kernel", 3)
  refused("decision 2, kernel: the list of options is empty", "kernel", {})
  refused("the list of options is empty", "kernel", { a = 1 })
  refused("options have the key \"a\"; expected a plain list", "kernel", { 1, a = 1 })
  refused("options 1 and 3 are both 3; options must be distinct", "kernel", { 3, 1, 3.0 })
  refused('options 1 and 2 are both @"a"', "kernel", { { label = "a", value = 1 }, { label = "a", value = 2 } })
  refused("option 2 is NaN", "kernel", { 1, 0 / 0 })
  refused("option 1 is inf", "kernel", { math.huge })
  refused("option 1 is a table; expected a finite number, a string, a boolean or { label", "kernel", { {} })
  refused("option 1 is a table", "kernel", { { label = "a" } })
  refused("option 1 is a table", "kernel", { { label = 3, value = 1 } })
  refused("option 1 is a function", "kernel", { print })
  local many = {}
  for i = 1, 4097 do many[i] = i end
  refused("4097 options; at most 4096", "kernel", many)
  lu.assertErrorMsgContains("with a colon", build.run, function(c) c.choose("kernel", { 1 }) end,
    chooser.new(function() return 1 end))
end

function T.test_errors_point_at_the_users_line()
  local ok, message = pcall(build.run, function(c)
    c:choose("kernel", {}) -- this line
  end, chooser.new(function() return 1 end))
  lu.assertFalse(ok)
  lu.assertStrMatches(message, "^.*test_chooser.lua:" .. debug.getinfo(1, "l").currentline - 3 .. ": .*$")
end

function T.test_options_come_back_as_they_were_given()
  local value = {}
  local got = {}
  build.run(function(c)
    for i, option in ipairs { 3, 2.0, "same", false, { label = "x", value = value } } do
      got[i] = c:choose("a", { option })
    end
    return nn.input { 1, 1, 1 }
  end, chooser.new(function() return 1 end))
  lu.assertEquals(got, { 3, 2.0, "same", false, value })
  lu.assertEquals(math.type(got[2]), "float")
  lu.assertIs(got[5], value)
end

function T.test_nothing_can_be_asked_afterwards()
  local kept
  build.run(function(c)
    kept = c
    return nn.input { 1, 1, 1 }
  end, chooser.new(function() return 1 end))
  lu.assertErrorMsgContains("the space function has returned", kept.choose, kept, "kernel", { 1 })
end

-- ---- Random ----------------------------------------------------------------------------------------

function T.test_random_is_uniform_and_reproducible()
  local counts = {}
  local random, again = nas.random { seed = 3 }, nas.random { seed = 3 }
  local draws = 3000
  for _, arch in ipairs(random:sample(spaces.tiny, draws)) do
    lu.assertTrue(arch == again:sample(spaces.tiny))
    lu.assertAlmostEquals(arch.log_prob, -nas.math.log(4), 1e-15)
    counts[arch:line()] = (counts[arch:line()] or 0) + 1
  end
  local chi_squared, kinds, expected = 0, 0, draws / 4
  for _, count in pairs(counts) do
    kinds = kinds + 1
    chi_squared = chi_squared + (count - expected) * (count - expected) / expected
  end
  lu.assertEquals(kinds, 4)
  lu.assertTrue(chi_squared < 16.3, "chi squared is " .. chi_squared) -- 3 degrees of freedom, p = 0.001
  lu.assertFalse(nas.random { seed = 4 }:sample(spaces.student) == nas.random { seed = 3 }:sample(spaces.student))
end

-- ---- Replay ----------------------------------------------------------------------------------------

local function replayed(line, space)
  return build.run(space, replay(nas.arch(line)))
end

local function input()
  return nn.input { 1, 1, 1 }
end

function T.test_replay_gives_the_same_network()
  for arch in nas.space.enumerate(spaces.branching) do
    local built = build.run(spaces.branching, replay(arch))
    lu.assertTrue(built.arch == arch)
    lu.assertEquals(built.network:hash(), arch.network)
  end
end

function T.test_replay_refuses_other_questions()
  local function refused(text, line, space) lu.assertErrorMsgContains(text, replayed, line, space) end
  refused("decision 2: the space asks for b (occurrence 1) of {1,2}; recorded was b (occurrence 1) of {1,3}",
    "a=1{1} b=1{1,3}", function(c)
      c:choose("a", { 1 })
      c:choose("b", { 1, 2 })
      return input()
    end)
  refused("decision 1: the space asks for a (occurrence 1) of {1}; recorded was b (occurrence 1) of {1}", "b=1{1}",
    function(c)
      c:choose("a", { 1 })
      return input()
    end)
  refused("the space asks for a (occurrence 2) of {1}; recorded were 1 decisions only", "a=1{1}", function(c)
    c:choose("a", { 1 })
    c:choose("a", { 1 })
    return input()
  end)
  refused("the space asks for 1 decisions; recorded were 2, and decision 2 was b (occurrence 1) of {5}",
    "a=1{1} b=5{5}", function(c)
      c:choose("a", { 1 })
      return input()
    end)
end

-- ---- Enumerate -------------------------------------------------------------------------------------

function T.test_the_students_space_has_1296_architectures()
  local seen, count = {}, 0
  for arch in nas.space.enumerate(spaces.student) do
    count = count + 1
    lu.assertNil(seen[arch:line()])
    seen[arch:line()] = true
  end
  lu.assertEquals(count, 1296)
  lu.assertEquals({ nas.space.size(spaces.student) }, { 1296, true })
end

function T.test_order_of_the_walk()
  local lines = {}
  for arch in nas.space.enumerate(spaces.branching) do lines[#lines + 1] = tostring(arch) end
  lu.assertEquals(lines, {
    "kind=dense units=10", "kind=dense units=20",
    "kind=conv depth=1", "kind=conv depth=2", "kind=conv depth=3 pool=true", "kind=conv depth=3 pool=false",
  })
end

function T.test_limit_and_size()
  local count = 0
  for _ in nas.space.enumerate(spaces.student, 5) do count = count + 1 end
  lu.assertEquals(count, 5)
  lu.assertEquals({ nas.space.size(spaces.student, 100) }, { 100, false })
  lu.assertEquals({ nas.space.size(spaces.branching, 6) }, { 6, true })
  lu.assertEquals({ nas.space.size(input) }, { 1, true })
  lu.assertErrorMsgContains("limit is -1", nas.space.enumerate, input, -1)
end

function T.test_the_walk_is_lazy()
  local calls = 0
  local function space(c)
    calls = calls + 1
    return spaces.student(c)
  end
  local following = nas.space.enumerate(space)
  lu.assertEquals(calls, 0)
  following()
  lu.assertEquals(calls, 1)
end

function T.test_a_space_that_is_no_function_of_its_decisions()
  local calls = 0
  local function walk(space)
    for _ in nas.space.enumerate(space) do calls = calls + 1 end
  end
  lu.assertErrorMsgContains("a space must be a pure function of its decisions", walk, function(c)
    c:choose("a", { -1, calls })
    c:choose("b", { 1, 2 })
    return input()
  end)
  calls = 0
  lu.assertErrorMsgContains("a space must be a pure function of its decisions", walk, function(c)
    c:choose("a", { 1, 2 })
    if calls == 0 then c:choose("b", { 1, 2 }) end
    return input()
  end)
end

return T
