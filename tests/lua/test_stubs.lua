-- Every public function of the package is described in a stub (scripts/luanas/meta/), and nothing else is. The stub of
-- luanas.core has its own test in tests/bindings.
local lu = require "luaunit"
local build = require "luanas.build"
local core = require "luanas.core"
local nas = require "luanas"
local spaces = require "spaces"

local T = {}

local FOLDER = os.getenv "LUANAS_SOURCE" .. "/scripts/luanas/meta/"
local STUBS = { "agents", "audit", "compare", "data", "exact", "help", "init", "nn", "plot", "policy", "profile",
  "reward", "schedule", "show", "space", "statistics", "study", "tensor", "testing" }

local function read(name)
  local file = assert(io.open(FOLDER .. name .. ".lua"))
  local text = file:read "a"
  file:close()
  return text
end

-- From class to a set of the functions that a stub declares for it, and whether each is preceded by a comment.
local function described()
  local classes = {}
  for _, stub in ipairs(STUBS) do
    local class_of, class, previous = {}, nil, ""
    for line in read(stub):gmatch "[^\n]*" do
      class = line:match "^%-%-%-@class ([%w_.]+)" or class
      local variable = line:match "^local ([%w_]+) = {}$"
      if variable then
        class_of[variable] = class
        classes[class] = {}
      end
      local owner, name = line:match "^function ([%w_]+)[.:]([%w_]+)%(.*%) end$"
      if owner then
        lu.assertNotNil(class_of[owner], stub .. ": " .. line)
        lu.assertTrue(previous:find "^%-%-%-" ~= nil, stub .. " has no comment above: " .. line)
        classes[class_of[owner]][name] = true
      end
      previous = line
    end
  end
  return classes
end

local function functions(owner)
  local set = {}
  for name, value in pairs(owner) do
    if type(value) == "function" and name:sub(1, 2) ~= "__" then set[name] = true end
  end
  return set
end

local function methods(object)
  local class = getmetatable(object)
  return functions(class.__index == nil and class or type(class.__index) == "table" and class.__index or class)
end

-- The same for what is really there.
local function real()
  for _, name in ipairs { "adam", "adamw", "arch", "audit", "compare", "exact", "open", "options", "random", "rmsprop",
    "sgd", "watch" } do
    lu.assertIsFunction(nas[name])
  end
  for _, name in ipairs(nas.agents.names()) do lu.assertIsFunction(nas.agents[name]) end
  local chooser
  build.run(function(c)
    chooser = c
    return nas.nn.input { 1, 1, 1 }
  end, require "luanas.chooser".new(require "luanas.choosers.random"(nas.stream(1, "x"))))
  local node = nas.nn.input { 1, 1, 1 }
  local study, arch = spaces.study(), nas.arch "kernel=3{1,3} filters=2{2,4}"
  local agent, rewards = nas.agents.reinforce { baseline = "none" }, {}
  for i, each in ipairs(spaces.all(spaces.tiny)) do rewards[each:line()] = i end
  local path = os.tmpname()
  spaces.study({ path = path }):evaluate(arch)
  local file <close> = nas.open(path)
  os.remove(path)
  local reward_path = os.tmpname()
  do
    local handle <close> = assert(io.open(reward_path, "w"))
    handle:write "return function(trial) return trial.accuracy end"
  end
  local watched = nas.watch(reward_path)
  os.remove(reward_path)
  return {
    ["luanas"] = functions(nas),
    ["luanas.agents"] = functions(nas.agents),
    ["luanas.tensor"] = functions(nas.tensor),
    ["luanas.testing"] = functions(nas.testing),
    ["luanas.help"] = functions(nas.help),
    ["luanas.show"] = functions(nas.show),
    ["luanas.nn"] = functions(nas.nn),
    ["luanas.space"] = functions(nas.space),
    ["luanas.plot"] = functions(nas.plot),
    ["luanas.policy"] = functions(nas.policy),
    ["luanas.reward"] = functions(nas.reward),
    ["luanas.statistics"] = functions(nas.statistics),
    ["luanas.schedule"] = functions(nas.schedule),
    ["luanas.data"] = functions(nas.data),
    ["luanas.study"] = functions(nas.study),
    ["luanas.Node"] = { plan = methods(node).plan }, -- what the package adds to a type of the core
    ["luanas.Network"] = { plan = methods(core.network(node)).plan },
    ["luanas.Chooser"] = methods(chooser),
    ["luanas.Arch"] = methods(arch),
    ["luanas.Random"] = methods(nas.random()),
    ["luanas.Policy"] = methods(nas.policy()),
    ["luanas.MovingAverage"] = methods(nas.reward.moving_average(0.5)),
    ["luanas.Clip"] = methods(nas.reward.clip(1)),
    ["luanas.Reward"] = methods(nas.reward.mnas { cost = "params", target = 1 }),
    ["luanas.Watched"] = methods(watched),
    ["luanas.Switch"] = methods(nas.reward.switch { [1] = print }),
    ["luanas.Agent"] = { propose = true, learn = true, reward_changed = true }, -- what a user's agent has, too
    ["luanas.Exact"] = methods(nas.exact(agent.policy, spaces.tiny, rewards)),
    ["luanas.Audit"] = methods(nas.audit(agent, spaces.tiny, rewards, { updates = 3, warmup = 0 })),
    ["luanas.Compared"] = methods(nas.compare { agents = { "enumerate" }, seeds = 1, space = spaces.tiny,
      rewards = rewards, quiet = true }),
    ["luanas.Data"] = methods(spaces.data()),
    ["luanas.Study"] = methods(study),
    ["luanas.Trial"] = methods(study:evaluate(arch)),
    ["luanas.File"] = methods(file),
    ["luanas.OpenedStudy"] = methods(file:study()),
  }
end

function T.test_stubs_and_package_agree()
  lu.assertEquals(described(), real())
end

function T.test_stubs_are_lua_and_name_their_module()
  for _, stub in ipairs(STUBS) do
    local text = read(stub)
    lu.assertStrMatches(text, "^%-%-%-@meta luanas.*")
    lu.assertEquals(text:match "^%-%-%-@meta ([%w.]+)", stub == "init" and "luanas" or "luanas." .. stub)
    lu.assertIsTable(assert(load(text, "=" .. stub, "t", {}))())
  end
end

function T.test_parameters_are_those_of_the_functions()
  local wrong = {}
  for _, stub in ipairs(STUBS) do
    local documented = {}
    for line in read(stub):gmatch "[^\n]*" do
      local name = line:match "^%-%-%-@param ([%w_.]+)"
      if name then documented[#documented + 1] = name end
      local parameters = line:match "^function [%w_.:]+%((.*)%) end$"
      if parameters then
        if table.concat(documented, ", ") ~= parameters then wrong[#wrong + 1] = stub .. ": " .. line end
        documented = {}
      end
    end
  end
  lu.assertEquals(wrong, {})
end

return T
