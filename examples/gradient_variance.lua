-- Zoph & Le's claim, tested on what it is about: does a baseline lower the variance of the policy gradient? While a
-- policy learns a planted reward (planted.lua), the exact variance of each estimator is computed at several points,
-- along with what clipping does to its expectation. Nothing is sampled for these numbers: they are sums over all
-- 1,296 networks.
local nas = require "luanas"
local planted = dofile((arg[0]:match "^.*/" or "") .. "planted.lua")

local options = nas.options(arg, {
  seed = { 1, "of the policy" },
  steps = { 500, "samples that the policy learns from", least = 1 },
  points = { 4, "how often it is looked at after the first time, each after five times as many samples", least = 1 },
  preset = { "small", "of the policy: small or paper" },
})

local policy = nas.policy { preset = options.preset, seed = options.seed }
local average = nas.reward.moving_average(0.8)

-- The variance of an update that takes two networks, so that leave-one-out is comparable.
local BATCH = 2
local CLIPS = { false, 0.1, 0.05 }

local function look(step)
  local exact = nas.exact(policy, planted.space, planted.reward)
  local baselines = {
    { "none", "none" }, { "moving average", average:value() }, { "leave one out", "leave_one_out" },
    { "b*", "optimal" },
  }
  local least = exact:variance { baseline = "optimal", batch = BATCH }.variance
  print(("after %d samples: J %.4f, entropy %.2f, |grad J|^2 %.3g, b* %.4f, moving average %s, variance with b* %.3g")
    :format(step, exact.objective, exact.entropy, exact.gradient_norm * exact.gradient_norm, exact.baseline,
      average:value() and ("%.4f"):format(average:value()) or "-", least))
  for _, baseline in ipairs(baselines) do
    local words = {}
    for _, clip in ipairs(CLIPS) do
      if baseline[2] then
        local found = exact:variance { baseline = baseline[2], clip = clip, batch = BATCH }
        words[#words + 1] = ("%12.4g %6.3f %6.2f"):format(found.variance / least, found.cosine,
          found.bias / exact.gradient_norm)
      end
    end
    if #words > 0 then print(("  %-15s %s"):format(baseline[1], table.concat(words, "   "))) end
  end
end

print("variance over that of b* without clipping, cosine to the exact gradient, and bias over its norm;")
print("without clipping, clipped at 0.1, clipped at 0.05")
look(0)
local next_look = options.steps
for _ = 1, options.points - 1 do next_look = math.max(1, next_look // 5) end
for step = 1, options.steps do
  local arch = policy:sample(planted.space)
  policy:learn { { arch, advantage = average:advantage(planted.reward(arch)) } }
  if step == next_look or step == options.steps then
    look(step)
    next_look = next_look * 5
  end
end
