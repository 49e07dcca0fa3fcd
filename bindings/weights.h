/* Parameter sets and metrics as Lua values, for trainers and models. */
#ifndef NAS_BINDINGS_WEIGHTS_H
#define NAS_BINDINGS_WEIGHTS_H

#include <lua.h>
#include <nas/trainer.h>

typedef struct nas_weights {
  const nas_compiled *compiled;
  const float *params;
} nas_weights;

/* Those of what is at argument 1; raises where that is closed. Like any handle, they are valid
 * until the next allocation in Lua. */
typedef nas_weights nas_weights_of(lua_State *L);

/* Pushes a list of { layer =, role =, values = tensor without padding }, of all sets; or, with a
 * gradient in place of the parameters, of those that are trained. */
void nas_push_weights(lua_State *L, nas_weights_of *of, const float *gradient);

/* Sets the metrics of the task in the table on top of the stack, with a prefix to their names: ""
 * or "train_". */
void nas_set_metrics(lua_State *L, nas_task task, int top_k, const nas_metrics *metrics,
                     const char *prefix);

#endif
