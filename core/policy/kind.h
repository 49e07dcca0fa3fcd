/* Kinds of decisions. Each is a constant table, so that none can be half-filled. */
#ifndef NAS_KIND_H
#define NAS_KIND_H

#include "tape.h"

/* Coefficients of one decision, summed (nas_coefficients). */
typedef struct nas_step_coefficients {
  double log_prob;
  double entropy;
  const double *option_log_probs; /* [outcomes] or NULL */
  double skip_weight;
  double skip_logit; /* log(prior / (1 - prior)) of the skip prior; of no meaning at weight 0 */
} nas_step_coefficients;

typedef struct nas_kind {
  const char *name;
  nas_decision_kind number;
  int outcomes; /* on the tape, for each of a decision's `count` */

  /* NAS_ARGUMENT unless *asked, of a good name, can be the tape's next decision, and says what is
   * chosen if it is `forced`. */
  nas_status (*check)(const nas_tape *tape, const nas_decision *asked, int forced, nas_error *err);

  /* The blocks of the kind's head, which appear if need be. */
  nas_status (*require)(nas_policy *policy, nas_head *head, nas_error *err);

  /* Fills the outcomes and the entropy of step t from the last layer's output. Returns 0, or -1
   * when a logit is not finite. */
  int (*forward)(const nas_policy *policy, nas_tape *tape, int t);

  /* What is chosen at step t: from its outcomes, or as asked. */
  void (*sample)(nas_tape *tape, int t, nas_stream *stream);
  void (*force)(nas_tape *tape, int t, const nas_decision *asked);

  /* log pi of what is chosen at step t. */
  double (*log_prob)(const nas_tape *tape, int t);

  /* Adds the gradient of the head's blocks. That of the last layer's output becomes row t of
   * tape->d_hidden; that of its earlier outputs is added to their rows. */
  void (*gradient)(const nas_policy *policy, nas_tape *tape, int t,
                   const nas_step_coefficients *coefficients, nas_policy_gradient *gradient);

  /* Makes what `gradient` needs besides memory of the tape. 0, or -1 without memory. */
  int (*prepare_gradient)(const nas_policy *policy, const nas_head *head);
} nas_kind;

/* NULL for a number that is no kind's. */
const nas_kind *nas_kind_of(nas_decision_kind number);

extern const nas_kind nas_kind_choice, nas_kind_anchor;

/* Outcomes of a step. */
static inline int nas_tape_outcomes(const nas_tape_entry *entry) {
  return entry->count * entry->head->kind->outcomes;
}

#endif
