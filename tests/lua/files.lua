--- A store's file for a test, and what tests of studies ask.
local core = require "luanas.core"

local files = { path = os.tmpname() }

--- Removes the file and what lies beside it.
function files.remove()
  for _, ending in ipairs { "", "-wal", "-shm", "-lock", ".copy" } do os.remove(files.path .. ending) end
end

--- The rows that some SQL gives.
function files.query(sql, ...)
  local store <close> = core.store(files.path, { read_only = true })
  local list = {}
  for row in store:rows(sql, ...) do list[#list + 1] = row end
  return list
end

--- The key of the first evaluation of a store for which some SQL is true; nil: of all.
function files.key(store, condition)
  return store:row([[
    SELECT n.body AS network, l.body AS loss, d.body AS data, r.body AS recipe, seed, numeric_version
    FROM evaluation JOIN text n ON n.id = network JOIN text l ON l.id = loss JOIN text d ON d.id = data
      JOIN text r ON r.id = recipe
    WHERE ]] .. (condition or "true") .. " ORDER BY evaluation.id")
end

--- Changes a text in the file: `from`, which is in the first value that some SQL gives, to as many bytes.
function files.damage(sql, from, to)
  local _, text = next(files.query(sql)[1])
  do
    local store <close> = core.store(files.path)
    assert(store:vacuum()) -- there is nothing in the log then
  end
  local file <close> = assert(io.open(files.path, "r+b"))
  file:seek("set", file:read("a"):find(text, 1, true) - 1)
  file:write((text:gsub(from, to, 1)))
end

--- Has each of the tests begin without a file and leave none.
function files.each_without(tests)
  for name, test in pairs(tests) do
    tests[name] = function()
      files.remove()
      local _ <close> = setmetatable({}, { __close = files.remove })
      test()
    end
  end
  return tests
end

--- Runs `body` with another function in the place of map[name].
function files.with(map, name, replacement, body)
  local original = map[name]
  map[name] = replacement
  local ok, problem = pcall(body)
  map[name] = original
  if not ok then error(problem, 0) end
end

--- What commands take for a stream; the list `to` gets what is written.
function files.stream(to)
  local function write(self, ...)
    to[#to + 1] = table.concat { ... }
    return self
  end
  return { write = write, flush = function(self) return self end }
end

--- How often map[name] is called while `body` runs.
function files.calls(map, name, body)
  local count, original = 0, map[name]
  files.with(map, name, function(...)
    count = count + 1
    return original(...)
  end, body)
  return count
end

--- How many networks `body` trains.
function files.trainings(body)
  return files.calls(core, "trainer", body)
end

--- What all machines have of a trial's epochs.
function files.curve(trial)
  local points = {}
  for i, epoch in ipairs(trial.epochs) do
    points[i] = { epoch.epoch, epoch.loss, epoch.accuracy, epoch.train_loss, epoch.train_accuracy }
  end
  return points
end

return files
