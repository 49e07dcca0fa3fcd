/* Evaluations, what they predicted, and the states that their training can go on with. */
#include <nas/memory.h>
#include <string.h>
#include "sql.h"

/* -- keys ------------------------------------------------------------------------------------- */

enum { TEXTS = 4 };

typedef struct key_texts {
  const char *text[TEXTS];
} key_texts;

static key_texts texts_of(const nas_evaluation_key *key) {
  return (key_texts){{key->network, key->loss, key->data, key->recipe}};
}

/* Of the hashes of the texts, the seed and the numeric version. */
nas_hash nas_evaluation_hash(const nas_evaluation_key *key) {
  const key_texts texts = texts_of(key);
  nas_key_bytes all[TEXTS + 1];
  for (int i = 0; i < TEXTS; i++)
    all[i] = nas_key_bytes_of(nas_hash_bytes(texts.text[i], strlen(texts.text[i])));
  all[TEXTS] = nas_key_bytes_of((nas_hash){key->seed, (uint64_t)key->numeric_version});
  return nas_hash_bytes(all, sizeof all);
}

/* -- finding ---------------------------------------------------------------------------------- */

/* What EVALUATION_FIND gives. */
typedef struct head {
  int64_t id;
  int epochs;
  int diverged;
} head;

/* Whether the row is what the key says in full, not only by its hash. */
static nas_status has_key(sqlite3_stmt *row, const nas_evaluation_key *key, int *same,
                          nas_error *err) {
  const key_texts texts = texts_of(key);
  *same = (uint64_t)sqlite3_column_int64(row, 7) == key->seed &&
          sqlite3_column_int64(row, 8) == key->numeric_version;
  nas_status status = NAS_OK;
  for (int i = 0; i < TEXTS && *same && status == NAS_OK; i++)
    status = nas_sql_same(row, 3 + i, texts.text[i], same, err);
  return status;
}

/* id 0: there is none. The text of why it diverged is appended to `diverged`, unless NULL. */
static nas_status find_head(nas_store *store, const nas_evaluation_key *key, head *found,
                            nas_text *diverged, nas_error *err) {
  int row, same;
  nas_key_bytes bytes = nas_key_bytes_of(nas_evaluation_hash(key));
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_EVALUATION_FIND, err, "k", &bytes);
  nas_status status = nas_sql_step(store, statement, &row, err);
  *found = (head){0};
  if (!row) return status;
  found->id = sqlite3_column_int64(statement, 0);
  found->epochs = sqlite3_column_int(statement, 1);
  found->diverged = sqlite3_column_type(statement, 2) != SQLITE_NULL;
  if (diverged && found->diverged) nas_sql_add_string(diverged, statement, 2);
  status = has_key(statement, key, &same, err);
  if (status == NAS_OK && (!sqlite3_column_int(statement, 9) || !same))
    status = nas_sql_damaged(store, "evaluation", found->id, err);
  nas_sql_done(statement);
  return status;
}

/* Texts of rows, one after the other with their NULs; where they begin is known at the end, when
 * the memory moves no more. Epochs that another process has added since the head was read are
 * left. */
static nas_status read_epochs(nas_store *store, const head *found, nas_text *texts,
                              nas_error *err) {
  int row, count = 0;
  sqlite3_stmt *statement =
      nas_sql(store, NAS_SQL_EPOCH_LIST, err, "ii", found->id, (int64_t)found->epochs);
  nas_status status = nas_sql_step(store, statement, &row, err);
  while (status == NAS_OK && row) {
    count++;
    if (!sqlite3_column_int(statement, 2) || sqlite3_column_int(statement, 3) != count) break;
    for (int c = 0; c < 2; c++) nas_sql_add_string(texts, statement, c);
    status = nas_sql_step(store, statement, &row, err);
  }
  if (status != NAS_OK) return status;
  if (row) nas_sql_done(statement);
  if (row || count != found->epochs) return nas_sql_damaged(store, "evaluation", found->id, err);
  return NAS_OK;
}

