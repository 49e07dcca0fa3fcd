#include "stores.h"

static void what_is_put_is_found(void **state) {
  (void)state;
  const char *path = at("a.db");
  const nas_evaluation_key key = key_of("1 input");
  nas_store *store = store_at(path);
  assert_int_equal(epochs_of(store, &key), 0);
  int64_t id = put(store, &key, 1, 3);
  assert_true(id > 0);
  assert_int_equal(epochs_of(store, &key), 3);
  nas_store_close(&store);
  store = store_at(path);
  assert_int_equal(epochs_of(store, &key), 3);
  nas_store_close(&store);
}

static void everything_in_the_key_counts(void **state) {
  (void)state;
  nas_store *store = store_at(NULL);
  const nas_evaluation_key key = key_of("1 input");
  nas_evaluation_key others[] = {key, key, key, key, key, key};
  others[0].network = "1 input;";
  others[1].loss = "huber";
  others[2].data = "";
  others[3].recipe = "batch=25";
  others[4].seed = 1;
  others[5].numeric_version = 3;
  put(store, &key, 1, 1);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_int_equal(epochs_of(store, &others[i]), 0);
    put(store, &others[i], 1, 2);
    assert_int_equal(epochs_of(store, &others[i]), 2);
  }
  assert_int_equal(epochs_of(store, &key), 1);
  nas_store_close(&store);
}

static void evaluations_are_extended(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(NULL);
  const nas_evaluation_key key = key_of("1 input");
  int64_t id = put(store, &key, 1, 3);
  assert_int_equal(put(store, &key, 4, 7), id);
  assert_int_equal(epochs_of(store, &key), 10);
  /* What is there stays, whoever puts it again. */
  put(store, &key, 1, 3);
  put(store, &key, 9, 4);
  assert_int_equal(epochs_of(store, &key), 12);
  row_texts texts;
  nas_epoch_row row = epoch_row(&texts, 14);
  const nas_evaluation_part gap = {.from = 14, .count = 1, .epochs = &row};
  assert_int_equal(nas_store_put(store, &key, &gap, &id, &err), NAS_ARGUMENT);
  check_contains(err.text, "begin with 14");
  assert_int_equal(epochs_of(store, &key), 12);
  nas_store_close(&store);
}

static void why_it_diverged_is_kept(void **state) {
  (void)state;
  nas_error err;
  int64_t id;
  nas_evaluation found;
  nas_store *store = store_at(NULL);
  const nas_evaluation_key key = key_of("1 input"), other = key_of("2 input");
  put(store, &key, 1, 2);
  const nas_evaluation_part end = {.from = 3,
                                   .diverged = "epoch 3, batch 1: the loss is not finite"};
  check_ok(nas_store_put(store, &key, &end, &id, &err), &err);
  check_ok(nas_store_find(store, &key, &found, &err), &err);
  assert_int_equal(found.epoch_count, 2);
  assert_string_equal(found.diverged, end.diverged);
  nas_evaluation_clear(&found);
  /* for good */
  row_texts texts;
  nas_epoch_row row = epoch_row(&texts, 3);
  const nas_evaluation_part more = {.from = 3, .count = 1, .epochs = &row};
  assert_int_equal(nas_store_put(store, &key, &more, &id, &err), NAS_STATE);
  check_contains(err.text, "has no epoch 3");
  assert_int_equal(epochs_of(store, &key), 2);
  /* at once */
  const nas_evaluation_part first = {.from = 1, .diverged = "epoch 1"};
  check_ok(nas_store_put(store, &other, &first, &id, &err), &err);
  check_ok(nas_store_find(store, &other, &found, &err), &err);
  assert_int_equal(found.epoch_count, 0);
  assert_string_equal(found.diverged, "epoch 1");
  nas_evaluation_clear(&found);
  nas_store_close(&store);
}

