--- From metrics to rewards, and from rewards to advantages.
local core = require "luanas.core"
local check = require "luanas.check"
local objectives = require "luanas.objectives"
local steps = require "luanas.steps"
local text_table = require "luanas.text_table"

local reward = {}

-- ---- Moving average --------------------------------------------------------------------------------
--
--   average(k) = decay * average(k-1) + (1 - decay) * reward(k)
--
-- Where it begins: at `start`; without a start at the first reward; with bias_correction at 0, and what
-- is read is average(k) / (1 - decay^k), a weighted mean of the rewards seen (Kingma & Ba 2015, sec. 3).

local MovingAverage = { __name = "luanas.MovingAverage" }
MovingAverage.__index = MovingAverage

-- `owner` is who makes use of one, for messages.
function reward.moving_average(decay, options, owner)
  owner = owner or "moving_average"
  check.number(owner, "decay", decay, 0, 1)
  if decay == 1 then check.fail("%s: decay is 1; expected a number from 0 to below 1", owner) end
  options = check.options(owner, options, { "start", "bias_correction", "update_first" })
  check.optional(check.boolean, owner, "bias_correction", options.bias_correction)
  check.optional(check.boolean, owner, "update_first", options.update_first)
  if options.start ~= nil then
    check.number(owner, "start", options.start)
    if options.bias_correction then
      check.fail("%s: start and bias_correction contradict each other; bias correction is for an average that "
        .. "begins at 0", owner)
    end
  end
  return setmetatable({
    decay = decay,
    bias_correction = options.bias_correction or false,
    update_first = options.update_first or false,
    average = options.bias_correction and 0.0 or options.start, -- nil: nothing seen, no start
    decay_power = 1.0, -- decay^count
    count = 0,
  }, MovingAverage)
end

local function check_reward(value)
  if value == nil then
    check.fail("moving_average: reward is nil; expected a finite number (a failed trial has no metrics unless the "
      .. "study says what it counts as: failed = { accuracy = 0.1 })")
  end
  check.number("moving_average", "reward", value)
end

function MovingAverage:value()
  if not self.bias_correction then return self.average end
  return self.count > 0 and self.average / (1 - self.decay_power) or nil
end

function MovingAverage:update(value)
  check_reward(value)
  self.average = self.average and self.decay * self.average + (1 - self.decay) * value or value
  self.decay_power = self.decay_power * self.decay
  self.count = self.count + 1
end

function MovingAverage:advantages(rewards)
  if type(rewards) ~= "table" then
    check.fail("moving_average: rewards are %s; expected a list of numbers", check.show(rewards))
  end
  for i = 1, #rewards do check.number("moving_average", ("rewards[%d]"):format(i), rewards[i]) end
  local before = self:value()
  for i = 1, #rewards do self:update(rewards[i]) end
  local baseline = before
  if self.update_first then baseline = self:value() end
  local advantages = {}
  for i = 1, #rewards do advantages[i] = baseline and rewards[i] - baseline or 0.0 end
  return advantages
end

function MovingAverage:advantage(value)
  check_reward(value)
  return self:advantages({ value })[1]
end

function MovingAverage:__tostring()
  local value = self:value()
  return ("luanas.MovingAverage: decay %s, %s after %s"):format(core.number_text(self.decay),
    value and core.number_text(value) or "nothing", text_table.counted(self.count, "reward"))
end

check.colons("moving_average", MovingAverage)

-- ---- Clipping --------------------------------------------------------------------------------------

local Clip = { __name = "luanas.Clip" }
Clip.__index = Clip

function reward.clip(limit)
  limit = limit or false
  if limit and (type(limit) ~= "number" or limit ~= limit or limit <= 0) then
    check.fail("clip: limit is %s; expected a number above 0, or false for no clipping", check.show(limit))
  end
  return setmetatable({ limit = limit, clipped = 0, count = 0 }, Clip)
end

function Clip:__call(value)
  check.number("clip", "value", value)
  self.count = self.count + 1
  if not self.limit or (value <= self.limit and value >= -self.limit) then return value end
  self.clipped = self.clipped + 1
  return value > 0 and self.limit or -self.limit
end

function Clip:__tostring()
  local limit = self.limit and "+-" .. core.number_text(self.limit) or "off"
  return ("luanas.Clip: %s, clipped %d of %d"):format(limit, self.clipped, self.count)
end

-- ---- Powers ----------------------------------------------------------------------------------------

function reward.power(value, exponent)
  check.number("power", "value", value)
  check.number("power", "exponent", exponent)
  return core.math.pow(value, exponent)
end

-- ---- Changing rewards ------------------------------------------------------------------------------

local Switch = { __name = "luanas.Switch" }
Switch.__index = Switch

function reward.switch(functions)
  if type(functions) ~= "table" then
    check.fail("switch: functions are %s; expected a table such as { [1] = f, [37] = g }", check.show(functions))
  end
  local own = steps.new()
  for _, start in ipairs(check.sorted_keys(functions)) do
    check.integer("switch", "number of a trial", start, 1)
    if not check.is_callable(functions[start]) then
      check.fail("switch: [%d] is %s; expected a function of a trial", start, check.show(functions[start]))
    end
    own:put(start, functions[start])
  end
  if own.starts[1] ~= 1 then check.fail("switch: there is no function for trial 1") end
  return setmetatable({ steps = own }, Switch)
end

local function number_of(trial)
  return check.integer("switch", "trial.number", trial.number, 1)
end

function Switch:__call(trial)
  return check.run(self.steps:at(number_of(trial)), trial)
end

--- Whether another function rewards this trial than the one before it.
function Switch:changes_at(trial)
  return self.steps:changes_at(number_of(trial))
end

--- The trial from which on the function is in force that rewards this one.
function Switch:since(trial)
  return select(3, self.steps:at(number_of(trial)))
end

function Switch:__tostring()
  return "luanas.Switch: at trials " .. table.concat(self.steps.starts, ", ")
end

check.colons("switch", Switch)

-- ---- Several objectives ----------------------------------------------------------------------------

reward.mnas = objectives.mnas
reward.absolute = objectives.absolute

return reward
