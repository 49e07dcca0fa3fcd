local core = require "luanas.core"
local lu = require "luaunit"
local raises = require("support").raises

local tests = {}

function tests.test_versions()
  lu.assertStrMatches(core.version, "%d+%.%d+%.%d+")
  lu.assertEquals(math.type(core.numeric_version), "integer")
end

function tests.test_hash()
  lu.assertEquals(core.hash "", "99aa06d3014798d86001c324468d497f") -- XXH3's documented value
  lu.assertNotEquals(core.hash "a\0b", core.hash "a")
  raises("bad argument #1", core.hash, nil)
end

function tests.test_number_text()
  lu.assertEquals(core.number_text(250), "250")
  lu.assertEquals(core.number_text(250.0), "250")
  lu.assertEquals(core.number_text(0.1), "0.1")
  lu.assertEquals(core.number_text(math.mininteger), tostring(math.mininteger))
  for _, x in ipairs { 1 / 3, 1e-300, -1e17, 123456.789 } do lu.assertEquals(tonumber(core.number_text(x)), x) end
  raises("number expected, got string", core.number_text, "1")
end

function tests.test_clock()
  local before = core.clock()
  lu.assertTrue(core.clock() >= before)
end

function tests.test_machine()
  local machine = core.machine()
  lu.assertTrue(machine.threads >= 1)
  lu.assertEquals(machine.isas[1], "scalar")
  lu.assertEquals(machine.isas[2], "baseline")
  lu.assertTableContains(machine.isas, machine.isa)
end

function tests.test_use_isa()
  local before = core.machine().isa
  for _, isa in ipairs(core.machine().isas) do
    core.use_isa(isa)
    lu.assertEquals(core.machine().isa, isa)
    raises(('isa is "mmx"; this machine has %s'):format(table.concat(core.machine().isas, ", ")), core.use_isa, "mmx")
    lu.assertEquals(core.machine().isa, isa)
  end
  core.use_isa()
  lu.assertEquals(core.machine().isa, before)
  raises("bad argument #1", core.use_isa, {})
end

-- What a policy learns does not depend on the instruction set that it was made for.
function tests.test_use_isa_changes_no_bit()
  local function learned()
    local policy = core.policy(nil, 1)
    local decisions = { { name = "a", options = "1,2", count = 2, chosen = 1 } }
    policy:apply(policy:gradient { { decisions = decisions, advantage = 1 } })
    return policy:blocks()
  end
  local expected = learned()
  for _, isa in ipairs(core.machine().isas) do
    core.use_isa(isa)
    lu.assertEquals(learned(), expected)
  end
  core.use_isa()
end

function tests.test_terminal()
  local columns = core.terminal()
  lu.assertTrue(columns == nil or columns > 0)
  lu.assertEquals(select("#", core.terminal()), 1)
  lu.assertEquals(core.terminal "error", columns)
  lu.assertTrue(core.terminal "output" == nil or core.terminal "output" > 0)
  lu.assertErrorMsgContains("invalid option 'input'", core.terminal, "input")
end

function tests.test_options()
  local options = core.options()
  local kernel = options.layers.conv2d[1]
  lu.assertEquals({ kernel.name, kernel.type, kernel.required }, { "kernel", "pair", true })
  lu.assertEquals({ kernel.low, kernel.high }, { 1, 255 })
  lu.assertNil(kernel.default)
  lu.assertStrContains(kernel.help, "pixels")
  for kind, list in pairs(options.layers) do
    lu.assertTrue(list.min_inputs <= list.max_inputs, kind)
    lu.assertIsBoolean(list.is_loss)
  end
  local by_name = {}
  for _, option in ipairs(options.layers.conv2d) do by_name[option.name] = option end
  lu.assertEquals(by_name.stride.default, 1)
  lu.assertEquals(by_name.bias.default, true)
  lu.assertTableContains(by_name.padding.choices, by_name.padding.default)
  for _, name in ipairs { "adam", "adamw", "rmsprop", "sgd" } do lu.assertNotNil(options.optimizers[name]) end
  local cosine = options.schedules.cosine[1]
  lu.assertEquals({ cosine.name, cosine.type, cosine.required }, { "epochs", "integer", true })
  for _, list in pairs(options.schedules) do lu.assertEquals(list[#list].name, "warmup") end
  lu.assertEquals(options.policy[1].name, "layers")
  lu.assertEquals(options.policy_presets.paper.units, 35)
  lu.assertNotNil(options.policy_presets.small)
end

return tests
