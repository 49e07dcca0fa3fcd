-- REINFORCE with a moving-average baseline (Zoph & Le 2017, sec. 3.2) on Fashion-MNIST.
-- reinforce.lua is the same without the baseline.
local nas = require "luanas"
local nn = nas.nn

local options = nas.options(arg, {
  trials = { 100, "architectures to sample" },
  epochs = { 1, "passes over the training images for each" },
  limit = { 0, "training images; 0 takes all 55,000" },
  seed = { 1, "seed of the search" },
  path = { "", "file that keeps the study: run again, the script goes on where it was" },
  fresh = { false, "train with a new evaluation seed, not recall" },
  penalty = { 0.0, "above 0: the reward is accuracy^3 minus so much for each million parameters" },
  csv = { "", "file for a table of all trials" },
})

-- 1,296 architectures: every c:choose is one decision of the controller.
local function space(c)
  local x = nn.input { 28, 28, 1 }
  for layer = 1, 4 do
    local kernel = c:choose("kernel", { 1, 3 })
    local filters = c:choose("filters", { 32, 48, 64 })
    local stride = layer % 2 == 1 and 2 or 1
    x = nn.conv2d(x, { filters = filters, kernel = kernel, stride = stride, activation = "relu" })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

local study = nas.study {
  space = space,
  data = nas.data.fashion_mnist { limit = options.limit },
  train = { epochs = options.epochs, batch = 250, optimizer = nas.adam { rate = 1e-3 } },
  failed = { accuracy = 0.1 }, -- what a child that diverges counts as
  seed = options.seed,
  trials = options.trials,
  path = options.path,
  fresh = options.fresh,
}
local function cubed(trial) return nas.reward.power(trial.accuracy, 3) - options.penalty * 1e-6 * trial.params end

local policy = nas.policy { preset = "small", seed = options.seed }
local baseline = nas.reward.moving_average(0.8)
local clip = nas.reward.clip(0.1)

for _ = 1, options.trials do
  local arch = policy:sample(space)
  local trial = study:evaluate(arch) -- trains it, or recalls it
  local reward = options.penalty > 0 and cubed(trial) or trial.accuracy
  local advantage = clip(baseline:advantage(reward)) -- the reward minus the average of the earlier ones
  local learned = policy:learn { { arch, advantage = advantage } } -- a step along advantage * grad log pi(arch)
  trial:log {
    reward = reward, advantage = advantage, loss = learned.loss, entropy = learned.entropy, kl = learned.kl,
  }
end

study:report()
print(clip)
if options.csv then study:csv(options.csv) end
print("the student project's size: --trials 20 --epochs 10")
