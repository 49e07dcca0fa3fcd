/* The gradient of an episode against central differences of the oracle. */
#ifndef TESTS_DIFFERENCES_H
#define TESTS_DIFFERENCES_H

#include "oracle.h"

/* Central differences of the oracle in double: the step leaves an error of about h^2 = 1e-10 by
 * truncation and 1e-16 / h = 1e-11 by rounding. */
static const double fd_step = 1e-5;

/* Values and gradients are of order 1 here, each the end of some hundred float32 operations of
 * relative error 6e-8 that mostly cancel: the largest error seen is 8e-8. */
static const double float_bound = 1e-6;

/* Makes the value head appear and gives it weights, of the size of init: at zero it would send no
 * gradient into the LSTM. */
static inline void set_value_head(nas_policy *policy, nas_tape *tape) {
  nas_policy_block weight, bias;
  nas_error err;
  double values[ORACLE_STEPS];
  float w[ORACLE_UNITS];
  double init = nas_policy_options_of(policy)->init;
  nas_stream stream = nas_stream_open(5, "value", NULL, 0);
  check_ok(nas_policy_values(policy, tape, values, &err), &err);
  check_ok(nas_policy_block_find(policy, "value/weight", &weight, &err), &err);
  check_ok(nas_policy_block_find(policy, "value/bias", &bias, &err), &err);
  for (int i = 0; i < weight.rows; i++) w[i] = (float)(init * (2 * nas_stream_double(&stream) - 1));
  check_ok(nas_policy_set(policy, weight.first, (size_t)weight.rows, w, &err), &err);
  w[0] = 0.3f;
  check_ok(nas_policy_set(policy, bias.first, 1, w, &err), &err);
}

/* The gradient of one episode as a flat vector; the caller frees. */
static inline float *gradient_of(nas_policy *policy, const nas_decision *decisions, int count,
                                 const nas_coefficients *coefficients) {
  nas_tape *tape;
  nas_policy_gradient *gradient;
  nas_error err;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_gradient_create(&gradient, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, decisions, count, &err), &err);
  check_ok(nas_policy_accumulate(policy, tape, coefficients, gradient, &err), &err);
  float *values = malloc(nas_policy_size(policy) * sizeof *values);
  assert_non_null(values);
  check_ok(nas_policy_gradient_get(policy, gradient, 0, nas_policy_size(policy), values, &err),
           &err);
  nas_policy_gradient_destroy(&gradient);
  nas_tape_destroy(&tape);
  return values;
}

/* All coefficients of the objective of one episode, with a value head that has weights. */
static inline void check_differences(const char *name, nas_policy *policy,
                                     const nas_decision *decisions, int count,
                                     const nas_coefficients *coefficients) {
  nas_tape *tape;
  nas_error err;
  double log_prob;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, decisions, count, &err), &err);
  set_value_head(policy, tape);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, decisions, count, &err), &err);
  float *gradient = gradient_of(policy, decisions, count, coefficients);
  oracle o = oracle_plan(policy, decisions, count);
  double *w = oracle_parameters(policy);
  oracle_objective(&o, w, coefficients, &log_prob);
  check_near(nas_tape_log_prob(tape), log_prob, float_bound);
  double worst = 0;
  /* All parameters of small policies; of large ones some of every row. */
  size_t stride = nas_policy_size(policy) > 6000 ? 11 : 1;
  for (size_t i = 0; i < nas_policy_size(policy); i += stride) {
    double centre = w[i];
    w[i] = centre + fd_step;
    double up = oracle_objective(&o, w, coefficients, NULL);
    w[i] = centre - fd_step;
    double down = oracle_objective(&o, w, coefficients, NULL);
    w[i] = centre;
    double difference = (up - down) / (2 * fd_step);
    double error = fabs((double)gradient[i] - difference);
    if (error > worst) worst = error;
    check_near((double)gradient[i], difference, float_bound);
  }
  print_message("# %s: %zu parameters, largest error %.1e\n", name, nas_policy_size(policy), worst);
  free(w);
  free(gradient);
  nas_tape_destroy(&tape);
}

#endif
