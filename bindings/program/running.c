#include "running.h"
#include <errno.h>
#include <lauxlib.h>
#include <nas/clock.h>
#include <pthread.h>
#include <signal.h>
#include "interrupt.h"

enum { AT_ONCE = 1 }; /* seconds in which a second Ctrl-C ends a program that has a prompt */

static lua_State *volatile running; /* NULL: no script runs */
static pthread_t main_thread;
static int has_prompt;        /* to which Ctrl-C leads back */
static double interrupted_at; /* nas_clock of the last Ctrl-C */

/* -- signal and hook -------------------------------------------------------------------------- */

/* A coroutine that was left with its hook set may be resumed when the interrupt is long over; and a
 * coroutine of a finalizer leaves it to what runs after that. */
static void stop(lua_State *L, lua_Debug *where) {
  (void)where;
  if (nas_interrupt_wanted(L))
    nas_interrupt_raise(L);
  else
    lua_sethook(L, NULL, 0, 0);
}

static void set_hook(lua_State *L) {
  lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* Whether a Ctrl-C before has not had its effect yet, and need not be waited for. */
static int is_second(void) {
  return nas_interrupt_pending() && (!has_prompt || nas_clock() - interrupted_at < AT_ONCE);
}

static void on_interrupt(int signal_number) {
  int error = errno;
  if (!pthread_equal(pthread_self(), main_thread)) { /* a thread of a library got it */
    pthread_kill(main_thread, signal_number);
  } else if (is_second()) {
    signal(signal_number, SIG_DFL);
    raise(signal_number); /* ends the process when this handler returns */
  } else {
    interrupted_at = nas_clock();
    nas_interrupt_set();
    if (running) set_hook(running);
  }
  errno = error;
}

/* Notes that L runs now, and returns what ran before. A signal that came just before found the
 * other state. */
static lua_State *enter(lua_State *L) {
  lua_State *before = running;
  running = L;
  if (nas_interrupt_due()) set_hook(L);
  return before;
}

/* -- coroutines: as in Lua's own library, but for enter --------------------------------------- */

static lua_State *check_coroutine(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTHREAD);
  return lua_tothread(L, arg);
}

/* Resumes co with the `count` values on top of L. Returns the number of results, or -1 and an error
 * object on top of L. Lets an interrupt pass. */
static int resume(lua_State *L, lua_State *co, int count) {
  unsigned raised = nas_interrupt_raised();
  int results;
  if (!lua_checkstack(co, count)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, count);
  lua_State *before = enter(co);
  int status = lua_resume(co, L, count, &results);
  enter(before);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    if (nas_interrupt_raised() != raised) lua_error(L);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

/* Closes a coroutine; its to-be-closed variables run on it. */
static int close_coroutine(lua_State *co) {
  lua_State *before = enter(co);
  int status = lua_resetthread(co);
  enter(before);
  return status;
}

static int coroutine_resume(lua_State *L) {
  lua_State *co = check_coroutine(L, 1);
  int results = resume(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  if (results < 0) results = 1;
  lua_insert(L, -(results + 1));
  return results + 1;
}

static int resume_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = resume(L, co, lua_gettop(L));
  if (results >= 0) return results;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* the error was in the coroutine */
    status = close_coroutine(co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, resume_wrapped, 1);
  return 1;
}

static int coroutine_close(lua_State *L) {
  lua_State *co = check_coroutine(L, 1);
  lua_Debug frame;
  int suspended = lua_status(co) == LUA_YIELD;
  int dead = !suspended && (lua_status(co) != LUA_OK || !lua_getstack(co, 0, &frame));
  if (co == L || !(suspended || dead))
    return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
  unsigned raised = nas_interrupt_raised();
  if (close_coroutine(co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  if (nas_interrupt_raised() != raised) lua_error(L);
  return 2;
}

/* -- protected calls: as in Lua's own library, but an interrupt passes ------------------------ */

/* The context of a protected call: how many values lie below the results (0 or 2), and how often an
 * interrupt had been raised before it. */
static lua_KContext call_context(int below) {
  return (lua_KContext)nas_interrupt_raised() * 4 + below;
}

static int finish_call(lua_State *L, int status, lua_KContext context) {
  int failed = status != LUA_OK && status != LUA_YIELD;
  if ((lua_KContext)nas_interrupt_raised() !=
      context / 4) /* a handler may have changed the error */
    return failed && lua_isstring(L, -1) ? lua_error(L) : nas_interrupt_raise(L);
  if (!failed) return lua_gettop(L) - (int)(context % 4);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int base_pcall(lua_State *L) {
  lua_KContext context = call_context(0);
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1); /* the first result */
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, context, finish_call);
  return finish_call(L, status, context);
}

static int base_xpcall(lua_State *L) {
  lua_KContext context = call_context(2);
  int count = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushboolean(L, 1); /* the first result */
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* both go below the arguments */
  int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, context, finish_call);
  return finish_call(L, status, context);
}

/* -- begin and end ---------------------------------------------------------------------------- */

static const luaL_Reg coroutine_functions[] = {
    {"resume", coroutine_resume},
    {"wrap", coroutine_wrap},
    {"close", coroutine_close},
    {NULL, NULL},
};

static const luaL_Reg base_functions[] = {
    {"pcall", base_pcall},
    {"xpcall", base_xpcall},
    {NULL, NULL},
};

void nas_running_begin(lua_State *L) {
  struct sigaction before, action = {.sa_handler = on_interrupt};
  lua_pushglobaltable(L);
  luaL_setfuncs(L, base_functions, 0);
  lua_getfield(L, -1, "coroutine");
  luaL_setfuncs(L, coroutine_functions, 0);
  lua_pop(L, 2);
  main_thread = pthread_self();
  running = L;
  sigemptyset(&action.sa_mask);
  /* Without SA_RESTART, so that reading from a terminal ends. */
  if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGINT, &action, NULL);
}

void nas_running_pause(void) {
  running = NULL;
  has_prompt = 1;
}

void nas_running_resume(lua_State *L) {
  enter(L);
}

void nas_running_end(void) {
  struct sigaction action;
  running = NULL;
  if (sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == on_interrupt)
    signal(SIGINT, SIG_DFL);
}
