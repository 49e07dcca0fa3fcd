/* What a process inherits that is forked from one with open stores. SQLite's connections don't bear
 * use by two processes, nor does its list of open files, which says what locks the process has: the
 * one that was forked has none of them. And the locks of the operating system belong to the open
 * lock file, so that they would live on with its copy: that is closed in the fork. */
#include <pthread.h>
#include <unistd.h>
#include "sql.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int unprepared;   /* why forks are not noticed */
static nas_store *files; /* the stores of this process that have a file */
static pid_t inherited;  /* whose stores SQLite still counts as open here; 0: nobody's */

static void before_fork(void) {
  pthread_mutex_lock(&mutex);
}

static void after_fork(void) {
  pthread_mutex_unlock(&mutex);
}

static void in_fork(void) {
  for (nas_store *store = files; store; store = store->next_file) {
    if (store->lock_file >= 0) close(store->lock_file);
    store->lock_file = -1;
    inherited = store->process;
  }
  files = NULL;
  pthread_mutex_unlock(&mutex);
}

static void prepare(void) {
  unprepared = pthread_atfork(before_fork, after_fork, in_fork);
}

nas_status nas_store_enlist(nas_store *store, nas_error *err) {
  pthread_once(&once, prepare);
  if (unprepared) return nas_fail_memory(err, "the store", sizeof *store);
  if (inherited)
    return nas_fail(err, NAS_STATE,
                    "process %d had a store open when this one was forked from it: \"%.200s\" "
                    "can't be opened here",
                    (int)inherited, store->path);
  pthread_mutex_lock(&mutex);
  store->next_file = files;
  files = store;
  pthread_mutex_unlock(&mutex);
  return NAS_OK;
}

void nas_store_delist(nas_store *store) {
  pthread_mutex_lock(&mutex);
  nas_store **at = &files;
  while (*at && *at != store) at = &(*at)->next_file;
  if (*at) *at = store->next_file;
  pthread_mutex_unlock(&mutex);
}

nas_status nas_store_check_process(const nas_store *store, nas_error *err) {
  if (store->process == getpid()) return NAS_OK;
  return nas_fail(
      err, NAS_STATE,
      "the store was opened by process %d and can't be used in a process forked from it",
      (int)store->process);
}
