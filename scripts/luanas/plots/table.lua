--- Pictures as tables, where nothing can draw them.
local text_table = require "luanas.text_table"

local plot_table = {}

local ROWS = 10

-- The layers with something to read: lines where there are any, not the points behind them.
local function readable(panel)
  local lines, points = {}, {}
  for _, layer in ipairs(panel.layers) do
    if layer.style == "line" or layer.style == "steps" then
      lines[#lines + 1] = layer
    elseif layer.style == "points" or layer.style == "faint" then
      points[#points + 1] = layer
    end
  end
  return #lines > 0 and lines or points
end

-- At most ROWS of all x, the first and the last among them.
local function some_x(layers)
  local seen, all, some = {}, {}, {}
  for _, layer in ipairs(layers) do
    for _, point in ipairs(layer.points) do
      if not seen[point[1]] then seen[point[1]], all[#all + 1] = true, point[1] end
    end
  end
  table.sort(all)
  local count = math.min(#all, ROWS)
  for i = 1, count do some[i] = all[count == 1 and 1 or 1 + (i - 1) * (#all - 1) // (count - 1)] end
  return some
end

-- The last y of a layer up to x, as text; points are in the order of x.
local function at(layer, x)
  local found
  for _, point in ipairs(layer.points) do
    if point[1] > x then break end
    found = point[2]
  end
  return found and text_table.number(found) or ""
end

local function curves_text(panel)
  local layers, columns, rows = readable(panel), { { title = panel.x, right = true } }, {}
  for i, layer in ipairs(layers) do columns[i + 1] = { title = layer.title or panel.y, right = true } end
  for r, x in ipairs(some_x(layers)) do
    rows[r] = { text_table.number(x) }
    for i, layer in ipairs(layers) do rows[r][i + 1] = at(layer, x) end
  end
  return text_table.format(columns, rows)
end

local function intervals_text(panel)
  local rows = {}
  for _, layer in ipairs(panel.layers) do
    for _, point in ipairs(layer.points) do
      rows[point[2]] = {
        panel.rows[point[2]], text_table.number(point[1]), point[3] and text_table.number(point[3]) or "",
        point[4] and text_table.number(point[4]) or "",
      }
    end
  end
  return text_table.format({
    { title = "" }, { title = panel.x, right = true }, { title = "low", right = true },
    { title = "high", right = true },
  }, rows)
end

--- A picture (of gnuplot_script.lua) as text.
function plot_table.text(picture)
  local parts = { picture.title .. "\n" }
  for _, panel in ipairs(picture.panels) do
    if panel.title then parts[#parts + 1] = panel.title .. "\n" end
    parts[#parts + 1] = panel.rows and intervals_text(panel) or curves_text(panel)
  end
  return table.concat(parts)
end

return plot_table
