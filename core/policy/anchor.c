#include "anchor.h"
#include <math.h>
#include <string.h>
#include <nas/elementary.h>
#include "kind.h"
#include "softmax.h"

/* Rows of the last layer's output begin with what was before the first step. */
enum { FIRST_OUTPUT = 1 };

/* ---- Asked -------------------------------------------------------------------------------- */

/* Messages count decisions and candidates from 1. */
static nas_status check_candidate(const nas_tape *tape, const nas_decision *asked, int j,
                                  nas_error *err) {
  int position = asked->candidates[j];
  if (position < 0 || position >= tape->length) {
    if (tape->length == 0)
      return nas_fail(err, NAS_ARGUMENT,
                      "anchor \"%s\": candidate %d is decision %d, but no decision was made before",
                      asked->name, j + 1, position + 1);
    return nas_fail(err, NAS_ARGUMENT,
                    "anchor \"%s\": candidate %d is decision %d; expected an earlier one, 1 to %d",
                    asked->name, j + 1, position + 1, tape->length);
  }
  if (j > 0 && position <= asked->candidates[j - 1])
    return nas_fail(err, NAS_ARGUMENT,
                    "anchor \"%s\": candidate %d is decision %d, and candidate %d is decision %d; "
                    "expected increasing positions",
                    asked->name, j, asked->candidates[j - 1] + 1, j + 1, position + 1);
  const nas_head *head = tape->entries[position].head;
  if (head->kind != &nas_kind_anchor)
    return nas_fail(err, NAS_ARGUMENT,
                    "anchor \"%s\": candidate %d is decision %d, the %s \"%s\"; expected an anchor",
                    asked->name, j + 1, position + 1, head->kind->name, head->name);
  return NAS_OK;
}

static nas_status anchor_check(const nas_tape *tape, const nas_decision *asked, int forced,
                               nas_error *err) {
  nas_status status = NAS_OK;
  if (asked->count < 0 || asked->count > NAS_DECISION_COUNT_MAX)
    return nas_fail(err, NAS_ARGUMENT, "anchor \"%s\" has %d candidates; expected 0 to %d",
                    asked->name, asked->count, (int)NAS_DECISION_COUNT_MAX);
  if (asked->count > 0 && !asked->candidates)
    return nas_fail(err, NAS_ARGUMENT, "anchor \"%s\": no list of its %d candidates", asked->name,
                    asked->count);
  if (asked->count > 0 && forced && !asked->chosen_set)
    return nas_fail(err, NAS_ARGUMENT, "anchor \"%s\": no list of what is chosen", asked->name);
  for (int j = 0; status == NAS_OK && j < asked->count; j++)
    status = check_candidate(tape, asked, j, err);
  return status;
}

static nas_status require_block(nas_policy *policy, const nas_head *head, const char *part,
                                int width, nas_block **block, nas_error *err) {
  nas_text key = {0};
  nas_text_add(&key, "anchor");
  nas_key_add(&key, head->name);
  nas_text_add(&key, part);
  nas_status status = key.failed ? nas_fail_memory(err, "the key of an anchor", key.size)
                                 : nas_blocks_require(&policy->blocks, key.data,
                                                      policy->options.units, width, block, err);
  nas_text_clear(&key);
  return status;
}

static nas_status anchor_require(nas_policy *policy, nas_head *head, nas_error *err) {
  int u = policy->options.units;
  nas_status status = require_block(policy, head, "/previous", u, &head->previous, err);
  if (!status) status = require_block(policy, head, "/current", u, &head->current, err);
  if (!status) status = require_block(policy, head, "/vector", 1, &head->vector, err);
  return status;
}

/* ---- Forward ------------------------------------------------------------------------------ */

static const int *candidates_of(const nas_tape *tape, const nas_tape_entry *entry) {
  return tape->candidates + entry->first_candidate;
}

