#include <nas/model.h>
#include <math.h>
#include <nas/elementary.h>
#include <nas/memory.h>
#include <stdatomic.h>
#include <string.h>
#include "kernel.h"
#include "model_state.h"
#include "state.h"

/* -- making ----------------------------------------------------------------------------------- */

nas_status nas_model_compile(nas_model *m, nas_error *err) {
  nas_compile_options how = {.output = m->output,
                             .inference = 1,
                             .winograd = m->winograd ? NAS_WINOGRAD_AUTO : NAS_WINOGRAD_NONE};
  nas_status status = nas_compiled_create(&m->compiled, m->network, &how, err);
  if (status != NAS_OK) return status;
  size_t params = nas_compiled_param_floats(m->compiled);
  size_t derived = nas_compiled_derived_floats(m->compiled);
  m->params = nas_alloc_zero(params, sizeof(float));
  m->derived = nas_alloc_zero(derived, sizeof(float));
  if (m->params && m->derived) return NAS_OK;
  return nas_fail_memory(err, "a model", (params + derived) * sizeof(float));
}

/* One number after the other, so that padding is left out and layouts may differ. */
static void copy_set(const nas_param_place *to, float *params, const nas_param_place *from,
                     const float *source) {
  size_t row = (size_t)nas_row(from->width), width = (size_t)from->width;
  for (size_t r = 0; r < from->rows; r++)
    memcpy(params + to->at + r * row, source + from->at + r * row, width * sizeof(float));
}

void nas_model_copy_sets(const nas_compiled *to, float *array, const nas_compiled *from,
                         const float *source) {
  for (int i = 0; i < nas_compiled_param_count(to); i++) {
    nas_param_place place = nas_compiled_param(to, i), origin = nas_compiled_param(from, i);
    copy_set(&place, array, &origin, source);
  }
}

static nas_status copy_word(const char *word, char **copy, nas_error *err) {
  *copy = nas_strdup(word);
  return *copy ? NAS_OK : nas_fail_memory(err, "a model", strlen(word) + 1);
}

static nas_status copy_recipe(nas_model *m, const nas_trainer *t, nas_error *err) {
  nas_text recipe = {0};
  nas_recipe_text(&t->recipe, &recipe);
  nas_status status = recipe.failed ? nas_fail_memory(err, "a model", recipe.size)
                                    : copy_word(recipe.data, &m->recipe, err);
  nas_text_clear(&recipe);
  return status;
}

static nas_status copy_words(nas_model *m, const nas_trainer *t, nas_error *err) {
  nas_status status = copy_recipe(m, t, err);
  if (status == NAS_OK) status = copy_word(nas_dataset_name(t->data), &m->data, err);
  if (status != NAS_OK) return status;
  if (m->task == NAS_TASK_VALUES || !nas_dataset_class_name(t->data, 0)) return NAS_OK;
  size_t classes = (size_t)m->classes;
  m->class_names = nas_alloc_zero(classes, sizeof *m->class_names);
  if (!m->class_names) return nas_fail_memory(err, "a model", classes * sizeof *m->class_names);
  for (int c = 0; c < m->classes && status == NAS_OK; c++)
    status = copy_word(nas_dataset_class_name(t->data, c), &m->class_names[c], err);
  return status;
}

static nas_status copy_standardization(nas_model *m, const nas_dataset *data, nas_error *err) {
  const double *mean, *std;
  int count = nas_dataset_standardization(data, &mean, &std);
  if (count == 0) return NAS_OK;
  m->mean = nas_alloc((size_t)count, sizeof *m->mean);
  m->std = nas_alloc((size_t)count, sizeof *m->std);
  if (!m->mean || !m->std) return nas_fail_memory(err, "a model", (size_t)count * 16);
  memcpy(m->mean, mean, (size_t)count * sizeof *mean);
  memcpy(m->std, std, (size_t)count * sizeof *std);
  m->standardized = count;
  return NAS_OK;
}

nas_status nas_model_create(nas_model **out, const nas_trainer *t, nas_error *err) {
  *out = NULL;
  nas_model *m = nas_alloc_zero(1, sizeof *m);
  if (!m) return nas_fail_memory(err, "a model", sizeof *m);
  m->output = nas_node_retain(t->output);
  m->task = nas_dataset_task(t->data);
  m->classes = m->task == NAS_TASK_CLASSES ? nas_dataset_classes(t->data) : 0;
  m->top_k = t->recipe.top_k;
  m->winograd = t->recipe.winograd;
  m->epoch = t->best_params ? t->best_epoch : t->now.epoch;
  nas_node *loss = nas_network_node(t->network, nas_network_size(t->network) - 1);
  nas_status status = nas_network_create(&m->network, loss, err);
  if (status == NAS_OK) status = nas_model_compile(m, err);
  if (status == NAS_OK) status = copy_words(m, t, err);
  if (status == NAS_OK) status = copy_standardization(m, t->data, err);
  if (status != NAS_OK) {
    nas_model_destroy(&m);
    return status;
  }
  nas_model_copy_sets(m->compiled, m->params, t->compiled, nas_trainer_kept(t));
  nas_compiled_derive(m->compiled, m->params, m->derived, 0, 1);
  *out = m;
  return NAS_OK;
}

