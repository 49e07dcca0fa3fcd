--- A network as lines, one below the other, for people: what nas.plot.network draws.
---
--- Layers that belong together share a line: normalisation, activation and dropout stand with the layer before, and
--- concatenated inputs with the layer that takes them. A line has the number of its first layer, as model:params() and
--- nas.plot.filters count them.
local check = require "luanas.check"
local core = require "luanas.core"
local node = require "luanas.node"
local text_table = require "luanas.text_table"

local network_lines = {}

-- ---- Titles ----------------------------------------------------------------------------------------

local function by(pair) return (pair:gsub(",", "x")) end

local function stride_text(options, default)
  return options.stride ~= default and ", stride " .. (options.stride:match "^(%d+),%1$" or by(options.stride)) or ""
end

local function convolution(name)
  return function(options)
    return ("%s %s%s%s%s"):format(name, by(options.kernel), options.filters and ", " .. options.filters or "",
      stride_text(options, "1,1"), options.padding == "valid" and ", valid" or "")
  end
end

local function pool(name)
  return function(options) return ("%s %s%s"):format(name, by(options.pool), stride_text(options, options.pool)) end
end

local TITLES = {
  conv2d = convolution "conv", depthwise_conv2d = convolution "depthwise conv",
  max_pool = pool "max pool", avg_pool = pool "average pool",
  dense = function(options) return "dense " .. options.units end,
  dropout = function(options) return "dropout " .. options.rate end,
  batch_norm = function() return "batch norm" end,
  global_avg_pool = function() return "global average pool" end,
  concat = function() return "concat" end,
  input = function() return "input" end,
}

