---@meta luanas.plot
-- luacheck: ignore

--- Pictures, drawn by gnuplot (Debian: gnuplot-nox), but for networks and images: into a file, or into the terminal, as
--- sixel graphics where it draws them and else as text. Without gnuplot a file is an error that says so, and the
--- terminal gets a table of the same numbers.
---
--- Trials are drawn by their number, in the order in which they were made, whatever the order of a list.
---@class luanas.plot
local plot = {}

--- What pictures of searches are made from: a study, also one that nas.open read (its last run; study:trials(run) gives
--- another); a list of trials; or several of these under titles, to be compared in one picture.
---@alias luanas.plot.Subject luanas.Study|luanas.OpenedStudy|luanas.Trial[]|{ title: string, trials: luanas.Study|luanas.OpenedStudy|luanas.Trial[] }[]

---@class luanas.plot.Words
---@field title? string Above the picture; default: what it is.
---@field x? string What the x axis is.
---@field y? string What the y axis is.

--- A network, a line for each layer with its output's shape, parameters and multiply-accumulates; normalisation,
--- activation and dropout stand with the layer before, and concatenated inputs with the layer that takes them. A line has
--- the number of its first layer in network:layers(). Strokes in the margin show what takes what: in the terminal ● takes the line above, ◌ does not (the last line says so where it is
--- drawn), and a lane begins at ┐ or ┬ and is taken at ┤, ┼, ┘ and ┴.
---
--- Example:
---
---   local network = nas.space.build(space, policy:sample(space))
---   nas.plot.network(network) -- in the terminal; with a path such as "network.svg" in a file
---@param subject luanas.Network|luanas.Node|luanas.TrainedModel A node: the network that ends in it.
---@param path? string Ends in .svg; nil: the terminal.
---@param options? { title?: string }
function plot.network(subject, path, options) end

---@class luanas.plot.ImageOptions
---@field captions? string[] Below each image, in the terminal.
---@field across? integer Images in a row of a file; default: about as many as rows.
---@field zoom? integer Pixels of a file that a pixel of an image is wide and high, 1 to 100; default: as many as make 224.

--- An image, or several side by side. In a terminal that draws sixel graphics, small ones are magnified to 20 columns;
--- in another one with colours, a character is two pixels; without, or where NO_COLOR is set or TERM is dumb, it is a
--- shade. Images that are too wide for the terminal are made smaller, very small ones larger. The first picture asks the
--- terminal what it draws; LUANAS_SIXEL, 0 or 1, answers in its place.
---@param subject luanas.Tensor|luanas.Tensor[] {height, width} or {height, width, 1 or 3}. Bytes as they are; of other types, from the lowest number (black) to the highest one (white) of each image.
---@param path? string Ends in .png; nil: the terminal.
---@param options? luanas.plot.ImageOptions
function plot.image(subject, path, options) end

---@class luanas.plot.FilterOptions
---@field layer? integer A position in network:layers(); default: the first convolution.
---@field input? integer The channel of the layer's input whose weights are drawn; default: of three channels all, as colours; else the first.
---@field across? integer As for images.
---@field zoom? integer As for images.

--- The filters of a convolution, on one scale: the lowest weight is black, the highest one white.
---@param model luanas.TrainedModel
---@param path? string Ends in .png; nil: the terminal.
---@param options? luanas.plot.FilterOptions
function plot.filters(model, path, options) end

---@class luanas.plot.AccuracyOptions: luanas.plot.Words
---@field metric? string Default: "accuracy", or of values "mean_absolute_error".
---@field window? integer Trials of the running mean; 1: no mean, a line through the values. Default: 20, or
--- a fiftieth of all trials where that is more.

---@class luanas.plot.RewardOptions: luanas.plot.Words
---@field decay? number Of the exponential moving average, 0 to 1. Default: what was logged as `baseline`, else 0.9.

