-- Writes the package's scripts and stubs as C source, for the program. usage: embed.lua OUTPUT INPUT...
local output = assert(io.open(arg[1], "w"))

-- "a/scripts/luanas/store/file.lua" -> "luanas.store.file", "luanas/store/file.lua"
local function names(path)
  local file = path:match("^.*scripts/(.*)$") or error(path .. ": expected a file in a folder scripts")
  return file:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."), file
end

local escapes = { ["\n"] = "\\n", ['"'] = '\\"', ["\\"] = "\\\\", ["?"] = "\\?" }

local function literal(line)
  return '"' .. line:gsub('[%c\128-\255"\\?]', function(c)
    return escapes[c] or ("\\%03o"):format(c:byte())
  end) .. '"'
end

-- A table of files under their names.
local function write_table(variable, files)
  output:write(("\nconst nas_embedded %s[] = {\n"):format(variable))
  for _, each in ipairs(files) do
    local file = assert(io.open(each.path, "rb"))
    local text = file:read("a")
    file:close()
    output:write(("  {\"%s\", \"@%s\", %d,\n"):format(each.name, each.chunk, #text))
    if text == "" then output:write('   ""') end
    for line in text:gmatch("[^\n]*\n?") do
      if line ~= "" then output:write("   ", literal(line), "\n") end
    end
    output:write("  },\n")
  end
  output:write("  {0, 0, 0, 0},\n};\n")
end

local scripts, stubs = {}, {}
for i = 2, #arg do
  local module, file = names(arg[i])
  local stub = file:match("^luanas/meta/(.*)%.lua$")
  table.insert(stub and stubs or scripts, { path = arg[i], name = stub or module, chunk = file })
end
output:write('#include "embedded.h"\n')
write_table("nas_embedded_scripts", scripts)
write_table("nas_embedded_stubs", stubs)
assert(output:close())
