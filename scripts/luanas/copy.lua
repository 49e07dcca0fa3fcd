--- Copies of what users may change afterwards.
local core = require "luanas.core"

local copy = {}

-- `made`: copies by what they are of; what refers to itself ends there.
local function deep(value, made)
  if type(value) ~= "table" or getmetatable(value) ~= nil then return value end
  if not made[value] then
    made[value] = {}
    for key, each in pairs(value) do made[value][key] = deep(each, made) end
  end
  return made[value]
end

--- Of a table and the tables in it; what has a metatable is shared.
function copy.deep(value)
  return deep(value, {})
end

--- A policy that does what this one would do next, and leaves this one as it is.
function copy.policy(policy)
  local own = {}
  for name, value in pairs(policy) do own[name] = copy.deep(value) end
  if type(policy.core) == "userdata" then own.core = assert(core.policy_decode(policy.core:bytes())) end
  return setmetatable(own, debug.getmetatable(policy))
end

return copy
