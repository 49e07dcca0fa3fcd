#include "files.h"
#include <nas/hash.h>
#include <nas/idx.h>

static void sum_of(const void *bytes, size_t size, char text[NAS_SHA256_HEX]) {
  nas_sha256 sha;
  nas_sha256_begin(&sha);
  nas_sha256_add(&sha, bytes, size);
  nas_sha256_end(&sha, text);
}

/* ---- Reading ---- */

static void plain_and_gzip_give_the_same(void **state) {
  (void)state;
  idx content = idx_images(DIMS(5, 4, 3));
  const char *paths[2] = {write_plain("plain", content.bytes, content.size),
                          write_gzip("packed.gz", content.bytes, content.size)};
  char expected[NAS_SHA256_HEX], found[NAS_SHA256_HEX];
  sum_of(content.bytes, content.size, expected);
  for (int i = 0; i < 2; i++) {
    nas_tensor *tensor;
    nas_error err = {0};
    check_ok(nas_idx_read(&tensor, paths[i], NULL, found, &err), &err);
    assert_string_equal(found, expected);
    assert_int_equal(nas_tensor_dtype(tensor), NAS_UINT8);
    assert_int_equal(nas_tensor_rank(tensor), 3);
    assert_int_equal(nas_tensor_dims(tensor)[2], 3);
    assert_memory_equal(nas_tensor_data(tensor), content.bytes + 16, 60);
    nas_tensor_destroy(&tensor);
    check_ok(nas_idx_read(&tensor, paths[i], NULL, NULL, NULL), NULL);
    nas_tensor_destroy(&tensor);
  }
}

static void numbers_are_big_endian(void **state) {
  (void)state;
  nas_tensor *tensor;
  idx content = idx_header(0x0C, DIMS(2, 2));
  put_u32(&content, 1);
  put_u32(&content, 0xFFFFFFFF);
  put_u32(&content, 0x80000000);
  put_u32(&content, 0x01020304);
  check_ok(nas_idx_read_memory(&tensor, content.bytes, content.size, "ints", NULL, NULL, NULL),
           NULL);
  assert_int_equal(nas_tensor_dtype(tensor), NAS_INT32);
  check_tensor(tensor, ((double[]){1, -1, INT32_MIN, 16909060}), DIMS(2, 2));
  nas_tensor_destroy(&tensor);
  content = idx_header(0x0D, DIMS(2));
  put_u32(&content, 0x3F800000);
  put_u32(&content, 0xC0490FDB);
  check_ok(nas_idx_read_memory(&tensor, content.bytes, content.size, "floats", NULL, NULL, NULL),
           NULL);
  assert_int_equal(nas_tensor_dtype(tensor), NAS_FLOAT32);
  check_tensor(tensor, ((double[]){1, (double)-0xC.90FDBp-2f}), DIMS(2));
  nas_tensor_destroy(&tensor);
}

static void large_files_grow_in_memory(void **state) {
  (void)state;
  const int64_t rows = 3000, columns = 1001;
  size_t size = 12 + (size_t)(rows * columns);
  unsigned char *bytes = malloc(size);
  nas_tensor *tensor;
  char expected[NAS_SHA256_HEX], found[NAS_SHA256_HEX];
  idx header = idx_header(0x08, DIMS(rows, columns));
  memcpy(bytes, header.bytes, 12);
  for (size_t k = 12; k < size; k++) bytes[k] = (unsigned char)(k * k >> 7);
  sum_of(bytes, size, expected);
  check_ok(nas_idx_read(&tensor, write_gzip("large.gz", bytes, size), NULL, found, NULL), NULL);
  assert_memory_equal(nas_tensor_data(tensor), bytes + 12, size - 12);
  assert_string_equal(found, expected);
  nas_tensor_destroy(&tensor);
  check_starved(nas_idx_read_memory(&tensor, bytes, size, "large", NULL, found, NULL), tensor);
  nas_tensor_destroy(&tensor);
  free(bytes);
}

static void gzip_members_are_joined(void **state) {
  (void)state;
  idx content = idx_labels(9, 3);
  unsigned char bytes[512];
  nas_tensor *tensor;
  size_t size = read_back(write_gzip("first", content.bytes, 7), bytes, sizeof bytes);
  size += read_back(write_gzip("second", content.bytes + 7, content.size - 7), bytes + size,
                    sizeof bytes - size);
  check_ok(nas_idx_read(&tensor, write_plain("joined", bytes, size), NULL, NULL, NULL), NULL);
  check_tensor(tensor, ((double[]){0, 1, 2, 0, 1, 2, 0, 1, 2}), DIMS(9));
  nas_tensor_destroy(&tensor);
}

