--- A tensor in a few lines, however large it is: type, shape, the lowest, mean and highest number, the first and the
--- last rows.
local layout = require "luanas.layout"

local WHOLE, ROWS, LAST_ROWS = 12, 6, 2 -- of a matrix: as many rows are shown whole; of more, so many
local LINES = 4 -- of a vector
local NARROWEST = 4 -- places that a number takes with what is before it

local function number_text(value)
  if value ~= value then return "NaN" end
  return math.type(value) == "integer" and ("%d"):format(value) or ("%.4g"):format(value)
end

-- 1 .. count; where these are more than `most`, so many of them, `last` at the end, and false for those between.
local function picked(count, most, last)
  local list = {}
  for i = 1, count <= most and count or most - last do list[i] = i end
  if count > most then
    list[#list + 1] = false
    for i = count - last + 1, count do list[#list + 1] = i end
  end
  return list
end

local function line_of(cells, places)
  local padded = {}
  for i, cell in ipairs(cells) do padded[i] = (" "):rep(places - #cell) .. cell end
  return table.concat(padded)
end

local function matrix_lines(matrix, width)
  local rows, columns = table.unpack(matrix:shape())
  local shown_rows, texts, places = picked(rows, rows <= WHOLE and rows or ROWS, LAST_ROWS), {}, NARROWEST
  for _, i in ipairs(shown_rows) do
    texts[i] = {}
    for _, j in ipairs(i and picked(columns, math.max(2, width // NARROWEST), 1) or {}) do
      texts[i][j] = j and number_text(matrix:get(i, j)) or nil
      if j then places = math.max(places, #texts[i][j] + 2) end
    end
  end
  local fit, lines = math.max(2, width // places), {}
  local shown_columns = picked(columns, columns <= fit and fit or fit - 1, fit > 2 and 1 or 0)
  for k, i in ipairs(shown_rows) do
    local cells = {}
    for c, j in ipairs(i and shown_columns or { false }) do cells[c] = j and texts[i][j] or "..." end
    lines[k] = line_of(cells, places)
  end
  return lines
end

local function vector_lines(vector, width)
  local count, places = vector:size(), NARROWEST
  local most = LINES * math.max(1, width // NARROWEST)
  for _, i in ipairs(picked(count, most, most // LINES)) do
    if i then places = math.max(places, #number_text(vector:get(i)) + 2) end
  end
  local in_line = math.max(1, width // places)
  local total, lines = (count + in_line - 1) // in_line, {}
  for n, k in ipairs(picked(total, LINES, 1)) do
    local cells = {}
    for i = (k or 1) * in_line - in_line + 1, k and math.min(count, k * in_line) or 0 do
      cells[#cells + 1] = number_text(vector:get(i))
    end
    lines[n] = k and line_of(cells, places) or ("  ... %d more"):format((total - LINES) * in_line)
  end
  return lines
end

-- The first and the last matrix of more dimensions, under their places.
local function slice_lines(tensor, shape, width)
  local first, last, count, lines = {}, {}, 1, {}
  for d = 1, #shape - 2 do
    first[d], last[d], count = 1, shape[d], count * shape[d]
  end
  for k, place in ipairs(count > 1 and { first, last } or { first }) do
    local matrix = tensor
    for _, i in ipairs(place) do matrix = matrix[i] end
    if k == 2 and count > 2 then lines[#lines + 1] = ("... %d more"):format(count - 2) end
    lines[#lines + 1] = "[" .. table.concat(place, "][") .. "]"
    local own = matrix_lines(matrix, width)
    table.move(own, 1, #own, #lines + 1, lines)
  end
  return lines
end

--- The text of a tensor, in so many columns.
return function(tensor, width)
  local shape = tensor:shape()
  local title = ("tensor %s {%s}"):format(tensor:dtype(), table.concat(shape, ", "))
  if tensor:size() == 0 then return title .. ": no elements" end
  title = ("%s: min %s, mean %s, max %s"):format(title, number_text(tensor:min()), number_text(tensor:mean()),
    number_text(tensor:max()))
  while #shape > 2 and shape[#shape] == 1 do -- one channel
    tensor = tensor:select(-1, 1)
    shape[#shape] = nil
  end
  local lines
  if #shape == 0 then
    lines = { "  " .. number_text(tensor:get()) }
  elseif #shape == 1 then
    lines = vector_lines(tensor, width)
  else
    lines = #shape == 2 and matrix_lines(tensor, width) or slice_lines(tensor, shape, width)
  end
  return layout.fit(title .. "\n" .. table.concat(lines, "\n"), width)
end
