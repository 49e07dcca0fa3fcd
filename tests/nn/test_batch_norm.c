/* Batch normalisation against a naive version in double, and its gradient against differences of
 * that; that nothing changes with the micro-batch or the kernels; the running statistics. */
#include "networks.h"
#include "plan.h"

enum { IMAGES = 7, PIXELS = 6, CHANNELS = 19, VALUES = PIXELS * CHANNELS, ALL = IMAGES * VALUES };

static const double epsilon = 1e-3;

static float images[ALL], weights[ALL], scale[CHANNELS], offset[CHANNELS];

/* y of all images, after ReLU when `relu`; returns the sum of weights * y. */
static double naive(const double *x, const double *gain, const double *shift, int relu, double *y) {
  double loss = 0;
  for (int c = 0; c < CHANNELS; c++) {
    double mean = 0, variance = 0;
    for (int i = c; i < ALL; i += CHANNELS) mean += x[i] / (IMAGES * PIXELS);
    for (int i = c; i < ALL; i += CHANNELS)
      variance += (x[i] - mean) * (x[i] - mean) / (IMAGES * PIXELS);
    for (int i = c; i < ALL; i += CHANNELS) {
      double v = (x[i] - mean) / sqrt(variance + epsilon) * gain[c] + shift[c];
      if (relu && v < 0) v = 0;
      if (y) y[i] = v;
      loss += (double)weights[i] * v;
    }
  }
  return loss;
}

static machine norm_machine(int relu, int micro_batch, const nas_kernels *kernels) {
  char text[200];
  snprintf(text, sizeof text,
           "input size=3,2 channels=%d; test_watch; batch_norm epsilon=0.001;%s test_probe",
           CHANNELS, relu ? " relu;" : "");
  machine m = machine_with(stack(NULL, text), micro_batch, kernels);
  nas_compiled_init(m.compiled, 1, m.params);
  for (int s = 0; s < nas_compiled_param_count(m.compiled); s++) {
    nas_param_place set = nas_compiled_param(m.compiled, s);
    if (strcmp(set.is.role, "scale") == 0) memcpy(m.params + set.at, scale, sizeof scale);
    if (strcmp(set.is.role, "offset") == 0) memcpy(m.params + set.at, offset, sizeof offset);
  }
  return m;
}

static const float *gradient_of(const machine *m, const char *role) {
  for (int s = 0; s < nas_compiled_param_count(m->compiled); s++) {
    nas_param_place set = nas_compiled_param(m->compiled, s);
    if (strcmp(set.is.role, role) == 0) return m->d_params + set.at;
  }
  fail_msg("no %s", role);
  return NULL;
}

/* (f(at + h) - f(at - h)) / 2h, of the mean over the images */
static double slope(double *at, const double *x, const double *gain, const double *shift,
                    int relu) {
  double h = 1e-5, here = *at;
  *at = here + h;
  double up = naive(x, gain, shift, relu, NULL);
  *at = here - h;
  double down = naive(x, gain, shift, relu, NULL);
  *at = here;
  return (up - down) / (2 * h) / IMAGES;
}

static void check_against_naive(int relu) {
  static float y[ALL], d_x[ALL];
  static double x[ALL], expected[ALL];
  double gain[CHANNELS], shift[CHANNELS];
  for (int i = 0; i < ALL; i++) x[i] = (double)images[i];
  for (int c = 0; c < CHANNELS; c++) gain[c] = (double)scale[c], shift[c] = (double)offset[c];
  probe.weights = weights;
  probe.y = y;
  watched.d_y = d_x;
  machine m = norm_machine(relu, 3, NULL);
  machine_run(&m, images, IMAGES, 1);
  naive(x, gain, shift, relu, expected);
  for (int i = 0; i < ALL; i++) check_near((double)y[i], expected[i], 2e-6);
  for (int i = 0; i < ALL; i++)
    check_near((double)d_x[i], slope(&x[i], x, gain, shift, relu), 3e-6);
  for (int c = 0; c < CHANNELS; c++) {
    check_near((double)gradient_of(&m, "scale")[c], slope(&gain[c], x, gain, shift, relu), 3e-6);
    check_near((double)gradient_of(&m, "offset")[c], slope(&shift[c], x, gain, shift, relu), 3e-6);
  }
  check_padding(&m, m.d_params);
  machine_free(&m);
  probe.y = watched.d_y = NULL;
}

static void values_and_gradients(void **state) {
  (void)state;
  check_against_naive(0);
  check_against_naive(1);
}

static void no_bit_changes(void **state) {
  (void)state;
  static float y[2][ALL], d_x[2][ALL];
  const nas_kernels *kernels;
  float *first = NULL;
  probe.weights = weights;
  for (int micro_batch = 1; micro_batch <= IMAGES; micro_batch += 2)
    for (int k = 0; (kernels = nas_kernels_numbered(k)) != NULL; k++) {
      int run = first != NULL;
      probe.y = y[run];
      watched.d_y = d_x[run];
      machine m = norm_machine(1, micro_batch, kernels);
      machine_run(&m, images, IMAGES, 1);
      if (!first) {
        first = floats(m.floats);
        memcpy(first, m.d_params, m.floats * sizeof(float));
      }
      assert_memory_equal(y[0], y[run], sizeof y[0]);
      assert_memory_equal(d_x[0], d_x[run], sizeof d_x[0]);
      assert_memory_equal(first, m.d_params, m.floats * sizeof(float));
      machine_free(&m);
    }
  nas_free(first);
  probe.y = watched.d_y = NULL;
}

