/* luanas.Trainer: trains one network on one data set. */
#include <nas/trainer.h>
#include <limits.h>
#include <nas/cpu.h>
#include <string.h>
#include "box.h"
#include "failure.h"
#include "interrupt.h"
#include "kernel.h"
#include "settings.h"
#include "types.h"

static const char TYPE[] = "luanas.Trainer";

typedef struct trainer_box {
  nas_trainer *trainer;
  nas_pool *pool; /* outlives the trainer */
} trainer_box;

static nas_trainer *check(lua_State *L) {
  trainer_box *box = nas_box_check(L, 1, TYPE);
  return box->trainer;
}

static int trainer_close(lua_State *L) {
  trainer_box *box = nas_box_peek(L, 1, TYPE);
  nas_trainer_destroy(&box->trainer);
  nas_pool_destroy(&box->pool);
  return 0;
}

/* -- making ----------------------------------------------------------------------------------- */

typedef struct speed {
  int threads;
  nas_trainer_options options;
} speed;

static speed check_speed(lua_State *L, int arg) {
  static const char *const names[] = {"threads", "micro_batch", "isa", NULL};
  nas_settings settings = nas_settings_open(L, arg, "speed");
  nas_settings_known(&settings, names, NULL);
  speed result = {0};
  result.threads = (int)nas_settings_integer(&settings, "threads", nas_cpu_count(), 1, 256);
  result.options.micro_batch = (int)nas_settings_integer(&settings, "micro_batch", 0, 0, NAS_GROUP);
  const char *isa = nas_settings_string(&settings, "isa", NULL);
  if (isa) {
    result.options.kernels = nas_kernels_named(isa);
    if (!result.options.kernels)
      luaL_error(L, "speed: isa is \"%s\", which this build and processor lack", isa);
  }
  return result;
}

/* About what a trainer holds: parameters, gradient, moments; for each thread an arena and a
 * gradient. */
static size_t trainer_bytes(const nas_trainer *trainer, int threads) {
  const nas_compiled *compiled = nas_trainer_compiled(trainer);
  size_t params = nas_compiled_param_floats(compiled);
  size_t shared = 4 * params + nas_compiled_derived_floats(compiled);
  size_t each = params + nas_compiled_arena_floats(compiled);
  return (shared + (size_t)threads * each) * sizeof(float);
}

/* core.trainer(output, data, recipe, seed, speed) */
static int core_trainer(lua_State *L) {
  nas_error err;
  nas_node *output = nas_check_node(L, 1);
  nas_dataset *data = nas_check_dataset(L, 2);
  const nas_recipe *recipe = nas_check_recipe(L, 3);
  uint64_t seed = (uint64_t)luaL_checkinteger(L, 4);
  speed how = check_speed(L, 5);

  trainer_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_pool_create(&box->pool, how.threads, &err)) return nas_raise(L, &err);
  if (nas_trainer_create(&box->trainer, output, data, recipe, seed, box->pool, &how.options, &err))
    return nas_fail_or_raise(L, &err);
  nas_box_pressure(L, trainer_bytes(box->trainer, how.threads));
  return 1;
}

/* -- training --------------------------------------------------------------------------------- */

/* The hooks of the running coroutine and of the main thread when an epoch began. Stock Lua's
 * handler of Ctrl-C sets a hook on the latter. */
typedef struct hooks {
  lua_State *state[2];
  lua_Hook hook[2];
  int mask[2];
} hooks;

static hooks note_hooks(lua_State *L) {
  hooks noted = {.state = {L, L}};
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD) == LUA_TTHREAD)
    noted.state[1] = lua_tothread(L, -1);
  lua_pop(L, 1);
  for (int i = 0; i < 2; i++) {
    noted.hook[i] = lua_gethook(noted.state[i]);
    noted.mask[i] = lua_gethookmask(noted.state[i]);
  }
  return noted;
}

