#include <stdlib.h>
#include <nas/elementary.h>
#include "networks.h"
#include "tensor/tensors.h"

/* From a block of exactly that size, so that valgrind and sanitizers notice a read beyond it. */
static nas_status parse(nas_node **node, const char *text, nas_error *err) {
  char *exact = strdup(text);
  assert_non_null(exact);
  nas_status status = nas_network_parse(node, exact, err);
  free(exact);
  return status;
}

/* The text is that of a network, and is read as the same. */
static void check_text(const char *text) {
  nas_node *node;
  nas_error err;
  check_ok(parse(&node, text, &err), &err);
  nas_network *network = network_of(node);
  assert_string_equal(nas_network_text(network), text);
  nas_network_destroy(&network);
}

/* The node, whose reference it takes, and what comes of its text. */
static void check_round_trip(nas_node *node) {
  nas_hash hash = nas_node_hash(node);
  nas_network *network = network_of(node);
  nas_node *after;
  nas_error err;
  check_ok(parse(&after, nas_network_text(network), &err), &err);
  assert_int_equal(nas_hash_compare(nas_node_hash(after), hash), 0);
  nas_network *again = network_of(after);
  assert_string_equal(nas_network_text(again), nas_network_text(network));
  assert_int_equal(nas_network_params(again), nas_network_params(network));
  for (int i = 0; i < nas_network_size(network); i++)
    assert_int_equal(nas_network_occurrence(again, i), nas_network_occurrence(network, i));
  nas_network_destroy(&again);
  nas_network_destroy(&network);
}

/* -- round trips ------------------------------------------------------------------------------ */

static const char small[] = "1 input size=4,4 channels=2\n"
                            "2 relu(1)\n"
                            "3 max_pool(2) pool=3,3 stride=1,1 padding=same\n"
                            "4 max_pool(1) pool=2,2 stride=1,1 padding=same\n"
                            "5 test_sum(3,4,1)\n";

static void written_by_hand(void **state) {
  (void)state;
  check_text("1 input size=28,28 channels=1\n");
  check_text(small);
  check_text("1 input size=28,28 channels=1\n"
             "2 conv2d(1) kernel=3,5 filters=32 stride=2,1 padding=valid bias=0 init=he_uniform "
             "init_range=0.05\n"
             "3 relu(2)\n"
             "4 global_avg_pool(3)\n"
             "5 dense(4) units=10 bias=1 init=uniform init_range=0.3333333333333333\n");
  check_text("1 input size=65536,1 channels=1\n"
             "2 test_sum(1,1,1)\n"
             "3 relu(2)\n"
             "4 relu(2)\n"
             "5 test_sum(2,3,1,4,4)\n");
}

static void described_by_hand(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=9,7 channels=3; conv2d kernel=3 filters=4");
  nas_node *a = stack(nas_node_retain(x), "conv2d kernel=3 filters=4; relu");
  nas_node *b = stack(nas_node_retain(x), "conv2d kernel=3 filters=4");
  nas_node *c = stack(nas_node_retain(b), "max_pool pool=3,2 stride=1 padding=same");
  check_round_trip(JOIN("test_sum", c, x, b, a, nas_node_retain(c)));
}

/* Option values are numbers of all sizes, -0 among them. */
static void numbers(void **state) {
  (void)state;
  static const double values[] = {0,   -0.0,    0x1p-1074,         0x1.8p-1050, 1e-300,
                                  0.1, 1.0 / 3, 999.9999999999999, 1000};
  nas_stream dice = nas_stream_open(1, "numbers", NULL, 0);
  nas_node *x = stack(NULL, "input size=1 channels=1");
  const nas_layer_kind *dense = nas_layer_kind_find("dense", NULL);
  int range = nas_options_find(&dense->options, "init_range", NULL);
  for (int i = 0; i < 500; i++) {
    nas_option_value options[NAS_OPTIONS_MAX];
    nas_error err;
    nas_node *node, *after;
    nas_options_default(&dense->options, options);
    options[nas_options_find(&dense->options, "units", NULL)].integer = 1;
    double value = i < 9 ? values[i] : 1000 * nas_pow(nas_stream_double(&dice), 1 + i % 100);
    options[range].number = value;
    check_ok(nas_node_create(&node, dense, options, &x, 1, &err), &err);
    nas_network *network = network_of(nas_node_retain(node));
    check_ok(parse(&after, nas_network_text(network), &err), &err);
    assert_memory_equal(&nas_node_options(after)[range].number, &value, sizeof value);
    nas_network_destroy(&network);
    nas_node_release(&after);
    nas_node_release(&node);
  }
  nas_node_release(&x);
}

