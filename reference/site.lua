-- Writes the reference, pages that open from the disk: usage: luanas reference/site.lua REPOSITORY FOLDER
local source, folder = arg[1], arg[2]
if not folder then
  io.stderr:write "usage: luanas reference/site.lua REPOSITORY FOLDER\n"
  os.exit(2)
end
package.path = source .. "/reference/?.lua;" .. package.path

local guides = require "guides"
local html = require "html"
local modules = require "modules"
local stubs = require "luanas.stubs"

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
  assert(file:write(text))
end

local function copy(from, name)
  local file <close> = assert(io.open(from))
  write(name, file:read "a")
end

local all = stubs.all()
local places = modules.places(all)
local pages, pictures = guides.pages(source)

local contents, texts, names = {}, {}, {}
for i, module in ipairs(all.modules) do
  contents[i] = { href = modules.file_of(module), text = module.name, note = modules.summary(module, places) }
  for _, each in ipairs(modules.contents(module, places)) do names[#names + 1] = each end
end
for _, page in ipairs(pages) do
  if not page.is_source then texts[#texts + 1] = { href = page.name, text = page.title } end
end
table.sort(names, function(a, b)
  if a.text:lower() ~= b.text:lower() then return a.text:lower() < b.text:lower() end
  return a.href < b.href
end)

local function without_notes(list)
  local own = {}
  for i, each in ipairs(list) do own[i] = { href = each.href, text = each.text } end
  return html.links(own)
end

local navigation = table.concat({
  html.element("p", "", html.link("index.html", "LuaNAS")),
  html.links { { href = "names.html", text = "All names" } },
  html.element("p", "", "Modules"), without_notes(contents), html.element("p", "", "Pages"), without_notes(texts),
}, "\n")

local function write_page(name, title, body)
  write(name, html.page(title .. " - LuaNAS", navigation, body))
end

local index = table.concat({
  html.element("h1", "", "LuaNAS: reference"),
  html.element("p", "", "Neural architecture search by reinforcement learning. Scripts begin with "
    .. "<code>local nas = require &quot;luanas&quot;</code>; at the prompt, <code>help()</code> tells the same."),
  html.element("h2", "", "Modules"), html.links(contents), html.element("h2", "", "Pages"), html.links(texts),
}, "\n")

os.execute(("mkdir -p '%s'"):format(folder:gsub("'", "'\\''")))
copy(source .. "/reference/style.css", "style.css")
write_page("index.html", "Reference", index)
write_page("names.html", "All names", html.element("h1", "", "All names") .. html.links(names))
for _, module in ipairs(all.modules) do
  write_page(modules.file_of(module), module.name, modules.page(module, places))
end
for name, bytes in pairs(pictures) do write(name, bytes) end
for _, page in ipairs(pages) do write_page(page.name, page.title, page.body) end
print(folder .. "/index.html")
