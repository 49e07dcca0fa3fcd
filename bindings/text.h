/* A nas_text that no jump can lose. */
#ifndef NAS_BINDINGS_TEXT_H
#define NAS_BINDINGS_TEXT_H

#include <lua.h>
#include <nas/text.h>

/* Pushes an empty text as a userdata. */
nas_text *nas_text_new(lua_State *L);

/* Replaces the text on top of the stack by a string of its content, or raises if an append had
 * failed. Returns 1. */
int nas_text_to_string(lua_State *L);

/* Once, before the first nas_text_new. */
void nas_text_open(lua_State *L);

#endif
