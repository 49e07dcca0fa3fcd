--- Pictures by gnuplot.
local check = require "luanas.check"

local plot = {}

local TERMINALS = { png = "pngcairo", svg = "svg" }

-- gnuplot takes a text in single quotes as it is; a quote in it is doubled.
local function quoted(text)
  return "'" .. text:gsub("'", "''"):gsub("%c", " ") .. "'"
end

-- Numbers as gnuplot reads them; an empty line is a gap.
local function block(name, points)
  local lines = { ("%s << END"):format(name) }
  for _, point in ipairs(points) do
    local is_finite = point[2] == point[2] and math.abs(point[2]) < math.huge
    lines[#lines + 1] = is_finite and ("%.9g %.9g"):format(point[1], point[2]) or ""
  end
  lines[#lines + 1] = "END"
  return table.concat(lines, "\n")
end

-- Whether all points have the same y: gnuplot wants to be told a range then.
local function is_flat(lines)
  local y = lines[1].points[1][2]
  for _, line in ipairs(lines) do
    for _, point in ipairs(line.points) do
      if point[2] ~= y then return false end
    end
  end
  return true
end

local function script(terminal, path, options)
  local lines = {
    ("set terminal %s noenhanced size 1000,600 background 'white'"):format(terminal),
    "set output " .. quoted(path),
    "set title " .. quoted(options.title or ""),
    "set xlabel " .. quoted(options.x or ""),
    "set ylabel " .. quoted(options.y or ""),
    "set grid",
    "set offsets 0, 0, graph 0.03, graph 0.03",
    "set key outside bottom center horizontal",
    "set colorsequence podo",
  }
  if is_flat(options.lines) then
    local y = options.lines[1].points[1][2]
    lines[#lines + 1] = ("set yrange [%.9g:%.9g]"):format(y - math.abs(y) - 1, y + math.abs(y) + 1)
  end
  local plots = {}
  for k, line in ipairs(options.lines) do
    lines[#lines + 1] = block("$line" .. k, line.points)
    plots[k] = ("$line%d with %s linewidth 2 title %s"):format(k, #line.points == 1 and "points" or "lines",
      quoted(line.title or ""))
  end
  lines[#lines + 1] = "plot " .. table.concat(plots, ", ")
  return table.concat(lines, "\n") .. "\n"
end

--- Draws lines into a file that ends in .svg or .png.
function plot.lines(path, options)
  local owner = "plot.lines"
  check.string(owner, "path", path)
  options = check.options(owner, options, { "lines", "title", "x", "y" })
  local terminal = TERMINALS[path:match "%.(%w+)$"]
  if not terminal then
    check.fail("%s: path is %s; expected the name of a .svg or .png file", owner, check.show(path))
  end
  if path:find "%c" then check.fail("%s: path has control characters", owner) end
  local lines = options.lines
  if type(lines) ~= "table" or #lines == 0 then
    check.fail("%s: lines is %s; expected a list of { title =, points = { { x, y }, ... } }", owner, check.show(lines))
  end
  for k, line in ipairs(lines) do
    if type(line) ~= "table" or type(line.points) ~= "table" or #line.points == 0 then
      check.fail("%s: line %d has no points", owner, k)
    end
  end
  if not os.execute "command -v gnuplot >/dev/null 2>&1" then
    check.fail("%s: gnuplot, which draws, is not there; on Debian: apt-get install gnuplot-nox", owner)
  end
  local name = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function() os.remove(name) end })
  local file = assert(io.open(name, "w"))
  assert(file:write(script(terminal, path, options)))
  file:close()
  if not os.execute(("gnuplot '%s'"):format(name)) then check.fail("%s: gnuplot could not write %s", owner, path) end
end

return plot
