--- Has gnuplot draw pictures, which gnuplot_script.lua describes.
local core = require "luanas.core"
local check = require "luanas.check"
local gnuplot_script = require "luanas.plots.gnuplot_script"
local plot_table = require "luanas.plots.table"

local gnuplot = {}

local PACKAGE = "on Debian: apt-get install gnuplot-nox"

--- Raises an error unless `path` is nil or the name of a picture that can be drawn.
function gnuplot.check_path(owner, path)
  if path == nil then return end
  check.string(owner, "path", path)
  if not gnuplot_script.is_picture(path) then
    check.fail("%s: path is %s; expected the name of a .svg or .png file, or nil for the terminal", owner,
      check.show(path))
  end
  if path:find "%c" then check.fail("%s: path has control characters", owner) end
end

-- Whether gnuplot was content, and what it printed.
local function run(text)
  local name = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function() os.remove(name) end })
  local file <close> = assert(io.open(name, "w"))
  assert(file:write(text))
  file:close()
  local pipe = assert(io.popen(("gnuplot -d '%s' 2>&1"):format(name))) -- -d: nothing from the user's ~/.gnuplot
  local printed = pipe:read "a"
  return pipe:close(), printed
end

-- What ended it, among warnings.
local function problem_of(printed)
  local problem
  for message in printed:gmatch "line %d+: ([^\n]*)" do
    if not message:find "^warning:" then problem = message end
  end
  return problem or printed
end

-- Whether the terminal draws sixels, and this gnuplot, too; then it has drawn them.
local function draw_sixels(picture)
  local width, height = core.sixel()
  if not width then return false end
  local ok, printed = run(gnuplot_script.text(picture, nil, { width = width, height = height }))
  local drawn = ok and printed:match "\27P.*\27\\" -- and no warning of a font
  if drawn then io.stdout:write(drawn, "\n") end
  return drawn ~= nil
end

--- Draws a picture into a file, or for nil into the terminal; without gnuplot the terminal gets its numbers.
function gnuplot.draw(owner, path, picture)
  if not os.execute "command -v gnuplot >/dev/null 2>&1" then
    if path then check.fail("%s: gnuplot, which draws, is not there; %s", owner, PACKAGE) end
    io.stdout:write(plot_table.text(picture), ("gnuplot draws this; %s\n"):format(PACKAGE))
    return
  end
  if not path and draw_sixels(picture) then return end
  local ok, printed = run(gnuplot_script.text(picture, path))
  if not ok then
    check.fail("%s: gnuplot could not write %s: %s", owner, path or "to the terminal", problem_of(printed))
  end
  if not path then io.stdout:write((printed:gsub(" +\n", "\n"):gsub("^\n+", ""))) end
end

return gnuplot
