--- Where the time of training goes, layer by layer: network:plan on made-up images, model:profile of a
--- training.
local core = require "luanas.core"
local check = require "luanas.check"
local node = require "luanas.node"
local text_table = require "luanas.text_table"

local profile = {}

-- ---- Profiles --------------------------------------------------------------------------------------

local Profile = { __name = "luanas.Profile" }
Profile.__index = Profile

local OTHERS = { "loading", "adding", "stepping", "waiting" } -- times that no layer has

local function sum(layers, field)
  local all = 0
  for _, layer in ipairs(layers) do all = all + layer[field] end
  return all
end

local function share(part, all)
  return all > 0 and part / all or 0
end

--- Of what trainer:profile() gives, which it completes.
function profile.new(times)
  local layers = times.layers
  local seconds, cycles = sum(layers, "forward") + sum(layers, "backward"), sum(layers, "cycles")
  for _, layer in ipairs(layers) do
    layer.predicted = share(layer.cycles, cycles)
    layer.measured = share(layer.forward + layer.backward, seconds)
    if layer.fused_into then layer.kernel = ("fused into line %d"):format(layer.fused_into) end
  end
  times.in_layers = seconds
  times.gflops = share(2e-9 * sum(layers, "train_macs") * times.images, times.seconds)
  return setmetatable(times, Profile)
end

-- ---- For people ------------------------------------------------------------------------------------

local COLUMNS = {
  { title = "#", right = true }, { title = "layer" }, { title = "output" }, { title = "kernel" }, { title = "isa" },
  { title = "MACs", right = true }, { title = "maps KiB", right = true }, { title = "weights KiB", right = true },
  { title = "predicted", right = true }, { title = "measured", right = true }, { title = "forward s", right = true },
  { title = "backward s", right = true },
}

local function percent(part)
  return ("%.1f %%"):format(100 * part)
end

local function row_of(number, layer)
  return {
    tostring(number), layer.name, #layer.shape > 0 and table.concat(layer.shape, "x") or "1", layer.kernel,
    layer.isa or "", text_table.grouped(layer.macs), ("%.1f"):format(layer.map_bytes / 1024),
    ("%.1f"):format(layer.weight_bytes / 1024), percent(layer.predicted), percent(layer.measured),
    ("%.4f"):format(layer.forward), ("%.4f"):format(layer.backward),
  }
end

function Profile:__tostring()
  local rows = {}
  for i, layer in ipairs(self.layers) do rows[i] = row_of(i, layer) end
  local all = self.in_layers
  for _, name in ipairs(OTHERS) do all = all + self[name] end
  local parts = { "layers " .. percent(share(self.in_layers, all)) }
  for _, name in ipairs(OTHERS) do parts[#parts + 1] = name .. " " .. percent(share(self[name], all)) end
  return text_table.format(COLUMNS, rows) .. table.concat({
    ("%d images in %.3f s on %d thread%s: %.1f GFLOP/s; micro-batch %d with %.1f KiB%s, %s"):format(self.images,
      self.seconds, self.threads, self.threads == 1 and "" or "s", self.gflops, self.micro_batch,
      self.scratch_bytes / 1024,
      self.stored_bytes > 0 and (" and %.1f KiB stored"):format(self.stored_bytes / 1024) or "", self.isa),
    "time of the threads: " .. table.concat(parts, ", "),
  }, "\n") .. "\n"
end

-- ---- Plans -----------------------------------------------------------------------------------------

local OPTIONS = { "batch", "isa", "micro_batch", "seconds", "threads", "winograd" }

local function check_isa(owner, name, value)
  local isas = core.machine().isas
  for _, isa in ipairs(isas) do
    if isa == value then return value end
  end
  check.fail("%s: %s is %s; expected one of %s", owner, name, check.show(value), table.concat(isas, ", "))
end

local function check_options(options)
  options = check.options("plan", options, OPTIONS)
  local winograd = check.optional(check.boolean, "plan", "winograd", options.winograd)
  return {
    batch = check.optional(check.integer, "plan", "batch", options.batch, 1, 65536) or 250,
    isa = check.optional(check_isa, "plan", "isa", options.isa),
    micro_batch = check.optional(check.integer, "plan", "micro_batch", options.micro_batch, 1, 16),
    seconds = check.optional(check.number, "plan", "seconds", options.seconds, 0) or 0.1,
    threads = check.optional(check.integer, "plan", "threads", options.threads, 1, 256),
    winograd = winograd == nil or winograd,
  }
end

-- A batch of images and one to validate with, all alike, and their targets: classes, or values for a single unit.
local function made_up(shape, units, batch)
  local count = batch + 1
  local rows = #shape == 3 and { shape[1], shape[2] * shape[3] } or { 1, shape[1] }
  local inputs = core.tensor({ count, table.unpack(shape) }, "uint8")
  local flat, stream = inputs:reshape { count, rows[1], rows[2] }, core.stream(0, "plan")
  local first = flat[1][1]
  for i = 1, rows[2] do first[i] = stream:integer(256) - 1 end
  for y = 2, rows[1] do flat[1][y]:copy(first) end
  for n = 2, count do flat[n]:copy(flat[1]) end
  local targets = core.tensor({ count }, units > 1 and "int32" or "float32")
  for n = 1, units > 1 and count or 0 do targets[n] = (n - 1) % units + 1 end
  local data = core.dataset("plan", { inputs = inputs, targets = targets, classes = units > 1 and units or nil })
  return data:split { validation = 1 }
end

local function trainer_for(network, options)
  local layers = check.core(network.layers, network)
  local output, input = layers[#layers].shape, nil
  for _, layer in ipairs(layers) do
    if layer.name == "input" then input = layer.shape end
  end
  if #output ~= 1 then
    check.fail("plan: the network ends in %s; expected a vector, as nn.dense gives one",
      #output == 0 and "one number" or "shape " .. table.concat(output, "x"))
  end
  local recipe = core.recipe {
    batch = options.batch, winograd = options.winograd,
    loss = output[1] > 1 and "softmax_cross_entropy" or "mean_squared_error",
  }
  local speed = { isa = options.isa, micro_batch = options.micro_batch, threads = options.threads, profile = true }
  local data = made_up(input, output[1], options.batch)
  return check.core(core.trainer, core.network_parse(network:text()), data, recipe, 0, speed)
end

-- What `after` has measured since `before`.
local function since(before, after)
  for _, name in ipairs { "images", "seconds", table.unpack(OTHERS) } do after[name] = after[name] - before[name] end
  for i, layer in ipairs(after.layers) do
    layer.forward = layer.forward - before.layers[i].forward
    layer.backward = layer.backward - before.layers[i].backward
  end
  return after
end

-- Whether an epoch went well. One of made-up images may diverge, which is no reason not to show the times.
local function epoch(trainer)
  local done, message, code = trainer:epoch()
  if not done and code == "NAS_INTERRUPTED" then error(message, 0) end
  return done
end

--- Trains a network, or the one that ends in a node, on made-up images for a while: a batch to warm up, and then others
--- as long as options.seconds say.
function profile.plan(network, options)
  options = check_options(options)
  local problem
  if not node.is_network(network) then
    network, problem = check.core(core.network, network)
    if not network then check.fail("plan: %s", problem) end
  end
  local trainer <close>, too_large = trainer_for(network, options)
  if not trainer then check.fail("plan: %s", too_large) end
  if not epoch(trainer) then return profile.new(trainer:profile()) end
  local before, began = trainer:profile(), core.clock()
  repeat until not epoch(trainer) or core.clock() - began >= options.seconds
  return profile.new(since(before, trainer:profile()))
end

return profile
