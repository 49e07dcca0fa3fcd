-- Whether a terminal draws sixels: what it is asked, what it answers, and what becomes of the keys of its user
-- meanwhile.
local lu = require "luaunit"
local screen = require "screen"

local T = {}

local PROGRAM = os.getenv "LUANAS_PROGRAM"
local STOCK = os.getenv "LUANAS_STOCK_LUA"
local YES, NO = "\27[?63;1;2;4;6;22c", "\27[?62;1;22c"

local DRAW = "local nas = require 'luanas' nas.plot.image(nas.tensor { { 0, 1 }, { 1, 0 } }) "
local BLOCK = "▀"

-- Starts a shell command on a screen that sends `answer`, or calls it, when it is asked.
local function start(answer, command)
  local s = screen.start(24, 80, "env", "-u", "NO_COLOR", "-u", "LUANAS_SIXEL", "TERM=xterm", "LUANAS_THREADS=1",
    "LUANAS_HISTORY=", "sh", "-c", command)
  s.on_question = type(answer) == "string" and function() s:keys(answer) end or answer
  return s
end

-- A session at its first prompt; `settings` are words for env.
local function session(answer, settings)
  local s = start(answer, ("exec env %s '%s'"):format(settings or "", PROGRAM))
  s:prompt()
  return s
end

-- A command that runs Lua by the program, or by stock Lua.
local function running(code, interpreter)
  return ("%s -e \"%s\""):format(interpreter or "'" .. PROGRAM .. "'", code)
end

