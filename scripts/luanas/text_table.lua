--- Tables of plain text: columns padded to the widest cell, numbers to the right.
local text_table = {}

local function width(text)
  return utf8.len(text) or #text
end

--- `columns` are { title =, right = true or nil }; rows are lists of strings.
function text_table.format(columns, rows)
  local widths = {}
  for i, column in ipairs(columns) do
    widths[i] = width(column.title)
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], width(row[i])) end
  end
  local function line(cells)
    local padded = {}
    for i, cell in ipairs(cells) do
      local space = (" "):rep(widths[i] - width(cell))
      padded[i] = columns[i].right and space .. cell or cell .. space
    end
    return (table.concat(padded, "  "):gsub("%s+$", ""))
  end
  local titles = {}
  for i, column in ipairs(columns) do titles[i] = column.title end
  local lines = { line(titles) }
  for _, row in ipairs(rows) do lines[#lines + 1] = line(row) end
  return table.concat(lines, "\n") .. "\n"
end

--- An integer with commas: 14,450,176.
function text_table.grouped(integer)
  local text = ("%d"):format(integer)
  local sign, digits = text:match("^(-?)(%d+)$")
  digits = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return sign .. digits
end

--- How many of something, whose plural ends in s: "1 trial", "2 trials".
function text_table.counted(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

--- A number for people: an integer with commas, or six digits.
function text_table.number(number)
  local integer = math.tointeger(number)
  return integer and text_table.grouped(integer) or ("%.6g"):format(number)
end

return text_table
