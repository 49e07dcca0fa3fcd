#include <nas/trainer.h>
#include <math.h>
#include <nas/augment.h>
#include <nas/memory.h>
#include <string.h>
#include "kernel.h"
#include "state.h"

void nas_training_default(nas_training *training) {
  *training = (nas_training){0};
}

/* -- what fits together ----------------------------------------------------------------------- */

static nas_status check_data(const nas_dataset *data, nas_error *err) {
  int64_t training, validation;
  nas_dataset_training(data, &training);
  nas_dataset_validation(data, &validation);
  if (training >= 1 && validation >= 1) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "%s has %lld training and %lld validation images; split it first",
                  nas_dataset_name(data), (long long)training, (long long)validation);
}

static nas_shape input_shape(const nas_dataset *data) {
  nas_shape shape = {0};
  int dims[3];
  shape.rank = nas_dataset_input_shape(data, dims);
  memcpy(shape.dim, dims, sizeof(int) * (size_t)shape.rank);
  return shape;
}

static nas_status check_input(const nas_network *network, const nas_dataset *data, nas_error *err) {
  char found[NAS_SHAPE_TEXT], expected[NAS_SHAPE_TEXT];
  if (nas_target_node(network) >= 0)
    return nas_fail(err, NAS_ARGUMENT, "the network's output depends on the target");
  nas_shape_text(input_shape(data), expected);
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    if (strcmp(nas_node_kind(node)->name, "input") != 0) continue;
    nas_shape_text(nas_node_shape(node), found);
    if (strcmp(found, expected) != 0)
      return nas_fail(err, NAS_ARGUMENT,
                      "the network's input has shape %s; the inputs of %s have %s", found,
                      nas_dataset_name(data), expected);
  }
  return NAS_OK;
}

/* One output for each class or target value; or one for two classes. */
static nas_status check_output(const nas_node *output, const nas_dataset *data, nas_error *err) {
  nas_shape shape = nas_node_shape(output);
  char text[NAS_SHAPE_TEXT];
  int classes = nas_dataset_classes(data), values = nas_dataset_target_size(data);
  nas_shape_text(shape, text);
  if (nas_dataset_task(data) == NAS_TASK_VALUES) {
    if (shape.rank == 1 && shape.dim[0] == values) return NAS_OK;
    return nas_fail(err, NAS_ARGUMENT,
                    "the network's output has shape %s; a target of %s has %d values, so expected "
                    "%d units",
                    text, nas_dataset_name(data), values, values);
  }
  if (shape.rank == 1 && (shape.dim[0] == classes || (classes == 2 && shape.dim[0] == 1)))
    return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "the network's output has shape %s; %s has %d classes, so expected %d units",
                  text, nas_dataset_name(data), classes, classes);
}

/* Whether an augmentation changes nothing. */
static int is_default(const nas_option_value *augment) {
  nas_option_value none[NAS_OPTIONS_MAX];
  nas_options_default(&nas_augment_table, none);
  for (int i = 0; i < nas_augment_table.count; i++) {
    const nas_option_value *a = &augment[i], *b = &none[i];
    switch (nas_augment_table.options[i].type) {
    case NAS_OPTION_NUMBER:
      if (a->number != b->number) return 0;
      break;
    case NAS_OPTION_PAIR:
      if (a->pair[0] != b->pair[0] || a->pair[1] != b->pair[1]) return 0;
      break;
    default:
      if (a->integer != b->integer) return 0;
    }
  }
  return 1;
}

static nas_status check_augment(nas_trainer *t, nas_error *err) {
  int dims[3], rank = nas_dataset_input_shape(t->data, dims);
  t->augments = !is_default(t->recipe.augment);
  return nas_augment_check(t->recipe.augment, dims, rank, err);
}

/* -- making ----------------------------------------------------------------------------------- */

/* What a node of the kind target is told. */
static int target_values(const nas_dataset *data) {
  return nas_dataset_task(data) == NAS_TASK_VALUES ? nas_dataset_target_size(data) : 0;
}

