/* How long the policy takes to sample and to learn an episode of 8 decisions, 2 and 3 options in
 * turn: medians of many, by table of kernels and size of the LSTM.
 * usage: bench_policy [--tiny | TABLE] */
#include "check.h"
#include "kernel.h"
#include <nas/clock.h>
#include <nas/policy.h>
#include <stdlib.h>

enum { DECISIONS = 8, EPISODES_MAX = 2000 };

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, by_size);
  return values[count / 2];
}

/* Episodes for so many seconds, at least 3. */
static void measure(int layers, int units, double seconds) {
  static double sample[EPISODES_MAX], learn[EPISODES_MAX];
  double end = nas_clock() + seconds;
  int episodes = 0;
  nas_policy_options options;
  nas_policy *policy;
  nas_tape *tape;
  nas_error err;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  check_ok(nas_policy_create(&policy, &options, 1, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (uint64_t e = 0; e < EPISODES_MAX && (e < 3 || nas_clock() < end); e++, episodes++) {
    nas_decision d[DECISIONS];
    nas_stream stream = nas_stream_open(1, "sample", &e, 1);
    double start = nas_clock();
    check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
    for (int i = 0; i < DECISIONS; i++) {
      d[i] = (nas_decision){.name = i % 2 ? "filters" : "kernel",
                            .options = i % 2 ? "32,48,64" : "1,3",
                            .count = i % 2 ? 3 : 2,
                            .occurrence = i / 2};
      check_ok(nas_policy_choose(policy, tape, d[i].name, d[i].options, d[i].count, &stream,
                                 &d[i].chosen, NULL, &err),
               &err);
    }
    sample[e] = nas_clock() - start;
    nas_episode episode = {
        .decisions = d, .count = DECISIONS, .coefficients = {.log_prob = 0.01 * (double)(e % 3)}};
    start = nas_clock();
    check_ok(nas_policy_learn(policy, &episode, 1, NULL, &err), &err);
    learn[e] = nas_clock() - start;
  }
  double sampled = 1e6 * median(sample, episodes), learned = 1e6 * median(learn, episodes);
  printf("%d x %-4d %10.1f %10.1f %10.1f\n", layers, units, sampled, learned, sampled + learned);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

int main(int count, char **arguments) {
  static const int sizes[][2] = {{2, 35}, {1, 35}, {1, 100}};
  double seconds = count > 1 && strcmp(arguments[1], "--tiny") == 0 ? 0 : 1;
  printf("Microseconds for an episode of %d decisions\n", DECISIONS);
  int tables = 0;
  while (nas_kernels_numbered(tables)) tables++;
  while (tables-- > 0) {
    const char *name = nas_kernels_numbered(tables)->name;
    nas_error err;
    if (count > 1 && seconds > 0 && strcmp(arguments[1], name) != 0) continue;
    check_ok(nas_kernels_use(name, &err), &err);
    printf("%s\n%-9s %9s %10s %10s\n", name, "LSTM", "sample", "learn", "both");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      measure(sizes[s][0], sizes[s][1], seconds);
  }
  return 0;
}
