#include <math.h>
#include <nas/memory.h>
#include <string.h>
#include "content.h"

/* Values of one image. */
static int64_t image_size(const nas_dataset *d) {
  int64_t size = 1;
  for (int r = 1; r < nas_tensor_rank(d->inputs); r++) size *= nas_tensor_dims(d->inputs)[r];
  return size;
}

/* What value k of image i means. */
static double value_at(const nas_dataset *d, int64_t i, int64_t k) {
  int64_t at = i * image_size(d) + k;
  if (nas_tensor_dtype(d->inputs) == NAS_FLOAT32)
    return (double)((const float *)nas_tensor_data(d->inputs))[at];
  return (double)((float)((const uint8_t *)nas_tensor_data(d->inputs))[at] / 255.0f);
}

static void fit(nas_dataset *d) {
  int channels = nas_content_channels(d);
  int64_t size = image_size(d), count = d->training * (size / channels);
  for (int64_t t = 0; t < d->training; t++)
    for (int64_t k = 0; k < size; k++) d->mean[k % channels] += value_at(d, d->order[t], k);
  for (int c = 0; c < channels; c++) d->mean[c] /= (double)count;
  for (int64_t t = 0; t < d->training; t++)
    for (int64_t k = 0; k < size; k++) {
      double away = value_at(d, d->order[t], k) - d->mean[k % channels];
      d->std[k % channels] += away * away;
    }
  for (int c = 0; c < channels; c++) {
    d->std[c] = sqrt(d->std[c] / (double)count);
    if (d->std[c] == 0) d->std[c] = 1;
  }
}

/* What each byte is for the network. */
static nas_status fill_bytes(nas_dataset *d, nas_error *err) {
  if (nas_tensor_dtype(d->inputs) != NAS_UINT8) return NAS_OK;
  size_t tables = d->standardized ? (size_t)d->standardized : 1;
  d->bytes = nas_alloc(256 * tables, sizeof *d->bytes);
  if (!d->bytes) return nas_fail_memory(err, "a data set", 1024 * tables);
  for (size_t c = 0; c < tables; c++)
    for (int b = 0; b < 256; b++) {
      float x = (float)b / 255.0f;
      d->bytes[256 * c + (size_t)b] =
          d->standardized ? (float)(((double)x - d->mean[c]) / d->std[c]) : x;
    }
  return NAS_OK;
}

static nas_status allocate(nas_dataset *d, nas_error *err) {
  size_t channels = (size_t)nas_content_channels(d);
  nas_free(d->bytes);
  d->bytes = NULL;
  d->mean = nas_alloc_zero(channels, sizeof *d->mean);
  d->std = nas_alloc_zero(channels, sizeof *d->std);
  if (!d->mean || !d->std) return nas_fail_memory(err, "a data set", channels * 16);
  d->standardized = (int)channels;
  return NAS_OK;
}

nas_status nas_content_standardize(nas_dataset *d, nas_error *err) {
  nas_status status = allocate(d, err);
  if (status != NAS_OK) return status;
  fit(d);
  return fill_bytes(d, err);
}

nas_status nas_content_adopt(nas_dataset *d, int count, const double *mean, const double *std,
                             nas_error *err) {
  int channels = nas_content_channels(d);
  if (count == 0) return d->bytes ? NAS_OK : fill_bytes(d, err);
  if (count != channels)
    return nas_fail(err, NAS_ARGUMENT, "dataset: standardisation of %d channels; %s has %d", count,
                    d->name, channels);
  nas_status status = allocate(d, err);
  if (status != NAS_OK) return status;
  memcpy(d->mean, mean, (size_t)count * sizeof *mean);
  memcpy(d->std, std, (size_t)count * sizeof *std);
  return fill_bytes(d, err);
}

int nas_dataset_standardization(const nas_dataset *d, const double **mean, const double **std) {
  *mean = d->mean;
  *std = d->std;
  return d->standardized;
}
