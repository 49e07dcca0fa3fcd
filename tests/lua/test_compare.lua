-- Comparisons of agents: cells, curves, tables and tests of them, on known rewards and on studies.
local lu = require "luaunit"
local compared = require "luanas.compared"
local core = require "luanas.core"
local files = require "files"
local nas = require "luanas"
local spaces = require "spaces"
local statistics = nas.statistics

local T = {}

local path, query = files.path, files.query

-- Four rewards, the best of which is 0.9.
local REWARDS = {}
for i, arch in ipairs(spaces.all(spaces.tiny)) do REWARDS[arch:line()] = ({ 0.2, 0.9, 0.4, 0.6 })[i] end

local function reward(arch) return REWARDS[arch:line()] end

-- A quiet comparison on these rewards; `options` are added or replace.
local function compare(options)
  local own = {
    agents = { "random_search", { "reinforce", policy = { rate = 0.05 } } }, seeds = 3, trials = 12,
    space = spaces.tiny, rewards = reward, quiet = true,
  }
  for name, value in pairs(options or {}) do own[name] = value end
  return nas.compare(own)
end

local function cells_of(result)
  local list = {}
  for _, agent in ipairs(result.agents) do
    for _, cell in ipairs(agent.cells) do
      local own, best = {}, cell.best
      for name, value in pairs(cell) do own[name] = value end
      own.best = best and { best.arch:line(), best.reward }
      if best then
        lu.assertEquals(best.reward, math.max(table.unpack(cell.rewards)))
        lu.assertTrue(cell.macs[best.number] == best.macs and best.macs > 0)
      end
      list[#list + 1] = core.json_encode(own)
    end
  end
  return list
end

-- ---- Cells -----------------------------------------------------------------------------------------

function T.test_cells_are_searches()
  lu.assertEquals(compare({ agents = { "enumerate" }, seeds = 1 }).agents[1].cells, {
    {
      seed = 1, rewards = { 0.2, 0.9, 0.4, 0.6 }, networks = { 1, 2, 3, 4 }, trainings = { 1, 2, 3, 4 },
      epochs = { 1, 2, 3, 4 }, seconds = { 0.0, 0.0, 0.0, 0.0 }, entropies = { false, false, false, false },
      macs = { false, false, false, false },
    },
  })
end

function T.test_cells_of_an_agent_that_learns()
  local cell = compare().agents[2].cells[1]
  lu.assertEquals(#cell.rewards, 12)
  for i = 1, 12 do
    lu.assertTrue(cell.entropies[i] > 0 and cell.entropies[i] < 1.4)
    lu.assertTrue(cell.trainings[i] <= math.min(i, 4))
    lu.assertEquals(cell.epochs[i], cell.trainings[i])
  end
end

function T.test_cells_do_not_depend_on_workers_or_other_cells()
  local alone = cells_of(compare { workers = 1 })
  lu.assertEquals(#alone, 6)
  for _, workers in ipairs { 2, 5 } do lu.assertEquals(cells_of(compare { workers = workers }), alone) end
  lu.assertEquals(cells_of(compare { seeds = { 2 }, workers = 2 }), { alone[2], alone[5] })
  lu.assertEquals(cells_of(compare { seeds = { 3, 1 }, agents = { "random_search" } }), { alone[3], alone[1] })
  lu.assertNotEquals(alone[4], alone[5])
end

-- Another seed would be the same search: one run, which has no spread and no rank.
function T.test_agents_without_chance_run_once()
  local agents = { "enumerate", "random_search", { name = "own", new = function() return nas.agents.enumerate() end } }
  local result = compare { agents = agents, seeds = { 4, 2, 3 } }
  for i, seeds in ipairs { { 4 }, { 4, 2, 3 }, { 4 } } do
    local seen = {}
    for k, cell in ipairs(result.agents[i].cells) do seen[k] = cell.seed end
    lu.assertEquals({ seen, result.summaries[i].runs }, { seeds, #seeds })
  end
  lu.assertEquals(cells_of(compare { agents = { "random_search" }, seeds = { 4, 2, 3 } }),
    table.move(cells_of(result), 2, 4, 1, {}))
  lu.assertEquals({ result.summaries[1].best.mean, result.summaries[1].test_of_ranks }, { 0.9, nil })
  local text = tostring(result)
  lu.assertStrMatches(text, ".*\nenumerate +0%.9000 +%- +%- .*")
  lu.assertStrContains(text, "\n3 seeds each, but 1 of enumerate and own, which leave nothing to chance; last: ")
  lu.assertNil(compare({ agents = agents, reference = "enumerate" }).summaries[2].test_of_ranks)
  lu.assertEquals(result:curves()[1].low, result:curves()[1].high)
end

function T.test_rewards_by_lines()
  lu.assertEquals(cells_of(compare { rewards = REWARDS }), cells_of(compare()))
end

function T.test_failed_trials()
  local function fails(arch)
    if arch:value "kernel" == 1 then return nil, "fails" end
    return reward(arch)
  end
  local result = compare { agents = { "enumerate" }, seeds = 1, rewards = fails }
  lu.assertEquals(result.agents[1].cells[1].rewards, { false, false, 0.4, 0.6 })
  lu.assertEquals(result.summaries[1].best.values, { 0.6 })
  lu.assertEquals(result:curves()[1].x, { 3, 4 })
  local none = compare { rewards = function() end, trials = 3 }
  lu.assertNil(none.summaries[1].best)
  lu.assertEquals(none:curves(), {})
  lu.assertStrContains(tostring(none), "random_search  ")
  lu.assertErrorMsgContains('no agent has a curve of "incumbent"', none.plot, none)
end

function T.test_budgets()
  local function last(options)
    options.trials, options.agents, options.seeds = options.trials, { "random_sample" }, 1
    local own = {
      agents = { "random_sample" }, seeds = 1, space = spaces.tiny, rewards = reward, quiet = true,
    }
    for name, value in pairs(options) do own[name] = value end
    local cell = nas.compare(own).agents[1].cells[1]
    return cell.trainings[#cell.trainings], cell.epochs[#cell.epochs]
  end
  lu.assertEquals({ last { trainings = 3 } }, { 3, 3 })
  lu.assertEquals({ last { epochs = 2 } }, { 2, 2 })
end

-- ---- Names -----------------------------------------------------------------------------------------

function T.test_names()
  local own = { name = "own", new = function(seed)
    local agent = nas.agents.random_sample { seed = seed }
    agent.policy = "uniform" -- which is no object that two agents could share
    return agent
  end }
  local result = compare { agents = {
    "random_sample", { "random_sample", name = "again" }, { "random_sample", batch = 3, name = "batches" }, own,
  } }
  local names = {}
  for i, each in ipairs(result.summaries) do names[i] = each.name end
  lu.assertEquals(names, { "random_sample", "again", "batches", "own" })
  local cells = cells_of(result)
  for i = 1, 3 do
    lu.assertEquals(cells[3 + i], cells[i])
    lu.assertEquals(cells[9 + i], cells[i])
  end
end

-- ---- Summaries -------------------------------------------------------------------------------------

-- A comparison of cells that are given by their rewards; every trial trains something new.
local function of_rewards(agents, options)
  local list = {}
  for i, agent in ipairs(agents) do
    list[i] = { name = agent.name, cells = {} }
    for seed, rewards in ipairs(agent) do
      local cell = { seed = seed, rewards = rewards, networks = {}, trainings = {}, epochs = {}, seconds = {},
        entropies = {} }
      for k in ipairs(rewards) do
        cell.networks[k], cell.trainings[k], cell.epochs[k], cell.seconds[k] = k, k, 2 * k, 1.5 * k
        cell.entropies[k] = agent.entropy or false
      end
      list[i].cells[seed] = cell
    end
  end
  options = options or {}
  options.last = options.last or 2
  return compared.new(list, options)
end

function T.test_summaries()
  local result = of_rewards({
    { name = "a", { 1, 4, 3, 2, 2, 6 }, { 5, 1, false, 2, 4, 0 }, { 3, 3, 3, 3, 3, false }, entropy = 0.5 },
  }, { oracle = 8 })
  local own = result.summaries[1]
  lu.assertEquals({ own.name, own.runs }, { "a", 3 })
  lu.assertEquals(own.best.values, { 6, 5, 3 })
  lu.assertEquals({ own.best.mean, own.best.median, own.best.sd }, { 14 / 3, 5, statistics.sd { 6, 5, 3 } })
  lu.assertEquals({ own.best.low, own.best.high }, { statistics.bootstrap { 6, 5, 3 } })
  lu.assertEquals(own.last.values, { 4, 2, 3 })
  lu.assertEquals(own.top[1].values, { 6, 5, 3 })
  lu.assertEquals(own.top[5].values, { 17 / 5, 12 / 5, 3 })
  lu.assertNil(own.top[15])
  lu.assertEquals(own.epochs.values, { 12, 12, 12 })
  lu.assertEquals({ own.unique.mean, own.entropy.mean }, { 1, 0.5 })
  lu.assertEquals(own.regret, 8 - 14 / 3)
  lu.assertNil(own.test)
  lu.assertNil(own.test_of_ranks)
end

-- What was not learned from, at the end of a budget, or failed, has logged none.
function T.test_the_last_entropy_that_was_logged()
  local agents = of_rewards({ { name = "a", { 1, 2, 3 }, { 1, 2, false } } }).agents
  agents[1].cells[1].entropies, agents[1].cells[2].entropies = { 4, 2, false }, { 3, false, false }
  lu.assertEquals(compared.new(agents, { last = 2 }).summaries[1].entropy.values, { 2, 3 })
end

-- Networks that come again count once among the best.
function T.test_top_networks_are_different_ones()
  local result = compare { agents = { "random_sample" }, seeds = 1, trials = 40 }
  local cell = result.agents[1].cells[1]
  lu.assertEquals(cell.trainings[40], 4)
  lu.assertNil(result.summaries[1].top[5])
  lu.assertEquals(result.summaries[1].top[1].mean, 0.9)
  lu.assertEquals(result.summaries[1].unique.mean, 0.1)
end

-- Also those that come again for more epochs, which is another training.
function T.test_top_networks_that_are_trained_further()
  local result = compare {
    agents = { { "successive_halving", architectures = 4, epochs = 3, eta = 3 } }, seeds = 1,
    rewards = function(arch, epochs) return reward(arch) + epochs / 100 end,
  }
  local cell, own = result.agents[1].cells[1], result.summaries[1]
  lu.assertEquals({ #cell.rewards, cell.epochs[5] - cell.epochs[4] }, { 5, 2 })
  lu.assertEquals({ cell.networks[5] < 5, cell.trainings[5] - cell.trainings[4] }, { true, 1 })
  lu.assertEquals({ own.top[1].mean, own.top[5] }, { cell.rewards[5], nil })
end

function T.test_one_seed_has_no_spread()
  local result = compare { seeds = 1 }
  local best = result.summaries[1].best
  lu.assertEquals({ best.sd, best.low, best.high }, { 0.0, best.mean, best.mean })
  lu.assertStrMatches(tostring(result), ".*\nrandom_search +0%.9000 +%- +%- .*")
end

-- Each takes as long as hundreds of trials.
function T.test_intervals_are_computed_when_they_are_asked_for()
  local result
  lu.assertEquals(files.calls(statistics, "bootstrap", function() result = compare() end), 0)
  lu.assertEquals(files.calls(statistics, "bootstrap", function() tostring(result) end), 4) -- two columns of two agents
  lu.assertEquals(files.calls(statistics, "bootstrap", function() tostring(result) end), 0)
  local last, fields = result.summaries[2].trainings, {}
  for name, value in pairs(last) do fields[name] = value end
  lu.assertEquals({ fields.low, fields.high }, { statistics.bootstrap(last.values) })
  lu.assertNil(last.lower)
end

function T.test_rank_tests_are_corrected()
  local function runs(name, values)
    local own = { name = name }
    for i, value in ipairs(values) do own[i] = { value } end
    return own
  end
  local reference = { 1, 2, 3, 4, 5, 6 }
  local result = of_rewards({
    runs("good", { 7, 8, 9, 10, 11, 12 }), runs("base", reference), runs("same", { 1, 2, 3, 4, 5, 6 }),
    runs("better", { 3, 5, 7, 8, 9, 10 }),
  }, { reference = "base" })
  local p, found = {}, {}
  for i, k in ipairs { 1, 3, 4 } do
    local own = result.summaries[k]
    local expected = statistics.rank_test(own.best.values, reference)
    lu.assertEquals({ own.test_of_ranks.p, own.test_of_ranks.effect }, { expected.p, expected.effect })
    p[i], found[i] = expected.p, own.test_of_ranks.holm
  end
  lu.assertEquals(found, statistics.holm(p))
  lu.assertTrue(found[1] > p[1])
  lu.assertNil(result.summaries[2].test_of_ranks)
  lu.assertEquals(result.summaries[1].test_of_ranks.effect, 1)
end

-- A run whose trials all failed is not left out: what is left would be the lucky ones.
function T.test_runs_without_a_reward_count()
  local result = of_rewards({
    { name = "lucky", { 9 }, { 8 }, { false }, { false } }, { name = "base", { 1 }, { 2 }, { 3 }, { 4 } },
    { name = "none", { false }, { false }, { false }, { false } },
  }, { reference = "base", oracle = 9 })
  local lucky, _, none = table.unpack(result.summaries)
  lu.assertEquals({ lucky.best, lucky.last, lucky.top[1], lucky.regret }, {})
  lu.assertEquals({ lucky.test_of_ranks.effect, none.test_of_ranks.effect }, { 0.5, 0.0 })
  lu.assertEquals(lucky.test_of_ranks.p, statistics.rank_test({ 9, 8, 0, 0 }, { 1, 2, 3, 4 }).p)
  lu.assertStrMatches(tostring(result), ".*\nlucky +%- +%- .*")
end

function T.test_final_accuracies_of_some_runs()
  local cells = of_rewards({ { name = "a", { 1 }, { false } } }).agents[1].cells
  cells[1].test = { accuracy = 0.5 }
  lu.assertNil(compared.new({ { name = "a", cells = cells } }, { last = 2 }).summaries[1].test)
end

function T.test_the_reference()
  lu.assertEquals(compare().options.reference, "random_search")
  lu.assertEquals(compare({ reference = "reinforce" }).options.reference, "reinforce")
  lu.assertNil(compare({ agents = { "enumerate" } }).options.reference)
  lu.assertErrorMsgContains('reference is "random"; expected the name of one of the agents: random_search, reinforce',
    compare, { reference = "random" })
end

function T.test_the_oracle()
  lu.assertAlmostEquals(compare({ oracle = true }).summaries[1].regret, 0, 1e-12)
  lu.assertAlmostEquals(compare({ oracle = 1 }).summaries[1].regret, 0.1, 1e-12)
  lu.assertNil(compare().summaries[1].regret)
end

function T.test_the_oracle_where_rewards_fail()
  local some, best = {}, next(REWARDS)
  for line, each in pairs(REWARDS) do
    if each ~= 0.4 then some[line] = each end
    if each > REWARDS[best] then best = line end
  end
  local function without_best(arch)
    if arch:line() == best then return nil, "fails" end
    return reward(arch)
  end
  for rewards, oracle in pairs { [some] = 0.9, [without_best] = 0.6 } do
    local result = compare { agents = { "random_search" }, oracle = true, rewards = rewards }
    lu.assertEquals(result.options.oracle, oracle)
  end
  lu.assertErrorMsgContains("compare: oracle is true, but no architecture has a reward", compare,
    { oracle = true, rewards = {} })
end

-- At once: to enumerate 100,000 deep networks would take minutes.
function T.test_no_oracle_of_large_spaces()
  local large = nas.space.chain { input = { 8, 8, 1 }, classes = 10, layers = 40, filters = { 1, 2 } }
  lu.assertErrorMsgContains("compare: the space has about 1.1e+12 architectures, too many to enumerate; at most 100000",
    compare, { oracle = true, space = large, rewards = function() return 1 end })
end

-- ---- Curves ----------------------------------------------------------------------------------------

function T.test_curves()
  local result = of_rewards {
    { name = "a", { 1, 4, 2 }, { 3, 1, 5 }, { false, 2, 2 }, entropy = 0.5 },
    { name = "none", { false, false, false } },
  }
  lu.assertEquals(result:curves(), {
    { title = "a", x = { 2, 3 }, low = { 2.5, 3.0 }, middle = { 3, 4 }, high = { 3.5, 4.5 } },
  })
  lu.assertEquals(result:curves("incumbent", "epochs")[1].x, { 4, 5, 6 })
  local samples = result:curves("samples", "trainings")[1]
  lu.assertEquals({ samples.x, samples.middle }, { { 2, 3 }, { 2, 3 } }) -- of 2.5, 2, 2 and of 3, 3, 2
  lu.assertEquals(result:curves("entropy")[1].middle, { 0.5, 0.5, 0.5 })
  lu.assertEquals(result:curves("unique")[2].middle, { 1, 1, 1 })
end

-- Trials that failed are among the last ones, but not in their mean.
function T.test_the_samples_end_at_the_last_column()
  local result = of_rewards({ { name = "a", { 0.1, 0.1, 0.9, false, false } } }, { last = 3 })
  local curve = result:curves("samples")[1]
  lu.assertEquals({ curve.x, curve.middle[5], result.summaries[1].last.mean }, { { 1, 2, 3, 4, 5 }, 0.9, 0.9 })
  lu.assertEquals(of_rewards({ { name = "a", { 1, false, false } } }, { last = 2 }):curves("samples")[1].x, { 1, 2 })
end

-- Once a seed has ended, its last value stands.
function T.test_curves_of_searches_of_different_lengths()
  local band = of_rewards({ { name = "a", { 1 }, { 2, 3, 4 } } }):curves()[1]
  lu.assertEquals({ band.x, band.middle }, { { 1, 2, 3 }, { 1.5, 2, 2.5 } })
end

function T.test_long_curves_have_fewer_points()
  local rewards = {}
  for i = 1, 3000 do rewards[i] = i end
  local band = of_rewards({ { name = "a", rewards } }):curves()[1]
  lu.assertEquals({ #band.x, band.x[1], band.x[#band.x], band.middle[#band.x] }, { 500, 6, 3000, 3000 })
  rewards[3001] = 4000 -- what is no multiple of the step is the end all the same
  band = of_rewards({ { name = "a", rewards } }):curves()[1]
  lu.assertEquals({ #band.x, band.x[500], band.x[501], band.middle[501] }, { 501, 3000, 3001, 4000 })
end

function T.test_bad_curves()
  local result = of_rewards { { name = "a", { 1 } } }
  lu.assertErrorMsgContains('compared:curves: kind is "best"; expected one of entropy, incumbent, samples, unique',
    result.curves, result, "best")
  lu.assertErrorMsgContains('compared:curves: axis is "hours"; expected one of epochs, seconds, trainings, trials',
    result.curves, result, "incumbent", "hours")
  lu.assertErrorMsgContains('compared:plot: no agent has a curve of "entropy"', result.plot, result, nil, "entropy")
  lu.assertErrorMsgContains('compared:plot: axis is "seconds", but no search took any; expected another one, such as '
    .. '"trials"', compare().plot, compare(), nil, "incumbent", "seconds")
end

-- ---- Tables ----------------------------------------------------------------------------------------

local function titles(result)
  return (tostring(result):match "^[^\n]*":gsub("  +", ", "))
end

function T.test_tables()
  local result = compare { oracle = true }
  lu.assertEquals(titles(result), "agent, best, sd, 95 % of the mean, top 5, top 15, last, 95 % of the last, "
    .. "trainings, unique, entropy, regret, effect, p (Holm)")
  lu.assertStrMatches(tostring(result), ".*\nrandom_search +0%.9000 +0%.0000 +0%.9000 to 0%.9000 +%- +%- .*\n"
    .. "reinforce .*\n3 seeds each; last: mean reward of the last 12 samples; effect: probability that the best of a "
    .. "run exceeds that of random_search\n")
  local alone = compare { agents = { "random_search" }, seeds = 1 }
  lu.assertStrMatches(tostring(alone), ".*\n1 seed each; last: mean reward of the last %d+ samples\n") -- and no effect
  lu.assertEquals(titles(compare { agents = { "enumerate" } }), "agent, best, sd, 95 % of the mean, top 5, top 15, "
    .. "last, 95 % of the last, trainings, unique, entropy")
end

-- The reference ends at 3, which another agent has after its second trial.
function T.test_who_is_even_with_the_reference_and_when()
  local result = of_rewards({
    { name = "random", { 1, 2, 3 }, { 1, 2, 3 } }, { name = "quick", { 2, 4, 4 }, { 2, 3, 4 } },
    { name = "slow", { 1, 1, 2 }, { 1, 1, 2 } },
  }, { reference = "random" })
  lu.assertEquals({ result.summaries[1].even_at, result.summaries[2].even_at, result.summaries[3].even_at },
    { nil, 2, nil })
  lu.assertStrContains(titles(result), ", even at")
  lu.assertStrContains(tostring(result), "after how many trials the median of the best is what random has in the end")
end

-- An agent that names no epochs pays for all of them, as one that asks for all does.
function T.test_known_rewards_by_epochs()
  local function rewards(arch, epochs) return (arch:value "kernel" == 3 and 0.9 or 0.1) - 0.01 * (4 - (epochs or 4)) end
  local result = nas.compare {
    space = spaces.tiny, rewards = rewards, all_epochs = 4, epochs = 24, seeds = 3, quiet = true,
    agents = { "random_search", { "successive_halving", architectures = 4, first = 1, epochs = 4, eta = 2 } },
  }
  lu.assertEquals({ result.even_axis, result.summaries[1].epochs.mean, result.summaries[1].trainings.mean },
    { "epochs", 16, 4 })
  lu.assertStrContains(tostring(result), "epochs")
end

function T.test_csv()
  local result = of_rewards { { name = 'the "best"', { 0.5, false }, entropy = 0.25 }, { name = "b", { 1 }, { 2 } } }
  result:csv(path)
  local file <close> = io.open(path)
  lu.assertEquals(file:read "a", [[
agent,seed,trial,reward,trainings,epochs,seconds,entropy
"the ""best""",1,1,0.5,1,2,1.50,0.25
"the ""best""",1,2,,2,4,3.00,0.25
b,1,1,1,1,2,1.50,
b,2,1,2,1,2,1.50,
]])
  lu.assertErrorMsgContains("compared:csv: path is nil; expected a non-empty string", result.csv, result)
  lu.assertErrorMsgContains("compared:csv: /nowhere/x: No such file", result.csv, result, "/nowhere/x")
end

-- ---- Studies ---------------------------------------------------------------------------------------

local function study_options(options)
  local own = {
    path = path, space = spaces.tiny, data = spaces.data(), quiet = true,
    train = { epochs = 2, batch = 16, optimizer = nas.adam { rate = 0.01 } },
  }
  for name, value in pairs(options or {}) do own[name] = value end
  return own
end

local function on_studies(options, of_study)
  local own = {
    agents = { "random_search", { "reinforce", batch = 2 } }, seeds = 2, trials = 4, study = study_options(of_study),
    reward = "params", quiet = true,
  }
  for name, value in pairs(options or {}) do own[name] = value end
  return nas.compare(own)
end

function T.test_studies_share_their_evaluations()
  local result
  lu.assertEquals(files.trainings(function() result = on_studies() end), 4)
  lu.assertEquals(query "SELECT name FROM study ORDER BY id", {
    { name = "random_search, seed 1" }, { name = "reinforce, seed 1" }, { name = "random_search, seed 2" },
    { name = "reinforce, seed 2" },
  })
  lu.assertEquals(query "SELECT count(*) AS n FROM trial", { { n = 16 } })
  lu.assertEquals(result.summaries[1].trainings.mean, 4) -- what is recalled is paid for
  lu.assertTrue(result.summaries[1].seconds.mean > 0)
  for _, cell in ipairs(result.agents[1].cells) do
    lu.assertEquals(#cell.seconds, 4)
    for i = 2, 4 do lu.assertTrue(cell.seconds[i] > cell.seconds[i - 1]) end
  end
  local curve = result:curves("incumbent", "seconds")[1]
  lu.assertAlmostEquals(curve.x[#curve.x], math.max(result.agents[1].cells[1].seconds[4],
    result.agents[1].cells[2].seconds[4]), 1e-9)
  lu.assertEquals(curve.middle[#curve.middle], result.summaries[1].best.median)
  local rewards = cells_of(result)
  lu.assertEquals(files.trainings(function() lu.assertEquals(cells_of(on_studies()), rewards) end), 0)
  lu.assertEquals(query "SELECT count(*) AS n FROM trial", { { n = 16 } })
end

function T.test_studies_of_agents_without_chance()
  local result = on_studies { agents = { "random_search", "enumerate" } }
  lu.assertEquals({ #result.agents[1].cells, #result.agents[2].cells }, { 2, 1 })
  lu.assertEquals({ result.agents[1].cells[2].seed, result.agents[2].cells[1].best.number > 0 }, { 2, true })
  lu.assertEquals(query "SELECT count(*) AS n FROM study", { { n = 3 } })
end

function T.test_budgets_of_seconds()
  local result = nas.compare {
    agents = { "random_search", { "reinforce", batch = 2 } }, seeds = 2, seconds = 0.1, study = study_options(),
    reward = "params", quiet = true,
  }
  lu.assertEquals(result.even_axis, "seconds")
  for _, own in ipairs(result.summaries) do lu.assertTrue(own.seconds.mean > 0) end
  lu.assertStrContains(tostring(result), "even at: after how many seconds the median")
end

function T.test_a_comparison_of_studies_goes_on()
  on_studies { trials = 2, agents = { "random_search" } }
  local cells = on_studies().agents[1].cells
  lu.assertEquals(#cells[1].rewards, 4)
  lu.assertEquals(query "SELECT count(*) AS n FROM run", { { n = 4 } })
end

function T.test_studies_in_memory_share_their_evaluations()
  local own = study_options()
  own.path = nil
  lu.assertEquals(files.trainings(function() on_studies { study = own } end), 4)
end

-- Each cell opens the test images once, for its best network; a comparison that is run again takes what is stored.
function T.test_final()
  local function openings(options)
    local result
    return files.calls(debug.getregistry()["luanas.Store"].__index, "end_final", function()
      result = on_studies(options)
    end), result
  end
  local count, result = openings { final = "to compare" }
  lu.assertEquals(count, 4)
  lu.assertEquals(query "SELECT DISTINCT intent, count(*) AS n FROM final", { { intent = "to compare", n = 4 } })
  for _, agent in ipairs(result.agents) do
    for _, cell in ipairs(agent.cells) do lu.assertIsNumber(cell.test.accuracy) end
  end
  lu.assertEquals(#result.summaries[1].test.values, 2)
  lu.assertStrContains(titles(result), ", test, ")
  local again
  count, again = openings { final = "to compare" }
  lu.assertEquals(count, 0)
  lu.assertEquals(again.summaries[1].test.values, result.summaries[1].test.values)
end

function T.test_final_where_there_is_nothing_to_evaluate()
  local data = setmetatable({ read_test = false }, { __index = spaces.data() })
  lu.assertEquals(files.trainings(function()
    lu.assertErrorMsgContains("has no test split", on_studies, { final = "to compare" }, { data = data })
  end), 0)
  local failing = { limits = { params = 1 }, failed = { accuracy = 0.1 } }
  local result = on_studies({ final = "to compare", reward = "accuracy" }, failing)
  lu.assertEquals({ result.summaries[1].best.mean, result.summaries[1].test }, { 0.1, nil })
end

function T.test_without_final_the_test_images_stay_closed()
  local data = spaces.data()
  data.read_test = function() error "opened" end
  lu.assertNil(on_studies({}, { data = data }).summaries[1].test)
end

function T.test_studies_are_as_quiet_as_their_comparison()
  local own = study_options()
  own.quiet = nil
  local make, seen = nas.study, {}
  files.with(nas, "study", function(options)
    seen[#seen + 1] = options.quiet
    return make(options)
  end, function() on_studies { study = own } end)
  lu.assertEquals(seen, { true, true, true, true })
end

function T.test_workers_of_studies_change_nothing()
  local alone = on_studies { agents = { { "reinforce", batch = 4 } } }.agents[1].cells
  files.remove()
  local two = on_studies({ agents = { { "reinforce", batch = 4 } }, workers = 2 }).agents[1].cells
  for i = 1, 2 do lu.assertEquals(two[i].rewards, alone[i].rewards) end
end

-- ---- Errors ----------------------------------------------------------------------------------------

local function refused(text, options)
  lu.assertErrorMsgContains("compare: " .. text, compare, options)
end

local function nothing() end

function T.test_bad_agents()
  lu.assertErrorMsgContains('compare: agents is nil; expected a list such as { "random_search", "reinforce" }',
    nas.compare)
  refused('agents is "reinforce"; expected a list', { agents = "reinforce" })
  refused("agents is a table without elements; expected a list", { agents = {} })
  refused("agents[2] is 3; expected the name of an agent, { name, its options } or { name =, new = function of a seed "
    .. "}", { agents = { "reinforce", 3 } })
  refused("agents[1] is an agent; expected", { agents = { nas.agents.reinforce() } })
  refused("agents[1] is a function; expected", { agents = { nas.agents.reinforce } })
  refused("agents[1] is a table without a name; expected", { agents = { { batch = 3 } } })
  refused("agents[1] has a seed; seeds are an option of the comparison", { agents = { { "ppo", seed = 3 } } })
  refused("new of agents[1] is 3; expected a function of a seed", { agents = { { name = "x", new = 3 } } })
  refused("name of agents[1] is nil; expected a non-empty string", { agents = { { new = nothing } } })
  refused('agents[1]: unknown option "x"; known options: name, new',
    { agents = { { name = "x", new = nothing, x = 1 } } })
  refused('two agents have the name "ppo"; give one a name of its own', { agents = { "ppo", { "ppo", batch = 3 } } })
  refused("agents[1] has a policy that all its searches would share; expected options of nas.policy",
    { agents = { { "reinforce", policy = nas.policy() } } })
  local agent = nas.agents.reinforce()
  refused("new of agents[1] returned the same agent twice; each search takes a new one",
    { agents = { { name = "x", new = function() return agent end } } })
  local policy = nas.policy()
  refused("new of agents[1] gave two agents the same policy; each search takes a new one", { agents = {
    { name = "x", new = function(seed) return nas.agents.reinforce { seed = seed, policy = policy } end },
  } })
  refused("the agent is nil; expected what nas.agents.reinforce {...}", { agents = { { name = "x", new = nothing } } })
  lu.assertErrorMsgContains('agents: there is no agent "reinfroce"; there are actor_critic', compare,
    { agents = { "reinfroce" } })
  lu.assertErrorMsgContains('reinforce: unknown option "decy"; known options: baseline', compare,
    { agents = { { "reinforce", decy = 1 } } })
end

function T.test_bad_seeds()
  refused("seeds is 0; expected an integer of at least 1", { seeds = 0 })
  refused('seeds is "x"', { seeds = "x" })
  refused("seeds is an empty list; expected at least one seed", { seeds = {} })
  refused("seeds[2] is -1; expected an integer of at least 0", { seeds = { 1, -1 } })
  refused("seeds[3] is 4, as seeds[1]: the same search again tells nothing", { seeds = { 4, 5, 4 } })
end

function T.test_what_is_compared_on()
  refused("both rewards and study are given; expected one of", { study = study_options() })
  for _, options in ipairs {
    { "final is given, which is no option with `rewards`", { final = "x" } },
    { "reward is given, which is no option with `rewards`", { reward = "loss" } },
    { "seconds is given, which is no option with `rewards`", { seconds = 3 } },
    { "the rewards are 3; expected a function of an architecture, or a table", { rewards = 3 } },
  } do
    refused(options[1], options[2])
  end
  lu.assertErrorMsgContains("compare: neither rewards nor study is given", nas.compare, { agents = { "ppo" } })
  lu.assertErrorMsgContains("compare: space is given, which is no option with `study`", on_studies,
    { space = spaces.tiny })
  lu.assertErrorMsgContains("compare: study is 3; expected a table of options of nas.study", on_studies, { study = 3 })
  lu.assertErrorMsgContains("compare: study is a luanas.Study; expected a table of options of nas.study", on_studies,
    { study = nas.study(study_options()) })
  for _, name in ipairs { "name", "seed" } do
    lu.assertErrorMsgContains(("compare: study has the option %s; each search has its own, by its agent and seed")
      :format(name), on_studies, {}, { [name] = 3 })
  end
  lu.assertErrorMsgContains("compare: final is 3; expected a non-empty string", on_studies, { final = 3 })
  lu.assertErrorMsgContains("space is nil; expected a function(c)", nas.compare,
    { agents = { "ppo" }, rewards = reward, trials = 1, quiet = true })
end

function T.test_bad_options()
  lu.assertErrorMsgContains("compare: options are 3; expected a table with agents, all_epochs, ", nas.compare, 3)
  refused('unknown option "seed"; known options: agents, all_epochs, epochs', { seed = 3 })
  refused("trials is -1; expected an integer of at least 0", { trials = -1 })
  refused("last is 0; expected an integer of at least 1", { last = 0 })
  refused('oracle is "x"; expected the highest reward that there is', { oracle = "x" })
  refused("oracle is NaN", { oracle = 0 / 0 })
  refused("workers is 0; expected an integer from 1 to 256", { workers = 0 })
  refused("quiet is 3; expected true or false", { quiet = 3 })
  lu.assertErrorMsgContains("compare: there is no budget; expected at least one of epochs, trainings, trials",
    nas.compare, { agents = { "ppo" }, rewards = reward, space = spaces.tiny, quiet = true })
end

function T.test_there_must_be_a_budget_before_the_first_search()
  for limits, subject in pairs {
    ["epochs, trainings, trials"] = { rewards = reward, space = spaces.tiny }, -- which take no seconds
    ["epochs, seconds, trainings, trials"] = { study = study_options() },
  } do
    subject.agents, subject.quiet = { "enumerate", "reinforce" }, true
    local ok, message = pcall(nas.compare, subject)
    lu.assertFalse(ok)
    lu.assertStrMatches(message, ".*test_compare.lua:%d+: compare: there is no budget; expected at least one of "
      .. limits)
  end
  lu.assertNil(io.open(path)) -- no study was made
  local by_itself = nas.compare { agents = { "enumerate" }, rewards = reward, space = spaces.tiny, quiet = true }
  lu.assertEquals(#by_itself.agents[1].cells[1].rewards, 4)
end

function T.test_rewards_that_are_no_numbers()
  for _, workers in ipairs { 1, 2 } do
    lu.assertErrorMsgContains("test_compare.lua:", compare,
      { workers = workers, rewards = function() return 0 / 0 end })
    lu.assertErrorMsgContains("is NaN; expected a finite number, or nil and why it fails", compare,
      { workers = workers, rewards = function() return 0 / 0 end })
    lu.assertErrorMsgContains("my own", compare, { workers = workers, rewards = function() error "my own" end })
  end
end

return files.each_without(T)
