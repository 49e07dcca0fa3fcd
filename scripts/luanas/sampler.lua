--- What everything that samples architectures has in common: samples are numbered, and sample number k
--- has a random stream of its own, so that it does not depend on how much randomness was used before.
local check = require "luanas.check"
local known = require "luanas.known"

local sampler = {}

local function sample_one(self, space, new_answer)
  local number = self.samples + 1
  local record = known.choose(space, new_answer(number), number)
  local log_prob = 0.0
  for _, decision in ipairs(record.decisions) do log_prob = log_prob + decision.log_prob end
  record.log_prob, record.sample = log_prob, number
  self.samples = number
  return record
end

--- One architecture, or a list of `count`. `new_answer` gets the sample's number and returns an answer
--- for chooser.new; self.samples counts.
function sampler.sample(owner, self, space, count, new_answer)
  if count == nil then return sample_one(self, space, new_answer) end
  local records = {}
  for i = 1, check.integer(owner, "count", count, 0) do records[i] = sample_one(self, space, new_answer) end
  return records
end

return sampler
