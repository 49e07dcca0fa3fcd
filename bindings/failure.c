#include "failure.h"
#include <lauxlib.h>

int nas_raise(lua_State *L, const nas_error *err) {
  return luaL_error(L, "%s", err->text);
}

int nas_fail_or_raise(lua_State *L, const nas_error *err) {
  switch (err->code) {
  case NAS_IO:
  case NAS_FORMAT:
  case NAS_LIMIT:
  case NAS_DIVERGED:
  case NAS_INTERRUPTED:
  case NAS_SYSTEM:
  case NAS_SHAPE:
  case NAS_BUSY:
    luaL_pushfail(L);
    lua_pushstring(L, err->text);
    lua_pushstring(L, nas_status_name(err->code));
    return 3;
  default: return nas_raise(L, err);
  }
}
