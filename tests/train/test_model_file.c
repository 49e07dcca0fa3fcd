#include "models.h"

static nas_model *load(const nas_archive *archive) {
  nas_model *model;
  nas_error err;
  check_ok(nas_model_load(&model, archive, &err), &err);
  return model;
}

/* Takes the archive. */
static void check_not_loaded(nas_archive *archive, nas_status status, const char *message) {
  nas_model *model = (nas_model *)16;
  check_refused(nas_model_load(&model, archive, &err), status, model, message);
  assert_int_equal(nas_model_load(&model, archive, NULL), status);
  nas_archive_destroy(&archive);
}

/* Another value of a key, or NULL: without it. */
static void check_key(const nas_archive *good, const char *key, const char *value,
                      const char *message) {
  check_not_loaded(value ? archive_with(good, key, value) : archive_without(good, key), NAS_FORMAT,
                   message);
}

/* -- there and back --------------------------------------------------------------------------- */

static void check_same_models(const nas_model *a, const nas_model *b) {
  assert_string_equal(nas_network_text(nas_model_network(a)),
                      nas_network_text(nas_model_network(b)));
  assert_int_equal(
      nas_hash_compare(nas_node_hash(nas_model_output(a)), nas_node_hash(nas_model_output(b))), 0);
  assert_int_equal(nas_model_task(a), nas_model_task(b));
  assert_int_equal(nas_model_classes(a), nas_model_classes(b));
  assert_int_equal(nas_model_epoch(a), nas_model_epoch(b));
  assert_string_equal(nas_model_recipe(a), nas_model_recipe(b));
  assert_string_equal(nas_model_data(a), nas_model_data(b));
  for (int c = 0; c < nas_model_classes(a); c++) {
    const char *first = nas_model_class_name(a, c), *second = nas_model_class_name(b, c);
    assert_true((first == NULL) == (second == NULL));
    if (first) assert_string_equal(first, second);
  }
  size_t floats = nas_compiled_param_floats(nas_model_compiled(a));
  assert_int_equal(nas_compiled_param_floats(nas_model_compiled(b)), floats);
  assert_memory_equal(nas_model_params(a), nas_model_params(b), floats * sizeof(float));
}

/* A model that comes back from a file is the same, measures the same and makes the same file. */
static void there_and_back(void **state) {
  (void)state;
  for (int kind = 0; kind < SUBJECTS; kind++) {
    subject s = subject_of(kind, 2);
    epoch_of(s.trainer);
    nas_model *model = model_of(s.trainer);
    nas_archive *archive = read_back(archive_of_model(model));
    nas_model *loaded = load(archive);
    check_same_models(model, loaded);
    nas_metrics first, second;
    nas_error err;
    check_ok(
        nas_model_evaluate(model, s.data, NAS_PART_ALL, s.pool, NULL, NULL, &first, NULL, &err),
        &err);
    check_ok(
        nas_model_evaluate(loaded, s.data, NAS_PART_ALL, s.pool, NULL, NULL, &second, NULL, &err),
        &err);
    assert_memory_equal(&first, &second, sizeof first);
    nas_archive *again = archive_of_model(loaded);
    check_same_bytes(archive, again);
    nas_archive_destroy(&again);
    nas_archive_destroy(&archive);
    nas_model_destroy(&model);
    nas_model_destroy(&loaded);
    subject_free(&s);
  }
}

/* With a training state in the same file: each finds its own. */
static void beside_a_state(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 1);
  nas_error err;
  epoch_of(s.trainer);
  nas_model *model = model_of(s.trainer);
  nas_archive *archive = archive_of_model(model);
  check_ok(nas_trainer_save(s.trainer, archive, &err), &err);
  archive = read_back(archive);
  nas_model *loaded = load(archive);
  check_same_models(model, loaded);
  check_ok(nas_trainer_restore(s.trainer, archive, &err), &err);
  nas_archive_destroy(&archive);
  nas_model_destroy(&model);
  nas_model_destroy(&loaded);
  subject_free(&s);
}