void nas_model_destroy(nas_model **handle) {
  if (!handle || !*handle) return;
  nas_model *m = *handle;
  for (int c = 0; m->class_names && c < m->classes; c++) nas_free(m->class_names[c]);
  nas_free(m->class_names);
  nas_free(m->recipe);
  nas_free(m->data);
  nas_free(m->mean);
  nas_free(m->std);
  nas_free(m->params);
  nas_free(m->derived);
  nas_compiled_destroy(&m->compiled);
  nas_network_destroy(&m->network);
  nas_node_release(&m->output);
  nas_free(m);
  *handle = NULL;
}

/* -- running ---------------------------------------------------------------------------------- */

/* Images of a data set through the network, in groups that workers take. */
typedef struct run {
  const nas_model *model;
  const nas_dataset *data;
  const int32_t *images; /* NULL: all */
  int64_t count;
  float **memory; /* of each worker: scratch, and behind it the room of layers */
  int workers;
  nas_count *counts;  /* of each group, or NULL */
  int32_t *predicted; /* or NULL */
  float *outputs;     /* [count][values of the output], or NULL */
  nas_poll *poll;
  void *poll_context;
  atomic_long next_group;
  atomic_int stopped;
} run;

/* The values of an image, pixel by pixel without padding. */
static void keep_outputs(const run *r, int64_t at, int count, nas_arena arena) {
  const nas_map *output = nas_compiled_output(r->model->compiled);
  size_t channels = (size_t)output->channels;
  float *to = r->outputs + (size_t)at * (size_t)(output->height * output->width) * channels;
  for (int n = 0; n < count; n++)
    for (int y = 0; y < output->height; y++)
      for (int x = 0; x < output->width; x++, to += channels)
        memcpy(to, nas_map_data(output, arena) + nas_map_at(output, n, y, x),
               channels * sizeof(float));
}

static void run_images(run *r, int64_t at, int count, long group, float *memory) {
  const nas_compiled *compiled = r->model->compiled;
  int32_t images[NAS_GROUP];
  for (int n = 0; n < count; n++) images[n] = r->images ? r->images[at + n] : (int32_t)(at + n);
  nas_arena arena = {.scratch = memory};
  nas_pass pass = {.arena = arena,
                   .params = r->model->params,
                   .derived = r->model->derived,
                   .room = memory + nas_compiled_scratch_floats(compiled),
                   .images = count};
  nas_images_load(compiled, r->data, images, count, NULL, 0, 0, arena);
  nas_compiled_evaluate(compiled, &pass);
  if (r->counts)
    nas_images_count(compiled, r->data, images, count, r->model->top_k, arena, &r->counts[group],
                     r->predicted ? r->predicted + at : NULL);
  if (r->outputs) keep_outputs(r, at, count, arena);
}

static void run_worker(void *context, int id, int workers) {
  (void)workers;
  run *r = context;
  long groups = nas_group_count(r->count), g;
  int micro_batch = nas_compiled_micro_batch(r->model->compiled);
  while (!atomic_load(&r->stopped) && (g = atomic_fetch_add(&r->next_group, 1)) < groups) {
    int64_t end = (g + 1) * NAS_GROUP < r->count ? (g + 1) * NAS_GROUP : r->count;
    for (int64_t at = g * NAS_GROUP; at < end; at += micro_batch)
      run_images(r, at, (int)(end - at < micro_batch ? end - at : micro_batch), g, r->memory[id]);
    if (id == 0 && r->poll && r->poll(r->poll_context)) atomic_store(&r->stopped, 1);
  }
}

static nas_status run_all(run *r, nas_pool *pool, nas_error *err) {
  size_t floats = nas_compiled_scratch_floats(r->model->compiled) +
                  nas_compiled_room_floats(r->model->compiled);
  if (nas_pool_check_process(pool, err)) return NAS_STATE;
  r->workers = nas_pool_threads(pool);
  r->memory = nas_alloc_zero((size_t)r->workers, sizeof *r->memory);
  int missing = !r->memory;
  for (int i = 0; !missing && i < r->workers; i++)
    missing = !(r->memory[i] = nas_alloc_zero(floats, sizeof(float)));
  if (!missing) nas_pool_run(pool, run_worker, r);
  for (int i = 0; r->memory && i < r->workers; i++) nas_free(r->memory[i]);
  nas_free(r->memory);
  if (missing) return nas_fail_memory(err, "activations", floats * 4);
  return atomic_load(&r->stopped) ? nas_fail(err, NAS_INTERRUPTED, "evaluation was interrupted")
                                  : NAS_OK;
}

