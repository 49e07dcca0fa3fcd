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

-- Puts an entry in its place in a rung: the best one is first, of equal ones the earlier, failed ones are last.
local function put(rung, entry)
  local reward = entry.reward or -math.huge
  local low, high = 1, #rung + 1 -- the place is one of these
  while low < high do
    local middle = (low + high) // 2
    if (rung[middle].reward or -math.huge) >= reward then low = middle + 1 else high = middle end
  end
  table.insert(rung, low, entry)
end

-- The first of the best 1 / eta of a rung that has not been promoted, or nil. Failed ones are never among them.
local function promotable(rung, eta)
  for i = 1, #rung // eta do
    local entry = rung[i]
    if not entry.reward then return nil end
    if not entry.is_promoted then return entry end
  end
end

-- Who is to go on: an architecture and its next rung; else a new one and the first rung.
function Asha:next_job(space)
  for k = #self.rungs - 1, 1, -1 do
    local entry = promotable(self.rungs[k], self.options.eta)
    if entry then
      entry.is_promoted = true
      return entry.arch, k + 1
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
    put(self.rungs[self.jobs[i]], { arch = trial.arch, reward = trial.reward })
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
  local rungs, epochs = {}, options.first -- each a list of what has ended there, the best first
  while epochs <= options.epochs do
    rungs[#rungs + 1] = { epochs = epochs }
    epochs = epochs * options.eta
  end
  return setmetatable({ options = options, random = nas.random { seed = options.seed }, rungs = rungs }, Asha)
end
