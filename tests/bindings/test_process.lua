local core = require "luanas.core"
local lu = require "luaunit"
local runner = require "runner"
local support = require "support"

local tests = {}

local function ended(process)
  for _ = 1, 200 do
    if not process:running() then return true end
    core.sleep(0.01)
  end
  return false
end

function tests.test_a_process_ends_by_itself()
  local process = assert(core.spawn("true"))
  lu.assertTrue(process:id() > 1)
  lu.assertTrue(ended(process))
  lu.assertEquals(tostring(process), "luanas.Process: ended")
  process:close()
  process:close()
end

function tests.test_close_ends_it_also_where_it_was_stopped()
  for _, before in ipairs { "true", "kill -STOP $$" } do
    local process = assert(core.spawn("sh", "-c", before .. "; exec sleep 100"))
    core.sleep(0.1)
    lu.assertTrue(process:running())
    lu.assertEquals(tostring(process), "luanas.Process: running")
    local began = core.clock()
    process:close()
    lu.assertTrue(core.clock() - began < 5)
    lu.assertFalse(process:running())
  end
end

local function deaf()
  local process = assert(core.spawn("sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"))
  core.sleep(0.2) -- until it has set the trap
  return process
end

function tests.test_close_ends_what_ignores_it()
  local process = deaf()
  local began = core.clock()
  process:close()
  local seconds = core.clock() - began
  lu.assertTrue(seconds > 2 and seconds < 20, seconds)
  lu.assertFalse(process:running())
  lu.assertFalse(os.execute(("kill -0 %d 2>/dev/null"):format(process:id())) == true)
end

function tests.test_ctrl_c_ends_the_patience_of_close()
  local _ <close> = setmetatable({}, { __close = function() runner.set_interrupt(false) end })
  local process = deaf()
  runner.interrupt_after(0.2, "flag")
  local began = core.clock()
  process:close()
  lu.assertTrue(core.clock() - began < 2)
  lu.assertFalse(process:running())
end

-- One that nobody waits for stays in the system's list until this process ends.
function tests.test_what_was_left_running_is_waited_for_later()
  local log = os.tmpname()
  local ids = {}
  for i = 1, 3 do
    local process = assert(core.detach(log, "sleep", "0.2"))
    ids[i] = process:id()
    process:close()
  end
  core.sleep(0.5)
  core.spawn("true"):close()
  for _, id in ipairs(ids) do lu.assertNil(io.open(("/proc/%d/stat"):format(id))) end
  os.remove(log)
end

function tests.test_what_cannot_be_started()
  local process, message = core.spawn "no-such-program-anywhere"
  lu.assertNil(process)
  lu.assertStrContains(message, 'cannot start "no-such-program-anywhere"')
  support.raises("string expected, got no value", core.spawn)
  support.raises("argument", core.spawn, "true", {})
end

-- What /proc/self/fd lists in it is what it got, and the folder itself.
function tests.test_it_gets_no_file_that_is_open_here()
  local path, log = os.tmpname(), os.tmpname()
  local open <close> = assert(io.open(path))
  local _ <close> = assert(io.popen("cat >/dev/null", "w"))
  local list = "exec ls /proc/self/fd >" .. path
  local function detach(...) return core.detach(log, ...) end
  for _, start in ipairs { core.spawn, detach } do
    lu.assertTrue(ended(assert(start("sh", "-c", list))))
    open:seek "set"
    lu.assertEquals(open:read "a", "0\n1\n2\n3\n")
  end
  os.remove(path)
  os.remove(log)
end

function tests.test_program()
  lu.assertEquals(core.program(), "luanas") -- this one is lua_runner
end

return tests
