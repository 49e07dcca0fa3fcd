#include "sets.h"
#include <math.h>
#include <nas/hash.h>

/* Six images [6, 2, 3, 1] and labels 0, 1, 2, 0, 1, 2. */
static nas_tensor *six_images(void) {
  nas_tensor *images = counting(NAS_UINT8, DIMS(6, 2, 3, 1));
  for (int k = 0; k < 36; k++) set_element(images, k, (7 * k + 1) % 256);
  return images;
}

static nas_tensor *six_labels(void) {
  return tensor_of(NAS_INT32, (double[]){0, 1, 2, 0, 1, 2}, DIMS(6));
}

static nas_dataset *six(void) {
  return set_of(six_images(), six_labels(), 3);
}

/* ---- From tensors ---- */

static void tensors_become_a_data_set(void **state) {
  (void)state;
  nas_dataset *dataset = six();
  int dims[3];
  int64_t count;
  assert_string_equal(nas_dataset_name(dataset), "set");
  assert_int_equal(nas_dataset_count(dataset), 6);
  assert_int_equal(nas_dataset_classes(dataset), 3);
  nas_dataset_image_dims(dataset, dims);
  assert_int_equal(dims[0], 2);
  assert_int_equal(dims[1], 3);
  assert_int_equal(dims[2], 1);
  assert_int_equal(nas_dataset_pixels(dataset, 2)[3], (7 * 15 + 1) % 256);
  assert_int_equal(nas_dataset_label(dataset, 5), 2);
  const int32_t *training = nas_dataset_training(dataset, &count);
  assert_int_equal(count, 6);
  for (int i = 0; i < 6; i++) assert_int_equal(training[i], i);
  nas_dataset_validation(dataset, &count);
  assert_int_equal(count, 0);
  nas_dataset_release(&dataset);
  assert_null(dataset);
}

static void later_changes_to_the_tensors_do_not_matter(void **state) {
  (void)state;
  nas_tensor *images = six_images(), *labels = six_labels(), *turned;
  nas_dataset *dataset, *other;
  nas_dataset_parts parts = {.name = "a", .inputs = images, .targets = labels, .classes = 3};
  check_ok(nas_dataset_create(&dataset, &parts, NULL), NULL);
  check_ok(nas_tensor_fill(images, 99, NULL), NULL);
  check_ok(nas_tensor_fill(labels, 0, NULL), NULL);
  assert_int_equal(nas_dataset_pixels(dataset, 0)[0], 1);
  assert_int_equal(nas_dataset_label(dataset, 1), 1);
  check_ok(nas_tensor_transpose(&turned, images, 1, 2, NULL), NULL); /* views are taken too */
  set_element(labels, 0, 1);
  parts.inputs = turned;
  check_ok(nas_dataset_create(&other, &parts, NULL), NULL);
  int dims[3];
  nas_dataset_image_dims(other, dims);
  assert_int_equal(dims[0], 3);
  assert_int_equal(dims[1], 2);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_dataset_release(&dataset);
  nas_dataset_release(&other);
}

static void check_shape(const nas_dataset *dataset, int rank, int a, int b, int c) {
  int dims[3];
  assert_int_equal(nas_dataset_input_shape(dataset, dims), rank);
  assert_int_equal(dims[0], a);
  assert_int_equal(dims[1], b);
  assert_int_equal(dims[2], c);
}

static void inputs_have_several_forms(void **state) {
  (void)state;
  float row[6], one;
  int dims[3];
  for (int type = 0; type < 2; type++) {
    nas_dtype dtype = type ? NAS_FLOAT32 : NAS_UINT8;
    nas_dataset *table = set_of(counting(dtype, DIMS(6, 6)), six_labels(), 3);
    nas_dataset *grey = set_of(counting(dtype, DIMS(6, 2, 3)), six_labels(), 3);
    nas_dataset *colour = set_of(counting(dtype, DIMS(6, 1, 2, 3)), six_labels(), 3);
    nas_dataset *all[] = {table, grey, colour};
    check_shape(table, 1, 6, 1, 1);
    check_shape(grey, 3, 2, 3, 1);
    check_shape(colour, 3, 1, 2, 3);
    for (int d = 0; d < 3; d++) {
      nas_dataset_read_input(all[d], 1, NULL, row, all[d] == grey ? 3 : 6);
      for (int k = 0; k < 6; k++)
        check_float_bits(row[k], type ? (float)(6 + k) : (float)(6 + k) / 255.0f);
      nas_dataset_read_target(all[d], 5, &one);
      check_float_bits(one, 2);
      nas_dataset_image_dims(all[d], dims);
      int pixels = all[d] != table && dtype == NAS_UINT8;
      assert_int_equal(nas_dataset_pixels(all[d], 1) != NULL, pixels);
      assert_int_equal(dims[0] * dims[1] * dims[2], pixels ? 6 : 0);
      nas_dataset_release(&all[d]);
    }
  }
}

