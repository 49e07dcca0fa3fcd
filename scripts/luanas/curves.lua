--- Curves of runs side by side: a metric or a logged value over the trials, as a table, as CSV or as a picture.
local check = require "luanas.check"
local core = require "luanas.core"
local plot = require "luanas.plot"
local series = require "luanas.plots.series"
local text_table = require "luanas.text_table"

local curves = {}

local ROWS = 10 -- of a table

-- The number of the last trial of any run.
local function last_of(runs)
  local last = 0
  for _, run in ipairs(runs) do
    for number in pairs(run.values) do last = math.max(last, number) end
  end
  return last
end

-- The mean of a run's values over trials first .. last; nil where it has none.
local function mean(run, first, last)
  local sum, count = 0.0, 0
  for number = first, last do
    local value = run.values[number]
    if value then sum, count = sum + value, count + 1 end
  end
  return count > 0 and sum / count or nil
end

--- `runs` are { id =, values = numbers by trial }. A row for each `window` trials, a column for each run: means.
function curves.table(runs, window)
  local last = last_of(runs)
  window = window or math.max(1, (last + ROWS - 1) // ROWS)
  local columns, rows = { { title = "trials" } }, {}
  for _, run in ipairs(runs) do columns[#columns + 1] = { title = ("run %d"):format(run.id), right = true } end
  for first = 1, last, window do
    local to = math.min(first + window - 1, last)
    local row = { first == to and tostring(first) or ("%d-%d"):format(first, to) }
    for _, run in ipairs(runs) do
      local value = mean(run, first, to)
      row[#row + 1] = value and ("%.6g"):format(value) or ""
    end
    rows[#rows + 1] = row
  end
  return text_table.format(columns, rows)
end

--- The values themselves, a line for each trial.
function curves.csv(runs)
  local cells = { "trial" }
  for _, run in ipairs(runs) do cells[#cells + 1] = ("run_%d"):format(run.id) end
  local lines = { table.concat(cells, ",") }
  for number = 1, last_of(runs) do
    cells = { tostring(number) }
    for _, run in ipairs(runs) do
      local value = run.values[number]
      cells[#cells + 1] = value and core.number_text(value) or ""
    end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- A picture: at each trial the mean of the `window` trials up to it.
function curves.draw(runs, path, window, value)
  local last, lines = last_of(runs), {}
  window = window or math.max(1, (last + ROWS - 1) // ROWS)
  for _, run in ipairs(runs) do
    local points = {}
    for number = 1, last do points[#points + 1] = run.values[number] and { number, run.values[number] } end
    if #points > 0 then
      lines[#lines + 1] = { title = ("run %d"):format(run.id), points = series.mean(points, window) }
    end
  end
  if #lines == 0 then check.fail("no trial has a value %s", value) end
  plot.lines(path, {
    title = ("%s, mean of %s"):format(value, text_table.counted(window, "trial")),
    x = "trial", y = value, lines = lines,
  })
end

return curves
