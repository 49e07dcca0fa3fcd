#include "decisions.h"
#include <stdio.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "fields.h"

enum { PATH_SIZE = 64, EPISODES_MAX = 1000000 };

/* Where a value is, for messages. */
typedef struct place {
  lua_State *L;
  const char *path;
} place;

/* Raises: the value at a stack index is not what the field takes. */
static void failed(const place *at, const char *field, int index, const char *expected) {
  luaL_error(at->L, "%s%s is %s; expected %s", at->path, field, nas_check_shown(at->L, index),
             expected);
}

/* The length of the array on top of the stack. */
static int check_array(const place *at, const char *field, int low, int high) {
  lua_State *L = at->L;
  if (lua_type(L, -1) != LUA_TTABLE) failed(at, field, -1, "an array");
  lua_Unsigned length = lua_rawlen(L, -1);
  if (length < (lua_Unsigned)low || length > (lua_Unsigned)high) {
    const char *expected =
        low == high ? lua_pushfstring(L, "%d", low) : lua_pushfstring(L, "%d to %d", low, high);
    luaL_error(L, "%s%s has %I entries; expected %s", at->path, field, (lua_Integer)length,
               expected);
  }
  return (int)length;
}

/* Pushes a field of the table on top of the stack; returns its type. */
static int push_field(lua_State *L, const char *field) {
  lua_pushstring(L, field);
  return lua_rawget(L, -2);
}

/* -- decisions -------------------------------------------------------------------------------- */

/* Kept by the table at index `scratch`, whatever happens to that of the field. */
static const char *text_field(const place *at, const char *field, int scratch) {
  lua_State *L = at->L;
  size_t length;
  if (push_field(L, field + 1) != LUA_TSTRING) failed(at, field, -1, "a string");
  const char *text = lua_tolstring(L, -1, &length);
  if (strlen(text) != length) failed(at, field, -1, "a string without zero bytes");
  lua_rawseti(L, scratch, (lua_Integer)lua_rawlen(L, scratch) + 1);
  return text;
}

static int integer_field(const place *at, const char *field, int low, int high) {
  lua_State *L = at->L;
  int is_integer = 0;
  lua_Integer value = 0;
  if (push_field(L, field + 1) == LUA_TNUMBER) value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || value < low || value > high) {
    failed(at, field, -2, lua_pushfstring(L, "an integer from %d to %d", low, high));
  }
  lua_pop(L, 1);
  return (int)value;
}

/* How often the name came before, in the table of counts at index `counts`. */
static int next_occurrence(lua_State *L, int counts, const char *name) {
  lua_getfield(L, counts, name);
  lua_Integer before = lua_tointeger(L, -1);
  lua_pushinteger(L, before + 1);
  lua_setfield(L, counts, name);
  lua_pop(L, 1);
  return (int)before;
}

static const int *read_positions(const place *at, const char *field, int scratch, int *count) {
  lua_State *L = at->L;
  *count = check_array(at, field, 0, NAS_DECISION_COUNT_MAX);
  int *positions = nas_box_scratch(L, scratch, (size_t)*count, sizeof *positions);
  for (int j = 0; j < *count; j++) {
    int is_integer = 0;
    lua_Integer value = 0;
    if (lua_rawgeti(L, -1, j + 1) == LUA_TNUMBER) value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 1 || value > NAS_TAPE_LENGTH_MAX) {
      const char *entry = lua_pushfstring(L, "%s[%d]", field, j + 1);
      failed(at, entry, -3, lua_pushfstring(L, "an integer from 1 to %d", NAS_TAPE_LENGTH_MAX));
    }
    positions[j] = (int)value - 1;
    lua_pop(L, 1);
  }
  return positions;
}

