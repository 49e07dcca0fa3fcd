local lu = require "luaunit"
local nas = require "luanas"
local core = require "luanas.core"

local T = {}

local schedule = nas.schedule

local function raises(message, ...)
  lu.assertErrorMsgContains(message, ...)
end

function T.test_descriptions()
  lu.assertEquals(schedule.constant(), { name = "constant" })
  lu.assertEquals(schedule.step { every = 30 }, { name = "step", every = 30 })
  lu.assertEquals(schedule.exponential { decay = 0.97, warmup = 0.5 },
    { name = "exponential", decay = 0.97, warmup = 0.5 })
  lu.assertEquals(schedule.cosine { epochs = 10, floor = 0.1 }, { name = "cosine", epochs = 10, floor = 0.1 })
end

function T.test_every_schedule_has_a_constructor()
  for name in pairs(core.options().schedules) do lu.assertIsFunction(schedule[name]) end
end

-- The recipe knows the number of epochs; nothing else may be missing.
function T.test_a_cosine_may_leave_its_epochs_out()
  lu.assertEquals(schedule.cosine(), { name = "cosine" })
  lu.assertEquals(schedule.cosine { floor = 0.1 }, { name = "cosine", floor = 0.1 })
  raises("cosine: floor is 2; expected a number from 0 to 1", schedule.cosine, { floor = 2 })
  raises("step: every is missing; expected an integer from 1 to 1000000", schedule.step)
  raises("exponential: decay is missing", schedule.exponential, {})
  raises("cosine: epochs is missing", schedule.factor, schedule.cosine(), 1, 1)
end

function T.test_factor()
  local cosine = schedule.cosine { epochs = 4, warmup = 1 }
  local factors = {}
  for step = 1, 9 do factors[step] = schedule.factor(cosine, step, 2) end
  lu.assertEquals(factors[1], 0.5)
  lu.assertEquals(factors[5], 0.5)
  lu.assertEquals(factors[9], 0.0)
  for step = 3, 9 do lu.assertTrue(factors[step] < factors[step - 1]) end
end

function T.test_misuse()
  raises("test_schedules.lua:", function() schedule.constant { warmup = -1 } end)
  raises("constant: warmup is -1; expected a number from 0 to 1000000", schedule.constant, { warmup = -1 })
  raises('constant: unknown option "epochs"; known options: warmup', schedule.constant, { epochs = 1 })
  raises("constant: options are 3; expected a table with warmup", schedule.constant, 3)
  raises("cosine: epochs is 0; expected an integer from 1 to 1000000", schedule.cosine, { epochs = 0 })
  raises("schedule: step is 0; expected an integer of at least 1", schedule.factor, schedule.constant(), 0, 1)
  raises("schedule: steps_per_epoch is nil", schedule.factor, schedule.constant(), 1)
  raises('schedule: unknown schedule "adam"', schedule.factor, nas.adam(), 1, 1)
end

return T
