#include "tensors.h"

static void narrow_keeps_the_rank(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(3, 4)), *view;
  check_ok(nas_tensor_narrow(&view, tensor, 1, 1, 2, NULL), NULL);
  check_tensor(view, ((double[]){1, 2, 5, 6, 9, 10}), DIMS(3, 2));
  assert_true(nas_tensor_shares(view, tensor));
  assert_false(nas_tensor_is_contiguous(view));
  nas_tensor_destroy(&view);
  check_ok(nas_tensor_narrow(&view, tensor, 0, 1, 2, NULL), NULL);
  check_tensor(view, ((double[]){4, 5, 6, 7, 8, 9, 10, 11}), DIMS(2, 4));
  assert_true(nas_tensor_is_contiguous(view));
  nas_tensor_destroy(&view);
  nas_tensor_destroy(&tensor);
}

static void narrow_outside_is_refused(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(3, 4)), *v;
  check_refused(nas_tensor_narrow(&v, t, 2, 0, 1, &err), NAS_ARGUMENT, v,
                "there is no dimension 2; expected 0 to 1");
  check_refused(nas_tensor_narrow(&v, t, -1, 0, 1, &err), NAS_ARGUMENT, v, "no dimension -1");
  check_refused(nas_tensor_narrow(&v, t, 1, 4, 1, &err), NAS_ARGUMENT, v,
                "dimension 1 has 4 entries; index 4 is outside 0 to 3");
  check_refused(nas_tensor_narrow(&v, t, 1, -1, 1, &err), NAS_ARGUMENT, v, "index -1");
  check_refused(nas_tensor_narrow(&v, t, 1, 2, 3, &err), NAS_ARGUMENT, v,
                "2 entries from index 2 on; count 3 is outside 1 to 2");
  check_refused(nas_tensor_narrow(&v, t, 1, 2, 0, &err), NAS_ARGUMENT, v, "count 0");
  check_refused(nas_tensor_narrow(&v, t, 1, 2, INT64_MAX, &err), NAS_ARGUMENT, v, "outside 1 to 2");
  check_refused(nas_tensor_narrow(&v, t, 1, 2, INT64_MIN, &err), NAS_ARGUMENT, v, "outside 1 to 2");
  nas_tensor_destroy(&t);
}

static void select_takes_a_dimension_away(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(2, 3, 4)), *view;
  check_ok(nas_tensor_select(&view, tensor, 0, 1, NULL), NULL);
  check_tensor(view, ((double[]){12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}), DIMS(3, 4));
  nas_tensor_destroy(&view);
  check_ok(nas_tensor_select(&view, tensor, 1, 2, NULL), NULL);
  check_tensor(view, ((double[]){8, 9, 10, 11, 20, 21, 22, 23}), DIMS(2, 4));
  nas_tensor_destroy(&view);
  check_ok(nas_tensor_select(&view, tensor, 2, 3, NULL), NULL);
  check_tensor(view, ((double[]){3, 7, 11, 15, 19, 23}), DIMS(2, 3));
  nas_tensor_destroy(&view);
  nas_tensor_destroy(&tensor);
}

static void select_outside_is_refused(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(3, 1)), *line = counting(NAS_UINT8, DIMS(3)), *v;
  check_refused(nas_tensor_select(&v, t, 0, 3, &err), NAS_ARGUMENT, v, "index 3 is outside 0 to 2");
  check_refused(nas_tensor_select(&v, t, 1, 1, &err), NAS_ARGUMENT, v, "has 1 entry;");
  check_refused(nas_tensor_select(&v, t, 5, 0, &err), NAS_ARGUMENT, v, "no dimension 5");
  check_refused(nas_tensor_select(&v, line, 0, 0, &err), NAS_ARGUMENT, v, "has only one");
  nas_tensor_destroy(&t);
  nas_tensor_destroy(&line);
}

static void transpose_exchanges_dimensions(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_UINT8, DIMS(2, 3)), *view, *back;
  check_ok(nas_tensor_transpose(&view, tensor, 0, 1, NULL), NULL);
  check_tensor(view, ((double[]){0, 3, 1, 4, 2, 5}), DIMS(3, 2));
  assert_true(nas_tensor_shares(view, tensor));
  check_ok(nas_tensor_transpose(&back, view, 1, 0, NULL), NULL);
  assert_true(nas_tensor_is_contiguous(back));
  assert_true(nas_tensor_equal(back, tensor));
  nas_tensor_destroy(&back);
  check_refused(nas_tensor_transpose(&back, view, 0, 2, &err), NAS_ARGUMENT, back,
                "no dimension 2");
  check_refused(nas_tensor_transpose(&back, view, -1, 0, &err), NAS_ARGUMENT, back,
                "no dimension -1");
  nas_tensor_destroy(&view);
  nas_tensor_destroy(&tensor);
}

