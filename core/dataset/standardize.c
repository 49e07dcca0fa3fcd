#include <nas/dataset.h>
#include "content.h"
#include <math.h>
#include <string.h>
#include <nas/memory.h>

#define TABLE_CHANNELS 16 /* more of them are computed: their tables would not stay in a cache */

static int channels_of(const nas_dataset *dataset) {
  int dims[3];
  nas_content_dims(dataset->content, dims);
  return dims[2];
}

static int holds_images(const nas_dataset *dataset) {
  return nas_tensor_rank(dataset->content->inputs) == 4;
}

/* ---- Setting ---- */

/* What a stored x becomes in channel c. */
static float scaled(const nas_scaling *scaling, float x, size_t c) {
  return scaling->mean ? nas_standardized(x, scaling->mean[c], scaling->std[c]) : x;
}

static nas_status make_table(nas_scaling *scaling, size_t channels, nas_error *err) {
  size_t tables = scaling->mean ? channels : 1;
  if (tables > TABLE_CHANNELS) return NAS_OK;
  scaling->table = nas_alloc(tables, 256 * sizeof *scaling->table);
  if (!scaling->table)
    return nas_fail_memory(err, "a table of pixels", tables * 256 * sizeof *scaling->table);
  for (size_t c = 0; c < tables; c++)
    for (int byte = 0; byte < 256; byte++)
      scaling->table[256 * c + (size_t)byte] = scaled(scaling, nas_byte_value(byte), c);
  return NAS_OK;
}

static nas_status make_zero(nas_scaling *scaling, size_t channels, nas_error *err) {
  scaling->zero = nas_alloc(channels, sizeof *scaling->zero);
  if (!scaling->zero)
    return nas_fail_memory(err, "pixels of zeros", channels * sizeof *scaling->zero);
  for (size_t c = 0; c < channels; c++) scaling->zero[c] = scaled(scaling, 0, c);
  return NAS_OK;
}

static void put_double(unsigned char bytes[8], double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  for (int k = 0; k < 8; k++) bytes[k] = (unsigned char)(bits >> 8 * k);
}

static nas_status hash_moments(nas_scaling *scaling, size_t channels, nas_error *err) {
  unsigned char *bytes = nas_alloc(channels, 16);
  if (!bytes) return nas_fail_memory(err, "a standardisation", 16 * channels);
  for (size_t c = 0; c < channels; c++) {
    put_double(bytes + 8 * c, scaling->mean[c]);
    put_double(bytes + 8 * (channels + c), scaling->std[c]);
  }
  scaling->hash = nas_hash_bytes(bytes, 16 * channels);
  nas_free(bytes);
  return NAS_OK;
}

static nas_status copy_moments(nas_scaling *scaling, const double *mean, const double *std,
                               size_t channels, nas_error *err) {
  scaling->mean = nas_alloc(channels, sizeof *mean);
  scaling->std = nas_alloc(channels, sizeof *std);
  if (!scaling->mean || !scaling->std)
    return nas_fail_memory(err, "a standardisation", 2 * channels * sizeof *mean);
  memcpy(scaling->std, std, channels * sizeof *std);
  for (size_t c = 0; c < channels; c++)
    scaling->mean[c] = mean[c] + 0.0; /* -0 becomes 0: one value, one identity */
  return hash_moments(scaling, channels, err);
}

nas_status nas_scaling_set(nas_dataset *dataset, const double *mean, const double *std,
                           nas_error *err) {
  nas_scaling *scaling = &dataset->scaling;
  size_t channels = (size_t)channels_of(dataset);
  nas_status status = NAS_OK;
  if (mean) status = copy_moments(scaling, mean, std, channels, err);
  if (status == NAS_OK && nas_tensor_dtype(dataset->content->inputs) == NAS_UINT8)
    status = make_table(scaling, channels, err);
  if (status == NAS_OK && holds_images(dataset)) status = make_zero(scaling, channels, err);
  return status;
}

void nas_scaling_clear(nas_scaling *scaling) {
  nas_free(scaling->mean);
  nas_free(scaling->std);
  nas_free(scaling->table);
  nas_free(scaling->zero);
}

/* ---- Fitting ---- */

/* What passes over the images that train need: room for an image, and for each channel its first
 * number, whether others differ from it, and the sum of squares. */
typedef struct fit {
  const nas_dataset *dataset;
  size_t size, channels;
  float *image, *first;
  unsigned char *differs;
  double *squares;
} fit;

