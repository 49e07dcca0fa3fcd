/* What a data set holds, for the files of this module. */
#ifndef NAS_CONTENT_H
#define NAS_CONTENT_H

#include <nas/dataset.h>
#include <nas/hash.h>
#include <stdatomic.h>

#define NAS_FINGERPRINT (sizeof "sha256:" + 2 * NAS_SHA256_HEX) /* bytes that suffice */

struct nas_dataset {
  atomic_size_t references;
  char *name;
  nas_tensor *inputs;  /* uint8 or float32, [n, features] or [n, h, w, c], contiguous */
  nas_tensor *targets; /* int32 [n], values 0 .. classes-1, or float32 [n, k], contiguous */
  int classes;         /* 0 for values */
  char **class_names;  /* [classes], or NULL */
  char fingerprint[NAS_FINGERPRINT];

  /* The split. */
  uint64_t split_seed;
  int stratified, listed;
  nas_hash lists;   /* of both lists */
  int32_t *order;   /* n positions: those that train, those left out, those that validate, each part
                       ascending */
  int64_t training; /* at the front of order */
  int64_t validation; /* at its back */

  int standardized; /* channels or features; 0: none */
  double *mean, *std;
  float *bytes; /* [channels or 1][256]: what a byte is for the network; NULL for floats */
};

/* What messages call the two tensors: a file's short name, or "the tensor of images". */
typedef struct nas_origin {
  const char *inputs;
  const char *targets;
  nas_status damaged; /* the code for content that does not fit: NAS_FORMAT or NAS_ARGUMENT */
} nas_origin;

/* Checks everything that nas_dataset_create promises of tensors as content has them. */
nas_status nas_content_check(const nas_tensor *inputs, const nas_tensor *targets, int classes,
                             const nas_origin *origin, nas_error *err);

/* A data set that owns two checked tensors: on success takes them and clears the pointers, on
 * failure leaves them alone. All images train. */
nas_status nas_content_create(nas_dataset **out, const char *name, nas_tensor **inputs,
                              nas_tensor **targets, int classes, const char *const *class_names,
                              const char *fingerprint, nas_error *err);

/* Channels or features. */
int nas_content_channels(const nas_dataset *dataset);

/* Another data set of the same content, shared. All images train. */
nas_status nas_content_share(nas_dataset **out, const nas_dataset *dataset, nas_error *err);

/* Fits mean and std on the images that train, or takes those given. Fills `bytes`. */
nas_status nas_content_standardize(nas_dataset *dataset, nas_error *err);
nas_status nas_content_adopt(nas_dataset *dataset, int count, const double *mean, const double *std,
                             nas_error *err);

#endif
