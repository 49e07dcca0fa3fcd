#include "sets.h"

static void check_page(const nas_dataset *dataset, const char *expected) {
  nas_text text = {0};
  nas_dataset_describe(dataset, &text);
  assert_string_equal(text.data, expected);
  nas_text_clear(&text);
}

static void a_page_about_classes(void **state) {
  (void)state;
  nas_tensor *images = counting(NAS_UINT8, DIMS(8, 2, 3, 1)), *labels = labels_in_turn(8, 3);
  const char *names[] = {"cat", "a rather long name", "na\xc3\xafve"};
  nas_dataset_parts parts = {
      .name = "pets", .inputs = images, .targets = labels, .classes = 3, .class_names = names};
  nas_dataset *whole, *split;
  nas_split settings = {.training_list = (int32_t[]){0, 1, 3, 4},
                        .training_count = 4,
                        .validation_list = (int32_t[]){6, 2},
                        .validation_count = 2,
                        .standardize = 1};
  check_ok(nas_dataset_create(&whole, &parts, NULL), NULL);
  split = split_by(whole, &settings);
  char expected[1000];
  snprintf(expected, sizeof expected,
           "name          pets\n"
           "inputs        8 images of 2x3x1, bytes from 0 to 47\n"
           "targets       3 classes\n"
           "split         4 train, 2 validate, 2 are left out; given as lists\n"
           "standardized  each channel: mean 0.05686, std 0.0378\n"
           "fingerprint   %s\n"
           "\n"
           "class                 training  validation\n"
           "cat                          2           1\n"
           "a rather long name           2           0\n"
           "na\xc3\xafve                        0           1\n",
           nas_dataset_fingerprint(split));
  check_page(split, expected);
  nas_dataset_release(&whole);
  nas_dataset_release(&split);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
}

static void a_page_about_values(void **state) {
  (void)state;
  nas_dataset *whole = set_of(tensor_of(NAS_FLOAT32, (double[]){-1.5, 2, 0.25, 1e6}, DIMS(2, 2)),
                              tensor_of(NAS_FLOAT32, (double[]){1, -0.001, 2, 100}, DIMS(2, 2)), 0);
  char expected[1000];
  snprintf(expected, sizeof expected,
           "name          set\n"
           "inputs        2 rows of 2 features, floats from -1.5 to 1000000\n"
           "targets       2 values\n"
           "split         2 train, 0 validate, 0 are left out; not split\n"
           "standardized  no\n"
           "fingerprint   %s\n"
           "\n"
           "value                 mean         std         min         max  (training)\n"
           "1                      1.5         0.5           1           2\n"
           "2                       50          50      -0.001         100\n",
           nas_dataset_fingerprint(whole));
  check_page(whole, expected);
  nas_dataset_release(&whole);
}

static void long_lists_are_cut(void **state) {
  (void)state;
  nas_dataset *whole = set_of(noise(NAS_UINT8, 1, DIMS(240, 2)), labels_in_turn(240, 120), 120);
  nas_dataset *split = split_by(whole, &(nas_split){.validation = 120, .seed = 3, .stratified = 1});
  nas_text text = {0};
  nas_dataset_describe(split, &text);
  check_contains(text.data, " drawn by seed 3, stratified\n");
  check_contains(text.data, "\n100                      1           1\n"
                            "              and 20 more classes\n");
  assert_null(strstr(text.data, "\n101 "));
  nas_text_clear(&text);
  nas_dataset_release(&whole);
  nas_dataset_release(&split);
}

/* Numbers of float64 that no float32 has are told, too. */
static void ends_of_the_range(void **state) {
  (void)state;
  nas_error err;
  nas_text text = {0};
  nas_dataset *made;
  nas_dataset *whole =
      set_of(noise(NAS_FLOAT32, 1, DIMS(9, 2)), noise(NAS_FLOAT32, 1, DIMS(9, 2)), 0);
  const double mean[] = {1e-310, -1e308}, std[] = {1e-310, 1.7e308};
  check_ok(nas_dataset_adopt(&made, whole, 2, mean, std, &err), &err);
  nas_dataset_describe(made, &text);
  assert_false(text.failed);
  check_contains(text.data, "1e-310");
  assert_null(strstr(text.data, "inf"));
  nas_text_clear(&text);
  nas_dataset_release(&made);
  nas_dataset_release(&whole);
}

static void describing_survives_failing_memory(void **state) {
  (void)state;
  nas_dataset *whole =
      set_of(noise(NAS_UINT8, 1, DIMS(9, 2)), noise(NAS_FLOAT32, 1, DIMS(9, 2)), 0);
  size_t before = nas_memory_used().blocks;
  int failed = 1;
  for (long allowed = 0; failed; allowed++) {
    nas_text text = {0};
    nas_memory_fail_after(allowed);
    nas_dataset_describe(whole, &text);
    nas_memory_fail_after(-1);
    failed = text.failed;
    assert_true(failed || allowed > 0);
    nas_text_clear(&text);
    assert_int_equal(nas_memory_used().blocks, before);
  }
  nas_dataset_release(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_page_about_classes),
      TEST(a_page_about_values),
      TEST(long_lists_are_cut),
      TEST(ends_of_the_range),
      TEST(describing_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
