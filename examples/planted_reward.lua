-- Which agents learn? All of them on a reward that is known for all 1,296 networks (planted.lua), so that nothing is
-- trained, over many seeds. Prints by how much the last samples, and the best one, beat uniform sampling.
local nas = require "luanas"
local planted = dofile((arg[0]:match "^.*/" or "") .. "planted.lua")

local options = nas.options(arg, {
  trials = { 100, "architectures that each search samples", least = 1 },
  seeds = { 100, "searches of each agent", least = 2 },
  last = { 20, "samples at the end that count", least = 1 },
  agent = { "", "only this one" },
  preset = { "small", "of the policies: small or paper" },
  plot = { "", "file for the curves of the best so far, .svg or .png" },
})

local policy = { preset = options.preset }
local agents = {
  "random_sample", "random_search", "evolution",
  "independent", { "independent", name = "independent, rate 0.1", rate = 0.1 },
  { "reinforce", name = "no baseline", baseline = "none", policy = policy },
  { "reinforce", policy = policy },
  { "reinforce", name = "leave-one-out of 4", baseline = "leave_one_out", batch = 4, policy = policy },
  { "lookahead", policy = policy }, { "actor_critic", policy = policy }, { "ppo", policy = policy },
}
local function is_wanted(agent)
  local name = type(agent) == "table" and (agent.name or agent[1]) or agent
  return not options.agent or name == options.agent
end
local wanted = {}
for _, agent in ipairs(agents) do
  if is_wanted(agent) then wanted[#wanted + 1] = agent end
end
if #wanted == 0 then wanted[1] = options.agent end

-- The whole space: mean and standard deviation of uniform sampling are exact.
local rewards = {}
for arch in nas.space.enumerate(planted.space) do rewards[#rewards + 1] = planted.reward(arch) end
local statistics = nas.statistics
local uniform = statistics.mean(rewards)
local deviation = statistics.sd(rewards) * math.sqrt((#rewards - 1) / #rewards)
local best = statistics.quantile(rewards, 1)

local result = nas.compare {
  space = planted.space, rewards = planted.reward, agents = wanted, trials = options.trials, seeds = options.seeds,
  last = options.last, oracle = best,
}

local function above(value) return (value - uniform) / deviation end

print(("networks %d: reward %.4f +- %.4f, best %.4f (%.2f standard deviations above the mean), largest network %.4f")
  :format(#rewards, uniform, deviation, best, above(best), rewards[#rewards])) -- the last has the last options
print(("last %d of %d samples, %d seeds: standard deviations above uniform sampling (95 %% interval), and the best one")
  :format(options.last, options.trials, options.seeds))
for _, own in ipairs(result.summaries) do
  print(("%-24s %5.2f (%5.2f to %5.2f)   best %.2f (%.2f to %.2f)"):format(own.name, above(own.last.mean),
    above(own.last.low), above(own.last.high), above(own.best.mean), above(own.best.low), above(own.best.high)))
end
print()
print(result)
if options.plot then result:plot(options.plot) end
