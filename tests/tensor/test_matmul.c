#include "tensors.h"
#include <nas/random.h>

static nas_tensor *random_matrix(nas_stream *stream, int64_t rows, int64_t columns) {
  nas_tensor *matrix;
  check_ok(nas_tensor_create(&matrix, NAS_FLOAT32, DIMS(rows, columns), NULL), NULL);
  for (int64_t i = 0; i < rows * columns; i++)
    set_element(matrix, i, (double)nas_stream_float(stream) - 0.5);
  return matrix;
}

/* A matrix of that shape in one of the layouts that a view may have; *whole owns the storage. */
static nas_tensor *laid_out(nas_stream *stream, int layout, int64_t rows, int64_t columns) {
  nas_tensor *whole, *cut, *view;
  switch (layout) {
  case 0: return random_matrix(stream, rows, columns);
  case 1: /* transposed */
    whole = random_matrix(stream, columns, rows);
    check_ok(nas_tensor_transpose(&view, whole, 0, 1, NULL), NULL);
    break;
  case 2: /* part of a wider matrix */
    whole = random_matrix(stream, rows + 2, columns + 3);
    check_ok(nas_tensor_narrow(&cut, whole, 0, 1, rows, NULL), NULL);
    check_ok(nas_tensor_narrow(&view, cut, 1, 2, columns, NULL), NULL);
    nas_tensor_destroy(&cut);
    break;
  default: /* strides above 1 in both dimensions */
    check_ok(nas_tensor_create(&whole, NAS_FLOAT32, DIMS(rows, columns, 2), NULL), NULL);
    check_ok(nas_tensor_select(&view, whole, 2, 1, NULL), NULL);
    for (int64_t i = 0; i < rows * columns; i++)
      set_element(view, i, (double)nas_stream_float(stream) - 0.5);
  }
  nas_tensor_destroy(&whole);
  return view;
}

static void check_product(const nas_tensor *a, const nas_tensor *b) {
  nas_tensor *out;
  nas_error err = {0};
  check_ok(nas_tensor_matmul(&out, a, b, &err), &err);
  int64_t m = nas_tensor_dims(a)[0], k = nas_tensor_dims(a)[1], n = nas_tensor_dims(b)[1];
  assert_int_equal(nas_tensor_rank(out), 2);
  assert_int_equal(nas_tensor_dims(out)[0], m);
  assert_int_equal(nas_tensor_dims(out)[1], n);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t l = 0; l < k; l++) sum += element_at(a, i * k + l) * element_at(b, l * n + j);
      /* k + 1 roundings of terms of at most 1/4 */
      check_near(element_at(out, i * n + j), sum, (double)(k + 1) * (double)k * 0.25 * 0x1p-24);
    }
  nas_tensor_destroy(&out);
}

static void every_layout_gives_the_product(void **state) {
  (void)state;
  static const int64_t sizes[][3] = {{1, 1, 1}, {1, 5, 1}, {4, 1, 6},    {1, 7, 3},
                                     {3, 7, 1}, {5, 2, 9}, {33, 17, 29}, {2, 300, 2}};
  nas_stream stream = nas_stream_open(1, "test matmul", NULL, 0);
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
    for (int layouts = 0; layouts < 16; layouts++) {
      nas_tensor *a = laid_out(&stream, layouts / 4, sizes[s][0], sizes[s][1]);
      nas_tensor *b = laid_out(&stream, layouts % 4, sizes[s][1], sizes[s][2]);
      check_product(a, b);
      nas_tensor_destroy(&a);
      nas_tensor_destroy(&b);
    }
}

