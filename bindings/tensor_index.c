/* Tensors in brackets: entries, regions and masks.
 *
 *   t[i]                          entry i of the first dimension: a view, or a number
 *   t[{ 2, {}, { 1, 3 } }]        of each dimension one entry, all, a range, { first, last, step };
 *                                 dimensions that are not named are whole: a view, or a number
 *   t[mask]                       the elements where the mask is not 0: a copy, nil for none */
#include <nas/tensor.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "types.h"

/* -- regions ---------------------------------------------------------------------------------- */

/* The position on top of the stack, which is in argument `arg`, from 0; popped. */
static int64_t pop_position(lua_State *L, int arg, const char *what, int dim, int64_t size) {
  int64_t position = nas_check_index_at(L, -1, arg, what, dim, size);
  lua_pop(L, 1);
  return position;
}

/* Replaces the view in *view by one of it. */
static void become(lua_State *L, nas_tensor **view, nas_tensor *next, nas_status status,
                   const nas_error *err) {
  if (status) nas_raise(L, err);
  nas_tensor_destroy(view);
  *view = next;
}

typedef struct range {
  int64_t first, last, step;
} range;

/* From the table on top of the stack: {}, { first, last } or { first, last, step }. */
static range check_range(lua_State *L, int dim, int64_t size) {
  range r = {0, size - 1, 1};
  lua_Unsigned count = lua_rawlen(L, -1);
  if (count == 1 || count > 3)
    luaL_error(L,
               "the range of dimension %d has %I numbers; expected {}, { first, last } or "
               "{ first, last, step }",
               dim + 1, (lua_Integer)count);
  if (count == 0) return r;
  lua_rawgeti(L, -1, 1);
  r.first = pop_position(L, 2, "first", dim, size);
  lua_rawgeti(L, -1, 2);
  r.last = pop_position(L, 2, "last", dim, size);
  if (count == 3) {
    int is_integer;
    lua_rawgeti(L, -1, 3);
    r.step = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || r.step == 0 || r.step < -INT64_MAX)
      luaL_error(L, "step of dimension %d is %s; expected an integer that is not 0", dim + 1,
                 nas_check_shown(L, -1));
    lua_pop(L, 1);
  }
  if (r.step > 0 ? r.first > r.last : r.first < r.last)
    luaL_error(L, "the range of dimension %d leads from %I to %I, and the step is %I; it is empty",
               dim + 1, (lua_Integer)r.first + 1, (lua_Integer)r.last + 1, (lua_Integer)r.step);
  return r;
}

static void take_range(lua_State *L, nas_tensor **view, int dim, range r) {
  nas_error err;
  nas_tensor *next;
  int64_t low = r.first < r.last ? r.first : r.last;
  int64_t high = r.first < r.last ? r.last : r.first;
  nas_status status = nas_tensor_narrow(&next, *view, dim, low, high - low + 1, &err);
  become(L, view, next, status, &err);
  if (r.step == 1) return;
  status = nas_tensor_step(&next, *view, dim, r.step, &err);
  become(L, view, next, status, &err);
}

/* Whether the table at argument 2 names one entry in each of the dimensions. */
static int is_element(lua_State *L, int rank) {
  int integers = 0;
  for (int d = 1; d <= rank; d++) {
    integers += lua_rawgeti(L, 2, d) == LUA_TNUMBER;
    lua_pop(L, 1);
  }
  return integers == rank;
}

static int check_region_size(lua_State *L, const nas_tensor *tensor) {
  lua_Unsigned count = lua_rawlen(L, 2);
  int rank = nas_tensor_rank(tensor);
  if (count > (lua_Unsigned)rank)
    luaL_error(L, "%I dimensions in brackets; the tensor has %d", (lua_Integer)count, rank);
  return (int)count;
}

