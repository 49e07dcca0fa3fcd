#include <time.h>
#include "networks.h"
#include "plan.h"
#include "tensor/tensors.h"

/* Every kind of layer, gradients that share memory, outputs with several consumers, rows with
 * padding; the caller owns it. */
static nas_node *network_with_everything(void) {
  nas_node *x = stack(NULL, "input size=11,9 channels=3; conv2d kernel=3,5 filters=17 stride=2,1");
  nas_node *a = stack(nas_node_retain(x), "relu; conv2d kernel=2 filters=5; "
                                          "max_pool pool=3 stride=1 padding=same; relu");
  nas_node *b = stack(nas_node_retain(x), "conv2d kernel=1 filters=5; relu; "
                                          "conv2d kernel=3 filters=5 bias=0; test_watch");
  nas_node *c = stack(x, "max_pool pool=2 stride=1 padding=same; depthwise_conv2d kernel=3,2; "
                         "relu; conv2d kernel=1,3 filters=5");
  nas_node *sum = JOIN("test_sum", nas_node_retain(b), a, b, c);
  nas_node *d = stack(nas_node_retain(sum), "global_avg_pool; dense units=6");
  nas_node *e = stack(sum, "conv2d kernel=3 filters=20 stride=3 padding=valid; dense units=9; "
                           "relu; dense units=6");
  return stack(JOIN("test_sum", d, e), "softmax_cross_entropy");
}

enum { IMAGES = 37, FLOATS = 11 * 9 * 3 };

static float *random_images(const char *purpose) {
  nas_stream dice = nas_stream_open(1, purpose, NULL, 0);
  float *images = floats((size_t)IMAGES * FLOATS);
  fill_uniform(&dice, images, (size_t)IMAGES * FLOATS);
  return images;
}

static int32_t labels[IMAGES];

/* Everything that a run gives. */
typedef struct results {
  float *d_params, loss[IMAGES];
  int32_t predicted[IMAGES];
} results;

/* `runs` runs of the images on one machine, the gradient of the last one. */
static results results_of(const float *images, int micro_batch, const nas_kernels *kernels,
                          int runs) {
  results r = {0};
  machine m = machine_with(network_with_everything(), micro_batch, kernels);
  assert_int_equal(nas_compiled_micro_batch(m.compiled), micro_batch);
  assert_ptr_equal(nas_compiled_kernels(m.compiled), kernels);
  nas_compiled_init(m.compiled, 3, m.params);
  float *before = floats(m.floats);
  memcpy(before, m.params, m.floats * sizeof(float));
  m.labels = labels;
  m.loss = r.loss;
  m.predicted = r.predicted;
  m.batch = IMAGES;
  for (int i = 0; i < runs; i++) {
    float *other = random_images("other images");
    machine_run(&m, other, i % 2 ? IMAGES : 3, 1);
    nas_free(other);
  }
  machine_clear_gradient(&m);
  machine_run(&m, images, IMAGES, 1);
  check_padding(&m, m.params);
  check_padding(&m, m.d_params);
  assert_memory_equal(before, m.params, m.floats * sizeof(float));
  r.d_params = floats(m.floats);
  memcpy(r.d_params, m.d_params, m.floats * sizeof(float));
  nas_free(before);
  machine_free(&m); /* sees to what lies around the arrays */
  return r;
}

/* -- bits ------------------------------------------------------------------------------------- */

static void check_same(const results *a, const results *b, size_t params) {
  for (int n = 0; n < IMAGES; n++) {
    check_float_bits(a->loss[n], b->loss[n]);
    assert_int_equal(a->predicted[n], b->predicted[n]);
  }
  for (size_t i = 0; i < params; i++) check_float_bits(a->d_params[i], b->d_params[i]);
}

static size_t param_floats(void) {
  machine m = machine_of(network_with_everything());
  size_t count = m.floats;
  machine_free(&m);
  return count;
}

static void micro_batch_changes_no_bit(void **state) {
  (void)state;
  float *images = random_images("images");
  const nas_kernels *best = nas_kernels_best();
  results one = results_of(images, 1, best, 0);
  for (int micro_batch = 1; micro_batch <= 16; micro_batch++) {
    results r = results_of(images, micro_batch, best, 0);
    check_same(&r, &one, param_floats());
    nas_free(r.d_params);
  }
  nas_free(one.d_params);
  nas_free(images);
}

