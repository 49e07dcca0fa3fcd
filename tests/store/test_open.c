/* What is not a store, or lies where none can be written. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include "sql.h"
#include "stores.h"

static nas_status try_open(const char *path, int read_only, nas_error *err) {
  nas_store *store;
  const nas_store_options options = {.path = path, .read_only = read_only};
  nas_status status = nas_store_open(&store, &options, err);
  if (status != NAS_OK) assert_null(store);
  nas_store_close(&store);
  return status;
}

/* Opening fails so, to read and to write, and changes nothing. */
static void check_refused(const char *path, nas_status expected, const char *message) {
  size_t before_size, after_size;
  char *before = read_file(path, &before_size);
  for (int read_only = 0; read_only < 2; read_only++) {
    nas_error err;
    assert_int_equal(try_open(path, read_only, &err), expected);
    check_contains(err.text, message);
    check_contains(err.text, path);
  }
  char *after = read_file(path, &after_size);
  assert_int_equal(before_size, after_size);
  assert_memory_equal(before, after, before_size);
  free(before);
  free(after);
}

static void other_files_are_refused(void **state) {
  (void)state;
  static const char text[] = "-- a script\nlocal nas = require \"luanas\"\nprint(nas.version, "
                             "'and so on, for more than a hundred bytes, which is a header')\n";
  write_file(at("a.lua"), text, sizeof text - 1);
  check_refused(at("a.lua"), NAS_FORMAT, "is no store");
  run_sql(at("other.db"), "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  check_refused(at("other.db"), NAS_FORMAT, "not a store");
}

static void a_newer_file_is_refused(void **state) {
  (void)state;
  const char *path = at("a.db");
  nas_store *store = store_at(path);
  nas_store_close(&store);
  run_sql(path, "PRAGMA user_version = 99");
  run_sql(path, "PRAGMA journal_mode = DELETE");
  check_refused(path, NAS_FORMAT, "newer version");
  run_sql(path, "PRAGMA user_version = -1");
  check_refused(path, NAS_FORMAT, "is damaged: it has schema -1");
}

static void an_older_file_is_brought_up_to_date(void **state) {
  (void)state;
  const nas_evaluation_key key = key_of("1 input");
  const char *path = at("a.db");
  run_sql(path, "PRAGMA application_id = 0x4c4e4153; CREATE TABLE before (a)"); /* of version 0 */
  nas_error err;
  assert_int_equal(try_open(path, 1, &err), NAS_FORMAT);
  check_contains(err.text, "older version");
  nas_store *store = store_at(path);
  put(store, &key, 1, 2);
  nas_store_close(&store);
  run_sql(at("a.db.schema-0"), "SELECT * FROM before"); /* the copy */
  store = store_at(path);
  assert_int_equal(epochs_of(store, &key), 2);
  nas_store_close(&store);
}

/* What statfs says of all paths; 0: the truth. */
static long system_type;

int statfs(const char *path, struct statfs *system) {
  static int (*real)(const char *, struct statfs *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "statfs");
  int result = real(path, system);
  if (system_type) system->f_type = system_type;
  return result;
}

static void network_file_systems_are_refused(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(at("a.db"));
  nas_store_close(&store);
  static const struct {
    long type;
    const char *name;
  } cases[] = {{0x6969, "(NFS)"}, {0xFF534D42, "(CIFS)"}, {0x01021997, "(9P)"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int exists = 0; exists < 2; exists++) {
      system_type = cases[i].type;
      assert_int_equal(try_open(at(exists ? "a.db" : "b.db"), 0, &err), NAS_IO);
      system_type = 0;
      check_contains(err.text, cases[i].name);
      check_contains(err.text, "network file system");
    }
  assert_int_not_equal(access(at("b.db"), F_OK), 0);
}

/* The store cannot grow: what was there stays, and it goes on when there is room. */
static void a_full_disk_loses_nothing(void **state) {
  (void)state;
  nas_error err;
  int64_t id;
  static char bytes[1 << 20];
  row_texts texts;
  const nas_evaluation_key first = key_of("1 input"), second = key_of("2 input");
  nas_epoch_row row = epoch_row(&texts, 1);
  const nas_evaluation_part large = {
      .from = 1, .count = 1, .epochs = &row, .state = bytes, .state_size = sizeof bytes};
  nas_store *store = store_at(at("a.db"));
  put(store, &first, 1, 3);
  assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 60", NULL, NULL, NULL), 0);
  assert_int_equal(nas_store_put(store, &second, &large, &id, &err), NAS_IO);
  check_contains(err.text, "the disk is full");
  assert_int_equal(epochs_of(store, &first), 3);
  assert_int_equal(epochs_of(store, &second), 0);
  assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 60000", NULL, NULL, NULL), 0);
  check_ok(nas_store_put(store, &second, &large, &id, &err), &err);
  assert_int_equal(epochs_of(store, &second), 1);
  nas_store_close(&store);
}

static ssize_t no_quota(int fd, const void *bytes, size_t size, off_t offset) {
  (void)fd;
  (void)bytes;
  (void)size;
  (void)offset;
  errno = EDQUOT;
  return -1;
}

static void a_quota_is_a_full_disk(void **state) {
  (void)state;
  nas_error err;
  int64_t id;
  row_texts texts;
  const nas_evaluation_key key = key_of("1 input");
  nas_epoch_row row = epoch_row(&texts, 1);
  const nas_evaluation_part part = {.from = 1, .count = 1, .epochs = &row};
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  sqlite3_syscall_ptr refuse = (sqlite3_syscall_ptr)no_quota;
  nas_store *store = store_at(at("a.db"));
  static const char *const calls[] = {"pwrite", "pwrite64"}; /* one of them is used */
  for (int i = 0; i < 2; i++) assert_int_equal(vfs->xSetSystemCall(vfs, calls[i], refuse), 0);
  nas_status status = nas_store_put(store, &key, &part, &id, &err);
  for (int i = 0; i < 2; i++) assert_int_equal(vfs->xSetSystemCall(vfs, calls[i], NULL), 0);
  assert_int_equal(status, NAS_IO);
  check_contains(err.text, "cannot write");
  check_contains(err.text, "the disk is full, or a quota");
  check_ok(nas_store_put(store, &key, &part, &id, &err), &err);
  nas_store_close(&store);
}

static void a_file_cut_short_is_refused(void **state) {
  (void)state;
  const char *path = at("a.db");
  nas_store *store = store_at(path);
  const nas_evaluation_key key = key_of("1 input");
  put(store, &key, 1, 10);
  nas_store_close(&store);
  assert_int_equal(truncate(path, 6000), 0);
  check_refused(path, NAS_FORMAT, "damaged");
}

static void folders_and_missing_files(void **state) {
  (void)state;
  nas_error err;
  for (int read_only = 0; read_only < 2; read_only++) {
    assert_int_equal(try_open(folder, read_only, &err), NAS_IO);
    check_contains(err.text, "is a folder");
    assert_int_equal(try_open(at("no/a.db"), read_only, &err), NAS_IO);
    check_contains(err.text, "no/a.db");
    assert_int_equal(try_open("/dev/null", read_only, &err), NAS_IO);
    check_contains(err.text, "no regular file");
  }
  assert_int_equal(try_open(at("a.db"), 1, &err), NAS_IO);
  check_contains(err.text, "no such file");
  nas_store *store;
  const nas_store_options options = {.path = at("a.db"), .must_exist = 1};
  assert_int_equal(nas_store_open(&store, &options, &err), NAS_IO);
  check_contains(err.text, "no such file");
  assert_int_not_equal(access(at("a.db"), F_OK), 0);
}

static void names_that_sqlite_reads_otherwise(void **state) {
  (void)state;
  static const char *const names[] = {":memory:", "file:a.db", "file:b.db?mode=memory"};
  nas_error err;
  const nas_evaluation_key key = key_of("1 input");
  char before[4096];
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(folder), 0); /* for names without a folder */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    nas_store *store = store_at(names[i]);
    put(store, &key, 1, 4);
    nas_store_close(&store);
    assert_int_equal(access(at(names[i]), F_OK), 0);
    store = store_at(names[i]);
    assert_int_equal(epochs_of(store, &key), 4);
    check_ok(nas_store_backup(store, "file:copy", &err), &err);
    nas_store_close(&store);
    store = store_at("file:copy");
    assert_int_equal(epochs_of(store, &key), 4);
    nas_store_close(&store);
    assert_int_equal(unlink("file:copy"), 0);
  }
  assert_int_equal(chdir(before), 0);
}

