/* What a data set holds, for the files of this module. */
#ifndef NAS_CONTENT_H
#define NAS_CONTENT_H

#include <nas/dataset.h>
#include <nas/hash.h>
#include <stdatomic.h>

#define NAS_FINGERPRINT (sizeof "sha256:" + 2 * NAS_SHA256_HEX) /* bytes that suffice */

/* What all splits of one data set share. */
typedef struct nas_content {
  atomic_size_t references;
  char *name;
  nas_tensor *inputs;  /* uint8 or float32, [n, features] or [n, h, w, c], contiguous */
  nas_tensor *targets; /* int32 [n], values 0 .. classes-1, or float32 [n, k]; contiguous */
  int classes;         /* 0: values */
  char **class_names;  /* `classes` of them, or NULL */
  char fingerprint[NAS_FINGERPRINT];
} nas_content;

/* How stored numbers become inputs of the network. Those of channel c (of a row of a table: feature
 * c) are shifted and scaled by mean[c] and std[c], or left alone where these are NULL. */
typedef struct nas_scaling {
  double *mean, *std;
  float *table;  /* inputs for the bytes 0 .. 255, of channel after channel, or of all alike where
                    nothing is scaled; NULL: computed when read */
  float *zero;   /* input for a stored 0, of each channel; NULL for rows of a table */
  nas_hash hash; /* of all of mean, then std, each number as 8 bytes with the lowest first */
} nas_scaling;

/* Where a split comes from, as far as its counts do not tell. */
typedef struct nas_drawn {
  uint64_t seed;
  int stratified;
  int listed;     /* it was given, not drawn */
  nas_hash lists; /* of what was given */
} nas_drawn;

struct nas_dataset {
  atomic_size_t references;
  nas_content *content;
  nas_drawn drawn;
  int32_t *order;   /* n positions: those that train, those left out, those that validate, each part
                       ascending */
  int64_t training; /* at the front of order */
  int64_t validation; /* at its back */
  nas_scaling scaling;
};

/* What messages call the two tensors: a file's short name, or "the tensor of inputs". */
typedef struct nas_origin {
  const char *inputs;
  const char *targets;
  nas_status damaged; /* the code for content that does not fit: NAS_FORMAT or NAS_ARGUMENT */
} nas_origin;

/* Checks everything that nas_dataset_create promises of inputs, targets and classes. */
nas_status nas_content_check(const nas_dataset_parts *parts, const nas_origin *origin,
                             nas_error *err);

/* Content of checked parts, whose tensors are given apart in the form of nas_content: on success
 * takes them and clears the pointers, on failure leaves them alone. `sums` are the fingerprints of
 * inputs and targets. The caller owns one reference to *out. */
nas_status nas_content_create(nas_content **out, const nas_dataset_parts *parts,
                              nas_tensor **inputs, nas_tensor **targets,
                              char sums[2][NAS_SHA256_HEX], nas_error *err);

void nas_content_release(nas_content **content);

int64_t nas_content_count(const nas_content *content);

/* h, w, c; a row of features counts as one pixel of so many channels. */
void nas_content_dims(const nas_content *content, int dims[3]);

/* Image i as stored, as floats, pixel after pixel. */
void nas_content_read(const nas_content *content, int64_t i, float *out);

/* A data set of that content, to which it takes a reference of its own, on success only. All images
 * train. Its scaling is still to be set. */
nas_status nas_dataset_make(nas_dataset **out, nas_content *content, nas_error *err);

/* The same, with nothing scaled. */
nas_status nas_dataset_make_plain(nas_dataset **out, nas_content *content, nas_error *err);

/* Sets the scaling, once: mean and std of each channel, copied, or NULL. */
nas_status nas_scaling_set(nas_dataset *dataset, const double *mean, const double *std,
                           nas_error *err);

/* Frees what it holds. */
void nas_scaling_clear(nas_scaling *scaling);

/* What each channel's mean and standard deviation are over the images that train; see nas_split. */
nas_status nas_scaling_fit(const nas_dataset *dataset, double *mean, double *std, nas_error *err);

static inline float nas_byte_value(int byte) {
  return (float)byte / 255.0f;
}

static inline float nas_standardized(float x, double mean, double std) {
  return (float)(((double)x - mean) / std);
}

#endif
