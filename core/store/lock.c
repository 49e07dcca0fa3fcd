/* Locks between processes: a byte of the file beside the store stands for each evaluation and run.
 * They belong to the open file, so that two stores of one process exclude each other, too, and end
 * with it however the process ends. Who uses the same store is excluded by its list of locks. */
#include <errno.h>
#include <fcntl.h>
#include <nas/memory.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "sql.h"

/* Where the byte lies: evaluations by 61 bits of their hash, above the runs. Two that share a byte
 * wait for each other without need. */
static int64_t place_of(nas_lock_kind kind, uint64_t number) {
  const int64_t above = (int64_t)1 << 61;
  int64_t low = (int64_t)(number & (uint64_t)(above - 1));
  return kind == NAS_LOCK_RUN ? low + 1 : above + low;
}

/* 1: taken; 0: another one has it; -1: errno. */
static int try_lock(int fd, int64_t place, int type) {
  struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = place, .l_len = 1};
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 1;
  return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

static nas_status fail_lock(const nas_store *store, nas_error *err) {
  int code = errno;
  char reason[128] = "";
  return nas_fail(err, NAS_SYSTEM, "cannot lock \"%.200s-lock\": %s", store->path,
                  strerror_r(code, reason, sizeof reason));
}

/* Says who has it, as far as that is known: the owner's row may be of one before. */
static nas_status fail_busy(nas_store *store, int64_t place, nas_error *err) {
  int row;
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_OWNER_FIND, err, "i", place);
  nas_status status = nas_sql_step(store, statement, &row, err);
  if (status != NAS_OK) return status;
  if (!row) return nas_fail(err, NAS_BUSY, "another process is at it");
  nas_text owner = {0};
  nas_text_add(&owner, "process ");
  nas_text_add_integer(&owner, sqlite3_column_int64(statement, 0));
  nas_text_add(&owner, " on ");
  nas_sql_add_text(&owner, statement, 1);
  nas_text_add(&owner, " ");
  nas_sql_add_text(&owner, statement, 3);
  nas_text_add(&owner, " since ");
  nas_sql_add_text(&owner, statement, 2);
  nas_sql_done(statement);
  status = nas_fail(err, NAS_BUSY, "%s", owner.failed ? "another process is at it" : owner.data);
  nas_text_clear(&owner);
  return status;
}

/* Within a transaction. */
static nas_status name_owner(nas_store *store, int64_t place, const char *purpose, nas_error *err) {
  char host[NAS_HOST_NAME], since[NAS_TIME_TEXT];
  nas_host_name(host);
  nas_time_text(since);
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_OWNER_SET, err, "iittt", place, (int64_t)getpid(),
                                 host, since, purpose),
                         err);
}

/* -- the list of this store's locks ----------------------------------------------------------- */

static size_t index_of(const nas_store *store, int64_t place) {
  size_t i = 0;
  while (i < store->held_count && store->held[i] != place) i++;
  return i;
}

static nas_status hold(nas_store *store, int64_t place, nas_error *err) {
  size_t count = store->held_count;
  if ((count & (count - 1)) == 0) {
    size_t room = count ? 2 * count : 1;
    int64_t *larger = nas_realloc(store->held, count, room, sizeof *larger);
    if (!larger) return nas_fail_memory(err, "a lock", room * sizeof *larger);
    store->held = larger;
  }
  store->held[store->held_count++] = place;
  return NAS_OK;
}

/* -- taking and giving back ------------------------------------------------------------------- */

static nas_status take(nas_store *store, int64_t place, nas_error *err) {
  if (index_of(store, place) < store->held_count) return fail_busy(store, place, err);
  int got = store->path ? try_lock(store->lock_file, place, F_WRLCK) : 1;
  if (got < 0) return fail_lock(store, err);
  if (got == 0) return fail_busy(store, place, err);
  nas_status status = hold(store, place, err);
  if (status != NAS_OK && store->path) try_lock(store->lock_file, place, F_UNLCK);
  return status;
}

nas_status nas_sql_lock(nas_store *store, nas_lock_kind kind, uint64_t number, const char *purpose,
                        nas_lock *lock, nas_error *err) {
  int64_t place = place_of(kind, number);
  nas_status status = take(store, place, err);
  if (status != NAS_OK) return status;
  lock->place = place;
  return name_owner(store, place, purpose, err);
}

nas_status nas_store_lock(nas_store *store, nas_lock_kind kind, uint64_t number,
                          const char *purpose, nas_lock *lock, nas_error *err) {
  int64_t place = place_of(kind, number);
  lock->place = 0;
  if (store->read_only)
    return nas_fail(err, NAS_STATE, "\"%.200s\" was opened for reading only", store->path);
  nas_status status = take(store, place, err);
  if (status != NAS_OK) return status;
  lock->place = place;
  status = nas_sql_begin(store, 0, err);
  if (status == NAS_OK) status = nas_sql_end(store, name_owner(store, place, purpose, err), err);
  if (status != NAS_OK) nas_store_unlock(store, lock);
  return status;
}

void nas_store_unlock(nas_store *store, nas_lock *lock) {
  size_t i = index_of(store, lock->place);
  if (lock->place && i < store->held_count && nas_store_check_process(store, NULL) == NAS_OK) {
    if (store->path) try_lock(store->lock_file, lock->place, F_UNLCK);
    store->held[i] = store->held[--store->held_count];
  }
  lock->place = 0;
}
