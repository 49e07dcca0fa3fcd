-- Pictures: what gnuplot is told for each kind, what it makes of it, and what there is without it.
local lu = require "luaunit"
local core = require "luanas.core"
local files = require "files"
local gnuplot = require "luanas.plots.gnuplot"
local gnuplot_script = require "luanas.plots.gnuplot_script"
local nas = require "luanas"
local series = require "luanas.plots.series"
local spaces = require "spaces"
local nn, plot = nas.nn, nas.plot

local T = {}

local PROGRAM = os.getenv "LUANAS_PROGRAM"
local SEARCHES = { "accuracy", "curves", "entropy", "incumbent", "logged", "loss", "options", "pareto", "reward" }
local has_gnuplot = os.execute "command -v gnuplot >/dev/null 2>&1"

-- Made-up trials with the accuracies of a list, false: failed.
local function trials(accuracies)
  local list = {}
  for i, accuracy in ipairs(accuracies) do
    list[i] = {
      number = i, status = accuracy and "ok" or "failed", evaluation = i, epoch_count = 2,
      arch = nas.arch(("kernel=%d{1,3} filters=%d{2,4}"):format(i % 2 == 0 and 3 or 1, i > 2 and 4 or 2)),
      metrics = accuracy and { accuracy = accuracy, params = 1000 * i, macs = 10 * i } or {},
      logged = { reward = accuracy or 0, loss = -i, entropy = 1 / i, noted = "text" },
      epochs = accuracy and { { epoch = 1, accuracy = accuracy / 2 }, { epoch = 2, accuracy = accuracy } } or {},
    }
  end
  return list
end

-- What gnuplot is told when `draw` draws into a file, or for nil into the terminal.
local function told(draw, path)
  local text
  files.with(gnuplot, "draw", function(_, to, picture) text = gnuplot_script.text(picture, to) end, function()
    draw(path)
  end)
  return text
end

local function script(kind, subject, options)
  return told(function(path) plot[kind](subject, path, options) end, "a.svg")
end

