/* luanas.core: what scripts see of libnas. Described in scripts/luanas/meta/core.lua. */
#include "module.h"
#include <nas/version.h>
#include "failure.h"
#include "kernel.h"
#include "terminal.h"
#include "text.h"
#include "types.h"

static void (*const parts[])(lua_State *L) = {
    nas_open_node,         nas_open_network,  nas_open_options,      nas_open_dataset,
    nas_open_recipe,       nas_open_schedule, nas_open_stream,       nas_open_trainer,
    nas_open_model,        nas_open_tensor,   nas_open_tensor_index, nas_open_tensor_operations,
    nas_open_tensor_table, nas_open_policy,   nas_open_math,         nas_open_machine,
    nas_open_files,        nas_open_json,     nas_open_store,        nas_open_process,
    nas_open_parallel,     nas_open_holder,   nas_open_terminal,
};

int luaopen_luanas_core(lua_State *L) {
  nas_error err;
  const nas_kernels *kernels;
  int wish;
  luaL_checkversion(L);
  if (nas_kernels_default(&kernels, &err)) return nas_raise(L, &err); /* LUANAS_ISA is wrong */
  if (nas_terminal_wish(&wish, &err)) return nas_raise(L, &err);
  nas_text_open(L);
  lua_newtable(L);
  lua_pushstring(L, nas_version());
  lua_setfield(L, -2, "version");
  lua_pushinteger(L, nas_numeric_version());
  lua_setfield(L, -2, "numeric_version");
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) parts[i](L);
  return 1;
}