/* A nas_poll. */
static int is_interrupted(void *context) {
  const hooks *before = context;
  if (nas_interrupt_pending()) return 1;
  for (int i = 0; i < 2; i++) {
    if (lua_gethook(before->state[i]) != before->hook[i]) return 1;
    if (lua_gethookmask(before->state[i]) != before->mask[i]) return 1;
  }
  return 0;
}

static void set_number(lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static int trainer_epoch(lua_State *L) {
  nas_error err;
  nas_epoch epoch;
  nas_trainer *trainer = check(L);
  hooks before = note_hooks(L);
  if (nas_trainer_epoch(trainer, is_interrupted, &before, &epoch, &err)) {
    /* Without the flag it was a hook that interrupted: it raises as soon as Lua runs again. */
    if (err.code == NAS_INTERRUPTED && nas_interrupt_pending()) return nas_interrupt_raise(L);
    return nas_fail_or_raise(L, &err);
  }
  lua_createtable(L, 0, 7);
  lua_pushinteger(L, epoch.epoch);
  lua_setfield(L, -2, "epoch");
  set_number(L, "train_loss", epoch.train_loss);
  set_number(L, "train_accuracy", epoch.train_accuracy);
  set_number(L, "loss", epoch.loss);
  set_number(L, "accuracy", epoch.accuracy);
  set_number(L, "train_seconds", epoch.train_seconds);
  set_number(L, "seconds", epoch.seconds);
  return 1;
}

static int trainer_digest(lua_State *L) {
  nas_error err;
  nas_hash digest;
  if (nas_trainer_digest(check(L), &digest, &err)) return nas_raise(L, &err);
  nas_push_hash(L, digest);
  return 1;
}

/* Pushes a copy of one parameter set without its padding. */
static void push_values(lua_State *L, const nas_trainer *trainer, const nas_param_place *place) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  for (int d = 0; d < place->is.rank; d++) dims[d] = place->is.dim[d];
  nas_tensor **values = nas_push_tensor(L);
  if (nas_tensor_create(values, NAS_FLOAT32, place->is.rank, dims, &err)) nas_raise(L, &err);
  const float *from = nas_trainer_params(trainer) + place->at;
  float *to = nas_tensor_data(*values);
  size_t width = (size_t)place->width;
  for (size_t row = 0; row < place->rows; row++)
    memcpy(to + row * width, from + row * (size_t)nas_row(place->width), width * sizeof(float));
  nas_box_pressure(L, place->rows * width * sizeof(float));
}

static int trainer_params(lua_State *L) {
  const nas_trainer *trainer = check(L);
  const nas_compiled *compiled = nas_trainer_compiled(trainer);
  int count = nas_compiled_param_count(compiled);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    nas_param_place place = nas_compiled_param(compiled, i);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, place.node + 1);
    lua_setfield(L, -2, "layer");
    lua_pushstring(L, place.is.role);
    lua_setfield(L, -2, "role");
    push_values(L, trainer, &place);
    lua_setfield(L, -2, "values");
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int trainer_tostring(lua_State *L) {
  trainer_box *box = nas_box_peek(L, 1, TYPE);
  if (!box->trainer)
    lua_pushfstring(L, "%s (closed)", TYPE);
  else
    lua_pushfstring(L, "%s: %d threads, micro-batch %d, %s", TYPE, nas_pool_threads(box->pool),
                    nas_compiled_micro_batch(nas_trainer_compiled(box->trainer)),
                    nas_compiled_kernels(nas_trainer_compiled(box->trainer))->name);
  return 1;
}

static const luaL_Reg methods[] = {
    {"epoch", trainer_epoch},
    {"digest", trainer_digest},
    {"params", trainer_params},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", trainer_tostring},
    {NULL, NULL},
};

void nas_open_trainer(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, trainer_close);
  lua_pushcfunction(L, core_trainer);
  lua_setfield(L, -2, "trainer");
}
