---@meta luanas.profile
-- luacheck: ignore

--- Where the time of training goes: network:plan, model:profile, and what they return.

--- One layer of a profile.
---@class luanas.Profile.Layer
---@field name string The kind of layer.
---@field shape integer[] Of its output.
---@field kernel string What computes it: "Winograd F(4x4,3x3)", "direct 5x5", "1x1", "depthwise 3x3", "dense", "normalise", "pool 2x2", "plain C", "fused into line 2" (a ReLU that another layer applies), or "" for what only holds values.
---@field isa? string The instruction set of that kernel.
---@field macs integer Multiply-accumulates for one image, forward.
---@field train_macs integer Forward and backward, as of windows that slide.
---@field map_bytes integer Of an image: its output, and the gradient of that, unless it lies where that of the next layer did.
---@field weight_bytes integer Its parameters, and what is derived from them. What a thread works on at once are the maps of a micro-batch, and these.
---@field cycles number Predicted, for one image on one core: the multiply-accumulates that the kernel does in fact (Winograd's algorithm does fewer, padding adds some) at the peak of its instruction set, and 16 bytes of maps and weights in a cycle. Nothing else is known to the prediction: a layer that takes a larger share than predicted runs further below the processor's limits than the others.
---@field predicted number Share of the layers' cycles, 0 to 1.
---@field forward number Seconds, of all threads together.
---@field backward number
---@field measured number Share of the layers' seconds, 0 to 1.

--- Where the time of training goes; `tostring` makes a table of it. Its layers are those of the network, numbered as by
--- network:summary(), and the loss.
---@class luanas.Profile
---@field layers luanas.Profile.Layer[]
---@field isa string
---@field threads integer
---@field micro_batch integer Images that a thread takes through the network at once.
---@field scratch_bytes integer Maps and gradients that a thread has for the micro-batch that it works on.
---@field stored_bytes integer And those that are stored for each micro-batch of a batch, where layers couple its images.
---@field images integer That were trained on, each as often as it was.
---@field seconds number That took on the clock, validation left out.
---@field gflops number Floating-point operations in a nanosecond, counted as of windows that slide: Winograd's algorithm can pass the peak.
---@field in_layers number Seconds of all threads together, as are the following: in layers;
---@field loading number images into arenas, and outputs into metrics;
---@field adding number gradients of groups of images to that of the batch;
---@field stepping number the optimiser, and what layers derive from its weights;
---@field waiting number for other threads, and all the rest.

---@class luanas.Plan.Options
---@field batch? integer Images in a step, 1 to 65536; default 250.
---@field threads? integer 1 to 256; default: all processors that the process may use.
---@field micro_batch? integer 1 to 16; default: what the cache holds, at least 4.
---@field isa? string One of nas.machine().isas; default: the best.
---@field winograd? boolean As in a recipe; default true.
---@field seconds? number How long to measure; default 0.1. A batch to warm up comes before, and one is always measured.

---@class luanas.Network
local Network = {}

--- How the network would be computed in training, and where the time goes: measured on made-up images, with a loss and
--- Adam. For a network that ends in a vector.
---@param options? luanas.Plan.Options
---@return luanas.Profile
function Network:plan(options) end

---@class luanas.Node
local Node = {}

--- As Network:plan, of the network that ends in this layer.
---@param options? luanas.Plan.Options
---@return luanas.Profile
function Node:plan(options) end

return Network
