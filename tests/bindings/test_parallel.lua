local core = require "luanas.core"
local lu = require "luaunit"
local runner = require "runner"
local support = require "support"

local raises = support.raises

local tests = {}

local PROGRAM = os.getenv "LUANAS_PROGRAM"

-- The number of this process.
local function process_id()
  local file <close> = assert(io.open "/proc/self/stat")
  return file:read "n"
end

local PARENT = process_id()

local function exit(...)
  lu.unregisterCurrentSuite()
  os.exit(...)
end

local function list(command)
  local pipe <close> = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines
end

local function descriptors()
  collectgarbage()
  return #list(("sleep 0.1; ls /proc/%d/fd"):format(PARENT)) -- until popen has closed its part of the pipe
end

-- Whether it runs: one that nobody waits for stays as a zombie.
local function is_alive(process)
  local file <close> = io.open(("/proc/%d/stat"):format(process))
  local state = file and file:read "a":match "^.*%) (%a)"
  return state ~= nil and state ~= "Z"
end

local function is_there(process)
  local file <close> = io.open(("/proc/%d/stat"):format(process))
  return file ~= nil
end

local function new_path()
  local path = os.tmpname()
  os.remove(path)
  return path, setmetatable({}, { __close = function()
    for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
  end })
end

local function write(path, text)
  local file <close> = assert(io.open(path, "a"))
  file:write(text)
end

local function read(path)
  local file <close> = io.open(path)
  return file and file:read "a" or ""
end

local function wait_until(condition)
  for _ = 1, 2000 do
    if condition() then return end
    core.sleep(0.01)
  end
  lu.fail "nothing happened in 20 seconds"
end

-- ---- Results ---------------------------------------------------------------------------------------

