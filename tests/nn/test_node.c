#include "networks.h"
#include "tensor/tensors.h"
#include <nas/pool.h>

/* A layer that gives whatever shape it is asked for, and parameters of it. */
enum { ODD_RANK, ODD_SIZE, ODD_CHANNELS, ODD_PARAMS, ODD_OPTIONS };
static const nas_option odd_options[ODD_OPTIONS] = {
    [ODD_RANK] = {"rank", NAS_OPTION_INTEGER, 0, 3, -1000, 1000, NULL, ""},
    [ODD_SIZE] = {"size", NAS_OPTION_PAIR, 0, 1, -1e9, 1e9, NULL, ""},
    [ODD_CHANNELS] = {"channels", NAS_OPTION_INTEGER, 0, 1, -1e9, 1e9, NULL, ""},
    [ODD_PARAMS] = {"params", NAS_OPTION_PAIR, 0, 1, 1, 1e9, NULL, ""},
};

static nas_status odd_shape(const nas_option_value *values, const nas_shape *inputs, int count,
                            nas_shape *output, nas_error *err) {
  (void)inputs, (void)count, (void)err;
  *output = (nas_shape){
      values[ODD_RANK].integer,
      {values[ODD_SIZE].pair[0], values[ODD_SIZE].pair[1], values[ODD_CHANNELS].integer}};
  return NAS_OK;
}

static int odd_params(const nas_option_value *values, const nas_shape *inputs, nas_param *sets) {
  (void)inputs;
  sets[0] = (nas_param){
      .role = "table", .rank = 2, .dim = {values[ODD_PARAMS].pair[0], values[ODD_PARAMS].pair[1]}};
  return 1;
}

static void nothing(const nas_layer *layer, const nas_pass *pass) {
  (void)layer, (void)pass;
}

static const nas_layer_kind test_odd = {
    .name = "test_odd",
    .options = {"test_odd", odd_options, ODD_OPTIONS},
    .max_inputs = 2,
    .shape = odd_shape,
    .params = odd_params,
    .forward = nothing,
    .backward = nothing,
};

static void check_shape(const char *text, const char *expected) {
  char shape[NAS_SHAPE_TEXT];
  nas_node *node = stack(NULL, text);
  nas_shape_text(nas_node_shape(node), shape);
  if (strcmp(shape, expected) != 0) fail_msg("%s: shape %s, expected %s", text, shape, expected);
  nas_node_release(&node);
}

static void shapes(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"input size=28,27 channels=3", "28x27x3"},
      {"input size=65536,511 channels=1", "65536x511x1"},
      {"input size=28 channels=1; conv2d kernel=3 filters=7", "28x28x7"},
      {"input size=28,27 channels=1; conv2d kernel=3,2 filters=7 stride=2", "14x14x7"},
      {"input size=28,27 channels=1; conv2d kernel=3,2 filters=7 stride=3,4", "10x7x7"},
      {"input size=28,27 channels=1; conv2d kernel=3,2 filters=7 padding=valid", "26x26x7"},
      {"input size=7 channels=1; conv2d kernel=7 filters=2 padding=valid stride=255", "1x1x2"},
      {"input size=7 channels=1; conv2d kernel=255 filters=2 stride=255", "1x1x2"},
      {"input size=9,8 channels=4; max_pool", "4x4x4"},
      {"input size=9,8 channels=4; max_pool padding=same", "5x4x4"},
      {"input size=9,8 channels=4; max_pool pool=3 stride=1", "7x6x4"},
      {"input size=9,8 channels=4; max_pool pool=3 stride=1 padding=same", "9x8x4"},
      {"input size=9,8 channels=4; relu", "9x8x4"},
      {"input size=9,8 channels=4; batch_norm", "9x8x4"},
      {"input size=0 channels=4; batch_norm", "4"},
      {"input size=9,8 channels=4; global_avg_pool", "4"},
      {"input size=9,8 channels=4; dense units=65536", "65536"},
      {"input size=9,8 channels=4; dense units=5; relu; dense units=3", "3"},
      {"input size=1 channels=2; global_avg_pool; softmax_cross_entropy", "scalar"},
      {"input size=28,27 channels=5; depthwise_conv2d kernel=3", "28x27x5"},
      {"input size=28,27 channels=5; depthwise_conv2d kernel=3,2 stride=3,4 padding=valid",
       "9x7x5"},
      {"input size=9,8 channels=4; avg_pool", "4x4x4"},
      {"input size=9,8 channels=4; avg_pool pool=3 padding=same", "5x4x4"},
      {"input size=9,8 channels=4; flatten", "288"},
      {"input size=0 channels=4; flatten", "4"},
      {"input size=9,8 channels=4; zero_pad top=1 left=2 bottom=3", "13x10x4"},
      {"input size=9,8 channels=4; mean", "scalar"},
      {"input size=9,8 channels=4; sum; flatten", "1"},
      {"input size=9,8 channels=4; mean; dense units=3", "3"},
      {"target; one_hot classes=7", "7"},
      {"input size=9,8 channels=4; tanh; sigmoid; leaky_relu; exp; log; square; abs; scale; "
       "identity; dropout",
       "9x8x4"},
      {"input size=0 channels=3; dense units=4; mean_squared_error", "scalar"},
      {"input size=0 channels=3; huber", "scalar"},
      {"input size=0 channels=3; binary_cross_entropy", "scalar"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_shape(cases[i][0], cases[i][1]);
}

