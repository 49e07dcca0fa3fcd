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
---@param functions table<integer, fun(trial: luanas.Trial): number> By the number of the first trial; 1 must be there.
---@return fun(trial: luanas.Trial): number
function reward.switch(functions) end

return reward
