-- How many trials a second a study in a file takes that trains nothing for them: written, followed by the same script
-- run again, and with a policy that samples and learns each. Memory, and the time of a command, as the file grows.
local nas = require "luanas"
local core = require "luanas.core"
local commands = require "luanas.commands"
local nn = nas.nn

local options = nas.options(arg, { trials = { 100000, "trials of each run" } })
local SLICES = 5

local path = os.tmpname()
local _ <close> = setmetatable({}, { __close = function()
  for _, ending in ipairs { "", "-wal", "-shm", "-lock" } do os.remove(path .. ending) end
end })

-- 1,296 networks in 8 decisions, so small that all of them are trained in seconds.
local function space(c)
  local x = nn.input { 8, 8, 1 }
  for layer = 1, 4 do
    local kernel, filters = c:choose("kernel", { 1, 3 }), c:choose("filters", { 2, 3, 4 })
    x = nn.conv2d(x, { kernel = kernel, filters = filters, stride = layer % 2 == 1 and 2 or 1, activation = "relu" })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

local function resident()
  for line in io.lines "/proc/self/status" do
    local kibibytes = line:match "^VmRSS:%s+(%d+)"
    if kibibytes then return kibibytes / 1024 end
  end
end

local function file_size()
  local file <close> = assert(io.open(path))
  return file:seek "end" / 2 ^ 20
end

-- Takes the trials; each slice is a row. One that trained anything is marked.
local function take(title, agent, learn)
  local study <close> = nas.study {
    path = path, space = space, data = nas.data.synthetic { images = 40 }, quiet = true,
    train = { epochs = 1, batch = 20, optimizer = nas.adam { rate = 0.01 } },
  }
  local slice = math.max(1, options.trials // SLICES)
  local began, trained = core.clock(), 0
  for number = 1, options.trials do
    local trial = study:evaluate(agent:sample(space))
    if learn then
      local learned = agent:learn { { trial.arch, advantage = trial.accuracy - 0.1 } }
      trial:log { reward = trial.accuracy, entropy = learned.entropy }
    else
      trial:log { reward = trial.accuracy }
    end
    if not trial.recalled then trained = trained + 1 end
    if number % slice == 0 then
      print(("%-28s %8d %10.0f %8d %8.1f %8.1f"):format(title, number, slice / (core.clock() - began), trained,
        resident(), file_size()))
      began, trained = core.clock(), 0
    end
  end
end

print(("%-28s %8s %10s %8s %8s %8s"):format("trials of", "up to", "a second", "trained", "MiB", "file MiB"))
take("random, written", nas.random { seed = 1 })
take("random, followed", nas.random { seed = 1 })
take("policy learning, written", nas.policy { seed = 1 }, true)
take("policy learning, followed", nas.policy { seed = 1 }, true)

local began = core.clock()
local original = io.stdout
local null <close> = assert(io.open("/dev/null", "w"))
io.stdout = null -- luacheck: ignore 122
local status = commands.run("trials", { path, "--sort", "accuracy", "--top", "20" })
io.stdout = original -- luacheck: ignore 122
print(("luanas trials FILE --sort accuracy --top 20: %.2f s"):format(core.clock() - began))
assert(status == 0)
