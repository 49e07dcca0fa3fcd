/* Data sets from pairs of IDX files. */
#include "files.h"
#include <nas/dataset.h>
#include <nas/hash.h>
#include <sys/stat.h>

static nas_dataset_files pair(const char *images, const char *labels) {
  nas_dataset_files files;
  nas_dataset_files_default(&files);
  files.images = images;
  files.labels = labels;
  return files;
}

/* Writes a pair of n images of 2 by 3 pixels, and n labels. */
static nas_dataset_files small_pair(int64_t images, int64_t labels) {
  idx pixels = idx_images(DIMS(images, 2, 3)), classes = idx_labels(labels, 3);
  nas_dataset_files files = pair(write_gzip("images.gz", pixels.bytes, pixels.size),
                                 write_gzip("labels.gz", classes.bytes, classes.size));
  files.classes = 3;
  return files;
}

static void sum_of_idx(const idx *content, char text[NAS_SHA256_HEX]) {
  nas_sha256 sha;
  nas_sha256_begin(&sha);
  nas_sha256_add(&sha, content->bytes, content->size);
  nas_sha256_end(&sha, text);
}

static void a_pair_of_files_becomes_a_data_set(void **state) {
  (void)state;
  nas_dataset_files files = small_pair(6, 6);
  idx pixels = idx_images(DIMS(6, 2, 3)), classes = idx_labels(6, 3);
  char images_sum[NAS_SHA256_HEX], labels_sum[NAS_SHA256_HEX], expected[160];
  nas_dataset *dataset;
  nas_error err = {0};
  int dims[3];
  sum_of_idx(&pixels, images_sum);
  sum_of_idx(&classes, labels_sum);
  files.images_sha256 = images_sum;
  files.labels_sha256 = labels_sum;
  files.class_names = (const char *const[]){"cat", "dog", "owl"};
  check_ok(nas_dataset_from_idx(&dataset, "pair", &files, &err), &err);
  snprintf(expected, sizeof expected, "sha256:%s,%s", images_sum, labels_sum);
  assert_string_equal(nas_dataset_fingerprint(dataset), expected);
  assert_string_equal(nas_dataset_name(dataset), "pair");
  assert_int_equal(nas_dataset_count(dataset), 6);
  nas_dataset_image_dims(dataset, dims);
  assert_int_equal(dims[0] * 100 + dims[1] * 10 + dims[2], 231);
  assert_memory_equal(nas_dataset_pixels(dataset, 5), pixels.bytes + 16 + 30, 6);
  assert_int_equal(nas_dataset_label(dataset, 4), 1);
  assert_string_equal(nas_dataset_class_name(dataset, 2), "owl");
  nas_dataset_release(&dataset);
}

static void one_content_has_one_fingerprint(void **state) {
  (void)state;
  nas_dataset_files files = small_pair(6, 6);
  nas_dataset *first, *second, *third;
  nas_tensor *images, *labels;
  check_ok(nas_dataset_from_idx(&first, "a", &files, NULL), NULL);

  idx pixels = idx_images(DIMS(6, 2, 3, 1)), classes = idx_header(0x0C, DIMS(6));
  for (uint32_t i = 0; i < 6; i++) put_u32(&classes, i % 3);
  nas_dataset_files wide = pair(write_plain("images4", pixels.bytes, pixels.size),
                                write_plain("labels32", classes.bytes, classes.size));
  wide.classes = 3;
  check_ok(nas_dataset_from_idx(&second, "b", &wide, NULL), NULL);
  assert_string_equal(nas_dataset_fingerprint(first), nas_dataset_fingerprint(second));

  images = counting(NAS_UINT8, DIMS(6, 2, 3, 1));
  for (int k = 0; k < 36; k++) set_element(images, k, (7 * k + 1) % 256);
  labels = tensor_of(NAS_INT32, (double[]){0, 1, 2, 0, 1, 2}, DIMS(6));
  const nas_dataset_parts parts = {.name = "c", .inputs = images, .targets = labels, .classes = 3};
  check_ok(nas_dataset_create(&third, &parts, NULL), NULL);
  assert_string_equal(nas_dataset_fingerprint(first), nas_dataset_fingerprint(third));
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_dataset_release(&first);
  nas_dataset_release(&second);
  nas_dataset_release(&third);
}

static void many_classes_count_as_int32(void **state) {
  (void)state;
  const int64_t n = 1500;
  nas_tensor *images, *labels;
  nas_dataset *dataset, *again;
  check_ok(nas_tensor_create(&images, NAS_UINT8, DIMS(n, 1, 1, 2), NULL), NULL);
  labels = counting(NAS_INT32, DIMS(n));
  const nas_dataset_parts parts = {
      .name = "many", .inputs = images, .targets = labels, .classes = (int)n};
  check_ok(nas_dataset_create(&dataset, &parts, NULL), NULL);
  idx pixels = idx_header(0x08, DIMS(n, 1, 1, 2)), classes = idx_header(0x0C, DIMS(n));
  for (int64_t i = 0; i < n; i++) put_u32(&classes, (uint32_t)i);
  memset(pixels.bytes + pixels.size, 0, (size_t)(2 * n));
  pixels.size += (size_t)(2 * n);
  nas_dataset_files files = pair(write_plain("images4", pixels.bytes, pixels.size),
                                 write_plain("labels32", classes.bytes, classes.size));
  files.classes = (int)n;
  check_ok(nas_dataset_from_idx(&again, "many", &files, NULL), NULL);
  assert_string_equal(nas_dataset_fingerprint(dataset), nas_dataset_fingerprint(again));
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_dataset_release(&dataset);
  nas_dataset_release(&again);
}

