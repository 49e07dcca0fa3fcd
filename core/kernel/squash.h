/* The squashing functions of the LSTM, in plain C: lane by lane the operations of
 * base/exponential.h, which compilers turn into vectors, 16 numbers at a time. */
#ifndef NAS_SQUASH_H
#define NAS_SQUASH_H

#include "exponential.h"
#include "kernel.h"

static inline void sigmoid_row(float *x) {
  for (int i = 0; i < NAS_LANES; i++) x[i] = sigmoidf_of(x[i]);
}

static inline void tanh_row(float *x) {
  for (int i = 0; i < NAS_LANES; i++) x[i] = tanhf_of(x[i]);
}

static inline void squash(void (*row)(float *x), float *x, int count) {
  int i = 0;
  for (; i + NAS_LANES <= count; i += NAS_LANES) row(x + i);
  if (i == count) return;
  float last[NAS_LANES] = {0};
  memcpy(last, x + i, (size_t)(count - i) * sizeof *x);
  row(last);
  memcpy(x + i, last, (size_t)(count - i) * sizeof *x);
}

static void squash_sigmoid(float *x, int count) {
  squash(sigmoid_row, x, count);
}

static void squash_tanh(float *x, int count) {
  squash(tanh_row, x, count);
}

#endif
