#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

nas_status nas_file_fail(nas_error *err, const char *what, const char *path) {
  int code = errno;
  char reason[128] = "";
  return nas_fail(err, NAS_IO, "%s \"%.200s\": %s", what, path,
                  strerror_r(code, reason, sizeof reason));
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Not blocking, so that a pipe is refused and not waited for. */
nas_status nas_file_open(nas_file *file, const char *path, nas_error *err) {
  struct stat info;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return nas_file_fail(err, "cannot open", path);
  nas_status status = NAS_OK;
  if (fstat(fd, &info))
    status = nas_file_fail(err, "cannot read", path);
  else if (!S_ISREG(info.st_mode))
    status = nas_fail(err, NAS_IO, "cannot read \"%.200s\": not a regular file", path);
  if (status != NAS_OK) {
    close(fd);
    return status;
  }
  *file = (nas_file){.path = path, .fd = fd, .size = (uint64_t)info.st_size};
  return NAS_OK;
}

void nas_file_close(nas_file *file) {
  close(file->fd);
  file->fd = -1;
}

nas_status nas_file_read(const nas_file *file, uint64_t offset, void *bytes, size_t size,
                         size_t *count, nas_error *err) {
  size_t filled = 0;
  while (filled < size) {
    ssize_t got = pread(file->fd, (char *)bytes + filled, size - filled, (off_t)(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return nas_file_fail(err, "cannot read", file->path);
    if (got == 0) break;
    filled += (size_t)got;
  }
  *count = filled;
  return NAS_OK;
}

/* ---- Writing ------------------------------------------------------------------------------ */

int nas_file_write(int fd, const void *bytes, size_t size) {
  const char *from = bytes;
  while (size > 0) {
    ssize_t written = write(fd, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -1;
    from += written;
    size -= (size_t)written;
  }
  return 0;
}

/* ---- Replacing ---------------------------------------------------------------------------- */

nas_status nas_file_folder_of(const char *path, nas_text *folder, nas_error *err) {
  const char *slash = strrchr(path, '/');
  if (slash)
    nas_text_add_bytes(folder, path, (size_t)(slash - path) + 1);
  else
    nas_text_add(folder, ".");
  return folder->failed ? nas_fail_memory(err, "a path", strlen(path)) : NAS_OK;
}

int nas_file_create_beside(const char *mark, const char *path, nas_text *temporary) {
  for (int64_t i = 1;; i++) { /* another thread has some, or a process that was killed left them */
    nas_text_clear(temporary);
    nas_text_add(temporary, mark);
    nas_text_add(temporary, path);
    nas_text_add(temporary, ".tmp-");
    nas_text_add_integer(temporary, (int64_t)getpid());
    nas_text_add(temporary, "-");
    nas_text_add_integer(temporary, i);
    if (temporary->failed) {
      errno = ENOMEM;
      return -1;
    }
    int fd = open(temporary->data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
}

static void clear_names(nas_replacement *r) {
  nas_text_clear(&r->folder);
  nas_text_clear(&r->temporary);
}

static nas_status create(nas_replacement *r, nas_error *err) {
  nas_status status = nas_file_folder_of(r->path, &r->folder, err);
  if (status != NAS_OK) return status;
  r->fd = nas_file_create_beside("", r->path, &r->temporary);
  if (r->temporary.failed) return nas_fail_memory(err, "a path", strlen(r->path));
  return r->fd < 0 ? nas_file_fail(err, "cannot create", r->temporary.data) : NAS_OK;
}

nas_status nas_replacement_begin(nas_replacement *replacement, const char *path, nas_error *err) {
  nas_replacement r = {.path = path, .fd = -1};
  struct stat old;
  int is_there = stat(path, &old) == 0;
  if (is_there && !S_ISREG(old.st_mode))
    return nas_fail(err, NAS_IO, "cannot replace \"%.200s\": not a regular file", path);
  nas_status status = create(&r, err);
  if (status != NAS_OK) {
    clear_names(&r);
    return status;
  }
  if (is_there) fchmod(r.fd, old.st_mode & 0777); /* where the file system has no modes, it is so */
  *replacement = r;
  return NAS_OK;
}

nas_status nas_replacement_write(nas_replacement *replacement, const void *bytes, size_t size,
                                 nas_error *err) {
  if (nas_file_write(replacement->fd, bytes, size) == 0) return NAS_OK;
  return nas_file_fail(err, "cannot write", replacement->temporary.data);
}

int nas_file_sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = fsync(fd) && errno != EINVAL;
  int code = errno;
  close(fd);
  errno = code;
  return failed ? -1 : 0;
}

nas_status nas_replacement_end(nas_replacement *replacement, nas_status status, nas_error *err) {
  const char *temporary = replacement->temporary.data;
  if (status == NAS_OK && fsync(replacement->fd))
    status = nas_file_fail(err, "cannot write", temporary);
  if (close(replacement->fd) && status == NAS_OK)
    status = nas_file_fail(err, "cannot write", temporary);
  if (status == NAS_OK && rename(temporary, replacement->path))
    status = nas_file_fail(err, "cannot replace", replacement->path);
  if (status != NAS_OK)
    unlink(temporary);
  else if (nas_file_sync_folder(replacement->folder.data))
    status = nas_file_fail(err, "cannot synchronise the folder of", replacement->path);
  clear_names(replacement);
  return status;
}
