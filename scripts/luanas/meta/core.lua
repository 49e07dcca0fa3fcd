---@meta luanas.core
-- luacheck: ignore

--- What the C part gives to the Lua part. Scripts use `require "luanas"`, which wraps it.
---
--- Misuse (wrong type, shape, range, name of an option) raises an error that names the argument or option, what was
--- given and what is allowed. The world failing (a missing or damaged file, a full disk, a loss that is not finite)
--- returns nil, a message, and the name of a code such as "NAS_IO".
---
--- Indices, classes, layers and options count from 1. A seed is any integer.
---
--- Objects hold memory of C. The collector frees them in time; `object:close()`, or a variable with `<close>`, frees at
--- once. A closed object raises an error when it is used; closing twice is fine. Closing an object does not harm others
--- that were made from it.
---@class luanas.core
---@field version string Semantic version of the engine.
---@field numeric_version integer Raised whenever results get other bits.
local core = {}

-- ---- Networks --------------------------------------------------------------------------------------

--- One layer applied to earlier ones; immutable. With `require "luanas"`, nodes can be calculated with, value by
--- value: `a + b` is an add layer and `a * b` a multiply layer (where one may be a gate: a vector with a unit for each
--- channel of the other); with a number, either way round, it is a scale layer, as are `-a` and `a / 2`; `a ^ 2` is a
--- square layer.
---@class luanas.Node
---@operator add(luanas.Node|number): luanas.Node
---@operator sub(luanas.Node|number): luanas.Node
---@operator mul(luanas.Node|number): luanas.Node
---@operator div(number): luanas.Node
---@operator pow(number): luanas.Node
---@operator unm: luanas.Node
local Node = {}

--- A new node. `options` are those of the layer kind's table (core.options().layers); unknown names, wrong types and
--- values out of range raise an error that names the option, the value and what is allowed. Returns nil, message, code
--- ("NAS_SHAPE", "NAS_LIMIT") when the layer can't be applied to inputs of these shapes.
---@param kind string "input", "conv2d", "dense", "relu", ...: what core.options().layers has
---@param inputs luanas.Node[] 64 at most
---@param options? table<string, any> A pair option takes an integer or {height, width}.
---@return luanas.Node?, string?, string?
function core.node(kind, inputs, options) end

---@return string # the layer kind's name
function Node:kind() end

--- Shape of one image's output: {height, width, channels} or {units}.
---@return integer[]
function Node:shape() end

--- 32 hexadecimal digits: equal for equal sub-graphs, whatever they are called and whatever follows.
---@return string
function Node:hash() end

--- As Network:summary, of the network that ends in this layer.
---@param batch? integer
---@return string
function Node:summary(batch) end

---@return string # as Network:graphviz
function Node:graphviz() end

--- Frees the handle; networks and nodes that were made from it live on.
function Node:close() end

---@class luanas.Option
---@field name string
---@field type "integer"|"pair"|"number"|"boolean"|"choice"
---@field required boolean
---@field default any Absent if required.
---@field low? number Inclusive; of integers, pairs and numbers.
---@field high? number
---@field choices? string[]
---@field help string One sentence with unit.

--- The option tables of all layer kinds, optimisers and schedules, of recipes, augmentation and the policy, and the
--- policy's presets by name. The table of a layer kind also has the fields min_inputs, max_inputs and is_loss.
---@return { layers: table<string, luanas.Option[]>, optimizers: table<string, luanas.Option[]>, schedules: table<string, luanas.Option[]>, recipe: luanas.Option[], augment: luanas.Option[], policy: luanas.Option[], policy_presets: table<string, table<string, any>> }
function core.options() end

---@class luanas.Network The canonical form of a network: identity and costs. `#network` is its number of layers.
---@operator len: integer
local Network = {}

--- Returns nil, message, code ("NAS_SHAPE", "NAS_LIMIT") for more than one input layer or 10,000 layers.
---@param output luanas.Node Depends on exactly one input layer.
---@return luanas.Network?, string?, string?
function core.network(output) end

---@return string # one line for each layer
function Network:text() end

--- The node that network:text() was made from, or one just like it: core.network of it has the same text, to the byte.
--- Returns nil, message, code ("NAS_FORMAT", "NAS_SHAPE", "NAS_LIMIT") for any other text; the message names the line.
---@param text string
---@return luanas.Node?, string?, string?
function core.network_parse(text) end

---@return string # 32 hexadecimal digits: XXH3-128 of the text
function Network:hash() end

---@return integer # trainable parameters
function Network:params() end

---@return integer # multiply-accumulates for one image, forward
function Network:macs() end

---@param batch? integer # images in a batch, 1 to 65536; default 250
---@return integer # bytes that training takes, by a formula that is the same on every machine
function Network:memory(batch) end

---@param batch? integer # images in a batch, 1 to 65536; default 250
---@return string # a table: layers, output shapes, parameters, multiply-accumulates, memory of training
function Network:summary(batch) end

---@return string # the graph in Graphviz's language: `dot -Tsvg`
function Network:graphviz() end

--- One entry for each node in canonical order. `name` is the layer kind, `inputs` are positions in the list,
--- `occurrence` counts the nodes with equal sub-graphs.
---@return { name: string, inputs: integer[], shape: integer[], params: integer, macs: integer, occurrence: integer }[]
function Network:layers() end

function Network:close() end

-- ---- Data ------------------------------------------------------------------------------------------

---@class luanas.Dataset Inputs with their targets, and a split. `#dataset` counts all images; a row of a table is one, too. The test split is locked.
---@operator len: integer
local Dataset = {}

--- From IDX files, plain or gzip'd. `sums` are expected SHA-256 sums of the decompressed content. Class k of Lua is
--- byte k - 1 of the label file. Returns nil, message, code name ("NAS_IO", "NAS_FORMAT", ...) when a file is missing
--- or damaged.
---@param name string
---@param files { images: string, labels: string, images_sha256?: string, labels_sha256?: string, classes?: integer, class_names?: string[] } `classes` is 10 by default.
---@return luanas.Dataset?, string?, string?
function core.dataset_idx(name, files) end

--- From tensors, which are copied. `inputs` are uint8, where x means x / 255, or finite float32: {n, features}, {n,
--- height, width} or {n, height, width, channels}. `targets` are int32 or uint8 {n} with at least two of the classes
--- 1..classes; or, without `classes`, finite float32 values {n} or {n, k}. `class_names` has a name for each class.
---@param name string
---@param parts { inputs: luanas.Tensor, targets: luanas.Tensor, classes?: integer, class_names?: string[] }
---@return luanas.Dataset
function core.dataset(name, parts) end

