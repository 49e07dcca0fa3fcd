--- What a network is worth: costs and limits first, then its evaluation, recalled or trained.
local core = require "luanas.core"
local check = require "luanas.check"
local evaluation = require "luanas.evaluation"
local recipe = require "luanas.recipe"
local replicates = require "luanas.replicates"

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
  local expected = table.concat(info.shape, "x")
  for _, layer in ipairs(built.network:layers()) do
    local shape = #layer.inputs == 0 and table.concat(layer.shape, "x")
    if shape and shape ~= expected then
      check.fail("study: the space's network has input %s, but what %s has is %s; begin it with nn.input { %s }", shape,
        info.name, expected, table.concat(info.shape, ", "))
    end
  end
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
local function failure(study, found, last)
  local limit, seconds = study.limits.seconds or math.huge, 0.0
  for i = 1, last or #found.epochs do
    seconds = seconds + found.epochs[i].seconds
    if seconds > limit then
      return ("seconds: %.3g after epoch %d are above the limit of %s"):format(seconds, i, core.number_text(limit))
    end
  end
  return not last and found.diverged or nil
end

-- Of a network that is described well.
local function outcome_of(study, built, own_recipe, versions, observe)
  local costs = evaluate.costs(built.network, own_recipe)
  local reason = evaluate.over_limit(costs, study.limits)
  if reason then return failed(study, costs, reason) end

  local found, recalled, too_large = evaluation.get(study, built.output, own_recipe, versions, observe)
  if not found then return failed(study, costs, too_large) end
  local last, kept = recipe.judge(own_recipe, found.epochs)
  local epochs = table.move(found.epochs, 1, last or #found.epochs, 1, {})
  reason = failure(study, found, last)
  if reason then
    local outcome = failed(study, costs, reason, epochs)
    outcome.recalled, outcome.evaluation = recalled, found.id
    return outcome
  end

  local metrics = { params = costs.params, macs = costs.macs, memory = costs.memory }
  for name, value in pairs(epochs[kept]) do
    if not NOT_METRICS[name] then metrics[name] = value end
  end
  metrics.seconds, metrics.train_seconds = evaluation.seconds_of(epochs, last)
  return {
    status = "ok", recalled = recalled, epochs = epochs, metrics = metrics, evaluation = found.id,
    measured = { seconds = true, train_seconds = true },
  }
end

-- What sees the epochs of replicate k.
local function observer(observe, k)
  return function(epoch) observe(epoch, k) end
end

-- The same of all replicates; the first that fails is the outcome.
local function outcome_of_all(study, built, own_recipe, versions, observe)
  if study.replicates == 1 then return outcome_of(study, built, own_recipe, versions, observe) end
  local outcomes = {}
  for k = 1, study.replicates do
    outcomes[k] = outcome_of(replicates.view(study, k), built, own_recipe, versions, observer(observe, k))
    if outcomes[k].status ~= "ok" then return outcomes[k] end
  end
  return replicates.combined(outcomes)
end

--- Whether there is something to train: a network within the limits. Raises an error where it does not fit the data.
function evaluate.is_trainable(study, built, own_recipe)
  if not built.network or evaluate.over_limit(evaluate.costs(built.network, own_recipe), study.limits) then
    return false
  end
  check_fit(built, study.data:info())
  return true
end

--- Trains what the outcome of a trainable network takes and is not there, unless another process does. Whether it has
--- trained.
function evaluate.try(study, built, own_recipe, versions, observe)
  local trained = false
  for k = 1, study.replicates do
    local view = replicates.view(study, k)
    trained = evaluation.try(view, built.output, own_recipe, versions, observer(observe, k)) or trained
  end
  return trained
end

-- Adds the metrics as texts: those that all machines have, and those that were measured.
local function with_texts(outcome)
  local metrics, measured = {}, {}
  for name, value in pairs(outcome.metrics) do
    if outcome.measured[name] then measured[name] = value else metrics[name] = value end
  end
  outcome.epoch_count = #outcome.epochs
  outcome.metrics_text, outcome.measured_text = core.json_encode(metrics), core.json_encode(measured)
  return outcome
end

local OUTCOMES_MAX = 2000 -- that are kept in memory: most searches come to the same networks again

--- The outcome of what a space built, and whether nothing was trained: { status =, reason =, recalled =, epochs =,
--- epoch_count =, metrics =, measured =, metrics_text =, measured_text =, evaluation = its id in the store or nil }.
--- Evaluations are recalled under the given numeric versions, in this order. `observe` is called after each epoch that
--- is trained, with the replicate that it is of. Trials of the same network and recipe share one outcome.
function evaluate.outcome(study, built, own_recipe, versions, observe)
  if built.arch.unbuildable then
    return with_texts(failed(study, {}, "can't be built: " .. built.arch.unbuildable)), false
  end
  if built.train or study.recipe.loss then
    check_fit(built, study.data:info())
    local outcome = with_texts(outcome_of_all(study, built, own_recipe, versions, observe))
    return outcome, outcome.recalled
  end
  built.text = built.text or built.network:text()
  local before = study.outcomes[own_recipe] and study.outcomes[own_recipe][built.text]
  if before then return before, true end
  check_fit(built, study.data:info())
  local outcome = with_texts(outcome_of_all(study, built, own_recipe, versions, observe))
  if study.outcome_count == OUTCOMES_MAX then study.outcomes, study.outcome_count = {}, 0 end
  local of_recipe = study.outcomes[own_recipe] or {}
  study.outcomes[own_recipe] = of_recipe
  of_recipe[built.text], study.outcome_count = outcome, study.outcome_count + 1
  return outcome, outcome.recalled
end

return evaluate
