---@meta luanas.train
-- luacheck: ignore

--- Training by itself, without a study.
---@class luanas.train
local train = {}

---@class luanas.train.Options: luanas.Train
---@field seed? integer Of the initial weights, the order of images, dropout and augmentation; at least 0, default 0.
---@field threads? integer Default: all processors that the process may use. Changes no result.
---@field micro_batch? integer Images that a thread takes at once, 1 to 16. Changes no result.
---@field seconds? number Training stops within a batch after so long; the model is then that of the last whole epoch.
---@field limits? { params?: number, macs?: number, memory?: number } Checked before anything is allocated.
---@field quiet? boolean No progress bar.
---@field profile? boolean Keep times for model:profile(). Changes no result.
---@field on_epoch? fun(epoch: table) Called after each epoch, with its metrics.

--- Trains a network (nas.train): the layers that it ends in, without a loss. Or goes on with a model, to the same bits
--- as without a break: the data, the recipe (but for the number of epochs and what ends training) and the seed must be
--- those that the model was trained with.
---
--- Example:
---
---   local x = nn.conv2d(nn.input { 8, 8, 1 }, { kernel = 3, filters = 4, activation = "relu" })
---   x = nn.dense(nn.global_avg_pool(x), { units = 10 })
---   local model = nas.train(x, data, { epochs = 2, batch = 50, optimizer = nas.adam { rate = 3e-3 } })
---   print(model:evaluate(data).accuracy)
---   local longer = nas.train(model, data, { epochs = 3, batch = 50, optimizer = nas.adam { rate = 3e-3 } })
---@param network luanas.Node|luanas.TrainedModel
---@param data luanas.Data
---@param options? luanas.train.Options
---@return luanas.TrainedModel
function train.train(network, data, options) end

--- The model of the last nas.train that Ctrl-C, or an error of on_epoch, has ended, as it was after its last whole epoch
--- (nas.interrupted); nil where none was, or not after its first epoch. nas.train(model, ...) goes on with it.
---@return luanas.TrainedModel?
function train.interrupted() end

--- A model from a file that model:save wrote (nas.load). Raises an error that names the file when it is missing or
--- damaged.
---@param path string
---@return luanas.TrainedModel
function train.load(path) end

---@class luanas.TrainedModel
---@field history table[] The metrics of each epoch; those before a file was loaded are only numbered.
---@field stopped? string Why training stopped before the recipe was done.
local TrainedModel = {}

--- Metrics on a part of a data set: loss; accuracy, predicted (classes), confusion (a tensor, row: class, column:
--- prediction) and per_class (accuracy of each class, false for one without images), or mean_absolute_error.
---@param data luanas.Data
---@param part? "training"|"validation"|"all" default "validation"
---@return table
function TrainedModel:evaluate(data, part) end

--- The class of each input, int32 {n}, counted from 1; for a model of values the values, float32 {n, k}.
---@param inputs luanas.Tensor As nas.data.tensors takes them.
---@return luanas.Tensor
function TrainedModel:predict(inputs) end

--- Raises an error for a model of values.
---@param inputs luanas.Tensor
---@return luanas.Tensor # float32 {n, classes}; {n, 1} for a network of one output: the probability of class 2
function TrainedModel:probabilities(inputs) end

---@param inputs luanas.Tensor
---@return luanas.Tensor # what the network puts out, float32 {n, units}
function TrainedModel:outputs(inputs) end

--- What each layer of model:network() puts out for the inputs, the input layer included.
---
--- Example:
---
---   local images = nas.tensor.uniform({ 2, 8, 8, 1 }, 1)
---   for number, layer in ipairs(model:activations(images)) do print(number, layer) end
---@param inputs luanas.Tensor
---@return { layer: integer, name: string, values: luanas.Tensor }[] # values: float32 {n, shape of the layer}
function TrainedModel:activations(inputs) end

--- The gradients of the mean loss of the inputs as one batch, as a step of training computes them: batch normalisation
--- takes the statistics of this batch, dropout drops. In the form of model:params(), of what is trained; then the loss,
--- and the gradient of the inputs as the first layer sees them (after x / 255 and standardisation).
---@param inputs luanas.Tensor
---@param targets luanas.Tensor Classes from 1, int32 or uint8 {n}; for a model of values float32 {n} or {n, k}.
---@return { layer: integer, role: string, values: luanas.Tensor }[], number, luanas.Tensor
function TrainedModel:gradients(inputs, targets) end

--- Where the time of the training went, layer by layer. Raises an error unless nas.train gave the model with
--- `profile = true`.
---@return luanas.Profile
function TrainedModel:profile() end

--- Writes weights and description in safetensors form. With `state` also what training needs to go on; the file is then
--- three to four times as large.
---@param path string
---@param options? { state?: boolean }
function TrainedModel:save(path, options) end

---@return { task: "classes"|"values", data: string, recipe: string, network: string, epoch: integer, units: integer, classes?: integer, class_names?: string[] }
function TrainedModel:info() end

---@return { layer: integer, role: string, values: luanas.Tensor }[]
function TrainedModel:params() end

---@return luanas.Network
function TrainedModel:network() end

---@return string # that of network(), with memory for the batch of the recipe
function TrainedModel:summary() end

--- Frees the weights.
function TrainedModel:close() end

return train
