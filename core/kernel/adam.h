/* Adam's step of one element: all of the scalar table, and what is left after whole vectors. */
#ifndef NAS_ADAM_H
#define NAS_ADAM_H

#include <math.h>
#include <string.h>
#include "kernel.h"

static inline int adam_finite(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7f800000) != 0x7f800000;
}

/* The elements from `first` on. */
static int adam_elements(const nas_adam_factors *f, const float *g, nas_adam_arrays from,
                         nas_adam_arrays to, size_t first, size_t count) {
  int finite = 1;
  for (size_t i = first; i < count; i++) {
    float m = f->b1 * from.moment1[i] + f->a1 * g[i];
    float v = f->b2 * from.moment2[i] + f->a2 * (g[i] * g[i]);
    float value = from.value[i] - f->rate * m / (sqrtf(v) * f->scale + f->epsilon);
    to.value[i] = value;
    to.moment1[i] = m;
    to.moment2[i] = v;
    finite &= adam_finite(value) & adam_finite(m) & adam_finite(v);
  }
  return finite;
}

#endif
