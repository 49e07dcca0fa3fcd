-- study:evaluate and study:evaluate_all with epochs of their own.
local lu = require "luaunit"
local core = require "luanas.core"
local files = require "files"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local path, remove, query = files.path, files.remove, files.query
local trainings, curve = files.trainings, files.curve

local data = spaces.data { images = 120 }
local arch = nas.arch "kernel=3{1,3} filters=2{2,4}"

-- The tiny space's study, whose recipe has two epochs; `train` is added to the recipe.
local function study_of(train, options)
  local recipe, own = { epochs = 2, batch = 16, optimizer = nas.adam { rate = 0.01 } }, {
    path = path, data = data, -- which has epochs of several accuracies
  }
  for name, value in pairs(train or {}) do recipe[name] = value end
  for name, value in pairs(options or {}) do own[name] = value end
  own.train = recipe
  return spaces.study(own)
end

local function epochs_trained(body)
  return files.calls(debug.getregistry()["luanas.Trainer"].__index, "epoch", body)
end

local function state_of(trial)
  local model <close> = trial:model()
  return core.hash(model.trainer:state())
end

-- Weights, and what an evaluation by them gives, are those of the trial.
local function check_model(study, trial)
  local model <close> = trial:model()
  local found = model:evaluate(study.data)
  lu.assertEquals({ found.accuracy, found.loss }, { trial.accuracy, trial.loss })
end

-- ---- Lengths ---------------------------------------------------------------------------------------

