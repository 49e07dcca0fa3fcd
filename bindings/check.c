#include "check.h"
#include <stdarg.h>
#include <ctype.h>
#include <string.h>
#include "box.h"

/* -- who was called --------------------------------------------------------------------------- */

static const struct {
  const char *event, *expression;
} operators[] = {
    {"add", "a + b"}, {"sub", "a - b"},  {"mul", "a * b"},         {"div", "a / b"},
    {"pow", "a ^ b"}, {"unm", "-a"},     {"band", "a & b"},        {"bor", "a | b"},
    {"bnot", "~a"},   {"index", "a[i]"}, {"newindex", "a[i] = b"},
};

/* Pushes what a type is called in messages: "tensor" for luanas.Tensor. */
static const char *type_name(lua_State *L, const char *type) {
  static const char prefix[] = "luanas.";
  if (strncmp(type, prefix, sizeof prefix - 1) == 0) type += sizeof prefix - 1;
  return lua_pushfstring(L, "%c%s", tolower((unsigned char)*type), *type ? type + 1 : "");
}

/* Pushes "tensor:to" for a method, "a + b" for an operator. Returns NULL, and pushes nothing, where
 * a function was called, or Lua does not know how. */
static const char *called(lua_State *L) {
  lua_Debug ar;
  if (!lua_getstack(L, 0, &ar) || !lua_getinfo(L, "n", &ar) || !ar.name) return NULL;
  if (strcmp(ar.namewhat, "metamethod") == 0) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
      if (strcmp(ar.name, operators[i].event) == 0)
        return lua_pushstring(L, operators[i].expression);
    return NULL;
  }
  if (strcmp(ar.namewhat, "method") != 0 || luaL_getmetafield(L, 1, "__name") == LUA_TNIL)
    return NULL;
  const char *type = lua_tostring(L, -1);
  lua_pushfstring(L, "%s:%s", type ? type_name(L, type) : "?", ar.name);
  return lua_tostring(L, -1);
}

/* -- checks ----------------------------------------------------------------------------------- */

int nas_check_failed(lua_State *L, int arg, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char *message = lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  const char *owner = called(L);
  return owner ? luaL_error(L, "%s: %s", owner, message) : luaL_argerror(L, arg, message);
}

void nas_check_colon(lua_State *L, const char *type) {
  lua_Debug ar;
  if (luaL_testudata(L, 1, type) || !lua_getstack(L, 0, &ar) || !lua_getinfo(L, "n", &ar) ||
      !ar.name || strcmp(ar.namewhat, "metamethod") == 0)
    return;
  lua_getinfo(L, "f", &ar);
  nas_box_push_method(L, type, ar.name);
  if (lua_rawequal(L, -1, -2)) {
    const char *owner = type_name(L, type);
    luaL_error(L, "%s:%s is called with a dot; expected a colon, as in %s:%s(...)", owner, ar.name,
               owner, ar.name);
  }
  lua_pop(L, 2);
}

lua_Integer nas_check_integer(lua_State *L, int arg, const char *what, lua_Integer low,
                              lua_Integer high) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, arg, &is_integer);
  if (!is_integer || value < low || value > high)
    nas_check_failed(L, arg, "%s is %s; expected %I to %I", what, nas_check_shown(L, arg), low,
                     high);
  return value;
}

lua_Number nas_check_number(lua_State *L, int arg, const char *what) {
  int is_number;
  lua_Number value = lua_tonumberx(L, arg, &is_number);
  if (!is_number)
    nas_check_failed(L, arg, "%s is %s; expected a number", what, nas_check_shown(L, arg));
  return value;
}

void nas_check_table(lua_State *L, int arg, const char *what, const char *expected) {
  if (lua_type(L, arg) != LUA_TTABLE)
    nas_check_failed(L, arg, "%s is %s; expected %s", what, nas_check_shown(L, arg), expected);
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

int nas_check_choice(lua_State *L, int arg, const char *what, const char *const names[]) {
  const char *given = lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : NULL;
  luaL_Buffer list;
  for (int i = 0; given && names[i]; i++)
    if (strcmp(names[i], given) == 0) return i;
  const char *shown = nas_check_shown(L, arg);
  luaL_buffinit(L, &list);
  for (int i = 0; names[i]; i++) {
    if (i > 0) luaL_addstring(&list, ", ");
    luaL_addstring(&list, names[i]);
  }
  luaL_pushresult(&list);
  return nas_check_failed(L, arg, "%s is %s; expected one of %s", what, shown, lua_tostring(L, -1));
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
