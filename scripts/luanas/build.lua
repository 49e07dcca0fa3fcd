--- Runs a space function once, with a chooser that answers its questions.
local core = require "luanas.core"
local arch = require "luanas.arch"
local check = require "luanas.check"
local chooser = require "luanas.chooser"
local node = require "luanas.node"
local recipe = require "luanas.recipe"

local build = {}

-- Checks the second value that a space may return; the overrides of the recipe, or nil.
local function check_extras(extras)
  if extras == nil then return nil end
  check.options("space: second return value", extras, { "train" })
  if extras.train ~= nil then recipe.check("space: train", extras.train) end
  return extras.train
end

-- The canonical network, or nil and why there is none.
local function network_of(output)
  if node.is_unbuildable(output) then return nil, output.reason end
  return core.network(output)
end

--- Returns { arch =, output = node, network = canonical form, train = overrides or nil }; for a network
--- that can't be built, output and network are nil and arch.unbuildable is the reason. is_scheduled: after the same
--- decisions another sample may be asked for others.
function build.run(space, c)
  if type(space) ~= "function" then
    check.fail("space is %s; expected a function(c) that returns a network", check.show(space))
  end
  local output, extras
  do
    local _ <close> = node.enter_space()
    output, extras = check.run(space, c)
  end
  chooser.close(c)
  if not node.is(output) then
    check.fail("the space returned %s; expected a network (what nn.dense, nn.global_avg_pool, ... return)",
      check.show(output))
  end
  local network, reason = network_of(output)
  local fields = { network = network and network:hash(), unbuildable = reason }
  return {
    arch = arch.new(c.decisions, fields),
    output = network and output,
    network = network,
    train = check_extras(extras),
    is_scheduled = c.is_scheduled,
  }
end

return build
