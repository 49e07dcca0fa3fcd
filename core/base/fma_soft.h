/* a * b + c rounded once, for processors without the instruction. Static inline only: translation
 * units with different instruction sets include this. */
#ifndef NAS_FMA_SOFT_H
#define NAS_FMA_SOFT_H

#include <float.h>
#include <stdint.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double");

/* Equals fmaf for every input, but for the sign and payload of a NaN. No branches.
 *
 * The product of two floats is exact in double. The sum is rounded to odd: if it is not exact, of
 * its two neighbours in double the one with odd last bit is taken. Double has more than two bits
 * beyond those of a float, so that conversion rounds as it would round the exact sum. */
static inline float nas_soft_fmaf(float a, float b, float c) {
  double product = (double)a * (double)b;
  double sum = product + (double)c;
  double part = sum - product;
  double error =
      (product - (sum - part)) + ((double)c - part); /* TwoSum: NaN if sum is not finite */
  int64_t up = (error > 0) - (error < 0);
  int64_t outward = sum < 0 ? -up : up;
  int64_t bits;
  memcpy(&bits, &sum, sizeof bits);
  bits += outward & -(~bits & 1);
  memcpy(&sum, &bits, sizeof sum);
  return (float)sum;
}

#endif