static nas_status fail_shape(const nas_map *input, const int dims[3], int rank, const char *name,
                             nas_error *err) {
  nas_shape expected = {3, {input->height, input->width, input->channels}};
  nas_shape found = {rank, {dims[0], dims[1], dims[2]}};
  char text[2][NAS_SHAPE_TEXT];
  if (input->height == 1 && input->width == 1) expected = (nas_shape){1, {input->channels}};
  nas_shape_text(expected, text[0]);
  nas_shape_text(found, text[1]);
  return nas_fail(err, NAS_ARGUMENT, "the model takes inputs of %s; those of %s have %s", text[0],
                  name, text[1]);
}

/* The same data, standardised as the model needs it. */
static nas_status adopt(const nas_model *m, const nas_dataset *data, nas_dataset **own,
                        nas_error *err) {
  const nas_map *input = nas_compiled_input(m->compiled);
  int dims[3] = {0}, rank = nas_dataset_input_shape(data, dims);
  int fits = rank == 3
                 ? dims[0] == input->height && dims[1] == input->width && dims[2] == input->channels
                 : input->height == 1 && input->width == 1 && dims[0] == input->channels;
  *own = NULL;
  if (!fits) return fail_shape(input, dims, rank, nas_dataset_name(data), err);
  return nas_dataset_adopt(own, data, m->standardized, m->mean, m->std, err);
}

/* -- evaluation ------------------------------------------------------------------------------- */

const int32_t *nas_part_images(const nas_dataset *data, nas_part part, int64_t *count) {
  switch (part) {
  case NAS_PART_TRAINING: return nas_dataset_training(data, count);
  case NAS_PART_VALIDATION: return nas_dataset_validation(data, count);
  case NAS_PART_ALL: break;
  }
  *count = nas_dataset_count(data);
  return NULL;
}

static nas_status check_task(const nas_model *m, const nas_dataset *data, nas_error *err) {
  if (nas_dataset_task(data) != m->task)
    return nas_fail(err, NAS_ARGUMENT, "the model was trained for %s; %s has %s",
                    m->task == NAS_TASK_CLASSES ? "classes" : "values", nas_dataset_name(data),
                    m->task == NAS_TASK_CLASSES ? "values" : "classes");
  int units = m->task == NAS_TASK_CLASSES ? m->classes : nas_compiled_output(m->compiled)->channels;
  int found =
      m->task == NAS_TASK_CLASSES ? nas_dataset_classes(data) : nas_dataset_target_size(data);
  if (found == units) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "the model was trained for %d %s; %s has %d", units,
                  m->task == NAS_TASK_CLASSES ? "classes" : "target values", nas_dataset_name(data),
                  found);
}

nas_status nas_model_evaluate(const nas_model *m, const nas_dataset *data, nas_part part,
                              nas_pool *pool, nas_poll *poll, void *poll_context,
                              nas_metrics *metrics, int32_t *predicted, nas_error *err) {
  run r = {.model = m, .predicted = predicted, .poll = poll, .poll_context = poll_context};
  nas_dataset *own = NULL;
  r.images = nas_part_images(data, part, &r.count);
  if (r.count == 0)
    return nas_fail(err, NAS_ARGUMENT, "%s has no images in that part; split it first",
                    nas_dataset_name(data));
  nas_status status = check_task(m, data, err);
  if (status == NAS_OK) status = adopt(m, data, &own, err);
  if (status != NAS_OK) return status;
  long groups = nas_group_count(r.count);
  r.data = own;
  r.counts = nas_alloc_zero((size_t)groups, sizeof *r.counts);
  status = r.counts ? run_all(&r, pool, err)
                    : nas_fail_memory(err, "counts", (size_t)groups * sizeof *r.counts);
  if (status == NAS_OK) *metrics = nas_count_metrics(r.counts, groups, r.count, own);
  nas_free(r.counts);
  nas_dataset_release(&own);
  return status;
}

void nas_model_confusion(const nas_dataset *data, nas_part part, const int32_t *predicted,
                         int64_t *matrix) {
  int64_t count;
  const int32_t *images = nas_part_images(data, part, &count);
  int classes = nas_dataset_classes(data);
  for (int64_t i = 0; i < count; i++) {
    int32_t label = nas_dataset_label(data, images ? images[i] : i);
    matrix[(int64_t)label * classes + predicted[i]]++;
  }
}

