#include <nas/csv.h>
#include "source.h"
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <nas/memory.h>

#define PIECE     ((size_t)64 << 10)
#define SHOWN     48 /* bytes of a cell in messages, with the NUL */
#define BYTES_MAX ((size_t)INT32_MAX)

struct nas_csv {
  char name[NAS_SOURCE_NAME];
  int64_t rows, columns;
  int header;       /* whether the first row in the file gives the names */
  nas_block texts;  /* the cells in file order, then names that the file lacks; each with a NUL */
  nas_block starts; /* uint32_t for each cell: where it begins in texts */
  nas_block names;  /* the same for the name of each column */
  nas_block lines;  /* uint32_t for each row in the file: where it begins */
};

static uint32_t number_at(const nas_block *block, int64_t i) {
  return ((const uint32_t *)block->bytes)[i];
}

/* A text as messages show it. */
static const char *shown(const char *text, char out[SHOWN]) {
  size_t length = strlen(text);
  if (length >= SHOWN) {
    length = SHOWN - 4;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    snprintf(out, SHOWN, "%.*s...", (int)length, text);
  } else {
    memcpy(out, text, length + 1);
  }
  return out;
}

/* ---- Parsing ---- */

typedef enum place {
  BEFORE, /* a cell; only blanks so far */
  PLAIN,  /* inside a cell without quotes */
  QUOTED, /* inside quotes */
  QUOTE,  /* behind a quote that closes, or is the first of two */
  BEHIND, /* a closed cell; only blanks so far */
} place;

typedef struct parser {
  nas_csv *table;
  char delimiter;
  place place;
  int after_cr;
  uint32_t line;       /* from 1 */
  uint32_t row_line;   /* where the row began */
  uint32_t quote_line; /* where the quotes were opened */
  int64_t cells;       /* of this row, so far */
  size_t start;        /* of this cell in texts */
  size_t end;          /* of this cell without blanks behind it */
  nas_error *err;
} parser;

static nas_status fail_line(const parser *p, const char *what) {
  return nas_fail(p->err, NAS_FORMAT, "%s, line %" PRIu32 ": %s", p->table->name, p->line, what);
}

static nas_status put(parser *p, char character) {
  nas_block *texts = &p->table->texts;
  if (texts->size == texts->capacity) {
    if (texts->size == BYTES_MAX)
      return nas_fail(p->err, NAS_LIMIT, "%s, line %" PRIu32 ": more than %zu bytes of cells",
                      p->table->name, p->line, BYTES_MAX);
    nas_status status = nas_block_reserve(texts, 1, BYTES_MAX, "the cells of a CSV file", p->err);
    if (status != NAS_OK) return status;
  }
  texts->bytes[texts->size++] = (unsigned char)character;
  return NAS_OK;
}

static nas_status put_number(nas_block *block, size_t number, nas_error *err) {
  uint32_t value = (uint32_t)number;
  nas_status status =
      nas_block_reserve(block, sizeof value, SIZE_MAX, "the places of a CSV file", err);
  if (status != NAS_OK) return status;
  memcpy(block->bytes + block->size, &value, sizeof value);
  block->size += sizeof value;
  return NAS_OK;
}

static nas_status end_cell(parser *p) {
  if (p->place == PLAIN) p->table->texts.size = p->end;
  nas_status status = put(p, 0);
  if (status == NAS_OK) status = put_number(&p->table->starts, p->start, p->err);
  p->start = p->table->texts.size;
  p->place = BEFORE;
  p->cells++;
  return status;
}

static nas_status end_row(parser *p) {
  nas_csv *table = p->table;
  if (p->cells == 0 && p->place == BEFORE) return NAS_OK; /* a blank line */
  nas_status status = end_cell(p);
  if (status != NAS_OK) return status;
  if (table->lines.size == 0) table->columns = p->cells;
  if (p->cells != table->columns)
    return nas_fail(p->err, NAS_FORMAT,
                    "%s, line %" PRIu32 ": the number of cells is %" PRId64 "; expected %" PRId64
                    " as in line %" PRIu32,
                    table->name, p->row_line, p->cells, table->columns,
                    number_at(&table->lines, 0));
  p->cells = 0;
  return put_number(&table->lines, p->row_line, p->err);
}

