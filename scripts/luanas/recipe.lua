--- How a network is trained: { epochs =, batch =, optimizer =, schedule =, loss =, augment =, ... }, as nas.train,
--- nas.study and the second return value of a space take it.
local core = require "luanas.core"
local check = require "luanas.check"
local copy = require "luanas.copy"
local node = require "luanas.node"

local recipe = {}

local DEFAULT_EPOCHS = 10
recipe.MAX_EPOCHS = 1000000

local names -- of all settings, read once

local function known()
  if not names then
    names = { "epochs", "optimizer", "schedule", "loss", "augment" }
    for _, option in ipairs(core.options().recipe) do names[#names + 1] = option.name end
  end
  return names
end

local function default(name)
  for _, option in ipairs(core.options().recipe) do
    if option.name == name then return option.default end
  end
end

-- What the core takes: a loss that is a function comes as layers, a horizon that is left out is the number of epochs.
local function core_settings(train, epochs)
  local settings = {}
  for name, value in pairs(train) do settings[name] = value end
  settings.epochs = nil
  if type(train.loss) == "function" then settings.loss = "composed" end
  local schedule = train.schedule
  if type(schedule) == "table" and schedule.name == "cosine" and schedule.epochs == nil then
    settings.schedule = { epochs = epochs }
    for name, value in pairs(schedule) do settings.schedule[name] = value end
  end
  return settings
end

local EXAMPLES = {
  augment = "{ shift = 2 }", optimizer = "nas.adam { rate = 0.001 }", schedule = "nas.schedule.cosine { warmup = 1 }",
}

local function check_tables(owner, train)
  for _, name in ipairs(check.sorted_keys(EXAMPLES)) do
    local value = train[name]
    if value ~= nil and type(value) ~= "table" then
      check.fail("%s: %s is %s; expected a table such as %s", owner, name, check.show(value), EXAMPLES[name])
    end
  end
end

--- Checks a table of settings (all may be absent); `more` are further names that are allowed.
function recipe.check(owner, train, more)
  local all = table.move(more or {}, 1, #(more or {}), #known() + 1, table.move(known(), 1, #known(), 1, {}))
  train = check.options(owner, train, all)
  local epochs = check.optional(check.integer, owner, "epochs", train.epochs, 1, recipe.MAX_EPOCHS)
  check_tables(owner, train)
  local own = {}
  for _, name in ipairs(known()) do own[name] = train[name] end
  check.core(core.recipe, core_settings(own, epochs or DEFAULT_EPOCHS))
  return train
end

--- The recipe of a study's settings and a space's overrides (nil: none):
--- { settings = the merged table, epochs =, batch =, loss = function or nil,
---   core = recipe of the core, text = canonical text without the epochs,
---   keep =, patience =, min_delta = }.
function recipe.new(train, overrides)
  local settings = {}
  for _, name in ipairs(known()) do
    local value = train[name]
    if overrides and overrides[name] ~= nil then value = overrides[name] end
    settings[name] = copy.deep(value)
  end
  local epochs = math.tointeger(settings.epochs or DEFAULT_EPOCHS)
  local own = check.core(core.recipe, core_settings(settings, epochs))
  return {
    settings = settings, epochs = epochs, batch = settings.batch or default "batch", core = own, text = own:text(),
    loss = type(settings.loss) == "function" and settings.loss or nil,
    keep = settings.keep or "last", patience = settings.patience or 0, min_delta = settings.min_delta or 0,
  }
end

-- The values of words "name=value" by a table of options, as a script would give them, added to `settings`.
local function read_words(settings, words, options)
  local types = {}
  for _, option in ipairs(options or {}) do types[option.name] = option.type end
  for name, text in words:gmatch "(%S-)=(%S+)" do
    if types[name] == "choice" then
      settings[name] = text
    elseif types[name] == "boolean" then
      settings[name] = text == "1"
    elseif types[name] == "pair" then
      local first, second = text:match "^(.-),(.*)$"
      settings[name] = { tonumber(first), tonumber(second) }
    else
      settings[name] = tonumber(text)
    end
  end
  return settings
end

--- The recipe of a canonical text, with what that does not tell, epochs and rules of stopping, as it is by default; nil
--- where it is none of this version.
function recipe.parse(text)
  local own, loss, of_loss, optimizer, of_optimizer, schedule, of_schedule, of_augment =
    text:match "^recipe(.-) loss=(%S+)(.-) optimizer=(%S+)(.-) schedule=(%S+)(.-) augment(.*)$"
  if not own then return nil end
  local known_options = core.options()
  local settings = read_words({
    loss = read_words({ name = loss }, of_loss, known_options.layers[loss]),
    optimizer = read_words({ name = optimizer }, of_optimizer, known_options.optimizers[optimizer]),
    schedule = read_words({ name = schedule }, of_schedule, known_options.schedules[schedule]),
    augment = read_words({}, of_augment, known_options.augment),
  }, own, known_options.recipe)
  local ok, made = pcall(recipe.new, settings)
  return ok and made.text == text and made or nil
end

--- The recipe that an evaluation was stored with, by its canonical text: `own`; else that for other epochs, where its
--- schedule looks ahead to them; else what the text tells. nil where it is none of this version.
function recipe.of_text(own, text)
  if own.text == text then return own end
  local horizon = math.tointeger(tonumber(text:match " schedule=cosine epochs=(%d+)"))
  local other = horizon and recipe.new(own.settings, { epochs = horizon })
  return other and other.text == text and other or recipe.parse(text)
end

--- The loss that a recipe composes of the output and the target, a node; nil where it names one. target_values is 0
--- for classes.
function recipe.composed_loss(own, output, target_values)
  if not own.loss then return nil end
  local target = core.node("target", {}, { values = target_values })
  local loss = check.run(own.loss, output, target)
  if not node.is(loss) then
    check.fail("loss: the function returned %s; expected a layer that gives one number, such as nn.mean(...)",
      check.show(loss))
  end
  if node.is_unbuildable(loss) then check.fail("loss: %s", loss.reason) end
  if #loss:shape() > 0 then
    check.fail("loss: the function returned a layer of shape %s; expected one number for each image, such as "
      .. "nn.mean(...) gives", table.concat(loss:shape(), "x"))
  end
  return loss
end

--- The larger the better: what early stopping and the best epoch look at.
function recipe.primary(metrics)
  return metrics.accuracy or -metrics.mean_absolute_error
end

--- Which of these epochs is the last by the recipe's rules, and which one's weights are kept: two numbers. The first is
--- nil when there are not enough of them yet. Who calls it again when there are more gives the same table `seen`, at
--- first {}: then only those are looked at.
function recipe.judge(own, epochs, seen)
  seen = seen or {}
  for i = (seen.count or 0) + 1, #epochs do
    local primary = recipe.primary(epochs[i])
    seen.count = i
    if not seen.best or primary > recipe.primary(epochs[seen.best]) then seen.best = i end
    if not seen.counted or primary > recipe.primary(epochs[seen.counted]) + own.min_delta then seen.counted = i end
    local last = i == own.epochs or (own.patience > 0 and i - seen.counted >= own.patience)
    if last then return i, own.keep == "best" and seen.best or i end
  end
  return nil, own.keep == "best" and seen.best or #epochs
end

--- After which of these epochs the recipe's patience ends, however many a recipe has; nil: after none of them.
function recipe.patience_end(own, epochs)
  return (recipe.judge({ patience = own.patience, min_delta = own.min_delta, keep = own.keep }, epochs))
end

--- Which of the epochs of a trial is the one whose weights are kept, however many a recipe has.
function recipe.kept(own, epochs)
  if own.keep ~= "best" then return #epochs end
  local best = 1
  for i = 2, #epochs do
    if recipe.primary(epochs[i]) > recipe.primary(epochs[best]) then best = i end
  end
  return best
end

return recipe
