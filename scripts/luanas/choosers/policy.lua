--- Decisions sampled from a policy of the core, with their log-probabilities: an answer for chooser.new.
local check = require "luanas.check"

return function(core_policy, stream)
  core_policy:begin()
  local choose = core_policy.choose
  return function(decision)
    local list = decision.options
    return check.core(choose, core_policy, decision.name, list.key, list.count, stream)
  end
end
