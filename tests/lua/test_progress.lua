local lu = require "luaunit"
local core = require "luanas.core"
local files = require "files"
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

-- At a prompt there may be hours between two trials.
function T.test_what_lies_between_trials_is_no_time_of_theirs()
  local text = shown(100, function(at)
    local bar = progress.new()
    bar:begin(1, 4, 1)
    at(10)
    bar:step(1, 0.5)
    bar:finish()
    bar:count(1, 0.5)
    at(5000)
    bar:begin(2, 4, 1, 0.5)
    at(5020)
    bar:step(1, 0.5)
  end)
  lu.assertStrMatches(last_line(text), "trial 2/4 .* 0:30 left")
end

function T.test_nothing_is_known_before_anything_was_trained()
  local text = shown(100, function(at)
    local bar = progress.new()
    bar:begin(1, 4, 2)
    at(2)
    bar:finish()
    bar:count(1) -- it was recalled
    bar:begin(2, 4, 2)
    at(3)
    bar:finish()
  end)
  lu.assertStrMatches(last_line(text), "trial 2/4 .* 0:02 so far")
end

-- Three trials of two networks were stored, which took 15 and 30 seconds.
function T.test_followed_trials_tell_what_they_took()
  local text = shown(100, function(at)
    local bar = progress.new()
    for i, seconds in ipairs { 15.0, 0.0, 30.0 } do
      bar:finish()
      bar:count(i, 0.5, seconds)
    end
    at(1)
    lu.assertNil(bar:left()) -- of how many?
    bar:begin(4, 6, 2, 0.5)
    lu.assertEquals(bar:left(), 3 * 15)
    at(5)
    bar:step(1, 0.5) -- half of the first one of its own
  end)
  lu.assertStrMatches(last_line(text), "trial 4/6 .* 0:20 left")
end

-- What a study tells at the beginning of each trial that it does not follow.
function T.test_a_study_that_goes_on_tells_what_is_stored()
  local function search(count)
    local states = {}
    files.with(progress, "observe", function(state) states[#states + 1] = state end, function()
      local study <close> = spaces.study { path = files.path }
      study:run(nas.agents.reinforce { seed = 1 }, { trials = count })
      local model = study:trials()[1]:model() -- that is no trial of the search
      model:close()
    end)
    return states
  end
  files.remove()
  local _ <close> = setmetatable({}, { __close = files.remove })
  local first = search(4)
  lu.assertEquals({ first[#first].done, first[#first].followed, first[#first].total }, { 4, 0, 4 })
  lu.assertTrue(first[#first].seconds > 0)
  local all = files.query [[SELECT sum(s) AS seconds FROM (
    SELECT measured ->> 'seconds' AS s FROM trial GROUP BY network)]][1].seconds
  local next_states = search(8)
  local begun
  for _, state in ipairs(next_states) do
    if state.number then begun = begun or state end
  end
  lu.assertEquals({ begun.done, begun.followed, begun.total, begun.has_trained }, { 4, 4, 8, nil })
  lu.assertAlmostEquals(begun.followed_seconds, all, 1e-9)
  lu.assertEquals(next_states[#next_states].done, 8)
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
