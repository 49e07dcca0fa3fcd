#include "content.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>

/* ---- Checks ---- */

static nas_status fail_type(const nas_tensor *tensor, const char *where, const char *expected,
                            const nas_origin *origin, nas_error *err) {
  char dims[NAS_DIMS_TEXT];
  nas_tensor_dims_text(tensor, dims);
  return nas_fail(err, origin->damaged, "dataset: %s is %s %s; expected %s", where,
                  nas_dtype_name(nas_tensor_dtype(tensor)), dims, expected);
}

static nas_status check_types(const nas_dataset_parts *parts, const nas_origin *origin,
                              nas_error *err) {
  nas_dtype dtype = nas_tensor_dtype(parts->inputs);
  int rank = nas_tensor_rank(parts->inputs);
  if ((dtype != NAS_UINT8 && dtype != NAS_FLOAT32) || rank < 2 || rank > 4)
    return fail_type(parts->inputs, origin->inputs,
                     "uint8 or float32, [n, features], [n, height, width] or [n, height, width, "
                     "channels]",
                     origin, err);
  dtype = nas_tensor_dtype(parts->targets);
  rank = nas_tensor_rank(parts->targets);
  if (parts->classes && ((dtype != NAS_INT32 && dtype != NAS_UINT8) || rank != 1))
    return fail_type(parts->targets, origin->targets, "classes, int32 or uint8 [n]", origin, err);
  if (!parts->classes && (dtype != NAS_FLOAT32 || rank > 2))
    return fail_type(parts->targets, origin->targets, "values, float32 [n] or [n, k]", origin, err);
  return NAS_OK;
}

static nas_status check_dims(const nas_tensor *tensor, const char *where, nas_error *err) {
  const int64_t *dims = nas_tensor_dims(tensor);
  for (int d = 0; d < nas_tensor_rank(tensor); d++)
    if (dims[d] > INT32_MAX)
      return nas_fail(err, NAS_LIMIT,
                      "dataset: dimension %d of %s is %" PRId64 "; expected at most %d", d, where,
                      dims[d], INT32_MAX);
  return NAS_OK;
}

static nas_status check_sizes(const nas_dataset_parts *parts, const nas_origin *origin,
                              nas_error *err) {
  int64_t inputs = nas_tensor_dims(parts->inputs)[0], targets = nas_tensor_dims(parts->targets)[0];
  nas_status status = check_dims(parts->inputs, origin->inputs, err);
  if (status != NAS_OK) return status;
  status = check_dims(parts->targets, origin->targets, err);
  if (status != NAS_OK) return status;
  if (inputs == targets) return NAS_OK;
  return nas_fail(err, origin->damaged,
                  "dataset: %" PRId64 " inputs in %s, but %" PRId64 " targets in %s", inputs,
                  origin->inputs, targets, origin->targets);
}

static int32_t label_at(const nas_tensor *labels, int64_t i) {
  int64_t at = i * nas_tensor_strides(labels)[0];
  const void *data = nas_tensor_data(labels);
  return nas_tensor_dtype(labels) == NAS_UINT8 ? ((const uint8_t *)data)[at]
                                               : ((const int32_t *)data)[at];
}

static nas_status check_labels(const nas_tensor *labels, int classes, const nas_origin *origin,
                               nas_error *err) {
  int32_t first = label_at(labels, 0);
  int several = 0;
  for (int64_t i = 0; i < nas_tensor_size(labels); i++) {
    int32_t value = label_at(labels, i);
    if (value < 0 || value >= classes)
      return nas_fail(err, origin->damaged,
                      "dataset: label %" PRId64 " in %s is %" PRId32
                      "; expected 0 to %d for %d classes",
                      i, origin->targets, value, classes - 1, classes);
    several |= value != first;
  }
  if (several) return NAS_OK;
  return nas_fail(err, origin->damaged,
                  "dataset: all labels in %s are of one class, so there is nothing to learn; "
                  "expected images of at least 2 classes",
                  origin->targets);
}

/* The next indices in index order, of the first `rank` dimensions; 0 at the end. */
static int step(const int64_t *dims, int rank, int64_t *indices) {
  for (int d = rank - 1; d >= 0; d--) {
    if (++indices[d] < dims[d]) return 1;
    indices[d] = 0;
  }
  return 0;
}

/* Leaves the place of the first number that is not finite in indices; 0 if there is none. */
static int find_not_finite(const nas_tensor *tensor, int64_t indices[NAS_RANK_MAX]) {
  const int64_t *dims = nas_tensor_dims(tensor), *strides = nas_tensor_strides(tensor);
  int last = nas_tensor_rank(tensor) - 1;
  do {
    const float *row = nas_tensor_data(tensor);
    for (int d = 0; d < last; d++) row += indices[d] * strides[d];
    for (indices[last] = 0; indices[last] < dims[last]; indices[last]++)
      if (!isfinite(row[indices[last] * strides[last]])) return 1;
  } while (step(dims, last, indices));
  return 0;
}

