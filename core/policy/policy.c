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
  nas_free(p->heads);
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

static void head_destroy(nas_head **head) {
  nas_head *c = *head;
  *head = NULL;
  if (!c) return;
  nas_free(c->name);
  nas_free(c->options);
  nas_free(c);
}

nas_policy_mark nas_policy_mark_now(const nas_policy *policy) {
  return (nas_policy_mark){.blocks = policy->blocks.count,
                           .heads = policy->head_count,
                           .occurrences = policy->occurrence_count};
}

void nas_policy_roll_back(nas_policy *policy, nas_policy_mark mark) {
  int kept = 0;
  for (int i = 0; i < policy->head_count; i++) {
    if (policy->heads[i]->number < mark.heads)
      policy->heads[kept++] = policy->heads[i];
    else
      head_destroy(&policy->heads[i]);
  }
  policy->head_count = kept;
  policy->occurrence_count = mark.occurrences;
  if (policy->gradient) nas_policy_gradient_cut(policy->gradient, mark.blocks);
  nas_blocks_roll_back(&policy->blocks, mark.blocks);
}

/* Where the head is, or would be. */
static int head_place(const nas_policy *policy, const char *name, const char *options, int *found) {
  int low = 0, high = policy->head_count;
  *found = 0;
  while (low < high) {
    int middle = low + (high - low) / 2;
    int order = strcmp(policy->heads[middle]->name, name);
    if (order == 0) order = strcmp(policy->heads[middle]->options, options);
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

nas_status nas_policy_check_text(const char *what, const char *text, int longest, nas_error *err) {
  size_t size = text ? strnlen(text, (size_t)longest + 1) : 0;
  if (size >= 1 && size <= (size_t)longest) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "%s of a decision has %s%d bytes; expected 1 to %d", what,
                  size ? "more than " : "", size ? longest : 0, longest);
}

static nas_status require_name_vector(nas_policy *policy, nas_head *head, nas_error *err) {
  nas_text key = {0};
  nas_text_add(&key, "name");
  nas_key_add(&key, head->name);
  nas_status status = key.failed
                          ? nas_fail_memory(err, "the key of a decision", key.size)
                          : nas_blocks_require(&policy->blocks, key.data, 1, policy->options.units,
                                               &head->name_vector, err);
  nas_text_clear(&key);
  return status;
}

static int heads_reserve(nas_policy *policy) {
  if (policy->head_count < policy->head_capacity) return 0;
  int capacity = policy->head_capacity ? 2 * policy->head_capacity : 16;
  nas_head **heads =
      nas_realloc(policy->heads, (size_t)policy->head_count, (size_t)capacity, sizeof(nas_head *));
  if (!heads) return -1;
  policy->heads = heads;
  policy->head_capacity = capacity;
  return 0;
}

static nas_status create_head(nas_policy *policy, const nas_kind *kind, const char *name,
                              const char *options, int count, nas_head **head, nas_error *err) {
  nas_status status;
  nas_head *c = nas_alloc_zero(1, sizeof *c);
  if (!c) return nas_fail_memory(err, "a decision", sizeof *c);
  c->kind = kind;
  c->count = count;
  c->number = policy->head_count;
  c->name = nas_strdup(name);
  c->options = nas_strdup(options);
  if (!c->name || !c->options || heads_reserve(policy)) {
    status = nas_fail_memory(err, "a decision", strlen(name) + strlen(options));
    goto fail;
  }
  if ((status = require_name_vector(policy, c, err))) goto fail;
  if ((status = kind->require(policy, c, err))) goto fail;
  *head = c;
  return NAS_OK;
fail:
  head_destroy(&c);
  return status;
}

nas_status nas_policy_require_head(nas_policy *policy, const nas_decision *asked, nas_head **head,
                                   nas_error *err) {
  nas_status status;
  const nas_kind *kind = nas_kind_of(asked->kind);
  int is_choice = asked->kind == NAS_DECISION_CHOICE;
  const char *name = asked->name, *options = is_choice ? asked->options : "";
  int count = is_choice ? asked->count : 0;
  int found, place = head_place(policy, name, options, &found);
  if (found) {
    *head = policy->heads[place];
    if ((*head)->count == count) return NAS_OK;
    return nas_fail(err, NAS_ARGUMENT,
                    "decision \"%s\" with options \"%.200s\" was a choice of %d before; now it is "
                    "one of %d",
                    name, options, (*head)->count, count);
  }
  nas_head *fresh = NULL;
  if ((status = create_head(policy, kind, name, options, count, &fresh, err))) return status;
  memmove(&policy->heads[place + 1], &policy->heads[place],
          (size_t)(policy->head_count - place) * sizeof(nas_head *));
  policy->heads[place] = fresh;
  policy->head_count++;
  *head = fresh;
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
