/* A data set: inputs with a class or with values each, and which of them train and which validate.
 *
 * Inputs are images [n][height][width][channels] or the rows of a table [n][features], as bytes,
 * which mean x / 255, or as floats, which are taken as they are. What is said of images here holds
 * for rows too.
 *
 * A data set never changes after it was made, so any number of threads may read it. It is
 * reference-counted; the references may be given up in any thread.
 *
 * There is a training split and a validation split. The test split is locked: nothing here opens
 * it. Positions and classes count from 0. */
#ifndef NAS_DATASET_H
#define NAS_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include <nas/status.h>
#include <nas/tensor.h>
#include <nas/text.h>

typedef struct nas_dataset nas_dataset;

typedef enum nas_task {
  NAS_TASK_CLASSES, /* a class for each image */
  NAS_TASK_VALUES,  /* one or more numbers for each image: regression */
} nas_task;

/* ---- Making ---- */

typedef struct nas_dataset_parts {
  const char *name;
  const nas_tensor *inputs;       /* uint8 or float32 [n, features], [n, h, w] or [n, h, w, c] */
  const nas_tensor *targets;      /* classes: int32 or uint8 [n], 0 .. classes-1, not all the same;
                                     values: float32 [n] or [n, k] */
  int classes;                    /* at least 2, or 0: the targets are values */
  const char *const *class_names; /* [classes], or NULL */
} nas_dataset_parts;

/* Everything is copied; floats must be finite. All images train until nas_dataset_split. On success
 * the caller owns one reference to *out; on failure *out is NULL. NAS_ARGUMENT: another type, shape
 * or range, with its place. NAS_LIMIT: a dimension above 2^31 - 1. NAS_MEMORY. */
NAS_API nas_status nas_dataset_create(nas_dataset **out, const nas_dataset_parts *parts,
                                      nas_error *err);

typedef struct nas_dataset_files {
  const char *images;        /* path of an IDX file, uint8 [n, h, w] or [n, h, w, c] */
  const char *labels;        /* path of an IDX file, uint8 or int32 [n] */
  const char *images_sha256; /* expected, of the decompressed content, in hexadecimal; default: */
  const char *labels_sha256; /* NULL, not checked */
  int classes;               /* default: 10 */
} nas_dataset_files;

/* Everything NULL but the number of classes. */
NAS_API void nas_dataset_files_default(nas_dataset_files *files);

/* From a pair of IDX files. Like nas_dataset_create; what the files hold fails with the codes of
 * nas_idx_read and NAS_FORMAT, in messages that name the file. */
NAS_API nas_status nas_dataset_from_idx(nas_dataset **out, const char *name,
                                        const nas_dataset_files *files, nas_error *err);

#define NAS_SPLIT_VALIDATION 5000
#define NAS_SPLIT_SEED       0

/* Drawn, or listed. */
typedef struct nas_split {
  int64_t validation; /* images that validate, 1 .. n-1; default: NAS_SPLIT_VALIDATION */
  uint64_t seed;      /* default: NAS_SPLIT_SEED, so that all searches share their evaluations */
  int64_t limit;      /* train on the first so many training images only, 1 .. n-validation;
                         default: 0, all of them */
  int stratified;     /* draw within each class, in proportion: largest remainders are rounded up,
                         of equal ones those of lower classes; default: 0 */
  const int64_t *training_list; /* positions, each at most once, no one in both lists; then the
                                   fields above play no part; default: NULL, drawn */
  const int64_t *validation_list;
  int64_t training_count, validation_count; /* of the lists */
  int standardize; /* shift and scale inputs, per channel or feature, so that those that train have
                      mean 0 and variance 1: (float)((x - mean) / std), in double, where x is the
                      float that the input means, mean is the sum over images and pixels in order
                      / count, std the root of the sum of (x - mean)^2 in that order / count, or 1
                      where that is 0; default: 0 */
} nas_split;

NAS_API void nas_split_default(nas_split *split);

/* A data set of the same images (shared, not copied) with that split of all n of them; an earlier
 * split of `dataset` plays no part. A split is drawn by the stream (seed, "split"), or (seed,
 * "split", class) when stratified. `split` may be NULL for the defaults. Ownership as above.
 * NAS_ARGUMENT: a count or position outside its range; NAS_MEMORY. */