static void predictions_are_kept_where_there_are_any(void **state) {
  (void)state;
  nas_error err;
  int64_t id;
  int found;
  nas_text bytes = {0};
  row_texts texts[2];
  nas_epoch_row rows[] = {epoch_row(&texts[0], 1), epoch_row(&texts[1], 2)};
  rows[1].predicted = (const unsigned char *)"\0\3\1";
  rows[1].predicted_count = 3;
  const nas_evaluation_part part = {.from = 1, .count = 2, .epochs = rows};
  nas_store *store = store_at(NULL);
  const nas_evaluation_key key = key_of("1 input");
  check_ok(nas_store_put(store, &key, &part, &id, &err), &err);
  check_ok(nas_store_predicted(store, id, 1, &bytes, &found, &err), &err);
  assert_false(found);
  check_ok(nas_store_predicted(store, id, 2, &bytes, &found, &err), &err);
  assert_true(found);
  assert_int_equal(bytes.size, 3);
  assert_memory_equal(bytes.data, "\0\3\1", 3);
  nas_text_clear(&bytes);
  nas_store_close(&store);
}

static int state_epoch(nas_store *store, int64_t id, size_t size) {
  nas_error err;
  nas_text bytes = {0};
  int epoch;
  check_ok(nas_store_state(store, id, &bytes, &epoch, &err), &err);
  if (epoch) assert_int_equal(bytes.size, size);
  nas_text_clear(&bytes);
  return epoch;
}

static void states_are_kept_within_a_limit(void **state) {
  (void)state;
  enum { SIZE = 1000, COUNT = 5 };
  static char bytes[SIZE];
  nas_error err;
  int64_t id[COUNT];
  row_texts texts;
  nas_epoch_row row = epoch_row(&texts, 1);
  nas_store *store = store_at(NULL);
  for (int i = 0; i < COUNT; i++) {
    char network[] = {(char)('a' + i), '\0'};
    const nas_evaluation_key key = key_of(network);
    const nas_evaluation_part part = {
        .from = 1, .count = 1, .epochs = &row, .state = bytes, .state_size = SIZE};
    check_ok(nas_store_put(store, &key, &part, &id[i], &err), &err);
  }
  assert_int_equal(state_epoch(store, id[0], SIZE), 1); /* used last now */
  check_ok(nas_store_trim_states(store, 3 * SIZE, 0, &err), &err);
  const int kept[COUNT] = {1, 0, 0, 1, 1};
  for (int i = 0; i < COUNT; i++) assert_int_equal(state_epoch(store, id[i], SIZE), kept[i]);
  check_ok(nas_store_trim_states(store, 0, 0, &err), &err);
  for (int i = 0; i < COUNT; i++) assert_int_equal(state_epoch(store, id[i], SIZE), 0);
  nas_store_close(&store);
}

