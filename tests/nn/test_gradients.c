/* The gradient of every kind of layer against differences.
 *
 * With whole numbers for images and half a bias, all sums and products of a small network are exact
 * in float, and the loss (test_probe) is linear in the output. So in one weight, or along a
 * direction in the weights of one layer, the loss is piecewise affine, and
 *   L(w + d) - L(w - d) = 2 d dL/dw
 * holds exactly, not within a bound, unless a ReLU or a maximum changes its mind in between; then
 * some output has y(w + d) + y(w - d) other than 2 y(w), and the sample is passed over. */
#include "networks.h"

/* -- exact differences ------------------------------------------------------------------------ */

typedef struct sample {
  int tried, smooth; /* weights, and those where nothing changed its mind */
} sample;

static const double step = 1.0 / 16;

/* What a network and its inputs are, while its weights move. */
typedef struct trial {
  machine m;
  const char *text;
  float *images, *y[3]; /* outputs above, here and below */
  int count;            /* images */
  size_t outputs;
} trial;

/* The loss, and the outputs in y, after weights[i] += size * direction[i]. */
static double loss_at(trial *t, const float *direction, double size, float *y) {
  machine *m = &t->m;
  for (size_t i = 0; i < m->count; i++) m->params[m->numbers[i]] += (float)size * direction[i];
  probe.y = y;
  machine_run(m, t->images, t->count, 0);
  probe.y = NULL;
  for (size_t i = 0; i < m->count; i++) m->params[m->numbers[i]] -= (float)size * direction[i];
  return probe.loss;
}

static void check_direction(trial *t, const float *direction, sample *s) {
  double expected = 0;
  for (size_t i = 0; i < t->m.count; i++)
    expected += (double)direction[i] * (double)t->m.d_params[t->m.numbers[i]];
  double above = loss_at(t, direction, step, t->y[0]);
  double below = loss_at(t, direction, -step, t->y[2]);
  s->tried++;
  for (size_t i = 0; i < t->outputs; i++)
    if ((double)t->y[0][i] + (double)t->y[2][i] != 2 * (double)t->y[1][i]) return;
  s->smooth++;
  if (above - below != 2 * step * expected)
    fail_msg("%s: difference %.17g, gradient %.17g", t->text, (above - below) / (2 * step),
             expected);
}

/* Single weights and random directions within each parameter set. */
static void check_directions(trial *t, nas_stream *dice, sample *s) {
  enum { SINGLE = 6, MIXED = 2 };
  float *direction = floats(t->m.count);
  size_t first = 0;
  for (int set = 0; set < nas_compiled_param_count(t->m.compiled); set++) {
    nas_param_place p = nas_compiled_param(t->m.compiled, set);
    size_t size = p.rows * (size_t)p.width;
    for (int i = 0; i < SINGLE + MIXED; i++) {
      memset(direction, 0, t->m.count * sizeof *direction);
      if (i < SINGLE)
        direction[first + nas_stream_below(dice, (uint32_t)size)] = 1;
      else
        fill_integers(dice, direction + first, size, 1);
      check_direction(t, direction, s);
    }
    first += size;
  }
  nas_free(direction);
}

/* Biases get a half, so that nothing is at the kink of a ReLU over whole numbers. */
static void fill_params(machine *m, nas_stream *dice) {
  for (int set = 0; set < nas_compiled_param_count(m->compiled); set++) {
    nas_param_place p = nas_compiled_param(m->compiled, set);
    for (size_t r = 0; r < p.rows; r++)
      for (int o = 0; o < p.width; o++)
        m->params[param_at(&p, r, o)] =
            (float)between(dice, -1, 1) + (strcmp(p.is.role, "bias") == 0 ? 0.5f : 0.0f);
  }
}

