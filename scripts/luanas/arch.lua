--- An architecture: the record of the decisions that make it. It can be scored, learned from,
--- printed, written down and rebuilt without its space.
---
--- As a line of text, decisions are separated by a space, and each is the name, the chosen option and
--- the list of options (key texts of option_list.lua; names that are no plain words are quoted):
---
---   kernel=3{1,3} filters=64{32,48,64} kernel=1{1,3} filters=32{32,48,64}
local anchors = require "luanas.anchors"
local check = require "luanas.check"
local option_list = require "luanas.option_list"

local arch = {}

local Arch = { __name = "luanas.Arch" }
Arch.__index = Arch

local PLAIN_NAME = "^[%a_][%w_.%-]*$"

--- From decisions { name =, occurrence =, options = list of option_list.lua, chosen = index }.
--- Other fields tell where it comes from: log_prob, sample (its number), network (hash of what the
--- space built), unbuildable (why the space could build nothing).
function arch.new(decisions, fields)
  local self = fields or {}
  self.decisions = decisions
  return setmetatable(self, Arch)
end

function arch.is(value)
  return getmetatable(value) == Arch
end

--- Raises an error unless `value` is an architecture.
function arch.check(owner, name, value)
  if not arch.is(value) then
    check.fail("%s: %s is %s; expected an architecture (what policy:sample returns)", owner, name, check.show(value))
  end
  return value
end

function Arch:line()
  if not self.text then
    local words = {}
    for i, decision in ipairs(self.decisions) do
      local name = decision.name:find(PLAIN_NAME) and decision.name or option_list.quoted(decision.name)
      local list = decision.options
      words[i] = ("%s=%s{%s}"):format(name, list.texts[decision.chosen], list.key)
    end
    self.text = table.concat(words, " ")
  end
  return self.text
end

function Arch:value(name, occurrence)
  for _, decision in ipairs(self.decisions) do
    if decision.name == name and decision.occurrence == (occurrence or 1) then
      local option = decision.options.options[decision.chosen]
      return type(option) == "table" and option.label or option
    end
  end
  return nil
end

--- What a decision asks, as a key for tables: its name, its occurrence and its options.
function arch.question(decision)
  return ("%s %d %s"):format(decision.name, decision.occurrence, decision.options.key)
end

--- The decisions as the policy of the core takes them, where an anchor and its connections are one; and of each the
--- position of its first decision in the record, nil where there is no anchor.
function arch.core_decisions(self)
  local decisions, positions, of_anchor = {}, {}, {} -- of_anchor: the place in `decisions` of each anchor
  local i = 1
  while i <= #self.decisions do
    local decision, place = self.decisions[i], #decisions + 1
    positions[place] = i
    if anchors.is(decision) then
      local numbers, chosen, behind = anchors.links(self.decisions, i)
      local candidates = {}
      for k, number in ipairs(numbers) do
        candidates[k] = of_anchor[number]
          or check.fail("decision %d, %s: there is no anchor %d before it", i + k, self.decisions[i + k].name, number)
      end
      of_anchor[#of_anchor + 1] = place
      decisions[place] = { kind = "anchor", name = decision.name, candidates = candidates, chosen = chosen }
      i = behind
    else
      local list = decision.options
      decisions[place] = { name = decision.name, options = list.key, count = list.count, chosen = decision.chosen }
      i = i + 1
    end
  end
  return decisions, #of_anchor > 0 and positions or nil
end

function Arch:__len()
  return #self.decisions
end

function Arch.__eq(a, b)
  return arch.is(a) and arch.is(b) and a:line() == b:line()
end

-- The anchors that an anchor is connected to: "1+3", or "none".
local function links_text(self, position)
  local numbers, chosen, behind = anchors.links(self.decisions, position)
  local connected = {}
  for k, number in ipairs(numbers) do
    if chosen[k] then connected[#connected + 1] = tostring(number) end
  end
  return #connected > 0 and table.concat(connected, "+") or "none", behind
end

--- The decisions of an architecture as people read them, in groups: a new one where a name comes again, as it does in
--- each layer. Lists of { name, text of what was chosen }; an anchor and its connections are one.
function arch.groups(self)
  local groups, seen, i = { {} }, {}, 1
  while i <= #self.decisions do
    local decision, behind = self.decisions[i], i + 1
    if seen[decision.name] then groups[#groups + 1], seen = {}, {} end
    seen[decision.name] = true
    local value = decision.options.shorts[decision.chosen]
    if anchors.is(decision) then value, behind = links_text(self, i) end
    table.insert(groups[#groups], { decision.name, value })
    i = behind
  end
  return groups
end

-- "kernel=3 filters=64 | kernel=1 filters=32 skip=1"
function Arch:__tostring()
  if #self.decisions == 0 then return "(no decisions)" end
  local texts = {}
  for i, group in ipairs(arch.groups(self)) do
    local words = {}
    for k, each in ipairs(group) do words[k] = each[1] .. "=" .. each[2] end
    texts[i] = table.concat(words, " ")
  end
  return table.concat(texts, " | ")
end

-- Reads one decision of a line: name, list, chosen index and the position behind it; or nil.
local function read_decision(line, position)
  local name, behind
  if line:sub(position, position) == '"' then
    name, behind = option_list.read_quoted(line, position)
    local needed = name and not name:find(PLAIN_NAME)
    if not needed or option_list.quoted(name) ~= line:sub(position, behind - 1) then return nil end
  else
    name, behind = line:match("^([%a_][%w_.%-]*)()", position)
  end
  if not name or name == "" or line:sub(behind, behind) ~= "=" then return nil end
  local option, list
  option, behind = option_list.read_option(line, behind + 1)
  if option == nil or line:sub(behind, behind) ~= "{" then return nil end
  list, behind = option_list.read_list(line, behind + 1)
  if not list or line:sub(behind, behind) ~= "}" then return nil end
  local text = option_list.key_text(option)
  for chosen, candidate in ipairs(list.texts) do
    if candidate == text then return name, list, chosen, behind + 1 end
  end
  return nil
end

function arch.parse(line)
  if type(line) ~= "string" then
    check.fail("arch: line is %s; expected a string", check.show(line))
  end
  local decisions, counts, position = {}, {}, 1
  while position <= #line do
    local name, list, chosen, behind = read_decision(line, position)
    if not name or (behind <= #line and line:sub(behind, behind) ~= " ") then
      check.fail("arch: no decision at byte %d, %s; expected name=option{option,option,...}", position,
        check.show(line:sub(position)))
    end
    counts[name] = (counts[name] or 0) + 1
    decisions[#decisions + 1] = { name = name, occurrence = counts[name], options = list, chosen = chosen }
    position = behind + 1
  end
  return arch.new(decisions)
end

check.colons("arch", Arch)

return arch
