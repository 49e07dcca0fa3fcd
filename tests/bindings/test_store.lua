local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"

local raises = support.raises

local tests = {}

local function key(network)
  return { network = network or "1 input", loss = "", data = "d", recipe = "r", seed = 0, numeric_version = 4 }
end

local row = { metrics = '{"accuracy":0.5}', measured = '{"seconds":1.5}' }

local function with_file(body)
  local path = os.tmpname()
  os.remove(path)
  local ok, problem = pcall(body, path)
  for _, ending in ipairs { "", "-wal", "-shm", "-lock", ".copy" } do os.remove(path .. ending) end
  if not ok then error(problem, 0) end
end

function tests.test_evaluations()
  local store <close> = core.store()
  lu.assertFalse(store:find(key()))
  local id = store:put(key(), { epochs = { row, row } })
  lu.assertEquals(store:find(key()), { id = id, epochs = { row, row } })
  local last = { metrics = "{}", measured = "{}", predicted = "\0\1" }
  lu.assertEquals(store:put(key(), { from = 3, epochs = { last }, diverged = "epoch 4", state = "s\0t" }), id)
  local found = store:find(key())
  lu.assertEquals(#found.epochs, 3)
  lu.assertEquals(found.diverged, "epoch 4")
  lu.assertEquals(store:predicted(id, 3), "\0\1")
  lu.assertFalse(store:predicted(id, 1))
  lu.assertEquals({ store:state(id) }, { "s\0t", 3 })
  lu.assertTrue(store:trim_states(3, 1))
  lu.assertTrue(store:keep_states(1))
  lu.assertEquals({ store:state(id) }, { "s\0t", 3 })
  lu.assertTrue(store:trim_states(0, 1))
  lu.assertFalse(store:state(id))
  lu.assertFalse(store:find(key "other"))
end

function tests.test_studies_runs_and_trials()
  local store <close> = core.store()
  store:begin_session { program = "a.lua", isa = "avx2", threads = 2 }
  local study = store:study("name", "text")
  lu.assertEquals(store:study(nil, "text"), study)
  local trial = {
    number = 1, decisions = "a=1{1}", origin = "{}", network = "ab", status = "ok", epochs = 2,
    metrics = "{}", measured = "{}", logged = "{}",
  }
  local made = { study = study, first = 1, numeric_version = 4, script = "print(1)", arguments = "-x" }
  local run, lock = store:begin_run(made, { trial })
  lu.assertEquals({ select(3, store:begin_run(made, { trial })) }, { "NAS_BUSY" }) -- there is one that is new
  lu.assertEquals({ select(3, store:lock_run(run, "continues")) }, { "NAS_BUSY" })
  lock:close()
  store:lock_run(run, "continues"):close()
  raises("trial 1 does not follow its last, 1", store.append, store, run, { trial })
  lu.assertTrue(store:log(run, 1, '{"reward":1}'))
  trial.logged = '{"reward":1}'
  lu.assertEquals(store:trials(run, 1, 10), { trial })
  lu.assertEquals(store:trials(run, 2, 10), {})
  local second = { number = 2 }
  for name, value in pairs(trial) do second[name] = second[name] or value end
  local branch = store:begin_run({ study = study, parent = run, first = 2, newest = run }, { second })
  lu.assertEquals(store:runs(study), {
    { id = run, parent = 0, first = 1, last = 1, numeric_version = 4 },
    { id = branch, parent = run, first = 2, last = 2, numeric_version = 0 },
  })
  raises("do not end before 2", store.prepend, store, branch, 0, { second })
  lu.assertTrue(store:prepend(branch, 0, { trial }))
  lu.assertEquals(store:runs(study)[2], { id = branch, parent = 0, first = 1, last = 2, numeric_version = 0 })
  lu.assertTrue(store:append(run, {}, { { first = 2, file = "r.lua", source = "return 1" } }))
  raises("begins at trial 1, before the run, which begins at 4", store.begin_run, store,
    { study = study, parent = run, first = 4, newest = branch }, {}, { { first = 1, file = "r", source = "" } })
  raises("version 2 is 2; expected a table", store.append, store, run, {},
    { { first = 9, file = "r", source = "" }, 2 })
  raises("version 1: source is missing", store.prepend, store, branch, 0, {}, { { first = 1, file = "r" } })
  lu.assertEquals(store:row("SELECT run, file, first, body FROM reward_version JOIN text ON id = source"),
    { run = run, file = "r.lua", first = 2, body = "return 1" })
  lu.assertTrue(store:continue_run(run, 2, { script = "print(2)" }))
  lu.assertEquals({ store:begin_fresh { script = "a", count = 2 } }, { 0, false })
  lu.assertEquals({ store:begin_fresh { script = "a", count = 2 } }, { 0, true })
  lu.assertEquals({ store:begin_fresh { script = "a", turn = 2 } }, { 2, false })
  lu.assertTrue(store:end_fresh(0))
  lu.assertEquals({ store:begin_fresh { script = "a", count = 2 } }, { 3, false })
  local rows = {}
  for found in store:rows("SELECT program, body AS script FROM run JOIN session ON session = session.id "
    .. "JOIN text ON script = text.id WHERE run.id = ?1", run) do
    rows[#rows + 1] = found
  end
  lu.assertEquals(rows, { { program = "a.lua", script = "print(1)" } })
  lu.assertEquals({ store:check() }, { 0, "" })
end

function tests.test_locks()
  with_file(function(path)
    local a <close> = core.store(path)
    local b <close> = core.store(path)
    local lock = a:lock_evaluation(key(), "trains")
    local none, message, code = b:lock_evaluation(key(), "trains")
    lu.assertNil(none)
    lu.assertStrContains(message, " trains since ")
    lu.assertEquals(code, "NAS_BUSY")
    b:lock_evaluation(key "other", "trains"):close()
    lock:close()
    lock:close()
    lock = b:lock_evaluation(key(), "trains")
    lu.assertNotNil(lock)
    b:close()
    lock:close() -- of a closed store
    a:lock_run(1, "continues"):close()
  end)
end

function tests.test_jobs()
  local store <close> = core.store()
  lu.assertFalse(store:next_job(0))
  for _, name in ipairs { "a", "b", "a", "c" } do store:add_job(key(name), "text of " .. name) end
  local first, text = store:next_job(0)
  lu.assertEquals(store:add_job(key "a", "text of a"), first)
  lu.assertEquals(text, "text of a")
  local second = store:next_job(first)
  lu.assertTrue(store:end_job(second))
  for _ = 1, 3 do
    lu.assertEquals(store:next_job(0), first)
    lu.assertTrue(store:begin_job(first))
  end
  lu.assertFalse(store:begin_job(first)) -- three workers have died
  local third, last = store:next_job(0)
  lu.assertEquals(last, "text of c")
  lu.assertTrue(store:end_job(third, "no such data"))
  lu.assertFalse(store:next_job(0))
  lu.assertEquals(store:add_job(key "a", "more of a"), first) -- asked for again, it is as new
  lu.assertEquals({ store:next_job(0) }, { first, "more of a" })
  lu.assertTrue(store:begin_job(first))
  lu.assertFalse(store:begin_job(77))
  lu.assertTrue(store:end_job(first))
  lu.assertTrue(store:end_job(third))
  local fourth = store:add_job(key "d", "text of d")
  lu.assertTrue(fourth > third) -- no job gets the number of one that is gone
  lu.assertEquals({ store:next_job(third) }, { fourth, "text of d" })
end

function tests.test_final()
  local store <close> = core.store()
  local study = store:study(nil, "text")
  lu.assertFalse(store:open_final(study, "1 input", "the best of the search"))
  lu.assertFalse(store:open_final(study, "1 input", "again, after a crash"))
  lu.assertTrue(store:end_final(study, '{"accuracy":0.5}'))
  lu.assertEquals(store:open_final(study, "1 input", "again"), '{"accuracy":0.5}')
  raises("opened for another network", store.open_final, store, study, "2 input", "another one")
  lu.assertFalse(store:open_final(store:study(nil, "another study"), "2 input", "the best"))
  lu.assertEquals({ store:check() }, { 0, "" })
end

function tests.test_files()
  with_file(function(path)
    local store = core.store(path)
    lu.assertEquals(store:path(), path)
    lu.assertFalse(store:read_only())
    store:put(key(), { epochs = { row } })
    lu.assertTrue(store:vacuum())
    lu.assertTrue(store:backup(path .. ".copy"))
    local done, message, code = store:backup(path .. ".copy")
    lu.assertNil(done)
    lu.assertStrContains(message, "there already")
    lu.assertEquals(code, "NAS_IO")
    lu.assertEquals(tostring(store), "luanas.Store: " .. path)
    store:close()
    lu.assertEquals(tostring(store), "luanas.Store: closed")
    raises("is closed", store.find, store, key())
    local copy <close> = core.store(path .. ".copy", { read_only = true })
    lu.assertTrue(copy:read_only())
    lu.assertEquals(#copy:find(key()).epochs, 1)
    raises("reading only", copy.put, copy, key(), { epochs = {} })
  end)
  local missing = os.tmpname()
  os.remove(missing)
  lu.assertStrContains(select(2, core.store(missing, { must_exist = true })), "no such file")
  lu.assertNil(io.open(missing))
  local none, message, code = core.store "/nowhere/a.db"
  lu.assertNil(none)
  lu.assertStrContains(message, "/nowhere/a.db")
  lu.assertEquals(code, "NAS_IO")
end

function tests.test_rows()
  local store = core.store()
  local next_row = store:rows("SELECT ?1 AS a, ?2 AS b, ?3 AS c, ?4 AS d", 1, 0.5, "x\0y", nil)
  lu.assertEquals(next_row(), { a = 1, b = 0.5, c = "x\0y" })
  lu.assertNil(next_row())
  lu.assertEquals(store:row("SELECT 1 AS a UNION SELECT 2"), { a = 1 })
  lu.assertNil(store:row "SELECT 1 WHERE 0")
  raises("does not only read", store.rows, store, "DELETE FROM text")
  raises("has 1 parameters, but 0", store.rows, store, "SELECT ?1")
  raises("parameter ?2 is a table; expected a number, a string or nil", store.rows, store, "SELECT ?1, ?2", 1, {})
  raises("the rows are closed", next_row)
  lu.assertEquals(store:row("SELECT 1 AS a, 2 AS a, '' AS b, x'' AS c, x'00ff' AS d"),
    { a = 2, b = "", c = "", d = "\0\255" })
  local closed, _, _, rows = store:rows "SELECT 1"
  rows:close()
  raises("the rows are closed", closed)
  next_row = store:rows "SELECT 1"
  store:close()
  raises("the store of these rows is closed", next_row)
end

function tests.test_arguments()
  local store <close> = core.store()
  raises("network", store.find, store, {})
  raises("seed", store.find, store, { network = "", loss = "", data = "", recipe = "", seed = -1 })
  raises("table expected, got no value", store.put, store, key())
  raises("put: epochs is nil; expected a list", store.put, store, key(), {})
  raises("put: epochs is 5; expected a list", store.put, store, key(), { epochs = 5 })
  raises("put: state is 5; expected a string", store.put, store, key(), { epochs = {}, state = 5 })
  raises("put: epoch 2 is 5; expected a table", store.put, store, key(), { epochs = { row, 5 } })
  raises("put: epoch 1: measured is missing; expected a string", store.put, store, key(),
    { epochs = { { metrics = "{}" } } })
  raises("put: epoch 1: metrics is true; expected a string", store.put, store, key(),
    { epochs = { { metrics = true } } })
  raises("trial 1 is 3; expected a table", store.append, store, 1, { 3 })
  local function call_put(part) return store:put(key(), part) end
  local function no_method() error "__index is called" end
  raises("epoch 1: metrics is missing", call_put, { epochs = { setmetatable({}, { __index = no_method }) } })
  raises("epochs is nil", call_put, setmetatable({}, { __index = no_method }))
  for name, what in pairs {
    append = "run", begin_job = "id", continue_run = "run", end_final = "study", end_fresh = "seed", end_job = "id",
    log = "run", open_final = "study", predicted = "evaluation", prepend = "run", runs = "study", state = "evaluation",
    trials = "run",
  } do
    raises(what .. " is a table; expected 0 to 9223372036854775807", store[name], store, {})
  end
  raises("from is nil; expected 0 to", store.trials, store, 1)
  raises("decisions", store.append, store, 1, { { number = 1 } })
  raises('unknown option "readonly"', core.store, nil, { readonly = true })
end

function tests.test_without_memory()
  support.with_little_memory(function() return core.store() end)
  local store <close> = core.store()
  support.with_little_memory(function() return store:put(key(), { epochs = { row } }) end)
  support.with_little_memory(function() return store:find(key()) end)
  support.with_little_memory(function() return store:rows("SELECT 1 AS a")() end)
end

return tests
