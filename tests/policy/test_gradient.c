/* The policy against the oracle, and its gradient against finite differences of the oracle. */
#include "differences.h"
#include "toy.h"

typedef struct gradient_case {
  const char *name;
  nas_policy_options options;
  int deep; /* which of the toy's networks */
} gradient_case;

static nas_policy_options options_of(int layers, int units, double init) {
  nas_policy_options options;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  options.init = init;
  return options;
}

/* An episode of the toy space with all names repeated (deep) or not. */
static toy episode_of(int deep) {
  static const int choices[2][TOY_MAX] = {{0, 1, 1}, {1, 0, 2, 1, 1}};
  toy t = {.given_count = deep ? 5 : 3};
  memcpy(t.given, choices[deep], sizeof t.given);
  toy_space(&t);
  return t;
}

static nas_coefficients coefficients_of(void) {
  static const double log_probs[] = {0.3, -0.7, 1.1, 0.2, -0.4};
  static const double entropies[] = {0.05, 0.2, -0.3, 0.1, 0.6};
  static const double first[] = {0.4, -0.9}, third[] = {0.2, 0.5, -1.3};
  static const double *const options[] = {first, NULL, third, NULL, first};
  static const double values[] = {0.7, -1.2, 0.4, 0, 0.9};
  return (nas_coefficients){.log_prob = 0.5,
                            .entropy = 0.25,
                            .log_probs = log_probs,
                            .entropies = entropies,
                            .option_log_probs = options,
                            .values = values};
}

static void check_case(const gradient_case *c) {
  nas_policy *policy;
  nas_error err;
  toy t = episode_of(c->deep);
  nas_coefficients coefficients = coefficients_of();
  if (!c->deep) coefficients.option_log_probs = NULL; /* its third decision has two options */
  check_ok(nas_policy_create(&policy, &c->options, 7, &err), &err);
  check_differences(c->name, policy, t.decisions, t.count, &coefficients);
  nas_policy_destroy(&policy);
}

static void finite_differences(void **state) {
  (void)state;
  gradient_case cases[] = {
      {"one layer", options_of(1, 8, 0.5), 1},
      {"one decision a name", options_of(1, 8, 0.5), 0},
      {"two layers, 5 units", options_of(2, 5, 0.5), 1},
      {"three layers, 13 units", options_of(3, 13, 0.4), 1},
      {"one unit", options_of(1, 1, 1), 1},
      {"temperature", options_of(2, 5, 0.5), 1},
      {"tanh constant", options_of(2, 5, 0.8), 1},
      {"both, forget bias", options_of(2, 17, 0.5), 1},
      {"one layer, 35 units", options_of(1, 35, 0.3), 1},
      {"two layers, one unit", options_of(2, 1, 1), 0},
      {"three layers, 3 units", options_of(3, 3, 0.5), 1},
      {"three layers, 35 units", options_of(3, 35, 0.3), 1},
  };
  cases[5].options.temperature = 0.4;
  cases[6].options.tanh_constant = 1.5;
  cases[7].options.temperature = 2;
  cases[7].options.tanh_constant = 2.5;
  cases[7].options.forget_bias = 1;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_case(&cases[i]);
}

