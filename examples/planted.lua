-- A reward that is known for all 1,296 networks of the student project's space, so that searches on it train nothing:
-- what planted_reward.lua and gradient_variance.lua search on. Returns { space =, reward = function of an
-- architecture }.
local nas = require "luanas"

local planted = {}

planted.space = nas.space.chain {
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

function planted.reward(arch)
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

return planted
