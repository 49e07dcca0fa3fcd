/* Lua values as JSON text and back: core.json_encode, core.json_decode.
 *
 * Equal values make equal texts: keys are sorted, and a float is the fewest digits that read back
 * as the same, with a fraction or an exponent, so that it stays a float. */
#include <jansson.h>
#include <math.h>
#include <nas/text.h>
#include <stdlib.h>
#include <string.h>
#include "box.h"
#include "check.h"
#include "fields.h"
#include "text.h"
#include "types.h"

static const char JSON[] = "luanas.Json";

enum { DEPTH_MAX = 16 };

/* -- writing ---------------------------------------------------------------------------------- */

static void add_float(lua_State *L, nas_text *text, double value) {
  if (!isfinite(value))
    luaL_error(L, "json: %s; expected finite numbers", isnan(value) ? "NaN" : "an infinite number");
  size_t before = text->size;
  nas_text_add_double(text, value == 0 ? 0 : value); /* -0 is 0 */
  if (!text->failed && !strpbrk(text->data + before, ".e")) nas_text_add(text, ".0");
}

/* Other characters than these stand for themselves. */
static void add_string(lua_State *L, nas_text *text, int index) {
  static const char hex[] = "0123456789abcdef";
  size_t size;
  const char *s = lua_tolstring(L, index, &size);
  json_t *valid = json_stringn(s, size);
  json_decref(valid);
  if (!valid) luaL_error(L, "json: %s; expected strings in UTF-8", nas_check_shown(L, index));
  nas_text_add(text, "\"");
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)s[i];
    const char code[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15], '\0'};
    const char quoted[] = {'\\', (char)c, '\0'};
    if (c == '"' || c == '\\')
      nas_text_add(text, quoted);
    else if (c < 0x20)
      nas_text_add(text, code);
    else
      nas_text_add_bytes(text, &c, 1);
  }
  nas_text_add(text, "\"");
}

static void add_value(lua_State *L, nas_text *text, int index, int depth);

static void add_list(lua_State *L, nas_text *text, int index, int depth) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, index);
  nas_text_add(text, "[");
  for (lua_Integer i = 1; i <= count; i++) {
    if (i > 1) nas_text_add(text, ",");
    lua_rawgeti(L, index, i);
    add_value(L, text, lua_gettop(L), depth);
    lua_pop(L, 1);
  }
  nas_text_add(text, "]");
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_object(lua_State *L, nas_text *text, int index, int depth) {
  lua_Unsigned count = 0;
  nas_push_copy(L, index);
  index = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "json: the key %s; expected strings", nas_check_shown(L, -2));
    count++;
  }
  lua_newtable(L);
  const char **keys = nas_box_scratch(L, lua_gettop(L), count + 1, sizeof *keys);
  count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) keys[count++] = lua_tostring(L, -2);
  qsort(keys, count, sizeof *keys, by_bytes);
  nas_text_add(text, "{");
  for (lua_Unsigned i = 0; i < count; i++) {
    if (i > 0) nas_text_add(text, ",");
    lua_pushstring(L, keys[i]);
    add_string(L, text, lua_gettop(L));
    nas_text_add(text, ":");
    lua_rawget(L, index);
    add_value(L, text, lua_gettop(L), depth);
    lua_pop(L, 1);
  }
  nas_text_add(text, "}");
  lua_pop(L, 2);
}

static void add_value(lua_State *L, nas_text *text, int index, int depth) {
  luaL_checkstack(L, 8, "json");
  if (depth > DEPTH_MAX) luaL_error(L, "json: tables are nested deeper than %d", DEPTH_MAX);
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN: nas_text_add(text, lua_toboolean(L, index) ? "true" : "false"); break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      nas_text_add_integer(text, lua_tointeger(L, index));
    else
      add_float(L, text, lua_tonumber(L, index));
    break;
  case LUA_TSTRING: add_string(L, text, index); break;
  case LUA_TTABLE:
    if (lua_rawlen(L, index) > 0)
      add_list(L, text, index, depth + 1);
    else
      add_object(L, text, index, depth + 1);
    break;
  default:
    luaL_error(L, "json: %s; expected a number, a string, a boolean or a table",
               nas_check_shown(L, index));
  }
}

/* core.json_encode(value): a table with a first element is a list, another one an object. */
static int core_json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  nas_text *text = nas_text_new(L);
  add_value(L, text, 1, 0);
  return nas_text_to_string(L);
}

/* -- reading ---------------------------------------------------------------------------------- */

static int json_close(lua_State *L) {
  json_t **value = nas_box_peek(L, 1, JSON);
  json_decref(*value);
  *value = NULL;
  return 0;
}

static void push_value(lua_State *L, const json_t *value, int depth) {
  luaL_checkstack(L, 4, "json");
  if (depth > DEPTH_MAX) luaL_error(L, "json: nested deeper than %d", DEPTH_MAX);
  switch (json_typeof(value)) {
  case JSON_OBJECT: {
    const char *key;
    json_t *field;
    lua_createtable(L, 0, (int)json_object_size(value));
    json_object_foreach((json_t *)value, key, field) {
      push_value(L, field, depth + 1);
      lua_setfield(L, -2, key);
    }
    break;
  }
  case JSON_ARRAY:
    lua_createtable(L, (int)json_array_size(value), 0);
    for (size_t i = 0; i < json_array_size(value); i++) {
      push_value(L, json_array_get(value, i), depth + 1);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    break;
  case JSON_STRING: lua_pushlstring(L, json_string_value(value), json_string_length(value)); break;
  case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
  case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
  case JSON_TRUE:
  case JSON_FALSE: lua_pushboolean(L, json_is_true(value)); break;
  default: lua_pushnil(L);
  }
}

/* core.json_decode(text): the value, or nil and what is wrong. null is nil. */
static int core_json_decode(lua_State *L) {
  size_t size;
  json_error_t problem;
  const char *text = luaL_checklstring(L, 1, &size);
  json_t **value = nas_box_new(L, JSON, sizeof *value, 0);
  *value =
      json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);
  if (!*value) {
    luaL_pushfail(L);
    lua_pushfstring(L, "json: byte %d: %s", problem.position, problem.text);
    return 2;
  }
  push_value(L, *value, 0);
  json_decref(*value);
  *value = NULL;
  return 1;
}

void nas_open_json(lua_State *L) {
  nas_box_type(L, JSON, (const luaL_Reg[]){{NULL, NULL}}, NULL, json_close);
  lua_pushcfunction(L, core_json_encode);
  lua_setfield(L, -2, "json_encode");
  lua_pushcfunction(L, core_json_decode);
  lua_setfield(L, -2, "json_decode");
}
