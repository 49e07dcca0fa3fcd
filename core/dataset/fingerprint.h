/* Fingerprint: SHA-256 sums of inputs and targets in the one IDX form that nas/dataset.h states. */
#ifndef NAS_FINGERPRINT_H
#define NAS_FINGERPRINT_H

#include <nas/hash.h>
#include <nas/tensor.h>

/* inputs: uint8 or float32 [n, features] or [n, h, w, c], contiguous. */
void nas_fingerprint_inputs(const nas_tensor *inputs, char sum[NAS_SHA256_HEX]);

/* labels: int32 [n], contiguous. */
void nas_fingerprint_labels(const nas_tensor *labels, int classes, char sum[NAS_SHA256_HEX]);

/* values: float32 [n, k], contiguous. */
void nas_fingerprint_values(const nas_tensor *values, char sum[NAS_SHA256_HEX]);

/* 1 if a file of these tensors is in that form already, so that its own sum is the fingerprint.
 * images: uint8 of rank 3 or 4; labels: of rank 1. */
int nas_fingerprint_images_stored(const nas_tensor *file);
int nas_fingerprint_labels_stored(const nas_tensor *file, int classes);

#endif
