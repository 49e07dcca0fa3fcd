-- What each learning rate schedule makes of a rate of 1: a table, or a picture by gnuplot.
local nas = require "luanas"
local schedule = nas.schedule

local options = nas.options(arg, {
  epochs = { 30, "length of the training" },
  batches = { 100, "steps in an epoch" },
  warmup = { 3.0, "epochs of warm-up, of the curves that have one" },
  out = { "", "file.png or file.svg, for a picture instead of a table" },
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

local function draw(path)
  local lines = {}
  for k, curve in ipairs(curves) do lines[k] = { title = curve[1], points = {} } end
  sample(2000, function(epoch, factors)
    for k, factor in ipairs(factors) do table.insert(lines[k].points, { epoch, factor }) end
  end)
  nas.plot.lines(path, {
    title = "Learning rate schedules", x = "epochs passed", y = "factor of the rate", lines = lines,
  })
  print("wrote " .. path)
end

if options.out then draw(options.out) else print_table() end