static int anchor_forward(const nas_policy *policy, nas_tape *tape, int t) {
  nas_tape_entry *entry = &tape->entries[t];
  const nas_head *head = entry->head;
  const nas_kernels *kernels = policy->kernels;
  int n = entry->count, first = (int)entry->first_candidate;
  entry->entropy = 0;
  if (n == 0) return 0;
  nas_rows_multiply(kernels, nas_tape_top(tape), t + FIRST_OUTPUT, &head->current->part[tape->part],
                    NULL, &tape->current, 0, 1, 0);
  nas_rows_multiply_from(kernels, nas_tape_top(tape), FIRST_OUTPUT, candidates_of(tape, entry),
                         &head->previous->part[tape->part], tape->current.data, &tape->joint, first,
                         n);
  for (int j = 0; j < n; j++) kernels->tanh(nas_rows_at(&tape->joint, first + j), tape->units);
  nas_rows_multiply(kernels, &tape->joint, first, &head->vector->part[tape->part], NULL,
                    &tape->scores, 0, n, 0);
  for (int j = 0; j < n; j++) {
    size_t at = entry->first + 2 * (size_t)j;
    float z = nas_rows_at(&tape->scores, j)[0];
    if (!isfinite(z)) return -1;
    tape->logits[at] = 0;
    tape->logits[at + 1] = nas_softmax_logit(&policy->options, z);
    entry->entropy =
        entry->entropy +
        nas_softmax(tape->logits + at, 2, tape->log_probabilities + at, tape->probabilities + at);
  }
  return 0;
}

static void anchor_sample(nas_tape *tape, int t, nas_stream *stream) {
  const nas_tape_entry *entry = &tape->entries[t];
  const double *p = tape->probabilities + entry->first;
  unsigned char *chosen = tape->chosen_sets + entry->first_candidate;
  for (int j = 0; j < entry->count; j++) chosen[j] = nas_stream_double(stream) < p[2 * j + 1];
}

static void anchor_force(nas_tape *tape, int t, const nas_decision *asked) {
  unsigned char *chosen = tape->chosen_sets + tape->entries[t].first_candidate;
  for (int j = 0; j < asked->count; j++) chosen[j] = asked->chosen_set[j] != 0;
}

static double anchor_log_prob(const nas_tape *tape, int t) {
  const nas_tape_entry *entry = &tape->entries[t];
  const double *log_p = tape->log_probabilities + entry->first;
  const unsigned char *chosen = tape->chosen_sets + entry->first_candidate;
  double sum = 0;
  for (int j = 0; j < entry->count; j++) sum = sum + log_p[2 * j + chosen[j]];
  return sum;
}

static int count_chosen(const nas_tape *tape, const nas_tape_entry *entry) {
  int count = 0;
  for (int j = 0; j < entry->count; j++)
    count += tape->chosen_sets[entry->first_candidate + (size_t)j];
  return count;
}

void nas_anchor_mean(const nas_tape *tape, int t, float *mean) {
  const nas_tape_entry *entry = &tape->entries[t];
  const int *candidates = candidates_of(tape, entry);
  int u = tape->units, chosen = count_chosen(tape, entry);
  for (int c = 0; c < u; c++) mean[c] = 0;
  if (chosen == 0) return;
  for (int j = 0; j < entry->count; j++) {
    if (!tape->chosen_sets[entry->first_candidate + (size_t)j]) continue;
    const float *h = nas_rows_at(nas_tape_top(tape), candidates[j] + FIRST_OUTPUT);
    for (int c = 0; c < u; c++) mean[c] = mean[c] + h[c];
  }
  for (int c = 0; c < u; c++) mean[c] = mean[c] / (float)chosen;
}

double nas_anchor_divergence(const nas_tape *tape, int t, double prior) {
  const nas_tape_entry *entry = &tape->entries[t];
  const double *p = tape->probabilities + entry->first;
  const double *log_p = tape->log_probabilities + entry->first;
  double log_prior = nas_log(prior), log_rest = nas_log(1 - prior), sum = 0;
  for (int j = 0; j < entry->count; j++) {
    double not_chosen = p[2 * j] * (log_p[2 * j] - log_rest);
    sum = sum + (not_chosen + p[2 * j + 1] * (log_p[2 * j + 1] - log_prior));
  }
  return sum;
}

/* ---- Gradient ----------------------------------------------------------------------------- */

/* d_z[j] from the coefficients: with p and q the probabilities of chosen and not chosen,
 * a = log_prob, e = entropy, b and c = option_log_probs of not chosen and chosen,
 *   d/ds of   a log pi(what is chosen)   a ([chosen] - p)
 *             e H                        -e s p q
 *             b log q + c log p          c - p (b + c)
 *             -skip_weight KL            -skip_weight p q (s - logit of the prior)
 * added in this order. */
