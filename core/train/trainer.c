#include <nas/trainer.h>
#include <math.h>
#include <nas/memory.h>
#include <nas/random.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include "kernel.h"

/* What one thread has to itself. */
typedef struct worker {
  float *d_params; /* gradient of a group */
  double *totals;  /* what layers that couple images collected, of the whole batch */
} worker;

/* Sums over the images of a group, in image order. */
typedef struct tally {
  double loss;
  int64_t right;
} tally;

struct nas_trainer {
  nas_compiled *compiled;
  nas_dataset *data;
  nas_recipe recipe;
  nas_pool *pool;
  uint64_t seed;
  nas_status broken; /* NAS_OK, or why no epoch can follow */
  int epoch;
  uint64_t step;

  size_t floats;   /* of params that are trained, and of what has the same size */
  float *params;   /* all threads read; changed between barriers */
  float *derived;  /* what compiled layers derive from them */
  float *gradient; /* of the batch: the groups' sums, added in group order */
  float *moments[NAS_MOMENTS_MAX];
  worker *workers;
  int worker_count;

  /* Activations and gradients of a micro-batch: one arena for each worker, or, where layers couple
   * images, for each micro-batch of a batch. */
  float **arenas;
  int arena_count;
  double *sums; /* of each group of a batch */

  int32_t *order; /* positions of the images of the epoch, as they are visited */
  int64_t order_size;
  tally *tallies; /* of each group of a batch, or of the whole validation */

  /* The epoch under way: worker 0 writes between barriers, all read. */
  nas_poll *poll;
  void *poll_context;
  nas_status stop;
  atomic_long *next_group; /* of each phase of a batch */
  nas_turn turn;           /* groups of this epoch that were added */
};

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* -- images ----------------------------------------------------------------------------------- */

/* Pixels x / 255 of one image into image n of the input map. */
static void load_image(const nas_map *map, float *arena, int n, const uint8_t *pixels) {
  for (int y = 0; y < map->height; y++) {
    float *row = nas_map_data(map, arena) + nas_map_at(map, n, y, 0);
    for (int i = 0; i < map->width * map->channels; i++) row[i] = (float)*pixels++ / 255.0f;
  }
}

static void load(const nas_trainer *t, const int32_t *images, int count, float *arena) {
  const nas_map *input = nas_compiled_input(t->compiled),
                *target = nas_compiled_target(t->compiled);
  for (int n = 0; n < count; n++) {
    load_image(input, arena, n, nas_dataset_pixels(t->data, images[n]));
    nas_map_data(target, arena)[nas_map_at(target, n, 0, 0)] =
        (float)nas_dataset_label(t->data, images[n]);
  }
}

/* The largest value, the first among equals. */
static int largest(const float *z, int count) {
  int best = 0;
  for (int k = 1; k < count; k++)
    if (z[k] > z[best]) best = k;
  return best;
}

/* Adds the losses of the images in the arena to the tally, and how many are predicted right. */
static void count_images(const nas_trainer *t, const int32_t *images, int count, float *arena,
                         tally *sum) {
  const nas_map *loss = nas_compiled_loss(t->compiled), *output = nas_compiled_output(t->compiled);
  for (int n = 0; n < count; n++) {
    const float *z = nas_map_data(output, arena) + nas_map_at(output, n, 0, 0);
    sum->loss += (double)nas_map_data(loss, arena)[nas_map_at(loss, n, 0, 0)];
    sum->right += largest(z, output->channels) == nas_dataset_label(t->data, images[n]);
  }
}

static nas_pass pass_of(const nas_trainer *t, const int32_t *images, int count, float *arena) {
  return (nas_pass){.kernels = nas_compiled_kernels(t->compiled),
                    .arena = arena,
                    .params = t->params,
                    .derived = t->derived,
                    .images = count,
                    .seed = t->seed,
                    .epoch = t->epoch,
                    .image = images};
}

static int group_size(int64_t first, int64_t end) {
  return end - first < NAS_GROUP ? (int)(end - first) : NAS_GROUP;
}

static long group_count(int64_t images) {
  return (long)((images + NAS_GROUP - 1) / NAS_GROUP);
}

