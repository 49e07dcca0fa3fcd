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
  nas_tensor *images; /* uint8 [n, h, w, c], contiguous */
  nas_tensor *labels; /* int32 [n], contiguous, values 0 .. classes-1 */
  int classes;
  char fingerprint[NAS_FINGERPRINT];
  uint64_t split_seed;
  int32_t *order; /* n positions: those that train, those left out by a limit, those that validate,
                     each part ascending */
  int64_t training;   /* at the front of order */
  int64_t validation; /* at its back */
};

/* What messages call the two tensors: a file's short name, or "the tensor of images". */
typedef struct nas_origin {
  const char *images;
  const char *labels;
  nas_status damaged; /* the code for content that does not fit: NAS_FORMAT or NAS_ARGUMENT */
} nas_origin;

/* Checks everything that nas_dataset_from_tensors promises. */
nas_status nas_content_check(const nas_tensor *images, const nas_tensor *labels, int classes,
                             const nas_origin *origin, nas_error *err);

/* A data set that owns two checked tensors: on success takes them and clears the pointers, on
 * failure leaves them alone. All images train. */
nas_status nas_content_create(nas_dataset **out, const char *name, nas_tensor **images,
                              nas_tensor **labels, int classes, const char *fingerprint,
                              nas_error *err);

#endif
