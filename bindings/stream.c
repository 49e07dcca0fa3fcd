/* luanas.Stream: a random stream. A plain value that holds nothing. */
#include <nas/random.h>
#include "box.h"
#include "check.h"
#include "types.h"

enum { INDICES_MAX = 16 };

static const char TYPE[] = "luanas.Stream";

nas_stream *nas_check_stream(lua_State *L, int arg) {
  return nas_box_peek(L, arg, TYPE);
}

/* core.stream(seed, purpose, ...) */
static int core_stream(lua_State *L) {
  uint64_t indices[INDICES_MAX];
  uint64_t seed = (uint64_t)luaL_checkinteger(L, 1);
  const char *purpose = nas_check_name(L, 2, "purpose");
  int count = lua_gettop(L) - 2;
  luaL_argcheck(L, count <= INDICES_MAX, INDICES_MAX + 3, "too many indices; expected at most 16");
  for (int i = 0; i < count; i++) indices[i] = (uint64_t)luaL_checkinteger(L, i + 3);
  nas_stream *stream = nas_box_new(L, TYPE, sizeof *stream, 0);
  *stream = nas_stream_open(seed, purpose, indices, (size_t)count);
  return 1;
}

static int stream_number(lua_State *L) {
  lua_pushnumber(L, nas_stream_double(nas_check_stream(L, 1)));
  return 1;
}

static int stream_integer(lua_State *L) {
  nas_stream *stream = nas_check_stream(L, 1);
  lua_Integer bound = nas_check_integer(L, 2, "n", 1, UINT32_MAX);
  lua_pushinteger(L, (lua_Integer)nas_stream_below(stream, (uint32_t)bound) + 1);
  return 1;
}

static int stream_permutation(lua_State *L) {
  nas_stream *stream = nas_check_stream(L, 1);
  int count = (int)nas_check_integer(L, 2, "n", 0, INT32_MAX);
  int32_t *order = lua_newuserdatauv(L, (size_t)count * sizeof *order, 0);
  lua_createtable(L, count, 0);
  nas_stream_permutation(stream, order, (size_t)count);
  for (int i = 0; i < count; i++) {
    lua_pushinteger(L, (lua_Integer)order[i] + 1);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int stream_tostring(lua_State *L) {
  nas_check_stream(L, 1);
  lua_pushstring(L, TYPE);
  return 1;
}

static const luaL_Reg methods[] = {
    {"number", stream_number},
    {"integer", stream_integer},
    {"permutation", stream_permutation},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", stream_tostring},
    {NULL, NULL},
};

void nas_open_stream(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, NULL);
  lua_pushcfunction(L, core_stream);
  lua_setfield(L, -2, "stream");
}
