-- Zoph & Le 2017 on Fashion-MNIST: skip connections by anchors, rectangular filters, the paper's reward (the best
-- validation accuracy of the last epochs, cubed), in a space that a laptop can search. Its trainings take ten minutes
-- by default; a night is --seconds 28800 --limit 0. Run again, it goes on where it was.
local nas = require "luanas"

local options = nas.options(arg, {
  seconds = { 600, "of training that the search may take", least = 1 },
  epochs = { 3, "passes over the training images for each child; the paper's children have 50", least = 1 },
  limit = { 5000, "training images for a child; 0 takes all 55,000", least = 0 },
  batch = { 4, "children for each step of the controller; the paper's has 8", least = 1 },
  depth = { 6, "layers at the start", least = 1 },
  grow = { 0, "two layers more after each so many samples, as the paper's 1,600; 0: never", least = 0 },
  agent = { "reinforce", "who searches: a name of nas.agents" },
  seed = { 1, "of the search" },
  path = { "paper_cnn.db", "file that keeps the study" },
  out = { "", "folder for pictures, which must exist" },
})

local function depth(sample)
  return options.depth + (options.grow > 0 and 2 * (sample // options.grow) or 0)
end

local space = nas.space.paper_cnn_small { input = { 28, 28, 1 }, classes = 10, depth = depth }

local study = nas.study {
  space = space, path = options.path,
  data = nas.data.fashion_mnist { limit = options.limit, standardize = true },
  train = {
    epochs = options.epochs, batch = 50,
    optimizer = nas.sgd { rate = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 },
    augment = { pad_crop = 2, flip = 0.5 },
  },
  limits = { macs = 30e6 }, failed = { accuracy = 0.1 },
}

-- Paper, sec. 4.1: the maximum validation accuracy of the last 5 epochs, cubed.
local function reward(trial)
  local best = 0.1
  for i = math.max(1, #trial.epochs - 4), #trial.epochs do best = math.max(best, trial.epochs[i].accuracy) end
  return nas.reward.power(best, 3)
end

local agent = options.agent == "reinforce"
  and nas.agents.reinforce { seed = options.seed, batch = options.batch, decay = 0.95, policy = { preset = "small" } }
  or nas.agents[options.agent] { seed = options.seed }
local found = study:run(agent, { seconds = options.seconds, reward = reward })
study:report()
print(("%d children, %d trained, %.0f s of training; ended by: %s"):format(found.trials, found.trainings, found.seconds,
  found.ended))
if options.out then
  nas.plot.accuracy(study, options.out .. "/accuracy.svg")
  nas.plot.incumbent(study, options.out .. "/incumbent.svg")
  nas.plot.pareto(study, options.out .. "/pareto.svg")
end
