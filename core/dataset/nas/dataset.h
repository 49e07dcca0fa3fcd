/* A data set: inputs with a target each, and which of them train and which validate.
 *
 * Inputs are images [h, w, c] or rows of a table [features]; an entry is called an image either
 * way. They are stored as bytes, which mean x / 255, or as floats. Targets are classes or values.
 *
 * A data set never changes after it was made, so any number of threads may read it. It is
 * reference-counted; the references may be given up in any thread.
 *
 * There is a training split and a validation split. The test split is locked: nothing here opens
 * it.
 *
 * Positions and classes count from 0. */
#ifndef NAS_DATASET_H
#define NAS_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include <nas/augment.h>
#include <nas/status.h>
#include <nas/tensor.h>
#include <nas/text.h>

typedef struct nas_dataset nas_dataset;

typedef enum nas_task {
  NAS_TASK_CLASSES, /* a target is one of `classes` classes */
  NAS_TASK_VALUES,  /* a target is k numbers */
} nas_task;

/* ---- Making ---- */

#define NAS_CLASSES_MAX (1 << 24) /* every class is a whole float */

typedef struct nas_dataset_parts {
  const char *name;
  const nas_tensor *inputs;       /* uint8 or float32, [n, features], [n, h, w] (then c is 1) or
                                     [n, h, w, c]; floats are finite */
  const nas_tensor *targets;      /* classes: int32 or uint8 [n], of 0 .. classes-1, and not all the
                                     same; values: float32 [n] or [n, k], finite */
  int classes;                    /* 2 .. NAS_CLASSES_MAX; 0: the targets are values */
  const char *const *class_names; /* `classes` strings, none of them empty; NULL: no names */
} nas_dataset_parts;

/* From tensors in memory. Everything is copied. All images train until nas_dataset_split.
 * On success the caller owns one reference to *out; on failure *out is NULL. NAS_ARGUMENT: another
 * type, shape or range. NAS_LIMIT: a dimension above 2^31 - 1, more classes. NAS_MEMORY. */
NAS_API nas_status nas_dataset_create(nas_dataset **out, const nas_dataset_parts *parts,
                                      nas_error *err);

typedef struct nas_dataset_files {
  const char *images;        /* path of an IDX file, uint8 [n, h, w] or [n, h, w, c] */
  const char *labels;        /* path of an IDX file, uint8 or int32 [n] */
  const char *images_sha256; /* expected, of the decompressed content, in hexadecimal; default: */
  const char *labels_sha256; /* NULL, not checked */
  int classes;               /* at least 2; default: 10 */
  const char *const *class_names; /* as in nas_dataset_parts; default: NULL */
} nas_dataset_files;

/* Everything NULL but the number of classes. */
NAS_API void nas_dataset_files_default(nas_dataset_files *files);

/* Images of bytes and their classes from a pair of IDX files. Like nas_dataset_create; what the
 * files hold fails with the codes of nas_idx_read and NAS_FORMAT, in messages that name the file.
 */
NAS_API nas_status nas_dataset_from_idx(nas_dataset **out, const char *name,
                                        const nas_dataset_files *files, nas_error *err);

#define NAS_SPLIT_VALIDATION 5000
#define NAS_SPLIT_SEED       0

typedef struct nas_split {
  int64_t validation; /* images that validate, 1 .. n-1; default: NAS_SPLIT_VALIDATION */
  uint64_t seed;      /* default: NAS_SPLIT_SEED, so that all searches share their evaluations */
  int64_t limit;      /* train on the first so many training images only, 1 .. n-validation;
                         default: 0, all of them */
  int stratified;     /* 1: drawn from each class apart; default: 0 */
  int standardize;    /* 1: inputs are standardised; default: 0 */
  /* In place of a draw, the images that train and that validate, in any order, each position at
   * most once; others are left out. validation and seed then play no part; limit and stratified are
   * 0. Default: NULL, a draw. Read during the call only. */
  const int32_t *training_list;
  int64_t training_count; /* at least 1 */
  const int32_t *validation_list;
  int64_t validation_count; /* at least 1 */
} nas_split;

NAS_API void nas_split_default(nas_split *split);

/* A data set of the same images (shared, not copied) with a split of all n of them; an earlier
 * split or standardisation of `dataset` plays no part. `split` may be NULL for the defaults.
 *
 * Drawn: the first `validation` images in a random order by the stream (seed, "split") validate,
 * the others train. Stratified: class c gives validation * (its images) / n, rounded down; what is
 * missing comes one each from the classes with the largest remainders, of equals from the lower
 * class; they are the first in a random order of the class by the stream (seed, "split", {c}). A
 * limit takes the first of all training images in ascending order, of whatever class.
 *
 * Standardised: a number x of channel c (of a row of a table: feature c) is read as
 * (float)(((double)x - mean) / std), where x is a float (a byte stands for (float)byte / 255.0f).
 * The mean is the sum of all numbers of the channel in the images that train, in ascending order of
 * images, rows and columns, divided by their count; std is sqrt(s / count), where s sums
 * (x - mean) * (x - mean) in the same order; all in double. Where all numbers are the same, mean is
 * that number, and std is 1, as it is where s comes out as 0.
 *
 * Ownership as above. NAS_ARGUMENT: a count or position outside its range, a position listed twice,
 * settings that exclude each other, stratified without classes. NAS_MEMORY. */
