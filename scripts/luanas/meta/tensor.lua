---@meta luanas.tensor
-- luacheck: ignore

--- Ways to make tensors. What can be done with them is described at luanas.Tensor; a page with examples is
--- luanas/TENSORS.md. `nas.tensor(values, dtype)` makes one from nested Lua tables of numbers.
---
--- A type is "float32", which is the default, "uint8" or "int32".
---@class luanas.tensor
---@overload fun(values: any[], dtype?: luanas.dtype): luanas.Tensor
local tensor = {}

--- Zeros: nas.tensor.zeros({ 2, 3 }, "uint8").
---@param shape integer[]
---@param dtype? luanas.dtype
---@return luanas.Tensor
function tensor.zeros(shape, dtype) end

--- Ones.
---@param shape integer[]
---@param dtype? luanas.dtype
---@return luanas.Tensor
function tensor.ones(shape, dtype) end

--- One number everywhere.
---@param shape integer[]
---@param value number
---@param dtype? luanas.dtype
---@return luanas.Tensor
function tensor.full(shape, value, dtype) end

--- The identity matrix.
---@param size integer Rows and columns.
---@param dtype? luanas.dtype
---@return luanas.Tensor
function tensor.eye(size, dtype) end

--- The numbers first + k * step up to `last`, for k = 0 ... floor((last - first) / step): int32 of Lua integers, else
--- float32, each computed in double and rounded once.
---
--- Example:
---
---   print(nas.tensor.range(1, 10, 3)) -- 1, 4, 7, 10
---@param first number
---@param last number
---@param step? number default 1
---@return luanas.Tensor
function tensor.range(first, last, step) end

--- Numbers from first to last, both included, with equal distances: float32.
---@param first number
---@param last number
---@param count integer At least 2.
---@return luanas.Tensor
function tensor.linspace(first, last, count) end

--- Random float32 numbers, uniform in [low, high). The same seed gives the same numbers on every machine; a stream goes
--- on after them.
---@param shape integer[]
---@param seed integer|luanas.Stream At least 0, or what nas.stream gives.
---@param low? number default 0
---@param high? number default 1
---@return luanas.Tensor
function tensor.uniform(shape, seed, low, high) end

--- Random float32 numbers from the normal distribution, likewise.
---@param shape integer[]
---@param seed integer|luanas.Stream
---@param mean? number default 0
---@param std? number default 1, at least 0
---@return luanas.Tensor
function tensor.normal(shape, seed, mean, std) end

--- From the bytes of elements in index order, little-endian, as tensor:bytes() gives them.
---@param bytes string
---@param shape integer[]
---@param dtype? luanas.dtype
---@return luanas.Tensor
function tensor.from_bytes(bytes, shape, dtype) end

--- Elements of a where the mask is not 0, else of b; all three repeated to one shape.
---
--- Example:
---
---   local t = nas.tensor { -1, 2, -3 }
---   print(nas.tensor.where(t:gt(0), t, 0)) -- 0, 2, 0
---@param mask luanas.Tensor
---@param a luanas.Tensor|number
---@param b luanas.Tensor|number
---@return luanas.Tensor
function tensor.where(mask, a, b) end

--- Tensors behind one another along a dimension; the others must be equal.
---@param tensors luanas.Tensor[] At least one.
---@param dimension? integer default 1
---@return luanas.Tensor
function tensor.concat(tensors, dimension) end

--- Tensors of one shape along a new dimension.
---@param tensors luanas.Tensor[] At least one.
---@param dimension? integer Where the new one is: default 1.
---@return luanas.Tensor
function tensor.stack(tensors, dimension) end

--- An array that NumPy saved by np.save, or tensor.save. Types: uint8 and bool become uint8; int32 and int64 int32;
--- float32 and float64 float32. Raises an error that names the file.
---@param path string
---@return luanas.Tensor
function tensor.load(path) end

--- Writes a file as np.load reads it, as a whole or not at all.
---@param values luanas.Tensor
---@param path string
function tensor.save(values, path) end

return tensor
