/* Output and gradients of convolutions against im2col and the matrix products of OpenBLAS.
 *
 * Both sides sum the same n products in some order in float, so each differs from the exact sum by
 * at most about n * 2^-24 * sum |a| |b| (Higham 2002, "Accuracy and Stability of Numerical
 * Algorithms", section 3.1), and both from one another by twice that. */
#include "networks.h"
#include <cblas.h>

typedef struct geometry {
  int images;
  int in[2], out[2], kernel[2], stride[2], pad[2];
  int channels, filters, bias, same;
} geometry;

static int pixels_of(const int size[2]) {
  return size[0] * size[1];
}

/* Rows of `columns`: one for each output pixel of each image; columns: (ky, kx, c). */
static int rows_of(const geometry *g) {
  return g->images * pixels_of(g->out);
}
static int terms_of(const geometry *g) {
  return pixels_of(g->kernel) * g->channels;
}

/* The padding of TensorFlow, straight from its documentation. */
static void complete(geometry *g) {
  for (int d = 0; d < 2; d++) {
    int size = g->in[d], kernel = g->kernel[d], stride = g->stride[d];
    if (g->same) {
      g->out[d] = (int)ceil((double)size / stride);
      int total = size % stride == 0 ? kernel - stride : kernel - size % stride;
      g->pad[d] = total > 0 ? total / 2 : 0;
    } else {
      g->out[d] = (int)ceil((double)(size - kernel + 1) / stride);
      g->pad[d] = 0;
    }
  }
}

/* Calls move(x, column) for every pair of an input and a place in `columns` that it has. */
static void each_pair(const geometry *g, float *x, float *columns,
                      void (*move)(float *x, float *column, int count)) {
  for (int row = 0; row < rows_of(g); row++) {
    int n = row / pixels_of(g->out), i = row / g->out[1] % g->out[0], j = row % g->out[1];
    for (int tap = 0; tap < pixels_of(g->kernel); tap++) {
      int y = i * g->stride[0] - g->pad[0] + tap / g->kernel[1];
      int z = j * g->stride[1] - g->pad[1] + tap % g->kernel[1];
      if (y < 0 || y >= g->in[0] || z < 0 || z >= g->in[1]) continue;
      move(x + ((ptrdiff_t)(n * g->in[0] + y) * g->in[1] + z) * g->channels,
           columns + (ptrdiff_t)row * terms_of(g) + (ptrdiff_t)tap * g->channels, g->channels);
    }
  }
}

static void to_column(float *x, float *column, int count) {
  memcpy(column, x, (size_t)count * sizeof *x);
}
static void from_column(float *x, float *column, int count) {
  for (int c = 0; c < count; c++) x[c] += column[c];
}

/* What a convolution reads and gives. */
typedef struct tables {
  size_t x_size, w_size, y_size, b_size;
  float *x, *w, *b, *d_y; /* in */
  float *y, *d_w, *d_b, *d_x;
} tables;

static tables tables_of(const geometry *g) {
  tables t = {.x_size = (size_t)(g->images * pixels_of(g->in) * g->channels),
              .w_size = (size_t)(terms_of(g) * g->filters),
              .y_size = (size_t)(rows_of(g) * g->filters),
              .b_size = (size_t)g->filters};
  t.x = floats(t.x_size), t.d_x = floats(t.x_size);
  t.w = floats(t.w_size), t.d_w = floats(t.w_size);
  t.y = floats(t.y_size), t.d_y = floats(t.y_size);
  t.b = floats(t.b_size), t.d_b = floats(t.b_size);
  return t;
}

static void tables_free(tables *t) {
  float *all[] = {t->x, t->d_x, t->w, t->d_w, t->y, t->d_y, t->b, t->d_b};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) nas_free(all[i]);
}

