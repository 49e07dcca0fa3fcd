#include <nas/dataset.h>
#include "content.h"
#include "fingerprint.h"
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

static int is_number_type(nas_dtype dtype) {
  return dtype == NAS_UINT8 || dtype == NAS_FLOAT32;
}

static nas_status check_types(const nas_tensor *inputs, const nas_tensor *targets, int classes,
                              const nas_origin *origin, nas_error *err) {
  int rank = nas_tensor_rank(inputs);
  if (!is_number_type(nas_tensor_dtype(inputs)) || (rank != 2 && rank != 4))
    return fail_type(inputs, origin->inputs,
                     "uint8 or float32 [n, height, width, channels], [n, height, width] or [n, "
                     "features]",
                     origin, err);
  if (classes && (nas_tensor_dtype(targets) != NAS_INT32 || nas_tensor_rank(targets) != 1))
    return fail_type(targets, origin->targets, "int32 or uint8 [n]", origin, err);
  if (!classes && (nas_tensor_dtype(targets) != NAS_FLOAT32 || nas_tensor_rank(targets) != 2))
    return fail_type(targets, origin->targets, "float32 [n] or [n, values]", origin, err);
  return NAS_OK;
}

static nas_status check_dims(const nas_tensor *inputs, const nas_origin *origin, nas_error *err) {
  const int64_t *dims = nas_tensor_dims(inputs);
  for (int d = 0; d < nas_tensor_rank(inputs); d++)
    if (dims[d] > INT32_MAX)
      return nas_fail(err, NAS_LIMIT,
                      "dataset: dimension %d of %s is %" PRId64 "; expected at most %d", d,
                      origin->inputs, dims[d], INT32_MAX);
  return NAS_OK;
}

static nas_status check_sizes(const nas_tensor *inputs, const nas_tensor *targets,
                              const nas_origin *origin, nas_error *err) {
  const int64_t *dims = nas_tensor_dims(inputs);
  int64_t count = nas_tensor_dims(targets)[0];
  if (dims[0] != count)
    return nas_fail(err, origin->damaged,
                    "dataset: %" PRId64 " inputs in %s, but %" PRId64 " targets in %s", dims[0],
                    origin->inputs, count, origin->targets);
  if (nas_tensor_size(inputs) == 0 || nas_tensor_size(targets) == 0)
    return nas_fail(err, origin->damaged, "dataset: %s is empty", origin->inputs);
  return NAS_OK;
}

static nas_status check_labels(const nas_tensor *labels, int classes, const nas_origin *origin,
                               nas_error *err) {
  const int32_t *label = nas_tensor_data(labels);
  int differ = 0;
  for (int64_t i = 0; i < nas_tensor_size(labels); i++) {
    if (label[i] < 0 || label[i] >= classes)
      return nas_fail(err, origin->damaged,
                      "dataset: label %" PRId64 " in %s is %" PRId32
                      "; expected 0 to %d for %d classes",
                      i, origin->targets, label[i], classes - 1, classes);
    differ |= label[i] != label[0];
  }
  if (differ) return NAS_OK;
  return nas_fail(err, origin->damaged,
                  "dataset: all labels in %s are %" PRId32 "; expected at least two classes",
                  origin->targets, label[0]);
}

static nas_status check_finite(const nas_tensor *tensor, const char *where,
                               const nas_origin *origin, nas_error *err) {
  const float *values = nas_tensor_data(tensor);
  int64_t size = nas_tensor_size(tensor), row = size / nas_tensor_dims(tensor)[0];
  if (nas_tensor_dtype(tensor) != NAS_FLOAT32) return NAS_OK;
  for (int64_t i = 0; i < size; i++)
    if (!isfinite(values[i]))
      return nas_fail(err, origin->damaged,
                      "dataset: value %" PRId64 " of row %" PRId64
                      " in %s is %g; expected finite numbers",
                      i % row, i / row, where, (double)values[i]);
  return NAS_OK;
}

nas_status nas_content_check(const nas_tensor *inputs, const nas_tensor *targets, int classes,
                             const nas_origin *origin, nas_error *err) {
  nas_status status = check_types(inputs, targets, classes, origin, err);
  if (status == NAS_OK) status = check_dims(inputs, origin, err);
  if (status == NAS_OK) status = check_sizes(inputs, targets, origin, err);
  if (status == NAS_OK && classes) status = check_labels(targets, classes, origin, err);
  if (status == NAS_OK) status = check_finite(inputs, origin->inputs, origin, err);
  if (status == NAS_OK) status = check_finite(targets, origin->targets, origin, err);
  return status;
}

/* ---- Making ---- */