static void kernels_change_no_bit(void **state) {
  (void)state;
  float *images = random_images("images");
  results scalar = results_of(images, 5, nas_kernels_named("scalar"), 0);
  const nas_kernels *kernels;
  for (int i = 1; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    results r = results_of(images, 4, kernels, 0);
    check_same(&r, &scalar, param_floats());
    nas_free(r.d_params);
  }
  nas_free(scalar.d_params);
  nas_free(images);
}

/* What an arena holds from earlier images plays no part. */
static void used_arenas_change_no_bit(void **state) {
  (void)state;
  float *images = random_images("images");
  results fresh = results_of(images, 4, nas_kernels_best(), 0);
  for (int runs = 1; runs < 4; runs++) {
    results r = results_of(images, 4, nas_kernels_best(), runs);
    check_same(&r, &fresh, param_floats());
    nas_free(r.d_params);
  }
  nas_free(fresh.d_params);
  nas_free(images);
}

/* -- times ------------------------------------------------------------------------------------ */

/* In canonical order: conv2d 1 with relu 2, batch_norm 3 with relu 4, conv2d 5. */
static const char timed_network[] = "input size=8 channels=3; conv2d kernel=3 filters=16; relu; "
                                    "batch_norm; relu; conv2d kernel=3 filters=16; "
                                    "global_avg_pool; dense units=6; softmax_cross_entropy";

/* The gradient of 16 images; the caller frees. */
static float *timed_gradient(const float *images, nas_layer_seconds *seconds, size_t *count) {
  machine m = machine_how(stack(NULL, timed_network), 5, NULL, NAS_WINOGRAD_ALL);
  nas_compiled_init(m.compiled, 3, m.params);
  m.seconds = seconds;
  m.labels = labels;
  machine_run(&m, images, 16, 1);
  float *gradient = floats(m.floats);
  memcpy(gradient, m.d_params, m.floats * sizeof(float));
  *count = m.floats;
  machine_free(&m);
  return gradient;
}

static void times_change_no_bit(void **state) {
  (void)state;
  enum { NODES = 10 };
  nas_layer_seconds seconds[NODES] = {{0, 0}};
  size_t count, same;
  float *images = random_images("images");
  float *plain = timed_gradient(images, NULL, &count);
  float *timed = timed_gradient(images, seconds, &same);
  assert_int_equal(count, same);
  assert_memory_equal(plain, timed, count * sizeof(float));
  for (int i = 0; i < NODES; i++) {
    int runs = i != 2 && i != 4;            /* fused */
    int goes_back = runs && i > 0 && i < 8; /* neither input nor target, which is before the loss */
    if (i < 8) assert_true((seconds[i].forward > 0) == runs);
    if (i < 8) assert_true((seconds[i].backward > 0) == goes_back);
  }
  assert_true(seconds[NODES - 1].forward > 0 && seconds[NODES - 1].backward > 0);
  nas_free(plain);
  nas_free(timed);
  nas_free(images);
}

/* -- how layers are computed ------------------------------------------------------------------ */

static void check_layer(const machine *m, int node, const char *kernel, int fused_into,
                        int64_t macs, int64_t done) {
  nas_compiled_layer l = nas_compiled_layer_at(m->compiled, node);
  assert_string_equal(l.work.kernel, kernel);
  assert_int_equal(l.fused_into, fused_into);
  assert_int_equal(l.work.macs, macs);
  assert_int_equal(l.work.done, done);
  assert_true((l.cycles > 0) == (*kernel != 0));
}

