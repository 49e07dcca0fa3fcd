-- A reward that you change while the search runs: edit the file that is named below and save it. The next trial is
-- rewarded by the new version, and what was trained before is ranked under it at once. With --path, Ctrl-C loses
-- nothing: run again, each trial has the version of its time, and the search goes on with the file as it is.
local nas = require "luanas"
local nn = nas.nn

local options = nas.options(arg, {
  reward = { "reward.lua", "file that returns the reward; made where there is none" },
  trials = { 100, "architectures to sample", least = 1 },
  limit = { 5000, "training images; 0 takes all 55,000" },
  epochs = { 1, "passes over them for each network", least = 1 },
  path = { "", "file that keeps the study" },
})

local FIRST = [[
-- Save this file while the search runs. What a trial has is listed at luanas.Trial in meta/study.lua.
return function(trial)
  return trial.accuracy -- try: - trial.macs / 1e8
end
]]
local file = io.open(options.reward)
if not file then
  file = assert(io.open(options.reward, "w"))
  file:write(FIRST)
end
file:close()

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

local study = nas.study {
  space = space, data = nas.data.fashion_mnist { limit = options.limit }, path = options.path,
  train = { epochs = options.epochs, batch = 50, optimizer = nas.adam { rate = 2e-3 } },
}
local reward = nas.watch(options.reward)
print("the reward is " .. options.reward .. ": change it and save it")

-- Rewards before a change say nothing about those after it, so the baseline starts anew.
study:run(nas.agents.reinforce(), { trials = options.trials, reward = reward, restart_baseline = true })

print "\nthe best of all under the reward as it is now:"
for place, each in ipairs(study:rescore(reward)) do
  if place > 3 then break end
  print(("%.4f  trial %3d: accuracy %.4f, %9d MACs, %s"):format(each.reward, each.trial.number, each.trial.accuracy,
    each.trial.macs, each.trial.arch))
end
