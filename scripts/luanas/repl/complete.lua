--- What Tab completes: globals, keywords, fields, methods, the options of our functions, names of files in strings.
---
--- Nothing of the user's is called: tables are read raw, and __index is followed where it is a table, or a function of
--- the core that has the methods as its upvalue. What only the stubs know comes from them, such as options, and modules
--- that are not loaded yet. Their texts are parsed in stubs.lua alone, also the types of parameters and fields.
local complete = {}

local KEYWORDS = {
  "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not",
  "or", "repeat", "return", "then", "true", "until", "while",
}
local SHOWN = 200 -- candidates at most
local INDENT = "  "

-- ---- Where the cursor is ---------------------------------------------------------------------------

-- Kinds of tokens: a pattern that ends in a position; where it does not match at the cursor, the next is tried.
local TOKENS = {
  { "blank", "^%s+()" },
  { "comment", "^%-%-%[(=*)%[.-%]%1%]()" }, { "open", "^%-%-%[=*%[.*()" }, { "comment", "^%-%-[^\n]*\n()" },
  { "open", "^%-%-.*()" },
  { "string", "^%[(=*)%[.-%]%1%]()" }, { "open", "^%[=*%[.*()" },
  { "number", "^%d[%w.]*()" }, { "name", "^[%a_][%w_]*()" },
  { "other", "^%.%.%.?()" }, { "other", "^::()" }, { "other", "^.()" },
}

-- Behind a string that begins at a position; nil where it has no end.
local function string_end(text, at)
  local quote = text:sub(at, at)
  local i = at + 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == quote then return i + 1 end
    if c == "\n" then return nil end
    i = i + (c == "\\" and 2 or 1)
  end
  return nil
end