/* output -> loss(output, target) */
static nas_status recipe_loss(const nas_trainer *t, nas_node *output, nas_node **loss,
                              nas_error *err) {
  const nas_layer_kind *kind = nas_layer_kind_find("target", err);
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_node *target;
  *loss = NULL;
  if (!t->recipe.loss)
    return nas_fail(err, NAS_ARGUMENT, "the recipe names no loss; training needs one");
  nas_options_default(&kind->options, values);
  values[0].integer = target_values(t->data);
  nas_status status = nas_node_create(&target, kind, values, NULL, 0, err);
  if (status != NAS_OK) return status;
  status = nas_node_create(loss, t->recipe.loss, t->recipe.loss_options,
                           (nas_node *[]){output, target}, 2, err);
  nas_node_release(&target);
  return status;
}

int nas_target_node(const nas_network *network) {
  int i = nas_network_size(network) - 1;
  while (i >= 0 && strcmp(nas_node_kind(nas_network_node(network, i))->name, "target") != 0) i--;
  return i;
}

/* The values of all targets, where the recipe's loss is particular about them. */
static nas_status check_targets(const nas_trainer *t, nas_error *err) {
  const nas_layer_kind *loss = t->recipe.loss;
  int values = target_values(t->data);
  if (values == 0 || loss->target_low == loss->target_high) return NAS_OK;
  float *target = nas_alloc((size_t)values, sizeof *target);
  nas_status status = target ? NAS_OK : nas_fail_memory(err, "a target", (size_t)values * 4);
  for (int64_t i = 0; status == NAS_OK && i < nas_dataset_count(t->data); i++) {
    nas_dataset_read_target(t->data, i, target);
    for (int k = 0; k < values && status == NAS_OK; k++)
      if (!((double)target[k] >= loss->target_low && (double)target[k] <= loss->target_high))
        status =
            nas_fail(err, NAS_ARGUMENT,
                     "target %lld of %s has the value %.9g; the loss %s takes values from %.9g "
                     "to %.9g",
                     (long long)i + 1, nas_dataset_name(t->data), (double)target[k], loss->name,
                     loss->target_low, loss->target_high);
  }
  nas_free(target);
  return status;
}

nas_status nas_target_check(const nas_network *network, int values, nas_error *err) {
  int target = nas_target_node(network);
  if (target < 0) return nas_fail(err, NAS_ARGUMENT, "the loss does not depend on a target");
  int found = nas_node_options(nas_network_node(network, target))[0].integer;
  if (found == values) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "the loss takes a target of %d values; the data have %d (0: a class)", found,
                  values);
}

static nas_status compile_with(nas_trainer *t, nas_node *loss, const nas_compile_options *how,
                               nas_error *err) {
  nas_error inner;
  nas_status status = nas_network_create(&t->network, loss, &inner);
  if (status != NAS_OK) return nas_fail(err, status, "the loss: %s", inner.text);
  if (status == NAS_OK) status = nas_target_check(t->network, target_values(t->data), err);
  if (status == NAS_OK) status = nas_compiled_create(&t->compiled, t->network, how, err);
  return status;
}

static nas_status compile(nas_trainer *t, const nas_training *training, nas_error *err) {
  nas_node *loss = training->loss ? nas_node_retain(training->loss) : NULL;
  nas_network *network;
  nas_compile_options how = {.micro_batch = training->micro_batch,
                             .kernels = training->kernels,
                             .winograd = t->recipe.winograd ? NAS_WINOGRAD_AUTO : NAS_WINOGRAD_NONE,
                             .output = training->output};
  nas_status status = nas_network_create(&network, training->output, err);
  if (status == NAS_OK) status = check_input(network, t->data, err);
  if (status == NAS_OK) status = check_output(training->output, t->data, err);
  if (status == NAS_OK && !loss) {
    status = recipe_loss(t, training->output, &loss, err);
    if (status == NAS_OK) status = check_targets(t, err);
  }
  if (status == NAS_OK) status = compile_with(t, loss, &how, err);
  nas_network_destroy(&network);
  nas_node_release(&loss);
  return status;
}

static nas_status allocate_stored(nas_trainer *t, nas_error *err) {
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  int64_t images = t->order_size < t->recipe.batch ? t->order_size : t->recipe.batch;
  int count = (int)nas_group_count(images) * ((NAS_GROUP + micro_batch - 1) / micro_batch);
  size_t floats = nas_compiled_stored_floats(t->compiled);
  if (count < t->worker_count) count = t->worker_count;
  t->stored = nas_alloc_zero((size_t)count, floats * sizeof(float));
  return t->stored ? NAS_OK : nas_fail_memory(err, "activations", (size_t)count * floats * 4);
}

