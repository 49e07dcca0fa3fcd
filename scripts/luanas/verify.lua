--- Training what a store has once more, and comparing bit for bit.
local core = require "luanas.core"
local check = require "luanas.check"
local data = require "luanas.data"
local recipe = require "luanas.recipe"

local verify = {}

-- Evaluations with what they need to be made again, in the order of their ids.
local SQL = [[
  SELECT evaluation.id AS id, n.body AS network, l.body AS loss, d.body AS data, r.body AS recipe,
    evaluation.seed AS seed, evaluation.numeric_version AS version, evaluation.epochs AS epochs, study.source AS source
  FROM evaluation JOIN text n ON n.id = evaluation.network JOIN text l ON l.id = evaluation.loss
    JOIN text d ON d.id = evaluation.data JOIN text r ON r.id = evaluation.recipe
    LEFT JOIN (SELECT evaluation, min(run) AS run FROM trial GROUP BY evaluation) AS first
      ON first.evaluation = evaluation.id
    LEFT JOIN run ON run.id = first.run LEFT JOIN study ON study.id = run.study
  ORDER BY evaluation.id]]

-- Data and recipe of an evaluation, or nil and why it can't be made again.
local function made_again(row, cache)
  if row.version ~= core.numeric_version then return nil, ("it has numeric version %d"):format(row.version) end
  if not row.source then return nil, "its data or its loss have no text" end
  local source = core.json_decode(row.source)
  local text = core.json_encode(source.data)
  cache[text] = cache[text] or data[source.data.kind](source.data.options)
  local own_recipe = recipe.new(source.train)
  if own_recipe.text ~= row.recipe or row.loss ~= "" then return nil, "it has a recipe of its own" end
  if cache[text]:info().identity ~= row.data then return nil, "its data are others now" end
  return cache[text], own_recipe
end

-- Which epoch differs, or nil.
local function first_difference(store, row, trainer)
  for stored in store:rows("SELECT number, metrics FROM epoch WHERE evaluation = ?1 ORDER BY number", row.id) do
    local epoch, message, code = trainer:epoch()
    if code == "NAS_INTERRUPTED" then error(message, 0) end
    if not epoch then return stored.number end
    for _, name in ipairs { "best", "epoch", "finished", "seconds", "train_seconds" } do epoch[name] = nil end
    if core.json_encode(epoch) ~= stored.metrics then return stored.number end
  end
end

-- True, or false and what is wrong, or nil and why it can't be told.
local function check_one(store, row, cache)
  local set, own_recipe = made_again(row, cache)
  if not set then return nil, own_recipe end
  local output, problem = core.network_parse(row.network)
  if not output then return false, problem end
  local trainer <close>, message = check.core(core.trainer, output, set:load(), own_recipe.core, row.seed)
  if not trainer then return false, message end
  local number = first_difference(store, row, trainer)
  if number then return false, ("epoch %d gives other metrics"):format(number) end
  return true
end

--- Verifies all evaluations, or so many that are spread over them; tells each by `say`. Returns how many were equal,
--- how many differed, and how many could not be made again.
function verify.run(store, sample, say)
  local rows, cache, equal, different, skipped = {}, {}, 0, 0, 0
  for row in store:rows(SQL) do rows[#rows + 1] = row end
  local count = math.min(sample or #rows, #rows)
  for i = 1, count do
    local row = rows[(i - 1) * #rows // count + 1]
    local same, why = check_one(store, row, cache)
    if same then
      equal = equal + 1
      say("evaluation %d: %d epochs, equal", row.id, row.epochs)
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