function T.test_extended_trainings_have_the_bits_of_those_in_one_go()
  local whole, whole_state
  do
    local study <close> = study_of()
    local trial = study:evaluate(arch, { epochs = 7 })
    lu.assertEquals(#trial.epochs, 7)
    lu.assertEquals(trial.accuracy, trial.epochs[7].accuracy)
    whole, whole_state = curve(trial), state_of(trial)
  end
  for states, trained in pairs { [1 << 20] = { 3, 4, 0 }, [0] = { 3, 7, 0 } } do
    remove()
    local study <close> = study_of(nil, { states = states })
    local trial
    for i, epochs in ipairs { 3, 7, 5 } do
      lu.assertEquals(epochs_trained(function() trial = study:evaluate(arch, { epochs = epochs }) end), trained[i])
      lu.assertEquals(curve(trial), table.move(whole, 1, epochs, 1, {}))
      lu.assertEquals(trial.recalled, epochs == 5)
    end
    lu.assertEquals(state_of(study:evaluate(arch, { epochs = 7 })), whole_state)
    lu.assertEquals(query "SELECT count(*) AS n FROM evaluation", { { n = 1 } })
  end
end

-- Hundreds of instructions of Lua that a training of so many epochs takes, and its recall.
local function instructions(epochs, limits)
  local counts, sum, store = {}
  for i = 1, 2 do
    local study = spaces.study { train = { epochs = epochs, batch = 60 }, limits = limits, store = store }
    store, sum = study.store, 0
    debug.sethook(function() sum = sum + 1 end, "", 100)
    local trial = study:evaluate(arch)
    debug.sethook()
    lu.assertEquals({ #trial.epochs, trial.recalled }, { epochs, i == 2 })
    counts[i] = sum
  end
  return counts
end

-- After each epoch, all before it were looked at again.
function T.test_many_epochs_take_no_longer_each()
  for _, limits in ipairs { {}, { seconds = 1e6 } } do
    local few, many = instructions(100, limits), instructions(400, limits)
    for i = 1, 2 do lu.assertTrue(many[i] < 5 * few[i], ("%d, then %d"):format(few[i], many[i])) end
  end
end

function T.test_the_epochs_of_the_recipe_may_be_said()
  local study <close> = study_of()
  local trial = study:evaluate(arch)
  lu.assertEquals(trainings(function()
    lu.assertEquals(study:evaluate(arch, { epochs = 2 }).metrics, trial.metrics)
    lu.assertEquals(study:evaluate(arch, {}).metrics, trial.metrics)
  end), 0)
end

function T.test_costs_do_not_depend_on_them()
  local study <close> = study_of()
  local one, other = study:evaluate(arch, { epochs = 1 }), study:evaluate(arch, { epochs = 3 })
  for _, name in ipairs { "params", "macs", "memory" } do lu.assertEquals(one[name], other[name]) end
  lu.assertTrue(one.seconds < other.seconds)
end

-- A network counts once for each length among the best ones.
function T.test_rankings_know_lengths()
  local study <close> = study_of()
  for _, epochs in ipairs { 1, 6, 1 } do study:evaluate(arch, { epochs = epochs }) end
  local lengths = {}
  for _, trial in ipairs(study:best(nil, "seconds")) do lengths[#lengths + 1] = #trial.epochs end
  lu.assertEquals(lengths, { 1, 6 })
  lu.assertEquals(#study:rescore(function(trial) return trial.accuracy end), 2)
end

-- ---- Models ----------------------------------------------------------------------------------------

local RECIPES = {
  plain = {},
  cosine = { schedule = nas.schedule.cosine {} },
  cosine_with_horizon = { schedule = nas.schedule.cosine { epochs = 9 } },
  best = { keep = "best" },
  stopping = { patience = 1, min_delta = 0.5 },
  stopping_cosine = { patience = 2, min_delta = 0.5, keep = "best", schedule = nas.schedule.cosine { warmup = 1 } },
  own_loss = {
    schedule = nas.schedule.cosine {}, patience = 2, min_delta = 0.5, keep = "best",
    loss = function(output, target) return nas.nn.softmax_cross_entropy(output, target) end,
  },
}

function T.test_models_of_other_lengths()
  for name, recipe in pairs(RECIPES) do
    for _, states in ipairs { 1 << 20, 0 } do
      remove()
      local fingerprint
      do
        local study <close> = study_of(recipe, { states = states })
        for _, epochs in ipairs { 4, 1, 5 } do
          local trial = study:evaluate(arch, { epochs = epochs })
          lu.assertEquals(#trial.epochs, recipe.patience and math.min(epochs, 1 + recipe.patience) or epochs, name)
        end
        for _, trial in ipairs(study:trials()) do check_model(study, trial) end
        fingerprint = study:fingerprint()
      end
      local again <close> = study_of(recipe, { states = states })
      lu.assertEquals(trainings(function()
        for _, epochs in ipairs { 4, 1, 5 } do again:evaluate(arch, { epochs = epochs }) end
      end), 0)
      lu.assertEquals(again:fingerprint(), fingerprint)
      for _, trial in ipairs(again:trials()) do check_model(again, trial) end
      if not recipe.loss then
        local file <close> = nas.open(path)
        for _, trial in ipairs(file:study():trials()) do check_model(again, trial) end
      end
    end
  end
end

-- A cosine schedule looks ahead to its end: each length is a training of its own.
function T.test_a_cosine_is_not_extended()
  local study <close> = study_of(RECIPES.cosine)
  lu.assertEquals(epochs_trained(function()
    for _, epochs in ipairs { 3, 5, 4 } do study:evaluate(arch, { epochs = epochs }) end
  end), 12)
  remove()
  local with_horizon <close> = study_of(RECIPES.cosine_with_horizon)
  lu.assertEquals(epochs_trained(function()
    for _, epochs in ipairs { 3, 5, 4 } do with_horizon:evaluate(arch, { epochs = epochs }) end
  end), 5)
end

function T.test_predictions_of_other_lengths()
  local labels, seen = data:targets "validation", {}
  for _, recipe in ipairs { "plain", "best", "stopping_cosine" } do
    for _, wish in ipairs { true, false } do
      remove()
      local study <close> = study_of(RECIPES[recipe], { predictions = wish })
      for _, epochs in ipairs { 8, 1, 3 } do
        local trial = study:evaluate(arch, { epochs = epochs })
        local predicted, right = trial:predictions(), 0
        local count = labels:shape()[1]
        for i = 1, count do right = right + (labels:get(i) == predicted:get(i) and 1 or 0) end
        lu.assertEquals(right / count, trial.accuracy, recipe)
        seen[trial.accuracy] = true
      end
    end
  end
  lu.assertTrue(next(seen, next(seen)) ~= nil) -- else this test could not fail
end

function T.test_a_space_that_sets_the_recipe()
  local function space(c)
    local train = { epochs = 3, schedule = nas.schedule.cosine {}, optimizer = nas.sgd { rate = 0.1 } }
    return spaces.tiny(c), { train = train }
  end
  local study <close> = study_of(nil, { space = space })
  for _, epochs in ipairs { 5, 3, 1 } do
    local trial = study:evaluate(arch, { epochs = epochs })
    lu.assertEquals(#trial.epochs, epochs)
    check_model(study, trial)
  end
  lu.assertTrue(study:evaluate(arch).recalled) -- three
end

function T.test_replicates_of_other_lengths()
  local study <close> = study_of(nil, { replicates = 2 })
  local trial
  lu.assertEquals(epochs_trained(function() trial = study:evaluate(arch, { epochs = 3 }) end), 6)
  lu.assertEquals(#trial.epochs, 3)
  lu.assertIsNumber(trial.accuracy_spread)
  lu.assertEquals(epochs_trained(function() study:evaluate(arch, { epochs = 4 }) end), 2)
end

-- The model and the predictions of a trial with replicates are those of the first one by itself.
local function check_first(study, trial, first)
  local model <close> = trial:model()
  lu.assertEquals(#model.history, #first.epochs)
  lu.assertEquals(model:evaluate(study.data).loss, first.loss)
  lu.assertEquals(trial:predictions(), first:predictions())
end

function T.test_models_of_replicates_that_stop_after_other_numbers_of_epochs()
  local longer = 0
  for _, keep in ipairs { "last", "best" } do
    local train = { epochs = 12, patience = 2, keep = keep, batch = 16, optimizer = nas.adam { rate = 0.05 } }
    for seed = 0, 5 do
      remove()
      local study <close> = study_of(train, { replicates = 2, evaluation_seed = seed, predictions = seed % 2 == 0 })
      local alone <close> = spaces.study { store = study.store, data = data, train = train, evaluation_seed = seed }
      local short, whole = study:evaluate(arch, { epochs = 1 }), study:evaluate(arch)
      local first_short, first = alone:evaluate(arch, { epochs = 1 }), alone:evaluate(arch)
      check_first(study, whole, first)
      check_first(study, short, first_short)
      check_first(study, study:trials()[2], first)
      if #first.epochs > #whole.epochs then longer = longer + 1 end
    end
  end
  lu.assertTrue(longer > 0)
end

-- ---- Runs ------------------------------------------------------------------------------------------

local LENGTHS = { 1, 3, false, 2, 5, 1 } -- false: by the recipe

local function mixed(stop_at, lengths)
  local study <close> = study_of()
  local policy = nas.policy { seed = 1 }
  for i, epochs in ipairs(lengths or LENGTHS) do
    if i == stop_at then error("stopped", 0) end
    local trial = study:evaluate(policy:sample(spaces.tiny), { epochs = epochs or nil })
    trial:log { reward = trial.accuracy + i }
  end
  return study:fingerprint()
end

function T.test_a_run_of_mixed_lengths_is_followed_and_continued()
  local whole = mixed()
  lu.assertEquals(trainings(function() lu.assertEquals(mixed(), whole) end), 0)
  lu.assertEquals(query "SELECT count(*) AS n FROM run", { { n = 1 } })
  for step = 1, #LENGTHS do
    remove()
    lu.assertErrorMsgEquals("stopped", mixed, step)
    lu.assertEquals(mixed(), whole)
    lu.assertEquals(query "SELECT count(*) AS n FROM run", { { n = 1 } })
  end
end

function T.test_another_length_leaves_the_run()
  mixed()
  mixed(nil, { 1, 3, false, 4, 5, 1 })
  lu.assertEquals(query "SELECT parent, first FROM run WHERE id = 2", { { parent = 1, first = 4 } })
end

function T.test_all_of_one_length()
  local study <close> = study_of()
  local trials = study:evaluate_all(spaces.all(spaces.tiny), { epochs = 3 })
  lu.assertEquals(#trials, 4)
  for _, trial in ipairs(trials) do
    lu.assertEquals(#trial.epochs, 3)
    lu.assertFalse(trial.recalled)
  end
  for _, trial in ipairs(study:evaluate_all(spaces.all(spaces.tiny))) do lu.assertTrue(trial.recalled) end
end

function T.test_wrong_arguments()
  local study <close> = study_of()
  local function refused(text, options)
    lu.assertErrorMsgContains("study:evaluate: " .. text, study.evaluate, study, arch, options)
    lu.assertErrorMsgContains("study:evaluate_all: " .. text, study.evaluate_all, study, { arch }, options)
  end
  refused("epochs is 0; expected an integer from 1 to 1000000", { epochs = 0 })
  refused("epochs is 1.5", { epochs = 1.5 })
  refused('epochs is "3"', { epochs = "3" })
  refused("epochs is 1000001", { epochs = 1000001 })
  refused('unknown option "epoch"; known options: epochs', { epoch = 1 })
  refused("options are 3; expected a table with epochs", 3)
  lu.assertEquals(#study:trials(), 0)
end

return files.each_without(T)
