-- Rewards in files that change while a search runs.
local core = require "luanas.core"
local files = require "files"
local lu = require "luaunit"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"
local path, query = files.path, files.query
local file = path .. ".reward.lua"

local PLAIN = "return function(trial) return trial.accuracy + trial.params / 100 end"
local NEGATIVE = "return function(trial) return -trial.accuracy - trial.params / 100 end"
local THIRD = "return function(trial) return trial.params / 1000 end"

local function save(source)
  local handle <close> = assert(io.open(file, "w"))
  handle:write(source)
end

-- What `body` tells on standard error.
local function told(body)
  local list = {}
  files.with(io, "stderr", files.stream(list), body)
  return (table.concat(list):gsub("\r\27%[K", ""):gsub(file:gsub("%p", "%%%0"), "FILE"))
end

-- What two searches must have in common, as text.
local function outcome(study, policy)
  return study:fingerprint() .. " " .. core.hash(policy:bytes())
end

-- A search by study:run: its outcome, and the study. `changes`: what the file is before certain trials; `batch`,
-- `decay`: of the agent.
local function search(options)
  local study <close> = spaces.study {
    path = not options.in_memory and path or nil, quiet = not options.loud, replicates = options.replicates,
  }
  local agent = nas.agents.reinforce {
    seed = 1, batch = options.batch or 1, decay = options.decay or 0.8, policy = { rate = 0.05 },
  }
  local finish = study.progress.finish
  function study.progress:finish() -- while the trial before it ends
    local source = (options.changes or {})[study.number + 2]
    if source then save(source) end
    finish(self)
  end
  local reward = options.reward or nas.watch(file)
  local found = study:run(agent, {
    trials = options.trials or 6, reward = reward, restart_baseline = options.restart_baseline,
  })
  return outcome(study, agent.policy), study, found
end

-- A search as a script makes it: all of a batch, then what each is worth, the last one first.
local function script(options)
  local study <close> = spaces.study { path = path }
  local policy, reward = nas.policy { seed = 1, rate = 0.05 }, nas.watch(file)
  for batch = 1, options.batches or 2 do
    local records, episodes = policy:sample(spaces.tiny, 3), {}
    local trials = study:evaluate_all(records)
    if options.before then options.before(batch) end
    for i = 3, 1, -1 do
      if options.stop == 3 * batch - i + 1 then error("stopped", 0) end
      local value = reward(trials[i])
      episodes[i] = { records[i], advantage = value }
      trials[i]:log { reward = value, scale = options.scale and options.scale(trials[i].number) or 1 }
    end
    policy:learn(episodes)
  end
  return outcome(study, policy)
end

-- "run first source" of each version that is stored.
local function versions()
  local names, list = { [PLAIN] = "plain", [NEGATIVE] = "negative", [THIRD] = "third" }, {}
  for i, row in ipairs(query [[SELECT run, first, body FROM reward_version JOIN text ON id = source
      ORDER BY run, file, first]]) do
    list[i] = ("%d %d %s"):format(row.run, row.first, names[row.body] or "other")
  end
  return list
end

local function runs()
  local list = {}
  for i, row in ipairs(query "SELECT ifnull(parent, '-') AS parent, first FROM run ORDER BY id") do
    list[i] = ("%s %d"):format(row.parent, row.first)
  end
  return list
end

local function check_whole()
  local store <close> = core.store(path)
  lu.assertEquals({ store:check() }, { 0, "" })
end

-- ---- Replays ---------------------------------------------------------------------------------------

function T.test_a_search_takes_up_a_change_at_the_next_trial()
  save(PLAIN)
  local _, study = search { changes = { [4] = NEGATIVE } }
  for i, trial in ipairs(study:trials()) do
    local plain = trial.accuracy + trial.params / 100
    lu.assertEquals(trial.logged.reward, i < 4 and plain or -plain)
  end
  lu.assertEquals(versions(), { "1 1 plain", "1 4 negative" })
  check_whole()
