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
  lu.assertStrContains(info.fingerprint, "sha256:")
  lu.assertStrContains(info.identity, info.fingerprint)
  lu.assertStrContains(info.identity, "validation=12")
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
  local function made(inputs, targets, classes, names)
    return core.dataset("test", { inputs = inputs, targets = targets, classes = classes, class_names = names })
  end
  labels[2] = 0
  raises("labels contain 0; expected classes from 1 to 3", made, images, labels, 3)
  labels[2] = 4
  raises("labels contain 4; expected classes from 1 to 3", made, images, labels, 3)
  raises("classes is 1; expected an integer from 2 to", made, images, labels, 1)
  labels[2] = 1
  raises("dataset: targets is missing", made, images, nil, 3)
  raises("dataset: targets are float32", made, images, labels:to "float32", 3)
  raises("the tensor of targets is int32 [6]; expected float32", made, images, labels)
  raises("2 class_names; expected 3", made, images, labels, 3, { "a", "b" })
  raises("class_names contain 3; expected strings", made, images, labels, 3, { "a", "b", 3 })
  raises("all labels in the tensor of targets are 1", made, images, core.tensor({ 6 }, "int32"):fill(2), 3)
  lu.assertEquals(made(images, labels:to "uint8", 3):info().fingerprint, made(images, labels, 3):info().fingerprint)
end

function tests.test_values_and_names()
  local x = core.tensor_from({ { 1, 2 }, { 3, 2 }, { 5, 2 }, { 7, 2 } }, "float32")
  local y = core.tensor_from({ { 1, 10 }, { 2, 20 }, { 3, 30 }, { 4, 40 } }, "float32")
  local data = core.dataset("table", { inputs = x, targets = y })
  local info = data:info()
  lu.assertEquals({ info.task, info.classes, info.target_values, info.shape, info.height },
    { "values", nil, 2, { 2 }, nil })
  local split = data:split { training_list = { 1, 3 }, validation_list = { 4 }, standardize = true }
  lu.assertEquals({ split:info().training, split:info().validation, split:info().standardized }, { 2, 1, true })
  local input, target = split:input(4) -- mean 3, standard deviation 2; a constant feature stays 0
  lu.assertEquals(input:totable(), { 2, 0 })
  lu.assertEquals(target:totable(), { 4, 40 })
  lu.assertEquals(split:image(4):totable(), { 7, 2 })
  lu.assertEquals(tostring(data), "luanas.Dataset: table, 4 rows of 2 features with 2 target values")
  lu.assertStrContains(data:describe(), "4 rows of 2 features")
  raises("entry 0 of the images for validation, position 0, is listed already", data.split, data,
    { training_list = { 1 }, validation_list = { 1 } })
  raises("only images can be augmented", data.input, data, 1, { flip = 0.5 })

  local images, labels = support.tensors(6)
  local named = core.dataset("n", { inputs = images, targets = labels, classes = 3, class_names = { "a", "b", "c" } })
  lu.assertEquals(named:info().class_names, { "a", "b", "c" })
  local view = named:input(2, { flip = 1 }, 7, 3)
  local plain = named:input(2)
  lu.assertEquals(view:get(1, 1, 1), plain:get(1, 8, 1))
  raises('augment: unknown option "flop"', named.input, named, 1, { flop = 1 })
  lu.assertEquals(named:split({ validation = 3, stratified = true }):info().validation, 3)
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
