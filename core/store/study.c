/* Studies, runs and trials. */
#include <nas/memory.h>
#include <nas/version.h>
#include <string.h>
#include "sql.h"

/* -- studies ---------------------------------------------------------------------------------- */

static nas_status find_study(nas_store *store, const nas_key_bytes *key, const char *text,
                             int64_t *study, nas_error *err) {
  int row, same;
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_STUDY_FIND, err, "k", key);
  nas_status status = nas_sql_step(store, statement, &row, err);
  *study = 0;
  if (!row) return status;
  *study = sqlite3_column_int64(statement, 0);
  status = nas_sql_same(statement, 1, text, &same, err);
  if (status == NAS_OK && (!sqlite3_column_int(statement, 2) || !same))
    status = nas_sql_damaged(store, "study", *study, err);
  nas_sql_done(statement);
  return status;
}

static nas_status add_study(nas_store *store, const nas_key_bytes *key, const char *name,
                            const char *text, const char *source, int64_t *study, nas_error *err) {
  nas_status status = nas_sql_begin(store, 1, err);
  if (status != NAS_OK) return status;
  status = find_study(store, key, text, study, err); /* of another process? */
  if (status == NAS_OK && !*study) {
    status = nas_sql_value(store, nas_sql(store, NAS_SQL_STUDY_NEXT, err, ""), study, err);
    if (status == NAS_OK)
      status = nas_sql_execute(
          store, nas_sql(store, NAS_SQL_STUDY_ADD, err, "ikttt", *study, key, name, text, source),
          err);
  }
  return nas_sql_end(store, status, err);
}

nas_status nas_store_study(nas_store *store, const char *name, const char *text, const char *source,
                           int64_t *study, nas_error *err) {
  nas_key_bytes key = nas_key_bytes_of(nas_hash_bytes(text, strlen(text)));
  nas_status status = find_study(store, &key, text, study, err);
  if (status != NAS_OK || *study) return status;
  return add_study(store, &key, name, text, source, study, err);
}

/* -- runs ------------------------------------------------------------------------------------- */

static nas_status grow_runs(nas_run **runs, int count, nas_error *err) {
  if (count & (count - 1)) return NAS_OK; /* room is a power of two */
  size_t room = count ? 2 * (size_t)count : 1;
  nas_run *larger = nas_realloc(*runs, (size_t)count, room, sizeof *larger);
  if (!larger) return nas_fail_memory(err, "the runs", room * sizeof *larger);
  *runs = larger;
  return NAS_OK;
}

static nas_run run_of(sqlite3_stmt *row) {
  nas_run run = {.id = sqlite3_column_int64(row, 0),
                 .study = sqlite3_column_int64(row, 1),
                 .parent = sqlite3_column_int64(row, 2),
                 .first = sqlite3_column_int64(row, 3),
                 .numeric_version = sqlite3_column_int(row, 4)};
  run.last =
      sqlite3_column_type(row, 5) == SQLITE_NULL ? run.first - 1 : sqlite3_column_int64(row, 5);
  return run;
}

nas_status nas_store_runs(nas_store *store, int64_t study, nas_run **runs, int *count,
                          nas_error *err) {
  int row;
  *runs = NULL;
  *count = 0;
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_RUN_LIST, err, "i", study);
  nas_status status = nas_sql_step(store, statement, &row, err);
  while (status == NAS_OK && row) {
    status = grow_runs(runs, *count, err);
    if (status == NAS_OK) {
      (*runs)[*count] = run_of(statement);
      if (!sqlite3_column_int(statement, 6))
        status = nas_sql_damaged(store, "run", (*runs)[*count].id, err);
      ++*count;
    }
    if (status != NAS_OK)
      nas_sql_done(statement);
    else
      status = nas_sql_step(store, statement, &row, err);
  }
  if (status == NAS_OK) return NAS_OK;
  nas_free(*runs);
  *runs = NULL;
  *count = 0;
  return status;
}

/* The id of the text of a script, 0 where it is unknown. */
static nas_status script_of(nas_store *store, const nas_writer *writer, int64_t *text,
                            nas_error *err) {
  *text = 0;
  return writer->script ? nas_store_text(store, writer->script, text, err) : NAS_OK;
}

