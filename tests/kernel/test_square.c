/* Sums of squares: every table adds in the order that kernel.h states. */
#include "boards.h"

enum { COUNT = 1000 };

static void draw(float *x, int count, const char *purpose) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int i = 0; i < count; i++) x[i] = ldexpf(2 * nas_stream_float(&dice) - 1, between(-20, 9));
}

static void check_same(double a, double b) {
  if (memcmp(&a, &b, sizeof a) != 0) fail_msg("%a is not %a", a, b);
}

/* The order that the header states, in other words. */
static double chain(const float *x, size_t count, size_t first) {
  double sum = 0;
  for (size_t i = first; i < count; i += 16) sum += (double)x[i] * (double)x[i];
  return sum;
}

/* Chains first, first + apart, first + 2 apart, ... below 16 as they are combined. */
static double combined(const float *x, size_t count, size_t first, size_t apart) {
  if (apart == 16) return chain(x, count, first);
  return combined(x, count, first, apart * 2) + combined(x, count, first + apart, apart * 2);
}

static void order_of_the_sum(const nas_kernels *table) {
  float x[COUNT];
  draw(x, COUNT, "order");
  for (size_t count = 0; count <= COUNT; count += count < 70 ? 1 : 31) {
    float *fenced = fence_copy(x, count * sizeof *x);
    check_same(table->square(fenced, count), combined(x, count, 0, 1));
    fence_free(fenced);
  }
}

static void size_of_the_sum(const nas_kernels *table) {
  float x[COUNT];
  long double exact = 0;
  draw(x, COUNT, "size");
  for (int i = 0; i < COUNT; i++) exact += (long double)x[i] * (long double)x[i];
  check_near(table->square(x, COUNT), (double)exact, 100 * 0x1p-53 * (double)exact);
  check_same(table->square((const float[]){3, -4}, 2), 25);
  check_same(table->square(NULL, 0), 0);
}

/* Padding, wherever the buffer begins. */
static void zeros_change_nothing(const nas_kernels *table) {
  float x[COUNT + 100] = {0};
  draw(x, 333, "zeros");
  double square = table->square(x, 333);
  for (size_t count = 334; count < COUNT + 100; count += 13)
    check_same(table->square(x, count), square);
  for (int from = 7; from > 0; from -= 3) {
    memmove(x + from, x, 333 * sizeof(float));
    check_same(table->square(x + from, 333), square);
    memmove(x, x + from, 333 * sizeof(float));
  }
}

static void extremes_of_the_sum(const nas_kernels *table) {
  float x[COUNT];
  for (int i = 0; i < COUNT; i++) x[i] = FLT_MAX;
  assert_true(isfinite(table->square(x, COUNT)));
  for (int i = 0; i < COUNT; i++) x[i] = FLT_TRUE_MIN;
  check_near(table->square(x, COUNT), COUNT * 0x1p-298, 0);
  x[500] = INFINITY;
  check_same(table->square(x, COUNT), HUGE_VAL);
  x[999] = NAN;
  assert_true(isnan(table->square(x, COUNT)));
}

static void all_tables(void **state) {
  (void)state;
  static void (*const checks[])(const nas_kernels *) = {order_of_the_sum, size_of_the_sum,
                                                        zeros_change_nothing, extremes_of_the_sum};
  for (size_t c = 0; c < sizeof checks / sizeof *checks; c++) {
    checks[c](nas_kernels_named("scalar"));
    EACH_TABLE(table) checks[c](table);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(all_tables)};
  return cmocka_run_group_tests_name("square", tests, NULL, NULL);
}
