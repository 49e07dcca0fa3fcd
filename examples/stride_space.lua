-- Kernel, filters and stride all chosen: the slides of the student project name the stride as a choice, their code
-- fixes it. Strides of 1 everywhere cost some 20 times the multiply-accumulates of strides of 2, so the study has a
-- limit: what is above it is a failed trial that costs nothing, and counts as guessing.
local nas = require "luanas"
local nn = nas.nn

local options = nas.options(arg, {
  trials = { 60, "architectures to sample", least = 1 },
  epochs = { 1, "passes over the training images for each", least = 1 },
  limit = { 0, "training images; 0 takes all 55,000" },
  macs = { 4000000, "multiply-accumulates for one image that a network may take", least = 1 },
  agent = { "reinforce", "who searches: a name of nas.agents" },
  seed = { 1, "of the search" },
  path = { "", "file that keeps the study" },
})

-- 46,656 architectures of three layers with 36 choices each.
local function space(c)
  local x = nn.input { 28, 28, 1 }
  for _ = 1, 3 do
    x = nn.conv2d(x, {
      kernel = c:choose("kernel", { 1, 3, 5, 7 }), filters = c:choose("filters", { 24, 36, 48 }),
      stride = c:choose("stride", { 1, 2, 3 }), activation = "relu",
    })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

local study = nas.study {
  space = space, data = nas.data.fashion_mnist { limit = options.limit }, path = options.path,
  train = { epochs = options.epochs, batch = 250, optimizer = nas.adam { rate = 1e-3 } },
  limits = { macs = options.macs }, failed = { accuracy = 0.1 },
}
study:run(nas.agents[options.agent] { seed = options.seed }, { trials = options.trials })
study:report()
