local check = require "luanas.check"
local lu = require "luaunit"
local nas = require "luanas"

local T = {}

local rewards = { 0.5, 0.7, 0.6, 0.9, 0.4 }

-- Acceptance test f: the baseline at step k uses earlier rewards only.
function T.test_baseline_uses_earlier_rewards_only()
  local baseline = nas.reward.moving_average(0.8)
  local average
  for _, reward in ipairs(rewards) do
    lu.assertEquals(baseline:value(), average)
    lu.assertEquals(baseline:advantage(reward), average and reward - average or 0)
    average = average and 0.8 * average + (1 - 0.8) * reward or reward
  end
  lu.assertEquals(baseline.count, 5)
end

function T.test_later_rewards_change_no_earlier_advantage()
  for k = 1, #rewards do
    local a, b = nas.reward.moving_average(0.8), nas.reward.moving_average(0.8)
    for i = 1, k - 1 do
      a:advantage(rewards[i])
      b:advantage(rewards[i])
    end
    -- The advantage is the reward minus something that does not depend on it.
    lu.assertEquals(a:advantage(0.25) - b:advantage(0.75), k == 1 and 0 or -0.5)
  end
end

function T.test_first_advantage()
  lu.assertEquals(nas.reward.moving_average(0.8):advantage(0.7), 0)
  lu.assertEquals(nas.reward.moving_average(0.8, { bias_correction = true }):advantage(0.7), 0)
  lu.assertEquals(nas.reward.moving_average(0.8, { update_first = true }):advantage(0.7), 0)
  lu.assertEquals(nas.reward.moving_average(0.8, { start = 0 }):advantage(0.7), 0.7)
  lu.assertEquals(nas.reward.moving_average(0.8, { start = 0.5 }):advantage(0.75), 0.25)
end

function T.test_bias_correction_is_the_weighted_mean_of_the_rewards_seen()
  local baseline = nas.reward.moving_average(0.8, { bias_correction = true })
  for k = 1, #rewards do
    baseline:update(rewards[k])
    local sum, weights, weight = 0, 0, 1
    for i = k, 1, -1 do
      sum, weights, weight = sum + weight * rewards[i], weights + weight, weight * 0.8
    end
    lu.assertAlmostEquals(baseline:value(), sum / weights, 1e-14)
  end
end

-- ALGORITHMS: updating first gives decay * (R - b).
function T.test_update_first_scales_by_decay()
  local before = nas.reward.moving_average(0.8, { start = 0.3 })
  local first = nas.reward.moving_average(0.8, { start = 0.3, update_first = true })
  for _, reward in ipairs(rewards) do
    lu.assertAlmostEquals(first:advantage(reward), 0.8 * before:advantage(reward), 1e-15)
  end
end

function T.test_update_first_with_bias_correction()
  local before = nas.reward.moving_average(0.8, { bias_correction = true })
  local first = nas.reward.moving_average(0.8, { bias_correction = true, update_first = true })
  local power = 1 -- 0.8^(t-1)
  for t, reward in ipairs(rewards) do
    local scale = 0.8 * (1 - power) / (1 - 0.8 * power)
    if t == 1 then lu.assertEquals(scale, 0) end
    lu.assertAlmostEquals(first:advantage(reward), scale * before:advantage(reward), 1e-15)
    power = power * 0.8
  end
end

function T.test_one_baseline_for_a_batch()
  local batch, single = nas.reward.moving_average(0.8, { start = 0.5 }), nas.reward.moving_average(0.8, { start = 0.5 })
  local advantages = batch:advantages(rewards)
  for i, reward in ipairs(rewards) do
    lu.assertEquals(advantages[i], reward - 0.5)
    single:advantage(reward)
  end
  lu.assertEquals(batch:value(), single:value())
  lu.assertEquals(nas.reward.moving_average(0.8):advantages { 0.1, 0.9 }, { 0, 0 })
end

