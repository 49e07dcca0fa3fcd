--- What tells studies apart: words of their texts (of study.lua).
local difference = {}

local LABELLED = { limits = true, failed = true, name = true } -- lines whose words say nothing by themselves

-- The words of a text in their order; hashes are cut short.
local function words_of(text)
  local words = {}
  for line in text:gmatch "[^\n]+" do
    local label, rest = line:match "^(%S+) ?(.*)$"
    local is_labelled = LABELLED[label]
    if label == "name" then rest = rest:gsub("%s", "\u{a0}") end -- one word, whatever is in it
    for word in (label:find "=" and line or rest):gmatch "%S+" do
      word = word:gsub("%f[%x]%x+%f[%X]", function(digits) return #digits >= 32 and digits:sub(1, 8) .. "..." end)
      words[#words + 1] = is_labelled and label .. " " .. word or word
    end
  end
  return words
end

local function set_of(words)
  local set = {}
  for _, word in ipairs(words) do set[word] = true end
  return set
end

--- The words of each text that not all of them have, as one text each.
function difference.of_each(texts)
  local all, counts, own = {}, {}, {}
  for i, text in ipairs(texts) do
    all[i] = words_of(text)
    for word in pairs(set_of(all[i])) do counts[word] = (counts[word] or 0) + 1 end
  end
  for i, words in ipairs(all) do
    local kept = {}
    for _, word in ipairs(words) do
      if counts[word] < #texts then kept[#kept + 1] = word end
    end
    own[i] = table.concat(kept, " ")
  end
  return own
end

--- The words of a text that another one has not; and those that only the other one has.
function difference.between(text, other)
  local own = difference.of_each { text, other }
  return own[1], own[2]
end

return difference
