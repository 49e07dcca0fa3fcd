/* Userdata that own a handle of libnas.
 *
 * A box is a struct whose first member is the handle. It is made empty, with its metatable, before
 * anything is acquired; the handle is then acquired into it, so that no jump can lose it. A box
 * whose handle is NULL is closed. */
#ifndef NAS_BINDINGS_BOX_H
#define NAS_BINDINGS_BOX_H

#include <stddef.h>
#include <lauxlib.h>

/* A type for boxes: `methods` end in {NULL, NULL}, as do `meta`, which may be NULL. `close` frees
 * what a box at index 1 holds, accepts a closed one and becomes __gc, __close and the method
 * close. Without an __index among `meta`, methods are found as usual. */
void nas_box_type(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *meta,
                  lua_CFunction close);

/* Adds methods and metamethods, which end in {NULL, NULL}, to a type that is there. */
void nas_box_extend(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *meta);

/* Pushes a type's method of that name, or nil. */
void nas_box_push_method(lua_State *L, const char *type, const char *name);

/* Pushes a new box of `size` bytes, all zero, with room for `anchors` user values. */
void *nas_box_new(lua_State *L, const char *type, size_t size, int anchors);

/* The box at argument `arg`; raises for another type and for a closed box. */
void *nas_box_check(lua_State *L, int arg, const char *type);

/* The same without a look at the handle: for close and __tostring, and for types without one. */
void *nas_box_peek(lua_State *L, int arg, const char *type);

/* The box at a stack index, or NULL where something else or a closed box is. */
void *nas_box_test(lua_State *L, int index, const char *type);

/* Tells the collector that the box on top of the stack holds so many bytes that it cannot see, so
 * that it works as fast as the memory grows. A collector that was stopped stays so. */
void nas_box_pressure(lua_State *L, size_t bytes);

/* A block without a handle that lives as long as the table at index `anchor`, a list, which it is
 * added to. */
void *nas_box_scratch(lua_State *L, int anchor, size_t count, size_t size);

#endif
