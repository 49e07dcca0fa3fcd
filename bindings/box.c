#include "box.h"
#include <limits.h>
#include <string.h>

static int is_closed(const void *box) {
  const void *handle;
  memcpy(&handle, box, sizeof handle);
  return handle == NULL;
}

void nas_box_type(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *meta,
                  lua_CFunction close) {
  luaL_newmetatable(L, type);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  if (close) {
    lua_pushcfunction(L, close);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "close");
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "__close");
    lua_setfield(L, -3, "__gc");
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__index");
  if (meta) { /* each may use the methods as its upvalue */
    luaL_setfuncs(L, meta, 1);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 2);
  }
}

/* Pushes the table of methods of the metatable on top of the stack. */
static void push_methods(lua_State *L) {
  if (lua_getfield(L, -1, "__index") == LUA_TFUNCTION) { /* whose upvalue it is */
    lua_getupvalue(L, -1, 1);
    lua_remove(L, -2);
  }
}

void nas_box_extend(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *meta) {
  luaL_getmetatable(L, type);
  push_methods(L);
  luaL_setfuncs(L, methods, 0);
  luaL_setfuncs(L, meta, 1);
  lua_pop(L, 1);
}

void nas_box_push_method(lua_State *L, const char *type, const char *name) {
  luaL_getmetatable(L, type);
  push_methods(L);
  lua_getfield(L, -1, name);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void *nas_box_new(lua_State *L, const char *type, size_t size, int anchors) {
  void *box = lua_newuserdatauv(L, size, anchors);
  memset(box, 0, size);
  luaL_setmetatable(L, type);
  return box;
}

void *nas_box_check(lua_State *L, int arg, const char *type) {
  void *box = luaL_checkudata(L, arg, type);
  if (is_closed(box)) luaL_argerror(L, arg, lua_pushfstring(L, "this %s is closed", type));
  return box;
}

void *nas_box_peek(lua_State *L, int arg, const char *type) {
  return luaL_checkudata(L, arg, type);
}

void *nas_box_test(lua_State *L, int index, const char *type) {
  void *box = luaL_testudata(L, index, type);
  return box && !is_closed(box) ? box : NULL;
}

void nas_box_pressure(lua_State *L, size_t bytes) {
  size_t kib = bytes / 1024 + (bytes % 1024 != 0);
  if (kib > INT_MAX) kib = INT_MAX;
  /* A step would run even in a stopped collector. */
  if (kib > 0 && lua_gc(L, LUA_GCISRUNNING)) lua_gc(L, LUA_GCSTEP, (int)kib);
}

void *nas_box_scratch(lua_State *L, int anchor, size_t count, size_t size) {
  if (count > SIZE_MAX / size) luaL_error(L, "not enough memory");
  void *block = lua_newuserdatauv(L, count * size, 0);
  lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
  return block;
}
