--- The writer of gnuplot scripts: every picture of the package is one.
---
--- A picture is { title =, panels = }; each panel
---   { title = or nil, x =, y = what the axes are, layers =,
---     is_log = of x, y_range = { low, high } or nil, rows = names of y = 1, 2, ... from the top, or nil }
--- and each layer { style =, points =, title = for the key or nil, colour = 1, 2, ... }. Points are
---   { x, y }           of the styles line, steps, points, faint and failed, whose y may be nil: at the bottom;
---                      a y that is not finite leaves a gap in a line
---   { x, low, high }   of the style band
---   { x, y, low, high }  of the style interval, which lies along x
local core = require "luanas.core"
local axis = require "luanas.plots.axis"
local layout = require "luanas.layout"

local gnuplot_script = {}

-- To look alike: sizes of fonts are points of 1.33 pixels in one, pixels in the other, which draws larger points.
local TERMINALS = {
  png = { name = "pngcairo", font = 13, title_font = 15, point = 1 },
  svg = { name = "svg", font = 15, title_font = 18, point = 0.7 },
}
local SIXELS = { name = "sixelgd truecolor", font = 11, title_font = 13, point = 1.5 }
local HEIGHT, LOWEST = 600, 240 -- pixels of a panel that stands alone
local CHARACTER = 12 -- pixels

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
    local words = { core.number_text(point[1]) }
    for i = 2, math.max(2, #point) do
      local number = point[i] or bottom
      words[i] = is_finite(number) and core.number_text(number) or nil
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
  local shape = with == "points" and (" pointtype 7 pointsize %.2g"):format(terminal.point) or ""
  return ("with %s%s linewidth 2 dashtype %d %s"):format(with, shape, dash, colour_of(layer))
end

local function points_of(layer, kind, size, alpha, terminal)
  if terminal.is_text then return ("with points pointtype '%s'"):format(kind) end
  return ("with points pointtype %d pointsize %.2g linewidth 1.5 %s"):format(kind == "x" and 2 or 7,
    size * terminal.point, colour_of(layer, alpha))
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
    return ("with xerrorbars pointtype 7 pointsize %.2g linewidth 2 %s"):format(0.9 * terminal.point, colour_of(layer))
  end,
}

-- ---- Panels ----------------------------------------------------------------------------------------

local SAMPLE = 8 -- characters beside a title in the key

