#include <errno.h>
#include "networks.h"
#include "tensor/tensors.h"

static void check_text(nas_node *output, const char *expected) {
  nas_network *network = network_of(output);
  assert_string_equal(nas_network_text(network), expected);
  nas_hash hash = nas_hash_bytes(expected, strlen(expected));
  assert_int_equal(nas_hash_compare(nas_network_hash(network), hash), 0);
  nas_network_destroy(&network);
  assert_null(network);
}

/* -- canonical text --------------------------------------------------------------------------- */

static void text_of_a_chain(void **state) {
  (void)state;
  check_text(stack(NULL, "input size=28 channels=1; conv2d kernel=3 filters=32 stride=2; relu; "
                         "max_pool; conv2d kernel=1,5 filters=48 padding=valid bias=0 "
                         "init=uniform init_range=0.1; global_avg_pool; dense units=10 "
                         "init=he_uniform; softmax_cross_entropy"),
             "1 input size=28,28 channels=1\n"
             "2 conv2d(1) kernel=3,3 filters=32 stride=2,2 padding=same bias=1 init=glorot_uniform "
             "init_range=0.05\n"
             "3 relu(2)\n"
             "4 max_pool(3) pool=2,2 stride=2,2 padding=valid\n"
             "5 conv2d(4) kernel=1,5 filters=48 stride=1,1 padding=valid bias=0 init=uniform "
             "init_range=0.1\n"
             "6 global_avg_pool(5)\n"
             "7 dense(6) units=10 bias=1 init=he_uniform init_range=0.05\n"
             "8 target values=0\n"
             "9 softmax_cross_entropy(7,8) label_smoothing=0\n");
}

static const char branches[] = "1 input size=4,4 channels=2\n"
                               "2 relu(1)\n"
                               "3 max_pool(2) pool=3,3 stride=1,1 padding=same\n"
                               "4 max_pool(1) pool=2,2 stride=1,1 padding=same\n"
                               "5 test_sum(3,4,1)\n";

static const char left[] = "relu; max_pool pool=3 stride=1 padding=same";
static const char right[] = "max_pool pool=2 stride=1 padding=same";

/* The order of description does not matter, nor what else is described. */
static void order_of_description(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=4 channels=2");
  nas_node *a = stack(nas_node_retain(x), left), *b = stack(nas_node_retain(x), right);
  check_text(JOIN("test_sum", a, b, x), branches);

  x = stack(NULL, "input size=4 channels=2");
  nas_node *unused = stack(nas_node_retain(x), "conv2d kernel=3 filters=9; relu");
  b = stack(nas_node_retain(x), right);
  nas_node *other = stack(nas_node_retain(b), "relu");
  a = stack(nas_node_retain(x), left);
  check_text(JOIN("test_sum", a, b, x), branches);
  nas_node_release(&unused);
  nas_node_release(&other);

  x = stack(NULL, "input size=4 channels=2"); /* inputs in another order: another network */
  a = stack(nas_node_retain(x), left), b = stack(nas_node_retain(x), right);
  check_text(JOIN("test_sum", b, a, x), "1 input size=4,4 channels=2\n"
                                        "2 max_pool(1) pool=2,2 stride=1,1 padding=same\n"
                                        "3 relu(1)\n"
                                        "4 max_pool(3) pool=3,3 stride=1,1 padding=same\n"
                                        "5 test_sum(2,4,1)\n");
}

/* One layer used twice is another network than two equal layers, which are told apart. */
static void occurrences(void **state) {
  (void)state;
  static const int expected[] = {0, 0, 1, 0, 2, 0, 0, 0};
  static const char conv[] = "conv2d kernel=3 filters=2";
  nas_node *x = stack(NULL, "input size=4 channels=2");
  nas_node *a = stack(nas_node_retain(x), conv), *b = stack(nas_node_retain(x), conv);
  nas_node *c = stack(stack(nas_node_retain(x), conv), "relu");
  nas_node *d = stack(nas_node_retain(b), conv), *e = stack(nas_node_retain(c), conv);
  nas_node *sum = JOIN("test_sum", a, b, d, c, e, x);
  nas_network *network = network_of(sum);
  static const char *const layers[] = {"input",  "conv2d", "conv2d", "conv2d",
                                       "conv2d", "relu",   "conv2d", "test_sum"};
  assert_int_equal(nas_network_size(network), 8);
  for (int i = 0; i < 8; i++) {
    assert_string_equal(nas_node_kind(nas_network_node(network, i))->name, layers[i]);
    assert_int_equal(nas_network_occurrence(network, i), expected[i]);
  }
  static const int inputs[] = {1, 2, 3, 5, 6, 0};
  for (int k = 0; k < 6; k++) assert_int_equal(nas_network_input(network, 7, k), inputs[k]);
  nas_network_destroy(&network);

  x = stack(NULL, "input size=4 channels=2");
  a = stack(x, conv);
  nas_network *shared = network_of(JOIN("test_sum", a, nas_node_retain(a)));
  x = stack(NULL, "input size=4 channels=2");
  a = stack(nas_node_retain(x), conv);
  nas_network *twice = network_of(JOIN("test_sum", a, stack(x, conv)));
  assert_int_equal(nas_network_size(shared) + 1, nas_network_size(twice));
  assert_int_equal(2 * nas_network_params(shared), nas_network_params(twice));
  assert_int_not_equal(nas_hash_compare(nas_network_hash(shared), nas_network_hash(twice)), 0);
  nas_network_destroy(&shared);
  nas_network_destroy(&twice);
}

