#include <signal.h>
#include <sys/wait.h>
#include "stores.h"

/* Runs body(context) in a process that is forked from this one; it shall return 1. */
static void in_fork(int (*body)(void *context), void *context) {
  int ended;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(body(context) ? 0 : 1);
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFEXITED(ended));
  assert_int_equal(WEXITSTATUS(ended), 0);
}

/* A store with a lock and open rows. */
typedef struct used {
  nas_store *store;
  nas_lock lock;
  nas_rows *rows;
  pid_t process;
} used;

static used use(const char *path) {
  nas_error err;
  int more;
  used u = {.store = store_at(path), .process = getpid()};
  const nas_evaluation_key key = key_of("1 input");
  put(u.store, &key, 1, 3);
  check_ok(nas_store_lock(u.store, NAS_LOCK_RUN, 7, "", &u.lock, &err), &err);
  check_ok(nas_rows_open(&u.rows, u.store, "SELECT number FROM epoch", NULL, 0, &err), &err);
  check_ok(nas_rows_next(u.rows, &more, &err), &err);
  assert_true(more);
  return u;
}

static int is_refused(nas_status status, const nas_error *err, const used *u) {
  char expected[128];
  snprintf(expected, sizeof expected,
           "the store was opened by process %d and can't be used in a process forked from it",
           (int)u->process);
  return status == NAS_STATE && err->code == NAS_STATE && strcmp(err->text, expected) == 0;
}

static int use_inherited(void *context) {
  used *u = context;
  nas_error err;
  int more;
  if (!is_refused(nas_store_check_process(u->store, &err), &err, u)) return 0;
  return is_refused(nas_rows_next(u->rows, &more, &err), &err, u) && !more;
}

static int close_inherited(void *context) {
  used *u = context;
  nas_store_unlock(u->store, &u->lock);
  nas_rows_close(&u->rows);
  nas_store_close(&u->store);
  return !u->store && !u->rows && u->lock.place == 0;
}

static void a_fork_can_neither_use_nor_harm(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock;
  nas_text report = {0};
  int more, damages;
  const char *paths[] = {at("a.db"), NULL};
  for (int p = 0; p < 2; p++) {
    used u = use(paths[p]);
    nas_store *other = paths[p] ? store_at(paths[p]) : NULL;
    in_fork(use_inherited, &u);
    in_fork(close_inherited, &u);
    if (other) {
      assert_int_equal(nas_store_lock(other, NAS_LOCK_RUN, 7, "", &lock, &err), NAS_BUSY);
      assert_int_equal(access(at("a.db-wal"), F_OK), 0);
    }
    check_ok(nas_store_check_process(u.store, &err), &err);
    check_ok(nas_rows_next(u.rows, &more, &err), &err);
    assert_true(more);
    const nas_evaluation_key key = key_of("1 input");
    put(u.store, &key, 4, 1);
    assert_int_equal(epochs_of(u.store, &key), 4);
    check_ok(nas_store_check(u.store, &report, &damages, &err), &err);
    assert_int_equal(damages, 0);
    nas_rows_close(&u.rows);
    nas_store_close(&other);
    nas_store_close(&u.store);
  }
  nas_text_clear(&report);
}

static int open_more(void *context) {
  const char *path = context;
  nas_error err;
  nas_store *store;
  nas_store_options options = {.path = path};
  for (options.read_only = 0; options.read_only < 2; options.read_only++) {
    if (nas_store_open(&store, &options, &err) != NAS_STATE || store) return 0;
    if (!strstr(err.text, "had a store open when this one was forked from it")) return 0;
  }
  options = (nas_store_options){0};
  if (nas_store_open(&store, &options, &err)) return 0;
  const nas_evaluation_key key = key_of("1 input");
  put(store, &key, 1, 1);
  nas_store_close(&store);
  return 1;
}

static int open_any(void *context) {
  const nas_store_options options = {.path = context};
  nas_store *store;
  if (nas_store_open(&store, &options, NULL)) return 0;
  nas_store_close(&store);
  return 1;
}

static void what_a_fork_can_open(void **state) {
  (void)state;
  nas_store *first = store_at(at("a.db")), *second = store_at(at("b.db"));
  nas_store_close(&second);
  in_fork(open_more, (void *)at("a.db"));
  in_fork(open_more, (void *)at("b.db"));
  nas_store_close(&first);
  in_fork(open_any, (void *)at("a.db"));
  nas_store *in_memory = store_at(NULL);
  in_fork(open_any, (void *)at("a.db"));
  nas_store_close(&in_memory);
}

/* The lock of a process that was killed is free, although a process forked from it lives on. */
static void locks_end_with_their_process(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock;
  int ends[2], ended;
  pid_t fork_of_it;
  const char *path = at("a.db");
  assert_int_equal(pipe(ends), 0);
  pid_t owner = fork();
  assert_true(owner >= 0);
  if (owner == 0) {
    use(path);
    fork_of_it = fork();
    if (fork_of_it == 0) {
      pid_t own = getpid();
      if (write(ends[1], &own, sizeof own) != sizeof own) _exit(1);
    }
    for (;;) pause();
  }
  assert_int_equal(read(ends[0], &fork_of_it, sizeof fork_of_it), sizeof fork_of_it);
  close(ends[0]);
  close(ends[1]);
  nas_store *store = store_at(path);
  assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, 7, "", &lock, &err), NAS_BUSY);
  kill(owner, SIGKILL);
  waitpid(owner, &ended, 0);
  check_ok(nas_store_lock(store, NAS_LOCK_RUN, 7, "", &lock, &err), &err);
  assert_int_equal(kill(fork_of_it, SIGKILL), 0);
  nas_store_close(&store);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
  const struct CMUnitTest tests[] = {
      TEST(a_fork_can_neither_use_nor_harm),
      TEST(what_a_fork_can_open),
      TEST(locks_end_with_their_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
