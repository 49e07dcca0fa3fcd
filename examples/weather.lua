-- Regression on a table: a day's highest temperature in Seattle from its rain, its lowest temperature and its wind.
-- Trains on 2012 to 2014, validates on 2015, and compares a network with the mean and with a least-squares fit.
local nas = require "luanas"
local nn = nas.nn
local options = nas.options(arg, {
  epochs = { 100, "passes over the days that train" },
  seed = { 1, "initial weights, order of days" },
  path = { "/usr/lib/python3/dist-packages/vega_datasets/_data/seattle-weather.csv", "in python3-vega-datasets" },
})

local function range(first, last)
  local list = {}
  for i = first, last do list[#list + 1] = i end
  return list
end

-- The rows are days in order. Neighbours are alike, so whole years validate.
local training, validation = range(1, 1096), range(1097, 1461)
local data = nas.data.csv {
  path = options.path, target = "temp_max", features = { "precipitation", "temp_min", "wind" }, standardize = true,
  split = { training = training, validation = validation },
}

-- A day's features and a 1, whose weight is the offset; and its temperature.
local function row(day)
  local input, target = data:input(day)
  local x = input:totable()
  x[#x + 1] = 1
  return x, target:get(1)
end

-- Weights w of least squares over the features from `first` on: (sum of x x') w = sum of x y, by elimination.
local function least_squares(first)
  local n, system = 4, {}
  for i = first, n do
    system[i] = {}
    for j = first, n + 1 do system[i][j] = 0.0 end
  end
  for _, day in ipairs(training) do
    local x, y = row(day)
    x[n + 1] = y
    for i = first, n do
      for j = first, n + 1 do system[i][j] = system[i][j] + x[i] * x[j] end
    end
  end
  local weights = { 0, 0, 0, 0 }
  for pivot = first, n do
    for i = first, n do
      local factor = system[i][pivot] / system[pivot][pivot]
      for j = pivot, i ~= pivot and n + 1 or 0 do system[i][j] = system[i][j] - factor * system[pivot][j] end
    end
  end
  for i = first, n do weights[i] = system[i][n + 1] / system[i][i] end
  return weights
end

local function mean_absolute_error(weights)
  local sum = 0.0
  for _, day in ipairs(validation) do
    local x, y = row(day)
    for i, weight in ipairs(weights) do y = y - weight * x[i] end
    sum = sum + math.abs(y)
  end
  return sum / #validation
end

local x = nn.input { 3 }
for _ = 1, 2 do x = nn.dense(x, { units = 32, activation = "relu" }) end
local model = nas.train(nn.dense(x, { units = 1 }), data, {
  epochs = options.epochs, batch = 32, optimizer = nas.adam { rate = 0.01 }, schedule = nas.schedule.cosine {},
  loss = "mean_squared_error", seed = options.seed,
})
print(model:summary())
print "mean absolute error in 2015, in degrees Celsius"
print(("mean of the days that train  %.3f"):format(mean_absolute_error(least_squares(4))))
print(("least-squares fit            %.3f"):format(mean_absolute_error(least_squares(1))))
print(("network                      %.3f"):format(model:evaluate(data).mean_absolute_error))
