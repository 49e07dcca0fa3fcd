--- Pictures as sixels, the graphics of DEC's terminals and of many today. A character stands for six pixels of one
--- colour, one below the other; a band of them is written once for each of its colours.
local sixel = {}

local REGISTERS = 256 -- colours that a terminal has at the same time
local PERCENT = 100 -- the brightest red, green or blue

-- ---- Colours ---------------------------------------------------------------------------------------

-- A pixel, whose parts are 0 to 255, as percents in one number.
local function key_of(pixel)
  local key = 0
  for c = 1, 3 do key = key << 8 | (pixel[c] * PERCENT + 127) // 255 end
  return key
end

-- Some colours { red, green, blue in percents, key =, count = of pixels }, their mean, and the middle of the channel
-- that varies most.
local function box_of(colours)
  local box = { colours = colours, mean = {}, channel = 1, range = 0 }
  for c = 1, 3 do
    local low, high, sum, count = PERCENT, 0, 0, 0
    for _, colour in ipairs(colours) do
      low, high = math.min(low, colour[c]), math.max(high, colour[c])
      sum, count = sum + colour[c] * colour.count, count + colour.count
    end
    box.mean[c] = (sum + count // 2) // count
    if high - low > box.range then box.channel, box.middle, box.range = c, (low + high) // 2, high - low end
  end
  return box
end

local function split(box)
  local lower, upper = {}, {}
  for _, colour in ipairs(box.colours) do
    local half = colour[box.channel] <= box.middle and lower or upper
    half[#half + 1] = colour
  end
  return box_of(lower), box_of(upper)
end

-- The place of the box that varies most.
local function widest(boxes)
  local place = 1
  for i, box in ipairs(boxes) do
    if box.range > boxes[place].range then place = i end
  end
  return place
end

-- The colours of the registers, from 0, and the registers of keys, of which it gets the numbers of pixels. Where there
-- are more colours than registers, those that are alike share one.
local function registers_of(counts)
  local colours = {}
  for key, count in pairs(counts) do
    colours[#colours + 1] = { key >> 16, key >> 8 & 255, key & 255, key = key, count = count }
  end
  table.sort(colours, function(a, b) return a.key < b.key end)
  local boxes = { box_of(colours) }
  while #boxes < REGISTERS do
    local place = widest(boxes)
    if boxes[place].range == 0 then break end
    boxes[place], boxes[#boxes + 1] = split(boxes[place])
  end
  local palette, register_of = {}, {}
  for i, box in ipairs(boxes) do
    palette[i] = ("#%d;2;%d;%d;%d"):format(i - 1, table.unpack(box.mean))
    for _, colour in ipairs(box.colours) do register_of[colour.key] = i - 1 end
  end
  return palette, register_of
end

-- ---- Bands -----------------------------------------------------------------------------------------

-- Ends a run of the same character.
local function finish_run(line)
  local character = string.char(63 + line.mask)
  line.parts[#line.parts + 1] = line.count > 3 and ("!%d%s"):format(line.count, character)
    or character:rep(line.count)
end

local function append(line, mask, count)
  if mask ~= line.mask then
    finish_run(line)
    line.mask, line.count = mask, 0
  end
  line.count = line.count + count
  line.width = line.width + count
end

-- The pixels of each register in a column of six, from `top` on: bit 0 is the uppermost.
local function masks_of(registers, top, x)
  local masks = {}
  for k = 0, 5 do
    local row = registers[top + k]
    local register = row and row[x]
    if register then masks[register] = (masks[register] or 0) | 1 << k end
  end
  return masks
end

local function band_text(registers, top, width, count)
  local lines, texts = {}, {}
  for x = 1, width do
    for register, mask in pairs(masks_of(registers, top, x)) do
      local line = lines[register] or { parts = {}, mask = 0, count = 0, width = 0 }
      lines[register] = line
      if line.width < x - 1 then append(line, 0, x - 1 - line.width) end
      append(line, mask, 1)
    end
  end
  for register = 0, count - 1 do
    local line = lines[register]
    if line then
      finish_run(line)
      texts[#texts + 1] = ("#%d%s"):format(register, table.concat(line.parts))
    end
  end
  return table.concat(texts, "$")
end

--- The text that draws rows of pixels { red, green, blue }, each 0 to 255; a pixel that is nil is left as it is.
function sixel.text(rows, width)
  local counts, registers = {}, {}
  for y, row in ipairs(rows) do
    registers[y] = {}
    for x = 1, width do
      local key = row[x] and key_of(row[x])
      registers[y][x] = key
      if key then counts[key] = (counts[key] or 0) + 1 end
    end
  end
  local palette, register_of = registers_of(counts)
  for _, row in ipairs(registers) do
    for x = 1, width do row[x] = register_of[row[x] or -1] end
  end
  local bands = {}
  for top = 1, #rows, 6 do bands[#bands + 1] = band_text(registers, top, width, #palette) end
  -- 1: pixels that are not drawn stay as they are; then the shape of pixels, and width and height of the picture
  return ("\27P0;1;0q\"1;1;%d;%d%s%s\27\\"):format(width, #rows, table.concat(palette), table.concat(bands, "-"))
end

return sixel
