--- The epochs behind the trials of a store.
local check = require "luanas.check"
local evaluation = require "luanas.evaluation"
local replicates = require "luanas.replicates"

local stored = {}

local EPOCHS = [[
  SELECT number, metrics, measured, sum = row_sum(evaluation, number, metrics, measured, session) AS is_intact
  FROM epoch WHERE evaluation = ?1 AND number <= ?2 ORDER BY number]]

-- Those of the evaluation of another replicate.
local REPLICATE = [[
  SELECT other.id FROM evaluation first JOIN evaluation other ON other.network = first.network
    AND other.loss = first.loss AND other.data = first.data AND other.recipe = first.recipe
    AND other.numeric_version = first.numeric_version AND other.seed = first.seed + ?2
  WHERE first.id = ?1]]

local function read_epochs(store, id, count)
  local epochs = {}
  for row in store:rows(EPOCHS, id, count) do
    if row.is_intact == 0 then
      check.fail("epoch %d of evaluation %d is damaged: its checksum is another; `luanas check` tells more",
        row.number, id)
    end
    epochs[row.number] = evaluation.epoch(row.number, row.metrics, row.measured)
  end
  return epochs
end

--- A function that reads the epochs of a study's trial that count, from its row: those of its evaluation, or the means
--- of all replicates.
function stored.epochs_reader(study, row)
  return function()
    if not row.evaluation then return {} end
    local lists = { read_epochs(study.store, row.evaluation, row.epochs) }
    if study.replicates == 1 or row.status ~= "ok" then return lists[1] end
    for k = 2, study.replicates do
      local other = study.store:row(REPLICATE, row.evaluation, k - 1)
      if other then lists[#lists + 1] = read_epochs(study.store, other.id, row.epochs) end
    end
    return replicates.mean_epochs(lists)
  end
end

return stored