static void labels_may_be_bytes(void **state) {
  (void)state;
  nas_dataset *ints = six();
  nas_dataset *bytes =
      set_of(six_images(), tensor_of(NAS_UINT8, (double[]){0, 1, 2, 0, 1, 2}, DIMS(6)), 3);
  assert_string_equal(nas_dataset_fingerprint(ints), nas_dataset_fingerprint(bytes));
  assert_int_equal(nas_dataset_label(bytes, 5), 2);
  nas_dataset_release(&ints);
  nas_dataset_release(&bytes);
}

static void targets_may_be_values(void **state) {
  (void)state;
  nas_dataset *one = set_of(six_images(), counting(NAS_FLOAT32, DIMS(6)), 0);
  nas_dataset *two = set_of(six_images(), counting(NAS_FLOAT32, DIMS(6, 2)), 0), *classes = six();
  float values[2];
  assert_int_equal(nas_dataset_task(one), NAS_TASK_VALUES);
  assert_int_equal(nas_dataset_task(classes), NAS_TASK_CLASSES);
  assert_int_equal(nas_dataset_classes(one), 0);
  assert_int_equal(nas_dataset_label(one, 3), -1);
  assert_int_equal(nas_dataset_target_size(one), 1);
  assert_int_equal(nas_dataset_target_size(two), 2);
  assert_int_equal(nas_dataset_target_size(classes), 1);
  nas_dataset_read_target(one, 4, values);
  check_float_bits(values[0], 4);
  nas_dataset_read_target(two, 4, values);
  check_float_bits(values[0], 8);
  check_float_bits(values[1], 9);
  nas_dataset_release(&one);
  nas_dataset_release(&two);
  nas_dataset_release(&classes);
}

static void classes_may_have_names(void **state) {
  (void)state;
  nas_tensor *images = six_images(), *labels = six_labels();
  nas_dataset *d, *split, *plain = six();
  char cat[] = "cat";
  const char *names[] = {cat, "dog", "owl"};
  nas_dataset_parts parts = {
      .name = "set", .inputs = images, .targets = labels, .classes = 3, .class_names = names};
  check_ok(nas_dataset_create(&d, &parts, NULL), NULL);
  cat[0] = 'b';
  split = split_by(d, &(nas_split){.validation = 2});
  assert_string_equal(nas_dataset_class_name(d, 0), "cat");
  assert_string_equal(nas_dataset_class_name(split, 2), "owl");
  assert_null(nas_dataset_class_name(plain, 0));
  assert_string_equal(identity_of(d), identity_of(plain)); /* results do not depend on names */
  nas_dataset_release(&d);
  nas_dataset_release(&split);
  nas_dataset_release(&plain);
  names[1] = NULL;
  check_refused(nas_dataset_create(&d, &parts, &err), NAS_ARGUMENT, d, "class 1 of 3 has no name");
  names[1] = "";
  check_refused(nas_dataset_create(&d, &parts, &err), NAS_ARGUMENT, d, "class 1 of 3 has no name");
  parts.classes = 0;
  check_refused(nas_dataset_create(&d, &parts, &err), NAS_ARGUMENT, d, "the targets are values");
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
}

/* ---- What is refused ---- */

/* Takes both tensors. */
static void refused(nas_tensor *inputs, nas_tensor *targets, int classes, nas_status status,
                    const char *part) {
  nas_dataset *d;
  const nas_dataset_parts parts = {
      .name = "d", .inputs = inputs, .targets = targets, .classes = classes};
  check_refused(nas_dataset_create(&d, &parts, &err), status, d, part);
  nas_tensor_destroy(&inputs);
  nas_tensor_destroy(&targets);
}

