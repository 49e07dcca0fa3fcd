---@meta luanas.show
-- luacheck: ignore

--- Any value as text for people: `nas.show(value)` prints what the prompt of the program prints. Tables are cut in depth and
--- length, and cycles told; a list of tables with the same fields, and a list of trials, is a table. Tensors are shown by
--- shape, type, range, first and last rows (of 12 rows at most all), networks and models layer by layer, architectures by
--- their decisions, studies and files by their best trials and their runs, data sets by size, classes and split, policies
--- by their settings; all else says what its tostring has. A text of several lines is shown as it is, other strings in
--- quotes.
---@class luanas.show
---@overload fun(value: any, options?: luanas.show.Options)
local show = {}

---@class luanas.show.Options
---@field width? integer Columns, at least 20. Default: 80; of nas.show(value) those of the terminal.
---@field depth? integer How deep tables in tables are shown; at least 1, default 4.
---@field items? integer How many elements of a list or table are shown; at least 1, default 30.
---@field colour? boolean Numbers, strings and keys in colours, by ANSI codes. Default: false.

--- The same as a string, without a line end behind it.
---@param value any
---@param options? luanas.show.Options
---@return string
function show.text(value, options) end

---@class luanas.show.PolicyOptions
---@field samples? integer Architectures that are sampled; at least 1, default 100.
---@field width? integer Columns, at least 20. Default: 80; of policy:show those of the terminal.

--- What a policy thinks of a space: the probability of each option of each decision, with a bar. What was chosen before
--- changes what a policy makes of the rest, so these are means over the samples that it would draw next; "in 40%" tells how
--- many of these made the decision at all. Decisions that come again are counted; "skip 3 <- 1" is whether anchor 3, a skip,
--- takes anchor 1. The policy stays as it is.
---@param policy luanas.Policy Or an object with its methods sample and score.
---@param space luanas.Space
---@param options? luanas.show.PolicyOptions
---@return string
function show.policy(policy, space, options) end

return show
