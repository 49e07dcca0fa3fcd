/* luanas.Tensor. Indices and dimensions count from 1, negative ones from the end. */
#include <nas/tensor.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "types.h"

static const char TYPE[] = "luanas.Tensor";

typedef struct tensor_box {
  nas_tensor *tensor;
} tensor_box;

static const char *const dtype_names[] = {"float32", "uint8", "int32", NULL};
static const nas_dtype dtypes[] = {NAS_FLOAT32, NAS_UINT8, NAS_INT32};

nas_tensor *nas_check_tensor(lua_State *L, int arg) {
  tensor_box *box = nas_box_check(L, arg, TYPE);
  return box->tensor;
}

nas_tensor **nas_push_tensor(lua_State *L) {
  tensor_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  return &box->tensor;
}

nas_dtype nas_check_dtype(lua_State *L, int arg) {
  return dtypes[luaL_checkoption(L, arg, "float32", dtype_names)];
}

int nas_check_dims(lua_State *L, int arg, int64_t dims[NAS_RANK_MAX]) {
  luaL_checktype(L, arg, LUA_TTABLE);
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
  lua_createtable(L, rank, 0);
  for (int d = 0; d < rank; d++) {
    lua_pushinteger(L, dims[d]);
    lua_rawseti(L, -2, d + 1);
  }
}

void nas_push_element(lua_State *L, nas_dtype dtype, double value) {
  if (dtype == NAS_FLOAT32)
    lua_pushnumber(L, value);
  else
    lua_pushinteger(L, (lua_Integer)value);
}

static int tensor_close(lua_State *L) {
  tensor_box *box = nas_box_peek(L, 1, TYPE);
  nas_tensor_destroy(&box->tensor);
  return 0;
}

/* Ends a function that acquired the tensor on top of the stack. */
static int made(lua_State *L, nas_status status, const nas_error *err) {
  if (status) return nas_raise(L, err);
  const nas_tensor *tensor = nas_check_tensor(L, -1);
  nas_box_pressure(L, (size_t)nas_tensor_size(tensor) * nas_dtype_size(nas_tensor_dtype(tensor)));
  return 1;
}

/* The same for a view, which holds nothing new. */
static int viewed(lua_State *L, nas_status status, const nas_error *err) {
  return status ? nas_raise(L, err) : 1;
}

/* -- what it is ------------------------------------------------------------------------------- */

/* core.tensor(shape, dtype) */
static int core_tensor(lua_State *L) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  int rank = nas_check_dims(L, 1, dims);
  nas_dtype dtype = nas_check_dtype(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  return made(L, nas_tensor_create(out, dtype, rank, dims, &err), &err);
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
  nas_error err;
  int64_t indices[NAS_RANK_MAX];
  double value;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  check_indices(L, tensor, lua_gettop(L) - 1, indices);
  if (nas_tensor_get(tensor, indices, nas_tensor_rank(tensor), &value, &err))
    return nas_raise(L, &err);
  nas_push_element(L, nas_tensor_dtype(tensor), value);
  return 1;
}

/* tensor:set(i, j, ..., value) */
static int tensor_set(lua_State *L) {
  nas_error err;
  int64_t indices[NAS_RANK_MAX];
  nas_tensor *tensor = nas_check_tensor(L, 1);
  int top = lua_gettop(L);
  check_indices(L, tensor, top - 2, indices);
  double value = luaL_checknumber(L, top);
  if (nas_tensor_set(tensor, indices, nas_tensor_rank(tensor), value, &err))
    return nas_raise(L, &err);
  lua_settop(L, 1);
  return 1;
}

