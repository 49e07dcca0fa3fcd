/* Ctrl-C, between a host's signal handler and the places that must notice it.
 *
 * The flag is the process's. A host sets it; long work in C polls it and raises; it stays set until
 * the host clears it, so that a script that catches the error gets it again from the next piece of
 * long work. Nobody sets it when the module was loaded by another host. */
#ifndef NAS_BINDINGS_INTERRUPT_H
#define NAS_BINDINGS_INTERRUPT_H

#include <lua.h>

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

#endif
