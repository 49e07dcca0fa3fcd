--- Pages of the project that are written in Markdown, by lowdown; and the sources that they speak of, as they are.
local html = require "html"

local guides = {}

local ROOTS = { "README.md" } -- all pages that these lead to are taken, and those of the examples

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a" -- nil of a folder
  if file then file:close() end
  return text
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  if not pipe:close() then error("failed: " .. command, 0) end
  return text
end

-- "core/nn/../README.md" -> "core/README.md"
local function normal(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      table.remove(parts)
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

-- The name of the page of a file of the repository; that of a stub is in the reference.
local function page_name(path)
  local stub = path:match "^scripts/luanas/meta/(.*)%.lua$"
  if stub then return stub == "init" and "luanas.html" or ("luanas.%s.html"):format(stub) end
  return path:gsub("%.md$", ""):gsub("/", "-"):lower() .. ".html"
end

--- Makes what can be reached from the roots: a list of { name = file of the page, title =, body =, is_source = }, and
--- the pictures on them by the names of files.
function guides.pages(source)
  local pages, known, waiting, pictures = {}, {}, {}, {}
  -- The page of a file that is there, which will be made.
  local function wanted(path)
    if known[path] == nil then
      known[path] = read(source .. "/" .. path) ~= nil
      if known[path] and not path:find "^scripts/luanas/meta/" then waiting[#waiting + 1] = path end
    end
    return known[path] and page_name(path)
  end

  local function rewritten(body, folder)
    body = body:gsub('<img src="([^"]*)"', function(src)
      local path = normal(folder .. src)
      local name = path:gsub("/", "-")
      pictures[name] = read(source .. "/" .. path)
      return ('<img src="%s"'):format(name)
    end)
    return (body:gsub('<a href="([^"]*)">(.-)</a>', function(href, inner)
      if href:find "^%a+:" or href:find "^#" then return nil end
      local path, anchor = href:match "^([^#]*)(.*)$"
      local page = wanted(normal(folder .. path))
      return page and html.link(page .. anchor, inner) or inner
    end))
  end

  local function make(path)
    if not path:find "%.md$" then
      local text = read(source .. "/" .. path)
      return {
        name = page_name(path), title = path, is_source = true,
        body = html.element("h1", "", html.escape(path)) .. "\n<pre><code>" .. html.escape(text) .. "</code></pre>",
      }
    end
    local body = output_of("lowdown -Thtml --out-no-smarty " .. quoted(source .. "/" .. path))
    local title = body:match "<h1[^>]*>(.-)</h1>" or path
    title = path == "README.md" and "Introduction" or title:gsub("<[^>]*>", "")
    return { name = page_name(path), title = title, body = rewritten(body, path:match "^.*/" or "") }
  end

  for _, path in ipairs(ROOTS) do wanted(path) end
  for path in output_of("cd " .. quoted(source) .. " && ls examples/*.md 2>/dev/null || true"):gmatch "[^\n]+" do
    wanted(path)
  end
  local i = 0
  while i < #waiting do
    i = i + 1
    pages[i] = make(waiting[i])
  end
  return pages, pictures
end

return guides