/* One channel whose batch has sum 12 and sum of squares 56 over 3 values: mean 4, variance 56/3 -
 * 16 = 8/3, unbiased 4; momentum 0.75. */
static void running_statistics(void **state) {
  (void)state;
  machine m = machine_with(
      stack(NULL, "input size=1 channels=1; batch_norm momentum=0.75; test_probe"), 2, NULL);
  const double totals[] = {12, 56, 0, 0};
  float weight = 1, y;
  nas_compiled_init(m.compiled, 1, m.params);
  assert_int_equal(nas_compiled_trained_floats(m.compiled), 32);
  assert_int_equal(nas_network_params(m.network), 2);
  nas_compiled_settle(m.compiled, totals, 3, m.params);
  nas_param_place mean = nas_compiled_param(m.compiled, 2);
  nas_param_place variance = nas_compiled_param(m.compiled, 3);
  assert_int_equal(mean.is.use, NAS_PARAM_STATE);
  check_float_bits(m.params[mean.at], 1.0f);      /* 0.75 * 0 + 0.25 * 4 */
  check_float_bits(m.params[variance.at], 1.75f); /* 0.75 * 1 + 0.25 * 4 */

  probe.weights = &weight;
  probe.y = &y;
  nas_pass pass = {
      .arena = machine_arena(&m, 0), .params = m.params, .derived = m.derived, .images = 1};
  nas_map_data(nas_compiled_input(m.compiled), machine_arena(&m, 0))[0] = 3.0f;
  probe.first = 0;
  nas_compiled_evaluate(m.compiled, &pass);
  check_near((double)y, (3.0 - 1.0) / sqrt(1.75 + 1e-5), 1e-6);
  machine_free(&m);
  probe.y = NULL;
}

/* Two normalisations one after the other, one beside them, and a sum of all: segments. */
static void segments(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=4,3 channels=2; conv2d kernel=3 filters=5");
  nas_node *a =
      stack(nas_node_retain(x), "batch_norm; relu; conv2d kernel=1 filters=5; batch_norm");
  nas_node *b = stack(nas_node_retain(x), "relu; batch_norm");
  machine m = machine_with(stack(JOIN("test_sum", a, b, x), "test_probe"), 2, NULL);
  assert_int_equal(nas_compiled_segments(m.compiled), 3);
  assert_int_equal(nas_compiled_sums(m.compiled), 3 * 2 * 2 * 5);
  size_t end = 0, count;
  for (int s = 0; s < 3; s++) {
    assert_int_equal(nas_compiled_segment_params(m.compiled, s, &count), end);
    end += count;
  }
  assert_int_equal(end, nas_compiled_trained_floats(m.compiled));
  machine_free(&m);
}

/* The layer of that number in canonical order. */
static const nas_layer *layer_of(const machine *m, int node) {
  return &m->compiled->layers[nas_plan_layer(m->compiled, node)];
}

/* What a normalisation gives for its own segment can be made again; what other segments read, what
 * the caller reads, and what layers between two segments give cannot. */
static void what_is_stored(void **state) {
  (void)state;
  machine m =
      machine_with(graph("input size=4,3 channels=2; conv2d kernel=3 filters=5; batch_norm; conv2d "
                         "kernel=3 filters=5; batch_norm; conv2d kernel=3 filters=5; batch_norm; "
                         "test_sum(3,7); test_probe"),
                   2, NULL);
  static const struct {
    int node, output, gradient; /* whether they are stored */
  } expected[] = {{0, 1, -1}, {1, 1, 0}, {2, 1, 1}, {3, 1, 0}, {4, 0, 1}, {5, 1, 0}, {6, 0, 1}};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    const nas_layer *layer = layer_of(&m, expected[i].node);
    assert_int_equal(layer->output->scratch, !expected[i].output);
    assert_int_equal(layer->d_output ? !layer->d_output->scratch : -1, expected[i].gradient);
  }
  machine_free(&m);
}

/* All values of a channel equal, one image of one pixel, and NaN, which must not be lost. */
static void degenerate(void **state) {
  (void)state;
  float x[2] = {3, 3}, w[2] = {1, 1}, y[2];
  probe.weights = w;
  probe.y = y;
  machine m = machine_with(stack(NULL, "input size=1 channels=1; batch_norm; test_probe"), 2, NULL);
  nas_compiled_init(m.compiled, 1, m.params);
  machine_run(&m, x, 2, 1);
  check_float_bits(y[0], 0.0f);
  check_float_bits(y[1], 0.0f);
  machine_run(&m, x, 1, 1);
  check_float_bits(y[0], 0.0f);
  x[1] = NAN;
  machine_run(&m, x, 2, 0);
  assert_true(isnan(y[0]) && isnan(y[1]));
  machine_free(&m);
  probe.y = NULL;
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(values_and_gradients), TEST(no_bit_changes),
                                     TEST(running_statistics),   TEST(segments),
                                     TEST(what_is_stored),       TEST(degenerate)};
  nas_stream dice = nas_stream_open(3, "batch norm", NULL, 0);
  fill_uniform(&dice, images, ALL);
  fill_uniform(&dice, weights, ALL);
  fill_uniform(&dice, scale, CHANNELS);
  fill_uniform(&dice, offset, CHANNELS);
  for (int i = 0; i < ALL; i++) images[i] = images[i] * (float)(1 + i % CHANNELS) + 2;
  return cmocka_run_group_tests_name("batch_norm", tests, register_test_layers, NULL);
}