---@class luanas.plot.WindowOptions: luanas.plot.Words
---@field window? integer Trials of the running mean, 1: no mean; or of the shares. Default: 20, or a fiftieth of all
--- trials where that is more; of the entropy 1.

---@class luanas.plot.LoggedOptions: luanas.plot.Words
---@field name string What trial:log called it.
---@field window? integer Trials of the running mean; default 1: no mean, a line through the values.

---@class luanas.plot.MetricOptions: luanas.plot.Words
---@field metric? string Default: "accuracy", or of values "mean_absolute_error".

---@class luanas.plot.ParetoOptions: luanas.plot.Words
---@field metric? string Default: "accuracy", or of values "mean_absolute_error".
---@field cost? string A metric of which less is better; default "params".
---@field log? boolean A logarithmic axis of the cost.

---@class luanas.plot.CurvesOptions: luanas.plot.Words
---@field metric? string Of the validation; default: "accuracy", or of values "mean_absolute_error".
---@field best? integer So many of the best trials; default: 5, or all of a list of trials.

---@class luanas.plot.Line
---@field title? string For the key.
---@field points number[][] { { x, y }, ... }; a y that is not finite leaves a gap.

---@class luanas.plot.Band
---@field title? string For the key.
---@field x number[]
---@field low number[] As long as x, like the others; such as lower quartiles.
---@field middle number[] Drawn as a line, such as medians.
---@field high number[]

---@class luanas.plot.Interval
---@field title string On the left.
---@field value number
---@field low? number Where its interval begins, at most value; with high, or none of both.
---@field high? number At least value.

---@class luanas.plot.LinesOptions: luanas.plot.Words
---@field lines luanas.plot.Line[]

---@class luanas.plot.BandsOptions: luanas.plot.Words
---@field bands luanas.plot.Band[]

---@class luanas.plot.PointsOptions: luanas.plot.Words
---@field points luanas.plot.Interval[]

--- The accuracy of each trial, and the mean of the last ones. Failed trials are marked: at what the study says they count
--- as (which is in the mean), or at the bottom.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.AccuracyOptions
function plot.accuracy(subject, path, options) end

--- The reward that was logged for each trial, and its average.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.RewardOptions
function plot.reward(subject, path, options) end

--- Any number that was logged, over the trials.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options luanas.plot.LoggedOptions
function plot.logged(subject, path, options) end

--- The logged `loss` of the policy's steps, and its mean.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.WindowOptions
function plot.loss(subject, path, options) end

--- The logged `entropy` of the policy, in nats.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.WindowOptions
function plot.entropy(subject, path, options) end

--- The best accuracy so far; failed trials do not count.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.MetricOptions
function plot.incumbent(subject, path, options) end

--- How often each option of a decision was chosen among the last trials that made the decision, in a panel
--- for each decision: an unbiased picture of the probabilities of a policy, and of any other agent.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.WindowOptions
function plot.options(subject, path, options) end

--- The accuracy of each trial against what it costs, and the Pareto front: the best that a cost can buy. Failed trials are
--- left out.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.ParetoOptions
function plot.pareto(subject, path, options) end

--- Curves of training, validation accuracy by epochs: of the best trials, one for each network, or of those of a list.
---@param subject luanas.plot.Subject
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options? luanas.plot.CurvesOptions
function plot.curves(subject, path, options) end

--- Draws lines.
---
--- Example:
---
---   nas.plot.lines(nil, { lines = { { title = "squares", points = { { 1, 1 }, { 2, 4 }, { 3, 9 } } } } })
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options luanas.plot.LinesOptions
function plot.lines(path, options) end

--- Draws lines in bands, such as medians and quartiles over seeds.
---@param path? string Ends in .svg or .png; nil: the terminal, which shows the lines only.
---@param options luanas.plot.BandsOptions
function plot.bands(path, options) end

--- Draws values with intervals, one below the other.
---@param path? string Ends in .svg or .png; nil: the terminal.
---@param options luanas.plot.PointsOptions
function plot.points(path, options) end

return plot
