--- The space of Zoph & Le 2017, sec. 3.3: convolutions with rectangular filters, each layer's inputs chosen by an
--- anchor among all earlier layers. Written with what a space of one's own has: nn, c:choose, c:anchor, c:scheduled.
---
--- The paper's repairs of what cannot be built:
---   a layer without a chosen input takes the image
---   inputs of different sizes are padded with zeros to the largest, then joined along the channels
---   at the end, all outputs that no layer takes are joined (the same way) before the classifier
--- It does not say where the zeros go; `align` does: around ("center") or below and to the right ("top_left").
local build = require "luanas.build"
local core = require "luanas.core"
local check = require "luanas.check"
local chooser = require "luanas.chooser"
local nn = require "luanas.nn"
local node = require "luanas.node"

local OPTIONS = {
  "align", "batch_norm", "classes", "depth", "filters", "heights", "input", "pool_after", "stem", "strides", "widths",
}

local LARGEST = {} -- what nn.conv2d takes
for _, option in ipairs(core.options().layers.conv2d) do
  if option.name == "kernel" then LARGEST.heights, LARGEST.widths = option.high, option.high end
  if option.name == "stride" then LARGEST.strides = option.high end
  if option.name == "filters" then LARGEST.filters = option.high end
end
local MAX_DEPTH = core.options().layers.concat.max_inputs

