--- Help at the prompt: help(), help(nas.nn.conv2d), help "study:run", from the stubs.
local check = require "luanas.check"
local entries = require "luanas.entries"
local layout = require "luanas.layout"
local stubs = require "luanas.stubs"

local help = {}

local WIDEST = 100 -- of what help(...) prints
local EXAMPLE = "Example:" -- behind which indented lines are code

-- ---- Pages -----------------------------------------------------------------------------------------

-- Lines of at most so many columns.
local Page = {}
Page.__index = Page

local function new_page(columns)
  return setmetatable({ columns = columns }, Page)
end

function Page:line(text)
  self[#self + 1] = text
end

function Page:wrap(words, first, indent)
  self:line(layout.wrap(words, self.columns, first or "", indent or ""))
end

-- Paragraphs, and between them indented lines as they are: "  code    what it does", where what is too long goes on
-- below itself. A line that is indented more than such goes on with the one before. Each line of code is one, too.
function Page:paragraphs(text)
  local lines, codes, is_code = {}, {}, false
  for line in text:gmatch "[^\n]+" do
    local before, indent = lines[#lines], #line:match "^ *"
    is_code = line == EXAMPLE or is_code and stubs.is_indented(line)
    if not is_code and before and stubs.is_indented(line) and stubs.is_indented(before)
      and indent > #before:match "^ *" then
      lines[#lines] = before .. " " .. line:match "%S.*"
    else
      lines[#lines + 1], codes[#lines + 1] = line, is_code
    end
  end
  for i, line in ipairs(lines) do
    if codes[i] then
      local first, rest = line:match "^( *)(.*)$"
      self:wrap(rest, first, first .. "    ")
    elseif stubs.is_indented(line) then
      local first, rest = line:match "^( +.-%S  +)(%S.*)$"
      local indent = first and math.min(#first, self.columns // 2)
      if not first then
        first, rest = line:match "^( +)(.*)$"
        indent = #first + 2
      end
      self:wrap(rest, first, (" "):rep(indent))
    else
      self:wrap(line)
    end
    if not (stubs.is_indented(line) and lines[i + 1] and stubs.is_indented(lines[i + 1])) then self:line "" end
  end
end

function Page:text()
  return (table.concat(self, "\n"):gsub("\n+$", ""))
end

-- "name?  type. Text", one below the other, under a title.
function Page:members(title, members)
  if #members == 0 then return end
  local widest = 0
  for _, each in ipairs(members) do widest = math.max(widest, #each.name + (each.optional and 1 or 0)) end
  self:line(title)
  for _, each in ipairs(members) do
    local name = layout.pad(each.name .. (each.optional and "?" or ""), widest)
    self:wrap(each.type .. (each.text ~= "" and ". " .. each.text or ""), "  " .. name .. "  ", (" "):rep(widest + 4))
  end
  self:line ""
end

-- "name  What it is.", one line each, of pairs { name, sentence }.
function Page:index(title, list)
  if #list == 0 then return end
  local widest = 0
  for _, each in ipairs(list) do widest = math.max(widest, #each[1]) end
  widest = math.min(widest, self.columns // 2)
  if title then self:wrap(title) end
  for _, each in ipairs(list) do
    self:line(layout.clip("  " .. layout.pad(each[1], widest) .. "  " .. each[2], self.columns))
  end
  self:line ""
end

local function index_of(list)
  local own = {}
  for i, entry in ipairs(list) do own[i] = { entries.signature(entry), entries.summary(entry) } end
  return own
end

-- ---- Entries ---------------------------------------------------------------------------------------

-- The classes that a type is about.
local function classes_in(kind)
  local found = {}
  for name in kind:gmatch "[%a_][%w_.]*" do found[#found + 1] = stubs.all().classes[name] end
  return found
end

-- Options: the fields of the plain tables among parameters.
function Page:options(parameters)
  for _, parameter in ipairs(parameters) do
    for _, class in ipairs(classes_in(parameter.type)) do
      if #class.functions == 0 and #class.overloads == 0 then
        self:members(("%s: %s"):format(parameter.name, class.name), stubs.fields(class))
      end
    end
  end
end

local ENTRY = {}

ENTRY["function"] = function(page, described)
  local results, told = {}, {}
  for i, result in ipairs(described.returns) do
    results[i] = (result.name and result.name .. ": " or "") .. result.type
    if result.text ~= "" then
      told[#told + 1] = { name = result.name or "returns", type = result.type, text = result.text }
    end
  end
  local arrow = #results > 0 and " -> " .. table.concat(results, ", ") or ""
  page:wrap(entries.signature(described) .. arrow, "", "  ")
  page:line ""
  page:paragraphs(described.text)
  page:members("parameters", described.parameters)
  page:members("results", told)
  page:options(described.parameters)
end

-- "fun(options?: luanas.policy.Options): luanas.Policy": parameters in parentheses, and the result.
local function parts_of(overload)
  return overload:match "^fun(%b())%s*:?%s*(.*)"
end

local SYMBOLS = {
  add = "a + b", sub = "a - b", mul = "a * b", div = "a / b", pow = "a ^ b", unm = "-a", len = "#a", band = "a & b",
  bor = "a | b", bnot = "~a",
}

local function operators_text(class)
  local symbols = {}
  for i, operator in ipairs(class.operators) do
    local name = operator:match "^%w+"
    symbols[i] = SYMBOLS[name] or name
  end
  return table.concat(symbols, ", ")
end

function ENTRY.class(page, class)
  local path = entries.path_of_module(class)
  local title = path or class.name
  if #class.parents > 0 then title = title .. ", which is a " .. table.concat(class.parents, ", ") end
  if #class.overloads == 0 or not path then page:wrap(title, "", "  ") end
  for _, overload in ipairs(class.overloads) do
    local parameters, result = parts_of(overload)
    page:wrap((path or entries.spoken(class)) .. parameters .. (result ~= "" and " -> " .. result or ""), "", "  ")
  end
  page:line ""
  page:paragraphs(entries.text(class))
  for _, overload in ipairs(class.overloads) do page:options(stubs.parameters(overload)) end
  if #class.operators > 0 then
    page:line(layout.wrap(operators_text(class), page.columns, "operators: ", "  "))
    page:line ""
  end
  page:members("fields", stubs.fields(class))
  page:index(path and "functions" or "methods", index_of(class.functions))
  for _, overload in ipairs(class.overloads) do -- what a call of a module makes
    for _, made in ipairs(classes_in(select(2, parts_of(overload)))) do
      page:index(("what it returns, %s (help %q tells more)"):format(made.name, made.name), index_of(made.functions))
    end
  end
end

function ENTRY.alias(page, alias)
  page:wrap(alias.name .. (alias.type ~= "" and " = " .. alias.type or ""), "", "  ")
  page:line ""
  page:paragraphs(alias.text)
  for _, choice in ipairs(alias.choices) do page:wrap(choice.value .. "  " .. choice.text, "  ", "      ") end
end

-- ---- Questions -------------------------------------------------------------------------------------

-- What nas has, in groups; what is in none of them comes last.
local GROUPS = {
  { "data, networks and training", "data", "nn", "train", "load", "interrupted", "tensor" },
  { "searches", "space", "study", "agents", "policy", "reward", "watch", "open" },
  { "looking at things", "show", "plot", "help" },
  { "optimisers and schedules of the rate", "adam", "adamw", "sgd", "rmsprop", "schedule" },
  { "comparing and checking", "compare", "statistics", "exact", "audit", "testing", "random" },
}

-- "nas.nn", "Layers.", by the names in nas.
local function names_of_nas()
  local class, told = stubs.all().classes.luanas, {}
  for _, field in ipairs(class.fields) do told[field.name] = field.text end
  for _, each in ipairs(class.functions) do told[each.short] = entries.summary(each) end
  for name, text in pairs(told) do -- what a module says at its top, where nas says nothing
    local module = text == "" and stubs.all().classes["luanas." .. name]
    if module then told[name] = entries.summary(module) end
  end
  told.version = nil
  return told
end

-- What there is, for those who come first.
local function overview(page)
  local told, others = names_of_nas(), { "others" }
  page:paragraphs(entries.text(stubs.all().classes.luanas):match "^[^\n]*")
  page:wrap "Begin with examples/five_minutes.md, which goes through data, a network and a search by typing."
  page:wrap("a name, such as conv2d, \"study\" or \"study:run\"", '  help "name"   ', (" "):rep(16))
  page:wrap("a function, a module, or any object", "  help(value)   ", (" "):rep(16))
  page:line ""
  local is_grouped = {}
  for _, group in ipairs(GROUPS) do
    for _, name in ipairs(group) do is_grouped[name] = true end
  end
  for _, name in ipairs(check.sorted_keys(told)) do
    if not is_grouped[name] then others[#others + 1] = name end
  end
  local groups = table.move(GROUPS, 1, #GROUPS, 1, {})
  groups[#groups + 1] = others
  for _, group in ipairs(groups) do
    local list = {}
    for k = 2, #group do
      local name = group[k]
      if told[name] then list[#list + 1] = { "nas." .. name, told[name] } end
    end
    page:index(group[1], list)
  end
end

local function of_name(page, name)
  local found, fields = entries.named(name), entries.fields_named(name)
  if #found == 1 then
    ENTRY[found[1].kind](page, found[1])
  elseif #found > 1 then
    page:index(('"%s" may be:'):format(name), index_of(found))
  elseif #fields > 0 then
    for _, each in ipairs(fields) do page:members(each[1].name, { each[2] }) end
  else
    local near, telling = entries.nearest(name), entries.mentioning(name)
    local shown = #near > 0 and "there are " .. table.concat(near, ", ")
      or #telling > 0 and "it is in the help of " .. table.concat(telling, ", ") or "help() lists what there is"
    page:wrap(("there is no help for %s; %s"):format(check.show(name), shown), "", "  ")
  end
end

local function of_value(page, value)
  local entry = entries.of(value)
  if entry then return ENTRY[entry.kind](page, entry) end
  local shown, meta = check.show(value):gsub("^a ", "this "), debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  if type(value) == "function" then
    local info = debug.getinfo(value, "S")
    shown = shown .. (info.what == "C" and ", which is written in C"
      or (", from %s:%d"):format(info.short_src, info.linedefined))
  end
  if type(name) == "string" then shown = name end
  page:wrap(("there is no help for %s; help() lists what there is"):format(shown), "", "  ")
end

-- `count` arguments of help: none, or the subject.
local function text_of(columns, count, subject)
  local page = new_page(columns)
  if count == 0 then
    overview(page)
  elseif type(subject) == "string" then
    of_name(page, subject)
  else
    of_value(page, subject)
  end
  return page:text()
end

--- The help for a name or a value, without an argument for all; options: { width = 80 }.
function help.text(...)
  local subject, options = ...
  options = check.options("help", options, { "width" })
  local width = check.integer("help", "width", options.width or layout.WIDTH, layout.NARROWEST)
  return text_of(width, select("#", ...), subject)
end

-- help(...): prints it.
local function print_help(_, ...)
  io.stdout:write(text_of(math.min(layout.columns "output", WIDEST), select("#", ...), (...)), "\n")
end

return setmetatable(help, { __call = print_help })
