-- Help by name and by value, and the stubs that it is made from.
local lu = require "luaunit"
local core = require "luanas.core"
local entries = require "luanas.entries"
local help = require "luanas.help"
local layout = require "luanas.layout"
local nas = require "luanas"
local stubs = require "luanas.stubs"
local spaces = require "spaces"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  lu.assertTrue(pipe:close(), text)
  return text
end

-- ---- Stubs -----------------------------------------------------------------------------------------

function T.test_every_stub_is_read()
  local names = {}
  for name in output_of("ls '" .. SOURCE .. "/scripts/luanas/meta'"):gmatch "(%S+)%.lua" do names[#names + 1] = name end
  local known = table.move(stubs.NAMES, 1, #stubs.NAMES, 1, {})
  table.sort(known)
  table.sort(names)
  lu.assertEquals(known, names)
end

local EXAMPLE = [[
---@meta luanas.example
-- luacheck: ignore

--- About the module.
--- Still the first paragraph.
---
--- Another one.

---@class luanas.example.Options: luanas.example.More, luanas.example.Most What it takes.
---@field [1] string
---@field shape? { height: integer, f?: fun(a: number): (number|false)[] }[] In pixels;
--- goes on.
---@field kind "a"|"b"? Or none.

---@alias luanas.example.Kind
---| "new" the latest
---| "old"

---@class luanas.Example
---@operator add(luanas.Example|number): luanas.Example
---@overload fun(a: integer): luanas.Example
local Example = {}

-- ---- A section --------------------------------------------------------------------------------------
--
-- What it is about.

--- Does.
---@generic T
---@param f fun(x: number): T Called once.
---@param ... string|nil
---@return T? result, string # Or why not.
function Example:try(f, ...) end

return Example
]]

local function parsed(text)
  local all = stubs.new()
  stubs.parse(all, "example", text)
  return all
end

function T.test_what_a_stub_says()
  local all = parsed(EXAMPLE)
  local module = all.modules[1]
  lu.assertEquals({ module.name, module.file }, { "luanas.example", "example" })
  lu.assertEquals(module.text, "About the module. Still the first paragraph.\n\nAnother one.")
  local options = all.classes["luanas.example.Options"]
  lu.assertEquals(options.parents, { "luanas.example.More", "luanas.example.Most" })
  lu.assertEquals(options.text, "What it takes.")
  lu.assertEquals(options.fields, {
    { name = "[1]", optional = false, type = "string", text = "" },
    { name = "shape", optional = true, type = "{ height: integer, f?: fun(a: number): (number|false)[] }[]",
      text = "In pixels; goes on." },
    { name = "kind", optional = false, type = '"a"|"b"?', text = "Or none." },
  })
  lu.assertEquals(all.aliases["luanas.example.Kind"].choices,
    { { value = '"new"', text = "the latest" }, { value = '"old"', text = "" } })
  local class = all.classes["luanas.Example"]
  lu.assertEquals(class.operators, { "add(luanas.Example|number): luanas.Example" })
  lu.assertEquals(class.overloads, { "fun(a: integer): luanas.Example" })
  local try = all.functions["luanas.Example.try"]
  lu.assertEquals({ try.text, try.generic, try.is_method }, { "Does.", "T", true })
  lu.assertEquals(try.parameters, {
    { name = "f", optional = false, type = "fun(x: number): T", text = "Called once." },
    { name = "...", optional = false, type = "string|nil", text = "" },
  })
  lu.assertEquals(try.returns, {
    { type = "T?", name = "result", text = "" }, { type = "string", text = "Or why not." },
  })
  local kinds = {}
  for i, item in ipairs(module.items) do kinds[i] = item.kind end
  lu.assertEquals(kinds, { "class", "alias", "class", "section", "function" })
  lu.assertEquals({ module.items[4].title, module.items[4].text }, { "A section", "What it is about." })
end

function T.test_types_with_names()
  local function told(list)
    local texts = {}
    for i, each in ipairs(list) do texts[i] = ("%s%s: %s"):format(each.name, each.optional and "?" or "", each.type) end
    return table.concat(texts, "; ")
  end
  lu.assertEquals(told(stubs.parameters "fun(a: integer, b?: fun(x: number, y: B): C|D, ...: { e: F, g: H }[]): I"),
    "a: integer; b?: fun(x: number, y: B): C|D; ...: { e: F, g: H }[]")
  lu.assertEquals(told(stubs.parameters "fun(self, x: A)"), "self: ; x: A")
  lu.assertEquals(told(stubs.table_fields "{ a?: table<string, B>, c: D }"), "a?: table<string, B>; c: D")
  lu.assertEquals(stubs.parameters "integer", {})
end

function T.test_what_no_stub_may_say()
  local function refused(lines, place, problem)
    local ok, message = pcall(parsed, "---@meta luanas.example\n" .. lines .. "\n")
    lu.assertFalse(ok)
    lu.assertStrContains(message, "example.lua:" .. place .. ": ")
    lu.assertStrContains(message, problem)
  end
  refused("x = 1", 2, "not understood: x = 1")
  refused("---@deprecated", 2, "the tag @deprecated is not known")
  refused("---@class luanas.A\n---@field x", 4, "no name: x")
  refused("---@param x integer\n", 3, "what is described? @param")
  refused("function a.f() end", 2, "no class for a")
  refused("---@class luanas.A\nlocal A = {}\n---@return |\nfunction A.f() end", 5, "no type: |")
end

-- ---- Names -----------------------------------------------------------------------------------------

function T.test_a_function()
  lu.assertEquals(help.text "dropout", [[
nas.nn.dropout(input, options) -> luanas.Node

In training, each value is replaced by 0 with the probability `rate`, and the
others grow by 1 / (1 - rate). In evaluation, all pass as they are.

parameters
  input     luanas.Node
  options?  { rate?: number }. 0 to 0.99; default 0.5.

results
  returns  luanas.Node. The input's shape.]])
end

function T.test_options_are_listed()
  lu.assertEquals(help.text(nas.nn.max_pool, { width = 60 }), [[
nas.nn.max_pool(input, options) -> luanas.Node

The largest value of each window, for each channel.

parameters
  input     luanas.Node. {height, width, channels}
  options?  luanas.nn.Pool

results
  returns  luanas.Node. {height, width, channels}

options: luanas.nn.Pool
  pool?     integer|integer[]. Pair: window in pixels, each
            1 to 255; default 2.
  stride?   integer|integer[]. Pair: step in pixels;
            default: the same as pool.
  padding?  "valid"|"same". Default: "valid".]])
end

function T.test_options_of_parents_are_listed()
  local text = help.text(nas.data.synthetic)
  lu.assertStrContains(text, "\n  split_seed?   integer. Of the draw;")
  lu.assertStrContains(text, "\n  images?       integer. 10 to 100000, default 500.")
end

function T.test_names_in_several_forms()
  local text = help.text(nas.nn.conv2d)
  for _, name in ipairs { "conv2d", "nn.conv2d", "nas.nn.conv2d", "luanas.nn.conv2d", "nas.nn.conv2d(input)" } do
    lu.assertEquals(help.text(name), text, name)
  end
  text = help.text "study:run"
  lu.assertStrMatches(text, "study:run%(agent, options%) %-> luanas.Found\n.*")
  for _, name in ipairs { "Study:run", "luanas.Study.run", "study.run" } do
    lu.assertEquals(help.text(name), text, name)
  end
  lu.assertEquals(help.text "trial", help.text "luanas.Trial")
  lu.assertEquals(help.text "nas", help.text(nas))
  lu.assertEquals(help.text "model:evaluate", help.text "TrainedModel:evaluate")
end

function T.test_several_of_a_name()
  lu.assertEquals(help.text "sample", [[
"sample" may be:
  random:sample(space, count)  Draws architectures; each option of a decision h…
  policy:sample(space, count)  Samples architectures.]])
end

function T.test_fields_are_found_where_nothing_else_is()
  lu.assertEquals(help.text "tanh_constant", [[
luanas.policy.Options
  tanh_constant?  number. C > 0: logits become C tanh(logit / temperature); 0:
                  off.]])
end

function T.test_unknown_names_list_the_nearest()
  lu.assertEquals(help.text "conv3d",
    'there is no help for "conv3d"; there are nas.nn.conv2d, luanas.nn.Conv2d')
  lu.assertEquals(help.text "skip", 'there is no help for "skip"; it is in the help of chooser:anchor,\n'
    .. "  nas.space.paper_cnn, nas.space.by_hand, nas.show.policy")
  lu.assertEquals(help.text "zzzzzzzzzz", 'there is no help for "zzzzzzzzzz"; help() lists what there is')
  lu.assertStrContains(help.text "study:rum", "study:run")
  lu.assertStrContains(help.text "", "help() lists what there is")
end

function T.test_a_module_that_is_called()
  local text = help.text "policy"
  lu.assertStrMatches(text, "nas%.policy%(options%?: luanas%.policy%.Options%) %-> luanas%.Policy\n\nThe contr.*")
  lu.assertStrContains(text, '\n  preset?         "small"|"paper". small (the default)')
  lu.assertStrContains(text, "\n  nas.policy.load(path, options)  A policy from a file")
  lu.assertStrContains(text, '\nwhat it returns, luanas.Policy (help "luanas.Policy" tells more)\n')
  lu.assertStrContains(text, "\n  policy:sample(space, count)   Samples architectures.")
end

function T.test_an_alias_and_operators()
  lu.assertEquals(help.text "luanas.nn.Activation",
    'luanas.nn.Activation = "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none"')
  lu.assertStrContains(help.text "compare.Kind", '\n  "incumbent" the best reward so far')
  lu.assertStrContains(help.text "luanas.Node", "\noperators: a + b, a - b, a * b, a / b, a ^ b, -a\n")
end

function T.test_everything()
  local text = help.text()
  for _, field in ipairs(stubs.all().classes.luanas.fields) do
    if field.name ~= "version" then lu.assertStrContains(text, "\n  nas." .. field.name .. " ") end
  end
  for _, each in ipairs(stubs.all().classes.luanas.functions) do
    lu.assertStrMatches(text, (".*\n  nas%%.%s  +%%S.*"):format(each.short))
  end
  lu.assertStrMatches(text, "Neural architecture search [^\n]+\n\nBegin with examples/five_minutes%.md,.*\n"
    .. '  help "name" .*\ndata, networks and training\n  nas%.data .*\nsearches\n.*')
end

-- Where nobody knows what stands before the last dot or colon, as a variable of the script's.
function T.test_names_with_an_unknown_owner()
  lu.assertEquals(help.text "c:choose", help.text "chooser:choose")
  lu.assertEquals(help.text "c:anchor", help.text "chooser:anchor") -- and not core_policy:anchor
  lu.assertEquals(help.text "foo.conv2d", help.text "conv2d")
  lu.assertStrMatches(help.text "mine:sample", '"mine:sample" may be:\n  random:sample%(.*\n  policy:sample%(.*')
  lu.assertStrContains(help.text "nas.space.foo", 'there is no help for "nas.space.foo"')
end

function T.test_indented_lines_stay_lines()
  local text = help.text(nas.tensor { 1 }, { width = 80 })
  lu.assertStrContains(text, [[

  t[i]                            entry i of the first dimension: a view, or a
                                  number if there is one dimension
  t[{ 3, {}, { 2, -1 } }]         entry 3 of]])
  lu.assertStrContains(text, "\n  t[{ { 9, 1, -2 } }]             a range with a step: 9, 7, 5, 3, 1\n  t[mask] ")
  lu.assertStrContains(text, "\n\nTo each of these a number")
  lu.assertStrContains(help.text "by_hand", "Example:\n\n  local paper = nas.space.paper_cnn_small {")
  lu.assertStrContains(help.text("chooser:anchor", { width = 80 }), [[

    for layer = 1, 3 do
      local inputs = {}
      local point, is_taken = c:anchor("skip", points)
      for k, taken in ipairs(is_taken) do
        if taken then inputs[#inputs + 1] = layers[k + 1] end
      end
]])
end

-- Each default that help tells of the small space is what the space has.
function T.test_defaults_of_the_small_space()
  local text = help.text "nas.space.paper_cnn_small"
  local decided = {}
  for _, decision in ipairs(nas.random():sample(nas.space.paper_cnn_small { input = { 28, 28, 1 }, classes = 10 })
    .decisions) do
    decided[decision.name] = decision.options.key:gsub(",", ", ")
  end
  for field, name in pairs { heights = "height", widths = "width", filters = "filters" } do
    lu.assertStrMatches(text, (".*\n  %s%%? [^\n]*Default: { %s }.*"):format(field, decided[name]))
  end
end

function T.test_every_module_says_what_it_is()
  for _, module in ipairs(stubs.all().modules) do
    local class = stubs.all().classes[module.name]
    lu.assertNotEquals(class and entries.text(class) or module.text, "", module.name)
  end
end

-- ---- Values ----------------------------------------------------------------------------------------

-- One of each class that has methods, by the names of their types.
local function objects(path)
  local study, found = spaces.study { path = path }, {}
  local trial = study:evaluate(nas.policy():sample(spaces.tiny))
  local file, model = nas.open(path), trial:model()
  for _, object in ipairs {
    study, trial, file, file:study(), model, trial.arch, nas.policy(), nas.random(), spaces.data(),
    nas.reward.moving_average(0.5), nas.tensor { 1 }, nas.nn.input { 1 }, nas.stream(1, "a"), core.store(), model.core,
  } do
    found[debug.getmetatable(object).__name] = object
  end
  return found
end

-- Functions by the path that help gives them, and methods of objects, are found again.
function T.test_every_function_is_found_by_value()
  local path = os.tmpname()
  local objects_of = objects(path)
  local found = 0
  for _, entry in ipairs(entries.list()) do
    local value
    if entry.kind == "function" and entry.is_method then
      value = objects_of[entry.class.name] and objects_of[entry.class.name][entry.short]
    elseif entry.kind == "function" then
      value = { nas = nas, core = core }
      for name in entries.title(entry):gmatch "[^.]+" do value = value[name] end
      lu.assertIsFunction(value, entry.name)
    end
    if value then -- one may have several names: nas.tensor.concat, core.tensor_concat
      found = found + 1
      lu.assertStrMatches(entry.short, ".*" .. entries.of(value).short)
    end
  end
  lu.assertTrue(found > 200, found)
  for _, suffix in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. suffix) end
end

function T.test_objects()
  lu.assertEquals(help.text(nas.tensor { 1 }), help.text "luanas.Tensor")
  lu.assertEquals(help.text(nas.policy()), help.text "luanas.Policy")
  lu.assertEquals(help.text(nas.agents.reinforce()), help.text "reinforce")
  lu.assertEquals(help.text(nas.policy().sample), help.text "policy:sample")
  lu.assertEquals(help.text(nas.train), help.text "train")
end

function T.test_values_without_help()
  lu.assertEquals(help.text(12), "there is no help for 12; help() lists what there is")
  lu.assertEquals(help.text(nil), "there is no help for nil; help() lists what there is")
  lu.assertEquals(help.text {}, "there is no help for this table; help() lists what there is")
  lu.assertStrContains(help.text(setmetatable({}, { __name = "luanas.Walk" })), "there is no help for luanas.Walk;")
  lu.assertStrContains(help.text(print), "this function, which is written in C;")
  lu.assertStrContains(help.text(function() end), "there is no help for this function, from")
  lu.assertStrContains(help.text(setmetatable({}, { __index = function() error "no" end })), "this table")
end

-- But for lines of an indentation, a name and a word that is too long.
function T.test_lines_are_within_the_width()
  for _, columns in ipairs { 50, 80 } do
    for _, entry in ipairs(entries.list()) do
      for line in help.text(entry.name, { width = columns }):gmatch "[^\n]+" do
        local words = select(2, line:gsub("%S+", ""))
        lu.assertTrue(layout.width(line) <= columns or words <= 2, line)
      end
    end
  end
end

function T.test_options_of_help()
  lu.assertErrorMsgContains("help: width is 3; expected an integer of at least 20", help.text, "a", { width = 3 })
  lu.assertErrorMsgContains('help: unknown option "with"; known options: width', help.text, "a", { with = 3 })
end

-- ---- The program -----------------------------------------------------------------------------------

-- Without the folder of scripts: the stubs are inside.
function T.test_the_program_has_the_stubs()
  local text = output_of(("cd / && env -u LUA_PATH '%s' -e 'require \"luanas\".help \"conv2d\"'"):format(PROGRAM))
  lu.assertEquals(text, help.text "conv2d" .. "\n")
end

function T.test_stubs_are_read_when_they_are_asked_for()
  local text = output_of(("'%s' -e 'local nas = require \"luanas\" local _ = nas.nn, nas.study "
    .. "print(package.loaded[\"luanas.stubs\"], package.loaded[\"luanas.stub_texts\"])'"):format(PROGRAM))
  lu.assertEquals(text, "nil\tnil\n")
end

return T
