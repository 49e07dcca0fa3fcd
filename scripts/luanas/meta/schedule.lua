---@meta luanas.schedule
-- luacheck: ignore

--- Learning rate schedules: by what factor an optimiser's rate is multiplied in each step of a training. All take
--- `warmup`: in so many epochs (0 by default, need not be whole) the rate rises in equal steps to its whole size. That
--- multiplies the beginning of the schedule and moves nothing.
---
--- Each function checks its options at once and returns a description: { name = "cosine", ... }.
---@class luanas.schedule
local schedule = {}

--- The rate as it is, after the warm-up.
---@param options? { warmup?: number }
---@return table
function schedule.constant(options) end

--- Drops: after each `every` epochs the rate is multiplied by `factor` (0.1 by default).
---@param options { every: integer, factor?: number, warmup?: number }
---@return table
function schedule.step(options) end

--- decay^epochs: falls a little with each step, by the factor `decay` in an epoch.
---@param options { decay: number, warmup?: number }
---@return table
function schedule.exponential(options) end

--- Half a cosine, from the whole rate at the start to the share `floor` of it (0 by default) after `epochs`, then flat:
--- floor + (1 - floor) (1 + cos(pi epoch / epochs)) / 2 (Loshchilov & Hutter 2017, without restarts). `epochs` counts
--- from the start of the training, warm-up included; without it, those of the training are taken.
---
--- Example:
---
---   local recipe = { epochs = 10, optimizer = nas.sgd { rate = 0.1 }, schedule = nas.schedule.cosine { warmup = 1 } }
---@param options? { epochs?: integer, floor?: number, warmup?: number }
---@return table
function schedule.cosine(options) end

--- The factor of the rate in a step, from 1, of a training with so many steps (batches) in an epoch. A cosine needs its
--- `epochs` here.
---@param schedule table A description.
---@param step integer
---@param steps_per_epoch integer
---@return number
function schedule.factor(schedule, step, steps_per_epoch) end

return schedule