function T.test_a_refused_reward_changes_nothing()
  local baseline = nas.reward.moving_average(0.8, { start = 0.5 })
  lu.assertErrorMsgContains("reward is NaN", baseline.advantage, baseline, 0 / 0)
  lu.assertErrorMsgContains("reward is nil", baseline.advantage, baseline, nil)
  lu.assertErrorMsgContains("rewards[2] is inf", baseline.advantages, baseline, { 0.1, math.huge })
  lu.assertEquals(baseline:value(), 0.5)
  lu.assertEquals(baseline.count, 0)
end

function T.test_bad_settings()
  local average = nas.reward.moving_average
  lu.assertErrorMsgContains("decay is 1;", average, 1)
  lu.assertErrorMsgContains("decay is -0.1; expected a finite number from 0 to 1", average, -0.1)
  lu.assertErrorMsgContains('decay is "0.8"', average, "0.8")
  lu.assertErrorMsgContains("known options: bias_correction, start, update_first", average, 0.8, { begin = 1 })
  lu.assertErrorMsgContains("contradict", average, 0.8, { start = 0, bias_correction = true })
  lu.assertErrorMsgContains("update_first is 1; expected true or false", average, 0.8, { update_first = 1 })
end

-- Acceptance test i: off means off.
function T.test_clip_off_is_off()
  for _, clip in ipairs { nas.reward.clip(), nas.reward.clip(false), nas.reward.clip(math.huge) } do
    for _, value in ipairs { -1e300, -0.2, 0, 1e-9, 5 } do lu.assertEquals(clip(value), value) end
    lu.assertEquals(clip.clipped, 0)
    lu.assertEquals(clip.count, 5)
  end
end

function T.test_clip_counts_what_it_changed()
  for _, limit in ipairs { 0.1, 0.05 } do
    local clip = nas.reward.clip(limit)
    lu.assertEquals(clip(0.5), limit)
    lu.assertEquals(clip(-0.5), -limit)
    lu.assertEquals(clip(limit), limit)
    lu.assertEquals(clip(-limit), -limit)
    lu.assertEquals(clip(0.01), 0.01)
    lu.assertEquals(clip.clipped, 2)
    lu.assertEquals(clip.count, 5)
    lu.assertStrContains(tostring(clip), "clipped 2 of 5")
  end
  lu.assertErrorMsgContains("limit is 0; expected a number above 0, or false", nas.reward.clip, 0)
  lu.assertErrorMsgContains("value is NaN", nas.reward.clip(0.1), 0 / 0)
end

function T.test_power()
  for i = 0, 5000 do
    local r = i / 5000
    lu.assertEquals(nas.reward.power(r, 3), r * r * r)
  end
  lu.assertEquals(nas.reward.power(0.3, 1), 0.3)
  lu.assertEquals(nas.reward.power(0.5, 2.5), nas.math.pow(0.5, 2.5))
  lu.assertEquals(nas.reward.power(0.5, -1), 2)
end

function T.test_a_switch_is_called_with_a_colon()
  local switch = nas.reward.switch { function() return 1 end }
  lu.assertErrorMsgContains("switch:changes_at is called with a dot", switch.changes_at, { number = 1 })
  lu.assertFalse(switch:changes_at { number = 1 })
end

-- Its line has left the stack: a function's begins where it does, a file has none.
function T.test_an_error_in_a_tail_call_tells_where_it_may_be()
  local chunk = load("return require 'luanas'.reward.power(nil, 3)", "@own.lua")
  lu.assertErrorMsgEquals("own.lua: in what the file returns: power: value is nil; expected a finite number", check.run,
    chunk)
  chunk = load("\nreturn function(trial)\n  return require 'luanas'.reward.power(trial.acc, 3)\nend", "@own.lua")
  lu.assertErrorMsgEquals("own.lua:2: in what the function that begins here returns: power: value is nil; expected a "
    .. "finite number", check.run, chunk(), {})
  local callable = setmetatable({}, { __call = function(_, trial)
    return nas.reward.power(trial.acc, 3)
  end })
  lu.assertErrorMsgContains(": in what the function that begins here returns: power: ", check.run, callable, {})
end

return T
