/* A program at a terminal, for tests: the module pty. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <nas/api.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

NAS_API int luaopen_pty(lua_State *L);

static const char TYPE[] = "pty";

typedef struct terminal {
  int fd;      /* -1: closed */
  pid_t child; /* 0: ended and waited for */
} terminal;

static terminal *check(lua_State *L) {
  return luaL_checkudata(L, 1, TYPE);
}

/* rows, columns, and of pixels unless zero: width, height */
static void set_size(lua_State *L, int fd, const lua_Integer given[4]) {
  struct winsize size = {.ws_row = (unsigned short)given[0],
                         .ws_col = (unsigned short)given[1],
                         .ws_xpixel = (unsigned short)given[2],
                         .ws_ypixel = (unsigned short)given[3]};
  if (ioctl(fd, TIOCSWINSZ, &size)) luaL_error(L, "TIOCSWINSZ: %s", strerror(errno));
}

/* Never returns. */
static void execute(char **argv, const char *path) {
  setsid();
  int fd = open(path, O_RDWR); /* becomes the controlling terminal */
  for (int i = 0; i < 3; i++) dup2(fd, i);
  if (fd > 2) close(fd);
  signal(SIGINT, SIG_DFL);
  execvp(argv[0], argv);
  _exit(127);
}

/* pty.start(rows, columns, program, argument, ...) */
static int start(lua_State *L) {
  char path[128];
  int count = lua_gettop(L) - 2;
  luaL_argcheck(L, count >= 1, 3, "expected a program");
  char **argv = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *argv, 0);
  for (int i = 0; i < count; i++) argv[i] = (char *)luaL_checkstring(L, i + 3);
  argv[count] = NULL;
  terminal *t = lua_newuserdatauv(L, sizeof *t, 0);
  *t = (terminal){.fd = -1};
  luaL_setmetatable(L, TYPE);
  t->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (t->fd < 0 || grantpt(t->fd) || unlockpt(t->fd) || ptsname_r(t->fd, path, sizeof path))
    return luaL_error(L, "no terminal: %s", strerror(errno));
  set_size(L, t->fd, (lua_Integer[]){luaL_checkinteger(L, 1), luaL_checkinteger(L, 2), 0, 0});
  t->child = fork();
  if (t->child < 0) return luaL_error(L, "fork: %s", strerror(errno));
  if (t->child == 0) execute(argv, path);
  return 1;
}

/* terminal:send(text) */
static int send_text(lua_State *L) {
  terminal *t = check(L);
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  while (size > 0) {
    ssize_t written = write(t->fd, text, size);
    if (written < 0) return luaL_error(L, "write: %s", strerror(errno));
    text += written;
    size -= (size_t)written;
  }
  return 0;
}

/* terminal:read(seconds): what comes, "" if nothing does in that time, nil at the end */
static int read_text(lua_State *L) {
  char text[4096];
  terminal *t = check(L);
  struct pollfd waited = {t->fd, POLLIN, 0};
  if (poll(&waited, 1, (int)(1e3 * luaL_checknumber(L, 2))) <= 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  ssize_t size = read(t->fd, text, sizeof text);
  if (size > 0)
    lua_pushlstring(L, text, (size_t)size);
  else
    luaL_pushfail(L);
  return 1;
}

/* terminal:resize(rows, columns, width = 0, height = 0) */
static int resize(lua_State *L) {
  set_size(L, check(L)->fd,
           (lua_Integer[]){luaL_checkinteger(L, 2), luaL_checkinteger(L, 3),
                           luaL_optinteger(L, 4, 0), luaL_optinteger(L, 5, 0)});
  return 0;
}

/* terminal:signal(number) */
static int send_signal(lua_State *L) {
  terminal *t = check(L);
  if (t->child > 0) kill(t->child, (int)luaL_checkinteger(L, 2));
  return 0;
}

/* terminal:wait(seconds): the exit status, or minus the signal that ended it; nil if it still runs
 */
static int wait_end(lua_State *L) {
  terminal *t = check(L);
  int status;
  for (double left = luaL_checknumber(L, 2); left > 0; left -= 0.01) {
    if (waitpid(t->child, &status, WNOHANG) == t->child) {
      t->child = 0;
      lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
      return 1;
    }
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  luaL_pushfail(L);
  return 1;
}

static int finish(lua_State *L) {
  terminal *t = check(L);
  if (t->child > 0) {
    kill(t->child, SIGKILL);
    waitpid(t->child, NULL, 0);
  }
  if (t->fd >= 0) close(t->fd);
  *t = (terminal){.fd = -1};
  return 0;
}

static const luaL_Reg methods[] = {
    {"send", send_text},     {"read", read_text}, {"resize", resize},
    {"signal", send_signal}, {"wait", wait_end},  {"close", finish},
    {"__gc", finish},        {"__close", finish}, {NULL, NULL},
};

int luaopen_pty(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, ((const luaL_Reg[]){{"start", start}, {NULL, NULL}}));
  return 1;
}
