-- nas.train and the models that it gives.
local nas = require "luanas"
local nn = nas.nn
local lu = require "luaunit"

local T = {}

local function data(options)
  options = options or {}
  options.images = options.images or 120
  options.classes = options.classes or 4
  return nas.data.synthetic(options)
end

local function network()
  local x = nn.conv2d(nn.input { 8, 8, 1 }, { filters = 6, kernel = 3, bias = false })
  x = nn.dropout(nn.max_pool(nn.batch_norm(x, { activation = "relu" })), { rate = 0.2 })
  return nn.dense(x, { units = 4 })
end

local function settings(more)
  local all = {
    epochs = 4, batch = 16, quiet = true, optimizer = nas.adam { rate = 0.01 }, augment = { shift = 1, flip = 0.5 },
  }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

-- All weights of a model in one text.
local function bits(model)
  local text = {}
  for _, set in ipairs(model:params()) do
    for _, value in ipairs(set.values:reshape({ set.values:size() }):totable()) do
      text[#text + 1] = ("%a"):format(value)
    end
  end
  return table.concat(text, " ")
end

local function temporary()
  local path = os.tmpname()
  os.remove(path)
  return path .. ".safetensors"
end

function T.test_training()
  local seen = {}
  local model = nas.train(network(), data(), settings { on_epoch = function(e) seen[#seen + 1] = e.accuracy end })
  lu.assertEquals(#model.history, 4)
  lu.assertEquals(#seen, 4)
  lu.assertEquals(seen[4], model.history[4].accuracy)
  lu.assertTrue(seen[4] > 0.6)
  lu.assertNil(model.stopped)
  lu.assertStrContains(tostring(model), "of epoch 4, trained on synthetic")
  local found = model:evaluate(data())
  lu.assertEquals({ found.accuracy, found.loss }, { model.history[4].accuracy, model.history[4].loss })
  lu.assertEquals(found.confusion:sum(), 24)
  lu.assertEquals(#found.per_class, 4)
  local split = { training = { 1 }, validation = { 2, 4 } } -- of the classes 2 and 4
  found = model:evaluate(data { split = split })
  lu.assertEquals({ found.per_class[1], found.per_class[3] }, { false, false })
  lu.assertTrue(model:evaluate(data(), "all").accuracy > 0.6)
  lu.assertStrContains(model:summary(), "batch_norm")
  lu.assertStrContains(model:summary(), "to train with batch 16\n")
end

function T.test_prediction()
  local own = data()
  local model = nas.train(network(), own, settings())
  local images, right = nas.tensor.zeros({ 120, 8, 8, 1 }, "uint8"), 0
  for i = 1, 120 do images:select(1, i):copy((own:image(i))) end
  local classes, probabilities, outputs = model:predict(images), model:probabilities(images), model:outputs(images)
  lu.assertEquals(outputs:shape(), { 120, 4 })
  for i = 1, 120 do
    local _, class = own:image(i)
    if classes:get(i) == class then right = right + 1 end
    lu.assertAlmostEquals(probabilities:select(1, i):sum(), 1, 1e-5)
    lu.assertEquals(probabilities:select(1, i):argmax(), classes:get(i))
  end
  lu.assertAlmostEquals(right / 120, model:evaluate(own, "all").accuracy, 1e-12)
end

function T.test_activations()
  local own = data()
  local model = nas.train(network(), own, settings())
  local images = own:image(1):reshape { 1, 8, 8, 1 }
  local layers, described = model:activations(images), model:network():layers()
  lu.assertEquals(#layers, #described)
  for i, layer in ipairs(layers) do
    lu.assertEquals({ layer.layer, layer.name }, { i, described[i].name })
    lu.assertEquals(layer.values:shape(), { 1, table.unpack(described[i].shape) })
  end
  lu.assertEquals(layers[1].values, images / 255)
  lu.assertEquals(layers[#layers].values, model:outputs(images))
  lu.assertErrorMsgContains("model:activations: inputs are 3; expected a tensor", model.activations, model, 3)
  lu.assertErrorMsgContains("model:predict: inputs are a luanas.Stream; expected a tensor", model.predict, model,
    nas.stream(1, "x"))
  lu.assertErrorMsgContains("the model takes inputs of 8x8x1; those of the inputs have 3",
    model.activations, model, nas.tensor.zeros { 2, 3 })
  for _, method in ipairs { "predict", "outputs", "probabilities", "activations", "gradients" } do
    lu.assertErrorMsgContains("model:" .. method .. ": inputs are one image, {8, 8, 1}; expected a first dimension for "
      .. "their number: image:unsqueeze(1)", model[method], model, own:image(1), nas.tensor { 1 })
  end
  lu.assertEquals(model:predict(own:image(1):unsqueeze(1)):size(), 1)
end

-- Of the inputs by central differences; of the parameters in tests/train/test_gradients.c.
function T.test_gradients()
  local x = nn.conv2d(nn.input { 8, 8, 1 }, { filters = 6, kernel = 3, activation = "tanh" })
  local own = data()
  local model = nas.train(nn.dense(x, { units = 4 }), own, settings())
  local images, classes = nas.tensor.uniform({ 20, 8, 8, 1 }, 1), nas.tensor.zeros({ 20 }, "int32")
  for i = 1, 20 do classes[i] = select(2, own:image(i)) end
  local gradients, loss, of_images = model:gradients(images, classes)
  for i, set in ipairs(model:params()) do
    lu.assertEquals({ gradients[i].layer, gradients[i].role }, { set.layer, set.role })
    lu.assertEquals(gradients[i].values:shape(), set.values:shape())
  end
  local direction = nas.tensor.normal(images:shape(), 2)
  local _, above = model:gradients(images + direction * 1e-3, classes)
  local _, below = model:gradients(images - direction * 1e-3, classes)
  lu.assertAlmostEquals((above - below) / 2e-3, (direction * of_images):sum(), 1e-3)
  lu.assertAlmostEquals(loss, (above + below) / 2, 1e-4)
end

function T.test_mistakes_with_gradients()
  local model = nas.train(network(), data(), settings { epochs = 1 })
  local images = nas.tensor.zeros { 2, 8, 8, 1 }
  local function fails(message, ...) lu.assertErrorMsgContains(message, model.gradients, model, ...) end
  fails("model:gradients: targets are nil; expected a tensor", images)
  fails("targets contain 5; expected classes from 1 to 4", images, nas.tensor({ 1, 5 }, "int32"))
  fails("targets contain 0; expected classes from 1 to 4", images, nas.tensor({ 0, 1 }, "int32"))
  fails("targets are int32 [1]; expected [2] of int32 or uint8", images, nas.tensor({ 1 }, "int32"))
  fails("targets are float32 [2]", images, nas.tensor { 1, 2 })
  -- With all targets alike, and batch normalisation and dropout on the way.
  local gradients = model:gradients(images, nas.tensor({ 1, 1 }, "uint8"))
  lu.assertEquals(#gradients, #model:params() - 2) -- running mean and variance are no weights
end

-- Stopped after any epoch and continued, in the same process or from a file, gives the same bits.
function T.test_going_on()
  local whole = nas.train(network(), data(), settings { average = 0.9 })
  for epochs = 1, 3 do
    local path = temporary()
    local part = nas.train(network(), data(), settings { average = 0.9, epochs = epochs, threads = 1 })
    part:save(path, { state = true })
    local same = nas.train(part, data(), settings { average = 0.9, micro_batch = 3 })
    local loaded = nas.train(nas.load(path), data(), settings { average = 0.9 })
    os.remove(path)
    for _, model in ipairs { same, loaded } do
      lu.assertEquals(bits(model), bits(whole))
      lu.assertEquals(#model.history, 4)
      lu.assertEquals(model.history[4].loss, whole.history[4].loss)
    end
    lu.assertNotEquals(bits(part), bits(whole))
  end
end

function T.test_files()
  local path = temporary()
  local own = nas.data.tensors {
    x = nas.tensor({ { 1, 5 }, { 2, 5 }, { 3, 5 }, { 4, 5 } }, "float32"),
    y = nas.tensor({ 1, 2, 1, 2 }, "int32"), classes = 2, class_names = { "odd", "even" }, validation = 1,
    standardize = true, name = "table",
  }
  local model = nas.train(nn.dense(nn.input { 2 }, { units = 2 }), own, { epochs = 2, batch = 2, quiet = true })
  model:save(path)
  local loaded = nas.load(path)
  lu.assertEquals(loaded:info(), model:info())
  lu.assertEquals(loaded:info().class_names, { "odd", "even" })
  lu.assertEquals(bits(loaded), bits(model))
  lu.assertEquals(loaded:evaluate(own, "all").loss, model:evaluate(own, "all").loss)
  local rows = nas.tensor({ { 7, 5 } }, "float32")
  lu.assertEquals(loaded:outputs(rows):totable(), model:outputs(rows):totable())
  lu.assertErrorMsgContains("there is no training state", nas.train, loaded, own, { epochs = 3, batch = 2 })
  lu.assertErrorMsgContains("the model takes inputs of 2; those of synthetic have 8x8x1", loaded.evaluate, loaded,
    data { classes = 2 })
  lu.assertErrorMsgContains("state is true, but the model has none", loaded.save, loaded, path, { state = true })

  local file = assert(io.open(path, "r+"))
  file:seek("set", 40)
  file:write "#"
  file:close()
  lu.assertErrorMsgContains(path, nas.load, path)

  file = assert(io.open(path, "w"))
  file:write "return function(c) end"
  file:close()
  lu.assertErrorMsgContains(path .. '": no safetensors file: it begins with a header of', nas.load, path)

  local json = [[{"__metadata__":{"luanas.format":"model 1","luanas.network":"1 input size=65536,65536 channels=1\n"}}]]
  file = assert(io.open(path, "w"))
  file:write(string.pack("<I8", #json), json)
  file:close()
  lu.assertErrorMsgContains(path .. ": network, line 1: input: output of shape 65536x65536x1", nas.load, path)
  os.remove(path)
  lu.assertErrorMsgContains(path, nas.load, path)
end

function T.test_going_on_needs_the_same_training()
  local model = nas.train(network(), data(), settings { epochs = 1 })
  local function other(network_, data_, more)
    return lu.assertErrorMsgContains("state of another training", nas.train, network_, data_, settings(more))
  end
  other(model, data { seed = 3 }, {})
  other(model, data(), { seed = 1 })
  other(model, data(), { batch = 8 })
  other(model, data(), { optimizer = nas.adam { rate = 0.02 } })
  other(model, data(), { keep = "best" })
end

function T.test_rules()
  local kept = nas.train(network(), data(), settings { epochs = 12, keep = "best", patience = 3 })
  local best, best_epoch = 0, 0
  for _, epoch in ipairs(kept.history) do
    if epoch.accuracy > best then best, best_epoch = epoch.accuracy, epoch.epoch end
  end
  lu.assertEquals(kept:info().epoch, best_epoch)
  lu.assertEquals(kept:evaluate(data()).accuracy, best)
  lu.assertTrue(#kept.history <= best_epoch + 3)
  local first = nas.train(network(), data(), settings { epochs = 50, patience = 1, min_delta = 2 })
  lu.assertEquals(#first.history, 2)
end

function T.test_a_time_limit()
  local began = os.clock()
  local model = nas.train(network(), data { images = 2000 }, settings { epochs = 100000, seconds = 0.3 })
  lu.assertTrue(os.clock() - began < 20)
  lu.assertStrContains(model.stopped, "training stopped in epoch")
  lu.assertTrue(#model.history < 100000)
end

function T.test_metrics_and_losses()
  local top = nas.train(network(), data(), settings { top_k = 2, loss = { name = "softmax_cross_entropy",
    label_smoothing = 0.1 } })
  lu.assertTrue(top.history[4].top_k >= top.history[4].accuracy)
  -- The same loss, composed.
  local function composed(output, target)
    return nn.mean((output - nn.one_hot(target, { classes = 4 })) ^ 2)
  end
  local model = nas.train(network(), data(), settings { loss = composed })
  lu.assertTrue(model.history[4].accuracy > 0.7)
  lu.assertErrorMsgContains("expected one number for each image", nas.train, network(), data(),
    settings { loss = function(output) return output end })
  lu.assertErrorMsgContains("the function returned nil", nas.train, network(), data(),
    settings { loss = function() end })
  lu.assertErrorMsgContains("the loss does not depend on a target", nas.train, network(), data(),
    settings { loss = function(output) return nn.mean(output) end })
  lu.assertErrorMsgContains("the loss: network: 0 different input layers", nas.train, network(), data(),
    settings { loss = function(_, target) return nn.mean(target) end })
end

-- y = 2 a - b + 3, with noise that is none.
local function line(count)
  local stream, x, y = nas.stream(1, "line"), {}, {}
  for i = 1, count do
    x[i] = { stream:number() * 4, stream:number() * 2 - 1 }
    y[i] = 2 * x[i][1] - x[i][2] + 3
  end
  return nas.data.tensors {
    x = nas.tensor(x, "float32"), y = nas.tensor(y, "float32"), standardize = true, name = "line",
  }
end

function T.test_regression()
  for _, loss in ipairs { "mean_squared_error", "huber" } do
    local model = nas.train(nn.dense(nn.input { 2 }, { units = 1 }), line(400), {
      epochs = 60, batch = 20, loss = loss, quiet = true,
      optimizer = nas.sgd { rate = 0.05, momentum = 0.9, nesterov = true },
    })
    local last = model.history[#model.history]
    lu.assertNil(last.accuracy)
    lu.assertTrue(last.mean_absolute_error < 0.01)
    lu.assertAlmostEquals(model:predict(nas.tensor({ { 1, 1 } }, "float32")):get(1, 1), 4, 0.05)
    lu.assertErrorMsgContains("the model gives values", model.probabilities, model, nas.tensor.zeros { 1, 2 })
  end
end

function T.test_two_classes_and_one_output()
  local own = data { classes = 2 }
  local x = nn.dense(nn.input { 8, 8, 1 }, { units = 1 })
  local model = nas.train(x, own, settings { loss = "binary_cross_entropy", augment = {}, epochs = 8 })
  lu.assertTrue(model.history[8].accuracy > 0.9)
  local image, class = own:image(5)
  local inputs = nas.tensor.zeros({ 1, 8, 8, 1 }, "uint8")
  inputs:select(1, 1):copy(image)
  lu.assertEquals(model:predict(inputs):get(1), class)
  lu.assertEquals(model:probabilities(inputs):get(1, 1) > 0.5, class == 2)
end

-- ---- Bad input -------------------------------------------------------------------------------------

function T.test_refused_before_training()
  local function refused(part, network_, data_, more)
    lu.assertErrorMsgContains(part, nas.train, network_, data_, settings(more))
  end
  refused("has 4 classes, so expected 4 units", nn.dense(nn.input { 8, 8, 1 }, { units = 5 }), data())
  refused("the inputs of synthetic have 8x8x1", nn.dense(nn.input { 8, 8, 3 }, { units = 4 }), data())
  refused("mean_squared_error: the target is one class", network(), data(), { loss = "mean_squared_error" })
  refused("softmax_cross_entropy: ", nn.dense(nn.input { 2 }, { units = 1 }), line(20), { augment = {} })
  refused("of line has the value ", nn.dense(nn.input { 2 }, { units = 1 }), line(20),
    { augment = {}, loss = "binary_cross_entropy" })
  refused("the loss binary_cross_entropy takes values from 0 to 1", nn.dense(nn.input { 2 }, { units = 1 }), line(20),
    { augment = {}, loss = "binary_cross_entropy" })
  refused("augment: shift moves images by up to 8 pixels; expected less than their height of 8", network(), data(),
    { augment = { shift = 8 } })
  refused("expected images", nn.dense(nn.input { 2 }, { units = 1 }), line(20),
    { loss = "huber", augment = { flip = 0.5 } })
  refused("erase_min is 0.5; expected at most erase_max", network(), data(),
    { augment = { erase = 1, erase_min = 0.5 } })
  refused("params: ", network(), data(), { limits = { params = 10 } })
  refused("macs: ", network(), data(), { limits = { macs = 10 } })
  refused("memory: ", network(), data(), { limits = { memory = 10 } })
  refused('train: unknown option "epoch"', network(), data(), { epoch = 3 })
  refused("network is 3; expected layers", 3, data())
  refused("data is nil; expected a data set", network(), nil)
  lu.assertErrorMsgContains("train: data is a table; expected a data set", nas.train, network(), settings(), data())
  lu.assertErrorMsgContains("train: network is a luanas.Data; expected layers", nas.train, data(), network())
  refused("on_epoch is 3; expected a function", network(), data(), { on_epoch = 3 })
  refused("the loss is not finite", network(), data(), { optimizer = nas.sgd { rate = 1e6 }, epochs = 1,
    loss = function(output, target) return nn.exp(nn.softmax_cross_entropy(output * 1000, target)) end })
end

return T