static nas_status add_run(nas_store *store, nas_run *run, const nas_writer *writer,
                          nas_error *err) {
  int64_t text;
  nas_status status = nas_store_session(store, err);
  if (status == NAS_OK) status = script_of(store, writer, &text, err);
  if (status == NAS_OK)
    status = nas_sql_value(store, nas_sql(store, NAS_SQL_RUN_NEXT, err, ""), &run->id, err);
  if (status != NAS_OK) return status;
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_RUN_ADD, err, "iiniinnt", run->id, run->study,
                                 run->parent, run->first, (int64_t)run->numeric_version,
                                 store->session, text, writer->arguments),
                         err);
}

static nas_status record_writer(nas_store *store, int64_t run, int64_t first,
                                const nas_writer *writer, nas_error *err) {
  int64_t text, same = 0;
  nas_status status = nas_store_session(store, err);
  if (status == NAS_OK) status = script_of(store, writer, &text, err);
  if (status == NAS_OK)
    status = nas_sql_value(
        store, nas_sql(store, NAS_SQL_RUN_WRITER, err, "int", run, text, writer->arguments), &same,
        err);
  if (status != NAS_OK || same) return status;
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_RUN_CONTINUE, err, "iinnt", run, first,
                                 store->session, text, writer->arguments),
                         err);
}

nas_status nas_store_continue_run(nas_store *store, int64_t run, int64_t first,
                                  const nas_writer *writer, nas_error *err) {
  nas_status status = nas_sql_begin(store, 0, err);
  if (status != NAS_OK) return status;
  return nas_sql_end(store, record_writer(store, run, first, writer, err), err);
}

/* -- trials ----------------------------------------------------------------------------------- */

/* The texts of a trial in the order of the columns of TRIAL_LIST, and which of them may be NULL. */
enum { TRIAL_TEXTS = 8 };
static const int text_columns[TRIAL_TEXTS] = {1, 2, 3, 4, 5, 8, 9, 10};

static const char **text_field(nas_trial *trial, int index) {
  const char **const fields[TRIAL_TEXTS] = {&trial->decisions, &trial->origin, &trial->network,
                                            &trial->status,    &trial->reason, &trial->metrics,
                                            &trial->measured,  &trial->logged};
  return fields[index];
}

/* Texts are told apart by where they begin in `texts` until that moves no more: 0 is NULL. */
static nas_trial trial_of(sqlite3_stmt *row, nas_text *texts) {
  nas_trial trial = {.number = sqlite3_column_int64(row, 0),
                     .evaluation = sqlite3_column_int64(row, 6),
                     .epochs = sqlite3_column_int(row, 7)};
  for (int i = 0; i < TRIAL_TEXTS; i++) {
    if (sqlite3_column_type(row, text_columns[i]) == SQLITE_NULL) continue;
    *text_field(&trial, i) = (const char *)(uintptr_t)texts->size;
    nas_sql_add_string(texts, row, text_columns[i]);
  }
  return trial;
}

static nas_status read_trials(nas_store *store, sqlite3_stmt *statement, nas_trials *trials,
                              nas_text *texts, nas_error *err) {
  int row;
  nas_text_add_bytes(texts, "", 1); /* so that no text begins at 0 */
  nas_status status = nas_sql_step(store, statement, &row, err);
  while (status == NAS_OK && row) {
    trials->list[trials->count] = trial_of(statement, texts);
    if (!sqlite3_column_int(statement, 11)) {
      status = nas_sql_damaged(store, "trial", trials->list[trials->count].number, err);
      nas_sql_done(statement);
      return status;
    }
    trials->count++;
    status = nas_sql_step(store, statement, &row, err);
  }
  return status;
}

nas_status nas_store_trials(nas_store *store, int64_t run, int64_t from, int most,
                            nas_trials *trials, nas_error *err) {
  nas_text texts = {0};
  nas_trials found = {.list = nas_alloc_zero((size_t)most, sizeof *found.list)};
  *trials = (nas_trials){0};
  if (!found.list) return nas_fail_memory(err, "trials", (size_t)most * sizeof *found.list);
  sqlite3_stmt *statement =
      nas_sql(store, NAS_SQL_TRIAL_LIST, err, "iii", run, from, (int64_t)most);
  nas_status status = read_trials(store, statement, &found, &texts, err);
  if (status == NAS_OK && texts.failed) status = nas_fail_memory(err, "trials", texts.size);
  found.memory = texts.data;
  if (status != NAS_OK) {
    nas_trials_clear(&found);
    return status;
  }
  for (int t = 0; t < found.count; t++)
    for (int i = 0; i < TRIAL_TEXTS; i++) {
      const char **field = text_field(&found.list[t], i);
      if (*field) *field = texts.data + (uintptr_t)*field;
    }
  *trials = found;
  return NAS_OK;
}