/* -- costs ------------------------------------------------------------------------------------ */

typedef struct cost {
  const char *network;
  int64_t params, macs;
} cost;

static void check_cost(const cost *c) {
  nas_network *network = network_of(stack(NULL, c->network));
  int64_t params = 0, macs = 0;
  assert_int_equal(nas_network_params(network), c->params);
  assert_int_equal(nas_network_macs(network), c->macs);
  for (int i = 0; i < nas_network_size(network); i++) {
    params += nas_network_node_params(network, i);
    macs += nas_network_node_macs(network, i);
  }
  assert_int_equal(params, c->params);
  assert_int_equal(macs, c->macs);
  nas_network_destroy(&network);
}

static void costs(void **state) {
  (void)state;
  static const cost cases[] = {
      {"input size=5,7 channels=3; conv2d kernel=2,3 filters=4 stride=1,2", 6 * 3 * 4 + 4,
       5 * 4 * 4 * 6 * 3},
      {"input size=5,7 channels=3; conv2d kernel=2,3 filters=4 padding=valid bias=0", 6 * 3 * 4,
       4 * 5 * 4 * 6 * 3},
      {"input size=5,7 channels=3; dense units=11", 105 * 11 + 11, 105 * 11},
      {"input size=5,7 channels=3; dense units=11 bias=0; dense units=2; softmax_cross_entropy",
       105 * 11 + 22 + 2, 105 * 11 + 22},
      {"input size=4,6 channels=3; max_pool; relu; global_avg_pool", 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_cost(&cases[i]);
}

/* Four convolutions of one kernel size and number of filters, strides 2, 1, 2, 1, for
 * Fashion-MNIST: the corners of a space whose sizes are known. */
static void known_space(void **state) {
  (void)state;
  static const struct {
    int kernel, filters;
    int64_t params;
  } corners[] = {{1, 32, 3562}, {3, 64, 112074}};
  for (size_t i = 0; i < 2; i++) {
    int k = corners[i].kernel, f = corners[i].filters;
    char text[500] = "input size=28 channels=1; ";
    for (int layer = 0; layer < 4; layer++)
      snprintf(text + strlen(text), sizeof text - strlen(text),
               "conv2d kernel=%d filters=%d stride=%d; relu; ", k, f, layer % 2 ? 1 : 2);
    strcat(text, "global_avg_pool; dense units=10; softmax_cross_entropy");
    int64_t large = 14 * 14 * f, small = 7 * 7 * f, window = k * k;
    cost c = {text, corners[i].params,
              large * window + large * window * f + 2 * small * window * f + f * 10};
    check_cost(&c);
  }
}

/* Of 3x2x5 and a 3x3 window: rows of 16 floats, borders of one pixel around the input of the
 * convolution and around its output, ReLU in its place. */
static void memory(void **state) {
  (void)state;
  static const char text[] = "input size=3,2 channels=5; conv2d kernel=3 filters=20; relu; "
                             "global_avg_pool";
  int64_t activations = 5 * 4 * 16 + 5 * 4 * 32 + 32, params = 9 * 5 * 32 + 32;
  int64_t derived = 9 * 20 * 16, images = 32;
  nas_network *network = network_of(stack(NULL, text));
  assert_int_equal(nas_network_memory(network, 250),
                   4 * (14 * params + derived + 2 * activations * images));
  assert_int_equal(nas_network_memory(network, 1), nas_network_memory(network, 65536));
  nas_network_destroy(&network);

  network = network_of(stack(NULL, "input size=3,2 channels=5; batch_norm"));
  activations = 6 * 16 * 2;
  assert_int_equal(nas_network_memory(network, 17),
                   4 * (14 * 64 + 2 * activations * 32 + activations * 32));
  nas_network_destroy(&network);
}

/* Bytes of a compiled network for training: lists of pixels above all. */
static int64_t compiled_bytes(const nas_network *network, int micro_batch) {
  nas_compiled *compiled;
  nas_error err;
  nas_compile_options options = {.micro_batch = micro_batch};
  size_t before = nas_memory_used().bytes;
  check_ok(nas_compiled_create(&compiled, network, &options, &err), &err);
  int64_t bytes = (int64_t)(nas_memory_used().bytes - before);
  nas_compiled_destroy(&compiled);
  return bytes;
}

/* Two threads with the micro-batch that the formula thinks of, and a batch of 250 where a layer
 * couples its images, need no more than it says, and at least half of that. Lists of pixels, which
 * it leaves out, are little beside it. */
static void memory_of_an_arena(void **state) {
  (void)state;
  static const char *const texts[] = {
      "input size=28 channels=1; conv2d kernel=3 filters=64 stride=2; relu; "
      "conv2d kernel=3 filters=64; relu; global_avg_pool; dense units=10; softmax_cross_entropy",
      "input size=19,3 channels=33; conv2d kernel=5,2 filters=3; max_pool; dense units=10; "
      "softmax_cross_entropy",
      "input size=28 channels=1; conv2d kernel=3 filters=64 stride=2; batch_norm; relu; "
      "conv2d kernel=3 filters=64; batch_norm; relu; global_avg_pool; dense units=10; "
      "softmax_cross_entropy",
      "input size=4 channels=16; conv2d kernel=1 filters=16; leaky_relu; tanh; identity; "
      "conv2d kernel=9 filters=16; global_avg_pool; dense units=10; softmax_cross_entropy",
      "input size=4 channels=16; conv2d kernel=1 filters=16; conv2d(2) kernel=5 filters=16; "
      "batch_norm; add(2,4); relu; conv2d kernel=5 filters=16; batch_norm; add(6,8); relu; "
      "conv2d kernel=5 filters=16; global_avg_pool; dense units=10",
      /* maps of few channels side by side: each with the border, a row of 16 floats to a pixel */
      "input size=4 channels=1; conv2d kernel=1 filters=1; conv2d(1) kernel=1 filters=1; "
      "conv2d(1) kernel=1 filters=1; conv2d(1) kernel=1 filters=1; conv2d(1) kernel=1 filters=1; "
      "conv2d(1) kernel=1 filters=1; conv2d(1) kernel=1 filters=1; conv2d(1) kernel=1 filters=1; "
      "concat(2,3,4,5,6,7,8,9); conv2d kernel=9 filters=16; global_avg_pool; dense units=10",
      /* by Winograd's algorithm, whose rows of channels are padded for each map */
      "input size=14 channels=3; conv2d kernel=3 filters=17; conv2d(1) kernel=3 filters=18; relu; "
      "conv2d(1) kernel=3 filters=1; concat(2,4,5); conv2d kernel=3 filters=32; batch_norm; relu; "
      "dense units=10",
      /* a phase for each pixel */
      "input size=64,80 channels=1; conv2d kernel=1 filters=1; dense units=2",
      /* gradients that wait across segments, all of them at once */
      "input size=8 channels=3; conv2d kernel=3 filters=16; batch_norm; relu; "
      "conv2d kernel=3 filters=16; batch_norm; relu; "
      "concat(4,7); conv2d kernel=3 filters=16; batch_norm; relu; "
      "concat(4,7,11); conv2d kernel=3 filters=16; batch_norm; relu; "
      "concat(4,7,11,15); conv2d kernel=3 filters=16; batch_norm; relu; "
      "concat(4,7,11,15,19); conv2d kernel=3 filters=16; global_avg_pool; dense units=10"};
  static const int micro_batches[] = {4, 16, 4, 5, 7, 4, 4, 4, 4};
  for (int i = 0; i < 9; i++) {
    nas_node *loss =
        i < 4 ? stack(NULL, texts[i]) : stack(graph(texts[i]), "softmax_cross_entropy");
    machine m = machine_with(loss, micro_batches[i], NULL);
    int64_t planned = nas_network_memory(m.network, 250);
    int64_t arenas = 4 * (2 * (int64_t)nas_compiled_scratch_floats(m.compiled) +
                          256 / micro_batches[i] * (int64_t)nas_compiled_stored_floats(m.compiled));
    int64_t others = 4 * (14 * (int64_t)m.floats + (int64_t)m.derived_floats +
                          2 * (int64_t)nas_compiled_room_floats(m.compiled) +
                          2 * (int64_t)nas_compiled_kept_floats(m.compiled));
    assert_in_range(arenas, (planned - others) / 2, planned - others);
    assert_in_range(compiled_bytes(m.network, micro_batches[i]), 1, planned / 20);
    machine_free(&m);
  }
}

/* Blocks of that many layers that couple images, each added to what it reads: little is stored
 * beside the activations. */
static void memory_of_residual_blocks(void **state) {
  (void)state;
  static const char *const blocks[] = {
      "conv2d kernel=3 filters=16; batch_norm; add(3,5); relu; "
      "conv2d kernel=3 filters=16; batch_norm; add(7,9); relu; ",
      "conv2d kernel=3 filters=16; batch_norm; relu; conv2d kernel=3 filters=16; batch_norm; "
      "add(3,8); relu; conv2d kernel=3 filters=16; batch_norm; relu; conv2d kernel=3 filters=16; "
      "batch_norm; add(10,15); relu; "};
  static const int64_t maps[] = {2 + 2 * 3, 2 + 2 * 5}; /* that have a place */
  for (int i = 0; i < 2; i++) {
    char text[512];
    snprintf(text, sizeof text,
             "input size=8 channels=3; conv2d kernel=3 filters=16; relu; %sglobal_avg_pool; "
             "dense units=10",
             blocks[i]);
    nas_network *network = network_of(graph(text));
    int64_t activations = maps[i] * 10 * 10 * 16 + 2 * 16;
    assert_int_equal(nas_network_memory(network, 512) - nas_network_memory(network, 256),
                     4 * 256 * activations);
    nas_network_destroy(&network);
  }
}

static void summary(void **state) {
  (void)state;
  nas_text text = {0};
  nas_network *network = network_of(
      stack(NULL, "input size=28 channels=1; conv2d kernel=3,5 filters=64 bias=0; dense units=10"));
  nas_network_summary(network, 20, &text);
  assert_string_equal(
      text.data,
      "#  layer                                inputs  output shape  parameters  "
      "multiply-accumulates\n"
      "1  input size=28,28 channels=1                  28x28x1                0  "
      "                   0\n"
      "2  conv2d kernel=3,5 filters=64 bias=0  1       28x28x64             960  "
      "             752,640\n"
      "3  dense units=10                       2       10               501,770  "
      "             501,760\n"
      "502,730 parameters, 1,254,400 multiply-accumulates an image, 49.6 MiB to train with batch "
      "20\n");
  nas_text_clear(&text);
  nas_network_destroy(&network);
}

static void graphviz(void **state) {
  (void)state;
  nas_text text = {0};
  nas_node *x = stack(NULL, "input size=2 channels=1");
  nas_network *network = network_of(JOIN("test_sum", x, nas_node_retain(x)));
  nas_network_graphviz(network, &text);
  check_contains(text.data, "digraph network {\n");
  check_contains(text.data, "  n1 [label = \"input\\n size=2,2 channels=1\\n2x2x1\"];\n");
  check_contains(text.data, "  n1 -> n2;\n  n1 -> n2;\n}\n");
  nas_text_clear(&text);
  nas_network_destroy(&network);
}

static int64_t endless_macs(const nas_option_value *values, const nas_shape *inputs,
                            nas_shape output) {
  (void)values, (void)inputs, (void)output;
  return INT64_MAX - 1;
}

/* Sums stop at the largest number. */
static void endless_costs(void **state) {
  (void)state;
  static nas_layer_kind endless;
  endless = test_sum;
  endless.name = "test_endless";
  endless.options.owner = "test_endless";
  endless.macs = endless_macs;
  check_ok(nas_layer_kind_register(&endless, NULL), NULL);
  nas_network *network =
      network_of(stack(NULL, "input size=1 channels=1; test_endless; test_endless; test_endless"));
  assert_true(nas_network_macs(network) == INT64_MAX);
  nas_network_destroy(&network);
  /* the largest numbers of each layer, many times */
  nas_node *x = stack(NULL, "input size=512 channels=100");
  for (int i = 0; i < 5000; i++) x = stack(x, "conv2d kernel=255 filters=100");
  network = network_of(x);
  int64_t macs = (int64_t)512 * 512 * 100 * 255 * 255 * 100;
  assert_true(nas_network_node_macs(network, 1) == macs);
  assert_true(nas_network_macs(network) == (macs > INT64_MAX / 5000 ? INT64_MAX : 5000 * macs));
  assert_int_equal(nas_network_params(network), (int64_t)5000 * (255 * 255 * 10000 + 100));
  nas_network_destroy(&network);
}

static long allocations, refused_allocation = -1;

/* In the place of the C library's, for all of this program. While it refuses one allocation, it
 * refuses those that no table needs, too: one without end would fill the machine's memory. */
int posix_memalign(void **block, size_t alignment, size_t bytes) {
  if (refused_allocation >= 0 && (allocations++ == refused_allocation || bytes > 1 << 16))
    return ENOMEM;
  *block = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  return *block ? 0 : ENOMEM;
}

/* One allocation fails, those after it don't: the table ends, whatever the width of its columns. */
static void summary_with_a_gap_in_memory(void **state) {
  (void)state;
  nas_network *network =
      network_of(stack(NULL, "input size=28 channels=1; conv2d kernel=3,5 filters=64; relu"));
  int refused = 1;
  for (long k = 0; refused; k++) {
    nas_text text = {0};
    allocations = 0;
    refused_allocation = k;
    nas_network_summary(network, 20, &text);
    refused = allocations > k;
    refused_allocation = -1;
    assert_in_range(text.size, 0, 1000);
    nas_text_clear(&text);
  }
  nas_network_destroy(&network);
}

/* -- limits and misuse ------------------------------------------------------------------------ */

static nas_node *chain_of(int nodes) {
  nas_node *x = stack(NULL, "input size=1 channels=1");
  for (int i = 1; i < nodes; i++) x = stack(x, "relu");
  return x;
}

static void number_of_nodes(void **state) {
  (void)state;
  nas_network *network = network_of(chain_of(NAS_NODES_MAX));
  assert_int_equal(nas_network_size(network), NAS_NODES_MAX);
  assert_int_equal(nas_network_input(network, NAS_NODES_MAX - 1, 0), NAS_NODES_MAX - 2);
  nas_network_destroy(&network);
  nas_node *x = chain_of(NAS_NODES_MAX + 1);
  check_refused(nas_network_create(&network, x, &err), NAS_LIMIT, network,
                "network: more than 10000 layers");
  nas_node_release(&x);
}

/* Paths from output to input that share layers: 2^9000 of them. */
static void many_paths(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=1 channels=1");
  for (int i = 0; i < 9000; i++) x = JOIN("test_sum", nas_node_retain(x), x);
  nas_network *network = network_of(x);
  assert_int_equal(nas_network_size(network), 9001);
  nas_network_destroy(&network);
}

static void one_input_layer(void **state) {
  (void)state;
  nas_network *network = (nas_network *)16;
  nas_node *a = stack(NULL, "input size=2 channels=1"), *b = stack(NULL, "input size=2 channels=1");
  nas_node *both = JOIN("test_sum", a, b);
  check_refused(nas_network_create(&network, both, &err), NAS_SHAPE, network,
                "network: 2 different input layers; expected 1");
  nas_node_release(&both);
  network = network_of(stack(NULL, "input size=2 channels=1"));
  assert_int_equal(nas_network_size(network), 1);
  nas_network_destroy(&network);
  nas_network_destroy(&network);
  nas_network_destroy(NULL);
}

static void without_memory(void **state) {
  (void)state;
  nas_network *network;
  nas_node *x =
      stack(NULL, "input size=9 channels=2; conv2d kernel=3 filters=2; relu; max_pool; "
                  "conv2d kernel=3 filters=2; batch_norm; relu; global_avg_pool; dense units=3");
  check_starved(nas_network_create(&network, x, NULL), network);
  nas_node_release(&x);
  nas_network_destroy(&network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(text_of_a_chain),
      TEST(order_of_description),
      TEST(occurrences),
      TEST(costs),
      TEST(known_space),
      TEST(memory),
      TEST(memory_of_an_arena),
      TEST(memory_of_residual_blocks),
      TEST(summary),
      TEST(summary_with_a_gap_in_memory),
      TEST(graphviz),
      TEST(endless_costs),
      TEST(number_of_nodes),
      TEST(many_paths),
      TEST(one_input_layer),
      TEST(without_memory),
  };
  return cmocka_run_group_tests_name("network", tests, register_test_layers, NULL);
}
