#include <nas/options.h>
#include <math.h>
#include <stdio.h>
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

static void list_choices(const nas_option *option, nas_text *text) {
  for (int i = 0; option->choices[i]; i++) {
    if (i) nas_text_add(text, ", ");
    nas_text_add(text, option->choices[i]);
  }
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
  list_choices(option, &known);
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

/* ---- Reading the text --------------------------------------------------------------------- */

static int parse_integer(const nas_option *option, const char *text, size_t size, int *integer) {
  int64_t value;
  if (nas_text_parse_integer(text, size, &value) || !in_range(option, (double)value)) return -1;
  *integer = (int)value;
  return 0;
}

static int parse_number(const nas_option *option, const char *text, size_t size, double *number) {
  double value;
  if (nas_text_parse_double(text, size, &value) || !in_range(option, value)) return -1;
  *number = value;
  return 0;
}

static int parse_pair(const nas_option *option, const char *text, size_t size, int pair[2]) {
  const char *comma = memchr(text, ',', size);
  if (!comma) return -1;
  size_t first = (size_t)(comma - text);
  return parse_integer(option, text, first, &pair[0]) ||
                 parse_integer(option, comma + 1, size - first - 1, &pair[1])
             ? -1
             : 0;
}

static int parse_boolean(const char *text, size_t size, int *truth) {
  if (size != 1 || (*text != '0' && *text != '1')) return -1;
  *truth = *text == '1';
  return 0;
}

static int parse_choice(const nas_option *option, const char *text, size_t size, int *choice) {
  for (int i = 0; option->choices[i]; i++)
    if (strlen(option->choices[i]) == size && memcmp(option->choices[i], text, size) == 0) {
      *choice = i;
      return 0;
    }
  return -1;
}

static int parse_value(const nas_option *option, const char *text, size_t size,
                       nas_option_value *value) {
  memset(value, 0, sizeof *value);
  switch (option->type) {
  case NAS_OPTION_INTEGER: return parse_integer(option, text, size, &value->integer);
  case NAS_OPTION_PAIR: return parse_pair(option, text, size, value->pair);
  case NAS_OPTION_NUMBER: return parse_number(option, text, size, &value->number);
  case NAS_OPTION_BOOLEAN: return parse_boolean(text, size, &value->integer);
  case NAS_OPTION_CHOICE: return parse_choice(option, text, size, &value->integer);
  }
  return -1;
}

enum { SHOWN_MAX = 60 }; /* bytes of a text that a message repeats */

static nas_status fail_value(const nas_option_table *table, const nas_option *option,
                             const char *given, size_t size, nas_error *err) {
  static const char *const expected[] = {[NAS_OPTION_INTEGER] = "an integer",
                                         [NAS_OPTION_PAIR] = "two integers with a comma, each",
                                         [NAS_OPTION_NUMBER] = "a number"};
  int shown = size < SHOWN_MAX ? (int)size : SHOWN_MAX;
  nas_text known = {0};
  switch (option->type) {
  case NAS_OPTION_CHOICE:
    list_choices(option, &known);
    nas_fail(err, NAS_FORMAT, "%s: %s is \"%.*s\"; expected one of %s", table->owner, option->name,
             shown, given, known.data ? known.data : "nothing");
    nas_text_clear(&known);
    return NAS_FORMAT;
  case NAS_OPTION_BOOLEAN:
    return nas_fail(err, NAS_FORMAT, "%s: %s is \"%.*s\"; expected 0 or 1", table->owner,
                    option->name, shown, given);
  default:
    return nas_fail(err, NAS_FORMAT, "%s: %s is \"%.*s\"; expected %s from %.9g to %.9g",
                    table->owner, option->name, shown, given, expected[option->type], option->low,
                    option->high);
  }
}

/* The option that " name=value" at `text` names, and where its value begins; -1 after a failure. */
static int parse_name(const nas_option_table *table, const char *text, const char **value,
                      nas_error *err) {
  char name[SHOWN_MAX + 1];
  size_t length = *text == ' ' ? strcspn(text + 1, " =") : 0;
  if (*text != ' ' || text[1 + length] != '=') {
    nas_fail(err, NAS_FORMAT, "%s: expected \" name=value\", found \"%.*s\"", table->owner,
             SHOWN_MAX, text);
    return -1;
  }
  snprintf(name, sizeof name, "%.*s", (int)(length < SHOWN_MAX ? length : SHOWN_MAX), text + 1);
  *value = text + 1 + length + 1;
  int index = nas_options_find(table, name, err);
  if (index < 0) nas_fail(err, NAS_FORMAT, "%s", err ? err->text : "");
  return index;
}

nas_status nas_options_parse(const nas_option_table *table, nas_option_value *values,
                             const char *text, nas_error *err) {
  nas_option_value parsed[NAS_OPTIONS_MAX];
  int given[NAS_OPTIONS_MAX] = {0};
  while (*text) {
    const char *value;
    int i = parse_name(table, text, &value, err);
    if (i < 0) return NAS_FORMAT;
    if (given[i]++)
      return nas_fail(err, NAS_FORMAT, "%s: %s is given twice", table->owner,
                      table->options[i].name);
    size_t size = strcspn(value, " ");
    if (parse_value(&table->options[i], value, size, &parsed[i]))
      return fail_value(table, &table->options[i], value, size, err);
    text = value + size;
  }
  for (int i = 0; i < table->count; i++)
    if (!given[i])
      return nas_fail(err, NAS_FORMAT, "%s: %s is missing", table->owner, table->options[i].name);
  if (table->count) memcpy(values, parsed, (size_t)table->count * sizeof *values);
  return NAS_OK;
}
