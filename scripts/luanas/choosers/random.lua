--- Decisions drawn from a stream, each option of a decision with the same probability: an answer for chooser.new.
local core = require "luanas.core"

local log = core.math.log

return function(stream)
  return function(decision)
    local count = decision.options.count
    return stream:integer(count), -log(count)
  end
end
