---@meta luanas.plot
-- luacheck: ignore

--- Pictures, drawn by gnuplot (Debian: gnuplot-nox). Raises an error that says so where there is none.
---@class luanas.plot
local plot = {}

---@class luanas.plot.Line
---@field title? string For the key.
---@field points number[][] { { x, y }, ... }; a y that is not finite leaves a gap.

---@class luanas.plot.Options
---@field title? string Above the picture.
---@field x? string What the x axis is.
---@field y? string What the y axis is.
---@field lines luanas.plot.Line[]

--- Draws lines into a file.
---@param path string Ends in .svg or .png.
---@param options luanas.plot.Options
function plot.lines(path, options) end

return plot
