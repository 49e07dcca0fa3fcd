/* Which process holds a file: core.hold, core.holder, core.interrupt_holder.
 *
 * A process holds a file by a record lock. The system knows whose that is, ends it with the process
 * however that ends, and gives it to no process that is forked or started from it. But it ends with
 * any descriptor of the file that the process closes: nothing here opens the file again, and what a
 * script does is made up for by the next line, which takes it again. Not a lock of the open file
 * (F_OFD_SETLK): of that the system names no owner, and a number that the file itself told would be
 * that of an earlier holder, or of another container. A process holds one file at most, until its
 * end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"
#include "types.h"

enum { LINE_MAX_BYTES = 1 << 16 };

static struct {
  int fd;
  dev_t device;
  ino_t inode;
  pid_t process; /* 0: none yet; another one: this process was forked from it */
} held;

static int is_holder(void) {
  return held.process == getpid();
}

static int holds(const char *path) {
  struct stat info;
  return is_holder() && stat(path, &info) == 0 && info.st_dev == held.device &&
         info.st_ino == held.inode;
}

/* nil and a message, by errno. */
static int fail(lua_State *L, const char *what, const char *path) {
  int code = errno;
  luaL_pushfail(L);
  lua_pushfstring(L, "cannot %s \"%s\": %s", what, path, strerror(code));
  return 2;
}

static void close_quietly(int fd) {
  int code = errno;
  close(fd);
  errno = code;
}

/* -- holding ---------------------------------------------------------------------------------- */

static struct flock whole_file(void) {
  return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* Who holds an open file that is not this process's; 0: nobody, -1: errno. */
static pid_t holder_of(int fd) {
  struct flock lock = whole_file();
  if (fcntl(fd, F_GETLK, &lock) != 0) return -1;
  if (lock.l_type == F_UNLCK) return 0;
  errno = ESRCH; /* of another container: its number is not known here */
  return lock.l_pid > 0 ? lock.l_pid : -1;
}

/* Takes an open file. 1: taken; 0: another process has it; -1: errno. */
static int take(int fd) {
  struct stat info;
  struct flock lock = whole_file();
  if (fstat(fd, &info) != 0) return -1;
  if (fcntl(fd, F_SETLK, &lock) != 0) return errno == EACCES || errno == EAGAIN ? 0 : -1;
  held.fd = fd;
  held.device = info.st_dev;
  held.inode = info.st_ino;
  held.process = getpid();
  return 1;
}

/* nil and a message: `process` has the file; -1: errno. */
static int refuse(lua_State *L, pid_t process, const char *path) {
  if (process < 0 && errno != ESRCH) return fail(L, "lock", path);
  luaL_pushfail(L);
  if (process < 0)
    lua_pushfstring(L, "a process of another container holds \"%s\"", path);
  else
    lua_pushfstring(L, "process %d holds \"%s\"", (int)process, path);
  return 2;
}

/* 0, or how many values say why not. */
static int begin(lua_State *L, const char *path) {
  int taken;
  pid_t process = 0;
  do { /* it may be free again when its holder is asked for */
    const int again = is_holder();
    int fd = again ? held.fd : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return fail(L, "open", path);
    taken = take(fd);
    if (taken == 0) process = holder_of(fd);
    if (taken == 0 && again) held.process = 0; /* lost to another process */
    if (taken == 0 || (taken < 0 && !again)) close_quietly(fd);
  } while (taken == 0 && process == 0);
  if (taken < 0) return fail(L, "lock", path);
  return taken ? 0 : refuse(L, process, path);
}

/* 0; -1: errno. In one piece, so that nobody reads a half. */
static int write_line(const char *line, size_t size) {
  ssize_t written;
  do {
    written = pwrite(held.fd, line, size, 0);
  } while (written < 0 && errno == EINTR);
  if (written == (ssize_t)size) return 0;
  if (written >= 0) errno = ENOSPC;
  return -1;
}

/* core.hold(path, line): takes a file, which is made, for this process and writes a line into it;
 * called again, another line. true; or nil and why not. */
static int core_hold(lua_State *L) {
  size_t size;
  const char *path = nas_check_name(L, 1, "path"), *line = luaL_checklstring(L, 2, &size);
  luaL_argcheck(L, !memchr(line, '\n', size) && size < LINE_MAX_BYTES, 2,
                "expected one line of less than 65536 bytes");
  if (is_holder() && !holds(path)) { /* or its file was removed */
    luaL_pushfail(L);
    lua_pushfstring(L, "this process holds another file than \"%s\"", path);
    return 2;
  }
  lua_settop(L, 2);
  lua_pushliteral(L, "\n"); /* what was longer before stays behind it */
  lua_concat(L, 2);
  int results = begin(L, path);
  if (results) return results;
  if (write_line(lua_tostring(L, 2), size + 1) != 0) return fail(L, "write", path);
  lua_pushboolean(L, 1);
  return 1;
}

/* -- asking ----------------------------------------------------------------------------------- */

/* core.holder(path): the number of the process that holds it, or false; and the last line that one
 * wrote, "" without any, nothing without a file. nil and a message where it can't be read. */
static int core_holder(lua_State *L) {
  const char *path = nas_check_name(L, 1, "path");
  char *line = lua_newuserdatauv(L, LINE_MAX_BYTES, 0); /* while there is no descriptor to lose */
  const int own = holds(path);
  int fd = own ? held.fd : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    lua_pushboolean(L, 0);
    return 1;
  }
  if (fd < 0) return fail(L, "open", path);
  pid_t process = own ? getpid() : holder_of(fd);
  ssize_t size = process < 0 ? -1 : pread(fd, line, LINE_MAX_BYTES, 0);
  if (!own) close_quietly(fd);
  if (size < 0) return fail(L, "read", path);
  if (process)
    lua_pushinteger(L, process);
  else
    lua_pushboolean(L, 0);
  const char *end = memchr(line, '\n', (size_t)size);
  lua_pushlstring(L, line, end ? (size_t)(end - line) : 0);
  return 2;
}

