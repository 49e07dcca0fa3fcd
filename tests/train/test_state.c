#include "models.h"

static void check_same_numbers(const nas_epoch *a, const nas_epoch *b) {
  assert_int_equal(a->epoch, b->epoch);
  assert_memory_equal(&a->training, &b->training, sizeof a->training);
  assert_memory_equal(&a->validation, &b->validation, sizeof a->validation);
  assert_int_equal(a->best, b->best);
  assert_int_equal(a->finished, b->finished);
}

static void check_same_state(const nas_trainer *a, const nas_trainer *b) {
  assert_int_equal(nas_hash_compare(digest_of(a), digest_of(b)), 0);
  assert_int_equal(nas_trainer_epochs(a), nas_trainer_epochs(b));
  assert_int_equal(nas_trainer_best_epoch(a), nas_trainer_best_epoch(b));
  size_t floats = nas_compiled_param_floats(nas_trainer_compiled(a));
  assert_memory_equal(nas_trainer_kept(a), nas_trainer_kept(b), floats * sizeof(float));
}

/* Takes the archive. */
static void restore(nas_trainer *trainer, nas_archive *archive) {
  nas_error err;
  check_ok(nas_trainer_restore(trainer, archive, &err), &err);
  nas_archive_destroy(&archive);
}

/* A trainer of the subject's kind that has the state of another one. */
static subject restored(subject_kind kind, int threads, const nas_trainer *from) {
  subject s = subject_of(kind, threads);
  restore(s.trainer, read_back(archive_of_state(from)));
  return s;
}

/* -- going on --------------------------------------------------------------------------------- */

/* Saved after any epoch and restored into a new trainer, at another number of threads, training
 * goes on to the bits of one that was never interrupted; so does the trainer that was saved. */
static void continued_is_uninterrupted(void **state) {
  (void)state;
  enum { EPOCHS = 6 };
  for (int kind = 0; kind < SUBJECTS; kind++) {
    subject whole = subject_of(kind, 2);
    nas_epoch epochs[EPOCHS];
    for (int e = 0; e < EPOCHS; e++) epochs[e] = epoch_of(whole.trainer);
    for (int stop = 0; stop < EPOCHS; stop++) {
      subject first = subject_of(kind, 1);
      for (int e = 0; e < stop; e++) epoch_of(first.trainer);
      subject second = restored(kind, 3, first.trainer);
      check_same_state(first.trainer, second.trainer);
      assert_null(nas_trainer_predicted(second.trainer));
      for (int e = stop; e < EPOCHS; e++) {
        nas_epoch epoch = epoch_of(second.trainer);
        check_same_numbers(&epoch, &epochs[e]);
      }
      check_same_state(second.trainer, whole.trainer);
      nas_epoch next = epoch_of(first.trainer);
      check_same_numbers(&next, &epochs[stop]);
      subject_free(&first);
      subject_free(&second);
    }
    subject_free(&whole);
  }
}

/* The rule that ends a training counts from what the state says. */
static void patience_goes_on(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 1);
  s.recipe.patience = 2;
  s.recipe.min_delta = 2; /* no accuracy is better by that */
  nas_trainer *trainers[2];
  for (int i = 0; i < 2; i++)
    trainers[i] = trainer_of(stack(NULL, subject_networks[CLASSES]), s.data, &s.recipe, 1, s.pool);
  for (int e = 1; e <= 2; e++) assert_false(epoch_of(trainers[0]).finished);
  restore(trainers[1], archive_of_state(trainers[0]));
  assert_true(epoch_of(trainers[1]).finished);
  nas_trainer_destroy(&trainers[0]);
  nas_trainer_destroy(&trainers[1]);
  subject_free(&s);
}

/* The restored state is the one that an interrupted epoch goes back to. */
static void interrupted_after_restoring(void **state) {
  (void)state;
  subject first = subject_of(CLASSES, 2);
  epoch_of(first.trainer);
  subject second = restored(CLASSES, 2, first.trainer);
  countdown c = {.stop_at = 2};
  nas_epoch epoch;
  nas_error err;
  assert_int_equal(nas_trainer_epoch(second.trainer, count_down, &c, &epoch, &err),
                   NAS_INTERRUPTED);
  check_same_state(first.trainer, second.trainer);
  nas_epoch expected = epoch_of(first.trainer), found = epoch_of(second.trainer);
  check_same_numbers(&found, &expected);
  check_same_state(first.trainer, second.trainer);
  subject_free(&first);
  subject_free(&second);
}

