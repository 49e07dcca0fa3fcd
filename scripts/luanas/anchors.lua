--- Anchor points (Zoph & Le 2017, sec. 3.3) as decisions.
---
--- An anchor is recorded as a decision with the one option "anchor", and after it a decision between false and true for
--- each candidate, whose name is the anchor's and the candidate's number among the anchors: after skip, skip.2 tells
--- whether it is connected to the second anchor of the architecture. So whatever handles decisions handles anchors:
--- random search draws each connection, evolution turns one over, an enumeration goes through all of them. Only the
--- policy takes an anchor and its connections as one.
local option_list = require "luanas.option_list"

local anchors = {}

local ANCHOR = option_list.new("anchor", { { label = "anchor", value = true } })
local LINK = option_list.new("link", { false, true })
local LINKED = 2 -- the option true

anchors.ANCHOR, anchors.LINK, anchors.LINKED = ANCHOR, LINK, LINKED

--- Whether a decision is an anchor; its connections follow it.
function anchors.is(decision)
  return decision.options.key == ANCHOR.key
end

--- The name of the decision on the connection of an anchor with that name to anchor `number`.
function anchors.link_name(name, number)
  return ("%s.%d"):format(name, number)
end

--- The number of the candidate whose connection to the anchor `name` a decision is about; nil where it is about none.
function anchors.number_of(name, decision)
  if decision.options.key ~= LINK.key or decision.name:sub(1, #name + 1) ~= name .. "." then return nil end
  return math.tointeger(tonumber(decision.name:sub(#name + 2)))
end

--- Of the anchor at `position` in a list of decisions: the numbers of its candidates, and of each whether it is
--- connected. The next position is behind them.
function anchors.links(decisions, position)
  local name, numbers, chosen = decisions[position].name, {}, {}
  local at = position + 1
  while decisions[at] do
    local number = anchors.number_of(name, decisions[at])
    if not number then break end
    numbers[#numbers + 1], chosen[#chosen + 1] = number, decisions[at].chosen == LINKED
    at = at + 1
  end
  return numbers, chosen, at
end

--- Of each decision of a record that is a connection, by its position, what people read: "skip 3 <- 1" where anchor 3
--- of the architecture, a skip, may take anchor 1.
function anchors.link_texts(record)
  local texts, number, name = {}, 0, nil
  for i, decision in ipairs(record.decisions) do
    local candidate = name and anchors.number_of(name, decision)
    if candidate then
      texts[i] = ("%s %d <- %d"):format(name, number, candidate)
    elseif anchors.is(decision) then
      number, name = number + 1, decision.name
    else
      name = nil
    end
  end
  return texts
end

return anchors