-- By the kind of the layer and its line in the network's text.
local function title_of(kind, line)
  local options, plain = {}, {}
  for name, value in line:gmatch " ([%w_]+)=(%S+)" do
    options[name], plain[#plain + 1] = value, name .. "=" .. value
  end
  if TITLES[kind] then return TITLES[kind](options) end
  return kind:gsub("_", " ") .. (#plain > 0 and " " .. table.concat(plain, " ") or "")
end

-- ---- Lines -----------------------------------------------------------------------------------------

local OWN_LINE = {} -- though their output may have the shape of their input
for _, kind in ipairs { "avg_pool", "conv2d", "dense", "depthwise_conv2d", "max_pool" } do OWN_LINE[kind] = true end

local function shape_text(shape)
  return #shape > 0 and table.concat(shape, "x") or "1"
end

-- Whether a layer stands with its only input.
local function is_tail(layers, layer, consumers)
  if #layer.inputs ~= 1 or OWN_LINE[layer.name] then return false end
  local before = layers[layer.inputs[1]]
  return consumers[layer.inputs[1]] == 1 and #before.inputs > 0
    and shape_text(before.shape) == shape_text(layer.shape)
end

--- The lines of a network: { number = of its first layer, title =, shape = text, inputs = places of lines, params =,
--- macs = }, in an order in which inputs come first.
function network_lines.of(network)
  local layers, texts, consumers = network:layers(), {}, {}
  for line in network:text():gmatch "[^\n]+" do texts[#texts + 1] = line end
  for i, layer in ipairs(layers) do
    consumers[i] = 0
    for _, input in ipairs(layer.inputs) do consumers[input] = consumers[input] + 1 end
  end
  local lines, line_of = {}, {} -- line_of: of a layer; of a concat without a line, the lines that it joins
  for i, layer in ipairs(layers) do
    local inputs = {}
    for _, input in ipairs(layer.inputs) do
      local from = line_of[input]
      if type(from) ~= "table" then from = { from } end
      table.move(from, 1, #from, #inputs + 1, inputs)
    end
    if layer.name == "concat" and consumers[i] == 1 then
      line_of[i] = inputs
    elseif is_tail(layers, layer, consumers) and type(line_of[layer.inputs[1]]) == "number" then
      local line = lines[inputs[1]]
      line.title = line.title .. ", " .. title_of(layer.name, texts[i])
      line.params, line.macs = line.params + layer.params, line.macs + layer.macs
      line_of[i] = inputs[1]
    else
      lines[#lines + 1] = {
        number = i, kind = layer.name, title = title_of(layer.name, texts[i]), shape = shape_text(layer.shape),
        inputs = inputs, params = layer.params, macs = layer.macs,
      }
      line_of[i] = #lines
    end
  end
  return lines
end

--- The network of what is drawn: a network, or a layer that one ends in.
function network_lines.network(owner, subject)
  if type(subject) == "table" and type(subject.network) == "function" then subject = subject:network() end -- a model
  if node.is_network(subject) then return subject end
  if not node.is(subject) or node.is_unbuildable(subject) then
    check.fail("%s: the network is %s; expected a network, its last layer, or a model", owner, check.show(subject))
  end
  local network, problem = check.core(core.network, subject)
  return network or check.fail("%s: %s", owner, problem)
end

--- Of lines: the connections that pass lines by, { from =, to = { lines, in their order }, lane = 1 ... }. Those of one
--- lane do not overlap, and a lane is free again below its last line.
function network_lines.lanes(lines)
  local takers = {}
  for to, line in ipairs(lines) do
    for _, from in ipairs(line.inputs) do
      if to > from + 1 then
        takers[from] = takers[from] or {}
        if takers[from][#takers[from]] ~= to then table.insert(takers[from], to) end
      end
    end
  end
  local lanes, ends = {}, {}
  for from = 1, #lines do
    local to = takers[from]
    if to then
      local lane = 1
      while ends[lane] and ends[lane] >= from do lane = lane + 1 end
      ends[lane] = to[#to]
      lanes[#lanes + 1] = { from = from, to = to, lane = lane }
    end
  end
  return lanes, #ends
end

-- ---- Text ------------------------------------------------------------------------------------------

-- Whether a line takes the one above.
local function takes_last(lines, i)
  for _, from in ipairs(lines[i].inputs) do
    if from == i - 1 then return true end
  end
  return false
end

local APART = "◌"

-- The character of a line.
local function mark_of(lines, i)
  return #lines[i].inputs == 0 and "○" or takes_last(lines, i) and "●" or APART
end

-- A character for a lane in a line, by whether the lane comes from above, goes on below, meets the line (begins, or is
-- taken), and whether the line's own stroke goes on to lanes behind.
local function mark(above, below, meets, passes)
  if not meets then return (above and below) and "│" or passes and "─" or " " end
  if above and below then return passes and "┼" or "┤" end
  if above then return passes and "┴" or "┘" end
  return passes and "┬" or "┐"
end

-- The left margin of line i.
local function margin(lines, lanes, count, i)
  local above, below, meets, last = {}, {}, {}, 0
  for _, each in ipairs(lanes) do
    local ends, k = each.to[#each.to], each.lane
    if each.from < i and i <= ends then above[k] = true end
    if each.from <= i and i < ends then below[k] = true end
    local is_taken = each.from == i
    for _, to in ipairs(each.to) do is_taken = is_taken or to == i end
    if is_taken then meets[k], last = true, math.max(last, k) end
  end
  local parts = { mark_of(lines, i) }
  for k = 1, count do
    parts[#parts + 1] = k <= last and "─" or " "
    parts[#parts + 1] = mark(above[k], below[k], meets[k], k < last)
  end
  return table.concat(parts)
end

local COLUMNS = {
  { title = "#", right = true }, { title = "layers" }, { title = "from" }, { title = "output" },
  { title = "parameters", right = true }, { title = "MACs", right = true },
}

--- The drawing for the terminal.
function network_lines.text(lines)
  local lanes, count = network_lines.lanes(lines)
  local rows, params, macs = {}, 0, 0
  for i, line in ipairs(lines) do
    local from = {}
    for k, place in ipairs(line.inputs) do from[k] = lines[place].number end
    rows[i] = {
      tostring(line.number), line.title, table.concat(from, "+"), line.shape, text_table.grouped(line.params),
      text_table.grouped(line.macs),
    }
    params, macs = params + line.params, macs + line.macs
  end
  local i, drawn, note = -1, {}, ""
  for row in text_table.format(COLUMNS, rows):gmatch "[^\n]+" do
    i = i + 1
    if i > 0 and mark_of(lines, i) == APART then note = "; ◌ does not take the line above" end
    drawn[#drawn + 1] = (i == 0 and (" "):rep(1 + 2 * count) or margin(lines, lanes, count, i)) .. "  " .. row
  end
  drawn[#drawn + 1] = ("%s parameters, %s multiply-accumulates%s"):format(text_table.grouped(params),
    text_table.grouped(macs), note)
  return table.concat(drawn, "\n") .. "\n"
end

return network_lines
