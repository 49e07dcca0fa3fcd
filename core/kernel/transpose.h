/* Transposed copies, in blocks of 4x4. */
#ifndef NAS_TRANSPOSE_H
#define NAS_TRANSPOSE_H

#include <stddef.h>
#include <string.h>

typedef float nas_four __attribute__((vector_size(16)));

/* to[c][r] = from[r][c] for r below 4, c below 4 */
static inline void nas_transpose_block(const float *from, ptrdiff_t from_stride, float *to,
                                       ptrdiff_t to_stride) {
  nas_four a, b, c, d;
  memcpy(&a, from, sizeof a);
  memcpy(&b, from + from_stride, sizeof b);
  memcpy(&c, from + 2 * from_stride, sizeof c);
  memcpy(&d, from + 3 * from_stride, sizeof d);
  nas_four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  nas_four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  nas_four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  nas_four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  memcpy(to, &a, sizeof a);
  memcpy(to + to_stride, &b, sizeof b);
  memcpy(to + 2 * to_stride, &c, sizeof c);
  memcpy(to + 3 * to_stride, &d, sizeof d);
}

/* to[c][r] = from[r][c] for r below `rows`, c below `columns`; strides in floats. */
static inline void nas_transpose(const float *from, ptrdiff_t from_stride, int rows, int columns,
                                 float *to, ptrdiff_t to_stride) {
  int r = 0;
  for (; r + 4 <= rows; r += 4) {
    int c = 0;
    for (; c + 4 <= columns; c += 4)
      nas_transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r,
                          to_stride);
    for (; c < columns; c++)
      for (int k = r; k < r + 4; k++) to[c * to_stride + k] = from[k * from_stride + c];
  }
  for (; r < rows; r++)
    for (int c = 0; c < columns; c++) to[c * to_stride + r] = from[r * from_stride + c];
}

#endif
