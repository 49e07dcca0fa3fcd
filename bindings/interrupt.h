/* Ctrl-C, between a host's signal handler and the places that must notice it.
 *
 * The flag is the process's. A host sets it; long work in C polls it and raises, once, so that what
 * closes variables on the way out may do long work, too; the host lets the error pass what would
 * catch it, and clears the flag in the end. Nobody sets it when the module was loaded by another
 * host. */
#ifndef NAS_BINDINGS_INTERRUPT_H
#define NAS_BINDINGS_INTERRUPT_H

#include <lua.h>
#include <nas/status.h>

/* May be called from a signal handler. */
void nas_interrupt_set(void);

/* Whether the flag is set. */
int nas_interrupt_pending(void);

/* Whether it is set and no error was raised since. */
int nas_interrupt_due(void);

/* The same, but not in a finalizer, whose errors Lua swallows: what runs after it is to raise. */
int nas_interrupt_wanted(lua_State *L);

void nas_interrupt_clear(void);

/* Raises the error "interrupted!" with the position of the caller, after it has removed the hook of
 * L, so that what closes on the way out can run. */
int nas_interrupt_raise(lua_State *L);

/* How often it was raised: a host's pcall compares, in order to let the error pass. */
unsigned nas_interrupt_raised(void);

/* The hooks of the running coroutine and of the main thread when a piece of long work began. Stock
 * Lua's handler of Ctrl-C sets a hook on the latter. */
typedef struct nas_interrupt_hooks {
  lua_State *state[2];
  lua_Hook hook[2];
  int mask[2];
} nas_interrupt_hooks;

nas_interrupt_hooks nas_interrupt_note(lua_State *L);

/* A nas_poll, of such hooks: whether the error is due, or a hook was set since; not in a finalizer.
 */
int nas_interrupt_poll(void *hooks);

/* How long work that failed ends: raises where the flag interrupted it; a hook that did raises as
 * soon as Lua runs again; everything else is nas_fail_or_raise. */
int nas_interrupt_or_fail(lua_State *L, const nas_error *err);

#endif
