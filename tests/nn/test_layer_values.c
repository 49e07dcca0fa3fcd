/* Layers and losses by hand: orders and sides, the points where a gradient is a convention, the
 * largest and the smallest numbers, the masks of dropout. */
#include "networks.h"
#include <nas/elementary.h>
#include "plan.h"

/* The values that leave the network, and in d_x, when not NULL, the gradients of their weighted sum
 * by the values of the images (weights NULL: all 1). */
static void run(const char *text, const float *images, int count, float *y, const float *weights,
                float *d_x) {
  static float ones[4096];
  char whole[400];
  const char *rest = strchr(text, ';');
  for (int i = 0; i < 4096; i++) ones[i] = 1;
  snprintf(whole, sizeof whole, "%.*s; test_watch%s; test_probe", (int)(rest - text), text, rest);
  machine m = machine_with(graph(whole), 3, NULL);
  probe.y = y;
  probe.weights = weights ? weights : ones;
  watched.d_y = d_x;
  machine_run(&m, images, count, d_x != NULL);
  probe.y = watched.d_y = NULL;
  probe.weights = NULL;
  machine_free(&m);
}

static void check_all(const float *got, const float *expected, int count) {
  for (int i = 0; i < count; i++) check_float_bits(got[i], expected[i]);
}

/* -- order and sides -------------------------------------------------------------------------- */