static void an_empty_file_becomes_a_store(void **state) {
  (void)state;
  nas_error err;
  write_file(at("a.db"), "", 0);
  check_ok(try_open(at("a.db"), 0, &err), &err);
  check_ok(try_open(at("a.db"), 1, &err), &err);
}

static void nothing_is_written_to_what_is_read(void **state) {
  (void)state;
  nas_error err;
  int64_t id;
  nas_lock lock;
  nas_store *store = store_at(at("a.db"));
  nas_store_close(&store);
  const nas_store_options options = {.path = at("a.db"), .read_only = 1};
  check_ok(nas_store_open(&store, &options, &err), &err);
  assert_true(nas_store_read_only(store));
  const nas_evaluation_key key = key_of("1 input");
  const nas_evaluation_part part = {.from = 1, .diverged = "at once"};
  assert_int_equal(nas_store_put(store, &key, &part, &id, &err), NAS_STATE);
  assert_int_equal(nas_store_lock(store, NAS_LOCK_RUN, 1, "", &lock, &err), NAS_STATE);
  check_contains(err.text, "for reading only");
  nas_store_close(&store);
}

/* Becomes a user whom permissions bind, who owns the folder; returns who it was. */
static uid_t become_nobody(void) {
  enum { NOBODY = 65534 };
  uid_t user = geteuid();
  if (user == 0) {
    assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
  }
  return user;
}

