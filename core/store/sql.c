#include "sql.h"
#include <errno.h>
#include <fcntl.h>
#include <nas/version.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -- failures --------------------------------------------------------------------------------- */

static const char *shown(const nas_store *store) {
  return store->path ? store->path : "(in memory)";
}

/* Whether there was no room: SQLite takes a quota for a broken disk, and after a COMMIT only the
 * file that was written knows the system's reason. */
static int is_full(sqlite3 *db) {
  int codes[3] = {sqlite3_system_errno(db), 0, 0};
  sqlite3_file *log = NULL;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &codes[1]);
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log && log->pMethods) log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &codes[2]);
  for (int i = 0; i < 3; i++)
    if (codes[i] == ENOSPC || codes[i] == EDQUOT) return 1;
  return 0;
}

static nas_status fail_full(const char *what, const char *path, nas_error *err) {
  return nas_fail(err, NAS_IO,
                  "cannot %s \"%.200s\": the disk is full, or a quota; what was finished before is "
                  "kept: make room and run the script again",
                  what, path);
}

/* Whether this process may read the file; where there is none it may. */
static int is_readable(const nas_store *store) {
  return !store->path || faccessat(AT_FDCWD, store->path, R_OK, AT_EACCESS) == 0 || errno != EACCES;
}

/* A file that can't be opened, or one beside it that can't be made. */
static nas_status fail_closed(const nas_store *store, const char *what, nas_error *err) {
  const char *path = shown(store);
  int code = sqlite3_system_errno(store->db);
  if (code == EMFILE || code == ENFILE)
    return nas_fail(err, NAS_IO, "cannot %s \"%.200s\": too many files are open", what, path);
  if (!is_readable(store))
    return nas_fail(err, NAS_IO, "cannot %s \"%.200s\": permission denied", what, path);
  return nas_fail(err, NAS_IO, "cannot %s \"%.200s\": it, or its folder, is read-only", what, path);
}

nas_status nas_sql_fail(const nas_store *store, const char *what, nas_error *err) {
  const char *path = shown(store), *reason = sqlite3_errmsg(store->db);
  switch (sqlite3_errcode(store->db)) {
  case SQLITE_NOMEM: return nas_fail(err, NAS_MEMORY, "out of memory in the store");
  case SQLITE_FULL: return fail_full(what, path, err);
  case SQLITE_NOTADB:
    return nas_fail(err, NAS_FORMAT, "\"%.200s\" is no store, nor any other SQLite file", path);
  case SQLITE_CORRUPT:
    return nas_fail(err, NAS_FORMAT, "\"%.200s\" is damaged (%s); `luanas check` tells more", path,
                    reason);
  case SQLITE_BUSY:
    if (store->interrupted) return nas_fail(err, NAS_INTERRUPTED, "interrupted");
    return nas_fail(err, NAS_BUSY, "cannot %s \"%.200s\": another process uses it", what, path);
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN: return fail_closed(store, what, err);
  case SQLITE_IOERR:
    if (is_full(store->db)) return fail_full(what, path, err);
    break;
  default: break;
  }
  return nas_fail(err, NAS_IO, "cannot %s \"%.200s\": %s", what, path, reason);
}

nas_status nas_sql_damaged(const nas_store *store, const char *what, int64_t id, nas_error *err) {
  return nas_fail(err, NAS_FORMAT,
                  "\"%.200s\" is damaged: the checksum of %s %lld is another; `luanas check` tells "
                  "more",
                  shown(store), what, (long long)id);
}

/* -- statements ------------------------------------------------------------------------------- */

static const char *const texts[NAS_STATEMENTS] = {
#define X(name, text) text,
    NAS_STATEMENT_MAP(X)
#undef X
};

nas_key_bytes nas_key_bytes_of(nas_hash hash) {
  nas_key_bytes key;
  for (int i = 0; i < 8; i++) {
    key.bytes[i] = (unsigned char)(hash.high >> (56 - 8 * i));
    key.bytes[8 + i] = (unsigned char)(hash.low >> (56 - 8 * i));
  }
  return key;
}

static int bind_one(sqlite3_stmt *statement, int index, char letter, va_list *list) {
  const void *bytes;
  int64_t number;
  switch (letter) {
  case 'i': return sqlite3_bind_int64(statement, index, va_arg(*list, int64_t));
  case 'n':
    number = va_arg(*list, int64_t);
    if (number == 0) return sqlite3_bind_null(statement, index);
    return sqlite3_bind_int64(statement, index, number);
  case 't':
    bytes = va_arg(*list, const char *);
    return sqlite3_bind_text(statement, index, bytes, -1, SQLITE_STATIC);
  case 'k':
    bytes = va_arg(*list, const nas_key_bytes *);
    return sqlite3_bind_blob(statement, index, bytes, sizeof(nas_key_bytes), SQLITE_STATIC);
  default:
    bytes = va_arg(*list, const void *);
    return sqlite3_bind_blob64(statement, index, bytes, va_arg(*list, size_t), SQLITE_STATIC);
  }
}

