/* Looking for damage: pages, rows, references. */
#include "sql.h"

/* Each gives a line for what is wrong. */
static const char *const searches[] = {
    "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT format('%s %s refers to a row of %s that is not there', \"table\", "
    "ifnull(rowid, '(several columns)'), parent) FROM pragma_foreign_key_check",

#define SUM(table, name, ...)                                                                      \
  "SELECT 'the checksum of " #table " ' || ifnull(" name                                           \
  ", 'without a key') || ' is another' FROM " #table " WHERE sum IS NOT row_sum(" __VA_ARGS__ ")"
    "SELECT 'the hash of text ' || id || ' is another' FROM text WHERE hash IS NOT text_hash(body)",
    SUM(session, "id",
        "id, started, program, engine, numeric_version, isa, threads, host, process"),
    SUM(evaluation, "id",
        "id, key, network, loss, data, recipe, seed, numeric_version, epochs, diverged"),
    SUM(epoch, "number || ' of evaluation ' || evaluation",
        "evaluation, number, metrics, measured, session"),
    SUM(prediction, "epoch || ' of evaluation ' || evaluation",
        "evaluation, epoch, row_sum(bytes)"),
    SUM(state, "evaluation", "evaluation, epoch, size, row_sum(bytes)"),
    SUM(study, "id", "id, key, name, text, source"),
    SUM(run, "id", "id, study, parent, first, numeric_version, session, script, arguments"),
    SUM(continuation, "first || ' of run ' || run", "run, first, session, script, arguments"),
    SUM(reward_version, "file || ' from trial ' || first || ' of run ' || run",
        "run, file, first, source, session"),
    SUM(fresh, "seed", "seed, count, script, arguments, turn, ended"),
    SUM(final, "study", "study, network, intent, opened, session, metrics"),
    SUM(trial, "number || ' of run ' || run",
        "run, number, decisions, origin, network, status, reason, evaluation, epochs, metrics, "
        "measured, logged"),
#undef SUM

    "SELECT format('evaluation %d says that it has %d epochs, but it has %d', id, epochs, n) FROM "
    "(SELECT id, epochs, (SELECT count(*) FROM epoch WHERE evaluation = id) AS n FROM evaluation) "
    "WHERE epochs <> n",
    "SELECT format('run %d has %d trials from number %d on, but the last is %d', id, n, first, "
    "last) "
    "FROM (SELECT id, first, count(number) AS n, ifnull(max(number), first - 1) AS last FROM run "
    "LEFT JOIN trial ON run = id GROUP BY id) WHERE last <> first + n - 1",
};

/* Damage to pages ends a search with an error: that is a finding, too. */
static nas_status search(nas_store *store, const char *sql, nas_text *report, int *damages,
                         nas_error *err) {
  nas_error found;
  sqlite3_stmt *statement;
  nas_status status = NAS_OK;
  int row = 0;
  if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
    status = nas_sql_fail(store, "read", &found);
  else
    status = nas_sql_step(store, statement, &row, &found);
  for (; status == NAS_OK && row; status = nas_sql_step(store, statement, &row, &found)) {
    nas_sql_add_text(report, statement, 0);
    nas_text_add(report, "\n");
    ++*damages;
  }
  sqlite3_finalize(statement);
  if (status != NAS_FORMAT) {
    if (status != NAS_OK && err) *err = found;
    return status;
  }
  nas_text_add(report, found.text);
  nas_text_add(report, "\n");
  ++*damages;
  return NAS_OK;
}

nas_status nas_store_check(nas_store *store, nas_text *report, int *damages, nas_error *err) {
  nas_status status = NAS_OK;
  *damages = 0;
  for (size_t i = 0; i < sizeof searches / sizeof *searches && status == NAS_OK; i++)
    status = search(store, searches[i], report, damages, err);
  if (report->failed) return nas_fail_memory(err, "a report", report->size);
  return status;
}
