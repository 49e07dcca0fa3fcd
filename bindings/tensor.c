/* luanas.Tensor. Indices and dimensions count from 1, negative ones from the end. */
#include <nas/tensor.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "types.h"

const char nas_tensor_type[] = "luanas.Tensor";

typedef struct tensor_box {
  nas_tensor *tensor;
} tensor_box;

static const char *const dtype_names[] = {"float32", "uint8", "int32", NULL};
static const nas_dtype dtypes[] = {NAS_FLOAT32, NAS_UINT8, NAS_INT32};

nas_tensor *nas_check_tensor(lua_State *L, int arg) {
  if (!luaL_testudata(L, arg, nas_tensor_type)) {
    nas_check_colon(L, nas_tensor_type);
    nas_check_failed(L, arg, "expected a tensor, got %s", nas_check_shown(L, arg));
  }
  tensor_box *box = nas_box_check(L, arg, nas_tensor_type);
  return box->tensor;
}

nas_tensor **nas_push_tensor(lua_State *L) {
  tensor_box *box = nas_box_new(L, nas_tensor_type, sizeof *box, 0);
  return &box->tensor;
}

const nas_tensor *nas_push_view(lua_State *L, int arg) {
  nas_error err;
  nas_tensor **view = nas_push_tensor(L);
  if (nas_tensor_view(view, nas_check_tensor(L, arg), &err)) nas_raise(L, &err);
  return *view;
}

nas_dtype nas_check_dtype(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return NAS_FLOAT32;
  return dtypes[nas_check_choice(L, arg, "dtype", dtype_names)];
}

int nas_check_dims(lua_State *L, int arg, int64_t dims[NAS_RANK_MAX]) {
  nas_check_table(L, arg, "shape", "a list of sizes such as { 3, 3 }");
  lua_Unsigned rank = lua_rawlen(L, arg);
  if (rank < 1 || rank > NAS_RANK_MAX)
    nas_check_failed(L, arg, "a shape of %I dimensions; expected 1 to %d", (lua_Integer)rank,
                     NAS_RANK_MAX);
  for (int d = 0; d < (int)rank; d++) {
    int is_integer;
    lua_rawgeti(L, arg, d + 1);
    dims[d] = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || dims[d] < 1)
      nas_check_failed(L, arg, "dimension %d is %s; expected an integer of at least 1", d + 1,
                       nas_check_shown(L, -1));
    lua_pop(L, 1);
  }
  return (int)rank;
}

void nas_push_dims(lua_State *L, int rank, const int64_t *dims) {
  int64_t own[NAS_RANK_MAX]; /* dims may be those of a handle */
  memcpy(own, dims, (size_t)rank * sizeof *own);
  lua_createtable(L, rank, 0);
  for (int d = 0; d < rank; d++) {
    lua_pushinteger(L, own[d]);
    lua_rawseti(L, -2, d + 1);
  }
}

void nas_push_element(lua_State *L, nas_dtype dtype, double value) {
  if (dtype == NAS_FLOAT32)
    lua_pushnumber(L, value);
  else
    lua_pushinteger(L, (lua_Integer)value);
}

int nas_push_element_at(lua_State *L, const nas_tensor *tensor, const int64_t *indices) {
  nas_error err;
  double value;
  if (nas_tensor_get(tensor, indices, nas_tensor_rank(tensor), &value, &err))
    return nas_raise(L, &err);
  nas_push_element(L, nas_tensor_dtype(tensor), value);
  return 1;
}

static int tensor_close(lua_State *L) {
  tensor_box *box = nas_box_peek(L, 1, nas_tensor_type);
  nas_tensor_destroy(&box->tensor);
  return 0;
}

void nas_weigh_tensor(lua_State *L, const nas_tensor *tensor) {
  nas_box_pressure(L, (size_t)nas_tensor_size(tensor) * nas_dtype_size(nas_tensor_dtype(tensor)));
}

int nas_tensor_made(lua_State *L, nas_status status, const nas_error *err) {
  if (status) return nas_raise(L, err);
  nas_weigh_tensor(L, nas_check_tensor(L, -1));
  return 1;
}

int nas_tensor_viewed(lua_State *L, nas_status status, const nas_error *err) {
  return status ? nas_raise(L, err) : 1;
}

int nas_tensor_made_of(lua_State *L, const nas_tensor *tensor, nas_status status,
                       const nas_error *err) {
  if (status) return nas_raise(L, err);
  if (nas_tensor_shares(nas_check_tensor(L, -1), tensor)) return 1;
  return nas_tensor_made(L, status, err);
}

/* -- what it is ------------------------------------------------------------------------------- */

/* core.tensor(shape, dtype) */
static int core_tensor(lua_State *L) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  int rank = nas_check_dims(L, 1, dims);
  nas_dtype dtype = nas_check_dtype(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  return nas_tensor_made(L, nas_tensor_create(out, dtype, rank, dims, &err), &err);
}

static int tensor_shape(lua_State *L) {
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_push_dims(L, nas_tensor_rank(tensor), nas_tensor_dims(tensor));
  return 1;
}

