-- Every example runs, at a tiny size, in the program.
local files = require "sample_files"
local lu = require "luaunit"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"

-- Output (with standard error) and exit status of a command.
local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read "a"
  local _, kind, status = pipe:close()
  return output, kind == "exit" and status or kind
end

-- What an example says when its data is not there, and the Debian package that has it.
local ABSENT = {
  ["Fashion%-MNIST .* was not found"] = "dataset-fashion-mnist",
  ["seattle%-weather%.csv cannot be opened"] = "python3-vega-datasets",
  ["mate/32x32/%w+ cannot be opened"] = "mate-icon-theme",
}

local function skip_without_data(output)
  for message, package in pairs(ABSENT) do lu.skipIf(output:find(message) ~= nil, package .. " is not installed") end
end

local function example(name, arguments)
  local output, status = run(("'%s' '%s/examples/%s.lua' %s"):format(PROGRAM, SOURCE, name, arguments))
  skip_without_data(output)
  return output, status
end

local function fingerprint(output)
  return output:match "fingerprint of [^:]*: (%x+)"
end

local TINY = "--trials 3 --epochs 1 --limit 250"

local function check(name, ...)
  local path = os.tmpname()
  local output, status = example(name, TINY .. " --csv " .. path)
  lu.assertEquals(status, 0, output)
  for _, text in ipairs { "rank  accuracy", "3 trials of ", "entropy", "kl 0.0000", ... } do
    lu.assertStrContains(output, text)
  end
  lu.assertStrContains(output:match "([^\n]*)\n$", "--trials 20 --epochs 10")
  local lines = 0
  for _ in io.lines(path) do lines = lines + 1 end
  os.remove(path)
  lu.assertEquals(lines, 4)

  lu.assertEquals(fingerprint(example(name, TINY)), fingerprint(output))
  lu.assertNotEquals(fingerprint(example(name, TINY .. " --seed 2")), fingerprint(output))
end

function T.test_reinforce_baseline()
  check("reinforce_baseline", "+-0.1, clipped")
end

function T.test_reinforce()
  check("reinforce")
end

function T.test_child()
  local output, status = example("child", "--filters 16 --epochs 2 --seeds 2 --limit 250")
  lu.assertEquals(status, 0, output)
  lu.assertStrMatches(output:match "([^\n]*)\n$", "mean accuracy after the last epoch: 0%.%d+")
end

-- As one whose loss is not finite.
function T.test_child_that_fails()
  local folder = files.folder()
  files.write(folder, "limited.lua", ([[
    local nas = require "luanas"
    local study = nas.study
    function nas.study(options)
      options.limits = { params = 1 }
      return study(options)
    end
    dofile "%s/examples/child.lua"]]):format(SOURCE))
  local output, status = run(("'%s' %s/limited.lua --seeds 2 --limit 250"):format(PROGRAM, folder))
  files.remove(folder)
  skip_without_data(output)
  lu.assertEquals(status, 1)
  lu.assertStrContains(output, "luanas: seed 1: ")
  lu.assertStrContains(output, "is above the limit of 1")
end

function T.test_classifier()
  local output, status = example("classifier", "--epochs 1 --limit 250")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "113,386 parameters")
  lu.assertStrMatches(output:match "Ankle boot  [^\n]*\n([^\n]*)\n$", "validation accuracy 0%.%d+, loss %d+%.%d+")
end

function T.test_weather()
  local output, status = example("weather", "--epochs 5")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "1,217 parameters")
  lu.assertStrContains(output, "mean of the days that train  6.039\n")
  lu.assertStrContains(output, "least-squares fit            2.704\n") -- as NumPy's lstsq finds it
  lu.assertTrue(tonumber(output:match "network +([%d.]+)\n$") < 3.5, output)
end

function T.test_icons()
  local output, status = example("icons", "--epochs 1 --splits 1")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "29,846 parameters")
  lu.assertStrMatches(output:match "([^\n]*)\n$", "mean accuracy 0%.%d+; naming always the largest class: 0%.%d+")
end

