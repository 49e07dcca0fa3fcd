-- A small search that prints all that two runs must have in common, bit for bit: decisions, log-probabilities, metrics,
-- logged values, the policy's bytes. usage: reproducible.lua SEED THREADS MICRO_BATCH [PATH OF A STORE]
local core = require "luanas.core"
local nas = require "luanas"
local nn = nas.nn

local seed, threads, micro_batch = math.tointeger(arg[1]), math.tointeger(arg[2]), math.tointeger(arg[3])

-- Odd sizes, a branch, and a convolution for Winograd's algorithm.
local function space(c)
  local x = nn.conv2d(nn.input { 9, 7, 1 }, { kernel = 1, filters = 16 })
  x = nn.conv2d(x, { kernel = 3, filters = 16, activation = "relu" })
  local kernel, filters = c:choose("kernel", { 1, 3 }), c:choose("filters", { 5, 18 })
  x = nn.relu(nn.conv2d(x, { kernel = { kernel, 3 }, filters = filters, stride = 2 }))
  if c:choose("pool", { true, false }) then x = nn.max_pool(x, { pool = 2, padding = "same" }) end
  x = nn.conv2d(x, { kernel = c:choose("kernel", { 1, 3 }), filters = 6, activation = "relu", init = "he_uniform" })
  if c:choose("head", { "pooled", "whole" }) == "pooled" then x = nn.global_avg_pool(x) end
  return nn.dense(x, { units = 10 })
end

local study = nas.study {
  path = arg[4], checkpoint = 1, space = space, threads = threads, micro_batch = micro_batch, quiet = true,
  data = nas.data.synthetic { images = 180, height = 9, width = 7 },
  train = {
    epochs = 2, batch = 50,
    optimizer = seed % 2 == 0 and nas.sgd { rate = 0.1, momentum = 0.9 } or nas.adam(),
  },
}
local policy = nas.policy { seed = seed, layers = 2, units = 9, init = 0.1, rate = 0.01 }
local baseline = nas.reward.moving_average(0.8)

local function show(name, values, skip)
  local names = {}
  for key, value in pairs(values) do
    if not (skip and skip[key]) and type(value) ~= "table" then names[#names + 1] = key end
  end
  table.sort(names)
  for i, key in ipairs(names) do names[i] = key .. "=" .. core.number_text(values[key]) end
  print(name, table.concat(names, " "))
end

-- What version 1 of the format made of a policy without a value head. The test's digest was taken of it: the bits of
-- such policies do not change with the format.
local function version_1(bytes)
  local body = bytes:sub(1, 120) .. bytes:sub(129, -17) -- value_rate, checksum
  body = body:sub(1, 8) .. string.pack("<I4 I4 I8", 1, 0, #body + 16) .. body:sub(25)
  local checksum = core.hash(body):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)
  return body .. checksum:reverse()
end

for _ = 1, 6 do
  local arch = policy:sample(space)
  local trial = study:evaluate(arch)
  local advantage = baseline:advantage(trial.accuracy)
  local learned = policy:learn { { arch, advantage = advantage, entropy = 0.01 } }
  trial:log { advantage = advantage, loss = learned.loss, entropy = learned.entropy, kl = learned.kl }
  print("trial", trial.number, arch:line(), core.number_text(arch.log_prob))
  show("metrics", trial.metrics, trial.measured)
  show("logged", trial.logged)
end
print("policy", core.hash(version_1(policy:bytes())))
print("run", study:fingerprint())