static void unsuitable_tensors_are_refused(void **state) {
  (void)state;
  const nas_status bad = NAS_ARGUMENT;
  refused(counting(NAS_UINT8, DIMS(6)), six_labels(), 3, bad,
          "dataset: the tensor of inputs is uint8 [6]; expected uint8 or float32, [n, features], "
          "[n, height, width] or [n, height, width, channels]");
  refused(counting(NAS_UINT8, DIMS(6, 1, 1, 1, 1)), six_labels(), 3, bad, "[6, 1, 1, 1, 1]");
  refused(counting(NAS_INT32, DIMS(6, 2, 3, 1)), six_labels(), 3, bad, "inputs is int32 [6, 2, 3");
  refused(six_images(), counting(NAS_FLOAT32, DIMS(6)), 3, bad,
          "the tensor of targets is float32 [6]; expected classes, int32 or uint8 [n]");
  refused(six_images(), six_images(), 3, bad, "the tensor of targets is uint8 [6, 2, 3, 1]");
  refused(six_images(), six_labels(), 0, bad,
          "the tensor of targets is int32 [6]; expected values, float32 [n] or [n, k]");
  refused(six_images(), counting(NAS_FLOAT32, DIMS(6, 2, 1)), 0, bad, "float32 [6, 2, 1]");
  refused(six_images(), counting(NAS_INT32, DIMS(5)), 9, bad,
          "6 inputs in the tensor of inputs, but 5 targets in the tensor of targets");
  refused(six_images(), counting(NAS_FLOAT32, DIMS(7, 2)), 0, bad, "but 7 targets in");
}

static void labels_outside_the_classes_are_refused(void **state) {
  (void)state;
  nas_tensor *labels = six_labels();
  refused(six_images(), six_labels(), 2, NAS_ARGUMENT,
          "label 2 in the tensor of targets is 2; expected 0 to 1 for 2 classes");
  refused(six_images(), counting(NAS_UINT8, DIMS(6)), 5, NAS_ARGUMENT,
          "label 5 in the tensor of "
          "targets is 5");
  set_element(labels, 4, -1);
  refused(six_images(), labels, 3, NAS_ARGUMENT, "label 4 in the tensor of targets is -1");
  refused(six_images(), six_labels(), 1, NAS_ARGUMENT,
          "1 classes; expected at least 2, or 0 for values");
  refused(six_images(), six_labels(), -3, NAS_ARGUMENT, "-3 classes");
  refused(six_images(), six_labels(), NAS_CLASSES_MAX + 1, NAS_LIMIT,
          "16777217 classes; expected at most 16777216");
}

static void one_class_only_is_refused(void **state) {
  (void)state;
  nas_tensor *labels = six_labels();
  check_ok(nas_tensor_fill(labels, 2, NULL), NULL);
  refused(six_images(), labels, 3, NAS_ARGUMENT,
          "dataset: all labels in the tensor of targets are of one class, so there is nothing to "
          "learn; expected images of at least 2 classes");
}

static void numbers_that_are_not_finite_are_refused(void **state) {
  (void)state;
  const struct {
    int at;
    double value;
    const char *text;
  } cases[] = {{0, (double)NAN,
                "the tensor of inputs holds nan at [0, 0, 0, 0], counted from 0; expected "
                "finite numbers"},
               {35, HUGE_VAL, "holds inf at [5, 1, 2, 0]"},
               {21, -HUGE_VAL, "holds -inf at [3, 1, 0, 0]"}};
  for (int i = 0; i < 3; i++) {
    nas_tensor *inputs = counting(NAS_FLOAT32, DIMS(6, 2, 3, 1)), *turned;
    set_element(inputs, cases[i].at, cases[i].value);
    check_ok(nas_tensor_view(&turned, inputs, NULL), NULL);
    nas_tensor_destroy(&inputs);
    refused(turned, six_labels(), 3, NAS_ARGUMENT, cases[i].text);
  }
  nas_tensor *table = counting(NAS_FLOAT32, DIMS(4, 6)), *turned;
  set_element(table, 2 * 6 + 4, (double)NAN);
  check_ok(nas_tensor_transpose(&turned, table, 0, 1, NULL), NULL);
  nas_tensor_destroy(&table);
  refused(turned, six_labels(), 3, NAS_ARGUMENT, "holds nan at [4, 2]");
  nas_tensor *values = counting(NAS_FLOAT32, DIMS(6, 2));
  set_element(values, 7, (double)NAN);
  refused(six_images(), values, 0, NAS_ARGUMENT, "the tensor of targets holds nan at [3, 1]");
}

