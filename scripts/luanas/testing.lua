--- What every agent must be able to do, also a user's: nas.testing.agent(new). Each check is a function that raises
--- an error where the agent fails it, and returns why where it does not apply; the report lists them all.
---
--- The checks of an agent with a policy of its own are for what REINFORCE and its relatives have in common:
--- coefficients on the gradient of the log-probability of what was sampled.
local check = require "luanas.check"
local nas = require "luanas"
local search = require "luanas.search"
local text_table = require "luanas.text_table"

local testing = {}

local nn = nas.nn

-- ---- Spaces ----------------------------------------------------------------------------------------

local spaces = {}

-- 81 architectures of four decisions, told apart by names and occurrences.
function spaces.chain(c)
  local x = nn.input { 8, 8, 1 }
  for _ = 1, 4 do x = nn.conv2d(x, { kernel = 1, filters = c:choose("filters", { 1, 2, 3 }) }) end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

function spaces.one_architecture()
  return nn.dense(nn.input { 8, 8, 1 }, { units = 10 })
end

function spaces.one_option(c)
  local x = nn.input { 8, 8, 1 }
  x = nn.conv2d(x, { kernel = c:choose("kernel", { 1 }), filters = c:choose("filters", { 1, 2 }) })
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

-- What is asked depends on what was answered, in kind and in number; "filters" has two lists of options.
function spaces.branches(c)
  local x = nn.input { 8, 8, 1 }
  if c:choose("kind", { "dense", "conv" }) == "dense" then
    return nn.dense(nn.dense(x, { units = c:choose("units", { 3, 4, 5 }) }), { units = 10 })
  end
  for layer = 1, c:choose("depth", { 1, 2, 3 }) do
    x = nn.conv2d(x, { kernel = 1, filters = c:choose("filters", layer == 1 and { 1, 2 } or { 2, 3, 4 }) })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

