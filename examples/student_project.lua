-- The whole slide deck of the student project that re-created Zoph & Le 2017 on Fashion-MNIST (github.com/srivatsavak/
-- RL_Project), on real training and without its mistakes: REINFORCE without and with a baseline, clipped at 0.1 and at
-- 0.05, what the project calls its actor-critic (nas.agents.lookahead), and an actor-critic. Each search has 20 updates
-- with networks of 10 epochs, as there. Run again, it goes on where it was.
local nas = require "luanas"
local nn = nas.nn

local options = nas.options(arg, {
  updates = { 20, "of the controller in each search", least = 2 },
  epochs = { 10, "passes over the training images for each network", least = 1 },
  limit = { 0, "training images; 0 takes all 55,000" },
  seed = { 1, "seed of the searches" },
  path = { "student_project.db", "file that keeps them" },
  out = { "", "folder for the pictures, which must exist; none: the terminal" },
})

local function space(c)
  local x = nn.input { 28, 28, 1 }
  for layer = 1, 4 do
    local kernel = c:choose("kernel", { 1, 3 })
    local filters = c:choose("filters", { 32, 48, 64 })
    x = nn.conv2d(x, { filters = filters, kernel = kernel, stride = layer % 2 == 1 and 2 or 1, activation = "relu" })
  end
  return nn.dense(nn.global_avg_pool(x), { units = 10 })
end

-- What the slides say, as far as they do: standard deviation and variance of the series of rewards. The first deviation
-- is not the root of its variance; they don't say for which clip the second pair is.
local agents = nas.agents
local SEARCHES = {
  { "no baseline", agents.reinforce { preset = "student", seed = options.seed, baseline = "none", clip = false },
    slide = { 0.764, 0.0059 } },
  { "baseline, clip 0.1", agents.reinforce { preset = "student", seed = options.seed }, slide = { 0.0587, 0.003454 } },
  { "baseline, clip 0.05", agents.reinforce { preset = "student", seed = options.seed, clip = 0.05 },
    slide = { 0.0587, 0.003454 } },
  { "look-ahead", agents.lookahead { seed = options.seed, policy = { units = 32, l2 = 0.01 } }, networks = 2,
    slide = { 0.0447, 0.001997 } },
  { "actor-critic", agents.actor_critic { seed = options.seed, clip = 0.1, policy = { units = 32, l2 = 0.01 } } },
}

-- ---- Searching -------------------------------------------------------------------------------------

local data, first = nas.data.fashion_mnist { limit = options.limit }, nil
local subjects = {}
for i, each in ipairs(SEARCHES) do
  local study = nas.study {
    name = each[1], space = space, data = data,
    train = { epochs = options.epochs, batch = 250, optimizer = nas.adam { rate = 1e-3 } },
    failed = { accuracy = 0.1 },
    store = first and first.store or nil, path = not first and options.path or nil,
  }
  first = first or study -- all of them share its file, and with it their evaluations
  study:run(each[2], { trials = options.updates * (each.networks or 1) })
  subjects[i] = { title = each[1], trials = study:trials() }
  study:close()
end

-- ---- The table -------------------------------------------------------------------------------------

local statistics = nas.statistics

-- A logged value, or a metric, of all trials that have it.
local function series(trials, name)
  local values = {}
  for _, trial in ipairs(trials) do
    local value = trial.logged[name] or trial.metrics[name]
    if value then values[#values + 1] = value end
  end
  return values
end

-- What the variance of the reward series should be, as a multiple of that of independent accuracies, without clipping:
-- an exponential average of earlier ones with decay 0.8 adds its own, 2 / (1 + 0.8) - 1. The second architecture of the
-- look-ahead counts 0.7 times, and the average of both is the same one: it counts 1.7 times.
local OF_AVERAGE = 2 / 1.8 - 1
local OF_LOOKAHEAD = 1 + 0.7 * 0.7 + 1.7 * 1.7 * OF_AVERAGE
local PREDICTED = { 1, 1 + OF_AVERAGE, 1 + OF_AVERAGE, OF_LOOKAHEAD, 1 + OF_AVERAGE }

local all = {}
for _, subject in ipairs(subjects) do
  for _, value in ipairs(series(subject.trials, "accuracy")) do all[#all + 1] = value end
end
local spread = #all > 1 and statistics.sd(all) or 0.0

print("                      accuracy             reward series                    the slides          predicted")
print("search                mean    best    sd   deviation  variance  clipped   deviation  variance   variance")
for i, subject in ipairs(subjects) do
  local agent, accuracies = SEARCHES[i][2], series(subject.trials, "accuracy")
  local rewards = series(subject.trials, "advantage")
  local deviation, slide = statistics.sd(rewards), SEARCHES[i].slide
  print(("%-20s %.4f  %.4f %.4f %9.4f %10.6f %4d/%-4d %10s %10s %10.6f"):format(subject.title,
    statistics.mean(accuracies), statistics.quantile(accuracies, 1), statistics.sd(accuracies), deviation,
    deviation * deviation, agent.clip.clipped, agent.clip.count, slide and slide[1] or "-", slide and slide[2] or "-",
    PREDICTED[i] * spread * spread))
end
print(("predicted: of rewards that are not clipped, from the deviation %.4f of all accuracies. It says nothing of the\n"
  .. "variance of the gradient, which is what a baseline lowers: examples/gradient_variance.lua does"):format(spread))

-- ---- The pictures ----------------------------------------------------------------------------------

local function path(name) return options.out and ("%s/%s.svg"):format(options.out, name) or nil end

nas.plot.accuracy(subjects, path "accuracy", { title = "Accuracy over time" })
nas.plot.logged(subjects, path "reward", { name = "advantage", title = "What the controller learns from" })
nas.plot.loss(subjects, path "loss", { title = "Controller loss" })
nas.plot.entropy(subjects, path "entropy")
nas.plot.incumbent(subjects, path "incumbent")
if options.out then -- these are for looking at
  nas.plot.options(subjects[2].trials, path "options", { title = "Shares of options: " .. subjects[2].title })
  nas.plot.pareto(subjects, path "pareto")
  nas.plot.curves(subjects[2].trials, path "curves")
end