static void too_many_images_are_refused(void **state) {
  (void)state;
  uint8_t byte = 0; /* never read: the check comes first */
  nas_tensor *images;
  check_ok(
      nas_tensor_wrap(&images, NAS_UINT8, DIMS(INT64_C(1) << 31, 1, 1, 1), &byte, NULL, NULL, NULL),
      NULL);
  refused(images, six_labels(), 3, NAS_LIMIT,
          "dimension 0 of the tensor of inputs is 2147483648; expected at most 2147483647");
}

static void creating_survives_failing_memory(void **state) {
  (void)state;
  const char *names[] = {"cat", "dog", "owl"};
  for (int kind = 0; kind < 4; kind++) {
    nas_tensor *inputs =
        kind % 2 ? counting(NAS_FLOAT32, DIMS(6, 4)) : counting(NAS_UINT8, DIMS(6, 2, 3));
    nas_tensor *targets = kind < 2 ? six_labels() : counting(NAS_FLOAT32, DIMS(6));
    nas_dataset_parts parts = {.name = "six", .inputs = inputs, .targets = targets};
    if (kind < 2) parts.classes = 3, parts.class_names = names;
    nas_dataset *dataset;
    check_starved(nas_dataset_create(&dataset, &parts, NULL), dataset);
    nas_dataset_release(&dataset);
    nas_tensor_destroy(&inputs);
    nas_tensor_destroy(&targets);
  }
}

/* ---- Fingerprint, identity, references ---- */

static const char *fingerprint_of(nas_tensor *images, nas_tensor *labels, int classes) {
  static char text[2][160];
  static int turn;
  nas_dataset *dataset;
  nas_error err = {0};
  const nas_dataset_parts parts = {
      .name = "d", .inputs = images, .targets = labels, .classes = classes};
  check_ok(nas_dataset_create(&dataset, &parts, &err), &err);
  turn = !turn;
  snprintf(text[turn], sizeof text[turn], "%s", nas_dataset_fingerprint(dataset));
  nas_dataset_release(&dataset);
  return text[turn];
}

static void fingerprints_tell_contents_and_shapes_apart(void **state) {
  (void)state;
  nas_tensor *images = six_images(), *labels = six_labels(), *reshaped;
  char first[160];
  snprintf(first, sizeof first, "%s", fingerprint_of(images, labels, 3));
  assert_int_equal(strlen(first), 7 + 64 + 1 + 64);
  assert_memory_equal(first, "sha256:", 7);
  assert_int_equal(first[7 + 64], ',');
  assert_string_equal(fingerprint_of(images, labels, 4),
                      first); /* classes: identity, not content */
  check_ok(nas_tensor_reshape(&reshaped, images, DIMS(6, 3, 2, 1), NULL), NULL);
  assert_string_not_equal(fingerprint_of(reshaped, labels, 3), first);
  nas_tensor_destroy(&reshaped);
  check_ok(nas_tensor_reshape(&reshaped, images, DIMS(6, 2, 1, 3), NULL), NULL);
  assert_string_not_equal(fingerprint_of(reshaped, labels, 3), first);
  nas_tensor_destroy(&reshaped);
  set_element(labels, 0, 1);
  assert_memory_equal(fingerprint_of(images, labels, 3), first, 7 + 64);
  assert_string_not_equal(fingerprint_of(images, labels, 3), first);
  set_element(labels, 0, 0);
  set_element(images, 35, 0);
  assert_memory_not_equal(fingerprint_of(images, labels, 3), first, 7 + 64);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
}

