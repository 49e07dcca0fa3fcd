/* Products of rows against their definition, bit for bit, with every table of kernels. */
#include "check.h"
#include <nas/elementary.h>
#include <nas/random.h>
#include "rows.h"

enum { ROWS = 37, IN = 13, OUT = 21 }; /* more rows than go at once; odd widths */

static void fill(nas_rows *m, int rows, int width, uint64_t stream_number) {
  nas_stream stream = nas_stream_open(1, "rows", &stream_number, 1);
  assert_int_equal(nas_rows_create(m, rows, width), 0);
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < width; c++) nas_rows_at(m, r)[c] = nas_stream_float(&stream) - 0.5f;
}

static void multiply(void **state) {
  (void)state;
  nas_rows x = {0}, w = {0}, bias = {0}, out = {0};
  fill(&x, ROWS + 2, IN, 1);
  fill(&w, IN, OUT, 2);
  fill(&bias, 1, OUT, 3);
  const nas_kernels *kernels;
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    fill(&out, ROWS + 1, OUT, 4);
    nas_rows_multiply(kernels, &x, 2, &w, bias.data, &out, 1, ROWS, 0);
    nas_rows_multiply(kernels, &x, 1, &w, NULL, &out, 1, ROWS, NAS_CONV_ACCUMULATE);
    for (int r = 0; r < ROWS; r++)
      for (int o = 0; o < OUT; o++) {
        float sum = bias.data[o];
        for (int c = 0; c < IN; c++)
          sum = nas_fmaf(nas_rows_at(&x, r + 2)[c], nas_rows_at(&w, c)[o], sum);
        for (int c = 0; c < IN; c++)
          sum = nas_fmaf(nas_rows_at(&x, r + 1)[c], nas_rows_at(&w, c)[o], sum);
        check_float_bits(nas_rows_at(&out, r + 1)[o], sum);
      }
    nas_rows_free(&out);
  }
  nas_rows_free(&x);
  nas_rows_free(&w);
  nas_rows_free(&bias);
}

/* From and to rows of a list; none but those is touched. */
static void multiply_listed(void **state) {
  (void)state;
  nas_rows x = {0}, w = {0}, bias = {0}, out = {0}, start = {0}, d_w = {0}, w_start = {0};
  int32_t list[ROWS];
  fill(&x, 2 * ROWS + 2, IN, 1);
  fill(&w, IN, OUT, 2);
  fill(&bias, 1, OUT, 3);
  fill(&start, 2 * ROWS + 2, OUT, 4);
  fill(&w_start, IN, OUT, 5);
  for (int p = 0; p < ROWS; p++) list[p] = 2 * p + p % 2;
  const nas_kernels *kernels;
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    fill(&out, 2 * ROWS + 2, OUT, 4);
    fill(&d_w, IN, OUT, 5);
    nas_rows_multiply_from(kernels, &x, 1, list, &w, bias.data, &out, 2, ROWS);
    for (int r = 0; r < ROWS; r++)
      for (int o = 0; o < OUT; o++) {
        float sum = bias.data[o];
        for (int c = 0; c < IN; c++)
          sum = nas_fmaf(nas_rows_at(&x, 1 + list[r])[c], nas_rows_at(&w, c)[o], sum);
        check_float_bits(nas_rows_at(&out, r + 2)[o], sum);
      }
    nas_rows_free(&out);
    fill(&out, 2 * ROWS + 2, OUT, 4);
    nas_rows_multiply_to(kernels, &x, 2, &w, &out, 1, list, ROWS);
    for (int r = 0; r < 2 * ROWS + 2; r++) {
      int p = 0;
      while (p < ROWS && list[p] != r - 1) p++;
      for (int o = 0; o < OUT; o++) {
        float sum = nas_rows_at(&start, r)[o];
        for (int c = 0; p < ROWS && c < IN; c++)
          sum = nas_fmaf(nas_rows_at(&x, 2 + p)[c], nas_rows_at(&w, c)[o], sum);
        check_float_bits(nas_rows_at(&out, r)[o], sum);
      }
    }
    nas_rows_multiply_weights_from(kernels, &x, 1, list, &start, 2, ROWS, &d_w);
    for (int c = 0; c < IN; c++)
      for (int o = 0; o < OUT; o++) {
        float sum = nas_rows_at(&w_start, c)[o];
        for (int r = 0; r < ROWS; r++)
          sum = nas_fmaf(nas_rows_at(&x, 1 + list[r])[c], nas_rows_at(&start, 2 + r)[o], sum);
        check_float_bits(nas_rows_at(&d_w, c)[o], sum);
      }
    nas_rows_free(&out);
    nas_rows_free(&d_w);
  }
  nas_rows_free(&x);
  nas_rows_free(&w);
  nas_rows_free(&bias);
  nas_rows_free(&start);
  nas_rows_free(&w_start);
}

static void multiply_weights(void **state) {
  (void)state;
  nas_rows x = {0}, d_out = {0}, d_w = {0}, start = {0};
  fill(&x, ROWS + 1, IN, 1);
  fill(&d_out, ROWS, OUT, 2);
  fill(&start, IN, OUT, 3);
  const nas_kernels *kernels;
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    fill(&d_w, IN, OUT, 3);
    nas_rows_multiply_weights(kernels, &x, 1, &d_out, 0, ROWS, &d_w);
    for (int c = 0; c < IN; c++)
      for (int o = 0; o < OUT; o++) {
        float sum = nas_rows_at(&start, c)[o];
        for (int r = 0; r < ROWS; r++)
          sum = nas_fmaf(nas_rows_at(&x, r + 1)[c], nas_rows_at(&d_out, r)[o], sum);
        check_float_bits(nas_rows_at(&d_w, c)[o], sum);
      }
    nas_rows_free(&d_w);
  }
  nas_rows_free(&x);
  nas_rows_free(&d_out);
  nas_rows_free(&start);
}

static void transpose_and_grow(void **state) {
  (void)state;
  nas_rows m = {0}, t = {0};
  fill(&m, 5, 19, 1);
  assert_int_equal(nas_rows_create(&t, 19, 5), 0);
  nas_rows_transpose(&m, &t);
  for (int r = 0; r < 5; r++)
    for (int c = 0; c < 19; c++) check_float_bits(nas_rows_at(&t, c)[r], nas_rows_at(&m, r)[c]);
  assert_int_equal(nas_rows_grow(&m, 9, 19), 0);
  for (int c = 0; c < 19; c++) {
    check_float_bits(nas_rows_at(&t, c)[4], nas_rows_at(&m, 4)[c]);
    check_float_bits(nas_rows_at(&m, 8)[c], 0);
  }
  nas_rows_free(&m);
  nas_rows_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(multiply, check_no_blocks),
      cmocka_unit_test_teardown(multiply_listed, check_no_blocks),
      cmocka_unit_test_teardown(multiply_weights, check_no_blocks),
      cmocka_unit_test_teardown(transpose_and_grow, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy rows", tests, NULL, NULL);
}
