#include "tensors.h"
#include <math.h>

static void equal_shapes_are_combined_element_by_element(void **state) {
  (void)state;
  nas_tensor *a = tensor_of(NAS_FLOAT32, (double[]){1, 2, 3, 4}, DIMS(2, 2));
  nas_tensor *b = tensor_of(NAS_FLOAT32, (double[]){10, 20, 30, 40}, DIMS(2, 2)), *turned, *out;
  check_ok(nas_tensor_add(&out, a, b, NULL), NULL);
  check_tensor(out, ((double[]){11, 22, 33, 44}), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_sub(&out, a, b, NULL), NULL);
  check_tensor(out, ((double[]){-9, -18, -27, -36}), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_transpose(&turned, b, 0, 1, NULL), NULL);
  check_ok(nas_tensor_mul(&out, a, turned, NULL), NULL);
  check_tensor(out, ((double[]){10, 60, 60, 160}), DIMS(2, 2));
  assert_true(nas_tensor_is_contiguous(out));
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void scalars_meet_every_element(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_INT32, DIMS(3)), *out;
  check_ok(nas_tensor_add_scalar(&out, a, 10, NULL), NULL);
  check_tensor(out, ((double[]){10, 11, 12}), DIMS(3));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_sub_scalar(&out, a, 10, NULL), NULL);
  check_tensor(out, ((double[]){-10, -9, -8}), DIMS(3));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_mul_scalar(&out, a, -3, NULL), NULL);
  check_tensor(out, ((double[]){0, -3, -6}), DIMS(3));
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
}

static void float_results_are_rounded_once(void **state) {
  (void)state;
  const float x = 0.1f, y = 3.7e-9f;
  nas_tensor *a = tensor_of(NAS_FLOAT32, (double[]){(double)x}, DIMS(1));
  nas_tensor *b = tensor_of(NAS_FLOAT32, (double[]){(double)y}, DIMS(1)), *out;
  check_ok(nas_tensor_add(&out, a, b, NULL), NULL);
  check_float_bits(*(float *)nas_tensor_data(out), x + y);
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_mul(&out, a, b, NULL), NULL);
  check_float_bits(*(float *)nas_tensor_data(out), x * y);
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_mul_scalar(&out, a, nan(""), NULL), NULL);
  assert_true(isnan(element_at(out, 0)));
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void integers_that_do_not_fit_are_refused(void **state) {
  (void)state;
  nas_tensor *a = tensor_of(NAS_UINT8, (double[]){1, 200}, DIMS(2)), *out;
  nas_tensor *b = tensor_of(NAS_INT32, (double[]){INT32_MAX, INT32_MAX}, DIMS(2));
  check_refused(nas_tensor_add(&out, a, a, &err), NAS_ARGUMENT, out,
                "element 1 (in index order) would be 400; uint8");
  check_refused(nas_tensor_sub_scalar(&out, a, 2, &err), NAS_ARGUMENT, out, "would be -1;");
  check_refused(nas_tensor_mul_scalar(&out, a, 0.5, &err), NAS_ARGUMENT, out, "would be 0.5;");
  check_refused(nas_tensor_mul(&out, b, b, &err), NAS_ARGUMENT, out, "int32 holds");
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void different_shapes_and_types_are_refused(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_FLOAT32, DIMS(2, 3)), *b = counting(NAS_FLOAT32, DIMS(3, 2));
  nas_tensor *c = counting(NAS_INT32, DIMS(2, 3)), *out;
  check_refused(nas_tensor_add(&out, a, b, &err), NAS_ARGUMENT, out,
                "the shapes [2, 3] and [3, 2] differ");
  check_refused(nas_tensor_mul(&out, a, c, &err), NAS_ARGUMENT, out,
                "the types float32 and int32 differ");
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
  nas_tensor_destroy(&c);
}

static void arithmetic_survives_failing_memory(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_FLOAT32, DIMS(2, 3)), *out;
  check_starved(nas_tensor_add(&out, a, a, NULL), out);
  nas_tensor_destroy(&out);
  check_starved(nas_tensor_mul_scalar(&out, a, 2, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(equal_shapes_are_combined_element_by_element),
      TEST(scalars_meet_every_element),
      TEST(float_results_are_rounded_once),
      TEST(integers_that_do_not_fit_are_refused),
      TEST(different_shapes_and_types_are_refused),
      TEST(arithmetic_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
