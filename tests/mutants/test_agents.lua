-- Agents with one thing broken in their source: what must turn red does, and nothing is red without it.
local lu = require "luaunit"
local nas = require "luanas"
local redness = require "redness"
local replacement = require "replacement"

local T = {}

-- By name: the agent, the place in its file and what stands there instead; its options in the checks of
-- nas.testing.agent; the checks, and the tests of files of tests/lua, that must turn red.
local MUTANTS = {
  baseline_with_the_current_reward = {
    agent = "reinforce", from = "update_first = options.update_first,", to = "update_first = true,",
    checks = { "the advantage is the reward minus what does not depend on it" },
    formulas = { "test_reinforce_with_a_moving_average", "test_reinforce_with_failed_trials" },
    acceptance = { "test_f_the_baseline_knows_earlier_rewards_only" },
  },
  sign = {
    agent = "reinforce", from = "advantage = advantage / #rewarded,", to = "advantage = -advantage / #rewarded,",
    checks = { "it learns", "the advantage is the reward minus what does not depend on it" },
    formulas = { "test_reinforce_without_a_baseline", "test_reinforce_with_a_constant" },
    acceptance = { "test_b_audits_find_no_bias", "test_f_the_baseline_knows_earlier_rewards_only" },
  },
  reward_of_another_architecture = {
    agent = "reinforce", options = { batch = 4 },
    from = "trial.arch, advantage = advantage", to = "rewarded[#rewarded + 1 - k].arch, advantage = advantage",
    checks = { "it learns", "the advantage is the reward minus what does not depend on it" },
    formulas = { "test_reinforce_without_a_baseline", "test_reinforce_that_leaves_one_out" },
    acceptance = { "test_b_audits_find_no_bias" },
  },
  exploration_outside_the_policy = { -- every third batch is random, and learned from as if it was not
    agent = "reinforce", from = "return self.policy:sample(space, self.options.batch)",
    to = [[
      self.turn = ((self.turn or 0) + 1) % 3
      self.random = self.random or nas.random { seed = self.options.seed }
      return (self.turn == 0 and self.random or self.policy):sample(space, self.options.batch)]],
    checks = { "what it proposes has the probability that its policy gives it" },
    acceptance = { "test_c_log_probabilities_recomputed_are_those_recorded" },
  },
  the_more_probable_one_of_two = {
    agent = "reinforce", from = "return self.policy:sample(space, self.options.batch)",
    to = [[
      local archs = self.policy:sample(space, 2 * self.options.batch)
      table.sort(archs, function(a, b) return a.log_prob > b.log_prob end)
      return table.move(archs, 1, self.options.batch, 1, {})]],
    checks = { "options come as often as their probabilities say" },
    acceptance = { "test_b_audits_find_no_bias" },
  },
  seed_by_the_clock = {
    agent = "reinforce", from = "policy = agents.policy(owner, options),",
    to = "policy = agents.policy(owner, setmetatable({ seed = math.random(1 << 40) }, { __index = options })),",
    checks = { "a search that is resumed equals one that was not interrupted", "the same seed gives the same search" },
    acceptance = { "test_h_the_seed_decides_and_threads_do_not" },
  },
  seed_that_is_not_used = {
    agent = "reinforce", from = "policy = agents.policy(owner, options),",
    to = "policy = agents.policy(owner, setmetatable({ seed = 1 }, { __index = options })),",
    checks = { "another seed gives another search" },
    acceptance = { "test_h_the_seed_decides_and_threads_do_not" },
  },
  failed_trials_that_are_learned_from = {
    agent = "reinforce", from = "local rewarded, rewards = agents.rewarded(trials)",
    to = "local rewarded, rewards = trials, {} for k, trial in ipairs(trials) do rewards[k] = trial.reward end",
    checks = { "it survives trials that fail" }, formulas = { "test_reinforce_with_failed_trials" },
  },
  gae_off_by_one = {
    agent = "actor_critic", from = "next_value = sum, values[t]", to = "next_value = sum, values[t + 1] or earned",
    checks = { "the advantage is the reward minus what does not depend on it" },
    formulas = {
      "test_actor_critic_with_lambda_0", "test_actor_critic_with_lambda_one_half", "test_actor_critic_with_lambda_1",
    },
  },
  gae_with_lambda_once_too_often = {
    agent = "actor_critic", from = "sum = next_value - values[t] + lambda * sum",
    to = "sum = lambda * (next_value - values[t] + sum)",
    formulas = { "test_actor_critic_with_lambda_0", "test_actor_critic_with_lambda_one_half" },
  },
  critic_with_the_wrong_sign = {
    agent = "actor_critic", from = "of_values[positions[t]] = 2 *", to = "of_values[positions[t]] = -2 *",
    checks = { "it learns" }, formulas = { "test_actor_critic_with_lambda_1" },
  },
  ratio_against_the_present_policy = {
    agent = "ppo", from = "now.log_prob - arch.decisions[t].log_prob", to = "now.log_prob - now.log_prob",
    formulas = { "test_ppo_follows_ratios_against_the_policy_that_sampled_up_to_its_limits" },
  },
  ratio_against_the_probability_of_the_whole = {
    agent = "ppo", from = "now.log_prob - arch.decisions[t].log_prob", to = "now.log_prob - arch.log_prob",
    checks = { "the advantage is the reward minus what does not depend on it" },
    formulas = { "test_ppo_follows_ratios_against_the_policy_that_sampled_up_to_its_limits" },
    acceptance = { "test_f_the_baseline_knows_earlier_rewards_only" },
  },
  limits_on_the_wrong_sides = {
    agent = "ppo", from = "advantage > 0 and ratio > high or advantage < 0 and ratio < low",
    to = "advantage < 0 and ratio > high or advantage > 0 and ratio < low",
    formulas = { "test_ppo_follows_ratios_against_the_policy_that_sampled_up_to_its_limits" },
  },
  reward_of_the_next_architecture_only = {
    agent = "lookahead", from = "advantage = advantage + self.options.weight", to = "advantage = self.options.weight",
    checks = { "the advantage is the reward minus what does not depend on it" },
    formulas = { "test_lookahead_adds_the_advantage_of_the_next_architecture" },
  },
  options_that_the_space_does_not_have = {
    agent = "random_sample", from = "return self.random:sample(space, self.options.batch)",
    to = [[
      local archs = self.random:sample(space, self.options.batch)
      for i, arch in ipairs(archs) do archs[i] = nas.arch((arch:line():gsub("{1,2,3}", "{1,2,3,4}"))) end
      return archs]],
    preface = 'local nas = require "luanas" ',
    checks = { "it asks only for what the space offers" },
  },
  option_beyond_the_last = {
    agent = "evolution", from = "integer(decision.options.count - 1)", to = "integer(decision.options.count)",
    checks = { "it asks only for what the space offers" },
    formulas = { "test_evolution_drops_the_oldest_and_mutates_one_decision" },
    options = { population = 10, tournament = 2 },
  },
  queue_that_drops_the_newest = {
    agent = "evolution", from = "table.remove(self.queue, 1)", to = "table.remove(self.queue)",
    formulas = { "test_evolution_drops_the_oldest_and_mutates_one_decision" },
  },
  search_that_repeats = {
    agent = "random_search", from = "    use_up(path)\n", to = "    path[1] = use_up and path[1]\n",
    formulas = {
      "test_random_search_ends_when_it_has_proposed_all",
      "test_random_search_is_random_sampling_that_rejects_what_came_before",
    },
  },
}

