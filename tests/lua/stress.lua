-- One of many processes on one file: trains tiny children until the time is over, and prints what it trained.
-- usage: stress.lua PATH SEED SECONDS
local nas = require "luanas"
local nn = nas.nn

local path, seed, seconds = arg[1], math.tointeger(arg[2]), tonumber(arg[3])

local function space(c)
  local x = nn.input { 8, 8, 1 }
  for _ = 1, c:choose("depth", { 1, 2 }) do
    local kernel, filters = c:choose("kernel", { 1, 2, 3 }), c:choose("filters", { 2, 3, 4, 5, 6, 7, 8, 9 })
    x = nn.conv2d(x, { kernel = kernel, filters = filters })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

local study <close> = nas.study {
  path = path, space = space, data = nas.data.synthetic { images = 40 }, seed = seed,
  train = { epochs = 2, batch = 16, optimizer = nas.adam { rate = 0.01 } },
}
local random, ends = nas.random { seed = seed }, os.time() + seconds
while os.time() < ends do
  local trial = study:evaluate(random:sample(space))
  trial:log { reward = trial.accuracy }
  if not trial.recalled then print("trained", trial.network) end
  io.stdout:flush()
end
print "finished"
