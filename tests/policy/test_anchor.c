/* Anchor points: what is chosen and how probable it is, what feeds the step after, refusals. Their
 * gradients are in test_anchor_gradient.c. */
#include "skips.h"
#include <math.h>
#include <stdlib.h>
#include <nas/elementary.h>
#include "policy_state.h"
#include "tape.h"

static nas_policy_options options_of(int layers, int units) {
  nas_policy_options options;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  options.init = 0.7;
  options.rate = 0.02;
  return options;
}

typedef struct setup {
  nas_policy *policy;
  nas_tape *tape;
} setup;

static void set_up(setup *s, int layers, int units) {
  nas_error err;
  nas_policy_options options = options_of(layers, units);
  check_ok(nas_policy_create(&s->policy, &options, 3, &err), &err);
  check_ok(nas_tape_create(&s->tape, s->policy, &err), &err);
}

static void tear_down(setup *s) {
  nas_tape_destroy(&s->tape);
  nas_policy_destroy(&s->policy);
}

static nas_text bytes_of(const nas_policy *policy) {
  nas_text bytes = {0};
  nas_error err;
  check_ok(nas_policy_encode(policy, &bytes, &err), &err);
  return bytes;
}

static void check_same_bytes(nas_text *a, nas_text *b) {
  assert_int_equal(a->size, b->size);
  assert_memory_equal(a->data, b->data, a->size);
  nas_text_clear(a);
  nas_text_clear(b);
}

/* Sets all of a block's parameters. */
static void set_block(nas_policy *policy, const char *key, float value) {
  nas_policy_block block;
  nas_error err;
  check_ok(nas_policy_block_find(policy, key, &block, &err), &err);
  for (int i = 0; i < block.rows * block.width; i++)
    check_ok(nas_policy_set(policy, block.first + (size_t)i, 1, &value, &err), &err);
}

/* A fresh episode with some anchors named "a" without candidates. */
static void begin_with_anchors(setup *s, int anchors) {
  nas_error err;
  check_ok(nas_policy_begin(s->policy, s->tape, NAS_POLICY_CURRENT, &err), &err);
  for (int i = 0; i < anchors; i++)
    check_ok(nas_policy_force_anchor(s->policy, s->tape, "a", NULL, 0, NULL, NULL, &err), &err);
}

/* ---- Numbers ------------------------------------------------------------------------------ */

static const float *value_row(const nas_policy *policy, const char *key, int row) {
  const nas_block *block = nas_blocks_find(&policy->blocks, key);
  assert_non_null(block);
  return nas_rows_at(&block->part[NAS_PART_VALUE], row);
}

/* z of a candidate by its definition. */
static float score_of(const setup *s, const char *name, int current, int candidate) {
  char wp[40], wc[40], v[40];
  const nas_rows *top = nas_tape_top(s->tape);
  const float *h_i = nas_rows_at(top, current + 1), *h_j = nas_rows_at(top, candidate + 1);
  float z = 0;
  snprintf(wp, sizeof wp, "anchor/%s/previous", name);
  snprintf(wc, sizeof wc, "anchor/%s/current", name);
  snprintf(v, sizeof v, "anchor/%s/vector", name);
  for (int k = 0; k < s->tape->units; k++) {
    float e = 0;
    for (int c = 0; c < s->tape->units; c++)
      e = nas_fmaf(h_i[c], value_row(s->policy, wc, c)[k], e);
    for (int c = 0; c < s->tape->units; c++)
      e = nas_fmaf(h_j[c], value_row(s->policy, wp, c)[k], e);
    z = nas_fmaf(nas_tanhf(e), value_row(s->policy, v, k)[0], z);
  }
  return z;
}

/* The outcomes of an anchor, its sums and what enters the next step, from z. */
static void check_step(const setup *s, int t) {
  const nas_policy_options *options = nas_policy_options_of(s->policy);
  nas_policy_step step;
  nas_error err;
  double log_prob = 0, entropy = 0;
  check_ok(nas_tape_step(s->tape, t, &step, &err), &err);
  assert_int_equal(step.outcomes, 2 * step.decision.count);
  for (int j = 0; j < step.decision.count; j++) {
    float z = score_of(s, step.decision.name, t, step.decision.candidates[j]);
    double x = options->tanh_constant * nas_tanh((double)z / options->temperature);
    double largest = x > 0 ? x : 0, not_e = nas_exp(0 - largest), e = nas_exp(x - largest);
    double sum = not_e + e, log_sum = nas_log(sum);
    double p[] = {not_e / sum, e / sum}, log_p[] = {0 - largest - log_sum, x - largest - log_sum};
    assert_memory_equal(step.probabilities + 2 * j, p, sizeof p);
    assert_memory_equal(step.log_probabilities + 2 * j, log_p, sizeof log_p);
    log_prob = log_prob + log_p[step.decision.chosen_set[j]];
    entropy = entropy + (0 - p[0] * log_p[0] - p[1] * log_p[1]);
  }
  assert_memory_equal(&step.log_prob, &log_prob, sizeof log_prob);
  assert_memory_equal(&step.entropy, &entropy, sizeof entropy);
}

