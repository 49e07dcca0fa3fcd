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
---
--- Layers can be combined by arithmetic: a + b, a - b, a * b, -a, a ^ 2, and with numbers a * 2, 2 * a, a + 1, 1 - a,
--- a / 2; these make nn.add, nn.multiply, nn.scale and nn.square.
---@class luanas.nn
local nn = {}

--- The images, or the rows of a table.
---@param shape integer[] {height, width, channels} or {features}, each 1 to 65536.
---@return luanas.Node
function nn.input(shape) end

---@class luanas.nn.Conv2d
---@field filters integer Output channels, 1 to 65536. Required.
---@field kernel integer|integer[] Pair: size in pixels, each 1 to 255. Required.
---@field stride? integer|integer[] Pair: step in pixels, each 1 to 255; default 1.
---@field padding? "same"|"valid" "same", the default, pads as TensorFlow does: ceil(size / stride) pixels come out.
---@field activation? "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none" The layer that follows; default "none".
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
---@field activation? "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none" The layer that follows; default "none".
---@field bias? boolean Default: true.
---@field init? "glorot_uniform"|"he_uniform"|"uniform" As for conv2d.
---@field init_range? number As for conv2d.

--- Every output depends on every input; an image is flattened.
---@param input luanas.Node
---@param options luanas.nn.Dense
---@return luanas.Node # {units}
function nn.dense(input, options) end

---@class luanas.nn.DepthwiseConv2d
---@field kernel integer|integer[] Pair: size in pixels. Required.
---@field stride? integer|integer[] As for conv2d.
---@field padding? "same"|"valid" As for conv2d.
---@field activation? "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none"
---@field bias? boolean Default: true.
---@field init? "glorot_uniform"|"he_uniform"|"uniform" As for conv2d.
---@field init_range? number As for conv2d.

--- Convolution of each channel by itself.
---@param input luanas.Node {height, width, channels}
---@param options luanas.nn.DepthwiseConv2d
---@return luanas.Node # {height, width, channels}
function nn.depthwise_conv2d(input, options) end

--- Convolution of each channel by itself, without bias, and then of all channels by a kernel of one pixel (Chollet
--- 2017). Two layers.
---@param input luanas.Node {height, width, channels}
---@param options luanas.nn.Conv2d
---@return luanas.Node # {height, width, filters}
function nn.separable_conv2d(input, options) end

---@class luanas.nn.BatchNorm
---@field momentum? number Share of the running averages that a batch leaves as it was, 0 to 1; default 0.9.
---@field epsilon? number Added to the variance, 1e-12 to 1; default 1e-5.
---@field activation? "relu"|"leaky_relu"|"tanh"|"sigmoid"|"none"

--- Batch normalisation (Ioffe & Szegedy 2015) of each channel: over all pixels of a batch in training, by running
--- averages in evaluation; then a learned scale and offset.
---@param input luanas.Node An image or a vector.
---@param options? luanas.nn.BatchNorm
---@return luanas.Node # The input's shape.
function nn.batch_norm(input, options) end

--- Drops values in training with a probability, and scales the others so that their mean stays. The mask is a function
--- of seed, layer, epoch and image alone.
---@param input luanas.Node
---@param options? { rate?: number } 0 to 0.99; default 0.5.
---@return luanas.Node # The input's shape.
function nn.dropout(input, options) end

--- max(x, 0) of every element.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.relu(input) end

--- x of elements that are not negative, slope * x of others.
---@param input luanas.Node
---@param options? { slope?: number } 0 to 1; default 0.01.
---@return luanas.Node # The input's shape.
function nn.leaky_relu(input, options) end

--- Hyperbolic tangent of every element.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.tanh(input) end

--- 1 / (1 + e^-x) of every element.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.sigmoid(input) end

--- The input as it is.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.identity(input) end

--- e^x of every element.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.exp(input) end

--- Natural logarithm of every element; -infinity of 0, NaN below.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.log(input) end

--- x * x of every element.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.square(input) end

