/* The bits of tiny trainings with every layer and every optimiser. They may change on purpose only,
 * together with the numeric version: stored evaluations are found under it. */
#include "datasets.h"
#include <nas/augment.h>
#include <nas/version.h>

/* The version that the digests below were made with. */
enum { GOLDEN_VERSION = 4 };

typedef struct golden {
  const char *network;
  int batch;
  const char *optimizer, *option;
  double rate, value;
  const char *digest;
} golden;

static const golden trainings[] = {
    {"input size=8,7 channels=3; conv2d kernel=3 filters=5 stride=2,1; relu; "
     "max_pool pool=3 stride=1,2 padding=same; conv2d kernel=1,2 filters=18; relu; "
     "global_avg_pool; dense units=4",
     10, "adam", "beta2", 0.003, 0.99, "28fb4579645f2f4649494e0ada77f4bb"},
    {"input size=8,7 channels=3; max_pool pool=2,1 stride=2,1; relu; "
     "conv2d kernel=2,3 filters=9 padding=valid init=he_uniform bias=0; relu; "
     "dense units=6 init=uniform init_range=0.3; relu; dense units=4 bias=0",
     17, "sgd", "momentum", 0.05, 0.9, "23afc5b6040ffbebbfa5e45aae866c62"},
    {"input size=8,7 channels=3; batch_norm; conv2d kernel=3 filters=18 bias=0; "
     "batch_norm momentum=0.8 epsilon=0.001; relu; max_pool; dense units=9; batch_norm; relu; "
     "dense units=4",
     17, "adam", "beta2", 0.01, 0.99, "b950f5f6c928f2bb3b01703451aa0d17"},
    {"input size=8,7 channels=3; conv2d kernel=3 filters=5 stride=2 bias=0; relu; "
     "conv2d kernel=2 filters=6 bias=0; relu; dense units=4 bias=0",
     13, "rmsprop", "momentum", 0.003, 0.9, "7e1fc1ef12a8d09103dea95d41d1f88c"},
    {"input size=8,7 channels=3; conv2d kernel=3 filters=5 stride=2 bias=0; relu; "
     "conv2d kernel=2 filters=6 bias=0; relu; dense units=4 bias=0",
     13, "adamw", "weight_decay", 0.003, 0.5, "296b71b01687c514775d0e6209c63d8b"},
    {"1 input size=8,7 channels=3; 2 zero_pad top=1 right=2; 3 depthwise_conv2d kernel=3; "
     "4 conv2d kernel=1 filters=18; 5 leaky_relu; 6 avg_pool pool=3 stride=2 padding=same; "
     "7 depthwise_conv2d kernel=2,3; 8 relu; 9 global_avg_pool(6); 10 dense units=18; 11 sigmoid; "
     "12 multiply(8,11); 13 max_pool(2); 14 concat(12,13,6); 15 dropout rate=0.3; 16 flatten; "
     "17 dense units=9; 18 tanh; 19 identity; 20 add(18,19); 21 dropout; 22 dense units=4",
     17, "adam", "beta2", 0.01, 0.99, "0a2af8f2aed5aea5ff1766f581d9d4f7"},
    {"1 input size=8,7 channels=3; 2 conv2d kernel=3 filters=6 stride=2; 3 abs; "
     "4 scale offset=0.5; 5 log; 6 conv2d(2) kernel=1 filters=6; 7 exp; 8 square(6); "
     "9 huber(5,8) delta=0.5; 10 mean_squared_error(7,8); 11 sigmoid(8); "
     "12 binary_cross_entropy(6,11); 13 mean(7); 14 sum(5); 15 add(9,10,12,13,14); "
     "16 scale factor=0.1; 17 one_hot(13) classes=5; 18 dense(16) units=5; 19 add(17,18); "
     "20 dense units=4; 21 dense(2) units=4; 22 add(20,21)",
     10, "sgd", "momentum", 0.01, 0.9, "f932d063cfffa98bf69e49d40aa75275"},
    /* kernels that Winograd's algorithm computes, whole and in parts */
    {"input size=8,7 channels=3; conv2d kernel=1 filters=32; conv2d kernel=5 filters=32; relu; "
     "conv2d kernel=7,3 filters=32; relu; "
     "conv2d kernel=4 filters=48; relu; conv2d kernel=4,1 filters=48; global_avg_pool; "
     "dense units=4",
     17, "adam", "beta2", 0.001, 0.99, "2889f28e45ad0cad4e9d9fabc0efc1a1"},
};

enum { TRAININGS = sizeof trainings / sizeof *trainings, EPOCHS = 3 };

/* Appends the bits of all metrics of some epochs, and the state after them; hashes all that. Takes
 * the trainer. */
