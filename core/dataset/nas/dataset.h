/* A data set for classification: images, their classes, and which of them train and which validate.
 *
 * A data set never changes after it was made, so any number of threads may read it. It is
 * reference-counted; the references may be given up in any thread.
 *
 * There is a training split and a validation split. The test split is locked: nothing here opens
 * it.
 *
 * Pixels are bytes and mean x / 255. Positions and classes count from 0. */
#ifndef NAS_DATASET_H
#define NAS_DATASET_H

#include <stdint.h>
#include <nas/status.h>
#include <nas/tensor.h>
#include <nas/text.h>

typedef struct nas_dataset nas_dataset;

/* ---- Making ---- */

/* From images [n, h, w, c] of uint8 and labels [n] of int32 with values 0 .. classes-1; both are
 * copied. classes is at least 2. All images train until nas_dataset_split.
 * On success the caller owns one reference to *out; on failure *out is NULL. NAS_ARGUMENT: another
 * type, shape or range. NAS_LIMIT: a dimension above 2^31 - 1. NAS_MEMORY. */
NAS_API nas_status nas_dataset_from_tensors(nas_dataset **out, const char *name,
                                            const nas_tensor *images, const nas_tensor *labels,
                                            int classes, nas_error *err);

typedef struct nas_dataset_files {
  const char *images;        /* path of an IDX file, uint8 [n, h, w] or [n, h, w, c] */
  const char *labels;        /* path of an IDX file, uint8 or int32 [n] */
  const char *images_sha256; /* expected, of the decompressed content, in hexadecimal; default: */
  const char *labels_sha256; /* NULL, not checked */
  int classes;               /* default: 10 */
} nas_dataset_files;

/* Everything NULL but the number of classes. */
NAS_API void nas_dataset_files_default(nas_dataset_files *files);

/* From a pair of IDX files. Like nas_dataset_from_tensors; what the files hold fails with the codes
 * of nas_idx_read and NAS_FORMAT, in messages that name the file. */
NAS_API nas_status nas_dataset_from_idx(nas_dataset **out, const char *name,
                                        const nas_dataset_files *files, nas_error *err);

#define NAS_SPLIT_VALIDATION 5000
#define NAS_SPLIT_SEED       0

typedef struct nas_split {
  int64_t validation; /* images that validate, 1 .. n-1; default: NAS_SPLIT_VALIDATION */
  uint64_t seed;      /* default: NAS_SPLIT_SEED, so that all searches share their evaluations */
  int64_t limit;      /* train on the first so many training images only, 1 .. n-validation;
                         default: 0, all of them */
} nas_split;

NAS_API void nas_split_default(nas_split *split);

/* A data set of the same images (shared, not copied) with the split that is drawn from all n of
 * them by the stream (seed, "split"); an earlier split of `dataset` plays no part. `split` may be
 * NULL for the defaults. Ownership as above. NAS_ARGUMENT: a count outside its range; NAS_MEMORY.
 */
NAS_API nas_status nas_dataset_split(nas_dataset **out, const nas_dataset *dataset,
                                     const nas_split *split, nas_error *err);

/* One more reference, which the caller owns. Returns its argument. */
NAS_API nas_dataset *nas_dataset_retain(nas_dataset *dataset);

/* Gives up one reference and clears the pointer; the last one frees. Accepts NULL and a pointer to
 * NULL. */
NAS_API void nas_dataset_release(nas_dataset **dataset);

/* ---- Reading: nothing fails; pointers are valid as long as a reference is held ---- */

NAS_API const char *nas_dataset_name(const nas_dataset *dataset);

/* "sha256:<images>,<labels>": the SHA-256 sums of images and labels as IDX files. One content has
 * one fingerprint, whether it came from files or tensors: images count as uint8, of rank 3 where c
 * is 1, and labels as uint8 up to 256 classes, else as int32. */
NAS_API const char *nas_dataset_fingerprint(const nas_dataset *dataset);

/* Appends what results depend on: " data=<fingerprint> classes=10 split_seed=0 training=55000
 * validation=5000" (in one line; the counts in force, so that a limit shows in `training`). */
NAS_API void nas_dataset_identity(const nas_dataset *dataset, nas_text *text);

NAS_API int nas_dataset_classes(const nas_dataset *dataset);

/* n: all images, whether a split uses them or not. */
NAS_API int64_t nas_dataset_count(const nas_dataset *dataset);

/* h, w, c. */
NAS_API void nas_dataset_image_dims(const nas_dataset *dataset, int dims[3]);

/* The h * w * c bytes of image i in 0 .. n-1: rows from the top, pixels from the left, channels. */
NAS_API const uint8_t *nas_dataset_pixels(const nas_dataset *dataset, int64_t i);

NAS_API int32_t nas_dataset_label(const nas_dataset *dataset, int64_t i);

/* The positions of the images that train, or validate (none before a split), ascending. */
NAS_API const int32_t *nas_dataset_training(const nas_dataset *dataset, int64_t *count);
NAS_API const int32_t *nas_dataset_validation(const nas_dataset *dataset, int64_t *count);

#endif
