-- Scripts that run as processes of their own for a file.
local core = require "luanas.core"
local files = require "files"
local lu = require "luaunit"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"
local path = files.path
local script, gate = path .. ".script.lua", path .. ".gate"

-- A search without a path of its own. usage: TRIALS [PATH of a file that the third trial waits for]
local SEARCH = [[
local nas = require "luanas"
package.path = package.path .. ";]] .. SOURCE .. [[/tests/lua/?.lua"
local spaces = require "spaces"
local study, agent = spaces.study(), nas.agents.reinforce { seed = 1, policy = { rate = 0.05 } }
local propose = agent.propose
function agent:propose(...)
  while arg[2] and study.number == 2 and not io.open(arg[2]) do require "luanas.core".sleep(0.01) end
  return propose(self, ...)
end
print "begins"
io.stdout:flush()
study:run(agent, { trials = tonumber(arg[1]) })
print(study:fingerprint())
]]

local function save(text)
  local file <close> = assert(io.open(script, "w"))
  file:write(text)
end

local function wait(condition)
  for _ = 1, 1000 do
    if condition() then return true end
    core.sleep(0.01)
  end
  return false
end

-- A text as a pattern.
local function escaped(text)
  return (text:gsub("%p", "%%%0"))
end

local function kill(process, signal)
  os.execute(("kill -%s %d"):format(signal, process))
end

local function ended(study)
  return wait(function() return not study:status().running end)
end

-- What a script prints that nobody disturbs, without a file.
local function undisturbed(...)
  local pipe <close> = assert(io.popen(("'%s' '%s' %s"):format(PROGRAM, script, table.concat({ ... }, " "))))
  return pipe:read "a"
end

