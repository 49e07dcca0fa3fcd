#include "stores.h"

static nas_rows *rows_of(nas_store *store, const char *sql, const nas_column *parameters,
                         int count) {
  nas_error err;
  nas_rows *rows;
  check_ok(nas_rows_open(&rows, store, sql, parameters, count, &err), &err);
  return rows;
}

static int next(nas_rows *rows) {
  nas_error err;
  int more;
  check_ok(nas_rows_next(rows, &more, &err), &err);
  return more;
}

static void values_of_all_types(void **state) {
  (void)state;
  nas_store *store = store_at(NULL);
  const nas_column parameters[] = {
      {.type = NAS_COLUMN_INTEGER, .integer = INT64_MIN},
      {.type = NAS_COLUMN_NUMBER, .number = 0.1},
      {.type = NAS_COLUMN_TEXT, .bytes = "a\0b", .size = 3},
      {.type = NAS_COLUMN_NULL},
  };
  nas_rows *rows = rows_of(store, "SELECT ?1 AS a, ?2, ?3, ?4, x'00ff'", parameters, 4);
  assert_int_equal(nas_rows_width(rows), 5);
  assert_string_equal(nas_rows_name(rows, 0), "a");
  assert_true(next(rows));
  assert_true(nas_rows_column(rows, 0).integer == INT64_MIN);
  assert_true(nas_rows_column(rows, 1).number == 0.1);
  nas_column text = nas_rows_column(rows, 2);
  assert_int_equal(text.type, NAS_COLUMN_TEXT);
  assert_int_equal(text.size, 3);
  assert_int_equal(nas_rows_column(rows, 3).type, NAS_COLUMN_NULL);
  nas_column bytes = nas_rows_column(rows, 4);
  assert_int_equal(bytes.type, NAS_COLUMN_BYTES);
  assert_memory_equal(bytes.bytes, "\0\xff", 2);
  assert_false(next(rows));
  assert_false(next(rows)); /* and does not begin again */
  nas_rows_close(&rows);
  nas_store_close(&store);
}

static void numbers_from(nas_rows *rows, int first, int last) {
  for (int n = first; n <= last; n++) {
    assert_true(next(rows));
    assert_int_equal(nas_rows_column(rows, 0).integer, n);
    nas_column metrics = nas_rows_column(rows, 1);
    row_texts texts;
    epoch_row(&texts, n);
    assert_int_equal(metrics.type, NAS_COLUMN_TEXT);
    assert_string_equal(metrics.bytes, texts.metrics);
    assert_int_equal(metrics.size, strlen(texts.metrics));
  }
}

/* In the midst of a SELECT, another process and this store write: neither fails, and the rows are
 * those of before. */
static void a_write_may_come_between_rows(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(at("rows.db")), *other = store_at(at("rows.db"));
  nas_evaluation_key one = key_of("one"), two = key_of("two");
  put(store, &one, 1, 9);
  nas_rows *rows = rows_of(store, "SELECT number, metrics, NULL, 0.5, x'' FROM epoch", NULL, 0);
  nas_rows *fresh = rows_of(store, "SELECT count(*) FROM epoch", NULL, 0);
  numbers_from(rows, 1, 3);
  put(other, &two, 1, 5);
  put(store, &two, 6, 1);
  assert_int_equal(nas_rows_column(rows, 0).integer, 3);
  assert_int_equal(nas_rows_column(rows, 2).type, NAS_COLUMN_NULL);
  assert_true(nas_rows_column(rows, 3).number == 0.5);
  assert_int_equal(nas_rows_column(rows, 4).type, NAS_COLUMN_BYTES);
  assert_int_equal(nas_rows_column(rows, 4).size, 0);
  numbers_from(rows, 4, 6);
  check_ok(nas_store_backup(store, at("copy.db"), &err), &err);
  check_ok(nas_store_vacuum(store, &err), &err);
  numbers_from(rows, 7, 9);
  assert_false(next(rows));
  assert_false(next(rows));
  assert_int_equal(nas_rows_column(rows, 0).type, NAS_COLUMN_NULL);
  assert_true(next(fresh)); /* which had not begun */
  assert_int_equal(nas_rows_column(fresh, 0).integer, 15);
  nas_rows_close(&fresh);
  nas_rows_close(&rows);
  rows = rows_of(store, "SELECT number, metrics FROM epoch", NULL, 0);
  assert_true(next(rows));
  put(store, &two, 7, 1);
  nas_store_close(&store);
  assert_int_equal(nas_rows_column(rows, 0).type, NAS_COLUMN_NULL);
  assert_null(nas_rows_name(rows, 0));
  nas_rows_close(&rows);
  nas_store_close(&other);
}

