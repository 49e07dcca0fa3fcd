/* What the preset "small" is for: with 80 trials, one episode for each step, a moving average as
 * the baseline and advantages of some hundredths, the policy must have learned. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <nas/policy.h>

enum { LAYERS = 4, DECISIONS = 2 * LAYERS, NETWORKS = 1296, TRIALS = 80, LAST = 20 };

static const double mean_reward = 0.8, sd_reward = 0.03; /* over all networks, as accuracies are */

typedef double planted(const int chosen[DECISIONS]);

/* Each layer has a favourite kernel and width, later layers matter more, neighbours interact. */
static double favourites(const int chosen[DECISIONS]) {
  static const int best[DECISIONS] = {1, 1, 0, 2, 1, 0, 1, 1};
  double r = 0;
  for (int i = 0; i < DECISIONS; i++)
    r -= (i % 2 ? 0.6 * abs(chosen[i] - best[i]) : 1.0 * (chosen[i] != best[i])) * (1 + 0.15 * i);
  for (int l = 0; l + 1 < LAYERS; l++)
    r -= 0.5 * (chosen[2 * l] == 1 && chosen[2 * l + 1] == 2 && chosen[2 * l + 2] == 1);
  return r;
}

/* Too small underfits and too large overfits, by the logarithm of the number of weights; the mean
 * lies only 0.7 standard deviations below the best. */
static double capacity(const int chosen[DECISIONS]) {
  static const double filters[] = {32, 48, 64};
  double weights = 0, in = 1;
  for (int l = 0; l < LAYERS; l++) {
    double out = filters[chosen[2 * l + 1]];
    weights += (chosen[2 * l] ? 9 : 1) * in * out;
    in = out;
  }
  double x = log(weights / 45000);
  return 0.15 * (chosen[0] == 1) + 0.1 * (chosen[7] == 2) - 0.1 * (chosen[6] == 1) - x * x;
}

/* Two decisions matter, together more than each alone; the others hardly. */
static double sparse(const int chosen[DECISIONS]) {
  double r = (chosen[2] == 1) + (chosen[5] == 1) + 0.7 * (chosen[2] == 1 && chosen[5] == 1);
  for (int i = 0; i < DECISIONS; i++) r += 0.1 * (chosen[i] == i % 2);
  return r;
}

static int options_of(int decision) {
  return decision % 2 ? 3 : 2;
}

/* The rewards of all networks, shifted and scaled to that mean and deviation. The number of a
 * network reads its choices as digits, the first decision's first. */
static void plant(planted *shape, double reward[NETWORKS]) {
  double mean = 0, variance = 0;
  for (int n = 0; n < NETWORKS; n++) {
    int chosen[DECISIONS], rest = n;
    for (int i = DECISIONS - 1; i >= 0; i--) {
      chosen[i] = rest % options_of(i);
      rest /= options_of(i);
    }
    reward[n] = shape(chosen);
    mean += reward[n] / NETWORKS;
  }
  for (int n = 0; n < NETWORKS; n++) variance += (reward[n] - mean) * (reward[n] - mean) / NETWORKS;
  for (int n = 0; n < NETWORKS; n++)
    reward[n] = mean_reward + sd_reward * (reward[n] - mean) / sqrt(variance);
}

/* Samples a network, with its decisions in d; returns its number. */
static int sample(nas_policy *policy, nas_tape *tape, uint64_t trial, nas_decision d[DECISIONS]) {
  nas_error err;
  int number = 0;
  nas_stream stream = nas_stream_open(nas_policy_seed(policy), "sample", &trial, 1);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  for (int i = 0; i < DECISIONS; i++) {
    d[i] = (nas_decision){.name = i % 2 ? "filters" : "kernel",
                          .occurrence = i / 2,
                          .options = i % 2 ? "32,48,64" : "1,3",
                          .count = options_of(i)};
    check_ok(nas_policy_choose(policy, tape, d[i].name, d[i].options, d[i].count, &stream,
                               &d[i].chosen, NULL, &err),
             &err);
    number = number * d[i].count + d[i].chosen;
  }
  return number;
}

/* REINFORCE with a moving average of the earlier rewards (0.8 of the old one) and advantages within
 * +-0.1. Returns the mean reward of the last trials. */
static double search(const double reward[NETWORKS], const nas_policy_options *options,
                     uint64_t seed) {
  nas_policy *policy;
  nas_tape *tape;
  nas_error err;
  double average = 0, sum = 0;
  check_ok(nas_policy_create(&policy, options, seed, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (int trial = 0; trial < TRIALS; trial++) {
    nas_decision d[DECISIONS];
    double r = reward[sample(policy, tape, (uint64_t)trial, d)];
    double advantage = trial ? fmax(-0.1, fmin(0.1, r - average)) : 0;
    average = trial ? 0.8 * average + 0.2 * r : r;
    nas_episode episode = {
        .decisions = d, .count = DECISIONS, .coefficients = {.log_prob = advantage}};
    check_ok(nas_policy_learn(policy, &episode, 1, NULL, &err), &err);
    if (trial >= TRIALS - LAST) sum += r;
  }
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
  return sum / LAST;
}

/* By how many standard deviations of uniform sampling the last trials beat its mean, on average
 * over seeds. */
static double gain(planted *shape, const char *preset, int seeds) {
  static double reward[NETWORKS];
  nas_policy_options options;
  nas_error err;
  double sum = 0;
  plant(shape, reward);
  check_ok(nas_policy_options_preset(&options, preset, &err), &err);
  for (int seed = 1; seed <= seeds; seed++)
    sum += (search(reward, &options, (uint64_t)seed) - mean_reward) / sd_reward;
  return sum / seeds;
}

static void small_learns(void **state) {
  (void)state;
  static planted *const shapes[] = {favourites, capacity, sparse};
  static const double least[] = {1, 0.4, 1};
  for (int i = 0; i < 3; i++) {
    double found = gain(shapes[i], "small", 6);
    print_message("# reward %d: the last %d of %d trials gain %.2f standard deviations\n", i + 1,
                  (int)LAST, (int)TRIALS, found);
    assert_true(found >= least[i]);
  }
}

/* The paper's rate is made for thousands of trials. */
static void paper_does_not_within_so_few(void **state) {
  (void)state;
  double found = gain(favourites, "paper", 3);
  print_message("# %.2f standard deviations\n", found);
  check_near(found, 0, 0.5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(small_learns, check_no_blocks),
      cmocka_unit_test_teardown(paper_does_not_within_so_few, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy presets", tests, NULL, NULL);
}
