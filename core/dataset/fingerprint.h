/* Fingerprint: SHA-256 sums of inputs and targets in the one IDX form that nas/dataset.h states. */
#ifndef NAS_FINGERPRINT_H
#define NAS_FINGERPRINT_H

#include <nas/hash.h>
#include <nas/tensor.h>

/* Inputs or values: uint8 or float32, contiguous; a last dimension of 1 is left out. */
void nas_fingerprint_numbers(const nas_tensor *numbers, char sum[NAS_SHA256_HEX]);

/* labels: int32 [n], contiguous. */
void nas_fingerprint_labels(const nas_tensor *labels, int classes, char sum[NAS_SHA256_HEX]);

/* 1 if a file of these tensors is in that form already, so that its own sum is the fingerprint. */
int nas_fingerprint_images_stored(const nas_tensor *file);
int nas_fingerprint_labels_stored(const nas_tensor *file, int classes);

#endif
