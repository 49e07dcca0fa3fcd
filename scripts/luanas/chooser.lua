--- What a space function gets as its argument `c`: it checks and records every decision, and asks
--- `answer` for the choice. The files in choosers/ differ in `answer` only.
---
--- answer(decision, position) gets { name =, occurrence =, options = list } and the decision's
--- number, and returns the index of the chosen option and, where there is one, its log-probability.
--- An anchor (anchors.lua) has candidates, too: the numbers of the anchors that are asked for next.
local anchors = require "luanas.anchors"
local check = require "luanas.check"
local names = require "luanas.names"
local option_list = require "luanas.option_list"

local chooser = {}

local Chooser = { __name = "luanas.Chooser" }
Chooser.__index = Chooser

local MAX_NAME_BYTES = 255 -- the policy's limits (core/policy/nas/policy.h)
local MAX_DECISIONS = 65536

--- Fields of `more`, which may be absent: finish(count), which is called when the space function has returned; sample,
--- the number of the sample, for schedules; recorded(position), the option of a record that is followed.
function chooser.new(answer, more)
  local self = setmetatable({ decisions = {}, counts = {}, anchors = {}, answer = answer }, Chooser)
  for name, value in pairs(more or {}) do self[name] = value end
  return self
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

-- The position of the next decision.
local function next_position(self, method, name)
  if getmetatable(self) ~= Chooser then
    check.fail("%s: call it as c:%s(name, ...), with a colon", method, method)
  end
  local position = #self.decisions + 1
  if self.closed then check.fail("c:%s(%s): the space function has returned", method, check.show(name)) end
  if position > MAX_DECISIONS then check.fail("a space can ask for at most %d decisions", MAX_DECISIONS) end
  check_name(name, position)
  return position
end

-- Asks for a decision; the index of the chosen option.
local function ask(self, name, list, candidates)
  local position, occurrence = #self.decisions + 1, (self.counts[name] or 0) + 1
  local decision = { name = name, occurrence = occurrence, options = list, candidates = candidates }
  decision.chosen, decision.log_prob = self.answer(decision, position)
  self.counts[name] = occurrence
  self.decisions[position] = decision
  self.last_anchor = nil
  return decision.chosen
end

function Chooser:choose(name, options)
  local position = next_position(self, "choose", name)
  local list = option_list.new(("decision %d, %s"):format(position, name), options)
  if list == anchors.ANCHOR then
    check.fail("decision %d, %s: the one option has the label \"anchor\", which is for c:anchor", position, name)
  end
  if self.last_anchor and anchors.number_of(self.last_anchor, { name = name, options = list }) then
    check.fail("decision %d, %s: false or true, straight after the anchor %s, has the name of one of its connections; "
      .. "expected another name", position, name, self.last_anchor)
  end
  local given = options[ask(self, name, list)]
  if type(given) == "table" then return given.value end
  return given
end

function Chooser:scheduled(name, schedule)
  local position = next_position(self, "scheduled", name)
  if type(schedule) ~= "function" then
    check.fail("decision %d, %s: the schedule is %s; expected a function of the number of a sample", position, name,
      check.show(schedule))
  end
  local value = self.recorded and self.recorded(position)
  if value == nil then value = check.run(schedule, self.sample or 1) end
  if type(value) == "table" then -- a record has its label only
    check.fail("decision %d, %s: the schedule returned a table; expected a number, a string or a boolean", position,
      name)
  end
  ask(self, name, option_list.new(("decision %d, %s, by its schedule"):format(position, name), { value }))
  self.is_scheduled = true
  return value
end

local Anchor = { __name = "luanas.Anchor" }
Anchor.__index = Anchor

function Anchor:__tostring()
  return ("luanas.Anchor: number %d, %s"):format(self.number, self.name)
end

local function check_list(where, candidates)
  if getmetatable(candidates) == Anchor then
    check.fail("%s: candidates are an anchor; expected a list of anchors, as in { point }", where)
  end
  if type(candidates) ~= "table" then
    check.fail("%s: candidates are %s; expected a list of earlier anchors (what c:anchor returns first)", where,
      check.show(candidates))
  end
  local stray = check.stray_key(candidates)
  if stray ~= nil then
    check.fail("%s: the list of candidates has the key %s; expected a plain list of earlier anchors", where,
      check.show(stray))
  end
end

-- The numbers of candidates, in the order of the list, which must be that of the anchors.
local function candidate_numbers(self, where, candidates)
  check_list(where, candidates)
  local numbers = {}
  for k = 1, #candidates do
    local number = type(candidates[k]) == "table" and candidates[k].number
    if not number or self.anchors[number] ~= candidates[k] then
      check.fail("%s: candidate %d is %s; expected an earlier anchor of this architecture", where, k,
        check.show(candidates[k]))
    end
    if k > 1 and number <= numbers[k - 1] then
      check.fail("%s: candidate %d is anchor %d, after anchor %d; expected each once, in their order", where, k, number,
        numbers[k - 1])
    end
    numbers[k] = number
  end
  return numbers
end

function Chooser:anchor(name, candidates)
  local position = next_position(self, "anchor", name)
  if candidates == nil then candidates = {} end
  local numbers = candidate_numbers(self, ("decision %d, %s"):format(position, name), candidates)
  ask(self, name, anchors.ANCHOR, numbers)
  local anchor = setmetatable({ name = name, number = #self.anchors + 1 }, Anchor)
  self.anchors[anchor.number] = anchor
  local chosen = {}
  for k, number in ipairs(numbers) do
    local link = anchors.link_name(name, number)
    next_position(self, "anchor", link)
    chosen[k] = anchors.LINK.options[ask(self, link, anchors.LINK)]
  end
  self.last_anchor = name -- until something else is asked for
  return anchor, chosen
end

local MAY_BE_NIL = {
  closed = true, finish = true, is_scheduled = true, last_anchor = true, recorded = true, sample = true,
}

setmetatable(Chooser, {
  __index = function(_, name)
    if MAY_BE_NIL[name] then return nil end
    return names.missing("c", name, names.of(Chooser))
  end,
})

--- Ends the record: nothing can be asked any more.
function chooser.close(self)
  self.closed = true
  if self.finish then self.finish(#self.decisions) end
end

return chooser
