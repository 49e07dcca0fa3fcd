/* What workers shall train. */
#include <nas/memory.h>
#include <time.h>
#include "sql.h"

/* For a job, in microseconds: also where jobs have gone no two get the same, so that who still
 * knows one that is gone takes no other for it. */
static int64_t new_number(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

nas_status nas_store_add_job(nas_store *store, const nas_evaluation_key *key, const char *text,
                             int64_t *id, nas_error *err) {
  nas_key_bytes bytes = nas_key_bytes_of(nas_evaluation_hash(key));
  nas_status status = nas_sql_write(
      store, 0, nas_sql(store, NAS_SQL_JOB_ADD, err, "kti", &bytes, text, new_number()), err);
  *id = 0; /* stays so where another process has done it since */
  if (status != NAS_OK) return status;
  return nas_sql_value(store, nas_sql(store, NAS_SQL_JOB_FIND, err, "k", &bytes), id, err);
}

nas_status nas_store_next_job(nas_store *store, int64_t after, int64_t *id, nas_text *text,
                              nas_error *err) {
  int row;
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_JOB_NEXT, err, "i", after);
  nas_status status = nas_sql_step(store, statement, &row, err);
  *id = 0;
  if (!row) return status;
  *id = sqlite3_column_int64(statement, 0);
  nas_sql_add_text(text, statement, 1);
  nas_sql_done(statement);
  return text->failed ? nas_fail_memory(err, "a job", text->size) : NAS_OK;
}

/* Within a transaction: who has begun the job before and has not ended it has died. */
static nas_status count_attempt(nas_store *store, int64_t id, int *may_try, nas_error *err) {
  int64_t attempts = NAS_JOB_ATTEMPTS; /* of a job that is gone */
  nas_status status =
      nas_sql_value(store, nas_sql(store, NAS_SQL_JOB_ATTEMPTS, err, "i", id), &attempts, err);
  *may_try = attempts < NAS_JOB_ATTEMPTS;
  if (status != NAS_OK) return status;
  if (*may_try) return nas_sql_execute(store, nas_sql(store, NAS_SQL_JOB_BEGIN, err, "i", id), err);
  return nas_sql_execute(
      store, nas_sql(store, NAS_SQL_JOB_FAIL, err, "it", id, "every worker that tried it died"),
      err);
}

nas_status nas_store_begin_job(nas_store *store, int64_t id, int *may_try, nas_error *err) {
  *may_try = 0;
  nas_status status = nas_sql_begin(store, 0, err);
  if (status != NAS_OK) return status;
  return nas_sql_end(store, count_attempt(store, id, may_try, err), err);
}

nas_status nas_store_end_job(nas_store *store, int64_t id, const char *failure, nas_error *err) {
  if (failure)
    return nas_sql_write(store, 0, nas_sql(store, NAS_SQL_JOB_FAIL, err, "it", id, failure), err);
  return nas_sql_write(store, 0, nas_sql(store, NAS_SQL_JOB_END, err, "i", id), err);
}
