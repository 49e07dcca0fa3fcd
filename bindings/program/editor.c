#include "editor.h"
#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "box.h"
#include "interrupt.h"
#include "terminal.h"

static const char TYPE[] = "luanas.Editor";

enum { ENTRIES = 1000 };     /* of the history */
enum { PATTERN_MAX = 256 };  /* bytes of what is searched for, and a zero */
enum { SEARCH_KEY = 0x1D };  /* stands for every key while it searches */
enum { PASTED_FIRST = 256 }; /* characters there is room for at the beginning of a pasted block */

/* Keys that nobody has, for functions of libedit that ours call: it has no other way. */
#define KEY_ACCEPT    "\033[9001~"
#define KEY_LINE_UP   "\033[9004~"
#define KEY_LINE_DOWN "\033[9005~"

#define PASTE_ON    "\033[?2004h"
#define PASTE_OFF   "\033[?2004l"
#define PASTE_BEGIN "\033[200~"
#define PASTE_END   L"\033[201~"

enum { IS_WHOLE = 1, COMPLETE = 2 }; /* user values */

typedef struct editor_box {
  EditLine *line; /* NULL: closed */
  History *history;
  locale_t locale;    /* of characters, while libedit works; the program's stays "C" */
  lua_State *L;       /* that reads; the box is at index 1 */
  const char *prompt; /* while it reads */
  sigset_t signals;   /* the mask while it waits for a key */
  int is_cancelled;
  int ended_by; /* this signal, 0: none */
  int is_searching;
  int is_pasting;
  char pattern[PATTERN_MAX]; /* of the search */
  size_t pattern_size;
  int newer;      /* matches that are newer than the one that is shown */
  char *original; /* the text before the search */
  int shown;      /* text of the history, 0: none */
  char *typed;    /* before one was shown */
  wchar_t key;    /* that was pressed while it searches */
} editor_box;

static editor_box *box_of(EditLine *line) {
  void *box;
  el_get(line, EL_CLIENTDATA, &box);
  return box;
}

/* -- characters ------------------------------------------------------------------------------- */

/* Signals are blocked except where the thread waits for a key: one that came just before that would
 * not end it. Meanwhile threads of libraries get them. */
static const int noted_signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};
enum { NOTED = sizeof noted_signals / sizeof *noted_signals };

static volatile sig_atomic_t noted; /* bits of those that came while a text is edited */
static pthread_t editing_thread;

static int bit_of(int signal_number) {
  int i = 0;
  while (noted_signals[i] != signal_number) i++;
  return 1 << i;
}

static void note(int signal_number) {
  if (pthread_equal(pthread_self(), editing_thread))
    noted |= bit_of(signal_number); /* no other signal comes in between */
  else
    pthread_kill(editing_thread, signal_number);
}

static void show_paste_mode(const char *sequence) {
  fputs(sequence, stdout);
  fflush(stdout);
}

static void take_terminal(EditLine *line) {
  el_set(line, EL_PREP_TERM, 1);
  show_paste_mode(PASTE_ON);
}

static void give_terminal_back(EditLine *line) {
  show_paste_mode(PASTE_OFF);
  el_set(line, EL_PREP_TERM, 0);
}

/* Draws the text again, from the row of the cursor on: what is above may be something else. */
static void redraw(EditLine *line) {
  fputs("\r\033[J", stdout);
  el_resize(line);
  el_set(line, EL_REFRESH);
}

/* Stops the processes (see kill(2)), this one among them, as if nobody had noted SIGTSTP. */
static void suspend(EditLine *line, pid_t processes) {
  struct sigaction ours, usual = {.sa_handler = SIG_DFL};
  sigset_t stop;
  sigemptyset(&usual.sa_mask);
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  give_terminal_back(line);
  sigaction(SIGTSTP, &usual, &ours);
  pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
  kill(processes, SIGTSTP);
  pthread_sigmask(SIG_BLOCK, &stop, NULL);
  sigaction(SIGTSTP, &ours, NULL);
  take_terminal(line);
  redraw(line);
}

