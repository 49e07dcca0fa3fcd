-- Every Lua snippet of the documentation runs. The snippets of one page are one script, in a folder of its own; to be
-- quick, Fashion-MNIST is cut to a few images and loops over 100 trials to three.
local lu = require "luaunit"
local transcript = require "transcript"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"

local PRELUDE = [[
do
  local data = require "luanas".data
  local whole = data.fashion_mnist
  data.fashion_mnist = function() return whole { limit = 250 } end
end]]

local function snippets(page)
  local lines, inside = { PRELUDE }, false
  for line in io.lines(SOURCE .. "/" .. page) do
    if line:match "^```" then
      inside = line == "```lua"
    elseif inside then
      lines[#lines + 1] = line
    end
  end
  lu.assertTrue(#lines > 1, page .. " has no snippet")
  return (table.concat(lines, "\n"):gsub("1, 100 do", "1, 3 do"))
end

local function check(page)
  local pipe = assert(io.popen "mktemp -d")
  local folder = pipe:read "l"
  pipe:close()
  local file <close> = assert(io.open(folder .. "/page.lua", "w"))
  file:write(snippets(page))
  file:close()
  pipe = assert(io.popen(("cd '%s' && '%s' page.lua 2>&1"):format(folder, PROGRAM)))
  local output = pipe:read "a"
  local ok = pipe:close()
  os.execute(("rm -r '%s'"):format(folder))
  lu.skipIf(output:find("Fashion-MNIST .* was not found", 1) ~= nil, "Fashion-MNIST is not installed")
  lu.assertTrue(ok, output)
end

function T.test_readme()
  check "README.md"
end

function T.test_tensors()
  check "scripts/luanas/TENSORS.md"
end

function T.test_agents()
  check "scripts/luanas/agents/README.md"
end

function T.test_paper_cnn()
  check "examples/paper_cnn.md"
end

-- What the tutorial says that the prompt answers, it does.
function T.test_five_minutes()
  local parts = transcript.parts(SOURCE .. "/examples/five_minutes.md")
  local answers, printed = transcript.run(PROGRAM, parts)
  lu.skipIf((printed or answers[2]):find "Fashion%-MNIST .* was not found" ~= nil, "Fashion-MNIST is not installed")
  lu.assertNotNil(answers, printed)
  local count = 0
  for _, part in ipairs(parts) do
    if part.input then
      count = count + 1
      lu.assertEquals(transcript.settled(answers[count]), transcript.settled(part.answer), part.input)
    end
  end
  lu.assertTrue(count > 20, count)
end

-- The page about layers shows the code of an example that is compiled.
function T.test_layers_shows_what_is_compiled()
  local example <close> = assert(io.open(SOURCE .. "/examples/swish.c"))
  local page <close> = assert(io.open(SOURCE .. "/core/nn/LAYERS.md"))
  local code, shown = example:read "a", 0
  for block in page:read "a":gmatch "```c\n(.-)```" do
    lu.assertTrue(code:find(block, 1, true) ~= nil, "not in examples/swish.c:\n" .. block)
    shown = shown + #block
  end
  lu.assertTrue(shown > 0.8 * #code, "much of examples/swish.c is not on the page")
end

return T
