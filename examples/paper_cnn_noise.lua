-- What can a search learn from children of a few epochs? Some random children of paper_cnn_task.lua are trained with
-- several seeds each: how much two seeds of one child differ, and how much the children do. Where seeds differ by more,
-- the best of many children is mostly luck. --constant and --augment are what the paper does with 50 epochs.
local nas = require "luanas"
local task = dofile((arg[0]:match "^.*/" or "") .. "paper_cnn_task.lua")

local options = nas.options(arg, {
  children = { 10, "random architectures", least = 2 },
  seeds = { 4, "trainings of each", least = 2 },
  epochs = { 3, "passes over the training images for each child", least = 1 },
  limit = { 5000, "training images for a child; 0 takes all 55,000", least = 0 },
  constant = { false, "keep the rate as it is" },
  augment = { false, "pad and crop, and flip" },
})

local own = task.study(options.epochs, options.limit)
own.replicates = options.seeds
if options.constant then own.train.schedule = nil end
if options.augment then own.train.augment = { pad_crop = 2, flip = 0.5 } end
local study, stream, statistics = nas.study(own), nas.stream(1, "children"), nas.statistics

local function squared(x) return x * x end

local means, variances, seconds = {}, {}, 0.0
for i = 1, options.children do
  local trial = study:evaluate(nas.space.choose(study.space, function(decision)
    return stream:integer(decision.options.count)
  end))
  if trial.status ~= "ok" then error(("child %d: %s"):format(i, trial.reason), 0) end
  means[i], variances[i] = trial.accuracy, squared(trial.metrics.accuracy_spread)
  seconds = seconds + trial.seconds
end

-- The means over seeds differ by the children, and by what is left of the noise of the seeds.
local of_seeds = statistics.mean(variances)
local of_children = squared(statistics.sd(means)) - of_seeds / options.seeds
local function root(x) return nas.math.pow(math.max(0, x), 0.5) end

local TEXT = "accuracy %.4f; standard deviation between children %.4f, between seeds of a child %.4f; %.2f s a training"
print(TEXT:format(statistics.mean(means), root(of_children), root(of_seeds),
  seconds / (options.children * options.seeds)))
