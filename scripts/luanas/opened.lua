--- A file of studies without the scripts that made it: to look at and to take models from, not to go on with.
local core = require "luanas.core"
local check = require "luanas.check"
local data = require "luanas.data"
local detached = require "luanas.detached"
local difference = require "luanas.difference"
local objectives = require "luanas.objectives"
local progress = require "luanas.progress"
local recipe = require "luanas.recipe"
local report = require "luanas.report"
local stored = require "luanas.stored"
local text_table = require "luanas.text_table"
local trial = require "luanas.trial"

local opened = {}

-- ---- Studies ---------------------------------------------------------------------------------------

local Opened = { __name = "luanas.OpenedStudy" }

-- Data and recipe are made again when they are asked for.
function Opened:__index(key)
  if Opened[key] ~= nil then return Opened[key] end
  if key ~= "data" and key ~= "recipe" then return nil end
  if not self.source then
    check.fail("study %d: its data or its loss have no text; only its script can make them again", self.id)
  end
  local source = core.json_decode(self.source)
  self.recipe = recipe.new(source.train)
  self.data = data[source.data.kind](source.data.options)
  if self.data:info().identity ~= self.text:match "\ndata ([^\n]*)" then
    local set = self.data
    self.data = nil
    check.fail("study %d: the data of %s are others now", self.id, tostring(set))
  end
  return rawget(self, key)
end

-- For stored.lua: what is to be closed when a network was trained again, and what sees the epochs.
local function begin_training(_, of, epochs)
  local bar = progress.new(nil, true)
  bar:begin(of.number, nil, epochs)
  return setmetatable({}, { __close = function() bar:finish() end }), function(epoch)
    bar:step(epoch.epoch, epoch.accuracy)
  end
end

local function trial_of(self, row)
  return trial.from_row(row, nil, stored.epochs_reader(self, row), self.functions)
end

local function new_study(store, row)
  local self = setmetatable({
    store = store, id = row.id, name = row.name, text = row.text, source = row.source, speed = {},
    is_intact = row.is_intact == 1,
    begin_training = begin_training,
    evaluation_seed = math.tointeger(tonumber(row.text:match "\nevaluation_seed=(%d+)")),
    replicates = math.tointeger(tonumber(row.text:match " replicates=(%d+)")),
  }, Opened)
  self.functions = stored.functions(self)
  function self.functions.log(of) check.fail("trial %d, log: its study is open to be read only", of.number) end
  return self
end

--- Its runs: { id =, parent = or nil, first = its first own trial, trials =, arguments = or nil }.
function Opened:runs()
  local runs = {}
  for row in self.store:rows([[
    SELECT id, parent, first, arguments, ifnull((SELECT max(number) FROM trial WHERE run = run.id), first - 1) AS trials
    FROM run WHERE study = ?1 ORDER BY id]], self.id) do
    runs[#runs + 1] = row
  end
  return runs
end

-- An iterator over the trials of a run.
local function each_of(self, owner, run)
  local runs = self:runs()
  run = check.optional(check.integer, owner, "run", run, 1) or runs[#runs] and runs[#runs].id
  local is_there = run == nil
  for _, each in ipairs(runs) do is_there = is_there or each.id == run end
  if not is_there then check.fail("%s: study %d has no run %d", owner, self.id, run) end
  local sql = stored.LINE .. "SELECT " .. trial.COLUMNS .. stored.OF_LINE .. "ORDER BY number"
  local next_row, _, _, rows = self.store:rows(sql, run)
  return function()
    local row = next_row()
    return row and trial_of(self, row)
  end, nil, nil, rows
end

--- The trials of a run, those of the runs that it left included; default: the last run.
function Opened:trials(run)
  local trials = {}
  for each in each_of(self, "study:trials", run) do trials[#trials + 1] = each end
  return trials
end

--- The same one by one.
function Opened:each(run)
  return each_of(self, "study:each", run)
end

--- What the report of a script says of the last run.
function Opened:report(rows)
  io.stdout:write(report.text(self, check.integer("study:report", "rows", rows or report.ROWS, 0)))
  io.stdout:flush()
end

local function distinct(self)
  return stored.distinct(self, self.id, function(row) return trial_of(self, row) end)
end

--- The best of all its runs.
function Opened:best(count, metric)
  count = check.optional(check.integer, "study:best", "count", count, 0)
  local trials = distinct(self)
  local default = trials[1] and trials[1].accuracy and "accuracy" or "loss"
  return report.best(report.each_of(trials), count, check.string("study:best", "metric", metric or default))
end

function Opened:pareto(options)
  return objectives.front("study:pareto", report.each_of(distinct(self)), options)
end

function Opened:rescore(reward)
  return stored.rank(self, self.id, reward, function(row) return trial_of(self, row) end)
end

function Opened:__tostring()
  return ("luanas.OpenedStudy: study %d%s, %s"):format(self.id, self.name and " " .. self.name or "",
    text_table.counted(#self:runs(), "run"))
end

check.colons("study", Opened)

-- ---- Files -----------------------------------------------------------------------------------------

local File = { __name = "luanas.File" }
File.__index = File

local function all_of(file)
  local list = {}
  for row in file.store:rows [[
    SELECT id, name, text, source, sum = row_sum(id, key, name, text, source) AS is_intact FROM study ORDER BY id]] do
    list[#list + 1] = new_study(file.store, row)
  end
  return list
end

local function checked(study)
  if not study.is_intact then
    check.fail("study %d is damaged: its checksum is another; `luanas check` tells more", study.id)
  end
  return study
end

function File:studies()
  local list = all_of(self)
  for _, study in ipairs(list) do checked(study) end
  return list
end

--- The study of that id or name; nil: the last one.
function File:study(which)
  local list = all_of(self)
  if #list == 0 then check.fail("file:study: there are no studies in %s yet", self.path) end
  if which == nil then return checked(list[#list]) end
  for _, each in ipairs(list) do
    if each.id == which or each.name == which then return checked(each) end
  end
  local texts = {}
  for i, each in ipairs(list) do texts[i] = each.text end
  local lines = {}
  for i, own in ipairs(difference.of_each(texts)) do lines[i] = ("\n  %d %s"):format(list[i].id, own) end
  check.fail("file:study: there is no study %s; there are:%s", check.show(which), table.concat(lines))
end

function File:close()
  self.store:close()
end

File.__close = File.close

detached.add_to(File, "file", function(self) return self.path end)
check.colons("file", File)

function File:__tostring()
  return "luanas.File: " .. self.path
end

--- The studies of a store that is open already.
function opened.file(path, store)
  return setmetatable({ path = path, store = store }, File)
end

--- nas.open(path): a file of studies, to be read.
function opened.open(path)
  check.string("open", "path", path)
  return opened.file(path, check.must(core.store, path, { read_only = true, must_exist = true }))
end

return opened
