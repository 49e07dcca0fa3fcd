--- A study: a space with data and recipe, its trials, and the store of evaluations behind them.
local core = require "luanas.core"
local arch = require "luanas.arch"
local build = require "luanas.build"
local check = require "luanas.check"
local csv = require "luanas.csv"
local evaluate = require "luanas.evaluate"
local fingerprint = require "luanas.fingerprint"
local memory = require "luanas.store.memory"
local progress = require "luanas.progress"
local recipe = require "luanas.recipe"
local replayer = require "luanas.choosers.replay"
local report = require "luanas.report"
local trial = require "luanas.trial"

local study = {}

local Study = { __name = "luanas.Study" }
Study.__index = Study

local OPTIONS = {
  "data", "evaluation_seed", "failed", "limits", "micro_batch", "path", "quiet", "seed", "space", "store", "threads",
  "train", "trials",
}
local DEFAULT_SEED = 1
local DEFAULT_EVALUATION_SEED = 0 -- a constant, so that all searches share their evaluations
local REPORT_ROWS = 10

local current -- the study that was used last: Ctrl-C prints its table

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

local function check_store(store)
  if store ~= nil and not (type(store) == "table" and store.find and store.put) then
    check.fail("study: store is %s; expected another study's field `store`", check.show(store))
  end
  return store
end

-- nas.study { ... }
local function new(options)
  local owner = "study"
  check.options(owner, options, OPTIONS)
  if options == nil or type(options.space) ~= "function" then
    check.fail("study: space is %s; expected a function(c) that returns a network",
      check.show(options and options.space))
  end
  if options.path ~= nil then
    check.fail("study: path is %s, but this version keeps studies in memory only; leave path out",
      check.show(options.path))
  end
  recipe.check("study: train", options.train)
  local self = setmetatable({
    space = options.space,
    data = check_data(options.data),
    train = options.train or {},
    seed = check.seed(owner, "seed", options.seed or DEFAULT_SEED),
    evaluation_seed = check.seed(owner, "evaluation_seed", options.evaluation_seed or DEFAULT_EVALUATION_SEED),
    limits = check_limits(options.limits),
    failed = check_failed(options.failed),
    speed = {
      threads = check.optional(check.integer, owner, "threads", options.threads, 1),
      micro_batch = check.optional(check.integer, owner, "micro_batch", options.micro_batch, 1),
    },
    store = check_store(options.store) or memory.new(),
    list = {},
  }, Study)
  self:expect(options.trials)
  self.progress = progress.new(check.optional(check.boolean, owner, "quiet", options.quiet))
  return self
end

-- ---- Trials ----------------------------------------------------------------------------------------

-- The space's network for a recorded architecture; it must be the one that was built at first.
local function rebuild(self, record)
  local built = build.run(self.space, replayer(record))
  local built_before = record.network or record.unbuildable -- not so where the record was read from text
  if built_before and built.arch.network ~= record.network then
    check.fail("study: the space built network %s for decisions with which it built %s before (%s); a space must be "
      .. "a pure function of its decisions", built.arch.network or "nothing", record.network or "nothing",
      tostring(record))
  end
  return built
end

-- The run begins with the first trial, when the data is at hand.
local function run_of(self)
  self.run = self.run or self.store:begin_run {
    seed = self.seed,
    evaluation_seed = self.evaluation_seed,
    numeric_version = core.numeric_version,
    data = self.data:info().identity,
    recipe = recipe.new(self.train).text,
  }
  return self.run
end

-- Ends the progress line however a trial ends; Ctrl-C prints the table so far. A to-be-closed variable and no
-- pcall, which the program lets Ctrl-C pass.
local function watch(self)
  return setmetatable({}, { __close = function(_, problem)
    if problem == nil then return self.progress:finish() end
    self.progress:clear()
    if check.is_interrupt(problem) then study.interrupted() end
  end })
end

local function watched_outcome(self, built, number)
  local epochs = recipe.new(self.train, built.train).epochs
  local _ <close> = watch(self)
  self.progress:begin(number, self.expected, epochs, self.best_accuracy)
  local outcome = evaluate.outcome(self, built, function(epoch) self.progress:step(epoch.epoch, epoch.accuracy) end)
  return outcome
end

function Study:evaluate(record)
  arch.check("study:evaluate", "architecture", record)
  current = self
  core.check_interrupt()
  local built = rebuild(self, record)
  local number = #self.list + 1
  local outcome = watched_outcome(self, built, number)
  outcome.number, outcome.arch, outcome.network = number, record, built.arch.network
  local run = run_of(self)
  local made = trial.new(outcome, function(at, values) self.store:log(run, at, values) end)
  self.store:append(run, made)
  self.list[number] = made
  if made.status == "ok" then self.best_accuracy = math.max(self.best_accuracy or 0.0, made.accuracy) end
  return made
end

function Study:expect(count)
  self.expected = check.optional(check.integer, "study", "trials", count, 0)
end

function Study:trials()
  return table.move(self.list, 1, #self.list, 1, {})
end

function Study:random()
  self.stream = self.stream or core.stream(self.seed, "script")
  return self.stream
end

-- ---- Results ---------------------------------------------------------------------------------------

function Study:best(count, metric)
  count = check.optional(check.integer, "study:best", "count", count, 0)
  metric = check.string("study:best", "metric", metric or "accuracy")
  local ranked, seen = {}, {}
  for _, candidate in ipairs(self.list) do
    local counts = candidate.status == "ok" and type(candidate.metrics[metric]) == "number"
    if counts and not seen[candidate.network] then
      seen[candidate.network] = true
      ranked[#ranked + 1] = candidate
    end
  end
  table.sort(ranked, function(a, b)
    local of_a, of_b = a.metrics[metric], b.metrics[metric]
    if of_a ~= of_b then return of_a > of_b end
    return a.number < b.number
  end)
  return table.move(ranked, 1, math.min(count or #ranked, #ranked), 1, {})
end

function Study:fingerprint()
  return fingerprint.of(self.list)
end

function Study:report(rows)
  self.progress:clear()
  rows = check.integer("study:report", "rows", rows or REPORT_ROWS, 0)
  io.stdout:write(report.text(self, rows))
  io.stdout:flush()
  self.reported = #self.list
end

function Study:csv(path)
  check.string("study:csv", "path", path)
  local ok, message = csv.write(path, self.list)
  if not ok then check.fail("study:csv: %s", message) end
end

function Study:__tostring()
  return ("luanas.Study: %d trials on %s"):format(#self.list, self.data.name)
end

--- Prints the table so far of the study that was used last, unless no trial is new. The program calls it when a script
--- ends by Ctrl-C.
function study.interrupted()
  if not current or #current.list == (current.reported or 0) then return end
  current.progress:clear()
  io.stdout:write(("\ninterrupted after %d trials\n"):format(#current.list))
  current:report()
end

return setmetatable(study, { __call = function(_, options) return new(options) end })
