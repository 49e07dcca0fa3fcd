local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"
local raises = support.raises

local tests = {}

function tests.test_info()
  local info = support.dataset(48, 12):info()
  lu.assertEquals(info.name, "test")
  lu.assertEquals({ info.count, info.height, info.width, info.channels }, { 48, 8, 8, 1 })
  lu.assertEquals({ info.classes, info.training, info.validation }, { 3, 36, 12 })
  lu.assertEquals({ info.task, info.shape, info.target_values }, { "classes", { 8, 8, 1 }, 0 })
  lu.assertFalse(info.standardized)
  lu.assertNil(info.class_names)
  lu.assertStrContains(info.fingerprint, "sha256:")
  lu.assertStrContains(info.identity, info.fingerprint)
  lu.assertStrContains(info.identity, "validation=12")
end

-- Six rows of two features with two values each.
local function values()
  return core.dataset("values", {
    inputs = core.tensor_from { { 1, 5 }, { 2, 5 }, { 3, 5 }, { 4, 5 }, { 5, 5 }, { 6, 5 } },
    targets = core.tensor_from { { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 }, { 6, 0.5 } },
  })
end

function tests.test_info_of_values()
  local dataset = values()
  local info = dataset:info()
  lu.assertEquals({ info.task, info.shape, info.target_values }, { "values", { 2 }, 2 })
  lu.assertNil(info.classes or info.height or info.width or info.channels or info.class_names)
  lu.assertStrContains(info.identity, " values=2 split_seed=0")
  lu.assertEquals(tostring(dataset), "luanas.Dataset: values, 6 rows of 2 features with 2 values each")
  lu.assertEquals(dataset:input(6):totable(), { 6, 5 })
  lu.assertEquals(dataset:target(-1):totable(), { 6, 0.5 })
  raises("values holds no images of bytes", dataset.image, dataset, 1)
end

