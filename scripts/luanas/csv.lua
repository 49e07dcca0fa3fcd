--- All trials of a study as comma-separated values (RFC 4180, lines end in LF).
---
--- Columns: those of FIXED, further metrics, then what trial:log recorded as logged_NAME, each group
--- in alphabetical order. A value that a trial does not have is empty. A file does not tell what was recalled.
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

--- A value as a field of a line.
function csv.field(value)
  if value == nil then return "" end
  local text = type(value) == "number" and core.number_text(value) or tostring(value)
  if text:find('[",\r\n]') then return '"' .. text:gsub('"', '""') .. '"' end
  return text
end

-- Adds the names of plain values in a map to the set `found`.
local function note_names(found, map)
  for name, value in pairs(map) do
    if type(value) ~= "table" then found[name] = true end
  end
end

-- Name and value of each column.
local function columns_of(each, of_runs, of_file)
  local metrics, logged = {}, {}
  for trial in each do
    note_names(metrics, trial.metrics)
    note_names(logged, trial.logged)
  end
  for _, name in ipairs(METRICS) do metrics[name] = nil end
  local columns = of_runs and { { "run", function(trial) return trial.run end } } or {}
  for _, column in ipairs(FIXED) do
    if not (of_file and column[1] == "recalled") then columns[#columns + 1] = column end
  end
  for _, names in ipairs { METRICS, check.sorted_keys(metrics) } do
    for _, name in ipairs(names) do
      columns[#columns + 1] = { name, function(trial) return trial.metrics[name] end }
    end
  end
  for _, name in ipairs(check.sorted_keys(logged)) do
    columns[#columns + 1] = { "logged_" .. name, function(trial) return trial.logged[name] end }
  end
  return columns
end

--- Writes the table to an open file; with `of_runs` the first column is the trial's run. open() gives an iterator over
--- the trials from the first one on: they are read twice, for the columns and for the lines, and none is kept. Returns
--- true, or nil and a message.
function csv.write_to(file, open, of_runs)
  local each = open() -- before the columns are read: of a store both then see the same state
  local trial = each()
  local columns, cells = columns_of(open(), of_runs, trial and trial.recalled == nil), {}
  for i, column in ipairs(columns) do cells[i] = csv.field(column[1]) end
  local written, message = file:write(table.concat(cells, ","), "\n")
  while trial and written do
    for i, column in ipairs(columns) do cells[i] = csv.field(column[2](trial)) end
    written, message = file:write(table.concat(cells, ","), "\n")
    trial = each()
  end
  return written and true, message
end

-- What is told of the file beside it, of the file itself.
local function told_of(path, temporary, message)
  local is_named = message:sub(1, #temporary) == temporary
  return is_named and path .. message:sub(#temporary + 1) or message
end

--- Has write(file), which returns true, or nil and a message, write a file beside `path`, and renames that, so that a
--- full disk leaves no torn table. Returns the same.
function csv.replace(path, write)
  local temporary, ok = path .. ".tmp", false
  local file <close>, message = io.open(temporary, "wb")
  if not file then return nil, told_of(path, temporary, message) end
  local _ <close> = setmetatable({}, { __close = function() -- also where `write` raises
    if not ok then os.remove(temporary) end
  end })
  local written, write_message = write(file)
  local closed, close_message = file:close()
  message = write_message or close_message
  if written and closed then ok, message = os.rename(temporary, path) end
  if ok then return true end
  return nil, told_of(path, temporary, message)
end

--- Writes the table to the file `path`.
function csv.write(path, open)
  return csv.replace(path, function(file) return csv.write_to(file, open) end)
end

return csv
