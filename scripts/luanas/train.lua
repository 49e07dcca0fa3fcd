--- Training by itself, without a study: nas.train(network, data, recipe), and the models that it gives.
local core = require "luanas.core"
local check = require "luanas.check"
local evaluate = require "luanas.evaluate"
local node = require "luanas.node"
local progress = require "luanas.progress"
local recipe = require "luanas.recipe"

local train = {}

-- ---- Models ----------------------------------------------------------------------------------------

local Model = { __name = "luanas.TrainedModel" }
Model.__index = Model

-- `trainer`: nil for a model from a file; `path` is then where its training state may be.
local function new_model(own, history, trainer, path)
  return setmetatable({ core = own, history = history, trainer = trainer, path = path, threads = nil }, Model)
end

function Model:__tostring()
  return (tostring(self.core):gsub("^luanas.Model", "luanas.TrainedModel"))
end

function Model:info()
  return self.core:info()
end

function Model:params()
  return self.core:params()
end

-- The share of right predictions among the images of each class; false for a class without images.
local function per_class(confusion)
  local shares, classes = {}, confusion:shape()[1]
  for class = 1, classes do
    local all = 0
    for predicted = 1, classes do all = all + confusion:get(class, predicted) end
    shares[class] = all > 0 and confusion:get(class, class) / all
  end
  return shares
end

function Model:evaluate(data, part)
  if type(data) ~= "table" or type(data.load) ~= "function" then
    check.fail("model:evaluate: data is %s; expected a data set (what nas.data.fashion_mnist, ... return)",
      check.show(data))
  end
  part = part or "validation"
  if part ~= "validation" and part ~= "training" and part ~= "all" then
    check.fail("model:evaluate: part is %s; expected \"validation\", \"training\" or \"all\"", check.show(part))
  end
  local metrics, message = check.core(self.core.evaluate, self.core, data:load(), part, self.threads)
  if not metrics then check.fail("model:evaluate: %s", message) end
  if metrics.confusion then metrics.per_class = per_class(metrics.confusion) end
  return metrics
end

local function check_tensor(method, name, value)
  if not check.is_tensor(value) then
    check.fail("model:%s: %s are %s; expected a tensor", method, name, check.show(value))
  end
end

