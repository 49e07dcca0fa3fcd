/* luanas.Process: another program that was started. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "box.h"
#include "check.h"
#include "interrupt.h"
#include "types.h"

static const char TYPE[] = "luanas.Process";

enum { PATIENCE_MILLISECONDS = 3000, LOOK_MILLISECONDS = 10 };

extern char **environ;

typedef struct process_box {
  void *handle; /* NULL: ended and looked after */
  pid_t pid;
  pid_t parent; /* who started it, and alone may wait for it */
  int detached; /* 1: it goes on when this object is closed */
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

/* -- what goes on when its object is closed ---------------------------------------------------- */

/* Nobody else would wait for these when they end. A process that was forked from this one is not
 * their parent, and drops them. */
static struct {
  pid_t *pids;
  size_t count;
} left;

static void wait_for_left(void) {
  size_t running = 0;
  for (size_t i = 0; i < left.count; i++) {
    pid_t ended = waitpid(left.pids[i], NULL, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) left.pids[running++] = left.pids[i];
  }
  left.count = running;
}

/* Without memory it stays in the system's list until this process ends. */
static void leave(process_box *box) {
  pid_t *pids = realloc(left.pids, (left.count + 1) * sizeof *pids);
  box->handle = NULL;
  if (!pids) return;
  left.pids = pids;
  left.pids[left.count++] = box->pid;
}

/* -- starting --------------------------------------------------------------------------------- */

/* A session of its own, without a terminal, and signals as a process has them that nobody set up.
 */
static int set_detached(posix_spawnattr_t *attributes) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  int code = posix_spawnattr_setsigdefault(attributes, &all);
  if (code == 0) code = posix_spawnattr_setsigmask(attributes, &none);
  if (code == 0)
    code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSIGMASK);
  return code;
}

/* Files and pipes that Lua has open, and what this process inherited, are no matter of it: a pipe
 * would stay open until it ends. A libc without this (musl) leaves them to it. */
static int close_others(posix_spawn_file_actions_t *actions) {
#ifdef NAS_HAVE_CLOSEFROM
  return posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#else
  (void)actions;
  return 0;
#endif
}

/* What it reads and, with a log, where it writes. */
static int set_files(posix_spawn_file_actions_t *actions, const char *log) {
  int code = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (log && code == 0) {
    code = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, log,
                                            O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (code == 0) code = posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO);
  }
  return code ? code : close_others(actions);
}

/* Starts a program; log NULL: as a part of this process's work, else detached. An errno. */
static int start(pid_t *pid, char **argv, const char *log) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code) return code;
  code = posix_spawnattr_init(&attributes);
  if (code == 0) {
    if (log) code = set_detached(&attributes);
    if (code == 0) code = set_files(&actions, log);
    if (code == 0) code = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

/* Starts the program at argument `first` with those that follow. */
static int spawn(lua_State *L, int first, const char *log) {
  int count = lua_gettop(L) - first + 1;
  nas_check_name(L, first, "program");
  lua_newtable(L);
  char **argv = nas_box_scratch(L, lua_gettop(L), (size_t)count + 1, sizeof *argv);
  for (int i = 0; i < count; i++) argv[i] = (char *)nas_check_name(L, first + i, "argument");
  argv[count] = NULL;
  process_box *box = nas_box_new(L, TYPE, sizeof *box, 0);
  wait_for_left();
  int code = start(&box->pid, argv, log);
  if (code == 0) {
    box->parent = getpid();
    box->detached = log != NULL;
    box->handle = box;
    return 1;
  }
  luaL_pushfail(L);
  lua_pushfstring(L, "cannot start \"%s\": %s", argv[0], strerror(code));
  return 2;
}

/* core.spawn(program, argument, ...): a process with nothing to read; or nil and why not. It gets
 * signals of the terminal as this one does. */
static int core_spawn(lua_State *L) {
  return spawn(L, 1, NULL);
}

/* core.detach(log, program, argument, ...): a process in a session of its own, which survives this
 * one and its terminal; what it prints is appended to a file. */
static int core_detach(lua_State *L) {
  return spawn(L, 2, nas_check_name(L, 1, "log"));
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

/* -- methods ---------------------------------------------------------------------------------- */

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

/* Asks it to end, also where it was stopped, and waits for that; at Ctrl-C, and when it takes too
 * long, it is ended by force. */
static void end(process_box *box) {
  kill(box->pid, SIGTERM);
  kill(box->pid, SIGCONT);
  for (int waited = 0; is_running(box); waited += LOOK_MILLISECONDS) {
    if (waited >= PATIENCE_MILLISECONDS || nas_interrupt_due()) kill(box->pid, SIGKILL);
    poll(NULL, 0, LOOK_MILLISECONDS);
  }
}

static int process_close(lua_State *L) {
  process_box *box = nas_box_peek(L, 1, TYPE);
  wait_for_left();
  if (is_inherited(box) || !is_running(box)) return 0;
  if (box->detached)
    leave(box);
  else
    end(box);
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
  lua_pushcfunction(L, core_detach);
  lua_setfield(L, -2, "detach");
  lua_pushcfunction(L, core_program);
  lua_setfield(L, -2, "program");
}
