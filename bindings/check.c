#include "check.h"
#include <stdarg.h>
#include <string.h>

int nas_check_failed(lua_State *L, int arg, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char *message = lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  return luaL_argerror(L, arg, message);
}

lua_Integer nas_check_integer(lua_State *L, int arg, const char *what, lua_Integer low,
                              lua_Integer high) {
  lua_Integer value = luaL_checkinteger(L, arg);
  if (value < low || value > high)
    nas_check_failed(L, arg, "%s is %I; expected %I to %I", what, value, low, high);
  return value;
}

int64_t nas_check_index(lua_State *L, int arg, const char *what, int64_t count) {
  return nas_check_index_at(L, arg, arg, what, -1, count);
}

int64_t nas_check_index_at(lua_State *L, int index, int arg, const char *what, int dim,
                           int64_t count) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, index, &is_integer);
  if (is_integer && value >= 1 && value <= count) return value - 1;
  if (is_integer && value <= -1 && value >= -count) return value + count;
  const char *shown = nas_check_shown(L, index);
  if (dim >= 0) what = lua_pushfstring(L, "%s of dimension %d", what, dim + 1);
  nas_check_failed(L, arg, "%s is %s; expected 1 to %I, or -1 to %I from the end", what, shown,
                   (lua_Integer)count, (lua_Integer)-count);
  return 0;
}

const char *nas_check_name(lua_State *L, int arg, const char *what) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  if (strlen(text) != length) nas_check_failed(L, arg, "%s contains a zero byte", what);
  return text;
}

static const char *shown_string(lua_State *L, const char *text) {
  enum { SHOWN = 60 };
  if (strlen(text) <= SHOWN) return lua_pushfstring(L, "\"%s\"", text);
  lua_pushlstring(L, text, SHOWN);
  lua_pushfstring(L, "\"%s...\"", lua_tostring(L, -1));
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

const char *nas_check_shown(lua_State *L, int index) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
  case LUA_TNONE: return lua_pushliteral(L, "nil");
  case LUA_TSTRING: return shown_string(L, lua_tostring(L, index));
  case LUA_TNUMBER:
  case LUA_TBOOLEAN:
  case LUA_TNIL: return luaL_tolstring(L, index, NULL);
  default: break;
  }
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
    lua_pushfstring(L, "a %s", lua_tostring(L, -1));
    lua_remove(L, -2);
    return lua_tostring(L, -1);
  }
  return lua_pushfstring(L, "a %s", luaL_typename(L, index));
}
