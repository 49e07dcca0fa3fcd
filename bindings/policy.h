/* What policy.c and gradient.c give to each other. */
#ifndef NAS_BINDINGS_POLICY_H
#define NAS_BINDINGS_POLICY_H

#include <lauxlib.h>
#include <nas/policy.h>

nas_policy *nas_check_policy(lua_State *L, int arg);
const nas_policy_gradient *nas_check_gradient(lua_State *L, int arg);

/* Pushes an empty gradient box that keeps the policy at index `policy` alive, and returns where the
 * handle goes. */
nas_policy_gradient **nas_push_gradient(lua_State *L, int policy);

/* Copies the values of a block, of what is among the arguments. */
typedef nas_status nas_block_values(lua_State *L, const nas_policy_block *block, float *values,
                                    nas_error *err);

/* Pushes a table from block key to { rows, width, values... } for the policy at index `policy`. */
int nas_push_blocks(lua_State *L, int policy, nas_block_values *get);

/* Once, by policy.c. */
void nas_open_gradient(lua_State *L);

#endif
