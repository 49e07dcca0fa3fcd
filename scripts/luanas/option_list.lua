--- Lists of options, as c:choose gets them.
---
--- An option is a number, a string, a boolean, or { label = "name", value = anything }, of which the
--- record keeps the label only. The key text of a list says what the options are: equal texts mean
--- equal lists. It has the options' texts in order, with commas between them:
---
---   number    3   -0.5   1e-05    the shortest decimal form that reads back as the same number;
---                                 1 and 1.0 are the same option, as are 0 and -0.0
---   boolean   true   false
---   string    "same"              \" \\ and \xHH stand for quotes, backslashes, control characters
---   labelled  @"big"              the label, written like a string
local core = require "luanas.core"
local check = require "luanas.check"

local option_list = {}

local MAX_OPTIONS = 4096 -- the policy's limits (core/policy/nas/policy.h)
local MAX_KEY_BYTES = 65535

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return (c == '"' or c == "\\") and "\\" .. c or ("\\x%02X"):format(c:byte())
  end) .. '"'
end

-- Reads a quoted text whose opening quote is at `position`: the text and the position behind it, or nil.
local function read_quoted(text, position)
  local pieces = {}
  position = position + 1
  while true do
    local plain, mark, behind = text:match('^([^"\\]*)(["\\])()', position)
    if not plain then return nil end
    pieces[#pieces + 1] = plain
    if mark == '"' then return table.concat(pieces), behind end
    local hex, escaped = text:match("^x(%x%x)", behind), text:match('^["\\]', behind)
    if not (hex or escaped) then return nil end
    pieces[#pieces + 1] = hex and string.char(tonumber(hex, 16)) or escaped
    position = behind + (hex and 3 or 1)
  end
end

local function number_text(number)
  local integer = math.tointeger(number)
  return integer and ("%d"):format(integer) or core.number_text(number)
end

-- Text of a recorded option: number, string, boolean or { label = ... }.
local function key_text(option)
  if type(option) == "number" then return number_text(option) end
  if type(option) == "string" then return quoted(option) end
  if type(option) == "boolean" then return tostring(option) end
  return "@" .. quoted(option.label)
end

-- The same without quotes where it is a plain word, for people.
local function short_text(option)
  local text = type(option) == "table" and option.label or option
  if type(text) ~= "string" then return key_text(text) end
  return text:find("^[%w_.+%-/:]+$") and text or quoted(text)
end

-- What an option counts as in the record: the option itself, or its label; nil for anything else.
local function recorded(option)
  if type(option) == "number" then
    if option ~= option or option == math.huge or option == -math.huge then return nil end
    return math.tointeger(option) or option
  end
  if type(option) == "string" or type(option) == "boolean" then return option end
  if type(option) == "table" and type(option.label) == "string" and option.label ~= "" and option.value ~= nil then
    return { label = option.label }
  end
  return nil
end

-- One object for each key, so that a long run holds each list once.
local interned = setmetatable({}, { __mode = "v" })

local function intern(options, texts)
  local key = table.concat(texts, ",")
  local list = interned[key]
  if not list then
    local shorts = {}
    for i, option in ipairs(options) do shorts[i] = short_text(option) end
    list = { key = key, count = #options, options = options, texts = texts, shorts = shorts }
    table.move(options, 1, #options, 1, list)
    interned[key] = list
  end
  return list
end

--- The list for options that a space gives to c:choose. `where` begins the message of an error.
--- A list of the options as recorded, with the fields key, count, options (the same once more), texts and shorts (of
--- each option).
function option_list.new(where, given)
  if type(given) ~= "table" then
    check.fail("%s: options are %s; expected a list such as { 1, 3 }", where, check.show(given))
  end
  local count = #given
  if count == 0 then check.fail("%s: the list of options is empty", where) end
  if count > MAX_OPTIONS then check.fail("%s: %d options; at most %d are possible", where, count, MAX_OPTIONS) end
  local options, texts, first = {}, {}, {}
  for i = 1, count do
    local option = recorded(given[i])
    if option == nil then
      check.fail("%s: option %d is %s; expected a finite number, a string, a boolean or "
        .. "{ label = \"name\", value = anything but nil }", where, i, check.show(given[i]))
    end
    local text = key_text(option)
    if first[text] then
      check.fail("%s: options %d and %d are both %s; options must be distinct", where, first[text], i, text)
    end
    options[i], texts[i], first[text] = option, text, i
  end
  local stray = check.stray_key(given)
  if stray ~= nil then check.fail("%s: options have the key %s; expected a plain list", where, check.show(stray)) end
  local list = intern(options, texts)
  if #list.key > MAX_KEY_BYTES then
    check.fail("%s: the options take %d bytes as text; at most %d are possible", where, #list.key, MAX_KEY_BYTES)
  end
  return list
end

local function read_any_option(text, position)
  local mark = text:sub(position, position)
  if mark == '"' then return read_quoted(text, position) end
  if mark == "@" and text:sub(position + 1, position + 1) == '"' then
    local label, behind = read_quoted(text, position + 1)
    return label and { label = label }, behind
  end
  local word, behind = text:match("^([%w.+%-]+)()", position)
  if word == "true" or word == "false" then return word == "true", behind end
  return word and tonumber(word), behind
end

-- Reads one option's text at `position`, which must be just as it is written: the option and the position behind
-- it, or nil.
local function read_option(text, position)
  local option, behind = read_any_option(text, position)
  if option == nil or key_text(option) ~= text:sub(position, behind - 1) then return nil end
  return option, behind
end

-- Reads a key text at `position`: the list and the position behind it, or nil.
local function read_list(text, position)
  local options, texts = {}, {}
  while true do
    local option, behind = read_option(text, position)
    if option == nil then return nil end
    options[#options + 1], texts[#texts + 1] = option, key_text(option)
    if text:sub(behind, behind) ~= "," then return intern(options, texts), behind end
    position = behind + 1
  end
end

option_list.quoted, option_list.read_quoted = quoted, read_quoted
option_list.read_option, option_list.read_list = read_option, read_list
option_list.key_text = key_text

return option_list
