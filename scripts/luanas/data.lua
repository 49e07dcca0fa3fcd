--- Data sets. Each function returns a description at once; files are read when a study first needs them.
--- There is a training and a validation split; the test split is locked, and nothing here opens it.
local core = require "luanas.core"
local check = require "luanas.check"

local data = {}

local Data = { __name = "luanas.Data" }
Data.__index = Data

-- ---- What all have in common: the split, and loading once ------------------------------------------

local SPLIT_OPTIONS = { "limit", "split_seed", "validation" }

-- The options of a data set: its own and those of the split.
local function check_options(owner, options, own)
  local known = table.move(SPLIT_OPTIONS, 1, #SPLIT_OPTIONS, #own + 1, table.move(own, 1, #own, 1, {}))
  options = check.options(owner, options, known)
  local limit = check.optional(check.integer, owner, "limit", options.limit, 0)
  return options, {
    validation = check.optional(check.integer, owner, "validation", options.validation, 1),
    seed = check.optional(check.seed, owner, "split_seed", options.split_seed),
    limit = limit ~= 0 and limit or nil,
  }
end

local function new(name, split, read)
  return setmetatable({ name = name, split = split, read = read }, Data)
end

function Data:load()
  if not self.dataset then
    local dataset = self.read()
    self.dataset = check.core(dataset.split, dataset, self.split)
  end
  return self.dataset
end

function Data:info()
  return self:load():info()
end

function Data:__tostring()
  return "luanas.Data: " .. self.name .. (self.dataset and "" or ", not loaded yet")
end

-- ---- IDX files -------------------------------------------------------------------------------------

local function read_idx(name, files)
  local dataset, message = core.dataset_idx(name, files)
  if not dataset then check.fail("%s", message) end
  return dataset
end

function data.idx(options)
  local owner = "data.idx"
  local given, split = check_options(owner, options,
    { "classes", "images", "images_sha256", "labels", "labels_sha256", "name" })
  local files = {
    images = check.string(owner, "images", given.images),
    labels = check.string(owner, "labels", given.labels),
    images_sha256 = check.optional(check.string, owner, "images_sha256", given.images_sha256),
    labels_sha256 = check.optional(check.string, owner, "labels_sha256", given.labels_sha256),
    classes = check.integer(owner, "classes", given.classes or 10, 2),
  }
  local name = check.string(owner, "name", given.name or "idx")
  return new(name, split, function() return read_idx(name, files) end)
end

-- ---- Fashion-MNIST (Xiao et al. 2017) --------------------------------------------------------------

local FASHION_IMAGES = "train-images-idx3-ubyte"
local FASHION_LABELS = "train-labels-idx1-ubyte"
local FASHION_IMAGES_SHA256 = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
local FASHION_LABELS_SHA256 = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"

local function fashion_folders()
  local folders = {}
  local own = os.getenv("LUANAS_DATA")
  if own and own ~= "" then folders = { own, own .. "/fashion-mnist" } end
  local home, user_data = os.getenv("HOME"), os.getenv("XDG_DATA_HOME")
  if not user_data or user_data == "" then user_data = home and home .. "/.local/share" end
  if user_data then folders[#folders + 1] = user_data .. "/luanas/fashion-mnist" end
  folders[#folders + 1] = "/usr/share/datasets/fashion-mnist"
  return folders
end

-- The path of a file, plain or gzip'd; nil when neither can be opened.
local function existing(path)
  for _, candidate in ipairs { path, path .. ".gz" } do
    local file = io.open(candidate, "rb")
    if file then
      file:close()
      return candidate
    end
  end
  return nil
end

-- What is in memory already serves every split: the sums say that all copies are the same.
local loaded = setmetatable({}, { __mode = "v" })

local function read_fashion(folders)
  for _, folder in ipairs(folders) do
    local images, labels = existing(folder .. "/" .. FASHION_IMAGES), existing(folder .. "/" .. FASHION_LABELS)
    if images and labels then
      local dataset = loaded[1] or read_idx("fashion-mnist", {
        images = images, images_sha256 = FASHION_IMAGES_SHA256,
        labels = labels, labels_sha256 = FASHION_LABELS_SHA256,
        classes = 10,
      })
      loaded[1] = dataset
      return dataset
    end
  end
  check.fail("Fashion-MNIST (%s and %s, plain or .gz) was not found in %s; install Debian's package "
    .. "dataset-fashion-mnist, or run data/fetch-fashion-mnist.sh, or set LUANAS_DATA to the folder that has it",
    FASHION_IMAGES, FASHION_LABELS, table.concat(folders, ", "))
end

function data.fashion_mnist(options)
  local owner = "data.fashion_mnist"
  local given, split = check_options(owner, options, { "path" })
  local path = check.optional(check.string, owner, "path", given.path)
  return new("fashion-mnist", split, function()
    return read_fashion(path and { path } or fashion_folders())
  end)
end

-- ---- A made-up set for tests and first steps -------------------------------------------------------

local SYNTHETIC = { classes = 10, images = 500, height = 8, width = 8, channels = 1, seed = 0 }

-- Each class has a random image of its own; a member is three parts of that and one part of noise.
local function make_synthetic(settings)
  local pixels = settings.height * settings.width * settings.channels
  local patterns = {}
  for class = 1, settings.classes do
    local stream, pattern = core.stream(settings.seed, "synthetic pattern", class), {}
    for p = 1, pixels do pattern[p] = stream:integer(256) - 1 end
    patterns[class] = pattern
  end
  local images, labels = {}, {}
  for i = 1, settings.images do
    local stream = core.stream(settings.seed, "synthetic image", i)
    local class = (i - 1) % settings.classes + 1
    local pattern, image, p = patterns[class], {}, 0
    for y = 1, settings.height do
      image[y] = {}
      for x = 1, settings.width do
        image[y][x] = {}
        for channel = 1, settings.channels do
          p = p + 1
          image[y][x][channel] = (3 * pattern[p] + stream:integer(256) - 1) // 4
        end
      end
    end
    images[i], labels[i] = image, class
  end
  return core.dataset("synthetic", {
    inputs = core.tensor_from(images, "uint8"),
    targets = core.tensor_from(labels, "int32"),
    classes = settings.classes,
  })
end

function data.synthetic(options)
  local owner = "data.synthetic"
  local given, split = check_options(owner, options, check.sorted_keys(SYNTHETIC))
  local settings = {}
  for _, name in ipairs(check.sorted_keys(SYNTHETIC)) do
    local low = name == "seed" and 0 or name == "classes" and 2 or name == "images" and 10 or 1
    settings[name] = check.integer(owner, name, given[name] or SYNTHETIC[name], low, name ~= "seed" and 100000 or nil)
  end
  split.validation = split.validation or settings.images // 5
  return new("synthetic", split, function() return make_synthetic(settings) end)
end

-- ---- Tensors of the user's own ---------------------------------------------------------------------

function data.tensors(options)
  local owner = "data.tensors"
  local given, split = check_options(owner, options, { "classes", "images", "labels", "name" })
  local classes = check.integer(owner, "classes", given.classes, 2)
  local name = check.string(owner, "name", given.name or "tensors")
  for _, part in ipairs { "images", "labels" } do
    if type(given[part]) ~= "userdata" then
      check.fail("%s: %s is %s; expected a tensor", owner, part, check.show(given[part]))
    end
  end
  local dataset = check.core(core.dataset, name,
    { inputs = given.images, targets = given.labels, classes = classes })
  return new(name, split, function() return dataset end)
end

return data
