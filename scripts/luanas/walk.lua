--- Where a script is among the trials of its study.
---
--- Every script begins at the start. While its trials agree with those of stored runs it follows them; where it goes
--- beyond the end of a run it continues that run, and where it differs from all of them it begins one of its own, which
--- leaves another one at that trial. So a script that is run again goes on where it was, and one with another
--- reward branches.
---
--- A trial agrees when its decisions, where they come from (log-probability, sample) and its outcome are the same, and
--- no value that the script logs differs from the stored one. A value that the stored trial does not have is added to
--- it: the script was ended before it logged that, or logs more than before. Values may be logged of any earlier trial,
--- as scripts do that evaluate a batch and learn from it then.
local core = require "luanas.core"
local check = require "luanas.check"

local walk = {}

local Walk = { __name = "luanas.Walk" }
Walk.__index = Walk

local BLOCK_MAX = 256 -- trials that are read at once
local PENDING_MAX, PENDING_SECONDS = 256, 0.25 -- trials that wait to be written at once, and for how long

-- ---- Reading a run ---------------------------------------------------------------------------------

-- A run from its first trial on: its parents' trials up to where each child leaves, then its own.
local Reader = {}
Reader.__index = Reader

local function new_reader(store, run, by_id)
  local self = setmetatable({ store = store, run = run, last = run.last, segments = {}, size = 1 }, Reader)
  local below, last = run, run.last
  while below do
    table.insert(self.segments, 1, { run = below.id, first = below.first, last = last })
    last, below = below.first - 1, by_id[below.parent]
  end
  return self
end

-- The id of the run that trial `number` is stored with.
function Reader:owner(number)
  for _, segment in ipairs(self.segments) do
    if number >= segment.first and number <= segment.last then return segment.run, segment.last end
  end
end

-- Trial `number`, or nil. Blocks begin small: most runs are left at their first trial.
function Reader:at(number)
  if number > self.last then return nil end
  local row = self.block and self.block[number - self.block.from + 1]
  if row then return row end
  local owner, last = self:owner(number)
  self.block = check.must(self.store.trials, self.store, owner, number, math.min(self.size, last - number + 1))
  self.block.from = number
  self.size = math.min(4 * self.size, BLOCK_MAX)
  return self.block[1]
end

-- ---- Making ----------------------------------------------------------------------------------------

