/* luanas.Dataset: inputs with their targets, and a split. Classes and positions count from 1 in
 * Lua, from 0 in libnas and in files. */
#include <nas/augment.h>
#include <limits.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "settings.h"
#include "text.h"
#include "types.h"

static const char TYPE[] = "luanas.Dataset";

typedef struct dataset_box {
  nas_dataset *dataset;
} dataset_box;

nas_dataset *nas_check_dataset(lua_State *L, int arg) {
  dataset_box *box = nas_box_check(L, arg, TYPE);
  return box->dataset;
}

static int dataset_close(lua_State *L) {
  dataset_box *box = nas_box_peek(L, 1, TYPE);
  nas_dataset_release(&box->dataset);
  return 0;
}

/* About what it holds. */
static size_t dataset_bytes(const nas_dataset *dataset) {
  const nas_tensor *inputs = nas_dataset_inputs(dataset);
  return (size_t)nas_tensor_size(inputs) * nas_dtype_size(nas_tensor_dtype(inputs)) +
         (size_t)nas_dataset_count(dataset) * sizeof(int32_t);
}

/* -- making ----------------------------------------------------------------------------------- */

/* core.dataset_idx(name, files) */
static int core_dataset_idx(lua_State *L) {
  static const char *const names[] = {"images",        "labels",  "images_sha256",
                                      "labels_sha256", "classes", NULL};
  nas_error err;
  nas_dataset_files files;
  const char *name = nas_check_name(L, 1, "name");
  luaL_checktype(L, 2, LUA_TTABLE);
  nas_settings settings = nas_settings_open(L, 2, "dataset");
  nas_settings_known(&settings, names, NULL);
  nas_dataset_files_default(&files);
  files.images = nas_settings_string(&settings, "images", NULL);
  files.labels = nas_settings_string(&settings, "labels", NULL);
  if (!files.images) nas_settings_missing(&settings, "images", "the path of an IDX file");
  if (!files.labels) nas_settings_missing(&settings, "labels", "the path of an IDX file");
  files.images_sha256 = nas_settings_string(&settings, "images_sha256", NULL);
  files.labels_sha256 = nas_settings_string(&settings, "labels_sha256", NULL);
  files.classes = (int)nas_settings_integer(&settings, "classes", files.classes, 2, INT_MAX);

  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_dataset_from_idx(&box->dataset, name, &files, &err)) return nas_fail_or_raise(L, &err);
  nas_box_pressure(L, dataset_bytes(box->dataset));
  return 1;
}

/* The tensor in a field of the table at argument 2, which keeps it alive. */
static nas_tensor *check_tensor_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  if (lua_isnil(L, -1)) luaL_error(L, "dataset: %s is missing; expected a tensor", name);
  nas_tensor *tensor = nas_check_tensor(L, lua_gettop(L));
  lua_pop(L, 1);
  return tensor;
}

/* The names in field class_names, on a block of their own; NULL without. */
static const char *const *check_class_names(lua_State *L, int classes) {
  if (lua_getfield(L, 2, "class_names") == LUA_TNIL) return NULL;
  luaL_checktype(L, -1, LUA_TTABLE);
  int table = lua_gettop(L);
  if ((int)lua_rawlen(L, table) != classes)
    luaL_error(L, "dataset: %d class_names; expected %d", (int)lua_rawlen(L, table), classes);
  lua_newtable(L);
  const char **names = nas_box_scratch(L, lua_gettop(L), (size_t)classes, sizeof *names);
  for (int c = 0; c < classes; c++) {
    if (lua_rawgeti(L, table, c + 1) != LUA_TSTRING)
      luaL_error(L, "dataset: class_names contain %s; expected strings", nas_check_shown(L, -1));
    names[c] = lua_tostring(L, -1); /* the table keeps it */
    lua_pop(L, 1);
  }
  return names;
}

