/* luanas.Node: one layer applied to earlier ones. */
#include <nas/layer.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "settings.h"
#include "types.h"

static const char TYPE[] = "luanas.Node";

typedef struct node_box {
  nas_node *node;
} node_box;

nas_node *nas_check_node(lua_State *L, int arg) {
  node_box *box = nas_box_check(L, arg, TYPE);
  return box->node;
}

nas_node **nas_push_node(lua_State *L) {
  node_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  return &box->node;
}

static int node_close(lua_State *L) {
  node_box *box = nas_box_peek(L, 1, TYPE);
  nas_node_release(&box->node);
  return 0;
}

/* The nodes in the array at argument 2; returns how many. */
static int check_inputs(lua_State *L, const char *kind, nas_node *inputs[NAS_INPUTS_MAX]) {
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Unsigned count = lua_rawlen(L, 2);
  if (count > NAS_INPUTS_MAX)
    luaL_error(L, "%s: %I inputs; expected at most %d", kind, (lua_Integer)count, NAS_INPUTS_MAX);
  for (int i = 0; i < (int)count; i++) {
    lua_rawgeti(L, 2, i + 1);
    node_box *box = nas_box_test(L, -1, TYPE);
    if (!box)
      luaL_error(L, "%s: input %d is %s; expected a %s", kind, i + 1, nas_check_shown(L, -1), TYPE);
    inputs[i] = box->node;
    lua_pop(L, 1);
  }
  return (int)count;
}

/* core.node(kind, inputs, options) */
static int core_node(lua_State *L) {
  nas_error err;
  nas_node *inputs[NAS_INPUTS_MAX];
  nas_option_value values[NAS_OPTIONS_MAX];
  const nas_layer_kind *kind = nas_layer_kind_find(nas_check_name(L, 1, "kind"), &err);
  if (!kind) return nas_raise(L, &err);
  check_inputs(L, kind->name, inputs);
  nas_settings settings = nas_settings_open(L, 3, kind->name);
  nas_settings_known(&settings, NULL, &kind->options);
  nas_options_default(&kind->options, values);
  nas_settings_options(&settings, &kind->options, values);

  node_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  int count = check_inputs(L, kind->name, inputs);
  if (nas_node_create(&box->node, kind, values, inputs, count, &err))
    return nas_fail_or_raise(L, &err);
  return 1;
}

static int node_kind(lua_State *L) {
  lua_pushstring(L, nas_node_kind(nas_check_node(L, 1))->name);
  return 1;
}

static int node_shape(lua_State *L) {
  nas_shape shape = nas_node_shape(nas_check_node(L, 1));
  int64_t dims[3] = {shape.dim[0], shape.dim[1], shape.dim[2]};
  nas_push_dims(L, shape.rank, dims);
  return 1;
}

static int node_hash(lua_State *L) {
  nas_push_hash(L, nas_node_hash(nas_check_node(L, 1)));
  return 1;
}

static int node_tostring(lua_State *L) {
  node_box *box = nas_box_peek(L, 1, TYPE);
  char shape[NAS_SHAPE_TEXT];
  if (!box->node) {
    lua_pushfstring(L, "%s (closed)", TYPE);
  } else {
    nas_shape_text(nas_node_shape(box->node), shape);
    lua_pushfstring(L, "%s: %s %s", TYPE, nas_node_kind(box->node)->name, shape);
  }
  return 1;
}

static const luaL_Reg methods[] = {
    {"kind", node_kind},           {"shape", node_shape},           {"hash", node_hash},
    {"summary", nas_node_summary}, {"graphviz", nas_node_graphviz}, {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", node_tostring},
    {NULL, NULL},
};

void nas_open_node(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, node_close);
  lua_pushcfunction(L, core_node);
  lua_setfield(L, -2, "node");
}
