/* SQLite as the rest of the module uses it: prepared statements, transactions, waiting, and
 * failures with the path and advice. */
#ifndef NAS_STORE_SQL_H
#define NAS_STORE_SQL_H

#include <nas/store.h>
#include <sqlite3.h>
#include <sys/types.h>
#include "statements.h"

struct nas_store {
  char *path; /* NULL: in memory */
  char *copy; /* what is read in its place, in a temporary folder of its own, or NULL */
  int read_only;
  int lock_file;     /* descriptor, -1: none */
  int64_t *held;     /* places of the locks that this store has */
  size_t held_count; /* the room is the next power of two */
  sqlite3 *db;
  sqlite3_stmt *statements[NAS_STATEMENTS];
  int durable; /* what PRAGMA synchronous is set to */
  nas_store_wait *wait;
  void *wait_context;
  int interrupted; /* a wait was ended so */
  char *program, *isa;
  int threads;
  nas_rows *rows;       /* that are open */
  int is_users;         /* whether what is prepared now is a user's statement */
  int64_t session;      /* 0: its row is not written yet */
  int session_pending;  /* its row is of the transaction that is open */
  pid_t process;        /* that opened it */
  nas_store *next_file; /* of the stores that have one */
};

/* ---- Processes ---- */

/* A store with a path, before that is opened: from then on, forks are noticed. NAS_STATE: here no
 * file can be opened. NAS_MEMORY. */
nas_status nas_store_enlist(nas_store *store, nas_error *err);

/* The file is closed, or was never enlisted. */
void nas_store_delist(nas_store *store);

/* ---- Failures ---- */

/* What went wrong in SQLite when it was to `what` ("open", "read", "write") the file. */
nas_status nas_sql_fail(const nas_store *store, const char *what, nas_error *err);

/* A row whose checksum is wrong. */
nas_status nas_sql_damaged(const nas_store *store, const char *what, int64_t id, nas_error *err);

/* ---- Statements ---- */

/* A hash as it is stored: 16 bytes, the high half first. */
typedef struct nas_key_bytes {
  unsigned char bytes[16];
} nas_key_bytes;
nas_key_bytes nas_key_bytes_of(nas_hash hash);

/* A statement whose parameters ?1, ?2, ... are bound by letters: i int64_t; n the same, but NULL
 * for 0; t const char *, which may be NULL; k const nas_key_bytes *; b const void * and size_t.
 * What they point to must stay until the statement is done: when a step gives no row or fails, or
 * by nas_sql_done. NULL, and *err filled, where that fails. */
sqlite3_stmt *nas_sql(nas_store *store, nas_statement which, nas_error *err, const char *letters,
                      ...);

/* *row: whether there is a row to read. A NULL statement is a failure that was told already. */
nas_status nas_sql_step(nas_store *store, sqlite3_stmt *statement, int *row, nas_error *err);

void nas_sql_done(sqlite3_stmt *statement);

/* A statement without rows: runs it. */
nas_status nas_sql_execute(nas_store *store, sqlite3_stmt *statement, nas_error *err);

/* The integer in the first column of the first row, if there is one. */
nas_status nas_sql_value(nas_store *store, sqlite3_stmt *statement, int64_t *value, nas_error *err);

/* What a column of text or bytes has, until the next step: "" where it is NULL, by right or by
 * damage. NULL: SQLite had no memory for it. No other code reads such a column. */
const char *nas_sql_bytes(sqlite3_stmt *row, int column, size_t *size);

/* Appends that; text->failed without memory. */
void nas_sql_add_text(nas_text *text, sqlite3_stmt *row, int column);

/* The same, and a NUL behind it. */
void nas_sql_add_string(nas_text *text, sqlite3_stmt *row, int column);

/* *same: whether the column has that text. NAS_MEMORY. */
nas_status nas_sql_same(sqlite3_stmt *row, int column, const char *text, int *same, nas_error *err);

/* Some SQL that is run once: without rows, and with one integer. */
nas_status nas_sql_run(nas_store *store, const char *sql, nas_error *err);
nas_status nas_sql_integer(nas_store *store, const char *sql, int64_t *value, nas_error *err);

/* ---- Transactions ---- */

/* Begins to write: nobody else does until the end. What is `durable` survives a power cut, too. */
nas_status nas_sql_begin(nas_store *store, int durable, nas_error *err);

/* Commits after NAS_OK, else takes everything back. Returns the status, or what failed. */
nas_status nas_sql_end(nas_store *store, nas_status status, nas_error *err);

/* One statement in a transaction of its own. */
nas_status nas_sql_write(nas_store *store, int durable, sqlite3_stmt *statement, nas_error *err);

/* ---- What several tables need ---- */

/* The id of a text in its table, which gets it where it has it not; within a transaction. */
nas_status nas_store_text(nas_store *store, const char *body, int64_t *id, nas_error *err);

/* Writes the row of the session where that is not done; within a transaction. */
nas_status nas_store_session(nas_store *store, nas_error *err);

/* nas_store_lock within a transaction. */
nas_status nas_sql_lock(nas_store *store, nas_lock_kind kind, uint64_t number, const char *purpose,
                        nas_lock *lock, nas_error *err);

/* UTC, "2026-11-27T10:19:28Z". */
#define NAS_TIME_TEXT 24
void nas_time_text(char text[NAS_TIME_TEXT]);

#define NAS_HOST_NAME 128
void nas_host_name(char name[NAS_HOST_NAME]);

/* Sleeps about 50 ms for another process, after asking whether to go on waiting: NAS_INTERRUPTED.
 */
nas_status nas_store_pause(nas_store *store, const char *what, nas_error *err);

/* Ends all SELECTs that are open. */
void nas_rows_abandon(nas_store *store);

/* Reads into memory what open SELECTs have still to give: while one reads, SQLite lets its
 * connection wait for no other process, and write nothing at all once another one has. Where that
 * fails, the rows tell it when they come there; the write goes on. */
void nas_rows_read_ahead(nas_store *store);

/* The authorizer of a connection (its context is the store): users have no PRAGMA. Some change the
 * connection, and what they read there are functions for: SELECT * FROM pragma_table_info('run').
 */
int nas_rows_authorize(void *context, int action, const char *first, const char *second,
                       const char *database, const char *inner);

/* For tests: ends the process by SIGKILL where it comes by this point for the n-th time, as
 * LUANAS_CRASH=POINT:N says; POINT:N:stop stops it by SIGSTOP. */
void nas_crash_point(const char *name);

#endif
