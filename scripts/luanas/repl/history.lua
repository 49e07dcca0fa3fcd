--- The file that keeps what was typed, from session to session. One text in a line: a newline is written as "\n", a
--- backslash as "\\". Sessions at the same time append to the same file.
local history = {}

local ENTRIES = 1000         -- that a session gets
local FILE_ENTRIES = 2000    -- with more the file is cut to ENTRIES
local READ_BYTES = 1 << 20   -- of a file that is larger, the end: reading it takes some milliseconds
local ENTRY_BYTES = 64 << 10 -- longer texts are not kept

local History = {}
History.__index = History

local function encoded(text)
  return (text:gsub("[\\\n]", { ["\\"] = "\\\\", ["\n"] = "\\n" })) .. "\n"
end

local function decoded(line)
  if not line:find("\\", 1, true) then return line end
  return (line:gsub("\\(.)", { ["\\"] = "\\", n = "\n" }))
end

--- Where the history is; nil where none is wanted; nil and why where there is no place for one.
function history.path()
  local own, state, home = os.getenv "LUANAS_HISTORY", os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if own then return own ~= "" and own or nil end
  if state and state:sub(1, 1) == "/" then return state .. "/luanas/history" end
  if home and home ~= "" then return home .. "/.local/state/luanas/history" end
  return nil, "neither HOME nor XDG_STATE_HOME is set"
end

-- The last lines of a file; none where it can't be read.
local function read_lines(path)
  local lines = {}
  local file = io.open(path, "rb")
  local size = file and file:seek "end"
  if not size then return lines end
  if size > READ_BYTES then
    file:seek("set", size - READ_BYTES)
    file:read "L" -- the rest of one
  else
    file:seek "set"
  end
  for line in (file:read "a" or ""):gmatch "([^\n]+)\n" do lines[#lines + 1] = line end
  file:close()
  return lines, size > READ_BYTES
end

-- Puts the last lines in the place of the file; where that fails, it stays as it was.
local function cut(append, path, lines)
  local new = path .. ".new"
  os.remove(new)
  local last = table.concat(lines, "\n", math.max(1, #lines - ENTRIES + 1))
  if not append(new, last .. "\n") or not os.rename(new, path) then os.remove(new) end
end

--- The history, the texts that it has, the oldest first, and why no other can be kept, if so. `append(path, text)`
--- writes.
function history.open(append)
  local path, problem = history.path()
  local entries = {}
  local self = setmetatable({ append = append, path = path }, History)
  if not path then return self, entries, problem end
  local lines, is_large = read_lines(path)
  for i = math.max(1, #lines - ENTRIES + 1), #lines do entries[#entries + 1] = decoded(lines[i]) end
  self.last = entries[#entries]
  if is_large or #lines > FILE_ENTRIES then cut(append, path, lines) end
  return self, entries
end

--- Keeps a text, unless it is the last one again. Returns true; or, the first time only, false and why it can't.
function History:add(text)
  if not self.path or text == self.last or #text > ENTRY_BYTES then return true end
  self.last = text
  local ok, problem = self.append(self.path, encoded(text))
  if ok then return true end
  self.path = nil
  return false, problem
end

return history
