/* Learning on a space small enough to be enumerated: exact expectations, and what must not happen.
 */
#include "oracle.h"
#include "policy_state.h"
#include "toy.h"
#include <nas/hash.h>
#include <nas/version.h>

enum { NETWORKS = 30 };

static nas_policy *policy_of(int layers, int units, double init, double rate, uint64_t seed) {
  nas_policy *policy;
  nas_policy_options options;
  nas_error err;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  options.init = init;
  options.rate = rate;
  check_ok(nas_policy_create(&policy, &options, seed, &err), &err);
  return policy;
}

/* All networks of the toy space, and their probabilities. */
static void enumerate(nas_policy *policy, toy all[NETWORKS], double p[NETWORKS]) {
  nas_tape *tape;
  nas_error err;
  int n = 0;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (toy t = {0}; toy_next(&t); n++) {
    check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t.decisions, t.count, &err), &err);
    p[n] = exp(nas_tape_log_prob(tape));
    all[n] = t;
  }
  assert_int_equal(n, NETWORKS);
  nas_tape_destroy(&tape);
}

/* grad log pi(t) times coefficient, added to sum[size]. */
static void add_gradient(nas_policy *policy, const toy *t, double coefficient, double *sum) {
  nas_tape *tape;
  nas_policy_gradient *gradient;
  nas_error err;
  nas_coefficients c = {.log_prob = coefficient};
  size_t size = nas_policy_size(policy);
  float *values = malloc(size * sizeof *values);
  assert_non_null(values);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_gradient_create(&gradient, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, t->decisions, t->count, &err), &err);
  check_ok(nas_policy_accumulate(policy, tape, &c, gradient, &err), &err);
  check_ok(nas_policy_gradient_get(policy, gradient, 0, size, values, &err), &err);
  for (size_t i = 0; i < size; i++) sum[i] += (double)values[i];
  free(values);
  nas_policy_gradient_destroy(&gradient);
  nas_tape_destroy(&tape);
}

static double *zeros(size_t size) {
  double *values = calloc(size, sizeof *values);
  assert_non_null(values);
  return values;
}

/* ---- Exact expectations ------------------------------------------------------------------- */

/* J = sum P R by the oracle, from parameters in double. */
static double exact_objective(const oracle plans[NETWORKS], const toy all[NETWORKS],
                              const double *w) {
  const nas_coefficients none = {.log_prob = 0};
  double sum = 0;
  for (int n = 0; n < NETWORKS; n++) {
    double log_prob;
    oracle_objective(&plans[n], w, &none, &log_prob);
    sum += exp(log_prob) * toy_reward(&all[n]);
  }
  return sum;
}

/* grad J = sum P R grad log P equals the central differences of J; the policy's arithmetic in
 * float leaves about 1e-7 (test_gradient.c). */
static void enumerated_gradient(void **state) {
  (void)state;
  static toy all[NETWORKS];
  static oracle plans[NETWORKS];
  double p[NETWORKS];
  nas_policy *policy = policy_of(2, 6, 0.6, 6e-4, 3);
  enumerate(policy, all, p);
  for (int n = 0; n < NETWORKS; n++) plans[n] = oracle_plan(policy, all[n].decisions, all[n].count);
  size_t size = nas_policy_size(policy);
  double *exact = zeros(size), *w = oracle_parameters(policy);
  for (int n = 0; n < NETWORKS; n++)
    add_gradient(policy, &all[n], p[n] * toy_reward(&all[n]), exact);
  double largest = 0;
  for (size_t i = 0; i < size; i += 7) {
    double centre = w[i], h = 1e-5;
    w[i] = centre + h;
    double up = exact_objective(plans, all, w);
    w[i] = centre - h;
    double down = exact_objective(plans, all, w);
    w[i] = centre;
    check_near(exact[i], (up - down) / (2 * h), 1e-6);
    largest = fmax(largest, fabs(exact[i]));
  }
  assert_true(largest > 1e-3); /* the comparison means something */
  free(exact);
  free(w);
  nas_policy_destroy(&policy);
}

