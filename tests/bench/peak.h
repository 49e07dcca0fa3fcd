/* What a core can do at most: the yardstick of the benchmarks. */
#ifndef TESTS_PEAK_H
#define TESTS_PEAK_H

#include <math.h>
#include <string.h>
#include <nas/pool.h>
#include "kernel.h"

/* Multiply-adds in registers, none waiting for another, for about that many seconds: GFLOP/s of the
 * calling thread. One function for each instruction set (peak.c). */
double peak_baseline(double seconds);
double peak_avx2(double seconds);
double peak_avx512(double seconds);

/* The same for reading an array, whose floats are finite, again and again: GB/s. */
double read_baseline(const void *data, size_t bytes, double seconds);
double read_avx2(const void *data, size_t bytes, double seconds);
double read_avx512(const void *data, size_t bytes, double seconds);

typedef double peak_fn(double seconds);
typedef double read_fn(const void *data, size_t bytes, double seconds);

typedef struct roofs {
  peak_fn *peak;
  read_fn *read;
} roofs;

/* Those for a table of kernels. The scalar table is measured against the baseline's. */
static inline roofs roofs_for(const nas_kernels *kernels) {
#ifdef NAS_HAVE_AVX2
  if (strcmp(kernels->name, "avx2") == 0) return (roofs){peak_avx2, read_avx2};
#endif
#ifdef NAS_HAVE_AVX512
  if (strcmp(kernels->name, "avx512") == 0) return (roofs){peak_avx512, read_avx512};
#endif
  (void)kernels;
  return (roofs){peak_baseline, read_baseline};
}

/* The best of ten, which take that many seconds together. */
static inline double best_peak(const nas_kernels *kernels, double seconds) {
  double best = 0;
  for (int i = 0; i < 10; i++) best = fmax(best, roofs_for(kernels).peak(seconds / 10));
  return best;
}

static inline double best_read(const nas_kernels *kernels, const void *data, size_t bytes,
                               double seconds) {
  double best = 0;
  for (int i = 0; i < 10; i++)
    best = fmax(best, roofs_for(kernels).read(data, bytes, seconds / 10));
  return best;
}

typedef struct peak_task {
  peak_fn *peak;
  double seconds, each[256];
} peak_task;

static inline void peak_worker(void *context, int worker, int workers) {
  peak_task *task = context;
  (void)workers;
  task->each[worker] = task->peak(task->seconds);
}

/* GFLOP/s of all threads of the pool at once. */
static inline double peak_of_pool(nas_pool *pool, const nas_kernels *kernels, double seconds) {
  peak_task task = {.peak = roofs_for(kernels).peak, .seconds = seconds};
  double sum = 0;
  nas_pool_run(pool, peak_worker, &task);
  for (int w = 0; w < nas_pool_threads(pool); w++) sum += task.each[w];
  return sum;
}

#endif
