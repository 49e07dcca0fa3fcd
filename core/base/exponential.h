/* The exponential and what is made of it. Static inline only: translation units with different
 * instruction sets include this, and their compilers turn loops over it into vector code, lane by
 * lane, which changes no bit. So there are no branches, but choices between values that are there.
 *
 * Only +, -, *, / and integer operations, in the order written: no fma, nothing of libm but fabs
 * and copysign, which are exact. Polynomials are Taylor series, a term or two longer than minimax
 * polynomials would be; in return each coefficient can be checked by eye. Errors: nas/elementary.h.
 */
#ifndef NAS_EXPONENTIAL_H
#define NAS_EXPONENTIAL_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double");

#define INVERSE_LN2 0x1.71547652b82fep+0
#define LN2_HIGH    0x1.62e42fefa2p-1 /* 40 bits: times an exponent it is exact */
#define LN2_LOW     0x1.9ef35793c7673p-41

static inline uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* c[0] + x (c[1] + x (c[2] + ... )) */
#define POLYNOMIAL(x, c) polynomial((x), (c), (int)(sizeof(c) / sizeof *(c)))
static inline double polynomial(double x, const double *c, int count) {
  double sum = c[count - 1];
  for (int i = count - 2; i >= 0; i--) sum = c[i] + x * sum;
  return sum;
}

/* Pairs: two doubles that stand for their exact sum, low at most half an ulp of high. */

typedef struct pair {
  double high, low;
} pair;

/* a + b exactly, if |a| >= |b| or a is 0. */
static inline pair sum_ordered(double a, double b) {
  double high = a + b;
  return (pair){high, (a - high) + b};
}

/* a + b exactly (Knuth). */
static inline pair sum_exact(double a, double b) {
  double high = a + b;
  double part = high - a;
  return (pair){high, (a - (high - part)) + (b - part)};
}

/* a * b exactly (Dekker), while |a| and |b| are below 2^995 and nothing underflows. */
static inline pair product_exact(double a, double b) {
  double high = a * b;
  double a_scaled = a * 0x1.0000002p27, b_scaled = b * 0x1.0000002p27;
  double a_high = a_scaled - (a_scaled - a), a_low = a - a_high;
  double b_high = b_scaled - (b_scaled - b), b_low = b - b_high;
  double low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
  return (pair){high, low};
}

/* a / b, as a pair. */
static inline pair quotient(pair a, pair b) {
  double high = a.high / b.high;
  pair back = product_exact(high, b.high);
  double rest = ((a.high - back.high) - back.low) + (a.low - high * b.low);
  return sum_ordered(high, rest / b.high);
}

/* Exponential */

/* 2^k for -1022 <= k <= 1023; some number for other k. */
static inline double power_of_two(int k) {
  return of_bits((uint64_t)((int64_t)k + 1023) << 52);
}

/* m * 2^k for m around 1 and |k| below 2000, rounded once, also to subnormal numbers. */
static inline double scale(double m, int k) {
  return m * power_of_two(k / 2) * power_of_two(k - k / 2);
}

/* e^x = 2^k (1 + r + rest) with |r| <= ln(2)/2 and |rest| < 0.07. */
typedef struct exponential {
  double r, rest;
  int k;
} exponential;

/* 1/2! to 1/13! */
static const double inverse_factorials[] = {
    1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
    1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};

/* Of x.high + x.low. Beyond the limits the result overflows or underflows all the same. */
static inline exponential reduce(pair x) {
  double within = x.high < -746 ? -746 : x.high;
  within = within > 710 ? 710 : within;
  x.low = within != x.high ? 0 : x.low;
  x.high = within;
  /* Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits. */
  double shifted = x.high * INVERSE_LN2 + 0x1.8p52;
  double k = shifted - 0x1.8p52;
  pair r = sum_ordered(x.high - k * LN2_HIGH, x.low - k * LN2_LOW);
  double t = r.high;
  double square = t * t * POLYNOMIAL(t, inverse_factorials);
  return (exponential){t, square + (r.low + r.low * t), (int32_t)bits_of(shifted)};
}

/* 1 + r + rest */
static inline pair mantissa(exponential e) {
  pair one = sum_ordered(1, e.r);
  return sum_ordered(one.high, one.low + e.rest);
}

/* Below, _of names are the functions of nas/elementary.h, first those of double. */

static inline double exp_of(double x) {
  exponential e = reduce((pair){x, 0});
  return scale(mantissa(e).high, e.k);
}

/* tanh |x| = t / (t + 2) with t = e^(2|x|) - 1 */
static inline double tanh_of(double x) {
  double size = fabs(x);
  size = size > 22 ? 22 : size; /* 1 - tanh is below 2^-61 there */
  exponential e = reduce((pair){2 * size, 0});
  double factor = power_of_two(e.k);
  pair small = sum_ordered(e.r, e.rest);
  pair t = sum_ordered(factor - 1, factor * small.high);
  t.low += factor * small.low;
  pair below = sum_exact(2, t.high);
  below.low += t.low;
  return copysign(quotient(t, below).high, x);
}

/* z / (1 + z) with z = e^x for negative x, else 1 / (1 + z) with z = e^-x */
static inline double sigmoid_of(double x) {
  exponential e = reduce((pair){-fabs(x), 0});
  pair z = mantissa(e);
  pair below = sum_ordered(1, scale(z.high, e.k));
  below.low += scale(z.low, e.k);
  int negative = x < 0;
  pair above = {negative ? z.high : 1, negative ? z.low : 0};
  return scale(quotient(above, below).high, negative ? e.k : 0);
}

/* Results that are rounded to float need no pairs: relative errors below 2^-40 cost them
 * 0.0001 ulp. */

/* e^x = 2^k (1 + r) for |x| below 700, with |r| < 0.42; where k is 0, r is precise near 0, too. */
static inline double reduce_for_float(double x, int32_t *k) {
  double shifted = x * INVERSE_LN2 + 0x1.8p52;
  double whole = shifted - 0x1.8p52;
  double t = (x - whole * LN2_HIGH) - whole * LN2_LOW;
  *k = (int32_t)bits_of(shifted);
  return t + t * t * polynomial(t, inverse_factorials, 9); /* to 1/10! */
}

/* tanh |x| = t / (t + 2) with t = e^(2|x|) - 1; it rounds to 1 from 9.1 on. */
static inline float tanhf_of(float x) {
  int32_t k;
  double size = fabs((double)x);
  size = size > 10 ? 10 : size;
  double r = reduce_for_float(2 * size, &k), factor = power_of_two(k);
  double t = (factor - 1) + factor * r;
  return (float)copysign(t / (t + 2), (double)x);
}

/* z / (1 + z) with z = e^x for negative x, else 1 / (1 + z) with z = e^-x; e^-105 rounds to 0. */
static inline float sigmoidf_of(float x) {
  int32_t k;
  double size = fabs((double)x);
  size = size > 105 ? 105 : size;
  double r = reduce_for_float(-size, &k), factor = power_of_two(k);
  double z = factor + factor * r;
  return (float)((x < 0 ? z : 1) / (1 + z));
}

#endif
