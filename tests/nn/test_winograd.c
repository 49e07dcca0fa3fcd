/* Convolutions by Winograd's algorithm: against a naive one in double, with the bound that
 * core/NUMBERS.md states; the same bits however the work is cut and whatever computes it; and the
 * rule that says where it is used. */
#include "networks.h"
#include "winograd.h"

typedef struct geometry {
  int images, in[2], out[2], kernel[2], same, pad[2], channels, filters, bias, relu;
} geometry;

/* What a convolution reads and gives, each [images or taps][...] without padding. */
typedef struct tables {
  float *x, *w, *b, *d_y, *y, *d_w, *d_x;
  size_t x_size, w_size, y_size;
} tables;

/* Half of them with kernels of 3x3. */
static geometry draw_geometry(nas_stream *dice, int most) {
  geometry g = {.images = between(dice, 1, 16),
                .kernel = {3, 3},
                .same = between(dice, 0, 1),
                .channels = between(dice, 1, most),
                .filters = between(dice, 1, most),
                .bias = between(dice, 0, 1),
                .relu = between(dice, 0, 1)};
  for (int d = 0, any = between(dice, 0, 1); d < 2; d++) {
    if (any) g.kernel[d] = between(dice, 1, 10);
    g.in[d] = between(dice, g.same ? 1 : g.kernel[d], 15);
    g.out[d] = nas_window_count(g.in[d], g.kernel[d], 1, g.same, &g.pad[d]);
  }
  return g;
}

static tables tables_of(const geometry *g, nas_stream *dice) {
  tables t = {.x_size = (size_t)(g->images * g->in[0] * g->in[1] * g->channels),
              .w_size = (size_t)(g->kernel[0] * g->kernel[1] * g->channels * g->filters),
              .y_size = (size_t)(g->images * g->out[0] * g->out[1] * g->filters)};
  t.x = floats(t.x_size), t.d_x = floats(t.x_size);
  t.w = floats(t.w_size), t.d_w = floats(t.w_size);
  t.y = floats(t.y_size), t.d_y = floats(t.y_size);
  t.b = floats((size_t)g->filters);
  fill_uniform(dice, t.x, t.x_size);
  fill_uniform(dice, t.w, t.w_size);
  fill_uniform(dice, t.d_y, t.y_size);
  if (g->bias) fill_uniform(dice, t.b, (size_t)g->filters);
  return t;
}

static void tables_free(tables *t) {
  float *all[] = {t->x, t->w, t->b, t->d_y, t->y, t->d_w, t->d_x};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) nas_free(all[i]);
}

/* By a network of the layer upon one that keeps the gradient of its output. */
static void by_network(const geometry *g, int micro_batch, const nas_kernels *kernels, tables *t) {
  char text[300];
  snprintf(text, sizeof text,
           "input size=%d,%d channels=%d; test_watch; conv2d kernel=%d,%d filters=%d "
           "padding=%s bias=%d; %stest_probe",
           g->in[0], g->in[1], g->channels, g->kernel[0], g->kernel[1], g->filters,
           g->same ? "same" : "valid", g->bias, g->relu ? "relu; " : "");
  machine m = machine_how(stack(NULL, text), micro_batch, kernels, NAS_WINOGRAD_ALL);
  for (size_t i = 0; i < t->w_size; i++) m.params[m.numbers[1 + i]] = t->w[i];
  for (int i = 0; i < g->filters && g->bias; i++)
    m.params[m.numbers[1 + t->w_size + (size_t)i]] = t->b[i];
  probe.y = t->y;
  probe.weights = t->d_y;
  watched.d_y = t->d_x;
  machine_run(&m, t->x, g->images, 1);
  for (size_t i = 0; i < t->w_size; i++) t->d_w[i] = m.d_params[m.numbers[1 + i]];
  check_padding(&m, m.d_params);
  probe.y = watched.d_y = NULL;
  probe.weights = NULL;
  machine_free(&m);
}

/* -- the reference ---------------------------------------------------------------------------- */

/* Sums of products, and of their magnitudes. */
typedef struct sums {
  double *y, *d_w, *d_x;
} sums;

static double *doubles(size_t count) {
  double *block = nas_alloc_zero(count, sizeof *block);
  assert_non_null(block);
  return block;
}

static double magnitude(float x, int absolute) {
  return absolute ? fabs((double)x) : (double)x;
}