static nas_status copy_names(nas_dataset *dataset, const char *const *names, nas_error *err) {
  size_t count = (size_t)dataset->classes;
  if (!names || !count) return NAS_OK;
  dataset->class_names = nas_alloc_zero(count, sizeof *dataset->class_names);
  for (size_t c = 0; dataset->class_names && c < count; c++) {
    dataset->class_names[c] = nas_strdup(names[c]);
    if (!dataset->class_names[c]) return nas_fail_memory(err, "the names of classes", count * 8);
  }
  return dataset->class_names ? NAS_OK : nas_fail_memory(err, "the names of classes", count * 8);
}

/* Everything but the tensors. */
static nas_status make(nas_dataset **out, const char *name, int64_t count, int classes,
                       const char *const *class_names, const char *fingerprint, nas_error *err) {
  nas_dataset *dataset = nas_alloc_zero(1, sizeof *dataset);
  *out = dataset;
  if (!dataset) return nas_fail_memory(err, "a data set", sizeof *dataset);
  atomic_init(&dataset->references, 1);
  dataset->name = nas_strdup(name);
  dataset->order = nas_alloc((size_t)count, sizeof *dataset->order);
  if (!dataset->name || !dataset->order)
    return nas_fail_memory(err, "the order of a data set", (size_t)count * sizeof(int32_t));
  for (int64_t i = 0; i < count; i++) dataset->order[i] = (int32_t)i;
  dataset->training = count;
  dataset->classes = classes;
  snprintf(dataset->fingerprint, sizeof dataset->fingerprint, "%s", fingerprint);
  return copy_names(dataset, class_names, err);
}

nas_status nas_content_create(nas_dataset **out, const char *name, nas_tensor **inputs,
                              nas_tensor **targets, int classes, const char *const *class_names,
                              const char *fingerprint, nas_error *err) {
  nas_status status =
      make(out, name, nas_tensor_dims(*inputs)[0], classes, class_names, fingerprint, err);
  if (status == NAS_OK) {
    (*out)->inputs = *inputs;
    (*out)->targets = *targets;
    status = nas_content_adopt(*out, 0, NULL, NULL, err);
  }
  if (status == NAS_OK)
    *inputs = *targets = NULL;
  else if (*out) {
    (*out)->inputs = (*out)->targets = NULL;
    nas_dataset_release(out);
  }
  return status;
}

nas_status nas_content_share(nas_dataset **out, const nas_dataset *dataset, nas_error *err) {
  nas_status status = make(out, dataset->name, nas_dataset_count(dataset), dataset->classes,
                           (const char *const *)dataset->class_names, dataset->fingerprint, err);
  if (status == NAS_OK) status = nas_tensor_view(&(*out)->inputs, dataset->inputs, err);
  if (status == NAS_OK) status = nas_tensor_view(&(*out)->targets, dataset->targets, err);
  if (status != NAS_OK) nas_dataset_release(out);
  return status;
}

/* A contiguous copy of inputs of rank 3 with one channel more, else as they are. */
static nas_status own_inputs(nas_tensor **own, const nas_tensor *inputs, nas_error *err) {
  nas_tensor *copy;
  *own = NULL;
  nas_status status = nas_tensor_clone(&copy, inputs, err);
  if (status != NAS_OK || nas_tensor_rank(copy) != 3) {
    *own = copy;
    return status;
  }
  int64_t dims[4] = {0, 0, 0, 1};
  memcpy(dims, nas_tensor_dims(copy), 3 * sizeof *dims);
  status = nas_tensor_reshape(own, copy, 4, dims, err);
  nas_tensor_destroy(&copy);
  return status;
}

/* A contiguous copy: labels as int32, values of rank 2. */
static nas_status own_targets(nas_tensor **own, const nas_tensor *targets, int classes,
                              nas_error *err) {
  nas_tensor *copy;
  *own = NULL;
  if (classes && nas_tensor_dtype(targets) == NAS_UINT8)
    return nas_tensor_convert(own, targets, NAS_INT32, err);
  nas_status status = nas_tensor_clone(&copy, targets, err);
  if (status != NAS_OK || classes || nas_tensor_rank(copy) != 1 ||
      nas_tensor_dtype(copy) != NAS_FLOAT32) {
    *own = copy;
    return status;
  }
  const int64_t dims[2] = {nas_tensor_dims(copy)[0], 1};
  status = nas_tensor_reshape(own, copy, 2, dims, err);
  nas_tensor_destroy(&copy);
  return status;
}

