--- One hash over all that two runs of a script must have in common: decisions, log-probabilities,
--- metrics except measured ones, logged values.
local core = require "luanas.core"
local check = require "luanas.check"

local fingerprint = {}

local function value_text(value)
  if type(value) == "number" then return core.number_text(value) end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function trial_lines(trial, lines)
  lines[#lines + 1] = "decisions " .. trial.arch:line()
  lines[#lines + 1] = "log_prob " .. value_text(trial.arch.log_prob)
  for _, name in ipairs(check.sorted_keys(trial.metrics)) do
    if not trial.measured[name] then
      lines[#lines + 1] = ("metric %s %s"):format(name, value_text(trial.metrics[name]))
    end
  end
  for _, name in ipairs(check.sorted_keys(trial.logged)) do
    lines[#lines + 1] = ("logged %s %s"):format(name, value_text(trial.logged[name]))
  end
end

--- 32 hexadecimal digits.
function fingerprint.of(trials)
  local lines = {}
  for _, trial in ipairs(trials) do trial_lines(trial, lines) end
  return core.hash(table.concat(lines, "\n"))
end

return fingerprint
