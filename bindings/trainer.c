/* luanas.Trainer: trains one network on one data set. */
#include <nas/model.h>
#include <nas/trainer.h>
#include <limits.h>
#include <nas/cpu.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "fields.h"
#include "interrupt.h"
#include "kernel.h"
#include "settings.h"
#include "text.h"
#include "types.h"
#include "weights.h"

static const char TYPE[] = "luanas.Trainer";

typedef struct trainer_box {
  nas_trainer *trainer;
  nas_pool *pool; /* outlives the trainer */
} trainer_box;

static nas_trainer *check(lua_State *L) {
  trainer_box *box = nas_box_check(L, 1, TYPE);
  return box->trainer;
}

const nas_trainer *nas_check_trainer(lua_State *L, int arg) {
  trainer_box *box = nas_box_check(L, arg, TYPE);
  return box->trainer;
}

static int trainer_close(lua_State *L) {
  trainer_box *box = nas_box_peek(L, 1, TYPE);
  nas_trainer_destroy(&box->trainer);
  nas_pool_destroy(&box->pool);
  return 0;
}

/* -- making ----------------------------------------------------------------------------------- */

/* What changes no bit: speed, the limit in seconds, and whether times are kept. Returns the
 * threads. */
static int check_speed(lua_State *L, int arg, nas_training *training) {
  static const char *const names[] = {"threads", "micro_batch", "isa", "seconds", "profile", NULL};
  nas_settings settings = nas_settings_open(L, arg, "speed");
  nas_settings_known(&settings, names, NULL);
  training->micro_batch = (int)nas_settings_integer(&settings, "micro_batch", 0, 0, NAS_GROUP);
  training->seconds = nas_settings_number(&settings, "seconds", 0, 0, 1e9);
  training->profile = nas_settings_boolean(&settings, "profile", 0);
  const char *isa = nas_settings_string(&settings, "isa", NULL);
  if (isa) {
    nas_error err;
    if (nas_kernels_find(&training->kernels, isa, "speed: isa", &err)) nas_raise(L, &err);
  }
  return (int)nas_settings_integer(&settings, "threads", nas_cpu_count(), 1, 256);
}

/* About what a trainer holds: parameters, gradient, moments, and the copies of an epoch; for each
 * thread two gradients and part of an arena; and what is stored for each micro-batch of a batch. */
static size_t trainer_bytes(const nas_trainer *trainer, int threads, int batch) {
  const nas_compiled *compiled = nas_trainer_compiled(trainer);
  size_t params = nas_compiled_param_floats(compiled);
  size_t micro_batches = (size_t)(batch / nas_compiled_micro_batch(compiled) + 1);
  size_t shared = 8 * params + nas_compiled_derived_floats(compiled);
  size_t each = 2 * params + nas_compiled_scratch_floats(compiled) +
                nas_compiled_room_floats(compiled) + nas_compiled_kept_floats(compiled);
  size_t stored = micro_batches * nas_compiled_stored_floats(compiled);
  return (shared + (size_t)threads * each + stored) * sizeof(float);
}

static void check_parts(lua_State *L, nas_training *training) {
  training->output = nas_check_node(L, 1);
  training->data = nas_check_dataset(L, 2);
  training->recipe = nas_check_recipe(L, 3);
  training->seed = (uint64_t)luaL_checkinteger(L, 4);
  training->loss = lua_isnoneornil(L, 6) ? NULL : nas_check_node(L, 6);
}

/* core.trainer(output, data, recipe, seed, speed, loss) */
static int core_trainer(lua_State *L) {
  nas_error err;
  nas_training training;
  nas_training_default(&training);
  lua_settop(L, 6);
  check_parts(L, &training);
  int threads = check_speed(L, 5, &training);

  trainer_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  check_parts(L, &training);
  if (nas_pool_create(&box->pool, threads, &err)) return nas_raise(L, &err);
  training.pool = box->pool;
  if (nas_trainer_create(&box->trainer, &training, &err)) return nas_fail_or_raise(L, &err);
  nas_box_pressure(L, trainer_bytes(box->trainer, threads, (int)training.recipe->batch));
  return 1;
}

/* -- training --------------------------------------------------------------------------------- */

static void push_epoch(lua_State *L, const nas_trainer *trainer, const nas_epoch *epoch) {
  nas_task task = nas_dataset_task(nas_trainer_data(trainer));
  int top_k = nas_trainer_recipe(trainer)->top_k;
  lua_createtable(L, 0, 9);
  nas_set_integer(L, "epoch", epoch->epoch);
  nas_set_metrics(L, task, top_k, &epoch->training, "train_");
  nas_set_metrics(L, task, top_k, &epoch->validation, "");
  nas_set_number(L, "train_seconds", epoch->train_seconds);
  nas_set_number(L, "seconds", epoch->seconds);
  nas_set_integer(L, "best", epoch->best);
  lua_pushboolean(L, epoch->finished);
  lua_setfield(L, -2, "finished");
}

