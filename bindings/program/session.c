#include "session.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"
#include "file.h"
#include "interrupt.h"
#include "lines.h"
#include "running.h"
#ifdef NAS_HAVE_LIBEDIT
#include "editor.h"
#endif

/* call(handler, f, ...) */
static int session_call(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checkany(L, 2);
  nas_running_resume(L);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  nas_running_pause();
  lua_sethook(L, NULL, 0, 0);
  int came_too_late = status == LUA_OK && nas_interrupt_due();
  int interrupted = nas_interrupt_pending() && !came_too_late;
  nas_interrupt_clear();
  if (interrupted) return luaL_pushfail(L), 1;
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* -- files ------------------------------------------------------------------------------------ */

/* Makes the folders of a path, which it changes meanwhile. */
static int make_folders(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    int failed = mkdir(path, 0700) && errno != EEXIST;
    *slash = '/';
    if (failed) return -1;
  }
  return 0;
}

static int open_private(char *path) {
  static const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
  int fd = open(path, flags, 0600);
  if (fd < 0 && errno == ENOENT && make_folders(path) == 0) fd = open(path, flags, 0600);
  return fd;
}

/* append(path, text) */
static int session_append(lua_State *L) {
  size_t size;
  const char *given = nas_check_name(L, 1, "path"), *text = luaL_checklstring(L, 2, &size);
  char *path = lua_newuserdatauv(L, strlen(given) + 1, 0);
  strcpy(path, given);
  int fd = open_private(path);
  int failed = fd < 0 || nas_file_write(fd, text, size);
  int code = errno;
  if (fd >= 0) close(fd);
  errno = code;
  return luaL_fileresult(L, !failed, given);
}

static int is_folder(const char *folder, const struct dirent *entry) {
  char path[4096];
  struct stat info;
  if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) return entry->d_type == DT_DIR;
  int size = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
  return size > 0 && (size_t)size < sizeof path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A folder that is open; closed by the collector where an error jumps. */
typedef struct listing {
  DIR *folder;
} listing;

static int listing_close(lua_State *L) {
  listing *open = lua_touserdata(L, 1);
  if (open->folder) closedir(open->folder);
  open->folder = NULL;
  return 0;
}

/* names(folder) */
static int session_names(lua_State *L) {
  const char *path = nas_check_name(L, 1, "folder");
  const struct dirent *entry;
  lua_newtable(L);
  listing *open = lua_newuserdatauv(L, sizeof *open, 0);
  open->folder = NULL;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, listing_close);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  open->folder = opendir(path);
  for (lua_Integer i = 1; open->folder && (entry = readdir(open->folder)) != NULL; i++) {
    lua_pushfstring(L, "%s%s", entry->d_name, is_folder(path, entry) ? "/" : "");
    lua_rawseti(L, 2, i);
  }
  if (open->folder) closedir(open->folder);
  open->folder = NULL;
  lua_settop(L, 2);
  return 1;
}

/* -- the session ------------------------------------------------------------------------------ */

static const luaL_Reg functions[] = {
    {"call", session_call},
    {"append", session_append},
    {"names", session_names},
    {NULL, NULL},
};

/* Pushes the function that makes an editor; nil where there is no libedit, or no terminal that can
 * move its cursor. */
static void push_editor(lua_State *L, int is_terminal) {
#ifdef NAS_HAVE_LIBEDIT
  const char *kind = getenv("TERM");
  if (is_terminal && kind && *kind && strcmp(kind, "dumb") != 0) {
    nas_push_editor(L);
    return;
  }
#endif
  (void)is_terminal;
  lua_pushnil(L);
}

int nas_session(lua_State *L) {
  int *exit_status = lua_touserdata(L, 1);
  int is_prompted = isatty(STDIN_FILENO), is_terminal = is_prompted && isatty(STDOUT_FILENO);
  nas_running_pause();
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luanas.repl");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "run");
  luaL_newlib(L, functions);
  lua_pushboolean(L, is_prompted);
  lua_setfield(L, -2, "is_prompted");
  lua_pushboolean(L, is_terminal);
  lua_setfield(L, -2, "is_terminal");
  nas_push_lines(L);
  lua_setfield(L, -2, "lines");
  push_editor(L, is_terminal);
  lua_setfield(L, -2, "editor");
  lua_call(L, 1, 1);
  *exit_status = (int)lua_tointeger(L, -1);
  return 0;
}
