---@meta luanas.study
-- luacheck: ignore

--- How networks are trained.
---@class luanas.Train
---@field epochs? integer Passes over the training images, 1 to 1000000; default 10.
---@field batch? integer Images in a step, 1 to 65536; default 250.
---@field optimizer? table nas.adam {...} (the default), nas.adamw, nas.rmsprop or nas.sgd {...}.
---@field schedule? table nas.schedule.constant {...} (the default), step, exponential or cosine {...}, whose horizon is the number of epochs unless given.
---@field loss? string|table|fun(output: luanas.Node, target: luanas.Node): luanas.Node "softmax_cross_entropy" (the default), "mean_squared_error", "huber", "binary_cross_entropy" (targets from 0 to 1); { name =, its options }; or a function that composes it of layers, to one number for each image. The target of classes is the class as one number from 0, that of values a vector.
---@field augment? { pad_crop?: integer, shift?: integer|integer[], flip?: number, erase?: number, erase_min?: number, erase_max?: number } Of the training images, drawn for each image and epoch; pixels and probabilities.
---@field clip_norm? number Largest norm of the gradient of a batch, over all weights; 0: no clipping.
---@field average? number Decay of an exponential average of the weights, 0 to 1, which then is validated and kept; 0: none.
---@field winograd? boolean Whether Winograd's algorithm computes convolutions where it is faster; it rounds differently. Default: true.
---@field top_k? integer Also measure how often the class is among so many largest outputs (metric top_k).
---@field keep? "last"|"best" Whose epoch's weights and metrics count; best: by accuracy, or mean absolute error. Default "last".
---@field patience? integer Epochs without a better result after which training stops; 0, the default: never.
---@field min_delta? number By how much a result must be better to count; default 0.

---@class luanas.study.Options
---@field space luanas.Space
---@field data luanas.Data Read when the first architecture is evaluated.
---@field train? luanas.Train
---@field seed? integer Of study:random; at least 0, default 1.
---@field evaluation_seed? integer Of initial weights and shuffles; at least 0, default 0 for all searches, so that they
--- share evaluations.
---@field fresh? boolean New noise: a seed of evaluations that the store has not, in the place of evaluation_seed. A script
--- that was ended before it was through takes the same one again when it is run again; after that, another.
---@field replicates? integer How many evaluations of each network, with seeds from evaluation_seed on, are averaged; the
--- metrics accuracy_spread, loss_spread, ... are their sample standard deviations. 1 to 1000, default 1.
---@field limits? { params?: number, macs?: number, memory?: number, seconds?: number } At least 0. A network above one
--- is a failed trial: trainable parameters; multiply-accumulates for one image; bytes that training takes (a formula,
--- the same on every machine); measured seconds, looked at after each epoch and never stored as the evaluation's outcome.
---@field failed? table<string, number> Metrics of a failed trial, such as { accuracy = 0.1 } or, where targets are values,
--- { mean_absolute_error = 10 }; others are nil, but for params, macs and memory of a network that could be built.
---@field trials? integer How many there will be, for the progress line; see study:expect.
---@field threads? integer 1 to 256; default: all usable processors. Changes no bit.
---@field micro_batch? integer Images that a thread takes at once, 1 to 16; default: by the cache. Changes no bit.
---@field quiet? boolean No progress line. There is none either where standard error is no terminal.
---@field path? string A file that keeps all that is finished, made where there is none; default: memory.
---@field store? luanas.Store The field `store` of another study, to share its file or its memory.
---@field name? string Studies with other names, or other data, recipe, limits, failed, evaluation_seed or replicates, have
--- runs of their own in a file; evaluations are shared by all. The space and the seed of a search are not of a study.
---@field states? integer Bytes of training states that are kept, those of the ten most accurate networks and those that
--- were used last: an evaluation whose state is there is extended, another one is trained again. Default: 1 GiB in a
--- file, 64 MiB in memory.
---@field predictions? boolean Keep what each epoch predicted for the validation images, one byte an image (at most 256
--- classes), for trial:predictions(); it changes no result.
---@field checkpoint? integer A training of more epochs than this is kept after each of them, so that it goes on there
--- when it was ended; default 20.

