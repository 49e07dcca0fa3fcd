--- The whole space, one architecture after the other, the last decision turning fastest: for spaces that are small
--- enough.
local agents = require "luanas.agents"
local check = require "luanas.check"
local nas = require "luanas"

local Enumerate = { __name = "luanas.agents.enumerate", name = "enumerate", ends = true, seedless = true }
Enumerate.__index = Enumerate

function Enumerate:propose(space)
  if not self.next then
    nas.space.check_size("enumerate", space, self.options.limit)
    self.next = nas.space.enumerate(space)
  end
  local archs = {}
  while #archs < self.options.batch do
    local arch = self.next()
    if not arch then break end
    archs[#archs + 1] = arch
  end
  return archs
end

--- nas.agents.enumerate { ... }
return function(given)
  local owner = "enumerate"
  local options = agents.options(owner, given, {
    seed = 1,  -- which changes nothing: there is no chance in it
    batch = 1, -- architectures that are proposed at once, and may be trained side by side
    limit = 100000, -- a larger space is refused
  })
  check.integer(owner, "limit", options.limit, 1)
  return setmetatable({ options = options }, Enumerate)
end
