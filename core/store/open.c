#include <errno.h>
#include <fcntl.h>
#include <nas/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "file.h"
#include "schema.h"
#include "sql.h"

/* Reading and writing wait so long for each other before the owner of the store is asked. */
enum { WAIT_TURNS = 200 }; /* of 50 ms: then another process holds the file for long */
enum { COPY_BYTES = 1 << 20 };

/* -- the place of the file -------------------------------------------------------------------- */

/* File systems whose locks, or memory that processes share, do not reach all machines. */
static const struct {
  unsigned long type;
  const char *name;
} network_systems[] = {{0x6969, "NFS"},      {0x517B, "SMB"},      {0xFF534D42, "CIFS"},
                       {0xFE534D42, "SMB"},  {0x5346414F, "AFS"},  {0x73757245, "Coda"},
                       {0x00C36400, "Ceph"}, {0x01021997, "9P"},   {0x0BD00BD0, "Lustre"},
                       {0x47504653, "GPFS"}, {0x19830326, "FhGFS"}};

static nas_status check_system(const char *path, nas_error *err) {
  struct statfs system;
  if (statfs(path, &system) != 0) return NAS_OK; /* opening tells more */
  for (size_t i = 0; i < sizeof network_systems / sizeof *network_systems; i++)
    if ((unsigned long)system.f_type == network_systems[i].type)
      return nas_fail(err, NAS_IO,
                      "\"%.200s\" lies on a network file system (%s), where SQLite's locks don't "
                      "hold; put the store on a local disk and copy it afterwards "
                      "(`luanas backup`)",
                      path, network_systems[i].name);
  return NAS_OK;
}

static char *joined(const char *a, const char *b, const char *c) {
  nas_text text = {0};
  nas_text_add(&text, a);
  nas_text_add(&text, b);
  nas_text_add(&text, c);
  if (!text.failed) return text.data;
  nas_text_clear(&text);
  return NULL;
}

/* What to put before a path so that SQLite takes it for one: not ":memory:", nor a URI. */
static const char *path_mark(const char *path) {
  return *path == '/' ? "" : "./";
}

/* Looks at what is there without opening it: closing a file drops the locks that SQLite has on it
 * in this process. *is_there: whether there is a file. */
static nas_status check_place(const char *path, int *is_there, nas_error *err) {
  struct stat info;
  *is_there = stat(path, &info) == 0;
  if (*is_there) {
    if (S_ISDIR(info.st_mode))
      return nas_fail(err, NAS_IO, "\"%.200s\" is a folder; expected the path of a file", path);
    if (!S_ISREG(info.st_mode)) return nas_fail(err, NAS_IO, "\"%.200s\" is no regular file", path);
    return check_system(path, err);
  }
  if (errno != ENOENT) return nas_file_fail(err, "cannot open", path);
  nas_text folder = {0};
  nas_status status = nas_file_folder_of(path, &folder, err);
  if (status == NAS_OK && stat(folder.data, &info) != 0)
    status = nas_file_fail(err, "cannot open", path);
  if (status == NAS_OK) status = check_system(folder.data, err);
  nas_text_clear(&folder);
  return status;
}

/* -- waiting for others ----------------------------------------------------------------------- */

static int busy(void *context, int times) {
  nas_store *store = context;
  nas_error err;
  char what[256] = "";
  if (times >= WAIT_TURNS)
    snprintf(what, sizeof what, "another process uses \"%.200s\"", store->path);
  return nas_store_pause(store, what, &err) == NAS_OK;
}

/* -- checksums -------------------------------------------------------------------------------- */

/* What a value is, in a few bytes; of what is long, its hash. */
typedef struct value_bytes {
  unsigned char type;
  unsigned char bytes[16];
} value_bytes;

