-- Writes the package's scripts as C source, for the program. usage: embed.lua OUTPUT INPUT...
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

output:write('#include "embedded.h"\n\nconst nas_embedded nas_embedded_scripts[] = {\n')
for i = 2, #arg do
  local module, file = names(arg[i])
  local script = assert(io.open(arg[i], "rb"))
  local text = script:read("a")
  script:close()
  output:write(("  {\"%s\", \"@%s\", %d,\n"):format(module, file, #text))
  if text == "" then output:write('   ""') end
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then output:write("   ", literal(line), "\n") end
  end
  output:write("  },\n")
end
output:write("  {0, 0, 0, 0},\n};\n")
assert(output:close())