---@class luanas.Split
---@field validation? integer How many images validate: 5000.
---@field seed? integer 0
---@field limit? integer Train on the first so many of the others only: all.
---@field stratified? boolean Draw from each class apart, in proportion.
---@field standardize? boolean Shift and scale inputs by mean and standard deviation of each channel or feature over the images that train.
---@field training_list? integer[] Positions that train, in place of a draw, with `validation_list`.
---@field validation_list? integer[] Positions that validate; each image is in one list at most.

--- A data set of the same images with a drawn or a given split.
---@param options? luanas.Split
---@return luanas.Dataset
function Dataset:split(options) end

--- The same images and split, with inputs shifted and scaled by these numbers of each channel or feature, such as
--- another data set's standardization(); without arguments, not at all.
---@param means? number[]
---@param stds? number[] Above 0.
---@return luanas.Dataset
function Dataset:adopt(means, stds) end

--- Means and standard deviations of the channels or features; nil for a data set that is not standardised.
---@return number[]?, number[]?
function Dataset:standardization() end

--- `fingerprint` identifies the content, `identity` also what else results depend on; `training` and `validation` count
--- images. `task` is "classes" or "values", `shape` {height, width, channels} or {features}, `target_values` how many
--- values a target has, 0 for classes. Only images have `height`, `width` and `channels`, only classes `classes`.
---@return { name: string, fingerprint: string, identity: string, count: integer, training: integer, validation: integer, task: string, shape: integer[], height?: integer, width?: integer, channels?: integer, classes?: integer, class_names?: string[], target_values: integer, standardized: boolean }
function Dataset:info() end

---@return string # a page for people: inputs, targets, split, standardisation, fingerprint, classes or values
function Dataset:describe() end

--- A copy of image i as uint8 {height, width, channels}, and its target; for images of bytes only.
---@param i integer 1..#dataset, or from the end -1..-#dataset
---@return luanas.Tensor, integer|luanas.Tensor
function Dataset:image(i) end

--- Input i as the network sees it, float32 of the shape of info(): standardised, and augmented as in that epoch of a
--- training with that seed. `augment` has pad_crop = 0, shift = {0, 0}, flip = 0, erase = 0, erase_min = 0.02,
--- erase_max = 0.33.
---@param i integer 1..#dataset, or from the end -1..-#dataset
---@param augment? table
---@param seed? integer 0
---@param epoch? integer 1
---@return luanas.Tensor
function Dataset:input(i, augment, seed, epoch) end

--- The numbers of the images of a part, in its order: int32 {n}, from 1.
---@param name "training"|"validation"
---@return luanas.Tensor
function Dataset:part(name) end

--- The class of image i, or a float32 tensor of its values.
---@param i integer 1..#dataset, or from the end -1..-#dataset
---@return integer|luanas.Tensor
function Dataset:target(i) end

function Dataset:close() end

-- ---- Files -----------------------------------------------------------------------------------------
--
-- Files may be gzip'd, but for folders of images. A missing or damaged file returns nil, a message that names the file
-- and the place in it, and a code name ("NAS_IO", "NAS_FORMAT", "NAS_LIMIT").

--- An array that NumPy saved by np.save. Types: uint8 and bool become uint8; int32 and int64 int32; float32 and float64
--- float32, rounded. Others, big-endian ones, numbers out of range and Fortran order are refused.
---@param path string
---@return luanas.Tensor?, string?, string?
function core.read_npy(path) end

--- Writes a file as np.load reads it, as a whole or not at all. Returns nil, message, code name when it can't.
---@param tensor luanas.Tensor
---@param path string
---@return true?, string?, string?
function core.write_npy(tensor, path) end

--- An image: uint8 {height, width, channels}, one channel if grey, else three. 16 bits are reduced to the high byte;
--- colour profiles and gamma are ignored. `background`, 0 to 255, is seen through transparent pixels; without it, an
--- image that has any is refused. With `rgb`, grey becomes three equal channels.
---@param path string
---@param settings? { background?: integer, rgb?: boolean }
---@return luanas.Tensor?, string?, string?
function core.read_png(path, settings) end

--- Writes an image, uint8 {height, width} or {height, width, 1 or 3}, as a whole or not at all. Returns nil, message, code
--- when the file can't be written.
---@param path string
---@param image luanas.Tensor
---@return true?, string?, string?
function core.write_png(path, image) end

--- A folder of images: its sub-folders are classes, in the order of the bytes of their names, and their files *.png the
--- images, in the same order; what begins with a dot is skipped. All images have one size and are all grey or all
--- coloured. Returns images, uint8 {n, height, width, channels}; labels, int32 {n}, from 1; the names of the classes.
--- With `distinct`, of images with equal pixels the first counts, whatever its class.
---@param path string
---@param settings? { background?: integer, distinct?: boolean, rgb?: boolean }
---@param folders? string[] The sub-folders to read, in this order.
---@return luanas.Tensor?, luanas.Tensor|string, string[]|string
function core.read_png_folder(path, settings, folders) end

--- CIFAR files (Krizhevsky 2009) in the binary version, one after the other. Returns images, uint8 {n, 32, 32, 3}, and
--- labels, int32 {n}: class k is byte k - 1 of the file.
---@param paths string[]
---@param kind "cifar10"|"cifar100"|"cifar100-coarse" The fine or the coarse classes of CIFAR-100.
---@return luanas.Tensor?, luanas.Tensor|string, string?
function core.read_cifar(paths, kind) end

---@class luanas.Csv A table of texts. `#csv` is the number of rows. A column is given by name, or by position from 1.
---@operator len: integer
local Csv = {}

--- A CSV file. `delimiter`: one of , ; | : and tab, without which that of the first line is found out; `header`:
--- whether the first row names the columns (true), which are "1", "2", ... otherwise. Blanks around cells and blank
--- lines do not count; cells in double quotes may hold anything.
---@param path string
---@param options? { delimiter?: string, header?: boolean }
---@return luanas.Csv?, string?, string?
function core.read_csv(path, options) end

---@return string[] # the names of the columns
function Csv:names() end

---@param column string|integer
---@return boolean # whether every cell is a number that float32 can hold
function Csv:is_numeric(column) end

