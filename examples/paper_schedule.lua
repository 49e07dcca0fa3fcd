-- The paper's search without its 800 GPUs: 12,800 samples of up to 20 layers in batches of 8, two layers more after
-- each 1,600, by the controller and the settings of Zoph & Le 2017. Nothing is trained: planted are the connections of
-- each layer to the one before and the third before, so that it is known what there is to learn. The reward is the mean
-- of two shares, that of the planted connections that are taken and that of all others that are left: 0.5 for all, none
-- or any by chance. It prints how far the controller gets, by depth, beside random search over several seeds.
local nas = require "luanas"

local options = nas.options(arg, {
  samples = { 12800, "architectures that each search samples", least = 1 },
  grow = { 1600, "samples after which there are two layers more", least = 1 },
  seeds = { 10, "searches of each agent", least = 1 },
  last = { 200, "samples at the end that count", least = 1 },
  plot = { "", "file for the mean of the last samples over time, .svg or .png" },
})

local function depth(sample) return 6 + 2 * ((sample - 1) // options.grow) end

local space = nas.space.paper_cnn { input = { 32, 32, 3 }, classes = 10, depth = depth }

-- Whether the connection from one layer to another is planted.
local function is_planted(from, to) return to - from == 1 or to - from == 3 end

local function reward(arch)
  local layer, right, count = 0, { 0, 0 }, { 0, 0 } -- of those that are not planted and those that are
  for _, decision in ipairs(arch.decisions) do
    local from = decision.name:match "^skip%.(%d+)$"
    if decision.name == "skip" then
      layer = layer + 1
    elseif from then
      local kind = is_planted(tonumber(from), layer) and 2 or 1
      count[kind] = count[kind] + 1
      if decision.chosen == kind then right[kind] = right[kind] + 1 end
    end
  end
  return (right[1] / count[1] + right[2] / count[2]) / 2
end

local result = nas.compare {
  space = space, rewards = reward, seeds = options.seeds, trials = options.samples, last = options.last,
  agents = { { "reinforce", preset = "paper" }, "random_search" },
}
print(result)

-- The mean over all seeds of the last samples of each depth.
local statistics = nas.statistics
local HEAD = "mean reward of the last %d samples of each depth, and its standard deviation over the seeds"
print(HEAD:format(options.last))
print "layers  reinforce          random search"
for first = 1, options.samples, options.grow do
  local line, last = ("%6d"):format(depth(first)), math.min(first + options.grow - 1, options.samples)
  for _, agent in ipairs(result.agents) do
    local means = {}
    for i, cell in ipairs(agent.cells) do
      means[i] = statistics.mean { table.unpack(cell.rewards, math.max(first, last - options.last + 1), last) }
    end
    line = line .. ("  %.3f +- %.3f   "):format(statistics.mean(means), #means > 1 and statistics.sd(means) or 0)
  end
  print(line)
end
if options.plot then result:plot(options.plot, "samples") end