static void wrong_sums_are_refused(void **state) {
  (void)state;
  nas_dataset *d;
  nas_dataset_files files = small_pair(6, 6);
  const char *wrong = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888";
  files.images_sha256 = wrong;
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d,
                "images.gz is damaged or another file: the SHA-256 of its content is ");
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d, wrong);
  files.images_sha256 = NULL;
  files.labels_sha256 = wrong;
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d, "labels.gz is damaged");
}

static void files_that_do_not_fit_together(void **state) {
  (void)state;
  nas_dataset *d;
  nas_dataset_files files = small_pair(6, 5), swapped = pair(files.labels, files.images);
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d, "6 inputs in ");
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d, "but 5 targets in ");
  check_refused(
      nas_dataset_from_idx(&d, "d", &swapped, &err), NAS_FORMAT, d,
      "images.gz, byte 3: rank 3; expected 1 for labels; images have rank 3 or 4: are the "
      "two files interchanged?");
  swapped.labels = files.labels;
  check_refused(nas_dataset_from_idx(&d, "d", &swapped, &err), NAS_FORMAT, d,
                "labels.gz, byte 3: rank 1; expected 3 to 4 for images; labels have rank 1");
  files = small_pair(6, 6);
  files.classes = 2;
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d,
                "labels.gz is 2; expected 0 to 1 for 2 classes");
  files.classes = 0;
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_ARGUMENT, d, "0 classes");
  files = small_pair(6, 6);
  idx same = idx_header(0x08, DIMS(6));
  memset(same.bytes + same.size, 2, 6);
  same.size += 6;
  files.labels = write_plain("same", same.bytes, same.size);
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_FORMAT, d,
                "/same are of one class");
  files.labels = NULL;
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_ARGUMENT, d,
                "the file of labels is not given");
  files = pair(NULL, "x");
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_ARGUMENT, d,
                "the file of images is not given");
  files = pair("nowhere/images", "nowhere/labels");
  check_refused(nas_dataset_from_idx(&d, "d", &files, &err), NAS_IO, d, "nowhere/labels cannot be");
}

static void loading_survives_failing_memory(void **state) {
  (void)state;
  nas_dataset *dataset;
  nas_dataset_files files = small_pair(6, 6);
  check_starved(nas_dataset_from_idx(&dataset, "six", &files, NULL), dataset);
  nas_dataset_release(&dataset);
}

/* ---- Fashion-MNIST, where it is installed ---- */

static void fashion_mnist(void **state) {
  (void)state;
  const char *base = getenv("LUANAS_DATA");
  char images[512], labels[512];
  struct stat there;
  if (!base) base = "/usr/share/datasets/fashion-mnist";
  snprintf(images, sizeof images, "%s/train-images-idx3-ubyte.gz", base);
  snprintf(labels, sizeof labels, "%s/train-labels-idx1-ubyte.gz", base);
  if (stat(images, &there) || stat(labels, &there)) check_skip("Fashion-MNIST is not installed");
  nas_dataset_files files = pair(images, labels);
  files.images_sha256 = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888";
  files.labels_sha256 = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9";
  nas_dataset *whole, *dataset;
  nas_error err = {0};
  int64_t training, validation;
  int dims[3];
  check_ok(nas_dataset_from_idx(&whole, "fashion-mnist", &files, &err), &err);
  check_ok(nas_dataset_split(&dataset, whole, NULL, &err), &err);
  nas_dataset_release(&whole);
  nas_dataset_image_dims(dataset, dims);
  assert_int_equal(dims[0] * 10000 + dims[1] * 100 + dims[2], 282801);
  nas_dataset_training(dataset, &training);
  nas_dataset_validation(dataset, &validation);
  assert_int_equal(training, 55000);
  assert_int_equal(validation, 5000);
  int of_class[10] = {0};
  for (int i = 0; i < 60000; i++) of_class[nas_dataset_label(dataset, i)]++;
  for (int c = 0; c < 10; c++) assert_int_equal(of_class[c], 6000);
  nas_dataset_release(&dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_pair_of_files_becomes_a_data_set),
      TEST(one_content_has_one_fingerprint),
      TEST(many_classes_count_as_int32),
      TEST(wrong_sums_are_refused),
      TEST(files_that_do_not_fit_together),
      TEST(loading_survives_failing_memory),
      TEST(fashion_mnist),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