/* -- random graphs of all kinds --------------------------------------------------------------- */

enum { KINDS = 200, GRAPH = 24 };
static int made[KINDS]; /* nodes of each kind in networks that went there and back */

static void random_options(nas_stream *dice, const nas_option_table *table,
                           nas_option_value *values) {
  nas_options_default(table, values);
  for (int i = 0; i < table->count; i++) {
    const nas_option *option = &table->options[i];
    int low = (int)fmax(option->low, -5), high = (int)fmin(option->high, low + 4), words = 0;
    switch (option->type) {
    case NAS_OPTION_INTEGER: values[i].integer = between(dice, low, high); break;
    case NAS_OPTION_PAIR:
      for (int d = 0; d < 2; d++) values[i].pair[d] = between(dice, low, high);
      break;
    case NAS_OPTION_NUMBER:
      values[i].number = option->low + (option->high - option->low) * nas_stream_double(dice);
      break;
    case NAS_OPTION_BOOLEAN: values[i].integer = between(dice, 0, 1); break;
    case NAS_OPTION_CHOICE:
      while (option->choices[words]) words++;
      values[i].integer = between(dice, 0, words - 1);
      break;
    }
  }
}

/* A node upon earlier ones, or NULL where the kind does not take them. */
static nas_node *random_node(nas_stream *dice, const nas_layer_kind *kind, nas_node *const *nodes,
                             int count) {
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_node *inputs[NAS_INPUTS_MAX], *node;
  int most = kind->max_inputs < 4 ? kind->max_inputs : 4;
  int taken = between(dice, kind->min_inputs, most > kind->min_inputs ? most : kind->min_inputs);
  for (int i = 0; i < taken; i++) {
    int recent = count < 6 ? count : 6;
    inputs[i] = nodes[count - 1 - between(dice, 0, recent - 1)];
    if (i && between(dice, 0, 1)) inputs[i] = inputs[i - 1];
  }
  random_options(dice, &kind->options, values);
  return nas_node_create(&node, kind, values, inputs, taken, NULL) == NAS_OK ? node : NULL;
}

/* Up to GRAPH nodes; the last one may depend on all or on few. */
static int random_graph(nas_stream *dice, int kinds, nas_node **nodes) {
  char input[80];
  int height = between(dice, 1, 9), width = between(dice, 1, 9), channels = between(dice, 1, 4);
  snprintf(input, sizeof input, "input size=%d,%d channels=%d", height, width, channels);
  nodes[0] = stack(NULL, input);
  int count = 1;
  for (int tries = 0; tries < 2 * GRAPH && count < GRAPH; tries++) {
    const nas_layer_kind *kind = nas_layer_kind_at(between(dice, 0, kinds - 1));
    if (kind->max_inputs == 0 && between(dice, 0, 9)) continue; /* most networks have one input */
    nas_node *node = random_node(dice, kind, nodes, count);
    if (node) nodes[count++] = node;
  }
  return count;
}

static int index_of(const nas_layer_kind *kind) {
  int i = 0;
  while (nas_layer_kind_at(i) != kind) i++;
  return i;
}

static void random_graphs(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(1, "graphs", NULL, 0);
  int kinds = 0, networks = 0;
  while (nas_layer_kind_at(kinds)) kinds++;
  assert_true(kinds <= KINDS);
  for (int round = 0; round < 5000; round++) {
    nas_node *nodes[GRAPH];
    nas_network *network;
    int count = random_graph(&dice, kinds, nodes);
    nas_status status = nas_network_create(&network, nodes[count - 1], NULL);
    if (status == NAS_OK) {
      for (int i = 0; i < nas_network_size(network); i++)
        made[index_of(nas_node_kind(nas_network_node(network, i)))]++;
      check_round_trip(nas_node_retain(nodes[count - 1]));
      networks++;
      nas_network_destroy(&network);
    } else {
      assert_int_equal(status, NAS_SHAPE); /* several inputs */
    }
    for (int i = 0; i < count; i++) nas_node_release(&nodes[i]);
  }
  assert_true(networks > 1000);
  for (int k = 0; k < kinds; k++)
    if (made[k] < 10)
      fail_msg("only %d nodes of %s were made", made[k], nas_layer_kind_at(k)->name);
}

