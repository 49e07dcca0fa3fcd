/* Recorded decisions and episodes, from Lua tables.
 *
 * What is returned lives as long as the table of scratch blocks at index `scratch` (lua_newtable)
 * and the tables that were read. Indices and options count from 1 in Lua. */
#ifndef NAS_BINDINGS_DECISIONS_H
#define NAS_BINDINGS_DECISIONS_H

#include <lua.h>
#include <nas/policy.h>

/* { { name, options = key text, count, chosen }, ... } on top of the stack; `path` names it in
 * errors. */
const nas_decision *nas_decisions_read(lua_State *L, int scratch, const char *path, int *count);

/* { { decisions, advantage, entropy, advantages, entropies, options, values }, ... } at argument
 * `arg`. */
const nas_episode *nas_episodes_read(lua_State *L, int arg, int scratch, int *count);

#endif
