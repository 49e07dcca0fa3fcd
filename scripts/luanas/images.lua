--- Images in the terminal. Where it draws sixels, they are pictures. Else, with colours, a character is two pixels, one
--- above the other ("▀" in the colour of the upper one, on that of the lower one); without, it is a shade for both.
local core = require "luanas.core"
local check = require "luanas.check"
local layout = require "luanas.layout"
local sixel = require "luanas.sixel"

local images = {}

local SHADES = { " ", "░", "▒", "▓", "█" } -- from dark to light
local SMALLEST = 8 -- pixels: an image of fewer is magnified
local SAMPLES = 4 -- rows and columns that are looked at for a pixel of a large image
local GAP = 2
local PICTURE = 20 -- columns: a picture of fewer is magnified

-- ---- Pixels ----------------------------------------------------------------------------------------

--- Raises an error unless `value` can be shown as an image: a tensor {height, width} or {height, width, 1 or 3}.
function images.check(owner, name, value)
  local is_tensor = check.is_tensor(value)
  local shape = is_tensor and value:shape() or {}
  if (#shape == 2 or #shape == 3 and (shape[3] == 1 or shape[3] == 3)) and value:size() > 0 then return value end
  check.fail("%s: %s is %s; expected a tensor {height, width} or {height, width, 1 or 3}", owner, name,
    is_tensor and ("a tensor {%s}"):format(table.concat(shape, ", ")) or check.show(value))
end

--- A tensor as bytes of the same shape: of other types so that its lowest number is black and its highest one white;
--- where all are equal, grey.
function images.bytes(owner, tensor)
  if tensor:dtype() == "uint8" then return tensor end
  local floats = tensor:to "float32"
  local low, high = floats:min(), floats:max()
  local range = high - low
  if range - range ~= 0 then check.fail("%s: the numbers of the image are not all finite", owner) end
  if range == 0 then return core.tensor(tensor:shape(), "uint8"):fill(128) end
  return ((floats + -low) * (255 / range)):to "uint8"
end

-- The image with a dimension of channels.
local function with_channels(bytes)
  local shape = bytes:shape()
  return #shape == 3 and bytes or bytes:reshape { shape[1], shape[2], 1 }
end

-- The mean of some pixels of a box, for each channel.
local function mean_of(bytes, top, left, height, width)
  local sums, count = {}, 0
  local channels = bytes:shape()[3]
  local down, right = math.max(1, height // SAMPLES), math.max(1, width // SAMPLES)
  for y = top, top + height - 1, down do
    for x = left, left + width - 1, right do
      count = count + 1
      for c = 1, channels do sums[c] = (sums[c] or 0) + bytes:get(y, x, c) end
    end
  end
  for c = 1, channels do sums[c] = sums[c] // count end
  return sums[1], sums[2] or sums[1], sums[3] or sums[1]
end

-- Red, green and blue of each pixel of an image that is magnified, or made smaller to fit into so many columns.
local function pixels_of(bytes, columns, zoom)
  local shape = bytes:shape()
  local height, width = shape[1], shape[2]
  local step = math.max(1, (width + columns - 1) // columns)
  local rows = {}
  for y = 1, step > 1 and (height + step - 1) // step or height * zoom do
    rows[y] = {}
    for x = 1, step > 1 and (width + step - 1) // step or width * zoom do
      local top, left = step > 1 and (y - 1) * step + 1 or (y - 1) // zoom + 1,
        step > 1 and (x - 1) * step + 1 or (x - 1) // zoom + 1
      rows[y][x] = { mean_of(bytes, top, left, math.min(step, height - top + 1), math.min(step, width - left + 1)) }
    end
  end
  return rows
end

-- ---- Text ------------------------------------------------------------------------------------------

-- Light of a pixel, 0 to 255 (ITU-R BT.601).
local function light(pixel)
  return (299 * pixel[1] + 587 * pixel[2] + 114 * pixel[3]) // 1000
end

local function shade_line(upper, lower)
  local line = {}
  for x, pixel in ipairs(upper) do
    local value = lower and (light(pixel) + light(lower[x])) // 2 or light(pixel)
    line[x] = SHADES[value * #SHADES // 256 + 1]
  end
  return table.concat(line)
end

local function colour_line(upper, lower)
  local line, last = {}, nil
  for x, pixel in ipairs(upper) do
    local colours = ("\27[38;2;%d;%d;%d"):format(table.unpack(pixel))
      .. (lower and (";48;2;%d;%d;%dm"):format(table.unpack(lower[x])) or ";49m")
    line[#line + 1] = (colours ~= last and colours or "") .. "▀"
    last = colours
  end
  return table.concat(line) .. "\27[0m"
end

local function side_of(bytes)
  local shape = bytes:shape()
  return math.max(shape[1], shape[2])
end

-- An image as lines, with its caption below.
local function lines_of(bytes, caption, columns, has_colours)
  local side = side_of(bytes)
  local rows = pixels_of(with_channels(bytes), columns, (SMALLEST + side - 1) // side)
  local lines, make = {}, has_colours and colour_line or shade_line
  for y = 1, #rows, 2 do lines[#lines + 1] = make(rows[y], rows[y + 1]) end
  local width = #rows[1]
  if caption then
    lines[#lines + 1] = caption
    width = math.min(columns, math.max(width, layout.width(caption)))
    lines[#lines] = layout.clip(caption, width)
  end
  return { lines = lines, width = width }
end

-- Blocks side by side.
local function beside(blocks)
  local height, lines = 0, {}
  for _, block in ipairs(blocks) do height = math.max(height, #block.lines) end
  for y = 1, height do
    local parts = {}
    for i, block in ipairs(blocks) do
      local line = block.lines[y] or ""
      parts[i] = i < #blocks and layout.pad(line, block.width + GAP) or line
    end
    lines[y] = table.concat(parts):gsub(" +$", "")
  end
  return table.concat(lines, "\n")
end

-- The text of blocks in rows of so many columns; join(row) is that of a row.
local function below_each_other(blocks, columns, join)
  local rows, row, used = {}, {}, 0
  for _, block in ipairs(blocks) do
    if #row > 0 and used + GAP + block.width > columns then
      rows[#rows + 1], row, used = join(row), {}, 0
    end
    used = used + (#row > 0 and GAP or 0) + block.width
    row[#row + 1] = block
  end
  rows[#rows + 1] = join(row)
  return table.concat(rows, "\n\n")
end

--- Text of images, a list of bytes, side by side and below each other in so many columns; captions may be nil.
function images.text(list, captions, columns, has_colours)
  local blocks = {}
  for i, bytes in ipairs(list) do blocks[i] = lines_of(bytes, captions and captions[i], columns, has_colours) end
  return below_each_other(blocks, columns, beside)
end

-- ---- Sixels ----------------------------------------------------------------------------------------

-- An image as pixels, with its caption.
local function picture_of(bytes, caption, columns, cell)
  local zoom = math.max(1, math.min(PICTURE, columns) * cell // side_of(bytes))
  local rows = pixels_of(with_channels(bytes), columns * cell, zoom)
  local width = (#rows[1] + cell - 1) // cell
  if caption then width = math.min(columns, math.max(width, layout.width(caption))) end
  return { rows = rows, width = width, caption = caption and layout.clip(caption, width) }
end

-- Pictures side by side become one, as a terminal goes on below a picture.
local function one_picture(blocks, cell)
  local rows, captions, left, width = {}, {}, 0, 0
  for i, block in ipairs(blocks) do
    for y, row in ipairs(block.rows) do
      rows[y] = rows[y] or {}
      table.move(row, 1, #row, left * cell + 1, rows[y])
    end
    width = left * cell + #block.rows[1]
    captions[i] = layout.pad(block.caption or "", block.width + GAP)
    left = left + block.width + GAP
  end
  local below = table.concat(captions):gsub(" +$", "")
  return sixel.text(rows, width) .. (below ~= "" and "\n" .. below or "")
end

--- The same as sixels, for a terminal whose columns are `cell` pixels wide.
function images.sixels(list, captions, columns, cell)
  local blocks = {}
  for i, bytes in ipairs(list) do blocks[i] = picture_of(bytes, captions and captions[i], columns, cell) end
  return below_each_other(blocks, columns, function(row) return one_picture(row, cell) end)
end

--- Prints images as the terminal can show them, in its width.
function images.print(list, captions)
  local columns, pixels = core.terminal "output", core.sixel()
  local text
  if pixels then
    text = images.sixels(list, captions, columns, pixels // columns)
  else
    local has_colours = columns ~= nil and layout.wants_colours()
    text = images.text(list, captions, columns or layout.WIDTH, has_colours)
  end
  io.stdout:write(text, "\n")
end

-- ---- A picture -------------------------------------------------------------------------------------

local function repeated(image, zoom)
  if zoom == 1 then return image end
  local shape = image:shape()
  local large = core.tensor({ shape[1] * zoom, shape[2] * zoom, shape[3] }, "uint8")
  for y = 1, shape[1] do
    for x = 1, shape[2] do
      local square = large:narrow(1, (y - 1) * zoom + 1, zoom):narrow(2, (x - 1) * zoom + 1, zoom)
      for c = 1, shape[3] do square:select(3, c):fill(image:get(y, x, c)) end
    end
  end
  return large
end

--- All images in one, uint8 {height, width, channels}, in rows of `across` with black between: each pixel becomes a
--- square of `zoom` pixels.
function images.sheet(list, across, zoom)
  local height, width, channels, parts = 1, 1, 1, {}
  for i, bytes in ipairs(list) do
    parts[i] = with_channels(bytes)
    local shape = parts[i]:shape()
    height, width, channels = math.max(height, shape[1]), math.max(width, shape[2]), math.max(channels, shape[3])
  end
  across = math.min(across, #parts)
  local down, row, column = (#parts + across - 1) // across, (height + 1) * zoom, (width + 1) * zoom
  local sheet = core.tensor({ down * row - zoom, across * column - zoom, channels }, "uint8")
  for i, part in ipairs(parts) do
    local large = repeated(part, zoom)
    local shape = large:shape()
    local place = sheet:narrow(1, (i - 1) // across * row + 1, shape[1])
      :narrow(2, (i - 1) % across * column + 1, shape[2])
    for c = 1, channels do place:select(3, c):copy(large:select(3, math.min(c, shape[3]))) end
  end
  return sheet
end

return images
