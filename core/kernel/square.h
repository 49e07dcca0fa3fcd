/* Sums of squares, in plain C: the same operations in the same order in every table. */
#ifndef NAS_SQUARE_H
#define NAS_SQUARE_H

#include "kernel.h"

static double square(const float *x, size_t count) {
  double chains[NAS_LANES] = {0};
  size_t whole = count - count % NAS_LANES;
  for (size_t i = 0; i < whole; i += NAS_LANES)
    for (int k = 0; k < NAS_LANES; k++) {
      double v = (double)x[i + (size_t)k];
      chains[k] += v * v;
    }
  for (size_t i = whole; i < count; i++) {
    double v = (double)x[i];
    chains[i - whole] += v * v;
  }
  for (int half = NAS_LANES / 2; half; half /= 2)
    for (int k = 0; k < half; k++) chains[k] += chains[k + half];
  return chains[0];
}

#endif
