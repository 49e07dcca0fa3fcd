/* Reading by SQL. */
#include <nas/memory.h>
#include <string.h>
#include "sql.h"

struct nas_rows {
  nas_store *store;        /* NULL: it was closed */
  sqlite3_stmt *statement; /* NULL then, too */
  int ended;
  /* Where a write came between, the row of now and those after it were read before it: */
  int is_ahead;
  nas_column *ahead;        /* the columns of all these rows; texts and bytes are copies */
  size_t ahead_count, room; /* columns */
  size_t at;                /* the first column of the row of now */
  nas_error failure;        /* what comes after them, where code is not NAS_OK */
  nas_rows *next;           /* of the store's */
};

static void forget_ahead(nas_rows *rows) {
  for (size_t i = 0; i < rows->ahead_count; i++) nas_free((void *)rows->ahead[i].bytes);
  nas_free(rows->ahead);
  rows->ahead = NULL;
  rows->ahead_count = rows->room = 0;
}

/* An open SELECT would keep the file open, and what it reads in its place. */
void nas_rows_abandon(nas_store *store) {
  for (nas_rows *rows = store->rows; rows; rows = rows->next) {
    forget_ahead(rows);
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
    rows->store = NULL;
  }
  store->rows = NULL;
}

static void forget(nas_rows *rows) {
  if (!rows->store) return;
  nas_rows **at = &rows->store->rows;
  while (*at != rows) at = &(*at)->next;
  *at = rows->next;
}

static int bind(sqlite3_stmt *statement, int index, const nas_column *value) {
  switch (value->type) {
  case NAS_COLUMN_INTEGER: return sqlite3_bind_int64(statement, index, value->integer);
  case NAS_COLUMN_NUMBER: return sqlite3_bind_double(statement, index, value->number);
  case NAS_COLUMN_TEXT:
    return sqlite3_bind_text64(statement, index, value->bytes, value->size, SQLITE_TRANSIENT,
                               SQLITE_UTF8);
  case NAS_COLUMN_BYTES:
    return sqlite3_bind_blob64(statement, index, value->bytes, value->size, SQLITE_TRANSIENT);
  default: return sqlite3_bind_null(statement, index);
  }
}

static int only_spaces(const char *text) {
  return text[strspn(text, " \t\r\n;")] == '\0';
}

int nas_rows_authorize(void *context, int action, const char *first, const char *second,
                       const char *database, const char *inner) {
  const nas_store *store = context;
  (void)first, (void)second, (void)database, (void)inner;
  return store->is_users && action == SQLITE_PRAGMA ? SQLITE_DENY : SQLITE_OK;
}

static nas_status fail_writes(nas_error *err) {
  return nas_fail(err, NAS_ARGUMENT, "SQL: the statement does not only read; expected a SELECT");
}

static nas_status prepare(nas_rows *rows, const char *sql, const nas_column *parameters, int count,
                          nas_error *err) {
  sqlite3 *db = rows->store->db;
  const char *rest;
  rows->store->is_users = 1;
  int code = sqlite3_prepare_v2(db, sql, -1, &rows->statement, &rest);
  rows->store->is_users = 0;
  if (code == SQLITE_AUTH) return fail_writes(err);
  if (code != SQLITE_OK) {
    if (code != SQLITE_ERROR) return nas_sql_fail(rows->store, "read", err);
    return nas_fail(err, NAS_ARGUMENT, "SQL: %s", sqlite3_errmsg(db));
  }
  if (!rows->statement || !only_spaces(rest))
    return nas_fail(err, NAS_ARGUMENT, "SQL: expected one statement");
  if (!sqlite3_stmt_readonly(rows->statement) || sqlite3_column_count(rows->statement) == 0)
    return fail_writes(err);
  if (sqlite3_bind_parameter_count(rows->statement) != count)
    return nas_fail(err, NAS_ARGUMENT, "SQL: the statement has %d parameters, but %d were given",
                    sqlite3_bind_parameter_count(rows->statement), count);
  for (int i = 0; i < count; i++)
    if (bind(rows->statement, i + 1, &parameters[i]) != SQLITE_OK)
      return nas_sql_fail(rows->store, "read", err);
  return NAS_OK;
}

nas_status nas_rows_open(nas_rows **out, nas_store *store, const char *sql,
                         const nas_column *parameters, int count, nas_error *err) {
  nas_rows *rows = nas_alloc_zero(1, sizeof *rows);
  *out = NULL;
  if (!rows) return nas_fail_memory(err, "rows", sizeof *rows);
  rows->store = store;
  rows->next = store->rows;
  store->rows = rows;
  nas_status status = prepare(rows, sql, parameters, count, err);
  if (status != NAS_OK) nas_rows_close(&rows);
  *out = rows;
  return status;
}

void nas_rows_close(nas_rows **handle) {
  nas_rows *rows = handle ? *handle : NULL;
  if (!rows) return;
  *handle = NULL;
  if (rows->store && nas_store_check_process(rows->store, NULL) != NAS_OK) return;
  forget(rows);
  forget_ahead(rows);
  sqlite3_finalize(rows->statement);
  nas_free(rows);
}

