--- All trials of a study as comma-separated values (RFC 4180, lines end in LF).
---
--- Columns: those of FIXED, further metrics, then what trial:log recorded as logged_NAME, each group
--- in alphabetical order. A value that a trial does not have is empty.
local core = require "luanas.core"
local check = require "luanas.check"

local csv = {}

local METRICS = {
  "accuracy", "loss", "train_accuracy", "train_loss", "params", "macs", "memory", "seconds", "train_seconds",
}

local FIXED = { -- name and value, before the metrics
  { "trial", function(trial) return trial.number end },
  { "status", function(trial) return trial.status end },
  { "reason", function(trial) return trial.reason end },
  { "recalled", function(trial) return trial.recalled end },
  { "epochs", function(trial) return trial.epoch_count end },
  { "network", function(trial) return trial.network end },
  { "sample", function(trial) return trial.arch.sample end },
  { "log_prob", function(trial) return trial.arch.log_prob end },
  { "architecture", function(trial) return tostring(trial.arch) end },
  { "decisions", function(trial) return trial.arch:line() end },
}

local function field(value)
  if value == nil then return "" end
  local text = type(value) == "number" and core.number_text(value) or tostring(value)
  if text:find('[",\r\n]') then return '"' .. text:gsub('"', '""') .. '"' end
  return text
end

-- Names that any trial has in the map of that name, without those of `known`, in alphabetical order.
local function names_in(trials, map, known)
  local found = {}
  for _, trial in ipairs(trials) do
    for name, value in pairs(trial[map]) do
      if type(value) ~= "table" then found[name] = true end
    end
  end
  for _, name in ipairs(known) do found[name] = nil end
  return check.sorted_keys(found)
end

--- The text; with `of_runs` the first column is the trial's run.
function csv.text(trials, of_runs)
  local columns = of_runs and { { "run", function(trial) return trial.run end } } or {}
  table.move(FIXED, 1, #FIXED, #columns + 1, columns)
  for _, names in ipairs { METRICS, names_in(trials, "metrics", METRICS) } do
    for _, name in ipairs(names) do
      columns[#columns + 1] = { name, function(trial) return trial.metrics[name] end }
    end
  end
  for _, name in ipairs(names_in(trials, "logged", {})) do
    columns[#columns + 1] = { "logged_" .. name, function(trial) return trial.logged[name] end }
  end

  local cells = {}
  for i, column in ipairs(columns) do cells[i] = field(column[1]) end
  local lines = { table.concat(cells, ",") }
  for _, trial in ipairs(trials) do
    for i, column in ipairs(columns) do cells[i] = field(column[2](trial)) end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Writes the text to a file beside `path` and renames it, so that a full disk leaves no torn table.
--- Returns true, or nil and a message.
function csv.write(path, trials)
  local temporary = path .. ".tmp"
  local file, message = io.open(temporary, "wb")
  if not file then return nil, message end
  local written, write_message = file:write(csv.text(trials))
  local closed, close_message = file:close()
  local ok = written and closed
  message = write_message or close_message
  if ok then ok, message = os.rename(temporary, path) end
  if ok then return true end
  os.remove(temporary)
  return nil, message
end

return csv
