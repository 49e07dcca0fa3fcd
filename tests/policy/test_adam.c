/* The optimiser's step against the equations of nas_policy_apply. */
#include "toy.h"
#include <math.h>
#include <stdlib.h>
#include "policy_state.h"

typedef struct setup {
  nas_policy *policy;
  nas_tape *tape;
  nas_policy_gradient *gradient;
  toy episode;
} setup;

static void set_up(setup *s, const nas_policy_options *options) {
  nas_error err;
  memset(s, 0, sizeof *s);
  toy_next(&s->episode);
  check_ok(nas_policy_create(&s->policy, options, 2, &err), &err);
  check_ok(nas_tape_create(&s->tape, s->policy, &err), &err);
  check_ok(nas_policy_gradient_create(&s->gradient, s->policy, &err), &err);
}

static void tear_down(setup *s) {
  nas_policy_gradient_destroy(&s->gradient);
  nas_tape_destroy(&s->tape);
  nas_policy_destroy(&s->policy);
}

static nas_policy_options small_options(void) {
  nas_policy_options options;
  nas_policy_options_default(&options);
  options.layers = 1;
  options.units = 5;
  options.init = 0.4;
  options.rate = 0.02;
  return options;
}

/* The gradient of advantage * log pi of the episode, from the empty sum. */
static void accumulate(setup *s, double advantage) {
  nas_error err;
  nas_coefficients c = {.log_prob = advantage};
  nas_policy_gradient_clear(s->gradient);
  check_ok(nas_policy_score(s->policy, s->tape, NAS_POLICY_CURRENT, s->episode.decisions,
                            s->episode.count, &err),
           &err);
  check_ok(nas_policy_accumulate(s->policy, s->tape, &c, s->gradient, &err), &err);
}

static float *copy_of(const setup *s, int of_gradient) {
  nas_error err;
  size_t size = nas_policy_size(s->policy);
  float *values = malloc(size * sizeof *values);
  assert_non_null(values);
  if (of_gradient)
    check_ok(nas_policy_gradient_get(s->policy, s->gradient, 0, size, values, &err), &err);
  else
    check_ok(nas_policy_get(s->policy, NAS_POLICY_CURRENT, 0, size, values, &err), &err);
  return values;
}

/* Some steps with all options on, against the same algorithm on flat vectors of double: the policy
 * computes in float, which may differ by some units in the last place. */
static void equations(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_options o = small_options();
  o.clip_norm = 0.5;
  o.l2 = 0.01;
  o.beta1 = 0.8;
  o.beta2 = 0.95;
  o.epsilon = 1e-3;
  set_up(&s, &o);
  accumulate(&s, 1); /* all blocks have appeared */
  size_t size = nas_policy_size(s.policy);
  double *m = calloc(size, sizeof *m), *v = calloc(size, sizeof *v);
  assert_non_null(m);
  assert_non_null(v);
  for (int k = 1; k <= 5; k++) {
    nas_policy_applied applied;
    double norm = 0, squares = 0;
    accumulate(&s, k % 2 ? 3 : -0.2); /* clipped, not clipped */
    float *w = copy_of(&s, 0), *sum = copy_of(&s, 1);
    check_ok(nas_policy_apply(s.policy, s.gradient, &applied, &err), &err);
    float *after = copy_of(&s, 0);
    for (size_t i = 0; i < size; i++) {
      double g = (double)sum[i] - 2 * o.l2 * (double)w[i];
      norm += g * g;
      squares += (double)w[i] * (double)w[i];
    }
    norm = sqrt(norm);
    assert_int_equal(norm > o.clip_norm, k % 2);
    check_near(applied.gradient_norm, norm, 1e-6 * norm);
    check_near(applied.l2, o.l2 * squares, 1e-12);
    for (size_t i = 0; i < size; i++) {
      double g = ((double)sum[i] - 2 * o.l2 * (double)w[i]) * fmin(1, o.clip_norm / norm);
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
      double step = m[i] / (1 - pow(o.beta1, k)) / (sqrt(v[i] / (1 - pow(o.beta2, k))) + o.epsilon);
      check_near((double)after[i], (double)w[i] + o.rate * step, 1e-7);
    }
    assert_int_equal(nas_policy_steps(s.policy), k);
    free(w);
    free(sum);
    free(after);
  }
  free(m);
  free(v);
  tear_down(&s);
}

/* Ascent: a step along grad log pi makes the episode more probable, against it less. */
static void direction(void **state) {
  (void)state;
  for (int sign = -1; sign <= 1; sign += 2) {
    setup s;
    nas_error err;
    nas_policy_options options = small_options();
    set_up(&s, &options);
    accumulate(&s, 0.02 * sign);
    double before = nas_tape_log_prob(s.tape);
    check_ok(nas_policy_apply(s.policy, s.gradient, NULL, &err), &err);
    accumulate(&s, 0);
    double after = nas_tape_log_prob(s.tape);
    assert_true(sign > 0 ? after > before : after < before);
    tear_down(&s);
  }
}