static int first_of(int signals) {
  static const int ends[] = {SIGTERM, SIGHUP, SIGQUIT};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (signals & bit_of(ends[i])) return ends[i];
  return 0;
}

/* After signals. Returns whether reading goes on. */
static int attend(EditLine *line) {
  int signals = noted;
  noted = 0;
  box_of(line)->ended_by = first_of(signals);
  if (nas_interrupt_pending() || box_of(line)->ended_by) return 0;
  if (signals & bit_of(SIGTSTP)) {
    suspend(line, getpid());
  } else if (signals & bit_of(SIGCONT)) { /* of SIGSTOP, which nobody notes */
    take_terminal(line);
    redraw(line);
  } else if (signals & bit_of(SIGWINCH)) {
    redraw(line);
  }
  return 1;
}

/* Like read(2) of one byte; 0 also after a signal that ends the input, -1 after Ctrl-C. */
static int read_byte(EditLine *line, char *byte) {
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  if (nas_terminal_take(byte)) return 1;
  while (ppoll(&input, 1, NULL, &box_of(line)->signals) < 0) {
    if (errno != EINTR) return -1;
    if (!attend(line)) return nas_interrupt_pending() ? -1 : 0;
  }
  return (int)read(STDIN_FILENO, byte, 1);
}

/* One character, 1; or what read_byte returns. Bytes that are no character are left out. */
static int read_character(EditLine *line, wchar_t *character) {
  mbstate_t state = {0};
  char byte;
  for (;;) {
    int count = read_byte(line, &byte);
    if (count <= 0) return count;
    size_t used = mbrtowc(character, &byte, 1, &state);
    if (used == (size_t)-2) continue; /* more bytes are to come */
    if (used != (size_t)-1) return 1;
    memset(&state, 0, sizeof state);
    if (!(byte & 0x80)) { /* what was cut short does not swallow the next key */
      *character = byte;
      return 1;
    }
  }
}

/* Whether the text may take all rows of the terminal. Where the cursor alone is moved, libedit then
 * writes beyond what it has of them, unless all is drawn again. */
static int is_tall(EditLine *line) {
  struct winsize size;
  const LineInfoW *now = el_wline(line);
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
  ptrdiff_t rows = 2;
  for (const wchar_t *c = now->buffer; c < now->lastchar; c++) rows += *c == L'\n';
  return rows + 2 * (now->lastchar - now->buffer) / size.ws_col >= size.ws_row;
}

/* What libedit reads by: its own function ends at every signal. */
static int read_key(EditLine *line, wchar_t *key) {
  editor_box *box = box_of(line);
  if (!box->is_pasting && is_tall(line)) el_set(line, EL_REFRESH);
  int count = read_character(line, key);
  if (count == 1 && box->is_searching) {
    box->key = *key;
    *key = SEARCH_KEY;
  }
  return count;
}

/* -- calls into Lua --------------------------------------------------------------------------- */

typedef struct request {
  const LineInfo *now;
  int function; /* IS_WHOLE, COMPLETE */
} request;

/* Of the box and a request; in protected mode, as strings need memory and no error may jump through
 * libedit. */
static int make_call(lua_State *L) {
  const request *asked = lua_touserdata(L, 2);
  const LineInfo *now = asked->now;
  lua_getiuservalue(L, 1, asked->function);
  lua_pushlstring(L, now->buffer, (size_t)(now->lastchar - now->buffer));
  lua_pushinteger(L, now->cursor - now->buffer);
  lua_call(L, 2, 2);
  return 2;
}

/* Calls a function of the box with the text and how many bytes are before the cursor. Returns
 * whether it returned; its two results are on the stack then, which is otherwise as it was. */
static int call(EditLine *line, int function) {
  lua_State *L = box_of(line)->L;
  request asked = {el_line(line), function};
  if (!lua_checkstack(L, 4)) return 0;
  lua_pushcfunction(L, make_call);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, &asked);
  if (lua_pcall(L, 2, 2, 0) == LUA_OK) return 1;
  lua_pop(L, 1);
  return 0;
}

