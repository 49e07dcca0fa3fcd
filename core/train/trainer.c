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
  float *arena;    /* activations and gradients of a micro-batch */
  float *d_params; /* gradient of a group */
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

  size_t floats;   /* of params, and of what has the same size */
  float *params;   /* all threads read; changed between barriers */
  float *derived;  /* what compiled layers derive from them */
  float *gradient; /* of the batch: the groups' sums, added in group order */
  float *moments[NAS_MOMENTS_MAX];
  worker *workers;
  int worker_count;

  int32_t *order; /* positions of the images of the epoch, as they are visited */
  int64_t order_size;
  tally *tallies; /* of each group of a batch, or of the whole validation */

  /* The epoch under way: worker 0 writes between barriers, all read. */
  nas_poll *poll;
  void *poll_context;
  nas_status stop;
  atomic_long next_group;
  nas_turn turn; /* groups of this epoch that were added */
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

/* A run of images through the network, a micro-batch at a time; backwards too when d_params is not
 * NULL. The result does not depend on how the run is cut. */
static tally run_images(const nas_trainer *t, const worker *w, const int32_t *images, int count,
                        float *d_params, float loss_scale) {
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  const nas_map *input = nas_compiled_input(t->compiled);
  int32_t labels[NAS_GROUP], predicted[NAS_GROUP];
  float loss[NAS_GROUP];
  tally sum = {0};
  for (int first = 0; first < count; first += micro_batch) {
    int n = count - first < micro_batch ? count - first : micro_batch;
    for (int i = 0; i < n; i++) {
      load_image(input, w->arena, i, nas_dataset_pixels(t->data, images[first + i]));
      labels[i] = nas_dataset_label(t->data, images[first + i]);
    }
    nas_pass pass = {.kernels = nas_compiled_kernels(t->compiled),
                     .arena = w->arena,
                     .params = t->params,
                     .derived = t->derived,
                     .d_params = d_params,
                     .images = n,
                     .labels = labels,
                     .loss_scale = loss_scale,
                     .loss = loss,
                     .predicted = predicted};
    nas_compiled_forward(t->compiled, &pass);
    if (d_params) nas_compiled_backward(t->compiled, &pass);
    for (int i = 0; i < n; i++) {
      sum.loss += (double)loss[i];
      sum.right += predicted[i] == labels[i];
    }
  }
  return sum;
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

/* Adds a group's gradient when all earlier groups were added: the first group of a batch sets. */
static void add_in_turn(nas_trainer *t, const float *d_params, unsigned long turn, int set) {
  nas_pool_await(t->pool, &t->turn, turn);
  if (set)
    memcpy(t->gradient, d_params, t->floats * sizeof(float));
  else
    for (size_t i = 0; i < t->floats; i++) t->gradient[i] += d_params[i];
  nas_pool_pass(t->pool, &t->turn, turn + 1);
}

/* The gradient of the images order[first .. end), by all workers; `turn` groups came before. */
static void batch_gradient(nas_trainer *t, worker *w, int64_t first, int64_t end,
                           unsigned long turn) {
  float scale = 1.0f / (float)(end - first);
  long groups = group_count(end - first), g;
  while ((g = atomic_fetch_add(&t->next_group, 1)) < groups) {
    int64_t at = first + g * NAS_GROUP;
    memset(w->d_params, 0, t->floats * sizeof(float));
    t->tallies[g] = run_images(t, w, t->order + at, group_size(at, end), w->d_params, scale);
    add_in_turn(t, w->d_params, turn + (unsigned long)g, g == 0);
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

/* Worker 0, while the others wait: whether the epoch goes on, and what its step needs. */
static void settle_batch(epoch_task *task, int64_t first, int64_t end) {
  nas_trainer *t = task->trainer;
  tally sum = sum_tallies(t->tallies, group_count(end - first));
  task->sum.loss += sum.loss;
  task->sum.right += sum.right;
  t->step++;
  atomic_store(&t->next_group, 0);
  if (!isfinite(sum.loss)) {
    t->stop = NAS_DIVERGED;
    task->failed_batch = first / t->recipe.batch + 1;
  } else if (t->poll && t->poll(t->poll_context))
    t->stop = NAS_INTERRUPTED;
}

static void train_worker(void *context, int id, int workers) {
  epoch_task *task = context;
  nas_trainer *t = task->trainer;
  unsigned long turn = 0;
  for (int64_t first = 0; first < t->order_size; first += t->recipe.batch) {
    int64_t end = first + t->recipe.batch < t->order_size ? first + t->recipe.batch : t->order_size;
    batch_gradient(t, &t->workers[id], first, end, turn);
    turn += (unsigned long)group_count(end - first);
    nas_pool_barrier(t->pool);
    if (id == 0) settle_batch(task, first, end);
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
  atomic_store(&t->next_group, 0);
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
  const int32_t *images = nas_dataset_validation(t->data, &count);
  long groups = group_count(count), g;
  while ((g = atomic_fetch_add(&t->next_group, 1)) < groups) {
    int64_t at = g * NAS_GROUP;
    t->tallies[g] = run_images(t, &t->workers[id], images + at, group_size(at, count), NULL, 1.0f);
  }
}

static nas_status validate(nas_trainer *t, nas_epoch *result, nas_error *err) {
  int64_t count;
  nas_dataset_validation(t->data, &count);
  atomic_store(&t->next_group, 0);
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
  for (int i = 0; i < nas_network_size(network); i++)
    if (nas_node_input_count(nas_network_node(network, i)) == 0)
      in = nas_node_shape(nas_network_node(network, i));
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

static nas_status compile(nas_trainer *t, nas_node *output, const nas_trainer_options *options,
                          nas_error *err) {
  nas_node *loss = NULL;
  nas_network *network = NULL;
  nas_compile_options how = {options->micro_batch, options->kernels};
  nas_status status = nas_node_create(&loss, t->recipe.loss, NULL, &output, 1, err);
  if (status == NAS_OK) status = nas_network_create(&network, loss, err);
  if (status == NAS_OK) status = check_fit(network, output, t->data, err);
  if (status == NAS_OK) status = nas_compiled_create(&t->compiled, network, &how, err);
  nas_network_destroy(&network);
  nas_node_release(&loss);
  return status;
}

static nas_status allocate(nas_trainer *t, nas_error *err) {
  int64_t validation, largest;
  nas_dataset_training(t->data, &t->order_size);
  nas_dataset_validation(t->data, &validation);
  largest = validation > t->recipe.batch ? validation : t->recipe.batch;
  size_t arena = nas_compiled_arena_floats(t->compiled), derived, all;
  derived = nas_compiled_derived_floats(t->compiled);
  t->floats = nas_compiled_param_floats(t->compiled);
  t->worker_count = nas_pool_threads(t->pool);

  int missing = 0;
  missing |= !(t->params = nas_alloc_zero(t->floats, sizeof(float)));
  missing |= !(t->gradient = nas_alloc_zero(t->floats, sizeof(float)));
  missing |= !(t->derived = nas_alloc_zero(derived, sizeof(float)));
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    missing |= !(t->moments[m] = nas_alloc_zero(t->floats, sizeof(float)));
  missing |= !(t->order = nas_alloc((size_t)t->order_size, sizeof(int32_t)));
  missing |= !(t->tallies = nas_alloc((size_t)group_count(largest), sizeof(tally)));
  missing |= !(t->workers = nas_alloc_zero((size_t)t->worker_count, sizeof(worker)));
  for (int i = 0; t->workers && i < t->worker_count; i++) {
    missing |= !(t->workers[i].arena = nas_alloc_zero(arena, sizeof(float)));
    missing |= !(t->workers[i].d_params = nas_alloc_zero(t->floats, sizeof(float)));
  }
  all = 4 * (5 * t->floats + derived + (size_t)t->worker_count * (arena + t->floats));
  return missing ? nas_fail_memory(err, "training", all) : NAS_OK;
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
    nas_free(t->workers[i].arena);
    nas_free(t->workers[i].d_params);
  }
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
static void add_numbers(const nas_compiled *compiled, const float *array, nas_text *bytes) {
  for (int i = 0; i < nas_compiled_param_count(compiled); i++) {
    nas_param_place set = nas_compiled_param(compiled, i);
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
  add_numbers(t->compiled, t->params, &bytes);
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    add_numbers(t->compiled, t->moments[m], &bytes);
  int failed = bytes.failed;
  *digest = nas_hash_bytes(bytes.data, bytes.size);
  nas_text_clear(&bytes);
  return failed ? nas_fail_memory(err, "a digest", 4 * t->floats) : NAS_OK;
}
