/* A host that keeps the bindings honest: runs one Lua test file with an allocator that can fail, a
 * collector that can be hostile, and a count of what libnas has allocated.
 *
 * usage: lua_runner TEST.lua
 *
 * TEST.lua returns a table of functions test_*, or defines global ones; luaunit runs them
 * (run_tests.lua). Afterwards no block of libnas may be left. With the environment variable
 * LUANAS_HOSTILE_GC the collector never rests. Tests see this host as the module "runner". */
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <nas/memory.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "interrupt.h"
#include "module.h"

/* -- the failing allocator -------------------------------------------------------------------- */

static long allowed = -1; /* allocations of Lua that succeed still; -1: all */

static void *allocate(void *unused, void *block, size_t old_size, size_t size) {
  (void)unused;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (allowed >= 0 && (!block || size > old_size)) {
    if (allowed == 0) return NULL;
    allowed--;
  }
  return realloc(block, size);
}

/* runner.limited(lua, nas, f, ...): like pcall(f, ...), with so many allocations of Lua and of
 * libnas allowed (-1: all). */
static int runner_limited(lua_State *L) {
  long lua = (long)luaL_checkinteger(L, 1), nas = (long)luaL_checkinteger(L, 2);
  luaL_checkany(L, 3);
  allowed = lua;
  nas_memory_fail_after(nas);
  int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
  allowed = -1;
  nas_memory_fail_after(-1);
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 1);
  lua_remove(L, 2);
  return lua_gettop(L);
}

/* runner.used(): blocks and bytes of libnas */
static int runner_used(lua_State *L) {
  nas_memory_use use = nas_memory_used();
  lua_pushinteger(L, (lua_Integer)use.blocks);
  lua_pushinteger(L, (lua_Integer)use.bytes);
  return 2;
}

/* -- interrupts ------------------------------------------------------------------------------- */

static lua_State *main_state;

static void stop(lua_State *L, lua_Debug *where) {
  (void)where;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

static void on_alarm_flag(int signal_number) {
  (void)signal_number;
  nas_interrupt_set();
}

/* What the handler of stock Lua does. */
static void on_alarm_hook(int signal_number) {
  (void)signal_number;
  lua_sethook(main_state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* runner.interrupt_after(seconds, "flag" | "hook") */
static int runner_interrupt_after(lua_State *L) {
  static const char *const kinds[] = {"flag", "hook", NULL};
  double seconds = luaL_checknumber(L, 1);
  int hook = luaL_checkoption(L, 2, NULL, kinds);
  struct itimerval timer = {
      .it_value = {.tv_sec = (time_t)seconds, .tv_usec = (long)(1e6 * (seconds - (long)seconds))}};
  signal(SIGALRM, hook ? on_alarm_hook : on_alarm_flag);
  setitimer(ITIMER_REAL, &timer, NULL);
  return 0;
}

static int runner_set_interrupt(lua_State *L) {
  if (lua_toboolean(L, 1))
    nas_interrupt_set();
  else
    nas_interrupt_clear();
  return 0;
}

/* -- main ------------------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"limited", runner_limited},
    {"used", runner_used},
    {"interrupt_after", runner_interrupt_after},
    {"set_interrupt", runner_set_interrupt},
    {"open_core", luaopen_luanas_core},
    {NULL, NULL},
};

static int open_runner(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}

/* In protected mode; returns whether all tests passed. */
static int run(lua_State *L) {
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_luanas_core);
  lua_setfield(L, -2, "luanas.core");
  lua_pushcfunction(L, open_runner);
  lua_setfield(L, -2, "runner");
  if (getenv("LUANAS_HOSTILE_GC")) {
    lua_gc(L, LUA_GCSETPAUSE, 0);
    lua_gc(L, LUA_GCSETSTEPMUL, 1000);
  }
  if (luaL_loadfile(L, RUN_TESTS)) return lua_error(L);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: lua_runner TEST.lua\n");
    return 2;
  }
  lua_State *L = lua_newstate(allocate, NULL);
  if (!L) return 2;
  main_state = L;
  lua_pushcfunction(L, run);
  lua_pushstring(L, argv[1]);
  int failed = lua_pcall(L, 1, 1, 0) != LUA_OK;
  if (failed) fprintf(stderr, "lua_runner: %s\n", luaL_tolstring(L, -1, NULL));
  failed = failed || !lua_toboolean(L, -1);
  lua_close(L);
  return failed;
}
