/* Policies: creation, what appears in them, and the steps of an episode. */
#include "policy_state.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>
#include "kind.h"
#include "lstm.h"

/* ---- Creation ----------------------------------------------------------------------------- */

static nas_status create_layer(nas_policy *policy, int l, nas_error *err) {
  int u = policy->options.units;
  nas_layer *layer = &policy->layer[l];
  char key[32];
  snprintf(key, sizeof key, "lstm/%d/input", l + 1);
  nas_status status = nas_blocks_require(&policy->blocks, key, u, 4 * u, &layer->input, err);
  if (status) return status;
  snprintf(key, sizeof key, "lstm/%d/hidden", l + 1);
  status = nas_blocks_require(&policy->blocks, key, u, 4 * u, &layer->hidden, err);
  if (status) return status;
  snprintf(key, sizeof key, "lstm/%d/bias", l + 1);
  return nas_blocks_require(&policy->blocks, key, 1, 4 * u, &layer->bias, err);
}

nas_status nas_policy_create(nas_policy **policy, const nas_policy_options *options, uint64_t seed,
                             nas_error *err) {
  static _Atomic uint64_t last_serial;
  nas_policy_options preset;
  nas_status status;
  *policy = NULL;
  nas_policy_options_default(&preset);
  if (!options) options = &preset;
  if ((status = nas_policy_options_check(options, err))) return status;
  const nas_kernels *kernels;
  if ((status = nas_kernels_default(&kernels, err))) return status;

  nas_policy *p = nas_alloc_zero(1, sizeof *p);
  if (!p) return nas_fail_memory(err, "a policy", sizeof *p);
  p->serial = atomic_fetch_add(&last_serial, 1) + 1;
  p->version = 1;
  p->seed = seed;
  p->options = *options;
  p->kernels = kernels;
  p->blocks.seed = seed;
  p->blocks.init = options->init;
  p->beta1_power = p->beta2_power = 1;
  for (int l = 0; l < options->layers; l++)
    if ((status = create_layer(p, l, err))) goto fail;
  status = nas_blocks_require(&p->blocks, "start", 1, options->units, &p->start, err);
  if (status) goto fail;
  *policy = p;
  return NAS_OK;
fail:
  nas_policy_destroy(&p);
  return status;
}

void nas_policy_destroy(nas_policy **policy) {
  nas_policy *p = policy ? *policy : NULL;
  if (!p) return;
  *policy = NULL;
  nas_tape_destroy(&p->current_tape);
  nas_tape_destroy(&p->initial_tape);
  nas_policy_gradient_destroy(&p->gradient);
  nas_policy_roll_back(p, (nas_policy_mark){0});
  nas_blocks_clear(&p->blocks);
  nas_free(p->choices);
  nas_free(p->occurrences);
  nas_free(p);
}

const nas_policy_options *nas_policy_options_of(const nas_policy *policy) {
  return &policy->options;
}

uint64_t nas_policy_seed(const nas_policy *policy) {
  return policy->seed;
}

uint64_t nas_policy_steps(const nas_policy *policy) {
  return policy->steps;
}

/* ---- What appears ------------------------------------------------------------------------- */

static void choice_destroy(nas_choice **choice) {
  nas_choice *c = *choice;
  *choice = NULL;
  if (!c) return;
  nas_free(c->name);
  nas_free(c->options);
  nas_free(c);
}

nas_policy_mark nas_policy_mark_now(const nas_policy *policy) {
  return (nas_policy_mark){.blocks = policy->blocks.count,
                           .choices = policy->choice_count,
                           .occurrences = policy->occurrence_count};
}

void nas_policy_roll_back(nas_policy *policy, nas_policy_mark mark) {
  int kept = 0;
  for (int i = 0; i < policy->choice_count; i++) {
    if (policy->choices[i]->number < mark.choices)
      policy->choices[kept++] = policy->choices[i];
    else
      choice_destroy(&policy->choices[i]);
  }
  policy->choice_count = kept;
  policy->occurrence_count = mark.occurrences;
  if (policy->gradient) nas_policy_gradient_cut(policy->gradient, mark.blocks);
  nas_blocks_roll_back(&policy->blocks, mark.blocks);
}

