#include <nas/options.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void nas_options_default(const nas_option_table *table, nas_option_value *values) {
  for (int i = 0; i < table->count; i++) {
    const nas_option *option = &table->options[i];
    memset(&values[i], 0, sizeof values[i]);
    switch (option->type) {
    case NAS_OPTION_NUMBER: values[i].number = option->preset; break;
    case NAS_OPTION_PAIR: values[i].pair[0] = values[i].pair[1] = (int)option->preset; break;
    default: values[i].integer = (int)option->preset;
    }
  }
}

int nas_options_find(const nas_option_table *table, const char *name, nas_error *err) {
  for (int i = 0; i < table->count; i++)
    if (strcmp(table->options[i].name, name) == 0) return i;
  nas_text known = {0};
  for (int i = 0; i < table->count; i++) {
    if (i) nas_text_add(&known, ", ");
    nas_text_add(&known, table->options[i].name);
  }
  nas_fail(err, NAS_ARGUMENT, "%s: unknown option \"%s\"; known options: %s", table->owner, name,
           known.data ? known.data : "none");
  nas_text_clear(&known);
  return -1;
}

static nas_status fail_range(const nas_option_table *table, const nas_option *option, double value,
                             nas_error *err) {
  const char *type = option->type == NAS_OPTION_NUMBER ? "a number" : "an integer";
  return nas_fail(err, NAS_ARGUMENT, "%s: %s is %.9g; expected %s from %.9g to %.9g", table->owner,
                  option->name, value, type, option->low, option->high);
}

static int in_range(const nas_option *option, double value) {
  if (!(value >= option->low && value <= option->high)) return 0;
  return option->type == NAS_OPTION_NUMBER || value == floor(value);
}

static const char *expected_type(nas_option_type type) {
  switch (type) {
  case NAS_OPTION_INTEGER: return "an integer";
  case NAS_OPTION_PAIR: return "an integer or two integers {height, width}";
  case NAS_OPTION_NUMBER: return "a number";
  case NAS_OPTION_BOOLEAN: return "true or false";
  case NAS_OPTION_CHOICE: return "a word";
  }
  return "nothing";
}

static nas_status fail_type(const nas_option_table *table, int index, const char *given,
                            nas_error *err) {
  const nas_option *option = &table->options[index];
  return nas_fail(err, NAS_ARGUMENT, "%s: %s is %s; expected %s", table->owner, option->name, given,
                  expected_type(option->type));
}

nas_status nas_options_set_number(const nas_option_table *table, nas_option_value *values,
                                  int index, double value, nas_error *err) {
  const nas_option *option = &table->options[index];
  switch (option->type) {
  case NAS_OPTION_PAIR: return nas_options_set_pair(table, values, index, value, value, err);
  case NAS_OPTION_CHOICE: return fail_type(table, index, "a number", err);
  case NAS_OPTION_BOOLEAN:
    if (value != 0 && value != 1) return fail_type(table, index, "a number", err);
    values[index].integer = value != 0;
    return NAS_OK;
  case NAS_OPTION_INTEGER:
    if (!in_range(option, value)) return fail_range(table, option, value, err);
    values[index].integer = (int)value;
    return NAS_OK;
  case NAS_OPTION_NUMBER:
    if (!in_range(option, value)) return fail_range(table, option, value, err);
    values[index].number = value + 0.0; /* -0 becomes 0: one value, one text */
    return NAS_OK;
  }
  return fail_type(table, index, "of an unknown type", err);
}

nas_status nas_options_set_pair(const nas_option_table *table, nas_option_value *values, int index,
                                double first, double second, nas_error *err) {
  const nas_option *option = &table->options[index];
  if (option->type != NAS_OPTION_PAIR) return fail_type(table, index, "a pair", err);
  if (!in_range(option, first)) return fail_range(table, option, first, err);
  if (!in_range(option, second)) return fail_range(table, option, second, err);
  values[index].pair[0] = (int)first;
  values[index].pair[1] = (int)second;
  return NAS_OK;
}