local FILES = { formulas = "test_agent_formulas.lua", acceptance = "test_acceptance.lua" }

local function source_of(agent)
  local file <close> = assert(io.open(("%s/scripts/luanas/agents/%s.lua"):format(os.getenv "LUANAS_SOURCE", agent)))
  return file:read "a"
end

-- Runs `body` with another agent of that name.
local function with(name, constructor, body)
  local original = nas.agents[name]
  nas.agents[name] = constructor
  local _ <close> = setmetatable({}, { __close = function() nas.agents[name] = original end })
  body()
end

local function constructor_of(name, mutant, to)
  local text = replacement(source_of(mutant.agent), mutant.from, to, name)
  return assert(load((mutant.preface or "") .. text, "=" .. name))()
end

local function red_checks(constructor, mutant)
  return redness.of_checks(function(seed)
    local options = { seed = seed }
    for key, value in pairs(mutant.options or {}) do options[key] = value end
    return constructor(options)
  end)
end

local function check_mutant(name, mutant)
  local constructor = constructor_of(name, mutant, mutant.to)
  with(mutant.agent, constructor, function()
    if mutant.checks then
      local red, report = red_checks(constructor, mutant)
      redness.expect(name, red, mutant.checks, report)
    end
    for kind, file in pairs(FILES) do
      redness.expect(name, redness.of_tests(file, mutant[kind] or {}), mutant[kind] or {})
    end
  end)
  lu.assertNotNil(mutant.checks or mutant.formulas)
end

-- Loaded in the same way, but not changed: all that is red in a mutant of the agent is green.
local function check_control(agent)
  local own = {} -- the mutants of the agent
  for name, mutant in pairs(MUTANTS) do
    if mutant.agent == agent then own[name] = mutant end
  end
  local name, any = next(own)
  local constructor = constructor_of(name, any, any.from)
  with(agent, constructor, function()
    redness.expect_none(agent, red_checks(constructor, {}))
    for _, mutant in pairs(own) do
      if mutant.options then redness.expect_none(agent, red_checks(constructor, mutant)) end
      for kind, file in pairs(FILES) do redness.expect_none(agent, redness.of_tests(file, mutant[kind] or {})) end
    end
  end)
end

for name, mutant in pairs(MUTANTS) do
  T["test_" .. name] = function() check_mutant(name, mutant) end
  T["test_control_" .. mutant.agent] = function() check_control(mutant.agent) end
end

function T.test_a_replacement_has_one_place()
  lu.assertEquals(replacement("a b c", "b", "%0", "text"), "a %0 c")
  lu.assertErrorMsgContains("text: nowhere is", replacement, "a b c", "d", "e", "text")
  lu.assertErrorMsgContains("text: more than once", replacement, "aba", "a", "e", "text")
  lu.assertErrorMsgContains("text: more than once", replacement, "aaa", "aa", "e", "text")
end

return T
