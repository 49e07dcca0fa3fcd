---@meta luanas.show
-- luacheck: ignore
local show = {}
return show
