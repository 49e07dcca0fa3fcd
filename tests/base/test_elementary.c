#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <check.h>
#include <nas/elementary.h>
#include <nas/hash.h>
#include <nas/random.h>
#include "fma_soft.h"

/* Bits */

static double of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Both NaN, or equal bit for bit. */
static int same(double a, double b) {
  return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

#define check_same(a, b) check_same_at((a), (b), __FILE__, __LINE__)
static void check_same_at(double a, double b, const char *file, int line) {
  if (same(a, b)) return;
  print_error("%.17g (%a) is not %.17g (%a)\n", a, a, b, b);
  _fail(file, line);
}

/* Errors. libm in long double is the reference where that is wider than double, also at run time:
 * valgrind computes it in double. */

static int reference_is_better(void) {
  volatile long double one = 1, small = 0x1p-60L;
  return one + small != one;
}

/* |got - want| in units of the last place that a number of want's size has with `digits` bits and
 * the smallest exponent `lowest`; huge where one of them is special and the other is not the same.
 */
static double error_in_units(double got, long double want, int digits, int lowest) {
  if (isnan(want)) return isnan(got) ? 0 : HUGE_VAL;
  long double most = ldexpl(1 - ldexpl(0.5L, digits), digits == DBL_MANT_DIG ? 1024 : 128);
  if (isinf(got)) return !signbit(want) == !signbit(got) && fabsl(want) >= most ? 0.5 : HUGE_VAL;
  if (want == 0) return got == 0 ? 0 : HUGE_VAL;
  int exponent;
  (void)frexpl(want, &exponent);
  if (exponent < lowest) exponent = lowest;
  return (double)ldexpl(fabsl((long double)got - want), digits - exponent);
}

static double double_error(double got, long double want) {
  return error_in_units(got, want, DBL_MANT_DIG, DBL_MIN_EXP);
}

static double float_error(float got, long double want) {
  return error_in_units((double)got, want, FLT_MANT_DIG, FLT_MIN_EXP);
}

static long double sigmoid_reference(long double x) {
  return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static double between(nas_stream *stream, double from, double to) {
  return from + (to - from) * nas_stream_double(stream);
}

/* How samples spread over [from, to]. */
enum {
  EVEN,     /* evenly */
  POWERS,   /* 2^u, u even over it */
  NEGATIVE, /* -2^u */
  ABOUT_1,  /* 1 + 2^u and 1 - 2^u */
};

static double sample(nas_stream *stream, int spread, double from, double to) {
  double u = between(stream, from, to);
  switch (spread) {
  case POWERS: return exp2(u);
  case NEGATIVE: return -exp2(u);
  case ABOUT_1: return nas_stream_below(stream, 2) ? 1 + exp2(u) : 1 - exp2(u);
  default: return u;
  }
}

/* Error bounds of the header. */
static const struct {
  const char *name;
  double (*ours)(double);
  float (*floats)(float);
  long double (*reference)(long double);
  double bound;
  int spread;
  double from, to;
} ranges[] = {
    {"exp", nas_exp, nas_expf, expl, 0.8, EVEN, -1, 1},
    {"exp", nas_exp, nas_expf, expl, 0.8, EVEN, -110, 90},
    {"exp", nas_exp, nas_expf, expl, 0.8, EVEN, -708, 710},
    {"exp, subnormal", nas_exp, nas_expf, expl, 0.8, EVEN, -745.5, -708},
    {"exp", nas_exp, nas_expf, expl, 0.8, POWERS, -1074, 0},
    {"exp", nas_exp, nas_expf, expl, 0.8, NEGATIVE, -1074, 0},
    {"log", nas_log, nas_logf, logl, 0.8, POWERS, -1074, 1024},
    {"log", nas_log, nas_logf, logl, 0.8, POWERS, -149, 128},
    {"log", nas_log, nas_logf, logl, 0.8, EVEN, 0.5, 2},
    {"log about 1", nas_log, nas_logf, logl, 0.8, ABOUT_1, -53, -1},
    {"tanh", nas_tanh, nas_tanhf, tanhl, 0.85, EVEN, -1, 1},
    {"tanh", nas_tanh, nas_tanhf, tanhl, 0.85, EVEN, -23, 23},
    {"tanh", nas_tanh, nas_tanhf, tanhl, 0.85, POWERS, -1074, 3},
    {"tanh", nas_tanh, nas_tanhf, tanhl, 0.85, NEGATIVE, -1074, 3},
    {"sigmoid", nas_sigmoid, nas_sigmoidf, sigmoid_reference, 0.8, EVEN, -4, 4},
    {"sigmoid", nas_sigmoid, nas_sigmoidf, sigmoid_reference, 0.8, EVEN, -708, 40},
    {"sigmoid, subnormal", nas_sigmoid, nas_sigmoidf, sigmoid_reference, 0.8, EVEN, -745.5, -708},
    {"sigmoid", nas_sigmoid, nas_sigmoidf, sigmoid_reference, 0.8, POWERS, -1074, 6},
    {"sigmoid", nas_sigmoid, nas_sigmoidf, sigmoid_reference, 0.8, NEGATIVE, -1074, 6},
};

#define RANGES (sizeof ranges / sizeof *ranges)

static void errors_of_doubles(void **state) {
  (void)state;
  if (!reference_is_better()) check_skip("long double is not wider than double");
  for (size_t r = 0; r < RANGES; r++) {
    nas_stream stream = nas_stream_open(1, ranges[r].name, &(uint64_t){r}, 1);
    double worst = 0, at = 0;
    for (int i = 0; i < 300000; i++) {
      double x = sample(&stream, ranges[r].spread, ranges[r].from, ranges[r].to);
      double error = double_error(ranges[r].ours(x), ranges[r].reference((long double)x));
      if (error > worst) worst = error, at = x;
    }
    print_message("# %s in %g .. %g: %.3f ulp at %a\n", ranges[r].name, ranges[r].from,
                  ranges[r].to, worst, at);
    assert_true(worst < ranges[r].bound);
    assert_true(worst > 0.45); /* else the measurement is broken */
  }
}

static void errors_of_floats(void **state) {
  (void)state;
  for (size_t r = 0; r < RANGES; r++) {
    nas_stream stream = nas_stream_open(2, ranges[r].name, &(uint64_t){r}, 1);
    for (int i = 0; i < 100000; i++) {
      float x = (float)sample(&stream, ranges[r].spread, ranges[r].from, ranges[r].to);
      double error = float_error(ranges[r].floats(x), ranges[r].reference((long double)x));
      if (error < 0.5001) continue;
      print_error("%sf(%a) is off by %.5f ulp\n", ranges[r].name, (double)x, error);
      fail();
    }
  }
}

/* Special values */

static void special_values_of_exp(void **state) {
  (void)state;
  check_same(nas_exp(0), 1);
  check_same(nas_exp(-0.0), 1);
  check_same(nas_exp(DBL_TRUE_MIN), 1);
  check_same(nas_exp(HUGE_VAL), HUGE_VAL);
  check_same(nas_exp(-HUGE_VAL), 0);
  check_same(nas_exp(DBL_MAX), HUGE_VAL);
  check_same(nas_exp(-DBL_MAX), 0);
  check_same(nas_exp(0x1.62e42fefa39f0p+9), HUGE_VAL);
  assert_true(nas_exp(0x1.62e42fefa39efp+9) < HUGE_VAL);
  check_same(nas_exp(-0x1.74910d52d3051p+9), DBL_TRUE_MIN);
  check_same(nas_exp(-0x1.74910d52d3052p+9), 0);
  assert_true(isnan(nas_exp((double)NAN)));
  assert_true(isnan(nas_exp(of_bits(UINT64_MAX))));
  assert_true(isnan(nas_exp(of_bits(0x7ff000007fffffff))));
}

static void special_values_of_log(void **state) {
  (void)state;
  check_same(nas_log(1), 0);
  check_same(nas_log(0), -HUGE_VAL);
  check_same(nas_log(-0.0), -HUGE_VAL);
  check_same(nas_log(HUGE_VAL), HUGE_VAL);
  check_same(nas_log(2), 0x1.62e42fefa39efp-1);
  check_same(nas_log(DBL_TRUE_MIN), -0x1.74385446d71c3p+9);
  assert_true(isnan(nas_log(-DBL_TRUE_MIN)));
  assert_true(isnan(nas_log(-1)));
  assert_true(isnan(nas_log(-HUGE_VAL)));
  assert_true(isnan(nas_log((double)NAN)));
}

static void special_values_of_tanh(void **state) {
  (void)state;
  check_same(nas_tanh(0), 0);
  check_same(nas_tanh(-0.0), -0.0);
  check_same(nas_tanh(HUGE_VAL), 1);
  check_same(nas_tanh(-HUGE_VAL), -1);
  check_same(nas_tanh(-DBL_MAX), -1);
  check_same(nas_tanh(DBL_TRUE_MIN), DBL_TRUE_MIN);
  check_same(nas_tanh(-DBL_MIN), -DBL_MIN);
  check_same(nas_tanh(0x1p-30), 0x1p-30);
  assert_true(isnan(nas_tanh((double)NAN)));
  assert_true(isnan(nas_tanh(of_bits(UINT64_MAX))));
  nas_stream stream = nas_stream_open(3, "odd", NULL, 0);
  for (int i = 0; i < 10000; i++) {
    double x = between(&stream, 0, 25);
    check_same(nas_tanh(-x), -nas_tanh(x));
  }
}

static void special_values_of_sigmoid(void **state) {
  (void)state;
  check_same(nas_sigmoid(0), 0.5);
  check_same(nas_sigmoid(-0.0), 0.5);
  check_same(nas_sigmoid(HUGE_VAL), 1);
  check_same(nas_sigmoid(-HUGE_VAL), 0);
  check_same(nas_sigmoid(DBL_MAX), 1);
  check_same(nas_sigmoid(-DBL_MAX), 0);
  check_same(nas_sigmoid(-745.1), DBL_TRUE_MIN);
  assert_true(isnan(nas_sigmoid((double)NAN)));
}

static void special_values_of_floats(void **state) {
  (void)state;
  check_float_bits(nas_expf(89), HUGE_VALF);
  check_float_bits(nas_expf(-104), 0);
  check_float_bits(nas_expf(-103), FLT_TRUE_MIN);
  check_float_bits(nas_logf(0), -HUGE_VALF);
  check_float_bits(nas_logf(1), 0);
  check_float_bits(nas_tanhf(-0.0f), -0.0f);
  check_float_bits(nas_tanhf(-10), -1);
  check_float_bits(nas_sigmoidf(20), 1);
  assert_true(isnan(nas_expf(NAN)) && isnan(nas_logf(-1)) && isnan(nas_tanhf(NAN)));
}

/* Power */

/* Against libm, which follows Annex F of the standard: the same special results, and finite ones
 * near enough to tell a wrong sign or a wrong branch. */
static void powers_of_special_values(void **state) {
  (void)state;
  const double values[] = {0,
                           0.25,
                           0.5,
                           0.9999,
                           1,
                           1 + DBL_EPSILON,
                           1.5,
                           2,
                           3,
                           63,
                           64,
                           65,
                           66,
                           1e10,
                           1e300,
                           0x1p52,
                           0x1p53 - 1,
                           0x1p53,
                           0x1p53 + 2,
                           1e-5,
                           DBL_MAX,
                           1e-300,
                           DBL_TRUE_MIN,
                           0x1.8p51,
                           HUGE_VAL,
                           (double)NAN};
  const int count = (int)(sizeof values / sizeof *values);
  for (int i = 0; i < 4 * count * count; i++) {
    double x = i & 1 ? -values[i / 4 % count] : values[i / 4 % count];
    double y = i & 2 ? -values[i / 4 / count] : values[i / 4 / count];
    double got = nas_pow(x, y), want = pow(x, y);
    if (same(got, want) || double_error(got, (long double)want) <= 64) continue;
    print_error("pow(%a, %a) gave %a and not %a\n", x, y, got, want);
    fail();
  }
}

static void powers_by_multiplication(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(4, "power", NULL, 0);
  for (int i = 0; i < 10000; i++) {
    double x = between(&stream, -3, 3), x2 = x * x, x4 = x2 * x2;
    check_same(nas_pow(x, 1), x);
    check_same(nas_pow(x, 2), x2);
    check_same(nas_pow(x, 3), x * x2);
    check_same(nas_pow(x, 7), (x * x2) * x4);
    check_same(nas_pow(x, 12), x4 * (x4 * x4));
    check_same(nas_pow(x, -1), 1 / x);
    check_same(nas_pow(x, -5), 1 / (x * x4));
  }
}

static void errors_of_integer_powers(void **state) {
  (void)state;
  if (!reference_is_better()) check_skip("long double is not wider than double");
  nas_stream stream = nas_stream_open(5, "power", NULL, 0);
  double worst = 0;
  for (int n = -64; n <= 64; n++) {
    double limit = n ? 1080.0 / n : 1024;
    for (int i = 0; i < 5000; i++) {
      double x = exp2(fmax(-1074, fmin(1024, between(&stream, -limit, limit))));
      double error = double_error(nas_pow(x, n), powl((long double)x, n));
      assert_true(error < fmax(1, abs(n)));
      if (n == 2) assert_true(error <= 0.5);
      if (error > worst) worst = error;
    }
  }
  print_message("# x^n: %.1f ulp\n", worst);
}

static void errors_of_other_powers(void **state) {
  (void)state;
  if (!reference_is_better()) check_skip("long double is not wider than double");
  nas_stream stream = nas_stream_open(6, "power", NULL, 0);
  double worst = 0;
  for (int i = 0; i < 900000; i++) {
    double x = sample(&stream, i % 3 ? ABOUT_1 : POWERS, i % 3 ? -53 : -1074, i % 3 ? -1 : 1024);
    double y = between(&stream, -1080, 1080) / log2(x);
    if (i % 3 == 2) y /= 1000;
    if (rint(y) == y && fabs(y) <= 64) continue;
    double error = double_error(nas_pow(x, y), powl((long double)x, (long double)y));
    if (error > worst) worst = error;
  }
  print_message("# x^y: %.3f ulp\n", worst);
  assert_true(worst < 0.85 && worst > 0.45);
}

/* 1 / product would be 0 or have lost bits here. */
static void negative_powers_outside_the_normal_range(void **state) {
  (void)state;
  check_same(nas_pow(0x1p17, -60), 0x1p-1020);
  check_same(nas_pow(0x1p+515, -2), 0x1p-1030);
  check_same(nas_pow(-0x1p+343, -3), -0x1p-1029);
  check_same(nas_pow(0x1p-511, -2), 0x1p1022);
  check_same(nas_pow(0x1p-512, -2), HUGE_VAL);
}

/* Cosine of pi x */

static long double cospi_reference(long double x) {
  const long double pi = 3.14159265358979323846264338327950288L;
  if (x < 0.25L) return cosl(pi * x);
  return x <= 0.75L ? sinl(pi * (0.5L - x)) : -cosl(pi * (1 - x));
}

/* x in [0, 1]: evenly spread, or ever closer to one of 0, 1/4, 1/2, 3/4 and 1. */
static double cospi_argument(nas_stream *stream, int i) {
  double u = nas_stream_double(stream);
  if (i % 2) return u;
  double x = nas_stream_below(stream, 5) * 0.25 + between(stream, -1, 1) * exp2(-60 * u);
  return x < 0 ? -x : x > 1 ? 2 - x : x;
}

static void errors_of_cospi(void **state) {
  (void)state;
  if (!reference_is_better()) check_skip("long double is not wider than double");
  nas_stream stream = nas_stream_open(13, "cospi", NULL, 0);
  double worst = 0, at = 0;
  for (int i = 0; i < 1000000; i++) {
    double x = cospi_argument(&stream, i);
    double error = double_error(nas_cospi(x), cospi_reference((long double)x));
    if (error > worst) worst = error, at = x;
  }
  print_message("# cospi: %.3f ulp at %a\n", worst, at);
  assert_true(worst < 0.85 && worst > 0.45);
}

static void special_values_of_cospi(void **state) {
  (void)state;
  check_same(nas_cospi(0), 1);
  check_same(nas_cospi(-0.0), 1);
  check_same(nas_cospi(0.5), 0);
  check_same(nas_cospi(1), -1);
  check_same(nas_cospi(0.25), 0x1.6a09e667f3bcdp-1); /* the root of 1/2, rounded */
  check_same(nas_cospi(0.75), -0x1.6a09e667f3bcdp-1);
  check_same(nas_cospi(DBL_TRUE_MIN), 1);
  assert_true(isnan(nas_cospi(-DBL_TRUE_MIN)) && isnan(nas_cospi(1 + DBL_EPSILON)));
  assert_true(isnan(nas_cospi(HUGE_VAL)) && isnan(nas_cospi(-HUGE_VAL)));
  assert_true(isnan(nas_cospi((double)NAN)));
}

/* It falls all the way, without a step back where the parts meet. */
static void cospi_falls(void **state) {
  (void)state;
  for (int part = 1; part <= 3; part++) {
    double x = 0.25 * part - 2000 * 0x1p-53, before = nas_cospi(x);
    while (x < 0.25 * part + 2000 * 0x1p-53) {
      double now = nas_cospi(x = nextafter(x, 1));
      assert_true(now <= before);
      before = now;
    }
  }
  nas_stream stream = nas_stream_open(14, "cospi", NULL, 0);
  for (int i = 0; i < 10000; i++) {
    double x = between(&stream, 0.5, 1); /* 1 - x is exact */
    check_same(nas_cospi(1 - x), -nas_cospi(x));
  }
}

/* The golden digests of the results for a fixed set of arguments: they change when any bit does,
 * and hold for every compiler and processor. A change raises NAS_NUMERIC_VERSION. */
static void golden_digests(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  static const char *const golden[] = {
      "0d4bad8778d356fa81f1a5bf1863ead6", "f84ec122361b6ae6bd3fca97bb1ca2b8",
      "830556af2c228b9042cafef03e97ee70", "c72b9777360488aca715b6d22a4b7bfe",
      "2b15d58e4c891c5fafbf92f79eaf1619", "4b9e4e511ec11d6836b16320bb8c05cf"};
  static double results[6][COUNT];
  nas_stream stream = nas_stream_open(7, "golden", NULL, 0);
  for (int i = 0; i < COUNT; i++) {
    double u = nas_stream_double(&stream), v = nas_stream_double(&stream);
    results[0][i] = nas_exp((u - 0.5) * 1500);
    results[1][i] = nas_log(i % 2 ? u * 3 : of_bits((uint64_t)(u * 0x1p62)));
    results[2][i] = nas_tanh((u - 0.5) * 10 * v);
    results[3][i] = nas_sigmoid((u - 0.6) * 1200 * v);
    results[4][i] = nas_pow(u * 2, (v - 0.5) * (i % 2 ? 10 : 1000));
    results[5][i] = nas_cospi(u);
  }
  for (int f = 0; f < 6; f++) {
    char text[NAS_HASH_HEX];
    nas_hash_hex(nas_hash_bytes(results[f], sizeof results[f]), text);
    assert_string_equal(text, golden[f]);
  }
}

/* Fused multiply-add */

#if defined(__x86_64__)
__attribute__((target("fma"))) static float hardware_fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
static int have_fma(void) {
  return __builtin_cpu_supports("fma");
}
#elif defined(__FP_FAST_FMAF)
static float hardware_fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
static int have_fma(void) {
  return 1;
}
#else
static float hardware_fma(float a, float b, float c) {
  return a * b + c;
}
static int have_fma(void) {
  return 0;
}
#endif

static void check_fma(float a, float b, float c) {
  float got = nas_fmaf(a, b, c), want = hardware_fma(a, b, c);
  if (memcmp(&got, &want, sizeof got) == 0 || (isnan(got) && isnan(want))) return;
  print_error("fma(%a, %a, %a) gave %a and not %a\n", (double)a, (double)b, (double)c, (double)got,
              (double)want);
  fail();
}

static float random_float(nas_stream *stream, int exponent, int spread) {
  uint32_t bits = nas_stream_u32(stream);
  exponent += (int)nas_stream_below(stream, (uint32_t)(2 * spread + 1)) - spread;
  exponent = exponent < 0 ? 0 : exponent > 254 ? 254 : exponent;
  bits = (bits & 0x807fffff) | (uint32_t)exponent << 23;
  if (nas_stream_below(stream, 4) == 0) bits &= 0xffffffffu << nas_stream_below(stream, 23);
  return float_of_bits(bits);
}

static void fma_of_special_values(void **state) {
  (void)state;
  if (!have_fma()) check_skip("the processor has no fma");
  const float values[] = {0,         1,           1.5f,           2,    0.5f,         0x1p-24f,
                          0x1p24f,   FLT_MAX,     FLT_MIN,        NAN,  FLT_TRUE_MIN, HUGE_VALF,
                          0x1p-75f,  0x1.8p-75f,  0x1.fffffep-1f, 3,    0x1p127f,     0x1p64f,
                          0x1p-126f, 0x1.8p-126f, 1 + 0x1p-23f,   1e10f};
  const int count = (int)(sizeof values / sizeof *values);
  for (int i = 0; i < 8 * count * count * count; i++) {
    float a = values[i / 8 % count], b = values[i / 8 / count % count];
    float c = values[i / 8 / count / count];
    check_fma(i & 1 ? -a : a, i & 2 ? -b : b, i & 4 ? -c : c);
  }
}

static void fma_of_random_bits(void **state) {
  (void)state;
  if (!have_fma()) check_skip("the processor has no fma");
  nas_stream stream = nas_stream_open(8, "fma", NULL, 0);
  for (int i = 0; i < 4000000; i++) {
    float a = float_of_bits(nas_stream_u32(&stream)), b = float_of_bits(nas_stream_u32(&stream));
    check_fma(a, b, float_of_bits(nas_stream_u32(&stream)));
  }
}

/* c within 2^60 of a * b, also where that is subnormal or overflows. */
static void fma_of_comparable_sizes(void **state) {
  (void)state;
  if (!have_fma()) check_skip("the processor has no fma");
  nas_stream stream = nas_stream_open(9, "fma", NULL, 0);
  for (int i = 0; i < 8000000; i++) {
    int exponent = (int)nas_stream_below(&stream, 255);
    int product = (int)nas_stream_below(&stream, 340) - 40;
    float a = random_float(&stream, exponent, 0);
    float b = random_float(&stream, product - exponent + 127, 0);
    check_fma(a, b, random_float(&stream, product, i % 2 ? 2 : 60));
  }
}

/* c is -a * b but for a few units of its last place. */
static void fma_with_cancellation(void **state) {
  (void)state;
  if (!have_fma()) check_skip("the processor has no fma");
  nas_stream stream = nas_stream_open(10, "fma", NULL, 0);
  for (int i = 0; i < 6000000; i++) {
    float a = random_float(&stream, 127, 60), b = random_float(&stream, i % 2 ? 127 : 20, 60);
    float c = -(a * b);
    uint32_t bits;
    memcpy(&bits, &c, sizeof bits);
    check_fma(a, b, float_of_bits(bits + nas_stream_below(&stream, 5) - 2));
  }
}

/* a times 1 - 2^-23, 1 or 1 + 2^-23; two such factors give 1 - 2^-46. */
static float near(nas_stream *stream, float a) {
  return a * (1 + ((float)nas_stream_below(stream, 3) - 1) * 0x1p-23f);
}

/* a * b is an odd multiple of half a unit in c's last place, or a little beside one. */
static void fma_with_a_product_of_half_a_unit(void **state) {
  (void)state;
  if (!have_fma()) check_skip("the processor has no fma");
  nas_stream stream = nas_stream_open(11, "fma", NULL, 0);
  for (int i = 0; i < 4000000; i++) {
    int exponent = 1 + (int)nas_stream_below(&stream, 253);
    int half = exponent - 127 - 24;
    float a = near(&stream,
                   (float)ldexp(i % 4 < 2 ? 1 : 1 + 2.0 * nas_stream_below(&stream, 64), half / 2));
    float b = near(&stream, (float)ldexp(i % 2 ? 1 : -1, half - half / 2));
    check_fma(a, b, random_float(&stream, exponent, 0));
  }
}

/* a * b has 24 or 25 bits, the last one set, so that many lie in the middle between two floats; c
 * is so small that it only tells the direction. */
static void fma_with_a_product_halfway(void **state) {
  (void)state;
  if (!have_fma()) check_skip("the processor has no fma");
  nas_stream stream = nas_stream_open(12, "fma", NULL, 0);
  for (int i = 0; i < 4000000; i++) {
    float a = (float)(17 + 2 * nas_stream_below(&stream, 8));
    float b = (float)(0x80001 + 2 * nas_stream_below(&stream, 0x40000));
    a = (float)ldexp((double)a, (int)nas_stream_below(&stream, 100) - 50);
    b = (float)ldexp((double)b, -(int)nas_stream_below(&stream, 120));
    float c = (float)ldexp(i % 2 ? 1 : -1, -(int)nas_stream_below(&stream, 152));
    check_fma(a, b, c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_of_doubles),
      cmocka_unit_test(errors_of_floats),
      cmocka_unit_test(special_values_of_exp),
      cmocka_unit_test(special_values_of_log),
      cmocka_unit_test(special_values_of_tanh),
      cmocka_unit_test(special_values_of_sigmoid),
      cmocka_unit_test(special_values_of_floats),
      cmocka_unit_test(powers_of_special_values),
      cmocka_unit_test(powers_by_multiplication),
      cmocka_unit_test(errors_of_integer_powers),
      cmocka_unit_test(errors_of_other_powers),
      cmocka_unit_test(negative_powers_outside_the_normal_range),
      cmocka_unit_test(errors_of_cospi),
      cmocka_unit_test(special_values_of_cospi),
      cmocka_unit_test(cospi_falls),
      cmocka_unit_test(golden_digests),
      cmocka_unit_test(fma_of_special_values),
      cmocka_unit_test(fma_of_random_bits),
      cmocka_unit_test(fma_of_comparable_sizes),
      cmocka_unit_test(fma_with_cancellation),
      cmocka_unit_test(fma_with_a_product_of_half_a_unit),
      cmocka_unit_test(fma_with_a_product_halfway),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
