/* Inputs and targets, one image at a time. A row of a table is read as one pixel whose channels are
 * its features. */
#include <nas/dataset.h>
#include "content.h"
#include <string.h>

/* ---- As stored ---- */

void nas_content_read(const nas_content *content, int64_t i, float *out) {
  size_t count = (size_t)nas_tensor_strides(content->inputs)[0];
  size_t first = (size_t)i * count;
  if (nas_tensor_dtype(content->inputs) == NAS_FLOAT32) {
    memcpy(out, (const float *)nas_tensor_data(content->inputs) + first, count * sizeof *out);
    return;
  }
  const uint8_t *bytes = (const uint8_t *)nas_tensor_data(content->inputs) + first;
  for (size_t k = 0; k < count; k++) out[k] = nas_byte_value(bytes[k]);
}

/* ---- Scaled: `pixels` pixels of `channels` numbers each ---- */

static void read_bytes(const nas_scaling *scaling, const uint8_t *bytes, size_t pixels,
                       size_t channels, float *out) {
  if (!scaling->mean || (scaling->table && channels == 1)) {
    for (size_t k = 0; k < pixels * channels; k++) out[k] = scaling->table[bytes[k]];
  } else if (scaling->table) {
    for (size_t p = 0; p < pixels; p++, bytes += channels, out += channels)
      for (size_t c = 0; c < channels; c++) out[c] = scaling->table[256 * c + bytes[c]];
  } else {
    for (size_t p = 0; p < pixels; p++, bytes += channels, out += channels)
      for (size_t c = 0; c < channels; c++)
        out[c] = nas_standardized(nas_byte_value(bytes[c]), scaling->mean[c], scaling->std[c]);
  }
}

static void read_floats(const nas_scaling *scaling, const float *floats, size_t pixels,
                        size_t channels, float *out) {
  if (!scaling->mean) {
    memcpy(out, floats, pixels * channels * sizeof *out);
    return;
  }
  for (size_t p = 0; p < pixels; p++, floats += channels, out += channels)
    for (size_t c = 0; c < channels; c++)
      out[c] = nas_standardized(floats[c], scaling->mean[c], scaling->std[c]);
}

/* From element `first` of all inputs on, where a pixel begins. */
static void read_pixels(const nas_dataset *dataset, size_t first, size_t pixels, size_t channels,
                        float *out) {
  const nas_tensor *inputs = dataset->content->inputs;
  if (nas_tensor_dtype(inputs) == NAS_UINT8)
    read_bytes(&dataset->scaling, (const uint8_t *)nas_tensor_data(inputs) + first, pixels,
               channels, out);
  else
    read_floats(&dataset->scaling, (const float *)nas_tensor_data(inputs) + first, pixels, channels,
                out);
}

/* ---- Through a view ---- */

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

/* One pixel again and again. */
static void repeat(const float *pixel, int64_t count, size_t channels, float *out) {
  for (; count > 0; count--, out += channels) memcpy(out, pixel, channels * sizeof *out);
}

static void mirror(float *row, int width, size_t channels) {
  for (float *a = row, *b = row + (size_t)(width - 1) * channels; a < b; b -= 2 * channels)
    for (size_t c = 0; c < channels; c++, a++, b++) {
      float kept = *a;
      *a = *b;
      *b = kept;
    }
}

/* Row y before it is mirrored:
 *
 *   columns   0 .. first   .. from        .. to          .. last        .. width
 *             zeros          left edge      as stored       right edge     zeros
 */
