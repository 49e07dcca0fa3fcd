/* luanas.Editor: lines from a terminal that can be edited, by libedit.
 *
 * editor(is_whole, complete): the two functions are called while a text is edited, with signals
 * blocked, so that they must come to an end; what they raise is a beep. is_whole(text) tells
 * whether Enter ends the text; if not, also what it inserts. complete(text, position) returns what
 * Tab inserts at the cursor, before which are so many bytes, and what it shows below the text;
 * either may be nil.
 *
 * editor:read(prompt) returns a text without the end of its last line; nil, "end" after Ctrl-D; or
 * nil, "cancelled" and the text after Ctrl-C. A signal that ends the program does so when the
 * terminal is as it was. Colours of the prompt stand between bytes 1, and
 * something else behind the last. editor:add(text) makes a text the newest of the history.
 *
 * A pasted block becomes part of the text, whatever is in it, and runs at the next Enter. */
#ifndef NAS_PROGRAM_EDITOR_H
#define NAS_PROGRAM_EDITOR_H

#include <lua.h>

/* Registers the type and pushes the function `editor`. Once. */
void nas_push_editor(lua_State *L);

#endif
