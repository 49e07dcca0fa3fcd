/* Adam (Kingma & Ba 2015, algorithm 1), and AdamW (Loshchilov & Hutter 2019), which is Adam whose
 * weights decay. */
#include <math.h>
#include <nas/elementary.h>
#include "kernel.h"
#include "rules.h"

enum { RATE, BETA1, BETA2, EPSILON, L2, WEIGHT_DECAY, OPTIONS };

#define ADAM_OPTIONS(weight_decay)                                                                 \
  {                                                                                                \
    [RATE] = NAS_RATE_OPTION(1e-3), [BETA1] = {"beta1", NAS_OPTION_NUMBER,                         \
                                               0,       0.9,                                       \
                                               0,       NAS_BETA_MAX,                              \
                                               NULL,    "Decay of the average of gradients."},     \
    [BETA2] = {"beta2", NAS_OPTION_NUMBER, 0,    0.999,                                            \
               0,       NAS_BETA_MAX,      NULL, "Decay of the average of squared gradients."},    \
    [EPSILON] = {"epsilon",                                                                        \
                 NAS_OPTION_NUMBER,                                                                \
                 0,                                                                                \
                 1e-7,                                                                             \
                 NAS_EPSILON_MIN,                                                                  \
                 1,                                                                                \
                 NULL,                                                                             \
                 "Added to the root of the average of squared gradients."},                        \
    [L2] = NAS_L2_OPTION, [WEIGHT_DECAY] = NAS_WEIGHT_DECAY_OPTION(weight_decay),                  \
  }

static const nas_option options_of_adam[OPTIONS] = ADAM_OPTIONS(0);
static const nas_option options_of_adamw[OPTIONS] = ADAM_OPTIONS(0.01);

/* Step t at that rate: a1 = 1 - beta1, a2 = 1 - beta2, and the corrections of the averages:
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 * w = w - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon) */
static nas_adam_factors factors_of(const nas_option_value *options, double t, double rate) {
  double beta1 = options[BETA1].number, beta2 = options[BETA2].number;
  return (nas_adam_factors){.b1 = (float)beta1,
                            .a1 = (float)(1 - beta1),
                            .b2 = (float)beta2,
                            .a2 = (float)(1 - beta2),
                            .rate = (float)(rate / (1 - nas_pow(beta1, t))),
                            .scale = (float)(1 / sqrt(1 - nas_pow(beta2, t))),
                            .epsilon = (float)options[EPSILON].number};
}

static void adam_step(const nas_option_value *options, const nas_step *step, float *weights,
                      const float *gradient, float *const *moments, size_t count) {
  double rate = options[RATE].number * step->rate;
  nas_preparation p = nas_prepare(step, rate, options[L2].number, options[WEIGHT_DECAY].number);
  nas_adam_factors factors = factors_of(options, (double)step->number, rate);
  const nas_kernels *kernels = step->kernels ? step->kernels : nas_kernels_best();
  float room[NAS_STEP_BLOCK];
  for (size_t at = 0, n; at < count; at += n) {
    n = count - at < NAS_STEP_BLOCK ? count - at : NAS_STEP_BLOCK;
    const float *g = nas_prepare_block(&p, weights + at, gradient + at, room, n);
    nas_adam_arrays all = {weights + at, moments[0] + at, moments[1] + at};
    kernels->adam(&factors, g, all, all, n);
  }
}

const nas_optimizer_kind nas_adam_kind = {"adam", {"adam", options_of_adam, OPTIONS}, 2, adam_step};
const nas_optimizer_kind nas_adamw_kind = {
    "adamw", {"adamw", options_of_adamw, OPTIONS}, 2, adam_step};
