/* A C module of somebody else, which takes all of Lua from its host. */
#include <lauxlib.h>
#include <nas/api.h>

NAS_API int luaopen_probe(lua_State *L);

static int answer(lua_State *L) {
  luaL_Buffer text;
  luaL_checkstack(L, 10, NULL);
  luaL_buffinit(L, &text);
  luaL_addstring(&text, "42");
  luaL_pushresult(&text);
  lua_arith(L, LUA_OPUNM);
  lua_arith(L, LUA_OPUNM);
  return 1;
}

int luaopen_probe(lua_State *L) {
  luaL_newlib(L, ((const luaL_Reg[]){{"answer", answer}, {NULL, NULL}}));
  return 1;
}
