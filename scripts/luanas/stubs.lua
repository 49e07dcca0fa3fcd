--- The stubs of the package (scripts/luanas/meta), parsed: what help() and the reference are made from.
---
--- Of LuaCATS it knows what the stubs use: @class, @field, @operator, @overload, @alias, @generic, @param and @return;
--- anything else is an error, and a test reads all stubs. Text that follows a tag in lines of its own belongs to it.
local stubs = {}

-- The files, in the order in which people meet them.
stubs.NAMES = {
  "init", "nn", "space", "data", "train", "study", "policy", "reward", "agents", "schedule", "statistics", "compare",
  "exact", "audit", "testing", "tensor", "plot", "show", "help", "profile", "core",
}

local FOLDER = debug.getinfo(1, "S").source:match "^@(.*)stubs%.lua$"

-- The program has the stubs inside, as a module; elsewhere they lie beside this file.
local function read(name)
  if package.preload["luanas.stub_texts"] then return require "luanas.stub_texts"[name] end
  local file <close> = assert(io.open(FOLDER .. "meta/" .. name .. ".lua"))
  return file:read "a"
end

-- ---- Types -----------------------------------------------------------------------------------------

local type_end

-- Behind one type without "|" at a position of a text; nil where there is none.
local function single_end(text, at)
  local behind = text:match("^fun%s*%b()()", at)
  if behind then
    local result = text:match("^%s*:%s*()", behind)
    behind = result and type_end(text, result) or behind
  else
    behind = text:match("^%b{}()", at) or text:match("^%b()()", at) or text:match('^"[^"]*"()', at)
      or text:match("^[%w_.]*[%w_]()", at)
    behind = behind and text:match("^%b<>()", behind) or behind
  end
  while behind do
    local suffix = text:match("^%[%]()", behind) or text:match("^%?()", behind)
    if not suffix then return behind end
    behind = suffix
  end
  return nil
end

function type_end(text, at)
  local behind = single_end(text, at)
  while behind do
    local other = text:match("^%s*|%s*()", behind)
    if not other then return behind end
    behind = single_end(text, other)
  end
  return nil
end

-- A type at the beginning of a text, and what follows it.
local function take_type(text)
  local behind = type_end(text, 1) or error("no type: " .. text)
  return text:sub(1, behind - 1), text:match("^%s*(.*)", behind)
end

-- "name?: type, name?: type" between brackets, as fields and parameters.
local function typed_names(inside)
  local list, at = {}, 1
  while true do
    local name, optional, behind = inside:match("^%s*([%w_.]+)(%??)()", at)
    if not name then return list end
    local first = inside:match("^:%s*()", behind)
    local last = first and type_end(inside, first) or behind
    list[#list + 1] = {
      name = name, optional = optional == "?", type = first and inside:sub(first, last - 1) or "", text = "",
    }
    at = inside:match("^%s*,()", last)
    if not at then return list end
  end
end

--- The parameters of a type "fun(a: A, b?: B): C".
function stubs.parameters(kind)
  return typed_names((kind:match "^fun%s*(%b())" or "()"):sub(2, -2))
end

--- The fields of a type "{ a: A, b?: B }".
function stubs.table_fields(kind)
  return typed_names((kind:match "^%b{}" or "{}"):sub(2, -2))
end

--- Whether a line of a text stays as it is.
function stubs.is_indented(line)
  return line:find "^  +%S" ~= nil
end

-- ---- Tags ------------------------------------------------------------------------------------------

-- "name?" and a type and a text: a parameter or a field.
local function member(text)
  local name, optional, rest = text:match "^(%b[])(%??)%s+(.*)"
  if not name then name, optional, rest = text:match "^([%w_.]+)(%??)%s+(.*)" end
  if not name then error("no name: " .. text) end
  local kind, description = take_type(rest)
  return { name = name, optional = optional == "?", type = kind, text = description }
end