-- The numbers of the data blocks of a script, a line of text for each block.
local function data(text)
  local blocks = {}
  for block in text:gmatch "<< END\n(.-)\nEND" do blocks[#blocks + 1] = block:gsub("\n", ", ") end
  return blocks
end

local function titles(text)
  local found = {}
  for title in text:match("\nplot (.*)"):gmatch " title '([^']*)'" do found[#found + 1] = title end
  return found
end

-- What is written to standard output while `body` runs.
local function output(body)
  local parts = {}
  files.with(io, "stdout", { write = function(_, ...) parts[#parts + 1] = table.concat { ... } end }, body)
  return table.concat(parts)
end

-- A folder for the files that `body`(folder) makes, which must be all that it leaves.
local function in_folder(body)
  local pipe = assert(io.popen "mktemp -d")
  local folder = pipe:read "l"
  pipe:close()
  local _ <close> = setmetatable({}, { __close = function() os.execute(("rm -r '%s'"):format(folder)) end })
  local names, original = {}, os.tmpname
  files.with(os, "tmpname", function()
    names[#names + 1] = original()
    return names[#names]
  end, function() body(folder) end)
  for _, name in ipairs(names) do lu.assertNil(io.open(name), name) end
  return #names
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- ---- What gnuplot is told --------------------------------------------------------------------------

function T.test_accuracy()
  local text = script("accuracy", trials { 0.5, 0.7, false, 0.6 }, { window = 2 })
  lu.assertEquals(data(text), { "1 0.5, 2 0.7, 4 0.6", "1 0.5, 2 0.6, 4 0.6", "3 0.476" })
  lu.assertEquals(titles(text), { "trials", "mean of 2 trials", "failed" })
  lu.assertStrContains(text, "set title 'Accuracy of each trial, and mean of 2'")
  lu.assertStrContains(text, "\nset xtics ('1' 1, '2' 2, '3' 3, '4' 4)\n")
  lu.assertStrContains(text, "set terminal svg noenhanced ")
  lu.assertEquals(titles(script("accuracy", trials { 0.5, 0.7 }, { window = 1 })), { "trials" })
end

-- Trials of which some have no value, and one has a value beside which the others vanish.
function T.test_means_are_those_of_their_window()
  local stream, points = nas.stream(1, "test"), {}
  for i = 1, 300 do
    if stream:integer(4) > 1 then points[#points + 1] = { i, i == 100 and 1e20 or stream:integer(1000) / 1000 } end
  end
  for _, window in ipairs { 1, 2, 7, 50, 299, 1000 } do
    for i, mean in ipairs(series.mean(points, window)) do
      local x, sum, count = points[i][1], 0.0, 0
      for k = 1, i do
        if points[k][1] > x - window then sum, count = sum + points[k][2], count + 1 end
      end
      lu.assertEquals(mean[1], x)
      lu.assertAlmostEquals(mean[2], sum / count, 1e-14 * sum)
    end
  end
  lu.assertEquals(series.mean({}, 3), {})
end

-- As many steps for a window of all trials as for one of one.
function T.test_a_wide_mean_takes_no_longer()
  local points = {}
  for i = 1, 2000 do points[i] = { i, 1 / i } end
  local function instructions(window)
    local sum = 0
    debug.sethook(function() sum = sum + 1 end, "", 100)
    series.mean(points, window)
    debug.sethook()
    return sum
  end
  local narrow, wide = instructions(1), instructions(2000)
  lu.assertTrue(wide < 2 * narrow, ("%d, then %d"):format(narrow, wide))
end

function T.test_failed_trials_count_as_their_study_says()
  local list = trials { 0.5, false }
  list[2].metrics.accuracy = 0.1
  lu.assertEquals(data(script("accuracy", list)), { "1 0.5", "1 0.5, 2 0.3", "2 0.1" })
end

-- A list by accuracy would look like learning.
function T.test_trials_are_drawn_in_the_order_in_which_they_were_made()
  local list = trials { 0.5, 0.7, 0.6 }
  lu.assertEquals(script("accuracy", { list[1], list[3], list[2] }), script("accuracy", list))
end

function T.test_values_without_an_accuracy()
  local list = trials { 0.5, 0.7, 0.6 }
  for i, trial in ipairs(list) do trial.metrics = { loss = 9, mean_absolute_error = 1 / i, params = i } end
  local text = script("incumbent", list)
  lu.assertEquals(data(text), { "1 1, 2 0.5, 3 0.3333333333333333" })
  lu.assertStrContains(text, "set title 'Best mean absolute error so far'")
  lu.assertEquals(data(script("pareto", list))[2], "1 1, 2 0.5, 3 0.3333333333333333")
  lu.assertEquals(data(script("incumbent", list, { metric = "loss" })), { "1 9, 3 9" })
end

function T.test_reward()
  local list = trials { 0.5, 0.7, 0.6 }
  local text = script("reward", list, { decay = 0.5 })
  lu.assertEquals(data(text), { "1 0.5, 2 0.7, 3 0.6", "1 0.5, 2 0.6, 3 0.6" })
  lu.assertEquals(titles(text), { "trials", "average of decay 0.5" })
  list[2].logged.baseline, list[3].logged.baseline = 0.25, 0.5
  text = script("reward", list)
  lu.assertEquals(data(text)[2], "2 0.25, 3 0.5")
  lu.assertEquals(titles(text), { "trials", "baseline" })
  lu.assertEquals(titles(script("reward", list, { decay = 0.5 })), { "trials", "average of decay 0.5" })
end

function T.test_logged_values()
  local list = trials { 0.5, 0.7, 0.6, false }
  local text = script("loss", list)
  lu.assertEquals(data(text), { "1 -1, 2 -2, 3 -3, 4 -4", "1 -1, 2 -1.5, 3 -2, 4 -2.5" })
  text = script("entropy", list)
  lu.assertEquals(data(text), { "1 1, 2 0.5, 3 0.3333333333333333, 4 0.25" })
  lu.assertStrContains(text, "set ylabel 'entropy in nats'")
  lu.assertEquals(data(script("logged", list, { name = "reward" })), { "1 0.5, 2 0.7, 3 0.6, 4 0" })
end

function T.test_long_searches_have_longer_means()
  local accuracies = {}
  for i = 1, 2000 do accuracies[i] = i / 2000 end
  lu.assertEquals(titles(script("accuracy", trials(accuracies))), { "trials", "mean of 40 trials" })
end

function T.test_incumbent()
  lu.assertEquals(data(script("incumbent", trials { 0.5, 0.4, 0.7, false, 0.6 })), { "1 0.5, 3 0.7, 5 0.7" })
  lu.assertErrorMsgContains("plot.incumbent: no trial has a metric \"accuracy\"; there are none", plot.incumbent,
    trials { false }, "a.svg", { metric = "accuracy" })
end

function T.test_shares_of_options()
  local text = script("options", trials { 0.5, 0.5, 0.5, 0.5 }, { window = 2 })
  lu.assertEquals(data(text), {
    "1 1, 2 0.5, 3 0.5, 4 0.5", "1 0, 2 0.5, 3 0.5, 4 0.5", -- kernel 1, 3, 1, 3
    "1 1, 2 1, 3 0.5, 4 0", "1 0, 2 0, 3 0.5, 4 1",         -- filters 2, 2, 4, 4
  })
  lu.assertStrContains(text, "set multiplot layout 1,2 title 'Shares of the options in the last 2 trials'")
  lu.assertStrContains(text, "set title 'kernel'")
  local list = trials { 0.5, 0.5 }
  list[1].arch, list[2].arch = nas.arch "k=1{1,3} k=3{1,3}", nas.arch "k=3{1,3}"
  text = script("options", list)
  lu.assertStrContains(text, "set title 'k 1'")
  lu.assertEquals(data(text), { "1 1, 2 0.5", "1 0, 2 0.5", "1 0", "1 1" }) -- trial 2 did not decide on k 2
  -- An anchor is no choice; its connections are.
  local anchor, link = [[skip=@"anchor"{@"anchor"}]], "skip.1=%s{false,true}"
  list[1].arch = nas.arch(("%s %s %s"):format(anchor, anchor, link:format "true"))
  list[2].arch = nas.arch(("%s %s %s"):format(anchor, anchor, link:format "false"))
  text = script("options", list)
  lu.assertStrContains(text, "set title 'skip 2 <- 1'")
  lu.assertEquals(data(text), { "1 0, 2 0.5", "1 1, 2 0.5" })
end

function T.test_pareto()
  local list = trials { 0.5, 0.4, 0.7, false, 0.6 }
  local text = script("pareto", list)
  lu.assertEquals(data(text), { "1000 0.5, 2000 0.4, 3000 0.7, 5000 0.6", "1000 0.5, 3000 0.7, 5000 0.7",
    "1000 0.5, 3000 0.7" })
  lu.assertStrContains(text, "'2,000' 2000")
  lu.assertStrContains(text, "unset logscale x")
  text = script("pareto", list, { cost = "macs", log = true })
  lu.assertStrContains(text, "\nset logscale x")
  lu.assertStrContains(text, "set xtics ('10' 10, '20' 20, '50' 50)")
  list[1].metrics.macs = 0
  lu.assertErrorMsgContains("macs of a trial is 0, which has no logarithm", plot.pareto, list, nil,
    { cost = "macs", log = true })
end

function T.test_front_and_ties()
  local function front(...) return series.front({ ... }, false) end
  lu.assertEquals(front({ 2, 1 }, { 1, 1 }, { 1, 0 }, { 3, 2 }), { { 1, 1 }, { 3, 2 } })
  lu.assertEquals(series.front({ { 2, 1 }, { 1, 1 }, { 3, 0 } }, true), { { 1, 1 }, { 3, 0 } })
end

function T.test_curves()
  local list = trials { 0.5, 0.4, 0.7, false }
  local text = script("curves", list)
  lu.assertEquals(data(text), { "1 0.25, 2 0.5", "1 0.2, 2 0.4", "1 0.35, 2 0.7" })
  lu.assertEquals(titles(text), { "trial 1: 0.5000", "trial 2: 0.4000", "trial 3: 0.7000" })
  lu.assertEquals(data(script("curves", list, { best = 1 })), { "1 0.35, 2 0.7" })
end

function T.test_several_searches()
  local both = { { title = "a", trials = trials { 0.5, 0.7 } }, { title = "b", trials = trials { 0.6, false } } }
  local text = script("accuracy", both)
  lu.assertEquals(titles(text), { "a", "b", "failed" })
  for _, kind in ipairs { "entropy", "incumbent", "pareto", "curves" } do
    lu.assertEquals(titles(script(kind, both)), { "a", "b" }, kind)
  end
  lu.assertStrContains(script("options", both), "set title 'b: filters'")
end

function T.test_lines_bands_and_points()
  local text = told(function(path)
    plot.lines(path, { lines = { { title = "l", points = { { 0, 1 }, { 1, 0 / 0 }, { 2, 1.5 } } } } })
  end, "a.png")
  lu.assertEquals(data(text), { "0 1, , 2 1.5" })
  lu.assertStrContains(text, "set terminal pngcairo noenhanced ")
  text = told(function(path)
    plot.bands(path, { bands = { { title = "b", x = { 1, 2 }, low = { 1, 2 }, middle = { 2, 3 }, high = { 3, 4 } } } })
  end, "a.svg")
  lu.assertEquals(data(text), { "1 1 3, 2 2 4", "1 2, 2 3" })
  lu.assertStrContains(text, "with filledcurves")
  text = told(function(path)
    plot.points(path, { points = { { title = "it's", value = 1, low = 0.5, high = 2 }, { title = "q", value = 3 } } })
  end, "a.svg")
  lu.assertEquals(data(text), { "3 2", "1 1 0.5 2" })
  lu.assertStrContains(text, "set ytics ('it''s' 1, 'q' 2)")
end

function T.test_sixels_fit_into_the_terminal()
  local function sixels(kind, list, width, height)
    local text
    files.with(gnuplot, "draw", function(_, _, picture)
      text = gnuplot_script.text(picture, nil, { width = width, height = height })
    end, function() plot[kind](list) end)
    return text
  end
  local list = trials { 0.5, 0.7 }
  local text = sixels("accuracy", list, 640, 400)
  lu.assertStrContains(text, "set terminal sixelgd truecolor noenhanced size 640,300 font 'sans-serif,11'")
  lu.assertNotStrContains(text, "set output")
  lu.assertEquals(data(text), data(script("accuracy", list)))
  lu.assertStrContains(sixels("accuracy", list, 3000, 2000), "size 1000,600 ")
  lu.assertStrContains(sixels("accuracy", list, 640, 100), "size 640,240 ")
  lu.assertStrContains(sixels("options", list, 640, 100), "size 640,370 ") -- higher than the terminal, but legible
end

function T.test_texts_are_quoted()
  local hostile = "it's \"a\" `touch x` $(x) @x \\n {/:Bold} \\"
  local list = { { title = hostile, trials = trials { 0.5 } } }
  local text = script("accuracy", list, { title = hostile, x = hostile, y = "a\nb\0c" })
  local inside = "'" .. hostile:gsub("'", "''") .. "'"
  lu.assertStrContains(text, "set title " .. inside)
  lu.assertStrContains(text, "set xlabel " .. inside)
  lu.assertStrContains(text, "set ylabel 'a b c'")
  lu.assertStrContains(text, " title " .. inside)
  -- Without what is in single quotes, nothing of it is left.
  lu.assertNil(text:gsub("'[^']*'", ""):find "touch")
  text = script("accuracy", list, { title = ("long "):rep(40) })
  lu.assertStrContains(text, [['."\n".'long ]])
  lu.assertStrContains(script("accuracy", list, { title = "\xff\xfe" }), "set title '??'")
  lu.assertStrContains(script("accuracy", { { title = ("x"):rep(99), trials = list[1].trials } }), "xxx...'")
end

-- ---- What it makes of it ---------------------------------------------------------------------------

function T.test_files_come_into_being()
  lu.skipIf(not has_gnuplot, "gnuplot is not installed")
  local accuracies = {}
  for i = 1, 40 do accuracies[i] = i % 7 > 0 and 0.5 + i / 100 end
  local of = {
    one = trials { 0.5 }, equal = trials { 0.1, 0.1, 0.1 }, many = trials(accuracies), none = trials { 0, 0 },
  }
  local drawings = 0
  local scripts = in_folder(function(folder)
    for name, list in pairs(of) do
      for k, kind in ipairs(SEARCHES) do
        local path = ("%s/%s %s it's.%s"):format(folder, name, kind, k % 2 == 0 and "png" or "svg")
        local title = ("`touch '%s/x'`"):format(folder)
        plot[kind](list, path, { name = kind == "logged" and "reward" or nil, title = title })
        drawings = drawings + 1
        lu.assertStrContains(read(path), k % 2 == 0 and "\x89PNG" or "</svg>")
      end
    end
    lu.assertNil(io.open(folder .. "/x"))
  end)
  lu.assertEquals(scripts, drawings)
end

function T.test_studies_are_drawn_running_and_opened()
  lu.skipIf(not has_gnuplot, "gnuplot is not installed")
  files.remove()
  local _ <close> = setmetatable({}, { __close = files.remove })
  local study <close> = spaces.study { path = files.path }
  local policy = nas.policy { seed = 1 }
  for i = 1, 3 do
    study:evaluate(policy:sample(spaces.tiny)):log { reward = i, loss = 1, entropy = 1, other = 2 }
  end
  study:close()
  local file <close> = nas.open(files.path)
  in_folder(function(folder)
    for _, kind in ipairs(SEARCHES) do
      local options = kind == "logged" and { name = "other" } or nil
      local pictures = {}
      for i, subject in ipairs { study, file:study(), study:trials(), { { title = "a", trials = study } } } do
        local path = ("%s/%d.svg"):format(folder, i)
        plot[kind](subject, path, options)
        pictures[i] = read(path)
      end
      lu.assertEquals(pictures[1], pictures[2])
      lu.assertEquals(#pictures, 4)
    end
  end)
end

function T.test_the_terminal()
  lu.skipIf(not has_gnuplot, "gnuplot is not installed")
  in_folder(function()
    local list = trials { 0.5, 0.7, false, 0.6 }
    for _, kind in ipairs(SEARCHES) do
      local text
      files.with(core, "terminal", function(stream) return stream == "output" and 100 or 200 end, function()
        text = output(function()
          plot[kind](list, nil, { name = kind == "logged" and "reward" or nil, title = "Größe" })
        end)
      end)
      lu.assertStrContains(text, "Gr??e")
      lu.assertStrContains(text, "+----")
      lu.assertNil(text:find "[\x80-\xff]", kind)
      for line in text:gmatch "[^\n]+" do lu.assertTrue(#line < 100, line) end
    end
    lu.assertStrContains(output(function()
      plot.bands(nil, { y = "up", bands = { { x = { 1, 2 }, low = { 1, 2 }, middle = { 2, 3 }, high = { 3, 4 } } } })
    end), "up")
    lu.assertStrContains(output(function()
      plot.points(nil, { points = { { title = "a name", value = 1, low = 0.5, high = 2 } } })
    end), "a name |")
  end)
end

function T.test_without_gnuplot()
  in_folder(function(folder)
    local code = [[
      local plot = require "luanas".plot
      plot.lines(nil, { title = "T", x = "x", lines = { { title = "l", points = { { 1, 2 }, { 3, 4000 } } } } })
      local points = { { title = "p", value = 1, low = 0, high = 2 }, { title = "q", value = 3 } }
      plot.points(nil, { x = "x", points = points })
      print(pcall(plot.lines, "]] .. folder .. [[/a.svg", { lines = { { points = { { 1, 2 } } } } }))]]
    local file <close> = assert(io.open(folder .. "/a.lua", "w"))
    file:write(code)
    file:close()
    local pipe <close> = assert(io.popen(("PATH= '%s' '%s/a.lua'"):format(PROGRAM, folder)))
    local hint = "gnuplot draws this; on Debian: apt-get install gnuplot-nox\n"
    lu.assertEquals(pipe:read "a", "T\nx      l\n1      2\n3  4,000\n" .. hint
      .. "\n   x  low  high\np  1    0     2\nq  3\n" .. hint
      .. ("false\t%s/a.lua:5: plot.lines: gnuplot, which draws, is not there; "):format(folder)
      .. "on Debian: apt-get install gnuplot-nox\n")
  end)
end

function T.test_tables_are_short()
  local accuracies = {}
  for i = 1, 100 do accuracies[i] = i / 100 end
  files.with(os, "execute", function() end, function()
    local list = trials(accuracies)
    for _, kind in ipairs(SEARCHES) do
      local text = output(function() plot[kind](list, nil, { name = kind == "logged" and "reward" or nil }) end)
      local _, lines = text:gsub("\n", "\n")
      lu.assertTrue(lines > 3 and lines < 30, kind .. "\n" .. text)
    end
  end)
end

-- ---- Networks --------------------------------------------------------------------------------------

-- The second convolution is taken by both of its successors, one of which skips it for the first.
local function small_network()
  local function conv(x, filters, options)
    options = options or {}
    options.filters, options.kernel = filters, options.kernel or 3
    return nn.conv2d(x, options)
  end
  local image = nn.input { 12, 12, 3 }
  local one = nn.relu(nn.batch_norm(conv(image, 4, { stride = { 2, 1 }, bias = false })))
  local two = nn.dropout(nn.max_pool(one, { pool = 2 }), { rate = 0.25 })
  local three = nn.concat({ one, two }, { align = "center" })
  local four = conv(three, 5, { kernel = { 1, 5 }, activation = "tanh" })
  local five = conv(nn.concat({ two, four }, { align = "center" }), 6, { padding = "valid", kernel = 3 })
  return nn.dense(nn.global_avg_pool(five), { units = 2 })
end

function T.test_a_network_in_the_terminal()
  local text = output(function() plot.network(small_network(), nil, { title = "Small" }) end)
  lu.assertEquals(text, [[
Small
        #  layers                                     from  output   parameters    MACs
○       1  input                                            12x12x3           0       0
●─┐     2  conv 3x3, 4, stride 2x1, batch norm, relu  1     6x12x4          116   7,776
●─│─┐   5  max pool 2x2, dropout 0.25                 2     3x6x4             0       0
●─┘ │   8  conv 1x5, 5, tanh                          2+5   6x12x5          205  14,400
●───┘  11  conv 3x3, 6, valid                         5+8   4x10x6          492  19,440
●      12  global average pool                        11    6                 0       0
●      13  dense 2                                    12    2                14      12
827 parameters, 41,628 multiply-accumulates
]])
end

-- Lanes that cross, that are taken twice, and that begin where another one ends.
function T.test_lanes_of_a_network()
  local x = { nn.input { 4, 4, 2 } }
  local function add(...)
    local inputs = {}
    for i, from in ipairs { ... } do inputs[i] = x[from] end
    local options = { filters = #x + 1, kernel = 1 } -- so that no two are the same
    x[#x + 1] = nn.conv2d(#inputs > 1 and nn.concat(inputs) or inputs[1], options)
  end
  for _, from in ipairs { { 1 }, { 2 }, { 1 }, { 2, 4 }, { 2, 3, 4 }, { 4, 5, 6 } } do add(table.unpack(from)) end
  local margins, text = {}, output(function() plot.network(x[#x]) end)
  lu.assertStrMatches(text, ".* multiply%-accumulates; ◌ does not take the line above\n")
  for line in text:gmatch "[^\n]+" do
    margins[#margins + 1] = line:match "^([^%d#]-) +%d"
  end
  lu.assertEquals(margins, { "○─┐", "●─│─┐", "◌─┴─│─┐", "●─┬─┤ │", "◌─│─│─┤", "●─│─┼─┘", "●─┴─┘" })
end

function T.test_a_network_in_a_file()
  in_folder(function(folder)
    local path = folder .. "/a.svg"
    plot.network(core.network(small_network()), path, { title = "a < b" })
    local file <close> = io.open(path)
    local svg = file:read "a"
    for _, part in ipairs { "^<svg ", "</svg>\n$", ">a &lt; b<", ">conv 3×3, 4, stride 2×1, batch norm, relu<",
      ">6×12×4<", ">7,776<" } do
      lu.assertStrMatches(svg, ".*" .. part:gsub("^%^", ""):gsub("%$$", "") .. ".*")
    end
    local _, arcs = svg:gsub("<path [^>]*fill=\"none\"", "")
    lu.assertEquals(arcs, 2)
  end)
end

function T.test_networks_that_are_refused()
  local function refused(text, ...) lu.assertErrorMsgContains("plot.network: " .. text, plot.network, ...) end
  refused("the network is 3; expected a network, its last layer, or a model", 3)
  refused("path is \"a.png\"; expected the name of a .svg file, or nil", small_network(), "a.png")
  refused("path is 3", small_network(), 3)
  refused("unknown option \"x\"", small_network(), nil, { x = 1 })
  refused("/nowhere/a.svg: No such file", small_network(), "/nowhere/a.svg")
end

-- ---- What is refused -------------------------------------------------------------------------------

function T.test_errors()
  local list = trials { 0.5, 0.7 }
  local function refused(text, kind, ...)
    lu.assertErrorMsgContains("plot." .. kind .. ": " .. text, plot[kind], ...)
  end
  refused("path is \"a.pdf\"; expected the name of a .svg or .png file, or nil", "accuracy", list, "a.pdf")
  refused("path has control characters", "accuracy", list, "a\n.svg")
  refused("path is 3", "accuracy", list, 3)
  refused("unknown option \"windows\"", "accuracy", list, nil, { windows = 3 })
  refused("window is 0", "accuracy", list, nil, { window = 0 })
  refused("title is 3", "accuracy", list, nil, { title = 3 })
  refused("decay is 2", "reward", list, nil, { decay = 2 })
  refused("there are no trials yet", "accuracy", {})
  refused("there are no trials of a", "accuracy", { { title = "a", trials = {} } })
  refused("title of search 1 is nil", "accuracy", { { trials = list } })
  refused("trials are 3; expected a study, a list of trials", "accuracy", 3)
  refused("trials are nil", "accuracy", nil)
  refused("trials are a table; expected", "accuracy", { title = "a", trials = list })
  refused("trial 2 is 7", "accuracy", { list[1], 7 })
  refused("search 2 is 7", "accuracy", { { title = "a", trials = list }, 7 })
  refused("no trial has a metric \"x\"; there are accuracy, macs, params", "accuracy", list, nil, { metric = "x" })
  refused("no trial of b has a logged \"reward\"; there are none", "reward",
    { { title = "a", trials = list }, { title = "b", trials = { { number = 1, metrics = {}, logged = {} } } } })
  refused("name is nil", "logged", list)
  refused("no trial has a logged \"noted\"", "logged", list, nil, { name = "noted" })
  refused("lines is nil; expected a list of { title =", "lines", "a.svg")
  refused("line 1 has no points", "lines", "a.svg", { lines = { { points = {} } } })
  refused("point 1 of line 1 is no { x, y }", "lines", "a.svg", { lines = { { points = { { 1 } } } } })
  refused("high of band 1 is a list of 1", "bands", "a.svg",
    { bands = { { x = { 1, 2 }, low = { 1, 2 }, middle = { 1, 2 }, high = { 1 } } } })
  refused("x of band 1 is nil", "bands", "a.svg", { bands = { {} } })
  refused("low 1 of band 1 is NaN", "bands", "a.svg",
    { bands = { { x = { 1 }, low = { 0 / 0 }, middle = { 1 }, high = { 1 } } } })
  refused("low of point 1 is 2", "points", "a.svg", { points = { { title = "a", value = 1, low = 2, high = 3 } } })
  refused("high of point 1 is nil", "points", "a.svg", { points = { { title = "a", value = 1, low = 0 } } })
  refused("title of point 1 is nil", "points", "a.svg", { points = { { value = 1 } } })
end

-- Times of day in seconds, say.
function T.test_large_numbers_stay_apart()
  local lines = { { points = { { 1732748001, 1 / 3 }, { 1732748002, 1 }, { 1732748003, 3e9 + 1 } } } }
  local text = told(function(path) plot.lines(path, { lines = lines }) end, "a.svg")
  lu.assertEquals(data(text), { "1732748001 0.3333333333333333, 1732748002 1, 1732748003 3000000001" })
  lu.skipIf(not has_gnuplot, "gnuplot is not installed")
  in_folder(function(folder) plot.lines(folder .. "/a.svg", { lines = lines }) end)
end

function T.test_what_gnuplot_says_is_told()
  lu.skipIf(not has_gnuplot, "gnuplot is not installed")
  in_folder(function(folder)
    lu.assertErrorMsgContains("plot.accuracy: gnuplot could not write " .. folder .. "/no/a.svg: cannot open file",
      plot.accuracy, trials { 0.5 }, folder .. "/no/a.svg")
  end)
end

return T
