--- What spaces were seen to ask and to build, so that sampling need not run a space function again for decisions that
--- it knows: a tree of decisions for each space, with what was built at its leaves. A space is a pure function of its
--- decisions; when a local variable that it uses gets another value, its tree begins anew.
local arch = require "luanas.arch"
local build = require "luanas.build"
local check = require "luanas.check"
local chooser = require "luanas.chooser"

local known = {}

local NODES_MAX = 32768 -- of a tree: then it begins anew; about 30 MiB

local trees = setmetatable({}, { __mode = "k" }) -- by space function

-- ---- Trees -----------------------------------------------------------------------------------------

-- The values of the local variables around a function.
local function surroundings(space)
  local values, i = {}, 1
  while true do
    local name, value = debug.getupvalue(space, i)
    if not name then return values end
    values[i] = value
    i = i + 1
  end
end

local function is_unchanged(tree, space)
  for i = 1, tree.count do
    local _, value = debug.getupvalue(space, i)
    if value ~= tree.surroundings[i] then return false end
  end
  return true
end

-- A node has name, occurrence, options and candidates of a decision, and by the number of the option children and the
-- last decisions; a leaf has built and line.
local function tree_of(space)
  local tree = trees[space]
  if tree and tree.nodes < NODES_MAX and is_unchanged(tree, space) then return tree end
  local values = surroundings(space)
  tree = { root = {}, nodes = 0, surroundings = values, count = debug.getinfo(space, "u").nups }
  trees[space] = tree
  return tree
end

local function differs(node, decision)
  return node.built or node.name ~= decision.name or node.options.key ~= decision.options.key
end

-- Adds what a space built; nothing where it asked for other decisions after the same ones.
local function add(tree, built)
  if built.is_scheduled then return nil end
  local node = tree.root
  for _, decision in ipairs(built.arch.decisions) do
    if not node.name and not node.built then
      node.name, node.occurrence, node.options = decision.name, decision.occurrence, decision.options
      node.candidates = decision.candidates
      node.children, node.decided = {}, {}
    elseif differs(node, decision) then
      return nil
    end
    if not node.children[decision.chosen] then
      node.children[decision.chosen] = {}
      tree.nodes = tree.nodes + 1
    end
    node = node.children[decision.chosen]
  end
  if node.name or node.built then return nil end
  node.built, node.line, node.tree = built, built.arch:line(), tree
  return node
end

-- ---- Building --------------------------------------------------------------------------------------

-- Runs the space: its first decisions are those, and `answer` makes the others.
local function run(tree, space, answer, decisions, sample)
  local function follow(asked, position)
    local before = decisions[position]
    if not before then return answer(asked, position) end
    if asked.name ~= before.name or asked.options.key ~= before.options.key then
      check.fail("decision %d: the space asks for %s of {%s}, but asked for %s of {%s} after the same decisions; "
        .. "a space must be a pure function of its decisions", position, asked.name, asked.options.key, before.name,
        before.options.key)
    end
    return before.chosen, before.log_prob
  end
  local built = build.run(space, chooser.new(follow, { sample = sample }))
  built.arch.leaf = add(tree, built)
  return built.arch
end

-- The decision for option `chosen`. Those that come again are one table: nobody changes them.
local function decision_of(node, chosen, log_prob)
  local last = node.decided[chosen]
  if last and last.log_prob == log_prob then return last end
  local decision = {
    name = node.name, occurrence = node.occurrence, options = node.options, candidates = node.candidates,
    chosen = chosen, log_prob = log_prob,
  }
  node.decided[chosen] = decision
  return decision
end

--- The architecture that answers make (of chooser.new), for sample number `sample`: as
--- build.run(space, chooser.new(answer, { sample = sample })).arch.
function known.choose(space, answer, sample)
  if type(space) ~= "function" then return build.run(space, chooser.new(answer)).arch end -- which raises the error
  local tree = tree_of(space)
  local node, decisions = tree.root, {}
  while node.name do
    local position = #decisions + 1
    local chosen, log_prob = answer(node, position)
    decisions[position] = decision_of(node, chosen, log_prob)
    node = node.children[chosen]
    if not node then return run(tree, space, answer, decisions, sample) end
  end
  if not node.built then return run(tree, space, answer, decisions, sample) end
  local built = node.built.arch
  return arch.new(decisions, {
    network = built.network, unbuildable = built.unbuildable, text = node.line, leaf = node,
  })
end

--- What the space built for a record that comes from known.choose and was built once more since then; or nil.
function known.built(space, record)
  local leaf = record.leaf
  if not leaf or not leaf.is_checked or leaf.tree ~= trees[space] then return nil end
  return is_unchanged(leaf.tree, space) and leaf.built or nil
end

--- The space was run again for the record, and built the same.
function known.is_checked(record)
  if record.leaf then record.leaf.is_checked = true end
end

return known
