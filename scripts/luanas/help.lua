--- Help at the prompt: help(), help(nas.nn.conv2d), help "study:run", from the stubs.
---
--- What can be asked for is an entry of the stubs: a function, a class (modules are classes, too) or an alias. Names of
--- functions and classes are those that scripts use: nas.nn.conv2d, study:run.
local core = require "luanas.core"
local check = require "luanas.check"
local layout = require "luanas.layout"
local stubs = require "luanas.stubs"

local help = {}

local WIDTH = 80
local WIDEST = 100 -- of what help(...) prints
local NEAREST = 5 -- names that are like one that there is not
local FAR = 100000 -- behind all functions

-- ---- Names -----------------------------------------------------------------------------------------

-- What scripts call objects of a class whose name says something else.
local SPOKEN = { TrainedModel = "model", OpenedStudy = "study" }

-- "luanas.MovingAverage" -> "moving_average"
local function spoken(class)
  local last = class.name:match "[^.]+$"
  return SPOKEN[last] or last:gsub("(%l)(%u)", "%1_%2"):lower()
end

-- "nas.nn" of luanas.nn, "core" of luanas.core; nil of a class of objects, and of luanas.train, whose functions nas has
-- itself.
local function module_path(all, class)
  if class.name == "luanas" then return "nas" end
  if class.name == "luanas.core" then return "core" end
  for _, field in ipairs(all.classes.luanas.fields) do
    if field.type == class.name then return "nas." .. field.name end
  end
  return nil
end

local function path_of(all, described)
  if described.is_method then return spoken(described.class) .. ":" .. described.short end
  return (module_path(all, described.class) or "nas") .. "." .. described.short
end

-- "nas.nn.conv2d(input, options)"
local function call_text(all, described)
  local names = {}
  for i, parameter in ipairs(described.parameters) do names[i] = parameter.name end
  return ("%s(%s)"):format(path_of(all, described), table.concat(names, ", "))
end

--- How scripts call an entry: "nas.nn.conv2d", "study:run", "nas.policy", "luanas.Trial".
function help.title(all, entry)
  if entry.kind == "function" then return path_of(all, entry) end
  return entry.kind == "class" and module_path(all, entry) or entry.name
end

--- The same with parameters: "nas.nn.conv2d(input, options)".
function help.signature(all, entry)
  return entry.kind == "function" and call_text(all, entry) or help.title(all, entry)
end

-- What an entry says; of a module also what stands at the top of its file.
local function text_of(entry)
  return entry.text ~= "" and entry.text or entry.kind == "class" and entry.name == entry.module.name
    and entry.module.text or ""
end

--- What it is, in a sentence.
function help.summary(entry)
  local text = text_of(entry)
  if text ~= "" then return stubs.first_sentence(text) end
  local result = entry.kind == "function" and entry.returns[1]
  return result and (result.text ~= "" and result.text or result.type) or ""
end

-- ---- Finding by name -------------------------------------------------------------------------------

local function plain(name)
  return (name:gsub("%(.*", ""):gsub("^nas%f[.:]", "luanas"):gsub("^luanas[.:]", ""):gsub(":", "."))
end

local function last_of(name)
  return name:match "[^.:]+$" or name
end

-- How well a name tells an entry, as functions of both, the best first.
local WAYS = {
  function(all, entry, name) return plain(entry.name) == name or plain(help.title(all, entry)) == name end,
  function(all, entry, name)
    name = name:lower()
    return plain(entry.name):lower() == name or plain(help.title(all, entry)):lower() == name
      or entry.kind == "class" and spoken(entry) == name
  end,
  function(_, entry, name) return last_of(entry.name):lower() == name:lower() end,
}

-- The class of a module that scripts do not see.
local function is_hidden(all, item)
  return item.kind == "class" and item.name == item.module.name and not module_path(all, item)
end

local IS_ENTRY = { ["function"] = true, class = true, alias = true }