/* Also a trainer that has trained, or diverged, takes the state. */
static void into_a_used_trainer(void **state) {
  (void)state;
  subject first = subject_of(VALUES, 1), second = subject_of(VALUES, 1);
  epoch_of(first.trainer);
  for (int e = 0; e < 3; e++) epoch_of(second.trainer);
  restore(second.trainer, archive_of_state(first.trainer));
  check_same_state(first.trainer, second.trainer);
  nas_epoch expected = epoch_of(first.trainer), found = epoch_of(second.trainer);
  check_same_numbers(&found, &expected);
  subject_free(&first);
  subject_free(&second);

  subject s = subject_of(VALUES, 1);
  nas_epoch epoch;
  nas_error err;
  set_number(&s.recipe.optimizer->options, s.recipe.optimizer_options, "rate", 1000);
  nas_trainer *wild = trainer_of(stack(NULL, "input size=0,0 channels=5; dense units=9; "
                                             "dense units=9; dense units=3"),
                                 s.data, &s.recipe, 1, s.pool);
  nas_archive *begin = archive_of_state(wild);
  nas_status status = NAS_OK;
  for (int e = 0; e < 30 && status == NAS_OK; e++)
    status = nas_trainer_epoch(wild, NULL, NULL, &epoch, &err);
  assert_int_equal(status, NAS_DIVERGED);
  assert_int_equal(nas_trainer_epoch(wild, NULL, NULL, &epoch, &err), NAS_STATE);
  restore(wild, begin);
  assert_int_equal(nas_trainer_epochs(wild), 0);
  assert_int_not_equal(nas_trainer_epoch(wild, NULL, NULL, &epoch, &err), NAS_STATE);
  nas_trainer_destroy(&wild);
  subject_free(&s);
}

/* Tensors of the archive may be views with strides of their own. */
static void views(void **state) {
  (void)state;
  static const char name[] = "training.moment1.2.conv2d.kernel";
  subject first = subject_of(CLASSES, 1), second = subject_of(CLASSES, 1);
  nas_error err;
  epoch_of(first.trainer);
  nas_archive *plain = archive_of_state(first.trainer);
  nas_tensor *turned, *copy, *view;
  check_ok(nas_tensor_transpose(&turned, nas_archive_find(plain, name), 0, 3, &err), &err);
  check_ok(nas_tensor_clone(&copy, turned, &err), &err);
  check_ok(nas_tensor_transpose(&view, copy, 0, 3, &err), &err);
  assert_false(nas_tensor_is_contiguous(view));
  restore(second.trainer, archive_with_tensor(plain, name, view));
  check_same_state(first.trainer, second.trainer);
  nas_archive_destroy(&plain);
  nas_tensor_destroy(&turned);
  nas_tensor_destroy(&copy);
  subject_free(&first);
  subject_free(&second);
}

/* -- refusals --------------------------------------------------------------------------------- */

/* The trainer, after one epoch, refuses the archive, and then is as it was: it goes on like
 * another one that was not asked. Takes the archive. */
static void check_not_restored(subject_kind kind, nas_archive *archive, nas_status status,
                               const char *message) {
  subject s = subject_of(kind, 1), other = subject_of(kind, 1);
  nas_error err = {0};
  epoch_of(s.trainer);
  epoch_of(other.trainer);
  assert_int_equal(nas_trainer_restore(s.trainer, archive, &err), status);
  assert_int_equal(nas_trainer_restore(s.trainer, archive, NULL), status);
  assert_int_equal(err.code, status);
  check_contains(err.text, message);
  check_same_state(s.trainer, other.trainer);
  nas_epoch found = epoch_of(s.trainer), expected = epoch_of(other.trainer);
  check_same_numbers(&found, &expected);
  check_same_state(s.trainer, other.trainer);
  nas_archive_destroy(&archive);
  subject_free(&s);
  subject_free(&other);
}

/* The state of a training that differs from the subject of images in one thing. */
static nas_archive *state_of(const char *network, nas_dataset *data, const nas_recipe *recipe,
                             uint64_t seed) {
  nas_pool *pool = pool_of(1);
  nas_trainer *trainer = trainer_of(stack(NULL, network), data, recipe, seed, pool);
  epoch_of(trainer);
  nas_archive *archive = archive_of_state(trainer);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  return archive;
}

