-- What is an icon for? Sorts icons of the MATE desktop, a few hundred PNG files, into the folders that they are from.
-- With so few, accuracy depends much on which ones validate: the mean over several splits is printed.
local nas = require "luanas"
local nn = nas.nn
local options = nas.options(arg, {
  epochs = { 60, "passes over the icons that train" },
  splits = { 5, "draws of the icons that validate: seeds 1, 2, ..." },
  path = { "/usr/share/icons/mate/32x32", "in Debian's mate-icon-theme" },
})
assert(options.splits >= 1, "--splits must be at least 1")

local function read(split_seed)
  return nas.data.png_folder {
    path = options.path, folders = { "actions", "devices", "emotes", "mimetypes", "places", "status" },
    background = 255, rgb = true, -- most are transparent around the drawing, some are grey
    distinct = true, -- themes give one drawing many names
    validation = 0.25, stratified = true, split_seed = split_seed, standardize = true,
  }
end

local x = nn.input { 32, 32, 3 }
for _, filters in ipairs { 16, 32, 64 } do
  x = nn.batch_norm(nn.conv2d(x, { filters = filters, kernel = 3, bias = false }), { activation = "relu" })
  x = nn.max_pool(x, { pool = 2 })
end
local network = nn.dense(nn.dropout(x, { rate = 0.4 }), { units = 6 })
print(network:summary())

-- The share of the class that validates most often: what naming always that one reaches.
local function largest_share(confusion)
  local largest, all = 0, confusion:sum()
  for class = 1, #confusion do largest = math.max(largest, confusion[class]:sum() / all) end
  return largest
end

print "split  icons  largest class  validation accuracy"
local shares, accuracies = 0.0, 0.0
for split = 1, options.splits do
  local data = read(split)
  local result = nas.train(network, data, {
    epochs = options.epochs, batch = 16, optimizer = nas.adamw { rate = 3e-3, weight_decay = 0.02 },
    schedule = nas.schedule.cosine { warmup = 2 }, augment = { flip = 0.5, shift = 3 }, seed = split,
  }):evaluate(data)
  local share = largest_share(result.confusion)
  print(("%5d  %5d  %13.4f  %19.4f"):format(split, data:info().count, share, result.accuracy))
  shares, accuracies = shares + share / options.splits, accuracies + result.accuracy / options.splits
end
print(("mean accuracy %.4f; naming always the largest class: %.4f"):format(accuracies, shares))
