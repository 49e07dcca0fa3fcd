#include "files.h"
#include <float.h>
#include <math.h>
#include <nas/npy.h>

/* The content of an NPY file being put together. */
typedef struct npy {
  unsigned char bytes[4096];
  size_t size;
} npy;

static void put(npy *content, const void *bytes, size_t size) {
  assert_true(content->size + size <= sizeof content->bytes);
  memcpy(content->bytes + content->size, bytes, size);
  content->size += size;
}

/* An unsigned number of so many bytes, little-endian. */
static void put_number(npy *content, uint64_t value, int size) {
  for (int i = 0; i < size; i++, value >>= 8) put(content, &(unsigned char){value & 0xFF}, 1);
}

static npy begin(int version, const char *dictionary) {
  npy content = {.size = 0};
  put(&content, "\x93NUMPY", 6);
  put_number(&content, (uint64_t)version, 2);
  put_number(&content, strlen(dictionary), version == 1 ? 2 : 4);
  put(&content, dictionary, strlen(dictionary));
  return content;
}

static npy begin_type(const char *descr, const char *shape) {
  char text[256];
  snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }     \n",
           descr, shape);
  return begin(1, text);
}

static void put_float(npy *content, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_number(content, bits, 4);
}

static void put_double(npy *content, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_number(content, bits, 8);
}

static nas_tensor *read_content(const npy *content) {
  nas_tensor *tensor;
  nas_error err = {0};
  check_ok(nas_npy_read_memory(&tensor, content->bytes, content->size, "content", &err), &err);
  return tensor;
}

/* ---- Reading ---- */

static void bytes_and_booleans(void **state) {
  (void)state;
  npy content = begin_type("|u1", "(2, 3)");
  put(&content, "\0\1\2\xFD\xFE\xFF", 6);
  nas_tensor *tensor = read_content(&content);
  assert_int_equal(nas_tensor_dtype(tensor), NAS_UINT8);
  check_tensor(tensor, ((double[]){0, 1, 2, 253, 254, 255}), DIMS(2, 3));
  nas_tensor_destroy(&tensor);
  content = begin_type("|b1", "(3,)");
  put(&content, "\1\0\1", 3);
  tensor = read_content(&content);
  assert_int_equal(nas_tensor_dtype(tensor), NAS_UINT8);
  check_tensor(tensor, ((double[]){1, 0, 1}), DIMS(3));
  nas_tensor_destroy(&tensor);
}

static void integers(void **state) {
  (void)state;
  static const int64_t values[4] = {INT32_MIN, -1, 16909060, INT32_MAX};
  for (int size = 4; size <= 8; size += 4) {
    npy content = begin_type(size == 4 ? "<i4" : "<i8", "(2, 1, 2)");
    for (int i = 0; i < 4; i++) put_number(&content, (uint64_t)values[i], size);
    nas_tensor *tensor = read_content(&content);
    assert_int_equal(nas_tensor_dtype(tensor), NAS_INT32);
    check_tensor(tensor, ((double[]){INT32_MIN, -1, 16909060, INT32_MAX}), DIMS(2, 1, 2));
    nas_tensor_destroy(&tensor);
  }
}

static void floats(void **state) {
  (void)state;
  static const float values[6] = {0.1f, -0.0f, FLT_MAX, -FLT_TRUE_MIN, NAN, -INFINITY};
  for (int size = 4; size <= 8; size += 4) {
    npy content = begin_type(size == 4 ? "<f4" : "<f8", "(6,)");
    for (int i = 0; i < 6; i++) {
      if (size == 4)
        put_float(&content, values[i]);
      else
        put_double(&content, (double)values[i]);
    }
    nas_tensor *tensor = read_content(&content);
    assert_int_equal(nas_tensor_dtype(tensor), NAS_FLOAT32);
    for (int i = 0; i < 6; i++) check_float_bits(((float *)nas_tensor_data(tensor))[i], values[i]);
    nas_tensor_destroy(&tensor);
  }
}

