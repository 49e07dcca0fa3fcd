--- Decisions drawn from a stream, each option of a decision with the same probability.
local core = require "luanas.core"
local chooser = require "luanas.chooser"

return function(stream)
  return chooser.new(function(decision)
    local count = decision.options.count
    return stream:integer(count), -core.math.log(count)
  end)
end
