--- A study: a space with data and recipe, its trials, and the store behind them.
local core = require "luanas.core"
local ahead = require "luanas.ahead"
local arch = require "luanas.arch"
local build = require "luanas.build"
local check = require "luanas.check"
local csv = require "luanas.csv"
local detached = require "luanas.detached"
local difference = require "luanas.difference"
local evaluate = require "luanas.evaluate"
local evaluation = require "luanas.evaluation"
local final = require "luanas.final"
local fingerprint = require "luanas.fingerprint"
local known = require "luanas.known"
local objectives = require "luanas.objectives"
local progress = require "luanas.progress"
local recipe = require "luanas.recipe"
local replayer = require "luanas.choosers.replay"
local report = require "luanas.report"
local script = require "luanas.script"
local search = require "luanas.search"
local stored = require "luanas.stored"
local text_table = require "luanas.text_table"
local trial = require "luanas.trial"
local walk = require "luanas.walk"

local study = {}

local Study = { __name = "luanas.Study" }
Study.__index = Study

local OPTIONS = {
  "checkpoint", "data", "evaluation_seed", "failed", "fresh", "limits", "micro_batch", "name", "path", "predictions",
  "quiet", "replicates", "seed", "space", "states", "store", "threads", "train", "trials",
}
local DEFAULT_SEED = 1
local DEFAULT_EVALUATION_SEED = 0 -- a constant, so that all searches share their evaluations
local DEFAULT_CHECKPOINT = 20                                -- epochs
local STATES_IN_FILE, STATES_IN_MEMORY = 1 << 30, 64 << 20 -- bytes

local current -- the study that was used last: Ctrl-C prints its table

local searcher -- a function, below

-- ---- Making ----------------------------------------------------------------------------------------

local function check_limits(limits)
  limits = check.options("study: limits", limits, { "macs", "memory", "params", "seconds" })
  local own = {}
  for _, name in ipairs(check.sorted_keys(limits)) do
    own[name] = check.number("study: limits", name, limits[name], 0)
  end
  return own
end

local function check_failed(failed)
  if failed ~= nil and type(failed) ~= "table" then
    check.fail("study: failed is %s; expected a table such as { accuracy = 0.1 }", check.show(failed))
  end
  local own = {}
  for _, name in ipairs(check.sorted_keys(failed or {})) do
    if type(name) ~= "string" then
      check.fail("study: failed has the key %s; expected names of metrics", check.show(name))
    end
    own[name] = check.number("study: failed", name, failed[name])
  end
  return own
end

local function check_data(data)
  if type(data) ~= "table" or type(data.load) ~= "function" or type(data.info) ~= "function" then
    check.fail("study: data is %s; expected a data set (what nas.data.fashion_mnist, nas.data.synthetic, ... return)",
      check.show(data))
  end
  return data
end

local function open_store(options)
  local path = check.optional(check.string, "study", "path", options.path)
  if options.store == nil then
    return check.must(core.store, path or detached.path())
  end
  if path then check.fail("study: both store and path are given; expected one of them") end
  local meta = debug.getmetatable(options.store)
  if not meta or meta.__name ~= "luanas.Store" then
    check.fail("study: store is %s; expected another study's field `store`", check.show(options.store))
  end
  return options.store
end