/* Of layers with several inputs. */
static void joined_shapes(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"add(1,2)", "9x8x4"},
      {"add(4,4,4)", "5"},
      {"add(6,6)", "scalar"},
      {"multiply(1,2,5)", "9x8x4"},
      {"multiply(4,4)", "5"},
      {"concat(1,3,1)", "9x8x14"},
      {"concat(3,7)", "5x8x9"},
      {"concat(3,7) align=top_left", "5x8x9"},
      {"concat(4,5)", "9"},
      {"mean_squared_error(1,2)", "scalar"},
      {"huber(4,4)", "scalar"},
      {"binary_cross_entropy(6,6)", "scalar"},
      {"dense(4) units=1; target; binary_cross_entropy(8,9)", "scalar"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[400], shape[NAS_SHAPE_TEXT];
    snprintf(
        text, sizeof text,
        "input size=9,8 channels=4; relu; conv2d(1) kernel=1 filters=6 stride=2; dense units=5; "
        "dense units=4; mean; conv2d(1) kernel=1 filters=3 stride=2,1; %s",
        cases[i][0]);
    nas_node *node = graph(text);
    nas_shape_text(nas_node_shape(node), shape);
    if (strcmp(shape, cases[i][1]) != 0)
      fail_msg("%s: shape %s, expected %s", cases[i][0], shape, cases[i][1]);
    nas_node_release(&node);
  }
}

static void shape_size(void **state) {
  (void)state;
  assert_int_equal(nas_shape_size((nas_shape){0}), 1);
  assert_int_equal(nas_shape_size((nas_shape){1, {7}}), 7);
  assert_int_equal(nas_shape_size((nas_shape){3, {65536, 65536, 65536}}), (int64_t)1 << 48);
}

/* -- misuse ----------------------------------------------------------------------------------- */

/* `layer` upon `below` (NULL: nothing) fails with that status and exactly that message. */
static void check_refusal(const char *below, const char *layer, nas_status status,
                          const char *message) {
  nas_node *inputs[2] = {below ? stack(NULL, below) : NULL}, *node = (nas_node *)16;
  int count = below != NULL;
  if (strcmp(layer, "softmax_cross_entropy") == 0) inputs[count++] = stack(NULL, "target");
  nas_error err = {0};
  assert_int_equal(node_try(&node, layer, inputs, count, &err), status);
  assert_null(node);
  assert_int_equal(err.code, status);
  assert_string_equal(err.text, message);
  assert_int_equal(node_try(&node, layer, inputs, count, NULL), status);
  assert_null(node);
  for (int i = 0; i < count; i++) nas_node_release(&inputs[i]);
}