static tally sum_tallies(const tally *tallies, long groups) {
  tally sum = {0};
  for (long g = 0; g < groups; g++) {
    sum.loss += tallies[g].loss;
    sum.right += tallies[g].right;
  }
  return sum;
}

/* -- an epoch of training --------------------------------------------------------------------- */

typedef struct epoch_task {
  nas_trainer *trainer;
  tally sum; /* over the epoch */
  int64_t failed_batch;
} epoch_task;

/* A batch: images order[first .. end), cut into groups. It is trained in phases: forwards through
 * all segments of the network but the last, through the last and back, and back through the
 * others. */
typedef struct nas_batch {
  int64_t first, end;
  long groups;
  unsigned long turn; /* groups, times segments, that were added before it */
} nas_batch;

/* Adds what a group gave for the parameters of a segment when all earlier groups were added: the
 * first group of a batch sets. */
static void add_in_turn(nas_trainer *t, const float *d_params, int segment, unsigned long turn,
                        int set) {
  size_t count, from = nas_compiled_segment_params(t->compiled, segment, &count);
  nas_pool_await(t->pool, &t->turn, turn);
  if (set)
    memcpy(t->gradient + from, d_params + from, count * sizeof(float));
  else
    for (size_t i = from; i < from + count; i++) t->gradient[i] += d_params[i];
  nas_pool_pass(t->pool, &t->turn, turn + 1);
}

static void clear_gradient(const nas_trainer *t, float *d_params, int segment) {
  size_t count, from = nas_compiled_segment_params(t->compiled, segment, &count);
  memset(d_params + from, 0, count * sizeof(float));
}

/* Group `group` of the batch, a micro-batch at a time, through one phase. The result does not
 * depend on how a group is cut. */
static void run_group(nas_trainer *t, int id, const nas_batch *batch, long group, int phase) {
  int segments = nas_compiled_segments(t->compiled), last = segments - 1;
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  int64_t at = batch->first + group * NAS_GROUP;
  int count = group_size(at, batch->end), back = 2 * last - phase;
  worker *w = &t->workers[id];
  long arena = segments == 1 ? id : group * ((NAS_GROUP + micro_batch - 1) / micro_batch);
  if (phase == 0) t->tallies[group] = (tally){0};
  if (phase >= last) clear_gradient(t, w->d_params, back);
  for (int from = 0; from < count; from += micro_batch) {
    int n = count - from < micro_batch ? count - from : micro_batch;
    const int32_t *images = t->order + at + from;
    nas_pass pass = pass_of(t, images, n, t->arenas[arena]);
    pass.training = 1;
    pass.d_params = w->d_params;
    pass.first = (int)(at - batch->first) + from;
    pass.batch = (int)(batch->end - batch->first);
    pass.sums = t->sums + (size_t)group * nas_compiled_sums(t->compiled);
    pass.totals = w->totals;
    if (phase == 0) load(t, images, n, pass.arena);
    if (phase <= last) nas_compiled_forward(t->compiled, phase, &pass);
    if (phase == last) count_images(t, images, n, pass.arena, &t->tallies[group]);
    if (phase >= last) nas_compiled_backward(t->compiled, back, &pass);
    arena += segments > 1;
  }
  if (phase < last) return;
  unsigned long turn = batch->turn + (unsigned long)((phase - last) * batch->groups + group);
  add_in_turn(t, w->d_params, back, turn, group == 0);
}

/* The gradient of a batch, by all workers. */
static void batch_gradient(nas_trainer *t, int id, const nas_batch *batch) {
  int last = nas_compiled_segments(t->compiled) - 1;
  long group;
  for (int phase = 0; phase <= 2 * last; phase++) {
    if (phase > 0) {
      nas_pool_barrier(t->pool);
      int segment = phase <= last ? phase : 2 * last - phase + 1;
      nas_compiled_total(t->compiled, segment, phase > last, t->sums, (int)batch->groups,
                         t->workers[id].totals);
    }
    while ((group = atomic_fetch_add(&t->next_group[phase], 1)) < batch->groups)
      run_group(t, id, batch, group, phase);
  }
}

