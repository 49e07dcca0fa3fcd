/* Gradients of episodes with anchors: against finite differences of the oracle, against a scalar
 * back-propagation bit for bit, and their expectations over a space that is enumerated. */
#include "backward.h"
#include "differences.h"
#include "skips.h"

static nas_policy_options options_of(int layers, int units, double init) {
  nas_policy_options options;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  options.init = init;
  return options;
}

static nas_policy *policy_of(const nas_policy_options *options, uint64_t seed) {
  nas_policy *policy;
  nas_error err;
  check_ok(nas_policy_create(&policy, options, seed, &err), &err);
  return policy;
}

/* ---- Episodes ----------------------------------------------------------------------------- */

/* Fills *s with an episode whose answers are all over the place. */
typedef void episode(skips *s);

static void prepare(skips *s) {
  static const int answers[] = {1, 0, 2, 1, 3, 5, 2, 0, 6, 9, 1, 13, 2, 0, 21, 1, 10, 7, 3, 1};
  memset(s, 0, sizeof *s);
  memcpy(s->given, answers, sizeof answers);
  s->given_count = SKIPS_MAX;
}

/* Anchors of one name, each with all earlier ones as candidates; nothing else. */
static void chain(skips *s) {
  prepare(s);
  for (int i = 0; i < 5; i++) {
    s->given[s->count] &= (1 << i) - 1;
    skips_anchor(s, "skip", 8);
  }
}

/* Anchors of three names and choices, an anchor first and one last. */
static void mixed(skips *s) {
  static const char *const names[] = {"skip", "jump", "skip", "over", "jump"};
  prepare(s);
  for (int i = 0; i < 5; i++) {
    s->given[s->count] &= (1 << i) - 1;
    skips_anchor(s, names[i], 8);
    if (i == 2 || i == 4) continue; /* two anchors one after the other */
    s->given[s->count] &= 1;
    skips_choose(s, "kernel", "1,3", 2);
    s->given[s->count] %= 3;
    skips_choose(s, i % 2 ? "kernel" : "filters", "16,32,64", 3);
  }
}

/* Only the last two anchors are candidates, and nothing is ever chosen. */
static void nothing_chosen(skips *s) {
  prepare(s);
  memset(s->given, 0, sizeof s->given);
  for (int i = 0; i < 4; i++) {
    skips_choose(s, "kernel", "1,3", 2);
    skips_anchor(s, "skip", 2);
  }
  skips_choose(s, "kernel", "1,3", 2);
}

/* Everything is chosen. */
static void all_chosen(skips *s) {
  prepare(s);
  for (int i = 0; i < 5; i++) {
    s->given[s->count] = (1 << i) - 1;
    skips_anchor(s, i % 2 ? "jump" : "skip", 8);
    s->given[s->count] = i % 2;
    skips_choose(s, "kernel", "1,3", 2);
  }
}

/* One anchor without candidates. */
static void lonely(skips *s) {
  prepare(s);
  skips_anchor(s, "skip", 8);
}

static const struct {
  const char *name;
  episode *run;
} episodes[] = {{"chain", chain},
                {"mixed", mixed},
                {"nothing chosen", nothing_chosen},
                {"all chosen", all_chosen},
                {"lonely", lonely}};

enum { EPISODES = sizeof episodes / sizeof episodes[0] };

/* Coefficients of every form; the rows of every other decision are absent. */
typedef struct coefficients {
  double log_probs[SKIPS_MAX], entropies[SKIPS_MAX], values[SKIPS_MAX];
  double rows[SKIPS_MAX][2 * SKIPS_CANDIDATES];
  const double *row_list[SKIPS_MAX];
  nas_coefficients all;
} coefficients;

