#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nas/random.h>
#include <nas/archive.h>
#include "tensors.h"

static nas_archive *new_archive(void) {
  nas_archive *archive;
  nas_error err;
  check_ok(nas_archive_create(&archive, &err), &err);
  return archive;
}

/* Takes the tensor over. */
static void add(nas_archive *archive, const char *name, nas_tensor *tensor) {
  nas_error err;
  check_ok(nas_archive_add(archive, name, tensor, &err), &err);
  nas_tensor_destroy(&tensor);
}

static void set(nas_archive *archive, const char *key, const char *value) {
  nas_error err;
  check_ok(nas_archive_set(archive, key, value, &err), &err);
}

static nas_text bytes_of(const nas_archive *archive) {
  nas_text bytes = {0};
  nas_error err;
  check_ok(nas_archive_encode(archive, &bytes, &err), &err);
  return bytes;
}

/* From a block of exactly that size, so that valgrind and sanitizers notice a read beyond it. */
static nas_status read_exact(nas_archive **archive, const void *bytes, size_t size,
                             nas_error *err) {
  char *exact = malloc(size ? size : 1);
  assert_non_null(exact);
  if (size) memcpy(exact, bytes, size);
  nas_status status = nas_archive_read_memory(archive, exact, size, "test", err);
  free(exact);
  return status;
}

static nas_archive *archive_of(const void *bytes, size_t size) {
  nas_archive *archive;
  nas_error err;
  check_ok(read_exact(&archive, bytes, size, &err), &err);
  return archive;
}

/* A file of that header and so many bytes of data, which are its name's: 0, 1, 2, ... */
static nas_text file_of(const char *header, size_t data) {
  nas_text file = {0};
  uint64_t length = strlen(header);
  for (int i = 0; i < 8; i++) nas_text_add_bytes(&file, (char[]){(char)(length >> (8 * i))}, 1);
  nas_text_add(&file, header);
  for (size_t i = 0; i < data; i++) nas_text_add_bytes(&file, (char[]){(char)i}, 1);
  assert_false(file.failed);
  return file;
}

/* Same types, shapes and bits. */
static void check_same_tensor(const nas_tensor *a, const nas_tensor *b) {
  assert_int_equal(nas_tensor_dtype(a), nas_tensor_dtype(b));
  assert_int_equal(nas_tensor_rank(a), nas_tensor_rank(b));
  for (int d = 0; d < nas_tensor_rank(a); d++)
    assert_int_equal(nas_tensor_dims(a)[d], nas_tensor_dims(b)[d]);
  for (int64_t i = 0; i < nas_tensor_size(a); i++) {
    double x = element_at(a, i), y = element_at(b, i);
    assert_memory_equal(&x, &y, sizeof x);
  }
}

static void check_same(const nas_archive *a, const nas_archive *b) {
  assert_int_equal(nas_archive_count(a), nas_archive_count(b));
  for (int64_t i = 0; i < nas_archive_count(a); i++) {
    assert_string_equal(nas_archive_name_at(a, i), nas_archive_name_at(b, i));
    check_same_tensor(nas_archive_tensor_at(a, i), nas_archive_tensor_at(b, i));
  }
  assert_int_equal(nas_archive_key_count(a), nas_archive_key_count(b));
  for (int64_t i = 0; i < nas_archive_key_count(a); i++) {
    const char *key = nas_archive_key_at(a, i);
    assert_string_equal(key, nas_archive_key_at(b, i));
    assert_string_equal(nas_archive_get(a, key), nas_archive_get(b, key));
  }
}

/* ---- The lists ---- */

static void named_tensors(void **state) {
  (void)state;
  nas_archive *archive = new_archive();
  assert_int_equal(nas_archive_count(archive), 0);
  assert_null(nas_archive_find(archive, "b"));
  add(archive, "b", counting(NAS_FLOAT32, DIMS(2, 3)));
  add(archive, "a", counting(NAS_UINT8, DIMS(4)));
  add(archive, "", counting(NAS_INT32, DIMS(1)));
  assert_int_equal(nas_archive_count(archive), 3);
  assert_string_equal(nas_archive_name_at(archive, 0), "b");
  assert_string_equal(nas_archive_name_at(archive, 1), "a");
  assert_string_equal(nas_archive_name_at(archive, 2), "");
  assert_ptr_equal(nas_archive_find(archive, "b"), nas_archive_tensor_at(archive, 0));
  assert_ptr_equal(nas_archive_find(archive, "a"), nas_archive_tensor_at(archive, 1));
  assert_ptr_equal(nas_archive_find(archive, ""), nas_archive_tensor_at(archive, 2));
  assert_null(nas_archive_find(archive, "c"));
  check_tensor(nas_archive_tensor_at(archive, 1), ((double[]){0, 1, 2, 3}), DIMS(4));
  nas_archive_destroy(&archive);
  assert_null(archive);
  nas_archive_destroy(&archive);
  nas_archive_destroy(NULL);
}

