--- Random sampling: every option of a decision with the same probability, whatever came before. Its mean reward is
--- that of the space, and what every agent that learns has to beat (Lindauer & Hutter 2020, "Best Practices for
--- Scientific Research on Neural Architecture Search", practice 8).
local agents = require "luanas.agents"
local nas = require "luanas"

local RandomSample = { __name = "luanas.agents.random_sample", name = "random_sample" }
RandomSample.__index = RandomSample

function RandomSample:propose(space)
  return self.random:sample(space, self.options.batch)
end

--- nas.agents.random_sample { ... }
return function(given)
  local owner = "random_sample"
  local options = agents.options(owner, given, {
    seed = 1,
    batch = 1, -- architectures that are proposed at once, and may be trained side by side
  })
  return setmetatable({ options = options, random = nas.random { seed = options.seed } }, RandomSample)
end