/* Each worker takes a slice of the parameters, in whole cache lines. */
static void optimizer_step(nas_trainer *t, int part, int parts) {
  size_t lines = t->floats / NAS_LANES;
  size_t from = lines * (size_t)part / (size_t)parts * NAS_LANES;
  size_t end = lines * (size_t)(part + 1) / (size_t)parts * NAS_LANES;
  float *moments[NAS_MOMENTS_MAX];
  for (int m = 0; m < NAS_MOMENTS_MAX; m++)
    moments[m] = t->moments[m] ? t->moments[m] + from : NULL;
  t->recipe.optimizer->step(t->recipe.optimizer_options, t->step, t->params + from,
                            t->gradient + from, moments, end - from);
}

static size_t sums_bytes(const nas_trainer *t) {
  return (size_t)group_count(t->recipe.batch) * nas_compiled_sums(t->compiled) * sizeof(double);
}

static void start_phases(nas_trainer *t) {
  int phases = 2 * nas_compiled_segments(t->compiled) - 1;
  for (int phase = 0; phase < phases; phase++) atomic_store(&t->next_group[phase], 0);
}

/* Worker 0, while the others wait: whether the epoch goes on, and what its step needs. */
static void settle_batch(epoch_task *task, const nas_batch *batch) {
  nas_trainer *t = task->trainer;
  tally sum = sum_tallies(t->tallies, batch->groups);
  task->sum.loss += sum.loss;
  task->sum.right += sum.right;
  t->step++;
  start_phases(t);
  memset(t->sums, 0, (size_t)batch->groups * nas_compiled_sums(t->compiled) * sizeof(double));
  if (!isfinite(sum.loss)) {
    t->stop = NAS_DIVERGED;
    task->failed_batch = batch->first / t->recipe.batch + 1;
  } else if (t->poll && t->poll(t->poll_context))
    t->stop = NAS_INTERRUPTED;
  else
    nas_compiled_settle(t->compiled, t->workers[0].totals, (int)(batch->end - batch->first),
                        t->params);
}

static void train_worker(void *context, int id, int workers) {
  epoch_task *task = context;
  nas_trainer *t = task->trainer;
  nas_batch batch = {0};
  for (; batch.first < t->order_size; batch.first = batch.end) {
    int64_t left = t->order_size - batch.first;
    batch.end = batch.first + (left < t->recipe.batch ? left : t->recipe.batch);
    batch.groups = group_count(batch.end - batch.first);
    batch_gradient(t, id, &batch);
    batch.turn += (unsigned long)(nas_compiled_segments(t->compiled) * batch.groups);
    nas_pool_barrier(t->pool);
    if (id == 0) settle_batch(task, &batch);
    nas_pool_barrier(t->pool);
    if (t->stop != NAS_OK) return;
    optimizer_step(t, id, workers);
    nas_pool_barrier(t->pool);
    nas_compiled_derive(t->compiled, t->params, t->derived, id, workers);
    nas_pool_barrier(t->pool);
  }
}

/* The order in which epoch `epoch` visits the training images. */
static void shuffle(nas_trainer *t) {
  const uint64_t address[] = {(uint64_t)t->epoch};
  nas_stream stream = nas_stream_open(t->seed, "shuffle", address, 1);
  const int32_t *training = nas_dataset_training(t->data, &t->order_size);
  nas_stream_permutation(&stream, t->order, (size_t)t->order_size);
  for (int64_t i = 0; i < t->order_size; i++) t->order[i] = training[t->order[i]];
}

static nas_status train(nas_trainer *t, nas_epoch *result, nas_error *err) {
  epoch_task task = {.trainer = t};
  shuffle(t);
  t->stop = NAS_OK;
  start_phases(t);
  memset(t->sums, 0, sums_bytes(t));
  atomic_store(&t->turn.value, 0);
  nas_pool_run(t->pool, train_worker, &task);
  if (t->stop == NAS_DIVERGED)
    return nas_fail(err, NAS_DIVERGED, "the loss is not finite in epoch %d, batch %lld", t->epoch,
                    (long long)task.failed_batch);
  if (t->stop != NAS_OK)
    return nas_fail(err, t->stop, "training was interrupted in epoch %d", t->epoch);
  result->train_loss = task.sum.loss / (double)t->order_size;
  result->train_accuracy = (double)task.sum.right / (double)t->order_size;
  return NAS_OK;
}

