local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

function tests.test_defaults()
  local text = core.recipe({}):text()
  lu.assertStrContains(text, "recipe batch=250 clip_norm=0")
  lu.assertEquals(core.recipe():text(), text)
end

function tests.test_settings()
  local recipe = core.recipe { batch = 32, optimizer = { name = "sgd", rate = 0.1 }, loss = "softmax_cross_entropy" }
  lu.assertStrContains(recipe:text(), "batch=32 ")
  lu.assertStrContains(recipe:text(), "optimizer=sgd rate=0.1")
  lu.assertEquals(tostring(recipe), "luanas.Recipe: " .. recipe:text())
end

function tests.test_every_optimizer()
  for name in pairs(core.options().optimizers) do
    lu.assertStrContains(core.recipe({ optimizer = { name = name } }):text(), "optimizer=" .. name .. " rate=")
  end
  lu.assertStrContains(core.recipe({ optimizer = { name = "sgd", nesterov = true } }):text(), "nesterov=1")
end

function tests.test_misuse()
  raises("recipe: batch is 0; expected an integer from 1 to 65536", core.recipe, { batch = 0 })
  raises('recipe: unknown option "epochs"; known options: optimizer, schedule', core.recipe, { epochs = 3 })
  raises('recipe: optimizer is "adam"; expected a table', core.recipe, { optimizer = "adam" })
  raises("adam: rate is -1; expected a number from 0", core.recipe, { optimizer = { rate = -1 } })
  raises('adam: unknown option "momentum"; known options: name, rate', core.recipe, { optimizer = { momentum = 0.9 } })
  raises("adam: beta1 is 1; expected a number from 0.0 to 0.999999", core.recipe, { optimizer = { beta1 = 1 } })
  raises("adam: epsilon is 0; expected a number from 1e-30 to 1.0", core.recipe, { optimizer = { epsilon = 0 } })
  raises("sgd: nesterov is 1; expected true or false", core.recipe, { optimizer = { name = "sgd", nesterov = 1 } })
  raises("optimizer", core.recipe, { optimizer = { name = "lbfgs" } })
  raises("loss", core.recipe, { loss = "mean_squared" })
  raises('recipe: loss is "relu", a layer; expected a loss', core.recipe, { loss = "relu" })
  raises("recipe: options are 3; expected a table", core.recipe, 3)
end

return tests
