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
      for i, trial in ipairs(trials) do lu.assertEquals(trial.number, i) end
      lu.assertEquals(query "SELECT * FROM job", {})
      lu.assertEquals(query "SELECT DISTINCT program FROM epoch JOIN session ON session = session.id",
        { { program = "luanas worker" } })
    end
  end
end

function T.test_what_workers_cannot_do_the_study_does()
  local y = core.tensor({ 20 }, "int32")
  for i = 1, 20 do y[i] = i % 10 + 1 end
  local data = nas.data.tensors { x = core.tensor({ 20, 8, 8, 1 }, "uint8"), y = y, classes = 10 }
  local _, trials = fingerprint({ path = path, data = data }, 2, spaces.tiny)
  lu.assertEquals(#trials, 4)
  lu.assertEquals(query "SELECT id FROM session WHERE program = 'luanas worker'", {})
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
