--- What tests of agents share: searches by a function, toy rewards, and policies that are no longer uniform.
local nas = require "luanas"
local search = require "luanas.search"
local spaces = require "spaces"

local searches = {}

--- Agents whose policy is sampled from, and learns.
searches.WITH_POLICY = { "actor_critic", "independent", "lookahead", "ppo", "reinforce" }

--- Runs an agent by a function of architectures, or by a table of rewards by lines. The trials, in order.
function searches.run(agent, space, f, count)
  local function reward_of(arch)
    if type(f) == "table" then return f[arch:line()] end
    return f(arch)
  end
  local by, trials = search.by_function(space, reward_of), {}
  local evaluate = by.evaluate
  function by.evaluate(asked)
    local trial = evaluate(asked)
    trial.epochs, trials[#trials + 1] = asked.epochs, trial
    return trial
  end
  search.run("test", agent, { trials = count, reward = "reward" }, by)
  return trials
end

--- A list of all architectures.
function searches.all(space)
  local list = {}
  for arch in nas.space.enumerate(space) do list[#list + 1] = arch end
  return list
end

--- Rewards of the branching space by lines, and as a list in the order of enumeration: mean + spread * values that
--- differ.
function searches.rewards(mean, spread)
  local by_line, list = {}, {}
  for i, value in ipairs { -1.0, 0.6, -0.2, 1.0, 0.1, -0.5 } do list[i] = mean + spread * value end
  for i, arch in ipairs(searches.all(spaces.branching)) do by_line[arch:line()] = list[i] end
  return by_line, list
end

--- Has a policy prefer some architectures of the branching space, and know all of them.
function searches.teach(policy)
  local archs = searches.all(spaces.branching)
  for _ = 1, 12 do
    policy:learn { { archs[2], advantage = 0.5 }, { archs[5], advantage = 0.6 }, { archs[6], advantage = -0.2 } }
  end
  return policy
end

--- The probability of an architecture: the product of those of its decisions.
function searches.probability(policy, arch)
  local product = 1.0
  for t, decision in ipairs(policy:score(arch).decisions) do
    product = product * decision.probabilities[arch.decisions[t].chosen]
  end
  return product
end

--- The sum of the products of two tables of blocks.
function searches.product(a, b)
  local sum = 0.0
  for key, block in pairs(a) do
    for k, value in ipairs(block) do sum = sum + value * b[key][k] end
  end
  return sum
end

--- Of two tables of blocks: a - b.
function searches.difference(a, b)
  local blocks = {}
  for key, block in pairs(a) do
    blocks[key] = {}
    for k, value in ipairs(block) do blocks[key][k] = value - b[key][k] end
  end
  return blocks
end

return searches
