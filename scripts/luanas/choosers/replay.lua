--- The decisions of a recorded architecture. The space must ask for exactly those.
local check = require "luanas.check"
local chooser = require "luanas.chooser"

local function question(decision)
  return ("%s (occurrence %d) of {%s}"):format(decision.name, decision.occurrence, decision.options.key)
end

return function(arch)
  local recorded = arch.decisions
  local function answer(asked, position)
    local record = recorded[position]
    if not record then
      check.fail("decision %d: the space asks for %s; recorded were %d decisions only", position, question(asked),
        #recorded)
    end
    if asked.name ~= record.name or asked.options.key ~= record.options.key then
      check.fail("decision %d: the space asks for %s; recorded was %s", position, question(asked), question(record))
    end
    return record.chosen, record.log_prob
  end
  local function finish(count)
    if count < #recorded then
      check.fail("the space asks for %d decisions; recorded were %d, and decision %d was %s", count, #recorded,
        count + 1, question(recorded[count + 1]))
    end
  end
  local function option(position)
    local record = recorded[position]
    if record and record.options.count == 1 then return record.options.options[1] end
    return nil
  end
  return chooser.new(answer, { finish = finish, recorded = option })
end