/* Calls for every pair of an output and an input that it sees. `passes[i]` says whether the
 * gradient of output i passes the ReLU. */
static void naive_at(const geometry *g, const tables *t, const float *passes, int absolute, int tap,
                     size_t x, size_t y, sums *s) {
  for (int c = 0; c < g->channels; c++)
    for (int o = 0; o < g->filters; o++) {
      size_t w = ((size_t)tap * (size_t)g->channels + (size_t)c) * (size_t)g->filters + (size_t)o;
      size_t from = x * (size_t)g->channels + (size_t)c, to = y * (size_t)g->filters + (size_t)o;
      double value = magnitude(t->x[from], absolute), weight = magnitude(t->w[w], absolute);
      double d = g->relu && !(passes[to] > 0.0f) ? 0 : magnitude(t->d_y[to], absolute);
      s->y[to] += value * weight;
      s->d_w[w] += value * d;
      s->d_x[from] += weight * d;
    }
}

static sums naive(const geometry *g, const tables *t, const float *passes, int absolute) {
  sums s = {doubles(t->y_size), doubles(t->w_size), doubles(t->x_size)};
  for (size_t i = 0; i < t->y_size; i++) s.y[i] = magnitude(t->b[i % (size_t)g->filters], absolute);
  for (int n = 0; n < g->images; n++)
    for (int i = 0; i < g->out[0]; i++)
      for (int j = 0; j < g->out[1]; j++)
        for (int tap = 0; tap < g->kernel[0] * g->kernel[1]; tap++) {
          int row = i + tap / g->kernel[1] - g->pad[0];
          int column = j + tap % g->kernel[1] - g->pad[1];
          if (row < 0 || row >= g->in[0] || column < 0 || column >= g->in[1]) continue;
          naive_at(g, t, passes, absolute, tap, (size_t)((n * g->in[0] + row) * g->in[1] + column),
                   (size_t)((n * g->out[0] + i) * g->out[1] + j), &s);
        }
  for (size_t i = 0; i < t->y_size && g->relu && !absolute; i++)
    if (s.y[i] < 0) s.y[i] = 0;
  return s;
}

static void sums_free(sums *s) {
  nas_free(s->y);
  nas_free(s->d_w);
  nas_free(s->d_x);
}

/* -- the bound -------------------------------------------------------------------------------- */

/* An output of a tile feels the roundings of all of it, so errors are measured against the largest
 * sum of magnitudes, of all outputs: core/NUMBERS.md. The largest seen here: 38.3. */
enum { BOUND = 100 };

static double worst; /* of all that was compared, in units of the bound's */

static void compare(const char *what, const float *got, const double *expected, const double *size,
                    size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) largest = size[i] > largest ? size[i] : largest;
  for (size_t i = 0; i < count; i++) {
    double error = fabs((double)got[i] - expected[i]) / (0x1p-24 * largest + 1e-300);
    if (error > worst) worst = error;
    if (error <= BOUND) continue;
    fail_msg("%s: number %zu is %.9g, expected %.9g: %.1f units of the largest sum, %.9g", what, i,
             (double)got[i], expected[i], error, largest);
  }
}

static void bounded_error(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "winograd", NULL, 0);
  for (int number = 0; number < 150; number++) {
    geometry g = draw_geometry(&dice, number % 8 ? 9 : 70);
    if (number % 8 == 0) g.images = between(&dice, 1, 3);
    tables t = tables_of(&g, &dice);
    by_network(&g, between(&dice, 1, 16), NULL, &t);
    sums exact = naive(&g, &t, t.y, 0), sizes = naive(&g, &t, t.y, 1);
    compare("output", t.y, exact.y, sizes.y, t.y_size);
    compare("gradient of the kernel", t.d_w, exact.d_w, sizes.d_w, t.w_size);
    compare("gradient of the input", t.d_x, exact.d_x, sizes.d_x, t.x_size);
    sums_free(&exact);
    sums_free(&sizes);
    tables_free(&t);
  }
  if (getenv("LUANAS_VERBOSE")) print_message("# largest error %.2f of %d\n", worst, BOUND);
}

/* -- the same bits ---------------------------------------------------------------------------- */

static void check_equal(const tables *a, const tables *b) {
  for (size_t i = 0; i < a->y_size; i++) check_float_bits(b->y[i], a->y[i]);
  for (size_t i = 0; i < a->w_size; i++) check_float_bits(b->d_w[i], a->d_w[i]);
  for (size_t i = 0; i < a->x_size; i++) check_float_bits(b->d_x[i], a->d_x[i]);
}