/* The mean of the chosen outputs, then name and occurrence. */
static void check_input_after(const setup *s, int t) {
  nas_policy_step step, next;
  nas_error err;
  char name[40], occurrence[40];
  check_ok(nas_tape_step(s->tape, t, &step, &err), &err);
  check_ok(nas_tape_step(s->tape, t + 1, &next, &err), &err);
  snprintf(name, sizeof name, "name/%s", next.decision.name);
  snprintf(occurrence, sizeof occurrence, "occurrence/%d", next.decision.occurrence);
  for (int c = 0; c < s->tape->units; c++) {
    float x = 0;
    int chosen = 0;
    for (int j = 0; j < step.decision.count; j++) {
      if (!step.decision.chosen_set[j]) continue;
      x = x + nas_rows_at(nas_tape_top(s->tape), step.decision.candidates[j] + 1)[c];
      chosen++;
    }
    if (chosen) x = x / (float)chosen;
    x = x + value_row(s->policy, name, 0)[c] + value_row(s->policy, occurrence, 0)[c];
    check_float_bits(nas_rows_at(&s->tape->input, t + 1)[c], x);
  }
}

/* Everything that an anchor computes, against its definition and bit for bit, with every table of
 * kernels. */
static void as_defined(void **state) {
  (void)state;
  static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 35}, {1, 16}, {1, 17}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int table = 0; nas_kernels_numbered(table); table++) {
      setup s;
      nas_error err;
      skips k = {.count = 0};
      nas_policy_options options = options_of(shapes[i][0], shapes[i][1]);
      options.temperature = 0.7;
      options.tanh_constant = 2.5;
      check_ok(nas_policy_create(&s.policy, &options, 3, &err), &err);
      check_ok(nas_tape_create(&s.tape, s.policy, &err), &err);
      s.policy->kernels = nas_kernels_numbered(table);
      k.policy = s.policy;
      k.tape = s.tape;
      k.stream = nas_stream_open(1, "sample", NULL, 0);
      check_ok(nas_policy_begin(s.policy, s.tape, NAS_POLICY_CURRENT, &err), &err);
      for (int n = 0; n < 8; n++) {
        if (n % 3 == 2) skips_choose(&k, "kernel", "1,3", 2);
        skips_anchor(&k, n % 2 ? "a" : "b", n % 4 == 3 ? 2 : 8);
      }
      skips_choose(&k, "kernel", "1,3", 2);
      for (int t = 0; t < k.count; t++) {
        if (k.decisions[t].kind != NAS_DECISION_ANCHOR) continue;
        check_step(&s, t);
        check_input_after(&s, t);
      }
      tear_down(&s);
    }
}

/* More candidates than the kernels take at once give each its own numbers. */
static void many_candidates(void **state) {
  (void)state;
  enum { ANCHORS = 40 };
  setup s;
  nas_error err;
  nas_policy_step step;
  int all[ANCHORS];
  unsigned char chosen[ANCHORS];
  set_up(&s, 1, 7);
  begin_with_anchors(&s, ANCHORS);
  for (int i = 0; i < ANCHORS; i++) {
    all[i] = i;
    chosen[i] = i % 3 == 0 ? (unsigned char)(1 + i) : 0; /* anything but 0 */
  }
  check_ok(nas_policy_force_anchor(s.policy, s.tape, "a", all, ANCHORS, chosen, NULL, &err), &err);
  check_ok(nas_policy_force(s.policy, s.tape, "x", "1", 1, 0, NULL, &err), &err);
  check_input_after(&s, ANCHORS);
  check_ok(nas_tape_step(s.tape, ANCHORS, &step, &err), &err);
  for (int j = 0; j < ANCHORS; j++) {
    assert_int_equal(step.decision.chosen_set[j], j % 3 == 0);
    check_near(step.probabilities[2 * j + 1],
               nas_sigmoid((double)score_of(&s, "a", ANCHORS, all[j])), 1e-15);
  }
  tear_down(&s);
}

