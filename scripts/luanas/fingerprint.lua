--- One hash over all that two runs of a script must have in common: decisions, log-probabilities,
--- metrics except measured ones, logged values.
local core = require "luanas.core"
local check = require "luanas.check"

local fingerprint = {}

local function value_text(value)
  if type(value) == "number" then return core.number_text(value) end
  if type(value) == "table" then return core.json_encode(value) end
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

--- 32 hexadecimal digits, of an iterator over trials: each is hashed with the hash of those before it.
function fingerprint.of(each)
  local hash = ""
  for trial in each do
    local lines = { hash }
    trial_lines(trial, lines)
    hash = core.hash(table.concat(lines, "\n"))
  end
  return hash ~= "" and hash or core.hash("")
end

return fingerprint
