--- Hyperband (Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", algorithm
--- 1): brackets of successive halving that trade the number of architectures for the epochs they begin with.
---
--- With R = `epochs`: s_max = floor(log_eta R); the bracket s = s_max ... 0 has n = ceil((s_max + 1) eta^s / (s + 1))
--- architectures, which begin with floor(R / eta^s) epochs, so that a bracket ends below R where R is no power of eta.
--- After the last bracket it begins anew, with new architectures.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"
local successive_halving = require "luanas.agents.successive_halving"

local Hyperband = { __name = "luanas.agents.hyperband", name = "hyperband" }
Hyperband.__index = Hyperband

--- The brackets of some R and eta, in integers: { architectures =, first = epochs }.
local function brackets_of(epochs, eta)
  local brackets, most, power = {}, 0, 1
  while power * eta <= epochs do most, power = most + 1, power * eta end
  for s = most, 0, -1 do
    brackets[#brackets + 1] = {
      architectures = ((most + 1) * power + s) // (s + 1), -- rounded up
      first = epochs // power,
    }
    power = power // eta
  end
  return brackets
end

function Hyperband:propose(space)
  local proposals = self.bracket and self.bracket:propose(space) or {}
  if #proposals > 0 then return proposals end
  local brackets = brackets_of(self.options.epochs, self.options.eta)
  local next_one = brackets[self.begun % #brackets + 1]
  self.bracket = successive_halving {
    architectures = next_one.architectures, first = next_one.first, epochs = self.options.epochs,
    eta = self.options.eta,
  }
  self.bracket.random = self.random -- each architecture is a further sample
  self.begun = self.begun + 1
  return self.bracket:propose(space)
end

function Hyperband:learn(trials)
  self.bracket:learn(trials)
end

--- nas.agents.hyperband { ... }
return function(given)
  local owner = "hyperband"
  local options = agents.options(owner, given, {
    seed = 1,
    epochs = 27, -- R: the most that an architecture gets
    eta = 3,     -- an integer of at least 2
  })
  check.integer(owner, "epochs", options.epochs, 1)
  check.integer(owner, "eta", options.eta, 2)
  return setmetatable({
    options = options, random = nas.random { seed = options.seed }, begun = 0,
  }, Hyperband)
end
