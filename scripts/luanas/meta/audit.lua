---@meta luanas.audit
-- luacheck: ignore

--- Whether an agent follows the policy gradient: nas.audit, and what it returns.

---@class luanas.audit.Options
---@field updates? integer Estimates that are looked at; at least 3, default 400. Takes time with their square.
---@field warmup? integer Updates before these, which settle a baseline; at least 0, default 50.
---@field limit? integer As of nas.exact; default 100000.

---@class luanas.audit.Figure An estimate with its 95 % interval, by the jackknife.
---@field value number
---@field low number
---@field high number

--- What nas.audit found of an agent's estimates g of grad J; tostring makes a table of it.
---@class luanas.Audit
---@field name string The agent's name.
---@field updates integer Estimates that were looked at.
---@field batch integer Architectures of an update.
---@field trials integer All that were sampled, those of the warm-up included.
---@field slope luanas.audit.Figure E g . grad J / |grad J|^2: 1 without bias.
---@field square_bias luanas.audit.Figure |E g - grad J|^2 / |grad J|^2: 0 without bias. The estimate may be below 0.
---@field cosine luanas.audit.Figure Of the angle between E g and grad J: 1 without bias. The estimate may be above 1.
---@field variance luanas.audit.Figure The trace of the covariance of g.
---@field relative_variance luanas.audit.Figure Over that with the constant baseline b* (nas.exact) and the same batch. Of
--- a space of two architectures it tells nothing: with b* there is no variance but rounding.
local Audit = {}

return Audit