static void doubles_are_rounded(void **state) {
  (void)state;
  npy content = begin_type("<f8", "(3,)");
  put_double(&content, 0.1);
  put_double(&content, 1e-60);
  put_double(&content, 0x1.fffffefp127); /* below the middle of FLT_MAX and what would follow */
  nas_tensor *tensor = read_content(&content);
  check_tensor(tensor, ((double[]){(double)0.1f, 0, (double)FLT_MAX}), DIMS(3));
  nas_tensor_destroy(&tensor);
}

static void all_versions_and_spellings(void **state) {
  (void)state;
  static const char *const dictionaries[] = {
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
      "{\"shape\":(2,),\"descr\":\"|u1\",\"fortran_order\":False}\n",
      " { 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '|u1' }  ",
  };
  for (int version = 1; version <= 3; version++) {
    for (int i = 0; i < 3; i++) {
      npy content = begin(version, dictionaries[i]);
      put(&content, "ab", 2);
      nas_tensor *tensor = read_content(&content);
      check_tensor(tensor, ((double[]){'a', 'b'}), DIMS(2));
      nas_tensor_destroy(&tensor);
    }
  }
}

static void all_ranks(void **state) {
  (void)state;
  npy content = begin_type("|u1", "(1, 1, 2, 1, 1, 1, 1, 1)");
  put(&content, "ab", 2);
  nas_tensor *tensor = read_content(&content);
  check_tensor(tensor, ((double[]){'a', 'b'}), DIMS(1, 1, 2, 1, 1, 1, 1, 1));
  nas_tensor_destroy(&tensor);
}

static void plain_and_gzip_files(void **state) {
  (void)state;
  npy content = begin_type("<i4", "(2,)");
  put_number(&content, 7, 4);
  put_number(&content, 8, 4);
  const char *paths[2] = {write_plain("plain.npy", content.bytes, content.size),
                          write_gzip("packed.npy.gz", content.bytes, content.size)};
  for (int i = 0; i < 2; i++) {
    nas_tensor *tensor;
    nas_error err = {0};
    check_ok(nas_npy_read(&tensor, paths[i], &err), &err);
    check_tensor(tensor, ((double[]){7, 8}), DIMS(2));
    nas_tensor_destroy(&tensor);
    check_starved(nas_npy_read(&tensor, paths[i], NULL), tensor);
    nas_tensor_destroy(&tensor);
  }
}

static void large_files_grow_in_memory(void **state) {
  (void)state;
  const size_t count = 300000;
  npy head = begin_type("<f8", "(300000,)");
  size_t size = head.size + 8 * count;
  unsigned char *bytes = malloc(size);
  nas_tensor *tensor;
  memcpy(bytes, head.bytes, head.size);
  for (size_t i = 0; i < count; i++) {
    double value = (double)i / 7;
    memcpy(bytes + head.size + 8 * i, &value, sizeof value);
  }
  check_starved(nas_npy_read_memory(&tensor, bytes, size, "large", NULL), tensor);
  for (size_t i = 0; i < count; i += 1000)
    check_float_bits(((float *)nas_tensor_data(tensor))[i], (float)((double)i / 7));
  assert_true(nas_memory_used().bytes < 4 * count + 10000);
  nas_tensor_destroy(&tensor);
  free(bytes);
}

/* ---- What is refused ---- */

static void refuse_content(const npy *content, nas_status status, const char *part) {
  nas_tensor *tensor;
  check_refused(nas_npy_read_memory(&tensor, content->bytes, content->size, "bad", &err), status,
                tensor, part);
}

static void refuse_dictionary(const char *dictionary, nas_status status, const char *part) {
  npy content = begin(1, dictionary);
  put(&content, "abcdefgh", 8);
  refuse_content(&content, status, part);
}

static void refuse_type(const char *descr, const char *part) {
  npy content = begin_type(descr, "(1,)");
  put(&content, "abcdefgh", 8);
  refuse_content(&content, NAS_FORMAT, part);
}

static void refuse_shape(const char *shape, nas_status status, const char *part) {
  npy content = begin_type("|u1", shape);
  put(&content, "abcdefgh", 8);
  refuse_content(&content, status, part);
}

