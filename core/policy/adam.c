/* One step of the optimiser (Kingma & Ba 2015, "Adam", algorithm 1), uphill. */
#include <math.h>
#include "policy_state.h"

/* What one step needs besides the element. */
typedef struct adam_step {
  double rate, beta1, beta2, epsilon, l2;
  double scale;            /* of the gradient, by clipping */
  double unbias1, unbias2; /* 1 - beta1^k, 1 - beta2^k */
} adam_step;

typedef struct adam_element {
  float value, moment1, moment2;
} adam_element;

static adam_element element_step(const adam_step *step, adam_element e, float sum) {
  double g = ((double)sum - 2 * step->l2 * (double)e.value) * step->scale;
  double m = step->beta1 * (double)e.moment1 + (1 - step->beta1) * g;
  double v = step->beta2 * (double)e.moment2 + (1 - step->beta2) * (g * g);
  double direction = m / step->unbias1 / (sqrt(v / step->unbias2) + step->epsilon);
  return (adam_element){.value = (float)((double)e.value + step->rate * direction),
                        .moment1 = (float)m,
                        .moment2 = (float)v};
}

/* One element of a block, and its sum: 0 when the gradient knows nothing of the block. */
static adam_element element_of(const nas_block *block, size_t at) {
  return (adam_element){.value = block->part[NAS_PART_VALUE].data[at],
                        .moment1 = block->part[NAS_PART_MOMENT1].data[at],
                        .moment2 = block->part[NAS_PART_MOMENT2].data[at]};
}

static float sum_of(const nas_policy_gradient *gradient, const nas_block *block, size_t at) {
  return block->number < gradient->count ? gradient->sums[block->number].data[at] : 0;
}

static int element_is_finite(adam_element e) {
  return isfinite(e.value) && isfinite(e.moment1) && isfinite(e.moment2);
}

/* Squares of gradient and of parameters, in the order of keys, rows and columns. */
static void block_squares(const nas_block *block, const nas_policy_gradient *gradient, double l2,
                          double *gradient_squares, double *value_squares) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  for (int r = 0; r < value->rows; r++)
    for (int c = 0; c < value->width; c++) {
      size_t at = (size_t)r * (size_t)value->stride + (size_t)c;
      double w = (double)value->data[at];
      double g = (double)sum_of(gradient, block, at) - 2 * l2 * w;
      *gradient_squares = *gradient_squares + g * g;
      *value_squares = *value_squares + w * w;
    }
}

/* The step of a block; stores it if told to. 0, or -1 when a result is not finite. */
static int block_step(nas_block *block, const nas_policy_gradient *gradient, const adam_step *step,
                      int store) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  for (int r = 0; r < value->rows; r++)
    for (int c = 0; c < value->width; c++) {
      size_t at = (size_t)r * (size_t)value->stride + (size_t)c;
      adam_element e = element_step(step, element_of(block, at), sum_of(gradient, block, at));
      if (!element_is_finite(e)) return -1;
      if (!store) continue;
      block->part[NAS_PART_VALUE].data[at] = e.value;
      block->part[NAS_PART_MOMENT1].data[at] = e.moment1;
      block->part[NAS_PART_MOMENT2].data[at] = e.moment2;
    }
  return 0;
}

nas_status nas_policy_apply(nas_policy *policy, const nas_policy_gradient *gradient,
                            nas_policy_applied *applied, nas_error *err) {
  const nas_policy_options *options = &policy->options;
  nas_blocks *blocks = &policy->blocks;
  double gradient_squares = 0, value_squares = 0;
  if (gradient->serial != policy->serial)
    return nas_fail(err, NAS_STATE, "the gradient belongs to another policy");
  for (int i = 0; i < blocks->count; i++)
    block_squares(blocks->sorted[i], gradient, options->l2, &gradient_squares, &value_squares);
  double norm = sqrt(gradient_squares);
  if (!isfinite(norm)) return nas_fail(err, NAS_DIVERGED, "the gradient is not finite");

  double beta1_power = policy->beta1_power * options->beta1;
  double beta2_power = policy->beta2_power * options->beta2;
  double limit = options->clip_norm;
  adam_step step = {.rate = options->rate,
                    .beta1 = options->beta1,
                    .beta2 = options->beta2,
                    .epsilon = options->epsilon,
                    .l2 = options->l2,
                    .scale = limit > 0 && norm > limit ? limit / norm : 1,
                    .unbias1 = 1 - beta1_power,
                    .unbias2 = 1 - beta2_power};
  for (int store = 0; store < 2; store++)
    for (int i = 0; i < blocks->count; i++)
      if (block_step(blocks->sorted[i], gradient, &step, store))
        return nas_fail(err, NAS_DIVERGED, "a step would make \"%.200s\" infinite",
                        blocks->sorted[i]->key);
  policy->beta1_power = beta1_power;
  policy->beta2_power = beta2_power;
  policy->steps++;
  policy->version++;
  if (applied)
    *applied = (nas_policy_applied){.gradient_norm = norm, .l2 = options->l2 * value_squares};
  return NAS_OK;
}
