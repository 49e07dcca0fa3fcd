--- Search spaces. A space is a function that builds a network and asks c:choose for every decision.
local core = require "luanas.core"
local build = require "luanas.build"
local arch = require "luanas.arch"
local by_hand = require "luanas.choosers.by_hand"
local check = require "luanas.check"
local enumerator = require "luanas.choosers.enumerate"
local known = require "luanas.known"
local nn = require "luanas.nn"
local node = require "luanas.node"
local random_answer = require "luanas.choosers.random"
local replayer = require "luanas.choosers.replay"

local space = {}

local SIZE_LIMIT = 10000 -- a second or two
local ESTIMATE_SAMPLES = 1000
local QUICK_SAMPLES = 100
local FAR = 100 -- times the limit: the estimate has no bias, and would have to be wrong by so much

function space.build(space_function, record)
  arch.check("space.build", "architecture", record)
  local built = build.run(space_function, replayer(record))
  if built.arch.unbuildable then return nil, built.arch.unbuildable end
  return built.output, built.network, built.train
end

function space.choose(space_function, answer, sample)
  local owner = "space.choose"
  if type(answer) ~= "function" then
    check.fail("%s: answer is %s; expected a function of a decision", owner, check.show(answer))
  end
  local sum = 0.0 -- of the log-probabilities; nil where a decision has none
  local record = known.choose(space_function, function(decision, position)
    local chosen, log_prob = check.run(answer, decision, position)
    local name = ("decision %d, %s: the answer"):format(position, decision.name)
    sum = sum and log_prob and sum + check.number(owner, name .. "'s log-probability", log_prob)
    return check.integer(owner, name, chosen, 1, decision.options.count), log_prob
  end, check.optional(check.integer, owner, "sample", sample, 1))
  record.log_prob = sum
  return record
end

function space.by_hand(space_function, values, sample)
  local owner = "space.by_hand"
  local answer, finish = by_hand(owner, values)
  local record = known.choose(space_function, answer, check.optional(check.integer, owner, "sample", sample, 1))
  finish()
  return record
end

function space.enumerate(space_function, limit)
  if limit ~= nil then limit = check.integer("space.enumerate", "limit", limit, 0) end
  local next_chooser = enumerator()
  local count = 0
  return function()
    if count == limit then return nil end
    local c = next_chooser()
    if not c then return nil end
    count = count + 1
    return build.run(space_function, c).arch
  end
end

function space.size(space_function, limit)
  limit = check.integer("space.size", "limit", limit or SIZE_LIMIT, 1)
  local count = 0
  for _ in space.enumerate(space_function, limit + 1) do count = count + 1 end
  if count > limit then return limit, false end
  return count, true
end

--- About how many architectures a space has: the mean, over random ones, of the product of their numbers of options
--- (Knuth 1975, "Estimating the Efficiency of Backtrack Programs"). Exact where every architecture is asked the same.
function space.estimate(space_function, samples)
  samples = check.integer("space.estimate", "samples", samples or ESTIMATE_SAMPLES, 1)
  local sum = 0.0
  for i = 1, samples do
    local product = 1.0
    local record = known.choose(space_function, random_answer(core.stream(0, "size of a space", i)))
    for _, decision in ipairs(record.decisions) do
      product = product * decision.options.count
    end
    sum = sum + product
  end
  return sum / samples
end

-- Whether a space has at most so many architectures. One that is far larger by an estimate is not enumerated to see
-- that it is: it would take minutes.
local function is_within(space_function, limit)
  if space.estimate(space_function, QUICK_SAMPLES) > FAR * limit then return false end
  return select(2, space.size(space_function, limit))
end

--- Refuses a space that has more architectures than that, for `owner`.
function space.check_size(owner, space_function, limit)
  limit = check.integer(owner, "limit", limit, 1)
  if not is_within(space_function, limit) then
    check.fail("%s: the space has about %.4g architectures, too many to enumerate; at most %d are taken", owner,
      space.estimate(space_function), limit)
  end
end

-- ---- The plain case: so many layers, these choices each ----------------------------------------

local CHAIN_OPTIONS = { "activation", "bias", "classes", "filters", "input", "kernel", "layers", "padding", "stride" }

-- A setting that is one value or a list of options: a function of the chooser.
local function choice(name, given, default)
  if given == nil then given = default end
  if given == nil then
    check.fail("space.chain: %s is missing; expected a value or a list of options", name)
  end
  if type(given) ~= "table" then return function() return given end end
  if #given == 0 then check.fail("space.chain: %s is an empty list; expected at least one option", name) end
  local options = table.move(given, 1, #given, 1, {})
  return function(c) return c:choose(name, options) end
end

-- Strides are no decision: one for all layers, or a list with one for each.
local function stride_list(given, layers)
  if type(given) ~= "table" then
    local stride = check.integer("space.chain", "stride", given or 1, 1)
    return function() return stride end
  end
  local most = type(layers) == "table" and math.max(table.unpack(layers)) or layers
  if #given ~= most then
    check.fail("space.chain: stride has %d entries; expected one number, or one for each of %d layers", #given, most)
  end
  local strides = table.move(given, 1, #given, 1, {})
  for i = 1, most do check.integer("space.chain", ("stride[%d]"):format(i), strides[i], 1) end
  return function(layer) return strides[layer] end
end

local function check_layers(layers)
  local counts = type(layers) == "table" and layers or { layers }
  for i = 1, #counts do check.integer("space.chain", "layers", counts[i], 1) end
end

function space.chain(options)
  options = check.options("space.chain", options, CHAIN_OPTIONS)
  check_layers(options.layers)
  local layers = choice("layers", options.layers)
  local kernel = choice("kernel", options.kernel, 3)
  local filters = choice("filters", options.filters)
  local padding = choice("padding", options.padding, "same")
  local activation = choice("activation", options.activation, "relu")
  local bias = choice("bias", options.bias, true)
  local stride = stride_list(options.stride, options.layers)
  local classes = check.integer("space.chain", "classes", options.classes, 1)
  local input = table.move(node.check_shape("space.chain", "input", options.input), 1, 3, 1, {})

  local function chain(c)
    local x = nn.input(input)
    for layer = 1, layers(c) do
      local layer_options = { stride = stride(layer) }
      layer_options.kernel = kernel(c) -- one after the other: this is the order of the decisions
      layer_options.filters = filters(c)
      layer_options.padding = padding(c)
      layer_options.activation = activation(c)
      layer_options.bias = bias(c)
      x = nn.conv2d(x, layer_options)
    end
    return nn.dense(nn.global_avg_pool(x), { units = classes })
  end

  build.run(chain, enumerator()()) -- what is wrong with the options is an error here already
  return chain
end

function space.paper_cnn(options)
  return require "luanas.paper_cnn"("space.paper_cnn", options)
end

-- For 28x28 images: a stem that leaves 7x7, and about half of the paper's filters.
local SMALL = {
  heights = { 1, 3, 5 }, widths = { 1, 3, 5 }, filters = { 12, 18, 24, 36 }, depth = 6,
  stem = { filters = 12, stride = 2, pool = 2 },
}

function space.paper_cnn_small(options)
  local own = {}
  for name, value in pairs(SMALL) do own[name] = value end
  if options ~= nil and type(options) ~= "table" then
    check.fail("space.paper_cnn_small: options are %s; expected a table", check.show(options))
  end
  for name, value in pairs(options or {}) do own[name] = value end
  return require "luanas.paper_cnn"("space.paper_cnn_small", own)
end

return space
