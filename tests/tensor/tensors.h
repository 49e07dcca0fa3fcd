/* What the tests of tensors and data sets share. */
#ifndef TESTS_TENSORS_H
#define TESTS_TENSORS_H

#include "check.h"
#include <nas/tensor.h>

/* A test that must leave no block behind. */
#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

#define DIMS(...)                                                                                  \
  (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                         \
    __VA_ARGS__                                                                                    \
  }

/* Repeats a call that makes *out with 0, 1, 2... allocations allowed until it succeeds: each
 * failure says so and leaves nothing behind. */
#define check_starved(call, out)                                                                   \
  do {                                                                                             \
    size_t before_ = nas_memory_used().blocks;                                                     \
    for (long allowed_ = 0;; allowed_++) {                                                         \
      nas_memory_fail_after(allowed_);                                                             \
      nas_status status_ = (call);                                                                 \
      nas_memory_fail_after(-1);                                                                   \
      if (status_ == NAS_OK) {                                                                     \
        assert_true(allowed_ > 0);                                                                 \
        break;                                                                                     \
      }                                                                                            \
      assert_int_equal(status_, NAS_MEMORY);                                                       \
      assert_null(out);                                                                            \
      assert_int_equal(nas_memory_used().blocks, before_);                                         \
    }                                                                                              \
    assert_non_null(out);                                                                          \
  } while (0)

/* The call fails with that status and a message that contains part; *out is NULL. */
#define check_refused(call, status, out, part)                                                     \
  do {                                                                                             \
    nas_error err = {0};                                                                           \
    assert_int_equal((call), (status));                                                            \
    assert_null(out);                                                                              \
    assert_int_equal(err.code, (status));                                                          \
    check_contains(err.text, part);                                                                \
  } while (0)

/* Element i in index order, read through nas_tensor_get. */
static inline double element_at(const nas_tensor *tensor, int64_t i) {
  int rank = nas_tensor_rank(tensor);
  const int64_t *dims = nas_tensor_dims(tensor);
  int64_t indices[NAS_RANK_MAX];
  double value = 0;
  for (int d = rank - 1; d >= 0; d--) {
    indices[d] = i % dims[d];
    i /= dims[d];
  }
  nas_error err = {0};
  check_ok(nas_tensor_get(tensor, indices, rank, &value, &err), &err);
  return value;
}

static inline void set_element(nas_tensor *tensor, int64_t i, double value) {
  int rank = nas_tensor_rank(tensor);
  const int64_t *dims = nas_tensor_dims(tensor);
  int64_t indices[NAS_RANK_MAX];
  for (int d = rank - 1; d >= 0; d--) {
    indices[d] = i % dims[d];
    i /= dims[d];
  }
  nas_error err = {0};
  check_ok(nas_tensor_set(tensor, indices, rank, value, &err), &err);
}

/* The values in index order under that shape. */
static inline nas_tensor *tensor_of(nas_dtype dtype, const double *values, int rank,
                                    const int64_t *dims) {
  nas_tensor *tensor;
  nas_error err = {0};
  check_ok(nas_tensor_create(&tensor, dtype, rank, dims, &err), &err);
  for (int64_t i = 0; i < nas_tensor_size(tensor); i++) set_element(tensor, i, values[i]);
  return tensor;
}

/* 0, 1, 2, ... in index order. */
static inline nas_tensor *counting(nas_dtype dtype, int rank, const int64_t *dims) {
  nas_tensor *tensor;
  nas_error err = {0};
  check_ok(nas_tensor_create(&tensor, dtype, rank, dims, &err), &err);
  for (int64_t i = 0; i < nas_tensor_size(tensor); i++) set_element(tensor, i, (double)i);
  return tensor;
}

/* rank and dims as given, elements in index order as given. */
#define check_tensor(tensor, values, ...)                                                          \
  check_tensor_at((tensor), (values), __VA_ARGS__, __FILE__, __LINE__)
static inline void check_tensor_at(const nas_tensor *tensor, const double *values, int rank,
                                   const int64_t *dims, const char *file, int line) {
  char text[NAS_DIMS_TEXT];
  nas_tensor_dims_text(tensor, text);
  if (nas_tensor_rank(tensor) != rank ||
      memcmp(nas_tensor_dims(tensor), dims, (size_t)rank * sizeof *dims)) {
    print_error("the shape is %s\n", text);
    _fail(file, line);
  }
  for (int64_t i = 0; i < nas_tensor_size(tensor); i++) {
    double found = element_at(tensor, i);
    if (found == values[i]) continue;
    print_error("element %lld of %s is %.17g, not %.17g\n", (long long)i, text, found, values[i]);
    _fail(file, line);
  }
}

#endif