static const char *next_text(const char **at) {
  const char *text = *at;
  *at += strlen(text) + 1;
  return text;
}

nas_status nas_store_find(nas_store *store, const nas_evaluation_key *key,
                          nas_evaluation *evaluation, nas_error *err) {
  nas_text texts = {0};
  head found;
  *evaluation = (nas_evaluation){0};
  nas_status status = find_head(store, key, &found, &texts, err);
  if (status == NAS_OK && found.id) status = read_epochs(store, &found, &texts, err);
  nas_evaluation e = {.id = found.id, .epoch_count = found.epochs};
  if (status == NAS_OK && found.epochs > 0 && !texts.failed)
    e.epochs = nas_alloc_zero((size_t)found.epochs, sizeof *e.epochs);
  if (status == NAS_OK && (texts.failed || (found.epochs > 0 && !e.epochs)))
    status = nas_fail_memory(err, "an evaluation", texts.size);
  if (status != NAS_OK || !found.id) {
    nas_text_clear(&texts);
    return status;
  }
  const char *at = texts.data;
  if (found.diverged) e.diverged = next_text(&at);
  for (int i = 0; i < found.epochs; i++) {
    e.epochs[i].metrics = next_text(&at);
    e.epochs[i].measured = next_text(&at);
  }
  e.memory = texts.data;
  *evaluation = e;
  return NAS_OK;
}

void nas_evaluation_clear(nas_evaluation *evaluation) {
  nas_free(evaluation->epochs);
  nas_free(evaluation->memory);
  *evaluation = (nas_evaluation){0};
}

/* -- putting ---------------------------------------------------------------------------------- */

static nas_status add_head(nas_store *store, const nas_evaluation_key *key, head *made,
                           nas_error *err) {
  const key_texts texts = texts_of(key);
  int64_t ids[TEXTS], id = 0;
  nas_key_bytes bytes = nas_key_bytes_of(nas_evaluation_hash(key));
  nas_status status = NAS_OK;
  for (int i = 0; i < TEXTS && status == NAS_OK; i++)
    status = nas_store_text(store, texts.text[i], &ids[i], err);
  if (status == NAS_OK)
    status = nas_sql_value(store, nas_sql(store, NAS_SQL_EVALUATION_NEXT, err, ""), &id, err);
  if (status != NAS_OK) return status;
  *made = (head){.id = id};
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_EVALUATION_ADD, err, "ikiiiiii", id, &bytes, ids[0],
                                 ids[1], ids[2], ids[3], (int64_t)key->seed,
                                 (int64_t)key->numeric_version),
                         err);
}

static nas_status add_epoch(nas_store *store, int64_t id, int number, const nas_epoch_row *epoch,
                            nas_error *err) {
  nas_status status =
      nas_sql_execute(store,
                      nas_sql(store, NAS_SQL_EPOCH_ADD, err, "iittn", id, (int64_t)number,
                              epoch->metrics, epoch->measured, store->session),
                      err);
  if (status != NAS_OK || !epoch->predicted) return status;
  return nas_sql_execute(store,
                         nas_sql(store, NAS_SQL_PREDICTION_ADD, err, "iib", id, (int64_t)number,
                                 epoch->predicted, epoch->predicted_count),
                         err);
}

/* Whether SQLite takes it as part of a row. */
static int fits(nas_store *store, size_t state) {
  return state + 1000 <= (size_t)sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, -1);
}

