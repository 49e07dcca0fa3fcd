-- The final phase of Zoph & Le 2017, sec. 4.1: the best networks of a search, with a small grid over rate, weight
-- decay and the epochs at which the rate falls; the best of these by validation accuracy is trained longer; and with
-- --test, once, the test images are opened. Searches look at small children; as the paper gives its best network more
-- filters, the finalists get the same decisions with more filters and at twice the resolution.
--
-- Run again, it goes on where it was.
local nas = require "luanas"

local HERE = arg[0]:match "^.*/" or ""

local options = nas.options(arg, {
  from = { HERE .. "paper_cnn_found.txt", "file of what paper_cnn_searches.lua has found" },
  top = { 2, "finalists", least = 1 },
  filters = { 16, "of the narrowest layers, which had 12; the others are widened as much", least = 2 },
  stride = { 1, "of the stem, which had 2", least = 1 },
  epochs = { 5, "of each training of the grid", least = 2 },
  limit = { 10000, "training images of the grid; 0 takes all 55,000", least = 0 },
  long = { 40, "epochs of the last training", least = 2 },
  images = { 0, "training images of the last training", least = 0 },
  path = { "paper_cnn_final.db", "file that keeps the trainings" },
  out = { "", "folder for a picture of the network, which must exist" },
  test = { false, "open the test images for the network of the last training; there is no second time" },
})

local RATES, WEIGHT_DECAYS = { 0.1, 0.05 }, { 1e-4, 5e-4 }
local DECAY_EVERY = { 0.4, 0.75 } -- shares of the epochs: the first falls twice

local fewest = options.filters -- and the others as in paper_cnn_small: 12, 18, 24 and 36
local space = nas.space.paper_cnn_small {
  input = { 28, 28, 1 }, classes = 10, filters = { fewest, fewest * 3 // 2, fewest * 2, fewest * 3 },
  stem = { filters = fewest, stride = options.stride, pool = 2 },
}

-- The decisions of the search, by the numbers of their options: the options themselves are others.
local function larger(found)
  return nas.space.choose(space, function(_, position) return found.decisions[position].chosen end)
end

local finalists = {}
for line in io.lines(options.from) do
  if #finalists < options.top then finalists[#finalists + 1] = larger(nas.arch(line:match " (.*)")) end
end

local function images(limit) return nas.data.fashion_mnist { limit = limit, standardize = true } end
local grid_data, long_data = images(options.limit), images(options.images)

-- A study for each recipe; they share a file.
local first
local function study_of(data, epochs, rate, weight_decay, decay_every)
  local study = nas.study {
    name = ("%d epochs, rate %g, weight decay %g, decay every %g"):format(epochs, rate, weight_decay, decay_every),
    space = space, data = data, path = not first and options.path or nil, store = first and first.store or nil,
    train = {
      epochs = epochs, batch = 50,
      optimizer = nas.sgd { rate = rate, momentum = 0.9, nesterov = true, weight_decay = weight_decay },
      schedule = nas.schedule.step { every = math.max(1, epochs * decay_every // 1 | 0) },
      augment = { pad_crop = 2, flip = 0.5 },
    },
  }
  first = first or study
  return study
end

-- ---- The grid --------------------------------------------------------------------------------------

print "finalist  rate  weight decay  decay every  validation accuracy"
local best
for number, arch in ipairs(finalists) do
  for _, rate in ipairs(RATES) do
    for _, weight_decay in ipairs(WEIGHT_DECAYS) do
      for _, decay_every in ipairs(DECAY_EVERY) do
        local trial = study_of(grid_data, options.epochs, rate, weight_decay, decay_every):evaluate(arch)
        print(("%8d  %4g  %12g  %11g  %.4f"):format(number, rate, weight_decay, decay_every, trial.accuracy or 0))
        if trial.accuracy and (not best or trial.accuracy > best.accuracy) then
          best = { accuracy = trial.accuracy, arch = arch, recipe = { rate, weight_decay, decay_every } }
        end
      end
    end
  end
end
if not best then error("no training of the grid went well", 0) end

-- ---- The last training, and the test ---------------------------------------------------------------

local study = study_of(long_data, options.long, table.unpack(best.recipe))
local trial = study:evaluate(best.arch)
nas.plot.network(nas.space.build(space, best.arch), options.out and options.out .. "/final.svg" or nil)
print(("validation accuracy %.4f; %d parameters, %d multiply-accumulates for an image, %.0f s of training"):format(
  trial.accuracy, trial.params, trial.macs, trial.seconds))
if options.test then
  local found = study:final(trial, { intent = "the network that the paper's recipe found" })
  print(("test accuracy %.4f"):format(found.accuracy))
else
  print "run again with --test to open the test images, once"
end