/* -- validation ------------------------------------------------------------------------------- */

static void validate_worker(void *context, int id, int workers) {
  (void)workers;
  nas_trainer *t = context;
  int64_t count;
  const int32_t *all = nas_dataset_validation(t->data, &count);
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  long groups = group_count(count), g;
  while ((g = atomic_fetch_add(&t->next_group[0], 1)) < groups) {
    const int32_t *images = all + g * NAS_GROUP;
    t->tallies[g] = (tally){0};
    for (int size = group_size(g * NAS_GROUP, count), from = 0; from < size; from += micro_batch) {
      int n = size - from < micro_batch ? size - from : micro_batch;
      nas_pass pass = pass_of(t, images + from, n, t->arenas[id]);
      load(t, images + from, n, pass.arena);
      nas_compiled_evaluate(t->compiled, &pass);
      count_images(t, images + from, n, pass.arena, &t->tallies[g]);
    }
  }
}

static nas_status validate(nas_trainer *t, nas_epoch *result, nas_error *err) {
  int64_t count;
  nas_dataset_validation(t->data, &count);
  start_phases(t);
  nas_pool_run(t->pool, validate_worker, t);
  tally sum = sum_tallies(t->tallies, group_count(count));
  result->loss = sum.loss / (double)count;
  result->accuracy = (double)sum.right / (double)count;
  if (!isfinite(result->loss))
    return nas_fail(err, NAS_DIVERGED, "the validation loss is not finite after epoch %d",
                    t->epoch);
  return NAS_OK;
}

nas_status nas_trainer_epoch(nas_trainer *t, nas_poll *poll, void *poll_context, nas_epoch *result,
                             nas_error *err) {
  if (t->broken != NAS_OK)
    return nas_fail(err, NAS_STATE, "this trainer ended: %s", nas_status_text(t->broken));
  double start = seconds_now();
  *result = (nas_epoch){.epoch = ++t->epoch};
  t->poll = poll;
  t->poll_context = poll_context;
  t->broken = train(t, result, err);
  result->train_seconds = seconds_now() - start;
  if (t->broken == NAS_OK) t->broken = validate(t, result, err);
  result->seconds = seconds_now() - start;
  return t->broken;
}

/* -- making ----------------------------------------------------------------------------------- */

static nas_status check_recipe(const nas_recipe *recipe, nas_error *err) {
  if (recipe->batch < 1 || recipe->batch > 65536)
    return nas_fail(err, NAS_ARGUMENT, "batch is %d; expected an integer from 1 to 65536",
                    recipe->batch);
  if (!recipe->optimizer || !recipe->loss || !recipe->loss->is_loss)
    return nas_fail(err, NAS_ARGUMENT, "a recipe needs an optimizer and a loss");
  return NAS_OK;
}

/* The network's input must be the data's images, its output a logit for each class. */
static nas_status check_fit(const nas_network *network, nas_node *output, const nas_dataset *data,
                            nas_error *err) {
  char text[NAS_SHAPE_TEXT];
  int dims[3];
  nas_dataset_image_dims(data, dims);
  nas_shape in = {0}, out = nas_node_shape(output);
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    if (strcmp(nas_node_kind(node)->name, "input") == 0) in = nas_node_shape(node);
    if (strcmp(nas_node_kind(node)->name, "target") == 0)
      return nas_fail(err, NAS_ARGUMENT, "the network's output depends on the target");
  }
  nas_shape_text(in, text);
  if (in.dim[0] != dims[0] || in.dim[1] != dims[1] || in.dim[2] != dims[2])
    return nas_fail(err, NAS_ARGUMENT,
                    "the network's input has shape %s; the images of %s have %dx%dx%d", text,
                    nas_dataset_name(data), dims[0], dims[1], dims[2]);
  nas_shape_text(out, text);
  if (out.rank != 1 || out.dim[0] != nas_dataset_classes(data))
    return nas_fail(err, NAS_ARGUMENT,
                    "the network's output has shape %s; %s has %d classes, so expected %d units",
                    text, nas_dataset_name(data), nas_dataset_classes(data),
                    nas_dataset_classes(data));
  return NAS_OK;
}