static void fill_coefficients(coefficients *c, int count) {
  nas_stream stream = nas_stream_open(9, "coefficients", NULL, 0);
  for (int t = 0; t < SKIPS_MAX; t++) {
    c->log_probs[t] = nas_stream_double(&stream) - 0.5;
    c->entropies[t] = nas_stream_double(&stream) - 0.5;
    c->values[t] = 2 * nas_stream_double(&stream) - 1;
    for (int k = 0; k < 2 * SKIPS_CANDIDATES; k++) c->rows[t][k] = nas_stream_double(&stream) - 0.5;
    c->row_list[t] = (count - 1 - t) % 2 ? NULL : c->rows[t];
  }
  c->all = (nas_coefficients){.log_prob = 0.5,
                              .entropy = 0.25,
                              .log_probs = c->log_probs,
                              .entropies = c->entropies,
                              .option_log_probs = c->row_list,
                              .values = c->values,
                              .skip_weight = 0.8,
                              .skip_prior = 0.4};
}

/* ---- Finite differences ------------------------------------------------------------------- */

static void finite_differences(void **state) {
  (void)state;
  static const struct {
    int layers, units;
    double init, temperature, tanh_constant, forget_bias;
  } shapes[] = {
      {1, 1, 1, 1, 0, 0},     {2, 1, 1, 1, 0, 0},     {3, 1, 1, 1, 0, 0},     {1, 3, 0.7, 1, 0, 0},
      {2, 3, 0.7, 0.4, 0, 0}, {3, 3, 0.6, 2, 2.5, 1}, {2, 5, 0.6, 1, 1.5, 0}, {2, 9, 0.5, 1, 0, 0},
  };
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int e = 0; e < EPISODES; e++) {
      nas_policy_options options = options_of(shapes[i].layers, shapes[i].units, shapes[i].init);
      options.temperature = shapes[i].temperature;
      options.tanh_constant = shapes[i].tanh_constant;
      options.forget_bias = shapes[i].forget_bias;
      skips s;
      coefficients c;
      char name[80];
      nas_policy *policy = policy_of(&options, 7);
      episodes[e].run(&s);
      fill_coefficients(&c, s.count);
      snprintf(name, sizeof name, "%s, %d x %d", episodes[e].name, options.layers, options.units);
      check_differences(name, policy, s.decisions, s.count, &c.all);
      nas_policy_destroy(&policy);
    }
}

/* The paper's width, with up to three layers. */
static void wide_finite_differences(void **state) {
  (void)state;
  for (int layers = 1; layers <= 3; layers++) {
    nas_policy_options options = options_of(layers, 35, 0.3);
    nas_policy *policy = policy_of(&options, 7);
    skips s;
    coefficients c;
    mixed(&s);
    fill_coefficients(&c, s.count);
    check_differences("mixed", policy, s.decisions, s.count, &c.all);
    nas_policy_destroy(&policy);
  }
}

/* Each form of coefficient alone. */
static void coefficients_alone(void **state) {
  (void)state;
  skips s;
  coefficients c;
  nas_policy_options options = options_of(2, 4, 0.7);
  nas_policy *policy = policy_of(&options, 7);
  mixed(&s);
  fill_coefficients(&c, s.count);
  const nas_coefficients forms[] = {
      {.log_prob = 1},
      {.entropy = 1},
      {.log_probs = c.log_probs},
      {.entropies = c.entropies},
      {.option_log_probs = c.row_list},
      {.values = c.values},
      {.skip_weight = 1.3, .skip_prior = 0.1},
      {.skip_weight = 1, .skip_prior = 0.999},
  };
  for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++)
    check_differences("form", policy, s.decisions, s.count, &forms[f]);
  nas_policy_destroy(&policy);
}

/* ---- Bits --------------------------------------------------------------------------------- */

