#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nas/memory.h>
#include <nas/text.h>

static nas_status fail_io(nas_error *err, const char *what, const char *path) {
  int code = errno;
  char reason[128] = "";
  return nas_fail(err, NAS_IO, "%s \"%.200s\": %s", what, path,
                  strerror_r(code, reason, sizeof reason));
}

/* ---- Writing ------------------------------------------------------------------------------ */

static int write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -1;
    bytes += written;
    size -= (size_t)written;
  }
  return 0;
}

/* Closes in any case; 0, or -1 with errno of the first failure. */
static int write_and_close(int fd, const void *bytes, size_t size) {
  int failed = write_all(fd, bytes, size) || fsync(fd);
  int code = errno;
  if (close(fd) && !failed) return -1;
  errno = code;
  return failed ? -1 : 0;
}

/* Makes the renaming last. Some file systems can't synchronise a folder, and say EINVAL. */
static int sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = fsync(fd) && errno != EINVAL;
  int code = errno;
  close(fd);
  errno = code;
  return failed ? -1 : 0;
}

/* The folder of path, and a name in it that no two calls share: "p.nasp.tmp-4711-1". 0, or -1
 * without memory. */
static int names_beside(const char *path, nas_text *folder, nas_text *temporary) {
  static _Atomic int64_t last;
  const char *slash = strrchr(path, '/');
  if (slash)
    nas_text_add_bytes(folder, path, (size_t)(slash - path) + 1);
  else
    nas_text_add(folder, ".");
  nas_text_add(temporary, path);
  nas_text_add(temporary, ".tmp-");
  nas_text_add_integer(temporary, (int64_t)getpid());
  nas_text_add(temporary, "-");
  nas_text_add_integer(temporary, atomic_fetch_add(&last, 1) + 1);
  return folder->failed || temporary->failed ? -1 : 0;
}

nas_status nas_file_replace(const char *path, const void *bytes, size_t size, nas_error *err) {
  nas_text folder = {0}, temporary = {0};
  nas_status status = NAS_OK;
  if (names_beside(path, &folder, &temporary)) {
    status = nas_fail_memory(err, "file names", 2 * strlen(path));
    goto done;
  }
  int fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) {
    status = fail_io(err, "cannot create", temporary.data);
    goto done;
  }
  if (write_and_close(fd, bytes, size)) {
    status = fail_io(err, "cannot write", temporary.data);
    unlink(temporary.data);
    goto done;
  }
  if (rename(temporary.data, path)) {
    status = fail_io(err, "cannot replace", path);
    unlink(temporary.data);
    goto done;
  }
  if (sync_folder(folder.data)) status = fail_io(err, "cannot synchronise the folder of", path);
done:
  nas_text_clear(&folder);
  nas_text_clear(&temporary);
  return status;
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Up to size bytes, fewer at the end of the file; -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    ssize_t got = read(fd, bytes + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    filled += (size_t)got;
  }
  return (ssize_t)filled;
}

nas_status nas_file_fail(nas_error *err, nas_status status, const char *path) {
  char text[sizeof err->text];
  if (!err) return status;
  memcpy(text, err->text, sizeof text);
  return nas_fail(err, status, "\"%.200s\": %s", path, text);
}

static nas_status read_file(int fd, const char *path, const void *magic, size_t magic_size,
                            char **bytes, size_t *size, nas_error *err) {
  struct stat info;
  char start[64] = {0};
  if (fstat(fd, &info)) return fail_io(err, "cannot read", path);
  if (!S_ISREG(info.st_mode))
    return nas_fail(err, NAS_IO, "cannot read \"%.200s\": not a regular file", path);
  size_t most = (size_t)info.st_size;
  if (magic) {
    ssize_t got = pread(fd, start, magic_size, 0);
    if (got < 0) return fail_io(err, "cannot read", path);
    if (memcmp(start, magic, magic_size) != 0) most = (size_t)got;
  }
  *bytes = nas_alloc(most, 1);
  if (!*bytes) return nas_fail_memory(err, "the bytes of a file", most);
  ssize_t got = read_all(fd, *bytes, most);
  if (got < 0) {
    nas_status status = fail_io(err, "cannot read", path);
    nas_free(*bytes);
    *bytes = NULL;
    return status;
  }
  *size = (size_t)got;
  return NAS_OK;
}

nas_status nas_file_read(const char *path, const void *magic, size_t magic_size, char **bytes,
                         size_t *size, nas_error *err) {
  *bytes = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail_io(err, "cannot open", path);
  nas_status status = read_file(fd, path, magic, magic_size, bytes, size, err);
  close(fd);
  return status;
}
