-- Every constructor, with 0, 1, 2, ... allocations allowed until it succeeds; and the collector's view of C memory.
local core = require "luanas.core"
local lu = require "luaunit"
local files = require "sample_files"
local runner = require "runner"
local support = require "support"

local tests = {}

function tests.test_module()
  support.with_little_memory(runner.open_core)
  package.loaded["luanas.core"] = nil
  require "luanas.core"
end

function tests.test_node()
  local input = support.input()
  support.with_little_memory(function()
    return core.node("conv2d", { input }, { kernel = { 3, 3 }, filters = 4, padding = "same" })
  end)
end

function tests.test_network()
  local output = support.network()
  support.with_little_memory(function()
    local network = core.network(output)
    return network:text(), network:hash(), network:layers(), tostring(network)
  end)
end

function tests.test_network_parse()
  local text = core.network(support.network()):text()
  support.with_little_memory(function() return core.network_parse(text) end)
end

function tests.test_dataset_from_tensors()
  local images, labels = support.tensors(6)
  support.with_little_memory(function()
    local dataset = core.dataset("test", { inputs = images, targets = labels, classes = 3 })
    return dataset:split({ validation = 2 }):info(), dataset:image(1)
  end)
end

function tests.test_dataset_readers()
  local inputs = core.tensor_from { { 1, 5 }, { 2, 5 }, { 3, 5 } }
  local targets = core.tensor({ 3 }, "int32")
  for i = 1, 3 do targets[i] = i % 2 + 1 end
  support.with_little_memory(function()
    local parts = { inputs = inputs, targets = targets, classes = 2, class_names = { "a", "b" } }
    local dataset = core.dataset("test", parts)
    local split = dataset:split { training_list = { 3, 1 }, validation_list = { 2 }, standardize = true }
    return split:describe(), split:info(), split:input(1), split:target(1), dataset:adopt(split:standardization())
  end)
  support.with_little_memory(function()
    return core.dataset("test", { inputs = inputs, targets = inputs }):target(1)
  end)
end

function tests.test_dataset_from_files()
  local images, labels = os.tmpname(), os.tmpname()
  local file = assert(io.open(images, "wb"))
  file:write("\0\0\x08\x03", string.pack(">I4I4I4", 2, 2, 2), "abcdefgh")
  file:close()
  file = assert(io.open(labels, "wb"))
  file:write("\0\0\x08\x01", string.pack(">I4", 2), "\0\1")
  file:close()
  support.with_little_memory(function()
    return assert(core.dataset_idx("files", { images = images, labels = labels }))
  end)
  os.remove(images)
  os.remove(labels)
end

function tests.test_files()
  local folder = files.folder()
  local npy = files.write(folder, "a.npy", files.npy("<f8", "(2,)", string.pack("<dd", 1, 2)))
  local cifar = files.write(folder, "a.bin", files.cifar(1, 2, 3, 4))
  local csv = files.write(folder, "a.csv", "a,b\n1,x\n2,y\n")
  local png = files.write(folder, "images/a/1.png", files.png(1, 2, 1, "ab"))
  files.write(folder, "images/b/1.png", files.png(1, 2, 1, "ab"))
  support.with_little_memory(function() return core.read_npy(npy), core.read_png(png) end)
  support.with_little_memory(function() return core.read_cifar({ cifar }, "cifar10") end)
  support.with_little_memory(function()
    return core.read_png_folder(folder .. "/images", { distinct = true }, { "b", "a" })
  end)
  support.with_little_memory(function()
    local read = core.read_csv(csv)
    return read:numbers { "a" }, read:labels "b", read:names(), read:cell(1, "b"), tostring(read)
  end)
  files.remove(folder)
end

function tests.test_recipe_and_stream()
  support.with_little_memory(function()
    local recipe = core.recipe { batch = 12, optimizer = { name = "sgd", rate = 0.1 } }
    return recipe:text(), tostring(recipe), core.stream(1, "test", 2, 3):permutation(20)
  end)
end

function tests.test_trainer()
  local output, data, recipe = support.network(), support.dataset(), core.recipe { batch = 12 }
  support.with_little_memory(function()
    local trainer = core.trainer(output, data, recipe, 0, { threads = 2, profile = true })
    return trainer:epoch(), trainer:digest(), trainer:params(), trainer:profile(), tostring(trainer)
  end)
end

