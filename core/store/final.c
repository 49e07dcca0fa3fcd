/* The one opening of a study's test split. */
#include <string.h>
#include "sql.h"

/* What is there: *network is an id of the table of texts, 0 where the split is closed. */
static nas_status find(nas_store *store, int64_t study, int64_t *network, nas_text *metrics,
                       nas_error *err) {
  int row;
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_FINAL_FIND, err, "i", study);
  nas_status status = nas_sql_step(store, statement, &row, err);
  *network = 0;
  if (!row) return status;
  *network = sqlite3_column_int64(statement, 0);
  nas_sql_add_text(metrics, statement, 1);
  if (!sqlite3_column_int(statement, 2))
    status = nas_sql_damaged(store, "the final evaluation of study", study, err);
  nas_sql_done(statement);
  return metrics->failed ? nas_fail_memory(err, "metrics", metrics->size) : status;
}

static nas_status open_split(nas_store *store, int64_t study, const char *network,
                             const char *intent, nas_text *metrics, nas_error *err) {
  char opened[NAS_TIME_TEXT];
  int64_t text, before;
  nas_status status = find(store, study, &before, metrics, err);
  if (status == NAS_OK) status = nas_store_text(store, network, &text, err);
  if (status != NAS_OK) return status;
  if (before && before != text)
    return nas_fail(err, NAS_STATE,
                    "study %lld: the test images were opened for another network; a study has one "
                    "final evaluation",
                    (long long)study);
  if (before) return NAS_OK;
  status = nas_store_session(store, err);
  if (status != NAS_OK) return status;
  nas_time_text(opened);
  return nas_sql_execute(
      store,
      nas_sql(store, NAS_SQL_FINAL_OPEN, err, "iittn", study, text, intent, opened, store->session),
      err);
}

nas_status nas_store_open_final(nas_store *store, int64_t study, const char *network,
                                const char *intent, nas_text *metrics, nas_error *err) {
  const size_t size = metrics->size;
  nas_status status = nas_sql_begin(store, 1, err);
  if (status != NAS_OK) return status;
  status = nas_sql_end(store, open_split(store, study, network, intent, metrics, err), err);
  if (status != NAS_OK && metrics->size > size) { /* those of another network */
    metrics->size = size;
    metrics->data[size] = '\0';
  }
  return status;
}

nas_status nas_store_end_final(nas_store *store, int64_t study, const char *metrics,
                               nas_error *err) {
  nas_status status = nas_sql_begin(store, 1, err);
  if (status != NAS_OK) return status;
  status =
      nas_sql_execute(store, nas_sql(store, NAS_SQL_FINAL_END, err, "it", study, metrics), err);
  if (status == NAS_OK && sqlite3_changes(store->db) != 1)
    status =
        nas_fail(err, NAS_STATE, "study %lld: the test images were not opened", (long long)study);
  return nas_sql_end(store, status, err);
}