static void other_types(void **state) {
  (void)state;
  refuse_type(">f4", "bad, byte 20: type '>f4' is big-endian; save x.astype('<f4')");
  refuse_type(">i8", "type '>i8' is big-endian; save x.astype('<i8')");
  refuse_type("<f2", "type '<f2'; expected |u1, |b1, <i4, <i8, <f4 or <f8: save x.astype");
  refuse_type(">f2", "type '>f2'; expected |u1");
  refuse_type("<U3", "type '<U3'");
  refuse_type("|O", "type '|O'");
  refuse_type("", "type ''");
  refuse_type("<f4<f4<f4<f4<f4<f4", "expected the name of a type");
  refuse_type("<f\\x34", "expected the name of a type");
  refuse_dictionary("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
                    NAS_FORMAT, "byte 20: expected the name of a type");
}

static void fortran_order(void **state) {
  (void)state;
  refuse_dictionary("{'descr': '|u1', 'fortran_order': True, 'shape': (4, 2), }", NAS_FORMAT,
                    "the array is in Fortran order; save np.ascontiguousarray(x)");
}

static void other_shapes(void **state) {
  (void)state;
  refuse_shape("()", NAS_FORMAT, "a single number without dimensions; save x.reshape(1)");
  refuse_shape("(0,)", NAS_FORMAT, "the dimension is 0; expected at least 1");
  refuse_shape("(-1,)", NAS_FORMAT, "expected a dimension");
  refuse_shape("(1,1,1,1,1,1,1,1,1)", NAS_FORMAT, "expected at most 8 dimensions");
  refuse_shape("(99999999999999999999,)", NAS_FORMAT, "larger than memory can hold");
  refuse_shape("(4294967296, 4294967296)", NAS_LIMIT, "more elements than memory can hold");
  refuse_shape("(8", NAS_FORMAT, "expected a dimension");
  refuse_shape("8", NAS_FORMAT, "expected a shape");
  refuse_shape("(2 4)", NAS_FORMAT, "expected ',' or ')'");
  refuse_shape("(,)", NAS_FORMAT, "expected a dimension");
}

static void wrong_dictionaries(void **state) {
  (void)state;
  const char *each = "expected 'descr', 'fortran_order' and 'shape', each once";
  refuse_dictionary("", NAS_FORMAT, "byte 10: expected '{', a Python dictionary");
  refuse_dictionary("{", NAS_FORMAT, each);
  refuse_dictionary("{}", NAS_FORMAT, each);
  refuse_dictionary("{'descr': '|u1', 'fortran_order': False}", NAS_FORMAT, each);
  refuse_dictionary("{'descr': '|u1', 'descr': '|u1'}", NAS_FORMAT, each);
  refuse_dictionary("{'other': '|u1'}", NAS_FORMAT, each);
  refuse_dictionary("{'descr", NAS_FORMAT, each);
  refuse_dictionary("{'descr' '|u1'}", NAS_FORMAT, "expected ':'");
  refuse_dictionary("{'descr': '|u1' 'fortran_order'", NAS_FORMAT, "expected ',' or '}'");
  refuse_dictionary("{'fortran_order': None}", NAS_FORMAT, "expected True or False");
  refuse_dictionary("{'descr': '|u1', 'fortran_order': False, 'shape': (8,)} x", NAS_FORMAT,
                    "expected the end of the header");
}

static void other_files(void **state) {
  (void)state;
  nas_tensor *tensor;
  npy content = begin(1, "{}");
  content.bytes[6] = 4;
  refuse_content(&content, NAS_FORMAT, "bad, byte 6: version 4.0; expected 1.0, 2.0 or 3.0");
  content.bytes[6] = 1;
  content.bytes[7] = 1;
  refuse_content(&content, NAS_FORMAT, "version 1.1");
  memcpy(content.bytes, "PK\3\4", 4);
  refuse_content(&content, NAS_FORMAT, "an NPZ file? save one array by np.save");
  content = begin(2, "{}");
  content.bytes[11] = 1;
  refuse_content(&content, NAS_LIMIT, "bad, byte 8: a header of 16777218 bytes");
  check_refused(nas_npy_read(&tensor, path_of("absent.npy"), &err), NAS_IO, tensor,
                "absent.npy cannot be opened: No such file");
  check_refused(nas_npy_read(&tensor, folder, &err), NAS_IO, tensor, "Is a directory");
}

