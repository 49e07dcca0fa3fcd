#include <nas/dataset.h>
#include "content.h"
#include "fingerprint.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>

/* ---- Checks ---- */

static nas_status check_type(const nas_tensor *tensor, nas_dtype dtype, int rank, const char *where,
                             const char *expected, const nas_origin *origin, nas_error *err) {
  if (nas_tensor_dtype(tensor) == dtype && nas_tensor_rank(tensor) == rank) return NAS_OK;
  char dims[NAS_DIMS_TEXT];
  nas_tensor_dims_text(tensor, dims);
  return nas_fail(err, origin->damaged, "dataset: %s is %s %s; expected %s", where,
                  nas_dtype_name(nas_tensor_dtype(tensor)), dims, expected);
}

static nas_status check_sizes(const nas_tensor *images, const nas_tensor *labels,
                              const nas_origin *origin, nas_error *err) {
  const int64_t *dims = nas_tensor_dims(images);
  int64_t count = nas_tensor_dims(labels)[0];
  for (int d = 0; d < 4; d++)
    if (dims[d] > INT32_MAX)
      return nas_fail(err, NAS_LIMIT,
                      "dataset: dimension %d of %s is %" PRId64 "; expected at most %d", d,
                      origin->images, dims[d], INT32_MAX);
  if (dims[0] == count) return NAS_OK;
  return nas_fail(err, origin->damaged,
                  "dataset: %" PRId64 " images in %s, but %" PRId64 " labels in %s", dims[0],
                  origin->images, count, origin->labels);
}

static nas_status check_labels(const nas_tensor *labels, int classes, const nas_origin *origin,
                               nas_error *err) {
  const int32_t *label = nas_tensor_data(labels);
  int64_t stride = nas_tensor_strides(labels)[0];
  for (int64_t i = 0; i < nas_tensor_size(labels); i++) {
    int32_t value = label[i * stride];
    if (value < 0 || value >= classes)
      return nas_fail(err, origin->damaged,
                      "dataset: label %" PRId64 " in %s is %" PRId32
                      "; expected 0 to %d for %d classes",
                      i, origin->labels, value, classes - 1, classes);
  }
  return NAS_OK;
}

nas_status nas_content_check(const nas_tensor *images, const nas_tensor *labels, int classes,
                             const nas_origin *origin, nas_error *err) {
  if (classes < 2)
    return nas_fail(err, NAS_ARGUMENT, "dataset: %d classes; expected at least 2", classes);
  nas_status status = check_type(images, NAS_UINT8, 4, origin->images,
                                 "uint8 [images, height, width, channels]", origin, err);
  if (status != NAS_OK) return status;
  status = check_type(labels, NAS_INT32, 1, origin->labels, "int32 [images]", origin, err);
  if (status != NAS_OK) return status;
  status = check_sizes(images, labels, origin, err);
  if (status != NAS_OK) return status;
  return check_labels(labels, classes, origin, err);
}

/* ---- Making ---- */

nas_status nas_content_create(nas_dataset **out, const char *name, nas_tensor **images,
                              nas_tensor **labels, int classes, const char *fingerprint,
                              nas_error *err) {
  size_t count = (size_t)nas_tensor_size(*labels);
  nas_dataset *dataset = nas_alloc_zero(1, sizeof *dataset);
  *out = NULL;
  if (!dataset) return nas_fail_memory(err, "a data set", sizeof *dataset);
  atomic_init(&dataset->references, 1);
  dataset->name = nas_strdup(name);
  dataset->order = nas_alloc(count, sizeof *dataset->order);
  if (!dataset->name || !dataset->order) {
    nas_dataset_release(&dataset);
    return nas_fail_memory(err, "the order of a data set", count * sizeof *dataset->order);
  }
  for (size_t i = 0; i < count; i++) dataset->order[i] = (int32_t)i;
  dataset->training = (int64_t)count;
  dataset->classes = classes;
  snprintf(dataset->fingerprint, sizeof dataset->fingerprint, "%s", fingerprint);
  dataset->images = *images;
  dataset->labels = *labels;
  *images = *labels = NULL;
  *out = dataset;
  return NAS_OK;
}