--- Columns as float32 {rows, #columns}. Returns nil, message, code for a cell that is no number; the message names line
--- and column.
---@param columns (string|integer)[]
---@return luanas.Tensor?, string?, string?
function Csv:numbers(columns) end

--- A column as classes: int32 {rows}, from 1, and the names of the classes, which are the distinct cells, in the order
--- of numbers if all are integers, else of bytes. Returns nil, message, code for an empty cell.
---@param column string|integer
---@return luanas.Tensor?, string[]|string, string?
function Csv:labels(column) end

---@param row integer 1..#csv, or from the end -1..-#csv
---@param column string|integer
---@return string
function Csv:cell(row, column) end

function Csv:close() end

-- ---- Training --------------------------------------------------------------------------------------

---@class luanas.Recipe How a network is trained; immutable.
local Recipe = {}

--- The numbers of core.options().recipe, and optimizer = { name = "adam", its options }, schedule = { name =
--- "constant", its options }, loss = "softmax_cross_entropy", { name =, its options } or "composed" (core.trainer then
--- gets it), augment = { options of core.options().augment }; all have defaults.
---@param settings? table
---@return luanas.Recipe
function core.recipe(settings) end

---@return string # canonical text
function Recipe:text() end

--- By what factor a schedule multiplies the optimiser's rate in a step, from 1, of a training with so many steps in an
--- epoch. A schedule is { name = "constant", its options }: those of core.options().schedules.
---@param schedule? table
---@param step integer
---@param steps_per_epoch integer
---@return number
function core.schedule_factor(schedule, step, steps_per_epoch) end

---@class luanas.Trainer
local Trainer = {}

--- A trainer with the network's initial weights. `speed` changes no bit of the results: threads (all processors that
--- the process may use), micro_batch (0: what the cache holds, at least 4), isa (one of core.machine().isas);
--- profile: whether to keep times; seconds: epochs may take so long in all. Returns nil, message, "NAS_LIMIT" for a
--- network whose activations are too large for the engine, and "NAS_SHAPE" where the loss can't be applied.
---@param output luanas.Node The network without its loss.
---@param data luanas.Dataset
---@param recipe luanas.Recipe
---@param seed integer
---@param speed? { threads?: integer, micro_batch?: integer, isa?: string, seconds?: number, profile?: boolean }
---@param loss? luanas.Node One number for each image, of the output and a target; without it the recipe's.
---@return luanas.Trainer?, string?, string?
function core.trainer(output, data, recipe, seed, speed, loss) end

--- Trains one epoch more and evaluates. Metrics are means over the training (train_...) and the validation images:
--- accuracy, and top_k when the recipe asks for it, for classes, mean_absolute_error for values. `best` is the best
--- epoch so far; per_class, for classes, the accuracy on the validation images of each, false without any; `finished`
--- says that the recipe's patience is at its end. Returns nil, message, code name when a loss is not finite
--- ("NAS_DIVERGED": no epoch can follow) or the seconds are over ("NAS_LIMIT"); the trainer then is as it was after
--- its last whole epoch.
---
--- Ctrl-C ends it within a batch, or a group of 16 images that are validated. In the program luanas it raises
--- "interrupted!"; the program's pcall, xpcall, coroutine.resume and coroutine.close let that error pass, while
--- to-be-closed variables and message handlers run, which may train. A finalizer is not interrupted, but what runs after
--- it. Under stock Lua it returns nil, message, "NAS_INTERRUPTED", and Lua's own error follows.
---@return { epoch: integer, train_loss: number, train_accuracy?: number, train_top_k?: number, train_mean_absolute_error?: number, loss: number, accuracy?: number, top_k?: number, mean_absolute_error?: number, per_class?: (number|false)[], train_seconds: number, seconds: number, best: integer, finished: boolean }?, string?, string?
function Trainer:epoch() end

--- Sets a new trainer to the state of another one, or of a file that Model:save wrote with a trainer. Both must be of
--- the same network, loss, data, recipe and seed; raises what differs. Returns the epochs that are done, or nil,
--- message, code name for a file that is missing or damaged.
---@param from string|luanas.Trainer
---@return integer?, string?, string?
function Trainer:restore(from) end

---@return integer # whole epochs so far
function Trainer:epochs() end

--- All that training needs to go on, as the bytes of a safetensors file.
---@return string
function Trainer:state() end

--- Trainer:restore of such bytes.
---@param bytes string
---@return integer?, string?, string?
function Trainer:restore_state(bytes) end

--- The class that the last epoch predicted for each validation image, int32; nil before the first and for values.
---@return luanas.Tensor?
function Trainer:predicted() end

--- The same counted from 0, a byte for each image; nil where there are more than 256 classes.
---@return string?
function Trainer:predicted_bytes() end

--- Where the time of all epochs so far went: luanas.Profile without what is calculated from the other fields.
--- `fused_into` is the layer that does the work of a fused one, `train_macs` counts forward and backward as of
--- windows that slide, `cycles` are predicted for an image. Without `profile` among the settings of speed, images and
--- seconds are 0.
---@return table
function Trainer:profile() end

--- 32 hexadecimal digits, equal exactly when the bits of weights and moments are.
---@return string
function Trainer:digest() end

--- The trained parameter sets, in canonical order, as copies. `layer` is a position in network:layers().
---@return { layer: integer, role: string, values: luanas.Tensor }[]
function Trainer:params() end

--- Frees weights and ends threads.
function Trainer:close() end

---@class luanas.Model A trained network with what it must know of its data; immutable.
local Model = {}

--- A copy of the weights that the trainer's recipe keeps.
---@param trainer luanas.Trainer
---@return luanas.Model
function core.model(trainer) end

--- From a file that Model:save wrote. Returns nil, message, code name when it is missing or damaged.
---@param path string
---@return luanas.Model?, string?, string?
function core.model_load(path) end

--- Writes a file in safetensors form, as a whole or not at all; with a trainer also its state, so that training can go
--- on (Trainer:restore). Returns nil, message, code name when it can't.
---@param path string
---@param trainer? luanas.Trainer
---@return true?, string?, string?
function Model:save(path, trainer) end

--- Metrics on a part of a data set, as those of an epoch but without top_k. For classes also `predicted`, int32
--- {images}, and `confusion`, int32 {classes, classes}: how often an image of the class of the row was predicted as that
--- of the column.
---@param data luanas.Dataset
---@param part? "training"|"validation"|"all" default "validation"
---@param threads? integer
---@return { loss: number, accuracy?: number, mean_absolute_error?: number, predicted?: luanas.Tensor, confusion?: luanas.Tensor }?, string?, string?
function Model:evaluate(data, part, threads) end

--- What the network puts out, float32 {n, units}, for inputs as core.dataset takes them.
---@param inputs luanas.Tensor
---@param threads? integer
---@return luanas.Tensor?, string?, string?
function Model:outputs(inputs, threads) end

--- The softmax of the outputs, or the sigmoid of a single one. Raises for a model of values.
---@param inputs luanas.Tensor
---@param threads? integer
---@return luanas.Tensor?, string?, string?
function Model:probabilities(inputs, threads) end

--- What each layer of a network puts out for the inputs: float32 {n, shape of the layer}. The network is that of
--- Model:output, or of an earlier layer.
---@param network luanas.Network
---@param inputs luanas.Tensor
---@param threads? integer
---@return { layer: integer, name: string, values: luanas.Tensor }[]?, string?, string?
function Model:activations(network, inputs, threads) end

