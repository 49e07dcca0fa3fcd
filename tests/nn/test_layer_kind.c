/* Kinds of layers from outside the library: y = scale * x + shift, with a scale for each channel, a
 * shift from its options, and a list that it builds and frees; and the swish of examples/swish.c.
 */
#include "networks.h"
#include "tensor/tensors.h"

enum { SHIFT, ROUNDS, OPTION_COUNT };
static const nas_option affine_options[OPTION_COUNT] = {
    [SHIFT] = {"shift", NAS_OPTION_NUMBER, 0, 0.5, -10, 10, NULL, "What is added."},
    [ROUNDS] = {"rounds", NAS_OPTION_INTEGER, 0, 1, 1, 4, NULL, "Memory that is built and freed."},
};

static int affine_params(const nas_option_value *values, const nas_shape *inputs,
                         nas_param *params) {
  (void)values;
  params[0] = (nas_param){
      .role = "scale", .rank = 1, .dim = {inputs[0].dim[inputs[0].rank - 1]}, .init = NAS_INIT_ONE};
  return 1;
}

static int64_t affine_macs(const nas_option_value *values, const nas_shape *inputs,
                           nas_shape output) {
  (void)values, (void)inputs;
  return nas_shape_size(output);
}

static nas_status affine_compile(nas_layer *layer, nas_error *err) {
  size_t bytes = 1000 * (size_t)layer->options[ROUNDS].integer;
  layer->data = nas_alloc(bytes, 1);
  return layer->data ? NAS_OK : nas_fail_memory(err, "an affine layer", bytes);
}

static void affine_release(nas_layer *layer) {
  nas_free(layer->data);
  layer->data = NULL;
}

static void affine_forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *scale = pass->params + layer->params[0];
  float shift = (float)layer->options[SHIFT].number;
  for (int n = 0; n < pass->images; n++)
    for (size_t i = 0; i < map_size(in); i++)
      nas_map_data(out, pass->arena)[map_index(out, n, i)] =
          scale[i % (size_t)in->channels] * nas_map_data(in, pass->arena)[map_index(in, n, i)] +
          shift;
}

static void affine_backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *d_out = layer->d_output;
  const float *scale = pass->params + layer->params[0];
  for (int n = 0; n < pass->images; n++)
    for (size_t i = 0; i < map_size(in); i++) {
      size_t c = i % (size_t)in->channels;
      float d_y = nas_map_data(d_out, pass->arena)[map_index(d_out, n, i)];
      pass->d_params[layer->params[0] + c] +=
          d_y * nas_map_data(in, pass->arena)[map_index(in, n, i)];
      give_gradient(layer, pass, 0, n, i, d_y * scale[c]);
    }
}

