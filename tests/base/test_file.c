#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <check.h>
#include "file.h"

#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

static char folder[] = "/tmp/nas-file-XXXXXX";

static const char *path_of(const char *name) {
  static char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

static nas_status replace(const char *path, const char *content, nas_status status,
                          nas_error *err) {
  nas_replacement replacement;
  nas_status begun = nas_replacement_begin(&replacement, path, err);
  if (begun != NAS_OK) return begun;
  if (status == NAS_OK) status = nas_replacement_write(&replacement, content, strlen(content), err);
  return nas_replacement_end(&replacement, status, err);
}

static void check_content(const char *path, const char *expected) {
  nas_file file;
  nas_error err;
  char content[100] = "";
  size_t count;
  check_ok(nas_file_open(&file, path, &err), &err);
  assert_int_equal(file.size, strlen(expected));
  check_ok(nas_file_read(&file, 0, content, sizeof content - 1, &count, &err), &err);
  assert_int_equal(count, strlen(expected));
  assert_string_equal(content, expected);
  nas_file_close(&file);
}

/* The folder is empty: no temporary file was left behind. */
static void check_empty(void) {
  assert_int_equal(rmdir(folder), 0);
  assert_int_equal(mkdir(folder, 0777), 0);
}

static void replaced_as_a_whole(void **state) {
  (void)state;
  nas_replacement replacement;
  nas_error err;
  const char *path = path_of("file");
  check_ok(replace(path, "old", NAS_OK, &err), &err);
  check_content(path, "old");
  check_ok(nas_replacement_begin(&replacement, path, &err), &err);
  check_ok(nas_replacement_write(&replacement, "new", 3, &err), &err);
  check_ok(nas_replacement_write(&replacement, "", 0, &err), &err);
  check_content(path, "old");
  check_ok(nas_replacement_write(&replacement, "er", 2, &err), &err);
  check_ok(nas_replacement_end(&replacement, NAS_OK, &err), &err);
  check_content(path, "newer");
  assert_int_equal(unlink(path), 0);
  check_empty();
}

static void given_up(void **state) {
  (void)state;
  nas_error err = {0};
  const char *path = path_of("file");
  assert_int_equal(replace(path, "", NAS_LIMIT, &err), NAS_LIMIT);
  check_empty();
  check_ok(replace(path, "old", NAS_OK, &err), &err);
  assert_int_equal(replace(path, "", NAS_LIMIT, &err), NAS_LIMIT);
  assert_int_equal(err.code, 0); /* what failed has filled it, or not */
  check_content(path, "old");
  assert_int_equal(unlink(path), 0);
  check_empty();
}

/* A file that may not grow beyond 4 bytes stands for a full disk. */
static void no_room(void **state) {
  (void)state;
  nas_error err = {0};
  struct rlimit before, few;
  const char *path = path_of("file");
  check_ok(replace(path, "old", NAS_OK, &err), &err);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  few = before;
  few.rlim_cur = 4;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
  nas_status status = replace(path, "newer", NAS_OK, &err);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, NAS_IO);
  check_contains(err.text, "cannot write");
  check_contains(err.text, "file.tmp-");
  check_content(path, "old");
  assert_int_equal(unlink(path), 0);
  check_empty();
}

static void cannot_be_replaced(void **state) {
  (void)state;
  nas_error err;
  const char *path = path_of("absent/file");
  assert_int_equal(replace(path, "new", NAS_OK, &err), NAS_IO);
  check_contains(err.text, "cannot create");
  check_contains(err.text, "No such file");
  path = path_of("taken");
  assert_int_equal(mkdir(path, 0777), 0);
  assert_int_equal(replace(path, "new", NAS_OK, &err), NAS_IO);
  check_contains(err.text, "cannot replace");
  assert_int_equal(replace(path, "new", NAS_OK, NULL), NAS_IO);
  assert_int_equal(rmdir(path), 0);
  check_empty();
}

