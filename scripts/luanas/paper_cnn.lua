--- The space of Zoph & Le 2017, sec. 3.3: convolutions with rectangular filters, each layer's inputs chosen by an
--- anchor among all earlier layers. Written with what a space of one's own has: nn, c:choose, c:anchor, c:scheduled.
---
--- The paper's repairs of what cannot be built:
---   a layer without a chosen input takes the image
---   inputs of different sizes are padded with zeros to the largest, then joined along the channels
---   at the end, all outputs that no layer takes are joined (the same way) before the classifier
--- It does not say where the zeros go; `align` does: around ("center") or below and to the right ("top_left").
local build = require "luanas.build"
local check = require "luanas.check"
local enumerator = require "luanas.choosers.enumerate"
local nn = require "luanas.nn"
local node = require "luanas.node"

local OPTIONS = {
  "align", "batch_norm", "classes", "depth", "filters", "heights", "input", "pool_after", "stem", "strides", "widths",
}

local function option_list(owner, name, given, default)
  local list = given or default
  if type(list) ~= "table" or #list == 0 then
    check.fail("%s: %s is %s; expected a list of options such as { 1, 3, 5, 7 }", owner, name, check.show(list))
  end
  for i, value in ipairs(list) do check.integer(owner, ("%s[%d]"):format(name, i), value, 1) end
  return table.move(list, 1, #list, 1, {})
end

-- A decision, unless there is but one option.
local function chosen(c, name, options)
  return #options == 1 and options[1] or c:choose(name, options)
end

-- A schedule that must not fall: what the policy has learned of layers would be lost on those that come no more.
local function growing(owner, schedule)
  local function depth(sample) return check.integer(owner, "depth, by its schedule,", schedule(sample), 1) end
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
    return function(c) return check.integer(owner, "depth of an architecture", c:scheduled("depth", schedule), 1) end
  end
  local depth = check.integer(owner, "depth", given, 1)
  return function() return depth end
end

-- What plays the image's part: a fixed convolution, with pooling behind it where that is wanted.
local function stem_of(owner, given)
  if given == nil then return function(image) return image end end
  check.options(owner .. ": stem", given, { "filters", "kernel", "pool", "stride" })
  local own = {
    filters = check.integer(owner, "stem's filters", given.filters, 1), kernel = given.kernel or 3,
    stride = given.stride or 1, activation = "relu",
  }
  local pool = check.integer(owner, "stem's pool", given.pool or 1, 1)
  return function(image)
    local x = nn.conv2d(image, own)
    return pool > 1 and nn.max_pool(x, { pool = pool, padding = "same" }) or x
  end
end

-- One layer's convolution over what it takes.
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

--- nas.space.paper_cnn { ... }, called under the name `owner`.
return function(owner, options)
  options = check.options(owner, options, OPTIONS)
  local depth, stem = depth_of(owner, options.depth or 6), stem_of(owner, options.stem)
  local classes = check.integer(owner, "classes", options.classes, 1)
  local own = {
    heights = option_list(owner, "heights", options.heights, { 1, 3, 5, 7 }),
    widths = option_list(owner, "widths", options.widths, { 1, 3, 5, 7 }),
    strides = option_list(owner, "strides", options.strides, { 1 }),
    filters = option_list(owner, "filters", options.filters, { 24, 36, 48, 64 }),
    align = options.align or "center",
    batch_norm = options.batch_norm == nil or check.boolean(owner, "batch_norm", options.batch_norm),
  }
  local is_pooled = {}
  for _, layer in ipairs(option_list(owner, "pool_after", options.pool_after, { math.maxinteger })) do -- that is none
    is_pooled[layer] = true
  end
  local input = table.move(node.check_shape(owner, "input", options.input), 1, 3, 1, {})

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

  build.run(paper_cnn, enumerator()()) -- what is wrong with the options is an error here already
  return paper_cnn
end
