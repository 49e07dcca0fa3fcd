-- Workers: processes that train side by side on one file.
local core = require "luanas.core"
local lu = require "luaunit"
local files = require "files"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local path, remove, query = files.path, files.remove, files.query

local function all(space)
  local list = {}
  for arch in nas.space.enumerate(space) do list[#list + 1] = arch end
  return list
end

local function fingerprint(options, workers, space)
  remove()
  local study <close> = spaces.study { path = options.path, space = space, train = options.train, data = options.data }
  local trials = study:evaluate_all(all(study.space), { workers = workers })
  return study:fingerprint(), trials, study
end

function T.test_results_do_not_depend_on_the_number_of_workers()
  for _, space in ipairs { spaces.tiny, spaces.fragile } do
    local alone = fingerprint({ path = path }, 1, space)
    for _, workers in ipairs { 2, 3 } do
      local several, trials = fingerprint({ path = path }, workers, space)
      lu.assertEquals(several, alone)
      for i, trial in ipairs(trials) do
        lu.assertEquals(trial.number, i)
        lu.assertFalse(trial.recalled) -- trained for it, be it ahead or by a worker
      end
      lu.assertEquals(query "SELECT * FROM job", {})
      lu.assertEquals(query "SELECT DISTINCT program FROM epoch JOIN session ON session = session.id",
        { { program = "luanas worker" } })
    end
  end
end

function T.test_epochs_of_their_own()
  local function run(workers)
    remove()
    local study <close> = spaces.study { path = path }
    local trials = study:evaluate_all(all(spaces.tiny), { workers = workers, epochs = 3 })
    for _, trial in ipairs(trials) do lu.assertEquals({ #trial.epochs, trial.recalled }, { 3, false }) end
    study:evaluate_all(all(spaces.tiny), { workers = workers, epochs = 1 })
    return study:fingerprint()
  end
  local alone = run(1)
  lu.assertEquals(run(2), alone)
  local of_workers = query [[
    SELECT count(*) AS n FROM epoch JOIN session ON session = session.id WHERE program = 'luanas worker']]
  lu.assertEquals(of_workers, { { n = 12 } })
end

function T.test_a_search_does_not_depend_on_the_number_of_workers()
  local function run(workers)
    remove()
    local study <close> = spaces.study { path = path }
    local found = study:run(nas.agents.successive_halving { architectures = 4, epochs = 4, eta = 2 },
      { trials = 9, workers = workers })
    lu.assertEquals({ found.trials, found.ended }, { 7, "the agent" })
    return study:fingerprint()
  end
  local alone = run(1)
  lu.assertEquals(run(2), alone)
end

function T.test_what_workers_cannot_do_the_study_does()
  local y = core.tensor({ 20 }, "int32")
  for i = 1, 20 do y[i] = i % 10 + 1 end
  local data = nas.data.tensors { x = core.tensor({ 20, 8, 8, 1 }, "uint8"), y = y, classes = 10 }
  local _, trials = fingerprint({ path = path, data = data }, 2, spaces.tiny)
  lu.assertEquals(#trials, 4)
  lu.assertEquals(query "SELECT id FROM session WHERE program = 'luanas worker'", {})
end

-- Evaluates all while another store holds the lock of evaluation `index`, and gives it back when the study says that it
-- waits; what the study said, and how many evaluations there were then.
local function while_another_trains(index, workers)
  local records = all(spaces.tiny)
  remove()
  local key
  do
    local study <close> = spaces.study { path = path }
    study:evaluate(records[index])
    key = files.key(study.store)
  end
  remove()
  local other <close> = core.store(path)
  local lock, told, before = other:lock_evaluation(key, "trains a network"), {}, nil
  local study <close> = spaces.study { path = path }
  function study.say(_, format, ...)
    told[#told + 1] = format:format(...)
    before = query "SELECT count(*) AS n FROM evaluation"[1].n
    lock:close()
  end
  study:evaluate_all(records, { workers = workers })
  return told, before
end

function T.test_what_another_process_trains_is_waited_for_last()
  for _, workers in ipairs { 1, 2 } do
    local told, before = while_another_trains(2, workers)
    lu.assertEquals(#told, 1)
    lu.assertStrMatches(told[1], "waiting: process %d+ on .* trains a network since .*")
    lu.assertEquals(before, 3) -- all but that one
    lu.assertEquals(query "SELECT count(*) AS n FROM evaluation"[1].n, 4)
  end
end

function T.test_jobs_with_other_data_are_left()
  local original = core.json_encode
  local function other(value)
    if type(value) == "table" and value.identity then value.identity = "other data" end
    return original(value)
  end
  local trials
  files.with(core, "json_encode", other, function() trials = select(2, fingerprint({ path = path }, 2)) end)
  lu.assertEquals(#trials, 4)
  lu.assertEquals(query "SELECT program FROM epoch JOIN session ON session = id WHERE program = 'luanas worker'", {})
  lu.assertEquals(query "SELECT * FROM job", {})
end

function T.test_no_job_is_left_where_no_worker_starts()
  local spawn, started = core.spawn, {}
  local function one_only(...)
    if #started == 1 then return nil, "cannot start" end
    started[1] = spawn(...)
    return started[1]
  end
  files.with(core, "spawn", one_only, function()
    lu.assertErrorMsgContains("cannot start; set LUANAS_PROGRAM", fingerprint, { path = path }, 2)
  end)
  lu.assertFalse(started[1]:running())
  lu.assertEquals(query "SELECT * FROM job", {})
end

function T.test_no_job_is_left_where_a_network_does_not_fit()
  local function space(c)
    return nas.nn.dense(nas.nn.input { 8, 8, 1 }, { units = c:choose("units", { 10, 9 }) })
  end
  lu.assertErrorMsgContains("ends in shape 9", fingerprint, { path = path }, 2, space)
  lu.assertEquals(query "SELECT * FROM job", {})
end

function T.test_wrong_arguments()
  local study <close> = spaces.study()
  lu.assertErrorMsgContains("workers need a study with a path", study.evaluate_all, study, {}, { workers = 2 })
  lu.assertErrorMsgContains("workers is 0", study.evaluate_all, study, {}, { workers = 0 })
  lu.assertErrorMsgContains("architecture 1 is 3", study.evaluate_all, study, { 3 })
  lu.assertErrorMsgContains("architectures are nil", study.evaluate_all, study)
  lu.assertEquals(study:evaluate_all({}), {})
end

return files.each_without(T)
