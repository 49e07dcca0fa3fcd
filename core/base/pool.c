/* Every wait is a wait for a counter that only grows to reach a value:
 *   round     how many runs (and the end of the pool) the caller has announced: workers wait
 *   finished  how many tasks the workers have ended, over all runs: the caller waits
 *   arrived   how many calls of the barrier there were: a phase ends at a multiple of `threads`
 *   a turn    what the tasks make it
 *
 * A waiter that gives up spinning counts itself in `sleepers` and then looks at its counter again;
 * who moves a counter then looks at `sleepers`. All four are sequentially consistent, so at least
 * one of the two sees the other, and the mutex keeps the wake-up from falling between look and
 * sleep. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <nas/clock.h>
#include <nas/memory.h>
#include <nas/pool.h>
#include "cpu_limits.h"

#define SPIN_SECONDS 30e-6

typedef struct worker {
  nas_pool *pool;
  pthread_t thread;
  int index;
} worker;

struct nas_pool {
  _Alignas(64) atomic_ulong round;
  nas_pool_task *task; /* of the current round; NULL ends the threads */
  void *context;
  int threads;
  int spin; /* false when there are more threads than processors */
  _Alignas(64) atomic_ulong finished;
  _Alignas(64) atomic_ulong arrived;
  _Alignas(64) atomic_uint sleepers;
  pthread_mutex_t mutex;
  pthread_cond_t moved;
  int started;   /* threads that run, without the caller's */
  pid_t process; /* where they do */
  worker workers[];
};

/* Waiting */

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int spin_for(atomic_ulong *counter, unsigned long value) {
  double end = nas_clock() + SPIN_SECONDS;
  do {
    for (int i = 0; i < 32; i++) {
      if (atomic_load_explicit(counter, memory_order_acquire) >= value) return 1;
      relax();
    }
  } while (nas_clock() < end);
  return 0;
}

static void wait_for(nas_pool *pool, atomic_ulong *counter, unsigned long value) {
  if (atomic_load_explicit(counter, memory_order_acquire) >= value) return;
  if (pool->spin && spin_for(counter, value)) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(counter) < value) pthread_cond_wait(&pool->moved, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

/* To be called after a counter was moved. */
static void wake(nas_pool *pool) {
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->moved);
  pthread_mutex_unlock(&pool->mutex);
}

/* Threads */

static void *work(void *argument) {
  worker *self = argument;
  nas_pool *pool = self->pool;
  unsigned long others = (unsigned long)pool->threads - 1;
  for (unsigned long round = 1;; round++) {
    wait_for(pool, &pool->round, round);
    if (!pool->task) return NULL;
    pool->task(pool->context, self->index, pool->threads);
    if (atomic_fetch_add(&pool->finished, 1) + 1 == round * others) wake(pool);
  }
}

/* Threads inherit the mask of signals, so all are blocked meanwhile. */
static int start_threads(nas_pool *pool) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  while (pool->started < pool->threads - 1) {
    worker *next = &pool->workers[pool->started];
    *next = (worker){.pool = pool, .index = pool->started + 1};
    error = pthread_create(&next->thread, NULL, work, next);
    if (error) break;
    pool->started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

nas_status nas_pool_create(nas_pool **pool, int threads, nas_error *err) {
  *pool = NULL;
  if (threads < 1 || threads > 256)
    return nas_fail(err, NAS_ARGUMENT, "threads: %d is not in 1 .. 256", threads);
  size_t bytes = sizeof(nas_pool) + (size_t)(threads - 1) * sizeof(worker);
  nas_pool *made = nas_alloc_zero(1, bytes);
  if (!made) return nas_fail_memory(err, "a thread pool", bytes);
  made->threads = threads;
  made->process = getpid();
  made->spin = threads <= nas_cpu_available();
  pthread_mutex_init(&made->mutex, NULL);
  pthread_cond_init(&made->moved, NULL);
  int error = start_threads(made);
  if (error) {
    int started = made->started;
    nas_pool_destroy(&made);
    return nas_fail(err, NAS_SYSTEM, "thread %d of %d could not be started: %s", started + 2,
                    threads, strerror(error));
  }
  *pool = made;
  return NAS_OK;
}

static void end_threads(nas_pool *pool) {
  pool->task = NULL;
  atomic_fetch_add(&pool->round, 1);
  wake(pool);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->moved);
  pthread_mutex_destroy(&pool->mutex);
}

void nas_pool_destroy(nas_pool **pool) {
  if (!pool || !*pool) return;
  nas_pool *old = *pool;
  *pool = NULL;
  if (nas_pool_check_process(old, NULL) == NAS_OK) end_threads(old);
  nas_free(old);
}

nas_status nas_pool_check_process(const nas_pool *pool, nas_error *err) {
  if (pool->started == 0 || pool->process == getpid()) return NAS_OK;
  return nas_fail(
      err, NAS_STATE,
      "the threads were started by process %d and don't run in a process forked from it",
      (int)pool->process);
}

int nas_pool_threads(const nas_pool *pool) {
  return pool->threads;
}

void nas_pool_run(nas_pool *pool, nas_pool_task *task, void *context) {
  pool->task = task;
  pool->context = context;
  unsigned long round = atomic_fetch_add(&pool->round, 1) + 1;
  wake(pool);
  task(context, 0, pool->threads);
  wait_for(pool, &pool->finished, round * ((unsigned long)pool->threads - 1));
}

/* Inside a task */

void nas_pool_barrier(nas_pool *pool) {
  unsigned long threads = (unsigned long)pool->threads;
  unsigned long before = atomic_fetch_add(&pool->arrived, 1);
  unsigned long all = (before / threads + 1) * threads;
  if (before + 1 == all) {
    wake(pool);
  } else {
    wait_for(pool, &pool->arrived, all);
  }
}

void nas_pool_await(nas_pool *pool, nas_turn *turn, unsigned long value) {
  wait_for(pool, &turn->value, value);
}

int nas_pool_reached(const nas_turn *turn, unsigned long value) {
  return atomic_load(&turn->value) >= value;
}

void nas_pool_pass(nas_pool *pool, nas_turn *turn, unsigned long value) {
  atomic_store(&turn->value, value);
  wake(pool);
}