-- Readers of the runs that were not known yet.
local function new_readers(self)
  local runs, fresh, readers = check.must(self.store.runs, self.store, self.study), {}, {}
  for _, run in ipairs(runs) do
    if not self.known[run.id] then fresh[#fresh + 1] = run end
    self.known[run.id] = run
  end
  for i, run in ipairs(fresh) do readers[i] = new_reader(self.store, run, self.known) end
  return readers
end

--- A walk from the start. `running`: of script.lua; say(format, ...) tells the user.
function walk.new(store, study, running, say)
  local self = setmetatable({
    store = store, study = study, running = running, say = say,
    known = {},   -- runs by id
    number = 0,   -- trials so far
    run = nil,    -- that this script writes to: { id =, lock =, from = its first trial of this script }
    partial = {}, -- what this script logged of followed trials, until it is all that is stored
    pending = {}, -- rows to append, in order
    changed = {}, -- what written trials logged, where it has changed: by number
    written = core.clock(),
  }, Walk)
  self.candidates = new_readers(self) -- of the runs that agree so far
  return self
end

local function keep(list, agrees)
  local kept = {}
  for _, reader in ipairs(list) do
    if agrees(reader) then kept[#kept + 1] = reader end
  end
  return kept
end

local function copy(map)
  local own = {}
  for name, value in pairs(map) do own[name] = value end
  return own
end

-- ---- Writing ---------------------------------------------------------------------------------------

-- The lock of a run; or nil and who has it.
local function lock_run(self, id)
  local function try() return check.core(self.store.lock_run, self.store, id, ("continues run %d"):format(id)) end
  local lock, message, code = try()
  if code == "NAS_BUSY" then
    collectgarbage() -- perhaps a study of this process has it that nobody needs any more
    lock, message, code = try()
  end
  if not lock and code ~= "NAS_BUSY" then check.fail("study: %s", message) end
  return lock, message
end

local function is_of_this_script(self, id)
  local row = self.store:row("SELECT body, arguments FROM run LEFT JOIN text ON text.id = script WHERE run.id = ?1", id)
  return row and row.body == self.running.text and row.arguments == self.running.arguments
end

-- A run that ends where this script is, to go on with; or nil. One that another process continues is not ours where
-- that runs another script, which has only begun alike. Second: whether what is stored has changed since it was
-- read, and must be followed first.
local function continue(self)
  for i, reader in ipairs(self.candidates) do
    local id = reader.run.id
    if reader.last == self.number then
      local lock, message = lock_run(self, id)
      if not lock and is_of_this_script(self, id) then
        check.fail("study: run %d can't be continued: %s; wait until it ends, or give this script another seed", id,
          message)
      end
      if lock then
        new_readers(self)
        if self.known[id].last == reader.run.last then return { id = id, lock = lock, from = self.number + 1 } end
        lock:close()
        self.candidates[i] = new_reader(self.store, self.known[id], self.known)
        return nil, true
      end
    end
  end
end

-- A run that leaves the candidates at trial `number`. Another process may take an empty run before it is locked.
local function branch(self, number)
  local left = self.candidates[1]
  while true do
    local id = check.must(self.store.begin_run, self.store, {
      study = self.study, parent = number > 1 and left:owner(number - 1) or 0, first = number,
      numeric_version = core.numeric_version, script = self.running.text, arguments = self.running.arguments,
    })
    local lock = lock_run(self, id)
    if lock then
      if left and left.last >= number then self.say("run %d leaves run %d at trial %d", id, left.run.id, number) end
      return { id = id, lock = lock, from = number }
    end
  end
end

--- Writes what is not written yet. To be called before anything that takes long.
function Walk:flush()
  if #self.pending > 0 then
    for _, row in ipairs(self.pending) do row.logged = core.json_encode(row.values) end
    check.must(self.store.append, self.store, self.run.id, self.pending)
    self.pending = {}
  end
  for number, change in pairs(self.changed) do
    check.must(self.store.log, self.store, change.run, number, core.json_encode(change.logged))
  end
  self.changed, self.written = {}, core.clock()
end

local function flush_if_due(self)
  if #self.pending >= PENDING_MAX or core.clock() - self.written > PENDING_SECONDS then self:flush() end
end

-- What a trial that is written has logged, in a table that will be written.
local function logged_of(self, run, number)
  local change = self.changed[number]
  if not change then
    local row = check.must(self.store.trials, self.store, run, number, 1)[1]
    change = { run = run, logged = core.json_decode(row.logged) }
    self.changed[number] = change
  end
  return change.logged
end

-- ---- Steps -----------------------------------------------------------------------------------------

-- Those that have this trial next.
local function matching(self, decisions, origin)
  return keep(self.candidates, function(reader)
    local row = reader:at(self.number + 1)
    return row ~= nil and row.decisions == decisions and row.origin == origin
  end)
end

-- The candidates that have this trial next, those of processes that began meanwhile included.
local function followed(self, decisions, origin)
  local agreeing, number = matching(self, decisions, origin), self.number
  if #agreeing > 0 then return agreeing end
  for _, reader in ipairs(new_readers(self)) do
    local left = self.candidates[1]
    if reader.run.first == number + 1 and (number == 0 or left and reader:owner(number) == left:owner(number)) then
      self.candidates[#self.candidates + 1] = reader
    end
  end
  return matching(self, decisions, origin)
end

--- The next trial has these decisions. Returns the stored trial with them, or nil where this script writes.
function Walk:begin(decisions, origin)
  while not self.run do
    local agreeing = followed(self, decisions, origin)
    if #agreeing > 0 then
      self.agreeing = agreeing -- until there is an outcome: the evaluation may be interrupted
      return agreeing[1]:at(self.number + 1)
    end
    local run, has_changed = continue(self)
    if not has_changed then self.run = run or branch(self, self.number + 1) end
  end
  return nil
end

-- What a trial is stored as; what it logs is in `values` until it is written.
local function row_of(number, decisions, origin, outcome)
  return {
    number = number, decisions = decisions, origin = origin, network = outcome.network, status = outcome.status,
    reason = outcome.reason, evaluation = outcome.evaluation, epochs = outcome.epoch_count,
    metrics = outcome.metrics_text, measured = outcome.measured_text, values = {},
  }
end

--- The outcome of that trial (of evaluate.lua).
function Walk:take(decisions, origin, outcome)
  self.number = self.number + 1
  if not self.run then
    local agreeing = keep(self.agreeing, function(reader)
      local stored = reader:at(self.number)
      return stored.status == outcome.status and stored.metrics == outcome.metrics_text
    end)
    if #agreeing > 0 then
      self.candidates = agreeing
      if agreeing[1]:at(self.number).logged ~= "{}" then self.partial[self.number] = {} end
      return
    end
    self.run = branch(self, self.number)
  end
  self.pending[#self.pending + 1] = row_of(self.number, decisions, origin, outcome)
  flush_if_due(self)
end

-- This script logs other values of a followed trial than all candidates: its run is one of its own from there on.
local function leave(self, number)
  local old_run = self.run
  self:flush()
  local left = new_reader(self.store, self.candidates[1].run, self.known)
  local rows = {}
  for n = number, self.number do
    local row = old_run and n >= old_run.from and check.must(self.store.trials, self.store, old_run.id, n, 1)[1]
      or left:at(n)
    row = copy(row)
    row.values = self.partial[n] or core.json_decode(row.logged)
    rows[#rows + 1], self.partial[n] = row, nil
  end
  self.candidates = { left }
  self.run = branch(self, number)
  self.pending = rows
  if old_run then old_run.lock:close() end
end

-- What a stored trial logged, as a table that nobody changes.
local function values_of(row)
  row.values = row.values or core.json_decode(row.logged)
  return row.values
end

local function log_followed(self, number, values)
  local function differs(reader)
    local stored = values_of(reader:at(number))
    for name, value in pairs(values) do
      if stored[name] ~= nil and stored[name] ~= value then return true end
    end
    return false
  end
  local agreeing = keep(self.candidates, function(reader) return not differs(reader) end)
  local mine = self.partial[number] or copy(values_of(self.candidates[1]:at(number)))
  self.partial[number] = mine
  for name, value in pairs(values) do mine[name] = value end
  if #agreeing == 0 then return leave(self, number) end
  self.candidates = agreeing
  local stored = values_of(agreeing[1]:at(number))
  local is_whole = true
  for name in pairs(stored) do is_whole = is_whole and mine[name] ~= nil end
  if is_whole then self.partial[number] = nil end
  for name, value in pairs(values) do
    if stored[name] == nil then logged_of(self, agreeing[1]:owner(number), number)[name] = value end
  end
end

--- What the script logs of a trial: each name once.
function Walk:log(number, values)
  if not self.run or number < self.run.from then return log_followed(self, number, values) end
  local first_pending = self.number - #self.pending + 1
  local logged = number >= first_pending and self.pending[number - first_pending + 1].values
    or logged_of(self, self.run.id, number)
  for name, value in pairs(values) do logged[name] = value end
  flush_if_due(self)
end

--- Writes the rest, and lets others continue the run.
function Walk:finish()
  self:flush()
  if self.run then self.run.lock:close() end
end

--- The run that is followed or written; nil before the first trial.
function Walk:run_id()
  return self.run and self.run.id or self.candidates[1] and self.candidates[1].run.id
end

--- The numeric version under which the run that is followed or written began.
function Walk:numeric_version()
  local reader = self.candidates[1]
  return reader and reader.run.numeric_version or core.numeric_version
end

-- ---- Reading what there is -------------------------------------------------------------------------

--- An iterator over the trials so far, as rows.
function Walk:rows()
  self:flush()
  local id = self:run_id()
  local by_id = {} -- the run may be longer, and its trials have logged more, than when it was read before
  for _, run in ipairs(check.must(self.store.runs, self.store, self.study)) do by_id[run.id] = run end
  local reader = id and new_reader(self.store, by_id[id], by_id)
  local number = 0
  return function()
    if number == self.number then return nil end
    number = number + 1
    return reader:at(number)
  end
end

return walk
