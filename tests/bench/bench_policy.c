/* How long the policy takes to sample and to learn an episode: medians of many, by table of
 * kernels, kind of episode and size of the LSTM. `choices` are 8 decisions, of 2 and 3 options in
 * turn; `anchors` are 20 layers of 4 such choices and an anchor that may connect to all layers
 * before. usage: bench_policy [--tiny | TABLE] */
#include "check.h"
#include "kernel.h"
#include <nas/clock.h>
#include <nas/policy.h>
#include <stdlib.h>

enum { CHOICES = 8, LAYERS = 20, DECISIONS = 5 * LAYERS, EPISODES_MAX = 2000 };

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, by_size);
  return values[count / 2];
}

typedef struct architecture {
  nas_decision decisions[DECISIONS];
  int count, choices;
  int anchors[LAYERS]; /* positions */
  unsigned char chosen[LAYERS][LAYERS];
} architecture;

static void choose(architecture *a, nas_policy *policy, nas_tape *tape, nas_stream *stream) {
  nas_error err;
  int i = a->choices++;
  nas_decision *d = &a->decisions[a->count++];
  *d = (nas_decision){.name = i % 2 ? "filters" : "kernel",
                      .options = i % 2 ? "32,48,64" : "1,3",
                      .count = i % 2 ? 3 : 2,
                      .occurrence = i / 2};
  check_ok(nas_policy_choose(policy, tape, d->name, d->options, d->count, stream, &d->chosen, NULL,
                             &err),
           &err);
}

static void connect(architecture *a, int layer, nas_policy *policy, nas_tape *tape,
                    nas_stream *stream) {
  nas_error err;
  a->decisions[a->count] = (nas_decision){.kind = NAS_DECISION_ANCHOR,
                                          .name = "skip",
                                          .occurrence = layer,
                                          .count = layer,
                                          .candidates = a->anchors,
                                          .chosen_set = a->chosen[layer]};
  check_ok(nas_policy_anchor(policy, tape, "skip", a->anchors, layer, stream, a->chosen[layer],
                             NULL, &err),
           &err);
  a->anchors[layer] = a->count++;
}

static void sample(architecture *a, int anchors, nas_policy *policy, nas_tape *tape, uint64_t e) {
  nas_error err;
  nas_stream stream = nas_stream_open(1, "sample", &e, 1);
  a->count = a->choices = 0;
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  for (int layer = 0; layer < (anchors ? LAYERS : 1); layer++) {
    for (int i = 0; i < (anchors ? 4 : CHOICES); i++) choose(a, policy, tape, &stream);
    if (anchors) connect(a, layer, policy, tape, &stream);
  }
}

/* Episodes for so many seconds, at least 3. */
static void measure(int anchors, int layers, int units, double seconds) {
  static double sampling[EPISODES_MAX], learning[EPISODES_MAX];
  static architecture a;
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
    double start = nas_clock();
    sample(&a, anchors, policy, tape, e);
    sampling[e] = nas_clock() - start;
    nas_episode episode = {.decisions = a.decisions,
                           .count = a.count,
                           .coefficients = {.log_prob = 0.01 * (double)(e % 3)}};
    start = nas_clock();
    check_ok(nas_policy_learn(policy, &episode, 1, NULL, &err), &err);
    learning[e] = nas_clock() - start;
  }
  double sampled = 1e6 * median(sampling, episodes), learned = 1e6 * median(learning, episodes);
  printf("%-8s %d x %-4d %10.1f %10.1f %10.1f\n", anchors ? "anchors" : "choices", layers, units,
         sampled, learned, sampled + learned);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

int main(int count, char **arguments) {
  static const int sizes[][2] = {{2, 35}, {1, 35}, {1, 100}};
  double seconds = count > 1 && strcmp(arguments[1], "--tiny") == 0 ? 0 : 1;
  printf("Microseconds for an episode of %d choices, and for one of %d layers of 4 choices and an "
         "anchor\n",
         CHOICES, LAYERS);
  int tables = 0;
  while (nas_kernels_numbered(tables)) tables++;
  while (tables-- > 0) {
    const char *name = nas_kernels_numbered(tables)->name;
    nas_error err;
    if (count > 1 && seconds > 0 && strcmp(arguments[1], name) != 0) continue;
    check_ok(nas_kernels_use(name, &err), &err);
    printf("%s\n%-8s %-9s %9s %10s %10s\n", name, "episode", "LSTM", "sample", "learn", "both");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      measure(0, sizes[s][0], sizes[s][1], seconds);
    measure(1, sizes[0][0], sizes[0][1], seconds);
  }
  return 0;
}
