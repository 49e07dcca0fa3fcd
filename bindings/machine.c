/* Functions of luanas.core that belong to no type: the machine, texts, the interrupt. */
#include <nas/clock.h>
#include <nas/cpu.h>
#include <nas/hash.h>
#include <time.h>
#include "failure.h"
#include "interrupt.h"
#include "kernel.h"
#include "text.h"
#include "types.h"

void nas_push_hash(lua_State *L, nas_hash hash) {
  char text[NAS_HASH_HEX];
  nas_hash_hex(hash, text);
  lua_pushstring(L, text);
}

static int core_hash(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  nas_push_hash(L, nas_hash_bytes(text, size));
  return 1;
}

static int core_number_text(lua_State *L) {
  luaL_checktype(L, 1, LUA_TNUMBER);
  nas_text *text = nas_text_new(L);
  if (lua_isinteger(L, 1))
    nas_text_add_integer(text, lua_tointeger(L, 1));
  else
    nas_text_add_double(text, lua_tonumber(L, 1));
  return nas_text_to_string(L);
}

static int core_clock(lua_State *L) {
  lua_pushnumber(L, nas_clock());
  return 1;
}

static int core_machine(lua_State *L) {
  const nas_kernels *kernels;
  lua_createtable(L, 0, 3);
  lua_pushstring(L, nas_kernels_best()->name);
  lua_setfield(L, -2, "isa");
  lua_newtable(L);
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    lua_pushstring(L, kernels->name);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "isas");
  lua_pushinteger(L, nas_cpu_count());
  lua_setfield(L, -2, "threads");
  return 1;
}

static int core_use_isa(lua_State *L) {
  nas_error err;
  return nas_kernels_use(luaL_optstring(L, 1, NULL), &err) ? nas_raise(L, &err) : 0;
}

/* core.sleep(seconds): ends early, with an error, at Ctrl-C */
static int core_sleep(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds >= 0 && seconds <= 60, 1, "expected 0 to 60 seconds");
  const struct timespec time = {.tv_sec = (time_t)seconds,
                                .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
  nanosleep(&time, NULL);
  return nas_interrupt_wanted(L) ? nas_interrupt_raise(L) : 0;
}

static int core_check_interrupt(lua_State *L) {
  return nas_interrupt_wanted(L) ? nas_interrupt_raise(L) : 0;
}

static const luaL_Reg functions[] = {
    {"hash", core_hash},
    {"number_text", core_number_text},
    {"clock", core_clock},
    {"machine", core_machine},
    {"use_isa", core_use_isa},
    {"sleep", core_sleep},
    {"check_interrupt", core_check_interrupt},
    {NULL, NULL},
};

void nas_open_machine(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