/* A result of a call; NULL for nil. */
static const char *text_at(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
}

/* -- keys ------------------------------------------------------------------------------------- */

static unsigned char insert(EditLine *line, const char *text) {
  return el_insertstr(line, text) ? CC_ERROR : CC_REFRESH;
}

static unsigned char on_newline(EditLine *line, int key) {
  (void)key;
  return insert(line, "\n");
}

static unsigned char accept(EditLine *line) {
  el_push(line, KEY_ACCEPT);
  return CC_NORM;
}

static unsigned char on_enter(EditLine *line, int key) {
  (void)key;
  if (!call(line, IS_WHOLE)) return accept(line);
  lua_State *L = box_of(line)->L;
  const char *continued = text_at(L, -1);
  unsigned char done = continued ? insert(line, continued) : accept(line);
  lua_pop(L, 2);
  return done;
}

/* Ctrl-C. What is cancelled stays on the screen. */
static unsigned char on_cancel(EditLine *line, int key) {
  (void)key;
  const LineInfoW *now = el_wline(line);
  if (now->lastchar == now->buffer) return CC_REFRESH;
  box_of(line)->is_cancelled = 1;
  return accept(line);
}

/* Ctrl-Z */
static unsigned char on_suspend(EditLine *line, int key) {
  (void)key;
  suspend(line, 0);
  return CC_NORM;
}

static unsigned char on_complete(EditLine *line, int key) {
  (void)key;
  if (!call(line, COMPLETE)) return CC_ERROR;
  lua_State *L = box_of(line)->L;
  const char *insertion = text_at(L, -2), *shown = text_at(L, -1);
  int changed = insertion && el_insertstr(line, insertion) == 0;
  if (shown) { /* in the place of what is below the cursor */
    printf("\n\033[J%s\n", shown);
    el_set(line, EL_REFRESH);
  }
  int failed = !changed && !shown;
  lua_pop(L, 2);
  return failed ? CC_ERROR : shown ? CC_NORM : CC_REFRESH;
}

/* Moves the cursor to the beginning of its line (direction -1) or to the end (1); libedit's own
 * functions go to those of the whole text. */
static unsigned char move_within_line(EditLine *line, int direction) {
  const LineInfoW *now = el_wline(line);
  const wchar_t *at = now->cursor;
  while (direction < 0 && at > now->buffer && at[-1] != L'\n') at--;
  while (direction > 0 && at < now->lastchar && *at != L'\n') at++;
  el_cursor(line, (int)(at - now->cursor));
  return CC_CURSOR;
}

static unsigned char on_home(EditLine *line, int key) {
  (void)key;
  return move_within_line(line, -1);
}

static unsigned char on_end(EditLine *line, int key) {
  (void)key;
  return move_within_line(line, 1);
}

/* -- the history ------------------------------------------------------------------------------ */

/* Makes `before` and `after` the text, with the cursor between them. */
static void set_text(EditLine *line, const char *before, size_t before_size, const char *after) {
  const LineInfoW *now = el_wline(line);
  int size = (int)(now->lastchar - now->buffer);
  char *beginning = strndup(before, before_size);
  if (!beginning) return;
  el_cursor(line, (int)(now->lastchar - now->cursor));
  el_deletestr(line, size);
  el_insertstr(line, beginning);
  int cursor = el_cursor(line, 0);
  el_insertstr(line, after);
  el_cursor(line, cursor - el_cursor(line, 0));
  free(beginning);
}

/* Text `number` of the history, 1: the newest; NULL: there is none. */
static const char *text_numbered(editor_box *box, int number) {
  HistEvent event;
  int found = history(box->history, &event, H_FIRST);
  while (found >= 0 && --number > 0) found = history(box->history, &event, H_NEXT);
  return found >= 0 ? event.str : NULL;
}

/* Shows another text of the history; 0: what was typed before. libedit's own functions keep only
 * 1024 characters of that, and put it away where there is nothing newer to show. */
