-- What agents make of rewards, to the last factor: the coefficients that they hand to a policy that only writes them
-- down, and the schedules and distributions that their papers give.
local lu = require "luaunit"
local nas = require "luanas"
local searches = require "searches"
local spaces = require "spaces"
local spy_policy = require "spy_policy"

local T = {}

local nn, run = nas.nn, searches.run

-- Three decisions.
local function fixed(c)
  c:choose("kernel", { 1, 3 })
  c:choose("filters", { 2, 3, 4 })
  c:choose("kernel", { 1, 3 })
  return nn.input { 1, 1, 1 }
end

local FAILED = "failed"

-- Has an agent with a spy learn from rewards (FAILED: none). Returns the steps that its policy was to take, what was
-- to be logged, and the architectures.
local function learned(agent, rewards)
  local archs, trials = agent:propose(fixed), {}
  lu.assertEquals(#archs, #rewards)
  for i, reward in ipairs(rewards) do
    trials[i] = { arch = archs[i], reward = reward ~= FAILED and reward or nil }
  end
  local before = #agent.policy.learned
  local logged = agent:learn(trials)
  return table.move(agent.policy.learned, before + 1, #agent.policy.learned, 1, {}), logged, archs
end

local function near(found, expected, what)
  lu.assertEquals(#found, #expected, what)
  for i, value in ipairs(expected) do lu.assertAlmostEquals(found[i], value, 1e-12, ("%s, %d"):format(what, i)) end
end

local function field(list, name)
  local values = {}
  for i, each in ipairs(list) do values[i] = each[name] end
  return values
end

local function spied(name, options, script)
  options.policy = spy_policy(script)
  return nas.agents[name](options)
end

-- ---- reinforce -------------------------------------------------------------------------------------

-- Batches of rewards, and the advantages that reinforce is to make of them, before they are divided by the batch.
local function check_reinforce(options, batches)
  local agent = spied("reinforce", options)
  for i, batch in ipairs(batches) do
    local steps, logged, archs = learned(agent, batch.rewards)
    local count, expected = #batch.advantages, {}
    lu.assertEquals(#steps, count > 0 and 1 or 0)
    for k, advantage in ipairs(batch.advantages) do expected[k] = advantage / count end
    near(field(steps[1] or {}, "advantage"), expected, "batch " .. i)
    local k = 0
    for j, reward in ipairs(batch.rewards) do
      if reward == FAILED then
        lu.assertNil(logged[j].advantage)
      else
        k = k + 1
        lu.assertTrue(steps[1][k][1] == archs[j])
        lu.assertAlmostEquals(logged[j].advantage, batch.advantages[k], 1e-12)
        lu.assertAlmostEquals(steps[1][k].entropy, (options.entropy or 0) / count, 1e-15)
        lu.assertNil(steps[1][k].advantages)
        lu.assertNil(steps[1][k].values)
      end
    end
  end
end

function T.test_reinforce_without_a_baseline()
  check_reinforce({ baseline = "none", batch = 3, entropy = 0.3 },
    { { rewards = { 1, -2, 4 }, advantages = { 1, -2, 4 } }, { rewards = { 3, 3, 3 }, advantages = { 3, 3, 3 } } })
end

function T.test_reinforce_with_a_constant()
  check_reinforce({ baseline = 0.5, batch = 2 }, { { rewards = { 1, 0.25 }, advantages = { 0.5, -0.25 } } })
end

function T.test_reinforce_with_a_moving_average()
  check_reinforce({ decay = 0.8 }, { -- averages 0.5; 0.5; 0.6; 0.5
    { rewards = { 0.5 }, advantages = { 0 } }, { rewards = { 1 }, advantages = { 0.5 } },
    { rewards = { 0.1 }, advantages = { -0.5 } }, { rewards = { 0.5 }, advantages = { 0 } },
  })
  check_reinforce({ decay = 0.8, batch = 2 }, { -- averages 0.6 = 0.8 * 0.5 + 0.2; 0.6 = 0.8 (0.8 * 0.6 + 0.02) + 0.2
    { rewards = { 0.5, 1 }, advantages = { 0, 0 } }, { rewards = { 0.1, 1 }, advantages = { -0.5, 0.4 } },
    { rewards = { 0.6, 0.7 }, advantages = { 0, 0.1 } },
  })
  check_reinforce({ decay = 0.75, start = 0.5 }, { -- then 0.625
    { rewards = { 1 }, advantages = { 0.5 } }, { rewards = { 1 }, advantages = { 0.375 } },
  })
  check_reinforce({ decay = 0.8, bias_correction = true }, { -- means with weights 1; 0.16 and 0.2
    { rewards = { 0.5 }, advantages = { 0 } }, { rewards = { 1 }, advantages = { 0.5 } },
    { rewards = { 0 }, advantages = { -(0.16 * 0.5 + 0.2 * 1) / 0.36 } },
  })
end

-- R - (decay b + (1 - decay) R) = decay (R - b); with bias correction decay (1 - decay^(t-1)) / (1 - decay^t) (R - b).
function T.test_reinforce_that_updates_its_average_first()
  check_reinforce({ decay = 0.8, update_first = true }, {
    { rewards = { 0.5 }, advantages = { 0 } }, { rewards = { 1 }, advantages = { 0.8 * 0.5 } },
    { rewards = { 0.1 }, advantages = { 0.8 * -0.5 } },
  })
  check_reinforce({ decay = 0.8, update_first = true, bias_correction = true }, {
    { rewards = { 0.5 }, advantages = { 0 } },
    { rewards = { 1 }, advantages = { 0.8 * (1 - 0.8) / (1 - 0.64) * 0.5 } },
  })
  lu.assertTrue(nas.agents.reinforce({ update_first = true }).own_advantage)
end

function T.test_reinforce_that_leaves_one_out()
  check_reinforce({ baseline = "leave_one_out", batch = 3 }, {
    { rewards = { 1, 2, 6 }, advantages = { -3, -1.5, 4.5 } },
    { rewards = { 1, FAILED, 6 }, advantages = { -5, 5 } },
    { rewards = { FAILED, FAILED, 6 }, advantages = { 0 } }, -- nobody to compare with
  })
  lu.assertErrorMsgContains("batch is 1", nas.agents.reinforce, { baseline = "leave_one_out" })
end

function T.test_reinforce_that_clips()
  check_reinforce({ baseline = 0.5, batch = 4, clip = 0.1, entropy = 0.04 },
    { { rewards = { 0.9, 0.55, 0.1, 0.45 }, advantages = { 0.1, 0.05, -0.1, -0.05 } } })
end

function T.test_reinforce_with_failed_trials()
  check_reinforce({ decay = 0.8, batch = 3, entropy = 0.1 }, {
    { rewards = { FAILED, 0.5, FAILED }, advantages = { 0 } },
    { rewards = { FAILED, FAILED, FAILED }, advantages = {} },
    { rewards = { 1, FAILED, 0 }, advantages = { 0.5, -0.5 } }, -- as if the failed ones had not been
  })
end

-- ---- actor_critic ----------------------------------------------------------------------------------

-- After an average of 0.5: rewards 0.9 and 0.3, so y = 0.4 and -0.2, with the same V.
local V = { 0.1, 0.2, -0.1 }

local function check_actor_critic(options, advantages, values, missed)
  options.batch, options.decay = 2, 0.8
  local agent = spied("actor_critic", options, { values = function() return V end })
  learned(agent, { 0.5, 0.5 })
  local steps, logged = learned(agent, { 0.9, 0.3 })
  lu.assertEquals(#steps, 1)
  for k = 1, 2 do
    local episode = steps[1][k]
    near(episode.advantages, advantages[k], "advantages of " .. k)
    near(episode.values, values[k], "values of " .. k)
    lu.assertNil(episode.advantage)
    lu.assertAlmostEquals(episode.entropy, (options.entropy or 0) / 2, 1e-15)
    lu.assertAlmostEquals(logged[k].value_error, missed[k], 1e-12)
    lu.assertAlmostEquals(logged[k].advantage, k == 1 and 0.4 or -0.2, 1e-12)
  end
end

function T.test_actor_critic_with_lambda_1()
  check_actor_critic({ lambda = 1.0, value_weight = 0.5, entropy = 0.02 }, -- A = y - V
    { { 0.15, 0.1, 0.25 }, { -0.15, -0.2, -0.05 } }, { { 0.15, 0.1, 0.25 }, { -0.15, -0.2, -0.05 } },
    { (0.09 + 0.04 + 0.25) / 3, (0.09 + 0.16 + 0.01) / 3 })
end

function T.test_actor_critic_with_lambda_0()
  check_actor_critic({ lambda = 0.0, value_weight = 0.25 }, -- A = V of the next decision - V; y - V at the end
    { { 0.05, -0.15, 0.25 }, { 0.05, -0.15, -0.05 } }, { { 0.025, -0.075, 0.125 }, { 0.025, -0.075, -0.025 } },
    { (0.01 + 0.09 + 0.25) / 3, (0.01 + 0.09 + 0.01) / 3 })
end

function T.test_actor_critic_with_lambda_one_half()
  -- A3 = 0.5, A2 = -0.3 + 0.25 = -0.05, A1 = 0.1 - 0.025 = 0.075; and -0.1, -0.35, -0.075
  check_actor_critic({ lambda = 0.5, value_weight = 1.0 },
    { { 0.0375, -0.025, 0.25 }, { -0.0375, -0.175, -0.05 } }, { { 0.075, -0.05, 0.5 }, { -0.075, -0.35, -0.1 } },
    { (0.075 ^ 2 + 0.05 ^ 2 + 0.25) / 3, (0.075 ^ 2 + 0.35 ^ 2 + 0.01) / 3 })
end

function T.test_actor_critic_clips_what_the_policy_follows_and_not_what_the_critic_learns()
  check_actor_critic({ lambda = 1.0, value_weight = 0.5, clip = 0.25 },
    { { 0.125, 0.1, 0.125 }, { -0.125, -0.125, -0.05 } }, { { 0.15, 0.1, 0.25 }, { -0.15, -0.2, -0.05 } },
    { (0.09 + 0.04 + 0.25) / 3, (0.09 + 0.16 + 0.01) / 3 })
end

-- An anchor is one step, however many connections it has.
function T.test_actor_critic_takes_an_anchor_as_one_step()
  local function skipping(c)
    local one = c:anchor("skip", {})
    local two = c:anchor("skip", { one })
    c:anchor("skip", { one, two })
    return nn.input { 1, 1, 1 }
  end
  local agent = spied("actor_critic", { decay = 0.8, lambda = 0.5, value_weight = 1.0 },
    { values = function() return { 0.1, 0.2, false, -0.1, false, false } end })
  local steps
  for _, reward in ipairs { 0.5, 0.9 } do -- y = 0.4
    local arch = agent:propose(skipping)[1]
    local logged = agent:learn { { arch = arch, reward = reward } }
    steps = agent.policy.learned[#agent.policy.learned]
    if reward == 0.9 then lu.assertAlmostEquals(logged[1].value_error, (0.075 ^ 2 + 0.05 ^ 2 + 0.25) / 3, 1e-12) end
  end
  near(steps[1].advantages, { 0.075, -0.05, 0, 0.5, 0, 0 }, "advantages")
  near(steps[1].values, { 0.15, -0.1, 0, 1, 0, 0 }, "values")
end

function T.test_actor_critic_with_failed_trials()
  local agent = spied("actor_critic", { batch = 2 }, { values = function() return V end })
  learned(agent, { 0.5, FAILED })
  local steps, logged, archs = learned(agent, { FAILED, 0.9 })
  lu.assertTrue(steps[1][1][1] == archs[2])
  near(steps[1][1].advantages, { 0.3, 0.2, 0.5 }, "the only one")
  lu.assertEquals(logged[1].value_error, nil)
  lu.assertEquals(#learned(agent, { FAILED, FAILED }), 0)
end

-- ---- ppo -------------------------------------------------------------------------------------------

-- The policy's probabilities over those with which it sampled, by its steps: 3 for each batch.
local RATIOS = {
  [3] = { 1.0, 1.0, 1.0 }, [4] = { 1.1, 1.3, 0.7 }, [5] = { 1.21, 0.81, 1.19 },
}

local function moved(arch, steps)
  local list = {}
  for t, decision in ipairs(arch.decisions) do
    list[t] = decision.log_prob + nas.math.log((RATIOS[steps] or { 1, 1, 1 })[t])
  end
  return list
end

function T.test_ppo_follows_ratios_against_the_policy_that_sampled_up_to_its_limits()
  local options = { batch = 2, steps = 3, epsilon = 0.2, decay = 0.8, entropy = 0.02 }
  local agent = spied("ppo", options, { log_probs = moved })
  lu.assertEquals(#learned(agent, { 0.5, 0.5 }), 3)
  local steps, logged, archs = learned(agent, { 0.9, 0.3 }) -- advantages 0.4 and -0.2, halved
  lu.assertEquals(#steps, 3)
  for _, episodes in ipairs(steps) do
    lu.assertEquals(#episodes, 2)
    for k = 1, 2 do
      lu.assertTrue(episodes[k][1] == archs[k])
      lu.assertAlmostEquals(episodes[k].entropy, 0.01, 1e-15)
    end
  end
  near(steps[1][1].advantages, { 0.2, 0.2, 0.2 }, "step 1, better")
  near(steps[1][2].advantages, { -0.1, -0.1, -0.1 }, "step 1, worse")
  near(steps[2][1].advantages, { 0.22, 0, 0.14 }, "step 2, better") -- 1.3 is beyond 1.2
  near(steps[2][2].advantages, { -0.11, -0.13, 0 }, "step 2, worse") -- 0.7 is below 0.8
  near(steps[3][1].advantages, { 0, 0.162, 0.238 }, "step 3, better")
  near(steps[3][2].advantages, { -0.121, -0.081, -0.119 }, "step 3, worse")
  near(field(logged, "advantage"), { 0.4, -0.2 }, "logged")
end

function T.test_ppo_with_failed_trials()
  local agent = spied("ppo", { batch = 3, steps = 2, decay = 0.8 })
  lu.assertEquals(#learned(agent, { FAILED, 0.5, FAILED }), 2)
  local steps, logged, archs = learned(agent, { FAILED, 1.0, 0.0 })
  lu.assertEquals(#steps, 2)
  lu.assertTrue(steps[2][1][1] == archs[2])
  near(steps[2][1].advantages, { 0.25, 0.25, 0.25 }, "better")
  near(steps[2][2].advantages, { -0.25, -0.25, -0.25 }, "worse")
  lu.assertNil(logged[1].advantage)
  local none, empty = learned(agent, { FAILED, FAILED, FAILED })
  lu.assertEquals({ #none, #empty }, { 0, 3 })
end

-- ---- lookahead -------------------------------------------------------------------------------------

function T.test_lookahead_adds_the_advantage_of_the_next_architecture()
  local function coefficient(options, rewards)
    local agent = spied("lookahead", options)
    learned(agent, { 0.5, 0.5 })
    local steps, logged, archs = learned(agent, rewards)
    lu.assertEquals(#(steps[1] or {}), rewards[1] ~= FAILED and 1 or 0)
    if rewards[1] == FAILED then return nil end
    lu.assertTrue(steps[1][1][1] == archs[1])
    lu.assertEquals(logged[1].advantage, steps[1][1].advantage)
    lu.assertNil(logged[2].advantage)
    return steps[1][1].advantage
  end
  lu.assertAlmostEquals(coefficient({ clip = false }, { 0.9, 0.3 }), 0.4 - 0.7 * 0.2, 1e-12)
  lu.assertAlmostEquals(coefficient({ clip = false, weight = 0.5 }, { 0.9, 1.0 }), 0.4 + 0.25, 1e-12)
  lu.assertAlmostEquals(coefficient({}, { 0.9, 0.3 }), 0.1 - 0.7 * 0.1, 1e-12)
  lu.assertAlmostEquals(coefficient({}, { 0.9, 0.55 }), 0.1 + 0.7 * 0.05, 1e-12)
  lu.assertAlmostEquals(coefficient({}, { 0.55, FAILED }), 0.05, 1e-12)
  lu.assertNil(coefficient({}, { FAILED, 0.9 }))
end

-- ---- Schedules of epochs ---------------------------------------------------------------------------

-- "27@1 9@3": how many architectures were proposed at once for how many epochs. The reward of an architecture is what
-- `f` says.
local function rungs(agent, count, f)
  local propose, words = agent.propose, {}
  function agent.propose(self, space)
    if #words == count then return nil end
    local proposals = propose(self, space)
    words[#words + 1] = #proposals > 0 and ("%d@%d"):format(#proposals, proposals[1].epochs) or nil
    for _, proposal in ipairs(proposals) do lu.assertEquals(proposal.epochs, proposals[1].epochs) end
    return proposals
  end
  local trials = run(agent, fixed, f or function(arch) return #arch:line() end, math.maxinteger)
  return table.concat(words, " "), trials
end

function T.test_successive_halving_keeps_the_best()
  lu.assertEquals(rungs(nas.agents.successive_halving {}, 99), "27@1 9@3 3@9 1@27")
  lu.assertEquals(rungs(nas.agents.successive_halving { architectures = 10, first = 2, epochs = 30, eta = 2 }, 99),
    "10@2 5@4 2@8 1@16")
  lu.assertEquals(rungs(nas.agents.successive_halving { architectures = 9, epochs = 3 }, 99), "9@1 3@3")
  local count, reward_of = 0, {} -- in a random order
  local _, trials = rungs(nas.agents.successive_halving {}, 99, function(arch)
    if not reward_of[arch] then
      count = count + 1
      reward_of[arch] = count * 17 % 29
    end
    if reward_of[arch] > 24 then return nil, "fails" end
    return reward_of[arch]
  end)
  local function best(first, last, of)
    local list = {}
    for i = first, last do list[#list + 1] = trials[i].reward end
    table.sort(list, function(a, b) return a > b end)
    return table.move(list, 1, of, 1, {})
  end
  lu.assertEquals(best(28, 36, 9), best(1, 27, 9))
  lu.assertEquals(best(37, 39, 3), best(1, 27, 3))
  lu.assertEquals(trials[40].reward, best(1, 27, 1)[1])
end

-- Of the two roundings that were published for 81, that of algorithm 1 (Li et al. 2018): the other one has 27, 9, 6
-- and 5 where this has 34, 15, 8 and 5.
function T.test_hyperband_has_the_published_brackets()
  local one = "27@1 9@3 3@9 1@27 12@3 4@9 1@27 6@9 2@27 4@27"
  lu.assertEquals(rungs(nas.agents.hyperband { epochs = 27 }, 20), one .. " " .. one)
  lu.assertEquals(rungs(nas.agents.hyperband { epochs = 81 }, 15),
    "81@1 27@3 9@9 3@27 1@81 34@3 11@9 3@27 1@81 15@9 5@27 1@81 8@27 2@81 5@81")
  lu.assertEquals(rungs(nas.agents.hyperband { epochs = 16, eta = 2 }, 15),
    "16@1 8@2 4@4 2@8 1@16 10@2 5@4 2@8 1@16 7@4 3@8 1@16 5@8 2@16 5@16")
  lu.assertEquals(rungs(nas.agents.hyperband { epochs = 2 }, 2), "1@2 1@2") -- fewer than eta: no halving
end

-- Rewards by the order in which architectures begin.
local function asha_epochs(options, rewards)
  local begun, reward_of, numbers, words = 0, {}, {}, {}
  local trials = run(nas.agents.asha(options), fixed, function(arch)
    if not reward_of[arch] then
      begun = begun + 1
      reward_of[arch], numbers[arch] = rewards(begun), begun
    end
    return reward_of[arch]
  end, 14)
  for i, trial in ipairs(trials) do words[i] = ("%d@%d"):format(numbers[trial.arch], trial.epochs) end
  return table.concat(words, " ")
end

function T.test_asha_promotes_whoever_is_among_the_best_so_far()
  local options = { first = 1, epochs = 9, eta = 3 }
  lu.assertEquals(asha_epochs(options, function(n) return -n end), -- the first is the best
    "1@1 2@1 3@1 1@3 4@1 5@1 6@1 2@3 7@1 8@1 9@1 3@3 1@9 10@1")
  lu.assertEquals(asha_epochs(options, function(n) return n end), -- each is better than all before it
    "1@1 2@1 3@1 3@3 4@1 4@3 5@1 5@3 5@9 6@1 6@3 6@9 7@1 7@3")
  lu.assertEquals(asha_epochs(options, function(n) return n > 3 and -n or nil end), -- the first three fail
    "1@1 2@1 3@1 4@1 4@3 5@1 6@1 5@3 7@1 8@1 9@1 6@3 4@9 10@1")
  lu.assertEquals(asha_epochs({ first = 1, epochs = 9, eta = 3, batch = 3 }, function(n) return -n end),
    "1@1 2@1 3@1 1@3 4@1 5@1 6@1 7@1 8@1 2@3 9@1 10@1 3@3 11@1")
end

-- Rewards of eighths, so that many are equal; every ninth or so fails.
local function coarse_reward(stream)
  local value = stream:integer(9)
  return value < 9 and value / 8 or nil
end

-- Algorithm 2 as it is written: all rungs are sorted anew for each proposal. What begins is the next number.
local function asha_as_written(count, rung_count, eta, rewards)
  local ended, promoted, begun, list = {}, {}, 0, {}
  for k = 1, rung_count do ended[k], promoted[k] = {}, {} end
  local function next_job()
    for k = rung_count - 1, 1, -1 do
      local ranked = {}
      for order, each in ipairs(ended[k]) do
        if each.reward then ranked[#ranked + 1] = { of = each.of, reward = each.reward, order = order } end
      end
      table.sort(ranked, function(a, b)
        return a.reward > b.reward or a.reward == b.reward and a.order < b.order
      end)
      for i = 1, math.min(#ended[k] // eta, #ranked) do
        local each = ranked[i].of
        if not promoted[k][each] then
          promoted[k][each] = true
          return each, k + 1
        end
      end
    end
    begun = begun + 1
    return begun, 1
  end
  for i = 1, count do
    local each, k = next_job()
    list[i] = ("%d@%d"):format(each, eta ^ (k - 1))
    table.insert(ended[k], { of = each, reward = rewards() })
  end
  return list
end

-- What asha proposes where its architectures are numbers.
local function asha_of_numbers(count, eta, rewards)
  local agent, begun, list = nas.agents.asha { epochs = eta * eta, eta = eta }, 0, {}
  agent.random = { sample = function()
    begun = begun + 1
    return begun
  end }
  for i = 1, count do
    local proposal = agent:propose()[1]
    list[i] = ("%d@%d"):format(proposal[1], proposal.epochs)
    agent:learn { { arch = proposal[1], reward = rewards() } }
  end
  return list
end

function T.test_asha_is_the_algorithm_as_it_is_written()
  for eta = 2, 4 do
    local one, other = nas.stream(eta, "test"), nas.stream(eta, "test")
    lu.assertEquals(asha_of_numbers(300, eta, function() return coarse_reward(one) end),
      asha_as_written(300, 3, eta, function() return coarse_reward(other) end))
  end
end

-- It took thirty million instructions where rungs were sorted for each proposal.
function T.test_asha_sorts_no_rung_twice()
  local stream, millions = nas.stream(1, "test"), 0
  debug.sethook(function() millions = millions + 0.001 end, "", 1000)
  asha_of_numbers(1000, 3, function() return stream:integer(1000) end)
  debug.sethook()
  lu.assertTrue(millions > 0 and millions < 3, millions)
end

-- ---- evolution -------------------------------------------------------------------------------------

local function distance(a, b)
  local count = 0
  for t, decision in ipairs(a.decisions) do count = count + (decision.chosen ~= b.decisions[t].chosen and 1 or 0) end
  return count
end

local function wide(c)
  for _ = 1, 6 do c:choose("filters", { 1, 2, 3, 4 }) end
  c:choose("kernel", { 3 })
  return nn.input { 1, 1, 1 }
end

-- Where rewards fall, the best of the queue is the oldest one, which goes when the child has come.
function T.test_evolution_drops_the_oldest_and_mutates_one_decision()
  local n, changes = 0, {}
  local trials = run(nas.agents.evolution { population = 5, tournament = 80 }, wide, function()
    n = n + 1
    return -n
  end, 400)
  for k = 6, #trials do
    local child, parent = trials[k].arch, trials[k - 5].arch
    lu.assertEquals(distance(child, parent), 1, "trial " .. k)
    for t, decision in ipairs(child.decisions) do
      local before = parent.decisions[t].chosen
      if decision.chosen ~= before then
        changes[t] = (changes[t] or 0) + 1
        local turn = "turn " .. (decision.chosen - before) % 4
        changes[turn] = (changes[turn] or 0) + 1
      end
    end
  end
  for t = 1, 6 do lu.assertTrue(math.abs(changes[t] - 395 / 6) < 4 * math.sqrt(395 * 5 / 36), changes[t]) end
  for turn = 1, 3 do
    lu.assertTrue(math.abs(changes["turn " .. turn] - 395 / 3) < 4 * math.sqrt(395 * 2 / 9))
  end
  lu.assertNil(changes[7]) -- it has one option
end

function T.test_evolution_draws_its_tournament_with_replacement()
  local agent, worse = nas.agents.evolution { population = 2, tournament = 2 }, 0
  local archs = agent:propose(wide)
  archs[2] = agent:propose(wide)[1]
  agent:learn { { arch = archs[1], reward = 1 }, { arch = archs[2], reward = 0 } }
  for i = 1, 4000 do
    if agent:parent(nas.stream(1, "tournament", i)) == archs[2] then worse = worse + 1 end
  end
  lu.assertTrue(math.abs(worse - 1000) < 4 * math.sqrt(750), worse) -- 1/4; without replacement never
  agent:learn { { arch = archs[1] }, { arch = archs[2], reward = 0 } } -- a failed one is worse than all
  worse = 0
  for i = 1, 400 do worse = worse + (agent:parent(nas.stream(1, "tournament", i)) == archs[1] and 1 or 0) end
  lu.assertTrue(math.abs(worse - 100) < 4 * math.sqrt(75), worse)
end

function T.test_evolution_in_spaces_with_branches()
  local trials = run(nas.agents.evolution { population = 3, tournament = 2 }, spaces.branching, function(arch)
    return #arch:line()
  end, 150)
  local seen = {}
  for _, trial in ipairs(trials) do
    lu.assertTrue(pcall(nas.space.build, spaces.branching, trial.arch))
    seen[trial.arch:line()] = true
  end
  for _, arch in ipairs(searches.all(spaces.branching)) do lu.assertTrue(seen[arch:line()]) end
end

-- ---- random_search and random_sample ----------------------------------------------------------------

function T.test_random_search_ends_when_it_has_proposed_all()
  for _, batch in ipairs { 1, 4, 50 } do
    for _, space in ipairs { spaces.branching, fixed } do
      local seen, count = {}, 0
      for _, trial in ipairs(run(nas.agents.random_search { batch = batch }, space, function() return 0 end, 1000)) do
        lu.assertNil(seen[trial.arch:line()])
        seen[trial.arch:line()], count = true, count + 1
      end
      lu.assertEquals(count, nas.space.size(space))
    end
  end
end

-- Three architectures with probabilities 1/2, 1/4, 1/4.
local function three(c)
  if c:choose("kind", { "dense", "conv" }) == "conv" then c:choose("depth", { 1, 2 }) end
  return nn.input { 1, 1, 1 }
end

local function chi_square(counts, expected, all)
  local sum = 0.0
  for key, p in pairs(expected) do
    local off = (counts[key] or 0) - all * p
    sum = sum + off * off / (all * p)
    counts[key] = nil
  end
  lu.assertEquals(counts, {})
  return sum
end

function T.test_random_search_is_random_sampling_that_rejects_what_came_before()
  local counts = {}
  for seed = 1, 3000 do
    local agent, word = nas.agents.random_search { seed = seed }, ""
    for _ = 1, 3 do word = word .. (agent:propose(three)[1]:value "depth" or "-") end
    counts[word] = (counts[word] or 0) + 1
  end
  lu.assertTrue(chi_square(counts, { -- a rejected draw is drawn again among what is left
    ["-12"] = 1 / 4, ["-21"] = 1 / 4, ["1-2"] = 1 / 6, ["12-"] = 1 / 12, ["2-1"] = 1 / 6, ["21-"] = 1 / 12,
  }, 3000) < 25.7) -- 5 degrees of freedom, p = 1e-4
end

function T.test_random_sample_draws_each_option_with_the_same_probability()
  local counts = {}
  for _, arch in ipairs(nas.agents.random_sample({ batch = 3000 }):propose(three)) do
    local depth = arch:value "depth" or "-"
    counts[depth] = (counts[depth] or 0) + 1
  end
  lu.assertTrue(chi_square(counts, { ["-"] = 1 / 2, [1] = 1 / 4, [2] = 1 / 4 }, 3000) < 18.4)
end

return T
