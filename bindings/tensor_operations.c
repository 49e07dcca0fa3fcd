/* Calculations with tensors. Operands may be numbers. */
#include <nas/tensor.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "types.h"

/* -- operands --------------------------------------------------------------------------------- */

static void check_operand_type(lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TNUMBER || luaL_testudata(L, arg, nas_tensor_type)) return;
  nas_check_colon(L, nas_tensor_type);
  nas_check_failed(L, arg, "expected a tensor or a number, got %s%s", nas_check_shown(L, arg),
                   lua_istable(L, arg) ? "; nas.tensor makes a tensor of a table" : "");
}

const nas_tensor *nas_check_operand(lua_State *L, int arg, const nas_tensor *other) {
  nas_error err;
  const int64_t one = 1;
  check_operand_type(L, arg);
  if (lua_type(L, arg) != LUA_TNUMBER) return nas_check_tensor(L, arg);
  int of_integers = lua_isinteger(L, arg) && other && nas_tensor_dtype(other) != NAS_FLOAT32;
  double value = of_integers ? (double)nas_check_integer(L, arg, "number", INT32_MIN, INT32_MAX)
                             : lua_tonumber(L, arg);
  nas_tensor **number = nas_push_tensor(L);
  if (nas_tensor_create(number, of_integers ? NAS_INT32 : NAS_FLOAT32, 1, &one, &err) ||
      nas_tensor_fill(*number, value, &err))
    nas_raise(L, &err);
  lua_replace(L, arg);
  return *number;
}

/* -- element by element ----------------------------------------------------------------------- */

/* Of the first two arguments, one of which is a tensor. */
static int binary(lua_State *L, nas_binary operation) {
  nas_error err;
  lua_settop(L, 2);
  check_operand_type(L, 1);
  const nas_tensor *a = lua_type(L, 1) == LUA_TNUMBER ? NULL : nas_check_tensor(L, 1);
  nas_check_operand(L, 1, nas_check_operand(L, 2, a));
  nas_tensor **out = nas_push_tensor(L);
  a = nas_check_tensor(L, 1);
  const nas_tensor *b = nas_check_tensor(L, 2);
  return nas_tensor_made(L, nas_tensor_binary(out, operation, a, b, &err), &err);
}

static int unary(lua_State *L, nas_unary operation) {
  nas_error err;
  lua_settop(L, 1);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  return nas_tensor_made(L, nas_tensor_unary(out, operation, tensor, &err), &err);
}

/* X(name of the function, name in libnas) */
#define BINARIES(X)                                                                                \
  X(add, ADD)                                                                                      \
  X(sub, SUB)                                                                                      \
  X(mul, MUL)                                                                                      \
  X(div, DIV)                                                                                      \
  X(pow, POW)                                                                                      \
  X(maximum, MAXIMUM)                                                                              \
  X(minimum, MINIMUM)                                                                              \
  X(lt, LT)                                                                                        \
  X(le, LE)                                                                                        \
  X(gt, GT)                                                                                        \
  X(ge, GE)                                                                                        \
  X(eq, EQ)                                                                                        \
  X(ne, NE)                                                                                        \
  X(both, AND)                                                                                     \
  X(either, OR)

#define UNARIES(X)                                                                                 \
  X(abs, ABS)                                                                                      \
  X(sign, SIGN)                                                                                    \
  X(floor, FLOOR)                                                                                  \
  X(ceil, CEIL)                                                                                    \
  X(round, ROUND)                                                                                  \
  X(exp, EXP)                                                                                      \
  X(log, LOG)                                                                                      \
  X(sqrt, SQRT)                                                                                    \
  X(tanh, TANH)                                                                                    \
  X(sigmoid, SIGMOID)                                                                              \
  X(is_nan, IS_NAN)                                                                                \
  X(is_finite, IS_FINITE)                                                                          \
  X(negate, NOT)

#define X(name, operation)                                                                         \
  static int tensor_##name(lua_State *L) {                                                         \
    return binary(L, NAS_BINARY_##operation);                                                      \
  }
BINARIES(X)
#undef X

#define X(name, operation)                                                                         \
  static int tensor_##name(lua_State *L) {                                                         \
    return unary(L, NAS_UNARY_##operation);                                                        \
  }