/* Labels count from 1: a new tensor, int32, that counts from 0. */
static nas_tensor *labels_from_zero(lua_State *L, const nas_tensor *labels, int classes) {
  nas_error err;
  nas_tensor *as_int, *from_zero;
  nas_dtype dtype = nas_tensor_dtype(labels);
  if (dtype == NAS_FLOAT32 || nas_tensor_size(labels) == 0)
    luaL_error(L,
               "dataset: targets are %s; expected classes as int32 or uint8, or classes = nil for "
               "values",
               dtype == NAS_FLOAT32 ? "float32" : "empty");
  double low = nas_tensor_min(labels), high = nas_tensor_max(labels);
  if (low < 1 || high > classes)
    luaL_error(L, "dataset: labels contain %I; expected classes from 1 to %d",
               (lua_Integer)(low < 1 ? low : high), classes);
  if (nas_tensor_convert(&as_int, labels, NAS_INT32, &err)) nas_raise(L, &err);
  nas_status status = nas_tensor_sub_scalar(&from_zero, as_int, 1, &err);
  nas_tensor_destroy(&as_int);
  if (status) nas_raise(L, &err);
  return from_zero;
}

/* core.dataset(name, { inputs, targets, classes, class_names }) */
static int core_dataset(lua_State *L) {
  static const char *const names[] = {"inputs", "targets", "classes", "class_names", NULL};
  nas_error err;
  nas_dataset_parts parts = {.name = nas_check_name(L, 1, "name")};
  luaL_checktype(L, 2, LUA_TTABLE);
  nas_settings settings = nas_settings_open(L, 2, "dataset");
  nas_settings_known(&settings, names, NULL);
  parts.classes = (int)nas_settings_integer(&settings, "classes", 0, 2, INT_MAX);
  parts.inputs = check_tensor_field(L, "inputs");
  parts.class_names = parts.classes ? check_class_names(L, parts.classes) : NULL;
  const nas_tensor *targets = check_tensor_field(L, "targets");
  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  nas_tensor *labels = parts.classes ? labels_from_zero(L, targets, parts.classes) : NULL;
  parts.targets = labels ? labels : targets;
  nas_status status = nas_dataset_create(&box->dataset, &parts, &err);
  nas_tensor_destroy(&labels);
  if (status) return nas_raise(L, &err);
  nas_box_pressure(L, dataset_bytes(box->dataset));
  return 1;
}

/* A list of positions in a field, from 1; NULL without. */
static const int64_t *check_list(lua_State *L, const char *name, int64_t *count) {
  if (lua_getfield(L, 2, name) == LUA_TNIL) return NULL;
  luaL_checktype(L, -1, LUA_TTABLE);
  int table = lua_gettop(L);
  *count = (int64_t)lua_rawlen(L, table);
  lua_newtable(L);
  int64_t *list = nas_box_scratch(L, lua_gettop(L), (size_t)*count, sizeof *list);
  for (int64_t i = 0; i < *count; i++) {
    int is_integer;
    lua_rawgeti(L, table, i + 1);
    list[i] = lua_tointegerx(L, -1, &is_integer) - 1;
    if (!is_integer)
      luaL_error(L, "split: entry %I of %s is %s; expected positions from 1", (lua_Integer)(i + 1),
                 name, nas_check_shown(L, -1));
    lua_pop(L, 1);
  }
  return list;
}

/* dataset:split { validation, seed, limit, stratified, standardize, training_list, validation_list
 * }
 */
