/* One step of the optimiser (Kingma & Ba 2015, "Adam", algorithm 1), uphill. For each element w of
 * a block, with its sum of gradients s, in float as written, but for the numbers of the whole step:
 *   g = (s - 2 l2 w) scale                scale clips the gradient's norm
 *   m = beta1 m + (1 - beta1) g           v = beta2 v + (1 - beta2) (g g)
 *   w = w + (rate / (1 - beta1^k)) m / (sqrt(v) / sqrt(1 - beta2^k) + epsilon) */
#include <math.h>
#include <nas/clip.h>
#include <string.h>
#include "policy_state.h"

enum { CHUNK = 256 }; /* elements that are prepared at once */

/* What one step needs besides the elements. */
typedef struct adam_step {
  float l2_twice, scale, b1, a1, b2, a2, rate, unbias, epsilon;
} adam_step;

/* What a step makes of some elements. */
typedef struct adam_next {
  float *value, *moment1, *moment2;
} adam_next;

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

/* The gradient of the objective, with l2, before it is clipped. */
static void prepare(const float *sum, const float *w, float l2_twice, size_t count, float *g) {
  if (sum)
    for (size_t i = 0; i < count; i++) g[i] = sum[i] - l2_twice * w[i];
  else
    for (size_t i = 0; i < count; i++) g[i] = 0.0f - l2_twice * w[i];
}

/* Adds the square of the gradient: chunk after chunk as nas_gradient_square. */
static void add_square(const nas_block *block, const nas_policy_gradient *gradient, float l2_twice,
                       double *square) {
  const float *sum = sums_of(gradient, block), *w = block->part[NAS_PART_VALUE].data;
  for (size_t at = 0, end = floats_of(block), n; at < end; at += n) {
    float g[CHUNK];
    n = chunk_at(at, end);
    prepare(sum ? sum + at : NULL, w + at, l2_twice, n, g);
    *square += nas_gradient_square(g, n);
  }
}

static int is_finite(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7f800000) != 0x7f800000;
}

/* Whether all that it makes is finite. */
static int chunk_step(const adam_step *s, const float *g, const float *w, const float *moment1,
                      const float *moment2, size_t count, adam_next to) {
  int finite = 1;
  for (size_t i = 0; i < count; i++) {
    float clipped = g[i] * s->scale;
    float m = s->b1 * moment1[i] + s->a1 * clipped;
    float v = s->b2 * moment2[i] + s->a2 * (clipped * clipped);
    float value = w[i] + s->rate * m / (sqrtf(v) * s->unbias + s->epsilon);
    to.value[i] = value;
    to.moment1[i] = m;
    to.moment2[i] = v;
    finite &= is_finite(value) & is_finite(m) & is_finite(v);
  }
  return finite;
}

/* Fills block->next. 0, or -1 when something in it is not finite. */
static int block_step(nas_block *block, const nas_policy_gradient *gradient, const adam_step *s) {
  const float *sum = sums_of(gradient, block), *w = block->part[NAS_PART_VALUE].data;
  const float *moment1 = block->part[NAS_PART_MOMENT1].data;
  const float *moment2 = block->part[NAS_PART_MOMENT2].data;
  int finite = 1;
  for (size_t at = 0, end = floats_of(block), n; at < end; at += n) {
    float g[CHUNK];
    n = chunk_at(at, end);
    adam_next to = {block->next[NAS_PART_VALUE].data + at, block->next[NAS_PART_MOMENT1].data + at,
                    block->next[NAS_PART_MOMENT2].data + at};
    prepare(sum ? sum + at : NULL, w + at, s->l2_twice, n, g);
    finite &= chunk_step(s, g, w + at, moment1 + at, moment2 + at, n, to);
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

static double sum_of_squares(const nas_blocks *blocks) {
  double square = 0;
  for (int i = 0; i < blocks->count; i++)
    square += nas_gradient_square(blocks->sorted[i]->part[NAS_PART_VALUE].data,
                                  floats_of(blocks->sorted[i]));
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
    add_square(blocks->sorted[i], gradient, l2_twice, &square);
  double norm = sqrt(square);
  if (!isfinite(norm)) return nas_fail(err, NAS_DIVERGED, "the gradient is not finite");

  double beta1_power = policy->beta1_power * options->beta1;
  double beta2_power = policy->beta2_power * options->beta2;
  double limit = options->clip_norm;
  const adam_step step = {.l2_twice = l2_twice,
                          .scale = (float)(limit > 0 && norm > limit ? limit / norm : 1),
                          .b1 = (float)options->beta1,
                          .a1 = (float)(1 - options->beta1),
                          .b2 = (float)options->beta2,
                          .a2 = (float)(1 - options->beta2),
                          .rate = (float)(options->rate / (1 - beta1_power)),
                          .unbias = (float)(1 / sqrt(1 - beta2_power)),
                          .epsilon = (float)options->epsilon};
  for (int i = 0; i < blocks->count; i++)
    if (block_step(blocks->sorted[i], gradient, &step))
      return nas_fail(err, NAS_DIVERGED, "a step would make \"%.200s\" infinite",
                      blocks->sorted[i]->key);
  double l2 = options->l2 > 0 ? options->l2 * sum_of_squares(blocks) : 0;
  for (int i = 0; i < blocks->count; i++) take(blocks->sorted[i]);
  policy->beta1_power = beta1_power;
  policy->beta2_power = beta2_power;
  policy->steps++;
  policy->version++;
  if (applied) *applied = (nas_policy_applied){.gradient_norm = norm, .l2 = l2};
  return NAS_OK;
}
