/* Making, sharing and destroying tensors; single elements. */
#include "tensors.h"
#include <math.h>
#include <pthread.h>

static void new_tensor_is_zero_and_contiguous(void **state) {
  (void)state;
  nas_tensor *tensor;
  for (int dtype = NAS_FLOAT32; dtype <= NAS_INT32; dtype++) {
    check_ok(nas_tensor_create(&tensor, (nas_dtype)dtype, DIMS(2, 3, 4), NULL), NULL);
    assert_int_equal(nas_tensor_dtype(tensor), dtype);
    assert_int_equal(nas_tensor_size(tensor), 24);
    assert_int_equal(nas_tensor_strides(tensor)[0], 12);
    assert_int_equal(nas_tensor_strides(tensor)[1], 4);
    assert_int_equal(nas_tensor_strides(tensor)[2], 1);
    assert_true(nas_tensor_is_contiguous(tensor));
    check_tensor(tensor, (double[24]){0}, DIMS(2, 3, 4));
    nas_tensor_destroy(&tensor);
    assert_null(tensor);
  }
}

static void dtypes_have_names_and_sizes(void **state) {
  (void)state;
  assert_string_equal(nas_dtype_name(NAS_FLOAT32), "float32");
  assert_string_equal(nas_dtype_name(NAS_UINT8), "uint8");
  assert_string_equal(nas_dtype_name(NAS_INT32), "int32");
  assert_string_equal(nas_dtype_name((nas_dtype)7), "unknown");
  assert_int_equal(nas_dtype_size(NAS_FLOAT32), 4);
  assert_int_equal(nas_dtype_size(NAS_UINT8), 1);
  assert_int_equal(nas_dtype_size(NAS_INT32), 4);
  assert_int_equal(nas_dtype_size((nas_dtype)-1), 0);
}

static void unsound_shapes_are_refused(void **state) {
  (void)state;
  nas_tensor *t;
  check_refused(nas_tensor_create(&t, (nas_dtype)9, DIMS(2), &err), NAS_ARGUMENT, t, "dtype 9");
  check_refused(nas_tensor_create(&t, NAS_UINT8, 0, NULL, &err), NAS_ARGUMENT, t,
                "0 dimensions given; expected 1 to 8");
  check_refused(nas_tensor_create(&t, NAS_UINT8, DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1), &err),
                NAS_ARGUMENT, t, "9 dimensions");
  check_refused(nas_tensor_create(&t, NAS_UINT8, DIMS(2, 0), &err), NAS_ARGUMENT, t,
                "dimension 1 is 0; expected at least 1");
  check_refused(nas_tensor_create(&t, NAS_UINT8, DIMS(-3), &err), NAS_ARGUMENT, t,
                "dimension 0 is -3");
  assert_int_equal(nas_tensor_create(&t, NAS_UINT8, DIMS(0), NULL), NAS_ARGUMENT);
}

static void sizes_that_overflow_are_refused(void **state) {
  (void)state;
  nas_tensor *t;
  check_refused(nas_tensor_create(&t, NAS_UINT8, DIMS(INT64_C(1) << 32, INT64_C(1) << 32), &err),
                NAS_LIMIT, t, "[4294967296, 4294967296]");
  check_refused(nas_tensor_create(&t, NAS_UINT8, DIMS(INT64_MAX, 2), &err), NAS_LIMIT, t, "memory");
  check_refused(nas_tensor_create(&t, NAS_INT32, DIMS(INT64_MAX / 4 + 1), &err), NAS_LIMIT, t,
                "memory");
  check_refused(nas_tensor_create(&t, NAS_FLOAT32,
                                  DIMS(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                                       INT64_MAX, INT64_MAX, INT64_MAX),
                                  &err),
                NAS_LIMIT, t, "9223372036854775807]");
}

static void count_release(void *context, void *data) {
  assert_non_null(data);
  ++*(int *)context;
}

static void foreign_memory_is_given_back_by_the_last_handle(void **state) {
  (void)state;
  float numbers[6] = {1, 2, 3, 4, 5, 6};
  int released = 0;
  nas_tensor *tensor, *row, *column;
  check_ok(
      nas_tensor_wrap(&tensor, NAS_FLOAT32, DIMS(2, 3), numbers, count_release, &released, NULL),
      NULL);
  assert_ptr_equal(nas_tensor_data(tensor), numbers);
  check_ok(nas_tensor_select(&row, tensor, 0, 1, NULL), NULL);
  check_ok(nas_tensor_select(&column, tensor, 1, 0, NULL), NULL);
  nas_tensor_destroy(&tensor);
  assert_int_equal(released, 0);
  check_tensor(row, ((double[]){4, 5, 6}), DIMS(3));
  nas_tensor_destroy(&row);
  assert_int_equal(released, 0);
  check_tensor(column, ((double[]){1, 4}), DIMS(2));
  nas_tensor_destroy(&column);
  assert_int_equal(released, 1);
}

static void foreign_memory_without_release_stays(void **state) {
  (void)state;
  uint8_t bytes[4] = {9, 8, 7, 6};
  nas_tensor *tensor;
  check_ok(nas_tensor_wrap(&tensor, NAS_UINT8, DIMS(2, 2), bytes, NULL, NULL, NULL), NULL);
  set_element(tensor, 3, 255);
  nas_tensor_destroy(&tensor);
  assert_int_equal(bytes[3], 255);
}

static void failed_wrap_leaves_the_memory_with_the_caller(void **state) {
  (void)state;
  int released = 0;
  uint8_t bytes[4] = {0};
  nas_tensor *t;
  check_refused(nas_tensor_wrap(&t, NAS_UINT8, DIMS(0), bytes, count_release, &released, &err),
                NAS_ARGUMENT, t, "dimension 0 is 0");
  check_starved(nas_tensor_wrap(&t, NAS_UINT8, DIMS(4), bytes, count_release, &released, NULL), t);
  assert_int_equal(released, 0);
  nas_tensor_destroy(&t);
  assert_int_equal(released, 1);
}

