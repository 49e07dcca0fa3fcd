---@meta luanas.reward
-- luacheck: ignore

--- From metrics to rewards, and from rewards to advantages. NaN and infinity are refused.
---@class luanas.reward
local reward = {}

---@class luanas.reward.MovingAverageOptions
---@field start? number Where the average begins. Default: at the first reward.
---@field bias_correction? boolean The average begins at 0 and is divided by 1 - decay^count when it is read (Kingma &
--- Ba 2015, sec. 3). Contradicts start. Default: false.
---@field update_first? boolean The average takes a reward in before it is subtracted from it. That is decay times the
--- usual advantage: a smaller learning rate, and a clip at c that acts at c / decay. Default: false.

--- An exponential moving average of rewards as a baseline: average = decay * average + (1 - decay) * reward.
---@param decay number 0 (the last reward) to below 1.
---@param options? luanas.reward.MovingAverageOptions
---@return luanas.MovingAverage
function reward.moving_average(decay, options) end

---@class luanas.MovingAverage
---@field decay number
---@field count integer Rewards seen.
local MovingAverage = {}

--- The reward minus the average of the earlier ones; then takes the reward in. 0 where there is no average yet:
--- the first time, without a start.
---@param reward number
---@return number
function MovingAverage:advantage(reward) end

--- The same for a batch that was sampled together: one average for all, then takes them in, in order.
---@param rewards number[]
---@return number[]
function MovingAverage:advantages(rewards) end

--- Takes a reward in without asking for an advantage.
---@param reward number
function MovingAverage:update(reward) end

--- The average, or nil where there is none yet.
---@return number?
function MovingAverage:value() end

--- A function that limits values to +-limit, and counts what it changed.
---@param limit? number|false Above 0; false or nil: off, every value passes as it is.
---@return luanas.Clip
function reward.clip(limit) end

---@class luanas.Clip
---@field limit number|false
---@field clipped integer How many values were changed.
---@field count integer How many values came.
---@overload fun(value: number): number
local Clip = {}

--- value to the power of exponent, with the same bits on every machine; the cube is r * (r * r). As nas.math.pow, but
--- both must be finite.
---@param value number
---@param exponent number
---@return number
function reward.power(value, exponent) end

--- A reward that is another function from some trials on: { [1] = f, [37] = g }. A script that uses it in the place of f
--- follows its stored run up to trial 36 and branches there.
---
--- Example:
---
---   local reward = nas.reward.switch {
---     [1] = function(trial) return trial.accuracy end,
---     [5] = function(trial) return trial.accuracy - 1e-5 * trial.params end,
---   }
---   study:run(nas.agents.reinforce { seed = 1 }, { trials = 8, reward = reward })
---@param functions table<integer, luanas.Reward|fun(trial: luanas.Trial): number> By the number of the first trial; 1 must be there.
---@return luanas.Switch
function reward.switch(functions) end

---@class luanas.Switch
---@overload fun(trial: luanas.Trial): number
local Switch = {}

--- Whether a trial is the first one under another function than before: as of nas.watch.
---@param trial luanas.Trial
---@return boolean
function Switch:changes_at(trial) end

--- The trial from which on the function is in force that rewards a trial.
---@param trial luanas.Trial
---@return integer
function Switch:since(trial) end

---@class luanas.reward.MnasOptions
---@field cost string|fun(trial: luanas.Trial): number A field of the trial, such as "params", "macs" or "memory"; above 0. With "seconds" or "train_seconds", which are measured, no other run has the same rewards.
---@field target number What the cost should be, in its unit; above 0.
---@field alpha? number The exponent where the cost is at most the target. Default: -0.07.
---@field beta? number The exponent where it is above; at most 0. Default: -0.07.
---@field metric? string|fun(trial: luanas.Trial): number What is weighed against the cost; the higher the better. Default: "accuracy".

--- metric * (cost / target) ^ w, w being alpha up to the target and beta above (MnasNet: Tan et al. 2019, equations 2
--- and 3). The defaults are the paper's soft constraint, under which twice the cost is worth 5 % more accuracy. Its
--- hard one is alpha = 0, beta = -1; alpha = 0 alone is mnas_hard of TuNAS, metric * min((cost / target) ^ beta, 1).
---
--- Such a reward raises an error that lists what the trial has where it has no such field: one that failed before its
--- costs were known, unless the study says what it counts as, failed = { accuracy = 0.1, params = 1e6 }.
---
--- Example:
---
---   local reward = nas.reward.mnas { cost = "params", target = 50000 }
---   print(reward(study:evaluate(policy:sample(space))))
---@param options luanas.reward.MnasOptions
---@return luanas.Reward
function reward.mnas(options) end

---@class luanas.reward.AbsoluteOptions
---@field cost string|fun(trial: luanas.Trial): number As for mnas; may be 0.
---@field target number As for mnas.
---@field beta? number At most 0. Default: -0.10.
---@field metric? string|fun(trial: luanas.Trial): number As for mnas.

--- metric + beta * |cost / target - 1| (the absolute reward of TuNAS, Bender et al. 2020): draws the search to networks
--- that cost as much as the target. With the soft product of nas.reward.mnas, cheaper ones are worth still more.
---@param options luanas.reward.AbsoluteOptions
---@return luanas.Reward
function reward.absolute(options) end

---@class luanas.Reward A reward of a trial, where a function of a trial can be; tostring says its formula.
---@field formula string
---@overload fun(trial: luanas.Trial): number
local Reward = {}

return reward
