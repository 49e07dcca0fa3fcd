/* How a failed nas_status becomes what Lua sees. */
#ifndef NAS_BINDINGS_FAILURE_H
#define NAS_BINDINGS_FAILURE_H

#include <lua.h>
#include <nas/status.h>

/* Both want C clean-up done before, because they may jump; "return nas_raise(L, &err);" ends a
 * lua_CFunction. */

/* Raises err->text as a Lua error, with the position of the caller. */
int nas_raise(lua_State *L, const nas_error *err);

/* Misuse and lack of memory raise. The world failing (NAS_IO, NAS_FORMAT, NAS_LIMIT, NAS_DIVERGED,
 * NAS_INTERRUPTED, NAS_SYSTEM) and layers that do not fit (NAS_SHAPE) push nil, the message and the
 * name of the code, and return 3. */
int nas_fail_or_raise(lua_State *L, const nas_error *err);

#endif