local function entries(all)
  local list = {}
  for _, module in ipairs(all.modules) do
    for _, item in ipairs(module.items) do
      if IS_ENTRY[item.kind] and not is_hidden(all, item) then list[#list + 1] = item end
    end
  end
  return list
end

local function is_of_core(entry)
  return entry.module.name == "luanas.core"
end

-- The entries of a name; those of the C part only where scripts see no other.
local function by_name(all, name)
  name = plain(name)
  if name == "" or name == "nas" or name == "luanas" then return { all.classes.luanas } end
  for _, fits in ipairs(WAYS) do
    local found, of_core = {}, {}
    for _, entry in ipairs(entries(all)) do
      if fits(all, entry, name) then table.insert(is_of_core(entry) and of_core or found, entry) end
    end
    if #found + #of_core > 0 then return #found > 0 and found or of_core end
  end
  return {}
end

-- Options and fields of that name: { class, field }.
local function fields_named(all, name)
  local found = {}
  for _, entry in ipairs(entries(all)) do
    for _, field in ipairs(entry.kind == "class" and entry.fields or {}) do
      if field.name == name then found[#found + 1] = { entry, field } end
    end
  end
  return found
end

-- How many letters must change to make a into b (Levenshtein 1966).
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

--- Names like one that there is not, the nearest first.
function help.nearest(all, name)
  name = plain(name):lower()
  local found, seen = {}, {}
  for _, entry in ipairs(entries(all)) do
    local title = help.title(all, entry)
    local far = math.min(distance(name, last_of(title):lower()), distance(name, plain(title):lower()))
    if plain(title):lower():find(name, 1, true) then far = math.min(far, 1) end
    if far <= math.max(1, #name // 2) and not seen[title] then
      local place = #found + (entry.kind == "function" and 0 or FAR)
      seen[title], found[#found + 1] = true, { title = title, far = far, place = place }
    end
  end
  table.sort(found, function(a, b)
    if a.far ~= b.far then return a.far < b.far end
    return a.place < b.place
  end)
  local names = {}
  for i = 1, math.min(NEAREST, #found) do names[i] = found[i].title end
  return names
end

-- ---- Finding by value ------------------------------------------------------------------------------

local OWN = debug.getinfo(1, "S").source:match "^(.*)help%.lua$" -- how chunks of the package begin

-- The tables of methods: classes of Lua are locals of their modules, which are seen as upvalues of its functions.
local function find_classes(value, classes, seen)
  if seen[value] then return end
  seen[value] = true
  if type(value) == "table" then
    local name = rawget(value, "__name")
    if type(name) == "string" and name:find "^luanas%." then classes[name] = value end
    for _, field in next, value do
      if type(field) == "function" then find_classes(field, classes, seen) end
    end
    if getmetatable(value) then find_classes(getmetatable(value), classes, seen) end
  elseif debug.getinfo(value, "S").source:sub(1, #OWN) == OWN then
    local i, name, upvalue = 1, debug.getupvalue(value, 1)
    while name do
      if type(upvalue) == "table" or type(upvalue) == "function" then find_classes(upvalue, classes, seen) end
      i = i + 1
      name, upvalue = debug.getupvalue(value, i)
    end
  end
end

-- The methods of a class by what its metatable has as __index: a table, or a function with one as its upvalue.
local function methods_of(meta)
  local index = rawget(meta, "__index")
  if type(index) == "table" then return index end
  if type(index) == "function" then
    local _, upvalue = debug.getupvalue(index, 1)
    if type(upvalue) == "table" and debug.getinfo(index, "S").what == "C" then return upvalue end
  end
  return meta
end

local function all_methods()
  local classes = {}
  for name, module in pairs(package.loaded) do
    if name:find "^luanas" and (type(module) == "table" or type(module) == "function") then
      find_classes(module, classes, {})
    end
  end
  for name, meta in pairs(debug.getregistry()) do
    if type(name) == "string" and name:find "^luanas%." and type(meta) == "table" then classes[name] = meta end
  end
  return classes
end

-- What lies at a path: "nas.nn", "nas.nn.conv2d", "core".
local function value_at(path)
  local value
  for name in path:gmatch "[^.]+" do
    if not value then
      value = require(name == "core" and "luanas.core" or "luanas")
    else
      value = value[name]
    end
  end
  return value
end

-- From functions and tables to their entries.
local function values_of(all)
  local values = {}
  for _, entry in ipairs(entries(all)) do
    local path = entry.kind == "class" and module_path(all, entry)
    local value
    if entry.kind == "function" and not entry.is_method then
      value = value_at(path_of(all, entry))
    elseif path then
      value = value_at(path)
    end
    if value and not values[value] then values[value] = entry end
  end
  for name, meta in pairs(all_methods()) do
    local class = all.classes[name]
    for _, described in ipairs(class and class.functions or {}) do
      local method = rawget(methods_of(meta), described.short)
      if method then values[method] = described end
    end
  end
  return values
end

--- The entry of a function, a module or an object; nil where there is none.
function help.of_value(value)
  local all = stubs.all()
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  if name and type(value) ~= "string" then return all.classes[name] or all.functions[name] end
  if type(value) ~= "function" and type(value) ~= "table" then return nil end
  return values_of(all)[value]
end

--- The name and the parameters of a described function, "nas.nn.conv2d(input, options)"; nil of others.
function help.title_of(value)
  local entry = help.of_value(value)
  return entry and help.signature(stubs.all(), entry)
end

--- What a module is, and the names of what it has, in a few lines; nil of other tables.
function help.module_text(value)
  local all, entry = stubs.all(), help.of_value(value)
  if not entry then return nil end
  local title, names = help.title(all, entry), {}
  for _, list in ipairs { entry.fields, entry.functions } do
    for _, each in ipairs(list) do names[#names + 1] = each.short or each.name end
  end
  table.sort(names)
  return ("module %s: %s\n%s\nhelp(%s) tells more"):format(title, help.summary(entry), table.concat(names, ", "), title)
end

-- ---- Texts -----------------------------------------------------------------------------------------

local function add_paragraphs(lines, text, columns)
  for paragraph in (text .. "\n\n"):gmatch "(.-)\n+" do
    if paragraph ~= "" then
      lines[#lines + 1] = layout.wrap(paragraph, columns, "", "")
      lines[#lines + 1] = ""
    end
  end
end

-- "name?  type. Text", one below the other, under a title.
local function add_members(lines, title, members, columns)
  if #members == 0 then return end
  local widest = 0
  for _, each in ipairs(members) do widest = math.max(widest, #each.name + (each.optional and 1 or 0)) end
  lines[#lines + 1] = title
  for _, each in ipairs(members) do
    local name = layout.pad(each.name .. (each.optional and "?" or ""), widest)
    local words = each.type .. (each.text ~= "" and ". " .. each.text or "")
    lines[#lines + 1] = layout.wrap(words, columns, "  " .. name .. "  ", (" "):rep(widest + 4))
  end
  lines[#lines + 1] = ""
end

-- "name(a, b)  What it does.", one line each.
local function add_calls(lines, all, title, functions, columns)
  if #functions == 0 then return end
  local widest = 0
  for _, each in ipairs(functions) do widest = math.max(widest, #call_text(all, each)) end
  widest = math.min(widest, columns // 2)
  lines[#lines + 1] = title
  for _, each in ipairs(functions) do
    local first = "  " .. layout.pad(call_text(all, each), widest) .. "  "
    lines[#lines + 1] = layout.clip(first .. help.summary(each), columns)
  end
  lines[#lines + 1] = ""
end

-- The classes that a type is about.
local function classes_in(all, kind)
  local found = {}
  for name in kind:gmatch "[%a_][%w_.]*" do
    if all.classes[name] then found[#found + 1] = all.classes[name] end
  end
  return found
end

-- Options of a function: the fields of the plain tables among its parameters.
local function add_options(lines, all, parameters, columns)
  for _, parameter in ipairs(parameters) do
    for _, class in ipairs(classes_in(all, parameter.type)) do
      if #class.functions == 0 and #class.overloads == 0 then
        add_members(lines, ("%s: %s"):format(parameter.name, class.name), stubs.fields(all, class), columns)
      end
    end
  end
end

local function results_text(described)
  local texts = {}
  for i, result in ipairs(described.returns) do
    texts[i] = (result.name and result.name .. ": " or "") .. result.type
  end
  return table.concat(texts, ", ")
end

local TEXTS = {}

TEXTS["function"] = function(lines, all, described, columns)
  local results = results_text(described)
  lines[#lines + 1] = layout.wrap(call_text(all, described) .. (results ~= "" and " -> " .. results or ""), columns, "",
    "  ")
  lines[#lines + 1] = ""
  add_paragraphs(lines, described.text, columns)
  add_members(lines, "parameters", described.parameters, columns)
  local told = {}
  for _, result in ipairs(described.returns) do
    if result.text ~= "" then
      told[#told + 1] = { name = result.name or "returns", type = result.type, text = result.text }
    end
  end
  add_members(lines, "results", told, columns)
  add_options(lines, all, described.parameters, columns)
end

-- "fun(options?: luanas.policy.Options): luanas.Policy": parameters in parentheses, and the result.
local function parts_of(overload)
  return overload:match "^fun(%b())%s*:?%s*(.*)"
end

-- How a class is called.
local function add_overloads(lines, title, class, columns)
  for _, overload in ipairs(class.overloads) do
    local parameters, result = parts_of(overload)
    lines[#lines + 1] = layout.wrap(title .. parameters .. (result ~= "" and " -> " .. result or ""), columns, "", "  ")
  end
end

local function add_options_of_overloads(lines, all, class, columns)
  for _, overload in ipairs(class.overloads) do
    local options = {}
    for name, kind in parts_of(overload):gmatch "([%w_]+)%??:%s*([%w_.]+)" do
      options[#options + 1] = { name = name, type = kind }
    end
    add_options(lines, all, options, columns)
  end
end

-- Classes of objects that a module's calls return, and that are its own.
local function add_made(lines, all, class, columns)
  for _, overload in ipairs(class.overloads) do
    for _, made in ipairs(classes_in(all, select(2, parts_of(overload)))) do
      add_calls(lines, all, ("what it returns, %s (help %q tells more)"):format(made.name, made.name), made.functions,
        columns)
    end
  end
end

local SYMBOLS = {
  add = "a + b", sub = "a - b", mul = "a * b", div = "a / b", idiv = "a // b", mod = "a % b", pow = "a ^ b", unm = "-a",
  len = "#a", eq = "a == b", call = "a()", concat = "a .. b",
}

local function operators_text(class)
  local symbols = {}
  for i, operator in ipairs(class.operators) do symbols[i] = SYMBOLS[operator:match "^%w+"] end
  return table.concat(symbols, ", ")
end

function TEXTS.class(lines, all, class, columns)
  local path = module_path(all, class)
  if #class.overloads == 0 or not path then
    lines[#lines + 1] = (path or class.name)
      .. (#class.parents > 0 and ", which is a " .. table.concat(class.parents, ", ") or "")
  end
  add_overloads(lines, path or spoken(class), class, columns)
  lines[#lines + 1] = ""
  add_paragraphs(lines, text_of(class), columns)
  add_options_of_overloads(lines, all, class, columns)
  if #class.operators > 0 then lines[#lines + 1] = "operators: " .. operators_text(class) .. "\n" end
  add_members(lines, "fields", stubs.fields(all, class), columns)
  add_calls(lines, all, path and "functions" or "methods", class.functions, columns)
  add_made(lines, all, class, columns)
end

function TEXTS.alias(lines, _, alias, columns)
  lines[#lines + 1] = layout.wrap(alias.name .. (alias.type ~= "" and " = " .. alias.type or ""), columns, "", "  ")
  lines[#lines + 1] = ""
  add_paragraphs(lines, alias.text, columns)
  for _, choice in ipairs(alias.choices) do
    lines[#lines + 1] = layout.wrap(choice.value .. "  " .. choice.text, columns, "  ", "      ")
  end
end

local function entry_text(all, entry, columns)
  local lines = {}
  TEXTS[entry.kind](lines, all, entry, columns)
  return table.concat(lines, "\n"):gsub("\n+$", "")
end

local function overview(all, columns)
  local class, lines = all.classes.luanas, {}
  add_paragraphs(lines, class.text, columns)
  local members, names = {}, {}
  for _, field in ipairs(class.fields) do
    if field.name ~= "version" then
      members[#members + 1] = { name = "nas." .. field.name, text = field.text }
    end
  end
  local widest = 0
  for _, each in ipairs(members) do widest = math.max(widest, #each.name) end
  for _, each in ipairs(members) do
    lines[#lines + 1] = layout.clip("  " .. layout.pad(each.name, widest) .. "  " .. each.text, columns)
  end
  lines[#lines + 1] = ""
  for _, each in ipairs(class.functions) do names[#names + 1] = each.short end
  table.sort(names)
  lines[#lines + 1] = layout.wrap("and the functions " .. table.concat(names, ", "), columns, "  ", "  ")
  lines[#lines + 1] = ""
  lines[#lines + 1] = layout.wrap('help(nas.nn) tells what a module has, help(nas.nn.conv2d) or help "conv2d" what a '
    .. 'function does, help "study" and help "study:run" what objects can do; help(x) works for any object.', columns,
    "", "")
  return table.concat(lines, "\n")
end

local function several(all, name, found, columns)
  local lines = { ("%q may be:"):format(name) }
  local widest = 0
  for _, entry in ipairs(found) do widest = math.max(widest, #help.signature(all, entry)) end
  for _, entry in ipairs(found) do
    local first = "  " .. layout.pad(help.signature(all, entry), math.min(widest, columns // 2)) .. "  "
    lines[#lines + 1] = layout.clip(first .. help.summary(entry), columns)
  end
  return table.concat(lines, "\n")
end

local function named(all, name, columns)
  local found = by_name(all, name)
  if #found == 1 then return entry_text(all, found[1], columns) end
  if #found > 1 then return several(all, name, found, columns) end
  local lines = {}
  for _, each in ipairs(fields_named(all, name)) do
    add_members(lines, each[1].name, { each[2] }, columns)
  end
  if #lines > 0 then return table.concat(lines, "\n"):gsub("\n+$", "") end
  local near = help.nearest(all, name)
  return layout.wrap(("there is no help for %s%s"):format(check.show(name),
    #near > 0 and "; there are " .. table.concat(near, ", ") or "; help() lists what there is"), columns, "", "  ")
end

local function of_value(all, value, columns)
  local entry = help.of_value(value)
  if entry then return entry_text(all, entry, columns) end
  local where = ""
  if type(value) == "function" then
    local info = debug.getinfo(value, "S")
    where = info.what == "C" and ", which is written in C" or (", from %s:%d"):format(info.short_src, info.linedefined)
  end
  local shown = value == nil and "nil" or check.show(value):gsub("^a ", "this ")
  return layout.wrap(("there is no help for %s%s; help() lists what there is"):format(shown, where), columns, "", "  ")
end

local function checked_width(options)
  options = check.options("help", options, { "width" })
  return check.integer("help", "width", options.width or WIDTH, 20)
end

--- The help for a name or a value, without an argument for all; options: { width = 80 }.
function help.text(...)
  local subject, options = ...
  local all, columns = stubs.all(), checked_width(options)
  if select("#", ...) == 0 then return overview(all, columns) end
  if type(subject) == "string" then return (named(all, subject, columns)) end
  return (of_value(all, subject, columns))
end

-- help(...): prints it.
local function print_help(_, ...)
  local columns = math.min(core.terminal() or WIDTH, WIDEST)
  local count = select("#", ...)
  local text = count == 0 and overview(stubs.all(), columns) or help.text((...), { width = columns })
  io.stdout:write(text, "\n")
end

return setmetatable(help, { __call = print_help })