static void reading_survives_failing_memory(void **state) {
  (void)state;
  idx content = idx_images(DIMS(3, 2, 2));
  const char *path = write_gzip("starved", content.bytes, content.size);
  char sum[NAS_SHA256_HEX];
  nas_tensor *tensor;
  check_starved(nas_idx_read(&tensor, path, NULL, sum, NULL), tensor);
  nas_tensor_destroy(&tensor);
}

/* ---- Failures ---- */

static void files_that_cannot_be_read(void **state) {
  (void)state;
  nas_tensor *t;
  check_refused(nas_idx_read(&t, path_of("missing"), NULL, NULL, &err), NAS_IO, t,
                "missing cannot be opened: No such file or directory");
  check_refused(nas_idx_read(&t, folder, NULL, NULL, &err), NAS_IO, t,
                "byte 0: cannot be read: Is a directory");
}

static void long_paths_do_not_hide_the_reason(void **state) {
  (void)state;
  nas_tensor *t;
  char path[2048] = "";
  while (strlen(path) < 1500) strcat(path, "/verz\xC3\xA4ichnis");
  check_refused(nas_idx_read(&t, path, NULL, NULL, &err), NAS_IO, t, "cannot be opened");
  check_refused(nas_idx_read(&t, path, NULL, NULL, &err), NAS_IO, t, "...");
}

static nas_status read_bytes(nas_tensor **out, const idx *content, const nas_idx_settings *settings,
                             nas_error *err) {
  return nas_idx_read_memory(out, content->bytes, content->size, "x.idx", settings, NULL, err);
}

static void wrong_headers(void **state) {
  (void)state;
  nas_tensor *t;
  idx c = {.bytes = "\x89PNG....", .size = 8};
  check_refused(read_bytes(&t, &c, NULL, &err), NAS_FORMAT, t,
                "x.idx, byte 0: not an IDX file; expected 00 00, found 89 50");
  c = idx_header(0x0E, DIMS(1));
  check_refused(
      read_bytes(&t, &c, NULL, &err), NAS_FORMAT, t,
      "x.idx, byte 2: type 0x0E; expected 0x08 (uint8) or 0x0C (int32) or 0x0D (float32)");
  c = idx_header(0x08, 0, NULL);
  check_refused(read_bytes(&t, &c, NULL, &err), NAS_FORMAT, t, "byte 3: rank 0; expected 1 to 8");
  c = idx_header(0x08, 0, NULL);
  c.bytes[3] = 200;
  check_refused(read_bytes(&t, &c, NULL, &err), NAS_FORMAT, t, "byte 3: rank 200; expected 1 to 8");
  c = idx_header(0x08, DIMS(2, 0, 2));
  check_refused(read_bytes(&t, &c, NULL, &err), NAS_FORMAT, t,
                "byte 8: dimension 1 is 0; expected at least 1");
}

static void what_the_caller_does_not_accept(void **state) {
  (void)state;
  nas_tensor *t;
  nas_idx_settings settings;
  idx c = idx_images(DIMS(2, 2));
  nas_idx_settings_default(&settings);
  settings.rank_max = 1;
  settings.hint = ": not labels";
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_FORMAT, t,
                "byte 3: rank 2; expected 1: not labels");
  nas_idx_settings_default(&settings);
  settings.dtypes = 1u << NAS_INT32;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_FORMAT, t,
                "byte 2: type 0x08; expected 0x0C (int32)");
  nas_idx_settings_default(&settings);
  settings.elements_max = 3;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_LIMIT, t,
                "byte 8: dimension 1 is 2, which makes more than the allowed 3 elements");
  settings.elements_max = 4;
  check_ok(read_bytes(&t, &c, &settings, NULL), NULL);
  nas_tensor_destroy(&t);
}

static void unsound_settings(void **state) {
  (void)state;
  nas_tensor *t;
  idx c = idx_images(DIMS(2, 2));
  nas_idx_settings settings;
  nas_idx_settings_default(&settings);
  settings.rank_max = 9;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_ARGUMENT, t, "1 to 9; expected 1 to 8");
  check_refused(nas_idx_read(&t, "x", &settings, NULL, &err), NAS_ARGUMENT, t, "expected 1 to 8");
  nas_idx_settings_default(&settings);
  settings.dtypes = 0;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_ARGUMENT, t, "dtypes is 0");
  nas_idx_settings_default(&settings);
  settings.elements_max = 0;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_ARGUMENT, t, "elements_max is 0");
}

static void hostile_dimensions_allocate_nothing(void **state) {
  (void)state;
  nas_tensor *t;
  nas_idx_settings settings;
  idx c = idx_header(0x0D, DIMS(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF));
  check_refused(read_bytes(&t, &c, NULL, &err), NAS_LIMIT, t,
                "byte 4: dimension 0 is 4294967295, which makes more than the allowed 2147483647");
  nas_idx_settings_default(&settings);
  settings.elements_max = INT64_MAX;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_LIMIT, t, "byte 8: dimension 1");
  /* Allowed, but the bytes do not follow: memory stays small. */
  c = idx_header(0x08, DIMS(1 << 20, 1 << 20, 1 << 10));
  size_t before = nas_memory_used().peak_bytes;
  check_refused(read_bytes(&t, &c, &settings, &err), NAS_FORMAT, t,
                "byte 16: the content ends after 0 of 1125899906842624 bytes of elements");
  assert_true(nas_memory_used().peak_bytes <= before + (2 << 20));
}