--- The gradients of the mean loss of the inputs as one batch, as in a step of training: batch normalisation takes the
--- statistics of this batch, dropout drops. As Model:params, of what is trained; then the loss, and the gradient of the
--- inputs as the first layer sees them, after x / 255 and standardisation.
---@param inputs luanas.Tensor
---@param targets luanas.Tensor Classes from 1, int32 or uint8 {n}, or float32 {n} or {n, k}.
---@return { layer: integer, role: string, values: luanas.Tensor }[]?, number|string, luanas.Tensor|string
function Model:gradients(inputs, targets) end

--- `network` is the canonical text with the loss, `recipe` that of the recipe, `epoch` the one whose weights it has.
---@return { task: "classes"|"values", data: string, recipe: string, network: string, epoch: integer, units: integer, classes?: integer, class_names?: string[] }
function Model:info() end

---@return { layer: integer, role: string, values: luanas.Tensor }[]
function Model:params() end

---@return luanas.Node # the network without its loss
function Model:output() end

function Model:close() end

-- ---- Random streams --------------------------------------------------------------------------------

---@class luanas.Stream A random stream, addressed by (seed, purpose, indices) and by nothing else.
local Stream = {}

---@param seed integer
---@param purpose string
---@param ... integer 16 at most
---@return luanas.Stream
function core.stream(seed, purpose, ...) end

---@return number # uniform in [0, 1)
function Stream:number() end

---@param n integer 1..2^32-1
---@return integer # uniform in 1..n
function Stream:integer(n) end

---@param n integer
---@return integer[] # a random order of 1..n
function Stream:permutation(n) end

-- ---- Policy ----------------------------------------------------------------------------------------

---@class luanas.CorePolicy The LSTM policy.
local CorePolicy = {}

--- A decision as it is recorded.
---@class luanas.CoreDecision
---@field name string
---@field options string Key text of the option list.
---@field count integer Options in the list, 1..4096.
---@field chosen integer 1..count
---@field kind? "choice"

--- An anchor as it is recorded: which of some earlier anchors it connects to.
---@class luanas.CoreAnchor
---@field kind "anchor"
---@field name string
---@field candidates integer[] Their positions in the episode, from 1, in increasing order; at most 4096.
---@field chosen boolean[] Whether each of them is chosen.

--- Coefficients on the gradients of log pi and of entropy, which are added up: of the whole episode, for each decision,
--- and for each option of each decision (of an anchor: two for each candidate, not chosen and chosen; `false` for a
--- decision without); and on that of each decision's value. All are 0 by default. The objective loses `skip_weight`
--- (0 or more) times the sum of KL(p, skip_prior) over all candidates of anchors, p the probability that a candidate is
--- chosen; `skip_prior` lies between 0 and 1.
---@class luanas.CoreEpisode
---@field decisions (luanas.CoreDecision|luanas.CoreAnchor)[]
---@field advantage? number
---@field entropy? number
---@field advantages? number[]
---@field entropies? number[]
---@field options? (number[]|false)[]
---@field values? number[]
---@field skip_weight? number
---@field skip_prior? number

--- `options`: those of core.options().policy, and `preset` ("paper" by default), whose values they override.
---@param options? table
---@param seed integer
---@return luanas.CorePolicy
function core.policy(options, seed) end

--- From a file. nil, message, code name when it can't be read.
---@param path string
---@return luanas.CorePolicy?, string?, string?
function core.policy_load(path) end

--- From the bytes of a file. nil, message, "NAS_FORMAT" when they are damaged.
---@param bytes string
---@return luanas.CorePolicy?, string?, string?
function core.policy_decode(bytes) end

--- Writes a file in one piece: `path` is the old file or the new one at any instant.
---@param path string
---@return true?, string?, string?
function CorePolicy:save(path) end

--- The bytes that save writes.
---@return string
function CorePolicy:bytes() end

--- Begins an episode.
function CorePolicy:begin() end

--- The next decision of the episode, sampled by the stream. Returns the chosen index from 1 and its log-probability.
---@param name string
---@param options string Key text of the option list.
---@param count integer
---@param stream luanas.Stream
---@return integer, number
function CorePolicy:choose(name, options, count, stream) end

--- The next decision of the episode, given. Returns its log-probability.
---@param name string
---@param options string
---@param count integer
---@param chosen integer 1..count
---@return number
function CorePolicy:force(name, options, count, chosen) end

--- The next decision of the episode, an anchor, sampled: each of some earlier anchors, of any name, is chosen or not.
--- Its `candidates` are their positions in the episode, from 1, in increasing order; none is legal, and chooses
--- nothing. Returns what is chosen, in the order of candidates, and the sum of their log-probabilities. One number is
--- drawn for each candidate.
---@param name string
---@param candidates integer[]
---@param stream luanas.Stream
---@return boolean[], number
function CorePolicy:anchor(name, candidates, stream) end

--- The same, given. Returns the log-probability.
---@param name string
---@param candidates integer[]
---@param chosen boolean[] One for each candidate.
---@return number
function CorePolicy:force_anchor(name, candidates, chosen) end

--- Log-probability and entropy (nats) of recorded decisions, in all and for each; KL to the initial policy, and the
--- value of each decision, when asked. `probabilities` are those of the options, or of an anchor's candidates to be
--- chosen. Does not end an episode that was begun.
---@param decisions (luanas.CoreDecision|luanas.CoreAnchor)[]
---@param with_kl? boolean
---@param with_values? boolean
---@return { log_prob: number, entropy: number, kl?: number, decisions: { log_prob: number, entropy: number, probabilities: number[], value?: number }[] }
function CorePolicy:score(decisions, with_kl, with_values) end

--- One optimiser step along the sum of the episodes' gradients.
---@param episodes luanas.CoreEpisode[] At least one.
---@return { policy_loss: number, entropy_loss: number, value_loss: number, skip_loss: number, l2: number, loss: number, entropy: number, kl: number, gradient_norm: number }
function CorePolicy:learn(episodes) end

--- Parameters as a table from block key to { rows =, width =, [1], [2], ... }, row after row.
---@return table<string, table>
function CorePolicy:blocks() end

--- `params` counts the parameters that have appeared so far.
---@return { seed: integer, steps: integer, params: integer, options: table<string, number> }
function CorePolicy:info() end

function CorePolicy:close() end

---@class luanas.CoreGradient
local CoreGradient = {}

--- The sum of the episodes' gradients, in the direction that increases the objective.
---@param episodes luanas.CoreEpisode[] At least one.
---@return luanas.CoreGradient
function CorePolicy:gradient(episodes) end

--- One optimiser step along a gradient of this policy.
---@param gradient luanas.CoreGradient
---@return { gradient_norm: number, l2: number }
function CorePolicy:apply(gradient) end

