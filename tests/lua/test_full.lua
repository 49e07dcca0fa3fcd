-- A search on a file system without room stops with a message, leaves a whole file, and goes on when there is room. It
-- runs on a tmpfs in a user namespace; where the system allows none, this is skipped.
local lu = require "luaunit"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"
local FREE = { 4, 60, 100, 140, 200, 260, 320, 400, 600, 900 } -- KiB: the search needs more

-- $1: KiB that are free. Each step prints what it does and how it ended.
local SCRIPT = [[
folder=$(mktemp -d)
mount -t tmpfs -o size=2m tmpfs "$folder" 2>/dev/null || { echo "no tmpfs"; exit; }
search() { "$program" "$source/tests/lua/reproducible.lua" 1 2 3 "$folder/search.db"; echo "status $?"; }
head -c $((2048 - $1))k /dev/zero >"$folder/ballast"
search >/dev/null 2>"$folder.log"
echo "== full"
cat "$folder.log"
rm "$folder/ballast" "$folder.log"
if [ -s "$folder/search.db" ]; then
  echo "== check"
  "$program" check "$folder/search.db"
fi
echo "== again"
search 2>&1
umount "$folder"
rmdir "$folder"
]]

local function run(free)
  local script = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function() os.remove(script) end })
  local file = assert(io.open(script, "w"))
  file:write(SCRIPT)
  file:close()
  local pipe = assert(io.popen(("program='%s' source='%s' unshare -Urm sh '%s' %d 2>&1")
    :format(PROGRAM, SOURCE, script, free)))
  local output = pipe:read "a"
  pipe:close()
  return output
end

function T.test_a_full_disk()
  local expected = run(2048)
  lu.skipIf(not expected:find "== again", "no tmpfs can be mounted")
  local full = expected:match "== full\n(.-)== "
  lu.assertEquals(full, "")
  expected = expected:match "== again\n(.*)"
  lu.assertStrContains(expected, "run\t")
  local stopped = 0
  for _, free in ipairs(FREE) do
    local output = run(free)
    local message = output:match "== full\n(.-)\n== "
    if message then
      stopped = stopped + 1
      lu.assertStrContains(message, "the disk is full, or a quota; what was finished before is kept: make room")
    end
    local check = output:match "== check\n(.-)\n== "
    if check and not check:find "nothing is stored in it" then lu.assertEquals(check, "no damage") end
    lu.assertEquals(output:match "== again\n(.*)", expected, ("%d KiB"):format(free))
  end
  print(("# %d of %d searches were stopped by a full disk"):format(stopped, #FREE))
  lu.assertTrue(stopped > #FREE // 2)
end

return T
