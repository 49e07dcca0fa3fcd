/* Recorded decisions and episodes, from Lua tables.
 *
 * What is returned lives as long as the list at index `scratch` (lua_newtable), which it is added
 * to. Indices, options and positions count from 1 in Lua. */
#ifndef NAS_BINDINGS_DECISIONS_H
#define NAS_BINDINGS_DECISIONS_H

#include <lua.h>
#include <nas/policy.h>

/* { { name, options = key text, count, chosen }, { kind = "anchor", name, candidates, chosen }, ...
 * } on top of the stack; `path` names it in errors. */
const nas_decision *nas_decisions_read(lua_State *L, int scratch, const char *path, int *count);

/* An array of positions on top of the stack, and one of `count` booleans. */
const int *nas_candidates_read(lua_State *L, int scratch, const char *path, int *count);
const unsigned char *nas_chosen_set_read(lua_State *L, int scratch, const char *path, int count);

/* { { decisions, advantage, entropy, advantages, entropies, options, values, skip_weight,
 * skip_prior }, ... } at argument `arg`. */
const nas_episode *nas_episodes_read(lua_State *L, int arg, int scratch, int *count);

#endif
