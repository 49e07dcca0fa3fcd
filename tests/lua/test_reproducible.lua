-- One seed, one result: a whole search gives the same bits whatever it runs on.
local core = require "luanas.core"
local lu = require "luaunit"

local T = {}

local SOURCE, PROGRAM = os.getenv "LUANAS_SOURCE", os.getenv "LUANAS_PROGRAM"

-- XXH3-128 of what the search of seed 1 prints. Whoever changes bits on purpose raises NAS_NUMERIC_VERSION in
-- core/base/nas/version.h, writes the change into CHANGELOG.md and sets this to what the test reports.
local GOLDEN = "35a5d04af3f731d5bffddc8a3c3dec51"

local function search(seed, threads, micro_batch, isa)
  local command = ("LUANAS_ISA=%s '%s' '%s/tests/lua/reproducible.lua' %d %d %d 2>&1")
    :format(isa or "", PROGRAM, SOURCE, seed, threads, micro_batch)
  local pipe = assert(io.popen(command))
  local output = pipe:read "a"
  lu.assertTrue(pipe:close(), output)
  return output
end

local expected

function T.setUp()
  expected = expected or search(1, 1, 1)
end

function T.test_golden_digest()
  lu.assertEquals(core.hash(expected), GOLDEN, expected)
end

function T.test_again()
  lu.assertEquals(search(1, 1, 1), expected)
end

function T.test_threads()
  for _, threads in ipairs { 2, 3 } do lu.assertEquals(search(1, threads, 1), expected) end
end

function T.test_micro_batch()
  for _, micro_batch in ipairs { 3, 8 } do lu.assertEquals(search(1, 2, micro_batch), expected) end
end

function T.test_instruction_sets()
  for _, isa in ipairs(core.machine().isas) do lu.assertEquals(search(1, 2, 8, isa), expected) end
end

function T.test_another_seed_gives_another_result()
  lu.assertNotEquals(search(2, 2, 8), expected)
  lu.assertEquals(search(2, 1, 3), search(2, 3, 8))
end

return T
