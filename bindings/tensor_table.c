/* Tensors from and to Lua tables, strings of bytes, and text. */
#include <nas/tensor.h>
#include <stdio.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "types.h"

/* -- from nested tables ----------------------------------------------------------------------- */

/* The shape that the table at argument 1 has along its first entries. Returns the rank. */
static int nested_dims(lua_State *L, int64_t dims[NAS_RANK_MAX]) {
  int rank = 0;
  lua_pushvalue(L, 1);
  while (lua_type(L, -1) == LUA_TTABLE) {
    if (rank == NAS_RANK_MAX)
      return nas_check_failed(L, 1, "tables nested more than %d deep", NAS_RANK_MAX);
    dims[rank] = (int64_t)lua_rawlen(L, -1);
    if (dims[rank] == 0) return nas_check_failed(L, 1, "an empty table has no shape");
    rank++;
    lua_rawgeti(L, -1, 1);
    lua_replace(L, -2);
  }
  lua_pop(L, 1);
  return rank;
}

/* Pushes "[2][3]" for the place of an entry in depth 0 .. depth. */
static const char *place_text(lua_State *L, const int64_t *indices, int depth) {
  luaL_Buffer place;
  luaL_buffinit(L, &place);
  for (int d = 0; d <= depth; d++) {
    lua_pushfstring(L, "[%I]", (lua_Integer)indices[d] + 1);
    luaL_addvalue(&place);
  }
  luaL_pushresult(&place);
  return lua_tostring(L, -1);
}

/* Stores the number on top of the stack. */
static void set_element(lua_State *L, nas_tensor *tensor, const int64_t *indices) {
  nas_error err;
  int rank = nas_tensor_rank(tensor);
  if (lua_type(L, -1) != LUA_TNUMBER) {
    const char *shown = nas_check_shown(L, -1);
    nas_check_failed(L, 1, "values%s is %s; expected a number", place_text(L, indices, rank - 1),
                     shown);
  }
  if (nas_tensor_set(tensor, indices, rank, lua_tonumber(L, -1), &err))
    nas_check_failed(L, 1, "values%s: %s", place_text(L, indices, rank - 1), err.text);
}

/* Raises unless a table of that length is on top of the stack, at place indices[0 .. depth-1]. */
static void check_entries(lua_State *L, int64_t size, const int64_t *indices, int depth) {
  if (lua_type(L, -1) != LUA_TTABLE) {
    const char *shown = nas_check_shown(L, -1);
    nas_check_failed(L, 1, "values%s is %s; expected a table", place_text(L, indices, depth - 1),
                     shown);
  }
  lua_Integer length = (lua_Integer)lua_rawlen(L, -1);
  if (length != size)
    nas_check_failed(L, 1, "values%s has length %I; expected %I", place_text(L, indices, depth - 1),
                     length, (lua_Integer)size);
}

/* Stores the table on top of the stack, whose place is indices[0 .. depth-1]. */
static void set_entries(lua_State *L, nas_tensor *tensor, int64_t *indices, int depth) {
  int64_t size = nas_tensor_dims(tensor)[depth];
  check_entries(L, size, indices, depth);
  luaL_checkstack(L, 8, "nested tables");
  for (indices[depth] = 0; indices[depth] < size; indices[depth]++) {
    lua_rawgeti(L, -1, indices[depth] + 1);
    if (depth + 1 < nas_tensor_rank(tensor))
      set_entries(L, tensor, indices, depth + 1);
    else
      set_element(L, tensor, indices);
    lua_pop(L, 1);
  }
}

/* core.tensor_from(values, dtype) */
static int core_tensor_from(lua_State *L) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX], indices[NAS_RANK_MAX] = {0};
  nas_check_table(L, 1, "values", "a table of numbers such as { 1, 2 }");
  nas_dtype dtype = nas_check_dtype(L, 2);
  int rank = nested_dims(L, dims);
  nas_tensor **out = nas_push_tensor(L);
  if (nas_tensor_create(out, dtype, rank, dims, &err)) return nas_raise(L, &err);
  nas_box_pressure(L, (size_t)nas_tensor_size(*out) * nas_dtype_size(dtype));
  lua_pushvalue(L, 1);
  set_entries(L, *out, indices, 0);
  lua_pop(L, 1);
  return 1;
}

/* -- to nested tables ------------------------------------------------------------------------- */

static void push_element_at(lua_State *L, const nas_tensor *tensor, const int64_t *indices) {
  nas_error err;
  double value;
  if (nas_tensor_get(tensor, indices, nas_tensor_rank(tensor), &value, &err)) nas_raise(L, &err);
  nas_push_element(L, nas_tensor_dtype(tensor), value);
}