static int tensor_fill(lua_State *L) {
  nas_error err;
  nas_tensor *tensor = nas_check_tensor(L, 1);
  double value = luaL_checknumber(L, 2);
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

/* tensor[i]: a view of entry i of the first dimension, or a number; else a method. The upvalue is
 * the table of methods. */
static int tensor_index(lua_State *L) {
  nas_error err;
  if (lua_type(L, 2) != LUA_TNUMBER) {
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
  }
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  if (nas_tensor_rank(tensor) == 1) {
    lua_settop(L, 2);
    return tensor_get(L);
  }
  int64_t index = nas_check_index(L, 2, "index", nas_tensor_dims(tensor)[0]);
  nas_tensor **out = nas_push_tensor(L);
  return viewed(L, nas_tensor_select(out, tensor, 0, index, &err), &err);
}

/* tensor[i] = value: a number for every element of the entry, or a tensor of the entry's shape. */
static int tensor_newindex(lua_State *L) {
  nas_error err;
  nas_tensor *tensor = nas_check_tensor(L, 1);
  if (lua_type(L, 2) != LUA_TNUMBER)
    return nas_check_failed(L, 2, "a tensor has no field %s", nas_check_shown(L, 2));
  if (nas_tensor_rank(tensor) == 1) {
    tensor_set(L);
    return 0;
  }
  int64_t index = nas_check_index(L, 2, "index", nas_tensor_dims(tensor)[0]);
  nas_tensor **entry = nas_push_tensor(L);
  if (nas_tensor_select(entry, tensor, 0, index, &err)) return nas_raise(L, &err);
  nas_status status = lua_type(L, 3) == LUA_TNUMBER
                          ? nas_tensor_fill(*entry, lua_tonumber(L, 3), &err)
                          : nas_tensor_copy(*entry, nas_check_tensor(L, 3), &err);
  return status ? nas_raise(L, &err) : 0;
}

/* -- views ------------------------------------------------------------------------------------ */

static int check_dimension(lua_State *L, int arg, const nas_tensor *tensor) {
  return (int)nas_check_index(L, arg, "dimension", nas_tensor_rank(tensor));
}

/* tensor:narrow(dimension, start, count) */
static int tensor_narrow(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int dim = check_dimension(L, 2, tensor);
  int64_t size = nas_tensor_dims(tensor)[dim];
  int64_t start = nas_check_index(L, 3, "start", size);
  int64_t count = nas_check_integer(L, 4, "count", 1, size - start);
  nas_tensor **out = nas_push_tensor(L);
  return viewed(L, nas_tensor_narrow(out, tensor, dim, start, count, &err), &err);
}

/* tensor:select(dimension, index) */
static int tensor_select(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int dim = check_dimension(L, 2, tensor);
  int64_t index = nas_check_index(L, 3, "index", nas_tensor_dims(tensor)[dim]);
  nas_tensor **out = nas_push_tensor(L);
  return viewed(L, nas_tensor_select(out, tensor, dim, index, &err), &err);
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
  int first = check_dimension(L, 2, tensor);
  int second = check_dimension(L, 3, tensor);
  nas_tensor **out = nas_push_tensor(L);
  return viewed(L, nas_tensor_transpose(out, tensor, first, second, &err), &err);
}

/* tensor:reshape(shape) */
static int tensor_reshape(lua_State *L) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int rank = nas_check_dims(L, 2, dims);
  nas_tensor **out = nas_push_tensor(L);
  nas_status status = nas_tensor_reshape(out, tensor, rank, dims, &err);
  if (status || nas_tensor_shares(*out, tensor)) return viewed(L, status, &err);
  return made(L, status, &err);
}

/* tensor:shares(other) */
static int tensor_shares(lua_State *L) {
  lua_pushboolean(L, nas_tensor_shares(nas_check_tensor(L, 1), nas_check_tensor(L, 2)));
  return 1;
}

/* -- copies ----------------------------------------------------------------------------------- */

static int tensor_clone(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_tensor **out = nas_push_tensor(L);
  return made(L, nas_tensor_clone(out, tensor, &err), &err);
}