static void messages(void **state) {
  (void)state;
  static const char vector[] = "input size=3 channels=2; dense units=7";
  check_refusal(vector, "conv2d kernel=3 filters=1", NAS_SHAPE,
                "conv2d: input has shape 7; expected height x width x channels");
  check_refusal(vector, "max_pool", NAS_SHAPE,
                "max_pool: input has shape 7; expected height x width x channels");
  check_refusal(vector, "global_avg_pool", NAS_SHAPE,
                "global_avg_pool: input has shape 7; expected height x width x channels");
  check_refusal("input size=3,9 channels=2", "conv2d kernel=4,2 filters=1 padding=valid", NAS_SHAPE,
                "conv2d: kernel 4x2 is larger than the input 3x9x2, which is not padded; use "
                "padding = \"same\" or a smaller kernel");
  check_refusal("input size=9,3 channels=2", "conv2d kernel=2,4 filters=1 padding=valid", NAS_SHAPE,
                "conv2d: kernel 2x4 is larger than the input 9x3x2, which is not padded; use "
                "padding = \"same\" or a smaller kernel");
  check_refusal("input size=1,9 channels=2", "max_pool", NAS_SHAPE,
                "max_pool: window 2x2 is larger than the input 1x9x2, which is not padded; use "
                "padding = \"same\" or a smaller pool");
  check_refusal("input size=1,9 channels=2", "softmax_cross_entropy", NAS_SHAPE,
                "softmax_cross_entropy: input has shape 1x9x2; expected one logit for each of 2 or "
                "more classes");
  check_refusal("input size=3 channels=2; dense units=1", "softmax_cross_entropy", NAS_SHAPE,
                "softmax_cross_entropy: input has shape 1; expected one logit for each of 2 or "
                "more classes");
  check_refusal(NULL, "input size=3,0 channels=2", NAS_SHAPE,
                "input: size is 3, 0; expected two positive numbers, or 0, 0");
}

/* Of layers with several inputs: the last line of a graph is refused. */
static void joined_messages(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"add(1,2)", "add: input 1 has shape 9x8x4, but input 2 has 9x8x6; all must be equal"},
      {"add(1,1,3)", "add: input 1 has shape 9x8x4, but input 3 has 5; all must be equal"},
      {"add(1)", "add: 1 inputs; expected 2 to 64"},
      {"multiply(1,2)", "multiply: input 1 has shape 9x8x4, but input 2 has 9x8x6; expected the "
                        "same, or a vector with one unit for each channel"},
      {"multiply(1,3)",
       "multiply: input 1 has shape 9x8x4, but input 2 has 5; expected the same, or "
       "a vector with one unit for each channel"},
      {"multiply(4,1)",
       "multiply: input 1 has shape 4, but input 2 has 9x8x4; expected the same, or "
       "a vector with one unit for each channel"},
      {"multiply(1,5)", "multiply: input 1 has shape 9x8x4, but input 2 has scalar; expected the "
                        "same, or a vector with one unit for each channel"},
      {"multiply(1)", "multiply: 1 inputs; expected 2 to 64"},
      {"concat(1,3)", "concat: input 1 has shape 9x8x4, but input 2 has 5; expected only maps of "
                      "height x width x channels, or only vectors"},
      {"concat(3,5)", "concat: input 2 is one number; expected maps or vectors"},
      {"concat(5)", "concat: input 1 is one number; expected maps or vectors"},
      {"concat(6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6)",
       "concat: output would have shape 69632; each dimension must be 1 to 65536"},
      {"depthwise_conv2d(3) kernel=3",
       "depthwise_conv2d: input has shape 5; expected height x width x channels"},
      {"depthwise_conv2d(1) kernel=10,2 padding=valid",
       "depthwise_conv2d: kernel 10x2 is larger than the input 9x8x4, which is not padded; use "
       "padding = \"same\" or a smaller kernel"},
      {"avg_pool(5)", "avg_pool: input has shape scalar; expected height x width x channels"},
      {"avg_pool(1) pool=2,9",
       "avg_pool: window 2x9 is larger than the input 9x8x4, which is not padded; use padding = "
       "\"same\" or a smaller pool"},
      {"zero_pad(3)", "zero_pad: input has shape 5; expected height x width x channels"},
      {"zero_pad(1) top=-1", "zero_pad: top is -1; expected an integer from 0 to 255"},
      {"conv2d(1) kernel=1 filters=1000; flatten",
       "flatten: input of shape 9x8x1000 has 72000 values; at most 65536 fit in a vector"},
      {"one_hot(3) classes=4", "one_hot: input has shape 5; expected one class"},
      {"dropout(1) rate=1", "dropout: rate is 1; expected a number from 0 to 0.99"},
      {"scale(1) factor=1e31", "scale: factor is 1e+31; expected a number from -1e+30 to 1e+30"},
      {"softmax_cross_entropy(3,4)",
       "softmax_cross_entropy: target has shape 4; expected a class, which data for classification "
       "have; for values use mean_squared_error or huber"},
      {"softmax_cross_entropy(3,5) label_smoothing=1",
       "softmax_cross_entropy: label_smoothing is 1; expected a number from 0 to 0.999"},
      {"mean_squared_error(3,4)",
       "mean_squared_error: the output has shape 5, but the target has 4; they must be equal"},
      {"mean_squared_error(3,5)",
       "mean_squared_error: the target is one class, but the output has shape 5; use "
       "softmax_cross_entropy, or one_hot to make values of the class"},
      {"huber(1,4)", "huber: the output has shape 9x8x4, but the target has 4; they must be equal"},
      {"huber(3,3) delta=0", "huber: delta is 0; expected a number from 1e-06 to 1000000"},
      {"binary_cross_entropy(3,4)",
       "binary_cross_entropy: the output has shape 5, but the target has 4; they must be equal"},
      {"binary_cross_entropy(3,5)",
       "binary_cross_entropy: the target is one class, but the output has shape 5; expected one "
       "unit, the logit of class 1 of 0 and 1; for several classes use softmax_cross_entropy"},
      {"huber(3)", "huber: 1 inputs; expected 2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[400];
    nas_node *node;
    nas_error err = {0};
    snprintf(text, sizeof text,
             "input size=9,8 channels=4; conv2d kernel=1 filters=6; dense units=5; dense units=4; "
             "mean; dense units=4096; %s",
             cases[i][0]);
    if (graph_try(&node, text, &err) == NAS_OK) fail_msg("%s was not refused", cases[i][0]);
    assert_null(node);
    assert_string_equal(err.text, cases[i][1]);
  }
}