UNARIES(X)
#undef X

static int tensor_unm(lua_State *L) {
  lua_settop(L, 1);
  lua_pushinteger(L, -1);
  return binary(L, NAS_BINARY_MUL);
}

/* tensor:clamp(low, high), of which one may be nil */
static int tensor_clamp(lua_State *L) {
  nas_check_tensor(L, 1);
  lua_settop(L, 3);
  if (lua_isnil(L, 2) && lua_isnil(L, 3))
    return luaL_error(L, "tensor:clamp without a lowest and a highest number");
  for (int arg = 2; arg <= 3; arg++)
    if (!lua_isnil(L, arg)) check_operand_type(L, arg);
  lua_insert(L, 1); /* high, tensor, low */
  if (lua_isnil(L, 3))
    lua_pop(L, 1);
  else {
    lua_pushcfunction(L, tensor_maximum);
    lua_insert(L, 2);
    lua_call(L, 2, 1);
  }
  if (lua_isnil(L, 1)) return 1;
  lua_insert(L, 1);
  return binary(L, NAS_BINARY_MINIMUM);
}

static int tensor_equals(lua_State *L) {
  nas_tensor **a = nas_box_test(L, 1, nas_tensor_type), **b = nas_box_test(L, 2, nas_tensor_type);
  lua_pushboolean(L, a && b && nas_tensor_equal(*a, *b));
  return 1;
}

/* Lua makes a boolean of what __lt returns, so a mask must come from a method. Of `a > b` Lua makes
 * `b < a`. */
static int refuse_comparison(lua_State *L, const char *less, const char *greater) {
  static const char text[] = "tensors are compared element by element, by methods:";
  if (lua_type(L, 1) == LUA_TNUMBER)
    return luaL_error(L, "%s a:%s(%s)", text, greater, nas_check_shown(L, 1));
  if (lua_type(L, 2) == LUA_TNUMBER)
    return luaL_error(L, "%s a:%s(%s)", text, less, nas_check_shown(L, 2));
  return luaL_error(L, "%s a:%s(b), a:%s(b)", text, less, greater);
}

static int tensor_less(lua_State *L) {
  return refuse_comparison(L, "lt", "gt");
}

static int tensor_at_most(lua_State *L) {
  return refuse_comparison(L, "le", "ge");
}

/* core.tensor_where(mask, a, b) */
static int core_tensor_where(lua_State *L) {
  nas_error err;
  lua_settop(L, 3);
  nas_check_tensor(L, 1);
  check_operand_type(L, 2);
  const nas_tensor *a = lua_type(L, 2) == LUA_TNUMBER ? NULL : nas_check_tensor(L, 2);
  nas_check_operand(L, 2, nas_check_operand(L, 3, a));
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *mask = nas_check_tensor(L, 1);
  a = nas_check_tensor(L, 2);
  const nas_tensor *b = nas_check_tensor(L, 3);
  return nas_tensor_made(L, nas_tensor_where(out, mask, a, b, &err), &err);
}

/* -- reductions ------------------------------------------------------------------------------- */

static int is_position(nas_reduction reduction) {
  return reduction == NAS_REDUCE_ARGMIN || reduction == NAS_REDUCE_ARGMAX;
}

/* Pushes what all elements gave: the position of one as an index for each dimension. */
static int push_total(lua_State *L, const nas_tensor *tensor, nas_reduction reduction) {
  double value = nas_tensor_total(tensor, reduction);
  switch (reduction) {
  case NAS_REDUCE_SUM:
  case NAS_REDUCE_MIN:
  case NAS_REDUCE_MAX: nas_push_element(L, nas_tensor_dtype(tensor), value); return 1;
  case NAS_REDUCE_ANY:
  case NAS_REDUCE_ALL: lua_pushboolean(L, value != 0); return 1;
  case NAS_REDUCE_ARGMIN:
  case NAS_REDUCE_ARGMAX: break;
  default: lua_pushnumber(L, value); return 1;
  }
  int rank = nas_tensor_rank(tensor);
  int64_t left = (int64_t)value;
  for (int d = rank - 1; d >= 0; d--) {
    int64_t size = nas_tensor_dims(tensor)[d];
    lua_pushinteger(L, left % size + 1);
    lua_insert(L, d == rank - 1 ? -1 : -(rank - d));
    left /= size;
  }
  return rank;
}

