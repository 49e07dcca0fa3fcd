/* core.parallel: calls of a Lua function, shared out among forked copies of this process.
 *
 * Workers take the next index from a counter in shared memory, so that indices are given out in
 * increasing order: when work(i) fails, all below i were given out before. Those are waited for,
 * and no others: the failure that is raised in the end is that of the smallest index, as if the
 * calls had been made one after the other. Each worker writes what its calls give into a pipe of
 * its own.
 *
 * What a worker inherits and must not touch guards itself: stores (nas_store_check_process), pools
 * of threads (nas_pool_check_process), processes (luanas.Process). */
#include <errno.h>
#include <fcntl.h>
#include <nas/memory.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "box.h"
#include "check.h"
#include "interrupt.h"
#include "types.h"

static const char TYPE[] = "luanas.Parallel";

enum { WORKERS_MAX = 256, COUNT_MAX = 1 << 30, LOOK_MILLISECONDS = 50 };

/* Places on the stack of core.parallel */
enum { COUNT = 1, WORKERS, WORK, PROGRESS, RESULTS, FAILURE, BOX };

/* What a worker does: an index, or one of these. */
enum { FINISHED = -1, BETWEEN = 0 };

typedef struct shared {
  atomic_long next;  /* index that was not given out yet */
  atomic_long limit; /* above it nothing is begun */
  atomic_long doing[WORKERS_MAX];
} shared;

/* Goes before the bytes of a result, or of a message. */
typedef struct head {
  lua_Integer index;
  size_t size;
  int failed;
} head;

typedef struct worker {
  pid_t pid; /* 0: none, and no descriptor */
  int fd;
  int killed; /* because nothing that it can give is wanted */
  head head;  /* of what comes now */
  char *body;
  size_t got; /* so many bytes of both */
} worker;

typedef struct parallel {
  shared *shared; /* NULL: closed */
  pid_t owner;    /* whose workers these are; a process forked from it leaves them alone */
  lua_Integer done;
  lua_Integer failed; /* the smallest index that failed, whose message is at FAILURE; -1: none */
  nas_interrupt_hooks hooks; /* before anything was waited for */
  int count;
  worker workers[];
} parallel;

/* This process is a worker: it makes all calls itself. */
static int is_worker;

/* -- ending ----------------------------------------------------------------------------------- */

static int wait_for(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

static void forget(worker *w) {
  if (w->pid) close(w->fd);
  nas_free(w->body);
  *w = (worker){0};
}

static void end_all(parallel *p) {
  for (int i = 0; i < p->count; i++)
    if (p->workers[i].pid) kill(p->workers[i].pid, SIGKILL);
  for (int i = 0; i < p->count; i++) {
    if (p->workers[i].pid) wait_for(p->workers[i].pid);
    forget(&p->workers[i]);
  }
  if (p->shared) munmap(p->shared, sizeof *p->shared);
  p->shared = NULL;
}

static int parallel_close(lua_State *L) {
  parallel *p = nas_box_peek(L, 1, TYPE);
  if (p->owner == getpid()) end_all(p);
  return 0;
}

/* -- one call --------------------------------------------------------------------------------- */

static int call_and_check(lua_State *L) {
  lua_Integer i = lua_tointeger(L, 2);
  lua_call(L, 1, 1);
  if (lua_type(L, -1) != LUA_TSTRING)
    return luaL_error(L, "work(%I) returned %s; expected a string", i, nas_check_shown(L, -1));
  return 1;
}

static int message_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Calls work(i) and leaves its string on the stack; or a message, and returns 1. */
static int call(lua_State *L, lua_Integer i) {
  lua_pushcfunction(L, message_of);
  lua_pushcfunction(L, call_and_check);
  lua_pushvalue(L, WORK);
  lua_pushinteger(L, i);
  int failed = lua_pcall(L, 2, 1, -4) != LUA_OK;
  lua_remove(L, -2);
  return failed;
}

/* -- the worker ------------------------------------------------------------------------------- */

static int send_all(int fd, const void *bytes, size_t size) {
  for (const char *at = bytes; size > 0;) {
    ssize_t sent = write(fd, at, size);
    if (sent < 0 && errno != EINTR) return -1;
    if (sent > 0) at += sent, size -= (size_t)sent;
  }
  return 0;
}

static int send_call(lua_State *L, lua_Integer i, int fd) {
  static const char unknown[] = "(error object is not a string)";
  head h = {.index = i, .failed = call(L, i)};
  const char *bytes = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &h.size) : NULL;
  if (!bytes) bytes = unknown, h.size = sizeof unknown - 1;
  fflush(NULL); /* what the call printed comes before its result */
  if (send_all(fd, &h, sizeof h) || send_all(fd, bytes, h.size)) return -1;
  lua_pop(L, 1);
  return h.failed;
}