static unsigned char show_numbered(EditLine *line, int number) {
  editor_box *box = box_of(line);
  const LineInfo *now = el_line(line);
  if (number < 0) return CC_ERROR;
  if (box->shown == 0) {
    free(box->typed);
    box->typed = strndup(now->buffer, (size_t)(now->lastchar - now->buffer));
  }
  const char *text = number > 0 ? text_numbered(box, number) : box->typed;
  if (!text) return CC_ERROR;
  set_text(line, text, strlen(text), "");
  box->shown = number;
  return CC_REFRESH;
}

/* Within a text of several lines to the line above or below, from its first or last one to another
 * text of the history. */
static unsigned char on_up(EditLine *line, int key) {
  (void)key;
  const LineInfo *now = el_line(line);
  if (!memchr(now->buffer, '\n', (size_t)(now->cursor - now->buffer)))
    return show_numbered(line, box_of(line)->shown + 1);
  el_push(line, KEY_LINE_UP);
  return CC_NORM;
}

static unsigned char on_down(EditLine *line, int key) {
  (void)key;
  const LineInfo *now = el_line(line);
  if (!memchr(now->cursor, '\n', (size_t)(now->lastchar - now->cursor)))
    return show_numbered(line, box_of(line)->shown - 1);
  el_push(line, KEY_LINE_DOWN);
  return CC_NORM;
}

/* -- searching -------------------------------------------------------------------------------- */

/* libedit's own search takes minutes with texts of many lines, and can write beyond its buffer. */

/* The text of the history that has the pattern, behind `newer` that have it, too; NULL: none. */
static const char *find_text(editor_box *box, int newer) {
  HistEvent event;
  for (int found = history(box->history, &event, H_FIRST); found >= 0;
       found = history(box->history, &event, H_NEXT))
    if (strstr(event.str, box->pattern) && newer-- == 0) return event.str;
  return NULL;
}

/* Shows what is found, with the cursor where it has the pattern, or else the text before the
 * search; while it goes on, also the pattern. */
static unsigned char show_search(EditLine *line) {
  editor_box *box = box_of(line);
  const char *found = box->pattern_size > 0 ? find_text(box, box->newer) : NULL;
  const char *text = found ? found : box->original;
  size_t before = found ? (size_t)(strstr(found, box->pattern) - found) : strlen(text);
  set_text(line, text, before, text + before);
  if (!box->is_searching) return CC_REFRESH;
  const LineInfoW *now = el_wline(line);
  int behind = (int)(now->lastchar - now->cursor);
  el_cursor(line, behind);
  el_insertstr(line, found || box->pattern_size == 0 ? "\nsearch: " : "\nnot found: ");
  el_insertstr(line, box->pattern);
  now = el_wline(line);
  int shown = (int)(now->lastchar - now->buffer), size = (int)mbstowcs(NULL, text, 0);
  el_cursor(line, size - behind - shown); /* back from the end */
  return CC_REFRESH;
}

/* Ctrl-R */
static unsigned char on_search(EditLine *line, int key) {
  (void)key;
  editor_box *box = box_of(line);
  const LineInfo *now = el_line(line);
  free(box->original);
  box->original = strndup(now->buffer, (size_t)(now->lastchar - now->buffer));
  if (!box->original) return CC_ERROR;
  box->is_searching = 1;
  box->pattern[box->pattern_size = 0] = 0;
  box->newer = 0;
  return show_search(line);
}

/* Adds a character to the pattern. Returns whether it has room. */
static int extend_pattern(editor_box *box, wchar_t character) {
  char bytes[MB_LEN_MAX];
  mbstate_t state = {0};
  size_t size = wcrtomb(bytes, character, &state);
  if (size == (size_t)-1 || box->pattern_size + size >= PATTERN_MAX) return 0;
  memcpy(box->pattern + box->pattern_size, bytes, size);
  box->pattern[box->pattern_size += size] = 0;
  box->newer = 0;
  return 1;
}

