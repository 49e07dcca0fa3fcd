/* What the tests of kernels share: random numbers of several moods, and buffers that show what a
 * kernel wrote. All that kernels get lies in fenced blocks (fence.h) without a float to spare: what
 * ends at a multiple of NAS_LANES by kernel.h's contract ends there, what doesn't ends at its last
 * element. */
#ifndef TESTS_BOARDS_H
#define TESTS_BOARDS_H

#include "fence.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <nas/random.h>
#include "kernel.h"

#define TEST(function) cmocka_unit_test_teardown(function, check_no_fences)

/* All tables but number 0, the scalar one. */
#define EACH_TABLE(table)                                                                          \
  for (int number_ = 1; nas_kernels_numbered(number_); number_++)                                  \
    for (const nas_kernels *table = nas_kernels_numbered(number_); table; table = NULL)

static nas_stream dice;

static inline int between(int low, int high) {
  return low + (int)nas_stream_below(&dice, (uint32_t)(high - low + 1));
}

static inline int one_in(int n) {
  return between(1, n) == 1;
}

/* -- numbers ---------------------------------------------------------------------------------- */

static inline float plain_number(void) {
  return ldexpf(2 * nas_stream_float(&dice) - 1, between(-3, 3));
}

static inline float any_number(void) {
  static const float special[] = {NAN,      INFINITY,  -INFINITY, 0.0f,    -0.0f,    1e-45f,
                                  -1e-40f,  FLT_MIN,   -FLT_MIN,  FLT_MAX, -FLT_MAX, 1e-30f,
                                  1.1e-38f, -1.1e-38f, 3e38f,     1e19f,   -1e-23f,  2.3e-23f};
  return one_in(4) ? special[between(0, sizeof special / sizeof *special - 1)] : plain_number();
}

/* How the numbers of a case are drawn. */
typedef enum mood {
  PLAIN, /* finite, garbage in the padding of rows */
  CLEAN, /* finite, zeros in the padding of rows, which must stay zero */
  WILD,  /* some NaN, infinities, zeros of both signs, denormals */
  ZEROS, /* mostly zeros of both signs */
  MOODS,
} mood;

static inline float number_in(mood m) {
  if (m == ZEROS && !one_in(20)) return one_in(2) ? 0.0f : -0.0f;
  return m == WILD && one_in(12) ? any_number() : plain_number();
}

static inline float *numbers(size_t count, mood m) {
  float *block = fence_alloc(count * sizeof *block, fence_any_side());
  for (size_t i = 0; i < count; i++) block[i] = number_in(m);
  return block;
}

/* Zeros into the padding of rows when the mood is CLEAN. */
static inline void clean_row(float *row, int width, mood m) {
  for (int o = width; o < nas_row(width) && m == CLEAN; o++) row[o] = 0.0f;
}

/* -- outputs ---------------------------------------------------------------------------------- */

enum { GUARD = 48 }; /* floats on the side where no closed page is */

typedef enum owner { UNTOUCHED, PADDING, OUTPUT } owner;

/* A buffer that kernels write to: what it held, and two results. */
typedef struct board {
  size_t size;    /* floats */
  ptrdiff_t zero; /* where index 0 of the kernel lies, which may be outside */
  float *before, *expected, *got;
  uint8_t *owners;
} board;

/* For rows of `width` that begin at the given multiples of NAS_LANES. */
static inline board board_of(const ptrdiff_t *rows, size_t count, int width, mood m) {
  ptrdiff_t low = count ? rows[0] : 0, high = low;
  for (size_t r = 0; r < count; r++) {
    if (rows[r] < low) low = rows[r];
    if (rows[r] + nas_row(width) > high) high = rows[r] + nas_row(width);
  }
  fence_side side = fence_any_side();
  board b = {.size = (size_t)(high - low) + GUARD, .zero = -low};
  if (side == FENCE_BEHIND) b.zero += GUARD;
  b.before = fence_alloc(b.size * sizeof(float), side);
  b.expected = fence_alloc(b.size * sizeof(float), side);
  b.got = fence_alloc(b.size * sizeof(float), side);
  for (size_t i = 0; i < b.size; i++) b.before[i] = number_in(m);
  b.owners = nas_alloc_zero(b.size, 1);
  assert_non_null(b.owners);
  for (size_t r = 0; r < count; r++) {
    ptrdiff_t at = b.zero + rows[r];
    clean_row(b.before + at, width, m);
    memset(b.owners + at, PADDING, (size_t)nas_row(width));
    memset(b.owners + at, OUTPUT, (size_t)width);
  }
  memcpy(b.expected, b.before, b.size * sizeof(float));
  return b;
}

static inline void board_free(board *b) {
  fence_free(b->before);
  fence_free(b->expected);
  fence_free(b->got);
  nas_free(b->owners);
}

static inline int same(float a, float b) {
  return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static inline void board_compare(const board *b, const char *what, int number, mood m) {
  for (size_t i = 0; i < b->size; i++) {
    float expected = b->owners[i] == UNTOUCHED ? b->before[i] : b->expected[i], got = b->got[i];
    if (b->owners[i] == PADDING && (m != CLEAN || got == 0.0f)) continue;
    if (b->owners[i] != PADDING && same(expected, got)) continue;
    fail_msg("%s, case %d: float %zd of %zu is %a, expected %a (%s)", what, number,
             (ptrdiff_t)i - b->zero, b->size, (double)got, (double)expected,
             b->owners[i] == OUTPUT    ? "output"
             : b->owners[i] == PADDING ? "padding that was zero"
                                       : "outside the outputs");
  }
}

#endif