/* How often each network is sampled. */
static void count_samples(nas_policy *policy, const toy all[NETWORKS], int samples,
                          int counts[NETWORKS]) {
  nas_tape *tape;
  nas_error err;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (int sample = 0; sample < samples; sample++) {
    toy t;
    int n = 0;
    toy_sample(&t, policy, tape, (uint64_t)sample);
    while (n < NETWORKS && !toy_same(&all[n], &t)) n++;
    assert_true(n < NETWORKS);
    counts[n]++;
  }
  nas_tape_destroy(&tape);
}

/* The mean of R grad log pi over sampled networks: the error of each coordinate over its standard
 * error (from the exact variance), which stays below 6. Returns the mean of its square. */
static double sampling_error(nas_policy *policy, int samples) {
  static toy all[NETWORKS];
  double p[NETWORKS], sum = 0;
  int counts[NETWORKS] = {0}, coordinates = 0;
  enumerate(policy, all, p);
  count_samples(policy, all, samples, counts);
  size_t size = nas_policy_size(policy);
  double *mean = zeros(size), *exact = zeros(size), *square = zeros(size);
  for (int n = 0; n < NETWORKS; n++) {
    double *g = zeros(size);
    add_gradient(policy, &all[n], toy_reward(&all[n]), g);
    for (size_t i = 0; i < size; i++) {
      mean[i] += g[i] * counts[n] / samples;
      exact[i] += g[i] * p[n];
      square[i] += g[i] * g[i] * p[n];
    }
    free(g);
  }
  for (size_t i = 0; i < size; i++) {
    double variance = (square[i] - exact[i] * exact[i]) / samples;
    if (variance < 1e-18) continue;
    double error = (mean[i] - exact[i]) / sqrt(variance);
    check_near(error, 0, 6);
    sum += error * error;
    coordinates++;
  }
  assert_true(coordinates > 100);
  free(mean);
  free(exact);
  free(square);
  return sum / coordinates;
}

/* For an unbiased estimator that mean square is 1 on average; it varies by about 0.6 from policy to
 * policy, since coordinates are correlated. Over 8 policies: 1 +- 5 standard errors. */
static void sampled_gradient(void **state) {
  (void)state;
  enum { POLICIES = 8 };
  double mean = 0;
  for (uint64_t seed = 1; seed <= POLICIES; seed++) {
    nas_policy *policy = policy_of(1, 6, 0.6, 6e-4, seed);
    mean += sampling_error(policy, 4000) / POLICIES;
    nas_policy_destroy(&policy);
  }
  print_message("# squared error over variance: %.2f\n", mean);
  check_near(mean, 1, 5 * 0.6 / sqrt(POLICIES));
}

/* Equal rewards teach nothing: the expected update sum P R grad log P vanishes. */
static void equal_rewards_expect_nothing(void **state) {
  (void)state;
  static toy all[NETWORKS];
  double p[NETWORKS];
  nas_policy *policy = policy_of(2, 6, 0.6, 6e-4, 5);
  enumerate(policy, all, p);
  size_t size = nas_policy_size(policy);
  double *sum = zeros(size), *single = zeros(size), largest = 0;
  for (int n = 0; n < NETWORKS; n++) add_gradient(policy, &all[n], p[n], sum);
  add_gradient(policy, &all[0], 1, single);
  for (size_t i = 0; i < size; i++) {
    check_near(sum[i], 0, 1e-6);
    largest = fmax(largest, fabs(single[i]));
  }
  assert_true(largest > 0.1);
  free(sum);
  free(single);
  nas_policy_destroy(&policy);
}

