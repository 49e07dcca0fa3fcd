-- The policy of this host is a mutant (core_mutants.lua): what must turn red does. In the control nothing is red of all
-- that is in any mutant.
local lu = require "luaunit"
local nas = require "luanas"
local redness = require "redness"

local T = {}

local mutants = require "core_mutants"
local NAME = os.getenv "LUANAS_MUTANT"
local mutant = mutants[NAME]

local function new(seed) return nas.agents.reinforce { seed = seed } end

-- All tests that some mutant turns red, of those that `key` has.
local function all_tests(key)
  local names = {}
  for _, each in pairs(mutants) do
    for _, test in ipairs(each[key] or {}) do names[#names + 1] = test end
  end
  lu.assertTrue(#names > 3)
  return names
end

local function check_tests(file, key)
  if mutant[key] then
    redness.expect(NAME, redness.of_tests(file, mutant[key]), mutant[key])
  elseif NAME == "none" then
    redness.expect_none(NAME, redness.of_tests(file, all_tests(key)))
  end
end

function T.test_checks_of_agents()
  if not mutant.checks and NAME ~= "none" then return end
  local red, report = redness.of_checks(new)
  if mutant.checks then redness.expect(NAME, red, mutant.checks, report) else redness.expect_none(NAME, red, report) end
end

function T.test_acceptance_tests()
  check_tests("test_acceptance.lua", "tests")
end

function T.test_tests_of_anchors()
  check_tests("test_anchors.lua", "anchor_tests")
end

return T
