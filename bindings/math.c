/* core.math: elementary functions with the same bits on every machine. */
#include <nas/elementary.h>
#include "types.h"

static int math_exp(lua_State *L) {
  lua_pushnumber(L, nas_exp(luaL_checknumber(L, 1)));
  return 1;
}

static int math_log(lua_State *L) {
  lua_pushnumber(L, nas_log(luaL_checknumber(L, 1)));
  return 1;
}

static int math_tanh(lua_State *L) {
  lua_pushnumber(L, nas_tanh(luaL_checknumber(L, 1)));
  return 1;
}

static int math_sigmoid(lua_State *L) {
  lua_pushnumber(L, nas_sigmoid(luaL_checknumber(L, 1)));
  return 1;
}

static int math_pow(lua_State *L) {
  lua_Number x = luaL_checknumber(L, 1);
  lua_Number y = luaL_checknumber(L, 2);
  lua_pushnumber(L, nas_pow(x, y));
  return 1;
}

static const luaL_Reg functions[] = {
    {"exp", math_exp},         {"log", math_log}, {"tanh", math_tanh},
    {"sigmoid", math_sigmoid}, {"pow", math_pow}, {NULL, NULL},
};

void nas_open_math(lua_State *L) {
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "math");
}
