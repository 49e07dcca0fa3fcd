-- Does the policy learn? The search of reinforce_baseline.lua on a reward that is known for all 1,296 networks, so that
-- nothing is trained, and over many seeds. Prints by how much the last samples beat uniform sampling.
local nas = require "luanas"

local options = nas.options(arg, {
  trials = { 100, "architectures to sample in each search" },
  seeds = { 100, "searches" },
  last = { 20, "samples at the end that count" },
  preset = { "small", "of the policy: small or paper" },
})

local space = nas.space.chain {
  input = { 28, 28, 1 }, layers = 4, kernel = { 1, 3 }, filters = { 32, 48, 64 }, stride = { 2, 1, 2, 1 }, classes = 10,
}

-- Of the size of validation accuracies. Some layers want a large kernel or many filters, others do not, and neighbours
-- matter to each other; the largest network is not the best.
local KERNEL = { 0.012, 0.020, 0.016, -0.012 } -- what a kernel of 3 adds in each layer
local FILTERS = { -- what each number of filters adds
  { [32] = 0.000, [48] = 0.012, [64] = 0.006 },
  { [32] = 0.000, [48] = 0.006, [64] = 0.014 },
  { [32] = 0.010, [48] = 0.008, [64] = 0.000 },
  { [32] = 0.000, [48] = 0.010, [64] = -0.006 },
}
local function planted(arch)
  local reward = 0.78
  for layer = 1, 4 do
    local kernel, filters = arch:value("kernel", layer), arch:value("filters", layer)
    reward = reward + FILTERS[layer][filters]
    if kernel == 3 then reward = reward + KERNEL[layer] end
    if layer > 1 and kernel == arch:value("kernel", layer - 1) then reward = reward - 0.008 end
    if layer > 1 and filters < arch:value("filters", layer - 1) then reward = reward - 0.006 end
  end
  return reward
end

-- The whole space: mean and standard deviation of uniform sampling are exact.
local function mean_and_deviation(values)
  local sum, squares = 0.0, 0.0
  for _, value in ipairs(values) do sum = sum + value end
  local mean = sum / #values
  for _, value in ipairs(values) do squares = squares + (value - mean) * (value - mean) end
  return mean, nas.math.pow(squares / #values, 0.5)
end

local rewards, best, largest = {}, nil, nil
for arch in nas.space.enumerate(space) do
  rewards[#rewards + 1] = planted(arch)
  best = math.max(best or 0, rewards[#rewards])
  largest = rewards[#rewards] -- the last one has the last option everywhere
end
local uniform, deviation = mean_and_deviation(rewards)

-- One search; the mean reward of its last samples.
local function search(seed)
  local policy = nas.policy { preset = options.preset, seed = seed }
  local baseline = nas.reward.moving_average(0.8)
  local clip = nas.reward.clip(0.1)
  local sum = 0.0
  for trial = 1, options.trials do
    local arch = policy:sample(space)
    local reward = planted(arch)
    policy:learn { { arch, advantage = clip(baseline:advantage(reward)) } }
    if trial > options.trials - options.last then sum = sum + reward end
  end
  return sum / options.last
end

local gains = {}
for seed = 1, options.seeds do gains[seed] = (search(seed) - uniform) / deviation end
local gain, spread = mean_and_deviation(gains)
local half = 1.96 * spread / nas.math.pow(math.max(1, #gains - 1), 0.5)

print(("networks %d: reward %.4f +- %.4f, best %.4f, largest network %.4f")
  :format(#rewards, uniform, deviation, best, largest))
print(("last %d of %d samples, %d seeds: %.2f standard deviations above uniform sampling (95 %% interval %.2f to %.2f)")
  :format(options.last, options.trials, #gains, gain, gain - half, gain + half))
