--- The agents by their names: nas.agents.reinforce { seed = 2 }. Each is one file in agents/, to be read from top to
--- bottom beside its paper, copied and changed.
---
--- An agent is a table with the methods propose(space) and learn(trials) (search.lua says what they take and return),
--- and fields that tell others of it: name; learns, whether it should do better than random sampling; ends, whether
--- it has nothing more to propose at some point; seedless, whether nothing in it is left to chance; policy, where it
--- has one (nas.audit looks into it); and what nas.testing.agent does not check then: explores, whether it proposes
--- what its policy has not sampled; own_advantage, whether the reward has another weight than 1 in what the policy
--- follows.
local core = require "luanas.core"
local check = require "luanas.check"
local nas = require "luanas"

local agents = {}

local NAMES = {
  "actor_critic", "asha", "enumerate", "evolution", "hyperband", "independent", "lookahead", "ppo", "random_sample",
  "random_search", "reinforce", "successive_halving",
}

local known = {}
for _, name in ipairs(NAMES) do known[name] = true end

--- The names, sorted.
function agents.names()
  return table.move(NAMES, 1, #NAMES, 1, {})
end

-- Whether a value can stand for a default. A default of false is for options that are off, or something else.
local function is_like(value, default, other)
  return type(value) == type(default) or default == false or type(value) == other
end

-- What is allowed for options that several agents have, and how messages say it.
local function is_integer(low)
  return function(value) return type(value) == "number" and math.tointeger(value) ~= nil and value >= low end
end

local SHARED = {
  seed = { is_integer(0), "an integer of at least 0" },
  batch = { is_integer(1), "an integer of at least 1" },
  decay = {
    function(value) return type(value) == "number" and value >= 0 and value < 1 end,
    "a number from 0 to below 1",
  },
  clip = {
    function(value) return value == false or type(value) == "number" and value > 0 end,
    "a number above 0, or false for no clipping",
  },
}

-- Whether a value is a table of options, and no policy.
local function is_plain(value) return type(value) == "table" and getmetatable(value) == nil and value.sample == nil end

local function merged(under, over)
  local own = {}
  for name, value in pairs(under) do own[name] = value end
  for name, value in pairs(over) do own[name] = value end
  return own
end

-- A default as messages show it.
local function example(name, default)
  if name == "policy" then return '{ preset = "small" }' end
  return type(default) == "table" and "{}" or tostring(default)
end

local function refuse_preset(owner, name, presets, defaults)
  local hint = ""
  if defaults.policy and core.options().policy_presets[name] then
    hint = ("; the policy has it: policy = { preset = %s }"):format(check.show(name))
  end
  check.fail("%s: preset is %s; expected one of %s%s", owner, check.show(name),
    table.concat(check.sorted_keys(presets), ", "), hint)
end

--- The options of an agent: its defaults, then those of a preset (given.preset, of `presets`), then what is given.
--- All have a default; of a table, what is given goes before single fields of the preset's. `others` has the types
--- that options may have besides those of their defaults. Those that several agents have, such as `batch`, are in
--- their ranges.
function agents.options(owner, given, defaults, presets, others)
  local names = check.sorted_keys(defaults)
  if presets then names[#names + 1] = "preset" end
  given = check.options(owner, given, names)
  local preset = {}
  if given.preset ~= nil and presets then
    preset = presets[given.preset] or refuse_preset(owner, given.preset, presets, defaults)
  end
  local own = {}
  for _, name in ipairs(check.sorted_keys(defaults)) do
    local default, value = defaults[name], given[name]
    if value == nil then value = preset[name] end
    if value == nil then value = default end
    if is_plain(given[name]) and is_plain(preset[name]) then value = merged(preset[name], given[name]) end
    local other = others and others[name]
    if SHARED[name] and not SHARED[name][1](value) then
      check.fail("%s: %s is %s; expected %s", owner, name, check.show(value), SHARED[name][2])
    end
    if not is_like(value, default, other) then
      check.fail("%s: %s is %s; expected a %s such as %s%s", owner, name, check.show(value), type(default),
        example(name, default), other and ", or a " .. other or "")
    end
    own[name] = value
  end
  return own
end

--- The trials that have a reward, and their rewards: those that have failed, and are not counted as something, teach
--- nothing.
function agents.rewarded(trials)
  local list, rewards = {}, {}
  for _, trial in ipairs(trials) do
    if trial.reward then list[#list + 1], rewards[#rewards + 1] = trial, trial.reward end
  end
  return list, rewards
end

--- The policy of an agent, by its options `policy` and `seed`. A policy in their place, or anything with its methods,
--- is taken as it is.
function agents.policy(owner, options)
  if type(options.policy.sample) == "function" then return options.policy end
  local own = { seed = check.seed(owner, "seed", options.seed) }
  for name, value in pairs(options.policy) do own[name] = value end
  if options.policy.seed ~= nil then
    check.fail("%s: policy has a seed; it takes that of the agent", owner)
  end
  return nas.policy(own)
end

--- One step of a policy along episodes, if there are any. Returns what there is to log of each of the trials: the
--- table that `logged` has under the trial, with loss, entropy and kl of the step.
function agents.learned(policy, episodes, trials, logged)
  local learned = #episodes > 0 and policy:learn(episodes) or {}
  local list = {}
  for i, trial in ipairs(trials) do
    list[i] = logged[trial] or {}
    for _, name in ipairs { "loss", "entropy", "kl" } do list[i][name] = learned[name] end
  end
  return list
end

return setmetatable(agents, {
  __index = function(_, name)
    if not known[name] then
      check.fail("agents: there is no agent %s; there are %s", check.show(name), table.concat(NAMES, ", "))
    end
    agents[name] = require("luanas.agents." .. name)
    return agents[name]
  end,
})
