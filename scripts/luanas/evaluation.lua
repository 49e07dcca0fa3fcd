--- Training one network into a store, or recalling it.
---
--- Whoever owns the evaluation, a study or a worker, has the fields store, data, evaluation_seed, speed (threads and
--- micro_batch), limits (seconds), checkpoint, states and predictions, and the methods say(format, ...) and
--- before_training().
local core = require "luanas.core"
local check = require "luanas.check"
local recipe = require "luanas.recipe"

local evaluation = {}

local BEST_STATES = 10 -- of each data set and recipe are kept before others

local MEASURED = { seconds = true, train_seconds = true } -- what no other machine has of an epoch

-- An epoch as two texts, and back.
local function epoch_row(epoch)
  local metrics, measured = {}, {}
  for name, value in pairs(epoch) do
    if MEASURED[name] then measured[name] = value elseif name ~= "epoch" then metrics[name] = value end
  end
  return { metrics = core.json_encode(metrics), measured = core.json_encode(measured) }
end

local function epoch_of(number, metrics, measured)
  local epoch = core.json_decode(metrics)
  for name, value in pairs(core.json_decode(measured)) do epoch[name] = value end
  epoch.epoch = number
  return epoch
end

--- All that the result depends on under the present numeric version, and the composed loss or nil. No optimiser or
--- schedule here looks ahead, so the number of epochs is left out.
function evaluation.key(owner, output, own_recipe)
  local info = owner.data:info()
  local loss = recipe.composed_loss(own_recipe, output, info.target_values)
  return {
    network = core.network(output):text(),
    loss = loss and core.network(loss):text() or "",
    data = info.identity,
    recipe = own_recipe.text,
    seed = owner.evaluation_seed,
    numeric_version = core.numeric_version,
  }, loss
end

--- What a SELECT takes of the table of epochs, for from_row.
evaluation.COLUMNS = [[number, metrics, measured,
  epoch.sum = row_sum(evaluation, number, metrics, measured, epoch.session) AS is_intact]]

--- The table of an epoch of an evaluation from its row in a store.
function evaluation.from_row(row, id)
  if row.is_intact == 0 then
    check.fail("epoch %d of evaluation %d is damaged: its checksum is another; `luanas check` tells more", row.number,
      id)
  end
  return epoch_of(row.number, row.metrics, row.measured)
end