static int tensor_dtype(lua_State *L) {
  lua_pushstring(L, nas_dtype_name(nas_tensor_dtype(nas_check_tensor(L, 1))));
  return 1;
}

static int tensor_size(lua_State *L) {
  lua_pushinteger(L, nas_tensor_size(nas_check_tensor(L, 1)));
  return 1;
}

static int tensor_len(lua_State *L) {
  lua_pushinteger(L, nas_tensor_dims(nas_check_tensor(L, 1))[0]);
  return 1;
}

/* -- elements --------------------------------------------------------------------------------- */

/* One index for each dimension, from argument 2 on. */
static void check_indices(lua_State *L, const nas_tensor *tensor, int given,
                          int64_t indices[NAS_RANK_MAX]) {
  int rank = nas_tensor_rank(tensor);
  if (given != rank)
    luaL_error(L, "%d indices for a tensor of %d dimension%s", given, rank, rank == 1 ? "" : "s");
  for (int d = 0; d < rank; d++)
    indices[d] = nas_check_index(L, d + 2, "index", nas_tensor_dims(tensor)[d]);
}

static int tensor_get(lua_State *L) {
  int64_t indices[NAS_RANK_MAX];
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  check_indices(L, tensor, lua_gettop(L) - 1, indices);
  return nas_push_element_at(L, tensor, indices);
}

/* tensor:set(i, j, ..., value) */
static int tensor_set(lua_State *L) {
  nas_error err;
  int64_t indices[NAS_RANK_MAX];
  nas_tensor *tensor = nas_check_tensor(L, 1);
  int top = lua_gettop(L);
  check_indices(L, tensor, top - 2, indices);
  double value = nas_check_number(L, top, "value");
  if (nas_tensor_set(tensor, indices, nas_tensor_rank(tensor), value, &err))
    return nas_raise(L, &err);
  lua_settop(L, 1);
  return 1;
}

static int tensor_fill(lua_State *L) {
  nas_error err;
  nas_tensor *tensor = nas_check_tensor(L, 1);
  double value = nas_check_number(L, 2, "value");
  if (nas_tensor_fill(tensor, value, &err)) return nas_raise(L, &err);
  lua_settop(L, 1);
  return 1;
}

static int tensor_copy(lua_State *L) {
  nas_error err;
  nas_tensor *to = nas_check_tensor(L, 1);
  const nas_tensor *from = nas_check_tensor(L, 2);
  if (nas_tensor_copy(to, from, &err)) return nas_raise(L, &err);
  lua_settop(L, 1);
  return 1;
}

/* -- views ------------------------------------------------------------------------------------ */

int nas_check_dimension(lua_State *L, int arg, const nas_tensor *tensor) {
  return (int)nas_check_index(L, arg, "dimension", nas_tensor_rank(tensor));
}

/* tensor:narrow(dimension, start, count) */
static int tensor_narrow(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int dim = nas_check_dimension(L, 2, tensor);
  int64_t size = nas_tensor_dims(tensor)[dim];
  int64_t start = nas_check_index(L, 3, "start", size);
  int64_t count = nas_check_integer(L, 4, "count", 1, size - start);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_narrow(out, tensor, dim, start, count, &err), &err);
}

/* tensor:select(dimension, index) */
static int tensor_select(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int dim = nas_check_dimension(L, 2, tensor);
  int64_t index = nas_check_index(L, 3, "index", nas_tensor_dims(tensor)[dim]);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_select(out, tensor, dim, index, &err), &err);
}

/* tensor:transpose(first = 1, second = 2) */
static int tensor_transpose(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  if (lua_isnoneornil(L, 2) && lua_isnoneornil(L, 3)) {
    lua_settop(L, 1);
    lua_pushinteger(L, 1);
    lua_pushinteger(L, 2);
  }
  int first = nas_check_dimension(L, 2, tensor);
  int second = nas_check_dimension(L, 3, tensor);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_transpose(out, tensor, first, second, &err), &err);
}

/* tensor:permute({ 3, 1, 2 }): dimension 3 comes first */
static int tensor_permute(lua_State *L) {
  nas_error err;
  int order[NAS_RANK_MAX];
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int rank = nas_tensor_rank(tensor);
  nas_check_table(L, 2, "order", "a list of dimensions such as { 2, 1 }");
  if (lua_rawlen(L, 2) != (lua_Unsigned)rank)
    return nas_check_failed(L, 2, "%I dimensions for a tensor of %d", (lua_Integer)lua_rawlen(L, 2),
                            rank);
  for (int d = 0; d < rank; d++) {
    lua_rawgeti(L, 2, d + 1);
    order[d] = (int)nas_check_index_at(L, -1, 2, "dimension", -1, rank);
    for (int before = 0; before < d; before++)
      if (order[before] == order[d])
        return nas_check_failed(L, 2, "dimension %d is there twice; expected each once",
                                order[d] + 1);
    lua_pop(L, 1);
  }
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_permute(out, tensor, order, &err), &err);
}

