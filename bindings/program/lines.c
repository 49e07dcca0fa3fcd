#include "lines.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include "box.h"
#include "interrupt.h"

static const char TYPE[] = "luanas.Lines";

typedef struct lines_box {
  char *line; /* NULL: nothing was read yet */
  size_t capacity;
} lines_box;

/* lines:read(prompt) */
static int lines_read(lua_State *L) {
  lines_box *box = nas_box_peek(L, 1, TYPE);
  const char *prompt = luaL_checkstring(L, 2);
  fputs(prompt, stdout);
  fflush(stdout);
  nas_interrupt_clear();
  ssize_t size = getline(&box->line, &box->capacity, stdin);
  if (size > 0 && !nas_interrupt_pending()) {
    if (box->line[size - 1] == '\n') size--;
    lua_pushlstring(L, box->line, (size_t)size);
    return 1;
  }
  if (nas_interrupt_pending() && *prompt) putchar('\n');
  luaL_pushfail(L);
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
