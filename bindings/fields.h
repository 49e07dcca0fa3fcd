/* Fields of the table on top of the stack. */
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

#endif