/* The archive has a view: it lives on, and sees what is written. */
static void shares_elements(void **state) {
  (void)state;
  nas_archive *archive = new_archive();
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(3)), *view;
  nas_error err;
  check_ok(nas_archive_add(archive, "x", tensor, &err), &err);
  set_element(tensor, 1, 7);
  nas_tensor_destroy(&tensor);
  check_tensor(nas_archive_tensor_at(archive, 0), ((double[]){0, 7, 2}), DIMS(3));
  check_ok(nas_tensor_view(&view, nas_archive_tensor_at(archive, 0), &err), &err);
  nas_archive_destroy(&archive);
  check_tensor(view, ((double[]){0, 7, 2}), DIMS(3));
  nas_tensor_destroy(&view);
}

static void many_names(void **state) {
  (void)state;
  enum { COUNT = 5000 };
  nas_archive *archive = new_archive(), *after;
  nas_error err;
  char name[20], key[20];
  nas_tensor *tensor = counting(NAS_UINT8, DIMS(1));
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "%d", i * 7919 % COUNT);
    snprintf(key, sizeof key, "key %d", i);
    check_ok(nas_archive_add(archive, name, tensor, &err), &err);
    set(archive, key, name);
  }
  nas_tensor_destroy(&tensor);
  nas_text bytes = bytes_of(archive);
  after = archive_of(bytes.data, bytes.size);
  check_same(archive, after);
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "%d", i * 7919 % COUNT);
    snprintf(key, sizeof key, "key %d", i);
    assert_ptr_equal(nas_archive_find(after, name), nas_archive_tensor_at(after, i));
    assert_string_equal(nas_archive_get(after, key), name);
  }
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
}

static void metadata(void **state) {
  (void)state;
  nas_archive *archive = new_archive();
  assert_null(nas_archive_get(archive, "format"));
  set(archive, "z", "1");
  set(archive, "a", "");
  set(archive, "", "empty");
  set(archive, "z", "another");
  assert_int_equal(nas_archive_key_count(archive), 3);
  assert_string_equal(nas_archive_key_at(archive, 0), "z");
  assert_string_equal(nas_archive_get(archive, "z"), "another");
  assert_string_equal(nas_archive_key_at(archive, 1), "a");
  assert_string_equal(nas_archive_get(archive, "a"), "");
  assert_string_equal(nas_archive_get(archive, ""), "empty");
  assert_null(nas_archive_get(archive, "zz"));
  nas_archive_destroy(&archive);
}

static void refused_names(void **state) {
  (void)state;
  static const char *const bad[] = {"\x80",
                                    "a\xBF",
                                    "\xC0\x80",
                                    "\xC1\xBF",
                                    "\xC3",
                                    "\xC3(",
                                    "\xE2\x82",
                                    "\xE0\x9F\xBF",
                                    "\xED\xA0\x80",
                                    "\xED\xBF\xBF",
                                    "\xF0\x8F\xBF\xBF",
                                    "\xF4\x90\x80\x80",
                                    "\xF5\x80\x80\x80",
                                    "\xF0\x9F\x8E",
                                    "\xFF"};
  static const char *const good[] = {
      "\x7F",         "\xC2\x80",     "\xDF\xBF",         "\xE0\xA0\x80",     "\xED\x9F\xBF",
      "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "h\xC3\xA9llo"};
  nas_archive *archive = new_archive();
  nas_tensor *x = counting(NAS_UINT8, DIMS(1));
  nas_error err;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err = (nas_error){0};
    assert_int_equal(nas_archive_add(archive, bad[i], x, &err), NAS_ARGUMENT);
    check_contains(err.text, "archive: the name \"");
    check_contains(err.text, "is not UTF-8");
    assert_int_equal(nas_archive_set(archive, bad[i], "", &err), NAS_ARGUMENT);
    check_contains(err.text, "the key");
    assert_int_equal(nas_archive_set(archive, "", bad[i], &err), NAS_ARGUMENT);
    check_contains(err.text, "the value");
  }
  assert_int_equal(nas_archive_add(archive, "__metadata__", x, &err), NAS_ARGUMENT);
  check_contains(err.text, "no tensor can have the name \"__metadata__\"");
  assert_int_equal(nas_archive_key_count(archive), 0);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    check_ok(nas_archive_add(archive, good[i], x, &err), &err);
    check_ok(nas_archive_set(archive, good[i], good[i], &err), &err);
    assert_int_equal(nas_archive_add(archive, good[i], x, &err), NAS_ARGUMENT);
    check_contains(err.text, "already");
    assert_int_equal(nas_archive_add(archive, good[i], x, NULL), NAS_ARGUMENT);
  }
  assert_int_equal(nas_archive_count(archive), sizeof good / sizeof *good);
  nas_text bytes = bytes_of(archive);
  nas_archive *after = archive_of(bytes.data, bytes.size);
  check_same(archive, after);
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
  nas_tensor_destroy(&x);
}

/* ---- Writing ---- */

