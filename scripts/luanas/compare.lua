--- Agents against each other: every agent with every seed and the same budget, on rewards that are known or on a
--- study, and what a fair comparison tells of them (Lindauer & Hutter 2020; Li & Talwalkar 2019; Yang et al. 2020).
---
--- One search, of one agent with one seed, is a cell. What is kept of it, trial by trial: its reward (false where it
--- failed), which network it is and what that costs, what was trained so far, and the entropy of the policy where it is
--- logged.
local core = require "luanas.core"
local check = require "luanas.check"
local final = require "luanas.final"
local known_rewards = require "luanas.known_rewards"
local nas = require "luanas"
local progress = require "luanas.progress"
local results = require "luanas.compared"
local search = require "luanas.search"

local BUDGET = { "epochs", "seconds", "trainings", "trials" }
local OF_REWARDS = { "epochs", "trainings", "trials" } -- which are known and take no seconds
local OPTIONS = {
  "agents", "all_epochs", "final", "last", "oracle", "quiet", "reference", "reward", "rewards", "seeds", "space",
  "study", "workers",
  table.unpack(BUDGET),
}
local DEFAULT_SEEDS = 10
local ORACLE_LIMIT = 100000

-- ---- Options ---------------------------------------------------------------------------------------

local function has_policy(agent) return type(agent) == "table" and type(agent.policy) == "table" end

-- An entry of `agents`, of which messages speak as `what`, as { name =, new = function of a seed, ends = whether it
-- ends by itself, seedless = whether seeds change nothing }.
local function entrant(owner, what, given)
  if type(given) == "string" then given = { given } end
  if type(given) == "table" and given.new ~= nil then
    check.options(("%s: %s"):format(owner, what), given, { "name", "new" })
    if type(given.new) ~= "function" then
      check.fail("%s: new of %s is %s; expected a function of a seed that returns an agent", owner, what,
        check.show(given.new))
    end
    local name = check.string(owner, "name of " .. what, given.name)
    local first, second = given.new(1), given.new(1)
    if first ~= nil and rawequal(first, second) then
      check.fail("%s: new of %s returned the same agent twice; each search takes a new one", owner, what)
    end
    if has_policy(first) and has_policy(second) and rawequal(first.policy, second.policy) then
      check.fail("%s: new of %s gave two agents the same policy; each search takes a new one", owner, what)
    end
    local fields = type(first) == "table" and first or {}
    return { name = name, new = given.new, ends = fields.ends, seedless = fields.seedless }
  end
  if type(given) ~= "table" or type(given[1]) ~= "string" then
    check.fail("%s: %s is %s; expected the name of an agent, { name, its options } or { name =, new = function of a "
      .. "seed }, since each search takes a new one", owner, what,
      type(given) == "table" and (given.propose and "an agent" or "a table without a name") or check.show(given))
  end
  local make = nas.agents[given[1]]
  local options = {}
  for name, value in pairs(given) do
    if name ~= 1 and name ~= "name" then options[name] = value end
  end
  if options.seed ~= nil then check.fail("%s: %s has a seed; seeds are an option of the comparison", owner, what) end
  if type(options.policy) == "table" and options.policy.sample then -- else a search would go on where another one ended
    check.fail("%s: %s has a policy that all its searches would share; expected options of nas.policy, or { name =, "
      .. "new = function of a seed }, which makes a policy for each", owner, what)
  end
  local function new(seed)
    options.seed = seed
    return make(options)
  end
  local first = new(1) -- also for its checks
  return {
    name = check.string(owner, "name of " .. what, given.name or given[1]), new = new, ends = first.ends,
    seedless = first.seedless,
  }
end

local function entrants_of(owner, given)
  if type(given) ~= "table" or #given == 0 then
    check.fail("%s: agents is %s; expected a list such as { \"random_search\", \"reinforce\" }", owner,
      type(given) == "table" and "a table without elements" or check.show(given))
  end
  local list, names = {}, {}
  for i = 1, #given do
    list[i] = entrant(owner, ("agents[%d]"):format(i), given[i])
    if names[list[i].name] then
      check.fail("%s: two agents have the name %s; give one a name of its own: { ..., name = ... }", owner,
        check.show(list[i].name))
    end
    names[list[i].name] = true
  end
  return list
end

