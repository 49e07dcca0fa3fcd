--- Walks a whole space, in the order of an odometer: the last decision turns fastest, and options come
--- in the order of their list. A branch is walked where the decision that opens it stands.
local check = require "luanas.check"
local chooser = require "luanas.chooser"

--- Returns a function that gives the chooser of the next architecture, or nil at the end. Each chooser
--- must have been used before the next one is asked for.
return function()
  local path = {}    -- of the architecture at hand: { decision =, chosen = }
  local begun = false

  -- Follows the path, and takes the first option of every decision beyond it.
  local function answer(asked, position)
    local step = path[position]
    if not step then
      path[position] = { decision = asked, chosen = 1 }
      return 1
    end
    if asked.name ~= step.decision.name or asked.options.key ~= step.decision.options.key then
      check.fail("decision %d: the space asks for %s of {%s}, but asked for %s of {%s} after the same decisions; "
        .. "a space must be a pure function of its decisions", position, asked.name, asked.options.key,
        step.decision.name, step.decision.options.key)
    end
    return step.chosen
  end

  -- Turns the last decision that has an option left; false when there is none.
  local function advance()
    while #path > 0 do
      local last = path[#path]
      if last.chosen < last.decision.options.count then
        last.chosen = last.chosen + 1
        return true
      end
      path[#path] = nil
    end
    return false
  end

  local function finish(count)
    if count < #path then
      check.fail("the space asks for %d decisions, but asked for %d after the same decisions; "
        .. "a space must be a pure function of its decisions", count, #path)
    end
  end

  return function()
    if begun and not advance() then return nil end
    begun = true
    return chooser.new(answer, { finish = finish })
  end
end
