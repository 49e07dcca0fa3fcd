--- A script that runs as a process of its own, for a file of studies: study:start, status, stop and attach.
---
--- The process holds the file PATH-process (core.hold), by which it is known as long as it lives and no longer, and
--- writes its state into that: at last how it ended, unless it was killed. What it prints is appended to PATH.log. One
--- script at a time runs so for a file.
local core = require "luanas.core"
local check = require "luanas.check"
local layout = require "luanas.layout"
local progress = require "luanas.progress"
local text_table = require "luanas.text_table"

local detached = {}

local START_SECONDS, STOP_SECONDS = 30, 60 -- that starting and stopping may take
local PAUSE, LOOK = 0.02, 0.2              -- seconds between looks
local LOOKS = 100                          -- for a line that is being written
local LOG_LINES, LOG_BYTES = 5, 1 << 14    -- of the log's end that are shown
local PROBLEM_BYTES = 1000

local function process_file(path) return path .. "-process" end

local function log_file(path) return path .. ".log" end

-- ---- The process -----------------------------------------------------------------------------------

local own -- of this process, where it is one: { path =, state = }

local function tell()
  return core.hold(process_file(own.path), core.json_encode(own.state))
end

-- A script may end by that.
local function watch_exit()
  local exit = os.exit
  function os.exit(code, close) -- luacheck: ignore 122
    local has_failed = code == false or math.type(code) == "integer" and code ~= 0
    detached.ended(has_failed and "failed" or "finished", has_failed and "os.exit(" .. tostring(code) .. ")" or nil)
    return exit(code, close)
  end
end

--- This process runs a script for the file at `path` from now on; what was started calls it. place: in the log, where
--- this process begins. state: { script =, arguments = or nil, place =, started =, process =, file =, ended =,
--- problem = }.
function detached.begin(path, script, arguments, place)
  own = {
    path = path,
    state = {
      script = script, arguments = arguments, place = place, started = os.date "!%Y-%m-%dT%H:%M:%SZ",
    },
  }
  check.must(tell)
  own.state.process = core.holder(process_file(path))
  progress.observe = function(state)
    own.state.progress = state
    tell() -- as far as the disk has room
  end
  check.must(tell)
  watch_exit()
end

-- What is told of a line.
local function told_of(line)
  return layout.beginning(layout.utf8(line), PROBLEM_BYTES)
end

--- The script of this process has ended: "finished", "failed" or "stopped"; problem: the message of the error, or nil.
--- The program calls it.
function detached.ended(how, problem)
  if not own or not own.state.process then return end
  own.state.ended, own.state.problem = how, problem and told_of(problem:match "^[^\n]*")
  tell()
end

--- The file that studies without a path are kept in; nil where this process is no detached one.
function detached.path()
  return own and own.path
end

--- A study of this process is kept in that file (nil: in memory), which may be another one.
function detached.made_study(path)
  if not own then return end
  own.state.file = path ~= own.path and path or nil
  tell()
end

-- ---- Asking ----------------------------------------------------------------------------------------

local Status = { __name = "luanas.Status" }