--- As a table from block key to { rows =, width =, [1], [2], ... }, row after row.
---@return table<string, table>
function CoreGradient:blocks() end

--- The inner product with a gradient of the same policy over all parameters, which are added up one after the other in
--- the order of their keys; with itself: the squared norm.
---@param other luanas.CoreGradient
---@return number
function CoreGradient:dot(other) end

function CoreGradient:close() end

-- ---- Tensors ---------------------------------------------------------------------------------------

--- An array of float32, uint8 or int32 numbers in up to 8 dimensions. A view shares its elements with what it was made
--- from. Elements of integer types are Lua integers.
---
--- Indices and dimensions count from 1, negative ones from the end; `#t` is the size of the first dimension.
---   t[i]                            entry i of the first dimension: a view, or a number if there is one dimension
---   t[{ 3, {}, { 2, -1 } }]         entry 3 of dimension 1, all of dimension 2, a range of dimension 3: a view, or a
---                                   number if one entry of each is named; further dimensions are whole
---   t[{ { 9, 1, -2 } }]             a range with a step: 9, 7, 5, 3, 1
---   t[mask]                         the elements where a tensor of equal shape is not 0: a copy, nil for none
--- To each of these a number or a tensor can be assigned, which is repeated to the shape and converted as by copy.
---
--- `+ - * / ^` and the methods for two operands work element by element, on tensors and numbers. Shapes are compared
--- from the last dimension on: dimensions are equal, or one of them is 1 or missing and is repeated. The result is
--- float32 where one operand is; else int32, so that differences of bytes are right; of `/ ^` always float32. A
--- number counts as float32, or as an integer if it is one in Lua and meets integers. A result that int32 can't hold
--- is an error. `& | ~` combine masks: uint8, 1 where the numbers are not 0. `==` compares type, shape and all
--- elements; `<` and the like are errors that name the method: a:lt(b) makes a mask.
---@class luanas.Tensor
---@field [integer] luanas.Tensor|number
---@operator len: integer
---@operator add(luanas.Tensor|number): luanas.Tensor
---@operator sub(luanas.Tensor|number): luanas.Tensor
---@operator mul(luanas.Tensor|number): luanas.Tensor
---@operator div(luanas.Tensor|number): luanas.Tensor
---@operator pow(luanas.Tensor|number): luanas.Tensor
---@operator unm: luanas.Tensor
---@operator band(luanas.Tensor|number): luanas.Tensor
---@operator bor(luanas.Tensor|number): luanas.Tensor
---@operator bnot: luanas.Tensor
local Tensor = {}

---@alias luanas.dtype "float32"|"uint8"|"int32"

--- Zeros: core.tensor({2, 3}, "uint8").
---@param shape integer[]
---@param dtype? luanas.dtype "float32" by default
---@return luanas.Tensor
function core.tensor(shape, dtype) end

--- From nested tables of numbers: core.tensor_from({{1, 2}, {3, 4}}, "uint8").
---@param values any[]
---@param dtype? luanas.dtype "float32" by default
---@return luanas.Tensor
function core.tensor_from(values, dtype) end

--- From the bytes of elements in index order, little-endian, as Tensor:bytes gives them.
---@param bytes string
---@param shape integer[]
---@param dtype? luanas.dtype "float32" by default
---@return luanas.Tensor
function core.tensor_from_bytes(bytes, shape, dtype) end

--- first, first + step, first + 2 * step, ...
---@param count integer
---@param first number
---@param step number
---@param dtype? luanas.dtype "float32" by default
---@return luanas.Tensor
function core.tensor_ramp(count, first, step, dtype) end

--- float32 numbers that are uniform in [low, high), in index order from the stream: two of its numbers for each.
---@param shape integer[]
---@param stream luanas.Stream
---@param low number
---@param high number
---@return luanas.Tensor
function core.tensor_uniform(shape, stream, low, high) end

--- float32 numbers from a normal distribution, likewise: four numbers of the stream for each.
---@param shape integer[]
---@param stream luanas.Stream
---@param mean number
---@param std number
---@return luanas.Tensor
function core.tensor_normal(shape, stream, mean, std) end

--- Tensors behind one another along a dimension; the others must be equal. The type is float32 if one is, else int32 if
--- one is.
---@param tensors luanas.Tensor[] At least one.
---@param dimension? integer default 1
---@return luanas.Tensor
function core.tensor_concat(tensors, dimension) end

--- Elements of a where the mask is not 0, else of b; all three repeated to one shape. Type as of core.tensor_concat.
---@param mask luanas.Tensor
---@param a luanas.Tensor|number
---@param b luanas.Tensor|number
---@return luanas.Tensor
function core.tensor_where(mask, a, b) end

---@return integer[]
function Tensor:shape() end

---@return luanas.dtype
function Tensor:dtype() end

---@return integer # number of elements
function Tensor:size() end

--- The element at one index for each dimension: t:get(2, -1).
---@param ... integer
---@return number
function Tensor:get(...) end

--- Sets the element at one index for each dimension to the last argument: t:set(2, -1, 0.5). Returns the tensor.
---@param ... number
---@return luanas.Tensor
function Tensor:set(...) end

--- Sets all elements. Returns the tensor.
---@param value number
---@return luanas.Tensor
function Tensor:fill(value) end

--- Overwrites the elements by those of a tensor of the same shape, converted. Returns the tensor.
---@param from luanas.Tensor
---@return luanas.Tensor
function Tensor:copy(from) end

--- A view of entries start .. start+count-1 of a dimension.
---@param dimension integer
---@param start integer
---@param count integer
---@return luanas.Tensor
function Tensor:narrow(dimension, start, count) end

--- A view of one entry of a dimension, which goes away; there must be another.
---@param dimension integer
---@param index integer
---@return luanas.Tensor
function Tensor:select(dimension, index) end

--- A view with two dimensions exchanged: the first two by default.
---@param first? integer
---@param second? integer
---@return luanas.Tensor
function Tensor:transpose(first, second) end

--- A view with the dimensions in another order: t:permute { 3, 1, 2 } begins with the third.
---@param order integer[] Each dimension once.
---@return luanas.Tensor
function Tensor:permute(order) end

--- A view without a dimension of one entry, or without all of them. One dimension stays.
---@param dimension? integer
---@return luanas.Tensor
function Tensor:squeeze(dimension) end

--- A view with a new dimension of one entry.
---@param dimension integer Where it is then: 1 to dimensions + 1.
---@return luanas.Tensor
function Tensor:unsqueeze(dimension) end

--- A view repeated to a shape, as operands are. It can't be written to; its clone can.
---@param shape integer[]
---@return luanas.Tensor
function Tensor:expand(shape) end

--- The same elements in order under another shape of equal size: a view where that is possible, else a copy.
---@param shape integer[] One may be -1: what the others leave.
---@return luanas.Tensor
function Tensor:reshape(shape) end