static void a_read_only_folder_can_be_read(void **state) {
  (void)state;
  nas_error err;
  const nas_evaluation_key key = key_of("1 input");
  uid_t user = become_nobody();
  assert_int_equal(mkdir(at("closed"), 0700), 0);
  nas_store *store = store_at(at("a.db"));
  put(store, &key, 1, 4);
  copy_open_store(at("a.db"), at("closed/with-log.db"));
  nas_store_close(&store);
  store = store_at(at("closed/plain ?#%.db"));
  put(store, &key, 1, 4);
  nas_store_close(&store);
  assert_int_equal(chmod(at("closed"), 0500), 0);
  static const char *const names[] = {"closed/with-log.db", "closed/plain ?#%.db"};
  for (int i = 0; i < 4; i++) {
    char path[320]; /* with two slashes, too */
    snprintf(path, sizeof path, "%s%s", i / 2 ? "/" : "", at(names[i % 2]));
    const nas_store_options options = {.path = path, .read_only = 1};
    check_ok(nas_store_open(&store, &options, &err), &err);
    assert_int_equal(epochs_of(store, &key), 4);
    nas_store_close(&store);
    assert_int_equal(try_open(path, 0, &err), NAS_IO);
    check_contains(err.text, "read-only");
  }
  assert_int_equal(try_open(at("closed/new.db"), 0, &err), NAS_IO);
  check_contains(err.text, "read-only");
  assert_int_equal(seteuid(user), 0);
}

static void a_file_that_cannot_be_opened(void **state) {
  (void)state;
  nas_error err;
  uid_t user = become_nobody();
  nas_store *store = store_at(at("a.db"));
  nas_store_close(&store);
  struct rlimit before, none = {0};
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none.rlim_max = before.rlim_max;
  for (int read_only = 0; read_only < 2; read_only++) {
    assert_int_equal(chmod(at("a.db"), 0000), 0);
    assert_int_equal(try_open(at("a.db"), read_only, &err), NAS_IO);
    check_contains(err.text, "permission denied");
    assert_int_equal(chmod(at("a.db"), 0600), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    nas_status status = try_open(at("a.db"), read_only, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, NAS_IO);
    check_contains(err.text, "too many files are open");
  }
  assert_int_equal(seteuid(user), 0);
}

/* Neither a log nor shared memory lies beside a store. */
static void check_alone(const char *name) {
  static const char *const ends[] = {"-wal", "-shm"};
  for (int i = 0; i < 2; i++) {
    char beside[320];
    snprintf(beside, sizeof beside, "%s%s", at(name), ends[i]);
    assert_int_not_equal(access(beside, F_OK), 0);
  }
}

static void looking_leaves_no_files(void **state) {
  (void)state;
  nas_error err;
  const nas_evaluation_key key = key_of("1 input");
  nas_store *store = store_at(at("a.db"));
  put(store, &key, 1, 4);
  copy_open_store(at("a.db"), at("with-log.db"));
  nas_store_close(&store);
  static const char *const names[] = {"a.db", "with-log.db"}, *const copies[] = {"c.db", "d.db"};
  for (int i = 0; i < 2; i++) {
    const nas_store_options options = {.path = at(names[i]), .read_only = 1};
    check_ok(nas_store_open(&store, &options, &err), &err);
    assert_int_equal(epochs_of(store, &key), 4);
    check_ok(nas_store_backup(store, at(copies[i]), &err), &err);
    assert_int_equal(nas_store_vacuum(store, &err), NAS_STATE);
    assert_int_equal(nas_store_keep_states(store, 1, &err), NAS_STATE);
    assert_int_equal(sqlite3_exec(store->db, "DELETE FROM epoch", NULL, NULL, NULL),
                     SQLITE_READONLY);
    nas_store_close(&store);
    check_alone(names[i]);
    store = store_at(at(names[i]));
    assert_int_equal(epochs_of(store, &key), 4);
    nas_store_close(&store);
  }
}

/* How many files there are whose names begin so. */
static int count_files(const char *beginning) {
  int count = 0;
  DIR *all = opendir(folder);
  assert_non_null(all);
  for (const struct dirent *one; (one = readdir(all)) != NULL;)
    count += strncmp(one->d_name, beginning, strlen(beginning)) == 0;
  closedir(all);
  return count;
}

/* Backs a.db up in a process that is killed at the point of that name. */
static void kill_backup(const char *point) {
  nas_error err;
  int ended;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    nas_store *store;
    const nas_store_options options = {.path = at("a.db"), .read_only = 1};
    setenv("LUANAS_CRASH", point, 1);
    if (nas_store_open(&store, &options, &err) == NAS_OK) nas_store_backup(store, at("b.db"), &err);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFSIGNALED(ended));
}

