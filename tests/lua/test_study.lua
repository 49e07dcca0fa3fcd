local lu = require "luaunit"
local core = require "luanas.core"
local csv = require "luanas.csv"
local files = require "files"
local nas = require "luanas"
local nn = nas.nn
local report = require "luanas.report"
local spaces = require "spaces"
local trial_of = require "luanas.trial".new

local T = {}

local trainings, curve = files.trainings, files.curve

local arch_a = nas.arch "kernel=3{1,3} filters=2{2,4}"
local arch_b = nas.arch "kernel=1{1,3} filters=4{2,4}"

-- What `body` writes to standard output.
local function output_of(body)
  local original, pieces = io.stdout, {}
  local stream = {
    write = function(self, ...)
      for _, piece in ipairs { ... } do pieces[#pieces + 1] = piece end
      return self
    end,
    flush = function() end,
  }
  io.stdout = stream -- luacheck: ignore 122
  local ok, problem = pcall(body)
  io.stdout = original -- luacheck: ignore 122
  if not ok then error(problem, 0) end
  return table.concat(pieces)
end

-- A small search; the text of all that must be the same in two runs, and the policy's bytes.
local function search(options)
  local study = spaces.study(options)
  local policy = nas.policy { seed = options and options.seed or 1 }
  local baseline = nas.reward.moving_average(0.8)
  for _ = 1, 6 do
    local arch = policy:sample(spaces.tiny)
    local trial = study:evaluate(arch)
    local advantage = baseline:advantage(trial.accuracy)
    local learned = policy:learn { { arch, advantage = advantage } }
    trial:log { advantage = advantage, entropy = learned.entropy, kl = learned.kl, draw = study:random():number() }
  end
  return study, policy
end

-- ---- Evaluating ------------------------------------------------------------------------------------

function T.test_fields_of_a_trial()
  local study = spaces.study()
  local trial = study:evaluate(arch_a)
  lu.assertEquals(trial.number, 1)
  lu.assertTrue(trial.arch == arch_a)
  lu.assertEquals(trial.status, "ok")
  lu.assertNil(trial.reason)
  lu.assertFalse(trial.recalled)
  lu.assertEquals(trial.params, 3 * 3 * 2 + 2 + 2 * 10 + 10)
  lu.assertEquals(trial.macs, 4 * 4 * 3 * 3 * 2 + 2 * 10)
  lu.assertEquals(#trial.epochs, 2)
  lu.assertEquals(trial.accuracy, trial.epochs[2].accuracy)
  lu.assertEquals(trial.metrics.loss, trial.epochs[2].loss)
  lu.assertEquals(trial.seconds, trial.epochs[1].seconds + trial.epochs[2].seconds)
  lu.assertEquals(trial.measured, { seconds = true, train_seconds = true })
  lu.assertEquals(trial.network, select(2, nas.space.build(spaces.tiny, arch_a)):hash())
  lu.assertNil(trial.nonsense)
  lu.assertStrContains(tostring(trial), "trial 1: ok: accuracy 0.")
  lu.assertEquals(#study:trials(), 1)
end

function T.test_the_student_projects_costs()
  local smallest, largest
  for arch in nas.space.enumerate(spaces.student) do
    local _, network = nas.space.build(spaces.student, arch)
    smallest = math.min(smallest or math.huge, network:params())
    largest = math.max(largest or 0, network:params())
  end
  lu.assertEquals({ smallest, largest }, { 3562, 112074 })
end

function T.test_a_network_is_trained_once()
  local study = spaces.study()
  lu.assertEquals(trainings(function()
    local first, second = study:evaluate(arch_a), study:evaluate(arch_a)
    lu.assertTrue(second.recalled)
    lu.assertEquals(second.metrics, first.metrics)
    lu.assertEquals(second.number, 2)
  end), 1)
end

function T.test_other_decisions_for_the_same_network_share_its_evaluation()
  local study = spaces.study { space = function(c)
    c:choose("unused", { "a", "b" })
    return spaces.tiny(c)
  end }
  lu.assertEquals(trainings(function()
    local first = study:evaluate(nas.arch('unused="a"{"a","b"} ' .. arch_a:line()))
    local second = study:evaluate(nas.arch('unused="b"{"a","b"} ' .. arch_a:line()))
    lu.assertEquals(second.network, first.network)
    lu.assertTrue(second.recalled)
  end), 1)
  lu.assertEquals(#study:best(), 1)
end

function T.test_what_an_evaluation_depends_on()
  local base = spaces.study()
  local function trains(change)
    local options = { store = base.store }
    for name, value in pairs(change) do options[name] = value end
    return trainings(function() spaces.study(options):evaluate(arch_a) end)
  end
  lu.assertEquals(trains {}, 1)
  lu.assertEquals(trains {}, 0)
  lu.assertEquals(trains { seed = 7 }, 0)
  lu.assertEquals(trains { threads = 2 }, 0)
  lu.assertEquals(trains { evaluation_seed = 1 }, 1)
  lu.assertEquals(trains { data = spaces.data { seed = 1 } }, 1)
  lu.assertEquals(trains { data = spaces.data { limit = 40 } }, 1)
  lu.assertEquals(trains { data = spaces.data { split_seed = 1 } }, 1)
  lu.assertEquals(trains { train = { epochs = 2, batch = 15, optimizer = nas.adam { rate = 0.01 } } }, 1)
  lu.assertEquals(trains { train = { epochs = 2, batch = 16, optimizer = nas.adam { rate = 0.02 } } }, 1)
  lu.assertEquals(trains { train = { epochs = 2, batch = 16, optimizer = nas.sgd { rate = 0.01 } } }, 1)
  lu.assertEquals(trains {}, 0)
end

function T.test_the_tables_of_a_study_may_change_afterwards()
  local optimizer = nas.adam { rate = 0.01 }
  local train = { epochs = 2, batch = 16, optimizer = optimizer, augment = { shift = 1 } }
  local function fingerprint(change)
    local study = spaces.study { train = train }
    study:evaluate(arch_a)
    change()
    study:evaluate(arch_b)
    study:evaluate(arch_b, { epochs = 3 })
    return study:fingerprint()
  end
  local expected = fingerprint(function() end)
  lu.assertEquals(fingerprint(function()
    train.batch, optimizer.rate, train.augment.shift = 8, 0.02, 2
  end), expected)
end

function T.test_ten_epochs_contain_three()
  local function train(epochs) return { epochs = epochs, batch = 16, optimizer = nas.adam { rate = 0.01 } } end
  local four = spaces.study { train = train(4) }
  local trial = four:evaluate(arch_a)
  local three
  lu.assertEquals(trainings(function()
    three = spaces.study { train = train(3), store = four.store }:evaluate(arch_a)
  end), 0)
  lu.assertTrue(three.recalled)
  lu.assertEquals(#three.epochs, 3)
  lu.assertEquals(three.accuracy, trial.epochs[3].accuracy)
  lu.assertEquals(curve(three), table.move(curve(trial), 1, 3, 1, {}))

  local six
  lu.assertEquals(trainings(function()
    six = spaces.study { train = train(6), store = four.store }:evaluate(arch_a)
  end), 1)
  lu.assertFalse(six.recalled)
  lu.assertEquals(table.move(curve(six), 1, 4, 1, {}), curve(trial))
  lu.assertTrue(four:evaluate(arch_a).recalled)
end

function T.test_a_space_may_set_the_recipe()
  local study = spaces.study { space = function(c)
    local output = spaces.tiny(c)
    return output, { train = { epochs = c:choose("epochs", { 1, 3 }), optimizer = nas.sgd { rate = 0.1 } } }
  end }
  local trial = study:evaluate(nas.arch(arch_a:line() .. " epochs=3{1,3}"))
  lu.assertEquals(#trial.epochs, 3)
  lu.assertTrue(study:evaluate(nas.arch(arch_a:line() .. " epochs=1{1,3}")).recalled)
  lu.assertNotEquals(trial.loss, spaces.study():evaluate(arch_a).loss)
end

-- ---- Reproducibility -------------------------------------------------------------------------------

-- Acceptance test h.
function T.test_same_seed_same_run_at_any_number_of_threads()
  local study, policy = search { threads = 1 }
  for _, speed in ipairs { { 1 }, { 2 }, { 3 }, { 2, 1 }, { 2, 3 } } do
    local other, other_policy = search { threads = speed[1], micro_batch = speed[2] }
    lu.assertEquals(other:fingerprint(), study:fingerprint())
    lu.assertEquals(other_policy:bytes(), policy:bytes())
  end
end

function T.test_other_seeds_other_runs()
  local fingerprint = search():fingerprint()
  lu.assertNotEquals(search { seed = 2 }:fingerprint(), fingerprint)
  lu.assertNotEquals(search { evaluation_seed = 2 }:fingerprint(), fingerprint)
  lu.assertNotEquals(search { data = spaces.data { split_seed = 3 } }:fingerprint(), fingerprint)
end

function T.test_the_fingerprint_covers_what_was_logged_and_nothing_measured()
  local function fingerprint(values)
    local study = spaces.study()
    local trial = study:evaluate(arch_a)
    if values then trial:log(values) end
    return study:fingerprint()
  end
  lu.assertEquals(fingerprint(), fingerprint())
  lu.assertNotEquals(fingerprint { reward = 1 }, fingerprint())
  lu.assertNotEquals(fingerprint { reward = 1 }, fingerprint { reward = 2 })
  lu.assertNotEquals(fingerprint { reward = 1 }, fingerprint { reward = "1" })
  lu.assertEquals(fingerprint { reward = 1, a = true }, fingerprint { a = true, reward = 1.0 })
end

function T.test_study_random_is_a_stream_of_the_study()
  local study = spaces.study()
  lu.assertIs(study:random(), study:random())
  local number = study:random():number()
  lu.assertEquals(spaces.study():random():number(), number)
  lu.assertNotEquals(spaces.study { seed = 2 }:random():number(), number)
end

-- ---- Failed children -------------------------------------------------------------------------------

local function check_failed(trial, reason)
  lu.assertEquals(trial.status, "failed")
  lu.assertStrContains(trial.reason, reason)
  lu.assertEquals(trial.accuracy, 0.1)
  lu.assertNil(trial.loss)
  lu.assertNil(trial.seconds)
end

function T.test_what_cant_be_built_is_a_failed_trial()
  local study = spaces.study { space = spaces.fragile, failed = { accuracy = 0.1 } }
  local policy = nas.policy { seed = 1 }
  local failed = 0
  for _ = 1, 6 do
    local arch = policy:sample(spaces.fragile)
    local trial = study:evaluate(arch)
    if trial.status == "failed" then
      failed = failed + 1
      check_failed(trial, "can't be built: conv2d: kernel 5x5 is larger than the input 4x4x1")
      lu.assertNil(trial.network)
      lu.assertEquals(trial.epochs, {})
    end
    policy:learn { { arch, advantage = trial.accuracy } }
  end
  lu.assertTrue(failed > 0 and failed < 6, failed .. " of 6")
  lu.assertEquals(#study:trials(), 6)
  lu.assertStrContains(output_of(function() study:report() end), failed .. " failed: can't be built")
end

function T.test_limits()
  local params = spaces.study():evaluate(arch_a).params
  local function evaluate(limits)
    local trial
    local count = trainings(function()
      trial = spaces.study { limits = limits, failed = { accuracy = 0.1 } }:evaluate(arch_a)
    end)
    return trial, count
  end
  for name, value in pairs { params = params - 1, macs = 10, memory = 1000 } do
    local trial, count = evaluate { [name] = value }
    check_failed(trial, name .. ": ")
    lu.assertStrContains(trial.reason, ("above the limit of %d"):format(value))
    lu.assertEquals(trial.params, params)
    lu.assertEquals(count, 0)
  end
  lu.assertEquals(evaluate { params = params }.status, "ok")
end

function T.test_a_network_too_large_for_the_engine_is_a_failed_trial()
  local function space()
    local x = nn.conv2d(nn.input { 28, 28, 1 }, { filters = 42000, kernel = 1 })
    for _ = 1, 60 do x = nn.max_pool(x, { pool = 1, stride = 1 }) end
    return nn.dense(nn.global_avg_pool(x), { units = 10 })
  end
  local data = nas.data.synthetic { images = 20, height = 28, width = 28 }
  local study = nas.study { space = space, data = data, failed = { accuracy = 0.1 }, micro_batch = 4, quiet = true }
  local trial = study:evaluate(nas.random():sample(space))
  lu.assertEquals(trial.status, "failed")
  lu.assertStrContains(trial.reason, "activations take")
  lu.assertEquals(trial.accuracy, 0.1)
end

function T.test_a_limit_in_seconds_is_no_outcome_of_the_evaluation()
  local study = spaces.study { limits = { seconds = 0 }, failed = { accuracy = 0.1 } }
  local trial = study:evaluate(arch_a)
  check_failed(trial, "seconds: ")
  lu.assertEquals(#trial.epochs, 1)
  lu.assertEquals(spaces.study { store = study.store }:evaluate(arch_a).status, "ok")
end

function T.test_a_child_that_diverges_is_a_failed_trial()
  local train = { epochs = 5, batch = 16, optimizer = nas.sgd { rate = 1e6 } }
  local function space()
    local x = nn.input { 8, 8, 1 }
    for _ = 1, 3 do x = nn.dense(x, { units = 10 }) end
    return x
  end
  local study = spaces.study { space = space, train = train, failed = { accuracy = 0.1 } }
  local trial = study:evaluate(nas.arch "")
  check_failed(trial, "not finite")
  lu.assertEquals(trial.params, 650 + 110 + 110)
  local count = trainings(function()
    local again = study:evaluate(nas.arch "")
    check_failed(again, "not finite")
    lu.assertTrue(again.recalled)
  end)
  lu.assertEquals(count, 0)
  lu.assertEquals(#study:best(), 0)
  lu.assertStrContains(output_of(function() study:report() end), "1 different network; 1 recalled, 2 failed")
end

function T.test_without_failed_the_metrics_are_nil()
  local trial = spaces.study { limits = { params = 1 } }:evaluate(arch_a)
  lu.assertEquals(trial.status, "failed")
  lu.assertNil(trial.accuracy)
end

-- ---- Logging ---------------------------------------------------------------------------------------

function T.test_log()
  local trial = spaces.study():evaluate(arch_a)
  trial:log { reward = -0.0, note = "x", flag = false }
  trial:log { later = 2 }
  lu.assertEquals(trial.logged, { reward = 0, note = "x", flag = false, later = 2 })
  lu.assertEquals(1 / trial.logged.reward, math.huge)
  local function refused(text, values) lu.assertErrorMsgContains(text, trial.log, trial, values) end
  refused("trial 1, log: loss is NaN", { loss = 0 / 0 })
  refused("trial 1, log: reward was logged before", { another = 1, reward = 1 })
  refused("trial 1, log: name is 1; expected", { 1 })
  refused('name is "a b"', { ["a b"] = 1 })
  refused("x is a table; expected a number, a string or a boolean", { x = {} })
  refused("log: values are 3", 3)
  lu.assertNil(trial.logged.another)
end

-- ---- Results ---------------------------------------------------------------------------------------

function T.test_best()
  local study = spaces.study()
  for arch in nas.space.enumerate(spaces.tiny) do study:evaluate(arch) end
  study:evaluate(arch_a)
  local best = study:best()
  lu.assertEquals(#best, 4)
  for i = 2, 4 do
    lu.assertTrue(best[i - 1].accuracy > best[i].accuracy
      or (best[i - 1].accuracy == best[i].accuracy and best[i - 1].number < best[i].number))
  end
  lu.assertEquals(#study:best(2), 2)
  lu.assertEquals(study:best(1, "params")[1].params, 1 * 1 * 2 + 2 + 2 * 10 + 10)
  lu.assertErrorMsgContains("no trial has the metric \"nonsense\"; there are accuracy, ", study.best, study, 3,
    "nonsense")
  lu.assertErrorMsgContains("count is -1", study.best, study, -1)
end

-- The rewards and the trials of a report's table, in its order.
local function ranked_by_reward(study)
  local text, rewards, numbers = report.text(study, 4), {}, {}
  for rank, reward, trial in text:gmatch "\n +(%d)  +(%S+) +%S+ +%S+ +%S+ +%S+ +(%d+) " do
    lu.assertEquals(tonumber(rank), #rewards + 1)
    rewards[#rewards + 1], numbers[#numbers + 1] = tonumber(reward), tonumber(trial)
  end
  return text, rewards, numbers
end

function T.test_a_report_ranks_by_rewards_that_are_more_than_the_accuracy()
  local study, worth = spaces.study(), { 0.25, -3, 0.125, 7 }
  local all = spaces.all(spaces.tiny)
  for i, arch in ipairs(all) do study:evaluate(arch):log { reward = worth[i] } end
  study:evaluate(all[1]):log { reward = worth[1] } -- it comes again
  local text, rewards, numbers = ranked_by_reward(study)
  lu.assertStrMatches(text, "rank +reward +accuracy +parameters .*")
  lu.assertEquals({ rewards, numbers }, { { 7, 0.25, 0.125, -3 }, { 4, 1, 3, 2 } })
  lu.assertNotStrContains(text, "ranked by")
  study:evaluate(all[2]):log { reward = 9 } -- by another reward, it seems
  text, rewards = ranked_by_reward(study)
  lu.assertStrContains(text, "\nranked by accuracy, as the trials have no reward in common\n")
  lu.assertEquals(#rewards, 4)
  lu.assertEquals(tonumber(text:match "\n +1 +%S+ +(%S+)"), tonumber(("%.4f"):format(study:best(1)[1].accuracy)))
end

function T.test_a_report_has_no_rewards_where_they_are_the_accuracy()
  local study = spaces.study()
  study:run(nas.agents.reinforce { seed = 1 }, { trials = 3 })
  lu.assertNotStrContains(report.text(study, 3), "reward")
  study:evaluate(arch_a) -- without any
  lu.assertNotStrContains(report.text(study, 3), "reward")
end

function T.test_the_text_of_a_trial_has_the_reward_that_is_not_its_accuracy()
  local study = spaces.study()
  local agent = nas.agents.random_search { seed = 1 }
  local plain = study:run(agent, { trials = 1 }).best
  lu.assertEquals(tostring(plain), ("trial 1: ok: accuracy %.4f, %s"):format(plain.accuracy, tostring(plain.arch)))
  local found = study:run(agent, { trials = 1, reward = "params" }).best
  lu.assertEquals(tostring(found), ("trial 2: ok: accuracy %.4f, reward %d, %s"):format(found.accuracy, found.params,
    tostring(found.arch)))
  lu.assertEquals(tostring(study:trials()[2]), tostring(found))
end

function T.test_report()
  lu.assertEquals(output_of(function() spaces.study():report() end), "no trials yet\n")
  local study = search()
  local text = output_of(function() study:report(2) end)
  lu.assertStrMatches(text, "rank +accuracy +parameters +MACs +seconds +trial +architecture\n +1 .*")
  lu.assertStrContains(text, "6 trials of ")
  lu.assertStrMatches(text, ".*entropy 1%.%d+ %-> %d%.%d+, kl 0%.0000 %-> 0%.%d+\n.*")
  lu.assertStrContains(text, study:fingerprint())
end

function T.test_csv()
  local study = search()
  study:trials()[1]:log { note = 'a "quoted", text' }
  local path = os.tmpname()
  study:csv(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  os.remove(path)
  lu.assertEquals(lines[1], "trial,status,reason,recalled,epochs,network,sample,log_prob,architecture,decisions,"
    .. "accuracy,loss,train_accuracy,train_loss,params,macs,memory,seconds,train_seconds,"
    .. "logged_advantage,logged_draw,logged_entropy,logged_kl,logged_note")
  lu.assertEquals(#lines, 7)
  local trial = study:trials()[1]
  lu.assertStrContains(lines[2], ('"%s"'):format(trial.arch:line():gsub('"', '""')))
  lu.assertStrContains(lines[2], core.number_text(trial.accuracy) .. "," .. core.number_text(trial.loss))
  lu.assertStrContains(lines[2], core.number_text(trial.arch.log_prob))
  lu.assertStrMatches(lines[2], '.*,"a ""quoted"", text"$')
  lu.assertStrMatches(lines[3], "^2,ok,,.*,$")
  lu.assertErrorMsgContains("study:csv: /nonexistent/x.csv", study.csv, study, "/nonexistent/x.csv")
  lu.assertErrorMsgContains("path is nil", study.csv, study)
end

-- An iterator over made-up trials, of as many networks, that fails where more than a few of them are kept.
local function each_passing(count)
  local alive, number, record = setmetatable({}, { __mode = "k" }), 0, nas.arch "kernel=1{1,3}"
  return function()
    number = number + 1
    if number > count then return nil end
    if number % 100 == 0 then
      collectgarbage()
      local kept = 0
      for _ in pairs(alive) do kept = kept + 1 end
      lu.assertTrue(kept <= 10, kept .. " trials are kept")
    end
    local outcome = {
      status = "ok", network = ("network %d"):format(number), evaluation = number, epoch_count = 1, measured = {},
      metrics = { accuracy = number % 97 / 100, params = number, macs = number, seconds = 0.5 },
    }
    local made = trial_of(number, record, outcome, false, { entropy = number }, nil)
    alive[made] = true
    return made
  end
end

function T.test_many_trials_are_not_kept()
  local lines = 0
  local file = { write = function(self, ...)
    lines = lines + select(2, table.concat({ ... }):gsub("\n", ""))
    return self
  end }
  lu.assertTrue(csv.write_to(file, function() return each_passing(500) end))
  lu.assertEquals(lines, 501)
  local made_up = { each = function() return each_passing(500) end, trained = {}, store = core.store() }
  local text = report.text(made_up, 3)
  lu.assertStrMatches(text, ".*\n +1 +0%.9600 +96 .*\n +2 +0%.9600 +193 .*\n +3 +0%.9600 +290 .*")
  lu.assertStrContains(text, "500 trials of 500 different networks; 0 recalled, 0 failed")
  lu.assertStrContains(text, "entropy 1.0000 -> 500.0000")
end

-- A full disk is told, wherever it comes to light.
function T.test_csv_that_can_not_be_written()
  local failing = { write = function() return nil, "no room" end }
  lu.assertEquals({ csv.write_to(failing, function() return each_passing(3) end) }, { nil, "no room" })
end

function T.test_a_file_that_is_not_replaced_leaves_nothing()
  local path = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function() os.remove(path) end })
  lu.assertErrorMsgEquals("oh", csv.replace, path, function() error("oh", 0) end)
  lu.assertNil(io.open(path .. ".tmp"))
  lu.assertEquals({ csv.replace(path, function() return nil, "no room" end) }, { nil, "no room" })
  lu.assertNil(io.open(path .. ".tmp"))
  lu.assertTrue(csv.replace(path, function(file) return file:write "new" end))
  local file <close> = assert(io.open(path))
  lu.assertEquals(file:read "a", "new")
  lu.assertNil(io.open(path .. ".tmp"))
end

-- ---- Errors ----------------------------------------------------------------------------------------

function T.test_bad_settings()
  local function refused(text, options) lu.assertErrorMsgContains(text, spaces.study, options) end
  lu.assertErrorMsgContains("study: space is nil; expected a function(c)", nas.study, {})
  lu.assertErrorMsgContains("study: space is nil", nas.study)
  refused('study: unknown option "epochs"; known options: checkpoint, data, evaluation_seed', { epochs = 3 })
  refused("study: data is 3; expected a data set", { data = 3 })
  refused("study: path is 3; expected a non-empty string", { path = 3 })
  refused('study: train: unknown option "epoch"; known options: augment, average, batch, clip_norm',
    { train = { epoch = 1 } })
  refused("study: train: epochs is 0; expected an integer from 1 to", { train = { epochs = 0 } })
  refused("batch is 0; expected an integer from 1 to 65536", { train = { batch = 0 } })
  refused("study: seed is -1", { seed = -1 })
  refused("study: evaluation_seed is 1.5", { evaluation_seed = 1.5 })
  refused('study: limits: unknown option "flops"; known options: macs, memory, params, seconds',
    { limits = { flops = 1 } })
  refused("study: limits: params is -1", { limits = { params = -1 } })
  refused("study: failed: accuracy is NaN", { failed = { accuracy = 0 / 0 } })
  refused("study: failed is 0.1", { failed = 0.1 })
  refused("study: threads is 0; expected an integer from 1 to 256", { threads = 0 })
  refused("study: threads is 257; expected an integer from 1 to 256", { threads = 257 })
  refused("study: micro_batch is 17; expected an integer from 1 to 16", { micro_batch = 17 })
  refused("study: trials is -3", { trials = -3 })
  refused("study: store is 3", { store = 3 })
  lu.assertErrorMsgContains("adam: rate is -1; expected a number from 0 to 1000000", nas.adam, { rate = -1 })
  lu.assertErrorMsgContains('sgd: unknown option "beta1"; known options: l2, momentum', nas.sgd, { beta1 = 1 })
end

function T.test_bad_architectures()
  local study = spaces.study()
  lu.assertErrorMsgContains("study:evaluate: architecture is nil; expected an architecture", study.evaluate, study)
  lu.assertErrorMsgContains("study:evaluate_all: architecture 2 is nil; expected an architecture", study.evaluate_all,
    study, { arch_a, nil, arch_b })
  lu.assertErrorMsgContains("decision 1: the space asks for kernel (occurrence 1) of {1,3}; recorded was kernel "
    .. "(occurrence 1) of {1,5}", study.evaluate, study, nas.arch "kernel=1{1,5} filters=2{2,4}")
  lu.assertErrorMsgContains("recorded were 1 decisions only", study.evaluate, study, nas.arch "kernel=1{1,3}")
  lu.assertEquals(#study:trials(), 0)
end

function T.test_a_space_that_builds_another_network_says_so()
  local filters = 2
  local function space(c)
    local x = nn.conv2d(nn.input { 8, 8, 1 }, { kernel = c:choose("kernel", { 1, 3 }), filters = filters })
    return nn.dense(x, { units = 10 })
  end
  local study = spaces.study { space = space }
  local arch = nas.random():sample(space)
  study:evaluate(arch)
  filters = 3
  lu.assertErrorMsgContains("a space must be a pure function of its decisions", study.evaluate, study, arch)
end

function T.test_a_space_that_builds_a_network_where_it_built_none_says_so()
  local padding = "valid"
  local function space()
    return nn.dense(nn.conv2d(nn.input { 8, 8, 1 }, { kernel = 9, filters = 2, padding = padding }), { units = 10 })
  end
  local study = spaces.study { space = space }
  local arch = nas.random():sample(space)
  lu.assertEquals(study:evaluate(arch).status, "failed")
  padding = "same"
  lu.assertErrorMsgContains("with which it built nothing before", study.evaluate, study, arch)
end

function T.test_a_network_that_does_not_fit_the_data_is_an_error()
  local seven = spaces.study { space = function() return nn.dense(nn.input { 8, 8, 1 }, { units = 7 }) end }
  lu.assertErrorMsgContains("ends in shape 7, but synthetic has 10 classes; end it with nn.dense(x, { units = 10 })",
    seven.evaluate, seven, nas.arch "")
  local large = spaces.study { space = function() return nn.dense(nn.input { 9, 8, 1 }, { units = 10 }) end }
  lu.assertErrorMsgContains("has input 9x8x1, but what synthetic has is 8x8x1; begin it with nn.input { 8, 8, 1 }",
    large.evaluate, large, nas.arch "")
end

function T.test_an_error_in_the_users_code_keeps_what_was_finished()
  local broken = false
  local study = spaces.study { space = function(c)
    if broken then error("my own mistake") end
    return spaces.tiny(c)
  end }
  study:evaluate(arch_a)
  broken = true
  local _, traceback = xpcall(study.evaluate, debug.traceback, study, arch_b)
  lu.assertStrMatches(traceback, ".*test_study.lua:%d+: my own mistake\nstack traceback:.*test_study.lua.*")
  lu.assertEquals(#study:trials(), 1)
  broken = false
  lu.assertEquals(study:evaluate(arch_b).number, 2)
end

-- A trainer that is interrupted in its second epoch.
local function interrupted_trainer()
  local epoch = 0
  return setmetatable({
    epochs = function() return 0 end,
    epoch = function()
      epoch = epoch + 1
      if epoch == 2 then error("interrupted!", 0) end
      return { epoch = 1, train_loss = 1.0, train_accuracy = 0.5, loss = 1.0, accuracy = 0.5, seconds = 0.1,
        train_seconds = 0.1 }
    end,
  }, { __close = function() end })
end

function T.test_ctrl_c_prints_the_table_so_far_once()
  local study = spaces.study()
  study:evaluate(arch_a)
  local text = output_of(function()
    files.with(core, "trainer", interrupted_trainer, function()
      lu.assertErrorMsgContains("interrupted", study.evaluate, study, arch_b)
      nas.study.interrupted() -- as a host does at its end
    end)
  end)
  local _, times = text:gsub("interrupted after 1 trial\n", "")
  lu.assertEquals(times, 1)
  lu.assertStrContains(text, tostring(arch_a))
  lu.assertEquals(#study:trials(), 1)
  lu.assertEquals(study:evaluate(arch_b).status, "ok") -- the session goes on
end

function T.test_no_table_where_nothing_is_new()
  local study = spaces.study()
  study:evaluate(arch_a)
  output_of(function() study:report() end)
  lu.assertEquals(output_of(nas.study.interrupted), "")
end

-- Tables with values to learn, in the place of images with classes.
function T.test_tables_and_values()
  local x, y = core.tensor({ 40, 2 }, "float32"), core.tensor({ 40, 1 }, "float32")
  for i = 1, 40 do
    x[i][1], x[i][2] = i % 7, i % 5
    y[i][1] = i % 7 - 2 * (i % 5)
  end
  local data = nas.data.tensors { x = x, y = y }
  local function space(c)
    local hidden = nas.nn.dense(nas.nn.input { 2 }, { units = c:choose("units", { 1, 2, 4 }), activation = "tanh" })
    return nas.nn.dense(hidden, { units = 1 })
  end
  local study = spaces.study { space = space, data = data,
    train = { epochs = 3, batch = 8, loss = "mean_squared_error" } }
  local trials = {}
  for arch in nas.space.enumerate(space) do trials[#trials + 1] = study:evaluate(arch) end
  lu.assertNil(trials[1].accuracy)
  lu.assertErrorMsgContains("trial 1, predictions: tensors has values, and no classes", trials[1].predictions,
    trials[1])
  lu.assertStrMatches(tostring(trials[1]), "trial 1: ok: loss %d.*")
  local best = study:best()
  lu.assertEquals(#best, 3)
  lu.assertTrue(best[1].loss <= best[2].loss and best[2].loss <= best[3].loss)
  lu.assertTrue(study:best(1, "params")[1].params < study:best(3, "params")[3].params)
  lu.assertStrMatches(report.text(study, 2), "rank%s+loss.*")
  local wrong = spaces.study { space = spaces.tiny, data = data, train = { loss = "mean_squared_error" } }
  lu.assertErrorMsgContains("ends in shape 10, but tensors has 1 target values", wrong.evaluate, wrong,
    nas.arch "kernel=3{1,3} filters=2{2,4}")
  local images = spaces.study { space = function() return nas.nn.dense(nas.nn.input { 3 }, { units = 1 }) end,
    data = data, train = { loss = "mean_squared_error" } }
  lu.assertErrorMsgContains("has input 3, but what tensors has is 2; begin it with nn.input { 2 }", images.evaluate,
    images, nas.arch "")
end

-- A space may set the recipe: the same network is ranked once for each.
function T.test_a_metric_that_does_not_exist_is_told_also_after_a_failed_trial()
  local study = spaces.study { space = spaces.fragile }
  for arch in nas.space.enumerate(spaces.fragile) do study:evaluate(arch) end
  lu.assertEquals(study:trials()[1].status, "failed")
  lu.assertErrorMsgContains("no trial has the metric \"nothing\"", study.best, study, 1, "nothing")
end

function T.test_the_best_of_each_recipe()
  local study = spaces.study { space = function(c)
    local rate = c:choose("rate", { 1e-6, 0.05 })
    return nas.nn.dense(nas.nn.input { 8, 8, 1 }, { units = 10 }), { train = { optimizer = nas.adam { rate = rate } } }
  end }
  for arch in nas.space.enumerate(study.space) do study:evaluate(arch) end
  local best = study:best()
  lu.assertEquals(#best, 2)
  lu.assertEquals(best[1].network, best[2].network)
  lu.assertEquals(best[1].arch:value "rate", 0.05)
  lu.assertEquals(#study:rescore(function(trial) return trial.loss end), 2)
end

function T.test_a_dot_for_a_colon()
  local study = spaces.study()
  lu.assertErrorMsgContains("study:run is called with a dot; expected a colon, as in study:run(...)", study.run,
    nas.agents.random_sample(), { trials = 1 })
  lu.assertErrorMsgContains("study:best is called with a dot", study.best, 3)
  lu.assertErrorMsgContains("policy:sample is called with a dot", nas.policy().sample, spaces.tiny)
  local trial = study:evaluate(arch_a)
  lu.assertErrorMsgContains("trial:log is called with a dot; expected a colon, as in trial:log(...)", trial.log,
    { reward = 1 })
  lu.assertErrorMsgContains("trial:model is called with a dot", trial.model)
  lu.assertErrorMsgContains("model:predict is called with a dot", trial:model().predict, 3)
  lu.assertErrorMsgContains("data:image is called with a dot", study.data.image, 1)
  lu.assertErrorMsgContains("moving_average:advantage is called with a dot", nas.reward.moving_average(0.9).advantage,
    0.5)
  local exact = nas.exact(nas.policy(), spaces.tiny, function() return 1 end)
  lu.assertErrorMsgContains("exact:variance is called with a dot", exact.variance, { batch = 2 })
  local data = setmetatable({}, { __index = study.data }) -- as a script may make one of its own
  lu.assertEquals(data:info(), study.data:info())
end

return T
