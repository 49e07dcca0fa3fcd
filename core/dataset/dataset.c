#include <nas/dataset.h>
#include "content.h"
#include "fingerprint.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>

/* ---- Making ---- */

nas_status nas_dataset_make(nas_dataset **out, nas_content *content, nas_error *err) {
  size_t count = (size_t)nas_content_count(content);
  nas_dataset *dataset = nas_alloc_zero(1, sizeof *dataset);
  *out = NULL;
  if (!dataset) return nas_fail_memory(err, "a data set", sizeof *dataset);
  atomic_init(&dataset->references, 1);
  dataset->order = nas_alloc(count, sizeof *dataset->order);
  if (!dataset->order) {
    nas_free(dataset);
    return nas_fail_memory(err, "the order of a data set", count * sizeof *dataset->order);
  }
  for (size_t i = 0; i < count; i++) dataset->order[i] = (int32_t)i;
  dataset->training = (int64_t)count;
  atomic_fetch_add_explicit(&content->references, 1, memory_order_relaxed);
  dataset->content = content;
  *out = dataset;
  return NAS_OK;
}

nas_status nas_dataset_make_plain(nas_dataset **out, nas_content *content, nas_error *err) {
  nas_status status = nas_dataset_make(out, content, err);
  if (status == NAS_OK) status = nas_scaling_set(*out, NULL, NULL, err);
  if (status != NAS_OK) nas_dataset_release(out);
  return status;
}

/* A contiguous copy, of a type and with `rank` dimensions: missing ones are 1. */
static nas_status copy_as(nas_tensor **out, const nas_tensor *tensor, nas_dtype dtype, int rank,
                          nas_error *err) {
  nas_tensor *copy;
  int64_t dims[NAS_RANK_MAX];
  nas_status status = nas_tensor_convert(&copy, tensor, dtype, err);
  *out = NULL;
  if (status != NAS_OK) return status;
  for (int d = 0; d < rank; d++)
    dims[d] = d < nas_tensor_rank(tensor) ? nas_tensor_dims(tensor)[d] : 1;
  status = nas_tensor_reshape(out, copy, rank, dims, err);
  nas_tensor_destroy(&copy);
  return status;
}

static nas_status copy_tensors(nas_tensor **inputs, nas_tensor **targets,
                               const nas_dataset_parts *parts, nas_error *err) {
  int table = nas_tensor_rank(parts->inputs) == 2;
  nas_dtype dtype = nas_tensor_dtype(parts->inputs);
  nas_status status = copy_as(inputs, parts->inputs, dtype, table ? 2 : 4, err);
  if (status != NAS_OK) return status;
  if (parts->classes) return copy_as(targets, parts->targets, NAS_INT32, 1, err);
  return copy_as(targets, parts->targets, NAS_FLOAT32, 2, err);
}

nas_status nas_dataset_create(nas_dataset **out, const nas_dataset_parts *parts, nas_error *err) {
  static const nas_origin origin = {"the tensor of inputs", "the tensor of targets", NAS_ARGUMENT};
  nas_tensor *inputs = NULL, *targets = NULL;
  nas_content *content = NULL;
  char sums[2][NAS_SHA256_HEX];
  *out = NULL;
  nas_status status = nas_content_check(parts, &origin, err);
  if (status != NAS_OK) return status;
  status = copy_tensors(&inputs, &targets, parts, err);
  if (status != NAS_OK) goto done;
  nas_fingerprint_inputs(inputs, sums[0]);
  if (parts->classes)
    nas_fingerprint_labels(targets, parts->classes, sums[1]);
  else
    nas_fingerprint_values(targets, sums[1]);
  status = nas_content_create(&content, parts, &inputs, &targets, sums, err);
  if (status != NAS_OK) goto done;
  status = nas_dataset_make_plain(out, content, err);

done:
  nas_content_release(&content);
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
  nas_content_release(&dataset->content);
  nas_scaling_clear(&dataset->scaling);
  nas_free(dataset->order);
  nas_free(dataset);
}

/* ---- What it is ---- */

const char *nas_dataset_name(const nas_dataset *dataset) {
  return dataset->content->name;
}

const char *nas_dataset_fingerprint(const nas_dataset *dataset) {
  return dataset->content->fingerprint;
}

static void add_hash(nas_text *text, const char *name, nas_hash hash) {
  char digits[NAS_HASH_HEX];
  nas_hash_hex(hash, digits);
  nas_text_add(text, name);
  nas_text_add(text, digits);
}

void nas_dataset_identity(const nas_dataset *dataset, nas_text *text) {
  const nas_drawn *drawn = &dataset->drawn;
  char line[80];
  int classes = nas_dataset_classes(dataset);
  nas_text_add(text, " data=");
  nas_text_add(text, nas_dataset_fingerprint(dataset));
  nas_text_add(text, classes ? " classes=" : " values=");
  nas_text_add_integer(text, classes ? classes : nas_dataset_target_size(dataset));
  snprintf(line, sizeof line, " split_seed=%" PRIu64, drawn->seed);
  if (drawn->listed)
    add_hash(text, " split_lists=", drawn->lists);
  else
    nas_text_add(text, line);
  snprintf(line, sizeof line, " training=%" PRId64 " validation=%" PRId64, dataset->training,
           dataset->validation);
  nas_text_add(text, line);
  if (drawn->stratified) nas_text_add(text, " stratified=1");
  if (dataset->scaling.mean) add_hash(text, " standardized=", dataset->scaling.hash);
}

nas_task nas_dataset_task(const nas_dataset *dataset) {
  return dataset->content->classes ? NAS_TASK_CLASSES : NAS_TASK_VALUES;
}

int nas_dataset_classes(const nas_dataset *dataset) {
  return dataset->content->classes;
}

const char *nas_dataset_class_name(const nas_dataset *dataset, int c) {
  return dataset->content->class_names ? dataset->content->class_names[c] : NULL;
}

int nas_dataset_input_shape(const nas_dataset *dataset, int dims[3]) {
  nas_content_dims(dataset->content, dims);
  if (nas_tensor_rank(dataset->content->inputs) == 4) return 3;
  dims[0] = dims[2];
  dims[1] = dims[2] = 1;
  return 1;
}

int nas_dataset_target_size(const nas_dataset *dataset) {
  const nas_tensor *targets = dataset->content->targets;
  return dataset->content->classes ? 1 : (int)nas_tensor_dims(targets)[1];
}

int64_t nas_dataset_count(const nas_dataset *dataset) {
  return nas_content_count(dataset->content);
}

const int32_t *nas_dataset_training(const nas_dataset *dataset, int64_t *count) {
  *count = dataset->training;
  return dataset->order;
}

const int32_t *nas_dataset_validation(const nas_dataset *dataset, int64_t *count) {
  *count = dataset->validation;
  return dataset->order + nas_dataset_count(dataset) - dataset->validation;
}
