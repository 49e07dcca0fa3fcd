/* The value head: what V is, what it depends on, and that who does not use it does not notice. Its
 * gradient is tested with the others in test_gradient.c. */
#include "toy.h"
#include <math.h>
#include <stdlib.h>
#include <nas/elementary.h>
#include "policy_state.h"
#include "tape.h"

typedef struct setup {
  nas_policy *policy;
  nas_tape *tape;
} setup;

static void set_up(setup *s, int layers, int units) {
  nas_policy_options options;
  nas_error err;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  options.init = 0.5;
  options.rate = 0.02;
  options.value_rate = 0.05;
  check_ok(nas_policy_create(&s->policy, &options, 4, &err), &err);
  check_ok(nas_tape_create(&s->tape, s->policy, &err), &err);
}

static void tear_down(setup *s) {
  nas_tape_destroy(&s->tape);
  nas_policy_destroy(&s->policy);
}

/* V of the decisions, in values. */
static void values_of(setup *s, const toy *t, nas_policy_weights weights, double *values) {
  nas_error err;
  check_ok(nas_policy_score(s->policy, s->tape, weights, t->decisions, t->count, &err), &err);
  check_ok(nas_policy_values(s->policy, s->tape, values, &err), &err);
}

/* Some steps towards the rewards: V = target is the optimum of -(target - V)^2. */
static void learn_values(setup *s, int steps) {
  nas_error err;
  for (uint64_t step = 0; step < (uint64_t)steps; step++) {
    toy t;
    double coefficients[TOY_MAX];
    toy_sample(&t, s->policy, s->tape, step);
    check_ok(nas_policy_values(s->policy, s->tape, coefficients, &err), &err);
    for (int i = 0; i < t.count; i++) coefficients[i] = 2 * (toy_reward(&t) - coefficients[i]);
    nas_episode episode = {
        .decisions = t.decisions, .count = t.count, .coefficients = {.values = coefficients}};
    check_ok(nas_policy_learn(s->policy, &episode, 1, NULL, &err), &err);
  }
}

static nas_text bytes_of(const nas_policy *policy) {
  nas_text bytes = {0};
  nas_error err;
  check_ok(nas_policy_encode(policy, &bytes, &err), &err);
  return bytes;
}

/* ---- What V is ---------------------------------------------------------------------------- */

/* V = b + h w as one chain of fma over the last layer's outputs, with every table of kernels. */
static void one_chain(void **state) {
  (void)state;
  static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 35}, {1, 16}, {1, 17}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int table = 0; nas_kernels_numbered(table); table++) {
      setup s;
      toy t;
      double values[TOY_MAX];
      set_up(&s, shapes[i][0], shapes[i][1]);
      s.policy->kernels = nas_kernels_numbered(table);
      learn_values(&s, 3);
      toy_sample(&t, s.policy, s.tape, 9);
      values_of(&s, &t, NAS_POLICY_CURRENT, values);
      const nas_block *weight = nas_blocks_find(&s.policy->blocks, "value/weight");
      const nas_block *bias = nas_blocks_find(&s.policy->blocks, "value/bias");
      for (int k = 0; k < t.count; k++) {
        const float *h = nas_rows_at(nas_tape_top(s.tape), k + 1);
        float v = bias->part[NAS_PART_VALUE].data[0];
        for (int c = 0; c < shapes[i][1]; c++)
          v = nas_fmaf(h[c], nas_rows_at(&weight->part[NAS_PART_VALUE], c)[0], v);
        check_float_bits((float)values[k], v);
        assert_true(values[k] == (double)v && v != 0);
      }
      tear_down(&s);
    }
}

/* Zero until it has learned, and for the initial weights ever. */
static void zero_at_first(void **state) {
  (void)state;
  setup s;
  toy t;
  double values[TOY_MAX];
  set_up(&s, 2, 7);
  toy_sample(&t, s.policy, s.tape, 0);
  for (int learned = 0; learned < 2; learned++) {
    values_of(&s, &t, NAS_POLICY_CURRENT, values);
    for (int k = 0; k < t.count; k++) assert_true((values[k] != 0) == learned);
    values_of(&s, &t, NAS_POLICY_INITIAL, values);
    for (int k = 0; k < t.count; k++) check_near(values[k], 0, 0);
    learn_values(&s, 2);
  }
  tear_down(&s);
}

/* How many decisions of two networks are asked after the same choices. */
static int same_until(const toy *a, const toy *b) {
  int t = 0;
  while (t < a->count && t < b->count && a->decisions[t].chosen == b->decisions[t].chosen) t++;
  return t + 1 < a->count ? t + 1 : a->count;
}

/* V_t knows what is asked and what was chosen before; not what is chosen at t, nor anything later.
 * In the toy space the earlier choices tell what is asked. */
