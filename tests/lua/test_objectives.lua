-- Rewards of accuracy and cost, and Pareto fronts.
local lu = require "luaunit"
local files = require "files"
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
    "luanas.Reward: accuracy - 0.1 * |cost / 2 - 1|")
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

-- ---- Fronts ----------------------------------------------------------------------------------------

-- Trials of so many networks with made-up values; those of every fifth network failed.
local function made_up(stream, count, networks)
  local values, trials = {}, {}
  for network = 1, networks do
    values[network] = { accuracy = stream:integer(6) / 8, params = stream:integer(6), macs = stream:integer(6) }
  end
  for i = 1, count do
    local network = stream:integer(networks)
    local metrics = values[network]
    trials[i] = { number = i, status = network % 5 == 0 and "failed" or "ok", evaluation = network, epoch_count = 2,
      metrics = metrics, accuracy = metrics.accuracy, params = metrics.params, macs = metrics.macs }
  end
  return trials
end

-- The trials that nothing dominates, by comparing all with all.
local function brute_force(trials, signs)
  local front, seen = {}, {}
  for _, trial in ipairs(trials) do
    local is_dominated = trial.status == "failed" or seen[trial.evaluation] or false
    for _, other in ipairs(trials) do
      local at_least, better = other.status == "ok", false
      for name, sign in pairs(signs) do
        at_least = at_least and sign * other[name] >= sign * trial[name]
        better = better or sign * other[name] > sign * trial[name]
      end
      is_dominated = is_dominated or at_least and better
    end
    if not is_dominated then
      front[#front + 1], seen[trial.evaluation] = trial.number, true
    end
  end
  return front
end

local function each(trials)
  local i = 0
  return function()
    i = i + 1
    return trials[i]
  end
end

function T.test_front_against_all_pairs()
  local front_of = require "luanas.objectives".front
  local stream, sizes = nas.stream(1, "test"), {}
  for round = 1, 200 do
    local trials = made_up(stream, 1 + round % 30, 12)
    for _, case in ipairs {
      { { maximize = { "accuracy" }, minimize = { "params" } }, { accuracy = 1, params = -1 } },
      { { maximize = { "accuracy" }, minimize = { "params", "macs" } }, { accuracy = 1, params = -1, macs = -1 } },
      { { minimize = { "params" } }, { params = -1 } },
      { { maximize = { function(trial) return trial.accuracy end, "macs" } }, { accuracy = 1, macs = 1 } },
    } do
      local front, numbers = front_of("front", each(trials), case[1]), {}
      local first = case[1].maximize and "accuracy" or "params"
      for i, trial in ipairs(front) do
        numbers[i] = trial.number
        local before = front[i - 1]
        if before and before[first] == trial[first] then
          lu.assertTrue(before.number < trial.number)
        elseif before then
          lu.assertEquals(before[first] > trial[first], first == "accuracy")
        end
      end
      table.sort(numbers)
      lu.assertEquals(numbers, brute_force(trials, case[2]))
      sizes[#numbers] = true
    end
  end
  lu.assertTrue(sizes[1] and sizes[2] and sizes[5]) -- all kinds came
end

-- A front of n trials was copied n times.
function T.test_a_large_front_takes_little_memory()
  local front_of = require "luanas.objectives".front
  local trials = {}
  for i = 1, 1000 do
    trials[i] = { number = i, status = "ok", evaluation = i, epoch_count = 2, accuracy = i / 1000, params = i }
  end
  collectgarbage()
  collectgarbage "stop"
  local before = collectgarbage "count"
  local front = front_of("front", each(trials), { maximize = { "accuracy" }, minimize = { "params" } })
  local kilobytes = collectgarbage "count" - before
  collectgarbage "restart"
  lu.assertEquals(#front, #trials)
  lu.assertTrue(kilobytes < 1000, kilobytes)
end

function T.test_front_of_a_study_and_of_its_file()
  local objectives = { maximize = { "accuracy" }, minimize = { "params" } }
  local function lines(trials)
    local list = {}
    for i, trial in ipairs(trials) do list[i] = ("%d %s"):format(trial.number, trial.network) end
    return list
  end
  local study <close> = spaces.study { path = files.path }
  lu.assertEquals(study:pareto(objectives), {})
  for _ = 1, 2 do
    for arch in nas.space.enumerate(spaces.tiny) do study:evaluate(arch) end
  end
  local front = study:pareto(objectives)
  lu.assertTrue(#front >= 1)
  for i, trial in ipairs(front) do
    lu.assertTrue(trial.number <= 4)
    lu.assertTrue(i == 1 or front[i - 1].accuracy > trial.accuracy and front[i - 1].params > trial.params)
  end
  lu.assertEquals(front[1].accuracy, study:best(1)[1].accuracy)
  lu.assertEquals(front[#front].params, study:best(1, "params")[1].params)
  study:close()
  local file <close> = nas.open(files.path)
  lu.assertEquals(lines(file:study():pareto(objectives)), lines(front))
end

function T.test_bad_objectives()
  local study = spaces.study()
  local function fails(message, options)
    lu.assertErrorMsgContains("study:pareto: " .. message, study.pareto, study, options)
  end
  fails("there is no objective")
  fails("there is no objective", { maximize = {} })
  fails('unknown option "maximise"; known options: maximize, minimize', { maximise = { "accuracy" } })
  fails('maximize is "accuracy"; expected a list of objectives', { maximize = "accuracy" })
  fails("minimize[1] is 3; expected the name of a field", { minimize = { 3 } })
  fails("minimize[2] is nil; expected the name of a field", { minimize = { "params", nil, "macs" } })
  study:evaluate(nas.arch "kernel=3{1,3} filters=2{2,4}")
  fails('trial 1 has no number "parms"; it has accuracy, loss, ', { minimize = { "parms" } })
end

return files.each_without(T)