-- The list of seeds; a number n stands for 1 ... n.
local function seeds_of(owner, given)
  local seeds = {}
  if type(given) == "table" then
    local seen = {}
    for i = 1, #given do
      seeds[i] = check.seed(owner, ("seeds[%d]"):format(i), given[i])
      if seen[seeds[i]] then
        check.fail("%s: seeds[%d] is %d, as seeds[%d]: the same search again tells nothing", owner, i, seeds[i],
          seen[seeds[i]])
      end
      seen[seeds[i]] = i
    end
    if #seeds == 0 then check.fail("%s: seeds is an empty list; expected at least one seed", owner) end
    return seeds
  end
  for i = 1, check.integer(owner, "seeds", given or DEFAULT_SEEDS, 1) do seeds[i] = i end
  return seeds
end

-- ---- Cells -----------------------------------------------------------------------------------------

-- Watches a search by `by`; the cell is filled as it goes on.
local function record(by, cell)
  for _, name in ipairs { "rewards", "networks", "macs", "trainings", "epochs", "seconds", "entropies" } do
    cell[name] = {}
  end
  local log, first = by.log, {}
  by.log = function(trial, values)
    local n, network = #cell.rewards + 1, search.network_of(trial)
    first[network] = first[network] or n
    cell.rewards[n], cell.networks[n] = trial.reward or false, first[network]
    cell.macs[n], cell.entropies[n] = trial.macs or false, values.entropy or false
    log(trial, values)
  end
  by.paid = function(spent)
    local n = #cell.trainings + 1
    cell.trainings[n], cell.epochs[n], cell.seconds[n] = spent.trainings, spent.epochs, spent.seconds
  end
  return by
end

-- The search of an agent with a seed, by what `by` records. Errors say whose search it was.
local function run_cell(owner, agent, seed, budget, by)
  local ok, found = pcall(function() return search.run(owner, agent.new(seed), budget, by) end)
  if ok then return found end
  if type(found) ~= "string" or check.is_interrupt(found) then error(found, 0) end
  error(("%s, seed %d: %s"):format(agent.name, seed, found), 0)
end

local function budget_of(options, reward)
  local budget = { reward = reward }
  for _, name in ipairs(BUDGET) do budget[name] = options[name] end
  return budget
end

