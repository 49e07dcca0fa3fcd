/* The policy once more: in double, straight from the equations, without kernels, tapes or tables.
 * It computes the objective of an episode from a vector of parameters, so that finite differences
 * of it are exact to about 1e-9. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <nas/policy.h>

enum { ORACLE_LAYERS = 8, ORACLE_UNITS = 40, ORACLE_STEPS = 20, ORACLE_OPTIONS = 16 };

/* Where parameters of an episode lie in the flat vector. */
typedef struct oracle {
  nas_policy_options options;
  int steps;
  const nas_decision *decisions;
  size_t input[ORACLE_LAYERS], hidden[ORACLE_LAYERS], bias[ORACLE_LAYERS];
  size_t last[ORACLE_STEPS], name[ORACLE_STEPS], occurrence[ORACLE_STEPS];
  size_t weight[ORACLE_STEPS], head_bias[ORACLE_STEPS];                       /* of choices */
  size_t previous[ORACLE_STEPS], current[ORACLE_STEPS], vector[ORACLE_STEPS]; /* of anchors */
  size_t value_weight, value_bias; /* used for coefficients of values only */
} oracle;

static inline size_t oracle_at(const nas_policy *policy, const char *key) {
  nas_policy_block block;
  nas_error err;
  check_ok(nas_policy_block_find(policy, key, &block, &err), &err);
  return block.first;
}

static inline void oracle_plan_step(oracle *o, const nas_policy *policy, int t) {
  const nas_decision *d = &o->decisions[t];
  const nas_decision *before = t ? &o->decisions[t - 1] : NULL;
  char key[200];
  snprintf(key, sizeof key, "name/%s", d->name);
  o->name[t] = oracle_at(policy, key);
  snprintf(key, sizeof key, "occurrence/%d", d->occurrence);
  o->occurrence[t] = oracle_at(policy, key);
  if (d->kind == NAS_DECISION_ANCHOR) {
    snprintf(key, sizeof key, "anchor/%s/previous", d->name);
    o->previous[t] = oracle_at(policy, key);
    snprintf(key, sizeof key, "anchor/%s/current", d->name);
    o->current[t] = oracle_at(policy, key);
    snprintf(key, sizeof key, "anchor/%s/vector", d->name);
    o->vector[t] = oracle_at(policy, key);
  } else {
    snprintf(key, sizeof key, "head/%s/%s/weight", d->name, d->options);
    o->weight[t] = oracle_at(policy, key);
    snprintf(key, sizeof key, "head/%s/%s/bias", d->name, d->options);
    o->head_bias[t] = oracle_at(policy, key);
  }
  if (!before) {
    o->last[t] = oracle_at(policy, "start");
  } else if (before->kind == NAS_DECISION_CHOICE) {
    snprintf(key, sizeof key, "option/%s/%s", before->name, before->options);
    o->last[t] = oracle_at(policy, key) + (size_t)(before->chosen * o->options.units);
  }
}

/* The blocks must have appeared: score the episode before, and ask for values if they matter. */
static inline oracle oracle_plan(const nas_policy *policy, const nas_decision *decisions,
                                 int count) {
  oracle o = {.options = *nas_policy_options_of(policy), .steps = count, .decisions = decisions};
  char key[200];
  for (int l = 0; l < o.options.layers; l++) {
    snprintf(key, sizeof key, "lstm/%d/input", l + 1);
    o.input[l] = oracle_at(policy, key);
    snprintf(key, sizeof key, "lstm/%d/hidden", l + 1);
    o.hidden[l] = oracle_at(policy, key);
    snprintf(key, sizeof key, "lstm/%d/bias", l + 1);
    o.bias[l] = oracle_at(policy, key);
  }
  nas_policy_block value;
  if (nas_policy_block_find(policy, "value/weight", &value, NULL) == NAS_OK) {
    o.value_weight = value.first;
    o.value_bias = oracle_at(policy, "value/bias");
  }
  for (int t = 0; t < count; t++) oracle_plan_step(&o, policy, t);
  return o;
}

static inline double oracle_sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

/* h and c of one layer from x, h and c. */
static inline void oracle_layer(const oracle *o, const double *w, int l, const double *x, double *h,
                                double *c) {
  int u = o->options.units;
  double a[4 * ORACLE_UNITS];
  for (int k = 0; k < 4 * u; k++) {
    a[k] = w[o->bias[l] + (size_t)k];
    for (int i = 0; i < u; i++)
      a[k] += x[i] * w[o->input[l] + (size_t)(i * 4 * u + k)] +
              h[i] * w[o->hidden[l] + (size_t)(i * 4 * u + k)];
  }
  for (int k = 0; k < u; k++) {
    c[k] = oracle_sigmoid(a[u + k] + o->options.forget_bias) * c[k] +
           oracle_sigmoid(a[k]) * tanh(a[2 * u + k]);
    h[k] = oracle_sigmoid(a[3 * u + k]) * tanh(c[k]);
  }
}

/* Temperature and tanh constant. */
static inline double oracle_scaled(const oracle *o, double z) {
  z /= o->options.temperature;
  return o->options.tanh_constant > 0 ? o->options.tanh_constant * tanh(z) : z;
}

/* log p of all options of step t from the last layer's h. */
static inline void oracle_head(const oracle *o, const double *w, int t, const double *h,
                               double *log_p) {
  int n = o->decisions[t].count;
  double sum = 0;
  for (int k = 0; k < n; k++) {
    double z = w[o->head_bias[t] + (size_t)k];
    for (int i = 0; i < o->options.units; i++) z += h[i] * w[o->weight[t] + (size_t)(i * n + k)];
    log_p[k] = oracle_scaled(o, z);
    sum += exp(log_p[k]);
  }
  for (int k = 0; k < n; k++) log_p[k] -= log(sum);
}