/* tensor:to(dtype) */
static int tensor_to(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  luaL_checkany(L, 2);
  nas_dtype dtype = nas_check_dtype(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  return made(L, nas_tensor_convert(out, tensor, dtype, &err), &err);
}

/* -- arithmetic ------------------------------------------------------------------------------- */

typedef nas_status binary(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                          nas_error *err);
typedef nas_status scalar(nas_tensor **out, const nas_tensor *a, double b, nas_error *err);

/* a op b, of two tensors, or of a tensor and a number behind it. */
static int operate(lua_State *L, binary *of_tensors, scalar *of_scalar) {
  nas_error err;
  const nas_tensor *a = nas_check_tensor(L, 1);
  if (lua_type(L, 2) == LUA_TNUMBER) {
    nas_tensor **out = nas_push_tensor(L);
    return made(L, of_scalar(out, a, lua_tonumber(L, 2), &err), &err);
  }
  const nas_tensor *b = nas_check_tensor(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  return made(L, of_tensors(out, a, b, &err), &err);
}

static void swap_operands(lua_State *L) {
  lua_settop(L, 2);
  lua_insert(L, 1);
}

static int tensor_add(lua_State *L) {
  if (lua_type(L, 1) == LUA_TNUMBER) swap_operands(L);
  return operate(L, nas_tensor_add, nas_tensor_add_scalar);
}

static int tensor_mul(lua_State *L) {
  if (lua_type(L, 1) == LUA_TNUMBER) swap_operands(L);
  return operate(L, nas_tensor_mul, nas_tensor_mul_scalar);
}

/* number - tensor goes by way of a tensor full of the number. */
static int tensor_sub(lua_State *L) {
  nas_error err;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    const nas_tensor *b = nas_check_tensor(L, 2);
    nas_tensor **full = nas_push_tensor(L);
    if (nas_tensor_clone(full, b, &err)) return nas_raise(L, &err);
    if (nas_tensor_fill(*full, lua_tonumber(L, 1), &err)) return nas_raise(L, &err);
    lua_replace(L, 1);
  }
  return operate(L, nas_tensor_sub, nas_tensor_sub_scalar);
}

static int tensor_unm(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_tensor **out = nas_push_tensor(L);
  return made(L, nas_tensor_mul_scalar(out, tensor, -1, &err), &err);
}

static int tensor_eq(lua_State *L) {
  tensor_box *a = nas_box_test(L, 1, TYPE), *b = nas_box_test(L, 2, TYPE);
  lua_pushboolean(L, a && b && nas_tensor_equal(a->tensor, b->tensor));
  return 1;
}

/* tensor:matmul(other) */
static int tensor_matmul(lua_State *L) {
  nas_error err;
  const nas_tensor *a = nas_check_tensor(L, 1);
  const nas_tensor *b = nas_check_tensor(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  return made(L, nas_tensor_matmul(out, a, b, &err), &err);
}

/* -- reductions ------------------------------------------------------------------------------- */

static int tensor_sum(lua_State *L) {
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_push_element(L, nas_tensor_dtype(tensor), nas_tensor_sum(tensor));
  return 1;
}

static int tensor_mean(lua_State *L) {
  lua_pushnumber(L, nas_tensor_mean(nas_check_tensor(L, 1)));
  return 1;
}

static int tensor_min(lua_State *L) {
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_push_element(L, nas_tensor_dtype(tensor), nas_tensor_min(tensor));
  return 1;
}

static int tensor_max(lua_State *L) {
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_push_element(L, nas_tensor_dtype(tensor), nas_tensor_max(tensor));
  return 1;
}

/* Positions from 1 in the last dimension: an integer for one dimension, else an int32 tensor. */
static int tensor_argmax(lua_State *L) {
  nas_error err;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_tensor **from_zero = nas_push_tensor(L);
  if (nas_tensor_argmax(from_zero, tensor, &err)) return nas_raise(L, &err);
  nas_tensor **out = nas_push_tensor(L);
  if (nas_tensor_add_scalar(out, *from_zero, 1, &err)) return nas_raise(L, &err);
  nas_tensor_destroy(from_zero);
  if (nas_tensor_rank(tensor) > 1) return made(L, NAS_OK, &err);
  lua_pushinteger(L, *(const int32_t *)nas_tensor_data(*out));
  return 1;
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
    {"reshape", tensor_reshape},
    {"shares", tensor_shares},
    {"clone", tensor_clone},
    {"to", tensor_to},
    {"matmul", tensor_matmul},
    {"sum", tensor_sum},
    {"mean", tensor_mean},
    {"min", tensor_min},
    {"max", tensor_max},
    {"argmax", tensor_argmax},
    {"totable", nas_tensor_to_table},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__index", tensor_index},
    {"__newindex", tensor_newindex},
    {"__len", tensor_len},
    {"__add", tensor_add},
    {"__sub", tensor_sub},
    {"__mul", tensor_mul},
    {"__unm", tensor_unm},
    {"__eq", tensor_eq},
    {"__tostring", nas_tensor_to_string},
    {NULL, NULL},
};

void nas_open_tensor(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, tensor_close);
  lua_pushcfunction(L, core_tensor);
  lua_setfield(L, -2, "tensor");
}
