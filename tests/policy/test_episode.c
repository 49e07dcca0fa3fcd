/* Episodes: sampled, forced, scored; distributions; records; refusals. */
#include "toy.h"
#include <math.h>

static nas_policy *policy_of(double init, uint64_t seed) {
  nas_policy *policy;
  nas_policy_options options;
  nas_error err;
  nas_policy_options_default(&options);
  options.units = 11;
  options.init = init;
  check_ok(nas_policy_create(&policy, &options, seed, &err), &err);
  return policy;
}

/* ---- Probabilities ------------------------------------------------------------------------ */

/* What was recorded at sampling is what teacher forcing computes, to the last bit. */
static void scored_as_sampled(void **state) {
  (void)state;
  nas_policy *policy = policy_of(0.7, 3);
  nas_tape *tape, *second;
  nas_policy_step step, step_again;
  nas_error err;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_tape_create(&second, policy, &err), &err);
  for (uint64_t sample = 0; sample < 50; sample++) {
    toy t;
    toy_sample(&t, policy, tape, sample);
    check_ok(nas_policy_score(policy, second, NAS_POLICY_CURRENT, t.decisions, t.count, &err),
             &err);
    assert_int_equal(nas_tape_length(second), t.count);
    double sum = 0, entropy = 0;
    for (int i = 0; i < t.count; i++) {
      check_ok(nas_tape_step(tape, i, &step, &err), &err);
      check_ok(nas_tape_step(second, i, &step_again, &err), &err);
      assert_memory_equal(&t.log_probs[i], &step.log_prob, sizeof(double));
      assert_memory_equal(&step_again.log_prob, &step.log_prob, sizeof(double));
      assert_memory_equal(&step_again.entropy, &step.entropy, sizeof(double));
      assert_memory_equal(step_again.probabilities, step.probabilities,
                          (size_t)step.decision.count * sizeof(double));
      check_ok(nas_decision_check(t.decisions, t.count, i, &step.decision, &err), &err);
      assert_int_equal(step.decision.chosen, t.decisions[i].chosen);
      sum += step.log_prob;
      entropy += step.entropy;
    }
    check_near(nas_tape_log_prob(tape), sum, 0);
    check_near(nas_tape_log_prob(second), sum, 0);
    check_near(nas_tape_entropy(tape), entropy, 0);
  }
  nas_tape_destroy(&tape);
  nas_tape_destroy(&second);
  nas_policy_destroy(&policy);
}

/* Probabilities add up to 1, for each step and over all networks; entropy is -sum p log p. */
static void distributions(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 4);
  nas_tape *tape;
  nas_error err;
  toy t = {0};
  double whole = 0;
  int networks = 0;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  while (toy_next(&t)) {
    check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t.decisions, t.count, &err), &err);
    whole += exp(nas_tape_log_prob(tape));
    networks++;
    for (int i = 0; i < t.count; i++) {
      nas_policy_step step;
      double sum = 0, entropy = 0;
      check_ok(nas_tape_step(tape, i, &step, &err), &err);
      for (int k = 0; k < step.decision.count; k++) {
        sum += step.probabilities[k];
        entropy -= step.probabilities[k] * step.log_probabilities[k];
        check_near(exp(step.log_probabilities[k]), step.probabilities[k], 1e-15);
      }
      check_near(sum, 1, 1e-15);
      check_near(step.entropy, entropy, 1e-15);
    }
  }
  assert_int_equal(networks, 30);
  check_near(whole, 1, 1e-14);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* Chi-square of 20,000 samples over the 30 networks: 29 degrees of freedom, of which 80 is exceeded
 * with probability 1e-6. */
static void frequencies(void **state) {
  (void)state;
  enum { SAMPLES = 20000, NETWORKS = 30 };
  nas_policy *policy = policy_of(0.6, 5);
  nas_tape *tape;
  nas_error err;
  int counts[NETWORKS] = {0}, network = 0;
  double chi_square = 0;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  static double p[NETWORKS];
  static toy all[NETWORKS];
  for (toy t = {0}; toy_next(&t); network++) {
    check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t.decisions, t.count, &err), &err);
    p[network] = exp(nas_tape_log_prob(tape));
    all[network] = t;
  }
  for (uint64_t sample = 0; sample < SAMPLES; sample++) {
    toy t;
    toy_sample(&t, policy, tape, sample);
    for (int n = 0; n < NETWORKS; n++) counts[n] += toy_same(&all[n], &t);
  }
  for (int n = 0; n < NETWORKS; n++) {
    double expected = SAMPLES * p[n];
    assert_true(expected > 5); /* else the test says little */
    chi_square += (counts[n] - expected) * (counts[n] - expected) / expected;
  }
  print_message("# chi-square %.1f with 29 degrees of freedom\n", chi_square);
  assert_true(chi_square < 80);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* Biases so far apart that probabilities underflow: the impossible is never drawn, its
 * log-probability stays finite. */