nas_status nas_options_set_word(const nas_option_table *table, nas_option_value *values, int index,
                                const char *word, nas_error *err) {
  const nas_option *option = &table->options[index];
  if (option->type != NAS_OPTION_CHOICE) return fail_type(table, index, "a word", err);
  for (int i = 0; option->choices[i]; i++)
    if (strcmp(option->choices[i], word) == 0) {
      values[index].integer = i;
      return NAS_OK;
    }
  nas_text known = {0};
  for (int i = 0; option->choices[i]; i++) {
    if (i) nas_text_add(&known, ", ");
    nas_text_add(&known, option->choices[i]);
  }
  nas_fail(err, NAS_ARGUMENT, "%s: %s is \"%s\"; expected one of %s", table->owner, option->name,
           word, known.data ? known.data : "nothing");
  nas_text_clear(&known);
  return NAS_ARGUMENT;
}

void nas_options_text(const nas_option_table *table, const nas_option_value *values,
                      nas_text *text) {
  for (int i = 0; i < table->count; i++) {
    const nas_option *option = &table->options[i];
    nas_text_add(text, " ");
    nas_text_add(text, option->name);
    nas_text_add(text, "=");
    switch (option->type) {
    case NAS_OPTION_NUMBER: nas_text_add_double(text, values[i].number); break;
    case NAS_OPTION_CHOICE: nas_text_add(text, option->choices[values[i].integer]); break;
    case NAS_OPTION_PAIR:
      nas_text_add_integer(text, values[i].pair[0]);
      nas_text_add(text, ",");
      nas_text_add_integer(text, values[i].pair[1]);
      break;
    default: nas_text_add_integer(text, values[i].integer);
    }
  }
}

/* -- from text -------------------------------------------------------------------------------- */

/* A number that nas_text_add_double wrote, whatever the locale says of decimal points; -1 for
 * anything else. */
static int read_number(const char *word, double *value) {
  char *end;
  locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
  if (!c) return -1;
  *value = strtod_l(word, &end, c);
  freelocale(c);
  return *word == 0 || *word == ' ' || *end != 0 ? -1 : 0;
}

static nas_status set_from_word(const nas_option_table *table, nas_option_value *values, int index,
                                char *word, nas_error *err) {
  const nas_option *option = &table->options[index];
  double first, second;
  if (option->type == NAS_OPTION_CHOICE)
    return nas_options_set_word(table, values, index, word, err);
  char *comma = option->type == NAS_OPTION_PAIR ? strchr(word, ',') : NULL;
  if (comma) *comma = 0;
  if (read_number(word, &first) || (comma && read_number(comma + 1, &second)) ||
      (option->type == NAS_OPTION_PAIR && !comma))
    return nas_fail(err, NAS_FORMAT, "%s: %s is \"%.40s\"; expected %s", table->owner, option->name,
                    word, expected_type(option->type));
  return comma ? nas_options_set_pair(table, values, index, first, second, err)
               : nas_options_set_number(table, values, index, first, err);
}

nas_status nas_options_parse(const nas_option_table *table, nas_option_value *values,
                             const char *text, nas_error *err) {
  for (int i = 0; i < table->count; i++) {
    const nas_option *option = &table->options[i];
    size_t name = strlen(option->name);
    if (text[0] != ' ' || strncmp(text + 1, option->name, name) != 0 || text[1 + name] != '=')
      return nas_fail(err, NAS_FORMAT, "%s: \"%.40s\" instead of \" %s=\"", table->owner, text,
                      option->name);
    text += name + 2;
    char word[64];
    size_t length = strcspn(text, " ");
    if (length >= sizeof word)
      return nas_fail(err, NAS_FORMAT, "%s: %s is \"%.40s...\"; expected %s", table->owner,
                      option->name, text, expected_type(option->type));
    memcpy(word, text, length);
    word[length] = 0;
    text += length;
    nas_status status = set_from_word(table, values, i, word, err);
    if (status != NAS_OK) return status == NAS_ARGUMENT ? NAS_FORMAT : status;
  }
  if (*text == 0) return NAS_OK;
  return nas_fail(err, NAS_FORMAT, "%s: \"%.40s\" behind the last option", table->owner, text);
}
