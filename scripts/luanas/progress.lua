--- One line on the terminal while a child trains: trial, replicate, epoch, accuracy so far, best, time left.
--- Nothing is shown when standard error is no terminal. The line is gone when a trial ends, so that
--- what a script prints between trials stays readable.
---
--- What the line is made of is a state, a plain table: a detached script tells it who asks for it (detached.lua).
---
--- The time left is that of the trials which are left. Each takes as long as those of this process did, from begin to
--- finish, those left out that only followed stored ones; before anything was trained, as long as the followed ones
--- took when they were stored. Where neither is known, there is no such time.
local core = require "luanas.core"
local layout = require "luanas.layout"

local progress = {}

local Progress = {
  __name = "luanas.Progress",
  done = 0,
  seconds = 0.0,                        -- that trials and batches were at work; began = since when one is, or nil
  followed = 0, followed_seconds = 0.0, -- trials that followed stored ones, and what those took
}
Progress.__index = Progress

local BAR_MIN, BAR_MAX = 8, 30 -- characters

-- Fields that a state has as they are.
local FIELDS = {
  "accuracy", "batch_all", "batch_done", "batch_what", "best", "done", "epoch", "epochs", "followed",
  "followed_seconds", "has_trained", "number", "replicate", "replicates", "total",
}

--- Gets the state whenever there is news; nil: nobody.
progress.observe = nil

--- `is_aside`: what it shows is no trial that is to come, and nobody else is told of it.
function progress.new(quiet, is_aside)
  return setmetatable({ quiet = quiet, is_aside = is_aside }, Progress)
end

--- 75 -> "1:15", 3675 -> "1:01:15".
function progress.duration(seconds)
  local whole = math.max(0, math.floor(seconds + 0.5))
  local hours, minutes = whole // 3600, whole // 60 % 60
  if hours > 0 then return ("%d:%02d:%02d"):format(hours, minutes, whole % 60) end
  return ("%d:%02d"):format(minutes, whole % 60)
end

local function coloured(text)
  return layout.wants_colours() and "\27[32m" .. text .. "\27[0m" or text
end

-- How many trials are done, the share of the present one included.
local function position(self)
  if not self.number then return self.done end
  local share = ((self.replicate - 1) * self.epochs + self.epoch) / (self.replicates * self.epochs)
  return math.max(self.done, self.number - 1 + share)
end

-- Seconds that trials and batches were at work.
local function seconds_of(self)
  return self.seconds + (self.began and core.clock() - self.began or 0.0)
end

-- A trial or a batch is at work.
local function work(self)
  self.began = self.began or core.clock()
end

-- None is.
local function rest(self)
  self.seconds, self.began = seconds_of(self), nil
end

--- Seconds until all trials are done; nil where nothing is known.
function Progress:left()
  if not self.total then return nil end
  local own, seconds = position(self) - self.followed, nil
  if self.has_trained and own > 0 then
    seconds = seconds_of(self) / own
  elseif self.followed_seconds > 0 then
    seconds = self.followed_seconds / self.followed
  end
  return seconds and seconds * math.max(0, self.total - position(self))
end

local function time_text(self)
  local left = self:left()
  return left and progress.duration(left) .. " left" or progress.duration(seconds_of(self)) .. " so far"
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
  local state = {}
  for _, name in ipairs(FIELDS) do state[name] = self[name] end
  state.seconds = seconds_of(self)
  state.batch_seconds = self.batch_began and core.clock() - self.batch_began
  return state
end

--- Takes over such a state, and draws it where there was a trial or is a batch.
function Progress:show(state)
  for _, name in ipairs(FIELDS) do self[name] = state[name] end
  self.seconds = state.seconds
  self.batch_began = state.batch_seconds and core.clock() - state.batch_seconds
  if self.batch_done or self.number then draw(self) end
end

local function observe(self)
  if progress.observe and not self.is_aside then progress.observe(self:state()) end
end

local function tell(self)
  draw(self)
  observe(self)
end

--- There will be so many trials (nil: that is not known).
function Progress:expect(total)
  self.total = total
end

--- A trial begins: its number, the number of all (or nil), its epochs, the best accuracy so far (or nil), and how often
--- its network is trained (nil: once).
function Progress:begin(number, total, epochs, best, replicates)
  work(self)
  self.number, self.total, self.epochs, self.best, self.replicates = number, total, epochs, best, replicates or 1
  self.epoch, self.accuracy, self.replicate = 0, nil, 1
  tell(self)
end

--- An epoch of it is done; of that replicate (nil: the first).
function Progress:step(epoch, accuracy, replicate)
  self.epoch, self.accuracy, self.replicate, self.has_trained = epoch, accuracy, replicate or 1, true
  tell(self)
end

--- So many of `all` are done; `what` says what they are, such as "networks trained by workers". The first call, with 0,
--- begins to count the time, and `clear` ends that.
function Progress:batch(done, all, what)
  work(self)
  self.batch_began = self.batch_began or core.clock()
  if self.batch_done == done then return end
  self.batch_done, self.batch_all, self.batch_what = done, all, what
  self.has_trained = self.has_trained or done > 0
  tell(self)
end

--- The trial has ended, or is given up.
function Progress:finish()
  rest(self)
  self:clear()
end

--- So many trials are done; the best accuracy of them (nil: there is none). Where the last one only followed a stored
--- one, the seconds that its training took when it was stored (0: those of a trial before); else nil.
function Progress:count(number, best, followed_seconds)
  self.done, self.best, self.epoch, self.accuracy, self.replicate = number, best, 0, nil, 1
  if followed_seconds then
    self.followed, self.followed_seconds = number, self.followed_seconds + followed_seconds
  end
  observe(self)
end

function Progress:clear()
  if self.batch_done then rest(self) end
  self.batch_began, self.batch_done = nil, nil
  if not self.shown then return end
  io.stderr:write("\r\27[K")
  io.stderr:flush()
  self.shown = false
end

return progress
