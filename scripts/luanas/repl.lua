--- The session at the prompt: what is typed is run, and the values of expressions are printed.
---
--- The program calls it with what only a program can give (bindings/program/session.h). Whatever a command does, raises
--- or leaves behind, the session goes on: commands, and the methods of their values that printing calls, run inside
--- host.call, which Ctrl-C ends.
local chunk = require "luanas.repl.chunk"
local complete = require "luanas.repl.complete"
local core = require "luanas.core"
local history = require "luanas.repl.history"
local layout = require "luanas.layout"

-- A command may change any global.
local concat, pack, unpack, stdout, stderr = table.concat, table.pack, table.unpack, io.stdout, io.stderr
local ipairs, pcall, require, tostring, type, globals = ipairs, pcall, require, tostring, type, _G
local loaded = package.loaded

local repl = {}

local SLOW = 0.5 -- seconds from which on the time of a command is told

local STYLES = { prompt = "\27[1;34m", problem = "\27[31m", note = "\27[2m" }
local PLAIN = "\27[0m"

local Session = {}
Session.__index = Session

-- ---- What is shown ---------------------------------------------------------------------------------

local function styled(style, text, coloured)
  return coloured and STYLES[style] .. text .. PLAIN or text
end

-- In an editor's prompt, colours stand between bytes 1, for what counts its columns; none may end it.
function Session:prompt(text)
  if not self.host.is_prompted then return "" end
  if not self.coloured or not self.host.editor then return text end
  return ("\1%s\1%s\1%s\1%s"):format(STYLES.prompt, text:sub(1, -2), PLAIN, text:sub(-1))
end

local function by_show(value, coloured)
  return require "luanas.show".text(value, { width = layout.columns(), colour = coloured })
end

-- A command may have broken what the package calls, as by table = nil: then tostring must do.
local function shown(value, coloured)
  local ok, text = pcall(by_show, value, coloured)
  return ok and text or tostring(value)
end

-- Values beside each other, or one below the other where one has several lines.
function Session:print_values(values)
  local texts, separator = {}, "\t"
  for i = 1, values.n do
    texts[i] = shown(values[i], self.coloured)
    if texts[i]:find "\n" then separator = "\n" end
  end
  stdout:write(concat(texts, separator), "\n")
end

-- On standard error, which may be a file.
function Session:tell(text)
  stderr:write(styled("problem", text, self.problems_coloured), "\n")
end

function Session:print_problem(problem)
  stdout:flush()
  if type(problem) ~= "string" then problem = shown(problem, self.problems_coloured) end
  self:tell(problem)
end

-- Prints by a method, which may call functions of the values. Returns whether all went well.
function Session:safely(method, value)
  local ok, problem = self.host.call(tostring, method, self, value)
  if ok then return true end
  if ok == nil then return self:interrupted() end
  self:tell("cannot be shown: " .. problem)
  return false
end

-- What is there of a training that was interrupted, or "".
function Session:left_of_training()
  local train = loaded["luanas.train"]
  local left = train and train.unfinished
  if not left or #left.history == 0 or left == self.told then return "" end
  self.told = left
  return (" nas.interrupted() is the model after epoch %d"):format(#left.history)
end

function Session:interrupted()
  self.is_interrupted = true
  stdout:flush()
  if self.host.is_prompted then
    stderr:write "\n"
    self:tell("interrupted!" .. self:left_of_training())
  end
  return false
end

-- ---- Commands --------------------------------------------------------------------------------------

function Session:failed(problem)
  self.has_failed = true
  self:safely(Session.print_problem, problem)
end

-- Runs a text.
function Session:run(text)
  local ok, command, problem = self.host.call(tostring, chunk.compile, text)
  if ok == nil then return self:interrupted() end
  if not ok or not command then return self:failed(problem or command) end
  local began = core.clock()
  local results = pack(self.host.call(chunk.explain, command))
  local seconds = core.clock() - began
  if results[1] == nil then return self:interrupted() end
  if not results[1] then return self:failed(results[2]) end
  if results.n > 1 then
    globals._ = results[2]
    if not self:safely(Session.print_values, pack(unpack(results, 2, results.n))) then
      self.has_failed = true
    end
  end
  if seconds >= SLOW and self.host.is_terminal then
    stdout:write(styled("note", ("%.1f s"):format(seconds), self.coloured), "\n")
  end
end

-- ---- Reading ---------------------------------------------------------------------------------------

-- The next text that is whole, or all that there was before the end; nil and what the input's read says.
function Session:read()
  local text
  while true do
    local line, why, rest = self.input:read(text and self.continuation or self.first)
    if why == "end" and text then return text end
    if not line then return nil, why, rest end
    text = text and text .. "\n" .. line or line
    if chunk.is_whole(text) then return text end
  end
end

-- Keeps what was typed, unless a blank stands before it.
function Session:remember(text)
  if not self.history or text:find "^%s" or text == "" then return end
  self.input:add(text)
  local ok, problem = self.history:add(text)
  if not ok then stderr:write("luanas: what is typed is not kept: ", problem, "\n") end
end

-- ---- Beginning and end -----------------------------------------------------------------------------

function Session:begin_history()
  if not self.host.editor then return end
  local entries, problem
  self.history, entries, problem = history.open(self.host.append)
  for _, entry in ipairs(entries) do self.input:add(entry) end
  if problem then stderr:write("luanas: what is typed is not kept: ", problem, "\n") end
end

local function greet()
  local machine = core.machine()
  local threads = ("%d thread%s"):format(machine.threads, machine.threads == 1 and "" or "s")
  stdout:write(("LuaNAS %s (numeric version %d, %s, %s)\n"):format(core.version, core.numeric_version, machine.isa,
    threads), globals.help and "help() explains, Ctrl-D leaves.\n" or "Ctrl-D leaves.\n")
end

local function new_session(host)
  local coloured = host.is_terminal and layout.wants_colours()
  local self = setmetatable({
    host = host, coloured = coloured, problems_coloured = coloured and core.terminal "error" ~= nil,
  }, Session)
  self.first, self.continuation = self:prompt "> ", self:prompt ">> "
  if host.editor then
    self.input = host.editor(chunk.is_whole, function(text, position)
      return complete.at(globals, text, position, { names = host.names, width = layout.columns() })
    end)
  else
    self.input = host.lines()
  end
  return self
end

--- Runs a session until its input ends; `host` is what session.h describes. Returns the exit status.
function repl.run(host)
  local self = new_session(host)
  local nas = require "luanas"
  globals.nas, globals.nn, globals.help = nas, nas.nn, nas.help
  if host.is_terminal then greet() end
  self:begin_history()
  while true do
    local text, why, rest = self:read()
    if why == "end" then break end
    if why == "failed" then
      stderr:write("luanas: standard input can't be read: ", rest, "\n")
      return 1
    end
    self.is_interrupted = why == "cancelled"
    if why == "cancelled" then
      if self.history and rest and rest ~= "" then self.input:add(rest) end
    else
      self:remember(text)
      self:run(text)
      stdout:flush()
    end
    if self.is_interrupted and not host.is_prompted then
      stderr:write "luanas: interrupted!\n"
      return 130
    end
  end
  if host.is_prompted then
    stdout:write "\n"
    return 0
  end
  return self.has_failed and 1 or 0
end

return repl