-- All that a trial's outcome depends on but its decisions: runs with another text have nothing in common.
local function text_of(self)
  local own = self.recipe
  local function named(numbers)
    local words = {}
    for _, name in ipairs(check.sorted_keys(numbers)) do
      words[#words + 1] = name .. "=" .. core.number_text(numbers[name])
    end
    return table.concat(words, " ")
  end
  return table.concat({
    "name " .. (self.name or ""),
    "data " .. self.data:info().identity,
    "recipe " .. own.text,
    ("epochs=%d keep=%s patience=%d min_delta=%s"):format(own.epochs, own.keep, own.patience,
      core.number_text(own.min_delta)),
    ("evaluation_seed=%d replicates=%d"):format(self.evaluation_seed, self.replicates),
    "limits " .. named(self.limits),
    "failed " .. named(self.failed),
  }, "\n")
end

-- How data and recipe are made again; nil where they have no text.
local function source_of(self)
  if not self.data.source or self.recipe.loss then return nil end
  local ok, text = pcall(core.json_encode, { data = self.data.source, train = self.recipe.settings })
  return ok and text or nil
end

-- The study's recipe, with what the space overrides, for so many epochs where that is asked for (nil: by the recipe).
local function recipe_of(self, built, epochs)
  local own = built.train and recipe.new(self.recipe.settings, built.train) or self.recipe
  if not epochs or epochs == own.epochs then return own end
  if built.train then return recipe.new(own.settings, { epochs = epochs }) end
  self.recipes[epochs] = self.recipes[epochs] or recipe.new(own.settings, { epochs = epochs })
  return self.recipes[epochs]
end

-- What is trained for a trial, as one word.
local function ahead_key(record, epochs)
  return epochs and ("%s %d epochs"):format(record:line(), epochs) or record:line()
end

-- What is pending is written, so that no other process waits for it.
local function flush(self)
  if self.walk then self.walk:flush() end
end

-- Tells the user something on a line of its own.
local function say(self, format, ...)
  if self.quiet then return end
  (self.aside or self.progress):clear()
  io.stderr:write("luanas: ", format:format(...), "\n")
end

-- The space's network for a recorded architecture; it must be the one that was built at first.
local function rebuild(self, record)
  local before = known.built(self.space, record)
  if before then return before end
  local built = build.run(self.space, replayer(record))
  local built_before = record.network or record.unbuildable -- not so where the record was read from text
  if built_before and built.arch.network ~= record.network then
    check.fail("study: the space built network %s for decisions with which it built %s before (%s); a space must be "
      .. "a pure function of its decisions", built.arch.network or "nothing", record.network or "nothing",
      tostring(record))
  end
  known.is_checked(record)
  return built
end

-- Ends the progress line however a trial ends; Ctrl-C prints the table so far. A to-be-closed variable and no
-- pcall, which the program lets Ctrl-C pass.
local function watch(self)
  return setmetatable({}, { __close = function(_, problem)
    (self.aside or self.progress):finish()
    self.aside = nil
    if check.is_interrupt(problem) then study.interrupted() end
  end })
end

-- The layers and the recipe of a trial of this run: by the space.
local function built_by_space(self, of, texts)
  local built = rebuild(self, of.arch)
  local own_recipe = recipe_of(self, built)
  return built.output, recipe.of_text(own_recipe, texts.recipe) or own_recipe
end

-- A trial's network is trained again: what is to be closed at the end, and what sees the epochs.
local function begin_training(self, of, epochs)
  flush(self)
  self.aside = progress.new(self.quiet, true)
  self.aside:begin(of.number, nil, epochs)
  return watch(self), function(epoch) self.aside:step(epoch.epoch, epoch.accuracy) end
end

-- Of the trials of this run, and of those of others.
local function all_trial_functions(self)
  local own, other = stored.functions(self, built_by_space), stored.functions(self)
  function own.log(of, values) self.walk:log(of.number, values) end
  function own.version(of, watched) return self.walk:version(watched, of.number) end
  function own.replace_version(of, watched) return self.walk:replace_version(watched, of.number) end
  function other.log(of) check.fail("trial %d, log: the trial is of another run", of.number) end
  return own, other
end

local open_studies = setmetatable({}, { __mode = "k" })
local fresh_seeds = {} -- that this script took: { store =, seed = }

-- A seed that no evaluation of the store has, or the one that this script had before it was ended.
local function begin_fresh(self)
  local running, turn = script.running(), 1
  for _, before in ipairs(fresh_seeds) do
    if before.store:path() == self.store:path() then turn = turn + 1 end
  end
  local seed, again = check.must(self.store.begin_fresh, self.store, {
    script = running.text, arguments = running.arguments, turn = turn, count = self.replicates,
  })
  fresh_seeds[#fresh_seeds + 1] = { store = self.store, seed = seed }
  if again then self:say("evaluation seed %d, as before this script was ended", seed) end
  return seed
end

-- nas.study { ... }
local function new(options)
  local owner = "study"
  check.options(owner, options, OPTIONS)
  if options == nil or type(options.space) ~= "function" then
    check.fail("study: space is %s; expected a function(c) that returns a network",
      check.show(options and options.space))
  end
  recipe.check("study: train", options.train)
  local is_fresh = check.optional(check.boolean, owner, "fresh", options.fresh)
  if is_fresh and options.evaluation_seed then
    check.fail("study: both evaluation_seed and fresh are given; expected one of them")
  end
  local self = setmetatable({
    name = check.optional(check.string, owner, "name", options.name),
    space = options.space,
    data = check_data(options.data),
    seed = check.seed(owner, "seed", options.seed or DEFAULT_SEED),
    evaluation_seed = check.seed(owner, "evaluation_seed", options.evaluation_seed or DEFAULT_EVALUATION_SEED),
    replicates = check.integer(owner, "replicates", options.replicates or 1, 1, 1000),
    limits = check_limits(options.limits),
    failed = check_failed(options.failed),
    speed = {
      threads = check.optional(check.integer, owner, "threads", options.threads, 1, 256),
      micro_batch = check.optional(check.integer, owner, "micro_batch", options.micro_batch, 1, 16),
    },
    checkpoint = check.integer(owner, "checkpoint", options.checkpoint or DEFAULT_CHECKPOINT, 0),
    states = check.optional(check.integer, owner, "states", options.states, 0),
    predictions = check.optional(check.boolean, owner, "predictions", options.predictions),
    say = say, before_training = flush, begin_training = begin_training, -- for evaluation.lua, stored.lua
    searcher = searcher,              -- for compare.lua
    recipes = {},                     -- of other numbers of epochs
    outcomes = {}, outcome_count = 0, -- of networks, kept by evaluate.lua
    trained = {},                     -- numbers of the trials for which this process, or a worker, trained: seconds
    ahead = {}, -- architectures that were trained before their trial, as lines: seconds, or "by workers"
    number = 0,
  }, Study)
  self.recipe = recipe.new(options.train or {})
  self.of_trials, self.of_other_runs = all_trial_functions(self)
  self:expect(options.trials)
  self.quiet = check.optional(check.boolean, owner, "quiet", options.quiet)
  self.progress = progress.new(self.quiet)
  self.store = open_store(options) -- when all else is right: it makes the file
  self.states = self.states or self.store:path() and STATES_IN_FILE or STATES_IN_MEMORY
  if is_fresh then self.evaluation_seed = begin_fresh(self) end
  detached.made_study(self.store:path())
  open_studies[self] = true
  return self
end

-- ---- Trials ----------------------------------------------------------------------------------------

-- A version of a live reward is new: what is stored is ranked under it. Whether it may begin: all of that has rewards.
local function may_begin(self, name, place, first, reward)
  local refused
  local ok, ranked = pcall(self.rescore, self, function(of)
    local value, problem = search.ask(reward, of)
    if not value then refused = ("for trial %d of run %d it %s"):format(of.number, of.run, problem) end
    return value
  end)
  if not ok and not refused then error(ranked, 0) end
  if refused then
    self:say("%s: %s; the reward stays as it was", name, refused)
    return false
  end
  local best = ranked[1]
  self:say("version %d of %s from trial %d on; %s", place, name, first,
    best and ("best under it: trial %d of run %d, %.5g"):format(best.trial.number, best.run, best.reward)
    or "there is nothing to rank under it yet")
  return true
end

-- The walk begins with the first trial, when the data is at hand.
local function begin_walk(self)
  local running = script.running()
  self.store:begin_session {
    program = running.path, isa = core.machine().isa, threads = self.speed.threads or core.machine().threads,
  }
  local text = text_of(self)
  local newest = self.store:row("SELECT id, text FROM study WHERE name IS ?1 ORDER BY id DESC LIMIT 1", self.name)
  local id = check.must(self.store.study, self.store, self.name, text, source_of(self))
  if newest and id > newest.id then -- studies with other names differ on purpose
    local own, other = difference.between(text, newest.text)
    self:say("study %d is new in this file; study %d has %s where this one has %s", id, newest.id,
      other ~= "" and other or "nothing", own ~= "" and own or "nothing")
  end
  self.walk = walk.new(self.store, id, running, function(...) self:say(...) end,
    function(...) return may_begin(self, ...) end)
end

-- Evaluations are recalled under the version of the run, then under the present one.
local function versions_of(self)
  local run = self.walk:numeric_version()
  if run == core.numeric_version then return { run } end
  return { run, core.numeric_version }
end

local function watched_outcome(self, built, own_recipe, is_followed, number)
  local _ <close> = watch(self)
  if not is_followed then -- else it is read in no time
    self.progress:begin(number, self.expected, own_recipe.epochs, self.best_accuracy, self.replicates)
  end
  local spent = 0.0 -- seconds of the epochs that are trained now
  local outcome, recalled = evaluate.outcome(self, built, own_recipe, versions_of(self), function(epoch, replicate)
    spent = spent + epoch.seconds
    self.progress:step(epoch.epoch, epoch.accuracy, replicate)
  end)
  return outcome, recalled, spent
end

-- Seconds that the training behind an outcome took, now or when it was stored.
local function seconds_of(outcome)
  return outcome.metrics.seconds or evaluation.seconds_of(outcome.epochs, #outcome.epochs)
end

-- Of a trial that only followed a stored one the seconds of its training; 0 where a trial before has counted them, and
-- nil where the trial is this script's.
local function followed_seconds(self, outcome)
  if self.walk.run then return nil end
  local has_counted = outcome.has_counted
  outcome.has_counted = true
  return has_counted and 0.0 or seconds_of(outcome)
end

-- What can be trained of architectures, as { record =, epochs = (nil: by the recipe) }: a function that gives each
-- with what it builds and its recipe.
local function each_trainable(self, asked)
  if not self.walk then begin_walk(self) end
  self.walk:expect(asked[1].record) -- whether stored trials follow, and so under which numeric version
  local i = 0
  return function()
    while i < #asked do
      i = i + 1
      local built = rebuild(self, asked[i].record)
      local own_recipe = recipe_of(self, built, asked[i].epochs)
      if evaluate.is_trainable(self, built, own_recipe) then
        return i, ahead_key(asked[i].record, asked[i].epochs), built, own_recipe
      end
    end
  end
end

-- Trains ahead of their trials what several architectures, as each_trainable takes them, have not yet.
local function train_ahead(self, asked, workers)
  if #asked < 2 or not self.store:path() then return end
  current = self
  local _ <close> = watch(self)
  local each = each_trainable(self, asked) -- begins the walk, which knows the versions
  if workers > 1 then
    ahead.by_workers(self, each, versions_of(self), workers)
  else
    ahead.here(self, each, versions_of(self))
  end
end

-- The trial of one architecture; its outcome may be there already.
local function evaluate_one(self, record, epochs)
  current = self
  core.check_interrupt()
  local built = rebuild(self, record)
  local own_recipe = recipe_of(self, built, epochs)
  if not self.walk then begin_walk(self) end
  local is_followed = self.walk:begin(record) ~= nil
  local outcome, recalled, spent = watched_outcome(self, built, own_recipe, is_followed, self.number + 1)
  outcome.network = built.arch.network
  local key = ahead_key(record, epochs)
  local trained_ahead = self.ahead[key]
  recalled = recalled and not trained_ahead
  self.ahead[key] = nil
  self.walk:take(record, outcome)
  self.number = self.walk.number
  if trained_ahead == "by workers" then
    spent = seconds_of(outcome)
  end
  if not recalled then self.trained[self.number] = spent + (trained_ahead ~= "by workers" and trained_ahead or 0.0) end
  local made = trial.new(self.number, record, outcome, recalled, {}, self.of_trials)
  local accuracy = outcome.status == "ok" and outcome.metrics.accuracy
  if accuracy then self.best_accuracy = math.max(self.best_accuracy or 0.0, accuracy) end
  self.progress:expect(self.expected)
  self.progress:count(self.number, self.best_accuracy, followed_seconds(self, outcome))
  return made
end

local function check_epochs(owner, epochs)
  return check.optional(check.integer, owner, "epochs", epochs, 1, recipe.MAX_EPOCHS)
end

local function check_workers(self, owner, workers)
  workers = check.integer(owner, "workers", workers or 1, 1, 256)
  if workers > 1 and not self.store:path() then
    check.fail("%s: workers need a study with a path, which they share", owner)
  end
  return workers
end

function Study:evaluate(record, options)
  local owner = "study:evaluate"
  arch.check(owner, "architecture", record)
  if options == nil then return evaluate_one(self, record) end
  options = check.options(owner, options, { "epochs" })
  return evaluate_one(self, record, check_epochs(owner, options.epochs))
end

function Study:evaluate_all(records, options)
  local owner = "study:evaluate_all"
  options = check.options(owner, options, { "epochs", "workers" })
  local workers, epochs = check_workers(self, owner, options.workers), check_epochs(owner, options.epochs)
  if type(records) ~= "table" then
    check.fail("%s: architectures are %s; expected a list", owner, check.show(records))
  end
  local asked, trials = {}, {}
  for i = 1, #records do
    asked[i] = { record = arch.check(owner, ("architecture %d"):format(i), records[i]), epochs = epochs }
  end
  train_ahead(self, asked, workers)
  for i, each in ipairs(asked) do trials[i] = evaluate_one(self, each.record, epochs) end
  return trials
end

-- What a search of an agent evaluates by (search.lua).
function searcher(self, owner, workers)
  workers = check_workers(self, owner, workers)
  return {
    space = self.space,
    failed_count = next(self.failed) ~= nil,
    has_values = function() return self.data:info().task == "values" end,
    epochs = self.recipe.epochs,
    prepare = function(asked) train_ahead(self, asked, workers) end,
    seconds = function(of) -- also of one that has failed
      return of.seconds or of.epoch_count > 0 and evaluation.seconds_of(of.epochs, of.epoch_count) or 0.0
    end,
    evaluate = function(asked) return evaluate_one(self, asked.record, asked.epochs) end,
    log = function(of, values) of:log(values) end,
    flush = function() flush(self) end,
    expect = function(count) self:expect(count and self.number + count) end,
  }
end

function Study:run(agent, options)
  local owner = "study:run"
  search.check_agent(owner, agent) -- first: a table may be the options in its place
  options = check.options(owner, options, search.OPTIONS)
  return search.run(owner, agent, options, searcher(self, owner, options.workers))
end

function Study:expect(count)
  self.expected = check.optional(check.integer, "study", "trials", count, 0)
end

--- An iterator over the trials so far, in order.
function Study:each()
  if not self.walk then return function() end end
  local next_row = self.walk:rows()
  return function()
    local row = next_row()
    return row
      and trial.from_row(row, not self.trained[row.number], stored.epochs_reader(self, row), self.of_trials)
  end
end

function Study:trials()
  local list = {}
  for each in self:each() do list[#list + 1] = each end
  return list
end

function Study:random()
  self.stream = self.stream or core.stream(self.seed, "script")
  return self.stream
end

-- ---- Results ---------------------------------------------------------------------------------------

function Study:best(count, metric)
  count = check.optional(check.integer, "study:best", "count", count, 0)
  return report.best(self:each(), count, check.string("study:best", "metric", metric or report.metric(self)))
end

function Study:pareto(options)
  return objectives.front("study:pareto", self:each(), options)
end

function Study:rescore(reward)
  if not self.walk then begin_walk(self) end
  self.walk:flush()
  return stored.rank(self, self.walk.study, reward, function(row)
    return trial.from_row(row, true, stored.epochs_reader(self, row), self.of_other_runs)
  end)
end

function Study:final(subject, options)
  local owner = "study:final"
  options = check.options(owner, options, { "intent" })
  local intent = check.string(owner, "intent", options.intent)
  final.check_data(owner, self.data)
  if type(subject) ~= "table" or not subject.model and not subject.evaluate then
    check.fail("%s: the network is %s; expected a trial or a model", owner, check.show(subject))
  end
  if not self.walk then begin_walk(self) end
  return final.evaluate(self, subject.model and subject:model() or subject, intent)
end

function Study:fingerprint()
  return fingerprint.of(self:each())
end

function Study:report(rows)
  self.progress:clear()
  rows = check.integer("study:report", "rows", rows or report.ROWS, 0)
  io.stdout:write(report.text(self, rows))
  io.stdout:flush()
  self.reported = self.number
end

function Study:csv(path)
  check.string("study:csv", "path", path)
  local ok, message = csv.write(path, function() return self:each() end)
  if not ok then check.fail("study:csv: %s", message) end
end

--- Writes what is not written yet. Other processes can continue the run then; this study has no further trials.
function Study:close()
  if self.walk then self.walk:finish() end
end

Study.__close = Study.close

function Study:__tostring()
  return ("luanas.Study: %s on %s"):format(text_table.counted(self.number, "trial"), self.data.name)
end

--- Prints the table so far of the study that was used last, unless no trial is new. The program calls it when a
--- script ends by Ctrl-C.
function study.interrupted()
  local own = current
  if not own then return end
  current = nil -- all is told then, and who makes it anew at a prompt may go on with its run
  own.progress:clear()
  if own.number ~= (own.reported or 0) then
    io.stdout:write(("\ninterrupted after %s\n"):format(text_table.counted(own.number, "trial")))
    own:report()
  end
  local path = own.store:path()
  if path then
    own:say("what is finished is in %s; %s", path, script.again(own.walk and own.walk.running or {}))
  end
end

--- Closes all studies, and raises the first error of those that can't be closed when the others are. The program calls
--- it when a script has come to its end; with a problem it has not, and takes the same fresh seeds when it runs again.
function study.close_all(problem)
  local failure
  for each in pairs(open_studies) do
    local closed, message = pcall(each.close, each)
    if not closed then failure = failure or message end
  end
  if failure then error(failure, 0) end
  for _, each in ipairs(problem == nil and fresh_seeds or {}) do
    check.must(each.store.end_fresh, each.store, each.seed)
  end
  open_studies, fresh_seeds = setmetatable({}, { __mode = "k" }), {}
end

detached.add_to(Study, "study", function(self)
  flush(self)
  return self.store:path()
end)
check.colons("study", Study)

return setmetatable(study, { __call = function(_, options) return new(options) end })
