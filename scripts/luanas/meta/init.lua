---@meta luanas
-- luacheck: ignore

--- Neural architecture search by reinforcement learning.
---
--- Errors: misuse raises an error at the line of the script, with the argument, what was given and what is
--- allowed; so do files that can't be read or written.
---@class luanas
---@field version string Semantic version of the engine.
---@field math luanas.core.math Elementary functions with the same bits everywhere; Lua's `^` and math.exp are not.
---@field nn luanas.nn Layers.
---@field space luanas.space Search spaces.
---@field statistics luanas.statistics To compare searches.
---@field agents luanas.agents What searches: study:run(nas.agents.reinforce { seed = 1 }, { trials = 100 }).
---@field tensor luanas.tensor Tensors: nas.tensor { { 1, 2 }, { 3, 4 } }, nas.tensor.zeros { 28, 28 }.
---@field testing luanas.testing What every agent must be able to do.
---@field policy luanas.policy The LSTM controller: nas.policy { preset = "small", seed = 1 }.
---@field reward luanas.reward Baselines, clipping, powers, accuracy against a cost.
---@field plot luanas.plot Pictures.
---@field schedule luanas.schedule Learning rate schedules.
---@field data luanas.data Data sets.
---@field train fun(network: luanas.Node|luanas.TrainedModel, data: luanas.Data, options?: luanas.train.Options): luanas.TrainedModel Training without a study.
---@field interrupted fun(): luanas.TrainedModel? The model of a training that Ctrl-C has ended.
---@field load fun(path: string): luanas.TrainedModel A model from a file.
---@field show luanas.show Any value as text for people.
---@field help luanas.help What a function, a module or an object does.
---@field study luanas.study Trials on one space, data set and recipe: nas.study { ... }.
local nas = {}

--- Adam (Kingma & Ba 2015) for a study's `train.optimizer`. Checked at once, as the other optimisers are.
---
--- All optimisers have two kinds of decay, for the weights of convolutions and dense layers: l2 times a weight is added
--- to its gradient; rate * weight_decay is the share of a weight that is taken away in a step, beside the optimiser's
--- rule (Loshchilov & Hutter 2019).
---@param options? { rate?: number, beta1?: number, beta2?: number, epsilon?: number, l2?: number, weight_decay?: number } Default: 1e-3, 0.9, 0.999, 1e-7, 0, 0.
---@return table # A description: { name = "adam", ... }.
function nas.adam(options) end

--- Adam with decoupled weight decay: nas.adam with another default.
---@param options? { rate?: number, beta1?: number, beta2?: number, epsilon?: number, l2?: number, weight_decay?: number } Default: 1e-3, 0.9, 0.999, 1e-7, 0, 0.01.
---@return table # A description: { name = "adamw", ... }.
function nas.adamw(options) end

--- RMSprop (Tieleman & Hinton 2012), with momentum after the division; epsilon is added to the root.
---@param options? { rate?: number, rho?: number, epsilon?: number, momentum?: number, l2?: number, weight_decay?: number } Default: 1e-3, 0.9, 1e-7, 0, 0, 0.
---@return table # A description: { name = "rmsprop", ... }.
function nas.rmsprop(options) end

--- Stochastic gradient descent, with momentum, plain or Nesterov's.
---@param options? { rate?: number, momentum?: number, nesterov?: boolean, l2?: number, weight_decay?: number } Default: 0.01, 0 (no momentum), false, 0, 0.
---@return table # A description: { name = "sgd", ... }.
function nas.sgd(options) end

--- The architecture that a line of text describes, as Arch:line writes it.
---@param line string
---@return luanas.Arch # Raises an error that names the byte where the line is wrong.
function nas.arch(line) end

--- Uniform sampling, with the same `sample` as a policy: what every agent is compared with.
---@param options? { seed?: integer } seed: at least 0, default 1.
---@return luanas.Random
function nas.random(options) end

--- The laboratory: on a space that can be enumerated, the objective of a policy-gradient method, its gradient, the best
--- constant baseline and variances of estimators, exactly. Probabilities and sums are doubles in the order of enumeration;
--- gradients are the policy's, in float. Raises an error that says how large the space is where it has more architectures
--- than the limit.
---@param policy luanas.Policy Or an object with its methods score and gradient.
---@param space luanas.Space
---@param f fun(arch: luanas.Arch): number | table<string, number> The rewards: a function, or a table by arch:line().
---@param options? luanas.exact.Options
---@return luanas.Exact
function nas.exact(policy, space, f, options) end

--- Judges an agent's estimates of the policy gradient against the exact one. The agent runs with its policy held still:
--- the first step of each agent:learn is caught, not made. Bonuses for entropy, regularisers and values are left out. The
--- agent has proposed and learned then, so take a new one for a search.
---
--- Raises errors where it has no policy, ends too early, or where nothing can be learned: the exact gradient is zero.
---@param agent luanas.Agent Its policy has the methods of nas.policy.
---@param space luanas.Space
---@param f fun(arch: luanas.Arch): number | table<string, number> As of nas.exact.
---@param options? luanas.audit.Options
---@return luanas.Audit
function nas.audit(agent, space, f, options) end