/* The elements of 4 bytes lie before the others; the names keep their order. */
static void layout(void **state) {
  (void)state;
  nas_archive *archive = new_archive();
  add(archive, "u", tensor_of(NAS_UINT8, (double[]){1, 2, 255}, DIMS(3)));
  add(archive, "f", tensor_of(NAS_FLOAT32, (double[]){1, -2}, DIMS(2, 1)));
  add(archive, "v", tensor_of(NAS_UINT8, (double[]){9}, DIMS(1)));
  add(archive, "i", tensor_of(NAS_INT32, (double[]){-2}, DIMS(1)));
  set(archive, "k", "v");
  nas_text bytes = bytes_of(archive);
  static const char header[] =
      "{\"__metadata__\":{\"k\":\"v\"},\"u\":{\"dtype\":\"U8\",\"shape\":["
      "3],\"data_offsets\":[12,15]},"
      "\"f\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
      "\"v\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[15,16]},"
      "\"i\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[8,12]}}     ";
  static const unsigned char data[] = {0,    0,    0x80, 0x3f, 0, 0, 0,   0xc0,
                                       0xfe, 0xff, 0xff, 0xff, 1, 2, 255, 9};
  size_t length = sizeof header - 1;
  assert_int_equal(length % 8, 0);
  assert_int_equal(bytes.size, 8 + length + sizeof data);
  assert_int_equal((unsigned char)bytes.data[0], length & 255);
  assert_int_equal((unsigned char)bytes.data[1], length >> 8);
  for (int i = 2; i < 8; i++) assert_int_equal(bytes.data[i], 0);
  assert_memory_equal(bytes.data + 8, header, length);
  assert_memory_equal(bytes.data + 8 + length, data, sizeof data);
  nas_archive *after = archive_of(bytes.data, bytes.size);
  check_same(archive, after);
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
}

static void nothing(void **state) {
  (void)state;
  nas_archive *archive = new_archive();
  nas_text bytes = {0};
  nas_error err;
  nas_text_add(&bytes, "before");
  check_ok(nas_archive_encode(archive, &bytes, &err), &err);
  assert_int_equal(bytes.size, 6 + 16);
  assert_memory_equal(bytes.data, "before\x08\0\0\0\0\0\0\0{}      ", bytes.size);
  nas_archive *after = archive_of(bytes.data + 6, bytes.size - 6);
  check_same(archive, after);
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
}

static void every_character(void **state) {
  (void)state;
  char text[128];
  for (int i = 1; i < 128; i++) text[i - 1] = (char)i;
  text[127] = 0;
  nas_archive *archive = new_archive();
  set(archive, text, text);
  add(archive, text, counting(NAS_UINT8, DIMS(1)));
  nas_text bytes = bytes_of(archive);
  assert_non_null(memmem(bytes.data, bytes.size, "\"\\u0001\\u0002", 13));
  assert_non_null(memmem(bytes.data, bytes.size, "\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e", 28));
  assert_non_null(memmem(bytes.data, bytes.size, "\\u001f !\\\"#", 11));
  assert_non_null(memmem(bytes.data, bytes.size, "./0", 3));
  assert_non_null(memmem(bytes.data, bytes.size, "[\\\\]", 4));
  assert_non_null(memmem(bytes.data, bytes.size, "~\x7F\"", 3));
  nas_archive *after = archive_of(bytes.data, bytes.size);
  check_same(archive, after);
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
}

static nas_tensor *random_tensor(nas_stream *dice, nas_dtype dtype) {
  int64_t dims[NAS_RANK_MAX];
  int rank = 1 + (int)nas_stream_below(dice, NAS_RANK_MAX);
  for (int d = 0; d < rank; d++) dims[d] = 1 + nas_stream_below(dice, 3);
  nas_tensor *tensor;
  nas_error err;
  check_ok(nas_tensor_create(&tensor, dtype, rank, dims, &err), &err);
  unsigned char *bytes = nas_tensor_data(tensor); /* any bits, NaNs with all payloads among them */
  size_t size = (size_t)nas_tensor_size(tensor) * nas_dtype_size(dtype);
  for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)nas_stream_u32(dice);
  if (nas_stream_below(dice, 2)) return tensor;
  nas_tensor *turned, *part;
  check_ok(nas_tensor_transpose(&turned, tensor, 0, rank - 1, &err), &err);
  int64_t first = nas_stream_below(dice, (uint32_t)nas_tensor_dims(turned)[0]);
  int64_t left = nas_tensor_dims(turned)[0] - first;
  check_ok(nas_tensor_narrow(&part, turned, 0, first, left, &err), &err);
  nas_tensor_destroy(&tensor);
  nas_tensor_destroy(&turned);
  return part;
}

static void random_archives(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "archives", NULL, 0);
  for (int round = 0; round < 300; round++) {
    nas_archive *archive = new_archive();
    int count = (int)nas_stream_below(&dice, 8);
    for (int i = 0; i < count; i++) {
      char name[12];
      snprintf(name, sizeof name, "%u", nas_stream_u32(&dice));
      add(archive, name, random_tensor(&dice, (nas_dtype)nas_stream_below(&dice, 3)));
    }
    nas_text bytes = bytes_of(archive);
    nas_archive *after = archive_of(bytes.data, bytes.size);
    nas_text again = bytes_of(after); /* bits that a comparison of numbers would not tell */
    check_same(archive, after);
    assert_int_equal(bytes.size, again.size);
    assert_memory_equal(bytes.data, again.data, again.size);
    nas_text_clear(&bytes);
    nas_text_clear(&again);
    nas_archive_destroy(&after);
    nas_archive_destroy(&archive);
  }
}

