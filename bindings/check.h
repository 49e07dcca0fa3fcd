/* Checks of arguments. Each raises an error that names the argument, what was given and what is
 * allowed. */
#ifndef NAS_BINDINGS_CHECK_H
#define NAS_BINDINGS_CHECK_H

#include <stdint.h>
#include <lauxlib.h>

/* Raises for argument `arg` with a message in the manner of lua_pushfstring, behind what a script
 * wrote: "tensor:to: ...", "a + b: ...", or as Lua does for functions. */
int nas_check_failed(lua_State *L, int arg, const char *format, ...);

/* Raises if the running function is a method of that type that was called with a dot, which left
 * something else in argument 1. */
void nas_check_colon(lua_State *L, const char *type);

/* An integer from low to high; `what` names it in the message. */
lua_Integer nas_check_integer(lua_State *L, int arg, const char *what, lua_Integer low,
                              lua_Integer high);

/* A number; nothing is converted but strings of numbers. */
lua_Number nas_check_number(lua_State *L, int arg, const char *what);

/* A table; `expected` tells of what. */
void nas_check_table(lua_State *L, int arg, const char *what, const char *expected);

/* The position of a string in a list of names that NULL ends. */
int nas_check_choice(lua_State *L, int arg, const char *what, const char *const names[]);

/* An index from 1 to count, or from -1 to -count which counts from the end; returned from 0. */
int64_t nas_check_index(lua_State *L, int arg, const char *what, int64_t count);

/* The same for the value at a stack index, which is in argument `arg`. The message names the
 * dimension, which is counted from 0, unless it is -1. */
int64_t nas_check_index_at(lua_State *L, int index, int arg, const char *what, int dim,
                           int64_t count);

/* A string without zero bytes, as the C side needs it. */
const char *nas_check_name(lua_State *L, int arg, const char *what);

/* The value at a stack index as a message shows it: `"abc"`, `3.5`, `true`, `a table`. Pushes it.
 */
const char *nas_check_shown(lua_State *L, int index);

#endif
