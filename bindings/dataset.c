/* luanas.Dataset: inputs with their targets, and a split. Positions and classes count from 1 in
 * Lua, from 0 in libnas and in files. */
#include <nas/dataset.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "fields.h"
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

/* Pushes a box with a reference to the data set at argument 1, which stays whatever happens to that
 * one. */
static nas_dataset *push_reference(lua_State *L) {
  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  box->dataset = nas_dataset_retain(nas_check_dataset(L, 1));
  return box->dataset;
}

static size_t image_bytes(const nas_dataset *dataset) {
  int dims[3];
  nas_dataset_image_dims(dataset, dims);
  return (size_t)dims[0] * (size_t)dims[1] * (size_t)dims[2];
}

/* -- fields of settings that only this file reads ---------------------------------------------- */

/* Pushes the field and returns its type. */
static int push_field(const nas_settings *settings, const char *name) {
  if (settings->index == 0) {
    lua_pushnil(settings->L);
    return LUA_TNIL;
  }
  lua_pushstring(settings->L, name);
  return lua_rawget(settings->L, settings->index);
}

static int is_there(const nas_settings *settings, const char *name) {
  int there = push_field(settings, name) != LUA_TNIL;
  lua_pop(settings->L, 1);
  return there;
}

/* Pushes the tensor in a field; returns its stack index. */
static int push_tensor(const nas_settings *settings, const char *name) {
  lua_State *L = settings->L;
  if (push_field(settings, name) == LUA_TNIL) nas_settings_missing(settings, name, "a tensor");
  if (!nas_box_test(L, -1, nas_tensor_type))
    luaL_error(L, "%s: %s is %s; expected a tensor that is not closed", settings->owner, name,
               nas_check_shown(L, -1));
  return lua_gettop(L);
}

/* -- making ----------------------------------------------------------------------------------- */

/* The names of all classes, in a block that is pushed; or NULL. */
static const char *const *names_field(const nas_settings *settings, int classes) {
  lua_State *L = settings->L;
  if (!is_there(settings, "class_names")) return NULL;
  lua_Unsigned length = nas_settings_list(settings, "class_names", "a list of strings");
  if (length != (lua_Unsigned)classes)
    luaL_error(L, "dataset: class_names has %I entries; expected one for each of the %d classes",
               (lua_Integer)length, classes);
  int list = lua_gettop(L);
  lua_createtable(L, classes, 0); /* keeps the strings, whatever happens to the list */
  const char **names = lua_newuserdatauv(L, (size_t)classes * sizeof *names, 0);
  for (lua_Integer i = 0; i < classes; i++) {
    size_t size;
    if (lua_rawgeti(L, list, i + 1) != LUA_TSTRING)
      luaL_error(L, "dataset: class_names[%I] is %s; expected a string", i + 1,
                 nas_check_shown(L, -1));
    names[i] = lua_tolstring(L, -1, &size);
    if (size == 0 || strlen(names[i]) != size)
      luaL_error(L, "dataset: class_names[%I] is empty or contains a zero byte", i + 1);
    lua_rawseti(L, list + 1, i + 1);
  }
  return names;
}

/* core.dataset_idx(name, files) */
static int core_dataset_idx(lua_State *L) {
  static const char *const names[] = {
      "images", "labels", "images_sha256", "labels_sha256", "classes", "class_names", NULL};
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
  files.class_names = names_field(&settings, files.classes);

  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_dataset_from_idx(&box->dataset, name, &files, &err)) return nas_fail_or_raise(L, &err);
  nas_box_pressure(L, (size_t)nas_dataset_count(box->dataset) * image_bytes(box->dataset));
  return 1;
}

/* Raises unless all labels are classes of Lua. */
static void check_labels(lua_State *L, const nas_tensor *labels, int classes) {
  double low = nas_tensor_total(labels, NAS_REDUCE_MIN),
         high = nas_tensor_total(labels, NAS_REDUCE_MAX);
  if (low >= 1 && high <= classes) return;
  luaL_error(L, "dataset: targets contain %I; expected classes from 1 to %d",
             (lua_Integer)(low < 1 ? low : high), classes);
}

/* The next indices in index order. */
static void step(const nas_tensor *tensor, int64_t *indices) {
  for (int d = nas_tensor_rank(tensor) - 1; d >= 0; d--) {
    if (++indices[d] < nas_tensor_dims(tensor)[d]) return;
    indices[d] = 0;
  }
}