/* Trains the loss, saves, and finds the same model and state in the file. */
static void check_loss(const char *text, int output, nas_dataset *data, nas_pool *pool) {
  nas_node *loss = graph(text);
  nas_network *network = network_of(nas_node_retain(loss));
  nas_recipe recipe = recipe_of(20, "adam", 0.02);
  nas_trainer *trainers[2];
  nas_error err;
  for (int i = 0; i < 2; i++)
    trainers[i] =
        trainer_with((nas_training){.output = nas_node_retain(nas_network_node(network, output)),
                                    .loss = loss,
                                    .data = data,
                                    .recipe = &recipe,
                                    .seed = 1,
                                    .pool = pool});
  nas_epoch epoch = epoch_of(trainers[0]);
  nas_model *model = model_of(trainers[0]);
  nas_archive *archive = archive_of_model(model);
  check_ok(nas_trainer_save(trainers[0], archive, &err), &err);
  archive = read_back(archive);
  nas_model *loaded = load(archive);
  nas_metrics metrics;
  check_same_models(model, loaded);
  check_ok(
      nas_model_evaluate(loaded, data, NAS_PART_VALIDATION, pool, NULL, NULL, &metrics, NULL, &err),
      &err);
  assert_memory_equal(&metrics, &epoch.validation, sizeof metrics);
  check_ok(nas_trainer_restore(trainers[1], archive, &err), &err);
  assert_int_equal(nas_hash_compare(digest_of(trainers[0]), digest_of(trainers[1])), 0);
  nas_archive_destroy(&archive);
  nas_model_destroy(&model);
  nas_model_destroy(&loaded);
  for (int i = 0; i < 2; i++) nas_trainer_destroy(&trainers[i]);
  nas_network_destroy(&network);
  nas_node_release(&loss);
}

