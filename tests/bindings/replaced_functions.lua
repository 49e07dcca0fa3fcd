-- The functions that the program replaces behave as Lua's own. Runs in the program and in stock Lua.

local function check(ok, ...)
  if not ok then error(table.concat({ "failed:", ... }, " "), 2) end
end

local function same(list, ...)
  local given = table.pack(...)
  check(given.n == #list, given.n, "results")
  for i, value in ipairs(list) do check(given[i] == value, "result", i, tostring(given[i]), "not", tostring(value)) end
end

-- ---- pcall and xpcall ------------------------------------------------------------------------------

same({ true, 1, 2 }, pcall(function(...) return ... end, 1, 2))
same({ true }, pcall(function() end))
same({ false, "x" }, pcall(error, "x", 0))
local object = {}
same({ false, object }, pcall(error, object))
same({ false, "bad argument #1 to 'pcall' (value expected)" }, pcall(pcall))
same({ false, "attempt to call a number value" }, pcall(3))
same({ true, 1, 2 }, xpcall(function(...) return ... end, print, 1, 2))
same({ false, "handled x" }, xpcall(error, function(message) return "handled " .. message end, "x", 0))
check(select(2, pcall(xpcall, print)):find("bad argument #2 to 'xpcall'", 1, true))
check(select(2, xpcall(error, debug.traceback, "x")):find("stack traceback", 1, true))

-- Yields pass through both.
local through = coroutine.wrap(function()
  local a, b = pcall(function(x) return coroutine.yield(x + 1) end, 1)
  local c, d = xpcall(function() error(coroutine.yield(b), 0) end, function(message) return message .. "!" end)
  return a, c, d
end)
same({ 2 }, through())
same({ "back" }, through("back"))
same({ true, false, "again!" }, through("again"))

-- ---- coroutines ------------------------------------------------------------------------------------

local co = coroutine.create(function(a, b)
  check(coroutine.isyieldable())
  local c = coroutine.yield(a + b)
  check(coroutine.running() ~= nil)
  return c, nil, "end"
end)
same({ "suspended" }, coroutine.status(co))
same({ true, 3 }, coroutine.resume(co, 1, 2))
local results = table.pack(coroutine.resume(co, "c"))
check(results.n == 4 and results[2] == "c" and results[3] == nil and results[4] == "end")
same({ "dead" }, coroutine.status(co))
same({ false, "cannot resume dead coroutine" }, coroutine.resume(co))
same({ false, "cannot resume non-suspended coroutine" }, coroutine.resume(coroutine.running()))
check(select(2, pcall(coroutine.resume, 3)):find("bad argument #1 to 'coroutine.resume'", 1, true))
check(select(2, pcall(coroutine.wrap, 3)):find("function expected", 1, true))

same({ false, object }, coroutine.resume(coroutine.create(error), object))
local wrapped = coroutine.wrap(function() error("inside", 0) end)
check(select(2, pcall(function() wrapped() end)):find("replaced_functions.lua:%d+: inside$"))
check(select(2, pcall(wrapped)):find("cannot resume dead coroutine", 1, true))
same({ false, object }, pcall(coroutine.wrap(function() error(object) end)))

local sum = 0
for i in coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i) end end) do sum = sum + i end
check(sum == 15)

-- A wrapped coroutine that fails closes its variables.
local closed = 0
local function closing()
  return setmetatable({}, { __close = function() closed = closed + 1 end })
end
pcall(coroutine.wrap(function()
  local _ <close> = closing()
  error "x"
end))
check(closed == 1)

local function suspended()
  local c = coroutine.create(function()
    local _ <close> = closing()
    coroutine.yield()
  end)
  coroutine.resume(c)
  return c
end
same({ true }, coroutine.close(suspended()))
check(closed == 2)
same({ true }, coroutine.close(coroutine.create(print)))
local failing = coroutine.create(function()
  local _ <close> = setmetatable({}, { __close = function() error("closing", 0) end })
  coroutine.yield()
end)
coroutine.resume(failing)
same({ false, "closing" }, coroutine.close(failing))
local ended = coroutine.create(error)
coroutine.resume(ended, "x")
check(coroutine.status(ended) == "dead")
coroutine.close(ended)
check(select(2, pcall(coroutine.close, coroutine.running())):find("cannot close a running coroutine", 1, true))
local outer = coroutine.running()
coroutine.wrap(function()
  check(select(2, pcall(coroutine.close, outer)):find("cannot close a normal coroutine", 1, true))
end)()

-- Deep recursion through C ends with an error, not a crash.
local function deep() return coroutine.wrap(deep)() end
check(not pcall(deep))

-- ---- the environment of the program ----------------------------------------------------------------

check(select(2, pcall(require, "no.such.module")):find("module 'no.such.module' not found", 1, true))
