-- Rewards of accuracy and cost.
local lu = require "luaunit"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local pow = nas.math.pow

local function trial_with(accuracy, params)
  return { number = 3, status = "ok", metrics = { accuracy = accuracy, params = params }, accuracy = accuracy,
    params = params }
end

-- ---- Rewards ---------------------------------------------------------------------------------------

function T.test_mnas_is_the_papers_product()
  local soft = nas.reward.mnas { cost = "params", target = 1000 }
  local uneven = nas.reward.mnas { cost = "params", target = 1000, alpha = -0.02, beta = -0.5 }
  for _, params in ipairs { 10, 999, 1000, 1001, 123456 } do
    local trial = trial_with(0.8, params)
    lu.assertEquals(soft(trial), 0.8 * pow(params / 1000, -0.07))
    lu.assertEquals(uneven(trial), 0.8 * pow(params / 1000, params <= 1000 and -0.02 or -0.5))
  end
  lu.assertEquals(soft(trial_with(0.8, 1000)), 0.8)
  -- Twice the cost is worth about 5 % more accuracy.
  lu.assertAlmostEquals(soft(trial_with(0.8 * 1.05, 2000)), soft(trial_with(0.8, 1000)), 5e-4)
end

function T.test_hard_constraints()
  local hard = nas.reward.mnas { cost = "params", target = 1000, alpha = 0, beta = -1 }
  lu.assertEquals(hard(trial_with(0.8, 10)), 0.8)
  lu.assertEquals(hard(trial_with(0.8, 1000)), 0.8)
  lu.assertAlmostEquals(hard(trial_with(0.8, 4000)), 0.2, 1e-15)
  local tunas = nas.reward.mnas { cost = "params", target = 1000, alpha = 0 }
  for _, params in ipairs { 10, 1000, 5000 } do
    lu.assertEquals(tunas(trial_with(0.8, params)), 0.8 * math.min(pow(params / 1000, -0.07), 1))
  end
end

function T.test_absolute()
  local reward = nas.reward.absolute { cost = "params", target = 1000 }
  lu.assertEquals(reward(trial_with(0.8, 1000)), 0.8)
  lu.assertAlmostEquals(reward(trial_with(0.8, 1500)), 0.75, 1e-15)
  lu.assertAlmostEquals(reward(trial_with(0.8, 500)), 0.75, 1e-15)
  lu.assertAlmostEquals(reward(trial_with(0.8, 0)), 0.7, 1e-15)
  lu.assertAlmostEquals(nas.reward.absolute { cost = "params", target = 1000, beta = -0.2 }(trial_with(0.8, 1500)), 0.7,
    1e-15)
end

function T.test_cost_and_metric_may_be_functions()
  local reward = nas.reward.mnas {
    cost = function(trial) return trial.params / 1000 end, target = 1,
    metric = function(trial) return trial.accuracy * 2 end,
  }
  lu.assertEquals(reward(trial_with(0.25, 3000)), 0.5 * pow(3, -0.07))
end

function T.test_rewards_tell_their_formula()
  lu.assertEquals(tostring(nas.reward.mnas { cost = "params", target = 5e5 }),
    "luanas.Reward: accuracy * (params / 500000) ^ -0.07")
  lu.assertEquals(tostring(nas.reward.mnas { cost = "macs", target = 10, alpha = 0, beta = -1, metric = "top_k" }),
    "luanas.Reward: top_k * (macs / 10) ^ (0 up to the target, -1 above)")
  lu.assertEquals(tostring(nas.reward.absolute { cost = function() return 1 end, target = 2 }),
    "luanas.Reward: accuracy + -0.1 * |cost / 2 - 1|")
end

function T.test_rewards_in_the_place_of_functions()
  local mnas = nas.reward.mnas { cost = "params", target = 100 }
  local absolute = nas.reward.absolute { cost = "params", target = 100 }
  local switched = nas.reward.switch { [1] = mnas, [3] = absolute }
  local trial = trial_with(0.5, 200)
  lu.assertEquals(switched(trial), absolute(trial))
  trial.number = 2
  lu.assertEquals(switched(trial), mnas(trial))
  lu.assertErrorMsgContains("[1] is a table; expected a function of a trial", nas.reward.switch, { {} })
  local study = spaces.study()
  for arch in nas.space.enumerate(spaces.tiny) do study:evaluate(arch) end
  local ranked = study:rescore(mnas)
  lu.assertEquals(#ranked, 4)
  for _, each in ipairs(ranked) do lu.assertEquals(each.reward, mnas(each.trial)) end
end

-- An error inside a reward that the package calls is at the line that called into the package.
function T.test_errors_of_rewards_point_at_the_script()
  local study = spaces.study()
  study:evaluate(nas.arch "kernel=3{1,3} filters=2{2,4}")
  local reward = nas.reward.switch { [1] = nas.reward.mnas { cost = "parms", target = 100 } }
  local line = debug.getinfo(1, "l").currentline + 1
  local ok, message = pcall(function() return (study:rescore(reward)) end)
  lu.assertFalse(ok)
  lu.assertStrContains(message, ("test_objectives.lua:%d: mnas: trial 1 has no number \"parms\"; it has accuracy, "
    .. "loss, macs, memory, params, seconds, train_accuracy, "):format(line))
end

function T.test_failed_trials_need_costs()
  local reward = nas.reward.mnas { cost = "params", target = 100 }
  local arch = nas.arch "kernel=5{5,3} filters=2{2,3}"
  local failed = spaces.study({ space = spaces.fragile, failed = { accuracy = 0.1 } }):evaluate(arch)
  lu.assertErrorMsgContains("mnas: trial 1 has no number \"params\"; it has accuracy. It failed; the study says what a "
    .. "failed trial counts as: failed = { params = ... }", reward, failed)
  local counted = spaces.study({ space = spaces.fragile, failed = { accuracy = 0.1, params = 200 } }):evaluate(arch)
  lu.assertEquals(reward(counted), 0.1 * pow(2, -0.07))
  local limited = spaces.study({ failed = { accuracy = 0.1 }, limits = { params = 10 } })
    :evaluate(nas.arch "kernel=3{1,3} filters=2{2,4}")
  lu.assertEquals(reward(limited), 0.1 * pow(limited.params / 100, -0.07))
end

function T.test_bad_settings()
  local function fails(message, name, options)
    lu.assertErrorMsgContains(name .. ": " .. message, nas.reward[name], options)
  end
  for _, name in ipairs { "mnas", "absolute" } do
    fails("cost is nil; expected the name of a field, such as \"params\", or a function of a trial", name)
    fails("metric is 3; expected the name", name, { cost = "params", target = 1, metric = 3 })
    fails("target is nil; expected a finite number", name, { cost = "params" })
    fails("target is 0; expected a number above 0", name, { cost = "params", target = 0 })
    fails("beta is 0.07; expected a finite number of at most 0", name, { cost = "params", target = 1, beta = 0.07 })
    fails('unknown option "costs"', name, { costs = "params" })
  end
  fails("alpha is true; expected a finite number", "mnas", { cost = "params", target = 1, alpha = true })
  local reward = nas.reward.mnas { cost = "params", target = 1 }
  lu.assertErrorMsgContains("mnas: params of trial 3 is 0; expected a number above 0", reward, trial_with(0.5, 0))
  lu.assertErrorMsgContains("mnas: trial is 3; expected a trial", reward, 3)
  reward = nas.reward.mnas { cost = function() return "x" end, target = 1 }
  lu.assertErrorMsgContains("mnas: what cost returns is \"x\"; expected a finite number", reward, trial_with(0.5, 1))
end

return T