/* Raises for a number that is not finite, with its place. */
static void check_finite(lua_State *L, const char *name, const nas_tensor *tensor) {
  int64_t indices[NAS_RANK_MAX] = {0};
  double value = 0;
  int rank = nas_tensor_rank(tensor);
  if (isfinite(nas_tensor_total(tensor, NAS_REDUCE_MIN)) &&
      isfinite(nas_tensor_total(tensor, NAS_REDUCE_MAX)))
    return;
  for (;; step(tensor, indices)) {
    nas_tensor_get(tensor, indices, rank, &value, NULL);
    if (!isfinite(value)) break;
  }
  luaL_Buffer place;
  luaL_buffinit(L, &place);
  for (int d = 0; d < rank; d++) {
    lua_pushfstring(L, d ? ", %I" : "%I", (lua_Integer)indices[d] + 1);
    luaL_addvalue(&place);
  }
  luaL_pushresult(&place);
  luaL_error(L, "dataset: %s contain %s at {%s}; expected finite numbers", name,
             isnan(value) ? "nan"
             : value > 0  ? "inf"
                          : "-inf",
             lua_tostring(L, -1));
}

static int holds_labels(const nas_dataset_parts *parts) {
  return parts->classes && nas_tensor_dtype(parts->targets) != NAS_FLOAT32;
}

/* A copy of labels that count from 1, from 0. */
static nas_status count_from_zero(nas_tensor **out, const nas_tensor *labels, nas_error *err) {
  nas_status status = nas_tensor_clone(out, labels, err);
  for (int64_t i = 0; status == NAS_OK && i < nas_tensor_size(labels); i++)
    if (nas_tensor_dtype(labels) == NAS_UINT8)
      ((uint8_t *)nas_tensor_data(*out))[i]--;
    else
      ((int32_t *)nas_tensor_data(*out))[i]--;
  return status;
}

/* core.dataset(name, parts) */
static int core_dataset(lua_State *L) {
  static const char *const names[] = {"inputs", "targets", "classes", "class_names", NULL};
  nas_error err;
  nas_tensor *from_zero = NULL;
  nas_dataset_parts parts = {.name = nas_check_name(L, 1, "name")};
  luaL_checktype(L, 2, LUA_TTABLE);
  nas_settings settings = nas_settings_open(L, 2, "dataset");
  nas_settings_known(&settings, names, NULL);
  int inputs = push_tensor(&settings, "inputs"), targets = push_tensor(&settings, "targets");
  parts.classes = (int)nas_settings_integer(&settings, "classes", 0, 0, NAS_CLASSES_MAX);
  parts.class_names = names_field(&settings, parts.classes);

  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  parts.inputs = nas_check_tensor(L, inputs);
  parts.targets = nas_check_tensor(L, targets);
  check_finite(L, "inputs", parts.inputs);
  check_finite(L, "targets", parts.targets);
  if (holds_labels(&parts)) check_labels(L, parts.targets, parts.classes);
  if (holds_labels(&parts)) {
    if (count_from_zero(&from_zero, parts.targets, &err)) return nas_raise(L, &err);
    parts.targets = from_zero;
  }
  nas_status status = nas_dataset_create(&box->dataset, &parts, &err);
  nas_tensor_destroy(&from_zero);
  if (status) return nas_raise(L, &err);
  nas_box_pressure(L, (size_t)nas_tensor_size(parts.inputs) *
                          nas_dtype_size(nas_tensor_dtype(parts.inputs)));
  return 1;
}

/* -- splitting -------------------------------------------------------------------------------- */

/* The positions in a field, from 0, in a block that is pushed. `listed` marks those of all lists.
 */
static const int32_t *positions_field(const nas_settings *settings, const char *name,
                                      unsigned char *listed, int64_t images, int64_t *count) {
  lua_State *L = settings->L;
  lua_Unsigned length = nas_settings_list(settings, name, "a list of positions");
  if (length > (lua_Unsigned)images)
    luaL_error(L, "split: %s has %I entries; expected at most %I, one for each image", name,
               (lua_Integer)length, (lua_Integer)images);
  *count = (int64_t)length;
  int32_t *positions = lua_newuserdatauv(L, (size_t)*count * sizeof *positions, 0);
  for (lua_Integer i = 0; i < *count; i++) {
    lua_Integer position = lua_rawgeti(L, -2, i + 1) == LUA_TNUMBER ? lua_tointeger(L, -1) : 0;
    if (position < 1 || position > images)
      luaL_error(L, "split: %s[%I] is %s; expected an integer from 1 to %I", name, i + 1,
                 nas_check_shown(L, -1), (lua_Integer)images);
    if (listed[position - 1])
      luaL_error(L, "split: %s[%I] is %I, which is listed twice; expected every image once", name,
                 i + 1, position);
    listed[position - 1] = 1;
    positions[i] = (int32_t)(position - 1);
    lua_pop(L, 1);
  }
  return positions;
}

