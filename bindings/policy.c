/* luanas.CorePolicy: the LSTM policy. */
#include <nas/policy.h>
#include "box.h"
#include "check.h"
#include "decisions.h"
#include "failure.h"
#include "fields.h"
#include "policy.h"
#include "settings.h"
#include "text.h"
#include "types.h"

static const char TYPE[] = "luanas.CorePolicy";

typedef struct policy_box {
  nas_policy *policy;
  nas_tape *episode; /* what begin and choose write */
  nas_tape *scored;  /* what score writes, so that it does not end an episode */
} policy_box;

static policy_box *check_box(lua_State *L) {
  return nas_box_check(L, 1, TYPE);
}

nas_policy *nas_check_policy(lua_State *L, int arg) {
  policy_box *box = nas_box_check(L, arg, TYPE);
  return box->policy;
}

static int policy_close(lua_State *L) {
  policy_box *box = nas_box_peek(L, 1, TYPE);
  nas_tape_destroy(&box->scored);
  nas_tape_destroy(&box->episode);
  nas_policy_destroy(&box->policy);
  return 0;
}

/* -- making and files ------------------------------------------------------------------------- */

/* Ends a function that acquired the policy into the box on top of the stack. */
static int made(lua_State *L, policy_box *box, nas_status status, nas_error *err) {
  if (!status) status = nas_tape_create(&box->episode, box->policy, err);
  if (!status) status = nas_tape_create(&box->scored, box->policy, err);
  if (status) return nas_fail_or_raise(L, err);
  /* Values, initial values, two moments and a transposed copy of each parameter. */
  nas_box_pressure(L, 5 * sizeof(float) * nas_policy_size(box->policy));
  return 1;
}

/* core.policy(options, seed) */
static int core_policy(lua_State *L) {
  nas_error err;
  nas_policy_options options;
  nas_option_value values[NAS_POLICY_OPTIONS];
  nas_settings settings = nas_settings_open(L, 1, "policy");
  uint64_t seed = (uint64_t)luaL_checkinteger(L, 2);
  nas_settings_known(&settings, (const char *const[]){"preset", NULL}, &nas_policy_option_table);
  nas_policy_options_default(&options);
  const char *preset = nas_settings_string(&settings, "preset", NULL);
  if (preset && nas_policy_options_preset(&options, preset, &err)) return nas_raise(L, &err);
  nas_policy_options_to_values(&options, values);
  nas_settings_options(&settings, &nas_policy_option_table, values);
  nas_policy_options_from_values(&options, values);

  policy_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  return made(L, box, nas_policy_create(&box->policy, &options, seed, &err), &err);
}

/* core.policy_load(path) */
static int core_policy_load(lua_State *L) {
  nas_error err;
  const char *path = nas_check_name(L, 1, "path");
  policy_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  return made(L, box, nas_policy_load(&box->policy, path, &err), &err);
}

/* core.policy_decode(bytes) */
static int core_policy_decode(lua_State *L) {
  nas_error err;
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  policy_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  return made(L, box, nas_policy_decode(&box->policy, bytes, size, &err), &err);
}

