/* luanas.Model: a trained network, to be evaluated, asked and saved. Classes count from 1 in Lua.
 */
#include <nas/cpu.h>
#include <nas/model.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "fields.h"
#include "interrupt.h"
#include "types.h"
#include "weights.h"

static const char TYPE[] = "luanas.Model";

typedef struct model_box {
  nas_model *model;
} model_box;

static nas_model *check(lua_State *L) {
  model_box *box = nas_box_check(L, 1, TYPE);
  return box->model;
}

static int model_close(lua_State *L) {
  model_box *box = nas_box_peek(L, 1, TYPE);
  nas_model_destroy(&box->model);
  return 0;
}

/* -- making ----------------------------------------------------------------------------------- */

static void add_pressure(lua_State *L, const nas_model *model) {
  nas_box_pressure(L, nas_compiled_param_floats(nas_model_compiled(model)) * sizeof(float));
}

/* core.model(trainer) */
static int core_model(lua_State *L) {
  nas_error err;
  lua_settop(L, 1);
  model_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_model_create(&box->model, nas_check_trainer(L, 1), &err)) return nas_raise(L, &err);
  add_pressure(L, box->model);
  return 1;
}

/* core.model_load(path) */
static int core_model_load(lua_State *L) {
  nas_error err;
  nas_archive *archive;
  const char *path = nas_check_name(L, 1, "path");
  model_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  nas_status status = nas_archive_read(&archive, path, &err);
  if (status == NAS_OK) {
    status = nas_model_load(&box->model, archive, &err);
    if (status == NAS_FORMAT || status == NAS_LIMIT)
      nas_fail(&err, status, "%s: %s", path, err.text);
  }
  nas_archive_destroy(&archive);
  if (status != NAS_OK) return nas_fail_or_raise(L, &err);
  add_pressure(L, box->model);
  return 1;
}

static nas_status save(const nas_model *model, const nas_trainer *trainer, const char *path,
                       nas_error *err) {
  nas_archive *archive;
  nas_status status = nas_archive_create(&archive, err);
  if (status == NAS_OK) status = nas_model_save(model, archive, err);
  if (status == NAS_OK && trainer) status = nas_trainer_save(trainer, archive, err);
  if (status == NAS_OK) status = nas_archive_write(archive, path, err);
  nas_archive_destroy(&archive);
  return status;
}

