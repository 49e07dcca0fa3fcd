--- Pages with sessions of the prompt: in blocks ```luanas, lines that begin with "> " are typed, after which ">> " goes
--- on; the others are what was answered. All blocks of a page are one session.
---
--- usage: LUANAS_PROGRAM=... lua5.4 transcript.lua PAGE   types it all again and writes the answers into the page.
local transcript = {}

local MARK = "\1" -- is printed behind each input

-- The lines of a page as parts { text = } or { input =, answer = }, in their order.
function transcript.parts(page)
  local parts, inside = {}, false
  for line in io.lines(page) do
    local last = parts[#parts]
    if inside and line:sub(1, 2) == "> " then
      parts[#parts + 1] = { input = line:sub(3), answer = "" }
    elseif inside and line:sub(1, 3) == ">> " then
      last.input = last.input .. "\n" .. line:sub(4)
    elseif inside and line ~= "```" then
      last.answer = last.answer .. line .. "\n"
    else
      inside = line == "```luanas"
      parts[#parts + 1] = { text = line }
    end
  end
  return parts
end

--- What the program answers to the inputs of parts, in their order; or nil and all that it printed.
function transcript.run(program, parts)
  local name = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function() os.remove(name) end })
  local file <close> = assert(io.open(name, "w"))
  local count = 0
  for _, part in ipairs(parts) do
    if part.input then
      count = count + 1
      assert(file:write(part.input, "\ndo io.write '\\1' end\n"))
    end
  end
  file:close()
  local pipe = assert(io.popen(("NO_COLOR=1 COLUMNS=80 '%s' <'%s' 2>&1"):format(program, name)))
  local printed = pipe:read "a"
  pipe:close()
  local answers = {}
  for answer in printed:gmatch("([^" .. MARK .. "]*)" .. MARK) do answers[#answers + 1] = answer end
  if #answers == count then return answers end
  return nil, printed
end

--- An answer without what no other run need have the same: seconds, and the width of their columns.
function transcript.settled(answer)
  answer = answer:gsub("%f[%d.]%d+%.%d%d%f[^%d]", "#"):gsub("%f[%d.]%d+%.%d s of training", "# s of training")
  return (answer:gsub(" +", " "):gsub("(seconds[ =]+)[%d.]+", "%1#"))
end

if arg and arg[0] and arg[0]:match "transcript%.lua$" and arg[1] then
  local parts = transcript.parts(arg[1])
  local answers, printed = transcript.run(os.getenv "LUANAS_PROGRAM", parts)
  if not answers then error(printed, 0) end
  local file <close> = assert(io.open(arg[1], "w"))
  for _, part in ipairs(parts) do
    if part.input then
      local typed = part.input:gsub("\n", "\n>> ")
      assert(file:write("> ", typed, "\n", table.remove(answers, 1)))
    else
      assert(file:write(part.text, "\n"))
    end
  end
end

return transcript
