#include "tensors.h"
#include <math.h>
#include <nas/random.h>

static nas_tensor *random_matrix(nas_stream *stream, int rank, const int64_t *dims) {
  nas_tensor *matrix;
  check_ok(nas_tensor_create(&matrix, NAS_FLOAT32, rank, dims, NULL), NULL);
  check_ok(nas_tensor_normal(matrix, stream, 0, 1, NULL), NULL);
  return matrix;
}

static nas_tensor *turned(nas_tensor **matrix) {
  nas_tensor *view;
  check_ok(nas_tensor_transpose(&view, *matrix, 0, 1, NULL), NULL);
  nas_tensor_destroy(matrix);
  return view;
}

/* Every element of a * x in double is that of b, but for the rounding of x to float32. */
static void check_solution(const nas_tensor *a, const nas_tensor *x, const nas_tensor *b) {
  int64_t n = nas_tensor_dims(a)[0], columns = nas_tensor_size(b) / n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < columns; j++) {
      double sum = 0, size = 0;
      for (int64_t k = 0; k < n; k++) {
        double term = element_at(a, i * n + k) * element_at(x, k * columns + j);
        sum += term;
        size += fabs(term);
      }
      check_near(sum, element_at(b, i * columns + j), size * 0x1p-23);
    }
}

static void systems_are_solved(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(1, "test solve", NULL, 0);
  nas_error err = {0};
  for (int64_t n = 1; n < 12; n += 5)
    for (int kind = 0; kind < 4; kind++) {
      int64_t dims[2] = {n, 3};
      nas_tensor *a = random_matrix(&stream, DIMS(n, n)), *x;
      nas_tensor *b = random_matrix(&stream, kind % 2 ? 2 : 1, dims);
      if (kind > 1) a = turned(&a);
      check_ok(nas_tensor_solve(&x, a, b, &err), &err);
      assert_int_equal(nas_tensor_rank(x), nas_tensor_rank(b));
      check_solution(a, x, b);
      nas_tensor_destroy(&a);
      nas_tensor_destroy(&b);
      nas_tensor_destroy(&x);
    }
}

static void what_cannot_be_solved_is_refused(void **state) {
  (void)state;
  nas_tensor *a = tensor_of(NAS_FLOAT32, (double[]){1, 2, 2, 4}, DIMS(2, 2)), *out;
  nas_tensor *wide = counting(NAS_FLOAT32, DIMS(2, 3)), *bytes = counting(NAS_UINT8, DIMS(2, 2));
  nas_tensor *line = counting(NAS_FLOAT32, DIMS(2)), *three = counting(NAS_FLOAT32, DIMS(3));
  check_refused(nas_tensor_solve(&out, a, line, &err), NAS_ARGUMENT, out,
                "solve's matrix is singular");
  check_refused(nas_tensor_solve(&out, wide, line, &err), NAS_ARGUMENT, out,
                "solve's matrix is [2, 3]; expected a square one");
  check_refused(nas_tensor_solve(&out, line, line, &err), NAS_ARGUMENT, out, "expected a matrix");
  check_refused(nas_tensor_solve(&out, bytes, line, &err), NAS_ARGUMENT, out,
                "solve's matrix is uint8; expected float32");
  check_refused(nas_tensor_solve(&out, a, three, &err), NAS_ARGUMENT, out,
                "solve's right side is [3]; expected [2] or [2, columns]");
  set_element(a, 3, nan(""));
  check_refused(nas_tensor_solve(&out, a, line, &err), NAS_ARGUMENT, out,
                "solve's matrix holds nan");
  set_element(a, 3, 5);
  check_starved(nas_tensor_solve(&out, a, line, NULL), out);
  nas_tensor_destroy(&out);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&wide);
  nas_tensor_destroy(&bytes);
  nas_tensor_destroy(&line);
  nas_tensor_destroy(&three);
}

/* The element (i, j) of left * diagonal of values * transposed right. */
static double product_at(const nas_tensor *left, const nas_tensor *values, const nas_tensor *right,
                         int64_t i, int64_t j) {
  int64_t k = nas_tensor_size(values);
  double sum = 0;
  for (int64_t l = 0; l < k; l++)
    sum += element_at(left, i * k + l) * element_at(values, l) * element_at(right, j * k + l);
  return sum;
}

