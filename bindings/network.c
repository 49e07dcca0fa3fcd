/* luanas.Network: the canonical form of a network. */
#include <nas/network.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "text.h"
#include "types.h"

static const char TYPE[] = "luanas.Network";

typedef struct network_box {
  nas_network *network;
} network_box;

static nas_network *check(lua_State *L) {
  network_box *box = nas_box_check(L, 1, TYPE);
  return box->network;
}

const nas_network *nas_check_network(lua_State *L, int arg) {
  network_box *box = nas_box_check(L, arg, TYPE);
  return box->network;
}

static int network_close(lua_State *L) {
  network_box *box = nas_box_peek(L, 1, TYPE);
  nas_network_destroy(&box->network);
  return 0;
}

/* core.network(output) */
static int core_network(lua_State *L) {
  nas_error err;
  lua_settop(L, 1);
  network_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  if (nas_network_create(&box->network, nas_check_node(L, 1), &err))
    return nas_fail_or_raise(L, &err);
  nas_box_pressure(L, strlen(nas_network_text(box->network)));
  return 1;
}

/* core.network_parse(text): the last node */
static int core_network_parse(lua_State *L) {
  nas_error err;
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  nas_node **node = nas_push_node(L);
  nas_status status = strlen(text) == size
                          ? nas_network_parse(node, text, &err)
                          : nas_fail(&err, NAS_FORMAT, "network: the text has a zero byte");
  if (status) return nas_fail_or_raise(L, &err);
  return 1;
}

static int network_text(lua_State *L) {
  lua_pushstring(L, nas_network_text(check(L)));
  return 1;
}

static int network_hash(lua_State *L) {
  nas_push_hash(L, nas_network_hash(check(L)));
  return 1;
}

static int network_params(lua_State *L) {
  lua_pushinteger(L, nas_network_params(check(L)));
  return 1;
}

static int network_macs(lua_State *L) {
  lua_pushinteger(L, nas_network_macs(check(L)));
  return 1;
}

/* The batch of training, an optional argument */
static int check_batch(lua_State *L) {
  return lua_isnoneornil(L, 2) ? 250 : (int)nas_check_integer(L, 2, "batch", 1, 65536);
}

static int network_memory(lua_State *L) {
  const nas_network *network = check(L);
  lua_pushinteger(L, nas_network_memory(network, check_batch(L)));
  return 1;
}

static int network_summary(lua_State *L) {
  int batch = check_batch(L);
  lua_settop(L, 1);
  nas_text *text = nas_text_new(L);
  nas_network_summary(check(L), batch, text);
  nas_text_to_string(L);
  return 1;
}

static int network_graphviz(lua_State *L) {
  lua_settop(L, 1);
  nas_text *text = nas_text_new(L);
  nas_network_graphviz(check(L), text);
  nas_text_to_string(L);
  return 1;
}

/* Argument 1, a node, becomes the network that ends there. */
static void replace_node(lua_State *L) {
  lua_pushcfunction(L, core_network);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 2);
  if (lua_isnil(L, -2)) luaL_error(L, "%s", lua_tostring(L, -1));
  lua_pop(L, 1);
  lua_replace(L, 1);
}

int nas_node_summary(lua_State *L) {
  replace_node(L);
  return network_summary(L);
}

int nas_node_graphviz(lua_State *L) {
  replace_node(L);
  return network_graphviz(L);
}

/* Pushes the inputs of a layer of the network at argument 1. */
static void push_inputs(lua_State *L, int index) {
  int count = nas_node_input_count(nas_network_node(check(L), index));
  lua_createtable(L, count, 0);
  const nas_network *network = check(L);
  for (int i = 0; i < count; i++) {
    lua_pushinteger(L, nas_network_input(network, index, i) + 1);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_layer(lua_State *L, int index) {
  nas_node *node = nas_network_node(check(L), index);
  nas_shape shape = nas_node_shape(node);
  int64_t dims[3] = {shape.dim[0], shape.dim[1], shape.dim[2]};
  const char *name = nas_node_kind(node)->name; /* a constant */
  lua_createtable(L, 0, 6);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  push_inputs(L, index);
  lua_setfield(L, -2, "inputs");
  nas_push_dims(L, shape.rank, dims);
  lua_setfield(L, -2, "shape");
  const nas_network *network = check(L);
  lua_pushinteger(L, nas_network_node_params(network, index));
  lua_setfield(L, -2, "params");
  lua_pushinteger(L, nas_network_node_macs(network, index));
  lua_setfield(L, -2, "macs");
  lua_pushinteger(L, nas_network_occurrence(network, index) + 1);
  lua_setfield(L, -2, "occurrence");
}

static int network_layers(lua_State *L) {
  int size = nas_network_size(check(L));
  lua_createtable(L, size, 0);
  for (int i = 0; i < size; i++) {
    push_layer(L, i);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int network_len(lua_State *L) {
  lua_pushinteger(L, nas_network_size(check(L)));
  return 1;
}

static int network_tostring(lua_State *L) {
  network_box *box = nas_box_peek(L, 1, TYPE);
  if (!box->network)
    lua_pushfstring(L, "%s (closed)", TYPE);
  else
    lua_pushfstring(L, "%s: %d layers, %I parameters, %I multiply-accumulates", TYPE,
                    nas_network_size(box->network), (lua_Integer)nas_network_params(box->network),
                    (lua_Integer)nas_network_macs(box->network));
  return 1;
}

static const luaL_Reg methods[] = {
    {"text", network_text},       {"hash", network_hash},         {"params", network_params},
    {"macs", network_macs},       {"memory", network_memory},     {"layers", network_layers},
    {"summary", network_summary}, {"graphviz", network_graphviz}, {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__len", network_len},
    {"__tostring", network_tostring},
    {NULL, NULL},
};

void nas_open_network(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, network_close);
  lua_pushcfunction(L, core_network);
  lua_setfield(L, -2, "network");
  lua_pushcfunction(L, core_network_parse);
  lua_setfield(L, -2, "network_parse");
}
