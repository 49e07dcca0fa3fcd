-- The reference: every public function has its place, links lead somewhere, and the pages are well-formed.
local lu = require "luaunit"
local entries = require "luanas.entries"
local stubs = require "luanas.stubs"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"

local pages, folder -- texts by the names of files

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  return text, pipe:close()
end

-- Makes the site once for all tests.
local function made()
  if pages then return pages end
  lu.skipIf(not os.execute "command -v lowdown >/dev/null 2>&1", "lowdown is not installed")
  folder = output_of("mktemp -d"):match "[^\n]+"
  local command = ("'%s' '%s/reference/site.lua' '%s' '%s/site' 2>&1"):format(PROGRAM, SOURCE, SOURCE, folder)
  local text, ok = output_of(command)
  lu.assertEquals(text, folder .. "/site/index.html\n")
  lu.assertTrue(ok)
  pages = {}
  for name in output_of("ls '" .. folder .. "/site'"):gmatch "[^\n]+" do
    local file <close> = assert(io.open(folder .. "/site/" .. name))
    pages[name] = file:read "a"
  end
  os.execute(("rm -r '%s'"):format(folder))
  return pages
end

local function unescaped(text)
  return (text:gsub("&lt;", "<"):gsub("&gt;", ">"):gsub("&quot;", '"'):gsub("&amp;", "&"))
end

-- The ids of a page, which are distinct.
local function ids_of(name, text)
  local ids = {}
  for id in text:gmatch ' id="([^"]*)"' do
    lu.assertNil(ids[id], name .. " has twice " .. id)
    ids[id] = true
  end
  return ids
end

function T.test_every_function_has_an_entry()
  local places, missing = {}, {}
  for name, text in pairs(made()) do places[name] = ids_of(name, text) end
  for _, entry in ipairs(entries.list()) do
    local page = places[entry.module.name .. ".html"]
    if not (page and page[entry.name]) then missing[#missing + 1] = entry.name end
    local signature = entries.signature(entry):gsub("&", "&amp;"):gsub("<", "&lt;")
    lu.assertStrContains(made()["names.html"] .. made()["luanas.html"], signature)
  end
  lu.assertEquals(missing, {})
  lu.assertTrue(#entries.list() > 300, #entries.list())
end

function T.test_links_lead_somewhere()
  local places, broken, count = {}, {}, 0
  for name, text in pairs(made()) do places[name] = ids_of(name, text) end
  for name, text in pairs(made()) do
    for href in text:gmatch ' href="([^"]*)"' do
      local page, anchor = unescaped(href):match "^([^#]*)#?(.*)$"
      count = count + 1
      if not page:find "^https?:" then
        local ids = places[page == "" and name or page]
        if not ids or anchor ~= "" and not ids[anchor] then broken[#broken + 1] = name .. ": " .. href end
      end
    end
    for src in text:gmatch '<%a[^>]* src="([^"]*)"' do lu.assertNotNil(made()[src], src) end
  end
  table.sort(broken)
  lu.assertEquals(broken, {})
  lu.assertTrue(count > 2000, count)
end

-- Elements are closed in the order in which they were opened, and no character stands alone that means something.
local function problem_of(text)
  local open = {}
  for plain, tag in (text:gsub("^<!DOCTYPE html>\n", "") .. "<"):gmatch "([^<]*)<([^>]*)>?" do
    if plain:gsub("&#?%w+;", ""):find "[&]" then return "a character: " .. plain end
    local closing, name = tag:match "^(/?)(%w+)"
    if closing == "/" then
      local last = table.remove(open)
      if last ~= name then return ("</%s> closes <%s>"):format(name, tostring(last)) end
    elseif name and not tag:find "/$" then
      local attributes = tag:sub(#name + 1):gsub(' [%w_-]+="[^"<]*"', "")
      if attributes ~= "" then return "attributes: " .. tag end
      open[#open + 1] = name
    end
  end
  return open[1] and "still open: " .. table.concat(open, " ") or nil
end

function T.test_pages_are_well_formed()
  lu.assertEquals(problem_of "<p>a</b>", "</b> closes <p>")
  lu.assertEquals(problem_of "<p>a & b</p>", "a character: a & b")
  lu.assertEquals(problem_of "<p a=b>x</p>", "attributes: p a=b")
  lu.assertEquals(problem_of "<p>", "still open: p")
  for name, text in pairs(made()) do
    if name:find "%.html$" then lu.assertNil(problem_of(text), name) end
  end
end

function T.test_types_and_names_are_links()
  local page = made()["luanas.nn.html"]
  lu.assertStrContains(page,
    '<dt><code>options</code> <code><a href="luanas.nn.html#luanas.nn.Conv2d">luanas.nn.Conv2d</a></code></dt>')
  lu.assertStrContains(page, 'is <a href="luanas.nn.html#luanas.nn.mean_squared_error">nn.mean_squared_error</a>')
  lu.assertStrContains(made()["luanas.html"], '<a href="luanas.study.html#luanas.Study.run">study:run</a>')
end

function T.test_pages_of_the_project()
  local page = made()["readme.html"]
  lu.assertStrContains(page, '<h2 id="two-commands">Two commands</h2>')
  lu.assertStrContains(page, '<a href="core-numbers.html">How</a>')
  lu.assertStrContains(page, "<table>")
  lu.assertStrContains(made()["index.html"], '<a href="scripts-luanas-agents-readme.html">Agents</a>')
  lu.assertStrContains(made()["examples-reinforce.lua.html"], "<h1>examples/reinforce.lua</h1>\n<pre><code>")
  lu.assertStrContains(made()["scripts-luanas-agents-readme.html"], '<a href="readme.html#agents">README</a>')
end

function T.test_there_is_a_page_for_each_stub()
  for _, module in ipairs(stubs.all().modules) do lu.assertNotNil(made()[module.name .. ".html"], module.name) end
end

function T.test_wrong_usage()
  local text, ok = output_of(("'%s' '%s/reference/site.lua' 2>&1"):format(PROGRAM, SOURCE))
  lu.assertEquals(text, "usage: luanas reference/site.lua REPOSITORY FOLDER\n")
  lu.assertNil(ok)
end

return T