void nas_trials_clear(nas_trials *trials) {
  nas_free(trials->list);
  nas_free(trials->memory);
  *trials = (nas_trials){0};
}

static nas_status add_trial(nas_store *store, int64_t run, const nas_trial *t, nas_error *err) {
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_TRIAL_ADD, err, "iitttttnittt", run, t->number,
                                 t->decisions, t->origin, t->network, t->status, t->reason,
                                 t->evaluation, (int64_t)t->epochs, t->metrics, t->measured,
                                 t->logged),
                         err);
}

/* Trials with the numbers from `next` on. */
static nas_status add_trials(nas_store *store, int64_t run, int64_t next, const nas_run_part *part,
                             nas_error *err) {
  nas_status status = NAS_OK;
  for (int i = 0; i < part->trial_count && status == NAS_OK; i++) {
    const nas_trial *trial = &part->trials[i];
    if (trial->number != next + i)
      status = nas_fail(err, NAS_STATE, "run %lld: trial %lld does not follow its last, %lld",
                        (long long)run, (long long)trial->number, (long long)(next + i - 1));
    else
      status = add_trial(store, run, trial, err);
  }
  return status;
}

static nas_status add_version(nas_store *store, int64_t run, const nas_reward_version *version,
                              nas_error *err) {
  int64_t source;
  nas_status status = nas_store_session(store, err);
  if (status == NAS_OK) status = nas_store_text(store, version->source, &source, err);
  if (status != NAS_OK) return status;
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_VERSION_ADD, err, "itiin", run, version->file,
                                 version->first, source, store->session),
                         err);
}

/* To a run that begins with trial `first`. */
static nas_status add_versions(nas_store *store, int64_t run, int64_t first,
                               const nas_run_part *part, nas_error *err) {
  nas_status status = NAS_OK;
  for (int i = 0; i < part->version_count && status == NAS_OK; i++) {
    const nas_reward_version *version = &part->versions[i];
    if (version->first < first)
      status = nas_fail(err, NAS_STATE,
                        "run %lld: a version of %.200s begins at trial %lld, before the run, which "
                        "begins at %lld",
                        (long long)run, version->file, (long long)version->first, (long long)first);
    else
      status = add_version(store, run, version, err);
  }
  return status;
}

static nas_status extend(nas_store *store, int64_t run, const nas_run_part *part, nas_error *err) {
  int64_t last = -1, first = 0;
  nas_status status =
      nas_sql_value(store, nas_sql(store, NAS_SQL_RUN_LAST, err, "i", run), &last, err);
  if (status == NAS_OK)
    status = nas_sql_value(store, nas_sql(store, NAS_SQL_RUN_FIRST, err, "i", run), &first, err);
  if (status == NAS_OK) status = add_trials(store, run, last + 1, part, err);
  return status == NAS_OK ? add_versions(store, run, first, part, err) : status;
}

nas_status nas_store_append(nas_store *store, int64_t run, const nas_run_part *part,
                            nas_error *err) {
  nas_status status = nas_sql_begin(store, part->version_count > 0, err);
  if (status != NAS_OK) return status;
  return nas_sql_end(store, extend(store, run, part, err), err);
}

static nas_status make_run(nas_store *store, nas_run *run, int64_t newest, const nas_writer *writer,
                           const nas_run_part *part, nas_lock *lock, nas_error *err) {
  int64_t found = 0;
  nas_status status =
      nas_sql_value(store, nas_sql(store, NAS_SQL_RUN_NEWEST, err, "i", run->study), &found, err);
  if (status == NAS_OK && found > newest)
    return nas_fail(err, NAS_BUSY, "study %lld: run %lld is new", (long long)run->study,
                    (long long)found);
  if (status == NAS_OK) status = add_run(store, run, writer, err);
  /* Nobody knows the run yet: the lock is free. */
  if (status == NAS_OK)
    status = nas_sql_lock(store, NAS_LOCK_RUN, (uint64_t)run->id, "writes the run", lock, err);
  if (status == NAS_OK) status = add_trials(store, run->id, run->first, part, err);
  if (status == NAS_OK) status = add_versions(store, run->id, run->first, part, err);
  run->last = run->first + part->trial_count - 1;
  return status;
}

nas_status nas_store_begin_run(nas_store *store, nas_run *run, int64_t newest,
                               const nas_writer *writer, const nas_run_part *part, nas_lock *lock,
                               nas_error *err) {
  *lock = (nas_lock){0};
  nas_status status = nas_sql_begin(store, part->version_count > 0, err);
  if (status != NAS_OK) return status;
  status = make_run(store, run, newest, writer, part, lock, err);
  status = nas_sql_end(store, status, err);
  if (status != NAS_OK) nas_store_unlock(store, lock);
  return status;
}

