-- Zoph & Le 2017 on Fashion-MNIST: skip connections by anchors, rectangular filters, the paper's reward (the best
-- validation accuracy of the last epochs, cubed), in a space that a laptop can search; paper_cnn_task.lua says what is
-- trained. Its trainings take ten minutes by default; a night is --seconds 28800 --limit 0. Run again, it goes on where
-- it was. paper_cnn_searches.lua compares agents, paper_cnn_final.lua trains what was found.
local nas = require "luanas"
local task = dofile((arg[0]:match "^.*/" or "") .. "paper_cnn_task.lua")

local options = nas.options(arg, {
  seconds = { 600, "of training that the search may take", least = 1 },
  epochs = { 3, "passes over the training images for each child; the paper's children have 50", least = 1 },
  limit = { 5000, "training images for a child; 0 takes all 55,000", least = 0 },
  batch = { 4, "children for each step of reinforce; the paper's has 8", least = 1 },
  depth = { 6, "layers at the start", least = 1 },
  grow = { 0, "two layers more after each so many samples, as the paper's 1,600; 0: never", least = 0 },
  agent = { "reinforce", "who searches: a name of nas.agents" },
  seed = { 1, "of the search" },
  path = { "paper_cnn.db", "file that keeps the study" },
  out = { "", "folder for pictures, which must exist" },
})

local function depth(sample)
  return options.depth + (options.grow > 0 and 2 * ((sample - 1) // options.grow) or 0)
end

local own = task.study(options.epochs, options.limit, depth)
own.path = options.path
local study = nas.study(own)

local settings = options.agent == "reinforce" and task.reinforce(options.batch) or {}
settings.seed = options.seed
local found = study:run(nas.agents[options.agent](settings), { seconds = options.seconds, reward = task.reward })
study:report()
print(("%d children, %d trained, %.0f s of training; ended by: %s"):format(found.trials, found.trainings, found.seconds,
  found.ended))
if options.out then
  nas.plot.accuracy(study, options.out .. "/accuracy.svg")
  nas.plot.incumbent(study, options.out .. "/incumbent.svg")
  nas.plot.pareto(study, options.out .. "/pareto.svg")
end
