#include "tensors.h"
#include <math.h>

static void sums_are_one_chain_in_index_order(void **state) {
  (void)state;
  /* In another order the small numbers would not be lost beside the large one. */
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, (double[]){1e20, 1, 1, -1e20}, DIMS(2, 2)), *turned;
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_SUM) == 0);
  nas_tensor_destroy(&tensor);
  tensor = tensor_of(NAS_FLOAT32, (double[]){1e20, 1, -1e20, 1}, DIMS(2, 2));
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_SUM) == 1);
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 1, NULL), NULL);
  assert_true(nas_tensor_total(turned, NAS_REDUCE_SUM) == 2); /* 1e20 - 1e20 + 1 + 1 */
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&tensor);
}

static void sum_and_mean(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(10, 100));
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_SUM) == 499500);
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_MEAN) == 499.5);
  nas_tensor_destroy(&tensor);
}

static void min_and_max(void **state) {
  (void)state;
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, (double[]){3, -HUGE_VAL, 7, -2}, DIMS(2, 2)), *row;
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_MIN) == -HUGE_VAL);
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_MAX) == 7);
  check_ok(nas_tensor_select(&row, tensor, 0, 1, NULL), NULL);
  assert_true(nas_tensor_total(row, NAS_REDUCE_MIN) == -2);
  set_element(tensor, 3, nan(""));
  assert_true(isnan(nas_tensor_total(row, NAS_REDUCE_MIN)));
  assert_true(isnan(nas_tensor_total(tensor, NAS_REDUCE_MAX)));
  nas_tensor_destroy(&row);
  nas_tensor_destroy(&tensor);
  tensor = tensor_of(NAS_FLOAT32, (double[]){HUGE_VAL, HUGE_VAL}, DIMS(2));
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_MIN) == HUGE_VAL);
  nas_tensor_destroy(&tensor);
}

#define check_reduced(tensor, reduction, dim, dtype, values, ...)                                  \
  do {                                                                                             \
    nas_tensor *out_;                                                                              \
    nas_error err_ = {0};                                                                          \
    check_ok(nas_tensor_reduce(&out_, (tensor), (reduction), (dim), &err_), &err_);                \
    assert_int_equal(nas_tensor_dtype(out_), (dtype));                                             \
    check_tensor(out_, ((double[])values), __VA_ARGS__);                                           \
    nas_tensor_destroy(&out_);                                                                     \
  } while (0)

#define LIST(...)                                                                                  \
  { __VA_ARGS__ }

static void along_a_dimension(void **state) {
  (void)state;
  nas_tensor *t = tensor_of(NAS_UINT8, (double[]){1, 2, 3, 0, 5, 9}, DIMS(2, 3));
  check_reduced(t, NAS_REDUCE_SUM, 0, NAS_INT32, LIST(1, 7, 12), DIMS(1, 3));
  check_reduced(t, NAS_REDUCE_SUM, 1, NAS_INT32, LIST(6, 14), DIMS(2, 1));
  check_reduced(t, NAS_REDUCE_MEAN, 1, NAS_FLOAT32, LIST(2, (double)(float)(14.0 / 3)), DIMS(2, 1));
  check_reduced(t, NAS_REDUCE_MIN, 0, NAS_UINT8, LIST(0, 2, 3), DIMS(1, 3));
  check_reduced(t, NAS_REDUCE_MAX, 1, NAS_UINT8, LIST(3, 9), DIMS(2, 1));
  check_reduced(t, NAS_REDUCE_VARIANCE, 0, NAS_FLOAT32, LIST(0.25, 2.25, 9), DIMS(1, 3));
  check_reduced(t, NAS_REDUCE_STD, 0, NAS_FLOAT32, LIST(0.5, 1.5, 3), DIMS(1, 3));
  check_reduced(t, NAS_REDUCE_NORM, 1, NAS_FLOAT32,
                LIST((double)sqrtf(14), (double)(float)sqrt(106)), DIMS(2, 1));
  check_reduced(t, NAS_REDUCE_ANY, 1, NAS_UINT8, LIST(1, 1), DIMS(2, 1));
  check_reduced(t, NAS_REDUCE_ALL, 1, NAS_UINT8, LIST(1, 0), DIMS(2, 1));
  nas_tensor_destroy(&t);
}

