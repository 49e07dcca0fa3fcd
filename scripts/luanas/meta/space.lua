---@meta luanas.space
-- luacheck: ignore

--- A search space: a function that builds a network and asks c:choose for every decision. It must be a pure
--- function of those decisions. It may return a second value, { train = {...} }: fields of the recipe that
--- replace the study's.
---@alias luanas.Space fun(c: luanas.Chooser): luanas.Node, { train?: luanas.Train }?

--- Who answers decides what the function is: a policy samples, nas.random draws uniformly, space.enumerate walks the
--- whole space, study:evaluate replays a record.
---@class luanas.Chooser
local Chooser = {}

--- One decision. Raises an error that names decision and position for an empty list, options that are equal or
--- of another type.
---
--- Example:
---
---   local function space(c)
---     local x = nn.input { 28, 28, 1 }
---     for _ = 1, c:choose("layers", { 2, 3 }) do
---       x = nn.conv2d(x, { kernel = 3, filters = c:choose("filters", { 16, 32 }), activation = "relu" })
---     end
---     return nn.dense(nn.global_avg_pool(x), { units = 10 })
---   end
---@generic T
---@param name string What is decided, such as "kernel"; the same name may come again. 1 to 255 bytes of UTF-8 without control
--- characters.
---@param options T[] Up to 4096 numbers, strings, booleans or { label = "name", value = anything }. The record
--- keeps labels, not values. 1 and 1.0 are the same option; 1 and "1" are two. A single option must not be labelled
--- "anchor".
---@return T # The chosen option, or its value where it is labelled.
function Chooser:choose(name, options) end