static void a_backup_has_its_name_when_it_is_whole(void **state) {
  (void)state;
  nas_error err;
  const nas_evaluation_key key = key_of("1 input");
  nas_store *store = store_at(at("a.db"));
  put(store, &key, 1, 4);
  nas_store_close(&store); /* a process forked now may open it */
  kill_backup("in-backup:1");
  store = store_at(at("a.db"));
  assert_int_not_equal(access(at("b.db"), F_OK), 0);
  assert_int_equal(count_files("b.db"), 1); /* what was begun */
  check_ok(nas_store_backup(store, at("b.db"), &err), &err);
  assert_int_equal(count_files("b.db"), 2);
  nas_store_close(&store);
  store = store_at(at("b.db"));
  assert_int_equal(epochs_of(store, &key), 4);
  nas_store_close(&store);
}

/* What link does: 0: the truth; 1: another process has just made the file, then the truth; 2: there
 * are no links. */
static int link_kind;

int link(const char *from, const char *to) {
  if (link_kind == 2) {
    errno = EPERM;
    return -1;
  }
  if (link_kind == 1) write_file(to, "mine", 4);
  link_kind = 0;
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void a_backup_replaces_nothing(void **state) {
  (void)state;
  nas_error err;
  size_t size;
  const nas_evaluation_key key = key_of("1 input");
  nas_store *store = store_at(at("a.db"));
  put(store, &key, 1, 4);
  link_kind = 1;
  nas_status status = nas_store_backup(store, at("b.db"), &err);
  link_kind = 2;
  assert_int_equal(status, NAS_IO);
  check_contains(err.text, "there already");
  char *bytes = read_file(at("b.db"), &size);
  assert_int_equal(size, 4);
  assert_memory_equal(bytes, "mine", 4);
  free(bytes);
  assert_int_equal(nas_store_backup(store, at("no/b.db"), &err), NAS_IO);
  check_contains(err.text, "no/b.db");
  assert_int_equal(count_files("b.db"), 1);
  check_ok(nas_store_backup(store, at("c.db"), &err), &err); /* renamed */
  link_kind = 0;
  assert_int_equal(count_files("c.db"), 1);
  nas_store_close(&store);
  store = store_at(at("c.db"));
  assert_int_equal(epochs_of(store, &key), 4);
  nas_store_close(&store);
}

static void the_copy_of_an_older_file_replaces_nothing(void **state) {
  (void)state;
  run_sql(at("a.db"), "PRAGMA application_id = 0x4c4e4153; CREATE TABLE before (a)");
  link_kind = 1;
  nas_store *store = store_at(at("a.db"));
  nas_store_close(&store);
  assert_int_equal(count_files("a.db.schema-0"), 2);
  run_sql(at("a.db.schema-0-2"), "SELECT * FROM before");
}

static void a_backup_is_a_store(void **state) {
  (void)state;
  nas_error err;
  const nas_evaluation_key key = key_of("1 input");
  nas_store *store = store_at(at("a.db"));
  put(store, &key, 1, 4);
  check_ok(nas_store_backup(store, at("b.db"), &err), &err);
  assert_int_equal(nas_store_backup(store, at("b.db"), &err), NAS_IO);
  check_contains(err.text, "there already");
  check_ok(nas_store_vacuum(store, &err), &err);
  assert_int_equal(epochs_of(store, &key), 4);
  nas_store_close(&store);
  store = store_at(at("b.db"));
  assert_int_equal(epochs_of(store, &key), 4);
  nas_store_close(&store);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
  const struct CMUnitTest tests[] = {
      TEST(other_files_are_refused),
      TEST(a_newer_file_is_refused),
      TEST(an_older_file_is_brought_up_to_date),
      TEST(network_file_systems_are_refused),
      TEST(a_full_disk_loses_nothing),
      TEST(a_quota_is_a_full_disk),
      TEST(a_file_cut_short_is_refused),
      TEST(folders_and_missing_files),
      TEST(names_that_sqlite_reads_otherwise),
      TEST(an_empty_file_becomes_a_store),
      TEST(nothing_is_written_to_what_is_read),
      TEST(a_read_only_folder_can_be_read),
      TEST(a_file_that_cannot_be_opened),
      TEST(looking_leaves_no_files),
      TEST(a_backup_has_its_name_when_it_is_whole),
      TEST(a_backup_replaces_nothing),
      TEST(the_copy_of_an_older_file_replaces_nothing),
      TEST(a_backup_is_a_store),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
