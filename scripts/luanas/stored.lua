--- Trials as they are read from a store: their epochs, their models and predictions, their ranking under a reward.
---
--- The owner is a study, or one that was opened without its script (opened.lua): with the fields store, data, recipe,
--- evaluation_seed, replicates and speed, and begin_training(self, trial, epochs).
local core = require "luanas.core"
local check = require "luanas.check"
local evaluation = require "luanas.evaluation"
local recipe = require "luanas.recipe"
local replicates = require "luanas.replicates"
local train = require "luanas.train"
local trial = require "luanas.trial"
local watch = require "luanas.watch"

local stored = {}

-- ---- Runs ------------------------------------------------------------------------------------------

--- The pieces of runs that make up run ?1: its own trials, and those of its parents up to where it leaves them; before
--- a SELECT ... OF_LINE.
stored.LINE = [[
  WITH RECURSIVE line(run, first, last) AS (
    SELECT id, first, (SELECT ifnull(max(number), first - 1) FROM trial WHERE trial.run = id) FROM run WHERE id = ?1
    UNION ALL
    SELECT up.id, up.first, line.first - 1 FROM line JOIN run ON run.id = line.run JOIN run up ON up.id = run.parent
  ) ]]
stored.OF_LINE = " FROM line JOIN trial ON trial.run = line.run AND trial.number BETWEEN line.first AND line.last "

local CHANGED = stored.LINE .. [[
  SELECT file FROM line JOIN reward_version v ON v.run = line.run AND v.first BETWEEN line.first AND line.last
  GROUP BY file HAVING count(DISTINCT source) > 1]]

--- Whether a live reward of a run has had several versions.
function stored.has_changed_reward(store, run)
  return store:row(CHANGED, run) ~= nil
end

-- ---- Epochs ----------------------------------------------------------------------------------------

local EPOCHS = "SELECT " .. evaluation.COLUMNS .. " FROM epoch WHERE evaluation = ?1 AND number <= ?2 ORDER BY number"

-- Those of the evaluation of another replicate.
local REPLICATE = [[
  SELECT other.id FROM evaluation first JOIN evaluation other ON other.network = first.network
    AND other.loss = first.loss AND other.data = first.data AND other.recipe = first.recipe
    AND other.numeric_version = first.numeric_version AND other.seed = first.seed + ?2
  WHERE first.id = ?1]]

local function read_epochs(store, id, count)
  local epochs = {}
  for row in store:rows(EPOCHS, id, count) do epochs[row.number] = evaluation.from_row(row, id) end
  return epochs
end

