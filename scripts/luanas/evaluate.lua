--- What a network is worth: costs and limits first, then its evaluation, recalled or trained.
local core = require "luanas.core"
local check = require "luanas.check"
local recipe = require "luanas.recipe"

local evaluate = {}

-- ---- Costs and limits ------------------------------------------------------------------------------

local COSTS = { "params", "macs", "memory" } -- known before anything is allocated

-- Fields of an epoch that are not metrics of the trial, or are added up.
local NOT_METRICS = { epoch = true, seconds = true, train_seconds = true }

--- { params =, macs =, memory = } of training a network by a recipe.
function evaluate.costs(network, own_recipe)
  return { params = network:params(), macs = network:macs(), memory = network:memory(own_recipe.batch) }
end

--- Why the costs are above the limits, or nil.
function evaluate.over_limit(costs, limits)
  for _, name in ipairs(COSTS) do
    if limits[name] and costs[name] > limits[name] then
      return ("%s: %d is above the limit of %s"):format(name, costs[name], core.number_text(limits[name]))
    end
  end
  return nil
end

-- ---- Does the network fit the data? ----------------------------------------------------------------

local function check_fit(built, info)
  local output = built.output:shape()
  local units = info.classes or info.target_values
  local fits = #output == 1 and (output[1] == units or (info.classes == 2 and output[1] == 1))
  if not fits then
    check.fail("study: the space's network ends in shape %s, but %s has %d %s; end it with "
      .. "nn.dense(x, { units = %d })", table.concat(output, "x"), info.name, units,
      info.classes and "classes" or "target values", units)
  end
  for _, layer in ipairs(built.network:layers()) do
    local shape = #layer.inputs == 0 and layer.shape
    if shape and not (shape[1] == info.height and shape[2] == info.width and shape[3] == info.channels) then
      check.fail("study: the space's network has input %s, but the images of %s are %dx%dx%d; begin it with "
        .. "nn.input { %d, %d, %d }", table.concat(shape, "x"), info.name, info.height, info.width, info.channels,
        info.height, info.width, info.channels)
    end
  end
end

-- ---- Evaluations -----------------------------------------------------------------------------------

-- What a store has of an evaluation: { id =, epochs = one table for each, diverged = why there is no further one }.
local MEASURED = { seconds = true, train_seconds = true }

local function store_call(method, ...)
  local result, message = check.core(method, ...)
  if result == nil then check.fail("study: %s", message) end
  return result
end

-- An epoch as two texts, and back.
local function epoch_row(epoch)
  local metrics, measured = {}, {}
  for name, value in pairs(epoch) do
    if MEASURED[name] then measured[name] = value elseif name ~= "epoch" then metrics[name] = value end
  end
  return { metrics = core.json_encode(metrics), measured = core.json_encode(measured) }
end

--- The table of an epoch from its number and two texts.
function evaluate.epoch(number, metrics, measured)
  local epoch = core.json_decode(metrics)
  for name, value in pairs(core.json_decode(measured)) do epoch[name] = value end
  epoch.epoch = number
  return epoch
end

-- All that the result depends on. No optimiser or schedule here looks ahead, so the number of epochs
-- is left out.
local function key_of(study, built, own_recipe, loss)
  return {
    network = built.network:text(),
    loss = loss and core.network(loss):text() or "",
    data = study.data:info().identity,
    recipe = own_recipe.text,
    seed = study.evaluation_seed,
    numeric_version = core.numeric_version,
  }
end