static void numbers_of_inputs(void **state) {
  (void)state;
  static const char *const kinds[] = {"conv2d",   "dense",           "relu",
                                      "max_pool", "global_avg_pool", "batch_norm"};
  char message[100];
  nas_node *x = stack(NULL, "input size=3 channels=2"), *node;
  nas_node *two[] = {x, x};
  nas_error err;
  check_refusal("input size=3 channels=2", "input", NAS_ARGUMENT, "input: 1 inputs; expected 0");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    snprintf(message, sizeof message, "%s: 0 inputs; expected 1", kinds[i]);
    check_refusal(NULL, kinds[i], NAS_ARGUMENT, message);
    snprintf(message, sizeof message, "%s: 2 inputs; expected 1", kinds[i]);
    assert_int_equal(node_try(&node, kinds[i], two, 2, &err), NAS_ARGUMENT);
    assert_string_equal(err.text, message);
  }
  nas_node *many[NAS_INPUTS_MAX + 1];
  for (int i = 0; i <= NAS_INPUTS_MAX; i++) many[i] = x;
  assert_int_equal(node_try(&node, "test_sum", many, NAS_INPUTS_MAX + 1, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "test_sum: 65 inputs; expected 1 to 64");
  assert_int_equal(node_try(&node, "test_sum", many, -1, &err), NAS_ARGUMENT);
  check_ok(node_try(&node, "test_sum", many, NAS_INPUTS_MAX, &err), &err);
  nas_node_release(&node);
  nas_node_release(&x);
}

/* -- limits ----------------------------------------------------------------------------------- */

static void huge_shapes(void **state) {
  (void)state;
  check_refusal(NULL, "input size=65536 channels=1", NAS_LIMIT,
                "input: output of shape 65536x65536x1 has more than 33554431 values");
  check_refusal(NULL, "input size=65536 channels=65536", NAS_LIMIT,
                "input: output of shape 65536x65536x65536 has more than 33554431 values");
  check_refusal(NULL, "input size=65536,512 channels=1", NAS_LIMIT,
                "input: output of shape 65536x512x1 has more than 33554431 values");
  check_refusal("input size=1000 channels=1", "conv2d kernel=1 filters=34", NAS_LIMIT,
                "conv2d: output of shape 1000x1000x34 has more than 33554431 values");
  static const char *const sizes[][2] = {{"size=65537,1", "65537x1x1"},
                                         {"size=1,0", "1x0x1"},
                                         {"channels=-3", "1x1x-3"},
                                         {"channels=1000000000", "1x1x1000000000"},
                                         {"rank=1 size=0", "0"}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char layer[80], message[120];
    snprintf(layer, sizeof layer, "test_odd %s", sizes[i][0]);
    snprintf(message, sizeof message,
             "test_odd: output would have shape %s; each dimension must be 1 to 65536",
             sizes[i][1]);
    check_refusal(NULL, layer, NAS_SHAPE, message);
  }
}

