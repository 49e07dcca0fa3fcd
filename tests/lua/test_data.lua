local lu = require "luaunit"
local core = require "luanas.core"
local nas = require "luanas"
local files = require "sample_files"

local T = {}

function T.test_synthetic()
  local info = nas.data.synthetic():info()
  lu.assertEquals({ info.count, info.height, info.width, info.channels, info.classes }, { 500, 8, 8, 1, 10 })
  lu.assertEquals({ info.training, info.validation }, { 400, 100 })
  local other = nas.data.synthetic { images = 30, classes = 3, height = 4, width = 6, channels = 2, limit = 20 }:info()
  lu.assertEquals({ other.count, other.height, other.width, other.channels, other.classes }, { 30, 4, 6, 2, 3 })
  lu.assertEquals({ other.training, other.validation }, { 20, 6 })
end

function T.test_synthetic_is_reproducible()
  local function fingerprint(options) return nas.data.synthetic(options):info().fingerprint end
  lu.assertEquals(fingerprint { images = 20 }, fingerprint { images = 20 })
  lu.assertNotEquals(fingerprint { images = 20 }, fingerprint { images = 20, seed = 1 })
end

function T.test_synthetic_can_be_learned()
  local study = nas.study {
    space = nas.space.chain { input = { 8, 8, 1 }, layers = 1, filters = 16, stride = 2, classes = 10 },
    data = nas.data.synthetic(), quiet = true,
    train = { epochs = 20, batch = 20, optimizer = nas.adam { rate = 0.01 } },
  }
  lu.assertTrue(study:evaluate(nas.arch "").accuracy > 0.5)
end

function T.test_options_of_the_split()
  local function identity(options)
    options.images = 40
    return nas.data.synthetic(options):info().identity
  end
  lu.assertNotEquals(identity {}, identity { split_seed = 1 })
  lu.assertNotEquals(identity {}, identity { limit = 10 })
  lu.assertEquals(identity {}, identity { limit = 0 })
  lu.assertEquals(identity {}, identity { validation = 8 })
end

function T.test_nothing_is_read_before_it_is_needed()
  local data = nas.data.fashion_mnist { path = "/nonexistent" }
  lu.assertStrContains(tostring(data), "fashion-mnist, not loaded yet")
  lu.assertErrorMsgContains("was not found in /nonexistent; install Debian's package dataset-fashion-mnist, or run "
    .. "data/fetch-fashion-mnist.sh, or set LUANAS_DATA", data.info, data)
end