/* tensor:squeeze(dimension), or all dimensions of one entry; one stays. */
static int tensor_squeeze(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int all = lua_isnoneornil(L, 2), only = all ? -1 : nas_check_dimension(L, 2, tensor);
  if (!all && nas_tensor_dims(tensor)[only] != 1)
    return nas_check_failed(L, 2, "dimension %d has %I entries; expected 1", only + 1,
                            (lua_Integer)nas_tensor_dims(tensor)[only]);
  nas_tensor **out = nas_push_tensor(L), *next;
  tensor = nas_check_tensor(L, 1);
  nas_status status = nas_tensor_view(out, tensor, &err);
  for (int d = nas_tensor_rank(tensor) - 1; d >= 0 && status == NAS_OK; d--) {
    if (nas_tensor_dims(*out)[d] != 1 || (!all && d != only)) continue;
    if (all && nas_tensor_rank(*out) == 1) break;
    status = nas_tensor_select(&next, *out, d, 0, &err);
    if (status != NAS_OK) break;
    nas_tensor_destroy(out);
    *out = next;
  }
  return nas_tensor_viewed(L, status, &err);
}

/* tensor:unsqueeze(dimension): where the new one is then */
static int tensor_unsqueeze(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int dim = (int)nas_check_index(L, 2, "dimension", nas_tensor_rank(tensor) + 1);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_unsqueeze(out, tensor, dim, &err), &err);
}

/* tensor:expand(shape) */
static int tensor_expand(lua_State *L) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  nas_check_tensor(L, 1);
  int rank = nas_check_dims(L, 2, dims);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_expand(out, tensor, rank, dims, &err), &err);
}

/* The shape at argument 2, where one dimension may be -1: what the others leave of the size. */
static int check_new_dims(lua_State *L, const nas_tensor *tensor, int64_t dims[NAS_RANK_MAX]) {
  nas_check_table(L, 2, "shape", "a list of sizes such as { 3, 3 }");
  lua_Integer open = 0;
  int64_t left = nas_tensor_size(tensor);
  for (lua_Integer d = 1; d <= (lua_Integer)lua_rawlen(L, 2) && d <= NAS_RANK_MAX; d++) {
    lua_rawgeti(L, 2, d);
    lua_Integer dim = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (dim == -1 && !open)
      open = d;
    else
      left = dim < 1 || left % dim ? 0 : left / dim;
  }
  if (!open || left == 0) return nas_check_dims(L, 2, dims); /* the message shows the -1 */
  lua_createtable(L, (int)lua_rawlen(L, 2), 0);
  for (lua_Integer d = 1; d <= (lua_Integer)lua_rawlen(L, 2); d++) {
    if (d == open)
      lua_pushinteger(L, left);
    else
      lua_rawgeti(L, 2, d);
    lua_rawseti(L, -2, d);
  }
  lua_replace(L, 2);
  return nas_check_dims(L, 2, dims);
}

/* tensor:reshape(shape) */
static int tensor_reshape(lua_State *L) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int rank = check_new_dims(L, tensor, dims);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  nas_status status = nas_tensor_reshape(out, tensor, rank, dims, &err);
  return nas_tensor_made_of(L, tensor, status, &err);
}

/* tensor:shares(other) */
static int tensor_shares(lua_State *L) {
  lua_pushboolean(L, nas_tensor_shares(nas_check_tensor(L, 1), nas_check_tensor(L, 2)));
  return 1;
}

/* -- copies ----------------------------------------------------------------------------------- */

static int tensor_clone(lua_State *L) {
  nas_error err;
  lua_settop(L, 1);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  return nas_tensor_made(L, nas_tensor_clone(out, tensor, &err), &err);
}

/* tensor:to(dtype) */
static int tensor_to(lua_State *L) {
  nas_error err;
  nas_check_tensor(L, 1);
  nas_dtype dtype = dtypes[nas_check_choice(L, 2, "dtype", dtype_names)];
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  return nas_tensor_made(L, nas_tensor_convert(out, tensor, dtype, &err), &err);
}

/* -- tables ----------------------------------------------------------------------------------- */

static const luaL_Reg methods[] = {
    {"shape", tensor_shape},
    {"dtype", tensor_dtype},
    {"size", tensor_size},
    {"get", tensor_get},
    {"set", tensor_set},
    {"fill", tensor_fill},
    {"copy", tensor_copy},
    {"narrow", tensor_narrow},
    {"select", tensor_select},
    {"transpose", tensor_transpose},
    {"permute", tensor_permute},
    {"squeeze", tensor_squeeze},
    {"unsqueeze", tensor_unsqueeze},
    {"expand", tensor_expand},
    {"reshape", tensor_reshape},
    {"shares", tensor_shares},
    {"clone", tensor_clone},
    {"to", tensor_to},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__len", tensor_len},
    {NULL, NULL},
};

void nas_open_tensor(lua_State *L) {
  nas_box_type(L, nas_tensor_type, methods, meta, tensor_close);
  lua_pushcfunction(L, core_tensor);
  lua_setfield(L, -2, "tensor");
}