NAS_API nas_status nas_dataset_split(nas_dataset **out, const nas_dataset *dataset,
                                     const nas_split *split, nas_error *err);

/* The same images and split with the given standardisation in place of its own, so that a trained
 * network sees other data as it saw its own. count is the number of channels or features, with a
 * mean and a std of each, copied; or 0 for none, and then both may be NULL. Ownership as above.
 * NAS_ARGUMENT: another count, a mean that is not finite, a std that is not finite and above 0.
 * NAS_MEMORY. */
NAS_API nas_status nas_dataset_adopt(nas_dataset **out, const nas_dataset *dataset, int count,
                                     const double *mean, const double *std, nas_error *err);

/* One more reference, which the caller owns. Returns its argument. */
NAS_API nas_dataset *nas_dataset_retain(nas_dataset *dataset);

/* Gives up one reference and clears the pointer; the last one frees. Accepts NULL and a pointer to
 * NULL. */
NAS_API void nas_dataset_release(nas_dataset **dataset);

/* ---- What it is: nothing fails; pointers are valid as long as a reference is held ---- */

NAS_API const char *nas_dataset_name(const nas_dataset *dataset);

/* "sha256:<inputs>,<targets>": the SHA-256 sums of inputs and targets as IDX files. One content has
 * one fingerprint, whether it came from files or tensors: inputs count as uint8 or float32, images
 * as rank 3 where c is 1; labels as uint8 up to 256 classes, else as int32; values as float32, of
 * rank 1 where k is 1. */
NAS_API const char *nas_dataset_fingerprint(const nas_dataset *dataset);

/* Appends what results depend on: " data=<fingerprint> classes=10 split_seed=0 training=55000
 * validation=5000" (in one line; the counts in force, so that a limit shows in `training`).
 * Values have "values=<k>" in place of the classes, lists "split_lists=<hash>" in place of the
 * seed; " stratified=1" and " standardized=<hash of all mean and std>" follow where they apply. */
NAS_API void nas_dataset_identity(const nas_dataset *dataset, nas_text *text);

/* Appends a page for people, whose form may change: name; form, type and range of the inputs;
 * split, standardisation, fingerprint; and of each of the first 100 classes the name (or the
 * number, here from 1) and how many images of it train and validate, or of each of the first 100
 * values mean, standard deviation and range over the images that train. */
NAS_API void nas_dataset_describe(const nas_dataset *dataset, nas_text *text);

NAS_API nas_task nas_dataset_task(const nas_dataset *dataset);

/* 0 for values. */
NAS_API int nas_dataset_classes(const nas_dataset *dataset);

/* NULL when the classes have no names. c is in 0 .. classes-1. */
NAS_API const char *nas_dataset_class_name(const nas_dataset *dataset, int c);

/* The rank of an input: 1 (dims[0] is the number of features) or 3 (h, w, c). */
NAS_API int nas_dataset_input_shape(const nas_dataset *dataset, int dims[3]);

/* The numbers of a target: 1 for a class, else k. */
NAS_API int nas_dataset_target_size(const nas_dataset *dataset);

/* The standardisation: how many channels or features *mean and *std then have, or 0 and NULL. */
NAS_API int nas_dataset_standardization(const nas_dataset *dataset, const double **mean,
                                        const double **std);

/* n: all images, whether a split uses them or not. */
NAS_API int64_t nas_dataset_count(const nas_dataset *dataset);

/* The positions of the images that train, or validate (none before a split), ascending. */
NAS_API const int32_t *nas_dataset_training(const nas_dataset *dataset, int64_t *count);
NAS_API const int32_t *nas_dataset_validation(const nas_dataset *dataset, int64_t *count);

/* ---- Reading: nothing fails, nothing is allocated, any thread may call ---- */

/* Input i as the network sees it: h rows of w * c floats that begin row_floats floats apart (at
 * least w * c; nothing in between is written); a row of a table is one row of its features. A byte
 * is (float)byte / 255.0f, a float as it is; then they are standardised. Images are seen through
 * `view`; NULL, or a row of a table: as it is. */
NAS_API void nas_dataset_read_input(const nas_dataset *dataset, int64_t i, const nas_view *view,
                                    float *rows, ptrdiff_t row_floats);

/* Target i: the class as a float, or the k values. */
NAS_API void nas_dataset_read_target(const nas_dataset *dataset, int64_t i, float *out);

/* The class of image i; -1 for values. */
NAS_API int32_t nas_dataset_label(const nas_dataset *dataset, int64_t i);

/* h, w, c of images that are stored as bytes; zeros for other inputs. */
NAS_API void nas_dataset_image_dims(const nas_dataset *dataset, int dims[3]);

/* The h * w * c bytes of image i in 0 .. n-1: rows from the top, pixels from the left, channels.
 * NULL for other inputs. */
NAS_API const uint8_t *nas_dataset_pixels(const nas_dataset *dataset, int64_t i);

#endif