local function seconds_of(epochs, count)
  local seconds, train_seconds = 0.0, 0.0
  for i = 1, math.min(count, #epochs) do
    seconds, train_seconds = seconds + epochs[i].seconds, train_seconds + epochs[i].train_seconds
  end
  return seconds, train_seconds
end

local function find(study, key)
  local stored = store_call(study.store.find, study.store, key)
  if not stored then return nil end
  for i, row in ipairs(stored.epochs) do stored.epochs[i] = evaluate.epoch(i, row.metrics, row.measured) end
  return stored
end

-- The whole evaluation under one of the numeric versions, or nil; and what there is under the present one.
local function recall(study, key, own_recipe, versions)
  local present
  for _, version in ipairs(versions) do
    key.numeric_version = version
    local stored = find(study, key)
    if version == core.numeric_version then present = stored end
    if stored and (recipe.judge(own_recipe, stored.epochs) or stored.diverged) then return stored end
  end
  key.numeric_version = core.numeric_version
  return nil, present
end

-- Waits until no other process trains this; then nobody else begins to.
local function claim(study, key)
  local told
  while true do
    local lock, message, code = check.core(study.store.lock_evaluation, study.store, key, "trains a network")
    if lock then return lock end
    if code ~= "NAS_BUSY" then check.fail("study: %s", message) end
    if not told then study:say("waiting: %s", message) end
    told = true
    core.sleep(0.05)
  end
end

-- A trainer where the stored epochs end, or at the beginning when their state is gone. Returns nil and why for a
-- network that is too large for the engine.
local function trainer_after(study, built, own_recipe, loss, stored)
  local trainer, too_large = check.core(core.trainer, built.output, study.data:load(), own_recipe.core,
    study.evaluation_seed, study.speed, loss)
  if not trainer or not stored then return trainer, too_large end
  local state, epoch = check.core(study.store.state, study.store, stored.id)
  if not state or epoch ~= #stored.epochs then return trainer end
  local restored, message = check.core(trainer.restore_state, trainer, state)
  if not restored then check.fail("study: the state after epoch %d: %s", epoch, message) end
  return trainer
end

-- Puts the epochs after the first `from` - 1 of them.
local function put(study, key, evaluation, from, trainer)
  local rows = {}
  for i = from, #evaluation.epochs do rows[i - from + 1] = epoch_row(evaluation.epochs[i]) end
  evaluation.id = store_call(study.store.put, study.store, key, {
    from = from, epochs = rows, diverged = evaluation.diverged, state = study.states > 0 and trainer:state() or nil,
  })
  store_call(study.store.trim_states, study.store, study.states)
end

-- Trains until the recipe is done, a loss is not finite, or the limit in seconds is passed. Returns nil and why
-- for a network that is too large for the engine.
local function train(study, built, own_recipe, loss, key, stored, observe)
  local trainer <close>, too_large = trainer_after(study, built, own_recipe, loss, stored)
  if not trainer then return nil, too_large end
  local evaluation, kept = { epochs = {} }, stored and #stored.epochs or 0
  local epochs = evaluation.epochs
  for i = 1, trainer:epochs() do epochs[i] = stored.epochs[i] end
  while not recipe.judge(own_recipe, epochs) do
    local epoch, message, code = trainer:epoch()
    if not epoch then
      if code == "NAS_INTERRUPTED" then error(message, 0) end
      if code ~= "NAS_DIVERGED" then check.fail("study: %s", message) end
      evaluation.diverged = message
      break
    end
    epoch.best, epoch.finished = nil, nil -- another recipe of the same key may have other rules
    epochs[#epochs + 1] = epoch
    observe(epoch)
    if study.limits.seconds and seconds_of(epochs, #epochs) > study.limits.seconds then break end
    if own_recipe.epochs > study.checkpoint and #epochs > kept then
      put(study, key, evaluation, #epochs, trainer)
      kept = #epochs
    end
  end
  if #epochs > kept or evaluation.diverged then put(study, key, evaluation, kept + 1, trainer) end
  return evaluation
end

-- The evaluation, and whether it was recalled whole; nil, false and the reason where there can be none.
local function evaluation_of(study, built, own_recipe, versions, observe)
  local loss = recipe.composed_loss(own_recipe, built.output, study.data:info().target_values)
  local key = key_of(study, built, own_recipe, loss)
  local whole = recall(study, key, own_recipe, versions)
  if whole then return whole, true end
  study.walk:flush()
  local _ <close> = claim(study, key)
  local present
  whole, present = recall(study, key, own_recipe, { core.numeric_version }) -- by who had the claim before
  if whole then return whole, true end
  local evaluation, too_large = train(study, built, own_recipe, loss, key, present, observe)
  return evaluation, false, too_large
end

-- ---- Outcomes --------------------------------------------------------------------------------------

-- Metrics of a failed trial: what the study says that it counts as, and the costs that are known.
local function failed(study, costs, reason, epochs)
  local metrics = {}
  for name, value in pairs(costs) do metrics[name] = value end
  for name, value in pairs(study.failed) do metrics[name] = value end
  return {
    status = "failed", reason = reason, recalled = false, epochs = epochs or {}, metrics = metrics, measured = {},
  }
end

-- Why the evaluation does not count, or nil. `last` is the epoch that ends it, nil if it was not reached.
local function failure(study, evaluation, last)
  local limit = study.limits.seconds
  for i = 1, last or #evaluation.epochs do
    local seconds = seconds_of(evaluation.epochs, i)
    if limit and seconds > limit then
      return ("seconds: %.3g after epoch %d are above the limit of %s"):format(seconds, i, core.number_text(limit))
    end
  end
  return not last and evaluation.diverged or nil
end

-- Of a network that is described well.
local function outcome_of(study, built, own_recipe, versions, observe)
  local costs = evaluate.costs(built.network, own_recipe)
  local reason = evaluate.over_limit(costs, study.limits)
  if reason then return failed(study, costs, reason) end

  local evaluation, recalled, too_large = evaluation_of(study, built, own_recipe, versions, observe)
  if not evaluation then return failed(study, costs, too_large) end
  local last, kept = recipe.judge(own_recipe, evaluation.epochs)
  local epochs = table.move(evaluation.epochs, 1, last or #evaluation.epochs, 1, {})
  reason = failure(study, evaluation, last)
  if reason then
    local outcome = failed(study, costs, reason, epochs)
    outcome.recalled, outcome.evaluation = recalled, evaluation.id
    return outcome
  end

  local metrics = { params = costs.params, macs = costs.macs, memory = costs.memory }
  for name, value in pairs(epochs[kept]) do
    if not NOT_METRICS[name] then metrics[name] = value end
  end
  metrics.seconds, metrics.train_seconds = seconds_of(epochs, last)
  return {
    status = "ok", recalled = recalled, epochs = epochs, metrics = metrics, evaluation = evaluation.id,
    measured = { seconds = true, train_seconds = true },
  }
end

-- A trial of its own of the same network.
local function again(outcome)
  local copy = {}
  for name, value in pairs(outcome) do copy[name] = value end
  copy.recalled = true
  copy.metrics = {}
  for name, value in pairs(outcome.metrics) do copy.metrics[name] = value end
  return copy
end

local OUTCOMES_MAX = 2000 -- that are kept in memory: most searches come to the same networks again

--- The outcome of what a space built: { status =, reason =, recalled =, epochs =, metrics =, measured =,
--- evaluation = its id in the store or nil }. Evaluations are recalled under the given numeric versions, in this order.
--- `observe` is called after each epoch that is trained.
function evaluate.outcome(study, built, versions, observe)
  if built.arch.unbuildable then return failed(study, {}, "can't be built: " .. built.arch.unbuildable) end
  check_fit(built, study.data:info())
  if built.train or study.recipe.loss then
    return outcome_of(study, built, recipe.new(study.train, built.train), versions, observe)
  end
  local text = built.network:text()
  local known = study.outcomes[text]
  if known then return again(known) end
  local outcome = outcome_of(study, built, study.recipe, versions, observe)
  if study.outcome_count == OUTCOMES_MAX then study.outcomes, study.outcome_count = {}, 0 end
  study.outcomes[text], study.outcome_count = again(outcome), study.outcome_count + 1
  return outcome
end

return evaluate
