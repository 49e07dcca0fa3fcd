/* Files: read from any place, and replaced as a whole. Every failure is NAS_IO with the path and
 * the system's reason; NAS_MEMORY where a name could not be built. */
#ifndef NAS_FILE_H
#define NAS_FILE_H

#include <nas/text.h>

/* NAS_IO: `what` the path, and the system's reason in errno, such as: cannot open "a.db": ... */
nas_status nas_file_fail(nas_error *err, const char *what, const char *path);

/* Writes all of it, also where the system takes it in pieces. -1: errno. */
int nas_file_write(int fd, const void *bytes, size_t size);

/* Makes names that were given or taken in a folder last. Some file systems can't, and say EINVAL,
 * which is no failure. -1: errno. */
int nas_file_sync_folder(const char *folder);

/* Appends the folder that the file lies in. NAS_MEMORY. */
nas_status nas_file_folder_of(const char *path, nas_text *folder, nas_error *err);

/* A new empty file of this process in the folder of path, whose name *temporary gets: `mark`, path,
 * and an ending. -1: errno; ENOMEM with temporary->failed. */
int nas_file_create_beside(const char *mark, const char *path, nas_text *temporary);

/* A regular file that is open for reading. */
typedef struct nas_file {
  const char *path; /* borrowed */
  int fd;
  uint64_t size; /* bytes that there were when it was opened */
} nas_file;

/* On failure there is nothing to close. */
nas_status nas_file_open(nas_file *file, const char *path, nas_error *err);

void nas_file_close(nas_file *file);

/* The `size` bytes from `offset` on, or fewer at the end of the file: *count tells. */
nas_status nas_file_read(const nas_file *file, uint64_t offset, void *bytes, size_t size,
                         size_t *count, nas_error *err);

/* A file that is written under another name in the same folder, and takes the place of `path` when
 * all of it is on the disk, with the mode of the old file; the place of a link, not of what it
 * points to. NAS_IO where something is that is no regular file, such as a device. */
typedef struct nas_replacement {
  const char *path; /* borrowed */
  int fd;
  nas_text folder, temporary;
} nas_replacement;

/* On failure there is nothing to end. */
nas_status nas_replacement_begin(nas_replacement *replacement, const char *path, nas_error *err);

nas_status nas_replacement_write(nas_replacement *replacement, const void *bytes, size_t size,
                                 nas_error *err);

/* With NAS_OK, puts what was written in the place of the old file. With another status, or when
 * that fails, removes it: the old file is as it was. Only when the folder can't be synchronised,
 * the last step, has the new file taken its place in spite of the failure. Returns the status, or
 * what failed. */
nas_status nas_replacement_end(nas_replacement *replacement, nas_status status, nas_error *err);

#endif