static int bind_list(sqlite3_stmt *statement, const char *letters, va_list *list) {
  for (int i = 0; letters[i]; i++) {
    int code = bind_one(statement, i + 1, letters[i], list);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

sqlite3_stmt *nas_sql(nas_store *store, nas_statement which, nas_error *err, const char *letters,
                      ...) {
  sqlite3_stmt **statement = &store->statements[which];
  if (!*statement && sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                        statement, NULL) != SQLITE_OK) {
    nas_sql_fail(store, "read", err);
    return NULL;
  }
  va_list list;
  va_start(list, letters);
  int code = bind_list(*statement, letters, &list);
  va_end(list);
  if (code == SQLITE_OK) return *statement;
  nas_sql_fail(store, "read", err);
  nas_sql_done(*statement);
  return NULL;
}

void nas_sql_done(sqlite3_stmt *statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

nas_status nas_sql_step(nas_store *store, sqlite3_stmt *statement, int *row, nas_error *err) {
  *row = 0;
  if (!statement) return err ? err->code : NAS_IO;
  int writes = !sqlite3_get_autocommit(store->db) || !sqlite3_stmt_readonly(statement);
  int code = sqlite3_step(statement);
  *row = code == SQLITE_ROW;
  nas_status status = NAS_OK;
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    status = nas_sql_fail(store, writes ? "write" : "read", err);
  if (!*row) nas_sql_done(statement);
  return status;
}

nas_status nas_sql_execute(nas_store *store, sqlite3_stmt *statement, nas_error *err) {
  int row;
  nas_status status = nas_sql_step(store, statement, &row, err);
  if (row) nas_sql_done(statement);
  return status;
}

nas_status nas_sql_value(nas_store *store, sqlite3_stmt *statement, int64_t *value,
                         nas_error *err) {
  int row;
  nas_status status = nas_sql_step(store, statement, &row, err);
  if (!row) return status;
  *value = sqlite3_column_int64(statement, 0);
  nas_sql_done(statement);
  return NAS_OK;
}

const char *nas_sql_bytes(sqlite3_stmt *row, int column, size_t *size) {
  const int type = sqlite3_column_type(row, column); /* before it is converted */
  *size = 0;
  if (type == SQLITE_NULL) return "";
  const void *bytes =
      type == SQLITE_BLOB ? sqlite3_column_blob(row, column) : sqlite3_column_text(row, column);
  *size = (size_t)sqlite3_column_bytes(row, column);
  if (!bytes && *size == 0 && type == SQLITE_BLOB) return ""; /* without any it is NULL */
  return bytes;
}

void nas_sql_add_text(nas_text *text, sqlite3_stmt *row, int column) {
  size_t size;
  const char *bytes = nas_sql_bytes(row, column, &size);
  if (bytes)
    nas_text_add_bytes(text, bytes, size);
  else
    text->failed = 1;
}

void nas_sql_add_string(nas_text *text, sqlite3_stmt *row, int column) {
  nas_sql_add_text(text, row, column);
  nas_text_add_bytes(text, "", 1);
}

nas_status nas_sql_same(sqlite3_stmt *row, int column, const char *text, int *same,
                        nas_error *err) {
  size_t size;
  const char *there = nas_sql_bytes(row, column, &size);
  *same = there && size == strlen(text) && memcmp(there, text, size) == 0;
  return there ? NAS_OK : nas_fail(err, NAS_MEMORY, "out of memory in the store");
}

nas_status nas_sql_run(nas_store *store, const char *sql, nas_error *err) {
  if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK) return NAS_OK;
  return nas_sql_fail(store, "use", err);
}

nas_status nas_sql_integer(nas_store *store, const char *sql, int64_t *value, nas_error *err) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
    return nas_sql_fail(store, "read", err);
  int row;
  nas_status status = nas_sql_step(store, statement, &row, err);
  if (row) *value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return status;
}

/* -- transactions ----------------------------------------------------------------------------- */

/* What ends a transaction must not want for memory then. */
static nas_status prepare_end(nas_store *store, nas_error *err) {
  int is_there =
      nas_sql(store, NAS_SQL_COMMIT, err, "") && nas_sql(store, NAS_SQL_ROLLBACK, err, "");
  return is_there ? NAS_OK : err ? err->code : NAS_IO;
}

