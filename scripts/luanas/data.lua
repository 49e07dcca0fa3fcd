--- Data sets. Each function returns a description at once; files are read when a study first needs them.
--- There is a training and a validation split; the test split is locked, and nothing here opens it.
local core = require "luanas.core"
local check = require "luanas.check"
local copy = require "luanas.copy"
local terminal_images = require "luanas.images"

local data = {}

local Data = { __name = "luanas.Data" }
Data.__index = Data

-- ---- What all have in common: the split, and loading once ------------------------------------------

local SPLIT_OPTIONS = { "limit", "split", "split_seed", "standardize", "stratified", "validation" }
local DRAWN = { "limit", "split_seed", "stratified", "validation" }

-- How many images validate: a count, or a fraction of all.
local function check_validation(owner, name, value)
  if type(value) == "number" and value > 0 and value < 1 then return value end
  local count = type(value) == "number" and math.tointeger(value)
  if not count or count < 1 then
    check.fail("%s: %s is %s; expected an integer of at least 1, or a fraction between 0 and 1", owner, name,
      check.show(value))
  end
  return count
end

local function check_lists(owner, options)
  if options.split == nil then return {} end
  for _, name in ipairs(DRAWN) do
    if options[name] ~= nil then check.fail("%s: split is given with %s; expected one or the other", owner, name) end
  end
  local lists = check.options(owner .. ": split", options.split, { "training", "validation" })
  for _, name in ipairs { "training", "validation" } do
    if type(lists[name]) ~= "table" or #lists[name] == 0 then
      check.fail("%s: split.%s is %s; expected a list of positions", owner, name,
        type(lists[name]) == "table" and "empty" or check.show(lists[name]))
    end
  end
  return lists
end

