/* luanas.Dataset: images with their classes, and a split. Classes count from 1 in Lua, from 0 in
 * libnas and in files. */
#include <nas/dataset.h>
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

static size_t image_bytes(const nas_dataset *dataset) {
  int dims[3];
  nas_dataset_image_dims(dataset, dims);
  return (size_t)dims[0] * (size_t)dims[1] * (size_t)dims[2];
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
  nas_box_pressure(L, (size_t)nas_dataset_count(box->dataset) * image_bytes(box->dataset));
  return 1;
}

/* Raises unless all labels, the tensor at argument 3, are classes of Lua. */
static void check_labels(lua_State *L, const nas_tensor *labels, int classes) {
  double low = nas_tensor_min(labels), high = nas_tensor_max(labels);
  if (low >= 1 && high <= classes) return;
  nas_check_failed(L, 3, "labels contain %I; expected classes from 1 to %d",
                   (lua_Integer)(low < 1 ? low : high), classes);
}

/* core.dataset_tensors(name, images, labels, classes) */
static int core_dataset_tensors(lua_State *L) {
  nas_error err;
  const char *name = nas_check_name(L, 1, "name");
  nas_tensor *images = nas_check_tensor(L, 2);
  nas_tensor *labels = nas_check_tensor(L, 3);
  int classes = (int)nas_check_integer(L, 4, "classes", 2, INT_MAX);
  if (nas_tensor_dtype(labels) != NAS_INT32)
    nas_check_failed(L, 3, "labels are %s; expected int32",
                     nas_dtype_name(nas_tensor_dtype(labels)));
  check_labels(L, labels, classes);

  dataset_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  nas_tensor *from_zero;
  if (nas_tensor_sub_scalar(&from_zero, labels, 1, &err)) return nas_raise(L, &err);
  const nas_dataset_parts parts = {
      .name = name, .inputs = images, .targets = from_zero, .classes = classes};
  nas_status status = nas_dataset_create(&box->dataset, &parts, &err);
  nas_tensor_destroy(&from_zero);
  if (status) return nas_raise(L, &err);
  nas_box_pressure(L, (size_t)nas_dataset_count(box->dataset) * image_bytes(box->dataset));
  return 1;
}

/* dataset:split { validation, seed, limit } */
static int dataset_split(lua_State *L) {
  static const char *const names[] = {"validation", "seed", "limit", NULL};
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

static int dataset_info(lua_State *L) {
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  int dims[3];
  int64_t training, validation;
  nas_dataset_image_dims(dataset, dims);
  nas_dataset_training(dataset, &training);
  nas_dataset_validation(dataset, &validation);
  lua_createtable(L, 0, 10);
  lua_pushstring(L, nas_dataset_name(dataset));
  lua_setfield(L, -2, "name");
  lua_pushstring(L, nas_dataset_fingerprint(dataset));
  lua_setfield(L, -2, "fingerprint");
  nas_dataset_identity(dataset, nas_text_new(L));
  nas_text_to_string(L);
  lua_setfield(L, -2, "identity");
  set_integer(L, "classes", nas_dataset_classes(dataset));
  set_integer(L, "count", nas_dataset_count(dataset));
  set_integer(L, "height", dims[0]);
  set_integer(L, "width", dims[1]);
  set_integer(L, "channels", dims[2]);
  set_integer(L, "training", training);
  set_integer(L, "validation", validation);
  return 1;
}

/* dataset:image(i): a copy of the pixels, and the class */
static int dataset_image(lua_State *L) {
  nas_error err;
  const nas_dataset *dataset = nas_check_dataset(L, 1);
  int64_t i = nas_check_index(L, 2, "image", nas_dataset_count(dataset));
  int dims[3];
  nas_dataset_image_dims(dataset, dims);
  nas_tensor **image = nas_push_tensor(L);
  if (nas_tensor_create(image, NAS_UINT8, 3, (const int64_t[]){dims[0], dims[1], dims[2]}, &err))
    return nas_raise(L, &err);
  memcpy(nas_tensor_data(*image), nas_dataset_pixels(dataset, i), image_bytes(dataset));
  nas_box_pressure(L, image_bytes(dataset));
  lua_pushinteger(L, (lua_Integer)nas_dataset_label(dataset, i) + 1);
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
  nas_dataset_image_dims(box->dataset, dims);
  lua_pushfstring(L, "%s: %s, %I images of %dx%dx%d in %d classes", TYPE,
                  nas_dataset_name(box->dataset), (lua_Integer)nas_dataset_count(box->dataset),
                  dims[0], dims[1], dims[2], nas_dataset_classes(box->dataset));
  return 1;
}

static const luaL_Reg methods[] = {
    {"split", dataset_split},
    {"info", dataset_info},
    {"image", dataset_image},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__len", dataset_len},
    {"__tostring", dataset_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"dataset_idx", core_dataset_idx},
    {"dataset_tensors", core_dataset_tensors},
    {NULL, NULL},
};

void nas_open_dataset(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, dataset_close);
  luaL_setfuncs(L, functions, 0);
}