/* What another process put there meanwhile is the same. */
static nas_status extend(nas_store *store, const head *found, const nas_evaluation_part *part,
                         nas_error *err) {
  int last = part->from + part->count - 1;
  if (part->from > found->epochs + 1)
    return nas_fail(err, NAS_ARGUMENT,
                    "put: the epochs begin with %d, but the evaluation has %d of them", part->from,
                    found->epochs);
  if (found->diverged && last > found->epochs)
    return nas_fail(err, NAS_STATE, "put: evaluation %lld has no epoch %d: it diverged then",
                    (long long)found->id, found->epochs + 1);
  nas_status status = nas_store_session(store, err);
  for (int n = found->epochs + 1; n <= last && status == NAS_OK; n++)
    status = add_epoch(store, found->id, n, &part->epochs[n - part->from], err);
  if (status != NAS_OK || last < found->epochs) return status;
  const char *diverged = found->diverged ? NULL : part->diverged;
  if (last > found->epochs || diverged)
    status = nas_sql_execute(
        store,
        nas_sql(store, NAS_SQL_EVALUATION_EXTEND, err, "iit", found->id, (int64_t)last, diverged),
        err);
  if (status == NAS_OK && part->state && fits(store, part->state_size))
    status = nas_sql_execute(store,
                             nas_sql(store, NAS_SQL_STATE_PUT, err, "iib", found->id, (int64_t)last,
                                     part->state, part->state_size),
                             err);
  return status;
}

nas_status nas_store_put(nas_store *store, const nas_evaluation_key *key,
                         const nas_evaluation_part *part, int64_t *id, nas_error *err) {
  head found;
  nas_status status = nas_sql_begin(store, 1, err);
  if (status != NAS_OK) return status;
  status = find_head(store, key, &found, NULL, err);
  if (status == NAS_OK && !found.id) status = add_head(store, key, &found, err);
  if (status == NAS_OK) status = extend(store, &found, part, err);
  *id = found.id;
  return nas_sql_end(store, status, err);
}

/* -- predictions and states ------------------------------------------------------------------- */

nas_status nas_store_predicted(nas_store *store, int64_t evaluation, int epoch, nas_text *bytes,
                               int *found, nas_error *err) {
  sqlite3_stmt *statement =
      nas_sql(store, NAS_SQL_PREDICTION_FIND, err, "ii", evaluation, (int64_t)epoch);
  nas_status status = nas_sql_step(store, statement, found, err);
  if (!*found) return status;
  if (!sqlite3_column_int(statement, 1))
    status = nas_sql_damaged(store, "the predictions of evaluation", evaluation, err);
  else
    nas_sql_add_text(bytes, statement, 0);
  nas_sql_done(statement);
  if (bytes->failed) return nas_fail_memory(err, "predictions", bytes->size);
  return status;
}

nas_status nas_store_state(nas_store *store, int64_t evaluation, nas_text *bytes, int *epoch,
                           nas_error *err) {
  int row;
  *epoch = 0;
  sqlite3_stmt *statement = nas_sql(store, NAS_SQL_STATE_FIND, err, "i", evaluation);
  nas_status status = nas_sql_step(store, statement, &row, err);
  if (!row) return status;
  if (sqlite3_column_int(statement, 2)) { /* else it is as if it were gone */
    nas_sql_add_text(bytes, statement, 1);
    *epoch = sqlite3_column_int(statement, 0);
  }
  nas_sql_done(statement);
  if (bytes->failed) return nas_fail_memory(err, "a training state", bytes->size);
  if (*epoch == 0 || store->read_only) return NAS_OK;
  status = nas_sql_write(store, 0, nas_sql(store, NAS_SQL_STATE_TOUCH, err, "i", evaluation), err);
  return status == NAS_INTERRUPTED ? status
                                   : NAS_OK; /* it was read, whether or not that is noted */
}

nas_status nas_store_trim_states(nas_store *store, int64_t bytes, int64_t best, nas_error *err) {
  return nas_sql_write(store, 0, nas_sql(store, NAS_SQL_STATE_TRIM, err, "ii", bytes, best), err);
}

nas_status nas_store_keep_states(nas_store *store, int64_t best, nas_error *err) {
  return nas_sql_write(store, 0, nas_sql(store, NAS_SQL_STATE_KEEP, err, "i", best), err);
}
