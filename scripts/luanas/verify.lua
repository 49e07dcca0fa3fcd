--- Training what a store has once more, and comparing bit for bit.
local core = require "luanas.core"
local check = require "luanas.check"
local data = require "luanas.data"
local recipe = require "luanas.recipe"
local text_table = require "luanas.text_table"

local verify = {}

-- Evaluations in the order of their ids.
local SQL = [[
  SELECT evaluation.id AS id, n.body AS network, l.body AS loss, d.body AS data, r.body AS recipe, seed,
    numeric_version, epochs, diverged
  FROM evaluation JOIN text n ON n.id = network JOIN text l ON l.id = loss JOIN text d ON d.id = data
    JOIN text r ON r.id = recipe
  ORDER BY evaluation.id]]

-- All at once: while networks are trained nothing is being read, so that others can empty the log.
local function all_rows(store, ...)
  local rows = {}
  for row in store:rows(...) do rows[#rows + 1] = row end
  return rows
end

-- ---- Data ------------------------------------------------------------------------------------------

-- How data sets are made: from the identity of each to a list of sources, texts of JSON, as studies have them.
local function sources_of(store)
  local sources, seen = {}, {}
  for _, row in ipairs(all_rows(store, "SELECT text, source FROM study WHERE source IS NOT NULL ORDER BY id")) do
    local identity = row.text:match "\ndata ([^\n]*)" or ""
    local source = core.json_encode(core.json_decode(row.source).data)
    if not seen[identity .. source] then
      seen[identity .. source] = true
      sources[identity] = sources[identity] or {}
      table.insert(sources[identity], source)
    end
  end
  return sources
end

local function make_data(source)
  source = core.json_decode(source)
  local made = data[source.kind](source.options)
  return { dataset = made:load(), identity = made:info().identity }
end

-- The data set of that identity, or nil and why it can't be made. `made` keeps what was made, and what could not be.
local function dataset_of(identity, sources, made)
  local problem = "no study tells how its data are made"
  for _, source in ipairs(sources[identity] or {}) do
    if not made[source] then
      local ok, result = pcall(make_data, source)
      if not ok and check.is_interrupt(result) then error(result, 0) end
      made[source] = ok and result or { problem = tostring(result) }
    end
    if made[source].identity == identity then return made[source].dataset end
    problem = made[source].problem or "its data are others now"
  end
  return nil, problem
end

-- ---- Training --------------------------------------------------------------------------------------

-- The next epoch as its metrics are stored; or nil and why there is none, and the code of that.
local function next_metrics(trainer)
  local epoch, message, code = trainer:epoch()
  if code == "NAS_INTERRUPTED" then error(message, 0) end
  if not epoch then return nil, message, code end
  for _, name in ipairs { "best", "epoch", "finished", "seconds", "train_seconds" } do epoch[name] = nil end
  return core.json_encode(epoch)
end

-- What differs first, or nil.
local function first_difference(epochs, diverged, trainer)
  for _, stored in ipairs(epochs) do
    local metrics, message = next_metrics(trainer)
    if not metrics then return ("epoch %d: %s"):format(stored.number, message) end
    if metrics ~= stored.metrics then return ("epoch %d gives other metrics"):format(stored.number) end
  end
  if not diverged then return nil end
  local metrics, message, code = next_metrics(trainer)
  if metrics then return ("epoch %d does not diverge"):format(#epochs + 1) end
  return code ~= "NAS_DIVERGED" and message or nil
end

-- True, or false and what is wrong, or nil and why it can't be told.
local function compare(store, row, dataset, own_recipe)
  local output, problem = core.network_parse(row.network)
  if not output then return false, problem end
  local trainer <close>, message = check.core(core.trainer, output, dataset, own_recipe.core, row.seed)
  if not trainer then return nil, message end -- too large for this machine
  local epochs = all_rows(store, "SELECT number, metrics FROM epoch WHERE evaluation = ?1 ORDER BY number", row.id)
  local difference = first_difference(epochs, row.diverged, trainer)
  return difference == nil, difference
end

-- The same from the row on.
local function check_one(store, row, sources, made)
  if row.numeric_version ~= core.numeric_version then
    return nil, ("it has numeric version %d"):format(row.numeric_version)
  end
  if row.loss ~= "" then return nil, "its loss is a function" end
  local own_recipe = recipe.parse(row.recipe)
  if not own_recipe then return nil, "its recipe is none of this version" end
  local dataset, problem = dataset_of(row.data, sources, made)
  if not dataset then return nil, problem end
  local ok, same, difference = pcall(compare, store, row, dataset, own_recipe)
  if ok then return same, difference end
  if check.is_interrupt(same) then error(same, 0) end
  return false, tostring(same)
end

--- Verifies all evaluations, or so many that are spread over them; tells each by `say`. Returns how many were equal,
--- how many differed, and how many could not be made again.
function verify.run(store, sample, say)
  local rows, sources, made, equal, different, skipped = all_rows(store, SQL), sources_of(store), {}, 0, 0, 0
  local count = math.min(sample or #rows, #rows)
  for i = 1, count do
    local row = rows[(i - 1) * #rows // count + 1]
    local same, why = check_one(store, row, sources, made)
    if same then
      equal = equal + 1
      say("evaluation %d: %s%s, equal", row.id, text_table.counted(row.epochs, "epoch"),
        row.diverged and " and a divergence" or "")
    elseif same == nil then
      skipped = skipped + 1
      say("evaluation %d: not verified: %s", row.id, why)
    else
      different = different + 1
      say("evaluation %d: DIFFERENT: %s", row.id, why)
    end
  end
  return equal, different, skipped
end

return verify