function T.test_planted_reward()
  local output, status = example("planted_reward", "--trials 25 --seeds 2")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "networks 1296")
  lu.assertStrContains(output, "last 20 of 25 samples, 2 seeds")
  local one, of_one = example("planted_reward", "--trials 25 --seeds 2 --agent ppo")
  lu.assertEquals(of_one, 0, one)
  local line = one:match "\n(ppo [^\n]*)"
  lu.assertStrContains(output, line) -- whoever else runs
  lu.assertNotStrContains(one, "reinforce")
end

T.test_planted = T.test_planted_reward -- which runs it

function T.test_gradient_variance()
  local output, status = example("gradient_variance", "--steps 2 --points 1")
  lu.assertEquals(status, 0, output)
  local none = output:match "\n  none +([%d.]+)"
  lu.assertTrue(tonumber(none) > 100, output) -- rewards are 40 times their deviation
  lu.assertStrMatches(output, ".*\n  b%* +1  1%.000   0%.00.*")
  lu.assertStrContains(output, "after 2 samples")
end

-- Run again, it goes on where it was, and pays for what it has trained before.
local function remove_study(path)
  for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
end

function T.test_paper_cnn()
  local path = os.tmpname()
  os.remove(path)
  local arguments = "--seconds 1 --limit 250 --epochs 1 --batch 2 --grow 2 --path " .. path
  local output, status = example("paper_cnn", arguments)
  local again = example("paper_cnn", arguments)
  remove_study(path)
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "ended by: seconds")
  lu.assertStrContains(output, "skip=")
  lu.assertEquals(fingerprint(again), fingerprint(output))
end

-- The final phase takes what the searches have found.
function T.test_paper_cnn_final()
  local searches, final, found = os.tmpname(), os.tmpname(), os.tmpname()
  os.remove(searches)
  os.remove(final)
  local output, status = example("paper_cnn_searches", ("--seconds 1 --seeds 2 --limit 250 --epochs 1 --batch 2 "
    .. "--halving --again 2 --path %s --found %s"):format(searches, found))
  local arguments = ("--limit 250 --epochs 2 --images 300 --long 2 --top 1 --filters 12 --stride 2 --from %s --path %s")
    :format(found, final)
  local without_test = example("paper_cnn_final", arguments)
  local of_final, status_of_final = example("paper_cnn_final", arguments .. " --test")
  remove_study(searches)
  remove_study(final)
  os.remove(found)
  lu.assertEquals(status, 0, output)
  for _, text in ipairs {
    "  seconds  ", "chain 6 of 5x5, 24 filters", "reinforce, seed 2", "random_search, seed 2", "asha, seed 2",
  } do
    lu.assertStrContains(output, text)
  end
  lu.assertEquals(status_of_final, 0, of_final)
  local _, lines = of_final:gsub("\n +1 +0%.%d+ ", "")
  lu.assertEquals(lines, 12)
  lu.assertStrMatches(of_final, ".*validation accuracy 0%.%d+; %d+ parameters, .*\ntest accuracy 0%.%d+\n.*")
  lu.assertStrContains(without_test, "run again with --test")
  lu.assertNotStrContains(without_test, "test accuracy")
end

-- One search of each agent has no interval.
function T.test_paper_cnn_searches()
  local folder = files.folder()
  local output, status = example("paper_cnn_searches", ("--seconds 1 --seeds 1 --limit 250 --epochs 1 --batch 1 "
    .. "--again 2 --path %s/a.db --found %s/found.txt"):format(folder, folder))
  local found = io.open(folder .. "/found.txt")
  if found then found:close() end
  files.remove(folder)
  lu.assertEquals(status, 0, output)
  lu.assertNotNil(found)
  lu.assertNotStrContains(output, "interval")
end

-- Lists that are none are told before any training.
function T.test_paper_cnn_final_with_bad_lists()
  local folder = files.folder()
  local function refused(text, message)
    files.write(folder, "found.txt", text)
    local output, status = example("paper_cnn_final", ("--from %s/found.txt"):format(folder))
    lu.assertEquals(status, 1, output)
    lu.assertStrContains(output, message)
  end
  local good = io.open(SOURCE .. "/examples/paper_cnn_found.txt"):read "l"
  refused("", "is empty; expected what paper_cnn_searches.lua has found")
  refused("0.8\n", "line 1: ")
  refused(good .. "\n" .. good:gsub(" %S+$", "") .. "\n", "line 2: decision 39 is no ")
  refused(good .. " more=1{1}\n", "line 1: 40 decisions; expected 39")
  refused(good:gsub("height=1", "size=1"), "line 1: decision 1 is no height of 3 options")
  files.remove(folder)
