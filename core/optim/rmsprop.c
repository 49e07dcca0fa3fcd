/* RMSprop (Tieleman & Hinton 2012, lecture 6.5), with momentum. Epsilon is added after the root. */
#include <math.h>
#include "rules.h"

enum { RATE, RHO, EPSILON, MOMENTUM, L2, WEIGHT_DECAY, OPTIONS };

static const nas_option options_of_rmsprop[OPTIONS] = {
    [RATE] = NAS_RATE_OPTION(1e-3),
    [RHO] = {"rho", NAS_OPTION_NUMBER, 0, 0.9, 0, NAS_BETA_MAX, NULL,
             "Decay of the average of squared gradients."},
    [EPSILON] = {"epsilon", NAS_OPTION_NUMBER, 0, 1e-7, NAS_EPSILON_MIN, 1, NULL,
                 "Added to the root of the average of squared gradients."},
    [MOMENTUM] = {"momentum", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
                  "Share of the last step that is kept."},
    [L2] = NAS_L2_OPTION,
    [WEIGHT_DECAY] = NAS_WEIGHT_DECAY_OPTION(0),
};

typedef struct coefficients {
  float rate, rho, rest, epsilon, momentum; /* rest = 1 - rho */
} coefficients;

/* s = rho s + (1 - rho) g^2;  v = momentum * v + g / (sqrt(s) + epsilon);  w = w - rate * v */
static void rule(coefficients c, float *w, const float *g, float *s, float *v, size_t count) {
  for (size_t i = 0; i < count; i++) {
    s[i] = c.rho * s[i] + c.rest * (g[i] * g[i]);
    v[i] = c.momentum * v[i] + g[i] / (sqrtf(s[i]) + c.epsilon);
    w[i] -= c.rate * v[i];
  }
}

static void rmsprop_step(const nas_option_value *options, const nas_step *step, float *weights,
                         const float *gradient, float *const *moments, size_t count) {
  double rate = options[RATE].number * step->rate, rho = options[RHO].number;
  nas_preparation p = nas_prepare(step, rate, options[L2].number, options[WEIGHT_DECAY].number);
  coefficients c = {(float)rate, (float)rho, (float)(1 - rho), (float)options[EPSILON].number,
                    (float)options[MOMENTUM].number};
  float room[NAS_STEP_BLOCK];
  for (size_t at = 0, n; at < count; at += n) {
    n = count - at < NAS_STEP_BLOCK ? count - at : NAS_STEP_BLOCK;
    const float *g = nas_prepare_block(&p, weights + at, gradient + at, room, n);
    rule(c, weights + at, g, moments[0] + at, moments[1] + at, n);
  }
}

const nas_optimizer_kind nas_rmsprop_kind = {
    "rmsprop", {"rmsprop", options_of_rmsprop, OPTIONS}, 2, rmsprop_step};
