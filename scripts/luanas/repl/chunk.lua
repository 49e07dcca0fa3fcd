--- What is typed, as Lua: expressions or statements, whole or not yet, and what went wrong with them.
local chunk = {}

local load, type, traceback, concat = load, type, debug.traceback, table.concat -- a command may change any global

local NAME = "=stdin"
local NEWLINE = 10
local EXPRESSION_LINES = 20 -- at most, of an expression behind statements

-- How chunks of the package begin: "luanas/" in the program.
local OWN = debug.getinfo(1, "S").short_src:match "^(.*)repl/chunk%.lua$" or "\0"

local function is_open(message)
  return message ~= nil and message:find "<eof>$" ~= nil
end

-- An expression that comes after some lines of statements, as a function that returns its values. No tail call: the
-- text's frame must be there, for the positions in messages; and the last parenthesis is on the line of what it closes,
-- which is where Lua says that an error was, unless a comment is there.
local function compile_expression(statements, expression)
  local wrapped = statements .. "return (function(...) return ... end)(" .. expression
  return load(wrapped .. ")", NAME, "t") or load(wrapped .. "\n)", NAME, "t")
end

-- Statements whose last lines are an expression.
local function compile_both(text)
  local at = #text
  for _ = 1, EXPRESSION_LINES do
    while at > 0 and text:byte(at) ~= NEWLINE do at = at - 1 end
    if at == 0 then return nil end
    local statements, expression = text:sub(1, at), text:sub(at + 1)
    if load(statements, NAME, "t") and load("return " .. expression, NAME, "t") and expression:find "%S" then
      local both = compile_expression(statements, expression)
      if both then return both end
    end
    at = at - 1
  end
end

--- Whether a text is no beginning of a longer one. What can't be right however it goes on is whole, such as a string
--- in quotes that the end of the line cuts. Of a beginning also what an editor puts behind it: the next line begins
--- below the text, not below the prompt, so that it is seen to belong to it; except within a long string.
function chunk.is_whole(text)
  local expression, problem = load("return " .. text .. "\n", NAME, "t")
  if expression then return true end
  local statements, message = load(text .. "\n", NAME, "t")
  if statements or not is_open(problem) and not is_open(message) or compile_both(text) then return true end
  local why = is_open(problem) and problem or message
  return false, why:find ": unfinished long" and "\n" or "\n  "
end

-- Whether a message says that no statement begins like this text.
local function is_no_statement(text, message)
  local token = message:match "unexpected symbol near '(.*)'$"
  return token and text:match "^%s*(.*)":sub(1, #token) == token
end

--- The function of a text, which returns the values where that is, or ends in lines that are, an expression; nil and a
--- message where it is neither that nor statements.
function chunk.compile(text)
  local expression, problem = load("return " .. text, NAME, "t")
  if expression then return compile_expression("", text) or expression end -- one that ends in ";" has no parentheses
  local statements, message = load(text, NAME, "t")
  if statements then return statements end
  local both = compile_both(text)
  if both then return both end
  return nil, is_no_statement(text, message) and problem or message
end

-- The lines of a traceback that tell something: those down to the text, without the package's unless the package itself
-- is at fault.
local function telling(problem, trace)
  local lines, last, tells = {}, 0, false
  local keeps_own = problem:sub(1, #OWN) == OWN
  for line in trace:gmatch "\n(\t[^\n]*)" do
    if keeps_own or line:sub(2, #OWN + 1) ~= OWN then lines[#lines + 1] = line end
    if line:find "^\tstdin:%d+: in main chunk" then last = #lines end
  end
  for i = 1, last do
    local line = lines[i]:sub(2)
    local is_empty = line:find "^%[C%]" or line:find "^%(%.%.%.tail calls" or line:find "^stdin:%d+: in main chunk"
    tells = tells or not is_empty
  end
  return tells and concat(lines, "\n", 1, last) or nil
end

--- A message handler: adds a traceback to a message where there is more to tell than the line that was typed.
function chunk.explain(problem)
  if type(problem) ~= "string" then return problem end
  local told = telling(problem, traceback("", 2))
  return told and ("%s\nstack traceback:\n%s"):format(problem, told) or problem
end

return chunk
