/* The session at the prompt: what luanas.repl needs of the program, and a call of it. */
#ifndef NAS_PROGRAM_SESSION_H
#define NAS_PROGRAM_SESSION_H

#include <lua.h>

/* A lua_CFunction: runs a session until its input ends. Its argument is a light userdata, an int
 * that becomes the exit status. Wants nas_running_begin before.
 *
 * luanas.repl gets a table:
 *   is_prompted       whether standard input is a terminal
 *   is_terminal       whether standard output is one, too
 *   editor, lines     functions that make what is read from (editor.h, lines.h); editor is nil
 *                     where there is no terminal for it, or no libedit
 *   call(handler, f, ...)  like xpcall(f, handler, ...), but Ctrl-C stops f, and the first result
 *                     is nil then
 *   append(path, text)  appends to a file that nobody else may read, and makes it, and its
 *                     folders, where it is not there; true, or nil and why not
 *   names(folder)     what is in a folder, folders with a slash at their ends; empty where it
 *                     can't be read */
int nas_session(lua_State *L);

#endif