static int is_blank(const parser *p, char character) {
  return (character == ' ' || character == '\t') && character != p->delimiter;
}

static int is_line_end(char character) {
  return character == '\n' || character == '\r';
}

static nas_status parse_outside(parser *p, char character) {
  if (p->place == BEFORE && p->cells == 0) p->row_line = p->line;
  if (character == p->delimiter) return end_cell(p);
  if (is_line_end(character)) return end_row(p);
  if (is_blank(p, character)) return p->place == PLAIN ? put(p, character) : NAS_OK;
  switch (p->place) {
  case PLAIN:
    if (character == '"') return fail_line(p, "a quote inside a cell; such a cell must be quoted");
    break;
  case BEFORE:
    if (character == '"') {
      p->place = QUOTED;
      p->quote_line = p->line;
      return NAS_OK;
    }
    p->place = PLAIN;
    break;
  default: return fail_line(p, "text behind a closing quote; expected the end of the cell");
  }
  nas_status status = put(p, character);
  p->end = p->table->texts.size;
  return status;
}

static nas_status parse_character(parser *p, char character) {
  if (character == 0) return fail_line(p, "a zero byte; expected text in ASCII, UTF-8 or the like");
  if (p->place == QUOTED) {
    if (character != '"') return put(p, character);
    p->place = QUOTE;
    return NAS_OK;
  }
  if (p->place == QUOTE) {
    p->place = character == '"' ? QUOTED : BEHIND;
    if (character == '"') return put(p, character);
  }
  return parse_outside(p, character);
}

static nas_status parse(parser *p, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    nas_status status = parse_character(p, bytes[i]);
    if (status != NAS_OK) return status;
    if (bytes[i] == '\r' || (bytes[i] == '\n' && !p->after_cr)) p->line++;
    p->after_cr = bytes[i] == '\r';
  }
  return NAS_OK;
}

static nas_status parse_end(parser *p) {
  if (p->place == QUOTED)
    return nas_fail(p->err, NAS_FORMAT,
                    "%s, line %" PRIu32 ": the quote that opens a cell here is never closed",
                    p->table->name, p->quote_line);
  return parse(p, "\n", 1);
}

/* ---- The file ---- */

/* The delimiter that the first line with any text has most often. */
static char detect(const char *bytes, size_t size) {
  static const char delimiters[] = ",;\t";
  size_t counts[3] = {0}, best = 0;
  int quoted = 0, any = 0;
  for (size_t i = 0; i < size && (quoted || !any || !is_line_end(bytes[i])); i++) {
    const char *found = bytes[i] && !quoted ? strchr(delimiters, bytes[i]) : NULL;
    if (bytes[i] == '"') quoted = !quoted;
    if (!is_line_end(bytes[i]) && bytes[i] != ' ') any = 1;
    if (found) counts[found - delimiters]++;
  }
  for (size_t k = 1; k < 3; k++)
    if (counts[k] > counts[best]) best = k;
  return delimiters[best];
}

static nas_status parse_source(parser *p, nas_source *source, char *piece) {
  int first = 1;
  size_t count = PIECE;
  while (count == PIECE) {
    size_t skipped = 0;
    nas_status status = nas_source_read(source, piece, PIECE, &count, p->err);
    if (status != NAS_OK) return status;
    if (first && count >= 3 && memcmp(piece, "\xEF\xBB\xBF", 3) == 0) skipped = 3;
    if (first && !p->delimiter) p->delimiter = detect(piece + skipped, count - skipped);
    first = 0;
    status = parse(p, piece + skipped, count - skipped);
    if (status != NAS_OK) return status;
  }
  return parse_end(p);
}

