/* Transposed copies of all small shapes: each element, and nothing between or behind the rows. */
#include "boards.h"
#include "transpose.h"

enum { MOST = 13 }; /* rows and columns: none, part of a block, whole blocks and a rest */

/* Rows of `width` floats, `stride` apart, up to the last float of the last row. */
static size_t floats_of(int rows, int width, int stride) {
  return rows && width ? (size_t)((rows - 1) * stride + width) : 0;
}

static void check(int rows, int columns) {
  int from_stride = columns + between(0, 5), to_stride = rows + between(0, 5);
  size_t size = floats_of(columns, rows, to_stride);
  float *from = numbers(floats_of(rows, columns, from_stride), WILD), *to = numbers(size, PLAIN);
  float *before = fence_copy(to, size * sizeof *to);
  nas_transpose(from, from_stride, rows, columns, to, to_stride);
  for (int at = 0; at < (int)size; at++) {
    int c = at / to_stride, r = at % to_stride;
    float expected = r < rows ? from[r * from_stride + c] : before[at];
    if (memcmp(&to[at], &expected, sizeof expected) == 0) continue;
    fail_msg("%dx%d, strides %d and %d: row %d, column %d is %a, expected %a", rows, columns,
             from_stride, to_stride, c, r, (double)to[at], (double)expected);
  }
  fence_free(from);
  fence_free(to);
  fence_free(before);
}

static void all_shapes(void **state) {
  (void)state;
  dice = nas_stream_open(1, "transpose", NULL, 0);
  for (int rows = 0; rows <= MOST; rows++)
    for (int columns = 0; columns <= MOST; columns++)
      for (int number = 0; number < 8; number++) check(rows, columns);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(all_shapes)};
  return cmocka_run_group_tests_name("transpose", tests, NULL, NULL);
}