/* A signalling NaN stays one, as a view that is not contiguous too. */
static void bits_of_nan(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_FLOAT32, DIMS(2, 2)), *turned;
  nas_error err;
  static const uint32_t nan = 0xFFA00001;
  memcpy((char *)nas_tensor_data(tensor) + 4, &nan, sizeof nan);
  check_ok(nas_tensor_transpose(&turned, tensor, 0, 1, &err), &err);
  nas_archive *archive = new_archive();
  add(archive, "x", turned);
  nas_text bytes = bytes_of(archive);
  nas_archive *after = archive_of(bytes.data, bytes.size);
  uint32_t found;
  memcpy(&found, (char *)nas_tensor_data(nas_archive_tensor_at(after, 0)) + 8, sizeof found);
  assert_int_equal(found, nan);
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
  nas_tensor_destroy(&tensor);
}

/* 17 MB that take 102 MB as \u0001. */
static void header_too_long(void **state) {
  (void)state;
  enum { SIZE = 17000000 };
  char *value = malloc(SIZE);
  assert_non_null(value);
  memset(value, 1, SIZE - 1);
  value[SIZE - 1] = 0;
  nas_archive *archive = new_archive();
  set(archive, "k", value);
  free(value);
  nas_text bytes = {0};
  nas_error err;
  nas_text_add(&bytes, "before");
  assert_int_equal(nas_archive_encode(archive, &bytes, &err), NAS_LIMIT);
  check_contains(err.text, "the header would take 102000");
  check_contains(err.text, "at most 100000000");
  assert_string_equal(bytes.data, "before");
  assert_int_equal(bytes.size, 6);
  nas_text_clear(&bytes);
  nas_archive_destroy(&archive);
}

/* ---- Reading ---- */

/* Written by version 0.8.0 of the format's own Python library:
 *   safetensors.numpy.save({"kernel": float32 [[1.5, -0.0], [1e-40, 3.0]], "labels": int32 [-1, 7],
 *                           "pixels": uint8 [[[0, 255, 7]]]}, metadata={"who": ...}) */
static const unsigned char reference[] = {
    0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7b, 0x22, 0x5f, 0x5f, 0x6d, 0x65, 0x74, 0x61,
    0x64, 0x61, 0x74, 0x61, 0x5f, 0x5f, 0x22, 0x3a, 0x7b, 0x22, 0x77, 0x68, 0x6f, 0x22, 0x3a, 0x22,
    0x61, 0x20, 0x5c, 0x22, 0x71, 0x75, 0x6f, 0x74, 0x65, 0x64, 0x5c, 0x22, 0x5c, 0x6e, 0x5c, 0x74,
    0x6c, 0x69, 0x6e, 0x65, 0x20, 0x5c, 0x75, 0x30, 0x30, 0x30, 0x31, 0x7f, 0x20, 0xc3, 0xa9, 0x20,
    0xf0, 0x9f, 0x8e, 0x89, 0x20, 0x5c, 0x5c, 0x20, 0x2f, 0x22, 0x7d, 0x2c, 0x22, 0x6b, 0x65, 0x72,
    0x6e, 0x65, 0x6c, 0x22, 0x3a, 0x7b, 0x22, 0x64, 0x74, 0x79, 0x70, 0x65, 0x22, 0x3a, 0x22, 0x46,
    0x33, 0x32, 0x22, 0x2c, 0x22, 0x73, 0x68, 0x61, 0x70, 0x65, 0x22, 0x3a, 0x5b, 0x32, 0x2c, 0x32,
    0x5d, 0x2c, 0x22, 0x64, 0x61, 0x74, 0x61, 0x5f, 0x6f, 0x66, 0x66, 0x73, 0x65, 0x74, 0x73, 0x22,
    0x3a, 0x5b, 0x30, 0x2c, 0x31, 0x36, 0x5d, 0x7d, 0x2c, 0x22, 0x6c, 0x61, 0x62, 0x65, 0x6c, 0x73,
    0x22, 0x3a, 0x7b, 0x22, 0x64, 0x74, 0x79, 0x70, 0x65, 0x22, 0x3a, 0x22, 0x49, 0x33, 0x32, 0x22,
    0x2c, 0x22, 0x73, 0x68, 0x61, 0x70, 0x65, 0x22, 0x3a, 0x5b, 0x32, 0x5d, 0x2c, 0x22, 0x64, 0x61,
    0x74, 0x61, 0x5f, 0x6f, 0x66, 0x66, 0x73, 0x65, 0x74, 0x73, 0x22, 0x3a, 0x5b, 0x31, 0x36, 0x2c,
    0x32, 0x34, 0x5d, 0x7d, 0x2c, 0x22, 0x70, 0x69, 0x78, 0x65, 0x6c, 0x73, 0x22, 0x3a, 0x7b, 0x22,
    0x64, 0x74, 0x79, 0x70, 0x65, 0x22, 0x3a, 0x22, 0x55, 0x38, 0x22, 0x2c, 0x22, 0x73, 0x68, 0x61,
    0x70, 0x65, 0x22, 0x3a, 0x5b, 0x31, 0x2c, 0x31, 0x2c, 0x33, 0x5d, 0x2c, 0x22, 0x64, 0x61, 0x74,
    0x61, 0x5f, 0x6f, 0x66, 0x66, 0x73, 0x65, 0x74, 0x73, 0x22, 0x3a, 0x5b, 0x32, 0x34, 0x2c, 0x32,
    0x37, 0x5d, 0x7d, 0x7d, 0x20, 0x20, 0x20, 0x20, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x00, 0x80,
    0xc2, 0x16, 0x01, 0x00, 0x00, 0x00, 0x40, 0x40, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x00, 0x00,
    0x00, 0xff, 0x07};