/* The sum over an IDX file of those numbers, made by hand. */
static void sum_of(char sum[NAS_SHA256_HEX], const nas_tensor *tensor, int type, int rank) {
  nas_sha256 sha;
  unsigned char word[4] = {0, 0, (unsigned char)type, (unsigned char)rank};
  nas_sha256_begin(&sha);
  nas_sha256_add(&sha, word, 4);
  for (int64_t k = -rank; k < nas_tensor_size(tensor); k++) {
    float value = k < 0 ? 0 : (float)element_at(tensor, k);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (k < 0) bits = (uint32_t)nas_tensor_dims(tensor)[k + rank];
    for (int b = 0; b < 4; b++) word[b] = (unsigned char)(bits >> (24 - 8 * b));
    if (k >= 0 && type == 0x08) word[0] = (unsigned char)value;
    nas_sha256_add(&sha, word, k >= 0 && type == 0x08 ? 1 : 4);
  }
  nas_sha256_end(&sha, sum);
}

static void fingerprints_are_sums_of_idx_files(void **state) {
  (void)state;
  const struct {
    nas_dtype dtype;
    int rank; /* of the IDX file */
    int64_t dims[4];
    int given; /* rank of the tensor */
  } cases[] = {{NAS_UINT8, 2, {6, 700}, 2},       {NAS_FLOAT32, 2, {6, 700}, 2},
               {NAS_UINT8, 2, {6, 1}, 2},         {NAS_FLOAT32, 3, {6, 2, 3}, 3},
               {NAS_FLOAT32, 3, {6, 2, 3, 1}, 4}, {NAS_FLOAT32, 4, {6, 2, 3, 2}, 4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int k = 1; k < 3; k++) {
      nas_tensor *inputs = noise(cases[i].dtype, i, cases[i].given, cases[i].dims);
      nas_tensor *values = noise(NAS_FLOAT32, 9, DIMS(6, k));
      char sums[2][NAS_SHA256_HEX], expected[160];
      sum_of(sums[0], inputs, cases[i].dtype == NAS_UINT8 ? 0x08 : 0x0D, cases[i].rank);
      sum_of(sums[1], values, 0x0D, k);
      snprintf(expected, sizeof expected, "sha256:%s,%s", sums[0], sums[1]);
      assert_string_equal(fingerprint_of(inputs, values, 0), expected);
      nas_tensor_destroy(&inputs);
      nas_tensor_destroy(&values);
    }
}

static void identity_is_one_canonical_line(void **state) {
  (void)state;
  nas_dataset *classes = six(), *values;
  nas_text text = {0};
  char expected[400];
  values = set_of(six_images(), counting(NAS_FLOAT32, DIMS(6, 2)), 0);
  nas_text_add(&text, "task");
  nas_dataset_identity(classes, &text);
  snprintf(expected, sizeof expected, "task data=%s classes=3 split_seed=0 training=6 validation=0",
           nas_dataset_fingerprint(classes));
  assert_string_equal(text.data, expected);
  snprintf(expected, sizeof expected, " data=%s values=2 split_seed=0 training=6 validation=0",
           nas_dataset_fingerprint(values));
  assert_string_equal(identity_of(values), expected);
  nas_text_clear(&text);
  nas_dataset_release(&classes);
  nas_dataset_release(&values);
}

static void references_are_counted(void **state) {
  (void)state;
  nas_dataset *dataset = six(), *second = nas_dataset_retain(dataset), *none = NULL;
  assert_ptr_equal(dataset, second);
  nas_dataset_release(&dataset);
  assert_null(dataset);
  assert_int_equal(nas_dataset_label(second, 1), 1);
  nas_dataset_release(&second);
  nas_dataset_release(&none);
  nas_dataset_release(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(tensors_become_a_data_set),
      TEST(later_changes_to_the_tensors_do_not_matter),
      TEST(inputs_have_several_forms),
      TEST(labels_may_be_bytes),
      TEST(targets_may_be_values),
      TEST(classes_may_have_names),
      TEST(unsuitable_tensors_are_refused),
      TEST(labels_outside_the_classes_are_refused),
      TEST(one_class_only_is_refused),
      TEST(numbers_that_are_not_finite_are_refused),
      TEST(too_many_images_are_refused),
      TEST(creating_survives_failing_memory),
      TEST(fingerprints_tell_contents_and_shapes_apart),
      TEST(fingerprints_are_sums_of_idx_files),
      TEST(identity_is_one_canonical_line),
      TEST(references_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
