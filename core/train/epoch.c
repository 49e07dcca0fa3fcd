/* An epoch: batches in phases, steps between them, then validation. */
#include <math.h>
#include <nas/clock.h>
#include <nas/random.h>
#include <string.h>
#include "state.h"

static int group_size(int64_t first, int64_t end) {
  return end - first < NAS_GROUP ? (int)(end - first) : NAS_GROUP;
}

/* Micro-batch `index` of those under way, in the hands of worker `id`. */
static nas_pass pass_of(const nas_trainer *t, int id, const float *params, int count, long index) {
  return (nas_pass){
      .arena = {.stored = t->stored + (size_t)index * nas_compiled_stored_floats(t->compiled),
                .scratch = t->workers[id].scratch},
      .params = params,
      .room = t->workers[id].room,
      .derived = t->derived,
      .images = count};
}

static void start_phases(nas_trainer *t) {
  int phases = 2 * nas_compiled_segments(t->compiled) - 1;
  for (int phase = 0; phase < phases; phase++) atomic_store(&t->next_group[phase], 0);
}

/* -- times ------------------------------------------------------------------------------------ */

static double now(const nas_worker *w) {
  return w->seconds ? nas_clock() : 0;
}

/* Adds the time since `began` to *spent, where times are kept. */
static void spend(const nas_worker *w, double began, double *spent) {
  if (w->seconds) *spent += nas_clock() - began;
}

/* -- the gradient of a batch ------------------------------------------------------------------ */

/* A batch: images order[first .. end), cut into groups. It is trained in phases: forwards through
 * all segments of the network but the last, through the last and back, and back through the
 * others. */
typedef struct nas_batch {
  int64_t first, end;
  long groups;
  unsigned long turn; /* groups, times segments, that were added before it */
} nas_batch;

/* When its turn has come. */
static void add_share(nas_trainer *t, nas_worker *w, const nas_share *share) {
  const float *d_params = share->d_params;
  size_t count, from = nas_compiled_segment_params(t->compiled, share->segment, &count);
  double began = now(w);
  if (share->set)
    memcpy(t->gradient + from, d_params + from, count * sizeof(float));
  else
    for (size_t i = from; i < from + count; i++) t->gradient[i] += d_params[i];
  spend(w, began, &w->adding);
  nas_pool_pass(t->pool, &t->turn, share->turn + 1);
}

static void add_aside(nas_trainer *t, nas_worker *w) {
  if (!w->aside.waits) return;
  nas_pool_await(t->pool, &t->turn, w->aside.turn);
  add_share(t, w, &w->aside);
  w->aside.waits = 0;
}

/* Adds what a group gave, in the order of groups; what would have to wait is put aside, so that
 * the worker can go on. */
static void hand_in(nas_trainer *t, nas_worker *w, nas_share share) {
  add_aside(t, w);
  share.d_params = w->d_params;
  if (nas_pool_reached(&t->turn, share.turn)) {
    add_share(t, w, &share);
    return;
  }
  w->d_params = w->aside.d_params;
  w->aside = share;
  w->aside.waits = 1;
}

static void clear_gradient(const nas_trainer *t, nas_worker *w, int segment) {
  size_t count, from = nas_compiled_segment_params(t->compiled, segment, &count);
  double began = now(w);
  memset(w->d_params + from, 0, count * sizeof(float));
  spend(w, began, &w->adding);
}

static void load(const nas_trainer *t, nas_worker *w, const int32_t *images, int count,
                 nas_arena arena) {
  double began = now(w);
  nas_images_load(t->compiled, t->data, images, count, t->augments ? t->recipe.augment : NULL,
                  t->seed, t->now.epoch + 1, arena);
  spend(w, began, &w->loading);
}

static void count_images(const nas_trainer *t, nas_worker *w, const int32_t *images, int count,
                         nas_arena arena, nas_count *sum) {
  double began = now(w);
  nas_images_count(t->compiled, t->data, images, count, t->recipe.top_k, arena, sum, NULL);
  spend(w, began, &w->loading);
}

/* Group `group` of the batch, a micro-batch at a time, through one phase. The result does not
 * depend on how a group is cut. */