-- A copy of a list of integers from 1 to `high`.
local function integer_list(owner, name, given, high, expected)
  if type(given) ~= "table" then
    check.fail("%s: %s is %s; expected a list of %s", owner, name, check.show(given), expected)
  end
  local stray = check.stray_key(given)
  if stray ~= nil then
    check.fail("%s: %s has the key %s; expected a plain list of %s", owner, name, check.show(stray), expected)
  end
  for i, value in ipairs(given) do check.integer(owner, ("%s[%d]"):format(name, i), value, 1, high) end
  return table.move(given, 1, #given, 1, {})
end

local function option_list(owner, name, given, default)
  if given == nil then given = default end
  local list = integer_list(owner, name, given, LARGEST[name], "options such as { 1, 3, 5, 7 }")
  if #list == 0 then check.fail("%s: %s is an empty list; expected options such as { 1, 3, 5, 7 }", owner, name) end
  return list
end

-- A decision, unless there is but one option.
local function chosen(c, name, options)
  return #options == 1 and options[1] or c:choose(name, options)
end

-- A schedule that must not fall: what the policy has learned of layers would be lost on those that come no more.
local function growing(owner, schedule)
  local function depth(sample)
    return check.integer(owner, "depth, by its schedule,", schedule(sample), 1, MAX_DEPTH)
  end
  return function(sample)
    local now = depth(sample)
    if sample > 1 and depth(sample - 1) > now then
      check.fail("%s: depth, by its schedule, falls from %d at sample %d to %d at sample %d; expected a schedule that "
        .. "never falls", owner, depth(sample - 1), sample - 1, now, sample)
    end
    return now
  end
end

-- How many layers: a number, or by a schedule over the samples so far.
local function depth_of(owner, given)
  if type(given) == "function" then
    local schedule = growing(owner, given)
    return function(c)
      return check.integer(owner, "depth of an architecture", c:scheduled("depth", schedule), 1, MAX_DEPTH)
    end
  end
  local depth = check.integer(owner, "depth", given, 1, MAX_DEPTH)
  return function() return depth end
end

-- What plays the image's part: a fixed convolution, with pooling behind it where that is wanted.
local function stem_of(owner, given)
  if given == nil then return function(image) return image end end
  check.options(owner .. ": stem", given, { "filters", "kernel", "pool", "stride" })
  local own = {
    filters = check.integer(owner, "stem's filters", given.filters, 1, LARGEST.filters), activation = "relu",
    kernel = check.optional(check.integer, owner, "stem's kernel", given.kernel, 1, LARGEST.heights) or 3,
    stride = check.optional(check.integer, owner, "stem's stride", given.stride, 1, LARGEST.strides) or 1,
  }
  local pool = check.optional(check.integer, owner, "stem's pool", given.pool, 1, LARGEST.heights) or 1
  return function(image)
    local x = nn.conv2d(image, own)
    return pool > 1 and nn.max_pool(x, { pool = pool, padding = "same" }) or x
  end
end

-- The sizes and strides of a layer are decided before its inputs, as in the paper; the returned function makes the
-- layer when `inputs` has them.
local function convolution(c, own, inputs)
  local height, width = chosen(c, "height", own.heights), chosen(c, "width", own.widths)
  local stride = { chosen(c, "stride_height", own.strides), chosen(c, "stride_width", own.strides) }
  local filters = chosen(c, "filters", own.filters)
  return function()
    local x = #inputs == 1 and inputs[1] or nn.concat(inputs, { align = own.align })
    x = nn.conv2d(x, { kernel = { height, width }, stride = stride, filters = filters, bias = not own.batch_norm })
    return nn.relu(own.batch_norm and nn.batch_norm(x) or x)
  end
end

-- What is wrong with the options is an error before a search: the space is built with the first option of each list,
-- the second ones, and so on.
local function try(owner, space, own)
  local most = 2 -- an anchor takes nothing, or all
  for name in pairs(LARGEST) do most = math.max(most, #own[name]) end
  for k = 1, most do
    local built = build.run(space, chooser.new(function(decision) return math.min(k, decision.options.count) end))
    if built.arch.unbuildable then check.fail("%s: %s", owner, built.arch.unbuildable) end
  end
end

--- nas.space.paper_cnn { ... }, called under the name `owner`.
return function(owner, options)
  options = check.options(owner, options, OPTIONS)
  local depth, stem = depth_of(owner, options.depth == nil and 6 or options.depth), stem_of(owner, options.stem)
  local classes = check.integer(owner, "classes", options.classes, 1)
  local align = options.align == nil and "center" or options.align
  if align ~= "center" and align ~= "top_left" then
    check.fail("%s: align is %s; expected \"center\" or \"top_left\"", owner, check.show(align))
  end
  local own = {
    heights = option_list(owner, "heights", options.heights, { 1, 3, 5, 7 }),
    widths = option_list(owner, "widths", options.widths, { 1, 3, 5, 7 }),
    strides = option_list(owner, "strides", options.strides, { 1 }),
    filters = option_list(owner, "filters", options.filters, { 24, 36, 48, 64 }),
    align = align,
    batch_norm = options.batch_norm == nil or check.boolean(owner, "batch_norm", options.batch_norm),
  }
  local highest = type(options.depth) == "number" and options.depth or MAX_DEPTH
  local is_pooled, pools = {}, options.pool_after == nil and {} or options.pool_after
  for _, layer in ipairs(integer_list(owner, "pool_after", pools, highest, "numbers of layers")) do
    is_pooled[layer] = true
  end
  local input = table.move(node.check_shape(owner, "input", options.input), 1, 3, 1, {})
  if #input ~= 3 then check.fail("%s: input is a list of 1; expected { height, width, channels }", owner) end

  local function paper_cnn(c)
    local image = stem(nn.input(input))
    local layers, points, is_taken = {}, {}, {}
    for layer = 1, depth(c) do
      local inputs = {}
      local make = convolution(c, own, inputs)
      local point, is_input = c:anchor("skip", points)
      for k, taken in ipairs(is_input) do
        if taken then
          inputs[#inputs + 1] = layers[k]
          is_taken[k] = true
        end
      end
      if #inputs == 0 then inputs[1] = image end
      points[layer] = point
      local x = make()
      layers[layer] = is_pooled[layer] and nn.max_pool(x, { pool = 2, padding = "same" }) or x
    end
    local ends = {}
    for layer, x in ipairs(layers) do
      if not is_taken[layer] then ends[#ends + 1] = x end
    end
    local x = #ends == 1 and ends[1] or nn.concat(ends, { align = own.align })
    return nn.dense(nn.global_avg_pool(x), { units = classes })
  end

  try(owner, paper_cnn, own)
  return paper_cnn
end