-- The tokens of a text: { kind, text }. Of a comment that is not closed only { "open" }; a string that is not closed is
-- the last: { "quoted", what is in it }.
local function tokens_of(text)
  local tokens, at = {}, 1
  while at <= #text do
    local kind, behind
    if text:find("^[\"']", at) then
      behind = string_end(text, at)
      kind = behind and "string" or "quoted"
      if not behind then at, behind = at + 1, #text + 1 end
    else
      for _, each in ipairs(TOKENS) do
        local first, second = text:match(each[2], at)
        kind, behind = each[1], second or first
        if behind then break end
      end
    end
    if kind ~= "blank" and kind ~= "comment" then tokens[#tokens + 1] = { kind, text:sub(at, behind - 1) } end
    at = behind
  end
  return tokens
end

-- The names that end at a token: { "nas", "nn", "conv2d" }, the last separator ("." or ":", "" for a name alone), and
-- the index of the first token. nil where something else than names comes before them.
local function path_at(tokens, last)
  local names, separator, i = {}, "", last
  while true do
    local token = tokens[i]
    if not token or token[1] ~= "name" then return nil end
    table.insert(names, 1, token[2])
    local before = tokens[i - 1]
    if not before or before[2] ~= "." and before[2] ~= ":" then return names, separator, i end
    if separator == "" then separator = before[2] end
    i = i - 2
  end
end

-- ---- Values ----------------------------------------------------------------------------------------

-- The tables in which Lua looks for a key of a value, in order.
local function tables_of(value)
  local list, seen = {}, {}
  while value ~= nil and not seen[value] do
    seen[value] = true
    if type(value) == "table" then list[#list + 1] = value end
    local meta = debug.getmetatable(value)
    local index = type(meta) == "table" and rawget(meta, "__index") or nil
    if type(index) == "function" then
      local _, upvalue = debug.getupvalue(index, 1)
      index = debug.getinfo(index, "S").what == "C" and type(upvalue) == "table" and upvalue or nil
    end
    value = index
  end
  return list
end

local function field(value, name)
  for _, each in ipairs(tables_of(value)) do
    local found = rawget(each, name)
    if found ~= nil then return found end
  end
  return nil
end

-- The value of the first `count` names; nil where there is none.
local function value_of(globals, names, count)
  local value = rawget(globals, names[1])
  for i = 2, count do value = field(value, names[i]) end
  return value
end

-- ---- Stubs -----------------------------------------------------------------------------------------

-- What the stubs call a value or a path: "luanas.Study" for a study, "luanas.nn" for nas.nn.
local function class_name(globals, names, count)
  local value = value_of(globals, names, count)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  if type(name) == "string" then return name end
  for module, loaded in next, package.loaded do
    if value ~= nil and loaded == value and type(module) == "string" and module:find "^luanas" then return module end
  end
  return names[1] == "nas" and table.concat(names, ".", 1, count):gsub("^nas", "luanas") or nil
end

-- The parameters of what is called by these names; nil where the stubs do not know it.
local function called(stubs, all, globals, names)
  local whole = class_name(globals, names, #names)
  local owner = #names > 1 and class_name(globals, names, #names - 1)
  local described = owner and all.functions[owner .. "." .. names[#names]] or all.functions[whole]
  if described then return described.parameters end
  local class = owner and all.classes[owner]
  for _, each in ipairs(class and stubs.fields(class) or {}) do
    if each.name == names[#names] and each.type:find "^fun%(" then return stubs.parameters(each.type) end
  end
  local module = whole and all.classes[whole]
  return module and module.overloads[1] and stubs.parameters(module.overloads[1]) or nil
end

-- The fields that a table of this type has, as stubs.fields has them.
local function fields_of(stubs, all, kind)
  for name in kind:gmatch "[%a_][%w_.]*" do
    if all.classes[name] then return stubs.fields(all.classes[name]) end
    if all.aliases[name] then return fields_of(stubs, all, all.aliases[name].type) end
  end
  return stubs.table_fields(kind)
end

-- ---- Options ---------------------------------------------------------------------------------------

local CLOSING = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- The bracket that is open at a token (nil: none), and how many commas follow it at its level.
local function open_bracket(tokens, last)
  local depth, commas = 0, 0
  for i = last, 1, -1 do
    local token = tokens[i][1] == "other" and tokens[i][2]
    if CLOSING[token] then
      depth = depth + 1
    elseif token == "(" or token == "[" or token == "{" then
      if depth == 0 then return i, commas end
      depth = depth - 1
    elseif token == "," and depth == 0 then
      commas = commas + 1
    end
  end
  return nil
end

-- The options of the table that opens at a token: fields as of fields_of; {} where nothing is known.
local function options_at(stubs, all, globals, tokens, opening)
  if tokens[opening][2] ~= "{" then return {} end
  local before = tokens[opening - 1]
  if not before then return {} end
  local place, names = 1, before[1] == "name" and path_at(tokens, opening - 1)
  if not names then
    local outer, commas = open_bracket(tokens, opening - 1)
    if not outer then return {} end
    if before[2] == "=" and tokens[outer][2] == "{" then -- an option that is a table
      for _, each in ipairs(options_at(stubs, all, globals, tokens, outer)) do
        if each.name == tokens[opening - 2][2] then return fields_of(stubs, all, each.type) end
      end
      return {}
    end
    if tokens[outer][2] ~= "(" then return {} end
    place, names = commas + 1, path_at(tokens, outer - 1)
  end
  local parameters = names and called(stubs, all, globals, names)
  return parameters and parameters[place] and fields_of(stubs, all, parameters[place].type) or {}
end

-- ---- Candidates ------------------------------------------------------------------------------------

-- A set of names that begin with a prefix.
local Candidates = {}
Candidates.__index = Candidates

local function new_candidates(prefix)
  return setmetatable({ prefix = prefix, names = {}, seen = {}, ending = {} }, Candidates)
end

function Candidates:add(name, ending)
  if self.seen[name] or name:sub(1, #self.prefix) ~= self.prefix then return end
  self.seen[name], self.ending[name] = true, ending or ""
  table.insert(self.names, name)
end

function Candidates:add_keys(map, only_functions)
  for key, value in next, map do
    local is_shown = type(key) == "string" and key:find "^[%a_][%w_]*$" and (key:sub(1, 2) ~= "__" or #self.prefix > 1)
    if is_shown and (not only_functions or type(value) == "function") then self:add(key) end
  end
end

-- The longest beginning that all have.
function Candidates:common()
  local common = self.names[1] or ""
  for _, name in ipairs(self.names) do
    while name:sub(1, #common) ~= common do common = common:sub(1, -2) end
  end
  return common
end

-- A beginning that ends within a character is no text.
local function whole_characters(text)
  while #text > 0 and not utf8.len(text) do text = text:sub(1, -2) end
  return text
end

-- The names in columns, as wide as the terminal.
local function in_columns(names, width)
  local widest, lines = 0, {}
  for _, name in ipairs(names) do widest = math.max(widest, utf8.len(name) or #name) end
  local columns = math.max(1, (width + 1) // (widest + 2))
  local shown = math.min(#names, SHOWN)
  local rows = (shown + columns - 1) // columns
  for row = 1, rows do
    local cells = {}
    for i = row, shown, rows do
      cells[#cells + 1] = names[i] .. (" "):rep(widest + 2 - (utf8.len(names[i]) or #names[i]))
    end
    lines[row] = table.concat(cells):gsub(" +$", "")
  end
  if shown < #names then lines[#lines + 1] = ("... and %d more"):format(#names - shown) end
  return table.concat(lines, "\n")
end

-- What is inserted, and what is shown where there is a choice that nothing but the user can make.
function Candidates:answer(width)
  if #self.names == 0 then return nil end
  table.sort(self.names)
  if #self.names == 1 then
    local name = self.names[1]
    return name:sub(#self.prefix + 1) .. self.ending[name]
  end
  local more = whole_characters(self:common()):sub(#self.prefix + 1)
  if more ~= "" then return more end
  return nil, in_columns(self.names, width)
end

-- ---- Tab -------------------------------------------------------------------------------------------

local function complete_file(content, terminal)
  local folder, prefix = content:match "^(.*/)([^/]*)$"
  if not folder then folder, prefix = "", content end
  local candidates = new_candidates(prefix)
  for _, name in ipairs(terminal.names(folder == "" and "." or folder)) do
    local is_hidden = name:sub(1, 1) == "." and prefix:sub(1, 1) ~= "."
    if not is_hidden and name ~= "./" and name ~= "../" and not name:find "[%c\"'\\]" then candidates:add(name) end
  end
  return candidates:answer(terminal.width)
end

-- Fields and methods: of an object that the stubs describe what they do, and not what is internal; else of the value,
-- and of its class or module in the stubs.
local function complete_field(globals, names, separator, terminal)
  local candidates = new_candidates(names[#names])
  local is_method = separator == ":"
  local value = value_of(globals, names, #names - 1)
  local stubs = require "luanas.stubs"
  local class = stubs.all().classes[class_name(globals, names, #names - 1)]
  local methods = class and stubs.methods(class) or {}
  local meta = debug.getmetatable(value)
  local is_described = #methods > 0 and type(meta) == "table" and rawget(meta, "__name") == class.name
  for _, each in ipairs(is_described and {} or tables_of(value)) do candidates:add_keys(each, is_method) end
  for _, each in ipairs(methods) do
    if is_method or not each.is_method then candidates:add(each.short) end
  end
  for _, each in ipairs(class and not is_method and stubs.fields(class) or {}) do
    candidates:add(each.name)
  end
  return candidates:answer(terminal.width)
end

-- A name alone: an option where a key of a table can stand, else a global or a keyword.
local function complete_name(globals, tokens, first, prefix, terminal)
  local candidates = new_candidates(prefix)
  local opening = open_bracket(tokens, first - 1)
  local before = tokens[first - 1]
  local stubs = require "luanas.stubs"
  if opening and (opening == first - 1 or before[2] == "," or before[2] == ";") then
    for _, each in ipairs(options_at(stubs, stubs.all(), globals, tokens, opening)) do
      candidates:add(each.name, " = ")
    end
  end
  if #candidates.names == 0 and prefix ~= "" then
    candidates:add_keys(globals)
    for _, keyword in ipairs(KEYWORDS) do candidates:add(keyword) end
  end
  return candidates:answer(terminal.width)
end

--- What Tab does in a text at a position, before which are so many bytes: what it inserts there, or nil and what it
--- shows below, or nothing. `terminal` = { names = function(folder), width = columns }.
function complete.at(globals, text, position, terminal)
  local before = text:sub(1, position)
  if before:match "[^\n]*$":find "^ *$" and not before:find "[,{]%s*$" then return INDENT end
  local tokens = tokens_of(before)
  local last = tokens[#tokens] or { "start" }
  local touches = not before:find "%s$"
  if last[1] == "quoted" then return complete_file(last[2], terminal) end
  if last[1] == "open" or last[1] == "number" and touches then return nil end
  if last[1] ~= "name" or not touches then tokens[#tokens + 1] = { "name", "" } end
  local names, separator, first = path_at(tokens, #tokens)
  if not names then return nil end
  if #names == 1 then return complete_name(globals, tokens, first, names[1], terminal) end
  return complete_field(globals, names, separator, terminal)
end

return complete