static nas_status check_finite(const nas_tensor *tensor, const char *where,
                               const nas_origin *origin, nas_error *err) {
  int64_t indices[NAS_RANK_MAX] = {0};
  char place[NAS_DIMS_TEXT];
  size_t used = 0;
  double value = 0;
  int rank = nas_tensor_rank(tensor);
  if (nas_tensor_dtype(tensor) != NAS_FLOAT32 || !find_not_finite(tensor, indices)) return NAS_OK;
  nas_tensor_get(tensor, indices, rank, &value, NULL);
  for (int d = 0; d < rank; d++)
    used += (size_t)snprintf(place + used, sizeof place - used, "%s%" PRId64, d ? ", " : "",
                             indices[d]);
  return nas_fail(err, origin->damaged,
                  "dataset: %s holds %s at [%s], counted from 0; expected finite numbers", where,
                  isnan(value) ? "nan"
                  : value > 0  ? "inf"
                               : "-inf",
                  place);
}

static nas_status check_classes(const nas_dataset_parts *parts, nas_error *err) {
  int classes = parts->classes;
  if (classes < 0 || classes == 1)
    return nas_fail(err, NAS_ARGUMENT, "dataset: %d classes; expected at least 2, or 0 for values",
                    classes);
  if (classes > NAS_CLASSES_MAX)
    return nas_fail(err, NAS_LIMIT, "dataset: %d classes; expected at most %d", classes,
                    NAS_CLASSES_MAX);
  if (!parts->class_names) return NAS_OK;
  if (!classes)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: names of classes are given, but the targets are "
                    "values");
  for (int c = 0; c < classes; c++)
    if (!parts->class_names[c] || !parts->class_names[c][0])
      return nas_fail(err, NAS_ARGUMENT,
                      "dataset: class %d of %d has no name; expected one for "
                      "each, or none at all",
                      c, classes);
  return NAS_OK;
}

nas_status nas_content_check(const nas_dataset_parts *parts, const nas_origin *origin,
                             nas_error *err) {
  nas_status status = check_classes(parts, err);
  if (status != NAS_OK) return status;
  status = check_types(parts, origin, err);
  if (status != NAS_OK) return status;
  status = check_sizes(parts, origin, err);
  if (status != NAS_OK) return status;
  status = check_finite(parts->inputs, origin->inputs, origin, err);
  if (status != NAS_OK) return status;
  if (parts->classes) return check_labels(parts->targets, parts->classes, origin, err);
  return check_finite(parts->targets, origin->targets, origin, err);
}

/* ---- Making ---- */

static nas_status copy_names(nas_content *content, const nas_dataset_parts *parts, nas_error *err) {
  size_t classes = (size_t)parts->classes;
  content->name = nas_strdup(parts->name);
  if (!content->name) return nas_fail_memory(err, "the name of a data set", strlen(parts->name));
  if (!parts->class_names) return NAS_OK;
  content->class_names = nas_alloc_zero(classes, sizeof *content->class_names);
  if (!content->class_names)
    return nas_fail_memory(err, "names of classes", classes * sizeof *content->class_names);
  for (size_t c = 0; c < classes; c++) {
    content->class_names[c] = nas_strdup(parts->class_names[c]);
    if (!content->class_names[c])
      return nas_fail_memory(err, "the name of a class", strlen(parts->class_names[c]));
  }
  return NAS_OK;
}

nas_status nas_content_create(nas_content **out, const nas_dataset_parts *parts,
                              nas_tensor **inputs, nas_tensor **targets,
                              char sums[2][NAS_SHA256_HEX], nas_error *err) {
  nas_content *content = nas_alloc_zero(1, sizeof *content);
  *out = NULL;
  if (!content) return nas_fail_memory(err, "a data set", sizeof *content);
  atomic_init(&content->references, 1);
  content->classes = parts->classes;
  nas_status status = copy_names(content, parts, err);
  if (status != NAS_OK) {
    nas_content_release(&content);
    return status;
  }
  snprintf(content->fingerprint, sizeof content->fingerprint, "sha256:%s,%s", sums[0], sums[1]);
  content->inputs = *inputs;
  content->targets = *targets;
  *inputs = *targets = NULL;
  *out = content;
  return NAS_OK;
}

void nas_content_release(nas_content **reference) {
  nas_content *content = *reference;
  *reference = NULL;
  if (!content) return;
  if (atomic_fetch_sub_explicit(&content->references, 1, memory_order_acq_rel) != 1) return;
  nas_tensor_destroy(&content->inputs);
  nas_tensor_destroy(&content->targets);
  for (int c = 0; content->class_names && c < content->classes; c++)
    nas_free(content->class_names[c]);
  nas_free(content->class_names);
  nas_free(content->name);
  nas_free(content);
}

/* ---- Reading ---- */

int64_t nas_content_count(const nas_content *content) {
  return nas_tensor_dims(content->inputs)[0];
}

void nas_content_dims(const nas_content *content, int dims[3]) {
  const int64_t *stored = nas_tensor_dims(content->inputs);
  int image = nas_tensor_rank(content->inputs) == 4;
  dims[0] = image ? (int)stored[1] : 1;
  dims[1] = image ? (int)stored[2] : 1;
  dims[2] = (int)stored[image ? 3 : 1];
}