/* Adds per_class to the epoch on top of the stack: the accuracy on the validation images of each
 * class, false for a class without any. */
static void set_per_class(lua_State *L) {
  int classes = nas_dataset_classes(nas_trainer_data(check(L)));
  size_t count = (size_t)classes * (size_t)classes;
  lua_newtable(L);
  int64_t *confusion = nas_box_scratch(L, lua_gettop(L), count, sizeof *confusion);
  memset(confusion, 0, count * sizeof *confusion);
  const nas_trainer *trainer = check(L);
  const int32_t *predicted = nas_trainer_predicted(trainer);
  if (!predicted) { /* also where a finalizer has restored the trainer */
    lua_pop(L, 1);
    return;
  }
  nas_model_confusion(nas_trainer_data(trainer), NAS_PART_VALIDATION, predicted, confusion);
  lua_createtable(L, classes, 0);
  for (int c = 0; c < classes; c++) {
    int64_t images = 0;
    for (int p = 0; p < classes; p++) images += confusion[c * classes + p];
    if (images)
      lua_pushnumber(L, (double)confusion[c * classes + c] / (double)images);
    else
      lua_pushboolean(L, 0);
    lua_rawseti(L, -2, c + 1);
  }
  lua_setfield(L, -3, "per_class");
  lua_pop(L, 1);
}

static int trainer_epoch(lua_State *L) {
  nas_error err;
  nas_epoch epoch;
  nas_trainer *trainer = check(L);
  nas_interrupt_hooks before = nas_interrupt_note(L);
  if (nas_trainer_epoch(trainer, nas_interrupt_poll, &before, &epoch, &err))
    return nas_interrupt_or_fail(L, &err);
  push_epoch(L, trainer, &epoch);
  set_per_class(L);
  return 1;
}

static int trainer_epochs(lua_State *L) {
  lua_pushinteger(L, nas_trainer_epochs(check(L)));
  return 1;
}

static int trainer_digest(lua_State *L) {
  nas_error err;
  nas_hash digest;
  if (nas_trainer_digest(check(L), &digest, &err)) return nas_raise(L, &err);
  nas_push_hash(L, digest);
  return 1;
}

static nas_weights weights_of(lua_State *L) {
  const nas_trainer *trainer = check(L);
  return (nas_weights){nas_trainer_compiled(trainer), nas_trainer_params(trainer)};
}

static int trainer_params(lua_State *L) {
  nas_push_weights(L, weights_of, NULL);
  return 1;
}

static nas_status archive_of(const nas_trainer *trainer, nas_archive **archive, nas_error *err) {
  nas_status status = nas_archive_create(archive, err);
  if (status == NAS_OK) status = nas_trainer_save(trainer, *archive, err);
  if (status != NAS_OK) nas_archive_destroy(archive);
  return status;
}

/* trainer:restore(path or another trainer): the epochs that it has now */
static int trainer_restore(lua_State *L) {
  nas_error err;
  check(L);
  const char *path = lua_isuserdata(L, 2) ? NULL : nas_check_name(L, 2, "path");
  nas_trainer *trainer = check(L);
  const nas_trainer *other = path ? NULL : nas_check_trainer(L, 2);
  nas_archive *archive;
  nas_status status =
      path ? nas_archive_read(&archive, path, &err) : archive_of(other, &archive, &err);
  if (status == NAS_OK) {
    status = nas_trainer_restore(trainer, archive, &err);
    if (status != NAS_OK && path) nas_fail(&err, status, "%s: %s", path, err.text);
  }
  nas_archive_destroy(&archive);
  if (status != NAS_OK) return nas_fail_or_raise(L, &err);
  lua_pushinteger(L, nas_trainer_epochs(trainer));
  return 1;
}

/* trainer:state(): all that training needs to go on, as the bytes of an archive */
static int trainer_state(lua_State *L) {
  nas_error err;
  nas_archive *archive;
  lua_settop(L, 1);
  nas_text *bytes = nas_text_new(L);
  const nas_trainer *trainer = check(L);
  nas_status status = archive_of(trainer, &archive, &err);
  if (status == NAS_OK) status = nas_archive_encode(archive, bytes, &err);
  nas_archive_destroy(&archive);
  if (status != NAS_OK) return nas_raise(L, &err);
  return nas_text_to_string(L);
}

/* trainer:restore_state(bytes): the epochs that it has now */
static int trainer_restore_state(lua_State *L) {
  nas_error err;
  size_t size;
  nas_archive *archive;
  const char *bytes = luaL_checklstring(L, 2, &size);
  nas_trainer *trainer = check(L);
  nas_status status = nas_archive_read_memory(&archive, bytes, size, "the stored state", &err);
  if (status == NAS_OK) status = nas_trainer_restore(trainer, archive, &err);
  nas_archive_destroy(&archive);
  if (status != NAS_OK) return nas_fail_or_raise(L, &err);
  lua_pushinteger(L, nas_trainer_epochs(trainer));
  return 1;
}

