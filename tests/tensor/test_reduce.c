#include "tensors.h"
#include <math.h>

static void sums_are_one_chain_in_index_order(void **state) {
  (void)state;
  /* In another order the small numbers would not be lost beside the large one. */
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, (double[]){1e20, 1, 1, -1e20}, DIMS(2, 2)), *turned;
  assert_true(nas_tensor_sum(tensor) == 0);
  nas_tensor_destroy(&tensor);
  tensor = tensor_of(NAS_FLOAT32, (double[]){1e20, 1, -1e20, 1}, DIMS(2, 2));
  assert_true(nas_tensor_sum(tensor) == 1);
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 1, NULL), NULL);
  assert_true(nas_tensor_sum(turned) == 2); /* 1e20 - 1e20 + 1 + 1 */
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&tensor);
}

static void sum_and_mean(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(10, 100));
  assert_true(nas_tensor_sum(tensor) == 499500);
  assert_true(nas_tensor_mean(tensor) == 499.5);
  nas_tensor_destroy(&tensor);
}

static void min_and_max(void **state) {
  (void)state;
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, (double[]){3, -HUGE_VAL, 7, -2}, DIMS(2, 2)), *row;
  assert_true(nas_tensor_min(tensor) == -HUGE_VAL);
  assert_true(nas_tensor_max(tensor) == 7);
  check_ok(nas_tensor_select(&row, tensor, 0, 1, NULL), NULL);
  assert_true(nas_tensor_min(row) == -2);
  set_element(tensor, 3, nan(""));
  assert_true(isnan(nas_tensor_min(row)));
  assert_true(isnan(nas_tensor_max(tensor)));
  nas_tensor_destroy(&row);
  nas_tensor_destroy(&tensor);
  tensor = tensor_of(NAS_FLOAT32, (double[]){HUGE_VAL, HUGE_VAL}, DIMS(2));
  assert_true(nas_tensor_min(tensor) == HUGE_VAL);
  nas_tensor_destroy(&tensor);
}

static void argmax_over_the_last_dimension(void **state) {
  (void)state;
  const double values[] = {1, 5, 5, 9, 2, 3, -4, -4, -5, 0, nan(""), nan("")};
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, values, DIMS(2, 2, 3)), *out, *turned, *line;
  check_ok(nas_tensor_argmax(&out, tensor, NULL), NULL);
  assert_int_equal(nas_tensor_dtype(out), NAS_INT32);
  check_tensor(out, ((double[]){1, 0, 0, 1}), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 2, NULL), NULL); /* [3, 2, 2] */
  check_ok(nas_tensor_argmax(&out, turned, NULL), NULL);
  check_tensor(out, ((double[]){0, 0, 0, 1, 0, 1}), DIMS(3, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_reshape(&line, tensor, DIMS(12), NULL), NULL);
  check_ok(nas_tensor_argmax(&out, line, NULL), NULL);
  check_tensor(out, ((double[]){10}), DIMS(1));
  nas_tensor_destroy(&out);
  check_starved(nas_tensor_argmax(&out, tensor, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&line);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&tensor);
}

static void argmax_beyond_int32_is_refused(void **state) {
  (void)state;
  uint8_t byte = 0; /* never read: the check comes first */
  nas_tensor *wide, *out;
  check_ok(nas_tensor_wrap(&wide, NAS_UINT8, DIMS(INT64_C(1) << 31), &byte, NULL, NULL, NULL),
           NULL);
  check_refused(nas_tensor_argmax(&out, wide, &err), NAS_LIMIT, out,
                "more than 2147483647 entries");
  nas_tensor_destroy(&wide);
}

static void equality(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_FLOAT32, DIMS(2, 300)), *b = counting(NAS_FLOAT32, DIMS(2, 300));
  nas_tensor *other_dims = counting(NAS_FLOAT32, DIMS(300, 2));
  nas_tensor *other_type = counting(NAS_INT32, DIMS(2, 300));
  assert_true(nas_tensor_equal(a, a));
  assert_true(nas_tensor_equal(a, b));
  assert_false(nas_tensor_equal(a, other_dims));
  assert_false(nas_tensor_equal(a, other_type));
  set_element(a, 0, -0.0);
  assert_true(nas_tensor_equal(a, b));
  set_element(a, 599, 0);
  assert_false(nas_tensor_equal(a, b));
  set_element(a, 599, nan(""));
  assert_false(nas_tensor_equal(a, a));
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
  nas_tensor_destroy(&other_dims);
  nas_tensor_destroy(&other_type);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(sums_are_one_chain_in_index_order),
      TEST(sum_and_mean),
      TEST(min_and_max),
      TEST(argmax_over_the_last_dimension),
      TEST(argmax_beyond_int32_is_refused),
      TEST(equality),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