static void impossible_options(void **state) {
  (void)state;
  static const float biases[] = {-2000, 0, -2000, 1, -2000};
  nas_policy *policy = policy_of(0.1, 6);
  nas_tape *tape;
  nas_policy_block block;
  nas_policy_step step;
  nas_error err;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_force(policy, tape, "x", "a,b,c,d,e", 5, 0, NULL, &err), &err);
  check_ok(nas_policy_block_find(policy, "head/x/a,b,c,d,e/bias", &block, &err), &err);
  check_ok(nas_policy_set(policy, block.first, 5, biases, &err), &err);
  for (uint64_t sample = 0; sample < 1000; sample++) {
    int chosen;
    nas_stream stream = nas_stream_open(1, "sample", &sample, 1);
    check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
    check_ok(nas_policy_choose(policy, tape, "x", "a,b,c,d,e", 5, &stream, &chosen, NULL, &err),
             &err);
    assert_true(chosen == 1 || chosen == 3);
  }
  /* The smallest number of a stream, 0, does not fall to a first option of probability 0. */
  nas_stream zeros = {.used = 0};
  int chosen;
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_choose(policy, tape, "x", "a,b,c,d,e", 5, &zeros, &chosen, NULL, &err), &err);
  assert_int_equal(chosen, 1);
  check_ok(nas_tape_step(tape, 0, &step, &err), &err);
  check_near(step.probabilities[2], 0, 0);
  assert_true(isfinite(step.log_probabilities[2]) && step.log_probabilities[2] < -1990);
  assert_true(isfinite(step.entropy));
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* One option: probability 1, entropy 0, nothing to learn but the bookkeeping works. */
static void one_option(void **state) {
  (void)state;
  nas_policy *policy = policy_of(0.1, 6);
  nas_tape *tape;
  nas_policy_step step;
  nas_error err;
  int chosen = -1;
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_choose(policy, tape, "x", "a", 1, &stream, &chosen, NULL, &err), &err);
  assert_int_equal(chosen, 0);
  check_ok(nas_tape_step(tape, 0, &step, &err), &err);
  check_near(step.log_prob, 0, 0);
  check_near(step.entropy, 0, 0);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* ---- Records ------------------------------------------------------------------------------ */

