/* Matrices as the kernels want them: rows that begin at multiples of NAS_LANES floats, with zeros
 * between a row's end and the next row. */
#ifndef NAS_ROWS_H
#define NAS_ROWS_H

#include "kernel.h"

typedef struct nas_rows {
  float *data; /* [rows][stride]; NULL before nas_rows_create */
  int rows;
  int width;  /* floats that count */
  int stride; /* nas_row(width) */
} nas_rows;

/* All zeros. 0, or -1 without memory (*m is then unchanged). *m must hold nothing. */
int nas_rows_create(nas_rows *m, int rows, int width);

/* Lengthens to `rows` rows (more than there are); new rows are zero. 0, or -1 without memory (*m is
 * then unchanged). A zeroed *m becomes a matrix of that width. */
int nas_rows_grow(nas_rows *m, int rows, int width);

/* Frees and zeroes. */
void nas_rows_free(nas_rows *m);

static inline float *nas_rows_at(const nas_rows *m, int row) {
  return m->data + (size_t)row * (size_t)m->stride;
}

/* For p in 0 .. count-1 (flags as for nas_conv_fn; bias may be NULL):
 *   out[out_row + p] = bias + x[x_row + p] w
 * each element one chain: bias, then x's elements in order.
 * x [..][n], w [n][width], bias [width], out [..][width] */
void nas_rows_multiply(const nas_kernels *kernels, const nas_rows *x, int x_row, const nas_rows *w,
                       const float *bias, nas_rows *out, int out_row, int count, unsigned flags);

/* The same from rows that a list names, out[out_row + p] = bias + x[x_row + list[p]] w, and to such
 * rows, out[out_row + list[p]] += x[x_row + p] w, where the chain begins at what is there. A list
 * names no row twice. */
void nas_rows_multiply_from(const nas_kernels *kernels, const nas_rows *x, int x_row,
                            const int32_t *list, const nas_rows *w, const float *bias,
                            nas_rows *out, int out_row, int count);
void nas_rows_multiply_to(const nas_kernels *kernels, const nas_rows *x, int x_row,
                          const nas_rows *w, nas_rows *out, int out_row, const int32_t *list,
                          int count);

/* The gradient of nas_rows_multiply with respect to w, added: for p in order
 *   d_w[c] += x[x_row + p][c] d_out[out_row + p] */
void nas_rows_multiply_weights(const nas_kernels *kernels, const nas_rows *x, int x_row,
                               const nas_rows *d_out, int out_row, int count, nas_rows *d_w);

/* That of nas_rows_multiply_from. */
void nas_rows_multiply_weights_from(const nas_kernels *kernels, const nas_rows *x, int x_row,
                                    const int32_t *list, const nas_rows *d_out, int out_row,
                                    int count, nas_rows *d_w);

/* to[c][r] = from[r][c]; to has from's width as rows. */
void nas_rows_transpose(const nas_rows *from, nas_rows *to);

/* to[to_row] += from[from_row], element by element */
void nas_rows_add(const nas_rows *from, int from_row, nas_rows *to, int to_row);

#endif
