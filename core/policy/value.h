/* The value head: what an episode is expected to bring, said before each of its decisions.
 *
 *   V_t = b + h_t w        float, one chain of fma: b, then h_t[0..u)
 *
 * h_t is the last layer's output, from which the head of decision t makes its logits: it knows
 * which decision is asked and what was chosen before, so V_t is a baseline that leaves the gradient
 * of log pi(chosen_t) unbiased. */
#ifndef NAS_VALUE_H
#define NAS_VALUE_H

#include "tape.h"

typedef struct nas_value_head {
  nas_block *weight; /* [u][1] */
  nas_block *bias;   /* [1][1] */
} nas_value_head;

/* The head's blocks, which appear if need be. NAS_MEMORY; a caller that fails rolls back. */
nas_status nas_value_require(nas_policy *policy, nas_value_head *head, nas_error *err);

/* *value receives V_t. NAS_DIVERGED when it is not finite. */
nas_status nas_value_forward(const nas_policy *policy, const nas_value_head *head, nas_tape *tape,
                             int t, double *value, nas_error *err);

/* Adds the gradient of coefficient * V_t: of the head's blocks, and to what the decision's own head
 * has written to row t of tape->d_hidden. The transposed weight is up to date. */
void nas_value_gradient(const nas_policy *policy, const nas_value_head *head, nas_tape *tape, int t,
                        double coefficient, nas_policy_gradient *gradient);

#endif