static void only_what_was_before(void **state) {
  (void)state;
  enum { NETWORKS = 30 };
  static toy all[NETWORKS];
  static double values[NETWORKS][TOY_MAX];
  setup s;
  toy t = {0};
  set_up(&s, 2, 9);
  learn_values(&s, 5);
  for (int n = 0; n < NETWORKS; n++) {
    assert_true(toy_next(&t));
    all[n] = t;
    values_of(&s, &t, NAS_POLICY_CURRENT, values[n]);
  }
  for (int a = 0; a < NETWORKS; a++)
    for (int b = 0; b < a; b++) {
      int same = same_until(&all[a], &all[b]);
      assert_memory_equal(values[a], values[b], (size_t)same * sizeof(double));
      if (same < all[a].count && same < all[b].count)
        assert_true(values[a][same] != values[b][same]);
    }
  tear_down(&s);
}

/* ---- Learning ----------------------------------------------------------------------------- */

/* On rewards that depend on all decisions, the last V comes closer to them than their mean is, and
 * the first to their mean. */
static void approaches_rewards(void **state) {
  (void)state;
  setup s;
  double mean = 0, first = 0, error = 0, variance = 0;
  int networks = 0;
  set_up(&s, 1, 12);
  learn_values(&s, 400);
  for (toy t = {0}; toy_next(&t); networks++) mean += toy_reward(&t) / 30;
  for (toy t = {0}; toy_next(&t);) {
    double values[TOY_MAX], reward = toy_reward(&t);
    values_of(&s, &t, NAS_POLICY_CURRENT, values);
    first = values[0];
    variance += (reward - mean) * (reward - mean) / 30;
    error += (reward - values[t.count - 1]) * (reward - values[t.count - 1]) / 30;
  }
  assert_int_equal(networks, 30);
  print_message("# mean %.3f, first V %.3f; variance %.5f, squared error of the last V %.5f\n",
                mean, first, variance, error);
  check_near(first, mean, 0.05);
  assert_true(error < 0.7 * variance);
  tear_down(&s);
}

/* ---- Who does not use it ------------------------------------------------------------------ */

/* The head's blocks appear when values are asked for or learned, and not before. */
static void appears_when_used(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_block block;
  toy t;
  double values[TOY_MAX];
  set_up(&s, 2, 7);
  toy_sample(&t, s.policy, s.tape, 0);
  nas_episode episode = {
      .decisions = t.decisions, .count = t.count, .coefficients = {.log_prob = 0.1}};
  check_ok(nas_policy_learn(s.policy, &episode, 1, NULL, &err), &err);
  assert_int_equal(nas_policy_block_find(s.policy, "value/weight", &block, &err), NAS_ARGUMENT);
  assert_int_equal(nas_policy_block_find(s.policy, "value/bias", &block, &err), NAS_ARGUMENT);
  int before = nas_policy_block_count(s.policy);
  values_of(&s, &t, NAS_POLICY_CURRENT, values);
  assert_int_equal(nas_policy_block_count(s.policy), before + 2);
  check_ok(nas_policy_block_find(s.policy, "value/weight", &block, &err), &err);
  assert_int_equal(block.rows, 7);
  assert_int_equal(block.width, 1);
  check_ok(nas_policy_block_find(s.policy, "value/bias", &block, &err), &err);
  assert_int_equal(block.rows * block.width, 1);
  tear_down(&s);
}

/* Coefficients of zero, and a head that only looks on, move no bit of the rest. */
static void looking_on_moves_nothing(void **state) {
  (void)state;
  static const double zeros[TOY_MAX];
  setup with, without;
  nas_error err;
  set_up(&with, 2, 7);
  set_up(&without, 2, 7);
  for (uint64_t step = 0; step < 4; step++) {
    toy t;
    double values[TOY_MAX];
    toy_sample(&t, without.policy, without.tape, step);
    nas_episode episode = {
        .decisions = t.decisions, .count = t.count, .coefficients = {.log_prob = 0.1}};
    check_ok(nas_policy_learn(without.policy, &episode, 1, NULL, &err), &err);
    values_of(&with, &t, NAS_POLICY_CURRENT, values);
    episode.coefficients.values = zeros;
    check_ok(nas_policy_learn(with.policy, &episode, 1, NULL, &err), &err);
  }
  /* The blocks of the head come last in the order of keys. */
  size_t size = nas_policy_size(without.policy);
  assert_int_equal(nas_policy_size(with.policy), size + 8);
  float *a = malloc(size * sizeof *a), *b = malloc(size * sizeof *b);
  assert_non_null(a);
  assert_non_null(b);
  check_ok(nas_policy_get(with.policy, NAS_POLICY_CURRENT, 0, size, a, &err), &err);
  check_ok(nas_policy_get(without.policy, NAS_POLICY_CURRENT, 0, size, b, &err), &err);
  assert_memory_equal(a, b, size * sizeof *a);
  free(a);
  free(b);
  tear_down(&with);
  tear_down(&without);
}

