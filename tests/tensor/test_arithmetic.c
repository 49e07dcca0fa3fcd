#include "tensors.h"
#include <math.h>
#include <nas/elementary.h>

#define check_binary(operation, a, b, dtype, values, ...)                                          \
  do {                                                                                             \
    nas_tensor *out_;                                                                              \
    nas_error err_ = {0};                                                                          \
    check_ok(nas_tensor_binary(&out_, (operation), (a), (b), &err_), &err_);                       \
    assert_int_equal(nas_tensor_dtype(out_), (dtype));                                             \
    check_tensor(out_, ((double[])values), __VA_ARGS__);                                           \
    assert_true(nas_tensor_is_contiguous(out_));                                                   \
    nas_tensor_destroy(&out_);                                                                     \
  } while (0)

#define LIST(...)                                                                                  \
  { __VA_ARGS__ }

static void equal_shapes_are_combined_element_by_element(void **state) {
  (void)state;
  nas_tensor *a = tensor_of(NAS_FLOAT32, (double[]){1, 2, 3, 4}, DIMS(2, 2));
  nas_tensor *b = tensor_of(NAS_FLOAT32, (double[]){10, 20, 30, 40}, DIMS(2, 2)), *turned;
  check_binary(NAS_BINARY_ADD, a, b, NAS_FLOAT32, LIST(11, 22, 33, 44), DIMS(2, 2));
  check_binary(NAS_BINARY_SUB, a, b, NAS_FLOAT32, LIST(-9, -18, -27, -36), DIMS(2, 2));
  check_binary(NAS_BINARY_DIV, b, a, NAS_FLOAT32, LIST(10, 10, 10, 10), DIMS(2, 2));
  check_binary(NAS_BINARY_POW, a, a, NAS_FLOAT32, LIST(1, 4, 27, 256), DIMS(2, 2));
  check_ok(nas_tensor_transpose(&turned, b, 0, 1, NULL), NULL);
  check_binary(NAS_BINARY_MUL, a, turned, NAS_FLOAT32, LIST(10, 60, 60, 160), DIMS(2, 2));
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void shapes_are_broadcast(void **state) {
  (void)state;
  nas_tensor *column = counting(NAS_INT32, DIMS(2, 1)), *row = counting(NAS_INT32, DIMS(3));
  nas_tensor *cube = counting(NAS_INT32, DIMS(2, 1, 3));
  check_binary(NAS_BINARY_ADD, column, row, NAS_INT32, LIST(0, 1, 2, 1, 2, 3), DIMS(2, 3));
  check_binary(NAS_BINARY_SUB, row, column, NAS_INT32, LIST(0, 1, 2, -1, 0, 1), DIMS(2, 3));
  check_binary(NAS_BINARY_ADD, cube, column, NAS_INT32, LIST(0, 1, 2, 1, 2, 3, 3, 4, 5, 4, 5, 6),
               DIMS(2, 2, 3));
  nas_tensor_destroy(&column);
  nas_tensor_destroy(&row);
  nas_tensor_destroy(&cube);
}

static void the_result_has_a_type_that_fits(void **state) {
  (void)state;
  nas_tensor *byte = tensor_of(NAS_UINT8, (double[]){1, 200}, DIMS(2));
  nas_tensor *integer = tensor_of(NAS_INT32, (double[]){4, -3}, DIMS(2));
  nas_tensor *real = tensor_of(NAS_FLOAT32, (double[]){0.5, 2}, DIMS(2));
  check_binary(NAS_BINARY_ADD, byte, byte, NAS_INT32, LIST(2, 400), DIMS(2));
  check_binary(NAS_BINARY_MUL, byte, integer, NAS_INT32, LIST(4, -600), DIMS(2));
  check_binary(NAS_BINARY_SUB, byte, real, NAS_FLOAT32, LIST(0.5, 198), DIMS(2));
  check_binary(NAS_BINARY_DIV, byte, integer, NAS_FLOAT32, LIST(0.25, (double)(200.0f / -3.0f)),
               DIMS(2));
  check_binary(NAS_BINARY_MAXIMUM, byte, byte, NAS_UINT8, LIST(1, 200), DIMS(2));
  check_binary(NAS_BINARY_MAXIMUM, byte, integer, NAS_INT32, LIST(4, 200), DIMS(2));
  check_binary(NAS_BINARY_MINIMUM, byte, real, NAS_FLOAT32, LIST(0.5, 2), DIMS(2));
  check_binary(NAS_BINARY_LT, byte, real, NAS_UINT8, LIST(0, 0), DIMS(2));
  nas_tensor_destroy(&byte);
  nas_tensor_destroy(&integer);
  nas_tensor_destroy(&real);
}

static void comparisons_and_logic(void **state) {
  (void)state;
  nas_tensor *a = tensor_of(NAS_FLOAT32, (double[]){1, 2, 3, nan("")}, DIMS(4));
  nas_tensor *b = tensor_of(NAS_FLOAT32, (double[]){2, 2, 2, 0}, DIMS(4));
  check_binary(NAS_BINARY_LT, a, b, NAS_UINT8, LIST(1, 0, 0, 0), DIMS(4));
  check_binary(NAS_BINARY_LE, a, b, NAS_UINT8, LIST(1, 1, 0, 0), DIMS(4));
  check_binary(NAS_BINARY_GT, a, b, NAS_UINT8, LIST(0, 0, 1, 0), DIMS(4));
  check_binary(NAS_BINARY_GE, a, b, NAS_UINT8, LIST(0, 1, 1, 0), DIMS(4));
  check_binary(NAS_BINARY_EQ, a, b, NAS_UINT8, LIST(0, 1, 0, 0), DIMS(4));
  check_binary(NAS_BINARY_NE, a, b, NAS_UINT8, LIST(1, 0, 1, 1), DIMS(4));
  check_binary(NAS_BINARY_AND, a, b, NAS_UINT8, LIST(1, 1, 1, 0), DIMS(4));
  check_binary(NAS_BINARY_OR, a, b, NAS_UINT8, LIST(1, 1, 1, 1), DIMS(4));
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void float_results_are_rounded_once(void **state) {
  (void)state;
  const float x = 0.1f, y = 3.7e-9f;
  nas_tensor *a = tensor_of(NAS_FLOAT32, (double[]){(double)x}, DIMS(1)), *out;
  nas_tensor *b = tensor_of(NAS_FLOAT32, (double[]){(double)y}, DIMS(1));
  nas_tensor *none = tensor_of(NAS_FLOAT32, (double[]){nan("")}, DIMS(1));
  const float expected[] = {x + y, x - y, x * y, x / y};
  for (int op = NAS_BINARY_ADD; op <= NAS_BINARY_DIV; op++) {
    check_ok(nas_tensor_binary(&out, (nas_binary)op, a, b, NULL), NULL);
    check_float_bits(*(float *)nas_tensor_data(out), expected[op - NAS_BINARY_ADD]);
    nas_tensor_destroy(&out);
  }
  const nas_binary passes_nan[] = {NAS_BINARY_MUL, NAS_BINARY_MAXIMUM, NAS_BINARY_MINIMUM};
  for (int i = 0; i < 6; i++) {
    check_ok(nas_tensor_binary(&out, passes_nan[i / 2], i % 2 ? a : none, i % 2 ? none : a, NULL),
             NULL);
    assert_true(isnan(element_at(out, 0)));
    nas_tensor_destroy(&out);
  }
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
  nas_tensor_destroy(&none);
}

#define check_unary(operation, tensor, dtype, values, ...)                                         \
  do {                                                                                             \
    nas_tensor *out_;                                                                              \
    nas_error err_ = {0};                                                                          \
    check_ok(nas_tensor_unary(&out_, (operation), (tensor), &err_), &err_);                        \
    assert_int_equal(nas_tensor_dtype(out_), (dtype));                                             \
    check_tensor(out_, ((double[])values), __VA_ARGS__);                                           \
    nas_tensor_destroy(&out_);                                                                     \
  } while (0)

static void functions_are_those_of_the_core(void **state) {
  (void)state;
  const double values[] = {-1.5, -0.0, 2.5, 4}, x = 2.5, y = -1.5;
  nas_tensor *t = tensor_of(NAS_FLOAT32, values, DIMS(2, 2)), *out, *turned;
  nas_tensor *integers = tensor_of(NAS_INT32, (double[]){-3, 0, INT32_MIN}, DIMS(3));
  nas_tensor *bytes = tensor_of(NAS_UINT8, (double[]){3, 0}, DIMS(2));
  check_unary(NAS_UNARY_ABS, t, NAS_FLOAT32, LIST(1.5, 0, 2.5, 4), DIMS(2, 2));
  check_unary(NAS_UNARY_SIGN, t, NAS_FLOAT32, LIST(-1, 0, 1, 1), DIMS(2, 2));
  check_unary(NAS_UNARY_FLOOR, t, NAS_FLOAT32, LIST(-2, 0, 2, 4), DIMS(2, 2));
  check_unary(NAS_UNARY_CEIL, t, NAS_FLOAT32, LIST(-1, 0, 3, 4), DIMS(2, 2));
  check_unary(NAS_UNARY_ROUND, t, NAS_FLOAT32, LIST(-2, 0, 2, 4), DIMS(2, 2));
  check_unary(NAS_UNARY_NOT, t, NAS_UINT8, LIST(0, 1, 0, 0), DIMS(2, 2));
  check_unary(NAS_UNARY_SIGN, integers, NAS_INT32, LIST(-1, 0, -1), DIMS(3));
  check_unary(NAS_UNARY_ABS, bytes, NAS_INT32, LIST(3, 0), DIMS(2));
  check_unary(NAS_UNARY_EXP, bytes, NAS_FLOAT32, LIST((double)(float)nas_exp(3), 1), DIMS(2));
  check_ok(nas_tensor_transpose(&turned, t, 0, 1, NULL), NULL); /* -1.5 2.5 -0 4 */
  double (*const functions[])(double) = {nas_exp, nas_tanh, nas_sigmoid};
  const nas_unary operations[] = {NAS_UNARY_EXP, NAS_UNARY_TANH, NAS_UNARY_SIGMOID};
  for (int i = 0; i < 3; i++) {
    check_ok(nas_tensor_unary(&out, operations[i], turned, NULL), NULL);
    check_float_bits((float)element_at(out, 0), (float)functions[i](y));
    check_float_bits((float)element_at(out, 1), (float)functions[i](x));
    nas_tensor_destroy(&out);
  }
  check_ok(nas_tensor_unary(&out, NAS_UNARY_LOG, turned, NULL), NULL);
  assert_true(isnan(element_at(out, 0)));
  check_float_bits((float)element_at(out, 1), (float)nas_log(x));
  assert_true(element_at(out, 2) == -HUGE_VAL);
  check_unary(NAS_UNARY_IS_NAN, out, NAS_UINT8, LIST(1, 0, 0, 0), DIMS(2, 2));
  check_unary(NAS_UNARY_IS_FINITE, out, NAS_UINT8, LIST(0, 1, 0, 1), DIMS(2, 2));
  nas_tensor_destroy(&out);
  check_ok(nas_tensor_unary(&out, NAS_UNARY_SQRT, turned, NULL), NULL);
  assert_true(isnan(element_at(out, 0)));
  check_float_bits((float)element_at(out, 1), sqrtf((float)x));
  assert_true(signbit(element_at(out, 2)));
  nas_tensor_destroy(&out);
  check_refused(nas_tensor_unary(&out, NAS_UNARY_ABS, integers, &err), NAS_ARGUMENT, out,
                "element 2 (in index order) would be 2147483648; int32");
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&bytes);
  nas_tensor_destroy(&integers);
  nas_tensor_destroy(&t);
}

static void integers_that_do_not_fit_are_refused(void **state) {
  (void)state;
  nas_tensor *big = tensor_of(NAS_INT32, (double[]){1, INT32_MAX}, DIMS(2)), *out;
  check_refused(nas_tensor_binary(&out, NAS_BINARY_ADD, big, big, &err), NAS_ARGUMENT, out,
                "element 1 (in index order) would be 4294967294; int32 holds");
  nas_tensor_destroy(&big);
}

static void shapes_that_do_not_fit_are_refused(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_FLOAT32, DIMS(2, 3)), *b = counting(NAS_FLOAT32, DIMS(3, 2)), *out;
  uint8_t byte = 0; /* never read */
  nas_tensor *wide, *tall;
  check_refused(nas_tensor_binary(&out, NAS_BINARY_ADD, a, b, &err), NAS_ARGUMENT, out,
                "the shapes [2, 3] and [3, 2] differ; expected equal dimensions, counted from the "
                "last, or one entry");
  check_ok(nas_tensor_wrap(&wide, NAS_UINT8, DIMS(1, INT64_C(1) << 40), &byte, NULL, NULL, NULL),
           NULL);
  check_ok(nas_tensor_wrap(&tall, NAS_UINT8, DIMS(INT64_C(1) << 40, 1), &byte, NULL, NULL, NULL),
           NULL);
  check_refused(nas_tensor_binary(&out, NAS_BINARY_ADD, wide, tall, &err), NAS_LIMIT, out,
                "more elements than memory can hold");
  nas_tensor_destroy(&wide);
  nas_tensor_destroy(&tall);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void arithmetic_survives_failing_memory(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_FLOAT32, DIMS(2, 3)), *out;
  check_starved(nas_tensor_binary(&out, NAS_BINARY_ADD, a, a, NULL), out);
  nas_tensor_destroy(&out);
  check_starved(nas_tensor_unary(&out, NAS_UNARY_EXP, a, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(equal_shapes_are_combined_element_by_element),
      TEST(shapes_are_broadcast),
      TEST(the_result_has_a_type_that_fits),
      TEST(comparisons_and_logic),
      TEST(float_results_are_rounded_once),
      TEST(functions_are_those_of_the_core),
      TEST(integers_that_do_not_fit_are_refused),
      TEST(shapes_that_do_not_fit_are_refused),
      TEST(arithmetic_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