static void other_trainings(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 1);
  const char *network = subject_networks[CLASSES];
  nas_recipe recipe;
  check_not_restored(CLASSES,
                     state_of("input size=6,5 channels=2; conv2d kernel=1 filters=5 bias=0; "
                              "batch_norm; relu; max_pool; dropout rate=0.2; dense units=4",
                              s.data, &s.recipe, 1),
                     NAS_ARGUMENT,
                     "it is the state of another training: there \"kernel=1,1 filters=5");
  recipe = s.recipe;
  set_number(&recipe.loss->options, recipe.loss_options, "label_smoothing", 0.25);
  check_not_restored(CLASSES, state_of(network, s.data, &recipe, 1), NAS_ARGUMENT,
                     "there \"label_smoothing=0.25");
  recipe = s.recipe;
  recipe.batch = 19;
  check_not_restored(CLASSES, state_of(network, s.data, &recipe, 1), NAS_ARGUMENT,
                     "there \"batch=19 ");
  recipe = s.recipe;
  set_number(&recipe.optimizer->options, recipe.optimizer_options, "beta2", 0.5);
  check_not_restored(CLASSES, state_of(network, s.data, &recipe, 1), NAS_ARGUMENT,
                     "there \"beta2=0.5 ");
  recipe = s.recipe;
  recipe.keep = NAS_KEEP_LAST;
  check_not_restored(CLASSES, state_of(network, s.data, &recipe, 1), NAS_ARGUMENT,
                     "there \"keep=0 ");
  recipe = s.recipe;
  recipe.min_delta = 0.5;
  check_not_restored(CLASSES, state_of(network, s.data, &recipe, 1), NAS_ARGUMENT,
                     "there \"min_delta=");
  check_not_restored(CLASSES, state_of(network, s.data, &s.recipe, 2), NAS_ARGUMENT,
                     "there \"seed=2 ");
  nas_dataset *plain = classes_data(0), *other = toy_dataset(70, 6, 5, 2, 4, 19, 0);
  check_not_restored(CLASSES, state_of(network, plain, &s.recipe, 1), NAS_ARGUMENT, "there \"");
  check_not_restored(CLASSES, state_of(network, other, &s.recipe, 1), NAS_ARGUMENT,
                     "there \"data=sha256:");
  nas_dataset_release(&plain);
  nas_dataset_release(&other);
  subject_free(&s);
}

/* A loss that a caller composed is another one, and it is the network's text that tells. */
static void another_composed_loss(void **state) {
  (void)state;
  static const char *const losses[] = {"mean_squared_error", "huber"};
  nas_pool *pool = pool_of(1);
  nas_dataset *data = values_data(1);
  nas_trainer *trainers[2];
  nas_error err = {0};
  nas_recipe recipe = recipe_of(16, "sgd", 0.1);
  for (int i = 0; i < 2; i++) {
    nas_node *output = stack(NULL, subject_networks[VALUES]);
    nas_node *loss = stack(nas_node_retain(output), losses[i]);
    trainers[i] = trainer_with((nas_training){
        .output = output, .loss = loss, .data = data, .recipe = &recipe, .seed = 1, .pool = pool});
    nas_node_release(&loss);
  }
  nas_archive *archive = archive_of_state(trainers[0]);
  assert_int_equal(nas_trainer_restore(trainers[1], archive, &err), NAS_ARGUMENT);
  check_contains(err.text, "there \"mean_squared_error(");
  restore(trainers[0], archive);
  for (int i = 0; i < 2; i++) nas_trainer_destroy(&trainers[i]);
  nas_dataset_release(&data);
  nas_pool_destroy(&pool);
}

/* A state that every array belongs to, after two epochs. */
static nas_archive *whole_state(subject_kind kind) {
  subject s = subject_of(kind, 1);
  for (int e = 0; e < 2; e++) epoch_of(s.trainer);
  nas_archive *archive = archive_of_state(s.trainer);
  subject_free(&s);
  return archive;
}

static void incomplete(void **state) {
  (void)state;
  nas_archive *good = whole_state(CLASSES);
  nas_error err;
  int kinds = 0;
  static const char *const prefixes[] = {"training.params.", "training.moment1.",
                                         "training.moment2.", "training.average.",
                                         "training.best."};
  for (int p = 0; p < 5; p++) {
    int found = 0;
    for (int64_t i = 0; i < nas_archive_count(good); i++)
      found += strncmp(nas_archive_name_at(good, i), prefixes[p], strlen(prefixes[p])) == 0;
    kinds += found > 0;
  }
  assert_int_equal(kinds, 5);
  for (int64_t i = 0; i < nas_archive_count(good); i++) {
    const char *name = nas_archive_name_at(good, i);
    char message[120];
    snprintf(message, sizeof message, "the tensor %s is missing", name);
    check_not_restored(CLASSES, archive_without(good, name), NAS_FORMAT, message);
    nas_tensor *wrong = counting(NAS_FLOAT32, DIMS(1, 2, 3, 4, 5));
    snprintf(message, sizeof message, "the tensor %s is float32 [1, 2, 3, 4, 5], which", name);
    check_not_restored(CLASSES, archive_with_tensor(good, name, wrong), NAS_FORMAT, message);
  }
  for (int64_t i = 0; i < nas_archive_key_count(good); i++) {
    const char *key = nas_archive_key_at(good, i);
    int conditions = strcmp(key, "training.conditions") == 0;
    check_not_restored(CLASSES, archive_without(good, key), conditions ? NAS_ARGUMENT : NAS_FORMAT,
                       conditions ? "there is no training state: it holds a model alone" : key);
  }
  subject s = subject_of(CLASSES, 1);
  nas_model *model = model_of(s.trainer);
  check_not_restored(CLASSES, archive_of_model(model), NAS_ARGUMENT,
                     "there is no training state: it holds a model alone");
  nas_model_destroy(&model);
  subject_free(&s);

  nas_text bytes = bytes_of(good); /* cut anywhere, it is no archive any more */
  for (size_t size = 0; size < bytes.size; size += 1 + size / 5) {
    nas_archive *cut;
    assert_int_equal(nas_archive_read_memory(&cut, bytes.data, size, "cut", &err), NAS_FORMAT);
    assert_null(cut);
  }
  nas_text_clear(&bytes);
  nas_archive_destroy(&good);
}

