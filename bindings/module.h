/* The entry point of the module luanas.core. */
#ifndef NAS_BINDINGS_MODULE_H
#define NAS_BINDINGS_MODULE_H

#include <lua.h>
#include <nas/api.h>

NAS_API int luaopen_luanas_core(lua_State *L);

#endif