static void transposed_views_are_not_copied(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(2, "test matmul", NULL, 0);
  nas_tensor *a = laid_out(&stream, 1, 4, 5), *b = laid_out(&stream, 2, 5, 3), *out;
  nas_memory_fail_after(3); /* the result's handle, elements and storage */
  nas_status status = nas_tensor_matmul(&out, a, b, NULL);
  nas_memory_fail_after(-1);
  check_ok(status, NULL);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

static void vectors_and_batches(void **state) {
  (void)state;
  nas_tensor *two = counting(NAS_FLOAT32, DIMS(2)), *three = counting(NAS_FLOAT32, DIMS(3));
  nas_tensor *matrix = counting(NAS_FLOAT32, DIMS(2, 3)),
             *batch = counting(NAS_FLOAT32, DIMS(2, 3, 2));
  nas_tensor *column = counting(NAS_FLOAT32, DIMS(4, 1, 1, 2)), *out;
  const struct {
    const nas_tensor *a, *b;
    double values[12];
    int rank;
    int64_t dims[3];
  } products[] = {
      {three, three, {5}, 1, {1}},
      {matrix, three, {5, 14}, 1, {2}},
      {two, matrix, {3, 4, 5}, 1, {3}},
      {matrix, batch, {10, 13, 28, 40, 28, 31, 100, 112}, 3, {2, 2, 2}},
      {batch, two, {1, 3, 5, 7, 9, 11}, 2, {2, 3}},
      {three, batch, {10, 13, 28, 31}, 2, {2, 2}},
  };
  for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
    nas_error err = {0};
    check_ok(nas_tensor_matmul(&out, products[i].a, products[i].b, &err), &err);
    check_tensor(out, products[i].values, products[i].rank, products[i].dims);
    nas_tensor_destroy(&out);
  }
  /* [4, 1, 1, 2] times [2, 2, 3] of equal halves: the batches [4, 1] and [2] give [4, 2]. */
  nas_tensor *halves;
  check_ok(nas_tensor_transpose(&halves, batch, 1, 2, NULL), NULL); /* [2, 2, 3] */
  check_ok(nas_tensor_matmul(&out, column, halves, NULL), NULL);
  assert_int_equal(nas_tensor_rank(out), 4);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 2; j++)
      for (int k = 0; k < 3; k++) {
        double sum = 0;
        for (int l = 0; l < 2; l++) sum += (2 * i + l) * (6 * j + 2 * k + l);
        assert_true(element_at(out, (2 * i + j) * 3 + k) == sum);
      }
  nas_tensor_destroy(&out);
  check_starved(nas_tensor_matmul(&out, column, halves, NULL), out);
  nas_tensor_destroy(&out);
  check_refused(nas_tensor_matmul(&out, two, three, &err), NAS_ARGUMENT, out,
                "the first has 2 columns, the second 3 rows");
  nas_tensor_destroy(&halves);
  nas_tensor_destroy(&column);
  nas_tensor_destroy(&batch);
  nas_tensor_destroy(&matrix);
  nas_tensor_destroy(&three);
  nas_tensor_destroy(&two);
}

static void what_is_no_matrix_is_refused(void **state) {
  (void)state;
  nas_tensor *a = counting(NAS_FLOAT32, DIMS(2, 3)), *line = counting(NAS_FLOAT32, DIMS(3));
  nas_tensor *ints = counting(NAS_INT32, DIMS(3, 2)), *out;
  check_refused(nas_tensor_matmul(&out, a, a, &err), NAS_ARGUMENT, out,
                "matmul of [2, 3] and [2, 3]: the first has 3 columns, the second 2 rows");
  check_refused(nas_tensor_matmul(&out, line, a, &err), NAS_ARGUMENT, out,
                "matmul of [1, 3] and [2, 3]: the first has 3 columns, the second 2 rows");
  check_refused(nas_tensor_matmul(&out, ints, a, &err), NAS_ARGUMENT, out,
                "first operand is int32; expected float32");
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&line);
  nas_tensor_destroy(&ints);
}

static void dimensions_beyond_blas_are_refused(void **state) {
  (void)state;
  float number = 0; /* never read: the check comes first */
  nas_tensor *wide, *out, *one = counting(NAS_FLOAT32, DIMS(1, 1));
  check_ok(
      nas_tensor_wrap(&wide, NAS_FLOAT32, DIMS(1, INT64_C(1) << 31), &number, NULL, NULL, NULL),
      NULL);
  check_refused(nas_tensor_matmul(&out, one, wide, &err), NAS_LIMIT, out, "at most 2147483647");
  nas_tensor_destroy(&wide);
  nas_tensor_destroy(&one);
}

static void matmul_survives_failing_memory(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(3, "test matmul", NULL, 0);
  nas_tensor *a = laid_out(&stream, 3, 4, 5), *b = laid_out(&stream, 3, 5, 3), *out;
  check_starved(nas_tensor_matmul(&out, a, b, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_layout_gives_the_product),
      TEST(transposed_views_are_not_copied),
      TEST(vectors_and_batches),
      TEST(what_is_no_matrix_is_refused),
      TEST(dimensions_beyond_blas_are_refused),
      TEST(matmul_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
