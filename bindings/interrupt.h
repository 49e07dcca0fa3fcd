/* Ctrl-C, between a host's signal handler and the places that must notice it.
 *
 * The flag is the process's. A host sets it; long work in C polls it and raises; it stays set until
 * the host clears it, so that a script that catches the error gets it again from the next piece of
 * long work. Nobody sets it when the module was loaded by another host. */
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

/* A nas_poll, of such hooks: whether the flag is set, or a hook was since. */
int nas_interrupt_poll(void *hooks);

/* How long work that failed ends: raises where the flag interrupted it; a hook that did raises as
 * soon as Lua runs again; everything else is nas_fail_or_raise. */
int nas_interrupt_or_fail(lua_State *L, const nas_error *err);

#endif