static void every_cut_is_noticed(void **state) {
  (void)state;
  nas_tensor *t;
  idx c = idx_images(DIMS(2, 3, 2));
  char where[64];
  for (size_t size = 0; size < c.size; size++) {
    nas_error err = {0};
    assert_int_equal(nas_idx_read_memory(&t, c.bytes, size, "x.idx", NULL, NULL, &err), NAS_FORMAT);
    assert_null(t);
    snprintf(where, sizeof where, "x.idx, byte %zu: the content ends", size);
    check_contains(err.text, where);
  }
  check_refused(nas_idx_read(&t, write_plain("cut", c.bytes, 20), NULL, NULL, &err), NAS_FORMAT, t,
                "cut, byte 20: the content ends after 4 of 12 bytes of elements");
  check_refused(nas_idx_read(&t, write_plain("empty", "", 0), NULL, NULL, &err), NAS_FORMAT, t,
                "empty, byte 0: the content ends; expected 4 more bytes of magic number");
}

static void bytes_behind_the_end_are_noticed(void **state) {
  (void)state;
  nas_tensor *t;
  idx c = idx_images(DIMS(2, 3));
  c.bytes[c.size++] = 0xAB;
  check_refused(read_bytes(&t, &c, NULL, &err), NAS_FORMAT, t,
                "x.idx, byte 18: expected the end of the content, found a byte AB");
  check_refused(nas_idx_read(&t, write_gzip("long", c.bytes, c.size), NULL, NULL, &err), NAS_FORMAT,
                t, "long, byte 18: expected the end");
}

static void every_cut_of_a_gzip_stream_is_noticed(void **state) {
  (void)state;
  nas_tensor *t;
  idx c = idx_images(DIMS(20, 5, 5));
  unsigned char packed[2048];
  size_t size = read_back(write_gzip("whole", c.bytes, c.size), packed, sizeof packed);
  for (size_t cut = 1; cut < size; cut++)
    assert_int_equal(nas_idx_read(&t, write_plain("cut", packed, cut), NULL, NULL, NULL),
                     NAS_FORMAT);
  check_refused(nas_idx_read(&t, write_plain("cut", packed, size - 1), NULL, NULL, &err),
                NAS_FORMAT, t,
                "cut, byte 516: the compressed data is cut off; expected the end of a gzip stream");
}

static void damaged_gzip_streams_are_noticed(void **state) {
  (void)state;
  nas_tensor *t;
  idx c = idx_images(DIMS(20, 5, 5));
  unsigned char packed[2048];
  size_t size = read_back(write_gzip("whole", c.bytes, c.size), packed, sizeof packed);
  packed[size - 6] ^= 0x10; /* the CRC */
  check_refused(nas_idx_read(&t, write_plain("crc", packed, size), NULL, NULL, &err), NAS_FORMAT, t,
                "found: incorrect data check");
  check_refused(nas_idx_read(&t, write_plain("crc", packed, size), NULL, NULL, &err), NAS_FORMAT, t,
                "crc, at or after byte ");
  packed[size - 6] ^= 0x10;
  packed[size - 2] ^= 0x10; /* the length */
  check_refused(nas_idx_read(&t, write_plain("length", packed, size), NULL, NULL, &err), NAS_FORMAT,
                t, "found: incorrect length check");
  packed[size - 2] ^= 0x10;
  packed[size / 2] ^= 0x10;
  check_refused(nas_idx_read(&t, write_plain("middle", packed, size), NULL, NULL, &err), NAS_FORMAT,
                t, "the compressed data is damaged");
  packed[2] = 99; /* the method */
  check_refused(nas_idx_read(&t, write_plain("method", packed, size), NULL, NULL, &err), NAS_FORMAT,
                t, "unknown compression method");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(plain_and_gzip_give_the_same),        TEST(numbers_are_big_endian),
      TEST(large_files_grow_in_memory),          TEST(gzip_members_are_joined),
      TEST(reading_survives_failing_memory),     TEST(files_that_cannot_be_read),
      TEST(long_paths_do_not_hide_the_reason),   TEST(wrong_headers),
      TEST(what_the_caller_does_not_accept),     TEST(unsound_settings),
      TEST(hostile_dimensions_allocate_nothing), TEST(every_cut_is_noticed),
      TEST(bytes_behind_the_end_are_noticed),    TEST(every_cut_of_a_gzip_stream_is_noticed),
      TEST(damaged_gzip_streams_are_noticed),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
