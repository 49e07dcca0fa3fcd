--- Answers decisions by values that are written down: { kernel = { 3, 3, 1, 1 }, filters = 32 }. A list has a value
--- for each time that the decision is asked for, in that order; anything else answers it every time. An anchor takes
--- a list of the numbers of the anchors that it is connected to: { skip = { {}, { 1 }, { 1, 2 } } }. A decision with
--- one option needs no value.
local anchors = require "luanas.anchors"
local check = require "luanas.check"

-- Whether it is a list of values, not one that is labelled, as { label = "name", value = anything }.
local function is_list(given)
  return type(given) == "table" and given.label == nil
end

-- The number of the option that a value stands for: the option itself, or one with its label; nil where there is none.
local function find(options, value)
  if type(value) == "table" then value = value.label end
  for i, option in ipairs(options) do
    if option == value or type(option) == "table" and option.label == value then return i end
  end
  return nil
end

--- Two functions: an answer for space.choose, and one to call at the end, which refuses what has not been asked for.
return function(owner, values)
  if type(values) ~= "table" then
    check.fail("%s: values are %s; expected a table such as { kernel = { 3, 3, 1, 1 }, filters = 32 }", owner,
      check.show(values))
  end
  for _, name in ipairs(check.sorted_keys(values)) do check.string(owner, "name of a decision", name) end
  local asked, names, links = {}, {}, nil -- how often each was asked for, in which order they came first; of an anchor

  -- The value of a decision; nil where there is none.
  local function value_of(where, decision)
    local name, given = decision.name, values[decision.name]
    if not asked[name] then names[#names + 1] = name end
    asked[name] = decision.occurrence
    if not is_list(given) then return given end
    if #given < decision.occurrence then
      check.fail("%s: the list of its values has %d, and the space asks for more", where, #given)
    end
    return given[decision.occurrence]
  end

  -- The connections of an anchor, by the names of the decisions that follow.
  local function begin_links(where, decision)
    local list, left = value_of(where, decision), {}
    if list == nil then return end -- it has no candidates, or the first of them will complain
    if type(list) ~= "table" then
      check.fail("%s: the value is %s; expected a list with a list of the numbers of earlier anchors for each anchor, "
        .. "such as { {}, { 1 }, { 1, 2 } }", where, check.show(list))
    end
    for i = 1, #list do
      left[anchors.link_name(decision.name, check.integer(where, ("connection %d"):format(i), list[i], 1))] = true
    end
    links = { name = decision.name, where = where, left = left }
  end

  local function end_links()
    local name = links and check.sorted_keys(links.left)[1]
    if name then check.fail("%s: it is connected to %s, which is none of its candidates", links.where, name) end
    links = nil
  end

  local function answer(decision, position)
    local where = ("%s: decision %d, %s"):format(owner, position, decision.name)
    if links and anchors.number_of(links.name, decision) then
      local is_connected = links.left[decision.name]
      links.left[decision.name] = nil
      return is_connected and anchors.LINKED or 1
    end
    end_links()
    if anchors.is(decision) then
      begin_links(where, decision)
      return 1
    end
    local value = value_of(where, decision)
    if value == nil and decision.options.count == 1 then return 1 end
    if value == nil then
      check.fail("%s: it has no value; there are values for: %s", where, table.concat(check.sorted_keys(values), ", "))
    end
    return find(decision.options, value) or check.fail("%s: the value is %s; expected one of its options: %s", where,
      check.show(value), table.concat(decision.options.shorts, ", "))
  end

  local function finish()
    end_links()
    for _, name in ipairs(check.sorted_keys(values)) do
      if not asked[name] then
        check.fail("%s: values has %s, which the space does not ask for; it asks for: %s", owner, check.show(name),
          table.concat(names, ", "))
      end
      local given = values[name]
      if is_list(given) and #given > asked[name] then
        check.fail("%s: %s has %d values; the space asks for it %d times", owner, name, #given, asked[name])
      end
    end
  end

  return answer, finish
end
