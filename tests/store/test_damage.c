/* Files in which bytes were changed. */
#include "stores.h"

static nas_status try_find(nas_store *store, const nas_evaluation_key *key, nas_error *err) {
  nas_evaluation found;
  nas_status status = nas_store_find(store, key, &found, err);
  if (status == NAS_OK) nas_evaluation_clear(&found);
  return status;
}

/* How many findings a check has; the report has this in it, unless NULL. */
static int check(nas_store *store, const char *expected) {
  nas_error err;
  nas_text report = {0};
  int damages;
  check_ok(nas_store_check(store, &report, &damages, &err), &err);
  if (expected) check_contains(report.data ? report.data : "", expected);
  nas_text_clear(&report);
  return damages;
}

static void make_store(const char *path) {
  nas_error err;
  nas_store *store = store_at(path);
  const nas_evaluation_key a = key_of("1 input a"), b = key_of("2 input b");
  put(store, &a, 1, 5);
  put(store, &b, 1, 1); /* the texts below are there once */
  int64_t study;
  check_ok(nas_store_study(store, "name", "text of the study", NULL, &study, &err), &err);
  nas_run run = {.study = study, .first = 1, .numeric_version = 4};
  const nas_writer writer = {.script = "the script", .arguments = ""};
  nas_lock lock;
  const nas_trial trial = {.number = 1,
                           .decisions = "decisions=1{1}",
                           .origin = "{}",
                           .status = "ok",
                           .metrics = "{\"m\":7}",
                           .measured = "{}",
                           .logged = "{}"};
  const nas_reward_version version = {1, "reward.lua", "return a"};
  const nas_run_part part = {&trial, 1, &version, 1};
  check_ok(nas_store_begin_run(store, &run, 0, &writer, &part, &lock, &err), &err);
  nas_store_close(&store);
}

/* Changes the last byte of the first place where the text is. */
static void change(const char *path, const char *text) {
  size_t size, length = strlen(text);
  char *bytes = read_file(path, &size), *found = memmem(bytes, size, text, length);
  assert_non_null(found);
  found[length - 1] ^= 1;
  write_file(path, bytes, size);
  free(bytes);
}

