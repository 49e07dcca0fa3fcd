/* The gradients of one batch: a step of training on one thread, without the step. */
#include <math.h>
#include <nas/memory.h>
#include <string.h>
#include "count.h"
#include "model_state.h"

typedef struct batch {
  const nas_model *model;
  const nas_dataset *data;   /* the inputs */
  const nas_tensor *targets; /* float32, contiguous, classes or values */
  nas_compiled *compiled;
  int count, groups, micro_batch, per_group; /* images, their groups, micro-batches of a group */
  float *params, *derived, *stored, *scratch, *room, *kept, *group_gradient, *gradient, *pixels;
  double *sums, *totals;
  double *losses; /* of each group */
  float *d_inputs;
} batch;

/* -- making ----------------------------------------------------------------------------------- */

static nas_status compile(batch *b, nas_error *err) {
  nas_compile_options how = {.output = b->model->output,
                             .winograd = b->model->winograd ? NAS_WINOGRAD_AUTO : NAS_WINOGRAD_NONE,
                             .input_gradient = 1};
  nas_status status = nas_compiled_create(&b->compiled, b->model->network, &how, err);
  if (status != NAS_OK) return status;
  b->micro_batch = nas_compiled_micro_batch(b->compiled);
  b->per_group = (NAS_GROUP + b->micro_batch - 1) / b->micro_batch;
  b->groups = (int)nas_group_count(b->count);
  return NAS_OK;
}

static nas_status allocate(batch *b, nas_error *err) {
  const nas_compiled *c = b->compiled;
  const nas_map *input = nas_compiled_input(c);
  size_t sets = (size_t)b->groups * (size_t)b->per_group;
  b->params = nas_alloc_zero(nas_compiled_param_floats(c), sizeof(float));
  b->derived = nas_alloc_zero(nas_compiled_derived_floats(c), sizeof(float));
  b->stored = nas_alloc_zero(sets, nas_compiled_stored_floats(c) * sizeof(float));
  b->scratch = nas_alloc_zero(nas_compiled_scratch_floats(c), sizeof(float));
  b->room = nas_alloc_zero(nas_compiled_room_floats(c), sizeof(float));
  b->kept = nas_alloc_zero(nas_compiled_kept_floats(c), sizeof(float));
  b->group_gradient = nas_alloc_zero(nas_compiled_trained_floats(c), sizeof(float));
  b->gradient = nas_alloc_zero(nas_compiled_param_floats(c), sizeof(float));
  b->pixels = nas_alloc((size_t)(input->height * input->width), (size_t)input->channels * 4);
  b->sums = nas_alloc_zero((size_t)b->groups, nas_compiled_sums(c) * sizeof(double));
  b->totals = nas_alloc_zero(nas_compiled_sums(c), sizeof(double));
  b->losses = nas_alloc_zero((size_t)b->groups, sizeof(double));
  if (b->params && b->derived && b->stored && b->scratch && b->room && b->kept &&
      b->group_gradient && b->gradient && b->pixels && b->sums && b->totals && b->losses)
    return NAS_OK;
  return nas_fail_memory(err, "the gradients of a batch",
                         sets * nas_compiled_stored_floats(c) * sizeof(float));
}

static void clear(batch *b) {
  float *floats[] = {b->params, b->derived,        b->stored,   b->scratch, b->room,
                     b->kept,   b->group_gradient, b->gradient, b->pixels};
  for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) nas_free(floats[i]);
  nas_free(b->sums);
  nas_free(b->totals);
  nas_free(b->losses);
  nas_compiled_destroy(&b->compiled);
}

/* -- targets ---------------------------------------------------------------------------------- */