/* ... and a baseline that equals the reward changes no bit of any parameter. */
static void no_advantage_no_change(void **state) {
  (void)state;
  nas_policy *policy = policy_of(2, 6, 0.6, 0.05, 5);
  nas_tape *tape;
  nas_policy_learned learned;
  nas_error err;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (uint64_t step = 0; step < 10; step++) {
    toy t;
    toy_sample(&t, policy, tape, step);
    nas_episode episode = {.decisions = t.decisions, .count = t.count};
    check_ok(nas_policy_learn(policy, &episode, 1, &learned, &err), &err);
    check_near(learned.kl, 0, 0);
    check_near(learned.gradient_norm, 0, 0);
    check_near(learned.loss, 0, 0);
  }
  size_t size = nas_policy_size(policy);
  float *now = malloc(size * sizeof *now), *initial = malloc(size * sizeof *initial);
  assert_non_null(now);
  assert_non_null(initial);
  check_ok(nas_policy_get(policy, NAS_POLICY_CURRENT, 0, size, now, &err), &err);
  check_ok(nas_policy_get(policy, NAS_POLICY_INITIAL, 0, size, initial, &err), &err);
  assert_memory_equal(now, initial, size * sizeof *now);
  free(now);
  free(initial);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* ---- What learn reports ------------------------------------------------------------------- */

/* learn is score, accumulate, apply; its figures are those of the episodes before the step. */
static void learn_is_its_parts(void **state) {
  (void)state;
  nas_policy *whole = policy_of(2, 7, 0.5, 0.02, 6), *parts = policy_of(2, 7, 0.5, 0.02, 6);
  nas_tape *tape;
  nas_policy_gradient *gradient;
  nas_policy_learned learned;
  nas_policy_applied applied;
  nas_error err;
  nas_text a = {0}, b = {0};
  check_ok(nas_tape_create(&tape, whole, &err), &err);
  check_ok(nas_policy_gradient_create(&gradient, parts, &err), &err);
  for (uint64_t step = 0; step < 4; step++) {
    toy t[3];
    nas_episode episodes[3];
    double policy_loss = 0, entropy_loss = 0, value_loss = 0, entropy = 0, kl = 0;
    nas_policy_gradient_clear(gradient);
    for (uint64_t i = 0; i < 3; i++) {
      static const double of_values[] = {0.3, -0.1, 0.2, 0.4, -0.6};
      double episode_kl, v[TOY_MAX];
      toy_sample(&t[i], whole, tape, 3 * step + i);
      episodes[i] =
          (nas_episode){.decisions = t[i].decisions,
                        .count = t[i].count,
                        .coefficients = {.log_prob = toy_reward(&t[i]) - 0.6, .entropy = 0.01}};
      if (step >= 2) episodes[i].coefficients.values = of_values;
      check_ok(nas_policy_score(parts, tape, NAS_POLICY_CURRENT, t[i].decisions, t[i].count, &err),
               &err);
      check_ok(nas_policy_accumulate(parts, tape, &episodes[i].coefficients, gradient, &err), &err);
      if (step >= 2) {
        check_ok(nas_policy_values(parts, tape, v, &err), &err);
        for (int k = 0; k < t[i].count; k++) value_loss -= of_values[k] * v[k];
      }
      check_ok(nas_policy_kl(parts, t[i].decisions, t[i].count, &episode_kl, &err), &err);
      policy_loss -= episodes[i].coefficients.log_prob * nas_tape_log_prob(tape);
      entropy_loss -= 0.01 * nas_tape_entropy(tape);
      entropy += nas_tape_entropy(tape) / 3;
      kl += episode_kl / 3;
    }
    check_ok(nas_policy_apply(parts, gradient, &applied, &err), &err);
    check_ok(nas_policy_learn(whole, episodes, 3, &learned, &err), &err);
    check_near(learned.policy_loss, policy_loss, 1e-12);
    check_near(learned.entropy_loss, entropy_loss, 1e-12);
    check_near(learned.value_loss, value_loss, 1e-12);
    assert_true((step == 3) == (learned.value_loss != 0)); /* V is 0 until then */
    check_near(learned.entropy, entropy, 1e-12);
    check_near(learned.kl, kl, 1e-12);
    check_near(learned.gradient_norm, applied.gradient_norm, 0);
    check_near(learned.loss, policy_loss + entropy_loss + value_loss, 1e-12);
    assert_true(step ? learned.kl > 1e-9 : learned.kl == 0);
  }
  check_ok(nas_policy_encode(whole, &a, &err), &err);
  check_ok(nas_policy_encode(parts, &b, &err), &err);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
  nas_text_clear(&a);
  nas_text_clear(&b);
  nas_policy_gradient_destroy(&gradient);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&whole);
  nas_policy_destroy(&parts);
}

