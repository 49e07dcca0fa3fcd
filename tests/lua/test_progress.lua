local lu = require "luaunit"
local core = require "luanas.core"
local nas = require "luanas"
local progress = require "luanas.progress"
local spaces = require "spaces"

local T = {}

-- What `body` shows on a terminal of so many columns (nil: standard error is none), `second` being the time.
local function shown(columns, body)
  local pieces, now = {}, 0
  local stderr, terminal, clock = io.stderr, core.terminal, core.clock
  io.stderr = { -- luacheck: ignore 122
    write = function(_, ...)
      for _, piece in ipairs { ... } do pieces[#pieces + 1] = piece end
    end,
    flush = function() end,
  }
  core.terminal = function() return columns end
  core.clock = function() return now end
  local ok, problem = pcall(body, function(second) now = second end)
  io.stderr, core.terminal, core.clock = stderr, terminal, clock -- luacheck: ignore 122
  if not ok then error(problem, 0) end
  return table.concat(pieces)
end

-- The last line that was drawn, without control sequences.
local function last_line(text)
  local line
  for each in text:gmatch("\r\27%[K([^\r]+)") do line = each end
  return line and line:gsub("\27%[%d*m", "")
end

function T.test_a_line()
  local text = shown(100, function(at)
    local bar = progress.new()
    at(0)
    bar:begin(1, 4, 2)
    at(30)
    bar:step(1, 0.75)
    at(60)
    bar:step(2, 0.8125)
    bar:finish()
    bar:begin(2, 4, 2, 0.8125)
    at(90)
    bar:step(1, 0.5)
  end)
  lu.assertEquals(last_line(text),
    "trial 2/4 [===========                   ] epoch 1/2  accuracy 0.5000  best 0.8125  2:30 left")
end

function T.test_without_a_total()
  local text = shown(80, function(at)
    local bar = progress.new()
    bar:begin(3, nil, 2)
    at(3675)
    bar:step(1, 0.5)
  end)
  lu.assertEquals(last_line(text), "trial 3 epoch 1/2  accuracy 0.5000  1:01:15 so far")
end

function T.test_replicates()
  local text = shown(100, function(at)
    local bar = progress.new()
    bar:begin(1, 2, 2, nil, 3)
    at(60)
    bar:step(1, 0.5, 2) -- half of the first of two trials
  end)
  lu.assertEquals(last_line(text),
    "trial 1/2 [=======                       ] replicate 2/3 epoch 1/2  accuracy 0.5000  3:00 left")
end

-- Every epoch of each replicate is told, of whatever is trained.
function T.test_a_study_tells_its_replicates()
  for _, count in ipairs { 1, 3 } do
    local text = shown(100, function()
      local study <close> = spaces.study { replicates = count, quiet = false, train = { epochs = 2, batch = 16 } }
      study:evaluate(nas.arch "kernel=1{1,3} filters=2{2,4}")
    end)
    for k = 1, count do
      for epoch = 1, 2 do
        local told = ("%s epoch %d/2 "):format(count > 1 and ("replicate %d/3"):format(k) or "trial 1", epoch)
        lu.assertStrContains(text, told)
      end
    end
    lu.assertEquals(text:find "replicate" ~= nil, count > 1)
  end
end

function T.test_it_fits_the_terminal()
  for columns = 1, 120 do
    local text = shown(columns, function(at)
      local bar = progress.new()
      bar:begin(1, 100, 10)
      at(10)
      bar:step(1, 0.5)
    end)
    lu.assertTrue(#(last_line(text) or "") < columns, columns .. " columns")
  end
end

function T.test_the_line_is_gone_after_a_trial()
  local text = shown(80, function()
    local bar = progress.new()
    bar:begin(1, 4, 2)
    bar:finish()
  end)
  lu.assertEquals(text:sub(-4), "\r\27[K")
  lu.assertEquals(shown(80, function() progress.new():clear() end), "")
end

function T.test_silence()
  local function all(bar)
    bar:begin(1, 4, 2)
    bar:step(1, 0.5)
    bar:finish()
  end
  lu.assertEquals(shown(nil, function() all(progress.new()) end), "")
  lu.assertEquals(shown(80, function() all(progress.new(true)) end), "")
  lu.assertNotEquals(shown(80, function() all(progress.new()) end), "")
end

return T
