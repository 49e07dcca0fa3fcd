/* Only +, -, *, / and integer operations, in the order written: see exponential.h, which has what
 * the exponential is made of. */
#include <nas/elementary.h>
#include "exponential.h"
#include "fma_soft.h"

#define PI_HIGH 0x1.921fb54442d18p+1
#define PI_LOW  0x1.1a62633145c07p-53

static pair product(pair a, pair b) {
  pair p = product_exact(a.high, b.high);
  return sum_ordered(p.high, p.low + (a.high * b.low + a.low * b.high));
}

double nas_exp(double x) {
  return exp_of(x);
}

double nas_tanh(double x) {
  return tanh_of(x);
}

double nas_sigmoid(double x) {
  return sigmoid_of(x);
}

/* Logarithm */

/* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for positive finite x. */
static double reduce_log(double x, int *k) {
  int shift = 0;
  if (x < DBL_MIN) {
    x *= 0x1p54;
    shift = -54;
  }
  const uint64_t root = 0x3fe6a09e667f3bcd; /* bits of sqrt(1/2) */
  uint64_t above = bits_of(x) - root;
  *k = (int)((int64_t)above >> 52) + shift;
  return of_bits((above & 0xfffffffffffff) + root) - 1;
}

static const double two_thirds_on[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                       2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
static const double two_fifths_on[] = {2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13, 2.0 / 15,
                                       2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23, 2.0 / 25};

/* log(1 + f) = f - f^2/2 + s (f^2/2 + rest), where s = f / (2 + f) and
 * rest = log(1 + f) / s - 2 = 2/3 s^2 + 2/5 s^4 + ... */
double nas_log(double x) {
  if (!(x > 0) || x > DBL_MAX) return x == 0 ? -HUGE_VAL : x < 0 ? (double)NAN : x;
  int exponent;
  double f = reduce_log(x, &exponent);
  double k = exponent;
  double s = f / (2 + f);
  double z = s * s;
  double rest = z * POLYNOMIAL(z, two_thirds_on);
  double half = 0.5 * f * f;
  pair main = sum_ordered(f, -half);
  pair all = sum_ordered(k * LN2_HIGH, main.high);
  return all.high + (all.low + (main.low + (s * (half + rest) + k * LN2_LOW)));
}

/* log x for positive finite x with an error below 2^-64 of it:
 * s (2 + s^2 (2/3 + s^2 (2/5 + ...))), all but the last bracket in pairs. */
static pair log_pair(double x) {
  int exponent;
  double f = reduce_log(x, &exponent);
  double k = exponent;
  pair s = quotient((pair){f, 0}, sum_ordered(2, f));
  pair z = product(s, s);
  double series = POLYNOMIAL(z.high, two_fifths_on);
  pair inner = sum_ordered(0x1.5555555555555p-1, z.high * series); /* 2/3, and its low half */
  inner.low += 0x1.5555555555555p-55 + z.low * series;
  pair outer = product(z, inner);
  pair two = sum_ordered(2, outer.high);
  two.low += outer.low;
  pair main = product(s, two);
  pair all = sum_ordered(k * LN2_HIGH, main.high);
  return sum_ordered(all.high, all.low + (main.low + k * LN2_LOW));
}

/* Power */

/* 0: not an integer, 1: odd, 2: even */
static int parity(double y) {
  if (fabs(y) >= 0x1p53) return 2;
  int64_t n = (int64_t)y;
  if ((double)n != y) return 0;
  return n & 1 ? 1 : 2;
}

/* x^n for n >= 1: the product of x^(2^i) over the bits i of n, the lowest first. */
static double power_by_products(double x, int n) {
  while (n % 2 == 0) x *= x, n /= 2;
  double result = x;
  while (n /= 2) {
    x *= x;
    if (n % 2) result *= x;
  }
  return result;
}

/* x^y for positive finite x and finite y. */
static double power_by_log(double x, double y) {
  if (fabs(y) > 0x1p64) y = copysign(0x1p64, y); /* over- or underflows, unless x is 1 */
  pair log = log_pair(x);
  pair exponent = product_exact(log.high, y);
  exponent.low += log.low * y;
  exponential e = reduce(sum_ordered(exponent.high, exponent.low));
  return scale(mantissa(e).high, e.k);
}

/* x is 0 or infinite, or y is infinite; neither is NaN. */
static double power_special(double x, double y) {
  if (isinf(y) && fabs(x) == 1) return 1;
  int large = isinf(y) ? (fabs(x) > 1) == (y > 0) : isinf(x) ? y > 0 : y < 0;
  double size = large ? HUGE_VAL : 0;
  return parity(y) == 1 ? copysign(size, x) : size;
}

double nas_pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return x + y;
  if (x == 0 || isinf(x) || isinf(y)) return power_special(x, y);
  int kind = parity(y);
  if (x < 0 && kind == 0) return (double)NAN;
  if (kind && fabs(y) <= 64) {
    double power = power_by_products(x, (int)fabs(y));
    if (y > 0) return power;
    if (isnormal(power)) return 1 / power;
  }
  double size = power_by_log(fabs(x), y);
  return x < 0 && kind == 1 ? -size : size;
}

/* Cosine */

/* 1/4!, -1/6!, ..., -1/18! */
static const double cosine_terms[] = {1.0 / 24,
                                      -1.0 / 720,
                                      1.0 / 40320,
                                      -1.0 / 3628800,
                                      1.0 / 479001600,
                                      -1.0 / 87178291200,
                                      1.0 / 20922789888000.0,
                                      -1.0 / 6402373705728000.0};
/* -1/3!, 1/5!, ..., -1/17! */
static const double sine_terms[] = {-1.0 / 6,
                                    1.0 / 120,
                                    -1.0 / 5040,
                                    1.0 / 362880,
                                    -1.0 / 39916800,
                                    1.0 / 6227020800,
                                    -1.0 / 1307674368000.0,
                                    1.0 / 355687428096000.0};

/* pi x, for |x| <= 1/4 */
static pair times_pi(double x) {
  pair y = product_exact(x, PI_HIGH);
  return sum_ordered(y.high, y.low + x * PI_LOW);
}

/* cos y = 1 - y^2/2 + y^4 (1/4! - y^2/6! + ...), the first two terms in pairs. */
static double cosine(pair y) {
  pair square = product(y, y);
  double z = square.high;
  pair sum = sum_ordered(1, -0.5 * z);
  return sum.high + (sum.low + (z * z * POLYNOMIAL(z, cosine_terms) - 0.5 * square.low));
}

/* sin y = y + y^3 (-1/3! + y^2/5! - ...) */
static double sine(pair y) {
  double z = y.high * y.high;
  return y.high + (y.low * (1 - 0.5 * z) + y.high * z * POLYNOMIAL(z, sine_terms));
}

/* The differences are exact. */
double nas_cospi(double x) {
  if (!(x >= 0 && x <= 1)) return (double)NAN;
  if (x < 0.25) return cosine(times_pi(x));
  if (x <= 0.75) return sine(times_pi(0.5 - x));
  return -cosine(times_pi(1 - x));
}

/* Floats */

float nas_expf(float x) {
  return (float)nas_exp((double)x);
}

float nas_logf(float x) {
  return (float)nas_log((double)x);
}

float nas_tanhf(float x) {
  return tanhf_of(x);
}

float nas_sigmoidf(float x) {
  return sigmoidf_of(x);
}

float nas_fmaf(float a, float b, float c) {
  return nas_soft_fmaf(a, b, c);
}
