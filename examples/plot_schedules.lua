-- What each learning rate schedule makes of a rate of 1: a picture by gnuplot, or a table.
local nas = require "luanas"
local schedule = nas.schedule

local options = nas.options(arg, {
  epochs = { 30, "length of the training" },
  batches = { 100, "steps in an epoch" },
  warmup = { 3.0, "epochs of warm-up, of the curves that have one" },
  out = { "", "file.png or file.svg for a picture by gnuplot; without it, a table is printed" },
})

assert(options.epochs >= 1 and options.batches >= 1, "--epochs and --batches must be at least 1")

local epochs, warmup = options.epochs, options.warmup
local drop = math.max(1, epochs // 3)
local curves = {
  { "constant, warm-up", schedule.constant { warmup = warmup } },
  { ("step, every %d epochs"):format(drop), schedule.step { every = drop, factor = 0.5 } },
  { "exponential, decay 0.9", schedule.exponential { decay = 0.9 } },
  { "cosine", schedule.cosine { epochs = epochs } },
  { "cosine, floor 0.1, warm-up", schedule.cosine { epochs = epochs, floor = 0.1, warmup = warmup } },
}

-- Calls visit(epochs passed, factors of the curves) for `points` steps evenly spread, and for one epoch more than the
-- training has, so that the end is seen.
local function sample(points, visit)
  local steps = (epochs + 1) * options.batches
  points = math.min(points, steps)
  for i = 0, points - 1 do
    local step = i * steps // points
    local factors = {}
    for k, curve in ipairs(curves) do factors[k] = schedule.factor(curve[2], step + 1, options.batches) end
    visit(step / options.batches, factors)
  end
end

local function print_table()
  local titles = { " epoch" }
  for _, curve in ipairs(curves) do titles[#titles + 1] = ("%26s"):format(curve[1]) end
  print(table.concat(titles, "  "))
  sample(epochs + 1, function(epoch, factors)
    local cells = { ("%6.2f"):format(epoch) }
    for _, factor in ipairs(factors) do cells[#cells + 1] = ("%26.6f"):format(factor) end
    print(table.concat(cells, "  "))
  end)
end

-- gnuplot takes a text in single quotes as it is; a quote in it is doubled.
local function quoted(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

local function gnuplot_script(file, terminal)
  local lines = {
    ("set terminal %s noenhanced size 1000,600 background 'white'"):format(terminal),
    "set output " .. quoted(file),
    "set title 'Learning rate schedules'",
    "set xlabel 'epochs passed'",
    "set ylabel 'factor of the rate'",
    ("set xrange [0:%d]"):format(epochs + 1),
    "set yrange [0:1.05]",
    "set grid",
    "set key outside bottom center horizontal",
    "set colorsequence podo",
    "$factors << END",
  }
  sample(2000, function(epoch, factors)
    local numbers = { ("%.6f"):format(epoch) }
    for _, factor in ipairs(factors) do numbers[#numbers + 1] = ("%.9f"):format(factor) end
    lines[#lines + 1] = table.concat(numbers, " ")
  end)
  lines[#lines + 1] = "END"
  local plots = {}
  for k, curve in ipairs(curves) do
    plots[k] = ("$factors using 1:%d with lines linewidth 2 title %s"):format(k + 1, quoted(curve[1]))
  end
  lines[#lines + 1] = "plot " .. table.concat(plots, ", ")
  return table.concat(lines, "\n") .. "\n"
end

local function draw(file)
  local terminal = assert(({ png = "pngcairo", svg = "svg" })[file:match "%.(%a+)$"],
    "--out must end in .png or .svg")
  assert(not file:find "%c", "--out must not have control characters")
  local path = os.tmpname()
  local script <close> = assert(io.open(path, "w"))
  script:write(gnuplot_script(file, terminal)):close()
  local drawn = os.execute("gnuplot " .. path)
  os.remove(path)
  assert(drawn, "gnuplot failed")
  print("wrote " .. file)
end

if options.out and os.execute "command -v gnuplot >/dev/null" then
  draw(options.out)
else
  if options.out then print "gnuplot is not installed, so here is a table:" end
  print_table()
end