/* Reads both lists; nothing if there is none. */
static void read_lists(const nas_settings *settings, nas_split *split, int64_t images) {
  static const char *const others[] = {"validation", "seed", "limit", "stratified"};
  lua_State *L = settings->L;
  if (!is_there(settings, "training_list") && !is_there(settings, "validation_list")) return;
  for (int i = 0; i < 4; i++)
    if (is_there(settings, others[i]))
      luaL_error(L,
                 "split: %s is given with lists; expected training_list and validation_list only",
                 others[i]);
  unsigned char *listed = lua_newuserdatauv(L, (size_t)images, 0);
  memset(listed, 0, (size_t)images);
  split->training_list =
      positions_field(settings, "training_list", listed, images, &split->training_count);
  split->validation_list =
      positions_field(settings, "validation_list", listed, images, &split->validation_count);
}

/* dataset:split { validation, seed, limit, stratified, standardize, training_list,
 * validation_list } */
static int dataset_split(lua_State *L) {
  static const char *const names[] = {"validation",      "seed",        "limit",
                                      "stratified",      "standardize", "training_list",
                                      "validation_list", NULL};
  nas_error err;
  nas_split split;
  lua_settop(L, 2);
  const nas_dataset *dataset = push_reference(L);
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
  read_lists(&settings, &split, count);

  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_dataset_split(&box->dataset, dataset, &split, &err)) return nas_raise(L, &err);
  nas_box_pressure(L, (size_t)count * sizeof(int32_t));
  return 1;
}