static void parts(void **state) {
  (void)state;
  nas_file file;
  nas_error err;
  const char *path = path_of("file");
  char part[4] = "";
  size_t count;
  check_ok(replace(path, "content", NAS_OK, &err), &err);
  check_ok(nas_file_open(&file, path, &err), &err);
  check_ok(nas_file_read(&file, 3, part, 3, &count, &err), &err);
  assert_int_equal(count, 3);
  assert_string_equal(part, "ten");
  check_ok(nas_file_read(&file, 6, part, 3, &count, &err), &err);
  assert_int_equal(count, 1);
  check_ok(nas_file_read(&file, 7, part, 3, &count, &err), &err);
  assert_int_equal(count, 0);
  check_ok(nas_file_read(&file, 1000, part, 3, &count, &err), &err);
  assert_int_equal(count, 0);
  nas_file_close(&file);
  assert_int_equal(unlink(path), 0);
}

static void cannot_be_read(void **state) {
  (void)state;
  nas_file file;
  nas_error err;
  assert_int_equal(nas_file_open(&file, path_of("absent"), &err), NAS_IO);
  check_contains(err.text, "absent\": No such file");
  assert_int_equal(nas_file_open(&file, folder, &err), NAS_IO);
  check_contains(err.text, "not a regular file");
  const char *path = path_of("pipe");
  assert_int_equal(mkfifo(path, 0666), 0);
  assert_int_equal(nas_file_open(&file, path, &err), NAS_IO);
  check_contains(err.text, "not a regular file");
  assert_int_equal(unlink(path), 0);
}

static void without_memory(void **state) {
  (void)state;
  nas_error err;
  for (long allowed = 0;; allowed++) {
    nas_memory_fail_after(allowed);
    nas_status status = replace(path_of("file"), "new", NAS_OK, &err);
    nas_memory_fail_after(-1);
    if (status == NAS_OK) break;
    assert_int_equal(status, NAS_MEMORY);
    assert_int_equal(nas_memory_used().blocks, 0);
    check_empty();
  }
  assert_int_equal(unlink(path_of("file")), 0);
}

static void names_of_killed_processes_are_passed_over(void **state) {
  (void)state;
  nas_error err;
  nas_text left[3] = {{0}};
  const char *path = path_of("file");
  for (int i = 0; i < 3; i++) { /* as by a process of this number before */
    int fd = nas_file_create_beside("", path, &left[i]);
    assert_true(fd >= 0);
    close(fd);
  }
  check_ok(replace(path, "new", NAS_OK, &err), &err);
  check_content(path, "new");
  assert_int_equal(unlink(path), 0);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(unlink(left[i].data), 0); /* each has a name of its own */
    nas_text_clear(&left[i]);
  }
  check_empty();
}

static void modes_and_devices_stay(void **state) {
  (void)state;
  nas_error err;
  struct stat info;
  const char *path = path_of("file");
  check_ok(replace(path, "old", NAS_OK, &err), &err);
  assert_int_equal(chmod(path, 0600), 0);
  check_ok(replace(path, "new", NAS_OK, &err), &err);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_equal(unlink(path), 0);
  path = path_of("pipe");
  assert_int_equal(mkfifo(path, 0666), 0);
  assert_int_equal(replace(path, "new", NAS_OK, &err), NAS_IO);
  check_contains(err.text, "pipe\": not a regular file");
  assert_int_equal(unlink(path), 0);
  check_empty();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(replaced_as_a_whole),
      TEST(given_up),
      TEST(no_room),
      TEST(cannot_be_replaced),
      TEST(parts),
      TEST(cannot_be_read),
      TEST(without_memory),
      TEST(names_of_killed_processes_are_passed_over),
      TEST(modes_and_devices_stay),
  };
  return cmocka_run_group_tests_name("file", tests, make_folder, remove_folder);
}
