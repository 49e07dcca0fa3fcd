--- Options of a script: `--name value`, `--name=value`, `--flag`, `--help`.
local check = require "luanas.check"

local command_line = {}

-- { default, help, least =, short = "-o" } or just the default; `name` is spelt data_limit in Lua, --data-limit
-- outside. An option with a least value is an integer, also where its default is "": none.
local function specification_of(specifications)
  local known = {}
  for _, name in ipairs(check.sorted_keys(specifications)) do
    local given = specifications[name]
    local default, help, least, short = given, "", nil, nil
    if type(given) == "table" then default, help, least, short = given[1], given[2] or "", given.least, given.short end
    local kind = math.type(default) or type(default)
    if type(name) ~= "string" or not (math.type(default) or kind == "string" or kind == "boolean") then
      check.fail("options: %s is %s; expected a default (number, string or boolean) or { default, \"help\" }",
        tostring(name), check.show(given))
    end
    if least ~= nil then
      if math.type(least) ~= "integer" or default ~= "" and kind ~= "integer" then
        check.fail("options: %s: least is %s; expected an integer, as the default of the option", name,
          check.show(least))
      end
      kind = "integer"
    end
    known[#known + 1] = {
      name = name, flag = "--" .. name:gsub("_", "-"), default = default, kind = kind, help = help, least = least,
      short = short,
    }
  end
  return known
end

local function flags_text(known)
  local flags = { "--help" }
  for _, option in ipairs(known) do flags[#flags + 1] = option.flag end
  return table.concat(flags, ", ")
end

local function integer_of(text, least)
  local value = text:find("^[+-]?%d+$") and math.tointeger(tonumber(text))
  if value and value >= (least or value) then return value end
  return nil, least and ("an integer of at least %d"):format(least) or "an integer"
end

-- The value of a text; nil and what was expected when it is none.
local function value_of(option, text)
  if option.kind == "string" then return text end
  if option.kind == "integer" then return integer_of(text, option.least) end
  if option.kind == "float" then
    local number = tonumber(text)
    return number and number == number and number - number == 0 and number + 0.0 or nil, "a finite number"
  end
  if text == "true" or text == "false" then return text == "true" end
  return nil, "true or false"
end

local function refusal(name, text, expected)
  return ("%s: value is %s; expected %s"):format(name, check.show(text), expected)
end

--- The integer that an argument called `name` spells; nil and a message where it is none, or below `least`.
function command_line.integer(name, text, least)
  local value, expected = integer_of(text, least)
  return value, not value and refusal(name, text, expected) or nil
end

local function find(known, flag)
  for _, option in ipairs(known) do
    if option.flag == flag or option.short == flag then return option end
  end
  return nil
end

--- The values of the arguments, defaults filled in ("" counts as not given: nil). Returns nil and a message
--- for wrong arguments, and nil without a message for --help. Arguments that are no options are appended to the list
--- `others`; without it they are wrong.
function command_line.parse(arguments, specifications, others)
  local known = specification_of(specifications)
  local values = {}
  for _, option in ipairs(known) do values[option.name] = option.default end
  local i = 1
  while i <= #arguments do
    local flag, text = arguments[i]:match("^(%-%-[^=]+)=(.*)$")
    flag = flag or arguments[i]
    if flag == "--help" or flag == "-h" then return nil end
    if others and flag:sub(1, 1) ~= "-" then
      others[#others + 1] = flag
    else
      local option = find(known, flag)
      if not option then return nil, ("unknown argument %s; known options: %s"):format(flag, flags_text(known)) end
      if not text and option.kind == "boolean" then text = "true" end
      if not text then
        i = i + 1
        text = arguments[i]
        if not text then return nil, ("%s: value is missing"):format(flag) end
      end
      local value, expected = value_of(option, text)
      if value == nil then return nil, refusal(flag, text, expected) end
      values[option.name] = value
    end
    i = i + 1
  end
  for name, value in pairs(values) do
    if value == "" then values[name] = nil end
  end
  return values
end

--- What --help prints: a first line and one for each option.
function command_line.help(first, specifications)
  local known = specification_of(specifications)
  local lines, widest = { first .. "\n" }, 0
  local lefts = {}
  for i, option in ipairs(known) do
    lefts[i] = (option.short and option.short .. ", " or "") .. option.flag
    if option.kind ~= "boolean" then lefts[i] = lefts[i] .. " " .. option.kind:upper() end
    widest = math.max(widest, #lefts[i])
  end
  for i, option in ipairs(known) do
    local default = option.kind ~= "boolean" and option.default ~= "" and (" (default %s)"):format(option.default) or ""
    lines[#lines + 1] = ("  %-" .. widest .. "s  %s%s\n"):format(lefts[i], option.help, default)
  end
  return table.concat(lines)
end

--- nas.options(arg, { ... }): ends the program after --help (status 0) and after wrong arguments (2).
function command_line.options(arguments, specifications)
  if type(arguments) ~= "table" then
    check.fail("options: arguments are %s; expected the global table arg", check.show(arguments))
  end
  local values, message = command_line.parse(arguments, specifications)
  if values then return values end
  local script = arguments[0] or "script"
  if message then
    io.stderr:write(script, ": ", message, "\n")
    os.exit(2, true)
  end
  io.stdout:write(command_line.help(("usage: %s [options]"):format(script), specifications))
  os.exit(0, true)
end

return command_line
