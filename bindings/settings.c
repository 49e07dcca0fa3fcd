#include "settings.h"
#include <math.h>
#include <string.h>
#include "check.h"
#include "fields.h"

nas_settings nas_settings_open(lua_State *L, int arg, const char *owner) {
  nas_settings settings = {L, 0, owner};
  if (lua_isnoneornil(L, arg)) return settings;
  if (lua_type(L, arg) != LUA_TTABLE)
    luaL_error(L, "%s: options are %s; expected a table", owner, nas_check_shown(L, arg));
  nas_push_copy(L, arg);
  lua_replace(L, arg);
  settings.index = arg;
  return settings;
}

/* Pushes the field, nil if there is none, and returns its type. */
static int push_field(const nas_settings *settings, const char *name) {
  if (settings->index == 0) {
    lua_pushnil(settings->L);
    return LUA_TNIL;
  }
  lua_pushstring(settings->L, name);
  return lua_rawget(settings->L, settings->index);
}

/* Raises: the value at a stack index is not what the setting takes. */
static void failed(const nas_settings *settings, const char *name, int index,
                   const char *expected) {
  luaL_error(settings->L, "%s: %s is %s; expected %s", settings->owner, name,
             nas_check_shown(settings->L, index), expected);
}

nas_settings nas_settings_inner(const nas_settings *settings, const char *name) {
  int type = push_field(settings, name);
  if (type != LUA_TTABLE && type != LUA_TNIL) failed(settings, name, -1, "a table");
  return nas_settings_open(settings->L, lua_gettop(settings->L), settings->owner);
}

const char *nas_settings_word(const nas_settings *settings, const char *name, const char *preset) {
  int is_table = push_field(settings, name) == LUA_TTABLE;
  lua_pop(settings->L, 1);
  return is_table ? NULL : nas_settings_string(settings, name, preset);
}

/* -- known names ------------------------------------------------------------------------------ */

static int is_known(const char *key, size_t length, const char *const *names,
                    const nas_option_table *table) {
  if (strlen(key) != length) return 0;
  for (int i = 0; names && names[i]; i++)
    if (strcmp(names[i], key) == 0) return 1;
  for (int i = 0; table && i < table->count; i++)
    if (strcmp(table->options[i].name, key) == 0) return 1;
  return 0;
}

static void unknown(const nas_settings *settings, const char *key, const char *const *names,
                    const nas_option_table *table) {
  const char *comma = "";
  luaL_Buffer known;
  luaL_buffinit(settings->L, &known);
  for (int i = 0; names && names[i]; i++, comma = ", ") {
    luaL_addstring(&known, comma);
    luaL_addstring(&known, names[i]);
  }
  for (int i = 0; table && i < table->count; i++, comma = ", ") {
    luaL_addstring(&known, comma);
    luaL_addstring(&known, table->options[i].name);
  }
  if (*comma == 0) luaL_addstring(&known, "none");
  luaL_pushresult(&known);
  luaL_error(settings->L, "%s: unknown option \"%s\"; known options: %s", settings->owner, key,
             lua_tostring(settings->L, -1));
}

void nas_settings_known(const nas_settings *settings, const char *const *names,
                        const nas_option_table *table) {
  lua_State *L = settings->L;
  const char *first = NULL; /* the unknown key that sorts first */
  int strange = 0;
  if (settings->index == 0) return;
  lua_pushnil(L);
  while (lua_next(L, settings->index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      strange = 1;
      continue;
    }
    size_t length;
    const char *key = lua_tolstring(L, -1, &length);
    if (!is_known(key, length, names, table) && (!first || strcmp(key, first) < 0)) first = key;
  }
  if (first) unknown(settings, first, names, table);
  if (strange) luaL_error(L, "%s: options are named, as in {name = value}", settings->owner);
}

/* -- single fields ---------------------------------------------------------------------------- */

lua_Integer nas_settings_integer(const nas_settings *settings, const char *name, lua_Integer preset,
                                 lua_Integer low, lua_Integer high) {
  lua_State *L = settings->L;
  int type = push_field(settings, name), is_integer = 0;
  lua_Integer value = preset;
  if (type == LUA_TNUMBER) value = lua_tointegerx(L, -1, &is_integer);
  if (type != LUA_TNIL && (!is_integer || value < low || value > high))
    failed(settings, name, -2, lua_pushfstring(L, "an integer from %I to %I", low, high));
  lua_pop(L, 1);
  return value;
}

int nas_settings_boolean(const nas_settings *settings, const char *name, int preset) {
  int type = push_field(settings, name);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) failed(settings, name, -1, "true or false");
  int value = type == LUA_TBOOLEAN ? lua_toboolean(settings->L, -1) : preset;
  lua_pop(settings->L, 1);
  return value;
}

