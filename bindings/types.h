/* What the file of each Lua type gives to the others.
 *
 * nas_check_<type>: what the argument holds; raises for another type and for a closed one. It is
 * valid until the next allocation in Lua: that may run the collector and so a finalizer of a
 * script, which may close what it likes. So all that allocates comes first - numbers as operands,
 * scratch, the boxes of results - and then the handles are read, again where a check has read them
 * before. What is needed longer is held by a box of its own: a view of a tensor, a reference to a
 * data set.
 *
 * nas_open_<file>: with the table of luanas.core on top of the stack, adds the file's functions to
 * it and makes its types. */
#ifndef NAS_BINDINGS_TYPES_H
#define NAS_BINDINGS_TYPES_H

#include <lauxlib.h>
#include <nas/dataset.h>
#include <nas/network.h>
#include <nas/policy.h>
#include <nas/random.h>
#include <nas/tensor.h>
#include <nas/trainer.h>

nas_node *nas_check_node(lua_State *L, int arg);
const nas_network *nas_check_network(lua_State *L, int arg);
nas_dataset *nas_check_dataset(lua_State *L, int arg);
const nas_trainer *nas_check_trainer(lua_State *L, int arg);
const nas_recipe *nas_check_recipe(lua_State *L, int arg);
nas_stream *nas_check_stream(lua_State *L, int arg);
nas_tensor *nas_check_tensor(lua_State *L, int arg);

/* Pushes an empty node box and returns where the reference goes. */
nas_node **nas_push_node(lua_State *L);

/* Pushes an empty tensor box and returns where the handle goes. */
nas_tensor **nas_push_tensor(lua_State *L);

/* Pushes a view of the tensor at an argument, which stays whatever happens to that one. */
const nas_tensor *nas_push_view(lua_State *L, int arg);

/* The name of a type at an argument, which may be absent: then NAS_FLOAT32. */
nas_dtype nas_check_dtype(lua_State *L, int arg);

/* A shape from the table at an argument. Returns the rank. */
int nas_check_dims(lua_State *L, int arg, int64_t dims[NAS_RANK_MAX]);

/* Pushes dims as a table. */
void nas_push_dims(lua_State *L, int rank, const int64_t *dims);

/* Pushes an element as Lua number: a float, or an integer for the integer types. */
void nas_push_element(lua_State *L, nas_dtype dtype, double value);

/* Pushes the element of a tensor at indices. Returns 1. */
int nas_push_element_at(lua_State *L, const nas_tensor *tensor, const int64_t *indices);

/* Tells the collector of a tensor that is new and in a box on the stack. */
void nas_weigh_tensor(lua_State *L, const nas_tensor *tensor);

/* Pushes 32 hexadecimal digits. */
void nas_push_hash(lua_State *L, nas_hash hash);

/* The methods of a node that network.c adds: pages about the network that ends in it. */
int nas_node_summary(lua_State *L);
int nas_node_graphviz(lua_State *L);

/* Ends a function that acquired the tensor on top of the stack, or failed to. */
int nas_tensor_made(lua_State *L, nas_status status, const nas_error *err);

/* The same for a view, which holds nothing new. */
int nas_tensor_viewed(lua_State *L, nas_status status, const nas_error *err);

/* Ends the acquiring of a tensor that may be a view or new memory. */
int nas_tensor_made_of(lua_State *L, const nas_tensor *tensor, nas_status status,
                       const nas_error *err);

/* The type of tensors. */
extern const char nas_tensor_type[];

/* A tensor, or a number that becomes a tensor of one element at its place of the stack: float32, or
 * int32 for an integer that meets a tensor of integers. `other` is the tensor that it meets, NULL
 * for none. */
const nas_tensor *nas_check_operand(lua_State *L, int arg, const nas_tensor *other);

/* The dimension at an argument, from 0. */
int nas_check_dimension(lua_State *L, int arg, const nas_tensor *tensor);

void nas_open_node(lua_State *L);
void nas_open_network(lua_State *L);
void nas_open_options(lua_State *L);
void nas_open_dataset(lua_State *L);
void nas_open_files(lua_State *L);
void nas_open_json(lua_State *L);
void nas_open_store(lua_State *L);
void nas_open_process(lua_State *L);
void nas_open_holder(lua_State *L);
void nas_open_parallel(lua_State *L);
void nas_open_recipe(lua_State *L);
void nas_open_schedule(lua_State *L);
void nas_open_trainer(lua_State *L);
void nas_open_model(lua_State *L);
void nas_open_stream(lua_State *L);
void nas_open_policy(lua_State *L);
void nas_open_tensor(lua_State *L);
void nas_open_tensor_index(lua_State *L);
void nas_open_tensor_operations(lua_State *L);
void nas_open_tensor_table(lua_State *L);
void nas_open_math(lua_State *L);
void nas_open_machine(lua_State *L);
void nas_open_terminal(lua_State *L);

#endif
