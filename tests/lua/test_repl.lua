-- The session at the prompt, by a real terminal: keys go in, and the screen is looked at.
local core = require "luanas.core"
local lu = require "luaunit"
local nas = require "luanas"
local screen = require "screen"

local T = {}

local PROGRAM = os.getenv "LUANAS_PROGRAM"

local function temporary()
  local path = os.tmpname()
  os.remove(path)
  return path
end

local function content(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- A session with these settings: those of the environment, what it is `without`, `rows`, `columns`, `arguments`.
local function open(settings)
  settings = settings or {}
  local command = { "env", "-u", "NO_COLOR" }
  for _, name in ipairs(settings.without or {}) do table.move({ "-u", name }, 1, 2, #command + 1, command) end
  table.move({ "TERM=xterm", "LUANAS_THREADS=1" }, 1, 2, #command + 1, command)
  if not settings.has_history then command[#command + 1] = "LUANAS_HISTORY=" end
  table.move(settings, 1, #settings, #command + 1, command)
  command[#command + 1] = PROGRAM
  table.move(settings.arguments or {}, 1, #(settings.arguments or {}), #command + 1, command)
  return screen.start(settings.rows or 24, settings.columns or 80, table.unpack(command))
end

-- The same, at its first prompt.
local function session(settings)
  local s = open(settings)
  s:prompt()
  return s
end

-- What standard output and error got and the exit status, for lines of standard input that is no terminal.
local function piped(input, arguments)
  local path, out, err = temporary(), temporary(), temporary()
  local file = assert(io.open(path, "w"))
  file:write(input)
  file:close()
  local _, _, status = os.execute(("LUANAS_HISTORY=%s %s %s <%s >%s 2>%s"):format(path .. ".history", PROGRAM,
    arguments or "", path, out, err))
  local results = { out = content(out), err = content(err), status = status }
  lu.assertNil(io.open(path .. ".history")) -- only a terminal has one
  for _, each in ipairs { path, out, err } do os.remove(each) end
  return results
end

-- ---- Values and errors -----------------------------------------------------------------------------

function T.test_expressions_are_printed()
  local s <close> = session()
  lu.assertStrMatches(s:row_text(1), "LuaNAS %d+%.%d+%.%d+ %(numeric version %d+, %w+, 1 thread%)")
  lu.assertEquals(s:enter "1 + 1", "2")
  lu.assertEquals(s:enter "_ * 21", "42")
  lu.assertEquals(s:enter "_, nil, _ + 1", "42\tnil\t43")
  lu.assertEquals(s:enter "nothing", "nil")
  lu.assertEquals(s:enter "x = 5", "")
  lu.assertEquals(s:enter "x -- a comment", "5")
  lu.assertEquals(s:enter "local y = 2 print(x + y)", "7")
  lu.assertEquals(s:enter "_", "5") -- print gives no value
  lu.assertEquals(s:enter "...", "")
  lu.assertStrContains(s:enter "nas.version, nn == nas.nn", ('"%s"\ttrue'):format(core.version))
  s:keys "\4"
  lu.assertEquals(s:finish(), 0)
end

function T.test_errors_are_short()
  local s <close> = session()
  lu.assertEquals(s:enter "error 'oops'", "stdin:1: oops")
  lu.assertEquals(s:enter "x = = 1", "stdin:1: unexpected symbol near '='")
  lu.assertEquals(s:enter "{ 1,, 2 }", "stdin:1: unexpected symbol near ','")
  lu.assertEquals(s:enter "x = 'unfinished", "stdin:1: unfinished string near <eof>")
  lu.assertEquals(s:enter "function f() error 'deep' end", "")
  lu.assertEquals(s:enter "f()", table.concat({ "stdin:1: deep", "stack traceback:",
    "\t[C]: in function 'error'", "\tstdin:1: in function 'f'", "\tstdin:1: in main chunk" }, "\n"))
  lu.assertStrMatches(s:enter "nas.study {}", "stdin:1: study: space is nil; expected a function[^\n]*")
  lu.assertNotStrContains(s:text(), "luanas/")
  lu.assertStrContains(s:enter "error {}", "{}")
  lu.assertEquals(s:enter "error()", "nil")
  lu.assertEquals(s:enter "1", "1")
end

function T.test_bad_values_lose_nothing()
  local s <close> = session()
  s:enter "kept = 11"
  local fails = "whose __tostring fails"
  lu.assertStrContains(s:enter "setmetatable({}, { __tostring = function() error 'no text' end })", fails)
  lu.assertStrContains(s:enter "error(setmetatable({}, { __tostring = function() return {} end }))", fails)
  lu.assertStrContains(s:enter "(function f() return f() + 1 end)()", "'(' expected")
  lu.assertStrContains(s:enter "function f() return f() + 1 end f()", "stack overflow")
  lu.assertEquals(s:enter(("{"):rep(300) .. ("}"):rep(300)), "C stack overflow")
  lu.assertStrContains(s:enter "pcall(string.rep, 'x', -1)", "true")
  s:enter "for name in pairs(_G) do if name ~= 'kept' then _G[name] = nil end end"
  lu.assertEquals(s:enter "kept", "11")
end

function T.test_slow_commands_tell_their_time()
  local s <close> = session()
  lu.assertEquals(s:enter "(require 'luanas.core').sleep(0.1)", "")
  lu.assertStrMatches(s:enter "(require 'luanas.core').sleep(0.6)", "0%.%d s")
end

function T.test_colours()
  for _, no_color in ipairs { "", "1" } do
    local s <close> = session { "NO_COLOR=" .. no_color }
    lu.assertEquals(s:enter "error 'oops'", "stdin:1: oops")
    lu.assertEquals(s.raw:find "\27%[31mstdin:1: oops\27%[0m" ~= nil, no_color == "")
    lu.assertEquals(s.raw:find "\27%[[%d;]*m" ~= nil, no_color == "")
  end
end

-- Standard error may be a file, which gets no colours.
function T.test_errors_in_a_file_have_no_colours()
  local path = temporary()
  local s <close> = screen.start(24, 80, "env", "-u", "NO_COLOR", "TERM=xterm", "LUANAS_HISTORY=", "sh", "-c",
    ("%s 2>%s"):format(PROGRAM, path))
  s:prompt()
  s:enter "error 'oops'"
  s:enter "error { a = 1 }"
  lu.assertStrContains(s:enter "{ 'a' }", '{ "a" }')
  s:keys "\4"
  lu.assertEquals(s:finish(), 0)
  lu.assertTrue(s.raw:find "\27%[[%d;]*m" ~= nil) -- the prompt has them
  lu.assertEquals(content(path), "stdin:1: oops\n{ a = 1 }\n")
  os.remove(path)
end

-- ---- Several lines ---------------------------------------------------------------------------------

function T.test_input_goes_on_only_where_it_can()
  local s <close> = session()
  s:keys "for i = 1, 2 do\r"
  s:keys "  print(i * 10)\r"
  lu.assertEquals(s:enter "end", "10\n20")
  s:keys "{ 1,\r"
  lu.assertEquals(s:enter "2 }", "{ 1, 2 }") -- a table that begins a line is no statement
  s:keys "#[[a\r"
  lu.assertEquals(s:enter "b]]", "3")
  lu.assertEquals(s:enter "for i = 1 2", "stdin:1: ',' expected near '2'")
  s:keys "f(1,\r2"
  s:expect "> f(1,\n  2" -- the next line begins below the text
  s:keys "\3"
  s:prompt()
end

function T.test_expressions_behind_statements_are_printed()
  local s <close> = session()
  s:paste "local a = 1\nlocal b = 2\na + b,\n'b'"
  lu.assertStrContains(s:enter "", '3\t"b"')
  s:paste "local t = {}\nt.x.y"
  lu.assertStrContains(s:enter "", "stdin:2: attempt to index a nil value (field 'x')")
  lu.assertEquals(s:enter "1 + 1;", "2")
  lu.assertEquals(s:enter "x.y", "stdin:1: attempt to index a nil value (global 'x')")
  lu.assertEquals(s:enter "print 'a';", "a")
end

function T.test_lines_can_be_edited_before_they_run()
  local s <close> = session()
  s:keys "for i = 1, 2 do\rprint(i)\r"
  s:keys "\27[A\27[A\27[1~" -- up twice, to the beginning of the first line
  s:keys "\27[1;5C\27[1;5C\5" -- by words, to its end
  s:keys "\27[D\27[D\27[D" -- before " do"
  s:keys "\b3"
  s:keys "\27[B\27[B"
  lu.assertEquals(s:enter "end", "1\n2\n3")
end

function T.test_a_pasted_block_runs_once()
  local s <close> = session()
  s:paste "local a = 1\n\n\tlocal b = 2\nprint(a + b)\nprint 'once'\n"
  s:expect "print 'once'"
  lu.assertNotStrContains(s:text(), "\n3")
  lu.assertStrContains(s:text(), "\n> local a = 1\n\n        local b = 2\nprint(a + b)\nprint 'once'")
  lu.assertEquals(s:enter "", "3\nonce")
  s:keys "("
  s:paste "40\n+ 2"
  lu.assertStrContains(s:enter ")", "42")
end

function T.test_pasted_garbage_loses_nothing()
  local s <close> = session()
  local bytes = {}
  for i = 1, 3000 do bytes[i] = string.char(i * 7919 % 256) end
  s:enter "kept = 11"
  s:paste(table.concat(bytes):gsub("\27", "") .. "done")
  s:expect "done"
  s:keys "\3"
  s:prompt()
  lu.assertEquals(s:enter "\255\254\195", "") -- not in brackets: no characters
  lu.assertEquals(s:enter "kept", "11")
end

function T.test_characters_that_are_not_ascii()
  local s <close> = session { "LC_ALL=C" }
  lu.assertEquals(s:enter "#'\u{e9}\u{4e16}\u{1f600}', '\u{e9}'", '9\t"\u{e9}"')
  s:keys "'\u{e9}\u{e8}\b\b\u{e8}'"
  lu.assertEquals(s:enter "", '"\u{e8}"')
end

function T.test_a_terminal_of_twenty_columns()
  local s <close> = session { columns = 20, rows = 8 }
  lu.assertEquals(s:enter "'a long string', 'that wraps'", '"a long string"\t"that wraps"')
  s:keys "x = { 'aaaaaaaaaa', 'bbbbbbbbbb',\r'cccccccccccc' }"
  s:keys "\1\27[A\5\b, 'd'," -- the end of the first line
  s:keys "\27\r'e',\27[B\27[F" -- and a line behind it
  lu.assertEquals(s:enter "" and s:enter "#x", "5")
  s:keys "string.\t"
  s:expect "upper"
  s:keys "\3"
  s:prompt()
  lu.assertEquals(s:enter "1", "1")
end

function T.test_a_terminal_of_ten_columns()
  local s <close> = session { columns = 10, rows = 8 }
  s:keys "{ 1, {} }\r"
  s:expect "> { 1, {}\n}\n{ 1, {} }"
end

function T.test_the_terminal_changes_its_size()
  local s <close> = session()
  s:keys "12345 "
  s:expect "12345"
  s.columns = 40
  s.terminal:resize(24, 40)
  s:keys "+ 1"
  s:expect "\n> 12345 + 1"
  lu.assertStrContains(s:enter "", "12346")
end

-- ---- History ---------------------------------------------------------------------------------------

function T.test_history_over_two_sessions()
  local folder = temporary()
  local path = folder .. "/luanas/history"
  local settings = { "XDG_STATE_HOME=" .. folder, without = { "LUANAS_HISTORY" }, has_history = true }
  do
    local s <close> = session(settings)
    s:enter "first = 1"
    s:enter "first = 1"
    s:enter " secret = 2"
    s:keys "for i = 1, 2 do\r"
    s:enter "print [[\\n]] end"
    s:keys "cancelled\3"
    s:prompt()
    s:keys "\4"
    lu.assertEquals(s:finish(), 0)
  end
  lu.assertEquals(content(path), "first = 1\nfor i = 1, 2 do\\n  print [[\\\\n]] end\n")
  local pipe <close> = io.popen(("stat -c %%a %s %s"):format(path, folder .. "/luanas"))
  lu.assertEquals(pipe:read "a", "600\n700\n")
  do
    local s <close> = session(settings)
    lu.assertEquals(s:enter "\27[A", "\\n\n\\n")
    s:keys "\27[A\27[A\27[A" -- two lines up, then an entry
    lu.assertEquals(s:enter " print(first)", "1")
    s:keys "\18first"
    s:expect "search: first"
    s:keys "\r"
    s:prompt()
    s:keys "(\18[[" -- found by what is in a later line
    s:expect "print [["
    s:keys "xy"
    s:expect "not found: [[xy"
    s:keys "\b\b\b\bfirst\18" -- an older one
    s:expect "> first = 1\nsearch: first"
    s:keys "\27[F + 1" -- a key that ends the search
    s:expect "first = 1 + 1"
    s:keys "\18\u{e9}"
    s:expect "not found: \u{e9}"
    s:keys "\7" -- as it was
    s:expect "first = 1 + 1\n"
    s:keys "\3"
    s:prompt()
    s:keys "\4"
    s:finish()
  end
  os.execute("rm -r " .. folder)
end

function T.test_history_is_cut()
  local path = temporary()
  local file = assert(io.open(path, "w"))
  for i = 1, 2001 do file:write("x = ", i, "\n") end
  file:close()
  local s <close> = session { "LUANAS_HISTORY=" .. path }
  s:keys "\27[A"
  s:expect "x = 2001"
  local lines = select(2, content(path):gsub("\n", ""))
  lu.assertEquals(lines, 1000)
  lu.assertStrMatches(content(path), "x = 1002\n.*x = 2001\n")
  os.remove(path)
end

-- libedit keeps a line of a thousand characters while others are shown.
function T.test_a_long_text_is_not_lost()
  local s <close> = session { rows = 50 }
  local long = "#'" .. ("x"):rep(3000) .. "'"
  s:enter "1"
  s:keys(long)
  s:keys "\27[A"
  s:expect "\n> 1"
  s:keys "\27[B"
  lu.assertStrContains(s:enter " + 1", "3001")
  s:keys "\18xxx"
  s:expect "search: xxx"
  lu.assertStrContains(s:enter "", "3001")
end

function T.test_nothing_that_was_typed_is_lost()
  local s <close> = session()
  s:keys "7 + 1\27[B\27[B"
  lu.assertStrContains(s:enter "", "8")
  s:keys "7 + \27[A\27[A\27[A\27[B"
  lu.assertStrContains(s:enter "2", "9")
end

-- libedit's own functions end the program with some of these.
function T.test_a_text_higher_than_the_screen()
  local s <close> = session { columns = 60, rows = 8 }
  local digits = ("1"):rep(500)
  s:keys("#'" .. digits .. "\27[H\27[F" .. "222\27[1;5D\27[1;5C")
  lu.assertStrContains(s:enter "'", "503")
  s:keys "\27x\""
  s:enter ""
  s:keys "\27xedit off"
  s:expect "edit off"
  s:keys "\3"
  s:prompt()
  s:keys "12\27p\27n3"
  s:expect "> 123"
  lu.assertStrContains(s:enter "", "123")
end

function T.test_sessions_without_history()
  local folder = temporary()
  os.execute("mkdir " .. folder)
  for _, settings in ipairs {
    { "LUANAS_HISTORY=" }, { without = { "LUANAS_HISTORY", "XDG_STATE_HOME", "HOME" }, has_history = true },
    { "LUANAS_HISTORY=" .. folder },
    { "XDG_STATE_HOME=/dev/null", without = { "LUANAS_HISTORY" }, has_history = true },
  } do
    local s <close> = session(settings)
    s:enter "1"
    s:enter "2"
    s:keys "\27[A\27[A"
    lu.assertStrContains(s:enter " + 10", "11")
    local told = select(2, s:text():gsub("what is typed is not kept", ""))
    lu.assertEquals(told, settings[1] == "LUANAS_HISTORY=" and 0 or 1)
    s:keys "\4"
    lu.assertEquals(s:finish(), 0)
  end
  os.execute("rmdir " .. folder) -- nothing was written
end

-- Not even by root: its lines are there, and what is typed is kept for the session.
function T.test_a_history_that_cannot_be_written()
  local path = "/proc/version"
  lu.skipIf(not io.open(path), "there is no " .. path)
  local s <close> = session { "LUANAS_HISTORY=" .. path }
  s:keys "\27[A"
  s:expect("> " .. content(path):sub(1, 20))
  s:keys "\3"
  s:prompt()
  s:enter "1 + 1"
  s:enter "1 + 2"
  lu.assertEquals(select(2, s:text():gsub("what is typed is not kept", "")), 1)
  s:keys "\27[A\27[A"
  lu.assertStrContains(s:enter " + 10", "12")
end

-- Nothing but the history, unless one asks for it.
function T.test_a_session_writes_no_files()
  local folder = temporary()
  os.execute("mkdir -p " .. folder .. "/here")
  local s <close> = screen.start(24, 80, "env", "-C", folder .. "/here", "-u", "LUANAS_HISTORY", "-u",
    "XDG_STATE_HOME", "HOME=" .. folder, "TMPDIR=" .. folder, "TERM=xterm", "NO_COLOR=1", PROGRAM)
  s:prompt()
  s:enter "data = nas.data.synthetic { images = 20 }"
  s:enter "data:show(1)"
  s:enter "help 'conv2d'"
  s:enter "function space(c) return nn.dense(nn.input { 8, 8, 1 }, { units = c:choose('units', { 10, 11 }) }) end"
  s:enter "study = nas.study { space = space, data = data, train = { epochs = 1, batch = 5 }, quiet = true }"
  s:enter "found = study:run(nas.agents.random_sample(), { trials = 2 })"
  lu.assertEquals(s:enter "found.trials", "2")
  s:keys "\4"
  lu.assertEquals(s:finish(), 0)
  local pipe <close> = io.popen(("cd %s && find . -type f"):format(folder))
  lu.assertEquals(pipe:read "a", "./.local/state/luanas/history\n")
  os.execute("rm -r " .. folder)
end

-- ---- Help ------------------------------------------------------------------------------------------

function T.test_help()
  local s <close> = session { columns = 100, rows = 60 }
  lu.assertStrContains(s:enter "help 'dropout'", "nas.nn.dropout(")
  lu.assertStrContains(s:enter "help(nas.study)", "nas.study")
  lu.assertStrContains(s:enter "help()", "five_minutes")
  lu.assertStrContains(s:enter "help 'nothing like it'", "nothing like it")
  lu.assertEquals(s:enter "1 + 1", "2")
end

-- ---- Completion ------------------------------------------------------------------------------------

local function completed(s, text, shown)
  s:keys(text .. "\t")
  s:expect(shown)
  s:keys "\3"
  s:prompt()
end

function T.test_completion()
  local s <close> = session()
  completed(s, "setm", "> setmetatable")
  completed(s, "whi", "> while")
  completed(s, "x = string.rev", "> x = string.reverse")
  completed(s, "string.", "upper")
  completed(s, "string.re\tv", "> string.reverse")
  s:enter "stream = nas.stream(1, 'a') words = { alpha = 1, beta = function() end }"
  completed(s, "words.", "alpha  beta")
  completed(s, "words:", "> words:beta")
  completed(s, "stream:int", "> stream:integer")
  completed(s, "print(stream:num", "> print(stream:number")
  completed(s, "nn.depthw", "> nn.depthwise_conv2d")
  completed(s, "f(\t1", "> f(1")
  s:keys "if x then\r\t1"
  s:expect "\n    1"
  s:keys "\3"
  s:prompt()
end

function T.test_completion_of_files()
  local folder = temporary()
  os.execute(("mkdir -p '%s/folder one' && touch '%s/file.lua' '%s/.hidden'"):format(folder, folder, folder))
  local s <close> = session()
  completed(s, "dofile '" .. folder .. "/fi", folder .. "/file.lua")
  completed(s, "io.open(\"" .. folder .. "/fo", folder .. "/folder one/")
  completed(s, "x = '" .. folder .. "/.", folder .. "/.hidden")
  completed(s, "x = '" .. folder .. "/\t", "file.lua     folder one/")
  os.execute("rm -r " .. folder)
end

-- ---- Ctrl-C and Ctrl-D -----------------------------------------------------------------------------

-- Runs a text that prints "begun" and does not end, and stops it.
local function stopped(s, text)
  local before = select(2, s:text():gsub("interrupted!", ""))
  local begun = select(2, s.raw:gsub("begun\r\n", ""))
  s:keys(text .. "\r")
  s:wait("begun", function() return select(2, s.raw:gsub("begun\r\n", "")) > begun end)
  core.sleep(0.05)
  s:keys "\3"
  s:wait("interrupted!", function() return select(2, s:text():gsub("interrupted!", "")) > before end)
  s:prompt()
end

function T.test_ctrl_c_stops_lua()
  local s <close> = session { rows = 60 }
  s:enter "kept = {}"
  stopped(s, "print 'begun' while true do kept.count = (kept.count or 0) + 1 end")
  stopped(s, "coroutine.wrap(function() print 'begun' while true do end end)()")
  stopped(s, "print 'begun' while true do pcall(function() while true do end end) end")
  stopped(s, "coroutine.wrap(function() print 'begun' pcall(function() while true do end end) print 'no' end)()")
  stopped(s, "local _ <close> = setmetatable({}, { __close = function() closed = pcall(error) == false end }) "
    .. "print 'begun' while true do end")
  stopped(s, "setmetatable({}, { __tostring = function() print 'begun' while true do end end })")
  stopped(s, "error(setmetatable({}, { __tostring = function() print 'begun' while true do end end }))")
  stopped(s, "print 'begun' io.read()")
  lu.assertEquals(s:enter "kept.count > 0, closed", "true\ttrue")
  lu.assertEquals(s:enter "for i = 1, 1e6 do end return pcall(error, 'x')", 'false\t"x"')
  s:keys "\4"
  lu.assertEquals(s:finish(), 0)
end

local TRAINING = [[
data = nas.data.synthetic { images = 4000, height = 16, width = 16 }
x = nn.input { 16, 16, 1 }
x = nn.conv2d(x, { kernel = 7, filters = 64 })
x = nn.dense(nn.global_avg_pool(x), { units = data:info().classes })
local core = require 'luanas.core'
function train() print 'begun' nas.train(x, data, { epochs = 1000, batch = 16 }) end]]

function T.test_ctrl_c_stops_training()
  local s <close> = session { rows = 60 }
  s:paste(TRAINING)
  s:enter ""
  stopped(s, "train()")
  stopped(s, "coroutine.wrap(train)()")
  stopped(s, "while true do pcall(train) end")
  stopped(s, "coroutine.wrap(function() pcall(train) print 'no' end)()")
  lu.assertStrContains(s:enter "nas.train(x, data, { epochs = 1, batch = 400 }) ~= nil", "epoch 1/1")
  lu.assertNotStrContains(s:text(), "epoch 1/1") -- the progress line is gone
  lu.assertEquals(s:enter "nas.interrupted()", "nil")
end

function T.test_an_interrupted_training_goes_on()
  local s <close> = session { rows = 60 }
  s:paste(TRAINING)
  s:enter ""
  s:keys "nas.train(x, data, { epochs = 1000, batch = 100, on_epoch = function(e) print('epoch ' .. e.epoch) end })\r"
  s:expect "epoch 2"
  s:keys "\3"
  s:expect "interrupted! nas.interrupted() is the model after epoch "
  s:prompt()
  s:enter "model = nas.interrupted() n = #model.history"
  s:enter "longer = nas.train(model, data, { epochs = n + 1, batch = 100 })"
  s:enter "whole = nas.train(x, data, { epochs = n + 1, batch = 100 })"
  lu.assertEquals(s:enter "n >= 2 and longer.history[n + 1].loss == whole.history[n + 1].loss", "true")
end

-- There is no script to run again: the same study, made anew, goes on with its run.
function T.test_ctrl_c_stops_a_study_that_goes_on()
  local path = temporary()
  local _ <close> = setmetatable({}, { __close = function()
    for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
  end })
  local s <close> = session { rows = 60, columns = 120 }
  s:paste(([[
function make()
  study = nas.study { path = "%s", data = nas.data.synthetic { images = 60 }, train = { epochs = 1 },
    space = function(c)
      local x = nn.conv2d(nn.input { 8, 8, 1 }, { kernel = 1, filters = c:choose("filters", { 2, 4, 6, 8 }) })
      return nn.dense(nn.global_avg_pool(x), { units = 10 })
    end }
end]]):format(path))
  s:enter ""
  s:enter "make()"
  s:enter "study:evaluate(nas.arch 'filters=2{2,4,6,8}').status"
  s:keys "study:evaluate(nas.arch 'filters=4{2,4,6,8}', { epochs = 1000000 })\r"
  s:expect "epoch "
  s:keys "\3"
  s:expect "interrupted!"
  s:prompt()
  lu.assertStrContains(s:text():gsub("\n", ""), "what is finished is in " .. path
    .. "; make study and agent anew to go on")
  s:enter "make()"
  s:enter "study:evaluate(nas.arch 'filters=2{2,4,6,8}').status"
  s:enter "study:evaluate(nas.arch 'filters=6{2,4,6,8}').status"
  lu.assertEquals(s:enter("#nas.open('" .. path .. "'):study():runs()"), "1")
end

function T.test_ctrl_c_at_the_prompt()
  local s <close> = session()
  local before = s:text()
  s:keys "\3\3"
  lu.assertEquals(s:enter "1", "1")
  lu.assertStrContains(s:text(), before .. " 1\n1\n>") -- on the same line
  s:keys "gone ("
  s:expect "gone ("
  s:keys "\3"
  s:prompt()
  lu.assertEquals(s:enter "2", "2")
  s:after("a signal from elsewhere", function() s.terminal:signal(2) end)
  lu.assertEquals(s:enter "3", "3")
end

-- What was started goes on when the prompt, and the terminal, are gone.
function T.test_leaving_leaves_what_was_started()
  local path, script = temporary(), temporary()
  local file = assert(io.open(script, "w"))
  file:write "print 'begun' require 'luanas.core'.sleep(60)"
  file:close()
  do
    local s <close> = session()
    s:enter "function space(c) return nn.dense(nn.input { 8, 8, 1 }, { units = c:choose('units', { 10, 11 }) }) end"
    s:enter "data, train = nas.data.synthetic { images = 20 }, { epochs = 1, batch = 5 }"
    s:enter(("study = nas.study { path = '%s', space = space, data = data, train = train }"):format(path))
    lu.assertEquals(s:enter(("study:start('%s').running"):format(script)), "true")
    s:keys "\4"
    lu.assertEquals(s:finish(), 0)
  end
  do
    local opened <close> = nas.open(path)
    lu.assertTrue(opened:status().running)
    local stop = ("assert(require 'luanas'.open('%s'):stop())"):format(path)
    lu.assertTrue(os.execute(("'%s' -e \"%s\""):format(PROGRAM, stop))) -- under valgrind this process cannot
    lu.assertEquals(opened:status().ended, "stopped")
  end
  for _, each in ipairs { path, path .. "-lock", path .. "-shm", path .. "-wal", path .. ".log", script } do
    os.remove(each)
  end
end

function T.test_a_second_ctrl_c_ends_the_program()
  local s <close> = session()
  s:keys "print 'begun'; ('x'):rep(60):find(('x*'):rep(20) .. 'y')\r" -- does not end, in C
  s:expect "\nbegun"
  s:keys "\3"
  core.sleep(1.2)
  s:keys "\3" -- too late to count
  core.sleep(0.2)
  lu.assertNil(s.terminal:wait(0.1))
  s:keys "\3"
  lu.assertEquals(s:finish(), -2)
end

function T.test_the_terminal_goes_away()
  local s <close> = session()
  s.terminal:signal(15)
  lu.assertEquals(s:finish(), -15)
  lu.assertFalse(s.takes_paste)
end

function T.test_the_program_is_stopped_and_goes_on()
  local s <close> = session()
  s:keys "1 + "
  s:expect "1 +"
  for _, signal in ipairs { 20, 18 } do -- SIGTSTP, SIGCONT
    local taken = select(2, s.raw:gsub("\27%[%?2004h", ""))
    s.terminal:signal(signal)
    s:wait("the terminal is taken again", function() return select(2, s.raw:gsub("\27%[%?2004h", "")) > taken end)
  end
  s:expect "> 1 +"
  lu.assertStrContains(s:enter "2", "3")
end

-- ---- Scripts and pipes -----------------------------------------------------------------------------

function T.test_a_prompt_after_a_script()
  local path = temporary()
  local file = assert(io.open(path, "w"))
  file:write "made = ... error 'at the end'\n"
  file:close()
  local s <close> = session { arguments = { "-i", path, "argument" } }
  s:expect "at the end"
  lu.assertEquals(s:enter "made, arg[1]", '"argument"\t"argument"')
  os.remove(path)
end

function T.test_input_and_output_that_fail()
  local function status(command)
    local pipe <close> = io.popen(command:gsub("luanas", PROGRAM .. " 2>&1") .. "; echo $?")
    return pipe:read "a"
  end
  lu.assertEquals(status "luanas </", "luanas: standard input can't be read: Is a directory\n1\n")
  lu.assertEquals(status "echo 1 | luanas >&-", "luanas: standard output can't be written\n1\n")
  lu.assertEquals(status "luanas -e 'print(1)' >&-", "luanas: standard output can't be written\n1\n")
end

function T.test_pipes()
  local given = piped "1 + 1\nx = {\n1, 2 }\n#x\n\nfor i = 1, 2 do\nprint(i) end\n_ + 40"
  lu.assertEquals(given, { out = "2\n2\n1\n2\n42\n", err = "", status = 0 })
  lu.assertEquals(piped "error 'one'\nprint 'two'\n", { out = "two\n", err = "stdin:1: one\n", status = 1 })
  lu.assertEquals(piped "print(\n", { out = "", err = "stdin:1: unexpected symbol near <eof>\n", status = 1 })
  lu.assertEquals(piped "x = io.read()\nthis line\nx\n", { out = '"this line"\n', err = "", status = 0 })
  lu.assertEquals(piped("os.exit(7)\n", "-i"), { out = "", err = "", status = 7 })
  lu.assertEquals(piped("y\n", "-e 'y = 5' -i"), { out = "5\n", err = "", status = 0 })
  lu.assertEquals(piped "", { out = "", err = "", status = 0 })
end

function T.test_a_terminal_without_a_cursor()
  local s <close> = open { "TERM=dumb", "NO_COLOR=1" }
  s:expect "\n>"
  s:keys "for i = 1, 2 do\n"
  s:expect "\n>>"
  s:keys "print(i) end\n"
  s:expect "\n1\n2\n>"
  s:keys "half \3"
  s:expect "^C\n>"
  s:keys "40 + 2\n"
  s:expect "\n42\n>"
  s:keys "\4"
  lu.assertEquals(s:finish(), 0)
end

return T
