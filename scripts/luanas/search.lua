--- The loop of a search: an agent proposes architectures, they are evaluated, and it learns from their rewards.
---
--- An agent is a table with these methods:
---   agent:propose(space)   a list of architectures, or of { architecture, epochs = n }; nil or an empty list where it
---                          has nothing more to propose
---   agent:reward_changed() may be there: forgets what it remembers of rewards, such as a moving average
---   agent:learn(trials)    the trials of that list, in its order, each with its `reward` (nil where the trial failed);
---                          may return a list with a table of values to log for each
--- and `ends = true` where it ends by itself, so that a search needs no budget.
---
--- What evaluates is a table, too: space, evaluate(asked) -> trial of { record =, epochs = or nil }, log(trial,
--- values), and, where they are wanted, failed_count (failed trials have metrics to reward), prepare(list of asked)
--- with epochs (of what is asked without), seconds(trial) (that its training took), expect(count), paid(what was spent
--- so far), which is called after each trial, flush(), when the search has ended, however that came, and has_values(),
--- whether targets are values and no classes.
local arch = require "luanas.arch"
local check = require "luanas.check"
local recipe = require "luanas.recipe"
local script = require "luanas.script"

local search = {}

local LIMITS = { "epochs", "seconds", "trainings", "trials" }

--- Options of search.run.
search.OPTIONS = { "restart_baseline", "reward", "workers", table.unpack(LIMITS) }

-- ---- Rewards ---------------------------------------------------------------------------------------

-- Where a reward comes from, for messages.
local function origin(reward)
  if type(reward) ~= "function" then return tostring(reward) end
  local info = debug.getinfo(reward, "S")
  return ("the function at %s:%d"):format(info.short_src, info.linedefined)
end

-- Metrics of which less is better: by their names, a search would look for the worst network. Of costs that may be
-- meant.
local ERRORS = { loss = true, mean_absolute_error = true, train_loss = true, train_mean_absolute_error = true }

local function check_reward(owner, reward)
  if ERRORS[reward] then
    check.fail("%s: reward is %s, of which less is better; expected function(trial) return -trial.%s end, or a metric "
      .. "of which more is better", owner, check.show(reward), reward)
  end
  if reward ~= nil and type(reward) ~= "string" and not check.is_callable(reward) then
    check.fail("%s: reward is %s; expected a function of a trial, or the name of a metric", owner, check.show(reward))
  end
end

