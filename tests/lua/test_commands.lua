-- luanas COMMAND FILE
local lu = require "luaunit"
local files = require "files"
local nas = require "luanas"
local core = require "luanas.core"
local commands = require "luanas.commands"
local gnuplot = require "luanas.plots.gnuplot"
local samples = require "sample_files"
local spaces = require "spaces"

local T = {}

local path = files.path

-- Status, and what was written to standard error, and to standard output unless that is another stream.
local function run_to(stdout, ...)
  local out, err, original_out, original_err = {}, {}, io.stdout, io.stderr
  io.stdout, io.stderr = stdout or files.stream(out), files.stream(err) -- luacheck: ignore 122
  local ok, status = pcall(commands.run, ..., { select(2, ...) })
  io.stdout, io.stderr = original_out, original_err -- luacheck: ignore 122
  if not ok then error(status, 0) end
  return status, table.concat(out), table.concat(err)
end

local function run(...)
  return run_to(nil, ...)
end

-- Two runs of four trials, the second of which leaves the first at trial 3.
local function make()
  for round = 1, 2 do
    local study <close> = spaces.study { path = path, name = "tiny" }
    local policy = nas.policy { seed = 1 }
    for i = 1, 4 do
      local trial = study:evaluate(policy:sample(spaces.tiny))
      trial:log { reward = i < 3 and i or i * round }
    end
  end
end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