---@param other luanas.Tensor
---@return boolean # whether both refer to the same memory
function Tensor:shares(other) end

---@return luanas.Tensor # a copy, contiguous
function Tensor:clone() end

--- A copy of another type. Into an integer type numbers are rounded to the nearest.
---@param dtype luanas.dtype
---@return luanas.Tensor
function Tensor:to(dtype) end

--- A copy of entries of a dimension, in any order, also several times.
---@param dimension integer
---@param positions integer[]|luanas.Tensor A list, or a tensor of one dimension.
---@return luanas.Tensor
function Tensor:take(dimension, positions) end

--- Where the elements are not 0, in index order: int32 {n, dimensions} of indices from 1; nil for none.
---@return luanas.Tensor?
function Tensor:nonzero() end

--- The larger of two, element by element; NaN if one of them is.
---@param other luanas.Tensor|number
---@return luanas.Tensor # of the wider type
function Tensor:maximum(other) end

--- The smaller of two, likewise.
---@param other luanas.Tensor|number
---@return luanas.Tensor
function Tensor:minimum(other) end

--- Elements below `low` become low, those above `high` high. One of the two may be nil.
---@param low? number|luanas.Tensor
---@param high? number|luanas.Tensor
---@return luanas.Tensor
function Tensor:clamp(low, high) end

---@param other luanas.Tensor|number
---@return luanas.Tensor # a mask, uint8: 1 where self < other
function Tensor:lt(other) end

---@param other luanas.Tensor|number
---@return luanas.Tensor # a mask, uint8: 1 where self <= other
function Tensor:le(other) end

---@param other luanas.Tensor|number
---@return luanas.Tensor # a mask, uint8: 1 where self > other
function Tensor:gt(other) end

---@param other luanas.Tensor|number
---@return luanas.Tensor # a mask, uint8: 1 where self >= other
function Tensor:ge(other) end

---@param other luanas.Tensor|number
---@return luanas.Tensor # a mask, uint8: 1 where self == other
function Tensor:eq(other) end

---@param other luanas.Tensor|number
---@return luanas.Tensor # a mask, uint8: 1 where self ~= other
function Tensor:ne(other) end

--- Type: int32 for integers, else float32.
---@return luanas.Tensor
function Tensor:abs() end

--- 1, 0 or -1; NaN stays. Type as of abs.
---@return luanas.Tensor
function Tensor:sign() end

--- Type as of abs.
---@return luanas.Tensor
function Tensor:floor() end

--- Type as of abs.
---@return luanas.Tensor
function Tensor:ceil() end

--- To the nearest whole number, ties to the even one. Type as of abs.
---@return luanas.Tensor
function Tensor:round() end

--- By core.math, float32, as are the next ones.
---@return luanas.Tensor
function Tensor:exp() end

--- Natural logarithm; NaN below 0.
---@return luanas.Tensor
function Tensor:log() end

--- NaN below 0.
---@return luanas.Tensor
function Tensor:sqrt() end

--- Float32.
---@return luanas.Tensor
function Tensor:tanh() end

--- Float32.
---@return luanas.Tensor
function Tensor:sigmoid() end

--- A mask.
---@return luanas.Tensor
function Tensor:is_nan() end

--- A mask: 0 for NaN and infinities.
---@return luanas.Tensor
function Tensor:is_finite() end

--- Integers have an integer sum. Reductions are over all elements, or along a dimension, which then goes away, or has
--- one entry with `keep`. Each result is one sum in double in index order: the same bits for every layout and
--- machine.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:sum(dimension, keep) end

--- The sum divided by the number.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:mean(dimension, keep) end

--- NaN if any element is.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:min(dimension, keep) end

--- NaN if any element is.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:max(dimension, keep) end

--- The mean of squared differences from the mean.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:variance(dimension, keep) end

--- The root of the variance.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:std(dimension, keep) end

--- The root of the sum of squares.
---@param dimension? integer
---@param keep? boolean
---@return number|luanas.Tensor
function Tensor:norm(dimension, keep) end

--- Whether one element is not 0.
---@param dimension? integer
---@param keep? boolean
---@return boolean|luanas.Tensor
function Tensor:any(dimension, keep) end

--- Whether no element is 0.
---@param dimension? integer
---@param keep? boolean
---@return boolean|luanas.Tensor
function Tensor:all(dimension, keep) end

--- Where the smallest element is, the first among equals, or the first NaN: an index for each dimension,
--- `local row, column = t:argmin()`; or int32 positions along a dimension.
---@param dimension? integer
---@param keep? boolean
---@return integer|luanas.Tensor ...
function Tensor:argmin(dimension, keep) end

--- Where the largest element is, the first among equals, or the first NaN: an index for each dimension,
--- `local row, column = t:argmax()`; or int32 positions along a dimension.
---@param dimension? integer
---@param keep? boolean
---@return integer|luanas.Tensor ...
function Tensor:argmax(dimension, keep) end

--- The product of float32 matrices {m, k} and {k, n}, by OpenBLAS: fast, but its bits depend on the machine. Dimensions
--- before the last two are repeated as those of operands. A vector is a row on the left and a column on the right, and
--- the result lacks its dimension; of two vectors it is a number.
---@param other luanas.Tensor
---@return luanas.Tensor|number
function Tensor:matmul(other) end

--- The x with self:matmul(x) = right, by LAPACK in double, rounded to float32. Raises an error for a singular matrix.
---@param right luanas.Tensor {n} or {n, columns}, for self {n, n}
---@return luanas.Tensor
function Tensor:solve(right) end

--- Singular values of a matrix {m, n}, by LAPACK in double: left {m, k}, values {k} from the largest on, and right
--- {n, k}, with k the smaller of m and n. (left * values):matmul(right:transpose()) is the matrix.
---@return luanas.Tensor, luanas.Tensor, luanas.Tensor
function Tensor:svd() end

---@return any[] # nested tables
function Tensor:totable() end

---@return string # the bytes of the elements in index order, little-endian
function Tensor:bytes() end

--- Frees the handle; views of the same memory live on.
function Tensor:close() end

-- ---- Mathematics -----------------------------------------------------------------------------------

---@class luanas.core.math Elementary functions with the same bits on every machine.
core.math = {}

---@param x number
---@return number
function core.math.exp(x) end

---@param x number
---@return number # natural logarithm
function core.math.log(x) end

---@param x number
---@return number
function core.math.tanh(x) end

---@param x number
---@return number
function core.math.sigmoid(x) end

---@param x number
---@param y number
---@return number
function core.math.pow(x, y) end

-- ---- The store -------------------------------------------------------------------------------------

