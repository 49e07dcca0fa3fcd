/* How long a program takes to start and to end with nothing to do: the median over warm runs,
 * beside stock Lua's. usage: bench_startup LUANAS LUA [RUNS] */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

enum { RUNS = 50, RUNS_MAX = 1000 };

extern char **environ;

static double milliseconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* One run of `program -e ''`; negative when it did not end well. */
static double run(char *program) {
  char option[] = "-e", nothing[] = "";
  char *arguments[] = {program, option, nothing, NULL};
  pid_t child;
  int status;
  double start = milliseconds_now();
  if (posix_spawn(&child, program, NULL, NULL, arguments, environ)) return -1;
  if (waitpid(child, &status, 0) != child || status != 0) return -1;
  return milliseconds_now() - start;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The median of `runs` runs after one that is not counted; negative when one failed. */
static double median(char *program, int runs) {
  double times[RUNS_MAX];
  if (run(program) < 0) return -1;
  for (int i = 0; i < runs; i++)
    if ((times[i] = run(program)) < 0) return -1;
  qsort(times, (size_t)runs, sizeof *times, ascending);
  return times[runs / 2];
}

int main(int count, char **arguments) {
  int runs = count > 3 ? atoi(arguments[3]) : RUNS;
  if (count < 3 || runs < 1 || runs > RUNS_MAX) {
    fprintf(stderr, "usage: %s LUANAS LUA [RUNS]\n", arguments[0]);
    return 2;
  }
  double ours = median(arguments[1], runs), stock = median(arguments[2], runs);
  if (ours < 0 || stock < 0) {
    fprintf(stderr, "a program did not run\n");
    return 1;
  }
  printf("start-up, median of %d: luanas -e '' %.1f ms, lua5.4 -e '' %.1f ms, ratio %.1f\n", runs,
         ours, stock, ours / stock);
  return 0;
}