static void written_by_the_reference(void **state) {
  (void)state;
  nas_archive *archive = archive_of(reference, sizeof reference);
  assert_int_equal(nas_archive_count(archive), 3);
  assert_int_equal(nas_archive_key_count(archive), 1);
  assert_string_equal(nas_archive_get(archive, "who"),
                      "a \"quoted\"\n\tline \x01\x7f \xc3\xa9 \xf0\x9f\x8e\x89 \\ /");
  const nas_tensor *kernel = nas_archive_find(archive, "kernel");
  const nas_tensor *labels = nas_archive_find(archive, "labels");
  const nas_tensor *pixels = nas_archive_find(archive, "pixels");
  assert_int_equal(nas_tensor_dtype(kernel), NAS_FLOAT32);
  check_tensor(kernel, ((double[]){1.5, -0.0, (double)1e-40f, 3}), DIMS(2, 2));
  assert_int_equal(nas_tensor_dtype(labels), NAS_INT32);
  check_tensor(labels, ((double[]){-1, 7}), DIMS(2));
  assert_int_equal(nas_tensor_dtype(pixels), NAS_UINT8);
  check_tensor(pixels, ((double[]){0, 255, 7}), DIMS(1, 1, 3));
  nas_text bytes = bytes_of(archive); /* and we write the same */
  assert_int_equal(bytes.size, sizeof reference);
  assert_memory_equal(bytes.data, reference, sizeof reference);
  nas_text_clear(&bytes);
  nas_archive_destroy(&archive);
}

/* What other writers may do: any order of data, blanks, escapes, no padding. */
static void other_notations(void **state) {
  (void)state;
  nas_text file =
      file_of("{ \"b\\u00e9\" : {\"data_offsets\": [1, 2], \"dtype\": \"U8\", \"shape\": [1]},\n"
              " \"__metadata__\": {},"
              " \"a\": {\"dtype\": \"I32\", \"shape\": [1, 1], \"data_offsets\": [2, 6]},"
              " \"\\ud83c\\udf89\": {\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}\n",
              6);
  nas_archive *archive = archive_of(file.data, file.size);
  assert_int_equal(nas_archive_count(archive), 3);
  assert_int_equal(nas_archive_key_count(archive), 0);
  assert_string_equal(nas_archive_name_at(archive, 0), "b\xc3\xa9");
  assert_string_equal(nas_archive_name_at(archive, 1), "a");
  assert_string_equal(nas_archive_name_at(archive, 2), "\xf0\x9f\x8e\x89");
  check_tensor(nas_archive_tensor_at(archive, 0), ((double[]){1}), DIMS(1));
  check_tensor(nas_archive_tensor_at(archive, 1), ((double[]){0x05040302}), DIMS(1, 1));
  check_tensor(nas_archive_tensor_at(archive, 2), ((double[]){0}), DIMS(1));
  nas_text_clear(&file);
  nas_archive_destroy(&archive);
}

#define TENSOR(name, dtype, shape, offsets)                                                        \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define BYTE(name, offsets) TENSOR(name, "U8", "[1]", offsets)