static void read_row(const nas_dataset *dataset, size_t image, const int dims[3], int y,
                     const nas_view *view, float *row) {
  const int64_t height = dims[0], width = dims[1];
  const size_t channels = (size_t)dims[2];
  const float *zero = dataset->scaling.zero;
  int64_t source = (int64_t)y + view->crop[0];
  if (source < 0 || source >= height) {
    repeat(zero, width, channels, row);
    return;
  }
  source = clamp(source + view->shift[0], 0, height - 1);
  size_t start = image + (size_t)(source * width) * channels;
  int64_t crop = view->crop[1], move = crop + view->shift[1];
  int64_t first = clamp(-crop, 0, width), last = clamp(width - crop, first, width);
  int64_t from = clamp(-move, first, last), to = clamp(width - move, from, last);
  repeat(zero, first, channels, row);
  if (from < to)
    read_pixels(dataset, start + (size_t)(from + move) * channels, (size_t)(to - from), channels,
                row + (size_t)from * channels);
  for (int64_t x = first; x < from; x++)
    read_pixels(dataset, start, 1, channels, row + (size_t)x * channels);
  for (int64_t x = to; x < last; x++)
    read_pixels(dataset, start + (size_t)(width - 1) * channels, 1, channels,
                row + (size_t)x * channels);
  repeat(zero, width - last, channels, row + (size_t)last * channels);
}

static void erase(const int dims[3], const nas_view *view, float *rows, ptrdiff_t row_floats) {
  int64_t top = clamp(view->erase[0], 0, dims[0]), left = clamp(view->erase[1], 0, dims[1]);
  int64_t bottom = clamp((int64_t)view->erase[0] + view->erase[2], top, dims[0]);
  int64_t right = clamp((int64_t)view->erase[1] + view->erase[3], left, dims[1]);
  for (int64_t y = top; y < bottom; y++)
    memset(rows + y * row_floats + left * dims[2], 0,
           (size_t)(right - left) * (size_t)dims[2] * sizeof *rows);
}

void nas_dataset_read_input(const nas_dataset *dataset, int64_t i, const nas_view *view,
                            float *rows, ptrdiff_t row_floats) {
  int dims[3];
  nas_content_dims(dataset->content, dims);
  const size_t row = (size_t)dims[1] * (size_t)dims[2], image = (size_t)i * (size_t)dims[0] * row;
  int seen = view && dataset->scaling.zero;
  for (int y = 0; y < dims[0]; y++) {
    float *out = rows + y * row_floats;
    if (!seen) {
      read_pixels(dataset, image + (size_t)y * row, (size_t)dims[1], (size_t)dims[2], out);
      continue;
    }
    read_row(dataset, image, dims, y, view, out);
    if (view->flip) mirror(out, dims[1], (size_t)dims[2]);
  }
  if (seen) erase(dims, view, rows, row_floats);
}

/* ---- Targets, and images of bytes ---- */

int32_t nas_dataset_label(const nas_dataset *dataset, int64_t i) {
  if (!dataset->content->classes) return -1;
  return ((const int32_t *)nas_tensor_data(dataset->content->targets))[i];
}

void nas_dataset_read_target(const nas_dataset *dataset, int64_t i, float *out) {
  const nas_tensor *targets = dataset->content->targets;
  if (dataset->content->classes) {
    *out = (float)nas_dataset_label(dataset, i);
    return;
  }
  size_t size = (size_t)nas_tensor_dims(targets)[1];
  memcpy(out, (const float *)nas_tensor_data(targets) + (size_t)i * size, size * sizeof *out);
}

static int holds_byte_images(const nas_dataset *dataset) {
  const nas_tensor *inputs = dataset->content->inputs;
  return nas_tensor_dtype(inputs) == NAS_UINT8 && nas_tensor_rank(inputs) == 4;
}

void nas_dataset_image_dims(const nas_dataset *dataset, int dims[3]) {
  if (holds_byte_images(dataset))
    nas_content_dims(dataset->content, dims);
  else
    dims[0] = dims[1] = dims[2] = 0;
}

const uint8_t *nas_dataset_pixels(const nas_dataset *dataset, int64_t i) {
  const nas_tensor *inputs = dataset->content->inputs;
  if (!holds_byte_images(dataset)) return NULL;
  return (const uint8_t *)nas_tensor_data(inputs) + i * nas_tensor_strides(inputs)[0];
}
