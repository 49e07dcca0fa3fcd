/* The factors that clip gradients. */
#include "check.h"
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

static double norm(const float *gradient, int count) {
  double square = 0;
  for (int i = 0; i < count; i++) square += (double)gradient[i] * (double)gradient[i];
  return sqrt(square);
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
    double before = norm(gradient, COUNT);
    float scale = nas_clip_scale(before * before, limit);
    for (int i = 0; i < COUNT; i++) gradient[i] *= scale;
    check_near(norm(gradient, COUNT), fmin(before, limit), 2 * 0x1p-24 * limit);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scales),
      cmocka_unit_test(clipped_norm),
  };
  return cmocka_run_group_tests_name("clip", tests, NULL, NULL);
}
