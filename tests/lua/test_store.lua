-- Studies in files: what is recalled, followed, continued and branched.
local lu = require "luaunit"
local core = require "luanas.core"
local files = require "files"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local arch = nas.arch "kernel=3{1,3} filters=2{2,4}"

local path, remove, query = files.path, files.remove, files.query
local trainings, curve = files.trainings, files.curve

-- Not 0 where nothing was learned.
local function plain(trial) return trial.accuracy + trial.params / 100 end

-- A search as a script makes it, each time from the start; what all runs must have in common.
local function search(options)
  options = options or {}
  local study <close> = spaces.study { path = path, space = options.space, train = options.train }
  local policy = nas.policy { seed = options.seed or 1, rate = 0.05 }
  local baseline = nas.reward.moving_average(0.8)
  for step = 1, options.trials or 6 do
    if options.stop_at == step then error("stopped", 0) end
    local record = policy:sample(study.space)
    local trial = study:evaluate(record)
    local reward = (options.reward or plain)(trial, step)
    local advantage = baseline:advantage(reward)
    local learned = policy:learn { { record, advantage = advantage } }
    if options.stop_before_log == step then error("stopped", 0) end
    trial:log { reward = reward, advantage = advantage, entropy = learned.entropy }
  end
  return study:fingerprint(), study
end

local function runs()
  local list = {}
  local sql = "SELECT id, parent, first, (SELECT count(*) FROM trial WHERE run = id) AS own FROM run ORDER BY id"
  for _, row in ipairs(query(sql)) do
    list[row.id] = ("%s %d %d"):format(row.parent or "-", row.first, row.own)
  end
  return list
end

local function check_whole()
  local store <close> = core.store(path)
  local damages, report = store:check()
  lu.assertEquals(damages, 0, report)
end

-- ---- Following and continuing ----------------------------------------------------------------------