static value_bytes value_of(sqlite3_value *value) {
  value_bytes v = {.type = (unsigned char)sqlite3_value_type(value)};
  nas_hash hash = {0, 0};
  double number;
  switch (v.type) {
  case SQLITE_INTEGER: hash.low = (uint64_t)sqlite3_value_int64(value); break;
  case SQLITE_FLOAT:
    number = sqlite3_value_double(value);
    memcpy(&hash.low, &number, sizeof number);
    break;
  case SQLITE_TEXT:
  case SQLITE_BLOB: {
    const void *bytes = sqlite3_value_blob(value);
    hash = nas_hash_bytes(bytes, (size_t)sqlite3_value_bytes(value));
    break;
  }
  default: break;
  }
  memcpy(v.bytes, nas_key_bytes_of(hash).bytes, sizeof v.bytes);
  return v;
}

/* row_sum(...): XXH3 of the types and values of all arguments. */
static void row_sum(sqlite3_context *context, int count, sqlite3_value **values) {
  value_bytes all[16];
  if (count > (int)(sizeof all / sizeof *all)) {
    sqlite3_result_error(context, "row_sum takes 16 values at most", -1);
    return;
  }
  for (int i = 0; i < count; i++) all[i] = value_of(values[i]);
  sqlite3_result_int64(context,
                       (sqlite3_int64)nas_hash_bytes(all, (size_t)count * sizeof *all).low);
}

/* text_hash(body): how a text is found. */
static void text_hash(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count;
  const void *body = sqlite3_value_blob(values[0]);
  nas_key_bytes key =
      nas_key_bytes_of(nas_hash_bytes(body, (size_t)sqlite3_value_bytes(values[0])));
  sqlite3_result_blob(context, &key, sizeof key, SQLITE_TRANSIENT);
}

/* -- copies ----------------------------------------------------------------------------------- */