/* ---- Probabilities ------------------------------------------------------------------------ */

/* What was recorded at sampling is what teacher forcing computes, to the last bit; also from the
 * tape's own record. */
static void scored_as_sampled(void **state) {
  (void)state;
  setup s;
  nas_tape *second;
  nas_error err;
  set_up(&s, 2, 11);
  check_ok(nas_tape_create(&second, s.policy, &err), &err);
  for (uint64_t sample = 0; sample < 50; sample++) {
    skips k;
    nas_decision own[SKIPS_MAX];
    double sum = 0, entropy = 0;
    skips_sample(&k, s.policy, s.tape, sample);
    check_ok(nas_policy_score(s.policy, second, NAS_POLICY_CURRENT, k.decisions, k.count, &err),
             &err);
    for (int i = 0; i < k.count; i++) {
      nas_policy_step step, again;
      check_ok(nas_tape_step(s.tape, i, &step, &err), &err);
      check_ok(nas_tape_step(second, i, &again, &err), &err);
      own[i] = again.decision;
      assert_int_equal(step.outcomes, again.outcomes);
      assert_memory_equal(&k.log_probs[i], &step.log_prob, sizeof(double));
      assert_memory_equal(&again.log_prob, &step.log_prob, sizeof(double));
      assert_memory_equal(&again.entropy, &step.entropy, sizeof(double));
      assert_memory_equal(again.probabilities, step.probabilities,
                          (size_t)step.outcomes * sizeof(double));
      check_ok(nas_decision_check(k.decisions, k.count, i, &step.decision, &err), &err);
      if (step.decision.kind == NAS_DECISION_ANCHOR && step.decision.count > 0)
        assert_memory_equal(step.decision.chosen_set, k.chosen[i], (size_t)step.decision.count);
      sum += step.log_prob;
      entropy += step.entropy;
    }
    check_near(nas_tape_log_prob(second), sum, 0);
    check_near(nas_tape_entropy(second), entropy, 0);
    check_ok(nas_policy_score(s.policy, second, NAS_POLICY_CURRENT, own, k.count, &err), &err);
    check_near(nas_tape_log_prob(second), sum, 0);
  }
  nas_tape_destroy(&second);
  tear_down(&s);
}

/* Probabilities of all subsets add up to 1, and those of all networks. */
static void distributions(void **state) {
  (void)state;
  setup s;
  nas_error err;
  skips k = {.count = 0};
  double whole = 0;
  int networks = 0;
  set_up(&s, 2, 11);
  for (int candidates = 0; candidates <= 6; candidates++) {
    static const int all[] = {0, 1, 2, 3, 4, 5};
    double sum = 0;
    for (int set = 0; set < 1 << candidates; set++) {
      unsigned char chosen[6];
      double log_prob;
      for (int j = 0; j < candidates; j++) chosen[j] = (unsigned char)(set >> j & 1);
      begin_with_anchors(&s, 6);
      check_ok(
          nas_policy_force_anchor(s.policy, s.tape, "b", all, candidates, chosen, &log_prob, &err),
          &err);
      sum += exp(log_prob);
    }
    check_near(sum, 1, 1e-14);
  }
  for (; skips_next(&k); networks++) {
    check_ok(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, k.decisions, k.count, &err),
             &err);
    whole += exp(nas_tape_log_prob(s.tape));
  }
  assert_int_equal(networks, SKIPS_NETWORKS);
  check_near(whole, 1, 1e-14);
  tear_down(&s);
}

/* Chi-square of 20,000 samples over the 48 networks: 47 degrees of freedom, of which 107 is
 * exceeded with probability 1e-6. */