--- An anchor point (Zoph & Le 2017, sec. 3.3): which of some earlier ones it is connected to, each independently. A
--- policy chooses candidate j with the probability sigmoid(v . tanh(W_prev h_j + W_curr h_i)), h being its state at the
--- two anchors; what its next step gets is the mean of the chosen h_j, or zeros. Others decide between false and true for
--- each candidate: in the record these are decisions named NAME.NUMBER after the anchor's own.
---
--- Example:
---
---   local function space(c)
---     local layers, points = { nn.input { 28, 28, 1 } }, {}
---     for layer = 1, 3 do
---       local inputs = {}
---       local point, is_taken = c:anchor("skip", points)
---       for k, taken in ipairs(is_taken) do
---         if taken then inputs[#inputs + 1] = layers[k + 1] end
---       end
---       points[layer] = point
---       local x = #inputs > 0 and nn.concat(inputs) or layers[1]
---       layers[layer + 1] = nn.conv2d(x, { kernel = 3, filters = 8, activation = "relu" })
---     end
---     return nn.dense(nn.global_avg_pool(layers[4]), { units = 10 })
---   end
---@param name string As of choose. Anchors of one name share their weights.
---@param candidates? luanas.Anchor[] Earlier anchors of this architecture, in their order; none is legal.
---@return luanas.Anchor # To be a candidate of later anchors.
---@return boolean[] # For each candidate whether it was chosen.
function Chooser:anchor(name, candidates) end

--- A number (or string, or boolean) that depends on how many architectures were sampled so far, such as a depth that grows
--- during a search. It is recorded as a decision with one option, and a record that is built again keeps it.
---@generic T
---@param name string
---@param schedule fun(sample: integer): T Of the number of the sample, from 1; 1 where nobody counts, as in enumerations.
---@return T
function Chooser:scheduled(name, schedule) end

---@class luanas.Anchor
---@field name string
---@field number integer Among the anchors of its architecture, from 1.

--- Search spaces: functions that build a network and ask for every decision; what can be done with them, and the usual ones.
---@class luanas.space
local space = {}

---@class luanas.space.Chain
---@field input integer[] {height, width, channels}. Required.
---@field layers integer|integer[] How many convolutions. Required.
---@field filters integer|integer[] Required.
---@field kernel? integer|integer[] Default: 3.
---@field padding? string|string[] Default: "same".
---@field activation? string|string[] Default: "relu".
---@field bias? boolean|boolean[] Default: true.
---@field stride? integer|integer[] No decision: one for all layers, or a list with one for each; default 1.
---@field classes integer Units of the dense layer at the end. Required.

--- The plain case: so many convolutions, these choices each, then global average pooling and a dense layer.
--- A list means that the policy chooses (decision of that name, in each layer, in the order kernel, filters,
--- padding, activation, bias; layers once, first); a single value is fixed.
---
--- Example:
---
---   local space = nas.space.chain {
---     input = { 28, 28, 1 }, classes = 10, layers = 2, kernel = { 1, 3 }, filters = { 16, 32 },
---   }
---   print(nas.space.size(space)) -- 16, and true: these are all
---@param options luanas.space.Chain
---@return luanas.Space
function space.chain(options) end

---@class luanas.space.PaperCnn
---@field input integer[] {height, width, channels}. Required.
---@field classes integer Units of the dense layer at the end. Required.
---@field depth? integer|fun(sample: integer): integer Layers, at most 64; or by a schedule, which must not fall, as the paper's: function(sample) return 6 + 2 * ((sample - 1) // 1600) end. Default: 6.
---@field heights? integer[] Of filters, as are widths and strides at most 255. Default: { 1, 3, 5, 7 }.
---@field widths? integer[] Default: { 1, 3, 5, 7 }.
---@field strides? integer[] Of each direction. Default: { 1 }, no decision; the paper's second experiment has { 1, 2, 3 }.
---@field filters? integer[] Default: { 24, 36, 48, 64 }.
---@field pool_after? integer[] Numbers of layers that end in a max pooling of 2. Default: none.
---@field batch_norm? boolean Between convolution and ReLU. Default: true.
---@field align? "center"|"top_left" Where smaller images are when zeros are put around them. Default: "center"; the paper does not say.
---@field stem? { filters: integer, kernel?: integer, stride?: integer, pool?: integer } A fixed convolution (kernel 3, stride 1) with ReLU and without batch normalisation, and max pooling (1: none), whose output plays the image's part: on large images it makes children cheap.

--- The space of Zoph & Le 2017: convolutions with rectangular filters, whose inputs an anchor chooses among all earlier
--- layers. In each layer the decisions height, width, stride_height, stride_width, filters (those with several options)
--- and the anchor skip. Its repairs are the paper's: a layer without inputs takes the image, inputs of different sizes are
--- padded with zeros to the largest and joined along the channels, and so are all outputs that nobody takes, before
--- global average pooling and the dense layer.
---@param options luanas.space.PaperCnn
---@return luanas.Space
function space.paper_cnn(options) end

---@class luanas.space.PaperCnnSmall: luanas.space.PaperCnn
---@field heights? integer[] Of filters. Default: { 1, 3, 5 }.
---@field widths? integer[] Default: { 1, 3, 5 }.
---@field filters? integer[] Default: { 12, 18, 24, 36 }.
---@field stem? { filters: integer, kernel?: integer, stride?: integer, pool?: integer } What plays the image's part. Default: { filters = 12, stride = 2, pool = 2 }, which leaves 7x7 of 28x28.

--- The same for a laptop and images of 28x28: smaller filters, fewer of them, and a stem that leaves images of 7x7. The
--- largest child stays below 30 million multiply-accumulates.
---@param options luanas.space.PaperCnnSmall
---@return luanas.Space
function space.paper_cnn_small(options) end

--- All architectures, one by one: `for arch in nas.space.enumerate(space) do`. In the order of an odometer: the
--- last decision turns fastest, options come in the order of their list, and a branch is walked where the
--- decision that opens it stands. Architectures that can't be built are included.
---@param space_function luanas.Space
---@param limit? integer Ends after so many.
---@return fun(): luanas.Arch?
function space.enumerate(space_function, limit) end

--- How many architectures the space has, by building all of them, which takes a second or two for 10,000. Of a larger
--- space nas.space.estimate tells about how many.
---@param space_function luanas.Space
---@param limit? integer Where counting ends. Default: 10000.
---@return integer # At most limit.
---@return boolean # false when there are more.
function space.size(space_function, limit) end

--- The architecture that answers make: for agents that choose by rules of their own. What an answer draws should come
--- from nas.stream. Raises an error that names decision and position where the answer is no index of an option.
---@param space_function luanas.Space
---@param answer fun(decision: luanas.Decision, position: integer): integer, number? The index of an option, from 1 to
--- decision.options.count, and its log-probability in nats, if there is one. `chosen` is not there yet.
---@param sample? integer The number of the sample, for schedules; default 1.
---@return luanas.Arch # log_prob: the sum; nil unless all answers had one.
function space.choose(space_function, answer, sample) end

--- The architecture that values make which are written down: a network of one's own, to compare with what is found. A list
--- has a value for each time that the decision of its name is asked for, in that order; anything else answers it each
--- time. Of an option with a label it is the label. An anchor takes a list of the numbers of the anchors that it is
--- connected to; anchors are counted from 1 over the whole architecture.
---
--- Raises an error for a value that is no option, a decision of several options without a value, and a value that the
--- space does not ask for.
---
--- Example:
---
---   local paper = nas.space.paper_cnn_small { input = { 28, 28, 1 }, classes = 10, depth = 3 }
---   local by_hand = { height = 3, width = 3, filters = { 12, 24, 36 }, skip = { {}, { 1 }, { 1, 2 } } }
---   print(nas.space.by_hand(paper, by_hand))
---@param space_function luanas.Space
---@param values table<string, any>
---@param sample? integer The number of the sample, for schedules; default 1.
---@return luanas.Arch
function space.by_hand(space_function, values, sample) end

--- About how many architectures the space has, however large it is: the mean over random ones of the product of their
--- numbers of options (Knuth 1975, "Estimating the Efficiency of Backtrack Programs"). It has no bias, and is exact where
--- all architectures are asked the same; where branches differ in size it needs more samples. Always the same number.
---@param space_function luanas.Space
---@param samples? integer At least 1, default 1000.
---@return number
function space.estimate(space_function, samples) end

--- Raises an error that says how large a space is, unless it has at most so many architectures.
---@param owner string What the message begins with.
---@param space_function luanas.Space
---@param limit integer At least 1.
function space.check_size(owner, space_function, limit) end

--- The network of an architecture: its output and its canonical form (text, params, macs, ...), and the recipe's
--- fields that the space sets.
---@param space_function luanas.Space
---@param record luanas.Arch Raises an error when the space asks for other decisions.
---@return luanas.Node? # nil when it can't be built,
---@return luanas.Network|string # and then the reason.
---@return luanas.Train?
function space.build(space_function, record) end

return space
