-- The policy of this host is a mutant (core_mutants.lua): what must turn red does. In the control nothing is red of all
-- that is in any mutant.
local lu = require "luaunit"
local nas = require "luanas"
local redness = require "redness"

local T = {}

local ACCEPTANCE = "test_acceptance.lua"

local mutants = require "core_mutants"
local NAME = os.getenv "LUANAS_MUTANT"
local mutant = mutants[NAME]

local function new(seed) return nas.agents.reinforce { seed = seed } end

local function all_tests()
  local names = {}
  for _, each in pairs(mutants) do
    for _, test in ipairs(each.tests or {}) do names[#names + 1] = test end
  end
  lu.assertTrue(#names > 5)
  return names
end

function T.test_checks_of_agents()
  local red, report = redness.of_checks(new)
  if mutant.checks then redness.expect(NAME, red, mutant.checks, report) else redness.expect_none(NAME, red, report) end
end

function T.test_acceptance_tests()
  if mutant.tests then
    redness.expect(NAME, redness.of_tests(ACCEPTANCE, mutant.tests), mutant.tests)
  else
    redness.expect_none(NAME, redness.of_tests(ACCEPTANCE, all_tests()))
  end
end

return T
