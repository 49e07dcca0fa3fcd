--- Images in the terminal. With colours, a character is two pixels, one above the other ("▀" in the colour of the upper
--- one, on that of the lower one); without, it is a shade for both.
local core = require "luanas.core"
local check = require "luanas.check"
local layout = require "luanas.layout"

local images = {}

local SHADES = { " ", "░", "▒", "▓", "█" } -- from dark to light
local SMALLEST = 8 -- pixels: an image of fewer is magnified
local SAMPLES = 4 -- rows and columns that are looked at for a pixel of a large image
local GAP = 2
local COLUMNS = 80 -- where there is no terminal

-- ---- Pixels ----------------------------------------------------------------------------------------

--- Raises an error unless `value` can be shown as an image: a tensor {height, width} or {height, width, 1 or 3}.
function images.check(owner, name, value)
  local is_tensor = type(value) == "userdata" and (debug.getmetatable(value) or {}).__name == "luanas.Tensor"
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
local function pixels_of(bytes, columns)
  local shape = bytes:shape()
  local height, width = shape[1], shape[2]
  local side = math.max(height, width)
  local zoom = (SMALLEST + side - 1) // side
  local step = math.max(1, (width + columns - 1) // columns)
  local rows = {}
  for y = 1, step > 1 and math.max(1, height // step) or height * zoom do
    rows[y] = {}
    for x = 1, step > 1 and math.max(1, width // step) or width * zoom do
      local top, left = step > 1 and (y - 1) * step + 1 or (y - 1) // zoom + 1,
        step > 1 and (x - 1) * step + 1 or (x - 1) // zoom + 1
      rows[y][x] = { mean_of(bytes, top, left, step, step) }
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

-- An image as lines, with its caption below.
local function lines_of(bytes, caption, columns, has_colours)
  local rows = pixels_of(with_channels(bytes), columns)
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

--- Text of images, a list of bytes, side by side and below each other in so many columns; captions may be nil.
function images.text(list, captions, columns, has_colours)
  local rows, row, used = {}, {}, 0
  for i, bytes in ipairs(list) do
    local block = lines_of(bytes, captions and captions[i], columns, has_colours)
    if #row > 0 and used + GAP + block.width > columns then
      rows[#rows + 1], row, used = beside(row), {}, 0
    end
    used = used + (#row > 0 and GAP or 0) + block.width
    row[#row + 1] = block
  end
  rows[#rows + 1] = beside(row)
  return table.concat(rows, "\n\n")
end

--- Prints it, in the width and with the colours of the terminal.
function images.print(list, captions)
  local columns = core.terminal "output"
  local has_colours = columns ~= nil and (os.getenv "NO_COLOR" or "") == ""
  io.stdout:write(images.text(list, captions, columns or COLUMNS, has_colours), "\n")
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
