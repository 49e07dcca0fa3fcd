#include "tensors.h"
#include <math.h>

static void clone_has_its_own_storage(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(2, 2)), *copy;
  check_ok(nas_tensor_clone(&copy, tensor, NULL), NULL);
  assert_false(nas_tensor_shares(copy, tensor));
  assert_int_equal(nas_tensor_dtype(copy), NAS_INT32);
  set_element(copy, 0, 5);
  assert_true(element_at(tensor, 0) == 0);
  nas_tensor_destroy(&copy);
  check_starved(nas_tensor_clone(&copy, tensor, NULL), copy);
  nas_tensor_destroy(&copy);
  nas_tensor_destroy(&tensor);
}

static void clone_keeps_nan_and_signs(void **state) {
  (void)state;
  const double values[] = {nan(""), -0.0, HUGE_VAL, 1e-45};
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, values, DIMS(2, 2)), *turned, *copy;
  check_ok(nas_tensor_clone(&copy, tensor, NULL), NULL);
  assert_memory_equal(nas_tensor_data(copy), nas_tensor_data(tensor), 16);
  nas_tensor_destroy(&copy);
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 1, NULL), NULL);
  check_ok(nas_tensor_clone(&copy, turned, NULL), NULL);
  check_float_bits(((float *)nas_tensor_data(copy))[2], -0.0f);
  assert_true(isnan(((float *)nas_tensor_data(copy))[0]));
  nas_tensor_destroy(&copy);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&tensor);
}

static void convert_rounds_to_the_nearest(void **state) {
  (void)state;
  const double values[] = {0.5, 1.5, 2.4999, 254.5, -0.4, 255.49};
  nas_tensor *tensor = tensor_of(NAS_FLOAT32, values, DIMS(6)), *bytes, *floats;
  check_ok(nas_tensor_convert(&bytes, tensor, NAS_UINT8, NULL), NULL);
  assert_int_equal(nas_tensor_dtype(bytes), NAS_UINT8);
  check_tensor(bytes, ((double[]){0, 2, 2, 254, 0, 255}), DIMS(6));
  check_ok(nas_tensor_convert(&floats, bytes, NAS_FLOAT32, NULL), NULL);
  check_tensor(floats, ((double[]){0, 2, 2, 254, 0, 255}), DIMS(6));
  nas_tensor_destroy(&floats);
  check_starved(nas_tensor_convert(&floats, bytes, NAS_FLOAT32, NULL), floats);
  nas_tensor_destroy(&floats);
  nas_tensor_destroy(&bytes);
  nas_tensor_destroy(&tensor);
}

static void convert_refuses_what_does_not_fit(void **state) {
  (void)state;
  nas_tensor *t = tensor_of(NAS_FLOAT32, (double[]){1, 2, 256}, DIMS(3)), *out;
  check_refused(nas_tensor_convert(&out, t, NAS_UINT8, &err), NAS_ARGUMENT, out,
                "element 2 (in index order) would be 256; uint8 holds whole numbers from 0 to 255");
  set_element(t, 2, nan(""));
  check_refused(nas_tensor_convert(&out, t, NAS_INT32, &err), NAS_ARGUMENT, out, "nan");
  set_element(t, 2, 2147483648.0);
  check_refused(nas_tensor_convert(&out, t, NAS_INT32, &err), NAS_ARGUMENT, out, "2147483648;");
  check_refused(nas_tensor_convert(&out, t, (nas_dtype)5, &err), NAS_ARGUMENT, out, "dtype 5");
  nas_tensor_destroy(&t);
}

static void copy_fills_a_view(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(2, 3)), *column, *from;
  check_ok(nas_tensor_select(&column, tensor, 1, 2, NULL), NULL);
  from = tensor_of(NAS_INT32, (double[]){-1, -2}, DIMS(2));
  check_ok(nas_tensor_copy(column, from, NULL), NULL);
  check_tensor(tensor, ((double[]){0, 1, -1, 3, 4, -2}), DIMS(2, 3));
  nas_tensor_destroy(&from);
  nas_tensor_destroy(&column);
  nas_tensor_destroy(&tensor);
}

static void copy_into_a_smaller_type(void **state) {
  (void)state;
  nas_tensor *to = counting(NAS_UINT8, DIMS(2, 2)), *from, *turned;
  from = tensor_of(NAS_FLOAT32, (double[]){1, 2.6, 3, 255}, DIMS(2, 2));
  check_ok(nas_tensor_transpose(&turned, from, 0, 1, NULL), NULL);
  check_ok(nas_tensor_copy(to, turned, NULL), NULL);
  check_tensor(to, ((double[]){1, 3, 3, 255}), DIMS(2, 2));
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&from);
  nas_tensor_destroy(&to);
}

static void copy_leaves_the_target_alone_when_it_fails(void **state) {
  (void)state;
  double bytes[300];
  for (int i = 0; i < 300; i++) bytes[i] = i % 256;
  nas_tensor *to = tensor_of(NAS_UINT8, bytes, DIMS(300)), *from = counting(NAS_INT32, DIMS(300)),
             *other;
  nas_error err = {0};
  assert_int_equal(nas_tensor_copy(to, from, &err), NAS_ARGUMENT);
  check_contains(err.text, "element 256");
  for (int i = 0; i < 300; i++) assert_true(element_at(to, i) == i % 256);
  other = tensor_of(NAS_UINT8, bytes, DIMS(3, 100));
  assert_int_equal(nas_tensor_copy(to, other, &err), NAS_ARGUMENT);
  check_contains(err.text, "the shapes [300] and [3, 100] differ");
  nas_tensor_destroy(&other);
  nas_tensor_destroy(&from);
  nas_tensor_destroy(&to);
}

