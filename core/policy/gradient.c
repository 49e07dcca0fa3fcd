/* Sums of gradients, by back-propagation through the steps of an episode. */
#include <math.h>
#include <string.h>
#include <nas/elementary.h>
#include <nas/memory.h>
#include "kind.h"
#include "lstm.h"
#include "value.h"

/* ---- The sum ------------------------------------------------------------------------------ */

nas_status nas_policy_gradient_create(nas_policy_gradient **gradient, const nas_policy *policy,
                                      nas_error *err) {
  nas_policy_gradient *g = nas_alloc_zero(1, sizeof *g);
  *gradient = g;
  if (!g) return nas_fail_memory(err, "a gradient", sizeof *g);
  g->serial = policy->serial;
  return NAS_OK;
}

void nas_policy_gradient_destroy(nas_policy_gradient **gradient) {
  nas_policy_gradient *g = gradient ? *gradient : NULL;
  if (!g) return;
  *gradient = NULL;
  nas_policy_gradient_cut(g, 0);
  nas_free(g->sums);
  nas_free(g);
}

void nas_policy_gradient_clear(nas_policy_gradient *gradient) {
  for (int i = 0; i < gradient->count; i++) {
    nas_rows *sum = &gradient->sums[i];
    memset(sum->data, 0, (size_t)sum->rows * (size_t)sum->stride * sizeof *sum->data);
  }
}

void nas_policy_gradient_cut(nas_policy_gradient *gradient, int count) {
  while (gradient->count > count) nas_rows_free(&gradient->sums[--gradient->count]);
}

nas_status nas_policy_gradient_reserve(nas_policy_gradient *gradient, const nas_policy *policy,
                                       nas_error *err) {
  int before = gradient->count, count = policy->blocks.count;
  if (count == before) return NAS_OK;
  nas_rows *sums =
      nas_realloc(gradient->sums, (size_t)before, (size_t)count, sizeof *gradient->sums);
  if (!sums) goto memory;
  gradient->sums = sums;
  memset(sums + before, 0, (size_t)(count - before) * sizeof *sums);
  gradient->count = count;
  for (int i = 0; i < count; i++) {
    const nas_block *block = policy->blocks.sorted[i];
    const nas_rows *value = &block->part[NAS_PART_VALUE];
    if (block->number < before) continue;
    if (nas_rows_create(&sums[block->number], value->rows, value->width)) goto memory;
  }
  return NAS_OK;
memory:
  nas_policy_gradient_cut(gradient, before);
  return nas_fail_memory(err, "a gradient", policy->blocks.size * sizeof(float));
}

/* ---- Accumulation ------------------------------------------------------------------------- */

static nas_step_coefficients step_coefficients(const nas_coefficients *given, int t) {
  return (nas_step_coefficients){
      .log_prob = given->log_probs ? given->log_prob + given->log_probs[t] : given->log_prob,
      .entropy = given->entropies ? given->entropy + given->entropies[t] : given->entropy,
      .option_log_probs = given->option_log_probs ? given->option_log_probs[t] : NULL,
      .skip_weight = given->skip_weight,
      .skip_logit =
          given->skip_weight > 0 ? nas_log(given->skip_prior) - nas_log(1 - given->skip_prior) : 0};
}

static nas_status check_skips(const nas_coefficients *given, nas_error *err) {
  if (!isfinite(given->skip_weight) || given->skip_weight < 0)
    return nas_fail(err, NAS_ARGUMENT,
                    "the weight of the skip prior is %g; expected a finite number, 0 or more",
                    given->skip_weight);
  if (given->skip_weight > 0 && !(given->skip_prior > 0 && given->skip_prior < 1))
    return nas_fail(err, NAS_ARGUMENT, "the skip prior is %g; expected a number between 0 and 1",
                    given->skip_prior);
  return NAS_OK;
}

static nas_status check_coefficients(const nas_tape *tape, const nas_coefficients *given,
                                     nas_error *err) {
  if (!isfinite(given->log_prob) || !isfinite(given->entropy))
    return nas_fail(err, NAS_ARGUMENT,
                    "coefficients of log pi and entropy are %g and %g; expected "
                    "finite numbers",
                    given->log_prob, given->entropy);
  nas_status status = check_skips(given, err);
  if (status) return status;
  for (int t = 0; t < tape->length; t++) {
    nas_step_coefficients c = step_coefficients(given, t);
    int finite = isfinite(c.log_prob) && isfinite(c.entropy) &&
                 (!given->values || isfinite(given->values[t]));
    for (int k = 0; c.option_log_probs && k < nas_tape_outcomes(&tape->entries[t]); k++)
      finite = finite && isfinite(c.option_log_probs[k]);
    if (!finite)
      return nas_fail(err, NAS_ARGUMENT, "a coefficient of decision %d is not finite", t + 1);
  }
  return NAS_OK;
}

static nas_status check_episode(const nas_policy *policy, const nas_tape *tape,
                                const nas_policy_gradient *gradient, nas_error *err) {
  if (gradient->serial != policy->serial)
    return nas_fail(err, NAS_STATE, "the gradient belongs to another policy");
  nas_status status = nas_tape_check(tape, policy, err);
  if (status) return status;
  if (tape->part != NAS_PART_VALUE)
    return nas_fail(err, NAS_STATE, "an episode of the initial weights has no gradient");
  return NAS_OK;
}

/* Every allocation of a back-propagation, before the first sum changes. `value` is NULL, or the
 * value head's blocks go there. */
static nas_status reserve(nas_policy *policy, nas_tape *tape, nas_value_head *value,
                          nas_policy_gradient *gradient, nas_error *err) {
  nas_status status = value ? nas_value_require(policy, value, err) : NAS_OK;
  if (status) return status;
  status = nas_policy_gradient_reserve(gradient, policy, err);
  if (status) return status;
  if (nas_tape_reserve_gradient(tape)) goto memory;
  for (int l = 0; l < policy->options.layers; l++)
    if (nas_block_transpose(policy->layer[l].input, policy->version) ||
        nas_block_transpose(policy->layer[l].hidden, policy->version))
      goto memory;
  if (value && nas_block_transpose(value->weight, policy->version)) goto memory;
  for (int t = 0; t < tape->length; t++) {
    const nas_head *head = tape->entries[t].head;
    if (head->kind->prepare_gradient(policy, head)) goto memory;
  }
  return NAS_OK;
memory:
  return nas_fail_memory(err, "back-propagation", policy->blocks.size * sizeof(float));
}

nas_status nas_policy_accumulate(nas_policy *policy, nas_tape *tape,
                                 const nas_coefficients *coefficients,
                                 nas_policy_gradient *gradient, nas_error *err) {
  const double *values = coefficients->values;
  nas_value_head value = {0};
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_status status = check_episode(policy, tape, gradient, err);
  if (status) return status;
  if ((status = check_coefficients(tape, coefficients, err))) return status;
  if ((status = reserve(policy, tape, values ? &value : NULL, gradient, err))) {
    nas_policy_gradient_cut(gradient, mark.blocks);
    nas_policy_roll_back(policy, mark);
    return status;
  }
  for (int t = 0; t < tape->length; t++) {
    nas_step_coefficients step = step_coefficients(coefficients, t);
    tape->entries[t].head->kind->gradient(policy, tape, t, &step, gradient);
    if (values) nas_value_gradient(policy, &value, tape, t, values[t], gradient);
  }
  nas_lstm_gradient(policy, tape, gradient);
  return NAS_OK;
}