static void concat_in_the_middle(void **state) {
  (void)state;
  const float image[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; /* 3 x 4 */
  float y[24], d_x[12];
  run("input size=3,4 channels=1; max_pool; concat(2,3)", image, 1, y, NULL, d_x);
  /* 6 8 is one row of two: over it (3 - 1) / 2 rows of zeros, to its left (4 - 2) / 2 columns */
  const float expected[24] = {1, 0, 2, 0, 3, 0, 4,  0, 5,  0, 6,  6,
                              7, 8, 8, 0, 9, 0, 10, 0, 11, 0, 12, 0};
  check_all(y, expected, 24);
  const float gradient[12] = {1, 1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 1};
  check_all(d_x, gradient, 12);
  run("input size=3,4 channels=1; max_pool; concat(3,2) align=top_left", image, 1, y, NULL, d_x);
  const float corner[24] = {6, 1, 8, 2, 0, 3, 0, 4,  0, 5,  0, 6,
                            0, 7, 0, 8, 0, 9, 0, 10, 0, 11, 0, 12};
  check_all(y, corner, 24);
}

/* An odd zero goes below and to the right. */
static void concat_with_an_odd_zero(void **state) {
  (void)state;
  const float image[4] = {1, 2, 3, 4};
  float y[8];
  run("input size=2 channels=1; max_pool; concat(2,3)", image, 1, y, NULL, NULL);
  const float expected[8] = {1, 4, 2, 0, 3, 0, 4, 0};
  check_all(y, expected, 8);
}

static void vectors_in_order(void **state) {
  (void)state;
  const float image[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  float y[16];
  run("input size=2 channels=2; flatten; global_avg_pool(2); concat(3,4,4)", image, 1, y, NULL,
      NULL);
  const float expected[12] = {1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 4, 5};
  check_all(y, expected, 12);
}

static void padding_of_zeros(void **state) {
  (void)state;
  const float image[2] = {1, 2};
  float y[12], d_x[2];
  const float weights[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  run("input size=1,2 channels=1; zero_pad top=1 left=0 bottom=2 right=1", image, 1, y, weights,
      d_x);
  const float expected[12] = {0, 0, 0, 1, 2, 0};
  check_all(y, expected, 12);
  check_float_bits(d_x[0], 4);
  check_float_bits(d_x[1], 5);
}

/* What padding adds does not count, and the gradient is shared equally. */
static void averages_at_the_edge(void **state) {
  (void)state;
  const float image[4] = {2, 4, 8, 16};
  float y[4], d_x[4];
  run("input size=2 channels=1; avg_pool pool=2 stride=1 padding=same", image, 1, y, NULL, d_x);
  const float expected[4] = {7.5f, 10, 12, 16};
  const float gradient[4] = {0.25f, 0.75f, 0.75f, 2.25f};
  check_all(y, expected, 4);
  check_all(d_x, gradient, 4);
}

/* -- numbers ---------------------------------------------------------------------------------- */

typedef struct curve {
  const char *layer;
  float (*y)(float x);
  float at_zero; /* its gradient there */
} curve;

static float same(float x) {
  return x;
}
static float squared(float x) {
  return x * x;
}
static float rectified(float x) {
  return x < 0 ? 0 : x;
}
static float leaking(float x) {
  return x < 0 ? 0.25f * x : x;
}
static float scaled(float x) {
  return -3 * x + 0.5f;
}

static const curve curves[] = {
    {"identity", same, 1},  {"square", squared, 0},
    {"relu", rectified, 0}, {"leaky_relu slope=0.25", leaking, 0.25f},
    {"tanh", nas_tanhf, 1}, {"sigmoid", nas_sigmoidf, 0.25f},
    {"exp", nas_expf, 1},   {"log", nas_logf, INFINITY},
    {"abs", fabsf, 0},      {"scale factor=-3 offset=0.5", scaled, -3},
};

/* Bit for bit, what is not finite included. */
static void curves_are_exact(void **state) {
  (void)state;
  const float x[12] = {0.0f,  -0.0f,  1,      -1,       0.3f,      -2.7f,
                       1e30f, -1e30f, 1e-40f, INFINITY, -INFINITY, NAN};
  for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
    float y[12], d_x[12];
    char text[100];
    snprintf(text, sizeof text, "input size=2,3 channels=2; %s", curves[i].layer);
    run(text, x, 1, y, NULL, d_x);
    for (int k = 0; k < 11; k++) {
      float expected = curves[i].y(0.0f + x[k]); /* test_watch adds to 0 */
      if (isnan(expected))
        assert_true(isnan(y[k]));
      else
        check_float_bits(y[k], expected);
    }
    assert_true(isnan(y[11])); /* a loss that is no number is noticed */
    check_float_bits(d_x[0], curves[i].at_zero);
  }
}

static void sums(void **state) {
  (void)state;
  float x[6] = {0x1p25f, 1, 1, -0x1p25f, 1, 1}, y[1], d_x[6];
  run("input size=1,3 channels=2; sum", x, 1, y, NULL, d_x);
  check_float_bits(y[0], 4); /* in double */
  check_float_bits(d_x[5], 1);
  run("input size=1,3 channels=2; mean", x, 1, y, NULL, d_x);
  check_float_bits(y[0], (float)(4.0 / 6));
  check_float_bits(d_x[5], (float)(1.0 / 6));
}

static void classes_as_vectors(void **state) {
  (void)state;
  const float x[6] = {0, 2, 3, -1, 1.5f, NAN};
  float y[18];
  run("input size=1 channels=1; sum; one_hot classes=3", x, 6, y, NULL, NULL);
  for (int i = 0; i < 18; i++) check_float_bits(y[i], i == 0 || i == 5 ? 1.0f : 0.0f);
}

/* -- losses ----------------------------------------------------------------------------------- */

/* Of one image with that output and that target. */
static float loss_of(const char *loss, const char *target, float output, float t, float *d) {
  char text[200];
  float y, loss_y;
  snprintf(text, sizeof text, "input size=0 channels=1; test_watch; %s; %s(2,3)", target, loss);
  machine m = machine_with(graph(text), 1, NULL);
  m.targets = &t;
  m.loss = &loss_y;
  watched.d_y = &y;
  machine_run(&m, &output, 1, 1);
  watched.d_y = NULL;
  if (d) *d = y;
  machine_free(&m);
  return loss_y;
}

static void losses_by_hand(void **state) {
  (void)state;
  float d;
  check_float_bits(loss_of("mean_squared_error", "target values=1", 3, 1, &d), 4);
  check_float_bits(d, 4);
  check_float_bits(loss_of("huber", "target values=1", 1.5f, 1, &d), 0.125f);
  check_float_bits(d, 0.5f);
  check_float_bits(loss_of("huber", "target values=1", 1, 4, &d), 2.5f);
  check_float_bits(d, -1);
  check_float_bits(loss_of("huber", "target values=1", 2, 1, &d), 0.5f); /* at delta */
  check_float_bits(d, 1);
  assert_true(isnan(loss_of("huber", "target values=1", NAN, 1, NULL)));
}

/* No logit is too large, and e^-z is not lost beside 1. */
static void binary_cross_entropy(void **state) {
  (void)state;
  static const char *const targets[] = {"target values=1", "target"};
  for (int i = 0; i < 2; i++) {
    float d;
    check_near((double)loss_of("binary_cross_entropy", targets[i], 0, 1, &d), log(2), 1e-7);
    check_float_bits(d, -0.5f);
    check_float_bits(loss_of("binary_cross_entropy", targets[i], 1e30f, 0, &d), 1e30f);
    check_float_bits(d, 1);
    check_float_bits(loss_of("binary_cross_entropy", targets[i], -1e30f, 0, &d), 0);
    check_float_bits(d, 0);
    check_near((double)loss_of("binary_cross_entropy", targets[i], 60, 1, &d), exp(-60),
               1e-7 * exp(-60));
    assert_true(isnan(loss_of("binary_cross_entropy", targets[i], NAN, 0, NULL)));
    assert_false(isfinite(loss_of("binary_cross_entropy", targets[i], INFINITY, 0, NULL)));
  }
}

/* The gradient of a loss is multiplied by what comes from above. */
static void scaled_losses(void **state) {
  (void)state;
  const float x[2] = {3, -1};
  float y, d_x[2];
  run("input size=0 channels=2; identity; scale factor=0 offset=1; mean_squared_error(2,4); scale "
      "factor=8",
      x, 1, &y, NULL, d_x);
  check_float_bits(y, 32); /* 8 (4 + 4) / 2 */
  check_float_bits(d_x[0], 16);
  check_float_bits(d_x[1], -16);
}

static void classes_that_do_not_exist(void **state) {
  (void)state;
  const float logits[3] = {1, 2, 3};
  static const float wrong[] = {3, -1, NAN, 1e30f, -1e30f};
  machine m =
      machine_of(graph("input size=0 channels=3; test_watch; target; softmax_cross_entropy(2,3)"));
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    m.targets = &wrong[i];
    assert_true(isnan(machine_run(&m, logits, 1, 1)));
  }
  machine_free(&m);
}

/* -- dropout ---------------------------------------------------------------------------------- */

static int is_dropped(float y) {
  return y == 0 && signbit(y);
}

/* -0 is what was dropped and nothing else, and is where no gradient passes. */
static void dropped_is_minus_zero(void **state) {
  (void)state;
  enum { COUNT = 7 * 5 * 3, IMAGES = 9 };
  static float x[IMAGES * COUNT], y[IMAGES * COUNT], d_x[IMAGES * COUNT];
  static const float values[] = {0.0f, -0.0f, 1, -2, 1e-45f};
  int dropped[5] = {0}, all[5] = {0};
  for (int i = 0; i < IMAGES * COUNT; i++) x[i] = values[i % 5];
  run("input size=7,5 channels=3; dropout rate=0.25", x, IMAGES, y, NULL, d_x);
  float factor = (float)(1 / 0.75);
  for (int i = 0; i < IMAGES * COUNT; i++) {
    int gone = is_dropped(y[i]);
    if (!gone) check_float_bits(y[i], x[i] * factor + 0.0f);
    check_float_bits(d_x[i], gone ? 0.0f : factor);
    dropped[i % 5] += gone;
    all[i % 5]++;
  }
  for (int k = 0; k < 5; k++) /* within 5 standard deviations, whatever the value */
    check_near(dropped[k], 0.25 * all[k], 5 * sqrt(0.25 * 0.75 * all[k]));
}

/* One pass over the images of zeros and ones in the arena of m; y: which values are kept. */
static void mask_of(machine *m, uint64_t seed, int epoch, int32_t image, int training, float *y) {
  const nas_map *input = nas_compiled_input(m->compiled),
                *output = nas_compiled_output(m->compiled);
  nas_pass pass = {.arena = machine_arena(m, 0),
                   .params = m->params,
                   .derived = m->derived,
                   .images = 1,
                   .training = training,
                   .batch = 1,
                   .seed = seed,
                   .epoch = epoch,
                   .image = &image};
  for (size_t k = 0; k < map_size(input); k++)
    nas_map_data(input, machine_arena(m, 0))[map_index(input, 0, k)] = -0.0f;
  if (training)
    nas_compiled_forward(m->compiled, 0, &pass);
  else
    nas_compiled_evaluate(m->compiled, &pass);
  for (size_t k = 0; k < map_size(output); k++)
    y[k] = nas_map_data(output, machine_arena(m, 0))[map_index(output, 0, k)];
}

/* Another seed, epoch, image or layer: another mask; the same ones: the same. In evaluation all is
 * passed on as it is. */
static void masks(void **state) {
  (void)state;
  enum { COUNT = 9 * 9 };
  float first[COUNT], y[COUNT];
  machine m = machine_of(graph("input size=9 channels=1; dropout; test_probe"));
  machine second = machine_of(graph("input size=9 channels=1; identity; dropout; test_probe"));
  mask_of(&m, 1, 1, 5, 1, first);
  static const int addresses[][3] = {{1, 1, 5}, {2, 1, 5}, {1, 2, 5}, {1, 1, 6}};
  for (int i = 0; i < 4; i++) {
    mask_of(&m, (uint64_t)addresses[i][0], addresses[i][1], addresses[i][2], 1, y);
    assert_int_equal(memcmp(first, y, sizeof y) == 0, i == 0);
  }
  mask_of(&second, 1, 1, 5, 1, y);
  assert_int_not_equal(memcmp(first, y, sizeof y), 0);
  mask_of(&m, 1, 1, 5, 0, y);
  for (int i = 0; i < COUNT; i++) check_float_bits(y[i], -0.0f);
  machine_free(&m);
  machine_free(&second);
}

static void twins_have_masks_of_their_own(void **state) {
  (void)state;
  float x[100], y[200];
  for (int i = 0; i < 100; i++) x[i] = 1;
  run("input size=0 channels=100; dropout(2); dropout(2); concat(3,4)", x, 1, y, NULL, NULL);
  assert_int_not_equal(memcmp(y, y + 100, 100 * sizeof *y), 0);
}

/* -- depthwise -------------------------------------------------------------------------------- */

/* Images lie without padding, and what lies beside them must not come into the rows that are
 * padded. */
static void padding_beside_infinity(void **state) {
  (void)state;
  const float images[2 * 3] = {1, 2, 3, INFINITY, INFINITY, INFINITY};
  machine m = machine_with(graph("input size=1 channels=3; depthwise_conv2d kernel=3; test_probe"),
                           2, NULL);
  float ones[6] = {1, 1, 1, 1, 1, 1};
  nas_compiled_init(m.compiled, 1, m.params);
  probe.weights = ones;
  machine_run(&m, images, 2, 1);
  probe.weights = NULL;
  const nas_map *map = nas_compiled_output(m.compiled);
  for (int n = 0; n < 2; n++)
    for (int c = 3; c < map->stride; c++)
      check_float_bits(nas_map_data(map, machine_arena(&m, 0))[nas_map_at(map, n, 0, 0) + c], 0.0f);
  check_padding(&m, m.d_params);
  machine_free(&m);
}

static void relu_is_fused(void **state) {
  (void)state;
  machine m =
      machine_of(graph("input size=4 channels=3; depthwise_conv2d kernel=3; relu; test_probe"));
  assert_true(m.compiled->layers[1].relu && m.compiled->fused[2]);
  machine_free(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(concat_in_the_middle),
      TEST(concat_with_an_odd_zero),
      TEST(vectors_in_order),
      TEST(padding_of_zeros),
      TEST(averages_at_the_edge),
      TEST(curves_are_exact),
      TEST(sums),
      TEST(classes_as_vectors),
      TEST(losses_by_hand),
      TEST(binary_cross_entropy),
      TEST(scaled_losses),
      TEST(classes_that_do_not_exist),
      TEST(dropped_is_minus_zero),
      TEST(masks),
      TEST(twins_have_masks_of_their_own),
      TEST(padding_beside_infinity),
      TEST(relu_is_fused),
  };
  return cmocka_run_group_tests_name("layer_values", tests, register_test_layers, NULL);
}