/* log p of all outcomes of an anchor from the last layer's h of all steps so far. */
static inline void oracle_anchor(const oracle *o, const double *w, int t,
                                 double tops[ORACLE_STEPS][ORACLE_UNITS], double *log_p) {
  int u = o->options.units;
  for (int j = 0; j < o->decisions[t].count; j++) {
    const double *h_j = tops[o->decisions[t].candidates[j]];
    double z = 0;
    for (int k = 0; k < u; k++) {
      double a = 0;
      for (int i = 0; i < u; i++)
        a += h_j[i] * w[o->previous[t] + (size_t)(i * u + k)] +
             tops[t][i] * w[o->current[t] + (size_t)(i * u + k)];
      z += w[o->vector[t] + (size_t)k] * tanh(a);
    }
    double s = oracle_scaled(o, z);
    log_p[2 * j] = -log1p(exp(s));
    log_p[2 * j + 1] = -log1p(exp(-s));
  }
}

/* What enters in the place of an option's vector at step t. */
static inline double oracle_before(const oracle *o, const double *w, int t,
                                   double tops[ORACLE_STEPS][ORACLE_UNITS], int k) {
  const nas_decision *before = t ? &o->decisions[t - 1] : NULL;
  if (!before || before->kind == NAS_DECISION_CHOICE) return w[o->last[t] + (size_t)k];
  double sum = 0;
  int chosen = 0;
  for (int j = 0; j < before->count; j++) {
    if (!before->chosen_set[j]) continue;
    sum += tops[before->candidates[j]][k];
    chosen++;
  }
  return chosen ? sum / chosen : 0;
}

/* Log-probability of what is chosen, from those of all outcomes. */
static inline double oracle_chosen(const nas_decision *d, const double *log_p) {
  if (d->kind == NAS_DECISION_CHOICE) return log_p[d->chosen];
  double sum = 0;
  for (int j = 0; j < d->count; j++) sum += log_p[2 * j + (d->chosen_set[j] != 0)];
  return sum;
}

/* KL(sigmoid || prior), summed over an anchor's candidates. */
static inline double oracle_divergence(const nas_decision *d, const double *log_p, double prior) {
  double sum = 0;
  for (int j = 0; d->kind == NAS_DECISION_ANCHOR && j < d->count; j++)
    sum += exp(log_p[2 * j]) * (log_p[2 * j] - log(1 - prior)) +
           exp(log_p[2 * j + 1]) * (log_p[2 * j + 1] - log(prior));
  return sum;
}

static inline double oracle_value(const oracle *o, const double *w, const double *h) {
  double value = w[o->value_bias];
  for (int i = 0; i < o->options.units; i++) value += h[i] * w[o->value_weight + (size_t)i];
  return value;
}

/* The objective of nas_coefficients; *log_prob (may be NULL) receives log pi of the episode. */
static inline double oracle_objective(const oracle *o, const double *w,
                                      const nas_coefficients *coefficients, double *log_prob) {
  double h[ORACLE_LAYERS][ORACLE_UNITS] = {{0}}, c[ORACLE_LAYERS][ORACLE_UNITS] = {{0}};
  double tops[ORACLE_STEPS][ORACLE_UNITS];
  double objective = 0, total = 0;
  for (int t = 0; t < o->steps; t++) {
    const nas_decision *d = &o->decisions[t];
    int is_anchor = d->kind == NAS_DECISION_ANCHOR;
    double x[ORACLE_UNITS], log_p[ORACLE_OPTIONS] = {0}, *top = h[o->options.layers - 1];
    for (int k = 0; k < o->options.units; k++)
      x[k] = oracle_before(o, w, t, tops, k) + w[o->name[t] + (size_t)k] +
             w[o->occurrence[t] + (size_t)k];
    for (int l = 0; l < o->options.layers; l++) oracle_layer(o, w, l, l ? h[l - 1] : x, h[l], c[l]);
    memcpy(tops[t], top, sizeof tops[t]);
    if (is_anchor)
      oracle_anchor(o, w, t, tops, log_p);
    else
      oracle_head(o, w, t, top, log_p);
    double a = coefficients->log_prob, e = coefficients->entropy;
    if (coefficients->log_probs) a += coefficients->log_probs[t];
    if (coefficients->entropies) e += coefficients->entropies[t];
    objective += a * oracle_chosen(d, log_p);
    if (coefficients->values) objective += coefficients->values[t] * oracle_value(o, w, top);
    if (coefficients->skip_weight > 0)
      objective -=
          coefficients->skip_weight * oracle_divergence(d, log_p, coefficients->skip_prior);
    total += oracle_chosen(d, log_p);
    for (int k = 0; k < (is_anchor ? 2 : 1) * d->count; k++) {
      objective -= e * exp(log_p[k]) * log_p[k];
      if (coefficients->option_log_probs && coefficients->option_log_probs[t])
        objective += coefficients->option_log_probs[t][k] * log_p[k];
    }
  }
  if (log_prob) *log_prob = total;
  return objective;
}

/* The policy's parameters in double; the caller frees. */
static inline double *oracle_parameters(const nas_policy *policy) {
  size_t size = nas_policy_size(policy);
  float *values = malloc(size * sizeof *values);
  double *w = malloc(size * sizeof *w);
  nas_error err;
  assert_non_null(values);
  assert_non_null(w);
  check_ok(nas_policy_get(policy, NAS_POLICY_CURRENT, 0, size, values, &err), &err);
  for (size_t i = 0; i < size; i++) w[i] = (double)values[i];
  free(values);
  return w;
}

#endif
