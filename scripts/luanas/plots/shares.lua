--- Pictures of how often each option of a decision was chosen: the policy's probabilities, whoever the agent is.
local anchors = require "luanas.anchors"
local check = require "luanas.check"
local searches = require "luanas.plots.searches"

local shares = {}

local POINTS = 1000 -- of a line: more are not seen

-- The decisions of the trials in the order in which they came up: { name =, occurrence =, made = { { number, option },
-- ... }, options = texts }. An anchor is no choice; its connections are.
local function decisions_of(trials)
  local list, by_key, again = {}, {}, {}
  for _, trial in ipairs(trials) do
    local links = anchors.link_texts(trial.arch)
    for i, decision in ipairs(trial.arch.decisions) do
      local key = links[i] or decision.occurrence .. " " .. decision.name
      local own = by_key[key]
      if not own then
        own = { name = decision.name, occurrence = decision.occurrence, made = {}, options = {}, known = {} }
        own.link = links[i]
        by_key[key] = own
        if not anchors.is(decision) then list[#list + 1] = own end
      end
      again[decision.name] = again[decision.name] or decision.occurrence > 1
      for _, text in ipairs(decision.options.shorts) do
        if not own.known[text] then own.known[text], own.options[#own.options + 1] = true, text end
      end
      own.made[#own.made + 1] = { trial.number, decision.options.shorts[decision.chosen] }
    end
  end
  for _, own in ipairs(list) do
    own.title = own.link or again[own.name] and own.name .. " " .. own.occurrence or own.name
  end
  return list
end

-- For each option the share among those of the last `window` trials that made the decision.
local function lines_of(decision, window)
  local counts, lines, first, made = {}, {}, 1, decision.made
  for i, text in ipairs(decision.options) do
    counts[text] = 0
    lines[i] = { style = "line", colour = i, title = text, points = {} }
  end
  local every = (#made + POINTS - 1) // POINTS
  for i, choice in ipairs(made) do
    counts[choice[2]] = counts[choice[2]] + 1
    while made[first][1] <= choice[1] - window do
      counts[made[first][2]] = counts[made[first][2]] - 1
      first = first + 1
    end
    if i % every == 0 or i == 1 or i == #made then
      for k, text in ipairs(decision.options) do
        table.insert(lines[k].points, { choice[1], counts[text] / (i - first + 1) })
      end
    end
  end
  return lines
end

--- A panel for each decision of each search.
function shares.picture(owner, list, options)
  local window = searches.window(owner, list, options.window)
  local panels = {}
  for _, search in ipairs(list) do
    for _, decision in ipairs(decisions_of(search.trials)) do
      panels[#panels + 1] = {
        title = search.title and ("%s: %s"):format(search.title, decision.title) or decision.title,
        x = options.x or "trial", y = options.y or "share", y_range = { -0.03, 1.03 },
        layers = lines_of(decision, window),
      }
    end
  end
  if #panels == 0 then check.fail("%s: no trial made a decision", owner) end
  return { title = options.title or ("Shares of the options in the last %d trials"):format(window), panels = panels }
end

return shares
