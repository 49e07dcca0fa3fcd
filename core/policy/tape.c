#include "tape.h"
#include <nas/memory.h>
#include "kind.h"

nas_status nas_tape_create(nas_tape **tape, const nas_policy *policy, nas_error *err) {
  *tape = nas_alloc_zero(1, sizeof **tape);
  if (!*tape) return nas_fail_memory(err, "a tape", sizeof **tape);
  (*tape)->layers = policy->options.layers;
  (*tape)->units = policy->options.units;
  return NAS_OK;
}

void nas_tape_destroy(nas_tape **tape) {
  nas_tape *t = tape ? *tape : NULL;
  if (!t) return;
  *tape = NULL;
  for (int l = 0; l < NAS_LAYERS_MAX; l++) {
    nas_rows_free(&t->layer[l].output);
    nas_rows_free(&t->layer[l].cell);
    nas_rows_free(&t->layer[l].gates);
    nas_rows_free(&t->layer[l].squashed);
    nas_rows_free(&t->d_gates[l]);
  }
  nas_rows_free(&t->input);
  nas_rows_free(&t->logit_row);
  nas_rows_free(&t->joint);
  nas_rows_free(&t->scores);
  nas_rows_free(&t->current);
  nas_rows_free(&t->d_hidden);
  nas_rows_free(&t->d_cell);
  nas_rows_free(&t->d_logits);
  nas_rows_free(&t->d_joint);
  nas_rows_free(&t->d_current);
  nas_free(t->entries);
  nas_free(t->logits);
  nas_free(t->log_probabilities);
  nas_free(t->probabilities);
  nas_free(t->candidates);
  nas_free(t->chosen_sets);
  nas_free(t);
}

void nas_tape_clear(nas_tape *tape) {
  tape->serial = 0;
  tape->length = 0;
  tape->outcomes = 0;
  tape->anchors = 0;
  tape->candidate_count = 0;
}

nas_status nas_tape_check(const nas_tape *tape, const nas_policy *policy, nas_error *err) {
  if (tape->serial != policy->serial)
    return nas_fail(err, NAS_STATE, "the tape holds no episode of this policy");
  if (tape->version != policy->version)
    return nas_fail(err, NAS_STATE, "the policy has changed since the episode began");
  return NAS_OK;
}

/* ---- Room --------------------------------------------------------------------------------- */

/* Grows to at least `rows`; a matrix that an earlier, failed attempt has grown already stays. */
static int grow_to(nas_rows *m, int rows, int width) {
  return m->rows >= rows ? 0 : nas_rows_grow(m, rows, width);
}

static int reserve_steps(nas_tape *tape) {
  if (tape->length < tape->capacity) return 0;
  int u = tape->units, capacity = tape->capacity ? 2 * tape->capacity : 16;
  nas_tape_entry *entries =
      nas_realloc(tape->entries, (size_t)tape->length, (size_t)capacity, sizeof *entries);
  if (!entries) return -1;
  tape->entries = entries;
  if (grow_to(&tape->input, capacity, u)) return -1;
  for (int l = 0; l < tape->layers; l++) {
    nas_tape_layer *layer = &tape->layer[l];
    if (grow_to(&layer->output, capacity + 1, u) || grow_to(&layer->cell, capacity + 1, u) ||
        grow_to(&layer->gates, capacity, 4 * u) || grow_to(&layer->squashed, capacity, u))
      return -1;
  }
  tape->capacity = capacity;
  return 0;
}

static int grow_doubles(double **values, size_t old_count, size_t count) {
  double *grown = nas_realloc(*values, old_count, count, sizeof *grown);
  if (!grown) return -1;
  *values = grown;
  return 0;
}

static int reserve_outcomes(nas_tape *tape, int more) {
  size_t needed = tape->outcomes + (size_t)more;
  if (tape->probabilities && needed <= tape->outcome_capacity) return 0;
  size_t capacity = needed > 2 * tape->outcome_capacity ? needed : 2 * tape->outcome_capacity;
  if (capacity < 64) capacity = 64;
  if (grow_doubles(&tape->logits, tape->outcomes, capacity) ||
      grow_doubles(&tape->log_probabilities, tape->outcomes, capacity) ||
      grow_doubles(&tape->probabilities, tape->outcomes, capacity))
    return -1;
  tape->outcome_capacity = capacity;
  return 0;
}

