-- What Tab completes, without a terminal; test_repl.lua presses the key.
local complete = require "luanas.repl.complete"
local core = require "luanas.core"
local lu = require "luaunit"
local nas = require "luanas"

local T = {}

local called = false -- a function of the user's

local GLOBALS = {
  nas = nas, nn = nas.nn, stream = core.stream(1, "a"), value = 5, values = { one = 1, other = {}, ["no name"] = 2 },
  object = setmetatable({ own = 1 }, { __index = { method = print, field = 2, __hidden = 3 } }),
  trap = setmetatable({}, {
    __index = function() called = true end,
    __pairs = function() called = true end,
  }),
  study = setmetatable({}, { __name = "luanas.Study", __index = {} }),
}
GLOBALS.loop = setmetatable({ inside = 1 }, {})
getmetatable(GLOBALS.loop).__index = GLOBALS.loop

local FOLDERS = { ["."] = { "a.lua", "ab.csv", ".hidden", "./", "../" }, ["data/"] = { "one/", "two'.png", "t\u{e9}" } }

-- What Tab inserts behind a text, and what it shows.
local function tab(text, width)
  return complete.at(GLOBALS, text, #text, { width = width or 80, names = function(folder) return FOLDERS[folder] end })
end

-- The names that are shown.
local function names(text)
  local list = {}
  for name in (select(2, tab(text)) or ""):gmatch "%S+" do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, " ")
end

function T.test_globals_and_keywords()
  lu.assertEquals(tab "val", "ue")
  lu.assertEquals(names "value", "value values")
  lu.assertEquals(tab "whi", "le")
  lu.assertEquals(tab "x = stre", "am")
  lu.assertEquals(tab "for i = 1, 2 do\n  if obj", "ect")
  lu.assertNil(tab "nothing_like_this")
  lu.assertNil(tab "x = ") -- not all that there is
  lu.assertEquals({ complete.at(GLOBALS, "val + 1", 3, { width = 80 }) }, { "ue" })
end

function T.test_fields_and_methods()
  lu.assertEquals(tab "values.", "o") -- what all have
  lu.assertEquals(names "values.o", "one other")
  lu.assertEquals(tab "values.on", "e")
  lu.assertEquals(names "object.", "field method own")
  lu.assertEquals(tab "object:", "method")
  lu.assertEquals(tab "object.__h", "idden")
  lu.assertEquals(tab "stream:inte", "ger")
  lu.assertEquals(tab "nn.depthw", "ise_conv2d")
  lu.assertEquals(tab "f(values.oth", "er")
  lu.assertEquals(tab "values . oth", "er")
  lu.assertEquals(tab "loop.loop.ins", nil)
  lu.assertEquals(tab "loop.ins", "ide")
  lu.assertNil(tab "nothing.here")
  lu.assertNil(tab "value.x")
  lu.assertNil(tab "f().x")
  lu.assertNil(tab "values[1].o")
  lu.assertNil(tab "1.")
  lu.assertNil(tab "trap.x")
  lu.assertFalse(called)
end

-- What the stubs describe, and nothing internal; what the user adds to a module is found.
function T.test_methods_that_are_described()
  GLOBALS.real = require("spaces").study()
  lu.assertEquals(names "real:be", "")
  lu.assertEquals(tab "real:be", "st")
  lu.assertNotStrContains(names "real:", "_training")
  lu.assertStrContains(names "real:", "rescore")
  GLOBALS.nas.own_field = 1
  lu.assertEquals(tab "nas.own_f", "ield")
  GLOBALS.nas.own_field = nil
end

function T.test_strings_and_comments()
  lu.assertEquals(tab "dofile 'a.", "lua")
  lu.assertEquals(names 'io.open("a', "a.lua ab.csv")
  lu.assertEquals(tab "x = '.h", "idden")
  lu.assertEquals(tab "x = 'data/o", "ne/")
  lu.assertEquals(tab "x = 'data/t", "\u{e9}") -- a quote in a name would end the string
  lu.assertEquals(tab "x = 'closed' .. val", "ue")
  lu.assertEquals(tab "x = 'it\\'s' .. val", "ue")
  lu.assertEquals(tab "x = [[long]] .. val", "ue")
  lu.assertEquals(tab "x = 1 -- it's\nval", "ue")
  lu.assertNil(tab "-- val")
  lu.assertNil(tab "--[[ val")
  lu.assertNil(tab "x = [[val")
  lu.assertNil(tab "x = 12val")
end

function T.test_indentation()
  lu.assertEquals(tab "", "  ")
  lu.assertEquals(tab "do\n", "  ")
  lu.assertEquals(tab "do\n  ", "  ")
end

function T.test_columns()
  local _, shown = tab("object.", 15)
  lu.assertEquals(shown, "field   own\nmethod")
  _, shown = tab("object.", 1)
  lu.assertEquals(shown, "field\nmethod\nown")
end

function T.test_unusual_texts()
  for _, text in ipairs {
    ".", ":", "..", "::", "}", ")", "{", "{{{{", "'", '"\\', "\255\0", "a.b.c.d:", "=", "nas..", "(",
  } do
    tab(text)
  end
end

-- Options come from the stubs.
function T.test_options()
  lu.assertEquals(tab "nas.study { sp", "ace = ")
  lu.assertEquals(tab "nas.study { space = f, chec", "kpoint = ")
  lu.assertEquals(tab "nas.study {\n  space = f,\n  chec", "kpoint = ")
  lu.assertEquals(tab "nas.study { train = { ep", "ochs = ")
  lu.assertEquals(tab "nn.conv2d(x, { ker", "nel = ")
  lu.assertEquals(tab "nas.nn.conv2d(nn.input { 1, 1, 1 }, { ker", "nel = ")
  lu.assertEquals(tab "study:run(agent, { tri", "als = ")
  lu.assertEquals(tab "nas.adam { ra", "te = ")
  lu.assertEquals(tab "nas.train(x, data, { ep", "ochs = ")
  lu.assertEquals(tab "nas.study { space = val", "ue") -- a value, no option
  lu.assertEquals(tab "unknown { val", "ue")
  lu.assertEquals(tab "nas.sta", "tistics") -- not loaded yet
end

return T