/* A bad episode among good ones: its number, and no bit changes. */
static void bad_episodes(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 7, 0.5, 0.02, 6);
  nas_error err;
  nas_text before = {0}, after = {0};
  toy t = {0};
  toy_next(&t);
  nas_decision wrong[] = {{.name = "fresh", .options = "a", .count = 1},
                          {.name = "fresh", .options = "a", .count = 1, .chosen = 1}};
  nas_episode episodes[] = {
      {.decisions = t.decisions, .count = t.count, .coefficients = {.log_prob = 1}},
      {.decisions = wrong, .count = 2, .coefficients = {.log_prob = 1}}};
  check_ok(nas_policy_encode(policy, &before, &err), &err);
  assert_int_equal(nas_policy_learn(policy, episodes, 2, NULL, &err), NAS_ARGUMENT);
  check_contains(err.text, "episode 2: decision 2: decision \"fresh\"");
  assert_int_equal(nas_policy_learn(policy, episodes, 0, NULL, &err), NAS_ARGUMENT);
  episodes[0].coefficients.log_prob = 1e300;
  assert_int_equal(nas_policy_learn(policy, episodes, 1, NULL, &err), NAS_DIVERGED);
  check_ok(nas_policy_encode(policy, &after, &err), &err);
  assert_int_equal(before.size, after.size);
  assert_memory_equal(before.data, after.data, before.size);
  nas_text_clear(&before);
  nas_text_clear(&after);

  /* What goes on is as if nothing had happened, also where blocks of other shapes now take the
   * places of those that were taken back. */
  nas_policy *untroubled = policy_of(1, 7, 0.5, 0.02, 6);
  nas_decision other[] = {{.name = "a", .options = "1,2,3,4,5", .count = 5, .chosen = 4},
                          {.name = "b", .options = "1,2,3", .count = 3}};
  nas_episode good = {.decisions = other, .count = 2, .coefficients = {.log_prob = 1}};
  check_ok(nas_policy_learn(policy, &good, 1, NULL, &err), &err);
  check_ok(nas_policy_learn(untroubled, &good, 1, NULL, &err), &err);
  check_ok(nas_policy_encode(policy, &before, &err), &err);
  check_ok(nas_policy_encode(untroubled, &after, &err), &err);
  assert_int_equal(before.size, after.size);
  assert_memory_equal(before.data, after.data, before.size);
  nas_text_clear(&before);
  nas_text_clear(&after);
  nas_policy_destroy(&untroubled);
  nas_policy_destroy(&policy);
}

/* ---- Whole searches ----------------------------------------------------------------------- */

/* Kernel and filters four times; the chosen option's number, counted from the end of the list when
 * `reversed`, is what the reward sees. */
typedef struct search {
  nas_policy *policy;
  nas_tape *tape;
  int reversed;
  double (*reward)(const int chosen[8]);
} search;

static double search_step(search *s, uint64_t sample, double baseline) {
  nas_error err;
  nas_decision d[8];
  int seen[8];
  nas_stream stream = nas_stream_open(nas_policy_seed(s->policy), "sample", &sample, 1);
  check_ok(nas_policy_begin(s->policy, s->tape, NAS_POLICY_CURRENT, &err), &err);
  for (int i = 0; i < 8; i++) {
    d[i] = (nas_decision){.name = i % 2 ? "filters" : "kernel",
                          .options = i % 2 ? "32,48,64" : "1,3",
                          .count = i % 2 ? 3 : 2,
                          .occurrence = i / 2};
    check_ok(nas_policy_choose(s->policy, s->tape, d[i].name, d[i].options, d[i].count, &stream,
                               &d[i].chosen, NULL, &err),
             &err);
    seen[i] = s->reversed ? d[i].count - 1 - d[i].chosen : d[i].chosen;
  }
  double reward = s->reward(seen);
  nas_episode episode = {
      .decisions = d, .count = 8, .coefficients = {.log_prob = reward - baseline}};
  check_ok(nas_policy_learn(s->policy, &episode, 1, NULL, &err), &err);
  return reward;
}

