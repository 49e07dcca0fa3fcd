--- Descriptions of learning rate schedules: plain tables, checked when they are made.
local core = require "luanas.core"
local check = require "luanas.check"

local schedules = {}

-- `later`: options that may be left out here, because whoever uses the schedule fills them in, with stand-ins.
local function description(name, options, later)
  local known, own = {}, { name = name }
  for _, option in ipairs(core.options().schedules[name]) do known[#known + 1] = option.name end
  for key, value in pairs(check.options(name, options, known)) do own[key] = value end
  local whole = {}
  for key, value in pairs(later or {}) do whole[key] = value end
  for key, value in pairs(own) do whole[key] = value end
  check.core(core.schedule_factor, whole, 1, 1)
  return own
end

function schedules.constant(options)
  return description("constant", options)
end

function schedules.step(options)
  return description("step", options)
end

function schedules.exponential(options)
  return description("exponential", options)
end

function schedules.cosine(options)
  return description("cosine", options, { epochs = 1 })
end

function schedules.factor(schedule, step, steps_per_epoch)
  check.integer("schedule", "step", step, 1)
  check.integer("schedule", "steps_per_epoch", steps_per_epoch, 1)
  return check.core(core.schedule_factor, schedule, step, steps_per_epoch)
end

return schedules