static int dataset_split(lua_State *L) {
  static const char *const names[] = {"validation",      "seed",        "limit",
                                      "stratified",      "standardize", "training_list",
                                      "validation_list", NULL};
  nas_error err;
  nas_split split;
  nas_dataset *dataset = nas_check_dataset(L, 1);
  nas_settings settings = nas_settings_open(L, 2, "split");
  int64_t count = nas_dataset_count(dataset);
  nas_settings_known(&settings, names, NULL);
  nas_split_default(&split);
  split.validation = nas_settings_integer(&settings, "validation", split.validation, 1, count - 1);
  split.seed = (uint64_t)nas_settings_integer(&settings, "seed", (lua_Integer)split.seed,
                                              LUA_MININTEGER, LUA_MAXINTEGER);
  split.limit = nas_settings_integer(&settings, "limit", split.limit, 1, LUA_MAXINTEGER);
  split.stratified = nas_settings_boolean(&settings, "stratified", 0);
  split.standardize = nas_settings_boolean(&settings, "standardize", 0);
  if (!lua_isnoneornil(L, 2)) {
    split.training_list = check_list(L, "training_list", &split.training_count);
    split.validation_list = check_list(L, "validation_list", &split.validation_count);
  }

  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_dataset_split(&box->dataset, dataset, &split, &err)) return nas_raise(L, &err);
  nas_box_pressure(L, (size_t)count * sizeof(int32_t));
  return 1;
}

/* -- reading ---------------------------------------------------------------------------------- */