--- A study: one space, data set and recipe; its trials; and the store of evaluations behind them. An evaluation is a
--- pure function of network, data, recipe, evaluation seed and numeric version, and is stored under exactly those: no
--- network is trained twice, and ten epochs contain three.
---
--- A study in a file goes on where it was: a script that is run again follows its stored trials, for which nothing is
--- trained, and continues the run. When it logs another value than is stored, it leaves the run at that trial and begins
--- one of its own, and says so. What it logs that the stored trial does not have is added to it.
---@class luanas.study
---@overload fun(options: luanas.study.Options): luanas.Study
local study = {}

--- Prints the table so far of the study that was used last, unless no trial is new since its last table. For hosts,
--- when Ctrl-C has ended a script elsewhere than in study:evaluate, which prints the table itself.
function study.interrupted() end

--- Closes all studies; where one can't be closed, the others are, and then the error is raised. The program calls it
--- when a script has come to its end. Under stock Lua, too, what is not written yet is written when Lua ends, but only
--- this call says that the script is done with its fresh seeds.
---@param problem? any Not nil: the script has not come to its end.
function study.close_all(problem) end

---@class luanas.Study
---@field space luanas.Space
---@field data luanas.Data
---@field seed integer
---@field evaluation_seed integer
---@field store luanas.Store
local Study = {}

--- Trains an architecture's network, or recalls its evaluation. A network that can't be built, exceeds a limit or
--- diverges is a trial with the status "failed". Raises an error when the space asks for other decisions than the
--- record has, or builds another network than it did when the architecture was sampled. Ctrl-C prints the table so far
--- and raises an error that contains "interrupted".
---
--- With `epochs`, for so many in the place of the recipe's. Fewer are part of a longer training that is stored, and more go
--- on from its state, to the bits of training in one go; not so where the recipe looks ahead, as a cosine schedule without
--- a horizon does: then each number of epochs is a training of its own. Early stopping still ends it sooner.
---
--- Example:
---
---   local trial = study:evaluate(policy:sample(space))
---   print(trial.accuracy, trial.params, trial.arch)
---@param record luanas.Arch
---@param options? { epochs?: integer } 1 to 1000000; default: by the recipe.
---@return luanas.Trial
function Study:evaluate(record, options) end

--- Evaluates several architectures; with workers, so many processes train them side by side, and others that were
--- started by `luanas worker FILE` join in. The study needs a path then. Results do not depend on the number of workers
--- or on who ends first. What workers can't do (data of tensors, a loss that is a function) the study trains itself.
---@param records luanas.Arch[]
---@param options? { workers?: integer, epochs?: integer } workers: 1 to 256, default 1: no other process. epochs: as of
--- study:evaluate, for all.
---@return luanas.Trial[] # in the order of the architectures
function Study:evaluate_all(records, options) end

--- Budget and reward of a search. Epochs, trainings and seconds are what the search would have to train if nothing was
--- stored: each network once, and of one that is extended the further epochs. So it finds the same whatever others have
--- trained; only measured seconds are never quite the same.
---@class luanas.search.Options
---@field trials? integer At least 0, like the others. At least one of the four must be there, unless the agent ends by
--- itself.
---@field trainings? integer Trainings and extensions of different networks.
---@field epochs? integer Of all of these; those of replicates count once. Looked at between trials: the last one may go
--- beyond.
---@field seconds? number What these epochs took, now or when they were stored. What is proposed at once is trained at once
--- where the study has a path, so that the last trainings may be for nothing.
---@field reward? string|luanas.Reward|luanas.Watched|luanas.Switch|fun(trial: luanas.Trial): number A metric by its name, or a function that returns a
--- finite number, the higher the better; of an error, function(trial) return -trial.loss end. Default: accuracy; where
--- targets are values, minus the mean absolute error. Failed trials are not asked, unless the study has `failed`, which
--- must have that metric.
---@field restart_baseline? boolean Whether the agent forgets its baseline (agent:reward_changed) before it learns from the
--- first trials under another version of a watched reward, or another function of nas.reward.switch. Default: false.
---@field workers? integer Processes that train what is proposed at once, as of study:evaluate_all; default 1.