/* By matrix products, from x, w, b and d_y. */
static void by_blas(const geometry *g, tables *t) {
  int rows = rows_of(g), terms = terms_of(g), filters = g->filters;
  float *columns = floats((size_t)rows * (size_t)terms);
  each_pair(g, t->x, columns, to_column);
  for (int r = 0; r < rows; r++)
    for (int o = 0; o < filters; o++) {
      t->y[r * filters + o] = t->b[o];
      t->d_b[o] += t->d_y[r * filters + o];
    }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, filters, terms, 1, columns, terms,
              t->w, filters, 1, t->y, filters);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, terms, filters, rows, 1, columns, terms,
              t->d_y, filters, 0, t->d_w, filters);
  memset(columns, 0, (size_t)rows * (size_t)terms * sizeof *columns);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, terms, filters, 1, t->d_y, filters,
              t->w, filters, 0, columns, terms);
  each_pair(g, t->d_x, columns, from_column);
  nas_free(columns);
}

/* By a network of the layer upon one that keeps the gradient of its output. */
static void by_network(const geometry *g, const char *layer, int micro_batch, tables *t) {
  char text[300];
  snprintf(text, sizeof text, "input size=%d,%d channels=%d; test_watch; %s; test_probe", g->in[0],
           g->in[1], g->channels, layer);
  machine m = machine_with(stack(NULL, text), micro_batch, NULL);
  assert_int_equal(m.count, 1 + t->w_size + (g->bias ? t->b_size : 0));
  for (size_t i = 0; i < t->w_size; i++) m.params[m.numbers[1 + i]] = t->w[i];
  for (size_t i = 0; i < t->b_size && g->bias; i++)
    m.params[m.numbers[1 + t->w_size + i]] = t->b[i];
  probe.y = t->y;
  probe.weights = t->d_y;
  watched.d_y = t->d_x;
  machine_run(&m, t->x, g->images, 1);
  for (size_t i = 0; i < t->w_size; i++) t->d_w[i] = m.d_params[m.numbers[1 + i]];
  for (size_t i = 0; i < t->b_size && g->bias; i++)
    t->d_b[i] = m.d_params[m.numbers[1 + t->w_size + i]];
  probe.y = watched.d_y = NULL;
  probe.weights = NULL;
  machine_free(&m);
}

static void check_table(const char *what, const char *layer, const float *got,
                        const float *expected, const float *sizes, size_t count, int terms) {
  for (size_t i = 0; i < count; i++) {
    double bound = 2.01 * (terms + 1) * 0x1p-24 * (double)sizes[i];
    if (fabs((double)got[i] - (double)expected[i]) <= bound) continue;
    fail_msg("%s of %s: number %zu is %.9g, expected %.9g within %g", what, layer, i,
             (double)got[i], (double)expected[i], bound);
  }
}

static void check_geometry(const geometry *g, const char *layer, int micro_batch,
                           nas_stream *dice) {
  tables ours = tables_of(g), blas = tables_of(g), sizes = tables_of(g);
  fill_uniform(dice, blas.x, blas.x_size);
  fill_uniform(dice, blas.w, blas.w_size);
  fill_uniform(dice, blas.d_y, blas.y_size);
  if (g->bias) fill_uniform(dice, blas.b, blas.b_size);
  memcpy(ours.x, blas.x, blas.x_size * sizeof(float));
  memcpy(ours.w, blas.w, blas.w_size * sizeof(float));
  memcpy(ours.d_y, blas.d_y, blas.y_size * sizeof(float));
  memcpy(ours.b, blas.b, blas.b_size * sizeof(float));
  for (size_t i = 0; i < blas.x_size; i++) sizes.x[i] = fabsf(blas.x[i]);
  for (size_t i = 0; i < blas.w_size; i++) sizes.w[i] = fabsf(blas.w[i]);
  for (size_t i = 0; i < blas.y_size; i++) sizes.d_y[i] = fabsf(blas.d_y[i]);
  for (size_t i = 0; i < blas.b_size; i++) sizes.b[i] = fabsf(blas.b[i]);
  by_network(g, layer, micro_batch, &ours);
  by_blas(g, &blas);
  by_blas(g, &sizes);
  check_table("output", layer, ours.y, blas.y, sizes.y, blas.y_size, terms_of(g));
  check_table("gradient of the kernel", layer, ours.d_w, blas.d_w, sizes.d_w, blas.w_size,
              rows_of(g));
  if (g->bias)
    check_table("gradient of the bias", layer, ours.d_b, blas.d_b, sizes.d_b, blas.b_size,
                rows_of(g));
  check_table("gradient of the input", layer, ours.d_x, blas.d_x, sizes.d_x, blas.x_size,
              pixels_of(g->kernel) * g->filters);
  tables_free(&ours);
  tables_free(&blas);
  tables_free(&sizes);
}

