-- A search that is killed at any instant and run again ends as one that was never interrupted.
--
-- LUANAS_KILLS is how many searches are killed, each once to four times in a row: half of them at instants that are
-- drawn, half at named points of the store (nas_crash_point).
local core = require "luanas.core"
local files = require "files"
local lu = require "luaunit"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"
local KILLS = math.tointeger(tonumber(os.getenv "LUANAS_KILLS" or "6"))

local POINTS = {
  "begun", "in-migration", "before-commit", "after-commit", "before-durable-commit", "after-durable-commit",
}

local path, remove, query = files.path, files.remove, files.query

-- What the search prints, and whether it came to its end.
local function search(before, isa)
  local command = ("LUANAS_ISA=%s %s '%s' '%s/tests/lua/reproducible.lua' 1 2 3 '%s' 2>&1")
    :format(isa or "", before, PROGRAM, SOURCE, path)
  local pipe = assert(io.popen(command))
  local output = pipe:read "a"
  return output, pipe:close() == true
end

local function check_file(evaluations)
  do
    local store <close> = core.store(path)
    lu.assertEquals({ store:check() }, { 0, "" })
  end
  lu.assertEquals(query "SELECT count(*) AS n FROM evaluation"[1].n, evaluations)
  lu.assertEquals(#query "SELECT id FROM run", 1)
end

function T.test_killed_searches()
  local began = core.clock()
  local expected, ended = search ""
  local seconds = core.clock() - began
  lu.assertTrue(ended, expected)
  local evaluations = query "SELECT count(*) AS n FROM evaluation"[1].n
  lu.assertEquals(search "", expected) -- all of it recalled
  local isas, killed = core.machine().isas, 0
  for kill = 1, KILLS do
    local stream = core.stream(1, "kill", kill)
    remove()
    for _ = 1, stream:integer(4) do
      local before
      if kill % 2 == 0 then
        before = ("timeout -s KILL %.4f"):format(0.02 + seconds * stream:number())
      else
        before = ("LUANAS_CRASH=%s:%d"):format(POINTS[stream:integer(#POINTS)], stream:integer(12))
      end
      local _, whole = search(before, isas[stream:integer(#isas - 1) + 1])
      if not whole then killed = killed + 1 end
    end
    local output, whole = search("", isas[stream:integer(#isas - 1) + 1])
    lu.assertTrue(whole, output)
    lu.assertEquals(output, expected)
    check_file(evaluations)
  end
  print(("# %d searches were killed %d times"):format(KILLS, killed))
  lu.assertTrue(killed >= KILLS / 2)
end

return files.each_without(T)
