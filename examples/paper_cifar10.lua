-- Zoph & Le 2017, sec. 4.1, with the paper's own numbers: CIFAR-10 from its binary files
-- (cs.toronto.edu/~kriz/cifar.html), 12,800 children of 50 epochs, batches of 8, depth from 6 to 20 layers. For those
-- who have the machines: children of a batch train side by side with --workers 2 or more, and in as many
-- `luanas worker FILE` as are started on this machine beside it. Run again, it goes on where it was. Where the paper
-- whitens images, they are standardised here; where it enlarges them and takes random crops, a crop is out of the image
-- with 4 pixels of zeros around, as in DenseNet's recipe, which the paper follows otherwise.
local nas = require "luanas"
local task = dofile((arg[0]:match "^.*/" or "") .. "paper_cnn_task.lua") -- for its reward

local options = nas.options(arg, {
  cifar = { "cifar-10-batches-bin", "folder with data_batch_1.bin to data_batch_5.bin" },
  trials = { 12800, "children", least = 1 },
  grow = { 1600, "samples after which children have two layers more", least = 1 },
  epochs = { 50, "of each child", least = 1 },
  validation = { 5000, "images to validate with, drawn from the others", least = 1 },
  limit = { 0, "training images; 0 takes all", least = 0 },
  strides = { false, "also choose strides of 1 to 3, as the paper's second network" },
  workers = { 1, "processes that train children of a batch side by side", least = 1 },
  seed = { 1, "of the search" },
  path = { "paper_cifar10.db", "file that keeps the study" },
})

local study = nas.study {
  space = nas.space.paper_cnn {
    input = { 32, 32, 3 }, classes = 10, strides = options.strides and { 1, 2, 3 } or nil,
    depth = function(sample) return 6 + 2 * ((sample - 1) // options.grow) end,
  },
  data = nas.data.cifar10 {
    path = options.cifar, validation = options.validation, limit = options.limit, standardize = true,
  },
  path = options.path,
  train = {
    epochs = options.epochs, batch = 64,
    optimizer = nas.sgd { rate = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 },
    augment = { pad_crop = 4, flip = 0.5 },
  },
  failed = { accuracy = 0.1 },
}

study:run(nas.agents.reinforce { preset = "paper", seed = options.seed }, {
  trials = options.trials, reward = task.reward, workers = options.workers,
})
study:report()