/* The texts and bytes of the row, so that nas_rows_column finds them. */
static nas_status read_columns(nas_rows *rows, nas_error *err) {
  size_t size;
  for (int c = 0; c < sqlite3_column_count(rows->statement); c++) {
    int type = sqlite3_column_type(rows->statement, c);
    if ((type == SQLITE_TEXT || type == SQLITE_BLOB) && !nas_sql_bytes(rows->statement, c, &size))
      return nas_fail(err, NAS_MEMORY, "out of memory in the store");
  }
  return NAS_OK;
}

static nas_status next_ahead(nas_rows *rows, int *more, nas_error *err) {
  rows->at += (size_t)nas_rows_width(rows);
  *more = rows->at < rows->ahead_count;
  rows->ended = !*more;
  if (*more || rows->failure.code == NAS_OK) return NAS_OK;
  return nas_fail(err, rows->failure.code, "%s", rows->failure.text);
}

nas_status nas_rows_next(nas_rows *rows, int *more, nas_error *err) {
  *more = 0;
  if (!rows->store) return nas_fail(err, NAS_STATE, "the store of these rows is closed");
  nas_status status = nas_store_check_process(rows->store, err);
  if (status != NAS_OK) return status;
  if (rows->ended) return NAS_OK;
  if (rows->is_ahead) return next_ahead(rows, more, err);
  status = nas_sql_step(rows->store, rows->statement, more, err);
  rows->ended = !*more;
  if (*more) status = read_columns(rows, err);
  if (status != NAS_OK) *more = 0;
  return status;
}

int nas_rows_width(const nas_rows *rows) {
  return sqlite3_column_count(rows->statement);
}

const char *nas_rows_name(const nas_rows *rows, int column) {
  return rows->statement ? sqlite3_column_name(rows->statement, column) : NULL;
}

nas_column nas_rows_column(const nas_rows *rows, int column) {
  sqlite3_stmt *row = rows->statement;
  nas_column c = {NAS_COLUMN_NULL, 0, 0, NULL, 0};
  if (rows->is_ahead) {
    size_t at = rows->at + (size_t)column;
    return at < rows->ahead_count ? rows->ahead[at] : c;
  }
  switch (sqlite3_column_type(row, column)) {
  case SQLITE_INTEGER:
    c.type = NAS_COLUMN_INTEGER;
    c.integer = sqlite3_column_int64(row, column);
    break;
  case SQLITE_FLOAT:
    c.type = NAS_COLUMN_NUMBER;
    c.number = sqlite3_column_double(row, column);
    break;
  case SQLITE_TEXT:
    c.type = NAS_COLUMN_TEXT;
    c.bytes = nas_sql_bytes(row, column, &c.size);
    break;
  case SQLITE_BLOB:
    c.type = NAS_COLUMN_BYTES;
    c.bytes = nas_sql_bytes(row, column, &c.size);
    break;
  default: break;
  }
  return c;
}

/* ---- Before a write -------------------------------------------------------------------------- */

static int copy_bytes(nas_column *column) {
  if (!column->bytes) return 1;
  char *copy = nas_alloc(column->size + 1, 1);
  if (!copy) return 0;
  memcpy(copy, column->bytes, column->size);
  copy[column->size] = '\0';
  column->bytes = copy;
  return 1;
}

/* The row that the statement has, behind those that are there: the whole row, or nothing of it. */
static nas_status keep_row(nas_rows *rows, nas_error *err) {
  size_t width = (size_t)nas_rows_width(rows), wanted = 2 * rows->room + width;
  if (rows->ahead_count + width > rows->room) {
    nas_column *grown = nas_realloc(rows->ahead, rows->room, wanted, sizeof *grown);
    if (!grown) return nas_fail_memory(err, "rows", wanted * sizeof *grown);
    rows->ahead = grown;
    rows->room = wanted;
  }
  nas_column *row = rows->ahead + rows->ahead_count;
  for (size_t c = 0; c < width; c++) {
    row[c] = nas_rows_column(rows, (int)c);
    if (copy_bytes(&row[c])) continue;
    while (c-- > 0) nas_free((void *)row[c].bytes);
    return nas_fail_memory(err, "a row", width);
  }
  rows->ahead_count += width;
  return NAS_OK;
}

static void read_ahead(nas_rows *rows) {
  int more = 1;
  nas_error *failure = &rows->failure;
  nas_status status = keep_row(rows, failure);
  while (status == NAS_OK && more) {
    status = nas_sql_step(rows->store, rows->statement, &more, failure);
    if (status == NAS_OK && more) status = read_columns(rows, failure);
    if (status == NAS_OK && more) status = keep_row(rows, failure);
  }
  sqlite3_reset(rows->statement);
  rows->is_ahead = 1;
}

void nas_rows_read_ahead(nas_store *store) {
  for (nas_rows *rows = store->rows; rows; rows = rows->next)
    if (!rows->is_ahead && !rows->ended && sqlite3_stmt_busy(rows->statement)) read_ahead(rows);
}