-- What is searched: { agent =, seed = }, all agents with the first seed, then all with the second one, and so on. An
-- agent without chance searches once, since the same search again tells nothing.
local function searches_of(entrants, seeds)
  local searches = {}
  for k, seed in ipairs(seeds) do
    for _, agent in ipairs(entrants) do
      if k == 1 or not agent.seedless then searches[#searches + 1] = { agent = agent, seed = seed } end
    end
  end
  return searches
end

-- Searches by rewards that are known: in processes, since nothing is shared. Cells in the order of the searches.
local function by_rewards(owner, options, searches)
  local reward_of = known_rewards.by(owner, options.rewards)
  local budget = budget_of(options, "reward")
  local shown, cells, count = progress.new(options.quiet), {}, #searches
  local function show(done) shown:batch(done, count, "searches done") end
  local workers = check.integer(owner, "workers", options.workers or core.machine().threads, 1, 256)
  local all_epochs = check.optional(check.integer, owner, "all_epochs", options.all_epochs, 1)
  local _ <close> = setmetatable({}, { __close = function() shown:clear() end }) -- also where a search raises
  show(0)
  local texts = core.parallel(count, workers, function(i)
    local each = searches[i]
    local cell = { seed = each.seed }
    local by = record(search.by_function(options.space, reward_of, all_epochs), cell)
    run_cell(owner, each.agent, each.seed, budget, by)
    return core.json_encode(cell)
  end, show)
  for i, text in ipairs(texts) do cells[i] = core.json_decode(text) end
  return cells
end

-- Searches on data: each cell is a study of its own, which shares its evaluations with the others, one after the
-- other, as each training takes all processors; in the order of the searches, so that hours in which the machine is
-- slow fall on all agents alike. With `final`, the best network of each is evaluated on the test images when all have
-- searched, unless all of its trials have failed.
local function by_studies(owner, options, searches)
  local budget, cells, store = budget_of(options, options.reward), {}, nil
  local ends <close> = setmetatable({}, { __close = function(list)
    for _, each in ipairs(list) do each.study:close() end
  end })
  for i, search_of in ipairs(searches) do
    local agent, seed = search_of.agent, search_of.seed
    local own = { name = ("%s, seed %d"):format(agent.name, seed), seed = seed, quiet = options.quiet }
    for name, value in pairs(options.study) do own[name] = value end
    if store then own.store, own.path = store, nil end
    local study = nas.study(own)
    store = study.store
    if options.final then final.check_data(owner, study.data) end -- before hours of training
    local cell = { seed = seed }
    cells[i], ends[i] = cell, { study = study, cell = cell }
    local by = record(study:searcher(owner, options.workers), cell)
    cell.best = run_cell(owner, agent, seed, budget, by).best
  end
  for _, each in ipairs(options.final and ends or {}) do
    local best = each.cell.best
    if best and best.status == "ok" then
      each.cell.test = each.study:final(best, { intent = options.final })
    end
  end
  return cells
end

-- The highest reward of a space, where that is asked for.
local function oracle_of(owner, options)
  if not options.oracle then return nil end
  if type(options.oracle) == "number" then return check.number(owner, "oracle", options.oracle) end
  if options.oracle ~= true or options.rewards == nil then
    check.fail("%s: oracle is %s; expected the highest reward that there is, or, with `rewards`, true to look for it",
      owner, check.show(options.oracle))
  end
  local best = -math.huge
  for _, item in ipairs(known_rewards.of_all(owner, options.space, options.rewards, ORACLE_LIMIT, true)) do
    best = math.max(best, item.reward)
  end
  if best == -math.huge then check.fail("%s: oracle is true, but no architecture has a reward", owner) end
  return best
end

-- What is compared on: rewards that are known, or a study, and what belongs to the other one is not there.
local function check_subject(owner, options)
  if (options.rewards == nil) == (options.study == nil) then
    check.fail("%s: %s given; expected one of `rewards`, with `space`, and `study`, a table of options of nas.study",
      owner, options.rewards == nil and "neither rewards nor study is" or "both rewards and study are")
  end
  local subject = options.rewards ~= nil and "rewards" or "study"
  for _, name in ipairs(subject == "rewards" and { "final", "reward", "seconds" }
    or { "all_epochs", "space" }) do
    if options[name] ~= nil then
      check.fail("%s: %s is given, which is no option with `%s`", owner, name, subject)
    end
  end
  if subject == "rewards" then
    if type(options.space) ~= "function" then
      check.fail("%s: space is %s; expected a function(c) that returns a network", owner, check.show(options.space))
    end
    return
  end
  if type(options.study) ~= "table" or (getmetatable(options.study) or {}).__name then
    check.fail("%s: study is %s; expected a table of options of nas.study", owner, check.show(options.study))
  end
  for _, name in ipairs { "name", "seed" } do
    if options.study[name] ~= nil then
      check.fail("%s: study has the option %s; each search has its own, by its agent and seed", owner, name)
    end
  end
end

-- The name of the agent that others are tested against, or nil.
local function reference_of(owner, given, entrants)
  local names = {}
  for i, each in ipairs(entrants) do names[i] = each.name end
  for _, name in ipairs(names) do
    if name == (given or "random_search") then return name end
  end
  if given ~= nil then
    check.fail("%s: reference is %s; expected the name of one of the agents: %s", owner, check.show(given),
      table.concat(names, ", "))
  end
  return nil
end

--- nas.compare { ... }
return function(options)
  local owner = "compare"
  options = check.options(owner, options, OPTIONS)
  local entrants, seeds = entrants_of(owner, options.agents), seeds_of(owner, options.seeds)
  check_subject(owner, options)
  check.optional(check.string, owner, "final", options.final)
  check.optional(check.boolean, owner, "quiet", options.quiet)
  local last = check.integer(owner, "last", options.last or 20, 1)
  local reference = reference_of(owner, options.reference, entrants)
  for _, each in ipairs(entrants) do search.budget(owner, options, each, options.rewards and OF_REWARDS) end
  local oracle = oracle_of(owner, options)
  local searches = searches_of(entrants, seeds)
  local cells = (options.rewards and by_rewards or by_studies)(owner, options, searches)
  local agents = {}
  for i, each in ipairs(entrants) do
    agents[i] = { name = each.name, seedless = each.seedless or nil, cells = {} }
    for k, search_of in ipairs(searches) do
      if search_of.agent == each then table.insert(agents[i].cells, cells[k]) end
    end
  end
  return results.new(agents, {
    last = last, reference = reference, oracle = oracle, timed = options.seconds ~= nil,
  })
end
