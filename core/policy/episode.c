/* The steps of an episode: sampled, forced, scored. All go through one function, so a forced choice
 * has the bits of a sampled one. */
#include <string.h>
#include "kind.h"
#include "lstm.h"

/* ---- One step ----------------------------------------------------------------------------- */

nas_status nas_policy_begin(nas_policy *policy, nas_tape *tape, nas_policy_weights weights,
                            nas_error *err) {
  if (tape->layers != policy->options.layers || tape->units != policy->options.units)
    return nas_fail(err, NAS_ARGUMENT,
                    "the tape is for %d layers of %d units; the policy has %d of %d", tape->layers,
                    tape->units, policy->options.layers, policy->options.units);
  nas_tape_clear(tape);
  tape->serial = policy->serial;
  tape->version = policy->version;
  tape->part = weights == NAS_POLICY_INITIAL ? NAS_PART_INITIAL : NAS_PART_VALUE;
  return NAS_OK;
}

static nas_status check_tape(const nas_policy *policy, const nas_tape *tape, nas_error *err) {
  if (tape->serial != policy->serial)
    return nas_fail(err, NAS_STATE, "no episode of this policy was begun on the tape");
  if (tape->version != policy->version)
    return nas_fail(err, NAS_STATE, "the policy has changed since the episode began");
  if (tape->length >= NAS_TAPE_LENGTH_MAX)
    return nas_fail(err, NAS_LIMIT, "an episode of more than %d decisions",
                    (int)NAS_TAPE_LENGTH_MAX);
  return NAS_OK;
}

/* How often the name came before, whatever its options: one more than at its last time. */
static int count_occurrences(const nas_tape *tape, const nas_choice *choice) {
  for (int t = tape->length - 1; t >= 0; t--)
    if (tape->entries[t].choice->name_vector == choice->name_vector)
      return tape->entries[t].occurrence + 1;
  return 0;
}

/* Writes the entry of the next step: what enters the first layer, and where the outcomes go. */
static nas_status enter(nas_policy *policy, nas_tape *tape, const nas_choice *choice,
                        nas_error *err) {
  int t = tape->length, occurrence = count_occurrences(tape, choice);
  nas_block *occurrence_vector;
  nas_status status = nas_policy_require_occurrence(policy, occurrence, &occurrence_vector, err);
  if (status) return status;
  if (nas_tape_reserve(tape, choice->count))
    return nas_fail_memory(err, "a tape",
                           (unsigned long long)t * (unsigned)tape->units * sizeof(float));
  const nas_tape_entry *before = t ? &tape->entries[t - 1] : NULL;
  tape->entries[t] = (nas_tape_entry){.choice = choice,
                                      .occurrence = occurrence,
                                      .option = before ? before->choice->option : policy->start,
                                      .option_row = before ? before->chosen : 0,
                                      .occurrence_vector = occurrence_vector,
                                      .first = tape->outcomes};
  return NAS_OK;
}

/* The next decision: sampled from *stream, or asked->chosen when stream is NULL. */
static nas_status advance(nas_policy *policy, nas_tape *tape, const nas_decision *asked,
                          nas_stream *stream, int *chosen, double *log_prob, nas_error *err) {
  int t = tape->length;
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_choice *choice;
  nas_status status = check_tape(policy, tape, err);
  if (status) return status;
  status = nas_policy_require_choice(policy, asked->kind, asked->name, asked->options, asked->count,
                                     &choice, err);
  if (status) goto fail;
  if (!stream && (asked->chosen < 0 || asked->chosen >= asked->count)) {
    status = nas_fail(err, NAS_ARGUMENT, "decision \"%s\": option %d of %d (the first is 0)",
                      asked->name, asked->chosen, asked->count);
    goto fail;
  }
  if ((status = enter(policy, tape, choice, err))) goto fail;
  nas_lstm_forward(policy, tape, t);
  if (choice->kind->forward(policy, tape, t)) {
    status = nas_fail(err, NAS_DIVERGED, "decision \"%s\": a logit is not finite", asked->name);
    goto fail;
  }
  nas_tape_entry *entry = &tape->entries[t];
  entry->chosen = stream ? choice->kind->sample(tape, t, stream) : asked->chosen;
  tape->outcomes += (size_t)choice->count;
  tape->length++;
  if (chosen) *chosen = entry->chosen;
  if (log_prob) *log_prob = tape->log_probabilities[entry->first + (size_t)entry->chosen];
  return NAS_OK;
fail:
  nas_policy_roll_back(policy, mark);
  return status;
}