static void create_survives_failing_memory(void **state) {
  (void)state;
  nas_tensor *tensor;
  check_starved(nas_tensor_create(&tensor, NAS_INT32, DIMS(3, 5), NULL), tensor);
  nas_tensor_destroy(&tensor);
}

static void destroy_accepts_nothing(void **state) {
  (void)state;
  nas_tensor *none = NULL;
  nas_tensor_destroy(NULL);
  nas_tensor_destroy(&none);
}

static void elements_are_read_and_written_by_index(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(2, 3));
  double value;
  check_ok(nas_tensor_set(tensor, (int64_t[]){1, 0}, 2, -7, NULL), NULL);
  check_ok(nas_tensor_get(tensor, (int64_t[]){1, 0}, 2, &value, NULL), NULL);
  assert_true(value == -7);
  check_tensor(tensor, ((double[]){0, 1, 2, -7, 4, 5}), DIMS(2, 3));
  nas_tensor_destroy(&tensor);
}

static void wrong_indices_are_refused(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_UINT8, DIMS(2, 3, 5));
  nas_error err = {0};
  double value = 42;
  assert_int_equal(nas_tensor_get(tensor, (int64_t[]){0, 0, 7}, 3, &value, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "tensor: dimension 2 has 5 entries; index 7 is outside 0 to 4");
  assert_int_equal(nas_tensor_get(tensor, (int64_t[]){-1, 0, 0}, 3, &value, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "tensor: dimension 0 has 2 entries; index -1 is outside 0 to 1");
  assert_int_equal(nas_tensor_set(tensor, (int64_t[]){0, 3, 0}, 3, 0, &err), NAS_ARGUMENT);
  check_contains(err.text, "index 3 is outside 0 to 2");
  assert_int_equal(nas_tensor_get(tensor, (int64_t[]){0, 0}, 2, &value, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "tensor: 2 indices given for 3 dimensions");
  assert_true(value == 42);
  nas_tensor_destroy(&tensor);
}

static void integers_take_whole_numbers_of_their_range(void **state) {
  (void)state;
  const double bad_bytes[] = {-1, 256, 1.5, nan(""), HUGE_VAL, 1e300};
  const double bad_ints[] = {2147483648.0, -2147483649.0, 0.25, nan(""), -HUGE_VAL};
  nas_tensor *bytes = counting(NAS_UINT8, DIMS(1)), *ints = counting(NAS_INT32, DIMS(1));
  nas_error err = {0};
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(nas_tensor_set(bytes, (int64_t[]){0}, 1, bad_bytes[i], &err), NAS_ARGUMENT);
    check_contains(err.text, "uint8 holds whole numbers from 0 to 255");
    assert_int_equal(nas_tensor_fill(bytes, bad_bytes[i], &err), NAS_ARGUMENT);
  }
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(nas_tensor_set(ints, (int64_t[]){0}, 1, bad_ints[i], &err), NAS_ARGUMENT);
  check_contains(err.text, "int32 holds whole numbers from -2147483648 to 2147483647");
  set_element(ints, 0, INT32_MIN);
  assert_true(element_at(ints, 0) == INT32_MIN);
  set_element(ints, 0, INT32_MAX);
  assert_true(element_at(ints, 0) == INT32_MAX);
  set_element(bytes, 0, 255);
  assert_true(element_at(bytes, 0) == 255);
  nas_tensor_destroy(&bytes);
  nas_tensor_destroy(&ints);
}

static void floats_take_any_number(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(3));
  set_element(tensor, 0, 0.1);
  set_element(tensor, 1, nan(""));
  set_element(tensor, 2, -HUGE_VAL);
  assert_true(element_at(tensor, 0) == (double)0.1f);
  assert_true(isnan(element_at(tensor, 1)));
  assert_true(element_at(tensor, 2) == -HUGE_VAL);
  nas_tensor_destroy(&tensor);
}

static void *make_and_destroy_views(void *argument) {
  const nas_tensor *tensor = argument;
  for (int i = 0; i < 5000; i++) {
    nas_tensor *view = NULL, *again = NULL;
    if (nas_tensor_narrow(&view, tensor, 0, i % 8, 1, NULL) != NAS_OK) return argument;
    if (nas_tensor_view(&again, view, NULL) != NAS_OK) return argument;
    nas_tensor_destroy(&view);
    if (nas_tensor_total(again, NAS_REDUCE_SUM) != i % 8) return argument;
    nas_tensor_destroy(&again);
  }
  return NULL;
}

static void views_come_and_go_in_many_threads(void **state) {
  (void)state;
  pthread_t threads[4];
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(8));
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, make_and_destroy_views, tensor), 0);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(threads[i], &result);
    assert_null(result);
  }
  nas_tensor_destroy(&tensor);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(new_tensor_is_zero_and_contiguous),
      TEST(dtypes_have_names_and_sizes),
      TEST(unsound_shapes_are_refused),
      TEST(sizes_that_overflow_are_refused),
      TEST(foreign_memory_is_given_back_by_the_last_handle),
      TEST(foreign_memory_without_release_stays),
      TEST(failed_wrap_leaves_the_memory_with_the_caller),
      TEST(create_survives_failing_memory),
      TEST(destroy_accepts_nothing),
      TEST(elements_are_read_and_written_by_index),
      TEST(wrong_indices_are_refused),
      TEST(integers_take_whole_numbers_of_their_range),
      TEST(floats_take_any_number),
      TEST(views_come_and_go_in_many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