/* Takes the reference to the network's output. */
static void check_exactly(nas_node *output, const char *text, nas_stream *dice, sample *s) {
  trial t = {.text = text, .count = between(dice, 1, 3)};
  t.outputs = (size_t)nas_shape_size(nas_node_shape(output)) * (size_t)t.count;
  t.m = machine_with(stack(output, "test_probe"), between(dice, 1, 3), NULL);
  size_t inputs = map_size(nas_compiled_input(t.m.compiled)) * (size_t)t.count;
  float *weights = floats(t.outputs);
  t.images = floats(inputs);
  for (int i = 0; i < 3; i++) t.y[i] = floats(t.outputs);
  fill_integers(dice, t.images, inputs, 3);
  fill_integers(dice, weights, t.outputs, 2);
  fill_params(&t.m, dice);
  probe.weights = weights;
  probe.y = t.y[1];
  machine_run(&t.m, t.images, t.count, 1);
  check_padding(&t.m, t.m.d_params);
  check_directions(&t, dice, s);
  probe.weights = NULL;
  nas_free(weights);
  nas_free(t.images);
  for (int i = 0; i < 3; i++) nas_free(t.y[i]);
  machine_free(&t.m);
}

static void report(const char *what, sample s, double least) {
  print_message("# %s: %d directions, %d smooth\n", what, s.tried, s.smooth);
  assert_true(s.smooth >= least * s.tried);
}

/* -- networks of one branch ------------------------------------------------------------------- */

/* Each stands on its own and upon a layer whose weights see the gradient of the input. */
static const char *const layers[] = {
    "conv2d kernel=1 filters=5",
    "conv2d kernel=1 filters=5 stride=2",
    "conv2d kernel=1 filters=9 stride=3 padding=valid",
    "conv2d kernel=3 filters=7",
    "conv2d kernel=3 filters=7 bias=0",
    "conv2d kernel=3 filters=17 stride=2",
    "conv2d kernel=2 filters=3 stride=3",
    "conv2d kernel=5,2 filters=4 stride=1,3",
    "conv2d kernel=7,3 filters=2 padding=valid stride=2,1",
    "conv2d kernel=4,7 filters=3 stride=3,2",
    "conv2d kernel=6 filters=1 stride=2",
    "conv2d kernel=7 filters=3",
    "dense units=6",
    "dense units=19 bias=0",
    "max_pool",
    "max_pool pool=3 stride=2 padding=same",
    "max_pool pool=3 stride=1 padding=same",
    "max_pool pool=2,4 stride=1,3",
    "max_pool pool=1 stride=3",
    "max_pool pool=5,1 stride=4,2 padding=same",
    "relu",
    "conv2d kernel=3 filters=5; relu",
    "conv2d kernel=3 filters=5 stride=2; relu",
    "dense units=9; relu",
    "relu; relu",
    "max_pool pool=2 stride=1 padding=same; relu; conv2d kernel=3 filters=2",
    "conv2d kernel=3,1 filters=3; conv2d kernel=1,3 filters=20 stride=2; dense units=3",
    "dense units=5; dense units=3",
    "dense units=7; relu; dense units=2 bias=0",
};

static void every_kind(void **state) {
  (void)state;
  static const char *const sizes[] = {"7,9 channels=3", "8,7 channels=1", "7,7 channels=8",
                                      "11,8 channels=17"};
  nas_stream dice = nas_stream_open(1, "gradients", NULL, 0);
  sample s = {0};
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
      char text[300];
      snprintf(text, sizeof text, "input size=%s; %s%s", sizes[k / 2],
               k % 2 ? "conv2d kernel=2 filters=3; " : "", layers[i]);
      check_exactly(stack(NULL, text), text, &dice, &s);
    }
  report("every kind", s, 0.5);
}

/* Global averages are exact when the number of pixels is a power of two. */
static void averages(void **state) {
  (void)state;
  static const char *const networks[] = {
      "input size=4 channels=3; conv2d kernel=3 filters=5; global_avg_pool; dense units=3",
      "input size=8,2 channels=2; conv2d kernel=3 filters=9; relu; global_avg_pool",
      "input size=1 channels=3; conv2d kernel=3 filters=2; global_avg_pool",
      "input size=16,8 channels=1; conv2d kernel=3 filters=4; max_pool; global_avg_pool; relu",
  };
  nas_stream dice = nas_stream_open(1, "averages", NULL, 0);
  sample s = {0};
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
    for (int k = 0; k < 5; k++) check_exactly(stack(NULL, networks[i]), networks[i], &dice, &s);
  report("averages", s, 0.5);
}

/* Odd shapes of all sorts, one pixel included: windows larger than the map, strides larger than the
 * window and than the map. */