nas_status nas_policy_choose(nas_policy *policy, nas_tape *tape, const char *name,
                             const char *options, int count, nas_stream *stream, int *chosen,
                             double *log_prob, nas_error *err) {
  nas_decision asked = {
      .kind = NAS_DECISION_CHOICE, .name = name, .options = options, .count = count};
  if (!stream) return nas_fail(err, NAS_ARGUMENT, "no random stream to choose from");
  return advance(policy, tape, &asked, stream, chosen, log_prob, err);
}

nas_status nas_policy_force(nas_policy *policy, nas_tape *tape, const char *name,
                            const char *options, int count, int chosen, double *log_prob,
                            nas_error *err) {
  nas_decision asked = {.kind = NAS_DECISION_CHOICE,
                        .name = name,
                        .options = options,
                        .count = count,
                        .chosen = chosen};
  return advance(policy, tape, &asked, NULL, NULL, log_prob, err);
}

/* ---- Recorded episodes -------------------------------------------------------------------- */

/* Puts "decision 3: " before the message; counts from 1, as people do. */
static nas_status fail_at(nas_error *err, nas_status status, int position) {
  char text[sizeof err->text];
  if (!err) return status;
  memcpy(text, err->text, sizeof text);
  return nas_fail(err, status, "decision %d: %s", position + 1, text);
}

nas_status nas_policy_score(nas_policy *policy, nas_tape *tape, nas_policy_weights weights,
                            const nas_decision *decisions, int count, nas_error *err) {
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_status status = nas_policy_begin(policy, tape, weights, err);
  for (int t = 0; status == NAS_OK && t < count; t++) {
    const nas_decision *decision = &decisions[t];
    status = advance(policy, tape, decision, NULL, NULL, NULL, err);
    if (status == NAS_OK && tape->entries[t].occurrence != decision->occurrence)
      status = nas_fail(err, NAS_ARGUMENT,
                        "occurrence of \"%s\" is recorded as %d, but the name came %d times before",
                        decision->name, decision->occurrence, tape->entries[t].occurrence);
    if (status) fail_at(err, status, t);
  }
  if (status) {
    nas_tape_clear(tape);
    nas_policy_roll_back(policy, mark);
  }
  return status;
}

nas_status nas_policy_kl(nas_policy *policy, const nas_decision *decisions, int count, double *kl,
                         nas_error *err) {
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_status status = nas_policy_require_tapes(policy, err);
  if (status) return status;
  status =
      nas_policy_score(policy, policy->current_tape, NAS_POLICY_CURRENT, decisions, count, err);
  if (status) return status;
  status =
      nas_policy_score(policy, policy->initial_tape, NAS_POLICY_INITIAL, decisions, count, err);
  if (status) {
    nas_policy_roll_back(policy, mark);
    return status;
  }
  *kl = nas_tape_kl(policy->current_tape, policy->initial_tape);
  return NAS_OK;
}

/* ---- Records ------------------------------------------------------------------------------ */

static nas_status fail_changed(const nas_decision *was, int position, const nas_decision *asked,
                               nas_error *err) {
  if (was->kind == asked->kind && strcmp(was->name, asked->name) == 0 &&
      was->occurrence == asked->occurrence)
    return nas_fail(err, NAS_ARGUMENT,
                    "decision %d: the options of \"%s\" have changed: recorded were %d (%.120s), "
                    "now there are %d (%.120s)",
                    position + 1, was->name, was->count, was->options, asked->count,
                    asked->options);
  return nas_fail(err, NAS_ARGUMENT,
                  "decision %d: recorded is \"%s\" (occurrence %d, %d options), asked is \"%s\" "
                  "(occurrence %d, %d options)",
                  position + 1, was->name, was->occurrence, was->count, asked->name,
                  asked->occurrence, asked->count);
}

nas_status nas_decision_check(const nas_decision *recorded, int count, int position,
                              const nas_decision *asked, nas_error *err) {
  if (position >= count && !asked) return NAS_OK;
  if (position >= count)
    return nas_fail(err, NAS_ARGUMENT,
                    "decision %d: \"%s\" is asked, but only %d decisions are recorded",
                    position + 1, asked->name, count);
  const nas_decision *was = &recorded[position];
  if (!asked)
    return nas_fail(err, NAS_ARGUMENT,
                    "decision %d: \"%s\" is recorded (of %d in all), but nothing more is asked",
                    position + 1, was->name, count);
  if (was->kind == asked->kind && was->occurrence == asked->occurrence &&
      was->count == asked->count && strcmp(was->name, asked->name) == 0 &&
      strcmp(was->options, asked->options) == 0)
    return NAS_OK;
  return fail_changed(was, position, asked, err);
}
