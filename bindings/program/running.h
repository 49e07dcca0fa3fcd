/* Ctrl-C for the program.
 *
 * The handler sets the flag of interrupt.h, which training polls, and a hook on the coroutine that
 * runs, which raises "interrupted!" at its next instruction. A hook on the main thread alone would
 * not fire while a coroutine runs, and a permanent hook on coroutines would halve their speed. So
 * the functions that change the running coroutine are replaced by ones that note it.
 *
 * The error can't be caught: pcall and xpcall, replaced too, let it pass (message handlers and
 * to-be-closed variables run), as does coroutine.resume. A second Ctrl-C ends the process; where
 * there is a prompt, only one that comes within a second and before the prompt does. */
#ifndef NAS_PROGRAM_RUNNING_H
#define NAS_PROGRAM_RUNNING_H

#include <lua.h>

/* Replaces the functions in the libraries of L, the main thread, and installs the handler, unless
 * SIGINT is ignored. The process has one such state. */
void nas_running_begin(lua_State *L);

/* Between begin and end, for a prompt: while it waits, Ctrl-C only sets the flag. */
void nas_running_pause(void);

/* A command runs on L, the main thread, until the next pause. A Ctrl-C since then stops it. */
void nas_running_resume(lua_State *L);

/* Gives SIGINT its default action back. */
void nas_running_end(void);

#endif