end

function T.test_a_replay_has_the_versions_of_its_time()
  save(PLAIN)
  local first = search { changes = { [3] = NEGATIVE, [5] = PLAIN } }
  local trials = query "SELECT * FROM trial"
  lu.assertEquals(versions(), { "1 1 plain", "1 3 negative", "1 5 plain" })
  save(THIRD)
  lu.assertEquals(files.trainings(function()
    lu.assertEquals((search {}), first)
  end), 0)
  lu.assertEquals(query "SELECT * FROM trial", trials)
  lu.assertEquals(runs(), { "- 1" })
  -- It goes on with the file as it is now, and then has that.
  local longer = search { trials = 9 }
  lu.assertEquals(versions(), { "1 1 plain", "1 3 negative", "1 5 plain", "1 7 third" })
  save(NEGATIVE)
  lu.assertEquals((search { trials = 9 }), longer)
  lu.assertEquals((search {}), first)
  lu.assertEquals(#versions(), 4)
  check_whole()
end

function T.test_a_search_in_memory_changes_its_reward_too()
  save(PLAIN)
  local in_memory = search { in_memory = true, changes = { [4] = NEGATIVE } }
  save(PLAIN)
  lu.assertEquals((search { changes = { [4] = NEGATIVE } }), in_memory)
end

function T.test_replicates_and_batches()
  for _, options in ipairs { { replicates = 2 }, { batch = 3, trials = 9 } } do
    files.remove()
    options.changes = { [4] = NEGATIVE }
    save(PLAIN)
    local first = search(options)
    lu.assertEquals(versions(), { "1 1 plain", "1 4 negative" })
    options.changes = nil
    save(THIRD)
    lu.assertEquals((search(options)), first)
  end
end

function T.test_a_script_that_rewards_by_itself()
  save(PLAIN)
  local function change(batch)
    if batch == 2 then save(NEGATIVE) end -- when its trials are there
  end
  local first = script { batches = 3, before = change }
  lu.assertEquals(versions(), { "1 1 plain", "1 2 plain", "1 3 plain", "1 7 negative" })
  save(THIRD)
  lu.assertEquals((script { batches = 3 }), first)
  for stop = 1, 9 do
    files.remove()
    save(PLAIN)
    lu.assertErrorMsgEquals("stopped", script, { batches = 3, before = change, stop = stop })
    lu.assertEquals((script { batches = 3, before = change }), first)
    lu.assertEquals(runs(), { "- 1" })
  end
  check_whole()
end

-- Trials may be lost with their process, and in a power cut; versions are not.
function T.test_trials_that_were_lost_get_the_versions_that_they_had()
  save(PLAIN)
  search { trials = 3 }
  do
    local store <close> = core.store(path)
    store:append(1, {}, { { first = 5, file = file, source = NEGATIVE } })
  end
  save(THIRD)
  local first = search { trials = 6 }
  lu.assertEquals(versions(), { "1 1 plain", "1 5 negative", "1 6 third" })
  save(PLAIN)
  lu.assertEquals((search { trials = 6 }), first)
  files.remove()
  save(PLAIN)
  lu.assertEquals((search { trials = 6, changes = { [5] = NEGATIVE, [6] = THIRD } }), first)
end

function T.test_a_search_that_is_killed_ends_like_one_that_is_not()
  local function run(...)
    local pipe = assert(io.popen(("'%s' '%s/tests/lua/live.lua' '%s' %s 2>&1"):format(PROGRAM, SOURCE, path,
      table.concat({ ... }, " "))))
    local output = pipe:read "a"
    return output, pipe:close()
  end
  local function begin()
    files.remove()
    os.remove(file)
  end
  begin()
  local whole, ended = run(1)
  lu.assertTrue(ended, whole)
  lu.assertEquals(query "SELECT group_concat(first) AS first FROM reward_version", { { first = "1,5,9,13" } })
  for _, kills in ipairs { { 11 }, { 3, 7, 11, 15 }, { 5, 5, 9, 9, 13, 13 } } do -- 11: after the second change
    begin()
    for _, trial in ipairs(kills) do
      local _, has_ended = run(1, trial)
      lu.assertNil(has_ended)
    end
    lu.assertEquals(run(#kills), whole) -- by workers, for a change
    lu.assertEquals(run(1), whole)
    lu.assertEquals(runs(), { "- 1" })
    lu.assertEquals(query "SELECT group_concat(first) AS first FROM reward_version", { { first = "1,5,9,13" } })
    check_whole()
  end
end

-- ---- Several runs ----------------------------------------------------------------------------------

function T.test_a_run_that_leaves_another_one_has_the_versions_before_in_common()
  save(PLAIN)
  local first = search { changes = { [3] = NEGATIVE, [5] = THIRD } }
  save(PLAIN)
  local other = search { decay = 0.5 } -- the third advantage differs, and is logged
  lu.assertEquals(runs(), { "- 1", "1 3" })
  lu.assertEquals(versions(), { "1 1 plain", "1 3 negative", "1 5 third", "2 3 negative", "2 4 plain" })
  save(THIRD)
  lu.assertEquals((search { decay = 0.5 }), other)
  lu.assertEquals((search {}), first)
  lu.assertEquals(#versions(), 5)
  check_whole()
end

-- The script logs from the end of each batch: where it differs late, its run begins late, and then earlier.
function T.test_versions_move_with_the_trials_of_a_run()
  save(PLAIN)
  local first = script { batches = 3, before = function(batch) save(batch == 2 and NEGATIVE or PLAIN) end }
  local before = versions()
  local function scale(number) return number > 4 and 2 or 1 end
  save(THIRD)
  local other = script { batches = 3, scale = scale }
  lu.assertEquals(runs(), { "- 1", "1 5" })
  lu.assertEquals((script { batches = 3, scale = scale }), other)
  lu.assertEquals((script { batches = 3 }), first)
  local store <close> = core.store(path)
  for row in store:rows "SELECT first FROM reward_version WHERE run = 2" do lu.assertTrue(row.first >= 5) end
  lu.assertEquals(#query "SELECT * FROM reward_version WHERE run = 1", #before)
  check_whole()
end

function T.test_a_run_that_was_not_rewarded_by_the_file()
  local function plain(trial) return trial.accuracy + trial.params / 100 end
  local first = search { reward = plain }
  save(PLAIN)
  local own = search {}
  lu.assertEquals(own, first) -- the same values
  lu.assertEquals(runs(), { "- 1", "1 1" })
  lu.assertEquals(versions(), { "2 1 plain" })
  lu.assertEquals((search { reward = plain, trials = 8 }), (search { reward = plain, trials = 8 }))
  lu.assertEquals((search {}), own)
  lu.assertEquals(#versions(), 1)
end

function T.test_two_studies_with_one_file()
  save(PLAIN)
  local reward = nas.watch(file)
  local function both()
    local fingerprints = {}
    local one <close> = spaces.study { path = path, name = "one" }
    local two <close> = spaces.study { path = path, name = "two", store = nil }
    local agents = { nas.agents.reinforce { seed = 1 }, nas.agents.reinforce { seed = 2 } }
    one:run(agents[1], { trials = 3, reward = reward })
    two:run(agents[2], { trials = 2, reward = reward })
    save(NEGATIVE)
    two:run(agents[2], { trials = 2, reward = reward })
    one:run(agents[1], { trials = 2, reward = reward })
    for i, study in ipairs { one, two } do fingerprints[i] = study:fingerprint() end
    return fingerprints
  end
  local first = both()
  lu.assertEquals(versions(), { "1 1 plain", "1 4 negative", "2 1 plain", "2 3 negative" })
  save(THIRD)
  lu.assertEquals(both(), first)
  lu.assertEquals(#versions(), 4)
end

-- Two runs of a study can have the same trials under different versions: of processes that ran at once.
function T.test_a_script_prefers_its_own_run()
  save(PLAIN)
  local plain, others = search {}, {}
  do
    local store <close> = core.store(path)
    local rows = store:trials(1, 1, 6)
    for _, row in ipairs(rows) do row.logged = "{}" end
    local script_text = store:row "SELECT body FROM run JOIN text ON text.id = script".body
    store:begin_run({ study = 1, newest = 1, numeric_version = core.numeric_version, script = script_text,
      arguments = "other" }, { rows[1] }, { { first = 1, file = file, source = THIRD } })
  end
  local before = arg
  for i = 1, 2 do
    arg = { "other" } -- luacheck: ignore 121
    others[i] = search {}
    arg = before -- luacheck: ignore 121
    lu.assertEquals((search {}), plain)
  end
  lu.assertEquals(others[1], others[2])
  lu.assertNotEquals(others[1], plain)
  lu.assertEquals(#runs(), 2)
  check_whole()
end

-- ---- What can go wrong -----------------------------------------------------------------------------

function T.test_the_first_version_must_load()
  os.remove(file)
  lu.assertErrorMsgContains("watch: " .. file .. ": No such file", nas.watch, file)
  for source, message in pairs {
    ["return 1 +"] = "unexpected symbol near <eof>", ["return 3"] = ": it returns 3; expected a function of a trial",
    [""] = ": it returns nil; expected a function", ["error 'oh'"] = ":1: oh", ["\27Lua"] = "attempt to load a binary",
    ["error {}"] = ": it raised a table", ["return 1 -- \0"] = ": it is no text",
    ["return trial.accuracy"] = "(global 'trial'); expected a file that returns a function: return function(trial) ... "
      .. "end",
  } do
    save(source)
    lu.assertErrorMsgContains(message, nas.watch, file)
    lu.assertErrorMsgContains("watch: ", nas.watch, file)
  end
  lu.assertErrorMsgContains("watch: path is 3; expected a non-empty string", nas.watch, 3)
  lu.assertErrorMsgContains("Is a directory", nas.watch, "/")
  save(PLAIN)
  lu.assertEquals(tostring(nas.watch(file)), "luanas.Watched: " .. file)
end

function T.test_what_does_not_load_leaves_the_reward_as_it_was()
  save(PLAIN)
  local text = told(function()
    search { loud = true, trials = 8, changes = {
      [2] = "return 1 +", [4] = "return 3", [5] = "return 1 +", [7] = NEGATIVE,
    } }
  end)
  lu.assertEquals(text, "luanas: FILE:1: unexpected symbol near <eof>; the reward stays as it was\n"
    .. "luanas: FILE: it returns 3; expected a function of a trial; the reward stays as it was\n"
    .. "luanas: FILE:1: unexpected symbol near <eof>; the reward stays as it was\n"
    .. text:match "luanas: version 2[^\n]*\n")
  lu.assertEquals(versions(), { "1 1 plain", "1 7 negative" })
end

-- A file may load what is put right elsewhere.
function T.test_what_did_not_load_is_tried_again()
  save(PLAIN)
  local reward, name = nas.watch(file), os.tmpname()
  local function write(text)
    local handle <close> = assert(io.open(name, "w"))
    handle:write(text)
  end
  write "return 1 +"
  save(("return assert(loadfile '%s')()"):format(name))
  local trial = { accuracy = 0.5, params = 1 }
  local text = told(function()
    for _ = 1, 3 do lu.assertEquals(reward(trial), 0.51) end
  end)
  lu.assertEquals(select(2, text:gsub("the reward stays as it was", "")), 1)
  write "return function() return 7 end"
  lu.assertEquals(told(function() lu.assertEquals(reward(trial), 7) end), "")
  save(("return loadfile '%s' and assert(loadfile '%s')()"):format(name, name))
  lu.assertEquals(reward(trial), 7)
  os.remove(name)
  local study <close> = spaces.study { path = path }
  study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
  lu.assertErrorMsgContains("it was loaded before, and must load again", study.rescore, study, reward)
end

-- Trial 2 can't be rewarded at first; 4 and 3 have been by then.
function T.test_a_version_that_is_put_right_leaves_later_trials_as_they_were()
  local function search_of_four()
    local study <close> = spaces.study { path = path }
    local policy, reward = nas.policy { seed = 1, rate = 0.05 }, nas.watch(file)
    local first = study:evaluate(policy:sample(spaces.tiny))
    first:log { reward = reward(first) }
    local trials = study:evaluate_all(policy:sample(spaces.tiny, 3))
    for i = 3, 1, -1 do trials[i]:log { reward = reward(trials[i]) } end
    return study:fingerprint()
  end
  save "return function(trial) if trial.number == 2 then return nil end return trial.loss end"
  lu.assertErrorMsgContains("version 1 of " .. file .. ", from trial 1 on, returned nil", search_of_four)
  save(THIRD)
  local repaired = search_of_four()
  lu.assertEquals(versions(), { "1 1 other", "1 2 third", "1 3 other" })
  lu.assertEquals(search_of_four(), repaired)
  lu.assertEquals(runs(), { "- 1" })
  check_whole()
end

-- Both stand for the same versions.
function T.test_a_file_that_is_watched_twice()
  save(PLAIN)
  local study <close> = spaces.study { path = path }
  local policy, one = nas.policy { seed = 1 }, nas.watch(file)
  local trials = study:evaluate_all(policy:sample(spaces.tiny, 3))
  lu.assertEquals(one(trials[1]), trials[1].accuracy + trials[1].params / 100)
  save "return function(trial) return trial.number ~= 4 and trial.loss or nil end"
  local next_trial = study:evaluate(policy:sample(spaces.tiny))
  lu.assertErrorMsgContains("returned nil", one, next_trial)
  save(THIRD)
  local two = nas.watch(file)
  lu.assertEquals(two(next_trial), next_trial.params / 1000)
end

function T.test_a_file_that_goes_away_and_comes_back()
  save(PLAIN)
  local reward = nas.watch(file)
  local trial = { accuracy = 0.5, params = 50, number = 1 }
  lu.assertEquals(reward(trial), 1.0)
  os.remove(file)
  local text = told(function()
    lu.assertEquals(reward(trial), 1.0)
    lu.assertEquals(reward(trial), 1.0)
  end)
  lu.assertEquals(text, "luanas: FILE: No such file or directory; the reward stays as it was\n")
  save(NEGATIVE)
  lu.assertEquals(reward(trial), -1.0)
end

-- Saved twice within a tick of the clock, with the same size.
function T.test_every_save_counts()
  save "return function() return 1 end"
  local reward = nas.watch(file)
  for i = 2, 6 do
    save(("return function() return %d end"):format(i))
    lu.assertEquals(reward { number = i }, i)
  end
end

function T.test_a_file_that_is_being_written_is_left_alone()
  save "return function() return 1 end"
  local reward = nas.watch(file)
  save "return function() return"
  files.with(core, "sleep", function() save "return function() return 2 end" end, function()
    lu.assertEquals(told(function() lu.assertEquals(reward { number = 1 }, 1) end), "")
  end)
  lu.assertEquals(reward { number = 1 }, 2)
end

function T.test_a_reward_that_raises_names_its_version()
  save(PLAIN)
  local wrong = "return function(trial)\n  return trial.accuracy + (trial.number < 4 and 0 or trial.nothing) end"
  local _, message = pcall(search, { changes = { [4] = wrong } })
  lu.assertStrMatches((message:gsub(file:gsub("%p", "%%%0"), "FILE")), "[^:]*test_live.lua:%d+: trial 4: version 2 of "
    .. "FILE, from trial 4 on, raised: FILE:2: attempt to perform arithmetic on a nil value.*; put it right and run "
    .. "the script again to go on")
  -- It has rewarded nothing: when it is put right, the search goes on.
  save(NEGATIVE)
  local first = search {}
  lu.assertEquals(versions(), { "1 1 plain", "1 4 negative" })
  lu.assertEquals(runs(), { "- 1" })
  files.remove()
  save(PLAIN)
  lu.assertEquals((search { changes = { [4] = NEGATIVE } }), first)
  check_whole()
end

function T.test_a_reward_that_raises_later()
  save("return function(trial) return trial.number < 3 and 1 or trial.nothing end")
  lu.assertErrorMsgContains("from trial 1 on, returned nil; expected a finite number", search, {})
  save(THIRD)
  search {}
  lu.assertEquals(versions(), { "1 1 other", "1 3 third" })
  save(("return function(trial) return 0 / 0 end"))
  lu.assertErrorMsgContains("as it is now returned NaN; expected a finite number", nas.watch(file), { number = 1 })
  search {} -- a replay does not ask for it
end

function T.test_a_version_that_cannot_be_stored_rewards_nothing()
  save(PLAIN)
  local study <close> = spaces.study { path = path }
  local agent, reward = nas.agents.reinforce { seed = 1, policy = { rate = 0.05 } }, nas.watch(file)
  study:run(agent, { trials = 3, reward = reward })
  save(NEGATIVE)
  local methods = debug.getregistry()["luanas.Store"].__index
  files.with(methods, "append", function() return nil, "the disk is full", "NAS_IO" end, function()
    lu.assertErrorMsgContains("the disk is full", study.run, study, agent, { trials = 1, reward = reward })
  end)
  lu.assertEquals(versions(), { "1 1 plain" })
  lu.assertEquals(study.number, 3)
  study:run(agent, { trials = 1, reward = reward })
  lu.assertEquals(versions(), { "1 1 plain", "1 4 negative" })
  local trials = study:trials()
  lu.assertEquals(trials[4].logged.reward, -trials[4].accuracy - trials[4].params / 100)
end

-- What was rewarded when it was stored stays so, whatever becomes of the version now.
function T.test_a_stored_version_that_no_longer_works()
  save "return function(trial) return trial.params / LIVE_UNIT end"
  _G.LIVE_UNIT = 100 -- luacheck: ignore 111
  search {}
  _G.LIVE_UNIT = nil -- luacheck: ignore 111
  save(PLAIN)
  lu.assertErrorMsgContains("from trial 1 on, raised: ", search, {})
  lu.assertEquals(versions(), { "1 1 other" })
  files.remove()
  save "assert(LIVE_UNIT)\nreturn function(trial) return trial.params / 100 end"
  _G.LIVE_UNIT = 100 -- luacheck: ignore 111
  search {}
  _G.LIVE_UNIT = nil -- luacheck: ignore 111
  save(PLAIN)
  lu.assertErrorMsgContains("from trial 1 on, as it is stored, can't be loaded: ", search, {})
end

function T.test_a_version_that_is_damaged()
  save(PLAIN)
  search {}
  files.damage("SELECT body FROM text WHERE body LIKE 'return function%'", "accuracy", "accurate")
  lu.assertErrorMsgContains("from trial 1 of run 1 on is damaged: its checksum is another", search, {})
end

-- ---- Ranking ---------------------------------------------------------------------------------------

function T.test_what_is_stored_is_ranked_at_once()
  save(PLAIN)
  local text = told(function() search { loud = true, changes = { [4] = NEGATIVE } } end)
  local study <close> = spaces.study { path = path }
  save(NEGATIVE)
  local reward = nas.watch(file)
  local before = query "SELECT min(number) AS n FROM trial WHERE number < 5 GROUP BY network"
  lu.assertTrue(#before > 1)
  lu.assertStrMatches(text, "luanas: version 2 of FILE from trial 4 on; best under it: trial %d of run 1, "
    .. "%-%d+%.?%d*\n")
  local ranked = study:rescore(reward)
  lu.assertEquals(ranked[1].reward, -ranked[1].trial.accuracy - ranked[1].trial.params / 100)
  save(THIRD)
  lu.assertEquals(study:rescore(reward)[1].reward, study:rescore(reward)[1].trial.params / 1000)
  local opened <close> = nas.open(path)
  lu.assertEquals(opened:study():rescore(reward)[1].reward, study:rescore(reward)[1].reward)
  lu.assertEquals(#versions(), 2)
end

-- A version must reward what is stored: nothing of another one is stored, and the search ends as if it had not been.
function T.test_what_does_not_reward_what_is_stored_leaves_the_reward_as_it_was()
  save(PLAIN)
  local whole = search { trials = 8, changes = { [7] = NEGATIVE } }
  for _, in_memory in ipairs { false, true } do
    files.remove()
    save(PLAIN)
    local text = told(function()
      lu.assertEquals((search { in_memory = in_memory, loud = true, trials = 8, changes = {
        [3] = "return function(t) return t.acuracy - 1 end", [5] = "return function(t) return t.number > 2 and 1 end",
        [7] = NEGATIVE,
      } }), whole)
    end)
    lu.assertEquals(text, "luanas: FILE: for trial 1 of run 1 it raised: FILE:1: attempt to perform arithmetic on a "
      .. "nil value (field 'acuracy'); the reward stays as it was\n"
      .. "luanas: FILE: for trial 1 of run 1 it returned false; expected a finite number; the reward stays as it was\n"
      .. text:match "luanas: version 2[^\n]*\n")
  end
  files.remove()
  save(PLAIN)
  search { trials = 8, changes = { [3] = "return function(t) return t.acuracy - 1 end", [7] = NEGATIVE } } -- quiet
  lu.assertEquals(versions(), { "1 1 plain", "1 7 negative" })
  check_whole()
end

-- Nor does it take the place of one that fails, or stand at the beginning of a search that goes on.
function T.test_what_does_not_reward_what_is_stored_replaces_nothing()
  local lasting = "return function(t) return t.number < 4 and t.params / 1000 or t.nothing end"
  local wrong = "return function(t) return t.acuracy - 1 end"
  save(lasting)
  lu.assertErrorMsgContains("trial 4: version 1 of ", search, {})
  save(wrong)
  lu.assertErrorMsgContains("trial 4: version 1 of ", search, {})
  lu.assertEquals(versions(), { "1 1 other" })
  save(THIRD)
  search {}
  lu.assertEquals(versions(), { "1 1 other", "1 4 third" })
  save(wrong)
  search { trials = 8 }
  lu.assertEquals(versions(), { "1 1 other", "1 4 third" })
end

function T.test_a_report_ranks_by_the_reward_of_one_version()
  local report = require "luanas.report"
  save(NEGATIVE)
  local _, study = search { trials = 3 }
  lu.assertNotStrContains(report.text(study, 4), "ranked by accuracy")
  files.remove()
  save(NEGATIVE)
  _, study = search { trials = 3, changes = { [3] = THIRD } }
  lu.assertStrContains(report.text(study, 4), "ranked by accuracy, as the trials have no reward in common")
  local opened <close> = nas.open(path)
  lu.assertStrContains(report.text(opened:study(), 4), "ranked by accuracy, as the trials have no reward in common")
end

function T.test_the_best_is_that_of_the_last_version()
  for _, batch in ipairs { 1, 4 } do
    files.remove()
    save(PLAIN) -- rewards that are above all of those that follow
    local _, study, found = search { trials = 8, batch = batch, changes = { [3] = NEGATIVE } }
    local best
    for i, trial in ipairs(study:trials()) do
      if i > 2 and (not best or trial.logged.reward > best.logged.reward) then best = trial end
    end
    lu.assertEquals({ found.best.number, found.best.reward }, { best.number, best.logged.reward })
    local _, _, again = search { trials = 8, batch = batch }
    lu.assertEquals(again.best.number, best.number)
  end
end

-- Whatever a version remembers is of the trials that it has rewarded.
function T.test_ranking_leaves_no_trace()
  save "local n = 0\nreturn function() n = n + 1; return n end"
  local reward = nas.watch(file)
  local study <close> = spaces.study { path = path }
  local policy = nas.policy { seed = 1 }
  for i = 1, 4 do
    lu.assertEquals(reward(study:evaluate(policy:sample(spaces.tiny))), i)
    study:rescore(reward)
    reward { number = 1 }
  end
end

-- ---- Baselines -------------------------------------------------------------------------------------

local function advantages(study)
  local list = {}
  for trial in study:each() do list[#list + 1] = trial.logged.advantage end
  return list
end

function T.test_the_baseline_starts_anew_where_that_is_asked_for()
  local function of(options)
    files.remove()
    save(PLAIN)
    options.changes = { [4] = NEGATIVE }
    return advantages((select(2, search(options))))
  end
  lu.assertNotEquals(of({})[4], 0)
  lu.assertEquals(of({ restart_baseline = true })[4], 0)
  lu.assertEquals(of({ restart_baseline = true, batch = 2 })[3], 0) -- the change is in its batch
  local function plain(trial) return trial.accuracy + trial.params / 100 end
  local switch = nas.reward.switch { [1] = plain, [4] = function(trial) return -plain(trial) end }
  lu.assertEquals(of({ restart_baseline = true, reward = switch }), of({ restart_baseline = true }))
  lu.assertTrue(switch:changes_at { number = 4 })
  lu.assertFalse(switch:changes_at { number = 1 })
  lu.assertFalse(switch:changes_at { number = 5 })
  lu.assertFalse(nas.watch(file):changes_at { number = 4 }) -- of no study
end

-- Of a batch in which all have the same reward.
local function advantages_of_equals(agent)
  local trials, list = {}, {}
  for i, arch in ipairs(agent:propose(spaces.tiny)) do trials[i] = { number = i, arch = arch, reward = 5.0 } end
  for i, logged in ipairs(agent:learn(trials)) do list[i] = logged.advantage or "none" end
  return list
end

function T.test_which_agents_can_start_anew()
  local names = {}
  for _, name in ipairs(nas.agents.names()) do
    local make = nas.agents[name]
    if make().reward_changed then
      names[#names + 1] = name
      local agent, other = make(), make()
      for _, each in ipairs { agent, other } do spaces.study():run(each, { trials = 20, reward = "params" }) end
      agent:reward_changed()
      local new = advantages_of_equals(make())
      lu.assertEquals(advantages_of_equals(agent), new, name)
      lu.assertNotEquals(advantages_of_equals(other), new, name)
    end
  end
  lu.assertEquals(names, { "actor_critic", "independent", "lookahead", "ppo", "reinforce" })
end

function T.test_a_baseline_that_cannot_start_anew()
  save(PLAIN)
  local study = spaces.study()
  lu.assertErrorMsgContains("restart_baseline is 1; expected true or false", study.run, study,
    nas.agents.reinforce(), { trials = 1, restart_baseline = 1, reward = nas.watch(file) })
  lu.assertErrorMsgContains("restart_baseline is true, but reward is nil; expected what nas.watch or nas.reward.switch "
    .. "return", study.run, study, nas.agents.reinforce(), { trials = 1, restart_baseline = true })
  lu.assertErrorMsgContains("restart_baseline is true, but the agent, random_search, has no function "
    .. "reward_changed(self)", study.run, study, nas.agents.random_search(),
    { trials = 1, restart_baseline = true, reward = nas.watch(file) })
end

for name, test in pairs(files.each_without(T)) do
  T[name] = function()
    local _ <close> = setmetatable({}, { __close = function() os.remove(file) end })
    test()
  end
end

return T
