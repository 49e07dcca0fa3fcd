/* One step of the optimiser (Kingma & Ba 2015, "Adam", algorithm 1), uphill. For each element w of
 * a block, with its sum of gradients s, in float as written, but for the numbers of the whole step
 * (rate is value_rate in the value head's blocks):
 *   g = (s - 2 l2 w) scale                scale clips the gradient's norm
 *   m = beta1 m + (1 - beta1) g           v = beta2 v + (1 - beta2) (g g)
 *   w = w + (rate / (1 - beta1^k)) m / (sqrt(v) (1 / sqrt(1 - beta2^k)) + epsilon) */
#include <math.h>
#include "policy_state.h"

enum { CHUNK = 256 }; /* elements that are prepared at once */

/* What one step needs besides the elements. */
typedef struct adam_step {
  const nas_kernels *kernels;
  float l2_twice, scale;
  nas_adam_factors factors; /* with the rate negative: uphill */
  float value_rate;         /* instead of factors.rate, in the value head's blocks */
} adam_step;

/* 0 when the gradient knows nothing of the block. */
static const float *sums_of(const nas_policy_gradient *gradient, const nas_block *block) {
  return block->number < gradient->count ? gradient->sums[block->number].data : NULL;
}

/* Rows lie one after the other, with zeros between them, which stay zeros. */
static size_t floats_of(const nas_block *block) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  return (size_t)value->rows * (size_t)value->stride;
}

static size_t chunk_at(size_t at, size_t end) {
  return end - at < CHUNK ? end - at : CHUNK;
}

/* The gradient of the objective, with l2, before it is clipped: some elements, in `room` unless
 * they are the sums. */
static const float *prepare(const float *sum, const float *w, float l2_twice, size_t count,
                            float room[CHUNK]) {
  static const float zeros[CHUNK];
  if (!sum) sum = zeros;
  if (l2_twice == 0) return sum;
  for (size_t i = 0; i < count; i++) room[i] = sum[i] - l2_twice * w[i];
  return room;
}

/* Adds the square of the gradient, chunk after chunk. */
static void add_square(const nas_kernels *kernels, const nas_block *block,
                       const nas_policy_gradient *gradient, float l2_twice, double *square) {
  const float *sum = sums_of(gradient, block), *w = block->part[NAS_PART_VALUE].data;
  for (size_t at = 0, end = floats_of(block), n; at < end; at += n) {
    float room[CHUNK];
    n = chunk_at(at, end);
    *square += kernels->square(prepare(sum ? sum + at : NULL, w + at, l2_twice, n, room), n);
  }
}

static nas_adam_arrays arrays_of(nas_rows parts[NAS_PARTS], size_t at) {
  return (nas_adam_arrays){parts[NAS_PART_VALUE].data + at, parts[NAS_PART_MOMENT1].data + at,
                           parts[NAS_PART_MOMENT2].data + at};
}

/* Fills block->next. 0, or -1 when something in it is not finite. */
static int block_step(nas_block *block, const nas_policy_gradient *gradient, const adam_step *s) {
  const float *sum = sums_of(gradient, block), *w = block->part[NAS_PART_VALUE].data;
  nas_adam_factors factors = s->factors;
  int finite = 1;
  if (nas_key_is_value(block->key)) factors.rate = s->value_rate;
  for (size_t at = 0, end = floats_of(block), n; at < end; at += n) {
    float room[CHUNK];
    n = chunk_at(at, end);
    const float *g = prepare(sum ? sum + at : NULL, w + at, s->l2_twice, n, room);
    if (s->scale != 1) {
      for (size_t i = 0; i < n; i++) room[i] = g[i] * s->scale;
      g = room;
    }
    finite &=
        s->kernels->adam(&factors, g, arrays_of(block->part, at), arrays_of(block->next, at), n);
  }
  return finite ? 0 : -1;
}

static void take(nas_block *block) {
  static const nas_part moved[] = {NAS_PART_VALUE, NAS_PART_MOMENT1, NAS_PART_MOMENT2};
  for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
    nas_rows now = block->part[moved[i]];
    block->part[moved[i]] = block->next[moved[i]];
    block->next[moved[i]] = now;
  }
}

static double sum_of_squares(const nas_kernels *kernels, const nas_blocks *blocks) {
  double square = 0;
  for (int i = 0; i < blocks->count; i++)
    square +=
        kernels->square(blocks->sorted[i]->part[NAS_PART_VALUE].data, floats_of(blocks->sorted[i]));
  return square;
}

nas_status nas_policy_apply(nas_policy *policy, const nas_policy_gradient *gradient,
                            nas_policy_applied *applied, nas_error *err) {
  const nas_policy_options *options = &policy->options;
  nas_blocks *blocks = &policy->blocks;
  float l2_twice = (float)(2 * options->l2);
  double square = 0;
  if (gradient->serial != policy->serial)
    return nas_fail(err, NAS_STATE, "the gradient belongs to another policy");
  for (int i = 0; i < blocks->count; i++)
    add_square(policy->kernels, blocks->sorted[i], gradient, l2_twice, &square);
  double norm = sqrt(square);
  if (!isfinite(norm)) return nas_fail(err, NAS_DIVERGED, "the gradient is not finite");

  double beta1_power = policy->beta1_power * options->beta1;
  double beta2_power = policy->beta2_power * options->beta2;
  double limit = options->clip_norm;
  const adam_step step = {.kernels = policy->kernels,
                          .l2_twice = l2_twice,
                          .scale = (float)(limit > 0 && norm > limit ? limit / norm : 1),
                          .factors = {.b1 = (float)options->beta1,
                                      .a1 = (float)(1 - options->beta1),
                                      .b2 = (float)options->beta2,
                                      .a2 = (float)(1 - options->beta2),
                                      .rate = -(float)(options->rate / (1 - beta1_power)),
                                      .scale = (float)(1 / sqrt(1 - beta2_power)),
                                      .epsilon = (float)options->epsilon},
                          .value_rate = -(float)(options->value_rate / (1 - beta1_power))};
  for (int i = 0; i < blocks->count; i++)
    if (block_step(blocks->sorted[i], gradient, &step))
      return nas_fail(err, NAS_DIVERGED, "a step would make \"%.200s\" infinite",
                      blocks->sorted[i]->key);
  double l2 = options->l2 > 0 ? options->l2 * sum_of_squares(policy->kernels, blocks) : 0;
  for (int i = 0; i < blocks->count; i++) take(blocks->sorted[i]);
  policy->beta1_power = beta1_power;
  policy->beta2_power = beta2_power;
  policy->steps++;
  policy->version++;
  if (applied) *applied = (nas_policy_applied){.gradient_norm = norm, .l2 = l2};
  return NAS_OK;
}
