-- Rules for the package's own text: no result may depend on the C library's elementary functions.
local lu = require "luaunit"

local T = {}

local SOURCE = os.getenv "LUANAS_SOURCE"

local function files(folder)
  local pipe = assert(io.popen(("cd '%s' && find '%s' -name '*.lua'"):format(SOURCE, folder)))
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  table.sort(list)
  return list
end

-- A file's lines without comments and strings.
local function code_lines(path)
  local lines, number = {}, 0
  for line in io.lines(SOURCE .. "/" .. path) do
    number = number + 1
    lines[number] = line:gsub('\\.', ""):gsub('"[^"]*"', '""'):gsub("'[^']*'", "''"):gsub("%-%-.*$", "")
  end
  return lines
end

function T.test_nothing_comes_from_the_c_librarys_mathematics()
  local found = {}
  for _, folder in ipairs { "scripts/luanas", "examples" } do
    for _, path in ipairs(files(folder)) do
      for number, line in ipairs(code_lines(path)) do
        local function_name = line:match("%f[%w_.]math%.([%a]+)")
        local allowed = { floor = true, huge = true, max = true, min = true, tointeger = true, type = true, abs = true,
          maxinteger = true, sqrt = true } -- the root is rounded correctly everywhere
        if line:find("^", 1, true) or (function_name and not allowed[function_name]) then
          found[#found + 1] = ("%s:%d: %s"):format(path, number, line)
        end
      end
    end
  end
  lu.assertEquals(found, {})
end

function T.test_no_global_is_set()
  local known = {}
  for name in pairs(_G) do known[name] = true end
  for _, name in ipairs { "arch", "data", "nn", "policy", "random", "reward", "schedules", "space", "study",
    "command_line" } do
    require("luanas." .. name)
  end
  for name in pairs(_G) do lu.assertTrue(known[name], name) end
end

return T
