--- Rewards that are known of all architectures of a space, without training.
local check = require "luanas.check"
local nas = require "luanas"

local known_rewards = {}

--- A function of an architecture from one, or from a table of rewards by their lines.
function known_rewards.by(owner, f)
  if check.is_callable(f) then return f end
  if type(f) ~= "table" then
    check.fail("%s: the rewards are %s; expected a function of an architecture, or a table with the reward of each "
      .. "arch:line()", owner, check.show(f))
  end
  return function(arch)
    local line = arch:line()
    if f[line] == nil then return nil, "no reward is known" end
    return check.number(owner, "the reward of " .. line, f[line])
  end
end

--- All architectures of a space with their rewards: { arch =, reward = }; with `may_fail`, those that have one.
function known_rewards.of_all(owner, space, f, limit, may_fail)
  nas.space.check_size(owner, space, limit)
  local reward_of, items = known_rewards.by(owner, f), {}
  for arch in nas.space.enumerate(space) do
    local reward = check.run(reward_of, arch)
    if reward ~= nil or not may_fail then
      items[#items + 1] = { arch = arch, reward = check.number(owner, "the reward of " .. tostring(arch), reward) }
    end
  end
  return items
end

return known_rewards
