-- Every public function of the package is described in a stub (scripts/luanas/meta/), and nothing else is. The stub of
-- luanas.core has its own test in tests/bindings.
local lu = require "luaunit"
local build = require "luanas.build"
local core = require "luanas.core"
local files = require "files"
local nas = require "luanas"
local spaces = require "spaces"
local stubs = require "luanas.stubs"

local T = {}

local FOLDER = os.getenv "LUANAS_SOURCE" .. "/scripts/luanas/meta/"
local STUBS = {}
for _, name in ipairs(stubs.NAMES) do
  if name ~= "core" then STUBS[#STUBS + 1] = name end
end

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
  for _, field in ipairs(stubs.all().classes.luanas.fields) do
    if field.type:find "^fun" then classes.luanas[field.name] = true end
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

local function trained()
  local network = nas.nn.dense(nas.nn.input { 8, 8, 1 }, { units = 10 })
  return nas.train(network, spaces.data(), { epochs = 1, batch = 16, quiet = true })
end

-- The same for what is really there.
local function real()
  for _, name in ipairs { "adam", "adamw", "arch", "audit", "compare", "exact", "interrupted", "load", "open",
    "options", "random", "rmsprop", "sgd", "train", "watch" } do
    lu.assertIsFunction(nas[name])
  end
  for _, name in ipairs(nas.agents.names()) do lu.assertIsFunction(nas.agents[name]) end
  local chooser
  build.run(function(c)
    chooser = c
    return nas.nn.input { 1, 1, 1 }
  end, require "luanas.chooser".new(require "luanas.choosers.random"(nas.stream(1, "x"))))
  local node = nas.nn.input { 1, 1, 1 }
  local model <close> = trained()
  local study, arch = spaces.study(), nas.arch "kernel=3{1,3} filters=2{2,4}"
  local agent, rewards = nas.agents.reinforce { baseline = "none" }, {}
  for i, each in ipairs(spaces.all(spaces.tiny)) do rewards[each:line()] = i end
  spaces.study({ path = files.path }):evaluate(arch)
  local file <close> = nas.open(files.path)
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
    ["luanas.train"] = functions { train = nas.train, interrupted = nas.interrupted, load = nas.load },
    ["luanas.TrainedModel"] = methods(model),
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
    ["luanas.Agent"] = methods(agent),
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

-- ---- Options ---------------------------------------------------------------------------------------

-- The names of options of a type: classes, tables that are written out, or both.
local function options_of(kind)
  local names = {}
  for alternative in (kind:gsub("%b()", "") .. "|"):gmatch "%s*(.-)%s*|" do
    local class = stubs.all().classes[alternative]
    for _, field in ipairs(class and stubs.fields(class) or {}) do
      if field.name:find "^%a" then names[#names + 1] = field.name end
    end
    for name in alternative:gmatch "[{,]%s*(%a[%w_]*)%??:" do names[#names + 1] = name end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- What a function says that it knows when it gets an option that nobody knows; nil where it says nothing.
local function known_of(f, ...)
  local ok, message = pcall(f, ...)
  return not ok and tostring(message):match 'unknown option "zzz"; known options: ([^\n]*)' or nil
end

-- Those that take something else, or pass it on.
local NO_OPTIONS = {
  ["luanas.Chooser.choose"] = true, ["luanas.agents.options"] = true, ["luanas.agents.policy"] = true,
}

-- What functions are called with: by the names of their other parameters, and by the classes that they belong to.
local function subjects_of(study, opened, model)
  local input, policy, arch = nas.nn.input { 8, 8, 1 }, nas.policy(), spaces.all(spaces.tiny)[1]
  local rewards = {}
  for i, each in ipairs(spaces.all(spaces.tiny)) do rewards[each:line()] = i end
  return {
    input = input, inputs = { input }, output = input, target = input, network = input, data = spaces.data(),
    policy = policy, space = spaces.tiny, agent = nas.agents.reinforce(), f = rewards, record = arch,
    records = { arch }, archs = arch, decay = 0.5, list = { 1, 2, 3 }, a = { 1, 2, 3 }, b = { 4, 5, 6 },
    path = "/none/at.svg", value = 1, model = model, subject = study,
  }, {
    ["luanas.Policy"] = policy, ["luanas.Study"] = study, ["luanas.OpenedStudy"] = opened, ["luanas.Node"] = input,
    ["luanas.Network"] = core.network(input), ["luanas.TrainedModel"] = model,
    ["luanas.Exact"] = nas.exact(policy, spaces.tiny, rewards), ["luanas.train"] = nas,
  }
end

function T.test_options_are_those_that_functions_know()
  local model <close> = trained()
  local study <close> = spaces.study { path = files.path }
  study:evaluate(spaces.all(spaces.tiny)[1])
  local file <close> = nas.open(files.path)
  local subjects, owners = subjects_of(study, file:study(), model)
  local stub, known = {}, {}
  for name, each in pairs(stubs.all().functions) do
    local count = #each.parameters
    local last = each.parameters[count]
    if each.module.file ~= "core" and last and last.name == "options" and not NO_OPTIONS[name] then
      local owner = owners[each.class.name] or nas[each.class.name:match "^luanas%.(%l+)$"] or nas
      local arguments = each.is_method and { owner } or {}
      for i = 1, count - 1 do
        local parameter = each.parameters[i].name
        lu.assertNotNil(subjects[parameter], name .. ": " .. parameter)
        table.insert(arguments, subjects[parameter])
      end
      table.insert(arguments, { zzz = 1 })
      stub[name], known[name] = options_of(last.type), known_of(owner[each.short], table.unpack(arguments))
    end
  end
  for _, name in ipairs { "policy", "show", "study" } do -- modules that are called
    stub[name] = options_of(("luanas.%s.Options"):format(name))
    known[name] = known_of(nas[name], { zzz = 1 }, { zzz = 1 })
  end
  lu.assertEquals(known, stub)
end

-- ---- Examples --------------------------------------------------------------------------------------

-- The examples of a stub: what is indented behind "Example:", with the line of the stub that it begins at.
local function examples_of(stub)
  local list, example, number = {}, nil, 0
  for line in read(stub):gmatch "([^\n]*)\n" do
    number = number + 1
    local code = line:match "^%-%-%-   (.*)$"
    if line == "--- Example:" then
      example = { line = number + 2, code = {} }
      list[#list + 1] = example
    elseif example and code then
      table.insert(example.code, code)
    elseif line ~= "---" then
      example = nil
    end
  end
  return list
end

-- What the examples speak of.
local function surroundings()
  local data = nas.data.synthetic { images = 200 }
  local study = spaces.study { data = data, quiet = true }
  local network = nas.space.build(spaces.tiny, nas.random():sample(spaces.tiny))
  return setmetatable({
    nas = nas, nn = nas.nn, data = data, space = spaces.tiny, policy = nas.policy { seed = 1 }, study = study,
    model = nas.train(network, data, { epochs = 1, batch = 50, quiet = true }), print = function() end,
  }, { __index = _G })
end

function T.test_examples_run()
  local output, count = files.stream {}, 0
  local function run(where, example)
    local chunk = assert(load(table.concat(example.code, "\n"), "=" .. where, "t", surroundings()))
    local ok, problem = pcall(chunk)
    lu.assertTrue(ok, where .. ": " .. tostring(problem))
    count = count + 1
  end
  files.with(io, "stdout", output, function()
    files.with(io, "stderr", output, function()
      for _, stub in ipairs(STUBS) do
        for _, example in ipairs(examples_of(stub)) do run(("%s.lua:%d"):format(stub, example.line), example) end
      end
    end)
  end)
  lu.assertTrue(count >= 28, count)
end

function T.test_modules_have_examples()
  for _, stub in ipairs { "agents", "data", "nn", "plot", "policy", "reward", "space", "study", "tensor", "train" } do
    lu.assertTrue(#examples_of(stub) > 0, stub)
  end
end

return files.each_without(T)