-- How often it was asked, how many pictures came, and whether blocks did.
local function seen(s)
  return { s.questions, #s.pictures, s:text():find(BLOCK, 1, true) ~= nil }
end

-- ---- Answers ---------------------------------------------------------------------------------------

function T.test_yes()
  local s <close> = session(YES)
  lu.assertEquals(seen(s), { 0, 0, false })
  s:enter(DRAW)
  lu.assertEquals(seen(s), { 1, 1, false })
  lu.assertStrContains(s.pictures[1], '"1;1;160;160')
  s.terminal:resize(24, 80, 800, 480)
  s:enter(DRAW)
  lu.assertEquals(seen(s), { 1, 2, false })
  lu.assertStrContains(s.pictures[2], '"1;1;200;200')
end

-- The first number is a kind of terminal.
function T.test_no()
  for _, answer in ipairs { NO, "\27[?4;22c", "\27[?1;24;42c", "\27[?6c" } do
    local s <close> = session(answer)
    s:enter(DRAW)
    s:enter(DRAW)
    lu.assertEquals(seen(s), { 1, 0, true })
  end
end

function T.test_no_answer()
  local s <close> = session()
  s:enter(DRAW)
  s:enter(DRAW)
  lu.assertEquals(seen(s), { 1, 0, true })
  lu.assertEquals(s:enter "1 + 1", "2")
end

function T.test_an_answer_that_comes_too_late()
  local s <close> = session()
  s:enter(DRAW)
  s:keys(YES .. "20 +")
  lu.assertStrContains(s:enter " 22", "42")
  lu.assertNotStrContains(s:text(), "63")
  s:enter(DRAW)
  lu.assertEquals(seen(s), { 1, 0, true })
end

function T.test_an_answer_of_which_a_part_comes_too_late()
  local s <close> = session "\27[?63;1"
  s:enter(DRAW)
  s:keys ";4c"
  lu.assertEquals(s:enter "1 + 1", "2")
  lu.assertNotStrContains(s:text(), "63")
end

-- ---- Keys ------------------------------------------------------------------------------------------

function T.test_keys_around_the_answer()
  local s <close> = session("'\u{e9}' .. 40 " .. YES .. "+ 2\r")
  s:enter(DRAW)
  s:expect "\"\u{e9}42\""
  lu.assertEquals(seen(s), { 1, 1, false })
end

function T.test_keys_without_an_answer()
  local s <close> = session "6 * 7\r"
  s:enter(DRAW)
  s:expect "\n42"
  lu.assertEquals(seen(s), { 1, 0, true })
end

-- More than is read: the rest stays where it is.
function T.test_many_keys_without_an_answer()
  local s <close> = session(("#'%s'\r"):format(("x"):rep(700)))
  s:enter(DRAW)
  s:expect "\n700"
end

-- It may be meant for the shell.
function T.test_nothing_is_asked_where_keys_wait()
  local s <close> = session(YES)
  s:after("both", function()
    s:keys("print 'begun' require 'luanas.core'.sleep(0.5) " .. DRAW .. "\r")
    s:expect "\nbegun"
    s:keys "6 * 7\r"
  end)
  s:expect "\n42"
  lu.assertEquals(seen(s), { 0, 0, true })
  s:enter(DRAW)
  lu.assertEquals(seen(s), { 1, 1, true })
end

function T.test_ctrl_c_while_it_is_asked()
  local s <close> = session "\3"
  s:enter(DRAW)
  s:expect "interrupted!"
  lu.assertEquals(s:enter "1 + 1", "2")
end

local function interpreters()
  return { PROGRAM and "'" .. PROGRAM .. "'", STOCK }
end

function T.test_scripts_read_what_was_typed()
  for _, interpreter in ipairs(interpreters()) do
    local s <close> = start("hel" .. YES .. "lo\rmore\r", running(DRAW
      .. "print('read ' .. io.read(), io.read()) os.execute 'stty -a'", interpreter))
    lu.assertEquals(s:finish(), 0)
    lu.assertStrContains(s:text(), "read hello      more")
    lu.assertStrMatches(s:text(), ".*%sicanon%s.*")
    lu.assertStrMatches(s:text(), ".*%secho%s.*")
    lu.assertEquals(seen(s), { 1, 1, false })
  end
end

-- ---- Where nothing is asked ------------------------------------------------------------------------

function T.test_settings()
  for settings, expected in pairs {
    ["LUANAS_SIXEL=1"] = { 0, 1, false }, ["LUANAS_SIXEL=1 NO_COLOR=1 TERM=dumb"] = { 0, 1, false },
    ["LUANAS_SIXEL=0"] = { 0, 0, true }, ["LUANAS_SIXEL="] = { 1, 1, false }, ["NO_COLOR="] = { 1, 1, false },
    ["NO_COLOR=1"] = { 0, 0, false }, ["TERM=dumb"] = { 0, 0, false }, ["TERM="] = { 0, 0, false },
    ["-u TERM"] = { 0, 0, false },
  } do
    for _, interpreter in ipairs(interpreters()) do
      local s <close> = start(YES, ("exec env %s %s"):format(settings, running(DRAW, interpreter)))
      lu.assertEquals(s:finish(), 0)
      lu.assertEquals(seen(s), expected, settings)
    end
  end
end

function T.test_wrong_settings()
  for _, interpreter in ipairs(interpreters()) do
    local s <close> = start(YES, ("exec env LUANAS_SIXEL=yes %s"):format(running("require 'luanas'", interpreter)))
    lu.assertEquals(s:finish(), 1)
    lu.assertStrContains(s:text(), 'LUANAS_SIXEL is "yes"; expected 0 or 1')
  end
end

function T.test_other_files()
  for redirection, has_blocks in pairs { ["</dev/null"] = true, ["| cat"] = false } do
    local s <close> = start(YES, running(DRAW) .. redirection)
    lu.assertEquals(s:finish(), 0)
    lu.assertEquals(seen(s), { 0, 0, has_blocks })
    lu.assertEquals(s:text():find("█", 1, true) ~= nil, not has_blocks)
  end
end

-- It would be stopped if it changed the terminal.
function T.test_in_the_background()
  local s <close> = start(YES, "set -m; " .. running(DRAW) .. " & wait $!")
  lu.assertEquals(s:finish(), 0)
  lu.assertEquals(seen(s), { 0, 0, true })
end

-- ---- Plots -----------------------------------------------------------------------------------------

local PLOT = "require 'luanas'.plot.lines(nil, { title = 'words', lines = { { points = { { 1, 2 }, { 3, 4 } } } } })"

function T.test_plots()
  lu.skipIf(not os.execute "gnuplot -e 'set terminal sixelgd' >/dev/null 2>&1", "no gnuplot that draws sixels")
  for answer, expected in pairs { [YES] = { 1, 1, false }, [NO] = { 1, 0, false } } do
    local s <close> = start(answer, running(PLOT))
    lu.assertEquals(s:finish(), 0)
    lu.assertEquals(seen(s), expected)
    lu.assertEquals(s:text():find "words" ~= nil, answer == NO)
    if answer == YES then lu.assertStrContains(s.pictures[1], '"1;1;640;288') end
  end
end

function T.test_a_gnuplot_that_draws_no_sixels()
  lu.skipIf(not os.execute "command -v gnuplot >/dev/null 2>&1", "gnuplot is not installed")
  local pipe <close> = io.popen "mktemp -d && command -v gnuplot"
  local folder, path = pipe:read("l", "l")
  local file = assert(io.open(folder .. "/gnuplot", "w"))
  file:write(("#!/bin/sh\nif grep sixel $2; then exit 1; fi\nexec '%s' $*\n"):format(path))
  file:close()
  local s <close> = start(YES, ("chmod +x %s/gnuplot; PATH=%s:$PATH; %s"):format(folder, folder, running(PLOT)))
  lu.assertEquals(s:finish(), 0)
  os.execute("rm -r " .. folder)
  lu.assertEquals(seen(s), { 1, 0, false })
  lu.assertStrContains(s:text(), "words")
end

return T
