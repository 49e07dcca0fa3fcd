-- Pictures as sixels, read back by a decoder.
local core = require "luanas.core"
local files = require "files"
local images = require "luanas.images"
local lu = require "luaunit"
local nas = require "luanas"
local sixel = require "luanas.sixel"

local T = {}

-- ---- The decoder -----------------------------------------------------------------------------------

-- The rows of { red, green, blue } in percents that a terminal draws, false where it draws nothing, and the number of
-- registers. Every pixel within the size that the picture tells is drawn once at most, and none outside.
local function decoded(text)
  local width, height, body = text:match '^\27P0;1;0q"1;1;(%d+);(%d+)(.*)\27\\$'
  width, height = tonumber(width), tonumber(height)
  local palette, count, colour, rows, x, top = {}, 0, nil, {}, 1, 1
  for y = 1, height do
    rows[y] = {}
    for column = 1, width do rows[y][column] = false end
  end
  local function draw(times, character)
    for _ = 1, times do
      for k = 0, 5 do
        if character:byte() - 63 & 1 << k ~= 0 then
          lu.assertIsFalse(rows[top + k][x])
          rows[top + k][x] = colour
        end
      end
      x = x + 1
    end
  end
  local at = 1
  while at <= #body do
    local register, red, green, blue, behind = body:match("^#(%d+);2;(%d+);(%d+);(%d+)()", at)
    if register then
      lu.assertNil(palette[register])
      palette[register], count = { tonumber(red), tonumber(green), tonumber(blue) }, count + 1
    else
      local times, character
      register, behind = body:match("^#(%d+)()", at)
      if register then
        colour = palette[register]
      elseif body:find("^%$", at) then
        x, behind = 1, at + 1
      elseif body:find("^%-", at) then
        x, top, behind = 1, top + 6, at + 1
      else
        times, character, behind = body:match("^!?(%d*)([?-~])()", at)
        draw(tonumber(times) or 1, character)
      end
    end
    at = behind
  end
  return rows, count
end

local function percents(pixel)
  local colour = {}
  for c = 1, 3 do colour[c] = math.floor(pixel[c] * 100 / 255 + 0.5) end
  return colour
end

-- Random pixels of so many colours, some of which are nil.
local function picture(stream, height, width, count)
  local colours, rows = {}, {}
  for i = 1, count do
    colours[i] = { stream:integer(256) - 1, stream:integer(256) - 1, stream:integer(256) - 1 }
  end
  for y = 1, height do
    rows[y] = {}
    for x = 1, width do rows[y][x] = stream:number() < 0.9 and colours[stream:integer(count)] or nil end
  end
  return rows
end

-- The largest difference of a picture and what is drawn.
local function difference(rows, drawn, width)
  local most = 0
  for y, row in ipairs(drawn) do
    for x = 1, width do
      local pixel = rows[y][x]
      lu.assertEquals(row[x] == false, pixel == nil)
      for c = 1, pixel and 3 or 0 do most = math.max(most, math.abs(row[x][c] - percents(pixel)[c])) end
    end
  end
  return most
end

-- ---- Pictures --------------------------------------------------------------------------------------