/* Where the choice is, or would be. */
static int choice_place(const nas_policy *policy, const char *name, const char *options,
                        int *found) {
  int low = 0, high = policy->choice_count;
  *found = 0;
  while (low < high) {
    int middle = low + (high - low) / 2;
    int order = strcmp(policy->choices[middle]->name, name);
    if (order == 0) order = strcmp(policy->choices[middle]->options, options);
    if (order == 0) {
      *found = 1;
      return middle;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static nas_status check_text(const char *what, const char *text, int longest, nas_error *err) {
  size_t size = text ? strnlen(text, (size_t)longest + 1) : 0;
  if (size >= 1 && size <= (size_t)longest) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "%s of a decision has %s%d bytes; expected 1 to %d", what,
                  size ? "more than " : "", size ? longest : 0, longest);
}

static nas_status check_choice(const char *name, const char *options, int count, nas_error *err) {
  nas_status status = check_text("the name", name, NAS_DECISION_NAME_MAX, err);
  if (status) return status;
  status = check_text("the option text", options, NAS_DECISION_OPTIONS_MAX, err);
  if (status) return status;
  if (count >= 1 && count <= NAS_DECISION_COUNT_MAX) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "decision \"%s\" has %d options; expected 1 to %d", name,
                  count, (int)NAS_DECISION_COUNT_MAX);
}

static nas_status require_vectors(nas_policy *policy, nas_choice *choice, nas_error *err) {
  int u = policy->options.units;
  nas_text name = {0}, option = {0};
  nas_status status;
  nas_text_add(&name, "name");
  nas_key_add(&name, choice->name);
  nas_text_add(&option, "option");
  nas_key_add(&option, choice->name);
  nas_key_add(&option, choice->options);
  if (name.failed || option.failed) {
    status = nas_fail_memory(err, "the key of a decision", name.size + option.size);
    goto done;
  }
  status = nas_blocks_require(&policy->blocks, name.data, 1, u, &choice->name_vector, err);
  if (status) goto done;
  status = nas_blocks_require(&policy->blocks, option.data, choice->count, u, &choice->option, err);
done:
  nas_text_clear(&name);
  nas_text_clear(&option);
  return status;
}

static int choices_reserve(nas_policy *policy) {
  if (policy->choice_count < policy->choice_capacity) return 0;
  int capacity = policy->choice_capacity ? 2 * policy->choice_capacity : 16;
  nas_choice **choices = nas_realloc(policy->choices, (size_t)policy->choice_count,
                                     (size_t)capacity, sizeof(nas_choice *));
  if (!choices) return -1;
  policy->choices = choices;
  policy->choice_capacity = capacity;
  return 0;
}

static nas_status create_choice(nas_policy *policy, const nas_kind *kind, const char *name,
                                const char *options, int count, nas_choice **choice,
                                nas_error *err) {
  nas_status status;
  nas_choice *c = nas_alloc_zero(1, sizeof *c);
  if (!c) return nas_fail_memory(err, "a decision", sizeof *c);
  c->kind = kind;
  c->count = count;
  c->number = policy->choice_count;
  c->name = nas_strdup(name);
  c->options = nas_strdup(options);
  if (!c->name || !c->options || choices_reserve(policy)) {
    status = nas_fail_memory(err, "a decision", strlen(name) + strlen(options));
    goto fail;
  }
  if ((status = require_vectors(policy, c, err))) goto fail;
  if ((status = kind->require(policy, c, err))) goto fail;
  *choice = c;
  return NAS_OK;
fail:
  choice_destroy(&c);
  return status;
}

nas_status nas_policy_require_choice(nas_policy *policy, nas_decision_kind kind_number,
                                     const char *name, const char *options, int count,
                                     nas_choice **choice, nas_error *err) {
  const nas_kind *kind = nas_kind_of(kind_number);
  if (!kind)
    return nas_fail(err, NAS_ARGUMENT, "kind of a decision is %d; expected %d (choice)",
                    (int)kind_number, (int)NAS_DECISION_CHOICE);
  nas_status status = check_choice(name, options, count, err);
  if (status) return status;
  int found, place = choice_place(policy, name, options, &found);
  if (found) {
    *choice = policy->choices[place];
    if ((*choice)->kind == kind && (*choice)->count == count) return NAS_OK;
    return nas_fail(err, NAS_ARGUMENT,
                    "decision \"%s\" with options \"%.200s\" was a %s of %d before; now it is a "
                    "%s of %d",
                    name, options, (*choice)->kind->name, (*choice)->count, kind->name, count);
  }
  nas_choice *fresh = NULL;
  if ((status = create_choice(policy, kind, name, options, count, &fresh, err))) return status;
  memmove(&policy->choices[place + 1], &policy->choices[place],
          (size_t)(policy->choice_count - place) * sizeof(nas_choice *));
  policy->choices[place] = fresh;
  policy->choice_count++;
  *choice = fresh;
  return NAS_OK;
}

nas_status nas_policy_require_occurrence(nas_policy *policy, int occurrence, nas_block **block,
                                         nas_error *err) {
  if (occurrence < policy->occurrence_count) {
    *block = policy->occurrences[occurrence];
    return NAS_OK;
  }
  /* A name's occurrences come one by one, so this is the next one. */
  if (policy->occurrence_count == policy->occurrence_capacity) {
    int capacity = policy->occurrence_capacity ? 2 * policy->occurrence_capacity : 16;
    nas_block **occurrences = nas_realloc(policy->occurrences, (size_t)policy->occurrence_count,
                                          (size_t)capacity, sizeof(nas_block *));
    if (!occurrences)
      return nas_fail_memory(err, "occurrences", (size_t)capacity * sizeof(nas_block *));
    policy->occurrences = occurrences;
    policy->occurrence_capacity = capacity;
  }
  char key[32];
  snprintf(key, sizeof key, "occurrence/%d", occurrence);
  nas_status status =
      nas_blocks_require(&policy->blocks, key, 1, policy->options.units, block, err);
  if (status) return status;
  policy->occurrences[policy->occurrence_count++] = *block;
  return NAS_OK;
}
