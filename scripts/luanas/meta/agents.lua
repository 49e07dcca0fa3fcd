---@meta luanas.agents
-- luacheck: ignore

--- What searches: an agent proposes architectures and learns from their rewards. study:run searches with one, nas.compare
--- with several; nas.testing.agent looks whether one keeps what is expected of it. Any table with these methods is an
--- agent, and examples/own_agent.lua writes one.
---@class luanas.Agent
---@field name? string For reports; default "agent".
---@field learns? boolean Whether it should end above random sampling: nas.testing.agent asks for it then. Default: false.
---@field ends? boolean Whether it has nothing more to propose at some point, so that a search needs no budget. Default:
--- false.
---@field seedless? boolean Whether nothing in it is left to chance, so that another seed may give the same search:
--- nas.compare runs it once. Default: false.
---@field policy? luanas.Policy Where it has one: what samples, or an object with the same methods sample, score, gradient
--- and learn. nas.audit and the checks of nas.testing.agent look into it.
---@field explores? boolean Whether it means to propose what its policy did not sample, or not as often as its policy says:
--- then what it learns from is no sample of the policy. Default: false.
---@field own_advantage? boolean Whether a reward that is larger by 1 is meant to change the coefficient of an architecture's
--- log-probability by something else than 1 / batch: a critic that looks ahead, or an average that has the reward in it.
--- Default: false.
local Agent = {}

--- What to evaluate next. What it draws comes from streams that are addressed by its seed and a number (nas.stream, a
--- policy, nas.random), so that a search can be replayed.
---@param space luanas.Space
---@return (luanas.Arch|{ [1]: luanas.Arch, epochs: integer? })[]? # A list; epochs: for how many each is trained, default: by the recipe. nil or an empty list: there is nothing more, and the search ends.
function Agent:propose(space) end

--- Takes the trials of what it proposed, in that order, each with its `reward`; that is nil where a trial failed, unless
--- the study says what a failed one counts as. A list that a budget cut short does not come. An agent without this method
--- does not learn.
---@param trials luanas.Trial[] Of searches by known rewards: tables with number, arch, status, reason and reward.
---@return table<string, number|string|boolean>[]? # What to log with each trial, such as { loss = 0.1, entropy = 4.2 }; its reward is logged in any case. nil: nothing else.
function Agent:learn(trials) end

--- The next trials have another reward than those before: forgets what it remembers of rewards, such as a moving average.
--- Only for searches with restart_baseline, which need it.
function Agent:reward_changed() end

-- ---- The agents of the package ---------------------------------------------------------------------

--- All agents take a table of options. Unknown ones are errors that list what there is, as is the name of an agent that
--- does not exist. `batch` is how many architectures are proposed at once: those may be trained side by side, by
--- study:run's workers.
---
--- With a policy, `policy` has the options of nas.policy but its seed, which is the agent's; or is a policy, or anything
--- with its methods sample, score, gradient and learn, which is taken as it is. Of a table that a preset has, too,
--- what is given goes before single fields of the preset's.
---@class luanas.agents
local agents = {}

---@class luanas.agents.Options
---@field seed? integer All that the agent draws follows from it; at least 0, default 1.
---@field batch? integer Architectures that are proposed at once; at least 1, default 1.

