/* A fixed team of threads that runs one function at a time, and the barrier inside it.
 *
 * Threads wait by spinning briefly and then blocking. Worker 0 is the caller's own thread. Workers
 * never call back into the caller's language and never raise: they leave a status in their context.
 * A pool serves one caller at a time. In a process that is forked from the one that made it, it has
 * lost its threads: it can only be destroyed. */
#ifndef NAS_POOL_H
#define NAS_POOL_H

#include <nas/status.h>

typedef struct nas_pool nas_pool;

typedef void nas_pool_task(void *context, int worker, int workers);

/* A pool of `threads` workers in all (1 to 256; 1 starts no thread). Signals stay with the caller's
 * threads: workers block all of them. On success the caller owns *pool; on failure it is NULL. */
NAS_API nas_status nas_pool_create(nas_pool **pool, int threads, nas_error *err);

/* Ends and joins the threads, frees, clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_pool_destroy(nas_pool **pool);

/* NAS_STATE in a process that was forked from the one that made a pool of several threads. */
NAS_API nas_status nas_pool_check_process(const nas_pool *pool, nas_error *err);

NAS_API int nas_pool_threads(const nas_pool *pool);

/* Runs task(context, w, workers) once for every w in 0 .. workers-1, each on its own thread, and
 * returns when all have returned. What was written before is visible to the tasks, and what they
 * wrote to the caller. Not to be called from inside a task of the same pool. */
NAS_API void nas_pool_run(nas_pool *pool, nas_pool_task *task, void *context);

/* From inside a task: returns when all workers have called it. What was written before the call is
 * visible to all afterwards. Every worker must call it equally often in a run. */
NAS_API void nas_pool_barrier(nas_pool *pool);

/* A number that workers raise and wait for, so that they take turns in a fixed order. Zeroed to
 * begin; never lowered while a task runs. */
typedef struct nas_turn nas_turn;
struct nas_turn {
  _Alignas(64) _Atomic unsigned long value;
};

/* From inside a task: returns when turn->value is at least `value`. What the worker that passed it
 * wrote before is visible. */
NAS_API void nas_pool_await(nas_pool *pool, nas_turn *turn, unsigned long value);

/* Whether it would return at once; if so, what was written before is visible, too. */
NAS_API int nas_pool_reached(const nas_turn *turn, unsigned long value);

/* From inside a task: sets turn->value and wakes who waits for it. */
NAS_API void nas_pool_pass(nas_pool *pool, nas_turn *turn, unsigned long value);

#endif