static void check_conv2d(geometry *g, int micro_batch, nas_stream *dice) {
  char layer[200];
  complete(g);
  snprintf(layer, sizeof layer, "conv2d kernel=%d,%d stride=%d,%d padding=%s filters=%d bias=%d",
           g->kernel[0], g->kernel[1], g->stride[0], g->stride[1], g->same ? "same" : "valid",
           g->filters, g->bias);
  check_geometry(g, layer, micro_batch, dice);
}

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Kernels to 7, strides to 3, channels and filters to 67, sizes to 13. */
static void random_shapes(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "convolution", NULL, 0);
  for (int number = 0; number < 600; number++) {
    geometry g = {.same = between(&dice, 0, 1), .bias = between(&dice, 0, 3) > 0};
    int most = number % 8 ? 20 : 67;
    for (int d = 0; d < 2; d++) {
      g.in[d] = between(&dice, 1, 13);
      g.kernel[d] = between(&dice, 1, g.same ? 7 : least(7, g.in[d]));
      g.stride[d] = between(&dice, 1, 3);
    }
    g.channels = between(&dice, 1, most);
    g.filters = between(&dice, 1, most);
    int work = pixels_of(g.in) * pixels_of(g.kernel) * g.channels * g.filters;
    g.images = between(&dice, 1, least(16, 1 + 2000000 / work));
    check_conv2d(&g, between(&dice, 1, 16), &dice);
  }
}

/* Every kernel size, stride, padding and size along one dimension, also strides and windows larger
 * than the map, while the other dimension stays odd. */
static void every_small_shape(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "small", NULL, 0);
  for (int number = 0; number < 7 * 7 * 9 * 2 * 2; number++) {
    int d = number % 2, size = 1 + number / 28 % 9;
    geometry g = {.images = 2, .same = number / 2 % 2, .bias = 1, .channels = 2, .filters = 3};
    g.in[d] = size, g.in[!d] = 3;
    g.stride[d] = 1 + number / 4 % 7, g.stride[!d] = 2;
    g.kernel[d] = 1 + number / 252 % 7, g.kernel[!d] = 2;
    if (!g.same && g.kernel[d] > size) continue;
    check_conv2d(&g, 2, &dice);
  }
}

/* A dense layer is a convolution whose window covers the map. */
static void dense_layers(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "dense", NULL, 0);
  for (int number = 0; number < 60; number++) {
    geometry g = {.images = between(&dice, 1, 16), .bias = between(&dice, 0, 1)};
    char layer[100];
    for (int d = 0; d < 2; d++)
      g.in[d] = g.kernel[d] = number % 4 ? between(&dice, 1, 13) : 1, g.stride[d] = 1;
    g.channels = between(&dice, 1, 67);
    g.filters = between(&dice, 1, 67);
    complete(&g);
    assert_int_equal(pixels_of(g.out), 1);
    snprintf(layer, sizeof layer, "dense units=%d bias=%d", g.filters, g.bias);
    check_geometry(&g, layer, between(&dice, 1, 16), &dice);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(random_shapes),
      TEST(every_small_shape),
      TEST(dense_layers),
  };
  openblas_set_num_threads(1);
  return cmocka_run_group_tests_name("convolution", tests, register_test_layers, NULL);
}