static void states_of_the_best_are_kept(void **state) {
  (void)state;
  enum { SIZE = 1000, COUNT = 5 };
  static const char *const metrics[COUNT] = {"{\"accuracy\":0.5}", "{\"accuracy\":0.9}",
                                             "{\"accuracy\":0.7}", "{}", "{\"accuracy\":0.6}"};
  static char bytes[SIZE];
  nas_error err;
  int64_t id[COUNT], other;
  nas_store *store = store_at(NULL);
  for (int i = 0; i < COUNT; i++) {
    char network[] = {(char)('a' + i), '\0'};
    const nas_evaluation_key key = key_of(network);
    const nas_epoch_row row = {.metrics = metrics[i], .measured = "{}"};
    const nas_evaluation_part part = {
        .from = 1, .count = 1, .epochs = &row, .state = bytes, .state_size = SIZE};
    check_ok(nas_store_put(store, &key, &part, &id[i], &err), &err);
  }
  /* The last is in use; then the best; what is left is theirs who were used later. */
  check_ok(nas_store_trim_states(store, 4 * SIZE, 2, &err), &err);
  const int kept[COUNT] = {0, 1, 1, 1, 1};
  for (int i = 0; i < COUNT; i++) assert_int_equal(state_epoch(store, id[i], SIZE), kept[i]);
  check_ok(nas_store_trim_states(store, 2 * SIZE, 1, &err), &err);
  const int left[COUNT] = {0, 1, 0, 0, 1};
  for (int i = 0; i < COUNT; i++) assert_int_equal(state_epoch(store, id[i], SIZE), left[i]);
  /* Another recipe has a best of its own. */
  nas_evaluation_key key = key_of("a");
  key.recipe = "batch=7";
  const nas_epoch_row row = {.metrics = metrics[0], .measured = "{}"};
  const nas_evaluation_part part = {
      .from = 1, .count = 1, .epochs = &row, .state = bytes, .state_size = SIZE};
  check_ok(nas_store_put(store, &key, &part, &other, &err), &err);
  check_ok(nas_store_keep_states(store, 1, &err), &err);
  assert_int_equal(state_epoch(store, id[1], SIZE), 1);
  assert_int_equal(state_epoch(store, id[4], SIZE), 0);
  assert_int_equal(state_epoch(store, other, SIZE), 1);
  nas_store_close(&store);
}

static void memory_failures_leave_nothing(void **state) {
  (void)state;
  nas_error err;
  nas_evaluation found;
  int64_t id;
  row_texts texts;
  nas_epoch_row row = epoch_row(&texts, 1);
  const nas_evaluation_part part = {.from = 1, .count = 1, .epochs = &row};
  const nas_evaluation_key key = key_of("1 input");
  nas_status status = NAS_MEMORY;
  for (long allowed = 0; status == NAS_MEMORY; allowed++) {
    nas_store *store;
    const nas_store_options options = {.path = NULL};
    nas_memory_fail_after(allowed);
    status = nas_store_open(&store, &options, &err);
    if (status == NAS_OK) status = nas_store_put(store, &key, &part, &id, &err);
    if (status == NAS_OK) status = nas_store_find(store, &key, &found, &err);
    nas_memory_fail_after(-1);
    if (status == NAS_OK) nas_evaluation_clear(&found);
    nas_store_close(&store);
    assert_true(allowed < 100);
  }
  check_ok(status, &err);
}

/* Its epochs are kept all the same. The state is never read. */
static void a_state_too_large_for_sqlite_is_not_kept(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(NULL);
  nas_evaluation_key key = key_of("large");
  row_texts texts;
  nas_text bytes = {0};
  int64_t id;
  int epoch;
  const nas_epoch_row row = epoch_row(&texts, 1);
  const nas_evaluation_part part = {
      .from = 1, .count = 1, .epochs = &row, .state = "", .state_size = 1000000000};
  check_ok(nas_store_put(store, &key, &part, &id, &err), &err);
  assert_int_equal(epochs_of(store, &key), 1);
  check_ok(nas_store_state(store, id, &bytes, &epoch, &err), &err);
  assert_int_equal(epoch, 0);
  nas_store_close(&store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_state_too_large_for_sqlite_is_not_kept, check_no_blocks),
      cmocka_unit_test_setup_teardown(what_is_put_is_found, make_folder, remove_folder),
      cmocka_unit_test_teardown(everything_in_the_key_counts, check_no_blocks),
      cmocka_unit_test_teardown(evaluations_are_extended, check_no_blocks),
      cmocka_unit_test_teardown(why_it_diverged_is_kept, check_no_blocks),
      cmocka_unit_test_teardown(predictions_are_kept_where_there_are_any, check_no_blocks),
      cmocka_unit_test_teardown(states_are_kept_within_a_limit, check_no_blocks),
      cmocka_unit_test_teardown(states_of_the_best_are_kept, check_no_blocks),
      cmocka_unit_test_teardown(memory_failures_leave_nothing, check_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
