--- Which checks and tests turn red.
local lu = require "luaunit"
local nas = require "luanas"

local redness = {}

--- The checks of nas.testing.agent that fail: why, by their names; and the report.
function redness.of_checks(new)
  local report, red = nas.testing.agent(new), {}
  for _, check in ipairs(report.checks) do
    if not check.ok then red[check.name] = check.problem end
  end
  return red, report
end

--- Of some functions of a file of tests/lua those that fail: why, by their names.
function redness.of_tests(file, names)
  local tests, red = dofile(os.getenv "LUANAS_SOURCE" .. "/tests/lua/" .. file), {}
  for _, name in ipairs(names) do
    lu.assertIsFunction(tests[name], name)
    local ok, problem = pcall(tests[name])
    if not ok then red[name] = type(problem) == "table" and problem.msg or tostring(problem) end
  end
  return red
end

function redness.expect(what, red, names, report)
  for _, name in ipairs(names) do
    lu.assertNotNil(red[name], ("%s: \"%s\" is green\n%s"):format(what, name, report or ""))
  end
end

function redness.expect_none(what, red, report)
  for name, problem in pairs(red) do
    lu.fail(("%s: \"%s\" is red: %s\n%s"):format(what, name, problem, report or ""))
  end
end

return redness
