--- Pictures, as files or in the terminal: by gnuplot, but for networks and images.
local core = require "luanas.core"
local check = require "luanas.check"
local csv = require "luanas.csv"
local gnuplot = require "luanas.plots.gnuplot"
local images = require "luanas.images"
local network_lines = require "luanas.plots.network"
local network_svg = require "luanas.plots.network_svg"
local over_trials = require "luanas.plots.over_trials"
local pareto = require "luanas.plots.pareto"
local searches = require "luanas.plots.searches"
local shares = require "luanas.plots.shares"
local training = require "luanas.plots.training"

local plot = {}

-- ---- Searches --------------------------------------------------------------------------------------

-- A function(study or trials or searches, path, options); `make` gets owner, searches and options of its own.
local function kind(name, make, ...)
  local owner, known = "plot." .. name, { "title", "x", "y", ... }
  return function(subject, path, options)
    local own = {}
    for key, value in pairs(check.options(owner, options, known)) do own[key] = value end
    for _, key in ipairs { "title", "x", "y" } do check.optional(check.string, owner, key, own[key]) end
    gnuplot.check_path(owner, path)
    gnuplot.draw(owner, path, make(owner, searches.of(owner, subject), own))
  end
end

plot.accuracy = kind("accuracy", over_trials.accuracy, "metric", "window")
plot.reward = kind("reward", over_trials.reward, "decay")
plot.logged = kind("logged", over_trials.logged, "name", "window")
plot.loss = kind("loss", over_trials.loss, "window")
plot.entropy = kind("entropy", over_trials.entropy, "window")
plot.incumbent = kind("incumbent", over_trials.incumbent, "metric")
plot.options = kind("options", shares.picture, "window")
plot.pareto = kind("pareto", pareto.picture, "cost", "log", "metric")
plot.curves = kind("curves", training.picture, "best", "metric")

-- ---- Networks --------------------------------------------------------------------------------------

--- A network, layer by layer, with its connections in the margin.
function plot.network(subject, path, options)
  local owner = "plot.network"
  options = check.options(owner, options, { "title" })
  check.optional(check.string, owner, "title", options.title)
  local lines = network_lines.of(network_lines.network(owner, subject))
  if path == nil then
    io.stdout:write(options.title and options.title .. "\n" or "", network_lines.text(lines))
    return
  end
  if not check.string(owner, "path", path):find "%.svg$" then
    check.fail("%s: path is %s; expected the name of a .svg file, or nil for the terminal", owner, check.show(path))
  end
  local text = network_svg(lines, options.title)
  local ok, message = csv.replace(path, function(file) return file:write(text) end)
  if not ok then check.fail("%s: %s", owner, message) end
end

-- ---- Images ----------------------------------------------------------------------------------------

local LARGE = 224 -- pixels of a side: about as large small images become in a file
local MOST = 100 -- the largest zoom

-- Columns of a sheet that has about as many rows.
local function columns_for(count)
  local columns = 1
  while columns * columns < count do columns = columns + 1 end
  return columns
end