double nas_settings_number(const nas_settings *settings, const char *name, double preset,
                           double low, double high) {
  lua_State *L = settings->L;
  int type = push_field(settings, name);
  double value = type == LUA_TNUMBER ? lua_tonumber(L, -1) : preset;
  if ((type != LUA_TNUMBER && type != LUA_TNIL) || !(value >= low && value <= high))
    failed(settings, name, -2, lua_pushfstring(L, "a number from %f to %f", low, high));
  lua_pop(L, 1);
  return value;
}

const char *nas_settings_bytes(const nas_settings *settings, const char *name, size_t *size) {
  lua_State *L = settings->L;
  const char *value = NULL;
  int type = push_field(settings, name);
  *size = 0;
  if (type != LUA_TNIL && type != LUA_TSTRING) failed(settings, name, -1, "a string");
  if (type == LUA_TSTRING) value = lua_tolstring(L, -1, size);
  lua_pop(L, 1);
  return value;
}

const char *nas_settings_string(const nas_settings *settings, const char *name,
                                const char *preset) {
  size_t size;
  const char *value = nas_settings_bytes(settings, name, &size);
  if (!value) return preset;
  if (strlen(value) != size)
    luaL_error(settings->L, "%s: %s contains a zero byte", settings->owner, name);
  return value;
}

lua_Unsigned nas_settings_list(const nas_settings *settings, const char *name,
                               const char *expected) {
  if (push_field(settings, name) != LUA_TTABLE) failed(settings, name, -1, expected);
  return lua_rawlen(settings->L, -1);
}

void nas_settings_missing(const nas_settings *settings, const char *name, const char *expected) {
  luaL_error(settings->L, "%s: %s is missing; expected %s", settings->owner, name, expected);
}

/* -- options of a table ----------------------------------------------------------------------- */

static int is_whole(double x) {
  return fabs(x) < 1e15 && x == floor(x);
}

/* Pushes "`what` from low to high". */
static const char *expected_range(lua_State *L, const char *what, double low, double high) {
  if (is_whole(low) && is_whole(high))
    return lua_pushfstring(L, "%s from %I to %I", what, (lua_Integer)low, (lua_Integer)high);
  return lua_pushfstring(L, "%s from %f to %f", what, low, high);
}

/* What an option takes, for messages; pushed. */
static const char *expected_value(lua_State *L, const nas_option *option) {
  double low = option->low, high = option->high;
  switch (option->type) {
  case NAS_OPTION_INTEGER: return expected_range(L, "an integer", low, high);
  case NAS_OPTION_PAIR: return expected_range(L, "an integer or {height, width}, each", low, high);
  case NAS_OPTION_NUMBER: return expected_range(L, "a number", low, high);
  case NAS_OPTION_BOOLEAN: return lua_pushliteral(L, "true or false");
  case NAS_OPTION_CHOICE: break;
  }
  luaL_Buffer words;
  luaL_buffinit(L, &words);
  luaL_addstring(&words, "one of ");
  for (int i = 0; option->choices[i]; i++) {
    if (i) luaL_addstring(&words, ", ");
    luaL_addstring(&words, option->choices[i]);
  }
  luaL_pushresult(&words);
  return lua_tostring(L, -1);
}

/* The two numbers of the table on top of the stack; 0 if it has another form. */
static int read_pair(lua_State *L, double pair[2]) {
  int numbers = lua_rawlen(L, -1) == 2;
  for (int i = 0; i < 2; i++) {
    numbers &= lua_rawgeti(L, -1, i + 1) == LUA_TNUMBER;
    pair[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return numbers;
}

/* Sets option i from the value on top of the stack; 0 if its type or range is wrong. */
static int set_option(lua_State *L, const nas_option_table *table, int i,
                      nas_option_value *values) {
  const nas_option *option = &table->options[i];
  double pair[2];
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    if (option->type == NAS_OPTION_BOOLEAN) return 0;
    return nas_options_set_number(table, values, i, lua_tonumber(L, -1), NULL) == NAS_OK;
  case LUA_TBOOLEAN:
    if (option->type != NAS_OPTION_BOOLEAN) return 0;
    return nas_options_set_number(table, values, i, lua_toboolean(L, -1), NULL) == NAS_OK;
  case LUA_TSTRING:
    return nas_options_set_word(table, values, i, lua_tostring(L, -1), NULL) == NAS_OK;
  case LUA_TTABLE:
    return read_pair(L, pair) &&
           nas_options_set_pair(table, values, i, pair[0], pair[1], NULL) == NAS_OK;
  default: return 0;
  }
}

void nas_settings_options(const nas_settings *settings, const nas_option_table *table,
                          nas_option_value *values) {
  lua_State *L = settings->L;
  for (int i = 0; i < table->count; i++) {
    const nas_option *option = &table->options[i];
    if (push_field(settings, option->name) == LUA_TNIL) {
      if (option->required) nas_settings_missing(settings, option->name, expected_value(L, option));
    } else if (!set_option(L, table, i, values)) {
      failed(settings, option->name, -2, expected_value(L, option));
    }
    lua_pop(L, 1);
  }
}