/* A network may have no parameters at all, or some in its loss; its output may be its input. */
static void unusual_networks(void **state) {
  (void)state;
  nas_stream dice = nas_stream_open(4, "toy data", NULL, 0);
  nas_tensor *inputs = uniform_tensor(&dice, DIMS(40, 3)), *targets;
  nas_error err;
  check_ok(nas_tensor_clone(&targets, inputs, &err), &err);
  nas_dataset *data =
      split_of(dataset_from((nas_dataset_parts){.name = "same"}, inputs, targets), 10, 0);
  nas_pool *pool = pool_of(2);
  check_loss("1 input size=0,0 channels=3; 2 target values=3; 3 mean_squared_error(1,2)", 0, data,
             pool);
  check_loss("1 input size=0,0 channels=3; 2 dense units=3; 3 dense units=7; 4 target values=3; "
             "5 dense units=7; 6 huber(3,5)",
             1, data, pool);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* The elements of an archive's tensor may lie in any order: it may be a view. */
static void views(void **state) {
  (void)state;
  static const char *const names[] = {"2.dense.kernel", "luanas.mean"};
  subject s = subject_of(VALUES, 1);
  nas_error err;
  nas_model *model = model_of(s.trainer);
  nas_archive *plain = archive_of_model(model);
  for (int i = 0; i < 2; i++) {
    const nas_tensor *tensor = nas_archive_find(plain, names[i]);
    nas_tensor *turned, *copy, *view;
    check_ok(nas_tensor_transpose(&turned, tensor, 0, 1, &err), &err);
    check_ok(nas_tensor_clone(&copy, turned, &err), &err);
    check_ok(nas_tensor_transpose(&view, copy, 0, 1, &err), &err);
    assert_false(nas_tensor_is_contiguous(view));
    nas_archive *archive = archive_with_tensor(plain, names[i], view);
    nas_model *loaded = load(archive);
    check_same_models(model, loaded);
    nas_archive *again = archive_of_model(loaded);
    check_same_bytes(plain, again);
    nas_archive_destroy(&again);
    nas_model_destroy(&loaded);
    nas_archive_destroy(&archive);
    nas_tensor_destroy(&turned);
    nas_tensor_destroy(&copy);
  }
  nas_archive_destroy(&plain);
  nas_model_destroy(&model);
  subject_free(&s);
}

static void saved_twice(void **state) {
  (void)state;
  subject s = subject_of(PAIR, 1);
  nas_error err = {0};
  nas_model *model = model_of(s.trainer);
  nas_archive *archive = archive_of_model(model);
  assert_int_equal(nas_model_save(model, archive, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "archive: there is a tensor \"2.dense.kernel\" already");
  nas_archive_destroy(&archive);
  nas_model_destroy(&model);
  subject_free(&s);
}

/* -- what is refused -------------------------------------------------------------------------- */

/* Every key and tensor but the names of the classes is needed. */
static void incomplete(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 1);
  nas_model *model = model_of(s.trainer);
  nas_archive *good = archive_of_model(model);
  for (int64_t i = 0; i < nas_archive_count(good); i++)
    check_not_loaded(archive_without(good, nas_archive_name_at(good, i)), NAS_FORMAT,
                     nas_archive_name_at(good, i));
  for (int64_t i = 0; i < nas_archive_key_count(good); i++) {
    const char *key = nas_archive_key_at(good, i);
    if (strcmp(key, "luanas.class.1") != 0) check_key(good, key, NULL, key);
  }
  nas_archive *unnamed = archive_without(good, "luanas.class.1");
  nas_model *loaded = load(unnamed);
  assert_null(nas_model_class_name(loaded, 0));
  nas_model_destroy(&loaded);
  nas_archive_destroy(&unnamed);
  check_not_loaded(new_archive(), NAS_FORMAT, "not a whole model: luanas.format is missing");
  nas_archive_destroy(&good);
  nas_model_destroy(&model);
  subject_free(&s);
}

static void damaged_keys(void **state) {
  (void)state;
  static const struct {
    const char *key, *value, *message;
  } cases[] = {
      {"luanas.format", "model 2", "luanas.format is \"model 2\"; this version reads \"model 1\""},
      {"luanas.output", "0", "luanas.output is \"0\"; expected a whole number from 1 to 9"},
      {"luanas.output", "10", "luanas.output is \"10\"; expected a whole number from 1 to 9"},
      {"luanas.output", "07", "luanas.output is \"07\"; expected a whole number"},
      {"luanas.output", " 7", "luanas.output is \" 7\"; expected a whole number"},
      {"luanas.output", "7x", "luanas.output is \"7x\"; expected a whole number"},
      {"luanas.output", "", "luanas.output is \"\"; expected a whole number"},
      {"luanas.output", "99999999999999999999", "expected a whole number from 1 to 9"},
      {"luanas.output", "2", "layer 2 of the network, the output, is not a vector"},
      {"luanas.top_k", "-1", "luanas.top_k is \"-1\"; expected a whole number from 0 to 65536"},
      {"luanas.winograd", "2", "luanas.winograd is \"2\"; expected a whole number from 0 to 1"},
      {"luanas.epoch", "2147483648", "luanas.epoch is \"2147483648\"; expected a whole number"},
      {"luanas.task", "classes 5", "luanas.task is \"classes 5\", which does not fit 4 outputs"},
      {"luanas.task", "classes 04", "luanas.task is \"classes 04\", which does not fit"},
      {"luanas.task", "classes 4 ", "luanas.task is \"classes 4 \", which does not fit"},
      {"luanas.task", "classes  4", "luanas.task is \"classes  4\", which does not fit"},
      {"luanas.task", "classes", "luanas.task is \"classes\", which does not fit"},
      {"luanas.task", "values 4",
       "the loss takes a target of 0 values; the data have 4 (0: a class)"},
      {"luanas.task", "values 3", "luanas.task is \"values 3\", which does not fit 4 outputs"},
      {"luanas.network", "", "network, line 1: the text is empty"},
      {"luanas.network",
       "1 input size=6,5 channels=2\n2 target values=0\n3 softmax_cross_entropy(1,2) "
       "label_smoothing=0\n",
       "network, line 3: softmax_cross_entropy: input has shape 6x5x2"},
  };
  subject s = subject_of(CLASSES, 1);
  nas_model *model = model_of(s.trainer);
  nas_archive *good = archive_of_model(model);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_key(good, cases[i].key, cases[i].value, cases[i].message);
  nas_archive_destroy(&good);
  nas_model_destroy(&model);
  subject_free(&s);
}

/* The archive of the pair's model with another network and output. */
static nas_archive *with_network(const nas_archive *good, const char *text, const char *output,
                                 const char *task) {
  nas_network *network = network_of(graph(text));
  nas_archive *first = archive_with(good, "luanas.network", nas_network_text(network));
  nas_archive *second = archive_with(first, "luanas.output", output);
  nas_archive *third = archive_with(second, "luanas.task", task);
  nas_archive_destroy(&first);
  nas_archive_destroy(&second);
  nas_network_destroy(&network);
  return third;
}

/* What no trainer would train. */
static void impossible_networks(void **state) {
  (void)state;
  static const struct {
    const char *network, *output, *task, *message;
  } cases[] = {
      {"input size=0,0 channels=3; dense units=1", "2", "classes 2",
       "layer 2 of the network, the loss, is not one number"},
      {"input size=0,0 channels=3; dense units=1; mean", "2", "classes 2",
       "the loss does not depend on a target"},
      {"1 input size=0,0 channels=3; 2 dense units=2; 3 target; 4 one_hot classes=2; "
       "5 add(2,4); 6 softmax_cross_entropy(5,3)",
       "5", "classes 2", "layer 5 of the network, the output, does not depend on the input alone"},
      {"1 input size=0,0 channels=3; 2 dense units=2; 3 target; 4 one_hot classes=2; "
       "5 mean_squared_error(2,4)",
       "4", "classes 2", "layer 4 of the network, the output, does not depend on the input alone"},
      {"1 input size=0,0 channels=3; 2 dense units=2; 3 target values=3; "
       "4 mean_squared_error(1,3); 5 mean(2); 6 add(5,4)",
       "2", "values 2", "the loss takes a target of 3 values; the data have 2 (0: a class)"},
      {"1 input size=0,0 channels=3; 2 dense units=2; 3 target; 4 softmax_cross_entropy(2,3)", "2",
       "classes 2",
       "the tensor 2.dense.kernel is float32 [3, 1], which the network does not expect"},
  };
  subject s = subject_of(PAIR, 1);
  nas_model *model = model_of(s.trainer);
  nas_archive *good = archive_of_model(model);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_not_loaded(with_network(good, cases[i].network, cases[i].output, cases[i].task),
                     NAS_FORMAT, cases[i].message);
  nas_archive_destroy(&good);
  nas_model_destroy(&model);
  subject_free(&s);
}

/* A network is described in a few bytes: no parameter of it takes memory before it was found. */
static void huge_networks(void **state) {
  (void)state;
  subject s = subject_of(PAIR, 1);
  nas_model *model = model_of(s.trainer);
  nas_archive *good = archive_of_model(model);
  static const char description[] =
      "1 input size=0,0 channels=3; 2 dense units=65536; 3 dense units=2000; 4 dense units=1; "
      "5 target; 6 binary_cross_entropy(4,5)";
  nas_archive *huge = with_network(good, description, "4", "classes 2");
  nas_network *network = network_of(graph(description));
  assert_true(nas_network_params(network) > 100000000);
  nas_network_destroy(&network);
  nas_memory_use before = nas_memory_used();
  check_not_loaded(huge, NAS_FORMAT, "the tensor 2.dense.kernel is float32 [3, 1]");
  nas_memory_use after = nas_memory_used();
  assert_true(after.peak_bytes <= before.peak_bytes || after.peak_bytes < before.bytes + 100000);
  huge = with_network(good,
                      "1 input size=4096,8000 channels=1; 2 relu; 3 sigmoid; 4 relu; 5 sigmoid; "
                      "6 tanh; 7 relu; 8 sigmoid; 9 tanh; 10 abs; 11 global_avg_pool; 12 target; "
                      "13 binary_cross_entropy(11,12)",
                      "11", "classes 2");
  check_not_loaded(huge, NAS_LIMIT, "network: activations take ");
  nas_archive_destroy(&good);
  nas_model_destroy(&model);
  subject_free(&s);
}

/* Doubles as the bytes of luanas.mean and luanas.std. */
static nas_tensor *doubles(const double *values, int count) {
  nas_tensor *tensor;
  nas_error err;
  check_ok(nas_tensor_create(&tensor, NAS_UINT8, DIMS(count, 8), &err), &err);
  for (int i = 0; i < count; i++) {
    uint64_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    for (int b = 0; b < 8; b++) set_element(tensor, 8 * i + b, (double)(bits >> 8 * b & 255));
  }
  return tensor;
}

static void damaged_standardization(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double values[3];
    int count;
    const char *message;
  } cases[] = {
      {"luanas.mean",
       {0, (double)NAN},
       2,
       "the tensor luanas.mean has nan for channel 2 of the input"},
      {"luanas.mean",
       {-(double)INFINITY},
       2,
       "the tensor luanas.mean has -inf for channel 1 of the input"},
      {"luanas.std",
       {1, (double)INFINITY},
       2,
       "the tensor luanas.std has inf for channel 2 of the input"},
      {"luanas.std", {1, 0}, 2, "the tensor luanas.std has 0 for channel 2 of the input"},
      {"luanas.std", {-1, 1}, 2, "the tensor luanas.std has -1 for channel 1 of the input"},
      {"luanas.mean", {0}, 1, "the tensor luanas.mean is uint8 [1, 8]; expected uint8 [2, 8]"},
      {"luanas.std", {1, 1, 1}, 3, "the tensor luanas.std is uint8 [3, 8]; expected uint8 [2, 8]"},
  };
  subject s = subject_of(CLASSES, 1);
  nas_model *model = model_of(s.trainer);
  nas_archive *good = archive_of_model(model);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_not_loaded(
        archive_with_tensor(good, cases[i].name, doubles(cases[i].values, cases[i].count)),
        NAS_FORMAT, cases[i].message);
  check_not_loaded(archive_with_tensor(good, "luanas.std", counting(NAS_FLOAT32, DIMS(2, 8))),
                   NAS_FORMAT, "the tensor luanas.std is float32 [2, 8]; expected uint8 [2, 8]");
  check_not_loaded(archive_without(good, "luanas.mean"), NAS_FORMAT,
                   "not a whole model: the tensor luanas.mean is missing");
  check_not_loaded(archive_without(good, "luanas.std"), NAS_FORMAT,
                   "not a whole model: the tensor luanas.std is missing");
  nas_archive_destroy(&good);
  nas_model_destroy(&model);
  subject_free(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(there_and_back),   TEST(beside_a_state),
      TEST(unusual_networks), TEST(views),
      TEST(saved_twice),      TEST(incomplete),
      TEST(damaged_keys),     TEST(impossible_networks),
      TEST(huge_networks),    TEST(damaged_standardization),
  };
  return cmocka_run_group_tests_name("model files", tests, NULL, NULL);
}