/* ---- Files and failures ------------------------------------------------------------------- */

/* Saved in the middle, a policy with a value head goes on with the same bits. */
static void goes_on_the_same(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy *through;
  set_up(&s, 2, 7);
  learn_values(&s, 3);
  nas_text saved = bytes_of(s.policy);
  learn_values(&s, 3);
  nas_text expected = bytes_of(s.policy);
  through = s.policy;
  check_ok(nas_policy_decode(&s.policy, saved.data, saved.size, &err), &err);
  check_near(nas_policy_options_of(s.policy)->value_rate, 0.05, 0);
  learn_values(&s, 3);
  nas_text found = bytes_of(s.policy);
  assert_int_equal(found.size, expected.size);
  assert_memory_equal(found.data, expected.data, found.size);
  nas_text_clear(&saved);
  nas_text_clear(&expected);
  nas_text_clear(&found);
  nas_policy_destroy(&through);
  tear_down(&s);
}

static void refusals(void **state) {
  (void)state;
  setup s, other;
  nas_error err;
  toy t;
  double values[TOY_MAX];
  float value = 0;
  set_up(&s, 1, 3);
  set_up(&other, 1, 3);
  nas_text before = bytes_of(s.policy);
  assert_int_equal(nas_policy_values(s.policy, s.tape, values, &err), NAS_STATE);
  check_contains(err.text, "holds no episode");
  toy_sample(&t, other.policy, s.tape, 0);
  assert_int_equal(nas_policy_values(s.policy, s.tape, values, &err), NAS_STATE);
  check_contains(err.text, "holds no episode");
  nas_text after = bytes_of(s.policy);
  assert_int_equal(after.size, before.size);
  nas_text_clear(&before);
  nas_text_clear(&after);
  check_ok(nas_policy_set(other.policy, 0, 1, &value, &err), &err);
  assert_int_equal(nas_policy_values(other.policy, s.tape, values, &err), NAS_STATE);
  check_contains(err.text, "has changed");
  tear_down(&other);
  tear_down(&s);
}

/* A value that overflows is refused, also where the gradient would be finite, and moves no bit. */
static void overflow(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_block block;
  toy t;
  double values[TOY_MAX];
  float huge[3], wide_open[12];
  set_up(&s, 1, 3);
  toy_sample(&t, s.policy, s.tape, 0);
  values_of(&s, &t, NAS_POLICY_CURRENT, values);
  for (int i = 0; i < 3; i++) huge[i] = 3e38f;
  for (int i = 0; i < 12; i++) wide_open[i] = 9;
  check_ok(nas_policy_block_find(s.policy, "value/weight", &block, &err), &err);
  check_ok(nas_policy_set(s.policy, block.first, 3, huge, &err), &err);
  check_ok(nas_policy_block_find(s.policy, "lstm/1/bias", &block, &err), &err);
  check_ok(nas_policy_set(s.policy, block.first, 12, wide_open, &err), &err);
  nas_text before = bytes_of(s.policy);
  check_ok(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, t.decisions, t.count, &err),
           &err);
  assert_int_equal(nas_policy_values(s.policy, s.tape, values, &err), NAS_DIVERGED);
  check_contains(err.text, "the value of decision 1 is not finite");
  nas_episode episode = {.decisions = t.decisions,
                         .count = t.count,
                         .coefficients = {.values = (double[]){1e-3, 0, 0, 0, 0}}};
  assert_int_equal(nas_policy_learn(s.policy, &episode, 1, NULL, &err), NAS_DIVERGED);
  check_contains(err.text, "episode 1: the value of decision 1 is not finite");
  nas_text after = bytes_of(s.policy);
  assert_int_equal(after.size, before.size);
  assert_memory_equal(after.data, before.data, after.size);
  nas_text_clear(&before);
  nas_text_clear(&after);
  tear_down(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(one_chain, check_no_blocks),
      cmocka_unit_test_teardown(zero_at_first, check_no_blocks),
      cmocka_unit_test_teardown(only_what_was_before, check_no_blocks),
      cmocka_unit_test_teardown(approaches_rewards, check_no_blocks),
      cmocka_unit_test_teardown(appears_when_used, check_no_blocks),
      cmocka_unit_test_teardown(looking_on_moves_nothing, check_no_blocks),
      cmocka_unit_test_teardown(goes_on_the_same, check_no_blocks),
      cmocka_unit_test_teardown(refusals, check_no_blocks),
      cmocka_unit_test_teardown(overflow, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy value", tests, NULL, NULL);
}