static void digest_epochs(nas_trainer *trainer, char hex[NAS_HASH_HEX]) {
  nas_text text = {0};
  for (int e = 0; e < EPOCHS; e++) {
    nas_epoch epoch = epoch_of(trainer);
    const double metrics[] = {epoch.training.loss, epoch.training.accuracy, epoch.validation.loss,
                              epoch.validation.accuracy};
    for (int i = 0; i < 4; i++) {
      char number[20];
      uint64_t bits;
      memcpy(&bits, &metrics[i], sizeof bits);
      snprintf(number, sizeof number, "%016llx ", (unsigned long long)bits);
      nas_text_add(&text, number);
    }
  }
  nas_hash_hex(digest_of(trainer), hex);
  nas_text_add(&text, hex);
  nas_hash_hex(nas_hash_bytes(text.data, text.size), hex);
  nas_text_clear(&text);
  nas_trainer_destroy(&trainer);
}

static void digest_training(const golden *g, char hex[NAS_HASH_HEX]) {
  nas_error err;
  nas_dataset *data = toy_dataset(60, 8, 7, 3, 4, 15, 1);
  nas_recipe recipe = recipe_of(g->batch, g->optimizer, g->rate);
  const nas_option_table *table = &recipe.optimizer->options;
  check_ok(nas_options_set_number(table, recipe.optimizer_options,
                                  nas_options_find(table, g->option, &err), g->value, &err),
           &err);
  nas_pool *pool = pool_of(2);
  digest_epochs(trainer_of(graph(g->network), data, &recipe, 1, pool), hex);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* -- a graph of all that chains do not have --------------------------------------------------- */

static nas_node *keep(nas_node *node) {
  return nas_node_retain(node);
}

static nas_node *everything(void) {
  nas_node *x = stack(NULL, "input size=8,7 channels=3");
  nas_node *a = stack(keep(x), "depthwise_conv2d kernel=3,2; tanh; dropout rate=0.3");
  nas_node *b =
      stack(keep(x), "conv2d kernel=1 filters=16; conv2d kernel=3 filters=17; relu; "
                     "conv2d kernel=3 filters=16 padding=valid bias=0; conv2d kernel=1 "
                     "filters=3; zero_pad top=1 right=1 bottom=1 left=1; batch_norm; sigmoid");
  nas_node *c = stack(keep(x), "leaky_relu; scale factor=0.5 offset=0.1; identity");
  nas_node *d = JOIN("add", JOIN("multiply", a, b), c);
  nas_node *e = stack(keep(x), "avg_pool pool=2,3 stride=2 padding=same; zero_pad top=1 right=2");
  nas_node *f = stack(JOIN("concat", d, e),
                      "conv2d kernel=3 filters=7 stride=2; square; scale offset=1; log; abs");
  nas_node *gate = stack(stack(keep(f), "global_avg_pool"), "dense units=7; sigmoid");
  nas_node_release(&x);
  return stack(JOIN("multiply", f, gate), "flatten; dense units=4");
}

/* The sum of all losses, whichever target they take. */
static nas_node *losses(nas_node *output) {
  nas_node *target = stack(NULL, "target"), *hot = stack(keep(target), "one_hot classes=4");
  nas_node *first = JOIN("softmax_cross_entropy label_smoothing=0.1", keep(output), target);
  nas_node *second = JOIN("huber delta=0.3", keep(output), keep(hot));
  nas_node *third = JOIN("binary_cross_entropy", keep(output), keep(hot));
  nas_node *fourth = JOIN("mean_squared_error", keep(output), hot);
  nas_node *small = stack(keep(output), "scale factor=0.01");
  nas_node *fifth = JOIN("add", stack(keep(small), "sum"), stack(small, "exp; mean"));
  return JOIN("add", first, second, third, fourth, fifth);
}

static void set(const nas_option_table *table, nas_option_value *values, const char *name,
                double value) {
  nas_error err;
  int at = nas_options_find(table, name, &err);
  assert_true(at >= 0);
  check_ok(nas_options_set_number(table, values, at, value, &err), &err);
}

static nas_recipe full_recipe(void) {
  nas_recipe recipe = recipe_of(19, "sgd", 0.02);
  set(&recipe.optimizer->options, recipe.optimizer_options, "momentum", 0.9);
  set(&recipe.optimizer->options, recipe.optimizer_options, "nesterov", 1);
  set(&recipe.optimizer->options, recipe.optimizer_options, "l2", 0.001);
  recipe.schedule = nas_schedule_find("cosine", NULL);
  nas_options_default(&recipe.schedule->options, recipe.schedule_options);
  set(&recipe.schedule->options, recipe.schedule_options, "epochs", EPOCHS);
  set(&recipe.schedule->options, recipe.schedule_options, "warmup", 1);
  set(&nas_augment_table, recipe.augment, "pad_crop", 1);
  set(&nas_augment_table, recipe.augment, "shift", 2);
  set(&nas_augment_table, recipe.augment, "flip", 0.5);
  set(&nas_augment_table, recipe.augment, "erase", 0.5);
  recipe.clip_norm = 0.5;
  recipe.average = 0.8;
  return recipe;
}

/* Of the graph with all losses. */
static nas_trainer *graph_trainer(nas_dataset *data, const nas_recipe *recipe, nas_pool *pool,
                                  int micro_batch, const nas_kernels *kernels) {
  nas_node *output = everything(), *loss = losses(output);
  nas_trainer *trainer = trainer_with((nas_training){.output = output,
                                                     .loss = loss,
                                                     .data = data,
                                                     .recipe = recipe,
                                                     .seed = 3,
                                                     .pool = pool,
                                                     .micro_batch = micro_batch,
                                                     .kernels = kernels});
  nas_node_release(&loss);
  return trainer;
}

static nas_dataset *graph_data(void) {
  nas_dataset *all = toy_dataset(60, 8, 7, 3, 4, 15, 1), *data;
  nas_split split = {.validation = 15, .stratified = 1, .standardize = 1};
  nas_error err;
  check_ok(nas_dataset_split(&data, all, &split, &err), &err);
  nas_dataset_release(&all);
  return data;
}

static void check_graph(int threads, int micro_batch, const nas_kernels *kernels) {
  static const char expected[] = "07ec510929a6c896a463aae76d1daad8";
  nas_dataset *data = graph_data();
  nas_recipe recipe = full_recipe();
  nas_pool *pool = pool_of(threads);
  char hex[NAS_HASH_HEX];
  digest_epochs(graph_trainer(data, &recipe, pool, micro_batch, kernels), hex);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
  if (strcmp(hex, expected) == 0) return;
  fail_msg("%d threads, micro-batch %d, %s: the digest is %s, expected %s; see bits_of_trainings",
           threads, micro_batch, kernels ? kernels->name : "any table", hex, expected);
}

/* At any number of threads, with any micro-batch, by every table. */
static void bits_of_a_graph(void **state) {
  (void)state;
  static const int speeds[][2] = {{1, 1}, {3, 5}, {2, 16}, {1, 7}};
  const nas_kernels *kernels;
  check_graph(2, 0, NULL);
  check_graph(5, 3, NULL);
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++)
    check_graph(speeds[i % 4][0], speeds[i % 4][1], kernels);
}

