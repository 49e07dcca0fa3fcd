--- Names that there are not: what is most like them, and errors where a nil would help nobody.
local check = require "luanas.check"

local names = {}

local MOST = 5 -- similar names

--- How many letters must change to make a into b (Levenshtein 1966).
function names.distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

--- How many letters of a name may be wrong.
function names.tolerance(name)
  return math.max(1, (#name + 1) // 3)
end

--- Those of a list that are most like a name, the most alike first. What begins with the name is alike, too.
function names.similar(name, list)
  local found, far = {}, {}
  local wanted = name:lower()
  for _, each in ipairs(list) do
    local own = each:lower()
    far[each] = own:sub(1, #wanted) == wanted and 0.5 or names.distance(wanted, own)
    if far[each] <= names.tolerance(name) and far[each] < #name then found[#found + 1] = each end
  end
  table.sort(found, function(a, b)
    if far[a] ~= far[b] then return far[a] < far[b] end
    return a < b
  end)
  return table.move(found, 1, math.min(MOST, #found), 1, {})
end

--- The names that a table has for scripts, sorted.
function names.of(own)
  local list = {}
  for name, value in next, own do
    if type(name) == "string" and name:sub(1, 1) ~= "_" and value then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

--- Raises an error for a name that `owner` does not have among those of a list, but `elsewhere`, if that is given; but
--- nil for what is no name, and for names with "_", which other packages look for in anything.
function names.missing(owner, name, list, elsewhere)
  if type(name) ~= "string" or name:sub(1, 1) == "_" then return nil end
  local similar = names.similar(name, list)
  local hint = "there are " .. table.concat(list, ", ")
  if elsewhere then
    hint = "there is " .. elsewhere
  elseif #similar > 0 then
    hint = "similar: " .. table.concat(similar, ", ")
  end
  check.fail("%s: there is no %s; %s", owner, check.show(name), hint)
end

--- Has names that a table does not have be errors, unless it has an __index of its own. rawget still gives nil.
function names.guard(owner, own)
  local meta = getmetatable(own) or {}
  if meta.__index == nil then
    meta.__index = function(_, name) return names.missing(owner, name, names.of(own)) end
  end
  return setmetatable(own, meta)
end

return names
