#include "interrupt.h"
#include <lauxlib.h>
#include <signal.h>
#include "failure.h"

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

nas_interrupt_hooks nas_interrupt_note(lua_State *L) {
  nas_interrupt_hooks noted = {.state = {L, L}};
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD) == LUA_TTHREAD)
    noted.state[1] = lua_tothread(L, -1);
  lua_pop(L, 1);
  for (int i = 0; i < 2; i++) {
    noted.hook[i] = lua_gethook(noted.state[i]);
    noted.mask[i] = lua_gethookmask(noted.state[i]);
  }
  return noted;
}

/* In a finalizer, whoever called what, and in its coroutines, lua_gc refuses to count (from 5.4.4).
 */
static int is_finalizing(lua_State *L) {
  return lua_gc(L, LUA_GCCOUNT, 0) < 0;
}

int nas_interrupt_wanted(lua_State *L) {
  return nas_interrupt_due() && !is_finalizing(L);
}

static int has_changed(const nas_interrupt_hooks *before) {
  for (int i = 0; i < 2; i++) {
    if (lua_gethook(before->state[i]) != before->hook[i]) return 1;
    if (lua_gethookmask(before->state[i]) != before->mask[i]) return 1;
  }
  return 0;
}

int nas_interrupt_poll(void *hooks) {
  const nas_interrupt_hooks *before = hooks;
  return (nas_interrupt_due() || has_changed(before)) && !is_finalizing(before->state[0]);
}

int nas_interrupt_or_fail(lua_State *L, const nas_error *err) {
  if (err->code == NAS_INTERRUPTED && nas_interrupt_due()) return nas_interrupt_raise(L);
  return nas_fail_or_raise(L, err);
}
