-- Does the controller help? REINFORCE against random search in the small space of Zoph & Le 2017 on Fashion-MNIST:
-- equal seconds of training, several seeds; and against a chain made by hand. The best validation accuracy among
-- hundreds of children is partly luck, so that the best of each search is trained again, with seeds that no search
-- has seen.
--
-- Run again, it goes on where it was; with more seconds, it continues the same searches.
local nas = require "luanas"
local task = dofile((arg[0]:match "^.*/" or "") .. "paper_cnn_task.lua")

local options = nas.options(arg, {
  seconds = { 600, "of training that each search may take", least = 1 },
  seeds = { 5, "searches of each agent", least = 1 },
  epochs = { 3, "passes over the training images for each child", least = 1 },
  limit = { 5000, "training images for a child; 0 takes all 55,000", least = 0 },
  batch = { 4, "children for each step of the controller", least = 1 },
  last = { 50, "samples at the end of a search whose mean tells what it proposes", least = 1 },
  halving = { false, "also successive halving (ASHA): random children for 1 epoch, the best third for all" },
  again = { 5, "trainings of the best child of each search and of the chain, with new seeds", least = 2 },
  path = { "paper_cnn_searches.db", "file that keeps the searches" },
  found = { "paper_cnn_found.txt", "file that gets the best child of each search, for --from of paper_cnn_final.lua" },
  out = { "", "folder for pictures, which must exist" },
})

local DEPTH = 6
local own = task.study(options.epochs, options.limit, DEPTH)
own.path = options.path
local reinforce = task.reinforce(options.batch)
reinforce[1] = "reinforce"
local agents = { reinforce, "random_search" }
if options.halving then agents[3] = { "asha", epochs = options.epochs } end
local result = nas.compare {
  agents = agents, seeds = options.seeds, seconds = options.seconds, last = options.last,
  study = own, reward = task.reward,
}
print(result)
if options.out then
  result:plot(options.out .. "/incumbent.svg", "incumbent", "seconds")
  result:plot(options.out .. "/samples.svg", "samples", "seconds")
end

local function title_of(agent, cell) return ("%s, seed %d"):format(agent.name, cell.seed) end
local statistics = nas.statistics

-- ---- What is proposed in the end -------------------------------------------------------------------

print(("the last %d samples of each search: mean accuracy and costs"):format(options.last))
for _, agent in ipairs(result.agents) do
  for _, cell in ipairs(agent.cells) do
    local accuracies, macs = {}, {}
    for i = math.max(1, #cell.rewards - options.last + 1), #cell.rewards do
      if cell.macs[i] then
        accuracies[#accuracies + 1], macs[#macs + 1] = nas.reward.power(cell.rewards[i], 1 / 3), cell.macs[i]
      end
    end
    if #macs > 0 then
      print(("%-26s %.4f %10.0f MACs"):format(title_of(agent, cell), statistics.mean(accuracies),
        statistics.mean(macs)))
    end
  end
end

-- ---- The best of each, again -----------------------------------------------------------------------

local SEEDS_FROM = 1000 -- no search has trained with these
own.evaluation_seed, own.replicates = SEEDS_FROM, options.again
print(("trained again with %d new seeds: accuracy, its deviation over seeds, and costs"):format(options.again))

-- The mean accuracy; nil where a training fails.
local function again(study, title, arch)
  local trial = study:evaluate(arch)
  if trial.status ~= "ok" then
    print(("%-26s failed: %s"):format(title, trial.reason))
    return nil
  end
  print(("%-26s %.4f +- %.4f %8d parameters %10d MACs"):format(title, trial.accuracy, trial.metrics.accuracy_spread,
    trial.params, trial.macs))
  return trial.accuracy
end

-- What one would write without a search: squares, each layer on the one before. The last two cost as much as the
-- dearest children that searches of seven minutes found.
local CHAINS = { -- layers, kernel size, filters
  { 6, 3, 24 }, { 6, 3, 36 }, { 6, 5, 24 }, { 6, 5, 36 }, { 6, 5, 44 }, { 9, 5, 36 },
}
for _, chain in ipairs(CHAINS) do
  local layers, size, filters = table.unpack(chain)
  local before = {}
  for layer = 1, layers do before[layer] = { layer > 1 and layer - 1 or nil } end
  own.name = ("chain %d of %dx%d, %d filters"):format(layers, size, size, filters)
  own.space = task.space(layers, { heights = { size }, widths = { size }, filters = { filters } })
  again(nas.study(own), own.name, nas.space.by_hand(own.space, { skip = before }))
end

own.space = task.space(DEPTH)
own.name = "the best, again"
local best = nas.study(own)
for _, agent in ipairs(result.agents) do
  local accuracies = {}
  for _, cell in ipairs(agent.cells) do
    local title = title_of(agent, cell)
    if not cell.best then error(title .. ": no child could be trained; give it more seconds", 0) end
    accuracies[#accuracies + 1] = again(best, title, cell.best.arch)
  end
  if #accuracies > 1 then
    local low, high = statistics.bootstrap(accuracies)
    print(("%-26s %.4f, 95 %% interval of the mean over searches %.4f to %.4f"):format(agent.name,
      statistics.mean(accuracies), low, high))
  end
end

-- The best first, each with its accuracy.
do
  local lines = {}
  for i, trial in ipairs(best:best(#best:trials())) do
    lines[i] = ("%.4f %s\n"):format(trial.accuracy, trial.arch:line())
  end
  local list <close> = assert(io.open(options.found, "w"))
  assert(list:write(table.concat(lines)))
end
