--- Decisions sampled from a policy of the core, with their log-probabilities.
local check = require "luanas.check"
local chooser = require "luanas.chooser"

return function(core_policy, stream)
  core_policy:begin()
  return chooser.new(function(decision)
    local list = decision.options
    return check.core(core_policy.choose, core_policy, decision.name, list.key, list.count, stream)
  end)
end
