/* How fast the kernels are, by table and shape, on one thread: the calls that a convolution makes
 * forward, for the gradient of its input and for that of its weights, each against the peak of the
 * table's instruction set. A table that counts stands between layer and kernels.
 * usage: bench_kernels [--tiny] */
#include "nn/networks.h"
#include "peak.h"
#include <nas/clock.h>

typedef struct shape {
  int size, channels, filters, kernel, stride; /* filters 0: depthwise */
} shape;

static const shape shapes[] = {
    {28, 1, 64, 3, 2},  {14, 64, 64, 3, 1}, {14, 64, 64, 3, 2}, {7, 64, 64, 3, 1},
    {14, 48, 48, 3, 1}, {14, 32, 32, 3, 1}, {14, 64, 64, 1, 1}, {14, 32, 32, 1, 1},
    {14, 16, 16, 5, 1}, {28, 1, 32, 1, 2},  {14, 64, 0, 3, 1},  {14, 32, 0, 5, 1},
    {14, 24, 24, 5, 1}, {14, 36, 36, 5, 1}, {14, 48, 48, 5, 1}, {14, 32, 32, 5, 1},
    {7, 36, 36, 5, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, IMAGES_MAX = 4 };

/* -- a table that counts ---------------------------------------------------------------------- */

enum { FORWARD, INPUT, WEIGHTS, PHASES };

static const nas_kernels *counted;
static int conv_phase;
static double seconds[PHASES];

static void counting_conv(const nas_window *window, const float *const *sources, const int32_t *in,
                          const float *weights, const float *bias, float *out,
                          const int32_t *out_pixel, size_t pixels, unsigned flags) {
  double start = nas_clock();
  counted->conv(window, sources, in, weights, bias, out, out_pixel, pixels, flags);
  seconds[conv_phase] += nas_clock() - start;
}

static void counting_conv_weights(const nas_window *window, const float *const *sources,
                                  const int32_t *in, const float *d_out, const int32_t *out_pixel,
                                  float *d_weights, size_t pixels) {
  double start = nas_clock();
  counted->conv_weights(window, sources, in, d_out, out_pixel, d_weights, pixels);
  seconds[WEIGHTS] += nas_clock() - start;
}

static void counting_depthwise(const nas_window *window, const float *source, const int32_t *in,
                               const float *weights, const float *bias, float *out,
                               const int32_t *out_pixel, size_t pixels, unsigned flags) {
  double start = nas_clock();
  counted->depthwise(window, source, in, weights, bias, out, out_pixel, pixels, flags);
  seconds[conv_phase] += nas_clock() - start;
}

static void counting_depthwise_weights(const nas_window *window, const float *source,
                                       const int32_t *in, const float *d_out,
                                       const int32_t *out_pixel, float *d_weights, size_t pixels) {
  double start = nas_clock();
  counted->depthwise_weights(window, source, in, d_out, out_pixel, d_weights, pixels);
  seconds[WEIGHTS] += nas_clock() - start;
}

/* -- measuring -------------------------------------------------------------------------------- */

/* Runs the network until the kernels took `least` seconds in all; leaves in best[] what each phase
 * took in its shortest run. */
static void repeat(machine *m, nas_pass *pass, double least, double best[PHASES]) {
  double sum = 0;
  for (int run = 0; run == 0 || sum < least; run++) {
    memset(seconds, 0, sizeof seconds);
    conv_phase = FORWARD;
    nas_compiled_forward(m->compiled, 0, pass);
    conv_phase = INPUT;
    nas_compiled_backward(m->compiled, 0, pass);
    for (int p = 0; p < PHASES; p++) {
      if (run == 0 || seconds[p] < best[p]) best[p] = seconds[p];
      sum += seconds[p];
    }
  }
}

static void measure(const shape *s, const nas_kernels *kernels, int count, double peak,
                    double least) {
  char text[300], filters[30] = "";
  if (s->filters) snprintf(filters, sizeof filters, "filters=%d ", s->filters);
  snprintf(text, sizeof text,
           "input size=%d channels=%d; test_watch; %s %skernel=%d stride=%d; test_probe", s->size,
           s->channels, s->filters ? "conv2d" : "depthwise_conv2d", filters, s->kernel, s->stride);
  nas_kernels counting = *kernels;
  counting.conv = counting_conv;
  counting.conv_weights = counting_conv_weights;
  counting.depthwise = counting_depthwise;
  counting.depthwise_weights = counting_depthwise_weights;
  counted = kernels;
  machine m = machine_how(stack(NULL, text), count, &counting, NAS_WINOGRAD_NONE);
  nas_stream dice = nas_stream_open(1, "bench", NULL, 0);
  size_t in = map_size(nas_compiled_input(m.compiled)) * (size_t)count;
  nas_shape out = nas_node_shape(nas_network_node(m.network, 2));
  size_t outs = (size_t)nas_shape_size(out) * (size_t)count;
  float *images = floats(in), *weights = floats(outs);
  fill_uniform(&dice, images, in);
  fill_uniform(&dice, weights, outs);
  probe.weights = weights;
  nas_compiled_init(m.compiled, 1, m.params);
  machine_run(&m, images, count, 1);
  nas_pass pass = {.arena = machine_arena(&m, 0),
                   .params = m.params,
                   .derived = m.derived,
                   .d_params = m.d_params,
                   .images = count,
                   .training = 1,
                   .batch = 1};
  probe.first = 0;
  double work = 2e-9 * (double)nas_network_macs(m.network) * count, best[PHASES] = {0};
  repeat(&m, &pass, least, best);
  printf("%2dx%-2d %2d -> %2d %dx%d /%d %-9s", s->size, s->size, s->channels, s->filters, s->kernel,
         s->kernel, s->stride, kernels->name);
  for (int p = 0; p < PHASES; p++)
    printf(" %8.1f %4.0f%%", work / best[p], 100 * work / best[p] / peak);
  printf("\n");
  fflush(stdout);
  probe.weights = NULL;
  nas_free(images);
  nas_free(weights);
  machine_free(&m);
}

int main(int count, char **arguments) {
  static const char *const tables[] = {"avx512", "avx2", "baseline", "scalar"};
  int tiny = count > 1 && strcmp(arguments[1], "--tiny") == 0;
  int images = tiny ? 1 : IMAGES_MAX;
  if (register_test_layers(NULL)) return 1;
  printf("GFLOP/s of one thread, and share of the peak; %d images\n", images);
  printf("%-29s %14s %14s %14s\n", "map, channels, kernel, stride", "forward", "d input",
         "d weights");
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    const nas_kernels *kernels = nas_kernels_named(tables[i]);
    if (!kernels) continue;
    double peak = peak_for(kernels)(tiny ? 0.001 : 0.5);
    printf("%s: peak %.1f GFLOP/s\n", kernels->name, peak);
    for (int s = 0; s < SHAPES; s++) measure(&shapes[s], kernels, images, peak, tiny ? 0 : 0.3);
  }
  return 0;
}