/* The gradient of what is on the tape, as a flat vector; the caller frees. */
static float *gradient_on(nas_policy *policy, nas_tape *tape, const nas_coefficients *c) {
  nas_policy_gradient *gradient;
  nas_error err;
  size_t size;
  check_ok(nas_policy_gradient_create(&gradient, policy, &err), &err);
  check_ok(nas_policy_accumulate(policy, tape, c, gradient, &err), &err);
  size = nas_policy_size(policy);
  float *values = malloc(size * sizeof *values);
  assert_non_null(values);
  check_ok(nas_policy_gradient_get(policy, gradient, 0, size, values, &err), &err);
  nas_policy_gradient_destroy(&gradient);
  return values;
}

/* As the chains say, with every table of kernels. */
static void as_the_chains_say(void **state) {
  (void)state;
  static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 35}, {1, 16}, {2, 17}};
  static backward b;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int e = 0; e < EPISODES; e++)
      for (int table = 0; nas_kernels_numbered(table); table++) {
        skips s;
        coefficients c;
        nas_tape *tape;
        nas_error err;
        nas_policy_options options = options_of(shapes[i][0], shapes[i][1], 0.5);
        options.temperature = 0.8;
        nas_policy *policy = policy_of(&options, 7);
        policy->kernels = nas_kernels_numbered(table);
        episodes[e].run(&s);
        fill_coefficients(&c, s.count);
        check_ok(nas_tape_create(&tape, policy, &err), &err);
        check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, s.decisions, s.count, &err),
                 &err);
        set_value_head(policy, tape);
        check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, s.decisions, s.count, &err),
                 &err);
        float *gradient = gradient_on(policy, tape, &c.all);
        memset(&b, 0, sizeof b);
        b.policy = policy;
        b.tape = tape;
        b.given = &c.all;
        backward_run(&b);
        size_t at = 0;
        for (int n = 0; n < policy->blocks.count; n++) {
          nas_rows *sum = &b.sums[policy->blocks.sorted[n]->number];
          for (int r = 0; r < sum->rows; r++)
            for (int k = 0; k < sum->width; k++)
              check_float_bits(gradient[at++], nas_rows_at(sum, r)[k]);
          nas_rows_free(sum);
        }
        free(gradient);
        nas_tape_destroy(&tape);
        nas_policy_destroy(&policy);
      }
}

/* Without anchors, back-propagation step by step has the bits of that layer by layer. */
static void two_orders(void **state) {
  (void)state;
  static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 35}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    skips s;
    coefficients c;
    nas_tape *tape;
    nas_error err;
    nas_policy_options options = options_of(shapes[i][0], shapes[i][1], 0.5);
    nas_policy *policy = policy_of(&options, 7);
    prepare(&s);
    for (int t = 0; t < 19; t++) {
      s.given[t] &= 1;
      skips_choose(&s, t % 3 ? "kernel" : "filters", "1,3", 2);
    }
    fill_coefficients(&c, s.count);
    check_ok(nas_tape_create(&tape, policy, &err), &err);
    check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, s.decisions, s.count, &err), &err);
    float *layer_by_layer = gradient_on(policy, tape, &c.all);
    tape->anchors = 1;
    float *step_by_step = gradient_on(policy, tape, &c.all);
    assert_memory_equal(layer_by_layer, step_by_step, nas_policy_size(policy) * sizeof(float));
    free(layer_by_layer);
    free(step_by_step);
    nas_tape_destroy(&tape);
    nas_policy_destroy(&policy);
  }
}

/* A tape may be used twice, and its gradients add up. */
static void twice(void **state) {
  (void)state;
  skips s;
  coefficients c;
  nas_tape *tape;
  nas_error err;
  nas_policy_options options = options_of(2, 5, 0.5);
  nas_policy *policy = policy_of(&options, 7);
  mixed(&s);
  fill_coefficients(&c, s.count);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, s.decisions, s.count, &err), &err);
  float *first = gradient_on(policy, tape, &c.all), *again = gradient_on(policy, tape, &c.all);
  assert_memory_equal(first, again, nas_policy_size(policy) * sizeof(float));
  free(first);
  free(again);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* ---- Expectations ------------------------------------------------------------------------- */