/* The pull of l2 on the parameters is -2 l2 w whatever the advantage: after the first step, m is
 * (1 - beta1) times the whole gradient. */
static void l2_is_independent_of_the_reward(void **state) {
  (void)state;
  static const double advantages[] = {-0.5, 0, 0.02, 4};
  nas_policy_options options = small_options();
  options.l2 = 0.125;
  for (size_t a = 0; a < sizeof advantages / sizeof advantages[0]; a++) {
    setup s;
    nas_error err;
    set_up(&s, &options);
    accumulate(&s, advantages[a]);
    float *w = copy_of(&s, 0), *sum = copy_of(&s, 1);
    check_ok(nas_policy_apply(s.policy, s.gradient, NULL, &err), &err);
    size_t i = 0;
    for (int b = 0; b < s.policy->blocks.count; b++) {
      const nas_rows *moment = &s.policy->blocks.sorted[b]->part[NAS_PART_MOMENT1];
      for (int r = 0; r < moment->rows; r++)
        for (int c = 0; c < moment->width; c++, i++) {
          double whole = (double)nas_rows_at(moment, r)[c] / (1 - options.beta1);
          check_near(whole - (double)sum[i], -2 * options.l2 * (double)w[i], 1e-6);
        }
    }
    assert_int_equal(i, nas_policy_size(s.policy));
    free(w);
    free(sum);
    tear_down(&s);
  }
}

/* What a policy was asked changes nothing of what it learns. With l2 it does: the parameters that
 * appeared there are made smaller by each step, and count in the norm. */
static void reads_before_steps(void **state) {
  (void)state;
  static const nas_decision other[] = {
      {.name = "other", .options = "a,b,c", .count = 3, .chosen = 1},
      {.name = "depth", .options = "1,2", .count = 2, .chosen = 0}};
  nas_policy_options options = small_options();
  options.clip_norm = 0.5;
  for (int with_l2 = 0; with_l2 < 2; with_l2++) {
    double log_probs[2], norms[2];
    options.l2 = with_l2 ? 0.01 : 0;
    for (int reads = 0; reads < 2; reads++) {
      setup s;
      nas_error err;
      nas_policy_applied applied;
      set_up(&s, &options);
      if (reads)
        check_ok(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, other, 2, &err), &err);
      for (int k = 0; k < 5; k++) {
        accumulate(&s, 1);
        check_ok(nas_policy_apply(s.policy, s.gradient, &applied, &err), &err);
      }
      norms[reads] = applied.gradient_norm;
      check_ok(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, other, 2, &err), &err);
      log_probs[reads] = nas_tape_log_prob(s.tape);
      tear_down(&s);
    }
    assert_int_equal(log_probs[1] != log_probs[0], with_l2);
    assert_int_equal(norms[1] != norms[0], with_l2);
  }
}

/* No gradient and no state: nothing moves. */
static void zero_moves_nothing(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_applied applied;
  set_up(&s, NULL);
  accumulate(&s, 0);
  float *before = copy_of(&s, 0);
  check_ok(nas_policy_apply(s.policy, s.gradient, &applied, &err), &err);
  float *after = copy_of(&s, 0);
  assert_memory_equal(before, after, nas_policy_size(s.policy) * sizeof *before);
  check_near(applied.gradient_norm, 0, 0);
  free(before);
  free(after);
  tear_down(&s);
}

static int is_value(const char *key) {
  return strcmp(key, "value/weight") == 0 || strcmp(key, "value/bias") == 0;
}

/* The value head goes by value_rate, everything else by rate. At the first step Adam moves by the
 * rate, but for epsilon, whatever the gradient's size. */
static void rate_of_the_value_head(void **state) {
  (void)state;
  static const struct { double rate, value_rate; } cases[] = {{0, 0.25}, {0.25, 0}, {0.02, 0.25}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    setup s;
    nas_error err;
    nas_policy_block block;
    double values[TOY_MAX];
    int moved[2] = {0};
    nas_policy_options options = small_options();
    options.rate = cases[k].rate;
    options.value_rate = cases[k].value_rate;
    set_up(&s, &options);
    accumulate(&s, 1);
    check_ok(nas_policy_values(s.policy, s.tape, values, &err), &err);
    nas_coefficients c = {.values = (double[]){1, 1, 1, 1, 1}};
    check_ok(nas_policy_accumulate(s.policy, s.tape, &c, s.gradient, &err), &err);
    float *before = copy_of(&s, 0), *sum = copy_of(&s, 1);
    check_ok(nas_policy_apply(s.policy, s.gradient, NULL, &err), &err);
    float *after = copy_of(&s, 0);
    for (int b = 0; b < nas_policy_block_count(s.policy); b++) {
      check_ok(nas_policy_block_at(s.policy, b, &block, &err), &err);
      int of_value = is_value(block.key);
      double rate = of_value ? options.value_rate : options.rate;
      for (size_t i = block.first; i < block.first + (size_t)(block.rows * block.width); i++) {
        double moves = (double)after[i] - (double)before[i];
        if (fabs((double)sum[i]) > 1e-4) check_near(fabs(moves), rate, 1e-4 * rate + 1e-7);
        if (rate == 0) check_float_bits(after[i], before[i]);
        moved[of_value] += after[i] != before[i];
      }
    }
    assert_int_equal(moved[0] > 100, options.rate > 0);
    assert_int_equal(moved[1], options.value_rate > 0 ? 6 : 0);
    free(before);
    free(sum);
    free(after);
    tear_down(&s);
  }
}