nas_status nas_dataset_from_tensors(nas_dataset **out, const char *name, const nas_tensor *images,
                                    const nas_tensor *labels, int classes, nas_error *err) {
  static const nas_origin origin = {"the tensor of images", "the tensor of labels", NAS_ARGUMENT};
  nas_tensor *own_images = NULL, *own_labels = NULL;
  char images_sum[NAS_SHA256_HEX], labels_sum[NAS_SHA256_HEX], fingerprint[NAS_FINGERPRINT];
  *out = NULL;
  nas_status status = nas_content_check(images, labels, classes, &origin, err);
  if (status != NAS_OK) return status;
  status = nas_tensor_clone(&own_images, images, err);
  if (status != NAS_OK) goto done;
  status = nas_tensor_clone(&own_labels, labels, err);
  if (status != NAS_OK) goto done;
  nas_fingerprint_images(own_images, images_sum);
  nas_fingerprint_labels(own_labels, classes, labels_sum);
  snprintf(fingerprint, sizeof fingerprint, "sha256:%s,%s", images_sum, labels_sum);
  status = nas_content_create(out, name, &own_images, &own_labels, classes, fingerprint, err);

done:
  nas_tensor_destroy(&own_images);
  nas_tensor_destroy(&own_labels);
  return status;
}

nas_dataset *nas_dataset_retain(nas_dataset *dataset) {
  atomic_fetch_add_explicit(&dataset->references, 1, memory_order_relaxed);
  return dataset;
}

void nas_dataset_release(nas_dataset **reference) {
  if (!reference || !*reference) return;
  nas_dataset *dataset = *reference;
  *reference = NULL;
  if (atomic_fetch_sub_explicit(&dataset->references, 1, memory_order_acq_rel) != 1) return;
  nas_tensor_destroy(&dataset->images);
  nas_tensor_destroy(&dataset->labels);
  nas_free(dataset->order);
  nas_free(dataset->name);
  nas_free(dataset);
}

/* ---- Reading ---- */

const char *nas_dataset_name(const nas_dataset *dataset) {
  return dataset->name;
}

const char *nas_dataset_fingerprint(const nas_dataset *dataset) {
  return dataset->fingerprint;
}

void nas_dataset_identity(const nas_dataset *dataset, nas_text *text) {
  char line[NAS_FINGERPRINT + 160];
  snprintf(line, sizeof line,
           " data=%s classes=%d split_seed=%" PRIu64 " training=%" PRId64 " validation=%" PRId64,
           dataset->fingerprint, dataset->classes, dataset->split_seed, dataset->training,
           dataset->validation);
  nas_text_add(text, line);
}

int nas_dataset_classes(const nas_dataset *dataset) {
  return dataset->classes;
}

int64_t nas_dataset_count(const nas_dataset *dataset) {
  return nas_tensor_dims(dataset->images)[0];
}

void nas_dataset_image_dims(const nas_dataset *dataset, int dims[3]) {
  for (int d = 0; d < 3; d++) dims[d] = (int)nas_tensor_dims(dataset->images)[1 + d];
}

const uint8_t *nas_dataset_pixels(const nas_dataset *dataset, int64_t i) {
  const uint8_t *pixels = nas_tensor_data(dataset->images);
  return pixels + i * nas_tensor_strides(dataset->images)[0];
}

int32_t nas_dataset_label(const nas_dataset *dataset, int64_t i) {
  const int32_t *labels = nas_tensor_data(dataset->labels);
  return labels[i];
}

const int32_t *nas_dataset_training(const nas_dataset *dataset, int64_t *count) {
  *count = dataset->training;
  return dataset->order;
}

const int32_t *nas_dataset_validation(const nas_dataset *dataset, int64_t *count) {
  *count = dataset->validation;
  return dataset->order + nas_dataset_count(dataset) - dataset->validation;
}
