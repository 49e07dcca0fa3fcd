/* Every kind of layer and every loss against the naive reference: values, gradients, and that no
 * bit changes with the micro-batch or the instruction set. */
#include "agreement.h"

enum { TAME = 1000 };

static void check(const char *text, int count, nas_stream *dice, tally *t) {
  if (!check_network(graph(text), count, TAME, dice, t)) fail_msg("too large values: %s", text);
}

static void report(const char *what, tally t) {
  print_message("# %s: %d directions, %d excused\n", what, t.directions, t.excused);
  assert_true(t.directions > 0 && t.excused <= t.directions / 200);
}

/* Each upon the images and upon a layer whose weights see the gradient of the input; the values of
 * its output get random weights. */
static const char *const layers[] = {
    "conv2d kernel=3 filters=5",
    "conv2d kernel=3 filters=19 stride=2; relu",
    "dense units=18; relu",
    "depthwise_conv2d kernel=3",
    "depthwise_conv2d kernel=1",
    "depthwise_conv2d kernel=3 bias=0; relu",
    "depthwise_conv2d kernel=3,2 stride=2",
    "depthwise_conv2d kernel=2 stride=3,1 padding=valid; relu",
    "depthwise_conv2d kernel=7,5 stride=1,2",
    "depthwise_conv2d kernel=1,2 stride=5",
    "depthwise_conv2d kernel=3; conv2d kernel=1 filters=3",
    "batch_norm epsilon=0.1; relu",
    "relu; relu",
    "leaky_relu",
    "leaky_relu slope=0.3",
    "tanh",
    "sigmoid",
    "exp",
    "square; scale offset=0.5; log",
    "square",
    "abs",
    "scale factor=-2.5 offset=0.3",
    "scale",
    "identity",
    "max_pool",
    "max_pool pool=3,2 stride=2,1 padding=same",
    "avg_pool",
    "avg_pool pool=3,2 stride=2,1 padding=same",
    "avg_pool pool=1 stride=2",
    "avg_pool pool=5 stride=1 padding=same",
    "avg_pool pool=2,3 stride=1 padding=valid",
    "global_avg_pool",
    "flatten",
    "flatten; scale; flatten",
    "zero_pad",
    "zero_pad top=1 left=2 bottom=3",
    "zero_pad right=2 bottom=1; conv2d kernel=3 filters=2",
    "dropout",
    "dropout rate=0.3; relu",
    "dropout rate=0",
    "dropout rate=0.5; dropout rate=0.5; max_pool pool=2 stride=1",
    "mean",
    "sum; scale factor=0.1",
    "mean; dense units=3",
    "mean; flatten",
};

static void every_kind(void **state) {
  (void)state;
  static const char *const sizes[] = {"5,7 channels=3", "6,5 channels=1", "5,5 channels=16",
                                      "6,7 channels=18"};
  nas_stream dice = nas_stream_open(1, "every kind", NULL, 0);
  tally t = {0};
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
      char text[300];
      snprintf(text, sizeof text, "input size=%s; %s%s; dense units=2; sum", sizes[k / 2],
               k % 2 ? "conv2d kernel=2 filters=3; " : "", layers[i]);
      check(text, k % 3 ? between(&dice, 1, 5) : 1, &dice, &t);
    }
  report("every kind", t);
}

/* Layers that take any rank, upon vectors and single numbers. */
static void vectors_and_numbers(void **state) {
  (void)state;
  static const char *const any[] = {
      "relu",          "leaky_relu",
      "tanh",          "sigmoid",
      "exp",           "square",
      "abs",           "scale factor=3",
      "identity",      "dropout",
      "flatten",       "mean",
      "sum",           "square; scale offset=0.5; log",
      "dense units=4",
  };
  nas_stream dice = nas_stream_open(1, "vectors", NULL, 0);
  tally t = {0};
  for (size_t i = 0; i < sizeof any / sizeof *any; i++)
    for (int k = 0; k < 4; k++) {
      char text[300];
      snprintf(text, sizeof text,
               "input size=0 channels=%d; dense units=%d; %s%s; dense units=2; sum",
               between(&dice, 1, 20), between(&dice, 1, 20), k % 2 ? "mean; " : "", any[i]);
      check(text, between(&dice, 1, 5), &dice, &t);
    }
  report("vectors and numbers", t);
}