static void refused_headers(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t data;
    const char *message;
  } cases[] = {
      /* no JSON object */
      {"", 0, "\"test\": no safetensors file: byte 8: expected a header that begins with {"},
      {"[]", 0, "byte 8: expected a header that begins with {"},
      {" {}", 0, "byte 8: expected a header that begins with {"},
      {"{", 0, "byte 9: the header is damaged: "},
      {"{}}", 0, "byte 11: the header is damaged: "},
      {"{} x", 0, "the header is damaged: "},
      {"{\"a\" 1}", 0, "the header is damaged: "},
      {"{\"a\":01}", 0, "the header is damaged: "},
      {"{\"a\":'b'}", 0, "the header is damaged: "},
      {"{\"a\":\"\xff\"}", 0, "the header is damaged: "},
      {"{\"a\":\"\\ud83c\"}", 0, "the header is damaged: "},
      {"{\"a\":\"\\u0000\"}", 0, "the header is damaged: "},
      {"{\"\\u0000\":1}", 0, "the header is damaged: "},
      {"{\"a\":9223372036854775808}", 0, "the header is damaged: "},
      {"{" BYTE("a", "[0,1]") "," BYTE("a", "[0,1]") "}", 1, "duplicate object key near '\"a\"'"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate object key"},
      {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "duplicate object key"},
      {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
       "duplicate object key"},
      /* metadata */
      {"{\"__metadata__\":[]}", 0, "__metadata__: expected an object"},
      {"{\"__metadata__\":null}", 0, "__metadata__: expected an object"},
      {"{\"__metadata__\":{\"a\":\"\",\"b\":1}}", 0,
       "__metadata__: expected a text as value of \"b\""},
      {"{" BYTE("__metadata__", "[0,1]") "}", 1, "__metadata__: expected a text"},
      /* what describes a tensor */
      {"{\"a\":1}", 0, "tensor \"a\": expected an object"},
      {"{\"a\":[]}", 0, "tensor \"a\": expected an object"},
      {"{\"a\":{}}", 0, "tensor \"a\": dtype is missing or no text"},
      {"{\"a\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
       "dtype is missing or no text"},
      {"{" TENSOR("a", "BF16", "[1]", "[0,2]") "}", 2,
       "tensor \"a\": dtype is \"BF16\"; expected F32, U8 or I32"},
      {"{" TENSOR("a", "u8", "[1]", "[0,1]") "}", 1, "dtype is \"u8\""},
      {"{" TENSOR("a", "", "[1]", "[0,1]") "}", 1, "dtype is \"\""},
      {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "shape is missing or no list"},
      {"{" TENSOR("a", "U8", "1", "[0,1]") "}", 1, "shape is missing or no list"},
      {"{" TENSOR("a", "U8", "[]", "[0,1]") "}", 1, "shape has 0 dimensions; expected 1 to 8"},
      {"{" TENSOR("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, "shape has 9 dimensions"},
      {"{" TENSOR("a", "U8", "[0]", "[0,0]") "}", 0,
       "tensor \"a\": expected an integer of at least 1 as dimension 0 of shape"},
      {"{" TENSOR("a", "U8", "[1,-1]", "[0,1]") "}", 1, "as dimension 1 of shape"},
      {"{" TENSOR("a", "U8", "[1.0]", "[0,1]") "}", 1, "as dimension 0 of shape"},
      {"{" TENSOR("a", "U8", "[\"1\"]", "[0,1]") "}", 1, "as dimension 0 of shape"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1,
       "tensor \"a\": expected two integers of at least 0 as data_offsets"},
      {"{" TENSOR("a", "U8", "[1]", "{}") "}", 1, "expected two integers"},
      {"{" TENSOR("a", "U8", "[1]", "[0]") "}", 1, "expected two integers"},
      {"{" TENSOR("a", "U8", "[1]", "[0,1,1]") "}", 1, "expected two integers"},
      {"{" TENSOR("a", "U8", "[1]", "[-1,0]") "}", 1, "expected two integers"},
      {"{" TENSOR("a", "U8", "[1]", "[0,1.0]") "}", 1, "expected two integers"},
      {"{" TENSOR("a", "U8", "[1]", "[1,0]") "}", 1,
       "tensor \"a\": data_offsets are [1, 0]; expected numbers in order up to 1"},
      {"{" TENSOR("a", "U8", "[2]", "[0,2]") "}", 1,
       "data_offsets are [0, 2]; expected numbers in order up to 1"},
      {"{" TENSOR("a", "U8", "[2]", "[0,9223372036854775807]") "}", 1,
       "data_offsets are [0, 92233"},
      {"{" TENSOR("a", "F32", "[1,2]", "[0,7]") "}", 7,
       "tensor \"a\": data_offsets give 7 bytes, which F32 of shape [1, 2] do not take"},
      {"{" TENSOR("a", "U8", "[2]", "[0,1]") "}", 1, "do not take"},
      {"{" TENSOR("a", "U8", "[1]", "[0,0]") "}", 0, "data_offsets give 0 bytes"},
      {"{" TENSOR("a", "F32", "[4611686018427387904]", "[0,0]") "}", 0, "do not take"},
      {"{" TENSOR("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "do not take"},
      {"{" TENSOR("a", "U8", "[4294967296,4294967296,2]", "[0,0]") "}", 0, "do not take"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1,
       "tensor \"a\": expected nothing but dtype, shape and data_offsets"},
      /* the layout */
      {"{}", 1, "expected the end 0 bytes behind the header, as no tensor goes on; found 1 bytes"},
      {"{" BYTE("a", "[0,1]") "}", 2, "expected the end 1 bytes behind the header"},
      {"{" BYTE("a", "[1,2]") "}", 2,
       "tensor \"a\": data_offsets begin at 1; expected 0, as nothing else is there"},
      {"{" BYTE("a", "[0,1]") "," BYTE("b", "[2,3]") "}", 3,
       "tensor \"b\": data_offsets begin at 2; expected 1"},
      {"{" BYTE("a", "[0,1]") "," BYTE("b", "[0,1]") "}", 1, "tensor \"b\" overlaps tensor \"a\""},
      {"{" TENSOR("a", "U8", "[2]", "[1,3]") "," TENSOR("b", "U8", "[2]", "[0,2]") "}", 3,
       "tensor \"a\" overlaps tensor \"b\""},
      {"{" TENSOR("a", "U8", "[3]", "[0,3]") "," BYTE("b", "[1,2]") "}", 3,
       "tensor \"b\" overlaps tensor \"a\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_text file = file_of(cases[i].header, cases[i].data);
    nas_archive *archive = (nas_archive *)16;
    check_refused(read_exact(&archive, file.data, file.size, &err), NAS_FORMAT, archive,
                  cases[i].message);
    assert_int_equal(read_exact(&archive, file.data, file.size, NULL), NAS_FORMAT);
    nas_text_clear(&file);
  }
}

/* Thousands of brackets must not take the stack. */
static void deep_header(void **state) {
  (void)state;
  enum { DEPTH = 1000000 };
  char *header = malloc(DEPTH + 6);
  assert_non_null(header);
  memcpy(header, "{\"a\":", 5);
  memset(header + 5, '[', DEPTH);
  header[DEPTH + 5] = 0;
  nas_text file = file_of(header, 0);
  nas_archive *archive;
  check_refused(read_exact(&archive, file.data, file.size, &err), NAS_FORMAT, archive,
                "the header is damaged: maximum parsing depth reached");
  free(header);
  nas_text_clear(&file);
}

static nas_text example(void) {
  nas_archive *archive = new_archive();
  set(archive, "what", "an \"example\"");
  add(archive, "kernel", counting(NAS_FLOAT32, DIMS(2, 3)));
  add(archive, "pixels", counting(NAS_UINT8, DIMS(5)));
  add(archive, "labels", counting(NAS_INT32, DIMS(2)));
  nas_text bytes = bytes_of(archive);
  nas_archive_destroy(&archive);
  return bytes;
}

static void cut_at_every_byte(void **state) {
  (void)state;
  nas_text bytes = example();
  for (size_t size = 0; size < bytes.size; size++) {
    nas_archive *archive;
    check_refused(read_exact(&archive, bytes.data, size, &err), NAS_FORMAT, archive, "\"test\": ");
  }
  nas_text_add(&bytes, "x");
  nas_archive *archive;
  check_refused(read_exact(&archive, bytes.data, bytes.size, &err), NAS_FORMAT, archive,
                "expected the end");
  nas_text_clear(&bytes);
}

/* Either refused, or another sound file. */
static void damaged_at_every_byte(void **state) {
  (void)state;
  nas_text bytes = example();
  for (size_t i = 0; i < bytes.size; i++)
    for (int bit = 0; bit < 8; bit++) {
      nas_archive *archive;
      nas_error err = {0};
      bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
      nas_status status = read_exact(&archive, bytes.data, bytes.size, &err);
      if (status == NAS_OK) {
        nas_archive_destroy(&archive);
      } else {
        assert_int_equal(status, NAS_FORMAT);
        assert_null(archive);
        check_contains(err.text, "\"test\": ");
      }
      bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
    }
  nas_text_clear(&bytes);
}

/* Sizes are believed only as far as bytes follow. */
static void lies_take_no_memory(void **state) {
  (void)state;
  nas_archive *archive;
  size_t before = nas_memory_used().peak_bytes;
  unsigned char lengths[][8] = {{0xff, 0xe0, 0xf5, 0x05}, /* 99,999,999 */
                                {0, 0xe1, 0xf5, 0x05},    /* the most that is allowed */
                                {1, 0xe1, 0xf5, 0x05},    /* one more */
                                {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  for (size_t i = 0; i < 4; i++) {
    check_refused(read_exact(&archive, lengths[i], 8, &err), NAS_FORMAT, archive,
                  i < 2 ? "byte 8: expected " : "no safetensors file: it begins with a header of");
  }
  nas_text file = file_of("{" TENSOR("a", "F32", "[1000000000]", "[0,4000000000]") "}", 8);
  check_refused(read_exact(&archive, file.data, file.size, &err), NAS_FORMAT, archive,
                "data_offsets are [0, 4000000000]");
  nas_text_clear(&file);
  assert_true(nas_memory_used().peak_bytes < before + 10000);
}

static nas_status encode_fresh(const nas_archive *archive, char **data) {
  nas_text bytes = {0};
  nas_status status = nas_archive_encode(archive, &bytes, NULL);
  if (status != NAS_OK) nas_text_clear(&bytes);
  *data = bytes.data;
  return status;
}

/* Makes everything anew: its n-th allocation fails. */
static nas_status make_archive(nas_archive **archive, const nas_tensor *x) {
  nas_error err;
  nas_status status = nas_archive_create(archive, &err);
  for (int i = 0; status == NAS_OK && i < 9; i++) { /* more than the first capacity */
    char name[] = {'a', (char)('0' + i), 0};
    status = nas_archive_add(*archive, name, x, &err);
    if (status == NAS_OK) status = nas_archive_set(*archive, name, "1", &err);
    if (status == NAS_OK) status = nas_archive_set(*archive, name, "2", &err);
  }
  if (status != NAS_OK) nas_archive_destroy(archive);
  return status;
}

static void without_memory(void **state) {
  (void)state;
  nas_tensor *x = counting(NAS_FLOAT32, DIMS(2, 3)), *turned;
  nas_error err;
  check_ok(nas_tensor_transpose(&turned, x, 0, 1, &err), &err);
  nas_archive *archive, *after;
  check_starved(make_archive(&archive, turned), archive);
  char *data;
  check_starved(encode_fresh(archive, &data), data);
  nas_free(data);
  nas_text bytes = bytes_of(archive);
  check_starved(nas_archive_read_memory(&after, bytes.data, bytes.size, "test", NULL), after);
  check_same(archive, after);
  nas_text_clear(&bytes);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&x);
}

/* What could not be added leaves the archive as it was. */
static void failed_additions(void **state) {
  (void)state;
  nas_archive *archive = new_archive();
  nas_tensor *x = counting(NAS_UINT8, DIMS(1));
  set(archive, "k", "v");
  nas_memory_fail_after(1);
  assert_int_equal(nas_archive_add(archive, "x", x, NULL), NAS_MEMORY);
  nas_memory_fail_after(0);
  assert_int_equal(nas_archive_set(archive, "k", "w", NULL), NAS_MEMORY);
  nas_memory_fail_after(-1);
  assert_int_equal(nas_archive_count(archive), 0);
  assert_null(nas_archive_find(archive, "x"));
  assert_string_equal(nas_archive_get(archive, "k"), "v");
  nas_archive_destroy(&archive);
  nas_tensor_destroy(&x);
}

/* ---- Files ---- */

static char folder[] = "/tmp/nas-archive-XXXXXX";

static const char *path_of(const char *name) {
  static char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

static void check_file(const char *path, const nas_archive *expected) {
  nas_archive *archive;
  nas_error err;
  check_ok(nas_archive_read(&archive, path, &err), &err);
  check_same(archive, expected);
  nas_archive_destroy(&archive);
}

static void write_file(const nas_archive *archive, const char *path) {
  nas_error err;
  check_ok(nas_archive_write(archive, path, &err), &err);
}

static void files(void **state) {
  (void)state;
  nas_text bytes = example();
  nas_archive *archive = archive_of(bytes.data, bytes.size), *after;
  struct stat info;
  const char *path = path_of("model.safetensors");
  set(archive, "what", "something longer than the example");
  write_file(archive, path);
  check_file(path, archive);
  set(archive, "what", "an \"example\"");
  write_file(archive, path); /* over the old one */
  check_file(path, archive);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_size, bytes.size);
  assert_int_equal(truncate(path, info.st_size - 1), 0);
  check_refused(nas_archive_read(&after, path, &err), NAS_FORMAT, after,
                "/model.safetensors\": tensor \"pixels\": data_offsets are [32, 37]");
  assert_int_equal(truncate(path, 100), 0);
  check_refused(nas_archive_read(&after, path, &err), NAS_FORMAT, after,
                "/model.safetensors\": byte 8: expected ");
  assert_int_equal(truncate(path, 7), 0);
  check_refused(nas_archive_read(&after, path, &err), NAS_FORMAT, after,
                "byte 0: expected 8 bytes of the header's length, found the end after 7");
  assert_int_equal(unlink(path), 0);
  nas_text_clear(&bytes);
  nas_archive_destroy(&archive);
}

static nas_status write_again(const nas_archive *archive, const char *path, char **written) {
  static char yes[] = "yes";
  nas_status status = nas_archive_write(archive, path, NULL);
  *written = status == NAS_OK ? yes : NULL;
  return status;
}

/* The old file is whole, and nothing else is left in the folder. */
static void failures_leave_nothing(void **state) {
  (void)state;
  nas_text bytes = example();
  nas_archive *old = archive_of(bytes.data, bytes.size), *archive, *after;
  nas_error err;
  nas_tensor *x = counting(NAS_FLOAT32, DIMS(100, 100)), *turned;
  const char *path = path_of("model.safetensors");
  check_ok(nas_archive_write(old, path, &err), &err);
  check_ok(nas_tensor_transpose(&turned, x, 0, 1, &err), &err);
  archive = new_archive();
  add(archive, "x", turned);

  struct rlimit before, few; /* a file that may not grow stands for a full disk */
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t most = 0; most <= 40000; most += 10000) {
    few = before;
    few.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    nas_status status = nas_archive_write(archive, path, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, NAS_IO);
    check_contains(err.text, "cannot write");
    check_file(path, old);
  }
  assert_int_equal(nas_archive_write(archive, path_of("absent/model"), &err), NAS_IO);
  check_contains(err.text, "No such file");
  path = path_of("model.safetensors");

  char *written;
  check_starved(write_again(archive, path, &written), written);
  check_ok(nas_archive_read(&after, path, &err), &err);
  check_same_tensor(nas_archive_tensor_at(after, 0), nas_archive_tensor_at(archive, 0));
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(folder), 0);
  assert_int_equal(mkdir(folder, 0777), 0);
  nas_text_clear(&bytes);
  nas_tensor_destroy(&x);
  nas_archive_destroy(&after);
  nas_archive_destroy(&archive);
  nas_archive_destroy(&old);
}

static void unreadable_files(void **state) {
  (void)state;
  nas_archive *archive;
  check_refused(nas_archive_read(&archive, path_of("absent"), &err), NAS_IO, archive,
                "absent\": No such file");
  check_refused(nas_archive_read(&archive, folder, &err), NAS_IO, archive, "not a regular file");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(named_tensors),
      TEST(shares_elements),
      TEST(many_names),
      TEST(metadata),
      TEST(refused_names),
      TEST(layout),
      TEST(nothing),
      TEST(every_character),
      TEST(random_archives),
      TEST(bits_of_nan),
      TEST(header_too_long),
      TEST(written_by_the_reference),
      TEST(other_notations),
      TEST(refused_headers),
      TEST(deep_header),
      TEST(cut_at_every_byte),
      TEST(damaged_at_every_byte),
      TEST(lies_take_no_memory),
      TEST(without_memory),
      TEST(failed_additions),
      TEST(files),
      TEST(failures_leave_nothing),
      TEST(unreadable_files),
  };
  return cmocka_run_group_tests_name("archive", tests, make_folder, remove_folder);
}
