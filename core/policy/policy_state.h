/* What the files of this module share of a policy. */
#ifndef NAS_POLICY_STATE_H
#define NAS_POLICY_STATE_H

#include <nas/policy.h>
#include "blocks.h"

enum { NAS_LAYERS_MAX = 8 };

typedef struct nas_layer {
  nas_block *input;  /* [u][4u] */
  nas_block *hidden; /* [u][4u] */
  nas_block *bias;   /* [1][4u] */
} nas_layer;

/* What belongs to a choice of one name and option list, or to the anchors of one name. */
typedef struct nas_head {
  char *name;
  char *options; /* "" of anchors: no option list has that text */
  int count;     /* of options; 0 of anchors, whose candidates differ from one to the next */
  const struct nas_kind *kind;
  int number;             /* order of appearance, from 0 */
  nas_block *name_vector; /* [1][u] */

  /* of a choice; NULL of anchors */
  nas_block *option; /* [n][u] */
  nas_block *weight; /* [u][n] */
  nas_block *bias;   /* [1][n] */

  /* of anchors; NULL of a choice */
  nas_block *previous; /* [u][u] */
  nas_block *current;  /* [u][u] */
  nas_block *vector;   /* [u][1] */
} nas_head;

struct nas_policy {
  uint64_t serial;  /* no two policies of a process have the same */
  uint64_t version; /* grows whenever a value changes; from 1 */
  uint64_t seed;
  nas_policy_options options;
  const nas_kernels *kernels;

  nas_blocks blocks;
  nas_layer layer[NAS_LAYERS_MAX];
  nas_block *start;        /* [1][u] */
  nas_head **heads;        /* sorted by name, then options */
  nas_block **occurrences; /* [1][u] each */
  int head_count, head_capacity;
  int occurrence_count, occurrence_capacity;

  uint64_t steps;
  double beta1_power; /* beta1^steps */
  double beta2_power; /* beta2^steps */

  /* Memory of nas_policy_learn and nas_policy_kl; made at their first use. */
  nas_tape *current_tape;
  nas_tape *initial_tape;
  nas_policy_gradient *gradient;
};

/* NAS_ARGUMENT for an option out of range. */
nas_status nas_policy_options_check(const nas_policy_options *options, nas_error *err);

/* What an operation that fails has to take back. */
typedef struct nas_policy_mark {
  int blocks, heads, occurrences;
} nas_policy_mark;

nas_policy_mark nas_policy_mark_now(const nas_policy *policy);
void nas_policy_roll_back(nas_policy *policy, nas_policy_mark mark);

/* NAS_ARGUMENT unless the text has 1 to `longest` bytes; `what` names it. */
nas_status nas_policy_check_text(const char *what, const char *text, int longest, nas_error *err);

/* The head of a decision, which appears if need be with its blocks; what is asked has passed the
 * check of its kind. NAS_ARGUMENT for a count that contradicts an earlier one; NAS_MEMORY. A caller
 * that fails later rolls back. */
nas_status nas_policy_require_head(nas_policy *policy, const nas_decision *asked, nas_head **head,
                                   nas_error *err);

/* The vector of the occurrence-th decision of a name, from 0. */
nas_status nas_policy_require_occurrence(nas_policy *policy, int occurrence, nas_block **block,
                                         nas_error *err);

/* Makes the policy's own two tapes if they are not there. NAS_MEMORY. */
nas_status nas_policy_require_tapes(nas_policy *policy, nas_error *err);

struct nas_policy_gradient {
  uint64_t serial; /* of its policy */
  nas_rows *sums;  /* by block number; those without memory are zero */
  int count;
};

/* Gives every block of the policy its sum. A step that may fail before any that changes a sum. */
nas_status nas_policy_gradient_reserve(nas_policy_gradient *gradient, const nas_policy *policy,
                                       nas_error *err);

/* Removes the sums of blocks with that number and above. */
void nas_policy_gradient_cut(nas_policy_gradient *gradient, int count);

static inline nas_rows *nas_gradient_of(const nas_policy_gradient *gradient,
                                        const nas_block *block) {
  return &gradient->sums[block->number];
}

#endif