---@class luanas.Found
---@field best luanas.Trial? The first with the highest reward; nil where none has one. Where the reward has changed (a
--- watched one, nas.reward.switch), of those under the last version that rewarded one.
---@field trials integer What was spent, in the units of the budget.
---@field trainings integer
---@field epochs integer
---@field seconds number
---@field ended "trials"|"trainings"|"epochs"|"seconds"|"the agent"|"nothing new" The limit that was reached; the agent had
--- nothing more to propose; or 1000 trials without a new training, where there is no limit of trials.

--- Searches: the agent proposes, the study evaluates, the agent learns, until the budget is spent. Logs with each trial
--- its reward, and what agent:learn returns. A list that the budget cuts short is not learned from, so that a search that
--- is run again with a larger budget goes on as if it had not been interrupted.
---
--- Errors name the trial and, of rewards, file and line of the function; the trials before are kept, and the study can be
--- used afterwards.
---
--- Example:
---
---   local found = study:run(nas.agents.reinforce { seed = 1 }, { trials = 4, reward = function(trial)
---     return trial.accuracy - 1e-5 * trial.params
---   end })
---   print(found.best)
---@param agent luanas.Agent
---@param options? luanas.search.Options
---@return luanas.Found
function Study:run(agent, options) end

--- Says how many trials there will be, for the progress line.
---@param count? integer nil: unknown.
function Study:expect(count) end

--- All trials so far, in order.
---@return luanas.Trial[]
function Study:trials() end

--- The same one by one, for a generic for.
---@return fun(): luanas.Trial?
function Study:each() end

--- The study's random stream, for scripts: always the same object.
---@return luanas.Stream
function Study:random() end

--- The trials with the best values of a metric, one for each network (with its recipe, where the space sets that), failed
--- ones left out: the lowest of losses, errors, costs and times, the highest of all others.
---@param count? integer Default: all.
---@param metric? string Default: "accuracy"; "loss" where targets are values.
---@return luanas.Trial[]
function Study:best(count, metric) end

---@class luanas.study.Objectives
---@field maximize? (string|fun(trial: luanas.Trial): number)[] Fields of trials, such as { "accuracy" }, or functions.
---@field minimize? (string|fun(trial: luanas.Trial): number)[] The same, such as { "params", "macs" }.

--- The Pareto front of the trials so far: those for which no other one is as good in all objectives and better in one.
--- One for each network (with its recipe, where the space sets that), failed ones left out. The best by the first
--- objective that is maximised, else minimised, comes first; of equal ones the earlier. An error lists what a trial has
--- where it does not have an objective. nas.statistics.hypervolume says how good a front is.
---@param options luanas.study.Objectives At least one.
---@return luanas.Trial[]
function Study:pareto(options) end

--- All that is stored under a new reward, at once: one trial for each network of any run of the study, failed ones left
--- out, the highest reward first. Nothing is trained, and nothing is written.
---
--- Example:
---
---   study:evaluate(policy:sample(space))
---   for rank, each in ipairs(study:rescore(nas.reward.mnas { cost = "macs", target = 1e6 })) do
---     print(rank, each.reward, each.trial)
---   end
---@param reward luanas.Reward|luanas.Watched|fun(trial: luanas.Trial): number
---@return { reward: number, run: integer, trial: luanas.Trial }[]
function Study:rescore(reward) end

--- The final evaluation, on the test images, which nothing else opens: once for a study, for one network. What for is
--- recorded before they are read. Asked again for the same network with the same weights, it gives what is stored; for
--- another one it raises an error. Data sets that have a test split: Fashion-MNIST, CIFAR-10 of its folder, synthetic; and
--- tensors, NPY and IDX files with the option `test`.
---@param subject luanas.Trial|luanas.TrainedModel Whose network, with its weights, is evaluated.
---@param options { intent: string } In a sentence, for those who read the file later.
---@return table # loss; accuracy and per_class, or mean_absolute_error: as of a model's evaluate
function Study:final(subject, options) end