/* A single row of at least that width. */
static int reserve_row(nas_rows *row, int width) {
  nas_rows wider = {0};
  if (row->data && width <= row->stride) return 0;
  if (nas_rows_create(&wider, 1, width)) return -1;
  nas_rows_free(row);
  *row = wider;
  return 0;
}

static int reserve_sets(nas_tape *tape, int more) {
  size_t old_count = tape->candidate_count, needed = old_count + (size_t)more;
  if (tape->chosen_sets && needed <= tape->candidate_capacity) return 0;
  size_t capacity = needed > 2 * tape->candidate_capacity ? needed : 2 * tape->candidate_capacity;
  if (capacity < 64) capacity = 64;
  int *candidates = nas_realloc(tape->candidates, old_count, capacity, sizeof *candidates);
  if (!candidates) return -1;
  tape->candidates = candidates;
  unsigned char *sets = nas_realloc(tape->chosen_sets, old_count, capacity, sizeof *sets);
  if (!sets) return -1;
  tape->chosen_sets = sets;
  tape->candidate_capacity = capacity;
  return 0;
}

/* Also without candidates there are arrays, into which such an anchor points. */
static int reserve_candidates(nas_tape *tape, int more) {
  if (reserve_sets(tape, more)) return -1;
  if (more == 0) return 0;
  if (grow_to(&tape->current, 1, tape->units) || grow_to(&tape->scores, more, 1)) return -1;
  /* At most NAS_TAPE_LENGTH_MAX times NAS_DECISION_COUNT_MAX, twice over: that is an int. */
  return grow_to(&tape->joint, (int)tape->candidate_capacity, tape->units);
}

int nas_tape_reserve(nas_tape *tape, int outcomes, int candidates) {
  if (reserve_steps(tape) || reserve_outcomes(tape, outcomes)) return -1;
  if (reserve_candidates(tape, candidates)) return -1;
  /* The value head needs a place, also after an anchor without candidates. */
  return reserve_row(&tape->logit_row, outcomes > 0 ? outcomes : 1);
}

int nas_tape_reserve_gradient(nas_tape *tape) {
  int u = tape->units;
  if (grow_to(&tape->d_cell, tape->layers, u)) return -1;
  if (tape->logit_row.data && reserve_row(&tape->d_logits, tape->logit_row.stride)) return -1;
  if (tape->scores.data &&
      (grow_to(&tape->d_joint, tape->scores.rows, u) || grow_to(&tape->d_current, 1, u)))
    return -1;
  if (tape->length <= tape->gradient_capacity) return 0;
  for (int l = 0; l < tape->layers; l++)
    if (grow_to(&tape->d_gates[l], tape->capacity, 4 * u)) return -1;
  if (grow_to(&tape->d_hidden, tape->capacity, u)) return -1;
  tape->gradient_capacity = tape->capacity;
  return 0;
}

/* ---- Reading ------------------------------------------------------------------------------ */

int nas_tape_length(const nas_tape *tape) {
  return tape->length;
}

double nas_tape_log_prob(const nas_tape *tape) {
  double sum = 0;
  for (int t = 0; t < tape->length; t++) sum = sum + tape->entries[t].log_prob;
  return sum;
}

double nas_tape_entropy(const nas_tape *tape) {
  double sum = 0;
  for (int t = 0; t < tape->length; t++) sum = sum + tape->entries[t].entropy;
  return sum;
}

nas_status nas_tape_step(const nas_tape *tape, int position, nas_policy_step *step,
                         nas_error *err) {
  if (position < 0 || position >= tape->length)
    return nas_fail(err, NAS_ARGUMENT, "decision %d of a tape that holds %d (the first is 0)",
                    position, tape->length);
  const nas_tape_entry *entry = &tape->entries[position];
  const nas_head *head = entry->head;
  int is_choice = head->kind == &nas_kind_choice, is_anchor = head->kind == &nas_kind_anchor;
  *step = (nas_policy_step){
      .decision = {.kind = head->kind->number,
                   .name = head->name,
                   .occurrence = entry->occurrence,
                   .options = is_choice ? head->options : NULL,
                   .count = entry->count,
                   .chosen = entry->chosen,
                   .candidates = is_anchor ? tape->candidates + entry->first_candidate : NULL,
                   .chosen_set = is_anchor ? tape->chosen_sets + entry->first_candidate : NULL},
      .log_prob = entry->log_prob,
      .entropy = entry->entropy,
      .outcomes = nas_tape_outcomes(entry),
      .probabilities = tape->probabilities + entry->first,
      .log_probabilities = tape->log_probabilities + entry->first};
  return NAS_OK;
}