static nas_status lead(nas_store *store, int64_t run, int64_t parent, const nas_run_part *part,
                       nas_error *err) {
  const int count = part->trial_count;
  int64_t first = 0, begin = count > 0 ? part->trials[0].number : 0;
  nas_status status =
      nas_sql_value(store, nas_sql(store, NAS_SQL_RUN_FIRST, err, "i", run), &first, err);
  if (status == NAS_OK && begin + count != first)
    return nas_fail(err, NAS_STATE,
                    "run %lld: %d trials from number %lld on do not end before %lld",
                    (long long)run, count, (long long)begin, (long long)first);
  if (status == NAS_OK) status = add_trials(store, run, begin, part, err);
  if (status == NAS_OK) status = add_versions(store, run, begin, part, err);
  if (status != NAS_OK) return status;
  return nas_sql_execute(store, nas_sql(store, NAS_SQL_RUN_EARLIER, err, "ini", run, parent, begin),
                         err);
}

nas_status nas_store_prepend(nas_store *store, int64_t run, int64_t parent,
                             const nas_run_part *part, nas_error *err) {
  nas_status status = nas_sql_begin(store, part->version_count > 0, err);
  if (status != NAS_OK) return status;
  return nas_sql_end(store, lead(store, run, parent, part, err), err);
}

/* Why a trial that was to log something did not change: a new checksum must not hide damage. */
static nas_status fail_log(nas_store *store, int64_t run, int64_t number, nas_error *err) {
  int64_t count = 0;
  nas_status status = nas_sql_value(
      store, nas_sql(store, NAS_SQL_TRIAL_COUNT, err, "ii", run, number), &count, err);
  if (status != NAS_OK) return status;
  if (count) return nas_sql_damaged(store, "trial", number, err);
  return nas_fail(err, NAS_ARGUMENT, "log: run %lld has no trial %lld of its own", (long long)run,
                  (long long)number);
}

nas_status nas_store_log(nas_store *store, int64_t run, int64_t number, const char *logged,
                         nas_error *err) {
  nas_status status = nas_sql_begin(store, 0, err);
  if (status != NAS_OK) return status;
  status = nas_sql_execute(store,
                           nas_sql(store, NAS_SQL_TRIAL_LOG, err, "iit", run, number, logged), err);
  if (status == NAS_OK && sqlite3_changes(store->db) != 1)
    status = fail_log(store, run, number, err);
  return nas_sql_end(store, status, err);
}

/* -- fresh seeds ------------------------------------------------------------------------------ */

static nas_status take_fresh(nas_store *store, const nas_writer *writer, int turn, int count,
                             int64_t *seed, int *again, nas_error *err) {
  int64_t script;
  nas_status status = script_of(store, writer, &script, err);
  if (status != NAS_OK) return status;
  sqlite3_stmt *open = nas_sql(store, NAS_SQL_FRESH_OPEN, err, "ntii", script, writer->arguments,
                               (int64_t)turn, (int64_t)count);
  status = nas_sql_step(store, open, again, err);
  if (*again) {
    *seed = sqlite3_column_int64(open, 0);
    nas_sql_done(open);
  }
  if (status != NAS_OK || *again) return status;
  status = nas_sql_value(store, nas_sql(store, NAS_SQL_FRESH_NEXT, err, ""), seed, err);
  if (status != NAS_OK) return status;
  if (*seed > INT64_MAX - count)
    return nas_fail(
        err, NAS_LIMIT,
        "fresh seeds: an evaluation of the file has one of the largest seeds there are");
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_FRESH_ADD, err, "iinti", *seed, (int64_t)count,
                                 script, writer->arguments, (int64_t)turn),
                         err);
}

nas_status nas_store_begin_fresh(nas_store *store, const nas_writer *writer, int turn, int count,
                                 int64_t *seed, int *again, nas_error *err) {
  *again = 0;
  nas_status status = nas_sql_begin(store, 1, err);
  if (status != NAS_OK) return status;
  return nas_sql_end(store, take_fresh(store, writer, turn, count, seed, again, err), err);
}

nas_status nas_store_end_fresh(nas_store *store, int64_t seed, nas_error *err) {
  return nas_sql_write(store, 0, nas_sql(store, NAS_SQL_FRESH_END, err, "i", seed), err);
}
