-- Writes a mutated copy of a source of core/policy. usage: mutate.lua MUTANT INPUT OUTPUT
local folder = arg[0]:match "^.*/" or ""
local mutants = dofile(folder .. "core_mutants.lua")
local replacement = dofile(folder .. "replacement.lua")

local name, input, output = table.unpack(arg)
local source <close> = assert(io.open(input, "rb"))
local mutant = mutants[name]
local text = replacement(source:read "a", mutant.from, mutant.to, "mutant " .. name .. " of " .. input)
local copy <close> = assert(io.open(output, "wb"))
assert(copy:write(text))