static double middle_filters(const int chosen[8]) {
  return 0.8 + 0.02 * ((chosen[1] == 1) + (chosen[3] == 1)) - 0.01 * chosen[4];
}

static double constant(const int chosen[8]) {
  (void)chosen;
  return 0.82;
}

/* Mean over seeds of the probability of each option of the first decision about filters after some
 * steps, and its standard error. */
static void mean_probabilities(int reversed, double (*reward)(const int *), double baseline,
                               double mean[3], double error[3]) {
  enum { SEEDS = 120, STEPS = 25 };
  double square[3] = {0};
  for (int k = 0; k < 3; k++) mean[k] = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    nas_policy_step step;
    nas_error err;
    search s = {.policy = policy_of(1, 8, 0.1, 0.02, seed), .reversed = reversed, .reward = reward};
    check_ok(nas_tape_create(&s.tape, s.policy, &err), &err);
    for (uint64_t i = 0; i < STEPS; i++) search_step(&s, i, baseline);
    check_ok(nas_policy_begin(s.policy, s.tape, NAS_POLICY_CURRENT, &err), &err);
    check_ok(nas_policy_force(s.policy, s.tape, "kernel", "1,3", 2, 0, NULL, &err), &err);
    check_ok(nas_policy_force(s.policy, s.tape, "filters", "32,48,64", 3, 0, NULL, &err), &err);
    check_ok(nas_tape_step(s.tape, 1, &step, &err), &err);
    for (int k = 0; k < 3; k++) {
      double p = step.probabilities[reversed ? 2 - k : k];
      mean[k] += p / SEEDS;
      square[k] += p * p / SEEDS;
    }
    nas_tape_destroy(&s.tape);
    nas_policy_destroy(&s.policy);
  }
  for (int k = 0; k < 3; k++) error[k] = sqrt((square[k] - mean[k] * mean[k]) / SEEDS);
}

/* The place of an option in its list means nothing: over many seeds the list read backwards
 * leaves the same probabilities (4 standard errors), and the rewarded option has gained. */
static void order_of_options(void **state) {
  (void)state;
  double forth[3], back[3], error[3], back_error[3];
  mean_probabilities(0, middle_filters, 0.815, forth, error);
  mean_probabilities(1, middle_filters, 0.815, back, back_error);
  for (int k = 0; k < 3; k++) {
    print_message("# option %d: %.3f and %.3f\n", k, forth[k], back[k]);
    check_near(forth[k], back[k], 4 * hypot(error[k], back_error[k]));
  }
  assert_true(forth[1] > 1 / 3.0 + 4 * error[1]);
}

/* Equal positive advantages without a baseline: a random walk whose mean stays at one third. */
static void random_walk(void **state) {
  (void)state;
  double mean[3], error[3];
  mean_probabilities(0, constant, 0.8, mean, error);
  for (int k = 0; k < 3; k++) {
    print_message("# option %d: %.3f +- %.3f\n", k, mean[k], error[k]);
    check_near(mean[k], 1 / 3.0, 4 * error[k]);
    assert_true(error[k] > 1e-3); /* it does walk */
  }
}

/* The same seed gives the same bytes after a search, with every table of kernels; another seed does
 * not. */
