#include <nas/clock.h>
#include <signal.h>
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
        nas_store_lock(store, NAS_LOCK_RUN, 7, "continues run 7", 0, &lock, &err))
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
  nas_store *store = store_at(path);
  pid_t child = hold(path);
  assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, 7, "", 0, &lock, &err), NAS_BUSY);
  snprintf(expected, sizeof expected, "process %d on ", (int)child);
  check_contains(err.text, expected);
  check_contains(err.text, ": continues run 7");
  check_ok(nas_store_lock(store, NAS_LOCK_RUN, 8, "", 0, &lock, &err), &err);
  nas_store_unlock(store, &lock);
  kill_and_wait(child);
  check_ok(nas_store_lock(store, NAS_LOCK_RUN, 7, "", 0, &lock, &err), &err);
  nas_store_close(&store); /* which gives it back */
}

typedef struct waiting {
  pid_t kill_at_third;
  int times;
  int give_up;
  char what[512];
} waiting;

static int wait_for(void *context, const char *what) {
  waiting *w = context;
  snprintf(w->what, sizeof w->what, "%s", what);
  if (++w->times == 3 && w->kill_at_third) kill_and_wait(w->kill_at_third);
  return w->give_up && w->times > 3;
}

static void who_waits_takes_over_when_the_owner_dies(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock;
  nas_store *store;
  const char *path = at("a.db");
  pid_t child = hold(path);
  waiting w = {.kill_at_third = child};
  const nas_store_options options = {.path = path, .wait = wait_for, .wait_context = &w};
  check_ok(nas_store_open(&store, &options, &err), &err);
  double start = nas_clock();
  check_ok(nas_store_lock(store, NAS_LOCK_RUN, 7, "", 1, &lock, &err), &err);
  assert_true(nas_clock() - start < 2);
  assert_int_equal(w.times, 3);
  check_contains(w.what, "continues run 7");
  nas_store_unlock(store, &lock);
  nas_store_close(&store);
}

static void waiting_can_be_interrupted(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock;
  nas_store *store;
  const char *path = at("a.db");
  pid_t child = hold(path);
  waiting w = {.give_up = 1};
  const nas_store_options options = {.path = path, .wait = wait_for, .wait_context = &w};
  check_ok(nas_store_open(&store, &options, &err), &err);
  assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, 7, "", 1, &lock, &err), NAS_INTERRUPTED);
  assert_int_equal(lock.place, 0);
  kill_and_wait(child);
  nas_store_close(&store);
}

static void two_stores_of_a_process_exclude_each_other(void **state) {
  (void)state;
  nas_error err;
  nas_lock a, b;
  const char *path = at("a.db");
  nas_store *one = store_at(path), *two = store_at(path);
  check_ok(nas_store_lock(one, NAS_LOCK_EVALUATION, UINT64_MAX, "trains", 0, &a, &err), &err);
  assert_int_equal(nas_store_lock(two, NAS_LOCK_EVALUATION, UINT64_MAX, "", 0, &b, &err), NAS_BUSY);
  nas_store_unlock(one, &a);
  check_ok(nas_store_lock(two, NAS_LOCK_EVALUATION, UINT64_MAX, "", 0, &b, &err), &err);
  nas_store_close(&one);
  nas_store_close(&two);
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
      TEST(who_has_a_lock_is_named),       TEST(who_waits_takes_over_when_the_owner_dies),
      TEST(waiting_can_be_interrupted),    TEST(two_stores_of_a_process_exclude_each_other),
      TEST(many_processes_write_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