static void steps_lead_both_ways(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(2, 5)), *v, *again;
  check_ok(nas_tensor_step(&v, t, 1, 2, NULL), NULL);
  check_tensor(v, ((double[]){0, 2, 4, 5, 7, 9}), DIMS(2, 3));
  check_ok(nas_tensor_step(&again, v, 1, -2, NULL), NULL);
  check_tensor(again, ((double[]){4, 0, 9, 5}), DIMS(2, 2));
  check_ok(nas_tensor_fill(again, 7, NULL), NULL);
  check_tensor(t, ((double[]){7, 1, 2, 3, 7, 7, 6, 7, 8, 7}), DIMS(2, 5));
  nas_tensor_destroy(&again);
  nas_tensor_destroy(&v);
  check_ok(nas_tensor_step(&v, t, 0, -INT64_MAX, NULL), NULL);
  check_tensor(v, ((double[]){7, 6, 7, 8, 7}), DIMS(1, 5));
  assert_true(nas_tensor_is_contiguous(v));
  nas_tensor_destroy(&v);
  check_refused(nas_tensor_step(&v, t, 0, 0, &err), NAS_ARGUMENT, v, "step is 0");
  check_refused(nas_tensor_step(&v, t, 2, 1, &err), NAS_ARGUMENT, v, "no dimension 2");
  check_starved(nas_tensor_step(&v, t, 0, 1, NULL), v);
  nas_tensor_destroy(&v);
  nas_tensor_destroy(&t);
}

static void permute_orders_dimensions(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(2, 1, 3)), *v;
  check_ok(nas_tensor_permute(&v, t, (int[]){2, 0, 1}, NULL), NULL);
  check_tensor(v, ((double[]){0, 3, 1, 4, 2, 5}), DIMS(3, 2, 1));
  assert_true(nas_tensor_shares(v, t));
  nas_tensor_destroy(&v);
  check_refused(nas_tensor_permute(&v, t, (int[]){0, 1, 0}, &err), NAS_ARGUMENT, v,
                "dimension 0 is there twice");
  check_refused(nas_tensor_permute(&v, t, (int[]){0, 1, 3}, &err), NAS_ARGUMENT, v,
                "no dimension 3");
  check_starved(nas_tensor_permute(&v, t, (int[]){0, 1, 2}, NULL), v);
  nas_tensor_destroy(&v);
  nas_tensor_destroy(&t);
}

static void unsqueeze_adds_a_dimension(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(2, 2)), *v;
  nas_tensor *eight = counting(NAS_UINT8, DIMS(1, 1, 1, 1, 1, 1, 1, 1));
  check_ok(nas_tensor_unsqueeze(&v, t, 2, NULL), NULL);
  check_tensor(v, ((double[]){0, 1, 2, 3}), DIMS(2, 2, 1));
  assert_true(nas_tensor_is_contiguous(v));
  nas_tensor_destroy(&v);
  check_refused(nas_tensor_unsqueeze(&v, t, 3, &err), NAS_ARGUMENT, v, "expected 0 to 2");
  check_refused(nas_tensor_unsqueeze(&v, eight, 0, &err), NAS_ARGUMENT, v, "8 dimensions");
  check_starved(nas_tensor_unsqueeze(&v, t, 0, NULL), v);
  nas_tensor_destroy(&v);
  nas_tensor_destroy(&eight);
  nas_tensor_destroy(&t);
}

static void expanded_tensors_are_read_only(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_INT32, DIMS(2, 1)), *v, *copy;
  nas_error why = {0};
  check_ok(nas_tensor_expand(&v, t, DIMS(2, 2, 3), NULL), NULL);
  check_tensor(v, ((double[]){0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1}), DIMS(2, 2, 3));
  assert_false(nas_tensor_is_contiguous(v));
  check_ok(nas_tensor_clone(&copy, v, NULL), NULL);
  assert_true(nas_tensor_equal(copy, v));
  assert_int_equal(nas_tensor_fill(v, 1, &why), NAS_ARGUMENT);
  check_contains(why.text, "an expanded tensor can't be written to");
  assert_int_equal(nas_tensor_copy(v, copy, &why), NAS_ARGUMENT);
  assert_int_equal(nas_tensor_set(v, (int64_t[]){0, 0, 0}, 3, 1, &why), NAS_ARGUMENT);
  assert_int_equal(nas_tensor_ramp(v, 0, 1, &why), NAS_ARGUMENT);
  nas_tensor_destroy(&v);
  check_refused(nas_tensor_expand(&v, t, DIMS(3, 3), &err), NAS_ARGUMENT, v,
                "[2, 1] can't be expanded to [3, 3]");
  check_refused(nas_tensor_expand(&v, t, DIMS(2), &err), NAS_ARGUMENT, v, "can't be expanded");
  check_starved(nas_tensor_expand(&v, t, DIMS(2, 3), NULL), v);
  nas_tensor_destroy(&v);
  nas_tensor_destroy(&copy);
  nas_tensor_destroy(&t);
}

