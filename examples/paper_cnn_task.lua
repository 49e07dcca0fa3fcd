-- What the scripts paper_cnn*.lua search: the small space of Zoph & Le 2017 on Fashion-MNIST, and the paper's reward.
--
-- Children are trained by the paper's recipe but for two things that a training of 3 epochs needs: the rate falls (by a
-- cosine), and images are not augmented. With the constant rate, the same child under another seed differs by more than
-- two children do, and a search has nothing to learn from (paper_cnn_noise.lua).
local nas = require "luanas"

local task = {}

--- depth: layers, or a schedule; other options, where they are not the small space's.
function task.space(depth, others)
  local own = { input = { 28, 28, 1 }, classes = 10, depth = depth }
  for name, value in pairs(others or {}) do own[name] = value end
  return nas.space.paper_cnn_small(own)
end

--- Options of nas.study for children of so many epochs on so many training images (0: all 55,000).
function task.study(epochs, limit, depth)
  return {
    space = task.space(depth),
    data = nas.data.fashion_mnist { limit = limit, standardize = true },
    train = {
      epochs = epochs, batch = 50,
      optimizer = nas.sgd { rate = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 },
      schedule = nas.schedule.cosine(), -- over the epochs of the child, also where an agent asks for fewer or more
    },
    limits = { macs = 30e6 }, failed = { accuracy = 0.1 },
  }
end

--- Paper, sec. 4.1: the maximum validation accuracy of the last 5 epochs, cubed; of a child that failed, what it counts
--- as, cubed.
function task.reward(trial)
  if trial.status ~= "ok" then return nas.reward.power(trial.accuracy, 3) end
  local best = 0.0
  for i = math.max(1, #trial.epochs - 4), #trial.epochs do best = math.max(best, trial.epochs[i].accuracy) end
  return nas.reward.power(best, 3)
end

--- Options of nas.agents.reinforce for a search of a few hundred children; the paper's batch is 8.
function task.reinforce(batch)
  return { batch = batch or 4, decay = 0.95, policy = { preset = "small" } }
end

return task
