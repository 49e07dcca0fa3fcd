/* Convolutions that read the maps of a concatenation where these lie: where it happens, and that
 * they compute what they would upon a concatenation that is written. */
#include "agreement.h"

enum { IMAGES = 5, TAME = 1000 };

/* -- where it happens ------------------------------------------------------------------------- */

/* What is said of the concatenation in line `line` of a graph that ends before its probe. */
static void check_unwritten(const char *text, int line, int expected) {
  machine m = machine_of(stack(graph(text), "test_probe"));
  int at = nas_plan_layer(m.compiled, line - 1);
  if (m.compiled->unwritten[at] != expected)
    fail_msg("line %d %s\n%s", line, expected ? "is written" : "is not written", text);
  machine_free(&m);
}

#define THREE "input size=8,7 channels=3; conv2d kernel=3 filters=4; relu; "

static void where_it_may_be(void **state) {
  (void)state;
  check_unwritten(THREE "concat(1,3); conv2d kernel=3 filters=2", 4, 1);
  check_unwritten(THREE "concat(1,3); conv2d kernel=3 filters=2; relu", 4, 1);
  check_unwritten(THREE "concat(1,3); conv2d kernel=3 filters=2; conv2d(4) kernel=3 filters=2; "
                        "test_sum(5,6)",
                  4, 1);
  /* another consumer, another layer, a map that is filled up, the network's output */
  check_unwritten(THREE "concat(1,3); conv2d kernel=3 filters=7; test_sum(4,5)", 4, 0);
  check_unwritten(THREE "concat(1,3); depthwise_conv2d kernel=3", 4, 0);
  check_unwritten(THREE "max_pool(3); concat(1,4); conv2d kernel=3 filters=2", 5, 0);
  check_unwritten(THREE "concat(1,3)", 4, 0);
  /* a concatenation of concatenations */
  check_unwritten(THREE "concat(1,3); concat(4,3); conv2d kernel=3 filters=2", 4, 0);
  check_unwritten(THREE "concat(1,3); concat(4,3); conv2d kernel=3 filters=2", 5, 1);
}

/* -- against the reference -------------------------------------------------------------------- */

/* Maps of one concatenation differ in the border that others ask of them; some come twice, or feed
 * several. */
static const char *const graphs[] = {
    THREE "concat(1,3); conv2d kernel=3 filters=5",
    THREE "concat(3,3,1); conv2d kernel=2,3 filters=17 stride=2,1; relu",
    THREE "conv2d(1) kernel=5 filters=2; concat(3,4); conv2d kernel=1 filters=3",
    THREE "conv2d(3) kernel=1 filters=17; relu; concat(1,3,5); conv2d kernel=3 filters=18 stride=3",
    THREE "conv2d(3) kernel=7 filters=1; concat(3,4); conv2d kernel=3 filters=2; "
          "concat(4,3,6); conv2d kernel=5,1 filters=2 padding=valid",
    THREE "concat(1,3); conv2d kernel=3 filters=2; concat(1,3,5); conv2d kernel=3 filters=2; "
          "concat(5,7,3); conv2d kernel=2 filters=4",
    THREE "batch_norm(3); relu; concat(3,5); conv2d kernel=3 filters=2; batch_norm; concat(7,5); "
          "conv2d kernel=3 filters=3",
    "input size=8 channels=1; conv2d kernel=3 filters=17; relu; conv2d kernel=3 filters=20; "
    "concat(3,4); conv2d kernel=3 filters=18; relu; concat(7,3,4); conv2d kernel=3 filters=16",
};
enum { GRAPHS = sizeof graphs / sizeof *graphs };

static nas_node *loss_of(const char *text) {
  return stack(graph(text), "global_avg_pool; dense units=4; softmax_cross_entropy");
}

static void agree(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "concat", NULL, 0);
  tally t = {0};
  for (int i = 0; i < GRAPHS; i++)
    for (int count = 1; count <= IMAGES; count += 2)
      if (!check_network(loss_of(graphs[i]), count, TAME, &dice, &t))
        fail_msg("too large values: %s", graphs[i]);
  print_message("# %d directions, %d excused\n", t.directions, t.excused);
  assert_true(t.directions > 0 && t.excused <= t.directions / 200);
}

/* -- against a concatenation that is written -------------------------------------------------- */

/* Each network, and the same with a layer between concatenation and convolution. */
#define WIDE                                                                                       \
  "input size=8 channels=1; conv2d kernel=3 filters=17; relu; conv2d kernel=3 filters=20; "
static const char *const pairs[][2] = {
    {THREE "concat(1,3); conv2d kernel=3 filters=5",
     THREE "concat(1,3); identity; conv2d kernel=3 filters=5"},
    {THREE "concat(3,3,1); conv2d kernel=2,5 filters=17 stride=2,1; relu",
     THREE "concat(3,3,1); identity; conv2d kernel=2,5 filters=17 stride=2,1; relu"},
    {WIDE
     "concat(3,4); conv2d kernel=3 filters=18; relu; concat(7,3,4); conv2d kernel=3 filters=16",
     WIDE "concat(3,4); identity; conv2d kernel=3 filters=18; relu; concat(8,3,4); identity; "
          "conv2d kernel=3 filters=16"},
};

typedef struct outcome {
  float losses[IMAGES], *gradient;
  size_t count;
} outcome;

/* The same numbers for both, as both have the same parameter sets in the same order. */
static outcome run(const char *text, nas_winograd winograd) {
  machine m = machine_how(loss_of(text), 3, NULL, winograd);
  nas_stream dice = nas_stream_open(1, "written", NULL, 0);
  outcome o = {.gradient = floats(m.count), .count = m.count};
  float images[IMAGES * 8 * 8 * 3];
  int32_t labels[IMAGES] = {0, 1, 2, 3, 0};
  fill_uniform(&dice, images, sizeof images / sizeof *images);
  for (size_t i = 0; i < m.count; i++) m.params[m.numbers[i]] = nas_stream_float(&dice) - 0.5f;
  m.labels = labels;
  m.loss = o.losses;
  machine_run(&m, images, IMAGES, 1);
  for (size_t i = 0; i < m.count; i++) o.gradient[i] = m.d_params[m.numbers[i]];
  machine_free(&m);
  return o;
}

/* Forwards each chain is the same. Backwards, what several consumers give is added in another
 * order. */
static void as_if_written(void **state) {
  (void)state;
  static const nas_winograd wishes[] = {NAS_WINOGRAD_NONE, NAS_WINOGRAD_AUTO, NAS_WINOGRAD_ALL};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    for (int w = 0; w < 3; w++) {
      outcome joined = run(pairs[i][0], wishes[w]), written = run(pairs[i][1], wishes[w]);
      assert_int_equal(joined.count, written.count);
      assert_memory_equal(joined.losses, written.losses, sizeof joined.losses);
      for (size_t k = 0; k < joined.count; k++) {
        double difference = fabs((double)joined.gradient[k] - (double)written.gradient[k]);
        if (difference > 1e-4 * (1 + fabs((double)written.gradient[k])))
          fail_msg("%s: gradient %zu is %g, expected %g", pairs[i][0], k,
                   (double)joined.gradient[k], (double)written.gradient[k]);
      }
      nas_free(joined.gradient);
      nas_free(written.gradient);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(where_it_may_be), TEST(agree), TEST(as_if_written)};
  return cmocka_run_group_tests_name("concat", tests, register_test_layers, NULL);
}
