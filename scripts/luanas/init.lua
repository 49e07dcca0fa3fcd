--- LuaNAS: `local nas = require "luanas"`. Modules are loaded when they are first used, so that a script
--- starts within milliseconds.
local core = require "luanas.core"

local nas = {
  version = core.version,
  math = core.math,
  stream = core.stream,
  machine = core.machine,
}

-- name = { module, field of the module or nil for the module itself }
local lazy = {
  adam = { "luanas.optimizers", "adam" },
  adamw = { "luanas.optimizers", "adamw" },
  agents = { "luanas.agents" },
  arch = { "luanas.arch", "parse" },
  audit = { "luanas.audit" },
  compare = { "luanas.compare" },
  data = { "luanas.data" },
  exact = { "luanas.exact" },
  help = { "luanas.help" },
  interrupted = { "luanas.train", "interrupted" },
  load = { "luanas.train", "load" },
  nn = { "luanas.nn" },
  open = { "luanas.opened", "open" },
  options = { "luanas.command_line", "options" },
  plot = { "luanas.plot" },
  policy = { "luanas.policy" },
  random = { "luanas.random" },
  reward = { "luanas.reward" },
  rmsprop = { "luanas.optimizers", "rmsprop" },
  schedule = { "luanas.schedules" },
  show = { "luanas.show" },
  sgd = { "luanas.optimizers", "sgd" },
  space = { "luanas.space" },
  statistics = { "luanas.statistics" },
  study = { "luanas.study" },
  tensor = { "luanas.tensor" },
  testing = { "luanas.testing" },
  train = { "luanas.train", "train" },
  watch = { "luanas.watch", "new" },
}

-- A misspelled name is an error. names.lua is loaded when there is one, or a module.

-- Where a module of nas has the name, such as "nas.nn.conv2d"; or nil. Modules that lack it raise an error.
local function home_of(name)
  for _, each in ipairs { "nn", "agents", "data", "plot", "reward", "schedule", "space", "statistics", "tensor" } do
    local ok, found = pcall(function() return nas[each][name] end)
    if ok and found ~= nil then return ("nas.%s.%s"):format(each, name) end
  end
end

local function missing(_, name)
  local names, list = require "luanas.names", {}
  for each in pairs(lazy) do list[#list + 1] = each end
  for _, each in ipairs(names.of(nas)) do
    if not lazy[each] then list[#list + 1] = each end
  end
  table.sort(list)
  return names.missing("nas", name, list, home_of(name))
end

local _, tensor_methods = debug.getupvalue(debug.getregistry()["luanas.Tensor"].__index, 1)
setmetatable(tensor_methods, {
  __index = function(_, name)
    local names = require "luanas.names"
    return names.missing("tensor", name, names.of(tensor_methods))
  end,
})

return setmetatable(nas, {
  __index = function(_, name)
    local where = lazy[name]
    if not where then return missing(_, name) end
    local module = require(where[1])
    if not where[2] and type(module) == "table" then require "luanas.names".guard("nas." .. name, module) end
    nas[name] = where[2] and module[where[2]] or module
    return nas[name]
  end,
})
