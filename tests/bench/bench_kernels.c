/* How fast the kernels are, by table and shape, on one thread: the calls that a convolution makes
 * forward, for the gradient of its input and for that of its weights, each against the peak of the
 * table's instruction set. A table that counts stands between layer and kernels. Operations are
 * those of a window that slides, also for Winograd's algorithm (W), of which what happens to the
 * kernel, once a batch and once a group of images, is left out. usage:
 *   bench_kernels [--tiny]           tables
 *   bench_kernels [--tiny] --points  what roofline.gnuplot draws, of the best table: the roofs, in
 *                                    GFLOP/s and GB/s; then operations for each byte that a call
 *                                    must move at least, and GFLOP/s, by pass and algorithm */
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
    {7, 36, 36, 5, 1},  {14, 36, 36, 5, 2}, {14, 64, 64, 7, 1}, {14, 64, 64, 7, 2},
    {14, 64, 64, 4, 1}, {14, 64, 64, 2, 1},
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

/* Winograd's algorithm takes the input of the layer for the gradient of the weights, and the
 * gradient of the output, in another map, for that of the input. Between these two lies where the
 * parts of a kernel begin in the input. */
static const float *input_first, *input_last;

/* Runs the network until the kernels took `least` seconds in all; leaves in best[] what each phase
 * took in its shortest run. */
static void repeat(machine *m, nas_pass *pass, double least, double best[PHASES]) {
  double sum = 0;
  for (int run = 0; run == 0 || sum < least; run++) {
    memset(seconds, 0, sizeof seconds);
    conv_phase = FORWARD;
    input_first = input_last = NULL;
    nas_compiled_forward(m->compiled, 0, pass);
    conv_phase = INPUT;
    nas_compiled_backward(m->compiled, 0, pass);
    for (int p = 0; p < PHASES; p++) {
      if (run == 0 || seconds[p] < best[p]) best[p] = seconds[p];
      sum += seconds[p];
    }
  }
}

static void counting_winograd_input(const nas_winograd_form *form, const int taps[2],
                                    const nas_tile_map *map, const nas_tile *tiles, size_t count,
                                    int width, const nas_tile_planes *to) {
  double start = nas_clock();
  counted->winograd_input(form, taps, map, tiles, count, width, to);
  double spent = nas_clock() - start;
  if (conv_phase == FORWARD) {
    if (!input_first || map->data < input_first) input_first = map->data;
    if (!input_last || map->data > input_last) input_last = map->data;
  }
  int of_input = map->data >= input_first && map->data <= input_last;
  seconds[conv_phase == INPUT && of_input ? WEIGHTS : conv_phase] += spent;
}

static void counting_winograd_d_output(const nas_winograd_form *form, const nas_tile_map *map,
                                       const nas_tile *tiles, size_t count, int width,
                                       const nas_tile_planes *to) {
  double start = nas_clock();
  counted->winograd_d_output(form, map, tiles, count, width, to);
  seconds[WEIGHTS] += nas_clock() - start;
}

static void counting_winograd_output(const nas_winograd_form *form, const nas_tile_planes *from,
                                     const nas_tile *tiles, size_t count, int width,
                                     const float *bias, const nas_tile_map *map, unsigned flags) {
  double start = nas_clock();
  counted->winograd_output(form, from, tiles, count, width, bias, map, flags);
  seconds[conv_phase] += nas_clock() - start;
}

typedef struct question {
  const shape *shape;
  const nas_kernels *kernels;
  int images, winograd;
  double least; /* seconds */
} question;

/* GFLOP/s of each phase. */
static void measure(const question *q, double gflops[PHASES]) {
  const shape *s = q->shape;
  int count = q->images;
  char text[300], filters[30] = "";
  if (s->filters) snprintf(filters, sizeof filters, "filters=%d ", s->filters);
  snprintf(text, sizeof text,
           "input size=%d channels=%d; test_watch; %s %skernel=%d stride=%d; test_probe", s->size,
           s->channels, s->filters ? "conv2d" : "depthwise_conv2d", filters, s->kernel, s->stride);
  nas_kernels counting = *q->kernels;
  counting.conv = counting_conv;
  counting.conv_weights = counting_conv_weights;
  counting.depthwise = counting_depthwise;
  counting.depthwise_weights = counting_depthwise_weights;
  counting.winograd_input = counting_winograd_input;
  counting.winograd_d_output = counting_winograd_d_output;
  counting.winograd_output = counting_winograd_output;
  counted = q->kernels;
  machine m = machine_how(stack(NULL, text), count, &counting,
                          q->winograd ? NAS_WINOGRAD_ALL : NAS_WINOGRAD_NONE);
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
                   .room = m.room,
                   .kept = m.kept,
                   .images = count,
                   .training = 1,
                   .batch = 1};
  probe.first = 0;
  double work = 2e-9 * (double)nas_network_macs(m.network) * count, best[PHASES] = {0};
  repeat(&m, &pass, q->least, best);
  for (int p = 0; p < PHASES; p++) gflops[p] = work / best[p];
  probe.weights = NULL;
  nas_free(images);
  nas_free(weights);
  machine_free(&m);
}

