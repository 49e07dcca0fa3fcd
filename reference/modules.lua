--- Pages of the reference: one for each stub, from what luanas.stubs reads of it.
local entries = require "luanas.entries"
local html = require "html"
local stubs = require "luanas.stubs"

local modules = {}

local element, escape = html.element, html.escape

-- ---- Places ----------------------------------------------------------------------------------------

function modules.file_of(module)
  return module.name .. ".html"
end

local function href_of(entry)
  return modules.file_of(entry.module) .. "#" .. entry.name
end

--- From the names by which texts speak of entries to their places: "luanas.Trial", "nas.nn.conv2d", "study:run",
--- "Study:run".
function modules.places(all)
  local places = {}
  local function add(name, entry) places[name] = places[name] or href_of(entry) end
  for _, module in ipairs(all.modules) do
    for _, item in ipairs(module.items) do
      if item.kind == "function" then
        add(item.name, item)
        add(entries.title(item), item)
        add(entries.title(item):gsub("^nas%.(.*%.)", "%1"), item) -- nn.dense
        if item.is_method then add(item.class.name:match "[^.]+$" .. ":" .. item.short, item) end
      elseif item.kind == "class" or item.kind == "alias" then
        add(item.name, item)
        add(entries.title(item), item)
      end
    end
  end
  return places
end

-- ---- Texts -----------------------------------------------------------------------------------------

-- Names in a text, which is escaped already, as links to their places.
local function linked(text, places)
  return (text:gsub("[%a_][%w_.:]*[%w_]", function(name)
    local place = (name:find "[.:]" or name == "luanas") and places[name]
    return place and html.link(place, name) or nil
  end))
end

-- The code spans of a text, and links.
local function inline(text, places)
  local parts = {}
  for plain, code in (text .. "``"):gmatch "([^`]*)`([^`]*)`" do
    parts[#parts + 1] = linked(escape(plain), places)
    if code ~= "" then parts[#parts + 1] = element("code", "", linked(escape(code), places)) end
  end
  return table.concat(parts)
end

local function paragraphs(text, places)
  local parts = {}
  local indented = {}
  local function flush()
    if #indented > 0 then parts[#parts + 1] = element("pre", "", escape(table.concat(indented, "\n"))) end
    indented = {}
  end
  for paragraph in (text .. "\n"):gmatch "([^\n]+)\n" do
    if stubs.is_indented(paragraph) then
      indented[#indented + 1] = paragraph
    else
      flush()
      parts[#parts + 1] = element("p", "", inline(paragraph, places))
    end
  end
  flush()
  return table.concat(parts, "\n")
end

local function type_html(kind, places)
  return element("code", "", linked(escape(kind), places))
end

-- Parameters, results or fields under a title.
local function members(title, list, places)
  if #list == 0 then return "" end
  local lines = { element("h4", "", title), "<dl>" }
  for _, each in ipairs(list) do
    local name = each.name and element("code", "", escape(each.name .. (each.optional and "?" or ""))) .. " " or ""
    lines[#lines + 1] = element("dt", "", name .. type_html(each.type, places))
    if each.text and each.text ~= "" then lines[#lines + 1] = element("dd", "", inline(each.text, places)) end
  end
  lines[#lines + 1] = "</dl>"
  return table.concat(lines, "\n")
end

-- ---- Entries ---------------------------------------------------------------------------------------

local function head(entry, title)
  return element("h3", (' id="%s"'):format(escape(entry.name)), element("code", "", escape(title)))
end

-- The class that is the module itself.
local function own_class(module)
  for _, item in ipairs(module.items) do
    if item.kind == "class" and item.name == module.name then return item end
  end
  return nil
end

local MAKE = {}

MAKE["function"] = function(described, places)
  return table.concat({
    head(described, entries.signature(described)), paragraphs(described.text, places),
    members("Parameters", described.parameters, places), members("Results", described.returns, places),
  }, "\n")
end

-- All of a class but its name.
local function class_body(class, places)
  local parts, title = {}, entries.title(class)
  if #class.parents > 0 then
    local parents = {}
    for i, parent in ipairs(class.parents) do parents[i] = type_html(parent, places) end
    parts[#parts + 1] = element("p", "", "Is also a " .. table.concat(parents, ", ") .. ".")
  end
  for _, overload in ipairs(class.overloads) do
    parts[#parts + 1] = element("p", "", type_html(title .. overload:gsub("^fun", ""), places))
  end
  parts[#parts + 1] = paragraphs(class.text, places)
  if #class.operators > 0 then
    parts[#parts + 1] = element("h4", "", "Operators") .. "\n<ul>"
    for _, operator in ipairs(class.operators) do
      parts[#parts + 1] = element("li", "", type_html(operator, places))
    end
    parts[#parts + 1] = "</ul>"
  end
  parts[#parts + 1] = members("Fields", class.fields, places)
  return table.concat(parts, "\n")
end

function MAKE.class(class, places)
  return head(class, entries.title(class)) .. "\n" .. class_body(class, places)
end

function MAKE.alias(alias, places)
  local parts = { head(alias, alias.name), paragraphs(alias.text, places) }
  if alias.type ~= "" then parts[#parts + 1] = element("p", "", type_html(alias.type, places)) end
  if #alias.choices > 0 then
    local list = {}
    for i, choice in ipairs(alias.choices) do list[i] = { type = choice.value, text = choice.text } end
    parts[#parts + 1] = members("One of", list, places)
  end
  return table.concat(parts, "\n")
end

function MAKE.section(section, places)
  return element("h2", "", escape(section.title)) .. "\n" .. paragraphs(section.text, places)
end

function MAKE.more(again, places)
  return element("p", "", "More of " .. type_html(again.name, places) .. ":")
end

-- ---- Pages -----------------------------------------------------------------------------------------

--- What a module is, in a sentence, as HTML.
function modules.summary(module, places)
  local own = own_class(module)
  local text = own and own.text ~= "" and own.text or module.text
  return inline(stubs.first_sentence(text), places)
end

--- The functions, classes and aliases of a module, as links.
function modules.contents(module, places)
  local list = {}
  for _, item in ipairs(module.items) do
    if (item.kind == "function" or item.kind == "class" or item.kind == "alias") and item.name ~= module.name then
      list[#list + 1] = {
        href = href_of(item), text = entries.signature(item), note = inline(entries.summary(item), places),
      }
    end
  end
  return list
end

--- The body of a module's page.
function modules.page(module, places)
  local own = own_class(module)
  local parts = {
    element("h1", (' id="%s"'):format(escape(module.name)), escape(own and entries.title(own) or module.name)),
    paragraphs(module.text, places), own and class_body(own, places) or "",
    html.links(modules.contents(module, places)),
  }
  for _, item in ipairs(module.items) do
    if item ~= own then parts[#parts + 1] = MAKE[item.kind](item, places) end
  end
  return table.concat(parts, "\n")
end

return modules