static nas_status copy_rows(nas_store *store, const char *path, nas_error *err) {
  sqlite3_stmt *statement;
  nas_rows_read_ahead(store);
  if (sqlite3_prepare_v2(store->db, "VACUUM INTO ?1", -1, &statement, NULL) != SQLITE_OK)
    return nas_sql_fail(store, "copy", err);
  sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
  nas_status status = nas_sql_run(store, "PRAGMA query_only = OFF", err); /* for the new file */
  if (status == NAS_OK) status = nas_sql_execute(store, statement, err);
  sqlite3_finalize(statement);
  if (store->read_only) sqlite3_exec(store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
  return status;
}

/* Gives a file its name unless there is one of that name. -1: errno. */
static int name_file(const char *temporary, const char *path) {
  if (link(temporary, path) == 0) return unlink(temporary);
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return -1;
  if (access(path, F_OK) != 0) return rename(temporary, path); /* no links, as on FAT */
  errno = EEXIST;
  return -1;
}

/* A copy of the store that is whole, and on the disk, before it has its name. *is_there: there is a
 * file of that name, which stays. */
static nas_status write_copy(nas_store *store, const char *path, int *is_there, nas_error *err) {
  nas_text temporary = {0}, folder = {0};
  *is_there = access(path, F_OK) == 0;
  if (*is_there) return NAS_OK;
  int fd = -1;
  nas_status status = nas_file_folder_of(path, &folder, err);
  if (status == NAS_OK && (fd = nas_file_create_beside(path_mark(path), path, &temporary)) < 0)
    status = nas_file_fail(err, "cannot write", path);
  if (status == NAS_OK) status = copy_rows(store, temporary.data, err);
  if (status == NAS_OK && fsync(fd) != 0) status = nas_file_fail(err, "cannot write", path);
  if (status == NAS_OK) nas_crash_point("in-backup");
  if (status == NAS_OK && name_file(temporary.data, path) != 0) {
    *is_there = errno == EEXIST;
    status = nas_file_fail(err, "cannot write", path);
  }
  if (status != NAS_OK && fd >= 0) unlink(temporary.data);
  if (status == NAS_OK && nas_file_sync_folder(folder.data) != 0)
    status = nas_file_fail(err, "cannot write", path);
  if (fd >= 0) close(fd);
  nas_text_clear(&temporary);
  nas_text_clear(&folder);
  return status;
}

/* -- the schema ------------------------------------------------------------------------------- */

static nas_status fail_foreign(const nas_store *store, nas_error *err) {
  return nas_fail(err, NAS_FORMAT, "\"%.200s\" is an SQLite file, but not a store of this program",
                  store->path);
}

static nas_status read_version(nas_store *store, int64_t *application, int64_t *version,
                               nas_error *err) {
  int64_t tables = 0; /* first: another process may make them now */
  nas_status status = nas_sql_integer(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
  if (status == NAS_OK) status = nas_sql_integer(store, "PRAGMA application_id", application, err);
  if (status == NAS_OK) status = nas_sql_integer(store, "PRAGMA user_version", version, err);
  if (status != NAS_OK) return status;
  if (*application != NAS_SCHEMA_APPLICATION && (tables > 0 || *application != 0))
    return fail_foreign(store, err);
  if (*version < 0)
    return nas_fail(err, NAS_FORMAT, "\"%.200s\" is damaged: it has schema %lld", store->path,
                    (long long)*version);
  if (*version > NAS_SCHEMA_VERSION)
    return nas_fail(err, NAS_FORMAT,
                    "\"%.200s\" was written by a newer version: it has schema %lld, this one knows "
                    "up to %d; it is as it was",
                    store->path, (long long)*version, NAS_SCHEMA_VERSION);
  return NAS_OK;
}

/* -- connections ------------------------------------------------------------------------------ */

static nas_status connect_to(nas_store *store, const char *name, int flags, nas_error *err) {
  int code = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
  if (code != SQLITE_OK) {
    if (!store->db) return nas_fail(err, NAS_MEMORY, "out of memory in the store");
    return nas_sql_fail(store, "open", err);
  }
  sqlite3_extended_result_codes(store->db, 0);
  sqlite3_busy_handler(store->db, busy, store);
  sqlite3_set_authorizer(store->db, nas_rows_authorize, store);
  sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  const int how = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  if (sqlite3_create_function(store->db, "row_sum", -1, how, NULL, row_sum, NULL, NULL) ||
      sqlite3_create_function(store->db, "text_hash", 1, how, NULL, text_hash, NULL, NULL))
    return nas_sql_fail(store, "open", err);
  return nas_sql_run(store,
                     "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; "
                     "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
                     err);
}

/* The file of the store. */
static nas_status connect_to_file(nas_store *store, int flags, nas_error *err) {
  char *name = joined(path_mark(store->path), store->path, "");
  if (!name) return nas_fail_memory(err, "a path", strlen(store->path));
  nas_status status = connect_to(store, name, flags, err);
  nas_free(name);
  return status;
}

static void disconnect(nas_store *store) {
  nas_rows_abandon(store);
  for (int i = 0; i < NAS_STATEMENTS; i++) sqlite3_finalize(store->statements[i]);
  memset(store->statements, 0, sizeof store->statements);
  sqlite3_close_v2(store->db);
  store->db = NULL;
}

/* Two processes that do this at once refuse each other without asking the handler above. */
static nas_status write_ahead(nas_store *store, nas_error *err) {
  for (int turn = 0;; turn++) {
    nas_status status = nas_sql_run(store, "PRAGMA journal_mode = WAL", err);
    if (status == NAS_OK || sqlite3_errcode(store->db) != SQLITE_BUSY) return status;
    if (!busy(store, turn)) return nas_sql_fail(store, "open", err);
  }
}

/* -- opening to write -------------------------------------------------------------------------- */

/* "a.db.schema-2", "a.db.schema-2-2", ... */
static nas_status copy_name(const nas_store *store, int64_t version, int64_t n, nas_text *name,
                            nas_error *err) {
  nas_text_clear(name);
  nas_text_add(name, store->path);
  nas_text_add(name, ".schema-");
  nas_text_add_integer(name, version);
  if (n > 1) {
    nas_text_add(name, "-");
    nas_text_add_integer(name, n);
  }
  return name->failed ? nas_fail_memory(err, "a path", strlen(store->path)) : NAS_OK;
}

/* A copy of the file as it is, beside it, under the first free name: what is there already is of
 * some other time. Within a transaction, so that nobody else makes one, by another connection,
 * which reads: SQLite does not copy in a transaction. */
static nas_status keep_copy(nas_store *store, int64_t version, nas_error *err) {
  nas_text name = {0};
  nas_store reader = {
      .path = store->path, .wait = store->wait, .wait_context = store->wait_context};
  nas_status status = connect_to_file(&reader, SQLITE_OPEN_READWRITE, err);
  int is_there = 1;
  for (int64_t n = 1; status == NAS_OK && is_there; n++) {
    is_there = 0;
    status = copy_name(store, version, n, &name, err);
    if (status == NAS_OK) status = write_copy(&reader, name.data, &is_there, err);
    if (is_there) status = NAS_OK;
  }
  nas_text_clear(&name);
  disconnect(&reader);
  return status;
}

/* Within a transaction. */
static nas_status step_up(nas_store *store, int64_t from, nas_error *err) {
  char sql[96];
  nas_status status = NAS_OK;
  for (int64_t v = from; v < NAS_SCHEMA_VERSION && status == NAS_OK; v++) {
    status = nas_sql_run(store, nas_schema_steps[v], err);
    nas_crash_point("in-migration");
  }
  snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
           NAS_SCHEMA_APPLICATION, NAS_SCHEMA_VERSION);
  return status == NAS_OK ? nas_sql_run(store, sql, err) : status;
}

/* Another process may do the same at the same time, with a copy: what counts is what is there in
 * the transaction. */
static nas_status bring_up_to_date(nas_store *store, nas_error *err) {
  int64_t application = 0, version = 0;
  nas_status status = read_version(store, &application, &version, err);
  if (status != NAS_OK || (application && version == NAS_SCHEMA_VERSION)) return status;
  status = nas_sql_begin(store, 1, err);
  if (status != NAS_OK) return status;
  status = read_version(store, &application, &version, err);
  if (status == NAS_OK && (!application || version < NAS_SCHEMA_VERSION)) {
    if (application) status = keep_copy(store, version, err);
    if (status == NAS_OK) status = step_up(store, version, err);
  }
  return nas_sql_end(store, status, err);
}

static nas_status open_to_write(nas_store *store, int create, nas_error *err) {
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
  nas_status status =
      store->path ? connect_to_file(store, flags, err) : connect_to(store, ":memory:", flags, err);
  if (status != NAS_OK) return status;
  int64_t application, version;
  status = read_version(store, &application, &version, err); /* before anything is written */
  if (status == NAS_OK) status = write_ahead(store, err);
  if (status == NAS_OK) status = nas_sql_run(store, "PRAGMA synchronous = NORMAL", err);
  return status == NAS_OK ? bring_up_to_date(store, err) : status;
}

/* -- reading where nothing may be written ------------------------------------------------------ */

static nas_status copy_file(const char *from, const char *to, nas_error *err) {
  nas_file file;
  nas_replacement out;
  size_t count;
  uint64_t at = 0;
  nas_status status = nas_file_open(&file, from, err);
  if (status != NAS_OK) return status;
  char *bytes = nas_alloc(1, COPY_BYTES);
  status =
      bytes ? nas_replacement_begin(&out, to, err) : nas_fail_memory(err, "a copy", COPY_BYTES);
  if (status == NAS_OK) {
    do {
      status = nas_file_read(&file, at, bytes, COPY_BYTES, &count, err);
      if (status == NAS_OK) status = nas_replacement_write(&out, bytes, count, err);
      at += count;
    } while (status == NAS_OK && count > 0);
    status = nas_replacement_end(&out, status, err);
  }
  nas_free(bytes);
  nas_file_close(&file);
  return status;
}

/* The folder of the copy, and what lies in it. */
static void remove_copy(nas_store *store) {
  static const char *const ends[] = {"/store-shm", "/store-wal", "/store", ""};
  for (size_t i = 0; store->copy && i < sizeof ends / sizeof *ends; i++) {
    char *path = joined(store->copy, ends[i], "");
    if (path) remove(path);
    nas_free(path);
  }
  nas_free(store->copy);
  store->copy = NULL;
}

/* Into a temporary folder: the file, and the log of what is not in it yet. */
static nas_status make_copy(nas_store *store, const char *log, char **copy, nas_error *err) {
  const char *temporary = getenv("TMPDIR");
  store->copy = joined(temporary && *temporary ? temporary : "/tmp", "/luanas-XXXXXX", "");
  if (!store->copy) return nas_fail_memory(err, "a path", 0);
  if (!mkdtemp(store->copy)) {
    nas_status status = nas_file_fail(err, "cannot open", store->copy);
    nas_free(store->copy);
    store->copy = NULL;
    return status;
  }
  char *log_copy = joined(store->copy, "/store-wal", "");
  *copy = joined(store->copy, "/store", "");
  nas_status status =
      *copy && log_copy ? copy_file(store->path, *copy, err) : nas_fail_memory(err, "a path", 0);
  if (status == NAS_OK) status = copy_file(log, log_copy, err);
  nas_free(log_copy);
  return status;
}

/* The URI of a file that nobody changes: it is read without any other file beside it. */
static char *immutable_uri(const char *path) {
  static const char hex[] = "0123456789ABCDEF";
  nas_text uri = {0};
  nas_text_add(&uri, *path == '/' ? "file://" : "file:"); /* no host follows */
  for (const char *c = path; *c; c++) {
    const char escaped[] = {'%', hex[(unsigned char)*c >> 4], hex[*c & 15], '\0'};
    if (strchr("?#%", *c))
      nas_text_add(&uri, escaped);
    else
      nas_text_add_bytes(&uri, c, 1);
  }
  nas_text_add(&uri, "?immutable=1");
  if (!uri.failed) return uri.data;
  nas_text_clear(&uri);
  return NULL;
}

/* In a folder that is read-only SQLite can't make the files that processes share. */
static nas_status open_apart(nas_store *store, nas_error *err) {
  struct stat info;
  char *log = joined(sqlite3_db_filename(store->db, "main"), "-wal", ""), *name = NULL;
  int flags = SQLITE_OPEN_READONLY;
  nas_status status = log ? NAS_OK : nas_fail_memory(err, "a path", 0);
  disconnect(store);
  if (status == NAS_OK && stat(log, &info) == 0 && info.st_size > 0) {
    flags = SQLITE_OPEN_READWRITE;
    status = make_copy(store, log, &name, err);
  } else if (status == NAS_OK) {
    flags |= SQLITE_OPEN_URI;
    name = immutable_uri(store->path);
    if (!name) status = nas_fail_memory(err, "a path", 0);
  }
  if (status == NAS_OK) status = connect_to(store, name, flags, err);
  nas_free(log);
  nas_free(name);
  return status;
}

/* Whether this process may write the file and make others beside it. */
static int is_writable(const char *path) {
  nas_text folder = {0};
  int writable = nas_file_folder_of(path, &folder, NULL) == NAS_OK &&
                 faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 &&
                 faccessat(AT_FDCWD, folder.data, W_OK, AT_EACCESS) == 0;
  nas_text_clear(&folder);
  return writable;
}

/* Who reads only can't remove the files that processes share when it is the last to close: it opens
 * the file to write where it may, and writes nothing. */
static nas_status open_to_read(nas_store *store, nas_error *err) {
  int64_t application = 0, version = 0;
  int flags = is_writable(store->path) ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  nas_status status = connect_to_file(store, flags, err);
  if (status == NAS_OK) status = nas_sql_run(store, "PRAGMA query_only = ON", err);
  if (status != NAS_OK) return status;
  status = read_version(store, &application, &version, err);
  if (status == NAS_IO) { /* of the files beside it: the file itself is open */
    status = open_apart(store, err);
    if (status == NAS_OK) status = read_version(store, &application, &version, err);
  }
  if (status != NAS_OK) return status;
  if (!application) /* the process that made it ended then */
    return nas_fail(
        err, NAS_FORMAT,
        "\"%.200s\" is an empty SQLite file: nothing is stored in it; a copy of a store needs "
        "its -wal file, too, or is made by `luanas backup`",
        store->path);
  if (version < NAS_SCHEMA_VERSION)
    return nas_fail(err, NAS_FORMAT,
                    "\"%.200s\" was written by an older version (schema %lld); open it once to "
                    "write, which keeps a copy and brings it up to schema %d",
                    store->path, (long long)version, NAS_SCHEMA_VERSION);
  return NAS_OK;
}

/* -- public functions ------------------------------------------------------------------------- */

static nas_status open_lock_file(nas_store *store, nas_error *err) {
  char *path = joined(sqlite3_db_filename(store->db, "main"), "-lock", ""); /* links followed */
  if (!path) return nas_fail_memory(err, "a path", strlen(store->path));
  store->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  nas_status status = store->lock_file < 0 ? nas_file_fail(err, "cannot open", path) : NAS_OK;
  nas_free(path);
  return status;
}

nas_status nas_store_open(nas_store **out, const nas_store_options *options, nas_error *err) {
  int is_there, must_exist = options->path && (options->read_only || options->must_exist);
  *out = NULL;
  nas_status status = NAS_OK;
  if (options->path) status = check_place(options->path, &is_there, err);
  if (status != NAS_OK) return status;
  if (must_exist && !is_there)
    return nas_fail(err, NAS_IO, "cannot open \"%.200s\": there is no such file", options->path);
  nas_store *store = nas_alloc_zero(1, sizeof *store);
  if (!store) return nas_fail_memory(err, "the store", sizeof *store);
  store->lock_file = -1;
  store->process = getpid();
  store->wait = options->wait;
  store->wait_context = options->wait_context;
  store->read_only = options->path && options->read_only;
  if (options->path && !(store->path = nas_strdup(options->path)))
    status = nas_fail_memory(err, "a path", strlen(options->path));
  if (status == NAS_OK && store->path) status = nas_store_enlist(store, err);
  if (status == NAS_OK)
    status = store->read_only ? open_to_read(store, err) : open_to_write(store, !must_exist, err);
  if (status == NAS_OK && store->path && !store->read_only) status = open_lock_file(store, err);
  if (status != NAS_OK) nas_store_close(&store);
  *out = store;
  return status;
}

void nas_store_close(nas_store **handle) {
  nas_store *store = handle ? *handle : NULL;
  if (!store) return;
  *handle = NULL;
  if (nas_store_check_process(store, NULL) != NAS_OK) return;
  disconnect(store);
  remove_copy(store);
  nas_store_delist(store);
  if (store->lock_file >= 0) close(store->lock_file);
  nas_free(store->held);
  nas_free(store->path);
  nas_free(store->program);
  nas_free(store->isa);
  nas_free(store);
}

const char *nas_store_path(const nas_store *store) {
  return store->path;
}

int nas_store_read_only(const nas_store *store) {
  return store->read_only;
}

/* *copy: of a text that may be NULL. */
static nas_status copy_text(char **copy, const char *text, nas_error *err) {
  *copy = text ? nas_strdup(text) : NULL;
  return text && !*copy ? nas_fail_memory(err, "a session", strlen(text)) : NAS_OK;
}

nas_status nas_store_begin_session(nas_store *store, const nas_session *session, nas_error *err) {
  char *program, *isa = NULL;
  nas_status status = copy_text(&program, session->program, err);
  if (status == NAS_OK) status = copy_text(&isa, session->isa, err);
  if (status != NAS_OK) {
    nas_free(program);
    return status;
  }
  nas_free(store->program);
  nas_free(store->isa);
  store->program = program;
  store->isa = isa;
  store->threads = session->threads;
  store->session = 0;
  return NAS_OK;
}

nas_status nas_store_backup(nas_store *store, const char *path, nas_error *err) {
  int is_there;
  nas_status status = write_copy(store, path, &is_there, err);
  return is_there ? nas_fail(err, NAS_IO, "cannot write \"%.200s\": it is there already", path)
                  : status;
}

nas_status nas_store_vacuum(nas_store *store, nas_error *err) {
  if (store->read_only)
    return nas_fail(err, NAS_STATE, "\"%.200s\" was opened for reading only", store->path);
  nas_rows_read_ahead(store);
  return nas_sql_run(store, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", err);
}
