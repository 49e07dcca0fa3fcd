--- Decisions sampled from a policy of the core, with their log-probabilities: an answer for chooser.new.
local check = require "luanas.check"

-- An anchor is asked for with its candidates, as one step, whose log-probability is that of all its connections; the
-- questions for these, which come next, are answered by what was sampled then.
return function(core_policy, stream)
  core_policy:begin()
  local choose, anchor = core_policy.choose, core_policy.anchor
  local steps, of_anchor, links, next_link = 0, {}, {}, 1
  return function(decision)
    local list = decision.options
    if next_link <= #links then
      next_link = next_link + 1
      return links[next_link - 1] and 2 or 1, 0.0
    end
    steps = steps + 1
    if not decision.candidates then
      return check.core(choose, core_policy, decision.name, list.key, list.count, stream)
    end
    local candidates = {}
    for k, number in ipairs(decision.candidates) do candidates[k] = of_anchor[number] end
    of_anchor[#of_anchor + 1] = steps
    local log_prob
    links, log_prob = check.core(anchor, core_policy, decision.name, candidates, stream)
    next_link = 1
    return 1, log_prob
  end
end