static void ranks(void **state) {
  (void)state;
  static const int wrong[] = {-1, 2, 4, 1000};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char layer[80], message[120];
    snprintf(layer, sizeof layer, "test_odd rank=%d", wrong[i]);
    snprintf(message, sizeof message, "test_odd: output would have rank %d; expected 0, 1 or 3",
             wrong[i]);
    check_refusal(NULL, layer, NAS_SHAPE, message);
  }
  check_shape("test_odd rank=0", "scalar");
}

static void many_parameters(void **state) {
  (void)state;
  check_refusal("input size=5000 channels=1", "dense units=100", NAS_LIMIT,
                "dense: kernel would have 2500000000 parameters; at most 2147483647 are possible");
  check_refusal("input size=1 channels=65536", "conv2d kernel=255 filters=1", NAS_LIMIT,
                "conv2d: kernel would have 4261478400 parameters; at most 2147483647 are possible");
  check_refusal(
      NULL, "test_odd params=1000000000,3", NAS_LIMIT,
      "test_odd: table would have 3000000000 parameters; at most 2147483647 are possible");
  check_shape("test_odd params=1000000000,2", "1x1x1");
  check_shape("input size=1 channels=65535; conv2d kernel=1 filters=32768", "1x1x32768");
}

/* -- identity --------------------------------------------------------------------------------- */

static nas_hash hash_of(const char *text) {
  nas_node *node = stack(NULL, text);
  nas_hash hash = nas_node_hash(node);
  nas_node_release(&node);
  return hash;
}

/* Equal for equal layers upon equal layers; every option and every input tells. */
static void hashes(void **state) {
  (void)state;
  static const char *const different[] = {
      "input size=8 channels=1; relu",
      "input size=8,9 channels=1; relu",
      "input size=8 channels=2; relu",
      "input size=8 channels=1; max_pool",
      "input size=8 channels=1; max_pool stride=1",
      "input size=8 channels=1; conv2d kernel=3 filters=2",
      "input size=8 channels=1; conv2d kernel=3 filters=2 stride=2",
      "input size=8 channels=1; conv2d kernel=3 filters=2 stride=2,1",
      "input size=8 channels=1; conv2d kernel=3 filters=2 padding=valid",
      "input size=8 channels=1; conv2d kernel=3 filters=2 bias=0",
      "input size=8 channels=1; conv2d kernel=3 filters=2 init=he_uniform",
      "input size=8 channels=1; conv2d kernel=3 filters=2 init_range=0.1",
      "input size=8 channels=1; relu; relu",
  };
  enum { COUNT = sizeof different / sizeof *different };
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < COUNT; j++)
      assert_int_equal(nas_hash_compare(hash_of(different[i]), hash_of(different[j])) == 0, i == j);

  nas_node *x = stack(NULL, "input size=8 channels=1");
  nas_node *a = stack(nas_node_retain(x), "relu"), *b = stack(x, "relu; relu");
  nas_node *ab = JOIN("test_sum", nas_node_retain(a), nas_node_retain(b));
  nas_node *ba = JOIN("test_sum", nas_node_retain(b), nas_node_retain(a));
  nas_node *aa = JOIN("test_sum", nas_node_retain(a), nas_node_retain(a));
  nas_node *again = JOIN("test_sum", a, b);
  assert_int_equal(nas_hash_compare(nas_node_hash(ab), nas_node_hash(again)), 0);
  assert_int_not_equal(nas_hash_compare(nas_node_hash(ab), nas_node_hash(ba)), 0);
  assert_int_not_equal(nas_hash_compare(nas_node_hash(ab), nas_node_hash(aa)), 0);
  nas_node_release(&ab);
  nas_node_release(&ba);
  nas_node_release(&aa);
  nas_node_release(&again);
}

