-- Any allocation in Lua, also by C, may run the collector and so a finalizer, which may close what C is about to use.
-- Here one closes all operands of an operation at its first allocation, then at its second and so on, until there are
-- no more: the result is the usual one, or the message says that something is closed. MALLOC_PERTURB_ sees to it that
-- freed memory does not look like an operand.
local core = require "luanas.core"
local lu = require "luaunit"
local files = require "sample_files"
local support = require "support"

local tests = {}

-- ---- Running ---------------------------------------------------------------------------------------

-- act() at that allocation from now on, counted from 0, if each runs a cycle of the collector.
local function at_allocation(count, act)
  local waiting = { left = count, over = false, happened = false }
  local function wait()
    setmetatable({}, {
      __gc = function()
        if waiting.over then return end
        if waiting.left > 0 then
          waiting.left = waiting.left - 1
          return wait()
        end
        waiting.over, waiting.happened = true, true
        act()
      end,
    })
  end
  wait()
  return waiting
end

-- pcall(operation, operands) with a cycle of the collector at every allocation.
local function call(waiting, operation, operands)
  local function finish(...)
    waiting.over = true
    collectgarbage "stop"
    return ...
  end
  local pause, multiplier = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
  collectgarbage("incremental", 0, 0, 40) -- a step goes through the whole cycle
  collectgarbage "restart"
  local results = table.pack(finish(pcall(operation, operands)))
  collectgarbage("incremental", pause, multiplier, 13)
  collectgarbage("setpause", pause)
  collectgarbage "restart"
  return results
end

local function plain(value)
  if type(value) == "table" then
    local copy = {}
    for key, item in pairs(value) do copy[key] = plain(item) end
    return copy
  end
  if type(value) ~= "userdata" then return value end
  local name = getmetatable(value).__name
  return name == "luanas.Tensor" and { value:dtype(), value:totable() } or tostring(value)
end

-- Whether it is what C says of something that is closed.
local function is_refusal(text)
  if type(text) ~= "string" then return false end
  return text:find "closed" or text:find "expected an open tensor" or text:find "expected a luanas.Node"
end

