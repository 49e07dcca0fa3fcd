-- Runs one test file under luaunit, then checks that nothing of libnas is left. Returns whether both went well.
-- luacheck: globals arg
local runner = require "runner"

local path = ...

local function keys(map)
  local set = {}
  for key in pairs(map) do set[key] = true end
  return set
end

-- Also drops all that the tests hold in modules and globals.
local function remove_others(map, set)
  for key in pairs(map) do
    if not set[key] then map[key] = nil end
  end
end

local function run()
  arg = { "--verbose", "--output", "tap" } -- luaunit looks there when it is loaded
  local luaunit = require "luaunit"
  local tests = assert(loadfile(path))()
  local suite = luaunit.LuaUnit.new()
  if type(tests) ~= "table" then return suite:runSuite() end
  local list = {}
  for name, test in pairs(tests) do list[#list + 1] = { name, test } end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return suite:runSuiteByInstances(list)
end

local globals, modules = keys(_G), keys(package.loaded)
local failures = run()
remove_others(_G, globals)
remove_others(package.loaded, modules)
collectgarbage()
collectgarbage()
local blocks, bytes = runner.used()
if blocks > 0 then io.stderr:write(("%d blocks of libnas with %d bytes are left\n"):format(blocks, bytes)) end
return failures == 0 and blocks == 0