static void random_convolutions(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "random", NULL, 0);
  sample s = {0};
  for (int number = 0; number < 400; number++) {
    int size[2], kernel[2], stride[2], same = between(&dice, 0, 1);
    for (int d = 0; d < 2; d++) {
      size[d] = between(&dice, 1, 9);
      kernel[d] = between(&dice, 1, same || size[d] > 7 ? 7 : size[d]);
      stride[d] = between(&dice, 1, number % 10 ? 3 : 12);
    }
    char text[300];
    snprintf(text, sizeof text,
             "input size=%d,%d channels=%d; conv2d kernel=1,2 filters=%d; "
             "conv2d kernel=%d,%d stride=%d,%d padding=%s filters=%d",
             size[0], size[1], between(&dice, 1, 4), between(&dice, 1, 9), kernel[0], kernel[1],
             stride[0], stride[1], same ? "same" : "valid", between(&dice, 1, 19));
    check_exactly(stack(NULL, text), text, &dice, &s);
  }
  report("random convolutions", s, 1); /* nothing in them has a kink */
}

/* -- branches --------------------------------------------------------------------------------- */

/* One output feeds three consumers, one of them twice, and its ReLU is not fused. */
static nas_node *diamond(void) {
  nas_node *x = stack(NULL, "input size=5,6 channels=2; conv2d kernel=3 filters=4");
  nas_node *a = stack(nas_node_retain(x), "relu; conv2d kernel=3,2 filters=5");
  nas_node *b = stack(nas_node_retain(x), "conv2d kernel=1,4 filters=5 bias=0; relu");
  nas_node *c = stack(nas_node_retain(x), "max_pool pool=3 stride=1 padding=same");
  c = stack(JOIN("test_sum", c, nas_node_retain(x), x), "conv2d kernel=2 filters=5");
  return stack(JOIN("test_sum", a, b, c), "dense units=3");
}

/* Consumers of all kinds below one another: each first writer of a gradient and each that adds. */
static nas_node *ladder(const char *first, const char *second) {
  nas_node *x = stack(NULL, "input size=4,4 channels=3; conv2d kernel=2 filters=4");
  nas_node *a = stack(nas_node_retain(x), first), *b = stack(x, second);
  return stack(JOIN("test_sum", a, b), "test_watch");
}

static void several_consumers(void **state) {
  (void)state;
  static const char *const consumers[] = {"relu", "max_pool pool=2 stride=1 padding=same",
                                          "conv2d kernel=3 filters=4", "test_watch",
                                          "conv2d kernel=2 filters=4; relu"};
  enum { CONSUMERS = sizeof consumers / sizeof *consumers };
  nas_stream dice = nas_stream_open(1, "branches", NULL, 0);
  sample s = {0};
  for (int i = 0; i < 10; i++) check_exactly(diamond(), "diamond", &dice, &s);
  for (int i = 0; i < CONSUMERS * CONSUMERS; i++) {
    const char *first = consumers[i / CONSUMERS], *second = consumers[i % CONSUMERS];
    char text[200];
    snprintf(text, sizeof text, "%s | %s", first, second);
    check_exactly(ladder(first, second), text, &dice, &s);
  }
  static const char *const ends[] = {"dense units=3", "global_avg_pool; dense units=3"};
  for (int i = 0; i < 4; i++) {
    nas_node *x = stack(NULL, "input size=4,2 channels=3; conv2d kernel=2 filters=4; relu");
    nas_node *a = stack(nas_node_retain(x), ends[i / 2]), *b = stack(x, ends[i % 2]);
    check_exactly(JOIN("test_sum", a, b), "vectors", &dice, &s);
  }
  report("several consumers", s, 0.4);
}

/* -- the loss --------------------------------------------------------------------------------- */

/* Logits go through unchanged: the average of one pixel. p in long double, so what remains is the
 * rounding of the difference and of the scaling: 2^-24 each, relative. */