static void frequencies(void **state) {
  (void)state;
  enum { SAMPLES = 20000 };
  static skips all[SKIPS_NETWORKS];
  double p[SKIPS_NETWORKS], chi_square = 0;
  int counts[SKIPS_NETWORKS] = {0}, network = 0;
  setup s;
  nas_error err;
  set_up(&s, 2, 11);
  for (skips k = {.count = 0}; skips_next(&k); network++) {
    check_ok(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, k.decisions, k.count, &err),
             &err);
    p[network] = exp(nas_tape_log_prob(s.tape));
    skips_copy(&all[network], &k);
  }
  for (uint64_t sample = 0; sample < SAMPLES; sample++) {
    skips k;
    skips_sample(&k, s.policy, s.tape, sample);
    for (int n = 0; n < SKIPS_NETWORKS; n++) counts[n] += skips_same(&all[n], &k);
  }
  for (int n = 0; n < SKIPS_NETWORKS; n++) {
    double expected = SAMPLES * p[n];
    assert_true(expected > 5); /* else the test says little */
    chi_square += (counts[n] - expected) * (counts[n] - expected) / expected;
  }
  print_message("# chi-square %.1f with 47 degrees of freedom\n", chi_square);
  assert_true(chi_square < 107);
  tear_down(&s);
}

/* Without candidates nothing is drawn and nothing enters the next step. */
static void no_candidates(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_step step;
  double log_prob = 1;
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0), untouched = stream;
  set_up(&s, 2, 5);
  check_ok(nas_policy_begin(s.policy, s.tape, NAS_POLICY_CURRENT, &err), &err);
  check_ok(nas_policy_anchor(s.policy, s.tape, "a", NULL, 0, &stream, NULL, &log_prob, &err), &err);
  assert_memory_equal(&stream, &untouched, sizeof stream);
  check_near(log_prob, 0, 0);
  check_ok(nas_tape_step(s.tape, 0, &step, &err), &err);
  assert_int_equal(step.decision.count, 0);
  assert_int_equal(step.outcomes, 0);
  check_near(step.log_prob, 0, 0);
  check_near(step.entropy, 0, 0);
  double value;
  check_ok(nas_policy_values(s.policy, s.tape, &value, &err), &err);
  check_ok(nas_policy_force(s.policy, s.tape, "x", "1", 1, 0, NULL, &err), &err);
  check_input_after(&s, 0);
  tear_down(&s);
}

/* Logits of the size of 1e30: the impossible is never drawn, logarithms and sums stay finite. */
static void extreme_logits(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_step step;
  static const int all[] = {0, 1};
  nas_policy_gradient *gradient;
  nas_policy_options options = options_of(1, 1);
  check_ok(nas_policy_create(&s.policy, &options, 3, &err), &err);
  check_ok(nas_tape_create(&s.tape, s.policy, &err), &err);
  begin_with_anchors(&s, 1);
  for (int sign = -1; sign <= 1; sign += 2) {
    int certain = -1;
    set_block(s.policy, "anchor/a/vector", (float)sign * 1e30f);
    for (uint64_t sample = 0; sample < 100; sample++) {
      unsigned char chosen[2];
      nas_stream stream = nas_stream_open(1, "sample", &sample, 1);
      begin_with_anchors(&s, 2);
      check_ok(nas_policy_anchor(s.policy, s.tape, "a", all, 2, &stream, chosen, NULL, &err), &err);
      check_ok(nas_tape_step(s.tape, 2, &step, &err), &err);
      for (int j = 0; j < 2; j++) {
        const double *p = step.probabilities + 2 * j, *log_p = step.log_probabilities + 2 * j;
        certain = p[1] > 0.5;
        assert_int_equal(chosen[j], certain);
        check_near(p[certain], 1, 0);
        check_near(p[!certain], 0, 0);
        check_near(log_p[certain], 0, 0);
        assert_true(isfinite(log_p[!certain]) && log_p[!certain] < -1e20);
      }
      check_near(step.entropy, 0, 0);
      check_near(step.log_prob, 0, 0);
    }
    /* Nothing is to be learned from certainty, and no sum overflows. */
    nas_coefficients c = {.log_prob = 1, .entropy = 1, .skip_weight = 1, .skip_prior = 0.4};
    check_ok(nas_policy_gradient_create(&gradient, s.policy, &err), &err);
    check_ok(nas_policy_accumulate(s.policy, s.tape, &c, gradient, &err), &err);
    for (size_t i = 0; i < nas_policy_size(s.policy); i++) {
      float g;
      check_ok(nas_policy_gradient_get(s.policy, gradient, i, 1, &g, &err), &err);
      assert_true(g == 0);
    }
    nas_policy_gradient_destroy(&gradient);
  }
  tear_down(&s);
}

