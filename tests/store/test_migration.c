/* Files of older schemas. */
#include <signal.h>
#include <sys/wait.h>
#include "schema.h"
#include "sql.h"
#include "stores.h"

static int64_t integer_of(const char *path, const char *sql) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int64_t value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

/* What takes a file back to schema 2, and that to schema 1. */
static const char *const back[] = {
    "DROP TABLE reward_version; PRAGMA user_version = 2",
    "DROP TABLE continuation; DROP TABLE fresh; PRAGMA user_version = 1",
};

/* A file of an older schema with an evaluation in it. */
static void make_older(const char *path, int version, const nas_evaluation_key *key) {
  nas_store *store = store_at(path);
  put(store, key, 1, 3);
  nas_store_close(&store);
  for (int v = NAS_SCHEMA_VERSION - 1; v >= version; v--)
    run_sql(path, back[NAS_SCHEMA_VERSION - 1 - v]);
}

static void check_whole(const char *path, const nas_evaluation_key *key) {
  nas_error err;
  nas_text report = {0};
  int damages;
  nas_store *store = store_at(path);
  assert_int_equal(epochs_of(store, key), 3);
  check_ok(nas_store_check(store, &report, &damages, &err), &err);
  assert_int_equal(damages, 0);
  nas_text_clear(&report);
  nas_store_close(&store);
  assert_int_equal(integer_of(path, "PRAGMA user_version"), NAS_SCHEMA_VERSION);
  assert_int_equal(integer_of(path, "SELECT count(*) FROM continuation"), 0);
  assert_int_equal(integer_of(path, "SELECT count(*) FROM reward_version"), 0);
}

/* Begins to open the file in a process that is killed, or stopped, as LUANAS_CRASH says. */
static pid_t begin_open(const char *path, const char *wish) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    nas_error err;
    nas_store *store;
    const nas_store_options options = {.path = path};
    setenv("LUANAS_CRASH", wish, 1);
    _exit(nas_store_open(&store, &options, &err) == NAS_OK ? 0 : 1);
  }
  return child;
}

/* The signal that ended it, or 0 where it has opened the file. */
static int end_of(pid_t child) {
  int ended;
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFSIGNALED(ended) || WEXITSTATUS(ended) == 0);
  return WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
}

static void an_older_file_is_brought_up_to_date(void **state) {
  (void)state;
  nas_error err;
  nas_store *store;
  const nas_evaluation_key key = key_of("1 input");
  for (int version = 1; version < NAS_SCHEMA_VERSION; version++) {
    char name[32], message[64];
    snprintf(name, sizeof name, "a.db.schema-%d", version);
    snprintf(message, sizeof message, "older version (schema %d)", version);
    const char *path = at("a.db"), *copy = at(name);
    make_older(path, version, &key);
    const nas_store_options options = {.path = path, .read_only = 1};
    assert_int_equal(nas_store_open(&store, &options, &err), NAS_FORMAT);
    check_contains(err.text, message);
    check_whole(path, &key);
    assert_int_equal(integer_of(copy, "PRAGMA user_version"), version);
    assert_int_equal(integer_of(copy, "SELECT count(*) FROM evaluation"), 1);
    remove(path);
  }
}

/* What was written since the last copy is in a copy, too. */
static void each_time_it_keeps_a_copy(void **state) {
  (void)state;
  static const char *const names[] = {"a.db.schema-2", "a.db.schema-2-2", "a.db.schema-2-3"};
  const char *path = at("a.db");
  for (int i = 0; i < 3; i++) {
    char network[8];
    snprintf(network, sizeof network, "%d", i);
    const nas_evaluation_key key = key_of(network);
    make_older(path, 2, &key);
    check_whole(path, &key);
    for (int j = 0; j <= i; j++)
      assert_int_equal(integer_of(at(names[j]), "SELECT count(*) FROM evaluation"), j + 1);
  }
}

/* Two processes do it at once. */
static void one_of_two_keeps_a_copy(void **state) {
  (void)state;
  const nas_evaluation_key key = key_of("1 input");
  const char *path = at("a.db");
  int ended;
  make_older(path, 2, &key);
  pid_t first = begin_open(path, "in-migration:1:stop");
  assert_int_equal(waitpid(first, &ended, WUNTRACED), first);
  assert_true(WIFSTOPPED(ended));
  pid_t second = begin_open(path, "");
  usleep(300000); /* it waits then */
  assert_int_equal(waitpid(second, &ended, WNOHANG), 0);
  kill(first, SIGCONT);
  assert_int_equal(end_of(first), 0);
  assert_int_equal(end_of(second), 0);
  check_whole(path, &key);
  assert_int_equal(integer_of(at("a.db.schema-2"), "SELECT count(*) FROM evaluation"), 1);
  assert_int_not_equal(access(at("a.db.schema-2-2"), F_OK), 0);
}

/* The schema of a file that was brought up to date is that of a new one. */
static void steps_lead_to_the_present_schema(void **state) {
  (void)state;
  const nas_evaluation_key key = key_of("1 input");
  const char *sql = "SELECT total(unicode(sql) * length(sql)) + count(*) FROM sqlite_schema";
  nas_store *store = store_at(at("b.db"));
  nas_store_close(&store);
  for (int version = 1; version < NAS_SCHEMA_VERSION; version++) {
    make_older(at("a.db"), version, &key);
    check_whole(at("a.db"), &key);
    assert_int_equal(integer_of(at("a.db"), sql), integer_of(at("b.db"), sql));
    remove(at("a.db"));
  }
}

static void a_migration_that_is_killed_is_made_up_for(void **state) {
  (void)state;
  static const char *const points[] = {"begun:1", "in-backup:1", "in-migration:1",
                                       "before-durable-commit:1", "after-durable-commit:1"};
  const nas_evaluation_key key = key_of("1 input");
  const char *path = at("a.db");
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    make_older(path, 1, &key);
    assert_int_equal(end_of(begin_open(path, points[i])), SIGKILL);
    check_whole(path, &key);
    assert_int_equal(integer_of(at("a.db.schema-1"), "SELECT count(*) FROM evaluation"), 1);
    remove(path);
    remove(at("a.db.schema-1"));
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
  const struct CMUnitTest tests[] = {
      TEST(an_older_file_is_brought_up_to_date),
      TEST(each_time_it_keeps_a_copy),
      TEST(one_of_two_keeps_a_copy),
      TEST(steps_lead_to_the_present_schema),
      TEST(a_migration_that_is_killed_is_made_up_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
