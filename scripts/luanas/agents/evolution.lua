--- Regularised evolution (Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search",
--- algorithm 1): a queue of architectures, the first ones random. Each cycle draws a few, with replacement, mutates
--- the best of them and appends the child; the oldest one goes, however good it is.
---
--- A mutation gives one decision, drawn uniformly, another option. Where the space then asks for what the parent was
--- not asked, the answer is random. The paper's population is 100 and its tournament 25, for 20,000 trials;
--- population 50 and tournament 10 are NAS-Bench-101's, for hundreds to thousands. The first `population` trials are
--- random sampling, so with fewer than twice as many this agent is little else.
local agents = require "luanas.agents"
local arch = require "luanas.arch"
local check = require "luanas.check"
local nas = require "luanas"
local random_answer = require "luanas.choosers.random"

local Evolution = { __name = "luanas.agents.evolution", name = "evolution", learns = true }
Evolution.__index = Evolution

-- The best of some, drawn with replacement; one that failed is worse than all others.
function Evolution:parent(stream)
  local best
  for _ = 1, self.options.tournament do
    local each = self.queue[stream:integer(#self.queue)]
    if not best or (each.reward or -math.huge) > (best.reward or -math.huge) then best = each end
  end
  return best.arch
end

-- The position of a decision with more than one option; nil where there is none.
local function changeable(parent, stream)
  local positions = {}
  for i, decision in ipairs(parent.decisions) do
    if decision.options.count > 1 then positions[#positions + 1] = i end
  end
  return #positions > 0 and positions[stream:integer(#positions)] or nil
end

-- A parent's architecture with one decision changed.
local function mutated(space, parent, stream, sample)
  local changed, before = changeable(parent, stream), {}
  for i, decision in ipairs(parent.decisions) do
    local option = decision.chosen
    if i == changed then
      option = stream:integer(decision.options.count - 1) -- of the others
      if option >= decision.chosen then option = option + 1 end
    end
    before[arch.question(decision)] = option
  end
  local draw = random_answer(stream)
  return nas.space.choose(space, function(decision)
    return before[arch.question(decision)] or (draw(decision))
  end, sample)
end

function Evolution:propose(space)
  local archs = {}
  for i = 1, self.options.batch do
    self.samples = self.samples + 1
    local stream = nas.stream(self.options.seed, "evolution", self.samples)
    local is_grown = #self.queue >= self.options.population
    local draw = random_answer(stream)
    archs[i] = is_grown and mutated(space, self:parent(stream), stream, self.samples)
      or nas.space.choose(space, function(decision) return (draw(decision)) end, self.samples)
  end
  return archs
end

function Evolution:learn(trials)
  for _, trial in ipairs(trials) do
    table.insert(self.queue, { arch = trial.arch, reward = trial.reward })
    if #self.queue > self.options.population then table.remove(self.queue, 1) end
  end
end

--- nas.agents.evolution { ... }
return function(given)
  local owner = "evolution"
  local options = agents.options(owner, given, {
    seed = 1,
    population = 50, -- architectures in the queue
    tournament = 10, -- that are drawn to find a parent
    batch = 1,       -- children of the same queue, which may be trained side by side
  })
  for _, name in ipairs { "population", "tournament" } do check.integer(owner, name, options[name], 1) end
  return setmetatable({ options = options, samples = 0, queue = {} }, Evolution)
end