static void layers_tell_their_kernels(void **state) {
  (void)state;
  machine m = machine_how(stack(NULL, timed_network), 5, NULL, NAS_WINOGRAD_ALL);
  int64_t of_tiles = 2 * 2 * 36 * 16, first = 8 * 8 * 9 * 3 * 16, second = 8 * 8 * 9 * 16 * 16;
  check_layer(&m, 0, "", -1, 0, 0);
  check_layer(&m, 1, "Winograd F(4x4,3x3)", -1, 2 * first, 2 * 3 * of_tiles);
  check_layer(&m, 2, "", 1, 0, 0);
  check_layer(&m, 3, "normalise", -1, 0, 0);
  check_layer(&m, 4, "", 3, 0, 0);
  check_layer(&m, 5, "Winograd F(4x4,3x3)", -1, 3 * second, 3 * 16 * of_tiles);
  check_layer(&m, 6, "plain C", -1, 0, 0);
  check_layer(&m, 7, "dense", -1, 3 * 16 * 6, 2 * 16 * 16 + 6 * 16);
  nas_compiled_layer l = nas_compiled_layer_at(m.compiled, 5);
  assert_string_equal(l.work.table, nas_kernels_best()->name);
  assert_int_equal(l.map_bytes, 2 * 10 * 10 * 16 * 4);
  assert_string_equal(nas_compiled_layer_at(m.compiled, 3).work.table, nas_kernels_best()->name);
  machine_free(&m);

  /* the network's images, whose rows have no padding */
  m = machine_with(stack(NULL, "input size=9 channels=3; batch_norm; dense units=6; "
                               "softmax_cross_entropy"),
                   3, NULL);
  check_layer(&m, 1, "normalise", -1, 0, 0);
  assert_string_equal(nas_compiled_layer_at(m.compiled, 1).work.table, "scalar");
  machine_free(&m);

  m = machine_with(stack(NULL, "input size=9 channels=3; depthwise_conv2d kernel=5,3; relu; "
                               "conv2d kernel=1 filters=20 bias=0; conv2d kernel=3 filters=4 "
                               "stride=2; dense units=6; softmax_cross_entropy"),
                   3, NULL);
  check_layer(&m, 1, "depthwise 5x3", -1, 2 * 81 * 15 * 3, 2 * 81 * 15 * 16);
  assert_string_equal(nas_compiled_layer_at(m.compiled, 1).work.table, "scalar");
  check_layer(&m, 3, "1x1", -1, 3 * 81 * 3 * 20, 81 * (2 * 3 * 32 + 20 * 16));
  check_layer(&m, 4, "direct 3x3", -1, 3 * 25 * 9 * 20 * 4, 25 * 9 * (2 * 20 * 16 + 4 * 32));
  assert_int_equal(nas_compiled_layer_at(m.compiled, 3).weight_bytes, (3 * 32 + 20 * 16) * 4);
  machine_free(&m);

  nas_node *x = stack(NULL, "input size=9 channels=3; conv2d kernel=1 filters=17 bias=0");
  nas_node *y = stack(nas_node_retain(x), "max_pool pool=3,1 stride=1 padding=same");
  m = machine_with(stack(JOIN("add", x, y), "relu; dense units=6; softmax_cross_entropy"), 3, NULL);
  check_layer(&m, 2, "pool 3x1", -1, 0, 0);
  check_layer(&m, 3, "plain C", -1, 0, 0);
  check_layer(&m, 4, "", 3, 0, 0);
  machine_free(&m);

  /* 20 channels side by side: 3 and 17, each padded where their gradient is computed */
  m = machine_with(stack(graph("input size=9 channels=3; conv2d kernel=1 filters=17 bias=0; "
                               "concat(1,2); conv2d kernel=1 filters=4 bias=0"),
                         "dense units=6; softmax_cross_entropy"),
                   3, NULL);
  check_layer(&m, 2, "", 3, 0, 0);
  check_layer(&m, 3, "1x1", -1, 3 * 81 * 20 * 4, 81 * (2 * 20 * 16 + 4 * 48));
  assert_int_equal(nas_compiled_layer_at(m.compiled, 3).weight_bytes, (20 * 16 + 4 * 48) * 4);
  machine_free(&m);
}

/* -- values by hand --------------------------------------------------------------------------- */

static void check_outputs(nas_node *output, const float *image, const float *expected, int count) {
  float *y = floats((size_t)count);
  machine m = machine_of(stack(output, "test_probe"));
  for (size_t i = 0; i < m.count; i++) m.params[m.numbers[i]] = 1;
  probe.y = y;
  machine_run(&m, image, 1, 0);
  for (int i = 0; i < count; i++) check_float_bits(y[i], expected[i]);
  probe.y = NULL;
  machine_free(&m);
  nas_free(y);
}

