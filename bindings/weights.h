/* Parameter sets and metrics as Lua values, for trainers and models. */
#ifndef NAS_BINDINGS_WEIGHTS_H
#define NAS_BINDINGS_WEIGHTS_H

#include <lua.h>
#include <nas/trainer.h>

/* Pushes a list of { layer =, role =, values = tensor without padding }, of all sets or of those
 * that are trained. */
void nas_push_weights(lua_State *L, const nas_compiled *compiled, const float *params,
                      int trained_only);

/* Sets the metrics of the task in the table on top of the stack, with a prefix to their names: ""
 * or "train_". */
void nas_set_metrics(lua_State *L, nas_task task, int top_k, const nas_metrics *metrics,
                     const char *prefix);

#endif