static void check_softmax(int classes, const float *logits, int count, const int32_t *labels) {
  char text[100];
  snprintf(text, sizeof text, "input size=1 channels=%d; test_watch; global_avg_pool", classes);
  machine m = machine_of(stack(stack(NULL, text), "softmax_cross_entropy"));
  float *d_z = floats((size_t)(count * classes)), loss[16];
  int32_t predicted[16];
  m.labels = labels;
  m.loss = loss;
  m.predicted = predicted;
  m.batch = 10;
  watched.d_y = d_z;
  machine_run(&m, logits, count, 1);
  for (int n = 0; n < count; n++) {
    const float *z = logits + n * classes;
    int best = 0;
    long double sum = 0;
    for (int k = 0; k < classes; k++)
      if (z[k] > z[best]) best = k;
    for (int k = 0; k < classes; k++) sum += expl((long double)z[k] - (long double)z[best]);
    assert_int_equal(predicted[n], best);
    double expected = (double)(logl(sum) + ((long double)z[best] - (long double)z[labels[n]]));
    check_near((double)loss[n], expected, 1.0001 * 0x1p-24 * expected + 1e-15);
    for (int k = 0; k < classes; k++) {
      long double p = expl((long double)z[k] - (long double)z[best]) / sum;
      double g = (double)((p - (k == labels[n])) * (long double)0.1f);
      check_near((double)d_z[n * classes + k], g, 2.001 * 0x1p-24 * fabs(g) + 1e-16);
    }
  }
  watched.d_y = NULL;
  nas_free(d_z);
  machine_free(&m);
}

static void softmax_in_double(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "softmax", NULL, 0);
  for (int number = 0; number < 200; number++) {
    int classes = between(&dice, 2, number % 10 ? 20 : 300), count = between(&dice, 1, 16);
    float *logits = floats((size_t)(classes * count));
    int32_t labels[16];
    float range = ldexpf(1, between(&dice, -6, 7));
    fill_uniform(&dice, logits, (size_t)(classes * count));
    for (int i = 0; i < classes * count; i++) logits[i] *= range;
    for (int n = 0; n < count; n++) labels[n] = between(&dice, 0, classes - 1);
    check_softmax(classes, logits, count, labels);
    nas_free(logits);
  }
}

static void softmax_at_the_edges(void **state) {
  (void)state;
  static const float logits[] = {
      1e30f, 1e30f, -1e30f, /* equal largest: the first is predicted */
      0,     -0.0f, 0,      /* all equal, whatever the sign */
      -500,  0,     500,    /* e^-1000 is 0: loss 1000 for the first */
      3,     3,     2.9999f,
  };
  static const int32_t labels[] = {1, 2, 0, 1};
  check_softmax(3, logits, 4, labels);
}

/* What is not finite must not pass unnoticed. */
static void not_finite(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++)
    for (int where = 0; where < 3; where++) {
      float logits[3] = {1, 2, 3};
      logits[where] = bad[i];
      int32_t label = i == 2 ? where : 1; /* e^-inf is 0, and harmless elsewhere */
      machine m = machine_of(
          stack(NULL, "input size=1 channels=3; conv2d kernel=1 filters=3 bias=0; relu; "
                      "max_pool pool=1 stride=1; global_avg_pool; softmax_cross_entropy"));
      machine direct = machine_of(stack(NULL, "input size=1 channels=3; test_watch; "
                                              "global_avg_pool; softmax_cross_entropy"));
      m.labels = direct.labels = &label;
      assert_false(isfinite(machine_run(&direct, logits, 1, 0)));
      for (size_t k = 0; k < m.count; k++) m.params[m.numbers[k]] = k % 4 == 0;
      /* 0 * inf spreads NaN; -inf meets it too */
      assert_false(isfinite(machine_run(&m, logits, 1, 0)));
      machine_free(&m);
      machine_free(&direct);
    }
}

/* -- whole networks --------------------------------------------------------------------------- */

/* Upon any layers the true loss is not affine. With few binary digits in weights, images and steps
 * the logits are still exact, but for what follows an average or a third layer; so the loss L along
 * a direction in one parameter set, by central differences with steps h and h/2, has only these
 * errors: rounding: of L to float; of a logit by `chain` roundings of at most 2^-24 of `largest`,
 * by which L changes at most twice as much; truncation, of order h^2: what h and h/2 differ by, or
 * less; kinks between -h and h: half the second difference, of each image. */
typedef struct whole {
  const char *body;
  int classes;
  int chain;      /* inexact operations, one after the other */
  double largest; /* bound of the logits' terms */
} whole;

enum { IMAGES = 7 };

static double loss_along(machine *m, const float *images, const float *direction, double h,
                         float *loss) {
  for (size_t i = 0; i < m->count; i++) m->params[m->numbers[i]] += (float)h * direction[i];
  m->loss = loss;
  double sum = machine_run(m, images, IMAGES, 0);
  for (size_t i = 0; i < m->count; i++) m->params[m->numbers[i]] -= (float)h * direction[i];
  return sum;
}

