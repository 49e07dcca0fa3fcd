---@meta luanas.help
-- luacheck: ignore

--- Help at the prompt, from the descriptions that editors show, too: `nas.help()` says what there is,
--- `nas.help(nas.nn.conv2d)` what a function does, `nas.help "study"` and `nas.help "study:run"` what objects can do,
--- `nas.help(x)` what the object x is. At the prompt of the program it is the global function help.
---@class luanas.help
---@overload fun(subject?: any)
local help = {}

--- The same as text. A name that is nowhere described lists the nearest ones.
---@param ... any Nothing, for all that there is; or a name or a value, and options { width = 80 }.
---@return string
function help.text(...) end

return help