nas_status nas_dataset_create(nas_dataset **out, const nas_dataset_parts *parts, nas_error *err) {
  static const nas_origin origin = {"the tensor of inputs", "the tensor of targets", NAS_ARGUMENT};
  nas_tensor *inputs = NULL, *targets = NULL;
  char inputs_sum[NAS_SHA256_HEX], targets_sum[NAS_SHA256_HEX], fingerprint[NAS_FINGERPRINT];
  int classes = parts->classes;
  *out = NULL;
  if (classes < 0 || classes == 1)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: %d classes; expected at least 2, or 0 for targets that are values",
                    classes);
  nas_status status = check_dims(parts->inputs, &origin, err); /* before anything is copied */
  if (status == NAS_OK) status = own_inputs(&inputs, parts->inputs, err);
  if (status == NAS_OK) status = own_targets(&targets, parts->targets, classes, err);
  if (status == NAS_OK) status = nas_content_check(inputs, targets, classes, &origin, err);
  if (status == NAS_OK) {
    nas_fingerprint_numbers(inputs, inputs_sum);
    if (classes)
      nas_fingerprint_labels(targets, classes, targets_sum);
    else
      nas_fingerprint_numbers(targets, targets_sum);
    snprintf(fingerprint, sizeof fingerprint, "sha256:%s,%s", inputs_sum, targets_sum);
    status = nas_content_create(out, parts->name, &inputs, &targets, classes, parts->class_names,
                                fingerprint, err);
  }
  nas_tensor_destroy(&inputs);
  nas_tensor_destroy(&targets);
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
  nas_tensor_destroy(&dataset->inputs);
  nas_tensor_destroy(&dataset->targets);
  for (int c = 0; dataset->class_names && c < dataset->classes; c++)
    nas_free(dataset->class_names[c]);
  nas_free(dataset->class_names);
  nas_free(dataset->order);
  nas_free(dataset->name);
  nas_free(dataset->mean);
  nas_free(dataset->std);
  nas_free(dataset->bytes);
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
  char line[NAS_FINGERPRINT + 60], hex[NAS_HASH_HEX];
  if (dataset->classes)
    snprintf(line, sizeof line, " data=%s classes=%d", dataset->fingerprint, dataset->classes);
  else
    snprintf(line, sizeof line, " data=%s values=%d", dataset->fingerprint,
             nas_dataset_target_size(dataset));
  nas_text_add(text, line);
  nas_hash_hex(dataset->lists, hex);
  if (dataset->listed)
    snprintf(line, sizeof line, " split=%s", hex);
  else
    snprintf(line, sizeof line, " split_seed=%" PRIu64, dataset->split_seed);
  nas_text_add(text, line);
  snprintf(line, sizeof line, " training=%" PRId64 " validation=%" PRId64, dataset->training,
           dataset->validation);
  nas_text_add(text, line);
  if (dataset->stratified) nas_text_add(text, " stratified=1");
  if (dataset->standardized) nas_text_add(text, " standardized=1");
}

nas_task nas_dataset_task(const nas_dataset *dataset) {
  return dataset->classes ? NAS_TASK_CLASSES : NAS_TASK_VALUES;
}

int nas_dataset_classes(const nas_dataset *dataset) {
  return dataset->classes;
}

const char *nas_dataset_class_name(const nas_dataset *dataset, int class) {
  return dataset->class_names ? dataset->class_names[class] : NULL;
}

int nas_dataset_target_size(const nas_dataset *dataset) {
  return dataset->classes ? 1 : (int)nas_tensor_dims(dataset->targets)[1];
}

int64_t nas_dataset_count(const nas_dataset *dataset) {
  return nas_tensor_dims(dataset->inputs)[0];
}

int nas_dataset_input_shape(const nas_dataset *dataset, int dims[3]) {
  int rank = nas_tensor_rank(dataset->inputs) - 1;
  for (int d = 0; d < rank; d++) dims[d] = (int)nas_tensor_dims(dataset->inputs)[1 + d];
  return rank;
}

int nas_content_channels(const nas_dataset *dataset) {
  return (int)nas_tensor_dims(dataset->inputs)[nas_tensor_rank(dataset->inputs) - 1];
}

int32_t nas_dataset_label(const nas_dataset *dataset, int64_t i) {
  const int32_t *labels = nas_tensor_data(dataset->targets);
  return labels[i];
}

const nas_tensor *nas_dataset_inputs(const nas_dataset *dataset) {
  return dataset->inputs;
}

const int32_t *nas_dataset_training(const nas_dataset *dataset, int64_t *count) {
  *count = dataset->training;
  return dataset->order;
}

const int32_t *nas_dataset_validation(const nas_dataset *dataset, int64_t *count) {
  *count = dataset->validation;
  return dataset->order + nas_dataset_count(dataset) - dataset->validation;
}
