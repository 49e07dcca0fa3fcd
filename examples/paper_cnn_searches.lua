-- Does the controller help? REINFORCE against random search in the small space of Zoph & Le 2017 on Fashion-MNIST: equal
-- seconds of training, several seeds; and against a chain made by hand. The best validation accuracy among hundreds of
-- children is partly luck, so that the best of each search is trained again, with seeds that no search has seen.
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
  again = { 5, "trainings of the best child of each search and of the chain, with new seeds", least = 2 },
  path = { "paper_cnn_searches.db", "file that keeps the searches" },
  out = { "", "folder for pictures, which must exist" },
})

local DEPTH = 6
local own = task.study(options.epochs, options.limit, DEPTH)
own.path = options.path
local reinforce = task.reinforce(options.batch)
reinforce[1] = "reinforce"
local result = nas.compare {
  agents = { reinforce, "random_search" }, seeds = options.seeds, seconds = options.seconds, last = options.last,
  study = own, reward = task.reward,
}
print(result)
if options.out then
  result:plot(options.out .. "/incumbent.svg", "incumbent", "seconds")
  result:plot(options.out .. "/samples.svg", "samples", "seconds")
end

-- ---- The best of each, again -----------------------------------------------------------------------

-- What one would write without a search: squares of 3, each layer on the one before.
local function by_hand(decision, layer)
  if decision == "skip" then return layer - 1 end
  return decision == "filters" and 24 or 3
end

-- The architecture of the chain: what each decision takes by its value; an anchor's are named skip.K, of layer K.
local function chain(space)
  local layer = 0
  return nas.space.choose(space, function(decision)
    local name, taken = decision.name, decision.name:match "^skip%.(%d+)$"
    local wanted
    if taken then
      wanted = tonumber(taken) == by_hand("skip", layer)
    elseif name == "skip" then
      return 1
    else
      if name == "height" then layer = layer + 1 end
      wanted = by_hand(name, layer)
    end
    for i, option in ipairs(decision.options) do
      if option == wanted then return i end
    end
    error(("no option %s of %s"):format(wanted, name))
  end)
end
