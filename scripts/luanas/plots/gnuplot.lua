--- The writer of gnuplot scripts: every picture of the package is drawn here.
---
--- A picture is { title =, panels = }; each panel
---   { title = or nil, x =, y = what the axes are, layers =,
---     is_log = of x, y_range = { low, high } or nil, rows = names of y = 1, 2, ... from the top, or nil }
--- and each layer { style =, points =, title = for the key or nil, colour = 1, 2, ... }. Points are
---   { x, y }           of the styles line, steps, points, faint and failed, whose y may be nil: at the bottom;
---                      a y that is not finite leaves a gap in a line
---   { x, low, high }   of the style band
---   { x, y, low, high }  of the style interval, which lies along x
local check = require "luanas.check"
local core = require "luanas.core"
local axis = require "luanas.plots.axis"
local plot_table = require "luanas.plots.table"

local gnuplot = {}

local TERMINALS = { png = "pngcairo", svg = "svg" }
local COLUMNS = 80 -- where standard error is no terminal
local PACKAGE = "on Debian: apt-get install gnuplot-nox"

-- Okabe and Ito's colours, which gnuplot calls podo, but for the yellow that white paper swallows.
local COLOURS = { "0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "000000" }

-- ---- Texts -----------------------------------------------------------------------------------------

-- gnuplot takes a text in single quotes as it is; a quote in it is doubled.
local function quoted(text)
  return "'" .. text:gsub("'", "''"):gsub("%c", " ") .. "'"
end

-- What the terminal can show: bytes that are no UTF-8 would stop gnuplot's fonts.
local function shown(text, terminal)
  if terminal.is_text or not utf8.len(text) then
    text = text:gsub(utf8.len(text) and utf8.charpattern or ".", function(c)
      return (#c > 1 or c:byte() > 127) and "?" or c
    end)
  end
  return text
end

-- The text up to a character, and the rest.
local function cut(text, count)
  local behind = utf8.offset(text, count + 1)
  return text:sub(1, behind - 1), text:sub(behind)
end

local function clipped(text, width)
  return utf8.len(text) <= width and text or cut(text, width - 3) .. "..."
end

-- gnuplot wraps nothing: lines of at most `width` characters, broken between words where that is possible.
local function wrapped(text, width)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if line ~= "" and utf8.len(line) + 1 + utf8.len(word) > width then
      lines[#lines + 1], line = line, ""
    end
    line = line == "" and word or line .. " " .. word
    while utf8.len(line) > width do
      lines[#lines + 1], line = cut(line, width)
    end
  end
  lines[#lines + 1] = line
  for i, each in ipairs(lines) do lines[i] = quoted(each) end
  return table.concat(lines, [[."\n".]])
end

-- ---- Layers ----------------------------------------------------------------------------------------

local function is_finite(number)
  return number == number and math.abs(number) < math.huge
end

-- Numbers as gnuplot reads them; an empty line is a gap.
local function block(name, layer, bottom)
  local lines = { name .. " << END" }
  for _, point in ipairs(layer.points) do
    local words = { ("%.9g"):format(point[1]) }
    for i = 2, math.max(2, #point) do
      local number = point[i] or bottom
      words[i] = is_finite(number) and ("%.9g"):format(number) or nil
    end
    lines[#lines + 1] = #words == math.max(2, #point) and table.concat(words, " ") or ""
  end
  lines[#lines + 1] = "END"
  return table.concat(lines, "\n")
end

-- "rgb '#0072B2'", and how much of it is let through: 00 to FF.
local function colour_of(layer, alpha)
  return ("linecolor rgb '#%s%s'"):format(alpha or "", COLOURS[(layer.colour - 1) % #COLOURS + 1])
end

-- Colours that come again are dashed.
local function line_of(layer, with, terminal)
  if #layer.points == 1 then with = "points" end
  if terminal.is_text then return "with " .. with end
  local dash = (layer.colour - 1) // #COLOURS % 5 + 1
  return ("with %s pointtype 7 linewidth 2 dashtype %d %s"):format(with, dash, colour_of(layer))
end

local function points_of(layer, kind, size, alpha, terminal)
  if terminal.is_text then return ("with points pointtype '%s'"):format(kind) end
  return ("with points pointtype %d pointsize %.2g linewidth 1.5 %s"):format(kind == "x" and 2 or 7, size,
    colour_of(layer, alpha))
end

local MANY = 1000 -- points that would hide each other

local STYLES = {
  line = function(layer, terminal) return line_of(layer, "lines", terminal) end,
  steps = function(layer, terminal) return line_of(layer, "steps", terminal) end,
  points = function(layer, terminal) return points_of(layer, "o", 0.9, nil, terminal) end,
  faint = function(layer, terminal)
    local is_many = #layer.points > MANY
    return points_of(layer, ".", is_many and 0.3 or 0.7, is_many and "B0" or "90", terminal)
  end,
  failed = function(layer, terminal) return points_of(layer, "x", 1.1, nil, terminal) end,
  band = function(layer) return "with filledcurves fillstyle solid noborder " .. colour_of(layer, "C8") end,
  interval = function(layer, terminal)
    if terminal.is_text then return "with xerrorbars pointtype 'o'" end
    return "with xerrorbars pointtype 7 pointsize 0.9 linewidth 2 " .. colour_of(layer)
  end,
}

-- ---- Panels ----------------------------------------------------------------------------------------

-- A key lies on the name of the x axis unless an empty line makes room.
local function has_key(panel)
  for _, layer in ipairs(panel.layers) do
    if layer.title then return true end
  end
  return false
end

-- The lines of a panel; `blocks` gets its numbers.
local function panel_script(panel, terminal, blocks)
  local x, y = axis.x(panel, terminal.is_narrow), axis.y(panel)
  local lines = {
    panel.title and "set title " .. wrapped(shown(panel.title, terminal), terminal.width) or "",
    "set xlabel " .. wrapped(shown(panel.x, terminal), terminal.width) .. (has_key(panel) and [[."\n "]] or ""),
    terminal.is_text and "" or "set ylabel " .. wrapped(shown(panel.y, terminal), terminal.height),
    (panel.is_log and "set" or "unset") .. " logscale x",
    ("set xrange [%.9g:%.9g]"):format(x.low, x.high),
    ("set yrange [%.9g:%.9g]"):format(y.low, y.high),
    x.tics and "set xtics " .. x.tics or "set xtics autofreq",
  }
  if panel.rows then
    local names = {}
    for i, name in ipairs(panel.rows) do
      names[i] = ("%s %d"):format(quoted(clipped(shown(name, terminal), terminal.width // 2)), i)
    end
    lines[#lines + 1] = "set ytics (" .. table.concat(names, ", ") .. ")"
  else
    lines[#lines + 1] = "set ytics autofreq"
  end
  local plots = {}
  for _, layer in ipairs(panel.layers) do
    if layer.style ~= "band" or not terminal.is_text then -- which would hide the lines
      local name = "$data" .. #blocks + 1
      blocks[#blocks + 1] = block(name, layer, y.low)
      plots[#plots + 1] = ("%s %s %s"):format(name, STYLES[layer.style](layer, terminal), layer.title
        and "title " .. quoted(clipped(shown(layer.title, terminal), terminal.width // 2)) or "notitle")
    end
  end
  lines[#lines + 1] = "plot " .. table.concat(plots, ", ")
  return table.concat(lines, "\n")
end

-- Columns and rows of a page, which becomes wider and higher with the number of panels.
local function page_of(picture, path)
  local count, panel = #picture.panels, picture.panels[1]
  if not path then
    local columns = math.max(40, (core.terminal() or COLUMNS) - 1)
    local across = count == 1 and 1 or math.max(1, columns // 60)
    local down = (count + across - 1) // across
    local rows = panel.rows and #panel.rows + 8 or count == 1 and 24 or 16 * down
    return {
      name = "dumb mono", size = ("%d,%d"):format(columns, rows), across = across, down = down, is_text = true,
      width = columns // across - 6, height = columns // across - 6, is_narrow = across > 1 or columns < 70,
    }
  end
  local across = count == 1 and 1 or count <= 4 and 2 or 3
  local down = (count + across - 1) // across
  local width, height = across == 3 and 1400 or 1000, panel.rows and 140 + 36 * #panel.rows or 600
  return {
    name = TERMINALS[path:match "%.(%w+)$"], across = across, down = down, is_narrow = across > 1,
    size = ("%d,%d"):format(width, math.max(count == 1 and height or 70 + 300 * down, 300)),
    width = width // across // 11, height = (count == 1 and 600 or 300) // 11,
  }
end

--- The script that draws a picture into a file, or for nil as text.
function gnuplot.script(picture, path)
  local page, blocks, panels = page_of(picture, path), {}, {}
  for i, panel in ipairs(picture.panels) do panels[i] = panel_script(panel, page, blocks) end
  local lines = {
    "set encoding utf8",
    ("set terminal %s noenhanced size %s%s"):format(page.name, page.size,
      path and " font 'sans-serif,13' background 'white'" or ""),
    path and "set output " .. quoted(path) or "",
    path and "set grid linecolor rgb '#DDDDDD' linetype 1 linewidth 1" or "",
    path and "set border 3 linecolor rgb '#555555'" or "set border 15",
    "set tics nomirror",
    "set key outside bottom center horizontal" .. (path and " Left reverse" or " width 1"),
    table.concat(blocks, "\n"),
  }
  local title = wrapped(shown(picture.title, page), page.width * page.across)
  if #panels > 1 then
    lines[#lines + 1] = ("set multiplot layout %d,%d title %s%s"):format(page.down, page.across, title,
      path and " font 'sans-serif,15'" or "")
  else
    if page.is_text then -- which has no place for it beside the axis
      title = title .. [[."\n".]] .. wrapped(shown(picture.panels[1].y, page), page.width)
    end
    lines[#lines + 1] = "set title " .. title .. (path and " font 'sans-serif,15'" or "")
  end
  lines[#lines + 1] = table.concat(panels, "\n")
  if #panels > 1 then lines[#lines + 1] = "unset multiplot" end
  return table.concat(lines, "\n") .. "\n"
end

-- ---- Drawing ---------------------------------------------------------------------------------------

--- Raises an error unless `path` is nil or the name of a picture that can be drawn.
function gnuplot.check_path(owner, path)
  if path == nil then return end
  check.string(owner, "path", path)
  if not TERMINALS[path:match "%.(%w+)$"] then
    check.fail("%s: path is %s; expected the name of a .svg or .png file, or nil for the terminal", owner,
      check.show(path))
  end
  if path:find "%c" then check.fail("%s: path has control characters", owner) end
end

-- Whether gnuplot was content, and what it printed.
local function run(text)
  local name = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function() os.remove(name) end })
  local file <close> = assert(io.open(name, "w"))
  assert(file:write(text))
  file:close()
  local pipe = assert(io.popen(("gnuplot -d '%s' 2>&1"):format(name))) -- -d: nothing from the user's ~/.gnuplot
  local printed = pipe:read "a"
  return pipe:close(), printed
end

--- Draws a picture into a file, or for nil into the terminal; without gnuplot the terminal gets its numbers.
function gnuplot.draw(owner, path, picture)
  if not os.execute "command -v gnuplot >/dev/null 2>&1" then
    if path then check.fail("%s: gnuplot, which draws, is not there; %s", owner, PACKAGE) end
    io.stdout:write(plot_table.text(picture), ("gnuplot draws this; %s\n"):format(PACKAGE))
    return
  end
  local ok, printed = run(gnuplot.script(picture, path))
  if not ok then
    check.fail("%s: gnuplot could not write %s: %s", owner, path or "to the terminal",
      printed:match "line %d+: ([^\n]*)" or printed)
  end
  if not path then io.stdout:write((printed:gsub(" +\n", "\n"):gsub("^\n+", ""))) end
end

return gnuplot
