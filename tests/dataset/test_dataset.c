#include "files.h"
#include <nas/dataset.h>

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
  nas_tensor *images = six_images(), *labels = six_labels();
  nas_dataset *dataset;
  nas_error err = {0};
  check_ok(dataset_from(&dataset, "six", images, labels, 3, &err), &err);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  return dataset;
}

/* ---- From tensors ---- */

static void tensors_become_a_data_set(void **state) {
  (void)state;
  nas_dataset *dataset = six();
  int dims[3];
  int64_t count;
  assert_string_equal(nas_dataset_name(dataset), "six");
  assert_int_equal(nas_dataset_count(dataset), 6);
  assert_int_equal(nas_dataset_classes(dataset), 3);
  nas_dataset_input_shape(dataset, dims);
  assert_int_equal(dims[0], 2);
  assert_int_equal(dims[1], 3);
  assert_int_equal(dims[2], 1);
  assert_int_equal(pixels_of(dataset, 2)[3], (7 * 15 + 1) % 256);
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
  check_ok(dataset_from(&dataset, "a", images, labels, 3, NULL), NULL);
  check_ok(nas_tensor_fill(images, 99, NULL), NULL);
  set_element(labels, 1, 2);
  assert_int_equal(pixels_of(dataset, 0)[0], 1);
  assert_int_equal(nas_dataset_label(dataset, 1), 1);
  check_ok(nas_tensor_transpose(&turned, images, 1, 2, NULL), NULL); /* views are taken too */
  check_ok(dataset_from(&other, "b", turned, labels, 3, NULL), NULL);
  int dims[3];
  nas_dataset_input_shape(other, dims);
  assert_int_equal(dims[0], 3);
  assert_int_equal(dims[1], 2);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_dataset_release(&dataset);
  nas_dataset_release(&other);
}

static void unsuitable_tensors_are_refused(void **state) {
  (void)state;
  nas_tensor *images = six_images(), *labels = six_labels();
  nas_tensor *flat = counting(NAS_UINT8, DIMS(6)), *ints = counting(NAS_INT32, DIMS(6, 2, 3, 1));
  nas_tensor *five = counting(NAS_INT32, DIMS(5)), *floats = counting(NAS_FLOAT32, DIMS(6));
  nas_dataset *d;
  check_refused(dataset_from(&d, "d", flat, labels, 3, &err), NAS_ARGUMENT, d,
                "the tensor of inputs is uint8 [6]; expected uint8 or float32 [n, height, width, "
                "channels], [n, height, width] or [n, features]");
  check_refused(dataset_from(&d, "d", ints, labels, 3, &err), NAS_ARGUMENT, d,
                "inputs is int32 [6, 2, 3, 1]");
  check_refused(dataset_from(&d, "d", images, floats, 3, &err), NAS_ARGUMENT, d,
                "the tensor of targets is float32 [6]; expected int32 or uint8 [n]");
  check_refused(dataset_from(&d, "d", images, labels, 0, &err), NAS_ARGUMENT, d,
                "the tensor of targets is int32 [6]; expected float32 [n] or [n, values]");
  check_refused(dataset_from(&d, "d", images, ints, 3, &err), NAS_ARGUMENT, d,
                "the tensor of targets is int32 [6, 2, 3, 1]");
  check_refused(dataset_from(&d, "d", images, five, 9, &err), NAS_ARGUMENT, d,
                "6 inputs in the tensor of inputs, but 5 targets in the tensor of targets");
  check_refused(dataset_from(&d, "d", images, labels, 2, &err), NAS_ARGUMENT, d,
                "label 2 in the tensor of targets is 2; expected 0 to 1 for 2 classes");
  check_refused(dataset_from(&d, "d", images, labels, 1, &err), NAS_ARGUMENT, d,
                "1 classes; expected at least 2");
  set_element(labels, 4, -1);
  check_refused(dataset_from(&d, "d", images, labels, 3, &err), NAS_ARGUMENT, d,
                "label 4 in the tensor of targets is -1; expected 0 to 2");
  check_ok(nas_tensor_fill(labels, 2, NULL), NULL);
  check_refused(dataset_from(&d, "d", images, labels, 3, &err), NAS_ARGUMENT, d,
                "all labels in the tensor of targets are 2; expected at least two classes");
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_tensor_destroy(&flat);
  nas_tensor_destroy(&ints);
  nas_tensor_destroy(&five);
  nas_tensor_destroy(&floats);
}

static void too_many_images_are_refused(void **state) {
  (void)state;
  uint8_t byte = 0; /* never read: the check comes first */
  nas_tensor *images, *labels = six_labels();
  nas_dataset *d;
  check_ok(
      nas_tensor_wrap(&images, NAS_UINT8, DIMS(INT64_C(1) << 31, 1, 1, 1), &byte, NULL, NULL, NULL),
      NULL);
  check_refused(dataset_from(&d, "d", images, labels, 3, &err), NAS_LIMIT, d,
                "dimension 0 of the tensor of inputs is 2147483648; expected at most 2147483647");
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
}

static void from_tensors_survives_failing_memory(void **state) {
  (void)state;
  nas_tensor *images = six_images(), *labels = six_labels();
  nas_dataset *dataset;
  check_starved(dataset_from(&dataset, "six", images, labels, 3, NULL), dataset);
  nas_dataset_release(&dataset);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
}

/* ---- Fingerprint, identity, references ---- */

static const char *fingerprint_of(nas_tensor *images, nas_tensor *labels, int classes) {
  static char text[2][160];
  static int turn;
  nas_dataset *dataset;
  nas_error err = {0};
  check_ok(dataset_from(&dataset, "d", images, labels, classes, &err), &err);
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

static void identity_is_one_canonical_line(void **state) {
  (void)state;
  nas_dataset *dataset = six();
  nas_text text = {0}, expected = {0};
  nas_text_add(&text, "task");
  nas_dataset_identity(dataset, &text);
  nas_text_add(&expected, "task data=");
  nas_text_add(&expected, nas_dataset_fingerprint(dataset));
  nas_text_add(&expected, " classes=3 split_seed=0 training=6 validation=0");
  assert_string_equal(text.data, expected.data);
  nas_text_clear(&text);
  nas_text_clear(&expected);
  nas_dataset_release(&dataset);
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
      TEST(unsuitable_tensors_are_refused),
      TEST(too_many_images_are_refused),
      TEST(from_tensors_survives_failing_memory),
      TEST(fingerprints_tell_contents_and_shapes_apart),
      TEST(identity_is_one_canonical_line),
      TEST(references_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