static void records(void **state) {
  (void)state;
  const nas_decision recorded[] = {
      {.name = "kernel", .options = "1,3", .count = 2},
      {.name = "kernel", .options = "1,3", .count = 2, .occurrence = 1}};
  nas_decision asked = recorded[0];
  nas_error err;
  asked.chosen = 1;
  check_ok(nas_decision_check(recorded, 2, 0, &asked, &err), &err);
  check_ok(nas_decision_check(recorded, 2, 2, NULL, &err), &err);
  assert_int_equal(nas_decision_check(recorded, 2, 2, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "only 2 decisions are recorded");
  assert_int_equal(nas_decision_check(recorded, 2, 1, NULL, &err), NAS_ARGUMENT);
  check_contains(err.text, "nothing more is asked");
  asked.options = "1,3,5";
  asked.count = 3;
  assert_int_equal(nas_decision_check(recorded, 2, 0, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "options of \"kernel\" have changed");
  check_contains(err.text, "1,3,5");
  asked.name = "filters";
  assert_int_equal(nas_decision_check(recorded, 2, 0, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "recorded is \"kernel\"");
  check_contains(err.text, "asked is \"filters\"");
  assert_int_equal(nas_decision_check(recorded, 2, 1, &recorded[0], &err), NAS_ARGUMENT);
  check_contains(err.text, "occurrence 1");
}

/* ---- Refusals ----------------------------------------------------------------------------- */

/* The policy's bytes, to see that a refusal leaves it alone. */
static nas_text bytes_of(const nas_policy *policy) {
  nas_text bytes = {0};
  nas_error err;
  check_ok(nas_policy_encode(policy, &bytes, &err), &err);
  return bytes;
}

static void check_bytes(const nas_policy *policy, nas_text *before) {
  nas_text now = bytes_of(policy);
  assert_int_equal(now.size, before->size);
  assert_memory_equal(now.data, before->data, now.size);
  nas_text_clear(&now);
}

static void refused_choices(void **state) {
  (void)state;
  nas_policy *policy = policy_of(0.1, 6);
  nas_tape *tape;
  nas_error err;
  char long_name[300];
  int chosen;
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0), untouched = stream;
  memset(long_name, 'n', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  assert_int_equal(nas_policy_choose(policy, tape, "x", "a", 1, &stream, &chosen, NULL, &err),
                   NAS_STATE);
  check_contains(err.text, "no episode");
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_force(policy, tape, "x", "a,b", 2, 1, NULL, &err), &err);
  nas_text before = bytes_of(policy);
  static const struct {
    const char *name, *options;
    int count;
    const char *message;
  } bad[] = {
      {"", "a", 1, "name of a decision has 0 bytes"},
      {NULL, "a", 1, "name of a decision has 0 bytes"},
      {"y", "", 1, "option text of a decision has 0 bytes"},
      {"y", "a", 0, "has 0 options"},
      {"y", "a", NAS_DECISION_COUNT_MAX + 1, "has 4097 options"},
      {"y", "a", -5, "has -5 options"},
      {"x", "a,b", 3, "was a choice of 2 before"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(nas_policy_choose(policy, tape, bad[i].name, bad[i].options, bad[i].count,
                                       &stream, &chosen, NULL, &err),
                     NAS_ARGUMENT);
    check_contains(err.text, bad[i].message);
  }
  assert_int_equal(nas_policy_choose(policy, tape, long_name, "a", 1, &stream, &chosen, NULL, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "more than 255");
  assert_int_equal(nas_policy_choose(policy, tape, "y", "a", 1, NULL, &chosen, NULL, &err),
                   NAS_ARGUMENT);
  assert_int_equal(nas_policy_force(policy, tape, "y", "a,b", 2, 2, NULL, &err), NAS_ARGUMENT);
  check_contains(err.text, "option 2 of 2");
  assert_int_equal(nas_policy_force(policy, tape, "y", "a,b", 2, -1, NULL, NULL), NAS_ARGUMENT);
  assert_memory_equal(&stream, &untouched, sizeof stream);
  assert_int_equal(nas_tape_length(tape), 1);
  check_bytes(policy, &before);
  nas_text_clear(&before);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

static void refused_records(void **state) {
  (void)state;
  nas_policy *policy = policy_of(0.1, 6);
  nas_tape *tape;
  nas_error err;
  nas_text before = bytes_of(policy);
  nas_decision decisions[] = {{.name = "x", .options = "a,b", .count = 2},
                              {.name = "x", .options = "a,b", .count = 2, .occurrence = 2}};
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  assert_int_equal(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, decisions, 2, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "decision 2: occurrence of \"x\" is recorded as 2");
  assert_int_equal(nas_tape_length(tape), 0);
  check_bytes(policy, &before);
  decisions[1].occurrence = 1;
  decisions[1].kind = (nas_decision_kind)7;
  assert_int_equal(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, decisions, 2, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "kind of a decision is 7");
  check_bytes(policy, &before);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, decisions, 0, &err), &err);
  check_near(nas_tape_log_prob(tape), 0, 0);
  nas_text_clear(&before);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

static void stale_and_foreign_tapes(void **state) {
  (void)state;
  nas_policy *policy = policy_of(0.1, 6), *other = policy_of(0.1, 6), *wide;
  nas_tape *tape;
  nas_policy_step step;
  nas_error err;
  float value = 0;
  check_ok(nas_policy_create(&wide, NULL, 1, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  assert_int_equal(nas_policy_begin(wide, tape, NAS_POLICY_CURRENT, &err), NAS_ARGUMENT);
  check_contains(err.text, "2 layers of 11 units");
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_force(policy, tape, "x", "a,b", 2, 1, NULL, &err), &err);
  assert_int_equal(nas_policy_force(other, tape, "x", "a,b", 2, 1, NULL, &err), NAS_STATE);
  check_ok(nas_policy_set(policy, 0, 1, &value, &err), &err);
  assert_int_equal(nas_policy_force(policy, tape, "x", "a,b", 2, 1, NULL, &err), NAS_STATE);
  check_contains(err.text, "has changed");
  assert_int_equal(nas_tape_step(tape, 1, &step, &err), NAS_ARGUMENT);
  assert_int_equal(nas_tape_step(tape, -1, &step, &err), NAS_ARGUMENT);
  check_ok(nas_policy_begin(other, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_force(other, tape, "x", "a,b", 2, 1, NULL, &err), &err);
  nas_tape_destroy(&tape);
  nas_tape_destroy(NULL);
  nas_policy_destroy(&wide);
  nas_policy_destroy(&other);
  nas_policy_destroy(&policy);
}

/* Parameters so large that a logit overflows. */
static void overflow(void **state) {
  (void)state;
  nas_policy *policy = policy_of(0.1, 6);
  nas_tape *tape;
  nas_policy_block block;
  nas_error err;
  float huge[22];
  for (int i = 0; i < 22; i++) huge[i] = i % 2 ? 3e38f : -3e38f;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_force(policy, tape, "x", "a,b", 2, 1, NULL, &err), &err);
  check_ok(nas_policy_block_find(policy, "head/x/a,b/weight", &block, &err), &err);
  check_ok(nas_policy_set(policy, block.first, 22, huge, &err), &err);
  check_ok(nas_policy_block_find(policy, "lstm/2/bias", &block, &err), &err);
  for (int i = 0; i < 22; i++) huge[i] = 9; /* gates wide open: outputs near 1 */
  check_ok(nas_policy_set(policy, block.first, 22, huge, &err), &err);
  check_ok(nas_policy_set(policy, block.first + 22, 22, huge, &err), &err);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  assert_int_equal(nas_policy_force(policy, tape, "x", "a,b", 2, 1, NULL, &err), NAS_DIVERGED);
  check_contains(err.text, "not finite");
  assert_int_equal(nas_tape_length(tape), 0);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* A tape that was long enough once allocates nothing again; a long one keeps what it holds. */
static void memory_of_tapes(void **state) {
  (void)state;
  enum { STEPS = 300 };
  nas_policy *policy = policy_of(0.1, 6);
  nas_tape *tape;
  nas_error err;
  double log_prob[STEPS];
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (int pass = 0; pass < 2; pass++) {
    if (pass) nas_memory_fail_after(0);
    nas_stream stream = nas_stream_open(1, "sample", NULL, 0);
    check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
    for (int t = 0; t < STEPS; t++) {
      int chosen;
      double again;
      check_ok(nas_policy_choose(policy, tape, t % 3 ? "x" : "y", t % 2 ? "a,b" : "a,b,c",
                                 t % 2 ? 2 : 3, &stream, &chosen, &again, &err),
               &err);
      if (pass) check_near(again, log_prob[t], 0);
      log_prob[t] = again;
    }
  }
  nas_memory_fail_after(-1);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* An episode may have so many decisions and no more; many names, so that few parameters appear. */
static void longest_episode(void **state) {
  (void)state;
  enum { NAMES = 500 };
  nas_policy *policy;
  nas_policy_options options;
  nas_tape *tape;
  nas_error err;
  char name[16];
  nas_policy_options_default(&options);
  options.layers = 1;
  options.units = 1;
  check_ok(nas_policy_create(&policy, &options, 1, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  for (int t = 0; t < NAS_TAPE_LENGTH_MAX; t++) {
    snprintf(name, sizeof name, "n%d", t % NAMES);
    check_ok(nas_policy_force(policy, tape, name, "a", 1, 0, NULL, &err), &err);
  }
  assert_int_equal(nas_policy_force(policy, tape, name, "a", 1, 0, NULL, &err), NAS_LIMIT);
  check_contains(err.text, "65536");
  assert_int_equal(nas_tape_length(tape), NAS_TAPE_LENGTH_MAX);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(scored_as_sampled, check_no_blocks),
      cmocka_unit_test_teardown(distributions, check_no_blocks),
      cmocka_unit_test_teardown(frequencies, check_no_blocks),
      cmocka_unit_test_teardown(impossible_options, check_no_blocks),
      cmocka_unit_test_teardown(one_option, check_no_blocks),
      cmocka_unit_test_teardown(records, check_no_blocks),
      cmocka_unit_test_teardown(refused_choices, check_no_blocks),
      cmocka_unit_test_teardown(refused_records, check_no_blocks),
      cmocka_unit_test_teardown(stale_and_foreign_tapes, check_no_blocks),
      cmocka_unit_test_teardown(overflow, check_no_blocks),
      cmocka_unit_test_teardown(memory_of_tapes, check_no_blocks),
      cmocka_unit_test_teardown(longest_episode, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy episode", tests, NULL, NULL);
}
