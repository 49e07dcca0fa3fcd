---@meta luanas.compare
-- luacheck: ignore

--- Comparisons of agents: nas.compare, and what it returns.

---@class luanas.compare.Options
---@field agents (string|table)[] Names of agents of the package, such as "reinforce"; { "reinforce", its options but the seed, name = ... }; or { name = ..., new = fun(seed): luanas.Agent }, which returns a new one each time, with a policy of its own. Each needs a name of its own; default: the agent's.
---@field seeds? integer|integer[] Of the agents, each once; a number n stands for 1 to n. Default: 10. An agent without chance (seedless) searches once, with the first one, and has no rank test.
---@field trials? integer The budget of each search, as of study:run: at least one of trials, trainings, epochs and seconds, unless all agents end by themselves.
---@field trainings? integer
---@field epochs? integer With `rewards`, a trial counts the epochs that its agent asks for, and all_epochs where it asks for none.
---@field all_epochs? integer With `rewards`: the epochs of a trial whose agent asks for none. Default: 1. Where some agents ask for epochs and others do not, it makes their budgets the same.
---@field seconds? number With `study` only: rewards that are known take none.
---@field space? luanas.Space With `rewards`.
---@field rewards? fun(arch: luanas.Arch, epochs: integer?): (number?, string?)|table<string, number> Known rewards, by a function or by arch:line(). A function gets the epochs that the agent asks for, nil: all; nil and a reason are a failed trial, as is what a table does not have. It depends on nothing else, since searches run in several processes: noise comes from nas.stream, addressed by the architecture, not from math.random.
---@field study? luanas.study.Options The other way: options of nas.study but name and seed. Each search is a study of its own, named "AGENT, seed N", and all share one store.
---@field reward? string|fun(trial: luanas.Trial): number With `study`, as of study:run.
---@field workers? integer With `rewards`, processes that search side by side; default: all processors. With `study`, as of study:run; default 1. Changes no result.
---@field final? string With `study`: the best network of each search is evaluated on the test images, once, for this purpose (study:final).
---@field last? integer Samples whose mean tells what an agent proposes in the end; at least 1, default 20.
---@field oracle? number|true The highest reward there is, for regrets; with `rewards`, true looks for it among up to 100000 architectures, those that have a reward.
---@field reference? string The agent that the others are tested against. Default: "random_search", if it is among them.
---@field quiet? boolean No progress line.

--- One search: an agent with a seed. Lists have an element for each trial.
---@class luanas.compare.Cell
---@field seed integer
---@field rewards (number|false)[] false: it failed.
---@field networks integer[] The first trial that had the same network and recipe.
---@field macs (integer|false)[] Multiply-accumulates of the network; false where it was not built, and with `rewards`.
---@field trainings integer[] Trainings so far, as of study:run's budget: of new networks, or of known ones for more epochs.
---@field epochs integer[] Epochs so far, the same way.
---@field entropies (number|false)[] The entropy that the agent logs, in nats.
---@field seconds number[] What the trainings so far took, now or when they were stored; 0 with `rewards`.
---@field best luanas.Trial? With `study`: the trial with the highest reward.
---@field test table? What study:final gave.

--- A number of each run, summed up.
---@class luanas.compare.Summary
---@field values number[] Of the runs that have it.
---@field mean number
---@field median number
---@field sd number Over runs; 0 for one run.
---@field low number Of the 95 % bootstrap interval of the mean (nas.statistics.bootstrap), computed when it is asked for.
---@field high number

--- What nas.compare found of an agent. A summary is nil where no run has such a number; best, last, top and test are nil
--- where some run has none, as one whose trials all failed: they would be those of the lucky runs.
---@class luanas.compare.Summaries
---@field name string
---@field runs integer
---@field best luanas.compare.Summary? The highest reward of a run.
---@field last luanas.compare.Summary? The mean reward of its last samples.
---@field top table<integer, luanas.compare.Summary> The mean of its best 1, 5 and 15 networks, where it has so many.
---@field trainings luanas.compare.Summary?
---@field epochs luanas.compare.Summary?
---@field seconds luanas.compare.Summary?
---@field unique luanas.compare.Summary? Different networks over trials.
---@field failed luanas.compare.Summary? Trials without a reward.
---@field entropy luanas.compare.Summary? The last that was logged.
---@field test luanas.compare.Summary? Accuracy on the test images; with `final`.
---@field regret number? oracle - best.mean; with `oracle`, where there is a best.
---@field test_of_ranks { u: number, p: number, effect: number, exact: boolean, holm: number }? Of the
--- best rewards of the runs against those of the reference (nas.statistics.rank_test), a run without a reward below all
--- others; holm: p corrected for the number of agents.
---@field even_at number? After how many trials the median of the best rewards is that of the reference at its end;
--- epochs, where not all trainings have the same number of them; seconds, where the budget was one of these (even_axis).

--- A comparison; tostring makes a table of it.
---@class luanas.Compared
---@field agents { name: string, seedless: boolean?, cells: luanas.compare.Cell[] }[] In the order in which they were given.
---@field summaries luanas.compare.Summaries[] In the same order.
---@field even_axis "trials"|"epochs"|"seconds" What even_at counts.
---@field options { last: integer, reference: string?, oracle: number?, timed: boolean } timed: the budget was one of seconds.
local Compared = {}

---@alias luanas.compare.Kind
---| "incumbent" the best reward so far
---| "samples" the mean reward of the last samples, as far as they have one
---| "entropy" of the policy, in nats
---| "unique" trainings over trials

--- Median and quartiles over the seeds, for each agent that has them: as the bands that nas.plot.bands draws, at up to
--- about 500 points. A point is there where all seeds have a value.
---@param kind? luanas.compare.Kind Default: "incumbent".
---@param axis? "trials"|"trainings"|"epochs"|"seconds" What was spent. Default: "trials".
---@return luanas.plot.Band[]
function Compared:curves(kind, axis) end

--- Draws these curves.
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param kind? luanas.compare.Kind Default: "incumbent".
---@param axis? "trials"|"trainings"|"epochs"|"seconds" Default: "trials".
function Compared:plot(path, kind, axis) end

--- Writes a row for each trial: agent, seed, trial, reward (empty: failed), trainings, epochs, seconds, entropy. Raises an error
--- when the file can't be written.
---@param path string
function Compared:csv(path) end

return Compared