static void push_entries(lua_State *L, const nas_tensor *tensor, int64_t *indices, int depth) {
  int64_t size = nas_tensor_dims(tensor)[depth];
  luaL_checkstack(L, 4, "nested tables");
  lua_createtable(L, size < INT32_MAX ? (int)size : 0, 0);
  for (indices[depth] = 0; indices[depth] < size; indices[depth]++) {
    if (depth + 1 < nas_tensor_rank(tensor))
      push_entries(L, tensor, indices, depth + 1);
    else
      push_element_at(L, tensor, indices);
    lua_rawseti(L, -2, indices[depth] + 1);
  }
}

static int tensor_totable(lua_State *L) {
  int64_t indices[NAS_RANK_MAX] = {0};
  push_entries(L, nas_check_tensor(L, 1), indices, 0);
  return 1;
}

/* -- bytes ------------------------------------------------------------------------------------ */

/* core.tensor_from_bytes(bytes, shape, dtype) */
static int core_tensor_from_bytes(lua_State *L) {
  nas_error err;
  size_t size;
  int64_t dims[NAS_RANK_MAX];
  const char *bytes = luaL_checklstring(L, 1, &size);
  int rank = nas_check_dims(L, 2, dims);
  nas_dtype dtype = nas_check_dtype(L, 3);
  nas_tensor **out = nas_push_tensor(L);
  return nas_tensor_made(L, nas_tensor_from_bytes(out, dtype, rank, dims, bytes, size, &err), &err);
}

/* tensor:bytes() */
static int tensor_bytes(lua_State *L) {
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  luaL_Buffer text;
  size_t size = (size_t)nas_tensor_size(tensor) * nas_dtype_size(nas_tensor_dtype(tensor));
  nas_tensor_to_bytes(tensor, luaL_buffinitsize(L, &text, size));
  luaL_pushresultsize(&text, size);
  return 1;
}

/* -- to text ---------------------------------------------------------------------------------- */

/* The next indices in index order. */
static void step(const nas_tensor *tensor, int64_t *indices) {
  for (int d = nas_tensor_rank(tensor) - 1; d >= 0; d--) {
    if (++indices[d] < nas_tensor_dims(tensor)[d]) return;
    indices[d] = 0;
  }
}

/* Adds a number with six significant digits, and ".0" where that looks like an integer. */
static void add_float(luaL_Buffer *text, double value) {
  char digits[32];
  snprintf(digits, sizeof digits, "%.6g", value);
  luaL_addstring(text, digits);
  if (digits[strspn(digits, "-0123456789")] == 0) luaL_addstring(text, ".0");
}

/* "luanas.Tensor float32 [2, 3]: 1.0 2.0 ...": the first few numbers, however many there are. */
static int tensor_tostring(lua_State *L) {
  enum { SHOWN = 8 };
  nas_tensor **box = nas_box_peek(L, 1, nas_tensor_type);
  const nas_tensor *tensor = *box;
  char dims[NAS_DIMS_TEXT];
  int64_t indices[NAS_RANK_MAX] = {0};
  if (!tensor) {
    lua_pushliteral(L, "luanas.Tensor (closed)");
    return 1;
  }
  nas_tensor_dims_text(tensor, dims);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addstring(&text, "luanas.Tensor ");
  luaL_addstring(&text, nas_dtype_name(nas_tensor_dtype(tensor)));
  luaL_addchar(&text, ' ');
  luaL_addstring(&text, dims);
  luaL_addchar(&text, ':');
  for (int i = 0; i < SHOWN && i < nas_tensor_size(tensor); i++, step(tensor, indices)) {
    luaL_addchar(&text, ' ');
    push_element_at(L, tensor, indices);
    if (lua_isinteger(L, -1)) {
      luaL_addvalue(&text);
    } else {
      double value = lua_tonumber(L, -1);
      lua_pop(L, 1);
      add_float(&text, value);
    }
  }
  if (nas_tensor_size(tensor) > SHOWN) luaL_addstring(&text, " ...");
  luaL_pushresult(&text);
  return 1;
}

static const luaL_Reg methods[] = {
    {"totable", tensor_totable},
    {"bytes", tensor_bytes},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", tensor_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"tensor_from", core_tensor_from},
    {"tensor_from_bytes", core_tensor_from_bytes},
    {NULL, NULL},
};

void nas_open_tensor_table(lua_State *L) {
  nas_box_extend(L, nas_tensor_type, methods, meta);
  luaL_setfuncs(L, functions, 0);
}