/* Uphill in numbers first .. first + count - 1, so that the loss changes much. */
static void draw_direction(const machine *m, nas_stream *dice, size_t first, size_t count,
                           float *direction) {
  memset(direction, 0, m->count * sizeof *direction);
  for (size_t i = first; i < first + count; i++)
    direction[i] = copysignf((float)between(dice, 0, 4) / 4, m->d_params[m->numbers[i]]);
}

/* Returns whether the bound was below a twentieth of the slope. */
static int check_slope(machine *m, const whole *w, const float *images, const float *direction) {
  const double h = 0x1p-7;
  double expected = 0;
  for (size_t k = 0; k < m->count; k++)
    expected += (double)direction[k] * (double)m->d_params[m->numbers[k]];
  float losses[3][IMAGES], ignored[IMAGES];
  double here = loss_along(m, images, direction, 0, losses[1]), kinks = 0;
  double slope = (loss_along(m, images, direction, h, losses[0]) -
                  loss_along(m, images, direction, -h, losses[2])) /
                 (2 * h);
  double finer = (loss_along(m, images, direction, h / 2, ignored) -
                  loss_along(m, images, direction, -h / 2, ignored)) /
                 h;
  for (int n = 0; n < IMAGES; n++)
    kinks += fabs((double)losses[0][n] + (double)losses[2][n] - 2 * (double)losses[1][n]);
  double rounding = 0x1p-24 * (here + IMAGES * 2 * w->chain * w->largest);
  double bound = 2 * rounding / h + fabs(slope - finer) + kinks / (2 * h);
  check_near(finer, expected, bound);
  return bound < 0.05 * fabs(expected);
}

static void check_whole(const whole *w, nas_stream *dice) {
  enum { DIRECTIONS = 8 };
  int32_t labels[IMAGES];
  machine m = machine_with(stack(stack(NULL, w->body), "softmax_cross_entropy"), 3, NULL);
  size_t in = map_size(nas_compiled_input(m.compiled)) * IMAGES, first = 0;
  float *images = floats(in), *direction = floats(m.count);
  int sharp = 0, sets = nas_compiled_param_count(m.compiled);
  for (size_t i = 0; i < in; i++) images[i] = (float)between(dice, -4, 4) / 4;
  for (size_t i = 0; i < m.count; i++) m.params[m.numbers[i]] = (float)between(dice, -16, 16) / 32;
  for (int n = 0; n < IMAGES; n++) labels[n] = between(dice, 0, w->classes - 1);
  m.labels = labels;
  machine_run(&m, images, IMAGES, 1);
  for (int s = 0; s < sets; s++) {
    nas_param_place set = nas_compiled_param(m.compiled, s);
    size_t size = set.rows * (size_t)set.width;
    for (int i = 0; i < DIRECTIONS; i++) {
      draw_direction(&m, dice, first, size, direction);
      sharp += check_slope(&m, w, images, direction);
    }
    first += size;
  }
  print_message("# %d of %d slopes to a twentieth\n", sharp, sets * DIRECTIONS);
  assert_true(3 * sharp >= sets * DIRECTIONS);
  nas_free(images);
  nas_free(direction);
  machine_free(&m);
}

static void whole_networks(void **state) {
  (void)state;
  static const whole networks[] = {
      {"input size=9,7 channels=1; conv2d kernel=3 filters=6 stride=2; relu; "
       "conv2d kernel=3 filters=5; relu; global_avg_pool; dense units=4",
       4, 7, 30},
      {"input size=6 channels=3; conv2d kernel=2 filters=3; "
       "max_pool pool=3 stride=2 padding=same; relu; dense units=5; relu; dense units=3",
       3, 6, 10},
      {"input size=5,6 channels=2; conv2d kernel=3 filters=4 padding=valid; "
       "global_avg_pool; relu; dense units=9",
       9, 7, 10},
  };
  nas_stream dice = nas_stream_open(1, "whole", NULL, 0);
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) check_whole(&networks[i], &dice);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_kind),        TEST(averages),          TEST(random_convolutions),
      TEST(several_consumers), TEST(softmax_in_double), TEST(softmax_at_the_edges),
      TEST(not_finite),        TEST(whole_networks),
  };
  return cmocka_run_group_tests_name("gradients", tests, register_test_layers, NULL);
}