-- Of rank 3, inputs have one channel, or none.
local function check_inputs(self, method, inputs)
  check_tensor(method, "inputs", inputs)
  local shape = check.core(inputs.shape, inputs)
  for _, layer in ipairs(#shape == 3 and self:network():layers() or {}) do
    local is_one = layer.name == "input" and #layer.shape == 3
    for d = 1, 3 do is_one = is_one and layer.shape[d] == shape[d] end
    if is_one then
      check.fail("model:%s: inputs are one image, {%s}; expected a first dimension for their number: "
        .. "image:unsqueeze(1)", method, table.concat(shape, ", "))
    end
  end
end

-- `method` is that of the core.
local function outputs(self, owner, method, inputs)
  check_inputs(self, owner, inputs)
  local result, message = check.core(self.core[method], self.core, inputs, self.threads)
  if not result then check.fail("model:%s: %s", owner, message) end
  return result
end

function Model:outputs(inputs)
  return outputs(self, "outputs", "outputs", inputs)
end

function Model:probabilities(inputs)
  return outputs(self, "probabilities", "probabilities", inputs)
end

function Model:predict(inputs)
  local result = outputs(self, "predict", "outputs", inputs)
  if self.core:info().task == "values" then return result end
  local count, units = table.unpack(result:shape())
  local classes = core.tensor({ count }, "int32")
  for i = 1, count do
    if units == 1 then
      classes[i] = result:get(i, 1) > 0 and 2 or 1
    else
      local best = 1
      for k = 2, units do
        if result:get(i, k) > result:get(i, best) then best = k end
      end
      classes[i] = best
    end
  end
  return classes
end

function Model:activations(inputs)
  check_inputs(self, "activations", inputs)
  local layers, message = check.core(self.core.activations, self.core, self:network(), inputs, self.threads)
  if not layers then check.fail("model:activations: %s", message) end
  return layers
end

function Model:gradients(inputs, targets)
  check_inputs(self, "gradients", inputs)
  check_tensor("gradients", "targets", targets)
  local gradients, loss, of_inputs = check.core(self.core.gradients, self.core, inputs, targets)
  if not gradients then check.fail("model:gradients: %s", loss) end
  return gradients, loss, of_inputs
end

function Model:network()
  return core.network(self.core:output())
end

function Model:summary()
  return self:network():summary(math.tointeger(tonumber(self:info().recipe:match " batch=(%d+)")))
end

function Model:profile()
  if not self.times then
    check.fail("model:profile: there are no times; only a model that nas.train gave with profile = true has them")
  end
  return self.times
end

function Model:save(path, options)
  check.string("model:save", "path", path)
  options = check.options("model:save", options, { "state" })
  local with_state = check.optional(check.boolean, "model:save", "state", options.state)
  if with_state and not self.trainer then
    check.fail("model:save: state is true, but the model has none; only one that nas.train gave has")
  end
  local saved, message = check.core(self.core.save, self.core, path, with_state and self.trainer or nil)
  if not saved then check.fail("model:save: %s", message) end
end

function Model:close()
  if self.trainer then self.trainer:close() end
  self.trainer = nil
  self.core:close()
end

Model.__close = Model.close
check.colons("model", Model)

--- A model from a file that model:save wrote.
function train.load(path)
  check.string("load", "path", path)
  local own, message = check.core(core.model_load, path)
  if not own then check.fail("load: %s", message) end
  return new_model(own, {}, nil, path)
end

--- The model of a trainer whose epochs had these metrics.
function train.model_of(trainer, history)
  return new_model(core.model(trainer), history, trainer)
end

-- ---- Training --------------------------------------------------------------------------------------

local OWN = { "limits", "micro_batch", "on_epoch", "profile", "quiet", "seconds", "seed", "threads" }

-- What nas.train takes beside the recipe.
local function check_settings(options)
  local owner = "train"
  if options.on_epoch ~= nil and type(options.on_epoch) ~= "function" then
    check.fail("train: on_epoch is %s; expected a function", check.show(options.on_epoch))
  end
  local limits = check.options("train: limits", options.limits, { "macs", "memory", "params" })
  for _, name in ipairs(check.sorted_keys(limits)) do check.number("train: limits", name, limits[name], 0) end
  return {
    limits = limits, on_epoch = options.on_epoch,
    quiet = check.optional(check.boolean, owner, "quiet", options.quiet),
    seed = check.optional(check.seed, owner, "seed", options.seed) or 0,
    speed = {
      threads = check.optional(check.integer, owner, "threads", options.threads, 1, 256),
      micro_batch = check.optional(check.integer, owner, "micro_batch", options.micro_batch, 1, 16),
      seconds = check.optional(check.number, owner, "seconds", options.seconds, 0),
      profile = check.optional(check.boolean, owner, "profile", options.profile),
    },
  }
end

-- The layers to train: of a description, or those of a model.
local function output_of(network)
  if getmetatable(network) == Model then return network.core:output() end
  if node.is_unbuildable(network) then check.fail("train: the network can't be built: %s", network.reason) end
  if not node.is(network) then
    check.fail("train: network is %s; expected layers (what nn.dense, ... return) or a model", check.show(network))
  end
  return network
end

--- { trainer =, history =, threads = } of the training that runs, or that Ctrl-C or an error of on_epoch has ended.
train.unfinished = nil

--- The model of the last training that was interrupted; nil where none was, or not after its first epoch.
function train.interrupted()
  local left = train.unfinished
  if not left or #left.history == 0 then return nil end
  local model = train.model_of(left.trainer, left.history)
  model.stopped, model.threads = "interrupted", left.threads
  return model
end

-- Epochs until the recipe is done, the time is over or the loss is not finite; why it stopped before.
local function run(trainer, own, settings, history)
  local bar = progress.new(settings.quiet)
  local _ <close> = setmetatable({}, { __close = function() bar:finish() end })
  bar:begin(1, 1, own.epochs)
  while #history < own.epochs do
    local epoch, message, code = trainer:epoch()
    if not epoch then
      if code == "NAS_INTERRUPTED" then error(message, 0) end
      return message, code
    end
    history[#history + 1] = epoch
    bar:step(epoch.epoch, epoch.accuracy)
    if settings.on_epoch then check.run(settings.on_epoch, epoch) end
    if epoch.finished then return nil end
  end
end

-- The trainer that goes on with a model: the one that made it, or a new one with the state of its file.
local function trainer_for(network, output, data, own, settings)
  local loss = recipe.composed_loss(own, output, data:info().target_values)
  local trainer, message = check.core(core.trainer, output, data:load(), own.core, settings.seed, settings.speed, loss)
  if not trainer then check.fail("train: %s", message) end
  if getmetatable(network) ~= Model then return trainer, {} end
  local epochs, problem = check.core(trainer.restore, trainer, network.trainer or network.path)
  if not epochs then check.fail("train: %s", problem) end
  local history = table.move(network.history, 1, epochs, 1, {})
  for i = #history + 1, epochs do history[i] = { epoch = i } end -- a file has no metrics of its epochs
  return trainer, history
end

--- Trains a network, or goes on with a model, until the recipe is done.
function train.train(network, data, train_options)
  local output = output_of(network)
  if type(data) ~= "table" or type(data.load) ~= "function" then
    check.fail("train: data is %s; expected a data set (what nas.data.fashion_mnist, ... return)", check.show(data))
  end
  train_options = recipe.check("train", train_options, OWN)
  local settings = check_settings(train_options)
  local own = recipe.new(train_options)
  local reason = evaluate.over_limit(evaluate.costs(core.network(output), own), settings.limits)
  if reason then check.fail("train: %s", reason) end

  local trainer, history = trainer_for(network, output, data, own, settings)
  local before = #history
  train.unfinished = { trainer = trainer, history = history, threads = settings.speed.threads }
  local stopped, code = run(trainer, own, settings, history)
  train.unfinished = nil
  if code and code ~= "NAS_LIMIT" and #history == before then check.fail("train: %s", stopped) end
  local model = new_model(core.model(trainer), history, trainer)
  model.stopped, model.threads = stopped, settings.speed.threads
  model.times = settings.speed.profile and require "luanas.profile".new(trainer:profile()) or nil
  return model
end

return train