/* -- depth and number ------------------------------------------------------------------------- */

static nas_text chain_of(int nodes) {
  nas_text text = {0};
  nas_text_add(&text, "1 input size=1,1 channels=1\n");
  for (int i = 2; i <= nodes; i++) {
    nas_text_add_integer(&text, i);
    nas_text_add(&text, " relu(");
    nas_text_add_integer(&text, i - 1);
    nas_text_add(&text, ")\n");
  }
  assert_false(text.failed);
  return text;
}

static void number_of_nodes(void **state) {
  (void)state;
  nas_node *node;
  nas_text text = chain_of(NAS_NODES_MAX);
  check_text(text.data);
  nas_text_clear(&text);
  text = chain_of(NAS_NODES_MAX + 1);
  check_refused(parse(&node, text.data, &err), NAS_LIMIT, node,
                "network, line 10001: more than 10000 layers");
  nas_text_clear(&text);
}

static void number_of_inputs(void **state) {
  (void)state;
  for (int inputs = NAS_INPUTS_MAX; inputs <= NAS_INPUTS_MAX + 1; inputs++) {
    nas_node *node;
    nas_text text = {0};
    nas_text_add(&text, "1 input size=1,1 channels=1\n2 test_sum(1");
    for (int i = 1; i < inputs; i++) nas_text_add(&text, ",1");
    nas_text_add(&text, ")\n");
    if (inputs == NAS_INPUTS_MAX)
      check_text(text.data);
    else
      check_refused(parse(&node, text.data, &err), NAS_LIMIT, node,
                    "network, line 2: more than 64 inputs");
    nas_text_clear(&text);
  }
}

/* -- refused texts ---------------------------------------------------------------------------- */

#define INPUT "1 input size=4,4 channels=2\n"