function tests.test_results_do_not_depend_on_workers()
  local function work(i)
    local stream = core.stream(7, "parallel", i)
    if i % 7 == 0 then core.sleep(0.01) end
    return i % 5 == 0 and "" or ("\0%d %.17g"):format(i, stream:number())
  end
  local expected = {}
  for i = 1, 40 do expected[i] = work(i) end
  for _, workers in ipairs { 1, 2, 5, 256 } do
    lu.assertEquals(core.parallel(40, workers, work), expected)
  end
  for count = 0, 2 do lu.assertEquals(#core.parallel(count, 3, work), count) end
end

function tests.test_large_results()
  local size = 3000001
  local function work(i) return string.char(i):rep(i == 3 and 0 or size) end
  local results = core.parallel(6, 4, work)
  for i = 1, 6 do lu.assertTrue(results[i] == work(i)) end
end

function tests.test_each_is_called_once_in_another_process()
  local path, removed = new_path()
  local _ <close> = removed
  local state = 0
  local results = core.parallel(50, 4, function(i)
    state = state + 1
    write(path, i .. "\n")
    core.sleep(0.002)
    return tostring(process_id())
  end)
  lu.assertEquals(state, 0)
  local calls, processes = {}, {}
  for number in read(path):gmatch "%d+" do calls[#calls + 1] = tonumber(number) end
  table.sort(calls)
  for i = 1, 50 do lu.assertEquals(calls[i], i) end
  lu.assertEquals(#calls, 50)
  for _, process in ipairs(results) do processes[process] = true end
  lu.assertNil(processes[tostring(PARENT)])
  lu.assertNotNil(next(processes, next(processes))) -- at least two
  for process in pairs(processes) do lu.assertFalse(is_there(process)) end
  lu.assertEquals(core.parallel(1, 4, function() return tostring(process_id()) end), { tostring(PARENT) })
end

function tests.test_progress()
  for _, workers in ipairs { 1, 3 } do
    local told = {}
    core.parallel(6, workers, tostring, function(...) told[#told + 1] = { ... } end)
    lu.assertEquals(told, { { 1 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6 } })
    raises("enough", core.parallel, 6, workers, tostring, function(done)
      if done == 2 then error "enough" end
    end)
  end
end

function tests.test_within_work_and_within_a_coroutine()
  local function inner(i)
    return table.concat(core.parallel(3, 2, function(j) return i .. "." .. j end), " ")
  end
  local results = coroutine.wrap(function() return core.parallel(2, 2, inner) end)()
  lu.assertEquals(results, { "1.1 1.2 1.3", "2.1 2.2 2.3" })
end

function tests.test_arguments()
  local work = tostring
  raises("count is -1; expected 0 to", core.parallel, -1, 1, work)
  raises("count is nil; expected 0 to", core.parallel)
  raises("workers is 0; expected 1 to 256", core.parallel, 1, 0, work)
  raises("workers is 257; expected 1 to 256", core.parallel, 1, 257, work)
  raises("work is nil; expected a function", core.parallel, 1, 1)
  raises("progress is 7; expected a function", core.parallel, 1, 1, work, 7)
end

function tests.test_with_little_memory()
  support.with_little_memory(function()
    lu.assertEquals(core.parallel(3, 2, function() return "a result" end), { "a result", "a result", "a result" })
  end)
end

function tests.test_no_descriptors_are_left()
  local before = descriptors()
  core.parallel(10, 5, tostring)
  pcall(core.parallel, 10, 5, error)
  pcall(core.parallel, 10, 5, exit)
  pcall(core.parallel, 10, 5, tostring, error)
  lu.assertEquals(descriptors(), before)
end

-- ---- Failures --------------------------------------------------------------------------------------

-- The failure that calls one after the other would meet first, also where another comes earlier; and what cannot be
-- wanted any more is not waited for.
function tests.test_the_smallest_that_fails()
  local function work(i)
    if i == 2 then
      core.sleep(0.3)
      error "two"
    elseif i == 3 then
      error "three"
    elseif i > 3 then
      core.sleep(60)
    end
    return ""
  end
  local began = core.clock()
  for _, workers in ipairs { 1, 2, 4 } do
    local ok, message = pcall(core.parallel, 100, workers, work)
    lu.assertFalse(ok)
    lu.assertStrMatches(message, "^.*test_parallel.lua:%d+: two$")
  end
  lu.assertTrue(core.clock() - began < 30)
end

function tests.test_error_objects_become_texts()
  local object = setmetatable({}, { __tostring = function() return "an object" end })
  local nasty = setmetatable({}, { __tostring = function() error "no text" end })
  for _, workers in ipairs { 1, 2 } do
    lu.assertEquals({ pcall(core.parallel, 2, workers, function() error(object) end) }, { false, "an object" })
    lu.assertEquals({ pcall(core.parallel, 2, workers, function() error() end) }, { false, "nil" })
    lu.assertStrContains(select(2, pcall(core.parallel, 2, workers, function() error "a\0b" end)), "a\0b")
    lu.assertIsString(select(2, pcall(core.parallel, 2, workers, function() error(nasty) end)))
    raises("work(1) returned 1; expected a string", core.parallel, 2, workers, function(i) return i end)
    raises("work(1) returned nil; expected a string", core.parallel, 2, workers, function() end)
    raises("yield", core.parallel, 2, workers, coroutine.yield)
  end
end

function tests.test_a_worker_that_dies()
  local path, removed = new_path()
  local _ <close> = removed
  local function dies(how)
    return function(i)
      write(path, process_id() .. "\n")
      if i == 3 then how() end
      if i > 3 then core.sleep(60) end
      return ""
    end
  end
  local function message(how)
    local ok, text = pcall(core.parallel, 5, 2, dies(how))
    lu.assertFalse(ok)
    return text
  end
  lu.assertStrMatches(message(function() os.execute("kill -9 " .. process_id()) end),
    "worker process %d+ ended by signal 9 while it worked on 3")
  lu.assertStrMatches(message(function() exit(7) end),
    "worker process %d+ ended with exit status 7 while it worked on 3")
  lu.assertStrMatches(message(function() exit(true, true) end),
    "worker process %d+ ended with exit status 0 while it worked on 3")
  for process in read(path):gmatch "%d+" do lu.assertFalse(is_there(process)) end
end

-- Workers of a call within `progress` have the box of the outer call, too.
function tests.test_a_worker_that_closes_all_within_progress()
  local messages = {}
  local function dies() exit(0, true) end
  local results = core.parallel(4, 2, function(i)
    if i > 1 then core.sleep(0.5) end
    return tostring(i)
  end, function(done)
    if done == 1 then messages[1] = select(2, pcall(core.parallel, 2, 2, dies)) end
  end)
  lu.assertEquals(results, { "1", "2", "3", "4" })
  lu.assertStrMatches(messages[1], "worker process %d+ ended with exit status 0 while it worked on 1")
end

-- ---- Interrupts ------------------------------------------------------------------------------------

local clear = setmetatable({}, { __close = function() runner.set_interrupt(false) end })

for _, kind in ipairs { "flag", "hook" } do
  tests["test_interrupt_by_" .. kind] = function()
    local _ <close> = clear
    local path, removed = new_path()
    local _ <close> = removed
    local began = core.clock()
    runner.interrupt_after(0.3, kind)
    raises("interrupted!", function()
      core.parallel(4, 2, function()
        write(path, process_id() .. "\n")
        core.sleep(20)
        return ""
      end)
      local _ = 1 -- here the hook raises at the latest
    end)
    lu.assertTrue(core.clock() - began < 10)
    for process in read(path):gmatch "%d+" do lu.assertFalse(is_there(process)) end
  end
end

-- The hook is the main thread's: here nothing else would end the call.
function tests.test_interrupt_by_hook_in_a_coroutine()
  local _ <close> = clear
  local ok, message
  runner.interrupt_after(0.3, "hook")
  raises("interrupted!", function()
    coroutine.wrap(function()
      ok, message = pcall(core.parallel, 4, 2, function(i)
        if i > 2 then core.sleep(20) end
        return ""
      end)
    end)()
    local _ = 1 -- here the hook raises at the latest
  end)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "interrupted!")
end

function tests.test_interrupt_here()
  local _ <close> = clear
  raises("interrupted!", core.parallel, 4, 1, function()
    runner.set_interrupt(true)
    core.check_interrupt()
    return ""
  end)
end

-- ---- What workers inherit --------------------------------------------------------------------------

local function key(network)
  return { network = network or "1 input", loss = "", data = "d", recipe = "r", seed = 0, numeric_version = 4 }
end

local row = { metrics = '{"accuracy":0.5}', measured = '{"seconds":1.5}' }

local function new_trainer(threads)
  return core.trainer(support.network(), support.dataset(), core.recipe { batch = 12 }, 0, { threads = threads })
end

local function policy_text(policy) return core.hash(policy:bytes()) end

-- A worker collects it all, or closes it; the parent goes on with it.
function tests.test_what_is_dropped_in_workers_stays_whole_here()
  local path, removed = new_path()
  local _ <close> = removed
  local before = descriptors()
  local own = {
    store = assert(core.store(path)), other = assert(core.store(path)), memory = core.store(), trainer = new_trainer(3),
    policy = core.policy(nil, 1), process = core.spawn("sleep", "100"),
  }
  own.lock = assert(own.store:lock_evaluation(key(), "trains"))
  local id = own.store:put(key(), { epochs = { row } })
  own.next_row = own.store:rows "SELECT 1 AS one UNION SELECT 2 UNION SELECT 3"
  lu.assertEquals(own.next_row(), { one = 1 })
  local policy = policy_text(own.policy)
  local results = core.parallel(6, 3, function(i)
    if i % 2 == 0 and own then
      own.lock:close()
      own.store:close()
      own.trainer:close()
      own.process:close()
    end
    own = nil
    collectgarbage()
    collectgarbage()
    return "ok"
  end)
  lu.assertEquals(results, { "ok", "ok", "ok", "ok", "ok", "ok" })
  lu.assertEquals(select(3, own.other:lock_evaluation(key(), "trains, too")), "NAS_BUSY")
  lu.assertEquals(own.next_row(), { one = 2 })
  own.store:put(key "2 input", { epochs = { row } })
  lu.assertEquals(own.store:find(key()).id, id)
  lu.assertEquals({ own.store:check() }, { 0, "" })
  own.memory:put(key(), { epochs = { row } })
  lu.assertEquals(own.trainer:epoch().epoch, 1)
  lu.assertEquals(policy_text(own.policy), policy)
  lu.assertTrue(own.process:running())
  own.process:close()
  own = nil
  collectgarbage()
  lu.assertEquals(descriptors(), before)
end

-- The same where it is garbage already when the workers begin.
function tests.test_garbage_is_collected_everywhere()
  local path, removed = new_path()
  local _ <close> = removed
  local other <close> = assert(core.store(path))
  collectgarbage "stop"
  local function leave_garbage()
    local store = assert(core.store(path))
    assert(store:lock_evaluation(key(), "trains"))
    store:put(key(), { epochs = { row } })
    return new_trainer(2):epoch().epoch, core.policy(nil, 1)
  end
  leave_garbage()
  core.parallel(4, 2, function()
    collectgarbage()
    collectgarbage()
    return ""
  end)
  local busy = select(3, other:lock_evaluation(key(), "trains, too"))
  collectgarbage "restart"
  lu.assertEquals(busy, "NAS_BUSY")
  collectgarbage()
  other:lock_evaluation(key(), "trains, too"):close()
  lu.assertEquals({ other:check() }, { 0, "" })
end

function tests.test_what_cannot_be_used_in_workers()
  local path, removed = new_path()
  local _ <close> = removed
  local store <close> = assert(core.store(path))
  local memory <close> = core.store()
  local process <close> = core.spawn("sleep", "100")
  local trainer, rows = new_trainer(2), store:rows "SELECT 1 AS one UNION SELECT 2"
  local calls = {
    { "the store was opened by process %d+ and can't be used in a process forked from it", store.find, store, key() },
    { "the store was opened by process %d+", store.lock_run, store, 1, "continues" },
    { "the store was opened by process %d+", memory.put, memory, key(), { epochs = { row } } },
    { "the store was opened by process %d+", rows },
    { "process %d+ had a store open when this one was forked from it", core.store, path },
    { "process %d+ had a store open when this one was forked from it", core.store, path .. ".new" },
    { "the threads were started by process %d+ and don't run in a process forked from it", trainer.epoch, trainer },
    { "process %d+ was started by process %d+ and can't be waited for", process.running, process },
  }
  local results = core.parallel(#calls, 2, function(i)
    return tostring(select(2, pcall(table.unpack(calls[i], 2))))
  end)
  for i, call in ipairs(calls) do lu.assertStrMatches(results[i], ".*" .. call[1] .. ".*") end
  lu.assertEquals(core.parallel(2, 2, function() return tostring(process) end)[2], "luanas.Process: of another process")
end

function tests.test_what_can_be_made_in_workers()
  local store <close> = core.store() -- of the parent
  local model = core.model(new_trainer(1))
  local data = support.dataset()
  local alone = new_trainer(1)
  local function work(i)
    local own <close> = core.store()
    own:put(key(), { epochs = { row } })
    local trainer = i % 3 == 0 and alone or new_trainer(1 + i % 2)
    local epoch = trainer:epoch()
    local evaluated = model:evaluate(data, "validation", 2)
    local process <close> = core.spawn "true"
    return ("%d %.17g %.17g %d"):format(own:find(key()).id, epoch.loss, evaluated.loss, process:id() > 0 and 1 or 0)
  end
  local results = core.parallel(2, 2, work)
  lu.assertEquals(results[1], results[2])
  lu.assertEquals(core.parallel(3, 3, work), { results[1], results[1], results[1] })
  lu.assertEquals(core.parallel(2, 1, work), results)
  lu.assertNotNil(store)
end

-- ---- From outside ----------------------------------------------------------------------------------

function tests.test_nothing_is_printed_twice()
  local path, removed = new_path()
  local _ <close> = removed
  local script = os.tmpname()
  write(script, ([[
    local core = require "luanas.core"
    local file = io.open(%q, "w")
    file:write "kept\n"
    io.stdout:setvbuf("full", 100000)
    print "before"
    core.parallel(4, 2, function(i) print("item " .. i) return "" end, function(done) print("done " .. done) end)
    core.parallel(2, 1, function(i) print("alone " .. i) return "" end)
    pcall(core.parallel, 4, 2, function(i) print "fails" error(i) end)
    print "after"
  ]]):format(path))
  local lines = list(("'%s' %s"):format(PROGRAM, script))
  os.remove(script)
  local counts = {}
  for _, line in ipairs(lines) do counts[line] = (counts[line] or 0) + 1 end
  lu.assertTrue(counts.fails >= 1)
  counts.fails = nil
  local expected = { before = 1, after = 1, ["alone 1"] = 1, ["alone 2"] = 1 }
  for i = 1, 4 do expected["item " .. i], expected["done " .. i] = 1, 1 end
  lu.assertEquals(counts, expected)
  lu.assertEquals(lines[1], "before")
  lu.assertEquals(lines[#lines], "after")
  lu.assertEquals(read(path), "kept\n")
end

-- The parent is killed: its workers end with it, stopped ones, too, and its locks are free.
function tests.test_the_parent_is_killed()
  local path, removed = new_path()
  local _ <close> = removed
  local script, pids = os.tmpname(), os.tmpname()
  write(script, ([[
    local core = require "luanas.core"
    local key = { network = "1 input", loss = "", data = "d", recipe = "r", seed = 0, numeric_version = 4 }
    local store = core.store(%q)
    local lock = store:lock_evaluation(key, "trains")
    core.parallel(3, 3, function(i)
      local stat = io.open "/proc/self/stat"
      local file = io.open(%q, "a")
      file:write(stat:read "n", "\n")
      file:close()
      for round = 1, i == 1 and 1e15 or 100 do core.sleep(i == 1 and 0 or 10) end
      return ""
    end)
  ]]):format(path, pids))
  local process <close> = assert(core.spawn(PROGRAM, script))
  local workers = {}
  wait_until(function()
    workers = {}
    for worker in read(pids):gmatch "(%d+)\n" do workers[#workers + 1] = worker end
    return #workers == 3
  end)
  os.remove(script)
  os.remove(pids)
  local store <close> = assert(core.store(path))
  lu.assertEquals(select(3, store:lock_evaluation(key(), "looks")), "NAS_BUSY")
  os.execute("kill -STOP " .. workers[3])
  for _, worker in ipairs(workers) do lu.assertTrue(is_alive(worker)) end
  os.execute("kill -KILL " .. process:id())
  wait_until(function() return not process:running() end)
  store:lock_evaluation(key(), "looks"):close() -- at once
  wait_until(function()
    return not (is_alive(workers[1]) or is_alive(workers[2]) or is_alive(workers[3]))
  end)
  lu.assertEquals({ store:check() }, { 0, "" })
end

return tests
