--- What show prints of the package's objects: functions of an object and a style { width =, ... }, by the names of
--- types.
local core = require "luanas.core"
local arch = require "luanas.arch"
local check = require "luanas.check"
local layout = require "luanas.layout"
local network_lines = require "luanas.plots.network"
local report = require "luanas.report"
local tensor_text = require "luanas.show.tensor"
local text_table = require "luanas.text_table"
local trial_table = require "luanas.trial_table"

local objects = {}

local BEST = 5 -- architectures of a study
local EPOCHS = 10 -- of a trial

local function right(title) return { title = title, right = true } end

-- Below a table of the first rows of a list.
local function with_rest(text, shown, count)
  if shown >= count then return text end
  return ("%s... %d more; nas.show(list, { items = %d }) shows all\n"):format(text, count - shown, count)
end

--- A table of the first rows of `count`, and how many there are more.
function objects.table(columns, rows, count)
  return with_rest(text_table.format(columns, rows), #rows, count)
end

--- A list of trials, `most` of them.
function objects.trials(trials, most)
  local shown = math.min(#trials, most)
  return with_rest(trial_table(table.move(trials, 1, shown, 1, {}), "reward"), shown, #trials)
end

-- "name  value", one below the other; values are wrapped.
local function pairs_text(list, style)
  local widest, lines = 0, {}
  for _, each in ipairs(list) do widest = math.max(widest, #each[1]) end
  for i, each in ipairs(list) do
    lines[i] = layout.wrap(each[2], style.width, layout.pad(each[1], widest) .. "  ", (" "):rep(widest + 2))
  end
  return table.concat(lines, "\n")
end

local function number_text(value)
  return math.type(value) == "integer" and text_table.grouped(value) or ("%.4g"):format(value)
end

-- A value of a trial.
local function value_text(value)
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "table" then return tostring(value) end
  local texts = {}
  for i, each in ipairs(value) do texts[i] = value_text(each) end
  return table.concat(texts, " ")
end

-- ---- Networks and architectures --------------------------------------------------------------------

local function drawing(subject)
  return network_lines.text(network_lines.of(network_lines.network("show", subject)))
end

local function network(self)
  return tostring(self) .. "\n" .. drawing(self)
end

-- A layer, and the network that ends in it where it is one.
local function node(self)
  local title = ("%s, output {%s}"):format(tostring(self), table.concat(self:shape(), ", "))
  local ok, text = pcall(drawing, self)
  return ok and title .. "\n" .. text or title
end

local function unbuildable(self)
  return "a layer that cannot be built: " .. self.reason
end

-- The decisions: a row for each layer, where names come again.
local function decisions_text(record, style)
  local groups, columns, place = arch.groups(record), { right "#" }, {}
  if #groups == 1 then return layout.wrap(tostring(record), style.width, "", "  ") end
  for _, group in ipairs(groups) do
    for _, each in ipairs(group) do
      if not place[each[1]] then
        columns[#columns + 1] = right(each[1])
        place[each[1]] = #columns
      end
    end
  end
  local rows = {}
  for i, group in ipairs(groups) do
    rows[i] = { tostring(i) }
    for k = 2, #columns do rows[i][k] = "" end
    for _, each in ipairs(group) do rows[i][place[each[1]]] = each[2] end
  end
  return text_table.format(columns, rows):gsub("\n$", "")
end

local function architecture(self, style)
  local parts = { ("architecture of %d decisions"):format(#self.decisions) }
  if self.log_prob then parts[#parts + 1] = ("log-probability %.4f"):format(self.log_prob) end
  if self.sample then parts[#parts + 1] = ("sample %d"):format(self.sample) end
  if self.unbuildable then parts[#parts + 1] = "cannot be built: " .. self.unbuildable end
  return layout.wrap(table.concat(parts, ", "), style.width, "", "  ") .. "\n" .. decisions_text(self, style)
end

-- ---- Searches --------------------------------------------------------------------------------------

local function epochs_text(epochs)
  local rows = {}
  for i = math.max(1, #epochs - EPOCHS + 1), #epochs do
    local epoch = epochs[i]
    rows[#rows + 1] = {
      tostring(epoch.epoch), epoch.accuracy and ("%.4f"):format(epoch.accuracy) or "",
      epoch.loss and ("%.4f"):format(epoch.loss) or "", epoch.train_loss and ("%.4f"):format(epoch.train_loss) or "",
    }
  end
  return text_table.format({ right "epoch", right "accuracy", right "loss", right "train_loss" }, rows)
end

local function trial(self, style)
  local list = {}
  for _, map in ipairs { "metrics", "logged" } do
    for _, name in ipairs(check.sorted_keys(self[map])) do
      local label = map == "logged" and "logged " .. name or name
      list[#list + 1] = { label, value_text(self[map][name]) }
    end
  end
  local title = ("trial %d: %s%s"):format(self.number, self.status,
    self.status == "failed" and ", " .. self.reason or self.recalled and ", recalled" or "")
  local epochs = self.epochs
  return table.concat({
    layout.wrap(title, style.width, "", "  "), decisions_text(self.arch, style), pairs_text(list, style),
    #epochs > 1 and epochs_text(epochs) or nil,
  }, "\n")
end

local function study(self)
  return tostring(self) .. "\n" .. report.text(self, BEST)
end

local function opened(self)
  local rows = {}
  for i, run in ipairs(self:runs()) do
    rows[i] = {
      tostring(run.id), run.parent and ("run %d at %d"):format(run.parent, run.first) or "", tostring(run.trials),
      run.arguments or "",
    }
  end
  local columns = { right "run", { title = "leaves" }, right "trials", { title = "arguments" } }
  return ("%s\n%sthe best of all runs:\n%s"):format(tostring(self), text_table.format(columns, rows),
    trial_table(self:best(BEST), "reward"))
end

local function file(self)
  local rows = {}
  for i, each in ipairs(self:studies()) do
    local runs, trials = each:runs(), 0
    for _, run in ipairs(runs) do trials = trials + run.trials - run.first + 1 end
    rows[i] = { tostring(each.id), each.name or "", tostring(#runs), tostring(trials) }
  end
  return tostring(self) .. "\n"
    .. text_table.format({ right "study", { title = "name" }, right "runs", right "trials" }, rows)
end

local function policy(self, style)
  local settings = {}
  for _, name in ipairs(check.sorted_keys(self.options)) do
    settings[#settings + 1] = ("%s=%s"):format(name, number_text(self.options[name]))
  end
  return ("%s, %s parameters so far\n%s\npolicy:show(space) shows what it thinks of a space"):format(tostring(self),
    text_table.grouped(self.core:info().params), layout.wrap(table.concat(settings, " "), style.width, "  ", "  "))
end

-- ---- Data and models -------------------------------------------------------------------------------

local function data(self, style)
  local ok, text = pcall(self.describe, self)
  if ok then return text end
  if check.is_interrupt(text) then error(text, 0) end
  return layout.wrap(("%s: %s"):format(tostring(self), text:gsub("^[^ ]*:%d+: ", "")), style.width, "", "  ")
end

local function described(self)
  return self:describe()
end

-- "fashion-mnist, 3 epochs, batch 250, adam with rate 0.001"
local function training_text(info)
  local recipe = info.recipe
  return ("%s, epoch %d, batch %s, %s with rate %s"):format(info.data, info.epoch, recipe:match " batch=(%d+)",
    recipe:match " optimizer=(%S+)", recipe:match " optimizer=%S+ rate=(%S+)")
end

local function model(self, style)
  local info = self:info()
  local list = { { "trained on", training_text(info) } }
  local epoch, metrics = self.history and self.history[info.epoch] or {}, {}
  for _, name in ipairs { "accuracy", "mean_absolute_error", "loss" } do
    if epoch[name] then metrics[#metrics + 1] = ("%s %.4f"):format(name:gsub("_", " "), epoch[name]) end
  end
  if #metrics > 0 then list[#list + 1] = { "validation", table.concat(metrics, ", ") } end
  if self.stopped then list[#list + 1] = { "stopped", self.stopped } end
  local drawn = core.network(type(self.output) == "function" and self:output() or self.core:output())
  return tostring(self) .. "\n" .. pairs_text(list, style) .. "\n" .. drawing(drawn)
end

-- ---- By the names of types -------------------------------------------------------------------------

local OF = {
  ["luanas.Arch"] = architecture,
  ["luanas.Data"] = data,
  ["luanas.Dataset"] = described,
  ["luanas.File"] = file,
  ["luanas.Model"] = model,
  ["luanas.Network"] = network,
  ["luanas.Node"] = node,
  ["luanas.OpenedStudy"] = opened,
  ["luanas.Policy"] = policy,
  ["luanas.Study"] = study,
  ["luanas.Tensor"] = function(self, style) return tensor_text(self, style.width) end,
  ["luanas.TrainedModel"] = model,
  ["luanas.Trial"] = trial,
  ["luanas.Unbuildable"] = unbuildable,
}

--- The function for a type; nil where there is none.
function objects.of(name)
  return OF[name]
end

return objects
