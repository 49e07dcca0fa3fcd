/* Files that are read as a whole and replaced as a whole. Messages name the path. */
#ifndef NAS_FILE_H
#define NAS_FILE_H

#include <stddef.h>
#include <nas/status.h>

/* Puts the bytes into the file: into a temporary one beside it, which is synchronised and takes its
 * place, and then the folder is synchronised. On failure nothing is left behind and an old file is
 * whole. NAS_IO, NAS_MEMORY. */
nas_status nas_file_replace(const char *path, const void *bytes, size_t size, nas_error *err);

/* All bytes of a regular file, for the caller to free with nas_free. Of a file that does not begin
 * with `magic` (may be NULL) only the first magic_size bytes are read, so that a large file of
 * another kind costs nothing. On failure *bytes is NULL. NAS_IO, NAS_MEMORY. */
nas_status nas_file_read(const char *path, const void *magic, size_t magic_size, char **bytes,
                         size_t *size, nas_error *err);

/* Puts the path before the message of a failure that was found in the file's content; returns
 * status. */
nas_status nas_file_fail(nas_error *err, nas_status status, const char *path);

#endif
