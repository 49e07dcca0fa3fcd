---@meta luanas.nn
-- luacheck: ignore

--- Layers. Each function describes one layer applied to earlier ones; nothing is allocated and nothing computed but
--- shapes, which are those of one image: {height, width, channels}, {units}, or {} for one number. A layer applied to
--- several earlier ones takes them in a list: nn.add { a, b }.
---
--- An unknown option, a wrong type or a value out of range raises an error. So does a layer that can't be
--- applied to its input; but while a space function runs, the function goes on and the architecture becomes a
--- failed trial (the layer then has its input's shape).
---
--- A pair is an integer or {height, width}.
---
--- Losses are layers, too: one number for each image, from an output and its target. So a loss can be composed:
--- `nn.mean((output - target) ^ 2)` is nn.mean_squared_error(output, target).
---@class luanas.nn
local nn = {}

--- The images, or the rows of a table.
---@param shape integer[] {height, width, channels} or {features}, each 1 to 65536.
---@return luanas.Node
function nn.input(shape) end

---@alias luanas.nn.Activation "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none"

---@class luanas.nn.Conv2d
---@field filters integer Output channels, 1 to 65536. Required.
---@field kernel integer|integer[] Pair: size in pixels, each 1 to 255. Required.
---@field stride? integer|integer[] Pair: step in pixels, each 1 to 255; default 1.
---@field padding? "same"|"valid" "same", the default, pads as TensorFlow does: ceil(size / stride) pixels come out.
---@field activation? luanas.nn.Activation A layer that follows; default "none".
---@field bias? boolean Default: true.
---@field init? "glorot_uniform"|"he_uniform"|"uniform" How weights begin; default "glorot_uniform".
---@field init_range? number Weights begin in [-init_range, init_range) for init = "uniform"; default 0.05.

--- Convolution of an image.
---
--- Example:
---
---   local x = nn.conv2d(nn.input { 28, 28, 1 }, { kernel = { 3, 5 }, filters = 16, activation = "relu" })
---@param input luanas.Node {height, width, channels}
---@param options luanas.nn.Conv2d
---@return luanas.Node # {height, width, filters}
function nn.conv2d(input, options) end

---@class luanas.nn.DepthwiseConv2d
---@field kernel integer|integer[] As for conv2d. Required.
---@field stride? integer|integer[] As for conv2d, like all that follow.
---@field padding? "same"|"valid"
---@field activation? luanas.nn.Activation
---@field bias? boolean
---@field init? "glorot_uniform"|"he_uniform"|"uniform"
---@field init_range? number

--- Convolution of each channel by itself.
---@param input luanas.Node {height, width, channels}
---@param options luanas.nn.DepthwiseConv2d
---@return luanas.Node # {height, width, channels}
function nn.depthwise_conv2d(input, options) end

--- Depthwise convolution without a bias, then a conv2d of kernel 1 with the filters, the bias and the activation.
---@param input luanas.Node {height, width, channels}
---@param options luanas.nn.Conv2d
---@return luanas.Node # {height, width, filters}
function nn.separable_conv2d(input, options) end

---@class luanas.nn.BatchNorm
---@field momentum? number Share of the running averages that a batch leaves as it was, 0 to 1; default 0.9.
---@field epsilon? number Added to the variance, 1e-12 to 1; default 1e-5.
---@field activation? "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none" The layer that follows; default "none".

--- Batch normalisation (Ioffe & Szegedy 2015) of each channel: over all pixels of a batch in training, by running
--- averages in evaluation; then a learned scale and offset.
---@param input luanas.Node An image or a vector.
---@param options? luanas.nn.BatchNorm
---@return luanas.Node # The input's shape.
function nn.batch_norm(input, options) end

---@class luanas.nn.Dense
---@field units integer Outputs, 1 to 65536. Required.
---@field activation? luanas.nn.Activation A layer that follows; default "none".
---@field bias? boolean Default: true.
---@field init? "glorot_uniform"|"he_uniform"|"uniform" As for conv2d.
---@field init_range? number As for conv2d.

--- Every output depends on every input; an image is flattened.
---
--- Example:
---
---   local x = nn.global_avg_pool(nn.input { 8, 8, 4 })
---   local output = nn.dense(x, { units = 10 })
---@param input luanas.Node
---@param options luanas.nn.Dense
---@return luanas.Node # {units}
function nn.dense(input, options) end

-- ---- Value by value --------------------------------------------------------------------------------

--- max(x, 0) of every value.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.relu(input) end

--- x, or slope * x where x is negative.
---@param input luanas.Node
---@param options? { slope?: number } 0 to 1; default 0.01.
---@return luanas.Node # The input's shape.
function nn.leaky_relu(input, options) end

--- Hyperbolic tangent of every value.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.tanh(input) end

--- 1 / (1 + e^-x) of every value.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.sigmoid(input) end

--- e^x of every value.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.exp(input) end

--- Natural logarithm of every value. Of 0 and below it is not finite, which ends a training.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.log(input) end

--- x * x of every value.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.square(input) end

--- |x| of every value; its gradient at 0 is 0.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.abs(input) end

---@class luanas.nn.Scale
---@field factor? number -1e30 to 1e30; default 1.
---@field offset? number -1e30 to 1e30; default 0.

--- factor * x + offset of every value.
---@param input luanas.Node
---@param options? luanas.nn.Scale
---@return luanas.Node # The input's shape.
function nn.scale(input, options) end

--- The input as it is: a choice among layers that does nothing.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.identity(input) end

--- In training, each value is replaced by 0 with the probability `rate`, and the others grow by 1 / (1 - rate). In
--- evaluation, all pass as they are.
---@param input luanas.Node
---@param options? { rate?: number } 0 to 0.99; default 0.5.
---@return luanas.Node # The input's shape.
function nn.dropout(input, options) end

-- ---- Other shapes ----------------------------------------------------------------------------------

---@class luanas.nn.Pool
---@field pool? integer|integer[] Pair: window in pixels, each 1 to 255; default 2.
---@field stride? integer|integer[] Pair: step in pixels; default: the same as pool.
---@field padding? "valid"|"same" Default: "valid".

--- The largest value of each window, for each channel.
---@param input luanas.Node {height, width, channels}
---@param options? luanas.nn.Pool
---@return luanas.Node # {height, width, channels}
function nn.max_pool(input, options) end

--- The mean of each window, for each channel. What padding adds does not count.
---@param input luanas.Node {height, width, channels}
---@param options? luanas.nn.Pool
---@return luanas.Node # {height, width, channels}
function nn.avg_pool(input, options) end

--- The mean over all pixels, for each channel.
---@param input luanas.Node {height, width, channels}
---@return luanas.Node # {channels}
function nn.global_avg_pool(input) end

--- The mean of all values.
---@param input luanas.Node
---@return luanas.Node # {}
function nn.mean(input) end

--- The sum of all values.
---@param input luanas.Node
---@return luanas.Node # {}
function nn.sum(input) end

--- All values one after the other: rows, in them pixels, in them channels.
---@param input luanas.Node
---@return luanas.Node # {height * width * channels}, at most 65536.
function nn.flatten(input) end

---@class luanas.nn.ZeroPad
---@field top? integer Rows above, 0 to 255; default 0.
---@field left? integer Columns to the left.
---@field bottom? integer Rows below.
---@field right? integer Columns to the right.

--- Rows and columns of zeros around an image.
---@param input luanas.Node {height, width, channels}
---@param options? luanas.nn.ZeroPad
---@return luanas.Node # {height, width, channels}
function nn.zero_pad(input, options) end

--- 1 at the place of a class and 0 elsewhere: makes values of the target of a classification.
---@param input luanas.Node {}
---@param options { classes: integer } 1 to 65536. Required.
---@return luanas.Node # {classes}
function nn.one_hot(input, options) end

-- ---- Several inputs --------------------------------------------------------------------------------

--- Sum of layers, value by value.
---@param inputs luanas.Node[] 2 to 64, of one shape.
---@return luanas.Node # That shape.
function nn.add(inputs) end

--- Product of layers, value by value. After the first one, a vector {channels} counts as an image whose pixels are all
--- like it: a gate for each channel.
---@param inputs luanas.Node[] 2 to 64, of one shape or with gates.
---@return luanas.Node # The first one's shape.
function nn.multiply(inputs) end

--- The channels of images one after the other, or vectors one after the other. Images smaller than the highest or the
--- widest get zeros around them: align = "center" puts an odd row below and an odd column to the right, "top_left" all.
---
--- Example:
---
---   local x = nn.input { 8, 8, 4 }
---   local both = nn.concat { x, nn.max_pool(x) } -- 8x8x8: the smaller one is padded
---@param inputs luanas.Node[] 1 to 64, all images or all vectors.
---@param options? { align?: "center"|"top_left" } Default: "center".
---@return luanas.Node # {height, width, channels} or {units}
function nn.concat(inputs, options) end

-- ---- Losses ----------------------------------------------------------------------------------------

--- Of one logit for each class and the true class.
---@param output luanas.Node {classes}
---@param target luanas.Node {}
---@param options? { label_smoothing?: number } Part of the target that all classes share, 0 to 0.999; default 0.
---@return luanas.Node # {}
function nn.softmax_cross_entropy(output, target, options) end

--- The mean over the values of (output - target)^2.
---@param output luanas.Node
---@param target luanas.Node The same shape.
---@return luanas.Node # {}
function nn.mean_squared_error(output, target) end

--- The mean over the values of e^2 / 2 where |e| = |output - target| is at most delta, and elsewhere of
--- delta * (|e| - delta / 2).
---@param output luanas.Node
---@param target luanas.Node The same shape.
---@param options? { delta?: number } 1e-6 to 1e6; default 1.
---@return luanas.Node # {}
function nn.huber(output, target, options) end

--- The mean over the values of the cross-entropy of 1 / (1 + e^-output) and a target from 0 to 1.
---@param output luanas.Node Logits.
---@param target luanas.Node The same shape; or a class, the first or the second, for an output of one unit.
---@return luanas.Node # {}
function nn.binary_cross_entropy(output, target) end

return nn