/* All networks of the space, and their probabilities. */
static void enumerate(nas_policy *policy, skips all[SKIPS_NETWORKS], double p[SKIPS_NETWORKS]) {
  nas_tape *tape;
  nas_error err;
  int n = 0;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (skips s = {.count = 0}; skips_next(&s); n++) {
    check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, s.decisions, s.count, &err), &err);
    p[n] = exp(nas_tape_log_prob(tape));
    skips_copy(&all[n], &s);
  }
  assert_int_equal(n, SKIPS_NETWORKS);
  nas_tape_destroy(&tape);
}

/* sum P weight grad log P in double; the caller frees. */
static double *expected_gradient(nas_policy *policy, const skips all[SKIPS_NETWORKS],
                                 const double p[SKIPS_NETWORKS], int rewarded) {
  size_t size = nas_policy_size(policy);
  double *sum = calloc(size, sizeof *sum);
  assert_non_null(sum);
  for (int n = 0; n < SKIPS_NETWORKS; n++) {
    nas_coefficients c = {.log_prob = p[n] * (rewarded ? skips_reward(&all[n]) : 1)};
    float *gradient = gradient_of(policy, all[n].decisions, all[n].count, &c);
    for (size_t i = 0; i < size; i++) sum[i] += (double)gradient[i];
    free(gradient);
  }
  return sum;
}

/* J = sum P R by the oracle. */
static double exact_objective(const oracle plans[SKIPS_NETWORKS], const skips all[SKIPS_NETWORKS],
                              const double *w) {
  const nas_coefficients none = {.log_prob = 0};
  double sum = 0;
  for (int n = 0; n < SKIPS_NETWORKS; n++) {
    double log_prob;
    oracle_objective(&plans[n], w, &none, &log_prob);
    sum += exp(log_prob) * skips_reward(&all[n]);
  }
  return sum;
}

/* E[grad log pi] = 0, and E[R grad log pi] is the gradient of E[R]. */
static void enumerated_gradient(void **state) {
  (void)state;
  static skips all[SKIPS_NETWORKS];
  static oracle plans[SKIPS_NETWORKS];
  double p[SKIPS_NETWORKS], largest = 0;
  nas_policy_options options = options_of(2, 6, 0.7);
  nas_policy *policy = policy_of(&options, 3);
  enumerate(policy, all, p);
  for (int n = 0; n < SKIPS_NETWORKS; n++)
    plans[n] = oracle_plan(policy, all[n].decisions, all[n].count);
  double *nothing = expected_gradient(policy, all, p, 0);
  double *exact = expected_gradient(policy, all, p, 1), *w = oracle_parameters(policy);
  for (size_t i = 0; i < nas_policy_size(policy); i++) {
    check_near(nothing[i], 0, 1e-6);
    if (i % 7) continue;
    double centre = w[i];
    w[i] = centre + fd_step;
    double up = exact_objective(plans, all, w);
    w[i] = centre - fd_step;
    double down = exact_objective(plans, all, w);
    w[i] = centre;
    check_near(exact[i], (up - down) / (2 * fd_step), float_bound);
    largest = fmax(largest, fabs(exact[i]));
  }
  assert_true(largest > 1e-3); /* the comparison means something */
  free(nothing);
  free(exact);
  free(w);
  nas_policy_destroy(&policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(finite_differences, check_no_blocks),
      cmocka_unit_test_teardown(wide_finite_differences, check_no_blocks),
      cmocka_unit_test_teardown(coefficients_alone, check_no_blocks),
      cmocka_unit_test_teardown(as_the_chains_say, check_no_blocks),
      cmocka_unit_test_teardown(two_orders, check_no_blocks),
      cmocka_unit_test_teardown(twice, check_no_blocks),
      cmocka_unit_test_teardown(enumerated_gradient, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy anchor gradient", tests, NULL, NULL);
}
