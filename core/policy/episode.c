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
static int count_occurrences(const nas_tape *tape, const nas_head *head) {
  for (int t = tape->length - 1; t >= 0; t--)
    if (tape->entries[t].head->name_vector == head->name_vector)
      return tape->entries[t].occurrence + 1;
  return 0;
}

/* Writes the entry of the next step: what enters the first layer, and where the outcomes go. */
static nas_status enter(nas_policy *policy, nas_tape *tape, const nas_head *head,
                        const nas_decision *asked, nas_error *err) {
  int t = tape->length, occurrence = count_occurrences(tape, head);
  nas_block *occurrence_vector;
  nas_status status = nas_policy_require_occurrence(policy, occurrence, &occurrence_vector, err);
  if (status) return status;
  int is_anchor = asked->kind == NAS_DECISION_ANCHOR, candidates = is_anchor ? asked->count : 0;
  if (nas_tape_reserve(tape, head->kind->outcomes * asked->count, candidates))
    return nas_fail_memory(err, "a tape",
                           (unsigned long long)t * (unsigned)tape->units * sizeof(float));
  const nas_tape_entry *before = t ? &tape->entries[t - 1] : NULL;
  tape->entries[t] = (nas_tape_entry){.head = head,
                                      .occurrence = occurrence,
                                      .count = asked->count,
                                      .option = before ? before->head->option : policy->start,
                                      .option_row = before ? before->chosen : 0,
                                      .occurrence_vector = occurrence_vector,
                                      .first = tape->outcomes,
                                      .first_candidate = tape->candidate_count};
  /* A record of this tape may be scored on it: then the list is there already. */
  if (candidates > 0)
    memmove(tape->candidates + tape->candidate_count, asked->candidates,
            (size_t)candidates * sizeof *tape->candidates);
  return NAS_OK;
}

static nas_status check_asked(const nas_tape *tape, const nas_decision *asked, int forced,
                              nas_error *err) {
  const nas_kind *kind = nas_kind_of(asked->kind);
  if (!kind)
    return nas_fail(err, NAS_ARGUMENT,
                    "kind of a decision is %d; expected %d (choice) or %d (anchor)",
                    (int)asked->kind, (int)NAS_DECISION_CHOICE, (int)NAS_DECISION_ANCHOR);
  nas_status status = nas_policy_check_text("the name", asked->name, NAS_DECISION_NAME_MAX, err);
  return status ? status : kind->check(tape, asked, forced, err);
}

/* The next decision: sampled from *stream, or as asked when stream is NULL. */
static nas_status advance(nas_policy *policy, nas_tape *tape, const nas_decision *asked,
                          nas_stream *stream, nas_error *err) {
  int t = tape->length;
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_head *head;
  nas_status status = check_tape(policy, tape, err);
  if (status) return status;
  if ((status = check_asked(tape, asked, !stream, err))) return status;
  if ((status = nas_policy_require_head(policy, asked, &head, err))) goto fail;
  if ((status = enter(policy, tape, head, asked, err))) goto fail;
  nas_lstm_forward(policy, tape, t);
  if (head->kind->forward(policy, tape, t)) {
    status = nas_fail(err, NAS_DIVERGED, "decision \"%s\": a logit is not finite", asked->name);
    goto fail;
  }
  if (stream)
    head->kind->sample(tape, t, stream);
  else
    head->kind->force(tape, t, asked);
  nas_tape_entry *entry = &tape->entries[t];
  entry->log_prob = head->kind->log_prob(tape, t);
  tape->outcomes += (size_t)nas_tape_outcomes(entry);
  if (asked->kind == NAS_DECISION_ANCHOR) {
    tape->candidate_count += (size_t)entry->count;
    tape->anchors++;
  }
  tape->length++;
  return NAS_OK;
fail:
  nas_policy_roll_back(policy, mark);
  return status;
}

static nas_status fail_stream(nas_error *err) {
  return nas_fail(err, NAS_ARGUMENT, "no random stream to choose from");
}

static const nas_tape_entry *last_of(const nas_tape *tape) {
  return &tape->entries[tape->length - 1];
}

nas_status nas_policy_choose(nas_policy *policy, nas_tape *tape, const char *name,
                             const char *options, int count, nas_stream *stream, int *chosen,
                             double *log_prob, nas_error *err) {
  nas_decision asked = {
      .kind = NAS_DECISION_CHOICE, .name = name, .options = options, .count = count};
  nas_status status = stream ? advance(policy, tape, &asked, stream, err) : fail_stream(err);
  if (status) return status;
  if (chosen) *chosen = last_of(tape)->chosen;
  if (log_prob) *log_prob = last_of(tape)->log_prob;
  return NAS_OK;
}

