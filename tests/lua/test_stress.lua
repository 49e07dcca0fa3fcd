-- Eight processes on one file, which are killed and stopped meanwhile, also inside a transaction: no error, nothing is
-- lost, nothing is trained twice. LUANAS_STRESS_SECONDS is how long (default 4).
local core = require "luanas.core"
local files = require "files"
local lu = require "luaunit"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"
local SECONDS = tonumber(os.getenv "LUANAS_STRESS_SECONDS" or "4")
local PROCESSES = 8

local path = files.path
local logs = {}

-- Starts a process; its number for kill.
local function start(seed, seconds, crash)
  local log = ("%s.log-%d"):format(path, #logs + 1)
  logs[#logs + 1] = log
  local command = "LUANAS_CRASH=%s LUANAS_THREADS=1 '%s' '%s/tests/lua/stress.lua' '%s' %d %d >'%s' 2>&1 & echo $!"
  local pipe = assert(io.popen(command:format(crash or "", PROGRAM, SOURCE, path, seed, seconds, log)))
  local pid = pipe:read "n"
  pipe:close()
  return { pid = pid, log = log, crash = crash }
end

local function signal(process, name)
  return os.execute(("kill -%s %d 2>/dev/null"):format(name, process.pid))
end

local function content(log)
  local file = assert(io.open(log))
  local text = file:read "a"
  file:close()
  return text
end

function T.test_eight_processes()
  local _ <close> = setmetatable({}, { __close = function()
    for _, log in ipairs(logs) do os.remove(log) end
  end })
  local stream, ends, seed, disturbed = core.stream(1, "stress"), core.clock() + SECONDS, 0, 0
  local processes, killed = {}, {}
  local function begin()
    seed = seed + 1
    local crash = stream:integer(3) == 1 and ("begun:%d:stop"):format(stream:integer(10)) or nil
    return start(seed, math.max(1, (ends - core.clock()) // 1), crash)
  end
  for i = 1, PROCESSES do processes[i] = begin() end
  while core.clock() < ends do
    core.sleep(0.15)
    local i = stream:integer(PROCESSES)
    local process = processes[i]
    disturbed = disturbed + 1
    if stream:integer(2) == 1 then
      signal(process, "KILL")
      killed[process.log] = true
      processes[i] = begin()
    else
      signal(process, "STOP")
      core.sleep(0.1)
      signal(process, "CONT")
    end
    for _, each in ipairs(processes) do -- those that stopped themselves within a transaction
      if each.crash and stream:integer(4) == 1 then signal(each, "CONT") end
    end
  end
  for _ = 1, 600 do
    local running = false
    for _, process in ipairs(processes) do
      signal(process, "CONT")
      running = signal(process, "0") or running
    end
    if not running then break end
    core.sleep(0.1)
  end

  local trained, count = {}, 0
  for _, log in ipairs(logs) do
    local text = content(log)
    lu.assertNil(text:lower():find "error", text)
    lu.assertNil(text:find "locked", text)
    lu.assertNil(text:find "stack traceback", text)
    if not killed[log] then lu.assertStrContains(text, "finished") end
    for network in text:gmatch "trained%s+(%x+)" do
      lu.assertNil(trained[network], "trained twice")
      trained[network] = true
      count = count + 1
    end
  end
  local store <close> = core.store(path)
  lu.assertEquals({ store:check() }, { 0, "" })
  local evaluations = store:row("SELECT count(*) AS n FROM evaluation WHERE epochs = 2").n
  lu.assertTrue(evaluations >= count)
  lu.assertEquals(store:row("SELECT count(*) AS n FROM evaluation").n, evaluations)
  print(("# %d evaluations by %d processes, which were disturbed %d times"):format(evaluations, #logs, disturbed))
  lu.assertTrue(evaluations > 8)
end

return files.each_without(T)
