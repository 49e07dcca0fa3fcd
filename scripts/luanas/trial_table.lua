--- Trials as a table for people.
local core = require "luanas.core"
local check = require "luanas.check"
local text_table = require "luanas.text_table"

local function right(title) return { title = title, right = true } end

-- Names of what any of the trials has logged; with `only`, that name at most.
local function logged_names(trials, only)
  local found = {}
  for _, each in ipairs(trials) do
    for name in pairs(each.logged) do found[name] = only == nil or name == only or nil end
  end
  return check.sorted_keys(found)
end

-- A logged value that has the name of a metric is called as in csv.lua.
local function title_of(trials, name)
  for _, each in ipairs(trials) do
    if each.metrics[name] ~= nil then return "logged_" .. name end
  end
  return name
end

--- The text of the table: number, status, accuracy (of values the loss), costs, what was logged or only that name of
--- it, architecture.
return function(trials, only)
  local names, metric = logged_names(trials, only), "loss"
  for _, each in ipairs(trials) do metric = each.metrics.accuracy and "accuracy" or metric end
  local columns = { right "trial", { title = "status" }, right(metric), right "parameters", right "seconds" }
  for _, name in ipairs(names) do columns[#columns + 1] = right(title_of(trials, name)) end
  columns[#columns + 1] = { title = "architecture" }
  local rows = {}
  for i, each in ipairs(trials) do
    local row = {
      tostring(each.number), each.status, each.metrics[metric] and ("%.4f"):format(each.metrics[metric]) or "",
      each.metrics.params and core.number_text(each.metrics.params) or "",
      each.metrics.seconds and ("%.2f"):format(each.metrics.seconds) or "",
    }
    for _, name in ipairs(names) do
      local value = each.logged[name]
      row[#row + 1] = type(value) == "number" and ("%.6g"):format(value) or value ~= nil and tostring(value) or ""
    end
    row[#row + 1] = tostring(each.arch)
    rows[i] = row
  end
  return text_table.format(columns, rows)
end
