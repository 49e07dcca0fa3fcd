--- Descriptions of optimisers: plain tables, checked when they are made.
local core = require "luanas.core"
local check = require "luanas.check"

local optimizers = {}

local function description(name, options)
  local known, own = {}, { name = name }
  for _, option in ipairs(core.options().optimizers[name]) do known[#known + 1] = option.name end
  for key, value in pairs(check.options(name, options, known)) do own[key] = value end
  check.core(core.recipe, { optimizer = own })
  return own
end

function optimizers.sgd(options)
  return description("sgd", options)
end

function optimizers.rmsprop(options)
  return description("rmsprop", options)
end

function optimizers.adam(options)
  return description("adam", options)
end

function optimizers.adamw(options)
  return description("adamw", options)
end

return optimizers