static void logit_gradient(const nas_policy_options *options, nas_tape *tape,
                           const nas_tape_entry *entry, const nas_step_coefficients *given) {
  for (int j = 0; j < entry->count; j++) {
    size_t at = entry->first + 2 * (size_t)j;
    double q = tape->probabilities[at], p = tape->probabilities[at + 1], s = tape->logits[at + 1];
    int chosen = tape->chosen_sets[entry->first_candidate + (size_t)j];
    double d_s = given->log_prob * (chosen - p);
    d_s = d_s - given->entropy * (s * p * q);
    if (given->option_log_probs) {
      double b = given->option_log_probs[2 * j], c = given->option_log_probs[2 * j + 1];
      d_s = d_s + (c - p * (b + c));
    }
    if (given->skip_weight > 0) d_s = d_s - given->skip_weight * (p * q * (s - given->skip_logit));
    nas_rows_at(&tape->scores, j)[0] = (float)(d_s * nas_softmax_logit_gradient(options, s));
  }
}

/* From d_z to rows of tape->d_joint, the gradient of what is inside the tanh, and their sum in the
 * order of candidates. */
static void joint_gradient(nas_tape *tape, const nas_tape_entry *entry) {
  const float *v = entry->head->vector->transposed.data;
  float *sum = tape->d_current.data;
  for (int c = 0; c < tape->units; c++) sum[c] = 0;
  for (int j = 0; j < entry->count; j++) {
    const float *e = nas_rows_at(&tape->joint, (int)entry->first_candidate + j);
    float d_z = nas_rows_at(&tape->scores, j)[0];
    float *d_joint = nas_rows_at(&tape->d_joint, j);
    for (int c = 0; c < tape->units; c++) {
      d_joint[c] = d_z * v[c] * (1 - e[c] * e[c]);
      sum[c] = sum[c] + d_joint[c];
    }
  }
}

static void anchor_gradient(const nas_policy *policy, nas_tape *tape, int t,
                            const nas_step_coefficients *coefficients,
                            nas_policy_gradient *gradient) {
  const nas_tape_entry *entry = &tape->entries[t];
  const nas_head *head = entry->head;
  const nas_kernels *kernels = policy->kernels;
  const nas_rows *top = nas_tape_top(tape);
  const int *candidates = candidates_of(tape, entry);
  int n = entry->count, first = (int)entry->first_candidate;
  if (n == 0) {
    memset(nas_rows_at(&tape->d_hidden, t), 0, (size_t)tape->units * sizeof(float));
    return;
  }
  logit_gradient(&policy->options, tape, entry, coefficients);
  /* z = e v */
  nas_rows_multiply_weights(kernels, &tape->joint, first, &tape->scores, 0, n,
                            nas_gradient_of(gradient, head->vector));
  /* e = tanh(h_i Wc + h_j Wp); all candidates have the same h_i, so it sees their sum. */
  joint_gradient(tape, entry);
  nas_rows_multiply_weights(kernels, top, t + FIRST_OUTPUT, &tape->d_current, 0, 1,
                            nas_gradient_of(gradient, head->current));
  nas_rows_multiply_weights_from(kernels, top, FIRST_OUTPUT, candidates, &tape->d_joint, 0, n,
                                 nas_gradient_of(gradient, head->previous));
  nas_rows_multiply(kernels, &tape->d_current, 0, &head->current->transposed, NULL, &tape->d_hidden,
                    t, 1, 0);
  nas_rows_multiply_to(kernels, &tape->d_joint, 0, &head->previous->transposed, &tape->d_hidden, 0,
                       candidates, n);
}

void nas_anchor_mean_gradient(nas_tape *tape, int t, const float *d_mean) {
  const nas_tape_entry *entry = &tape->entries[t];
  int chosen = count_chosen(tape, entry);
  for (int j = 0; j < entry->count; j++) {
    if (!tape->chosen_sets[entry->first_candidate + (size_t)j]) continue;
    float *d_h = nas_rows_at(&tape->d_hidden, candidates_of(tape, entry)[j]);
    for (int c = 0; c < tape->units; c++) d_h[c] = d_h[c] + d_mean[c] / (float)chosen;
  }
}

static int anchor_prepare_gradient(const nas_policy *policy, const nas_head *head) {
  if (nas_block_transpose(head->previous, policy->version)) return -1;
  if (nas_block_transpose(head->current, policy->version)) return -1;
  return nas_block_transpose(head->vector, policy->version);
}

const nas_kind nas_kind_anchor = {
    .name = "anchor",
    .number = NAS_DECISION_ANCHOR,
    .outcomes = 2,
    .check = anchor_check,
    .require = anchor_require,
    .forward = anchor_forward,
    .sample = anchor_sample,
    .force = anchor_force,
    .log_prob = anchor_log_prob,
    .gradient = anchor_gradient,
    .prepare_gradient = anchor_prepare_gradient,
};