nas_status nas_policy_force(nas_policy *policy, nas_tape *tape, const char *name,
                            const char *options, int count, int chosen, double *log_prob,
                            nas_error *err) {
  nas_decision asked = {.kind = NAS_DECISION_CHOICE,
                        .name = name,
                        .options = options,
                        .count = count,
                        .chosen = chosen};
  nas_status status = advance(policy, tape, &asked, NULL, err);
  if (!status && log_prob) *log_prob = last_of(tape)->log_prob;
  return status;
}

nas_status nas_policy_anchor(nas_policy *policy, nas_tape *tape, const char *name,
                             const int *candidates, int count, nas_stream *stream,
                             unsigned char *chosen_set, double *log_prob, nas_error *err) {
  nas_decision asked = {
      .kind = NAS_DECISION_ANCHOR, .name = name, .count = count, .candidates = candidates};
  nas_status status = stream ? advance(policy, tape, &asked, stream, err) : fail_stream(err);
  if (status) return status;
  if (chosen_set && count > 0)
    memcpy(chosen_set, tape->chosen_sets + last_of(tape)->first_candidate, (size_t)count);
  if (log_prob) *log_prob = last_of(tape)->log_prob;
  return NAS_OK;
}

nas_status nas_policy_force_anchor(nas_policy *policy, nas_tape *tape, const char *name,
                                   const int *candidates, int count,
                                   const unsigned char *chosen_set, double *log_prob,
                                   nas_error *err) {
  nas_decision asked = {.kind = NAS_DECISION_ANCHOR,
                        .name = name,
                        .count = count,
                        .candidates = candidates,
                        .chosen_set = chosen_set};
  nas_status status = advance(policy, tape, &asked, NULL, err);
  if (!status && log_prob) *log_prob = last_of(tape)->log_prob;
  return status;
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
    status = advance(policy, tape, decision, NULL, err);
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

static int is_same_anchor(const nas_decision *a, const nas_decision *b) {
  return a->count == b->count &&
         (a->count == 0 ||
          memcmp(a->candidates, b->candidates, (size_t)a->count * sizeof *a->candidates) == 0);
}

static int is_same_choice(const nas_decision *a, const nas_decision *b) {
  return a->count == b->count && strcmp(a->options, b->options) == 0;
}

static nas_status fail_options(const nas_decision *was, int position, const nas_decision *asked,
                               nas_error *err) {
  return nas_fail(err, NAS_ARGUMENT,
                  "decision %d: the options of \"%s\" have changed: recorded were %d (%.120s), "
                  "now there are %d (%.120s)",
                  position + 1, was->name, was->count, was->options, asked->count, asked->options);
}

static nas_status fail_candidates(const nas_decision *was, int position, const nas_decision *asked,
                                  nas_error *err) {
  if (was->count != asked->count)
    return nas_fail(err, NAS_ARGUMENT,
                    "decision %d: the candidates of anchor \"%s\" have changed: recorded were %d, "
                    "now there are %d",
                    position + 1, was->name, was->count, asked->count);
  int j = 0;
  while (was->candidates[j] == asked->candidates[j]) j++;
  return nas_fail(err, NAS_ARGUMENT,
                  "decision %d: the candidates of anchor \"%s\" have changed: recorded as number "
                  "%d was decision %d, now it is decision %d",
                  position + 1, was->name, j + 1, was->candidates[j] + 1, asked->candidates[j] + 1);
}

static nas_status fail_other(const nas_decision *was, int position, const nas_decision *asked,
                             nas_error *err) {
  static const char *const counted[] = {"options", "candidates"};
  int was_anchor = was->kind == NAS_DECISION_ANCHOR, is_anchor = asked->kind == NAS_DECISION_ANCHOR;
  return nas_fail(err, NAS_ARGUMENT,
                  "decision %d: recorded is \"%s\" (occurrence %d, %d %s), asked is \"%s\" "
                  "(occurrence %d, %d %s)",
                  position + 1, was->name, was->occurrence, was->count, counted[was_anchor],
                  asked->name, asked->occurrence, asked->count, counted[is_anchor]);
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
  if (was->kind != asked->kind || was->occurrence != asked->occurrence ||
      strcmp(was->name, asked->name) != 0)
    return fail_other(was, position, asked, err);
  if (was->kind == NAS_DECISION_ANCHOR)
    return is_same_anchor(was, asked) ? NAS_OK : fail_candidates(was, position, asked, err);
  return is_same_choice(was, asked) ? NAS_OK : fail_options(was, position, asked, err);
}
