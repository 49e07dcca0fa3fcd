--- Training side by side: jobs in a store, the processes that do them, and who waits for them.
---
--- A job is the canonical text of a network with all that its evaluation depends on, as JSON. Who trains it holds the
--- evaluation's lock, so that the results do not depend on how many workers there are, nor on who dies.
local core = require "luanas.core"
local check = require "luanas.check"
local data = require "luanas.data"
local evaluation = require "luanas.evaluation"
local recipe = require "luanas.recipe"
local text_table = require "luanas.text_table"

local worker = {}

local PAUSE = 0.05      -- seconds between looks for work
local LOOK_SECONDS = 1  -- between looks for who else works
local IDLE_SECONDS = 1  -- after which a worker that shall end has no more work

-- ---- Working ---------------------------------------------------------------------------------------

local Worker = { __name = "luanas.Worker" }
Worker.__index = Worker

function Worker:say(format, ...)
  if not self.quiet then io.stderr:write("luanas worker: ", format:format(...), "\n") end
end

function Worker.before_training() end -- nothing is pending

-- Data sets are kept: the next job has the same one.
local function data_of(self, source)
  local text = core.json_encode(source)
  self.sources[text] = self.sources[text] or data[source.kind](source.options)
  return self.sources[text]
end

-- Trains what a job asks for, under its lock.
local function train(self, id, output, own_recipe, key)
  local began = core.clock()
  if not check.must(self.store.begin_job, self.store, id) then return end
  local made, recalled, too_large = evaluation.get_claimed(self, output, own_recipe, key, nil, function() end)
  check.must(self.store.end_job, self.store, id, too_large)
  if made and not recalled then
    local last = made.epochs[#made.epochs]
    self.trained = self.trained + 1
    self:say("network %d: %s in %.1f s, accuracy %s", self.trained, text_table.counted(#made.epochs, "epoch"),
      core.clock() - began, last and last.accuracy and ("%.4f"):format(last.accuracy) or "unknown")
  end
end

-- Does a job, unless another process is at it; whether it did.
local function try(self, id, text)
  local job = core.json_decode(text)
  self.data, self.evaluation_seed, self.limits = data_of(self, job.data), job.seed, { seconds = job.seconds }
  self.checkpoint, self.states, self.predictions = job.checkpoint, job.states, job.predictions
  local output, problem = core.network_parse(job.network)
  if not output then check.fail("%s", problem) end
  local own_recipe = recipe.new(job.train)
  local key = evaluation.key(self, output, own_recipe)
  if key.data ~= job.identity then check.fail("its data are others here: %s", self.data.name) end
  local lock <close>, message, code = check.core(self.store.lock_evaluation, self.store, key, "trains a network")
  if code == "NAS_BUSY" then return false end
  if not lock then check.fail("%s", message) end
  train(self, id, output, own_recipe, key)
  return true
end

-- Goes once through all jobs; whether anything was done, and whether there were any that others may still do.
local function round(self)
  local busy, waiting, after = false, false, 0
  while true do
    local id, text = check.must(self.store.next_job, self.store, after)
    if not id then return busy, waiting end
    after = id
    if self.skipped[id] ~= text then
      local ok, result = pcall(try, self, id, text)
      if ok then
        busy, waiting = busy or result, waiting or not result
      elseif check.is_interrupt(result) then
        error(result, 0)
      else -- here: elsewhere the data may be there
        self.skipped[id] = text
        self:say("a network can't be trained here: %s", tostring(result))
      end
    end
  end
end

--- Does jobs until Ctrl-C or, with `once`, until there are none. options: { threads =, once =, quiet = }.
function worker.run(store, options)
  local self = setmetatable({
    store = store, quiet = options.quiet, sources = {}, trained = 0, speed = { threads = options.threads },
    skipped = {}, -- texts of the jobs that can't be done here, by their ids
  }, Worker)
  store:begin_session {
    program = "luanas worker", isa = core.machine().isa, threads = options.threads or core.machine().threads,
  }
  local idle_since = core.clock()
  while true do
    local busy, waiting = round(self)
    if busy or waiting then idle_since = core.clock() end
    if options.once and core.clock() - idle_since > IDLE_SECONDS then return end
    if not busy then core.sleep(PAUSE) end
  end
end

-- ---- Having worked ---------------------------------------------------------------------------------

-- What a worker needs, or nil where that has no text.
local function job_text(study, network, own_recipe)
  if own_recipe.loss or not study.data.source then return nil end
  local ok, text = pcall(core.json_encode, {
    network = network:text(), data = study.data.source, identity = study.data:info().identity,
    train = own_recipe.settings, seed = study.evaluation_seed, seconds = study.limits.seconds,
    checkpoint = study.checkpoint, states = study.states, predictions = study.predictions,
  })
  return ok and text or nil
end

--- Asks workers for the evaluation of what a space built, unless it is there. Returns the id of the job and the key of
--- the evaluation, or nil.
function worker.ask(study, built, own_recipe, versions)
  local text = job_text(study, built.network, own_recipe)
  if not text then return nil end
  local key = evaluation.key(study, built.output, own_recipe)
  if evaluation.is_stored(study, key, own_recipe, versions) then return nil end
  return check.must(study.store.add_job, study.store, key, text), key
end

-- Adds them to a list, so that those that were started are ended where another one can't be.
local function start(processes, path, count, threads)
  local program = os.getenv "LUANAS_PROGRAM" or core.program()
  for i = 1, count do
    local process, problem = core.spawn(program, "worker", path, "--once", "--quiet", "--threads", tostring(threads))
    if not process then check.fail("%s; set LUANAS_PROGRAM to the path of the program luanas", problem) end
    processes[i] = process
  end
end

-- The jobs (a map of ids to anything) that are left to workers, as a list of ids.
local function left_of(store, jobs)
  local left, id = {}, 0
  while true do
    id = check.must(store.next_job, store, id)
    if not id then return left end
    if jobs[id] then left[#left + 1] = id end
  end
end

-- Tells, once for each job, which process other than these trains it.
local function tell_others(study, jobs, left, processes, told)
  local ours = {}
  for _, process in ipairs(processes) do ours[process:id()] = true end
  for _, id in ipairs(left) do
    local lock, message, code = check.core(study.store.lock_evaluation, study.store, jobs[id], "looks")
    if lock then lock:close() end
    local process = code == "NAS_BUSY" and math.tointeger(tonumber(message:match "^process (%d+) on"))
    if process and not ours[process] and not told[id] then
      told[id] = true
      study:say("waiting: %s", message)
    end
  end
end

--- Jobs that a study asks for: a map of their ids to the keys of their evaluations. When it is closed they are ended.
function worker.jobs(store)
  return setmetatable({}, { __close = function(jobs)
    for id in pairs(jobs) do check.core(store.end_job, store, id) end
  end })
end

--- Has `count` processes do jobs and returns when none is left, or no process. What they
--- could not do is left to the study. `observe` gets how many are left, from time to time.
function worker.wait(study, jobs, count, observe)
  local processes = {}
  local _ <close> = setmetatable({}, { __close = function()
    for _, process in ipairs(processes) do process:close() end
  end })
  start(processes, study.store:path(), count, math.max(1, (study.speed.threads or core.machine().threads) // count))
  local told, looked = {}, core.clock()
  while true do
    local left, running = left_of(study.store, jobs), false
    observe(#left)
    if #left == 0 then return end
    for _, process in ipairs(processes) do running = running or process:running() end
    if not running then return end
    if core.clock() - looked > LOOK_SECONDS then
      tell_others(study, jobs, left, processes, told)
      looked = core.clock()
    end
    core.sleep(PAUSE)
  end
end

return worker