nas_status nas_sql_begin(nas_store *store, int durable, nas_error *err) {
  if (store->read_only)
    return nas_fail(err, NAS_STATE, "\"%.200s\" was opened for reading only", shown(store));
  if (store->durable != durable) {
    const char *sql = durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
    nas_status status = nas_sql_run(store, sql, err);
    if (status != NAS_OK) return status;
    store->durable = durable;
  }
  store->interrupted = 0;
  nas_rows_read_ahead(store);
  nas_status status = prepare_end(store, err);
  if (status == NAS_OK)
    status = nas_sql_execute(store, nas_sql(store, NAS_SQL_BEGIN, err, ""), err);
  nas_crash_point("begun");
  return status;
}

nas_status nas_sql_end(nas_store *store, nas_status status, nas_error *err) {
  nas_crash_point(store->durable ? "before-durable-commit" : "before-commit");
  if (status == NAS_OK)
    status = nas_sql_execute(store, nas_sql(store, NAS_SQL_COMMIT, err, ""), err);
  if (status != NAS_OK && !sqlite3_get_autocommit(store->db))
    nas_sql_execute(store, nas_sql(store, NAS_SQL_ROLLBACK, NULL, ""), NULL);
  if (status != NAS_OK && store->session_pending) store->session = 0;
  store->session_pending = 0;
  nas_crash_point(store->durable ? "after-durable-commit" : "after-commit");
  return status;
}

nas_status nas_sql_write(nas_store *store, int durable, sqlite3_stmt *statement, nas_error *err) {
  if (!statement) return err ? err->code : NAS_IO;
  nas_status status = nas_sql_begin(store, durable, err);
  if (status != NAS_OK) {
    nas_sql_done(statement);
    return status;
  }
  return nas_sql_end(store, nas_sql_execute(store, statement, err), err);
}

/* -- what several tables need ----------------------------------------------------------------- */

nas_status nas_store_text(nas_store *store, const char *body, int64_t *id, nas_error *err) {
  int row, same;
  nas_key_bytes key = nas_key_bytes_of(nas_hash_bytes(body, strlen(body)));
  sqlite3_stmt *found = nas_sql(store, NAS_SQL_TEXT_FIND, err, "k", &key);
  nas_status status = nas_sql_step(store, found, &row, err);
  if (status != NAS_OK) return status;
  if (row) {
    *id = sqlite3_column_int64(found, 0);
    status = nas_sql_same(found, 1, body, &same, err);
    nas_sql_done(found);
    if (status != NAS_OK || same) return status;
    return nas_sql_damaged(store, "text", *id, err);
  }
  status = nas_sql_execute(store, nas_sql(store, NAS_SQL_TEXT_ADD, err, "kt", &key, body), err);
  *id = sqlite3_last_insert_rowid(store->db);
  return status;
}

nas_status nas_store_session(nas_store *store, nas_error *err) {
  if (store->session) return NAS_OK;
  char started[NAS_TIME_TEXT], host[NAS_HOST_NAME];
  int64_t id = 0;
  nas_status status = nas_sql_value(store, nas_sql(store, NAS_SQL_SESSION_NEXT, err, ""), &id, err);
  if (status != NAS_OK) return status;
  nas_time_text(started);
  nas_host_name(host);
  status = nas_sql_execute(store,
                           nas_sql(store, NAS_SQL_SESSION_ADD, err, "itttititi", id, started,
                                   store->program, nas_version(), (int64_t)nas_numeric_version(),
                                   store->isa, (int64_t)store->threads, host, (int64_t)getpid()),
                           err);
  if (status == NAS_OK) store->session = id;
  store->session_pending = status == NAS_OK;
  return status;
}

void nas_time_text(char text[NAS_TIME_TEXT]) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(text, NAS_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void nas_host_name(char name[NAS_HOST_NAME]) {
  if (gethostname(name, NAS_HOST_NAME) != 0) name[0] = '\0';
  name[NAS_HOST_NAME - 1] = '\0';
}

nas_status nas_store_pause(nas_store *store, const char *what, nas_error *err) {
  const struct timespec time = {.tv_nsec = 50000000};
  if (store->wait && store->wait(store->wait_context, what)) {
    store->interrupted = 1;
    return nas_fail(err, NAS_INTERRUPTED, "interrupted");
  }
  nanosleep(&time, NULL);
  return NAS_OK;
}

void nas_crash_point(const char *name) {
  static long passes; /* of one point: a process has one wish */
  char *rest;
  const char *wish = getenv("LUANAS_CRASH");
  size_t length = strlen(name);
  if (!wish || strncmp(wish, name, length) != 0 || wish[length] != ':') return;
  long wanted = strtol(wish + length + 1, &rest, 10);
  if (++passes == wanted) raise(strcmp(rest, ":stop") == 0 ? SIGSTOP : SIGKILL);
}