static void impossible(void **state) {
  (void)state;
  static const struct {
    const char *key, *value, *message;
  } cases[] = {
      {"training.epoch", "2", "training.epoch is missing or damaged"},
      {"training.epoch", "000000000000000g", "training.epoch is missing or damaged"},
      {"training.epoch", "00000000000000002", "training.epoch is missing or damaged"},
      {"training.epoch", "000000000000000A", "training.epoch is missing or damaged"},
      {"training.epoch", "000000007fffffff", "training.epoch is impossible"},
      {"training.epoch", "ffffffffffffffff", "training.epoch is impossible"},
      {"training.epoch", "0000000000000003", "training.step is impossible"},
      {"training.step", "ffffffffffffffff", "training.step is impossible"},
      {"training.step", "0000000000000007", "training.step is impossible"},
      {"training.best_epoch", "0000000000000000", "training.best_epoch is impossible"},
      {"training.best_epoch", "0000000000000003", "training.best_epoch is impossible"},
      {"training.counted_epoch", "0000000000000000", "training.counted_epoch is impossible"},
      {"training.counted_epoch", "0000000100000001", "training.counted_epoch is impossible"},
      {"training.best", "nan", "training.best is missing or damaged"},
      {"training.best", "7ff8000000000000", "training.best is impossible"},
      {"training.counted", "7ff0000000000000", "training.counted is impossible"},
  };
  nas_archive *good = whole_state(CLASSES); /* 2 epochs of 3 steps */
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_not_restored(CLASSES, archive_with(good, cases[i].key, cases[i].value), NAS_FORMAT,
                       cases[i].message);
  nas_archive_destroy(&good);
}

static void saved_twice(void **state) {
  (void)state;
  subject s = subject_of(PAIR, 1);
  nas_error err = {0};
  nas_archive *archive = archive_of_state(s.trainer);
  assert_int_equal(nas_trainer_save(s.trainer, archive, &err), NAS_ARGUMENT);
  check_contains(err.text, "there is a tensor \"training.params.2.dense.kernel\" already");
  nas_archive_destroy(&archive);
  subject_free(&s);
}

/* -- memory ----------------------------------------------------------------------------------- */

/* NULL unless it is complete. */
static nas_status save(nas_archive **archive, const nas_trainer *trainer) {
  nas_status status = nas_archive_create(archive, NULL);
  if (status == NAS_OK) status = nas_trainer_save(trainer, *archive, NULL);
  if (status != NAS_OK) nas_archive_destroy(archive);
  return status;
}

static void without_memory(void **state) {
  (void)state;
  subject first = subject_of(CLASSES, 2), second = subject_of(CLASSES, 2);
  nas_archive *archive;
  nas_status status = NAS_MEMORY;
  nas_hash before = digest_of(second.trainer);
  epoch_of(first.trainer);
  check_starved(save(&archive, first.trainer), archive);
  for (long allowed = 0; status != NAS_OK; allowed++) {
    size_t blocks = nas_memory_used().blocks;
    assert_int_equal(nas_hash_compare(digest_of(second.trainer), before), 0);
    nas_memory_fail_after(allowed);
    status = nas_trainer_restore(second.trainer, archive, NULL);
    nas_memory_fail_after(-1);
    assert_true(status == NAS_OK ? allowed > 0 : status == NAS_MEMORY);
    assert_int_equal(nas_memory_used().blocks, blocks);
  }
  check_same_state(first.trainer, second.trainer);
  nas_archive_destroy(&archive);
  subject_free(&first);
  subject_free(&second);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(continued_is_uninterrupted),
      TEST(patience_goes_on),
      TEST(interrupted_after_restoring),
      TEST(into_a_used_trainer),
      TEST(views),
      TEST(other_trainings),
      TEST(another_composed_loss),
      TEST(incomplete),
      TEST(impossible),
      TEST(saved_twice),
      TEST(without_memory),
  };
  return cmocka_run_group_tests_name("training state", tests, NULL, NULL);
}