static void outputs(void **state) {
  (void)state;
  const float image[] = {1, -2, 3, -0.0f, 5, -6};
  const float relu[] = {1, 0, 3, -0.0f, 5, 0};
  check_outputs(stack(NULL, "input size=2,3 channels=1; relu"), image, relu, 6);
  const float valid[] = {5};
  check_outputs(stack(NULL, "input size=2,3 channels=1; max_pool"), image, valid, 1);
  const float same[] = {5, 3};
  check_outputs(stack(NULL, "input size=2,3 channels=1; max_pool padding=same"), image, same, 2);
  const float overlap[] = {5, 5, 3, 5, 5, -6}; /* zeros of the padding would win over -6 */
  check_outputs(stack(NULL, "input size=2,3 channels=1; max_pool stride=1 padding=same"), image,
                overlap, 6);
  const float average[] = {1.0f / 6};
  check_outputs(stack(NULL, "input size=2,3 channels=1; global_avg_pool"), image, average, 1);
  const float three[] = {1, -1};
  check_outputs(stack(NULL, "input size=1,3 channels=2; global_avg_pool"),
                (const float[]){1, -1, 0, -2, 2, 0}, three, 2);
  const float dense[] = {2, 2}; /* the sum, 1, and a bias of 1 */
  check_outputs(stack(NULL, "input size=2,3 channels=1; dense units=2"), image, dense, 2);
  /* 1x2 windows, the zero on the right, and a bias of 1 */
  check_outputs(stack(NULL, "input size=2,3 channels=1; conv2d kernel=1,2 filters=1"), image,
                (const float[]){0, 2, 4, 6, 0, -5}, 6);
  check_outputs(stack(NULL, "input size=2,3 channels=1; conv2d kernel=1,2 filters=1; relu"), image,
                (const float[]){0, 2, 4, 6, 0, 0}, 6);
}

/* A ReLU joins the layer before it only when no other layer sees that layer's output. */
static void fused_where_it_may_be(void **state) {
  (void)state;
  const float image[] = {1, -2, 3, -4};
  nas_node *x = stack(NULL, "input size=2 channels=1; conv2d kernel=1 filters=1 bias=0");
  nas_node *y = stack(nas_node_retain(x), "relu");
  check_outputs(JOIN("test_sum", y, x), image, (const float[]){2, -2, 6, -4}, 4);
  x = stack(NULL, "input size=2 channels=1; conv2d kernel=1 filters=1 bias=0");
  y = stack(nas_node_retain(x), "relu");
  check_outputs(JOIN("test_sum", x, y), image, (const float[]){2, -2, 6, -4}, 4);
  y = stack(NULL, "input size=2 channels=1; conv2d kernel=1 filters=1 bias=0; relu");
  check_outputs(JOIN("test_sum", y, nas_node_retain(y)), image, (const float[]){2, 0, 6, 0}, 4);
  x = stack(NULL, "input size=2 channels=1; conv2d kernel=1 filters=1 bias=0");
  y = stack(nas_node_retain(x), "conv2d kernel=1 filters=1 bias=0");
  check_outputs(stack(JOIN("add", x, y), "relu"), image, (const float[]){2, 0, 6, 0}, 4);
  y = stack(NULL, "input size=2 channels=1; max_pool pool=1 stride=1; relu; relu");
  check_outputs(y, image, (const float[]){1, 0, 3, 0}, 4);
}

/* -- gradients that are not copied ------------------------------------------------------------ */

/* Whether the gradient of input k of node `node` lies where that of its output does. */
static int passed_on(const machine *m, int node, int k) {
  const nas_layer *layer = &m->compiled->layers[nas_plan_layer(m->compiled, node)];
  const nas_map *d_x = layer->d_inputs[k], *d_y = layer->d_output;
  return d_x->scratch == d_y->scratch && d_x->offset == d_y->offset && d_x->pitch == d_y->pitch &&
         d_x->image == d_y->image;
}

/* The first node of that kind, after node `after`. */
static int node_of(const machine *m, const char *kind, int after) {
  int node = after + 1;
  while (strcmp(nas_node_kind(nas_network_node(m->network, node))->name, kind) != 0) node++;
  return node;
}

/* Of a sum, one input takes over its gradient's place: not one that another layer wrote to before,
 * nor one that is added twice. */
