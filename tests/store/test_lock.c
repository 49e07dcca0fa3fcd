#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include "stores.h"

/* A process that holds the lock of run 7 until it is killed, and says so through a pipe. */
static pid_t hold(const char *path) {
  int ends[2];
  char byte;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    nas_error err;
    nas_store *store;
    nas_lock lock;
    const nas_store_options options = {.path = path};
    if (nas_store_open(&store, &options, &err) ||
        nas_store_lock(store, NAS_LOCK_RUN, 7, "continues run 7", &lock, &err))
      _exit(1);
    if (write(ends[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  return child;
}

static void kill_and_wait(pid_t child) {
  int ended;
  kill(child, SIGKILL);
  waitpid(child, &ended, 0);
}

static void who_has_a_lock_is_named(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock;
  char expected[64];
  const char *path = at("a.db");
  pid_t child = hold(path);
  nas_store *store = store_at(path);
  assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, 7, "", &lock, &err), NAS_BUSY);
  snprintf(expected, sizeof expected, "process %d on ", (int)child);
  check_contains(err.text, expected);
  check_contains(err.text, " continues run 7 since ");
  check_ok(nas_store_lock(store, NAS_LOCK_RUN, 8, "", &lock, &err), &err);
  nas_store_unlock(store, &lock);
  kill_and_wait(child);
  check_ok(nas_store_lock(store, NAS_LOCK_RUN, 7, "", &lock, &err), &err);
  nas_store_close(&store); /* which gives it back */
}

static void two_stores_of_a_process_exclude_each_other(void **state) {
  (void)state;
  nas_error err;
  nas_lock a, b;
  const char *path = at("a.db");
  nas_store *one = store_at(path), *two = store_at(path);
  check_ok(nas_store_lock(one, NAS_LOCK_EVALUATION, UINT64_MAX, "trains", &a, &err), &err);
  assert_int_equal(nas_store_lock(two, NAS_LOCK_EVALUATION, UINT64_MAX, "", &b, &err), NAS_BUSY);
  nas_store_unlock(one, &a);
  check_ok(nas_store_lock(two, NAS_LOCK_EVALUATION, UINT64_MAX, "", &b, &err), &err);
  nas_store_close(&one);
  nas_store_close(&two);
}

static void who_uses_the_same_store_is_excluded(void **state) {
  (void)state;
  enum { COUNT = 20 };
  nas_error err;
  nas_lock locks[COUNT], other;
  const char *paths[] = {at("a.db"), NULL};
  for (int p = 0; p < 2; p++) {
    nas_store *store = store_at(paths[p]);
    for (unsigned i = 0; i < COUNT; i++)
      check_ok(nas_store_lock(store, NAS_LOCK_RUN, i, "counts", &locks[i], &err), &err);
    for (unsigned i = 0; i < COUNT; i++) {
      assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, i, "", &other, &err), NAS_BUSY);
      check_contains(err.text, " counts since ");
      nas_store_unlock(store, &other); /* not held: changes nothing */
    }
    for (unsigned i = 0; i < COUNT; i += 2) nas_store_unlock(store, &locks[i]);
    for (unsigned i = 0; i < COUNT; i++)
      assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, i, "", &other, &err),
                       i % 2 ? NAS_BUSY : NAS_OK);
    nas_store_close(&store);
  }
}

static void a_link_leads_to_the_same_locks(void **state) {
  (void)state;
  nas_error err;
  nas_lock a, b;
  nas_store *one = store_at(at("a.db"));
  assert_int_equal(symlink(at("a.db"), at("link.db")), 0);
  nas_store *two = store_at(at("link.db"));
  check_ok(nas_store_lock(one, NAS_LOCK_RUN, 1, "", &a, &err), &err);
  assert_int_equal(nas_store_lock(two, NAS_LOCK_RUN, 1, "", &b, &err), NAS_BUSY);
  nas_store_close(&one);
  nas_store_close(&two);
  assert_int_not_equal(access(at("link.db-lock"), F_OK), 0);
}

/* -- writing at the same time ------------------------------------------------------------------ */

enum { WRITERS = 4, PUTS = 50 };

static void write_many(const char *path) {
  nas_error err;
  nas_store *store;
  const nas_store_options options = {.path = path};
  if (nas_store_open(&store, &options, &err)) {
    fprintf(stderr, "%s\n", err.text);
    _exit(1);
  }
  for (int i = 0; i < PUTS; i++) {
    char network[16];
    row_texts texts;
    nas_epoch_row row = epoch_row(&texts, 1);
    const nas_evaluation_part part = {.from = 1, .count = 1, .epochs = &row};
    int64_t id;
    snprintf(network, sizeof network, "%d", i);
    const nas_evaluation_key key = key_of(network);
    if (nas_store_put(store, &key, &part, &id, &err)) {
      fprintf(stderr, "%s\n", err.text);
      _exit(1);
    }
  }
  nas_store_close(&store);
  _exit(0);
}

static int give_up(void *context, const char *what) {
  (void)what;
  return ++*(int *)context > 3;
}

/* Another process is in the midst of writing, and stays there. */
static void waiting_to_write_can_be_interrupted(void **state) {
  (void)state;
  nas_error err;
  nas_store *store;
  sqlite3 *other;
  int times = 0;
  int64_t id;
  const char *path = at("a.db");
  const nas_store_options options = {.path = path, .wait = give_up, .wait_context = &times};
  check_ok(nas_store_open(&store, &options, &err), &err);
  assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  const nas_evaluation_key key = key_of("1 input");
  const nas_evaluation_part part = {.from = 1, .diverged = "at once"};
  assert_int_equal(nas_store_put(store, &key, &part, &id, &err), NAS_INTERRUPTED);
  assert_int_equal(times, 4);
  sqlite3_close(other);
  put(store, &key, 1, 1);
  nas_store_close(&store);
}

/* All begin at once, with no file there. */
static void many_processes_write_the_same(void **state) {
  (void)state;
  const char *path = at("a.db");
  pid_t children[WRITERS];
  for (int i = 0; i < WRITERS; i++) {
    children[i] = fork();
    assert_true(children[i] >= 0);
    if (children[i] == 0) write_many(path);
  }
  for (int i = 0; i < WRITERS; i++) {
    int ended;
    waitpid(children[i], &ended, 0);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  }
  nas_store *store = store_at(path);
  for (int i = 0; i < PUTS; i++) {
    char network[16];
    snprintf(network, sizeof network, "%d", i);
    const nas_evaluation_key key = key_of(network);
    assert_int_equal(epochs_of(store, &key), 1);
  }
  nas_error err;
  nas_text report = {0};
  int damages;
  check_ok(nas_store_check(store, &report, &damages, &err), &err);
  assert_int_equal(damages, 0);
  nas_text_clear(&report);
  nas_store_close(&store);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
  const struct CMUnitTest tests[] = {
      TEST(who_has_a_lock_is_named),
      TEST(two_stores_of_a_process_exclude_each_other),
      TEST(who_uses_the_same_store_is_excluded),
      TEST(a_link_leads_to_the_same_locks),
      TEST(waiting_to_write_can_be_interrupted),
      TEST(many_processes_write_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