static nas_status check_targets(const nas_model *m, const nas_tensor *targets, int64_t count,
                                nas_error *err) {
  char text[NAS_DIMS_TEXT];
  const int64_t *dims = nas_tensor_dims(targets);
  int rank = nas_tensor_rank(targets), units = nas_node_shape(m->output).dim[0];
  nas_tensor_dims_text(targets, text);
  if (m->task == NAS_TASK_CLASSES) {
    double low = nas_tensor_total(targets, NAS_REDUCE_MIN);
    double high = nas_tensor_total(targets, NAS_REDUCE_MAX);
    if (nas_tensor_dtype(targets) == NAS_FLOAT32 || rank != 1 || dims[0] != count)
      return nas_fail(
          err, NAS_ARGUMENT,
          "targets are %s %s; expected [%lld] of int32 or uint8, a class for each input",
          nas_dtype_name(nas_tensor_dtype(targets)), text, (long long)count);
    if (low < 0 || high >= m->classes)
      return nas_fail(err, NAS_ARGUMENT, "targets hold classes from %g to %g; the model has %d",
                      low, high, m->classes);
    return NAS_OK;
  }
  int fits = dims[0] == count && (rank == 1 ? units == 1 : rank == 2 && dims[1] == units);
  if (nas_tensor_dtype(targets) == NAS_FLOAT32 && fits) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "targets are %s %s; expected [%lld, %d] of float32",
                  nas_dtype_name(nas_tensor_dtype(targets)), text, (long long)count, units);
}

/* -- running ---------------------------------------------------------------------------------- */

/* Into the maps of input and target. */
static void load(const batch *b, int64_t image, int n, nas_arena arena) {
  const nas_map *input = nas_compiled_input(b->compiled);
  const nas_map *target = nas_compiled_target(b->compiled);
  size_t channels = (size_t)input->channels;
  const float *from = b->pixels;
  nas_dataset_read_input(b->data, image, NULL, b->pixels,
                         (ptrdiff_t)input->width * input->channels);
  for (int y = 0; y < input->height; y++)
    for (int x = 0; x < input->width; x++, from += channels)
      memcpy(nas_map_data(input, arena) + nas_map_at(input, n, y, x), from,
             channels * sizeof(float));
  if (!target) return;
  size_t values = (size_t)(nas_tensor_size(b->targets) / b->count);
  memcpy(nas_map_data(target, arena) + nas_map_at(target, n, 0, 0),
         (const float *)nas_tensor_data(b->targets) + (size_t)image * values,
         values * sizeof(float));
}

static void keep_input_gradient(const batch *b, int64_t image, int n, nas_arena arena) {
  const nas_map *map = nas_compiled_d_input(b->compiled);
  size_t channels = (size_t)map->channels;
  float *to = b->d_inputs + (size_t)image * (size_t)(map->height * map->width) * channels;
  for (int y = 0; y < map->height; y++)
    for (int x = 0; x < map->width; x++, to += channels)
      memcpy(to, nas_map_data(map, arena) + nas_map_at(map, n, y, x), channels * sizeof(float));
}

/* The gradients of a group through a segment are there: they are added in group order. */
static void add_group(const batch *b, int segment, int is_first) {
  size_t count, from = nas_compiled_segment_params(b->compiled, segment, &count);
  for (size_t i = from; i < from + count; i++)
    b->gradient[i] = is_first ? b->group_gradient[i] : b->gradient[i] + b->group_gradient[i];
}

/* A micro-batch through one phase, as in an epoch: forwards through all segments, through the last
 * and back, and back through the others. */
static void run_images(const batch *b, int group, int first, int count, int phase) {
  int last = nas_compiled_segments(b->compiled) - 1, back = 2 * last - phase;
  int32_t images[NAS_GROUP];
  for (int n = 0; n < count; n++) images[n] = first + n;
  size_t index = (size_t)(group * b->per_group + (first - group * NAS_GROUP) / b->micro_batch);
  nas_pass pass = {
      .arena = {.stored = b->stored + index * nas_compiled_stored_floats(b->compiled),
                .scratch = b->scratch},
      .params = b->params,
      .derived = b->derived,
      .room = b->room,
      .images = count,
      .training = 1,
      .d_params = b->group_gradient,
      .kept = b->kept,
      .first = first,
      .batch = b->count,
      .epoch = 1,
      .image = images,
      .sums = b->sums + (size_t)group * nas_compiled_sums(b->compiled),
      .totals = b->totals,
  };
  for (int n = 0; n < count && phase == 0; n++) load(b, first + n, n, pass.arena);
  if (phase <= last) nas_compiled_forward(b->compiled, phase, &pass);
  const nas_map *loss = nas_compiled_loss(b->compiled);
  for (int n = 0; n < count && phase == last; n++)
    b->losses[group] += (double)nas_map_data(loss, pass.arena)[nas_map_at(loss, n, 0, 0)];
  if (phase < last) return;
  nas_compiled_backward(b->compiled, back, &pass);
  for (int n = 0; n < count && back == 0 && nas_compiled_d_input(b->compiled); n++)
    keep_input_gradient(b, first + n, n, pass.arena);
}

