/* Images as the network sees them. */
#include <string.h>
#include "content.h"

/* Where an input lies. */
typedef struct source {
  const uint8_t *bytes; /* or */
  const float *floats;
  int height, width, channels;
} source;

static source source_of(const nas_dataset *d, int64_t i) {
  source s = {.height = 1, .width = 1};
  int dims[3], rank = nas_dataset_input_shape(d, dims);
  if (rank == 3) s.height = dims[0], s.width = dims[1];
  s.channels = dims[rank - 1];
  int64_t size = (int64_t)s.height * s.width * s.channels;
  if (nas_tensor_dtype(d->inputs) == NAS_UINT8)
    s.bytes = (const uint8_t *)nas_tensor_data(d->inputs) + i * size;
  else
    s.floats = (const float *)nas_tensor_data(d->inputs) + i * size;
  return s;
}

/* (x - mean) / std of channel c, where d is standardised. */
static float standard(const nas_dataset *d, float x, int c) {
  if (!d->standardized) return x;
  return (float)(((double)x - d->mean[c]) / d->std[c]);
}

/* `count` pixels that lie one after the other, into to[]. */
static void read_run(const nas_dataset *d, const source *s, ptrdiff_t from, int count, float *to) {
  int values = count * s->channels;
  if (s->bytes && !d->standardized) {
    for (int k = 0; k < values; k++) to[k] = d->bytes[s->bytes[from + k]];
  } else if (s->bytes) {
    for (int k = 0; k < values; k += s->channels)
      for (int c = 0; c < s->channels; c++) to[k + c] = d->bytes[256 * c + s->bytes[from + k + c]];
  } else if (!d->standardized) {
    memcpy(to, s->floats + from, (size_t)values * sizeof(float));
  } else {
    for (int k = 0; k < values; k += s->channels)
      for (int c = 0; c < s->channels; c++) to[k + c] = standard(d, s->floats[from + k + c], c);
  }
}

static void read_zero(const nas_dataset *d, const source *s, float *to) {
  for (int c = 0; c < s->channels; c++) to[c] = standard(d, 0, c);
}

static int clamp(int x, int size) {
  return x < 0 ? 0 : x < size ? x : size - 1;
}

static int is_inside(int x, int from, int extent) {
  return x >= from && x < from + extent;
}

static void read_pixel(const nas_dataset *d, const source *s, const nas_view *view, int y, int x,
                       float *to) {
  if (is_inside(y, view->erase[0], view->erase_extent[0]) &&
      is_inside(x, view->erase[1], view->erase_extent[1])) {
    memset(to, 0, (size_t)s->channels * sizeof(float));
    return;
  }
  int row = y + view->crop[0], column = (view->flip ? s->width - 1 - x : x) + view->crop[1];
  if (!is_inside(row, 0, s->height) || !is_inside(column, 0, s->width)) {
    read_zero(d, s, to);
    return;
  }
  row = clamp(row + view->shift[0], s->height);
  column = clamp(column + view->shift[1], s->width);
  read_run(d, s, ((ptrdiff_t)row * s->width + column) * s->channels, 1, to);
}

void nas_dataset_read_input(const nas_dataset *d, int64_t i, const nas_view *view, float *rows,
                            ptrdiff_t row_floats) {
  source s = source_of(d, i);
  for (int y = 0; y < s.height; y++, rows += row_floats) {
    if (!view) {
      read_run(d, &s, (ptrdiff_t)y * s.width * s.channels, s.width, rows);
      continue;
    }
    for (int x = 0; x < s.width; x++)
      read_pixel(d, &s, view, y, x, rows + (ptrdiff_t)x * s.channels);
  }
}

void nas_dataset_read_target(const nas_dataset *d, int64_t i, float *out) {
  if (d->classes) {
    *out = (float)nas_dataset_label(d, i);
    return;
  }
  int size = nas_dataset_target_size(d);
  const float *values = nas_tensor_data(d->targets);
  memcpy(out, values + i * size, (size_t)size * sizeof(float));
}