/* Whatever the layers, the optimiser and what else the recipe asks for. */
static void a_step_allocates_nothing(void **state) {
  (void)state;
  nas_dataset *data = graph_data();
  nas_recipe recipe = full_recipe();
  nas_pool *pool = pool_of(2);
  nas_trainer *trainer = graph_trainer(data, &recipe, pool, 0, NULL);
  nas_epoch epoch;
  nas_memory_fail_after(0);
  nas_status status = nas_trainer_epoch(trainer, NULL, NULL, &epoch, NULL);
  nas_memory_fail_after(-1);
  assert_int_equal(status, NAS_OK);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* -- the chains ------------------------------------------------------------------------------- */

static void bits_of_trainings(void **state) {
  (void)state;
  int changed = 0;
  for (int i = 0; i < TRAININGS; i++) {
    char hex[NAS_HASH_HEX];
    digest_training(&trainings[i], hex);
    if (strcmp(hex, trainings[i].digest) == 0) continue;
    changed = 1;
    print_error("training %d: the digest is %s, expected %s\n", i + 1, hex, trainings[i].digest);
  }
  if (!changed) return;
  print_error(
      "The bits of training changed, so stored evaluations would not be reproduced. If that "
      "was not meant, find out why. If it was, raise NAS_NUMERIC_VERSION in "
      "core/base/nas/version.h, which is %d, and write it and the digests above into this "
      "test.\n",
      NAS_NUMERIC_VERSION);
  fail();
}

static void version(void **state) {
  (void)state;
  assert_int_equal(nas_numeric_version(), NAS_NUMERIC_VERSION);
  if (NAS_NUMERIC_VERSION == GOLDEN_VERSION) return;
  fail_msg("the numeric version is %d, the golden digests are of version %d: make new ones",
           NAS_NUMERIC_VERSION, GOLDEN_VERSION);
}

/* A new layer or optimiser must be among the trainings. */
static void nothing_is_left_out(void **state) {
  (void)state;
  nas_node *output = everything(), *loss = losses(output);
  nas_network *network = network_of(loss);
  for (int i = 0; nas_layer_kind_at(i); i++) {
    const nas_layer_kind *kind = nas_layer_kind_at(i);
    char name[80];
    snprintf(name, sizeof name, " %s", kind->name);
    int found = strstr(nas_network_text(network), name) != NULL;
    for (int k = 0; k < TRAININGS; k++) found |= strstr(trainings[k].network, kind->name) != NULL;
    if (!found) fail_msg("no golden training has a layer %s", kind->name);
  }
  for (int i = 0; nas_optimizer_at(i); i++) {
    int found = 0;
    for (int k = 0; k < TRAININGS; k++)
      found |= strcmp(trainings[k].optimizer, nas_optimizer_at(i)->name) == 0;
    if (!found) fail_msg("no golden training uses %s", nas_optimizer_at(i)->name);
  }
  nas_network_destroy(&network);
  nas_node_release(&output);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(version), TEST(bits_of_trainings), TEST(bits_of_a_graph),
                                     TEST(a_step_allocates_nothing), TEST(nothing_is_left_out)};
  return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
