--- What a space function gets as its argument `c`: it checks and records every decision, and asks
--- `answer` for the choice. The files in choosers/ differ in `answer` only.
---
--- answer(decision, position) gets { name =, occurrence =, options = list } and the decision's
--- number, and returns the index of the chosen option and, where there is one, its log-probability.
local check = require "luanas.check"
local option_list = require "luanas.option_list"

local chooser = {}

local Chooser = { __name = "luanas.Chooser" }
Chooser.__index = Chooser

local MAX_NAME_BYTES = 255 -- the policy's limits (core/policy/nas/policy.h)
local MAX_DECISIONS = 65536

--- `finish`, if given, is called when the space function has returned.
function chooser.new(answer, finish)
  return setmetatable({ decisions = {}, counts = {}, answer = answer, finish = finish }, Chooser)
end

local function check_name(name, position)
  if type(name) ~= "string" or name == "" then
    check.fail("decision %d: name is %s; expected a non-empty string such as \"kernel\"", position, check.show(name))
  end
  if #name > MAX_NAME_BYTES then
    check.fail("decision %d: name has %d bytes; at most %d are possible", position, #name, MAX_NAME_BYTES)
  end
  if name:find("%c") or not utf8.len(name) then
    check.fail("decision %d: name %s has control characters or is not UTF-8", position, check.show(name))
  end
end

function Chooser:choose(name, options)
  if getmetatable(self) ~= Chooser then
    check.fail("choose: call it as c:choose(name, options), with a colon")
  end
  local position = #self.decisions + 1
  if self.closed then check.fail("c:choose(%s): the space function has returned", check.show(name)) end
  if position > MAX_DECISIONS then check.fail("a space can ask for at most %d decisions", MAX_DECISIONS) end
  check_name(name, position)
  local list = option_list.new(("decision %d, %s"):format(position, name), options)

  local occurrence = (self.counts[name] or 0) + 1
  local decision = { name = name, occurrence = occurrence, options = list }
  decision.chosen, decision.log_prob = self.answer(decision, position)
  self.counts[name] = occurrence
  self.decisions[position] = decision

  local given = options[decision.chosen]
  if type(given) == "table" then return given.value end
  return given
end

--- Ends the record: nothing can be asked any more.
function chooser.close(self)
  self.closed = true
  if self.finish then self.finish(#self.decisions) end
end

return chooser