/* model:save(path [, trainer]): with the training state of the trainer */
static int model_save(lua_State *L) {
  nas_error err;
  const char *path = nas_check_name(L, 2, "path");
  const nas_model *model = check(L);
  const nas_trainer *trainer = lua_isnoneornil(L, 3) ? NULL : nas_check_trainer(L, 3);
  if (save(model, trainer, path, &err)) return nas_fail_or_raise(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

/* -- running ---------------------------------------------------------------------------------- */

static int check_threads(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return nas_cpu_count();
  return (int)nas_check_integer(L, arg, "threads", 1, 256);
}

static nas_tensor *push_classes(lua_State *L, int64_t count) {
  nas_error err;
  nas_tensor **tensor = nas_push_tensor(L);
  if (nas_tensor_create(tensor, NAS_INT32, 1, &count, &err)) nas_raise(L, &err);
  return *tensor;
}

/* From predictions for the data set at argument 2, which count from 0 here, to a tensor
 * [class][predicted class] of counts. */
static void push_confusion(lua_State *L, nas_part part, const int32_t *predicted) {
  nas_error err;
  int64_t classes = nas_dataset_classes(nas_check_dataset(L, 2));
  const int64_t dims[] = {classes, classes};
  lua_newtable(L);
  int64_t *matrix = nas_box_scratch(L, lua_gettop(L), (size_t)(classes * classes), sizeof *matrix);
  memset(matrix, 0, (size_t)(classes * classes) * sizeof *matrix);
  nas_model_confusion(nas_check_dataset(L, 2), part, predicted, matrix);
  nas_tensor **tensor = nas_push_tensor(L);
  if (nas_tensor_create(tensor, NAS_INT32, 2, dims, &err)) nas_raise(L, &err);
  int32_t *to = nas_tensor_data(*tensor);
  for (int64_t i = 0; i < classes * classes; i++) to[i] = (int32_t)matrix[i];
  lua_remove(L, -2);
}

/* model:evaluate(data, part [, threads]): a table of metrics; for classes also predicted and
 * confusion */
static int model_evaluate(lua_State *L) {
  static const char *const parts[] = {"training", "validation", "all", NULL};
  nas_error err;
  nas_metrics metrics;
  const nas_model *model = check(L);
  nas_dataset *data = nas_check_dataset(L, 2);
  nas_part part = (nas_part)luaL_checkoption(L, 3, "validation", parts);
  int threads = check_threads(L, 4);
  int64_t count;
  nas_part_images(data, part, &count);
  nas_task task = nas_model_task(model);
  int classes = task == NAS_TASK_CLASSES;
  lua_settop(L, 4);
  lua_createtable(L, 0, 5);
  int32_t *predicted = classes ? nas_tensor_data(push_classes(L, count)) : NULL;
  model = check(L);
  data = nas_check_dataset(L, 2);

  nas_pool *pool;
  nas_interrupt_hooks before = nas_interrupt_note(L);
  nas_status status = nas_pool_create(&pool, threads, &err);
  if (status == NAS_OK)
    status = nas_model_evaluate(model, data, part, pool, nas_interrupt_poll, &before, &metrics,
                                predicted, &err);
  nas_pool_destroy(&pool);
  if (status != NAS_OK) return nas_interrupt_or_fail(L, &err);
  if (classes) {
    push_confusion(L, part, predicted);
    lua_setfield(L, 5, "confusion");
    for (int64_t i = 0; i < count; i++) predicted[i]++;
    lua_setfield(L, 5, "predicted");
  }
  nas_set_metrics(L, task, 0, &metrics, "");
  return 1;
}

static int push_outputs(lua_State *L, int probabilities) {
  nas_error err;
  check(L);
  nas_check_tensor(L, 2);
  int threads = check_threads(L, 3);
  nas_tensor **outputs = nas_push_tensor(L);
  const nas_model *model = check(L);
  const nas_tensor *inputs = nas_check_tensor(L, 2);
  nas_pool *pool;
  nas_interrupt_hooks before = nas_interrupt_note(L);
  nas_status status = nas_pool_create(&pool, threads, &err);
  if (status == NAS_OK)
    status = nas_model_outputs(model, inputs, pool, nas_interrupt_poll, &before, outputs, &err);
  nas_pool_destroy(&pool);
  if (status != NAS_OK) return nas_interrupt_or_fail(L, &err);
  if (probabilities) nas_model_probabilities(model, *outputs);
  nas_box_pressure(L, (size_t)nas_tensor_size(*outputs) * sizeof(float));
  return 1;
}

/* model:outputs(inputs [, threads]) */
static int model_outputs(lua_State *L) {
  return push_outputs(L, 0);
}

/* model:probabilities(inputs [, threads]) */
static int model_probabilities(lua_State *L) {
  if (nas_model_task(check(L)) == NAS_TASK_VALUES)
    return luaL_error(L, "the model gives values, which have no probabilities; use outputs");
  return push_outputs(L, 1);
}

/* -- inside ----------------------------------------------------------------------------------- */

/* Sets field `values` of the table on top of the stack to what layer i of the network puts out. */
static nas_status set_activations(lua_State *L, int i, nas_pool *pool, nas_interrupt_hooks *before,
                                  nas_error *err) {
  nas_tensor **values = nas_push_tensor(L);
  nas_node *layer = nas_network_node(nas_check_network(L, 2), i);
  nas_status status = nas_model_activations(check(L), layer, nas_check_tensor(L, 3), pool,
                                            nas_interrupt_poll, before, values, err);
  if (status != NAS_OK) return status;
  nas_box_pressure(L, (size_t)nas_tensor_size(*values) * sizeof(float));
  lua_setfield(L, -2, "values");
  return NAS_OK;
}

/* A pool in a box, since pushing may jump. */
typedef struct pool_box {
  nas_pool *pool;
} pool_box;

static const char POOL[] = "luanas.Pool";

static int pool_close(lua_State *L) {
  pool_box *box = nas_box_peek(L, 1, POOL);
  nas_pool_destroy(&box->pool);
  return 0;
}

/* model:activations(network, inputs [, threads]): a list of { layer =, name =, values = } */
static int model_activations(lua_State *L) {
  nas_error err;
  check(L);
  nas_check_network(L, 2);
  nas_check_tensor(L, 3);
  int threads = check_threads(L, 4), count = nas_network_size(nas_check_network(L, 2));
  lua_settop(L, 4);
  pool_box *box = nas_box_new(L, POOL, sizeof *box, 0);
  nas_interrupt_hooks before = nas_interrupt_note(L);
  if (nas_pool_create(&box->pool, threads, &err)) return nas_fail_or_raise(L, &err);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    nas_set_integer(L, "layer", i + 1);
    nas_set_string(L, "name", nas_node_kind(nas_network_node(nas_check_network(L, 2), i))->name);
    nas_status status = set_activations(L, i, box->pool, &before, &err);
    if (status != NAS_OK) {
      nas_pool_destroy(&box->pool);
      return nas_interrupt_or_fail(L, &err);
    }
    lua_rawseti(L, -2, i + 1);
  }
  nas_pool_destroy(&box->pool);
  return 1;
}

/* Pushes a box of the targets at argument 3, in which classes count from 0. */
static void push_targets(lua_State *L) {
  nas_error err;
  const nas_model *model = check(L);
  const nas_tensor *given = nas_check_tensor(L, 3);
  if (nas_model_task(model) != NAS_TASK_CLASSES || nas_tensor_dtype(given) == NAS_FLOAT32) {
    nas_push_view(L, 3);
    return;
  }
  double low = nas_tensor_total(given, NAS_REDUCE_MIN);
  double high = nas_tensor_total(given, NAS_REDUCE_MAX);
  if (low < 1 || high > nas_model_classes(model))
    luaL_error(L, "targets contain %I; expected classes from 1 to %d",
               (lua_Integer)(low < 1 ? low : high), nas_model_classes(model));
  nas_tensor **targets = nas_push_tensor(L);
  if (nas_tensor_convert(targets, nas_check_tensor(L, 3), NAS_INT32, &err)) nas_raise(L, &err);
  int32_t *classes = nas_tensor_data(*targets);
  for (int64_t i = 0; i < nas_tensor_size(*targets); i++) classes[i]--;
}

static nas_weights weights_of(lua_State *L) {
  const nas_model *model = check(L);
  return (nas_weights){nas_model_compiled(model), nas_model_params(model)};
}

/* model:gradients(inputs, targets): as params(), the loss, and the gradient of the inputs */
static int model_gradients(lua_State *L) {
  nas_error err;
  double loss;
  check(L);
  nas_check_tensor(L, 2);
  lua_settop(L, 3);
  push_targets(L); /* at 4 */
  lua_newtable(L);
  size_t floats = nas_compiled_param_floats(nas_model_compiled(check(L))) + 1;
  float *gradient = nas_box_scratch(L, lua_gettop(L), floats, sizeof *gradient);
  nas_tensor **d_inputs = nas_push_tensor(L);
  nas_interrupt_hooks before = nas_interrupt_note(L);
  if (nas_model_gradients(check(L), nas_check_tensor(L, 2), nas_check_tensor(L, 4),
                          nas_interrupt_poll, &before, gradient, d_inputs, &loss, &err))
    return nas_interrupt_or_fail(L, &err);
  nas_push_weights(L, weights_of, gradient);
  lua_pushnumber(L, loss);
  lua_rotate(L, -3, 2); /* gradients, loss, d_inputs */
  return 3;
}

/* -- looking ---------------------------------------------------------------------------------- */

static int model_info(lua_State *L) {
  int classes = nas_model_classes(check(L));
  lua_createtable(L, 0, 8);
  nas_set_string(L, "task", classes ? "classes" : "values");
  nas_set_string(L, "data", nas_model_data(check(L)));
  nas_set_string(L, "recipe", nas_model_recipe(check(L)));
  nas_set_string(L, "network", nas_network_text(nas_model_network(check(L))));
  nas_set_integer(L, "epoch", nas_model_epoch(check(L)));
  nas_set_integer(L, "units", nas_node_shape(nas_model_output(check(L))).dim[0]);
  if (classes) nas_set_integer(L, "classes", classes);
  if (classes && nas_model_class_name(check(L), 0)) {
    lua_createtable(L, classes, 0);
    for (int c = 0; c < classes; c++) {
      lua_pushstring(L, nas_model_class_name(check(L), c));
      lua_rawseti(L, -2, c + 1);
    }
    lua_setfield(L, -2, "class_names");
  }
  return 1;
}

static int model_params(lua_State *L) {
  nas_push_weights(L, weights_of, NULL);
  return 1;
}

/* model:output(): the network's last node before the loss */
static int model_output(lua_State *L) {
  lua_settop(L, 1);
  nas_node **node = nas_push_node(L);
  *node = nas_node_retain(nas_model_output(check(L)));
  return 1;
}

static int model_tostring(lua_State *L) {
  model_box *box = nas_box_peek(L, 1, TYPE);
  if (!box->model)
    lua_pushfstring(L, "%s (closed)", TYPE);
  else
    lua_pushfstring(L, "%s: %I parameters, of epoch %d, trained on %s", TYPE,
                    (lua_Integer)nas_network_params(nas_model_network(box->model)),
                    nas_model_epoch(box->model), nas_model_data(box->model));
  return 1;
}

static const luaL_Reg methods[] = {
    {"evaluate", model_evaluate},
    {"outputs", model_outputs},
    {"probabilities", model_probabilities},
    {"activations", model_activations},
    {"gradients", model_gradients},
    {"save", model_save},
    {"info", model_info},
    {"params", model_params},
    {"output", model_output},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", model_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"model", core_model},
    {"model_load", core_model_load},
    {NULL, NULL},
};

void nas_open_model(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  nas_box_type(L, TYPE, methods, meta, model_close);
  nas_box_type(L, POOL, none, NULL, pool_close);
  luaL_setfuncs(L, functions, 0);
}