function T.test_pictures_are_what_they_were()
  local stream = core.stream(1, "pictures")
  for _, size in ipairs { { 1, 1 }, { 1, 7 }, { 5, 1 }, { 6, 6 }, { 7, 13 }, { 12, 300 }, { 31, 2 } } do
    for _, count in ipairs { 1, 2, 50, 255 } do
      local rows = picture(stream, size[1], size[2], count)
      rows[1][size[2]] = { 255, 0, 128 }
      local drawn = decoded(sixel.text(rows, size[2]))
      lu.assertEquals({ #drawn, #drawn[1] }, size)
      lu.assertEquals(difference(rows, drawn, size[2]), 0)
    end
  end
end

function T.test_one_pixel()
  lu.assertEquals(sixel.text({ { { 255, 128, 0 } } }, 1), '\27P0;1;0q"1;1;1;1#0;2;100;50;0#0@\27\\')
end

function T.test_runs_are_short()
  local row = {}
  for x = 1, 1000 do row[x] = x ~= 10 and { 0, 0, 0 } or { 255, 255, 255 } end
  lu.assertEquals(sixel.text({ row, row }, 1000),
    '\27P0;1;0q"1;1;1000;2#0;2;0;0;0#1;2;100;100;100#0!9B?!990B$#1!9?B\27\\')
end

-- All corners of a cube of 256 boxes are nearer than this.
function T.test_many_colours_share_registers()
  local stream = core.stream(1, "colours")
  local rows = picture(stream, 60, 60, 3000)
  local drawn, count = decoded(sixel.text(rows, 60))
  lu.assertEquals(count, 256)
  local most = difference(rows, drawn, 60)
  lu.assertTrue(most > 0 and most <= 25, most)
end

-- ---- Images ----------------------------------------------------------------------------------------

function T.test_images_are_magnified()
  local grey = core.tensor_from({ { 0, 255, 51 } }, "uint8")
  local drawn = decoded(images.sixels({ grey }, nil, 80, 4)) -- 20 columns of 4 pixels: 80, so 26 for each
  lu.assertEquals({ #drawn, #drawn[1] }, { 26, 78 })
  for x, percent in pairs { [1] = 0, [26] = 0, [27] = 100, [52] = 100, [53] = 20, [78] = 20 } do
    for _, y in ipairs { 1, 26 } do lu.assertEquals(drawn[y][x], { percent, percent, percent }) end
  end
  local narrow = decoded(images.sixels({ grey }, nil, 10, 4))
  lu.assertEquals({ #narrow, #narrow[1] }, { 13, 39 })
  local large = decoded(images.sixels({ core.tensor({ 100, 200, 3 }, "uint8"):fill(255) }, nil, 20, 4))
  lu.assertEquals({ #large, #large[1] }, { 34, 67 })
end

function T.test_colours_of_images()
  local image = core.tensor_from({ { { 255, 0, 0 }, { 0, 51, 255 } } }, "uint8")
  local drawn = decoded(images.sixels({ image }, nil, 80, 1))
  lu.assertEquals({ drawn[1][1], drawn[10][20] }, { { 100, 0, 0 }, { 0, 20, 100 } })
end

-- Columns are 8 pixels wide, images 160, so that three fit, and captions are below their images.
function T.test_images_side_by_side()
  local image = core.tensor({ 4, 4 }, "uint8")
  local low = core.tensor({ 2, 4 }, "uint8")
  local text = images.sixels({ image, low, image, image }, { "one", "two", ("three "):rep(5), "four" }, 80, 8)
  local first, captions, second, last = text:match "^(\27P.-\27\\)\n([^\n]*)\n\n(\27P.-\27\\)\n([^\n]*)$"
  lu.assertEquals(captions, "one                   two                   three three three three three")
  lu.assertEquals(last, "four")
  local drawn = decoded(first)
  lu.assertEquals({ #drawn, #drawn[1] }, { 160, 2 * (160 + 16) + 160 })
  for x, is_drawn in pairs { [160] = true, [161] = false, [176] = false, [177] = true, [337] = false } do
    lu.assertEquals(drawn[80][x] ~= false, is_drawn, x)
  end
  lu.assertEquals({ drawn[81][160] ~= false, drawn[81][177] ~= false }, { true, false })
  lu.assertEquals(#decoded(second)[1], 160)
end

-- ---- Whether they are drawn ------------------------------------------------------------------------

local function printed(sixels, call, ...)
  local parts, arguments = {}, table.pack(...)
  files.with(io, "stdout", { write = function(_, ...) parts[#parts + 1] = table.concat { ... } end }, function()
    files.with(core, "sixel", function() return sixels, sixels end, function()
      files.with(core, "terminal", function() return 80 end, function()
        call(table.unpack(arguments, 1, arguments.n))
      end)
    end)
  end)
  return table.concat(parts)
end

function T.test_where_the_terminal_draws_them()
  local image = core.tensor_from { { -1, 1 } }
  local text = printed(800, nas.plot.image, image)
  local drawn = decoded(text:match "^(.*)\n$")
  lu.assertEquals({ drawn[1][1], drawn[1][200] }, { { 0, 0, 0 }, { 100, 100, 100 } })
  lu.assertNotStrContains(printed(nil, nas.plot.image, image), "\27P")
end

return T
