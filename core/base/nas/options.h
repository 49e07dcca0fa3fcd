/* Settings by name: one table says what a layer, an optimiser or a recipe accepts, and serves the
 * range checks, the error messages, the canonical text and the Lua tables alike. */
#ifndef NAS_OPTIONS_H
#define NAS_OPTIONS_H

#include <nas/status.h>
#include <nas/text.h>

typedef enum nas_option_type {
  NAS_OPTION_INTEGER,
  NAS_OPTION_PAIR, /* two integers, height and width; one given integer stands for both */
  NAS_OPTION_NUMBER,
  NAS_OPTION_BOOLEAN,
  NAS_OPTION_CHOICE, /* one of a list of words */
} nas_option_type;

typedef union nas_option_value {
  int integer; /* also a boolean (0, 1) and a choice (index into choices) */
  int pair[2];
  double number;
} nas_option_value;

typedef struct nas_option {
  const char *name;
  nas_option_type type;
  int required;
  double preset;              /* the default; a choice: its index */
  double low, high;           /* inclusive; for numbers and integers */
  const char *const *choices; /* NULL-terminated */
  const char *help;           /* one sentence with unit */
} nas_option;

/* A table and its length; values are arrays of the same length. */
typedef struct nas_option_table {
  const char *owner; /* "conv2d", "adam": begins every message */
  const nas_option *options;
  int count;
} nas_option_table;

#define NAS_OPTIONS_MAX 16 /* options in one table, at most */

/* Fills values with the defaults. */
NAS_API void nas_options_default(const nas_option_table *table, nas_option_value *values);

/* The index of the option of that name; or -1 and NAS_ARGUMENT in *err with the known names. */
NAS_API int nas_options_find(const nas_option_table *table, const char *name, nas_error *err);

/* Sets option `index` from a number (INTEGER, PAIR, NUMBER, BOOLEAN as 0 or 1), two numbers (PAIR)
 * or a word (CHOICE). NAS_ARGUMENT with name, given value and allowed range otherwise; values are
 * then unchanged. */
NAS_API nas_status nas_options_set_number(const nas_option_table *table, nas_option_value *values,
                                          int index, double value, nas_error *err);
NAS_API nas_status nas_options_set_pair(const nas_option_table *table, nas_option_value *values,
                                        int index, double first, double second, nas_error *err);
NAS_API nas_status nas_options_set_word(const nas_option_table *table, nas_option_value *values,
                                        int index, const char *word, nas_error *err);

/* Appends " name=value" for every option in table order, defaults included: the canonical text. */
NAS_API void nas_options_text(const nas_option_table *table, const nas_option_value *values,
                              nas_text *text);

/* The inverse: values from a text that names every option of the table once, in any order. What
 * nas_options_text wrote gives the same bits. NAS_FORMAT, with the option and what was expected,
 * for a name that is unknown, missing or there twice, a value out of range, and anything else in
 * the text; values are then unchanged. */
NAS_API nas_status nas_options_parse(const nas_option_table *table, nas_option_value *values,
                                     const char *text, nas_error *err);

#endif