/* The name of a column: the cell in the first row, or its number. */
static nas_status name_column(parser *p, int64_t column) {
  nas_csv *table = p->table;
  char number[24];
  if (table->header) {
    uint32_t start = number_at(&table->starts, column);
    if (table->texts.bytes[start]) return put_number(&table->names, start, p->err);
  }
  nas_status status = put_number(&table->names, table->texts.size, p->err);
  int length = snprintf(number, sizeof number, "%" PRId64, column + 1);
  for (int i = 0; status == NAS_OK && i <= length; i++) status = put(p, number[i]);
  return status;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static nas_status check_names(const nas_csv *table, nas_error *err) {
  char text[SHOWN];
  nas_status status = NAS_OK;
  const char **names = nas_alloc((size_t)table->columns, sizeof *names);
  if (!names) return nas_fail_memory(err, "the names of columns", (size_t)table->columns);
  for (int64_t k = 0; k < table->columns; k++) names[k] = nas_csv_name(table, k);
  qsort(names, (size_t)table->columns, sizeof *names, compare_texts);
  for (int64_t k = 1; k < table->columns && status == NAS_OK; k++)
    if (strcmp(names[k - 1], names[k]) == 0)
      status = nas_fail(err, NAS_FORMAT, "%s, line %" PRIu32 ": two columns are named \"%s\"",
                        table->name, number_at(&table->lines, 0), shown(names[k], text));
  nas_free(names);
  return status;
}

/* What is left to do when all is parsed. */
static nas_status complete(parser *p) {
  nas_csv *table = p->table;
  nas_status status = NAS_OK;
  table->rows = (int64_t)(table->lines.size / sizeof(uint32_t)) - table->header;
  if (table->rows < 1)
    return nas_fail(p->err, NAS_FORMAT, "%s: no rows%s", table->name,
                    table->columns ? " behind the names of the columns" : "");
  for (int64_t k = 0; status == NAS_OK && k < table->columns; k++) status = name_column(p, k);
  if (status == NAS_OK) status = check_names(table, p->err);
  nas_block *blocks[] = {&table->texts, &table->starts, &table->names, &table->lines};
  for (int i = 0; status == NAS_OK && i < 4; i++)
    status = nas_block_fit(blocks[i], "a table", p->err);
  return status;
}

static nas_status read_source(nas_csv **out, nas_source *source, const nas_csv_settings *settings,
                              nas_error *err) {
  char *piece = nas_alloc(PIECE, 1);
  nas_csv *table = nas_alloc_zero(1, sizeof *table);
  nas_status status = NAS_OK;
  if (!piece || !table) status = nas_fail_memory(err, "a table", PIECE);
  if (status == NAS_OK) {
    parser p = {.table = table, .delimiter = settings->delimiter, .line = 1, .err = err};
    table->header = settings->header;
    memcpy(table->name, source->name, sizeof table->name);
    status = parse_source(&p, source, piece);
    if (status == NAS_OK) status = complete(&p);
  }
  nas_free(piece);
  if (status == NAS_OK)
    *out = table;
  else
    nas_csv_destroy(&table);
  return status;
}

void nas_csv_settings_default(nas_csv_settings *settings) {
  *settings = (nas_csv_settings){.header = 1};
}

static nas_status check_settings(const nas_csv_settings *settings, nas_error *err) {
  if (settings->delimiter && !strchr(",;|:\t", settings->delimiter))
    return nas_fail(err, NAS_ARGUMENT,
                    "csv: delimiter is byte 0x%02X; expected one of , ; | : and tab",
                    (unsigned char)settings->delimiter);
  if (settings->header != 0 && settings->header != 1)
    return nas_fail(err, NAS_ARGUMENT, "csv: header is %d; expected 0 or 1", settings->header);
  return NAS_OK;
}

nas_status nas_csv_read(nas_csv **out, const char *path, const nas_csv_settings *settings,
                        nas_error *err) {
  nas_source source;
  nas_csv_settings preset;
  *out = NULL;
  nas_csv_settings_default(&preset);
  if (!settings) settings = &preset;
  nas_status status = check_settings(settings, err);
  if (status != NAS_OK) return status;
  status = nas_source_open_file(&source, path, 0, err);
  if (status == NAS_OK) status = read_source(out, &source, settings, err);
  nas_source_close(&source);
  return status;
}

nas_status nas_csv_read_memory(nas_csv **out, const void *bytes, size_t size, const char *name,
                               const nas_csv_settings *settings, nas_error *err) {
  nas_source source;
  nas_csv_settings preset;
  *out = NULL;
  nas_csv_settings_default(&preset);
  if (!settings) settings = &preset;
  nas_status status = check_settings(settings, err);
  if (status != NAS_OK) return status;
  nas_source_open_memory(&source, bytes, size, name, 0);
  return read_source(out, &source, settings, err);
}

void nas_csv_destroy(nas_csv **table) {
  if (!table || !*table) return;
  nas_block_clear(&(*table)->texts);
  nas_block_clear(&(*table)->starts);
  nas_block_clear(&(*table)->names);
  nas_block_clear(&(*table)->lines);
  nas_free(*table);
  *table = NULL;
}

/* ---- The table ---- */

int64_t nas_csv_rows(const nas_csv *table) {
  return table->rows;
}

int64_t nas_csv_columns(const nas_csv *table) {
  return table->columns;
}

const char *nas_csv_name(const nas_csv *table, int64_t column) {
  return (const char *)table->texts.bytes + number_at(&table->names, column);
}

int64_t nas_csv_find(const nas_csv *table, const char *name) {
  for (int64_t k = 0; k < table->columns; k++)
    if (strcmp(nas_csv_name(table, k), name) == 0) return k;
  return -1;
}

const char *nas_csv_cell(const nas_csv *table, int64_t row, int64_t column) {
  int64_t i = (row + table->header) * table->columns + column;
  return (const char *)table->texts.bytes + number_at(&table->starts, i);
}

int64_t nas_csv_line(const nas_csv *table, int64_t row) {
  return number_at(&table->lines, row + table->header);
}

static nas_status fail_cell(const nas_csv *table, int64_t row, int64_t column, const char *expected,
                            nas_error *err) {
  char name[SHOWN], text[SHOWN];
  const char *cell = nas_csv_cell(table, row, column);
  const char *quote = *cell ? "\"" : "";
  return nas_fail(err, NAS_FORMAT,
                  "%s, line %" PRId64 ", column \"%s\": the cell is %s%s%s; expected %s",
                  table->name, nas_csv_line(table, row), shown(nas_csv_name(table, column), name),
                  quote, *cell ? shown(cell, text) : "empty", quote, expected);
}

/* ---- Numbers ---- */

static const char *skip_digits(const char *text) {
  while (*text >= '0' && *text <= '9') text++;
  return text;
}

static int is_decimal(const char *text) {
  if (*text == '-' || *text == '+') text++;
  const char *digits = text;
  text = skip_digits(text);
  int64_t count = text - digits;
  if (*text == '.') {
    digits = ++text;
    text = skip_digits(text);
    count += text - digits;
  }
  if (count == 0) return 0;
  if (*text == 'e' || *text == 'E') {
    text += text[1] == '-' || text[1] == '+' ? 2 : 1;
    digits = text;
    text = skip_digits(text);
    if (text == digits) return 0;
  }
  return *text == 0;
}

/* What would have been expected, or NULL and the number. */
static const char *parse_float(const char *text, locale_t c_locale, float *value) {
  if (!is_decimal(text)) return "a number";
  *value = strtof_l(text, NULL, c_locale);
  return isinf(*value) ? "a number that float32 can hold" : NULL;
}

/* Needs no memory, being the locale that every program begins with. */
static locale_t make_c_locale(void) {
  return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int nas_csv_is_numeric(const nas_csv *table, int64_t column) {
  locale_t c_locale = make_c_locale();
  int64_t row = 0;
  float value;
  while (row < table->rows && !parse_float(nas_csv_cell(table, row, column), c_locale, &value))
    row++;
  freelocale(c_locale);
  return row == table->rows;
}

nas_status nas_csv_numbers(const nas_csv *table, const int64_t *columns, int64_t count,
                           nas_tensor **out, nas_error *err) {
  nas_status status = nas_tensor_create(out, NAS_FLOAT32, 2, (int64_t[]){table->rows, count}, err);
  if (status != NAS_OK) return status;
  locale_t c_locale = make_c_locale();
  float *values = nas_tensor_data(*out);
  for (int64_t i = 0; i < table->rows * count && status == NAS_OK; i++) {
    int64_t row = i / count, column = columns[i % count];
    const char *expected = parse_float(nas_csv_cell(table, row, column), c_locale, &values[i]);
    if (expected) status = fail_cell(table, row, column, expected, err);
  }
  freelocale(c_locale);
  if (status != NAS_OK) nas_tensor_destroy(out);
  return status;
}

/* ---- Classes ---- */

typedef struct entry {
  int64_t value; /* 0 unless every cell is an integer */
  const char *text;
  int64_t row;
} entry;

static int is_integer(const char *text) {
  if (*text == '-' || *text == '+') text++;
  const char *end = skip_digits(text);
  return *end == 0 && end > text && end - text <= 18;
}

static int compare_rows(const entry *a, const entry *b) {
  return (a->row > b->row) - (a->row < b->row);
}

static int compare_values(const void *a, const void *b) {
  const entry *left = a, *right = b;
  if (left->value == right->value) return compare_rows(left, right);
  return left->value < right->value ? -1 : 1;
}

static int compare_bytes(const void *a, const void *b) {
  const entry *left = a, *right = b;
  int order = strcmp(left->text, right->text);
  return order ? order : compare_rows(left, right);
}

/* Whether sorted entry i begins a class. */
static int begins(const entry *entries, int64_t i, int by_value) {
  if (i == 0) return 1;
  const entry *before = &entries[i - 1], *here = &entries[i];
  return by_value ? before->value != here->value : strcmp(before->text, here->text) != 0;
}

/* The cells of a column, sorted. */
static nas_status sort_cells(const nas_csv *table, int64_t column, entry *entries, int *by_value,
                             nas_error *err) {
  *by_value = 1;
  for (int64_t row = 0; row < table->rows; row++) {
    const char *text = nas_csv_cell(table, row, column);
    if (!*text) return fail_cell(table, row, column, "a class", err);
    entries[row] = (entry){.text = text, .row = row};
    if (!is_integer(text)) *by_value = 0;
  }
  for (int64_t row = 0; *by_value && row < table->rows; row++)
    entries[row].value = strtoll(entries[row].text, NULL, 10);
  qsort(entries, (size_t)table->rows, sizeof *entries, *by_value ? compare_values : compare_bytes);
  return NAS_OK;
}

static nas_status number_classes(const nas_csv *table, const entry *entries, int by_value,
                                 nas_tensor **labels, nas_csv_classes *classes, nas_error *err) {
  int64_t count = 0;
  for (int64_t i = 0; i < table->rows; i++) count += begins(entries, i, by_value);
  const char **names = nas_alloc((size_t)count, sizeof *names);
  if (!names) return nas_fail_memory(err, "the names of classes", (size_t)count * sizeof *names);
  nas_status status = nas_tensor_create(labels, NAS_INT32, 1, &table->rows, err);
  if (status != NAS_OK) {
    nas_free(names);
    return status;
  }
  int32_t *of_rows = nas_tensor_data(*labels);
  int32_t label = -1;
  for (int64_t i = 0; i < table->rows; i++) {
    if (begins(entries, i, by_value)) names[++label] = entries[i].text;
    of_rows[entries[i].row] = label;
  }
  *classes = (nas_csv_classes){.count = count, .names = names};
  return NAS_OK;
}

nas_status nas_csv_labels(const nas_csv *table, int64_t column, nas_tensor **labels,
                          nas_csv_classes *classes, nas_error *err) {
  int by_value;
  *labels = NULL;
  *classes = (nas_csv_classes){0};
  entry *entries = nas_alloc((size_t)table->rows, sizeof *entries);
  if (!entries)
    return nas_fail_memory(err, "the classes of a table", (size_t)table->rows * sizeof *entries);
  nas_status status = sort_cells(table, column, entries, &by_value, err);
  if (status == NAS_OK) status = number_classes(table, entries, by_value, labels, classes, err);
  nas_free(entries);
  return status;
}

void nas_csv_classes_clear(nas_csv_classes *classes) {
  nas_free(classes->names);
  *classes = (nas_csv_classes){0};
}
