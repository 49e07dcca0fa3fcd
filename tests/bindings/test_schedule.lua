local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

local factor = core.schedule_factor

function tests.test_steps_count_from_1()
  lu.assertEquals(factor({ name = "cosine", epochs = 2 }, 1, 3), 1.0)
  lu.assertEquals(factor({ name = "cosine", epochs = 2 }, 4, 3), 0.5)
  lu.assertEquals(factor({ name = "cosine", epochs = 2 }, 7, 3), 0.0)
  lu.assertEquals(factor({ name = "constant", warmup = 1 }, 1, 4), 0.25)
end

function tests.test_every_kind()
  lu.assertEquals(factor({ name = "step", every = 2, factor = 0.5 }, 5, 2), 0.5)
  lu.assertEquals(factor({ name = "exponential", decay = 0.25 }, 3, 1), 0.0625)
  lu.assertEquals(factor({ name = "cosine", epochs = 1, floor = 0.25 }, 100, 2), 0.25)
  lu.assertEquals(factor({ name = "constant" }, math.maxinteger, math.maxinteger), 1.0)
end

function tests.test_no_name_is_constant()
  lu.assertEquals(factor({}, 9, 2), 1.0)
  lu.assertEquals(factor(nil, 9, 2), 1.0)
  lu.assertEquals(factor({ warmup = 2 }, 1, 2), 0.25)
end

function tests.test_misuse()
  raises('schedule: unknown schedule "linear"; known schedules: constant, step', factor, { name = "linear" }, 1, 1)
  raises("schedule: name is 3; expected a string", factor, { name = 3 }, 1, 1)
  raises("schedule: options are 3; expected a table", factor, 3, 1, 1)
  raises("cosine: epochs is missing; expected an integer from 1 to 1000000", factor, { name = "cosine" }, 1, 1)
  raises("step: every is missing; expected an integer", factor, { name = "step" }, 1, 1)
  raises("exponential: decay is missing; expected a number", factor, { name = "exponential" }, 1, 1)
  raises("exponential: decay is 0; expected a number from 1e-06 to 1.0", factor,
    { name = "exponential", decay = 0 }, 1, 1)
  raises('cosine: unknown option "every"; known options: name, epochs, floor, warmup', factor,
    { name = "cosine", every = 1 }, 1, 1)
  raises("step is 0; expected 1 to", factor, {}, 0, 1)
  raises("steps_per_epoch is 0; expected 1 to", factor, {}, 1, 0)
  raises("bad argument #2", factor, {}, 1.5, 1)
  raises("bad argument #3", factor, {}, 1)
end

return tests
