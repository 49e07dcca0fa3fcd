--- Text within columns: how wide it is, cut, and wrapped. Colours (ANSI codes) take no room.
local core = require "luanas.core"

local layout = { WIDTH = 80, NARROWEST = 20 } -- columns where there is no terminal, and those that a text needs

--- Columns to fill: those of the terminal at a stream (of core.terminal) where there is one.
function layout.columns(stream)
  return math.max(layout.NARROWEST, core.terminal(stream) or layout.WIDTH)
end

local ESCAPE = "\27%[[%d;]*m"
local RESET = "\27[0m"

--- Whether the user wants colours in a terminal (https://no-color.org), and it may know them.
function layout.wants_colours()
  local kind = os.getenv "TERM" or ""
  return (os.getenv "NO_COLOR" or "") == "" and kind ~= "" and kind ~= "dumb"
end

--- Columns that a line takes; where it is not UTF-8, its bytes.
function layout.width(line)
  local plain = line:gsub(ESCAPE, "")
  return utf8.len(plain) or #plain
end

-- The first `count` columns of a line.
local function head(line, count)
  local parts, at, is_coloured = {}, 1, false
  while count > 0 and at <= #line do
    local escape = line:match("^" .. ESCAPE, at)
    local character = escape or line:match("^" .. utf8.charpattern, at) or line:sub(at, at)
    parts[#parts + 1], at = character, at + #character
    is_coloured = is_coloured or escape ~= nil
    if not escape then count = count - 1 end
  end
  return table.concat(parts) .. (is_coloured and RESET or "")
end

--- A line of at most so many columns: one that is cut ends in "…".
function layout.clip(line, columns)
  if layout.width(line) <= columns then return line end
  return head(line, columns - 1) .. "…"
end

--- The first bytes of a text, without a torn character at the end.
function layout.beginning(text, bytes)
  local cut = text:sub(1, bytes)
  if utf8.len(text) then
    while not utf8.len(cut) do cut = cut:sub(1, -2) end
  end
  return cut
end

--- A text in UTF-8; of one that is not, with numbers for the bytes that are no ASCII.
function layout.utf8(text)
  if utf8.len(text) then return text end
  return (text:gsub("[\128-\255]", function(c) return ("\\x%02X"):format(c:byte()) end))
end

--- Words in lines of at most so many columns, where no word is longer: the first line begins with `first`, the others
--- with `indent`. Without words, `first` alone.
function layout.wrap(words, columns, first, indent)
  local lines, line = {}, nil
  for word in words:gmatch "%S+" do
    if not line then
      line = first .. word
    elseif layout.width(line) + 1 + layout.width(word) > columns then
      lines[#lines + 1], line = line, indent .. word
    else
      line = line .. " " .. word
    end
  end
  lines[#lines + 1] = line or (first:gsub("%s+$", ""))
  return table.concat(lines, "\n")
end

--- Text whose lines have at most so many columns: sentences are wrapped, rows of tables, in which blanks come together,
--- are cut.
function layout.fit(text, columns)
  return (text:gsub("[^\n]+", function(line)
    if layout.width(line) <= columns then return line end
    local indent = line:match "^ *"
    if line:find("%S  ") then return layout.clip(line, columns) end
    return layout.wrap(line, columns, indent, indent .. "  ")
  end))
end

--- Padded on the right to so many columns.
function layout.pad(line, columns)
  return line .. (" "):rep(columns - layout.width(line))
end

return layout
