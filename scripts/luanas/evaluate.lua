--- What a network is worth: costs and limits first, then its evaluation, recalled or trained.
local core = require "luanas.core"
local check = require "luanas.check"
local recipe = require "luanas.recipe"

local evaluate = {}

-- ---- Costs and limits ------------------------------------------------------------------------------

local COSTS = { "params", "macs", "memory" } -- known before anything is allocated

local function costs_of(network)
  local costs = {}
  for _, name in ipairs(COSTS) do costs[name] = network[name](network) end
  return costs
end

-- Why the costs are above the study's limits, or nil.
local function over_limit(costs, limits)
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
  if #output ~= 1 or output[1] ~= info.classes then
    check.fail("study: the space's network ends in shape %s, but %s has %d classes; end it with "
      .. "nn.dense(x, { units = %d })", table.concat(output, "x"), info.name, info.classes, info.classes)
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
local function key_text(study, built, own_recipe)
  return table.concat({
    built.network:text(),
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

-- Trains until all epochs are done, a loss is not finite, or the limit in seconds is passed. Returns nil and why
-- for a network that is too large for the engine.
local function train(study, built, own_recipe, observe)
  local trainer <close>, too_large = check.core(core.trainer, built.output, study.data:load(), own_recipe.core,
    study.evaluation_seed, study.speed)
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
    epochs[#epochs + 1] = epoch
    observe(epoch)
    if study.limits.seconds and seconds_of(epochs, #epochs) > study.limits.seconds then break end
  end
  return evaluation
end

-- The evaluation, and whether it was recalled whole; nil, false and the reason where there can be none.
local function evaluation_of(study, built, own_recipe, observe)
  local key = key_text(study, built, own_recipe)
  local stored = study.store:find(key)
  if stored and (#stored.epochs >= own_recipe.epochs or stored.diverged) then return stored, true end
  local evaluation, too_large = train(study, built, own_recipe, observe)
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

-- Why the evaluation does not count, or nil.
local function failure(study, evaluation, count)
  local limit = study.limits.seconds
  for i = 1, math.min(count, #evaluation.epochs) do
    local seconds = seconds_of(evaluation.epochs, i)
    if limit and seconds > limit then
      return ("seconds: %.3g after epoch %d are above the limit of %s"):format(seconds, i, core.number_text(limit))
    end
  end
  return #evaluation.epochs < count and evaluation.diverged or nil
end

--- The outcome of what a space built: { status =, reason =, recalled =, epochs =, metrics =, measured = }.
--- `observe` is called after each epoch that is trained.
function evaluate.outcome(study, built, observe)
  if built.arch.unbuildable then return failed(study, {}, "can't be built: " .. built.arch.unbuildable) end
  check_fit(built, study.data:info())
  local costs = costs_of(built.network)
  local reason = over_limit(costs, study.limits)
  if reason then return failed(study, costs, reason) end

  local own_recipe = recipe.new(study.train, built.train)
  local evaluation, recalled, too_large = evaluation_of(study, built, own_recipe, observe)
  if not evaluation then return failed(study, costs, too_large) end
  local count = own_recipe.epochs
  local epochs = table.move(evaluation.epochs, 1, math.min(count, #evaluation.epochs), 1, {})
  reason = failure(study, evaluation, count)
  if reason then
    local outcome = failed(study, costs, reason, epochs)
    outcome.recalled = recalled
    return outcome
  end

  local last = epochs[count]
  local metrics = {
    accuracy = last.accuracy, loss = last.loss,
    train_accuracy = last.train_accuracy, train_loss = last.train_loss,
    params = costs.params, macs = costs.macs, memory = costs.memory,
  }
  metrics.seconds, metrics.train_seconds = seconds_of(epochs, count)
  return {
    status = "ok", recalled = recalled, epochs = epochs, metrics = metrics,
    measured = { seconds = true, train_seconds = true },
  }
end

return evaluate