/* tensor:reduction([dimension [, keep]]): over all elements, or along a dimension, which is then
 * taken away unless it is to be kept */
static int reduce(lua_State *L, nas_reduction reduction) {
  nas_error err;
  nas_tensor *without;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int keep = lua_toboolean(L, 3);
  if (lua_isnoneornil(L, 2)) return push_total(L, tensor, reduction);
  int dim = nas_check_dimension(L, 2, tensor);
  if (nas_tensor_rank(tensor) == 1 && !keep) return push_total(L, tensor, reduction);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  nas_status status = nas_tensor_reduce(out, tensor, reduction, dim, &err);
  if (status == NAS_OK && is_position(reduction))
    for (int64_t i = 0; i < nas_tensor_size(*out); i++) ((int32_t *)nas_tensor_data(*out))[i]++;
  if (status == NAS_OK && !keep) {
    status = nas_tensor_select(&without, *out, dim, 0, &err);
    if (status == NAS_OK) {
      nas_tensor_destroy(out);
      *out = without;
    }
  }
  return nas_tensor_made(L, status, &err);
}

#define REDUCTIONS(X)                                                                              \
  X(sum, SUM)                                                                                      \
  X(mean, MEAN)                                                                                    \
  X(min, MIN)                                                                                      \
  X(max, MAX)                                                                                      \
  X(variance, VARIANCE)                                                                            \
  X(std, STD)                                                                                      \
  X(norm, NORM)                                                                                    \
  X(any, ANY)                                                                                      \
  X(all, ALL)                                                                                      \
  X(argmin, ARGMIN)                                                                                \
  X(argmax, ARGMAX)

#define X(name, reduction)                                                                         \
  static int tensor_##name(lua_State *L) {                                                         \
    return reduce(L, NAS_REDUCE_##reduction);                                                      \
  }
REDUCTIONS(X)
#undef X

/* -- linear algebra --------------------------------------------------------------------------- */

/* tensor:matmul(other): a number for two vectors */
static int tensor_matmul(lua_State *L) {
  nas_error err;
  lua_settop(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *a = nas_check_tensor(L, 1);
  const nas_tensor *b = nas_check_tensor(L, 2);
  nas_status status = nas_tensor_matmul(out, a, b, &err);
  if (status || nas_tensor_rank(a) > 1 || nas_tensor_rank(b) > 1)
    return nas_tensor_made(L, status, &err);
  lua_pushnumber(L, (double)*(const float *)nas_tensor_data(*out));
  return 1;
}

/* matrix:solve(right) */
static int tensor_solve(lua_State *L) {
  nas_error err;
  lua_settop(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *a = nas_check_tensor(L, 1);
  const nas_tensor *b = nas_check_tensor(L, 2);
  return nas_tensor_made(L, nas_tensor_solve(out, a, b, &err), &err);
}

/* matrix:svd(): left, values, right */
static int tensor_svd(lua_State *L) {
  nas_error err;
  lua_settop(L, 1);
  nas_tensor **left = nas_push_tensor(L);
  nas_tensor **values = nas_push_tensor(L);
  nas_tensor **right = nas_push_tensor(L);
  const nas_tensor *matrix = nas_check_tensor(L, 1);
  nas_status status = nas_tensor_svd(left, values, right, matrix, &err);
  if (status == NAS_OK) nas_weigh_tensor(L, *left);
  nas_tensor_made(L, status, &err);
  return 3;
}

/* -- joining ---------------------------------------------------------------------------------- */

/* core.tensor_concat(tensors, dimension) */
static int core_tensor_concat(lua_State *L) {
  nas_error err;
  lua_settop(L, 2);
  nas_check_table(L, 1, "tensors", "a list of tensors");
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  if (count == 0) return nas_check_failed(L, 1, "an empty list of tensors");
  lua_newtable(L);
  const nas_tensor **tensors = nas_box_scratch(L, lua_gettop(L), (size_t)count, sizeof *tensors);
  nas_tensor **out = nas_push_tensor(L);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, 1, i + 1); /* the list keeps it: nothing runs from here on */
    nas_tensor **box = nas_box_test(L, -1, nas_tensor_type);
    if (!box)
      return nas_check_failed(L, 1, "number %I is %s; expected an open tensor", i + 1,
                              nas_check_shown(L, -1));
    tensors[i] = *box;
    lua_pop(L, 1);
  }
  int dim = lua_isnoneornil(L, 2) ? 0 : nas_check_dimension(L, 2, tensors[0]);
  return nas_tensor_made(L, nas_tensor_concat(out, tensors, count, dim, &err), &err);
}

