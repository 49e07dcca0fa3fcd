/* Steps of the optimiser, shared by the workers: by slices of the weights, in whole cache lines. */
#include <nas/average.h>
#include <nas/clip.h>
#include <nas/memory.h>
#include "kernel.h"
#include "state.h"

enum { BLOCK = 4096 }; /* floats of the gradient whose squares one worker sums */

static size_t block_count(const nas_trainer *t) {
  return (t->trained + BLOCK - 1) / BLOCK;
}

static const nas_param_place *set_at(nas_param_place *sets, int count, size_t at) {
  for (int i = 0; i < count; i++)
    if (sets[i].at == at && sets[i].is.use != NAS_PARAM_STATE) return &sets[i];
  return NULL;
}

nas_status nas_step_prepare(nas_trainer *t, nas_error *err) {
  int count = nas_compiled_param_count(t->compiled);
  nas_param_place *sets = nas_alloc((size_t)count, sizeof *sets);
  t->runs = nas_alloc((size_t)count, sizeof *t->runs);
  t->squares = nas_alloc(block_count(t), sizeof *t->squares);
  if (!sets || !t->runs || !t->squares) {
    nas_free(sets);
    return nas_fail_memory(err, "the runs of weights", (size_t)count * sizeof *sets);
  }
  for (int i = 0; i < count; i++) sets[i] = nas_compiled_param(t->compiled, i);
  for (size_t at = 0; at < t->trained;) {
    const nas_param_place *set = set_at(sets, count, at);
    int decays = set->is.use == NAS_PARAM_WEIGHT;
    size_t end = at + set->rows * (size_t)nas_row(set->width);
    if (t->run_count && t->runs[t->run_count - 1].decays == decays)
      t->runs[t->run_count - 1].end = end;
    else
      t->runs[t->run_count++] = (nas_decay_run){at, end, decays};
    at = end;
  }
  nas_free(sets);
  return NAS_OK;
}

/* -- clipping --------------------------------------------------------------------------------- */

/* The factor of the gradient: the same for all workers, which add up the blocks in order. */
static float clip_scale(nas_trainer *t, int id, int workers) {
  const nas_kernels *kernels = nas_compiled_kernels(t->compiled);
  double square = 0;
  if (t->recipe.clip_norm == 0) return 1;
  for (size_t b = (size_t)id; b < block_count(t); b += (size_t)workers) {
    size_t from = b * BLOCK, left = t->trained - from;
    t->squares[b] = kernels->square(t->gradient + from, left < BLOCK ? left : BLOCK);
  }
  nas_pool_barrier(t->pool);
  for (size_t b = 0; b < block_count(t); b++) square += t->squares[b];
  return nas_clip_scale(square, t->recipe.clip_norm);
}

/* -- the step --------------------------------------------------------------------------------- */

static size_t slice(size_t floats, int part, int parts) {
  return floats / NAS_LANES * (size_t)part / (size_t)parts * NAS_LANES;
}

/* The part of a run that lies in [from, end). */
static void step_run(nas_trainer *t, const nas_decay_run *run, const nas_step *step, size_t from,
                     size_t end) {
  float *moments[NAS_MOMENTS_MAX] = {NULL};
  size_t begin = run->from > from ? run->from : from, stop = run->end < end ? run->end : end;
  if (begin >= stop) return;
  for (int m = 0; m < t->recipe.optimizer->moments; m++) moments[m] = t->now.moments[m] + begin;
  t->recipe.optimizer->step(t->recipe.optimizer_options, step, t->now.params + begin,
                            t->gradient + begin, moments, stop - begin);
}

void nas_step_take(nas_trainer *t, int id, int workers) {
  int64_t batch = t->recipe.batch;
  nas_step step = {.number = t->now.step,
                   .kernels = nas_compiled_kernels(t->compiled),
                   .rate =
                       nas_schedule_factor(t->recipe.schedule, t->recipe.schedule_options,
                                           t->now.step - 1, (t->order_size + batch - 1) / batch),
                   .gradient_scale = clip_scale(t, id, workers)};
  size_t from = slice(t->trained, id, workers), end = slice(t->trained, id + 1, workers);
  for (int r = 0; r < t->run_count; r++) {
    step.decays = t->runs[r].decays;
    step_run(t, &t->runs[r], &step, from, end);
  }
  if (!t->now.average) return;
  /* Slices of the params end elsewhere than those of their trained part. */
  nas_pool_barrier(t->pool);
  from = slice(t->floats, id, workers);
  end = slice(t->floats, id + 1, workers);
  nas_average_step(t->now.average + from, t->now.params + from, end - from, t->recipe.average,
                   t->now.step);
}
