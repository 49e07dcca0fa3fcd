--- Tensors: nas.tensor { { 1, 2 }, { 3, 4 } } and other ways to make them. What one can do with them is in the core.
local core = require "luanas.core"
local check = require "luanas.check"

local tensor = {}

-- ---- Numbers that are known ------------------------------------------------------------------------

function tensor.full(shape, value, dtype)
  local owner = "tensor.full"
  local made = check.owned(owner, core.tensor, shape, dtype)
  return check.owned(owner, made.fill, made, check.number(owner, "value", value))
end

function tensor.zeros(shape, dtype)
  return check.owned("tensor.zeros", core.tensor, shape, dtype)
end

function tensor.ones(shape, dtype)
  return check.owned("tensor.ones", core.tensor, shape, dtype):fill(1)
end

function tensor.eye(size, dtype)
  size = check.integer("tensor.eye", "size", size, 1)
  local matrix = check.owned("tensor.eye", core.tensor, { size, size }, dtype)
  matrix:reshape({ size * size })[{ { 1, -1, size + 1 } }] = 1 -- the diagonal
  return matrix
end

function tensor.range(first, last, step)
  local owner = "tensor.range"
  first, last = check.number(owner, "first", first), check.number(owner, "last", last)
  step = check.optional(check.number, owner, "step", step) or 1
  if step == 0 or (last - first) / step < 0 then
    check.fail("%s: from %s to %s by steps of %s there is nothing", owner, first, last, step)
  end
  local count = math.tointeger(math.floor((last - first) / step) + 1)
  if not count then
    check.fail("%s: from %s to %s by steps of %s there are more numbers than memory can hold", owner, first, last,
      step)
  end
  local integers = math.type(first) == "integer" and math.type(step) == "integer"
  return check.core(core.tensor_ramp, count, first, step, integers and "int32" or "float32")
end

function tensor.linspace(first, last, count)
  local owner = "tensor.linspace"
  first, last = check.number(owner, "first", first), check.number(owner, "last", last)
  count = check.integer(owner, "count", count, 2)
  local points = check.core(core.tensor_ramp, count, first, (last - first) / (count - 1), "float32")
  points[-1] = last -- without an error of rounding
  return points
end

-- ---- Random numbers --------------------------------------------------------------------------------

-- The stream of a seed, or a stream.
local function stream_of(owner, source)
  if type(source) == "userdata" and not check.is_tensor(source) then return source end
  return core.stream(check.seed(owner, "seed", source), owner)
end

function tensor.uniform(shape, seed, low, high)
  local owner = "tensor.uniform"
  low = check.optional(check.number, owner, "low", low) or 0
  high = check.optional(check.number, owner, "high", high) or 1
  return check.owned(owner, core.tensor_uniform, shape, stream_of(owner, seed), low, high)
end

function tensor.normal(shape, seed, mean, std)
  local owner = "tensor.normal"
  mean = check.optional(check.number, owner, "mean", mean) or 0
  std = check.optional(check.number, owner, "std", std, 0) or 1
  return check.owned(owner, core.tensor_normal, shape, stream_of(owner, seed), mean, std)
end

function tensor.from_bytes(bytes, shape, dtype)
  return check.owned("tensor.from_bytes", core.tensor_from_bytes, bytes, shape, dtype)
end

-- ---- Joining ---------------------------------------------------------------------------------------

function tensor.where(mask, a, b)
  return check.owned("tensor.where", core.tensor_where, mask, a, b)
end

function tensor.concat(tensors, dimension)
  return check.owned("tensor.concat", core.tensor_concat, tensors, dimension)
end

function tensor.stack(tensors, dimension)
  dimension = check.optional(check.integer, "tensor.stack", "dimension", dimension) or 1
  if type(tensors) ~= "table" then
    check.fail("tensor.stack: tensors are %s; expected a list", check.show(tensors))
  end
  local parts = {}
  for i = 1, #tensors do
    local part = tensors[i]
    if not check.is_tensor(part) then
      check.fail("tensor.stack: tensors[%d] is %s; expected a tensor", i, check.show(part))
    end
    parts[i] = check.owned("tensor.stack", part.unsqueeze, part, dimension)
  end
  return check.owned("tensor.stack", core.tensor_concat, parts, dimension)
end

-- ---- Files -----------------------------------------------------------------------------------------

function tensor.load(path)
  check.string("tensor.load", "path", path)
  return check.must(core.read_npy, path)
end

function tensor.save(values, path)
  if not check.is_tensor(values) then
    check.fail("tensor.save: values are %s; expected a tensor", check.show(values))
  end
  check.string("tensor.save", "path", path)
  check.must(core.write_npy, values, path)
end

return setmetatable(tensor, {
  __call = function(_, values, dtype)
    return check.owned("nas.tensor", core.tensor_from, values, dtype)
  end,
})
