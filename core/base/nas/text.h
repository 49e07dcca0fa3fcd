/* A growing text, and numbers in it that do not depend on the locale: canonical texts are built,
 * and their numbers read, here. */
#ifndef NAS_TEXT_H
#define NAS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <nas/status.h>

/* Zero it to begin: nas_text t = {0}; A failed append leaves the text as it was, sets `failed`, and
 * makes every later append do nothing, so that a caller may check once at the end. */
typedef struct nas_text {
  char *data; /* NUL-terminated once anything was appended, else NULL */
  size_t size;
  size_t capacity;
  int failed;
} nas_text;

NAS_API void nas_text_add(nas_text *text, const char *piece);
NAS_API void nas_text_add_bytes(nas_text *text, const void *bytes, size_t size);
NAS_API void nas_text_add_integer(nas_text *text, int64_t value);

/* All digits of an integer below 1e+09, else the fewest that read back as the same float, with '.'
 * in every locale: 250, -0, 0.001. Below 1e-04 and from 1e+09 on with an exponent of at least two
 * digits: 1e-07. Not finite: inf, -inf, nan. */
NAS_API void nas_text_add_float(nas_text *text, float value);

/* The same for a double, where 1e+17 takes the place of 1e+09. */
NAS_API void nas_text_add_double(nas_text *text, double value);

/* The number that digits[0..size) spell in the notation of nas_text_add_integer: no zeros before
 * it, no "-0", no "+". Returns 0; or -1 for anything else and beyond the range, and *value is
 * unchanged.
 */
NAS_API int nas_text_parse_integer(const char *digits, size_t size, int64_t *value);

/* The same for nas_text_add_double, in every locale: what that wrote gives the same bits (of NaNs,
 * one). Other decimal numbers of at most 63 bytes are taken too and rounded to the nearest, but not
 * those that are too large to be finite. */
NAS_API int nas_text_parse_double(const char *digits, size_t size, double *value);

/* Frees and zeroes. Accepts NULL. */
NAS_API void nas_text_clear(nas_text *text);

#endif
