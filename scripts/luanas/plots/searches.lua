--- What the pictures of searches are made from: lists of trials, one for each search.
local check = require "luanas.check"

local searches = {}

local EXPECTED = "a study, a list of trials, or a list of { title =, trials = study or list }"

-- In the order in which they were made, whatever the order of the list: sorted by accuracy they would seem to learn.
local function in_order(trials)
  local places, list = {}, {}
  for i, trial in ipairs(trials) do places[trial], list[i] = i, trial end
  table.sort(list, function(a, b)
    if a.number ~= b.number then return a.number < b.number end
    return places[a] < places[b]
  end)
  return list
end

local function is_study(subject)
  return type(subject) == "table" and type(subject.trials) == "function"
end

-- The search of a study or of a list of trials.
local function search_of(owner, subject, title)
  local trials = subject
  if is_study(subject) then trials = subject:trials() end
  if type(trials) ~= "table" or trials[1] == nil and next(trials) ~= nil then
    check.fail("%s: trials are %s; expected %s", owner, check.show(trials), EXPECTED)
  end
  for i, trial in ipairs(trials) do
    if type(trial) ~= "table" or not math.tointeger(trial.number) or type(trial.metrics) ~= "table" then
      check.fail("%s: trial %d is %s; expected %s", owner, i, check.show(trial), EXPECTED)
    end
  end
  if #trials == 0 then check.fail("%s: there are no trials%s", owner, title and " of " .. title or " yet") end
  return { title = title, trials = in_order(trials), is_given = not title and not is_study(subject) }
end

--- A list of { title = or nil, trials = in the order in which they were made, is_given = whether
--- the caller chose the trials }.
function searches.of(owner, subject)
  local first = type(subject) == "table" and not is_study(subject) and subject[1]
  if type(first) ~= "table" or first.number or first.trials == nil then return { search_of(owner, subject) } end
  local list = {}
  for i, each in ipairs(subject) do
    if type(each) ~= "table" then
      check.fail("%s: search %d is %s; expected %s", owner, i, check.show(each), EXPECTED)
    end
    local title = check.string(owner, ("title of search %d"):format(i), each.title)
    list[i] = search_of(owner, each.trials, title)
  end
  return list
end

-- The names of all numbers in a map of the trials.
local function names_in(list, map)
  local names = {}
  for _, search in ipairs(list) do
    for _, trial in ipairs(search.trials) do
      for name, value in pairs(trial[map] or {}) do names[name] = names[name] or type(value) == "number" or nil end
    end
  end
  return check.sorted_keys(names)
end

--- Raises an error unless some trial of each search has a number of that name in a map, "metrics" or "logged".
function searches.check_value(owner, list, map, name)
  for _, search in ipairs(list) do
    local has_it = false
    for _, trial in ipairs(search.trials) do has_it = has_it or type((trial[map] or {})[name]) == "number" end
    if not has_it then
      local names = names_in({ search }, map)
      check.fail("%s: no trial%s has a %s %s; there are %s", owner, search.title and " of " .. search.title or "",
        map == "logged" and "logged" or "metric", check.show(name),
        #names > 0 and table.concat(names, ", ") or "none")
    end
  end
end

--- What the searches are judged by unless somebody says otherwise: of values, which have no accuracy, their error.
function searches.metric(list)
  local has = {}
  for _, name in ipairs(names_in(list, "metrics")) do has[name] = true end
  return has.accuracy and "accuracy" or has.mean_absolute_error and "mean_absolute_error" or "loss"
end

local WINDOW, PART = 20, 50

--- Of how many trials a mean is, unless somebody says otherwise: more of a long search, which has no room for noise.
function searches.window(owner, list, given)
  local most = 0
  for _, search in ipairs(list) do most = math.max(most, #search.trials) end
  return check.integer(owner, "window", given or math.max(WINDOW, most // PART), 1)
end

--- Words for people: mean_absolute_error is "mean absolute error".
function searches.words(name)
  return (name:gsub("_", " "))
end

--- The same as a title.
function searches.sentence(text)
  return (text:gsub("^%l", string.upper))
end

return searches
