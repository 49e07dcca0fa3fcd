-- Write your own reward: any function of a trial. Three of them over the same evaluations, which are trained once:
-- accuracy, accuracy of the worst class, and MnasNet's product of accuracy and cost. Then what they chose, and the
-- Pareto front.
local nas = require "luanas"
local nn = nas.nn

local options = nas.options(arg, {
  trials = { 30, "architectures for each reward", least = 1 },
  limit = { 5000, "training images; 0 takes all 55,000" },
  epochs = { 1, "passes over them for each network", least = 1 },
  path = { "", "file that keeps the evaluations" },
})

local function space(c)
  local x = nn.input { 28, 28, 1 }
  for layer = 1, 3 do
    x = nn.conv2d(x, {
      kernel = c:choose("kernel", { 1, 3, 5 }), filters = c:choose("filters", { 8, 16, 32 }),
      stride = layer < 3 and 2 or 1, activation = "relu",
    })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

-- The accuracy of the class that is recognised worst. What a trial has is listed at luanas.Trial in meta/study.lua.
local function worst_class(trial)
  local worst = 1
  for _, accuracy in ipairs(trial.per_class) do worst = math.min(worst, accuracy or 1) end
  return worst
end

local study = nas.study {
  space = space, data = nas.data.fashion_mnist { limit = options.limit }, path = options.path,
  train = { epochs = options.epochs, batch = 50, optimizer = nas.adam { rate = 2e-3 } },
}
local REWARDS = {
  { "accuracy", "accuracy" }, -- the name of a metric is a reward, too
  { "worst class", worst_class },
  { "accuracy, less above a million MACs", nas.reward.mnas { cost = "macs", target = 1e6, alpha = 0, beta = -0.3 } },
}
for _, reward in ipairs(REWARDS) do
  local found = study:run(nas.agents.reinforce(), { trials = options.trials, reward = reward[2] })
  local best = found.best
  print(("%-36s %3d trained: accuracy %.4f, worst class %.4f, %9d MACs, %s"):format(reward[1], found.trainings,
    best.accuracy, worst_class(best), best.macs, best.arch))
end

print "\nPareto front of all trials:"
for _, trial in ipairs(study:pareto { maximize = { "accuracy" }, minimize = { "macs" } }) do
  print(("accuracy %.4f  %9d MACs  %s"):format(trial.accuracy, trial.macs, trial.arch))
end