static void looking(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=8,7 channels=3");
  nas_node *y = stack(nas_node_retain(x), "conv2d kernel=3,5 filters=2");
  assert_string_equal(nas_node_kind(y)->name, "conv2d");
  assert_int_equal(nas_node_input_count(y), 1);
  assert_ptr_equal(nas_node_input(y, 0), x);
  assert_int_equal(nas_node_input_count(x), 0);
  int kernel = nas_options_find(&nas_node_kind(y)->options, "kernel", NULL);
  assert_int_equal(nas_node_options(y)[kernel].pair[1], 5);
  nas_node_release(&x);
  nas_node_release(&y);
}

/* Without values a layer has the defaults of its table. */
static void default_options(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=8,7 channels=3"), *y, *z;
  nas_error err;
  check_ok(nas_node_create(&y, nas_layer_kind_find("max_pool", &err), NULL, &x, 1, &err), &err);
  z = stack(x, "max_pool pool=2 stride=2 padding=valid");
  assert_int_equal(nas_hash_compare(nas_node_hash(y), nas_node_hash(z)), 0);
  nas_node_release(&y);
  nas_node_release(&z);
}

/* -- ownership -------------------------------------------------------------------------------- */

static void references(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=8 channels=1");
  nas_node *y = JOIN("test_sum", x, nas_node_retain(x), nas_node_retain(x)); /* takes all three */
  assert_int_equal(nas_memory_used().blocks, 2);
  nas_node *z = stack(nas_node_retain(y), "relu");
  nas_node *same = nas_node_retain(z);
  assert_ptr_equal(same, z);
  nas_node_release(&z);
  assert_null(z);
  assert_int_equal(nas_memory_used().blocks, 3);
  nas_node_release(&same);
  assert_int_equal(nas_memory_used().blocks, 2);
  nas_node_release(&y);
  nas_node_release(&y);
  nas_node_release(NULL);
}

/* Nothing recurses. */
static void deep_release(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=1 channels=1");
  nas_node *branch = nas_node_retain(x);
  for (int i = 0; i < 100000; i++) {
    x = stack(x, "relu");
    if (i % 1000 == 0) x = JOIN("test_sum", x, nas_node_retain(x), nas_node_retain(branch));
  }
  nas_node_release(&branch);
  nas_node_release(&x);
}

/* Workers share nodes and give them up at once. */
static void share(void *context, int worker, int workers) {
  nas_node *shared = context;
  (void)worker, (void)workers;
  for (int i = 0; i < 300; i++) {
    nas_node *mine = stack(nas_node_retain(shared), "relu; relu");
    nas_node *other = nas_node_retain(mine);
    nas_node_release(&mine);
    nas_node_release(&other);
  }
  nas_node_release(&shared);
}

static void shared_between_threads(void **state) {
  (void)state;
  nas_pool *pool;
  nas_error err;
  check_ok(nas_pool_create(&pool, 4, &err), &err);
  nas_node *x = stack(NULL, "input size=8 channels=1; relu; relu");
  for (int i = 1; i < 4; i++) nas_node_retain(x);
  nas_pool_run(pool, share, x);
  nas_pool_destroy(&pool);
}

static void without_memory(void **state) {
  (void)state;
  nas_node *x = stack(NULL, "input size=8 channels=1"), *node;
  nas_node *many[NAS_INPUTS_MAX]; /* a text that grows several times */
  nas_error err;
  const nas_layer_kind *sum = nas_layer_kind_find("test_sum", &err);
  for (int i = 0; i < NAS_INPUTS_MAX; i++) many[i] = x;
  check_starved(nas_node_create(&node, sum, NULL, many, NAS_INPUTS_MAX, &err), node);
  nas_node_release(&node);
  nas_node_release(&x);
}

static int set_up(void **state) {
  return register_test_layers(state) || nas_layer_kind_register(&test_odd, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(shapes),         TEST(joined_shapes),   TEST(shape_size),
      TEST(messages),       TEST(joined_messages), TEST(numbers_of_inputs),
      TEST(huge_shapes),    TEST(ranks),           TEST(many_parameters),
      TEST(hashes),         TEST(looking),         TEST(default_options),
      TEST(references),     TEST(deep_release),    TEST(shared_between_threads),
      TEST(without_memory),
  };
  return cmocka_run_group_tests_name("node", tests, set_up, NULL);
}
