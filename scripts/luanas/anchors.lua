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

anchors.ANCHOR, anchors.LINK = ANCHOR, LINK

--- Whether a decision is an anchor; its connections follow it.
function anchors.is(decision)
  return decision.options.key == ANCHOR.key
end

--- The name of the decision on the connection of an anchor with that name to anchor `number`.
function anchors.link_name(name, number)
  return ("%s.%d"):format(name, number)
end

--- Of the anchor at `position` in a list of decisions: the numbers of its candidates, and of each whether it is
--- connected. The next position is behind them.
function anchors.links(decisions, position)
  local name, numbers, chosen = decisions[position].name, {}, {}
  local at = position + 1
  while decisions[at] and decisions[at].options.key == LINK.key do
    local number = decisions[at].name:sub(1, #name + 1) == name .. "." and math.tointeger(tonumber(
      decisions[at].name:sub(#name + 2)))
    if not number then break end
    numbers[#numbers + 1], chosen[#chosen + 1] = number, decisions[at].chosen == LINKED
    at = at + 1
  end
  return numbers, chosen, at
end

return anchors