function tests.test_tensor()
  local values = { { 1, 2 }, { 3, 4 } }
  support.with_little_memory(function()
    local t = core.tensor_from(values)
    local _ = t + core.tensor { 2, 2 } - 1
    t:copy(t:transpose():reshape { 4 }:reshape { 2, 2 })
    return (3 - t * -t):matmul(t):argmax(), t[1], t:narrow(1, 1, 1):clone():to "int32", t:totable(), tostring(t)
  end)
end

function tests.test_tensor_views_and_operations()
  local t = core.tensor_from { { 4, 1 }, { 2, 3 } }
  local stream, path = core.stream(1, "memory"), os.tmpname()
  support.with_little_memory(function()
    local part = t[{ {}, { 2, 1, -1 } }]
    part[{ 1 }] = core.tensor { 1 }
    part[part:gt(1) | ~part:lt(3)] = 2.5
    t[{ 2, 2 }] = 3
    local picked = t:take(1, { 2, 2, 1 }):permute({ 2, 1 }):unsqueeze(1):expand({ 2, 2, 3 }):squeeze()
    return picked[{ 1 }], t[t:ge(0)], t:nonzero(), core.tensor_where(t:ne(1), t, 0), core.tensor_concat { t, t }
  end)
  support.with_little_memory(function()
    local square = core.tensor_from { { 4, 1 }, { 2, 3 } }
    return t:std(1), t:argmin(2, true), t:exp():clamp(0, 1), square:solve(t), t:matmul(t[1]), t:svd()
  end)
  support.with_little_memory(function()
    local made = core.tensor_normal({ 2, 2 }, stream, 0, 1) + core.tensor_uniform({ 2 }, stream, 0, 1)
    assert(core.write_npy(made, path))
    return core.read_npy(path), core.tensor_from_bytes(made:bytes(), { 4 }), core.tensor_ramp(3, 1, 1)
  end)
  os.remove(path)
end

local decisions = {
  { name = "a", options = "1,2", count = 2, chosen = 1 },
  { name = "a", options = "x", count = 3, chosen = 3 },
}
local episodes = {
  { decisions = decisions, advantage = 1, entropies = { 0.1, 0.1 }, options = { false, { 1, 0, 0 } },
    values = { 0.5, -1 } },
}

function tests.test_policy()
  support.with_little_memory(function()
    local p = core.policy({ units = 2, layers = 1 }, 1)
    p:begin()
    p:choose("a", "1,2", 2, core.stream(1, "test"))
    p:learn(episodes)
    local gradient = p:gradient(episodes)
    p:apply(gradient)
    return p:score(decisions, true, true), gradient:blocks(), gradient:dot(gradient), p:blocks(), p:info(), p:bytes(),
      core.policy_decode(p:bytes())
  end)
end

function tests.test_others()
  support.with_little_memory(function()
    return core.options(), core.machine(), core.number_text(0.1), core.hash "abc",
      core.schedule_factor({ name = "step", every = 2 }, 1, 1)
  end)
end

-- The most MiB that are held while f is called so often.
local function most_held(times, f)
  local most = 0
  for _ = 1, times do
    f()
    local _, bytes = runner.used()
    most = math.max(most, bytes)
  end
  return most / 2 ^ 20
end

-- A loop that drops 400 tensors of 4 MiB must not hold many of them at once.
function tests.test_collector_sees_c_memory()
  local most = most_held(400, function() core.tensor { 1024, 1024 } end)
  lu.assertTrue(most < 200, ("%.0f MiB were held at once"):format(most))
end

-- Of a high matrix the first result is large, of a wide one the last, 1 MiB here.
function tests.test_collector_sees_all_of_svd()
  for _, shape in ipairs { { 1 << 18, 1 }, { 1, 1 << 18 } } do
    local matrix = core.tensor(shape):fill(1)
    local most = most_held(100, function() matrix:svd() end)
    lu.assertTrue(most < 30, ("%.0f MiB were held at once"):format(most))
  end
end

function tests.test_a_stopped_collector_stays_stopped()
  local seen = setmetatable({}, { __mode = "k" })
  collectgarbage "stop"
  seen[{}] = true
  for _ = 1, 100 do core.tensor { 256, 256 } end
  local still_there = next(seen) ~= nil
  collectgarbage "restart"
  lu.assertTrue(still_there)
end

return tests