/* The classes that the last epoch predicted for the validation images, or nil. */
static int trainer_predicted(lua_State *L) {
  nas_error err;
  int64_t count;
  lua_settop(L, 1);
  nas_tensor **tensor = nas_push_tensor(L);
  const nas_trainer *trainer = check(L);
  const int32_t *predicted = nas_trainer_predicted(trainer);
  if (!predicted) return 0;
  nas_dataset_validation(nas_trainer_data(trainer), &count);
  if (nas_tensor_create(tensor, NAS_INT32, 1, &count, &err)) return nas_raise(L, &err);
  int32_t *to = nas_tensor_data(*tensor);
  for (int64_t i = 0; i < count; i++) to[i] = predicted[i] + 1;
  return 1;
}

/* trainer:predicted_bytes(): the same from 0, a byte for each; nil where there are more classes */
static int trainer_predicted_bytes(lua_State *L) {
  const nas_trainer *trainer = check(L);
  int64_t count;
  nas_dataset_validation(nas_trainer_data(trainer), &count);
  if (nas_dataset_classes(nas_trainer_data(trainer)) > 256) return 0;
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, (size_t)count);
  const int32_t *predicted = nas_trainer_predicted(check(L));
  if (!predicted) return 0;
  for (int64_t i = 0; i < count; i++) bytes[i] = (char)predicted[i];
  luaL_pushresultsize(&buffer, (size_t)count);
  return 1;
}

/* -- where time goes -------------------------------------------------------------------------- */

static void push_layer(lua_State *L, int node, const nas_layer_seconds *seconds) {
  const nas_trainer *trainer = check(L);
  const nas_network *network = nas_trainer_network(trainer);
  nas_compiled_layer layer = nas_compiled_layer_at(nas_trainer_compiled(trainer), node);
  nas_shape shape = nas_node_shape(nas_network_node(network, node));
  int64_t dims[3] = {shape.dim[0], shape.dim[1], shape.dim[2]};
  int64_t macs = nas_network_node_macs(network, node);
  const char *name = nas_node_kind(nas_network_node(network, node))->name; /* a constant */
  lua_createtable(L, 0, 12);
  nas_set_string(L, "name", name);
  nas_push_dims(L, shape.rank, dims);
  lua_setfield(L, -2, "shape");
  nas_set_string(L, "kernel", layer.work.kernel);
  nas_set_string(L, "isa", layer.work.table);
  if (layer.fused_into >= 0) nas_set_integer(L, "fused_into", layer.fused_into + 1);
  nas_set_integer(L, "macs", macs);
  nas_set_integer(L, "train_macs", layer.work.macs);
  nas_set_integer(L, "map_bytes", (lua_Integer)layer.map_bytes);
  nas_set_integer(L, "weight_bytes", (lua_Integer)layer.weight_bytes);
  nas_set_number(L, "cycles", layer.cycles);
  nas_set_number(L, "forward", seconds->forward);
  nas_set_number(L, "backward", seconds->backward);
}

/* trainer:profile() */
static int trainer_profile(lua_State *L) {
  int size = nas_network_size(nas_trainer_network(check(L)));
  nas_profile profile;
  lua_newtable(L); /* of blocks */
  nas_layer_seconds *layers = nas_box_scratch(L, lua_gettop(L), (size_t)size, sizeof *layers);
  lua_createtable(L, 0, 12);
  const trainer_box *box = nas_box_check(L, 1, TYPE);
  const nas_compiled *compiled = nas_trainer_compiled(box->trainer);
  nas_trainer_profile(box->trainer, &profile, layers);
  nas_set_integer(L, "threads", nas_pool_threads(box->pool));
  nas_set_integer(L, "micro_batch", nas_compiled_micro_batch(compiled));
  nas_set_integer(L, "stored_bytes",
                  (lua_Integer)(nas_compiled_stored_floats(compiled) * sizeof(float)));
  nas_set_integer(L, "scratch_bytes",
                  (lua_Integer)(nas_compiled_scratch_floats(compiled) * sizeof(float)));
  const char *isa = nas_compiled_kernels(compiled)->name; /* a constant */
  nas_set_integer(L, "images", profile.images);
  nas_set_number(L, "seconds", profile.seconds);
  nas_set_number(L, "loading", profile.loading);
  nas_set_number(L, "adding", profile.adding);
  nas_set_number(L, "stepping", profile.stepping);
  nas_set_number(L, "waiting", profile.waiting);
  nas_set_string(L, "isa", isa);
  lua_createtable(L, size, 0);
  for (int i = 0; i < size; i++) {
    push_layer(L, i, &layers[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "layers");
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
    {"digest", trainer_digest},
    {"epoch", trainer_epoch},
    {"epochs", trainer_epochs},
    {"params", trainer_params},
    {"predicted", trainer_predicted},
    {"predicted_bytes", trainer_predicted_bytes},
    {"profile", trainer_profile},
    {"restore", trainer_restore},
    {"restore_state", trainer_restore_state},
    {"state", trainer_state},
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