/* The numbers of the list at argument `arg`, in a block that is pushed. */
static const double *check_numbers(lua_State *L, int arg, lua_Integer count) {
  luaL_checktype(L, arg, LUA_TTABLE);
  if ((lua_Integer)lua_rawlen(L, arg) != count)
    nas_check_failed(L, arg, "%I numbers; expected %I", (lua_Integer)lua_rawlen(L, arg), count);
  double *numbers = lua_newuserdatauv(L, (size_t)count * sizeof *numbers, 0);
  for (lua_Integer i = 0; i < count; i++) {
    if (lua_rawgeti(L, arg, i + 1) != LUA_TNUMBER)
      nas_check_failed(L, arg, "[%I] is %s; expected a number", i + 1, nas_check_shown(L, -1));
    numbers[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return numbers;
}

/* dataset:adopt(means, stds): of each channel or feature; without arguments, none */
static int dataset_adopt(lua_State *L) {
  nas_error err;
  nas_check_dataset(L, 1);
  const double *mean = NULL, *std = NULL;
  lua_Integer count = 0;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    count = (lua_Integer)lua_rawlen(L, 2);
    luaL_argcheck(L, count >= 1 && count <= INT_MAX, 2, "expected a number for each channel");
    mean = check_numbers(L, 2, count);
    std = check_numbers(L, 3, count);
  }
  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  if (nas_dataset_adopt(&box->dataset, dataset, (int)count, mean, std, &err))
    return nas_raise(L, &err);
  nas_box_pressure(L, (size_t)nas_dataset_count(dataset) * sizeof(int32_t));
  return 1;
}

/* -- reading ---------------------------------------------------------------------------------- */

static void set_shape(lua_State *L, const nas_dataset *dataset) {
  static const char *const names[] = {"height", "width", "channels"};
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  lua_createtable(L, rank, 0);
  for (int d = 0; d < rank; d++) {
    lua_pushinteger(L, dims[d]);
    lua_rawseti(L, -2, d + 1);
  }
  lua_setfield(L, -2, "shape");
  for (int d = 0; d < rank && rank == 3; d++) nas_set_integer(L, names[d], dims[d]);
}

static void set_targets(lua_State *L, const nas_dataset *dataset) {
  int classes = nas_dataset_classes(dataset);
  int values = nas_dataset_task(dataset) == NAS_TASK_VALUES;
  nas_set_string(L, "task", values ? "values" : "classes");
  nas_set_integer(L, "target_values", values ? nas_dataset_target_size(dataset) : 0);
  if (values) return;
  nas_set_integer(L, "classes", classes);
  if (!nas_dataset_class_name(dataset, 0)) return;
  lua_createtable(L, classes, 0);
  for (int c = 0; c < classes; c++) {
    lua_pushstring(L, nas_dataset_class_name(dataset, c));
    lua_rawseti(L, -2, c + 1);
  }
  lua_setfield(L, -2, "class_names");
}

static int dataset_info(lua_State *L) {
  lua_settop(L, 1);
  const nas_dataset *dataset = push_reference(L);
  const double *mean, *std;
  int64_t training, validation;
  nas_dataset_training(dataset, &training);
  nas_dataset_validation(dataset, &validation);
  lua_createtable(L, 0, 15);
  nas_set_string(L, "name", nas_dataset_name(dataset));
  nas_set_string(L, "fingerprint", nas_dataset_fingerprint(dataset));
  nas_dataset_identity(dataset, nas_text_new(L));
  nas_text_to_string(L);
  lua_setfield(L, -2, "identity");
  nas_set_integer(L, "count", nas_dataset_count(dataset));
  nas_set_integer(L, "training", training);
  nas_set_integer(L, "validation", validation);
  set_shape(L, dataset);
  set_targets(L, dataset);
  lua_pushboolean(L, nas_dataset_standardization(dataset, &mean, &std) > 0);
  lua_setfield(L, -2, "standardized");
  return 1;
}

static int dataset_describe(lua_State *L) {
  lua_settop(L, 1);
  nas_text *text = nas_text_new(L);
  nas_dataset_describe(nas_check_dataset(L, 1), text);
  return nas_text_to_string(L);
}

static void push_numbers(lua_State *L, const double *numbers, int count) {
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_pushnumber(L, numbers[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/* dataset:standardization(): means and stds; or nil */
static int dataset_standardization(lua_State *L) {
  const double *mean, *std;
  lua_settop(L, 1);
  int count = nas_dataset_standardization(push_reference(L), &mean, &std);
  if (!count) return 0;
  push_numbers(L, mean, count);
  push_numbers(L, std, count);
  return 2;
}

/* Pushes the class, or a tensor of the values. Returns 1. */
static int push_target(lua_State *L, const nas_dataset *dataset, int64_t i) {
  nas_error err;
  int64_t size = nas_dataset_target_size(dataset);
  if (nas_dataset_task(dataset) == NAS_TASK_CLASSES) {
    lua_pushinteger(L, (lua_Integer)nas_dataset_label(dataset, i) + 1);
    return 1;
  }
  nas_tensor **values = nas_push_tensor(L);
  if (nas_tensor_create(values, NAS_FLOAT32, 1, &size, &err)) return nas_raise(L, &err);
  nas_dataset_read_target(dataset, i, nas_tensor_data(*values));
  nas_box_pressure(L, (size_t)size * sizeof(float));
  return 1;
}

static int dataset_target(lua_State *L) {
  lua_settop(L, 2);
  const nas_dataset *dataset = push_reference(L);
  return push_target(L, dataset, nas_check_index(L, 2, "image", nas_dataset_count(dataset)));
}

/* dataset:image(i): a copy of the bytes, and the target */
static int dataset_image(lua_State *L) {
  nas_error err;
  lua_settop(L, 2);
  const nas_dataset *dataset = push_reference(L);
  int64_t i = nas_check_index(L, 2, "image", nas_dataset_count(dataset));
  const uint8_t *pixels = nas_dataset_pixels(dataset, i);
  int dims[3];
  if (!pixels)
    return luaL_error(L, "dataset: %s holds no images of bytes; input(i) reads what it holds",
                      nas_dataset_name(dataset));
  nas_dataset_image_dims(dataset, dims);
  nas_tensor **image = nas_push_tensor(L);
  if (nas_tensor_create(image, NAS_UINT8, 3, (const int64_t[]){dims[0], dims[1], dims[2]}, &err))
    return nas_raise(L, &err);
  memcpy(nas_tensor_data(*image), pixels, image_bytes(dataset));
  nas_box_pressure(L, image_bytes(dataset));
  return 1 + push_target(L, dataset, i);
}

/* The view that the options at argument 3 give image i, with seed and epoch behind them. */
static nas_view check_view(lua_State *L, const nas_dataset *dataset, int64_t i) {
  nas_error err;
  nas_option_value options[NAS_AUGMENT_OPTIONS];
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  nas_settings settings = nas_settings_open(L, 3, "augment");
  nas_settings_known(&settings, NULL, &nas_augment_table);
  nas_options_default(&nas_augment_table, options);
  nas_settings_options(&settings, &nas_augment_table, options);
  uint64_t seed = (uint64_t)luaL_optinteger(L, 4, 0);
  int epoch = lua_isnoneornil(L, 5) ? 1 : (int)nas_check_integer(L, 5, "epoch", 0, INT_MAX);
  if (nas_augment_check(options, dims, rank, &err)) nas_raise(L, &err);
  if (rank != 3) return (nas_view){0};
  return nas_augment_view(options, seed, epoch, i, dims[0], dims[1]);
}

/* dataset:input(i, augment, seed, epoch) */
static int dataset_input(lua_State *L) {
  nas_error err;
  lua_settop(L, 5);
  const nas_dataset *dataset = push_reference(L);
  int64_t i = nas_check_index(L, 2, "image", nas_dataset_count(dataset));
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  const nas_view view = check_view(L, dataset, i);
  nas_tensor **input = nas_push_tensor(L);
  const int64_t shape[] = {dims[0], dims[1], dims[2]};
  if (nas_tensor_create(input, NAS_FLOAT32, rank, shape, &err)) return nas_raise(L, &err);
  nas_dataset_read_input(dataset, i, &view, nas_tensor_data(*input),
                         rank == 3 ? (ptrdiff_t)dims[1] * dims[2] : dims[0]);
  nas_box_pressure(L, (size_t)nas_tensor_size(*input) * sizeof(float));
  return 1;
}

/* dataset:part("training" or "validation"): the numbers of its images, in order */
static int dataset_part(lua_State *L) {
  static const char *const names[] = {"training", "validation", NULL};
  nas_error err;
  int64_t count;
  nas_check_dataset(L, 1);
  int is_validation = luaL_checkoption(L, 2, NULL, names);
  nas_tensor **numbers = nas_push_tensor(L);
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  const int32_t *list = is_validation ? nas_dataset_validation(dataset, &count)
                                      : nas_dataset_training(dataset, &count);
  if (nas_tensor_create(numbers, NAS_INT32, 1, &count, &err)) return nas_raise(L, &err);
  int32_t *to = nas_tensor_data(*numbers);
  for (int64_t i = 0; i < count; i++) to[i] = list[i] + 1;
  nas_box_pressure(L, (size_t)count * sizeof *to);
  return 1;
}

static int dataset_len(lua_State *L) {
  lua_pushinteger(L, nas_dataset_count(nas_check_dataset(L, 1)));
  return 1;
}

/* "luanas.Dataset: test, 6 images of 8x8x1 in 3 classes" */
static int dataset_tostring(lua_State *L) {
  dataset_box *box = nas_box_peek(L, 1, TYPE);
  int dims[3];
  if (!box->dataset) {
    lua_pushfstring(L, "%s (closed)", TYPE);
    return 1;
  }
  const nas_dataset *dataset = push_reference(L);
  lua_Integer count = (lua_Integer)nas_dataset_count(dataset);
  lua_pushfstring(L, "%s: %s, ", TYPE, nas_dataset_name(dataset));
  if (nas_dataset_input_shape(dataset, dims) == 3)
    lua_pushfstring(L, "%I images of %dx%dx%d ", count, dims[0], dims[1], dims[2]);
  else
    lua_pushfstring(L, "%I rows of %d features ", count, dims[0]);
  if (nas_dataset_task(dataset) == NAS_TASK_CLASSES)
    lua_pushfstring(L, "in %d classes", nas_dataset_classes(dataset));
  else
    lua_pushfstring(L, "with %d values each", nas_dataset_target_size(dataset));
  lua_concat(L, 3);
  return 1;
}

static const luaL_Reg methods[] = {
    {"split", dataset_split},
    {"adopt", dataset_adopt},
    {"info", dataset_info},
    {"describe", dataset_describe},
    {"standardization", dataset_standardization},
    {"image", dataset_image},
    {"input", dataset_input},
    {"part", dataset_part},
    {"target", dataset_target},
    {NULL, NULL},
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
