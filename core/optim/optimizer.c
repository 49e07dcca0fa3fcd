#include <nas/optimizer.h>
#include <math.h>
#include <nas/elementary.h>
#include <string.h>

/* -- stochastic gradient descent -------------------------------------------------------------- */

enum { SGD_RATE, SGD_MOMENTUM, SGD_OPTIONS };

static const nas_option sgd_options[SGD_OPTIONS] = {
    [SGD_RATE] = {"rate", NAS_OPTION_NUMBER, 0, 0.01, 0, 1e6, NULL, "Learning rate."},
    [SGD_MOMENTUM] = {"momentum", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
                      "Share of the last step that is kept."},
};

/* v = momentum * v + g;  w = w - rate * v */
static void sgd_step(const nas_option_value *options, uint64_t t, float *weights,
                     const float *gradient, float *const *moments, size_t count) {
  (void)t;
  float rate = (float)options[SGD_RATE].number, momentum = (float)options[SGD_MOMENTUM].number;
  float *v = moments[0];
  for (size_t i = 0; i < count; i++) {
    v[i] = momentum * v[i] + gradient[i];
    weights[i] -= rate * v[i];
  }
}

/* -- Adam (Kingma & Ba 2015, algorithm 1) ----------------------------------------------------- */

enum { ADAM_RATE, ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, ADAM_OPTIONS };

static const nas_option adam_options[ADAM_OPTIONS] = {
    [ADAM_RATE] = {"rate", NAS_OPTION_NUMBER, 0, 1e-3, 0, 1e6, NULL, "Learning rate."},
    [ADAM_BETA1] = {"beta1", NAS_OPTION_NUMBER, 0, 0.9, 0, 1, NULL,
                    "Decay of the average of gradients."},
    [ADAM_BETA2] = {"beta2", NAS_OPTION_NUMBER, 0, 0.999, 0, 1, NULL,
                    "Decay of the average of squared gradients."},
    [ADAM_EPSILON] = {"epsilon", NAS_OPTION_NUMBER, 0, 1e-7, 0, 1, NULL,
                      "Added to the root of the average of squared gradients."},
};

/* m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 * w = w - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon) */
static void adam_step(const nas_option_value *options, uint64_t t, float *weights,
                      const float *gradient, float *const *moments, size_t count) {
  double beta1 = options[ADAM_BETA1].number, beta2 = options[ADAM_BETA2].number;
  float b1 = (float)beta1, a1 = (float)(1 - beta1), b2 = (float)beta2, a2 = (float)(1 - beta2);
  float rate = (float)(options[ADAM_RATE].number / (1 - nas_pow(beta1, (double)t)));
  float scale = (float)(1 / sqrt(1 - nas_pow(beta2, (double)t)));
  float epsilon = (float)options[ADAM_EPSILON].number;
  float *m = moments[0], *v = moments[1];
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i];
    m[i] = b1 * m[i] + a1 * g;
    v[i] = b2 * v[i] + a2 * (g * g);
    weights[i] -= rate * m[i] / (sqrtf(v[i]) * scale + epsilon);
  }
}

/* -- the table -------------------------------------------------------------------------------- */

static const nas_optimizer_kind kinds[] = {
    {"sgd", {"sgd", sgd_options, SGD_OPTIONS}, 1, sgd_step},
    {"adam", {"adam", adam_options, ADAM_OPTIONS}, 2, adam_step},
};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

const nas_optimizer_kind *nas_optimizer_at(int index) {
  return index >= 0 && index < KIND_COUNT ? &kinds[index] : NULL;
}

const nas_optimizer_kind *nas_optimizer_find(const char *name, nas_error *err) {
  for (int i = 0; i < KIND_COUNT; i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  nas_fail(err, NAS_ARGUMENT, "unknown optimizer \"%s\"; known optimizers: sgd, adam", name);
  return NULL;
}
