--- A program at a terminal, as its user sees it: keys go in, and what comes out is drawn on a screen of so many rows
--- and columns. Of a terminal's control sequences it knows what libedit and the package write. Pictures (sixels) are
--- kept in a list; the question what the terminal is calls on_question(), where that is set.
local pty = require "pty"

local Screen = {}
Screen.__index = Screen

local PATIENCE = 30 -- seconds

-- ---- Drawing ---------------------------------------------------------------------------------------

local function blank_row()
  return {}
end

function Screen:scroll()
  if self.y < self.rows then
    self.y = self.y + 1
    return
  end
  table.insert(self.above, self:row_text(1))
  table.remove(self.lines, 1)
  self.lines[self.rows] = blank_row()
end

function Screen:put(character)
  if self.x > self.columns then
    self.x = 1
    self:scroll()
  end
  self.lines[self.y][self.x] = character
  self.x = self.x + 1
end

local CONTROLS = {
  ["\r"] = function(self) self.x = 1 end,
  ["\n"] = function(self) self:scroll() end,
  ["\b"] = function(self) self.x = math.max(1, math.min(self.x, self.columns) - 1) end,
  ["\t"] = function(self) self.x = math.min(self.columns, (self.x - 1) // 8 * 8 + 9) end,
  ["\a"] = function(self) self.bells = self.bells + 1 end,
}

local function erase(row, from, to)
  for x = from, to do row[x] = nil end
end

local SEQUENCES = {
  A = function(self, n) self.y = math.max(1, self.y - n) end,
  B = function(self, n) self.y = math.min(self.rows, self.y + n) end,
  C = function(self, n) self.x = math.min(self.columns, self.x + n) end,
  D = function(self, n) self.x = math.max(1, math.min(self.x, self.columns) - n) end,
  G = function(self, n) self.x = n end,
  H = function(self) self.x, self.y = 1, 1 end,
  J = function(self)
    erase(self.lines[self.y], self.x, self.columns)
    for y = self.y + 1, self.rows do self.lines[y] = blank_row() end
  end,
  K = function(self) erase(self.lines[self.y], self.x, self.columns) end,
  P = function(self, n)
    local row = self.lines[self.y]
    for x = self.x, self.columns do row[x] = row[x + n] end
  end,
  ["@"] = function(self, n)
    local row = self.lines[self.y]
    for x = self.columns, self.x + n, -1 do row[x] = row[x - n] end
    for x = self.x, math.min(self.columns, self.x + n - 1) do row[x] = " " end
  end,
  c = function(self)
    self.questions = self.questions + 1
    if self.on_question then self.on_question() end
  end,
  m = function() end,
  h = function(self, n, private) if private and n == 2004 then self.takes_paste = true end end,
  l = function(self, n, private) if private and n == 2004 then self.takes_paste = false end end,
}

-- Draws the beginning of a text; returns the rest.
local function draw(self, text)
  local private, number, kind, behind = text:match "^\27%[(%??)([%d;]*)([%a@])()"
  if kind then
    local act = SEQUENCES[kind] or error("unknown sequence " .. ("%q"):format(text:sub(1, behind - 1)))
    act(self, math.tointeger(tonumber(number)) or 1, private == "?")
    return text:sub(behind)
  end
  local picture, below = text:match "^(\27P.-\27\\)()"
  if picture then
    self.pictures[#self.pictures + 1] = picture
    return text:sub(below)
  end
  if text:find "^\27%[[%d;?]*$" or text:find "^\27$" or text:find "^\27P" then return text, true end -- more is to come
  local control = CONTROLS[text:sub(1, 1)]
  if control then
    control(self)
    return text:sub(2)
  end
  if #text < 4 and text:byte() >= 0xC0 and not utf8.len(text) then return text, true end
  local character = utf8.len(text, 1, 1) and text:match("^" .. utf8.charpattern) or text:sub(1, 1)
  self:put(character)
  return text:sub(#character + 1)
end

function Screen:draw(text)
  self.pending = self.pending .. text
  local waits
  while self.pending ~= "" and not waits do self.pending, waits = draw(self, self.pending) end
end

-- ---- Looking ---------------------------------------------------------------------------------------

function Screen:row_text(y)
  local cells = {}
  for x = 1, self.columns do cells[x] = self.lines[y][x] or " " end
  return (table.concat(cells):gsub(" +$", ""))
end

--- The rows that are on the screen, and those that have left it, without empty ones at the end.
function Screen:text()
  local rows = table.move(self.above, 1, #self.above, 1, {})
  for y = 1, self.rows do rows[#rows + 1] = self:row_text(y) end
  while rows[#rows] == "" do rows[#rows] = nil end
  return table.concat(rows, "\n")
end

--- Draws what comes until `done(self)`. Raises an error, with the screen, when it does not for too long.
function Screen:wait(what, done)
  local waited = 0
  while not done(self) do
    local text = self.terminal:read(0.1)
    if not text or waited > PATIENCE then
      error(("%s: waited for %s\n%s"):format(text and "too late" or "the program ended", what, self:text()), 2)
    end
    waited = text == "" and waited + 0.1 or waited
    self.raw = self.raw .. text
    self:draw(text)
  end
end

--- Waits until the text that is shown contains `part`, plain.
function Screen:expect(part)
  self:wait(("%q"):format(part), function() return self:text():find(part, 1, true) end)
end

--- Waits until a prompt is there that waits for keys.
function Screen:prompt()
  self:wait("a prompt", function()
    return self.takes_paste and self.pending == "" and self:row_text(self.y):find "^> ?$"
  end)
end

-- ---- Doing -----------------------------------------------------------------------------------------

function Screen:keys(text)
  self.terminal:send(text)
end

-- Where the program stopped to read keys and went on to run, each, so far.
local ON, OFF = "\27[?2004h", "\27[?2004l"

--- Runs `act`, and returns what the program writes from when it stops to read keys until it reads them again.
function Screen:after(what, act)
  local from = #self.raw
  act()
  local output
  self:wait("a prompt after " .. what, function()
    local _, began = self.raw:find(OFF, from + 1, true)
    local ended = began and self.raw:find(ON, began + 1, true)
    output = ended and self.raw:sub(began + 1, ended - 1)
    return output
  end)
  self:prompt()
  return output
end

--- Types a text and Enter, and returns what the program writes until it reads keys again, without colours.
function Screen:enter(text)
  local output = self:after(text, function() self:keys(text .. "\r") end)
  return (output:gsub("\r\n", "\n"):gsub("\27%[[%d;]*m", ""):gsub("\n$", ""))
end

--- As a terminal pastes: in brackets, with \r at the ends of lines.
function Screen:paste(text)
  self:keys("\27[200~" .. text:gsub("\n", "\r") .. "\27[201~")
end

--- The exit status after the end of its input; what still comes is drawn.
function Screen:finish()
  local text = ""
  while text do
    text = self.terminal:read(5)
    if text == "" then error("it does not end\n" .. self:text(), 2) end
    if text then self:draw(text) end
  end
  local status = self.terminal:wait(10)
  self.terminal:close()
  return status
end

function Screen:__close()
  self.terminal:close()
end

local screen = {}

--- Starts a program on a screen.
function screen.start(rows, columns, ...)
  local self = setmetatable({
    rows = rows, columns = columns, terminal = pty.start(rows, columns, ...), lines = {}, above = {}, x = 1, y = 1,
    bells = 0, pending = "", raw = "", pictures = {}, questions = 0,
  }, Screen)
  for y = 1, rows do self.lines[y] = blank_row() end
  return self
end

return screen