function T.test_the_options_may_change_afterwards()
  local options = { images = 60, split = { training = { 1, 2, 3 }, validation = { 4, 5 } } }
  local data = nas.data.synthetic(options)
  options.images, options.split.training = 70, nil
  lu.assertEquals(data.source.options, { images = 60, split = { training = { 1, 2, 3 }, validation = { 4, 5 } } })
  lu.assertEquals(#data:part "training", 3)
end

-- ---- Files -----------------------------------------------------------------------------------------

local function write(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- An IDX file of bytes.
local function idx(dims, bytes)
  local text = { string.pack(">I2BB", 0, 8, #dims) }
  for _, dim in ipairs(dims) do text[#text + 1] = string.pack(">I4", dim) end
  text[#text + 1] = bytes
  return write(table.concat(text))
end

function T.test_idx_files()
  local images, labels = idx({ 6, 2, 3 }, ("abcdef"):rep(6)), idx({ 6 }, "\0\1\2\0\1\2")
  local data = nas.data.idx { name = "mine", images = images, labels = labels, classes = 3, validation = 2 }
  local info = data:info()
  lu.assertEquals({ info.name, info.count, info.height, info.width, info.channels }, { "mine", 6, 2, 3, 1 })
  lu.assertEquals({ info.training, info.validation }, { 4, 2 })
  lu.assertIs(data:load(), data:load())

  local named = nas.data.idx {
    images = images, labels = labels, classes = 3, class_names = { "cat", "dog", "owl" }, validation = 2,
  }
  lu.assertEquals(named:info().class_names, { "cat", "dog", "owl" })
  lu.assertEquals(named:info().identity, data:info().identity)
  local unnamed = nas.data.idx { images = images, labels = labels, classes = 3, class_names = { "cat" } }
  lu.assertErrorMsgContains("class_names has 1 entries; expected one for each of the 3 classes", unnamed.info, unnamed)
  local wrong = nas.data.idx { images = images, labels = labels, validation = 2, images_sha256 = ("0"):rep(64) }
  lu.assertErrorMsgContains(images, wrong.load, wrong)
  local few = nas.data.idx { images = images, labels = labels, classes = 2, validation = 2 }
  lu.assertErrorMsgContains(labels, few.load, few)
  os.remove(images)
  os.remove(labels)
end

function T.test_damaged_files()
  local images, labels = idx({ 6, 2, 3 }, "short"), idx({ 6 }, "\0\1\2\0\1\2")
  local data = nas.data.idx { images = images, labels = labels }
  lu.assertErrorMsgContains(images, data.load, data)
  local absent = nas.data.idx { images = "/nonexistent/images", labels = labels }
  lu.assertErrorMsgContains("/nonexistent/images", absent.load, absent)
  os.remove(images)
  os.remove(labels)
end

function T.test_tensors()
  local images, labels = {}, {}
  for i = 1, 12 do
    images[i] = { { { i }, { 0 } } }
    labels[i] = i % 3 + 1
  end
  local data = nas.data.tensors {
    x = nas.tensor(images, "uint8"), y = nas.tensor(labels, "int32"), classes = 3, validation = 3,
    class_names = { "a", "b", "c" },
  }
  local info = data:info()
  lu.assertEquals({ info.count, info.height, info.width, info.training, info.classes }, { 12, 1, 2, 9, 3 })
  lu.assertEquals(info.class_names, { "a", "b", "c" })
  lu.assertEquals(data:load():target(1), 2)
  lu.assertStrContains(data:describe(), "12 images")
end

function T.test_tensors_of_values_and_classes()
  local x, y = nas.tensor.zeros { 4, 3 }, nas.tensor({ 1, 2, 4, 2 }, "int32")
  local function info(options)
    options.x = x
    return nas.data.tensors(options):info()
  end
  lu.assertEquals({ info({ y = y }).classes, info({ y = y, classes = 5 }).classes }, { 4, 5 })
  lu.assertEquals(info({ y = y:to "float32" }).task, "values")
  lu.assertEquals(info({ y = y, classes = false }).target_values, 1)
  lu.assertEquals(info({ y = nas.tensor.zeros { 4, 2 } }).target_values, 2)
  lu.assertEquals(info({ y = y:to("float32"):reshape { 4, 1 }, classes = true }).classes, 4)
  lu.assertErrorMsgContains("data.tensors: class 4 is not among the expected ones, 1 to 3", info,
    { y = y, classes = 3 })
  lu.assertErrorMsgContains("data.tensors: class 0 is not among the expected ones, 1 to the largest", info,
    { y = y - 1 })
  lu.assertErrorMsgContains("data.tensors: the classes are not all whole numbers; expected integers from 1", info,
    { y = y:to "float32" + 0.25, classes = true })
  lu.assertErrorMsgContains('data.tensors: classes is "2"; expected true, false or an integer of at least 2', info,
    { y = y, classes = "2" })
end

-- test(folder) in a new folder, which goes away again.
local function in_folder(test)
  return function()
    local folder = files.folder()
    local ok, message = xpcall(test, function(m) return type(m) == "string" and debug.traceback(m) or m end, folder)
    files.remove(folder)
    if not ok then error(message, 0) end
  end
end

-- Loading must raise a message with that part.
local function load_fails(part, data)
  lu.assertErrorMsgContains(part, data.load, data)
end

T.test_npy = in_folder(function(folder)
  local x = files.write(folder, "x.npy", files.npy("|u1", "(4, 1, 2)", "abcdefgh"))
  local y = files.write(folder, "y.npy", files.npy("<i8", "(4,)", string.pack("<i8i8i8i8", 0, 2, 1, 0)))
  local data = nas.data.npy { x = x, y = y }
  local info = data:info()
  lu.assertEquals({ info.name, info.count, info.height, info.width, info.channels }, { "npy", 4, 1, 2, 1 })
  lu.assertEquals({ info.classes, info.training, info.validation }, { 3, 3, 1 })
  lu.assertEquals({ data:load():target(1), data:load():target(2) }, { 1, 3 })
  lu.assertEquals(nas.data.npy({ x = x, y = y, classes = 7 }):info().classes, 7)
  load_fails(y .. ": class 2 is not among the expected ones, 0 to 1", nas.data.npy { x = x, y = y, classes = 2 })
  load_fails("/nowhere/x.npy cannot be opened", nas.data.npy { x = "/nowhere/x.npy", y = y })
end)

T.test_npy_failures_name_the_files = in_folder(function(folder)
  local function floats(name, shape, ...)
    return files.write(folder, name, files.npy("<f4", shape, string.pack("<" .. ("f"):rep(select("#", ...)), ...)))
  end
  local function classes(name, ...)
    return files.write(folder, name,
      files.npy("<i4", ("(%d,)"):format(select("#", ...)), string.pack("<" .. ("i4"):rep(select("#", ...)), ...)))
  end
  local x, y = floats("x.npy", "(3, 1)", 1, 2, 3), classes("y.npy", 0, 1, 0)
  local nan = floats("nan.npy", "(3,)", 0, 1, 0 / 0)
  load_fails(nan .. ": the classes are not all whole numbers; expected integers from 0",
    nas.data.npy { x = x, y = nan, classes = true })
  load_fails(("%s with %s: dataset: targets contain nan at {3}"):format(x, nan), nas.data.npy { x = x, y = nan })
  local infinite = floats("inf.npy", "(3, 1)", 1, 1 / 0, 3)
  load_fails(("%s with %s: dataset: inputs contain inf at {2, 1}"):format(infinite, y),
    nas.data.npy { x = infinite, y = y })
  local short, same = classes("short.npy", 0, 1), classes("same.npy", 2, 2, 2)
  load_fails(short .. ": dataset: 3 inputs in the tensor of inputs, but 2 targets", nas.data.npy { x = x, y = short })
  load_fails(same .. ": dataset: all labels in the tensor of targets are of one class",
    nas.data.npy { x = x, y = same })
  local flat = floats("flat.npy", "(3,)", 1, 2, 3)
  load_fails(flat .. " with " .. y .. ": dataset: the tensor of inputs is float32 [3]",
    nas.data.npy { x = flat, y = y })
  load_fails("npy has one input only; expected at least two, to train and to validate",
    nas.data.npy { x = floats("one.npy", "(1, 1)", 1), y = floats("value.npy", "(1,)", 1) })
end)

T.test_npy_values = in_folder(function(folder)
  local x = files.write(folder, "x.npy", files.npy("<i4", "(3, 2)", string.pack("<i4i4i4i4i4i4", 1, 2, 3, 4, 5, 6)))
  local y = files.write(folder, "y.npy", files.npy("<f8", "(3, 1)", string.pack("<ddd", 0.5, 1.5, 2.5)))
  local info = nas.data.npy({ x = x, y = y, standardize = true }):info()
  lu.assertEquals({ info.shape, info.task, info.target_values, info.standardized }, { { 2 }, "values", 1, true })
end)

local PLANTS = "leaf,kind,petals,height\n1.5,rose,5,80\n2,tulip,6,30\n-.5,rose,10,60\n1,aster,34,50\n"

T.test_csv = in_folder(function(folder)
  local path = files.write(folder, "plants.csv", PLANTS)
  local data = nas.data.csv { path = path, target = "kind" }
  local info = data:info()
  lu.assertEquals({ info.name, info.count, info.shape, info.classes }, { "csv", 4, { 3 }, 3 })
  lu.assertEquals(info.class_names, { "aster", "rose", "tulip" })
  local input, class = data:input(1)
  lu.assertEquals({ input:totable(), class }, { { 1.5, 5, 80 }, 2 })
  lu.assertEquals({ data:load():target(1), data:load():target(4) }, { 2, 1 })

  data = nas.data.csv { path = path, target = "height", features = { "petals", 1 } }
  info = data:info()
  lu.assertEquals({ info.task, info.target_values, info.shape }, { "values", 1, { 2 } })
  local features, values = data:input(2)
  lu.assertEquals({ features:totable(), values:totable() }, { { 6, 2 }, { 30 } })

  data = nas.data.csv { path = path, target = { 1, "height" }, features = { "petals" } }
  lu.assertEquals(data:load():target(3):totable(), { -0.5, 60 })
  info = nas.data.csv({ path = path, target = "petals", classes = true, features = { "leaf" } }):info()
  lu.assertEquals(info.class_names, { "5", "6", "10", "34" })
end)

T.test_csv_formats = in_folder(function(folder)
  local path = files.write(folder, "a.csv", "1|2,5|x\n3|4,5|y\n")
  load_fails('line 1, column "2": the cell is "2,5"; expected a number; features = { ... } chooses other columns',
    nas.data.csv { path = path, target = 3, delimiter = "|", header = false })
  local info = nas.data.csv({ path = path, target = "3", features = { 1 }, delimiter = "|", header = false }):info()
  lu.assertEquals(info.class_names, { "x", "y" })
end)

T.test_csv_failures = in_folder(function(folder)
  local path = files.write(folder, "plants.csv", PLANTS)
  load_fails('line 2, column "kind": the cell is "rose"; expected a number; features = ',
    nas.data.csv { path = path, target = "height" })
  local unknown = nas.data.csv { path = path, target = "color" }
  load_fails('csv: there is no column "color"; columns: leaf, kind, petals, height', unknown)
  lu.assertNotStrContains(select(2, pcall(unknown.load, unknown)), "bad argument")
  load_fails('plants.csv: column "petals" is a feature and a target; expected one or the other',
    nas.data.csv { path = path, target = "petals", features = { "leaf", 3 } })
  load_fails("csv: column is 5; expected a name, or an integer from 1 to 4", nas.data.csv { path = path, target = 5 })
  load_fails('column "kind": the cell is "rose"; expected a number; or is this a class? Then set classes = true',
    nas.data.csv { path = path, target = "kind", classes = false })
  path = files.write(folder, "gap.csv", "x,y\n1,2\n3,NA\n")
  load_fails('gap.csv, line 3, column "y": the cell is "NA"; expected a number; or is this a class?',
    nas.data.csv { path = path, target = "y" })
  path = files.write(folder, "one.csv", "x,y\n1,a\n3,a\n")
  load_fails('one.csv: column "y" has the class "a" only; expected at least two',
    nas.data.csv { path = path, target = "y" })
  path = files.write(folder, "all.csv", "x,y\n1,2\n3,4\n")
  load_fails("all.csv: there are no other columns than the target", nas.data.csv { path = path, target = { 1, 2 } })
  load_fails("absent cannot be opened", nas.data.csv { path = folder .. "/absent", target = "y" })
end)

T.test_png_folder = in_folder(function(folder)
  for _, name in ipairs { "dog/1.png", "cat/1.png", "cat/2.png" } do
    files.write(folder, name, files.png(1, 2, 3, "abcdef"))
  end
  local data = nas.data.png_folder { path = folder }
  local info = data:info()
  lu.assertEquals({ info.count, info.height, info.width, info.channels }, { 3, 1, 2, 3 })
  lu.assertEquals(info.class_names, { "cat", "dog" })
  lu.assertEquals({ data:load():target(2), data:load():target(3) }, { 1, 2 })
  files.write(folder, "owl/1.png", files.png(1, 2, 4, ("abcd"):rep(2)))
  load_fails("owl/1.png: row 0, column 0 is transparent; expected an image without transparency, or a background",
    nas.data.png_folder { path = folder })
  local chosen = { "owl", "dog" }
  data = nas.data.png_folder { path = folder, folders = chosen, background = 0, validation = 1 }
  chosen[2] = "cat"
  lu.assertEquals({ data:info().class_names, data:load():target(1) }, { { "owl", "dog" }, 1 })
  load_fails("all labels in the tensor of targets are of one class", nas.data.png_folder {
    path = folder, folders = { "dog", "cat" }, distinct = true,
  })
  load_fails("cat: no sub-folders; expected one for each class", nas.data.png_folder { path = folder .. "/cat" })
end)

T.test_cifar10 = in_folder(function(folder)
  local paths = {}
  for i = 1, 5 do
    paths[i] = files.write(folder, ("cifar-10-batches-bin/data_batch_%d.bin"):format(i),
      files.cifar(i, 10, 20, 30) .. files.cifar(9, 1, 2, 3))
  end
  local info = nas.data.cifar10({ path = folder }):info()
  lu.assertEquals({ info.name, info.count, info.classes, info.shape }, { "cifar10", 10, 10, { 32, 32, 3 } })
  lu.assertEquals(info.class_names[10], "truck")
  lu.assertEquals(nas.data.cifar10({ path = folder .. "/cifar-10-batches-bin" }):info().fingerprint, info.fingerprint)
  lu.assertEquals(nas.data.cifar10({ path = paths }):info().fingerprint, info.fingerprint)
  local two = nas.data.cifar10 { path = { paths[1], paths[2] } }
  lu.assertEquals({ two:info().count, two:load():target(1), two:load():target(4) }, { 4, 2, 10 })
  os.remove(paths[2])
  load_fails("CIFAR-10 (data_batch_1.bin to data_batch_5.bin, plain or .gz) was not found in " .. folder,
    nas.data.cifar10 { path = folder })
end)

function T.test_fashion_mnist()
  local data = nas.data.fashion_mnist { limit = 1000 }
  local ok, problem = pcall(data.info, data)
  lu.skipIf(not ok and problem:find("was not found", 1, true) ~= nil, "Fashion-MNIST is not installed")
  local info = data:info()
  lu.assertEquals({ info.count, info.training, info.validation, info.classes }, { 60000, 1000, 5000, 10 })
  lu.assertStrContains(info.fingerprint, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888")
  local all = nas.data.fashion_mnist():info()
  lu.assertEquals(all.class_names[8], "Sneaker")
  lu.assertEquals({ all.training, all.fingerprint }, { 55000, info.fingerprint })
end

-- ---- Splits ----------------------------------------------------------------------------------------

function T.test_default_validation()
  local function validation(count)
    local y = nas.tensor.zeros { count }
    return nas.data.tensors({ x = nas.tensor.zeros { count, 1 }, y = y }):info().validation
  end
  lu.assertEquals({ validation(2), validation(14), validation(15), validation(100) }, { 1, 1, 2, 10 })
end

function T.test_fractions()
  local function split(options)
    options.images = 50
    local info = nas.data.synthetic(options):info()
    return { info.training, info.validation }
  end
  lu.assertEquals(split { validation = 0.3 }, { 35, 15 })
  lu.assertEquals(split { validation = 0.001 }, { 49, 1 })
  lu.assertEquals(split { validation = 7.0 }, { 43, 7 })
  lu.assertEquals(split { validation = 0.5, limit = 3 }, { 3, 25 })
  lu.assertEquals(split { split = { training = { 5, 1 }, validation = { 2 } } }, { 2, 1 })
end

function T.test_stratified_and_standardized()
  local info = nas.data.synthetic({ stratified = true, standardize = true }):info()
  lu.assertTrue(info.standardized)
  lu.assertStrContains(info.identity, "stratified=1")
end

function T.test_bad_splits()
  local synthetic = nas.data.synthetic
  lu.assertErrorMsgContains("data.synthetic: split is given with validation; expected one or the other", synthetic,
    { split = { training = { 1 }, validation = { 2 } }, validation = 3 })
  lu.assertErrorMsgContains("split.training is nil; expected a list of positions", synthetic, { split = {} })
  lu.assertErrorMsgContains("split.validation is empty; expected a list", synthetic,
    { split = { training = { 1 }, validation = {} } })
  lu.assertErrorMsgContains('data.synthetic: split: unknown option "test"', synthetic, { split = { test = { 1 } } })
  lu.assertErrorMsgContains("stratified is 1; expected true or false", synthetic, { stratified = 1 })
  load_fails("expected an integer from 1 to 500", synthetic { split = { training = { 501 }, validation = { 1 } } })
  load_fails("listed twice", synthetic { split = { training = { 1, 2 }, validation = { 2 } } })
  lu.assertErrorMsgContains("stratified", function()
    return nas.data.tensors({ x = nas.tensor.zeros { 9, 1 }, y = nas.tensor.zeros { 9 }, stratified = true }):load()
  end)
end

-- ---- Bad input -------------------------------------------------------------------------------------

function T.test_bad_options()
  local data = nas.data
  lu.assertErrorMsgContains('data.fashion_mnist: unknown option "size"; known options: limit, path, split, ',
    data.fashion_mnist, { size = 3 })
  lu.assertErrorMsgContains("validation is 0; expected an integer of at least 1, or a fraction",
    data.fashion_mnist, { validation = 0 })
  lu.assertErrorMsgContains("validation is 1.5; expected an integer", data.fashion_mnist, { validation = 1.5 })
  lu.assertErrorMsgContains("limit is -1", data.fashion_mnist, { limit = -1 })
  lu.assertErrorMsgContains("split_seed is 0.5", data.fashion_mnist, { split_seed = 0.5 })
  lu.assertErrorMsgContains('limit is "all"', data.fashion_mnist, { limit = "all" })
  lu.assertErrorMsgContains("path is 3; expected a non-empty string", data.fashion_mnist, { path = 3 })
  lu.assertErrorMsgContains("classes is 1; expected an integer from 2", data.synthetic, { classes = 1 })
  lu.assertErrorMsgContains("images is nil", data.idx, {})
  lu.assertErrorMsgContains("labels is nil", data.idx, { images = "x" })
  lu.assertErrorMsgContains("data.tensors: x is nil; expected a tensor", data.tensors, { classes = 2 })
  lu.assertErrorMsgContains("data.npy: y is nil", data.npy, { x = "a" })
  lu.assertErrorMsgContains("data.csv: target is nil; expected names or positions", data.csv, { path = "a" })
  lu.assertErrorMsgContains("data.csv: target has true; expected names", data.csv, { path = "a", target = true })
  lu.assertErrorMsgContains("data.csv: target has 2 columns; expected one", data.csv,
    { path = "a", target = { 1, 2 }, classes = true })
  lu.assertErrorMsgContains("data.png_folder: path is nil", data.png_folder)
  lu.assertErrorMsgContains('folders is "cat"; expected a list of at least two names', data.png_folder,
    { path = "a", folders = "cat" })
  lu.assertErrorMsgContains("folders is a list of 1; expected a list of at least two names", data.png_folder,
    { path = "a", folders = { "cat" } })
  lu.assertErrorMsgContains("data.png_folder: folders[2] is 3; expected a non-empty string", data.png_folder,
    { path = "a", folders = { "cat", 3 } })
  lu.assertErrorMsgContains("data.png_folder: background is 256; expected an integer from 0 to 255", data.png_folder,
    { path = "a", background = 256 })
  lu.assertErrorMsgContains("rgb is 1; expected true or false", data.png_folder, { path = "a", rgb = 1 })
  lu.assertErrorMsgContains("data.cifar10: path is 3", data.cifar10, { path = 3 })
  local large = data.synthetic { images = 20, validation = 20 }
  lu.assertErrorMsgContains("validation is 20; expected an integer from 1 to 19", large.load, large)
  local limit = data.synthetic { images = 20, limit = 17 }
  lu.assertErrorMsgContains("a limit of 17 training images; expected 1 to 16", limit.load, limit)
end

function T.test_mistakes_in_the_number_of_an_image()
  local data = nas.data.synthetic { images = 10 }
  lu.assertErrorMsgContains(": data:image: image is 0; expected 1 to 10, or -1 to -10 from the end", data.image, data,
    0)
  lu.assertErrorMsgContains(": data:image: image is 1.5; expected 1 to 10", data.image, data, 1.5)
  lu.assertErrorMsgContains(": data:input: image is 11; expected 1 to 10", data.input, data, 11)
end

function T.test_parts_and_their_targets()
  local data = nas.data.synthetic { images = 30, validation = 7 }
  local seen = {}
  for _, name in ipairs { "training", "validation" } do
    local numbers, targets = data:part(name), data:targets(name)
    lu.assertEquals(numbers:shape(), { name == "training" and 23 or 7 })
    lu.assertEquals(targets:shape(), numbers:shape())
    for k = 1, numbers:shape()[1] do
      local i = numbers:get(k)
      lu.assertNil(seen[i])
      seen[i] = true
      local _, class = data:image(i)
      lu.assertEquals(targets:get(k), class)
    end
  end
  lu.assertEquals(#seen, 30)
  local y = core.tensor({ 10, 2 }, "float32")
  for i = 1, 10 do y[i][1], y[i][2] = i, -i end
  local values = nas.data.tensors { x = core.tensor({ 10, 3 }, "float32"), y = y, validation = 4 }
  local numbers, targets = values:part "validation", values:targets "validation"
  lu.assertEquals(targets:shape(), { 4, 2 })
  for k = 1, 4 do
    lu.assertEquals({ targets:get(k, 1), targets:get(k, 2) }, { numbers:get(k), -numbers:get(k) })
  end
  lu.assertErrorMsgContains("test", data.part, data, "test")
  lu.assertErrorMsgContains("data:part: name is 5", data.part, data, 5)
  lu.assertErrorMsgContains("data:targets: name is 5; expected a non-empty string", data.targets, data, 5)
  lu.assertErrorMsgContains("data:targets: invalid option 'test'", data.targets, data, "test")
end

function T.test_test_splits_of_ones_own()
  local function tensors(count, highest)
    local x, y = core.tensor({ count, 8, 8, 1 }, "uint8"), core.tensor({ count }, "int32")
    for i = 1, count do y[i] = i % highest + 1 end
    return x, y
  end
  local x, y = tensors(30, 10)
  local test_x, test_y = tensors(7, 3)
  local data = nas.data.tensors { x = x, y = y, test = { x = test_x, y = test_y } }
  local study = require "spaces".study { data = data }
  local metrics = study:final(study:evaluate(nas.arch "kernel=3{1,3} filters=2{2,4}"), { intent = "for the test" })
  lu.assertEquals(#metrics.per_class, 10) -- as many as the training images have
  lu.assertEquals(data.test:info().count, 7)
  lu.assertErrorMsgContains("data.tensors: test: class 11 is not among the expected ones", nas.data.tensors,
    { x = x, y = y, test = { x = x, y = y + 1 } })
  lu.assertErrorMsgContains("data.tensors: test is 3; expected a table such as { x = ..., y = ... }", nas.data.tensors,
    { x = x, y = y, test = 3 })
  lu.assertErrorMsgContains("data.npy: test: y is nil", nas.data.npy, { x = "a", y = "b", test = { x = "c" } })
  lu.assertErrorMsgContains("data.idx: test: labels is nil", nas.data.idx,
    { images = "a", labels = "b", test = { images = "c" } })
end

return T
