/* The bits of tiny trainings with every layer and every optimiser. They may change on purpose only,
 * together with the numeric version: stored evaluations are found under it. */
#include "datasets.h"
#include <nas/version.h>

/* The version that the digests below were made with. */
enum { GOLDEN_VERSION = 1 };

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
     17, "adam", "beta2", 0.01, 0.99, "39d3022dad567548eb26f158f751ca27"},
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
};

enum { TRAININGS = sizeof trainings / sizeof *trainings, EPOCHS = 3 };

/* Hash over the bits of all metrics and of the final state. */
static void digest_training(const golden *g, char hex[NAS_HASH_HEX]) {
  nas_text text = {0};
  nas_error err;
  nas_dataset *data = toy_dataset(60, 8, 7, 3, 4, 15, 1);
  nas_recipe recipe = recipe_of(g->batch, g->optimizer, g->rate);
  const nas_option_table *table = &recipe.optimizer->options;
  check_ok(nas_options_set_number(table, recipe.optimizer_options,
                                  nas_options_find(table, g->option, &err), g->value, &err),
           &err);
  nas_pool *pool = pool_of(2);
  nas_trainer *trainer = trainer_of(graph(g->network), data, &recipe, 1, pool, NULL);
  for (int e = 0; e < EPOCHS; e++) {
    nas_epoch epoch = epoch_of(trainer);
    const double metrics[] = {epoch.train_loss, epoch.train_accuracy, epoch.loss, epoch.accuracy};
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
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

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
  for (int i = 0; nas_layer_kind_at(i); i++) {
    const nas_layer_kind *kind = nas_layer_kind_at(i);
    int found =
        strcmp(kind->name, "softmax_cross_entropy") == 0 || strcmp(kind->name, "target") == 0;
    for (int k = 0; k < TRAININGS; k++) found |= strstr(trainings[k].network, kind->name) != NULL;
    if (!found) fail_msg("no golden training has a layer %s", kind->name);
  }
  for (int i = 0; nas_optimizer_at(i); i++) {
    int found = 0;
    for (int k = 0; k < TRAININGS; k++)
      found |= strcmp(trainings[k].optimizer, nas_optimizer_at(i)->name) == 0;
    if (!found) fail_msg("no golden training uses %s", nas_optimizer_at(i)->name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(version), TEST(bits_of_trainings),
                                     TEST(nothing_is_left_out)};
  return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