/* The training that a write keeps is worth more than the rows that are open. */
static void a_write_goes_on_where_rows_find_no_memory(void **state) {
  (void)state;
  nas_error err;
  int more, failed = 1;
  for (long allowed = 0; failed; allowed++) {
    nas_store *store = store_at(NULL);
    nas_evaluation_key key = key_of("one");
    put(store, &key, 1, 9);
    nas_rows *rows = rows_of(store, "SELECT number, metrics FROM epoch", NULL, 0);
    numbers_from(rows, 1, 2);
    nas_memory_fail_after(allowed);
    put(store, &key, 10, 1);
    nas_memory_fail_after(-1);
    nas_column now = nas_rows_column(rows, 0);
    assert_true(now.type == NAS_COLUMN_NULL || now.integer == 2);
    nas_status status;
    for (int n = 3; (status = nas_rows_next(rows, &more, &err)) == NAS_OK && more; n++)
      assert_int_equal(nas_rows_column(rows, 0).integer, n);
    failed = status != NAS_OK;
    assert_true(status == NAS_OK || status == NAS_MEMORY);
    assert_true(failed || allowed > 8); /* a list and a text for each row */
    assert_int_equal(nas_rows_column(rows, 0).type, NAS_COLUMN_NULL);
    check_ok(nas_rows_next(rows, &more, &err), &err); /* it is told once */
    assert_false(more);
    nas_rows_close(&rows);
    nas_store_close(&store);
  }
}

static void only_one_statement_that_reads(void **state) {
  (void)state;
  static const struct {
    const char *sql, *message;
  } cases[] = {
      {"SELEC 1", "SQL: near \"SELEC\""},
      {"SELECT * FROM nowhere", "no such table"},
      {"", "expected one statement"},
      {"SELECT 1; SELECT 2", "expected one statement"},
      {"DELETE FROM trial", "does not only read"},
      {"INSERT INTO text (hash, body) VALUES ('', '') RETURNING 1", "does not only read"},
      {"BEGIN", "does not only read"},
      {"PRAGMA busy_timeout = 0", "does not only read"},
      {"PRAGMA optimize", "does not only read"},
      {"SELECT ?1", "has 1 parameters, but 0"},
  };
  nas_store *store = store_at(NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_error err;
    nas_rows *rows;
    assert_int_equal(nas_rows_open(&rows, store, cases[i].sql, NULL, 0, &err), NAS_ARGUMENT);
    assert_null(rows);
    check_contains(err.text, cases[i].message);
  }
  nas_rows *rows = rows_of(store, "SELECT 1 ; \n", NULL, 0);
  nas_rows_close(&rows);
  rows = rows_of(store, "SELECT name FROM pragma_table_info('run')", NULL, 0);
  assert_true(next(rows));
  nas_rows_close(&rows);
  nas_store_close(&store);
}

static void rows_outlive_their_store(void **state) {
  (void)state;
  nas_error err;
  int more;
  nas_store *store = store_at(NULL);
  nas_rows *first = rows_of(store, "SELECT 1", NULL, 0),
           *second = rows_of(store, "SELECT 2", NULL, 0);
  nas_rows *third = rows_of(store, "SELECT 3", NULL, 0);
  assert_true(next(second));
  nas_rows_close(&second);
  nas_store_close(&store);
  assert_int_equal(nas_rows_next(first, &more, &err), NAS_STATE);
  assert_false(more);
  nas_rows_close(&first);
  nas_rows_close(&third);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(values_of_all_types, check_no_blocks),
      cmocka_unit_test_teardown(rows_outlive_their_store, check_no_blocks),
      cmocka_unit_test_teardown(a_write_goes_on_where_rows_find_no_memory, check_no_blocks),
      cmocka_unit_test_setup_teardown(a_write_may_come_between_rows, make_folder, remove_folder),
      cmocka_unit_test_teardown(only_one_statement_that_reads, check_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