static void a_changed_row_is_noticed(void **state) {
  (void)state;
  static const struct {
    const char *text, *report;
  } cases[] = {
      {"\"accuracy\":0.5002", "the checksum of epoch 2 of evaluation"},
      {"1 input a", "the hash of text"},
      {"text of the study", "the checksum of study 1 is another"},
      {"the script", "the hash of text"},
      {"decisions=1", "the checksum of trial 1 of run 1"},
      {"{\"m\":7", "the checksum of trial 1 of run 1"},
      {"reward.lua", "the checksum of reward_version reward.lu` from trial 1 of run 1 is another"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *path = at("a.db");
    make_store(path);
    nas_store *store = store_at(path);
    assert_int_equal(check(store, NULL), 0);
    nas_store_close(&store);
    change(path, cases[i].text);
    store = store_at(path);
    assert_int_equal(check(store, cases[i].report), 1);
    nas_store_close(&store);
    assert_int_equal(unlink(path), 0);
  }
}

/* NULL where the schema has none. */
static void a_value_that_is_gone_is_noticed(void **state) {
  (void)state;
  nas_error err;
  int64_t id;
  nas_text text = {0};
  make_store(at("a.db"));
  nas_store *store = store_at(at("a.db"));
  const nas_evaluation_key key = key_of("1 input a");
  check_ok(nas_store_add_job(store, &key, "what", &id, &err), &err);
  nas_store_close(&store);
  run_sql(at("a.db"), "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET "
                      "sql = replace(replace(sql, 'NOT NULL', ''), 'STRICT', '')");
  run_sql(at("a.db"), "INSERT INTO prediction VALUES (1, NULL, 0, x'01'); "
                      "UPDATE job SET text = NULL");
  store = store_at(at("a.db"));
  assert_int_equal(check(store, "the checksum of prediction without a key is another"), 1);
  check_ok(nas_store_next_job(store, 0, &id, &text, &err), &err);
  assert_int_equal(text.size, 0);
  nas_text_clear(&text);
  nas_store_close(&store);
}

static void damage_is_not_recalled(void **state) {
  (void)state;
  nas_error err;
  int64_t study;
  const nas_evaluation_key a = key_of("1 input a"), b = key_of("2 input b");
  make_store(at("a.db"));
  change(at("a.db"), "\"accuracy\":0.5002");
  change(at("a.db"), "text of the study");
  change(at("a.db"), "decisions=1");
  nas_store *store = store_at(at("a.db"));
  assert_int_equal(try_find(store, &a, &err), NAS_FORMAT);
  check_contains(err.text, "checksum of evaluation 1");
  assert_int_equal(epochs_of(store, &b), 1);
  assert_int_equal(nas_store_study(store, "name", "text of the study", NULL, &study, &err),
                   NAS_FORMAT);
  nas_trials trials;
  assert_int_equal(nas_store_log(store, 1, 1, "{\"reward\":1}", &err), NAS_FORMAT);
  check_contains(err.text, "checksum of trial 1");
  assert_int_equal(nas_store_trials(store, 1, 1, 10, &trials, &err), NAS_FORMAT);
  check_contains(err.text, "trial 1");
  nas_store_close(&store);
}

static void a_changed_page_is_noticed(void **state) {
  (void)state;
  const nas_evaluation_key key = key_of("1 input a");
  size_t size;
  make_store(at("a.db"));
  char *bytes = read_file(at("a.db"), &size);
  int noticed = 0;
  for (size_t page = 4096; page < size; page += 4096) {
    nas_error err;
    char kept = bytes[page];
    bytes[page] = 77; /* no kind of page */
    write_file(at("b.db"), bytes, size);
    bytes[page] = kept;
    nas_store *store;
    const nas_store_options options = {.path = at("b.db")};
    if (nas_store_open(&store, &options, &err) == NAS_OK) {
      noticed += check(store, NULL) > 0;
      nas_status status = try_find(store, &key, &err);
      assert_true(status == NAS_OK || status == NAS_FORMAT);
      nas_store_close(&store);
    } else {
      assert_int_equal(err.code, NAS_FORMAT);
      noticed++;
    }
  }
  free(bytes);
  assert_int_equal(noticed, size / 4096 - 1);
}

/* What was committed before a damaged piece of the log is there, what came after it is not, and can
 * be put again. */
static void a_damaged_log_loses_its_end_only(void **state) {
  (void)state;
  enum { PUTS = 12 };
  char network[PUTS][8];
  nas_store *store = store_at(at("a.db"));
  for (int i = 0; i < PUTS; i++) {
    snprintf(network[i], sizeof network[i], "%d", i);
    const nas_evaluation_key key = key_of(network[i]);
    put(store, &key, 1, 1);
  }
  copy_open_store(at("a.db"), at("b.db"));
  nas_store_close(&store);
  size_t size;
  char *log = read_file(at("b.db-wal"), &size);
  log[size * 2 / 3] ^= 1;
  write_file(at("b.db-wal"), log, size);
  free(log);
  store = store_at(at("b.db"));
  int there = 0, gone = 0;
  for (int i = 0; i < PUTS; i++) {
    const nas_evaluation_key key = key_of(network[i]);
    if (epochs_of(store, &key)) {
      assert_int_equal(gone, 0);
      there++;
    } else {
      gone++;
      put(store, &key, 1, 1);
      assert_int_equal(epochs_of(store, &key), 1);
    }
  }
  assert_true(there > 0 && gone > 0);
  assert_int_equal(check(store, NULL), 0);
  nas_store_close(&store);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
  const struct CMUnitTest tests[] = {
      TEST(a_changed_row_is_noticed),         TEST(a_value_that_is_gone_is_noticed),
      TEST(damage_is_not_recalled),           TEST(a_changed_page_is_noticed),
      TEST(a_damaged_log_loses_its_end_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
