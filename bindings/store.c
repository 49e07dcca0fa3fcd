/* luanas.Store: one file with all that was finished. luanas.StoreLock: what it holds against other
 * processes. Neither can be used after the store was closed. */
#include <limits.h>
#include <nas/memory.h>
#include <nas/store.h>
#include <stdio.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "fields.h"
#include "interrupt.h"
#include "settings.h"
#include "text.h"
#include "types.h"

static const char TYPE[] = "luanas.Store";
static const char LOCK[] = "luanas.StoreLock";
static const char FOUND[] = "luanas.StoreFound";
static const char TRIALS[] = "luanas.StoreTrials";
static const char RUNS[] = "luanas.StoreRuns";
static const char ROWS[] = "luanas.StoreRows";

typedef struct store_box {
  nas_store *store;
  int told;                  /* that it waits */
  nas_interrupt_hooks hooks; /* when the call began */
} store_box;

/* Right before the store is used: anything that allocates may run a finalizer that closes it. */
static nas_store *check(lua_State *L) {
  nas_error err;
  store_box *box = nas_box_check(L, 1, TYPE);
  if (nas_store_check_process(box->store, &err)) nas_raise(L, &err);
  box->hooks = nas_interrupt_note(L);
  return box->store;
}

/* An id, or another number that a store gives. */
static int64_t check_number(lua_State *L, int arg, const char *what) {
  return nas_check_integer(L, arg, what, 0, INT64_MAX);
}

/* -- opening ---------------------------------------------------------------------------------- */

/* Another process writes: waits as long as Ctrl-C lets it, and says once what for. */
static int waits(void *context, const char *what) {
  store_box *box = context;
  if (*what && !box->told) {
    fprintf(stderr, "luanas: waiting: %s\n", what);
    box->told = 1;
  }
  return nas_interrupt_poll(&box->hooks);
}

/* core.store(path, { must_exist = boolean, read_only = boolean }): nil as path keeps it in memory.
 */
static int core_store(lua_State *L) {
  static const char *const names[] = {"must_exist", "read_only", NULL};
  nas_error err;
  nas_store_options options = {.wait = waits};
  options.path = lua_isnoneornil(L, 1) ? NULL : nas_check_name(L, 1, "path");
  nas_settings settings = nas_settings_open(L, 2, "store");
  nas_settings_known(&settings, names, NULL);
  options.must_exist = nas_settings_boolean(&settings, "must_exist", 0);
  options.read_only = nas_settings_boolean(&settings, "read_only", 0);
  store_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  options.wait_context = box;
  box->hooks = nas_interrupt_note(L);
  if (nas_store_open(&box->store, &options, &err)) return nas_interrupt_or_fail(L, &err);
  return 1;
}

static int store_close(lua_State *L) {
  store_box *box = nas_box_peek(L, 1, TYPE);
  nas_store_close(&box->store);
  return 0;
}

static int store_path(lua_State *L) {
  lua_pushstring(L, nas_store_path(check(L)));
  return 1;
}

static int store_read_only(lua_State *L) {
  lua_pushboolean(L, nas_store_read_only(check(L)));
  return 1;
}

/* store:begin_session { program, isa, threads } */
static int store_begin_session(lua_State *L) {
  nas_error err;
  nas_settings settings = nas_settings_open(L, 2, "session");
  const nas_session session = {.program = nas_settings_string(&settings, "program", NULL),
                               .isa = nas_settings_string(&settings, "isa", NULL),
                               .threads =
                                   (int)nas_settings_integer(&settings, "threads", 0, 0, 1 << 20)};
  if (nas_store_begin_session(check(L), &session, &err)) return nas_raise(L, &err);
  return 0;
}

static int store_tostring(lua_State *L) {
  store_box *box = nas_box_peek(L, 1, TYPE);
  const char *path = box->store ? nas_store_path(box->store) : "closed";
  lua_pushfstring(L, "%s: %s", TYPE, path ? path : "in memory");
  return 1;
}

/* -- evaluations ------------------------------------------------------------------------------ */

static const char *required(const nas_settings *settings, const char *name) {
  const char *text = nas_settings_string(settings, name, NULL);
  if (!text) nas_settings_missing(settings, name, "a string");
  return text;
}

