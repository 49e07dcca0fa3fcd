---@meta luanas.nn
-- luacheck: ignore

--- Layers. Each function describes one layer applied to an earlier one; nothing is allocated and nothing
--- computed but shapes, which are those of one image: {height, width, channels} or {units}.
---
--- An unknown option, a wrong type or a value out of range raises an error. So does a layer that can't be
--- applied to its input; but while a space function runs, the function goes on and the architecture becomes a
--- failed trial (the layer then has its input's shape).
---
--- A pair is an integer or {height, width}.
---@class luanas.nn
local nn = {}

--- The images. Pixels are bytes, which count as x / 255.
---@param shape integer[] {height, width, channels}, each 1 to 65536.
---@return luanas.Node
function nn.input(shape) end

---@class luanas.nn.Conv2d
---@field filters integer Output channels, 1 to 65536. Required.
---@field kernel integer|integer[] Pair: size in pixels, each 1 to 255. Required.
---@field stride? integer|integer[] Pair: step in pixels, each 1 to 255; default 1.
---@field padding? "same"|"valid" "same", the default, pads as TensorFlow does: ceil(size / stride) pixels come out.
---@field activation? "relu"|"none" Default: "none".
---@field bias? boolean Default: true.
---@field init? "glorot_uniform"|"he_uniform"|"uniform" How weights begin; default "glorot_uniform".
---@field init_range? number Weights begin in [-init_range, init_range) for init = "uniform"; default 0.05.

--- Convolution of an image.
---@param input luanas.Node {height, width, channels}
---@param options luanas.nn.Conv2d
---@return luanas.Node # {height, width, filters}
function nn.conv2d(input, options) end

---@class luanas.nn.Dense
---@field units integer Outputs, 1 to 65536. Required.
---@field activation? "relu"|"none" Default: "none".
---@field bias? boolean Default: true.
---@field init? "glorot_uniform"|"he_uniform"|"uniform" As for conv2d.
---@field init_range? number As for conv2d.

--- Every output depends on every input; an image is flattened.
---@param input luanas.Node
---@param options luanas.nn.Dense
---@return luanas.Node # {units}
function nn.dense(input, options) end

--- max(x, 0) of every element.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.relu(input) end

---@class luanas.nn.MaxPool
---@field pool? integer|integer[] Pair: window in pixels, each 1 to 255; default 2.
---@field stride? integer|integer[] Pair: step in pixels; default: the same as pool.
---@field padding? "valid"|"same" Default: "valid".

--- The largest value of each window, for each channel.
---@param input luanas.Node {height, width, channels}
---@param options? luanas.nn.MaxPool
---@return luanas.Node # {height, width, channels}
function nn.max_pool(input, options) end

--- The mean over all pixels, for each channel.
---@param input luanas.Node {height, width, channels}
---@return luanas.Node # {channels}
function nn.global_avg_pool(input) end

return nn