function T.test_a_script_that_is_run_again_trains_nothing_and_writes_nothing()
  local first = search()
  local trials = query "SELECT * FROM trial"
  lu.assertEquals(#trials, 6)
  lu.assertEquals(trainings(function() lu.assertEquals(search(), first) end), 0)
  lu.assertEquals(query "SELECT * FROM trial", trials)
  lu.assertEquals(runs(), { "- 1 6" })
  check_whole()
end

function T.test_more_trials_continue_the_run()
  local whole = search { trials = 9 }
  remove()
  search { trials = 4 }
  lu.assertEquals(search { trials = 9 }, whole)
  lu.assertEquals(search { trials = 3 }, search { trials = 3 })
  lu.assertEquals(search { trials = 9 }, whole)
  lu.assertEquals(runs(), { "- 1 9" })
end

function T.test_a_script_that_was_ended_goes_on()
  local whole = search()
  for step = 1, 6 do
    for _, where in ipairs { "stop_at", "stop_before_log" } do
      remove()
      lu.assertErrorMsgEquals("stopped", search, { [where] = step })
      lu.assertErrorMsgEquals("stopped", search, { [where] = math.min(6, step + 1) })
      lu.assertEquals(search(), whole)
      lu.assertEquals(runs(), { "- 1 6" })
    end
  end
  check_whole()
end

function T.test_another_seed_is_another_run()
  search()
  search { seed = 2 }
  lu.assertEquals(#runs(), 2)
  lu.assertStrContains(runs()[2], "- 1 ")
end

-- Runs `body` while a function of stores fails.
local function with_failing(name, body)
  files.with(debug.getregistry()["luanas.Store"].__index, name, function()
    return nil, "the disk is full", "NAS_IO"
  end, body)
end

function T.test_a_failed_write_is_made_up_for()
  local study = spaces.study { path = path }
  local policy = nas.policy { seed = 1, rate = 0.05 }
  local first = policy:sample(spaces.tiny)
  with_failing("begin_run", function() lu.assertErrorMsgContains("the disk is full", study.evaluate, study, first) end)
  lu.assertEquals(study.number, 0)
  study:evaluate(first)
  local trial = study:evaluate(policy:sample(spaces.tiny))
  lu.assertEquals(trial.number, 2)
  trial:log { reward = 1 }
  with_failing("append", function() lu.assertErrorMsgContains("the disk is full", study.close, study) end)
  trial:log { loss = 2 }
  study:close()
  lu.assertEquals(query "SELECT logged FROM trial", { { logged = "{}" }, { logged = '{"loss":2,"reward":1}' } })
end

function T.test_a_study_that_nobody_closes_is_written_when_it_is_collected()
  do
    local study = spaces.study { path = path }
    study:evaluate(nas.policy({ seed = 1 }):sample(spaces.tiny)):log { reward = 1 }
  end
  spaces.study():evaluate(arch) -- the one that was used last is kept, for Ctrl-C
  collectgarbage()
  lu.assertEquals(query "SELECT logged FROM trial", { { logged = '{"reward":1}' } })
  search()
  lu.assertEquals(#runs(), 2)
end

function T.test_a_closed_study_has_no_further_trials()
  local study = spaces.study { path = path }
  local record = nas.policy({ seed = 1 }):sample(spaces.tiny)
  local trial = study:evaluate(record)
  study:close()
  study:close()
  lu.assertErrorMsgContains("the study is closed", study.evaluate, study, record)
  local other = nas.arch "kernel=1{1,3} filters=2{2,4}"
  lu.assertEquals(trainings(function()
    lu.assertErrorMsgContains("the study is closed", study.evaluate_all, study, { record, other, other })
  end), 0)
  lu.assertErrorMsgContains("the study is closed", trial.log, trial, { reward = 1 })
  lu.assertEquals(#study:trials(), 1)
end

function T.test_an_evaluation_that_was_interrupted_leaves_no_trace()
  local whole = search { trials = 3 }
  local study <close> = spaces.study { path = path }
  local policy = nas.policy { seed = 1, rate = 0.05 }
  local record = policy:sample(spaces.tiny)
  local methods = debug.getregistry()["luanas.Store"].__index
  local original = methods.find
  methods.find = function() error("interrupted!", 0) end
  local ok = pcall(study.evaluate, study, record)
  methods.find = original
  lu.assertFalse(ok)
  lu.assertEquals(study.number, 0)
  study:evaluate(record)
  lu.assertEquals(runs(), { "- 1 3" })
  lu.assertEquals(search { trials = 3 }, whole)
end

-- ---- Branching -------------------------------------------------------------------------------------

function T.test_another_reward_branches_where_a_logged_value_differs()
  local first = search()
  local cube = search { reward = function(trial) return plain(trial) ^ 3 end }
  lu.assertNotEquals(cube, first)
  lu.assertEquals(runs(), { "- 1 6", "1 1 6" })
  local switched = search { reward = function(trial, step) return step < 4 and plain(trial) or -plain(trial) end }
  lu.assertEquals(runs(), { "- 1 6", "1 1 6", "1 4 3" })
  -- All three are followed when they come again.
  lu.assertEquals(search(), first)
  lu.assertEquals(search { reward = function(trial) return plain(trial) ^ 3 end }, cube)
  lu.assertEquals(trainings(function()
    lu.assertEquals(search { reward = function(trial, step) return step < 4 and plain(trial) or -plain(trial) end },
      switched)
  end), 0)
  lu.assertEquals(#runs(), 3)
  -- A branch of the branch continues and branches, too.
  search { trials = 8, reward = function(trial, step) return step < 4 and plain(trial) or -plain(trial) end }
  search { reward = function(trial, step)
    return step < 4 and plain(trial) or step < 6 and -plain(trial) or 0.5
  end }
  lu.assertEquals(runs(), { "- 1 6", "1 1 6", "1 4 5", "3 6 1" })
  check_whole()
end

function T.test_a_branch_is_told()
  search()
  local original, told = io.stderr, {}
  io.stderr = { -- luacheck: ignore 122
    write = function(_, ...) told[#told + 1] = table.concat { ... } end,
    flush = function() end,
  }
  local ok, problem = pcall(function()
    local study = nas.study { path = path, space = spaces.tiny, data = spaces.data(),
      train = { epochs = 2, batch = 16, optimizer = nas.adam { rate = 0.01 } } }
    local policy = nas.policy { seed = 1, rate = 0.05 }
    study:evaluate(policy:sample(spaces.tiny)):log { reward = 7 }
    study:close()
  end)
  io.stderr = original -- luacheck: ignore 122
  lu.assertTrue(ok, problem)
  lu.assertEquals(table.concat(told), "luanas: run 2 leaves run 1 at trial 1\n")
end

function T.test_values_that_were_not_logged_are_added()
  search()
  local function with_more(value)
    local study <close> = spaces.study { path = path }
    local policy = nas.policy { seed = 1, rate = 0.05 }
    study:evaluate(policy:sample(spaces.tiny)):log { params = value }
  end
  with_more(12)
  lu.assertEquals(runs(), { "- 1 6" })
  lu.assertEquals(query "SELECT logged->>'params' AS p FROM trial WHERE number < 3",
    { { p = 12 }, {} })
  with_more(12)
  lu.assertEquals(runs(), { "- 1 6" })
  with_more(13)
  lu.assertEquals(runs(), { "- 1 6", "1 1 1" })
end

-- Scripts that evaluate a batch and learn from it then log to earlier trials.
local function batches(scale, stop_in_batch)
  local study <close> = spaces.study { path = path }
  local policy = nas.policy { seed = 1, rate = 0.05 }
  for batch = 1, 3 do
    local trials, episodes = {}, {}
    for i = 1, 4 do trials[i] = study:evaluate(policy:sample(spaces.tiny)) end
    for i = 4, 1, -1 do
      if batch == stop_in_batch and i == 2 then error("stopped", 0) end
      trials[i]:log { reward = scale(batch, i) * plain(trials[i]) }
      episodes[i] = { trials[i].arch, advantage = scale(batch, i) * plain(trials[i]) }
    end
    policy:learn(episodes)
  end
  return study:fingerprint()
end

function T.test_batches()
  local function one() return 1 end
  local whole = batches(one)
  lu.assertEquals(batches(one), whole)
  lu.assertEquals(runs(), { "- 1 12" })
  local other = batches(function(batch, i) return batch == 2 and i == 3 and 2 or 1 end)
  lu.assertNotEquals(other, whole)
  lu.assertEquals(runs(), { "- 1 12", "1 7 6" })
  lu.assertEquals(batches(function(batch, i) return batch == 2 and i == 3 and 2 or 1 end), other)
  lu.assertEquals(batches(one), whole)
  lu.assertEquals(#runs(), 2)
  -- The batch is logged from its end: where an earlier trial differs, too, the run leaves earlier.
  local twice = batches(function(batch, i) return batch == 2 and i < 4 and i + 1 or 1 end)
  lu.assertEquals(runs(), { "- 1 12", "1 7 6", "1 5 8" })
  lu.assertEquals(batches(function(batch, i) return batch == 2 and i < 4 and i + 1 or 1 end), twice)
  lu.assertEquals(batches(one), whole)
  lu.assertEquals(#runs(), 3)
  for batch = 1, 3 do
    remove()
    lu.assertErrorMsgEquals("stopped", batches, one, batch)
    lu.assertErrorMsgEquals("stopped", batches, one, batch)
    lu.assertEquals(batches(one), whole)
    lu.assertEquals(runs(), { "- 1 12" })
  end
  check_whole()
end

-- All trials first, then what each is worth.
local function afterwards(reward, trials)
  local study <close> = spaces.study { path = path }
  local policy = nas.policy { seed = 1, rate = 0.05 }
  local list = {}
  for i = 1, trials do list[i] = study:evaluate(policy:sample(spaces.tiny)) end
  for i = 1, trials do list[i]:log { reward = reward * i } end
  return study:fingerprint()
end

function T.test_runs_with_the_same_decisions_are_not_mixed()
  local short, other = afterwards(1, 4), afterwards(2, 4)
  lu.assertEquals(runs(), { "- 1 4", "1 1 4" })
  local long = afterwards(2, 6)
  lu.assertEquals(afterwards(2, 6), long)
  lu.assertEquals(afterwards(1, 4), short)
  lu.assertEquals(afterwards(2, 4), other)
  for _, run in ipairs(query "SELECT DISTINCT run FROM trial") do
    local rewards = query("SELECT number, logged->>'reward' AS reward FROM trial WHERE run = ?1", run.run)
    for _, row in ipairs(rewards) do
      if row.reward then lu.assertEquals(row.reward / row.number, rewards[1].reward / rewards[1].number) end
    end
  end
  remove()
  lu.assertEquals(afterwards(2, 6), long)
end

function T.test_a_reward_that_switches()
  local first = search()
  local function negative(trial) return -plain(trial) end
  search { reward = nas.reward.switch { [1] = plain, [4] = negative } }
  lu.assertEquals(runs(), { "- 1 6", "1 4 3" })
  lu.assertEquals(search { reward = nas.reward.switch { [1] = plain, [7] = negative } }, first)
  lu.assertEquals(#runs(), 2)
end

function T.test_all_that_is_stored_under_a_new_reward()
  search()
  search { seed = 2 }
  local study <close> = spaces.study { path = path }
  local networks = query "SELECT count(DISTINCT network) AS n FROM trial"[1].n
  local ranked
  lu.assertEquals(trainings(function() ranked = study:rescore(function(trial) return -trial.params end) end), 0)
  lu.assertEquals(#ranked, networks)
  for i = 2, #ranked do lu.assertTrue(ranked[i - 1].reward >= ranked[i].reward) end
  lu.assertEquals(ranked[1].reward, -ranked[1].trial.params)
  lu.assertErrorMsgContains("the trial is of another run", function() ranked[1].trial:log { x = 1 } end)
  lu.assertErrorMsgContains("reward is NaN", study.rescore, study, function() return 0 / 0 end)
  lu.assertErrorMsgContains("reward is 3", study.rescore, study, 3)
  lu.assertEquals(study:rescore(function(trial) return trial.epochs[1].loss end)[1].trial.status, "ok")
end

-- ---- Evaluations -----------------------------------------------------------------------------------

local function train(epochs) return { epochs = epochs, batch = 16, optimizer = nas.adam { rate = 0.01 } } end

local function evaluated(epochs, options)
  local study <close> = spaces.study { path = path, train = train(epochs), states = options and options.states,
    checkpoint = options and options.checkpoint }
  return study:evaluate(arch)
end

-- How many epochs `body` trains.
local function epochs_trained(body)
  return files.calls(debug.getregistry()["luanas.Trainer"].__index, "epoch", body)
end

function T.test_evaluations_are_extended_where_their_state_is_there()
  local whole = curve(evaluated(8))
  for states, expected in pairs { [1 << 20] = 5, [0] = 8 } do
    remove()
    evaluated(3, { states = states })
    local longer
    lu.assertEquals(epochs_trained(function() longer = curve(evaluated(8, { states = states })) end), expected)
    lu.assertEquals(longer, whole)
    lu.assertEquals(epochs_trained(function() evaluated(3) end), 0)
    lu.assertEquals(epochs_trained(function() evaluated(8) end), 0)
  end
  check_whole()
end

function T.test_a_training_that_was_ended_goes_on_after_its_last_epoch()
  local whole = curve(evaluated(8))
  local methods = debug.getregistry()["luanas.Trainer"].__index
  local original = methods.epoch
  for checkpoint, expected in pairs { [4] = 3, [8] = 8 } do
    remove()
    local done = 0
    methods.epoch = function(...)
      done = done + 1
      if done == 6 then error("killed", 0) end
      return original(...)
    end
    local ok = pcall(evaluated, 8, { checkpoint = checkpoint })
    methods.epoch = original
    lu.assertFalse(ok)
    local again
    lu.assertEquals(epochs_trained(function() again = curve(evaluated(8, { checkpoint = checkpoint })) end), expected)
    lu.assertEquals(again, whole)
  end
end

function T.test_trials_from_the_file_are_as_they_were()
  local study <close> = spaces.study { path = path }
  local policy = nas.policy { seed = 1 }
  local made = {}
  for i = 1, 3 do
    made[i] = study:evaluate(policy:sample(spaces.tiny))
    made[i]:log {
      text = 'a "quoted"\nline', yes = true, no = false, integer = 3, float = 3.0, tiny = 1e-300, zero = -0.0,
    }
  end
  for i, trial in ipairs(study:trials()) do
    lu.assertEquals(trial.number, i)
    lu.assertEquals(trial.metrics, made[i].metrics)
    lu.assertEquals(trial.measured, made[i].measured)
    lu.assertEquals(trial.epochs, made[i].epochs)
    lu.assertEquals(trial.logged, made[i].logged)
    lu.assertEquals(math.type(trial.logged.float), "float")
    lu.assertEquals(math.type(trial.logged.integer), "integer")
    lu.assertEquals(trial.arch.log_prob, made[i].arch.log_prob)
    lu.assertEquals(trial.arch:line(), made[i].arch:line())
    lu.assertEquals(tostring(trial), tostring(made[i]))
  end
end

local function values(tensor)
  local list = {}
  for i = 1, tensor:shape()[1] do list[i] = tensor:get(i) end
  return list
end

function T.test_a_state_that_does_not_fit_is_as_none()
  for keep, expected in pairs { best = { 3, 5 }, last = { 0, 2 } } do
    remove()
    evaluated(3)
    local recipe = train(3)
    recipe.keep = keep
    local study <close> = spaces.study { path = path, train = recipe }
    local trial = study:evaluate(arch)
    local model
    lu.assertEquals(epochs_trained(function() model = trial:model() end), expected[1])
    lu.assertEquals(model:evaluate(study.data).accuracy, trial.accuracy)
    recipe.epochs = 5
    local longer <close> = spaces.study { path = path, train = recipe }
    lu.assertEquals(epochs_trained(function() longer:evaluate(arch) end), expected[2])
  end
end

function T.test_a_limit_in_seconds_is_not_trained_again()
  local function limited()
    local study <close> = spaces.study { path = path, train = train(4), limits = { seconds = 0 } }
    local trial = study:evaluate(arch)
    return trial.status .. " " .. #trial.epochs, study:fingerprint()
  end
  local trial, first = limited()
  lu.assertEquals(trial, "failed 1")
  lu.assertEquals(epochs_trained(function() lu.assertEquals({ limited() }, { trial, first }) end), 0)
  lu.assertEquals(#runs(), 1)
  lu.assertEquals(epochs_trained(function() evaluated(4) end), 3)
end

function T.test_what_is_trained_again_must_be_what_is_stored()
  evaluated(3, { states = 0 })
  do
    local store <close> = core.store(path)
    local key = files.key(store)
    store:put(key, { from = 4, epochs = { { metrics = '{"accuracy":2.0,"loss":1.0}', measured = "{}" } } })
  end
  lu.assertErrorMsgContains("evaluation 1: epoch 4, trained again, gives other metrics than are stored", evaluated, 5)
end

-- Epochs are stored of a network whose first one diverges: it is not said to diverge after them.
function T.test_what_diverges_now_must_not_be_stored()
  local function evaluate(seed)
    local study <close> = spaces.study {
      path = path, evaluation_seed = seed, train = { epochs = 2, batch = 16, optimizer = nas.sgd { rate = 1e6 } },
      space = function(c)
        local x = nas.nn.dense(nas.nn.input { 8, 8, 1 }, { units = 10 * c:choose("kernel", { 1, 3 }) })
        return nas.nn.dense(nas.nn.dense(x, { units = 5 * c:choose("filters", { 2, 4 }) }), { units = 10 })
      end,
    }
    return study:evaluate(arch)
  end
  lu.assertStrContains(evaluate(0).reason, "not finite in epoch 1")
  do
    local store <close> = core.store(path)
    local key = files.key(store)
    key.seed = 7
    store:put(key, { epochs = { { metrics = '{"accuracy":0.5,"loss":1.0}', measured = "{}" } } })
  end
  lu.assertErrorMsgContains("evaluation 2: epoch 1, trained again, gives other metrics than are stored", evaluate, 7)
  lu.assertNil(query "SELECT diverged FROM evaluation WHERE id = 2"[1].diverged)
end

function T.test_weights_of_an_older_numeric_version_are_refused()
  local present = core.numeric_version
  local study <close> = spaces.study { path = path }
  files.with(core, "numeric_version", present - 1, function() study:evaluate(arch) end)
  local trial = study:trials()[1]
  lu.assertErrorMsgContains(("trial 1, model: it was evaluated under numeric version %d; this engine has version %d")
    :format(present - 1, present), trial.model, trial)
  lu.assertErrorMsgContains("trial 1, predictions: it was evaluated under", trial.predictions, trial)
end

function T.test_models_of_runs_with_another_space()
  search { trials = 2 }
  local study <close> = spaces.study { path = path, space = spaces.branching }
  local ranked = study:rescore(function(trial) return trial.accuracy end)
  lu.assertEquals(ranked[1].trial:model():evaluate(study.data).accuracy, ranked[1].trial.accuracy)
  lu.assertEquals(ranked[1].trial:predictions():shape(), { 12 })
end

function T.test_the_report_counts_what_was_trained_now()
  local function seconds(epochs, options)
    local study <close> = spaces.study { path = path, train = train(epochs),
      replicates = options and options.replicates }
    local batch = { arch, nas.arch "kernel=1{1,3} filters=2{2,4}" }
    local all = options and options.batch and study:evaluate_all(batch) or { study:evaluate(arch) }
    local sum = 0
    for i in ipairs(all) do sum = sum + (study.trained[i] or 0) end
    return sum, all
  end
  local first, trials = seconds(2)
  lu.assertEquals(first, trials[1].seconds)
  local longer, extended = seconds(5)
  local new = 0
  for i = 3, 5 do new = new + extended[1].epochs[i].seconds end
  lu.assertAlmostEquals(longer, new, 1e-12)
  remove()
  local replicated, averaged = seconds(2, { replicates = 3 })
  lu.assertAlmostEquals(replicated, averaged[1].seconds, 1e-12)
  remove()
  local both, batch = seconds(2, { batch = true })
  lu.assertAlmostEquals(both, batch[1].seconds + batch[2].seconds, 1e-12)
  lu.assertFalse(batch[1].recalled)
  lu.assertEquals(seconds(2, { batch = true }), 0)
end

function T.test_a_damaged_row_is_not_read()
  do
    local study <close> = spaces.study { path = path }
    study:evaluate(arch)
    study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
  end
  files.damage("SELECT metrics FROM epoch WHERE evaluation = 2 AND number = 2", "0%.", "1.")
  local study <close> = spaces.study { path = path }
  local function loss(trial) return trial.epochs[2].loss end
  lu.assertErrorMsgContains("epoch 2 of evaluation 2 is damaged", study.rescore, study, loss)
  lu.assertEquals(#study:rescore(function(trial) return trial.accuracy end), 2)
end

function T.test_a_trial_gives_its_model_back()
  local digest
  for states, expected in pairs { [1 << 20] = 0, [0] = 3 } do
    remove()
    local study <close> = spaces.study { path = path, train = train(3), states = states }
    local trial = study:evaluate(arch)
    local model
    lu.assertEquals(epochs_trained(function() model = trial:model() end), expected)
    lu.assertEquals(model:evaluate(study.data).accuracy, trial.accuracy)
    lu.assertEquals(model:evaluate(study.data).loss, trial.loss)
    digest = digest or core.hash(model.trainer:state())
    lu.assertEquals(core.hash(model.trainer:state()), digest)
    local best = study:best(1)[1]
    lu.assertEquals(best:model():evaluate(study.data).accuracy, trial.accuracy)
  end
end

function T.test_predictions()
  local function predictions(wish)
    local study <close> = spaces.study { path = path, predictions = wish }
    local trial = study:evaluate(arch)
    local list
    local trained = epochs_trained(function() list = values(trial:predictions()) end)
    return list, trained, trial
  end
  local stored, trained, trial = predictions(true)
  lu.assertEquals(trained, 0)
  lu.assertEquals(query "SELECT count(*) AS n FROM prediction", { { n = 2 } })
  local right = 0
  for class, share in ipairs(trial.per_class) do
    lu.assertTrue(share == false or share >= 0 and share <= 1, class)
  end
  remove()
  local again = predictions(false) -- by the model
  lu.assertEquals(again, stored)
  lu.assertEquals(query "SELECT count(*) AS n FROM prediction", { { n = 0 } })
  local labels = values(spaces.data():targets "validation")
  for i, class in ipairs(stored) do right = right + (labels[i] == class and 1 or 0) end
  lu.assertEquals(right / #stored, trial.accuracy)
end

function T.test_predictions_for_millions_of_images()
  local study <close> = spaces.study()
  local trial, count = study:evaluate(arch), 2000000
  files.with(debug.getregistry()["luanas.Store"].__index, "predicted", function()
    return ("\0"):rep(count - 1) .. "\9"
  end, function()
    local predicted = trial:predictions()
    lu.assertEquals({ predicted:dtype(), predicted:shape() }, { "int32", { count } })
    lu.assertEquals({ predicted[1], predicted[count] }, { 1, 10 })
  end)
end

function T.test_the_test_split_is_opened_once()
  local function final(text, options)
    local study <close> = spaces.study { path = path }
    return study:final(study:evaluate(nas.arch(text)), options or { intent = "for the test" })
  end
  local other = "kernel=1{1,3} filters=2{2,4}"
  local metrics = final(arch:line())
  lu.assertEquals(#metrics.per_class, 10)
  lu.assertTrue(metrics.accuracy >= 0 and metrics.accuracy <= 1)
  lu.assertEquals(final(arch:line()), metrics)
  lu.assertErrorMsgContains("opened for another network", final, other)
  lu.assertErrorMsgContains("intent is nil", final, arch:line(), {})
  do -- the same network with other weights is another one
    local study <close> = spaces.study { path = path, name = "second" }
    study:final(study:evaluate(arch), { intent = "twice" })
    local same = study:evaluate(arch):model()
    lu.assertEquals(study:final(same, { intent = "twice" }), metrics)
    local model = nas.train(same.core:output(), study.data, { epochs = 1, batch = 7, quiet = true })
    lu.assertErrorMsgContains("opened for another network", study.final, study, model, { intent = "x" })
  end
  lu.assertEquals(query "SELECT intent FROM final", { { intent = "for the test" }, { intent = "twice" } })
  local study <close> = spaces.study { data = nas.data.tensors { x = core.tensor({ 4, 8, 8, 1 }, "uint8"),
    y = core.tensor_from({ 1, 2, 1, 2 }, "int32"), classes = 10 } }
  lu.assertErrorMsgContains("tensors has no test split", study.final, study, {}, { intent = "x" })
  check_whole()
end

function T.test_replicates_are_averaged()
  local study <close> = spaces.study { path = path, replicates = 3 }
  local trial = study:evaluate(arch)
  local sum, squares, single = 0, 0, {}
  for seed = 0, 2 do
    local one <close> = spaces.study { path = path, evaluation_seed = seed }
    lu.assertEquals(trainings(function() single[seed] = one:evaluate(arch) end), 0)
    sum = sum + single[seed].loss
  end
  for seed = 0, 2 do squares = squares + (single[seed].loss - sum / 3) ^ 2 end
  lu.assertAlmostEquals(trial.loss, sum / 3, 1e-12)
  lu.assertAlmostEquals(trial.loss_spread, (squares / 2) ^ 0.5, 1e-12)
  lu.assertEquals(trial.params, single[0].params)
  lu.assertAlmostEquals(trial.seconds, single[0].seconds + single[1].seconds + single[2].seconds, 1e-9)
  lu.assertAlmostEquals(trial.epochs[1].loss,
    (single[0].epochs[1].loss + single[1].epochs[1].loss + single[2].epochs[1].loss) / 3, 1e-12)
  lu.assertEquals(#trial.per_class, 10)
  lu.assertNil(trial.params_spread)
  lu.assertEquals(curve(study:trials()[1]), curve(trial)) -- as read from the file
  lu.assertErrorMsgContains("replicates is 0", spaces.study, { replicates = 0 })
end

function T.test_a_run_of_an_older_numeric_version_goes_on()
  local present = core.numeric_version
  local function older(body)
    core.numeric_version = present - 1
    local ok, problem = pcall(body)
    core.numeric_version = present
    if not ok then error(problem, 0) end
  end
  older(function() search { trials = 1 } end)
  local known = query "SELECT count(DISTINCT network) AS n FROM trial"[1].n
  lu.assertEquals(trainings(function() search { trials = 1 } end), 0)
  local trained = trainings(function() search { trials = 9 } end)
  lu.assertEquals(runs(), { "- 1 9" })
  local versions = query [[
    SELECT numeric_version AS version, count(DISTINCT network) AS n FROM evaluation GROUP BY numeric_version]]
  lu.assertEquals(versions, { { version = present - 1, n = known }, { version = present, n = trained } })
  local original, out = io.stdout, {}
  io.stdout = files.stream(out) -- luacheck: ignore 122
  local ok, problem = pcall(require "luanas.commands".run, "runs", { path })
  io.stdout = original -- luacheck: ignore 122
  lu.assertTrue(ok, problem)
  lu.assertStrContains(table.concat(out), ("%d mixed"):format(present - 1))
  -- A new run takes the present version; a branch goes on with that of the run which it leaves.
  local before = query "SELECT max(id) AS id FROM run"[1].id
  search { seed = 2 }
  lu.assertEquals(query([[
    SELECT DISTINCT evaluation.numeric_version AS version FROM trial JOIN evaluation ON evaluation.id = evaluation
    WHERE run > ?1]], before), { { version = present } })
  lu.assertEquals(trainings(function() search { trials = 1, reward = function() return 5 end } end), 0)
end

-- ---- Who else is there -----------------------------------------------------------------------------

-- Runs `body` where each study counts as one of another process.
local function as_processes(body)
  files.with(require "luanas.walk", "is_held_here", function() return false end, body)
end

function T.test_a_run_is_continued_by_one_at_a_time()
  search { trials = 2 }
  local function open(trials)
    local study = spaces.study { path = path }
    local policy = nas.policy { seed = 1, rate = 0.05 }
    local baseline = nas.reward.moving_average(0.8)
    for _ = 1, trials do
      local record = policy:sample(spaces.tiny)
      local trial = study:evaluate(record)
      local advantage = baseline:advantage(plain(trial))
      local learned = policy:learn { { record, advantage = advantage } }
      trial:log { reward = plain(trial), advantage = advantage, entropy = learned.entropy }
    end
    return study
  end
  local first <close> = open(3)
  local second <close> = open(2) -- follows
  lu.assertEquals(second.number, 2)
  as_processes(function()
    lu.assertErrorMsgContains("study: run 1 can't be continued: process ", open, 4)
  end)
  first:close()
  open(3):close()
  lu.assertEquals(runs(), { "- 1 3" })
end

function T.test_a_run_that_has_grown_before_it_was_continued()
  local records, policy = {}, nas.policy { seed = 1, rate = 0.05 }
  for i = 1, 4 do records[i] = policy:sample(spaces.tiny) end
  do
    local before <close> = spaces.study { path = path }
    before:evaluate(records[1])
  end
  local one <close> = spaces.study { path = path }
  one:evaluate(records[1])
  do
    local two <close> = spaces.study { path = path }
    for i = 1, 2 do two:evaluate(records[i]) end
  end
  for i = 2, 3 do one:evaluate(records[i]) end
  collectgarbage()
  one:evaluate(records[4])
  lu.assertEquals(one.number, 4)
end

-- Runs `body` as another script does.
local function as_script(text, body)
  files.with(require "luanas.script", "running", function() return { text = text, path = text } end, body)
end

function T.test_values_are_not_added_to_the_run_of_another_process()
  local function open(text)
    local study, trials = nil, {}
    as_script(text, function()
      study = spaces.study { path = path }
      local policy = nas.policy { seed = 1, rate = 0.05 }
      for i = 1, 2 do trials[i] = study:evaluate(policy:sample(spaces.tiny)) end
      if study.walk.run then study.walk:flush() end -- as before a training
    end)
    return study, trials
  end
  local first, first_trials = open "f"
  local second, second_trials = open "g"
  first_trials[1]:log { reward = 1 }
  second_trials[1]:log { reward = -1 }
  second_trials[2]:log { reward = -2 }
  first_trials[2]:log { reward = 2 }
  first:close()
  second:close()
  lu.assertEquals(runs(), { "- 1 2", "1 1 2" })
  lu.assertEquals(query "SELECT logged->>'reward' AS r FROM trial ORDER BY run, number",
    { { r = 1 }, { r = 2 }, { r = -1 }, { r = -2 } })
end

function T.test_a_script_that_runs_twice_at_once_is_refused()
  local records = {}
  local policy = nas.policy { seed = 1, rate = 0.05 }
  for i = 1, 2 do records[i] = policy:sample(spaces.tiny) end
  local one <close> = spaces.study { path = path }
  local two <close> = spaces.study { path = path }
  local methods = debug.getregistry()["luanas.Store"].__index
  local original = methods.put
  files.with(methods, "put", function(...) -- the other one is first with its run
    methods.put = original
    local id = original(...)
    one:evaluate(records[1])
    return id
  end, function() two:evaluate(records[1]) end)
  lu.assertEquals(runs(), { "- 1 1" })
  as_processes(function()
    lu.assertErrorMsgContains("study: run 1 can't be continued: process ", two.evaluate, two, records[2])
  end)
  one:evaluate(records[2])
end

function T.test_studies_that_share_a_store()
  for _, where in ipairs { path, false } do
    remove()
    local one <close> = spaces.study { path = where or nil }
    local two <close> = spaces.study { store = one.store }
    local policies = { nas.policy { seed = 1 }, nas.policy { seed = 1 } }
    one:evaluate(policies[1]:sample(spaces.tiny)):log { reward = 1 }
    two:evaluate(policies[2]:sample(spaces.tiny)):log { reward = 2 }
    one:evaluate(policies[1]:sample(spaces.tiny)):log { reward = 1 }
    two:evaluate(policies[2]:sample(spaces.tiny)):log { reward = 2 }
    lu.assertEquals(two.walk:run_id(), one.walk:run_id() + 1)
    lu.assertEquals(one:trials()[2].logged.reward, 1)
    lu.assertEquals(two:trials()[2].logged.reward, 2)
  end
end

function T.test_who_writes_a_run_is_kept()
  local function script(text, trials)
    as_script(text, function() search { trials = trials } end)
  end
  script("one", 2)
  script("one", 3)
  script("two", 5)
  script("two", 4)
  lu.assertEquals(query [[
    SELECT 1 AS first, body FROM run JOIN text ON text.id = script
    UNION ALL SELECT first, body FROM continuation JOIN text ON text.id = script ORDER BY first]],
    { { first = 1, body = "one" }, { first = 4, body = "two" } })
end

function T.test_fresh_seeds()
  -- A script that is ended by a problem, or comes to its end; the seeds of its studies.
  local function script(problem, counts)
    local seeds = {}
    for i, count in ipairs(counts or { 1 }) do
      local study <close> = spaces.study { path = path, fresh = true, replicates = count }
      study:evaluate(arch)
      seeds[i] = study.evaluation_seed
    end
    nas.study.close_all(problem)
    return table.concat(seeds, " ")
  end
  local first = evaluated(2)
  lu.assertEquals(script "stopped", "1")
  lu.assertEquals(trainings(function() lu.assertEquals(script(), "1") end), 0)
  lu.assertEquals(trainings(function() lu.assertEquals(script(), "2") end), 1)
  lu.assertNotEquals(query "SELECT metrics FROM trial WHERE run = 2"[1].metrics, core.json_encode(first.metrics))
  lu.assertEquals(script("stopped", { 3, 1 }), "3 6")
  lu.assertEquals(script(nil, { 3, 1 }), "3 6")
  lu.assertEquals(script(nil, { 1, 1 }), "7 8")
  lu.assertErrorMsgContains("both evaluation_seed and fresh", spaces.study, { fresh = true, evaluation_seed = 3 })
  check_whole()
end

function T.test_a_study_that_cant_be_written_keeps_none_from_it()
  local studies, closed = {}, 0
  for i = 1, 6 do
    studies[i] = spaces.study()
    studies[i].close = function()
      closed = closed + 1
      if i % 2 == 0 then error("the disk is full", 0) end
    end
  end
  lu.assertErrorMsgEquals("the disk is full", nas.study.close_all)
  lu.assertEquals(closed, 6)
  for _, each in ipairs(studies) do each.close = nil end
  nas.study.close_all()
end

-- Studies with other names differ on purpose: one that is new is compared with the newest of its name.
function T.test_what_a_new_study_differs_in_is_told_of_its_name()
  local function told(options)
    options.path = path
    local study <close>, texts = spaces.study(options), {}
    function study.say(_, format, ...) texts[#texts + 1] = format:format(...) end
    study:evaluate(arch)
    return table.concat(texts, "\n")
  end
  lu.assertEquals(told {}, "")
  lu.assertEquals(told { evaluation_seed = 1 },
    "study 2 is new in this file; study 1 has evaluation_seed=0 where this one has evaluation_seed=1")
  lu.assertEquals(told { name = "a" }, "")
  lu.assertEquals(told { name = "b", evaluation_seed = 2 }, "")
  lu.assertEquals(told { name = "a", evaluation_seed = 3 },
    "study 5 is new in this file; study 3 has evaluation_seed=0 where this one has evaluation_seed=3")
  lu.assertEquals(told { evaluation_seed = 4 },
    "study 6 is new in this file; study 2 has evaluation_seed=1 where this one has evaluation_seed=4")
  lu.assertEquals(told { name = "b", evaluation_seed = 2 }, "") -- it is there
end

function T.test_bad_paths()
  lu.assertErrorMsgContains("is a folder", spaces.study, { path = "/tmp" })
  lu.assertErrorMsgContains("study: path is 3", spaces.study, { path = 3 })
  local study = spaces.study { path = path }
  lu.assertErrorMsgContains("both store and path", spaces.study, { path = path, store = study.store })
end

return files.each_without(T)
