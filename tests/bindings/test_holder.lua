-- Files that a process holds. Each holder is a process of its own: nobody can let go.
local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"

local tests = {}

local PROGRAM = os.getenv "LUANAS_PROGRAM"

local function with_path(body)
  local path = os.tmpname()
  os.remove(path)
  local _ <close> = setmetatable({}, { __close = function()
    os.remove(path)
    os.remove(path .. ".log")
  end })
  body(path)
end

-- A process that runs some Lua with the path in `path`.
local function run(path, code)
  return assert(core.detach(path .. ".log", PROGRAM, "-e",
    ("local core, path = require 'luanas.core', %q %s"):format(path, code)))
end

local function wait(condition)
  for _ = 1, 500 do
    if condition() then return true end
    core.sleep(0.01)
  end
  return false
end

local function text(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local HOLD = "assert(core.hold(path, 'one')) core.sleep(50)"

local function kill(process, signal)
  os.execute(("kill -%s %d"):format(signal, process:id()))
end

function tests.test_a_file_is_held_until_its_process_ends()
  with_path(function(path)
    lu.assertEquals({ core.holder(path) }, { false })
    for _, signal in ipairs { "KILL", "TERM" } do
      local process = run(path, HOLD)
      lu.assertTrue(wait(function() return core.holder(path) == process:id() end))
      lu.assertTrue(wait(function() return select(2, core.holder(path)) == "one" end))
      local other, message = core.hold(path, "two")
      lu.assertNil(other)
      lu.assertEquals(message, ('process %d holds "%s"'):format(process:id(), path))
      kill(process, signal)
      lu.assertTrue(wait(function() return not core.holder(path) end))
      lu.assertEquals({ core.holder(path) }, { false, "one" })
      lu.assertFalse(core.interrupt_holder(path))
    end
  end)
end

-- Neither by what it starts, nor by asking.
function tests.test_a_holder_keeps_its_file()
  with_path(function(path)
    local process = run(path, [[
      assert(core.hold(path, "a longer line"))
      assert(core.hold(path, "line"))
      print(core.holder(path) == tonumber(io.open("/proc/self/stat"):read "n"), select(2, core.holder(path)))
      print(core.hold(path .. "2", "line"))
      core.spawn("sleep", "5")
      core.parallel(2, 2, function() core.holder(path) return tostring(core.holder(path)) end)
      core.hold(path, "held") core.sleep(50)]])
    lu.assertTrue(wait(function() return select(2, core.holder(path)) == "held" end))
    lu.assertEquals(core.holder(path), process:id())
    lu.assertStrMatches(text(path .. ".log"), "true\tline\nnil\tthis process holds another file than [^\n]*\n")
    kill(process, "KILL") -- its own process lives on
    lu.assertTrue(wait(function() return not core.holder(path) end))
  end)
end

-- The system lets go of a file that a process closes; the next line takes it again, unless another has it.
function tests.test_a_file_that_was_lost_is_taken_again()
  with_path(function(path)
    local process = run(path, [[
      assert(core.hold(path, "one"))
      io.open(path):close()
      assert(core.hold(path, "two"))
      core.sleep(50)]])
    lu.assertTrue(wait(function() return select(2, core.holder(path)) == "two" end))
    lu.assertEquals(core.holder(path), process:id())
    kill(process, "KILL")
  end)
end

function tests.test_a_file_that_was_lost_to_another_process()
  with_path(function(path)
    local first = run(path, [[
      assert(core.hold(path, "first"))
      io.open(path):close()
      while select(2, core.holder(path)) ~= "one" do core.sleep(0.01) end
      print(core.hold(path, "two"))
      print(core.holder(path))
      print(core.hold(path .. "2", "three"))
      assert(core.interrupt_holder(path))]])
    lu.assertTrue(wait(function() return select(2, core.holder(path)) == "first" and not core.holder(path) end))
    local second = run(path, HOLD)
    lu.assertTrue(wait(function() return not first:running() end))
    lu.assertTrue(wait(function() return not second:running() end))
    lu.assertEquals(text(path .. ".log"), ('nil\tprocess %d holds "%s"\n%d\tone\ntrue\nluanas: interrupted!\n')
      :format(second:id(), path, second:id()))
    os.remove(path .. "2")
  end)
end

-- A namespace of processes stands for a container: there the holder has no number.
function tests.test_a_holder_in_another_container()
  local unshare = "unshare --user --map-root-user --pid --fork "
  if not os.execute(unshare .. "true 2>/dev/null") then lu.skip "no namespaces here" end
  with_path(function(path)
    local process = run(path, HOLD)
    lu.assertTrue(wait(function() return select(2, core.holder(path)) == "one" end))
    local code = ("print(require('luanas.core').hold(%q, 'two'))"):format(path)
    local pipe <close> = assert(io.popen(unshare .. ('"%s" -e "%s" 2>&1'):format(PROGRAM, code:gsub('"', '\\"'))))
    lu.assertEquals(pipe:read "l", ('nil\ta process of another container holds "%s"'):format(path))
    kill(process, "KILL")
  end)
end

-- A file that may not grow beyond a block of 512 bytes stands for a full disk.
function tests.test_no_room_for_a_line()
  with_path(function(path)
    local code = ("print(require('luanas.core').hold(%q, ('x'):rep(3000)))"):format(path)
    local process = assert(core.detach(path .. ".log", "sh", "-c", 'ulimit -f 1; exec "$0" -e "$1"', PROGRAM, code))
    lu.assertTrue(wait(function() return not process:running() end))
    lu.assertEquals(text(path .. ".log"), ('nil\tcannot write "%s": No space left on device\n'):format(path))
  end)
end

function tests.test_a_holder_is_interrupted()
  with_path(function(path)
    for _, is_stopped in ipairs { false, true } do
      local process = run(path, HOLD)
      lu.assertTrue(wait(function() return core.holder(path) == process:id() end))
      if is_stopped then kill(process, "STOP") end
      lu.assertTrue(core.interrupt_holder(path))
      lu.assertTrue(wait(function() return not process:running() end))
      lu.assertFalse(core.holder(path))
      lu.assertStrContains(text(path .. ".log"), "interrupted!")
    end
  end)
end

function tests.test_what_is_detached_goes_on()
  with_path(function(path)
    local process = run(path, HOLD)
    local id = process:id()
    lu.assertTrue(wait(function() return core.holder(path) == id end))
    local stat = text(("/proc/%d/stat"):format(id))
    lu.assertEquals(stat:match "%) %a %d+ %d+ (%d+) (%-?%d+)", tostring(id)) -- a session of its own
    process:close()
    lu.assertFalse(process:running())
    core.sleep(0.05)
    lu.assertEquals(core.holder(path), id)
    lu.assertTrue(core.interrupt_holder(path))
    lu.assertTrue(wait(function() return not core.holder(path) end))
  end)
end

function tests.test_little_memory()
  with_path(function(path)
    local process = run(path, HOLD)
    lu.assertTrue(wait(function() return select(2, core.holder(path)) == "one" end))
    support.with_little_memory(function() return core.holder(path) end)
    support.with_little_memory(function() return core.detach(path .. ".log", "true") end)
    support.with_little_memory(function() return core.hold(path, "two") end)
    kill(process, "KILL")
  end)
end

function tests.test_bad_arguments()
  with_path(function(path)
    support.raises("one line", core.hold, path, "a\nb")
    support.raises("one line", core.hold, path, ("x"):rep(65536))
    support.raises("zero byte", core.hold, "a\0b", "")
    lu.assertEquals({ core.hold(path .. "/none/at", "") },
      { nil, ('cannot open "%s/none/at": No such file or directory'):format(path) })
    lu.assertEquals({ core.holder "/" }, { nil, 'cannot read "/": Is a directory' })
    lu.assertStrContains(select(2, core.interrupt_holder(path)), "No such file")
    local none, message = core.detach("/none/log", "true")
    lu.assertNil(none)
    lu.assertStrContains(message, 'cannot start "true": No such file or directory')
    support.raises("string expected", core.detach, path)
  end)
end

return tests