--- One SQLite file with evaluations, studies, runs and trials (core/store/nas/store.h tells what they are). Metrics and
--- logged values are texts in JSON. What returns nil, message, code does so when the file can't be read or written
--- ("NAS_IO"), is damaged ("NAS_FORMAT"), or Ctrl-C ended the waiting for another process.
---@class luanas.Store
local Store = {}

---@class luanas.StoreLock What a store holds against other processes and other stores; close() gives it back.

--- Opens a store; makes the file where there is none, unless it must exist or is only read. nil: in memory. Returns
--- nil, message, code also for what is no store, or one of a newer schema.
---@param path? string
---@param options? { must_exist?: boolean, read_only?: boolean }
---@return luanas.Store?, string?, string?
function core.store(path, options) end

---@return string? # nil in memory
function Store:path() end

---@return boolean
function Store:read_only() end

--- What the rows that are written from now on say about who wrote them.
---@param session { program?: string, isa?: string, threads?: integer }
function Store:begin_session(session) end

--- What an evaluation depends on: canonical texts, the identity of the data, a seed from 0.
---@alias luanas.Store.Key { network: string, loss: string, data: string, recipe: string, seed: integer, numeric_version: integer }

--- The evaluation of a key, or false where there is none.
---@param key luanas.Store.Key
---@return { id: integer, epochs: { metrics: string, measured: string }[], diverged: string? }|false?, string?, string?
function Store:find(key) end

--- Adds the epochs from number `from` (default 1) on to the evaluation of a key. It is on the disk when this returns
--- its id. Epochs that are there stay as they are. `predicted`: a byte for each validation image, its class from 0;
--- `state`: Trainer:state after the last epoch; `diverged`: why there is no further one.
---@param key luanas.Store.Key
---@param part { from?: integer, epochs: { metrics: string, measured: string, predicted?: string }[], diverged?: string, state?: string }
---@return integer?, string?, string?
function Store:put(key, part) end

---@param evaluation integer
---@param epoch integer
---@return string|false?, string?, string? # false where predictions were not kept
function Store:predicted(evaluation, epoch) end

--- The training state and the epoch after which it was taken, or false.
---@param evaluation integer
---@return string|false?, integer|string?, string?
function Store:state(evaluation) end

--- Keeps as many states as fit into so many bytes: the one used last, the `best` most accurate of each data set and
--- recipe, then those used last.
---@param bytes integer
---@param best integer
---@return true?, string?, string?
function Store:trim_states(bytes, best) end

--- Keeps the states of the `best` most accurate evaluations of each data set and recipe alone.
---@param best integer
---@return true?, string?, string?
function Store:keep_states(best) end

--- Nobody else trains this as long as the lock is held. Returns nil, who has it and since when, "NAS_BUSY" where
--- another one does.
---@param key luanas.Store.Key
---@param purpose string What for, as the others are told: "trains a network".
---@return luanas.StoreLock?, string?, string?
function Store:lock_evaluation(key, purpose) end

--- The same for the continuation of a run.
---@param run integer
---@param purpose string
---@return luanas.StoreLock?, string?, string?
function Store:lock_run(run, purpose) end

--- Records that a study's test images are opened for a network, before they are. The metrics of an evaluation that was
--- recorded before, or false. Raises where they were opened for another network.
---@param study integer
---@param network string What tells it, with its weights, from others.
---@param intent string
---@return string|false?, string?, string?
function Store:open_final(study, network, intent) end

--- What that evaluation gave.
---@param study integer
---@param metrics string JSON
---@return true?, string?, string?
function Store:end_final(study, metrics) end

--- Asks workers for an evaluation, of which `text` tells what they need. The id of the job, which counts as new where
--- it is there already.
---@param key luanas.Store.Key
---@param text string
---@return integer?, string?, string?
function Store:add_job(key, text) end

--- The next job after the one of that id which has not failed: its id and text, or false.
---@param after integer 0 to begin.
---@return integer|false?, string?, string?
function Store:next_job(after) end

--- Counts an attempt; false where too many workers have died in the job, which has failed then.
---@param id integer
---@return boolean?, string?, string?
function Store:begin_job(id) end

--- The job is done; or, with a failure, none that a worker can do.
---@param id integer
---@param failure? string
---@return true?, string?, string?
function Store:end_job(id, failure) end

--- The id of the study of that text, which is made when it is not there.
---@param name? string
---@param text string
---@param source? string JSON: how its data and recipe are made again.
---@return integer?, string?, string?
function Store:study(name, text, source) end

--- The runs of a study. Trials before `first` are those of `parent` (0: none); without own trials `last` is first - 1.
---@param study integer
---@return { id: integer, parent: integer, first: integer, last: integer, numeric_version: integer }[]?, string?, string?
function Store:runs(study) end

--- Makes a run with its first trials, and takes its lock. Nil, a message and "NAS_BUSY" where the study has a run with
--- an id above `newest`: it may have to be followed.
---@param run { study: integer, parent?: integer, first?: integer, numeric_version?: integer, newest?: integer, script?: string, arguments?: string }
---@param trials luanas.Store.Trial[]
---@param versions? luanas.Store.Version[] Of live rewards. With any the call returns when all is on the disk.
---@return integer? id, luanas.StoreLock|string, string?
function Store:begin_run(run, trials, versions) end

---@class luanas.Store.Version The source of a live reward from a trial on; it takes the place of another one of the same file and trial.
---@field file string As the script names it.
---@field first integer Not before the run's own first trial.
---@field source string

--- Records who writes a run, whose lock the caller holds, from trial `first` on.
---@param run integer
---@param first integer
---@param writer { script?: string, arguments?: string }
---@return true?, string?, string?
function Store:continue_run(run, first, writer) end

--- Puts trials before the first of a run, whose lock the caller holds: it leaves `parent` (0: none) earlier then.
---@param run integer
---@param parent integer
---@param trials luanas.Store.Trial[]
---@param versions? luanas.Store.Version[]
---@return true?, string?, string?
function Store:prepend(run, parent, trials, versions) end

--- The first of `count` evaluation seeds that no evaluation has; or of those that the same script with the same
--- arguments was given before, if it has not come to its end: the second result tells. `turn` tells several studies
--- of a script apart.
---@param wish { script?: string, arguments?: string, turn?: integer, count?: integer }
---@return integer?, boolean|string, string?
function Store:begin_fresh(wish) end

--- That script has come to its end.
---@param seed integer
---@return true?, string?, string?
function Store:end_fresh(seed) end

---@class luanas.Store.Trial
---@field number integer
---@field decisions string
---@field origin string JSON: log_prob, sample
---@field network? string
---@field status string
---@field reason? string
---@field evaluation? integer
---@field epochs integer How many of the evaluation's count.
---@field metrics string JSON
---@field measured string JSON
---@field logged string JSON

