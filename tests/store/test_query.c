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
      cmocka_unit_test_teardown(only_one_statement_that_reads, check_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
