/* Kinds of decisions. Each is a constant table, so that none can be half-filled. */
#ifndef NAS_KIND_H
#define NAS_KIND_H

#include "tape.h"

/* Coefficients of one decision, summed (nas_coefficients). */
typedef struct nas_step_coefficients {
  double log_prob;
  double entropy;
  const double *option_log_probs; /* [count] or NULL */
} nas_step_coefficients;

typedef struct nas_kind {
  const char *name;
  nas_decision_kind number;

  /* The blocks of the kind's head, which appear if need be. */
  nas_status (*require)(nas_policy *policy, nas_choice *choice, nas_error *err);

  /* Fills the outcomes and the entropy of step t from the last layer's output. Returns 0, or -1
   * when a logit is not finite. */
  int (*forward)(const nas_policy *policy, nas_tape *tape, int t);

  /* An option from the outcomes of step t. */
  int (*sample)(const nas_tape *tape, int t, nas_stream *stream);

  /* Adds the gradient of the head's blocks, and that of the last layer's output to row t of
   * tape->d_hidden. */
  void (*gradient)(const nas_policy *policy, nas_tape *tape, int t,
                   const nas_step_coefficients *coefficients, nas_policy_gradient *gradient);

  /* Makes what `gradient` needs besides memory of the tape. 0, or -1 without memory. */
  int (*prepare_gradient)(const nas_policy *policy, const nas_choice *choice);
} nas_kind;

/* NULL for a number that is no kind's. */
const nas_kind *nas_kind_of(nas_decision_kind number);

extern const nas_kind nas_kind_choice;

#endif
