/* A choice among n options by softmax.
 *
 *   z = b + h W                        float, one chain of fma for each option
 *   s = z / temperature                double from here on
 *   s = C tanh(z / temperature)        with a tanh constant C (Bello et al. 2016, "Neural
 *                                      combinatorial optimization with reinforcement learning")
 *   log p_k = (s_k - max s) - log(sum_j exp(s_j - max s)),  the sum in the order of options
 *   p_k = exp(s_k - max s) / (the same sum)
 *   H = -(sum_k p_k log p_k),  in the order of options */
#include "kind.h"
#include <math.h>
#include <nas/elementary.h>

static nas_status choice_require(nas_policy *policy, nas_choice *choice, nas_error *err) {
  int u = policy->options.units;
  nas_text key = {0};
  nas_status status = NAS_OK;
  nas_text_add(&key, "head");
  nas_key_add(&key, choice->name);
  nas_key_add(&key, choice->options);
  size_t stem = key.size;
  nas_text_add(&key, "/weight");
  if (key.failed) goto memory;
  status = nas_blocks_require(&policy->blocks, key.data, u, choice->count, &choice->weight, err);
  if (status) goto done;
  key.size = stem;
  nas_text_add(&key, "/bias");
  if (key.failed) goto memory;
  status = nas_blocks_require(&policy->blocks, key.data, 1, choice->count, &choice->bias, err);
  goto done;
memory:
  status = nas_fail_memory(err, "the key of a head", key.size);
done:
  nas_text_clear(&key);
  return status;
}

static double scaled_logit(const nas_policy_options *options, float z) {
  double s = (double)z / options->temperature;
  return options->tanh_constant > 0 ? options->tanh_constant * nas_tanh(s) : s;
}

/* d s / d z */
static double scaled_logit_gradient(const nas_policy_options *options, double s) {
  double C = options->tanh_constant;
  if (C <= 0) return 1 / options->temperature;
  double tanh_z = s / C;
  return C * (1 - tanh_z * tanh_z) / options->temperature;
}

/* Fills log_p and p from s; returns the entropy. */
static double softmax(const double *s, int count, double *log_p, double *p) {
  double largest = s[0], sum = 0, entropy = 0;
  for (int k = 1; k < count; k++)
    if (s[k] > largest) largest = s[k];
  for (int k = 0; k < count; k++) {
    p[k] = nas_exp(s[k] - largest);
    sum = sum + p[k];
  }
  double log_sum = nas_log(sum);
  for (int k = 0; k < count; k++) {
    log_p[k] = s[k] - largest - log_sum;
    p[k] = p[k] / sum;
    entropy = entropy - p[k] * log_p[k];
  }
  return entropy;
}

static int choice_forward(const nas_policy *policy, nas_tape *tape, int t) {
  nas_tape_entry *entry = &tape->entries[t];
  const nas_choice *choice = entry->choice;
  double *s = tape->logits + entry->first;
  nas_rows_multiply(policy->kernels, nas_tape_top(tape), t + 1, &choice->weight->part[tape->part],
                    choice->bias->part[tape->part].data, &tape->logit_row, 0, 1, 0);
  for (int k = 0; k < choice->count; k++) {
    if (!isfinite(tape->logit_row.data[k])) return -1;
    s[k] = scaled_logit(&policy->options, tape->logit_row.data[k]);
  }
  entry->entropy = softmax(s, choice->count, tape->log_probabilities + entry->first,
                           tape->probabilities + entry->first);
  return 0;
}

static int choice_sample(const nas_tape *tape, int t, nas_stream *stream) {
  const nas_tape_entry *entry = &tape->entries[t];
  const double *p = tape->probabilities + entry->first;
  double u = nas_stream_double(stream), cumulative = 0;
  int possible = 0;
  for (int k = 0; k < entry->choice->count; k++) {
    cumulative = cumulative + p[k];
    if (u < cumulative) return k;
    if (p[k] > 0) possible = k;
  }
  return possible; /* the rounded sum stayed below 1, and u lies between */
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
    for (int k = 0; k < entry->choice->count; k++)
      option_sum = option_sum + given->option_log_probs[k];
  for (int k = 0; k < entry->choice->count; k++) {
    double d_s = given->log_prob * ((k == entry->chosen) - p[k]);
    d_s = d_s - given->entropy * (p[k] * (log_p[k] + entry->entropy));
    if (given->option_log_probs) d_s = d_s + (given->option_log_probs[k] - p[k] * option_sum);
    d_z[k] = (float)(d_s * scaled_logit_gradient(options, s[k]));
  }
}

static void choice_gradient(const nas_policy *policy, nas_tape *tape, int t,
                            const nas_step_coefficients *coefficients,
                            nas_policy_gradient *gradient) {
  const nas_tape_entry *entry = &tape->entries[t];
  const nas_choice *choice = entry->choice;
  /* The row may be longer than this choice; the kernels are told its width. */
  nas_rows d_z = {.data = tape->d_logits.data,
                  .rows = 1,
                  .width = choice->count,
                  .stride = nas_row(choice->count)};
  logit_gradient(&policy->options, tape, entry, coefficients, d_z.data);
  for (int k = d_z.width; k < d_z.stride; k++) d_z.data[k] = 0;

  /* z = b + h W */
  nas_rows_add(&d_z, 0, nas_gradient_of(gradient, choice->bias), 0);
  nas_rows_multiply_weights(policy->kernels, nas_tape_top(tape), t + 1, &d_z, 0, 1,
                            nas_gradient_of(gradient, choice->weight));
  nas_rows_multiply(policy->kernels, &d_z, 0, &choice->weight->transposed, NULL, &tape->d_hidden, t,
                    1, 0);
}

static int choice_prepare_gradient(const nas_policy *policy, const nas_choice *choice) {
  return nas_block_transpose(choice->weight, policy->version);
}

const nas_kind nas_kind_choice = {
    .name = "choice",
    .number = NAS_DECISION_CHOICE,
    .require = choice_require,
    .forward = choice_forward,
    .sample = choice_sample,
    .gradient = choice_gradient,
    .prepare_gradient = choice_prepare_gradient,
};

const nas_kind *nas_kind_of(nas_decision_kind number) {
  static const nas_kind *const kinds[] = {[NAS_DECISION_CHOICE] = &nas_kind_choice};
  size_t count = sizeof kinds / sizeof kinds[0];
  return (size_t)number < count ? kinds[number] : NULL;
}
