--- What can be asked help for: the entries of the stubs (functions, classes, aliases; modules are classes, too),
--- found by name or by value. Their names are those that scripts use: nas.nn.conv2d, study:run.
local names = require "luanas.names"
local stubs = require "luanas.stubs"

local entries = {}

local NEAREST = 5 -- names that are like one that there is not

-- ---- Names -----------------------------------------------------------------------------------------

-- What scripts call objects of a class whose name says something else.
local SPOKEN = { TrainedModel = "model", OpenedStudy = "study" }

--- What scripts call an object of a class: "moving_average" of luanas.MovingAverage.
function entries.spoken(class)
  local last = class.name:match "[^.]+$"
  return SPOKEN[last] or last:gsub("(%l)(%u)", "%1_%2"):lower()
end

local paths -- of modules, by the names of their classes

--- Where scripts find a module: "nas.nn" of luanas.nn, "core" of luanas.core. nil of a class of objects, and of
--- luanas.train, whose functions nas has itself.
function entries.path_of_module(class)
  if not paths then
    paths = { luanas = "nas", ["luanas.core"] = "core" }
    for _, field in ipairs(stubs.all().classes.luanas.fields) do paths[field.type] = "nas." .. field.name end
  end
  return paths[class.name]
end

--- How scripts call an entry: "nas.nn.conv2d", "study:run", "nas.policy", "luanas.Trial".
function entries.title(entry)
  if entry.kind ~= "function" then return entry.kind == "class" and entries.path_of_module(entry) or entry.name end
  if entry.is_method then return entries.spoken(entry.class) .. ":" .. entry.short end
  return (entries.path_of_module(entry.class) or "nas") .. "." .. entry.short
end

--- The same with parameters: "nas.nn.conv2d(input, options)".
function entries.signature(entry)
  if entry.kind ~= "function" then return entries.title(entry) end
  local parameters = {}
  for i, parameter in ipairs(entry.parameters) do parameters[i] = parameter.name end
  return ("%s(%s)"):format(entries.title(entry), table.concat(parameters, ", "))
end

--- What an entry says; of a module also what stands at the top of its file.
function entries.text(entry)
  local is_module = entry.kind == "class" and entry.name == entry.module.name
  return entry.text == "" and is_module and entry.module.text or entry.text
end

--- What it is, in a sentence.
function entries.summary(entry)
  local text = entries.text(entry)
  if text ~= "" then return stubs.first_sentence(text) end
  local result = entry.kind == "function" and entry.returns[1]
  return result and (result.text ~= "" and result.text or result.type) or ""
end

local IS_ENTRY = { ["function"] = true, class = true, alias = true }