static int allocate_state(const nas_trainer *t, nas_state *state) {
  int missing = !(state->params = nas_alloc_zero(t->floats, sizeof(float)));
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    missing |= !(state->moments[m] = nas_alloc_zero(t->trained, sizeof(float)));
  if (t->recipe.average > 0)
    missing |= !(state->average = nas_alloc_zero(t->floats, sizeof(float)));
  return missing;
}

static int allocate_workers(nas_trainer *t) {
  size_t nodes = (size_t)nas_network_size(t->network);
  size_t scratch = nas_compiled_scratch_floats(t->compiled);
  int missing = !(t->workers = nas_alloc_zero((size_t)t->worker_count, sizeof *t->workers));
  for (int i = 0; t->workers && i < t->worker_count; i++) {
    nas_worker *w = &t->workers[i];
    missing |= !(w->d_params = nas_alloc_zero(t->trained, sizeof(float)));
    missing |= !(w->aside.d_params = nas_alloc_zero(t->trained, sizeof(float)));
    missing |= !(w->kept = nas_alloc_zero(nas_compiled_kept_floats(t->compiled), sizeof(float)));
    missing |= !(w->room = nas_alloc_zero(nas_compiled_room_floats(t->compiled), sizeof(float)));
    missing |= !(w->scratch = nas_alloc_zero(scratch, sizeof(float)));
    missing |= !(w->totals = nas_alloc_zero(nas_compiled_sums(t->compiled), sizeof(double)));
    if (t->profiles) missing |= !(w->seconds = nas_alloc_zero(nodes, sizeof *w->seconds));
  }
  return missing;
}

static nas_status allocate(nas_trainer *t, nas_error *err) {
  int64_t validation, largest;
  nas_dataset_training(t->data, &t->order_size);
  nas_dataset_validation(t->data, &validation);
  largest = validation > t->recipe.batch ? validation : t->recipe.batch;
  size_t derived = nas_compiled_derived_floats(t->compiled);
  size_t phases = 2 * (size_t)nas_compiled_segments(t->compiled) - 1;
  size_t sums = nas_compiled_sums(t->compiled) * (size_t)nas_group_count(t->recipe.batch);
  t->floats = nas_compiled_param_floats(t->compiled);
  t->trained = nas_compiled_trained_floats(t->compiled);
  t->worker_count = nas_pool_threads(t->pool);

  int missing = allocate_state(t, &t->now) | allocate_state(t, &t->whole) | allocate_workers(t);
  missing |= !(t->gradient = nas_alloc_zero(t->trained, sizeof(float)));
  missing |= !(t->derived = nas_alloc_zero(derived, sizeof(float)));
  missing |= !(t->order = nas_alloc((size_t)t->order_size, sizeof(int32_t)));
  missing |= !(t->counts = nas_alloc((size_t)nas_group_count(largest), sizeof *t->counts));
  missing |= !(t->next_group = nas_alloc_zero(phases, sizeof *t->next_group));
  missing |= !(t->sums = nas_alloc_zero(sums, sizeof(double)));
  if (t->recipe.keep == NAS_KEEP_BEST)
    missing |= !(t->best_params = nas_alloc_zero(t->floats, sizeof(float)));
  if (nas_dataset_task(t->data) == NAS_TASK_CLASSES)
    missing |= !(t->predicted = nas_alloc_zero((size_t)validation, sizeof(int32_t)));
  if (missing)
    return nas_fail_memory(
        err, "training",
        4 * (derived + 9 * t->floats +
             (size_t)t->worker_count * (2 * t->floats + nas_compiled_scratch_floats(t->compiled))));
  nas_status status = nas_step_prepare(t, err);
  return status == NAS_OK ? allocate_stored(t, err) : status;
}

static void begin(nas_trainer *t) {
  nas_compiled_init(t->compiled, t->seed, t->now.params);
  if (t->now.average) memcpy(t->now.average, t->now.params, t->floats * sizeof(float));
  nas_state_copy(t, &t->whole, &t->now);
}