static void run_group(nas_trainer *t, int id, const nas_batch *batch, long group, int phase) {
  int segments = nas_compiled_segments(t->compiled), last = segments - 1;
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  int64_t at = batch->first + group * NAS_GROUP;
  int count = group_size(at, batch->end), back = 2 * last - phase;
  nas_worker *w = &t->workers[id];
  long index = group * ((NAS_GROUP + micro_batch - 1) / micro_batch);
  if (phase == 0) t->counts[group] = (nas_count){0};
  if (phase >= last) clear_gradient(t, w, back);
  for (int from = 0; from < count; from += micro_batch, index++) {
    int n = count - from < micro_batch ? count - from : micro_batch;
    const int32_t *images = t->order + at + from;
    nas_pass pass = pass_of(t, id, t->now.params, n, index);
    pass.training = 1;
    pass.seconds = w->seconds;
    pass.d_params = w->d_params;
    pass.kept = w->kept;
    pass.first = (int)(at - batch->first) + from;
    pass.batch = (int)(batch->end - batch->first);
    pass.seed = t->seed;
    pass.epoch = t->now.epoch + 1;
    pass.image = images;
    pass.sums = t->sums + (size_t)group * nas_compiled_sums(t->compiled);
    pass.totals = w->totals;
    if (phase == 0) load(t, w, images, n, pass.arena);
    if (phase <= last) nas_compiled_forward(t->compiled, phase, &pass);
    if (phase == last) count_images(t, w, images, n, pass.arena, &t->counts[group]);
    if (phase >= last) nas_compiled_backward(t->compiled, back, &pass);
  }
  if (phase < last) return;
  const nas_pass whole = {
      .params = t->now.params, .d_params = w->d_params, .kept = w->kept, .seconds = w->seconds};
  nas_compiled_finish(t->compiled, back, &whole);
  hand_in(t, w,
          (nas_share){
              .segment = back,
              .turn = batch->turn + (unsigned long)((phase - last) * batch->groups + group),
              .set = group == 0,
          });
}

/* By all workers. */
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
    add_aside(t, &t->workers[id]);
  }
}

/* -- training --------------------------------------------------------------------------------- */

typedef struct epoch_task {
  nas_trainer *trainer;
  nas_count sum; /* over the epoch */
  int64_t failed_batch;
} epoch_task;

static int time_is_over(const nas_trainer *t) {
  if (t->seconds_limit == 0) return 0;
  return t->seconds + (nas_clock() - t->started) > t->seconds_limit;
}

/* Worker 0: what ends the epoch before its end. NAS_OK: nothing. */
static nas_status reason_to_stop(const nas_trainer *t) {
  if (t->poll && t->poll(t->poll_context)) return NAS_INTERRUPTED;
  return time_is_over(t) ? NAS_LIMIT : NAS_OK;
}

static nas_status fail_stopped(const nas_trainer *t, int epoch, nas_error *err) {
  if (t->stop == NAS_LIMIT)
    return nas_fail(err, NAS_LIMIT, "training stopped in epoch %d, after %.9g seconds", epoch,
                    t->seconds_limit);
  return nas_fail(err, t->stop, "training was interrupted in epoch %d", epoch);
}

/* Adds the counts of a batch, as its groups add up in order; its loss, not finite or not. */
static double add_counts(epoch_task *task, const nas_count *counts, long groups) {
  nas_count sum = nas_count_sum(counts, groups);
  task->sum.loss += sum.loss;
  task->sum.absolute += sum.absolute;
  task->sum.right += sum.right;
  task->sum.top += sum.top;
  return sum.loss;
}

/* Worker 0, while the others wait: whether the epoch goes on, and what its step needs. */
static void settle_batch(epoch_task *task, const nas_batch *batch) {
  nas_trainer *t = task->trainer;
  double loss = add_counts(task, t->counts, batch->groups);
  t->now.step++;
  t->trained_images += batch->end - batch->first;
  start_phases(t);
  memset(t->sums, 0, (size_t)batch->groups * nas_compiled_sums(t->compiled) * sizeof(double));
  if (!isfinite(loss)) {
    t->stop = NAS_DIVERGED;
    task->failed_batch = batch->first / t->recipe.batch + 1;
  } else {
    t->stop = reason_to_stop(t);
  }
  if (t->stop == NAS_OK)
    nas_compiled_settle(t->compiled, t->workers[0].totals, (int)(batch->end - batch->first),
                        t->now.params);
}

/* By all workers: what layers derive from the weights for the next batch. */
static void derive(nas_trainer *t, int id, int workers) {
  nas_worker *w = &t->workers[id];
  double began = now(w);
  nas_compiled_derive(t->compiled, t->now.params, t->derived, id, workers);
  spend(w, began, &w->stepping);
  nas_pool_barrier(t->pool);
}

/* By all workers: a step of the optimiser. */
static void step(nas_trainer *t, int id, int workers) {
  nas_worker *w = &t->workers[id];
  double began = now(w);
  nas_step_take(t, id, workers);
  spend(w, began, &w->stepping);
  nas_pool_barrier(t->pool);
}

static void train_worker(void *context, int id, int workers) {
  epoch_task *task = context;
  nas_trainer *t = task->trainer;
  nas_batch batch = {0};
  derive(t, id, workers);
  for (; batch.first < t->order_size; batch.first = batch.end) {
    int64_t left = t->order_size - batch.first;
    batch.end = batch.first + (left < t->recipe.batch ? left : t->recipe.batch);
    batch.groups = nas_group_count(batch.end - batch.first);
    batch_gradient(t, id, &batch);
    batch.turn += (unsigned long)(nas_compiled_segments(t->compiled) * batch.groups);
    nas_pool_barrier(t->pool);
    if (id == 0) settle_batch(task, &batch);
    nas_pool_barrier(t->pool);
    if (t->stop != NAS_OK) return;
    step(t, id, workers);
    derive(t, id, workers);
  }
}

