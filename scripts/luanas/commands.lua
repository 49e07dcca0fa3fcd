--- What `luanas COMMAND FILE` does with a store: tables for people, and care of the file.
local core = require "luanas.core"
local check = require "luanas.check"
local command_line = require "luanas.command_line"
local csv = require "luanas.csv"
local curves = require "luanas.curves"
local difference = require "luanas.difference"
local evaluation = require "luanas.evaluation"
local opened = require "luanas.opened"
local plot = require "luanas.plot"
local report = require "luanas.report"
local script = require "luanas.script"
local stored = require "luanas.stored"
local text_table = require "luanas.text_table"
local trial = require "luanas.trial"
local trial_table = require "luanas.trial_table"
local verify = require "luanas.verify"
local worker = require "luanas.worker"

local commands = {}

local TOP = 20

-- What a command can't do: told on standard error, with status 1; with 2 where the arguments are wrong.
local function give_up(format, ...)
  error({ give_up = format:format(...), status = 1 }, 0)
end

local function misuse(format, ...)
  error({ give_up = format:format(...), status = 2 }, 0)
end

local function must(done, message)
  if not done then give_up("%s", message) end
  return done
end

-- Standard output may be a file on a full disk.
local function written(done, problem)
  must(done, problem and "cannot write: " .. problem)
end

local function write(...)
  written(io.stdout:write(...))
end

local function count_of(store, sql, ...)
  return store:row("SELECT (" .. sql .. ") AS n", ...).n
end

-- ---- Runs ------------------------------------------------------------------------------------------

local LINE, TRIALS = stored.LINE, stored.OF_LINE

-- The run of --run, else the last one.
local function run_of(store, wanted)
  local id = wanted or count_of(store, "SELECT max(id) FROM run")
  if not id then give_up("there are no runs yet") end
  if count_of(store, "SELECT count(*) FROM run WHERE id = ?1", id) == 0 then
    give_up("there is no run %d; `luanas runs` lists them", id)
  end
  return id
end

-- ---- Tables ----------------------------------------------------------------------------------------

local function right(title) return { title = title, right = true } end

