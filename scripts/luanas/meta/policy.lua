---@meta luanas.policy
-- luacheck: ignore

--- The controller: an LSTM that makes one decision after the other (Zoph & Le 2017). It knows nothing of
--- rewards: a search computes coefficients on the gradient of log pi, and the policy moves along them.
--- All logarithms are natural.

---@class luanas.policy.Options
---@field preset? "small"|"paper" small (the default) learns within some tens to hundreds of samples; paper has the
--- paper's settings, which move nothing in fewer than thousands.
---@field seed? integer At least 0, default 1: initial weights and all samples follow from it.
---@field layers? integer Layers of the LSTM, 1 to 8.
---@field units? integer Cells of a layer, 1 to 1024.
---@field init? number Weights begin uniform in [-init, init).
---@field forget_bias? number Added to the input of the forget gates.
---@field temperature? number Logits are divided by it.
---@field tanh_constant? number C > 0: logits become C tanh(logit / temperature); 0: off.
---@field rate? number Step size of Adam.
---@field value_rate? number The same for the weights of the value head.
---@field beta1? number
---@field beta2? number
---@field epsilon? number
---@field clip_norm? number Largest norm of the gradient; 0: off.
---@field l2? number The objective loses l2 times the sum of squared weights that have appeared. Weights appear when a
--- decision is first met, also by score and sample: above 0, that changes what later steps learn.

---@class luanas.policy
---@overload fun(options?: luanas.policy.Options): luanas.Policy
local policy = {}

--- A policy from a file that policy:save wrote. It samples and learns the same bits as the one that was saved.
--- Raises an error when the file can't be read or is damaged.
---@param path string
---@param options? { samples?: integer } How many samples had been drawn (the field samples), so that the next
--- one has a number of its own; default 0.
---@return luanas.Policy
function policy.load(path, options) end

---@class luanas.Policy
---@field seed integer
---@field options table<string, number> The options in force.
---@field samples integer How many samples were drawn.
---@field core luanas.CorePolicy
local Policy = {}

--- Samples architectures. Sample number k has a random stream of its own, whatever was sampled before.
---
--- Example:
---
---   local policy = nas.policy { preset = "small", seed = 1 }
---   local arch = policy:sample(space)
---   print(arch, arch.log_prob)
---@param space luanas.Space
---@param count? integer Default: one architecture; else a list.
---@return luanas.Arch|luanas.Arch[] # With log_prob, which policy:score gives again bit for bit before the next step.
function Policy:sample(space, count) end

---@class luanas.Score
---@field log_prob number Log-probability of the architecture.
---@field entropy number Sum over its decisions, in nats.
---@field kl number? KL(policy || initial policy), summed over its decisions, in nats; with kl = true.
---@field decisions { log_prob: number, entropy: number, probabilities: number[], value?: number }[] value: what the
--- policy expects before the decision is made, from what was chosen before; with values = true. It is 0 until
--- policy:learn has had coefficients of values. An anchor's log_prob, entropy and value are at its first decision;
--- those of its connections are 0, 0 and nil.

--- What the policy thinks of recorded architectures, one or a list.
---@param archs luanas.Arch|luanas.Arch[]
---@param options? { kl?: boolean, values?: boolean }
---@return luanas.Score|luanas.Score[]
function Policy:score(archs, options) end

--- An episode: an architecture (its first element) and at least one coefficient besides skip_prior, all finite
--- numbers; what is absent is 0.
--- Coefficients are summed over episodes; for a mean, divide them by the number of episodes.
---@class luanas.Episode
---@field [1] luanas.Arch
---@field advantage? number On the gradient of log pi of the architecture. REINFORCE: reward minus baseline.
---@field advantages? number[] On the gradient of log pi, for each decision.
---@field options? number[][] On the gradient of log pi, for each option of each decision.
---@field entropy? number On the gradient of the sum of entropies.
---@field entropies? number[] On the gradient of the entropy, for each decision.
---@field values? number[] On the gradient of the value, for each decision. A critic: 2 * weight * (target - value).
---@field skip_weight? number The objective loses it times the sum, over all candidates of anchors, of KL(p, skip_prior), p
--- being the probability that the candidate is chosen (ENAS, Pham et al. 2018: 0.8); at least 0.
---@field skip_prior? number Above 0 and below 1 (ENAS: 0.4).
--- An anchor counts as its first decision: advantages, entropies and values of its connections are left out.

---@class luanas.Learned All as it was before the step.
---@field policy_loss number -(sum of coefficients times log-probabilities)
---@field entropy_loss number -(sum of coefficients times entropies)
---@field value_loss number -(sum of coefficients times values)
---@field skip_loss number The sum of skip_weight times KL to the skip prior.
---@field l2 number
---@field loss number policy_loss + entropy_loss + value_loss + skip_loss + l2: what the step descends.
---@field entropy number Mean over episodes of the sum of entropies, in nats.
---@field kl number Mean over episodes of KL(policy || initial policy), in nats.
---@field gradient_norm number Before clipping.

--- One step of Adam along the sum of the episodes' gradients.
---
--- Example:
---
---   local archs, baseline = policy:sample(space, 4), 0.5
---   local episodes = {}
---   for k, trial in ipairs(study:evaluate_all(archs)) do
---     episodes[k] = { archs[k], advantage = (trial.accuracy - baseline) / #archs }
---   end
---   policy:learn(episodes)
---@param episodes luanas.Episode[]
---@return luanas.Learned
function Policy:learn(episodes) end

--- The sum of the episodes' gradients, in the direction that increases the objective, without a step.
---@param episodes luanas.Episode[]
---@return luanas.CoreGradient
function Policy:gradient(episodes) end

--- One step of Adam along a gradient of this policy.
---@param gradient luanas.CoreGradient
---@return { gradient_norm: number, l2: number }
function Policy:apply(gradient) end

--- Prints the probabilities of a space's options, as nas.show.policy tells them.
---@param space luanas.Space
---@param options? luanas.show.PolicyOptions
function Policy:show(space, options) end

--- Optimiser steps so far.
---@return integer
function Policy:steps() end

--- Writes weights and optimiser state to a file, in one piece (core/policy/FORMAT.md). Raises an error when it
--- can't be written.
---@param path string
function Policy:save(path) end

--- The bytes that save writes: equal exactly when two policies are.
---@return string
function Policy:bytes() end

return policy
