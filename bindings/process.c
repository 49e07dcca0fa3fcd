/* luanas.Process: another program that was started. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "box.h"
#include "check.h"
#include "types.h"

static const char TYPE[] = "luanas.Process";

extern char **environ;

typedef struct process_box {
  void *handle; /* NULL: ended and looked after */
  pid_t pid;
  pid_t parent; /* who started it, and alone may wait for it */
} process_box;

/* Whether this process was forked from the one that started it. */
static int is_inherited(const process_box *box) {
  return box->handle && box->parent != getpid();
}

/* Whether it still runs. */
static int is_running(process_box *box) {
  int status;
  if (!box->handle) return 0;
  pid_t ended = waitpid(box->pid, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return 1;
  box->handle = NULL;
  return 0;
}

/* core.spawn(program, argument, ...): a process with nothing to read; or nil and why not. It gets
 * signals of the terminal as this one does. */
static int core_spawn(lua_State *L) {
  int count = lua_gettop(L);
  nas_check_name(L, 1, "program");
  lua_newtable(L);
  char **argv = nas_box_scratch(L, count + 1, (size_t)count + 1, sizeof *argv);
  for (int i = 0; i < count; i++) argv[i] = (char *)nas_check_name(L, i + 1, "argument");
  argv[count] = NULL;
  process_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
  if (code == 0) code = posix_spawnp(&box->pid, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == 0) {
    box->parent = getpid();
    box->handle = box;
    return 1;
  }
  luaL_pushfail(L);
  lua_pushfstring(L, "cannot start \"%s\": %s", argv[0], strerror(code));
  return 2;
}

/* core.program(): the path of the program luanas, where this process is one; else its name. */
static int core_program(lua_State *L) {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  path[size > 0 ? size : 0] = '\0';
  const char *slash = strrchr(path, '/');
  lua_pushstring(L, slash && strcmp(slash + 1, "luanas") == 0 ? path : "luanas");
  return 1;
}

static int process_id(lua_State *L) {
  process_box *box = nas_box_peek(L, 1, TYPE);
  lua_pushinteger(L, box->pid);
  return 1;
}

static int process_running(lua_State *L) {
  process_box *box = nas_box_peek(L, 1, TYPE);
  if (is_inherited(box))
    return luaL_error(L,
                      "process %d was started by process %d and can't be waited for in a process "
                      "forked from it",
                      (int)box->pid, (int)box->parent);
  lua_pushboolean(L, is_running(box));
  return 1;
}

/* Asks it to end, also where it was stopped, and waits for that. */
static int process_close(lua_State *L) {
  process_box *box = nas_box_peek(L, 1, TYPE);
  if (is_inherited(box) || !is_running(box)) return 0;
  kill(box->pid, SIGTERM);
  kill(box->pid, SIGCONT);
  while (waitpid(box->pid, NULL, 0) < 0 && errno == EINTR) {
  }
  box->handle = NULL;
  return 0;
}

static int process_tostring(lua_State *L) {
  process_box *box = nas_box_peek(L, 1, TYPE);
  const char *state = is_inherited(box) ? "of another process"
                      : is_running(box) ? "running"
                                        : "ended";
  lua_pushfstring(L, "%s: %s", TYPE, state);
  return 1;
}

static const luaL_Reg methods[] = {
    {"id", process_id},
    {"running", process_running},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", process_tostring},
    {NULL, NULL},
};

void nas_open_process(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, process_close);
  lua_pushcfunction(L, core_spawn);
  lua_setfield(L, -2, "spawn");
  lua_pushcfunction(L, core_program);
  lua_setfield(L, -2, "program");
}
