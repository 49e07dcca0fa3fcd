-- A small search in batches, by workers or alone, that prints all that two runs must have in common. What each trial is
-- worth is logged when its batch is whole, the last one first. usage: batches.lua PATH WORKERS SCALE
local core = require "luanas.core"
local nas = require "luanas"
local nn = nas.nn

local path, workers, scale = arg[1], math.tointeger(arg[2]), tonumber(arg[3])
local BATCHES, SIZE = 3, 3

local function space(c)
  local x = nn.conv2d(nn.input { 8, 8, 1 }, { kernel = c:choose("kernel", { 1, 3 }), activation = "relu",
    filters = c:choose("filters", { 2, 4, 5 }), stride = 2 })
  if c:choose("pool", { true, false }) then x = nn.max_pool(x) end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

local study = nas.study {
  path = path, checkpoint = 1, space = space, quiet = true, data = nas.data.synthetic { images = 120 },
  train = { epochs = 2, batch = 20, optimizer = nas.adam { rate = 0.01 } },
}
local policy = nas.policy { seed = 1, rate = 0.02 }

for batch = 1, BATCHES do
  local records, episodes = {}, {}
  for i = 1, SIZE do records[i] = policy:sample(space) end
  local trials = study:evaluate_all(records, { workers = workers })
  for i = SIZE, 1, -1 do
    local reward = (batch > 1 and scale or 1) * (trials[i].accuracy + trials[i].params / 100) -- not 0
    episodes[i] = { records[i], advantage = reward / SIZE }
    trials[i]:log { reward = reward }
    print("trial", trials[i].number, records[i]:line(), core.number_text(trials[i].loss), core.number_text(reward))
  end
  policy:learn(episodes)
end
print("policy", core.hash(policy:bytes()))
print("run", study:fingerprint())
