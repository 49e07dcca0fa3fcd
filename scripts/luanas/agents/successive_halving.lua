--- Successive halving (Jamieson & Talwalkar 2016): many random architectures for few epochs, the best 1 / eta of them
--- for eta times as many, and so on. Longer trainings go on from shorter ones where their states are kept and the
--- recipe does not look ahead (nas.schedule.cosine does, unless it has a horizon of its own).
---
--- With n architectures and r epochs: n at r, floor(n / eta) at r eta, ... up to `epochs`.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local Halving = { __name = "luanas.agents.successive_halving", name = "successive_halving", ends = true }
Halving.__index = Halving

-- The best `count` of some trials; of equal ones the earlier.
local function best_of(trials, count)
  local order = {}
  for i in ipairs(trials) do order[i] = i end
  table.sort(order, function(a, b)
    local of_a, of_b = trials[a].reward or -math.huge, trials[b].reward or -math.huge
    if of_a ~= of_b then return of_a > of_b end
    return a < b
  end)
  local archs = {}
  for i = 1, math.min(count, #order) do
    if trials[order[i]].reward then archs[i] = trials[order[i]].arch end -- a failed one is not worth more epochs
  end
  return archs
end

function Halving:propose(space)
  if not self.archs then self.archs = self.random:sample(space, self.options.architectures) end
  local proposals = {}
  for i, arch in ipairs(self.archs) do proposals[i] = { arch, epochs = self.epochs } end
  return proposals
end

function Halving:learn(trials)
  local eta = self.options.eta
  self.archs = best_of(trials, #self.archs // eta)
  self.epochs = self.epochs * eta
  if self.epochs > self.options.epochs then self.archs = {} end
end

--- nas.agents.successive_halving { ... }
return function(given)
  local owner = "successive_halving"
  local options = agents.options(owner, given, {
    seed = 1,
    architectures = 27, -- n
    first = 1,          -- r: epochs of the first rung
    epochs = 27,        -- no rung has more
    eta = 3,            -- an integer of at least 2
  })
  check.integer(owner, "architectures", options.architectures, 1)
  check.integer(owner, "first", options.first, 1)
  check.integer(owner, "epochs", options.epochs, options.first)
  check.integer(owner, "eta", options.eta, 2)
  return setmetatable({
    options = options, random = nas.random { seed = options.seed }, epochs = options.first,
  }, Halving)
end
