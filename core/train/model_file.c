/* Models in archives. The metadata:
 *   luanas.format   "model 1"
 *   luanas.network  canonical text of the network with its loss
 *   luanas.output   which of its layers is the output, from 1
 *   luanas.task     "classes 10" or "values 3"
 *   luanas.top_k, luanas.winograd, luanas.epoch, luanas.recipe, luanas.data
 *   luanas.class.1, ...   names of the classes
 * and, where inputs are standardised, the tensors luanas.mean and luanas.std of bytes: numbers of
 * 64 bits, little-endian. */
#include <inttypes.h>
#include <math.h>
#include <nas/memory.h>
#include <stdio.h>
#include <string.h>
#include "model_state.h"
#include "sets.h"
#include "state.h"

static const char format[] = "model 1";

/* -- saving ----------------------------------------------------------------------------------- */

static nas_status set_integer(nas_archive *archive, const char *key, int64_t value,
                              nas_error *err) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, value);
  return nas_archive_set(archive, key, text, err);
}

static int output_index(const nas_model *m) {
  int i = 0;
  while (nas_network_node(m->network, i) != m->output) i++;
  return i;
}

static nas_status save_doubles(nas_archive *archive, const char *name, const double *values,
                               int count, nas_error *err) {
  nas_tensor *tensor;
  const int64_t dims[] = {count, 8};
  nas_status status = nas_tensor_create(&tensor, NAS_UINT8, 2, dims, err);
  if (status != NAS_OK) return status;
  uint8_t *bytes = nas_tensor_data(tensor);
  for (int i = 0; i < count; i++) {
    uint64_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    for (int b = 0; b < 8; b++) *bytes++ = (uint8_t)(bits >> (8 * b));
  }
  status = nas_archive_add(archive, name, tensor, err);
  nas_tensor_destroy(&tensor);
  return status;
}

static nas_status save_class_names(const nas_model *m, nas_archive *archive, nas_error *err) {
  nas_status status = NAS_OK;
  for (int c = 0; m->class_names && c < m->classes && status == NAS_OK; c++) {
    char key[40];
    snprintf(key, sizeof key, "luanas.class.%d", c + 1);
    status = nas_archive_set(archive, key, m->class_names[c], err);
  }
  return status;
}

nas_status nas_model_save(const nas_model *m, nas_archive *archive, nas_error *err) {
  int values = nas_compiled_output(m->compiled)->channels;
  char task[40];
  snprintf(task, sizeof task, m->task == NAS_TASK_CLASSES ? "classes %d" : "values %d",
           m->task == NAS_TASK_CLASSES ? m->classes : values);
  nas_status status = nas_archive_set(archive, "luanas.format", format, err);
  if (status == NAS_OK)
    status = nas_archive_set(archive, "luanas.network", nas_network_text(m->network), err);
  if (status == NAS_OK) status = set_integer(archive, "luanas.output", output_index(m) + 1, err);
  if (status == NAS_OK) status = nas_archive_set(archive, "luanas.task", task, err);
  if (status == NAS_OK) status = set_integer(archive, "luanas.top_k", m->top_k, err);
  if (status == NAS_OK) status = set_integer(archive, "luanas.winograd", m->winograd, err);
  if (status == NAS_OK) status = set_integer(archive, "luanas.epoch", m->epoch, err);
  if (status == NAS_OK) status = nas_archive_set(archive, "luanas.recipe", m->recipe, err);
  if (status == NAS_OK) status = nas_archive_set(archive, "luanas.data", m->data, err);
  if (status == NAS_OK) status = save_class_names(m, archive, err);
  if (status == NAS_OK && m->standardized)
    status = save_doubles(archive, "luanas.mean", m->mean, m->standardized, err);
  if (status == NAS_OK && m->standardized)
    status = save_doubles(archive, "luanas.std", m->std, m->standardized, err);
  if (status != NAS_OK) return status;
  return nas_sets_save(m->compiled, m->network, "", m->params, 0, archive, err);
}

/* -- loading ---------------------------------------------------------------------------------- */

static const char *get(const nas_archive *archive, const char *key, nas_error *err) {
  const char *value = nas_archive_get(archive, key);
  if (!value) nas_fail(err, NAS_FORMAT, "not a whole model: %s is missing", key);
  return value;
}

static nas_status get_integer(const nas_archive *archive, const char *key, int low, int high,
                              int *value, nas_error *err) {
  int64_t number;
  const char *text = get(archive, key, err);
  if (!text) return NAS_FORMAT;
  if (nas_text_parse_integer(text, strlen(text), &number) || number < low || number > high)
    return nas_fail(err, NAS_FORMAT, "%s is \"%.40s\"; expected a whole number from %d to %d", key,
                    text, low, high);
  *value = (int)number;
  return NAS_OK;
}

