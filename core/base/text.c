#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
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
 * more than `digits` digits before the point. A decimal of at most `sure` digits comes back from
 * a normal number as it was: where one is the same, so many digits show it, and %g leaves its zeros
 * out. */
static void add_number(nas_text *text, double value, double least_normal, int sure, int digits,
                       int (*same)(const char *number, double value)) {
  char number[64];
  int precision = value > -least_normal && value < least_normal ? 1 : sure;
  snprintf(number, sizeof number, "%.*g", precision, value);
  while (precision < digits && !same(number, value))
    snprintf(number, sizeof number, "%.*g", ++precision, value);
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
  add_number(text, (double)value, (double)FLT_MIN, FLT_DIG, FLT_DECIMAL_DIG, same_float);
}

void nas_text_add_double(nas_text *text, double value) {
  if (add_special(text, value)) return;
  add_number(text, value, DBL_MIN, DBL_DIG, DBL_DECIMAL_DIG, same_double);
}

/* ---- Reading ------------------------------------------------------------------------------ */

static size_t count_digits(const char *text, size_t size) {
  size_t count = 0;
  while (count < size && text[count] >= '0' && text[count] <= '9') count++;
  return count;
}

int nas_text_parse_integer(const char *digits, size_t size, int64_t *value) {
  int negative = size > 0 && digits[0] == '-';
  const char *first = digits + negative;
  size_t count = size - (size_t)negative;
  int64_t sum = 0;
  if (count == 0 || count_digits(first, count) != count) return -1;
  if (first[0] == '0' && size > 1) return -1;
  for (size_t i = 0; i < count; i++) { /* downwards: there is one more number below 0 than above */
    if (__builtin_mul_overflow(sum, (int64_t)10, &sum)) return -1;
    if (__builtin_sub_overflow(sum, (int64_t)(first[i] - '0'), &sum)) return -1;
  }
  if (!negative && sum == INT64_MIN) return -1;
  *value = negative ? sum : -sum;
  return 0;
}

/* Bytes of -1.5e-07 before, of and behind the point; all of size, or no number. */
static int find_point(const char *text, size_t size, size_t *point) {
  size_t at = size > 0 && text[0] == '-', count = count_digits(text + at, size - at);
  if (count == 0) return -1;
  *point = at += count;
  if (at < size && text[at] == '.') {
    count = count_digits(text + at + 1, size - at - 1);
    if (count == 0) return -1;
    at += 1 + count;
  }
  if (at < size && text[at] == 'e') {
    at++;
    if (at < size && (text[at] == '-' || text[at] == '+')) at++;
    count = count_digits(text + at, size - at);
    if (count == 0) return -1;
    at += count;
  }
  return at == size ? 0 : -1;
}

static int equals(const char *text, size_t size, const char *word) {
  return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* strtod is what rounds correctly, and wants the point of the locale. */
int nas_text_parse_double(const char *digits, size_t size, double *value) {
  char number[96];
  size_t point;
  if (equals(digits, size, "inf")) return *value = HUGE_VAL, 0;
  if (equals(digits, size, "-inf")) return *value = -HUGE_VAL, 0;
  if (equals(digits, size, "nan")) return *value = (double)NAN, 0;
  if (size > 63 || find_point(digits, size, &point)) return -1;
  int has_point = point < size && digits[point] == '.';
  const char *rest = digits + point + has_point;
  int length =
      snprintf(number, sizeof number, "%.*s%s%.*s", (int)point, digits,
               has_point ? localeconv()->decimal_point : "", (int)(digits + size - rest), rest);
  if (length < 0 || (size_t)length >= sizeof number) return -1;
  double read = strtod(number, NULL);
  if (!isfinite(read)) return -1;
  *value = read;
  return 0;
}

void nas_text_clear(nas_text *text) {
  if (!text) return;
  nas_free(text->data);
  *text = (nas_text){0};
}