/* Line 1 is an image and 2 a map of 3 channels, 3 one of 5, 4 another of 3, 5 a vector of 3. */
static const char *const joins[] = {
    "add(2,4)",
    "add(2,4,2,4)",
    "add(2,2)",
    "add(2,2,2)",
    "multiply(2,4)",
    "multiply(2,2)",
    "multiply(2,4,2,2)",
    "multiply(2,5)",
    "multiply(2,5,5)",
    "multiply(2,5,4,2,5)",
    "multiply(5,5)",
    "add(5,5,5)",
    "concat(2)",
    "concat(2,3)",
    "concat(2,2,3)",
    "concat(5,5)",
    "concat(5)",
    "max_pool(3); concat(2,6)",
    "max_pool(3); concat(6,2) align=top_left",
    "max_pool(3) pool=2,1; avg_pool(2) pool=1,3; concat(6,7,4)",
    "max_pool(3) pool=2,1; avg_pool(2) pool=1,3; concat(6,7) align=top_left",
    "max_pool(3); concat(2,6); relu; concat(2,8)",
    "relu(2); add(2,6)",
    "identity(2); add(6,6,2)",
    "dropout(2); dropout(2); add(6,7)",
    "mean(2); mean(4); multiply(6,7,6)",
    "mean(2); sum(5); add(6,7,6)",
    "scale(4) factor=-1; add(2,6); square",
    "global_avg_pool(3); dense units=3; sigmoid; multiply(2,8)",
    "depthwise_conv2d(2) kernel=3; relu; add(2,7); depthwise_conv2d(8) kernel=2 stride=2; relu",
    "mean_squared_error(2,4)",
    "mean_squared_error(2,2)",
    "huber(2,4) delta=0.2",
    "huber(4,2) delta=5",
    "sigmoid(4); binary_cross_entropy(2,6)",
    "sigmoid(5); binary_cross_entropy(5,6)",
    "mean(2); scale factor=0 offset=1; softmax_cross_entropy(5,7) label_smoothing=0.2",
    "mean(2); exp; softmax_cross_entropy(5,7)",
    "mean(2); scale factor=0 offset=2; one_hot classes=3; multiply(5,8)",
    "mean(2); one_hot classes=3; add(5,7)",
    "mean(2); one_hot classes=3; mean; add(6,8)",
    "mean(2); scale factor=0 offset=1; softmax_cross_entropy(5,7); add(7,8)",
    "conv2d(1) kernel=1 filters=16; tanh; depthwise_conv2d kernel=3",
    "conv2d(1) kernel=1 filters=16; tanh; mean; depthwise_conv2d(6) kernel=3; mean; add(8,10)",
    "conv2d(1) kernel=1 filters=32; tanh; add(6,7); dropout",
};

static void joined(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "joined", NULL, 0);
  tally t = {0};
  for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
    for (int k = 0; k < 4; k++) {
      char text[400];
      snprintf(text, sizeof text,
               "input size=%d,%d channels=%d; conv2d(1) kernel=2 filters=3; conv2d(1) kernel=1 "
               "filters=5; conv2d(1) kernel=3 filters=3; dense(1) units=3; %s; dense units=2; sum",
               between(&dice, 3, 6), between(&dice, 3, 6), between(&dice, 1, 5), joins[i]);
      check(text, k % 3 ? between(&dice, 1, 5) : 1, &dice, &t);
    }
  report("joined", t);
}

/* What ends a network, with the target of a data set. */
static const char *const losses[] = {
    "dense units=5; target; softmax_cross_entropy(3,4)",
    "dense units=5; target; softmax_cross_entropy(3,4) label_smoothing=0.1",
    "dense units=19; target; softmax_cross_entropy(3,4) label_smoothing=0.999",
    "dense units=4; target values=4; mean_squared_error(3,4)",
    "dense units=1; target values=1; mean_squared_error(3,4)",
    "dense units=17; target values=17; huber(3,4)",
    "dense units=4; target values=4; huber(3,4) delta=0.1",
    "dense units=4; target values=4; binary_cross_entropy(3,4)",
    "dense units=1; target; binary_cross_entropy(3,4)",
    "mean; target; binary_cross_entropy(3,4)",
    "dense units=4; target values=4; scale(4) factor=-1; add(3,5); square; mean",
    "dense units=4; target values=4; scale(4) factor=-1; add(3,5); abs; sum",
    "dense units=5; target; one_hot classes=5; mean_squared_error(3,5)",
    "dense units=5; target; one_hot classes=5; scale factor=-1; add(3,6); huber(7,5) delta=0.5",
    "dense units=5; target; softmax_cross_entropy(3,4); mean(2); square; add(5,7)",
};

static void every_loss(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "losses", NULL, 0);
  tally t = {0};
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
    for (int k = 0; k < 6; k++) {
      char text[300];
      snprintf(text, sizeof text, "input size=%d,%d channels=%d; conv2d kernel=2 filters=3; %s",
               between(&dice, 1, 5), between(&dice, 1, 5), between(&dice, 1, 5), losses[i]);
      check(text, k % 3 ? between(&dice, 1, 7) : 1, &dice, &t);
    }
  report("losses", t);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(every_kind), TEST(vectors_and_numbers), TEST(joined),
                                     TEST(every_loss)};
  return cmocka_run_group_tests_name("layers", tests, register_test_layers, NULL);
}