static nas_evaluation_key key_of(lua_State *L, int arg) {
  nas_settings s = nas_settings_open(L, arg, "key");
  return (nas_evaluation_key){.network = required(&s, "network"),
                              .loss = required(&s, "loss"),
                              .data = required(&s, "data"),
                              .recipe = required(&s, "recipe"),
                              .seed = (uint64_t)nas_settings_integer(&s, "seed", 0, 0, INT64_MAX),
                              .numeric_version =
                                  (int)nas_settings_integer(&s, "numeric_version", 0, 0, 1 << 30)};
}

typedef struct found_box {
  void *handle; /* never NULL: it is cleared, not closed */
  nas_evaluation evaluation;
} found_box;

static int found_close(lua_State *L) {
  found_box *box = nas_box_peek(L, 1, FOUND);
  nas_evaluation_clear(&box->evaluation);
  return 0;
}

/* store:find(key): { id, epochs = { { metrics, measured }, ... }, diverged }, texts of JSON; or
 * false where there is none; or nil, message, code. */
static int store_find(lua_State *L) {
  nas_error err;
  const nas_evaluation_key key = key_of(L, 2);
  found_box *box = nas_box_new(L, FOUND, sizeof *box, 0);
  const nas_evaluation *e = &box->evaluation;
  if (nas_store_find(check(L), &key, &box->evaluation, &err)) return nas_interrupt_or_fail(L, &err);
  if (e->id == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_createtable(L, 0, 3);
  nas_set_integer(L, "id", e->id);
  nas_set_string(L, "diverged", e->diverged);
  lua_createtable(L, e->epoch_count, 0);
  for (int i = 0; i < e->epoch_count; i++) {
    lua_createtable(L, 0, 2);
    nas_set_string(L, "metrics", e->epochs[i].metrics);
    nas_set_string(L, "measured", e->epochs[i].measured);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "epochs");
  nas_evaluation_clear(&box->evaluation);
  return 1;
}

/* Pushes entry i, from 1, of the list at an index, as settings of "what i", which is pushed, too.
 */
static nas_settings push_entry(lua_State *L, int list, const char *what, lua_Integer i) {
  if (lua_rawgeti(L, list, i) != LUA_TTABLE)
    luaL_error(L, "%s %I is %s; expected a table", what, i, nas_check_shown(L, -1));
  const char *owner = lua_pushfstring(L, "%s %I", what, i);
  return nas_settings_open(L, lua_gettop(L) - 1, owner);
}

/* Pops it; the list at index `scratch` keeps its strings. */
static void keep_entry(lua_State *L, int scratch) {
  lua_pop(L, 1);
  lua_rawseti(L, scratch, (lua_Integer)lua_rawlen(L, scratch) + 1);
}

/* Room for the entries of a list; pushes what keeps it and them. */
static void *push_entries(lua_State *L, lua_Unsigned count, size_t size) {
  if (count > INT_MAX) luaL_error(L, "not enough memory");
  lua_newtable(L);
  return nas_box_scratch(L, lua_gettop(L), count + 1, size);
}

/* The epochs in a field, which are pushed. */
static const nas_epoch_row *epochs_of(const nas_settings *settings, int *count) {
  lua_State *L = settings->L;
  lua_Unsigned length = nas_settings_list(settings, "epochs", "a list");
  int list = lua_gettop(L);
  nas_epoch_row *rows = push_entries(L, length, sizeof *rows);
  for (lua_Unsigned i = 0; i < length; i++) {
    nas_settings s = push_entry(L, list, "put: epoch", (lua_Integer)i + 1);
    rows[i].metrics = required(&s, "metrics");
    rows[i].measured = required(&s, "measured");
    rows[i].predicted =
        (const unsigned char *)nas_settings_bytes(&s, "predicted", &rows[i].predicted_count);
    keep_entry(L, list + 1);
  }
  *count = (int)length;
  return rows;
}

/* store:put(key, { from, epochs = { { metrics, measured, predicted }, ... }, diverged, state }):
 * the id. */
static int store_put(lua_State *L) {
  nas_error err;
  int64_t id;
  const nas_evaluation_key key = key_of(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  nas_settings s = nas_settings_open(L, 3, "put");
  nas_evaluation_part part = {.from = (int)nas_settings_integer(&s, "from", 1, 1, 1 << 30),
                              .diverged = nas_settings_string(&s, "diverged", NULL)};
  part.state = nas_settings_bytes(&s, "state", &part.state_size);
  part.epochs = epochs_of(&s, &part.count);
  if (nas_store_put(check(L), &key, &part, &id, &err)) return nas_interrupt_or_fail(L, &err);
  lua_pushinteger(L, id);
  return 1;
}

/* store:predicted(evaluation, epoch): bytes, or false */
static int store_predicted(lua_State *L) {
  nas_error err;
  int found;
  int64_t id = check_number(L, 2, "evaluation");
  int epoch = (int)nas_check_integer(L, 3, "epoch", 1, 1 << 30);
  nas_text *bytes = nas_text_new(L);
  if (nas_store_predicted(check(L), id, epoch, bytes, &found, &err))
    return nas_fail_or_raise(L, &err);
  if (found) return nas_text_to_string(L);
  lua_pushboolean(L, 0);
  return 1;
}

/* store:state(evaluation): bytes and the epoch after which it was taken, or false */
static int store_state(lua_State *L) {
  nas_error err;
  int epoch;
  int64_t id = check_number(L, 2, "evaluation");
  nas_text *bytes = nas_text_new(L);
  if (nas_store_state(check(L), id, bytes, &epoch, &err)) return nas_interrupt_or_fail(L, &err);
  if (epoch == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  nas_text_to_string(L);
  lua_pushinteger(L, epoch);
  return 2;
}

static int done(lua_State *L, nas_status status, const nas_error *err) {
  if (status != NAS_OK) return nas_interrupt_or_fail(L, err);
  lua_pushboolean(L, 1);
  return 1;
}

static int store_trim_states(lua_State *L) {
  nas_error err;
  int64_t bytes = nas_check_integer(L, 2, "bytes", 0, INT64_MAX);
  int64_t best = nas_check_integer(L, 3, "best", 0, INT64_MAX);
  return done(L, nas_store_trim_states(check(L), bytes, best, &err), &err);
}

static int store_keep_states(lua_State *L) {
  nas_error err;
  int64_t best = nas_check_integer(L, 2, "best", 0, INT64_MAX);
  return done(L, nas_store_keep_states(check(L), best, &err), &err);
}

/* -- locks ------------------------------------------------------------------------------------ */

/* Its user value is the store. */
typedef struct lock_box {
  void *handle; /* not NULL: held */
  nas_lock lock;
} lock_box;

static int lock_close(lua_State *L) {
  lock_box *box = nas_box_peek(L, 1, LOCK);
  if (!box->handle) return 0;
  lua_getiuservalue(L, 1, 1);
  store_box *store = nas_box_test(L, -1, TYPE);
  if (store) nas_store_unlock(store->store, &box->lock);
  box->handle = NULL;
  return 0;
}

/* A lock of the store that is argument 1, not held yet. */
static lock_box *new_lock(lua_State *L) {
  lock_box *box = nas_box_new(L, LOCK, sizeof *box, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return box;
}

static int lock(lua_State *L, nas_lock_kind kind, uint64_t number) {
  nas_error err;
  const char *purpose = nas_check_name(L, 3, "purpose");
  lock_box *box = new_lock(L);
  if (nas_store_lock(check(L), kind, number, purpose, &box->lock, &err))
    return nas_interrupt_or_fail(L, &err);
  box->handle = box;
  return 1;
}

/* store:lock_evaluation(key, purpose): a lock; or nil, who has it, "NAS_BUSY" */
static int store_lock_evaluation(lua_State *L) {
  const nas_evaluation_key key = key_of(L, 2);
  return lock(L, NAS_LOCK_EVALUATION, nas_evaluation_hash(&key).low);
}

/* store:lock_run(run, purpose) */
static int store_lock_run(lua_State *L) {
  return lock(L, NAS_LOCK_RUN, (uint64_t)nas_check_integer(L, 2, "run", 1, INT64_MAX));
}

/* -- the test split --------------------------------------------------------------------------- */

/* store:open_final(study, network, intent): the metrics of before, or false */
static int store_open_final(lua_State *L) {
  nas_error err;
  int64_t study = check_number(L, 2, "study");
  const char *network = nas_check_name(L, 3, "network"), *intent = nas_check_name(L, 4, "intent");
  nas_text *metrics = nas_text_new(L);
  if (nas_store_open_final(check(L), study, network, intent, metrics, &err))
    return nas_interrupt_or_fail(L, &err);
  if (metrics->size > 0) return nas_text_to_string(L);
  lua_pushboolean(L, 0);
  return 1;
}

/* store:end_final(study, metrics) */
static int store_end_final(lua_State *L) {
  nas_error err;
  int64_t study = check_number(L, 2, "study");
  const char *metrics = nas_check_name(L, 3, "metrics");
  return done(L, nas_store_end_final(check(L), study, metrics, &err), &err);
}

/* -- jobs ------------------------------------------------------------------------------------- */

/* store:add_job(key, text): the id of the job */
static int store_add_job(lua_State *L) {
  nas_error err;
  const nas_evaluation_key key = key_of(L, 2);
  int64_t id;
  const char *text = nas_check_name(L, 3, "text");
  if (nas_store_add_job(check(L), &key, text, &id, &err)) return nas_interrupt_or_fail(L, &err);
  lua_pushinteger(L, id);
  return 1;
}

/* store:next_job(after): its id and text, or false */
static int store_next_job(lua_State *L) {
  nas_error err;
  int64_t id;
  int64_t after = nas_check_integer(L, 2, "after", 0, INT64_MAX);
  nas_text *text = nas_text_new(L);
  if (nas_store_next_job(check(L), after, &id, text, &err)) return nas_interrupt_or_fail(L, &err);
  if (id == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  nas_text_to_string(L);
  lua_pushinteger(L, id);
  lua_insert(L, -2);
  return 2;
}

/* store:begin_job(id): whether it may be tried */
static int store_begin_job(lua_State *L) {
  nas_error err;
  int may_try;
  int64_t id = check_number(L, 2, "id");
  if (nas_store_begin_job(check(L), id, &may_try, &err)) return nas_interrupt_or_fail(L, &err);
  lua_pushboolean(L, may_try);
  return 1;
}

/* store:end_job(id, failure): without a failure it is done */
static int store_end_job(lua_State *L) {
  nas_error err;
  int64_t id = check_number(L, 2, "id");
  const char *failure = lua_isnoneornil(L, 3) ? NULL : nas_check_name(L, 3, "failure");
  return done(L, nas_store_end_job(check(L), id, failure, &err), &err);
}

/* -- studies, runs, trials -------------------------------------------------------------------- */

/* store:study(name, text, source): its id */
static int store_study(lua_State *L) {
  nas_error err;
  int64_t id;
  const char *name = lua_isnoneornil(L, 2) ? NULL : nas_check_name(L, 2, "name");
  const char *text = nas_check_name(L, 3, "text");
  const char *source = lua_isnoneornil(L, 4) ? NULL : nas_check_name(L, 4, "source");
  if (nas_store_study(check(L), name, text, source, &id, &err))
    return nas_interrupt_or_fail(L, &err);
  lua_pushinteger(L, id);
  return 1;
}

typedef struct runs_box {
  nas_run *runs;
} runs_box;

static int runs_close(lua_State *L) {
  runs_box *box = nas_box_peek(L, 1, RUNS);
  nas_free(box->runs);
  box->runs = NULL;
  return 0;
}

/* store:runs(study): { { id, parent, first, last, numeric_version }, ... }; parent 0: none */
static int store_runs(lua_State *L) {
  nas_error err;
  int count;
  int64_t study = check_number(L, 2, "study");
  runs_box *box = nas_box_new(L, RUNS, sizeof *box, 0);
  if (nas_store_runs(check(L), study, &box->runs, &count, &err)) return nas_fail_or_raise(L, &err);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    const nas_run *run = &box->runs[i];
    lua_createtable(L, 0, 5);
    nas_set_integer(L, "id", run->id);
    nas_set_integer(L, "parent", run->parent);
    nas_set_integer(L, "first", run->first);
    nas_set_integer(L, "last", run->last);
    nas_set_integer(L, "numeric_version", run->numeric_version);
    lua_rawseti(L, -2, i + 1);
  }
  nas_free(box->runs);
  box->runs = NULL;
  return 1;
}

typedef struct trials_box {
  void *handle;
  nas_trials trials;
} trials_box;

static int trials_close(lua_State *L) {
  trials_box *box = nas_box_peek(L, 1, TRIALS);
  nas_trials_clear(&box->trials);
  return 0;
}

static void push_trial(lua_State *L, const nas_trial *trial) {
  lua_createtable(L, 0, 11);
  nas_set_integer(L, "number", trial->number);
  nas_set_string(L, "decisions", trial->decisions);
  nas_set_string(L, "origin", trial->origin);
  nas_set_string(L, "network", trial->network);
  nas_set_string(L, "status", trial->status);
  nas_set_string(L, "reason", trial->reason);
  if (trial->evaluation) nas_set_integer(L, "evaluation", trial->evaluation);
  nas_set_integer(L, "epochs", trial->epochs);
  nas_set_string(L, "metrics", trial->metrics);
  nas_set_string(L, "measured", trial->measured);
  nas_set_string(L, "logged", trial->logged);
}

/* store:trials(run, from, most): a list of tables; texts of JSON as in the core */
static int store_trials(lua_State *L) {
  nas_error err;
  int64_t run = check_number(L, 2, "run"), from = check_number(L, 3, "from");
  int most = (int)nas_check_integer(L, 4, "most", 1, 1 << 20);
  trials_box *box = nas_box_new(L, TRIALS, sizeof *box, 0);
  if (nas_store_trials(check(L), run, from, most, &box->trials, &err))
    return nas_fail_or_raise(L, &err);
  lua_createtable(L, box->trials.count, 0);
  for (int i = 0; i < box->trials.count; i++) {
    push_trial(L, &box->trials.list[i]);
    lua_rawseti(L, -2, i + 1);
  }
  nas_trials_clear(&box->trials);
  return 1;
}

static nas_trial trial_of(const nas_settings *s) {
  return (nas_trial){.number = nas_settings_integer(s, "number", 0, 1, INT64_MAX),
                     .decisions = required(s, "decisions"),
                     .origin = required(s, "origin"),
                     .network = nas_settings_string(s, "network", NULL),
                     .status = required(s, "status"),
                     .reason = nas_settings_string(s, "reason", NULL),
                     .evaluation = nas_settings_integer(s, "evaluation", 0, 0, INT64_MAX),
                     .epochs = (int)nas_settings_integer(s, "epochs", 0, 0, 1 << 30),
                     .metrics = required(s, "metrics"),
                     .measured = required(s, "measured"),
                     .logged = required(s, "logged")};
}

/* The trials of the list at an argument, which are pushed. */
static const nas_trial *trials_of(lua_State *L, int arg, int *count) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned length = lua_rawlen(L, arg);
  nas_trial *trials = push_entries(L, length, sizeof *trials);
  int scratch = lua_gettop(L);
  for (lua_Unsigned i = 0; i < length; i++) {
    nas_settings s = push_entry(L, arg, "trial", (lua_Integer)i + 1);
    trials[i] = trial_of(&s);
    keep_entry(L, scratch);
  }
  *count = (int)length;
  return trials;
}

/* The versions of the list at an argument (nil: none), which are pushed. */
static const nas_reward_version *versions_of(lua_State *L, int arg, int *count) {
  if (!lua_isnoneornil(L, arg)) luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned length = lua_isnoneornil(L, arg) ? 0 : lua_rawlen(L, arg);
  nas_reward_version *versions = push_entries(L, length, sizeof *versions);
  int scratch = lua_gettop(L);
  for (lua_Unsigned i = 0; i < length; i++) {
    nas_settings s = push_entry(L, arg, "version", (lua_Integer)i + 1);
    versions[i] = (nas_reward_version){.first = nas_settings_integer(&s, "first", 0, 1, INT64_MAX),
                                       .file = required(&s, "file"),
                                       .source = required(&s, "source")};
    keep_entry(L, scratch);
  }
  *count = (int)length;
  return versions;
}

/* The part of a run in the lists at two arguments. */
static nas_run_part part_of(lua_State *L, int trials, int versions) {
  nas_run_part part;
  lua_settop(L, versions);
  part.trials = trials_of(L, trials, &part.trial_count);
  part.versions = versions_of(L, versions, &part.version_count);
  return part;
}

static nas_writer writer_of(const nas_settings *s) {
  return (nas_writer){.script = nas_settings_string(s, "script", NULL),
                      .arguments = nas_settings_string(s, "arguments", NULL)};
}

/* store:begin_run({ study, parent, first, numeric_version, newest, script, arguments }, { trial,
 * ... }, { version, ... } or nil): its id and its lock */
static int store_begin_run(lua_State *L) {
  nas_error err;
  nas_settings s = nas_settings_open(L, 2, "run");
  nas_run run = {.study = nas_settings_integer(&s, "study", 0, 1, INT64_MAX),
                 .parent = nas_settings_integer(&s, "parent", 0, 0, INT64_MAX),
                 .first = nas_settings_integer(&s, "first", 1, 1, INT64_MAX),
                 .numeric_version =
                     (int)nas_settings_integer(&s, "numeric_version", 0, 0, 1 << 30)};
  int64_t newest = nas_settings_integer(&s, "newest", 0, 0, INT64_MAX);
  const nas_writer writer = writer_of(&s);
  const nas_run_part part = part_of(L, 3, 4);
  lock_box *box = new_lock(L);
  if (nas_store_begin_run(check(L), &run, newest, &writer, &part, &box->lock, &err))
    return nas_interrupt_or_fail(L, &err);
  box->handle = box;
  lua_pushinteger(L, run.id);
  lua_insert(L, -2);
  return 2;
}

/* store:continue_run(run, first, { script, arguments }) */
static int store_continue_run(lua_State *L) {
  nas_error err;
  int64_t run = check_number(L, 2, "run"), first = check_number(L, 3, "first");
  nas_settings s = nas_settings_open(L, 4, "writer");
  const nas_writer writer = writer_of(&s);
  return done(L, nas_store_continue_run(check(L), run, first, &writer, &err), &err);
}

/* store:append(run, { trial, ... }, { version, ... } or nil) */
static int store_append(lua_State *L) {
  nas_error err;
  int64_t run = check_number(L, 2, "run");
  const nas_run_part part = part_of(L, 3, 4);
  return done(L, nas_store_append(check(L), run, &part, &err), &err);
}

/* store:prepend(run, parent, { trial, ... }, { version, ... } or nil); parent 0: none */
static int store_prepend(lua_State *L) {
  nas_error err;
  int64_t run = check_number(L, 2, "run"), parent = check_number(L, 3, "parent");
  const nas_run_part part = part_of(L, 4, 5);
  return done(L, nas_store_prepend(check(L), run, parent, &part, &err), &err);
}

/* store:begin_fresh({ script, arguments, turn, count }): the first seed, and whether the script
 * goes on with it */
static int store_begin_fresh(lua_State *L) {
  nas_error err;
  int64_t seed;
  int again;
  nas_settings s = nas_settings_open(L, 2, "fresh");
  const nas_writer writer = writer_of(&s);
  int turn = (int)nas_settings_integer(&s, "turn", 1, 1, INT_MAX);
  int count = (int)nas_settings_integer(&s, "count", 1, 1, INT_MAX);
  if (nas_store_begin_fresh(check(L), &writer, turn, count, &seed, &again, &err))
    return nas_interrupt_or_fail(L, &err);
  lua_pushinteger(L, seed);
  lua_pushboolean(L, again);
  return 2;
}

/* store:end_fresh(seed) */
static int store_end_fresh(lua_State *L) {
  nas_error err;
  int64_t seed = check_number(L, 2, "seed");
  return done(L, nas_store_end_fresh(check(L), seed, &err), &err);
}

/* store:log(run, number, logged) */
static int store_log(lua_State *L) {
  nas_error err;
  int64_t run = check_number(L, 2, "run"), number = check_number(L, 3, "number");
  const char *logged = nas_check_name(L, 4, "logged");
  return done(L, nas_store_log(check(L), run, number, logged, &err), &err);
}

/* -- care ------------------------------------------------------------------------------------- */

static int store_backup(lua_State *L) {
  nas_error err;
  const char *path = nas_check_name(L, 2, "path");
  return done(L, nas_store_backup(check(L), path, &err), &err);
}

static int store_vacuum(lua_State *L) {
  nas_error err;
  return done(L, nas_store_vacuum(check(L), &err), &err);
}

/* store:check(): how many damages, and a line for each */
static int store_check(lua_State *L) {
  nas_error err;
  int damages;
  nas_text *report = nas_text_new(L);
  if (nas_store_check(check(L), report, &damages, &err)) return nas_interrupt_or_fail(L, &err);
  nas_text_to_string(L);
  lua_pushinteger(L, damages);
  lua_insert(L, -2);
  return 2;
}

/* -- reading by SQL --------------------------------------------------------------------------- */

typedef struct rows_box {
  nas_rows *rows;
} rows_box;

static int rows_close(lua_State *L) {
  rows_box *box = nas_box_peek(L, 1, ROWS);
  nas_rows_close(&box->rows);
  return 0;
}

static nas_column column_of(lua_State *L, int arg) {
  nas_column c = {NAS_COLUMN_NULL, 0, 0, NULL, 0};
  switch (lua_type(L, arg)) {
  case LUA_TNIL: break;
  case LUA_TNUMBER:
    c.type = lua_isinteger(L, arg) ? NAS_COLUMN_INTEGER : NAS_COLUMN_NUMBER;
    c.integer = lua_tointeger(L, arg);
    c.number = lua_tonumber(L, arg);
    break;
  case LUA_TSTRING:
    c.type = NAS_COLUMN_TEXT;
    c.bytes = lua_tolstring(L, arg, &c.size);
    break;
  default:
    nas_check_failed(L, arg, "parameter ?%d is %s; expected a number, a string or nil", arg - 2,
                     nas_check_shown(L, arg));
  }
  return c;
}

static void push_column(lua_State *L, nas_column c) {
  switch (c.type) {
  case NAS_COLUMN_INTEGER: lua_pushinteger(L, c.integer); break;
  case NAS_COLUMN_NUMBER: lua_pushnumber(L, c.number); break;
  case NAS_COLUMN_TEXT:
  case NAS_COLUMN_BYTES: lua_pushlstring(L, c.bytes, c.size); break;
  default: lua_pushnil(L);
  }
}

/* What the file or the system is to blame for does not name a line of the caller. */
static int raise_failure(lua_State *L, const nas_error *err) {
  if (err->code == NAS_INTERRUPTED && nas_interrupt_due()) return nas_interrupt_raise(L);
  if (err->code == NAS_ARGUMENT || err->code == NAS_STATE) return nas_raise(L, err);
  lua_pushstring(L, err->text);
  return lua_error(L);
}

/* A row, whose texts and bytes are copied too. */
static void copy_row(const nas_rows *rows, int width, nas_column *columns, nas_text *bytes) {
  for (int i = 0; i < width; i++) {
    columns[i] = nas_rows_column(rows, i);
    if (columns[i].bytes) nas_text_add_bytes(bytes, columns[i].bytes, columns[i].size);
  }
  if (bytes->failed) return;
  const char *at = bytes->data;
  for (int i = 0; i < width; i++) {
    if (!columns[i].bytes) continue;
    columns[i].bytes = at;
    at += columns[i].size;
  }
}

/* Upvalues: the rows, and the list of their names. What a row is made of is copied before Lua
 * allocates, as a finalizer may close the rows, or go to the next one. */
static int next_row(lua_State *L) {
  nas_error err;
  int more, width = (int)lua_rawlen(L, lua_upvalueindex(2));
  rows_box *box = nas_box_peek(L, lua_upvalueindex(1), ROWS);
  nas_column *columns = lua_newuserdatauv(L, (size_t)width * sizeof *columns, 0);
  nas_text *bytes = nas_text_new(L);
  lua_getiuservalue(L, lua_upvalueindex(1), 1);
  store_box *store = nas_box_test(L, -1, TYPE);
  if (store)
    store->hooks = nas_interrupt_note(L); /* the coroutine that called rows() may be gone */
  if (!box->rows) return luaL_error(L, "the rows are closed");
  if (nas_rows_next(box->rows, &more, &err)) return raise_failure(L, &err);
  if (!more) {
    nas_rows_close(&box->rows);
    return 0;
  }
  copy_row(box->rows, width, columns, bytes);
  if (bytes->failed) return luaL_error(L, "not enough memory");
  lua_createtable(L, 0, width);
  for (int i = 0; i < width; i++) {
    lua_rawgeti(L, lua_upvalueindex(2), i + 1);
    push_column(L, columns[i]);
    lua_rawset(L, -3);
  }
  nas_text_clear(bytes);
  return 1;
}

/* The names of the columns, each with the zero byte at its end. */
static void copy_names(const nas_rows *rows, int width, nas_text *names) {
  for (int i = 0; i < width && !names->failed; i++) {
    const char *name = nas_rows_name(rows, i);
    if (name)
      nas_text_add_bytes(names, name, strlen(name) + 1);
    else
      names->failed = 1;
  }
}

static void push_names(lua_State *L, int width, const nas_text *names) {
  if (names->failed) luaL_error(L, "not enough memory");
  const char *name = names->data;
  lua_createtable(L, width, 0);
  for (int i = 0; i < width; i++) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, i + 1);
    name += strlen(name) + 1;
  }
}

/* store:rows(sql, ...): for a generic for: each row as a table by the names of its columns. Raises
 * whatever fails. */
static int store_rows(lua_State *L) {
  nas_error err;
  const char *sql = nas_check_name(L, 2, "sql");
  int count = lua_gettop(L) - 2;
  nas_column *parameters = push_entries(L, (lua_Unsigned)count, sizeof *parameters);
  for (int i = 0; i < count; i++) parameters[i] = column_of(L, 3 + i);
  nas_text *names = nas_text_new(L);
  rows_box *box = nas_box_new(L, ROWS, sizeof *box, 1);
  int at = lua_gettop(L);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, at, 1);
  if (nas_rows_open(&box->rows, check(L), sql, parameters, count, &err))
    return raise_failure(L, &err);
  int width = nas_rows_width(box->rows);
  copy_names(box->rows, width, names);
  lua_pushvalue(L, at);
  push_names(L, width, names);
  lua_pushcclosure(L, next_row, 2);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, at); /* closed at the end of the loop */
  return 4;
}