-- "type name, type # text": what a function returns.
local function add_returns(list, text)
  while true do
    local kind, rest = take_type(text)
    local name, behind = rest:match "^([%a_][%w_]*)%s*(.*)"
    local result = { type = kind, name = name }
    list[#list + 1], rest = result, behind or rest
    if rest:sub(1, 1) ~= "," then
      result.text = rest:match "^#%s*(.*)" or rest
      return
    end
    result.text, text = "", rest:match "^,%s*(.*)"
  end
end

local function class_of(text)
  local name, rest = text:match "^([%w_.]+)%s*(.*)"
  local parents = {}
  while rest:find "^[:,]" do
    parents[#parents + 1], rest = take_type(rest:match "^.%s*(.*)")
  end
  return { name = name, parents = parents, text = rest }
end

-- ---- Blocks ----------------------------------------------------------------------------------------

-- The lines of comments that belong together: { text =, tags = { { name =, text =, choices = } } }.
local Block = {}
Block.__index = Block

local function new_block()
  return setmetatable({ text = "", tags = {} }, Block)
end

function Block:is_empty()
  return self.text == "" and #self.tags == 0
end

-- A line of text; paragraphs are separated by an empty line. Indented lines stay as they are, each a line of its own.
function Block:add(line)
  local owner = self.tags[#self.tags] or self
  local is_apart = line == "" or owner.text:find "\n$" or stubs.is_indented(line)
    or stubs.is_indented(owner.text:match "[^\n]*$")
  owner.text = owner.text .. (owner.text == "" and "" or is_apart and "\n" or " ") .. line
end

function Block:tag(name, text)
  table.insert(self.tags, { name = name, text = text, choices = {} })
end

function Block:choice(line)
  local value, text = line:match '^("[^"]*")%s*(.*)'
  table.insert(self.tags[#self.tags].choices, { value = value, text = text })
end

function Block:find(name)
  for _, tag in ipairs(self.tags) do
    if tag.name == name then return tag end
  end
  return nil
end

-- ---- Files -----------------------------------------------------------------------------------------

-- What one file says goes into `all`.
local Reader = {}
Reader.__index = Reader

function Reader:item(item)
  item.module = self.module
  table.insert(self.module.items, item)
  return item
end

-- A class may be met again: another module adds methods to it.
function Reader:add_class(block)
  local given = class_of(block:find "class".text)
  local class = self.all.classes[given.name]
  if not class then
    class = self:item {
      kind = "class", name = given.name, parents = given.parents, fields = {}, operators = {}, overloads = {},
      functions = {}, text = block.text ~= "" and block.text or given.text,
    }
    if block.text ~= "" and given.text ~= "" then class.text = block.text .. "\n\n" .. given.text end
    self.all.classes[class.name] = class
  else
    self:item { kind = "more", class = class, name = class.name }
  end
  for _, tag in ipairs(block.tags) do
    if tag.name == "field" then table.insert(class.fields, member(tag.text)) end
    if tag.name == "operator" then table.insert(class.operators, tag.text) end
    if tag.name == "overload" then table.insert(class.overloads, tag.text) end
  end
  self.class = class
end

function Reader:add_alias(block)
  local tag = block:find "alias"
  local name, rest = tag.text:match "^([%w_.]+)%s*(.*)"
  local kind, text = rest, ""
  if rest ~= "" and not rest:find "^fun" then kind, text = take_type(rest) end -- of functions with several results all
  self.all.aliases[name] = self:item {
    kind = "alias", name = name, type = kind, choices = tag.choices, text = block.text ~= "" and block.text or text,
  }
end

function Reader:add_function(block, owner, separator, name)
  local class = self.owners[owner] or error("no class for " .. owner)
  local described = self:item {
    kind = "function", name = class.name .. "." .. name, short = name, class = class, is_method = separator == ":",
    text = block.text, parameters = {}, returns = {}, generic = nil,
  }
  for _, tag in ipairs(block.tags) do
    if tag.name == "param" then table.insert(described.parameters, member(tag.text)) end
    if tag.name == "return" then add_returns(described.returns, tag.text) end
    if tag.name == "generic" then described.generic = tag.text end
  end
  table.insert(class.functions, described)
  self.all.functions[described.name] = described
end

-- The end of a block that nothing but itself says what it describes.
function Reader:flush()
  local block = self.block
  self.block = new_block()
  if block:is_empty() then return end
  if block:find "class" then return self:add_class(block) end
  if block:find "alias" then return self:add_alias(block) end
  if #block.tags > 0 then error("what is described? @" .. block.tags[1].name) end
  local before = self.module.text
  self.module.text = before == "" and block.text or before .. "\n\n" .. block.text
end

local TAGS = {
  class = true, field = true, operator = true, overload = true, alias = true, generic = true, param = true,
  ["return"] = true,
}

-- Kinds of lines: a pattern, and what is done with its captures.
local LINES = {
  { "^%-%-%-@meta", function() end },
  { "^%-%-%-@([%a]+)%s*(.*)", function(self, tag, text)
    if not TAGS[tag] then error("the tag @" .. tag .. " is not known") end
    self.block:tag(tag, text)
  end },
  { "^%-%-%-|%s*(.*)", function(self, text) self.block:choice(text) end },
  { "^%-%-%- ?(.*)", function(self, text) self.block:add(text) end },
  { "^%-%- %-%-%-%- (.-) %-+$", function(self, title)
    self:flush()
    self.section = self:item { kind = "section", title = title, text = "" }
  end },
  { "^%-%- luacheck", function() end },
  { "^%-%-%s*(.*)", function(self, text) -- below a section's title
    local before = self.section.text
    self.section.text = before == "" and text or before .. " " .. text
  end },
  { "^function ([%w_.]+)([.:])([%w_]+)%(.*%) end$", function(self, owner, separator, name)
    local block = self.block
    self.block = new_block()
    self:add_function(block, owner, separator, name)
  end },
  { "^local ([%w_]+) = {}$", function(self, variable)
    self:flush()
    self.owners[variable] = self.class
  end },
  { "^([%w_.]+) = {}$", function(self, variable)
    self:flush()
    self.owners[variable] = self.class
  end },
  { "^return ", function(self) self:flush() end },
  { "^$", function(self) self:flush() end },
}

local function handle(self, line)
  for _, each in ipairs(LINES) do
    local captures = table.pack(line:match(each[1]))
    if captures[1] then return each[2](self, table.unpack(captures)) end
  end
  error("not understood: " .. line)
end

--- Adds a stub's text to `all`. Raises an error with file and line for what it does not understand.
function stubs.parse(all, name, text)
  local self = setmetatable({
    all = all, block = new_block(), owners = {},
    module = { name = text:match "^%-%-%-@meta ([%w_.]+)", file = name, text = "", items = {} },
  }, Reader)
  table.insert(all.modules, self.module)
  local number = 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local ok, problem = pcall(handle, self, line)
    if not ok then error(("%s.lua:%d: %s"):format(name, number, problem), 0) end
  end
end

--- Nothing yet, for stubs.parse.
function stubs.new()
  return { modules = {}, classes = {}, aliases = {}, functions = {} }
end

local loaded

--- All stubs: { modules = list of { name =, file =, text =, items = what it describes, in its order },
--- classes, aliases, functions = by name }. They are read once, when somebody asks for help first.
function stubs.all()
  if not loaded then
    local all = stubs.new()
    for _, name in ipairs(stubs.NAMES) do stubs.parse(all, name, read(name)) end
    loaded = all
  end
  return loaded
end

-- ---- What they mean --------------------------------------------------------------------------------

--- The fields of a class, those of its parents first.
function stubs.fields(class)
  local fields = {}
  for _, name in ipairs(class.parents) do
    local inherited = stubs.fields(stubs.all().classes[name])
    table.move(inherited, 1, #inherited, #fields + 1, fields)
  end
  for _, own in ipairs(class.fields) do
    local place = #fields + 1
    for i, field in ipairs(fields) do
      if field.name == own.name then place = i end
    end
    fields[place] = own
  end
  return fields
end

--- The functions of a class, those of its parents first.
function stubs.methods(class)
  local list = {}
  for _, name in ipairs(class.parents) do
    local parent = stubs.all().classes[name]
    for _, each in ipairs(parent and stubs.methods(parent) or {}) do list[#list + 1] = each end
  end
  return table.move(class.functions, 1, #class.functions, #list + 1, list)
end

--- What a text says first.
function stubs.first_sentence(text)
  local paragraph = text:match "^[^\n]*"
  return paragraph:match "^(.-[.])%s+[%u`\"]" or paragraph
end

return stubs