end

function T.test_paper_cnn_task()
  local task = dofile(SOURCE .. "/examples/paper_cnn_task.lua")
  local function epochs(...)
    local list = {}
    for i, accuracy in ipairs { ... } do list[i] = { accuracy = accuracy } end
    return list
  end
  lu.assertAlmostEquals(task.reward { status = "ok", accuracy = 0.5, epochs = epochs(0.5) }, 0.125, 1e-15)
  lu.assertAlmostEquals(
    task.reward { status = "ok", accuracy = 0.3, epochs = epochs(0.9, 0.2, 0.4, 0.5, 0.1, 0.3) }, 0.125, 1e-15)
  -- A child that diverges after good epochs counts as one that never learned.
  lu.assertAlmostEquals(task.reward { status = "failed", accuracy = 0.1, epochs = epochs(0.9, 0.8) }, 0.001, 1e-15)
end

function T.test_paper_cnn_noise()
  local output, status = example("paper_cnn_noise",
    "--children 2 --seeds 2 --epochs 1 --limit 250 --constant --augment")
  lu.assertEquals(status, 0, output)
  lu.assertStrMatches(output, "accuracy 0%.%d+; standard deviation between children 0%.%d+, between seeds .*\n")
end

-- On made-up files of CIFAR-10's form.
function T.test_paper_cifar10()
  local folder = files.folder()
  for i = 1, 5 do
    local images = {}
    for k = 1, 10 do images[k] = files.cifar(k - 1, 20 * k, 10 * i, 7) end
    files.write(folder, ("data_batch_%d.bin"):format(i), table.concat(images))
  end
  local output, status = example("paper_cifar10", ("--cifar %s --path %s/a.db --trials 2 --grow 1 --epochs 1 "
    .. "--limit 16 --validation 8"):format(folder, folder))
  files.remove(folder)
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "2 trials of 2 different networks")
end

function T.test_paper_figure7()
  local output, status = example("paper_figure7", "")
  lu.assertEquals(status, 0, output)
  for _, text in ipairs { "conv 7x1, 36, batch norm, relu", "Figure 7              4.11                  4209" } do
    lu.assertStrContains(output, text)
  end
end

function T.test_paper_schedule()
  local output, status = example("paper_schedule", "--samples 32 --grow 16 --seeds 2 --last 8")
  lu.assertEquals(status, 0, output)
  lu.assertStrMatches(output, ".*\n     6  0%.%d+ %+%- 0%.%d+ .*\n     8  0%.%d+ .*")
end

function T.test_own_agent()
  local output, status = example("own_agent", "--trials 30 --seeds 3")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, ", 0 failed")
  lu.assertStrContains(output, "\nbandit ")
end

function T.test_live_reward()
  local path = os.tmpname()
  local reward = path .. ".lua"
  local _ <close> = setmetatable({}, { __close = function()
    for _, ending in ipairs { "", "-wal", "-shm", "-lock", ".lua" } do os.remove(path .. ending) end
  end })
  os.remove(path)
  local arguments = ("--limit 250 --reward %s --path %s --trials "):format(reward, path)
  local output, status = example("live_reward", arguments .. "3")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "the best of all under the reward as it is now:\n0.")
  local file = assert(io.open(reward, "w"))
  file:write "return function(trial) return -trial.macs end"
  file:close()
  output = example("live_reward", arguments .. "4")
  lu.assertStrContains(output, ("luanas: version 2 of %s from trial 4 on; best under it: trial "):format(reward))
  lu.assertStrContains(output, "the best of all under the reward as it is now:\n-")
end

