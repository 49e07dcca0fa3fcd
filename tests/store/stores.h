/* Stores in temporary folders, and what is put into them. */
#ifndef TESTS_STORE_STORES_H
#define TESTS_STORE_STORES_H

#include <nas/store.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"

/* A folder for the test, which must not exceed 200 bytes. */
static char folder[256];

static inline int make_folder(void **state) {
  (void)state;
  const char *temporary = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/nas-store-XXXXXX", temporary ? temporary : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
  char command[600];
  snprintf(command, sizeof command, "chmod -R u+w '%s' && rm -r '%s'", folder, folder);
  if (system(command) != 0) return -1;
  return check_no_blocks(state);
}

/* The path of a file in the folder; of the last eight asked for. */
static inline const char *at(const char *name) {
  static char paths[8][300];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static inline nas_store *store_at(const char *path) {
  nas_error err;
  nas_store *store;
  const nas_store_options options = {.path = path};
  check_ok(nas_store_open(&store, &options, &err), &err);
  return store;
}

static inline nas_evaluation_key key_of(const char *network) {
  return (nas_evaluation_key){network, "", "data sha256:1", "batch=250", 0, 4};
}

/* Metrics of epoch n of a network, as they would be trained. */
enum { ROW_TEXT = 64 };
typedef struct row_texts {
  char metrics[ROW_TEXT], measured[ROW_TEXT];
} row_texts;

static inline nas_epoch_row epoch_row(row_texts *texts, int n) {
  snprintf(texts->metrics, ROW_TEXT, "{\"accuracy\":0.%d,\"loss\":%d}", 5000 + n, n);
  snprintf(texts->measured, ROW_TEXT, "{\"seconds\":%d.25}", n);
  return (nas_epoch_row){.metrics = texts->metrics, .measured = texts->measured};
}

/* Puts epochs from .. from+count-1; returns the id. */
static inline int64_t put(nas_store *store, const nas_evaluation_key *key, int from, int count) {
  nas_error err;
  int64_t id;
  row_texts texts[16];
  nas_epoch_row rows[16];
  for (int i = 0; i < count; i++) rows[i] = epoch_row(&texts[i], from + i);
  const nas_evaluation_part part = {.from = from, .count = count, .epochs = rows};
  check_ok(nas_store_put(store, key, &part, &id, &err), &err);
  return id;
}

/* How many epochs the evaluation of a key has, all as put() writes them; 0 for none. */
static inline int epochs_of(nas_store *store, const nas_evaluation_key *key) {
  nas_error err;
  nas_evaluation found;
  check_ok(nas_store_find(store, key, &found, &err), &err);
  int count = found.epoch_count;
  for (int i = 0; i < count; i++) {
    row_texts texts;
    nas_epoch_row expected = epoch_row(&texts, i + 1);
    assert_string_equal(found.epochs[i].metrics, expected.metrics);
    assert_string_equal(found.epochs[i].measured, expected.measured);
  }
  nas_evaluation_clear(&found);
  return count;
}

/* Runs some SQL on a file past the store. */
static inline void run_sql(const char *path, const char *sql) {
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* -- files ----------------------------------------------------------------------------------- */

static inline void write_file(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* The content; the caller frees it. */
static inline char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*size + 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, file), *size);
  fclose(file);
  return bytes;
}

/* The files of a store as they are while it is open: some of it in the log. */
static inline void copy_open_store(const char *from, const char *to) {
  static const char *const ends[] = {"", "-wal"};
  for (int i = 0; i < 2; i++) {
    char from_path[320], to_path[320];
    size_t size;
    snprintf(from_path, sizeof from_path, "%s%s", from, ends[i]);
    snprintf(to_path, sizeof to_path, "%s%s", to, ends[i]);
    char *bytes = read_file(from_path, &size);
    write_file(to_path, bytes, size);
    free(bytes);
  }
}

#endif