local function draw_images(owner, path, list, options)
  if path == nil then return images.print(list, options.captions) end
  if not check.string(owner, "path", path):find "%.png$" then
    check.fail("%s: path is %s; expected the name of a .png file, or nil for the terminal", owner, check.show(path))
  end
  local side = 1
  for _, bytes in ipairs(list) do
    local shape = bytes:shape()
    side = math.max(side, shape[1], shape[2])
  end
  local across = check.integer(owner, "across", options.across or columns_for(#list), 1)
  local zoom = check.integer(owner, "zoom", options.zoom or math.max(1, math.min(MOST, LARGE // side // across)), 1,
    MOST)
  local ok, message = core.write_png(path, images.sheet(list, across, zoom))
  if not ok then check.fail("%s: %s", owner, message) end
end

--- One image, or several side by side.
function plot.image(subject, path, options)
  local owner = "plot.image"
  options = check.options(owner, options, { "across", "captions", "zoom" })
  local list = type(subject) == "table" and subject or { subject }
  if #list == 0 then check.fail("%s: the list of images is empty", owner) end
  local bytes = {}
  for i = 1, #list do
    local name = type(subject) == "table" and ("image %d"):format(i) or "the image"
    bytes[i] = images.bytes(owner, images.check(owner, name, list[i]))
  end
  if options.captions ~= nil and type(options.captions) ~= "table" then
    check.fail("%s: captions are %s; expected a list of strings", owner, check.show(options.captions))
  end
  draw_images(owner, path, bytes, options)
end

-- The kernel {height, width, inputs, filters} of a layer of a model, by default of its first convolution.
local function kernel_of(owner, model, layer)
  local layers = {}
  for _, set in ipairs(model:params()) do
    if set.role == "kernel" and #set.values:shape() == 4 then
      if layer == nil or layer == set.layer then return set.values, set.layer end
      layers[#layers + 1] = tostring(set.layer)
    end
  end
  check.fail("%s: layer is %s; %s", owner, check.show(layer),
    #layers > 0 and "layers with filters are " .. table.concat(layers, ", ") or "the model has no convolutions")
end

--- The filters of a convolution, on one scale from black to white.
function plot.filters(model, path, options)
  local owner = "plot.filters"
  options = check.options(owner, options, { "across", "input", "layer", "zoom" })
  if type(model) ~= "table" or type(model.params) ~= "function" then
    check.fail("%s: model is %s; expected a model (what nas.train and trial:model return)", owner, check.show(model))
  end
  local kernel = kernel_of(owner, model, check.optional(check.integer, owner, "layer", options.layer, 1))
  local shape, bytes, list = kernel:shape(), images.bytes(owner, kernel), {}
  local input = check.optional(check.integer, owner, "input", options.input, 1, shape[3])
  if shape[3] ~= 3 or input then bytes = bytes:narrow(3, input or 1, 1) end
  for filter = 1, shape[4] do list[filter] = bytes:select(4, filter) end
  draw_images(owner, path, list, options)
end

-- ---- Numbers of the script -------------------------------------------------------------------------

-- One panel of a picture for which the script gives the numbers.
local function draw(owner, path, options, layers, rows)
  gnuplot.draw(owner, path, {
    title = options.title or "",
    panels = { { x = options.x or "", y = options.y or "", layers = layers, rows = rows } },
  })
end

-- Options and their list `name`, each of which is a table.
local function checked(owner, path, options, name, item)
  gnuplot.check_path(owner, path)
  options = check.options(owner, options, { name, "title", "x", "y" })
  local list = options[name]
  if type(list) ~= "table" or #list == 0 then
    check.fail("%s: %s is %s; expected a list of %s", owner, name, check.show(list), item)
  end
  for k, each in ipairs(list) do
    if type(each) ~= "table" then
      check.fail("%s: %s %d is %s; expected %s", owner, name, k, check.show(each), item)
    end
    check.optional(check.string, owner, ("title of %s %d"):format(name, k), each.title)
  end
  return options, list
end

local function is_point(point)
  return type(point) == "table" and type(point[1]) == "number" and point[1] - point[1] == 0
    and type(point[2]) == "number"
end

--- Lines.
function plot.lines(path, options)
  local owner, layers = "plot.lines", {}
  local list
  options, list = checked(owner, path, options, "lines", "{ title =, points = { { x, y }, ... } }")
  for k, line in ipairs(list) do
    if type(line.points) ~= "table" or #line.points == 0 then check.fail("%s: line %d has no points", owner, k) end
    for i, point in ipairs(line.points) do
      if not is_point(point) then check.fail("%s: point %d of line %d is no { x, y }", owner, i, k) end
    end
    layers[k] = { style = "line", colour = k, title = line.title, points = line.points }
  end
  draw(owner, path, options, layers)
end

--- Lines with a band around each.
function plot.bands(path, options)
  local owner, layers, lines = "plot.bands", {}, {}
  local list
  options, list = checked(owner, path, options, "bands", "{ title =, x = {}, low = {}, middle = {}, high = {} }")
  for k, band in ipairs(list) do
    for _, name in ipairs { "x", "low", "middle", "high" } do
      local numbers = band[name]
      if type(numbers) ~= "table" or #numbers == 0 or #numbers ~= #band.x then
        check.fail("%s: %s of band %d is %s; expected a list of numbers as long as x", owner, name, k,
          type(numbers) == "table" and "a list of " .. #numbers or check.show(numbers))
      end
      for i, number in ipairs(numbers) do check.number(owner, ("%s %d of band %d"):format(name, i, k), number) end
    end
    layers[k] = { style = "band", colour = k, points = {} }
    lines[k] = { style = "line", colour = k, title = band.title, points = {} }
    for i, x in ipairs(band.x) do
      layers[k].points[i], lines[k].points[i] = { x, band.low[i], band.high[i] }, { x, band.middle[i] }
    end
  end
  draw(owner, path, options, table.move(lines, 1, #lines, #layers + 1, layers))
end

--- Values with their intervals, one below the other.
function plot.points(path, options)
  local owner = "plot.points"
  local list
  options, list = checked(owner, path, options, "points", "{ title =, value =, low =, high = }")
  local alone, between = { style = "points", colour = 1, points = {} }, { style = "interval", colour = 1, points = {} }
  local rows, layers = {}, {}
  for k, each in ipairs(list) do
    local function of(name) return ("%s of point %d"):format(name, k) end
    rows[k] = check.string(owner, of "title", each.title)
    local value = check.number(owner, of "value", each.value)
    if each.low == nil and each.high == nil then
      table.insert(alone.points, { value, k })
    else
      table.insert(between.points, {
        value, k, check.number(owner, of "low", each.low, nil, value),
        check.number(owner, of "high", each.high, value),
      })
    end
  end
  for _, layer in ipairs { alone, between } do
    if #layer.points > 0 then layers[#layers + 1] = layer end
  end
  draw(owner, path, options, layers, rows)
end

return plot