--- All of them, in the order of the stubs; without the classes of modules that scripts do not see.
function entries.list()
  local list = {}
  for _, module in ipairs(stubs.all().modules) do
    for _, item in ipairs(module.items) do
      local is_hidden = item.name == module.name and not entries.path_of_module(item)
      if IS_ENTRY[item.kind] and not is_hidden then list[#list + 1] = item end
    end
  end
  return list
end

-- ---- By name ---------------------------------------------------------------------------------------

-- A name without what need not be written: "nn.conv2d" of "nas.nn.conv2d(x)" and "luanas.nn.conv2d".
local function plain(name)
  return (name:gsub("%(.*", ""):gsub("^nas[.:]", ""):gsub("^luanas[.:]", ""):gsub(":", "."))
end

local function last_of(name)
  return name:match "[^.:]+$" or name
end

-- How a name tells an entry, the surest way first.
local WAYS = {
  function(entry, name) return plain(entry.name) == name or plain(entries.title(entry)) == name end,
  function(entry, name)
    return entry.kind == "class" and #entry.functions > 0 and entries.spoken(entry) == name:lower()
  end,
  function(entry, name) return last_of(entry.name) == name end,
  function(entry, name)
    return plain(entry.name):lower() == name:lower() or plain(entries.title(entry)):lower() == name:lower()
  end,
  function(entry, name) return last_of(entry.name):lower() == name:lower() end,
}

-- The entries that fit; those of the C part only where scripts see no other.
local function fitting(fits)
  local found, of_core = {}, {}
  for _, entry in ipairs(entries.list()) do
    if fits(entry) then table.insert(entry.module.name == "luanas.core" and of_core or found, entry) end
  end
  return #found > 0 and found or of_core
end

--- The entries of a name, {} where there is none. Where nobody knows what stands before the last dot or colon, such as
--- a variable of the script's, those whose names end alike: of "c:choose" methods, where there are some.
function entries.named(name)
  local own = plain(name)
  if own == "nas" then own = "luanas" end
  for _, fits in ipairs(WAYS) do
    local found = fitting(function(entry) return fits(entry, own) end)
    if #found > 0 then return found end
  end
  local owner, last = own:match "^(.*)%.([^.]*)$"
  if not owner or owner == "" or #entries.named(owner) > 0 then return {} end
  local function ends_alike(entry) return last_of(entry.name) == last end
  local found = name:find ":" and fitting(function(entry) return entry.is_method and ends_alike(entry) end) or {}
  return #found > 0 and found or fitting(ends_alike)
end

--- The fields and options of a name: a list of { class, field }.
function entries.fields_named(name)
  local found = {}
  for _, entry in ipairs(entries.list()) do
    for _, field in ipairs(entry.kind == "class" and entry.fields or {}) do
      if field.name == name then found[#found + 1] = { entry, field } end
    end
  end
  return found
end

--- The titles that are most like a name which there is not; of equally near ones functions first.
function entries.nearest(name)
  name = plain(name):lower()
  local found, seen = {}, {}
  for place, entry in ipairs(entries.list()) do
    local title = entries.title(entry)
    local own = plain(title):lower()
    local far = math.min(names.distance(name, last_of(own)), names.distance(name, own))
    if name ~= "" and own:find(name, 1, true) then far = math.min(far, 1) end
    if far <= names.tolerance(name) and far < #name and not seen[title] then
      seen[title] = true
      found[#found + 1] = { title = title, far = far, rank = entry.kind == "function" and 1 or 2, place = place }
    end
  end
  table.sort(found, function(a, b)
    if a.far ~= b.far then return a.far < b.far end
    if a.rank ~= b.rank then return a.rank < b.rank end
    return a.place < b.place
  end)
  local titles = {}
  for i = 1, math.min(NEAREST, #found) do titles[i] = found[i].title end
  return titles
end

--- The titles of entries in whose texts a word stands.
function entries.mentioning(word)
  local titles = {}
  local pattern = "%f[%w_]" .. word:lower():gsub("%W", "%%%0") .. "%f[^%w_]"
  for _, entry in ipairs(word:find "%w" and entries.list() or {}) do
    local is_there = #titles < NEAREST and entries.text(entry):lower():find(pattern)
    if is_there then titles[#titles + 1] = entries.title(entry) end
  end
  return titles
end

-- ---- By value --------------------------------------------------------------------------------------

local OWN = debug.getinfo(1, "S").source:match "^(.*)entries%.lua$" -- how chunks of the package begin

-- The tables of methods: classes are local to their modules, whose functions have them as upvalues.
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

-- Metatables by the names of their types: those of Lua, and those of C, which the registry has.
local function all_classes()
  local classes, seen = {}, {}
  for name, module in pairs(package.loaded) do
    if name:find "^luanas" and (type(module) == "table" or type(module) == "function") then
      find_classes(module, classes, seen)
    end
  end
  for name, meta in pairs(debug.getregistry()) do
    if type(name) == "string" and name:find "^luanas%." and type(meta) == "table" then classes[name] = meta end
  end
  return classes
end

-- The table of methods of a metatable: itself, or its __index, which may be a function of C with the table behind it.
local function methods_of(meta)
  local index = rawget(meta, "__index")
  if type(index) == "table" then return index end
  local _, behind
  if type(index) == "function" and debug.getinfo(index, "S").what == "C" then _, behind = debug.getupvalue(index, 1) end
  return type(behind) == "table" and behind or meta
end

-- What lies at a path: "nas.nn", "nas.nn.conv2d", "core".
local function value_at(path)
  local value
  for name in path:gmatch "[^.]+" do
    if value then value = value[name] else value = require(name == "core" and "luanas.core" or "luanas") end
  end
  return value
end

-- From functions and tables to their entries.
local function all_values()
  local values = {}
  for _, entry in ipairs(entries.list()) do
    local is_there = entry.kind == "function" and not entry.is_method
      or entry.kind == "class" and entries.path_of_module(entry)
    local value = is_there and value_at(entries.title(entry))
    if value and not values[value] then values[value] = entry end
  end
  local classes = all_classes()
  for _, entry in ipairs(entries.list()) do
    local meta = entry.is_method and classes[entry.class.name]
    local method = meta and rawget(methods_of(meta), entry.short)
    if method and not values[method] then values[method] = entry end
  end
  return values
end

--- The entry of a function, a module or an object; nil where there is none.
function entries.of(value)
  local all, meta = stubs.all(), debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  if type(name) == "string" then return all.classes[name] or all.functions[name] end
  if type(value) ~= "function" and type(value) ~= "table" then return nil end
  return all_values()[value]
end

return entries