--- One hash over all that two runs of a script must have in common: decisions, log-probabilities, metrics except
--- measured ones, logged values.
---@return string # 32 hexadecimal digits
function Study:fingerprint() end

--- Prints the best architectures with accuracy, parameters, multiply-accumulates and seconds, how many trials and
--- different networks there were, why trials failed, and the first and last entropy and kl that were logged. Where logged
--- rewards are not the accuracy itself there is a column of them, and they rank, as long as they are of one reward: each
--- trial that ended well has one, none was logged under another version of a watched reward, and a network that came again
--- got the same one. Else the accuracy ranks, which is said. Where the trials are those of other processes, it says so.
---@param rows? integer Default: 10.
function Study:report(rows) end

--- Writes all trials as comma-separated values: trial, status, reason, recalled, epochs, network, sample, log_prob,
--- architecture, decisions (a line that nas.arch reads), accuracy, loss, train_accuracy, train_loss, params, macs,
--- memory, seconds, train_seconds, further metrics, and logged_NAME for logged values. Raises an error when the file
--- can't be written.
---@param path string
function Study:csv(path) end

--- Runs a script as a process of its own on the same file, in a session of its own: it survives this process and a closed
--- terminal. What it prints is appended to PATH.log. Studies that it makes without a path are kept in the file. One script
--- at a time runs so for a file: by PATH-process, which the script must leave alone (where it opens and closes that file,
--- it counts as ended until its next trial or epoch).
---@param script string Its path.
---@param ... string|number Its arguments.
---@return luanas.Status # When it has begun.
function Study:start(script, ...) end

--- What runs for the file, or ran last; nil where nothing was started yet. A process that was killed has ended.
---@return luanas.Status?
function Study:status() end

--- Ends what runs for the file like Ctrl-C, after its last finished step, and waits for that.
---@param seconds? number How long at most; default 60.
---@return boolean # Whether nothing runs any more.
function Study:stop(seconds) end

--- Shows what the script prints, and its progress line, until it ends. Ctrl-C leaves it running, and says so.
---@return luanas.Status # When it has ended.
function Study:attach() end

--- Of a script that was started for a file. As text it is a line, and the last lines that the script printed.
--- A process that ends by no means of its own, as in a power cut, was killed.
---@class luanas.Status
---@field running boolean
---@field process integer
---@field script string
---@field arguments string?
---@field started string In UTC.
---@field file string? Where the study is kept that the script has made last, if that is another file.
---@field ended "finished"|"failed"|"stopped"|"killed"|nil nil while it runs; stopped: by study:stop or Ctrl-C.
---@field problem string? The first line of the error by which it failed.
---@field trials integer That it has so far, recalled ones included; before its first one those that are stored of the last
--- run, of one with these arguments if there is any.
---@field total integer? That it will have, as far as it says so: study:run with `trials`, study:expect.
---@field best number? The best accuracy.
---@field left number? Seconds, as its progress line knows them.
---@field log string The path of what it prints, below what those before it have printed.
---@field lines string[] The last five lines of what this one printed; after an error five from its message on.

--- Writes what is not written yet; other processes can then continue the run. At the end of the program it is called by
--- itself.
function Study:close() end

--- Metrics read like fields, too: trial.accuracy is trial.metrics.accuracy.
---@class luanas.Trial
---@field number integer From 1.
---@field arch luanas.Arch
---@field network string? Hash of the network; nil when it can't be built.
---@field status "ok"|"failed"
---@field reason string? Why it failed.
---@field recalled boolean Whether its evaluation was there already. false also for what can't be built, and for the first
--- trial of a network above a limit.
---@field reward number? In a search, for agent:learn: by the reward that study:run was given.
---@field epochs table[] For each epoch: epoch, train_loss, train_accuracy, loss, accuracy, seconds, train_seconds.
---@field metrics table<string, number> accuracy, loss (validation, of the last epoch, or of the best with keep = "best"), train_accuracy, train_loss,
--- params, macs, memory (bytes), seconds, train_seconds; for classes also per_class, the accuracy of each (false for one
--- without validation images), which is a list.
---@field measured table<string, boolean> Which of them are measured: no other run need have the same.
---@field logged table<string, number|string|boolean>
---@field accuracy number?
---@field loss number?
---@field params integer?
---@field macs integer?
---@field seconds number?
local Trial = {}