/* Pushes a view of the region at argument 2, which is not a single element, of the tensor at 1. */
static nas_tensor **push_region(lua_State *L) {
  nas_error err;
  nas_tensor **view = nas_push_tensor(L), *next;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int count = check_region_size(L, tensor), dim = 0;
  if (nas_tensor_view(view, tensor, &err)) nas_raise(L, &err);
  for (int d = 0; d < count; d++) {
    int64_t size = nas_tensor_dims(tensor)[d];
    switch (lua_rawgeti(L, 2, d + 1)) {
    case LUA_TTABLE: take_range(L, view, dim++, check_range(L, d, size)); break;
    case LUA_TNUMBER: {
      int64_t index = pop_position(L, 2, "index", d, size);
      nas_status status = nas_tensor_select(&next, *view, dim, index, &err);
      become(L, view, next, status, &err);
      continue;
    }
    default:
      luaL_error(L, "dimension %d in brackets is %s; expected an integer or a range in braces",
                 d + 1, nas_check_shown(L, -1));
    }
    lua_pop(L, 1);
  }
  return view;
}

static void check_element(lua_State *L, const nas_tensor *tensor, int64_t *indices) {
  check_region_size(L, tensor);
  for (int d = 0; d < nas_tensor_rank(tensor); d++) {
    lua_rawgeti(L, 2, d + 1);
    indices[d] = pop_position(L, 2, "index", d, nas_tensor_dims(tensor)[d]);
  }
}

/* -- reading ---------------------------------------------------------------------------------- */

static int push_entry(lua_State *L, const nas_tensor *tensor) {
  nas_error err;
  int64_t index = nas_check_index(L, 2, "index", nas_tensor_dims(tensor)[0]);
  if (nas_tensor_rank(tensor) == 1) return nas_push_element_at(L, tensor, &index);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_viewed(L, nas_tensor_select(out, tensor, 0, index, &err), &err);
}

static int push_masked(lua_State *L) {
  nas_error err;
  nas_check_tensor(L, 1);
  nas_check_tensor(L, 2);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  const nas_tensor *mask = nas_check_tensor(L, 2);
  nas_status status = nas_tensor_masked(out, tensor, mask, &err);
  if (status || *out) return nas_tensor_made(L, status, &err);
  lua_pushnil(L);
  return 1;
}

/* tensor[key]. What is no key of elements is the name of a method; the upvalue is their table,
 * which may have an __index for those that it has not. */
static int tensor_index(lua_State *L) {
  int64_t indices[NAS_RANK_MAX];
  switch (lua_type(L, 2)) {
  case LUA_TNUMBER: return push_entry(L, nas_check_tensor(L, 1));
  case LUA_TUSERDATA: return push_masked(L);
  case LUA_TTABLE: break;
  default:
    lua_settop(L, 2);
    lua_gettable(L, lua_upvalueindex(1));
    return 1;
  }
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  if (!is_element(L, nas_tensor_rank(tensor))) {
    push_region(L);
    return 1;
  }
  check_element(L, tensor, indices);
  return nas_push_element_at(L, tensor, indices);
}

/* -- writing ---------------------------------------------------------------------------------- */

/* What is assigned, where it is no number. */
static void check_value(lua_State *L) {
  if (!luaL_testudata(L, 3, nas_tensor_type))
    nas_check_failed(L, 3, "expected a tensor or a number, got %s%s", nas_check_shown(L, 3),
                     lua_istable(L, 3) ? "; nas.tensor makes a tensor of a table" : "");
  nas_check_tensor(L, 3);
}

/* Every element of the view, in a box that is no argument, becomes argument 3: a number, or a
 * tensor that is repeated to its shape. */
static void assign(lua_State *L, nas_tensor *view) {
  nas_error err;
  if (lua_type(L, 3) == LUA_TNUMBER) {
    if (nas_tensor_fill(view, lua_tonumber(L, 3), &err)) nas_raise(L, &err);
    return;
  }
  check_value(L);
  nas_tensor **expanded = nas_push_tensor(L);
  const nas_tensor *value = nas_check_tensor(L, 3);
  nas_status status =
      nas_tensor_expand(expanded, value, nas_tensor_rank(view), nas_tensor_dims(view), &err);
  if (status == NAS_OK) status = nas_tensor_copy(view, *expanded, &err);
  if (status) nas_raise(L, &err);
}

static void set_entry(lua_State *L, nas_tensor *tensor) {
  nas_error err;
  int64_t index = nas_check_index(L, 2, "index", nas_tensor_dims(tensor)[0]);
  if (nas_tensor_rank(tensor) == 1) {
    if (nas_tensor_set(tensor, &index, 1, nas_check_number(L, 3, "value"), &err))
      nas_raise(L, &err);
    return;
  }
  nas_tensor **entry = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  if (nas_tensor_select(entry, tensor, 0, index, &err)) nas_raise(L, &err);
  assign(L, *entry);
}