/* Sends signals to the holder of an open file, and to nobody who has got its number since: a
 * descriptor of the process stays that process's. 1: sent; 0: nobody holds it; -1: errno. */
static int signal_holder(int fd) {
  pid_t process = holder_of(fd);
  if (process <= 0) return (int)process;
  int handle = (int)syscall(SYS_pidfd_open, process, 0);
  if (handle < 0) return errno == ESRCH ? 0 : -1;
  int sent = holder_of(fd) == process;
  if (sent && syscall(SYS_pidfd_send_signal, handle, SIGINT, NULL, 0) != 0)
    sent = errno == ESRCH ? 0 : -1;
  if (sent == 1) syscall(SYS_pidfd_send_signal, handle, SIGCONT, NULL, 0); /* it may be stopped */
  close_quietly(handle);
  return sent;
}

/* core.interrupt_holder(path): what Ctrl-C does, to the process that holds it. Whether there is
 * one; or nil and a message. */
static int core_interrupt_holder(lua_State *L) {
  const char *path = nas_check_name(L, 1, "path");
  if (holds(path)) {
    lua_pushboolean(L, raise(SIGINT) == 0);
    return 1;
  }
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(L, "open", path);
  int sent = signal_holder(fd);
  close_quietly(fd);
  if (sent < 0) return fail(L, "interrupt the process that holds", path);
  lua_pushboolean(L, sent);
  return 1;
}

void nas_open_holder(lua_State *L) {
  lua_pushcfunction(L, core_hold);
  lua_setfield(L, -2, "hold");
  lua_pushcfunction(L, core_holder);
  lua_setfield(L, -2, "holder");
  lua_pushcfunction(L, core_interrupt_holder);
  lua_setfield(L, -2, "interrupt_holder");
}