function T.test_a_search_is_started_stopped_and_goes_on()
  save(SEARCH)
  local whole = undisturbed(4)
  local study <close> = spaces.study { path = path }
  lu.assertNil(study:status())
  lu.assertTrue(study:stop())
  local now = study:start(script, "4", gate)
  lu.assertTrue(now.running)
  lu.assertEquals({ now.script, now.arguments, now.log }, { script, "4 " .. gate, path .. ".log" })
  lu.assertTrue(wait(function() return study:status().trials == 2 end))
  now = study:status()
  lu.assertTrue(now.running)
  lu.assertEquals(now.total, 4)
  lu.assertTrue(now.left > 0 and now.best >= 0)
  lu.assertStrMatches(tostring(now), ("process %d runs %s, started 20[%%d-]+T[%%d:]+Z; 2 of 4 trials; best accuracy "
    .. "0.%%d+; %%d+:%%d+ left\n  luanas: %s\n  begins"):format(now.process, escaped(script .. " 4 " .. gate),
    escaped(script .. " 4 " .. gate)))
  lu.assertErrorMsgContains(("study:start: process %d runs %s for %s since %s; study:stop() ends it")
    :format(now.process, script, path, now.started), study.start, study, script)
  lu.assertTrue(study:stop())
  now = study:status()
  lu.assertFalse(now.running)
  lu.assertNil(now.left)
  lu.assertEquals(now.ended, "stopped")
  lu.assertEquals(now.lines[#now.lines], "luanas: interrupted!")
  lu.assertStrMatches(tostring(now), ("process %%d+ ran %s 4 %s, started [^;]*; 2 of 4 trials; best accuracy [^;]*; "
    .. "stopped\n.*"):format(escaped(script), escaped(gate)))
  lu.assertTrue(study:stop())
  study:start(script, "4")
  lu.assertTrue(ended(study))
  now = study:status()
  lu.assertEquals({ now.trials, now.total, now.ended }, { 4, 4, "finished" })
  lu.assertStrMatches(tostring(now), ".*; 4 of 4 trials; best accuracy [%d.]+; finished\n.*")
  lu.assertEquals(now.lines, { "luanas: " .. script .. " 4", "begins", now.lines[3] }) -- and nothing of the first one
  lu.assertEquals("begins\n" .. now.lines[3] .. "\n", whole)
  lu.assertEquals(#files.query "SELECT * FROM trial", 4)
end

function T.test_a_process_that_is_killed_has_ended()
  save(SEARCH)
  local study <close> = spaces.study { path = path }
  local now = study:start(script, "4", gate)
  kill(now.process, "KILL")
  lu.assertTrue(ended(study))
  lu.assertEquals({ study:status().process, study:status().ended }, { now.process, "killed" })
  lu.assertStrContains(tostring(study:status()), "; killed\n")
  lu.assertTrue(study:stop())
  kill(study:start(script, "4", gate).process, "STOP")
  lu.assertTrue(study:status().running)
  lu.assertTrue(study:stop())
end

-- Who started it is gone, and the file is opened without a script.
function T.test_a_process_survives_who_started_it()
  save(SEARCH)
  lu.assertTrue(os.execute(("'%s' -e '%s' 2>&1"):format(PROGRAM, ([[
    package.path = package.path .. ";%s/tests/lua/?.lua"
    require "spaces".study({ path = "%s" }):start("%s", "4", "%s")]]):format(SOURCE, path, script, gate))))
  local file <close> = nas.open(path)
  lu.assertTrue(file:status().running)
  lu.assertErrorMsgContains("file:start: process ", file.start, file, script)
  lu.assertTrue(file:stop())
  lu.assertFalse(file:status().running)
end

function T.test_what_a_script_does_wrong_is_in_its_log()
  local study <close> = spaces.study { path = path }
  save "return 1 +"
  study:start(script)
  lu.assertTrue(ended(study))
  lu.assertStrContains(tostring(study:status()), ":1: unexpected symbol near <eof>")
  save "error 'oh'"
  lu.assertEquals(study:start(script).trials, 0)
  lu.assertTrue(ended(study))
  lu.assertStrContains(tostring(study:status()), ":1: oh")
  save "local function f(n) if n == 0 then error 'oh\\nno' end f(n - 1) return n end\nf(30)" -- a long traceback
  study:start(script)
  lu.assertTrue(ended(study))
  local now = study:status()
  lu.assertEquals({ now.ended, now.problem, #now.lines }, { "failed", script .. ":1: oh", 5 })
  lu.assertEquals(table.move(now.lines, 1, 3, 1, {}), { "luanas: " .. script .. ":1: oh", "no", "stack traceback:" })
  lu.assertStrContains(tostring(now), "; 0 trials; failed: " .. script .. ":1: oh\n  luanas: ")
  for message, problem in pairs {
    [("é"):rep(999)] = ("é"):rep(500), ["\xE9 \xFF"] = [[\xE9 \xFF]], [("x"):rep(2000)] = ("x"):rep(1000),
  } do
    save(("error(%q, 0)"):format(message))
    study:start(script)
    lu.assertTrue(ended(study))
    now = study:status()
    lu.assertEquals({ now.ended, now.problem, now.lines[1] }, { "failed", problem, "luanas: " .. message })
  end
  assert(io.open(path .. ".log", "w")):close()
  lu.assertEquals(study:status().lines, {})
  for code, how in pairs { [""] = "finished", ["0"] = "finished", ["3"] = "failed", ["false"] = "failed" } do
    save(("print 'out'\nos.exit(%s)"):format(code))
    study:start(script)
    lu.assertTrue(ended(study))
    now = study:status()
    lu.assertEquals({ now.ended, now.problem }, { how, how == "failed" and "os.exit(" .. code .. ")" or nil })
  end
end

-- Before its first trial, which may be after a while of reading data, there is what is stored.
function T.test_a_process_that_goes_on_has_the_trials_that_are_stored()
  local study <close> = spaces.study { path = path }
  for i = 1, 2 do study:evaluate(nas.arch(("kernel=1{1,3} filters=%d{2,4}"):format(2 * i))) end
  save "require 'luanas.core'.sleep(50)"
  lu.assertEquals(study:start(script).trials, 2)
  lu.assertStrContains(tostring(study:status()), "; 2 trials stored\n")
  lu.assertTrue(study:stop())
  lu.assertStrContains(tostring(study:status()), "; 2 trials stored; stopped\n")
end

-- A process has the file before its first line is there: what the one before has told is not its state.
function T.test_the_state_of_the_process_before_is_not_that_of_the_next_one()
  save ""
  local study <close> = spaces.study { path = path }
  study:start(script, "before")
  lu.assertTrue(ended(study))
  local holder, _, before = core.holder, core.holder(path .. "-process")
  local count = 0
  save "require 'luanas.core'.sleep(50)"
  files.with(core, "holder", function(...)
    local process, line = holder(...)
    count = count + (process and 1 or 0)
    return process, process and count < 4 and before or line
  end, function()
    local now = study:start(script, "now")
    lu.assertEquals({ now.process, now.arguments, now.ended }, { holder(path .. "-process"), "now", nil })
  end)
  lu.assertEquals(count, 4)
  lu.assertTrue(study:stop())
end

-- A script may have a file of its own.
function T.test_trials_in_another_file_are_told_to_be_there()
  local other = path .. ".other"
  local _ <close> = setmetatable({}, { __close = function()
    for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(other .. ending) end
  end })
  save(SEARCH:gsub("spaces.study%(%)", ("spaces.study { path = %q }"):format(other)))
  local study <close> = spaces.study { path = path }
  study:start(script, "2")
  lu.assertTrue(ended(study))
  local now = study:status()
  lu.assertEquals({ now.trials, now.file }, { 2, other })
  lu.assertStrContains(tostring(now), ("; 2 of 2 trials in %s; best accuracy "):format(other))
  save(SEARCH:gsub("spaces.study%(%)",
    ("(select(2, spaces.study { path = %q }, spaces.study()))"):format(other)))
  study:start(script, "2")
  lu.assertTrue(ended(study))
  lu.assertNil(study:status().file)
  lu.assertStrContains(tostring(study:status()), "; 2 of 2 trials; best accuracy ")
end

function T.test_numbers_are_arguments_too()
  save "print(...)"
  local study <close> = spaces.study { path = path }
  study:start(script, "--trials", 100, 0.1, 4.0, 1 << 60)
  lu.assertTrue(ended(study))
  local now = study:status()
  lu.assertEquals(now.arguments, "--trials 100 0.1 4 1152921504606846976")
  lu.assertEquals(now.lines[2], (now.arguments:gsub(" ", "\t")))
end

function T.test_what_is_finished_is_told_once()
  save(SEARCH:gsub("spaces.study%(%)", "spaces.study { quiet = false, train = { epochs = 100000, batch = 1 } }"))
  local study <close> = spaces.study { path = path }
  study:start(script, "4")
  lu.assertTrue(wait(function() return (study:status().progress or {}).epoch end)) -- it trains
  lu.assertTrue(study:stop())
  local log <close> = assert(io.open(path .. ".log"))
  local _, times = log:read("a"):gsub("what is finished is in " .. escaped(path) .. "; run the script again", "")
  lu.assertEquals(times, 1)
end

function T.test_what_cannot_be_started()
  local study <close> = spaces.study { path = path }
  lu.assertErrorMsgContains("study:start: script is nil; expected a non-empty string", study.start, study)
  lu.assertErrorMsgContains("study:start: the script can't be read: " .. script .. ": No such file", study.start, study,
    script)
  lu.assertErrorMsgContains("study:start: the script can't be read: / is no file", study.start, study, "/")
  save ""
  for argument, shown in pairs { [""] = '""', [true] = "true", [1 / 0] = "inf" } do
    lu.assertErrorMsgContains(("study:start: the script's argument 2 is %s; expected a non-empty string or a finite "
      .. "number"):format(shown), study.start, study, script, "a", argument)
  end
  local function with_program(name, body)
    local getenv = os.getenv
    files.with(os, "getenv", function(key)
      if key == "LUANAS_PROGRAM" then return name end
      return getenv(key)
    end, body)
  end
  with_program("/none", function()
    lu.assertErrorMsgContains('cannot start "/none": No such file or directory; set LUANAS_PROGRAM to the path of the '
      .. "program luanas", study.start, study, script)
  end)
  with_program("false", function()
    lu.assertErrorMsgContains(" has ended before it began:\n  luanas: ", study.start, study, script)
  end)
  lu.assertNil(study:status())
  lu.assertErrorMsgContains("study:attach: nothing was started for " .. path .. " yet", study.attach, study)
  lu.assertErrorMsgContains("study:stop: seconds is -1; expected a finite number", study.stop, study, -1)
  local in_memory = spaces.study()
  for _, name in ipairs { "start", "status", "stop", "attach" } do
    lu.assertErrorMsgContains(("study:%s: the study has no path, by which the processes know each other"):format(name),
      in_memory[name], in_memory, script)
  end
end

function T.test_a_script_that_takes_long_to_stop()
  save [[
    local _ <close> = setmetatable({}, { __close = function() os.execute "sleep 1" end })
    print "begins"
    io.stdout:flush()
    require "luanas.core".sleep(50)]]
  local study <close> = spaces.study { path = path }
  study:start(script)
  lu.assertTrue(wait(function() return study:status().lines[2] == "begins" end))
  lu.assertFalse(study:stop(0.2))
  lu.assertTrue(study:status().running)
  lu.assertTrue(ended(study))
end

-- Two that are started at once: one of them gets the file.
function T.test_of_two_one_is_the_first()
  save "require 'luanas.core'.sleep(50)"
  local study <close> = spaces.study { path = path }
  local first
  files.with(core, "detach", function(...)
    core.sleep(0) -- the other one is faster
    if not first then
      first = assert(core.spawn(PROGRAM, "-e", ("require('luanas.detached').begin(%q, 'other')"):format(path), script))
      wait(function() return core.holder(path .. "-process") == first:id() end)
    end
    return core.spawn(select(2, ...))
  end, function()
    lu.assertErrorMsgContains(" has ended before it began:", study.start, study, script)
  end)
  lu.assertEquals({ study:status().process, study:status().script }, { first:id(), "other" })
  lu.assertTrue(study:stop())
end

-- What a terminal of 80 columns, the list `line`, and standard output get.
local function attached(study, sleep, line)
  local output, now = {}, nil
  files.with(core, "terminal", function() return 80 end, function()
    files.with(io, "stderr", files.stream(line), function()
      files.with(io, "stdout", files.stream(output), function()
        files.with(core, "sleep", sleep or core.sleep, function() now = study:attach() end)
      end)
    end)
  end)
  return table.concat(output), now
end

function T.test_attach_shows_what_happens()
  save(SEARCH)
  local study <close> = spaces.study { path = path }
  study:start(script, "3", gate)
  lu.assertTrue(wait(function() return study:status().trials == 2 end))
  local sleep = core.sleep
  local list = {}
  local output, now = attached(study, function(seconds)
    io.open(gate, "w"):close()
    sleep(seconds)
  end, list)
  local line = table.concat(list)
  lu.assertFalse(now.running)
  lu.assertStrContains(line, "trial 2/3 ")
  lu.assertStrMatches(line, ".* left.*\r\27%[K$")
  lu.assertStrMatches(output, ("luanas: %s\nbegins\n%%x+\n"):format(escaped(script .. " 3 " .. gate)))
end

-- Another process draws the line of a state as this one would.
function T.test_a_state_is_a_line()
  local progress, now = require "luanas.progress", 0
  local function line_of(body)
    local list = {}
    files.with(core, "terminal", function() return 100 end, function()
      files.with(core, "clock", function() return now end, function()
        files.with(io, "stderr", files.stream(list), body)
      end)
    end)
    return list[#list]
  end
  local quiet, states = progress.new(true), {}
  local lines = {
    line_of(function()
      local bar = progress.new()
      bar:begin(3, 20, 5, 0.5, 2)
      now = 7
      bar:step(2, 0.25, 2)
    end),
    line_of(function()
      local bar = progress.new()
      bar:batch(0, 6, "networks")
      now = 11
      bar:batch(2, 6, "networks")
    end),
  }
  now = 0
  files.with(progress, "observe", function(state) states[#states + 1] = state end, function()
    files.with(core, "clock", function() return now end, function()
      quiet:begin(3, 20, 5, 0.5, 2)
      now = 7
      quiet:step(2, 0.25, 2)
      quiet:batch(0, 6, "networks")
      now = 11
      quiet:batch(2, 6, "networks")
      quiet:clear()
      quiet:count(7, 0.75)
    end)
  end)
  lu.assertEquals(#states, 5)
  lu.assertEquals({ states[5].done, states[5].best, states[5].batch_done }, { 7, 0.75, nil })
  now = 1000
  for i, state in ipairs { states[2], states[4] } do
    lu.assertEquals(line_of(function() progress.new():show(core.json_decode(core.json_encode(state))) end), lines[i])
  end
end

function T.test_an_interrupt_leaves_it_running()
  save(SEARCH)
  local study <close> = spaces.study { path = path }
  study:start(script, "4", gate)
  local line = {}
  lu.assertErrorMsgContains("interrupted!", attached, study, function() error("interrupted!", 0) end, line)
  local now = study:status()
  lu.assertTrue(now.running)
  lu.assertStrContains(table.concat(line), ("luanas: process %d goes on with %s; study:stop() ends it\n")
    :format(now.process, script))
  lu.assertTrue(study:stop())
end

for name, test in pairs(files.each_without(T)) do
  T[name] = function()
    local _ <close> = setmetatable({}, { __close = function()
      for _, ending in ipairs { "-process", ".log", ".script.lua", ".gate" } do os.remove(path .. ending) end
    end })
    test()
  end
end

return T