/* Parameters that appear after the gradient was summed count as having gradient zero. */
static void late_blocks(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_block block;
  float before[5], after[5];
  nas_policy_options options = small_options();
  set_up(&s, &options);
  accumulate(&s, 1);
  check_ok(nas_policy_begin(s.policy, s.tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_force(s.policy, s.tape, "new", "a,b", 2, 0, NULL, &err), &err);
  check_ok(nas_policy_block_find(s.policy, "name/new", &block, &err), &err);
  check_ok(nas_policy_get(s.policy, NAS_POLICY_CURRENT, block.first, 5, before, &err), &err);
  check_ok(nas_policy_apply(s.policy, s.gradient, NULL, &err), &err);
  check_ok(nas_policy_get(s.policy, NAS_POLICY_CURRENT, block.first, 5, after, &err), &err);
  assert_memory_equal(before, after, sizeof before);
  check_ok(nas_policy_gradient_get(s.policy, s.gradient, block.first, 5, after, &err), &err);
  for (int i = 0; i < 5; i++) check_near((double)after[i], 0, 0);
  tear_down(&s);
}

/* A gradient, or a result, that is not finite: an error, and no bit changes. */
static void not_finite(void **state) {
  (void)state;
  setup s, other;
  nas_error err;
  nas_text before = {0}, after = {0};
  nas_policy_options options = small_options();
  set_up(&s, &options);
  set_up(&other, &options);
  accumulate(&s, 1e200);
  check_ok(nas_policy_encode(s.policy, &before, &err), &err);
  assert_int_equal(nas_policy_apply(s.policy, s.gradient, NULL, &err), NAS_DIVERGED);
  check_contains(err.text, "gradient is not finite");
  accumulate(&s, 1e30); /* finite, but its square is no float */
  assert_int_equal(nas_policy_apply(s.policy, s.gradient, NULL, &err), NAS_DIVERGED);
  check_contains(err.text, "would make");
  assert_int_equal(nas_policy_apply(s.policy, other.gradient, NULL, &err), NAS_STATE);
  check_ok(nas_policy_encode(s.policy, &after, &err), &err);
  assert_int_equal(before.size, after.size);
  assert_memory_equal(before.data, after.data, before.size);
  assert_int_equal(nas_policy_steps(s.policy), 0);
  nas_text_clear(&before);
  nas_text_clear(&after);
  tear_down(&s);
  tear_down(&other);
}

/* The same when only the last of the blocks would overflow: those before it have not moved. */
static void not_finite_at_the_end(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_text before = {0}, after = {0};
  nas_policy_block block;
  const float huge = 1e30f; /* its l2 gradient is finite, the square of that is no float */
  nas_policy_options options = small_options();
  options.l2 = 0.01;
  set_up(&s, &options);
  accumulate(&s, 1);
  check_ok(nas_policy_block_find(s.policy, "start", &block, &err), &err);
  assert_int_equal(block.first + 5, nas_policy_size(s.policy)); /* the last */
  check_ok(nas_policy_set(s.policy, block.first, 1, &huge, &err), &err);
  check_ok(nas_policy_encode(s.policy, &before, &err), &err);
  assert_int_equal(nas_policy_apply(s.policy, s.gradient, NULL, &err), NAS_DIVERGED);
  check_contains(err.text, "\"start\"");
  check_ok(nas_policy_encode(s.policy, &after, &err), &err);
  assert_int_equal(before.size, after.size);
  assert_memory_equal(before.data, after.data, before.size);
  nas_text_clear(&before);
  nas_text_clear(&after);
  tear_down(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(equations, check_no_blocks),
      cmocka_unit_test_teardown(direction, check_no_blocks),
      cmocka_unit_test_teardown(l2_is_independent_of_the_reward, check_no_blocks),
      cmocka_unit_test_teardown(reads_before_steps, check_no_blocks),
      cmocka_unit_test_teardown(zero_moves_nothing, check_no_blocks),
      cmocka_unit_test_teardown(rate_of_the_value_head, check_no_blocks),
      cmocka_unit_test_teardown(late_blocks, check_no_blocks),
      cmocka_unit_test_teardown(not_finite, check_no_blocks),
      cmocka_unit_test_teardown(not_finite_at_the_end, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy adam", tests, NULL, NULL);
}