/* A long episode grows its tape several times, and an equal one after it takes no memory. */
static void memory_of_tapes(void **state) {
  (void)state;
  enum { ANCHORS = 60 };
  setup s;
  nas_tape *fresh;
  nas_error err;
  nas_policy_gradient *gradient;
  static int all[ANCHORS];
  static unsigned char chosen[ANCHORS][ANCHORS];
  static nas_decision decisions[ANCHORS];
  nas_coefficients c = {.log_prob = 1};
  set_up(&s, 2, 5);
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0);
  check_ok(nas_policy_begin(s.policy, s.tape, NAS_POLICY_CURRENT, &err), &err);
  for (int i = 0; i < ANCHORS; i++) {
    all[i] = i;
    check_ok(nas_policy_anchor(s.policy, s.tape, "a", all, i, &stream, chosen[i], NULL, &err),
             &err);
    decisions[i] = (nas_decision){.kind = NAS_DECISION_ANCHOR,
                                  .name = "a",
                                  .occurrence = i,
                                  .count = i,
                                  .candidates = all,
                                  .chosen_set = chosen[i]};
  }
  double log_prob = nas_tape_log_prob(s.tape);
  check_ok(nas_tape_create(&fresh, s.policy, &err), &err);
  check_ok(nas_policy_gradient_create(&gradient, s.policy, &err), &err);
  for (int pass = 0; pass < 2; pass++) {
    if (pass) nas_memory_fail_after(0);
    check_ok(nas_policy_score(s.policy, fresh, NAS_POLICY_CURRENT, decisions, ANCHORS, &err), &err);
    check_ok(nas_policy_accumulate(s.policy, fresh, &c, gradient, &err), &err);
    check_near(nas_tape_log_prob(fresh), log_prob, 0);
  }
  nas_memory_fail_after(-1);
  assert_true(log_prob < -100);
  nas_policy_gradient_destroy(&gradient);
  nas_tape_destroy(&fresh);
  tear_down(&s);
}

/* ---- Learning ----------------------------------------------------------------------------- */

/* The prior alone draws every probability to itself; its loss is the sum of divergences, and part
 * of the whole. */
static void skip_prior(void **state) {
  (void)state;
  setup s;
  nas_error err;
  skips k = {.count = 0};
  nas_policy_learned learned;
  nas_policy_step step;
  double first = 0, prior = 0.2;
  set_up(&s, 2, 9);
  skips_next(&k);
  nas_episode episode = {.decisions = k.decisions,
                         .count = k.count,
                         .coefficients = {.skip_weight = 0.8, .skip_prior = prior}};
  for (int i = 0; i < 400; i++) {
    double divergence = 0;
    check_ok(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, k.decisions, k.count, &err),
             &err);
    for (int t = 0; t < k.count; t++) {
      check_ok(nas_tape_step(s.tape, t, &step, &err), &err);
      if (step.decision.kind != NAS_DECISION_ANCHOR) continue;
      for (int j = 0; j < step.decision.count; j++) {
        double p = step.probabilities[2 * j + 1];
        divergence += p * log(p / prior) + (1 - p) * log((1 - p) / (1 - prior));
        if (i == 399) check_near(p, prior, 0.01);
      }
    }
    check_ok(nas_policy_learn(s.policy, &episode, 1, &learned, &err), &err);
    check_near(learned.skip_loss, 0.8 * divergence, 1e-12);
    check_near(learned.loss, learned.skip_loss, 0);
    check_near(learned.policy_loss, 0, 0);
    if (i == 0) first = divergence;
  }
  assert_true(first > 0.1);
  episode.coefficients = (nas_coefficients){.log_prob = 0.5, .skip_weight = 0};
  check_ok(nas_policy_learn(s.policy, &episode, 1, &learned, &err), &err);
  check_near(learned.skip_loss, 0, 0);
  tear_down(&s);
}

static int connections_of(const skips *k) {
  int connections = 0;
  for (int t = 0; t < k->count; t++)
    for (int j = 0; j < SKIPS_CANDIDATES; j++) connections += k->chosen[t][j];
  return connections;
}

static double mean_connections(setup *s) {
  double mean = 0;
  for (uint64_t i = 0; i < 500; i++) {
    skips k;
    skips_sample(&k, s->policy, s->tape, 1000 + i);
    mean += connections_of(&k) / 500.0;
  }
  return mean;
}

