-- Every function of luanas.core is described in its stub, and every function of libnas is bound, or listed here with
-- the reason why not.
local core = require "luanas.core"
local lu = require "luaunit"
local support = require "support"

local tests = {}

local SOURCE = os.getenv "LUANAS_SOURCE"

local function read(path)
  local file = assert(io.open(SOURCE .. "/" .. path))
  local text = file:read "a"
  file:close()
  return text
end

local function list(command)
  local lines = {}
  local pipe = assert(io.popen(("cd '%s' && %s"):format(SOURCE, command)))
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

-- ---- The stub --------------------------------------------------------------------------------------

local function objects()
  local output, data = support.network(), support.dataset()
  local policy = core.policy(nil, 1)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("a\n1\n")
  file:close()
  local csv = core.read_csv(path)
  os.remove(path)
  local decisions = { { name = "a", options = "1,2", count = 2, chosen = 1 } }
  return {
    Node = output, Network = core.network(output), Dataset = data, Recipe = core.recipe(),
    Trainer = core.trainer(output, data, core.recipe { batch = 12 }, 0, { threads = 1 }),
    Csv = csv,
    Store = core.store(), Process = core.spawn "true",
    Model = core.model(core.trainer(output, data, core.recipe { batch = 12 }, 0, { threads = 1 })),
    Stream = core.stream(1, "a"), Tensor = core.tensor { 1 }, CorePolicy = policy,
    CoreGradient = policy:gradient { { decisions = decisions, advantage = 1 } },
  }
end

-- The methods of an object, which its metatable has as __index or as the upvalue of it.
local function methods(object)
  local meta = debug.getmetatable(object)
  if type(meta.__index) == "table" then return meta.__index end
  local _, upvalue = debug.getupvalue(meta.__index, 1)
  return upvalue
end

function tests.test_every_function_is_described()
  local stub = read "scripts/luanas/meta/core.lua"
  local missing = {}
  local function check(text)
    if not stub:find("function " .. text .. "(", 1, true) then missing[#missing + 1] = text end
  end
  for name, value in pairs(core) do
    if type(value) == "function" then check("core." .. name) end
  end
  for name in pairs(core.math) do check("core.math." .. name) end
  for class, object in pairs(objects()) do
    lu.assertEquals(debug.getmetatable(object).__name, "luanas." .. class)
    for name in pairs(methods(object)) do check(class .. ":" .. name) end
  end
  table.sort(missing)
  lu.assertEquals(missing, {})
end

function tests.test_everything_described_is_there()
  local stub = read "scripts/luanas/meta/core.lua"
  local missing, all = {}, objects()
  for class, name in stub:gmatch "function ([%a_.]+)[:.]([%a_]+)%(" do
    local there
    if class == "core" then
      there = core[name]
    elseif class == "core.math" then
      there = core.math[name]
    else
      there = methods(all[class])[name]
    end
    if type(there) ~= "function" then missing[#missing + 1] = class .. ":" .. name end
  end
  lu.assertEquals(missing, {})
end

-- ---- libnas ----------------------------------------------------------------------------------------

-- Name, or beginning of the name, of functions that Lua has no use for.
local UNBOUND = {
  nas_alloc = "memory belongs to C", nas_realloc = "memory belongs to C", nas_strdup = "memory belongs to C",
  nas_free = "memory belongs to C", nas_memory_ = "for tests", nas_size_ = "C arithmetic",
  nas_cpu_flags = "see core.machine", nas_cpu_mask = "for tests", nas_cpu_cache = "the trainer uses it",
  nas_cpu_wish = "the program checks it",
  nas_expf = "Lua has doubles", nas_logf = "Lua has doubles", nas_tanhf = "Lua has doubles",
  nas_sigmoidf = "Lua has doubles", nas_fmaf = "Lua has doubles", nas_status_text = "messages say more",
  nas_hash_compare = "compare the hexadecimal digits", nas_sha256_ = "data sets have fingerprints",
  nas_options_find = "settings.c looks names up", nas_options_text = "canonical texts contain it",
  nas_fail = "for C",
  nas_pool_run = "of the trainer", nas_pool_barrier = "of the trainer", nas_pool_await = "of the trainer",
  nas_pool_pass = "of the trainer", nas_pool_check_process = "of the trainer", nas_pool_reached = "of the trainer",
  nas_stream_u32 = "number and integer do", nas_stream_float = "number does",
  nas_stream_seek = "number and integer do", nas_stream_normal = "core.tensor_normal uses it",
  nas_tensor_step = "brackets use it", nas_tensor_wrap = "Lua has no foreign memory",
  nas_tensor_strides = "an implementation's matter", nas_tensor_is_contiguous = "an implementation's matter",
  nas_tensor_view = "a second Lua reference does", nas_idx_ = "core.dataset_idx reads files",
  nas_npy_read_memory = "for the tests", nas_png_read_memory = "for the tests", nas_csv_read_memory = "for the tests",
  nas_cifar_read_memory = "for the tests", nas_cifar_classes = "the kind tells", nas_csv_line = "messages name lines",
  nas_dataset_retain = "Lua counts references", nas_node_retain = "Lua counts references",
  nas_node_options = "network:text shows them", nas_node_input = "network:layers shows them",
  nas_shape_size = "from the shape", nas_layer_kind_register = "for C", nas_compiled_ = "of the trainer",
  nas_text_add = "for C", nas_text_parse = "tonumber does",
  nas_decision_check = "the replayer compares in Lua",
  nas_policy_gradient_clear = "policy:gradient begins anew", nas_policy_set = "no use yet",
  nas_policy_block_find = "policy:blocks has all", nas_cospi = "schedules use it",
  nas_options_parse = "of canonical texts", nas_recipe_check = "core.recipe checks", nas_archive_ = "of models",
  nas_model_network = "info has its text", nas_dataset_adopt = "of models",
  nas_trainer_best_epoch = "an epoch has it", nas_trainer_kept = "core.model copies it",
  nas_store_open = "core.store", nas_store_close = "store:close", nas_store_lock = "by kind",
  nas_store_unlock = "lock:close", nas_evaluation_ = "of store:find", nas_trials_clear = "of store:trials",
  nas_rows_ = "of store:rows",
  nas_clip_scale = "of the trainer", nas_average_step = "of the trainer",
}

local function is_unbound(name)
  for part in pairs(UNBOUND) do
    local beginning = part:gsub("_$", "") .. "_"
    if name == part or name:sub(1, #beginning) == beginning then return true end
  end
  return false
end

function tests.test_every_function_of_libnas_is_bound()
  local sources = {}
  for _, path in ipairs(list "ls bindings/*.c") do sources[#sources + 1] = read(path) end
  sources = table.concat(sources, "\n")
  local missing = {}
  for _, path in ipairs(list "ls core/*/nas/*.h") do
    for name in read(path):gmatch "NAS_API[^;{]-[%s*](nas_[%w_]+)%(" do
      if not sources:find(name .. "%f[^%w_]") and not is_unbound(name) then missing[#missing + 1] = name end
    end
  end
  lu.assertEquals(missing, {})
end

return tests