-- About how many lines the keys of the panels have at most: titles stand in columns.
local function key_lines(panels, width)
  local most = 0
  for _, panel in ipairs(panels) do
    local count, widest = 0, 0
    for _, layer in ipairs(panel.layers) do
      if layer.title then
        count, widest = count + 1, math.max(widest, math.min(#layer.title, width // 2))
      end
    end
    local across = math.max(1, width // (widest + SAMPLE))
    most = math.max(most, (count + across - 1) // across)
  end
  return most
end

local function range(name, of)
  return ("set %srange [%s:%s]"):format(name, core.number_text(of.low), core.number_text(of.high))
end

-- The lines of a panel; `blocks` gets its numbers.
local function panel_script(panel, terminal, blocks)
  local x, y = axis.x(panel, terminal.is_narrow), axis.y(panel)
  local lines = {
    panel.title and "set title " .. wrapped(shown(panel.title, terminal), terminal.width) or "",
    -- The key would lie on the name of the axis but for an empty line.
    "set xlabel " .. wrapped(shown(panel.x, terminal), terminal.width)
      .. (key_lines({ panel }, terminal.width) > 0 and [[."\n "]] or ""),
    terminal.is_text and "" or "set ylabel " .. wrapped(shown(panel.y, terminal), terminal.height),
    (panel.is_log and "set" or "unset") .. " logscale x",
    range("x", x),
    range("y", y),
    "set xtics " .. x.tics,
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
      blocks[#blocks + 1] = block(name, layer, y.bottom)
      plots[#plots + 1] = ("%s %s %s"):format(name, STYLES[layer.style](layer, terminal), layer.title
        and "title " .. quoted(clipped(shown(layer.title, terminal), terminal.width // 2)) or "notitle")
    end
  end
  lines[#lines + 1] = "plot " .. table.concat(plots, ", ")
  return table.concat(lines, "\n")
end

-- A page of the terminal: lengths are characters.
local function text_page(picture)
  local count, panel = #picture.panels, picture.panels[1]
  local columns = math.max(40, layout.columns "output" - 1)
  local across = count == 1 and 1 or math.max(1, columns // 60)
  local down, width = (count + across - 1) // across, columns // across - 6
  local rows = panel.rows and #panel.rows + 8 or (count == 1 and 22 or 15) + key_lines(picture.panels, width)
  return {
    name = "dumb", size = ("%d,%d"):format(columns, down * rows), across = across, down = down, is_text = true,
    width = width, height = width, is_narrow = width < 64,
  }
end

-- A page of pixels, which becomes wider and higher with the number of panels and of titles: lengths are pixels but for
-- the width and height of a panel, which are characters. `screen` = { width, height } where it has to fit, or nil.
local function pixel_page(picture, terminal, screen)
  local count, panel = #picture.panels, picture.panels[1]
  local across = count == 1 and 1 or count <= 4 and 2 or 3
  local down, columns = (count + across - 1) // across, across == 3 and 1400 or 1000
  local height = HEIGHT
  if screen then
    columns = math.min(columns, screen.width)
    height = math.max(LOWEST, math.min(height, screen.height * 3 // 4)) -- what is typed next is below
  end
  local width = columns // across // CHARACTER
  local keys = 22 * math.max(0, key_lines(picture.panels, width) - 1)
  local rows = panel.rows and math.max(140 + 36 * #panel.rows, 300) or count == 1 and height + keys
    or 70 + (300 + keys) * down
  return {
    name = terminal.name, size = ("%d,%d"):format(columns, rows), across = across, down = down,
    width = width, height = count == 1 and height // CHARACTER or 25, is_narrow = across > 1,
    font = terminal.font, title_font = terminal.title_font, point = terminal.point,
  }
end

--- Whether the name of a file tells how it is written.
function gnuplot_script.is_picture(path)
  return TERMINALS[path:match "%.(%w+)$"] ~= nil
end

-- What is the same for all panels.
local function page_script(page, path)
  local lines = { "set encoding utf8", "set tics nomirror" }
  local terminal, key = ("set terminal %s noenhanced size %s"):format(page.name, page.size), "width 1"
  if not page.is_text then
    terminal = ("%s font 'sans-serif,%d' background 'white'"):format(terminal, page.font)
    key = "Left reverse samplen 2"
    lines[#lines + 1] = "set grid linecolor rgb '#DDDDDD' linetype 1 linewidth 1"
    lines[#lines + 1] = "set border 3 linecolor rgb '#555555'"
  end
  table.insert(lines, 1, terminal)
  if path then table.insert(lines, 2, "set output " .. quoted(path)) end
  lines[#lines + 1] = "set key outside bottom center horizontal " .. key
  return table.concat(lines, "\n")
end

--- The script that draws a picture into a file; or for nil as sixels for a screen { width =, height = in pixels }, or
--- where that is nil, too, as text.
function gnuplot_script.text(picture, path, screen)
  local terminal, blocks, panels = path and TERMINALS[path:match "%.(%w+)$"] or screen and SIXELS, {}, {}
  local page = terminal and pixel_page(picture, terminal, screen) or text_page(picture)
  for i, panel in ipairs(picture.panels) do panels[i] = panel_script(panel, page, blocks) end
  local title = wrapped(shown(picture.title, page), page.width * page.across)
  if #panels == 1 and page.is_text then -- a terminal has no place for it beside the axis
    title = title .. [[."\n".]] .. wrapped(shown(picture.panels[1].y, page), page.width)
  end
  local font = page.is_text and "" or (" font 'sans-serif,%d'"):format(page.title_font)
  local begin, finish = "set title " .. title .. font, ""
  if #panels > 1 then
    begin = ("set multiplot layout %d,%d title %s%s"):format(page.down, page.across, title, font)
    finish = "unset multiplot\n"
  end
  return ("%s\n%s\n%s\n%s\n%s"):format(page_script(page, path), table.concat(blocks, "\n"), begin,
    table.concat(panels, "\n"), finish)
end

return gnuplot_script
