/* Tables of named settings. Errors name the owner ("conv2d"), the setting, the value and what is
 * allowed. Which of several errors is reported does not depend on the order of pairs. Fields are
 * read without metamethods. */
#ifndef NAS_BINDINGS_SETTINGS_H
#define NAS_BINDINGS_SETTINGS_H

#include <lua.h>
#include <nas/options.h>

typedef struct nas_settings {
  lua_State *L;
  int index;         /* of the table on the stack; 0: there is none, everything has its default */
  const char *owner; /* begins every message */
} nas_settings;

/* The table at argument `arg`, which may be nil or absent. A copy takes its place: strings that are
 * read from it stay as long as that is on the stack, or kept elsewhere, whatever finalizers do. */
nas_settings nas_settings_open(lua_State *L, int arg, const char *owner);

/* A copy of the table in field `name`, which may be absent; it is pushed, as is nil. */
nas_settings nas_settings_inner(const nas_settings *settings, const char *name);

/* Raises if the table has a key that is neither in names[], which ends in NULL, nor in `table`;
 * either may be NULL. */
void nas_settings_known(const nas_settings *settings, const char *const *names,
                        const nas_option_table *table);

lua_Integer nas_settings_integer(const nas_settings *settings, const char *name, lua_Integer preset,
                                 lua_Integer low, lua_Integer high);

double nas_settings_number(const nas_settings *settings, const char *name, double preset,
                           double low, double high);

int nas_settings_boolean(const nas_settings *settings, const char *name, int preset);

/* Without zero bytes. */
const char *nas_settings_string(const nas_settings *settings, const char *name, const char *preset);

/* With zero bytes, if it has any; NULL: absent. */
const char *nas_settings_bytes(const nas_settings *settings, const char *name, size_t *size);

/* A string, or NULL where the field is a table. */
const char *nas_settings_word(const nas_settings *settings, const char *name, const char *preset);

/* Pushes the list in a field; returns its length. `expected` tells of what. */
lua_Unsigned nas_settings_list(const nas_settings *settings, const char *name,
                               const char *expected);

/* Raises because the field is absent. */
void nas_settings_missing(const nas_settings *settings, const char *name, const char *expected);

/* Sets values[] from the fields that `table` knows and that are there; raises for an absent one
 * that is required. values[] hold the defaults before. */
void nas_settings_options(const nas_settings *settings, const nas_option_table *table,
                          nas_option_value *values);

#endif
