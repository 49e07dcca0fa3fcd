--- The one opening of a study's test split.
local core = require "luanas.core"
local check = require "luanas.check"

local final = {}

local METRICS = { "accuracy", "loss", "mean_absolute_error", "per_class" }

-- How many other studies of the file have opened the test images of this data set.
local function other_openings(study)
  return study.store:row([[
    SELECT count(*) AS n FROM final JOIN study ON study.id = final.study
    WHERE study.id <> ?1 AND instr(char(10) || study.text || char(10), char(10) || ?2 || char(10)) > 0]],
    study.walk.study, "data " .. study.data:info().identity).n
end

-- What tells the model from others: its network, and what it gives, which differs where its weights do.
local function identity_of(model, data)
  return ("%s\nvalidation loss %s"):format(model:network():text(), core.number_text(model:evaluate(data).loss))
end

--- Raises an error where a data set has no test split.
function final.check_data(owner, data)
  if data.read_test then return end
  check.fail("%s: %s has no test split; data sets of tensors, NPY and IDX files take one as their option `test`", owner,
    data.name)
end

--- The metrics of a model on the test images, which are recorded with the intent before they are read; those that are
--- stored where they were opened for it before. Raises an error where they were opened for another one.
function final.evaluate(study, model, intent)
  local others = other_openings(study)
  local store, id = study.store, study.walk.study
  local before = check.must(store.open_final, store, id, identity_of(model, study.data), intent)
  if before then return core.json_decode(before) end
  if others > 0 then
    study:say("other studies of the file that opened the test images of this data set: %d", others)
  end
  local test = setmetatable({}, { __index = study.data })
  function test.load()
    study.data.test = study.data.test or study.data.read_test()
    return study.data.test
  end
  local found, metrics = model:evaluate(test, "all"), {}
  for _, name in ipairs(METRICS) do metrics[name] = found[name] end
  check.must(store.end_final, store, id, core.json_encode(metrics))
  return metrics
end

return final
