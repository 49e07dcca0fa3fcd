--- Numbers from numbers: points { x, y } in the order of x, and what is drawn beside them.
local series = {}

--- The points of the trials that have a number: value(trial), against cost(trial) or else their own number.
function series.points(trials, value, cost)
  local points = {}
  for _, trial in ipairs(trials) do
    local x, y = trial.number, value(trial)
    if cost then x = cost(trial) end
    if type(x) == "number" and type(y) == "number" then points[#points + 1] = { x, y } end
  end
  return points
end

-- The sums of the points first ... last, second ... last, and so on.
local function sums_to(points, first, last)
  local sums, sum = {}, 0.0
  for k = last, first, -1 do
    sum = sum + points[k][2]
    sums[k] = sum
  end
  return sums
end

--- At each x the mean of the points from x - window + 1 to x. No sum has points subtracted that have left the window:
--- small numbers that were lost beside a large one would not come back.
function series.mean(points, window)
  local means, first = {}, 1
  local last, before, after = 0, {}, 0.0 -- sums of points up to the last one of a block, and of those after it
  for i, point in ipairs(points) do
    while points[first][1] <= point[1] - window do first = first + 1 end
    after = after + point[2]
    if first > last then last, before, after = i, sums_to(points, first, i), 0.0 end
    means[i] = { point[1], (before[first] + after) / (i - first + 1) }
  end
  return means
end

--- At each x the exponential moving average, that point included: what a baseline would be for the next reward.
function series.decayed(points, decay)
  local averages, average = {}, nil
  for i, point in ipairs(points) do
    average = average and decay * average + (1 - decay) * point[2] or point[2]
    averages[i] = { point[1], average }
  end
  return averages
end

--- The best so far where it changes, and at `last`.
function series.best(points, is_lowest, last)
  local steps, best = {}, nil
  for _, point in ipairs(points) do
    if not best or point[2] ~= best and is_lowest == (point[2] < best) then
      best = point[2]
      steps[#steps + 1] = { point[1], best }
    end
  end
  if #steps > 0 and steps[#steps][1] < last then steps[#steps + 1] = { last, best } end
  return steps
end

--- The points that no other is at least as good as in both, the x and, by `is_lowest`, the y.
function series.front(points, is_lowest)
  local sorted = table.move(points, 1, #points, 1, {})
  table.sort(sorted, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] ~= b[2] and is_lowest == (a[2] < b[2])
  end)
  return series.best(sorted, is_lowest, -math.huge)
end

return series
