-- The final phase of Zoph & Le 2017, sec. 4.1: the best networks of a search, with a small grid over rate, weight
-- decay and how the rate falls; one of these, chosen by validation accuracy, is trained longer; and with --test, once,
-- the test images are opened. Searches look at small children; as the paper gives its best network more filters, the
-- finalists get the same decisions with more filters and at twice the resolution.
--
-- Run again, it goes on where it was.
local nas = require "luanas"

local HERE = arg[0]:match "^.*/" or ""

local options = nas.options(arg, {
  from = { HERE .. "paper_cnn_found.txt", "file of what paper_cnn_searches.lua has found (its --found), best first" },
  top = { 2, "finalists", least = 1 },
  filters = { 16, "of the narrowest layers, which had 12; the others are widened as much", least = 2 },
  stride = { 1, "of the stem, which had 2", least = 1 },
  epochs = { 5, "of each training of the grid", least = 2 },
  limit = { 6000, "training images of the grid; 0 takes all 55,000", least = 0 },
  long = { 100, "epochs of the last training", least = 2 },
  erase = { 0.5, "share of its images that lose a rectangle, against overfitting; not in the paper" },
  images = { 0, "training images of the last training; 0 takes all", least = 0 },
  validation = { 1000, "images that the last training keeps back; the grid keeps 5,000", least = 1 },
  path = { "paper_cnn_final.db", "file that keeps the trainings" },
  out = { "", "folder for a picture of the network, which must exist" },
  test = { false, "open the test images for the network of the last training: once, for this recipe and file" },
})

local RATES, WEIGHT_DECAYS = { 0.1, 0.05 }, { 1e-4, 5e-4 }
local FALLS = { -- of the rate, in a training of so many epochs
  { "twice", function(epochs) return nas.schedule.step { every = math.max(1, math.floor(0.4 * epochs)) } end },
  { "once", function(epochs) return nas.schedule.step { every = math.max(1, math.floor(0.75 * epochs)) } end },
  { "cosine", function() return nas.schedule.cosine() end }, -- which the paper does not have
}

local fewest = options.filters -- and the others as in paper_cnn_small: 12, 18, 24 and 36
local space = nas.space.paper_cnn_small {
  input = { 28, 28, 1 }, classes = 10, filters = { fewest, fewest * 3 // 2, fewest * 2, fewest * 3 },
  stem = { filters = fewest, stride = options.stride, pool = 2 },
}

-- The decisions of a line of the list, by the numbers of their options: the options themselves are others.
local function larger(line)
  local found = nas.arch(line:match "^%S+ (.+)" or "")
  local function answer(decision, position)
    local recorded = found.decisions[position]
    if not recorded or recorded.name ~= decision.name or recorded.options.count ~= decision.options.count then
      error(("decision %d is no %s of %d options"):format(position, decision.name, decision.options.count), 0)
    end
    return recorded.chosen
  end
  local arch = nas.space.choose(space, answer)
  if #arch < #found then error(("%d decisions; expected %d"):format(#found, #arch), 0) end
  return arch
end

local finalists, number = {}, 0
for line in io.lines(options.from or "") do
  number = number + 1
  if number > options.top then break end
  local ok, arch = pcall(larger, line)
  if not ok then error(("%s, line %d: %s"):format(options.from, number, arch), 0) end
  finalists[number] = arch
end
if #finalists == 0 then error(options.from .. " is empty; expected what paper_cnn_searches.lua has found", 0) end

-- A study for each recipe on so many training images (0: all); they share a file.
local studies, first = {}, nil
local function study_of(images, epochs, rate, weight_decay, fall, erase)
  local name = ("%s images, %d epochs, rate %g, weight decay %g, falls %s, erased %g"):format(
    images.limit > 0 and images.limit or "all", epochs, rate, weight_decay, fall[1], erase)
  if studies[name] then return studies[name] end
  local study = nas.study {
    name = name, path = not first and options.path or nil, store = first and first.store or nil,
    space = space, data = nas.data.fashion_mnist(images),
    train = {
      epochs = epochs, batch = 50,
      optimizer = nas.sgd { rate = rate, momentum = 0.9, nesterov = true, weight_decay = weight_decay },
      schedule = fall[2](epochs),
      augment = { pad_crop = 2, flip = 0.5, erase = erase },
    },
  }
  studies[name], first = study, first or study
  return study
end

-- ---- The grid --------------------------------------------------------------------------------------

print "finalist  rate  weight decay   falls  validation accuracy"
local some = { limit = options.limit, standardize = true }
local grid, highest = {}, 0.0
for finalist, arch in ipairs(finalists) do
  for _, rate in ipairs(RATES) do
    for _, weight_decay in ipairs(WEIGHT_DECAYS) do
      for _, fall in ipairs(FALLS) do
        local trial = study_of(some, options.epochs, rate, weight_decay, fall, 0):evaluate(arch)
        local accuracy = trial.accuracy or 0.0
        print(("%8d  %4g  %12g  %6s  %.4f"):format(finalist, rate, weight_decay, fall[1], accuracy))
        grid[#grid + 1] = { accuracy = accuracy, arch = arch, recipe = { rate, weight_decay, fall } }
        highest = math.max(highest, accuracy)
      end
    end
  end
end
if highest == 0 then error("no training of the grid went well", 0) end

-- Of what is as good as the best, but for a standard error, the most regularised: short trainings can't tell (Breiman
-- et al. 1984, "Classification and Regression Trees", sec. 3.4.3: the 1 SE rule).
local validation = first.data:part "validation"
local standard_error = nas.math.pow(highest * (1 - highest) / #validation, 0.5)
local best
for _, each in ipairs(grid) do
  local decay, decay_of_best = each.recipe[2], best and best.recipe[2] or 0.0
  if each.accuracy >= highest - standard_error
    and (decay > decay_of_best or decay == decay_of_best and each.accuracy > best.accuracy) then
    best = each
  end
end

-- ---- The last training, and the test ---------------------------------------------------------------

local rate, weight_decay, fall = table.unpack(best.recipe)
print(("%d epochs from rate %g, weight decay %g, falls: %s"):format(options.long, rate, weight_decay, fall[1]))
local most = { limit = options.images, validation = options.validation, standardize = true }
local study = study_of(most, options.long, rate, weight_decay, fall, options.erase)
local trial = study:evaluate(best.arch)
if trial.status ~= "ok" then error("the last training failed: " .. trial.reason, 0) end
nas.plot.network(nas.space.build(space, best.arch), options.out and options.out .. "/final.svg" or nil)
print(("validation accuracy %.4f; %d parameters, %d multiply-accumulates for an image, %.0f s of training"):format(
  trial.accuracy, trial.params, trial.macs, trial.seconds))
if options.test then
  local found = study:final(trial, { intent = "the network that the paper's recipe found" })
  print(("test accuracy %.4f"):format(found.accuracy))
else
  print "run again with --test to open the test images, once"
end
