local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"
local raises = support.raises

local tests = {}

function tests.test_identity_and_costs()
  local network = core.network(support.network())
  lu.assertStrMatches(network:hash(), ("%x"):rep(32))
  lu.assertStrContains(network:text(), "conv2d")
  lu.assertEquals(core.hash(network:text()), network:hash())
  lu.assertEquals(network:params(), (3 * 3 * 1 + 1) * 4 + (4 + 1) * 3)
  lu.assertEquals(network:macs(), 4 * 4 * 3 * 3 * 4 + 4 * 3)
  lu.assertTrue(network:memory() > 4 * 6 * network:params())
  lu.assertEquals(network:memory(), network:memory(250))
  raises("batch is 0", network.memory, network, 0)
end

function tests.test_pages()
  local network = core.network(support.network())
  lu.assertStrContains(network:summary(), "55 parameters")
  lu.assertStrContains(network:summary(32), "to train with batch 32")
  lu.assertStrContains(network:graphviz(), "n1 -> n2;")
  local node = support.network()
  lu.assertEquals(node:summary(32), network:summary(32))
  lu.assertEquals(node:graphviz(), network:graphviz())
  raises("batch is 0", node.summary, node, 0)
  raises("0 different input layers", function(target) target:summary() end, core.node("target", {}, {}))
end

function tests.test_equal_descriptions_are_one_network()
  local a, b = core.network(support.network()), core.network(support.network())
  lu.assertEquals(a:hash(), b:hash())
end

function tests.test_layers()
  local network = core.network(support.network())
  local layers = network:layers()
  lu.assertEquals(#layers, #network)
  lu.assertEquals(layers[1], { name = "input", inputs = {}, shape = { 8, 8, 1 }, params = 0, macs = 0, occurrence = 1 })
  lu.assertEquals(layers[2].name, "conv2d")
  lu.assertEquals(layers[2].inputs, { 1 })
  lu.assertEquals(layers[2].params, 40)
  lu.assertEquals(layers[#layers].shape, { 3 })
end

function tests.test_tostring()
  lu.assertStrContains(tostring(core.network(support.network())), "5 layers, 55 parameters")
end

function tests.test_lives_without_its_nodes()
  local network = core.network(support.network())
  collectgarbage()
  lu.assertEquals(#network:layers(), 5)
end

function tests.test_parse()
  local network = core.network(support.network())
  local node = core.network_parse(network:text())
  lu.assertEquals(core.network(node):text(), network:text())
  lu.assertEquals(node:hash(), support.network():hash())
  lu.assertEquals(node:shape(), { 3 })
end

-- A text of another origin is the world failing, not misuse.
function tests.test_parse_of_a_damaged_text()
  local text = core.network(support.network()):text()
  local function refused(code, part, damaged)
    local node, message, name = core.network_parse(damaged)
    lu.assertNil(node)
    lu.assertStrContains(message, part)
    lu.assertEquals(name, code)
  end
  refused("NAS_FORMAT", "line 1: the text is empty", "")
  refused("NAS_FORMAT", 'line 2: unknown layer "conv4d"', (text:gsub("conv2d", "conv4d")))
  refused("NAS_FORMAT", "line 2: conv2d: kernel is \"0,3\"; expected two integers", (text:gsub("kernel=3", "kernel=0")))
  refused("NAS_SHAPE", "line 2: conv2d: kernel 3x3 is larger than the input 2x2",
    (text:gsub("8,8", "2,2"):gsub("same", "valid")))
  refused("NAS_FORMAT", "a zero byte", text .. "\0")
  raises("string expected, got nil", core.network_parse, nil)
end

function tests.test_misuse()
  raises("luanas.Node expected, got nil", core.network, nil)
  local network = core.network(support.network())
  network:close()
  raises("this luanas.Network is closed", network.text, network)
  lu.assertEquals(tostring(network), "luanas.Network (closed)")
end

return tests
