--- Any value as text for people: what the prompt prints.
---
--- Tables are cut in depth and length, and read without their metamethods; objects of the package are shown by what
--- they are (show/objects.lua). A __tostring that raises breaks nothing.
local check = require "luanas.check"
local layout = require "luanas.layout"
local objects = require "luanas.show.objects"
local probabilities = require "luanas.show.probabilities"
local text_table = require "luanas.text_table"

local show = {}

local WIDTH, NARROWEST = layout.WIDTH, layout.NARROWEST
local DEPTH = 4 -- of tables in tables
local ITEMS = 30 -- of a table, unless the option `items` says otherwise
local ENTRIES = 300 -- of all tables together
local LINES = 100 -- of a text
local STRING, NESTED_STRING = 1000, 50 -- bytes that are shown
local CELL = 32 -- columns of a table's cell; more where there is room
local SAMPLES = 100

-- ---- Single values ---------------------------------------------------------------------------------

local COLOURS = { number = "36", string = "32", key = "94" }

-- A text in the colour of its kind, where colours are asked for.
local function painted(style, kind, text)
  local colour = style.colour and COLOURS[kind]
  return colour and ("\27[%sm%s\27[0m"):format(colour, text) or text
end

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escaped(text)
  text = text:gsub('[%c\\"]', function(c) return ESCAPES[c] or ("\\%03d"):format(c:byte()) end)
  return layout.utf8(text)
end

