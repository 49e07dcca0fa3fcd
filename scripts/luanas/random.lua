--- Uniform sampling, with the same interface as a policy: the agent that every other is compared with.
local core = require "luanas.core"
local check = require "luanas.check"
local random_answer = require "luanas.choosers.random"
local sampler = require "luanas.sampler"
local text_table = require "luanas.text_table"

local Random = { __name = "luanas.Random" }
Random.__index = Random

local DEFAULT_SEED = 1

function Random:sample(space, count)
  return sampler.sample("random:sample", self, space, count, function(number)
    return random_answer(core.stream(self.seed, "uniform sample", number))
  end)
end

function Random:__tostring()
  return ("luanas.Random: seed %d, %s"):format(self.seed, text_table.counted(self.samples, "sample"))
end

check.colons("random", Random)

--- nas.random { seed = 1 }
return function(options)
  check.options("random", options, { "seed" })
  local seed = check.seed("random", "seed", options and options.seed or DEFAULT_SEED)
  return setmetatable({ seed = seed, samples = 0 }, Random)
end