static void sums_pass_gradients_on(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=5 channels=2; conv2d kernel=3 filters=17");
  nas_node *y = stack(nas_node_retain(x), "conv2d kernel=5 filters=17");
  machine m = machine_of(stack(JOIN("add", nas_node_retain(x), y),
                               "relu; conv2d kernel=2 filters=3; tanh; test_probe"));
  int sum = node_of(&m, "add", 0);
  assert_int_equal(passed_on(&m, sum, 0) + passed_on(&m, sum, 1), 1);
  assert_true(passed_on(&m, node_of(&m, "tanh", 0), 0));
  machine_free(&m);

  /* on the way back, the tanh writes to the gradient of x before the sum does */
  nas_node *z = stack(nas_node_retain(x), "tanh");
  y = stack(nas_node_retain(x), "conv2d kernel=1 filters=17");
  y = JOIN("add", nas_node_retain(x), y);
  m = machine_of(stack(JOIN("multiply", y, z), "test_probe"));
  sum = node_of(&m, "add", 0);
  int of_x = nas_node_input(nas_network_node(m.network, sum), 0) == x ? 0 : 1;
  const nas_layer *layer = &m.compiled->layers[nas_plan_layer(m.compiled, sum)];
  assert_int_equal(passed_on(&m, sum, of_x), !layer->accumulate[of_x]);
  assert_int_equal(passed_on(&m, sum, !of_x), layer->accumulate[of_x]);
  machine_free(&m);

  m = machine_of(stack(JOIN("add", x, nas_node_retain(x)), "test_probe"));
  assert_false(passed_on(&m, node_of(&m, "add", 0), 0));
  machine_free(&m);
}

/* A gradient that waits for another segment is stored, and what is passed on must be stored, too.
 */
static void stored_gradients_are_passed_on(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=5 channels=2; conv2d kernel=3 filters=17; batch_norm");
  nas_node *y = stack(nas_node_retain(x), "conv2d kernel=3 filters=17");
  nas_node *sum = JOIN("add", nas_node_retain(x), y);
  nas_node *z = stack(nas_node_retain(sum), "conv2d kernel=3 filters=17; batch_norm");
  machine m = machine_of(stack(JOIN("add", sum, z), "test_probe"));
  int first = node_of(&m, "add", 0), second = node_of(&m, "add", first);
  int of_x = nas_node_input(nas_network_node(m.network, first), 0) == x ? 0 : 1;
  assert_false(m.compiled->layers[nas_plan_layer(m.compiled, first)].d_output->scratch);
  assert_true(passed_on(&m, first, of_x));
  assert_false(passed_on(&m, first, !of_x));
  assert_true(m.compiled->layers[nas_plan_layer(m.compiled, second)].d_output->scratch);
  assert_false(passed_on(&m, second, 0) || passed_on(&m, second, 1));
  nas_node_release(&x);
  machine_free(&m);
}

static void nan_is_not_lost(void **state) {
  (void)state;
  const float image[] = {1, NAN, -3, -4};
  float y[1];
  machine m = machine_of(stack(NULL, "input size=2 channels=1; conv2d kernel=1 filters=1; relu; "
                                     "max_pool; relu; test_probe"));
  m.params[m.numbers[0]] = 1;
  probe.y = y;
  machine_run(&m, image, 1, 0);
  assert_true(isnan(y[0]));
  probe.y = NULL;
  machine_free(&m);
}

/* -- derived data ----------------------------------------------------------------------------- */

/* Any number of parts in any order makes the same. */
static void derived_in_parts(void **state) {
  (void)state;
  machine m = machine_of(network_with_everything());
  float *whole = floats(m.derived_floats);
  nas_compiled_init(m.compiled, 3, m.params);
  nas_compiled_derive(m.compiled, m.params, whole, 0, 1);
  for (int parts = 1; parts < 20; parts++) {
    memset(m.derived, 0, m.derived_floats * sizeof(float));
    for (int part = parts - 1; part >= 0; part--)
      nas_compiled_derive(m.compiled, m.params, m.derived, part, parts);
    assert_memory_equal(m.derived, whole, m.derived_floats * sizeof(float));
  }
  nas_free(whole);
  machine_free(&m);
}

/* -- initial weights -------------------------------------------------------------------------- */

static machine initial(nas_node *output, uint64_t seed) {
  machine m = machine_of(stack(output, "test_probe"));
  nas_compiled_init(m.compiled, seed, m.params);
  return m;
}

