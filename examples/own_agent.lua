-- Write your own agent: a table that proposes architectures and learns from their rewards. This one is an
-- epsilon-greedy bandit. For each option of each decision it keeps the mean reward of the architectures that had it;
-- it takes the best option, and with probability epsilon any.
local nas = require "luanas"
local planted = dofile((arg[0]:match "^.*/" or "") .. "planted.lua")

local options = nas.options(arg, {
  trials = { 100, "architectures to sample", least = 1 },
  seeds = { 20, "searches to compare by", least = 2 },
})

local function bandit(seed, epsilon)
  local sums, counts, samples = {}, {}, 0 -- by name, occurrence and option
  local function key(decision, option) return ("%s %d %d"):format(decision.name, decision.occurrence, option) end
  local function mean(at) return counts[at] and sums[at] / counts[at] or math.huge end -- what is unseen comes first
  local agent = { name = "bandit", learns = true }

  function agent.propose(_, space)
    samples = samples + 1
    local stream = nas.stream(seed, "bandit", samples) -- all chance comes from streams: a run can be replayed
    return { nas.space.choose(space, function(decision)
      local best = stream:integer(decision.options.count)
      if stream:number() < epsilon then return best end
      for option = 1, decision.options.count do
        if mean(key(decision, option)) > mean(key(decision, best)) then best = option end
      end
      return best
    end) }
  end

  function agent.learn(_, trials)
    for _, trial in ipairs(trials) do
      for _, decision in ipairs(trial.reward and trial.arch.decisions or {}) do -- a failed trial has no reward
        local at = key(decision, decision.chosen)
        sums[at], counts[at] = (sums[at] or 0) + trial.reward, (counts[at] or 0) + 1
      end
    end
  end

  return agent
end

-- Does it keep what is expected of every agent? That is what nas.testing.agent looks at.
local report = nas.testing.agent(function(seed) return bandit(seed, 0.2) end)
print(report)

-- Against others, on a reward that is known for all networks. On a study it is study:run(bandit(1, 0.2), { trials =
-- 100 }).
print(nas.compare {
  space = planted.space, rewards = planted.reward, trials = options.trials, seeds = options.seeds, oracle = true,
  agents = { { name = "bandit", new = function(seed) return bandit(seed, 0.2) end }, "random_search", "reinforce" },
})
os.exit(report.ok)
