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

-- All that the result depends on. No optimiser or schedule here looks ahead, so the number of epochs
-- is left out.
local function key_text(study, built, own_recipe, loss)
  return table.concat({
    built.network:text(),
    loss and core.network(loss):text() or "",
    study.data:info().identity,
    own_recipe.text,
    ("seed=%d numeric_version=%d"):format(study.evaluation_seed, core.numeric_version),
  }, "\n")
end

local function seconds_of(epochs, count)
  local seconds, train_seconds = 0.0, 0.0
  for i = 1, math.min(count, #epochs) do
    seconds, train_seconds = seconds + epochs[i].seconds, train_seconds + epochs[i].train_seconds
  end
  return seconds, train_seconds
end

-- Trains until the recipe is done, a loss is not finite, or the limit in seconds is passed. Returns nil and why
-- for a network that is too large for the engine.
local function train(study, built, own_recipe, loss, observe)
  local trainer <close>, too_large = check.core(core.trainer, built.output, study.data:load(), own_recipe.core,
    study.evaluation_seed, study.speed, loss)
  if not trainer then return nil, too_large end
  local evaluation = { epochs = {} }
  local epochs = evaluation.epochs
  while #epochs < own_recipe.epochs do
    local epoch, message, code = trainer:epoch()
    if not epoch then
      if code == "NAS_INTERRUPTED" then error(message, 0) end
      if code ~= "NAS_DIVERGED" then check.fail("study: %s", message) end
      evaluation.diverged = message
      break
    end
    local finished = epoch.finished
    epoch.best, epoch.finished = nil, nil -- another recipe of the same key may have other rules
    epochs[#epochs + 1] = epoch
    observe(epoch)
    if finished then break end
    if study.limits.seconds and seconds_of(epochs, #epochs) > study.limits.seconds then break end
  end
  return evaluation
end

-- The evaluation, and whether it was recalled whole; nil, false and the reason where there can be none.
local function evaluation_of(study, built, own_recipe, observe)
  local loss = recipe.composed_loss(own_recipe, built.output, study.data:info().target_values)
  local key = key_text(study, built, own_recipe, loss)
  local stored = study.store:find(key)
  if stored and (recipe.judge(own_recipe, stored.epochs) or stored.diverged) then return stored, true end
  local evaluation, too_large = train(study, built, own_recipe, loss, observe)
  if not evaluation then return nil, false, too_large end
  if not stored or #evaluation.epochs > #stored.epochs or evaluation.diverged then
    study.store:put(key, evaluation)
  end
  return evaluation, false
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

--- The outcome of what a space built: { status =, reason =, recalled =, epochs =, metrics =, measured = }.
--- `observe` is called after each epoch that is trained.
function evaluate.outcome(study, built, observe)
  if built.arch.unbuildable then return failed(study, {}, "can't be built: " .. built.arch.unbuildable) end
  check_fit(built, study.data:info())
  local own_recipe = recipe.new(study.train, built.train)
  local costs = evaluate.costs(built.network, own_recipe)
  local reason = evaluate.over_limit(costs, study.limits)
  if reason then return failed(study, costs, reason) end

  local evaluation, recalled, too_large = evaluation_of(study, built, own_recipe, observe)
  if not evaluation then return failed(study, costs, too_large) end
  local last, kept = recipe.judge(own_recipe, evaluation.epochs)
  local epochs = table.move(evaluation.epochs, 1, last or #evaluation.epochs, 1, {})
  reason = failure(study, evaluation, last)
  if reason then
    local outcome = failed(study, costs, reason, epochs)
    outcome.recalled = recalled
    return outcome
  end

  local metrics = { params = costs.params, macs = costs.macs, memory = costs.memory }
  for name, value in pairs(epochs[kept]) do
    if not NOT_METRICS[name] then metrics[name] = value end
  end
  metrics.seconds, metrics.train_seconds = seconds_of(epochs, last)
  return {
    status = "ok", recalled = recalled, epochs = epochs, metrics = metrics,
    measured = { seconds = true, train_seconds = true },
  }
end

return evaluate