static void copy_between_overlapping_views(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(6)), *low, *high;
  check_ok(nas_tensor_narrow(&low, tensor, 0, 0, 5, NULL), NULL);
  check_ok(nas_tensor_narrow(&high, tensor, 0, 1, 5, NULL), NULL);
  nas_memory_fail_after(0);
  nas_status status = nas_tensor_copy(high, low, NULL);
  nas_memory_fail_after(-1);
  assert_int_equal(status, NAS_MEMORY);
  check_tensor(tensor, ((double[]){0, 1, 2, 3, 4, 5}), DIMS(6));
  check_ok(nas_tensor_copy(high, low, NULL), NULL);
  check_tensor(tensor, ((double[]){0, 0, 1, 2, 3, 4}), DIMS(6));
  nas_tensor_destroy(&low);
  nas_tensor_destroy(&high);
  nas_tensor_destroy(&tensor);
}

static void put_changes_nothing_but_what_the_mask_holds(void **state) {
  (void)state;
  const double large[] = {16777217, 5, 33554433, -16777219};
  nas_tensor *to = tensor_of(NAS_INT32, large, DIMS(2, 2)), *turned, *row, *from;
  nas_tensor *mask = tensor_of(NAS_UINT8, (double[]){0, 1}, DIMS(2));
  nas_error err = {0};
  from = tensor_of(NAS_FLOAT32, (double[]){6.6, 1e20}, DIMS(2, 1));
  assert_int_equal(nas_tensor_put(to, mask, from, &err), NAS_ARGUMENT);
  check_contains(err.text, "element 3 (in index order) would be 1.00000002e+20");
  check_tensor(to, large, DIMS(2, 2));
  check_ok(nas_tensor_select(&row, to, 0, 0, NULL), NULL);
  assert_int_equal(nas_tensor_put(row, mask, from, &err), NAS_ARGUMENT);
  check_contains(err.text, "the shapes [2] and [2, 2] differ");
  nas_tensor_destroy(&row);
  set_element(from, 1, -8.5);
  check_ok(nas_tensor_put(to, mask, from, NULL), NULL);
  check_tensor(to, ((double[]){16777217, 7, 33554433, -8}), DIMS(2, 2));
  check_ok(nas_tensor_transpose(&turned, to, 0, 1, NULL), NULL);
  for (int allowed = 0; allowed < 2; allowed++) { /* a copy of the mask, and one of the numbers */
    nas_memory_fail_after(3 * allowed);
    assert_int_equal(nas_tensor_put(to, turned, turned, NULL), NAS_MEMORY);
    nas_memory_fail_after(-1);
    check_tensor(to, ((double[]){16777217, 7, 33554433, -8}), DIMS(2, 2));
  }
  set_element(to, 1, 0);
  check_ok(nas_tensor_put(to, turned, turned, NULL), NULL);
  check_tensor(to, ((double[]){16777217, 33554433, 33554433, -8}), DIMS(2, 2));
  nas_tensor_destroy(&turned);
  check_ok(nas_tensor_expand(&turned, mask, DIMS(3, 2), NULL), NULL);
  assert_int_equal(nas_tensor_put(turned, mask, mask, &err), NAS_ARGUMENT);
  check_contains(err.text, "an expanded tensor can't be written to");
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&from);
  nas_tensor_destroy(&mask);
  nas_tensor_destroy(&to);
}

static void bytes_are_little_endian(void **state) {
  (void)state;
  nas_tensor *t = tensor_of(NAS_INT32, (double[]){1, -2, 0x01020304, 3}, DIMS(2, 2)), *turned, *out;
  const unsigned char expected[] = {1, 0, 0, 0, 4, 3, 2, 1, 0xFE, 0xFF, 0xFF, 0xFF, 3, 0, 0, 0};
  unsigned char bytes[16];
  check_ok(nas_tensor_transpose(&turned, t, 0, 1, NULL), NULL);
  nas_tensor_to_bytes(turned, bytes);
  assert_memory_equal(bytes, expected, sizeof bytes);
  check_ok(nas_tensor_from_bytes(&out, NAS_INT32, DIMS(2, 2), bytes, sizeof bytes, NULL), NULL);
  assert_true(nas_tensor_equal(out, turned));
  nas_tensor_destroy(&out);
  check_refused(nas_tensor_from_bytes(&out, NAS_INT32, DIMS(2, 2), bytes, 15, &err), NAS_ARGUMENT,
                out, "15 bytes given for [2, 2] of int32, which has 16");
  check_starved(nas_tensor_from_bytes(&out, NAS_UINT8, DIMS(16), bytes, 16, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(clone_has_its_own_storage),
      TEST(clone_keeps_nan_and_signs),
      TEST(convert_rounds_to_the_nearest),
      TEST(convert_refuses_what_does_not_fit),
      TEST(copy_fills_a_view),
      TEST(copy_into_a_smaller_type),
      TEST(copy_leaves_the_target_alone_when_it_fails),
      TEST(copy_between_overlapping_views),
      TEST(put_changes_nothing_but_what_the_mask_holds),
      TEST(bytes_are_little_endian),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