--- Records values with the trial: finite numbers (-0.0 becomes 0.0), strings in UTF-8, booleans. Each name once, at any
--- time.
---@param values table<string, number|string|boolean> Names of letters, digits and underscores.
function Trial:log(values) end

--- The trained network: from the stored training state, or trained again, to the same bits, where that is gone. Of
--- replicates it is the first, after the epochs that this one was trained for. Raises an error for a trial that failed,
--- or was evaluated under another numeric version.
---@return luanas.TrainedModel
function Trial:model() end

--- The class that was predicted for each validation image, int32 {n}, counted from 1, in the order of data:targets
--- "validation": as stored, or by trial:model(). Of replicates those of the first. Raises an error where the data
--- have values.
---@return luanas.Tensor
function Trial:predictions() end

--- A file of studies without their scripts, to look at and to take models from: nas.open "fashion.db". Nothing is written.
---@class luanas.File
---@field path string
local File = {}

--- All studies of the file, in the order of their ids.
---@return luanas.OpenedStudy[]
function File:studies() end

--- One of them. Raises an error that lists what there is where none is like that.
---@param which? integer|string Its id or its name; default: the last one.
---@return luanas.OpenedStudy
function File:study(which) end

--- Runs a script as a process of its own on the same file, in a session of its own: it survives this process and a closed
--- terminal. What it prints is appended to PATH.log. Studies that it makes without a path are kept in the file. One script
--- at a time runs so for a file: by PATH-process, which the script must leave alone (where it opens and closes that file,
--- it counts as ended until its next trial or epoch).
---@param script string Its path.
---@param ... string|number Its arguments.
---@return luanas.Status # When it has begun.
function File:start(script, ...) end

--- What runs for the file, or ran last; nil where nothing was started yet. A process that was killed has ended.
---@return luanas.Status?
function File:status() end

--- Ends what runs for the file like Ctrl-C, after its last finished step, and waits for that.
---@param seconds? number How long at most; default 60.
---@return boolean # Whether nothing runs any more.
function File:stop(seconds) end

--- Shows what the script prints, and its progress line, until it ends. Ctrl-C leaves it running, and says so.
---@return luanas.Status # When it has ended.
function File:attach() end

--- Closes the file; trials that were read stay.
function File:close() end

--- A study of a file: its trials have metrics, epochs, model() and predictions() as those of luanas.Study, and `run`.
---@class luanas.OpenedStudy
---@field id integer
---@field name string?
---@field text string What its runs have in common.
---@field data luanas.Data Made again, if that is possible.
local Opened = {}

--- Its runs; trials before `first` are those of `parent`.
---@return { id: integer, parent: integer?, first: integer, trials: integer, arguments: string? }[]
function Opened:runs() end

--- The trials of a run, those that it shares with the runs which it left included.
---@param run? integer Default: the last one.
---@return luanas.Trial[]
function Opened:trials(run) end

--- The same one by one, for a generic for.
---@param run? integer Default: the last one.
---@return fun(): luanas.Trial?
function Opened:each(run) end

--- Prints what Study:report does, of the last run.
---@param rows? integer Default: 10.
function Opened:report(rows) end

--- The best trials of all its runs, as Study:best.
---@param count? integer Default: all.
---@param metric? string Default: "accuracy"; "loss" where targets are values.
---@return luanas.Trial[]
function Opened:best(count, metric) end

--- The front of all its runs, as Study:pareto.
---@param options luanas.study.Objectives
---@return luanas.Trial[]
function Opened:pareto(options) end

--- All of them under a reward, as Study:rescore.
---@param reward luanas.Reward|luanas.Watched|fun(trial: luanas.Trial): number
---@return { reward: number, run: integer, trial: luanas.Trial }[]
function Opened:rescore(reward) end

return study