--- A run's own trials from number `from` on, `most` at most.
---@param run integer
---@param from integer
---@param most integer
---@return luanas.Store.Trial[]?, string?, string?
function Store:trials(run, from, most) end

--- Appends trials whose numbers follow the run's last; raises where they don't.
---@param run integer
---@param trials luanas.Store.Trial[]
---@param versions? luanas.Store.Version[]
---@return true?, string?, string?
function Store:append(run, trials, versions) end

--- Replaces what one of a run's own trials has logged.
---@param run integer
---@param number integer
---@param logged string
---@return true?, string?, string?
function Store:log(run, number, logged) end

--- Writes a compact copy into a new file.
---@param path string
---@return true?, string?, string?
function Store:backup(path) end

--- Gives unused space back to the file system.
---@return true?, string?, string?
function Store:vacuum() end

--- Looks at every page, row and reference: how many damages there are, and a line for each.
---@return integer?, string?, string?
function Store:check() end

--- For a generic for: the rows of one SELECT, as tables by column name, whose parameters ?1, ?2, ... have the values
--- that follow. The tables are in core/store/schema.h. Raises whatever fails.
---@param sql string
---@param ... number|string|nil
---@return fun(): table<string, number|string>?
---@return nil
---@return nil
---@return userdata # closes the SELECT when the loop ends
function Store:rows(sql, ...) end

--- The first row of Store:rows, or nil.
---@param sql string
---@param ... number|string|nil
---@return table<string, number|string>?
function Store:row(sql, ...) end

function Store:close() end

-- ---- Texts and the machine -------------------------------------------------------------------------

--- XXH3-128 of a text as 32 hexadecimal digits.
---@param text string
---@return string
function core.hash(text) end

--- Shortest decimal form that reads back as the same number, with '.' in every locale.
---@param number number
---@return string
function core.number_text(number) end

--- A number, string, boolean or table as JSON: equal values make equal texts. A table with a first element is a list,
--- whose other keys are left out, another one an object with sorted keys; integers and floats stay what they are. Raises
--- for NaN, infinite numbers, strings that are not UTF-8, other types, and keys of an object that are no strings.
---@param value number|string|boolean|table
---@return string
function core.json_encode(value) end

--- The value of a text in JSON, in which null is nil; or nil and what is wrong.
---@param text string
---@return any, string?
function core.json_decode(text) end

--- Sleeps up to 60 seconds. Ctrl-C ends it as it does Trainer:epoch.
---@param seconds number
function core.sleep(seconds) end

--- Starts another program, which has nothing to read and gets no file that is open here, but for where this process
--- prints; nil and a message where that fails.
---@param program string A path, or a name that is looked for in PATH.
---@param ... string Arguments.
---@return luanas.Process?, string?
function core.spawn(program, ...) end

--- The same in a session of its own, which survives this process and its terminal; closing the object leaves it running.
---@param log string The path of a file to which what it prints is appended.
---@param program string
---@param ... string
---@return luanas.Process?, string?
function core.detach(log, program, ...) end

--- Takes a file, which is made, for this process until its end, and writes a line into it; called again, another line. A
--- process holds one file at most. Where it opens that by other means and closes it, it has lost it until the next line.
---@param path string
---@param line string Less than 65536 bytes, without a newline.
---@return true?, string? # nil and a message where another process holds it, or where it can't be written.
function core.hold(path, line) end

--- Which process holds a file, or false: the system knows, however that process has ended; and the last line that one wrote.
---@param path string
---@return integer|false|nil process # nil and a message where the file can't be read.
---@return string? line # "" without any; nil where there is no file.
function core.holder(path) end

--- Does to the process that holds a file what Ctrl-C does, and to no other that has its number.
---@param path string
---@return boolean?, string? # Whether there is one.
function core.interrupt_holder(path) end

---@class luanas.Process
local Process = {}

--- Its number in the system, also after its end.
---@return integer
function Process:id() end

---@return boolean
function Process:running() end

--- Asks it to end, and waits for that: 3 seconds, or until Ctrl-C, then ends it by force.
function Process:close() end

--- Calls work(i) for i = 1 .. count, each once, in `workers` forked copies of this process, and returns the strings
--- that it returned, in the order of i. A worker takes the next i when it is done with one. For work that depends on
--- i and on what was there before, and on nothing that other calls changed, the result does not depend on `workers`
--- and on timing: draw random numbers from core.stream(seed, purpose, i), not from math.random.
---
--- Workers see copies: of what work does, only its string comes back, and what it prints. An error in work is raised
--- here, as text: that of the smallest i that fails, as if the calls were made one after the other. So is the death
--- of a worker ("worker process 1234 ended by signal 9 while it worked on 17"). However the call ends, and also when
--- this process is killed, no worker is left. What work started by core.spawn and did not close goes on, as workers end
--- without closing anything: let it be a `local process <close>`. Ctrl-C ends the call as it does Trainer:epoch.
---
--- In workers, stores that were open here, trainers of several threads and processes raise errors when they are used;
--- closing them does nothing. What work makes itself can be used: stores in memory, trainers, processes; stores in
--- files only where this process has none open. Files that are open here share their position with the workers.
---
--- With one worker, or a count of 1, and within work, the calls are made in this process: it sees what work changes.
---@param count integer 0 or more.
---@param workers integer 1 to 256.
---@param work fun(i: integer): string Any bytes.
---@param progress? fun(done: integer) Called here when a result comes in, with the number of those that are there.
---@return string[]
function core.parallel(count, workers, work, progress) end

--- The path of the program luanas, where this process is one; else "luanas".
---@return string
function core.program() end

---@return number # seconds of a monotonic clock
function core.clock() end

--- The instruction set in use, all that the processor has and LUANAS_ISA leaves, and how many processors the process
--- may use.
---@return { isa: string, isas: string[], threads: integer }
function core.machine() end

--- Chooses the instruction set, one of core.machine().isas, of what is made afterwards, before LUANAS_ISA and the best
--- one that the processor has; nil takes the choice back. It changes no bit of results: for tests and measurements.
---@param isa? string
function core.use_isa(isa) end

--- Columns of the terminal that standard error, or standard output, is; nil when it is none.
---@param stream? "error"|"output" Default: "error".
---@return integer?
function core.terminal(stream) end

--- Width and height, in pixels, of the terminal that standard output is, if it draws sixel graphics; else nil. The
--- first call asks the terminal, which takes half a second where it does not answer; one that comes while keys wait to
--- be read leaves the question to a later one, and returns nil. Nothing is asked where standard input is no terminal,
--- TERM is dumb or not set, NO_COLOR is set, or LUANAS_SIXEL says 0 or 1.
---@return integer?, integer?
function core.sixel() end

--- Raises the pending interrupt, if Ctrl-C was pressed (see Trainer:epoch).
function core.check_interrupt() end

return core
