-- The network that Zoph & Le 2017 draw in their Figure 7, as decisions of nas.space.paper_cnn: built, drawn, and its
-- parameters counted beside the paper's 4.2 million (Table 1: 15 layers, no stride, no pooling). Filters, their sizes
-- and the skips are as a third party read them off the figure (github.com/nutszebra/
-- neural_architecture_search_with_reinforcement_learning_appendix_a), whose training reached 90.35 % where the paper
-- has 94.5: a check of plausibility, no more. The paper also tried its network without skips, and with all of them.
local nas = require "luanas"

local options = nas.options(arg, {
  out = { "", "folder for a picture, which must exist; none: the terminal" },
})

local FILTERS = { 36, 48, 36, 36, 48, 48, 48, 36, 36, 36, 36, 48, 48, 48, 48 }
local HEIGHTS = { 3, 3, 3, 5, 3, 7, 7, 7, 7, 7, 5, 7, 7, 7, 7 }
local WIDTHS = { 3, 3, 3, 5, 7, 7, 7, 3, 1, 7, 7, 7, 5, 5, 5 }
local FIGURE = { -- the layers that each layer takes
  {}, { 1 }, { 1, 2 }, { 1, 2, 3 }, { 3, 4 }, { 2, 3, 4, 5 }, { 2, 3, 4, 5, 6 }, { 1, 6, 7 }, { 5, 6, 8 },
  { 1, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 5, 6, 7, 8, 9, 10 }, { 1, 2, 3, 4, 6, 11 }, { 1, 3, 6, 7, 8, 9, 10, 11, 12 },
  { 3, 7, 12, 13 }, { 7, 11, 12, 13, 14 },
}
local CHAIN, DENSE = {}, {}
for layer = 1, #FIGURE do
  CHAIN[layer], DENSE[layer] = { layer > 1 and layer - 1 or nil }, {}
  for from = 1, layer - 1 do DENSE[layer][from] = from end
end

local space = nas.space.paper_cnn { input = { 32, 32, 3 }, classes = 10, depth = #FILTERS }

local function built(skip)
  local values = { height = HEIGHTS, width = WIDTHS, filters = FILTERS, skip = skip }
  return nas.space.build(space, nas.space.by_hand(space, values))
end

local path = options.out and options.out .. "/figure7.svg" or nil
nas.plot.network(built(FIGURE), path, { title = "Zoph & Le 2017, Figure 7" })
print "\nmillions of     parameters  multiply-accumulates for an image"
for _, each in ipairs { { "Figure 7", FIGURE }, { "without skips", CHAIN }, { "with all skips", DENSE } } do
  local _, network = built(each[2])
  print(("%-14s %11.2f %21.0f"):format(each[1], network:params() / 1e6, network:macs() / 1e6))
end
print "the paper              4.2"
