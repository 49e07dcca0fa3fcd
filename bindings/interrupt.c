#include "interrupt.h"
#include <lauxlib.h>
#include <signal.h>

enum { NONE, DUE, RAISED };

static volatile sig_atomic_t flag = NONE;
static unsigned raised;

void nas_interrupt_set(void) {
  flag = DUE;
}

int nas_interrupt_pending(void) {
  return flag != NONE;
}

int nas_interrupt_due(void) {
  return flag == DUE;
}

void nas_interrupt_clear(void) {
  flag = NONE;
}

int nas_interrupt_raise(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  flag = RAISED;
  raised++;
  return luaL_error(L, "interrupted!");
}

unsigned nas_interrupt_raised(void) {
  return raised;
}