/* The parameters of set `index` without padding; count floats. */
static float *set_of(const machine *m, int index, size_t *count) {
  nas_param_place set = nas_compiled_param(m->compiled, index);
  *count = set.rows * (size_t)set.width;
  float *numbers = floats(*count);
  for (size_t r = 0; r < set.rows; r++)
    memcpy(numbers + r * (size_t)set.width, &m->params[param_at(&set, r, 0)],
           (size_t)set.width * sizeof(float));
  return numbers;
}

/* 1 when set a of m and set b of n hold the same bits. */
static int equal_sets(const machine *m, int a, const machine *n, int b) {
  size_t size, other;
  float *x = set_of(m, a, &size), *y = set_of(n, b, &other);
  int equal = size == other && memcmp(x, y, size * sizeof(float)) == 0;
  nas_free(x);
  nas_free(y);
  return equal;
}

static void weights_depend_on_what_is_upstream(void **state) {
  (void)state;
  static const char head[] = "input size=9 channels=2; conv2d kernel=3 filters=7; relu; "
                             "conv2d kernel=2 filters=7";
  machine a = initial(stack(NULL, head), 1), again = initial(stack(NULL, head), 1);
  machine seed = initial(stack(NULL, head), 2);
  machine longer = initial(stack(stack(NULL, head), "relu; global_avg_pool; dense units=3"), 1);
  machine other = initial(stack(NULL, "input size=9 channels=2; conv2d kernel=3 filters=7; "
                                      "max_pool; conv2d kernel=2 filters=7"),
                          1);
  nas_node *x = stack(NULL, "input size=9 channels=2");
  nas_node *y = stack(nas_node_retain(x), "conv2d kernel=5 filters=7");
  nas_node *z = stack(x, "conv2d kernel=3 filters=7; relu; conv2d kernel=2 filters=7");
  machine branches = initial(JOIN("test_sum", y, z), 1); /* set 0, 1: the kernel of 5x5 */
  for (int set = 0; set < 4; set++) {
    int bias = set % 2; /* zeros */
    assert_true(equal_sets(&a, set, &again, set));
    assert_true(equal_sets(&a, set, &longer, set));
    assert_true(equal_sets(&a, set, &branches, set + 2));
    assert_int_equal(equal_sets(&a, set, &seed, set), bias);
    assert_int_equal(equal_sets(&a, set, &other, set), bias || set == 0);
  }
  machine_free(&a);
  machine_free(&again);
  machine_free(&seed);
  machine_free(&longer);
  machine_free(&other);
  machine_free(&branches);
}

static void siblings_differ(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=9 channels=2");
  nas_node *a = stack(nas_node_retain(x), "conv2d kernel=3 filters=7");
  nas_node *b = stack(nas_node_retain(x), "conv2d kernel=3 filters=7");
  machine both = initial(JOIN("test_sum", a, b), 1);
  machine one = initial(stack(x, "conv2d kernel=3 filters=7"), 1);
  assert_false(equal_sets(&both, 0, &both, 2));
  assert_true(equal_sets(&both, 0, &one, 0));
  machine_free(&both);
  machine_free(&one);
}

/* The address of the stream, as it is documented. */
static void weights_by_their_address(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=9 channels=2");
  nas_node *a = stack(nas_node_retain(x), "conv2d kernel=2 filters=17");
  nas_node *b = stack(x, "conv2d kernel=2 filters=17");
  nas_hash hash = nas_node_hash(a);
  machine m = initial(JOIN("test_sum", a, b), 99);
  float range = (float)sqrt(6.0 / (2 * 2 * 2 + 2 * 2 * 17));
  for (uint64_t occurrence = 0; occurrence < 2; occurrence++) {
    size_t count;
    float *kernel = set_of(&m, 2 * (int)occurrence, &count);
    const uint64_t address[] = {hash.high, hash.low, occurrence, 0};
    nas_stream stream = nas_stream_open(99, "weights", address, 4);
    assert_int_equal(count, 2 * 2 * 2 * 17);
    for (size_t i = 0; i < count; i++)
      check_float_bits(kernel[i], (2 * nas_stream_float(&stream) - 1) * range);
    nas_free(kernel);
  }
  machine_free(&m);
}

/* Uniform in [-range, range): 16 bins within 5 standard deviations, the ends nearly reached; a bias
 * is zero. */