/* -- outputs ---------------------------------------------------------------------------------- */

nas_status nas_model_adopt(const nas_model *m, const nas_tensor *inputs, nas_dataset **own,
                           nas_error *err) {
  nas_tensor *targets;
  nas_dataset *alone;
  *own = NULL;
  nas_status status = nas_tensor_create(&targets, NAS_FLOAT32, 1, nas_tensor_dims(inputs), err);
  if (status != NAS_OK) return status;
  nas_dataset_parts parts = {.name = "the inputs", .inputs = inputs, .targets = targets};
  status = nas_dataset_create(&alone, &parts, err);
  if (status == NAS_OK) status = adopt(m, alone, own, err);
  nas_tensor_destroy(&targets);
  nas_dataset_release(&alone);
  return status;
}

nas_status nas_model_outputs(const nas_model *m, const nas_tensor *inputs, nas_pool *pool,
                             nas_poll *poll, void *poll_context, nas_tensor **outputs,
                             nas_error *err) {
  run r = {.model = m, .poll = poll, .poll_context = poll_context};
  nas_dataset *own;
  nas_shape shape = nas_node_shape(m->output);
  int64_t dims[NAS_RANK_MAX];
  *outputs = NULL;
  nas_status status = nas_model_adopt(m, inputs, &own, err);
  if (status == NAS_OK) {
    r.data = own;
    dims[0] = r.count = nas_dataset_count(own);
    for (int d = 0; d < shape.rank; d++) dims[d + 1] = shape.dim[d];
    status = nas_tensor_create(outputs, NAS_FLOAT32, shape.rank + 1, dims, err);
  }
  if (status == NAS_OK) {
    r.outputs = nas_tensor_data(*outputs);
    status = run_all(&r, pool, err);
  }
  if (status != NAS_OK) nas_tensor_destroy(outputs);
  nas_dataset_release(&own);
  return status;
}

/* By a model of the same weights whose output is the layer. */
nas_status nas_model_activations(const nas_model *m, nas_node *layer, const nas_tensor *inputs,
                                 nas_pool *pool, nas_poll *poll, void *poll_context,
                                 nas_tensor **values, nas_error *err) {
  nas_model view = *m;
  view.output = layer;
  view.compiled = NULL;
  view.params = view.derived = NULL;
  *values = NULL;
  nas_status status = nas_model_compile(&view, err);
  if (status == NAS_OK) {
    nas_model_copy_sets(view.compiled, view.params, m->compiled, m->params);
    nas_compiled_derive(view.compiled, view.params, view.derived, 0, 1);
    status = nas_model_outputs(&view, inputs, pool, poll, poll_context, values, err);
  }
  nas_free(view.params);
  nas_free(view.derived);
  nas_compiled_destroy(&view.compiled);
  return status;
}

static void softmax(float *z, int units) {
  double max = (double)z[0], sum = 0;
  for (int k = 1; k < units; k++)
    if ((double)z[k] > max) max = (double)z[k];
  for (int k = 0; k < units; k++) sum += nas_exp((double)z[k] - max);
  for (int k = 0; k < units; k++) z[k] = (float)(nas_exp((double)z[k] - max) / sum);
}

void nas_model_probabilities(const nas_model *m, nas_tensor *outputs) {
  float *z = nas_tensor_data(outputs);
  int64_t count = nas_tensor_dims(outputs)[0];
  int units = nas_compiled_output(m->compiled)->channels;
  for (int64_t n = 0; n < count; n++, z += units) {
    if (units == 1)
      z[0] = nas_sigmoidf(z[0]);
    else
      softmax(z, units);
  }
}

/* -- looking ---------------------------------------------------------------------------------- */

const nas_network *nas_model_network(const nas_model *m) {
  return m->network;
}
nas_node *nas_model_output(const nas_model *m) {
  return m->output;
}
const nas_compiled *nas_model_compiled(const nas_model *m) {
  return m->compiled;
}
const float *nas_model_params(const nas_model *m) {
  return m->params;
}
nas_task nas_model_task(const nas_model *m) {
  return m->task;
}
int nas_model_classes(const nas_model *m) {
  return m->classes;
}
const char *nas_model_class_name(const nas_model *m, int class) {
  return m->class_names ? m->class_names[class] : NULL;
}
int nas_model_epoch(const nas_model *m) {
  return m->epoch;
}
const char *nas_model_recipe(const nas_model *m) {
  return m->recipe;
}
const char *nas_model_data(const nas_model *m) {
  return m->data;
}