static void reshape_shares_what_is_contiguous(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(2, 6)), *view;
  check_ok(nas_tensor_reshape(&view, tensor, DIMS(3, 1, 4), NULL), NULL);
  assert_true(nas_tensor_shares(view, tensor));
  set_element(view, 5, 50);
  assert_true(element_at(tensor, 5) == 50);
  nas_tensor_destroy(&view);
  nas_tensor_destroy(&tensor);
}

static void reshape_copies_the_rest(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(2, 3)), *turned, *flat;
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 1, NULL), NULL);
  check_ok(nas_tensor_reshape(&flat, turned, DIMS(6), NULL), NULL);
  assert_false(nas_tensor_shares(flat, tensor));
  assert_true(nas_tensor_is_contiguous(flat));
  check_tensor(flat, ((double[]){0, 3, 1, 4, 2, 5}), DIMS(6));
  nas_tensor_destroy(&flat);
  check_starved(nas_tensor_reshape(&flat, turned, DIMS(6), NULL), flat);
  nas_tensor_destroy(&flat);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&tensor);
}

static void reshape_to_another_size_is_refused(void **state) {
  (void)state;
  nas_tensor *t = counting(NAS_UINT8, DIMS(2, 6)), *v;
  check_refused(nas_tensor_reshape(&v, t, DIMS(5, 2), &err), NAS_ARGUMENT, v,
                "[2, 6] has 12 elements and cannot become [5, 2] with 10");
  check_refused(nas_tensor_reshape(&v, t, DIMS(12, 0), &err), NAS_ARGUMENT, v, "dimension 1 is 0");
  check_refused(nas_tensor_reshape(&v, t, DIMS(INT64_MAX, 12), &err), NAS_LIMIT, v, "memory");
  nas_tensor_destroy(&t);
}

static void dimensions_of_one_do_not_break_contiguity(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(4, 1, 3)), *row, *turned;
  check_ok(nas_tensor_narrow(&row, tensor, 0, 2, 1, NULL), NULL);
  check_ok(nas_tensor_transpose(&turned, row, 0, 2, NULL), NULL);
  assert_true(nas_tensor_is_contiguous(turned));
  check_tensor(turned, ((double[]){6, 7, 8}), DIMS(3, 1, 1));
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&row);
  nas_tensor_destroy(&tensor);
}

static void a_view_outlives_what_it_came_from(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(5, 2)), *view, *second;
  check_ok(nas_tensor_view(&view, tensor, NULL), NULL);
  check_ok(nas_tensor_narrow(&second, view, 0, 3, 2, NULL), NULL);
  nas_tensor_destroy(&tensor);
  nas_tensor_destroy(&view);
  check_tensor(second, ((double[]){6, 7, 8, 9}), DIMS(2, 2));
  nas_tensor_destroy(&second);
}

static void writing_to_a_view_changes_the_others(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_INT32, DIMS(2, 3)), *column;
  check_ok(nas_tensor_select(&column, tensor, 1, 1, NULL), NULL);
  check_ok(nas_tensor_fill(column, 9, NULL), NULL);
  check_tensor(tensor, ((double[]){0, 9, 2, 3, 9, 5}), DIMS(2, 3));
  nas_tensor_destroy(&column);
  nas_tensor_destroy(&tensor);
}

static void views_survive_failing_memory(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(2, 3)), *view;
  check_starved(nas_tensor_view(&view, tensor, NULL), view);
  nas_tensor_destroy(&view);
  check_starved(nas_tensor_narrow(&view, tensor, 1, 0, 2, NULL), view);
  nas_tensor_destroy(&view);
  check_starved(nas_tensor_select(&view, tensor, 1, 0, NULL), view);
  nas_tensor_destroy(&view);
  check_starved(nas_tensor_transpose(&view, tensor, 1, 0, NULL), view);
  nas_tensor_destroy(&view);
  check_starved(nas_tensor_reshape(&view, tensor, DIMS(6), NULL), view);
  nas_tensor_destroy(&view);
  nas_tensor_destroy(&tensor);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(narrow_keeps_the_rank),
      TEST(narrow_outside_is_refused),
      TEST(select_takes_a_dimension_away),
      TEST(select_outside_is_refused),
      TEST(transpose_exchanges_dimensions),
      TEST(steps_lead_both_ways),
      TEST(permute_orders_dimensions),
      TEST(unsqueeze_adds_a_dimension),
      TEST(expanded_tensors_are_read_only),
      TEST(reshape_shares_what_is_contiguous),
      TEST(reshape_copies_the_rest),
      TEST(reshape_to_another_size_is_refused),
      TEST(dimensions_of_one_do_not_break_contiguity),
      TEST(a_view_outlives_what_it_came_from),
      TEST(writing_to_a_view_changes_the_others),
      TEST(views_survive_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
