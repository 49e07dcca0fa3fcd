--- One trial of a study: an architecture, what its evaluation gave, and what the script logged.
local core = require "luanas.core"
local arch = require "luanas.arch"
local check = require "luanas.check"

local trial = {}

local Trial = { __name = "luanas.Trial" }

local function copy(map)
  local own = {}
  for key, value in pairs(map) do own[key] = value end
  return own
end

-- Outcomes are shared by the trials of a network: a trial has metrics and epochs of its own when they are asked for.
-- Metrics read like fields: trial.accuracy is trial.metrics.accuracy.
function Trial:__index(key)
  local method = Trial[key]
  if method ~= nil then return method end
  local outcome = rawget(self, "outcome")
  if key == "metrics" then
    self.metrics = copy(outcome.metrics)
    return self.metrics
  elseif key == "epochs" then
    self.epochs = copy(outcome.epochs or outcome.read_epochs())
    return self.epochs
  end
  local value = outcome[key]
  if value ~= nil then return value end
  return outcome.metrics[key]
end

--- Trial `number` with an outcome (of evaluate.lua, or read_epochs() in the place of epochs); `owner` has functions
--- log(trial, values), which stores what trial:log gets, model(trial) and predictions(trial).
function trial.new(number, record, outcome, recalled, logged, owner)
  return setmetatable({
    number = number, arch = record, outcome = outcome, recalled = recalled, logged = logged, owner = owner,
  }, Trial)
end

--- What a SELECT takes of the table of trials, for from_row.
trial.COLUMNS = [[trial.*, trial.sum = row_sum(trial.run, number, decisions, origin, trial.network, status, reason,
  trial.evaluation, trial.epochs, trial.metrics, trial.measured, logged) AS is_intact]]

--- A trial from its row in a store. read_epochs() gives its epochs; nil where nobody asks for them.
function trial.from_row(row, recalled, read_epochs, owner)
  if row.is_intact == 0 then
    check.fail("trial %d of run %d is damaged: its checksum is another; `luanas check` tells more", row.number, row.run)
  end
  local record, origin = arch.parse(row.decisions), core.json_decode(row.origin)
  record.log_prob, record.sample, record.network = origin.log_prob, origin.sample, row.network
  local metrics, measured = core.json_decode(row.metrics), {}
  for name, value in pairs(core.json_decode(row.measured)) do metrics[name], measured[name] = value, true end
  local outcome = {
    run = row.run, network = row.network, status = row.status, reason = row.reason, metrics = metrics,
    measured = measured, epoch_count = row.epochs, read_epochs = read_epochs, evaluation = row.evaluation,
  }
  return trial.new(row.number, record, outcome, recalled, core.json_decode(row.logged), owner)
end

-- The value as it is stored; names, types and NaN are checked.
local function checked_value(self, name, value)
  local function refuse(format, ...) check.fail("trial %d, log: " .. format, self.number, ...) end
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    refuse("name is %s; expected a string of letters, digits and underscores", check.show(name))
  end
  if self.logged[name] ~= nil then refuse("%s was logged before", name) end
  if type(value) == "number" then
    if value ~= value or value == math.huge or value == -math.huge then
      refuse("%s is %s; a trial records finite numbers, strings and booleans", name, check.show(value))
    end
    return value == 0 and value + 0 or value
  end
  if type(value) == "string" and not utf8.len(value) then
    refuse("%s is %s; expected a string in UTF-8", name, check.show(value))
  end
  if type(value) == "string" or type(value) == "boolean" then return value end
  refuse("%s is %s; expected a number, a string or a boolean", name, check.show(value))
end

function Trial:log(values)
  if type(values) ~= "table" then
    check.fail("trial %d, log: values are %s; expected a table such as { reward = 0.5 }", self.number,
      check.show(values))
  end
  local checked = {}
  for _, name in ipairs(check.sorted_keys(values)) do checked[name] = checked_value(self, name, values[name]) end
  self.owner.log(self, checked)
  for name, value in pairs(checked) do self.logged[name] = value end
end

function Trial:model()
  return self.owner.model(self)
end

function Trial:predictions()
  return self.owner.predictions(self)
end

-- ", reward 0.4812" where that is more than the accuracy.
local function reward_text(self)
  local reward = self.logged.reward or rawget(self, "reward") -- while a search has not logged it yet
  return type(reward) == "number" and reward ~= self.accuracy and (", reward %.6g"):format(reward) or ""
end

function Trial:__tostring()
  local name = self.accuracy and "accuracy" or "loss"
  local outcome = self.status == "ok" and ("%s %.4f%s"):format(name, self[name], reward_text(self)) or self.reason
  return ("trial %d: %s: %s, %s"):format(self.number, self.status, outcome, tostring(self.arch))
end

check.colons("trial", Trial)

return trial