static const unsigned char *read_set(const place *at, const char *field, int scratch, int count) {
  lua_State *L = at->L;
  check_array(at, field, count, count);
  unsigned char *set = nas_box_scratch(L, scratch, (size_t)count, sizeof *set);
  for (int j = 0; j < count; j++) {
    if (lua_rawgeti(L, -1, j + 1) != LUA_TBOOLEAN)
      failed(at, lua_pushfstring(L, "%s[%d]", field, j + 1), -2, "true or false");
    set[j] = (unsigned char)lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return set;
}

const int *nas_candidates_read(lua_State *L, int scratch, const char *path, int *count) {
  return read_positions(&(place){L, path}, "", scratch, count);
}

const unsigned char *nas_chosen_set_read(lua_State *L, int scratch, const char *path, int count) {
  return read_set(&(place){L, path}, "", scratch, count);
}

static nas_decision_kind kind_field(const place *at) {
  lua_State *L = at->L;
  int type = push_field(L, "kind");
  const char *text = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
  int is_anchor = strcmp(text, "anchor") == 0;
  if (type != LUA_TNIL && !is_anchor && strcmp(text, "choice") != 0)
    failed(at, ".kind", -1, "\"choice\" or \"anchor\"");
  lua_pop(L, 1);
  return is_anchor ? NAS_DECISION_ANCHOR : NAS_DECISION_CHOICE;
}

/* The decision on top of the stack, but for its occurrence. */
static nas_decision read_decision(const place *at, int scratch) {
  lua_State *L = at->L;
  nas_decision d = {.kind = kind_field(at), .name = text_field(at, ".name", scratch)};
  if (d.kind == NAS_DECISION_CHOICE) {
    d.options = text_field(at, ".options", scratch);
    d.count = integer_field(at, ".count", 1, NAS_DECISION_COUNT_MAX);
    d.chosen = integer_field(at, ".chosen", 1, d.count) - 1;
    return d;
  }
  push_field(L, "candidates");
  d.candidates = read_positions(at, ".candidates", scratch, &d.count);
  lua_pop(L, 1);
  push_field(L, "chosen");
  d.chosen_set = read_set(at, ".chosen", scratch, d.count);
  lua_pop(L, 1);
  return d;
}

const nas_decision *nas_decisions_read(lua_State *L, int scratch, const char *path, int *count) {
  luaL_checkstack(L, 10, "decisions");
  int length = check_array(&(place){L, path}, "", 0, NAS_TAPE_LENGTH_MAX);
  int list = lua_gettop(L);
  nas_decision *decisions = nas_box_scratch(L, scratch, (size_t)length, sizeof *decisions);
  lua_newtable(L);
  for (int i = 0; i < length; i++) {
    char name[3 * PATH_SIZE];
    snprintf(name, sizeof name, "%s[%d]", path, i + 1);
    place at = {L, name};
    if (lua_rawgeti(L, list, i + 1) != LUA_TTABLE) failed(&at, "", -1, "a table");
    decisions[i] = read_decision(&at, scratch);
    decisions[i].occurrence = next_occurrence(L, list + 1, decisions[i].name);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  *count = length;
  return decisions;
}

/* -- episodes --------------------------------------------------------------------------------- */

/* The numbers of the array on top of the stack, which must be `length` many. */
static const double *read_numbers(const place *at, const char *field, int scratch, int length) {
  lua_State *L = at->L;
  check_array(at, field, length, length);
  double *numbers = nas_box_scratch(L, scratch, (size_t)length, sizeof *numbers);
  for (int i = 0; i < length; i++) {
    if (lua_rawgeti(L, -1, i + 1) != LUA_TNUMBER)
      failed(at, lua_pushfstring(L, "%s[%d]", field, i + 1), -2, "a number");
    numbers[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return numbers;
}

static double number_field(const place *at, const char *field) {
  lua_State *L = at->L;
  int type = push_field(L, field + 1);
  if (type != LUA_TNIL && type != LUA_TNUMBER) failed(at, field, -1, "a number");
  double value = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

/* One number for each decision; NULL if absent. */
static const double *numbers_field(const place *at, const char *field, int scratch, int length) {
  const double *numbers = NULL;
  if (push_field(at->L, field + 1) != LUA_TNIL) numbers = read_numbers(at, field, scratch, length);
  lua_pop(at->L, 1);
  return numbers;
}

/* One number for each option of each decision, two for each candidate; a decision's may be false.
 * NULL if absent. */
static const double *const *option_rows(const place *at, int scratch, const nas_decision *decisions,
                                        int length) {
  static const char field[] = ".options";
  lua_State *L = at->L;
  const double **rows = NULL;
  if (push_field(L, field + 1) != LUA_TNIL) {
    check_array(at, field, length, length);
    rows = nas_box_scratch(L, scratch, (size_t)length, sizeof *rows);
    for (int t = 0; t < length; t++) {
      char row[PATH_SIZE];
      snprintf(row, sizeof row, "%s[%d]", field, t + 1);
      lua_rawgeti(L, -1, t + 1);
      int numbers = decisions[t].count * (decisions[t].kind == NAS_DECISION_ANCHOR ? 2 : 1);
      rows[t] = lua_toboolean(L, -1) ? read_numbers(at, row, scratch, numbers) : NULL;
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
  return rows;
}

/* Raises for a field that no episode has. */
static void check_fields(const place *at) {
  static const char *const known[] = {"decisions",  "advantage", "entropy", "advantages",
                                      "entropies",  "options",   "values",  "skip_weight",
                                      "skip_prior", NULL};
  lua_State *L = at->L;
  const char *first = NULL;
  nas_push_copy(L, -1);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
    int i = 0;
    while (known[i] && strcmp(known[i], key) != 0) i++;
    if (!known[i] && (!first || strcmp(key, first) < 0)) first = key;
  }
  if (first)
    luaL_error(L,
               "%s: unknown field \"%s\"; known fields: decisions, advantage, entropy, "
               "advantages, entropies, options, values, skip_weight, skip_prior",
               at->path, first);
  lua_pop(L, 1);
}

/* The episode on top of the stack. */
static nas_episode read_episode(const place *at, int scratch) {
  nas_episode episode = {0};
  nas_coefficients *given = &episode.coefficients;
  char path[2 * PATH_SIZE];
  check_fields(at);
  snprintf(path, sizeof path, "%s.decisions", at->path);
  push_field(at->L, "decisions");
  episode.decisions = nas_decisions_read(at->L, scratch, path, &episode.count);
  lua_pop(at->L, 1);
  given->log_prob = number_field(at, ".advantage");
  given->entropy = number_field(at, ".entropy");
  given->skip_weight = number_field(at, ".skip_weight");
  given->skip_prior = number_field(at, ".skip_prior");
  given->log_probs = numbers_field(at, ".advantages", scratch, episode.count);
  given->entropies = numbers_field(at, ".entropies", scratch, episode.count);
  given->values = numbers_field(at, ".values", scratch, episode.count);
  given->option_log_probs = option_rows(at, scratch, episode.decisions, episode.count);
  return episode;
}

const nas_episode *nas_episodes_read(lua_State *L, int arg, int scratch, int *count) {
  lua_pushvalue(L, arg);
  int length = check_array(&(place){L, "episodes"}, "", 1, EPISODES_MAX);
  nas_episode *episodes = nas_box_scratch(L, scratch, (size_t)length, sizeof *episodes);
  for (int i = 0; i < length; i++) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "episodes[%d]", i + 1);
    place at = {L, path};
    if (lua_rawgeti(L, -1, i + 1) != LUA_TTABLE) failed(&at, "", -1, "a table");
    episodes[i] = read_episode(&at, scratch);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  *count = length;
  return episodes;
}