/* Ends by _exit: nothing of the parent's is closed or written here. */
static _Noreturn void work(lua_State *L, parallel *p, int number, int fd) {
  shared *s = p->shared;
  for (int i = 0; i < p->count; i++) forget(&p->workers[i]);
  is_worker = 1;
  for (;;) {
    long i = atomic_fetch_add(&s->next, 1);
    atomic_store(&s->doing[number], i);
    if (i > atomic_load(&s->limit)) break;
    if (send_call(L, i, fd)) break;
    atomic_store(&s->doing[number], BETWEEN);
  }
  atomic_store(&s->doing[number], FINISHED);
  _exit(0);
}

/* The kernel ends workers with this process. Their Ctrl-C is this process's matter. */
static void start(lua_State *L, parallel *p, int number) {
  int ends[2];
  sigset_t all, before;
  worker *w = &p->workers[number];
  if (pipe2(ends, O_CLOEXEC))
    luaL_error(L, "worker %d of %d could not be started: %s", number + 1, p->count,
               strerror(errno));
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* it had ended before */
    signal(SIGINT, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    work(L, p, number, ends[1]);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    luaL_error(L, "worker %d of %d could not be started: %s", number + 1, p->count, strerror(code));
  }
  w->pid = pid;
  w->fd = ends[0];
}

/* -- the parent ------------------------------------------------------------------------------- */

/* The message on top of the stack, which is popped, is why `index` failed (0: all of it). Nothing
 * above it is wanted any more. */
static void note_failure(lua_State *L, parallel *p, lua_Integer index) {
  if (p->failed >= 0 && p->failed <= index) {
    lua_pop(L, 1);
    return;
  }
  lua_replace(L, FAILURE);
  p->failed = index;
  atomic_store(&p->shared->limit, (long)index);
}

/* A worker that only has what is not wanted ends. One that takes such an index now is found later,
 * or ends by itself. */
static void kill_needless(parallel *p) {
  for (int i = 0; i < p->count && p->failed >= 0; i++) {
    worker *w = &p->workers[i];
    if (!w->pid || w->killed || atomic_load(&p->shared->doing[i]) <= p->failed) continue;
    kill(w->pid, SIGKILL);
    w->killed = 1;
  }
}

static void note_end(lua_State *L, parallel *p, int number) {
  worker *w = &p->workers[number];
  int pid = (int)w->pid, killed = w->killed, status = wait_for(w->pid);
  long doing = atomic_load(&p->shared->doing[number]);
  forget(w);
  if (killed || doing == FINISHED) return;
  if (status == -1)
    lua_pushfstring(L, "worker process %d ended", pid);
  else if (WIFSIGNALED(status))
    lua_pushfstring(L, "worker process %d ended by signal %d", pid, WTERMSIG(status));
  else
    lua_pushfstring(L, "worker process %d ended with exit status %d", pid, WEXITSTATUS(status));
  if (doing > 0) {
    lua_pushfstring(L, " while it worked on %I", (lua_Integer)doing);
    lua_concat(L, 2);
  }
  note_failure(L, p, doing);
}

/* A result, or a message, is complete. */
static void take(lua_State *L, parallel *p, worker *w) {
  lua_pushlstring(L, w->body ? w->body : "", w->head.size);
  nas_free(w->body);
  w->body = NULL;
  w->got = 0;
  if (w->head.failed) {
    note_failure(L, p, w->head.index);
    return;
  }
  lua_rawseti(L, RESULTS, w->head.index);
  p->done++;
  if (p->failed >= 0 || lua_isnil(L, PROGRESS)) return;
  lua_pushvalue(L, PROGRESS);
  lua_pushinteger(L, p->done);
  lua_call(L, 1, 0);
  p->hooks = nas_interrupt_note(L); /* it may have set one */
}

/* Reads what there is, but not beyond the end of a result. Returns 0 when the worker ended. */
static int receive(lua_State *L, parallel *p, worker *w) {
  char *to = (char *)&w->head + w->got;
  size_t left = sizeof w->head - w->got;
  if (w->got >= sizeof w->head) {
    to = w->body + (w->got - sizeof w->head);
    left = w->head.size - (w->got - sizeof w->head);
  }
  ssize_t count = read(w->fd, to, left);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return 1;
  if (count <= 0) return 0;
  w->got += (size_t)count;
  if (w->got == sizeof w->head && w->head.size > 0) {
    w->body = nas_alloc(1, w->head.size);
    if (!w->body) luaL_error(L, "not enough memory");
  }
  if (w->got >= sizeof w->head && w->got - sizeof w->head == w->head.size) take(L, p, w);
  return 1;
}

