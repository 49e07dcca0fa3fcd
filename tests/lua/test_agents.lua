-- Agents: the conformance suite, options, presets, policies that are passed in, and that they are short.
local lu = require "luaunit"
local nas = require "luanas"
local searches = require "searches"
local spaces = require "spaces"

local T = {}

local AGENTS = {
  "actor_critic", "asha", "enumerate", "evolution", "hyperband", "independent", "lookahead", "ppo", "random_sample",
  "random_search", "reinforce", "successive_halving",
}
local WITH_BATCH = { "actor_critic", "asha", "enumerate", "evolution", "random_search", "reinforce" }
local WITH_LSTM = { "actor_critic", "lookahead", "ppo", "reinforce" }

-- ---- What there is ---------------------------------------------------------------------------------

function T.test_names()
  lu.assertEquals(nas.agents.names(), AGENTS)
  nas.agents.names()[1] = "another" -- a list of one's own
  lu.assertEquals(nas.agents.names(), AGENTS)
  for _, name in ipairs(AGENTS) do lu.assertEquals(nas.agents[name]().name, name) end
end

function T.test_what_there_is_not()
  for _, name in ipairs { "reinfroce", 3, true } do
    lu.assertErrorMsgContains(("agents: there is no agent %s; there are %s"):format(
      name == "reinfroce" and '"reinfroce"' or tostring(name), table.concat(AGENTS, ", ")), function()
        return nas.agents[name]
      end)
  end
end

