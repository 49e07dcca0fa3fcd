--- Random search without replacement: uniform sampling, but no architecture twice. What its best one is worth after
--- some budget is what a search has to beat (Li & Talwalkar 2019, "Random Search and Reproducibility for Neural
--- Architecture Search").
---
--- Rejecting what came before would take ever longer. Instead, the decisions made so far are a tree, and each node
--- knows which part of its probability is left: an option is drawn in proportion to what is left behind it. That is
--- the distribution of rejection, and it ends when nothing is left.
local agents = require "luanas.agents"
local nas = require "luanas"

local RandomSearch = { __name = "luanas.agents.random_search", name = "random_search", ends = true }
RandomSearch.__index = RandomSearch

-- What is left behind an option of a node: a child that was never taken is whole.
local function left_of(node, option)
  local child = node.children[option]
  return child and child.left or 1.0
end

local function draw(node, count, stream)
  local sum = 0.0
  for option = 1, count do sum = sum + left_of(node, option) end
  local rest, last = stream:number() * sum, nil
  for option = 1, count do
    local left = left_of(node, option)
    if left > 0 then
      last = option
      rest = rest - left
      if rest < 0 then return option end
    end
  end
  return last -- rounding has left a little
end

-- Takes away what the path has used: its leaf, and of each node above it the mean of its options.
local function use_up(path)
  for i = #path, 1, -1 do
    local node, sum = path[i], 0.0
    for option = 1, node.count or 0 do sum = sum + left_of(node, option) end
    node.left = sum / math.max(1, node.count or 0)
  end
end

function RandomSearch:propose(space)
  local archs = {}
  while #archs < self.options.batch and self.root.left > 0 do
    local node, path = self.root, { self.root }
    local stream = nas.stream(self.options.seed, "random search", self.samples)
    archs[#archs + 1] = nas.space.choose(space, function(decision)
      node.count, node.children = decision.options.count, node.children or {}
      local option = draw(node, node.count, stream)
      node.children[option] = node.children[option] or { left = 1.0 }
      node = node.children[option]
      path[#path + 1] = node
      return option
    end, self.samples + 1)
    use_up(path)
    self.samples = self.samples + 1
  end
  return archs
end

--- nas.agents.random_search { ... }
return function(given)
  local owner = "random_search"
  local options = agents.options(owner, given, {
    seed = 1,
    batch = 1, -- architectures that are proposed at once, and may be trained side by side
  })
  return setmetatable({ options = options, samples = 0, root = { left = 1.0 } }, RandomSearch)
end
