#include "rows.h"
#include <string.h>
#include <nas/memory.h>
#include "transpose.h"

int nas_rows_create(nas_rows *m, int rows, int width) {
  int stride = nas_row(width);
  float *data = nas_alloc_zero((size_t)rows * (size_t)stride, sizeof *data);
  if (!data) return -1;
  *m = (nas_rows){.data = data, .rows = rows, .width = width, .stride = stride};
  return 0;
}

int nas_rows_grow(nas_rows *m, int rows, int width) {
  if (!m->data) return nas_rows_create(m, rows, width);
  size_t row_size = (size_t)m->stride * sizeof *m->data;
  float *data = nas_realloc(m->data, (size_t)m->rows, (size_t)rows, row_size);
  if (!data) return -1;
  memset(data + (size_t)m->rows * (size_t)m->stride, 0, (size_t)(rows - m->rows) * row_size);
  m->data = data;
  m->rows = rows;
  return 0;
}

void nas_rows_free(nas_rows *m) {
  nas_free(m->data);
  *m = (nas_rows){0};
}

/* Pixel p is row p after the first: the kernels are called for up to this many rows at once. */
enum { ROWS_AT_ONCE = 16 };
static const int32_t row_numbers[ROWS_AT_ONCE] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                  8, 9, 10, 11, 12, 13, 14, 15};

static size_t at_once(int rows) {
  return (size_t)(rows < ROWS_AT_ONCE ? rows : ROWS_AT_ONCE);
}

/* A window of one tap: all elements of a row of x. */
typedef struct row_window {
  nas_tap tap;
  int32_t source_stride;
  nas_window window;
} row_window;

static void row_window_set(row_window *r, const nas_rows *x, const nas_rows *w,
                           const nas_rows *out) {
  r->tap = (nas_tap){.source = 0, .channels = x->width, .offset = 0, .weights = 0};
  r->source_stride = x->stride;
  r->window = (nas_window){.taps = &r->tap,
                           .tap_count = 1,
                           .weight_stride = w->stride,
                           .width = w->width,
                           .source_stride = &r->source_stride,
                           .out_stride = out->stride};
}

void nas_rows_multiply(const nas_kernels *kernels, const nas_rows *x, int x_row, const nas_rows *w,
                       const float *bias, nas_rows *out, int out_row, int count, unsigned flags) {
  row_window r;
  row_window_set(&r, x, w, out);
  for (int p = 0; p < count; p += ROWS_AT_ONCE) {
    const float *source = nas_rows_at(x, x_row + p);
    kernels->conv(&r.window, &source, row_numbers, w->data, bias, nas_rows_at(out, out_row + p),
                  row_numbers, at_once(count - p), flags);
  }
}

void nas_rows_multiply_from(const nas_kernels *kernels, const nas_rows *x, int x_row,
                            const int32_t *list, const nas_rows *w, const float *bias,
                            nas_rows *out, int out_row, int count) {
  row_window r;
  row_window_set(&r, x, w, out);
  const float *source = nas_rows_at(x, x_row);
  for (int p = 0; p < count; p += ROWS_AT_ONCE)
    kernels->conv(&r.window, &source, list + p, w->data, bias, nas_rows_at(out, out_row + p),
                  row_numbers, at_once(count - p), 0);
}

void nas_rows_multiply_to(const nas_kernels *kernels, const nas_rows *x, int x_row,
                          const nas_rows *w, nas_rows *out, int out_row, const int32_t *list,
                          int count) {
  row_window r;
  row_window_set(&r, x, w, out);
  for (int p = 0; p < count; p += ROWS_AT_ONCE) {
    const float *source = nas_rows_at(x, x_row + p);
    kernels->conv(&r.window, &source, row_numbers, w->data, NULL, nas_rows_at(out, out_row),
                  list + p, at_once(count - p), NAS_CONV_ACCUMULATE);
  }
}

void nas_rows_multiply_weights(const nas_kernels *kernels, const nas_rows *x, int x_row,
                               const nas_rows *d_out, int out_row, int count, nas_rows *d_w) {
  row_window r;
  row_window_set(&r, x, d_w, d_out);
  for (int p = 0; p < count; p += ROWS_AT_ONCE) {
    const float *source = nas_rows_at(x, x_row + p);
    kernels->conv_weights(&r.window, &source, row_numbers, nas_rows_at(d_out, out_row + p),
                          row_numbers, d_w->data, at_once(count - p));
  }
}

void nas_rows_multiply_weights_from(const nas_kernels *kernels, const nas_rows *x, int x_row,
                                    const int32_t *list, const nas_rows *d_out, int out_row,
                                    int count, nas_rows *d_w) {
  row_window r;
  row_window_set(&r, x, d_w, d_out);
  const float *source = nas_rows_at(x, x_row);
  for (int p = 0; p < count; p += ROWS_AT_ONCE)
    kernels->conv_weights(&r.window, &source, list + p, nas_rows_at(d_out, out_row + p),
                          row_numbers, d_w->data, at_once(count - p));
}

void nas_rows_transpose(const nas_rows *from, nas_rows *to) {
  nas_transpose(from->data, from->stride, from->rows, from->width, to->data, to->stride);
}

void nas_rows_add(const nas_rows *from, int from_row, nas_rows *to, int to_row) {
  const float *source = nas_rows_at(from, from_row);
  float *sum = nas_rows_at(to, to_row);
  for (int i = 0; i < to->width; i++) sum[i] = sum[i] + source[i];
}