local function check(name, operation, make)
  local expected = plain(call(at_allocation(0, function() end), operation, make()))
  lu.assertTrue(expected[1], name .. ": " .. tostring(expected[2]))
  local count, happened = 0, true
  while happened do
    collectgarbage "stop"
    local operands = make()
    local waiting = at_allocation(count, function()
      for _, operand in pairs(operands) do operand:close() end
    end)
    local results = call(waiting, operation, operands)
    happened = waiting.happened
    local message = ("%s, with all closed at allocation %d"):format(name, count)
    -- tostring is not refused
    if not is_refusal(results[#results]) then lu.assertEquals(plain(results), expected, message) end
    count = count + 1 + count // 8
  end
  return count > 1 -- whether anything was allocated
end

local function check_all(operations, make)
  for name, operation in pairs(operations) do check(name, operation, make) end
end

-- ---- Tensors ---------------------------------------------------------------------------------------

local function tensors()
  return {
    t = core.tensor_from { { 4, 1 }, { 2, 3 } },
    u = core.tensor_from { { 1, 2 }, { 3, 5 } },
    row = core.tensor_from { 1, 2 },
    bytes = core.tensor_from({ { 1, 0 }, { 0, 2 } }, "uint8"),
    order = core.tensor_from({ 2, 1, 2 }, "int32"),
    long = core.tensor_ramp(5000, 1, 1),
  }
end

local path

local methods = {
  abs = function(o) return o.t:abs() end,
  all = function(o) return o.t:all(1), o.t:all() end,
  any = function(o) return o.t:any(1), o.t:any() end,
  argmax = function(o) return o.t:argmax(1), o.t:argmax() end,
  argmin = function(o) return o.t:argmin(2, true), o.t:argmin() end,
  bytes = function(o) return o.long:bytes() end,
  ceil = function(o) return o.t:ceil() end,
  clamp = function(o) return o.t:clamp(2, o.u) end,
  clone = function(o) return o.t:clone() end,
  copy = function(o) o.t:copy(o.bytes) end,
  dtype = function(o) return o.t:dtype() end,
  eq = function(o) return o.t:eq(o.u) end,
  exp = function(o) return o.t:exp() end,
  expand = function(o) return o.row:expand { 3, 2 } end,
  fill = function(o) o.t:fill(1) end,
  floor = function(o) return o.t:floor() end,
  ge = function(o) return o.t:ge(2) end,
  get = function(o) return o.t:get(1, 2) end,
  gt = function(o) return o.bytes:gt(1) end,
  is_finite = function(o) return o.t:is_finite() end,
  is_nan = function(o) return o.t:is_nan() end,
  le = function(o) return o.t:le(o.row) end,
  log = function(o) return o.t:log() end,
  lt = function(o) return o.t:lt(o.u) end,
  matmul = function(o) return o.t:matmul(o.u), o.row:matmul(o.row) end,
  max = function(o) return o.t:max(2), o.t:max() end,
  maximum = function(o) return o.t:maximum(o.u) end,
  mean = function(o) return o.t:mean(2), o.t:mean() end,
  min = function(o) return o.t:min(2), o.t:min() end,
  minimum = function(o) return o.t:minimum(2) end,
  narrow = function(o) return o.t:narrow(1, 2, 1) end,
  ne = function(o) return o.t:ne(o.u) end,
  nonzero = function(o) return o.bytes:nonzero() end,
  norm = function(o) return o.t:norm(2), o.t:norm() end,
  permute = function(o) return o.t:permute { 2, 1 } end,
  reshape = function(o) return o.t:reshape { 4 }, o.t:transpose():reshape { -1, 1 } end,
  round = function(o) return o.t:round() end,
  select = function(o) return o.t:select(2, 1) end,
  set = function(o) o.t:set(1, 1, 7) end,
  shape = function(o) return o.t:shape() end,
  shares = function(o) return o.t:shares(o.u) end,
  sigmoid = function(o) return o.t:sigmoid() end,
  sign = function(o) return o.t:sign() end,
  size = function(o) return o.t:size() end,
  solve = function(o) return o.t:solve(o.row) end,
  sqrt = function(o) return o.t:sqrt() end,
  squeeze = function(o) return o.row:squeeze() end,
  std = function(o) return o.t:std(2), o.t:std() end,
  sum = function(o) return o.t:sum(2), o.t:sum() end,
  svd = function(o) return o.t:svd() end,
  take = function(o) return o.t:take(1, o.order), o.t:take(2, { 2, 1 }) end,
  tanh = function(o) return o.t:tanh() end,
  to = function(o) return o.t:to "int32" end,
  totable = function(o) return o.t:totable() end,
  transpose = function(o) return o.t:transpose() end,
  unsqueeze = function(o) return o.t:unsqueeze(2) end,
  variance = function(o) return o.t:variance(2), o.t:variance() end,
}

local operators = {
  __add = function(o) return o.t + o.u end,
  __band = function(o) return o.t & o.bytes end,
  __bnot = function(o) return ~o.bytes end,
  __bor = function(o) return o.t | 0 end,
  __div = function(o) return 1 / o.t end,
  __eq = function(o) return o.t == o.u end,
  __index = function(o) return o.t[1], o.row[2], o.t[{ {}, { 2, 1, -1 } }], o.t[{ 1, 2 }], o.t[o.bytes] end,
  __len = function(o) return #o.t end,
  __mul = function(o) return o.bytes * 3 end,
  __newindex = function(o) o.t[1] = o.row end,
  __pow = function(o) return o.t ^ 2 end,
  __sub = function(o) return 1 - o.t end,
  __tostring = function(o) return tostring(o.long) end,
  __unm = function(o) return -o.t end,
}

local others = {
  set_number = function(o) o.t[2] = 1 end,
  set_region = function(o) o.t[{ {}, 1 }] = o.row end,
  set_masked = function(o) o.t[o.bytes] = 5 end,
  set_masked_tensor = function(o) o.t[o.bytes] = o.u end,
  where = function(o) return core.tensor_where(o.bytes, o.t, 1), core.tensor_where(o.bytes, 1, o.u) end,
  concat = function(o) return core.tensor_concat({ o.t, o.u, o.bytes }, 2) end,
  write_npy = function(o) assert(core.write_npy(o.t, path)) end,
  write_png = function(o) assert(core.write_png(path, o.bytes)) end,
  dataset = function(o)
    local parts = { inputs = o.t, targets = o.row:to "int32", classes = 2, class_names = { "a", "b" } }
    return core.dataset("test", parts):info()
  end,
}

function tests.test_tensors()
  path = os.tmpname()
  check_all(methods, tensors)
  check_all(operators, tensors)
  check_all(others, tensors)
  os.remove(path)
end

-- The test would pass if the finalizers never ran.
function tests.test_finalizers_run_within_operations()
  lu.assertTrue(check("+", operators.__add, tensors))
  lu.assertTrue(check("totable", methods.totable, tensors))
  lu.assertFalse(check("size", methods.size, tensors))
end

-- Whoever adds an operation adds it here.
function tests.test_no_operation_is_left_out()
  local meta = debug.getmetatable(core.tensor { 1 })
  local _, all = debug.getupvalue(meta.__index, 1)
  local missing = {}
  local without_operands = { close = true, __close = true, __gc = true, __name = true, __lt = true, __le = true }
  for name in pairs(all) do
    if not methods[name] and not without_operands[name] then missing[#missing + 1] = name end
  end
  for name in pairs(meta) do
    if not operators[name] and not without_operands[name] then missing[#missing + 1] = name end
  end
  table.sort(missing)
  lu.assertEquals(missing, {})
end

-- ---- The others ------------------------------------------------------------------------------------

function tests.test_data_sets()
  check_all({
    info = function(o) return o.data:info() end,
    describe = function(o) return o.data:describe() end,
    split = function(o) return o.data:split { training_list = { 1, 3 }, validation_list = { 2 } } end,
    adopt = function(o) return o.data:adopt({ 1 }, { 2 }) end,
    standardization = function(o) return o.data:split({ validation = 2, standardize = true }):standardization() end,
    image = function(o) return o.data:image(2) end,
    input = function(o) return o.data:input(2, { flip = 0.5 }, 1) end,
    part = function(o) return o.data:part "training" end,
    target = function(o) return o.data:target(1) end,
    text = function(o) return tostring(o.data) end,
  }, function() return { data = support.dataset(6, 2) } end)
end

function tests.test_files()
  local folder = files.folder()
  local csv = files.write(folder, "a.csv", "a,b\n1,x\n2,y\n")
  check_all({
    names = function(o) return o.csv:names() end,
    numbers = function(o) return o.csv:numbers { "a" } end,
    labels = function(o) return o.csv:labels "b" end,
    cell = function(o) return o.csv:cell(1, 2) end,
    text = function(o) return tostring(o.csv) end,
  }, function() return { csv = core.read_csv(csv) } end)
  files.remove(folder)
end

function tests.test_networks()
  check_all({
    node = function(o) return core.node("dense", { o.node }, { units = 2 }) end,
    network = function(o) return core.network(o.node) end,
    layers = function(o) return o.network:layers() end,
    summary = function(o) return o.network:summary(), o.node:summary() end,
    graphviz = function(o) return o.network:graphviz(), o.node:graphviz() end,
    text = function(o) return o.network:text(), o.network:hash() end,
    network_text = function(o) return tostring(o.network) end,
    node_text = function(o) return tostring(o.node) end,
    shape = function(o) return o.node:shape(), o.node:kind(), o.node:hash() end,
  }, function()
    local node = support.network()
    return { node = node, network = core.network(node) }
  end)
end

function tests.test_training()
  local file = os.tmpname()
  local recipe = core.recipe { batch = 12 }
  local function make()
    local node, data = support.network(), support.dataset(12, 4)
    local trainer = core.trainer(node, data, recipe, 0, { threads = 1 })
    return { node = node, data = data, trainer = trainer, model = core.model(trainer), network = core.network(node),
      images = core.tensor { 2, 8, 8, 1 }, labels = core.tensor_from({ 1, 3 }, "int32") }
  end
  check_all({
    trainer = function(o) return core.trainer(o.node, o.data, recipe, 0, { threads = 1, isa = "scalar" }):digest() end,
    digest = function(o) return o.trainer:digest() end,
    trainer_params = function(o) return o.trainer:params() end,
    state = function(o) return #o.trainer:state() end,
    restore = function(o) return o.trainer:restore(o.trainer) end,
    new_model = function(o) return core.model(o.trainer):info() end,
    params = function(o) return o.model:params() end,
    info = function(o) return o.model:info() end,
    output = function(o) return o.model:output():hash() end,
    save = function(o) assert(o.model:save(file)) end,
    evaluate = function(o) return o.model:evaluate(o.data, "all", 1) end,
    outputs = function(o) return o.model:outputs(o.images, 1), o.model:probabilities(o.images, 1) end,
    activations = function(o) return o.model:activations(o.network, o.images, 1) end,
    gradients = function(o) return o.model:gradients(o.images, o.labels) end,
  }, make)
  local timed = { -- whose results differ each time
    epoch = function(o) o.trainer:epoch() end,
    profile = function(o)
      o.trainer:epoch()
      o.trainer:profile()
    end,
    predicted = function(o)
      o.trainer:epoch()
      return o.trainer:predicted(), o.trainer:predicted_bytes()
    end,
  }
  check_all(timed, make)
  os.remove(file)
end

-- The state of before the first epoch, which has predicted nothing.
function tests.test_a_trainer_is_restored_within_its_methods()
  local recipe = core.recipe { batch = 12 }
  local methods_of_epochs = {
    epoch = function(trainer) assert(trainer:epoch().epoch) end,
    predicted = function(trainer) return trainer:predicted() end,
    predicted_bytes = function(trainer) return trainer:predicted_bytes() end,
  }
  for name, method in pairs(methods_of_epochs) do
    local count, happened = 0, true
    while happened do
      local trainer <close> = core.trainer(support.network(), support.dataset(12, 4), recipe, 0, { threads = 1 })
      local state = trainer:state()
      trainer:epoch()
      local waiting = at_allocation(count, function() trainer:restore_state(state) end)
      local results = call(waiting, method, trainer)
      happened = waiting.happened
      lu.assertTrue(results[1], name)
      count = count + 1
    end
    lu.assertTrue(count > 1, name)
  end
end

function tests.test_policies()
  local decisions = {
    { name = "a", options = "1,2", count = 2, chosen = 1 },
    { kind = "anchor", name = "b", candidates = {}, chosen = {} },
    { kind = "anchor", name = "c", candidates = { 2 }, chosen = { true } },
  }
  local episodes = { { decisions = decisions, advantage = 1, entropies = { 0.1, 0.1, 0.1 }, values = { 0.5, -1, 0 } } }
  check_all({
    begin = function(o) o.policy:begin() end,
    choose = function(o)
      o.policy:begin()
      o.policy:anchor("b", {}, core.stream(1, "test"))
      return o.policy:anchor("c", { 1 }, core.stream(1, "test")), o.policy:choose("a", "1,2", 2, core.stream(1, "test"))
    end,
    force = function(o)
      o.policy:begin()
      o.policy:force_anchor("b", {}, {})
      return o.policy:force_anchor("c", { 1 }, { true }), o.policy:force("a", "1,2", 2, 1)
    end,
    score = function(o) return o.policy:score(decisions, true, true) end,
    learn = function(o) return o.policy:learn(episodes) end,
    gradient = function(o) return o.policy:gradient(episodes):blocks() end,
    apply = function(o) return o.policy:apply(o.gradient) end,
    blocks = function(o) return o.policy:blocks(), o.gradient:blocks(), o.gradient:dot(o.gradient) end,
    info = function(o) return o.policy:info(), o.policy:bytes() end,
    policy_text = function(o) return tostring(o.policy) end,
    gradient_text = function(o) return tostring(o.gradient) end,
  }, function()
    local policy = core.policy({ units = 2, layers = 1 }, 1)
    return { policy = policy, gradient = policy:gradient(episodes) }
  end)
end

-- ---- Stores ----------------------------------------------------------------------------------------

local function key(network)
  return { network = network or "1 input", loss = "", data = "d", recipe = "r", seed = 0, numeric_version = 4 }
end

local row = { metrics = '{"accuracy":0.5}', measured = "{}", predicted = "\0\1" }

local function trial(number)
  return { number = number, decisions = "a=1{1}", origin = "{}", status = "ok", metrics = "{}", measured = "{}",
    logged = "{}" }
end

local version = { first = 1, file = "r.lua", source = "return 1" }

local SQL = "SELECT 'abc' AS a, x'00' AS b, ?1 AS c UNION SELECT 'def', x'01', ?1"

local store_methods = {
  add_job = function(o) return math.type(o.store:add_job(key "3 input", "text")) end,
  append = function(o) return o.store:append(1, { trial(2) }, { version }) end,
  backup = function(o)
    os.remove(path)
    return o.store:backup(path)
  end,
  begin_fresh = function(o) return o.store:begin_fresh { script = "a", count = 2 } end,
  begin_job = function(o) return o.store:begin_job(1) end,
  begin_run = function(o)
    return (o.store:begin_run({ study = 1, newest = 1, script = "b", arguments = "c" }, { trial(1) }, { version }))
  end,
  begin_session = function(o) o.store:begin_session { program = "a.lua", isa = "avx2", threads = 2 } end,
  check = function(o) return o.store:check() end,
  continue_run = function(o) return o.store:continue_run("1", "2", { script = "b", arguments = "c" }) end,
  end_final = function(o) return o.store:end_final(1, "{}") end,
  end_fresh = function(o) return o.store:end_fresh("0") end,
  end_job = function(o) return o.store:end_job(1, 7) end,
  find = function(o) return o.store:find(key()) end,
  keep_states = function(o) return o.store:keep_states(1) end,
  lock_evaluation = function(o) o.store:lock_evaluation(key "3 input", "tests"):close() end,
  lock_run = function(o) o.store:lock_run(7, "tests"):close() end,
  log = function(o) return o.store:log("1", 1, "{}") end,
  next_job = function(o) return select(2, o.store:next_job(0)) end, -- its number is of the time
  open_final = function(o) return o.store:open_final(1, "1 input", 7) end,
  path = function(o) return o.store:path() end,
  predicted = function(o) return o.store:predicted("1", 2) end,
  prepend = function(o) return o.store:prepend(2, 0, { trial(1) }, { version }) end,
  put = function(o) return o.store:put(key(), { from = 3, epochs = { row, row }, diverged = "x", state = "t" }) end,
  read_only = function(o) return o.store:read_only() end,
  row = function(o) return o.store:row(SQL, 7) end,
  rows = function(o)
    local next_row, _, _, rows = o.store:rows(SQL, "x")
    o.rows = rows
    return next_row(), next_row(), next_row()
  end,
  runs = function(o) return o.store:runs(1) end,
  state = function(o) return o.store:state(1) end,
  study = function(o) return o.store:study("other", "text", "source") end,
  trials = function(o) return o.store:trials("1", 1, 10) end,
  trim_states = function(o) return o.store:trim_states(100, 1) end,
  vacuum = function(o) return o.store:vacuum() end,
}

local function stores()
  local store = assert(core.store())
  store:put(key(), { epochs = { row, row }, state = "s" })
  local study = store:study("name", "text", "source")
  local _, lock = store:begin_run({ study = study }, { trial(1) })
  store:begin_run({ study = study, parent = 1, first = 2, newest = 1 }, { trial(2) })
  store:add_job(key "2 input", "text")
  store:open_final(study, "1 input", "tests")
  return { store = store, lock = lock }
end

function tests.test_stores()
  path = os.tmpname()
  check_all(store_methods, stores)
  check("tostring", function(o) return tostring(o.store) end, stores)
  os.remove(path)
end

function tests.test_no_method_of_stores_is_left_out()
  local missing = {}
  for name in pairs(getmetatable(core.store()).__index) do
    if name ~= "close" and not store_methods[name] then missing[#missing + 1] = name end
  end
  lu.assertEquals(missing, {})
end

-- The finalizer takes a row itself: each row is given out once and whole.
function tests.test_rows_are_read_within_rows()
  local count, happened = 0, true
  while happened do
    local store <close> = assert(core.store())
    local rows, within = {}, nil
    local next_row = store:rows("SELECT ?1 AS a, ?1 AS b UNION SELECT ?2, ?2", "abc", "xyz")
    local waiting = at_allocation(count, function() within = next_row() end)
    local results = call(waiting, function()
      for _ = 1, 2 do rows[#rows + 1] = next_row() end
    end)
    happened = waiting.happened
    if happened then rows[#rows + 1] = within end
    lu.assertTrue(results[1] or is_refusal(results[2]) ~= nil, results[2])
    table.sort(rows, function(a, b) return a.a < b.a end)
    if happened then lu.assertEquals(rows, { { a = "abc", b = "abc" }, { a = "xyz", b = "xyz" } }) end
    count = count + 1
  end
  lu.assertTrue(count > 1)
end

-- ---- Tables that a finalizer changes ---------------------------------------------------------------

-- A text that nothing else holds. What is freed is overwritten at once only where it is large.
local function fresh(text, length) return text .. " " .. ("x"):rep(length or 2000) end

local function change_strings(map)
  for name, value in pairs(map) do
    if type(value) == "string" then
      map[name] = "changed"
    elseif type(value) == "table" then
      change_strings(value)
    end
  end
end

-- use(given) for given = make(), whose strings change at each allocation in turn: what it returns are texts, none of
-- which is anything else than `fresh` made, or "changed".
local function check_texts(name, make, use)
  local count, happened = 0, true
  while happened do
    collectgarbage "stop"
    local given = coroutine.wrap(make)() -- nothing of it stays on this stack
    local waiting = at_allocation(count, function() change_strings(given) end)
    local results = call(waiting, use, given)
    happened = waiting.happened
    lu.assertTrue(results[1], results[2])
    for _, text in ipairs(results[2]) do
      local message = ("%s, changed at allocation %d: %q"):format(name, count, text:sub(1, 60))
      lu.assertTrue(text == "changed" or text:find "^%l+ x+$" == 1, message)
    end
    count = count + 1 + count // 8
  end
  lu.assertTrue(count > 3, name)
end

-- All texts of the rows that a statement finds in a store, which is then closed.
local function texts_in(store, sql)
  local texts = {}
  for found in store:rows(sql) do
    for _, text in pairs(found) do texts[#texts + 1] = text end
  end
  store:close()
  return texts
end

local function store_with_run()
  local store = assert(core.store())
  store:begin_run({ study = store:study(nil, "text") }, {})
  return store
end

function tests.test_texts_for_stores()
  check_texts("key", function()
    return { network = fresh "network", loss = fresh "loss", data = fresh "data", recipe = fresh "recipe" }
  end, function(given)
    local store = assert(core.store())
    store:put(given, { epochs = { row } })
    return texts_in(store, "SELECT body FROM text")
  end)
  check_texts("epochs", function()
    local epochs = {}
    for i = 1, 3 do epochs[i] = { metrics = fresh "metrics", measured = fresh "measured" } end
    return { epochs = epochs, diverged = fresh "diverged", state = fresh "state" }
  end, function(given)
    local store = assert(core.store())
    store:put(key(), given)
    return texts_in(store, "SELECT metrics, measured, diverged, bytes FROM epoch, evaluation, state")
  end)
  check_texts("trials", function()
    local trials = {}
    for i = 1, 3 do
      trials[i] = { number = i, decisions = fresh "decisions", origin = fresh "origin", status = fresh "status",
        metrics = fresh "metrics", measured = fresh "measured", logged = fresh "logged" }
    end
    return trials
  end, function(given)
    local store = store_with_run()
    store:append(1, given)
    return texts_in(store, "SELECT decisions, origin, status, metrics, measured, logged FROM trial")
  end)
  check_texts("versions", function()
    return {
      { first = 1, file = fresh "a", source = fresh "one" },
      { first = 1, file = fresh "b", source = fresh "two" },
    }
  end, function(given)
    local store = store_with_run()
    store:append(1, {}, given)
    return texts_in(store, "SELECT file AS a, body AS b FROM reward_version JOIN text ON id = source")
  end)
  check_texts("run", function()
    return { study = 1, script = fresh "script", arguments = fresh "arguments" }
  end, function(given)
    local store = assert(core.store())
    store:study(nil, "text")
    store:begin_run(given, {})
    return texts_in(store, "SELECT body AS a, arguments AS b FROM run JOIN text ON text.id = script")
  end)
  check_texts("session", function() return { program = fresh "program", isa = fresh "isa" } end, function(given)
    local store = assert(core.store())
    store:begin_session(given)
    store:put(key(), { epochs = { row } })
    return texts_in(store, "SELECT program, isa FROM session")
  end)
end

function tests.test_texts_for_files()
  local folder = files.folder()
  local labels = files.write(folder, "labels", string.pack(">I4I4BB", 0x801, 2, 0, 1))
  check_texts("dataset_idx", function()
    return { labels = labels, images = fresh "images", classes = 2, class_names = { fresh "a", fresh "b" } }
  end, function(given)
    local _, message = core.dataset_idx("test", given)
    return { (message:gsub(" cannot be opened.*", ""):gsub("^%.%.%.", "images ")) } -- long paths lose their beginnings
  end)
  files.remove(folder)
end

function tests.test_texts_for_json()
  check_texts("json", function() return { { a = fresh "a", b = fresh "b" }, fresh "c" } end, function(given)
    local texts = core.json_decode(core.json_encode(given))
    return { texts[1].a, texts[1].b, texts[2] }
  end)
  -- keys that come and go
  local count, happened = 0, true
  while happened do
    collectgarbage "stop"
    local given = {}
    for i = 1, 5 do given[fresh("key" .. i)] = i end
    local before = core.json_encode(given)
    local waiting = at_allocation(count, function()
      for name in pairs(given) do given[name] = nil end
      for i = 1, 1000 do given["other" .. i] = i end
    end)
    local results = call(waiting, core.json_encode, given)
    happened = waiting.happened
    local after = core.json_encode(given)
    lu.assertTrue(results[1], results[2])
    lu.assertTrue(results[2] == before or results[2] == after, results[2])
    count = count + 1
  end
  lu.assertTrue(count > 3)
end

function tests.test_texts_of_decisions()
  local policy = core.policy({ units = 2, layers = 1 }, 1)
  check_texts("decisions", function()
    return { { name = fresh("name", 60), options = fresh("options", 60), count = 2, chosen = 1 } }
  end, function(given)
    local texts = {}
    for block in pairs(policy:gradient { { decisions = given, advantage = 1 } }:blocks()) do
      texts[#texts + 1] = block:match "^name/(.*)" or block:match "^option/.*/(.*)"
    end
    return texts
  end)
end

return tests
