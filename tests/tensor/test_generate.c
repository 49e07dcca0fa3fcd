#include "tensors.h"
#include <math.h>
#include <nas/random.h>

static void ramps(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_INT32, DIMS(2, 2));
  check_ok(nas_tensor_ramp(t, 5, -2, NULL), NULL);
  check_tensor(t, ((double[]){5, 3, 1, -1}), DIMS(2, 2));
  nas_error err = {0};
  assert_int_equal(nas_tensor_ramp(t, 0, 0.5, &err), NAS_ARGUMENT);
  check_contains(err.text, "element 1 (in index order) would be 0.5");
  nas_tensor_destroy(&t);
}

/* In index order, also of a view: the numbers are those of the stream. */
static void numbers_follow_the_stream(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_FLOAT32, DIMS(2, 3)), *turned;
  nas_stream stream = nas_stream_open(7, "test", NULL, 0), again = stream;
  check_ok(nas_tensor_transpose(&turned, t, 0, 1, NULL), NULL);
  check_ok(nas_tensor_uniform(turned, &stream, -1, 3, NULL), NULL);
  for (int i = 0; i < 6; i++)
    check_float_bits((float)element_at(turned, i), (float)(-1 + 4 * nas_stream_double(&again)));
  check_ok(nas_tensor_normal(turned, &stream, 10, 0.5, NULL), NULL);
  for (int i = 0; i < 6; i++)
    check_float_bits((float)element_at(turned, i), (float)(10 + 0.5 * nas_stream_normal(&again)));
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&t);
}

/* The first four moments of 100,000 numbers, within 5 standard errors. */
static void normal_numbers_are_normal(void **state) {
  (void)state;
  enum { COUNT = 100000 };
  nas_stream stream = nas_stream_open(1, "test normal", NULL, 0);
  double sums[4] = {0};
  for (int i = 0; i < COUNT; i++) {
    double z = nas_stream_normal(&stream);
    for (int k = 0; k < 4; k++) sums[k] += pow(z, k + 1);
  }
  const double means[] = {0, 1, 0, 3}, variances[] = {1, 2, 15, 96};
  for (int k = 0; k < 4; k++) check_near(sums[k] / COUNT, means[k], 5 * sqrt(variances[k] / COUNT));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(ramps),
      TEST(numbers_follow_the_stream),
      TEST(normal_numbers_are_normal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