/* The order in which the epoch visits the training images. */
static void shuffle(nas_trainer *t) {
  const uint64_t address[] = {(uint64_t)t->now.epoch + 1};
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
  memset(t->sums, 0,
         (size_t)nas_group_count(t->recipe.batch) * nas_compiled_sums(t->compiled) *
             sizeof(double));
  atomic_store(&t->turn.value, 0);
  nas_pool_run(t->pool, train_worker, &task);
  if (t->stop == NAS_DIVERGED)
    return nas_fail(err, NAS_DIVERGED, "the loss is not finite in epoch %d, batch %lld",
                    result->epoch, (long long)task.failed_batch);
  if (t->stop != NAS_OK) return fail_stopped(t, result->epoch, err);
  result->training = nas_count_metrics(&task.sum, 1, t->order_size, t->data);
  return NAS_OK;
}

/* -- validation ------------------------------------------------------------------------------- */

static void validate_worker(void *context, int id, int workers) {
  nas_trainer *t = context;
  int64_t count;
  const int32_t *all = nas_dataset_validation(t->data, &count);
  const float *weights = nas_state_weights(&t->now);
  int micro_batch = nas_compiled_micro_batch(t->compiled);
  long groups = nas_group_count(count), g;
  nas_compiled_derive(t->compiled, weights, t->derived, id, workers);
  nas_pool_barrier(t->pool);
  while ((g = atomic_fetch_add(&t->next_group[0], 1)) < groups) {
    int64_t at = g * NAS_GROUP;
    t->counts[g] = (nas_count){0};
    for (int size = group_size(at, count), from = 0; from < size; from += micro_batch) {
      int n = size - from < micro_batch ? size - from : micro_batch;
      const int32_t *images = all + at + from;
      nas_pass pass = pass_of(t, id, weights, n, id);
      nas_images_load(t->compiled, t->data, images, n, NULL, 0, 0, pass.arena);
      nas_compiled_evaluate(t->compiled, &pass);
      nas_images_count(t->compiled, t->data, images, n, t->recipe.top_k, pass.arena, &t->counts[g],
                       t->predicted ? t->predicted + at + from : NULL);
    }
    if (id == 0 && (t->stop = reason_to_stop(t)) != NAS_OK)
      atomic_store(&t->next_group[0], groups); /* none is left for the others */
  }
}

static nas_status validate(nas_trainer *t, nas_epoch *result, nas_error *err) {
  int64_t count;
  nas_dataset_validation(t->data, &count);
  start_phases(t);
  t->predicted_epoch = 0; /* until the epoch counts */
  nas_pool_run(t->pool, validate_worker, t);
  if (t->stop != NAS_OK) return fail_stopped(t, result->epoch, err);
  result->validation = nas_count_metrics(t->counts, nas_group_count(count), count, t->data);
  if (isfinite(result->validation.loss)) return NAS_OK;
  return nas_fail(err, NAS_DIVERGED, "the validation loss is not finite after epoch %d",
                  result->epoch);
}

/* -- the epoch -------------------------------------------------------------------------------- */

/* Whether the epoch is the best, and whether the recipe's rule says that training is finished. */
static void judge(nas_trainer *t, nas_epoch *result) {
  double primary = nas_metrics_primary(&result->validation, t->data);
  int epoch = result->epoch;
  if (epoch == 1 || primary > t->best) {
    t->best = primary;
    t->best_epoch = epoch;
    if (t->best_params)
      memcpy(t->best_params, nas_state_weights(&t->now), t->floats * sizeof(float));
  }
  if (epoch == 1 || primary > t->counted + t->recipe.min_delta) {
    t->counted = primary;
    t->counted_epoch = epoch;
  }
  result->best = t->best_epoch;
  result->finished = t->recipe.patience > 0 && epoch - t->counted_epoch >= t->recipe.patience;
}

nas_status nas_trainer_epoch(nas_trainer *t, nas_poll *poll, void *poll_context, nas_epoch *result,
                             nas_error *err) {
  if (t->diverged)
    return nas_fail(err, NAS_STATE, "this trainer ended: %s", nas_status_text(NAS_DIVERGED));
  if (nas_pool_check_process(t->pool, err)) return NAS_STATE;
  t->started = nas_clock();
  *result = (nas_epoch){.epoch = t->now.epoch + 1};
  t->poll = poll;
  t->poll_context = poll_context;
  nas_status status = train(t, result, err);
  result->train_seconds = nas_clock() - t->started;
  t->trained_seconds += result->train_seconds;
  if (status == NAS_OK) status = validate(t, result, err);
  result->seconds = nas_clock() - t->started;
  t->seconds += result->seconds;
  if (status != NAS_OK) {
    t->diverged = status == NAS_DIVERGED;
    nas_state_copy(t, &t->now, &t->whole);
    return status;
  }
  judge(t, result);
  t->predicted_epoch = ++t->now.epoch;
  nas_state_copy(t, &t->whole, &t->now);
  return NAS_OK;
}
