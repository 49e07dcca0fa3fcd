#include "files.h"
#include <nas/cifar.h>

#define RECORDS 3

static unsigned char records10[RECORDS * 3073], records100[RECORDS * 3074];

/* The colour of record i, plane c, position p; no two planes and no two neighbours have the same.
 */
static unsigned char colour(int i, int c, int p) {
  return (unsigned char)((i + 83 * c + 3 * p) % 251);
}

/* Record i has the fine class first + i and the coarse class 2 * i. */
static void fill(unsigned char *bytes, int labels, int first) {
  for (int i = 0; i < RECORDS; i++) {
    if (labels == 2) *bytes++ = (unsigned char)(2 * i);
    *bytes++ = (unsigned char)(first + i);
    for (int c = 0; c < 3; c++)
      for (int p = 0; p < 1024; p++) *bytes++ = colour(i, c, p);
  }
}

static int make_files(void **state) {
  fill(records10, 1, 7);
  fill(records100, 2, 97);
  return make_folder(state);
}

/* Repeats the records `times` times. */
static void check_images(nas_tensor *images, int times) {
  const int64_t dims[] = {RECORDS * times, 32, 32, 3};
  assert_int_equal(nas_tensor_dtype(images), NAS_UINT8);
  assert_int_equal(nas_tensor_rank(images), 4);
  assert_memory_equal(nas_tensor_dims(images), dims, sizeof dims);
  const unsigned char *pixels = nas_tensor_data(images);
  for (int i = 0; i < RECORDS * times; i++)
    for (int p = 0; p < 1024; p++)
      for (int c = 0; c < 3; c++) assert_int_equal(*pixels++, colour(i % RECORDS, c, p));
  nas_tensor_destroy(&images);
}

static void check_labels(nas_tensor *labels, const double *expected, int64_t count) {
  assert_int_equal(nas_tensor_dtype(labels), NAS_INT32);
  check_tensor(labels, expected, DIMS(count));
  nas_tensor_destroy(&labels);
}

static void all_kinds(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  nas_error err = {0};
  check_ok(nas_cifar_read_memory(&images, &labels, records10, sizeof records10, "ten", NAS_CIFAR_10,
                                 &err),
           &err);
  check_images(images, 1);
  check_labels(labels, (double[]){7, 8, 9}, 3);
  check_ok(nas_cifar_read_memory(&images, &labels, records100, sizeof records100, "fine",
                                 NAS_CIFAR_100, &err),
           &err);
  check_images(images, 1);
  check_labels(labels, (double[]){97, 98, 99}, 3);
  check_ok(nas_cifar_read_memory(&images, &labels, records100, sizeof records100, "coarse",
                                 NAS_CIFAR_100_COARSE, &err),
           &err);
  check_images(images, 1);
  check_labels(labels, (double[]){0, 2, 4}, 3);
  assert_int_equal(nas_cifar_classes(NAS_CIFAR_10), 10);
  assert_int_equal(nas_cifar_classes(NAS_CIFAR_100), 100);
  assert_int_equal(nas_cifar_classes(NAS_CIFAR_100_COARSE), 20);
}

static void several_files(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  nas_error err = {0};
  const char *paths[] = {write_plain("a.bin", records10, sizeof records10),
                         write_gzip("b.bin.gz", records10, sizeof records10)};
  check_ok(nas_cifar_read(&images, &labels, paths, 2, NAS_CIFAR_10, &err), &err);
  check_images(images, 2);
  check_labels(labels, (double[]){7, 8, 9, 7, 8, 9}, 6);
  check_starved(nas_cifar_read(&images, &labels, paths, 2, NAS_CIFAR_10, NULL), images);
  check_images(images, 2);
  nas_tensor_destroy(&labels);
}

static void refuse(const unsigned char *bytes, size_t size, nas_cifar_kind kind, const char *part) {
  nas_tensor *images, *labels;
  check_refused(nas_cifar_read_memory(&images, &labels, bytes, size, "bad", kind, &err), NAS_FORMAT,
                images, part);
  assert_null(labels);
}

static void wrong_lengths(void **state) {
  (void)state;
  refuse(records10, 0, NAS_CIFAR_10,
         "bad: the length is 0 bytes; expected records of 3073 bytes each (CIFAR-10)");
  refuse(records10, 3072, NAS_CIFAR_10, "bad: the length is 3072 bytes");
  refuse(records10, 2 * 3073 + 1, NAS_CIFAR_10, "bad: the length is 6147 bytes");
  refuse(records100, 3074, NAS_CIFAR_10, "(CIFAR-10); the length is that of CIFAR-100");
  records100[0] = 10;
  refuse(records100, 3074, NAS_CIFAR_10, "(CIFAR-10); the length is that of CIFAR-100");
  refuse(records10, 3073, NAS_CIFAR_100,
         "expected records of 3074 bytes each (CIFAR-100); the length is that of CIFAR-10");
  fill(records100, 2, 97);
}

static void classes_out_of_range(void **state) {
  (void)state;
  records10[2 * 3073] = 10;
  refuse(records10, sizeof records10, NAS_CIFAR_10,
         "bad, byte 6146: record 2 has class 10; expected 0 to 9 (CIFAR-10)");
  fill(records10, 1, 7);
  records100[3075] = 100;
  refuse(records100, sizeof records100, NAS_CIFAR_100_COARSE,
         "bad, byte 3075: record 1 has class 100; expected 0 to 99 (CIFAR-100)");
  fill(records100, 2, 97);
  records100[0] = 20;
  refuse(records100, sizeof records100, NAS_CIFAR_100,
         "bad, byte 0: record 0 has class 20; expected 0 to 19 (CIFAR-100)");
  fill(records100, 2, 97);
}

static void wrong_arguments(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  const char *paths[] = {write_plain("a.bin", records10, sizeof records10), path_of("absent.bin")};
  check_refused(nas_cifar_read(&images, &labels, paths, 2, NAS_CIFAR_10, &err), NAS_IO, images,
                "absent.bin cannot be opened");
  check_refused(nas_cifar_read(&images, &labels, paths, 0, NAS_CIFAR_10, &err), NAS_ARGUMENT,
                images, "cifar: 0 files; expected at least 1");
  check_refused(nas_cifar_read(&images, &labels, paths, 1, (nas_cifar_kind)3, &err), NAS_ARGUMENT,
                images, "cifar: kind is 3; expected 0 to 2");
  assert_null(labels);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(all_kinds),       TEST(several_files), TEST(wrong_lengths), TEST(classes_out_of_range),
      TEST(wrong_arguments),
  };
  return cmocka_run_group_tests(tests, make_files, remove_folder);
}
