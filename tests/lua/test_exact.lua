-- What nas.exact computes, against plain loops over all architectures and all batches of a toy space.
local lu = require "luaunit"
local nas = require "luanas"
local searches = require "searches"
local spaces = require "spaces"

local T = {}

local branching = spaces.branching

-- ---- Brute force -----------------------------------------------------------------------------------

-- Probabilities, rewards and inner products of grad log P, each by the number of an architecture.
local function measured(policy, rewards)
  local archs, blocks = searches.all(branching), {}
  local toy = { p = {}, rewards = rewards, products = {}, count = #archs }
  for i, arch in ipairs(archs) do
    toy.p[i] = searches.probability(policy, arch)
    blocks[i] = policy:gradient({ { arch, advantage = 1 } }):blocks()
  end
  for i = 1, #archs do
    toy.products[i] = {}
    for j = 1, #archs do toy.products[i][j] = searches.product(blocks[i], blocks[j]) end
  end
  return toy
end

-- The inner product of two sums of weights[i] grad log P(i).
local function product(toy, a, b)
  local sum = 0.0
  for i = 1, toy.count do
    for j = 1, toy.count do sum = sum + a[i] * b[j] * toy.products[i][j] end
  end
  return sum
end

-- Calls f(batch, probability) for each batch of m, in order and with repetition.
local function each_batch(toy, m, f)
  local batch = {}
  local function fill(k, p)
    if k > m then return f(batch, p) end
    for i = 1, toy.count do
      batch[k] = i
      fill(k + 1, p * toy.p[i])
    end
  end
  fill(1, 1.0)
end

local function coefficient(toy, batch, k, baseline, clip)
  local b = baseline
  if baseline == "leave_one_out" then
    b = 0.0
    for l, i in ipairs(batch) do
      if l ~= k then b = b + toy.rewards[i] / (#batch - 1) end
    end
  end
  local c = toy.rewards[batch[k]] - b
  if clip then c = math.max(-clip, math.min(clip, c)) end
  return c
end

local function brute_force(toy, baseline, m, clip)
  local mean, gradient, second = {}, {}, 0.0
  for i = 1, toy.count do mean[i], gradient[i] = 0.0, toy.p[i] * toy.rewards[i] end
  each_batch(toy, m, function(batch, p)
    local weights = {}
    for i = 1, toy.count do weights[i] = 0.0 end
    for k, i in ipairs(batch) do weights[i] = weights[i] + coefficient(toy, batch, k, baseline, clip) / m end
    second = second + p * product(toy, weights, weights)
    for i = 1, toy.count do mean[i] = mean[i] + p * weights[i] end
  end)
  local off = {}
  for i = 1, toy.count do off[i] = mean[i] - gradient[i] end
  local square, norm = product(toy, mean, mean), product(toy, gradient, gradient)
  return {
    variance = second - square, bias = math.sqrt(math.max(0, product(toy, off, off))), norm = math.sqrt(norm),
    cosine = square > 1e-9 * second and product(toy, mean, gradient) / math.sqrt(square * norm) or 0,
  }
end

local function toy_of(seed)
  local policy = searches.teach(nas.policy { seed = seed, units = 3 })
  local by_line, rewards = searches.rewards(0.8, 0.1)
  return nas.exact(policy, branching, by_line), measured(policy, rewards), policy, by_line
end

-- ---- Tests -----------------------------------------------------------------------------------------

function T.test_the_space_and_the_policy()
  local exact, toy, policy = toy_of(1)
  local mass, objective, entropy, uniform, squares, rewarded = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
  for i, p in ipairs(toy.p) do
    mass, objective, entropy = mass + p, objective + p * toy.rewards[i], entropy - p * nas.math.log(p)
    uniform = uniform + toy.rewards[i] / toy.count
    squares, rewarded = squares + p * toy.products[i][i], rewarded + p * toy.products[i][i] * toy.rewards[i]
    lu.assertAlmostEquals(exact.items[i].probability, p, 1e-12)
    lu.assertAlmostEquals(exact.items[i].gradient_square, toy.products[i][i], 1e-9)
  end
  lu.assertEquals(exact.size, 6)
  lu.assertAlmostEquals(exact.mass, 1, 1e-12)
  lu.assertAlmostEquals(mass, 1, 1e-12)
  lu.assertAlmostEquals(exact.objective, objective, 1e-12)
  lu.assertAlmostEquals(exact.entropy, entropy, 1e-12)
  lu.assertAlmostEquals(exact.uniform, uniform, 1e-12)
  lu.assertAlmostEquals(exact.baseline, rewarded / squares, 1e-9)
  lu.assertAlmostEquals(exact.best.reward, 0.9, 1e-12)
  lu.assertAlmostEquals(exact.regret, 0.9 - objective, 1e-12)
  lu.assertAlmostEquals(exact.gradient_norm, brute_force(toy, 0, 1).norm, 1e-6 * exact.gradient_norm)
  lu.assertEquals(policy:steps(), 12) -- nothing was learned
  lu.assertStrContains(tostring(exact), "6 architectures, J 0.8")
end

local function check_variance(exact, toy, baseline, b, m, clip)
  local found = exact:variance { baseline = baseline, batch = m, clip = clip or nil }
  local expected = brute_force(toy, b, m, clip)
  local what = ("baseline %s, batch %d, clip %s"):format(baseline, m, clip)
  lu.assertTrue(expected.variance > 0)
  lu.assertAlmostEquals(found.variance / expected.variance, 1, 1e-5, what)
  lu.assertAlmostEquals(found.cosine, expected.cosine, 1e-5, what)
  lu.assertAlmostEquals(found.bias / expected.norm, expected.bias / expected.norm, 1e-3, what)
  if not clip then lu.assertAlmostEquals(expected.bias / expected.norm, 0, 1e-5, what) end
end

function T.test_variances_are_those_over_all_batches()
  for seed = 1, 2 do
    local exact, toy = toy_of(seed)
    for _, m in ipairs { 1, 2, 3 } do
      for _, clip in ipairs { false, 0.05, 0.02 } do
        check_variance(exact, toy, "none", 0, m, clip)
        check_variance(exact, toy, 0.78, 0.78, m, clip)
        check_variance(exact, toy, "optimal", exact.baseline, m, clip)
      end
    end
    for _, m in ipairs { 2, 3, 4 } do check_variance(exact, toy, "leave_one_out", "leave_one_out", m, false) end
    for _, clip in ipairs { 0.15, 0.05, 0.02 } do
      check_variance(exact, toy, "leave_one_out", "leave_one_out", 2, clip)
    end
  end
end

function T.test_what_is_clipped_is_biased()
  local exact = toy_of(1)
  lu.assertTrue(exact:variance({ baseline = "optimal", clip = 0.02 }).bias > 0.3 * exact.gradient_norm)
  lu.assertTrue(exact:variance({ baseline = "none", clip = 0.02 }).bias > 0.9 * exact.gradient_norm) -- all the same
end

function T.test_no_constant_is_better_than_the_optimal_one()
  local exact = toy_of(2)
  local least = exact:variance({ baseline = "optimal" }).variance
  for _, step in ipairs { -0.1, -0.01, 0.01, 0.1 } do
    lu.assertTrue(exact:variance({ baseline = exact.baseline + step }).variance > least)
  end
end

function T.test_later_steps_of_the_policy_change_nothing()
  for _, agent in ipairs { { policy = nas.policy { units = 3 } }, nas.agents.independent {} } do
    local by_line = searches.rewards(0.8, 0.1)
    local exact = nas.exact(agent.policy, branching, by_line)
    local all = {
      { baseline = "none" }, { baseline = "optimal", clip = 0.02 }, { baseline = "leave_one_out", clip = 0.05 },
    }
    local function variances()
      local list = {}
      for i, options in ipairs(all) do list[i] = exact:variance(options) end
      return list
    end
    local before = variances()
    searches.teach(agent.policy)
    lu.assertEquals(variances(), before)
  end
end

function T.test_other_policies()
  local agent, by_line = nas.agents.independent {}, searches.rewards(0.8, 0.1)
  local exact = nas.exact(agent.policy, branching, by_line)
  -- dense, conv: 1/2 each; then two and three options, and two again.
  for i, p in ipairs { 1 / 4, 1 / 4, 1 / 6, 1 / 6, 1 / 12, 1 / 12 } do
    lu.assertAlmostEquals(exact.items[i].probability, p, 1e-12)
  end
  lu.assertAlmostEquals(exact.items[1].gradient_square, 1 / 2 + 1 / 2, 1e-12)
  lu.assertAlmostEquals(exact.items[6].gradient_square, 1 / 2 + 2 / 3 + 1 / 2, 1e-12)
end

function T.test_a_space_of_one_architecture()
  local function space() return nas.nn.input { 1, 1, 1 } end
  local exact = nas.exact(nas.policy(), space, function() return 0.5 end)
  lu.assertEquals(exact.size, 1)
  lu.assertEquals(exact.gradient_norm, 0)
  lu.assertEquals(exact.baseline, 0.5)
  lu.assertEquals(exact.regret, 0)
  lu.assertEquals(exact:variance().variance, 0)
end

function T.test_bad_input()
  local exact, _, policy, by_line = toy_of(1)
  local function refused(text, f, ...) lu.assertErrorMsgContains(text, f, ...) end
  refused("too many to enumerate; at most 5 are taken", nas.exact, policy, branching, by_line, { limit = 5 })
  refused("about 6", nas.exact, policy, branching, by_line, { limit = 5 })
  refused("the policy is nil", nas.exact, nil, branching, by_line)
  refused("the rewards are 3", nas.exact, policy, branching, 3)
  refused("the reward of kind=dense", nas.exact, policy, branching, {})
  refused('baseline is "best"; expected a number, "none"', exact.variance, exact, { baseline = "best" })
  refused("takes at least 2", exact.variance, exact, { baseline = "leave_one_out", batch = 1 })
  refused("is known for a batch of 2 only", exact.variance, exact, { baseline = "leave_one_out", batch = 3, clip = 1 })
end

return T