static void sum_up(const fit *f, double *sum) {
  for (int64_t i = 0; i < f->dataset->training; i++) {
    nas_content_read(f->dataset->content, f->dataset->order[i], f->image);
    if (i == 0) memcpy(f->first, f->image, f->channels * sizeof *f->first);
    for (size_t k = 0; k < f->size; k += f->channels)
      for (size_t c = 0; c < f->channels; c++) {
        sum[c] += (double)f->image[k + c];
        f->differs[c] |= f->image[k + c] != f->first[c];
      }
  }
}

static void sum_up_squares(const fit *f, const double *mean) {
  for (int64_t i = 0; i < f->dataset->training; i++) {
    nas_content_read(f->dataset->content, f->dataset->order[i], f->image);
    for (size_t k = 0; k < f->size; k += f->channels)
      for (size_t c = 0; c < f->channels; c++) {
        double distance = (double)f->image[k + c] - mean[c];
        f->squares[c] += distance * distance;
      }
  }
}

static void find_moments(const fit *f, double *mean, double *std) {
  double count = (double)f->dataset->training * (double)(f->size / f->channels);
  memset(mean, 0, f->channels * sizeof *mean);
  sum_up(f, mean);
  for (size_t c = 0; c < f->channels; c++)
    mean[c] = f->differs[c] ? mean[c] / count : (double)f->first[c];
  sum_up_squares(f, mean);
  for (size_t c = 0; c < f->channels; c++) {
    double deviation = sqrt(f->squares[c] / count);
    std[c] = f->differs[c] && deviation > 0 ? deviation : 1;
  }
}

nas_status nas_scaling_fit(const nas_dataset *dataset, double *mean, double *std, nas_error *err) {
  fit f = {.dataset = dataset, .channels = (size_t)channels_of(dataset)};
  nas_status status = NAS_OK;
  f.size = (size_t)(nas_tensor_size(dataset->content->inputs) / nas_dataset_count(dataset));
  f.image = nas_alloc(f.size, sizeof *f.image);
  f.first = nas_alloc(f.channels, sizeof *f.first);
  f.differs = nas_alloc_zero(f.channels, 1);
  f.squares = nas_alloc_zero(f.channels, sizeof *f.squares);
  if (f.image && f.first && f.differs && f.squares)
    find_moments(&f, mean, std);
  else
    status = nas_fail_memory(err, "an image", f.size * sizeof *f.image);
  nas_free(f.image);
  nas_free(f.first);
  nas_free(f.differs);
  nas_free(f.squares);
  return status;
}

/* ---- Public ---- */

int nas_dataset_standardization(const nas_dataset *dataset, const double **mean,
                                const double **std) {
  *mean = dataset->scaling.mean;
  *std = dataset->scaling.std;
  return dataset->scaling.mean ? channels_of(dataset) : 0;
}

static nas_status check_moments(const nas_dataset *dataset, int count, const double *mean,
                                const double *std, nas_error *err) {
  int channels = channels_of(dataset);
  if (count == 0) return NAS_OK;
  if (count != channels)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: a standardisation of %d %s; expected %d for %s, or 0 for none", count,
                    holds_images(dataset) ? "channels" : "features", channels,
                    nas_dataset_name(dataset));
  for (int c = 0; c < count; c++) {
    if (!isfinite(mean[c]))
      return nas_fail(err, NAS_ARGUMENT, "dataset: mean %d is %g; expected a finite number", c,
                      mean[c]);
    if (!isfinite(std[c]) || std[c] <= 0)
      return nas_fail(err, NAS_ARGUMENT,
                      "dataset: standard deviation %d is %g; expected a finite number above 0", c,
                      std[c]);
  }
  return NAS_OK;
}

nas_status nas_dataset_adopt(nas_dataset **out, const nas_dataset *dataset, int count,
                             const double *mean, const double *std, nas_error *err) {
  nas_dataset *made;
  *out = NULL;
  nas_status status = check_moments(dataset, count, mean, std, err);
  if (status != NAS_OK) return status;
  status = nas_dataset_make(&made, dataset->content, err);
  if (status != NAS_OK) return status;
  memcpy(made->order, dataset->order, (size_t)nas_dataset_count(dataset) * sizeof *made->order);
  made->drawn = dataset->drawn;
  made->training = dataset->training;
  made->validation = dataset->validation;
  status = nas_scaling_set(made, count ? mean : NULL, std, err);
  if (status != NAS_OK) {
    nas_dataset_release(&made);
    return status;
  }
  *out = made;
  return NAS_OK;
}