static int policy_save(lua_State *L) {
  nas_error err;
  const char *path = nas_check_name(L, 2, "path");
  const nas_policy *policy = nas_check_policy(L, 1);
  if (nas_policy_save(policy, path, &err)) return nas_fail_or_raise(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int policy_bytes(lua_State *L) {
  nas_error err;
  lua_settop(L, 1);
  nas_text *text = nas_text_new(L);
  if (nas_policy_encode(nas_check_policy(L, 1), text, &err)) return nas_raise(L, &err);
  return nas_text_to_string(L);
}

/* -- episodes --------------------------------------------------------------------------------- */

static int policy_begin(lua_State *L) {
  nas_error err;
  policy_box *box = check_box(L);
  if (nas_policy_begin(box->policy, box->episode, NAS_POLICY_CURRENT, &err))
    return nas_raise(L, &err);
  return 0;
}

/* policy:choose(name, options, count, stream) */
static int policy_choose(lua_State *L) {
  nas_error err;
  int chosen;
  double log_prob;
  const char *name = nas_check_name(L, 2, "name");
  const char *options = nas_check_name(L, 3, "options");
  int count = (int)nas_check_integer(L, 4, "count", 1, NAS_DECISION_COUNT_MAX);
  nas_stream *stream = nas_check_stream(L, 5);
  policy_box *box = check_box(L);
  if (nas_policy_choose(box->policy, box->episode, name, options, count, stream, &chosen, &log_prob,
                        &err))
    return nas_raise(L, &err);
  lua_pushinteger(L, (lua_Integer)chosen + 1);
  lua_pushnumber(L, log_prob);
  return 2;
}

/* policy:force(name, options, count, chosen) */
static int policy_force(lua_State *L) {
  nas_error err;
  double log_prob;
  const char *name = nas_check_name(L, 2, "name");
  const char *options = nas_check_name(L, 3, "options");
  int count = (int)nas_check_integer(L, 4, "count", 1, NAS_DECISION_COUNT_MAX);
  int chosen = (int)nas_check_integer(L, 5, "chosen", 1, count) - 1;
  policy_box *box = check_box(L);
  if (nas_policy_force(box->policy, box->episode, name, options, count, chosen, &log_prob, &err))
    return nas_raise(L, &err);
  lua_pushnumber(L, log_prob);
  return 1;
}

/* policy:anchor(name, candidates, stream) */
static int policy_anchor(lua_State *L) {
  nas_error err;
  int count;
  double log_prob;
  check_box(L);
  const char *name = nas_check_name(L, 2, "name");
  luaL_checktype(L, 3, LUA_TTABLE);
  nas_stream *stream = nas_check_stream(L, 4);
  lua_settop(L, 4);
  lua_newtable(L);
  lua_pushvalue(L, 3);
  const int *candidates = nas_candidates_read(L, 5, "candidates", &count);
  unsigned char *chosen = nas_box_scratch(L, 5, (size_t)count, sizeof *chosen);
  policy_box *box = check_box(L);
  if (nas_policy_anchor(box->policy, box->episode, name, candidates, count, stream, chosen,
                        &log_prob, &err))
    return nas_raise(L, &err);
  lua_createtable(L, count, 0);
  for (int j = 0; j < count; j++) {
    lua_pushboolean(L, chosen[j]);
    lua_rawseti(L, -2, j + 1);
  }
  lua_pushnumber(L, log_prob);
  return 2;
}

/* policy:force_anchor(name, candidates, chosen) */
static int policy_force_anchor(lua_State *L) {
  nas_error err;
  int count;
  double log_prob;
  check_box(L);
  const char *name = nas_check_name(L, 2, "name");
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_checktype(L, 4, LUA_TTABLE);
  lua_settop(L, 4);
  lua_newtable(L);
  lua_pushvalue(L, 3);
  const int *candidates = nas_candidates_read(L, 5, "candidates", &count);
  lua_pushvalue(L, 4);
  const unsigned char *chosen = nas_chosen_set_read(L, 5, "chosen", count);
  policy_box *box = check_box(L);
  if (nas_policy_force_anchor(box->policy, box->episode, name, candidates, count, chosen, &log_prob,
                              &err))
    return nas_raise(L, &err);
  lua_pushnumber(L, log_prob);
  return 1;
}

/* { log_prob, entropy, probabilities, value } of decision t of those that were scored, with the
 * probabilities of its `count` options, or of candidates to be chosen; `value` may be NULL */
static void push_step(lua_State *L, int t, int count, const double *value) {
  nas_error err;
  nas_policy_step step;
  lua_createtable(L, 0, 4);
  lua_createtable(L, count, 0);
  if (nas_tape_step(check_box(L)->scored, t, &step, &err)) nas_raise(L, &err);
  int is_anchor = step.decision.kind == NAS_DECISION_ANCHOR;
  for (int k = 0; k < step.decision.count; k++) {
    lua_pushnumber(L, step.probabilities[is_anchor ? 2 * k + 1 : k]);
    lua_rawseti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "probabilities");
  nas_set_number(L, "log_prob", step.log_prob);
  nas_set_number(L, "entropy", step.entropy);
  if (value) nas_set_number(L, "value", *value);
}

/* Pushes a list of what was found of each decision, with its value unless `values` is NULL. */
static void push_steps(lua_State *L, const nas_decision *decisions, int length,
                       const double *values) {
  lua_createtable(L, length, 0);
  for (int t = 0; t < length; t++) {
    push_step(L, t, decisions[t].count, values ? &values[t] : NULL);
    lua_rawseti(L, -2, t + 1);
  }
}

/* policy:score(decisions, with_kl, with_values) */
static int policy_score(lua_State *L) {
  nas_error err;
  int count;
  double kl = 0, *values = NULL;
  check_box(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  int with_kl = lua_toboolean(L, 3), with_values = lua_toboolean(L, 4);
  lua_settop(L, 2);
  lua_newtable(L);
  lua_pushvalue(L, 2);
  const nas_decision *decisions = nas_decisions_read(L, 3, "decisions", &count);
  if (with_values) values = nas_box_scratch(L, 3, (size_t)count, sizeof *values);
  policy_box *box = check_box(L);
  if (nas_policy_score(box->policy, box->scored, NAS_POLICY_CURRENT, decisions, count, &err))
    return nas_raise(L, &err);
  if (with_values && nas_policy_values(box->policy, box->scored, values, &err))
    return nas_raise(L, &err);
  if (with_kl && nas_policy_kl(box->policy, decisions, count, &kl, &err)) return nas_raise(L, &err);
  double log_prob = nas_tape_log_prob(box->scored), entropy = nas_tape_entropy(box->scored);
  int length = nas_tape_length(box->scored);
  lua_createtable(L, 0, 4);
  nas_set_number(L, "log_prob", log_prob);
  nas_set_number(L, "entropy", entropy);
  if (with_kl) nas_set_number(L, "kl", kl);
  push_steps(L, decisions, length, values);
  lua_setfield(L, -2, "decisions");
  return 1;
}

/* -- learning --------------------------------------------------------------------------------- */

/* policy:learn(episodes) */
static int policy_learn(lua_State *L) {
  nas_error err;
  nas_policy_learned learned;
  int count;
  nas_check_policy(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_newtable(L);
  const nas_episode *episodes = nas_episodes_read(L, 2, 3, &count);
  nas_policy *policy = nas_check_policy(L, 1);
  if (nas_policy_learn(policy, episodes, count, &learned, &err)) return nas_raise(L, &err);
  lua_createtable(L, 0, 9);
  nas_set_number(L, "policy_loss", learned.policy_loss);
  nas_set_number(L, "entropy_loss", learned.entropy_loss);
  nas_set_number(L, "value_loss", learned.value_loss);
  nas_set_number(L, "skip_loss", learned.skip_loss);
  nas_set_number(L, "l2", learned.l2);
  nas_set_number(L, "loss", learned.loss);
  nas_set_number(L, "entropy", learned.entropy);
  nas_set_number(L, "kl", learned.kl);
  nas_set_number(L, "gradient_norm", learned.gradient_norm);
  return 1;
}

/* policy:gradient(episodes) */
static int policy_gradient(lua_State *L) {
  nas_error err;
  int count;
  check_box(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_newtable(L);
  const nas_episode *episodes = nas_episodes_read(L, 2, 3, &count);
  nas_policy_gradient **gradient = nas_push_gradient(L, 1);
  policy_box *box = check_box(L);
  if (nas_policy_gradient_create(gradient, box->policy, &err)) return nas_raise(L, &err);
  for (int i = 0; i < count; i++) {
    const nas_episode *episode = &episodes[i];
    nas_status status = nas_policy_score(box->policy, box->scored, NAS_POLICY_CURRENT,
                                         episode->decisions, episode->count, &err);
    if (!status)
      status =
          nas_policy_accumulate(box->policy, box->scored, &episode->coefficients, *gradient, &err);
    if (status) return luaL_error(L, "episode %d: %s", i + 1, err.text);
  }
  nas_box_pressure(L, sizeof(float) * nas_policy_size(box->policy));
  return 1;
}

/* policy:apply(gradient) */
static int policy_apply(lua_State *L) {
  nas_error err;
  nas_policy_applied applied;
  nas_policy *policy = nas_check_policy(L, 1);
  const nas_policy_gradient *gradient = nas_check_gradient(L, 2);
  if (nas_policy_apply(policy, gradient, &applied, &err)) return nas_raise(L, &err);
  lua_createtable(L, 0, 2);
  nas_set_number(L, "gradient_norm", applied.gradient_norm);
  nas_set_number(L, "l2", applied.l2);
  return 1;
}

/* -- parameters ------------------------------------------------------------------------------- */

static nas_status get_values(lua_State *L, const nas_policy_block *block, float *values,
                             nas_error *err) {
  return nas_policy_get(nas_check_policy(L, 1), NAS_POLICY_CURRENT, block->first,
                        (size_t)block->rows * (size_t)block->width, values, err);
}

int nas_push_blocks(lua_State *L, int policy, nas_block_values *get) {
  nas_error err;
  nas_policy_block block;
  int count = nas_policy_block_count(nas_check_policy(L, policy));
  lua_createtable(L, 0, count);
  for (int i = 0; i < count; i++) {
    if (nas_policy_block_at(nas_check_policy(L, policy), i, &block, &err))
      return nas_raise(L, &err);
    lua_pushstring(L, block.key);
    size_t size = (size_t)block.rows * (size_t)block.width;
    float *values = lua_newuserdatauv(L, size * sizeof *values, 0);
    if (get(L, &block, values, &err)) return nas_raise(L, &err);
    lua_createtable(L, (int)size, 2);
    nas_set_integer(L, "rows", block.rows);
    nas_set_integer(L, "width", block.width);
    for (size_t k = 0; k < size; k++) {
      lua_pushnumber(L, (lua_Number)values[k]);
      lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    lua_remove(L, -2);
    lua_rawset(L, -3);
  }
  return 1;
}

static int policy_blocks(lua_State *L) {
  lua_settop(L, 1);
  return nas_push_blocks(L, 1, get_values);
}

static void push_options(lua_State *L, const nas_policy_options *options) {
  const nas_option_table *table = &nas_policy_option_table;
  nas_option_value values[NAS_POLICY_OPTIONS];
  nas_policy_options_to_values(options, values);
  lua_createtable(L, 0, table->count);
  for (int i = 0; i < table->count; i++) {
    if (table->options[i].type == NAS_OPTION_NUMBER)
      lua_pushnumber(L, values[i].number);
    else
      lua_pushinteger(L, values[i].integer);
    lua_setfield(L, -2, table->options[i].name);
  }
}

static int policy_info(lua_State *L) {
  lua_settop(L, 1);
  lua_createtable(L, 0, 4);
  const nas_policy *policy = nas_check_policy(L, 1);
  nas_set_integer(L, "seed", (lua_Integer)nas_policy_seed(policy));
  nas_set_integer(L, "steps", (lua_Integer)nas_policy_steps(policy));
  nas_set_integer(L, "params", (lua_Integer)nas_policy_size(policy));
  push_options(L, nas_policy_options_of(policy));
  lua_setfield(L, -2, "options");
  return 1;
}

static int policy_tostring(lua_State *L) {
  policy_box *box = nas_box_peek(L, 1, TYPE);
  if (!box->policy)
    lua_pushfstring(L, "%s (closed)", TYPE);
  else
    lua_pushfstring(L, "%s: %I parameters, %I steps", TYPE,
                    (lua_Integer)nas_policy_size(box->policy),
                    (lua_Integer)nas_policy_steps(box->policy));
  return 1;
}

static const luaL_Reg methods[] = {
    {"save", policy_save},
    {"bytes", policy_bytes},
    {"begin", policy_begin},
    {"choose", policy_choose},
    {"force", policy_force},
    {"anchor", policy_anchor},
    {"force_anchor", policy_force_anchor},
    {"score", policy_score},
    {"learn", policy_learn},
    {"gradient", policy_gradient},
    {"apply", policy_apply},
    {"blocks", policy_blocks},
    {"info", policy_info},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", policy_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"policy", core_policy},
    {"policy_load", core_policy_load},
    {"policy_decode", core_policy_decode},
    {NULL, NULL},
};

void nas_open_policy(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, policy_close);
  luaL_setfuncs(L, functions, 0);
  nas_open_gradient(L);
}
