/* SQLite without memory: what is read then is whole, or the status says so. */
#include "sql.h"
#include "stores.h"

/* -- an allocator that fails --------------------------------------------------------------------
 */

static sqlite3_mem_methods real;
static long allowed = -1; /* allocations before failures begin; -1: no limit */

static int is_refused(void) {
  if (allowed == 0) return 1;
  if (allowed > 0) allowed--;
  return 0;
}

static void *limited_malloc(int size) {
  return is_refused() ? NULL : real.xMalloc(size);
}

static void *limited_realloc(void *block, int size) {
  return is_refused() ? NULL : real.xRealloc(block, size);
}

/* Before SQLite is used first. */
static int limit_memory(void **state) {
  (void)state;
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK) return -1;
  sqlite3_mem_methods limited = real;
  limited.xMalloc = limited_malloc;
  limited.xRealloc = limited_realloc;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &limited) == SQLITE_OK ? 0 : -1;
}

/* -- what is read -------------------------------------------------------------------------------
 */

/* Too long for one page: SQLite puts the pieces together in memory of their own. And there is no
 * room for a NUL behind them in multiples of eight bytes: that takes more when they are read. */
static char text[6008];

static nas_evaluation_key key(void) {
  return key_of(text);
}

static void make_store(const char *path) {
  nas_error err;
  int64_t id, study;
  nas_lock lock;
  memset(text, 'x', sizeof text - 1);
  nas_store *store = store_at(path);
  const nas_epoch_row row = {.metrics = text,
                             .measured = text,
                             .predicted = (unsigned char *)text,
                             .predicted_count = sizeof text - 1};
  const nas_evaluation_part part = {.from = 1,
                                    .count = 1,
                                    .epochs = &row,
                                    .diverged = text,
                                    .state = text,
                                    .state_size = sizeof text - 1};
  const nas_evaluation_key evaluation = key();
  check_ok(nas_store_put(store, &evaluation, &part, &id, &err), &err);
  check_ok(nas_store_study(store, "name", text, NULL, &study, &err), &err);
  const nas_trial trial = {.number = 1,
                           .decisions = text,
                           .origin = text,
                           .network = text,
                           .status = "ok",
                           .metrics = text,
                           .measured = text,
                           .logged = text};
  nas_run run = {.study = study, .first = 1, .numeric_version = 4};
  const nas_run_part trials = {&trial, 1, NULL, 0};
  check_ok(nas_store_begin_run(store, &run, 0, &(nas_writer){0}, &trials, &lock, &err), &err);
  check_ok(nas_store_add_job(store, &evaluation, text, &id, &err), &err);
  nas_store_close(&store);
}

static void check_text(const char *found, size_t size) {
  assert_int_equal(size, sizeof text - 1);
  assert_memory_equal(found, text, size);
}

static nas_status find(nas_store *store, nas_error *err) {
  nas_evaluation found;
  const nas_evaluation_key evaluation = key();
  nas_status status = nas_store_find(store, &evaluation, &found, err);
  if (status == NAS_OK) {
    assert_int_equal(found.epoch_count, 1);
    check_text(found.diverged, strlen(found.diverged));
    check_text(found.epochs[0].metrics, strlen(found.epochs[0].metrics));
    check_text(found.epochs[0].measured, strlen(found.epochs[0].measured));
    nas_evaluation_clear(&found);
  }
  return status;
}

static nas_status find_text(nas_store *store, nas_error *err) {
  int64_t id;
  return nas_store_text(store, text, &id, err);
}

static nas_status find_study(nas_store *store, nas_error *err) {
  int64_t study;
  return nas_store_study(store, "name", text, NULL, &study, err);
}

static nas_status list_trials(nas_store *store, nas_error *err) {
  nas_trials trials;
  nas_status status = nas_store_trials(store, 1, 1, 10, &trials, err);
  if (status == NAS_OK) {
    assert_int_equal(trials.count, 1);
    check_text(trials.list[0].decisions, strlen(trials.list[0].decisions));
    check_text(trials.list[0].logged, strlen(trials.list[0].logged));
    assert_null(trials.list[0].reason);
    nas_trials_clear(&trials);
  }
  return status;
}

static nas_status read_predicted(nas_store *store, nas_error *err) {
  nas_text bytes = {0};
  int found;
  nas_status status = nas_store_predicted(store, 1, 1, &bytes, &found, err);
  if (status == NAS_OK) check_text(bytes.data, bytes.size);
  nas_text_clear(&bytes);
  return status;
}

static nas_status read_job(nas_store *store, nas_error *err) {
  nas_text job = {0};
  int64_t id;
  nas_status status = nas_store_next_job(store, 0, &id, &job, err);
  if (status == NAS_OK) check_text(job.data, job.size);
  nas_text_clear(&job);
  return status;
}

static nas_status read_rows(nas_store *store, nas_error *err) {
  nas_rows *rows;
  int more = 0;
  nas_status status =
      nas_rows_open(&rows, store, "SELECT metrics, number, measured FROM epoch", NULL, 0, err);
  if (status == NAS_OK) status = nas_rows_next(rows, &more, err);
  if (status == NAS_OK) {
    assert_true(more);
    nas_column first = nas_rows_column(rows, 0), last = nas_rows_column(rows, 2);
    check_text(first.bytes, first.size);
    assert_int_equal(nas_rows_column(rows, 1).integer, 1);
    check_text(last.bytes, last.size);
  }
  nas_rows_close(&rows);
  return status;
}

static void what_is_read_is_whole(void **state) {
  (void)state;
  static nas_status (*const reads[])(nas_store *, nas_error *) = {
      find, find_text, find_study, list_trials, read_predicted, read_job, read_rows};
  make_store(at("a.db"));
  for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
    nas_error err;
    nas_status status = NAS_MEMORY;
    nas_store *store = store_at(at("a.db"));
    long limit = 0;
    for (; status != NAS_OK; limit++) {
      assert_true(limit < 2000);
      allowed = limit;
      status = reads[i](store, &err);
      allowed = -1;
      if (status != NAS_OK) assert_int_equal(status, NAS_MEMORY);
    }
    assert_true(limit > 1);
    nas_store_close(&store);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_read_is_whole, make_folder, remove_folder),
  };
  return cmocka_run_group_tests(tests, limit_memory, NULL);
}