static void check_distribution(const char *network, double range) {
  enum { BINS = 16 };
  size_t count, bins[BINS] = {0};
  machine m = initial(stack(NULL, network), 7);
  float *kernel = set_of(&m, 0, &count), *bias;
  float largest = 0;
  for (size_t i = 0; i < count; i++) {
    double place = ((double)kernel[i] / range + 1) / 2;
    assert_true(place >= -1e-6 && place < 1 + 1e-6);
    bins[place < 0 ? 0 : place < 1 ? (int)(place * BINS) : BINS - 1]++;
    largest = fmaxf(largest, fabsf(kernel[i]));
  }
  double expected = (double)count / BINS;
  for (int i = 0; i < BINS; i++) check_near((double)bins[i], expected, 5 * sqrt(expected));
  assert_true((double)largest > 0.99 * range);
  bias = set_of(&m, 1, &count);
  for (size_t i = 0; i < count; i++) check_float_bits(bias[i], 0.0f);
  nas_free(kernel);
  nas_free(bias);
  machine_free(&m);
}

static void distributions(void **state) {
  (void)state;
  check_distribution("input size=9 channels=20; conv2d kernel=3,5 filters=33",
                     sqrt(6.0 / (3 * 5 * 20 + 3 * 5 * 33)));
  check_distribution("input size=9 channels=20; conv2d kernel=3,5 filters=33 init=he_uniform",
                     sqrt(6.0 / (3 * 5 * 20)));
  check_distribution("input size=9 channels=20; conv2d kernel=3,5 filters=33 init=uniform", 0.05);
  check_distribution("input size=9 channels=20; conv2d kernel=3,5 filters=33 init=uniform "
                     "init_range=2.5",
                     2.5);
  check_distribution("input size=9,8 channels=20; dense units=13", sqrt(6.0 / (9 * 8 * 20 + 13)));
  check_distribution("input size=9,8 channels=20; dense units=13 init=he_uniform",
                     sqrt(6.0 / (9 * 8 * 20)));
}

/* -- parameter sets --------------------------------------------------------------------------- */

static void parameter_sets(void **state) {
  (void)state;
  machine m = machine_of(stack(NULL, "input size=9,8 channels=3; conv2d kernel=2,4 filters=17; "
                                     "relu; dense units=5 bias=0; test_probe"));
  static const struct {
    int node;
    const char *role;
    int rank, dim[4];
    size_t rows;
    int width;
  } expected[] = {{1, "kernel", 4, {2, 4, 3, 17}, 24, 17},
                  {1, "bias", 1, {17}, 1, 17},
                  {3, "kernel", 2, {9 * 8 * 17, 5}, 9 * 8 * 17, 5}};
  size_t end = 0;
  assert_int_equal(nas_compiled_param_count(m.compiled), 3);
  for (int i = 0; i < 3; i++) {
    nas_param_place set = nas_compiled_param(m.compiled, i);
    assert_int_equal(set.node, expected[i].node);
    assert_string_equal(set.is.role, expected[i].role);
    assert_int_equal(set.is.rank, expected[i].rank);
    for (int d = 0; d < set.is.rank; d++) assert_int_equal(set.is.dim[d], expected[i].dim[d]);
    assert_int_equal(set.rows, expected[i].rows);
    assert_int_equal(set.width, expected[i].width);
    assert_int_equal(set.at % NAS_LANES, 0);
    assert_true(set.at >= end);
    end = set.at + set.rows * (size_t)nas_row(set.width);
  }
  assert_true(end <= m.floats);
  machine_free(&m);
}

/* -- misuse ----------------------------------------------------------------------------------- */

static void refused(void **state) {
  (void)state;
  nas_compiled *compiled = (nas_compiled *)16;
  nas_network *open = network_of(stack(NULL, "input size=3 channels=1; relu"));
  check_refused(
      nas_compiled_create(&compiled, open, NULL, &err), NAS_ARGUMENT, compiled,
      "a network to train must end in a loss, one number for each image; this one ends in "
      "relu of shape 3x3x1");
  nas_network_destroy(&open);

  nas_network *fine = network_of(stack(NULL, "input size=3 channels=1; test_probe"));
  static const int wrong[] = {-1, 17, INT32_MAX, INT32_MIN};
  for (int i = 0; i < 4; i++) {
    nas_compile_options options = {.micro_batch = wrong[i]};
    check_refused(nas_compiled_create(&compiled, fine, &options, &err), NAS_ARGUMENT, compiled,
                  "expected 1 to 16, or 0 to choose");
  }
  setenv("LUANAS_ISA", "avx9", 1);
  check_refused(nas_compiled_create(&compiled, fine, NULL, &err), NAS_ARGUMENT, compiled,
                "LUANAS_ISA is \"avx9\"; this machine has scalar, baseline");
  unsetenv("LUANAS_ISA");
  nas_error err;
  check_ok(nas_compiled_create(&compiled, fine, NULL, &err), &err);
  assert_in_range(nas_compiled_micro_batch(compiled), 1, 16);
  assert_ptr_equal(nas_compiled_kernels(compiled), nas_kernels_best());
  nas_compiled_destroy(&compiled);
  nas_compiled_destroy(&compiled);
  nas_compiled_destroy(NULL);
  nas_network_destroy(&fine);
}