-- The epochs of all replicates of an evaluation, `count` of each at most.
local function epochs_of_replicates(study, evaluation_id, count)
  local lists = { read_epochs(study.store, evaluation_id, count) }
  for k = 2, study.replicates do
    local other = study.store:row(REPLICATE, evaluation_id, k - 1)
    if other then lists[#lists + 1] = read_epochs(study.store, other.id, count) end
  end
  return lists
end

--- A function that reads the epochs of a study's trial that count, from its row: those of its evaluation, or the means
--- of all replicates.
function stored.epochs_reader(study, row)
  return function()
    if not row.evaluation then return {} end
    if study.replicates == 1 or row.status ~= "ok" then return read_epochs(study.store, row.evaluation, row.epochs) end
    return replicates.mean_epochs(epochs_of_replicates(study, row.evaluation, row.epochs))
  end
end

-- The epochs of the evaluation that has a trial's model: of the first replicate, which may have more of them than
-- all have.
local function epochs_of_model(study, own_recipe, of)
  if study.replicates == 1 then return of.epochs end
  local lists, count = epochs_of_replicates(study, of.evaluation, recipe.MAX_EPOCHS), #of.epochs
  for _, list in ipairs(lists) do
    if recipe.patience_end(own_recipe, list) == count then -- else all have reached the number that was asked for
      local most = count > own_recipe.epochs and recipe.MAX_EPOCHS or own_recipe.epochs
      count = math.min(recipe.patience_end(own_recipe, lists[1]) or #lists[1], most)
      break
    end
  end
  return table.move(lists[1], 1, count, 1, {})
end

-- ---- Models and predictions ------------------------------------------------------------------------

local TEXTS = [[
  SELECT n.body AS network, r.body AS recipe, numeric_version AS version FROM evaluation
    JOIN text n ON n.id = network JOIN text r ON r.id = recipe WHERE evaluation.id = ?1]]

-- The layers and the recipe of a trial by the texts of its evaluation: no space is needed.
local function built_by_texts(owner, of, texts)
  local own_recipe = recipe.of_text(owner.recipe, texts.recipe)
  if not own_recipe then check.fail("trial %d of run %d: its recipe is not of this version", of.number, of.run) end
  return check.must(core.network_parse, texts.network), own_recipe
end

--- The functions model(trial) and predictions(trial), for trial.lua. `built_by`(owner, trial, texts) gives the layers
--- and the recipe; nil: the texts of the evaluation do.
function stored.functions(owner, built_by)
  -- Where there are weights that this engine can give back.
  local function built_of(of, what)
    if of.status ~= "ok" then check.fail("trial %d, %s: it failed: %s", of.number, what, of.reason) end
    local texts = owner.store:row(TEXTS, of.evaluation)
    if texts.version ~= core.numeric_version then
      check.fail("trial %d, %s: it was evaluated under numeric version %d; this engine has version %d, under which the "
        .. "network gets other weights: evaluate it in a new run", of.number, what, texts.version, core.numeric_version)
    end
    return (built_by or built_by_texts)(owner, of, texts)
  end
  local own = {}
  function own.model(of)
    local output, own_recipe = built_of(of, "model")
    local epochs = epochs_of_model(owner, own_recipe, of)
    local watched, observe = owner:begin_training(of, #epochs)
    local _ <close> = watched
    return train.model_of(evaluation.trainer(owner, output, own_recipe, #epochs, observe), epochs)
  end
  function own.predictions(of)
    local _, own_recipe = built_of(of, "predictions")
    if not owner.data:info().classes then
      check.fail("trial %d, predictions: %s has values, and no classes; use trial:model():predict(...)", of.number,
        owner.data.name)
    end
    local kept = recipe.kept(own_recipe, epochs_of_model(owner, own_recipe, of))
    local bytes = check.must(owner.store.predicted, owner.store, of.evaluation, kept)
    if bytes then return core.tensor_from_bytes(bytes, { #bytes }, "uint8"):to "int32" + 1 end
    local trained <close> = own.model(of)
    return trained:evaluate(owner.data).predicted
  end
  return own
end

-- ---- Ranking ---------------------------------------------------------------------------------------

local OK_TRIALS = "SELECT " .. trial.COLUMNS .. " FROM trial JOIN run ON run.id = trial.run "
  .. "WHERE study = ?1 AND status = 'ok' ORDER BY trial.run, number"

--- One trial of each evaluation that a study has, in the order of their runs; trial_of(row) makes them.
function stored.distinct(owner, study, trial_of)
  local seen, trials = {}, {}
  for row in owner.store:rows(OK_TRIALS, study) do
    local key = ("%d %d"):format(row.evaluation, row.epochs)
    if not seen[key] then seen[key], trials[#trials + 1] = true, trial_of(row) end
  end
  return trials
end

--- Those trials by a reward, the highest first: { reward =, run =, trial = }.
function stored.rank(owner, study, reward, trial_of)
  if not check.is_callable(reward) then
    check.fail("study:rescore: reward is %s; expected a function of a trial", check.show(reward))
  end
  local ranked = {}
  reward = watch.ranking(reward)
  for i, each in ipairs(stored.distinct(owner, study, trial_of)) do
    local value = check.number("study:rescore", "reward", check.run(reward, each))
    ranked[i] = { reward = value, run = each.run, trial = each }
  end
  table.sort(ranked, function(a, b)
    if a.reward ~= b.reward then return a.reward > b.reward end
    if a.run ~= b.run then return a.run < b.run end
    return a.trial.number < b.trial.number
  end)
  return ranked
end

return stored