static void elements_out_of_range(void **state) {
  (void)state;
  npy content = begin_type("<i8", "(2, 2)");
  for (int i = 0; i < 3; i++) put_number(&content, 1, 8);
  size_t size = content.size;
  put_number(&content, (uint64_t)INT32_MAX + 1, 8);
  refuse_content(&content, NAS_FORMAT, "element [1, 1] is 2147483648; expected an integer from");
  content.size = size;
  put_number(&content, (uint64_t)INT64_MIN, 8);
  refuse_content(&content, NAS_FORMAT, "element [1, 1] is -9223372036854775808;");

  content = begin_type("<f8", "(3, 1)");
  put_double(&content, 1);
  put_double(&content, -1e300);
  put_double(&content, 1);
  refuse_content(&content, NAS_FORMAT, "byte 83: element [1, 0] is -1e+300; expected a number");

  content = begin_type("|b1", "(2,)");
  put(&content, "\1\2", 2);
  refuse_content(&content, NAS_FORMAT, "element [1] is 0x02; expected a byte 0 or 1");
}

static void hostile_dimensions_allocate_little(void **state) {
  (void)state;
  size_t before = nas_memory_used().peak_bytes;
  npy content = begin_type("<f8", "(1000000, 1000000)");
  refuse_content(&content, NAS_FORMAT, "the content ends after 0 of 8000000000000 bytes");
  assert_true(nas_memory_used().peak_bytes <= (before > 2 << 20 ? before : 2 << 20));
}

static void every_cut_is_noticed(void **state) {
  (void)state;
  npy content = begin_type("<i4", "(2,)");
  put_number(&content, 7, 4);
  put_number(&content, 8, 4);
  for (size_t size = 0; size < content.size; size++) {
    nas_tensor *tensor;
    check_refused(nas_npy_read_memory(&tensor, content.bytes, size, "cut", &err), NAS_FORMAT,
                  tensor, "cut, byte ");
  }
  put(&content, "x", 1);
  refuse_content(&content, NAS_FORMAT, "expected the end of the content, found a byte 78");
}

static void what_is_written_is_read(void **state) {
  (void)state;
  static const nas_dtype dtypes[] = {NAS_FLOAT32, NAS_UINT8, NAS_INT32};
  for (int i = 0; i < 3; i++) {
    nas_tensor *tensor = counting(dtypes[i], DIMS(3, 1, 50)), *turned, *back;
    nas_error err = {0};
    check_ok(nas_tensor_transpose(&turned, tensor, 0, 2, NULL), NULL);
    const char *path = path_of("written.npy");
    check_ok(nas_npy_write(turned, path, &err), &err);
    check_ok(nas_npy_read(&back, path, &err), &err);
    assert_true(nas_tensor_equal(back, turned));
    nas_tensor_destroy(&back);
    for (long allowed = 0;; allowed++) {
      size_t before = nas_memory_used().blocks;
      nas_memory_fail_after(allowed);
      nas_status status = nas_npy_write(turned, path, NULL);
      nas_memory_fail_after(-1);
      assert_int_equal(nas_memory_used().blocks, before);
      if (status == NAS_OK) break;
      assert_int_equal(status, NAS_MEMORY);
    }
    assert_int_equal(nas_npy_write(turned, "/no/such/folder/x.npy", &err), NAS_IO);
    check_contains(err.text, "/no/such/folder");
    nas_tensor_destroy(&turned);
    nas_tensor_destroy(&tensor);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(bytes_and_booleans),
      TEST(integers),
      TEST(floats),
      TEST(doubles_are_rounded),
      TEST(all_versions_and_spellings),
      TEST(all_ranks),
      TEST(plain_and_gzip_files),
      TEST(large_files_grow_in_memory),
      TEST(other_types),
      TEST(fortran_order),
      TEST(other_shapes),
      TEST(wrong_dictionaries),
      TEST(other_files),
      TEST(elements_out_of_range),
      TEST(hostile_dimensions_allocate_little),
      TEST(every_cut_is_noticed),
      TEST(what_is_written_is_read),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