/* 33 million values in rows of 16 floats, 16 images, and their gradients. */
static void too_large(void **state) {
  (void)state;
  nas_compiled *compiled;
  nas_network *network = network_of(stack(
      NULL, "input size=5792 channels=1; conv2d kernel=1 filters=1; conv2d kernel=1 filters=1; "
            "max_pool stride=16; dense units=2; softmax_cross_entropy"));
  nas_compile_options options = {.micro_batch = 16};
  check_refused(nas_compiled_create(&compiled, network, &options, &err), NAS_LIMIT, compiled,
                "network: activations take ");
  nas_network_destroy(&network);
}

/* Memory for the lists of a dense layer upon a map grows with the map, not with its square. */
static void dense_on_a_large_map(void **state) {
  (void)state;
  size_t before = nas_memory_used().bytes;
  machine m = machine_with(stack(NULL, "input size=128 channels=1; conv2d kernel=1 filters=1; "
                                       "dense units=1; test_probe"),
                           1, NULL);
  assert_in_range(nas_memory_used().bytes - before, 1, 32 << 20);
  machine_free(&m);
}

/* All gradients of a long chain are alive at once: each sum passes one on, and gives another. The
 * time to place them grows with the square of their number, not with its cube. */
static void many_gradients_at_once(void **state) {
  (void)state;
  enum { LONG = 4000 };
  nas_node **chain = malloc(LONG * sizeof(nas_node *));
  assert_non_null(chain);
  nas_node *x = stack(NULL, "input size=1 channels=1; conv2d kernel=1 filters=1");
  for (int i = 0; i < LONG; i++) chain[i] = x = stack(i ? nas_node_retain(x) : x, "tanh");
  for (int i = 0; i < LONG - 1; i++) x = JOIN("add", x, chain[i]);
  free(chain);
  nas_network *network = network_of(stack(x, "global_avg_pool; dense units=1; test_probe"));
  nas_compiled *compiled;
  nas_error err;
  clock_t began = clock();
  check_ok(nas_compiled_create(&compiled, network, NULL, &err), &err);
  assert_in_range((clock() - began) / CLOCKS_PER_SEC, 0, 9);
  nas_compiled_destroy(&compiled);
  nas_network_destroy(&network);
}

static void without_memory(void **state) {
  (void)state;
  nas_compiled *compiled;
  nas_network *network = network_of(network_with_everything());
  check_starved(nas_compiled_create(&compiled, network, NULL, NULL), compiled);
  nas_compiled_destroy(&compiled);
  nas_network_destroy(&network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(outputs),
      TEST(fused_where_it_may_be),
      TEST(sums_pass_gradients_on),
      TEST(stored_gradients_are_passed_on),
      TEST(nan_is_not_lost),
      TEST(micro_batch_changes_no_bit),
      TEST(kernels_change_no_bit),
      TEST(used_arenas_change_no_bit),
      TEST(times_change_no_bit),
      TEST(layers_tell_their_kernels),
      TEST(derived_in_parts),
      TEST(weights_depend_on_what_is_upstream),
      TEST(siblings_differ),
      TEST(weights_by_their_address),
      TEST(distributions),
      TEST(parameter_sets),
      TEST(refused),
      TEST(too_large),
      TEST(dense_on_a_large_map),
      TEST(many_gradients_at_once),
      TEST(without_memory),
  };
  for (int n = 0; n < IMAGES; n++) labels[n] = n * 7 % 6;
  return cmocka_run_group_tests_name("compiled", tests, register_test_layers, NULL);
}
