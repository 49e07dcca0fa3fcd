/* A choice among n options by softmax.
 *
 *   z = b + h W      float, one chain of fma for each option
 *   p = softmax(s),  s from z by temperature and tanh constant (softmax.h) */
#include "kind.h"
#include <math.h>
#include "softmax.h"

static nas_status choice_check(const nas_tape *tape, const nas_decision *asked, int forced,
                               nas_error *err) {
  (void)tape;
  nas_status status =
      nas_policy_check_text("the option text", asked->options, NAS_DECISION_OPTIONS_MAX, err);
  if (status) return status;
  if (asked->count < 1 || asked->count > NAS_DECISION_COUNT_MAX)
    return nas_fail(err, NAS_ARGUMENT, "decision \"%s\" has %d options; expected 1 to %d",
                    asked->name, asked->count, (int)NAS_DECISION_COUNT_MAX);
  if (forced && (asked->chosen < 0 || asked->chosen >= asked->count))
    return nas_fail(err, NAS_ARGUMENT, "decision \"%s\": option %d of %d (the first is 0)",
                    asked->name, asked->chosen, asked->count);
  return NAS_OK;
}

/* *key receives what/<name>/<options>part. */
static nas_status choice_key(const nas_head *head, const char *what, const char *part,
                             nas_text *key, nas_error *err) {
  key->size = 0;
  nas_text_add(key, what);
  nas_key_add(key, head->name);
  nas_key_add(key, head->options);
  nas_text_add(key, part);
  return key->failed ? nas_fail_memory(err, "the key of a head", key->size) : NAS_OK;
}

static nas_status choice_require(nas_policy *policy, nas_head *head, nas_error *err) {
  int u = policy->options.units, n = head->count;
  nas_blocks *blocks = &policy->blocks;
  nas_text key = {0};
  nas_status status = choice_key(head, "option", "", &key, err);
  if (!status) status = nas_blocks_require(blocks, key.data, n, u, &head->option, err);
  if (!status) status = choice_key(head, "head", "/weight", &key, err);
  if (!status) status = nas_blocks_require(blocks, key.data, u, n, &head->weight, err);
  if (!status) status = choice_key(head, "head", "/bias", &key, err);
  if (!status) status = nas_blocks_require(blocks, key.data, 1, n, &head->bias, err);
  nas_text_clear(&key);
  return status;
}

static int choice_forward(const nas_policy *policy, nas_tape *tape, int t) {
  nas_tape_entry *entry = &tape->entries[t];
  const nas_head *head = entry->head;
  double *s = tape->logits + entry->first;
  nas_rows_multiply(policy->kernels, nas_tape_top(tape), t + 1, &head->weight->part[tape->part],
                    head->bias->part[tape->part].data, &tape->logit_row, 0, 1, 0);
  for (int k = 0; k < head->count; k++) {
    if (!isfinite(tape->logit_row.data[k])) return -1;
    s[k] = nas_softmax_logit(&policy->options, tape->logit_row.data[k]);
  }
  entry->entropy = nas_softmax(s, head->count, tape->log_probabilities + entry->first,
                               tape->probabilities + entry->first);
  return 0;
}

static int drawn_option(const nas_tape *tape, int t, nas_stream *stream) {
  const nas_tape_entry *entry = &tape->entries[t];
  const double *p = tape->probabilities + entry->first;
  double u = nas_stream_double(stream), cumulative = 0;
  int possible = 0;
  for (int k = 0; k < entry->count; k++) {
    cumulative = cumulative + p[k];
    if (u < cumulative) return k;
    if (p[k] > 0) possible = k;
  }
  return possible; /* the rounded sum stayed below 1, and u lies between */
}

static void choice_sample(nas_tape *tape, int t, nas_stream *stream) {
  tape->entries[t].chosen = drawn_option(tape, t, stream);
}

static void choice_force(nas_tape *tape, int t, const nas_decision *asked) {
  tape->entries[t].chosen = asked->chosen;
}

static double choice_log_prob(const nas_tape *tape, int t) {
  const nas_tape_entry *entry = &tape->entries[t];
  return tape->log_probabilities[entry->first + (size_t)entry->chosen];
}

/* d_z[k] from the coefficients: with a = log_prob, e = entropy, c = option_log_probs, S = sum c,
 *   d/ds_k of   a log p(chosen)      a ([k = chosen] - p_k)
 *               e H                  -e p_k (log p_k + H)
 *               sum_j c_j log p_j    c_k - p_k S
 * added in this order. */
static void logit_gradient(const nas_policy_options *options, const nas_tape *tape,
                           const nas_tape_entry *entry, const nas_step_coefficients *given,
                           float *d_z) {
  const double *p = tape->probabilities + entry->first;
  const double *log_p = tape->log_probabilities + entry->first;
  const double *s = tape->logits + entry->first;
  double option_sum = 0;
  if (given->option_log_probs)
    for (int k = 0; k < entry->count; k++) option_sum = option_sum + given->option_log_probs[k];
  for (int k = 0; k < entry->count; k++) {
    double d_s = given->log_prob * ((k == entry->chosen) - p[k]);
    d_s = d_s - given->entropy * (p[k] * (log_p[k] + entry->entropy));
    if (given->option_log_probs) d_s = d_s + (given->option_log_probs[k] - p[k] * option_sum);
    d_z[k] = (float)(d_s * nas_softmax_logit_gradient(options, s[k]));
  }
}

static void choice_gradient(const nas_policy *policy, nas_tape *tape, int t,
                            const nas_step_coefficients *coefficients,
                            nas_policy_gradient *gradient) {
  const nas_tape_entry *entry = &tape->entries[t];
  const nas_head *head = entry->head;
  /* The row may be longer than this choice; the kernels are told its width. */
  nas_rows d_z = {
      .data = tape->d_logits.data, .rows = 1, .width = head->count, .stride = nas_row(head->count)};
  logit_gradient(&policy->options, tape, entry, coefficients, d_z.data);
  for (int k = d_z.width; k < d_z.stride; k++) d_z.data[k] = 0;

  /* z = b + h W */
  nas_rows_add(&d_z, 0, nas_gradient_of(gradient, head->bias), 0);
  nas_rows_multiply_weights(policy->kernels, nas_tape_top(tape), t + 1, &d_z, 0, 1,
                            nas_gradient_of(gradient, head->weight));
  nas_rows_multiply(policy->kernels, &d_z, 0, &head->weight->transposed, NULL, &tape->d_hidden, t,
                    1, 0);
}

static int choice_prepare_gradient(const nas_policy *policy, const nas_head *head) {
  return nas_block_transpose(head->weight, policy->version);
}

const nas_kind nas_kind_choice = {
    .name = "choice",
    .number = NAS_DECISION_CHOICE,
    .outcomes = 1,
    .check = choice_check,
    .require = choice_require,
    .forward = choice_forward,
    .sample = choice_sample,
    .force = choice_force,
    .log_prob = choice_log_prob,
    .gradient = choice_gradient,
    .prepare_gradient = choice_prepare_gradient,
};
