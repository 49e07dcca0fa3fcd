/* Score, back-propagate, step: what a search does after each batch of episodes. */
#include <string.h>
#include "anchor.h"
#include "kind.h"
#include "value.h"

nas_status nas_policy_require_tapes(nas_policy *policy, nas_error *err) {
  nas_status status = NAS_OK;
  if (!policy->current_tape) status = nas_tape_create(&policy->current_tape, policy, err);
  if (status == NAS_OK && !policy->initial_tape)
    status = nas_tape_create(&policy->initial_tape, policy, err);
  return status;
}

double nas_tape_kl(const nas_tape *current, const nas_tape *initial) {
  double kl = 0;
  for (size_t i = 0; i < current->outcomes; i++)
    kl = kl + current->probabilities[i] *
                  (current->log_probabilities[i] - initial->log_probabilities[i]);
  return kl;
}

/* Two parts of the episode's objective (nas_coefficients), added to *log_probs and *entropies. */
static void add_objective(const nas_tape *tape, const nas_coefficients *c, double *log_probs,
                          double *entropies) {
  for (int t = 0; t < tape->length; t++) {
    const nas_tape_entry *entry = &tape->entries[t];
    const double *log_p = tape->log_probabilities + entry->first;
    double a = c->log_probs ? c->log_prob + c->log_probs[t] : c->log_prob;
    double e = c->entropies ? c->entropy + c->entropies[t] : c->entropy;
    *log_probs = *log_probs + a * entry->log_prob;
    *entropies = *entropies + e * entry->entropy;
    if (!c->option_log_probs || !c->option_log_probs[t]) continue;
    for (int k = 0; k < nas_tape_outcomes(entry); k++)
      *log_probs = *log_probs + c->option_log_probs[t][k] * log_p[k];
  }
}

/* The last, which the objective loses: skip_weight times the sum over all candidates of
 * KL(sigmoid || skip_prior). */
static double skip_loss(const nas_tape *tape, const nas_coefficients *c) {
  double sum = 0;
  if (c->skip_weight == 0) return 0;
  for (int t = 0; t < tape->length; t++)
    if (tape->entries[t].head->kind == &nas_kind_anchor)
      sum = sum + nas_anchor_divergence(tape, t, c->skip_prior);
  return c->skip_weight * sum;
}

/* The third: sum over t of values[t] V_t. */
static nas_status value_objective(nas_policy *policy, nas_tape *tape, const double *values,
                                  double *objective, nas_error *err) {
  nas_value_head head;
  nas_status status = nas_value_require(policy, &head, err);
  *objective = 0;
  for (int t = 0; status == NAS_OK && t < tape->length; t++) {
    double value = 0;
    status = nas_value_forward(policy, &head, tape, t, &value, err);
    *objective = *objective + values[t] * value;
  }
  return status;
}

/* Puts "episode 2: " before the message. */
static nas_status fail_at(nas_error *err, nas_status status, int episode) {
  char text[sizeof err->text];
  if (!err) return status;
  memcpy(text, err->text, sizeof text);
  return nas_fail(err, status, "episode %d: %s", episode + 1, text);
}

/* Adds one episode to the policy's own gradient and to the sums in *learned. */
static nas_status learn_episode(nas_policy *policy, const nas_episode *episode,
                                nas_policy_learned *learned, nas_error *err) {
  const double *values = episode->coefficients.values;
  double log_probs = 0, entropies = 0, value = 0;
  nas_tape *current = policy->current_tape, *initial = policy->initial_tape;
  nas_status status = nas_policy_score(policy, current, NAS_POLICY_CURRENT, episode->decisions,
                                       episode->count, err);
  if (status) return status;
  status = nas_policy_score(policy, initial, NAS_POLICY_INITIAL, episode->decisions, episode->count,
                            err);
  if (status) return status;
  status = nas_policy_accumulate(policy, current, &episode->coefficients, policy->gradient, err);
  if (status) return status;
  if (values && (status = value_objective(policy, current, values, &value, err))) return status;
  add_objective(current, &episode->coefficients, &log_probs, &entropies);
  learned->policy_loss = learned->policy_loss - log_probs;
  learned->entropy_loss = learned->entropy_loss - entropies;
  learned->value_loss = learned->value_loss - value;
  learned->skip_loss = learned->skip_loss + skip_loss(current, &episode->coefficients);
  learned->entropy = learned->entropy + nas_tape_entropy(current);
  learned->kl = learned->kl + nas_tape_kl(current, initial);
  return NAS_OK;
}

nas_status nas_policy_learn(nas_policy *policy, const nas_episode *episodes, int count,
                            nas_policy_learned *learned, nas_error *err) {
  nas_policy_learned result = {0};
  nas_policy_applied applied;
  if (count < 1) return nas_fail(err, NAS_ARGUMENT, "%d episodes; expected at least 1", count);
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_status status = nas_policy_require_tapes(policy, err);
  if (status) return status;
  if (!policy->gradient) status = nas_policy_gradient_create(&policy->gradient, policy, err);
  if (status) return status;

  nas_policy_gradient_clear(policy->gradient);
  for (int i = 0; i < count; i++) {
    status = learn_episode(policy, &episodes[i], &result, err);
    if (status) {
      fail_at(err, status, i);
      goto fail;
    }
  }
  if ((status = nas_policy_apply(policy, policy->gradient, &applied, err))) goto fail;
  result.entropy = result.entropy / count;
  result.kl = result.kl / count;
  result.l2 = applied.l2;
  result.loss =
      result.policy_loss + result.entropy_loss + result.value_loss + result.skip_loss + result.l2;
  result.gradient_norm = applied.gradient_norm;
  if (learned) *learned = result;
  return NAS_OK;
fail:
  nas_policy_roll_back(policy, mark);
  return status;
}
