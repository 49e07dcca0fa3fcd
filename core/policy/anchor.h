/* An anchor point (Zoph & Le 2017, sec. 3.3): which of some earlier anchors to connect to.
 *
 * h_t is the last layer's output at step t. For the anchor at step i and its candidate j, with the
 * matrices Wc (current), Wp (previous) and the vector v of the anchor's name:
 *
 *   e_j = tanh(h_i Wc + h_j Wp)   each element one chain of fma: 0, then h_i[0..u), then h_j[0..u)
 *   z_j = e_j v                   one chain of fma: 0, then e_j[0..u)
 *   s_j                           from z_j by temperature and tanh constant (softmax.h)
 *
 * float up to z_j. A candidate has two outcomes, not chosen and chosen, by the softmax of (0, s_j):
 * it is chosen with probability sigmoid(s_j), whatever becomes of the others. Sums over the
 * candidates of a step go in their order.
 *
 * The step after an anchor has, in the place of an option's vector, the mean of the h_j that were
 * chosen: their sum in the order of candidates from 0, divided by their number; zeros if none were.
 */
#ifndef NAS_ANCHOR_H
#define NAS_ANCHOR_H

#include "tape.h"

/* mean[u] of what was chosen at step t, an anchor. */
void nas_anchor_mean(const nas_tape *tape, int t, float *mean);

/* The gradient of that: adds d_mean[u], divided by the number of the chosen, to their rows of
 * tape->d_hidden. */
void nas_anchor_mean_gradient(nas_tape *tape, int t, const float *d_mean);

/* The sum of KL(sigmoid(s_j) || prior) over the candidates of step t; prior is inside (0, 1). */
double nas_anchor_divergence(const nas_tape *tape, int t, double prior);

#endif