static const nas_layer_kind affine = {
    .name = "test_affine",
    .options = {"test_affine", affine_options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = same_shape,
    .params = affine_params,
    .macs = affine_macs,
    .compile = affine_compile,
    .release = affine_release,
    .forward = affine_forward,
    .backward = affine_backward,
};

static void in_a_network(void **state) {
  (void)state;
  nas_network *network =
      network_of(stack(NULL, "input size=2,3 channels=2; test_affine shift=0.25; global_avg_pool"));
  assert_string_equal(nas_network_text(network), "1 input size=2,3 channels=2\n"
                                                 "2 test_affine(1) shift=0.25 rounds=1\n"
                                                 "3 global_avg_pool(2)\n");
  assert_int_equal(nas_network_params(network), 2);
  assert_int_equal(nas_network_macs(network), 12);
  nas_network_destroy(&network);
}

/* Between layers of the library, with the gradient through it. */
static void runs_and_learns(void **state) {
  (void)state;
  const float image[] = {1, -2, 3, -4}, weights[] = {1, 10, 100, 1000};
  float y[4];
  machine m = machine_of(stack(NULL, "input size=2 channels=1; conv2d kernel=1 filters=1; "
                                     "test_affine; relu; test_affine shift=1; test_probe"));
  assert_int_equal(m.count, 4); /* kernel, bias, two scales */
  nas_compiled_init(m.compiled, 1, m.params);
  check_float_bits(m.params[m.numbers[2]], 1.0f);
  const float values[] = {2, 0.5f, 3, -1};
  for (int i = 0; i < 4; i++) m.params[m.numbers[i]] = values[i];
  probe.y = y;
  probe.weights = weights;
  machine_run(&m, image, 1, 1);
  probe.y = NULL;
  probe.weights = NULL;
  /* conv 2.5 -3.5 6.5 -7.5; affine 8 -10 20 -22; relu 8 0 20 0; affine */
  const float expected[] = {-7, 1, -19, 1};
  for (int i = 0; i < 4; i++) check_float_bits(y[i], expected[i]);
  /* d scale 2 = 8 * 1 + 20 * 100; below it -1 0 -100 0; d scale 1 = -2.5 - 650; times 3; x */
  const float gradient[] = {-3 * 1 - 300 * 3, -3 - 300, -2.5f - 650, 8 + 2000};
  for (int i = 0; i < 4; i++) check_float_bits(m.d_params[m.numbers[i]], gradient[i]);
  machine_free(&m);
}

/* -- the example of core/nn/LAYERS.md --------------------------------------------------------- */

extern const nas_layer_kind swish;

enum { IMAGES = 3, PIXELS = 4, CHANNELS = 5, VALUES = IMAGES * PIXELS * CHANNELS };

/* The sum of weights * swish(x) over all values. */
static double naive_swish(const double *x, const double *beta, int per_channel,
                          const float *weights, double *y) {
  double sum = 0;
  for (int i = 0; i < VALUES; i++) {
    double v = x[i] / (1 + exp(-beta[per_channel ? i % CHANNELS : 0] * x[i]));
    if (y) y[i] = v;
    sum += (double)weights[i] * v;
  }
  return sum;
}

/* By central differences in one of the numbers. */
static double swish_slope(double *at, const double *x, const double *beta, int per_channel,
                          const float *weights) {
  const double h = 1e-6, here = *at;
  *at = here + h;
  double above = naive_swish(x, beta, per_channel, weights, NULL);
  *at = here - h;
  double below = naive_swish(x, beta, per_channel, weights, NULL);
  *at = here;
  return (above - below) / (2 * h);
}

/* Its output and its gradients; the second consumer of its input is there before or after it. */
static void check_swish(int per_channel, const char *lines) {
  float images[VALUES], weights[VALUES], y[VALUES], d_x[VALUES];
  double x[VALUES], beta[CHANNELS], expected[VALUES];
  char text[200];
  nas_stream dice = nas_stream_open(1, "swish", NULL, 0);
  fill_uniform(&dice, images, VALUES);
  fill_uniform(&dice, weights, VALUES);
  snprintf(text, sizeof text, "input size=2 channels=5; test_watch; %s; test_probe", lines);
  machine m = machine_with(graph(text), 2, NULL);
  assert_int_equal(m.count, 1 + (per_channel ? CHANNELS : 1));
  for (int c = 0; c < CHANNELS; c++) beta[c] = 0.5 + c;
  for (size_t c = 1; c < m.count; c++) m.params[m.numbers[c]] = (float)beta[c - 1];
  for (int i = 0; i < VALUES; i++) x[i] = (double)images[i];
  probe.weights = weights;
  probe.y = y;
  watched.d_y = d_x;
  machine_run(&m, images, IMAGES, 1);
  probe.y = watched.d_y = NULL;
  probe.weights = NULL;
  naive_swish(x, beta, per_channel, weights, expected);
  double beside = strstr(lines, "test_sum") ? 1 : 0; /* x itself is added */
  for (int i = 0; i < VALUES; i++) {
    check_near((double)y[i], expected[i] + beside * x[i], 1e-6);
    check_near((double)d_x[i],
               swish_slope(&x[i], x, beta, per_channel, weights) + beside * (double)weights[i],
               1e-6);
  }
  for (size_t c = 1; c < m.count; c++)
    check_near((double)m.d_params[m.numbers[c]],
               swish_slope(&beta[c - 1], x, beta, per_channel, weights), 3e-6);
  check_padding(&m, m.d_params);
  machine_free(&m);
}

static void the_example(void **state) {
  (void)state;
  check_swish(1, "swish");
  check_swish(0, "swish per_channel=0");
  check_swish(1, "swish; test_sum(2,3)");
  check_swish(1, "swish; test_sum(3,2)");
}

/* What compile made is released, also when a later layer's compile fails. */
static void without_memory(void **state) {
  (void)state;
  nas_compiled *compiled;
  nas_network *network =
      network_of(stack(NULL, "input size=3 channels=1; test_affine rounds=4; "
                             "conv2d kernel=2 filters=3; test_affine; test_probe"));
  check_starved(nas_compiled_create(&compiled, network, NULL, NULL), compiled);
  nas_compiled_destroy(&compiled);
  nas_network_destroy(&network);
}

static void finding(void **state) {
  (void)state;
  static const char *const built_in[] = {"input", "target", "conv2d", "depthwise_conv2d"};
  nas_error err;
  enum { BUILT_IN = sizeof built_in / sizeof *built_in };
  for (int i = 0; i < BUILT_IN; i++) {
    assert_string_equal(nas_layer_kind_at(i)->name, built_in[i]);
    assert_ptr_equal(nas_layer_kind_find(built_in[i], &err), nas_layer_kind_at(i));
  }
  assert_ptr_equal(nas_layer_kind_find("test_affine", &err), &affine);
  assert_null(nas_layer_kind_at(-1));
  assert_null(nas_layer_kind_at(127));
  assert_null(nas_layer_kind_at(128));
  assert_null(nas_layer_kind_at(INT32_MAX));
  assert_null(nas_layer_kind_find("convolution", &err));
  assert_int_equal(err.code, NAS_ARGUMENT);
  check_contains(err.text, "unknown layer \"convolution\"; known layers: input, target, conv2d, ");
  check_contains(err.text, "test_affine");
  assert_null(nas_layer_kind_find("", NULL));
  nas_memory_fail_after(0); /* the message then has no names */
  assert_null(nas_layer_kind_find("convolution", &err));
  nas_memory_fail_after(-1);
  assert_int_equal(err.code, NAS_ARGUMENT);
}

static void check_refused_kind(nas_layer_kind kind, nas_status status, const char *message) {
  nas_error err = {0};
  assert_int_equal(nas_layer_kind_register(&kind, &err), status);
  assert_string_equal(err.text, message);
}

static void refused(void **state) {
  (void)state;
  nas_layer_kind kind = affine;
  check_refused_kind(kind, NAS_ARGUMENT, "layer kind \"test_affine\" is registered already");
  kind.name = "conv2d";
  check_refused_kind(kind, NAS_ARGUMENT, "layer kind \"conv2d\" is registered already");
  static const char missing[] =
      "layer kind \"test_other\": name, shape, forward and backward are required";
  kind.name = "test_other";
  kind.shape = NULL;
  check_refused_kind(kind, NAS_ARGUMENT, missing);
  kind = affine, kind.name = "test_other", kind.forward = NULL;
  check_refused_kind(kind, NAS_ARGUMENT, missing);
  kind = affine, kind.name = "test_other", kind.backward = NULL;
  check_refused_kind(kind, NAS_ARGUMENT, missing);
  kind = affine, kind.name = NULL;
  check_refused_kind(kind, NAS_ARGUMENT,
                     "layer kind \"\": name, shape, forward and backward are required");
  kind = affine, kind.name = "test_other", kind.release = NULL;
  check_refused_kind(kind, NAS_ARGUMENT,
                     "layer kind \"test_other\": what compile builds needs a release");
  kind = *nas_layer_kind_find("batch_norm", NULL), kind.name = "test_other", kind.collect = NULL;
  check_refused_kind(kind, NAS_ARGUMENT,
                     "layer kind \"test_other\": sums need collect and collect_backward");
  kind = *nas_layer_kind_find("conv2d", NULL), kind.name = "test_other", kind.derive = NULL;
  check_refused_kind(kind, NAS_ARGUMENT, "layer kind \"test_other\": derived data needs derive");
  kind = *nas_layer_kind_find("conv2d", NULL), kind.name = "test_other", kind.finish = NULL;
  check_refused_kind(kind, NAS_ARGUMENT, "layer kind \"test_other\": what is kept needs finish");
  kind = *nas_layer_kind_find("conv2d", NULL), kind.name = "test_other", kind.max_inputs = 2;
  check_refused_kind(kind, NAS_ARGUMENT, "layer kind \"test_other\": what joins has one input");
  kind = affine, kind.name = "test_other", kind.max_inputs = NAS_INPUTS_MAX + 1;
  check_refused_kind(kind, NAS_ARGUMENT,
                     "layer kind \"test_other\": at most 64 inputs and 16 options");
  kind = affine, kind.name = "test_other", kind.options.count = NAS_OPTIONS_MAX + 1;
  check_refused_kind(kind, NAS_ARGUMENT,
                     "layer kind \"test_other\": at most 64 inputs and 16 options");
  assert_null(nas_layer_kind_find("test_other", NULL));
}

/* The last test: afterwards the table is full. */
static void full_table(void **state) {
  (void)state;
  enum { MANY = 128 };
  static nas_layer_kind kinds[MANY];
  static char names[MANY][20];
  nas_error err = {0};
  int count = 0;
  while (nas_layer_kind_at(count)) count++;
  for (int i = 0; count < 128; i++, count++) {
    snprintf(names[i], sizeof names[i], "test_%d", i);
    kinds[i] = affine;
    kinds[i].name = names[i];
    check_ok(nas_layer_kind_register(&kinds[i], &err), &err);
    assert_ptr_equal(nas_layer_kind_at(count), &kinds[i]);
  }
  kinds[MANY - 1] = affine;
  kinds[MANY - 1].name = "test_one_more";
  check_refused_kind(kinds[MANY - 1], NAS_LIMIT,
                     "layer kind \"test_one_more\": the table holds 128 kinds");
  nas_node *x = stack(NULL, "input size=1 channels=1; test_0; test_7");
  nas_node_release(&x);
  assert_null(nas_layer_kind_find("convolution", &err)); /* a long list of names, cut */
  assert_int_equal(err.code, NAS_ARGUMENT);
}

static int set_up(void **state) {
  return register_test_layers(state) || nas_layer_kind_register(&affine, NULL) ||
         nas_layer_kind_register(&swish, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(in_a_network), TEST(runs_and_learns), TEST(the_example), TEST(without_memory),
      TEST(finding),      TEST(refused),         TEST(full_table),
  };
  return cmocka_run_group_tests_name("layer_kind", tests, set_up, NULL);
}