-- 24 architectures: what a layer takes is chosen among the layers before it.
function spaces.anchors(c)
  local x, layers, points = nn.input { 8, 8, 1 }, {}, {}
  for layer = 1, 3 do
    local point, chosen = c:anchor("skip", points)
    local inputs = {}
    for k, is_input in ipairs(chosen) do inputs[#inputs + 1] = is_input and layers[k] or nil end
    points[layer], layers[layer] = point, nn.conv2d(#inputs > 0 and nn.concat(inputs) or x, { kernel = 1, filters = 2 })
  end
  return nn.dense(nn.global_avg_pool(nn.concat(layers)), { units = c:choose("units", { 10, 11, 12 }) })
end

-- ---- Rewards ---------------------------------------------------------------------------------------

-- Like accuracies: a mean well above their spread, each decision with a best option of its own, and neighbours that
-- matter to each other.
local GAINS = { { 0.00, 0.02, 0.01 }, { 0.02, 0.00, 0.01 }, { 0.00, 0.01, 0.02 }, { 0.01, 0.02, 0.00 } }

local function planted(arch)
  local reward = 0.7
  for layer = 1, 4 do
    local filters = arch:value("filters", layer)
    reward = reward + GAINS[layer][filters]
    if layer > 1 and filters == arch:value("filters", layer - 1) then reward = reward - 0.005 end
  end
  return reward
end

-- The same for any space: by the text of the architecture.
local function any_reward(arch)
  local sum = 0
  for i = 1, #arch:line() do sum = (31 * sum + arch:line():byte(i)) % 1000 end
  return 0.5 + sum / 10000
end

local function mean_and_deviation(list)
  local mean = nas.statistics.mean(list)
  return mean, #list > 1 and nas.statistics.sd(list) or 0.0
end

-- ---- Running ---------------------------------------------------------------------------------------

-- Runs an agent by a function; the trials.
local function run(agent, space, objective, trials)
  local by, list = search.by_function(space, objective), {}
  local evaluate = by.evaluate
  function by.evaluate(asked)
    local trial = evaluate(asked)
    trial.epochs, list[#list + 1] = asked.epochs, trial
    return trial
  end
  search.run("testing", agent, { trials = trials, reward = "reward" }, by)
  return list
end

-- All that a search did, as text.
local function trace(trials)
  local lines = {}
  for i, trial in ipairs(trials) do
    local words = { trial.arch:line(), tostring(trial.epochs), tostring(trial.arch.log_prob) }
    for _, name in ipairs(check.sorted_keys(trial.logged)) do
      words[#words + 1] = ("%s=%q"):format(name, trial.logged[name])
    end
    lines[i] = table.concat(words, " ")
  end
  return table.concat(lines, "\n")
end

local function expect(is_so, format, ...)
  if not is_so then error(format:format(...), 0) end
end

-- ---- Checks ----------------------------------------------------------------------------------------

local checks = {} -- { name, function(new) }

local function add(name, body)
  checks[#checks + 1] = { name = name, body = body }
end

add("the same seed gives the same search", function(new)
  local one, other = trace(run(new(1), spaces.chain, planted, 60)), trace(run(new(1), spaces.chain, planted, 60))
  expect(one == other, "two searches with seed 1 differ: is all chance drawn from nas.stream(seed, ...)?")
end)

add("another seed gives another search", function(new)
  local agent = new(1)
  if agent.seedless then return "it draws nothing" end
  expect(trace(run(agent, spaces.chain, planted, 60)) ~= trace(run(new(2), spaces.chain, planted, 60)),
    "the searches with seeds 1 and 2 are the same: is the seed used?")
end)

add("it asks only for what the space offers", function(new)
  for _, name in ipairs(check.sorted_keys(spaces)) do
    local trials = run(new(1), spaces[name], any_reward, 40)
    expect(#trials > 0, "nothing was proposed for the space %s", name)
    for _, trial in ipairs(trials) do
      local ok, problem = pcall(nas.space.build, spaces[name], trial.arch)
      expect(ok, "space %s, trial %d: %s", name, trial.number, problem)
    end
  end
end)

add("it survives trials that fail", function(new)
  local function fragile(arch)
    local reward = any_reward(arch)
    if math.floor(reward * 10000) % 3 == 0 then return nil, "fails" end
    return reward
  end
  for _, name in ipairs(check.sorted_keys(spaces)) do run(new(1), spaces[name], fragile, 60) end
  local trials = run(new(2), spaces.chain, function() return nil, "fails" end, 30)
  expect(#trials > 0, "nothing was proposed")
end)

-- A study in a file, with tiny trainings.
local function small_study(path)
  return nas.study {
    path = path, space = spaces.chain, data = nas.data.synthetic { images = 24 },
    train = { epochs = 2, batch = 8, optimizer = nas.adam { rate = 0.01 } }, quiet = true,
  }
end

local function remove(path)
  for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
end

add("a search that is resumed equals one that was not interrupted", function(new)
  local one, other = os.tmpname(), os.tmpname()
  local _ <close> = setmetatable({}, { __close = function()
    remove(one)
    remove(other)
  end })
  remove(one) -- os.tmpname makes a file, which is no store
  remove(other)
  local fingerprints = {}
  for _, search_of in ipairs { { one, 7 }, { one, 23 }, { other, 23 } } do
    local study <close> = small_study(search_of[1])
    study:run(new(1), { trials = search_of[2] })
    fingerprints[#fingerprints + 1] = study:fingerprint()
  end
  expect(fingerprints[2] == fingerprints[3], "23 trials after 7 are other ones than 23 in one go")
end)

add("it never sees the test split", function(new)
  local study <close> = small_study()
  local opened = false
  study.data = setmetatable({ read_test = function() opened = true end }, { __index = study.data })
  study:run(new(1), { trials = 12 })
  expect(not opened, "the test split was read")
end)

add("it learns", function(new)
  if not new(1).learns then return "it does not say that it learns" end
  local all, gains = {}, {}
  for arch in nas.space.enumerate(spaces.chain) do all[#all + 1] = planted(arch) end
  local uniform, deviation = mean_and_deviation(all)
  for seed = 1, 12 do
    local trials, sum = run(new(seed), spaces.chain, planted, 200), 0.0
    expect(#trials >= 20, "the search with seed %d ended after %d trials; expected at least 20, to tell whether it "
      .. "learns", seed, #trials)
    for i = #trials - 19, #trials do sum = sum + trials[i].reward / 20 end
    gains[seed] = (sum - uniform) / deviation
  end
  local mean, spread = mean_and_deviation(gains)
  local low = mean - 1.96 * spread / math.sqrt(#gains)
  expect(low > 0.25, "the last 20 of 200 trials, over %d seeds, are %.2f standard deviations above random sampling, "
    .. "from %.2f; expected from 0.25 on (an agent that does not learn says so: learns = false)", #gains, mean, low)
end)

-- ---- Checks of agents with a policy ----------------------------------------------------------------

local NO_POLICY = "it has no policy"
local EXPLORES = "it says that it proposes what its policy has not sampled"

-- The agent after a short search; nil where it has no policy.
local function trained(new)
  local agent = new(1)
  if type(agent.policy) ~= "table" then return nil end
  run(agent, spaces.chain, planted, 60)
  return agent
end

-- The policy takes no steps until the returned value is closed.
local function held_still(policy)
  local learn, apply = rawget(policy, "learn"), rawget(policy, "apply")
  function policy.learn() return { loss = 0.0, entropy = 0.0, kl = 0.0 } end
  function policy.apply() return { gradient_norm = 0.0, l2 = 0.0 } end
  return setmetatable({}, { __close = function() policy.learn, policy.apply = learn, apply end })
end

add("what it proposes has the probability that its policy gives it", function(new)
  for _, name in ipairs { "anchors", "branches", "chain" } do
    local agent = new(1)
    if type(agent.policy) ~= "table" then return NO_POLICY end
    if agent.explores then return EXPLORES end
    local learn = agent.learn
    function agent.learn(self, trials)
      for _, trial in ipairs(trials) do -- by the policy as it was when they were proposed
        local recorded, again = trial.arch.log_prob, self.policy:score(trial.arch).log_prob
        expect(again == recorded, "trial %d: log-probability %s when it was proposed, %.17g when it was scored: is "
          .. "each decision scored after those that were made, and does the policy sample all that is proposed (an "
          .. "agent that means something else says so: explores = true)?", trial.number,
          recorded and ("%.17g"):format(recorded), again)
      end
      return learn(self, trials)
    end
    run(agent, spaces[name], any_reward, 60)
  end
end)

add("options come as often as their probabilities say", function(new)
  local agent, sums = trained(new), {}
  if not agent then return NO_POLICY end
  if agent.explores then return EXPLORES end
  local _ <close> = held_still(agent.policy)
  for _, trial in ipairs(run(agent, spaces.chain, planted, 2000)) do
    for t, decision in ipairs(agent.policy:score(trial.arch).decisions) do
      for k, p in ipairs(decision.probabilities) do
        local key = ("decision %d, option %d"):format(t, k)
        sums[key] = sums[key] or { excess = 0.0, variance = 0.0 }
        sums[key].excess = sums[key].excess + (trial.arch.decisions[t].chosen == k and 1 or 0) - p
        sums[key].variance = sums[key].variance + p * (1 - p)
      end
    end
  end
  for _, key in ipairs(check.sorted_keys(sums)) do
    local z = sums[key].excess / math.sqrt(math.max(1, sums[key].variance))
    expect(math.abs(z) < 5, "%s: %.1f standard deviations off in 2,000 trials: are they samples?", key, z)
  end
end)

add("its gradients are those of log-probabilities", function(new)
  local agent = trained(new)
  if not agent then return NO_POLICY end
  local exact = nas.exact(agent.policy, spaces.chain, planted)
  local episodes, squares = {}, 0.0
  for i, item in ipairs(exact.items) do
    episodes[i] = { item.arch, advantage = item.probability }
    squares = squares + item.probability * item.gradient_square
  end
  local mean = agent.policy:gradient(episodes)
  local share = mean:dot(mean) / squares
  expect(share < 1e-8, "the mean of grad log pi is not zero: its square is %.3g of the mean square", share)
end)

add("a step along an architecture makes it more probable", function(new)
  local policy = new(1).policy
  if type(policy) ~= "table" then return NO_POLICY end
  local arch = policy:sample(spaces.chain)
  local before = policy:score(arch).log_prob
  policy:learn { { arch, advantage = 1 } }
  local after = policy:score(arch).log_prob
  expect(after > before, "its log-probability went from %.6g to %.6g: is the sign right?", before, after)
end)

-- How many trials there are before the policy first learns; nil where it does not.
local function first_batch(agent)
  local seen, found = 0, nil
  local propose, learn, own = agent.propose, agent.policy.learn, rawget(agent.policy, "learn")
  function agent.propose(self, space) return not found and propose(self, space) or nil end
  function agent.policy.learn(self, episodes)
    found = found or seen
    return learn(self, episodes)
  end
  run(agent, spaces.chain, function(arch)
    seen = seen + 1
    return planted(arch)
  end, 1000)
  agent.policy.learn = own
  return found
end

-- The coefficients of the first step that counts trial `number`, by decision; and of how many episodes.
local function coefficients(agent, number, change)
  local seen, found, count = 0, nil, nil
  local learn, own = agent.policy.learn, rawget(agent.policy, "learn")
  function agent.policy.learn(self, episodes)
    for _, episode in ipairs(episodes) do
      if not found and episode[1].number_seen == number then
        found, count = {}, #episodes
        for t = 1, #episode[1] do
          found[t] = (episode.advantage or 0) + (episode.advantages and episode.advantages[t] or 0)
        end
      end
    end
    return learn(self, episodes)
  end
  run(agent, spaces.chain, function(arch)
    seen = seen + 1
    arch.number_seen = seen
    return planted(arch) + (seen == number and change or 0)
  end, 2 * number)
  agent.policy.learn = own
  return found, count
end

add("the advantage is the reward minus what does not depend on it", function(new)
  local agent = new(1)
  if type(agent.policy) ~= "table" then return NO_POLICY end
  if agent.own_advantage then return "it says that its advantage is another" end
  local before = first_batch(agent)
  expect(before, "the policy does not learn from 1,000 trials")
  local number, change = math.max(41, before + 1), 1 / 1024 -- the first batch may have nothing to be compared with
  local one, count = coefficients(new(1), number, 0)
  local other = coefficients(new(1), number, change)
  expect(one and other, "the policy does not learn from trial %d", number)
  for t = 1, #one do
    local slope = (other[t] - one[t]) / change * count
    expect(math.abs(slope - 1) < 1e-6, "decision %d: a reward that is larger by 1 changes the coefficient of "
      .. "log-probability by %.6g / batch; expected 1 / batch (an agent that means it says so: own_advantage = true)",
      t, slope)
  end
end)

add("the regulariser does not depend on rewards", function(new)
  local policy = new(1).policy
  if type(policy) ~= "table" then return NO_POLICY end
  if not policy.core then return "its policy is none of nas.policy" end
  local own = nas.policy { seed = 1, l2 = 0.1, layers = policy.options.layers, units = policy.options.units }
  local arch, square = own:sample(spaces.chain), 0.0
  for _, block in pairs(own.core:blocks()) do
    for _, value in ipairs(block) do square = square + value * value end
  end
  local norm = own:learn { { arch, advantage = 0 } }.gradient_norm
  local expected = 2 * 0.1 * math.sqrt(square)
  expect(math.abs(norm - expected) < 1e-4 * expected, "with advantage 0 the gradient has norm %.6g; expected that of "
    .. "the regulariser, %.6g", norm, expected)
end)

-- ---- The report ------------------------------------------------------------------------------------

local Report = { __name = "luanas.testing.Report" }
Report.__index = Report

function Report:__tostring()
  local rows = {}
  for i, result in ipairs(self.checks) do
    local status = not result.ok and "FAILED" or result.skipped and "-" or "passed"
    rows[i] = { status, result.name, result.problem or result.skipped or "" }
  end
  return ("agent %s: %d passed, %d failed, %d do not apply\n"):format(self.name, self.passed, self.failed, self.skipped)
    .. text_table.format({ { title = "" }, { title = "check" }, { title = "" } }, rows)
end

--- Runs all checks of an agent. `new`(seed) returns a new one.
function testing.agent(new)
  local owner = "testing.agent"
  if type(new) ~= "function" then
    check.fail("%s: new is %s; expected a function of a seed that returns an agent", owner, check.show(new))
  end
  local made, first = pcall(new, 1) -- where it raises an error, the checks say so
  if made and type(first) ~= "table" then
    check.fail("%s: new(1) returned %s; expected an agent", owner, check.show(first))
  end
  local report = setmetatable({ checks = {}, passed = 0, failed = 0, skipped = 0 }, Report)
  for i, each in ipairs(checks) do
    local ok, message = pcall(each.body, new)
    if not ok and check.is_interrupt(message) then error(message, 0) end
    report.checks[i] = {
      name = each.name, ok = ok, problem = not ok and tostring(message) or nil, skipped = ok and message or nil,
    }
    local count = not ok and "failed" or message and "skipped" or "passed"
    report[count] = report[count] + 1
  end
  report.name = made and first.name or "agent"
  report.ok = report.failed == 0
  return report
end

return testing