static void set_masked(lua_State *L) {
  nas_error err;
  nas_check_tensor(L, 2);
  const nas_tensor *value = nas_check_operand(L, 3, nas_check_tensor(L, 1));
  nas_tensor *tensor = nas_check_tensor(L, 1);
  const nas_tensor *mask = nas_check_tensor(L, 2);
  if (nas_tensor_put(tensor, mask, value, &err)) nas_raise(L, &err);
}

/* tensor[key] = value */
static int tensor_newindex(lua_State *L) {
  nas_error err;
  int64_t indices[NAS_RANK_MAX];
  nas_tensor *tensor = nas_check_tensor(L, 1);
  lua_settop(L, 3);
  switch (lua_type(L, 2)) {
  case LUA_TNUMBER: set_entry(L, tensor); return 0;
  case LUA_TUSERDATA: set_masked(L); return 0;
  case LUA_TTABLE: break;
  default: return nas_check_failed(L, 2, "a tensor has no field %s", nas_check_shown(L, 2));
  }
  if (!is_element(L, nas_tensor_rank(tensor))) {
    assign(L, *push_region(L));
    return 0;
  }
  check_element(L, tensor, indices);
  if (nas_tensor_set(tensor, indices, nas_tensor_rank(tensor), nas_check_number(L, 3, "value"),
                     &err))
    return nas_raise(L, &err);
  return 0;
}

/* -- lists of positions ----------------------------------------------------------------------- */

/* Copies the positions at argument 3, a list or a tensor of one dimension, counted from 0. */
static const int64_t *check_positions(lua_State *L, int dim, int64_t size, int64_t *count) {
  const nas_tensor *given = NULL;
  if (lua_type(L, 3) != LUA_TTABLE) {
    given = nas_check_tensor(L, 3);
    if (nas_tensor_rank(given) != 1)
      nas_check_failed(L, 3, "positions of %d dimensions; expected 1", nas_tensor_rank(given));
  }
  *count = given ? nas_tensor_size(given) : (int64_t)lua_rawlen(L, 3);
  if (*count == 0) nas_check_failed(L, 3, "an empty list of positions");
  lua_newtable(L);
  int64_t *positions = nas_box_scratch(L, lua_gettop(L), (size_t)*count, sizeof *positions);
  if (given) given = nas_check_tensor(L, 3);
  for (int64_t i = 0; i < *count; i++) {
    if (given)
      nas_push_element_at(L, given, &i);
    else
      lua_rawgeti(L, 3, i + 1);
    positions[i] = pop_position(L, 3, "a position", dim, size);
  }
  return positions; /* the table keeps them */
}

/* tensor:take(dimension, positions) */
static int tensor_take(lua_State *L) {
  nas_error err;
  int64_t count;
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  int dim = nas_check_dimension(L, 2, tensor);
  const int64_t *positions = check_positions(L, dim, nas_tensor_dims(tensor)[dim], &count);
  nas_tensor **out = nas_push_tensor(L);
  tensor = nas_check_tensor(L, 1);
  return nas_tensor_made(L, nas_tensor_take(out, tensor, dim, positions, count, &err), &err);
}

/* tensor:nonzero(): int32 { n, dimensions } of indices, nil for none */
static int tensor_nonzero(lua_State *L) {
  nas_error err;
  lua_settop(L, 1);
  nas_tensor **out = nas_push_tensor(L);
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  nas_status status = nas_tensor_nonzero(out, tensor, &err);
  if (status == NAS_OK && !*out) {
    lua_pushnil(L);
    return 1;
  }
  for (int64_t i = 0; status == NAS_OK && i < nas_tensor_size(*out); i++)
    ((int32_t *)nas_tensor_data(*out))[i]++;
  return nas_tensor_made(L, status, &err);
}

static const luaL_Reg methods[] = {
    {"take", tensor_take},
    {"nonzero", tensor_nonzero},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__index", tensor_index},
    {"__newindex", tensor_newindex},
    {NULL, NULL},
};

void nas_open_tensor_index(lua_State *L) {
  nas_box_extend(L, nas_tensor_type, methods, meta);
}
