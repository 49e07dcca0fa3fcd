#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <nas/memory.h>
#include <nas/text.h>

/* Room for size more bytes and a NUL. */
static int reserve(nas_text *text, size_t size) {
  size_t need, capacity;
  if (text->failed) return -1;
  if (nas_size_add(text->size, size, &need) || nas_size_add(need, 1, &need)) goto fail;
  if (need <= text->capacity) return 0;
  if (nas_size_mul(text->capacity, 2, &capacity)) goto fail;
  if (capacity < need) capacity = need < 64 ? 64 : need;
  char *data = nas_realloc(text->data, text->size, capacity, 1);
  if (!data) goto fail;
  text->data = data;
  text->capacity = capacity;
  return 0;
fail:
  text->failed = 1;
  return -1;
}

void nas_text_add_bytes(nas_text *text, const void *bytes, size_t size) {
  if (reserve(text, size)) return;
  if (size) memcpy(text->data + text->size, bytes, size);
  text->size += size;
  text->data[text->size] = 0;
}

void nas_text_add(nas_text *text, const char *piece) {
  nas_text_add_bytes(text, piece, strlen(piece));
}

void nas_text_add_integer(nas_text *text, int64_t value) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%" PRId64, value);
  nas_text_add_bytes(text, digits, (size_t)length);
}

/* Puts '.' where snprintf put the decimal point of the locale, which may be several bytes. */
static void replace_point(char *number) {
  const char *point = localeconv()->decimal_point;
  size_t size = strlen(point);
  char *at = size ? strstr(number, point) : NULL;
  if (!at || strcmp(point, ".") == 0) return;
  *at = '.';
  memmove(at + 1, at + size, strlen(at + size) + 1);
}

/* Finite numbers: the fewest digits for which `same` holds, then plain notation where that needs no
 * more than `digits` digits before the point. */
static void add_number(nas_text *text, double value, int digits,
                       int (*same)(const char *number, double value)) {
  char number[64];
  int precision = 0;
  do {
    snprintf(number, sizeof number, "%.*g", ++precision, value);
  } while (precision < digits && !same(number, value));
  const char *exponent = strchr(number, 'e');
  if (exponent && exponent[1] == '+') {
    int needed = atoi(exponent + 1) + 1;
    if (needed <= digits) snprintf(number, sizeof number, "%.*g", needed, value);
  }
  replace_point(number);
  nas_text_add(text, number);
}

static int same_float(const char *number, double value) {
  return strtof(number, NULL) == (float)value;
}

static int same_double(const char *number, double value) {
  return strtod(number, NULL) == value;
}

/* printf gives NaN a sign on some systems. */
static int add_special(nas_text *text, double value) {
  if (value - value == 0) return 0;
  nas_text_add(text, value != value ? "nan" : value < 0 ? "-inf" : "inf");
  return 1;
}

void nas_text_add_float(nas_text *text, float value) {
  if (add_special(text, (double)value)) return;
  add_number(text, (double)value, FLT_DECIMAL_DIG, same_float);
}

void nas_text_add_double(nas_text *text, double value) {
  if (add_special(text, value)) return;
  add_number(text, value, DBL_DECIMAL_DIG, same_double);
}

void nas_text_clear(nas_text *text) {
  if (!text) return;
  nas_free(text->data);
  *text = (nas_text){0};
}