/* output -> loss(output, target) */
static nas_status add_loss(const nas_trainer *t, nas_node *output, nas_node **loss,
                           nas_error *err) {
  const nas_layer_kind *kind = nas_layer_kind_find("target", err);
  nas_node *target;
  nas_status status = nas_node_create(&target, kind, NULL, NULL, 0, err);
  if (status != NAS_OK) return status;
  status = nas_node_create(loss, t->recipe.loss, NULL, (nas_node *[]){output, target}, 2, err);
  nas_node_release(&target);
  return status;
}

static nas_status compile_with(nas_trainer *t, nas_node *loss, const nas_compile_options *how,
                               nas_error *err) {
  nas_network *network;
  nas_status status = nas_network_create(&network, loss, err);
  if (status == NAS_OK) status = nas_compiled_create(&t->compiled, network, how, err);
  nas_network_destroy(&network);
  return status;
}

static nas_status compile(nas_trainer *t, nas_node *output, const nas_trainer_options *options,
                          nas_error *err) {
  nas_node *loss = NULL;
  nas_network *network;
  nas_compile_options how = {
      .micro_batch = options->micro_batch, .kernels = options->kernels, .output = output};
  nas_status status = nas_network_create(&network, output, err);
  if (status == NAS_OK) status = check_fit(network, output, t->data, err);
  if (status == NAS_OK) status = add_loss(t, output, &loss, err);
  if (status == NAS_OK) status = compile_with(t, loss, &how, err);
  nas_network_destroy(&network);
  nas_node_release(&loss);
  return status;
}

/* One for each worker, or, where layers couple images, for each micro-batch of a batch too. */
static nas_status allocate_arenas(nas_trainer *t, nas_error *err) {
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  int of_group = (NAS_GROUP + micro_batch - 1) / micro_batch;
  int of_batch = (int)group_count(t->recipe.batch) * of_group;
  size_t floats = nas_compiled_arena_floats(t->compiled);
  t->arena_count = t->worker_count;
  if (nas_compiled_segments(t->compiled) > 1 && of_batch > t->arena_count)
    t->arena_count = of_batch;
  int missing = !(t->arenas = nas_alloc_zero((size_t)t->arena_count, sizeof *t->arenas));
  for (int i = 0; !missing && i < t->arena_count; i++)
    missing = !(t->arenas[i] = nas_alloc_zero(floats, sizeof(float)));
  return missing ? nas_fail_memory(err, "activations", (size_t)t->arena_count * floats * 4)
                 : NAS_OK;
}

static nas_status allocate(nas_trainer *t, nas_error *err) {
  int64_t validation, largest;
  nas_dataset_training(t->data, &t->order_size);
  nas_dataset_validation(t->data, &validation);
  largest = validation > t->recipe.batch ? validation : t->recipe.batch;
  size_t derived = nas_compiled_derived_floats(t->compiled);
  size_t params = nas_compiled_param_floats(t->compiled);
  size_t phases = 2 * (size_t)nas_compiled_segments(t->compiled) - 1;
  t->floats = nas_compiled_trained_floats(t->compiled);
  t->worker_count = nas_pool_threads(t->pool);

  int missing = 0;
  missing |= !(t->params = nas_alloc_zero(params, sizeof(float)));
  missing |= !(t->gradient = nas_alloc_zero(t->floats, sizeof(float)));
  missing |= !(t->derived = nas_alloc_zero(derived, sizeof(float)));
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    missing |= !(t->moments[m] = nas_alloc_zero(t->floats, sizeof(float)));
  missing |= !(t->order = nas_alloc((size_t)t->order_size, sizeof(int32_t)));
  missing |= !(t->tallies = nas_alloc((size_t)group_count(largest), sizeof(tally)));
  missing |= !(t->next_group = nas_alloc_zero(phases, sizeof *t->next_group));
  missing |= !(t->sums = nas_alloc_zero(sums_bytes(t), 1));
  missing |= !(t->workers = nas_alloc_zero((size_t)t->worker_count, sizeof(worker)));
  for (int i = 0; t->workers && i < t->worker_count; i++) {
    missing |= !(t->workers[i].d_params = nas_alloc_zero(t->floats, sizeof(float)));
    missing |= !(t->workers[i].totals = nas_alloc(nas_compiled_sums(t->compiled), sizeof(double)));
  }
  size_t all = 4 * (params + derived + (size_t)(3 + t->worker_count) * t->floats);
  if (missing) return nas_fail_memory(err, "training", all);
  return allocate_arenas(t, err);
}