/* Of what there is to see, not even the padding of the network's images changes a bit. */
static void same_bits(void **state) {
  (void)state;
  const nas_kernels *kernels;
  for (int number = 0; number < 24; number++) {
    const uint64_t address[] = {(uint64_t)number};
    nas_stream dice = nas_stream_open(1, "bits", address, 1), again = dice;
    geometry g = draw_geometry(&dice, number % 6 ? 12 : 40);
    tables first = tables_of(&g, &dice);
    by_network(&g, 16, nas_kernels_named("scalar"), &first);
    for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
      nas_stream copy = again;
      g = draw_geometry(&copy, number % 6 ? 12 : 40);
      tables other = tables_of(&g, &copy);
      by_network(&g, 1 + number % 15, kernels, &other);
      check_equal(&first, &other);
      tables_free(&other);
    }
    tables_free(&first);
  }
}

/* -- the rule --------------------------------------------------------------------------------- */

/* A square map and kernel. */
static int applies(int size, int kernel, int stride, int channels, int filters, int wish) {
  nas_convolution c = {.in = {size, size},
                       .out = {size, size},
                       .kernel = {kernel, kernel},
                       .stride = {stride, stride},
                       .channels = channels,
                       .filters = filters};
  return nas_winograd_applies(&c, wish);
}

static void rule(void **state) {
  (void)state;
  static const int sizes[] = {4, 7, 8, 11, 12, 14, 16, 28}, not_sizes[] = {1, 2, 5};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    assert_true(applies(sizes[i], 3, 1, 16, 16, NAS_WINOGRAD_AUTO));
  for (size_t i = 0; i < sizeof not_sizes / sizeof *not_sizes; i++)
    assert_false(applies(not_sizes[i], 3, 1, 64, 64, NAS_WINOGRAD_AUTO));
  assert_false(applies(10, 3, 1, 16, 16, NAS_WINOGRAD_AUTO));
  assert_true(applies(10, 3, 1, 32, 32, NAS_WINOGRAD_AUTO));
  static const struct {
    int kernel, seven, fourteen; /* 7x7 and 14x14 pixels, 64 channels and filters */
  } kernels[] = {{1, 0, 0}, {2, 0, 1}, {4, 1, 1}, {5, 1, 1}, {6, 1, 1}, {7, 0, 1}, {11, 0, 0}};
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    assert_int_equal(applies(7, kernels[i].kernel, 1, 64, 64, NAS_WINOGRAD_AUTO), kernels[i].seven);
    assert_int_equal(applies(14, kernels[i].kernel, 1, 64, 64, NAS_WINOGRAD_AUTO),
                     kernels[i].fourteen);
  }
  assert_false(applies(14, 5, 1, 16, 16, NAS_WINOGRAD_AUTO));
  assert_false(applies(14, 3, 1, 15, 64, NAS_WINOGRAD_AUTO));
  assert_false(applies(14, 3, 1, 64, 15, NAS_WINOGRAD_AUTO));
  assert_false(applies(14, 3, 1, 64, 64, NAS_WINOGRAD_NONE));
  assert_true(applies(3, 3, 1, 1, 1, NAS_WINOGRAD_ALL));
  assert_true(applies(14, 10, 1, 1, 1, NAS_WINOGRAD_ALL));
  for (int wish = NAS_WINOGRAD_AUTO; wish <= NAS_WINOGRAD_ALL; wish++) {
    assert_false(applies(14, 3, 2, 64, 64, wish));
    assert_false(applies(14, 1, 1, 64, 64, wish));
    assert_false(applies(14, 11, 1, 64, 64, wish));
  }
}

/* Kernels of one column have fewer elements. */
static void rule_along_one_dimension(void **state) {
  (void)state;
  nas_convolution c = {.in = {14, 14},
                       .out = {14, 14},
                       .kernel = {5, 1},
                       .stride = {1, 1},
                       .channels = 64,
                       .filters = 64};
  assert_true(nas_winograd_applies(&c, NAS_WINOGRAD_AUTO));
  c.channels = c.filters = 24;
  assert_false(nas_winograd_applies(&c, NAS_WINOGRAD_AUTO));
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(rule), TEST(rule_along_one_dimension), TEST(same_bits),
                                     TEST(bounded_error)};
  return cmocka_run_group_tests_name("winograd", tests, register_test_layers, NULL);
}