/* Takes the last character away; of UTF-8, all its bytes. */
static void shorten_pattern(editor_box *box) {
  while (box->pattern_size > 0 && (box->pattern[box->pattern_size - 1] & 0xC0) == 0x80)
    box->pattern_size--;
  if (box->pattern_size > 0) box->pattern_size--;
  box->pattern[box->pattern_size] = 0;
  box->newer = 0;
}

/* A key while it searches: Ctrl-R goes on to older texts, Ctrl-G and Ctrl-C give up, and what
 * changes no pattern ends the search and does what it does else. */
static unsigned char on_search_key(EditLine *line, int key) {
  (void)key;
  editor_box *box = box_of(line);
  wchar_t pressed[2] = {box->key};
  switch (pressed[0]) {
  case L'R' & 0x1F:
    if (!find_text(box, box->newer + 1)) return CC_ERROR;
    box->newer++;
    break;
  case L'\b':
  case 0x7F: shorten_pattern(box); break;
  case L'G' & 0x1F:
  case L'C' & 0x1F:
    box->pattern[box->pattern_size = 0] = 0;
    box->is_searching = 0;
    break;
  default:
    if (pressed[0] >= L' ') return extend_pattern(box, pressed[0]) ? show_search(line) : CC_ERROR;
    box->is_searching = 0;
    el_wpush(line, pressed);
  }
  return show_search(line);
}

/* -- pasted blocks ---------------------------------------------------------------------------- */

typedef struct pasted {
  wchar_t *text;
  size_t size, capacity;
} pasted;

/* Room for one more character and the end. */
static int grow(pasted *block) {
  if (block->size + 2 <= block->capacity) return 1;
  size_t capacity = 2 * block->capacity;
  wchar_t *text =
      capacity <= SIZE_MAX / sizeof *text ? realloc(block->text, capacity * sizeof *text) : NULL;
  if (!text) return 0;
  block->text = text;
  block->capacity = capacity;
  return 1;
}

/* Where there is no memory: only what the end of the block may begin with. */
static void keep_tail(pasted *block) {
  static const size_t tail = sizeof PASTE_END / sizeof(wchar_t);
  wmemmove(block->text, block->text + block->size - tail, tail);
  block->size = tail;
}

static int ends_paste(const pasted *block) {
  static const size_t size = sizeof PASTE_END / sizeof(wchar_t) - 1;
  return block->size >= size && wmemcmp(block->text + block->size - size, PASTE_END, size) == 0;
}

/* Leaves out control characters, makes every end of line a newline, and leaves out the last ones.
 * The terminal swaps \r and \n while a text is edited. */
static void clean(pasted *block) {
  size_t size = 0;
  for (size_t i = 0; i < block->size; i++) {
    wchar_t c = block->text[i];
    if (c == L'\n' && i + 1 < block->size && block->text[i + 1] == L'\r') continue;
    if (c == L'\r') c = L'\n';
    if ((c >= 32 && c != 127) || c == L'\t' || c == L'\n') block->text[size++] = c;
  }
  while (size > 0 && block->text[size - 1] == L'\n') size--;
  block->text[size] = 0;
  block->size = size;
}

/* After PASTE_BEGIN: reads up to PASTE_END. Without memory the rest is read, and lost. */
static unsigned char on_paste(EditLine *line, int key) {
  (void)key;
  pasted block = {malloc(PASTED_FIRST * sizeof(wchar_t)), 0, PASTED_FIRST};
  wchar_t c;
  int failed = 0;
  if (!block.text) return CC_ERROR;
  box_of(line)->is_pasting = 1;
  while (!ends_paste(&block) && el_wgetc(line, &c) == 1) {
    if (!grow(&block)) {
      failed = 1;
      keep_tail(&block);
    }
    block.text[block.size++] = c;
  }
  box_of(line)->is_pasting = 0;
  if (ends_paste(&block)) block.size -= sizeof PASTE_END / sizeof(wchar_t) - 1;
  if (!failed) {
    clean(&block);
    failed = block.size > 0 && el_winsertstr(line, block.text) != 0;
  }
  free(block.text);
  return failed ? CC_REFRESH_BEEP : CC_REFRESH;
}

