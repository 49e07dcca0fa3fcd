/* Norms of gradients and the factors that clip them. */
#include "check.h"
#include <float.h>
#include <math.h>
#include <nas/clip.h>
#include <nas/random.h>

enum { COUNT = 1000 };

static void draw(float *gradient, int count, const char *purpose) {
  nas_stream stream = nas_stream_open(1, purpose, NULL, 0);
  for (int i = 0; i < count; i++)
    gradient[i] =
        ldexpf(2 * nas_stream_float(&stream) - 1, (int)nas_stream_below(&stream, 30) - 20);
}

static void check_same(double a, double b) {
  if (memcmp(&a, &b, sizeof a) == 0) return;
  print_error("%a is not %a\n", a, b);
  fail();
}

/* The order that the header states, in other words. */
static double chain(const float *gradient, size_t count, size_t first) {
  double sum = 0;
  for (size_t i = first; i < count; i += 16) sum += (double)gradient[i] * (double)gradient[i];
  return sum;
}

/* Chains first, first + apart, first + 2 apart, ... below 16 as they are combined. */
static double combined(const float *gradient, size_t count, size_t first, size_t apart) {
  if (apart == 16) return chain(gradient, count, first);
  return combined(gradient, count, first, apart * 2) +
         combined(gradient, count, first + apart, apart * 2);
}

static void order_of_the_sum(void **state) {
  (void)state;
  float gradient[COUNT];
  draw(gradient, COUNT, "order");
  for (size_t count = 0; count <= COUNT; count += count < 70 ? 1 : 31)
    check_same(nas_gradient_square(gradient, count), combined(gradient, count, 0, 1));
}

static void size_of_the_sum(void **state) {
  (void)state;
  float gradient[COUNT];
  long double exact = 0;
  draw(gradient, COUNT, "size");
  for (int i = 0; i < COUNT; i++) exact += (long double)gradient[i] * (long double)gradient[i];
  check_near(nas_gradient_square(gradient, COUNT), (double)exact, 100 * 0x1p-53 * (double)exact);
  check_same(nas_gradient_square((const float[]){3, -4}, 2), 25);
  check_same(nas_gradient_square(NULL, 0), 0);
}

/* Padding, wherever the buffer begins. */
static void zeros_change_nothing(void **state) {
  (void)state;
  float gradient[COUNT + 100] = {0};
  draw(gradient, 333, "zeros");
  double square = nas_gradient_square(gradient, 333);
  for (size_t count = 334; count < COUNT + 100; count += 13)
    check_same(nas_gradient_square(gradient, count), square);
  for (int from = 7; from > 0; from -= 3) {
    memmove(gradient + from, gradient, 333 * sizeof(float));
    check_same(nas_gradient_square(gradient + from, 333), square);
    memmove(gradient, gradient + from, 333 * sizeof(float));
  }
}

static void extremes_of_the_sum(void **state) {
  (void)state;
  float gradient[COUNT];
  for (int i = 0; i < COUNT; i++) gradient[i] = FLT_MAX;
  assert_true(isfinite(nas_gradient_square(gradient, COUNT)));
  for (int i = 0; i < COUNT; i++) gradient[i] = FLT_TRUE_MIN;
  check_near(nas_gradient_square(gradient, COUNT), COUNT * 0x1p-298, 0);
  gradient[500] = INFINITY;
  check_same(nas_gradient_square(gradient, COUNT), HUGE_VAL);
  gradient[999] = NAN;
  assert_true(isnan(nas_gradient_square(gradient, COUNT)));
}

static void scales(void **state) {
  (void)state;
  check_float_bits(nas_clip_scale(25, 5), 1);
  check_float_bits(nas_clip_scale(25, 6), 1);
  check_float_bits(nas_clip_scale(25, 2.5), 0.5f);
  check_float_bits(nas_clip_scale(25, 1), (float)(1.0 / 5));
  check_float_bits(nas_clip_scale(0, 5), 1);
  check_float_bits(nas_clip_scale(0, 0), 1);
  check_float_bits(nas_clip_scale(1, 0), 0);
  check_float_bits(nas_clip_scale(25, HUGE_VAL), 1);
  check_float_bits(nas_clip_scale(HUGE_VAL, 5), 0);
  check_float_bits(nas_clip_scale(HUGE_VAL, HUGE_VAL), 1);
  check_float_bits(nas_clip_scale(25 + 1e-10, 5), 1); /* below, rounded to float */
  assert_true(isnan(nas_clip_scale((double)NAN, 5)));
  assert_true(isnan(nas_clip_scale((double)NAN, HUGE_VAL)));
}

/* The norm afterwards is the limit, but for the roundings. */
static void clipped_norm(void **state) {
  (void)state;
  float gradient[COUNT];
  for (int k = -10; k < 10; k++) {
    double limit = ldexp(0.7, k);
    draw(gradient, COUNT, "clipped");
    float scale = nas_clip_scale(nas_gradient_square(gradient, COUNT), limit);
    double before = sqrt(nas_gradient_square(gradient, COUNT));
    for (int i = 0; i < COUNT; i++) gradient[i] *= scale;
    double after = sqrt(nas_gradient_square(gradient, COUNT));
    check_near(after, fmin(before, limit), 2 * 0x1p-24 * limit);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_of_the_sum),
      cmocka_unit_test(size_of_the_sum),
      cmocka_unit_test(zeros_change_nothing),
      cmocka_unit_test(extremes_of_the_sum),
      cmocka_unit_test(scales),
      cmocka_unit_test(clipped_norm),
  };
  return cmocka_run_group_tests_name("clip", tests, NULL, NULL);
}