function T.test_own_reward()
  local output, status = example("own_reward", "--trials 4 --limit 250")
  lu.assertEquals(status, 0, output)
  for _, text in ipairs { "worst class", "less above a million MACs", "Pareto front" } do
    lu.assertStrContains(output, text)
  end
end

function T.test_stride_space()
  local output, status = example("stride_space", "--trials 5 --limit 250 --macs 1000000")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "5 trials of ")
  lu.assertStrContains(output, "is above the limit of 1000000")
  local message, wrong = example("stride_space", "--trials 5 --agent reinforced")
  lu.assertEquals(wrong, 1)
  lu.assertStrContains(message, "there is no agent \"reinforced\"")
end

-- Run again, it trains nothing and says the same.
function T.test_student_project()
  local path = os.tmpname()
  os.remove(path)
  local arguments = "--updates 3 --epochs 1 --limit 250 --path " .. path
  local output, status = example("student_project", arguments)
  local again = example("student_project", arguments)
  for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
  lu.assertEquals(status, 0, output)
  for _, text in ipairs { "no baseline", "baseline, clip 0.05", "look-ahead", "actor-critic", "predicted" } do
    lu.assertStrContains(output, text)
  end
  lu.assertEquals(again:match "accuracy  .*the slides.*", output:match "accuracy  .*the slides.*")
  local function predicted(name) return tonumber(output:match("\n" .. name .. " [^\n]* (%S+)\n")) end
  local once = predicted "no baseline"
  lu.assertTrue(once > 1e-5, output)
  lu.assertAlmostEquals(predicted "look%-ahead", 1.811 * once, 2e-6) -- as a simulation of the agent has it
  local message, wrong = example("student_project", "--updates 1")
  lu.assertEquals(wrong, 2)
  lu.assertStrContains(message, '--updates: value is "1"; expected an integer of at least 2')
end

function T.test_plot_schedules()
  local output, status = example("plot_schedules", "--epochs 4 --batches 5 --warmup 1")
  lu.assertEquals(status, 0, output)
  lu.assertStrContains(output, "cosine, floor 0.1, warm-up")
  lu.assertStrContains(output, "  2.00                    1.000000")
  local path = os.tmpname()
  output, status = example("plot_schedules", "--epochs 4 --batches 5 --out " .. path .. ".svg")
  local file = io.open(path .. ".svg")
  local picture = file and file:read "a"
  if file then file:close() end
  os.remove(path .. ".svg")
  os.remove(path)
  if output:find("gnuplot, which draws, is not there", 1, true) then
    lu.assertEquals(status, 1)
  else
    lu.assertEquals(status, 0, output)
    lu.assertStrContains(picture, "</svg>")
  end
end

function T.test_the_main_job_is_short()
  local lines = 0
  for _ in io.lines(SOURCE .. "/examples/reinforce_baseline.lua") do lines = lines + 1 end
  lu.assertTrue(lines <= 60, lines .. " lines")
end

function T.test_every_example_is_tested()
  local names = run(("cd '%s/examples' && ls *.lua"):format(SOURCE))
  for name in names:gmatch "([%w_]+)%.lua" do lu.assertIsFunction(T["test_" .. name], name) end
end

function T.test_help_and_wrong_arguments()
  local help, status = example("reinforce_baseline", "--help")
  lu.assertEquals(status, 0)
  lu.assertStrContains(help, "--trials INTEGER")
  local message, wrong = example("reinforce_baseline", "--trails 3")
  lu.assertEquals(wrong, 2)
  lu.assertStrContains(message, "unknown argument --trails; known options: --help, --csv")
end

function T.test_ctrl_c_prints_the_table_so_far()
  local script = SOURCE .. "/examples/reinforce_baseline.lua"
  local output, status
  for _, seconds in ipairs { 5, 60 } do -- a first trial takes longer in a build with a sanitizer
    output, status = run(("timeout --preserve-status -s INT %d '%s' '%s' --trials 1000000 --limit 250")
      :format(seconds, PROGRAM, script))
    if output:find "rank" then break end
  end
  skip_without_data(output)
  lu.assertEquals(status, 130, output)
  local _, tables = output:gsub("interrupted after %d+ trials\nrank", "")
  lu.assertEquals(tables, 1, output)
end

return T
