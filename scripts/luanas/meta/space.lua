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
---@generic T
---@param name string What is decided, such as "kernel"; the same name may come again. 1 to 255 bytes.
---@param options T[] Up to 4096 numbers, strings, booleans or { label = "name", value = anything }. The record
--- keeps labels, not values. 1 and 1.0 are the same option; 1 and "1" are two.
---@return T # The chosen option, or its value where it is labelled.
function Chooser:choose(name, options) end

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
---@param options luanas.space.Chain
---@return luanas.Space
function space.chain(options) end

--- All architectures, one by one: `for arch in nas.space.enumerate(space) do`. In the order of an odometer: the
--- last decision turns fastest, options come in the order of their list, and a branch is walked where the
--- decision that opens it stands. Architectures that can't be built are included.
---@param space_function luanas.Space
---@param limit? integer Ends after so many.
---@return fun(): luanas.Arch?
function space.enumerate(space_function, limit) end

--- How many architectures the space has, by enumeration.
---@param space_function luanas.Space
---@param limit? integer Default: 1000000.
---@return integer # At most limit.
---@return boolean # false when there are more.
function space.size(space_function, limit) end

--- The architecture that answers make: for agents that choose by rules of their own. What an answer draws should come
--- from nas.stream. Raises an error that names decision and position where the answer is no index of an option.
---@param space_function luanas.Space
---@param answer fun(decision: luanas.Decision, position: integer): integer, number? The index of an option, from 1 to
--- decision.options.count, and its log-probability in nats, if there is one. `chosen` is not there yet.
---@return luanas.Arch # log_prob: the sum; nil unless all answers had one.
function space.choose(space_function, answer) end

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
