local lu = require "luaunit"
local nas = require "luanas"

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
    x = nas.tensor_from(images, "uint8"), y = nas.tensor_from(labels, "int32"), classes = 3, validation = 3,
  }
  local info = data:info()
  lu.assertEquals({ info.count, info.height, info.width, info.training }, { 12, 1, 2, 9 })
end

function T.test_fashion_mnist()
  local data = nas.data.fashion_mnist { limit = 1000 }
  local ok, problem = pcall(data.info, data)
  lu.skipIf(not ok and problem:find("was not found", 1, true) ~= nil, "Fashion-MNIST is not installed")
  local info = data:info()
  lu.assertEquals({ info.count, info.training, info.validation, info.classes }, { 60000, 1000, 5000, 10 })
  lu.assertStrContains(info.fingerprint, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888")
  local all = nas.data.fashion_mnist():info()
  lu.assertEquals({ all.training, all.fingerprint }, { 55000, info.fingerprint })
end

-- ---- Bad input -------------------------------------------------------------------------------------

function T.test_bad_options()
  local data = nas.data
  lu.assertErrorMsgContains('data.fashion_mnist: unknown option "size"; known options: limit, path, split',
    data.fashion_mnist, { size = 3 })
  lu.assertErrorMsgContains("validation is 0; expected an integer of at least 1", data.fashion_mnist,
    { validation = 0 })
  lu.assertErrorMsgContains("limit is -1", data.fashion_mnist, { limit = -1 })
  lu.assertErrorMsgContains("split_seed is 0.5", data.fashion_mnist, { split_seed = 0.5 })
  lu.assertErrorMsgContains('limit is "all"', data.fashion_mnist, { limit = "all" })
  lu.assertErrorMsgContains("path is 3; expected a non-empty string", data.fashion_mnist, { path = 3 })
  lu.assertErrorMsgContains("classes is 1; expected an integer from 2", data.synthetic, { classes = 1 })
  lu.assertErrorMsgContains("images is nil", data.idx, {})
  lu.assertErrorMsgContains("labels is nil", data.idx, { images = "x" })
  lu.assertErrorMsgContains("data.tensors: x is nil; expected a tensor", data.tensors, { classes = 2 })
  local large = data.synthetic { images = 20, validation = 20 }
  lu.assertErrorMsgContains("validation is 20; expected an integer from 1 to 19", large.load, large)
  local limit = data.synthetic { images = 20, limit = 17 }
  lu.assertErrorMsgContains("a limit of 17 training images; expected 1 to 16", limit.load, limit)
end

return T
