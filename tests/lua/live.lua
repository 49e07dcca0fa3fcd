-- A search whose reward somebody changes three times while it runs, that prints all that two runs must have in common.
-- The file is changed before certain trials, once: who runs the search again finds it as it was left. usage: live.lua
-- PATH [WORKERS [TRIAL before which it is killed]]
local core = require "luanas.core"
local nas = require "luanas"
local nn = nas.nn

local path, workers, killed_at = arg[1], math.tointeger(arg[2] or 1), math.tointeger(arg[3])
local file = path .. ".reward.lua"

-- By the first trial; each remembers what it was asked, as no reward should.
local VERSIONS = {
  { 1, "local n = 0\nreturn function(t) n = n + 1; return t.accuracy + n / 64 end" },
  { 5, "return function(t) return t.accuracy - t.params / 1000 end" },
  { 9, "local nas = require 'luanas'\nreturn function(t) return nas.reward.power(t.accuracy, 3) end" },
  { 13, "local n = 0\nreturn function(t) n = n + 1; return t.accuracy + n / 64 end" },
}

local function content()
  local handle <close> = assert(io.open(file))
  return handle:read "a"
end

local function save(source) -- whole or not at all
  local handle = assert(io.open(file .. ".new", "w"))
  handle:write(source)
  handle:close()
  assert(os.rename(file .. ".new", file))
end

local function space(c)
  local x = nn.conv2d(nn.input { 8, 8, 1 }, { kernel = c:choose("kernel", { 1, 3 }), activation = "relu",
    filters = c:choose("filters", { 2, 4, 5 }), stride = 2 })
  if c:choose("pool", { true, false }) then x = nn.max_pool(x) end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

if not io.open(file) then save(VERSIONS[1][2]) end
local study = nas.study {
  path = path, space = space, quiet = true, data = nas.data.synthetic { images = 120 },
  train = { epochs = 1, batch = 20, optimizer = nas.adam { rate = 0.01 } },
}
local agent = nas.agents.reinforce { seed = 1, batch = 2, policy = { rate = 0.05 } }
local propose = agent.propose
function agent:propose(...)
  local number = study.number + 1
  for i = 2, #VERSIONS do
    if number == VERSIONS[i][1] and content() == VERSIONS[i - 1][2] then save(VERSIONS[i][2]) end
  end
  if killed_at and number >= killed_at then os.execute "kill -KILL $PPID" end
  return propose(self, ...)
end

study:run(agent, { trials = 16, reward = nas.watch(file), restart_baseline = true, workers = workers })
for trial in study:each() do
  print("trial", trial.number, trial.arch:line(), core.number_text(trial.loss), core.number_text(trial.logged.reward),
    core.number_text(trial.logged.advantage))
end
print("policy", core.hash(agent.policy:bytes()))
print("run", study:fingerprint())