static void run_group(const batch *b, int group, int phase) {
  int last = nas_compiled_segments(b->compiled) - 1, back = 2 * last - phase;
  int first = group * NAS_GROUP;
  int end = first + NAS_GROUP < b->count ? first + NAS_GROUP : b->count;
  memset(b->group_gradient, 0, nas_compiled_trained_floats(b->compiled) * sizeof(float));
  for (int at = first; at < end; at += b->micro_batch)
    run_images(b, group, at, end - at < b->micro_batch ? end - at : b->micro_batch, phase);
  if (phase < last) return;
  const nas_pass whole = {.params = b->params, .d_params = b->group_gradient, .kept = b->kept};
  nas_compiled_finish(b->compiled, back, &whole);
  add_group(b, back, group == 0);
}

static nas_status run(const batch *b, nas_poll *poll, void *poll_context, nas_error *err) {
  int last = nas_compiled_segments(b->compiled) - 1;
  for (int phase = 0; phase <= 2 * last; phase++) {
    int segment = phase <= last ? phase : 2 * last - phase + 1;
    if (phase > 0)
      nas_compiled_total(b->compiled, segment, phase > last, b->sums, b->groups, b->totals);
    for (int group = 0; group < b->groups; group++) {
      run_group(b, group, phase);
      if (poll && poll(poll_context))
        return nas_fail(err, NAS_INTERRUPTED, "the gradients were interrupted");
    }
  }
  return NAS_OK;
}

/* -- all of it -------------------------------------------------------------------------------- */

static nas_status make_d_inputs(const batch *b, nas_tensor **d_inputs, nas_error *err) {
  int shape[3], rank = nas_dataset_input_shape(b->data, shape);
  int64_t dims[4] = {b->count};
  for (int d = 0; d < rank; d++) dims[d + 1] = shape[d];
  return nas_tensor_create(d_inputs, NAS_FLOAT32, rank + 1, dims, err);
}

static nas_status compute(batch *b, nas_poll *poll, void *poll_context, float *gradient,
                          double *loss, nas_error *err) {
  nas_status status = compile(b, err);
  if (status == NAS_OK) status = allocate(b, err);
  if (status != NAS_OK) return status;
  nas_model_copy_sets(b->compiled, b->params, b->model->compiled, b->model->params);
  nas_compiled_derive(b->compiled, b->params, b->derived, 0, 1);
  status = run(b, poll, poll_context, err);
  if (status != NAS_OK) return status;
  *loss = 0;
  for (int group = 0; group < b->groups; group++) *loss += b->losses[group];
  *loss /= b->count;
  if (!isfinite(*loss)) return nas_fail(err, NAS_DIVERGED, "the loss of the batch is not finite");
  nas_model_copy_sets(b->model->compiled, gradient, b->compiled, b->gradient);
  return NAS_OK;
}

nas_status nas_model_gradients(const nas_model *m, const nas_tensor *inputs,
                               const nas_tensor *targets, nas_poll *poll, void *poll_context,
                               float *gradient, nas_tensor **d_inputs, double *loss,
                               nas_error *err) {
  batch b = {.model = m};
  nas_dataset *data = NULL;
  nas_tensor *floats = NULL;
  *d_inputs = NULL;
  nas_status status = check_targets(m, targets, nas_tensor_dims(inputs)[0], err);
  if (status == NAS_OK) status = nas_tensor_convert(&floats, targets, NAS_FLOAT32, err);
  if (status == NAS_OK) status = nas_model_adopt(m, inputs, &data, err);
  if (status == NAS_OK) {
    b.data = data;
    b.targets = floats;
    b.count = (int)nas_dataset_count(data);
    status = make_d_inputs(&b, d_inputs, err);
  }
  if (status == NAS_OK) {
    b.d_inputs = nas_tensor_data(*d_inputs);
    status = compute(&b, poll, poll_context, gradient, loss, err);
  }
  if (status != NAS_OK) nas_tensor_destroy(d_inputs);
  clear(&b);
  nas_tensor_destroy(&floats);
  nas_dataset_release(&data);
  return status;
}