-- The last lines of the log from a place on, and where it ends; after an error those from its message on.
local function last_lines(path, from, problem)
  local file <close> = io.open(log_file(path), "rb")
  if not file then return {}, 0 end
  local size = file:seek "end"
  if from > size then from = 0 end -- somebody has cut it
  local place = file:seek("set", math.max(from, size - LOG_BYTES))
  local text, lines = file:read "a", {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  local first = math.max(1, #lines - LOG_LINES + 1)
  for i = 1, problem and #lines or 0 do
    local message = lines[i]:match "^luanas: (.*)"
    if message and told_of(message) == problem then first = i end
  end
  return table.move(lines, first, math.min(#lines, first + LOG_LINES - 1), 1, {}), place + #text
end

-- Whether there is a process (its number or false), and what it, or the last one, has told of itself; false and nil
-- where there was none yet.
local function look(path)
  local process, line, told
  for _ = 1, LOOKS do
    process, line = check.must(core.holder, process_file(path))
    told = line and core.json_decode(line)
    if not process or told and told.process == process then return process, told end
    core.sleep(PAUSE) -- it is at its first line, and what is there may be of the one before
  end
  if told then return process, told end -- in another container it has another number
  check.fail("%s can't be read", process_file(path))
end

-- Seconds as the progress line tells them.
local function left_of(state)
  local bar = progress.new(true)
  bar:show(state)
  return bar:left()
end

local LAST_RUN = [[
  SELECT ifnull((SELECT max(number) FROM trial WHERE run = run.id), first - 1) AS trials
  FROM run ORDER BY arguments IS ?1 DESC, id DESC LIMIT 1]]

-- How many trials are stored of the run that a script with these arguments most likely goes on with.
local function stored_trials(path, arguments)
  local ok, store = pcall(core.store, path, { read_only = true, must_exist = true })
  if not ok or not store then return 0 end -- there is none yet, or none that can be read
  local _ <close> = store
  local row = store:row(LAST_RUN, arguments)
  return row and row.trials or 0
end

-- The status, and where the log ends; nil where nothing was started for the file.
local function status_of(path)
  local process, told = look(path)
  if not told then return nil end
  local state, ended = told.progress, not process and (told.ended or "killed") or nil
  local problem = ended == "failed" and told.problem or nil
  local lines, place = last_lines(path, told.place or 0, problem)
  return setmetatable({
    running = process ~= false, process = process or told.process, script = told.script, arguments = told.arguments,
    started = told.started, file = told.file, ended = ended, problem = problem, log = log_file(path), lines = lines,
    trials = state and state.done or stored_trials(told.file or path, told.arguments), total = state and state.total,
    best = state and state.best, left = process and state and left_of(state) or nil, progress = state,
  }, Status), place
end

--- Of the script that runs, or ran last; nil where nothing was started for the file.
function detached.status(path)
  return (status_of(path))
end

local function trials_text(self)
  local place = self.file and " in " .. self.file or ""
  if self.total then return ("%d of %s"):format(self.trials, text_table.counted(self.total, "trial")) .. place end
  local stored = self.progress == nil and self.trials > 0 and " stored" or ""
  return text_table.counted(self.trials, "trial") .. stored .. place
end

function Status:__tostring()
  local words = { ("process %s %s %s"):format(self.process, self.running and "runs" or "ran", self.script) }
  if self.arguments then words[1] = words[1] .. " " .. self.arguments end
  words[1] = ("%s, started %s"):format(words[1], self.started)
  words[2] = trials_text(self)
  if self.best then words[3] = ("best accuracy %.4f"):format(self.best) end
  if self.left then words[#words + 1] = progress.duration(self.left) .. " left" end
  if self.ended then words[#words + 1] = self.ended .. (self.problem and ": " .. self.problem or "") end
  local text = table.concat(words, "; ")
  if #self.lines > 0 then text = text .. "\n  " .. table.concat(self.lines, "\n  ") end
  return text
end

-- ---- Starting and stopping -------------------------------------------------------------------------

local started = {} -- processes of this one, by paths: to be looked after when they have ended

-- An argument of the script as text.
local function argument_text(owner, place, value)
  local is_finite = math.type(value) == "integer" or math.type(value) == "float" and value - value == 0
  if is_finite then return core.number_text(value) end
  if type(value) == "string" and value ~= "" then return value end
  check.fail("%s: the script's argument %d is %s; expected a non-empty string or a finite number", owner, place,
    check.show(value))
end

local function check_script(owner, script)
  check.string(owner, "script", script)
  local file, problem = io.open(script, "rb")
  local is_file = file and file:read(0) ~= nil or file and file:seek "end" == 0
  if file then file:close() end
  if not is_file then check.fail("%s: the script can't be read: %s", owner, problem or script .. " is no file") end
end

local function refuse_second(owner, path)
  local now = detached.status(path)
  if now and now.running then
    check.fail("%s: process %d runs %s for %s since %s; %s ends it", owner, now.process, now.script, path, now.started,
      owner:gsub("start$", "stop()"))
  end
end

-- Waits until the process has taken the file.
local function wait_for(owner, path, process, place)
  local began = core.clock()
  while core.clock() - began < START_SECONDS do
    local is_running = process:running()
    local now = detached.status(path)
    if now and now.process == process:id() then return now end
    if not is_running then
      check.fail("%s: process %d has ended before it began:\n  %s", owner, process:id(),
        table.concat((last_lines(path, place)), "\n  "))
    end
    core.sleep(PAUSE)
  end
  check.fail("%s: process %d has not begun within %d s; see %s", owner, process:id(), START_SECONDS, log_file(path))
end

--- Runs a script for the file at `path`; its status when it has begun.
function detached.start(owner, path, script, ...)
  check_script(owner, script)
  local arguments = {}
  for i = 1, select("#", ...) do arguments[i] = argument_text(owner, i, (select(i, ...))) end
  refuse_second(owner, path)
  local text = #arguments > 0 and table.concat(arguments, " ") or nil
  local log <close> = check.must(io.open, log_file(path), "a")
  local place = log:seek "end"
  local code = ("require('luanas.detached').begin(%q, %q, %q, %d)"):format(path, script, text, place)
  log:write(("luanas: %s%s\n"):format(script, text and " " .. text or ""))
  log:flush()
  local program = os.getenv "LUANAS_PROGRAM" or core.program()
  local process, problem = core.detach(log_file(path), program, "-e", code, "--", script, table.unpack(arguments))
  if not process then check.fail("%s: %s; set LUANAS_PROGRAM to the path of the program luanas", owner, problem) end
  started[path] = process
  return wait_for(owner, path, process, place)
end

--- Ends the process like Ctrl-C and waits for that, so many seconds at most. Whether none runs any more.
function detached.stop(owner, path, seconds)
  seconds = check.number(owner, "seconds", seconds or STOP_SECONDS, 0)
  local process = look(path)
  if not process then return true end
  check.must(core.interrupt_holder, process_file(path))
  local began = core.clock()
  while look(path) == process do
    if core.clock() - began >= seconds then return false end
    core.sleep(PAUSE)
  end
  if started[path] then started[path]:running() end
  return true
end

-- ---- Watching --------------------------------------------------------------------------------------

-- Prints what the log has beyond a place; the place after that.
local function print_log(path, place, bar)
  local file <close> = io.open(log_file(path), "rb")
  if not file then return place end
  file:seek("set", place)
  local text = file:read "a"
  if text ~= "" then
    bar:clear()
    io.stdout:write(text)
    io.stdout:flush()
  end
  return place + #text
end

--- Shows what the process prints, and its progress line, until it ends; its status then. Ctrl-C leaves it running.
function detached.attach(owner, path)
  local bar, now, place = progress.new(), status_of(path)
  if not now then check.fail("%s: nothing was started for %s yet", owner, path) end
  local _ <close> = setmetatable({}, { __close = function(_, problem)
    bar:clear()
    if check.is_interrupt(problem) then
      io.stderr:write(("luanas: process %d goes on with %s; %s ends it\n"):format(now.process, now.script,
        (owner:gsub("attach$", "stop()"))))
    end
  end })
  for _, line in ipairs(now.lines) do io.stdout:write(line, "\n") end
  while now.running do
    place = print_log(path, place, bar)
    bar:show(now.progress or {})
    core.sleep(LOOK)
    now = detached.status(path)
  end
  print_log(path, place, bar)
  return now
end

-- ---- Methods ---------------------------------------------------------------------------------------

--- Gives a class the methods start, status, stop and attach; path_of(object): its file, nil in memory.
function detached.add_to(class, name, path_of)
  local function file_of(self, method)
    local path = path_of(self)
    if path then return ("%s:%s"):format(name, method), path end
    check.fail("%s:%s: the study has no path, by which the processes know each other", name, method)
  end
  function class:start(script, ...)
    local owner, path = file_of(self, "start")
    return detached.start(owner, path, script, ...)
  end
  function class:status()
    local _, path = file_of(self, "status")
    return detached.status(path)
  end
  function class:stop(seconds)
    local owner, path = file_of(self, "stop")
    return detached.stop(owner, path, seconds)
  end
  function class:attach()
    return detached.attach(file_of(self, "attach"))
  end
end

return detached
