local lu = require "luaunit"
local command_line = require "luanas.command_line"

local T = {}

local specifications = {
  trials = { 20, "architectures to try" },
  rate = { 0.5, "step size" },
  csv = "",
  data_limit = 10,
  fast = { false, "be quick" },
}

local with_least = { top = { "", "so many", least = 0 }, rows = { 5, "of a table", least = 1 } }

local function parse(...)
  return command_line.parse({ ... }, specifications)
end

function T.test_defaults()
  lu.assertEquals(parse(), { trials = 20, rate = 0.5, data_limit = 10, fast = false })
end

function T.test_values()
  lu.assertEquals(parse("--trials", "5", "--csv=x=y.csv", "--data-limit", "-1", "--rate", "2", "--fast"),
    { trials = 5, csv = "x=y.csv", data_limit = -1, rate = 2.0, fast = true })
  lu.assertEquals(math.type(parse("--rate", "2").rate), "float")
  lu.assertEquals(math.type(parse("--trials", "2").trials), "integer")
  lu.assertEquals(parse("--fast=false").fast, false)
end

function T.test_wrong_arguments()
  local function refused(text, ...)
    local values, message = parse(...)
    lu.assertNil(values)
    lu.assertEquals(message, text)
  end
  local known = "; known options: --help, --csv, --data-limit, --fast, --rate, --trials"
  refused("unknown argument --trial" .. known, "--trial", "3")
  refused("unknown argument x" .. known, "x")
  refused("--trials: value is missing", "--trials")
  refused('--trials: value is "3.5"; expected an integer', "--trials", "3.5")
  refused('--trials: value is "0x10"; expected an integer', "--trials", "0x10")
  refused('--trials: value is "99999999999999999999"; expected an integer', "--trials", "99999999999999999999")
  refused('--rate: value is "nan"; expected a finite number', "--rate", "nan")
  refused('--rate: value is "1e999"; expected a finite number', "--rate=1e999")
  refused('--fast: value is "maybe"; expected true or false', "--fast=maybe")
end

function T.test_short_names()
  local with_short = { out = { "", "a file", short = "-o" } }
  lu.assertEquals(command_line.parse({ "-o", "a.svg" }, with_short), { out = "a.svg" })
  lu.assertEquals(command_line.parse({ "--out", "a.svg" }, with_short), { out = "a.svg" })
  lu.assertStrContains(command_line.help("", with_short), "  -o, --out STRING  a file\n")
end

function T.test_least_values()
  local function parsed(...) return command_line.parse({ ... }, with_least) end
  lu.assertEquals(parsed(), { rows = 5 })
  lu.assertEquals(parsed("--top", "0", "--rows", "1"), { top = 0, rows = 1 })
  lu.assertEquals({ parsed("--top", "-1") }, { nil, '--top: value is "-1"; expected an integer of at least 0' })
  lu.assertEquals({ parsed("--rows", "x") }, { nil, '--rows: value is "x"; expected an integer of at least 1' })
  lu.assertStrContains(command_line.help("", with_least), "--top INTEGER   so many\n")
  lu.assertErrorMsgContains("options: rate: least is 1; expected an integer, as the default", command_line.parse, {},
    { rate = { 0.5, "", least = 1 } })
end

function T.test_help()
  local values, message = parse("--trials", "5", "--help")
  lu.assertNil(values)
  lu.assertNil(message)
end

function T.test_wrong_specifications()
  lu.assertErrorMsgContains("options: trials is a function; expected a default", command_line.parse, {},
    { trials = print })
  lu.assertErrorMsgContains("options: arguments are nil; expected the global table arg", command_line.options)
end

return T
