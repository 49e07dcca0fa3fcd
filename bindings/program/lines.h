/* luanas.Lines: lines of standard input as they come, where there is no terminal to edit them on.
 *
 * lines:read(prompt) returns a line without its end; nil, "end"; nil, "cancelled" where Ctrl-C came
 * first; or nil, "failed" and why it can't be read. A terminal has a prompt, all else an empty one.
 * Scripts that read io.stdin meanwhile get the lines that follow. */
#ifndef NAS_PROGRAM_LINES_H
#define NAS_PROGRAM_LINES_H

#include <lua.h>

/* Registers the type and pushes the function `lines`, which makes an object. Once. */
void nas_push_lines(lua_State *L);

#endif
