#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <check.h>
#include <nas/pool.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static nas_pool *make(int threads) {
  nas_pool *pool;
  nas_error err;
  check_ok(nas_pool_create(&pool, threads, &err), &err);
  assert_int_equal(nas_pool_threads(pool), threads);
  return pool;
}

/* The body once with a pool of each size; 8 is more than many machines have processors. */
static const int sizes[] = {1, 2, 3, 8};
#define EACH_SIZE(pool)                                                                            \
  for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++)                               \
    for (nas_pool *pool = make(sizes[size]); pool; nas_pool_destroy(&pool))

/* Long enough that whoever waits stops spinning and sleeps. */
static void rest(void) {
  nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
}

/* What tasks share. The plain members are not atomic on purpose: the pool has to order them, and
 * the thread sanitizer tells when it does not. */
typedef struct shared {
  nas_pool *pool;
  long rounds;
  long cells[256]; /* one for each worker */
  long sum;        /* whose turn it is */
  int rests;       /* now and then a worker sleeps */
  pthread_t threads[256];
  nas_turn turn;
  atomic_int wrong;
} shared;

/* Runs */

static void count_call(void *context, int worker, int workers) {
  shared *s = context;
  if (workers != nas_pool_threads(s->pool) || s->cells[worker] != s->rounds) s->wrong = 1;
  s->cells[worker]++;
  s->threads[worker] = pthread_self();
}

static void every_worker_runs_once_a_round(void **state) {
  (void)state;
  EACH_SIZE(pool) {
    shared s = {.pool = pool};
    int workers = nas_pool_threads(pool);
    for (s.rounds = 0; s.rounds < 5000; s.rounds++) {
      nas_pool_run(pool, count_call, &s);
      for (int w = 0; w < workers; w++) assert_int_equal(s.cells[w], s.rounds + 1);
      if (s.rounds % 500 == 0) rest();
    }
    assert_false(s.wrong);
    assert_true(pthread_equal(s.threads[0], pthread_self()));
    for (int w = 0; w < workers; w++) {
      for (int v = 0; v < w; v++) assert_false(pthread_equal(s.threads[v], s.threads[w]));
    }
  }
}

static void rest_one(void *context, int worker, int workers) {
  if (worker == *(int *)context % workers) rest();
}

static void waiting_for_a_slow_worker(void **state) {
  (void)state;
  EACH_SIZE(pool) {
    for (int round = 0; round < 50; round++) nas_pool_run(pool, rest_one, &round);
  }
}

static void pools_side_by_side(void **state) {
  (void)state;
  nas_pool *pools[3] = {make(2), make(3), make(1)};
  shared s[3] = {{.pool = pools[0]}, {.pool = pools[1]}, {.pool = pools[2]}};
  for (int round = 0; round < 300; round++) {
    for (int p = 0; p < 3; p++) {
      nas_pool_run(pools[p], count_call, &s[p]);
      s[p].rounds++;
    }
  }
  for (int p = 0; p < 3; p++) {
    assert_false(s[p].wrong);
    nas_pool_destroy(&pools[p]);
  }
}

/* Barriers */

static void write_and_read(void *context, int worker, int workers) {
  shared *s = context;
  for (long round = 1; round <= s->rounds; round++) {
    if (s->rests && round % 16 == worker) rest();
    s->cells[worker] = round;
    nas_pool_barrier(s->pool);
    for (int w = 0; w < workers; w++) {
      if (s->cells[w] != round) s->wrong = 1;
    }
    nas_pool_barrier(s->pool);
  }
}

static void barriers_separate_phases(void **state) {
  (void)state;
  EACH_SIZE(pool) {
    shared s = {.pool = pool, .rounds = 3000};
    nas_pool_run(pool, write_and_read, &s);
    s.rounds = 1; /* the barrier begins anew in each run */
    for (int run = 0; run < 1000; run++) nas_pool_run(pool, write_and_read, &s);
    s.rounds = 100;
    s.rests = 1;
    nas_pool_run(pool, write_and_read, &s);
    assert_false(s.wrong);
  }
}

/* Turns */

static void add_in_order(void *context, int worker, int workers) {
  shared *s = context;
  for (long round = 0; round < s->rounds; round++) {
    unsigned long mine = (unsigned long)(round * workers + worker);
    if (s->rests && round % 16 == worker) rest();
    nas_pool_await(s->pool, &s->turn, mine);
    if (s->sum != (long)mine) s->wrong = 1;
    if (!nas_pool_reached(&s->turn, mine) || nas_pool_reached(&s->turn, mine + 1)) s->wrong = 1;
    s->sum++;
    nas_pool_pass(s->pool, &s->turn, mine + 1);
  }
}

static void turns_keep_their_order(void **state) {
  (void)state;
  EACH_SIZE(pool) {
    shared s = {.pool = pool, .rounds = 3000};
    nas_pool_run(pool, add_in_order, &s);
    assert_int_equal(s.sum, 3000 * nas_pool_threads(pool));
    s.turn.value = 0;
    s.sum = 0;
    s.rounds = 100;
    s.rests = 1;
    nas_pool_run(pool, add_in_order, &s);
    assert_false(s.wrong);
  }
}

static void await_the_past(void *context, int worker, int workers) {
  shared *s = context;
  (void)workers;
  if (worker == 0) nas_pool_pass(s->pool, &s->turn, 10);
  nas_pool_await(s->pool, &s->turn, 0);
  nas_pool_await(s->pool, &s->turn, 7); /* no worker ever passes exactly this */
  nas_pool_await(s->pool, &s->turn, 10);
}

