/* Sigmoid and tanh of rows: every table gives what the functions of nas/elementary.h give, bit for
 * bit, whose errors tests/base/test_elementary.c bounds. */
#include "boards.h"
#include <nas/elementary.h>

enum { COUNT_MAX = 150, CASES = 400 };

static float number(void) {
  switch (between(0, 3)) {
  case 0: return any_number();
  case 1: return ldexpf(2 * nas_stream_float(&dice) - 1, between(-30, 8));
  default: return 12 * (2 * nas_stream_float(&dice) - 1);
  }
}

static void check(const char *name, nas_squash_fn *squash, float (*exact)(float)) {
  dice = nas_stream_open(1, "squash", NULL, 0);
  for (int i = 0; i < CASES; i++) {
    float x[COUNT_MAX];
    int count = between(0, COUNT_MAX);
    for (int k = 0; k < count; k++) x[k] = number();
    float *y = fence_copy(x, (size_t)count * sizeof *x);
    squash(y, count);
    for (int k = 0; k < count; k++)
      if (!same(y[k], exact(x[k])))
        fail_msg("%s of %a, number %d of %d: %a, expected %a", name, (double)x[k], k, count,
                 (double)y[k], (double)exact(x[k]));
    fence_free(y);
  }
}

static void rows(void **state) {
  (void)state;
  check("scalar", nas_kernels_named("scalar")->sigmoid, nas_sigmoidf);
  check("scalar", nas_kernels_named("scalar")->tanh, nas_tanhf);
  EACH_TABLE(table) {
    check(table->name, table->sigmoid, nas_sigmoidf);
    check(table->name, table->tanh, nas_tanhf);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(rows)};
  return cmocka_run_group_tests_name("squash", tests, NULL, NULL);
}
