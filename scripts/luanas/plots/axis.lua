--- Ranges and tics of axes: gnuplot's own would give trials fractions, and a flat line no height.
local core = require "luanas.core"
local text_table = require "luanas.text_table"

local axis = {}

local MARGIN = 0.06 -- of the range, on both sides: a line of text in the terminal

-- The least and the greatest of what comes by.
local function extent_of(panel, visit)
  local low, high = math.huge, -math.huge
  local function see(number)
    if number and number == number and math.abs(number) < math.huge then
      low, high = math.min(low, number), math.max(high, number)
    end
  end
  for _, layer in ipairs(panel.layers) do
    for _, point in ipairs(layer.points) do visit(see, layer, point) end
  end
  return low, high
end

-- Sums of equal numbers differ in their last bits: that is no height.
local function is_flat(low, high)
  return high - low <= 1e-9 * math.max(math.abs(low), math.abs(high))
end

-- 1, 2 or 5 times a power of ten, so that a range has at most `count` such steps.
local function step_of(range, count)
  local power = 1.0
  while power * count < range do power = power * 10 end
  while power * count > 10 * range do power = power / 10 end
  for _, factor in ipairs { 0.1, 0.2, 0.5 } do
    if factor * power * count >= range then return factor * power end
  end
  return power
end

local function tics_text(numbers)
  local tics = {}
  for i, number in ipairs(numbers) do
    tics[i] = ("'%s' %s"):format(text_table.number(number), core.number_text(number))
  end
  return "(" .. table.concat(tics, ", ") .. ")"
end

-- Multiples of a step.
local function even_tics(low, high, count, least)
  local step = math.max(step_of(high - low, count), least)
  local numbers = {}
  for k = math.floor(-(-low // step)), math.floor(high // step) do numbers[#numbers + 1] = k * step end
  return numbers
end

-- 1, 2 and 5 times powers of ten, or the powers alone where these are enough.
local function log_tics(low, high)
  local power, all, powers = 1.0, {}, {}
  while power > low do power = power / 10 end
  while power <= high do
    for _, factor in ipairs { 1, 2, 5 } do
      local number = factor * power
      if number >= low and number <= high then
        all[#all + 1] = number
        if factor == 1 then powers[#powers + 1] = number end
      end
    end
    power = power * 10
  end
  return #powers > 3 and powers or all
end

--- { low =, high =, tics = gnuplot's list of them }.
function axis.x(panel, is_narrow)
  local is_whole = true
  local low, high = extent_of(panel, function(see, layer, point)
    see(point[1])
    is_whole = is_whole and point[1] == math.floor(point[1])
    if layer.style == "interval" then
      see(point[3])
      see(point[4])
    end
  end)
  local count = is_narrow and 5 or high >= 1e6 and 6 or 10 -- of tics that have room beside each other
  if panel.is_log then
    local factor = is_flat(low, high) and 2.0 or 1.1
    low, high = low / factor, high * factor
    local tics = log_tics(low, high)
    return { low = low, high = high, tics = tics_text(#tics > 2 and tics or even_tics(low, high, count, 0)) }
  end
  local margin = is_flat(low, high) and (is_whole and 0.5 or 0.1 * math.abs(low)) or 0.02 * (high - low)
  if margin == 0 then margin = 1 end
  -- There is no trial 0, no epoch 0, and nothing costs less than nothing.
  local least = low < 0 and -math.huge or is_whole and low >= 1 and 0.5 or 0
  low, high = math.max(low - margin, least), high + margin
  return { low = low, high = high, tics = tics_text(even_tics(low, high, count, is_whole and 1 or 0)) }
end

--- { low =, high =, bottom = where points without a y are }; low > high where it runs downwards.
function axis.y(panel)
  if panel.rows then return { low = #panel.rows + 0.6, high = 0.4 } end
  if panel.y_range then return { low = panel.y_range[1], high = panel.y_range[2] } end
  local has_bottom = false
  local low, high = extent_of(panel, function(see, _, point)
    see(point[2])
    see(point[3])
    has_bottom = has_bottom or point[2] == nil
  end)
  if low > high then low, high = 0, 0 end
  local margin = MARGIN * (high - low)
  if is_flat(low, high) then margin = low == 0 and 1 or 0.1 * math.abs(low) end
  low, high = low - margin, high + margin
  return { low = has_bottom and low - 2 * margin or low, high = high, bottom = low - margin }
end

return axis