--- Random sampling: each option of a decision with the same probability. Its mean reward is that of the space, which
--- every agent that learns has to beat (Lindauer & Hutter 2020, "Best Practices for Scientific Research on Neural
--- Architecture Search").
---@param options? luanas.agents.Options
---@return luanas.Agent
function agents.random_sample(options) end

--- Random search without replacement: uniform, but no architecture twice (Li & Talwalkar 2019, "Random Search and
--- Reproducibility for Neural Architecture Search"). Ends when there is none left.
---@param options? luanas.agents.Options
---@return luanas.Agent
function agents.random_search(options) end

---@class luanas.agents.EnumerateOptions: luanas.agents.Options
---@field limit? integer A space with more architectures is refused. Default: 100000.

--- The whole space in the order of nas.space.enumerate, then ends. The seed changes nothing.
---@param options? luanas.agents.EnumerateOptions
---@return luanas.Agent
function agents.enumerate(options) end

---@class luanas.agents.ReinforceOptions: luanas.agents.Options
---@field preset? "paper"|"student" paper: batch 8 and the policy "paper" (Zoph & Le 2017; a policy that moves nothing in fewer than thousands of samples). student: clip 0.1 and the policy "small" with 32 units and l2 = 0.01, as of the student project that re-created it on Fashion-MNIST. What is given goes before it.
---@field batch? integer m, the architectures for each step of the policy; at least 1, of leave_one_out at least 2. Default: 1.
---@field baseline? "moving_average"|"leave_one_out"|"none"|number moving_average: of the rewards before the batch; the advantages of the first batch are 0 unless there is a `start`. leave_one_out: the mean of the others in the batch. none: 0. A number: a constant; nas.exact tells the best one. Default: "moving_average".
---@field decay? number Of the moving average, 0 to below 1. Default: 0.8, the student project's; NASNet's is 0.95. It and the next three are refused with another baseline.
---@field bias_correction? boolean As of nas.reward.moving_average. Default: false.
---@field start? number|false Where the average begins. Default: false, at the first reward.
---@field update_first? boolean As of nas.reward.moving_average: a smaller rate, in truth. Default: false.
---@field clip? number|false Advantages are cut off at plus and minus so much; above 0. Default: false, not at all.
---@field entropy? number Weight of the bonus on the sum of the decisions' entropies, in nats; at least 0. Default: 0.
---@field skip_weight? number Of the distance, KL, of the probabilities of connections of anchors from skip_prior; at least 0. Default: 0.
---@field skip_prior? number 1e-6 to 1 - 1e-6, for a skip_weight. Default: 0.4, that of ENAS, whose weight is 0.8.
---@field policy? luanas.policy.Options|luanas.Policy Default: {}, the preset "small" of nas.policy.

--- REINFORCE (Williams 1992) as Zoph & Le 2017, sec. 3.2, use it: the policy moves along the mean over the batch of
--- grad log pi(architecture) (R - b). There is no other exploration than sampling, and no discount. Logs advantage,
--- loss, entropy and kl.
---
--- Example:
---
---   local agent = nas.agents.reinforce { seed = 1, batch = 4, baseline = "leave_one_out", entropy = 0.01 }
---   study:run(agent, { trials = 8 })
---@param options? luanas.agents.ReinforceOptions
---@return luanas.Agent
function agents.reinforce(options) end

---@class luanas.agents.IndependentOptions: luanas.agents.Options
---@field baseline? "moving_average"|"leave_one_out"|"none"|number As of reinforce. Default: "moving_average".
---@field decay? number Of the moving average, 0 to below 1. Default: 0.9.
---@field clip? number|false As of reinforce. Default: false.
---@field entropy? number As of reinforce. Default: 0.
---@field rate? number Step size of Adam, at least 0. Default: 0.01, NATS-Bench's, which is made for thousands of samples.

--- REINFORCE with a softmax for each decision, whatever was chosen before it, in the place of the LSTM (NATS-Bench, Dong
--- et al. 2021; TuNAS, Bender et al. 2020): what an LSTM is worth is the difference to this one. Decisions are the same
--- where name, occurrence and list of options are. All logits begin at 0.
---@param options? luanas.agents.IndependentOptions
---@return luanas.Agent
function agents.independent(options) end

---@class luanas.agents.ActorCriticOptions: luanas.agents.Options
---@field decay? number Of the moving average of rewards, 0 to below 1. Default: 0.8.
---@field lambda? number Of generalised advantage estimation, 0 (one decision ahead) to 1 (Monte-Carlo). Default: 1.
---@field value_weight? number Of the critic's square error; at least 0. Default: 0.5. The rate of its own weights is the policy's option value_rate; the LSTM learns from it, too, at the policy's rate.
---@field clip? number|false Advantages are cut off at plus and minus so much; above 0. Default: false.
---@field entropy? number Weight of the bonus, in nats; at least 0. Default: 0.
---@field policy? luanas.policy.Options|luanas.Policy Default: {}. It has to score and learn values.

--- Advantage actor-critic for a sequence of decisions with one reward at its end: a linear critic on the LSTM's state
--- predicts y = R - b, b a moving average, from the decisions before; the policy follows A_t grad log pi of each decision,
--- delta_t = V_{t+1} - V_t (the last: y - V_T), A_t = sum over k of lambda^k delta_{t+k} (Schulman et al. 2016). Logs
--- advantage (y), value_error (mean square of A_t), loss, entropy and kl.
---@param options? luanas.agents.ActorCriticOptions
---@return luanas.Agent
function agents.actor_critic(options) end

---@class luanas.agents.LookaheadOptions
---@field seed? integer At least 0, default 1.
---@field weight? number Of the second architecture's advantage. Default: 0.7.
---@field decay? number Of the moving average, 0 to below 1. Default: 0.8.
---@field clip? number|false Each of the two advantages is cut off at plus and minus so much. Default: 0.1.
---@field policy? luanas.policy.Options|luanas.Policy Default: {}.

--- What the student project calls its actor-critic; it has no critic. Two architectures are proposed, and the first one is
--- reinforced by its own advantage plus `weight` times that of the second, which is independent of it: that adds variance
--- and nothing else, for two trainings a step. Logs advantage, loss, entropy and kl.
---@param options? luanas.agents.LookaheadOptions
---@return luanas.Agent
function agents.lookahead(options) end

---@class luanas.agents.PpoOptions: luanas.agents.Options
---@field preset? "nasnet" Batch 20, 10 steps, decay 0.95, and a policy of one layer of 100 units with rate 3.5e-4 (Zoph et al. 2018). What is given goes before it.
---@field batch? integer Architectures that are sampled before the policy learns; at least 1, default 10.
---@field steps? integer Of the policy, for each batch; at least 1, default 5.
---@field epsilon? number How far a probability may move, relatively, before a decision counts no more; at least 0, default 0.2.
---@field decay? number Of the moving average, 0 to below 1. Default: 0.8.
---@field entropy? number Weight of the bonus, in nats; at least 0. Default: 1e-5.
---@field policy? luanas.policy.Options|luanas.Policy Default: {}.

--- Proximal policy optimisation (Schulman et al. 2017): several steps on each batch along min(rho A, clip(rho, 1 -
--- epsilon, 1 + epsilon) A) of each decision, rho being its probability over that with which it was sampled, A the reward
--- minus a moving average. Logs advantage, and loss, entropy and kl before the first step.
---@param options? luanas.agents.PpoOptions
---@return luanas.Agent
function agents.ppo(options) end

---@class luanas.agents.EvolutionOptions: luanas.agents.Options
---@field population? integer Architectures in the queue, the first ones random; at least 1, default 50 (NAS-Bench-101; the paper's is 100).
---@field tournament? integer That are drawn, with replacement, to find a parent; at least 1, default 10 (the paper's is 25).
---@field batch? integer Children of the same queue; at least 1, default 1.

--- Regularised evolution (Real et al. 2019, algorithm 1): the best of a few drawn from the queue is mutated in one
--- decision, the child goes to the end, and the oldest one leaves. With fewer trials than twice the population it is
--- little else than random sampling.
---
--- Example:
---
---   study:run(nas.agents.evolution { seed = 1, population = 4, tournament = 2 }, { trials = 8 })
---@param options? luanas.agents.EvolutionOptions
---@return luanas.Agent
function agents.evolution(options) end

---@class luanas.agents.HalvingOptions
---@field seed? integer At least 0, default 1.
---@field architectures? integer n, how many random ones it begins with; at least 1, default 27.
---@field first? integer r, epochs of the first rung; at least 1, default 1.
---@field epochs? integer No rung has more; at least `first`, default 27.
---@field eta? integer Each rung keeps the best 1 / eta and trains for eta times as long; at least 2, default 3.

--- Successive halving (Jamieson & Talwalkar 2016): n architectures for r epochs, the best n / eta for r eta, ... Then
--- ends. Longer trainings go on from shorter ones where their states are kept and the recipe does not look ahead; a
--- cosine schedule does, unless it has a horizon of its own.
---@param options? luanas.agents.HalvingOptions
---@return luanas.Agent
function agents.successive_halving(options) end

---@class luanas.agents.HyperbandOptions
---@field seed? integer At least 0, default 1.
---@field epochs? integer R, the most that an architecture gets; at least 1, default 27.
---@field eta? integer At least 2, default 3.

--- Hyperband (Li et al. 2018, algorithm 1): one bracket of successive halving after the other, from many architectures
--- with few epochs to few with R; then anew, with new architectures.
---@param options? luanas.agents.HyperbandOptions
---@return luanas.Agent
function agents.hyperband(options) end

---@class luanas.agents.AshaOptions: luanas.agents.Options
---@field first? integer Epochs of the first rung; at least 1, default 1.
---@field epochs? integer No rung has more; at least `first`, default 27.
---@field eta? integer At least 2, default 3.
---@field batch? integer The number of workers that are thought of; at least 1, default 1.

--- Asynchronous successive halving (Li et al. 2020, algorithm 2): whenever there is room, the best architecture that
--- belongs to the best 1 / eta of its rung goes up, the highest rung first; where there is none, a new one begins. What is
--- proposed does not depend on how fast anything trains.
---@param options? luanas.agents.AshaOptions
---@return luanas.Agent
function agents.asha(options) end

-- ---- For agents of one's own -----------------------------------------------------------------------

--- The names of all agents, sorted.
---@return string[]
function agents.names() end

--- The options of an agent: its defaults, under those of a preset, under what is given. Raises errors that begin with the
--- owner: for an unknown option or preset, and for a value of another type than its default's. A default of false takes
--- anything. Options named seed, batch, decay and clip are what they are of the agents here, and their ranges are checked.
---@generic T: table
---@param owner string
---@param given? table
---@param defaults T Each option needs one.
---@param presets? table<string, table> By their names; then there is an option `preset`.
---@param others? table<string, string> Types that options may have besides those of their defaults: { clip = "boolean" }.
---@return T # A new table with a value for each option.
function agents.options(owner, given, defaults, presets, others) end

--- The trials that have a reward, in their order, and their rewards.
---@param trials luanas.Trial[]
---@return luanas.Trial[], number[]
function agents.rewarded(trials) end

--- The policy for the options `policy` and `seed` of an agent. Raises an error where `policy` has a seed of its own.
---@param owner string
---@param options { policy: luanas.policy.Options|luanas.Policy, seed: integer }
---@return luanas.Policy
function agents.policy(owner, options) end

--- policy:learn(episodes), where there are any, and what agent:learn returns of it.
---@param policy luanas.Policy
---@param episodes luanas.Episode[]
---@param trials luanas.Trial[]
---@param logged table<luanas.Trial, table> What to log of trials; loss, entropy and kl of the step are added.
---@return table[] # A table for each trial.
function agents.learned(policy, episodes, trials, logged) end

return agents