static void turns_that_are_over_do_not_wait(void **state) {
  (void)state;
  EACH_SIZE(pool) {
    shared s = {.pool = pool};
    nas_pool_run(pool, await_the_past, &s);
  }
}

/* Signals */

static void look_at_signals(void *context, int worker, int workers) {
  (void)workers;
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  ((shared *)context)->cells[worker] = sigismember(&blocked, SIGINT) &&
                                       sigismember(&blocked, SIGTERM) &&
                                       sigismember(&blocked, SIGUSR1);
}

static void workers_block_signals(void **state) {
  (void)state;
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  nas_pool *pool = make(4);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  shared s = {.pool = pool};
  nas_pool_run(pool, look_at_signals, &s);
  assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
  assert_int_equal(s.cells[0], sigismember(&before, SIGINT));
  for (int w = 1; w < 4; w++) assert_true(s.cells[w]);
  nas_pool_destroy(&pool);
}

/* Creation and destruction */

static void wrong_sizes(void **state) {
  (void)state;
  const int wrong[] = {0, -1, 257, 1 << 30};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    nas_pool *pool = (nas_pool *)&pool;
    nas_error err;
    assert_int_equal(nas_pool_create(&pool, wrong[i], &err), NAS_ARGUMENT);
    assert_null(pool);
    check_contains(err.text, "threads");
    assert_int_equal(nas_pool_create(&pool, wrong[i], NULL), NAS_ARGUMENT);
  }
}

static void the_largest_size(void **state) {
  (void)state;
  nas_pool *pool = make(256);
  shared *s = calloc(1, sizeof *s);
  s->pool = pool;
  s->rounds = 3;
  nas_pool_run(pool, write_and_read, s);
  nas_pool_run(pool, add_in_order, s);
  assert_false(s->wrong);
  assert_int_equal(s->sum, 3 * 256);
  free(s);
  nas_pool_destroy(&pool);
}

static void nothing_to_destroy(void **state) {
  (void)state;
  nas_pool *pool = NULL;
  nas_pool_destroy(NULL);
  nas_pool_destroy(&pool);
}

/* Threads that have just begun, that spin, and that sleep. */
static void destroying_at_any_time(void **state) {
  (void)state;
  for (int i = 0; i < 100; i++) {
    nas_pool *pool = make(1 + i % 5);
    shared s = {.pool = pool};
    if (i % 3) nas_pool_run(pool, count_call, &s);
    if (i % 10 == 0) rest();
    nas_pool_destroy(&pool);
    assert_null(pool);
  }
}

static void in_a_forked_process_it_can_only_be_destroyed(void **state) {
  (void)state;
  EACH_SIZE(pool) {
    int ended, threads = nas_pool_threads(pool);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      nas_status status = nas_pool_check_process(pool, NULL);
      nas_pool_destroy(&pool);
      _exit(pool || status != (threads > 1 ? NAS_STATE : NAS_OK));
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
    assert_int_equal(nas_pool_check_process(pool, NULL), NAS_OK);
    shared s = {.pool = pool};
    nas_pool_run(pool, count_call, &s);
    assert_false(s.wrong);
  }
}

static void no_memory(void **state) {
  (void)state;
  nas_pool *pool;
  nas_error err;
  nas_memory_fail_after(0);
  nas_status status = nas_pool_create(&pool, 2, &err);
  nas_memory_fail_after(-1);
  assert_int_equal(status, NAS_MEMORY);
  assert_null(pool);
}

/* Address space for a few stacks only, so that the creation of threads fails in the middle. */
static void no_more_threads(void **state) {
  (void)state;
#if defined(SANITIZED) || !defined(__linux__)
  check_skip("the sanitizer needs the address space");
#else
  const size_t stack = (size_t)256 << 20;
  pthread_attr_t before, large;
  struct rlimit limit, narrow, set;
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%lu", &pages) != 1) check_skip("no /proc");
  fclose(file);
  getrlimit(RLIMIT_AS, &limit);
  pthread_getattr_default_np(&before);
  pthread_getattr_default_np(&large);
  pthread_attr_setstacksize(&large, stack);
  narrow = limit;
  narrow.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + 4 * stack;
  pthread_setattr_default_np(&large);
  setrlimit(RLIMIT_AS, &narrow);
  getrlimit(RLIMIT_AS, &set);
  nas_pool *pool;
  nas_error err = {0};
  nas_status status = nas_pool_create(&pool, 16, &err);
  setrlimit(RLIMIT_AS, &limit);
  pthread_setattr_default_np(&before);
  if (set.rlim_cur != narrow.rlim_cur) {
    nas_pool_destroy(&pool);
    check_skip("an emulator that does not limit the address space");
  }
  assert_int_equal(status, NAS_SYSTEM);
  assert_null(pool);
  check_contains(err.text, "of 16 could not be started");
  int number = 0;
  assert_int_equal(sscanf(err.text, "thread %d", &number), 1);
  assert_in_range(number, 3, 15); /* some were there, and are joined */
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_worker_runs_once_a_round),
      cmocka_unit_test(waiting_for_a_slow_worker),
      cmocka_unit_test(pools_side_by_side),
      cmocka_unit_test(barriers_separate_phases),
      cmocka_unit_test(turns_keep_their_order),
      cmocka_unit_test(turns_that_are_over_do_not_wait),
      cmocka_unit_test(workers_block_signals),
      cmocka_unit_test(wrong_sizes),
      cmocka_unit_test(the_largest_size),
      cmocka_unit_test(nothing_to_destroy),
      cmocka_unit_test(destroying_at_any_time),
      cmocka_unit_test(in_a_forked_process_it_can_only_be_destroyed),
      cmocka_unit_test(no_memory),
      cmocka_unit_test(no_more_threads),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_blocks);
}
