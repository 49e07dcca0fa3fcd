/* Compiled once for each instruction set, with its flags, and with
 *   PEAK, READ   the functions to define (peak_avx2, read_avx2, ...)
 *   PEAK_VECTOR  floats in a vector
 * Without an instruction for it, a multiply-add is a product and a sum. */
#include <string.h>
#include <time.h>

double PEAK(double seconds);
double READ(const void *data, size_t bytes, double seconds);

typedef float vec __attribute__((vector_size(4 * PEAK_VECTOR)));

/* Enough to keep two units busy for four or five cycles each, with registers left for the factors.
 */
enum { CHAINS = 12, ROUNDS = 20000 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline __attribute__((always_inline)) vec multiply_add(vec a, vec b, vec c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  vec r;
#ifdef __clang__
  _Pragma("clang loop unroll(full)")
#else
  _Pragma("GCC unroll 16")
#endif
      for (int i = 0; i < PEAK_VECTOR; i++) r[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return r;
#else
  return a * b + c;
#endif
}

/* Converges to 1; the results go into *sink, so that nothing is left out. */
static __attribute__((noinline)) void run(vec *sink) {
  vec acc[CHAINS], a = (vec){0} + 0.5f, b = (vec){0} + 0.5f;
  for (int k = 0; k < CHAINS; k++) acc[k] = (vec){0} + (float)k;
  for (int i = 0; i < ROUNDS; i++)
#ifdef __clang__
    _Pragma("clang loop unroll(full)")
#else
    _Pragma("GCC unroll 16")
#endif
        for (int k = 0; k < CHAINS; k++) acc[k] = multiply_add(acc[k], a, b);
  for (int k = 0; k < CHAINS; k++) *sink += acc[k];
}

double PEAK(double seconds) {
  static const double flops = 2.0 * PEAK_VECTOR * CHAINS * ROUNDS;
  volatile float out;
  vec sink = {0};
  double start = now(), end = start;
  long runs = 0;
  for (; end - start < seconds || runs == 0; runs++, end = now()) run(&sink);
  out = sink[0];
  (void)out;
  return 1e-9 * flops * (double)runs / (end - start);
}

/* Sums of whole vectors: `bytes` is a multiple of CHAINS of them. */
static __attribute__((noinline)) void read_all(const char *data, size_t bytes, vec *sink) {
  vec acc[CHAINS] = {{0}};
  for (size_t i = 0; i < bytes; i += CHAINS * sizeof(vec))
#ifdef __clang__
    _Pragma("clang loop unroll(full)")
#else
    _Pragma("GCC unroll 16")
#endif
        for (int k = 0; k < CHAINS; k++) {
      vec v;
      memcpy(&v, data + i + (size_t)k * sizeof v, sizeof v);
      acc[k] += v;
    }
  for (int k = 0; k < CHAINS; k++) *sink += acc[k];
}

double READ(const void *data, size_t bytes, double seconds) {
  volatile float out;
  vec sink = {0};
  size_t whole = bytes / (CHAINS * sizeof(vec)) * (CHAINS * sizeof(vec));
  double start = now(), end = start;
  long runs = 0;
  for (; end - start < seconds || runs == 0; runs++, end = now()) read_all(data, whole, &sink);
  out = sink[0];
  (void)out;
  return 1e-9 * (double)whole * (double)runs / (end - start);
}
