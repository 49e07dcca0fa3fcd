-- Files that are opened without the scripts that made them.
local lu = require "luaunit"
local core = require "luanas.core"
local files = require "files"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local path = files.path

-- Two runs, the second of which leaves the first at trial 3, and a study with another recipe.
local function make()
  local made = {}
  for round = 1, 2 do
    local study <close> = spaces.study { path = path, predictions = true }
    local policy = nas.policy { seed = 1 }
    for i = 1, 4 do
      made[i] = study:evaluate(policy:sample(spaces.tiny))
      made[i]:log { reward = i < 3 and i or i * round }
    end
  end
  local other <close> = spaces.study { path = path, name = "other", train = { epochs = 1 } }
  other:evaluate(nas.policy({ seed = 1 }):sample(spaces.tiny))
  return made
end

function T.test_what_a_script_saw_is_there_without_it()
  local made = make()
  local file <close> = nas.open(path)
  lu.assertEquals(#file:studies(), 2)
  lu.assertEquals(file:study().name, "other")
  lu.assertEquals(file:study("other").id, 2)
  local study = file:study(1)
  local runs = study:runs()
  for _, run in ipairs(runs) do run.arguments = nil end
  lu.assertEquals(runs, { { id = 1, first = 1, trials = 4 }, { id = 2, parent = 1, first = 3, trials = 4 } })
  local trials = study:trials()
  lu.assertEquals(#trials, 4)
  for i, trial in ipairs(trials) do
    lu.assertEquals(trial.run, i < 3 and 1 or 2)
    lu.assertEquals(trial.metrics, made[i].metrics)
    lu.assertEquals(trial.logged, made[i].logged)
    lu.assertEquals(files.curve(trial), files.curve(made[i]))
    lu.assertEquals(trial.arch:line(), made[i].arch:line())
  end
  lu.assertEquals(study:trials(1)[4].logged.reward, 4)
  local best = study:best()
  for i = 2, #best do lu.assertTrue(best[i - 1].accuracy >= best[i].accuracy) end
  lu.assertEquals(#study:best(1, "params"), 1)
  local ranked = study:rescore(function(trial) return -trial.params end)
  lu.assertEquals(ranked[1].trial.params, study:best(1, "params")[1].params)
  lu.assertEquals(#ranked, #best)
end

-- What a body prints.
local function output_of(body)
  local output = {}
  files.with(io, "stdout", files.stream(output), body)
  return table.concat(output)
end

function T.test_the_report_of_a_script_without_it()
  local first
  do
    local study <close> = spaces.study { path = path }
    local function reward(trial) return trial.accuracy - trial.params / 1000 end
    study:run(nas.agents.reinforce { seed = 1 }, { trials = 5, reward = reward })
    first = output_of(function() study:report(2) end)
  end
  local file <close> = nas.open(path)
  local study, count = file:study(), 0
  local text = output_of(function() study:report(2) end)
  local pattern = "(%d+ trials of %d+ different networks; )%d recalled, (0 failed; )[%d.]+"
  lu.assertEquals(text:gsub("(0 failed; )[%d.]+", "%1"), (first:gsub(pattern, "%1%2")))
  lu.assertTrue(tonumber(text:match "0 failed; ([%d.]+) s of training") < 60)
  for trial in study:each() do
    count = count + 1
    lu.assertEquals(trial.number, count)
  end
  lu.assertEquals(count, 5)
  lu.assertErrorMsgContains("study:each: study 1 has no run 7", study.each, study, 7)
end

-- Another process may have made them.
function T.test_a_study_says_where_the_trials_of_others_are()
  local study <close> = spaces.study { path = path }
  lu.assertEquals(output_of(function() study:report() end), "no trials yet\n")
  do
    local other <close> = spaces.study { path = path }
    other:run(nas.agents.reinforce { seed = 1 }, { trials = 3 })
  end
  lu.assertEquals(output_of(function() study:report() end), ("no trials of this study yet; %s has 3 trials, which "
    .. 'nas.open("%s"):study() shows\n'):format(path, path))
end

function T.test_one_of_each_is_no_plural()
  local study <close> = spaces.study { path = path }
  study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
  lu.assertStrContains(tostring(study), "luanas.Study: 1 trial on ")
  local text = output_of(function() study:report() end)
  lu.assertStrContains(text, "\n1 trial of 1 different network; 0 recalled")
  study:close()
  local file <close> = nas.open(path)
  lu.assertEquals(tostring(file:study()), "luanas.OpenedStudy: study 1, 1 run")
end

function T.test_models_and_predictions()
  local made = make()
  local digest = made[1]:model():outputs(core.tensor { 1, 8, 8, 1 })
  for _, keep in ipairs { true, false } do
    if not keep then
      local store <close> = core.store(path)
      store:keep_states(0)
    end
    local file <close> = nas.open(path)
    local study = file:study(1)
    local trial = study:trials()[1]
    local epoch_calls = files.calls(debug.getregistry()["luanas.Trainer"].__index, "epoch", function()
      local outputs = trial:model():outputs(core.tensor { 1, 8, 8, 1 })
      for i = 1, 10 do lu.assertEquals(outputs:get(1, i), digest:get(1, i)) end
    end)
    lu.assertEquals(epoch_calls, keep and 0 or 2) -- from the state, or trained again
    local predicted, labels, right = trial:predictions(), study.data:targets "validation", 0
    local count = labels:shape()[1]
    for i = 1, count do right = right + (predicted:get(i) == labels:get(i) and 1 or 0) end
    lu.assertEquals(right / count, trial.accuracy)
  end
end

function T.test_nothing_is_written_and_errors_are_told()
  make()
  local file <close> = nas.open(path)
  local study = file:study(1)
  lu.assertErrorMsgContains("trial 1, log: its study is open to be read only", function()
    study:trials()[1]:log { x = 1 }
  end)
  lu.assertErrorMsgContains("there is no study 7; there are:\n  1 ", file.study, file, 7)
  lu.assertErrorMsgContains("study 1 has no run 3", study.trials, study, 3)
  lu.assertErrorMsgContains("reward is NaN", study.rescore, study, function() return 0 / 0 end)
  lu.assertErrorMsgContains("no trial has the metric \"nothing\"", study.best, study, 1, "nothing")
  lu.assertErrorMsgContains("no such file", nas.open, "/nowhere.db")
  files.remove()
  core.store(path):close()
  local empty <close> = nas.open(path)
  lu.assertErrorMsgContains("there are no studies in ", empty.study, empty)
  lu.assertErrorMsgContains("open: path is 3", nas.open, 3)
end

function T.test_a_dot_for_a_colon()
  do
    local study <close> = spaces.study { path = path }
    study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
  end
  local file <close> = nas.open(path)
  lu.assertErrorMsgContains("file:study is called with a dot; expected a colon, as in file:study(...)", file.study, 1)
  lu.assertErrorMsgContains("file:status is called with a dot", file.status)
  lu.assertErrorMsgContains("study:trials is called with a dot", file:study().trials, 1)
end

function T.test_data_without_a_text()
  local y = core.tensor({ 20 }, "int32")
  for i = 1, 20 do y[i] = i % 10 + 1 end
  local data = nas.data.tensors { x = core.tensor({ 20, 8, 8, 1 }, "uint8"), y = y, classes = 10 }
  do
    local study <close> = spaces.study { path = path, data = data }
    study:evaluate(nas.arch "kernel=3{1,3} filters=2{2,4}")
  end
  local file <close> = nas.open(path)
  local trial = file:study():trials()[1]
  lu.assertEquals(#trial.epochs, 2)
  lu.assertErrorMsgContains("study 1: its data or its loss have no text", trial.model, trial)
end

function T.test_a_damaged_study_is_not_read()
  make()
  files.damage("SELECT text FROM study WHERE id = 1", "evaluation_seed=0", "evaluation_seed=3")
  local file <close> = nas.open(path)
  local message = "study 1 is damaged: its checksum is another"
  lu.assertErrorMsgContains(message, file.studies, file)
  lu.assertErrorMsgContains(message, file.study, file, 1)
  lu.assertEquals(#file:study(2):trials(), 1)
end

return files.each_without(T)
