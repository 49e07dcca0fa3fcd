/* The matrix product of 1,024 square through nas_tensor_matmul, against OpenBLAS called directly on
 * memory that is there: both with OpenBLAS's own threads, in turn, the best of several times. Time
 * of the processor tells more where others use the machine, too, but with one thread only
 * (OPENBLAS_NUM_THREADS=1): OpenBLAS's threads spin while they wait.
 *
 *   bench_matmul [--tiny] */
#include <cblas.h>
#include <nas/clock.h>
#include <nas/random.h>
#include <nas/tensor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds of the clock, and of the processor. */
typedef struct moment {
  double clock, processor;
} moment;

static moment now(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (moment){nas_clock(), (double)used.tv_sec + 1e-9 * (double)used.tv_nsec};
}

static void keep_best(moment *best, moment from, moment to) {
  double clock = to.clock - from.clock, processor = to.processor - from.processor;
  if (clock < best->clock) best->clock = clock;
  if (processor < best->processor) best->processor = processor;
}

static nas_tensor *square(nas_stream *stream, int64_t n) {
  nas_tensor *matrix;
  const int64_t dims[] = {n, n};
  if (nas_tensor_create(&matrix, NAS_FLOAT32, 2, dims, NULL)) exit(1);
  if (nas_tensor_uniform(matrix, stream, -1, 1, NULL)) exit(1);
  return matrix;
}

int main(int argc, char **argv) {
  int tiny = argc > 1 && strcmp(argv[1], "--tiny") == 0;
  int n = tiny ? 64 : 1024, rounds = tiny ? 2 : 40;
  nas_stream stream = nas_stream_open(1, "bench matmul", NULL, 0);
  nas_tensor *a = square(&stream, n), *b = square(&stream, n), *direct = square(&stream, n), *out;
  moment best[2] = {{1e9, 1e9}, {1e9, 1e9}};
  for (int round = 0; round < rounds; round++) {
    moment began = now();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, nas_tensor_data(a), n,
                nas_tensor_data(b), n, 0, nas_tensor_data(direct), n);
    moment between = now();
    if (nas_tensor_matmul(&out, a, b, NULL)) return 1;
    moment ended = now();
    keep_best(&best[0], began, between);
    keep_best(&best[1], between, ended);
    if (!nas_tensor_equal(out, direct)) return 1;
    nas_tensor_destroy(&out);
  }
  double billions = 2e-9 * n * n * n;
  printf("%d x %d, %d threads of OpenBLAS   clock                    processor\n", n, n,
         openblas_get_num_threads());
  for (int i = 0; i < 2; i++)
    printf("%-20s %8.3f ms  %6.1f GFLOP/s  %8.3f ms\n", i ? "nas_tensor_matmul" : "OpenBLAS",
           best[i].clock * 1e3, billions / best[i].clock, best[i].processor * 1e3);
  printf("difference           %+8.1f %%                    %+8.1f %%\n",
         (best[1].clock / best[0].clock - 1) * 100,
         (best[1].processor / best[0].processor - 1) * 100);
  nas_tensor_destroy(&a);
  nas_tensor_destroy(&b);
  nas_tensor_destroy(&direct);
  return 0;
}