/* Each form of coefficient alone, along random directions. */
static void coefficients_alone(void **state) {
  (void)state;
  nas_policy *policy;
  nas_tape *tape;
  nas_error err;
  toy t = episode_of(1);
  nas_policy_options options = options_of(2, 6, 0.6);
  nas_coefficients all = coefficients_of();
  nas_coefficients forms[] = {
      {.log_prob = 1},
      {.entropy = 1},
      {.log_probs = all.log_probs},
      {.entropies = all.entropies},
      {.option_log_probs = all.option_log_probs},
      {.values = all.values},
  };
  check_ok(nas_policy_create(&policy, &options, 3, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t.decisions, t.count, &err), &err);
  set_value_head(policy, tape);
  for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
    float *gradient = gradient_of(policy, t.decisions, t.count, &forms[f]);
    size_t size = nas_policy_size(policy);
    oracle o = oracle_plan(policy, t.decisions, t.count);
    double *w = oracle_parameters(policy);
    nas_stream stream = nas_stream_open(11, "direction", (uint64_t[]){f}, 1);
    for (int trial = 0; trial < 8; trial++) {
      double *up = malloc(size * sizeof *up), *down = malloc(size * sizeof *down), slope = 0;
      assert_non_null(up);
      assert_non_null(down);
      for (size_t i = 0; i < size; i++) {
        double d = nas_stream_double(&stream) - 0.5;
        slope += d * (double)gradient[i];
        up[i] = w[i] + fd_step * d;
        down[i] = w[i] - fd_step * d;
      }
      double difference = (oracle_objective(&o, up, &forms[f], NULL) -
                           oracle_objective(&o, down, &forms[f], NULL)) /
                          (2 * fd_step);
      check_near(slope, difference, float_bound * sqrt((double)size));
      free(up);
      free(down);
    }
    free(w);
    free(gradient);
  }
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* Sums of episodes are sums of gradients, each parameter's in the order of the calls. */
static void episodes_add(void **state) {
  (void)state;
  nas_policy *policy;
  nas_tape *tape;
  nas_policy_gradient *gradient;
  nas_error err;
  nas_policy_options options = options_of(1, 9, 0.5);
  nas_coefficients c = {.log_prob = 0.25, .entropy = 0.01};
  toy a = episode_of(0), b = episode_of(1);
  check_ok(nas_policy_create(&policy, &options, 3, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_gradient_create(&gradient, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, a.decisions, a.count, &err), &err);
  check_ok(nas_policy_accumulate(policy, tape, &c, gradient, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, b.decisions, b.count, &err), &err);
  check_ok(nas_policy_accumulate(policy, tape, &c, gradient, &err), &err);
  size_t size = nas_policy_size(policy);
  float *sum = malloc(size * sizeof *sum);
  assert_non_null(sum);
  check_ok(nas_policy_gradient_get(policy, gradient, 0, size, sum, &err), &err);
  float *first = gradient_of(policy, a.decisions, a.count, &c);
  float *second = gradient_of(policy, b.decisions, b.count, &c);
  for (size_t i = 0; i < size; i++)
    check_near((double)sum[i], (double)first[i] + (double)second[i], 1e-6);
  nas_policy_gradient_clear(gradient);
  check_ok(nas_policy_gradient_get(policy, gradient, 0, size, sum, &err), &err);
  for (size_t i = 0; i < size; i++) assert_true(sum[i] == 0);
  free(sum);
  free(first);
  free(second);
  nas_policy_gradient_destroy(&gradient);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* The inner product is that of the flat vectors, in their order; a gradient that was summed before
 * a block appeared has zeros there. */
static void dot_products(void **state) {
  (void)state;
  nas_policy *policy, *other;
  nas_tape *tape;
  nas_policy_gradient *gradients[2], *foreign;
  nas_error err;
  nas_policy_options options = options_of(2, 7, 0.5);
  nas_coefficients c = {.log_prob = 0.25};
  toy episodes[] = {episode_of(0), episode_of(1)}; /* the second has more names */
  float *flat[2];
  double dot = 7;
  check_ok(nas_policy_create(&policy, &options, 3, &err), &err);
  check_ok(nas_policy_create(&other, &options, 3, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_gradient_create(&foreign, other, &err), &err);
  for (int i = 0; i < 2; i++) {
    const toy *t = &episodes[i];
    check_ok(nas_policy_gradient_create(&gradients[i], policy, &err), &err);
    check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t->decisions, t->count, &err),
             &err);
    check_ok(nas_policy_accumulate(policy, tape, &c, gradients[i], &err), &err);
  }
  size_t size = nas_policy_size(policy);
  for (int i = 0; i < 2; i++) {
    flat[i] = malloc(size * sizeof **flat);
    assert_non_null(flat[i]);
    check_ok(nas_policy_gradient_get(policy, gradients[i], 0, size, flat[i], &err), &err);
  }
  for (int a = 0; a < 2; a++)
    for (int b = 0; b < 2; b++) {
      double expected = 0;
      for (size_t i = 0; i < size; i++) expected += (double)flat[a][i] * (double)flat[b][i];
      check_ok(nas_policy_gradient_dot(policy, gradients[a], gradients[b], &dot, &err), &err);
      check_near(dot, expected, 0);
      assert_true(a != b || dot > 1e-3);
    }
  assert_int_equal(nas_policy_gradient_dot(policy, gradients[0], foreign, &dot, &err), NAS_STATE);
  check_contains(err.text, "another policy");
  assert_int_equal(nas_policy_gradient_dot(policy, foreign, gradients[0], &dot, &err), NAS_STATE);
  check_ok(nas_policy_gradient_dot(other, foreign, foreign, &dot, &err), &err);
  check_near(dot, 0, 0);
  for (int i = 0; i < 2; i++) {
    free(flat[i]);
    nas_policy_gradient_destroy(&gradients[i]);
  }
  nas_policy_gradient_destroy(&foreign);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&other);
  nas_policy_destroy(&policy);
}

