--- One line on the terminal while a child trains: trial, replicate, epoch, accuracy so far, best, time left.
--- Nothing is shown when standard error is no terminal. The line is gone when a trial ends, so that
--- what a script prints between trials stays readable.
---
--- What the line is made of is a state, a plain table: a detached script tells it who asks for it (detached.lua).
local core = require "luanas.core"

local progress = {}

local Progress = { __name = "luanas.Progress" }
Progress.__index = Progress

local BAR_MIN, BAR_MAX = 8, 30 -- characters

-- Fields that a state has as they are.
local FIELDS = {
  "accuracy", "batch_all", "batch_done", "batch_what", "best", "done", "epoch", "epochs", "number", "replicate",
  "replicates", "total",
}

--- Gets the state whenever there is news; nil: nobody.
progress.observe = nil

function progress.new(quiet)
  return setmetatable({ quiet = quiet, done = 0 }, Progress)
end

--- 75 -> "1:15", 3675 -> "1:01:15".
function progress.duration(seconds)
  local whole = math.max(0, math.floor(seconds + 0.5))
  local hours, minutes = whole // 3600, whole // 60 % 60
  if hours > 0 then return ("%d:%02d:%02d"):format(hours, minutes, whole % 60) end
  return ("%d:%02d"):format(minutes, whole % 60)
end

local function coloured(text)
  local no_color, term = os.getenv("NO_COLOR"), os.getenv("TERM")
  if (no_color and no_color ~= "") or term == "dumb" then return text end
  return "\27[32m" .. text .. "\27[0m"
end

-- How many trials are done, the share of the present one included.
local function position(self)
  return self.done + ((self.replicate - 1) * self.epochs + self.epoch) / (self.replicates * self.epochs)
end

--- Seconds until all trials are done, as far as those that are done tell; nil where they tell nothing.
function Progress:left()
  if not self.total or not self.began or position(self) == 0 then return nil end
  return (core.clock() - self.began) / position(self) * math.max(0, self.total - position(self))
end

local function time_text(self)
  local left = self:left()
  return left and progress.duration(left) .. " left" or progress.duration(core.clock() - self.began) .. " so far"
end

local function texts(self)
  local left = self.total and ("trial %d/%d "):format(self.number, self.total) or ("trial %d "):format(self.number)
  local right = self.replicates > 1 and (" replicate %d/%d"):format(self.replicate, self.replicates) or ""
  right = right .. (" epoch %d/%d"):format(self.epoch, self.epochs)
  if self.accuracy then right = right .. ("  accuracy %.4f"):format(self.accuracy) end
  if self.best then right = right .. ("  best %.4f"):format(self.best) end
  return left, right .. "  " .. time_text(self)
end

-- The line for a terminal of so many columns, without colour in its lengths.
local function draw_trial(self, columns)
  local left, right = texts(self)
  local room = math.min(columns - 1 - #left - #right - 2, BAR_MAX)
  local line
  if self.total and room >= BAR_MIN then
    local filled = math.min(room, math.floor(room * position(self) / self.total))
    line = left .. "[" .. coloured(("="):rep(filled)) .. (" "):rep(room - filled) .. "]" .. right
  else
    line = (left .. right:sub(2)):sub(1, math.max(0, columns - 1))
  end
  return line
end

local function draw_batch(self, columns)
  local done, all = self.batch_done, self.batch_all
  local text = ("%d of %d %s"):format(done, all, self.batch_what)
  if done > 0 and done < all then
    text = ("%s  %s left"):format(text, progress.duration((core.clock() - self.batch_began) / done * (all - done)))
  end
  return text:sub(1, columns - 1)
end

local function draw(self)
  local columns = not self.quiet and core.terminal()
  if not columns then return end
  io.stderr:write("\r\27[K", self.batch_done and draw_batch(self, columns) or draw_trial(self, columns))
  io.stderr:flush()
  self.shown = true
end

--- What another process needs to draw the same line.
function Progress:state()
  local state, now = {}, core.clock()
  for _, name in ipairs(FIELDS) do state[name] = self[name] end
  state.seconds = self.began and now - self.began
  state.batch_seconds = self.batch_began and now - self.batch_began
  return state
end

--- Takes over such a state, and draws it where a trial or a batch is at work.
function Progress:show(state)
  local now = core.clock()
  for _, name in ipairs(FIELDS) do self[name] = state[name] end
  self.began = state.seconds and now - state.seconds
  self.batch_began = state.batch_seconds and now - state.batch_seconds
  if self.batch_done or self.began then draw(self) end
end

local function tell(self)
  draw(self)
  if progress.observe then progress.observe(self:state()) end
end

--- A trial begins: its number, the number of all (or nil), its epochs, the best accuracy so far (or nil), and how often
--- its network is trained (nil: once).
function Progress:begin(number, total, epochs, best, replicates)
  self.began = self.began or core.clock()
  self.number, self.total, self.epochs, self.best, self.replicates = number, total, epochs, best, replicates or 1
  self.epoch, self.accuracy, self.replicate = 0, nil, 1
  tell(self)
end

--- An epoch of it is done; of that replicate (nil: the first).
function Progress:step(epoch, accuracy, replicate)
  self.epoch, self.accuracy, self.replicate = epoch, accuracy, replicate or 1
  tell(self)
end

--- So many of `all` are done; `what` says what they are, such as "networks trained by workers". The first call, with 0,
--- begins to count the time, and `clear` ends that.
function Progress:batch(done, all, what)
  self.batch_began = self.batch_began or core.clock()
  if self.batch_done == done then return end
  self.batch_done, self.batch_all, self.batch_what = done, all, what
  tell(self)
end

--- The trial is done.
function Progress:finish()
  self.done = self.done + 1
  self:clear()
end

--- So many trials are done; the best accuracy of them (nil: there is none).
function Progress:count(number, best)
  self.done, self.best = number, best
  self.epoch, self.accuracy, self.replicate = 0, nil, 1
  if progress.observe then progress.observe(self:state()) end
end

function Progress:clear()
  self.batch_began, self.batch_done = nil, nil
  if not self.shown then return end
  io.stderr:write("\r\27[K")
  io.stderr:flush()
  self.shown = false
end

return progress
