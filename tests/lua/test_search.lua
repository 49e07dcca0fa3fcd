-- The loop of a search: budgets, rewards, what is learned from and logged, and bad agents.
local lu = require "luaunit"
local core = require "luanas.core"
local files = require "files"
local nas = require "luanas"
local nn = nas.nn
local search = require "luanas.search"
local spaces = require "spaces"

local T = {}

local path, remove, query = files.path, files.remove, files.query
local trainings = files.trainings

local a, b, c, d = table.unpack(spaces.all(spaces.tiny))

-- An agent that proposes these lists, one after the other, and notes the numbers of the trials that it learns from.
local function scripted(lists)
  local agent, i = { learned = {} }, 0
  function agent.propose()
    i = i + 1
    return lists[i]
  end
  function agent.learn(_, trials)
    for _, trial in ipairs(trials) do table.insert(agent.learned, trial.number) end
  end
  return agent
end

-- Proposes these architectures one by one.
local function one_by_one(list)
  local lists = {}
  for i, each in ipairs(list) do lists[i] = { each } end
  return scripted(lists)
end

local function spent(found)
  return ("%d trials, %d trainings, %d epochs, ended by %s"):format(found.trials, found.trainings, found.epochs,
    found.ended)
end

-- ---- Budgets ---------------------------------------------------------------------------------------

