--- The controller: samples architectures from spaces and learns from coefficients on the gradient of
--- their log-probability. It knows nothing of rewards.
local core = require "luanas.core"
local anchors = require "luanas.anchors"
local arch = require "luanas.arch"
local check = require "luanas.check"
local policy_answer = require "luanas.choosers.policy"
local sampler = require "luanas.sampler"
local text_table = require "luanas.text_table"

local policy = {}

local Policy = { __name = "luanas.Policy" }
Policy.__index = Policy

local DEFAULT_PRESET = "small"
local DEFAULT_SEED = 1

local function wrap(own, samples)
  local info = own:info()
  return setmetatable({ core = own, seed = info.seed, options = info.options, samples = samples }, Policy)
end

-- nas.policy { ... }
local function new(options)
  local known = { "preset", "seed" }
  for _, option in ipairs(core.options().policy) do known[#known + 1] = option.name end
  local own = {}
  for name, value in pairs(check.options("policy", options, known)) do own[name] = value end
  local seed = check.seed("policy", "seed", own.seed or DEFAULT_SEED)
  own.seed = nil
  own.preset = own.preset or DEFAULT_PRESET
  return wrap(check.core(core.policy, own, seed), 0)
end

function policy.load(path, options)
  check.string("policy.load", "path", path)
  check.options("policy.load", options, { "samples" })
  local samples = check.integer("policy.load", "samples", options and options.samples or 0, 0)
  local own, message = core.policy_load(path)
  if not own then check.fail("%s", message) end
  return wrap(own, samples)
end

function Policy:save(path)
  check.string("policy:save", "path", path)
  local ok, message = self.core:save(path)
  if not ok then check.fail("%s", message) end
end

function Policy:bytes()
  return self.core:bytes()
end

-- ---- Sampling ------------------------------------------------------------------------------------

function Policy:sample(space, count)
  return sampler.sample("policy:sample", self, space, count, function(number)
    return policy_answer(self.core, core.stream(self.seed, "sample", number))
  end)
end

-- ---- Anchors: one step of the core for several decisions of the record ------------------------------
--
-- `positions` are those of arch.core_decisions: nil where each decision is a step.

-- The score of each decision of a record from those of the core's steps. The whole log-probability and entropy of an
-- anchor, and its value, are at its first decision; each connection has its probabilities.
local function of_decisions(steps, record, positions)
  if not positions then return steps end
  local decisions = {}
  for place, step in ipairs(steps) do
    local first, behind = positions[place], positions[place + 1] or #record.decisions + 1
    decisions[first] = step
    for i = first + 1, behind - 1 do
      local p = step.probabilities[i - first]
      decisions[i] = { log_prob = 0.0, entropy = 0.0, probabilities = { 1 - p, p } }
    end
    if anchors.is(record.decisions[first]) then step.probabilities = { 1.0 } end
  end
  return decisions
end

-- What is given for each decision, for the core's steps: an anchor's is that of its first decision.
local function of_steps(list, positions)
  if not list or not positions then return list end
  local own = {}
  for place, position in ipairs(positions) do own[place] = list[position] end
  return own
end

-- The same for options: an anchor has those of its connections, one after the other.
local function options_of_steps(options, record, positions)
  if not options or not positions then return options end
  local own = {}
  for place, position in ipairs(positions) do
    own[place] = options[position]
    if anchors.is(record.decisions[position]) then
      own[place] = {}
      for i = position + 1, (positions[place + 1] or #record.decisions + 1) - 1 do
        table.move(options[i], 1, 2, #own[place] + 1, own[place])
      end
    end
  end
  return own
end

-- ---- Scoring -------------------------------------------------------------------------------------

function Policy:score(archs, options)
  check.options("policy:score", options, { "kl", "values" })
  local with_kl, with_values = options and options.kl or false, options and options.values or false
  check.boolean("policy:score", "kl", with_kl)
  check.boolean("policy:score", "values", with_values)
  local function score(record)
    local decisions, positions = arch.core_decisions(record)
    local own = check.core(self.core.score, self.core, decisions, with_kl, with_values)
    own.decisions = of_decisions(own.decisions, record, positions)
    return own
  end
  if arch.is(archs) then return score(archs) end
  if type(archs) ~= "table" then arch.check("policy:score", "archs", archs) end
  local scores = {}
  for i = 1, #archs do scores[i] = score(arch.check("policy:score", ("archs[%d]"):format(i), archs[i])) end
  return scores
end

-- ---- Learning ------------------------------------------------------------------------------------

local COEFFICIENTS = { "advantage", "advantages", "entropies", "entropy", "options", "skip_weight", "values" }
local FIELDS = { 1, "skip_prior", table.unpack(COEFFICIENTS) }

-- Else a misspelled field of a trial, which is nil, would be learned from as 0.
local function check_coefficients(owner, given)
  for _, name in ipairs(COEFFICIENTS) do
    if given[name] ~= nil then return end
  end
  check.fail("%s: there is no coefficient (nil is none); expected at least one of %s", owner,
    table.concat(COEFFICIENTS, ", "))
end

-- A list of one finite number for each decision (or option of one).
local function check_list(owner, name, list, count)
  if type(list) ~= "table" or #list ~= count then
    check.fail("%s: %s is %s; expected a list of %d numbers", owner, name,
      type(list) == "table" and ("a list of %d"):format(#list) or check.show(list), count)
  end
  for i = 1, count do check.number(owner, ("%s[%d]"):format(name, i), list[i]) end
end

-- { arch, advantage = ..., ... } as the core takes it.
local function core_episode(owner, given)
  if type(given) ~= "table" then
    check.fail("%s: it is %s; expected a table such as { arch, advantage = 0.1 }", owner, check.show(given))
  end
  check.options(owner, given, FIELDS)
  local record = arch.check(owner, "the first element", given[1])
  check_coefficients(owner, given)
  local length = #record.decisions
  for _, name in ipairs { "advantage", "entropy", "skip_prior" } do
    check.optional(check.number, owner, name, given[name])
  end
  check.optional(check.number, owner, "skip_weight", given.skip_weight, 0)
  for _, name in ipairs { "advantages", "entropies", "values" } do
    if given[name] ~= nil then check_list(owner, name, given[name], length) end
  end
  if given.options ~= nil then
    if type(given.options) ~= "table" or #given.options ~= length then
      check.fail("%s: options is %s; expected a list of %d lists, one for each decision", owner,
        type(given.options) == "table" and ("a list of %d"):format(#given.options) or check.show(given.options), length)
    end
    for i, decision in ipairs(record.decisions) do
      check_list(owner, ("options[%d]"):format(i), given.options[i], decision.options.count)
    end
  end
  local decisions, positions = arch.core_decisions(record)
  return {
    decisions = decisions,
    advantage = given.advantage, advantages = of_steps(given.advantages, positions),
    entropy = given.entropy, entropies = of_steps(given.entropies, positions),
    options = options_of_steps(given.options, record, positions), values = of_steps(given.values, positions),
    skip_weight = given.skip_weight, skip_prior = given.skip_prior,
  }
end

local function core_episodes(owner, episodes)
  if type(episodes) ~= "table" or arch.is(episodes) or arch.is(episodes[1]) or #episodes == 0 then
    check.fail("%s: episodes is %s; expected a list of episodes, as in %s { { arch, advantage = 0.1 } }", owner,
      type(episodes) == "table" and (arch.is(episodes[1]) and "one episode" or #episodes == 0 and "an empty list")
      or check.show(episodes), owner)
  end
  local own = {}
  for i = 1, #episodes do own[i] = core_episode(("%s, episode %d"):format(owner, i), episodes[i]) end
  return own
end

function Policy:learn(episodes)
  return check.core(self.core.learn, self.core, core_episodes("policy:learn", episodes))
end

function Policy:gradient(episodes)
  return check.core(self.core.gradient, self.core, core_episodes("policy:gradient", episodes))
end

function Policy:apply(gradient)
  return check.core(self.core.apply, self.core, gradient)
end

function Policy:steps()
  return self.core:info().steps
end

function Policy:show(space, options)
  local show = require "luanas.show"
  local own = {}
  for name, value in pairs(check.options("policy:show", options, { "samples", "width" })) do own[name] = value end
  own.width = own.width or require "luanas.layout".columns "output"
  io.stdout:write(show.policy(self, space, own), "\n")
end

function Policy:__tostring()
  return ("luanas.Policy: seed %d, %s, %s"):format(self.seed, text_table.counted(self.samples, "sample"),
    text_table.counted(self:steps(), "step"))
end

check.colons("policy", Policy)

return setmetatable(policy, { __call = function(_, options) return new(options) end })
