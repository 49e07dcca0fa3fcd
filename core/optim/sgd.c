/* Stochastic gradient descent with momentum, plain or Nesterov's, as in Sutskever et al. 2013 with
 * the rate outside the moment. */
#include "rules.h"

enum { RATE, MOMENTUM, NESTEROV, L2, WEIGHT_DECAY, OPTIONS };

static const nas_option options_of_sgd[OPTIONS] = {
    [RATE] = NAS_RATE_OPTION(0.01),
    [MOMENTUM] = {"momentum", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
                  "Share of the last step that is kept."},
    [NESTEROV] = {"nesterov", NAS_OPTION_BOOLEAN, 0, 0, 0, 1, NULL,
                  "Whether the step looks ahead along the momentum."},
    [L2] = NAS_L2_OPTION,
    [WEIGHT_DECAY] = NAS_WEIGHT_DECAY_OPTION(0),
};

/* v = momentum * v + g;  w = w - rate * v */
static void plain(float rate, float momentum, float *w, const float *g, float *v, size_t count) {
  for (size_t i = 0; i < count; i++) {
    v[i] = momentum * v[i] + g[i];
    w[i] -= rate * v[i];
  }
}

/* v = momentum * v + g;  w = w - rate * (g + momentum * v) */
static void nesterov(float rate, float momentum, float *w, const float *g, float *v, size_t count) {
  for (size_t i = 0; i < count; i++) {
    v[i] = momentum * v[i] + g[i];
    w[i] -= rate * (g[i] + momentum * v[i]);
  }
}

static void sgd_step(const nas_option_value *options, const nas_step *step, float *weights,
                     const float *gradient, float *const *moments, size_t count) {
  double rate = options[RATE].number * step->rate;
  nas_preparation p = nas_prepare(step, rate, options[L2].number, options[WEIGHT_DECAY].number);
  float momentum = (float)options[MOMENTUM].number, room[NAS_STEP_BLOCK];
  for (size_t at = 0, n; at < count; at += n) {
    n = count - at < NAS_STEP_BLOCK ? count - at : NAS_STEP_BLOCK;
    const float *g = nas_prepare_block(&p, weights + at, gradient + at, room, n);
    if (options[NESTEROV].integer)
      nesterov((float)rate, momentum, weights + at, g, moments[0] + at, n);
    else
      plain((float)rate, momentum, weights + at, g, moments[0] + at, n);
  }
}

const nas_optimizer_kind nas_sgd_kind = {"sgd", {"sgd", options_of_sgd, OPTIONS}, 1, sgd_step};