static nas_status load_network(nas_model *m, const nas_archive *archive, nas_error *err) {
  const char *text = get(archive, "luanas.network", err);
  nas_node *loss;
  nas_error inner;
  if (!text) return NAS_FORMAT;
  nas_status status = nas_network_parse(&loss, text, &inner);
  if (status != NAS_OK) /* layers that do not fit are damage here */
    return nas_fail(err, status == NAS_SHAPE ? NAS_FORMAT : status, "%s", inner.text);
  status = nas_network_create(&m->network, loss, err);
  nas_node_release(&loss);
  return status;
}

/* Like that of a trainer, the output is a vector that the target has no part in. */
static nas_status load_output(nas_model *m, const nas_archive *archive, nas_error *err) {
  int output = 0;
  nas_network *alone;
  nas_error inner;
  nas_status status =
      get_integer(archive, "luanas.output", 1, nas_network_size(m->network), &output, err);
  if (status != NAS_OK) return status;
  m->output = nas_node_retain(nas_network_node(m->network, output - 1));
  if (nas_node_shape(m->output).rank != 1)
    return nas_fail(err, NAS_FORMAT, "layer %d of the network, the output, is not a vector",
                    output);
  status = nas_network_create(&alone, m->output, &inner);
  if (status == NAS_MEMORY) return nas_fail(err, status, "%s", inner.text);
  int independent = status == NAS_OK && nas_target_node(alone) < 0;
  nas_network_destroy(&alone);
  if (independent) return NAS_OK;
  return nas_fail(err, NAS_FORMAT,
                  "layer %d of the network, the output, does not depend on the input alone",
                  output);
}

/* The loss is the last layer: one number for each image. */
static nas_status check_loss(const nas_model *m, nas_error *err) {
  int values = m->task == NAS_TASK_VALUES ? nas_node_shape(m->output).dim[0] : 0;
  int size = nas_network_size(m->network);
  nas_error inner;
  if (nas_node_shape(nas_network_node(m->network, size - 1)).rank != 0)
    return nas_fail(err, NAS_FORMAT, "layer %d of the network, the loss, is not one number", size);
  if (nas_target_check(m->network, values, &inner) == NAS_OK) return NAS_OK;
  return nas_fail(err, NAS_FORMAT, "%s", inner.text);
}

/* The number in "classes 10"; 0 for another text. */
static int number_after(const char *text, const char *word) {
  int64_t number;
  size_t size = strlen(word);
  if (strncmp(text, word, size) != 0 ||
      nas_text_parse_integer(text + size, strlen(text + size), &number) || number < 1 ||
      number > NAS_DIM_MAX)
    return 0;
  return (int)number;
}

static nas_status load_task(nas_model *m, const nas_archive *archive, nas_error *err) {
  const char *text = get(archive, "luanas.task", err);
  int units = nas_node_shape(m->output).dim[0];
  if (!text) return NAS_FORMAT;
  int classes = number_after(text, "classes "), values = number_after(text, "values ");
  if (classes >= 2 && (classes == units || (classes == 2 && units == 1))) {
    m->task = NAS_TASK_CLASSES;
    m->classes = classes;
    return NAS_OK;
  }
  if (values == units) {
    m->task = NAS_TASK_VALUES;
    return NAS_OK;
  }
  return nas_fail(err, NAS_FORMAT, "luanas.task is \"%.40s\", which does not fit %d outputs", text,
                  units);
}

static nas_status load_class_names(nas_model *m, const nas_archive *archive, nas_error *err) {
  if (m->classes == 0 || !nas_archive_get(archive, "luanas.class.1")) return NAS_OK;
  m->class_names = nas_alloc_zero((size_t)m->classes, sizeof *m->class_names);
  if (!m->class_names) return nas_fail_memory(err, "a model", (size_t)m->classes * 8);
  for (int c = 0; c < m->classes; c++) {
    char key[40];
    snprintf(key, sizeof key, "luanas.class.%d", c + 1);
    const char *name = get(archive, key, err);
    if (!name) return NAS_FORMAT;
    m->class_names[c] = nas_strdup(name);
    if (!m->class_names[c]) return nas_fail_memory(err, "a model", strlen(name));
  }
  return NAS_OK;
}

static nas_status load_words(nas_model *m, const nas_archive *archive, nas_error *err) {
  const char *recipe = get(archive, "luanas.recipe", err), *data;
  if (!recipe) return NAS_FORMAT;
  data = get(archive, "luanas.data", err);
  if (!data) return NAS_FORMAT;
  m->recipe = nas_strdup(recipe);
  m->data = nas_strdup(data);
  return m->recipe && m->data ? NAS_OK : nas_fail_memory(err, "a model", strlen(recipe));
}

