-- What the prompt prints of values.
local lu = require "luaunit"
local core = require "luanas.core"
local layout = require "luanas.layout"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local nn, show = nas.nn, nas.show

local function check(value, expected, options)
  lu.assertEquals(show.text(value, options), expected)
end

-- What a call prints.
local function printed(call, ...)
  local parts, stdout = {}, io.stdout
  local stream = { write = function(_, ...) parts[#parts + 1] = table.concat { ... } end }
  io.stdout = stream -- luacheck: ignore 122
  local ok, problem = pcall(call, ...)
  io.stdout = stdout -- luacheck: ignore 122
  lu.assertTrue(ok, problem)
  return table.concat(parts)
end

-- ---- Values ----------------------------------------------------------------------------------------

function T.test_single_values()
  check(nil, "nil")
  check(true, "true")
  check(12, "12")
  check(1.0, "1.0")
  check(-0.5, "-0.5")
  check("text", '"text"')
  check('a "b" \\ \t\1', '"a \\"b\\" \\\\ \\t\\001"')
  check("a\nb\0", '"a\\nb\\000"')
  check("größer", '"größer"')
  check("\xff\xfe", '"\\xFF\\xFE"')
end

function T.test_texts_of_several_lines_are_shown_as_they_are()
  check("a\n  b\n", "a\n  b")
  local lines = {}
  for i = 1, 150 do lines[i] = "line " .. i end
  lu.assertStrMatches(show.text(table.concat(lines, "\n")), "line 1\n.*\nline 100\n%.%.%. 50 more lines")
end

function T.test_long_strings_are_cut()
  check(("x"):rep(2000), '"' .. ("x"):rep(1000) .. '"... (2000 bytes)')
  check({ ("x"):rep(100) }, '{ "' .. ("x"):rep(50) .. '"... (100 bytes) }', { width = 100 })
  check({ ("ä"):rep(100) }, '{ "' .. ("ä"):rep(25) .. '"... (200 bytes) }')
  check({ "a" .. ("ä"):rep(100) }, '{ "a' .. ("ä"):rep(24) .. '"... (201 bytes) }')
end

function T.test_functions()
  check(nn.conv2d, "function nas.nn.conv2d(input, options); help(nas.nn.conv2d) tells more")
  check(nas.policy().steps, 'function policy:steps(); help "policy:steps" tells more')
  check(print, "function, in C")
  lu.assertStrMatches(show.text(function(a, b, ...) return a, b, ... end), "function%(a, b, %.%.%.%), .*show.lua:%d+")
  check({ print, function(a) return a end }, "{ function, function(a) }")
end

-- ---- Tables ----------------------------------------------------------------------------------------

function T.test_tables_in_a_line()
  check({}, "{}")
  check({ 1, 2, "x", { true } }, '{ 1, 2, "x", { true } }')
  check({ b = 1, a = { c = {} }, [10] = 2, [true] = 3, ["odd key"] = 4, [2.5] = 5, ["end"] = 6 },
    '{\n  [true] = 3,\n  [2.5] = 5,\n  [10] = 2,\n  a = { c = {} },\n  b = 1,\n  ["end"] = 6,\n  ["odd key"] = 4\n}',
    { width = 40 })
end

function T.test_long_lists_are_cut()
  local list = {}
  for i = 1, 123 do list[i] = i * i end
  check(list, [[
{
  1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225, 256, 289, 324,
  361, 400, 441, 484, 529, 576, 625, 676, 729, 784, 841, 900, ... 93 more
}]])
end

function T.test_many_tables_are_cut_altogether()
  local big = {}
  for i = 1, 1000 do
    big[i] = { {} }
    for k = 1, 1000 do big[i][1][k] = { k } end
  end
  local text = show.text(big)
  lu.assertTrue(#text < 20000, #text)
  lu.assertStrContains(text, "... 970 more")
end

function T.test_depth_and_cycles()
  check({ a = { b = { c = { d = { e = 1 } } } } }, "{ a = { b = { c = { d = { ... } } } } }")
  check({ { { 1 } } }, "{ { { ... } } }", { depth = 2 })
  check({ { { 1 } } }, "{ { ... } }", { depth = 1 })
  local cycle = { name = "x" }
  cycle.self, cycle.list = cycle, { cycle }
  check(cycle, [[
{
  list = { <a table that contains this one> },
  name = "x",
  self = <a table that contains this one>
}]])
  local shared = {}
  check({ shared, shared }, "{ {}, {} }")
end

function T.test_lists_of_records_are_tables()
  check({ { name = "a", x = 1, y = true }, { name = "bc", x = 12.5 } }, "name     x  y\na        1  true\nbc    12.5")
  check({ { id = 1, values = { 1, 2 } }, { id = 2, values = {} } }, "id  values\n 1  { 1, 2 }\n 2  {}")
  check({ { a = "x\ny" }, { a = 0.1 } }, "a\nx\\ny\n0.1")
  check({ { alpha = 1, beta = 2, gamma = 3, delta = 4 }, { alpha = 1 } },
    "alpha  beta  delta\n    1     2      4\n    1\nand gamma", { width = 20 })
  local list = {}
  for i = 1, 50 do list[i] = { i = i } end
  lu.assertStrMatches(show.text(list), " i\n 1\n.*\n30\n%.%.%. 20 more; nas%.show%(list, { items = 50 }%) shows all")
  lu.assertStrMatches(show.text(list, { items = 40 }), " i\n 1\n.*\n40\n%.%.%. 10 more;.*")
  lu.assertEquals(select(2, show.text(list, { items = 50 }):gsub("\n", "")), 50)
  local long = ("x"):rep(60) -- a cell has what room the others leave
  local function cell(width) return show.text({ { a = 1, b = long }, { a = 2, b = "" } }, { width = width }) end
  lu.assertStrContains(cell(80), long)
  lu.assertStrMatches(cell(50), "a  b\n1  x+…\n2")
  lu.assertEquals(utf8.len(cell(50):match "1  x+…"), 50)
  lu.assertEquals(utf8.len(cell(35):match "1  x+…"), 35)
  check({ { a = 1 } }, "{ { a = 1 } }")
  check({ { a = 1 }, { 2 } }, "{ { a = 1 }, { 2 } }")
end

function T.test_modules_say_what_they_have()
  check(nas.schedule, [[
module nas.schedule: Learning rate schedules: by what factor an optimiser's rate
  is multiplied in each step of a training.
constant, cosine, exponential, factor, step
help(nas.schedule) tells more]])
  lu.assertStrContains(show.text(nas), "\nhelp(nas) tells more")
end

function T.test_objects_that_fail()
  local function with(meta) return setmetatable({ 1 }, meta) end
  local fails = with { __tostring = function() error("boom", 0) end }
  check(fails, "a table, whose __tostring fails: boom")
  check(with { __tostring = function() error {} end }, "a table, whose __tostring fails: a table")
  check(with { __name = "Thing", __tostring = function() return {} end },
    "Thing, whose __tostring fails: '__tostring' must return a string")
  check({ fails, with { __tostring = function() return "two\nlines" end } },
    "{ a table, whose __tostring fails: boom, two }")
  local function refuse() error "no" end
  check(with { __index = refuse, __len = refuse, __pairs = refuse, __eq = refuse, __call = refuse }, "{ 1 }")
  check({ setmetatable({ a = 1 }, { __index = refuse }), setmetatable({ b = 2 }, { __index = refuse }) },
    "a  b\n1\n   2")
  check(with { __tostring = function() return "\27[2J\7\tab" end }, "?[2J?\tab")
  check(setmetatable({}, { __metatable = "locked" }), "{}")
  check(with { __name = "Thing" }, "Thing { 1 }")
  check({ with { __name = "Thing" } }, "{ Thing }")
end

function T.test_an_interrupt_passes()
  local stopped = setmetatable({}, { __tostring = function() error("interrupted!", 0) end })
  lu.assertErrorMsgEquals("interrupted!", show.text, stopped)
  lu.assertErrorMsgEquals("interrupted!", show.text, { stopped })
end

function T.test_colours()
  check({ 1, "x", k = true }, '{ \27[36m1\27[0m, \27[32m"x"\27[0m, \27[94mk\27[0m = true }', { colour = true })
  local list = {}
  for i = 1, 40 do list[i] = i end
  local plain = show.text(list)
  lu.assertEquals(show.text(list, { colour = true }):gsub("\27%[%d*m", ""), plain)
end

-- ---- Tensors ---------------------------------------------------------------------------------------

function T.test_small_tensors()
  check(nas.tensor { { 1, 2.5 }, { -3, 1e-6 } },
    "tensor float32 {2, 2}: min -3, mean 0.125, max 2.5\n      1    2.5\n     -3  1e-06")
  check(nas.tensor({ 1, 2, 3 }, "uint8"), "tensor uint8 {3}: min 1, mean 2, max 3\n   1   2   3")
  check(nas.tensor { { { 1, 2 } }, { { 3, 4 } }, { { 5, 6 } } },
    "tensor float32 {3, 1, 2}: min 1, mean 3.5, max 6\n[1]\n   1   2\n... 1 more\n[3]\n   5   6")
  check(nas.tensor { 1, 0 / 0 }, "tensor float32 {2}: min NaN, mean NaN, max NaN\n    1  NaN")
  check({ nas.tensor { 3, 4 } }, "{ tensor float32 {2} }")
  local closed = nas.tensor { 1 }
  closed:close()
  check(closed, "luanas.Tensor (closed)")
end

function T.test_large_tensors()
  check(nas.tensor.zeros({ 13, 40 }, "int32"), [[
tensor int32 {13, 40}: min 0, mean 0, max 0
   0   0   0   0   0   0   0   0 ...   0
   0   0   0   0   0   0   0   0 ...   0
   0   0   0   0   0   0   0   0 ...   0
   0   0   0   0   0   0   0   0 ...   0
 ...
   0   0   0   0   0   0   0   0 ...   0
   0   0   0   0   0   0   0   0 ...   0]], { width = 43 })
  local shown = show.text(nas.tensor.zeros { 12, 10 }) -- such as a confusion of classes: whole
  lu.assertEquals(select(2, shown:gsub("\n" .. ("   0"):rep(10), "")), 12)
  lu.assertNotStrContains(shown, "...")
  local row = ("   0"):rep(20) .. "\n"
  check(nas.tensor.zeros { 1000000 }, "tensor float32 {1000000}: min 0, mean 0, max 0\n" .. row:rep(3)
    .. "  ... 999920 more\n" .. row:sub(1, -2))
end

function T.test_tensors_keep_within_the_width()
  local stream = nas.stream(1, "show")
  for _, shape in ipairs { { 1 }, { 50 }, { 7, 7 }, { 100, 100 }, { 3, 3, 1, 4 }, { 2, 28, 28, 1 }, { 1, 1 } } do
    local tensor = nas.tensor.zeros(shape)
    local flat = tensor:reshape { tensor:size() }
    for i = 1, tensor:size() do flat[i] = 1e6 * (stream:number() - 0.5) end
    for _, width in ipairs { 20, 33, 80 } do
      for line in show.text(tensor, { width = width }):gmatch "[^\n]+" do
        lu.assertTrue(layout.width(line) <= width, line)
      end
    end
  end
end

-- ---- Networks, architectures, policies -------------------------------------------------------------

function T.test_networks_and_layers()
  local x = nn.input { 8, 8, 1 }
  local y = nn.dense(nn.conv2d(x, { kernel = 3, filters = 2, activation = "relu" }), { units = 10 })
  local drawn = [[
   #  layers             from  output  parameters   MACs
○  1  input                    8x8x1            0      0
●  2  conv 3x3, 2, relu  1     8x8x2           20  1,152
●  4  dense 10           2     10           1,290  1,280
1,310 parameters, 2,432 multiply-accumulates]]
  check(y, "luanas.Node: dense 10, output {10}\n" .. drawn)
  check(core.network(y), "luanas.Network: 4 layers, 1310 parameters, 2432 multiply-accumulates\n" .. drawn)
  local both = nn.add { x, nn.input { 8, 8, 1 } } -- two inputs are no network
  lu.assertStrMatches(show.text(both), "luanas%.Node: [^\n]*, output {8, 8, 1}")
end

function T.test_architectures()
  check(nas.arch "kernel=3{1,3} filters=32{32,48,64} kernel=1{1,3} filters=64{32,48,64}", [[
architecture of 4 decisions
#  kernel  filters
1       3       32
2       1       64]])
  check(nas.arch "kernel=3{1,3} pool=true{true,false}", "architecture of 2 decisions\nkernel=3 pool=true")
  check(nas.arch "", "architecture of 0 decisions\n(no decisions)")
  local sampled = nas.policy():sample(spaces.tiny)
  lu.assertStrMatches(show.text(sampled),
    "architecture of 2 decisions, log%-probability %-1%.%d+, sample 1\nkernel=%d filters=%d")
  sampled = nas.policy():sample(nas.space.paper_cnn { input = { 8, 8, 1 }, classes = 10, depth = 3 })
  lu.assertStrContains(show.text(sampled), "\n#  height  width  filters  skip\n")
end

function T.test_policies()
  check(nas.policy(), [[
luanas.Policy: seed 1, 0 samples, 0 steps, 9,975 parameters so far
  beta1=0.5 beta2=0.999 clip_norm=0 epsilon=1e-08 forget_bias=0 init=0.4 l2=0
  layers=1 rate=0.006 tanh_constant=2.5 temperature=1 units=35 value_rate=0.0006
policy:show(space) shows what it thinks of a space]])
end

function T.test_probabilities()
  local agent = nas.agents.independent()
  lu.assertEquals(show.policy(agent.policy, spaces.tiny, { samples = 4 }), [[
kernel   1 █████       50%  3 █████       50%
filters  2 █████       50%  4 █████       50%
means over 4 samples; entropy of an architecture 1.39 nats]])
  lu.assertEquals(show.policy(agent.policy, spaces.tiny, { samples = 1, width = 25 }), [[
kernel   1 ██    50%
         3 ██    50%
filters  2 ██    50%
         4 ██    50%
means over 1 sample;
entropy of an
architecture 1.39 nats]])
end

function T.test_probabilities_are_those_of_the_policy()
  local policy = nas.policy()
  policy:sample(spaces.student, 3)
  local before = policy:bytes()
  local text = show.policy(policy, spaces.student, { samples = 1 })
  local record = policy:sample(spaces.student)
  local score = policy:score(record)
  lu.assertEquals(record.sample, 4)
  for i, decision in ipairs(record.decisions) do
    for k, p in ipairs(score.decisions[i].probabilities) do
      local percent = math.floor(100 * p + 0.5)
      lu.assertStrMatches(text, (".*%s %d [^\n]*%s +[^ ]+ +%d%%%%.*"):format(decision.name, decision.occurrence,
        decision.options.shorts[k], percent))
    end
  end
  lu.assertEquals(policy:bytes(), before)
end

function T.test_decisions_that_are_not_always_made()
  local text = show.policy(nas.policy(), spaces.branching, { samples = 50 })
  lu.assertStrMatches(text, "kind [^\n]*%%\n.*\npool [^\n]*%%  in %d+%%\n.*")
  lu.assertStrMatches(show.policy(nas.policy(), nas.space.paper_cnn { input = { 8, 8, 1 }, classes = 10, depth = 3 },
    { samples = 3 }), "height 1 .*\nfilters 2 .*\nskip 2 <%- 1  false .*\nheight 3 .*\nskip 3 <%- 1  false .*\n"
    .. "skip 3 <%- 2  false .*")
end

function T.test_policy_show_prints()
  local policy = nas.policy()
  lu.assertEquals(printed(policy.show, policy, spaces.tiny, { samples = 5 }),
    show.policy(policy, spaces.tiny, { samples = 5 }) .. "\n")
  lu.assertErrorMsgContains('policy:show: unknown option "sample"; known options: samples, width', policy.show, policy,
    spaces.tiny, { sample = 5 })
  lu.assertErrorMsgContains("show.policy: space is nil; expected a function", show.policy, policy)
  lu.assertErrorMsgContains("show.policy: policy is 3; expected one", show.policy, 3, spaces.tiny)
  lu.assertErrorMsgContains("show.policy: policy is a luanas.agents.reinforce; expected one", show.policy,
    nas.agents.reinforce(), spaces.tiny)
  lu.assertErrorMsgContains("show.policy: samples is 0; expected an integer of at least 1", show.policy, policy,
    spaces.tiny, { samples = 0 })
end

-- ---- Searches, data, models ------------------------------------------------------------------------

-- Numbers as #, for tables with measured ones.
local function without_numbers(text)
  return (text:gsub("%d+%.%d+", "#"):gsub(" +#", " #"))
end

function T.test_studies_and_trials()
  local path = os.tmpname()
  local study = spaces.study { path = path }
  check(study, "luanas.Study: 0 trials on synthetic\nno trials yet")
  study:run(nas.agents.random_sample { seed = 3 }, { trials = 4 })
  local text = show.text(study)
  lu.assertStrMatches(text, "luanas%.Study: 4 trials on synthetic\nrank  accuracy.*\n4 trials of .*\nfingerprint of .*")
  local trials = study:trials()
  lu.assertStrMatches(show.text(trials), "trial  status  accuracy  parameters  seconds  reward  architecture\n"
    .. "    1  ok .*\n    4  ok .*")
  text = without_numbers(show.text(trials[1]))
  lu.assertStrMatches(text, "trial 1: ok\nkernel=%d filters=%d\naccuracy +.*\nlogged reward +.*\n"
    .. "epoch  accuracy    loss  train_loss\n    1 # # #\n    2 # # #")
  lu.assertStrContains(show.text(study:rescore(function(trial) return trial.number end)), "reward  run  trial\n")
  study:close()
  local file <close> = nas.open(path)
  lu.assertEquals(show.text(file), "luanas.File: " .. path .. "\nstudy  name  runs  trials\n    1           1       4")
  text = show.text(file:study())
  lu.assertStrMatches(text, "luanas%.OpenedStudy: study 1, 1 run\nrun  leaves  trials  arguments\n  1               4"
    .. ".*\nthe best of all runs:\ntrial  status  accuracy .*")
  for _, suffix in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. suffix) end
end

function T.test_many_trials_are_cut()
  local study = spaces.study()
  study:run(nas.agents.random_sample(), { trials = 40 })
  lu.assertStrMatches(show.text(study:trials()), "trial .*\n   30  ok .*\n%.%.%. 10 more; "
    .. "nas%.show%(list, { items = 40 }%) shows all")
  lu.assertStrMatches(show.text(study:trials(), { items = 40 }), "trial .*\n   40  ok [^\n]*")
end

function T.test_failed_trials()
  local study = spaces.study { space = spaces.fragile }
  local trial = study:evaluate(nas.space.by_hand(spaces.fragile, { kernel = 5, filters = 2 }))
  lu.assertStrMatches(show.text(trial), "trial 1: failed, .*\nkernel=5 filters=2")
  lu.assertStrContains(show.text { trial }, "trial  status  ")
end

function T.test_data()
  local data = spaces.data()
  check(data, layout.fit(data:describe():gsub("\n+$", ""), 80))
  check(nas.data.csv { path = "/nonexistent.csv", target = "y" },
    "luanas.Data: csv, not loaded yet: /nonexistent.csv cannot be opened: No such\n  file or directory")
end

function T.test_models()
  local network = nn.dense(nn.input { 8, 8, 1 }, { units = 10 })
  local model = nas.train(network, spaces.data(),
    { epochs = 2, batch = 20, optimizer = nas.sgd { rate = 0.1 }, quiet = true })
  local text = show.text(model)
  lu.assertEquals(without_numbers(text), [[
luanas.TrainedModel: 650 parameters, of epoch 2, trained on synthetic
trained on  synthetic, epoch 2, batch 20, sgd with rate #
validation  accuracy #, loss #
 #  layers    from  output  parameters  MACs
○  1  input           8x8x1            0     0
●  2  dense 10  1     10             650   640
650 parameters, 640 multiply-accumulates]])
  lu.assertStrMatches(show.text(model.core), "luanas%.Model: .*\n650 parameters, .*")
  lu.assertStrMatches(show.text(model.history), "epoch  accuracy  best .*\n    2 .*\nand .*per_class")
  lu.assertEquals(show.text(model:summary()), (model:summary():gsub("\n+$", "")))
  model:close()
  lu.assertStrMatches(show.text(model), "luanas%.TrainedModel.*closed.*")
end

function T.test_what_tells_of_itself()
  check(nas.reward.moving_average(0.9), "luanas.MovingAverage: decay 0.9, nothing after 0 rewards")
  lu.assertStrMatches(show.text(nas.agents.reinforce()),
    "luanas%.agents%.reinforce {\n.*\n  policy = luanas%.Policy: .*\n}")
  lu.assertStrMatches(show.text(nn.dense(nn.input { 1 }, { units = 2 }):plan { seconds = 0 }), "#  layer .*")
end

function T.test_everything_within_a_narrow_terminal()
  local study = spaces.study()
  study:run(nas.agents.random_sample(), { trials = 3 })
  for _, value in ipairs {
    study, study:trials(), study:trials()[1], nas.policy(), nas.policy():sample(spaces.student), nn,
    study:trials()[1]:model(),
  } do
    lu.assertNil(show.text(value):find "\n$")
    for line in show.text(value, { width = 20 }):gmatch "[^\n]+" do
      local words = select(2, line:gsub("%S+", ""))
      lu.assertTrue(layout.width(line) <= 20 or words <= 2, line)
    end
  end
end

function T.test_show_prints()
  lu.assertEquals(printed(show, { 1, 2 }), "{ 1, 2 }\n")
  lu.assertEquals(printed(show, { 1, 2 }, { width = 20, colour = true }), "{ \27[36m1\27[0m, \27[36m2\27[0m }\n")
end

function T.test_options()
  lu.assertErrorMsgContains("show.text: width is 5; expected an integer of at least 20", show.text, 1, { width = 5 })
  lu.assertErrorMsgContains("show.text: depth is 0; expected an integer of at least 1", show.text, 1, { depth = 0 })
  lu.assertErrorMsgContains("show.text: colour is 1; expected true or false", show.text, 1, { colour = 1 })
  lu.assertErrorMsgContains('show.text: unknown option "color"; known options: colour, depth, items, width',
    show.text, 1, { color = true })
end

-- ---- Images ----------------------------------------------------------------------------------------

local function two_images()
  local images = core.tensor_from({ { { 0, 255 }, { 0, 255 } }, { { 255, 255 }, { 128, 0 } } }, "uint8")
  return images[1], images[2]
end

function T.test_images_as_shades()
  local first, second = two_images()
  lu.assertEquals(printed(nas.plot.image, { first, second }, nil, { captions = { "one", "two" } }), [[
    ████  ████████
    ████  ████████
    ████  ▒▒▒▒
    ████  ▒▒▒▒
one       two
]])
  lu.assertEquals(printed(nas.plot.image, core.tensor_from { { -1, 1 } }), "    ████\n    ████\n")
  lu.assertEquals(printed(nas.plot.image, core.tensor { 1, 8 }), "▒▒▒▒▒▒▒▒\n")
  local wide = core.tensor({ 200, 200, 3 }, "uint8"):fill(255)
  local text = printed(nas.plot.image, wide)
  lu.assertEquals(text, (("█"):rep(67) .. "\n"):rep(34))
end

-- An image of fewer rows than a pixel stands for; and what is left over at the edges.
function T.test_images_that_are_wide_and_low()
  local low = core.tensor({ 2, 500 }, "uint8"):fill(255)
  lu.assertEquals(printed(nas.plot.image, low), ("█"):rep(72) .. "\n") -- of 7 columns each, the last one of 3
  low[{ {}, { 1, 497 } }] = 0
  lu.assertEquals(printed(nas.plot.image, low), (" "):rep(71) .. "█\n")
  local higher = core.tensor({ 9, 500 }, "uint8") -- two rows of pixels, the second one of 2
  higher[{ { 8, 9 } }] = 255
  lu.assertEquals(printed(nas.plot.image, higher), ("▒"):rep(72) .. "\n")
end

function T.test_images_in_colours()
  local images = require "luanas.images"
  local pixel = core.tensor({ 2, 8, 3 }, "uint8")
  pixel[1]:fill(200)
  lu.assertEquals(images.text({ pixel }, nil, 80, true), "\27[38;2;200;200;200;48;2;0;0;0m" .. ("▀"):rep(8) .. "\27[0m")
  local row = core.tensor({ 1, 8, 1 }, "uint8")
  lu.assertEquals(images.text({ row }, nil, 80, true), "\27[38;2;0;0;0;49m" .. ("▀"):rep(8) .. "\27[0m")
end

function T.test_images_of_a_data_set()
  local data = spaces.data { height = 8, width = 8 }
  local text = printed(data.show, data, { 1, -1 })
  lu.assertStrMatches(text, ".*\n1: class 1  60: class 10\n")
  lu.assertStrMatches(printed(data.show, data, 17), "[^\n]+\n[^\n]+\n[^\n]+\n[^\n]+\n17: class 7\n")
  local rows = nas.data.tensors { x = core.tensor { 20, 3 }, y = core.tensor { 20 }, name = "rows" }
  lu.assertErrorMsgContains("data:show: rows has no images", rows.show, rows, 1)
  lu.assertErrorMsgContains("data:show: image is 0; expected 1 to 60, or -1 to -60 from the end", data.show, data, 0)
  lu.assertErrorMsgContains("data:show: image is 61; expected an integer from -60 to 60", data.show, data, 61)
  lu.assertErrorMsgContains("data:show: which is nil; expected the number of an image, or a list", data.show, data)
  lu.assertErrorMsgContains("data:show: which is an empty list;", data.show, data, {})
  local values = nas.data.tensors { x = core.tensor { 20, 4, 4 }, y = core.tensor { 20 }, name = "values" }
  lu.assertStrContains(printed(values.show, values, 3), "3: 0\n")
end

function T.test_images_in_files()
  local path = os.tmpname() .. ".png"
  local first, second = two_images()
  nas.plot.image({ first, second, first }, path, { across = 2, zoom = 2 })
  local picture = core.read_png(path)
  lu.assertEquals(picture:shape(), { 10, 10, 1 })
  lu.assertEquals(picture:select(3, 1)[1]:totable(), { 0, 0, 255, 255, 0, 0, 255, 255, 255, 255 })
  lu.assertEquals(picture:select(3, 1)[8]:totable(), { 0, 0, 255, 255, 0, 0, 0, 0, 0, 0 })
  nas.plot.image(core.tensor({ 4, 4, 3 }, "uint8"), path)
  lu.assertEquals(core.read_png(path):shape(), { 224, 224, 3 })
  os.remove(path)
  lu.assertErrorMsgContains('plot.image: path is "a.svg"; expected the name of a .png file', nas.plot.image, first,
    "a.svg")
  lu.assertErrorMsgContains("/nonexistent/a.png", nas.plot.image, first, "/nonexistent/a.png")
  lu.assertErrorMsgContains("plot.image: zoom is 0; expected an integer from 1 to 100", nas.plot.image, first, path,
    { zoom = 0 })
  lu.assertErrorMsgContains("plot.image: the image is a tensor {2, 2, 2}; expected a tensor {height, width}",
    nas.plot.image, core.tensor { 2, 2, 2 })
  lu.assertErrorMsgContains("plot.image: image 2 is 3; expected a tensor", nas.plot.image, { first, 3 })
  lu.assertErrorMsgContains("plot.image: image 2 is nil; expected a tensor", nas.plot.image, { first, nil, second })
  lu.assertErrorMsgContains("plot.image: the list of images is empty", nas.plot.image, {})
  lu.assertErrorMsgContains("plot.image: the numbers of the image are not all finite", nas.plot.image,
    core.tensor_from { { 1, 0 / 0 } })
  lu.assertErrorMsgContains("plot.image: captions are 3; expected a list of strings", nas.plot.image, first, nil,
    { captions = 3 })
end

function T.test_filters()
  local x = nn.conv2d(nn.input { 8, 8, 1 }, { kernel = 3, filters = 4, activation = "relu" })
  x = nn.conv2d(x, { kernel = 1, filters = 2 })
  local model = nas.train(nn.dense(x, { units = 10 }), spaces.data(), { epochs = 1, quiet = true })
  local path = os.tmpname() .. ".png"
  nas.plot.filters(model, path, { across = 4, zoom = 1 })
  local picture = core.read_png(path)
  os.remove(path)
  lu.assertEquals(picture:shape(), { 3, 15, 1 })
  lu.assertEquals({ picture:min(), picture:max() }, { 0, 255 })
  lu.assertStrMatches(printed(nas.plot.filters, model), "[^\n]+\n.*")
  lu.assertStrMatches(printed(nas.plot.filters, model, nil, { layer = 4, input = 4 }), "[^\n]+\n.*")
  lu.assertErrorMsgContains("plot.filters: input is 5; expected an integer from 1 to 4", nas.plot.filters, model, nil,
    { layer = 4, input = 5 })
  lu.assertErrorMsgContains("plot.filters: layer is 3; layers with filters are 2, 4", nas.plot.filters, model, nil,
    { layer = 3 })
  lu.assertErrorMsgContains("plot.filters: model is 3; expected a model", nas.plot.filters, 3)
  local dense = nas.train(nn.dense(nn.input { 8, 8, 1 }, { units = 10 }), spaces.data(), { epochs = 1, quiet = true })
  lu.assertErrorMsgContains("plot.filters: layer is nil; the model has no convolutions", nas.plot.filters, dense)
end

return T
