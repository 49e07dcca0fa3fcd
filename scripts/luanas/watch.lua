--- nas.watch(path): a reward in a file, which is loaded again when that was saved.
---
--- A study keeps each version of the file with the trial that it begins at (live.lua), and a trial of the study is
--- rewarded by the version that is in force there; all others by the file as it is now. The whole file is read for each
--- look: it is small, and neither its size nor its time tells two saves within a tick of the clock apart.
local core = require "luanas.core"
local check = require "luanas.check"
local search = require "luanas.search"

local watch = {}

local Watched = { __name = "luanas.Watched" }
Watched.__index = Watched

local SETTLE_SECONDS = 0.02 -- in which who writes a file is through with it

local function read(path)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local source
  source, problem = file:read "a" -- nil of a folder
  file:close()
  if source then return source end
  return nil, ("%s: %s"):format(path, problem)
end

local FUNCTION = "; expected a file that returns a function: return function(trial) ... end"

-- The function that a source returns; or nil and why it has none.
local function load_source(path, source)
  if source:find "\0" then return nil, path .. ": it is no text" end
  local chunk, problem = load(source, "@" .. path, "t")
  if not chunk then return nil, problem end
  local ok, reward = pcall(check.run, chunk)
  if not ok then
    if check.is_interrupt(reward) then error(reward, 0) end
    if type(reward) ~= "string" then return nil, ("%s: it raised %s"):format(path, check.show(reward)) end
    return nil, reward .. (reward:find "a nil value %(global '[^']*'%)$" and FUNCTION or "")
  end
  if check.is_callable(reward) then return reward end
  return nil, ("%s: it returns %s; expected a function of a trial"):format(path, check.show(reward))
end

local function tell(format, ...)
  io.stderr:write("luanas: ", format:format(...), "\n")
end

--- Looks at the file. What can't be loaded leaves the source as it was and is told, by say(format, ...) or on standard
--- error, once. It is tried again at each look, as the reason may be elsewhere, such as in what the file requires.
function watch.look(self, say)
  local source, problem = read(self.path)
  if source == self.source then
    self.told = nil
    return
  end
  local reward
  if source then
    core.sleep(SETTLE_SECONDS)
    if read(self.path) ~= source then return end -- it is being written; the next look sees what becomes of it
    reward, problem = load_source(self.path, source)
  end
  if reward then
    self.source, self.loaded, self.told = source, reward, nil
  elseif self.told ~= problem then
    self.told = problem
    say = say or tell
    say("%s; the reward stays as it was", problem)
  end
end

--- A new function of a source, so that what one that is used elsewhere remembers is not touched; or nil and why not.
function watch.load(self, source)
  local reward = source == self.source and self.loaded
  if not reward then return load_source(self.path, source) end
  self.loaded = nil -- it has been asked for nothing yet
  return reward
end

local AGAIN = "%s; it was loaded before, and must load again, as each use has a function of its own"

-- For what no version of a study is in force.
local function latest(self)
  watch.look(self)
  if not self.current or self.current.source ~= self.source then
    local reward, problem = watch.load(self, self.source)
    if not reward then check.fail(AGAIN, problem) end
    self.current = { source = self.source, reward = reward }
  end
  return self.current.reward
end

--- What it makes of a trial; or nil and which version can't reward it, and why.
function Watched:ask(trial)
  local owner = trial.owner
  if not owner or not owner.version then
    local value, problem = search.ask(latest(self), trial)
    return value, not value and ("%s as it is now %s"):format(self.path, problem) or nil
  end
  local version, place, start = owner.version(trial, self)
  local value, problem = search.ask(version.reward, trial)
  if value then return value end
  if owner.replace_version(trial, self) then return self:ask(trial) end
  return nil, ("version %d of %s, from trial %d on, %s"):format(place, self.path, start, problem)
end

function Watched:__call(trial)
  if type(trial) ~= "table" then check.fail("%s: trial is %s; expected a trial", self, check.show(trial)) end
  local value, problem = self:ask(trial)
  if not value then check.fail("%s", problem) end
  return value
end

--- Whether the version that is in force at a trial of a study is another one than before that trial.
function Watched:changes_at(trial)
  local owner = trial.owner
  if not owner or not owner.version then return false end
  local _, place, start = owner.version(trial, self)
  return start == trial.number and place > 1
end

--- The trial of a study from which on the version is in force that rewards this one; nil of other trials.
function Watched:since(trial)
  local owner = trial.owner
  return owner and owner.version and select(3, owner.version(trial, self)) or nil
end

function Watched:__tostring()
  return "luanas.Watched: " .. self.path
end

--- What ranks trials under a reward: of a watched one, a function of its own by the file as it is now.
function watch.ranking(reward)
  if getmetatable(reward) ~= Watched then return reward end
  watch.look(reward)
  local own, problem = watch.load(reward, reward.source)
  if not own then check.fail(AGAIN, problem) end
  return own
end

--- nas.watch(path)
function watch.new(path)
  check.string("watch", "path", path)
  local self = setmetatable({ path = path }, Watched)
  local source, problem = read(path)
  if source then self.loaded, problem = load_source(path, source) end
  if not self.loaded then check.fail("watch: %s", problem) end
  self.source = source
  return self
end

return watch
