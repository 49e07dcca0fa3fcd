-- network:plan, and the profile of a training.
local nas = require "luanas"
local core = require "luanas.core"
local nn = nas.nn
local lu = require "luaunit"

local T = {}

-- With every kernel that a profile tells of.
local function network()
  local x = nn.conv2d(nn.input { 8, 8, 1 }, { filters = 16, kernel = 5, activation = "relu" })
  x = nn.batch_norm(nn.conv2d(x, { filters = 16, kernel = 3, bias = false }), { activation = "relu" })
  x = nn.separable_conv2d(x, { filters = 4, kernel = 3, activation = "tanh" })
  return nn.dense(x, { units = 4 })
end

local KERNELS = {
  "", "direct 5x5", "fused into line 2", "Winograd F(4x4,3x3)", "normalise", "fused into line 5", "depthwise 3x3",
  "1x1", "plain C", "dense", "", "plain C",
}

local function check_profile(profile, images)
  local kernels, predicted, measured, seconds = {}, 0, 0, 0
  for i, layer in ipairs(profile.layers) do
    kernels[i] = layer.kernel
    predicted, measured = predicted + layer.predicted, measured + layer.measured
    seconds = seconds + layer.forward + layer.backward
    local works = layer.kernel ~= "" and not layer.fused_into
    lu.assertEquals(layer.predicted > 0, works, layer.name)
    if works then lu.assertTrue(layer.forward > 0, layer.name) end
    if layer.fused_into then lu.assertEquals(layer.forward + layer.backward, 0) end
  end
  lu.assertEquals(kernels, KERNELS)
  lu.assertAlmostEquals(predicted, 1, 1e-12)
  lu.assertAlmostEquals(measured, 1, 1e-12)
  lu.assertAlmostEquals(seconds, profile.in_layers, 1e-12)
  local all = profile.in_layers + profile.loading + profile.adding + profile.stepping + profile.waiting
  lu.assertAlmostEquals(all, profile.threads * profile.seconds, 1e-9)
  lu.assertEquals(profile.images % images, 0)
  local operations = 0
  for _, layer in ipairs(profile.layers) do operations = operations + 2 * layer.train_macs * profile.images end
  lu.assertAlmostEquals(profile.gflops, operations / profile.seconds / 1e9, 1e-9)
end

function T.test_plan()
  local node = network()
  for _, planned in ipairs { node, core.network(node) } do
    local plan = planned:plan { batch = 20, threads = 2, micro_batch = 3, seconds = 0.01 }
    check_profile(plan, 20)
    lu.assertEquals({ plan.threads, plan.micro_batch, plan.isa }, { 2, 3, core.machine().isa })
    lu.assertTrue(plan.images >= 20)
  end
end

function T.test_options()
  local plan = network():plan { batch = 1, threads = 1, isa = "scalar", winograd = false, seconds = 0 }
  lu.assertEquals({ plan.images, plan.isa, plan.layers[4].kernel }, { 1, "scalar", "direct 3x3" })
  lu.assertTrue(network():plan { batch = 16, seconds = 0 }.images == 16)
end

function T.test_table()
  local text = tostring(network():plan { batch = 16, threads = 1, seconds = 0 })
  local titles = { "#", "layer", "output", "kernel", "isa", "MACs", "maps KiB", "weights KiB", "predicted", "measured",
    "forward s", "backward s" }
  lu.assertStrContains(text:match "[^\n]*", table.concat(titles, " +"), true)
  lu.assertStrContains(text, " 4  conv2d                 8x8x16  Winograd F(4x4,3x3)")
  lu.assertStrContains(text, "147,456")
  lu.assertStrContains(text, "16 images in [%d.]+ s on 1 thread: [%d.]+ GFLOP/s; ", true)
  lu.assertStrContains(text, "; micro%-batch %d+ with [%d.]+ KiB and [%d.]+ KiB stored, ", true)
  lu.assertStrContains(text, "time of the threads: layers [%d.]+ %%, loading [%d.]+ %%, .*, waiting [%d.]+ %%\n", true)
end

-- Rows of a table, one unit, and weights that grow beyond float32.
function T.test_other_networks()
  local values = nn.dense(nn.dense(nn.input { 5 }, { units = 3 }), { units = 1 }):plan { batch = 4, seconds = 0 }
  lu.assertEquals(values.layers[#values.layers].name, "mean_squared_error")
  lu.assertEquals(values.images, 4)
  local x = nn.input { 5 }
  for _ = 1, 15 do x = nn.dense(x, { units = 9, init = "uniform", init_range = 1000 }) end
  lu.assertEquals(x:plan({ batch = 4, seconds = 10 }).images, 4)
end

function T.test_plan_misuse()
  local x = network()
  local function refused(part, options, of)
    local ok, message = pcall(function() local _ = (of or x):plan(options) end)
    lu.assertFalse(ok)
    lu.assertStrContains(message, part)
    lu.assertStrContains(message, "test_profile.lua:")
  end
  refused("plan: batch is 0; expected an integer from 1 to 65536", { batch = 0 })
  refused("plan: threads is 0; expected an integer from 1 to 256", { threads = 0 })
  refused("plan: micro_batch is 17; expected an integer from 1 to 16", { micro_batch = 17 })
  refused('plan: isa is "mmx"; expected one of scalar, baseline', { isa = "mmx" })
  refused("plan: winograd is 1; expected true or false", { winograd = 1 })
  refused("plan: seconds is -1; expected a finite number of at least 0", { seconds = -1 })
  refused('plan: unknown option "images"; known options: batch, isa, micro_batch, seconds, threads, winograd',
    { images = 1 })
  refused("plan: options are 3; expected a table", 3)
  refused("plan: the network ends in shape 8x8x2; expected a vector", nil,
    nn.conv2d(nn.input { 8, 8, 1 }, { filters = 2, kernel = 1 }))
  refused("plan: the network ends in one number", nil, nn.mean(nn.input { 8 }))
  local closed = core.network(x)
  closed:close()
  refused("this luanas.Network is closed", nil, closed)
end

function T.test_training()
  local data = nas.data.synthetic { images = 120, classes = 4 }
  local function train(profile)
    return nas.train(network(), data, { epochs = 2, batch = 16, quiet = true, threads = 2, profile = profile })
  end
  local plain, model = train(), train(true)
  for i, set in ipairs(plain:params()) do lu.assertTrue(set.values == model:params()[i].values) end
  local profile = model:profile()
  check_profile(profile, 2 * 96)
  local seconds = 0
  for _, epoch in ipairs(model.history) do seconds = seconds + epoch.train_seconds end
  lu.assertAlmostEquals(profile.seconds, seconds, 1e-9)
  lu.assertStrContains(tostring(profile), "192 images in ")
  model:close()
  lu.assertEquals(model:profile(), profile)
  lu.assertErrorMsgContains("model:profile: there are no times; only a model that nas.train gave with profile = true",
    plain.profile, plain)
  lu.assertErrorMsgContains("train: profile is 1; expected true or false", train, 1)
end

return T