/* After ESC [ ?, which no key sends: an answer of the terminal that came too late for who asked. */
static unsigned char on_answer(EditLine *line, int key) {
  (void)key;
  wchar_t c;
  while (el_wgetc(line, &c) == 1 && c < L'@') continue;
  return CC_NORM;
}

/* -- making ----------------------------------------------------------------------------------- */

static char *prompt(EditLine *line) {
  return (char *)box_of(line)->prompt;
}

typedef struct key_function {
  const char *name;
  unsigned char (*function)(EditLine *line, int key);
  const char *keys[5];
} key_function;

static const key_function own_functions[] = {
    {"luanas-enter", on_enter, {"\\r", "\\n", NULL}},
    {"luanas-newline", on_newline, {"\\e\\r", "\\e\\n", NULL}},
    {"luanas-cancel", on_cancel, {"^C", NULL}},
    {"luanas-suspend", on_suspend, {"^Z", NULL}},
    {"luanas-complete", on_complete, {"^I", NULL}},
    {"luanas-home", on_home, {"^A", "\\e[H", "\\eOH", "\\e[1~", NULL}},
    {"luanas-end", on_end, {"^E", "\\e[F", "\\eOF", "\\e[4~", NULL}},
    {"luanas-up", on_up, {"\\e[A", "\\eOA", "^P", NULL}},
    {"luanas-down", on_down, {"\\e[B", "\\eOB", "^N", NULL}},
    {"luanas-search", on_search, {"^R", NULL}},
    {"luanas-search-key", on_search_key, {"^]", NULL}},
    {"luanas-paste", on_paste, {PASTE_BEGIN, NULL}},
    {"luanas-answer", on_answer, {"\\e[?", NULL}},
};

static const key_function functions_of_libedit[] = {
    {"ed-newline", NULL, {KEY_ACCEPT, NULL}},      {"ed-prev-line", NULL, {KEY_LINE_UP, NULL}},
    {"ed-next-line", NULL, {KEY_LINE_DOWN, NULL}}, {"em-next-word", NULL, {"\\e[1;5C", NULL}},
    {"ed-prev-word", NULL, {"\\e[1;5D", NULL}},    {"ed-delete-next-char", NULL, {"\\e[3~", NULL}},
};

/* libedit's own command line, which reads what it has not written, and its searches. */
static const char *const unwanted_keys[] = {"\\ex", "\\eX", "\\ep", "\\eP", "\\en", "\\eN"};

static void bind_keys(EditLine *line, const key_function *of, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (of[i].function) el_set(line, EL_ADDFN, of[i].name, of[i].name, of[i].function);
    for (int k = 0; of[i].keys[k]; k++) el_set(line, EL_BIND, of[i].keys[k], of[i].name, NULL);
  }
}

static void set_up(editor_box *box) {
  EditLine *line = box->line;
  el_set(line, EL_CLIENTDATA, box);
  el_set(line, EL_EDITOR, "emacs");
  el_set(line, EL_PROMPT_ESC, prompt, '\1');
  el_set(line, EL_GETCFN, read_key);
  el_set(line, EL_SETTY, "-d", "-isig", "-ixon", NULL); /* a pasted byte is no Ctrl-C or Ctrl-S */
  for (size_t i = 0; i < sizeof unwanted_keys / sizeof *unwanted_keys; i++)
    el_set(line, EL_BIND, unwanted_keys[i], "ed-unassigned", NULL);
  bind_keys(line, own_functions, sizeof own_functions / sizeof *own_functions);
  bind_keys(line, functions_of_libedit, sizeof functions_of_libedit / sizeof *functions_of_libedit);
}

/* The user's characters; UTF-8 where the locale knows none but ASCII. */
static locale_t user_locale(void) {
  locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (locale && strcmp(nl_langinfo_l(CODESET, locale), "ANSI_X3.4-1968") != 0) return locale;
  locale_t other = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (!other) return locale;
  if (locale) freelocale(locale);
  return other;
}

