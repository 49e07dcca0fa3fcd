--- What a policy thinks of a space: the probability of each option, as bars.
---
--- What comes first in an architecture changes what a policy makes of the rest, so these are means over samples: of how
--- probable an option was when its decision was made.
local anchors = require "luanas.anchors"
local arch = require "luanas.arch"
local copy = require "luanas.copy"
local layout = require "luanas.layout"
local text_table = require "luanas.text_table"

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }
local BAR, SHORTEST_BAR = 10, 4
local PERCENT = 5 -- columns of " 100%"

-- Puts a decision before another one of the list, nil for the end.
local function insert_before(list, own, other)
  local place = #list + 1
  for i, each in ipairs(list) do
    if each == other then place = i end
  end
  table.insert(list, place, own)
end

-- The decisions of samples in their order: { name =, link = text or nil, options =, sums = of probabilities, count =
-- how often it was asked }, and the mean entropy. What only later samples ask stands before what they ask next.
local function decisions_of(policy, space, samples)
  local own_policy, list, by_question, entropy = copy.policy(policy), {}, {}, 0.0
  for _ = 1, samples do
    local record = own_policy:sample(space)
    local score = own_policy:score(record)
    entropy = entropy + score.entropy / samples
    local links, behind = anchors.link_texts(record), nil
    for i = #record.decisions, 1, -1 do
      local decision = record.decisions[i]
      local question = links[i] or arch.question(decision)
      local own = by_question[question]
      if not own then
        own = { name = decision.name, link = links[i], occurrence = decision.occurrence, options = decision.options }
        own.sums, own.count = {}, 0
        by_question[question] = own
        insert_before(list, own, behind)
      end
      behind = own
      own.count = own.count + 1
      for k, p in ipairs(score.decisions[i].probabilities) do own.sums[k] = (own.sums[k] or 0.0) + p end
    end
  end
  return list, entropy
end

-- Decisions with a choice, each with its label.
local function labelled(list, samples)
  local again, kept = {}, {}
  for _, each in ipairs(list) do again[each.name] = again[each.name] or each.occurrence > 1 end
  for _, each in ipairs(list) do
    if each.options.count > 1 then
      each.label = each.link or again[each.name] and ("%s %d"):format(each.name, each.occurrence) or each.name
      each.note = each.count < samples and ("  in %d%%"):format((100 * each.count + samples // 2) // samples) or ""
      kept[#kept + 1] = each
    end
  end
  return kept
end

local function bar(share, width)
  local eighths = math.floor(share * width * 8 + 0.5)
  local text = ("█"):rep(eighths // 8) .. (EIGHTHS[eighths % 8] or "")
  return layout.pad(text, width)
end

-- The widest of texts.
local function widest(list, text_of)
  local most = 0
  for _, each in ipairs(list) do most = math.max(most, layout.width(text_of(each))) end
  return most
end

-- How wide a bar may be for all options to stand in a line, and how many options a line has.
local function measure(list, label, columns)
  local options, count = 1, 1
  for _, each in ipairs(list) do
    count = math.max(count, each.options.count)
    for _, short in ipairs(each.options.shorts) do options = math.max(options, layout.width(short)) end
  end
  options = math.min(options, math.max(4, columns // 4))
  local room = columns - label - widest(list, function(each) return each.note end)
  local length = math.max(SHORTEST_BAR, math.min(BAR, room // count - options - PERCENT - 3))
  return options, length, math.max(1, room // (options + length + PERCENT + 3))
end

--- The text for the next `samples` samples of a policy, in so many columns.
return function(policy, space, samples, columns)
  local all, entropy = decisions_of(policy, space, samples)
  local list = labelled(all, samples)
  local label = math.min(widest(list, function(each) return each.label end), columns // 3)
  local options, length, in_line = measure(list, label, columns)
  local lines = {}
  for _, each in ipairs(list) do
    local cells = {}
    for k, short in ipairs(each.options.shorts) do
      local share = each.sums[k] / each.count
      cells[k] = ("  %s %s %3d%%"):format(layout.pad(layout.clip(short, options), options), bar(share, length),
        math.floor(100 * share + 0.5))
    end
    for first = 1, #cells, in_line do
      local line = table.concat(cells, "", first, math.min(#cells, first + in_line - 1))
      lines[#lines + 1] = layout.pad(first == 1 and layout.clip(each.label, label) or "", label) .. line
    end
    lines[#lines] = lines[#lines] .. each.note
  end
  lines[#lines + 1] = layout.wrap(("means over %s; entropy of an architecture %.2f nats"):format(
    text_table.counted(samples, "sample"), entropy), columns, "", "")
  return table.concat(lines, "\n")
end