--- The absolute value of every element; its slope at 0 counts as 0.
---@param input luanas.Node
---@return luanas.Node # The input's shape.
function nn.abs(input) end

--- factor * x + offset of every element: constants, which are not trained.
---@param input luanas.Node
---@param options? { factor?: number, offset?: number } Default: 1 and 0.
---@return luanas.Node # The input's shape.
function nn.scale(input, options) end

--- The sum of layers of equal shape.
---@param inputs luanas.Node[] 2 to 64
---@return luanas.Node
function nn.add(inputs) end

--- The element-wise product of layers of equal shape; layers after an image may also be vectors of as many units as it
--- has channels, which scale its channels (squeeze and excitation, Hu et al. 2018).
---@param inputs luanas.Node[] 2 to 64
---@return luanas.Node # The shape of the first.
function nn.multiply(inputs) end

--- The channels of images one after the other, or the units of vectors. Images smaller than the highest or the widest
--- are filled up with zeros: around them (align = "center", the default; an odd zero goes below or to the right), or
--- below and to the right ("top_left").
---@param inputs luanas.Node[] 1 to 64
---@param options? { align?: "center"|"top_left" }
---@return luanas.Node
function nn.concat(inputs, options) end

--- Zeros around an image.
---@param input luanas.Node {height, width, channels}
---@param options? { top?: integer, left?: integer, bottom?: integer, right?: integer } Pixels, 0 to 255; default 0.
---@return luanas.Node
function nn.zero_pad(input, options) end

--- All values of an image as a vector, in order of height, width and channels.
---@param input luanas.Node {height, width, channels}
---@return luanas.Node # {units}
function nn.flatten(input) end

--- The mean of all values, one number: what a loss ends in.
---@param input luanas.Node
---@return luanas.Node # {}
function nn.mean(input) end

--- The sum of all values, one number.
---@param input luanas.Node
---@return luanas.Node # {}
function nn.sum(input) end

--- 1 for the class that a number names, counted from 0 as targets are, and 0 for others. Has no gradient.
---@param input luanas.Node {}
---@param options { classes: integer }
---@return luanas.Node # {classes}
function nn.one_hot(input, options) end

--- Cross-entropy of the softmax of the output and the class.
---@param output luanas.Node {classes}
---@param target luanas.Node The target that a loss function gets.
---@param options? { label_smoothing?: number } Part of the target that all classes share, 0 to 0.999; default 0.
---@return luanas.Node # {}
function nn.softmax_cross_entropy(output, target, options) end

---@param output luanas.Node
---@param target luanas.Node The output's shape.
---@return luanas.Node # {}
function nn.mean_squared_error(output, target) end

--- Mean over the values: half the squared difference up to delta, linear beyond (Huber 1964).
---@param output luanas.Node
---@param target luanas.Node The output's shape.
---@param options? { delta?: number } Default: 1.
---@return luanas.Node # {}
function nn.huber(output, target, options) end

--- Mean over the values of the cross-entropy of their sigmoids and targets in 0..1; for two classes and one output the
--- target may be the class.
---@param output luanas.Node Logits.
---@param target luanas.Node The output's shape, or a class.
---@return luanas.Node # {}
function nn.binary_cross_entropy(output, target) end

---@class luanas.nn.MaxPool
---@field pool? integer|integer[] Pair: window in pixels, each 1 to 255; default 2.
---@field stride? integer|integer[] Pair: step in pixels; default: the same as pool.
---@field padding? "valid"|"same" Default: "valid".

--- The largest value of each window, for each channel.
---@param input luanas.Node {height, width, channels}
---@param options? luanas.nn.MaxPool
---@return luanas.Node # {height, width, channels}
function nn.max_pool(input, options) end

--- The mean of each window, for each channel; what padding adds does not count.
---@param input luanas.Node {height, width, channels}
---@param options? luanas.nn.MaxPool
---@return luanas.Node # {height, width, channels}
function nn.avg_pool(input, options) end

--- The mean over all pixels, for each channel.
---@param input luanas.Node {height, width, channels}
---@return luanas.Node # {channels}
function nn.global_avg_pool(input) end

return nn