NAS_API nas_status nas_dataset_split(nas_dataset **out, const nas_dataset *dataset,
                                     const nas_split *split, nas_error *err);

/* The same images and split with the given standardisation instead of its own; count 0: none, else
 * as many as the channels or features. For what was trained on other data. */
NAS_API nas_status nas_dataset_adopt(nas_dataset **out, const nas_dataset *dataset, int count,
                                     const double *mean, const double *std, nas_error *err);

/* One more reference, which the caller owns. Returns its argument. */
NAS_API nas_dataset *nas_dataset_retain(nas_dataset *dataset);

/* Gives up one reference and clears the pointer; the last one frees. Accepts NULL and a pointer to
 * NULL. */
NAS_API void nas_dataset_release(nas_dataset **dataset);

/* ---- Reading: nothing fails; pointers are valid as long as a reference is held ---- */

NAS_API const char *nas_dataset_name(const nas_dataset *dataset);

/* "sha256:<inputs>,<targets>": the SHA-256 sums of both as IDX files. One content has one
 * fingerprint, whether it came from files or tensors: inputs are of rank 3 where c is 1, classes
 * uint8 up to 256 of them, else int32, values of rank 1 where k is 1. */
NAS_API const char *nas_dataset_fingerprint(const nas_dataset *dataset);

/* Appends what results depend on: " data=<fingerprint> classes=10 split_seed=0 training=55000
 * validation=5000" (in one line; the counts in force, so that a limit shows in `training`; values=k
 * instead of classes, split=<hash> for lists, and stratified=1 and standardized=1 where it is so).
 */
NAS_API void nas_dataset_identity(const nas_dataset *dataset, nas_text *text);

/* Appends a page for people: inputs, targets, split. text->failed tells when memory ran out. */
NAS_API void nas_dataset_describe(const nas_dataset *dataset, nas_text *text);

NAS_API nas_task nas_dataset_task(const nas_dataset *dataset);
NAS_API int nas_dataset_classes(const nas_dataset *dataset); /* 0 for values */

/* NULL where classes have no names. */
NAS_API const char *nas_dataset_class_name(const nas_dataset *dataset, int class);

/* Numbers of a target: 1 for a class. */
NAS_API int nas_dataset_target_size(const nas_dataset *dataset);

/* n: all images, whether a split uses them or not. */
NAS_API int64_t nas_dataset_count(const nas_dataset *dataset);

/* Returns 3 and height, width, channels, or 1 and the features. */
NAS_API int nas_dataset_input_shape(const nas_dataset *dataset, int dims[3]);

/* Where a view of an image takes its pixels from (nas_augment_view). */
typedef struct nas_view {
  int crop[2];         /* rows and columns from a pixel to its source; outside the image: 0 */
  int shift[2];        /* likewise, of the source; outside: the nearest pixel of the edge */
  int flip;            /* 1: left and right are exchanged */
  int erase[2];        /* the first row and column of a rectangle that is erased, and its */
  int erase_extent[2]; /*   height and width; 0: none */
} nas_view;

/* Image i in 0 .. n-1 as the network sees it, through a view unless that is NULL: rows of width *
 * channels floats (or one of the features, which have no views), `row_floats` floats apart. */
NAS_API void nas_dataset_read_input(const nas_dataset *dataset, int64_t i, const nas_view *view,
                                    float *rows, ptrdiff_t row_floats);

/* The class as a number, or the values, into out[target_size]. */
NAS_API void nas_dataset_read_target(const nas_dataset *dataset, int64_t i, float *out);

/* The class of image i. For a data set with classes. */
NAS_API int32_t nas_dataset_label(const nas_dataset *dataset, int64_t i);

/* All inputs as they were given, [n, features] or [n, h, w, c]; borrowed. */
NAS_API const nas_tensor *nas_dataset_inputs(const nas_dataset *dataset);

/* How many channels or features are standardised, all or 0, and by what. */
NAS_API int nas_dataset_standardization(const nas_dataset *dataset, const double **mean,
                                        const double **std);

/* The positions of the images that train, or validate (none before a split), ascending. */
NAS_API const int32_t *nas_dataset_training(const nas_dataset *dataset, int64_t *count);
NAS_API const int32_t *nas_dataset_validation(const nas_dataset *dataset, int64_t *count);

#endif