/* -- random numbers and ramps ----------------------------------------------------------------- */

/* core.tensor_uniform(shape, stream, low, high) and core.tensor_normal(shape, stream, mean, std) */
static int core_random(lua_State *L, int is_normal) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  int rank = nas_check_dims(L, 1, dims);
  nas_stream *stream = nas_check_stream(L, 2);
  double first = luaL_checknumber(L, 3), second = luaL_checknumber(L, 4);
  nas_tensor **out = nas_push_tensor(L);
  nas_status status = nas_tensor_create(out, NAS_FLOAT32, rank, dims, &err);
  if (status == NAS_OK)
    status = is_normal ? nas_tensor_normal(*out, stream, first, second, &err)
                       : nas_tensor_uniform(*out, stream, first, second, &err);
  return nas_tensor_made(L, status, &err);
}

static int core_tensor_uniform(lua_State *L) {
  return core_random(L, 0);
}

static int core_tensor_normal(lua_State *L) {
  return core_random(L, 1);
}

/* core.tensor_ramp(count, first, step, dtype) */
static int core_tensor_ramp(lua_State *L) {
  nas_error err;
  int64_t count = nas_check_integer(L, 1, "count", 1, LUA_MAXINTEGER);
  double first = luaL_checknumber(L, 2), step = luaL_checknumber(L, 3);
  nas_dtype dtype = nas_check_dtype(L, 4);
  nas_tensor **out = nas_push_tensor(L);
  nas_status status = nas_tensor_create(out, dtype, 1, &count, &err);
  if (status == NAS_OK) status = nas_tensor_ramp(*out, first, step, &err);
  return nas_tensor_made(L, status, &err);
}

/* -- tables ----------------------------------------------------------------------------------- */

static const luaL_Reg methods[] = {
#define X(name, operation) {#name, tensor_##name},
    REDUCTIONS(X)
#undef X
        {"maximum", tensor_maximum},
    {"minimum", tensor_minimum},
    {"lt", tensor_lt},
    {"le", tensor_le},
    {"gt", tensor_gt},
    {"ge", tensor_ge},
    {"eq", tensor_eq},
    {"ne", tensor_ne},
    {"abs", tensor_abs},
    {"sign", tensor_sign},
    {"floor", tensor_floor},
    {"ceil", tensor_ceil},
    {"round", tensor_round},
    {"exp", tensor_exp},
    {"log", tensor_log},
    {"sqrt", tensor_sqrt},
    {"tanh", tensor_tanh},
    {"sigmoid", tensor_sigmoid},
    {"is_nan", tensor_is_nan},
    {"is_finite", tensor_is_finite},
    {"clamp", tensor_clamp},
    {"matmul", tensor_matmul},
    {"solve", tensor_solve},
    {"svd", tensor_svd},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__add", tensor_add},
    {"__sub", tensor_sub},
    {"__mul", tensor_mul},
    {"__div", tensor_div},
    {"__pow", tensor_pow},
    {"__unm", tensor_unm},
    {"__band", tensor_both},
    {"__bor", tensor_either},
    {"__bnot", tensor_negate},
    {"__eq", tensor_equals},
    {"__lt", tensor_less},
    {"__le", tensor_at_most},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"tensor_where", core_tensor_where},     {"tensor_concat", core_tensor_concat},
    {"tensor_uniform", core_tensor_uniform}, {"tensor_normal", core_tensor_normal},
    {"tensor_ramp", core_tensor_ramp},       {NULL, NULL},
};

void nas_open_tensor_operations(lua_State *L) {
  nas_box_extend(L, nas_tensor_type, methods, meta);
  luaL_setfuncs(L, functions, 0);
}