static void same_seed_same_trace(void **state) {
  (void)state;
  nas_text first = {0}, other = {0};
  int tables = 0;
  while (nas_kernels_numbered(tables)) tables++;
  for (int run = 0; run <= tables + 1; run++) {
    nas_error err;
    nas_text bytes = {0};
    search s = {.policy = policy_of(2, 35, 0.08, 0.02, run > tables ? 2 : 1),
                .reward = middle_filters};
    if (run > 0 && run <= tables) s.policy->kernels = nas_kernels_numbered(run - 1);
    check_ok(nas_tape_create(&s.tape, s.policy, &err), &err);
    for (uint64_t i = 0; i < 12; i++) search_step(&s, i, 0.8);
    check_ok(nas_policy_encode(s.policy, &bytes, &err), &err);
    if (run == 0) {
      first = bytes;
    } else if (run <= tables) {
      assert_int_equal(bytes.size, first.size);
      assert_memory_equal(bytes.data, first.data, first.size);
      nas_text_clear(&bytes);
    } else {
      other = bytes;
    }
    nas_tape_destroy(&s.tape);
    nas_policy_destroy(&s.policy);
  }
  assert_int_equal(first.size, other.size);
  assert_memory_not_equal(first.data + 200, other.data + 200, first.size - 200);
  nas_text_clear(&first);
  nas_text_clear(&other);
}

/* What version 1 of the format made of a policy without a value head: the digest was taken of it,
 * and bits of such policies do not change with the format. */
static void as_version_1(nas_text *bytes) {
  enum { VALUE_RATE = 120, CHECKSUM = 16 };
  unsigned char *b = (unsigned char *)bytes->data;
  memmove(b + VALUE_RATE, b + VALUE_RATE + 8, bytes->size - VALUE_RATE - 8);
  bytes->size -= 8;
  b[8] = 1;
  for (int i = 0; i < 8; i++) b[16 + i] = (unsigned char)((uint64_t)bytes->size >> (8 * i));
  nas_hash hash = nas_hash_bytes(b, bytes->size - CHECKSUM);
  for (int i = 0; i < 8; i++) {
    b[bytes->size - 16 + (size_t)i] = (unsigned char)(hash.low >> (8 * i));
    b[bytes->size - 8 + (size_t)i] = (unsigned char)(hash.high >> (8 * i));
  }
}

/* The bits of a policy after a search. A change here means that stored searches no longer replay:
 * raise NAS_NUMERIC_VERSION, and put the new digest here with it. */
static void golden_digest(void **state) {
  (void)state;
  static const char expected[] = "a18667044738e9b90d2aae32f6e6fac8";
  nas_error err;
  nas_text bytes = {0};
  char found[NAS_HASH_HEX];
  search s = {.policy = policy_of(2, 35, 0.08, 0.02, 1), .reward = middle_filters};
  check_ok(nas_tape_create(&s.tape, s.policy, &err), &err);
  for (uint64_t i = 0; i < 12; i++) search_step(&s, i, 0.8);
  check_ok(nas_policy_encode(s.policy, &bytes, &err), &err);
  as_version_1(&bytes);
  nas_hash_hex(nas_hash_bytes(bytes.data, bytes.size), found);
  assert_int_equal(nas_numeric_version(), 4);
  assert_string_equal(found, expected);
  nas_text_clear(&bytes);
  nas_tape_destroy(&s.tape);
  nas_policy_destroy(&s.policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(enumerated_gradient, check_no_blocks),
      cmocka_unit_test_teardown(sampled_gradient, check_no_blocks),
      cmocka_unit_test_teardown(equal_rewards_expect_nothing, check_no_blocks),
      cmocka_unit_test_teardown(no_advantage_no_change, check_no_blocks),
      cmocka_unit_test_teardown(learn_is_its_parts, check_no_blocks),
      cmocka_unit_test_teardown(bad_episodes, check_no_blocks),
      cmocka_unit_test_teardown(order_of_options, check_no_blocks),
      cmocka_unit_test_teardown(random_walk, check_no_blocks),
      cmocka_unit_test_teardown(same_seed_same_trace, check_no_blocks),
      cmocka_unit_test_teardown(golden_digest, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy learning", tests, NULL, NULL);
}