static void check_orthonormal(const nas_tensor *columns) {
  int64_t rows = nas_tensor_dims(columns)[0], k = nas_tensor_dims(columns)[1];
  for (int64_t i = 0; i < k; i++)
    for (int64_t j = 0; j < k; j++) {
      double sum = 0;
      for (int64_t r = 0; r < rows; r++)
        sum += element_at(columns, r * k + i) * element_at(columns, r * k + j);
      check_near(sum, i == j, 1e-6);
    }
}

static void singular_values_make_the_matrix(void **state) {
  (void)state;
  static const int64_t sizes[][2] = {{1, 1}, {4, 4}, {7, 3}, {3, 7}, {1, 5}};
  nas_stream stream = nas_stream_open(1, "test svd", NULL, 0);
  nas_error err = {0};
  for (size_t s = 0; s < 2 * sizeof sizes / sizeof sizes[0]; s++) {
    nas_tensor *matrix = random_matrix(&stream, 2, sizes[s / 2]), *left, *values, *right;
    if (s % 2) matrix = turned(&matrix);
    int64_t m = nas_tensor_dims(matrix)[0], n = nas_tensor_dims(matrix)[1];
    check_ok(nas_tensor_svd(&left, &values, &right, matrix, &err), &err);
    double largest = element_at(values, 0);
    for (int64_t i = 0; i < m * n; i++)
      check_near(product_at(left, values, right, i / n, i % n), element_at(matrix, i),
                 1e-6 * largest);
    for (int64_t i = 1; i < nas_tensor_size(values); i++)
      assert_true(element_at(values, i) <= element_at(values, i - 1) && element_at(values, i) >= 0);
    check_orthonormal(left);
    check_orthonormal(right);
    nas_tensor_destroy(&left);
    nas_tensor_destroy(&values);
    nas_tensor_destroy(&right);
    nas_tensor_destroy(&matrix);
  }
}

static void svd_refuses_and_survives(void **state) {
  (void)state;
  nas_tensor *matrix = counting(NAS_FLOAT32, DIMS(2, 3)), *line = counting(NAS_FLOAT32, DIMS(3));
  nas_tensor *left, *values, *right;
  check_refused(nas_tensor_svd(&left, &values, &right, line, &err), NAS_ARGUMENT, left,
                "svd's matrix is [3]; expected a matrix");
  check_starved(nas_tensor_svd(&left, &values, &right, matrix, NULL), left);
  nas_tensor_destroy(&left);
  nas_tensor_destroy(&values);
  nas_tensor_destroy(&right);
  set_element(matrix, 1, HUGE_VAL);
  check_refused(nas_tensor_svd(&left, &values, &right, matrix, &err), NAS_ARGUMENT, right,
                "svd's matrix holds inf; expected finite numbers");
  nas_tensor_destroy(&matrix);
  nas_tensor_destroy(&line);
}

/* The numbers are one that is repeated; were they decomposed, this would take gigabytes. */
static void svd_refuses_what_lapack_cannot_count(void **state) {
  (void)state;
  static const int64_t sizes[][2] = {{23170, 23170}, {1 << 20, 23170}, {3, 1 << 30}, {1 << 30, 2}};
  nas_tensor *one = counting(NAS_FLOAT32, DIMS(1)), *matrix, *left, *values, *right;
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    check_ok(nas_tensor_expand(&matrix, one, 2, sizes[s], NULL), NULL);
    check_refused(nas_tensor_svd(&left, &values, &right, matrix, &err), NAS_LIMIT, left,
                  "for which LAPACK's integers are too small");
    nas_tensor_destroy(&matrix);
  }
  nas_tensor_destroy(&one);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(systems_are_solved),
      TEST(what_cannot_be_solved_is_refused),
      TEST(singular_values_make_the_matrix),
      TEST(svd_refuses_and_survives),
      TEST(svd_refuses_what_lapack_cannot_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
