---@meta luanas.testing
-- luacheck: ignore

--- What every agent must be able to do, as a test.

---@class luanas.testing
local testing = {}

---@class luanas.testing.Check
---@field name string What is expected, in a sentence.
---@field ok boolean
---@field problem string? What was found instead.
---@field skipped string? Why it does not apply to this agent; ok is true then.

--- tostring makes a table of it.
---@class luanas.testing.Report
---@field name string The agent's name.
---@field ok boolean Whether none failed.
---@field passed integer
---@field failed integer
---@field skipped integer Those that do not apply.
---@field checks luanas.testing.Check[]

--- What every agent must be able to do: the same seed gives the same search, another seed another one; it asks only for
--- what the space offers, also of spaces with branches, anchors, one architecture or a decision with one option; it survives
--- trials that fail; a search that is resumed equals one that was not interrupted; the test split is never read; and where it says
--- that it learns, the last 20 of 200 trials are above random sampling on a planted reward, over 12 seeds.
---
--- With a field `policy`: what is proposed has the probabilities that the policy gives it (unless explores), gradients are
--- those of log-probabilities, a step along an architecture makes it more probable, the coefficient of a reward is the
--- reward minus what does not depend on it (unless own_advantage), the regulariser does not depend on rewards.
---
--- Takes about a second, and writes small files in the folder of temporary files while it runs. Agents that fail raise no
--- errors: they are in the report. Ctrl-C ends it as it does study:evaluate.
---@param new fun(seed: integer): luanas.Agent A new agent each time.
---@return luanas.testing.Report
function testing.agent(new) end

return testing
