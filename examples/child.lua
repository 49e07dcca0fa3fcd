-- Trains one network of the space of reinforce_baseline.lua, the same kernel and filters in all layers, with several
-- evaluation seeds: what a child reaches, and how much of that is luck.
local nas = require "luanas"

local options = nas.options(arg, {
  kernel = { 3, "kernel size in all layers" },
  filters = { 64, "filters in all layers" },
  epochs = { 10, "passes over the training images" },
  seeds = { 3, "evaluation seeds: 1, 2, ..." },
  limit = { 0, "training images; 0 takes all 55,000" },
  direct = { false, "slide all windows, rather than let Winograd's algorithm compute where it is faster" },
})

assert(options.seeds >= 1, "--seeds must be at least 1")

local space = nas.space.chain {
  input = { 28, 28, 1 }, layers = 4, kernel = options.kernel, filters = options.filters, stride = { 2, 1, 2, 1 },
  classes = 10,
}
local data = nas.data.fashion_mnist { limit = options.limit }
local arch = nas.random { seed = 1 }:sample(space)

print("seed  epoch  train loss  validation loss  accuracy  seconds")
local sum = 0.0
for seed = 1, options.seeds do
  local study = nas.study {
    space = space, data = data, evaluation_seed = seed,
    train = {
      epochs = options.epochs, batch = 250, optimizer = nas.adam { rate = 1e-3, epsilon = 1e-7 },
      winograd = not options.direct,
    },
  }
  local trial = study:evaluate(arch)
  for _, epoch in ipairs(trial.epochs) do
    print(("%4d  %5d  %10.4f  %15.4f  %8.4f  %7.2f")
      :format(seed, epoch.epoch, epoch.train_loss, epoch.loss, epoch.accuracy, epoch.seconds))
  end
  if trial.status ~= "ok" then error(("seed %d: %s"):format(seed, trial.reason), 0) end
  sum = sum + trial.accuracy
end
print(("mean accuracy after the last epoch: %.4f"):format(sum / options.seeds))
