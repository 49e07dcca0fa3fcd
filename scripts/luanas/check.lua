--- Checks of arguments, and errors that point at the line of the script that called into the
--- package, however deep inside the package they are raised.
local layout = require "luanas.layout"

local check = {}

-- Chunk names of the package's own files all begin like this one's.
local own = debug.getinfo(1, "S").source:match("^(.*)check") or "\0"

--- Whether a value can be called like a function: rewards of the package are tables.
function check.is_callable(value)
  return type(value) == "function" or (getmetatable(value) or {}).__call ~= nil
end

--- Calls a function of the user. Errors pass through untouched, so that their traceback is whole.
function check.run(user_function, ...)
  local results = table.pack(user_function(...)) -- no tail call: position looks for this frame
  return table.unpack(results, 1, results.n)
end

-- Where a function is that has left the stack, as one that ends in `return nn.dense(...)` has, with its line: where it
-- begins is the best there is.
local function place_of(user_function)
  if type(user_function) ~= "function" then user_function = debug.getmetatable(user_function).__call end
  local info = debug.getinfo(user_function, "S")
  if info.what == "main" then return info, info.short_src .. ": in what the file returns: " end
  local is_line = info.linedefined == info.lastlinedefined
  return info, ("%s:%d: %s"):format(info.short_src, info.linedefined,
    is_line and "" or "in what the function that begins here returns: ")
end