/* Tapes and gradients that can't be used say why, and nothing is added. */
static void refusals(void **state) {
  (void)state;
  nas_policy *policy, *other;
  nas_tape *tape;
  nas_policy_gradient *gradient, *foreign;
  nas_error err;
  toy t = episode_of(1);
  nas_coefficients c = {.log_prob = 1}, bad = {.log_prob = 1, .entropy = (double)NAN};
  double infinite[] = {0, 0, (double)INFINITY, 0, 0};
  const double *rows[] = {NULL, NULL, infinite, NULL, NULL};
  nas_policy_block block;
  float value = 0;
  check_ok(nas_policy_create(&policy, NULL, 1, &err), &err);
  check_ok(nas_policy_create(&other, NULL, 1, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_gradient_create(&gradient, policy, &err), &err);
  check_ok(nas_policy_gradient_create(&foreign, other, &err), &err);
  assert_int_equal(nas_policy_accumulate(policy, tape, &c, gradient, &err), NAS_STATE);
  check_contains(err.text, "holds no episode");
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_INITIAL, t.decisions, t.count, &err), &err);
  assert_int_equal(nas_policy_accumulate(policy, tape, &c, gradient, &err), NAS_STATE);
  check_contains(err.text, "initial weights");
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t.decisions, t.count, &err), &err);
  assert_int_equal(nas_policy_accumulate(policy, tape, &bad, gradient, &err), NAS_ARGUMENT);
  bad = (nas_coefficients){.log_probs = infinite};
  assert_int_equal(nas_policy_accumulate(policy, tape, &bad, gradient, &err), NAS_ARGUMENT);
  check_contains(err.text, "decision 3");
  bad = (nas_coefficients){.values = infinite};
  assert_int_equal(nas_policy_accumulate(policy, tape, &bad, gradient, &err), NAS_ARGUMENT);
  check_contains(err.text, "decision 3");
  assert_int_equal(nas_policy_block_find(policy, "value/bias", &block, &err), NAS_ARGUMENT);
  bad = (nas_coefficients){.option_log_probs = rows};
  assert_int_equal(nas_policy_accumulate(policy, tape, &bad, gradient, &err), NAS_ARGUMENT);
  check_contains(err.text, "decision 3");
  assert_int_equal(nas_policy_accumulate(policy, tape, &c, foreign, &err), NAS_STATE);
  check_contains(err.text, "another policy");
  check_ok(nas_policy_set(policy, 0, 1, &value, &err), &err);
  assert_int_equal(nas_policy_accumulate(policy, tape, &c, gradient, &err), NAS_STATE);
  check_contains(err.text, "has changed");
  for (size_t i = 0; i < nas_policy_size(policy); i++) {
    check_ok(nas_policy_gradient_get(policy, gradient, i, 1, &value, &err), &err);
    assert_true(value == 0);
  }
  assert_int_equal(nas_policy_gradient_get(policy, foreign, 0, 1, &value, &err), NAS_STATE);
  nas_policy_gradient_destroy(&foreign);
  nas_policy_gradient_destroy(&gradient);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&other);
  nas_policy_destroy(&policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(finite_differences, check_no_blocks),
      cmocka_unit_test_teardown(coefficients_alone, check_no_blocks),
      cmocka_unit_test_teardown(episodes_add, check_no_blocks),
      cmocka_unit_test_teardown(dot_products, check_no_blocks),
      cmocka_unit_test_teardown(refusals, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy gradient", tests, NULL, NULL);
}