/* A reward for skip connections is learned, and one for their absence. */
static void learns_to_connect(void **state) {
  (void)state;
  for (int sign = -1; sign <= 1; sign += 2) {
    setup s;
    nas_error err;
    set_up(&s, 1, 12);
    double before = mean_connections(&s);
    for (uint64_t i = 0; i < 300; i++) {
      skips k;
      skips_sample(&k, s.policy, s.tape, i);
      nas_episode episode = {.decisions = k.decisions,
                             .count = k.count,
                             .coefficients = {.log_prob = sign * (connections_of(&k) - 1.5)}};
      check_ok(nas_policy_learn(s.policy, &episode, 1, NULL, &err), &err);
    }
    double after = mean_connections(&s);
    print_message("# connections: %.2f, then %.2f of 3\n", before, after);
    assert_true(before > 0.5 && before < 2.5);
    assert_true(sign > 0 ? after > 2.7 : after < 0.3);
    tear_down(&s);
  }
}

/* ---- Files -------------------------------------------------------------------------------- */

static void learn_some(setup *s, uint64_t first, uint64_t count) {
  nas_error err;
  for (uint64_t i = first; i < first + count; i++) {
    skips k;
    skips_sample(&k, s->policy, s->tape, i);
    nas_episode episode = {.decisions = k.decisions,
                           .count = k.count,
                           .coefficients = {.log_prob = skips_reward(&k) - 0.6,
                                            .skip_weight = 0.1,
                                            .skip_prior = 0.4}};
    check_ok(nas_policy_learn(s->policy, &episode, 1, NULL, &err), &err);
  }
}

/* Saved in the middle, a policy with anchors goes on with the same bits. */
static void goes_on_the_same(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy *through;
  nas_policy_block block;
  set_up(&s, 2, 7);
  learn_some(&s, 0, 4);
  nas_text saved = bytes_of(s.policy);
  learn_some(&s, 4, 4);
  nas_text expected = bytes_of(s.policy);
  through = s.policy;
  check_ok(nas_policy_decode(&s.policy, saved.data, saved.size, &err), &err);
  nas_text again = bytes_of(s.policy);
  check_same_bytes(&saved, &again);
  learn_some(&s, 4, 4);
  nas_text found = bytes_of(s.policy);
  check_same_bytes(&found, &expected);
  check_ok(nas_policy_block_find(s.policy, "anchor/jump/current", &block, &err), &err);
  assert_int_equal(block.rows, 7);
  assert_int_equal(block.width, 7);
  check_ok(nas_policy_block_find(s.policy, "anchor/jump/vector", &block, &err), &err);
  assert_int_equal(block.rows, 7);
  assert_int_equal(block.width, 1);
  nas_policy_destroy(&through);
  tear_down(&s);
}

/* ---- Records ------------------------------------------------------------------------------ */