static int count_running(const parallel *p) {
  int running = 0;
  for (int i = 0; i < p->count; i++) running += p->workers[i].pid != 0;
  return running;
}

/* Until all workers ended; returns 1 at Ctrl-C. */
static int collect(lua_State *L, parallel *p) {
  p->hooks = nas_interrupt_note(L);
  while (count_running(p) > 0) {
    struct pollfd polled[WORKERS_MAX];
    for (int i = 0; i < p->count; i++)
      polled[i] =
          (struct pollfd){.fd = p->workers[i].pid ? p->workers[i].fd : -1, .events = POLLIN};
    int ready = poll(polled, (nfds_t)p->count, LOOK_MILLISECONDS);
    if (nas_interrupt_poll(&p->hooks)) return 1;
    for (int i = 0; i < p->count && ready > 0; i++) {
      if (polled[i].revents == 0) continue;
      if (!receive(L, p, &p->workers[i])) note_end(L, p, i);
    }
    kill_needless(p);
  }
  return 0;
}

/* -- all calls -------------------------------------------------------------------------------- */

static void call_here(lua_State *L, lua_Integer count) {
  for (lua_Integer i = 1; i <= count; i++) {
    if (call(L, i)) lua_error(L);
    lua_rawseti(L, RESULTS, i);
    if (lua_isnil(L, PROGRESS)) continue;
    lua_pushvalue(L, PROGRESS);
    lua_pushinteger(L, i);
    lua_call(L, 1, 0);
  }
}

static int do_nothing(lua_State *L) {
  (void)L;
  return 0;
}

/* A hook that ended the calls raises itself, unless it is the main thread's and L a coroutine. */
static void raise_interrupt(lua_State *L) {
  if (nas_interrupt_due()) nas_interrupt_raise(L);
  lua_pushcfunction(L, do_nothing);
  lua_call(L, 0, 0);
  luaL_error(L, "interrupted!");
}

static void call_in_workers(lua_State *L, lua_Integer count, int workers) {
  parallel *p =
      nas_box_new(L, TYPE, sizeof *p + (size_t)workers * sizeof *p->workers, 0); /* at BOX */
  lua_toclose(L, BOX);
  p->owner = getpid();
  p->count = workers;
  p->failed = -1;
  void *page =
      mmap(NULL, sizeof *p->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) luaL_error(L, "not enough memory");
  p->shared = page;
  atomic_store(&p->shared->next, 1);
  atomic_store(&p->shared->limit, (long)count);
  fflush(NULL); /* else workers would write it, too */
  for (int i = 0; i < workers; i++) start(L, p, i);
  int interrupted = collect(L, p);
  end_all(p); /* now: a hook would raise before __close does it */
  if (interrupted) raise_interrupt(L);
  if (p->failed >= 0) {
    lua_pushvalue(L, FAILURE);
    lua_error(L);
  }
}

static void check_function(lua_State *L, int arg, const char *what) {
  if (lua_isfunction(L, arg)) return;
  nas_check_failed(L, arg, "%s is %s; expected a function", what, nas_check_shown(L, arg));
}

/* core.parallel(count, workers, work, progress): { work(1), ..., work(count) } */
static int core_parallel(lua_State *L) {
  lua_Integer count = nas_check_integer(L, COUNT, "count", 0, COUNT_MAX);
  lua_Integer workers = nas_check_integer(L, WORKERS, "workers", 1, WORKERS_MAX);
  lua_settop(L, PROGRESS);
  check_function(L, WORK, "work");
  if (!lua_isnil(L, PROGRESS)) check_function(L, PROGRESS, "progress");
  lua_newtable(L); /* RESULTS */
  lua_pushnil(L);  /* FAILURE */
  if (workers > count) workers = count;
  if (workers > 1 && !is_worker)
    call_in_workers(L, count, (int)workers);
  else
    call_here(L, count);
  lua_pushvalue(L, RESULTS);
  return 1;
}

void nas_open_parallel(lua_State *L) {
  nas_box_type(L, TYPE, (const luaL_Reg[]){{NULL, NULL}}, NULL, parallel_close);
  lua_pushcfunction(L, core_parallel);
  lua_setfield(L, -2, "parallel");
}