static void set_integer(lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_shape(lua_State *L, const nas_dataset *dataset) {
  static const char *const names[] = {"height", "width", "channels"};
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  lua_createtable(L, rank, 0);
  for (int d = 0; d < rank; d++) {
    lua_pushinteger(L, dims[d]);
    lua_rawseti(L, -2, d + 1);
  }
  lua_setfield(L, -2, "shape");
  for (int d = 0; d < rank && rank == 3; d++) set_integer(L, names[d], dims[d]);
}

static void set_class_names(lua_State *L, const nas_dataset *dataset) {
  int classes = nas_dataset_classes(dataset);
  if (!classes || !nas_dataset_class_name(dataset, 0)) return;
  lua_createtable(L, classes, 0);
  for (int c = 0; c < classes; c++) {
    lua_pushstring(L, nas_dataset_class_name(dataset, c));
    lua_rawseti(L, -2, c + 1);
  }
  lua_setfield(L, -2, "class_names");
}

static int dataset_info(lua_State *L) {
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  const double *mean, *std;
  int64_t training, validation;
  int classes = nas_dataset_classes(dataset);
  nas_dataset_training(dataset, &training);
  nas_dataset_validation(dataset, &validation);
  lua_createtable(L, 0, 16);
  lua_pushstring(L, nas_dataset_name(dataset));
  lua_setfield(L, -2, "name");
  lua_pushstring(L, nas_dataset_fingerprint(dataset));
  lua_setfield(L, -2, "fingerprint");
  nas_dataset_identity(dataset, nas_text_new(L));
  nas_text_to_string(L);
  lua_setfield(L, -2, "identity");
  lua_pushstring(L, classes ? "classes" : "values");
  lua_setfield(L, -2, "task");
  if (classes) set_integer(L, "classes", classes);
  set_integer(L, "target_values", classes ? 0 : nas_dataset_target_size(dataset));
  set_integer(L, "count", nas_dataset_count(dataset));
  set_integer(L, "training", training);
  set_integer(L, "validation", validation);
  lua_pushboolean(L, nas_dataset_standardization(dataset, &mean, &std) > 0);
  lua_setfield(L, -2, "standardized");
  set_shape(L, dataset);
  set_class_names(L, dataset);
  return 1;
}

static int dataset_describe(lua_State *L) {
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  nas_dataset_describe(dataset, nas_text_new(L));
  nas_text_to_string(L);
  return 1;
}

/* Pushes the class, or a tensor of the values. */
static void push_target(lua_State *L, const nas_dataset *dataset, int64_t i) {
  nas_error err;
  const int64_t size = nas_dataset_target_size(dataset);
  if (nas_dataset_classes(dataset)) {
    lua_pushinteger(L, (lua_Integer)nas_dataset_label(dataset, i) + 1);
    return;
  }
  nas_tensor **values = nas_push_tensor(L);
  if (nas_tensor_create(values, NAS_FLOAT32, 1, &size, &err)) nas_raise(L, &err);
  nas_dataset_read_target(dataset, i, nas_tensor_data(*values));
}

/* dataset:image(i): a copy of what was given, and the target */
static int dataset_image(lua_State *L) {
  nas_error err;
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  int64_t i = nas_check_index(L, 2, "image", nas_dataset_count(dataset));
  const nas_tensor *inputs = nas_dataset_inputs(dataset);
  nas_tensor *one;
  nas_tensor **image = nas_push_tensor(L);
  if (nas_tensor_select(&one, inputs, 0, i, &err)) return nas_raise(L, &err);
  nas_status status = nas_tensor_clone(image, one, &err);
  nas_tensor_destroy(&one);
  if (status) return nas_raise(L, &err);
  push_target(L, dataset, i);
  return 2;
}

/* dataset:input(i [, augment, seed, epoch]): the floats that the network sees, and the target */
static int dataset_input(lua_State *L) {
  nas_error err;
  nas_option_value options[NAS_AUGMENT_OPTIONS];
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  int64_t i = nas_check_index(L, 2, "image", nas_dataset_count(dataset));
  nas_settings settings = nas_settings_open(L, 3, nas_augment_table.owner);
  nas_settings_known(&settings, NULL, &nas_augment_table);
  nas_options_default(&nas_augment_table, options);
  nas_settings_options(&settings, &nas_augment_table, options);
  uint64_t seed = (uint64_t)luaL_optinteger(L, 4, 0);
  int epoch = lua_isnoneornil(L, 5) ? 1 : (int)nas_check_integer(L, 5, "epoch", 1, INT_MAX);
  int dims[3], rank = nas_dataset_input_shape(dataset, dims), active = nas_augment_active(options);
  if (nas_augment_check(options, dims, rank, &err)) return nas_raise(L, &err);
  int64_t sizes[3];
  for (int d = 0; d < rank; d++) sizes[d] = dims[d];
  nas_tensor **input = nas_push_tensor(L);
  if (nas_tensor_create(input, NAS_FLOAT32, rank, sizes, &err)) return nas_raise(L, &err);
  nas_view view;
  if (active) view = nas_augment_view(options, seed, epoch, i, dims[0], dims[1]);
  nas_dataset_read_input(dataset, i, active ? &view : NULL, nas_tensor_data(*input),
                         rank == 3 ? (ptrdiff_t)dims[1] * dims[2] : dims[0]);
  push_target(L, dataset, i);
  return 2;
}

static int dataset_len(lua_State *L) {
  lua_pushinteger(L, nas_dataset_count(nas_check_dataset(L, 1)));
  return 1;
}

static int dataset_tostring(lua_State *L) {
  dataset_box *box = nas_box_peek(L, 1, TYPE);
  int dims[3];
  if (!box->dataset) {
    lua_pushfstring(L, "%s (closed)", TYPE);
    return 1;
  }
  const nas_dataset *dataset = box->dataset;
  int classes = nas_dataset_classes(dataset), rank = nas_dataset_input_shape(dataset, dims);
  lua_pushfstring(L, "%s: %s, %I ", TYPE, nas_dataset_name(dataset),
                  (lua_Integer)nas_dataset_count(dataset));
  if (rank == 3)
    lua_pushfstring(L, "images of %dx%dx%d", dims[0], dims[1], dims[2]);
  else
    lua_pushfstring(L, "rows of %d features", dims[0]);
  if (classes)
    lua_pushfstring(L, " in %d classes", classes);
  else
    lua_pushfstring(L, " with %d target values", nas_dataset_target_size(dataset));
  lua_concat(L, 3);
  return 1;
}

static const luaL_Reg methods[] = {
    {"split", dataset_split}, {"info", dataset_info},   {"describe", dataset_describe},
    {"image", dataset_image}, {"input", dataset_input}, {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__len", dataset_len},
    {"__tostring", dataset_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"dataset_idx", core_dataset_idx},
    {"dataset", core_dataset},
    {NULL, NULL},
};

void nas_open_dataset(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, dataset_close);
  luaL_setfuncs(L, functions, 0);
}