static void records(void **state) {
  (void)state;
  static const int two[] = {0, 2}, other[] = {0, 3};
  static const unsigned char none[] = {0, 0}, both[] = {1, 1};
  const nas_decision recorded[] = {{.kind = NAS_DECISION_ANCHOR, .name = "a"},
                                   {.kind = NAS_DECISION_ANCHOR,
                                    .name = "a",
                                    .occurrence = 1,
                                    .count = 2,
                                    .candidates = two,
                                    .chosen_set = none}};
  nas_decision asked = recorded[1];
  nas_error err;
  asked.chosen_set = both;
  check_ok(nas_decision_check(recorded, 2, 1, &asked, &err), &err);
  check_ok(nas_decision_check(recorded, 2, 0, &recorded[0], &err), &err);
  asked.candidates = other;
  assert_int_equal(nas_decision_check(recorded, 2, 1, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "decision 2: the candidates of anchor \"a\" have changed: recorded as "
                           "number 2 was decision 3, now it is decision 4");
  asked.count = 1;
  assert_int_equal(nas_decision_check(recorded, 2, 1, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "recorded were 2, now there are 1");
  assert_int_equal(nas_decision_check(recorded, 2, 0, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "decision 1: recorded is \"a\" (occurrence 0, 0 candidates), asked is "
                           "\"a\" (occurrence 1, 1 candidates)");
  asked = (nas_decision){.name = "a", .occurrence = 1, .options = "1,3", .count = 2};
  assert_int_equal(nas_decision_check(recorded, 2, 1, &asked, &err), NAS_ARGUMENT);
  check_contains(err.text, "asked is \"a\" (occurrence 1, 2 options)");
}

/* One name may be that of choices and of anchors: they share its vector and its occurrences. */
static void one_name(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_step step;
  set_up(&s, 1, 3);
  begin_with_anchors(&s, 1);
  check_ok(nas_policy_force(s.policy, s.tape, "a", "1,3", 2, 0, NULL, &err), &err);
  check_ok(nas_policy_force_anchor(s.policy, s.tape, "a", NULL, 0, NULL, NULL, &err), &err);
  check_ok(nas_tape_step(s.tape, 2, &step, &err), &err);
  assert_int_equal(step.decision.occurrence, 2);
  assert_null(step.decision.options);
  tear_down(&s);
}

/* ---- Refusals ----------------------------------------------------------------------------- */

static void refused_anchors(void **state) {
  (void)state;
  setup s;
  nas_error err;
  static const unsigned char chosen[3];
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0), untouched = stream;
  set_up(&s, 1, 3);
  assert_int_equal(nas_policy_anchor(s.policy, s.tape, "a", NULL, 0, &stream, NULL, NULL, &err),
                   NAS_STATE);
  check_contains(err.text, "no episode");
  check_ok(nas_policy_begin(s.policy, s.tape, NAS_POLICY_CURRENT, &err), &err);
  assert_int_equal(
      nas_policy_anchor(s.policy, s.tape, "b", (int[]){0}, 1, &stream, NULL, NULL, &err),
      NAS_ARGUMENT);
  check_contains(err.text, "anchor \"b\": candidate 1 is decision 1, but no decision was made");
  begin_with_anchors(&s, 2);
  check_ok(nas_policy_force(s.policy, s.tape, "kernel", "1,3", 2, 1, NULL, &err), &err);
  nas_text before = bytes_of(s.policy);
  static const struct {
    int candidates[3], count;
    const char *message;
  } bad[] = {
      {{0, 3}, 2, "anchor \"b\": candidate 2 is decision 4; expected an earlier one, 1 to 3"},
      {{-1}, 1, "candidate 1 is decision 0; expected an earlier one, 1 to 3"},
      {{0, 1, 2}, 3, "candidate 3 is decision 3, the choice \"kernel\"; expected an anchor"},
      {{1, 0}, 2, "candidate 1 is decision 2, and candidate 2 is decision 1; expected increasing"},
      {{1, 1}, 2, "candidate 1 is decision 2, and candidate 2 is decision 2; expected increasing"},
      {{0}, -1, "anchor \"b\" has -1 candidates; expected 0 to 4096"},
      {{0}, NAS_DECISION_COUNT_MAX + 1, "has 4097 candidates; expected 0 to 4096"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(nas_policy_anchor(s.policy, s.tape, "b", bad[i].candidates, bad[i].count,
                                       &stream, NULL, NULL, &err),
                     NAS_ARGUMENT);
    check_contains(err.text, bad[i].message);
    assert_int_equal(nas_policy_force_anchor(s.policy, s.tape, "b", bad[i].candidates, bad[i].count,
                                             chosen, NULL, &err),
                     NAS_ARGUMENT);
    check_contains(err.text, bad[i].message);
  }
  assert_int_equal(nas_policy_anchor(s.policy, s.tape, "", NULL, 0, &stream, NULL, NULL, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "name of a decision has 0 bytes");
  assert_int_equal(nas_policy_anchor(s.policy, s.tape, "b", NULL, 2, &stream, NULL, NULL, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "no list of its 2 candidates");
  assert_int_equal(
      nas_policy_force_anchor(s.policy, s.tape, "b", bad[0].candidates, 1, NULL, NULL, &err),
      NAS_ARGUMENT);
  check_contains(err.text, "no list of what is chosen");
  assert_int_equal(nas_policy_anchor(s.policy, s.tape, "b", NULL, 0, NULL, NULL, NULL, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "no random stream");
  assert_memory_equal(&stream, &untouched, sizeof stream);
  assert_int_equal(nas_tape_length(s.tape), 3);
  nas_text after = bytes_of(s.policy);
  check_same_bytes(&before, &after);
  tear_down(&s);
}

/* A record that fails leaves no blocks behind, and its message names the decision. */
static void refused_records(void **state) {
  (void)state;
  setup s;
  nas_error err;
  static const int late[] = {2};
  static const unsigned char chosen[1];
  set_up(&s, 1, 3);
  nas_text before = bytes_of(s.policy);
  nas_decision decisions[] = {{.kind = NAS_DECISION_ANCHOR, .name = "a"},
                              {.kind = NAS_DECISION_ANCHOR,
                               .name = "b",
                               .count = 1,
                               .candidates = late,
                               .chosen_set = chosen}};
  assert_int_equal(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, decisions, 2, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "decision 2: anchor \"b\": candidate 1 is decision 3; expected an "
                           "earlier one, 1 to 1");
  decisions[1].count = 0;
  decisions[1].occurrence = 1;
  assert_int_equal(nas_policy_score(s.policy, s.tape, NAS_POLICY_CURRENT, decisions, 2, &err),
                   NAS_ARGUMENT);
  check_contains(err.text, "decision 2: occurrence of \"b\" is recorded as 1");
  nas_text after = bytes_of(s.policy);
  check_same_bytes(&before, &after);
  tear_down(&s);
}

static void refused_coefficients(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_policy_gradient *gradient;
  skips k;
  static const struct {
    double weight, prior;
    const char *message;
  } bad[] = {
      {-1, 0.4, "the weight of the skip prior is -1; expected a finite number, 0 or more"},
      {INFINITY, 0.4, "the weight of the skip prior is inf"},
      {NAN, 0.4, "the weight of the skip prior is"},
      {1, 0, "the skip prior is 0; expected a number between 0 and 1"},
      {1, 1, "the skip prior is 1; expected"},
      {1, NAN, "the skip prior is"},
  };
  set_up(&s, 1, 3);
  skips_sample(&k, s.policy, s.tape, 0);
  check_ok(nas_policy_gradient_create(&gradient, s.policy, &err), &err);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    nas_coefficients c = {.skip_weight = bad[i].weight, .skip_prior = bad[i].prior};
    assert_int_equal(nas_policy_accumulate(s.policy, s.tape, &c, gradient, &err), NAS_ARGUMENT);
    check_contains(err.text, bad[i].message);
  }
  /* The second outcome of the third anchor's last candidate is looked at, too. */
  const double *rows[SKIPS_MAX] = {NULL};
  const double row[] = {0, 0, 0, INFINITY};
  rows[k.count - 1] = row;
  nas_coefficients c = {.option_log_probs = rows};
  assert_int_equal(nas_policy_accumulate(s.policy, s.tape, &c, gradient, &err), NAS_ARGUMENT);
  check_contains(err.text, "is not finite");
  nas_policy_gradient_destroy(&gradient);
  tear_down(&s);
}

/* Parameters so large that a logit overflows: refused, and nothing appears or moves. */
static void overflow(void **state) {
  (void)state;
  setup s;
  nas_error err;
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0), untouched = stream;
  set_up(&s, 1, 3);
  begin_with_anchors(&s, 1);
  set_block(s.policy, "anchor/a/vector", 3e38f);
  set_block(s.policy, "anchor/a/current", 9);
  set_block(s.policy, "lstm/1/bias", 9); /* gates wide open: outputs near 1 */
  begin_with_anchors(&s, 1);
  nas_text before = bytes_of(s.policy);
  assert_int_equal(
      nas_policy_anchor(s.policy, s.tape, "a", (int[]){0}, 1, &stream, NULL, NULL, &err),
      NAS_DIVERGED);
  check_contains(err.text, "decision \"a\": a logit is not finite");
  assert_memory_equal(&stream, &untouched, sizeof stream);
  nas_text after = bytes_of(s.policy);
  check_same_bytes(&before, &after);
  tear_down(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(as_defined, check_no_blocks),
      cmocka_unit_test_teardown(many_candidates, check_no_blocks),
      cmocka_unit_test_teardown(scored_as_sampled, check_no_blocks),
      cmocka_unit_test_teardown(distributions, check_no_blocks),
      cmocka_unit_test_teardown(frequencies, check_no_blocks),
      cmocka_unit_test_teardown(no_candidates, check_no_blocks),
      cmocka_unit_test_teardown(extreme_logits, check_no_blocks),
      cmocka_unit_test_teardown(memory_of_tapes, check_no_blocks),
      cmocka_unit_test_teardown(skip_prior, check_no_blocks),
      cmocka_unit_test_teardown(learns_to_connect, check_no_blocks),
      cmocka_unit_test_teardown(goes_on_the_same, check_no_blocks),
      cmocka_unit_test_teardown(records, check_no_blocks),
      cmocka_unit_test_teardown(one_name, check_no_blocks),
      cmocka_unit_test_teardown(refused_anchors, check_no_blocks),
      cmocka_unit_test_teardown(refused_records, check_no_blocks),
      cmocka_unit_test_teardown(refused_coefficients, check_no_blocks),
      cmocka_unit_test_teardown(overflow, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy anchors", tests, NULL, NULL);
}
