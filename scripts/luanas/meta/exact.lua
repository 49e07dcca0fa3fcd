---@meta luanas.exact
-- luacheck: ignore

--- The objective of a policy, its gradient and the variances of estimators, exactly: nas.exact, and what it returns.

---@class luanas.exact.Options
---@field limit? integer Most architectures that are taken; default 100000. A larger space is an error that says about how
--- large it is; at once where the estimate (nas.space.estimate) is more than 100 times the limit.

---@class luanas.exact.Item
---@field arch luanas.Arch
---@field reward number
---@field log_prob number Under the policy, in nats.
---@field probability number
---@field gradient_square number |grad log P|^2, over all weights of the policy.

--- What nas.exact found, as it was at that time: later steps of the policy change nothing here. Rewards and whatever comes
--- from them are in the unit of the reward; tostring gives the main figures in a line. With P(a) the probability of an
--- architecture and R(a) its reward:
---@class luanas.Exact
---@field policy luanas.Policy
---@field items luanas.exact.Item[] All architectures, in the order of enumeration.
---@field size integer How many there are.
---@field mass number The sum of probabilities: 1, but for rounding.
---@field objective number J = sum P R, the expected reward.
---@field uniform number The mean of all rewards: what uniform sampling expects.
---@field best luanas.exact.Item The first with the highest reward.
---@field regret number best.reward - objective.
---@field entropy number -sum P log P, in nats.
---@field baseline number b* = sum P |G|^2 R / sum P |G|^2, G = grad log P: the constant baseline of least variance
--- (Greensmith et al. 2004). J where there is no gradient, as with one architecture.
---@field gradient luanas.CoreGradient grad J, which increases it.
---@field gradient_norm number
local Exact = {}

---@class luanas.exact.VarianceOptions
---@field baseline? "none"|"optimal"|"leave_one_out"|number optimal: b*; leave_one_out: the mean of the others in the batch; a number: that constant. Default: "none".
---@field batch? integer Architectures that are averaged; at least 1, of leave_one_out at least 2. Default: 1, of leave_one_out 2.
---@field clip? number|false Advantages are cut off at plus and minus so much; at least 0. Default: false. With leave_one_out for a batch of 2 and up to 4000 architectures only.

--- Of REINFORCE's estimator of grad J at this policy, (1/m) sum of (R - b) grad log P over a batch. variance: the trace of
--- its covariance. bias: |expectation - grad J|, 0 but for rounding unless advantages are clipped. cosine: of the angle
--- between expectation and grad J; 0 where one of them is 0.
---
--- A moving average is a constant for the batch at hand: give its value as `baseline`.
---@param options? luanas.exact.VarianceOptions
---@return { variance: number, bias: number, cosine: number }
function Exact:variance(options) end

return Exact