-- "script.lua:12: " for the innermost line that is not the package's.
local function position()
  for level = 2, math.huge do
    local info = debug.getinfo(level, "Slf")
    if not info then return "" end
    local place
    if info.func == check.run then
      info, place = place_of(select(2, debug.getlocal(level, 1)))
    end
    if info.what ~= "C" and info.source:sub(1, #own) ~= own then
      return place or ("%s:%d: "):format(info.short_src, info.currentline)
    end
  end
end

--- Raises an error at the user's line.
function check.fail(format, ...)
  error(position() .. (select("#", ...) > 0 and format:format(...) or format), 0)
end

--- A message of the core without "bad argument #3 to 'luanas.core.node'" around it, where what is inside
--- names its owner: "conv2d: unknown option ...".
function check.message(message)
  return message:match("^bad argument #%d+ to '[^']*' %((%l[%w_ ]*: .*)%)$") or message
end

-- How errors of Ctrl-C end: Lua's, and those of the core, which come first where Lua raises in another coroutine.
local INTERRUPTED = {
  "interrupted!$", "training was interrupted in epoch %d+$", "evaluation was interrupted$",
  "the gradients were interrupted$", "^interrupted$", ": interrupted$",
}

--- Whether an error is that of Ctrl-C.
function check.is_interrupt(message)
  if type(message) ~= "string" then return false end
  message = message:match "^(.-)\nstack traceback:" or message
  for _, ending in ipairs(INTERRUPTED) do
    if message:find(ending) then return true end
  end
  return false
end

--- Whether an error is a mistake of the package: Lua raised it, at one of its lines.
function check.is_fault(message)
  return message:sub(1, #own - 1) == own:sub(2)
end

-- What pcall returned.
local function passed(owner, ok, ...)
  if ok then return ... end
  local message = ...
  if type(message) ~= "string" or check.is_interrupt(message) then error(message, 0) end
  local told = owner and message:match "^bad argument #%d+ to '[^']*' %((.*)%)$"
  check.fail("%s", told and owner .. ": " .. told or check.message(message))
end

--- Calls a function of the core. Its errors are raised again at the user's line.
function check.core(core_function, ...)
  return passed(nil, pcall(core_function, ...))
end

--- The same for a function whose arguments are the user's: what the core says of one begins with `owner`, which is
--- what the user called.
function check.owned(owner, core_function, ...)
  return passed(owner, pcall(core_function, ...))
end

local function there(first, ...)
  if first == nil then check.fail("%s", (...)) end
  return first, ...
end

--- The same where nil and a message, for files that can't be read or written, is an error at the user's line, too.
function check.must(core_function, ...)
  return there(check.core(core_function, ...))
end

--- Has each method of a class refuse to be called with a dot. `owner` is what scripts call an object of it.
function check.colons(owner, class)
  for name, method in pairs(class) do
    if type(method) == "function" and not name:find "^__" then
      class[name] = function(self, ...)
        local is_derived = type(self) == "table" and self[name] == class[name]
        if getmetatable(self) ~= class and not is_derived then
          check.fail("%s:%s is called with a dot; expected a colon, as in %s:%s(...)", owner, name, owner, name)
        end
        return method(self, ...)
      end
    end
  end
  return class
end

--- Has each function of a module refuse to be called with a colon. `owner` is what scripts call the module.
function check.dots(owner, module)
  for name, inner in pairs(module) do
    module[name] = function(first, ...)
      if rawequal(first, module) then
        check.fail("%s:%s is called with a colon; expected a dot, as in %s.%s(...)", owner, name, owner, name)
      end
      return inner(first, ...)
    end
  end
  return module
end

--- A value as messages show it.
function check.show(value)
  if type(value) == "string" then
    return ('"%s"'):format(#value > 60 and layout.beginning(value, 57) .. "..." or value)
  end
  if value ~= value then return "NaN" end
  if type(value) == "number" or type(value) == "boolean" or value == nil then return tostring(value) end
  local meta = debug.getmetatable(value)
  local name = type(value) ~= "function" and meta and rawget(meta, "__name")
  return "a " .. (type(name) == "string" and name or type(value))
end

function check.is_tensor(value)
  return type(value) == "userdata" and (debug.getmetatable(value) or {}).__name == "luanas.Tensor"
end

--- The keys of a table as text, sorted, so that no message depends on the order of `pairs`.
function check.sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "string" or type(a) == "number") then return a < b end
    return type(a) < type(b)
  end)
  return keys
end

-- Names in alphabetical order, without positions.
local function names_text(known)
  local names = {}
  for _, name in ipairs(known) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

--- The first key of a table, as check.sorted_keys sorts them, that is none of a list 1 ... #list; nil: it is a list.
function check.stray_key(list)
  local count = #list
  local function is_stray(key) return math.type(key) ~= "integer" or key < 1 or key > count end
  for key in next, list do
    if is_stray(key) then
      for _, each in ipairs(check.sorted_keys(list)) do
        if is_stray(each) then return each end
      end
    end
  end
  return nil
end

--- `given` must be a table without other keys than those of the list `known`; nil counts as {}.
function check.options(owner, given, known)
  if given == nil then given = {} end
  if type(given) ~= "table" then
    check.fail("%s: options are %s; expected a table with %s", owner, check.show(given), names_text(known))
  end
  local allowed = {}
  for _, name in ipairs(known) do allowed[name] = true end
  for _, key in ipairs(check.sorted_keys(given)) do
    if not allowed[key] then
      check.fail("%s: unknown option %s; known options: %s", owner, check.show(key), names_text(known))
    end
  end
  return given
end

--- Refuses those of the options `names` that are given and no false: nothing would make use of them, as `why` says.
function check.unused(owner, given, names, why)
  for _, name in ipairs(names) do
    if given and given[name] then check.fail("%s: %s is %s, but %s", owner, name, check.show(given[name]), why) end
  end
end

--- The checked value, or nil for nil: check.optional(check.integer, owner, name, value, low, high).
function check.optional(check_value, owner, name, value, ...)
  if value == nil then return nil end
  return check_value(owner, name, value, ...)
end

local function range_text(low, high)
  local function text(number) return ("%.14g"):format(number) end
  if low and high then return (" from %s to %s"):format(text(low), text(high)) end
  return low and (" of at least " .. text(low)) or high and (" of at most " .. text(high)) or ""
end

--- An integer in low..high (either may be nil); a float without a fraction counts as one.
function check.integer(owner, name, value, low, high)
  local integer = type(value) == "number" and math.tointeger(value)
  if not integer or (low and integer < low) or (high and integer > high) then
    check.fail("%s: %s is %s; expected an integer%s", owner, name, check.show(value), range_text(low, high))
  end
  return integer
end

--- A finite number in low..high (either may be nil).
function check.number(owner, name, value, low, high)
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge
    or (low and value < low) or (high and value > high) then
    check.fail("%s: %s is %s; expected a finite number%s", owner, name, check.show(value), range_text(low, high))
  end
  return value
end

function check.boolean(owner, name, value)
  if type(value) ~= "boolean" then
    check.fail("%s: %s is %s; expected true or false", owner, name, check.show(value))
  end
  return value
end

function check.string(owner, name, value)
  if type(value) ~= "string" or value == "" then
    check.fail("%s: %s is %s; expected a non-empty string", owner, name, check.show(value))
  end
  return value
end

--- A seed: any integer that is not negative.
function check.seed(owner, name, value)
  return check.integer(owner, name, value, 0)
end

return check
