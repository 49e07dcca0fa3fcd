--- The versions of live rewards (watch.lua) along a walk: which source is in force from which trial on.
---
--- The file is looked at before each trial that is not stored yet. A version that is new there is stored with that
--- trial, before the trial is rewarded, so a trial that is stored has its version; whoever follows it takes that one.
local check = require "luanas.check"
local steps = require "luanas.steps"
local watch = require "luanas.watch"

local live = {}

local Versions = {}
Versions.__index = Versions

function live.new()
  return setmetatable({ files = {}, names = {} }, Versions)
end

--- A file that rewards trials of the walk: { watched =, steps = of its versions, told = the source that the user was
--- told of last, refused = the sources that don't reward what is stored }; a version is { source =, reward = the
--- function }.
function Versions:file(watched)
  local name = watched.path
  if not self.files[name] then
    self.files[name] = { watched = watched, steps = steps.new(), refused = {} }
    self.names[#self.names + 1] = name
    table.sort(self.names)
  end
  return self.files[name]
end

function Versions:are_any()
  return #self.names > 0
end

--- From trial `start` on a source of a file is in force.
function live.put(file, start, source)
  local reward, problem = watch.load(file.watched, source)
  if not reward then
    check.fail("the version of %s from trial %d on, as it is stored, can't be loaded: %s", file.watched.path, start,
      problem)
  end
  file.steps:put(start, { source = source, reward = reward })
end

--- Looks at all files; say(format, ...) tells what is wrong with them.
function Versions:look(say)
  for _, name in ipairs(self.names) do watch.look(self.files[name].watched, say) end
end

-- As it is written: of a version that begins with a trial.
local function row_of(name, start, source)
  return { file = name, first = start, source = source }
end

--- What begins with trial `number`, which is not stored, as it is written: the files' present sources where they are
--- new. stored_of(name) gives the steps of what the run has of a file (nil: it has nothing yet): what is stored from
--- this trial or a later one on, trials that are lost had, and comes before the present. Second: what begins of that.
function Versions:due(number, stored_of)
  local rows, recalled = {}, {}
  for _, name in ipairs(self.names) do
    local file = self.files[name]
    local before, present = file.steps:at(number), file.watched.source
    local stored = stored_of and stored_of(name)
    local starts = stored and stored.starts or {}
    local is_stored = #starts > 0 and starts[#starts] >= number
    local source = present
    if is_stored then source = stored:at(number) end -- nil before the first
    if source and source ~= (before and before.source) then
      table.insert(is_stored and recalled or rows, row_of(name, number, source))
    end
  end
  return rows, recalled
end

--- They begin.
function Versions:take(rows)
  for _, row in ipairs(rows) do live.put(self.files[row.file], row.first, row.source) end
end

--- What begins with trials first .. last, as it is written.
function Versions:between(first, last)
  local rows = {}
  for _, name in ipairs(self.names) do
    local list = self.files[name].steps
    for i, start in ipairs(list.starts) do
      if start >= first and start <= last then rows[#rows + 1] = row_of(name, start, list.values[i].source) end
    end
  end
  return rows
end

--- The present source of a file from a trial on, as it is written.
function live.present(file, number)
  return row_of(file.watched.path, number, file.watched.source)
end

-- ---- Reading ---------------------------------------------------------------------------------------

local STORED = [[
  SELECT first, body, reward_version.sum = row_sum(run, file, first, source, session)
    AND text.hash = text_hash(body) AS is_intact
  FROM reward_version JOIN text ON text.id = source
  WHERE run = ?1 AND file = ?2 AND first BETWEEN ?3 AND ?4 ORDER BY first]]

--- The sources of a file that are stored along a run, as steps. `segments`: the runs that it is made of, as { run =,
--- first =, last = }; the last one is open to its end.
function live.stored(store, segments, name)
  local list = steps.new()
  for i, segment in ipairs(segments) do
    local last = i < #segments and segment.last or math.maxinteger
    for row in store:rows(STORED, segment.run, name, segment.first, last) do
      if row.is_intact == 0 then
        check.fail("the version of %s from trial %d of run %d on is damaged: its checksum is another; `luanas check` "
          .. "tells more", name, row.first, segment.run)
      end
      list:put(row.first, row.body)
    end
  end
  return list
end

return live
