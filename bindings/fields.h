/* Fields of tables: of the one on top of the stack, but where an index is given. */
#ifndef NAS_BINDINGS_FIELDS_H
#define NAS_BINDINGS_FIELDS_H

#include <lauxlib.h>

static inline void nas_set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static inline void nas_set_number(lua_State *L, const char *name, lua_Number value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

/* NULL: no field. */
static inline void nas_set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

/* Pushes a copy of the table at a stack index. No finalizer can change it, so that it keeps the
 * strings that C has pointers to. */
static inline void nas_push_copy(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_newtable(L); /* from here on nothing runs the collector */
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

#endif
