/* Functions of luanas.core about the terminal: its size, and whether it draws sixels. */
#include "terminal.h"
#include <nas/clock.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "types.h"

enum { COLUMNS = 80, ROWS = 24, CELL_WIDTH = 8, CELL_HEIGHT = 16 }; /* where nothing is known */

/* -- size ------------------------------------------------------------------------------------- */

/* Zeros become what a terminal usually has. */
static struct winsize size_of(int stream) {
  struct winsize size;
  if (ioctl(stream, TIOCGWINSZ, &size)) memset(&size, 0, sizeof size);
  if (size.ws_col == 0) size.ws_col = COLUMNS;
  if (size.ws_row == 0) size.ws_row = ROWS;
  return size;
}

/* core.terminal(stream = "error") */
static int core_terminal(lua_State *L) {
  static const char *const names[] = {"error", "output", NULL};
  static const int streams[] = {STDERR_FILENO, STDOUT_FILENO};
  int stream = streams[luaL_checkoption(L, 1, names[0], names)];
  if (isatty(stream))
    lua_pushinteger(L, size_of(stream).ws_col);
  else
    luaL_pushfail(L);
  return 1;
}

/* -- keys that come while the terminal is asked ----------------------------------------------- */

enum { INPUT_MAX = 256 };

static char kept[INPUT_MAX];
static size_t kept_size;
static int is_keeping;

void nas_terminal_keep(int keeps) {
  is_keeping = keeps;
}

int nas_terminal_take(char *byte) {
  if (kept_size == 0) return 0;
  *byte = kept[0];
  memmove(kept, kept + 1, --kept_size);
  return 1;
}

static void give_back(const char *keys, size_t size) {
  if (is_keeping) {
    if (size > sizeof kept - kept_size) size = sizeof kept - kept_size;
    memcpy(kept + kept_size, keys, size);
    kept_size += size;
  } else {
    while (size > 0) ungetc((unsigned char)keys[--size], stdin);
  }
}

/* -- asking ----------------------------------------------------------------------------------- */

enum { NO, YES, NOT_ASKED };

static const char QUESTION[] = "\033[c"; /* primary device attributes: every terminal answers */
static const char SIXEL[] = "4";         /* among the attributes */
enum { PATIENCE = 500 };                 /* milliseconds */

/* The answer that a text ends with, ESC [ ? KIND ; ATTRIBUTE ; ... c; or NULL. */
static char *answer_in(char *text, size_t size) {
  if (size == 0 || text[size - 1] != 'c') return NULL;
  char *begin = memrchr(text, '\033', size);
  if (!begin || strncmp(begin, "\033[?", 3) != 0) return NULL;
  return begin + 3 + strspn(begin + 3, "0123456789;") == text + size - 1 ? begin : NULL;
}

static int has_sixel(char *answer) {
  strtok(answer, ";"); /* the kind of terminal, of which 4 is one, too */
  for (const char *attribute; (attribute = strtok(NULL, ";c")) != NULL;)
    if (strcmp(attribute, SIXEL) == 0) return 1;
  return 0;
}

/* Milliseconds up to a time of nas_clock. */
static int left_until(double time) {
  double left = time - nas_clock();
  return left > 0 ? (int)(1e3 * left) : 0;
}

/* Reads byte by byte: what comes behind the answer stays where it is. Keys that wait already could
 * be meant for the program that runs after this one, so they stay, too, and nothing is asked. */
static int converse(void) {
  char text[INPUT_MAX + 1] = "", *answer = NULL;
  size_t size = 0;
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, 0) != 0) return NOT_ASKED;
  fputs(QUESTION, stdout);
  fflush(stdout);
  double end = nas_clock() + 1e-3 * PATIENCE;
  while (!answer && size < INPUT_MAX && poll(&input, 1, left_until(end)) > 0 &&
         read(STDIN_FILENO, text + size, 1) == 1)
    answer = answer_in(text, ++size);
  give_back(text, answer ? (size_t)(answer - text) : size);
  return answer && has_sixel(answer) ? YES : NO;
}

/* A signal that ended the process in between would leave the terminal without echo. */
static int ask(void) {
  struct termios before, raw;
  sigset_t all, mask;
  pid_t foreground = tcgetpgrp(STDIN_FILENO);
  if (foreground >= 0 && foreground != getpgrp()) return NOT_ASKED; /* it would be stopped */
  if (tcgetattr(STDIN_FILENO, &before)) return NO;
  raw = before;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &mask);
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  int answer = converse();
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  return answer;
}

/* -- sixels ----------------------------------------------------------------------------------- */

nas_status nas_terminal_wish(int *wish, nas_error *err) {
  const char *text = getenv("LUANAS_SIXEL");
  *wish = -1;
  if (!text || !*text) return NAS_OK;
  if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
    return nas_fail(err, NAS_ARGUMENT, "LUANAS_SIXEL is \"%s\"; expected 0 or 1", text);
  *wish = *text == '1';
  return NAS_OK;
}

static int is_set(const char *variable) {
  const char *text = getenv(variable);
  return text && *text;
}

static int find_out(void) {
  int wish;
  nas_terminal_wish(&wish, NULL);
  if (wish == 0 || !isatty(STDOUT_FILENO)) return NO;
  if (wish == 1) return YES;
  if (is_set("NO_COLOR") || !is_set("TERM") || strcmp(getenv("TERM"), "dumb") == 0) return NO;
  return isatty(STDIN_FILENO) ? ask() : NO;
}

/* core.sixel() */
static int core_sixel(lua_State *L) {
  static int answer = NOT_ASKED; /* the process's: another question could meet the user's keys */
  if (answer == NOT_ASKED) answer = find_out();
  if (answer != YES) {
    luaL_pushfail(L);
    return 1;
  }
  struct winsize size = size_of(STDOUT_FILENO);
  int knows_width = size.ws_xpixel >= size.ws_col, knows_height = size.ws_ypixel >= size.ws_row;
  lua_pushinteger(L, knows_width ? size.ws_xpixel : size.ws_col * CELL_WIDTH);
  lua_pushinteger(L, knows_height ? size.ws_ypixel : size.ws_row * CELL_HEIGHT);
  return 2;
}

static const luaL_Reg functions[] = {
    {"terminal", core_terminal},
    {"sixel", core_sixel},
    {NULL, NULL},
};

void nas_open_terminal(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