nas_status nas_trainer_create(nas_trainer **out, const nas_training *training, nas_error *err) {
  nas_recipe preset;
  *out = NULL;
  nas_recipe_default(&preset);
  const nas_recipe *recipe = training->recipe ? training->recipe : &preset;
  nas_status status = nas_recipe_check(recipe, err);
  if (status == NAS_OK) status = check_data(training->data, err);
  if (status != NAS_OK) return status;

  nas_trainer *t = nas_alloc_zero(1, sizeof *t);
  if (!t) return nas_fail_memory(err, "a trainer", sizeof *t);
  t->data = nas_dataset_retain(training->data);
  t->output = nas_node_retain(training->output);
  t->recipe = *recipe;
  t->seed = training->seed;
  t->pool = training->pool;
  t->seconds_limit = training->seconds;
  t->profiles = training->profile;
  status = check_augment(t, err);
  if (status == NAS_OK) status = compile(t, training, err);
  if (status == NAS_OK) status = allocate(t, err);
  if (status == NAS_OK) {
    begin(t);
    *out = t;
  } else
    nas_trainer_destroy(&t);
  return status;
}

static void free_state(nas_state *state) {
  nas_free(state->params);
  for (int m = 0; m < NAS_MOMENTS_MAX; m++) nas_free(state->moments[m]);
  nas_free(state->average);
}

void nas_trainer_destroy(nas_trainer **handle) {
  if (!handle || !*handle) return;
  nas_trainer *t = *handle;
  for (int i = 0; t->workers && i < t->worker_count; i++) {
    nas_free(t->workers[i].d_params);
    nas_free(t->workers[i].aside.d_params);
    nas_free(t->workers[i].kept);
    nas_free(t->workers[i].room);
    nas_free(t->workers[i].scratch);
    nas_free(t->workers[i].totals);
    nas_free(t->workers[i].seconds);
  }
  free_state(&t->now);
  free_state(&t->whole);
  nas_free(t->stored);
  nas_free(t->workers);
  nas_free(t->gradient);
  nas_free(t->squares);
  nas_free(t->derived);
  nas_free(t->runs);
  nas_free(t->best_params);
  nas_free(t->predicted);
  nas_free(t->order);
  nas_free(t->counts);
  nas_free(t->next_group);
  nas_free(t->sums);
  nas_compiled_destroy(&t->compiled);
  nas_network_destroy(&t->network);
  nas_node_release(&t->output);
  nas_dataset_release(&t->data);
  nas_free(t);
  *handle = NULL;
}

/* -- looking ---------------------------------------------------------------------------------- */

const nas_recipe *nas_trainer_recipe(const nas_trainer *t) {
  return &t->recipe;
}
nas_dataset *nas_trainer_data(const nas_trainer *t) {
  return t->data;
}
int nas_trainer_epochs(const nas_trainer *t) {
  return t->now.epoch;
}
int nas_trainer_best_epoch(const nas_trainer *t) {
  return t->best_epoch;
}
const nas_network *nas_trainer_network(const nas_trainer *t) {
  return t->network;
}
const nas_compiled *nas_trainer_compiled(const nas_trainer *t) {
  return t->compiled;
}
const float *nas_trainer_params(const nas_trainer *t) {
  return t->now.params;
}
const float *nas_trainer_kept(const nas_trainer *t) {
  return t->best_params && t->best_epoch ? t->best_params : nas_state_weights(&t->now);
}
const int32_t *nas_trainer_predicted(const nas_trainer *t) {
  return t->now.epoch && t->predicted_epoch == t->now.epoch ? t->predicted : NULL;
}

/* -- where time goes -------------------------------------------------------------------------- */

/* Adds the times of a worker, and returns their sum. */
static double add_worker(const nas_trainer *t, const nas_worker *w, nas_profile *profile,
                         nas_layer_seconds *layers) {
  double sum = w->loading + w->adding + w->stepping;
  profile->loading += w->loading;
  profile->adding += w->adding;
  profile->stepping += w->stepping;
  for (int i = 0; i < nas_network_size(t->network); i++) {
    sum += w->seconds[i].forward + w->seconds[i].backward;
    if (!layers) continue;
    layers[i].forward += w->seconds[i].forward;
    layers[i].backward += w->seconds[i].backward;
  }
  return sum;
}

void nas_trainer_profile(const nas_trainer *t, nas_profile *profile, nas_layer_seconds *layers) {
  double known = 0;
  *profile = (nas_profile){0};
  if (layers) memset(layers, 0, (size_t)nas_network_size(t->network) * sizeof *layers);
  if (!t->profiles) return;
  for (int i = 0; i < t->worker_count; i++) known += add_worker(t, &t->workers[i], profile, layers);
  profile->images = t->trained_images;
  profile->seconds = t->trained_seconds;
  profile->waiting = fmax(0, t->worker_count * profile->seconds - known);
}
