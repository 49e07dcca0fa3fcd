--- The drawing of a network as an SVG picture: its lines (network.lua) with their connections in the margin, as in the
--- terminal, but in colours and with rounded corners.
local network_lines = require "luanas.plots.network"
local text_table = require "luanas.text_table"

local ROW, LANE, LETTER, RADIUS, MARGIN = 26, 15, 7.3, 6, 14 -- pixels

-- Okabe & Ito's colours, which the colour-blind can tell apart, without the yellow.
local COLOURS = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666" }

-- Of the box behind a line, by its kind.
local BOXES = {
  conv2d = "#dcebf7", depthwise_conv2d = "#dcebf7", dense = "#e3f1e4", max_pool = "#f9eadb", avg_pool = "#f9eadb",
  global_avg_pool = "#f9eadb", input = "#eeeeee",
}

local function escaped(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

local function shown(text)
  return escaped((text:gsub("(%d)x(%d)", "%1×%2"):gsub("(%d)x(%d)", "%1×%2")))
end

-- The widths of columns, in letters.
local function widest(lines, of)
  local most = 0
  for _, line in ipairs(lines) do most = math.max(most, utf8.len(of(line))) end
  return most
end

--- The picture's text.
return function(lines, title)
  local lanes, count = network_lines.lanes(lines)
  local spine = MARGIN + RADIUS
  local box = spine + LANE * (count + 1)
  local output = box + LETTER * widest(lines, function(line) return line.title end) + 28
  local params = output + LETTER * (widest(lines, function(line) return line.shape end) + 13)
  local macs = params + LETTER * 17
  local top = MARGIN + (title and 28 or 0) + 22
  local function y_of(i) return top + ROW * (i - 0.5) end
  local width, height = macs + MARGIN, top + ROW * #lines + 30
  local parts = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family='
      .. '"sans-serif" font-size="12.5" fill="#222222">'):format(width, height, width, height),
    ('<rect width="%.0f" height="%.0f" fill="#ffffff"/>'):format(width, height),
  }
  local function add(text, ...) parts[#parts + 1] = text:format(...) end
  local function write(x, y, text, more) add('<text x="%.1f" y="%.1f"%s>%s</text>', x, y, more or "", text) end
  local RIGHT, GREY = ' text-anchor="end"', ' fill="#777777"'
  if title then write(MARGIN, MARGIN + 14, escaped(title), ' font-size="16"') end
  write(box + 8, top - 8, "layers", GREY)
  write(output, top - 8, "output", GREY)
  write(params, top - 8, "parameters", RIGHT .. GREY)
  write(macs, top - 8, "MACs", RIGHT .. GREY)

  -- Strokes first, so that the boxes and dots lie on them.
  for i, line in ipairs(lines) do
    for _, from in ipairs(line.inputs) do
      if from == i - 1 then
        add('<path d="M%.1f %.1fV%.1f" stroke="#222222" stroke-width="2"/>', spine, y_of(from), y_of(i))
      end
    end
  end
  for _, each in ipairs(lanes) do
    local x, colour = spine + LANE * each.lane, COLOURS[(each.lane - 1) % #COLOURS + 1]
    local first, last = y_of(each.from) + 4, y_of(each.to[#each.to]) - 4
    add('<path d="M%.1f %.1fH%.1fq%d 0 %d %dV%.1fq0 %d -%d %dH%.1f" fill="none" stroke="%s" stroke-width="2"/>', spine,
      first, x - RADIUS, RADIUS, RADIUS, RADIUS, last - RADIUS, RADIUS, RADIUS, RADIUS, spine, colour)
    for k = 1, #each.to - 1 do
      local y = y_of(each.to[k]) - 4
      add('<path d="M%.1f %.1fq0 %d -%d %dH%.1f" fill="none" stroke="%s" stroke-width="2"/>', x, y - RADIUS, RADIUS,
        RADIUS, RADIUS, spine, colour)
    end
  end
  local all_params, all_macs = 0, 0
  for i, line in ipairs(lines) do
    local y = y_of(i)
    add('<circle cx="%.1f" cy="%.1f" r="6" fill="%s" stroke="#222222" stroke-width="1.5"/>', spine, y,
      BOXES[line.kind] or "#ffffff")
    add('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4" fill="%s"/>', box, y - ROW / 2 + 2,
      output - box - 12, ROW - 4, BOXES[line.kind] or "#f4f4f4")
    write(box + 8, y + 4.5, shown(line.title))
    write(output, y + 4.5, shown(line.shape))
    write(params, y + 4.5, line.params > 0 and text_table.grouped(line.params) or "", RIGHT)
    write(macs, y + 4.5, line.macs > 0 and text_table.grouped(line.macs) or "", RIGHT)
    all_params, all_macs = all_params + line.params, all_macs + line.macs
  end
  local y = y_of(#lines + 1) + 4
  write(params, y, text_table.grouped(all_params), RIGHT .. ' font-weight="bold"')
  write(macs, y, text_table.grouped(all_macs), RIGHT .. ' font-weight="bold"')
  parts[#parts + 1] = "</svg>\n"
  return table.concat(parts, "\n")
end