nas_status nas_trainer_create(nas_trainer **out, nas_node *output, nas_dataset *data,
                              const nas_recipe *recipe, uint64_t seed, nas_pool *pool,
                              const nas_trainer_options *options, nas_error *err) {
  static const nas_trainer_options defaults = {0};
  int64_t training, validation;
  *out = NULL;
  nas_status status = check_recipe(recipe, err);
  if (status != NAS_OK) return status;
  nas_dataset_training(data, &training);
  nas_dataset_validation(data, &validation);
  if (training < 1 || validation < 1)
    return nas_fail(err, NAS_ARGUMENT,
                    "%s has %lld training and %lld validation images; split it first",
                    nas_dataset_name(data), (long long)training, (long long)validation);

  nas_trainer *t = nas_alloc_zero(1, sizeof *t);
  if (!t) return nas_fail_memory(err, "a trainer", sizeof *t);
  t->data = nas_dataset_retain(data);
  t->recipe = *recipe;
  t->seed = seed;
  t->pool = pool;
  status = compile(t, output, options ? options : &defaults, err);
  if (status == NAS_OK) status = allocate(t, err);
  if (status == NAS_OK) {
    nas_compiled_init(t->compiled, seed, t->params);
    nas_compiled_derive(t->compiled, t->params, t->derived, 0, 1);
    *out = t;
  } else
    nas_trainer_destroy(&t);
  return status;
}

void nas_trainer_destroy(nas_trainer **handle) {
  if (!handle || !*handle) return;
  nas_trainer *t = *handle;
  for (int i = 0; t->workers && i < t->worker_count; i++) {
    nas_free(t->workers[i].d_params);
    nas_free(t->workers[i].totals);
  }
  for (int i = 0; t->arenas && i < t->arena_count; i++) nas_free(t->arenas[i]);
  nas_free(t->arenas);
  nas_free(t->sums);
  nas_free(t->next_group);
  for (int m = 0; m < NAS_MOMENTS_MAX; m++) nas_free(t->moments[m]);
  nas_free(t->workers);
  nas_free(t->params);
  nas_free(t->gradient);
  nas_free(t->derived);
  nas_free(t->order);
  nas_free(t->tallies);
  nas_compiled_destroy(&t->compiled);
  nas_dataset_release(&t->data);
  nas_free(t);
  *handle = NULL;
}

/* -- looking ---------------------------------------------------------------------------------- */

const nas_compiled *nas_trainer_compiled(const nas_trainer *t) {
  return t->compiled;
}
const float *nas_trainer_params(const nas_trainer *t) {
  return t->params;
}

/* Appends the numbers of all parameter sets without padding, little-endian. */
static void add_numbers(const nas_compiled *compiled, const float *array, int trained_only,
                        nas_text *bytes) {
  for (int i = 0; i < nas_compiled_param_count(compiled); i++) {
    nas_param_place set = nas_compiled_param(compiled, i);
    if (trained_only && set.is.use == NAS_PARAM_STATE) continue;
    for (size_t r = 0; r < set.rows; r++)
      for (int o = 0; o < set.width; o++) {
        uint32_t bits;
        memcpy(&bits, &array[set.at + r * (size_t)nas_row(set.width) + (size_t)o], sizeof bits);
        const uint8_t little[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                                   (uint8_t)(bits >> 24)};
        nas_text_add_bytes(bytes, little, sizeof little);
      }
  }
}

nas_status nas_trainer_digest(const nas_trainer *t, nas_hash *digest, nas_error *err) {
  nas_text bytes = {0};
  add_numbers(t->compiled, t->params, 0, &bytes);
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    add_numbers(t->compiled, t->moments[m], 1, &bytes);
  int failed = bytes.failed;
  *digest = nas_hash_bytes(bytes.data, bytes.size);
  nas_text_clear(&bytes);
  return failed ? nas_fail_memory(err, "a digest", 4 * t->floats) : NAS_OK;
}