function tests.test_classes_count_from_one()
  local images, labels = support.tensors(6)
  local dataset = core.dataset("test", { inputs = images, targets = labels, classes = 3 })
  for i = 1, 6 do
    local image, class = dataset:image(i)
    lu.assertEquals(class, labels[i])
    lu.assertTrue(image == images[i])
  end
  local _, last = dataset:image(-1)
  lu.assertEquals(last, labels[-1])
  lu.assertEquals(#dataset, 6)
end

function tests.test_tensors_are_copied()
  local images, labels = support.tensors(6)
  local dataset = core.dataset("test", { inputs = images, targets = labels, classes = 3 })
  local before = dataset:image(1):clone()
  images:fill(0)
  images:close()
  lu.assertTrue(dataset:image(1) == before)
end

function tests.test_labels_are_checked()
  local images, labels = support.tensors(6)
  local function make(inputs, targets, classes)
    return core.dataset("test", { inputs = inputs, targets = targets, classes = classes })
  end
  lu.assertEquals(make(images, labels:to "uint8", 3):info().fingerprint, make(images, labels, 3):info().fingerprint)
  labels[2] = 0
  raises("dataset: targets contain 0; expected classes from 1 to 3", make, images, labels, 3)
  labels[2] = 4
  raises("dataset: targets contain 4; expected classes from 1 to 3", make, images, labels, 3)
  labels[2] = 1
  raises("targets is float32 [6]; expected classes, int32 or uint8 [n]", make, images, labels:to "float32", 3)
  raises("targets is int32 [6]; expected values, float32", make, images, labels)
  raises("1 classes; expected at least 2, or 0 for values", make, images, labels:fill(1), 1)
  raises("all labels in the tensor of targets are of one class", make, images, labels, 3)
end

function tests.test_parts_are_checked()
  local images, labels = support.tensors(6)
  raises("bad argument #1", core.dataset, nil, {})
  raises("bad argument #2", core.dataset, "test")
  raises("dataset: inputs is missing; expected a tensor", core.dataset, "test", { targets = labels })
  raises("dataset: targets is 3; expected a tensor", core.dataset, "test", { inputs = images, targets = 3 })
  raises('dataset: unknown option "labels"', core.dataset, "test", { inputs = images, labels = labels })
  raises("inputs is int32 [6]; expected uint8 or float32", core.dataset, "test",
    { inputs = labels, targets = labels, classes = 3 })
  local floats = images:to "float32"
  floats:set(3, 8, 1, 1, 0 / 0)
  raises("dataset: inputs contain nan at {3, 8, 1, 1}; expected finite numbers", core.dataset, "test",
    { inputs = floats, targets = labels, classes = 3 })
  floats = labels:to "float32"
  floats[2] = -math.huge
  raises("dataset: targets contain -inf at {2}", core.dataset, "test", { inputs = images, targets = floats })
  images:close()
  raises("dataset: inputs is a luanas.Tensor; expected a tensor that is not closed", core.dataset, "test",
    { inputs = images, targets = labels })
end

function tests.test_class_names()
  local images, labels = support.tensors(6)
  local function make(names)
    return core.dataset("test", { inputs = images, targets = labels, classes = 3, class_names = names })
  end
  lu.assertEquals(make({ "dark", "grey", "light" }):info().class_names, { "dark", "grey", "light" })
  lu.assertStrContains(make({ "dark", "grey", "light" }):describe(), "\ngrey                     2           0\n")
  raises("class_names has 2 entries; expected one for each of the 3 classes", make, { "a", "b" })
  raises("class_names[2] is 5; expected a string", make, { "a", 5, "c" })
  raises("class_names[3] is empty or contains a zero byte", make, { "a", "b", "" })
  raises("class_names[1] is empty or contains a zero byte", make, { "a\0", "b", "c" })
  raises("class_names is 1; expected a list of strings", make, 1)
end

function tests.test_split()
  local dataset = support.dataset(48, 12)
  lu.assertEquals(dataset:split({ validation = 6, limit = 10 }):info().training, 10)
  lu.assertNotEquals(dataset:split({ validation = 6, seed = 1 }):info().identity,
    dataset:split({ validation = 6, seed = -1 }):info().identity)
  raises("split: validation is 48; expected an integer from 1 to 47", dataset.split, dataset, { validation = 48 })
  raises('split: unknown option "test"', dataset.split, dataset, { test = 1 })
  raises("split: seed is 0.5", dataset.split, dataset, { validation = 6, seed = 0.5 })
  lu.assertErrorMsgContains("validation", dataset.split, dataset, {})
  lu.assertErrorMsgContains("limit", dataset.split, dataset, { validation = 6, limit = 1000 })
end

function tests.test_split_by_lists()
  local dataset = support.dataset(6, 3)
  local split = dataset:split { training_list = { 6, 2 }, validation_list = { 1 } }
  lu.assertEquals({ split:info().training, split:info().validation }, { 2, 1 })
  lu.assertEquals(split:info().identity,
    dataset:split({ training_list = { 2, 6 }, validation_list = { 1 } }):info().identity)
  local function refused(part, options) raises(part, dataset.split, dataset, options) end
  refused("split: training_list[2] is 7; expected an integer from 1 to 6",
    { training_list = { 1, 7 }, validation_list = { 2 } })
  refused("split: training_list[1] is 1.5; expected an integer from 1 to 6",
    { training_list = { 1.5 }, validation_list = { 2 } })
  refused("split: validation_list[2] is 1, which is listed twice; expected every image once",
    { training_list = { 1, 3 }, validation_list = { 2, 1 } })
  refused("split: validation_list is nil; expected a list of positions", { training_list = { 1 } })
  refused("split: training_list has 7 entries; expected at most 6, one for each image",
    { training_list = { 1, 2, 3, 4, 5, 6, 7 }, validation_list = { 2 } })
  local endless = {} -- whose length is 2^62
  for i = 1, 2049 do endless[i] = i % 6 + 1 end
  endless[4097] = 1
  for bit = 12, 62 do endless[1 << bit] = 1 end
  refused("split: training_list has 4611686018427387904 entries; expected at most 6",
    { training_list = endless, validation_list = { 2 } })
  refused("the list of validation images is empty", { training_list = { 1 }, validation_list = {} })
  refused("split: limit is given with lists", { training_list = { 1 }, validation_list = { 2 }, limit = 1 })
end

function tests.test_stratified()
  local dataset = support.dataset(48, 12):split { validation = 9, stratified = true }
  lu.assertStrContains(dataset:info().identity, " stratified=1")
  lu.assertStrContains(dataset:describe(), "\n1                       13           3\n")
  raises("split: stratified is 1; expected true or false", dataset.split, dataset, { validation = 9, stratified = 1 })
  local none = values()
  raises("whose targets are values", none.split, none, { validation = 2, stratified = true })
end

function tests.test_standardization()
  local dataset = values()
  lu.assertNil(dataset:standardization())
  local split = dataset:split { training_list = { 1, 3 }, validation_list = { 6 }, standardize = true }
  local means, stds = split:standardization()
  lu.assertEquals({ means, stds }, { { 2, 5 }, { 1, 1 } })
  lu.assertTrue(split:info().standardized)
  lu.assertEquals(split:input(6):totable(), { 4, 0 })
  local adopted = dataset:adopt(means, { 2, 1 })
  lu.assertEquals(adopted:input(6):totable(), { 2, 0 })
  lu.assertEquals(split:adopt():input(6):totable(), { 6, 5 })
  raises('[1] is "x"; expected a number', dataset.adopt, dataset, { "x", 1 }, { 1, 1 })
  raises("1 numbers; expected 2", dataset.adopt, dataset, { 1, 2 }, { 1 })
  raises("standard deviation 1 is 0", dataset.adopt, dataset, { 1, 2 }, { 1, 0 })
  raises("a standardisation of 1 features; expected 2", dataset.adopt, dataset, { 1 }, { 1 })
end

function tests.test_input()
  local images, labels = support.tensors(6)
  local dataset = core.dataset("test", { inputs = images, targets = labels, classes = 3 })
  local plain = dataset:input(2)
  lu.assertEquals(plain:shape(), { 8, 8, 1 })
  lu.assertAlmostEquals(plain:get(3, 5, 1), images:get(2, 3, 5, 1) / 255, 1e-7)
  local mirrored = dataset:input(2, { flip = 1 }, 3, 1)
  for y = 1, 8 do
    for x = 1, 8 do lu.assertEquals(mirrored:get(y, x, 1), plain:get(y, 9 - x, 1)) end
  end
  local options = { pad_crop = 2, shift = { 1, 3 }, erase = 0.5 }
  local first = dataset:input(2, options, 3, 1)
  lu.assertTrue(first == dataset:input(-5, options, 3))
  lu.assertFalse(first == dataset:input(2, options, 4, 1))
  lu.assertFalse(first == dataset:input(2, options, 3, 2))
  lu.assertFalse(first == plain)
  lu.assertEquals(dataset:target(2), labels[2])
  raises("augment: flip is 2; expected a number from 0 to 1", dataset.input, dataset, 2, { flip = 2 })
  raises('augment: unknown option "turn"', dataset.input, dataset, 2, { turn = 1 })
  raises("pad_crop moves images by up to 8 pixels", dataset.input, dataset, 2, { pad_crop = 8 })
  local table_of = values()
  raises("expected images", table_of.input, table_of, 1, { flip = 1 })
end

function tests.test_missing_file_is_an_answer()
  local dataset, message, code = core.dataset_idx("x", { images = "/nowhere/images", labels = "/nowhere/labels" })
  lu.assertNil(dataset)
  lu.assertStrContains(message, "/nowhere/")
  lu.assertEquals(code, "NAS_IO")
end

-- IDX files as strings.
local function idx_images(count, height, width, pixels)
  return "\0\0\x08\x03" .. string.pack(">I4I4I4", count, height, width) .. pixels
end

local function idx_labels(labels)
  return "\0\0\x08\x01" .. string.pack(">I4", #labels) .. labels
end

local function write(content)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

function tests.test_files()
  local images = write(idx_images(4, 2, 3, ("abcdef"):rep(4)))
  local labels = write(idx_labels "\0\1\2\1")
  local dataset = core.dataset_idx("files", { images = images, labels = labels, classes = 3 })
  lu.assertEquals(#dataset, 4)
  local image, class = dataset:image(3)
  lu.assertEquals(class, 3)
  lu.assertEquals(image:shape(), { 2, 3, 1 })
  lu.assertEquals(image:get(2, 3, 1), ("f"):byte())

  local none, message, code = core.dataset_idx("files",
    { images = images, labels = labels, images_sha256 = ("0"):rep(64) })
  lu.assertNil(none)
  lu.assertStrContains(message, images)
  lu.assertEquals(code, "NAS_FORMAT")
  os.remove(images)
  os.remove(labels)
end

function tests.test_file_options_are_checked()
  raises("bad argument #2", core.dataset_idx, "x")
  raises("dataset: labels is missing; expected the path of an IDX file", core.dataset_idx, "x", { images = "a" })
  raises("dataset: images is 3; expected a string", core.dataset_idx, "x", { images = 3, labels = "b" })
  raises('dataset: unknown option "label"', core.dataset_idx, "x", { images = "a", label = "b" })
  raises("dataset: images contains a zero byte", core.dataset_idx, "x", { images = "a\0", labels = "b" })
  raises("dataset: classes is 1", core.dataset_idx, "x", { images = "a", labels = "b", classes = 1 })
end

function tests.test_image_index()
  local dataset = support.dataset(6, 3)
  raises("image is 7; expected 1 to 6, or -1 to -6 from the end", dataset.image, dataset, 7)
  raises("image is 0", dataset.image, dataset, 0)
end

function tests.test_closed()
  local dataset = support.dataset(6, 3)
  lu.assertEquals(tostring(dataset), "luanas.Dataset: test, 6 images of 8x8x1 in 3 classes")
  dataset:close()
  raises("this luanas.Dataset is closed", dataset.info, dataset)
  lu.assertEquals(tostring(dataset), "luanas.Dataset (closed)")
end

return tests