/* Whether Winograd's algorithm can compute it, with fewer multiplications. */
static int has_tiles(const shape *s) {
  return s->filters && s->channels > 1 && s->kernel > 1 && s->stride == 1;
}

/* -- tables ----------------------------------------------------------------------------------- */

static void print_row(const question *q, double peak) {
  const shape *s = q->shape;
  double gflops[PHASES];
  measure(q, gflops);
  printf("%2dx%-2d %2d -> %2d %dx%d /%d %s %-9s", s->size, s->size, s->channels, s->filters,
         s->kernel, s->kernel, s->stride, q->winograd ? "W" : " ", q->kernels->name);
  for (int p = 0; p < PHASES; p++) printf(" %8.1f %4.0f%%", gflops[p], 100 * gflops[p] / peak);
  printf("\n");
  fflush(stdout);
}

static void print_tables(int tiny) {
  int images = tiny ? 1 : IMAGES_MAX;
  printf("GFLOP/s of one thread, and share of the peak; %d images\n", images);
  printf("%-31s %14s %14s %14s\n", "map, channels, kernel, stride", "forward", "d input",
         "d weights");
  int tables = 0;
  while (nas_kernels_numbered(tables)) tables++;
  while (tables-- > 0) {
    const nas_kernels *kernels = nas_kernels_numbered(tables);
    double peak = best_peak(kernels, tiny ? 0.001 : 0.5);
    printf("%s: peak %.1f GFLOP/s\n", kernels->name, peak);
    for (int s = 0; s < SHAPES; s++)
      for (int winograd = 0; winograd <= has_tiles(&shapes[s]); winograd++) {
        question q = {&shapes[s], kernels, images, winograd, tiny ? 0 : 0.3};
        print_row(&q, peak);
      }
  }
}

/* -- points of a plot ------------------------------------------------------------------------- */

enum { MIB = 1 << 20 };

/* Operations for each byte of a map, of the other map and of the weights, each moved once. */
static double intensity(const shape *s, int images) {
  double out = ceil((double)s->size / s->stride), filters = s->filters ? s->filters : s->channels;
  double maps = s->size * s->size * s->channels + out * out * filters;
  double weights = s->kernel * s->kernel * (s->filters ? s->channels : 1) * filters;
  return 2 * out * out * weights * images / (4 * (maps * images + weights));
}

/* ? stands for nothing: nobody asks for the gradient of the network's input. */
static void print_point(double gflops, int there) {
  if (there)
    printf(" %.1f", gflops);
  else
    printf(" ?");
}

/* 512 MiB are more than any cache. */
static int print_roofs(const nas_kernels *kernels, int tiny) {
  double slice = tiny ? 0.001 : 0.5;
  size_t bytes = (size_t)(tiny ? 1 : 512) * MIB;
  void *array = nas_alloc_zero(bytes, 1);
  if (!array) {
    fprintf(stderr, "bench_kernels: no memory for %zu bytes\n", bytes);
    return 1;
  }
  memset(array, 0, bytes); /* pages of its own */
  printf("# peak, cache, memory: %s\n%.1f %.1f %.1f\n\n\n", kernels->name,
         best_peak(kernels, slice), best_read(kernels, array, MIB, slice),
         best_read(kernels, array, bytes, slice));
  nas_free(array);
  return 0;
}

static int print_points(int tiny) {
  const nas_kernels *kernels = nas_kernels_best();
  if (print_roofs(kernels, tiny)) return 1;
  printf("# intensity, forward, d input, d weights, and the same by Winograd's algorithm\n");
  for (int s = 0; s < SHAPES; s++) {
    question q = {&shapes[s], kernels, IMAGES_MAX, 0, tiny ? 0 : 0.3};
    double direct[PHASES], winograd[PHASES] = {0};
    measure(&q, direct);
    q.winograd = has_tiles(&shapes[s]);
    if (q.winograd) measure(&q, winograd);
    printf("%.3f", intensity(&shapes[s], IMAGES_MAX));
    for (int p = 0; p < PHASES; p++) print_point(direct[p], p != INPUT || shapes[s].channels > 1);
    for (int p = 0; p < PHASES; p++) print_point(winograd[p], q.winograd);
    printf("\n");
  }
  return 0;
}

int main(int count, char **arguments) {
  int tiny = 0, points = 0;
  for (int i = 1; i < count; i++) {
    tiny |= strcmp(arguments[i], "--tiny") == 0;
    points |= strcmp(arguments[i], "--points") == 0;
  }
  if (register_test_layers(NULL)) return 1;
  if (points) return print_points(tiny);
  print_tables(tiny);
  return 0;
}