--- Compares agents: each with every seed and the same budget, on known rewards or on a study; tables, tests and curves as
--- of Lindauer & Hutter 2020, Li & Talwalkar 2019 and Yang et al. 2020. The same numbers with any number of workers.
---
--- Example:
---
---   print(nas.compare {
---     agents = { "random_search", "reinforce" }, seeds = 3, trials = 20, quiet = true,
---     space = space, rewards = function(arch) return arch:value "kernel" end,
---   })
---@param options luanas.compare.Options
---@return luanas.Compared
function nas.compare(options) end

--- A random stream for scripts, addressed by all arguments: the same numbers on every machine.
---@param seed integer
---@param purpose string
---@param ... integer
---@return luanas.Stream
function nas.stream(seed, purpose, ...) end

--- What this machine has: { isa = best kernels, isas = {...}, threads = usable processors }.
---@return table
function nas.machine() end

--- A file of studies without their scripts, to be read. Raises an error when it is not there, or no store.
---@param path string
---@return luanas.File
function nas.open(path) end

--- A reward in a file that returns a function of a trial, which is loaded again when the file was saved: a running search
--- rewards by the new version from the next trial on, and tells which stored trial is the best under it.
---
--- The study keeps each version with the trial that it begins at, before it rewards any. A trial that is stored is
--- rewarded by the version of its time when the script is run again, whatever the file says then; trials that follow, by
--- the file as it is. What the file requires or reads itself is not kept.
---
--- A file that can't be loaded leaves the reward as it was and says why, once; so does a version that
--- raises an error, or returns no finite number, for a trial of the study that is stored. The first one must load. A
--- version that fails for a later trial ends the search with a message that names it; when the file is put right, the
--- script that is run again goes on. study:rescore ranks by the file as it is.
---@param path string Under this name the versions are kept.
---@return luanas.Watched # Called with a trial it returns a number: for study:run, study:rescore and scripts.
function nas.watch(path) end

---@class luanas.Watched
---@field path string
---@overload fun(trial: luanas.Trial): number
local Watched = {}

--- What it returns when it is called; or nil and a text that names the version which can't reward the trial, and why.
---@param trial luanas.Trial
---@return number? reward
---@return string? problem
function Watched:ask(trial) end

--- Whether a trial of a study is the first one under another version than before: where a script has its baseline start
--- anew, as the option restart_baseline of study:run does.
---@param trial luanas.Trial
---@return boolean
function Watched:changes_at(trial) end

--- The trial from which on the version is in force that rewards a trial of a study.
---@param trial luanas.Trial
---@return integer? # nil where the trial is of no study.
function Watched:since(trial) end

--- Options of a script from its command line: --name VALUE, --name=VALUE, --flag, --help. A default says the
--- type: integer, number, string ("" counts as not given and gives nil) or boolean. The name data_limit is
--- --data-limit outside. With `least` the option is an integer of at least that, also where its default is ""; `short` is
--- another flag for it, such as "-o". Ends the program after --help (status 0), and with a message on standard error after
--- wrong arguments (status 2).
---
--- Example:
---
---   local options = nas.options({ "--trials", "20" }, { trials = { 100, "architectures to sample" } })
---   print(options.trials) -- 20
---@param arguments string[] The global table `arg`.
---@param specifications table<string, any> Name to default, or to { default, "help text", least = integer, short = "-o" }.
---@return table<string, any>
function nas.options(arguments, specifications) end

--- One architecture: the record of the decisions that make it. Equal (==) to another with the same record.
--- tostring gives a short form, # the number of decisions.
---@class luanas.Arch
---@field decisions luanas.Decision[]
---@field log_prob number? Log-probability when it was sampled, in nats.
---@field sample integer? Number of the sample, from 1.
---@field network string? Hash of the network that the space built.
---@field unbuildable string? Why the space could build nothing.
local Arch = {}

---@class luanas.Decision
---@field name string
---@field occurrence integer How often the name has come so far, this one included.
---@field options table The list of options, as recorded: options[i], and count; key is their text.
---@field chosen integer Index of the chosen option, from 1.
---@field log_prob number? When it was sampled, given the decisions before.

--- The record as one line of text, which nas.arch reads:
--- `kernel=3{1,3} filters=64{32,48,64}`. Strings are quoted, labels are written @"label"; \" \\ and \xHH stand
--- for quotes, backslashes and control characters.
---@return string
function Arch:line() end

--- The chosen option of a decision, nil where there is none. Of a labelled option: the label.
---@param name string
---@param occurrence? integer Default: 1, the first of that name.
---@return number|string|boolean|nil
function Arch:value(name, occurrence) end

---@class luanas.Random Uniform sampling.
---@field seed integer
---@field samples integer How many were drawn.
local Random = {}

--- Draws architectures; each option of a decision has the same probability.
---@param space luanas.Space
---@param count? integer Default: one architecture; else a list.
---@return luanas.Arch|luanas.Arch[]
function Random:sample(space, count) end

return nas
