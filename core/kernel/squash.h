/* The squashing functions of the LSTM, in plain C: lane by lane the operations of
 * base/exponential.h, which compilers turn into vectors. */
#ifndef NAS_SQUASH_H
#define NAS_SQUASH_H

#include "exponential.h"

static void squash_sigmoid(float *x, int count) {
  for (int i = 0; i < count; i++) x[i] = (float)sigmoid_of((double)x[i]);
}

static void squash_tanh(float *x, int count) {
  for (int i = 0; i < count; i++) x[i] = (float)tanh_of((double)x[i]);
}

#endif
