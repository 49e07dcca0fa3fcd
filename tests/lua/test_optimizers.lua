local lu = require "luaunit"
local nas = require "luanas"
local core = require "luanas.core"
local recipe = require "luanas.recipe"

local T = {}

local function raises(message, ...)
  lu.assertErrorMsgContains(message, ...)
end

function T.test_descriptions()
  lu.assertEquals(nas.adam(), { name = "adam" })
  lu.assertEquals(nas.adamw { weight_decay = 0.1 }, { name = "adamw", weight_decay = 0.1 })
  lu.assertEquals(nas.rmsprop { rho = 0.95, momentum = 0.9 }, { name = "rmsprop", rho = 0.95, momentum = 0.9 })
  lu.assertEquals(nas.sgd { nesterov = true, l2 = 1e-4 }, { name = "sgd", nesterov = true, l2 = 1e-4 })
end

-- A description is a table of its own.
function T.test_later_changes_are_not_seen()
  local options = { rate = 0.1 }
  local description = nas.sgd(options)
  options.rate = 7
  lu.assertEquals(description.rate, 0.1)
end

function T.test_every_optimizer_has_a_constructor()
  for name in pairs(core.options().optimizers) do lu.assertEquals(nas[name](), { name = name }) end
end

function T.test_misuse()
  raises("test_optimizers.lua:", function() nas.adam { rate = -1 } end)
  raises("adam: rate is -1; expected a number from 0 to 1000000", nas.adam, { rate = -1 })
  raises("adam: beta2 is 1; expected a number from 0.0 to 0.999999", nas.adam, { beta2 = 1 })
  raises("adamw: weight_decay is -1; expected a number from 0", nas.adamw, { weight_decay = -1 })
  raises('rmsprop: unknown option "alpha"; known options: epsilon, l2, momentum, rate, rho, weight_decay', nas.rmsprop,
    { alpha = 0.9 })
  raises("sgd: nesterov is 1; expected true or false", nas.sgd, { nesterov = 1 })
  raises('sgd: unknown option "name"', nas.sgd, { name = "adam" })
end

function T.test_settings_that_are_no_tables()
  raises('train: optimizer is "adam"; expected a table such as nas.adam { rate = 0.001 }', recipe.check, "train",
    { optimizer = "adam" })
  raises("train: optimizer is a function; expected a table such as nas.adam", recipe.check, "train",
    { optimizer = nas.adam })
  raises('train: schedule is "cosine"; expected a table such as nas.schedule.cosine { warmup = 1 }', recipe.check,
    "train", { schedule = "cosine" })
  raises("train: augment is true; expected a table such as { shift = 2 }", recipe.check, "train", { augment = true })
end

-- The canonical text of a recipe gives the recipe back, whatever is in it.
function T.test_recipes_are_read_back()
  local function check(settings)
    local text = recipe.new(settings).text
    lu.assertEquals(recipe.parse(text).text, text)
  end
  local known = core.options()
  for name in pairs(known.optimizers) do check { optimizer = { name = name, rate = 0.1, l2 = 1e-5 } } end
  for name, options in pairs(known.schedules) do
    local schedule = { name = name, warmup = 2 }
    for _, option in ipairs(options) do
      if option.required then schedule[option.name] = option.high end
    end
    check { schedule = schedule }
  end
  for name, kind in pairs(known.layers) do
    if kind.is_loss then check { loss = name } end
  end
  check { loss = { name = "huber", delta = 1 / 3 }, optimizer = nas.sgd { nesterov = true, momentum = 0.5 } }
  check { augment = { shift = { 1, 2 }, flip = 0.5 }, batch = 7, clip_norm = 1e-7, winograd = false, top_k = 3 }
  lu.assertNil(recipe.parse "recipe batch=7")
  lu.assertNil(recipe.parse((recipe.new({}).text:gsub("beta1", "beta3"))))
  lu.assertNil(recipe.parse((recipe.new({}).text:gsub("adam", "eve"))))
end

return T