function T.test_tables()
  make()
  local status, out = run("studies", path)
  lu.assertEquals(status, 0)
  lu.assertStrMatches(lines(out)[2], "%s*1  tiny%s+2%s+6%s.*")
  status, out = run("runs", path)
  lu.assertEquals(status, 0)
  lu.assertEquals(#lines(out), 3)
  lu.assertStrContains(lines(out)[3], "run 1 at 3")
  status, out = run("trials", path)
  lu.assertEquals(status, 0)
  lu.assertEquals(#lines(out), 5)
  lu.assertStrMatches(lines(out)[5], "%s*4%s+ok%s.*%s8%s.*kernel=.*")
  status, out = run("trials", path, "--run", "1", "--sort", "reward", "--top", "2")
  lu.assertEquals(status, 0)
  lu.assertStrMatches(lines(out)[2], "%s*4%s+ok%s.*%s4%s.*")
  lu.assertEquals(#lines(out), 4)
  lu.assertEquals(lines(out)[4], "2 of 4 trials; --top shows more")
end

function T.test_the_best_come_first()
  make()
  local function column(sort)
    local values = {}
    for _, text in ipairs(lines((select(2, run("trials", path, "--json", "--sort", sort))))) do
      local made = core.json_decode(text)
      values[#values + 1] = made.metrics[sort] or made.logged[sort]
    end
    return values
  end
  local function is_sorted(values, before)
    for i = 2, #values do lu.assertTrue(before(values[i - 1], values[i])) end
  end
  is_sorted(column "accuracy", function(a, b) return a >= b end)
  is_sorted(column "reward", function(a, b) return a >= b end)
  is_sorted(column "loss", function(a, b) return a <= b end)
  is_sorted(column "params", function(a, b) return a <= b end)
end

-- What has the name of a metric and was logged, too: as CSV calls the two.
function T.test_a_logged_value_that_has_the_name_of_a_metric()
  do
    local study <close> = spaces.study { path = path, limits = { params = 60 } }
    for i, arch in ipairs(spaces.all(spaces.tiny)) do study:evaluate(arch):log { loss = -i, reward = i } end
    lu.assertEquals(study:trials()[4].status, "failed")
  end
  local function first_of(name)
    return core.json_decode(lines((select(2, run("trials", path, "--json", "--sort", name))))[1])
  end
  lu.assertEquals(first_of("logged_loss").logged.loss, -4)
  lu.assertEquals(first_of("logged_reward").logged.reward, 4)
  local _, out = run("trials", path, "--sort", "loss")
  lu.assertStrMatches(lines(out)[1], ".* logged_loss  +reward  architecture")
  lu.assertEquals(lines(out)[5], "3 of 4 trials; --top shows more") -- the one that failed has none
  local file <close> = nas.open(path)
  local losses = file:study():trials()
  lu.assertEquals(select(2, run("curves", path, "--value", "loss", "--csv")),
    ("trial,run_1\n1,%s\n2,%s\n3,%s\n"):format(core.number_text(losses[1].loss), core.number_text(losses[2].loss),
      core.number_text(losses[3].loss)))
  lu.assertEquals(select(2, run("curves", path, "--value", "logged_loss", "--csv")),
    "trial,run_1\n1,-1\n2,-2\n3,-3\n4,-4\n")
  lu.assertStrContains(select(3, run("trials", path, "--sort", "x")), "have the numbers accuracy, logged_loss, loss, ")
  for _, name in ipairs { "trials", "curves" } do
    lu.assertStrContains(select(2, run(name, "--help")), "(logged_NAME, where a metric has its name)")
  end
end

function T.test_what_tells_studies_apart()
  local function open(options)
    options.path = path
    local study <close> = spaces.study(options)
    study:evaluate(nas.policy({ seed = 1 }):sample(spaces.tiny))
  end
  open {}
  open { failed = { accuracy = 0.1 }, train = { epochs = 3, batch = 20 } }
  open { evaluation_seed = 7 }
  local _, out = run("studies", path)
  lu.assertStrContains(lines(out)[2], "batch=16")
  lu.assertStrContains(lines(out)[3], "batch=20")
  lu.assertStrContains(lines(out)[3], "epochs=3")
  lu.assertStrContains(lines(out)[3], "failed accuracy=0.1")
  lu.assertStrContains(lines(out)[4], "evaluation_seed=7")
  lu.assertNil(out:find "data=sha256") -- all have the same
end

function T.test_for_other_programs()
  make()
  local _, out = run("trials", path, "--json")
  local last = core.json_decode(lines(out)[4])
  lu.assertEquals(last.trial, 4)
  lu.assertEquals(last.logged.reward, 8)
  _, out = run("trials", path, "--csv", "--top", "1")
  lu.assertEquals(#lines(out), 2)
  lu.assertStrContains(lines(out)[1], "logged_reward")
  _, out = run("export", path)
  lu.assertEquals(#lines(out), 7)
  lu.assertStrMatches(lines(out)[7], "2,4,ok,.*")
end

-- Columns and lines are of one state of the file, whatever others write meanwhile.
function T.test_export_while_others_write()
  make()
  local _, before = run("export", path)
  local methods = debug.getregistry()["luanas.Store"].__index
  local rows, calls, out = methods.rows, 0, nil
  files.with(methods, "rows", function(...)
    calls = calls + 1
    if calls == 2 then
      local other <close> = core.store(path)
      local last = other:trials(2, 4, 1)[1]
      last.number, last.logged = 5, '{"surprise":1}'
      lu.assertTrue(other:append(2, { last }))
    end
    return rows(...)
  end, function() out = select(2, run("export", path)) end)
  lu.assertEquals(calls, 2)
  lu.assertEquals(out, before)
  lu.assertStrContains(select(2, run("export", path)), "logged_surprise")
end

function T.test_output_to_a_full_disk()
  make()
  for _, command in ipairs { "export", "trials", "studies", "check" } do
    for _, buffering in ipairs { "full", "no" } do
      local full <close> = io.open("/dev/full", "w")
      full:setvbuf(buffering)
      local status, _, err = run_to(full, command, path)
      lu.assertEquals(status, 1)
      lu.assertStrContains(err, "luanas " .. command .. ": cannot write: ")
    end
  end
end

function T.test_one_trial()
  make()
  local status, out = run("show", path, "2", "--run", "2")
  lu.assertEquals(status, 0)
  lu.assertStrContains(out, "trial 2 of run 2: ok")
  lu.assertStrContains(out, "logged reward: 2")
  lu.assertStrContains(out, "network: 1 input")
  lu.assertStrContains(out, "evaluation seed: 0\nnumeric version: " .. core.numeric_version .. "\nrecipe: batch=16 ")
  local _, _, err = run("show", path, "9")
  lu.assertStrContains(err, "run 2 has no trial 9")
end

function T.test_draw()
  make()
  local status, out = run("draw", path, "2")
  lu.assertEquals(status, 0)
  lu.assertStrContains(out, "trial 2 of run 2, accuracy 0.")
  lu.assertStrContains(out, "●")
  local picture = path .. ".svg"
  lu.assertEquals(run("draw", path, "2", "-o", picture), 0)
  local file <close> = io.open(picture)
  lu.assertStrContains(file:read "a", ">trial 2 of run 2, accuracy 0.")
  os.remove(picture)
end

-- An evaluation may have more epochs than count for a trial: another recipe has extended it.
function T.test_one_trial_shows_its_own_epochs()
  local function evaluate(epochs)
    local study <close> = spaces.study { path = path, train = { epochs = epochs, batch = 16 } }
    study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
  end
  evaluate(1)
  evaluate(3)
  lu.assertEquals(#files.query "SELECT id FROM evaluation", 1)
  local function epochs_of_run(id)
    local _, out = run("show", path, "1", "--run", id)
    return #lines(out:match "session began\n(.*)evaluation seed")
  end
  lu.assertEquals(epochs_of_run "1", 1)
  lu.assertEquals(epochs_of_run "2", 3)
end

function T.test_script()
  make()
  local of_first = files.query "SELECT body FROM text JOIN run ON run.script = text.id WHERE run.id = 1"[1].body
  local text = "print(1)\n\nprint(2)"
  do
    local store <close> = core.store(path)
    store:begin_run({ study = 1, newest = 2, script = text }, {})
    store:begin_run({ study = 1, newest = 3 }, {})
    store:continue_run(3, 5, { script = "print(5)" })
    store:continue_run(3, 6, { script = "print(5)" })
    store:continue_run(3, 8, { script = "print(8)" })
  end
  lu.assertEquals({ run("script", path, "1") }, { 0, of_first, "" })
  lu.assertEquals({ run("script", path, "3") }, { 0, "print(8)", "" })
  for trial, expected in pairs { [1] = text, [4] = text, [5] = "print(5)", [7] = "print(5)", [8] = "print(8)" } do
    lu.assertEquals({ run("script", path, "3", "--trial", tostring(trial)) }, { 0, expected, "" })
  end
  lu.assertEquals({ run("script", path) }, { 1, "", "luanas script: run 4 was made without a script\n" })
end

function T.test_rewards()
  make()
  lu.assertEquals({ run("rewards", path, "2") }, { 1, "", "luanas rewards: run 2 has no live reward\n" })
  do
    local store <close> = core.store(path)
    local function version(first, source) return { { file = "r.lua", first = first, source = source } } end
    store:append(1, {}, version(1, "return 1"))
    store:append(1, {}, version(2, "return 2\n"))
    store:append(1, {}, version(3, "return 3"))
    store:begin_run({ study = 1, newest = 2, parent = 1, first = 3 }, {}, version(5, "return 5"))
  end
  local first = "-- r.lua, from trial 1 on\nreturn 1\n\n-- r.lua, from trial 2 on\nreturn 2\n\n"
  lu.assertEquals({ run("rewards", path, "1") }, { 0, first .. "-- r.lua, from trial 3 on\nreturn 3\n", "" })
  lu.assertEquals({ run("rewards", path) }, { 0, first .. "-- r.lua, from trial 5 on\nreturn 5\n", "" })
  lu.assertEquals({ run("rewards", path, "2") }, { 0, first:sub(1, -2), "" }) -- it leaves run 1 at trial 3
end

function T.test_curves()
  make()
  local status, out = run("curves", path, "--value", "reward")
  lu.assertEquals(status, 0)
  lu.assertEquals(out, [[
trials  run 1  run 2
1           1      1
2           2      2
3           3      6
4           4      8
]])
  out = select(2, run("curves", path, "2", "1", "--value", "reward", "--window", "3"))
  lu.assertEquals(out, "trials  run 2  run 1\n1-3         3      2\n4           8      4\n")
  out = select(2, run("curves", path, "2", "--value", "reward", "--csv"))
  lu.assertEquals(out, "trial,run_2\n1,1\n2,2\n3,6\n4,8\n")
  local picture = path .. ".svg"
  local drawn, _, err = run("curves", path, "--out", picture)
  if err:find "gnuplot, which draws, is not there" then
    lu.assertEquals(drawn, 1)
  else
    lu.assertEquals({ drawn, err }, { 0, "" })
    local file <close> = assert(io.open(picture))
    lu.assertStrContains(file:read "a", "accuracy, mean of 1 trial")
    os.remove(picture)
  end
end

function T.test_plot()
  make()
  local function refused(text, ...)
    lu.assertEquals({ run("plot", path, ...) }, { 2, "", "luanas plot: " .. text .. "\n" })
  end
  refused('KIND is "x"; expected one of accuracy, curves, entropy, incumbent, logged, loss, options, pareto, reward',
    "x")
  refused("usage: luanas plot FILE KIND [options]; KIND is one of accuracy, curves, entropy, incumbent, logged, loss, "
    .. "options, pareto, reward")
  refused("--window is nothing for the picture pareto", "pareto", "--window", "3")
  refused("--value is missing: the name of what was logged", "logged")
  refused('--out: value is "a.pdf"; expected the name of a .svg or .png file', "reward", "-o", "a.pdf")
  local status, _, err = run("plot", path, "entropy")
  lu.assertEquals(status, 1)
  lu.assertStrContains(err, 'no trial has a logged "entropy"; there are reward')
  lu.assertStrContains(select(3, run("plot", path, "reward", "--run", "7")), "there is no run 7")
  lu.assertStrContains(select(3, run("plot", path, "reward", "--study", "7")), "there is no study 7")
  local drawn
  files.with(gnuplot, "draw", function(_, to, picture) drawn = { to = to, picture = picture } end, function()
    local function last_reward(...)
      lu.assertEquals({ run("plot", path, "logged", "--value", "reward", ...) }, { 0, "", "" })
      local points = drawn.picture.panels[1].layers[1].points
      return points[#points]
    end
    lu.assertEquals(last_reward("-o", "a.svg", "--title", "T"), { 4, 8 })
    lu.assertEquals({ drawn.to, drawn.picture.title }, { "a.svg", "T" })
    lu.assertEquals(last_reward("--run", "1"), { 4, 4 })
    lu.assertEquals(last_reward("--study", "1"), { 4, 8 })
    lu.assertNil(drawn.to)
    lu.assertEquals(run("plot", path, "pareto", "--cost", "macs", "--log", "--value", "loss"), 0)
    lu.assertTrue(drawn.picture.panels[1].is_log)
    for _, kind in ipairs { "accuracy", "curves", "incumbent", "options", "reward" } do
      lu.assertEquals({ run("plot", path, kind) }, { 0, "", "" })
    end
  end)
end

-- Else Ctrl-C would end a command as one that has failed, and a mistake of the package would have no traceback.
function T.test_interrupts_and_faults_of_pictures_pass_through()
  make()
  local fault = debug.getinfo(commands.run, "S").short_src .. ":1: attempt to call a nil value"
  for _, message in ipairs { "interrupted!", "plot.accuracy: interrupted", fault } do
    files.with(gnuplot, "draw", function() error(message, 0) end, function()
      lu.assertErrorMsgEquals(message, run, "plot", path, "reward")
      lu.assertErrorMsgEquals(message, run, "curves", path, "-o", "a.svg")
    end)
  end
  files.with(gnuplot, "draw", function() error("the disk is full", 0) end, function()
    lu.assertEquals({ run("plot", path, "reward") }, { 1, "", "luanas plot: the disk is full\n" })
    lu.assertEquals({ run("curves", path, "-o", "a.svg") }, { 1, "", "luanas curves: the disk is full\n" })
  end)
end

function T.test_care()
  make()
  local copy = path .. ".copy"
  lu.assertEquals(run("backup", path, copy), 0)
  local status, _, err = run("backup", path, copy)
  lu.assertEquals(status, 1)
  lu.assertStrContains(err, "there already")
  local _, original = run("trials", path)
  lu.assertEquals({ run("trials", copy) }, { 0, original, "" })
  os.remove(copy)
  lu.assertEquals(run("vacuum", path), 0)
  lu.assertEquals(#files.query "SELECT * FROM state", 4)
  lu.assertEquals(run("vacuum", path, "--best", "1"), 0)
  lu.assertEquals(#files.query "SELECT * FROM state", 1)
  lu.assertEquals({ run("check", path) }, { 0, "no damage\n", "" })
end

function T.test_verify()
  make()
  local status, out = run("verify", path)
  lu.assertEquals(status, 0)
  local count = #lines(out) - 1
  lu.assertEquals(lines(out)[#lines(out)], ("%d equal, 0 different, 0 not verified"):format(count))
  out = select(2, run("verify", path, "--sample", "2"))
  lu.assertEquals(#lines(out), 3)
  -- an evaluation that no training gives
  do
    local store <close> = core.store(path)
    local key = files.key(store)
    key.seed = 77
    local id = store:put(key, { epochs = { { metrics = '{"accuracy":2.0}', measured = "{}" } } })
    local run_id = store:row("SELECT max(id) AS id FROM run").id
    store:append(run_id, { {
      number = 5, decisions = "a=1{1}", origin = "{}", status = "ok", evaluation = id, epochs = 1, metrics = "{}",
      measured = "{}", logged = "{}",
    } })
  end
  local err
  status, out, err = run("verify", path)
  lu.assertEquals(status, 1)
  lu.assertStrContains(out, "DIFFERENT: epoch 1 gives other metrics")
  lu.assertStrContains(err, "1 evaluation differs")
end

-- A line for each, and no traceback.
function T.test_damaged_rows()
  local function fails(message, ...)
    local status, _, err = run(...)
    lu.assertEquals(status, 1)
    lu.assertStrContains(err, message)
    lu.assertEquals(#lines(err), 1)
    lu.assertNil(err:find "luanas/%w+%.lua") -- no place in the package
  end
  make()
  files.damage("SELECT metrics FROM epoch WHERE number = 1 AND evaluation = "
    .. "(SELECT evaluation FROM trial WHERE number = 1)", "loss", "LOSS")
  fails("epoch 1 of evaluation 1 is damaged: its checksum is another", "show", path, "1")
  files.damage("SELECT logged FROM trial WHERE run = 1 AND number = 3", "reward", "regard")
  fails("trial 3 of run 1 is damaged: its checksum is another", "trials", path, "--run", "1")
  fails("trial 3 of run 1 is damaged: its checksum is another", "export", path)
  files.damage("SELECT metrics FROM trial WHERE number = 4", ":", ";")
  fails('cannot read "' .. path .. '": malformed JSON', "runs", path)
  fails("damages: 3", "check", path)
end

function T.test_a_file_cut_short()
  make()
  lu.assertEquals(run("vacuum", path), 0)
  local copy = path .. ".copy"
  do
    local whole <close> = assert(io.open(path, "rb"))
    local part <close> = assert(io.open(copy, "wb"))
    part:write(whole:read(20000))
  end
  for command, more in pairs { trials = "; `luanas check` tells more", check = "" } do
    local status, _, err = run(command, copy)
    lu.assertEquals(status, 1)
    local message = 'luanas %s: "%s" is damaged (database disk image is malformed)%s\n'
    lu.assertEquals(err, message:format(command, copy, more))
  end
end

function T.test_mistakes_of_the_package_are_traced()
  make()
  files.with(core, "number_text", false, function()
    lu.assertErrorMsgContains("attempt to call a boolean value", run, "trials", path)
  end)
end

-- The last line of `luanas verify`, and all that it says.
local function verified()
  local _, out = run("verify", path)
  return lines(out)[#lines(out)], out
end

local function evaluate(options)
  local study <close> = spaces.study(options)
  return study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
end

function T.test_verify_replicates_and_recipes_of_the_space()
  evaluate { path = path, replicates = 3 }
  evaluate { path = path, space = function(c)
    return spaces.tiny(c), { train = {
      batch = 8, optimizer = nas.sgd { rate = 0.1, nesterov = true, momentum = 0.5 },
      loss = { name = "softmax_cross_entropy", label_smoothing = 0.1 },
      schedule = nas.schedule.cosine { warmup = 1 }, augment = { shift = { 1, 2 }, flip = 0.5 }, clip_norm = 0.1,
    } }
  end }
  lu.assertEquals(#files.query "SELECT id FROM evaluation", 4)
  lu.assertEquals(verified(), "4 equal, 0 different, 0 not verified")
end

function T.test_verify_trains_what_diverged()
  local function space(c)
    local x = nas.nn.dense(nas.nn.input { 8, 8, 1 }, { units = 10 * c:choose("kernel", { 1, 3 }) })
    return nas.nn.dense(nas.nn.dense(x, { units = 5 * c:choose("filters", { 2, 4 }) }), { units = 10 })
  end
  local trial = evaluate {
    path = path, space = space, train = { epochs = 5, batch = 16, optimizer = nas.sgd { rate = 1e6 } },
  }
  lu.assertStrContains(trial.reason, "not finite")
  local last, out
  lu.assertEquals(files.trainings(function() last, out = verified() end), 1)
  lu.assertEquals(last, "1 equal, 0 different, 0 not verified")
  lu.assertStrContains(out, " and a divergence, equal")
  evaluate { path = path }
  do -- an evaluation that is said to diverge, but does not
    local store <close> = core.store(path)
    local key = files.key(store, "diverged IS NULL")
    key.seed = 77
    store:put(key, { epochs = {}, diverged = "epoch 1" })
  end
  last, out = verified()
  lu.assertEquals(last, "2 equal, 1 different, 0 not verified")
  lu.assertStrContains(out, "DIFFERENT: epoch 1 does not diverge")
end

function T.test_verify_without_data_or_texts()
  local folder = samples.folder()
  local x = samples.write(folder, "x.npy", samples.npy("|u1", "(20, 8, 8, 1)", ("\1\9"):rep(10 * 8 * 8)))
  local y = samples.write(folder, "y.npy", samples.npy("|u1", "(20,)", ("\0\1"):rep(10)))
  local function space(c)
    c:choose("kernel", { 1, 3 })
    return nas.nn.dense(nas.nn.input { 8, 8, 1 }, { units = c:choose("filters", { 2, 4 }) })
  end
  evaluate { path = path, space = space, data = nas.data.npy { x = x, y = y, classes = 2 } }
  lu.assertEquals(verified(), "1 equal, 0 different, 0 not verified")
  local classes = core.read_npy(y):to "int32" + 1
  evaluate { path = path, space = space, data = nas.data.tensors { x = nas.tensor.zeros { 20, 8, 8, 1 }, y = classes } }
  evaluate { path = path, train = { batch = 16, loss = function(output, target)
    return nas.nn.mean(nas.nn.softmax_cross_entropy(output, target))
  end } }
  samples.remove(folder)
  local last, out = verified()
  lu.assertEquals(last, "0 equal, 0 different, 3 not verified")
  lu.assertStrContains(lines(out)[1], "evaluation 1: not verified: ")
  lu.assertStrContains(lines(out)[1], x .. " cannot be opened")
  lu.assertStrContains(out, "evaluation 2: not verified: no study tells how its data are made")
  lu.assertStrContains(out, "evaluation 3: not verified: its loss is a function")
  evaluate { path = path }
  files.with(core, "trainer", function() error("interrupted!", 0) end, function()
    lu.assertErrorMsgContains("interrupted!", run, "verify", path)
  end)
end

-- Others can empty the log while networks are trained.
function T.test_verify_reads_nothing_while_it_trains()
  make()
  local methods = debug.getregistry()["luanas.Store"].__index
  local rows, trainer, open, epochs = methods.rows, core.trainer, 0, 0
  local function watched_trainer(...)
    local real = trainer(...)
    return setmetatable({ epoch = function()
      epochs = epochs + 1
      lu.assertEquals(open, 0)
      return real:epoch()
    end }, { __close = function() real:close() end })
  end
  files.with(core, "trainer", watched_trainer, function()
    files.with(methods, "rows", function(...)
      local next_row, state, first, closed = rows(...)
      open = open + 1
      return function()
        local row = next_row()
        if not row then open = open - 1 end
        return row
      end, state, first, closed
    end, verified)
  end)
  lu.assertEquals(epochs, 8)
end

function T.test_wrong_arguments()
  local function fails(expected, message, ...)
    local status, _, err = run(...)
    lu.assertEquals(status, expected)
    lu.assertStrContains(err, message)
  end
  fails(1, "no such file", "trials", path)
  fails(1, "no such file", "vacuum", path)
  fails(1, "no such file", "worker", path, "--once", "--quiet")
  lu.assertNil(io.open(path)) -- none of them makes it
  fails(2, "usage: luanas trials FILE [options]", "trials")
  fails(2, "usage: luanas backup FILE COPY", "backup", path)
  fails(2, "usage: luanas check FILE", "check", path, "more")
  fails(2, "unknown argument --tip", "trials", path, "--tip", "3")
  make()
  fails(1, "there is no run 7", "trials", path, "--run", "7")
  fails(1, "there is no run 9", "curves", path, "9")
  fails(1, "run 2 has no trial 9", "show", path, "9")
  fails(1, "run 2 has no trial 9", "draw", path, "9")
  fails(2, '--out: value is "a.png"; expected the name of a .svg file', "draw", path, "1", "-o", "a.png")
  fails(2, "--sort: value is \"a'b\"; trials of run 2 have the numbers accuracy, ", "trials", path, "--sort", "a'b")
  fails(2, "--value: value is \"nothing\"; trials of run 1, 2 have the numbers accuracy, ", "curves", path, "--value",
    "nothing")
  fails(2, '--out: value is "a.txt"; expected the name of a .svg or .png file', "curves", path, "--out", "a.txt")
  fails(2, 'TRIAL: value is "abc"; expected an integer of at least 1', "show", path, "abc")
  fails(2, 'RUN: value is "abc"; expected an integer of at least 1', "curves", path, "1", "abc")
  for option, command in pairs { top = "trials", run = "trials", window = "curves", sample = "verify" } do
    for _, value in ipairs { "x", "0", "-5", "1.5" } do
      fails(2, ('--%s: value is "%s"; expected an integer of at least 1'):format(option, value), command, path,
        "--" .. option, value)
    end
  end
  fails(2, '--best: value is "-1"; expected an integer of at least 0', "vacuum", path, "--best", "-1")
  lu.assertNil(commands.find "nothing")
  local status, out = run("trials", "--help")
  lu.assertEquals(status, 0)
  lu.assertStrContains(out, "usage: luanas trials FILE [options]\nthe trials of a run\n")
  lu.assertStrContains(out, "--sort STRING")
end

return files.each_without(T)
