-- A search that is killed at any instant and run again ends as one that was never interrupted.
--
-- LUANAS_KILLS is how many searches are killed, each once to four times in a row: half of them at instants that are
-- drawn, half at named points of the store (nas_crash_point).
local core = require "luanas.core"
local lu = require "luaunit"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"
local KILLS = math.tointeger(tonumber(os.getenv "LUANAS_KILLS" or "8"))

local POINTS = {
  "begun", "in-migration", "before-commit", "after-commit", "before-durable-commit", "after-durable-commit",
}

-- Searches: a script with its arguments, where PATH stands for the file; what is run to its end before; and how many
-- runs the file has at the end.
local SEARCHES = {
  { "reproducible.lua 1 2 3 PATH", runs = 1 },
  { "batches.lua PATH 1 1", runs = 1 },
  { "batches.lua PATH 2 1", runs = 1 },
  { "batches.lua PATH 1 2", after = "batches.lua PATH 1 1", runs = 2 },
  { "live.lua PATH", runs = 1 },
}

-- What a search prints, and whether it came to its end.
local function run(search, path, before, isa)
  local command = ("LUANAS_ISA=%s %s '%s' '%s/tests/lua/'%s 2>/dev/null")
    :format(isa or "", before or "", PROGRAM, SOURCE, (search:gsub("PATH", path)))
  local pipe = assert(io.popen(command))
  local output = pipe:read "a"
  return output, pipe:close() == true
end

-- The number of evaluations, which a whole file has. A search that leaves a run by what it logs of a batch, the last
-- trial first, leaves a beginning behind each time when it is killed meanwhile: `left` times at most.
local function check_file(path, runs, left)
  local store <close> = core.store(path)
  lu.assertEquals({ store:check() }, { 0, "" })
  local count = store:row("SELECT count(*) AS n FROM run").n
  lu.assertTrue(count >= runs and count <= runs + left, count)
  return store:row("SELECT count(*) AS n FROM evaluation").n
end

-- Each search has a file of its own: workers may outlive who started them.
local function new_path()
  local path = os.tmpname()
  os.remove(path)
  return path, setmetatable({}, { __close = function()
    for _, ending in ipairs { "", "-wal", "-shm", "-lock", ".reward.lua", ".reward.lua.new" } do
      os.remove(path .. ending)
    end
  end })
end

-- What a search that nobody disturbs prints, the seconds that it takes, and how many evaluations it makes.
local function undisturbed(search)
  local path, removed = new_path()
  local _ <close> = removed
  if search.after then run(search.after, path) end
  local began = core.clock()
  local expected, ended = run(search[1], path)
  local seconds = core.clock() - began
  lu.assertTrue(ended, expected)
  lu.assertEquals(run(search[1], path), expected) -- all of it recalled
  return { output = expected, seconds = seconds, evaluations = check_file(path, search.runs, 0) }
end

function T.test_killed_searches()
  local isas, killed, expected = core.machine().isas, 0, {}
  for i, search in ipairs(SEARCHES) do expected[i] = undisturbed(search) end
  for kill = 1, KILLS do
    local stream, which = core.stream(1, "kill", kill), kill % #SEARCHES + 1
    local search, whole = SEARCHES[which], expected[which]
    local function isa() return isas[stream:integer(#isas - 1) + 1] end
    local path, removed = new_path()
    local _ <close> = removed
    if search.after then run(search.after, path) end
    local left = 0
    for _ = 1, stream:integer(4) do
      local before
      if kill // #SEARCHES % 2 == 0 then
        before = ("timeout -s KILL %.4f"):format(0.02 + whole.seconds * stream:number())
      else
        before = ("LUANAS_CRASH=%s:%d"):format(POINTS[stream:integer(#POINTS)], stream:integer(12))
      end
      local _, ended = run(search[1], path, before, isa())
      if not ended then
        killed = killed + 1
        if search.after then left = left + 1 end
      end
    end
    local output, ended = run(search[1], path, "", isa())
    lu.assertTrue(ended, output)
    lu.assertEquals(output, whole.output)
    lu.assertEquals(check_file(path, search.runs, left), whole.evaluations)
  end
  print(("# %d searches were killed %d times"):format(KILLS, killed))
  lu.assertTrue(killed >= KILLS / 2)
end

-- What was logged last is there when a script has come to its end without a word about it, in the program and in Lua.
function T.test_the_end_of_a_script()
  local code = [[
    local nas, nn = require "luanas", require "luanas.nn"
    local function space(c) return nn.dense(nn.input { 8, 8, 1 }, { units = 10, bias = c:choose("bias", { true }) }) end
    local study = nas.study { path = arg[1], space = space, data = nas.data.synthetic { images = 20 }, quiet = true,
      train = { epochs = 1, batch = 20 } }
    for i = 1, 2 do study:evaluate(nas.random({ seed = 1 }):sample(space)):log { reward = i } end]]
  local script = os.tmpname()
  local file = assert(io.open(script, "w"))
  assert(file:write(code))
  file:close()
  local script_removed <close> = setmetatable({}, { __close = function() os.remove(script) end })
  assert(script_removed)
  for _, host in ipairs { "'" .. PROGRAM .. "'", os.getenv "LUANAS_STOCK_LUA" } do
    local path, removed = new_path()
    local _ <close> = removed
    local pipe = assert(io.popen(("%s '%s' '%s' 2>&1"):format(host, script, path)))
    lu.assertEquals({ pipe:read "a", pipe:close() }, { "", true, "exit", 0 })
    local store <close> = core.store(path)
    lu.assertEquals(store:row("SELECT sum(logged->>'reward') AS sum FROM trial").sum, 3)
  end
end

return T