function T.test_what_agents_say_of_themselves()
  local learns, ends, seedless, policies = {}, {}, {}, {}
  for _, name in ipairs(AGENTS) do
    local agent = nas.agents[name]()
    if agent.learns then learns[#learns + 1] = name end
    if agent.ends then ends[#ends + 1] = name end
    if agent.seedless then seedless[#seedless + 1] = name end
    if agent.policy then policies[#policies + 1] = name end
  end
  lu.assertEquals(learns, { "actor_critic", "evolution", "independent", "lookahead", "ppo", "reinforce" })
  lu.assertEquals(ends, { "enumerate", "random_search", "successive_halving" })
  lu.assertEquals(seedless, { "enumerate" })
  lu.assertEquals(policies, { "actor_critic", "independent", "lookahead", "ppo", "reinforce" })
end

-- Each file can be read beside its paper.
function T.test_agents_are_short()
  for _, name in ipairs(AGENTS) do
    local count = 0
    for line in io.lines(os.getenv "LUANAS_SOURCE" .. "/scripts/luanas/agents/" .. name .. ".lua") do
      if line:find "%S" and not line:find "^%s*%-%-" then count = count + 1 end
    end
    lu.assertTrue(count > 10 and count <= 100, ("%s has %d lines"):format(name, count))
  end
end

-- ---- Conformance -----------------------------------------------------------------------------------

local function check_conformance(name, options, learns)
  local report = nas.testing.agent(function(seed)
    local own = { seed = seed }
    for key, value in pairs(options or {}) do own[key] = value end
    local agent = nas.agents[name](own)
    if learns == false then agent.learns = false end
    return agent
  end)
  lu.assertTrue(report.ok, tostring(report))
  lu.assertEquals({ report.name, report.failed }, { name, 0 })
  -- Yardsticks: reproducible, resumable, valid, robust, blind to the test split; five more for those with a policy.
  local has_policy = report.checks[#report.checks].skipped ~= "it has no policy"
  lu.assertTrue(report.passed >= (has_policy and 9 or 5), tostring(report))
end

for _, name in ipairs(AGENTS) do
  T["test_" .. name .. "_is_what_an_agent_must_be"] = function() check_conformance(name) end
end

-- Batches other than the default, and what changes the estimator or its steps.
function T.test_options_keep_what_an_agent_must_be()
  for _, name in ipairs(WITH_BATCH) do check_conformance(name, { batch = 5 }, false) end
  for _, case in ipairs {
    { "reinforce", { baseline = "none", entropy = 1e-4 } }, { "reinforce", { baseline = 0.7 } },
    { "reinforce", { baseline = "leave_one_out", batch = 2 } }, { "reinforce", { bias_correction = true } },
    { "reinforce", { start = 0.7, update_first = true } }, { "reinforce", { preset = "student" } },
    { "independent", { baseline = "leave_one_out", batch = 2, clip = 0.05, entropy = 1e-4 } },
    { "actor_critic", { lambda = 0.5, clip = 0.02, entropy = 1e-4 } }, { "lookahead", { clip = false } },
    { "evolution", { population = 2, tournament = 1 } }, { "asha", { first = 2, epochs = 2 } },
    { "hyperband", { epochs = 1 } }, { "successive_halving", { architectures = 1, epochs = 1 } },
  } do
    check_conformance(case[1], case[2], false)
  end
end

-- The result of a check, by the words with which its name begins.
local function check_of(report, beginning)
  for _, each in ipairs(report.checks) do
    if each.name:sub(1, #beginning) == beginning then return each end
  end
end

-- The first batch has nothing before it for the moving average; a search must be long enough for the second one. One
-- that keeps trials before it learns is no other than one with large batches.
function T.test_the_advantage_of_agents_with_large_batches()
  local function keeping(seed)
    local agent, kept = nas.agents.reinforce { seed = seed, batch = 5 }, {}
    local learn = agent.learn
    function agent.learn(self, trials)
      table.move(trials, 1, #trials, #kept + 1, kept)
      if #kept < 60 then return nil end
      learn(self, kept)
      kept = {}
      return nil
    end
    return agent
  end
  local agents = { keeping }
  for _, batch in ipairs { 1, 40, 45, 90 } do
    agents[#agents + 1] = function(seed) return nas.agents.reinforce { seed = seed, batch = batch } end
  end
  for _, new in ipairs(agents) do
    local result = check_of(nas.testing.agent(new), "the advantage")
    lu.assertTrue(result.ok and not result.skipped, result.problem)
  end
end

function T.test_agents_that_end_too_early_to_tell_whether_they_learn()
  local report = nas.testing.agent(function(seed)
    local agent, count = nas.agents.random_sample { seed = seed }, 0
    local propose = agent.propose
    function agent.propose(...)
      count = count + 1
      return count <= 10 and propose(...) or nil
    end
    agent.learns, agent.ends = true, true
    return agent
  end)
  lu.assertEquals(check_of(report, "it learns").problem, "the search with seed 1 ended after 10 trials; expected at "
    .. "least 20, to tell whether it learns")
end

function T.test_what_cant_be_looked_at()
  lu.assertErrorMsgContains("testing.agent: new is nil; expected a function of a seed that returns an agent",
    nas.testing.agent)
  lu.assertErrorMsgContains("testing.agent: new(1) returned nil; expected an agent", nas.testing.agent, function() end)
  local report = nas.testing.agent(function() error "my own" end)
  lu.assertEquals({ report.ok, report.failed, report.name }, { false, #report.checks, "agent" })
  lu.assertStrContains(report.checks[1].problem, "my own")
  lu.assertErrorMsgEquals("interrupted!", nas.testing.agent, function() error("interrupted!", 0) end)
end

-- ---- Presets ---------------------------------------------------------------------------------------

function T.test_presets()
  local paper = nas.agents.reinforce { preset = "paper" }
  lu.assertEquals({ paper.options.batch, paper.policy.options.rate },
    { 8, nas.policy({ preset = "paper" }).options.rate })
  local student = nas.agents.reinforce { preset = "student" }
  lu.assertEquals({ student.options.clip, student.options.batch, student.options.decay }, { 0.1, 1, 0.8 })
  lu.assertEquals({ student.policy.options.units, student.policy.options.l2 }, { 32, 0.01 })
  local nasnet = nas.agents.ppo { preset = "nasnet" }
  lu.assertEquals({ nasnet.options.batch, nasnet.options.steps, nasnet.options.decay }, { 20, 10, 0.95 })
  lu.assertEquals({ nasnet.policy.options.units, nasnet.policy.options.layers, nasnet.policy.options.rate },
    { 100, 1, 3.5e-4 })
end

function T.test_what_is_given_goes_before_a_preset()
  local agent = nas.agents.reinforce { preset = "student", clip = false, policy = { units = 8 } }
  lu.assertEquals({ agent.options.clip, agent.policy.options.units, agent.policy.options.l2 },
    { false, 8, 0.01 })
  lu.assertEquals(nas.agents.reinforce({ preset = "student" }).options.clip, 0.1) -- the preset is as it was
end

function T.test_presets_that_are_not()
  lu.assertErrorMsgContains('reinforce: preset is "nasnet"; expected one of paper, student', nas.agents.reinforce,
    { preset = "nasnet" })
  lu.assertErrorMsgContains("ppo: preset is 3; expected one of nasnet", nas.agents.ppo, { preset = 3 })
  lu.assertErrorMsgContains('lookahead: unknown option "preset"; known options: clip, decay', nas.agents.lookahead,
    { preset = "paper" })
  lu.assertErrorMsgContains('reinforce: preset is "small"; expected one of paper, student; the policy has it: '
    .. 'policy = { preset = "small" }', nas.agents.reinforce, { preset = "small" })
  lu.assertErrorMsgContains('reinforce: policy is "small"; expected a table such as { preset = "small" }',
    nas.agents.reinforce, { policy = "small" })
end

-- ---- Options ---------------------------------------------------------------------------------------

-- Of each option what is refused, with what the message says of it.
local BAD = {
  seed = { [-1] = "an integer of at least 0", [1.5] = "an integer", x = "an integer" },
  batch = { [0] = "an integer of at least 1", [1.5] = "an integer", ["3"] = "an integer" },
  decay = { [1] = "a number from 0 to below 1", [-0.1] = "a number", x = "a number" },
  clip = { [0] = "a number above 0, or false for no clipping", [-1] = "a number", x = "a number", [true] = "a number" },
  entropy = { [-1] = "a finite number of at least 0", [math.huge] = "a finite number", x = "a number" },
  policy = { [3] = 'a table such as { preset = "small" }', [true] = "a table" },
  baseline = {
    x = "a number or one of leave_one_out, moving_average, none", [math.huge] = "a finite number",
    [true] = "a string such as moving_average, or a number",
  },
  bias_correction = { [1] = "true or false", x = "true or false" },
  start = { x = "a finite number", [true] = "a finite number", [math.huge] = "a finite number" },
  update_first = { [1] = "true or false", x = "true or false" },
  lambda = { [1.1] = "a finite number from 0 to 1", [-1] = "a finite number", x = "a number such as 1.0" },
  value_weight = { [-1] = "a finite number of at least 0", x = "a number such as 0.5" },
  weight = { [math.huge] = "a finite number", x = "a number such as 0.7" },
  skip_weight = { [-1] = "a finite number of at least 0", x = "a number such as 0.0" },
  skip_prior = { [0] = "a finite number from", [1] = "a finite number from", x = "a number such as 0.4" },
  steps = { [0] = "an integer of at least 1", x = "a number such as 5" },
  epsilon = { [-1] = "a finite number of at least 0", x = "a number such as 0.2" },
  rate = { [-1] = "a finite number of at least 0", x = "a number such as 0.01" },
  population = { [0] = "an integer of at least 1", [2.5] = "an integer", x = "a number such as 50" },
  tournament = { [0] = "an integer of at least 1", x = "a number such as 10" },
  architectures = { [0] = "an integer of at least 1", x = "a number such as 27" },
  first = { [0] = "an integer of at least 1", x = "a number such as 1" },
  limit = { [0] = "an integer of at least 1", x = "a number such as 100000" },
  epochs = { [0] = "an integer of at least 1", x = "a number such as 27" },
  eta = { [1] = "an integer of at least 2", [2.5] = "an integer", x = "a number such as 3" },
}

-- The options of an agent, by its own message.
local function options_of(name)
  local _, message = pcall(nas.agents[name], { nonsense = 1 })
  local list = {}
  for option in message:match("known options: (.*)$"):gmatch "[%w_]+" do list[#list + 1] = option end
  return list
end

function T.test_each_option_of_each_agent_is_checked()
  for _, name in ipairs(AGENTS) do
    for _, option in ipairs(options_of(name)) do
      for value, expected in pairs(option ~= "preset" and BAD[option] or {}) do
        local ok, message = pcall(nas.agents[name], { [option] = value })
        local what = ("%s { %s = %s }: %s"):format(name, option, tostring(value), message)
        lu.assertFalse(ok, what)
        lu.assertStrContains(message, "test_agents.lua:", false, what)
        lu.assertStrContains(message, ("%s: %s is "):format(name, option), false, what)
        lu.assertStrContains(message, "; expected " .. expected, false, what)
      end
      lu.assertTrue(option == "preset" or BAD[option] ~= nil, option)
    end
    lu.assertErrorMsgContains(name .. ': unknown option "nonsense"; known options: ', nas.agents[name],
      { nonsense = 1 })
    lu.assertErrorMsgContains(name .. ": options are 3; expected a table with ", nas.agents[name], 3)
  end
end

function T.test_options_that_need_each_other()
  for _, name in ipairs { "reinforce", "independent" } do
    lu.assertErrorMsgContains(name .. ": batch is 1; leave_one_out takes the mean of the others, so at least 2",
      nas.agents[name], { baseline = "leave_one_out" })
  end
  lu.assertErrorMsgContains("reinforce: start and bias_correction contradict each other", nas.agents.reinforce,
    { start = 1, bias_correction = true })
  for _, name in ipairs { "asha", "successive_halving" } do
    lu.assertErrorMsgContains(name .. ": epochs is 4; expected an integer of at least 5", nas.agents[name],
      { first = 5, epochs = 4 })
  end
end

function T.test_options_without_effect()
  local function refused(name, text, options)
    lu.assertErrorMsgContains(("%s: %s"):format(name, text), nas.agents[name], options)
  end
  for option, value in pairs { bias_correction = true, decay = 0.5, start = 0, update_first = true } do
    for _, baseline in ipairs { "none", "leave_one_out", 0.25 } do
      refused("reinforce", ("%s is %s, but there is no moving average"):format(option, value),
        { baseline = baseline, batch = 2, [option] = value })
    end
  end
  refused("independent", "decay is 0.5, but there is no moving average", { baseline = "none", decay = 0.5 })
  refused("reinforce", "skip_prior is 0.1, but there is no skip_weight", { skip_prior = 0.1 })
  lu.assertNotNil(nas.agents.reinforce { baseline = "none", start = false, update_first = false })
  lu.assertNotNil(nas.agents.reinforce { skip_prior = 0.1, skip_weight = 0 })
  lu.assertNotNil(nas.agents.independent { baseline = "none" })
end

-- The table of options stays the script's.
function T.test_options_are_copied()
  for _, name in ipairs(AGENTS) do
    local given = { seed = 2 }
    nas.agents[name](given).options.seed = 3
    lu.assertEquals(given, { seed = 2 })
  end
end

-- ---- Policies --------------------------------------------------------------------------------------

function T.test_the_seed_of_an_agent_is_that_of_its_policy()
  for _, name in ipairs(WITH_LSTM) do
    lu.assertEquals(nas.agents[name]({ seed = 7 }).policy:bytes(), nas.policy({ seed = 7 }):bytes())
    lu.assertErrorMsgContains(name .. ": policy has a seed; it takes that of the agent", nas.agents[name],
      { policy = { seed = 1 } })
    lu.assertErrorMsgContains('policy: unknown option "rat"; known options: ', nas.agents[name],
      { policy = { rat = 1 } })
  end
end

function T.test_policies_are_taken_as_they_are()
  for _, name in ipairs(WITH_LSTM) do
    local policy = nas.policy { seed = 5, rate = 0.05 }
    local agent = nas.agents[name] { policy = policy, seed = 1 }
    lu.assertIs(agent.policy, policy)
    searches.run(agent, spaces.tiny, function(arch) return arch:value "kernel" end, 20)
    lu.assertTrue(policy:steps() > 0)
    lu.assertTrue(policy.samples >= 20)
  end
end

-- The softmax policy in the place of the LSTM makes the one agent of the other.
function T.test_an_agent_takes_anything_with_the_methods_of_a_policy()
  local function lines(agent)
    local list = {}
    local function reward(arch) return arch:value "kernel" + arch:value "filters" / 10 end
    for i, trial in ipairs(searches.run(agent, spaces.tiny, reward, 30)) do list[i] = trial.arch:line() end
    return list
  end
  local policy = require "luanas.softmax_policy"(3, 0.05)
  lu.assertEquals(lines(nas.agents.reinforce { policy = policy, decay = 0.9 }),
    lines(nas.agents.independent { seed = 3, rate = 0.05 }))
end

-- ---- For agents of one's own -----------------------------------------------------------------------

-- Ratios of PPO are coefficients of single decisions, which the policy without LSTM takes as well.
function T.test_a_policy_without_lstm_in_other_agents()
  local function policy() return require "luanas.softmax_policy"(3, 0.05) end
  local arch = policy():sample(spaces.student)
  local advantages = {}
  for t in ipairs(arch.decisions) do advantages[t] = 0.25 end
  local one, other = policy(), policy()
  lu.assertEquals(one:learn { { arch, advantages = advantages } }, other:learn { { arch, advantage = 0.25 } })
  lu.assertEquals(one.entries, other.entries)
  advantages[1] = 0.0
  local sums = policy():gradient({ { arch, advantages = advantages } }).sums
  local first, second = arch.decisions[1], arch.decisions[2]
  lu.assertEquals(sums[("%s 1 %s"):format(first.name, first.options.key)], { 0.0, 0.0 })
  lu.assertTrue(sums[("%s 1 %s"):format(second.name, second.options.key)][second.chosen] > 0)
  local report = nas.testing.agent(function(seed)
    return nas.agents.ppo { policy = require "luanas.softmax_policy"(seed, 0.1) }
  end)
  lu.assertTrue(report.ok, tostring(report))
  local critic = nas.agents.actor_critic { policy = policy() }
  lu.assertErrorMsgContains('policy without LSTM: score: unknown option "values"', searches.run, critic,
    spaces.student, function() return 0.5 end, 3)
end

function T.test_options_of_ones_own()
  local function options(given)
    return nas.agents.options("mine", given, { size = 3, name = "x", off = false, batch = 1 },
      { large = { size = 9, name = "y" } }, { name = "boolean" })
  end
  lu.assertEquals(options(), { size = 3, name = "x", off = false, batch = 1 })
  lu.assertEquals(options { preset = "large", size = 4, off = {} }, { size = 4, name = "y", off = {}, batch = 1 })
  lu.assertEquals(options({ name = true }).name, true)
  local function refused(text, given) lu.assertErrorMsgContains("mine: " .. text, options, given) end
  refused('size is "4"; expected a number such as 3', { size = "4" })
  refused("name is 3; expected a string such as x, or a boolean", { name = 3 })
  refused("batch is 0; expected an integer of at least 1", { batch = 0 })
  refused('preset is "small"; expected one of large', { preset = "small" })
  refused('unknown option "x"; known options: batch, name, off, preset, size', { x = 1 })
end

function T.test_rewarded()
  local one, other = { reward = 0 }, { reward = -1 }
  lu.assertEquals(nas.agents.rewarded { one, {}, other, { status = "failed" } }, { one, other })
  lu.assertEquals(nas.agents.rewarded {}, {})
end

function T.test_learned()
  local policy = nas.policy()
  local archs = policy:sample(spaces.tiny, 2)
  local trials = { { arch = archs[1] }, { arch = archs[2] } }
  local list = nas.agents.learned(policy, { { archs[1], advantage = 1 } }, trials, { [trials[1]] = { advantage = 1 } })
  lu.assertEquals(list[1].advantage, 1)
  for i = 1, 2 do lu.assertIsNumber(list[i].loss) end
  lu.assertEquals(policy:steps(), 1)
  lu.assertEquals(nas.agents.learned(policy, {}, trials, {}), { {}, {} })
  lu.assertEquals(policy:steps(), 1)
end

return T
