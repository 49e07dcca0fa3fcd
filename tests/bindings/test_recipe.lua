local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

function tests.test_defaults()
  local text = core.recipe({}):text()
  lu.assertStrContains(text, "batch=250 loss=softmax_cross_entropy optimizer=adam rate=0.001")
  lu.assertEquals(core.recipe():text(), text)
end

function tests.test_settings()
  local recipe = core.recipe { batch = 32, optimizer = { name = "sgd", rate = 0.1 }, loss = "softmax_cross_entropy" }
  lu.assertStrContains(recipe:text(), "batch=32 ")
  lu.assertStrContains(recipe:text(), "optimizer=sgd rate=0.1")
  lu.assertEquals(tostring(recipe), "luanas.Recipe: " .. recipe:text())
end

function tests.test_misuse()
  raises("recipe: batch is 0; expected an integer from 1 to 65536", core.recipe, { batch = 0 })
  raises('recipe: unknown option "epochs"; known options: batch, optimizer, loss', core.recipe, { epochs = 3 })
  raises('recipe: optimizer is "adam"; expected a table', core.recipe, { optimizer = "adam" })
  raises("adam: rate is -1; expected a number from 0", core.recipe, { optimizer = { rate = -1 } })
  raises('adam: unknown option "momentum"; known options: name, rate', core.recipe, { optimizer = { momentum = 0.9 } })
  raises("optimizer", core.recipe, { optimizer = { name = "lbfgs" } })
  raises("loss", core.recipe, { loss = "mean_squared" })
  raises('recipe: loss is "relu", a layer; expected a loss', core.recipe, { loss = "relu" })
  raises("recipe: options are 3; expected a table", core.recipe, 3)
end

return tests
