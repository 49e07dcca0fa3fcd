#include "tensors.h"
#include <math.h>

static void take_copies_entries_in_any_order(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(2, 3)), *turned, *out;
  check_ok(nas_tensor_take(&out, t, 1, (int64_t[]){2, 0, 2, 1}, 4, NULL), NULL);
  check_tensor(out, ((double[]){2, 0, 2, 1, 5, 3, 5, 4}), DIMS(2, 4));
  assert_false(nas_tensor_shares(out, t));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_transpose(&turned, t, 0, 1, NULL), NULL);
  check_ok(nas_tensor_take(&out, turned, 0, (int64_t[]){1}, 1, NULL), NULL);
  check_tensor(out, ((double[]){1, 4}), DIMS(1, 2));
  nas_tensor_destroy(&out);
  check_refused(nas_tensor_take(&out, t, 1, (int64_t[]){0, 3}, 2, &err), NAS_ARGUMENT, out,
                "index 3 is outside 0 to 2");
  check_refused(nas_tensor_take(&out, t, 2, (int64_t[]){0}, 1, &err), NAS_ARGUMENT, out,
                "no dimension 2");
  check_starved(nas_tensor_take(&out, t, 0, (int64_t[]){1, 1}, 2, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&t);
}

static void concat_joins_along_a_dimension(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_UINT8, DIMS(2, 2)), *b = counting(NAS_INT32, DIMS(2, 1)), *out;
  nas_tensor *c = counting(NAS_UINT8, DIMS(2)), *d = counting(NAS_UINT8, DIMS(3, 1));
  check_ok(nas_tensor_concat(&out, (const nas_tensor *[]){a, b, a}, 3, 1, NULL), NULL);
  assert_int_equal(nas_tensor_dtype(out), NAS_INT32);
  check_tensor(out, ((double[]){0, 1, 0, 0, 1, 2, 3, 1, 2, 3}), DIMS(2, 5));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_concat(&out, (const nas_tensor *[]){a, a}, 2, 0, NULL), NULL);
  assert_int_equal(nas_tensor_dtype(out), NAS_UINT8);
  check_tensor(out, ((double[]){0, 1, 2, 3, 0, 1, 2, 3}), DIMS(4, 2));
  nas_tensor_destroy(&out);
  check_refused(nas_tensor_concat(&out, (const nas_tensor *[]){a, c}, 2, 0, &err), NAS_ARGUMENT,
                out, "[2] can't be joined to [2, 2]");
  check_refused(nas_tensor_concat(&out, (const nas_tensor *[]){a, d}, 2, 1, &err), NAS_ARGUMENT,
                out, "only the dimension that grows may differ");
  check_starved(nas_tensor_concat(&out, (const nas_tensor *[]){a, b}, 2, 1, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
  nas_tensor_destroy(&c);
  nas_tensor_destroy(&d);
}

/* The sum of the dimensions is 2^64 + 5, and each tensor takes a byte or five. */
static void concat_refuses_more_than_memory_can_hold(void **state) {
  (void)state;
  nas_tensor *one = counting(NAS_UINT8, DIMS(1)), *five = counting(NAS_UINT8, DIMS(5)), *huge, *out;
  check_ok(nas_tensor_expand(&huge, one, DIMS((int64_t)1 << 62), NULL), NULL);
  const nas_tensor *list[] = {huge, huge, huge, huge, five};
  check_refused(nas_tensor_concat(&out, list, 5, 0, &err), NAS_LIMIT, out,
                "the joined tensor has more elements than memory can hold");
  check_refused(nas_tensor_concat(&out, list + 2, 2, 0, &err), NAS_LIMIT, out,
                "more elements than memory can hold");
  nas_tensor_destroy(&huge);
  nas_tensor_destroy(&five);
  nas_tensor_destroy(&one);
}

static void masks_choose(void **state) {
  (void)state;
  nas_tensor *t = tensor_of(NAS_FLOAT32, (double[]){5, 6, 7, 8}, DIMS(2, 2)), *out, *turned;
  nas_tensor *mask = tensor_of(NAS_FLOAT32, (double[]){0, 1, -0.0, nan("")}, DIMS(2, 2));
  nas_tensor *row = tensor_of(NAS_UINT8, (double[]){0, 9}, DIMS(2));
  check_ok(nas_tensor_masked(&out, t, mask, NULL), NULL);
  check_tensor(out, ((double[]){6, 8}), DIMS(2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_nonzero(&out, mask, NULL), NULL);
  assert_int_equal(nas_tensor_dtype(out), NAS_INT32);
  check_tensor(out, ((double[]){0, 1, 1, 1}), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_transpose(&turned, mask, 0, 1, NULL), NULL);
  check_ok(nas_tensor_nonzero(&out, turned, NULL), NULL);
  check_tensor(out, ((double[]){1, 0, 1, 1}), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_where(&out, row, t, row, NULL), NULL);
  assert_int_equal(nas_tensor_dtype(out), NAS_FLOAT32);
  check_tensor(out, ((double[]){0, 6, 0, 8}), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_refused(nas_tensor_masked(&out, t, row, &err), NAS_ARGUMENT, out, "[2, 2] and [2] differ");
  check_starved(nas_tensor_masked(&out, t, mask, NULL), out);
  nas_tensor_destroy(&out);
  check_starved(nas_tensor_nonzero(&out, t, NULL), out);
  nas_tensor_destroy(&out);
  check_starved(nas_tensor_where(&out, row, t, row, NULL), out);
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_fill(mask, 0, NULL), NULL);
  check_ok(nas_tensor_masked(&out, t, mask, NULL), NULL);
  assert_null(out);
  check_ok(nas_tensor_nonzero(&out, mask, NULL), NULL);
  assert_null(out);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&row);
  nas_tensor_destroy(&mask);
  nas_tensor_destroy(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(take_copies_entries_in_any_order),
      TEST(concat_joins_along_a_dimension),
      TEST(concat_refuses_more_than_memory_can_hold),
      TEST(masks_choose),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