--- What the first `count` epochs took in all, and their training alone.
function evaluation.seconds_of(epochs, count)
  local seconds, train_seconds = 0.0, 0.0
  for i = 1, math.min(count, #epochs) do
    seconds, train_seconds = seconds + epochs[i].seconds, train_seconds + epochs[i].train_seconds
  end
  return seconds, train_seconds
end

-- What a store has of an evaluation: { id =, epochs = one table for each, diverged = why there is no further one }; or
-- nil.
local function find(owner, key)
  local stored = check.must(owner.store.find, owner.store, key)
  if not stored then return nil end
  for i, row in ipairs(stored.epochs) do stored.epochs[i] = epoch_of(i, row.metrics, row.measured) end
  return stored
end

-- Whether there is nothing left to train: the recipe is done, or the network has failed.
local function is_whole(owner, own_recipe, stored)
  local limit = owner.limits.seconds
  return recipe.judge(own_recipe, stored.epochs) ~= nil or stored.diverged ~= nil
    or limit ~= nil and evaluation.seconds_of(stored.epochs, #stored.epochs) > limit
end

-- The whole evaluation under one of the numeric versions, or nil; and what there is under the present one.
local function recall(owner, key, own_recipe, versions)
  local present
  for _, version in ipairs(versions) do
    key.numeric_version = version
    local stored = find(owner, key)
    if version == core.numeric_version then present = stored end
    if stored and is_whole(owner, own_recipe, stored) then return stored end
  end
  key.numeric_version = core.numeric_version
  return nil, present
end

-- The lock under which nobody else trains this; or nil and who does.
local function try_claim(owner, key)
  local lock, message, code = check.core(owner.store.lock_evaluation, owner.store, key, "trains a network")
  if not lock and code ~= "NAS_BUSY" then check.fail("%s", message) end
  return lock, message
end

-- The same, after waiting for whoever does.
local function claim(owner, key)
  local told
  while true do
    local lock, message = try_claim(owner, key)
    if lock then return lock end
    if not told then owner:say("waiting: %s", message) end
    told = true
    core.sleep(0.05)
  end
end

-- The trainer goes on after the stored epochs, or after fewer of them, if there is a state that fits: not so after
-- another rule of what is kept.
local function go_on(owner, trainer, stored)
  local state, epoch, code = check.core(owner.store.state, owner.store, stored.id)
  if state == nil then check.fail("%s (%s)", epoch, code) end
  if not state or epoch > #stored.epochs then return end
  local fits, restored, message, problem = pcall(trainer.restore_state, trainer, state)
  if fits and not restored and problem == "NAS_MEMORY" then check.fail("%s", message) end
end

-- A trainer where training begins or goes on. Returns nil and why for a network that is too large for the engine.
local function trainer_after(owner, output, own_recipe, loss, stored)
  local trainer, too_large = check.core(core.trainer, output, owner.data:load(), own_recipe.core,
    owner.evaluation_seed, owner.speed, loss)
  if trainer and stored then go_on(owner, trainer, stored) end
  return trainer, too_large
end

-- An epoch that was trained again (nil: it diverged) must be what is stored of it.
local function compare(stored, number, epoch)
  local before = stored and stored.epochs[number]
  if before and (not epoch or epoch_row(before).metrics ~= epoch_row(epoch).metrics) then
    check.fail("evaluation %d: epoch %d, trained again, gives other metrics than are stored; `luanas verify` tells "
      .. "more", stored.id, number)
  end
end

-- Puts the epochs after the first `from` - 1 of them.
local function put(owner, key, made, from, trainer)
  local rows = {}
  for i = from, #made.epochs do
    local row = epoch_row(made.epochs[i])
    row.predicted = made.predicted[i]
    rows[i - from + 1] = row
  end
  made.id = check.must(owner.store.put, owner.store, key, {
    from = from, epochs = rows, diverged = made.diverged, state = owner.states > 0 and trainer:state() or nil,
  })
  check.must(owner.store.trim_states, owner.store, owner.states, BEST_STATES)
end

-- Trains until the recipe is done, a loss is not finite, or the limit in seconds is passed. Returns nil and why
-- for a network that is too large for the engine.
local function train(owner, output, own_recipe, loss, key, stored, observe)
  local trainer <close>, too_large = trainer_after(owner, output, own_recipe, loss, stored)
  if not trainer then return nil, too_large end
  local made, kept = { id = stored and stored.id, epochs = {}, predicted = {} }, stored and #stored.epochs or 0
  local epochs, seen = made.epochs, {}
  for i = 1, trainer:epochs() do epochs[i] = stored.epochs[i] end
  local seconds = evaluation.seconds_of(epochs, #epochs)
  while not recipe.judge(own_recipe, epochs, seen) do
    local epoch, message, code = trainer:epoch()
    if not epoch then
      if code == "NAS_INTERRUPTED" then error(message, 0) end
      if code ~= "NAS_DIVERGED" then check.fail("%s", message) end
      compare(stored, #epochs + 1)
      made.diverged = message
      break
    end
    epoch.best, epoch.finished = nil, nil -- another recipe of the same key may have other rules
    compare(stored, #epochs + 1, epoch)
    epochs[#epochs + 1] = epoch
    if owner.predictions then made.predicted[#epochs] = trainer:predicted_bytes() end
    observe(epoch)
    seconds = seconds + epoch.seconds
    if owner.limits.seconds and seconds > owner.limits.seconds then break end
    if own_recipe.epochs > owner.checkpoint and #epochs > kept then
      put(owner, key, made, #epochs, trainer)
      kept = #epochs
    end
  end
  if #epochs > kept or made.diverged then put(owner, key, made, kept + 1, trainer) end
  return made
end

--- Whether the whole evaluation under a key is there.
function evaluation.is_stored(owner, key, own_recipe, versions)
  return recall(owner, key, own_recipe, versions) ~= nil
end

--- The evaluation, and whether it was recalled whole; nil, false and the reason where there can be none.
function evaluation.get(owner, output, own_recipe, versions, observe)
  local key, loss = evaluation.key(owner, output, own_recipe)
  local whole = recall(owner, key, own_recipe, versions)
  if whole then return whole, true end
  owner:before_training()
  local _ <close> = claim(owner, key)
  return evaluation.get_claimed(owner, output, own_recipe, key, loss, observe)
end

--- Trains what is not there, unless another process does. Whether it has trained.
function evaluation.try(owner, output, own_recipe, versions, observe)
  local key, loss = evaluation.key(owner, output, own_recipe)
  if recall(owner, key, own_recipe, versions) then return false end
  owner:before_training()
  local lock <close> = try_claim(owner, key)
  if not lock then return false end
  local _, recalled = evaluation.get_claimed(owner, output, own_recipe, key, loss, observe)
  return not recalled
end

--- The same as evaluation.get where the lock is held and nothing was there under other versions.
function evaluation.get_claimed(owner, output, own_recipe, key, loss, observe)
  local whole, present = recall(owner, key, own_recipe, { core.numeric_version }) -- by who had the lock before
  if whole then return whole, true end
  local made, too_large = train(owner, output, own_recipe, loss, key, present, observe)
  return made, false, too_large
end

--- A trainer after the first `count` epochs of an evaluation that has been made: from its state where that fits, else
--- trained again, to the same bits.
function evaluation.trainer(owner, output, own_recipe, count, observe)
  local key, loss = evaluation.key(owner, output, own_recipe)
  local stored = find(owner, key)
  local trainer, problem = trainer_after(owner, output, own_recipe, loss, stored and #stored.epochs == count and stored)
  if not trainer then check.fail("%s", problem) end
  local _ <close> = setmetatable({}, { __close = function(_, failure)
    if failure ~= nil then trainer:close() end
  end })
  while trainer:epochs() < count do
    local epoch, message, code = trainer:epoch()
    if not epoch then
      if code == "NAS_INTERRUPTED" then error(message, 0) end
      check.fail("%s", message)
    end
    epoch.best, epoch.finished = nil, nil
    compare(stored, epoch.epoch, epoch)
    observe(epoch)
  end
  return trainer
end

return evaluation
