local core = require "luanas.core"
local lu = require "luaunit"
local runner = require "runner"
local support = require "support"
local raises = support.raises

local tests = {}

local function trainer(speed, settings, data)
  return core.trainer(support.network(), data or support.dataset(), core.recipe(settings or { batch = 12 }), 0, speed)
end

function tests.test_epochs()
  local t = trainer()
  local first, second = t:epoch(), t:epoch()
  lu.assertEquals({ first.epoch, second.epoch }, { 1, 2 })
  for _, name in ipairs { "train_loss", "train_accuracy", "loss", "accuracy", "train_seconds", "seconds" } do
    lu.assertIsNumber(first[name], name)
  end
  lu.assertTrue(second.train_loss < first.train_loss)
  lu.assertTrue(first.seconds >= first.train_seconds)
end

function tests.test_speed_changes_no_bit()
  local digests = {}
  local speeds = { { threads = 1 }, { threads = 3, micro_batch = 1 }, { isa = "scalar" }, { micro_batch = 16 } }
  for i, speed in ipairs(speeds) do
    local t = trainer(speed)
    t:epoch()
    digests[i] = t:digest()
    lu.assertEquals(digests[i], digests[1])
  end
  lu.assertStrMatches(digests[1], ("%x"):rep(32))
end

function tests.test_profile()
  local plain, timed = trainer { threads = 2 }, trainer { threads = 2, profile = true }
  for _ = 1, 2 do
    plain:epoch()
    timed:epoch()
  end
  lu.assertEquals(timed:digest(), plain:digest())
  local none, profile = plain:profile(), timed:profile()
  lu.assertEquals({ none.images, none.seconds, none.waiting, none.layers[2].forward }, { 0, 0, 0, 0 })
  lu.assertEquals({ profile.images, profile.threads, profile.isa }, { 2 * 36, 2, core.machine().isa })
  lu.assertTrue(profile.micro_batch >= 1 and profile.scratch_bytes > 0 and profile.stored_bytes == 0)
  local all = profile.loading + profile.adding + profile.stepping + profile.waiting
  for _, layer in ipairs(profile.layers) do all = all + layer.forward + layer.backward end
  lu.assertAlmostEquals(all, 2 * profile.seconds, 1e-9)

  local input, conv, relu, last = profile.layers[1], profile.layers[2], profile.layers[3], profile.layers[7]
  lu.assertEquals(#profile.layers, 7) -- with target and loss
  lu.assertEquals({ input.name, input.kernel, input.isa }, { "input", "" })
  lu.assertEquals({ conv.name, conv.kernel, conv.isa, conv.fused_into }, { "conv2d", "direct 3x3", core.machine().isa })
  lu.assertEquals({ conv.macs, conv.train_macs, conv.shape }, { 4 * 4 * 9 * 4, 2 * 4 * 4 * 9 * 4, { 4, 4, 4 } })
  lu.assertEquals(conv.weight_bytes, (9 + 1 + 9 * 4) * 16 * 4) -- kernel, bias; the kernel turned about
  lu.assertTrue(conv.forward > 0 and conv.backward > 0 and conv.cycles > 0 and conv.map_bytes > 0)
  lu.assertEquals({ relu.fused_into, relu.forward, relu.map_bytes }, { 2, 0, 0 })
  lu.assertEquals({ last.name, last.shape, last.kernel }, { "softmax_cross_entropy", {}, "plain C" })
end

function tests.test_params()
  local t = trainer()
  local before = t:params()
  lu.assertEquals(#before, 4)
  lu.assertEquals(before[1].layer, 2)
  lu.assertEquals(before[1].role, "kernel")
  lu.assertEquals(before[1].values:shape(), { 3, 3, 1, 4 })
  lu.assertEquals(before[2].values:shape(), { 4 })
  local copy = before[1].values:clone()
  t:epoch()
  lu.assertTrue(before[1].values == copy)
  lu.assertFalse(t:params()[1].values == copy)
  local count = 0
  for _, set in ipairs(before) do count = count + set.values:size() end
  lu.assertEquals(count, core.network(support.network()):params())
end

function tests.test_divergence_is_an_answer()
  local x = support.input()
  for _ = 1, 12 do -- activations grow beyond float32
    x = core.node("conv2d", { x }, { kernel = 3, filters = 16, init = "uniform", init_range = 1000 })
  end
  local output = core.node("dense", { core.node("global_avg_pool", { x }) }, { units = 3 })
  local t = core.trainer(output, support.dataset(), core.recipe { batch = 12 }, 0)
  local result, message, code = t:epoch()
  lu.assertNil(result)
  lu.assertStrContains(message, "epoch 1")
  lu.assertEquals(code, "NAS_DIVERGED")
  lu.assertFalse((pcall(t.epoch, t)))
end

function tests.test_keeps_what_it_needs()
  local data = support.dataset()
  local t = trainer(nil, nil, data)
  data:close()
  collectgarbage()
  lu.assertEquals(t:epoch().epoch, 1)
end

function tests.test_misuse()
  local output, data, recipe = support.network(), support.dataset(), core.recipe { batch = 12 }
  raises("luanas.Node expected, got nil", core.trainer, nil, data, recipe, 0)
  raises("luanas.Dataset expected, got nil", core.trainer, output, nil, recipe, 0)
  raises("luanas.Recipe expected, got table", core.trainer, output, data, {}, 0)
  raises("bad argument #4", core.trainer, output, data, recipe)
  local function fast(speed) return core.trainer(output, data, recipe, 0, speed) end
  raises("speed: threads is 0; expected an integer from 1 to 256", fast, { threads = 0 })
  raises("speed: micro_batch is 17", fast, { micro_batch = 17 })
  raises('speed: isa is "mmx"; this machine has scalar, baseline', fast, { isa = "mmx" })
  raises('speed: unknown option "thread"', fast, { thread = 1 })
  raises("speed: profile is 1; expected true or false", fast, { profile = 1 })
  local other = core.node("dense", { core.node("global_avg_pool", { support.input(9, 9) }) }, { units = 3 })
  lu.assertErrorMsgContains("8x8x1", core.trainer, other, data, recipe, 0)
end

function tests.test_closed()
  local t = trainer { threads = 2 }
  lu.assertStrContains(tostring(t), "luanas.Trainer: 2 threads")
  t:close()
  t:close()
  raises("this luanas.Trainer is closed", t.epoch, t)
  lu.assertEquals(tostring(t), "luanas.Trainer (closed)")
end

-- ---- Interruption ----------------------------------------------------------------------------------

-- An epoch of very many short batches.
local function long_trainer()
  local images, labels = core.tensor({ 100000, 8, 8, 1 }, "uint8"), core.tensor({ 100000 }, "int32"):fill(1)
  labels[1] = 2
  local data = core.dataset("test", { inputs = images, targets = labels, classes = 3 }):split { validation = 1 }
  local x = core.node("conv2d", { support.input() }, { kernel = 3, filters = 32 })
  x = core.node("conv2d", { x }, { kernel = 3, filters = 32 })
  local output = core.node("dense", { core.node("global_avg_pool", { x }) }, { units = 3 })
  return core.trainer(output, data, core.recipe { batch = 1 }, 0)
end

local clear = setmetatable({}, { __close = function() runner.set_interrupt(false) end })

function tests.test_flag_interrupts_an_epoch()
  local _ <close> = clear
  local t <close> = long_trainer()
  local began = core.clock()
  runner.interrupt_after(0.05, "flag")
  raises("interrupted!", t.epoch, t)
  lu.assertTrue(core.clock() - began < 30)
  -- It is raised once: what closes on the way out may train.
  core.check_interrupt()
  runner.set_interrupt(true)
  raises("interrupted!", core.check_interrupt)
  core.check_interrupt()
end

-- As stock Lua does it: its handler of Ctrl-C sets a hook on the main thread.
function tests.test_hook_interrupts_an_epoch()
  local t <close> = long_trainer()
  runner.interrupt_after(0.05, "hook")
  local ok, message = pcall(function() return t:epoch() end)
  lu.assertFalse(ok)
  lu.assertStrMatches(message, ".*interrupted!")
end

function tests.test_hook_interrupts_an_epoch_in_a_coroutine()
  local t <close> = long_trainer()
  runner.interrupt_after(0.05, "hook")
  local result, message, code
  local ok = pcall(function()
    coroutine.wrap(function() result, message, code = t:epoch() end)()
  end)
  lu.assertFalse(ok)
  lu.assertNil(result)
  lu.assertStrContains(message, "interrupted")
  lu.assertEquals(code, "NAS_INTERRUPTED")
end

return tests
