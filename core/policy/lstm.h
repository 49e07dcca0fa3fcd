/* The stack of LSTM layers (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
 * 2000; no peepholes).
 *
 * One step of one layer; x is its input, h' and c' are its output and cell of the step before
 * (zeros before the first). Arrays have u elements, a has 4u in the order i, f, g, o:
 *
 *   a = b + x Wi + h' Wh        each element one chain of fma: b, then x[0..u), then h'[0..u)
 *   i = sigmoid(a_i)   f = sigmoid(a_f + forget_bias)   g = tanh(a_g)   o = sigmoid(a_o)
 *   c = f c' + i g
 *   h = o tanh(c)
 *
 * All in float; products and sums outside the chains are rounded one by one, as written. The input
 * of the first layer is (option + name) + occurrence; after an anchor, the mean of what it chose
 * (anchor.h) stands in the place of the option.
 *
 * Back-propagation. The gradient of an output h of the last layer at step t is one sum in this
 * order: from the head of step t; from the value head; from the heads of later anchors that have t
 * as a candidate, the earliest first; from the means of what later anchors chose, the latest first;
 * and, as of every layer, from the step after. */
#ifndef NAS_LSTM_H
#define NAS_LSTM_H

#include "tape.h"

/* Fills input and layers of step t, whose entry names the vectors. */
void nas_lstm_forward(const nas_policy *policy, nas_tape *tape, int t);

/* From the gradient of the last layer's outputs in tape->d_hidden, adds the gradients of all
 * layers' blocks and of the vectors that entered. The transposed weights are up to date. */
void nas_lstm_gradient(const nas_policy *policy, nas_tape *tape, nas_policy_gradient *gradient);

#endif
