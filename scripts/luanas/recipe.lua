--- How a network is trained: { epochs =, batch =, optimizer =, loss = }, as nas.study and the second
--- return value of a space take it.
local core = require "luanas.core"
local check = require "luanas.check"

local recipe = {}

local DEFAULT_EPOCHS = 10
local MAX_EPOCHS = 1000000

--- Checks a table of settings (all may be absent).
function recipe.check(owner, train)
  train = check.options(owner, train, { "epochs", "batch", "optimizer", "loss" })
  check.optional(check.integer, owner, "epochs", train.epochs, 1, MAX_EPOCHS)
  check.core(core.recipe, { batch = train.batch, optimizer = train.optimizer, loss = train.loss })
  return train
end

--- The recipe of a study's settings and a space's overrides (nil: none):
--- { epochs =, core = recipe of the core, text = canonical text without the epochs }.
function recipe.new(train, overrides)
  local settings = {}
  for _, name in ipairs { "epochs", "batch", "optimizer", "loss" } do
    settings[name] = train[name]
    if overrides and overrides[name] ~= nil then settings[name] = overrides[name] end
  end
  local epochs = math.tointeger(settings.epochs or DEFAULT_EPOCHS)
  settings.epochs = nil
  local own = check.core(core.recipe, settings)
  return { epochs = epochs, core = own, text = own:text() }
end

return recipe
