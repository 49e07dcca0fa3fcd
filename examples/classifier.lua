-- Trains a network of three convolutions on Fashion-MNIST: layers, data, recipe, and what comes out.
local nas = require "luanas"
local nn = nas.nn
local options = nas.options(arg, {
  epochs = { 15, "passes over the training images" },
  seed = { 1, "initial weights, order of images, dropout, augmentation" },
  limit = { 0, "training images; 0 takes all 55,000" },
})
local data = nas.data.fashion_mnist { standardize = true, limit = options.limit }
local x = nn.input { 28, 28, 1 }
for _, filters in ipairs { 32, 64, 128 } do
  x = nn.batch_norm(nn.conv2d(x, { filters = filters, kernel = 3, bias = false }), { activation = "relu" })
  x = nn.max_pool(x, { pool = 2, padding = "same" })
end
local network = nn.dense(nn.dropout(x, { rate = 0.4 }), { units = 10 })
print(network:summary())
local model = nas.train(network, data, {
  epochs = options.epochs, batch = 125, optimizer = nas.adamw { rate = 3e-3, weight_decay = 0.02 },
  schedule = nas.schedule.cosine { warmup = 1 }, augment = { flip = 0.5 }, average = 0.999,
  seed = options.seed,
})
local result = model:evaluate(data)
for class, name in ipairs(model:info().class_names) do
  local share = result.per_class[class] -- false: no image of this class validates
  print(("%-12s  %s"):format(name, share and ("%.4f"):format(share) or "-"))
end
print(("validation accuracy %.4f, loss %.4f"):format(result.accuracy, result.loss))