static void refused(void **state) {
  (void)state;
  static const struct {
    nas_status status;
    const char *text, *message;
  } cases[] = {
      /* lines */
      {NAS_FORMAT, "", "network, line 1: the text is empty"},
      {NAS_FORMAT, "\n", "network, line 1: expected \"1 \" and a layer, found \"\""},
      {NAS_FORMAT, "1 input size=4,4 channels=2", "network, line 1: the text ends within the line"},
      {NAS_FORMAT, INPUT "2 relu(1)", "network, line 2: the text ends within the line"},
      {NAS_FORMAT, INPUT "\n", "network, line 2: expected \"2 \" and a layer, found \"\""},
      {NAS_FORMAT, "\n" INPUT, "network, line 1: expected \"1 \" and a layer"},
      {NAS_FORMAT, " " INPUT, "expected \"1 \" and a layer, found \" 1 input"},
      {NAS_FORMAT, "0 input size=4,4 channels=2\n", "expected \"1 \" and a layer, found \"0 input"},
      {NAS_FORMAT, "2 input size=4,4 channels=2\n", "expected \"1 \" and a layer, found \"2 input"},
      {NAS_FORMAT, "01 input size=4,4 channels=2\n", "expected \"1 \" and a layer, found \"01 "},
      {NAS_FORMAT, "-1 input size=4,4 channels=2\n", "expected \"1 \" and a layer"},
      {NAS_FORMAT, INPUT "3 relu(1)\n", "network, line 2: expected \"2 \" and a layer"},
      {NAS_FORMAT, INPUT "18446744073709551618 relu(1)\n", "network, line 2: expected \"2 \""},
      {NAS_FORMAT, "1input size=4,4 channels=2\n", "expected \"1 \" and a layer, found \"1input"},
      {NAS_FORMAT, "1\n", "expected \"1 \" and a layer, found \"1\""},
      /* kinds */
      {NAS_FORMAT, INPUT "2 conv3d(1)\n",
       "network, line 2: unknown layer \"conv3d\"; known layers: input, "},
      {NAS_FORMAT, INPUT "2 \n", "network, line 2: unknown layer \"\""},
      {NAS_FORMAT, INPUT "2 (1)\n", "network, line 2: unknown layer \"\""},
      {NAS_FORMAT, INPUT "2  relu(1)\n", "network, line 2: unknown layer \"\""},
      {NAS_FORMAT, INPUT "2 Relu(1)\n", "network, line 2: unknown layer \"Relu\""},
      {NAS_FORMAT, INPUT "2 relu\t(1)\n", "network, line 2: unknown layer \"relu\t\""},
      /* inputs */
      {NAS_FORMAT, INPUT "2 relu()\n",
       "network, line 2: expected numbers of earlier lines with commas in parentheses, found "
       "\")\""},
      {NAS_FORMAT, INPUT "2 relu(\n", "in parentheses, found \"\""},
      {NAS_FORMAT, INPUT "2 relu(1\n", "in parentheses, found \"1\""},
      {NAS_FORMAT, INPUT "2 relu(1,)\n", "in parentheses, found \")\""},
      {NAS_FORMAT, INPUT "2 relu(,1)\n", "in parentheses, found \",1)\""},
      {NAS_FORMAT, INPUT "2 relu(1 )\n", "in parentheses, found \"1 )\""},
      {NAS_FORMAT, INPUT "2 relu(01)\n", "in parentheses, found \"01)\""},
      {NAS_FORMAT, INPUT "2 relu(+1)\n", "in parentheses, found \"+1)\""},
      {NAS_FORMAT, INPUT "2 relu(0)\n", "in parentheses, found \"0)\""},
      {NAS_FORMAT, INPUT "2 relu(2)\n", "in parentheses, found \"2)\""},
      {NAS_FORMAT, INPUT "2 relu(3)\n3 relu(1)\n", "network, line 2: expected numbers"},
      {NAS_FORMAT, INPUT "2 relu(4294967297)\n", "in parentheses, found \"4294967297)\""},
      {NAS_FORMAT, INPUT "2 relu(99999999999999999999)\n", "in parentheses, found \"9999"},
      {NAS_FORMAT, INPUT "2 relu\n", "network, line 2: relu: 0 inputs; expected 1"},
      {NAS_FORMAT, INPUT "2 relu(1,1)\n", "network, line 2: relu: 2 inputs; expected 1"},
      {NAS_FORMAT, "1 input() size=4,4 channels=2\n", "network, line 1: expected numbers"},
      {NAS_FORMAT, INPUT "2 input(1) size=4,4 channels=2\n", "line 2: input: 1 inputs; expected 0"},
      /* options */
      {NAS_FORMAT, "1 input\n", "network, line 1: input: size is missing"},
      {NAS_FORMAT, "1 input size=4,4\n", "network, line 1: input: channels is missing"},
      {NAS_FORMAT, "1 input size=4,4 channels=2 \n",
       "input: expected \" name=value\", found \" \""},
      {NAS_FORMAT, "1 input size=4,4 channels=2 x\n", "expected \" name=value\", found \" x\""},
      {NAS_FORMAT, "1 input size=4,4 channels=2\r\n", "input: channels is \"2\r\"; expected"},
      {NAS_FORMAT, "1 input size=4,4 channels=2 size=4,4\n", "input: size is given twice"},
      {NAS_FORMAT, "1 input size=4,4 width=2\n", "input: unknown option \"width\"; known options"},
      {NAS_FORMAT, "1 input size=4 channels=2\n", "input: size is \"4\"; expected two integers"},
      {NAS_FORMAT, "1 input size=4,4 channels=0\n",
       "input: channels is \"0\"; expected an integer from 1 to 65536"},
      {NAS_FORMAT, INPUT "2 relu(1)x\n", "relu: expected \" name=value\", found \"x\""},
      {NAS_FORMAT, INPUT "2 relu(1)) x=1\n", "relu: expected \" name=value\", found \") x=1\""},
      {NAS_FORMAT, INPUT "2 relu(1) x=1\n", "relu: unknown option \"x\"; known options: none"},
      {NAS_FORMAT, INPUT "2 max_pool(1) pool=2,2 stride=1,1 padding=some\n",
       "max_pool: padding is \"some\"; expected one of valid, same"},
      /* what the layers say */
      {NAS_SHAPE, INPUT "2 max_pool(1) pool=9,9 stride=1,1 padding=valid\n",
       "network, line 2: max_pool: window 9x9 is larger than the input 4x4x2"},
      {NAS_LIMIT, "1 input size=65536,65536 channels=2\n",
       "network, line 1: input: output of shape 65536x65536x2"},
      {NAS_SHAPE, INPUT "2 input size=4,4 channels=2\n3 test_sum(1,2)\n",
       "network: 2 different input layers"},
      /* not canonical */
      {NAS_FORMAT, "1 input channels=2 size=4,4\n",
       "network, line 1: is not canonical; expected \"1 input size=4,4 channels=2\""},
      {NAS_FORMAT, INPUT "2 relu(1)\n3 relu(1)\n",
       "network, line 3: is not canonical; expected the end of the text"},
      {NAS_FORMAT, INPUT "2 relu(1)\n3 relu(2)\n4 test_sum(3,1)\n5 test_sum(1,2)\n",
       "network, line 3: is not canonical; expected \"3 test_sum(1,2)\""},
      {NAS_FORMAT,
       INPUT "2 relu(1)\n3 max_pool(1) pool=1,1 stride=1,1 padding=same\n4 test_sum(3,2)\n",
       "network, line 2: is not canonical; expected \"2 max_pool(1) pool=1,1"},
      {NAS_FORMAT, INPUT "2 dense(1) units=1 bias=1 init=uniform init_range=0.50\n",
       "network, line 2: is not canonical; expected \"2 dense(1) units=1 bias=1 init=uniform "
       "init_range=0.5\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_node *node = (nas_node *)16;
    check_refused(parse(&node, cases[i].text, &err), cases[i].status, node, cases[i].message);
    assert_int_equal(parse(&node, cases[i].text, NULL), cases[i].status);
  }
}

/* The first three lines are networks, too; the fourth does not depend on the second. */
static void cut_at_every_byte(void **state) {
  (void)state;
  char text[sizeof small] = "";
  int lines = 0;
  for (size_t size = 0; size < sizeof small - 1; text[size] = small[size], size++) {
    nas_node *node;
    nas_status status = parse(&node, text, NULL);
    int ended = size > 0 && text[size - 1] == '\n';
    lines += ended;
    assert_int_equal(status, ended && lines <= 3 ? NAS_OK : NAS_FORMAT);
    nas_node_release(&node);
  }
}

/* Each byte replaced by each of a few: refused, or the canonical text of another network. */
static void damaged_at_every_byte(void **state) {
  (void)state;
  static const char others[] = "0129 (),=\n-.axs\x80";
  char text[sizeof small];
  for (size_t i = 0; i < sizeof small - 1; i++)
    for (size_t k = 0; k < sizeof others; k++) {
      nas_node *node;
      memcpy(text, small, sizeof small);
      text[i] = others[k];
      if (parse(&node, text, NULL) != NAS_OK) {
        assert_null(node);
        continue;
      }
      nas_network *network = network_of(node);
      assert_string_equal(nas_network_text(network), text);
      nas_network_destroy(&network);
    }
}

static void without_memory(void **state) {
  (void)state;
  nas_node *node;
  nas_text text = chain_of(40); /* more than the first capacity */
  check_starved(nas_network_parse(&node, text.data, NULL), node);
  nas_node_release(&node);
  nas_text_clear(&text);
  check_starved(nas_network_parse(&node, small, NULL), node);
  nas_node_release(&node);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(written_by_hand),       TEST(described_by_hand), TEST(numbers), TEST(random_graphs),
      TEST(number_of_nodes),       TEST(number_of_inputs),  TEST(refused), TEST(cut_at_every_byte),
      TEST(damaged_at_every_byte), TEST(without_memory),
  };
  return cmocka_run_group_tests_name("parse", tests, register_test_layers, NULL);
}