static double double_at(const nas_tensor *tensor, int64_t i) {
  const int64_t *strides = nas_tensor_strides(tensor);
  const uint8_t *bytes = (const uint8_t *)nas_tensor_data(tensor) + i * strides[0];
  uint64_t bits = 0;
  double value;
  for (int b = 0; b < 8; b++) bits |= (uint64_t)bytes[b * strides[1]] << (8 * b);
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* A finite number, above `low`, for each of the input's channels, or features. */
static nas_status load_doubles(const nas_archive *archive, const char *name, int count, double low,
                               double **values, nas_error *err) {
  const nas_tensor *tensor = nas_archive_find(archive, name);
  if (!tensor)
    return nas_fail(err, NAS_FORMAT, "not a whole model: the tensor %s is missing", name);
  if (nas_tensor_dtype(tensor) != NAS_UINT8 || nas_tensor_rank(tensor) != 2 ||
      nas_tensor_dims(tensor)[0] != count || nas_tensor_dims(tensor)[1] != 8) {
    char dims[NAS_DIMS_TEXT];
    nas_tensor_dims_text(tensor, dims);
    return nas_fail(err, NAS_FORMAT, "the tensor %s is %s %s; expected uint8 [%d, 8]", name,
                    nas_dtype_name(nas_tensor_dtype(tensor)), dims, count);
  }
  *values = nas_alloc((size_t)count, sizeof **values);
  if (!*values) return nas_fail_memory(err, name, (size_t)count * 8);
  for (int i = 0; i < count; i++) {
    (*values)[i] = double_at(tensor, i);
    if (!isfinite((*values)[i]) || (*values)[i] <= low)
      return nas_fail(err, NAS_FORMAT, "the tensor %s has %g for channel %d of the input", name,
                      (*values)[i], i + 1);
  }
  return NAS_OK;
}

static nas_status load_standardization(nas_model *m, const nas_archive *archive, nas_error *err) {
  int channels = nas_compiled_input(m->compiled)->channels;
  if (!nas_archive_find(archive, "luanas.mean") && !nas_archive_find(archive, "luanas.std"))
    return NAS_OK;
  nas_status status = load_doubles(archive, "luanas.mean", channels, -HUGE_VAL, &m->mean, err);
  if (status == NAS_OK) status = load_doubles(archive, "luanas.std", channels, 0, &m->std, err);
  m->standardized = channels;
  return status;
}

static nas_status load(nas_model *m, const nas_archive *archive, nas_error *err) {
  const char *found = get(archive, "luanas.format", err);
  if (!found) return NAS_FORMAT;
  if (strcmp(found, format) != 0)
    return nas_fail(err, NAS_FORMAT, "luanas.format is \"%.40s\"; this version reads \"%s\"", found,
                    format);
  nas_status status = load_network(m, archive, err);
  if (status == NAS_OK) status = load_output(m, archive, err);
  if (status == NAS_OK) status = load_task(m, archive, err);
  if (status == NAS_OK) status = check_loss(m, err);
  if (status == NAS_OK)
    status = get_integer(archive, "luanas.top_k", 0, NAS_DIM_MAX, &m->top_k, err);
  if (status == NAS_OK) status = get_integer(archive, "luanas.winograd", 0, 1, &m->winograd, err);
  if (status == NAS_OK) status = get_integer(archive, "luanas.epoch", 0, INT32_MAX, &m->epoch, err);
  if (status == NAS_OK) status = load_words(m, archive, err);
  if (status == NAS_OK) status = load_class_names(m, archive, err);
  if (status == NAS_OK) status = nas_sets_check(m->network, "", 0, archive, err);
  if (status == NAS_OK) status = nas_model_compile(m, err);
  if (status == NAS_OK) status = load_standardization(m, archive, err);
  if (status != NAS_OK) return status;
  nas_sets_load(m->compiled, m->network, "", m->params, 0, archive);
  nas_compiled_derive(m->compiled, m->params, m->derived, 0, 1);
  return NAS_OK;
}

nas_status nas_model_load(nas_model **out, const nas_archive *archive, nas_error *err) {
  *out = NULL;
  nas_model *m = nas_alloc_zero(1, sizeof *m);
  if (!m) return nas_fail_memory(err, "a model", sizeof *m);
  nas_status status = load(m, archive, err);
  if (status == NAS_OK)
    *out = m;
  else
    nas_model_destroy(&m);
  return status;
}
