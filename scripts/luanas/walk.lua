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
---
--- A live reward is another thing where it is followed: the stored trial says which version of the file rewards it.
local core = require "luanas.core"
local check = require "luanas.check"
local live = require "luanas.live"
local script = require "luanas.script"
local watch = require "luanas.watch"

local walk = {}

local Walk = { __name = "luanas.Walk" }
Walk.__index = Walk

local BLOCK_MAX = 64 -- trials that are read at once
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

-- The versions of a live reward that are stored along the run, as steps.
function Reader:versions_of(name)
  self.versions = self.versions or {}
  self.versions[name] = self.versions[name] or live.stored(self.store, self.segments, name)
  return self.versions[name]
end

-- ---- Making ----------------------------------------------------------------------------------------

-- Readers of the runs that were not known yet.
local function new_readers(self)
  local runs, fresh, readers = check.must(self.store.runs, self.store, self.study), {}, {}
  for _, run in ipairs(runs) do
    if not self.known[run.id] then fresh[#fresh + 1] = run end
    self.known[run.id], self.newest = run, math.max(self.newest, run.id)
  end
  for i, run in ipairs(fresh) do readers[i] = new_reader(self.store, run, self.known) end
  return readers
end

--- A walk from the start. `running`: of script.lua; say(format, ...) tells the user; arrive(name, place, first, reward)
--- is called when a version of a live reward, which is not the first one, is about to begin with trial `first`: whether
--- it may.
function walk.new(store, study, running, say, arrive)
  local self = setmetatable({
    store = store, study = study, running = running, say = say, arrive = arrive,
    known = {}, newest = 0, -- runs by id, and the largest id
    number = 0,             -- trials so far
    run = nil, -- that this script writes to: { id =, from = its first trial of this script, numeric_version =,
    -- is_own = whether this script began it }
    locks = {}, guards = {}, -- of runs, by id
    partial = {},           -- what this script logged of followed trials, until it is all that is stored
    pending = {},           -- rows to append, in order
    changed = {},           -- what written trials logged, where it has changed: by number
    versions = live.new(),  -- of live rewards
    written = core.clock(),
  }, Walk)
  self.candidates = new_readers(self) -- of the runs that agree so far
  return self
end

local function keep(list, agrees)
  if #list == 1 and agrees(list[1]) then return list end -- most of the time there is one
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

-- ---- Locks of runs ---------------------------------------------------------------------------------

local held = setmetatable({}, { __mode = "v" }) -- walks of this process by the runs that they hold

local function held_key(store, id)
  return ("%s\0%d"):format(store:path() or tostring(store), id)
end

--- Whether another study of this process holds a run.
function walk.is_held_here(store, id)
  local holder = held[held_key(store, id)]
  return holder ~= nil and not holder.is_finished
end

-- Keeps a lock. Where nobody finishes the walk, the collector does: guards are finalised before the locks, which are
-- older.
local function hold(self, id, lock)
  self.locks[id], held[held_key(self.store, id)] = lock, self
  self.guards[id] = setmetatable({}, { __gc = function(guard)
    if self.guards[id] ~= guard then return end -- the lock was released
    local ok, problem = pcall(self.finish, self)
    if not ok then io.stderr:write("luanas: ", tostring(problem), "\n") end
  end })
end

local function release(self, id)
  self.locks[id]:close()
  self.locks[id], self.guards[id], held[held_key(self.store, id)] = nil, nil, nil
end

local function is_of_this_script(self, id)
  local writer = script.writer(self.store, id)
  return writer and writer.body == self.running.text and writer.arguments == self.running.arguments
end

-- Whether this walk has the lock of a run now. One that another study of this script, or another script, writes has
-- only begun alike; but when this script runs twice at once, that is a mistake.
local function lock_run(self, id)
  if self.locks[id] then return true end
  local function try() return check.core(self.store.lock_run, self.store, id, ("continues run %d"):format(id)) end
  local lock, message, code = try()
  if code == "NAS_BUSY" then
    collectgarbage() -- perhaps a study of this process has it that nobody needs any more
    lock, message, code = try()
  end
  if lock then
    hold(self, id, lock)
    return true
  end
  if code ~= "NAS_BUSY" then check.fail("study: %s", message) end
  if is_of_this_script(self, id) and not walk.is_held_here(self.store, id) then
    check.fail("study: run %d can't be continued: %s; wait until it ends, or give this script another seed", id,
      message)
  end
  return false
end

-- ---- Continuing and branching ----------------------------------------------------------------------

local function writer_of(self)
  return { script = self.running.text, arguments = self.running.arguments }
end

-- A run that ends where this script is, to go on with; or nil. Second: whether what is stored has changed since it was
-- read, and must be followed first.
local function continue(self)
  for i, reader in ipairs(self.candidates) do
    local id = reader.run.id
    if reader.last == self.number and lock_run(self, id) then
      local before, from = reader.run, self.number + 1
      new_readers(self)
      local now = self.known[id]
      if now.first ~= before.first then check.fail("study: run %d has changed meanwhile; run the script again", id) end
      if now.last == before.last then
        check.must(self.store.continue_run, self.store, id, from, writer_of(self))
        self.candidates = { reader }
        return { id = id, from = from, numeric_version = now.numeric_version }
      end
      self:flush()
      release(self, id)
      self.candidates[i] = new_reader(self.store, now, self.known)
      return nil, true
    end
  end
end

local function encode_logged(rows)
  for _, row in ipairs(rows) do row.logged = core.json_encode(row.values) end
  return rows
end

-- The run that one leaves which begins with trial `first`: who has the trial before that.
local function parent_of(left, first)
  return first > 1 and left:owner(first - 1) or left and left.run.id or 0
end

-- A run of these trials, and versions of live rewards, that leaves `left` (a reader; nil: none) before the first of
-- them, and goes on to recall what has its numeric version. False where runs have been begun meanwhile.
local function branch(self, left, rows, versions)
  local first = rows[1].number
  local version = left and left.run.numeric_version or core.numeric_version
  local id, lock, code = check.core(self.store.begin_run, self.store, {
    study = self.study, parent = parent_of(left, first), first = first, newest = self.newest,
    numeric_version = version, script = self.running.text, arguments = self.running.arguments,
  }, encode_logged(rows), versions)
  if code == "NAS_BUSY" then return false end
  if not id then check.fail("study: %s", lock) end
  hold(self, id, lock)
  self.run = { id = id, from = first, numeric_version = version, is_own = true }
  self.candidates = { left }
  if left and left.last >= first then
    self.say("run %d leaves run %d at trial %d", id, left.run.id, first)
  elseif not left and self.newest > 0 then
    self.say("run %d is new: no run of this study begins like it", id)
  end
  return true
end

-- ---- Writing ---------------------------------------------------------------------------------------

--- Writes what is not written yet. To be called before anything that takes long.
function Walk:flush()
  if #self.pending > 0 then
    check.must(self.store.append, self.store, self.run.id, encode_logged(self.pending))
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

local function stored_trial(self, run, number)
  return check.must(self.store.trials, self.store, run, number, 1)[1]
end

-- What a written trial of a run, whose lock we have, has logged: a table that will be written.
local function logged_of(self, run, number)
  local change = self.changed[number]
  if not change then
    change = { run = run, logged = core.json_decode(stored_trial(self, run, number).logged) }
    self.changed[number] = change
  end
  return change.logged
end

-- ---- Steps -----------------------------------------------------------------------------------------

-- Whether a stored trial has these decisions, and they come from the same sample.
local function is_of(row, record)
  if row.decisions ~= record:line() then return false end
  local origin = core.json_decode(row.origin)
  return origin.log_prob == record.log_prob and origin.sample == record.sample
end

-- Those that have this trial next.
local function matching(self, record)
  return keep(self.candidates, function(reader)
    local row = reader:at(self.number + 1)
    return row ~= nil and is_of(row, record)
  end)
end

-- The candidates that have this trial next, those of processes that began meanwhile included.
local function followed(self, record)
  local agreeing, number = matching(self, record), self.number
  if #agreeing > 0 then return agreeing end
  for _, reader in ipairs(new_readers(self)) do
    local left = self.candidates[1]
    if reader.run.first == number + 1 and (number == 0 or left and reader:owner(number) == left:owner(number)) then
      self.candidates[#self.candidates + 1] = reader
    end
  end
  return matching(self, record)
end

local function refuse_closed(self)
  if self.is_finished then check.fail("the study is closed") end
end

-- Whether a version may begin, as it is written. The user is told of one that is about to begin where another one is in
-- force, or that it is refused: once for each content.
local function may_begin(self, row)
  local file = self.versions.files[row.file]
  local before, place, start = file.steps:at(row.first)
  if not before or file.told == row.source then return true end
  if file.refused[row.source] then return false end
  local reward, problem = watch.load(file.watched, row.source)
  if not reward then
    self.say("%s; the reward stays as it was", problem)
  elseif self.arrive(row.file, start == row.first and place or place + 1, row.first, reward) then
    file.told = row.source
    return true
  end
  file.refused[row.source] = true
  return false
end

-- The versions of live rewards that begin with the next trial, which is not stored; as of Versions:due.
local function due(self)
  local is_continued = self.run and not self.run.is_own
  local rows, recalled = self.versions:due(self.number + 1, is_continued and function(name)
    return self.candidates[1]:versions_of(name)
  end)
  local beginning = {}
  for _, row in ipairs(rows) do
    if may_begin(self, row) then beginning[#beginning + 1] = row end
  end
  return beginning, recalled
end

--- The next trial is of this architecture. Returns the stored trial with it, or nil where there is none to follow.
function Walk:begin(record)
  refuse_closed(self)
  flush_if_due(self)
  self.agreeing = {} -- until there is an outcome: the evaluation may be interrupted
  while not self.run do
    self.agreeing = followed(self, record)
    if #self.agreeing > 0 then return self.agreeing[1]:at(self.number + 1) end
    local run, has_changed = continue(self)
    self.run = run
    if not has_changed then break end
  end
  self.versions:look(self.say)
  due(self) -- the user is told of what begins before it is trained
  return nil
end

-- What a trial is stored as; what it logs is in `values` until it is written.
local function row_of(number, record, outcome)
  return {
    number = number, decisions = record:line(),
    origin = core.json_encode { log_prob = record.log_prob, sample = record.sample },
    network = outcome.network, status = outcome.status, reason = outcome.reason, evaluation = outcome.evaluation,
    epochs = outcome.epoch_count, metrics = outcome.metrics_text, measured = outcome.measured_text, values = {},
  }
end

-- Whether a candidate has this trial with this outcome: it is followed then.
local function follow(self, outcome)
  local number = self.number + 1
  local agreeing = keep(self.agreeing, function(reader)
    local stored = reader:at(number)
    return stored.status == outcome.status and stored.epochs == outcome.epoch_count
      and stored.metrics == outcome.metrics_text
  end)
  if #agreeing == 0 then return false end
  self.candidates = agreeing
  if agreeing[1]:at(number).logged ~= "{}" then self.partial[number] = {} end
  return true
end

-- Adds a trial to the run of this script. Under a live reward it is written at once, with the versions that begin with
-- it: if it was lost with this process and the file has changed, it would be made again as another one.
local function append(self, row)
  local versions, recalled = due(self)
  if self.versions:are_any() then
    self:flush()
    check.must(self.store.append, self.store, self.run.id, encode_logged { row }, versions)
  else
    self.pending[#self.pending + 1] = row
  end
  self.versions:take(recalled)
  return versions
end

-- Follows the next trial, or begins a run with it. Returns the versions that begin with it.
local function follow_or_branch(self, record, outcome)
  local number = self.number + 1
  while not follow(self, outcome) do
    local versions = due(self)
    local left = self.number > 0 and self.candidates[1] or nil
    if branch(self, left, { row_of(number, record, outcome) }, versions) then return versions end
    self.agreeing = followed(self, record)
  end
  return {}
end

--- The outcome of that trial (of evaluate.lua). Where this fails, the trial has not been.
function Walk:take(record, outcome)
  local versions = self.run and append(self, row_of(self.number + 1, record, outcome))
    or follow_or_branch(self, record, outcome)
  self.number = self.number + 1
  self.versions:take(versions)
end

-- This script logs other values of a followed trial than all candidates: its run is one of its own from there on. Where
-- it has left them later already, that run leaves earlier. `starting`: versions of live rewards that begin with that.
local function leave(self, number, starting)
  self:flush()
  local run = self.run
  local left = new_reader(self.store, self.candidates[1].run, self.known)
  local is_earlier = run and run.is_own and run.from > number
  local rows = {}
  for n = number, is_earlier and run.from - 1 or self.number do
    local row = copy(run and n >= run.from and stored_trial(self, run.id, n) or left:at(n))
    row.values = self.partial[n] or core.json_decode(row.logged)
    rows[#rows + 1] = row
  end
  local versions = self.versions:between(number, number + #rows - 1)
  table.move(starting, 1, #starting, #versions + 1, versions)
  if is_earlier then
    check.must(self.store.prepend, self.store, run.id, parent_of(left, number), encode_logged(rows), versions)
    run.from = number
  else
    while not branch(self, left, rows, versions) do new_readers(self) end
  end
  for n = number, self.number do self.partial[n] = nil end
end

-- What a stored trial logged, as a table that nobody changes.
local function values_of(row)
  row.values = row.values or core.json_decode(row.logged)
  return row.values
end

-- Whether a trial that logged `stored` agrees with a script that logs `values`; and whether it has all of them.
local function compare(stored, values)
  local has_all = true
  for name, value in pairs(values) do
    if stored[name] ~= nil and stored[name] ~= value then return false, false end
    has_all = has_all and stored[name] ~= nil
  end
  return true, has_all
end

-- Adds values to a followed trial that has not all of them, under the lock of its run; or returns false: another
-- process has it, or has logged other values since.
local function add_values(self, reader, number, values)
  local id = reader:owner(number)
  if not lock_run(self, id) then return false end
  local logged = logged_of(self, id, number)
  if not compare(logged, values) then return false end
  for name, value in pairs(values) do logged[name] = value end
  reader:at(number).values = copy(logged)
  self.candidates = { reader }
  return true
end

-- What is logged of a trial that was followed.
local function log_followed(self, number, values)
  local mine = self.partial[number] or copy(values_of(self.candidates[1]:at(number)))
  for name, value in pairs(values) do mine[name] = value end
  self.partial[number] = mine
  local stored = values_of(self.candidates[1]:at(number))
  if #self.candidates == 1 and select(2, compare(stored, values)) then -- most of the time
    if select(2, compare(mine, stored)) then self.partial[number] = nil end
    return
  end
  local agreeing = keep(self.candidates, function(reader) return compare(values_of(reader:at(number)), values) end)
  local whole = keep(agreeing, function(reader) return select(2, compare(values_of(reader:at(number)), values)) end)
  local is_found = #whole > 0
  if is_found then self.candidates = whole end
  for i = 1, is_found and 0 or #agreeing do is_found = is_found or add_values(self, agreeing[i], number, values) end
  if not is_found then return leave(self, number, {}) end
  if select(2, compare(mine, values_of(self.candidates[1]:at(number)))) then self.partial[number] = nil end
end

-- What was logged of a trial that is not stored yet, as it will be written; nil of others.
local function pending_values(self, number)
  local pending = self.pending[number - (self.number - #self.pending)]
  return pending and pending.values
end

--- What the script logs of a trial: each name once.
function Walk:log(number, values)
  refuse_closed(self)
  if not self.run or number < self.run.from then
    log_followed(self, number, values)
  else
    local logged = pending_values(self, number) or logged_of(self, self.run.id, number)
    for name, value in pairs(values) do logged[name] = value end
  end
  flush_if_due(self)
end

-- ---- Live rewards ----------------------------------------------------------------------------------

local function is_followed(self, number)
  return not self.run or number < self.run.from
end

-- Of the runs that agree so far and have a version for a trial: this script's before others.
local function chosen(self, readers)
  for i = 1, #readers > 1 and #readers or 0 do
    if is_of_this_script(self, readers[i].run.id) then return readers[i] end
  end
  return readers[1]
end

-- The version that is stored for a followed trial begins where it is stored to; whether there is one.
local function recall_version(self, file, number)
  local name = file.watched.path
  local having = keep(self.candidates, function(reader) return reader:versions_of(name):at(number) end)
  local reader = chosen(self, having)
  local source = reader and reader:versions_of(name):at(number)
  if not source then return false end
  self.candidates = keep(having, function(other) return other:versions_of(name):at(number) == source end)
  local used = file.steps:at(number)
  if not used or used.source ~= source then
    live.put(file, select(3, reader:versions_of(name):at(number)), source)
  end
  return true
end

-- Stores rows, the first of the present version of a file, for a followed trial of which nothing was logged, so that it
-- has not been rewarded yet, under the lock of its run; or returns false. `before`: the source that was stored for it
-- (nil: none).
local function add_version(self, file, number, before, rows)
  for _, reader in ipairs(self.candidates) do
    local id = reader:owner(number)
    if next(values_of(reader:at(number))) == nil and lock_run(self, id) then
      self.candidates, reader.versions = { reader }, nil
      if reader:versions_of(file.watched.path):at(number) ~= before then -- another process has stored one since
        return recall_version(self, file, number)
      end
      check.must(self.store.append, self.store, id, {}, rows)
      reader.versions = nil
      self.versions:take(rows)
      return true
    end
  end
  return false
end

local function has_logged(self, number)
  if is_followed(self, number) then return next(values_of(self.candidates[1]:at(number))) ~= nil end
  local values = pending_values(self, number) or self.changed[number] and self.changed[number].logged
    or core.json_decode(stored_trial(self, self.run.id, number).logged)
  return next(values) ~= nil
end

-- What is to be written where the present version of a file begins with a trial that was made already. Later trials
-- that were rewarded by the version `before` keep it.
local function rows_of(self, file, number, before)
  local rows = { live.present(file, number) }
  for later = number + 1, before and self.number or 0 do
    local version = file.steps:at(later)
    if version.source ~= before then break end
    if has_logged(self, later) then
      rows[2] = { file = rows[1].file, first = later, source = before }
      break
    end
  end
  return rows
end

-- The present version of a file begins with a trial that was made already. Whether it may.
local function begin_version(self, file, number, before)
  refuse_closed(self)
  local rows = rows_of(self, file, number, before)
  if not may_begin(self, rows[1]) then return false end
  if is_followed(self, number) then
    if add_version(self, file, number, before, rows) then return true end
    leave(self, number, rows)
  else
    self:flush()
    check.must(self.store.append, self.store, self.run.id, {}, rows)
  end
  self.versions:take(rows)
  return true
end

--- The version of a live reward that is in force at a trial, as { source =, reward = }; which of them it is, and since
--- which trial.
function Walk:version(watched, number)
  local file = self.versions:file(watched)
  local is_stored = is_followed(self, number) and recall_version(self, file, number)
  if not is_stored and not file.steps:at(number) then -- nobody knew of the file when the trial was made
    begin_version(self, file, number)
  end
  return file.steps:at(number)
end

--- The version that is in force at a trial can't reward it: the file's present one takes its place there. False where
--- it is the same or is refused, or the trial was rewarded when it was stored.
function Walk:replace_version(watched, number)
  local file = self.versions:file(watched)
  local before = file.steps:at(number).source
  watched = file.watched -- the first of this path, whose versions these are
  watch.look(watched, self.say)
  if watched.source == before or has_logged(self, number) then return false end
  return begin_version(self, file, number, before)
end

--- Writes the rest, and lets others continue the run. There are no further trials then.
function Walk:finish()
  if self.is_finished then return end
  self:flush()
  for _, lock in pairs(self.locks) do lock:close() end
  self.is_finished = true
end

--- The run that is followed or written; nil before the first trial.
function Walk:run_id()
  return self.run and self.run.id or self.number > 0 and self.candidates[1].run.id or nil
end

--- The numeric version under which the run began that this script follows or writes.
function Walk:numeric_version()
  local reader = self.number > 0 and self.candidates[1] or self.agreeing and self.agreeing[1]
  local run = self.run or reader and reader.run
  return run and run.numeric_version or core.numeric_version
end

--- Looks which stored runs have a trial of this architecture next, for numeric_version().
function Walk:expect(record)
  refuse_closed(self)
  self.agreeing = self.run and {} or followed(self, record)
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
