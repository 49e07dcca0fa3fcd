--- Which script is run: a run keeps its text.
local script = {}

local own = debug.getinfo(1, "S").source:match("^(.*)script") or "\0" -- as all files of the package begin

-- The file of the outermost function that is a script's.
local function path()
  local found
  for level = 2, math.huge do
    local info = debug.getinfo(level, "S")
    if not info then return found end
    local name = info.what ~= "C" and info.source:sub(1, #own) ~= own and info.source:match("^@(.*)")
    found = name or found
  end
end

local function content(name)
  local file = name and io.open(name, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

--- { path =, text =, arguments = those of the command line }; nil where there is none.
function script.running()
  local name, words = path(), {}
  for i, word in ipairs(type(arg) == "table" and arg or {}) do words[i] = tostring(word) end
  return { path = name, text = content(name), arguments = #words > 0 and table.concat(words, " ") or nil }
end

--- What a user does where a search was ended: at the prompt the study that is there has done its trials, and a new one
--- follows them. `running`: as above, nil: now.
function script.again(running)
  local is_script = (running or script.running()).path
  return (is_script and "run the script again" or "make study and agent anew") .. " to go on"
end

--- Who wrote trial `number` of a run (nil: the last one): { body = the script's text or nil, arguments = or nil }.
function script.writer(store, run, number)
  return store:row([[
    SELECT body, arguments FROM (
      SELECT first, script, arguments FROM run WHERE id = ?1
      UNION ALL SELECT first, script, arguments FROM continuation WHERE run = ?1 AND first <= ?2
      ORDER BY first DESC LIMIT 1) LEFT JOIN text ON text.id = script]], run, number or math.maxinteger)
end

return script