-- What a user can reward, after a message: the numbers among the metrics; `missed` is none of them (nil: not known).
local function metrics_of(trial, missed)
  local names = {}
  for _, name in ipairs(check.sorted_keys(trial.metrics)) do
    if type(trial.metrics[name]) == "number" then names[#names + 1] = name end
  end
  local list = #names > 0 and table.concat(names, ", ") or "none"
  if trial.status ~= "failed" then return list end
  local example = (missed or "accuracy") == "accuracy" and "accuracy = 0.1" or missed .. " = ..."
  return list .. (". It failed; the study says what a failed trial counts as: failed = { %s }"):format(example)
end

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
end

--- What a reward makes of a trial; or nil and what is wrong with that.
function search.ask(reward, trial)
  local ok, value = pcall(check.run, reward, trial)
  if not ok then
    if type(value) ~= "string" or check.is_interrupt(value) then error(value, 0) end
    return nil, "raised: " .. value
  end
  if is_finite(value) then return value end
  return nil, ("returned %s; expected a finite number"):format(check.show(value))
end

-- By the name of a metric.
local function metric(name, trial)
  local value = trial.metrics[name]
  if type(value) == "number" then return value end
  check.fail("trial %d: reward is the metric %s, which it does not have as a number; it has: %s", trial.number,
    check.show(name), metrics_of(trial, name))
end

--- The reward of a trial by a function, by the name of a metric, or (nil) its accuracy; minus its mean absolute error
--- where targets are values.
function search.reward(reward, trial, has_values)
  if reward == nil and has_values then return -metric("mean_absolute_error", trial) end
  if reward == nil or type(reward) == "string" then return metric(reward or "accuracy", trial) end
  if type(reward) == "table" and type(reward.ask) == "function" then -- a watched one names its version
    local value, problem = reward:ask(trial)
    if not value then check.fail("trial %d: %s; put it right and %s", trial.number, problem, script.again()) end
    return value
  end
  local value, problem = search.ask(reward, trial)
  if value then return value end
  local known = type(reward) == "function" and "; metrics of the trial: " .. metrics_of(trial) or "" -- else it says so
  check.fail("trial %d: the reward, %s, %s%s; put it right and %s", trial.number, origin(reward), problem, known,
    script.again())
end

-- ---- Budgets ---------------------------------------------------------------------------------------
--
-- A search pays for what it would train if nothing was stored: each network once, and of an extended one the further
-- epochs. So what it can afford does not depend on what others have trained. A policy that comes back to the same
-- networks would never spend a budget of trainings: after so many trials for nothing the search ends.

local IDLE_MAX = 1000 -- trials

local function new_spent()
  return { trials = 0, trainings = 0, epochs = 0, seconds = 0.0, networks = {}, idle = 0 }
end

--- What trials of the same network and recipe have in common, however many epochs they have: a key for tables.
function search.network_of(trial)
  return trial.evaluation or trial.network or trial.arch:line()
end

local function pay(spent, trial, by)
  local key = search.network_of(trial)
  local paid = spent.networks[key] or { epochs = 0, seconds = 0.0 }
  local epochs, seconds = trial.epoch_count or 0, by.seconds and by.seconds(trial) or 0.0
  spent.trials, spent.idle = spent.trials + 1, spent.idle + 1
  if epochs > paid.epochs then
    spent.trainings = spent.trainings + 1
    spent.epochs = spent.epochs + epochs - paid.epochs
    spent.seconds = spent.seconds + math.max(0, seconds - paid.seconds)
    spent.networks[key], spent.idle = { epochs = epochs, seconds = seconds }, 0
  end
end

-- The limit that is reached, or nil.
local function reached(spent, budget)
  for _, name in ipairs(LIMITS) do
    if budget[name] and spent[name] >= budget[name] then return name end
  end
  return not budget.trials and spent.idle >= IDLE_MAX and "nothing new" or nil
end

--- The limits of a search by this agent, of which there must be one unless it ends by itself. `limits` are the names of
--- those that make sense (nil: all).
function search.budget(owner, options, agent, limits)
  local budget = {}
  for _, name in ipairs(LIMITS) do
    local check_value = name == "seconds" and check.number or check.integer
    budget[name] = check.optional(check_value, owner, name, options[name], 0)
  end
  if next(budget) == nil and not agent.ends then
    check.fail("%s: there is no budget; expected at least one of %s", owner, table.concat(limits or LIMITS, ", "))
  end
  return budget
end

-- ---- The loop --------------------------------------------------------------------------------------

--- Raises an error unless it is an agent.
function search.check_agent(owner, agent)
  if type(agent) == "table" and type(agent.propose) == "function"
    and (agent.learn == nil or type(agent.learn) == "function") then
    return
  end
  check.fail("%s: the agent is %s; expected what nas.agents.reinforce {...} and its like return, or a table with "
    .. "functions propose(self, space) and learn(self, trials)", owner, check.show(agent))
end

-- What an agent proposed, as { record =, epochs = }.
local function asked_of(owner, proposals)
  if proposals == nil then return {} end
  if type(proposals) ~= "table" or arch.is(proposals) then
    check.fail("%s: the agent proposed %s; expected a list of architectures", owner,
      arch.is(proposals) and "one architecture" or check.show(proposals))
  end
  local stray = check.stray_key(proposals)
  if stray ~= nil then
    check.fail("%s: the agent proposed a table with %s; expected a list of architectures, or of { architecture, "
      .. "epochs = n }", owner, check.show(stray))
  end
  local asked = {}
  for i = 1, #proposals do -- with its holes
    local proposal, what = proposals[i], ("proposal %d"):format(i)
    local record, epochs = proposal, nil
    if type(proposal) == "table" and not arch.is(proposal) then
      check.options(("%s: %s"):format(owner, what), proposal, { 1, "epochs" })
      record, epochs = proposal[1], proposal.epochs
    end
    asked[i] = {
      record = arch.check(owner, what, record),
      epochs = check.optional(check.integer, owner, what .. ", epochs", epochs, 1, recipe.MAX_EPOCHS),
    }
  end
  return asked
end

-- How many of what was asked the budget pays for, even if all of it is new.
local function affordable(asked, by, spent, budget)
  local count, epochs = #asked, spent.epochs
  if budget.trials then count = math.min(count, budget.trials - spent.trials) end
  if budget.trainings then count = math.min(count, budget.trainings - spent.trainings) end
  for i = 1, budget.epochs and count or 0 do
    if epochs >= budget.epochs then return i - 1 end
    epochs = epochs + (asked[i].epochs or by.epochs)
  end
  return count
end

-- The trials of what was asked, as far as the budget goes; and their rewards.
local function evaluate(asked, by, spent, budget, reward)
  local trials, rewards = {}, {}
  local has_values = reward == nil and by.has_values and by.has_values()
  if by.prepare then by.prepare(table.move(asked, 1, affordable(asked, by, spent, budget), 1, {})) end
  for i, each in ipairs(asked) do
    if reached(spent, budget) then break end
    local trial = by.evaluate(each)
    if trial.status == "ok" or by.failed_count then trial.reward = search.reward(reward, trial, has_values) end
    pay(spent, trial, by)
    if by.paid then by.paid(spent) end
    trials[i], rewards[i] = trial, trial.reward
  end
  return trials, rewards
end

local function refuse_logged(owner, what)
  check.fail("%s: agent:learn returned %s; expected nil or a list with a table of values to log for each trial", owner,
    what)
end

-- Whether the reward of one of these trials is another one than before it.
local function changes(reward, trials)
  for _, trial in ipairs(trials) do
    if reward:changes_at(trial) then return true end
  end
  return false
end

local function check_restart(owner, agent, options)
  if not check.optional(check.boolean, owner, "restart_baseline", options.restart_baseline) then return end
  local reward = options.reward
  if type(reward) ~= "table" or type(reward.changes_at) ~= "function" then
    check.fail("%s: restart_baseline is true, but reward is %s; expected what nas.watch or nas.reward.switch return",
      owner, check.show(reward))
  end
  if type(agent.reward_changed) ~= "function" then
    check.fail("%s: restart_baseline is true, but the agent, %s, has no function reward_changed(self)", owner,
      agent.name or "of the script")
  end
end

-- What agent:learn returned for `count` trials; {} for nil.
local function check_logged(owner, logged, count)
  if logged == nil then return {} end
  if type(logged) ~= "table" then refuse_logged(owner, check.show(logged)) end
  for _, key in ipairs(check.sorted_keys(logged)) do
    if math.type(key) ~= "integer" or key < 1 or key > count then
      refuse_logged(owner, "a table with " .. check.show(key))
    end
    if type(logged[key]) ~= "table" then
      refuse_logged(owner, ("a list whose element %d is %s"):format(key, check.show(logged[key])))
    end
  end
  return logged
end

-- What to log of a trial.
local function values_of(owner, logged, trial)
  local values = { reward = trial.reward }
  for key, value in pairs(logged or {}) do
    if key == "reward" and value ~= trial.reward then
      refuse_logged(owner, ("the reward %s to log for trial %d, which has %s"):format(check.show(value), trial.number,
        check.show(trial.reward)))
    end
    values[key] = value
  end
  return values
end

-- The best trial { trial =, since = } of a search after one more. Where the reward changes, those before can't be
-- compared.
local function better(best, trial, reward)
  if trial.reward == nil then return best end
  local may_change = type(reward) == "table" and type(reward.since) == "function"
  local since = may_change and reward:since(trial) or nil
  if best.trial and best.since == since and trial.reward <= best.trial.reward then return best end
  return { trial = trial, since = since }
end

--- Evaluates by a function of an architecture and its epochs (nil: all), which returns the reward, or nil and why the
--- trial has failed: for what is known without training. A trial pays for the epochs that are asked for, or all_epochs
--- (nil: 1). Searches by it take the option reward = "reward".
function search.by_function(space, objective, all_epochs)
  local count = 0
  return {
    space = space,
    evaluate = function(asked)
      local reward, reason = check.run(objective, asked.record, asked.epochs)
      count = count + 1
      if reward ~= nil and not is_finite(reward) then
        check.fail("trial %d, %s: the reward, by %s, is %s; expected a finite number, or nil and why it fails", count,
          tostring(asked.record), origin(objective), check.show(reward))
      end
      return {
        number = count, arch = asked.record, status = reward and "ok" or "failed", reason = reason,
        epoch_count = asked.epochs or all_epochs or 1, metrics = { reward = reward }, logged = {},
      }
    end,
    log = function(trial, values) trial.logged = values end,
  }
end

--- Searches until the budget is spent or the agent has nothing more to propose. Options: epochs, seconds, trainings,
--- trials, reward, workers; restart_baseline calls agent:reward_changed before it learns from the first trials under
--- another reward. A list that the budget cuts short is not learned from. Returns { best = trial or nil, trials =,
--- trainings =, epochs =, seconds =, ended = the limit, "the agent" or "nothing new" }.
function search.run(owner, agent, options, by)
  search.check_agent(owner, agent)
  check.options(owner, options, search.OPTIONS)
  local reward = options.reward
  check_reward(owner, reward)
  check_restart(owner, agent, options)
  local budget = search.budget(owner, options, agent)
  local _ <close> = setmetatable({}, { __close = by.flush or function() end })
  local spent, best, ended = new_spent(), {}, reached(new_spent(), budget)
  if by.expect then by.expect(budget.trials) end
  while not ended do
    local asked = asked_of(owner, check.run(agent.propose, agent, by.space))
    local trials, rewards = evaluate(asked, by, spent, budget, reward)
    if options.restart_baseline and changes(reward, trials) then check.run(agent.reward_changed, agent) end
    local logged = #trials == #asked and #trials > 0 and agent.learn and check.run(agent.learn, agent, trials) or nil
    logged = check_logged(owner, logged, #trials)
    for i, trial in ipairs(trials) do
      trial.reward = rewards[i] -- whatever the agent has made of it
      by.log(trial, values_of(owner, logged[i], trial))
      best = better(best, trial, reward)
    end
    ended = #asked == 0 and "the agent" or reached(spent, budget)
  end
  return {
    best = best.trial, trials = spent.trials, trainings = spent.trainings, epochs = spent.epochs,
    seconds = spent.seconds, ended = ended,
  }
end

return search
