#include "lines.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include "box.h"
#include "interrupt.h"

static const char TYPE[] = "luanas.Lines";

typedef struct lines_box {
  char *line; /* NULL: nothing was read yet */
  size_t capacity;
} lines_box;

/* Shows the prompt, and waits until the terminal has a line or Ctrl-C comes. One that came just
 * before a read would not end that. */
static void await_line(const char *prompt) {
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  fputs(prompt, stdout);
  fflush(stdout);
  if (!nas_interrupt_pending()) ppoll(&input, 1, NULL, &before);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* lines:read(prompt) */
static int lines_read(lua_State *L) {
  lines_box *box = nas_box_peek(L, 1, TYPE);
  const char *prompt = luaL_checkstring(L, 2);
  ssize_t size = -1;
  nas_interrupt_clear();
  if (*prompt) await_line(prompt);
  if (!nas_interrupt_pending()) size = getline(&box->line, &box->capacity, stdin);
  int code = errno;
  if (size > 0 && !nas_interrupt_pending()) {
    if (box->line[size - 1] == '\n') size--;
    lua_pushlstring(L, box->line, (size_t)size);
    return 1;
  }
  if (nas_interrupt_pending() && *prompt) putchar('\n');
  luaL_pushfail(L);
  if (size < 0 && !feof(stdin) && !nas_interrupt_pending()) {
    lua_pushliteral(L, "failed");
    lua_pushstring(L, strerror(code));
    return 3;
  }
  lua_pushstring(L, nas_interrupt_pending() ? "cancelled" : "end");
  clearerr(stdin); /* a read that was interrupted, or Ctrl-D */
  nas_interrupt_clear();
  return 2;
}

static int lines_close(lua_State *L) {
  lines_box *box = nas_box_peek(L, 1, TYPE);
  free(box->line);
  box->line = NULL;
  box->capacity = 0;
  return 0;
}

static int lines_new(lua_State *L) {
  nas_box_new(L, TYPE, sizeof(lines_box), 0);
  return 1;
}

static const luaL_Reg methods[] = {
    {"read", lines_read},
    {NULL, NULL},
};

void nas_push_lines(lua_State *L) {
  nas_box_type(L, TYPE, methods, NULL, lines_close);
  lua_pushcfunction(L, lines_new);
}