local function quoted(style, text, most)
  if #text <= most then return painted(style, "string", '"' .. escaped(text) .. '"') end
  local cut = escaped(layout.beginning(text, most))
  return ("%s... (%d bytes)"):format(painted(style, "string", '"' .. cut .. '"'), #text)
end

-- The name of a type that has one.
local function type_name(value)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name or nil
end

-- Runs a function of the value's own: what it returns, or nil and what went wrong.
local function guarded(call, ...)
  local ok, result = pcall(call, ...)
  if ok then return result end
  if check.is_interrupt(result) then error(result, 0) end
  return nil, type(result) == "string" and result:match "^[^\n]*" or check.show(result)
end

-- What tostring says of an object, without what would drive the terminal.
local function own_text(value)
  local text, problem = guarded(tostring, value)
  if text then return (text:gsub("[\0-\8\11-\31\127]", "?")) end
  return ("%s, whose __tostring fails: %s"):format(type_name(value) or check.show(value), escaped(problem))
end

local function has_own_text(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

-- "function(a, b, ...)"
local function function_text(value)
  local info = debug.getinfo(value, "uS")
  if info.what == "C" then return "function" end
  local names = {}
  for i = 1, info.nparams do names[i] = debug.getlocal(value, i) end
  if info.isvararg then names[#names + 1] = "..." end
  return ("function(%s)"):format(table.concat(names, ", "))
end

-- A value that is no plain table, in one line.
local function short(style, value)
  local kind = type(value)
  if kind == "string" then return quoted(style, value, NESTED_STRING) end
  if kind == "number" then return painted(style, "number", tostring(value)) end
  if kind == "function" then return function_text(value) end
  if kind == "userdata" and type_name(value) == "luanas.Tensor" then
    return guarded(function() return ("tensor %s {%s}"):format(value:dtype(), table.concat(value:shape(), ", ")) end)
      or own_text(value)
  end
  if kind == "table" and not has_own_text(value) then return type_name(value) end
  return layout.clip(own_text(value):match "^[^\n]*", math.max(NARROWEST, style.width - 20))
end

-- ---- Tables ----------------------------------------------------------------------------------------

local function is_plain(value)
  return type(value) == "table" and not has_own_text(value) and type_name(value) == nil
end

-- Whether a key can stand in front of "=" without brackets.
local function is_name(key)
  return type(key) == "string" and key:find "^[%a_][%w_]*$" ~= nil and load("local " .. key) ~= nil
end

local function key_text(style, key)
  if is_name(key) then return painted(style, "key", key) .. " = " end
  local text = is_plain(key) and "table" or short(style, key)
  return ("[%s] = "):format(text)
end

-- The keys of a table beyond its list, sorted.
local function other_keys(list, length)
  local keys = {}
  for key in next, list do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then keys[key] = true end
  end
  return check.sorted_keys(keys)
end

local table_text

local function value_text(style, value, indent, above)
  if is_plain(value) then return table_text(style, value, indent, above) end
  return short(style, value)
end

-- The parts of a table, until there are too many of them: texts, whether each is an item of a list, and how many
-- are left out.
local function parts_of(style, list, indent, above)
  local length = rawlen(list)
  local keys, parts, is_item = other_keys(list, length), {}, {}
  local total = length + #keys
  for i = 1, total do
    if #parts == style.items or style.left <= 0 then break end
    style.left = style.left - 1
    local key = i <= length and i or keys[i - length]
    local text = value_text(style, rawget(list, key), indent .. "  ", above)
    parts[i], is_item[i] = i <= length and text or key_text(style, key) .. text, i <= length
  end
  return parts, is_item, total - #parts
end

-- Items of a list fill lines; what has a key, or several lines, has lines of its own.
local function filled(style, parts, is_item, indent)
  local lines, open = {}, false
  for i, part in ipairs(parts) do
    local line, fits = lines[#lines], false
    local may_join = is_item[i] and not part:find "\n"
    if open and may_join then
      fits = #indent + layout.width(line) + 1 + layout.width(part) + 1 <= style.width
    end
    local with_comma = part .. (i < #parts and "," or "")
    if fits then lines[#lines] = line .. " " .. with_comma else lines[#lines + 1] = with_comma end
    open = may_join
  end
  return lines
end

function table_text(style, list, indent, above)
  if above[list] then return "<a table that contains this one>" end
  if next(list) == nil then return "{}" end
  if #indent >= 2 * style.depth or style.left <= 0 then return "{ ... }" end
  above[list] = true
  local parts, is_item, more = parts_of(style, list, indent, above)
  above[list] = nil
  if more > 0 then parts[#parts + 1], is_item[#parts + 1] = ("... %d more"):format(more), true end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if not line:find "\n" and #indent + layout.width(line) <= style.width then return line end
  local inner = indent .. "  "
  return "{\n" .. inner .. table.concat(filled(style, parts, is_item, inner), "\n" .. inner) .. "\n" .. indent .. "}"
end

-- ---- Lists of records ------------------------------------------------------------------------------

-- Whether a value is a plain list of things that fit.
local function is_list_of(value, fits)
  local length = is_plain(value) and rawlen(value) or 0
  if length == 0 or #other_keys(value, length) > 0 then return false end
  for i = 1, length do
    if not fits(rawget(value, i)) then return false end
  end
  return true
end

local function is_record(value)
  if not is_plain(value) or rawlen(value) > 0 or next(value) == nil then return false end
  for key in next, value do
    if type(key) ~= "string" then return false end
  end
  return true
end

local function cell_text(style, value)
  if value == nil then return "" end
  if type(value) == "string" then return layout.clip(escaped(value), style.width) end
  if math.type(value) == "float" then return ("%.6g"):format(value) end
  local text = is_plain(value) and table_text(style, value, "", {}) or short(style, value)
  return layout.clip(text:gsub("%s*\n%s*", " "), style.width)
end

-- How wide columns may be in so many columns of the terminal: long cells have what the others leave, CELL at least.
local function limits_of(widths, room)
  local limits = {}
  for i, width in ipairs(widths) do
    limits[i] = math.min(width, CELL)
    room = room - limits[i] - 2
  end
  for i, width in ipairs(widths) do
    local more = math.max(0, math.min(width - limits[i], room + 2))
    limits[i], room = limits[i] + more, room - more
  end
  return limits
end

-- What tells rows apart stands first, tables last.
local function column_order(a, b)
  if a.place ~= b.place then return a.place < b.place end
  return a.title < b.title
end

local FIRST = { id = 1, number = 1, name = 1, epoch = 1, layer = 1, rank = 1 }

-- The columns of a list of records.
local function columns_of(list, count)
  local columns, by_name = {}, {}
  for i = 1, count do
    for name, value in next, rawget(list, i) do
      local column = by_name[name]
      if not column then
        column = { title = name, right = true, place = FIRST[name] or 2 }
        by_name[name], columns[#columns + 1] = column, column
      end
      if type(value) ~= "number" then column.right = nil end
      if type(value) == "table" then column.place = 3 end
    end
  end
  table.sort(columns, column_order)
  return columns
end

-- A list of tables with the same sort of fields, such as the epochs of a training, as rows; columns that have no room
-- are only named.
local function records_text(style, list)
  local count = math.min(rawlen(list), style.items)
  local columns, texts = columns_of(list, count), setmetatable({ colour = false }, { __index = style })
  local cells, widths = {}, {}
  for k, column in ipairs(columns) do
    cells[k], widths[k] = {}, layout.width(column.title)
    for i = 1, count do
      cells[k][i] = cell_text(texts, rawget(rawget(list, i), column.title))
      widths[k] = math.max(widths[k], layout.width(cells[k][i]))
    end
  end
  local limits = limits_of(widths, style.width)
  local shown, rows, used, left_out = {}, {}, 0, {}
  for i = 1, count do rows[i] = {} end
  for k, column in ipairs(columns) do
    used = used + limits[k] + 2
    if used - 2 <= style.width and #left_out == 0 then
      shown[#shown + 1] = column
      for i = 1, count do rows[i][#shown] = layout.clip(cells[k][i], limits[k]) end
    else
      left_out[#left_out + 1] = column.title
    end
  end
  local text = objects.table(shown, rows, rawlen(list))
  return #left_out == 0 and text or ("%sand %s\n"):format(text, table.concat(left_out, ", "))
end

-- ---- Everything ------------------------------------------------------------------------------------

-- A function with its name, or its place.
local function function_with_place(value, style)
  local entries = require "luanas.entries"
  local entry = entries.of(value)
  if entry then
    local title = entries.signature(entry)
    local name = title:gsub("%(.*", "")
    local asked = name:find ":" and ('help "%s"'):format(name) or ("help(%s)"):format(name)
    return layout.wrap(("function %s; %s tells more"):format(title, asked), style.width, "", "  ")
  end
  local info = debug.getinfo(value, "S")
  local place = info.what == "C" and "in C" or ("%s:%d"):format(info.short_src, info.linedefined)
  return layout.wrap(("%s, %s"):format(function_text(value), place), style.width, "", "  ")
end

-- The first lines of a text.
local function limited(text, items)
  local lines, count = {}, 0
  local most = items and items > ITEMS and math.huge or LINES -- all that was asked for
  for line in (text:gsub("\n+$", "") .. "\n"):gmatch "([^\n]*)\n" do
    count = count + 1
    if count <= most then lines[count] = line end
  end
  if count > most then lines[LINES + 1] = "... " .. text_table.counted(count - LINES, "more line") end
  return table.concat(lines, "\n")
end

-- A text of several lines is shown as it is: summaries and tables are such.
local function string_text(value, style)
  local is_page = value:find "\n" and not value:find "[\0-\8\11-\31\127]" and utf8.len(value)
  return is_page and limited(value) or quoted(style, value, STRING)
end

-- What a module is, and the names of what it has; nil of other tables.
local function module_text(value)
  local entries = require "luanas.entries"
  local entry, names = entries.of(value), {}
  if not entry then return nil end
  for _, list in ipairs { entry.fields, entry.functions } do
    for _, each in ipairs(list) do names[#names + 1] = each.short or each.name end
  end
  table.sort(names)
  local title = entries.title(entry)
  return ("module %s: %s\n%s\nhelp(%s) tells more"):format(title, entries.summary(entry), table.concat(names, ", "),
    title)
end

local function is_trial(value)
  return type_name(value) == "luanas.Trial"
end

local function has_functions(value)
  for _, field in next, value do
    if type(field) == "function" then return true end
  end
  return false
end

-- The text of what is more than a plain value, still too long and too wide perhaps; else nil.
local function special_text(value, style)
  if type(value) == "function" then return function_with_place(value, style) end
  local own = objects.of(type_name(value))
  local text = own and guarded(own, value, style)
  if text then return text end
  if type(value) ~= "string" and has_own_text(value) then return own_text(value) end
  if is_plain(value) and has_functions(value) then return module_text(value) end
  if is_list_of(value, is_trial) then return guarded(objects.trials, value, style.items) end
  if is_list_of(value, is_record) and rawlen(value) > 1 then return records_text(style, value) end
  return nil
end

local OPTIONS = { "colour", "depth", "items", "width" }

local function new_style(owner, options)
  options = check.options(owner, options, OPTIONS)
  local items = check.integer(owner, "items", options.items or ITEMS, 1)
  return {
    items = items,
    width = check.integer(owner, "width", options.width or WIDTH, NARROWEST),
    depth = check.integer(owner, "depth", options.depth or DEPTH, 1),
    colour = check.optional(check.boolean, owner, "colour", options.colour),
    left = math.max(ENTRIES, items),
  }
end

--- A value as text, without a line end behind it.
function show.text(value, options)
  local style = new_style("show.text", options)
  if type(value) == "string" then return string_text(value, style) end
  local text = special_text(value, style)
  if text then return layout.fit(limited(text, style.items), style.width) end
  if type(value) ~= "table" then return short(style, value) end
  local name = type_name(value)
  return (name and name .. " " or "") .. table_text(style, value, "", {})
end

--- The probabilities that a policy gives the options of a space.
function show.policy(policy, space, options)
  local owner = "show.policy"
  options = check.options(owner, options, { "samples", "width" })
  if type(policy) ~= "table" or type(policy.sample) ~= "function" or type(policy.score) ~= "function" then
    check.fail("%s: policy is %s; expected one, as nas.policy returns", owner, check.show(policy))
  end
  if type(space) ~= "function" then
    check.fail("%s: space is %s; expected a function of a chooser", owner, check.show(space))
  end
  local samples = check.integer(owner, "samples", options.samples or SAMPLES, 1)
  return probabilities(policy, space, samples, check.integer(owner, "width", options.width or WIDTH, NARROWEST))
end

-- show(value): prints it, in the width of the terminal.
local function print_text(_, value, options)
  local own = {}
  for name, given in pairs(check.options("show", options, OPTIONS)) do own[name] = given end
  own.width = own.width or layout.columns "output"
  io.stdout:write(show.text(value, own), "\n")
end

return setmetatable(show, { __call = print_text })