static int editor_close(lua_State *L) {
  editor_box *box = nas_box_peek(L, 1, TYPE);
  if (box->line) {
    el_end(box->line);
    nas_terminal_keep(0);
  }
  if (box->history) history_end(box->history);
  if (box->locale) freelocale(box->locale);
  free(box->original);
  free(box->typed);
  box->original = box->typed = NULL;
  box->line = NULL;
  box->history = NULL;
  box->locale = (locale_t)0;
  return 0;
}

static int editor_new(lua_State *L) {
  HistEvent event;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  editor_box *box = nas_box_new(L, TYPE, sizeof *box, 2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, IS_WHOLE);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, COMPLETE);
  box->locale = user_locale();
  box->history = history_init();
  if (!box->locale || !box->history) return luaL_error(L, "not enough memory");
  history(box->history, &event, H_SETSIZE, ENTRIES);
  history(box->history, &event, H_SETUNIQUE, 1);
  locale_t before = uselocale(box->locale);
  box->line = el_init("luanas", stdin, stdout, stderr);
  if (box->line) set_up(box);
  uselocale(before);
  if (!box->line) return luaL_error(L, "not enough memory");
  nas_terminal_keep(1);
  return 1;
}

/* -- reading ---------------------------------------------------------------------------------- */

/* What libedit gives, with the terminal's and the process's state changed for so long. */
static const char *get_text(editor_box *box, int *size) {
  struct sigaction before[NOTED], action = {.sa_handler = note};
  sigset_t blocked;
  locale_t locale = uselocale(box->locale);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  for (int i = 0; i < NOTED; i++) sigaddset(&blocked, noted_signals[i]);
  action.sa_mask = blocked;
  pthread_sigmask(SIG_BLOCK, &blocked, &box->signals);
  noted = 0;
  editing_thread = pthread_self();
  for (int i = 0; i < NOTED; i++) sigaction(noted_signals[i], &action, &before[i]);
  take_terminal(box->line); /* before the prompt says that keys can come */
  const char *text = el_gets(box->line, size);
  show_paste_mode(PASTE_OFF);
  for (int i = 0; i < NOTED; i++) sigaction(noted_signals[i], &before[i], NULL);
  pthread_sigmask(SIG_SETMASK, &box->signals, NULL);
  uselocale(locale);
  return text;
}

/* editor:read(prompt) */
static int editor_read(lua_State *L) {
  editor_box *box = nas_box_check(L, 1, TYPE);
  int size = 0;
  box->prompt = luaL_checkstring(L, 2);
  box->L = L;
  box->is_cancelled = 0;
  box->ended_by = 0;
  box->is_searching = 0;
  box->shown = 0;
  nas_interrupt_clear();
  const char *text = get_text(box, &size);
  if (!text && box->ended_by)
    raise(box->ended_by); /* does what it does else, now that nothing is left changed */
  if (!text && !nas_interrupt_pending()) {
    luaL_pushfail(L);
    lua_pushliteral(L, "end");
    return 2;
  }
  if (!text) putchar('\n'); /* SIGINT from elsewhere */
  nas_interrupt_clear();
  if (size > 0 && text[size - 1] == '\n') size--;
  if (text && !box->is_cancelled) {
    lua_pushlstring(L, text, (size_t)size);
    return 1;
  }
  luaL_pushfail(L);
  lua_pushliteral(L, "cancelled");
  lua_pushlstring(L, text ? text : "", text ? (size_t)size : 0);
  return 3;
}

/* editor:add(text) */
static int editor_add(lua_State *L) {
  editor_box *box = nas_box_check(L, 1, TYPE);
  HistEvent event;
  history(box->history, &event, H_ENTER, luaL_checkstring(L, 2));
  return 0;
}

static const luaL_Reg methods[] = {
    {"read", editor_read},
    {"add", editor_add},
    {NULL, NULL},
};

void nas_push_editor(lua_State *L) {
  nas_box_type(L, TYPE, methods, NULL, editor_close);
  lua_pushcfunction(L, editor_new);
}
