--- What is in force at each trial: values by the numbers of the trials from which on they are.
local steps = {}

local Steps = {}
Steps.__index = Steps

function steps.new()
  return setmetatable({ starts = {}, values = {} }, Steps)
end

-- How many begin with trial `number` or before it.
local function count_until(self, number)
  local count = #self.starts
  while count > 0 and self.starts[count] > number do count = count - 1 end
  return count
end

--- From trial `start` on, until the next one, it is `value`; in the place of one that begins there, too.
function Steps:put(start, value)
  local place = count_until(self, start)
  if self.starts[place] ~= start then
    place = place + 1
    table.insert(self.starts, place, start)
    table.insert(self.values, place, value)
  end
  self.values[place] = value
end

--- What is in force at trial `number`, which of all that is (from 1), and since which trial; nil before the first.
function Steps:at(number)
  local place = count_until(self, number)
  return self.values[place], place, self.starts[place]
end

--- Whether there is another one at trial `number` than before it; the first is no other.
function Steps:changes_at(number)
  local _, place, start = self:at(number)
  return start == number and place > 1
end

return steps