function T.test_trials()
  local study = spaces.study()
  local agent = one_by_one { a, b, c, d }
  local found = study:run(agent, { trials = 3 })
  lu.assertEquals(spent(found), "3 trials, 3 trainings, 6 epochs, ended by trials")
  lu.assertEquals(agent.learned, { 1, 2, 3 })
  lu.assertEquals(#study:trials(), 3)
  lu.assertEquals(study.expected, 3)
  lu.assertEquals(spent(study:run(agent, { trials = 3 })), "1 trials, 1 trainings, 2 epochs, ended by the agent")
end

function T.test_an_agent_that_ends()
  lu.assertEquals(spent(spaces.study():run(nas.agents.enumerate())),
    "4 trials, 4 trainings, 8 epochs, ended by the agent")
  for _, last in ipairs { false, {} } do
    local agent = scripted { { a }, last or nil }
    agent.ends = true
    lu.assertEquals(spent(spaces.study():run(agent)), "1 trials, 1 trainings, 2 epochs, ended by the agent")
  end
end

function T.test_networks_that_come_again_are_not_paid_for()
  local found = spaces.study():run(one_by_one { a, a, b, a, c }, { trainings = 2 })
  lu.assertEquals(spent(found), "3 trials, 2 trainings, 4 epochs, ended by trainings")
end

function T.test_of_extended_networks_the_further_epochs_are_paid_for()
  local list = {
    { a, epochs = 1 }, { a, epochs = 4 }, { a, epochs = 2 }, { b, epochs = 3 }, { a, epochs = 4 }, { a, epochs = 5 },
  }
  lu.assertEquals(spent(spaces.study():run(one_by_one(list), { trials = 6 })),
    "6 trials, 4 trainings, 8 epochs, ended by trials")
  lu.assertEquals(spent(spaces.study():run(one_by_one(list), { epochs = 4 })),
    "2 trials, 2 trainings, 4 epochs, ended by epochs")
  lu.assertEquals(spent(spaces.study():run(one_by_one(list), { epochs = 5 })),
    "4 trials, 3 trainings, 7 epochs, ended by epochs")
end

-- A search can afford the same whatever is stored.
function T.test_what_others_have_trained_is_paid_for()
  local store = spaces.study()
  for _, each in ipairs { a, b, c, d } do store:evaluate(each, { epochs = 5 }) end
  local found
  lu.assertEquals(trainings(function()
    found = spaces.study({ store = store.store }):run(one_by_one { a, { b, epochs = 3 }, { b, epochs = 5 }, c },
      { epochs = 6 })
  end), 0)
  lu.assertEquals(spent(found), "3 trials, 3 trainings, 7 epochs, ended by epochs")
  lu.assertTrue(found.seconds > 0)
end

function T.test_seconds()
  local study = spaces.study()
  local found = study:run(one_by_one { { a, epochs = 1 }, { a, epochs = 2 }, b }, { seconds = 1e-9 })
  lu.assertEquals(spent(found), "1 trials, 1 trainings, 1 epochs, ended by seconds")
  lu.assertEquals(found.seconds, study:trials()[1].seconds)
  found = study:run(one_by_one { { a, epochs = 1 }, { a, epochs = 2 }, { a, epochs = 1 } }, { trials = 3 })
  lu.assertAlmostEquals(found.seconds, study:trials()[3].seconds, 1e-12)
end

-- Networks that fail while they are trained take time, too.
function T.test_failed_trainings_are_paid_for()
  local study = spaces.study { limits = { seconds = 0 } }
  local found = study:run(nas.agents.enumerate())
  local seconds = 0.0
  for _, trial in ipairs(study:trials()) do
    lu.assertEquals({ trial.status, #trial.epochs }, { "failed", 1 })
    seconds = seconds + trial.epochs[1].seconds
  end
  lu.assertEquals(spent(found), "4 trials, 4 trainings, 4 epochs, ended by the agent")
  lu.assertEquals(found.seconds, seconds)
end

function T.test_the_limit_that_is_reached_first_ends_it()
  lu.assertEquals(spaces.study():run(one_by_one { a, b, c }, { trials = 3, epochs = 4 }).ended, "epochs")
  lu.assertEquals(spaces.study():run(one_by_one { a, b, c }, { trials = 1, epochs = 4, trainings = 2 }).ended, "trials")
end

function T.test_a_budget_of_nothing()
  for _, name in ipairs { "epochs", "seconds", "trainings", "trials" } do
    local agent = { propose = function() error "not to be asked" end }
    lu.assertEquals(spent(spaces.study():run(agent, { [name] = 0 })),
      "0 trials, 0 trainings, 0 epochs, ended by " .. name)
  end
end

local function by_function(agent, options, f)
  options.reward = "reward"
  return search.run("test", agent, options, search.by_function(spaces.tiny, f or function() return 1 end))
end

function T.test_a_search_that_finds_nothing_new_ends()
  local agent = { propose = function() return { a, b } end }
  lu.assertEquals(spent(by_function(agent, { trainings = 3 })),
    "1002 trials, 2 trainings, 2 epochs, ended by nothing new")
  lu.assertEquals(by_function(agent, { trials = 1500 }).ended, "trials")
end

function T.test_there_must_be_a_budget()
  for _, options in ipairs { false, {}, { reward = "params" } } do
    lu.assertErrorMsgContains("study:run: there is no budget; expected at least one of epochs, seconds, trainings, "
      .. "trials", function() spaces.study():run(one_by_one { a }, options or nil) end)
  end
end

function T.test_bad_options()
  local study = spaces.study()
  local function refused(text, options)
    lu.assertErrorMsgContains("study:run: " .. text, study.run, study, one_by_one { a }, options)
  end
  refused("options are 3; expected a table with epochs, restart_baseline, reward, seconds, trainings, trials, "
    .. "workers", 3)
  refused('unknown option "trial"; known options: epochs', { trial = 3 })
  refused("trials is -1; expected an integer of at least 0", { trials = -1 })
  refused('epochs is "5"', { epochs = "5" })
  refused("trainings is 1.5", { trainings = 1.5 })
  refused("seconds is NaN; expected a finite number of at least 0", { seconds = 0 / 0 })
  refused("workers is 0; expected an integer from 1 to 256", { trials = 1, workers = 0 })
  refused("workers need a study with a path", { trials = 1, workers = 2 })
  refused("reward is 3; expected a function of a trial, or the name of a metric", { trials = 1, reward = 3 })
  refused("reward is a table; expected a function", { trials = 1, reward = {} })
  lu.assertEquals(#study:trials(), 0)
end

-- ---- Lists that a budget cuts short ----------------------------------------------------------------

function T.test_a_list_that_is_cut_is_not_learned_from()
  local agent = scripted { { a, b, c }, { d, a, b }, { c } }
  local study = spaces.study()
  lu.assertEquals(study:run(agent, { trials = 5 }).trials, 5)
  lu.assertEquals(agent.learned, { 1, 2, 3 })
  for _, trial in ipairs(study:trials()) do lu.assertEquals(trial.logged.reward, trial.accuracy) end
end

function T.test_a_search_of_batches_that_was_ended_goes_on()
  local function run(trials)
    local study <close> = spaces.study { path = path }
    study:run(nas.agents.reinforce { batch = 4, policy = { rate = 0.05 } }, { trials = trials })
    return study:fingerprint()
  end
  local whole = run(10)
  for _, before in ipairs { 3, 4, 6, 8, 9 } do
    remove()
    run(before)
    lu.assertEquals(run(10), whole)
    lu.assertEquals(query "SELECT count(*) AS n FROM run", { { n = 1 } })
  end
end

-- In a file, lists are trained ahead of their trials: but no more than the budget pays for.
-- Who looks at the file of a search that has ended sees all of it.
function T.test_all_is_written_when_a_search_ends()
  local study <close> = spaces.study { path = path }
  local function rewarded()
    return #query "SELECT * FROM trial WHERE logged->>'reward' IS NOT NULL"
  end
  study:run(one_by_one { a, a, a }, { trials = 3 })
  lu.assertEquals(rewarded(), 3)
  local agent = one_by_one { a, a }
  local learn = agent.learn
  function agent.learn(...)
    if study.number == 5 then error "my own" end
    return learn(...)
  end
  lu.assertErrorMsgContains("my own", study.run, study, agent, { trials = 2 })
  lu.assertEquals({ rewarded(), #query "SELECT * FROM trial" }, { 4, 5 })
  lu.assertErrorMsgEquals("interrupted!", study.run, study, one_by_one { a, a }, { trials = 2, reward = function(trial)
    if trial.number == 7 then error("interrupted!", 0) end
    return 1
  end })
  lu.assertEquals({ rewarded(), #query "SELECT * FROM trial" }, { 5, 7 })
end

function T.test_what_the_budget_does_not_pay_for_is_not_trained()
  local lists = { { a, { b, epochs = 2 }, { c, epochs = 3 }, d } }
  for _, case in ipairs {
    { { trials = 3 }, 3 }, { { trainings = 1 }, 1 }, { { epochs = 3 }, 2 }, { { epochs = 4 }, 2 },
    { { epochs = 5 }, 3 }, { { epochs = 100, trainings = 2 }, 2 }, { { trials = 9 }, 4 },
  } do
    remove()
    local study <close> = spaces.study { path = path }
    local found
    lu.assertEquals(trainings(function() found = study:run(scripted(lists), case[1]) end), case[2])
    lu.assertEquals(found.trials, case[2])
  end
end

-- ---- Rewards ---------------------------------------------------------------------------------------

local function fragile(options)
  options = options or {}
  options.space = spaces.fragile
  return spaces.study(options)
end

function T.test_rewards()
  local study = spaces.study()
  local function reward(wish)
    local seen
    local agent = scripted { { a } }
    function agent.learn(_, trials) seen = trials[1].reward end
    local found = study:run(agent, { trials = 1, reward = wish })
    lu.assertEquals(found.best.reward, seen)
    lu.assertEquals(found.best.logged.reward, seen)
    return seen
  end
  local trial = study:evaluate(a)
  lu.assertEquals(reward(nil), trial.accuracy)
  lu.assertEquals(reward "params", trial.params)
  lu.assertEquals(reward(function(of) return -of.loss end), -trial.loss)
  local weighed = nas.reward.absolute { cost = "params", target = 10 }
  lu.assertEquals(reward(weighed), weighed(trial))
end

-- A study of values, the first of whose two networks is above the limit.
local function study_of_values(failed)
  local x, y = core.tensor({ 20, 2 }, "float32"), core.tensor({ 20, 1 }, "float32")
  for i = 1, 20 do x[i][1], y[i][1] = i % 7, i % 5 end
  return spaces.study {
    space = function(chooser)
      return nn.dense(nn.dense(nn.input { 2 }, { units = chooser:choose("units", { 9, 2 }) }), { units = 1 })
    end,
    data = nas.data.tensors { x = x, y = y }, train = { epochs = 1, loss = "mean_squared_error" },
    limits = { params = 20 }, failed = failed,
  }
end

function T.test_the_reward_of_values()
  local best = study_of_values():run(nas.agents.enumerate()).best
  lu.assertEquals(best.reward, -best.mean_absolute_error)
end

-- By what the data are, not by which metrics a trial has.
function T.test_the_reward_of_values_where_trials_fail()
  local study = study_of_values { mean_absolute_error = 9 }
  study:run(nas.agents.enumerate())
  lu.assertEquals(study:trials()[1].logged, { reward = -9 })
  study = study_of_values { accuracy = 0.1 }
  lu.assertErrorMsgContains('trial 1: reward is the metric "mean_absolute_error", which it does not have as a number; '
    .. "it has: accuracy, macs, memory, params. It failed; the study says what a failed trial counts as: failed = { "
    .. "mean_absolute_error = ... }", study.run, study, nas.agents.enumerate())
  local classes = fragile { failed = { accuracy = 0.1, mean_absolute_error = 9 } }
  classes:run(nas.agents.enumerate())
  lu.assertEquals(classes:trials()[1].logged, { reward = 0.1 })
end

function T.test_errors_are_no_rewards()
  local study = spaces.study()
  for _, name in ipairs { "loss", "mean_absolute_error", "train_loss", "train_mean_absolute_error" } do
    lu.assertErrorMsgContains(('study:run: reward is "%s", of which less is better; expected function(trial) return '
      .. "-trial.%s end, or a metric of which more is better"):format(name, name), study.run, study, one_by_one { a },
      { trials = 1, reward = name })
  end
  lu.assertEquals(#study:trials(), 0)
end

function T.test_the_best_is_the_first_with_the_highest_reward()
  local values = { 1, 3, 2, 3 }
  local found = spaces.study():run(one_by_one { a, b, c, d }, {
    trials = 4, reward = function(trial) return values[trial.number] end,
  })
  lu.assertEquals(found.best.number, 2)
end

-- Rewards of different functions can't be compared.
function T.test_the_best_is_that_of_the_last_reward()
  local study = spaces.study { limits = { params = 60 } } -- which d exceeds
  local function best_of(list, functions)
    local first = study.number
    local moved = {}
    for start, value in pairs(functions) do
      moved[start == 1 and 1 or first + start] = function() return value end
    end
    local best = study:run(one_by_one(list), { trials = #list, reward = nas.reward.switch(moved) }).best
    return best and best.number - first
  end
  lu.assertEquals(best_of({ a, b, c }, { [1] = 9, [2] = 1 }), 2)
  lu.assertEquals(best_of({ a, b, c }, { [1] = 9, [9] = 1 }), 1)
  lu.assertEquals(best_of({ a, d, c }, { [1] = 9, [2] = 1 }), 3)
  lu.assertEquals(best_of({ a, b, d }, { [1] = 9, [3] = 1 }), 1) -- it has rewarded nothing yet
end

function T.test_a_metric_that_is_not_there()
  local study = spaces.study()
  for _, name in ipairs { "accurcy", "per_class" } do
    lu.assertErrorMsgContains(("reward is the metric %q, which it does not have as a number; it has: accuracy, loss, "
      .. "macs, memory, params, seconds, train_accuracy, train_loss, train_seconds"):format(name), study.run, study,
      one_by_one { a }, { trials = 1, reward = name })
  end
end

-- A number of a trial, the file and the line of the function, what it gave, and (where that tells more) what there is.
function T.test_bad_rewards()
  local study, count = spaces.study(), 0
  local function refused(text, reward)
    count = count + 1
    local line = type(reward) == "function" and debug.getinfo(reward, "S").linedefined
    local whole = ("trial %d: the reward, the function at .*test_search.lua:%s, %s.*"):format(count, line, text)
    local ok, message = pcall(study.run, study, one_by_one { a }, { trials = 1, reward = reward })
    lu.assertFalse(ok)
    lu.assertStrMatches(message, ".*" .. whole)
    lu.assertEquals(#study:trials(), count)
    lu.assertEquals(study:trials()[count].logged, {})
  end
  local there = "metrics of the trial: accuracy, loss, macs, .*"
  refused("returned nil; expected a finite number; " .. there, function() end)
  refused("returned NaN; expected a finite number", function() return 0 / 0 end)
  refused("returned inf; expected a finite number", function() return math.huge end)
  refused('returned "0.5"; expected a finite number', function() return "0.5" end)
  refused("returned a table; expected a finite number", function() return {} end)
  refused("raised: .*test_search.lua:%d+: attempt to perform arithmetic on a nil value %(field 'accurcy'%); "
    .. there, function(trial) return 2 * trial.accurcy end)
  refused("raised: .*test_search.lua:%d+: my own; " .. there, function() error "my own" end)
  refused("returned nil; .*; put it right and run the script again to go on", function() end)
  lu.assertEquals(study:run(one_by_one { a, b }, { trials = 2 }).trials, 2)
  lu.assertErrorMsgContains('the reward, luanas.Reward: accuracy * (parms / 3) ^ -0.07, raised: ', study.run, study,
    one_by_one { a }, { trials = 1, reward = nas.reward.mnas { cost = "parms", target = 3 } })
  lu.assertErrorMsgContains("the reward, luanas.Switch: at trials 1, returned nil", study.run, study, one_by_one { a },
    { trials = 1, reward = nas.reward.switch { function() end } })
end

function T.test_errors_that_are_no_text_pass_through()
  local own = {}
  local study = spaces.study()
  local ok, problem = pcall(study.run, study, one_by_one { a }, { trials = 1, reward = function() error(own) end })
  lu.assertFalse(ok)
  lu.assertIs(problem, own)
end

-- A script whose reward is mended goes on where it was.
function T.test_a_search_goes_on_after_a_bad_reward()
  local function run(is_bad)
    local study <close> = spaces.study { path = path }
    study:run(nas.agents.reinforce { policy = { rate = 0.05 } }, { trials = 6, reward = function(trial)
      if is_bad and trial.number == 4 then return nil end
      return trial.accuracy
    end })
    return study:fingerprint()
  end
  local whole = run(false)
  remove()
  lu.assertErrorMsgContains("trial 4: the reward, ", run, true)
  lu.assertEquals(query "SELECT count(*) AS n FROM trial", { { n = 4 } })
  lu.assertEquals(run(false), whole)
  lu.assertEquals(query "SELECT count(*) AS n FROM run", { { n = 1 } })
end

-- ---- Failed trials ---------------------------------------------------------------------------------

function T.test_failed_trials_have_no_reward()
  local rewards = {}
  local agent = nas.agents.enumerate { batch = 4 }
  function agent.learn(_, trials)
    for i, trial in ipairs(trials) do rewards[i] = trial.reward or trial.status end
  end
  local study = fragile()
  local found = study:run(agent, { reward = function(trial) return trial.params end })
  lu.assertEquals(spent(found), "4 trials, 2 trainings, 4 epochs, ended by the agent")
  local trials = study:trials()
  lu.assertEquals(rewards, { "failed", "failed", trials[3].params, trials[4].params })
  lu.assertEquals(trials[1].logged, {})
  lu.assertEquals(found.best.number, 4)
end

function T.test_nothing_is_best_where_all_fail()
  local study = spaces.study { limits = { params = 1 } }
  lu.assertNil(study:run(nas.agents.enumerate()).best)
  lu.assertEquals(study:trials()[4].logged, {})
end

function T.test_failed_trials_that_count_as_something()
  local found = fragile({ failed = { accuracy = -1 } }):run(nas.agents.enumerate())
  lu.assertEquals(found.trials, 4)
  local study = fragile { failed = { accuracy = -1 } }
  study:run(nas.agents.enumerate())
  lu.assertEquals(study:trials()[1].logged, { reward = -1 })
  local text = 'trial 1: reward is the metric "accuracy", which it does not have as a number; it has: loss. It failed; '
    .. "the study says what a failed trial counts as: failed = { accuracy = 0.1 }"
  local other = fragile { failed = { loss = 9 } }
  lu.assertErrorMsgContains(text, other.run, other, nas.agents.enumerate())
  lu.assertErrorMsgContains("metrics of the trial: loss. It failed", other.run, other, nas.agents.enumerate(),
    { reward = function(trial) return 2 * trial.accuracy end })
end

-- ---- Logging ---------------------------------------------------------------------------------------

function T.test_what_an_agent_returns_is_logged()
  local agent = scripted { { a, b, c }, { d } }
  local count = 0
  function agent.learn(_, trials)
    count = count + 1
    if count == 1 then return { { loss = 1, note = "x" }, nil, { reward = trials[3].reward } } end
  end
  local study = spaces.study()
  study:run(agent, { trials = 4, reward = "params" })
  local trials = study:trials()
  lu.assertEquals(trials[1].logged, { reward = trials[1].params, loss = 1, note = "x" })
  for i = 2, 4 do lu.assertEquals(trials[i].logged, { reward = trials[i].params }) end
end

function T.test_an_agent_that_does_not_learn()
  local study = spaces.study()
  study:run({ propose = function() return { a } end }, { trials = 2 })
  lu.assertEquals(study:trials()[2].logged, { reward = study:trials()[2].accuracy })
end

-- ---- Bad agents ------------------------------------------------------------------------------------

function T.test_no_agents()
  local study = spaces.study()
  local function refused(text, agent)
    lu.assertErrorMsgContains("study:run: the agent is " .. text .. "; expected what nas.agents.reinforce {...} and "
      .. "its like return, or a table with functions propose(self, space) and learn(self, trials)", study.run, study,
      agent, { trials = 1 })
  end
  refused "nil"
  refused('"reinforce"', "reinforce")
  refused("a function", nas.agents.reinforce)
  refused("a table", {})
  refused("a luanas.Random", nas.random())
  refused("a table", { propose = function() end, learn = 3 })
  lu.assertErrorMsgContains("study:run: the agent is a table; expected what nas.agents", study.run, study,
    { trials = 1 }, nas.agents.random_search())
end

function T.test_bad_proposals()
  local study = spaces.study()
  local function refused(text, proposals)
    lu.assertErrorMsgContains("study:run: " .. text, study.run, study, scripted { proposals }, { trials = 1 })
  end
  refused("the agent proposed 3; expected a list of architectures", 3)
  refused("the agent proposed one architecture; expected a list of architectures", a)
  refused('the agent proposed a table with "epochs"; expected a list of architectures, or of { architecture, epochs = '
    .. "n }", { a, epochs = 3 })
  refused('the agent proposed a table with "x"', { x = a })
  refused("the agent proposed a table with 3", { [3] = a })
  refused("proposal 1 is 3; expected an architecture", { 3 })
  refused("proposal 2 is nil; expected an architecture", { a, nil, c })
  refused("proposal 2 is nil; expected an architecture", { a, {} })
  refused('proposal 2: unknown option "epoch"; known options: epochs', { a, { b, epoch = 3 } })
  refused("proposal 1, epochs is 0; expected an integer from 1 to 1000000", { { a, epochs = 0 } })
  lu.assertEquals(#study:trials(), 0)
  lu.assertErrorMsgContains("my own", study.run, study, { propose = function() error "my own" end }, { trials = 1 })
  lu.assertErrorMsgContains("the space asks for kernel", study.run, study, one_by_one { nas.arch "x=1{1,2}" },
    { trials = 1 })
end

function T.test_bad_results_of_learn()
  local study = spaces.study()
  local function refused(text, result)
    local agent = scripted { { a } }
    function agent.learn() return result end
    lu.assertErrorMsgContains(text, study.run, study, agent, { trials = 1 })
  end
  local expected = "; expected nil or a list with a table of values to log for each trial"
  refused("study:run: agent:learn returned 3" .. expected, 3)
  refused("study:run: agent:learn returned a list whose element 1 is 3" .. expected, { 3 })
  refused('study:run: agent:learn returned a table with "loss"' .. expected, { loss = 1 })
  refused('study:run: agent:learn returned a table with "loss"' .. expected, { {}, loss = 1 })
  refused("study:run: agent:learn returned a table with 9" .. expected, { {}, [9] = {} })
  refused("study:run: agent:learn returned the reward -5 to log for trial", { { reward = -5 } })
  refused("log: loss is NaN", { { loss = 0 / 0 } })
  refused('log: name is "a b"', { { ["a b"] = 1 } })
  local agent = scripted { { a } }
  function agent.learn() error "my own" end
  lu.assertErrorMsgContains("my own", study.run, study, agent, { trials = 1 })
  lu.assertEquals(study:run(one_by_one { a }, { trials = 1 }).trials, 1)
end

-- ---- Ctrl-C ----------------------------------------------------------------------------------------

function T.test_ctrl_c_in_a_training()
  local study = spaces.study()
  local printed = {}
  local original = io.stdout
  io.stdout = files.stream(printed) -- luacheck: ignore 122
  local ok, problem = pcall(files.with, core, "trainer", function() error("interrupted!", 0) end, function()
    study:run(one_by_one { b }, { trials = 1 })
  end)
  io.stdout = original -- luacheck: ignore 122
  lu.assertFalse(ok)
  lu.assertEquals(problem, "interrupted!")
  lu.assertEquals(#study:trials(), 0)
  lu.assertEquals(study:run(one_by_one { b }, { trials = 1 }).trials, 1) -- the session goes on
end

function T.test_ctrl_c_in_a_reward_is_not_a_bad_reward()
  local study = spaces.study()
  lu.assertErrorMsgEquals("interrupted!", study.run, study, one_by_one { a }, {
    trials = 1, reward = function() error("interrupted!", 0) end,
  })
end

function T.test_other_errors_than_those_of_ctrl_c()
  local study = spaces.study()
  local function raised(message)
    local options = { trials = 1, reward = function() error(message, 0) end }
    return select(2, pcall(study.run, study, one_by_one { a }, options))
  end
  for _, message in ipairs {
    "interrupted", "training was interrupted in epoch 2", "model:predict: evaluation was interrupted",
    "x.lua:1: the gradients were interrupted", "x.lua:1: interrupted!\nstack traceback:\n\t[C]: in ?",
  } do
    lu.assertEquals(raised(message), message)
  end
  for _, message in ipairs { "a measurement was interrupted", "interrupted by a colleague", "not interrupted" } do
    lu.assertStrContains(raised(message), "raised: " .. message)
  end
end

-- ---- Known rewards ---------------------------------------------------------------------------------

function T.test_searches_by_a_function()
  local asked, seen = {}, {}
  local agent = scripted { { a, { b, epochs = 3 } }, { { b, epochs = 5 } } }
  function agent.learn(_, trials)
    for _, trial in ipairs(trials) do seen[#seen + 1] = trial end
  end
  local found = by_function(agent, { trials = 3 }, function(arch, epochs)
    asked[#asked + 1] = { arch, epochs }
    if epochs == 3 then return nil, "fails" end
    return epochs and 7 or 5
  end)
  lu.assertEquals(asked, { { a }, { b, 3 }, { b, 5 } })
  lu.assertEquals(spent(found), "3 trials, 3 trainings, 6 epochs, ended by trials")
  lu.assertEquals({ seen[1].reward, seen[2].status, seen[2].reason, seen[3].reward }, { 5, "failed", "fails", 7 })
  lu.assertEquals(found.best.number, 3)
end

function T.test_known_rewards_are_numbers()
  for text, value in pairs { NaN = 0 / 0, inf = math.huge, ['"1"'] = "1", ["false"] = false } do
    local function reward() return value end
    local line = debug.getinfo(reward, "S").linedefined
    local ok, message = pcall(by_function, one_by_one { a }, { trials = 1 }, reward)
    lu.assertFalse(ok)
    lu.assertStrContains(message, ("trial 1, %s: the reward, by the function at "):format(tostring(a)))
    lu.assertStrContains(message, ("test_search.lua:%d, is %s; expected a finite number, or nil and why it fails")
      :format(line, text))
  end
end

-- Agents that scale or turn rewards where they find them change nothing of what is told of the search.
function T.test_an_agent_that_writes_into_trials()
  local by = search.by_function(spaces.tiny, function(arch) return arch:value "kernel" == 3 and 0.9 or 0.1 end)
  local logged, log = {}, by.log
  function by.log(trial, values)
    logged[#logged + 1] = values.reward
    log(trial, values)
  end
  local agent = nas.agents.random_search()
  function agent.learn(_, trials)
    for _, trial in ipairs(trials) do trial.reward = -trial.reward end
  end
  local found = search.run("search", agent, { trials = 4, reward = "reward" }, by)
  table.sort(logged)
  lu.assertEquals({ found.best.reward, logged }, { 0.9, { 0.1, 0.1, 0.9, 0.9 } })
end

return files.each_without(T)
