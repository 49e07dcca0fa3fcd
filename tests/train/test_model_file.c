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
    if (strcmp(key, "luanas.class.1") != 0)
      check_not_loaded(archive_without(good, key), NAS_FORMAT, key);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(there_and_back), TEST(beside_a_state), TEST(views),
      TEST(saved_twice),    TEST(incomplete),     TEST(huge_networks),
  };
  return cmocka_run_group_tests_name("model files", tests, NULL, NULL);
}
