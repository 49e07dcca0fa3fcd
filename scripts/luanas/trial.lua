--- One trial of a study: an architecture, what its evaluation gave, and what the script logged.
local check = require "luanas.check"

local trial = {}

local Trial = { __name = "luanas.Trial" }

-- Metrics read like fields: trial.accuracy is trial.metrics.accuracy. The epochs of a trial that comes from the store
-- are read when they are asked for.
function Trial:__index(key)
  if Trial[key] ~= nil then return Trial[key] end
  if key == "epochs" then
    self.epochs = rawget(self, "read_epochs")()
    return self.epochs
  end
  return rawget(self, "metrics")[key]
end

--- From the fields number, arch, network, status, reason, recalled, epochs (or a function read_epochs), metrics,
--- measured (a set of metric names), logged; `owner` has functions log(trial, values), which stores what trial:log
--- gets, model(trial) and predictions(trial).
function trial.new(fields, owner)
  fields.logged = fields.logged or {}
  fields.owner = owner
  return setmetatable(fields, Trial)
end

-- The value as it is stored; names, types and NaN are checked.
local function checked_value(self, name, value)
  local owner = ("trial %d, log"):format(self.number)
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    check.fail("%s: name is %s; expected a string of letters, digits and underscores", owner, check.show(name))
  end
  if self.logged[name] ~= nil then check.fail("%s: %s was logged before", owner, name) end
  if type(value) == "number" then
    if value ~= value or value == math.huge or value == -math.huge then
      check.fail("%s: %s is %s; a trial records finite numbers, strings and booleans", owner, name, check.show(value))
    end
    return value == 0 and value + 0 or value
  end
  if type(value) == "string" and not utf8.len(value) then
    check.fail("%s: %s is %s; expected a string in UTF-8", owner, name, check.show(value))
  end
  if type(value) == "string" or type(value) == "boolean" then return value end
  check.fail("%s: %s is %s; expected a number, a string or a boolean", owner, name, check.show(value))
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

function Trial:__tostring()
  local outcome = self.status == "ok" and ("accuracy %.4f"):format(self.accuracy) or self.reason
  return ("trial %d: %s: %s, %s"):format(self.number, self.status, outcome, tostring(self.arch))
end

return trial