/* Rows of outputs that are longer than a piece of the walk, in every layout. */
static void along_a_dimension_as_in_total(void **state) {
  (void)state;
  nas_tensor *whole, *turned, *line, *out;
  check_ok(nas_tensor_create(&whole, NAS_FLOAT32, DIMS(3, 5, 300), NULL), NULL);
  nas_stream stream = nas_stream_open(1, "test reduce", NULL, 0);
  check_ok(nas_tensor_normal(whole, &stream, 0.5, 2, NULL), NULL);
  check_ok(nas_tensor_transpose(&turned, whole, 0, 2, NULL), NULL); /* [300, 5, 3] */
  for (int r = NAS_REDUCE_SUM; r <= NAS_REDUCE_ARGMAX; r++)
    for (int dim = 0; dim < 3; dim++) {
      int outer = dim == 0 ? 1 : 0;
      check_ok(nas_tensor_reduce(&out, turned, (nas_reduction)r, dim, NULL), NULL);
      for (int i = 0; i < 3; i++) { /* the line at (i, 1) of the others */
        nas_tensor *part;
        check_ok(nas_tensor_select(&part, turned, outer, i, NULL), NULL);
        check_ok(nas_tensor_select(&line, part, dim > 1 ? 0 : 1, 1, NULL), NULL);
        int64_t at[3] = {0};
        double found;
        at[outer] = i;
        at[dim > 1 ? 1 : 2] = 1;
        check_ok(nas_tensor_get(out, at, 3, &found, NULL), NULL);
        double expected = nas_tensor_total(line, (nas_reduction)r);
        check_float_bits((float)found, (float)expected);
        nas_tensor_destroy(&line);
        nas_tensor_destroy(&part);
      }
      nas_tensor_destroy(&out);
    }
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&whole);
}

static void totals(void **state) {
  (void)state;
  nas_tensor *t = tensor_of(NAS_FLOAT32, (double[]){3, -4, 0, 1}, DIMS(2, 2));
  assert_true(nas_tensor_total(t, NAS_REDUCE_VARIANCE) == 6.5);
  assert_true(nas_tensor_total(t, NAS_REDUCE_STD) == sqrt(6.5));
  assert_true(nas_tensor_total(t, NAS_REDUCE_NORM) == sqrt(26));
  assert_true(nas_tensor_total(t, NAS_REDUCE_ANY) == 1);
  assert_true(nas_tensor_total(t, NAS_REDUCE_ALL) == 0);
  assert_true(nas_tensor_total(t, NAS_REDUCE_ARGMAX) == 0);
  assert_true(nas_tensor_total(t, NAS_REDUCE_ARGMIN) == 1);
  check_ok(nas_tensor_fill(t, 0, NULL), NULL);
  assert_true(nas_tensor_total(t, NAS_REDUCE_ANY) == 0);
  nas_tensor_destroy(&t);
}

static void positions(void **state) {
  (void)state;
  const double values[] = {1, 5, 5, 9, 2, 3, -4, -4, -5, 0, nan(""), nan("")};
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, values, DIMS(2, 2, 3)), *out, *turned;
  nas_tensor *low = tensor_of(NAS_FLOAT32, (double[]){-HUGE_VAL, -HUGE_VAL}, DIMS(2));
  check_reduced(tensor, NAS_REDUCE_ARGMAX, 2, NAS_INT32, LIST(1, 0, 0, 1), DIMS(2, 2, 1));
  check_reduced(tensor, NAS_REDUCE_ARGMIN, 2, NAS_INT32, LIST(0, 1, 2, 1), DIMS(2, 2, 1));
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 2, NULL), NULL); /* [3, 2, 2] */
  check_reduced(turned, NAS_REDUCE_ARGMAX, 2, NAS_INT32, LIST(0, 0, 0, 1, 0, 1), DIMS(3, 2, 1));
  check_reduced(low, NAS_REDUCE_ARGMAX, 0, NAS_INT32, LIST(0), DIMS(1));
  assert_true(nas_tensor_total(tensor, NAS_REDUCE_ARGMAX) == 10);
  check_starved(nas_tensor_reduce(&out, tensor, NAS_REDUCE_ARGMAX, 0, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&low);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&tensor);
}

static void what_cannot_be_reduced_is_refused(void **state) {
  (void)state;
  uint8_t byte = 0; /* never read: the check comes first */
  nas_tensor *big = tensor_of(NAS_INT32, (double[]){1, INT32_MAX}, DIMS(2)), *wide, *out;
  check_ok(nas_tensor_wrap(&wide, NAS_UINT8, DIMS(INT64_C(1) << 31), &byte, NULL, NULL, NULL),
           NULL);
  check_refused(nas_tensor_reduce(&out, wide, NAS_REDUCE_ARGMAX, 0, &err), NAS_LIMIT, out,
                "more than 2147483647 entries");
  check_refused(nas_tensor_reduce(&out, big, NAS_REDUCE_SUM, 0, &err), NAS_ARGUMENT, out,
                "would be 2147483648; int32");
  check_refused(nas_tensor_reduce(&out, big, NAS_REDUCE_SUM, 1, &err), NAS_ARGUMENT, out,
                "there is no dimension 1");
  nas_tensor_destroy(&wide);
  nas_tensor_destroy(&big);
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
      TEST(along_a_dimension),
      TEST(along_a_dimension_as_in_total),
      TEST(totals),
      TEST(positions),
      TEST(what_cannot_be_reduced_is_refused),
      TEST(equality),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
