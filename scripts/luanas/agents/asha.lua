--- Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning",
--- algorithm 2): nobody waits for a rung to be full. Whenever there is room, the best architecture of the highest
--- rung is promoted that belongs to its best 1 / eta and has not been promoted; where there is none, a new one
--- begins.
---
--- The first rung trains for `first` epochs, each one for eta times those of the one below. `batch` is the number of
--- workers that are thought of: so many architectures are proposed before any of them has ended. What is proposed
--- does not depend on how fast anything trains.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local Asha = { __name = "luanas.agents.asha", name = "asha" }
Asha.__index = Asha

-- The best 1 / eta of a rung, the best one first; of equal ones the earlier. Failed ones are never among them.
local function top_of(rung, eta)
  local ranked, top = {}, {}
  for _, entry in ipairs(rung) do
    if entry.reward then ranked[#ranked + 1] = entry end
  end
  table.sort(ranked, function(a, b)
    if a.reward ~= b.reward then return a.reward > b.reward end
    return a.number < b.number
  end)
  return table.move(ranked, 1, math.min(#rung // eta, #ranked), 1, top)
end

-- Who is to go on: an architecture and its next rung; else a new one and the first rung.
function Asha:next_job(space)
  for k = #self.rungs - 1, 1, -1 do
    for _, entry in ipairs(top_of(self.rungs[k], self.options.eta)) do
      if not entry.is_promoted then
        entry.is_promoted = true
        return entry.arch, k + 1
      end
    end
  end
  return self.random:sample(space), 1
end

function Asha:propose(space)
  local proposals = {}
  self.jobs = {}
  for i = 1, self.options.batch do
    local arch, k = self:next_job(space)
    self.jobs[i] = k
    proposals[i] = { arch, epochs = self.rungs[k].epochs }
  end
  return proposals
end

function Asha:learn(trials)
  for i, trial in ipairs(trials) do
    self.count = self.count + 1
    table.insert(self.rungs[self.jobs[i]], { arch = trial.arch, reward = trial.reward, number = self.count })
  end
end

--- nas.agents.asha { ... }
return function(given)
  local owner = "asha"
  local options = agents.options(owner, given, {
    seed = 1,
    first = 1,   -- epochs of the first rung
    epochs = 27, -- no rung has more
    eta = 3,     -- an integer of at least 2
    batch = 1,   -- workers
  })
  check.integer(owner, "first", options.first, 1)
  check.integer(owner, "epochs", options.epochs, options.first)
  check.integer(owner, "eta", options.eta, 2)
  local rungs, epochs = {}, options.first -- each a list of what has ended there
  while epochs <= options.epochs do
    rungs[#rungs + 1] = { epochs = epochs }
    epochs = epochs * options.eta
  end
  return setmetatable({
    options = options, random = nas.random { seed = options.seed }, rungs = rungs, count = 0,
  }, Asha)
end