/* The first row of store:rows(sql, ...), or nil. */
static int store_row(lua_State *L) {
  store_rows(L);
  lua_toclose(L, -1);
  lua_pushvalue(L, -4);
  lua_call(L, 0, 1);
  return 1;
}

/* -- registration ----------------------------------------------------------------------------- */

static const luaL_Reg methods[] = {
    {"add_job", store_add_job},
    {"append", store_append},
    {"backup", store_backup},
    {"begin_fresh", store_begin_fresh},
    {"begin_job", store_begin_job},
    {"begin_run", store_begin_run},
    {"begin_session", store_begin_session},
    {"check", store_check},
    {"continue_run", store_continue_run},
    {"end_final", store_end_final},
    {"end_fresh", store_end_fresh},
    {"end_job", store_end_job},
    {"find", store_find},
    {"keep_states", store_keep_states},
    {"lock_evaluation", store_lock_evaluation},
    {"lock_run", store_lock_run},
    {"log", store_log},
    {"next_job", store_next_job},
    {"open_final", store_open_final},
    {"path", store_path},
    {"predicted", store_predicted},
    {"prepend", store_prepend},
    {"put", store_put},
    {"read_only", store_read_only},
    {"row", store_row},
    {"rows", store_rows},
    {"runs", store_runs},
    {"state", store_state},
    {"study", store_study},
    {"trials", store_trials},
    {"trim_states", store_trim_states},
    {"vacuum", store_vacuum},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", store_tostring},
    {NULL, NULL},
};

void nas_open_store(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  nas_box_type(L, LOCK, none, NULL, lock_close);
  nas_box_type(L, FOUND, none, NULL, found_close);
  nas_box_type(L, RUNS, none, NULL, runs_close);
  nas_box_type(L, TRIALS, none, NULL, trials_close);
  nas_box_type(L, ROWS, none, NULL, rows_close);
  nas_box_type(L, TYPE, methods, meta, store_close);
  lua_pushcfunction(L, core_store);
  lua_setfield(L, -2, "store");
}