-- The options of a data set, and of them those of the split, as Dataset:split takes them; but there `validation` may
-- be a fraction, or nil for the default.
local function check_options(owner, options, own)
  local known = table.move(SPLIT_OPTIONS, 1, #SPLIT_OPTIONS, #own + 1, table.move(own, 1, #own, 1, {}))
  options = check.options(owner, options, known)
  local limit = check.optional(check.integer, owner, "limit", options.limit, 0)
  local lists = check_lists(owner, options)
  return options, {
    validation = check.optional(check_validation, owner, "validation", options.validation),
    seed = check.optional(check.seed, owner, "split_seed", options.split_seed),
    limit = limit ~= 0 and limit or nil,
    stratified = check.optional(check.boolean, owner, "stratified", options.stratified),
    standardize = check.optional(check.boolean, owner, "standardize", options.standardize),
    training_list = lists.training,
    validation_list = lists.validation,
  }
end

-- `read_test` reads the test split, which only study:final opens; nil where there is none.
local function new(name, split, read, read_test)
  return setmetatable({ name = name, split = split, read = read, read_test = read_test }, Data)
end

-- The split with a number in place of a fraction or of nothing.
local function counted(owner, split, count)
  if split.training_list then return split end
  if count < 2 then check.fail("%s has one input only; expected at least two, to train and to validate", owner) end
  local result = {}
  for name, value in pairs(split) do result[name] = value end
  local validation = split.validation or 0.1
  if math.type(validation) == "float" then
    result.validation = math.max(1, math.tointeger((count * validation + 0.5) // 1))
  end
  return result
end

function Data:load()
  if not self.dataset then
    local dataset = self.read()
    self.dataset = check.core(dataset.split, dataset, counted(self.name, self.split, #dataset))
  end
  return self.dataset
end

function Data:info()
  return self:load():info()
end

function Data:describe()
  return self:load():describe()
end

function Data:image(i)
  return check.owned("data:image", self:load().image, self:load(), i)
end

-- What is printed below image i.
local function caption_of(dataset, i)
  local target, names = dataset:target(i), dataset:info().class_names
  if math.type(target) == "integer" then
    return ("%d: %s"):format(i, names and names[target] or "class " .. target)
  end
  local values = target:totable()
  for k, value in ipairs(values) do values[k] = ("%.4g"):format(value) end
  return ("%d: %s"):format(i, table.concat(values, " "))
end

-- Image i as bytes: as it was given, or, of other numbers, scaled.
local function bytes_of(owner, dataset, i)
  local has_bytes, image = pcall(dataset.image, dataset, i)
  if not has_bytes then image = dataset:input(i) end
  local channels = image:shape()[3]
  if channels ~= 1 and channels ~= 3 then image = image:narrow(3, 1, 1) end
  return terminal_images.bytes(owner, image)
end

-- A position from 1.
local function check_image_number(owner, dataset, given)
  local i = check.integer(owner, "image", given, -#dataset, #dataset)
  if i == 0 then
    check.fail("%s: image is 0; expected 1 to %d, or -1 to -%d from the end", owner, #dataset, #dataset)
  end
  return i < 0 and #dataset + 1 + i or i
end

function Data:show(which)
  local owner, dataset = "data:show", self:load()
  if not dataset:info().height then check.fail("%s: %s has no images", owner, self.name) end
  local list, captions = {}, {}
  for k, given in ipairs(type(which) == "table" and which or { which }) do
    local i = check_image_number(owner, dataset, given)
    list[k], captions[k] = bytes_of(owner, dataset, i), caption_of(dataset, i)
  end
  if #list == 0 then
    check.fail("%s: which is %s; expected the number of an image, or a list of such", owner,
      type(which) == "table" and "an empty list" or check.show(which))
  end
  terminal_images.print(list, captions)
end

function Data:input(i, augment, seed, epoch)
  local dataset = self:load()
  return check.owned("data:input", dataset.input, dataset, i, augment, seed, epoch), dataset:target(i)
end

local function part_of(self, owner, name)
  return check.owned(owner, self:load().part, self:load(), check.string(owner, "name", name))
end

function Data:part(name)
  return part_of(self, "data:part", name)
end

function Data:targets(name)
  local dataset, numbers = self:load(), part_of(self, "data:targets", name)
  local count, values = numbers:shape()[1], dataset:info().target_values
  local targets = core.tensor(values > 0 and { count, values } or { count }, values > 0 and "float32" or "int32")
  for k = 1, count do targets[k] = dataset:target(numbers:get(k)) end
  return targets
end

function Data:__tostring()
  return "luanas.Data: " .. self.name .. (self.dataset and "" or ", not loaded yet")
end

check.colons("data", Data)

-- A data set of tensors that were read from the files `where`, which errors then name.
local function make_dataset(where, name, parts)
  local ok, result = pcall(core.dataset, name, parts)
  if not ok then check.fail("%s: %s", where, check.message(result)) end
  return result
end

local function check_name(owner, options, preset)
  return check.string(owner, "name", options.name == nil and preset or options.name)
end

-- The option `test`: where the test split is, in the same form; nil: there is none.
local function check_test(owner, given, names)
  if given == nil then return nil end
  if type(given) ~= "table" then
    check.fail("%s: test is %s; expected a table such as { %s = ..., %s = ... }", owner, check.show(given), names[1],
      names[2])
  end
  return check.options(owner .. ": test", given, names)
end

-- ---- IDX files -------------------------------------------------------------------------------------

function data.idx(options)
  local owner = "data.idx"
  local given, split = check_options(owner, options,
    { "class_names", "classes", "images", "images_sha256", "labels", "labels_sha256", "name", "test" })
  local name, classes = check_name(owner, given, "idx"), check.integer(owner, "classes", given.classes or 10, 2)
  local function reader(part, paths)
    local files = { classes = classes, class_names = given.class_names }
    for _, key in ipairs { "images", "labels" } do
      files[key] = check.string(part, key, paths[key])
      files[key .. "_sha256"] = check.optional(check.string, part, key .. "_sha256", paths[key .. "_sha256"])
    end
    return function() return check.must(core.dataset_idx, name, files) end
  end
  local test = check_test(owner, given.test, { "images", "labels", "images_sha256", "labels_sha256" })
  return new(name, split, reader(owner, given), test and reader(owner .. ": test", test))
end

-- ---- Fashion-MNIST (Xiao et al. 2017) --------------------------------------------------------------

local FASHION_VALIDATION = 5000
local FASHION_CLASSES = {
  "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
}
local FASHION_TRAINING = {
  images = "train-images-idx3-ubyte",
  images_sha256 = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
  labels = "train-labels-idx1-ubyte",
  labels_sha256 = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
}
local FASHION_TEST = {
  images = "t10k-images-idx3-ubyte",
  images_sha256 = "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
  labels = "t10k-labels-idx1-ubyte",
  labels_sha256 = "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

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

local function read_fashion(folders, part)
  for _, folder in ipairs(folders) do
    local images, labels = existing(folder .. "/" .. part.images), existing(folder .. "/" .. part.labels)
    if images and labels then
      local dataset = loaded[part.images] or check.must(core.dataset_idx, "fashion-mnist", {
        images = images, images_sha256 = part.images_sha256, labels = labels, labels_sha256 = part.labels_sha256,
        classes = 10, class_names = FASHION_CLASSES,
      })
      loaded[part.images] = dataset
      return dataset
    end
  end
  check.fail("Fashion-MNIST (%s and %s, plain or .gz) was not found in %s; install Debian's package "
    .. "dataset-fashion-mnist, or run data/fetch-fashion-mnist.sh, or set LUANAS_DATA to the folder that has it",
    part.images, part.labels, table.concat(folders, ", "))
end

function data.fashion_mnist(options)
  local owner = "data.fashion_mnist"
  local given, split = check_options(owner, options, { "path" })
  local path = check.optional(check.string, owner, "path", given.path)
  if not split.training_list then split.validation = split.validation or FASHION_VALIDATION end
  local function reader(part)
    return function() return read_fashion(path and { path } or fashion_folders(), part) end
  end
  return new("fashion-mnist", split, reader(FASHION_TRAINING), reader(FASHION_TEST))
end

-- ---- A made-up set for tests and first steps -------------------------------------------------------

local SYNTHETIC = { classes = 10, images = 500, height = 8, width = 8, channels = 1, seed = 0 }

-- Each class has a random image of its own; a member is three parts of that and one part of noise.
local function make_synthetic(settings, purpose)
  local pixels = settings.height * settings.width * settings.channels
  local patterns = {}
  for class = 1, settings.classes do
    local stream, pattern = core.stream(settings.seed, "synthetic pattern", class), {}
    for p = 1, pixels do pattern[p] = stream:integer(256) - 1 end
    patterns[class] = pattern
  end
  local images, labels = {}, {}
  for i = 1, settings.images do
    local stream = core.stream(settings.seed, purpose, i)
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
  if not split.training_list then split.validation = split.validation or settings.images // 5 end
  local function maker(purpose)
    return function() return make_synthetic(settings, purpose) end
  end
  return new("synthetic", split, maker "synthetic image", maker "synthetic test image")
end

-- ---- Targets ---------------------------------------------------------------------------------------

-- The option `classes` of tensors: nil (by the type of the targets), false (values), true (count them) or their number.
local function check_classes(owner, name, value)
  if type(value) == "boolean" then return value end
  if type(value) ~= "number" then
    check.fail("%s: %s is %s; expected true, false or an integer of at least 2", owner, name, check.show(value))
  end
  return check.integer(owner, name, value, 2)
end

-- The targets and the number of classes for core.dataset. In `y`, the first class is `first`.
local function make_targets(where, y, classes, first)
  if classes == nil then classes = y:dtype() ~= "float32" end
  if classes == false then return y:to "float32", nil end
  local shape = y:shape()
  local whole, labels = pcall(y.to, y, "int32") -- not of NaN, say
  if not whole or y:dtype() == "float32" and labels:to "float32" ~= y then
    check.fail("%s: the classes are not all whole numbers; expected integers from %d", where, first)
  end
  if #shape == 2 and shape[2] == 1 then labels = labels:reshape { shape[1] } end
  local low, high = labels:min(), labels:max()
  if low < first or classes ~= true and high >= first + classes then
    check.fail("%s: class %d is not among the expected ones, %d to %s", where, low < first and low or high, first,
      classes == true and "the largest" or first + classes - 1)
  end
  return labels + (1 - first), classes == true and math.max(high - first + 1, 2) or classes
end

-- ---- Tensors of the user's own ---------------------------------------------------------------------

local function check_tensor(owner, name, value)
  if not check.is_tensor(value) then
    check.fail("%s: %s is %s; expected a tensor", owner, name, check.show(value))
  end
  return value
end

function data.tensors(options)
  local owner = "data.tensors"
  local given, split = check_options(owner, options, { "class_names", "classes", "name", "test", "x", "y" })
  local name = check_name(owner, given, "tensors")
  local function make(part, tensors, classes)
    local x, y = check_tensor(part, "x", tensors.x), check_tensor(part, "y", tensors.y)
    local targets, count = make_targets(part, y, classes, 1)
    return check.core(core.dataset, name,
      { inputs = x, targets = targets, classes = count, class_names = given.class_names }), count or false
  end
  local dataset, count = make(owner, given, check.optional(check_classes, owner, "classes", given.classes))
  local test = check_test(owner, given.test, { "x", "y" })
  local test_dataset = test and make(owner .. ": test", test, count)
  return new(name, split, function() return dataset end, test and function() return test_dataset end)
end

-- ---- NPY files -------------------------------------------------------------------------------------

function data.npy(options)
  local owner = "data.npy"
  local given, split = check_options(owner, options, { "class_names", "classes", "name", "test", "x", "y" })
  local classes = check.optional(check_classes, owner, "classes", given.classes)
  local name, test = check_name(owner, given, "npy"), check_test(owner, given.test, { "x", "y" })
  local count -- of the classes, once they have been read; false: values
  local function reader(part, paths)
    local x, y = check.string(part, "x", paths.x), check.string(part, "y", paths.y)
    return function()
      local inputs = check.must(core.read_npy, x)
      if inputs:dtype() == "int32" then inputs = inputs:to "float32" end
      local expected = classes
      if count ~= nil then expected = count end
      local targets, found = make_targets(y, check.must(core.read_npy, y), expected, 0)
      count = found or false
      return make_dataset(x .. " with " .. y, name,
        { inputs = inputs, targets = targets, classes = found, class_names = given.class_names })
    end
  end
  return new(name, split, reader(owner, given), test and reader(owner .. ": test", test))
end

-- ---- CSV files -------------------------------------------------------------------------------------

-- Names or positions of columns: one, or a list of them. Returns a list.
local function check_columns(owner, name, value)
  local list = type(value) == "table" and value or { value }
  for _, column in ipairs(list) do
    if type(column) ~= "string" and math.type(column) ~= "integer" then
      check.fail("%s: %s has %s; expected names or positions of columns", owner, name, check.show(column))
    end
  end
  if #list == 0 then
    check.fail("%s: %s is %s; expected names or positions of columns", owner, name, check.show(value))
  end
  return list
end

-- The columns of the inputs: all that are not among the targets, if the user named none.
local function feature_columns(csv, path, targets, features)
  local names, taken, others = csv:names(), {}, {}
  local function name_of(column) return math.type(column) and names[column] or column end
  for _, column in ipairs(targets) do taken[name_of(column)] = true end
  for _, column in ipairs(features or {}) do
    if taken[name_of(column)] then
      check.fail('%s: column "%s" is a feature and a target; expected one or the other', path, name_of(column))
    end
  end
  for _, name in ipairs(names) do
    if not taken[name] then others[#others + 1] = name end
  end
  if #others == 0 then check.fail("%s: there are no other columns than the target", path) end
  return features or others
end

local function read_numbers(csv, columns, hint)
  local numbers, message = check.core(csv.numbers, csv, columns)
  if not numbers then check.fail("%s; %s", message, hint) end
  return numbers
end

-- Whether a column gives classes where the user did not say: not if it begins with a number, so that a word among
-- numbers is noticed.
local function has_classes(csv, target)
  return not check.core(csv.is_numeric, csv, target) and not tonumber(csv:cell(1, target))
end

-- Targets, and the names of the classes.
local function read_targets(csv, columns, classes)
  if classes == nil then classes = #columns == 1 and has_classes(csv, columns[1]) end
  if classes then return check.must(csv.labels, csv, columns[1]) end
  return read_numbers(csv, columns, "or is this a class? Then set classes = true"), nil
end

local function read_csv(name, path, format, target, features, classes)
  local csv <close> = check.must(core.read_csv, path, format)
  local targets, names = read_targets(csv, target, classes)
  features = feature_columns(csv, path, target, features)
  local inputs = read_numbers(csv, features, "features = { ... } chooses other columns")
  if names and #names < 2 then
    check.fail('%s: column "%s" has the class "%s" only; expected at least two', path, target[1], names[1])
  end
  return make_dataset(path, name,
    { inputs = inputs, targets = targets, classes = names and #names, class_names = names })
end

function data.csv(options)
  local owner = "data.csv"
  local given, split = check_options(owner, options,
    { "classes", "delimiter", "features", "header", "name", "path", "target" })
  local path = check.string(owner, "path", given.path)
  local target = check_columns(owner, "target", given.target)
  local features = check.optional(check_columns, owner, "features", given.features)
  local classes = check.optional(check.boolean, owner, "classes", given.classes)
  if classes and #target > 1 then
    check.fail("%s: target has %d columns; expected one, which has the classes", owner, #target)
  end
  local format = {
    delimiter = check.optional(check.string, owner, "delimiter", given.delimiter),
    header = check.optional(check.boolean, owner, "header", given.header),
  }
  local name = check_name(owner, given, "csv")
  return new(name, split, function() return read_csv(name, path, format, target, features, classes) end)
end

-- ---- Folders of PNG images -------------------------------------------------------------------------

local function check_folders(owner, name, value)
  if type(value) ~= "table" or #value < 2 then
    check.fail("%s: %s is %s; expected a list of at least two names", owner, name,
      type(value) == "table" and ("a list of " .. #value) or check.show(value))
  end
  for i = 1, #value do check.string(owner, ("%s[%d]"):format(name, i), value[i]) end
  return value
end

function data.png_folder(options)
  local owner = "data.png_folder"
  local given, split = check_options(owner, options, { "background", "distinct", "folders", "name", "path", "rgb" })
  local path = check.string(owner, "path", given.path)
  local name = check_name(owner, given, "png-folder")
  local folders = check.optional(check_folders, owner, "folders", given.folders)
  local settings = {
    background = check.optional(check.integer, owner, "background", given.background, 0, 255),
    distinct = check.optional(check.boolean, owner, "distinct", given.distinct),
    rgb = check.optional(check.boolean, owner, "rgb", given.rgb),
  }
  return new(name, split, function()
    local images, labels, names = check.must(core.read_png_folder, path, settings, folders)
    return make_dataset(path, name, { inputs = images, targets = labels, classes = #names, class_names = names })
  end)
end

-- ---- CIFAR-10 (Krizhevsky 2009) --------------------------------------------------------------------

local CIFAR10_CLASSES = {
  "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
}

-- Files of the archive, in the folder or in the one that the archive has.
local function cifar10_files(folder, names)
  for _, place in ipairs { folder, folder .. "/cifar-10-batches-bin" } do
    local paths = {}
    for _, name in ipairs(names) do paths[#paths + 1] = existing(("%s/%s.bin"):format(place, name)) end
    if #paths == #names then return paths end
  end
  check.fail("CIFAR-10 (%s.bin%s, plain or .gz) was not found in %s; unpack the binary version of "
    .. "https://www.cs.toronto.edu/~kriz/cifar.html there", names[1],
    #names > 1 and (" to %s.bin"):format(names[#names]) or "", folder)
end

local CIFAR10_TRAINING = { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5" }

function data.cifar10(options)
  local owner = "data.cifar10"
  local given, split = check_options(owner, options, { "path" })
  local path = given.path
  if type(path) ~= "table" then path = check.string(owner, "path", path) end
  local function reader(names)
    return function()
      local files = type(path) == "table" and path or cifar10_files(path, names)
      local images, labels = check.must(core.read_cifar, files, "cifar10")
      return check.core(core.dataset, "cifar10",
        { inputs = images, targets = labels, classes = 10, class_names = CIFAR10_CLASSES })
    end
  end
  return new("cifar10", split, reader(CIFAR10_TRAINING), type(path) == "string" and reader { "test_batch" } or nil)
end

-- ---- As text ---------------------------------------------------------------------------------------

-- What a data set was made of, for a process that shall make it again (worker.lua); nil where it is tensors. The
-- options are copied, since files are read later.
for _, kind in ipairs { "cifar10", "csv", "fashion_mnist", "idx", "npy", "png_folder", "synthetic" } do
  local make = data[kind]
  data[kind] = function(options)
    options = copy.deep(options)
    local made = make(options)
    made.source = { kind = kind, options = options or {} }
    return made
  end
end

return data