local function studies(store)
  local found, texts, rows = {}, {}, {}
  for row in store:rows [[
    SELECT study.id AS id, name, text, intent, (SELECT count(*) FROM run WHERE study = study.id) AS runs,
      (SELECT count(*) FROM run JOIN trial ON trial.run = run.id WHERE study = study.id) AS trials
    FROM study LEFT JOIN final ON final.study = study.id ORDER BY study.id]] do
    found[#found + 1], texts[#texts + 1] = row, row.text
  end
  local own = difference.of_each(texts)
  for i, row in ipairs(found) do
    rows[i] = {
      tostring(row.id), row.name or "", tostring(row.runs), tostring(row.trials), row.text:match "\nepochs=(%d+)" or "",
      row.intent or "", own[i],
    }
  end
  write(text_table.format({
    right "study", { title = "name" }, right "runs", right "trials", right "epochs",
    { title = "test images opened for" }, { title = "what tells it from the others" },
  }, rows))
  local evaluations = count_of(store, "SELECT count(*) FROM evaluation")
  local epochs = count_of(store, "SELECT count(*) FROM epoch")
  write(("%s with %s\n"):format(text_table.counted(evaluations, "evaluation"), text_table.counted(epochs, "epoch")))
end

-- Whether trials of the run were evaluated under other numeric versions than it began with.
local MIXED = [[
  SELECT count(*) FROM trial JOIN evaluation ON evaluation.id = trial.evaluation
  WHERE trial.run = run.id AND evaluation.numeric_version <> run.numeric_version]]

local function runs(store)
  local rows = {}
  for row in store:rows([[
    SELECT run.id, study, parent, first, run.numeric_version AS version, program, arguments, started,
      (SELECT max(number) FROM trial WHERE trial.run = run.id) AS last,
      (SELECT max(metrics->>'accuracy') FROM trial WHERE trial.run = run.id AND status = 'ok') AS best,
      (SELECT min(metrics->>'loss') FROM trial WHERE trial.run = run.id AND status = 'ok') AS least,
      (]] .. MIXED .. [[) AS mixed
    FROM run LEFT JOIN session ON session.id = run.session ORDER BY run.id]]) do
    rows[#rows + 1] = {
      tostring(row.id), tostring(row.study), row.parent and ("run %d at %d"):format(row.parent, row.first) or "",
      tostring(row.last or row.first - 1),
      row.best and ("%.4f"):format(row.best) or row.least and ("loss %.4f"):format(row.least) or "",
      row.version .. (row.mixed > 0 and " mixed" or ""), row.started or "",
      (row.program or "") .. (row.arguments and " " .. row.arguments or ""),
    }
  end
  write(text_table.format({
    right "run", right "study", { title = "leaves" }, right "trials", right "best of its own", { title = "numbers" },
    { title = "began" }, { title = "script" },
  }, rows))
end

-- ---- Trials ----------------------------------------------------------------------------------------

-- Whether a trial of some runs has a number where some SQL says.
local function has_number(store, ids, sql)
  sql = LINE .. "SELECT 1" .. TRIALS .. "WHERE typeof(" .. sql .. ") IN ('integer', 'real') LIMIT 1"
  for _, id in ipairs(ids) do
    if store:row(sql, id) then return true end
  end
  return false
end

-- The SQL of the number that a name stands for: a metric, or else what was logged; logged_NAME is always the latter.
-- nil where no trial has one.
local function number_sql(store, ids, name)
  if not name:find "^[%a_][%w_]*$" then return nil end
  for _, sql in ipairs {
    ("coalesce(metrics->>'%s', measured->>'%s')"):format(name, name), ("logged->>'%s'"):format(name),
    ("logged->>'%s'"):format(name:gsub("^logged_", "")),
  } do
    if has_number(store, ids, sql) then return sql end
  end
end

-- The names of all numbers that trials of some runs have.
local function names_of(store, ids)
  local names = {}
  for _, map in ipairs { "metrics", "measured", "logged" } do
    for _, id in ipairs(ids) do
      for row in store:rows(LINE .. "SELECT DISTINCT key" .. TRIALS .. "JOIN json_each(trial." .. map .. ") AS each "
        .. "WHERE each.type IN ('integer', 'real')", id) do
        local is_both = map == "logged" and (names[row.key] or map) ~= map
        names[is_both and "logged_" .. row.key or row.key] = map
      end
    end
  end
  return check.sorted_keys(names)
end

-- The SQL of a trial's metric or logged value, which an option names.
local function value_sql(store, ids, option, name)
  local sql = number_sql(store, ids, name)
  if sql then return sql end
  local names = names_of(store, ids)
  misuse("--%s: value is %s; trials of run %s have %s", option, check.show(name), table.concat(ids, ", "),
    #names > 0 and "the numbers " .. table.concat(names, ", ") or "no numbers")
end

-- An iterator over the trials that some SQL gives.
local function each_trial(store, sql, ...)
  local next_row, _, _, rows = store:rows(sql, ...)
  return function()
    local row = next_row()
    return row and trial.from_row(row)
  end, nil, nil, rows
end

-- The same for a run's trials, by a metric or a logged value if asked for, the first `top` of them; nil: all.
local function each_of_run(store, run, sort, top)
  local order, where = "number", ""
  if sort then
    order = value_sql(store, { run }, "sort", sort)
    where = "WHERE " .. order .. " IS NOT NULL "
    order = order .. (report.is_lowest_best((sort:gsub("^logged_", ""))) and " ASC" or " DESC") .. ", number"
  end
  -- Checksums are computed of those that are shown only.
  local sql = LINE .. ", chosen(owner, place) AS (SELECT trial.run, number" .. TRIALS .. where .. "ORDER BY " .. order
    .. " LIMIT ?2) SELECT " .. trial.COLUMNS .. " FROM chosen JOIN trial ON trial.run = owner AND number = place "
    .. "ORDER BY " .. order
  return each_trial(store, sql, run, top or -1)
end

-- The table of some trials, and how many they are.
local function table_of(next_trial)
  local list = {}
  for each in next_trial do list[#list + 1] = each end
  return trial_table(list), #list
end

local function json_of(each)
  return core.json_encode {
    trial = each.number, run = each.run, status = each.status, reason = each.reason, network = each.network,
    decisions = each.arch:line(), log_prob = each.arch.log_prob, metrics = each.metrics, logged = each.logged,
  }
end

local function trials(store, options)
  local top = options.top or not (options.csv or options.json) and TOP or nil
  local run = run_of(store, options.run)
  local function open() return each_of_run(store, run, options.sort, top) end
  if options.json then
    for each in open() do write(json_of(each), "\n") end
  elseif options.csv then
    written(csv.write_to(io.stdout, open))
  else
    local text, count = table_of(open())
    local all = count_of(store, LINE .. "SELECT count(*)" .. TRIALS, run)
    write(text, count < all and ("%d of %d trials; --top shows more\n"):format(count, all) or "")
  end
end

-- The run of the options, the row of its trial with a number, and the trial.
local function trial_of(store, options, number)
  local run = run_of(store, options.run)
  local row = store:row(LINE .. "SELECT " .. trial.COLUMNS .. TRIALS .. "WHERE number = ?2", run, number)
  if not row then give_up("run %d has no trial %d", run, number) end
  return run, row, trial.from_row(row)
end

local function show(store, options, number)
  local run, row, each = trial_of(store, options, number)
  write(("trial %d of run %d: %s%s\n"):format(number, run, each.status, each.reason and ", " .. each.reason or ""))
  write("architecture: ", tostring(each.arch), "\ndecisions: ", each.arch:line(), "\n")
  for _, name in ipairs(check.sorted_keys(each.metrics)) do
    local value = each.metrics[name]
    write(("%s: %s\n"):format(name, type(value) == "number" and core.number_text(value) or core.json_encode(value)))
  end
  for _, name in ipairs(check.sorted_keys(each.logged)) do
    local value = each.logged[name]
    write(("logged %s: %s\n"):format(name, type(value) == "number" and core.number_text(value) or tostring(value)))
  end
  if not row.evaluation then return end
  local rows = {}
  for found in store:rows("SELECT " .. evaluation.COLUMNS .. [[, engine, isa, threads, host, started FROM epoch
    LEFT JOIN session ON session.id = epoch.session WHERE evaluation = ?1 AND number <= ?2 ORDER BY number]],
    row.evaluation, row.epochs) do
    local epoch = evaluation.from_row(found, row.evaluation)
    rows[#rows + 1] = {
      tostring(found.number), epoch.accuracy and ("%.4f"):format(epoch.accuracy) or "", ("%.4f"):format(epoch.loss),
      ("%.4f"):format(epoch.train_loss), ("%.2f"):format(epoch.seconds), found.host or "",
      ("%s, %s, %s threads"):format(found.engine or "", found.isa or "", found.threads or "?"), found.started or "",
    }
  end
  write(text_table.format({
    right "epoch", right "accuracy", right "loss", right "train loss", right "seconds", { title = "machine" },
    { title = "engine" }, { title = "session began" },
  }, rows))
  local made = store:row([[
    SELECT seed, numeric_version, n.body AS network, r.body AS recipe FROM evaluation
    JOIN text n ON n.id = network JOIN text r ON r.id = recipe WHERE evaluation.id = ?1]], row.evaluation)
  local count = store:row("SELECT text FROM run JOIN study ON study.id = study WHERE run.id = ?1", run).text
    :match " replicates=(%d+)"
  if count ~= "1" then write(("the first of %s replicates; the metrics above are means\n"):format(count)) end
  write(("evaluation seed: %d\nnumeric version: %d\n"):format(made.seed, made.numeric_version))
  write((made.recipe:gsub("^recipe ", "recipe: ")), "\nnetwork: ", made.network, "\n")
end

-- The script that wrote a run; with --trial the one that was its writer then.
local function show_script(store, options, id)
  id = run_of(store, id)
  local writer = script.writer(store, id, options.trial)
  if not writer.body then give_up("run %d was made without a script", id) end
  write(writer.body)
end

-- The versions of live rewards that were in force in a run.
local function rewards(store, _, id)
  id = run_of(store, id)
  local count = 0
  for row in store:rows(LINE .. [[
    SELECT file, version.first, body FROM line JOIN reward_version version ON version.run = line.run
      AND version.first >= line.first AND (line.run = ?1 OR version.first <= line.last)
    JOIN text ON text.id = source ORDER BY file, version.first]], id) do
    write(("%s-- %s, from trial %d on\n%s"):format(count > 0 and "\n" or "", row.file, row.first, row.body),
      row.body:find "\n$" and "" or "\n")
    count = count + 1
  end
  if count == 0 then give_up("run %d has no live reward", id) end
end

-- The runs of the last run's study.
local function runs_beside(store)
  local ids = {}
  for row in store:rows("SELECT id FROM run WHERE study = (SELECT study FROM run WHERE id = ?1) ORDER BY id",
    run_of(store)) do
    ids[#ids + 1] = row.id
  end
  return ids
end

-- ---- Pictures --------------------------------------------------------------------------------------

local function check_out(out)
  if out and not out:find "%.svg$" and not out:find "%.png$" then
    misuse("--out: value is %s; expected the name of a .svg or .png file", check.show(out))
  end
end

local function show_curves(store, options, ...)
  check_out(options.out)
  local lines, ids = {}, { ... }
  for i, id in ipairs(ids) do ids[i] = run_of(store, id) end
  if #ids == 0 then ids = runs_beside(store) end
  options.value = options.value or number_sql(store, ids, "accuracy") and "accuracy" or "loss"
  local sql = LINE .. "SELECT number, " .. value_sql(store, ids, "value", options.value) .. " AS value" .. TRIALS
  for i, id in ipairs(ids) do
    lines[i] = { id = id, values = {} }
    for row in store:rows(sql, id) do
      if type(row.value) == "number" then lines[i].values[row.number] = row.value end
    end
  end
  if options.out then curves.draw(lines, options.out, options.window, options.value) end
  write(options.csv and curves.csv(lines) or curves.table(lines, options.window))
end

local CURVES = 5 -- of training, unless --best says otherwise

-- The kinds of pictures: which options of the command they take, under which name.
local KINDS = {
  accuracy = { value = "metric", window = "window" },
  curves = { value = "metric", best = "best" },
  entropy = { window = "window" },
  incumbent = { value = "metric" },
  logged = { value = "name", window = "window" },
  loss = { window = "window" },
  options = { window = "window" },
  pareto = { value = "metric", cost = "cost", log = "log" },
  reward = {},
}

local KIND_NAMES = "one of " .. table.concat(check.sorted_keys(KINDS), ", ")

local function picture_options(kind, options)
  local takes, own = KINDS[kind], { title = options.title }
  if not takes then
    misuse("KIND is %s; expected %s", check.show(kind), KIND_NAMES)
  end
  for _, name in ipairs { "best", "cost", "log", "value", "window" } do
    if takes[name] then
      own[takes[name]] = options[name]
    elseif options[name] then
      misuse("--%s is nothing for the picture %s", name, kind)
    end
  end
  if kind == "logged" and not own.name then misuse("--value is missing: the name of what was logged") end
  return own
end

local function show_plot(store, options, kind)
  check_out(options.out)
  local own = picture_options(kind, options)
  local study = options.study
  if not study then study = store:row("SELECT study FROM run WHERE id = ?1", run_of(store, options.run)).study end
  if kind == "curves" then own.best = own.best or CURVES end -- of a list, all would be drawn
  plot[kind](opened.file(store:path(), store):study(study):trials(options.run), options.out, own)
end

local function draw(store, options, number)
  if options.out and not options.out:find "%.svg$" then
    misuse("--out: value is %s; expected the name of a .svg file", check.show(options.out))
  end
  local run, row, each = trial_of(store, options, number)
  local made = row.evaluation and store:row([[
    SELECT body FROM evaluation JOIN text ON text.id = network WHERE evaluation.id = ?1]], row.evaluation)
  if not made then give_up("trial %d of run %d was not trained: %s", number, run, each.reason or "it has failed") end
  local output, problem = core.network_parse(made.body)
  if not output then give_up("the network of trial %d: %s", number, problem) end
  local accuracy = each.accuracy and (", accuracy %.4f"):format(each.accuracy) or ""
  plot.network(output, options.out, { title = ("trial %d of run %d%s"):format(number, run, accuracy) })
end

-- ---- Care ------------------------------------------------------------------------------------------

local function export(store)
  local sql = "SELECT " .. trial.COLUMNS .. " FROM trial ORDER BY run, number"
  written(csv.write_to(io.stdout, function() return each_trial(store, sql) end, true))
end

local function backup(store, _, path)
  must(store:backup(path))
end

local function check_file(store)
  local damages, lines = store:check()
  must(damages, lines)
  write(lines)
  if damages > 0 then give_up("damages: %d", damages) end
  write("no damage\n")
end

local function verify_file(store, options)
  local equal, different, skipped = verify.run(store, options.sample, function(...)
    write(string.format(...), "\n")
  end)
  write(("%d equal, %d different, %d not verified\n"):format(equal, different, skipped))
  if different == 1 then give_up "1 evaluation differs" end
  if different > 0 then give_up("%d evaluations differ", different) end
end

-- ---- The commands ----------------------------------------------------------------------------------

local NUMBER = "a metric or logged value (logged_NAME, where a metric has its name)"
local OF_RUN = { "", "the run; default: the last one", least = 1 }

local list_of_commands = {
  { name = "studies", takes = "FILE", help = "the studies of a store", run = studies },
  { name = "runs", takes = "FILE", help = "the runs, and where they leave each other", run = runs },
  {
    name = "trials", takes = "FILE", help = "the trials of a run", run = trials,
    options = {
      run = OF_RUN, sort = { "", NUMBER .. ": the best first" },
      top = { "", "so many; default: 20 in a table, else all", least = 1 },
      csv = { false, "comma-separated values" }, json = { false, "a line of JSON for each" },
    },
  },
  {
    name = "show", takes = "FILE TRIAL", help = "a trial: architecture, curve, how and where it was trained",
    run = show, options = { run = OF_RUN },
  },
  {
    name = "script", takes = "FILE [RUN]", help = "the script that wrote a run, as it was then; default: the last run",
    run = show_script,
    options = { trial = { "", "the script that wrote this trial, where others have continued the run", least = 1 } },
  },
  {
    name = "rewards", takes = "FILE [RUN]", run = rewards,
    help = "the versions of a live reward, with the trials that they begin at; default: of the last run",
  },
  {
    name = "curves", takes = "FILE [RUN...]", run = show_curves,
    help = "runs side by side, means over the trials; default: all runs of the study of the last one",
    options = {
      value = { "", NUMBER .. "; default: accuracy, or loss" },
      window = { "", "trials of a mean; default: a tenth of all", least = 1 },
      csv = { false, "comma-separated values, without means" },
      out = { "", "also draw them, by gnuplot, into a file .svg or .png", short = "-o" },
    },
  },
  {
    name = "plot", takes = "FILE KIND", run = show_plot, words = "KIND is " .. KIND_NAMES,
    help = "a picture of a run by gnuplot, in the terminal or into a file; KIND is one of\n"
      .. "accuracy, reward, loss (of the policy), entropy, logged, incumbent, options, pareto, curves (of training)",
    options = {
      run = { "", "the run; default: the last one of the study", least = 1 },
      study = { "", "the study; default: that of the run, or of the last one", least = 1 },
      out = { "", "a file .svg or .png; default: in the terminal", short = "-o" },
      value = { "", "a metric, or for logged a logged value; default: accuracy, or an error" },
      window = {
        "", "trials of a mean or of shares; default: 20 or a fiftieth of all, for logged and entropy 1", least = 1,
      },
      best = { "", "so many trials, for curves; default: 5", least = 1 },
      cost = { "", "a metric, for pareto; default: params" },
      log = { false, "a logarithmic axis of the cost, for pareto" },
      title = { "", "above the picture" },
    },
  },
  {
    name = "draw", takes = "FILE TRIAL", help = "the network of a trial, in the terminal or into a file", run = draw,
    options = { run = OF_RUN, out = { "", "a file .svg; default: as text in the terminal", short = "-o" } },
  },
  { name = "export", takes = "FILE", help = "all trials of all runs as comma-separated values", run = export },
  { name = "backup", takes = "FILE COPY", help = "a compact copy in a new file", run = backup },
  {
    name = "vacuum", takes = "FILE", help = "give unused space back", writes = true,
    run = function(store, options)
      if options.best then must(store:keep_states(options.best)) end
      must(store:vacuum())
    end,
    options = { best = { "", "drop all training states but those of so many networks of each recipe", least = 0 } },
  },
  {
    name = "worker", takes = "FILE", help = "train what study:evaluate_all of other processes asks for", writes = true,
    run = function(store, options) worker.run(store, options) end,
    options = {
      once = { false, "end when there is nothing left to do" }, quiet = { false, "say nothing" },
      threads = { "", "default: all processors", least = 1 },
    },
  },
  {
    name = "verify", takes = "FILE", help = "train evaluations once more and compare them bit for bit",
    run = verify_file,
    options = { sample = { "", "so many, spread over all; default: all", least = 1 } },
  },
  { name = "check", takes = "FILE", help = "look for damage in pages, rows and references", run = check_file },
}

local by_name = {}
for _, command in ipairs(list_of_commands) do by_name[command.name] = command end

-- Whether there are as many arguments as `takes` says, "FILE TRIAL" or "FILE [RUN...]".
local function is_complete(takes, count)
  local least, most = 0, takes:find("...", 1, true) and math.huge or 0
  for _ in takes:gsub("%[.-%]", ""):gmatch "%u+" do least = least + 1 end
  for _ in takes:gmatch "%u+" do most = most + 1 end
  return least <= count and count <= most
end

-- Runs and trials among the arguments become integers. What is wrong with them, or nil.
local function make_integers(takes, others)
  local words = {}
  for word in takes:gmatch "%u+" do words[#words + 1] = word end
  for i = 2, #others do
    local word, problem = words[math.min(i, #words)], nil
    if word == "RUN" or word == "TRIAL" then others[i], problem = command_line.integer(word, others[i], 1) end
    if problem then return problem end
  end
end

local function run(command, arguments)
  local others, specifications = {}, command.options or {}
  local values, message = command_line.parse(arguments, specifications, others)
  local usage = ("usage: luanas %s %s%s"):format(command.name, command.takes, command.options and " [options]" or "")
  if not values and not message then
    write(command_line.help(usage .. "\n" .. command.help, specifications))
    written(io.stdout:flush())
    return 0
  end
  if not message and not is_complete(command.takes, #others) then
    message = usage .. (command.words and "; " .. command.words or "")
  end
  message = message or make_integers(command.takes, others)
  if message then misuse("%s", message) end
  local store <close>, problem = core.store(others[1], { must_exist = true, read_only = not command.writes })
  must(store, problem)
  command.run(store, values, table.unpack(others, 2))
  written(io.stdout:flush())
  return 0
end

--- The function that runs the command of that name with its arguments and ends the program unless all is well; or nil.
function commands.find(name)
  local command = by_name[name]
  if not command then return nil end
  return function(...)
    local status = commands.run(name, { ... })
    if status ~= 0 then os.exit(status, true) end
  end
end

--- Runs a command; its exit status: 1 where something is wrong with the file, 2 for wrong arguments.
function commands.run(name, arguments)
  local ok, result = pcall(run, by_name[name], arguments)
  if ok then return result end
  if type(result) == "string" and not check.is_interrupt(result) and not check.is_fault(result) then
    result = { give_up = result, status = 1 }
  elseif type(result) ~= "table" or not result.give_up then
    error(result, 0)
  end
  local message = result.give_up
  if name == "check" then message = message:gsub("; `luanas check` tells more$", "") end
  io.stderr:write("luanas ", name, ": ", message, "\n")
  return result.status
end

return commands
